/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cursor: where a list of certificates or of the audit stopped, as text: hex of a version, a hash over the
 * query's filters, and the key of the last index row visited. It is no secret and needs no protection: a
 * forged one starts its own query at another place, no more.
 */
#include <string.h>

#include "store/inner.h"

#define CURSOR_VERSION 1
#define QUERY_HASH_LEN 16u /* octets of SHA-256: enough to tell queries apart by accident */
#define HEAD_LEN (1 + QUERY_HASH_LEN)

_Static_assert(HEAD_LEN + KEY_MAX <= CURSOR_OCTETS_MAX && 2 * CURSOR_OCTETS_MAX < CURSOR_MAX,
               "every position fits a cursor");

static void put_fold(struct buf *b, const char *text)
{
    buf_put_u8(b, text != NULL);
    for (; text != NULL && *text != '\0'; text++)
        buf_put_u8(b, (uint8_t)fold(*text));
    buf_put_u8(b, '\0');
}

static void put_text(struct buf *b, const char *text)
{
    buf_put_u8(b, text != NULL);
    buf_put_blob(b, text != NULL ? span_str(text) : (struct span){0});
}

static void query_hash(const struct cert_query *q, uint8_t out[static HASH_LEN])
{
    struct buf b;

    buf_init(&b, SIZE_MAX / 2);
    put_fold(&b, q->cn);
    put_fold(&b, q->san);
    put_text(&b, q->profile);
    put_text(&b, q->requester);
    buf_put_u16(&b, q->issuer_no);
    buf_put_u8(&b, (uint8_t)q->status);
    buf_put_u8(&b, (uint8_t)q->key_type);
    buf_put_u8(&b, q->expires_before_s != NO_TIME);
    sha256_of(buf_span(&b), out);
    buf_free(&b);
}

static void audit_query_hash(const struct audit_query *q, uint8_t out[static HASH_LEN])
{
    struct buf b;

    buf_init(&b, SIZE_MAX / 2);
    put_text(&b, "audit");
    buf_put_u8(&b, (uint8_t)q->kind);
    put_text(&b, q->actor);
    buf_put_blob(&b, q->serial != NULL ? span_of(q->serial, SERIAL_LEN) : (struct span){0});
    buf_put_u8(&b, q->since_s != NO_TIME);
    buf_put_u8(&b, q->until_s != NO_TIME);
    buf_put_u8(&b, q->is_oldest_first);
    sha256_of(buf_span(&b), out);
    buf_free(&b);
}

static void bind(const uint8_t hash[static HASH_LEN], struct span position, char out[static CURSOR_MAX])
{
    uint8_t octets[HEAD_LEN + KEY_MAX];
    size_t len = position.len < KEY_MAX ? position.len : KEY_MAX;

    octets[0] = CURSOR_VERSION;
    memcpy(octets + 1, hash, QUERY_HASH_LEN);
    memcpy(octets + HEAD_LEN, position.data, len);
    hex_encode(span_of(octets, HEAD_LEN + len), out);
}

static bool take(const uint8_t hash[static HASH_LEN], const char *text, struct key *position)
{
    uint8_t octets[HEAD_LEN + KEY_MAX];
    size_t digits = strlen(text), len = digits / 2;

    if (digits % 2 != 0 || len <= HEAD_LEN || len > sizeof octets || !hex_decode(text, octets, len))
        return false;
    if (octets[0] != CURSOR_VERSION || memcmp(octets + 1, hash, QUERY_HASH_LEN) != 0)
        return false;
    *position = (struct key){.len = 0};
    key_put(position, octets + HEAD_LEN, len - HEAD_LEN);
    return true;
}

void cursor_write(const struct cert_query *q, struct span position, char out[static CURSOR_MAX])
{
    uint8_t hash[HASH_LEN];

    query_hash(q, hash);
    bind(hash, position, out);
}

bool cursor_parse(const struct cert_query *q, struct key *position)
{
    uint8_t hash[HASH_LEN];

    query_hash(q, hash);
    return take(hash, q->after, position);
}

void audit_cursor_write(const struct audit_query *q, struct span position, char out[static CURSOR_MAX])
{
    uint8_t hash[HASH_LEN];

    audit_query_hash(q, hash);
    bind(hash, position, out);
}

bool audit_cursor_parse(const struct audit_query *q, struct key *position)
{
    uint8_t hash[HASH_LEN];

    audit_query_hash(q, hash);
    return take(hash, q->after, position);
}
