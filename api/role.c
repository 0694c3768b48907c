/* SPDX-License-Identifier: Apache-2.0 */
/* role: what each process does once it is itself: reads the configuration, finds its wires, runs its room. */
#include "api/role.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"

static int exit_code(enum err e)
{
    if (e == OK)
        return DONE;
    return e == ERR_CONFIG || e == ERR_KEY || e == ERR_NOT_FOUND || e == ERR_CONFLICT || e == ERR_EXISTS
               ? WRONG_USE
               : SERVICE_FAILED;
}

/* ---- signers ---- */

static enum err read_pem_file(const char *path, const char *label, struct buf *der, struct fault *f)
{
    struct buf pem;
    enum err e;

    buf_init(&pem, PEM_MAX);
    e = file_read(path, &pem, f);
    if (e == OK && pem_get(buf_span(&pem), label, der) != OK)
        e = fault_set(f, ERR_CONFIG, "%s: no PEM block %s", path, label);
    buf_free(&pem);
    return e;
}

static enum err load_key(const struct issuer_files *i, bool is_ocsp, struct signer_key **key, struct fault *f)
{
    struct buf certificate;
    struct signer_spec spec = {.uri = is_ocsp ? i->ocsp_key_uri : i->key_uri,
                               .is_ocsp = is_ocsp,
                               .may_leaf = !is_ocsp && i->issues_leaves,
                               .may_subordinate = !is_ocsp && i->issues_leaves};
    enum err e = OK;

    buf_init(&certificate, PEM_MAX);
    if (!is_ocsp)
        e = read_pem_file(i->certificate, "CERTIFICATE", &certificate, f);
    if (e == OK) {
        strcpy(spec.id, i->id);
        spec.certificate = buf_span(&certificate);
        e = signer_key_load(&spec, key, f);
    }
    buf_free(&certificate);
    return e;
}

static enum err load_audit_key(const struct config *c, struct signer_key **key, struct fault *f)
{
    struct signer_spec spec = {.id = SEAL_KEY_ID, .uri = c->audit_key_uri, .is_audit = true};

    return signer_key_load(&spec, key, f);
}

unsigned core_count(void)
{
    long n = sysconf(_SC_NPROCESSORS_ONLN);

    return n < 1 ? 1 : n > 64 ? 64 : (unsigned)n;
}

/* What a signing process is sealed with. */
struct sealing {
    enum role_id id;
    const struct config *config;
};

static enum err tell_fault(enum err e, const char *event, const struct fault *f)
{
    if (e != OK)
        log_error(event, "%s", f->detail);
    return e;
}

static enum err seal(void *arg)
{
    const struct sealing *s = arg;
    struct fault f = {0};

    return tell_fault(role_seal(s->id, s->config, &f), "confine", &f);
}

static enum err enter(enum role_id id, const struct config *c, const struct boards *boards)
{
    struct fault f = {0};

    return tell_fault(role_enter(id, c, boards->own, &f), "confine", &f);
}

static enum err load_keys(const struct config *c, bool is_ocsp, bool seals, struct signer_key **keys)
{
    struct fault f = {0};
    enum err e = OK;

    for (size_t i = 0; e == OK && i < c->issuer_count; i++)
        e = load_key(&c->issuers[i], is_ocsp, &keys[i], &f);
    if (e == OK && seals)
        e = load_audit_key(c, &keys[c->issuer_count], &f);
    return tell_fault(e, "key", &f);
}

static int run_signer(enum role_id id, struct config *c, struct signer_role r, const struct boards *boards)
{
    struct signer_key *keys[ISSUERS_MAX + 1] = {0};
    struct sealing sealing = {id, c};
    bool seals = id == ROLE_SIGNER && c->audit_key_uri[0] != '\0';
    size_t count = c->issuer_count + (seals ? 1 : 0);
    enum err e = load_keys(c, id == ROLE_OCSP_SIGNER, seals, keys);

    r.keys = keys;
    r.key_count = count;
    r.workers = core_count();
    r.seal = seal;
    r.seal_arg = &sealing;
    if (e == OK)
        e = enter(id, c, boards);
    if (e == OK)
        e = signer_run(&r);
    for (size_t i = 0; i < count; i++)
        signer_key_free(keys[i]);
    return exit_code(e);
}

