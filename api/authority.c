/* SPDX-License-Identifier: Apache-2.0 */
/* authority: see the header. */
#include "api/authority.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "api/home_file.h"
#include "base/parts.h"

enum err authority_key(const char *home, const char *kind, const char *file, struct buf *spki,
                       struct fault *f)
{
    char path[PATH_LEN_MAX];
    uint8_t *der = NULL;
    size_t len = 0;
    enum err e = path_join(path, home, file, f);

    if (e == OK)
        e = signer_key_generate(kind, path, &der, &len, f);
    if (e == OK && spki != NULL)
        buf_put(spki, der, len);
    free(der);
    return e;
}

enum err authority_load(const char *home, struct signer_spec *spec, struct signer_key **out, struct fault *f)
{
    char uri[PATH_LEN_MAX + 64];

    snprintf(uri, sizeof uri, "file:%s/keys/%s.key", home, spec->id);
    spec->uri = uri;
    return signer_key_load(spec, out, f);
}

static enum sig_alg algorithm_of(struct span spki)
{
    struct key_kind kind;

    return key_kind_of(spki, &kind) ? sig_alg_for(&kind) : SIG_NONE;
}

enum err own_sign(struct tbs *t, struct span issuer_spki, uint8_t node, const struct signer_key *key,
                  int64_t now_s, struct buf *certificate, struct fault *f)
{
    uint8_t signature[SIGNATURE_MAX], aki[SKI_LEN] = {0};
    size_t signature_len = 0;
    struct buf tbs;
    enum err e;

    if (!ski_of(issuer_spki, aki))
        return fault_set(f, ERR_INTERNAL, "the key of the issuer cannot be read");
    t->alg = algorithm_of(issuer_spki);
    t->aki = span_of(aki, sizeof aki);
    serial_new(node, t->not_after_s, t->serial);
    buf_init(&tbs, 16384);
    tbs_write(&tbs, t);
    e = signer_sign(key, PORT_CERTIFICATE, buf_span(&tbs), now_s, signature, &signature_len, f);
    if (e == OK)
        certificate_write(certificate, buf_span(&tbs), t->alg, span_of(signature, signature_len));
    buf_free(&tbs);
    return e;
}

enum err authority_sign(const struct authority *a, const struct signer_key *key, int64_t now_s,
                        struct buf *certificate, struct fault *f)
{
    char ocsp_url[300], issuer_url[300], crl_url[300];
    bool is_root = a->parent[0] == '\0';
    struct tbs t = {
        .issuer = a->parent_name,
        .subject = a->name,
        .spki = a->spki,
        .not_before_s = a->not_before_s,
        .not_after_s = a->not_after_s,
        .ku = KU_KEY_CERT_SIGN | KU_CRL_SIGN,
        .is_ca = true,
        .path_len = a->path_len,
        .ocsp_url = is_root ? NULL : ocsp_url,
        .issuer_url = is_root ? NULL : issuer_url,
        .crl_url = is_root ? NULL : crl_url,
    };

    snprintf(ocsp_url, sizeof ocsp_url, "%s/ocsp", a->public_url);
    snprintf(issuer_url, sizeof issuer_url, "%s/ca/%s.cer", a->public_url, a->parent);
    snprintf(crl_url, sizeof crl_url, "%s/crl/%s.crl", a->public_url, a->parent);
    return own_sign(&t, a->parent_spki, a->node, key, now_s, certificate, f);
}

enum err authority_files(const char *home, const char *id, const struct span *chain, size_t n,
                         struct fault *f)
{
    char name[ISSUER_ID_MAX + 32];
    struct buf p7b;
    enum err e;

    buf_init(&p7b, PEM_MAX);
    snprintf(name, sizeof name, "issuers/%s.pem", id);
    e = home_pem_put(home, name, "CERTIFICATE", chain, 1, 0644, f);
    snprintf(name, sizeof name, "issuers/%s-chain.pem", id);
    if (e == OK)
        e = home_pem_put(home, name, "CERTIFICATE", chain, n, 0644, f);
    snprintf(name, sizeof name, "public/ca/%s.pem", id);
    if (e == OK)
        e = home_pem_put(home, name, "CERTIFICATE", chain, 1, 0644, f);
    snprintf(name, sizeof name, "public/ca/%s.cer", id);
    if (e == OK)
        e = home_file_put(home, name, chain[0], 0644, f);
    if (e == OK)
        e = p7b_put(&p7b, chain, n);
    snprintf(name, sizeof name, "public/ca/%s.p7c", id);
    if (e == OK)
        e = home_file_put(home, name, buf_span(&p7b), 0644, f);
    buf_free(&p7b);
    return e;
}

enum err authority_ocsp(const char *home, const char *id, struct span spki, struct fault *f)
{
    char name[ISSUER_ID_MAX + 32];

    snprintf(name, sizeof name, "issuers/%s-ocsp.pub", id);
    return home_pem_put(home, name, "PUBLIC KEY", &spki, 1, 0644, f);
}

enum err own_record(struct txn *t, const struct cert_about *about, struct fault *f)
{
    struct cert_about own = *about;
    struct buf sans, subject;
    struct parts parts;
    struct cert row;
    uint64_t number;
    enum err e = OK;

    buf_init(&sans, 1024);
    buf_init(&subject, 1024);
    if (parts_of(own.der, &parts))
        name_text(parts.subject, &subject);
    own.subject_text = buf_span(&subject);
    if (cert_row(&own, &sans, &row))
        cert_add(t, &row, &number);
    else
        e = fault_set(f, ERR_INTERNAL, "the new certificate of %.*s cannot be read back", (int)own.cn.len,
                      (const char *)own.cn.data);
    buf_free(&sans);
    buf_free(&subject);
    return e;
}
