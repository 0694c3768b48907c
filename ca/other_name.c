/* SPDX-License-Identifier: Apache-2.0 */
/* other_name: a GeneralName that is neither host, address, e-mail nor URI, for people: nobody issues such
 * names, but who asked for one has to find it in his product. RFC 5280 4.2.1.6. */
#include <inttypes.h>

#include "base/der.h"
#include "ca/policy.h"

#define OID_OCTETS_MAX 32u /* shown: those of names take a dozen */
#define ID_ON "\x2b\x06\x01\x05\x05\x07\x08"

/* One subidentifier, X.690 8.19.2; false at the end, and for one beyond 64 bits. */
static bool next_arc(struct span *in, uint64_t *out)
{
    *out = 0;
    for (size_t i = 0; i < in->len && *out >> 57 == 0; i++) {
        *out = *out << 7 | (in->data[i] & 0x7f);
        if ((in->data[i] & 0x80) != 0)
            continue;
        *in = span_of(in->data + i + 1, in->len - i - 1);
        return true;
    }
    return false;
}

/* "1.2.3"; false for what is no OID, or has an arc that nobody has. */
static bool put_oid(struct span oid, struct buf *out)
{
    uint64_t arc, first;

    if (!next_arc(&oid, &arc))
        return false;
    first = arc < 80 ? arc / 40 : 2;
    buf_printf(out, "%" PRIu64 ".%" PRIu64, first, arc - 40 * first);
    while (next_arc(&oid, &arc))
        buf_printf(out, ".%" PRIu64, arc);
    return oid.len == 0;
}

/* What Expressway calls them where it makes its requests. RFC 6120 13.7.1.4, RFC 4985. */
static const char *known_type(struct span oid)
{
    if (span_eq(oid, span_str(ID_ON "\x05")))
        return "XMPPAddress";
    return span_eq(oid, span_str(ID_ON "\x07")) ? "SRVName" : NULL;
}

static void put_other(struct span body, struct buf *out)
{
    const char *name;
    struct buf dotted;
    struct der oid;

    buf_put_str(out, "otherName");
    if (!der_expect(&body, DER_OID, &oid) || oid.body.len > OID_OCTETS_MAX)
        return;
    name = known_type(oid.body);
    buf_init(&dotted, 256);
    if (put_oid(oid.body, &dotted))
        buf_printf(out, name != NULL ? " %s (%.*s)" : "%s %.*s", name != NULL ? name : "", (int)dotted.len,
                   (const char *)dotted.data);
    buf_free(&dotted);
}

void other_name_text(struct span general_name, struct buf *out)
{
    static const char *const kinds[] = {
        [3] = "x400Address", [4] = "directoryName", [5] = "ediPartyName", [8] = "registeredID"};
    struct der d;
    unsigned n;

    if (!der_next(&general_name, &d))
        return buf_put_str(out, "another kind of name");
    n = d.tag & 0x1f;
    if (d.tag == DER_CONTEXT_CONSTRUCTED(0))
        return put_other(d.body, out);
    buf_put_str(out,
                n < sizeof kinds / sizeof *kinds && kinds[n] != NULL ? kinds[n] : "another kind of name");
}
