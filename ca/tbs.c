/* SPDX-License-Identifier: Apache-2.0 */
/* tbs: the tbsCertificate of RFC 5280 4.1, written once, read again by the signer before it signs. */
#include "base/der.h"
#include "ca/ca.h"

static const struct {
    const char *basic_constraints, *key_usage, *ext_key_usage, *subject_alt_name, *subject_key_id,
        *authority_key_id, *crl_points, *freshest_crl, *authority_info, *nocheck, *ad_ocsp, *ad_issuers;
} oid = {
    .basic_constraints = "\x55\x1d\x13",
    .key_usage = "\x55\x1d\x0f",
    .ext_key_usage = "\x55\x1d\x25",
    .subject_alt_name = "\x55\x1d\x11",
    .subject_key_id = "\x55\x1d\x0e",
    .authority_key_id = "\x55\x1d\x23",
    .crl_points = "\x55\x1d\x1f",
    .freshest_crl = "\x55\x1d\x2e",
    .authority_info = "\x2b\x06\x01\x05\x05\x07\x01\x01",
    .nocheck = "\x2b\x06\x01\x05\x05\x07\x30\x01\x05",
    .ad_ocsp = "\x2b\x06\x01\x05\x05\x07\x30\x01",
    .ad_issuers = "\x2b\x06\x01\x05\x05\x07\x30\x02",
};

static void put_basic_constraints(struct buf *b, int path_len)
{
    struct der_extension m = der_open_extension(b, span_str(oid.basic_constraints), true);
    size_t seq = der_open(b, DER_SEQUENCE);

    der_put_bool(b, true);
    if (path_len >= 0)
        der_put_uint(b, (uint64_t)path_len);
    der_close(b, seq);
    der_close_extension(b, m);
}

static void put_key_usage(struct buf *b, uint16_t ku)
{
    struct der_extension m = der_open_extension(b, span_str(oid.key_usage), true);

    der_put_named_bits(b, ku);
    der_close_extension(b, m);
}

static void put_ext_key_usage(struct buf *b, const enum eku *eku, size_t count)
{
    struct der_extension m = der_open_extension(b, span_str(oid.ext_key_usage), false);
    size_t seq = der_open(b, DER_SEQUENCE);

    for (size_t i = 0; i < count; i++)
        der_put_oid(b, eku_oid(eku[i]));
    der_close(b, seq);
    der_close_extension(b, m);
}

static void put_subject_alt_name(struct buf *b, const struct san *sans, size_t count)
{
    struct der_extension m = der_open_extension(b, span_str(oid.subject_alt_name), false);
    size_t seq = der_open(b, DER_SEQUENCE);

    for (size_t i = 0; i < count; i++)
        der_put(b, (uint8_t)DER_CONTEXT(sans[i].kind), sans[i].value);
    der_close(b, seq);
    der_close_extension(b, m);
}

static void put_subject_key_id(struct buf *b, struct span spki)
{
    uint8_t ski[SKI_LEN] = {0};
    struct der_extension m = der_open_extension(b, span_str(oid.subject_key_id), false);

    if (!ski_of(spki, ski))
        b->err = ERR_MALFORMED;
    der_put(b, DER_OCTET_STRING, span_of(ski, sizeof ski));
    der_close_extension(b, m);
}

static void put_authority_key_id(struct buf *b, struct span aki)
{
    struct der_extension m = der_open_extension(b, span_str(oid.authority_key_id), false);
    size_t seq = der_open(b, DER_SEQUENCE);

    der_put(b, DER_CONTEXT(0), aki);
    der_close(b, seq);
    der_close_extension(b, m);
}

/* cRLDistributionPoints and freshestCRL have one form, RFC 5280 4.2.1.13 and 4.2.1.15. */
static void put_crl_point(struct buf *b, const char *id, const char *url)
{
    struct der_extension m = der_open_extension(b, span_str(id), false);
    size_t seq = der_open(b, DER_SEQUENCE);
    size_t point = der_open(b, DER_SEQUENCE);
    size_t name = der_open(b, DER_CONTEXT_CONSTRUCTED(0));
    size_t full = der_open(b, DER_CONTEXT_CONSTRUCTED(0));

    der_put(b, DER_CONTEXT(6), span_str(url));
    der_close(b, full);
    der_close(b, name);
    der_close(b, point);
    der_close(b, seq);
    der_close_extension(b, m);
}

