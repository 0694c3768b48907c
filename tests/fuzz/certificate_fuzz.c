/* SPDX-License-Identifier: Apache-2.0 */
/* A certificate's file, hostile: whatever it holds, it is read, held against a request and shown; what is
 * taken for a certificate, OpenSSL would write the same. */
#include <assert.h>
#include <openssl/x509v3.h>

#include "api/preflight.h"
#include "tests/fuzz/fuzz.h"

static void assert_openssl_writes_the_same(struct span der)
{
    const uint8_t *p = der.data;
    X509 *x = d2i_X509(NULL, &p, (long)der.len);
    uint8_t *again = NULL;
    int len = x == NULL ? -1 : i2d_X509(x, &again);

    assert(len > 0 && span_eq(span_of(again, (size_t)len), der));
    OPENSSL_free(again);
    X509_free(x);
}

static void hold(const struct certificate_file *file, struct findings *findings)
{
    static struct catalogue catalogue;
    struct facts request = {.has_san = true, .has_ku = true, .has_eku = true};
    struct upload u = {.request = &request, .leaf = certificate_facts_of(file->certs[file->leaf])};

    if (catalogue.count == 0)
        assert(catalogue_load("installed", span_of(NULL, 0), &catalogue, NULL, NULL) == OK);
    request.spki = u.leaf->spki;
    request.subject = u.leaf->issuer;
    for (size_t i = 0; i < catalogue.count; i++) {
        u.profile = &catalogue.profiles[i];
        upload_check(&u, findings);
        findings_free(findings);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct findings findings;
    struct certificate_file file;

    if (size > CERTIFICATE_FILE_MAX)
        return 0;
    certificate_file_read(span_of(data, size), span_of(NULL, 0), &file, &findings);
    findings_free(&findings);
    for (size_t i = 0; i < file.count; i++) {
        assert_openssl_writes_the_same(certificate_facts_of(file.certs[i])->der);
        js_free(certificate_facts_json(certificate_facts_of(file.certs[i])));
    }
    if (file.count > 0)
        hold(&file, &findings);
    certificate_file_free(&file);
    return 0;
}
