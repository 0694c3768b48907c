/* SPDX-License-Identifier: Apache-2.0 */
/* What a CRL says of itself, read as a stream: the same in any pieces, and what OpenSSL reads when both take
 * it. */
#include <openssl/x509.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/fuzz/fuzz.h"
#include "watch/scan.h"

static enum err scan(const uint8_t *data, size_t size, size_t piece, struct scan_facts *out)
{
    struct scan *s = scan_begin();

    for (size_t at = 0; at < size; at += piece)
        if (!scan_add(s, span_of(data + at, size - at < piece ? size - at : piece)))
            break;
    return scan_end(s, out, NULL);
}

static void must(bool holds, const char *claim)
{
    if (holds)
        return;
    fprintf(stderr, "%s\n", claim);
    abort();
}

static uint64_t number_of(const X509_CRL *crl)
{
    ASN1_INTEGER *n = X509_CRL_get_ext_d2i(crl, NID_crl_number, NULL, NULL);
    uint64_t v = UINT64_MAX;

    must(n != NULL, "a number that OpenSSL does not find");
    if (ASN1_INTEGER_get_uint64(&v, n) != 1 || v > INT64_MAX)
        v = UINT64_MAX;
    ASN1_INTEGER_free(n);
    return v;
}

/* ---- the extensions ---- */

/* Goes into the element, or with `over` behind it; its whole length, or 0 when it is not what is sought. */
static long step(const uint8_t **at, const uint8_t *end, int want, bool over)
{
    const uint8_t *p = *at;
    long len;
    int tag, class, form = ASN1_get_object(&p, &len, &tag, &class, end - *at);

    if ((form & 0x81) != 0 || (want >= 0 && (class | tag) != want))
        return 0;
    len += p - *at;
    *at = over ? *at + len : p;
    return len;
}

/* What scan takes is as OpenSSL writes an extension of its own. */
static void judge_extension(const uint8_t *at, long len)
{
    const uint8_t *p = at;
    X509_EXTENSION *x = d2i_X509_EXTENSION(NULL, &p, len), *own;
    uint8_t *again = NULL;

    must(x != NULL, "an extension that OpenSSL does not read");
    own = X509_EXTENSION_create_by_OBJ(NULL, X509_EXTENSION_get_object(x), X509_EXTENSION_get_critical(x),
                                       X509_EXTENSION_get_data(x));
    must(i2d_X509_EXTENSION(own, &again) == len && memcmp(again, at, (size_t)len) == 0,
         "an extension that OpenSSL writes otherwise");
    OPENSSL_free(again);
    X509_EXTENSION_free(own);
    X509_EXTENSION_free(x);
}

/* Of DER that scan has taken, whatever OpenSSL says of the issuer and the entries, which scan does not read.
 */
static void judge_extensions(const uint8_t *at, const uint8_t *end)
{
    const int context_0 = V_ASN1_CONTEXT_SPECIFIC | 0;
    long len;

    must(step(&at, end, V_ASN1_SEQUENCE, false) > 0, "no list");
    len = step(&at, end, V_ASN1_SEQUENCE, true);
    must(len > 0, "no list");
    end = at;
    at -= len;
    must(step(&at, end, V_ASN1_SEQUENCE, false) > 0, "no list");
    while (step(&at, end, context_0, false) == 0)
        must(step(&at, end, -1, true) > 0, "extensions that are not there");
    must(step(&at, end, V_ASN1_SEQUENCE, false) > 0, "no extensions");
    for (; at < end; at += len) {
        const uint8_t *next = at;

        len = step(&next, end, V_ASN1_SEQUENCE, true);
        must(len > 0, "no extension");
        judge_extension(at, len);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct scan_facts whole, pieces;
    const uint8_t *at = data;
    enum err e = scan(data, size, size + 1, &whole);
    X509_CRL *crl;

    must(scan(data, size, 1 + size / 7, &pieces) == e, "the pieces matter");
    if (e != OK)
        return 0;
    must(memcmp(&whole, &pieces, sizeof whole) == 0, "the facts depend on the pieces");
    if (data[0] == (V_ASN1_SEQUENCE | V_ASN1_CONSTRUCTED))
        judge_extensions(data, data + size);
    crl = d2i_X509_CRL(NULL, &at, (long)size);
    if (crl != NULL) {
        must(at == data + size, "octets that OpenSSL leaves");
        must(number_of(crl) == whole.number, "another number than OpenSSL's");
        must(X509_CRL_get0_nextUpdate(crl) != NULL, "a nextUpdate that OpenSSL does not find");
    }
    X509_CRL_free(crl);
    return 0;
}
