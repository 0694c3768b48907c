/* SPDX-License-Identifier: Apache-2.0 */
/*
 * pair: DER and PEM of one list while it is made. The draft of the DER is laid out as
 *
 *   room | outer header, tbs header, head, list header | entries | tail | trailer
 *
 * and the entries are written first, so that the headers' lengths are known when they are. Lists long enough
 * to be written before their end get the place they need with four octets of length; one that turns out to
 * need three is moved down, which is at most 16 MB within the page cache.
 */
#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "base/der.h"
#include "base/log.h"
#include "crl/inner.h"

#define WAITING_MAX (1024u * 1024) /* octets of entries that are written at once */
#define HEAD_MAX (64u * 1024)      /* octets before and after the entries: names, times, extensions */
#define DER_HEADER_MAX 6u          /* octets of a header whose body is below 4 GiB */
#define COPY_LEN (256u * 1024)     /* octets moved at once */

static enum err fail(struct crl_pair *p, enum err e, const char *doing)
{
    if (p->err == OK)
        p->err = fault_set(p->fault, e, "%s: %s: %s", p->der.temp, doing, strerror(errno));
    return p->err;
}

enum err pair_open(struct crl_pair *p, const struct crl_paths *paths, uint64_t kept, struct fault *f)
{
    *p = (struct crl_pair){.paths = paths, .fault = f, .kept = kept, .der.fd = -1, .pem.fd = -1};
    buf_init(&p->head, HEAD_MAX);
    buf_init(&p->tail, HEAD_MAX);
    buf_init(&p->waiting, WAITING_MAX + ENTRY_MAX);
    p->err = file_draft_open(&p->der, paths->der, 0644, f);
    if (p->err == OK)
        p->err = file_draft_open(&p->pem, paths->pem, 0644, f);
    return p->err;
}

void pair_free(struct crl_pair *p)
{
    file_draft_abort(&p->der);
    file_draft_abort(&p->pem);
    buf_free(&p->head);
    buf_free(&p->tail);
    buf_free(&p->waiting);
    armour_free(p->armour);
    p->armour = NULL;
}

/* ---- room ---- */

/* Is there room for what is written until it is asked again? A list that finds none is made later; a commit
 * of the ca that finds none ends the service. */
static bool has_room(const struct file_draft *d, uint64_t kept)
{
    struct statvfs st;

    return fstatvfs(d->fd, &st) != 0 || (uint64_t)st.f_bavail * st.f_frsize >= kept + 2 * WAITING_MAX;
}

static void draft_write(struct crl_pair *p, struct file_draft *d, struct span s)
{
    p->unseen += s.len;
    if (p->err == OK && p->unseen >= WAITING_MAX) {
        p->unseen = 0;
        if (!has_room(d, p->kept))
            p->err = fault_set(p->fault, ERR_IO, "%s: no room: %llu KiB of the disk are kept free", d->temp,
                               (unsigned long long)p->kept / 1024);
    }
    if (p->err == OK)
        p->err = file_draft_write(d, s, p->fault);
}

/* ---- entries ---- */

void pair_begin(struct crl_pair *p, const struct crl_content *c)
{
    crl_put_head(&p->head, c);
    crl_put_tail(&p->tail, c);
    assert(buf_end(&p->head) == OK && buf_end(&p->tail) == OK);
    p->entries_at = 3 * DER_HEADER_MAX + p->head.len;
}

static void waiting_write(struct crl_pair *p)
{
    bool is_first = p->entries_len == p->waiting.len;

    if (p->err == OK && is_first && lseek(p->der.fd, (off_t)p->entries_at, SEEK_SET) < 0)
        (void)fail(p, ERR_IO, "seek");
    draft_write(p, &p->der, buf_span(&p->waiting));
    buf_reset(&p->waiting);
}

bool pair_add(struct crl_pair *p, const struct revoked *r)
{
    uint8_t *at = buf_grow(&p->waiting, ENTRY_MAX);
    size_t len = entry_write(r, at);

    p->waiting.len -= ENTRY_MAX - len;
    p->entries_len += len;
    p->count++;
    if (p->waiting.len >= WAITING_MAX)
        waiting_write(p);
    return p->err == OK;
}

