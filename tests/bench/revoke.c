/* SPDX-License-Identifier: Apache-2.0 */
/*
 * revoke: what one revocation costs among many, a durable transaction with its audit row, in three stores by
 * turns, one revocation each:
 *
 *   few    a fresh store: ten certificates, and those that are revoked here
 *   none   as many certificates as in the next one, none of them revoked
 *   many   all of them revoked
 *
 * What is revoked lies all over the others, by serial, and is itself the newest by number. Each store has an
 * audit row of everything that was done to it, was published completely (so that no delta has a million
 * changes to tell), and lies in the page cache as after a start. What is printed: elapsed time, the median;
 * processor time, pages and calls that write, faults of the map: means, because every 32nd audit row pays for
 * the index of 32. The last three do not depend on what else the machine does.
 *
 * usage: bench_revoke [--json] [--rounds N] [ENTRIES]   (5 rounds of 100, 1000000 entries)
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>

#include "base/clock.h"
#include "base/log.h"
#include "revoked.h"
#include "tests/bench/median.h"

#define REVOCATIONS 100u /* of a round */
#define ROUNDS_MAX 50u
#define PAGE 4096.0

struct figures {
    double took_us, cpu_us, pages, writes, faults;
};

struct side {
    const char *name;
    struct ground ground;
    struct store *store;
    uint64_t next;                            /* to be revoked */
    double took_us[REVOCATIONS * ROUNDS_MAX]; /* of each */
    size_t count;
    struct figures sum;
};

enum { FEW, NONE, MANY, SIDES };

static double us_of(clockid_t clock)
{
    struct timespec t;

    clock_gettime(clock, &t);
    return (double)t.tv_sec * 1e6 + (double)t.tv_nsec / 1e3;
}

/* What the process wrote, in octets and in calls, and how often the map had to be filled in. */
static struct figures counts_now(void)
{
    unsigned long long octets = 0, calls = 0;
    struct figures f = {0};
    struct rusage use;
    char line[128];
    FILE *in = fopen("/proc/self/io", "r");

    while (in != NULL && fgets(line, sizeof line, in) != NULL)
        if (sscanf(line, "wchar: %llu", &octets) == 0)
            (void)sscanf(line, "syscw: %llu", &calls);
    if (in == NULL || calls == 0)
        die("/proc/self/io cannot be read");
    fclose(in);
    getrusage(RUSAGE_SELF, &use);
    f.pages = (double)octets / PAGE;
    f.writes = (double)calls;
    f.faults = (double)(use.ru_minflt + use.ru_majflt);
    return f;
}

/* ---- one revocation ---- */

static void revoke(struct side *s)
{
    struct audit_row row = {.at_s = clock_now_s(),
                            .kind = AUDIT_REVOKE,
                            .has_serial = true,
                            .actor = span_str("cli:bench"),
                            .detail = span_str("superseded")};
    struct txn *t;

    ground_valid_serial(&s->ground, s->next++, row.serial);
    if (txn_begin(s->store, &t) != OK)
        die("no transaction");
    cert_revoke(t, row.serial, REASON_SUPERSEDED, row.at_s, NO_TIME);
    audit_append(t, &row);
    if (txn_commit(t) != OK)
        die("no commit");
}

static void measure(struct side *s)
{
    struct figures before = counts_now(), after;
    double began = us_of(CLOCK_MONOTONIC), began_cpu = us_of(CLOCK_PROCESS_CPUTIME_ID);

    revoke(s);
    s->sum.cpu_us += us_of(CLOCK_PROCESS_CPUTIME_ID) - began_cpu;
    s->took_us[s->count++] = us_of(CLOCK_MONOTONIC) - began;
    after = counts_now();
    s->sum.pages += after.pages - before.pages;
    s->sum.writes += after.writes - before.writes;
    s->sum.faults += after.faults - before.faults;
}

static struct figures figures_of(struct side *s)
{
    double n = (double)s->count;

