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
    crl = d2i_X509_CRL(NULL, &at, (long)size);
    if (crl != NULL) {
        must(at == data + size, "octets that OpenSSL leaves");
        must(number_of(crl) == whole.number, "another number than OpenSSL's");
        must(X509_CRL_get0_nextUpdate(crl) != NULL, "a nextUpdate that OpenSSL does not find");
    }
    X509_CRL_free(crl);
    return 0;
}
