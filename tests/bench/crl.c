/* SPDX-License-Identifier: Apache-2.0 */
/*
 * crl: what a CRL costs by its number of entries, beside what nothing can avoid and beside `openssl ca
 * -gencrl`. The programs take turns, round by round, so that whatever else the machine does falls on all
 * alike; medians are printed, and ratios.
 *
 *   publish     crl_publish() with a P-256 signer in its own process: scan, DER, signer's check and hash,
 *               signature, PEM, SHA-256 of the file, both files fsynced and renamed. Not in it: reserving the
 *               number and recording, a durable transaction each
 *   bare        read the rows, write their DER, hash it with SHA-256: no file, no signature, no PEM
 *   bare+file   the same, and the DER written to one file and fsynced
 *   openssl     `openssl ca -gencrl` over an index.txt of the same entries
 *
 * Memory is that of a process that does nothing else: `anonymous` is what it allocated at most, `peak` adds
 * the pages of the store's map and of the program that it touched, which are the page cache's.
 *
 * usage: bench_crl [--json] [--rounds N] [--openssl-max ENTRIES] [ENTRIES...]
 *        (10000 and 1000000 entries, 7 rounds, openssl up to 100000)
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "crl/inner.h"
#include "revoked.h"
#include "tests/bench/median.h"

#define ROUNDS_MAX 99
#define SIZES_MAX 16

struct options {
    bool is_json;
    size_t rounds;
    uint64_t openssl_max;
    uint64_t sizes[SIZES_MAX];
    size_t size_count;
};

/* What a child process tells of itself. */
struct told {
    double took_ms, cpu_ms; /* elapsed, and of this process's processor time */
    uint64_t octets, anonymous_kb;
};
struct run {
    struct told told;
    uint64_t peak_kb;
};

typedef void job_fn(const struct ground *g, struct told *out);

static double now_ms(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec * 1e3 + (double)t.tv_nsec / 1e6;
}

static double cpu_ms(void)
{
    struct timespec t;

    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (double)t.tv_sec * 1e3 + (double)t.tv_nsec / 1e6;
}

/* ---- one job in a process of its own ---- */

static struct run run_job(job_fn *job, const struct ground *g)
{
    struct run r = {0};
    struct rusage use;
    int pipe_fds[2], status;
    pid_t pid;

    if (pipe(pipe_fds) != 0)
        die("no pipe");
    pid = fork();
    if (pid == 0) {
        job(g, &r.told);
        _exit(write(pipe_fds[1], &r.told, sizeof r.told) == (ssize_t)sizeof r.told ? 0 : 1);
    }
    close(pipe_fds[1]);
    if (read(pipe_fds[0], &r.told, sizeof r.told) != (ssize_t)sizeof r.told ||
        wait4(pid, &status, 0, &use) != pid || status != 0)
        die("a job failed");
    close(pipe_fds[0]);
    r.peak_kb = (uint64_t)use.ru_maxrss;
    return r;
}

static struct store *store_of(const struct ground *g, enum store_mode mode)
{
    struct store *s;
    struct fault f = {0};

    if (store_open(g->store_dir, mode, 0, &s, &f) != OK)
        die("%s", f.detail);
    return s;
}

/* ---- publish ---- */

static uint64_t anonymous_kb(void)
{
    char line[256];
    unsigned long kb = 0;
    FILE *in = fopen("/proc/self/status", "r");

    while (in != NULL && fgets(line, sizeof line, in) != NULL)
        if (sscanf(line, "RssAnon: %lu kB", &kb) == 1)
            break;
    if (in != NULL)
        fclose(in);
    return kb;
}

static bool tick_memory(void *arg)
{
    struct told *t = arg;
    uint64_t kb = anonymous_kb();

    if (kb > t->anonymous_kb)
        t->anonymous_kb = kb;
    return true;
}

static enum err reserve(void *arg, const char *id, uint64_t *number)
{
    (void)arg;
    (void)id;
    *number = 1;
    return OK;
}

static enum err record(void *arg, const char *id, const struct crl_part *p, const char *cause)
{
    (void)arg;
    (void)id;
    (void)p;
    (void)cause;
    return OK;
}