static int run_ca_signer(struct config *c, const int *fds, const struct boards *boards)
{
    return run_signer(ROLE_SIGNER, c,
                      (struct signer_role){.certificate_fd = fds[0], .crl_fd = fds[1], .ocsp_fd = -1},
                      boards);
}

static int run_ocsp_signer(struct config *c, const int *fds, const struct boards *boards)
{
    return run_signer(ROLE_OCSP_SIGNER, c,
                      (struct signer_role){.certificate_fd = -1, .crl_fd = -1, .ocsp_fd = fds[0]}, boards);
}

/* ---- the configuration again ---- */

/* NULL, and said: it is none. */
static struct config *read_again(const struct config *now)
{
    struct config *fresh = xcalloc(1, sizeof *fresh);
    struct fault f = {0};

    if (config_reload(now, fresh, &f) == OK)
        return fresh;
    log_error("reload", "the configuration in force stays: %s", f.detail);
    free(fresh);
    return NULL;
}

static bool reload_catalogue(void *arg, struct ca_config *config, struct catalogue *catalogue)
{
    struct config *fresh = read_again(arg);

    if (fresh == NULL)
        return false;
    *config = fresh->ca;
    *catalogue = fresh->catalogue; /* it goes over */
    free(fresh);
    return true;
}

static bool reload_watch(void *arg, struct watch_config *out)
{
    struct config *fresh = read_again(arg);

    if (fresh == NULL)
        return false;
    *out = fresh->watch;
    config_free(fresh);
    free(fresh);
    return true;
}

/* ---- ca ---- */

/* issuers/ID-HOST-ocsp.pub: what each other host has sent us of its key for this issuer. */
static enum err read_host_keys(const struct config *c, size_t index,
                               struct buf out[static RESPONDER_HOSTS_MAX],
                               struct span spki[static RESPONDER_HOSTS_MAX], struct fault *f)
{
    const struct ca_issuer *i = &c->ca.issuers[index];
    char name[ISSUER_ID_MAX + RESPONDER_HOST_MAX + 32], path[PATH_LEN_MAX];
    struct key_kind kind;
    enum err e = OK;

    for (size_t h = 0; e == OK && h < i->host_count; h++) {
        buf_init(&out[h], PEM_MAX);
        snprintf(name, sizeof name, "issuers/%s-%s-ocsp.pub", i->id, i->hosts[h]);
        e = path_join(path, c->home, name, f);
        if (e == OK)
            e = read_pem_file(path, "PUBLIC KEY", &out[h], f);
        spki[h] = buf_span(&out[h]);
        if (e == OK && (!key_kind_of(spki[h], &kind) || sig_alg_for(&kind) == SIG_NONE))
            e = fault_set(f, ERR_CONFIG, "%s: no RSA or EC key that can sign OCSP answers", path);
    }
    return e;
}

/* Nothing when the audit is not sealed. */
static enum err read_seal_pem(const struct config *c, struct buf *out, struct fault *f)
{
    return c->audit_key_uri[0] == '\0' ? OK : file_read(c->audit_public, out, f);
}

/* NULL when the audit is not sealed. */
static enum err read_seal_keys(const struct config *c, struct seal_keys **out, struct fault *f)
{
    struct fault why = {0};
    struct buf pem;
    enum err e;

    *out = NULL;
    if (c->audit_key_uri[0] == '\0')
        return OK;
    buf_init(&pem, PEM_MAX);
    e = read_seal_pem(c, &pem, f);
    if (e == OK && seal_keys_read(buf_span(&pem), out, &why) != OK)
        e = fault_set(f, ERR_KEY, "%s: %s", c->audit_public, why.detail);
    buf_free(&pem);
    return e;
}

/* What the ca knows of the keys of others. */
struct ca_keys {
    struct buf responders[ISSUERS_MAX]; /* SPKI, one an issuer; and of other hosts */
    struct buf hosts[ISSUERS_MAX][RESPONDER_HOSTS_MAX];
    struct seal_keys *seals;
};

