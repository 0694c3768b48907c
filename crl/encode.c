/* SPDX-License-Identifier: Apache-2.0 */
/*
 * encode: what of a tbsCertList stands before and behind revokedCertificates. RFC 5280 5.1, 5.2: v2, no
 * critical extension of our own.
 */
#include <string.h>

#include "base/der.h"
#include "crl/inner.h"

static const uint8_t oid_aki[] = {0x55, 0x1d, 0x23};
static const uint8_t oid_number[] = {0x55, 0x1d, 0x14};
static const uint8_t oid_base[] = {0x55, 0x1d, 0x1b};
static const uint8_t oid_point[] = {0x55, 0x1d, 0x1c};
static const uint8_t oid_freshest[] = {0x55, 0x1d, 0x2e};
#define OID(octets) span_of(octets, sizeof(octets))

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
    struct der_extension m = der_open_extension(b, OID(oid_aki), false);

    aki = der_open(b, DER_SEQUENCE);
    der_put(b, DER_CONTEXT(0), c->ski);
    der_close(b, aki);
    der_close_extension(b, m);
    m = der_open_extension(b, OID(oid_number), false);
    der_put_uint(b, c->number);
    der_close_extension(b, m);
    buf_put_span(b, c->more);
    der_close(b, list);
    der_close(b, wrap);
}

/* ---- deltas and shards ---- */

void crl_put_base(struct buf *b, uint64_t number)
{
    struct der_extension m = der_open_extension(b, OID(oid_base), true);

    der_put_uint(b, number);
    der_close_extension(b, m);
}

static void put_uri(struct buf *b, const char *url, const char *name)
{
    size_t uri = der_open(b, DER_CONTEXT(6));

    buf_printf(b, "%s/crl/%s.crl", url, name);
    der_close(b, uri);
}

/* Certificates keep the address that they were issued with, and a list whose address is another is none of
 * theirs: RFC 5280 6.3.3 (b) (2) (i). An address that none of them names is left out: the signer takes no
 * more than are remembered. */
void crl_put_point(struct buf *b, struct span urls, const char *url, const char *name)
{
    struct der_extension m = der_open_extension(b, OID(oid_point), true);
    size_t point = der_open(b, DER_SEQUENCE), dp = der_open(b, DER_CONTEXT_CONSTRUCTED(0)),
           full = der_open(b, DER_CONTEXT_CONSTRUCTED(0));

    for (size_t at = 0; at < urls.len; at += strlen((const char *)urls.data + at) + 1)
        put_uri(b, (const char *)urls.data + at, name);
    if (urls.len == 0)
        put_uri(b, url, name);
    der_close(b, full);
    der_close(b, dp);
    der_close(b, point);
    der_close_extension(b, m);
}

void crl_put_freshest(struct buf *b, const char *url, const char *name)
{
    struct der_extension m = der_open_extension(b, OID(oid_freshest), false);
    size_t list = der_open(b, DER_SEQUENCE), point = der_open(b, DER_SEQUENCE),
           dp = der_open(b, DER_CONTEXT_CONSTRUCTED(0)), full = der_open(b, DER_CONTEXT_CONSTRUCTED(0));

    put_uri(b, url, name);
    der_close(b, full);
    der_close(b, dp);
    der_close(b, point);
    der_close(b, list);
    der_close_extension(b, m);
}