static void publish(const struct ground *g, struct told *out, bool is_watched)
{
    static const struct crl_issuer issuer = {
        .id = ISSUER_ID, .every_s = 86400, .overlap_s = 86400, .at_s = -1};
    struct crl_job job = {.issuer = &issuer,
                          .public_dir = g->public_dir,
                          .clock = clock_now_s,
                          .run = RUN_COMPLETE,
                          .public_url = "http://ca.example.com",
                          .cause = "request",
                          .reserve = reserve,
                          .record = record,
                          .tick = is_watched ? tick_memory : NULL,
                          .arg = out};
    struct crl_state state;
    struct fault f = {0};
    struct crl_port port = {0};
    pid_t signer = signer_begin(g, &port.fd);
    double began, began_cpu;

    job.port = &port;
    job.store = store_of(g, STORE_READ);
    began = now_ms();
    began_cpu = cpu_ms();
    if (crl_publish(&job, &state, &f) != OK || state.count != g->revoked)
        die("publish: %s", f.detail);
    out->took_ms = now_ms() - began;
    out->cpu_ms = cpu_ms() - began_cpu;
    out->octets = state.size;
    store_close(job.store);
    signer_end(signer, port.fd);
}

static void job_publish(const struct ground *g, struct told *out)
{
    publish(g, out, false);
}

static void job_publish_watched(const struct ground *g, struct told *out)
{
    publish(g, out, true);
}

/* ---- the bare loop ---- */

struct bare {
    struct hash *hash;
    int fd; /* -1: no file */
    size_t len;
    uint64_t octets;
    uint8_t piece[256 * 1024];
};

static void bare_flush(struct bare *b)
{
    hash_add(b->hash, span_of(b->piece, b->len));
    if (b->fd >= 0 && write(b->fd, b->piece, b->len) != (ssize_t)b->len)
        die("write");
    b->octets += b->len;
    b->len = 0;
}

static bool bare_row(const struct revoked *r, void *arg)
{
    struct bare *b = arg;

    b->len += entry_write(r, b->piece + b->len);
    if (b->len > sizeof b->piece - ENTRY_MAX)
        bare_flush(b);
    return true;
}

static void bare(const struct ground *g, struct told *out, int fd)
{
    static struct bare b;
    uint8_t sha256[HASH_LEN];
    struct store *s = store_of(g, STORE_READ);
    struct view *v;
    double began = now_ms(), began_cpu = cpu_ms();

    b = (struct bare){.hash = hash_begin(HASH_SHA256), .fd = fd};
    if (view_open(s, &v) != OK || revoked_each(v, g->no, bare_row, &b) != OK)
        die("the store cannot be read");
    bare_flush(&b);
    hash_end(b.hash, sha256);
    view_close(v);
    if (fd >= 0 && fsync(fd) != 0)
        die("fsync");
    out->took_ms = now_ms() - began;
    out->cpu_ms = cpu_ms() - began_cpu;
    out->octets = b.octets;
    store_close(s);
}

static void job_bare(const struct ground *g, struct told *out)
{
    bare(g, out, -1);
}

static void job_bare_file(const struct ground *g, struct told *out)
{
    char path[128];
    int fd;

    snprintf(path, sizeof path, "%s/bare.der", g->dir);
    fd = open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    bare(g, out, fd);
    close(fd);
    unlink(path);
}

/* ---- openssl ca ---- */

static void index_write(const struct ground *g)
{
    static const char *const names[] = {[REASON_SUPERSEDED] = ",superseded",
                                        [REASON_CESSATION_OF_OPERATION] = ",cessationOfOperation",
                                        [REASON_AFFILIATION_CHANGED] = ",affiliationChanged"};
    char path[128], hex[SERIAL_HEX_LEN + 1], when[CLOCK_TEXT_MAX], until[CLOCK_TEXT_MAX];
    FILE *out;

    snprintf(path, sizeof path, "%s/index.txt", g->dir);
    out = fopen(path, "w");
    for (uint64_t n = 0; n < g->revoked; n++) {
        struct revoked r = ground_revoked(g, n);
        const char *reason = r.reason == REASON_UNSPECIFIED ? "" : names[r.reason];

        hex_encode(span_of(r.serial, SERIAL_LEN), hex);
        for (char *c = hex; *c != '\0'; c++)
            *c = (char)(*c >= 'a' ? *c - 'a' + 'A' : *c);
        clock_utctime(r.revoked_at_s, when);
        clock_generalized(r.not_after_s, until);
        fprintf(out, "R\t%s\t%s%s\t%s\tunknown\t/CN=h%09llu.example.com\n", until, when, reason, hex,
                (unsigned long long)n);
    }
    fclose(out);
}