/* `r` borrows them. */
static enum err ca_keys_read(struct ca_keys *k, const struct config *c, struct ca_role *r)
{
    struct fault f = {0};
    enum err e = read_seal_keys(c, &k->seals, &f);

    r->seal_keys = k->seals;
    for (size_t i = 0; i < c->issuer_count; i++) {
        buf_init(&k->responders[i], PEM_MAX);
        if (e == OK)
            e = read_pem_file(c->issuers[i].ocsp_public, "PUBLIC KEY", &k->responders[i], &f);
        r->responder_spki[i] = buf_span(&k->responders[i]);
        if (e == OK)
            e = read_host_keys(c, i, k->hosts[i], r->host_spki[i], &f);
    }
    return tell_fault(e, "key", &f);
}

static void ca_keys_free(struct ca_keys *k)
{
    for (size_t i = 0; i < ISSUERS_MAX; i++) {
        buf_free(&k->responders[i]);
        for (size_t h = 0; h < RESPONDER_HOSTS_MAX; h++)
            buf_free(&k->hosts[i][h]);
    }
    seal_keys_free(k->seals);
    free(k);
}

static int run_ca(struct config *c, const int *fds, const struct boards *boards)
{
    struct ca_role *r = xcalloc(1, sizeof *r);
    struct ca_keys *keys = xcalloc(1, sizeof *keys);
    enum err e;

    *r = (struct ca_role){.store_dir = c->store_dir,
                          .map_size = c->map_size,
                          .config = c->ca,
                          .catalogue = c->catalogue,
                          .publish_on_revocation = c->crl.on_revocation,
                          .api_fd = fds[0],
                          .port_fd = fds[1],
                          .desk_fd = fds[2],
                          .board = boards->own,
                          .reload = reload_catalogue,
                          .reload_arg = c};
    c->catalogue = (struct catalogue){0}; /* the ca's from here on */
    e = ca_keys_read(keys, c, r);
    if (e == OK)
        e = enter(ROLE_CA, c, boards);
    if (e == OK)
        e = ca_run(r);
    ca_keys_free(keys);
    catalogue_free(&r->catalogue);
    free(r);
    return exit_code(e);
}

/* ---- the rest ---- */

static int run_crl(struct config *c, const int *fds, const struct boards *boards)
{
    struct crl_role r = {.store_dir = c->store_dir,
                         .public_dir = c->public_dir,
                         .config = c->crl,
                         .port_fd = fds[0],
                         .desk_fd = fds[1],
                         .board = boards->own};
    enum err e = enter(ROLE_CRL, c, boards);

    return exit_code(e == OK ? crl_run(&r) : e);
}

static int run_ocsp(struct config *c, const int *fds, const struct boards *boards)
{
    struct public_role r = {.config = c,
                            .http_fd = fds[0],
                            .port_fd = fds[1],
                            .control_fd = c->is_ocsp_host ? fds[2] : -1,
                            .recent_fd = fds[3],
                            .as_of_fd = c->is_ocsp_host ? fds[4] : -1,
                            .board = boards->own,
                            .boards = boards->all,
                            .board_count = BOARD_COUNT};
    enum err e = enter(ROLE_OCSP, c, boards);

    return exit_code(e == OK ? public_run(&r) : e);
}

/* One that cannot be read is told and left empty: the other may do. */
static void load_https_keys(const struct config *c, struct buf keys[static 2])
{
    static const char *const names[] = {"keys/https-rsa.key", "keys/https-ec.key"};
    char path[PATH_LEN_MAX];

    for (size_t i = 0; i < 2; i++) {
        struct fault f = {0};
        enum err e = path_join(path, c->home, names[i], &f);

        buf_init(&keys[i], PEM_MAX);
        if (e == OK)
            e = file_read(path, &keys[i], &f);
        if (tell_fault(e, "listener-key", &f) != OK)
            buf_reset(&keys[i]);
    }
}

static void free_https_keys(struct buf keys[static 2])
{
    for (size_t i = 0; i < 2; i++) {
        if (keys[i].len > 0)
            explicit_bzero(keys[i].data, keys[i].len);
        buf_free(&keys[i]);
    }
}

