/* SPDX-License-Identifier: Apache-2.0 */
/*
 * init: a new home, made whole beside its final place and renamed into it, so that there is a complete home
 * or none.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "api/authority.h"
#include "api/init.h"
#include "api/result.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/tree.h"

#define NAME_CHARS_MAX 40u /* "<name> RSA Issuing CA G1" must fit the 64 characters of a commonName */

static enum err make_directories(struct init *in)
{
    static const struct {
        const char *name;
        mode_t mode;
    } dirs[] = {{"keys", 0700},      {"issuers", 0755},    {"store", 0700}, {"public", 0755},
                {"public/ca", 0755}, {"public/crl", 0755}, {"admin", 0700}, {"listener", 0700}};
    char path[PATH_LEN_MAX];

    for (size_t i = 0; i < sizeof dirs / sizeof *dirs; i++) {
        enum err e = path_join(path, in->dir, dirs[i].name, &in->f);

        if (e != OK)
            return e;
        if (mkdir(path, dirs[i].mode) != 0 || chmod(path, dirs[i].mode) != 0)
            return fault_set(&in->f, ERR_IO, "%s: %s", path, strerror(errno));
    }
    return OK;
}

/* ---- the store ---- */

static enum err add_certificate(struct init *in, struct txn *t, struct span der, const char *cn,
                                const char *profile, uint16_t issuer_no)
{
    return own_record(t,
                      &(struct cert_about){.der = der,
                                           .cn = span_str(cn),
                                           .profile = profile,
                                           .requester = "init",
                                           .issuer_no = issuer_no,
                                           .now_s = in->now_s},
                      &in->f);
}

static enum err add_issuer(struct init *in, struct txn *t, size_t i)
{
    struct new_issuer *m = &in->made[i];
    struct issuer row = {.certificate = buf_span(&m->certificate)};
    char cn[128];

    snprintf(row.id, sizeof row.id, "%s", plans[i].id);
    snprintf(row.parent, sizeof row.parent, "%s", plans[i].parent);
    snprintf(cn, sizeof cn, "%s %s", in->o->name, plans[i].title);
    issuer_add(t, &row, &m->no);
    return add_certificate(in, t, buf_span(&m->certificate), cn, "chancery/issuer",
                           in->made[plan_parent(i)].no);
}

static enum err fill_store(struct init *in)
{
    struct audit_row row = {
        .at_s = in->now_s, .kind = AUDIT_INIT, .actor = span_str("init"), .detail = span_str(in->o->name)};
    char path[PATH_LEN_MAX];
    struct txn *t = NULL;
    enum err e = path_join(path, in->dir, "store", &in->f);

    if (e == OK)
        e = store_open(path, STORE_CREATE, 0, &in->store, &in->f);
    if (e != OK)
        return e;
    if (txn_begin(in->store, &t) != OK)
        return fault_set(&in->f, ERR_IO, "%s: the new store refuses a transaction", path);
    for (size_t i = 0; e == OK && i < ISSUERS; i++)
        e = add_issuer(in, t, i);
    if (e == OK)
        e = add_certificate(in, t, buf_span(&in->admin), "Administrator", "chancery/administrator",
                            in->made[ADMIN_ISSUER].no);
    audit_append(t, &row);
    if (e != OK) {
        txn_abort(t);
        return e;
    }
    return txn_commit(t) == OK ? OK : fault_set(&in->f, ERR_IO, "%s: the first commit failed", path);
}

/* ---- the home as a whole ---- */

/* 1..40 characters of UTF-8 without control characters: the name becomes part of every CA's subject. */
static enum err check_name(struct init *in)
{
    size_t chars = 0;

    for (const unsigned char *p = (const unsigned char *)in->o->name; *p != '\0'; p++) {
        if (*p < 0x20 || *p == 0x7f)
            return fault_set(&in->f, ERR_USAGE, "--name: control characters are not permitted");
        chars += (*p & 0xc0) != 0x80;
    }
    if (chars == 0 || chars > NAME_CHARS_MAX)
        return fault_set(&in->f, ERR_USAGE, "--name: 1 to %u characters, so that every CA's name fits 64",
                         NAME_CHARS_MAX);
    return OK;
}

static enum err check_ocsp_key(struct init *in)
{
    const char *kind = in->o->rsa_ocsp_key;

