/* SPDX-License-Identifier: Apache-2.0 */
/*
 * foreign: client certificates of CAs that are not ours: a path to a CA of the configuration, with every
 * certificate of it held against that CA's CRLs, for the use of a TLS client, valid now. No CRL or one that
 * has ended refuses: who cannot know whether a certificate is revoked does not let it in. The files are read
 * again when they change, and an alarm says in time that they have to.
 *
 * To hold a certificate against a CRL costs a hash over all of that CRL, so nobody has it done whom the CA
 * has not signed for, and nobody more often than the files are looked at.
 */
#include <openssl/err.h>
#include <openssl/x509.h>
#include <openssl/x509_vfy.h>
#include <openssl/x509v3.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include "api/api.h"
#include "api/foreign_end.h"
#include "base/clock.h"
#include "base/hash.h"
#include "base/log.h"

#define LOOK_MS 2000                        /* between looks at the files */
#define FILE_OCTETS_MAX (16u * 1024 * 1024) /* a CRL of some 400,000 entries */

#define VERDICT_MS LOOK_MS /* what the CRLs said holds as long as a look at the files */
#define VERDICTS_MAX 256u  /* of one authority: programs that call at once, 48 octets each */

/* What the CRLs have said of a certificate that the authority has signed. */
struct verdict {
    uint8_t sha256[HASH_LEN];
    int64_t at_ms; /* by the monotonic clock; 0: nothing is kept here */
    int error;     /* X509_V_OK, or why not */
};

#define ALARM "login.authority"
#define WHY_MAX 200u /* octets of what is wrong with a file */

#define CRL_FLAGS (X509_V_FLAG_CRL_CHECK | X509_V_FLAG_CRL_CHECK_ALL)

struct stamp {
    struct timespec changed;
    off_t size;
};

struct authority {
    struct access_authority config;
    X509_STORE *store; /* NULL: cannot be read now */
    char why[WHY_MAX]; /* then */
    struct foreign_ends ends;
    struct buf ca_pem; /* for the names that TLS hints at */
    struct stamp file, crl;
    int64_t looked_ms;
    struct verdict verdicts[VERDICTS_MAX]; /* by the first octets of the hash: two that meet take turns */
    bool is_new;                           /* `ca_pem` is another one since foreign_changed() */
};

struct foreign {
    struct board *board;
    struct figure *crl_checks;
    struct authority all[ACCESS_AUTHORITIES_MAX];
    size_t count;
};

/* ---- files ---- */

static enum err read_path(const char *home, const char *name, char path[static PATH_LEN_MAX], struct fault *f)
{
    if (name[0] != '/')
        return path_join(path, home, name, f);
    return span_to_str(span_str(name), path, PATH_LEN_MAX) ? OK
                                                           : fault_set(f, ERR_CONFIG, "%s: too long", name);
}

static struct stamp stamp_of(const char *path)
{
    struct stat s;

    return stat(path, &s) == 0 ? (struct stamp){s.st_mtim, s.st_size} : (struct stamp){.size = -1};
}

static bool same_stamp(const struct stamp *a, const struct stamp *b)
{
    return a->size == b->size && a->changed.tv_sec == b->changed.tv_sec &&
           a->changed.tv_nsec == b->changed.tv_nsec;
}

static bool add_certificate(X509_STORE *store, struct span der)
{
    const uint8_t *p = der.data;
    X509 *x = d2i_X509(NULL, &p, (long)der.len);
    bool done = x != NULL && X509_STORE_add_cert(store, x) == 1;

    X509_free(x);
    return done;
}

static bool add_crl(X509_STORE *store, struct span der)
{
    const uint8_t *p = der.data;
    X509_CRL *crl = d2i_X509_CRL(NULL, &p, (long)der.len);
    bool done = crl != NULL && X509_STORE_add_crl(store, crl) == 1;

    X509_CRL_free(crl);
    return done;
}