static int run_api(struct config *c, const int *fds, const struct boards *boards)
{
    struct buf https_keys[2], seal_pem;
    struct api_role r = {.config = c,
                         .https_keys = https_keys,
                         .seal_pem = &seal_pem,
                         .https_fd = fds[0],
                         .control_fd = fds[1],
                         .ca_fd = fds[2],
                         .board = boards->own,
                         .boards = boards->all,
                         .board_count = BOARD_COUNT};
    struct fault f = {0};
    enum err e;

    r.strangers = strangers_read("/proc", &c->ca.access);
    load_https_keys(c, https_keys);
    buf_init(&seal_pem, PEM_MAX);
    e = tell_fault(read_seal_pem(c, &seal_pem, &f), "key", &f);
    if (e == OK)
        e = enter(ROLE_API, c, boards);
    if (e == OK)
        e = api_run(&r);
    buf_free(&seal_pem);
    free_https_keys(https_keys);
    return exit_code(e);
}

static int run_watch(struct config *c, const int *fds, const struct boards *boards)
{
    struct watch_role r = {.public_dir = c->public_dir,
                           .state_dir = c->watch_dir,
                           .config = &c->watch,
                           .board = boards->own,
                           .boards = boards->all,
                           .board_count = BOARD_COUNT,
                           .reload = reload_watch,
                           .reload_arg = c};
    enum err e = enter(ROLE_WATCH, c, boards);

    (void)fds;
    return exit_code(e == OK ? watch_run(&r) : e);
}

const struct role_kind role_kinds[ROLE_COUNT] = {
    [ROLE_SIGNER] = {"signer", 2, false, run_ca_signer},             /* certificate port, CRL port */
    [ROLE_OCSP_SIGNER] = {"ocsp-signer", 1, false, run_ocsp_signer}, /* OCSP port */
    [ROLE_CA] = {"ca", 3, false, run_ca},                            /* api, certificate port, desk */
    [ROLE_CRL] = {"crl", 2, false, run_crl},                         /* CRL port, desk */
    [ROLE_OCSP] = {"ocsp", 5, true, run_ocsp}, /* HTTP listener, OCSP port, on an OCSP host the control
                                                   socket, what was asked for lately, on an OCSP host the time
                                                   of the latest snapshot */
    [ROLE_API] = {"api", 3, true, run_api},    /* HTTPS listener, control socket, ca */
    [ROLE_WATCH] = {"watch", 0, true, run_watch},
};

/* The supervisor has put them behind the role's wires. */
static enum err open_boards(bool is_front, struct boards *out, struct fault *f)
{
    enum err e = board_open(BOARD_FD, &out->own, f);

    for (int i = 0; e == OK && is_front && i < BOARD_COUNT; i++)
        e = board_open_read(BOARD_READ_FD + i, &out->all[i], f);
    close(BOARD_FD);
    for (int i = 0; is_front && i < BOARD_COUNT; i++)
        close(BOARD_READ_FD + i);
    return e;
}

/* The home is where it works: what it opens from here on it opens by a name below it, for which nothing above
 * the home needs to be passed through. */
static enum err begin(const struct role_kind *kind, struct config *c, struct boards *boards, struct fault *f)
{
    enum err e = open_boards(kind->is_front, boards, f);

    if (e == OK)
        e = config_load_handed(HANDOUT_FD, c, f);
    if (e == OK && chdir(c->home) != 0)
        e = fault_set(f, ERR_IO, "%s: %s", c->home, strerror(errno));
    return e;
}

int role_main(const char *name)
{
    const int fds[ROLE_FDS_MAX] = {FIRST_FD, FIRST_FD + 1, FIRST_FD + 2, FIRST_FD + 3, FIRST_FD + 4};
    struct config *c = xcalloc(1, sizeof *c);
    struct boards boards = {0};
    struct fault f = {0};
    int code = WRONG_USE;

    for (size_t i = 0; i < ROLE_COUNT; i++) {
        if (strcmp(role_kinds[i].name, name) != 0)
            continue;
        log_role(role_kinds[i].name);
        if (tell_fault(begin(&role_kinds[i], c, &boards, &f), "config", &f) == OK)
            code = role_kinds[i].run(c, fds, &boards);
        config_free(c);
        break;
    }
    free(c);
    return code;
}
