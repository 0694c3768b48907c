/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/bench/request.h"

#include <openssl/x509v3.h>
#include <stdio.h>

#include "base/der.h"
#include "base/limits.h"
#include "base/log.h"

static void add_extension(STACK_OF(X509_EXTENSION) * *list, int nid, const char *value)
{
    X509_EXTENSION *x = X509V3_EXT_conf_nid(NULL, NULL, nid, value);

    if (x == NULL || X509v3_add_ext(list, x, -1) == NULL)
        die("extension %s", value);
    X509_EXTENSION_free(x);
}

void request_make(EVP_PKEY *key, const EVP_MD *digest, const char *cn, struct buf *out)
{
    STACK_OF(X509_EXTENSION) *extensions = NULL;
    X509_REQ *q = X509_REQ_new();
    X509_NAME *name = X509_REQ_get_subject_name(q);
    uint8_t *der = NULL;
    char san[160];
    int len;

    X509_NAME_add_entry_by_txt(name, "C", MBSTRING_UTF8, (const uint8_t *)"PL", -1, -1, 0);
    X509_NAME_add_entry_by_txt(name, "O", MBSTRING_UTF8, (const uint8_t *)"Example", -1, -1, 0);
    X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_UTF8, (const uint8_t *)cn, -1, -1, 0);
    snprintf(san, sizeof san, "DNS:%s,DNS:example.com", cn);
    add_extension(&extensions, NID_subject_alt_name, san);
    add_extension(&extensions, NID_key_usage, "digitalSignature,dataEncipherment");
    add_extension(&extensions, NID_ext_key_usage, "serverAuth,clientAuth");
    X509_REQ_add_extensions(q, extensions);
    X509_REQ_set_pubkey(q, key);
    X509_REQ_sign(q, key, digest);
    len = i2d_X509_REQ(q, &der);
    if (len <= 0)
        die("a request cannot be made");
    buf_init(out, CSR_MAX);
    buf_put(out, der, (size_t)len);
    OPENSSL_free(der);
    sk_X509_EXTENSION_pop_free(extensions, X509_EXTENSION_free);
    X509_REQ_free(q);
}

void request_split(struct span request, struct span *info, struct span *signature)
{
    struct der whole, body, algorithm, bits;

    if (!der_next(&request, &whole) || !der_next(&whole.body, &body) || !der_next(&whole.body, &algorithm) ||
        !der_next(&whole.body, &bits))
        die("the request cannot be split");
    *info = body.whole;
    *signature = span_of(bits.body.data + 1, bits.body.len - 1);
}
