/* SPDX-License-Identifier: Apache-2.0 */
/*
 * scan: the head of a CRL (all that stands before the entries) is kept until it is complete, the entries go
 * through the digest alone, the tail (extensions and signature) is kept again. PEM is opened on the way.
 */
#include "watch/scan.h"

#include <stdlib.h>
#include <string.h>

#include "base/base64.h"
#include "base/der.h"
#include "base/log.h"

#define HEAD_MAX (16u * 1024) /* headers, algorithm, issuer's name, two dates: some 300 octets of ours */
#define TAIL_MAX (64u * 1024) /* extensions, algorithm, signature: some 1 KiB of ours */
#define LINE_MAX 80u          /* of PEM: RFC 7468 has 64 characters */

enum armour { ARMOUR_UNKNOWN, ARMOUR_NONE, ARMOUR_BEFORE, ARMOUR_INSIDE, ARMOUR_AFTER };

struct scan {
    struct hash *file, *tbs; /* tbs: NULL until the algorithm is known */
    struct buf head, tail;
    bool is_headed;
    const char *fault;                 /* the first thing wrong; NULL: nothing so far */
    uint64_t size, offset;             /* octets as they came; octets of DER */
    uint64_t tbs_end, tail_begin, end; /* in the DER */
    struct span algorithm;             /* the inner one, in the head */
    enum armour armour;
    bool is_padded; /* base64 has ended */
    char line[LINE_MAX + 1];
    size_t line_len;
    struct scan_facts facts;
};

struct scan *scan_begin(void)
{
    struct scan *s = xcalloc(1, sizeof *s);

    s->file = hash_begin(HASH_SHA256);
    buf_init(&s->head, HEAD_MAX);
    buf_init(&s->tail, TAIL_MAX);
    return s;
}

static bool fail(struct scan *s, const char *why)
{
    if (s->fault == NULL)
        s->fault = why;
    return false;
}

/* ---- the head ---- */

/* Takes tag and length off, whether or not the content is there. False for anything but DER. */
static bool header_take(struct span *in, uint8_t tag, uint64_t *len)
{
    size_t octets;

    if (in->len < 2 || in->data[0] != tag)
        return false;
    *len = in->data[1];
    octets = *len < 0x80 ? 0 : *len - 0x80;
    if (octets > 6 || (*len == 0x80) || in->len < 2 + octets)
        return false;
    for (size_t i = 0; octets > 0 && i < octets; i++)
        *len = (i == 0 ? 0 : *len << 8) | in->data[2 + i];
    if (octets > 0 && (in->data[2] == 0 || *len < 0x80)) /* X.690 10.1: the shortest form */
        return false;
    *in = span_of(in->data + 2 + octets, in->len - 2 - octets);
    return true;
}

static enum sig_alg alg_of(struct span algorithm)
{
    for (enum sig_alg a = SIG_RSA_SHA256; a <= SIG_ECDSA_SHA512; a++)
        if (span_eq(sig_alg_der(a), algorithm))
            return a;
    return SIG_NONE;
}

static bool is_time(uint8_t tag)
{
    return tag == DER_UTC_TIME || tag == DER_GENERALIZED_TIME;
}

static bool dates_take(struct scan *s, struct span *in)
{
    struct der d;

    if (!der_next(in, &d) || !is_time(d.tag) || !der_time(&d, &s->facts.this_update_s))
        return fail(s, "it has no thisUpdate");
    if (!der_next(in, &d) || !is_time(d.tag) || !der_time(&d, &s->facts.next_update_s))
        return fail(s, "it has no nextUpdate");
    return true;
}

/* version, signature, issuer, dates (RFC 5280 5.1.2.1 to 5.1.2.5). */
static bool names_take(struct scan *s, struct span *in)
{
    struct der d;
    uint64_t version;

    if (!der_expect(in, DER_INTEGER, &d) || !der_uint(d.body, &version) || version != 1)
        return fail(s, "it is no v2 CRL");
    if (!der_expect(in, DER_SEQUENCE, &d))
        return fail(s, "it is no CRL");
    s->algorithm = d.whole;
    s->facts.alg = alg_of(d.whole);
    if (s->facts.alg == SIG_NONE)
        return fail(s, "it is signed by an algorithm that we do not use");
    if (!der_expect(in, DER_SEQUENCE, &d))
        return fail(s, "it has no issuer");
    sha256_of(d.whole, s->facts.issuer);
    return dates_take(s, in);
}

