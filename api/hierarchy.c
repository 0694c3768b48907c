/* SPDX-License-Identifier: Apache-2.0 */
/*
 * hierarchy: the keys and certificates of a new home. Keys are generated and used here once, in the process
 * that runs init; afterwards only a signer opens them.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "api/init.h"

#define DAY_S ((int64_t)86400)
#define ROOT_DAYS 7305    /* 20 years: outlives two generations of issuing CAs */
#define ISSUING_DAYS 3653 /* 10 years: a leaf of 5 years can be issued during the first half */
#define ADMIN_DAYS 730    /* as long as an administrator should go without a look at who it is */
#define BACKDATE_S 3600   /* clocks of machines that are set up together differ by minutes */
#define ADMIN_ISSUER 3    /* EC: every client that can do TLS 1.2 with AEAD can use such a certificate */

/* RSA CA keys are 3072 bits because some phones refuse CA keys of 4096. An issuing CA's pathLenConstraint of
 * 1 leaves room for CAPF's subordinate CA. The RSA hierarchy's OCSP signers are RSA unless init is told
 * otherwise: who asks about an RSA chain may lack EC. */
const struct plan plans[ISSUERS] = {
    {"rsa-root-g1", "", "rsa-3072", NULL, "RSA Root CA G1", ROOT_DAYS, -1, NULL, "168h"},
    {"rsa-g1", "rsa-root-g1", "rsa-3072", NULL, "RSA Issuing CA G1", ISSUING_DAYS, 1, "rsa", "24h"},
    {"ec-root-g1", "", "ec-384", "ec-256", "EC Root CA G1", ROOT_DAYS, -1, NULL, "168h"},
    {"ec-g1", "ec-root-g1", "ec-384", "ec-256", "EC Issuing CA G1", ISSUING_DAYS, 1, "ec", "24h"},
};

/* ---- keys and certificates ---- */

static enum err make_key(struct init *in, const char *kind, const char *file, struct buf *spki)
{
    char path[PATH_LEN_MAX];
    uint8_t *der = NULL;
    size_t len = 0;
    enum err e = path_join(path, in->dir, file, &in->f);

    if (e == OK)
        e = signer_key_generate(kind, path, &der, &len, &in->f);
    if (e == OK && spki != NULL)
        buf_put(spki, der, len);
    free(der);
    return e;
}

static enum err load_key(struct init *in, const struct plan *p, bool is_new_root, struct span certificate,
                         struct signer_key **out)
{
    char uri[PATH_LEN_MAX + 64];
    struct signer_spec spec = {.uri = uri,
                               .certificate = certificate,
                               .is_new_root = is_new_root,
                               .may_leaf = p->issues != NULL,
                               .may_subordinate = !is_new_root};

    snprintf(spec.id, sizeof spec.id, "%s", p->id);
    snprintf(uri, sizeof uri, "file:%s/keys/%s.key", in->dir, p->id);
    return signer_key_load(&spec, out, &in->f);
}

static enum err sign(struct init *in, const struct signer_key *key, struct tbs *t, struct buf *certificate)
{
    uint8_t signature[SIGNATURE_MAX];
    size_t signature_len = 0;
    struct buf tbs;
    enum err e;

    serial_new(1, t->not_after_s, t->serial);
    buf_init(&tbs, 16384);
    tbs_write(&tbs, t);
    e = signer_sign(key, PORT_CERTIFICATE, buf_span(&tbs), in->now_s, signature, &signature_len, &in->f);
    if (e == OK)
        certificate_write(certificate, buf_span(&tbs), t->alg, span_of(signature, signature_len));
    buf_free(&tbs);
    return e;
}

size_t plan_parent(size_t i)
{
    for (size_t k = 0; k < ISSUERS; k++)
        if (strcmp(plans[k].id, plans[i].parent) == 0)
            return k;
    return i; /* a root is its own */
}

static enum sig_alg algorithm_of(struct span spki)
{
    struct key_kind kind;

    return key_kind_of(spki, &kind) ? sig_alg_for(&kind) : SIG_NONE;
}

