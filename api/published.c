/* SPDX-License-Identifier: Apache-2.0 */
/*
 * published: CRLs and issuer certificates, straight from the files under public/, whole or in part.
 *
 * The entity tag is made from what is in the file, so it is the same on every host that serves it, and
 * without reading all of it: its size, its first and its last octets. The last ones of a CRL are its
 * signature, over everything else in it. It is not the store's hash of the CRL: files are replaced by rename
 * a moment before the store hears of it, and a tag must belong to the octets that go with it.
 */
#include "api/public.h"

#include <endian.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "api/conditional.h"
#include "base/clock.h"
#include "base/hash.h"

#define CERTIFICATE_MAX_AGE_S DAY_S /* an issuer's certificate never changes under its name */
#define ALARM "public.unreadable"
#define TAG_ENDS 4096u /* octets from either end: beyond any signature, also in base64 */

static enum err open_named(const struct config *c, const struct published *n, int *fd, struct stat *st,
                           struct fault *f)
{
    char path[PATH_LEN_MAX];
    enum err e = path_join(path, c->public_dir, n->name, f);

    return e == OK ? file_open(path, fd, st, f) : e;
}

/* Seconds for which a cache may give the file without asking again: a CRL until the next run may replace it.
 */
static int64_t max_age(struct public *p, const struct published *n, int64_t now_s)
{
    const struct crl_config *crl = &p->config->crl;
    struct crl_state state = {0};
    struct issuer issuer;
    struct view *v;

    if (!n->is_crl)
        return CERTIFICATE_MAX_AGE_S;
    if (view_open(p->store, &v) != OK)
        return 0;
    if (issuer_find(v, n->issuer_id, &issuer) != OK ||
        crl_part_find(v, issuer.no, n->shard, n->is_delta, &state) != OK)
        state.next_update_s = 0;
    view_close(v);
    return crl_cached_until(crl_issuer_find(crl, n->issuer_id), n->is_delta, crl->on_revocation, &state,
                            now_s) -
           now_s;
}

bool published_is_fresh(const char *if_none_match, const char *if_modified_since, const char *etag,
                        int64_t modified_s)
{
    const struct conditions c = {.if_none_match = if_none_match, .if_modified_since = if_modified_since};
    const struct validators v = {.etag = etag, .modified_s = modified_s};
    struct range range;

    return conditions_judge(&c, &v, modified_s, &range) == OUTCOME_NOT_MODIFIED;
}

/* ---- the entity tag ---- */

/* Up to `len` octets from `at` on: what is there now, if the file is cut meanwhile. */
static void tag_add(struct hash *h, int fd, uint64_t at, size_t len)
{
    uint8_t octets[TAG_ENDS];
    ssize_t n = pread(fd, octets, len, (off_t)at);

    if (n > 0)
        hash_add(h, span_of(octets, (size_t)n));
}

#define TAG_MAX (2 * HASH_LEN + 3)

static void tag_of(int fd, uint64_t size, char out[static TAG_MAX])
{
    size_t end = size < TAG_ENDS ? (size_t)size : TAG_ENDS;
    struct hash *h = hash_begin(HASH_SHA256);
    uint8_t digest[HASH_LEN];

    hash_add(h, span_of(&(uint64_t){htobe64(size)}, sizeof size));
    tag_add(h, fd, 0, end);
    tag_add(h, fd, size - end, end);
    hash_end(h, digest);
    out[0] = '"';
    hex_encode(span_of(digest, HASH_LEN), out + 1);
    strcat(out, "\"");
}

/* ---- the answer ---- */

static const unsigned statuses[] = {
    [OUTCOME_WHOLE] = 200,  [OUTCOME_PART] = 206,          [OUTCOME_NOT_MODIFIED] = 304,
    [OUTCOME_FAILED] = 412, [OUTCOME_UNSATISFIABLE] = 416,
};

/* What the answer says besides its fields, "" for nothing. RFC 9110 14.4 */
static void content_range(enum outcome o, const struct range *range, uint64_t size, char *out, size_t cap)
{
    out[0] = '\0';
    if (o == OUTCOME_PART)
        snprintf(out, cap, "bytes %llu-%llu/%llu", (unsigned long long)range->first,
                 (unsigned long long)(range->first + range->len - 1), (unsigned long long)size);
    if (o == OUTCOME_UNSATISFIABLE)
        snprintf(out, cap, "bytes */%llu", (unsigned long long)size);
}

