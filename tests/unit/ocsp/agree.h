/* SPDX-License-Identifier: Apache-2.0 */
/*
 * agree: the claims that unit test and fuzzer share: a request that our reader accepts, OpenSSL accepts with
 * the same content; one that it refuses, OpenSSL refuses, or writes in other octets, or it breaks one of the
 * rules named here. It gives the first difference as text, NULL when there is none.
 */
#ifndef TESTS_OCSP_AGREE_H
#define TESTS_OCSP_AGREE_H

#include <openssl/err.h>
#include <openssl/ocsp.h>

#include "base/alg.h"
#include "base/der.h"
#include "ocsp/ocsp.h"

static inline const char *agree_certid(OCSP_CERTID *theirs, const struct ocsp_certid *ours)
{
    static const int nids[] = {[HASH_SHA1] = NID_sha1,
                               [HASH_SHA256] = NID_sha256,
                               [HASH_SHA384] = NID_sha384,
                               [HASH_SHA512] = NID_sha512};
    ASN1_OCTET_STRING *name, *key;
    ASN1_OBJECT *oid;
    ASN1_INTEGER *serial;
    uint8_t *der = NULL;
    int len = i2d_OCSP_CERTID(theirs, &der);
    bool same = len > 0 && span_eq(ours->whole, span_of(der, (size_t)len));

    OPENSSL_free(der);
    if (!same)
        return "the CertID's octets differ";
    OCSP_id_get0_info(&name, &oid, &key, &serial, theirs);
    if (ours->alg != HASH_NONE && nids[ours->alg] != OBJ_obj2nid(oid))
        return "the hash differs";
    if (!span_eq(ours->name_hash, span_of(ASN1_STRING_get0_data(name), (size_t)ASN1_STRING_length(name))))
        return "the name hash differs";
    if (!span_eq(ours->key_hash, span_of(ASN1_STRING_get0_data(key), (size_t)ASN1_STRING_length(key))))
        return "the key hash differs";
    der = NULL;
    len = i2d_ASN1_INTEGER(serial, &der);
    struct span in = span_of(der, len > 0 ? (size_t)len : 0);
    struct der d;

    same = der_expect(&in, DER_INTEGER, &d) && span_eq(d.body, ours->serial);
    OPENSSL_free(der);
    return same ? NULL : "the serial differs";
}

static inline const char *agree_nonce(OCSP_REQUEST *theirs, const struct ocsp_request *ours)
{
    int at = OCSP_REQUEST_get_ext_by_NID(theirs, NID_id_pkix_OCSP_Nonce, -1);
    ASN1_OCTET_STRING *value;
    struct span in;
    struct der d;

    if ((at >= 0) != ours->has_nonce)
        return "one of them sees a nonce";
    if (at < 0)
        return NULL;
    value = X509_EXTENSION_get_data(OCSP_REQUEST_get_ext(theirs, at));
    in = span_of(ASN1_STRING_get0_data(value), (size_t)ASN1_STRING_length(value));
    if (!der_expect(&in, DER_OCTET_STRING, &d) || in.len != 0 || !span_eq(d.body, ours->nonce))
        return "the nonce differs";
    return NULL;
}

static inline const char *agree(struct span der, const struct ocsp_request *ours)
{
    const uint8_t *p = der.data;
    OCSP_REQUEST *theirs = d2i_OCSP_REQUEST(NULL, &p, (long)der.len);
    const char *difference = NULL;

    if (theirs == NULL || p != der.data + der.len)
        difference = "OpenSSL refuses it";
    else if (OCSP_request_onereq_count(theirs) != (int)ours->count)
        difference = "the number of CertIDs differs";
    else
        difference = agree_nonce(theirs, ours);
    for (size_t i = 0; difference == NULL && i < ours->count; i++)
        difference =
            agree_certid(OCSP_onereq_get0_id(OCSP_request_onereq_get0(theirs, (int)i)), &ours->ids[i]);
    OCSP_REQUEST_free(theirs);
    ERR_clear_error();
    return difference;
}

/* ---- what ours refuses ---- */

