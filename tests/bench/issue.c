/* SPDX-License-Identifier: Apache-2.0 */
/*
 * issue: how many certificates a second the whole service issues over HTTPS, durably, beside the limit: one
 * check of the request's signature and one signature of the CA, on all cores. The limit is measured in turn
 * with the service, round by round; the medians are printed, and the ratios. One client waits for each
 * answer, so its limit is that of one core.
 *
 * Clients keep their connection, send requests made beforehand, and check that each answer is a certificate
 * of its own (201). They share the cores with the service.
 *
 * usage: bench_issue CHANCERY [--json] [--cpu] [--seconds N] [--rounds N] [--clients 1,16,64] [--kinds
 * ec-256,ec-384,rsa-2048,rsa-3072]
 */
#include <getopt.h>
#include <openssl/ssl.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/json.h"
#include "base/limits.h"
#include "base/log.h"
#include "tests/bench/median.h"
#include "tests/bench/request.h"
#include "tests/bench/service.h"

#define REQUESTS 4096   /* different ones of each kind: a key of its own each, but for RSA */
#define CLIENTS_MAX 256 /* connections at once */
#define CORES_MAX 64
#define ROUNDS_MAX 15
#define SAMPLES_MAX 65536 /* latencies kept of one run */

struct kind {
    const char *name, *profile, *suffix;
    int type; /* EVP_PKEY_EC or EVP_PKEY_RSA */
    const char *group;
    size_t bits;
    unsigned keys;        /* made; RSA keys take long to make */
    const char *ca_group; /* of the CA key that signs: NULL RSA 3072 */
};

static const struct kind kinds[] = {
    {"ec-256", "ucm/tomcat-ECDSA", "-EC", EVP_PKEY_EC, "P-256", 0, REQUESTS, "P-384"},
    {"ec-384", "ucm/tomcat-ECDSA", "-EC", EVP_PKEY_EC, "P-384", 0, REQUESTS, "P-384"},
    {"rsa-2048", "ucm/tomcat", "", EVP_PKEY_RSA, NULL, 2048, 128, NULL},
    {"rsa-3072", "ucm/tomcat", "", EVP_PKEY_RSA, NULL, 3072, 64, NULL},
};
#define KINDS (sizeof kinds / sizeof *kinds)

struct load {
    const struct kind *kind;
    EVP_PKEY *keys[REQUESTS];
    struct buf requests[REQUESTS], wire[REQUESTS]; /* PKCS#10; the HTTP request around it */
    const EVP_MD *digest;
    EVP_PKEY *ca;          /* of the kind that signs */
    _Atomic unsigned next; /* request: a run goes on where the last one ended */
};

struct options {
    const char *program;
    bool as_json, shows_cpu;
    double seconds;
    unsigned rounds;
    unsigned clients[8];
    size_t client_count;
    const char *kinds;
};

