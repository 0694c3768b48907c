/* SPDX-License-Identifier: Apache-2.0 */
/* issued: puts certificates into the store of a home that is not in service, for benchmarks that ask about
 * many. usage: bench_issued STORE-DIRECTORY ISSUER COUNT. Prints the serial of one of them. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/hash.h"
#include "base/log.h"
#include "store/store.h"

#define BATCH 10000 /* certificates in one transaction */
#define A_DAY 4096  /* certificates that expire on one day */
#define LIFE_DAYS 365
#define DER_LEN 1100 /* octets: a leaf of the RSA hierarchy with two names */

static void serial_make(uint64_t n, int64_t now_s, uint8_t serial[static SERIAL_LEN])
{
    uint64_t day = (uint64_t)now_s / 86400 + LIFE_DAYS - n / A_DAY % LIFE_DAYS;

    serial[0] = 1;
    serial[1] = (uint8_t)(day >> 8);
    serial[2] = (uint8_t)day;
    random_octets(serial + 3, SERIAL_LEN - 3);
}

static void add(struct txn *t, const struct issuer *i, const uint8_t *serial, uint64_t n, int64_t now_s)
{
    static const uint8_t der[DER_LEN];
    char name[64];
    struct cert c = {
        .status = {.issuer_no = i->no, .not_after_s = now_s + LIFE_DAYS * (int64_t)86400},
        .not_before_s = now_s,
        .issued_at_s = now_s,
        .key_type = KEY_RSA,
        .key_bits = 2048,
        .profile = "ucm/tomcat",
        .requester = "bench",
        .der = span_of(der, sizeof der),
    };
    uint64_t number;

    snprintf(name, sizeof name, "node%llu.example.com", (unsigned long long)n);
    c.cn = c.subject = span_str(name);
    memcpy(c.serial, serial, SERIAL_LEN);
    random_octets(c.key_hash, sizeof c.key_hash);
    random_octets(c.fingerprint, sizeof c.fingerprint);
    cert_add(t, &c, &number);
}

static void fill(struct store *s, const char *id, uint64_t count)
{
    int64_t now_s = clock_now_s();
    uint8_t serial[SERIAL_LEN];
    char hex[SERIAL_HEX_LEN + 1];

    for (uint64_t n = 0; n < count;) {
        struct issuer i;
        struct txn *t;

        if (txn_begin(s, &t) != OK || issuer_find(txn_view(t), id, &i) != OK)
            die("no issuer %s", id);
        for (uint64_t end = n + BATCH < count ? n + BATCH : count; n < end; n++) {
            serial_make(n, now_s, serial);
            add(t, &i, serial, n, now_s);
        }
        if (txn_commit(t) != OK)
            die("the store cannot be written");
    }
    hex_encode(span_of(serial, sizeof serial), hex);
    printf("%s\n", hex);
}

int main(int argc, char **argv)
{
    uint64_t count = argc == 4 ? strtoull(argv[3], NULL, 10) : 0;
    struct store *s;
    struct fault f = {0};

    if (count == 0)
        die("usage: bench_issued STORE-DIRECTORY ISSUER COUNT");
    if (store_open(argv[1], STORE_WRITE, (uint64_t)1 << 33, &s, &f) != OK)
        die("%s", f.detail);
    fill(s, argv[2], count);
    store_close(s);
    return 0;
}
