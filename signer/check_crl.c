/* SPDX-License-Identifier: Apache-2.0 */
/*
 * check_crl: a tbsCertList read as it arrives, element by element, in one fixed buffer: a list of ten million
 * entries takes no more memory than one of none. The outer SEQUENCE and revokedCertificates are entered by
 * their headers; everything inside them is small and is read whole by the strict reader. RFC
 * 5280 5.1, 5.2, 5.3.
 *
 * Three kinds are signed: a complete list, a list of one distribution point (a shard), and the delta of
 * either. A list that leaves out by kind of certificate or by reason, or that speaks for another issuer, is
 * not.
 */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "signer/inner.h"

#define ELEMENT_MAX                                                                                          \
    (16u * 1024) /* octets of the largest element: the issuer name; entries and extensions are far smaller   \
                  */
#define WORK_MAX (ELEMENT_MAX + PORT_PIECE_MAX)
#define POINT_NAMES_MAX 8 /* a list keeps the addresses that certificates carry already */
#define CLOCK_SLACK_S                                                                                        \
    (24 * 3600) /* the publisher's clock is this machine's: a day is for time zones set wrong, not drift */
#define LIFE_MAX_S (CRL_DAYS_MAX * DAY_S) /* a list that never ends hides every later revocation */

enum step {
    STEP_OUTER,
    STEP_VERSION,
    STEP_ALGORITHM,
    STEP_ISSUER,
    STEP_THIS_UPDATE,
    STEP_NEXT_UPDATE,
    STEP_LIST, /* revokedCertificates, when there is one */
    STEP_ENTRY,
    STEP_EXTENSIONS,
    STEP_END
};

struct crl_check {
    const struct purpose *p;
    uint64_t total;        /* announced */
    uint64_t left;         /* octets of the tbsCertList's content that are not read yet */
    uint64_t entries_left; /* of revokedCertificates' content */
    enum step step;
    int64_t now_s, this_update_s;
    bool has_removal; /* an entry says removeFromCRL */
    /* while the extensions are read */
    struct span aki, number, base; /* integers: content octets; empty: not there */
    bool has_freshest;
    struct fault fault;
    size_t len; /* octets waiting in work */
    uint8_t work[WORK_MAX];
};

struct crl_check *crl_check_new(const struct purpose *p, uint64_t total_len, int64_t now_s)
{
    struct crl_check *c = xmalloc(sizeof *c);

    memset(c, 0, offsetof(struct crl_check, work));
    c->p = p;
    c->total = total_len;
    c->now_s = now_s;
    if (p->is_ocsp || p->is_audit || p->is_new_root)
        (void)fault_set(&c->fault, ERR_POLICY, "crl: this key signs none");
    return c;
}

/* ---- extensions ---- */

static bool read_aki(struct span value, bool is_critical, void *out)
{
    (void)is_critical;
    return aki_read(value, &((struct crl_check *)out)->aki);
}

/* Not negative, at most 20 octets. RFC 5280 5.2.3 */
static bool crl_number_read(struct span value, struct span *out)
{
    static const uint8_t zero;
    struct der n;

    if (!der_expect(&value, DER_INTEGER, &n))
        return false;
    *out = n.body;
    return is_serial(n.body) || span_eq(n.body, span_of(&zero, 1));
}

static bool read_number(struct span value, bool is_critical, void *out)
{
    (void)is_critical;
    return crl_number_read(value, &((struct crl_check *)out)->number);
}

/* Both change what the list means, so who does not know them must not take it: RFC 5280 5.2.4, 5.2.5. */
static bool read_base(struct span value, bool is_critical, void *out)
{
    return is_critical && crl_number_read(value, &((struct crl_check *)out)->base);
}

static bool read_scope(struct span value, bool is_critical, void *out)
{
    struct der idp;

    (void)out;
    return is_critical && der_expect(&value, DER_SEQUENCE, &idp) &&
           crl_point_name_read(idp.body, POINT_NAMES_MAX);
}