/* Every block of `label`; a CRL may also be plain DER. */
static enum err add_file(X509_STORE *store, const char *path, const char *label,
                         bool (*add)(X509_STORE *store, struct span der), struct buf *pem, struct fault *f)
{
    char found[PEM_LABEL_MAX];
    struct span rest;
    struct buf der;
    size_t n = 0;
    enum err e = file_read(path, pem, f);

    if (e != OK)
        return e;
    rest = buf_span(pem);
    buf_init(&der, FILE_OCTETS_MAX);
    while (pem_next(&rest, found, &der) == OK)
        n += strcmp(found, label) == 0 && add(store, buf_span(&der));
    buf_free(&der);
    if (n == 0)
        n += add(store, buf_span(pem));
    ERR_clear_error();
    return n > 0 ? OK : fault_set(f, ERR_CONFIG, "%s: no %s in it", path, label);
}

static X509_STORE *store_make(const char *file, const char *crl, struct buf *ca_pem, struct fault *f)
{
    X509_STORE *store = X509_STORE_new();
    struct buf crl_pem;
    enum err e;

    if (store == NULL)
        die("out of memory");
    buf_init(&crl_pem, FILE_OCTETS_MAX);
    e = add_file(store, file, "CERTIFICATE", add_certificate, ca_pem, f);
    if (e == OK)
        e = add_file(store, crl, "X509 CRL", add_crl, &crl_pem, f);
    buf_free(&crl_pem);
    if (e == OK && X509_STORE_set_flags(store, CRL_FLAGS | X509_V_FLAG_X509_STRICT) == 1)
        return store;
    X509_STORE_free(store);
    return NULL;
}

/* ---- the alarm ---- */

static void authority_judge(const struct authority *a, struct board *b, int64_t now_s)
{
    char text[CLOCK_TEXT_MAX];

    if (a->store == NULL) {
        alarm_raise(b, ALARM_CRITICAL, ALARM, a->config.id, "nobody of it gets in: %s", a->why);
    } else if (a->ends.first.end_s <= now_s) {
        clock_rfc3339(a->ends.first.end_s, text);
        alarm_raise(b, ALARM_CRITICAL, ALARM, a->config.id, "%s of it ended %s: who needs it does not get in",
                    a->ends.first.what, text);
    } else if (a->ends.next.soon_s < now_s) {
        clock_rfc3339(a->ends.next.end_s, text);
        alarm_raise(b, ALARM_WARNING, ALARM, a->config.id, "%s of it ends %s", a->ends.next.what, text);
    } else {
        alarm_clear(b, ALARM, a->config.id);
    }
}

void foreign_judge(const struct foreign *f, int64_t now_s)
{
    for (size_t i = 0; i < f->count; i++)
        authority_judge(&f->all[i], f->board, now_s);
}

/* ---- the authorities ---- */

static void note_why(struct authority *a, const struct fault *f)
{
    snprintf(a->why, sizeof a->why, "%.*s", (int)sizeof a->why - 1, f->detail);
}

static void authority_take(struct authority *a, X509_STORE *fresh, const struct fault *f)
{
    X509_STORE_free(a->store);
    a->store = fresh;
    note_why(a, f);
    if (fresh != NULL)
        foreign_end_find(fresh, &a->ends);
    memset(a->verdicts, 0, sizeof a->verdicts);
}

static void authority_load(struct authority *a, const char *home, bool is_first)
{
    char file[PATH_LEN_MAX], crl[PATH_LEN_MAX];
    struct stamp file_now, crl_now;
    struct fault f = {0};
    X509_STORE *fresh = NULL;
    bool had_store = a->store != NULL, same_file;

    if (read_path(home, a->config.file, file, &f) != OK || read_path(home, a->config.crl, crl, &f) != OK) {
        log_error("login-authority", "%s: %s", a->config.id, f.detail);
        note_why(a, &f);
        return;
    }
    file_now = stamp_of(file);
    crl_now = stamp_of(crl);
    same_file = same_stamp(&file_now, &a->file);
    if (!is_first && same_file && same_stamp(&crl_now, &a->crl))
        return;
    a->file = file_now;
    a->crl = crl_now;
    buf_reset(&a->ca_pem);
    fresh = store_make(file, crl, &a->ca_pem, &f);
    if (fresh == NULL)
        log_error("login-authority", "%s is not taken until this is put right: %s", a->config.id, f.detail);
    else
        log_info("login-authority", "%s: read", a->config.id);
    authority_take(a, fresh, &f);
    a->is_new = a->is_new || !same_file || had_store != (fresh != NULL);
}

