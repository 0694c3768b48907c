/* SPDX-License-Identifier: Apache-2.0 */
/* fixture: see fixture.h. */
#include "tests/contract/fixture.h"

#include <criterion/criterion.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

struct place place_empty(void)
{
    struct place p = {.store = NULL};
    const char *tmp = getenv("TMPDIR");

    snprintf(p.dir, sizeof p.dir, "%s/store.XXXXXX", tmp != NULL && strlen(tmp) < 40 ? tmp : "/tmp");
    cr_assert_not_null(mkdtemp(p.dir));
    return p;
}

struct place place_create_sized(uint64_t map_size)
{
    struct place p = place_empty();
    struct fault f = {0};

    cr_assert_eq(store_open(p.dir, STORE_CREATE, map_size, &p.store, &f), OK, "%s", f.detail);
    return p;
}

struct place place_create(void)
{
    return place_create_sized(0);
}

void place_close(struct place *p)
{
    store_close(p->store);
    p->store = NULL;
}

void place_reopen(struct place *p, enum store_mode mode)
{
    struct fault f = {0};

    place_close(p);
    cr_assert_eq(store_open(p->dir, mode, 0, &p->store, &f), OK, "%s", f.detail);
}

static int unlink_one(const char *path, const struct stat *st, int flag, struct FTW *ftw)
{
    (void)st, (void)flag, (void)ftw;
    return remove(path);
}

void place_remove(struct place *p)
{
    place_close(p);
    cr_assert_eq(nftw(p->dir, unlink_one, 8, FTW_DEPTH | FTW_PHYS), 0);
}

/* A mix that is the same on every run and machine (splitmix64). */
static uint64_t mix(uint64_t x)
{
    x += 0x9e3779b97f4a7c15u;
    x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9u;
    x = (x ^ x >> 27) * 0x94d049bb133111ebu;
    return x ^ x >> 31;
}

uint64_t rnd(uint64_t below)
{
    static uint64_t state;

    return mix(state++) % below;
}

void serial_of(unsigned n, uint8_t out[static SERIAL_LEN])
{
    uint64_t a = mix(n), b = mix(a);

    out[0] = 1;
    out[1] = (uint8_t)(n >> 8);
    out[2] = (uint8_t)n;
    memcpy(out + 3, &a, 8);
    memcpy(out + 11, &b, 8);
}

void sample_make(struct sample *s, unsigned n, size_t der_len)
{
    static const char *const profiles[] = {"ucm/tomcat", "ucm/CallManager", "imp/cup"};
    struct cert *c = &s->cert;
    int sans_len;

    memset(s, 0, sizeof *s);
    serial_of(n, c->serial);
    c->status.issuer_no = (uint16_t)(1 + n % 2);
    c->status.not_after_s = NOW + (int64_t)(n % 400) * DAY - 40 * DAY;
    c->not_before_s = c->status.not_after_s - 365 * DAY;
    c->issued_at_s = NOW - 1000 + n;
    c->key_type = n % 3 == 0 ? KEY_EC : KEY_RSA;
    c->key_bits = n % 3 == 0 ? 384 : 2048;
    sha256_of(span_of(&n, sizeof n), c->key_hash);
    snprintf(c->profile, sizeof c->profile, "%s", profiles[n % 3]);
    snprintf(c->requester, sizeof c->requester, "admin-%u", n % 5);
    snprintf(s->cn, sizeof s->cn, "Node%u.Example.COM", n);
    snprintf(s->subject, sizeof s->subject, "CN=%s", s->cn);
    sans_len =
        snprintf(s->sans, sizeof s->sans, "node%u.example.com%cexample.com%c192.0.2.%u", n, 0, 0, n % 250) +
        1;
    for (size_t i = 0; i < der_len; i++)
        s->der[i] = (uint8_t)(n + i);
    sha256_of(span_of(s->der, der_len), c->fingerprint);
    c->cn = span_str(s->cn);
    c->subject = span_str(s->subject);
    c->sans = span_of(s->sans, (size_t)sans_len);
    c->der = span_of(s->der, der_len);
    c->csr = span_of(s->der, der_len / 2);
}

struct txn *begin(struct place *p)
{
    struct txn *t = NULL;

    cr_assert_eq(txn_begin(p->store, &t), OK);
    return t;
}

struct view *look(struct place *p)
{
    struct view *v = NULL;

    cr_assert_eq(view_open(p->store, &v), OK);
    return v;
}

void add(struct txn *t, unsigned n)
{
    struct sample s;
    uint64_t number;

    sample_make(&s, n, 300);
    cert_add(t, &s.cert, &number);
}

void commit(struct txn *t)
{
    cr_assert_eq(txn_commit(t), OK);
}

void add_range(struct place *p, unsigned from, unsigned to)
{
    struct txn *t = begin(p);

    for (unsigned n = from; n < to; n++)
        add(t, n);
    commit(t);
}

pid_t child(int (*fn)(const char *dir, int in, int out), const char *dir, int *to, int *from)
{
    int down[2], up[2];
    pid_t pid;

    cr_assert_eq(pipe(down), 0);
    cr_assert_eq(pipe(up), 0);
    pid = fork();
    cr_assert_geq(pid, 0);
    if (pid == 0) {
        close(down[1]);
        close(up[0]);
        _exit(fn(dir, down[0], up[1]));
    }
    close(down[0]);
    close(up[1]);
    *to = down[1];
    *from = up[0];
    return pid;
}

int child_end(pid_t pid)
{
    int status = 0;

    cr_assert_eq(waitpid(pid, &status, 0), pid);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

void tell(int fd, uint64_t v)
{
    if (write(fd, &v, sizeof v) != (ssize_t)sizeof v)
        _exit(99);
}

bool hear(int fd, uint64_t *v)
{
    return read(fd, v, sizeof *v) == (ssize_t)sizeof *v;
}
