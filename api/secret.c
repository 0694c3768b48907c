/* SPDX-License-Identifier: Apache-2.0 */
/*
 * secret: what a token looks like: "chancery_", 64 hex digits of 256 random bits, 8 hex digits of a checksum.
 * The prefix lets scanners of repositories and logs find one that was left lying about
 * (chancery_[0-9a-f]{72}); the checksum tells one that was mistyped or cut from one that is not known,
 * without asking the store.
 */
#include <stdio.h>
#include <string.h>

#include "api/api.h"
#include "base/hash.h"

#define PREFIX "chancery_"
#define RANDOM_LEN 32u
#define CHECK_LEN 4u
#define BODY_LEN (2 * RANDOM_LEN)

static void check_of(const char *text, char out[static 2 * CHECK_LEN + 1])
{
    uint8_t digest[HASH_LEN];

    sha256_of(span_of(text, sizeof PREFIX - 1 + BODY_LEN), digest);
    hex_encode(span_of(digest, CHECK_LEN), out);
}

void secret_new(char out[static SECRET_TEXT_MAX])
{
    uint8_t octets[RANDOM_LEN];

    random_octets(octets, sizeof octets);
    strcpy(out, PREFIX);
    hex_encode(span_of(octets, sizeof octets), out + sizeof PREFIX - 1);
    check_of(out, out + sizeof PREFIX - 1 + BODY_LEN);
    explicit_bzero(octets, sizeof octets);
}

void secret_hash(const char *text, uint8_t hash[static HASH_LEN])
{
    sha256_of(span_str(text), hash);
}

bool secret_is_whole(const char *text)
{
    char check[2 * CHECK_LEN + 1];

    if (strlen(text) != SECRET_TEXT_MAX - 1 || strncmp(text, PREFIX, sizeof PREFIX - 1) != 0 ||
        strspn(text + sizeof PREFIX - 1, "0123456789abcdef") != BODY_LEN + 2 * CHECK_LEN)
        return false;
    check_of(text, check);
    return strcmp(text + sizeof PREFIX - 1 + BODY_LEN, check) == 0;
}