static bool read_freshest(struct span value, bool is_critical, void *out)
{
    ((struct crl_check *)out)->has_freshest = true;
    return crl_point_read(value, is_critical, NULL);
}

static bool read_reason(struct span value, bool is_critical, void *out)
{
    struct der reason;

    (void)is_critical;
    if (!der_expect(&value, DER_ENUMERATED, &reason) || reason.body.len != 1)
        return false;
    if (reason.body.data[0] != REASON_REMOVE_FROM_CRL)
        return is_told_reason(reason.body.data[0]);
    ((struct crl_check *)out)->has_removal = true; /* the extensions, which follow, must make this a delta */
    return true;
}

static bool read_invalidity(struct span value, bool is_critical, void *out)
{
    int64_t when;

    (void)is_critical;
    (void)out;
    return generalized_time_read(&value, &when);
}

#define OID(text)                                                                                            \
    {                                                                                                        \
        (const uint8_t *)(text), sizeof(text) - 1                                                            \
    }
static const struct extension_rule list_rules[] = {
    {OID("\x55\x1d\x23"), read_aki, false},      {OID("\x55\x1d\x14"), read_number, false},
    {OID("\x55\x1d\x1b"), read_base, true},      {OID("\x55\x1d\x1c"), read_scope, true},
    {OID("\x55\x1d\x2e"), read_freshest, false},
};
#define LIST_RULES (sizeof list_rules / sizeof *list_rules)
static const struct extension_rule entry_rules[] = {
    {OID("\x55\x1d\x15"), read_reason, false},
    {OID("\x55\x1d\x18"), read_invalidity, false},
};

/* ---- elements: each reads one whole element ---- */

static void refuse(struct crl_check *c, enum err e, const char *reason)
{
    (void)fault_set(&c->fault, e, "%s", reason);
}

static void read_version(struct crl_check *c, const struct der *d)
{
    uint64_t v;

    if (d->tag != DER_INTEGER || !der_uint(d->body, &v) || v != 1)
        refuse(c, ERR_MALFORMED, "crl.version: not v2");
}

static void read_algorithm(struct crl_check *c, const struct der *d)
{
    if (!span_eq(d->whole, sig_alg_der(c->p->alg)))
        refuse(c, ERR_POLICY, "crl.signature: not the algorithm of this key");
}

static void read_issuer(struct crl_check *c, const struct der *d)
{
    if (!span_eq(d->whole, c->p->name))
        refuse(c, ERR_POLICY, "crl.issuer: not the subject of this key's certificate");
}

static void read_this_update(struct crl_check *c, const struct der *d)
{
    struct span in = d->whole;

    if (!time_read(&in, &c->this_update_s))
        refuse(c, ERR_MALFORMED, "crl.thisUpdate: not a time");
    else if (c->this_update_s < c->now_s - CLOCK_SLACK_S || c->this_update_s > c->now_s + CLOCK_SLACK_S)
        refuse(c, ERR_POLICY, "crl.thisUpdate: more than a day from the signer's clock");
}

static void read_next_update(struct crl_check *c, const struct der *d)
{
    struct span in = d->whole;
    int64_t next;

    if (!time_read(&in, &next))
        refuse(c, ERR_MALFORMED, "crl.nextUpdate: missing or not a time");
    else if (next < c->this_update_s)
        refuse(c, ERR_POLICY, "crl.nextUpdate: before thisUpdate");
    else if (next - c->this_update_s > LIFE_MAX_S)
        refuse(c, ERR_POLICY, "crl.nextUpdate: more than 400 days after thisUpdate");
}
static_assert(CRL_DAYS_MAX == 400, "as the text says");