static enum err make_issuer(struct init *in, size_t i)
{
    const struct plan *p = &plans[i];
    struct made *m = &in->made[i], *parent = &in->made[plan_parent(i)];
    char cn[128], file[64], ocsp_url[300], issuer_url[300], crl_url[300];
    uint8_t aki[SKI_LEN] = {0};
    struct signer_key *fresh = NULL;
    bool is_root = m == parent;
    enum err e;

    snprintf(file, sizeof file, "keys/%s.key", p->id);
    snprintf(cn, sizeof cn, "%s %s", in->o->name, p->title);
    name_write(&m->name, in->o->name, cn);
    e = make_key(in, p->key, file, &m->spki);
    if (e == OK && is_root)
        e = load_key(in, p, true, (struct span){0}, &fresh);
    if (e != OK)
        return e;
    if (!ski_of(buf_span(&parent->spki), aki))
        e = fault_set(&in->f, ERR_INTERNAL, "the new key of %s cannot be read",
                      parent == m ? p->id : p->parent);
    snprintf(ocsp_url, sizeof ocsp_url, "%s/ocsp", in->public_url);
    snprintf(issuer_url, sizeof issuer_url, "%s/ca/%s.cer", in->public_url, p->parent);
    snprintf(crl_url, sizeof crl_url, "%s/crl/%s.crl", in->public_url, p->parent);
    if (e == OK) {
        struct tbs t = {
            .alg = algorithm_of(buf_span(&parent->spki)),
            .issuer = buf_span(&parent->name),
            .subject = buf_span(&m->name),
            .spki = buf_span(&m->spki),
            .not_before_s = in->now_s - BACKDATE_S,
            .not_after_s = in->now_s - BACKDATE_S + p->days * DAY_S - 1,
            .ku = KU_KEY_CERT_SIGN | KU_CRL_SIGN,
            .is_ca = true,
            .path_len = p->path_len,
            .aki = span_of(aki, sizeof aki),
            .ocsp_url = is_root ? NULL : ocsp_url,
            .issuer_url = is_root ? NULL : issuer_url,
            .crl_url = is_root ? NULL : crl_url,
        };

        e = sign(in, is_root ? fresh : parent->key, &t, &m->certificate);
    }
    signer_key_free(fresh);
    if (e == OK)
        e = load_key(in, p, false, buf_span(&m->certificate), &m->key);
    return e;
}

static enum err put_issuer_files(struct init *in, size_t i)
{
    const struct plan *p = &plans[i];
    struct span chain[2] = {buf_span(&in->made[i].certificate),
                            buf_span(&in->made[plan_parent(i)].certificate)};
    size_t n = plan_parent(i) == i ? 1 : 2;
    char name[64];
    struct buf p7b, ocsp_spki;
    struct span ocsp;
    enum err e;

    buf_init(&p7b, PEM_MAX);
    buf_init(&ocsp_spki, 4096);
    snprintf(name, sizeof name, "issuers/%s.pem", p->id);
    e = init_put_pem(in, name, "CERTIFICATE", chain, 1, 0644);
    snprintf(name, sizeof name, "issuers/%s-chain.pem", p->id);
    if (e == OK)
        e = init_put_pem(in, name, "CERTIFICATE", chain, n, 0644);
    snprintf(name, sizeof name, "public/ca/%s.pem", p->id);
    if (e == OK)
        e = init_put_pem(in, name, "CERTIFICATE", chain, 1, 0644);
    snprintf(name, sizeof name, "public/ca/%s.cer", p->id);
    if (e == OK)
        e = init_put_file(in, name, chain[0], 0644);
    if (e == OK)
        e = p7b_put(&p7b, chain, n);
    snprintf(name, sizeof name, "public/ca/%s.p7c", p->id);
    if (e == OK)
        e = init_put_file(in, name, buf_span(&p7b), 0644);
    snprintf(name, sizeof name, "keys/%s-ocsp.key", p->id);
    if (e == OK)
        e = make_key(in, p->ocsp_key != NULL ? p->ocsp_key : in->o->rsa_ocsp_key, name, &ocsp_spki);
    ocsp = buf_span(&ocsp_spki);
    snprintf(name, sizeof name, "issuers/%s-ocsp.pub", p->id);
    if (e == OK)
        e = init_put_pem(in, name, "PUBLIC KEY", &ocsp, 1, 0644);
    buf_free(&p7b);
    buf_free(&ocsp_spki);
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
        e = init_put_pem(in, "issuers/audit.pub", "PUBLIC KEY", &der, 1, 0644);
    if (e == OK)
        e = init_put_pem(in, "admin/audit.pub", "PUBLIC KEY", &der, 1, 0644);
    buf_free(&spki);
    return e;
}

