/* SPDX-License-Identifier: Apache-2.0 */
/*
 * der: the writer of every structure we sign, and a strict reader for the few
 * we read ourselves (what the signer is asked to sign, canonical OCSP requests).
 * ITU-T X.690 DER. Hostile DER elsewhere is parsed by OpenSSL.
 *
 * The writer is a buf (sticky, bounded). Constructed values are opened and
 * closed; the length is put in its place on close. The reader accepts definite,
 * minimal lengths and single-octet tags only, which is all that X.509 uses.
 * Thread rule: pure; one buf, one thread.
 */
#ifndef BASE_DER_H
#define BASE_DER_H

#include "base/buf.h"

enum der_tag {
    DER_BOOLEAN = 0x01,
    DER_INTEGER = 0x02,
    DER_BIT_STRING = 0x03,
    DER_OCTET_STRING = 0x04,
    DER_NULL = 0x05,
    DER_OID = 0x06,
    DER_ENUMERATED = 0x0a,
    DER_UTF8_STRING = 0x0c,
    DER_NUMERIC_STRING = 0x12,
    DER_PRINTABLE_STRING = 0x13,
    DER_T61_STRING = 0x14,
    DER_IA5_STRING = 0x16,
    DER_UTC_TIME = 0x17,
    DER_GENERALIZED_TIME = 0x18,
    DER_VISIBLE_STRING = 0x1a,
    DER_UNIVERSAL_STRING = 0x1c,
    DER_BMP_STRING = 0x1e,
    DER_SEQUENCE = 0x30,
    DER_SET = 0x31,
};

#define DER_CONTEXT(n) (0x80 | (n))             /* [n] IMPLICIT, primitive */
#define DER_CONTEXT_CONSTRUCTED(n) (0xa0 | (n)) /* [n] EXPLICIT, or IMPLICIT of a constructed type */

/* Opens a constructed value (or an OCTET STRING / BIT STRING that wraps one); give the mark to der_close. */
size_t der_open(struct buf *b, uint8_t tag);
void der_close(struct buf *b, size_t mark);
/* Extension (RFC 5280 4.1): what is written until the close is its value, inside the OCTET STRING. `oid`:
 * content octets. */
struct der_extension {
    size_t whole, value; /* marks */
};
struct der_extension der_open_extension(struct buf *b, struct span oid, bool is_critical);
void der_close_extension(struct buf *b, struct der_extension e);

void der_put(struct buf *b, uint8_t tag, struct span body);
void der_put_oid(struct buf *b, struct span body);           /* the content octets of the OID */
void der_put_bool(struct buf *b, bool v);                    /* DEFAULT FALSE is the caller's to leave out */
void der_put_uint(struct buf *b, uint64_t v);                /* INTEGER */
void der_put_unsigned(struct buf *b, struct span magnitude); /* INTEGER >= 0 from big-endian octets */
void der_put_null(struct buf *b);
void der_put_bits(struct buf *b, struct span bits); /* BIT STRING, no unused bits */
void der_put_named_bits(
    struct buf *b, uint16_t flags); /* named BIT STRING, bit 0 = 0x8000, trailing zeros cut (X.690 11.2.2) */
/* RFC 5280 4.1.2.5: UTCTime through 2049, else GeneralizedTime, no fractions. */
void der_put_time(struct buf *b, int64_t t_s);
void der_put_generalized_time(struct buf *b, int64_t t_s); /* OCSP, invalidityDate */
/* Octets that a header for `body_len` octets of content takes, tag included. */
size_t der_header_len(size_t body_len);
/* The header alone: for a body that is streamed after it. */
void der_put_header(struct buf *b, uint8_t tag, size_t body_len);

/* One element: `whole` is tag, length and body; all borrowed. */
struct der {
    uint8_t tag;
    struct span body;
    struct span whole;
};

/* Takes the next element off `in`. False (and `in` untouched) at the end or for anything but strict DER. */
[[nodiscard]] bool der_next(struct span *in, struct der *out);
/* der_next, and the tag must be this one. */
[[nodiscard]] bool der_expect(struct span *in, uint8_t tag, struct der *out);
/* True and takes it when the next element has this tag. */
[[nodiscard]] bool der_optional(struct span *in, uint8_t tag, struct der *out);
/* critical BOOLEAN DEFAULT FALSE of an extension, RFC 5280 4.1: not there, or TRUE as DER has it (X.690 11.1,
 * 11.5). False: there and anything else. */
[[nodiscard]] bool der_critical(struct span *in, bool *is_critical);
/* Two elements, whole, as they may follow each other in a SET OF, X.690 11.6. */
bool der_ascends(struct span a, struct span b);
/* A value of a Name that every reader takes: a string of one of the kinds in use, not empty (X.520 has SIZE
 * (1..MAX)), with octets that are its characters: UTF-8, UCS-2 without surrogates (X.680 41.15), digits and
 * space, the PrintableString's few, ASCII. Go's readers refuse the whole certificate for one that is not.
 * What T61 octets mean is not looked at. None holds a NUL: who ends a name there reads another one. */
bool der_is_text(const struct der *value);
/* True for the content of an INTEGER in as few octets as it takes, X.690 8.3.2. */
bool der_is_minimal(struct span body);
/* A minimal, non-negative INTEGER's content as a number below 2^63; false otherwise. */
[[nodiscard]] bool der_uint(struct span body, uint64_t *out);
/* UTCTime or GeneralizedTime in the DER form of RFC 5280 (ends in Z, seconds, no fraction). */
[[nodiscard]] bool der_time(const struct der *d, int64_t *out_s);

#endif
