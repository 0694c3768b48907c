/* SPDX-License-Identifier: Apache-2.0 */
/*
 * check_ocsp: a ResponseData may be signed by an OCSP key when it names that key as its responder, is made
 * now, and is well formed to the last octet. What it says of whom is the responder's business, but no answer
 * begins in the future, speaks for more than a month or carries an extension other than those we write.
 * RFC 6960 4.2.1, 4.4.
 */
#include <stdlib.h>

#include "base/clock.h"
#include "signer/inner.h"

#define CLOCK_SLACK_S                                                                                        \
    (24 * 3600) /* the responder's clock is this machine's: a day is for leap and restore, not for drift */
#define LIFE_MAX_S (OCSP_DAYS_MAX * DAY_S) /* no captured responder says good for a year */

/* AlgorithmIdentifier of a hash: parameters absent or NULL. RFC 5754 2 */
static bool read_hash(struct span body)
{
    struct der oid, null;

    if (!der_expect(&body, DER_OID, &oid) || oid.body.len == 0)
        return false;
    return body.len == 0 || (der_expect(&body, DER_NULL, &null) && null.body.len == 0 && body.len == 0);
}

static bool read_certid(struct span *in)
{
    struct der id, hash, d;

    if (!der_expect(in, DER_SEQUENCE, &id) || !der_expect(&id.body, DER_SEQUENCE, &hash) ||
        !read_hash(hash.body))
        return false;
    if (!der_expect(&id.body, DER_OCTET_STRING, &d) || !der_expect(&id.body, DER_OCTET_STRING, &d))
        return false;
    return der_expect(&id.body, DER_INTEGER, &d) && der_is_minimal(d.body) && id.body.len == 0;
}

/* RevokedInfo ::= SEQUENCE { revocationTime GeneralizedTime, revocationReason [0] EXPLICIT CRLReason OPTIONAL
 * } */
static bool read_revoked(struct span body)
{
    struct der wrap, reason;
    int64_t when;

    if (!generalized_time_read(&body, &when))
        return false;
    if (der_optional(&body, DER_CONTEXT_CONSTRUCTED(0), &wrap) &&
        (!der_expect(&wrap.body, DER_ENUMERATED, &reason) || reason.body.len != 1 ||
         !is_told_reason(reason.body.data[0]) || wrap.body.len != 0))
        return false;
    return body.len == 0;
}

static bool read_status(struct span *in)
{
    struct der d;

    if (!der_next(in, &d))
        return false;
    if (d.tag == DER_CONTEXT_CONSTRUCTED(1))
        return read_revoked(d.body);
    return (d.tag == DER_CONTEXT(0) || d.tag == DER_CONTEXT(2)) && d.body.len == 0; /* good, unknown: NULL */
}

/* ---- extensions: those that the responder writes, and no others ---- */

static const uint8_t nonce_oid[] = {0x2b, 0x06, 0x01, 0x05, 0x05, 0x07, 0x30, 0x01, 0x02};
static const uint8_t archive_cutoff_oid[] = {0x2b, 0x06, 0x01, 0x05, 0x05, 0x07, 0x30, 0x01, 0x06};
static const uint8_t extended_revoke_oid[] = {0x2b, 0x06, 0x01, 0x05, 0x05, 0x07, 0x30, 0x01, 0x09};

/* RFC 9654 2.1: 1 to 128 octets. */
static bool nonce_read(struct span value, bool is_critical, void *out)
{
    struct der nonce;

    (void)is_critical, (void)out;
    return der_expect(&value, DER_OCTET_STRING, &nonce) && value.len == 0 && nonce.body.len >= 1 &&
           nonce.body.len <= 128;
}

static bool archive_cutoff_read(struct span value, bool is_critical, void *out)
{
    int64_t when;

    (void)is_critical, (void)out;
    return generalized_time_read(&value, &when) && value.len == 0;
}

static bool extended_revoke_read(struct span value, bool is_critical, void *out)
{
    struct der null;

    (void)is_critical, (void)out;
    return der_expect(&value, DER_NULL, &null) && value.len == 0 && null.body.len == 0;
}

/* [1] EXPLICIT Extensions, when there. */
static enum err read_extensions(struct span *in, const struct extension_rule *rules, size_t n,
                                struct fault *f)
{
    struct der wrap, list;

    if (!der_optional(in, DER_CONTEXT_CONSTRUCTED(1), &wrap))
        return OK;
    if (!der_expect(&wrap.body, DER_SEQUENCE, &list) || wrap.body.len != 0)
        return fault_set(f, ERR_MALFORMED, "ocsp.extensions: not Extensions");
    return extensions_read(list.body, rules, n, "ocsp", NULL, f);
}

static enum err read_single_extensions(struct span *in, struct fault *f)
{
    const struct extension_rule rules[] = {
        {span_of(archive_cutoff_oid, sizeof archive_cutoff_oid), archive_cutoff_read, false}};