/* ---- what stands around them ---- */

/* Moves `len` octets from `from` down to `to` (below it), front first. */
static void move_down(struct crl_pair *p, uint64_t from, uint64_t to, uint64_t len)
{
    uint8_t *copy = xmalloc(COPY_LEN);

    while (p->err == OK && len > 0) {
        size_t want = len < COPY_LEN ? (size_t)len : COPY_LEN;
        ssize_t n = pread(p->der.fd, copy, want, (off_t)from);

        if (n <= 0 || pwrite(p->der.fd, copy, (size_t)n, (off_t)to) != n)
            (void)fail(p, ERR_IO, "move");
        from += (uint64_t)n;
        to += (uint64_t)n;
        len -= (uint64_t)n;
    }
    free(copy);
}

/* revokedCertificates is absent when there is none, RFC 5280 5.1.2.6. */
static uint64_t list_len(const struct crl_pair *p)
{
    return p->count > 0 ? der_header_len(p->entries_len) + p->entries_len : 0;
}

/* Everything from the tbsCertList's header to its first entry. */
static void put_front(const struct crl_pair *p, struct buf *b)
{
    der_put_header(b, DER_SEQUENCE, p->head.len + list_len(p) + p->tail.len);
    buf_put_span(b, buf_span(&p->head));
    if (p->count > 0)
        der_put_header(b, DER_SEQUENCE, p->entries_len);
    assert(buf_end(b) == OK);
}

static void write_at(struct crl_pair *p, struct span s, uint64_t at)
{
    if (p->err == OK && pwrite(p->der.fd, s.data, s.len, (off_t)at) != (ssize_t)s.len)
        (void)fail(p, ERR_IO, "write");
}

static void entries_place(struct crl_pair *p, uint64_t at)
{
    if (p->waiting.len == p->entries_len) /* none is in the draft yet */
        p->entries_at = at;
    waiting_write(p);
    assert(at <= p->entries_at);
    if (at < p->entries_at)
        move_down(p, p->entries_at, at, p->entries_len);
    p->entries_at = at;
}

static uint64_t outer_len(const struct crl_pair *p, size_t trailer_len)
{
    return der_header_len(p->tbs_len + trailer_len);
}

enum err pair_close(struct crl_pair *p, size_t trailer_max)
{
    struct buf front;

    if (p->entries_len > UINT32_MAX - 4 * HEAD_MAX)
        return p->err = fault_set(p->fault, ERR_TOO_LARGE, "%s: longer than 4 GiB", p->paths->der);
    buf_init(&front, 2 * HEAD_MAX);
    put_front(p, &front);
    p->tbs_len = front.len + p->entries_len + p->tail.len;
    p->tbs_at = outer_len(p, trailer_max);
    entries_place(p, p->tbs_at + front.len);
    write_at(p, buf_span(&front), p->tbs_at);
    write_at(p, buf_span(&p->tail), p->entries_at + p->entries_len);
    if (p->err == OK && ftruncate(p->der.fd, (off_t)(p->tbs_at + p->tbs_len)) != 0)
        (void)fail(p, ERR_IO, "truncate");
    buf_free(&front);
    return p->err;
}

/* ---- reading it back ---- */

static bool sink_pem(struct span text, void *arg)
{
    struct crl_pair *p = arg;

    draft_write(p, &p->pem, text);
    return p->err == OK;
}

/* The draft from `at` on, `len` octets, to the sink. ERR_END: it stopped. */
static enum err read_back(struct crl_pair *p, uint64_t at, uint64_t len, crl_sink *sink, void *arg)
{
    uint8_t *piece = xmalloc(PAIR_PIECE);
    bool goes_on = true;

    while (goes_on && p->err == OK && len > 0) {
        ssize_t n = pread(p->der.fd, piece, len < PAIR_PIECE ? (size_t)len : PAIR_PIECE, (off_t)at);

        if (n <= 0) {
            (void)fail(p, ERR_IO, "read");
            break;
        }
        goes_on = sink(span_of(piece, (size_t)n), arg);
        at += (uint64_t)n;
        len -= (uint64_t)n;
    }
    free(piece);
    return p->err == OK && !goes_on ? ERR_END : p->err;
}

