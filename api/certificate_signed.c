/* SPDX-License-Identifier: Apache-2.0 */
/* certificate_signed: who signed a stranger's certificate: by the key, and only one that is cheap to compute
 * with. */
#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/x509.h>

#include "api/preflight.h"

#define EXPONENT_BITS_MAX 64 /* of RSA: what OpenSSL takes of large moduli; 65537 has 17 */

static bool is_cheap(const EVP_PKEY *key)
{
    BIGNUM *e = NULL;
    bool is_small;

    switch (EVP_PKEY_get_base_id(key)) {
    case EVP_PKEY_RSA:
    case EVP_PKEY_RSA_PSS:
        is_small =
            EVP_PKEY_get_bn_param(key, OSSL_PKEY_PARAM_RSA_E, &e) == 1 && BN_num_bits(e) <= EXPONENT_BITS_MAX;
        BN_free(e);
        return is_small;
    case EVP_PKEY_EC:
    case EVP_PKEY_ED25519:
    case EVP_PKEY_ED448:
        return true;
    default:
        return false;
    }
}

bool certificate_is_signed_by(struct span der, struct span issuer)
{
    const uint8_t *p = der.data, *q = issuer.data;
    X509 *x = d2i_X509(NULL, &p, (long)der.len), *above = d2i_X509(NULL, &q, (long)issuer.len);
    EVP_PKEY *key = above == NULL ? NULL : X509_get0_pubkey(above);
    bool ok = x != NULL && key != NULL && is_cheap(key) && X509_verify(x, key) == 1;

    X509_free(x);
    X509_free(above);
    ERR_clear_error();
    return ok;
}