static void authority_look(struct authority *a, const char *home)
{
    int64_t now_ms = clock_monotonic_ms();

    if (now_ms - a->looked_ms < LOOK_MS)
        return;
    authority_load(a, home, false);
    a->looked_ms = now_ms;
}

struct foreign *foreign_new(const struct access_config *c, const char *home, struct board *b)
{
    struct foreign *f = xcalloc(1, sizeof *f);

    f->board = b;
    f->crl_checks = board_figure(b, FIGURE_COUNTER, "login_crl_checks_total", "",
                                 "Client certificates of other CAs held against the CRLs of those.");
    f->count = c->authority_count;
    for (size_t i = 0; i < f->count; i++) {
        f->all[i].config = c->authorities[i];
        buf_init(&f->all[i].ca_pem, FILE_OCTETS_MAX);
        authority_load(&f->all[i], home, true);
        f->all[i].looked_ms = clock_monotonic_ms();
        f->all[i].is_new = false; /* whoever made it asks for foreign_pem() */
    }
    return f;
}

void foreign_free(struct foreign *f)
{
    for (size_t i = 0; f != NULL && i < f->count; i++) {
        X509_STORE_free(f->all[i].store);
        buf_free(&f->all[i].ca_pem);
    }
    free(f);
}

static bool has_authority(const struct foreign *f, const char *id)
{
    for (size_t i = 0; i < f->count; i++)
        if (strcmp(f->all[i].config.id, id) == 0)
            return true;
    return false;
}

void foreign_replace(struct foreign **f, struct foreign *by)
{
    struct foreign *old = *f;

    for (size_t i = 0; i < old->count; i++)
        if (!has_authority(by, old->all[i].config.id))
            alarm_clear(old->board, ALARM, old->all[i].config.id);
    foreign_free(old);
    *f = by;
}

void foreign_pem(const struct foreign *f, struct buf *out)
{
    for (size_t i = 0; i < f->count; i++)
        if (f->all[i].store != NULL)
            buf_put_span(out, buf_span(&f->all[i].ca_pem));
}

bool foreign_changed(struct foreign *f, const char *home)
{
    bool has_changed = false;

    for (size_t i = 0; i < f->count; i++) {
        authority_look(&f->all[i], home);
        has_changed = has_changed || f->all[i].is_new;
        f->all[i].is_new = false;
    }
    return has_changed;
}

/* ---- one certificate ---- */

static X509_STORE_CTX *path_begin(const struct authority *a, X509 *x, int64_t now_s)
{
    X509_STORE_CTX *ctx = X509_STORE_CTX_new();

    if (ctx == NULL || X509_STORE_CTX_init(ctx, a->store, x, NULL) != 1 ||
        X509_STORE_CTX_set_purpose(ctx, X509_PURPOSE_SSL_CLIENT) != 1)
        die("out of memory");
    X509_VERIFY_PARAM_set_time(X509_STORE_CTX_get0_param(ctx), (time_t)now_s);
    return ctx;
}

/* X509_V_OK, or what is wrong. Frees. */
static int path_end(X509_STORE_CTX *ctx)
{
    int error = X509_V_OK;

    if (X509_verify_cert(ctx) != 1) {
        error = X509_STORE_CTX_get_error(ctx);
        error = error != X509_V_OK ? error : X509_V_ERR_UNSPECIFIED;
    }
    X509_STORE_CTX_free(ctx);
    ERR_clear_error();
    return error;
}

/* OpenSSL holds a path against the CRLs before it looks at who has signed the certificates on it: here the
 * signatures, dates and uses come first, without a CRL. */
static int check_path(const struct authority *a, X509 *x, int64_t now_s)
{
    X509_STORE_CTX *ctx = path_begin(a, x, now_s);

    X509_VERIFY_PARAM_clear_flags(X509_STORE_CTX_get0_param(ctx), CRL_FLAGS);
    return path_end(ctx);
}

