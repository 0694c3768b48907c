/* SPDX-License-Identifier: Apache-2.0 */
/* Our reader of OCSP requests against OpenSSL's: what ours takes, OpenSSL takes with the same CertIDs. */
#include <assert.h>
#include <openssl/err.h>
#include <openssl/ocsp.h>

#include "ocsp/ocsp.h"
#include "tests/fuzz/fuzz.h"

static void compare(const struct ocsp_request *ours, OCSP_REQUEST *theirs)
{
    assert(OCSP_request_onereq_count(theirs) == (int)ours->count);
    for (size_t i = 0; i < ours->count; i++) {
        OCSP_CERTID *id = OCSP_onereq_get0_id(OCSP_request_onereq_get0(theirs, (int)i));
        ASN1_OCTET_STRING *name, *key;
        uint8_t *der = NULL;
        int len = i2d_OCSP_CERTID(id, &der);

        assert(len > 0 && span_eq(span_of(der, (size_t)len), ours->ids[i].whole));
        OPENSSL_free(der);
        assert(OCSP_id_get0_info(&name, NULL, &key, NULL, id) == 1);
        assert(span_eq(span_of(name->data, (size_t)name->length), ours->ids[i].name_hash));
        assert(span_eq(span_of(key->data, (size_t)key->length), ours->ids[i].key_hash));
    }
    assert((OCSP_REQUEST_get_ext_by_NID(theirs, NID_id_pkix_OCSP_Nonce, -1) >= 0) == ours->has_nonce);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct ocsp_request ours;
    const uint8_t *p = data;
    OCSP_REQUEST *theirs;

    if (ocsp_request_read(span_of(data, size), &ours) != OCSP_SUCCESSFUL)
        return 0;
    theirs = d2i_OCSP_REQUEST(NULL, &p, (long)size);
    assert(theirs != NULL && p == data + size);
    compare(&ours, theirs);
    OCSP_REQUEST_free(theirs);
    ERR_clear_error();
    return 0;
}