/* The length in the outer header is that of the signature, which is not made yet: zeros hold its place. */
static void armour_begin(struct crl_pair *p)
{
    static const uint8_t header[DER_HEADER_MAX];

    armour_free(p->armour);
    p->armour = armour_new(sink_pem, p);
    armour_add(p->armour, span_of(header, (size_t)p->tbs_at));
}

struct streaming {
    struct crl_pair *pair;
    crl_sink *sink;
    void *arg;
};

static bool sink_both(struct span piece, void *arg)
{
    struct streaming *s = arg;

    return s->sink(piece, s->arg) && armour_add(s->pair->armour, piece);
}

enum err pair_stream(struct crl_pair *p, crl_sink *sink, void *arg)
{
    struct streaming s = {p, sink, arg};

    armour_begin(p);
    return read_back(p, p->tbs_at, p->tbs_len, sink_both, &s);
}

/* ---- the end ---- */

static bool sink_armour(struct span piece, void *arg)
{
    return armour_add(((struct crl_pair *)arg)->armour, piece);
}

/* A signature so short that the header is one octet less: everything is one octet further down, so the PEM is
 * another from its first line on. */
static void draw_in(struct crl_pair *p, uint64_t to)
{
    move_down(p, p->tbs_at, to, p->tbs_len);
    p->tbs_at = to;
    if (p->err == OK && (ftruncate(p->pem.fd, 0) != 0 || lseek(p->pem.fd, 0, SEEK_SET) != 0 ||
                         ftruncate(p->der.fd, (off_t)(to + p->tbs_len)) != 0))
        (void)fail(p, ERR_IO, "truncate");
    armour_begin(p);
    (void)read_back(p, p->tbs_at, p->tbs_len, sink_armour, p);
}

static void first_line_write(struct crl_pair *p)
{
    uint8_t octets[ARMOUR_LINE];
    char line[ARMOUR_LINE_LEN];

    if (p->err == OK && pread(p->der.fd, octets, sizeof octets, 0) != (ssize_t)sizeof octets)
        (void)fail(p, ERR_IO, "read");
    armour_line(p->armour, octets, line);
    if (p->err == OK && pwrite(p->pem.fd, line, sizeof line, sizeof ARMOUR_BEGIN - 1) != (ssize_t)sizeof line)
        (void)fail(p, ERR_IO, "PEM");
}

static bool sink_hash(struct span piece, void *arg)
{
    hash_add(arg, piece);
    return true;
}

enum err pair_finish(struct crl_pair *p, struct span trailer, uint64_t *size, uint8_t sha256[static HASH_LEN])
{
    struct hash *hash = hash_begin(HASH_SHA256);
    struct buf header;

    buf_init(&header, DER_HEADER_MAX);
    der_put_header(&header, DER_SEQUENCE, p->tbs_len + trailer.len);
    if (p->err == OK && header.len != p->tbs_at)
        draw_in(p, header.len);
    assert(p->err != OK || header.len == p->tbs_at);
    write_at(p, buf_span(&header), 0);
    write_at(p, trailer, p->tbs_at + p->tbs_len);
    *size = p->tbs_at + p->tbs_len + trailer.len;
    (void)(armour_add(p->armour, trailer) && armour_end(p->armour));
    first_line_write(p);
    file_draft_push(&p->der);
    file_draft_push(&p->pem);
    (void)read_back(p, 0, *size, sink_hash, hash);
    hash_end(hash, sha256);
    buf_free(&header);
    return p->err;
}

enum err pair_put_in_force(struct crl_pair *p)
{
    if (p->err == OK)
        p->err = file_draft_sync(&p->der, p->fault);
    if (p->err == OK)
        p->err = file_draft_sync(&p->pem, p->fault);
    if (p->err == OK)
        p->err = crl_keep_previous(p->paths, p->fault);
    if (p->err == OK)
        p->err = file_draft_place(&p->der, p->fault);
    if (p->err == OK)
        p->err = file_draft_place(&p->pem, p->fault);
    if (p->err == OK)
        p->err = file_dir_sync(p->paths->der, p->fault);
    return p->err;
}
