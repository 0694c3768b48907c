/* SPDX-License-Identifier: Apache-2.0 */
/*
 * encode: what of a tbsCertList stands before and behind revokedCertificates. RFC 5280 5.1, 5.2: v2, no
 * critical extension of our own.
 */
#include "base/der.h"
#include "crl/inner.h"

static const uint8_t oid_aki[] = {0x55, 0x1d, 0x23};
static const uint8_t oid_number[] = {0x55, 0x1d, 0x14};
#define OID(octets) span_of(octets, sizeof(octets))

struct marks {
    size_t extension, value;
};

static struct marks extension_open(struct buf *b, struct span oid)
{
    struct marks m;

    m.extension = der_open(b, DER_SEQUENCE);
    der_put_oid(b, oid);
    m.value = der_open(b, DER_OCTET_STRING);
    return m;
}

static void extension_close(struct buf *b, struct marks m)
{
    der_close(b, m.value);
    der_close(b, m.extension);
}

void crl_put_head(struct buf *b, const struct crl_content *c)
{
    der_put_uint(b, 1); /* v2 */
    buf_put_span(b, c->algorithm);
    buf_put_span(b, c->issuer_name);
    der_put_time(b, c->this_update_s);
    der_put_time(b, c->next_update_s);
}

void crl_put_tail(struct buf *b, const struct crl_content *c)
{
    size_t wrap = der_open(b, DER_CONTEXT_CONSTRUCTED(0)), list = der_open(b, DER_SEQUENCE), aki;
    struct marks m = extension_open(b, OID(oid_aki));

    aki = der_open(b, DER_SEQUENCE);
    der_put(b, DER_CONTEXT(0), c->ski);
    der_close(b, aki);
    extension_close(b, m);
    m = extension_open(b, OID(oid_number));
    der_put_uint(b, c->number);
    extension_close(b, m);
    buf_put_span(b, c->more);
    der_close(b, list);
    der_close(b, wrap);
}
