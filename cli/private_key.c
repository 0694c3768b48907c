/* SPDX-License-Identifier: Apache-2.0 */
/* private_key: is there one in a file that is about to be sent? As octets, in its armour, as base64 alone or
 * within JSON, and each text also in UTF-16. What is none is taken for one far more gladly than the reverse.
 */
#include <string.h>

#include "base/base64.h"
#include "base/der.h"
#include "cli/inner.h"

#define HEAD_MAX 256u /* octets of a key that show what it is: an encrypted one begins with some 110 */

/* ---- octets ---- */

/* Where the content of a SEQUENCE begins, 0 when it is none. BER as other programs write and read it: a
 * length of any form, indefinite or in more octets than it takes, and whatever it says of the file's end. */
static size_t content_at(struct span file)
{
    if (file.len < 2 || file.data[0] != DER_SEQUENCE)
        return 0;
    return file.data[1] <= 0x80 ? 2 : 2 + (size_t)(file.data[1] & 0x7f);
}

static struct span from(struct span s, size_t at)
{
    return at < s.len ? span_of(s.data + at, s.len - at) : (struct span){0};
}

static struct span content_of(struct span s)
{
    size_t at = content_at(s);

    return at > 0 ? from(s, at) : (struct span){0};
}

static bool begins_with(struct span s, uint8_t tag)
{
    return s.len > 0 && s.data[0] == tag;
}

/* RFC 5958 3: AlgorithmIdentifier, then an OCTET STRING. In a public key a BIT STRING follows. */
static bool is_encrypted_key(struct span file)
{
    struct span algorithm = content_of(file), rest = algorithm;
    struct der inner;

    return begins_with(content_of(algorithm), DER_OID) && der_next(&rest, &inner) &&
           begins_with(rest, DER_OCTET_STRING);
}

/* A version, then what follows it in PKCS#8 and PKCS#12 (SEQUENCE), RSA and DSA (INTEGER), EC (OCTET STRING).
 */
static bool begins_as_key(struct span head)
{
    struct span c = content_of(head);
    bool has_version = c.len > 3 && c.data[0] == DER_INTEGER && c.data[1] == 1 && c.data[2] <= 3;

    return is_encrypted_key(head) || (has_version && (c.data[3] == DER_SEQUENCE || c.data[3] == DER_INTEGER ||
                                                      c.data[3] == DER_OCTET_STRING));
}

/* ---- text ---- */

static bool has_mark(struct span text)
{
    static const char *const marks[] = {"PRIVATE KEY-----", "Private-Lines:" /* PuTTY's */};

    for (size_t i = 0; i < sizeof marks / sizeof *marks; i++)
        if (text.len > 0 && memmem(text.data, text.len, marks[i], strlen(marks[i])) != NULL)
            return true;
    return false;
}

static bool is_space(uint8_t c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

/* The next sextet, behind white space and the escapes of a JSON string; -1: base64 ends here. */
static int next_sextet(struct span text, size_t *at)
{
    while (*at < text.len) {
        uint8_t c = text.data[*at];
        bool is_escape = c == '\\' && *at + 1 < text.len;

        if (is_escape && text.data[*at + 1] == '/')
            ++*at;
        else if (is_escape && strchr("nrt", text.data[*at + 1]) != NULL)
            *at += 2;
        else if (is_space(c))
            ++*at;
        else
            return base64_value(text.data[(*at)++]);
    }
    return -1;
}

/* The first octets of what the base64 from there on says. */
static struct span decode_head(struct span text, size_t at, uint8_t out[static HEAD_MAX])
{
    uint32_t bits = 0;
    unsigned have = 0;
    size_t len = 0;
    int v;

    while (len < HEAD_MAX && (v = next_sextet(text, &at)) >= 0) {
        bits = bits << 6 | (uint32_t)v;
        have += 6;
        if (have >= 8) {
            have -= 8;
            out[len++] = (uint8_t)(bits >> have);
        }
    }
    return span_of(out, len);
}

/* Each word is looked at whose octets can be a SEQUENCE's first or an armour's. */
static bool holds_base64_of_key(struct span text)
{
    uint8_t octets[HEAD_MAX];

    for (size_t i = 0; i < text.len; i++) {
        bool is_inside = i > 0 && base64_value(text.data[i - 1]) >= 0;
        bool may_be = text.data[i] == 'M' || text.data[i] == 'L';
        struct span head;

        if (is_inside || !may_be)
            continue;
        head = decode_head(text, i, octets);
        if (begins_as_key(head) || has_mark(head))
            return true;
    }
    return false;
}

/* UTF-16 of such text has a NUL beside each character. */
static void put_without_nul(struct buf *b, struct span file)
{
    for (size_t i = 0; i < file.len; i++)
        if (file.data[i] != '\0')
            buf_put_u8(b, file.data[i]);
}

bool has_private_key(struct span file)
{
    struct buf text;
    bool has;

    if (begins_with(content_of(file), DER_INTEGER) || is_encrypted_key(file) || has_mark(file))
        return true;
    buf_init(&text, file.len);
    put_without_nul(&text, file);
    has = has_mark(buf_span(&text)) || holds_base64_of_key(buf_span(&text));
    buf_free(&text);
    return has;
}
