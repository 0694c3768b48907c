/* SPDX-License-Identifier: Apache-2.0 */
/*
 * list: what does a page of the certificate list cost among many, beside the same page among few? Both stores
 * were filled by store_fill and are not in service; pages are read at the store's door, where nothing hides
 * the difference, from both by turns. The names asked for are others each time.
 *
 * usage: bench_list [--json] [--rounds N] SMALL-HOME LARGE-HOME
 */
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "base/log.h"
#include "store/store.h"
#include "tests/bench/median.h"

#define DAY INT64_C(86400)
#define ROUNDS_MAX 2000u
#define SITES 500u /* as store_fill has them */

struct home {
    struct store *store;
    uint64_t count;
    int64_t now_s;
    char middle[CURSOR_MAX]; /* of the list without filters */
};

/* The number-th sample of a job; the limit is one that both stores can fill. */
typedef void shape_fn(struct cert_query *q, const struct home *h, unsigned number);
struct job {
    const char *name;
    shape_fn *shape;
};

struct result {
    const char *name;
    double small_us, large_us;
    uint64_t small_rows, large_rows;
};

/* ---- pages ---- */

static char name[128]; /* what a query borrows until the next */

static void first(struct cert_query *q, const struct home *h, unsigned number)
{
    (void)h;
    (void)number;
    q->limit = 100;
}

static void middle(struct cert_query *q, const struct home *h, unsigned number)
{
    first(q, h, number);
    q->after = h->middle;
}

static uint64_t pick(const struct home *h, unsigned number)
{
    return number * UINT64_C(2654435761) %
           (h->count - h->count % 1000); /* there are some that store_fill did not make */
}

static void san(struct cert_query *q, const struct home *h, unsigned number)
{
    uint64_t n = pick(h, number);

    snprintf(name, sizeof name, "node%llu.site%u.example.net", (unsigned long long)n,
             (unsigned)(n * 7919 % SITES));
    q->san = name;
    q->limit = 20;
}

static void cn(struct cert_query *q, const struct home *h, unsigned number)
{
    uint64_t n = pick(h, number) & ~UINT64_C(3); /* an RSA one */

    snprintf(name, sizeof name, "node%llu.site%u.example.com", (unsigned long long)n,
             (unsigned)(n * 7919 % SITES));
    q->cn = name;
    q->limit = 20;
}

static void cn_begins(struct cert_query *q, const struct home *h, unsigned number)
{
    (void)h;
    snprintf(name, sizeof name, "node%u*", 1 + number % 9);
    q->cn = name;
    q->limit = 20;
}

static void cn_ends(struct cert_query *q, const struct home *h, unsigned number)
{
    (void)h;
    snprintf(name, sizeof name, "*.site%u.example.com", number % SITES);
    q->cn = name;
    q->limit = 1;
}

static void profile(struct cert_query *q, const struct home *h, unsigned number)
{
    first(q, h, number);
    q->profile = "ucm/CallManager";
}

static void requester(struct cert_query *q, const struct home *h, unsigned number)
{
    (void)h;
    snprintf(name, sizeof name, "login:team-%u", number % 40);
    q->requester = name;
    q->limit = 20;
}

static void issuer(struct cert_query *q, const struct home *h, unsigned number)
{
    first(q, h, number);
    q->issuer_no = 2;
}

static void ec_keys(struct cert_query *q, const struct home *h, unsigned number)
{
    first(q, h, number);
    q->key_type = KEY_EC;
}

static void valid(struct cert_query *q, const struct home *h, unsigned number)
{
    first(q, h, number);
    q->status = FILTER_VALID;
}

static void revoked(struct cert_query *q, const struct home *h, unsigned number)
{
    (void)h;
    (void)number;
    q->status = FILTER_REVOKED;
    q->limit = 20;
}

static void held(struct cert_query *q, const struct home *h, unsigned number)
{
    (void)h;
    (void)number;
    q->status = FILTER_HELD;
    q->limit = 5;
}

static void expired(struct cert_query *q, const struct home *h, unsigned number)
{
    first(q, h, number);
    q->status = FILTER_EXPIRED;
}

static void expires_within(struct cert_query *q, const struct home *h, unsigned number)
{
    (void)number;
    q->expires_before_s = h->now_s + 30 * DAY;
    q->limit = 20;
}

static const struct job jobs[] = {
    {"first page, 100", first},
    {"a page in the middle, 100", middle},
    {"san, exact", san},
    {"cn, exact", cn},
    {"cn, node1*", cn_begins},
    {"cn, *.site1.example.com", cn_ends},
    {"profile, 100", profile},
    {"requester, 20", requester},
    {"issuer, 100", issuer},
    {"key type ec, 100", ec_keys},
    {"status valid, 100", valid},
    {"status revoked, 20", revoked},
    {"status held, 5", held},
    {"status expired, 100", expired},
    {"expires within 30 days, 20", expires_within},
};
#define JOBS (sizeof jobs / sizeof *jobs)

/* ---- measuring ---- */

