/* SPDX-License-Identifier: Apache-2.0 */
/*
 * agree: the claim that unit test and fuzzer share: a request that our reader accepts, OpenSSL accepts with
 * the same content. It gives the first difference as text, NULL when there is none.
 */
#ifndef TESTS_OCSP_AGREE_H
#define TESTS_OCSP_AGREE_H

#include <openssl/err.h>
#include <openssl/ocsp.h>

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

#endif
