/* SPDX-License-Identifier: Apache-2.0 */
/* Hostile bytes to facts: what is taken, OpenSSL takes too and would write the same; facts survive their
 * wire. */
#include <assert.h>
#include <openssl/err.h>
#include <openssl/x509.h>
#include <string.h>

#include "api/inner.h"
#include "tests/fuzz/fuzz.h"

static void assert_openssl_agrees(struct span der)
{
    const uint8_t *p = der.data;
    X509_REQ *request = d2i_X509_REQ(NULL, &p, (long)der.len);
    uint8_t *again = NULL;
    int len;

    assert(request != NULL && p == der.data + der.len);
    len = i2d_X509_REQ(request, &again);
    assert(len > 0 && span_eq(span_of(again, (size_t)len), der));
    OPENSSL_free(again);
    again = NULL;
    /* and not from what it kept of the input: written anew, the part under the signature is the same */
    len = i2d_re_X509_REQ_tbs(request, &again);
    assert(len > 0 && memmem(der.data, der.len, again, (size_t)len) != NULL);
    OPENSSL_free(again);
    assert(X509_REQ_verify(request, X509_REQ_get0_pubkey(request)) == 1);
    X509_REQ_free(request);
}

static void assert_wire_keeps(const struct facts *f)
{
    static struct san sans[SAN_COUNT_MAX];
    struct facts read;
    struct buf once, twice;
    struct rd r;

    buf_init(&once, WIRE_MSG_MAX * 4);
    buf_init(&twice, WIRE_MSG_MAX * 4);
    facts_write(&once, f);
    assert(buf_end(&once) == OK);
    r = rd_of(buf_span(&once));
    assert(facts_read(&r, &read, sans) && rd_done(&r));
    facts_write(&twice, &read);
    assert(span_eq(buf_span(&once), buf_span(&twice)));
    buf_free(&once);
    buf_free(&twice);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct findings findings;
    struct fault f = {0};
    struct csr *csr = NULL;

    findings.count = 0;
    if (csr_parse(span_of(data, size), &csr, &findings, &f) == OK && csr != NULL) {
        assert_openssl_agrees(csr_facts(csr)->csr);
        assert_wire_keeps(csr_facts(csr));
    }
    csr_free(csr);
    findings_free(&findings);
    ERR_clear_error();
    return 0;
}