static double cpu_us(void)
{
    struct timespec t;

    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return (double)t.tv_sec * 1e6 + (double)t.tv_nsec / 1e3;
}

static bool count_row(const struct cert *c, void *arg)
{
    *(uint64_t *)arg += c->der.len > 0;
    return true;
}

/* A page with the view it is read from, as the api does it. */
static double page(const struct home *h, const struct cert_query *q, uint64_t *rows, char next[CURSOR_MAX])
{
    double start_us = cpu_us();
    struct view *v;

    if (view_open(h->store, &v) != OK || cert_list(v, q, count_row, rows, next) != OK)
        die("no page");
    view_close(v);
    return cpu_us() - start_us;
}

static struct cert_query query(const struct home *h)
{
    return (struct cert_query){.now_s = h->now_s, .expires_before_s = NO_TIME, .limit = LIST_LIMIT_MAX};
}

static double sample(const struct home *h, const struct job *j, unsigned number, uint64_t *rows)
{
    struct cert_query q = query(h);
    char next[CURSOR_MAX];

    uint64_t unmeasured = 0;

    j->shape(&q, h, number);
    page(h, &q, &unmeasured, next); /* so that what it reads is mapped, as it is in a service that runs */
    return page(h, &q, rows, next);
}

static struct result measure(const struct home *few, const struct home *many, const struct job *j,
                             unsigned rounds)
{
    static double of_few[ROUNDS_MAX], of_many[ROUNDS_MAX];
    struct result r = {.name = j->name};

    for (unsigned i = 0; i < rounds; i++) {
        of_few[i] = sample(few, j, i, &r.small_rows);
        of_many[i] = sample(many, j, i, &r.large_rows);
    }
    r.small_us = median(of_few, rounds);
    r.large_us = median(of_many, rounds);
    r.small_rows /= rounds;
    r.large_rows /= rounds;
    return r;
}

/* ---- the stores ---- */

static void home_open(struct home *h, const char *dir)
{
    struct fault f = {0};
    struct store_counts n;
    struct view *v;
    char path[4096];

    snprintf(path, sizeof path, "%s/store", dir);
    if (store_open(path, STORE_READ, 0, &h->store, &f) != OK || view_open(h->store, &v) != OK ||
        store_count(v, &n) != OK)
        die("%s: %s", path, f.detail);
    view_close(v);
    h->now_s = clock_now_s();
    h->count = n.certificates;
}

static void find_middle(struct home *h)
{
    struct cert_query q = query(h);
    char next[CURSOR_MAX];

    q.limit = h->count > 100000 ? LIST_LIMIT_MAX : 100;
    for (uint64_t rows = 0; rows < h->count / 2;) {
        page(h, &q, &rows, next);
        strcpy(h->middle, next);
        q.after = h->middle;
    }
}

static void print(const struct result *r, const struct home *few, const struct home *many, bool as_json)
{
    double ratio = r->large_us / r->small_us;

    if (as_json)
        printf("{\"bench\":\"list\",\"page\":\"%s\",\"small\":%llu,\"large\":%llu,\"small_us\":%.1f,"
               "\"large_us\":%.1f,\"small_rows\":%llu,\"large_rows\":%llu,\"ratio\":%.2f}\n",
               r->name, (unsigned long long)few->count, (unsigned long long)many->count, r->small_us,
               r->large_us, (unsigned long long)r->small_rows, (unsigned long long)r->large_rows, ratio);
    else
        printf("| %-27s | %4llu | %8.1f | %4llu | %8.1f | %5.2f |\n", r->name,
               (unsigned long long)r->small_rows, r->small_us, (unsigned long long)r->large_rows, r->large_us,
               ratio);
}

int main(int argc, char **argv)
{
    static const struct option options[] = {
        {"json", no_argument, NULL, 'j'}, {"rounds", required_argument, NULL, 'r'}, {NULL, 0, NULL, 0}};
    static struct home few, many;
    unsigned rounds = 201;
    bool as_json = false;
    int c;

    while ((c = getopt_long(argc, argv, "", options, NULL)) != -1) {
        as_json = as_json || c == 'j';
        if (c == 'r')
            rounds = (unsigned)atoi(optarg);
    }
    if (optind + 2 != argc || rounds < 1 || rounds > ROUNDS_MAX)
        die("usage: bench_list [--json] [--rounds N] SMALL-HOME LARGE-HOME");
    home_open(&few, argv[optind]);
    home_open(&many, argv[optind + 1]);
    find_middle(&few);
    find_middle(&many);
    if (!as_json)
        printf("us of CPU a page, medians of %u, among %llu and among %llu\n\n"
               "| page                        | rows |   few us | rows |  many us | ratio |\n"
               "|-----------------------------|-----:|---------:|-----:|---------:|------:|\n",
               rounds, (unsigned long long)few.count, (unsigned long long)many.count);
    for (size_t i = 0; i < JOBS; i++) {
        struct result r = measure(&few, &many, &jobs[i], rounds);

        print(&r, &few, &many, as_json);
    }
    store_close(few.store);
    store_close(many.store);
    return 0;
}
