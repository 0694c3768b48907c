/* SPDX-License-Identifier: Apache-2.0 */
/* upload: a certificate that some CA issued, held against its request and its purpose: what the product would
 * say when it is uploaded. Names, key and validity here; the certificates above in upload_chain.c, usages in
 * upload_usage.c. Pure. */
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/der.h"
#include "ca/policy.h"

#define RDNS_MAX 64u /* attributes of a subject: real ones have fewer than ten */

/* ---- the key ---- */

static void upload_key(const struct upload *u, struct findings *fs)
{
    struct key_kind key = {0};
    char got[32];

    if (span_eq(u->leaf->spki, u->request->spki)) /* the request's findings speak of it */
        return;
    finding_add(fs, "key.mismatch", "certificate.key", "another key", "the key of the request");
    if (!key_kind_of(u->leaf->spki, &key))
        return;
    if (key.type == KEY_RSA && key.bits > RSA_BITS_MOST) {
        snprintf(got, sizeof got, "%u bits", key.bits);
        finding_add(fs, "key.too-large", "certificate.key", got, "at most 4096 bits");
    }
}

/* ---- names ---- */

static bool is_same_name(const struct san *a, const struct san *b)
{
    if (a->kind != b->kind)
        return false;
    return a->kind == SAN_DNS ? host_eq(a->value, b->value) : span_eq(a->value, b->value);
}

static bool holds_name(const struct san *sans, size_t n, const struct san *wanted)
{
    for (size_t i = 0; i < n; i++)
        if (is_same_name(&sans[i], wanted))
            return true;
    return false;
}

/* "missing LIST" or "LIST in addition": the names of a that b has not. */
static void put_difference(struct buf *out, const char *label, const struct san *a, size_t a_count,
                           const struct san *b, size_t b_count)
{
    struct listing l;

    listing_init(&l);
    for (size_t i = 0; i < a_count; i++)
        if (!holds_name(b, b_count, &a[i]))
            listing_add_san(&l, &a[i]);
    if (l.count > 0) {
        buf_put_str(out, out->len > 0 ? "; " : "");
        buf_put_str(out, label);
        buf_put_span(out, buf_span(&l.text));
    }
    buf_free(&l.text);
}

/* Order free, DNS names without regard to case; a request without SAN is exempt. */
static void upload_sans(const struct upload *u, struct findings *fs)
{
    const struct facts *r = u->request;
    const struct certificate_facts *c = u->leaf;
    struct listing want;
    struct buf got;

    if (!r->has_san)
        return;
    buf_init(&got, 16384);
    put_difference(&got, "missing ", r->sans, r->san_count, c->sans, c->san_count);
    put_difference(&got, "added ", c->sans, c->san_count, r->sans, r->san_count);
    if (got.len > 0) {
        buf_put_u8(&got, 0);
        listing_init(&want);
        for (size_t i = 0; i < r->san_count; i++)
            listing_add_san(&want, &r->sans[i]);
        buf_put_u8(&want.text, 0);
        finding_add(fs, "san.mismatch", "certificate.san", (const char *)got.data,
                    (const char *)want.text.data);
        buf_free(&want.text);
    }
    buf_free(&got);
}

static void upload_wildcards(const struct upload *u, struct findings *fs)
{
    struct listing stars;

    if (u->profile->wildcards)
        return;
    listing_init(&stars);
    if (u->leaf->cn.len > 0 && memchr(u->leaf->cn.data, '*', u->leaf->cn.len) != NULL)
        listing_add(&stars, u->leaf->cn);
    for (size_t i = 0; i < u->leaf->san_count; i++) {
        const struct san *s = &u->leaf->sans[i];

        if (s->kind == SAN_DNS && s->value.len > 0 && memchr(s->value.data, '*', s->value.len) != NULL)
            listing_add(&stars, s->value);
    }
    listing_find(&stars, fs, "name.wildcard", "certificate.san", "names in full");
}

/* ---- the subject ---- */

struct part {
    struct span type, value;
    uint8_t tag;
    bool is_used;
};

/* The attributes of a Name in order; false when there are too many or it is none. */
static bool read_parts(struct span name, struct part out[static RDNS_MAX], size_t *count)
{
    struct der whole, rdn, pair, type, value;

    *count = 0;
    if (!der_next(&name, &whole))
        return false;
    while (der_next(&whole.body, &rdn))
        while (der_next(&rdn.body, &pair)) {
            if (*count == RDNS_MAX || !der_next(&pair.body, &type) || !der_next(&pair.body, &value))
                return false;
            out[(*count)++] = (struct part){type.body, value.body, value.tag, false};
        }
    return true;
}

static bool is_unit(const struct part *a)
{
    return span_eq(a->type, span_str("\x55\x04\x0b"));
}

struct comparison {
    size_t ous_left_out;
    bool differs, is_rewritten; /* is_rewritten: same attributes in another order or string type */
};