static void openssl_prepare(const struct ground *g)
{
    char path[128];
    FILE *out;

    index_write(g);
    snprintf(path, sizeof path, "%s/ca.cnf", g->dir);
    out = fopen(path, "w");
    fprintf(out,
            "[ca]\ndefault_ca=d\n[d]\ndatabase=%s/index.txt\ncrlnumber=%s/crlnumber\ncertificate=%s\n"
            "private_key=%s\ndefault_md=sha256\ndefault_crl_days=2\ncrl_extensions=x\nunique_subject=no\n"
            "[x]\nauthorityKeyIdentifier=keyid:always\n",
            g->dir, g->dir, g->certificate_path, g->key_path);
    fclose(out);
    snprintf(path, sizeof path, "%s/crlnumber", g->dir);
    out = fopen(path, "w");
    fprintf(out, "01\n");
    fclose(out);
}

/* The child becomes openssl, which tells nothing: its parent measures. */
static struct run run_openssl(const struct ground *g)
{
    char config[128], list[128];
    struct run r = {0};
    struct rusage use;
    double began = now_ms();
    struct stat st;
    int status;
    pid_t pid;

    snprintf(config, sizeof config, "%s/ca.cnf", g->dir);
    snprintf(list, sizeof list, "%s/openssl.crl", g->dir);
    pid = fork();
    if (pid == 0) {
        int null = open("/dev/null", O_WRONLY);

        dup2(null, 2);
        execlp("openssl", "openssl", "ca", "-gencrl", "-config", config, "-out", list, (char *)NULL);
        _exit(127);
    }
    if (wait4(pid, &status, 0, &use) != pid || status != 0 || stat(list, &st) != 0)
        die("openssl ca -gencrl failed");
    r.told.took_ms = now_ms() - began;
    r.told.octets = (uint64_t)st.st_size;
    r.peak_kb = (uint64_t)use.ru_maxrss;
    return r;
}

/* ---- one size ---- */

struct result {
    uint64_t entries;
    double publish_ms, publish_cpu_ms, bare_ms, bare_cpu_ms, bare_file_ms, openssl_ms;
    uint64_t octets, anonymous_kb, peak_kb, openssl_kb;
};

static struct result measure(const struct ground *g, const struct options *o)
{
    static double publish_ms[ROUNDS_MAX], bare_ms[ROUNDS_MAX], file_ms[ROUNDS_MAX], openssl_ms[ROUNDS_MAX];
    static double publish_cpu[ROUNDS_MAX], bare_cpu[ROUNDS_MAX];
    bool has_openssl = g->revoked <= o->openssl_max;
    struct result r = {.entries = g->revoked};
    struct run run = run_job(job_publish_watched, g); /* also brings the store into the page cache */

    r.octets = run.told.octets;
    r.anonymous_kb = run.told.anonymous_kb;
    r.peak_kb = run.peak_kb;
    if (has_openssl)
        openssl_prepare(g);
    for (size_t i = 0; i < o->rounds; i++) {
        run = run_job(job_publish, g);
        publish_ms[i] = run.told.took_ms;
        publish_cpu[i] = run.told.cpu_ms;
        run = run_job(job_bare, g);
        bare_ms[i] = run.told.took_ms;
        bare_cpu[i] = run.told.cpu_ms;
        file_ms[i] = run_job(job_bare_file, g).told.took_ms;
        if (has_openssl) {
            run = run_openssl(g);
            openssl_ms[i] = run.told.took_ms;
            r.openssl_kb = run.peak_kb;
        }
    }
    r.publish_ms = median(publish_ms, o->rounds);
    r.publish_cpu_ms = median(publish_cpu, o->rounds);
    r.bare_ms = median(bare_ms, o->rounds);
    r.bare_cpu_ms = median(bare_cpu, o->rounds);
    r.bare_file_ms = median(file_ms, o->rounds);
    r.openssl_ms = has_openssl ? median(openssl_ms, o->rounds) : 0;
    return r;
}

