/* SPDX-License-Identifier: Apache-2.0 */
/* hierarchy: which keys and certificates a new home has, and each made in its turn (api/authority.h). */
#include <stdio.h>
#include <string.h>

#include "api/authority.h"
#include "api/home_file.h"
#include "api/init.h"
#include "base/clock.h"

#define ADMIN_DAYS 730 /* as long as an administrator should go without a look at who it is */

/* RSA CA keys are 3072 bits because some phones refuse CA keys of 4096. An issuing CA's pathLenConstraint of
 * 1 leaves room for CAPF's subordinate CA. The RSA hierarchy's OCSP signers are RSA unless init is told
 * otherwise: who asks about an RSA chain may lack EC. */
const struct plan plans[ISSUERS] = {
    [RSA_ROOT] = {"rsa-root-g1", "", "rsa-3072", NULL, "RSA Root CA G1", ROOT_DAYS, -1, NULL, "168h"},
    [RSA_ISSUING] = {"rsa-g1", "rsa-root-g1", "rsa-3072", NULL, "RSA Issuing CA G1", ISSUING_DAYS, 1, "rsa",
                     "24h"},
    [EC_ROOT] = {"ec-root-g1", "", "ec-384", "ec-256", "EC Root CA G1", ROOT_DAYS, -1, NULL, "168h"},
    [EC_ISSUING] = {"ec-g1", "ec-root-g1", "ec-384", "ec-256", "EC Issuing CA G1", ISSUING_DAYS, 1, "ec",
                    "24h"},
};

/* ---- keys and certificates ---- */

static enum err make_key(struct init *in, const char *kind, const char *file, struct buf *spki)
{
    return authority_key(in->dir, kind, file, spki, &in->f);
}

static enum err load_key(struct init *in, const struct plan *p, bool is_new_root, struct span certificate,
                         struct signer_key **out)
{
    struct signer_spec spec = {.certificate = certificate,
                               .is_new_root = is_new_root,
                               .may_leaf = p->issues != NULL,
                               .may_subordinate = !is_new_root};

    snprintf(spec.id, sizeof spec.id, "%s", p->id);
    return authority_load(in->dir, &spec, out, &in->f);
}

size_t plan_parent(size_t i)
{
    for (size_t k = 0; k < ISSUERS; k++)
        if (strcmp(plans[k].id, plans[i].parent) == 0)
            return k;
    return i; /* a root is its own */
}

static enum err make_issuer(struct init *in, size_t i)
{
    const struct plan *p = &plans[i];
    struct new_issuer *m = &in->made[i], *parent = &in->made[plan_parent(i)];
    struct signer_key *fresh = NULL;
    char cn[128], file[64];
    enum err e;

    snprintf(file, sizeof file, "keys/%s.key", p->id);
    snprintf(cn, sizeof cn, "%s %s", in->o->name, p->title);
    name_write(&m->name, in->o->name, cn);
    e = make_key(in, p->key, file, &m->spki);
    if (e == OK && m == parent)
        e = load_key(in, p, true, (struct span){0}, &fresh);
    if (e == OK) {
        struct authority a = {.id = p->id,
                              .parent = p->parent,
                              .name = buf_span(&m->name),
                              .spki = buf_span(&m->spki),
                              .parent_name = buf_span(&parent->name),
                              .parent_spki = buf_span(&parent->spki),
                              .path_len = p->path_len,
                              .not_before_s = in->now_s - AUTHORITY_BACKDATE_S,
                              .not_after_s = in->now_s - AUTHORITY_BACKDATE_S + p->days * DAY_S - 1,
                              .public_url = in->public_url,
                              .node = FIRST_NODE};

        e = authority_sign(&a, m == parent ? fresh : parent->key, in->now_s, &m->certificate, &in->f);
    }
    signer_key_free(fresh);
    return e == OK ? load_key(in, p, false, buf_span(&m->certificate), &m->key) : e;
}

static enum err put_issuer_files(struct init *in, size_t i)
{
    const struct plan *p = &plans[i];
    struct span chain[2] = {buf_span(&in->made[i].certificate),
                            buf_span(&in->made[plan_parent(i)].certificate)};
    struct buf spki;
    char name[64];
    enum err e = authority_files(in->dir, p->id, chain, plan_parent(i) == i ? 1 : 2, &in->f);

    buf_init(&spki, 4096);
    snprintf(name, sizeof name, "keys/%s-ocsp.key", p->id);
    if (e == OK)
        e = make_key(in, p->ocsp_key != NULL ? p->ocsp_key : in->o->rsa_ocsp_key, name, &spki);
    if (e == OK)
        e = authority_ocsp(in->dir, p->id, buf_span(&spki), &in->f);
    buf_free(&spki);
    return e;
}

