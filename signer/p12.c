/* SPDX-License-Identifier: Apache-2.0 */
/* p12: PKCS#12 (RFC 7292) of the first administrator, for browsers. Used by init alone, in the room where
 * keys are read. */
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/pkcs12.h>
#include <openssl/x509.h>
#include <stdio.h>
#include <stdlib.h>

#include "signer/signer.h"

static X509 *parse(struct span der)
{
    const uint8_t *p = der.data;

    return d2i_X509(NULL, &p, (long)der.len);
}

static EVP_PKEY *read_key(const char *path)
{
    FILE *file = fopen(path, "re");
    EVP_PKEY *key = file != NULL ? PEM_read_PrivateKey(file, NULL, NULL, NULL) : NULL;

    if (file != NULL)
        fclose(file);
    return key;
}

enum err signer_p12_write(const char *key_path, struct span certificate, const struct span *chain,
                          size_t chain_len, const char *friendly_name, struct buf *out, struct fault *f)
{
    STACK_OF(X509) *ca = sk_X509_new_null();
    EVP_PKEY *key = read_key(key_path);
    X509 *leaf = parse(certificate);
    PKCS12 *p12 = NULL;
    uint8_t *der = NULL;
    int len = -1;

    for (size_t i = 0; ca != NULL && i < chain_len; i++) {
        X509 *x = parse(chain[i]);

        if (x != NULL && sk_X509_push(ca, x) == 0)
            X509_free(x);
    }
    if (key != NULL && leaf != NULL && ca != NULL)
        p12 = PKCS12_create("", friendly_name, key, leaf, ca, 0, 0, 0, 0, 0);
    if (p12 != NULL)
        len = i2d_PKCS12(p12, &der);
    if (len > 0)
        buf_put(out, der, (size_t)len);
    OPENSSL_free(der);
    PKCS12_free(p12);
    X509_free(leaf);
    EVP_PKEY_free(key);
    sk_X509_pop_free(ca, X509_free);
    ERR_clear_error();
    return len > 0 && buf_end(out) == OK
               ? OK
               : fault_set(f, ERR_INTERNAL, "%s: PKCS#12 could not be made", key_path);
}