static void read_entry(struct crl_check *c, const struct der *d)
{
    struct span in = d->body;
    struct der serial, list;
    int64_t when;

    if (d->tag == DER_SEQUENCE && is_plain_entry(d->body))
        return;
    if (d->tag != DER_SEQUENCE || !der_expect(&in, DER_INTEGER, &serial) || !is_serial(serial.body))
        refuse(c, ERR_MALFORMED, "crl.entry: no positive serial number of 1 to 20 octets");
    else if (!time_read(&in, &when))
        refuse(c, ERR_MALFORMED, "crl.entry: revocationDate is not a time");
    else if (in.len == 0)
        return;
    else if (!der_expect(&in, DER_SEQUENCE, &list) || in.len != 0)
        refuse(c, ERR_MALFORMED, "crl.entry: something else is there");
    else
        (void)extensions_read(list.body, entry_rules, 2, "crl.entry", c, &c->fault);
}

/* Both are minimal and not negative: the longer is the greater. */
static bool is_below(struct span a, struct span b)
{
    return a.len != b.len ? a.len < b.len : memcmp(a.data, b.data, a.len) < 0;
}

/* RFC 5280 5.2.4, 5.2.6, 5.3.1 */
static void check_delta(struct crl_check *c)
{
    if (c->base.len == 0 && c->has_removal)
        refuse(c, ERR_POLICY, "crl.entry: removeFromCRL in a list that is no delta");
    else if (c->base.len == 0)
        return;
    else if (!is_below(c->base, c->number))
        refuse(c, ERR_POLICY, "crl.base: not below the number");
    else if (c->has_freshest)
        refuse(c, ERR_POLICY, "crl.freshest: in a delta");
}

static void read_extensions(struct crl_check *c, const struct der *d)
{
    struct span in = d->body;
    struct der list;

    if (d->tag != DER_CONTEXT_CONSTRUCTED(0) || !der_expect(&in, DER_SEQUENCE, &list) || in.len != 0)
        refuse(c, ERR_MALFORMED, "crl.extensions: not Extensions");
    else if (extensions_read(list.body, list_rules, LIST_RULES, "crl", c, &c->fault) != OK)
        ; /* said already */
    else if (!span_eq(c->aki, c->p->ski))
        refuse(c, ERR_POLICY, "crl.aki: not this key's SKI");
    else if (c->number.len == 0)
        refuse(c, ERR_POLICY, "crl.number: missing");
    else
        check_delta(c);
    c->aki = c->number = c->base = (struct span){0};
}

/* ---- the walk ---- */

typedef void element_fn(struct crl_check *c, const struct der *d);
static element_fn *const elements[STEP_END] = {
    [STEP_VERSION] = read_version,         [STEP_ALGORITHM] = read_algorithm,     [STEP_ISSUER] = read_issuer,
    [STEP_THIS_UPDATE] = read_this_update, [STEP_NEXT_UPDATE] = read_next_update, [STEP_ENTRY] = read_entry,
    [STEP_EXTENSIONS] = read_extensions,
};

struct header {
    uint8_t tag;
    size_t len;        /* of tag and length octets */
    uint64_t body_len; /* below 2^32 */
};

enum header_state { HEADER_READY, HEADER_SHORT, HEADER_BAD };

/* As der_next reads headers, for elements whose body has not all arrived. */
static enum header_state header_read(struct span in, struct header *h)
{
    size_t octets;

    if (in.len < 2)
        return HEADER_SHORT;
    *h = (struct header){.tag = in.data[0], .len = 2, .body_len = in.data[1]};
    if (in.data[1] < 0x80)
        return HEADER_READY;
    octets = in.data[1] & 0x7f;
    if (octets == 0 || octets > 4)
        return HEADER_BAD;
    if (in.len < 2 + octets)
        return HEADER_SHORT;
    h->body_len = 0;
    for (size_t i = 0; i < octets; i++)
        h->body_len = h->body_len << 8 | in.data[2 + i];
    h->len += octets;
    return der_header_len((size_t)h->body_len) == h->len ? HEADER_READY : HEADER_BAD;
}