static void tbs_add(struct scan *s, struct span octets, uint64_t at)
{
    uint64_t left = at < s->tbs_end ? s->tbs_end - at : 0;

    if (left > 0)
        hash_add(s->tbs, span_of(octets.data, octets.len < left ? octets.len : (size_t)left));
}

static void tail_add(struct scan *s, struct span octets, uint64_t at)
{
    uint64_t skip = at < s->tail_begin ? s->tail_begin - at : 0;

    if (skip < octets.len)
        buf_put(&s->tail, octets.data + skip, octets.len - (size_t)skip);
}

/* All that lies before the entries, once it is in `head`. */
static bool head_read(struct scan *s)
{
    struct span whole = buf_span(&s->head), in = whole, tbs;
    uint64_t len, tbs_at;

    s->is_headed = true;
    if (!header_take(&in, DER_SEQUENCE, &len))
        return fail(s, "it is no CRL");
    tbs_at = whole.len - in.len;
    s->end = tbs_at + len;
    tbs = in;
    if (!header_take(&in, DER_SEQUENCE, &len) || (uint64_t)(whole.len - in.len) + len > s->end)
        return fail(s, "it is no CRL");
    s->tbs_end = whole.len - in.len + len;
    if (in.len > len)
        in.len = (size_t)len;
    if (!names_take(s, &in))
        return false;
    s->tail_begin = (uint64_t)(in.data - whole.data);
    if (in.len > 0 && in.data[0] == DER_SEQUENCE) { /* revokedCertificates */
        if (!header_take(&in, DER_SEQUENCE, &len))
            return fail(s, "it is no CRL");
        s->tail_begin = (uint64_t)(in.data - whole.data) + len;
    }
    if (s->tail_begin > s->tbs_end)
        return fail(s, "its entries do not end within it");
    s->tbs = hash_begin(sig_alg_hash(s->facts.alg));
    tbs_add(s, tbs, tbs_at);
    tail_add(s, whole, 0);
    return true;
}

/* ---- octets of DER ---- */

static bool der_add(struct scan *s, struct span octets)
{
    uint64_t at = s->offset;

    s->offset += octets.len;
    if (!s->is_headed) {
        size_t room = HEAD_MAX - s->head.len, n = octets.len < room ? octets.len : room;

        buf_put(&s->head, octets.data, n);
        if (s->head.len < HEAD_MAX)
            return true;
        if (!head_read(s))
            return false;
        octets = span_of(octets.data + n, octets.len - n);
        at += n;
    }
    if (s->offset > s->end)
        return fail(s, "something follows it");
    if (octets.len == 0)
        return true;
    tbs_add(s, octets, at);
    tail_add(s, octets, at);
    return buf_end(&s->tail) == OK || fail(s, "what follows its entries is too long");
}

/* ---- PEM (RFC 7468) ---- */

static bool base64_add(struct scan *s, const char *line, size_t len)
{
    uint8_t out[LINE_MAX];
    size_t n = 0, pad = 0;

    if (len % 4 != 0 || s->is_padded)
        return fail(s, "its base64 is broken");
    while (pad < 2 && len > pad && line[len - 1 - pad] == '=')
        pad++;
    s->is_padded = pad > 0;
    for (size_t i = 0; i < len; i += 4) {
        uint32_t quad = 0;

        for (size_t k = i; k < i + 4; k++) {
            int v = k >= len - pad ? 0 : base64_value((uint8_t)line[k]);

            if (v < 0)
                return fail(s, "its base64 is broken");
            quad = quad << 6 | (uint32_t)v;
        }
        out[n++] = (uint8_t)(quad >> 16);
        out[n++] = (uint8_t)(quad >> 8);
        out[n++] = (uint8_t)quad;
    }
    return der_add(s, span_of(out, n - pad));
}

static bool line_end(struct scan *s)
{
    s->line[s->line_len] = '\0';
    if (s->armour == ARMOUR_BEFORE) {
        if (strcmp(s->line, "-----BEGIN X509 CRL-----") != 0)
            return fail(s, "it is no PEM of a CRL");
        s->armour = ARMOUR_INSIDE;
    } else if (s->armour == ARMOUR_AFTER) {
        return fail(s, "something follows it");
    } else if (strcmp(s->line, "-----END X509 CRL-----") == 0) {
        s->armour = ARMOUR_AFTER;
    } else if (!base64_add(s, s->line, s->line_len)) {
        return false;
    }
    s->line_len = 0;
    return true;
}

static bool pem_add(struct scan *s, struct span octets)
{
    for (size_t i = 0; i < octets.len; i++) {
        if (octets.data[i] == '\n') {
            if (!line_end(s))
                return false;
        } else if (s->line_len == LINE_MAX) {
            return fail(s, "it is no PEM of a CRL");
        } else {
            s->line[s->line_len++] = (char)octets.data[i];
        }
    }
    return true;
}