static double now_s(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static double own_cpu_s(void)
{
    struct timespec t;

    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

/* ---- requests ---- */

static EVP_PKEY *make_key(const struct kind *k)
{
    return k->type == EVP_PKEY_EC ? EVP_PKEY_Q_keygen(NULL, NULL, "EC", k->group)
                                  : EVP_PKEY_Q_keygen(NULL, NULL, "RSA", k->bits);
}

static void request_prepare(struct load *l, unsigned i)
{
    char cn[64];

    snprintf(cn, sizeof cn, "node%u%s.example.com", i, l->kind->suffix);
    request_make(l->keys[i], l->digest, cn, &l->requests[i]);
    buf_init(&l->wire[i], CSR_MAX + 1024);
    buf_printf(&l->wire[i],
               "POST /api/v1/certificates?profile=%s HTTP/1.1\r\nHost: localhost\r\n"
               "Content-Type: application/pkcs10\r\nContent-Length: %zu\r\n\r\n",
               l->kind->profile, l->requests[i].len);
    buf_put_span(&l->wire[i], buf_span(&l->requests[i]));
}

/* One of the threads that make ready: every `step`-th from `first` on. */
struct share {
    struct load *load;
    unsigned first, step;
    bool makes_keys;
};

static void *make_share(void *arg)
{
    const struct share *s = arg;
    struct load *l = s->load;

    for (unsigned i = s->first; i < REQUESTS; i += s->step) {
        if (!s->makes_keys)
            request_prepare(l, i);
        else if (i < l->kind->keys)
            l->keys[i] = make_key(l->kind);
    }
    return NULL;
}

static void make_all(struct load *l, unsigned cores, bool makes_keys)
{
    struct share shares[CORES_MAX];
    pthread_t threads[CORES_MAX];

    for (unsigned i = 0; i < cores; i++) {
        shares[i] = (struct share){l, i, cores, makes_keys};
        if (pthread_create(&threads[i], NULL, make_share, &shares[i]) != 0)
            die("no thread");
    }
    for (unsigned i = 0; i < cores; i++)
        pthread_join(threads[i], NULL);
}

static struct load *load_new(const struct kind *k, unsigned cores)
{
    struct load *l = xcalloc(1, sizeof *l);

    l->kind = k;
    l->ca = k->ca_group != NULL ? EVP_PKEY_Q_keygen(NULL, NULL, "EC", k->ca_group)
                                : EVP_PKEY_Q_keygen(NULL, NULL, "RSA", (size_t)3072);
    l->digest = k->group != NULL && strcmp(k->group, "P-384") == 0 ? EVP_sha384() : EVP_sha256();
    make_all(l, cores, true);
    for (unsigned i = k->keys; i < REQUESTS; i++)
        l->keys[i] = l->keys[i % k->keys];
    make_all(l, cores, false);
    return l;
}

static void load_free(struct load *l)
{
    EVP_PKEY_free(l->ca);
    for (unsigned i = 0; i < REQUESTS; i++) {
        if (i < l->kind->keys)
            EVP_PKEY_free(l->keys[i]);
        buf_free(&l->requests[i]);
        buf_free(&l->wire[i]);
    }
    free(l);
}

/* ---- the limit ---- */

/* Checks one request's signature and makes one of the CA's kind, over and over. */
static uint64_t limit_loop(const struct load *l, double seconds)
{
    const EVP_MD *ca_digest = l->kind->ca_group != NULL ? EVP_sha384() : EVP_sha256();
    struct span info, signature;
    uint8_t out[SIGNATURE_MAX];
    double start_s = now_s();
    uint64_t done = 0;

    for (; now_s() - start_s < seconds; done++) {
        EVP_MD_CTX *check = EVP_MD_CTX_new(), *sign = EVP_MD_CTX_new();
        unsigned i = (unsigned)(done % REQUESTS);
        size_t len = sizeof out;

        request_split(buf_span(&l->requests[i]), &info, &signature);
        if (EVP_DigestVerifyInit(check, NULL, l->digest, NULL, l->keys[i]) != 1 ||
            EVP_DigestVerify(check, signature.data, signature.len, info.data, info.len) != 1 ||
            EVP_DigestSignInit(sign, NULL, ca_digest, NULL, l->ca) != 1 ||
            EVP_DigestSign(sign, out, &len, info.data, info.len) != 1)
            die("the limit cannot be measured");
        EVP_MD_CTX_free(check);
        EVP_MD_CTX_free(sign);
    }
    return done;
}

struct limit {
    double rate;   /* certificates a second that the processes could sign at the very most */
    double cpu_us; /* of one certificate: the same on a busy machine */
};

static struct limit limit_measure(const struct load *l, unsigned cores, double seconds)
{
    struct limit total = {0};
    int pipes[2];

    if (pipe(pipes) != 0)
        die("pipe");
    for (unsigned i = 0; i < cores; i++) {
        if (fork() == 0) {
            double before_s = own_cpu_s();
            uint64_t done = limit_loop(l, seconds);
            struct limit own = {(double)done / seconds, (own_cpu_s() - before_s) * 1e6 / (double)done};

            _exit(write(pipes[1], &own, sizeof own) == sizeof own ? 0 : 1);
        }
    }
    for (unsigned i = 0; i < cores; i++) {
        struct limit own;

        if (read(pipes[0], &own, sizeof own) != sizeof own)
            die("a process of the limit ended");
        total.rate += own.rate;
        total.cpu_us += own.cpu_us / cores;
        wait(NULL);
    }
    close(pipes[0]);
    close(pipes[1]);
    return total;
}

/* ---- clients ---- */

struct run {
    struct load *load;
    const struct service *service;
    SSL_CTX *tls;
    pthread_barrier_t connected; /* handshakes are not what is measured */
    _Atomic bool is_over;
    _Atomic uint64_t issued, failed;
    double *latencies; /* SAMPLES_MAX, seconds */
    _Atomic size_t sampled;
};

static SSL_CTX *tls_new(const struct service *s)
{
    SSL_CTX *c = SSL_CTX_new(TLS_client_method());
    char path[192];

    snprintf(path, sizeof path, "%s/admin/admin.pem", s->home);
    if (SSL_CTX_use_certificate_chain_file(c, path) != 1)
        die("%s", path);
    snprintf(path, sizeof path, "%s/admin/admin.key", s->home);
    if (SSL_CTX_use_PrivateKey_file(c, path, SSL_FILETYPE_PEM) != 1)
        die("%s", path);
    snprintf(path, sizeof path, "%s/admin/server-ca.pem", s->home);
    if (SSL_CTX_load_verify_locations(c, path, NULL) != 1)
        die("%s", path);
    SSL_CTX_set_verify(c, SSL_VERIFY_PEER, NULL);
    return c;
}

/* One answer of known length; false when it is not 201. */
static bool take_answer(SSL *ssl)
{
    char text[32768];
    size_t len = 0, want = 0;

    while (want == 0 || len < want) {
        char *end, *length;
        int n = SSL_read(ssl, text + len, (int)(sizeof text - 1 - len));

        if (n <= 0)
            return false;
        len += (size_t)n;
        text[len] = '\0';
        if (want != 0 || (end = strstr(text, "\r\n\r\n")) == NULL)
            continue;
        length = strcasestr(text, "\r\nContent-Length:");
        if (length == NULL)
            return false;
        want = (size_t)(end + 4 - text) + strtoul(length + 17, NULL, 10);
        if (want >= sizeof text)
            return false;
    }
    return strncmp(text, "HTTP/1.1 201", 12) == 0;
}

static void *client(void *arg)
{
    struct run *r = arg;
    SSL *ssl = SSL_new(r->tls);
    int fd = service_connect(r->service->https);

    SSL_set_fd(ssl, fd);
    SSL_set_tlsext_host_name(ssl, "localhost");
    if (SSL_connect(ssl) != 1)
        die("no TLS connection");
    pthread_barrier_wait(&r->connected);
    while (!r->is_over) {
        const struct buf *wire = &r->load->wire[r->load->next++ % REQUESTS];
        double start_s = now_s();
        size_t slot;

        if (SSL_write(ssl, wire->data, (int)wire->len) <= 0 || !take_answer(ssl)) {
            r->failed++;
            break;
        }
        r->issued++;
        slot = r->sampled++;
        if (slot < SAMPLES_MAX)
            r->latencies[slot] = now_s() - start_s;
    }
    SSL_shutdown(ssl);
    SSL_free(ssl);
    close(fd);
    return NULL;
}

struct outcome {
    double rate, p50_ms, p99_ms;
    double cpu_us; /* of one certificate: service and clients */
};

struct used {
    struct service_cpu roles[SERVICE_ROLES_MAX];
    size_t count;
    double own_s;
};

static struct used used_now(const struct service *s)
{
    struct used u = {.own_s = own_cpu_s()};

    u.count = service_cpu(s, u.roles);
    return u;
}

/* Processor time for one certificate since then, by role and for the clients: what the limit leaves out. */
static double used_since(const struct service *s, const struct used *before, uint64_t issued, bool is_shown)
{
    struct used now = used_now(s);
    double total_us = (now.own_s - before->own_s) * 1e6 / (double)issued;

    if (is_shown)
        printf("          us of CPU a certificate: clients %.0f", total_us);
    for (size_t i = 0; i < now.count; i++) {
        double us = now.roles[i].seconds;

        for (size_t j = 0; j < before->count; j++)
            us -= strcmp(before->roles[j].role, now.roles[i].role) == 0 ? before->roles[j].seconds : 0;
        us *= 1e6 / (double)issued;
        total_us += us;
        if (is_shown && us >= 1)
            printf(" %s %.0f", now.roles[i].role, us);
    }
    if (is_shown)
        printf("\n");
    return total_us;
}

static struct outcome run_clients(const struct service *s, struct load *l, unsigned clients,
                                  const struct options *opt)
{
    struct run r = {.load = l, .service = s, .tls = tls_new(s)};
    pthread_t threads[CLIENTS_MAX];
    struct timespec pause = {.tv_sec = (time_t)opt->seconds,
                             .tv_nsec = (long)((opt->seconds - (double)(time_t)opt->seconds) * 1e9)};
    struct outcome o;
    struct used before;
    double start_s;
    size_t n;

    pthread_barrier_init(&r.connected, NULL, clients + 1);
    r.latencies = calloc(SAMPLES_MAX, sizeof *r.latencies);
    for (unsigned i = 0; i < clients; i++)
        pthread_create(&threads[i], NULL, client, &r);
    pthread_barrier_wait(&r.connected);
    before = used_now(s);
    start_s = now_s();
    nanosleep(&pause, NULL);
    r.is_over = true;
    for (unsigned i = 0; i < clients; i++)
        pthread_join(threads[i], NULL);
    if (r.failed > 0 || r.issued == 0)
        die("%llu requests were not answered with a certificate", (unsigned long long)r.failed);
    o.rate = (double)r.issued / (now_s() - start_s);
    o.cpu_us = used_since(s, &before, r.issued, opt->shows_cpu);
    n = r.sampled < SAMPLES_MAX ? r.sampled : SAMPLES_MAX;
    o.p50_ms = percentile(r.latencies, n, 50) * 1e3;
    o.p99_ms = percentile(r.latencies, n, 99) * 1e3;
    free(r.latencies);
    SSL_CTX_free(r.tls);
    return o;
}

/* ---- rounds ---- */

struct row {
    double rates[ROUNDS_MAX], p50s[ROUNDS_MAX], p99s[ROUNDS_MAX], cpus[ROUNDS_MAX];
};

static void print_row(const struct options *o, const struct kind *k, unsigned clients, struct row *row,
                      const struct limit *limit)
{
    double rate = median(row->rates, o->rounds), cpu_us = median(row->cpus, o->rounds);
    const char *format =
        o->as_json
            ? "{\"bench\":\"issue\",\"kind\":\"%s\",\"clients\":%u,\"per_second\":%.0f,\"limit\":%.0f,"
              "\"ratio\":%.2f,\"cpu_us\":%.0f,\"limit_cpu_us\":%.0f,\"cpu_ratio\":%.2f,\"p50_ms\":%.2f,"
              "\"p99_ms\":%.2f}\n"
            : "%-9s %3u clients  %6.0f/s  limit %6.0f/s  ratio %4.2f   CPU %5.0f us  limit %5.0f us  ratio "
              "%4.2f   p50 %6.2f ms  p99 %6.2f ms\n";

    printf(format, k->name, clients, rate, limit->rate, rate / limit->rate, cpu_us, limit->cpu_us,
           limit->cpu_us / cpu_us, median(row->p50s, o->rounds), median(row->p99s, o->rounds));
    fflush(stdout);
}

static struct limit limit_median(const struct limit *limits, unsigned n)
{
    double rates[ROUNDS_MAX], cpus[ROUNDS_MAX];

    for (unsigned i = 0; i < n; i++) {
        rates[i] = limits[i].rate;
        cpus[i] = limits[i].cpu_us;
    }
    return (struct limit){median(rates, n), median(cpus, n)};
}

static void measure(const struct options *o, const struct service *s, const struct kind *k, unsigned cores)
{
    struct limit all[ROUNDS_MAX], one[ROUNDS_MAX], of_all, of_one;
    struct row rows[8] = {0};
    struct load *l = load_new(k, cores);

    for (unsigned round = 0; round < o->rounds; round++) {
        all[round] = limit_measure(l, cores, o->seconds / 2);
        one[round] = limit_measure(l, 1, o->seconds / 2);
        for (size_t i = 0; i < o->client_count; i++) {
            struct outcome out = run_clients(s, l, o->clients[i], o);

            rows[i].rates[round] = out.rate;
            rows[i].p50s[round] = out.p50_ms;
            rows[i].p99s[round] = out.p99_ms;
            rows[i].cpus[round] = out.cpu_us;
        }
    }
    of_all = limit_median(all, o->rounds);
    of_one = limit_median(one, o->rounds);
    for (size_t i = 0; i < o->client_count; i++)
        print_row(o, k, o->clients[i], &rows[i], o->clients[i] == 1 ? &of_one : &of_all);
    load_free(l);
}

/* ---- main ---- */

static void usage(void)
{
    die("usage: bench_issue CHANCERY [--json] [--cpu] [--seconds N] [--rounds N] [--clients 1,16,64] "
        "[--kinds "
        "ec-256,...]");
}

static void read_clients(struct options *o, const char *text)
{
    char *end;

    for (o->client_count = 0; o->client_count < 8; text = end + 1) {
        unsigned long n = strtoul(text, &end, 10);

        if (n < 1 || n > CLIENTS_MAX)
            usage();
        o->clients[o->client_count++] = (unsigned)n;
        if (*end != ',')
            return;
    }
}

static void read_options(int argc, char **argv, struct options *o)
{
    static const struct option options[] = {{"json", no_argument, NULL, 'j'},
                                            {"cpu", no_argument, NULL, 'u'},
                                            {"seconds", required_argument, NULL, 's'},
                                            {"rounds", required_argument, NULL, 'r'},
                                            {"clients", required_argument, NULL, 'c'},
                                            {"kinds", required_argument, NULL, 'k'},
                                            {NULL, 0, NULL, 0}};
    int c;

    while ((c = getopt_long(argc, argv, "", options, NULL)) != -1) {
        if (c == 'j')
            o->as_json = true;
        else if (c == 'u')
            o->shows_cpu = true;
        else if (c == 's')
            o->seconds = atof(optarg);
        else if (c == 'r')
            o->rounds = (unsigned)atoi(optarg);
        else if (c == 'c')
            read_clients(o, optarg);
        else if (c == 'k')
            o->kinds = optarg;
        else
            usage();
    }
    if (optind + 1 != argc || o->seconds <= 0 || o->rounds < 1 || o->rounds > ROUNDS_MAX)
        usage();
    o->program = argv[optind];
}

int main(int argc, char **argv)
{
    struct options o = {.seconds = 3,
                        .rounds = 3,
                        .clients = {1, 16, 64},
                        .client_count = 3,
                        .kinds = "ec-256,ec-384,rsa-2048,rsa-3072"};
    long cores = sysconf(_SC_NPROCESSORS_ONLN);
    struct service s;

    log_role("bench");
    read_options(argc, argv, &o);
    service_start(&s, o.program);
    for (size_t i = 0; i < KINDS; i++)
        if (strstr(o.kinds, kinds[i].name) != NULL)
            measure(&o, &s, &kinds[i], cores < 1 ? 1 : cores > CORES_MAX ? CORES_MAX : (unsigned)cores);
    service_stop(&s);
    service_remove(&s);
    return 0;
}