/* Who verifies the audit elsewhere needs the public half: a copy stands with what the administrator takes. */
static enum err make_audit_key(struct init *in)
{
    struct buf spki;
    struct span der;
    enum err e;

    buf_init(&spki, 1024);
    e = make_key(in, "ec-256", "keys/audit.key", &spki);
    der = buf_span(&spki);
    if (e == OK)
        e = home_pem_put(in->dir, "issuers/audit.pub", "PUBLIC KEY", &der, 1, 0644, &in->f);
    if (e == OK)
        e = home_pem_put(in->dir, "admin/audit.pub", "PUBLIC KEY", &der, 1, 0644, &in->f);
    buf_free(&spki);
    return e;
}

/* The first administrator's client certificate, under the EC hierarchy: every client that can do TLS 1.2 with
 * AEAD can use it. */
static enum err make_admin(struct init *in)
{
    static const enum eku eku[] = {EKU_CLIENT_AUTH};
    struct new_issuer *m = &in->made[ADMIN_ISSUER];
    char ocsp_url[300], issuer_url[300], crl_url[300];
    struct buf spki, name;
    enum err e;

    buf_init(&spki, 4096);
    buf_init(&name, 1024);
    name_write(&name, in->o->name, "Administrator");
    e = make_key(in, "ec-256", "admin/admin.key", &spki);
    snprintf(ocsp_url, sizeof ocsp_url, "%s/ocsp", in->public_url);
    snprintf(issuer_url, sizeof issuer_url, "%s/ca/%s.cer", in->public_url, plans[ADMIN_ISSUER].id);
    snprintf(crl_url, sizeof crl_url, "%s/crl/%s.crl", in->public_url, plans[ADMIN_ISSUER].id);
    if (e == OK) {
        struct tbs t = {
            .issuer = buf_span(&m->name),
            .subject = buf_span(&name),
            .spki = buf_span(&spki),
            .not_before_s = in->now_s - AUTHORITY_BACKDATE_S,
            .not_after_s = in->now_s + ADMIN_DAYS * DAY_S - 1,
            .ku = KU_DIGITAL_SIGNATURE,
            .eku = eku,
            .eku_count = 1,
            .ocsp_url = ocsp_url,
            .issuer_url = issuer_url,
            .crl_url = crl_url,
        };

        e = own_sign(&t, buf_span(&m->spki), FIRST_NODE, m->key, in->now_s, &in->admin, &in->f);
    }
    buf_free(&spki);
    buf_free(&name);
    return e;
}

static enum err put_admin_files(struct init *in)
{
    struct span chain[] = {buf_span(&in->admin), buf_span(&in->made[ADMIN_ISSUER].certificate)};
    struct span roots[] = {buf_span(&in->made[RSA_ROOT].certificate),
                           buf_span(&in->made[EC_ROOT].certificate)};
    struct span p12_chain[] = {buf_span(&in->made[ADMIN_ISSUER].certificate),
                               buf_span(&in->made[EC_ROOT].certificate)};
    char key_path[PATH_LEN_MAX];
    struct buf p12;
    enum err e = home_pem_put(in->dir, "admin/admin.pem", "CERTIFICATE", chain, 2, 0644, &in->f);

    buf_init(&p12, PEM_MAX);
    if (e == OK)
        e = home_pem_put(in->dir, "admin/server-ca.pem", "CERTIFICATE", roots, 2, 0644, &in->f);
    if (e == OK)
        e = path_join(key_path, in->dir, "admin/admin.key", &in->f);
    if (e == OK)
        e = signer_p12_write(key_path, chain[0], p12_chain, 2, "Chancery administrator", &p12, &in->f);
    if (e == OK)
        e = home_file_put(in->dir, "admin/admin.p12", buf_span(&p12), 0600, &in->f);
    buf_free(&p12);
    return e;
}

enum err hierarchy_make(struct init *in)
{
    enum err e = OK;

    for (size_t i = 0; e == OK && i < ISSUERS; i++)
        e = make_issuer(in, i);
    for (size_t i = 0; e == OK && i < ISSUERS; i++)
        e = put_issuer_files(in, i);
    if (e == OK)
        e = make_admin(in);
    if (e == OK)
        e = put_admin_files(in);
    if (e == OK)
        e = make_audit_key(in);
    if (e == OK)
        e = make_key(in, "rsa-2048", "keys/https-rsa.key", NULL);
    return e == OK ? make_key(in, "ec-256", "keys/https-ec.key", NULL) : e;
}
