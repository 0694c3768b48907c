/* SPDX-License-Identifier: Apache-2.0 */
/*
 * request: one strict walk over an OCSPRequest (RFC 6960 4.1.1). What nearly every client sends (CertIDs with
 * a hash we know and perhaps a nonce) is read here alone. A request with anything else in it is walked for
 * its CertIDs all the same, but believed only when OpenSSL reads it too and would write the same octets.
 */
#include <openssl/err.h>
#include <openssl/ocsp.h>
#include <string.h>

#include "base/der.h"
#include "ocsp/ocsp.h"

struct walk {
    struct ocsp_request *out;
    bool is_unusual;
};

static const uint8_t nonce_oid[] = {0x2b, 0x06, 0x01, 0x05, 0x05, 0x07, 0x30, 0x01, 0x02};

static const struct {
    enum hash_alg alg;
    uint8_t len, oid[9];
} hash_oids[] = {
    {HASH_SHA1, 5, {0x2b, 0x0e, 0x03, 0x02, 0x1a}},
    {HASH_SHA256, 9, {0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x01}},
    {HASH_SHA384, 9, {0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x02}},
    {HASH_SHA512, 9, {0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x03}},
};

static enum hash_alg hash_of_oid(struct span oid)
{
    for (size_t i = 0; i < sizeof hash_oids / sizeof *hash_oids; i++)
        if (span_eq(oid, span_of(hash_oids[i].oid, hash_oids[i].len)))
            return hash_oids[i].alg;
    return HASH_NONE;
}

/* Exactly one element of this tag and nothing behind it. */
static bool only(struct span in, uint8_t tag, struct der *out)
{
    return der_expect(&in, tag, out) && in.len == 0;
}

/* Parameters absent or NULL: both are in use for hashes (RFC 5754 2). */
static bool read_algorithm(struct walk *w, struct span body, enum hash_alg *alg)
{
    struct der oid, params;

    if (!der_expect(&body, DER_OID, &oid))
        return false;
    *alg = hash_of_oid(oid.body);
    if (body.len > 0) {
        if (!der_next(&body, &params) || body.len != 0)
            return false;
        if (params.tag != DER_NULL || params.body.len != 0)
            *alg = HASH_NONE;
    }
    if (*alg == HASH_NONE)
        w->is_unusual = true;
    return true;
}

static bool read_certid(struct walk *w, const struct der *d, struct ocsp_certid *id)
{
    struct span in = d->body;
    struct der alg, name, key, serial;

    if (!der_expect(&in, DER_SEQUENCE, &alg) || !der_expect(&in, DER_OCTET_STRING, &name) ||
        !der_expect(&in, DER_OCTET_STRING, &key) || !only(in, DER_INTEGER, &serial))
        return false;
    *id = (struct ocsp_certid){
        .whole = d->whole, .name_hash = name.body, .key_hash = key.body, .serial = serial.body};
    return der_is_minimal(serial.body) && read_algorithm(w, alg.body, &id->alg);
}

bool certid_read(struct span der, struct ocsp_certid *out)
{
    struct walk w = {0};
    struct der d;

    return only(der, DER_SEQUENCE, &d) && read_certid(&w, &d, out);
}

/* The extnValue wraps an OCTET STRING of 1 to 128 octets, RFC 9654 2.1. */
static bool read_nonce(struct walk *w, struct span value)
{
    struct der nonce;

    if (w->out->has_nonce || !only(value, DER_OCTET_STRING, &nonce))
        return false;
    w->out->has_nonce = true;
    w->out->nonce = nonce.body;
    return nonce.body.len >= 1 && nonce.body.len <= OCSP_NONCE_MAX;
}

