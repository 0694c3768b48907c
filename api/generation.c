/* SPDX-License-Identifier: Apache-2.0 */
/* generation: see the header. */
#include "api/generation.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/der.h"

#define DIGITS_MAX 4 /* more are no count of keys: a year, or a number of somebody else's */

static const char common_name[] = "\x55\x04\x03"; /* content of the OID, X.520 */

/* Octets of `text` in front of `mark` and the digits that it ends with, which are given; all of it, and 1,
 * when it does not end so. */
static size_t stem_of(const char *text, const char *mark, unsigned *number)
{
    size_t len = strlen(text), at = len, before = strlen(mark);

    *number = 1;
    while (at > 0 && isdigit((unsigned char)text[at - 1]))
        at--;
    if (at == len || len - at > DIGITS_MAX || at <= before || strncmp(text + at - before, mark, before) != 0)
        return len;
    *number = (unsigned)strtoul(text + at, NULL, 10);
    return at - before;
}

bool generation_id(const char *id, char out[static ISSUER_ID_MAX])
{
    unsigned number;
    size_t len = stem_of(id, "-g", &number);
    int n = snprintf(out, ISSUER_ID_MAX, "%.*s-g%u", (int)len, id, number + 1);

    return n > 0 && (size_t)n < ISSUER_ID_MAX;
}

static size_t count_chars(const char *text)
{
    size_t n = 0;

    for (; *text != '\0'; text++)
        n += ((unsigned char)*text & 0xc0) != 0x80;
    return n;
}

static enum err next_cn(struct span old, char out[static GENERATION_CN_MAX], struct fault *f)
{
    char text[GENERATION_CN_MAX];
    unsigned number;
    size_t len;
    int n;

    if (!span_to_str(old, text, sizeof text))
        return fault_set(f, ERR_CONFLICT, "its common name is no name that could be counted on");
    len = stem_of(text, " G", &number);
    n = snprintf(out, GENERATION_CN_MAX, "%.*s G%u", (int)len, text, number + 1);
    if (n < 0 || (size_t)n >= GENERATION_CN_MAX || count_chars(out) > CN_MAX)
        return fault_set(f, ERR_CONFLICT, "the next common name after \"%s\" is longer than %u characters",
                         text, CN_MAX);
    return OK;
}

/* A SET of one attribute, which is a commonName of text that ASCII is a part of. */
static bool is_common_name(struct span set, struct der *value)
{
    struct der attribute, type;

    return der_expect(&set, DER_SEQUENCE, &attribute) && set.len == 0 &&
           der_expect(&attribute.body, DER_OID, &type) && span_eq(type.body, span_str(common_name)) &&
           der_next(&attribute.body, value) &&
           (value->tag == DER_UTF8_STRING || value->tag == DER_PRINTABLE_STRING);
}

static void put_common_name(struct buf *b, uint8_t tag, const char *cn)
{
    size_t set = der_open(b, DER_SET), attribute = der_open(b, DER_SEQUENCE);

    der_put_oid(b, span_str(common_name));
    der_put(b, tag, span_str(cn));
    der_close(b, attribute);
    der_close(b, set);
}

enum err generation_name(struct span name, struct buf *out, char cn[static GENERATION_CN_MAX],
                         struct fault *f)
{
    struct der rdns, set, value;
    size_t seq = der_open(out, DER_SEQUENCE);
    unsigned found = 0;

    if (!der_expect(&name, DER_SEQUENCE, &rdns))
        return fault_set(f, ERR_CONFLICT, "its subject is no name");
    while (der_next(&rdns.body, &set)) {
        if (!is_common_name(set.body, &value)) {
            buf_put_span(out, set.whole);
            continue;
        }
        if (found++ == 0 && next_cn(value.body, cn, f) != OK)
            return ERR_CONFLICT;
        put_common_name(out, value.tag, cn);
    }
    der_close(out, seq);
    if (found != 1)
        return fault_set(f, ERR_CONFLICT, "its subject has %u common names that could be counted on, not one",
                         found);
    return buf_end(out);
}