    return read_extensions(in, rules, sizeof rules / sizeof *rules, f);
}

static enum err read_response_extensions(struct span *in, struct fault *f)
{
    const struct extension_rule rules[] = {
        {span_of(nonce_oid, sizeof nonce_oid), nonce_read, false},
        {span_of(extended_revoke_oid, sizeof extended_revoke_oid), extended_revoke_read, false}};

    return read_extensions(in, rules, sizeof rules / sizeof *rules, f);
}

/* ---- the answers ---- */

/* thisUpdate and nextUpdate. RFC 6960 4.2.2.1 lets the second be left out, which means that there is always
 * news: a client that keeps the answer all the same has no end to it, so here there must be one. */
static enum err check_times(struct span *in, int64_t now_s, struct fault *f)
{
    int64_t this_update, next_update;
    struct der wrap;

    if (!generalized_time_read(in, &this_update))
        return fault_set(f, ERR_MALFORMED, "ocsp.thisUpdate: not a time");
    if (!der_expect(in, DER_CONTEXT_CONSTRUCTED(0), &wrap) ||
        !generalized_time_read(&wrap.body, &next_update) || wrap.body.len != 0)
        return fault_set(f, ERR_MALFORMED, "ocsp.nextUpdate: missing or not a time");
    if (this_update > now_s + CLOCK_SLACK_S) /* an old one is fine: a copy of the store may be old */
        return fault_set(f, ERR_POLICY, "ocsp.thisUpdate: more than a day after now");
    if (next_update < this_update)
        return fault_set(f, ERR_POLICY, "ocsp.nextUpdate: before thisUpdate");
    if (next_update - this_update > LIFE_MAX_S)
        return fault_set(f, ERR_POLICY, "ocsp.nextUpdate: more than %d days after thisUpdate", OCSP_DAYS_MAX);
    return OK;
}

static enum err check_single(struct span *in, int64_t now_s, struct fault *f)
{
    struct der single;
    enum err e;

    if (!der_expect(in, DER_SEQUENCE, &single) || !read_certid(&single.body))
        return fault_set(f, ERR_MALFORMED, "ocsp.certID: not a CertID");
    if (!read_status(&single.body))
        return fault_set(f, ERR_MALFORMED, "ocsp.certStatus: not good, revoked for a reason or unknown");
    e = check_times(&single.body, now_s, f);
    if (e == OK)
        e = read_single_extensions(&single.body, f);
    if (e == OK && single.body.len != 0)
        e = fault_set(f, ERR_MALFORMED, "ocsp.single: something else is there");
    return e;
}

/* responderID [2] EXPLICIT KeyHash */
static enum err check_responder(const struct purpose *p, struct span *in, struct fault *f)
{
    struct der wrap, hash;

    if (!der_expect(in, DER_CONTEXT_CONSTRUCTED(2), &wrap) ||
        !der_expect(&wrap.body, DER_OCTET_STRING, &hash) || wrap.body.len != 0)
        return fault_set(f, ERR_MALFORMED, "ocsp.responderID: not byKey, or a version is there");
    if (!span_eq(hash.body, span_of(p->key_hash, sizeof p->key_hash)))
        return fault_set(f, ERR_POLICY, "ocsp.responderID: not this key");
    return OK;
}

static enum err check_produced(struct span *in, int64_t now_s, struct fault *f)
{
    int64_t produced;

    if (!generalized_time_read(in, &produced))
        return fault_set(f, ERR_MALFORMED, "ocsp.producedAt: not a GeneralizedTime");
    if (llabs(produced - now_s) > CLOCK_SLACK_S)
        return fault_set(f, ERR_POLICY, "ocsp.producedAt: more than a day from now");
    return OK;
}

enum err check_ocsp(const struct purpose *p, struct span data, int64_t now_s, struct fault *f)
{
    struct der seq, singles;
    enum err e;

    if (!p->is_ocsp)
        return fault_set(f, ERR_POLICY, "ocsp: this key signs none");
    if (!der_expect(&data, DER_SEQUENCE, &seq) || data.len != 0)
        return fault_set(f, ERR_MALFORMED, "ocsp: not one SEQUENCE in DER");
    e = check_responder(p, &seq.body, f);
    if (e == OK)
        e = check_produced(&seq.body, now_s, f);
    if (e != OK)
        return e;
    if (!der_expect(&seq.body, DER_SEQUENCE, &singles) || singles.body.len == 0)
        return fault_set(f, ERR_MALFORMED, "ocsp.responses: none");
    while (e == OK && singles.body.len > 0)
        e = check_single(&singles.body, now_s, f);
    if (e == OK)
        e = read_response_extensions(&seq.body, f);
    if (e == OK && seq.body.len != 0)
        e = fault_set(f, ERR_MALFORMED, "ocsp: something else is there");
    return e;
}