static int check_crls(struct foreign *f, struct authority *a, X509 *x, struct span der, int64_t now_s)
{
    int64_t now_ms = clock_monotonic_ms();
    uint8_t sha256[HASH_LEN];
    struct verdict *v;

    sha256_of(der, sha256);
    v = &a->verdicts[(sha256[0] | (unsigned)sha256[1] << 8) % VERDICTS_MAX];
    if (v->at_ms != 0 && now_ms - v->at_ms < VERDICT_MS && memcmp(v->sha256, sha256, HASH_LEN) == 0)
        return v->error;
    figure_add(f->crl_checks, 1);
    v->error = path_end(path_begin(a, x, now_s));
    v->at_ms = now_ms;
    memcpy(v->sha256, sha256, HASH_LEN);
    return v->error;
}

/* Which authority stands behind it; NULL, and why. */
static struct authority *vouch(struct foreign *f, const char *home, X509 *x, struct span der, int64_t now_s,
                               const char **why)
{
    int error;

    *why = "no authority of the configuration has issued it";
    for (size_t i = 0; i < f->count; i++) {
        struct authority *a = &f->all[i];

        authority_look(a, home);
        if (a->store == NULL)
            continue;
        error = check_path(a, x, now_s);
        if (error == X509_V_OK)
            error = check_crls(f, a, x, der, now_s);
        if (error == X509_V_OK)
            return a;
        *why = X509_verify_cert_error_string(error);
    }
    return NULL;
}

static bool is_principal(const struct access_principal *p, const struct authority *a, struct span subject,
                         const uint8_t sha256[static HASH_LEN])
{
    return strcmp(p->authority, a->config.id) == 0 && span_eq(span_str(p->subject), subject) &&
           (!p->is_pinned || memcmp(p->sha256, sha256, HASH_LEN) == 0);
}

static enum err name_login(const struct access_config *c, const struct authority *a, struct span der, X509 *x,
                           char name[static PRINCIPAL_MAX], struct fault *f)
{
    uint8_t sha256[HASH_LEN];
    unsigned char *subject = NULL;
    int len = i2d_X509_NAME(X509_get_subject_name(x), &subject);
    const struct access_principal *found = NULL;
    struct buf text;
    enum err e = OK;

    sha256_of(der, sha256);
    buf_init(&text, 8 * CSR_MAX);
    name_text(span_of(subject, len > 0 ? (size_t)len : 0), &text);
    for (size_t i = 0; i < c->principal_count && found == NULL; i++)
        if (is_principal(&c->principals[i], a, buf_span(&text), sha256))
            found = &c->principals[i];
    if (found != NULL)
        snprintf(name, PRINCIPAL_MAX, "login:%s", found->name);
    else
        e = fault_set(f, ERR_FORBIDDEN, "The configuration gives no role to \"%.*s\" of %s.",
                      (int)(text.len < 200 ? text.len : 200), text.len > 0 ? (const char *)text.data : "",
                      a->config.id);
    buf_free(&text);
    OPENSSL_free(subject);
    return e;
}

enum err foreign_check(struct foreign *f, const struct access_config *c, const char *home, struct span der,
                       int64_t now_s, char name[static PRINCIPAL_MAX], struct fault *fault)
{
    const uint8_t *p = der.data;
    X509 *x = has_explicit_curve(der) ? NULL : d2i_X509(NULL, &p, (long)der.len);
    const struct authority *a;
    const char *why;
    enum err e;

    ERR_clear_error();
    if (x == NULL || p != der.data + der.len) {
        X509_free(x);
        return fault_set(fault, ERR_UNAUTHENTICATED, "The client certificate cannot be read.");
    }
    a = vouch(f, home, x, der, now_s, &why);
    e = a != NULL ? name_login(c, a, der, x, name, fault)
                  : fault_set(fault, ERR_UNAUTHENTICATED,
                              "The client certificate is not one of ours, and: %s.", why);
    X509_free(x);
    return e;
}
