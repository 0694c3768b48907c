/* SPDX-License-Identifier: Apache-2.0 */
/*
 * published: CRLs and issuer certificates, straight from the files under public/. A path is held against the
 * names of the issuers we know and never becomes part of a file name itself.
 *
 * The entity tag is the file's identity (inode, time, size), not the store's hash of the CRL: files are
 * replaced by rename a moment before the store hears of it, and a tag must belong to the octets that go with
 * it.
 */
#include "api/public.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"

#define CRL_MAX_AGE_S                                                                                        \
    3600 /* and never beyond nextUpdate: a list published by hand is everywhere within the hour */
#define CERTIFICATE_MAX_AGE_S 86400        /* an issuer's certificate never changes under its name */
#define NAME_MAX_LEN (ISSUER_ID_MAX + 16u) /* "/crl/", an id, ".pem" */

static const struct kind {
    const char *dir, *suffix, *type;
    bool is_crl;
} kinds[] = {
    {"crl", ".crl", "application/pkix-crl", true}, /* RFC 5280 4.2.1.13 */
    {"crl", ".pem", "application/x-pem-file", true}, {"ca", ".cer", "application/pkix-cert", false},
    {"ca", ".pem", "application/x-pem-file", false}, {"ca", ".p7c", "application/pkcs7-mime", false},
};

struct named {
    const struct kind *kind;
    const struct issuer_files *issuer;
    char name[NAME_MAX_LEN]; /* "crl/rsa-g1.crl" */
};

/* Which of the files that may exist a path names. */
static bool find_named(const struct config *c, const char *path, struct named *out)
{
    char want[NAME_MAX_LEN + 1];

    if (!http_unescape(span_str(path), want, sizeof want))
        return false;
    for (size_t i = 0; i < c->issuer_count; i++) {
        for (size_t k = 0; k < sizeof kinds / sizeof *kinds; k++) {
            out->kind = &kinds[k];
            out->issuer = &c->issuers[i];
            snprintf(out->name, sizeof out->name, "%s/%s%s", kinds[k].dir, c->issuers[i].id, kinds[k].suffix);
            if (strcmp(want + 1, out->name) == 0)
                return true;
        }
    }
    return false;
}

static enum err open_named(const struct config *c, const struct named *n, int *fd, struct stat *st,
                           struct fault *f)
{
    char path[PATH_LEN_MAX];
    enum err e = path_join(path, c->public_dir, n->name, f);

    if (e != OK)
        return e;
    *fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
    if (*fd < 0)
        return fault_set(f, errno == ENOENT ? ERR_NOT_FOUND : ERR_IO, "%s: %s", path, strerror(errno));
    if (fstat(*fd, st) == 0 && S_ISREG(st->st_mode))
        return OK;
    close(*fd);
    return fault_set(f, ERR_IO, "%s: no regular file", path);
}

/* Seconds for which a cache may give the file without asking again. */
static int64_t max_age(struct public *p, const struct named *n, int64_t now_s)
{
    struct crl_state state = {0};
    struct issuer issuer;
    struct view *v;
    int64_t left;

    if (!n->kind->is_crl)
        return CERTIFICATE_MAX_AGE_S;
    if (view_open(p->store, &v) != OK)
        return 0;
    if (issuer_find(v, n->issuer->id, &issuer) != OK || crl_state_find(v, issuer.no, &state) != OK)
        state.next_update_s = 0;
    view_close(v);
    left = state.next_update_s - now_s;
    return left < 0 ? 0 : left < CRL_MAX_AGE_S ? left : CRL_MAX_AGE_S;
}

/* A tag carries its quotes and holds none inside, so it cannot be found within another. Weak comparison: a W/
 * before it is nothing. */
static bool is_listed(const char *list, const char *etag)
{
    return strcmp(list, "*") == 0 || strstr(list, etag) != NULL;
}

bool published_is_fresh(const char *if_none_match, const char *if_modified_since, const char *etag,
                        int64_t modified_s)
{
    int64_t since_s;

    if (if_none_match != NULL) /* it rules: RFC 9110 13.2.2 */
        return is_listed(if_none_match, etag);
    return if_modified_since != NULL && clock_parse_http(if_modified_since, &since_s) &&
           modified_s <= since_s;
}

static void reply_file(struct public *p, struct http_request *r, const struct named *n, int fd,
                       const struct stat *st)
{
    char etag[80], modified[CLOCK_TEXT_MAX], expires[CLOCK_TEXT_MAX], control[96];
    const struct http_field fields[] = {
        {"Content-Type", n->kind->type},
        {"X-Content-Type-Options", "nosniff"},
        {"Cache-Control", control},
        {"ETag", etag},
        {"Last-Modified", modified},
        {"Expires", expires},
        {NULL, NULL},
    };
    int64_t now_s = clock_now_s(), age_s = max_age(p, n, now_s);

    snprintf(etag, sizeof etag, "\"%llx-%llx.%lx-%llx\"", (unsigned long long)st->st_ino,
             (unsigned long long)st->st_mtim.tv_sec, (unsigned long)st->st_mtim.tv_nsec,
             (unsigned long long)st->st_size);
    snprintf(control, sizeof control, "max-age=%lld, public, no-transform, must-revalidate",
             (long long)age_s);
    clock_http(st->st_mtim.tv_sec, modified);
    clock_http(now_s + age_s, expires);
    if (published_is_fresh(http_header(r, "If-None-Match"), http_header(r, "If-Modified-Since"), etag,
                           st->st_mtim.tv_sec)) {
        close(fd);
        http_reply(r, 304, fields + 2, (struct span){0});
        return;
    }
    http_reply_file(r, 200, fields, fd, 0, (uint64_t)st->st_size);
}

void published_get(struct public *p, struct http_request *r, const char *rest)
{
    struct fault f = {0};
    struct named n;
    struct stat st;
    enum err e = ERR_NOT_FOUND;
    int fd;

    (void)rest;
    if (strcmp(http_path(r), "/ca/ocsp.pem") == 0)
        return signers_pem_get(p, r);
    if (find_named(p->config, http_path(r), &n))
        e = open_named(p->config, &n, &fd, &st, &f);
    if (e == OK) {
        reply_file(p, r, &n, fd, &st);
        return;
    }
    if (e != ERR_NOT_FOUND)
        log_error("published", "%s", f.detail);
    public_refuse(r, e == ERR_NOT_FOUND ? e : ERR_INTERNAL, NULL, NULL);
}