    return (struct figures){median(s->took_us, s->count), s->sum.cpu_us / n, s->sum.pages / n,
                            s->sum.writes / n, s->sum.faults / n};
}

/* ---- the stores ---- */

static struct store *store_of(const struct ground *g)
{
    struct store *s;
    struct fault f = {0};

    if (store_open(g->store_dir, STORE_WRITE, 0, &s, &f) != OK)
        die("%s", f.detail);
    return s;
}

static void side_open(struct side *s, const char *name, uint64_t revoked, uint64_t valid, uint64_t rounds)
{
    s->name = name;
    ground_open(&s->ground, "ec-256");
    s->ground.has_audit = true;
    ground_fill(&s->ground, revoked);
    ground_fill_valid(&s->ground, valid);
    s->next = s->ground.last;
    s->store = store_of(&s->ground);
    ground_add_valid(&s->ground, s->store, rounds * REVOCATIONS);
    ground_settle(&s->ground, s->store);
    store_close(s->store);
    ground_read_again(&s->ground);
    s->store = store_of(&s->ground);
}

static void side_close(struct side *s)
{
    store_close(s->store);
    ground_close(&s->ground);
}

/* ---- the program ---- */

static void print_text(const struct side *sides, const struct figures *f, uint64_t entries)
{
    printf("one revocation, durable, among %llu:\n", (unsigned long long)entries);
    for (size_t i = 0; i < SIDES; i++)
        printf("%-5s %6.0f us, CPU %4.0f us, %5.1f pages, %5.1f writes, %4.1f faults | many to %s: %.2f, CPU "
               "%.2f, pages %.2f\n",
               sides[i].name, f[i].took_us, f[i].cpu_us, f[i].pages, f[i].writes, f[i].faults, sides[i].name,
               f[MANY].took_us / f[i].took_us, f[MANY].cpu_us / f[i].cpu_us, f[MANY].pages / f[i].pages);
}

static void print_json(const struct side *sides, const struct figures *f, uint64_t entries)
{
    printf("{\"entries\":%llu", (unsigned long long)entries);
    for (size_t i = 0; i < SIDES; i++)
        printf(",\"%s\":{\"us\":%.0f,\"cpu_us\":%.0f,\"pages\":%.1f,\"writes\":%.1f,\"faults\":%.1f}",
               sides[i].name, f[i].took_us, f[i].cpu_us, f[i].pages, f[i].writes, f[i].faults);
    printf("}\n");
}

static bool options_parse(int argc, char **argv, bool *is_json, uint64_t *rounds, uint64_t *entries)
{
    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--json") == 0)
            *is_json = true;
        else if (strcmp(argv[i], "--rounds") == 0 && i + 1 < argc)
            *rounds = strtoull(argv[++i], NULL, 10);
        else if (argv[i][0] != '-')
            *entries = strtoull(argv[i], NULL, 10);
        else
            return false;
    }
    return *rounds >= 1 && *rounds <= ROUNDS_MAX && *entries >= 10;
}

int main(int argc, char **argv)
{
    static struct side sides[SIDES];
    struct figures figures[SIDES];
    uint64_t rounds = 5, entries = 1000000;
    bool is_json = false;

    if (!options_parse(argc, argv, &is_json, &rounds, &entries)) {
        fprintf(stderr, "usage: bench_revoke [--json] [--rounds N] [ENTRIES]\n");
        return 1;
    }
    side_open(&sides[FEW], "few", 10, 0, rounds);
    side_open(&sides[NONE], "none", 0, entries, rounds);
    side_open(&sides[MANY], "many", entries, 0, rounds);
    for (uint64_t i = 0; i < rounds * REVOCATIONS; i++)
        for (size_t k = 0; k < SIDES; k++)
            measure(&sides[k]);
    for (size_t k = 0; k < SIDES; k++)
        figures[k] = figures_of(&sides[k]);
    if (is_json)
        print_json(sides, figures, entries);
    else
        print_text(sides, figures, entries);
    for (size_t k = 0; k < SIDES; k++)
        side_close(&sides[k]);
    return 0;
}