static void skip(struct span *in, size_t len)
{
    *in = span_of(in->data + len, in->len - len);
}

static void enter_outer(struct crl_check *c, const struct header *h, struct span *in)
{
    if (h->tag != DER_SEQUENCE || h->len + h->body_len != c->total)
        refuse(c, ERR_MALFORMED, "crl: not one SEQUENCE of the announced length");
    c->left = h->body_len;
    c->step = STEP_VERSION;
    skip(in, h->len);
}

static void enter_list(struct crl_check *c, const struct header *h, struct span *in)
{
    if (h->body_len == 0 || h->len + h->body_len > c->left) {
        refuse(c, ERR_MALFORMED, "crl.revokedCertificates: empty, or longer than the list");
        return;
    }
    c->left -= h->len;
    c->entries_left = h->body_len;
    c->step = STEP_ENTRY;
    skip(in, h->len);
}

static void step_on(struct crl_check *c)
{
    if (c->step != STEP_ENTRY || c->entries_left == 0)
        c->step++;
    if (c->step == STEP_END && c->left != 0)
        refuse(c, ERR_MALFORMED, "crl: something else is there");
}

/* False when the element has not all arrived. */
static bool take_element(struct crl_check *c, const struct header *h, struct span *in)
{
    uint64_t len = h->len + h->body_len;
    uint64_t room = c->step == STEP_ENTRY ? c->entries_left : c->left;
    struct der d;

    if (len > room || len > ELEMENT_MAX) {
        refuse(c, ERR_MALFORMED, "crl: an element is longer than it may be");
        return true;
    }
    if (in->len < len)
        return false;
    if (!der_next(in, &d)) {
        refuse(c, ERR_MALFORMED, "crl: an element is not DER");
        return true;
    }
    c->left -= len;
    if (c->step == STEP_ENTRY)
        c->entries_left -= len;
    elements[c->step](c, &d);
    step_on(c);
    return true;
}

/* Takes one step; false when it needs more octets than are here. */
static bool advance(struct crl_check *c, struct span *in)
{
    struct header h;
    enum header_state state = header_read(*in, &h);

    if (state == HEADER_SHORT)
        return false;
    if (state == HEADER_BAD) {
        refuse(c, ERR_MALFORMED, "crl: a length is not DER");
        return true;
    }
    if (c->step == STEP_OUTER) {
        enter_outer(c, &h, in);
        return true;
    }
    if (c->step == STEP_LIST && h.tag == DER_SEQUENCE) {
        enter_list(c, &h, in);
        return true;
    }
    if (c->step == STEP_LIST)
        c->step = STEP_EXTENSIONS;
    return take_element(c, &h, in);
}

static void advance_all(struct crl_check *c)
{
    struct span in = span_of(c->work, c->len);

    while (c->fault.code == OK && c->step != STEP_END && advance(c, &in))
        ;
    if (c->step == STEP_END && in.len > 0)
        refuse(c, ERR_MALFORMED, "crl: octets after the end");
    memmove(c->work, in.data, in.len);
    c->len = in.len;
}

/* What waits between calls is part of one element, so there is always room for more. */
void crl_check_add(struct crl_check *c, struct span piece)
{
    while (piece.len > 0 && c->fault.code == OK) {
        size_t n = sizeof c->work - c->len;

        assert(n > 0);
        if (n > piece.len)
            n = piece.len;
        memcpy(c->work + c->len, piece.data, n);
        c->len += n;
        skip(&piece, n);
        advance_all(c);
    }
}

enum err crl_check_end(struct crl_check *c, struct fault *f)
{
    enum err e;

    if (c->step != STEP_END)
        refuse(c, ERR_MALFORMED, "crl: ends early, or has no extensions");
    e = c->fault.code;
    if (e != OK)
        (void)fault_set(f, e, "%s", c->fault.detail);
    free(c);
    return e;
}
