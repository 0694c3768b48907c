/* SPDX-License-Identifier: Apache-2.0 */
/* carry: the kinds of targets over libcurl. */
#include "watch/carry.h"

#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "watch/secret.h"
#include "watch/sigv4.h"

#define PLACE_MAX (URL_LEN_MAX + SHELF_NAME_MAX + 8)
#define TOTAL_S 60                  /* of a transfer that has nothing to carry */
#define OCTETS_A_SECOND (32u << 10) /* the slowest line that is worth waiting for */
#define ROOM_OCTETS (16u << 20)     /* what clients get may be longer than we know: entries leave a list */
#define REDIRECTS 3u                /* of a public URL: a name, https, a mirror */
#define PART ".part"

/* All that one request borrows. */
struct request {
    char url[PLACE_MAX];
    const char *headers[8];
    size_t header_count;
    char bearer[SECRET_MAX + 32], destination[PLACE_MAX + 16];
    struct sigv4_headers signature;
    struct secret secret;
    struct transfer t;
};

static const char *text_or_null(const char *text)
{
    return text[0] != '\0' ? text : NULL;
}

static int64_t time_for(uint64_t octets)
{
    return TOTAL_S + (int64_t)(octets / OCTETS_A_SECOND);
}

static void add_header(struct request *r, const char *line)
{
    r->headers[r->header_count++] = line;
}

static const char *content_type(const struct shelf_item *i)
{
    const char *dot = strrchr(i->name, '.');

    return strcmp(dot, ".pem") == 0 ? "application/x-pem-file" : "application/pkix-crl";
}

static void sign(struct request *r, const struct target *t, const struct shelf_item *i)
{
    bool is_put = strcmp(r->t.method, "PUT") == 0;
    struct sigv4 s = {.method = r->t.method,
                      .url = r->url,
                      .content_type = is_put ? content_type(i) : NULL,
                      .region = t->region,
                      .key_id = t->user,
                      .secret = r->secret.text,
                      .sha256 = is_put ? i->sha256 : NULL,
                      .now_s = clock_now_s()};

    sigv4_sign(&s, &r->signature);
    add_header(r, r->signature.date);
    add_header(r, r->signature.content);
    add_header(r, r->signature.authorization);
}

/* Who we are to the target. */
static enum err log_in(struct request *r, const struct target *t, const struct shelf_item *i, struct fault *f)
{
    enum err e = OK;

    if (t->key[0] != '\0')
        e = secret_file_check(t->key, f);
    if (e == OK && t->secret.where[0] != '\0')
        e = secret_load(&t->secret, &r->secret, f);
    if (e != OK)
        return e;
    if (t->type == TARGET_S3) {
        sign(r, t, i);
    } else if (t->type == TARGET_SFTP) {
        r->t.user = t->user;
    } else if (t->user[0] != '\0') {
        r->t.user = t->user;
        r->t.password = r->secret.text;
    } else if (t->secret.where[0] != '\0') {
        snprintf(r->bearer, sizeof r->bearer, "Authorization: Bearer %s", r->secret.text);
        add_header(r, r->bearer);
    }
    return OK;
}

/* To the target itself; `suffix` behind the name. */
static enum err prepare(struct request *r, struct carry *c, const char *method, const struct shelf_item *i,
                        const char *suffix, struct fault *f)
{
    const struct target *t = c->target;

    *r = (struct request){0};
    snprintf(r->url, sizeof r->url, "%s/%s%s", t->url, i->name, suffix);
    r->t = (struct transfer){.method = method,
                             .url = r->url,
                             .headers = r->headers,
                             .cacert = text_or_null(t->ca),
                             .certificate = text_or_null(t->certificate),
                             .key = text_or_null(t->key),
                             .known_hosts = text_or_null(t->known_hosts),
                             .fd = -1,
                             .timeout_s = t->timeout_s,
                             .total_s = time_for(i->identity.size),
                             .is_over = c->is_over};
    return log_in(r, t, i, f);
}

static void forget(struct request *r)
{
    secret_forget(&r->secret);
    explicit_bzero(r->bearer, sizeof r->bearer);
}

bool carry_ails_all(enum err e)
{
    return e != OK && e != ERR_CONFLICT && e != ERR_IO && e != ERR_POLICY && e != ERR_TOO_LARGE;
}

/* A login that is not taken will not be for the next file either; 403 may be about this one. */
static enum err refusal(const char *what, unsigned status, struct fault *f)
{
    return fault_set(f, status == 401 ? ERR_UNAUTHENTICATED : ERR_POLICY, "%s: it answers %u", what, status);
}

/* ---- putting ---- */

static enum err status_check(const char *what, unsigned status, struct fault *f)
{
    return status >= 200 && status < 300 ? OK : refusal(what, status, f);
}

static enum err put(struct carry *c, const struct shelf_item *i, int fd, const char *suffix,
                    const char *const *after, struct fault *f)
{
    struct request r;
    char type[64];
    unsigned status;
    enum err e = prepare(&r, c, "PUT", i, suffix, f);

    snprintf(type, sizeof type, "Content-Type: %s", content_type(i));
    add_header(&r, type);
    r.t.fd = fd;
    r.t.len = i->identity.size;
    r.t.after = after;
    if (e == OK)
        e = transfer(c->line, &r.t, &status, f);
    if (e == OK)
        e = status_check(r.url, status, f);
    forget(&r);
    return e;
}

