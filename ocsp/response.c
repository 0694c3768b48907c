/* SPDX-License-Identifier: Apache-2.0 */
/* response: RFC 6960 4.2.1 in DER, in the order of its ASN.1. */
#include "base/der.h"
#include "ocsp/inner.h"

#include <assert.h>

static const uint8_t nonce_oid[] = {0x2b, 0x06, 0x01, 0x05, 0x05, 0x07, 0x30, 0x01, 0x02};
static const uint8_t basic_oid[] = {0x2b, 0x06, 0x01, 0x05, 0x05, 0x07, 0x30, 0x01, 0x01};
static const uint8_t archive_cutoff_oid[] = {0x2b, 0x06, 0x01, 0x05, 0x05, 0x07, 0x30, 0x01, 0x06};
static const uint8_t extended_revoke_oid[] = {0x2b, 0x06, 0x01, 0x05, 0x05, 0x07, 0x30, 0x01, 0x09};

static void write_explicit_time(struct buf *b, uint8_t tag, int64_t t_s)
{
    size_t mark = der_open(b, tag);

    der_put_generalized_time(b, t_s);
    der_close(b, mark);
}

/* RevokedInfo. The reason is left out when there is none to tell, as RFC 5280 5.3.1 asks for CRL entries. */
static void write_revoked(struct buf *b, const struct single *s)
{
    size_t info = der_open(b, DER_CONTEXT_CONSTRUCTED(1)), reason;
    uint8_t code = (uint8_t)s->reason;

    der_put_generalized_time(b, s->revoked_at_s);
    if (s->reason != REASON_UNSPECIFIED) {
        reason = der_open(b, DER_CONTEXT_CONSTRUCTED(0));
        der_put(b, DER_ENUMERATED, span_of(&code, 1));
        der_close(b, reason);
    }
    der_close(b, info);
}

/* CertStatus. RFC 6960 2.2: what was not issued is on hold since the first second of 1970. */
static void write_status(struct buf *b, const struct single *s)
{
    static const struct single never = {.reason = REASON_CERTIFICATE_HOLD, .revoked_at_s = 0};

    if (s->state == SINGLE_REVOKED)
        write_revoked(b, s);
    else if (s->state == SINGLE_NOT_ISSUED)
        write_revoked(b, &never);
    else
        der_put(b, s->state == SINGLE_GOOD ? DER_CONTEXT(0) : DER_CONTEXT(2), (struct span){0});
}

static void write_archive_cutoff(struct buf *b, int64_t cutoff_s)
{
    size_t explicit = der_open(b, DER_CONTEXT_CONSTRUCTED(1)), list = der_open(b, DER_SEQUENCE);
    struct der_extension e =
        der_open_extension(b, span_of(archive_cutoff_oid, sizeof archive_cutoff_oid), false);

    der_put_generalized_time(b, cutoff_s);
    der_close_extension(b, e);
    der_close(b, list);
    der_close(b, explicit);
}

static void write_single(struct buf *b, const struct single *s, int64_t this_update_s)
{
    size_t mark = der_open(b, DER_SEQUENCE);

    buf_put_span(b, s->certid);
    write_status(b, s);
    der_put_generalized_time(b, this_update_s);
    write_explicit_time(b, DER_CONTEXT_CONSTRUCTED(0), s->next_update_s);
    if (s->archive_cutoff_s != NO_TIME)
        write_archive_cutoff(b, s->archive_cutoff_s);
    der_close(b, mark);
}

/* The nonce is an OCTET STRING inside the extnValue's, RFC 9654 2.1; extended-revoke a NULL, RFC 6960 4.4.8.
 */
static void write_extensions(struct buf *b, const struct response *r, bool is_extended)
{
    size_t explicit = der_open(b, DER_CONTEXT_CONSTRUCTED(1)), list = der_open(b, DER_SEQUENCE);
    struct der_extension e;

    if (r->has_nonce) {
        e = der_open_extension(b, span_of(nonce_oid, sizeof nonce_oid), false);
        der_put(b, DER_OCTET_STRING, r->nonce);
        der_close_extension(b, e);
    }
    if (is_extended) {
        e = der_open_extension(b, span_of(extended_revoke_oid, sizeof extended_revoke_oid), false);
        der_put_null(b);
        der_close_extension(b, e);
    }
    der_close(b, list);
    der_close(b, explicit);
}

void response_data_write(struct buf *b, const struct response *r)
{
    size_t data = der_open(b, DER_SEQUENCE), mark;
    bool is_extended = false;

    mark = der_open(b, DER_CONTEXT_CONSTRUCTED(2)); /* responderID byKey */
    der_put(b, DER_OCTET_STRING, span_of(r->key_hash, SKI_LEN));
    der_close(b, mark);
    der_put_generalized_time(b, r->produced_at_s);
    mark = der_open(b, DER_SEQUENCE);
    for (size_t i = 0; i < r->count; i++) {
        write_single(b, &r->singles[i], r->this_update_s);
        is_extended |= r->singles[i].state == SINGLE_NOT_ISSUED;
    }
    der_close(b, mark);
    if (r->has_nonce || is_extended)
        write_extensions(b, r, is_extended);
    der_close(b, data);
}

static void write_basic(struct buf *b, struct span data, enum sig_alg alg, struct span signature,
                        struct span certificate)
{
    size_t basic = der_open(b, DER_SEQUENCE), explicit, list;

    buf_put_span(b, data);
    buf_put_span(b, sig_alg_der(alg));
    der_put_bits(b, signature);
    explicit = der_open(b, DER_CONTEXT_CONSTRUCTED(0));
    list = der_open(b, DER_SEQUENCE);
    buf_put_span(b, certificate);
    der_close(b, list);
    der_close(b, explicit);
    der_close(b, basic);
}

void response_write(struct buf *b, struct span data, enum sig_alg alg, struct span signature,
                    struct span certificate)
{
    static const uint8_t successful = OCSP_SUCCESSFUL;
    size_t whole = der_open(b, DER_SEQUENCE), explicit, bytes, octets;

    der_put(b, DER_ENUMERATED, span_of(&successful, 1));
    explicit = der_open(b, DER_CONTEXT_CONSTRUCTED(0));
    bytes = der_open(b, DER_SEQUENCE);
    der_put_oid(b, span_of(basic_oid, sizeof basic_oid));
    octets = der_open(b, DER_OCTET_STRING);
    write_basic(b, data, alg, signature, certificate);
    der_close(b, octets);
    der_close(b, bytes);
    der_close(b, explicit);
    der_close(b, whole);
}

struct span response_error(enum ocsp_status s)
{
    static const uint8_t der[][5] = {
        [OCSP_MALFORMED] = {DER_SEQUENCE, 3, DER_ENUMERATED, 1, OCSP_MALFORMED},
        [OCSP_INTERNAL_ERROR] = {DER_SEQUENCE, 3, DER_ENUMERATED, 1, OCSP_INTERNAL_ERROR},
        [OCSP_TRY_LATER] = {DER_SEQUENCE, 3, DER_ENUMERATED, 1, OCSP_TRY_LATER},
        [OCSP_UNAUTHORIZED] = {DER_SEQUENCE, 3, DER_ENUMERATED, 1, OCSP_UNAUTHORIZED},
    };

    assert(s < sizeof der / sizeof *der && der[s][0] != 0);
    return span_of(der[s], sizeof der[s]);
}