/* 412, 416: nothing that a cache may keep. */
static void reply_refused(struct http_request *r, enum outcome o, const char *part)
{
    const struct http_field fields[] = {
        {"Cache-Control", "no-store"},
        {part[0] != '\0' ? "Content-Range" : NULL, part},
        {NULL, NULL},
    };

    http_reply(r, statuses[o], fields, (struct span){0});
}

/* The texts of an answer's fields. */
struct texts {
    char etag[TAG_MAX], modified[CLOCK_TEXT_MAX], expires[CLOCK_TEXT_MAX], control[96], part[80];
};

static void texts_write(struct texts *t, int64_t modified_s, int64_t now_s, int64_t age_s)
{
    snprintf(t->control, sizeof t->control, "max-age=%lld, public, no-transform, must-revalidate",
             (long long)age_s);
    clock_http(modified_s, t->modified);
    clock_http(now_s + age_s, t->expires);
}

/* Takes fd. */
static void reply_with(struct http_request *r, const struct published *n, const struct texts *t,
                       enum outcome o, int fd, const struct range *range)
{
    const struct http_field fields[] = {
        {"Content-Type", n->type},
        {"X-Content-Type-Options", "nosniff"},
        {"Cache-Control", t->control},
        {"ETag", t->etag},
        {"Last-Modified", t->modified},
        {"Expires", t->expires},
        {"Accept-Ranges", "bytes"},
        {t->part[0] != '\0' ? "Content-Range" : NULL, t->part},
        {NULL, NULL},
    };

    if (o == OUTCOME_WHOLE || o == OUTCOME_PART) {
        http_reply_file(r, statuses[o], fields, fd, (off_t)range->first, range->len);
        return;
    }
    close(fd);
    if (o == OUTCOME_NOT_MODIFIED)
        http_reply(r, statuses[o], fields + 2, (struct span){0});
    else
        reply_refused(r, o, t->part);
}

static void reply_file(struct public *p, struct http_request *r, const struct published *n, int fd,
                       const struct stat *st)
{
    struct texts t;
    const struct validators v = {
        .etag = t.etag, .modified_s = st->st_mtim.tv_sec, .size = (uint64_t)st->st_size};
    const struct conditions asked = conditions_of(r);
    int64_t now_s = clock_now_s();
    struct range range;
    enum outcome o;

    tag_of(fd, v.size, t.etag);
    o = conditions_judge(&asked, &v, now_s, &range);
    content_range(o, &range, v.size, t.part, sizeof t.part);
    texts_write(&t, v.modified_s, now_s, max_age(p, n, now_s));
    reply_with(r, n, &t, o, fd, &range);
}

/* One alarm, about the first file that is there and cannot be opened, whatever else is asked for until it can
 * be or is gone. Not a critical one: an OCSP host whose balancer leaves it for that would never be asked for
 * the file again, and its OCSP answers are good. */
static void note_opened(struct public *p, const struct published *n, enum err e, const struct fault *f)
{
    bool is_well = e == OK || e == ERR_NOT_FOUND;

    if (is_well && strcmp(p->unreadable, n->name) == 0) {
        p->unreadable[0] = '\0';
        alarm_clear(p->role->board, ALARM, "");
    } else if (!is_well && p->unreadable[0] == '\0') {
        strcpy(p->unreadable, n->name);
        alarm_raise(p->role->board, ALARM_WARNING, ALARM, "", "%s", f->detail);
    }
}

void published_get(struct public *p, struct http_request *r, const char *rest)
{
    struct fault f = {0};
    struct published n;
    struct stat st;
    int fd = -1;
    enum err e;

    (void)rest;
    if (strcmp(http_path(r), "/ca/ocsp.pem") == 0)
        return signers_pem_get(p, r);
    if (!published_find(p->config, http_path(r), &n))
        return public_refuse(r, ERR_NOT_FOUND, NULL, NULL);
    e = open_named(p->config, &n, &fd, &st, &f);
    note_opened(p, &n, e, &f);
    if (e == OK)
        return reply_file(p, r, &n, fd, &st);
    public_refuse(r, e == ERR_NOT_FOUND ? e : ERR_UNAVAILABLE, NULL, NULL);
}
