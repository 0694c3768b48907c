/* SPDX-License-Identifier: Apache-2.0 */
/*
 * audit: what a page of the audit costs in a store of a thousand rows and in one of a million, by each
 * filter. The row that is asked for is as rare in both: one in a thousand. And what verifying costs beside
 * hashing alone.
 *
 * usage: bench_audit [ROWS]     of the larger store
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/hash.h"
#include "base/log.h"
#include "store/store.h"

#define NOW 1800000000
#define ROUNDS 301
#define ROWS_DEFAULT 1000000u
#define BATCH 1000u
#define NEWEST                                                                                               \
    23u /* rows beyond the last 32 that were indexed together, in both: lists read them one by one */

struct place {
    char dir[64];
    struct store *store;
    unsigned rows;
};

static double now_us(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec * 1e6 + (double)t.tv_nsec / 1e3;
}

static void append(struct txn *t, unsigned n)
{
    bool is_rare = n % 1000 == 500;
    struct audit_row a = {.at_s = NOW + n,
                          .kind = is_rare ? AUDIT_REVOKE : AUDIT_ISSUE,
                          .has_serial = true,
                          .actor = span_str(is_rare ? "login:rare" : "login:usual"),
                          .detail =
                              span_str("profile ucm/tomcat, issuer rsa-g1, CN=cucm1.example.com, O=Example")};

    memcpy(a.serial, &(uint64_t){(uint64_t)n * UINT64_C(0x9e3779b97f4a7c15)}, 8);
    audit_append(t, &a);
}

static struct place place_make(unsigned rows)
{
    struct place p = {.dir = "/tmp/chancery-bench-XXXXXX", .rows = rows};
    struct fault f = {0};

    if (mkdtemp(p.dir) == NULL || store_open(p.dir, STORE_CREATE, (uint64_t)8 << 30, &p.store, &f) != OK)
        die("no store: %s", f.detail);
    for (unsigned n = 1; n <= rows;) {
        struct txn *t = NULL;

        if (txn_begin(p.store, &t) != OK)
            die("no transaction");
        for (unsigned i = 0; i < BATCH && n <= rows; i++, n++)
            append(t, n);
        if (txn_commit(t) != OK)
            die("no commit");
    }
    return p;
}

static void place_remove(struct place *p)
{
    char command[128];

    store_close(p->store);
    snprintf(command, sizeof command, "rm -r %s", p->dir);
    if (system(command) != 0)
        log_warn("bench", "%s stays", p->dir);
}

static bool count(const struct audit_row *a, void *arg)
{
    (void)a;
    ++*(unsigned *)arg;
    return true;
}

static int by_value(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;

    return (x > y) - (x < y);
}

static double page_us(const struct place *p, struct audit_query q)
{
    static double all[ROUNDS];
    char next[CURSOR_MAX];

    q.limit = 1; /* the same work in both: a thousand rows hold one that is rare */
    for (unsigned i = 0; i < ROUNDS; i++) {
        struct view *v = NULL;
        unsigned found = 0;

        all[i] = now_us();
        if (view_open(p->store, &v) != OK || audit_list(v, &q, count, &found, next) != OK || found != 1)
            die("the page is not what it should be");
        view_close(v);
        all[i] = now_us() - all[i];
    }
    qsort(all, ROUNDS, sizeof *all, by_value);
    return all[ROUNDS / 2];
}

static void show_page(const struct place *small, const struct place *large, const char *name,
                      struct audit_query q)
{
    double a = page_us(small, q), b = page_us(large, q);

    printf("%-10s %10.2f %10.2f %8.2f\n", name, a, b, b / a);
}

static void show_verify(const struct place *p)
{
    double begin = now_us(), whole, hashing;
    uint8_t octets[200] = {0}, digest[HASH_LEN];
    struct fault f = {0};
    struct view *v = NULL;

    if (view_open(p->store, &v) != OK || audit_verify(v, &f) != OK)
        die("it does not verify: %s", f.detail);
    view_close(v);
    whole = now_us() - begin;
    begin = now_us();
    for (unsigned i = 0; i < p->rows; i++)
        sha256_of(span_of(octets, sizeof octets), digest);
    hashing = now_us() - begin;
    printf("\nverify %u rows: %.2f s, %.2f of hashing 200 octets as often\n", p->rows, whole / 1e6,
           whole / hashing);
}

int main(int argc, char **argv)
{
    unsigned rows = argc > 1 ? (unsigned)strtoul(argv[1], NULL, 10) : ROWS_DEFAULT;
    struct place small = place_make(992 + NEWEST), large = place_make(rows + NEWEST);
    struct audit_query any = {.since_s = NO_TIME, .until_s = NO_TIME}, kind = any, actor = any, serial = any,
                       when = any;
    uint8_t number[SERIAL_LEN] = {0};

    memcpy(number, &(uint64_t){UINT64_C(500) * UINT64_C(0x9e3779b97f4a7c15)}, 8);
    kind.kind = AUDIT_REVOKE;
    actor.actor = "login:rare";
    serial.serial = number;
    when.since_s = NOW + 500;
    when.until_s = NOW + 501;
    printf("%u and %u rows\n%-10s %10s %10s %8s\n", small.rows, large.rows, "page by", "fewer, us",
           "more, us", "ratio");
    show_page(&small, &large, "nothing", any);
    show_page(&small, &large, "kind", kind);
    show_page(&small, &large, "actor", actor);
    show_page(&small, &large, "serial", serial);
    show_page(&small, &large, "time", when);
    show_verify(&large);
    place_remove(&small);
    place_remove(&large);
    return 0;
}