static void find_pair(const struct part *a, struct part *in, size_t n, size_t *at, struct comparison *c)
{
    for (size_t i = 0; i < n; i++) {
        if (in[i].is_used || !span_eq(in[i].type, a->type) || !span_eq(in[i].value, a->value))
            continue;
        in[i].is_used = true;
        if (i < *at || in[i].tag != a->tag)
            c->is_rewritten = true;
        *at = i;
        return;
    }
    if (is_unit(a))
        c->ous_left_out++;
    else
        c->differs = true;
}

static struct comparison compare_subjects(struct span request, struct span certificate)
{
    struct part asked[RDNS_MAX], given[RDNS_MAX];
    struct comparison c = {0};
    size_t asked_count, given_count, at = 0;

    if (!read_parts(request, asked, &asked_count) || !read_parts(certificate, given, &given_count))
        return (struct comparison){.differs = true};
    for (size_t i = 0; i < asked_count; i++)
        find_pair(&asked[i], given, given_count, &at, &c);
    for (size_t i = 0; i < given_count; i++)
        c.differs = c.differs || !given[i].is_used;
    c.is_rewritten = c.is_rewritten || c.ous_left_out == 0;
    return c;
}

void upload_find(struct findings *fs, const char *rule, const char *field, struct span got, struct span want)
{
    struct listing a, b;

    listing_init(&a);
    listing_init(&b);
    listing_add(&a, got.len > 0 ? got : span_str("empty"));
    listing_add(&b, want.len > 0 ? want : span_str("empty"));
    buf_put_u8(&b.text, 0);
    listing_find(&a, fs, rule, field, (const char *)b.text.data);
    buf_free(&b.text);
}

static void upload_subject(const struct upload *u, struct findings *fs)
{
    struct comparison c;

    if (span_eq(u->leaf->subject, u->request->subject))
        return;
    c = compare_subjects(u->request->subject, u->leaf->subject);
    if (c.differs)
        return upload_find(fs, "subject.mismatch", "certificate.subject", u->leaf->subject_text,
                           u->request->subject_text);
    if (c.ous_left_out > 0)
        finding_add(fs, "subject.ou", "certificate.subject", "OU", "");
    if (c.is_rewritten)
        upload_find(fs, "subject.encoding", "certificate.subject", u->leaf->subject_text,
                    u->request->subject_text);
}

/* ---- validity ---- */

/* RFC 5280 4.1.2.5: UTCTime through 2049, else GeneralizedTime; both in Z, to the second. */
static bool is_proper_time(struct span element)
{
    struct der d;
    int64_t t_s;

    if (!der_next(&element, &d) || !der_time(&d, &t_s))
        return false;
    return d.tag == DER_UTC_TIME || d.body.len < 4 || memcmp(d.body.data, "2050", 4) >= 0;
}

static void upload_time(struct span element, const char *field, struct findings *fs)
{
    struct listing got;
    struct der d;
    char text[64];

    if (is_proper_time(element) || !der_next(&element, &d))
        return;
    snprintf(text, sizeof text, "%s %.*s", d.tag == DER_UTC_TIME ? "UTCTime" : "GeneralizedTime",
             (int)(d.body.len < 32 ? d.body.len : 32), d.body.len > 0 ? (const char *)d.body.data : "");
    listing_init(&got);
    listing_add(&got, span_str(text));
    listing_find(&got, fs, "time.format", field,
                 "UTCTime before 2050, else GeneralizedTime, ending in Z and without fractions");
}

static void upload_validity(const struct upload *u, struct findings *fs)
{
    const struct certificate_facts *c = u->leaf;
    char when[CLOCK_TEXT_MAX];

    upload_time(c->not_before, "certificate.not_before", fs);
    upload_time(c->not_after, "certificate.not_after", fs);
    if (c->not_after_s != NO_TIME && u->now_s > c->not_after_s) {
        clock_rfc3339(c->not_after_s, when);
        finding_add(fs, "validity.expired", "certificate.not_after", when, "a time to come");
    }
    if (c->not_before_s != NO_TIME && u->now_s < c->not_before_s) {
        clock_rfc3339(c->not_before_s, when);
        finding_add(fs, "validity.early", "certificate.not_before", when, "a time in the past");
    }
}

/* ---- extensions ---- */

static void upload_critical(const struct upload *u, struct findings *fs)
{
    if (u->leaf->critical_others.len > 0)
        upload_find(fs, "extension.critical", "certificate.extensions", u->leaf->critical_others,
                    span_str("keyUsage and basicConstraints"));
}

void upload_check(const struct upload *u, struct findings *out)
{
    upload_key(u, out);
    upload_subject(u, out);
    upload_sans(u, out);
    upload_wildcards(u, out);
    upload_validity(u, out);
    upload_usages(u, out);
    upload_critical(u, out);
    upload_chain(u, out);
}
