/* SPDX-License-Identifier: Apache-2.0 */
/* renew_make: the steps of a renewal, each of which takes what an earlier run left of it. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "api/api.h"
#include "api/authority.h"
#include "api/backup.h"
#include "api/home_file.h"
#include "api/renewal.h"
#include "base/parts.h"

/* ---- keys ---- */

/* One that a run made before it was killed: nothing was ever signed by it. */
static enum err adopt(struct renewal *r, const char *file, const char *kind, bool is_ocsp, struct buf *spki)
{
    char uri[PATH_LEN_MAX + 128], found[KEY_KIND_MAX];
    struct signer_spec spec = {.uri = uri, .is_ocsp = is_ocsp, .is_new_root = !is_ocsp};
    struct signer_key *key = NULL;
    struct key_kind k;
    enum err e;

    snprintf(spec.id, sizeof spec.id, "%s", r->id);
    snprintf(uri, sizeof uri, "file:%s/%s", r->config.home, file);
    e = signer_key_load(&spec, &key, &r->f);
    if (e != OK)
        return e;
    buf_put_span(spki, signer_key_spki(key));
    signer_key_free(key);
    if (!key_kind_of(buf_span(spki), &k))
        return fault_set(&r->f, ERR_KEY, "%s: no key that we sign with", file);
    snprintf(found, sizeof found, "%s-%u", key_type_name(k.type), k.bits);
    if (strcmp(found, kind) != 0)
        return fault_set(&r->f, ERR_EXISTS,
                         "%s is there, and is %s instead of %s: move it away if it is yours", file, found,
                         kind);
    renewal_note(r, "%s was there already and is used.", file);
    return OK;
}

static enum err take_key(struct renewal *r, const char *suffix, const char *kind, bool is_ocsp,
                         struct buf *spki)
{
    char file[ISSUER_ID_MAX + 32], path[PATH_LEN_MAX];
    enum err e;

    snprintf(file, sizeof file, "keys/%s%s.key", r->id, suffix);
    e = path_join(path, r->config.home, file, &r->f);
    if (e == OK)
        file_drafts_remove(path);
    if (e == OK && access(path, F_OK) == 0)
        e = adopt(r, file, kind, is_ocsp, spki);
    else if (e == OK && r->is_begun && !is_ocsp)
        e = fault_set(&r->f, ERR_KEY, "%s is not there, the key of the certificate in the store: put it back",
                      file);
    else if (e == OK)
        e = authority_key(r->config.home, kind, file, spki, &r->f);
    return e == OK ? home_file_give(r->config.home, file, &r->f) : e;
}

static enum err take_keys(struct renewal *r)
{
    enum err e = take_key(r, "", r->key_kind, false, &r->spki);

    return e == OK ? take_key(r, "-ocsp", r->ocsp_kind, true, &r->ocsp_spki) : e;
}

/* ---- the certificate ---- */

static enum err load_parent(struct renewal *r, struct signer_key **out)
{
    struct signer_spec spec = {.uri = r->parent.files->key_uri,
                               .certificate = buf_span(&r->parent.certificate),
                               .may_leaf = r->parent.files->issues_leaves,
                               .may_subordinate = true};

    snprintf(spec.id, sizeof spec.id, "%s", r->parent.config->id);
    return signer_key_load(&spec, out, &r->f);
}

static enum err load_own(struct renewal *r, bool is_new_root, struct signer_key **out)
{
    struct signer_spec spec = {.is_new_root = is_new_root,
                               .certificate = is_new_root ? (struct span){0} : buf_span(&r->certificate),
                               .may_leaf = !is_new_root && r->old.files->issues_leaves,
                               .may_subordinate = !is_new_root};

    snprintf(spec.id, sizeof spec.id, "%s", r->id);
    return authority_load(r->config.home, &spec, out, &r->f);
}

static enum err sign(struct renewal *r, const struct signer_key *key)
{
    struct parts parent = {0};
    bool is_root = r->parent.files == NULL;
    struct authority a = {.id = r->id,
                          .parent = is_root ? "" : r->parent.config->id,
                          .name = buf_span(&r->name),
                          .spki = buf_span(&r->spki),
                          .path_len = r->path_len,
                          .not_before_s = r->not_before_s,
                          .not_after_s = r->not_after_s,
                          .public_url = r->config.public_url,
                          .node = r->config.ca.node};

    if (!is_root && !parts_of(buf_span(&r->parent.certificate), &parent))
        return fault_set(&r->f, ERR_INTERNAL, "issuer %s: its certificate cannot be read", a.parent);
    a.parent_name = is_root ? a.name : parent.subject;
    a.parent_spki = is_root ? a.spki : parent.spki;
    return authority_sign(&a, key, r->now_s, &r->certificate, &r->f);
}

/* In the store already when the run before came as far. Either way its key has to be what a signer takes. */
static enum err take_certificate(struct renewal *r)
{
    struct signer_key *by = NULL, *own = NULL;
    enum err e = OK;

    if (!r->is_begun)
        e = r->parent.files == NULL ? load_own(r, true, &by) : load_parent(r, &by);
    if (e == OK && !r->is_begun)
        e = sign(r, by);
    signer_key_free(by);
    if (e == OK)
        e = load_own(r, false, &own);
    signer_key_free(own);
    return e;
}

/* ---- the store ---- */

