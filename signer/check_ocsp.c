/* SPDX-License-Identifier: Apache-2.0 */
/*
 * check_ocsp: a ResponseData may be signed by an OCSP key when it names that key as its responder, is made
 * now, and is well formed to the last octet. What it says of whom is the responder's business. RFC
 * 6960 4.2.1.
 */
#include <stdlib.h>

#include "signer/inner.h"

#define CLOCK_SLACK_S                                                                                        \
    (24 * 3600) /* the responder's clock is this machine's: a day is for leap and restore, not for drift */

static bool read_certid(struct span *in)
{
    struct der id, alg, oid, params, d;

    if (!der_expect(in, DER_SEQUENCE, &id) || !der_expect(&id.body, DER_SEQUENCE, &alg))
        return false;
    if (!der_expect(&alg.body, DER_OID, &oid) || (alg.body.len > 0 && !der_next(&alg.body, &params)) ||
        alg.body.len != 0)
        return false;
    if (!der_expect(&id.body, DER_OCTET_STRING, &d) || !der_expect(&id.body, DER_OCTET_STRING, &d))
        return false;
    return der_expect(&id.body, DER_INTEGER, &d) && d.body.len > 0 && id.body.len == 0;
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
        (!der_expect(&wrap.body, DER_ENUMERATED, &reason) || reason.body.len != 1 || wrap.body.len != 0))
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

/* [n] EXPLICIT Extensions, when there. */
static enum err read_extensions(struct span *in, unsigned n, struct fault *f)
{
    struct der wrap, list;

    if (!der_optional(in, (uint8_t)DER_CONTEXT_CONSTRUCTED(n), &wrap))
        return OK;
    if (!der_expect(&wrap.body, DER_SEQUENCE, &list) || wrap.body.len != 0)
        return fault_set(f, ERR_MALFORMED, "ocsp.extensions: not Extensions");
    return extensions_read(list.body, NULL, 0, false, "ocsp", NULL, f);
}

static enum err check_single(struct span *in, struct fault *f)
{
    struct der single, wrap;
    int64_t this_update, next_update;
    enum err e;

    if (!der_expect(in, DER_SEQUENCE, &single) || !read_certid(&single.body))
        return fault_set(f, ERR_MALFORMED, "ocsp.certID: not a CertID");
    if (!read_status(&single.body))
        return fault_set(f, ERR_MALFORMED, "ocsp.certStatus: not good, revoked or unknown");
    if (!generalized_time_read(&single.body, &this_update))
        return fault_set(f, ERR_MALFORMED, "ocsp.thisUpdate: not a time");
    if (der_optional(&single.body, DER_CONTEXT_CONSTRUCTED(0), &wrap)) {
        if (!generalized_time_read(&wrap.body, &next_update) || wrap.body.len != 0)
            return fault_set(f, ERR_MALFORMED, "ocsp.nextUpdate: not a time");
        if (next_update < this_update)
            return fault_set(f, ERR_POLICY, "ocsp.nextUpdate: before thisUpdate");
    }
    e = read_extensions(&single.body, 1, f);
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
        e = check_single(&singles.body, f);
    if (e == OK)
        e = read_extensions(&seq.body, 1, f);
    if (e == OK && seq.body.len != 0)
        e = fault_set(f, ERR_MALFORMED, "ocsp: something else is there");
    return e;
}