bool scan_add(struct scan *s, struct span octets)
{
    if (octets.len == 0)
        return s->fault == NULL;
    hash_add(s->file, octets);
    s->size += octets.len;
    if (s->fault != NULL)
        return false;
    if (s->armour == ARMOUR_UNKNOWN)
        s->armour = octets.data[0] == '-' ? ARMOUR_BEFORE : ARMOUR_NONE;
    return s->armour == ARMOUR_NONE ? der_add(s, octets) : pem_add(s, octets);
}

/* ---- the tail ---- */

static bool extension_take(struct scan *s, struct span *list, bool *has_number)
{
    static const uint8_t number_oid[] = {0x55, 0x1d, 0x14}, delta_oid[] = {0x55, 0x1d, 0x1b};
    struct der e, oid, value, number;
    struct span in, inner;
    bool is_critical;

    if (!der_expect(list, DER_SEQUENCE, &e))
        return false;
    in = e.body;
    if (!der_expect(&in, DER_OID, &oid) || !der_critical(&in, &is_critical) ||
        !der_expect(&in, DER_OCTET_STRING, &value) || in.len != 0)
        return false;
    s->facts.is_delta = s->facts.is_delta || span_eq(oid.body, span_of(delta_oid, sizeof delta_oid));
    if (!span_eq(oid.body, span_of(number_oid, sizeof number_oid)))
        return true;
    inner = value.body;
    if (*has_number || !der_expect(&inner, DER_INTEGER, &number) || inner.len != 0 ||
        !der_is_minimal(number.body) || (number.body.data[0] & 0x80))
        return false;
    *has_number = true;
    if (!der_uint(number.body, &s->facts.number))
        s->facts.number = UINT64_MAX;
    return true;
}

static bool extensions_read(struct scan *s, struct span in)
{
    struct der outer, list;
    bool has_number = false;

    if (!der_expect(&in, DER_CONTEXT_CONSTRUCTED(0), &outer) || in.len != 0 ||
        !der_expect(&outer.body, DER_SEQUENCE, &list) || outer.body.len != 0)
        return fail(s, "it has no extensions");
    while (list.body.len > 0)
        if (!extension_take(s, &list.body, &has_number))
            return fail(s, "its extensions are broken");
    return has_number || fail(s, "it has no number");
}

static bool signature_read(struct scan *s, struct span in)
{
    struct der algorithm, bits;

    if (!der_expect(&in, DER_SEQUENCE, &algorithm) || !span_eq(algorithm.whole, s->algorithm) ||
        !der_expect(&in, DER_BIT_STRING, &bits) || in.len != 0 || bits.body.len < 2 ||
        bits.body.data[0] != 0 || bits.body.len - 1 > SIGNATURE_MAX)
        return fail(s, "it has no signature of ours");
    s->facts.signature_len = bits.body.len - 1;
    memcpy(s->facts.signature, bits.body.data + 1, s->facts.signature_len);
    return true;
}

static bool tail_read(struct scan *s)
{
    struct span tail = buf_span(&s->tail);
    size_t extensions_len = (size_t)(s->tbs_end - s->tail_begin);

    if (s->armour == ARMOUR_BEFORE || s->armour == ARMOUR_INSIDE || s->offset < s->end)
        return fail(s, "it is cut short");
    if (s->offset > s->end)
        return fail(s, "something follows it");
    return extensions_read(s, span_of(tail.data, extensions_len)) &&
           signature_read(s, span_of(tail.data + extensions_len, tail.len - extensions_len));
}

enum err scan_end(struct scan *s, struct scan_facts *out, struct fault *f)
{
    enum err e = OK;

    if (s->fault == NULL && s->size == 0)
        (void)fail(s, "it is empty");
    if (s->fault == NULL && s->armour == ARMOUR_AFTER && s->line_len > 0)
        (void)fail(s, "something follows it");
    if (s->fault == NULL && !s->is_headed)
        (void)head_read(s);
    if (s->fault == NULL)
        (void)tail_read(s);
    s->facts.size = s->size;
    hash_end(s->file, s->facts.sha256);
    if (s->tbs != NULL)
        hash_end(s->tbs, s->facts.digest);
    if (s->fault != NULL)
        e = fault_set(f, ERR_MALFORMED, "%s", s->fault);
    *out = s->facts;
    buf_free(&s->head);
    buf_free(&s->tail);
    free(s);
    return e;
}