static void put_audit(struct txn *t, const struct renewal *r)
{
    char detail[3 * ISSUER_ID_MAX + 64];
    struct audit_row row = {.at_s = r->now_s, .kind = AUDIT_ISSUER, .actor = span_str(r->actor)};
    struct parts p;

    if (parts_of(buf_span(&r->certificate), &p) && p.serial.len == SERIAL_LEN) {
        row.has_serial = true;
        memcpy(row.serial, p.serial.data, SERIAL_LEN);
    }
    snprintf(detail, sizeof detail, "issuer %s, renews %s, %s%s", r->id, r->old_id,
             r->parent.config != NULL ? "parent " : "a root",
             r->parent.config != NULL ? r->parent.config->id : "");
    row.detail = span_str(detail);
    audit_append(t, &row);
}

/* What a restored store has forgotten may have been an issuer of this name and key, with lists of its own. */
static enum err raise_floor(struct renewal *r, struct txn *t, uint16_t no)
{
    struct audit_row restored;
    enum err e;

    if (txn_error(t) != OK)
        return OK; /* the commit says so */
    e = audit_newest(txn_view(t), AUDIT_RESTORE, UINT64_MAX, &restored);
    if (e == OK)
        crl_state_raise(t, no, 0, restore_floor(r->now_s));
    return e == OK || e == ERR_NOT_FOUND ? OK
                                         : fault_set(&r->f, e, "the audit does not say if this was restored");
}

static enum err put_rows(struct renewal *r, struct txn *t)
{
    struct issuer row = {.certificate = buf_span(&r->certificate)};
    struct cert_about about = {.der = buf_span(&r->certificate),
                               .cn = span_str(r->cn),
                               .profile = "chancery/issuer",
                               .requester = r->actor,
                               .now_s = r->now_s};
    uint16_t no;
    enum err e;

    snprintf(row.id, sizeof row.id, "%s", r->id);
    if (r->parent.config != NULL)
        snprintf(row.parent, sizeof row.parent, "%s", r->parent.config->id);
    issuer_add(t, &row, &no);
    about.issuer_no = r->parent.config != NULL ? r->parent.no : no;
    e = own_record(t, &about, &r->f);
    put_audit(t, r);
    return e == OK ? raise_floor(r, t, no) : e;
}

static enum err record(struct renewal *r)
{
    struct txn *t = NULL;
    enum err e = txn_begin(r->store, &t);

    if (e != OK)
        return fault_set(&r->f, e, "the store takes no transaction");
    e = put_rows(r, t);
    if (e != OK) {
        txn_abort(t);
        return e;
    }
    e = txn_commit(t);
    return e == OK ? OK : fault_set(&r->f, e, "the store takes no commit: %s", err_text(e));
}

/* ---- files ---- */

static enum err put_chain(struct renewal *r)
{
    struct view *v = NULL;
    struct issuer row;
    struct cert_path path;
    enum err e = view_open(r->store, &v);

    if (e == OK)
        e = issuer_find(v, r->id, &row);
    if (e == OK) {
        issuer_cert_path(v, &row, &path);
        e = authority_files(r->config.home, r->id, path.certs, path.count, &r->f);
    } else {
        e = fault_set(&r->f, e, "the store's issuers cannot be read");
    }
    view_close(v);
    return e;
}

static bool has_certificate(struct span pem, struct span der)
{
    char label[PEM_LABEL_MAX];
    struct buf each;
    bool has = false;

    buf_init(&each, PEM_MAX);
    while (!has && pem_next(&pem, label, &each) == OK)
        has = span_eq(buf_span(&each), der);
    buf_free(&each);
    return has;
}

#define SERVER_CA "admin/server-ca.pem"

/* A new root goes to what clients of the interface trust: the listener's certificates will come from below
 * it. */
static enum err add_root(struct renewal *r)
{
    char path[PATH_LEN_MAX];
    struct fault quiet = {0};
    struct buf pem;
    enum err e = path_join(path, r->config.home, SERVER_CA, &r->f);

    if (e != OK || r->parent.files != NULL)
        return e;
    buf_init(&pem, ISSUERS_MAX * PEM_MAX);
    e = file_read(path, &pem, &quiet);
    if (e != OK)
        renewal_note(r, "%s: add public/ca/%s.pem to what clients of the interface trust.", quiet.detail,
                     r->id);
    else if (!has_certificate(buf_span(&pem), buf_span(&r->certificate))) {
        if (pem.len > 0 && pem.data[pem.len - 1] != '\n')
            buf_put_u8(&pem, '\n'); /* by whoever edited it */
        pem_put(&pem, "CERTIFICATE", buf_span(&r->certificate));
        e = home_file_edit(r->config.home, SERVER_CA, buf_span(&pem), &r->f);
        buf_free(&pem);
        return e;
    }
    buf_free(&pem);
    return OK;
}

static enum err put_files(struct renewal *r)
{
    enum err e = put_chain(r);

    if (e == OK)
        e = authority_ocsp(r->config.home, r->id, buf_span(&r->ocsp_spki), &r->f);
    return e == OK ? add_root(r) : e;
}

/* ---- chancery.xml ---- */

enum err renewal_put_settings(struct renewal *r)
{
    struct config_texts now;
    enum err e = config_texts_read(r->config.home, &now, &r->f);

    if (e != OK)
        return e;
    if (!span_eq(buf_span(&now.settings), buf_span(&r->texts.settings)))
        e = fault_set(&r->f, ERR_CONFLICT, "chancery.xml was changed meanwhile: run it again");
    config_texts_free(&now);
    return e == OK ? home_file_edit(r->config.home, "chancery.xml", buf_span(&r->settings), &r->f) : e;
}

enum err renewal_make(struct renewal *r)
{
    enum err e = take_keys(r);

    if (e == OK)
        e = take_certificate(r);
    if (e == OK && !r->is_begun)
        e = record(r);
    if (e == OK)
        e = put_files(r);
    return e == OK ? renewal_put_settings(r) : e;
}