static void result_json(const struct result *r, bool is_first)
{
    printf("%s{\"entries\":%llu,\"octets\":%llu,\"publish_ms\":%.1f,\"publish_cpu_ms\":%.1f,\"bare_ms\":%.1f,"
           "\"bare_cpu_ms\":%.1f,\"bare_file_ms\":%.1f,\"openssl_ms\":%.1f,\"anonymous_kb\":%llu,\"peak_kb\":"
           "%llu,"
           "\"openssl_kb\":%llu}",
           is_first ? "" : ",", (unsigned long long)r->entries, (unsigned long long)r->octets, r->publish_ms,
           r->publish_cpu_ms, r->bare_ms, r->bare_cpu_ms, r->bare_file_ms, r->openssl_ms,
           (unsigned long long)r->anonymous_kb, (unsigned long long)r->peak_kb,
           (unsigned long long)r->openssl_kb);
}

static void result_text(const struct result *r)
{
    printf("%llu entries, %llu octets | publish %.0f ms, CPU %.0f ms | bare %.0f ms, CPU %.0f ms: %.2f | "
           "bare+file %.0f ms: %.2f | "
           "anonymous %llu kB, peak %llu MB",
           (unsigned long long)r->entries, (unsigned long long)r->octets, r->publish_ms, r->publish_cpu_ms,
           r->bare_ms, r->bare_cpu_ms, r->publish_ms / r->bare_ms, r->bare_file_ms,
           r->publish_ms / r->bare_file_ms, (unsigned long long)r->anonymous_kb,
           (unsigned long long)r->peak_kb / 1024);
    if (r->openssl_ms > 0)
        printf(" | openssl %.0f ms, %llu MB", r->openssl_ms, (unsigned long long)r->openssl_kb / 1024);
    printf("\n");
    fflush(stdout);
}

/* ---- the program ---- */

static int usage(void)
{
    fprintf(stderr, "usage: bench_crl [--json] [--rounds N] [--openssl-max ENTRIES] [ENTRIES...]\n");
    return 1;
}

static bool options_parse(int argc, char **argv, struct options *o)
{
    *o = (struct options){.rounds = 7, .openssl_max = 100000};
    for (int i = 1; i < argc; i++) {
        bool has_more = i + 1 < argc;

        if (strcmp(argv[i], "--json") == 0)
            o->is_json = true;
        else if (strcmp(argv[i], "--rounds") == 0 && has_more)
            o->rounds = strtoull(argv[++i], NULL, 10);
        else if (strcmp(argv[i], "--openssl-max") == 0 && has_more)
            o->openssl_max = strtoull(argv[++i], NULL, 10);
        else if (argv[i][0] != '-' && o->size_count < SIZES_MAX)
            o->sizes[o->size_count++] = strtoull(argv[i], NULL, 10);
        else
            return false;
    }
    if (o->size_count == 0) {
        o->sizes[o->size_count++] = 10000;
        o->sizes[o->size_count++] = 1000000;
    }
    return o->rounds >= 1 && o->rounds <= ROUNDS_MAX;
}

int main(int argc, char **argv)
{
    struct options o;

    if (!options_parse(argc, argv, &o))
        return usage();
    if (o.is_json)
        printf("{\"sizes\":[");
    for (size_t i = 0; i < o.size_count; i++) {
        struct ground g;
        struct result r;

        ground_open(&g, "ec-256");
        ground_fill(&g, o.sizes[i]);
        r = measure(&g, &o);
        if (o.is_json)
            result_json(&r, i == 0);
        else
            result_text(&r);
        ground_close(&g);
    }
    if (o.is_json)
        printf("]}\n");
    return 0;
}