static enum err move(struct carry *c, const struct shelf_item *i, struct fault *f)
{
    struct request r;
    unsigned status;
    enum err e = prepare(&r, c, "MOVE", i, PART, f);

    snprintf(r.destination, sizeof r.destination, "Destination: %s/%s", c->target->url, i->name);
    add_header(&r, r.destination);
    add_header(&r, "Overwrite: T");
    if (e == OK)
        e = transfer(c->line, &r.t, &status, f);
    if (e == OK)
        e = status_check(r.destination, status, f);
    forget(&r);
    return e;
}

/* A path in libcurl's commands begins where the user does, unless it begins with '/'. */
static const char *remote_path(const char *url)
{
    const char *path = strchr(strstr(url, "://") + 3, '/');

    if (path == NULL)
        return "";
    return strncmp(path, "/~/", 3) == 0 ? path + 3 : path;
}

static enum err put_sftp(struct carry *c, const struct shelf_item *i, int fd, struct fault *f)
{
    const char *dir = remote_path(c->target->url);
    char removal[PLACE_MAX + 16], naming[2 * PLACE_MAX + 16];
    const char *const after[] = {removal, naming, NULL};

    snprintf(removal, sizeof removal, "*rm %s/%s", dir, i->name); /* '*': there need not be one */
    snprintf(naming, sizeof naming, "rename %s/%s%s %s/%s", dir, i->name, PART, dir, i->name);
    return put(c, i, fd, PART, after, f);
}

enum err carry_put(struct carry *c, const struct shelf_item *i, int fd, struct fault *f)
{
    enum err e;

    switch (c->target->type) {
    case TARGET_DIRECTORY:
        return drop_put(c->target->url, i, fd, f);
    case TARGET_SFTP:
        return put_sftp(c, i, fd, f);
    case TARGET_WEBDAV:
        e = put(c, i, fd, PART, NULL, f);
        return e == OK ? move(c, i, f) : e;
    default:
        return put(c, i, fd, "", NULL, f);
    }
}

/* ---- looking ---- */

static bool to_scan(struct span octets, void *arg)
{
    return scan_add(arg, octets);
}

/* What the scan found; ends it. */
static void judge(struct carry *c, struct scan *s, struct seen *out)
{
    struct fault f = {0};

    out->issuer = -1;
    if (scan_end(s, &out->facts, &f) != OK) {
        snprintf(out->reason, sizeof out->reason, "%.120s", f.detail);
    } else {
        out->issuer = trust_find(c->trust, &out->facts);
        if (out->issuer < 0)
            strcpy(out->reason, "its issuer is none of ours");
        else if (!trust_verify(c->trust, out->issuer, &out->facts))
            strcpy(out->reason, "its issuer has not signed it");
    }
    out->why = out->reason;
}

static enum err get(struct carry *c, struct request *r, struct seen *out, struct fault *f)
{
    struct scan *s = scan_begin();
    struct fault own = {0};
    unsigned status = 0;
    enum err e;

    r->t.sink = to_scan;
    r->t.arg = s;
    e = transfer(c->line, &r->t, &status, &own);
    if (e == ERR_MALFORMED) /* the scan wanted no more, and says why */
        e = OK, status = 200;
    judge(c, s, out);
    out->is_there = e == OK && status == 200;
    if (e != OK)
        return fault_set(f, e, "%s", own.detail);
    if (out->is_there || status == 404 || status == 410)
        return OK;
    return refusal(r->url, status, f);
}

static enum err look_in_directory(struct carry *c, const struct shelf_item *i, struct seen *out,
                                  struct fault *f)
{
    struct scan *s = scan_begin();
    enum err e = drop_look(c->target->url, i, to_scan, s, &out->is_there, f);

    judge(c, s, out);
    return e;
}

/* It is read to its end, because a list of which that is not known may be newer than ours: as after a restore
 * of an old home, when ours is short and no ledger helps. The scan needs no more memory for a longer one. */
enum err carry_look(struct carry *c, const struct shelf_item *i, uint64_t longest, struct seen *out,
                    struct fault *f)
{
    struct request r;
    enum err e;

    *out = (struct seen){0};
    if (c->target->type == TARGET_DIRECTORY)
        return look_in_directory(c, i, out, f);
    e = prepare(&r, c, "GET", i, "", f);
    r.t.body_max = LIST_LEN_MAX;
    r.t.total_s = time_for(longest);
    if (e == OK)
        e = get(c, &r, out, f);
    forget(&r);
    return e;
}

/* Anybody may stand between the public URL and us: what comes is not read for as long as it likes. */
enum err carry_read_back(struct carry *c, const struct shelf_item *i, uint64_t longest, struct seen *out,
                         struct fault *f)
{
    const struct target *t = c->target;
    struct request r = {0};

    *out = (struct seen){0};
    snprintf(r.url, sizeof r.url, "%s/%s", t->public_url, i->name);
    r.t = (struct transfer){.method = "GET",
                            .url = r.url,
                            .cacert = text_or_null(t->public_ca),
                            .fd = -1,
                            .body_max = 2 * longest + ROOM_OCTETS,
                            .redirects = REDIRECTS,
                            .timeout_s = t->timeout_s,
                            .total_s = time_for(longest),
                            .is_over = c->is_over};
    return get(c, &r, out, f);
}