static inline bool is_among_rules(X509_EXTENSION *e, bool may_be_nonce)
{
    if (may_be_nonce && OBJ_obj2nid(X509_EXTENSION_get_object(e)) == NID_id_pkix_OCSP_Nonce) {
        ASN1_OCTET_STRING *value = X509_EXTENSION_get_data(e);
        struct span in = span_of(ASN1_STRING_get0_data(value), (size_t)ASN1_STRING_length(value));
        struct der d;

        return der_expect(&in, DER_OCTET_STRING, &d) && in.len == 0 && d.body.len >= 1 &&
               d.body.len <= OCSP_NONCE_MAX;
    }
    return X509_EXTENSION_get_critical(e) == 0;
}

/* RFC 6960 4.1.1 and 4.4, RFC 9654 2.1, and our limit of CertIDs. */
static inline bool keeps_rules(OCSP_REQUEST *r)
{
    int count = OCSP_request_onereq_count(r), nonces = 0;

    for (int i = 0; i < OCSP_REQUEST_get_ext_count(r); i++) {
        X509_EXTENSION *e = OCSP_REQUEST_get_ext(r, i);

        nonces += OBJ_obj2nid(X509_EXTENSION_get_object(e)) == NID_id_pkix_OCSP_Nonce;
        if (!is_among_rules(e, true))
            return false;
    }
    for (int k = 0; k < count; k++) {
        OCSP_ONEREQ *one = OCSP_request_onereq_get0(r, k);

        for (int i = 0; i < OCSP_ONEREQ_get_ext_count(one); i++)
            if (!is_among_rules(OCSP_ONEREQ_get_ext(one, i), false))
                return false;
    }
    return nonces <= 1 && count >= 1 && count <= OCSP_CERTIDS_MAX;
}

static inline bool has_octets(struct span s, const char *what, size_t len)
{
    for (size_t i = 0; i + len <= s.len; i++)
        if (memcmp(s.data + i, what, len) == 0)
            return true;
    return false;
}

/* Anything that may be a BOOLEAN which is true in BER alone (X.690 11.1). */
static inline bool has_other_true(struct span s)
{
    for (size_t i = 0; i + 3 <= s.len; i++)
        if (s.data[i] == DER_BOOLEAN && s.data[i + 1] == 1 && s.data[i + 2] != 0xff)
            return true;
    return false;
}

/* A tag of more than one octet, which base/der.h reads nowhere: no structure of OCSP has one, but the
 * parameters of a hash may be anything. */
static inline bool has_long_tag(struct span in)
{
    struct der d;

    while (in.len > 0) {
        if ((in.data[0] & 0x1f) == 0x1f)
            return true;
        if (!der_next(&in, &d))
            return false;
        if ((d.tag & 0x20) != 0 && has_long_tag(d.body))
            return true;
    }
    return false;
}

/* What OpenSSL lets pass and has no accessor for: another version, empty lists of extensions, such a BOOLEAN,
 * such a tag; and a curve spelt out, which it is not asked about. */
static inline bool may_be_beyond(struct span der)
{
    struct der request, tbs, version;

    if (has_other_true(der) || has_long_tag(der) || has_explicit_curve(der) ||
        has_octets(der, "\xa2\x02\x30\x00", 4) || has_octets(der, "\xa0\x02\x30\x00", 4))
        return true;
    return der_expect(&der, DER_SEQUENCE, &request) && der_expect(&request.body, DER_SEQUENCE, &tbs) &&
           der_optional(&tbs.body, DER_CONTEXT_CONSTRUCTED(0), &version);
}

static inline const char *agree_refused(struct span der)
{
    const uint8_t *p = der.data;
    OCSP_REQUEST *theirs = der.len <= OCSP_REQUEST_MAX ? d2i_OCSP_REQUEST(NULL, &p, (long)der.len) : NULL;
    uint8_t *again = NULL;
    int len = theirs != NULL ? i2d_OCSP_REQUEST(theirs, &again) : -1;
    bool is_same = len > 0 && span_eq(der, span_of(again, (size_t)len));
    bool is_fine = is_same && keeps_rules(theirs) && !may_be_beyond(der);

    OPENSSL_free(again);
    OCSP_REQUEST_free(theirs);
    ERR_clear_error();
    return is_fine ? "OpenSSL takes it, and it breaks no rule" : NULL;
}

#endif