/* The first administrator's client certificate, under the EC hierarchy: every client that can do TLS 1.2 with
 * AEAD can use it. */
static enum err make_admin(struct init *in)
{
    static const enum eku eku[] = {EKU_CLIENT_AUTH};
    struct made *m = &in->made[ADMIN_ISSUER];
    char ocsp_url[300], issuer_url[300], crl_url[300];
    uint8_t aki[SKI_LEN] = {0};
    struct buf spki, name;
    enum err e;

    buf_init(&spki, 4096);
    buf_init(&name, 1024);
    name_write(&name, in->o->name, "Administrator");
    e = make_key(in, "ec-256", "admin/admin.key", &spki);
    if (e == OK && !ski_of(buf_span(&m->spki), aki))
        e = fault_set(&in->f, ERR_INTERNAL, "the new key of %s cannot be read", plans[ADMIN_ISSUER].id);
    snprintf(ocsp_url, sizeof ocsp_url, "%s/ocsp", in->public_url);
    snprintf(issuer_url, sizeof issuer_url, "%s/ca/%s.cer", in->public_url, plans[ADMIN_ISSUER].id);
    snprintf(crl_url, sizeof crl_url, "%s/crl/%s.crl", in->public_url, plans[ADMIN_ISSUER].id);
    if (e == OK) {
        struct tbs t = {
            .alg = algorithm_of(buf_span(&m->spki)),
            .issuer = buf_span(&m->name),
            .subject = buf_span(&name),
            .spki = buf_span(&spki),
            .not_before_s = in->now_s - BACKDATE_S,
            .not_after_s = in->now_s + ADMIN_DAYS * DAY_S - 1,
            .ku = KU_DIGITAL_SIGNATURE,
            .eku = eku,
            .eku_count = 1,
            .aki = span_of(aki, sizeof aki),
            .ocsp_url = ocsp_url,
            .issuer_url = issuer_url,
            .crl_url = crl_url,
        };

        e = sign(in, m->key, &t, &in->admin);
    }
    buf_free(&spki);
    buf_free(&name);
    return e;
}

static enum err put_admin_files(struct init *in)
{
    struct span chain[] = {buf_span(&in->admin), buf_span(&in->made[ADMIN_ISSUER].certificate)};
    struct span roots[] = {buf_span(&in->made[0].certificate), buf_span(&in->made[2].certificate)};
    struct span p12_chain[] = {buf_span(&in->made[ADMIN_ISSUER].certificate),
                               buf_span(&in->made[2].certificate)};
    char key_path[PATH_LEN_MAX];
    struct buf p12;
    enum err e = init_put_pem(in, "admin/admin.pem", "CERTIFICATE", chain, 2, 0644);

    buf_init(&p12, PEM_MAX);
    if (e == OK)
        e = init_put_pem(in, "admin/server-ca.pem", "CERTIFICATE", roots, 2, 0644);
    if (e == OK)
        e = path_join(key_path, in->dir, "admin/admin.key", &in->f);
    if (e == OK)
        e = signer_p12_write(key_path, chain[0], p12_chain, 2, "Chancery administrator", &p12, &in->f);
    if (e == OK)
        e = init_put_file(in, "admin/admin.p12", buf_span(&p12), 0600);
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
