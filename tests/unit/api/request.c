/* SPDX-License-Identifier: Apache-2.0 */
/* request: see request.h. */
#include "tests/unit/api/request.h"

#include <criterion/criterion.h>
#include <string.h>

void request_init(struct buf *b)
{
    buf_init(b, 524288);
}

void request_made(struct buf *der, const char *key_kind, void (*change)(struct forge *f))
{
    EVP_PKEY *key = forge_key(key_kind);
    struct forge f;

    request_init(der);
    forge_init(&f, key);
    if (change != NULL)
        change(&f);
    forge_request(&f, der);
    forge_free(&f);
    EVP_PKEY_free(key);
}

static void ask_in_full(struct forge *f)
{
    forge_extension_text(f, "subjectAltName", "DNS:a.example.com,IP:192.0.2.1");
    forge_extension_text(f, "keyUsage", "digitalSignature,dataEncipherment");
    forge_extension_text(f, "extendedKeyUsage", "serverAuth,clientAuth,1.3.6.1.5.5.7.3.5,1.2.3.4");
}

void request_ordinary(struct buf *der)
{
    request_made(der, "P-256", ask_in_full);
}

void request_sample_pem(struct buf *pem)
{
    struct fault f = {0};

    request_init(pem);
    cr_assert_eq(file_read(CHANCERY_DATA "/cisco/cucm-8.6.1-ipsec.csr.pem", pem, &f), OK,
                 "%s (the samples of the field lie beside the checkout)", f.detail);
}

void request_sample(struct buf *der)
{
    struct buf pem;

    request_sample_pem(&pem);
    request_init(der);
    cr_assert_eq(pem_get(buf_span(&pem), "CERTIFICATE REQUEST", der), OK);
    buf_free(&pem);
}

struct parsed parsed_of(struct span body)
{
    struct parsed p = {0};

    p.err = csr_parse(body, &p.csr, &p.findings, &p.fault);
    return p;
}

void parsed_free(struct parsed *p)
{
    csr_free(p->csr);
    findings_free(&p->findings);
}

bool parsed_has(const struct parsed *p, const char *rule)
{
    for (size_t i = 0; i < p->findings.count; i++)
        if (strcmp(p->findings.items[i].rule, rule) == 0)
            return true;
    return false;
}

void expect_malformed(struct span body, const char *name)
{
    struct parsed p = parsed_of(body);

    cr_assert_eq(p.err, ERR_MALFORMED, "%s: %s", name, err_name(p.err));
    cr_assert_null(p.csr);
    cr_assert(p.fault.detail[0] != '\0');
    parsed_free(&p);
}