static bool read_extension(struct walk *w, struct span body, bool for_request)
{
    struct der oid, value;
    bool is_critical;

    if (!der_expect(&body, DER_OID, &oid) || !der_critical(&body, &is_critical) ||
        !only(body, DER_OCTET_STRING, &value))
        return false;
    if (for_request && span_eq(oid.body, span_of(nonce_oid, sizeof nonce_oid)))
        return read_nonce(w, value.body);
    w->is_unusual = true;
    return !is_critical; /* RFC 6960 4.4: the rest may be ignored */
}

/* `explicit` is the body of the [n] around Extensions. */
static bool read_extensions(struct walk *w, struct span explicit, bool for_request)
{
    struct der list, ext;

    if (!only(explicit, DER_SEQUENCE, &list) || list.body.len == 0)
        return false;
    while (list.body.len > 0)
        if (!der_expect(&list.body, DER_SEQUENCE, &ext) || !read_extension(w, ext.body, for_request))
            return false;
    return true;
}

static bool read_single(struct walk *w, struct span body)
{
    struct ocsp_request *out = w->out;
    struct der certid, ext;

    if (out->count == OCSP_CERTIDS_MAX || !der_expect(&body, DER_SEQUENCE, &certid) ||
        !read_certid(w, &certid, &out->ids[out->count]))
        return false;
    out->count++;
    if (der_optional(&body, DER_CONTEXT_CONSTRUCTED(0), &ext) && !read_extensions(w, ext.body, false))
        return false;
    return body.len == 0;
}

/* DER leaves a DEFAULT out; a client that spells v1 out is understood. */
static bool read_version(struct walk *w, struct span explicit)
{
    struct der version;

    w->is_unusual = true;
    return only(explicit, DER_INTEGER, &version) && version.body.len == 1 && version.body.data[0] == 0;
}

static bool read_tbs(struct walk *w, struct span body)
{
    struct der d, single;

    if (der_optional(&body, DER_CONTEXT_CONSTRUCTED(0), &d) && !read_version(w, d.body))
        return false;
    if (der_optional(&body, DER_CONTEXT_CONSTRUCTED(1), &d)) /* requestorName */
        w->is_unusual = true;
    if (!der_expect(&body, DER_SEQUENCE, &d) || d.body.len == 0)
        return false;
    while (d.body.len > 0)
        if (!der_expect(&d.body, DER_SEQUENCE, &single) || !read_single(w, single.body))
            return false;
    if (der_optional(&body, DER_CONTEXT_CONSTRUCTED(2), &d) && !read_extensions(w, d.body, true))
        return false;
    return body.len == 0;
}

static bool read_request(struct walk *w, struct span in)
{
    struct der request, d;

    if (!only(in, DER_SEQUENCE, &request) || !der_expect(&request.body, DER_SEQUENCE, &d) ||
        !read_tbs(w, d.body))
        return false;
    if (der_optional(&request.body, DER_CONTEXT_CONSTRUCTED(0), &d)) /* optionalSignature */
        w->is_unusual = true;
    return request.body.len == 0;
}

static bool openssl_agrees(struct span der)
{
    const uint8_t *p = der.data;
    uint8_t *again = NULL;
    /* the certificates of a signed request are decoded with it */
    OCSP_REQUEST *request = has_explicit_curve(der) ? NULL : d2i_OCSP_REQUEST(NULL, &p, (long)der.len);
    int len = request != NULL ? i2d_OCSP_REQUEST(request, &again) : -1;
    bool agrees = len > 0 && span_eq(der, span_of(again, (size_t)len));

    OPENSSL_free(again);
    OCSP_REQUEST_free(request);
    ERR_clear_error();
    return agrees;
}

enum ocsp_status ocsp_request_read(struct span der, struct ocsp_request *out)
{
    struct walk w = {.out = out};

    out->count = 0;
    out->has_nonce = false;
    out->nonce = (struct span){0};
    if (der.len > OCSP_REQUEST_MAX || !read_request(&w, der))
        return OCSP_MALFORMED;
    if (w.is_unusual && !openssl_agrees(der))
        return OCSP_MALFORMED;
    return OCSP_SUCCESSFUL;
}