static void put_access(struct buf *b, const char *method, const char *url)
{
    size_t seq;

    if (url == NULL)
        return;
    seq = der_open(b, DER_SEQUENCE);
    der_put_oid(b, span_str(method));
    der_put(b, DER_CONTEXT(6), span_str(url));
    der_close(b, seq);
}

static void put_authority_info(struct buf *b, const char *ocsp_url, const char *issuer_url)
{
    struct der_extension m = der_open_extension(b, span_str(oid.authority_info), false);
    size_t seq = der_open(b, DER_SEQUENCE);

    put_access(b, oid.ad_ocsp, ocsp_url);
    put_access(b, oid.ad_issuers, issuer_url);
    der_close(b, seq);
    der_close_extension(b, m);
}

static void put_nocheck(struct buf *b)
{
    struct der_extension m = der_open_extension(b, span_str(oid.nocheck), false);

    der_put_null(b);
    der_close_extension(b, m);
}

static void put_extensions(struct buf *b, const struct tbs *t)
{
    size_t explicit = der_open(b, DER_CONTEXT_CONSTRUCTED(3));
    size_t seq = der_open(b, DER_SEQUENCE);

    if (t->is_ca)
        put_basic_constraints(b, t->path_len);
    put_key_usage(b, t->ku);
    if (t->eku_count > 0)
        put_ext_key_usage(b, t->eku, t->eku_count);
    if (t->san_count > 0)
        put_subject_alt_name(b, t->sans, t->san_count);
    put_subject_key_id(b, t->spki);
    put_authority_key_id(b, t->aki);
    if (t->crl_url != NULL)
        put_crl_point(b, oid.crl_points, t->crl_url);
    if (t->delta_url != NULL)
        put_crl_point(b, oid.freshest_crl, t->delta_url);
    if (t->ocsp_url != NULL || t->issuer_url != NULL)
        put_authority_info(b, t->ocsp_url, t->issuer_url);
    if (t->nocheck)
        put_nocheck(b);
    der_close(b, seq);
    der_close(b, explicit);
}

static void put_version_3(struct buf *b)
{
    size_t explicit = der_open(b, DER_CONTEXT_CONSTRUCTED(0));

    der_put_uint(b, 2);
    der_close(b, explicit);
}

void tbs_write(struct buf *b, const struct tbs *t)
{
    size_t seq = der_open(b, DER_SEQUENCE), validity;

    put_version_3(b);
    der_put_unsigned(b, span_of(t->serial, SERIAL_LEN));
    buf_put_span(b, sig_alg_der(t->alg));
    buf_put_span(b, t->issuer);
    validity = der_open(b, DER_SEQUENCE);
    der_put_time(b, t->not_before_s);
    der_put_time(b, t->not_after_s);
    der_close(b, validity);
    buf_put_span(b, t->subject);
    buf_put_span(b, t->spki);
    put_extensions(b, t);
    der_close(b, seq);
}

void certificate_write(struct buf *b, struct span tbs, enum sig_alg alg, struct span signature)
{
    size_t seq = der_open(b, DER_SEQUENCE);

    buf_put_span(b, tbs);
    buf_put_span(b, sig_alg_der(alg));
    der_put_bits(b, signature);
    der_close(b, seq);
}

bool ski_of(struct span spki, uint8_t out[static SKI_LEN])
{
    struct key_kind kind;

    if (!key_kind_of(spki, &kind))
        return false;
    sha1_of(kind.key_bits, out);
    return true;
}

static void put_rdn(struct buf *b, const char *type, const char *text)
{
    size_t set = der_open(b, DER_SET);
    size_t seq = der_open(b, DER_SEQUENCE);

    der_put_oid(b, span_str(type));
    der_put(b, DER_UTF8_STRING, span_str(text));
    der_close(b, seq);
    der_close(b, set);
}

void name_write(struct buf *b, const char *organization, const char *common_name)
{
    size_t seq = der_open(b, DER_SEQUENCE);

    if (organization != NULL)
        put_rdn(b, "\x55\x04\x0a", organization);
    put_rdn(b, "\x55\x04\x03", common_name);
    der_close(b, seq);
}