    if (strcmp(kind, "rsa-2048") == 0 || strcmp(kind, "ec-256") == 0)
        return OK;
    return fault_set(&in->f, ERR_USAGE, "--rsa-ocsp-key %s: rsa-2048 or ec-256", kind);
}

static enum err check_listen(struct init *in, const char *option, const char *where)
{
    if (http_listen_reads(where))
        return OK;
    return fault_set(&in->f, ERR_USAGE,
                     "%s %s: not an address in numbers and a port such as 127.0.0.1:8080 or [::1]:8080",
                     option, where);
}

static enum err check_listeners(struct init *in)
{
    enum err e = check_listen(in, "--http", in->o->http);

    if (e == OK)
        e = check_listen(in, "--https", in->o->https);
    if (e == OK && config_same_listen(in->o->http, in->o->https))
        e = fault_set(&in->f, ERR_USAGE, "--http and --https are both %s: each needs an address of its own",
                      in->o->http);
    return e;
}

static enum err make_home(struct init *in)
{
    enum err e = make_directories(in);

    if (e == OK)
        e = settings_make(in);
    if (e == OK)
        e = hierarchy_make(in);
    return e == OK ? fill_store(in) : e;
}

static enum err run(struct init *in)
{
    enum err e = check_name(in);

    if (e == OK)
        e = check_ocsp_key(in);
    if (e == OK)
        e = check_listeners(in);
    if (e == OK)
        e = tree_check_free(in->o->home, &in->f);
    if (e == OK)
        e = tree_draft(in->o->home, in->dir, &in->f);
    if (e != OK)
        return e;
    e = make_home(in);
    store_close(in->store);
    in->store = NULL;
    if (e == OK && !in->o->is_dry_run)
        e = tree_place(in->dir, in->o->home, 0755, &in->f);
    if (e != OK || in->o->is_dry_run)
        tree_remove(in->dir);
    return e;
}

static void say_done(const struct init_options *o)
{
    if (o->is_quiet)
        return;
    if (o->is_dry_run) {
        fprintf(stderr, "%s would be created; nothing was.\n", o->home);
        return;
    }
    fprintf(stderr,
            "Created %s: two hierarchies (RSA 3072, EC P-384), their OCSP signers and an administrator.\n"
            "  start it            chancery serve --home %s\n"
            "  the administrator   %s/admin/admin.pem, admin.key (admin.p12 for a browser, empty password)\n"
            "  trust the listener  %s/admin/server-ca.pem\n"
            "Keep a copy of %s/keys where nobody else can read it.\n",
            o->home, o->home, o->home, o->home, o->home);
}

/* Without a final slash (the temporary name goes beside the home, not into it), and absolute, as key URIs
 * must be. */
static void set_home(struct init *in, const char *home)
{
    size_t len = strlen(home);
    char cwd[PATH_LEN_MAX];

    while (len > 1 && home[len - 1] == '/')
        len--;
    if (home[0] == '/')
        snprintf(in->home, sizeof in->home, "%.*s", (int)len, home);
    else if (getcwd(cwd, sizeof cwd) != NULL)
        snprintf(in->home, sizeof in->home, "%.500s%s%.*s", cwd, strcmp(cwd, "/") == 0 ? "" : "/",
                 (int)(len < 500 ? len : 500), home);
    in->settled.home = in->home;
}

static struct init *init_new(const struct init_options *o)
{
    struct init *in = xcalloc(1, sizeof *in);

    in->settled = *o;
    in->o = &in->settled;
    in->now_s = clock_now_s();
    set_home(in, o->home);
    buf_init(&in->admin, PEM_MAX);
    for (size_t i = 0; i < ISSUERS; i++) {
        buf_init(&in->made[i].name, 1024);
        buf_init(&in->made[i].certificate, PEM_MAX);
        buf_init(&in->made[i].spki, 4096);
    }
    return in;
}

static void init_free(struct init *in)
{
    for (size_t i = 0; i < ISSUERS; i++) {
        signer_key_free(in->made[i].key);
        buf_free(&in->made[i].name);
        buf_free(&in->made[i].certificate);
        buf_free(&in->made[i].spki);
    }
    buf_free(&in->admin);
    free(in);
}

int init_main(const struct init_options *o)
{
    struct init *in;
    enum err e;

    log_role("init");
    in = init_new(o);
    e = run(in);
    if (e != OK)
        result_fail(e, &in->f);
    else
        say_done(in->o);
    init_free(in);
    return e == OK ? DONE : WRONG_USE;
}
