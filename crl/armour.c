/* SPDX-License-Identifier: Apache-2.0 */
/*
 * armour: PEM of a CRL, in pieces as they come. Base64 by two table lookups for three octets: the text of a
 * list of millions is made while the signer hashes, and must not be what it waits for. RFC 7468 3.
 */
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "crl/inner.h"

#define END "-----END X509 CRL-----\n"
#define LINES_MAX 4096u /* made at once: large writes cost less */

struct armour {
    crl_sink *sink;
    void *arg;
    bool is_stopped;
    size_t waiting; /* octets of the line that is not full yet */
    size_t len;     /* characters made and not handed on */
    uint8_t line[ARMOUR_LINE];
    char pairs[4096][2]; /* two characters for each 12 bits */
    char text[LINES_MAX * ARMOUR_LINE_LEN];
};

static void flush(struct armour *a)
{
    if (!a->is_stopped && a->len > 0)
        a->is_stopped = !a->sink(span_of(a->text, a->len), a->arg);
    a->len = 0;
}

/* Three octets to four characters, `groups` times; gives the place behind them. */
static char *encode(const struct armour *a, const uint8_t *from, size_t groups, char *to)
{
    for (size_t i = 0; i < groups; i++, from += 3, to += 4) {
        unsigned bits = (unsigned)from[0] << 16 | (unsigned)from[1] << 8 | from[2];

        memcpy(to, a->pairs[bits >> 12], 2);
        memcpy(to + 2, a->pairs[bits & 0xfff], 2);
    }
    return to;
}

void armour_line(const struct armour *a, const uint8_t octets[static ARMOUR_LINE],
                 char out[static ARMOUR_LINE_LEN])
{
    *encode(a, octets, ARMOUR_LINE / 3, out) = '\n';
}

static void put_line(struct armour *a, const uint8_t *octets)
{
    if (a->len + ARMOUR_LINE_LEN > sizeof a->text)
        flush(a);
    armour_line(a, octets, a->text + a->len);
    a->len += ARMOUR_LINE_LEN;
}

static void put_text(struct armour *a, const char *text)
{
    flush(a);
    memcpy(a->text, text, strlen(text));
    a->len = strlen(text);
}

struct armour *armour_new(crl_sink *sink, void *arg)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    struct armour *a = xmalloc(sizeof *a);

    a->sink = sink;
    a->arg = arg;
    a->is_stopped = false;
    a->waiting = a->len = 0;
    for (size_t i = 0; i < 4096; i++) {
        a->pairs[i][0] = digits[i >> 6];
        a->pairs[i][1] = digits[i & 63];
    }
    put_text(a, ARMOUR_BEGIN);
    return a;
}

bool armour_add(struct armour *a, struct span octets)
{
    while (octets.len > 0) {
        size_t n = ARMOUR_LINE - a->waiting;

        if (a->waiting == 0 && octets.len >= ARMOUR_LINE) {
            put_line(a, octets.data);
            octets = span_of(octets.data + ARMOUR_LINE, octets.len - ARMOUR_LINE);
            continue;
        }
        n = octets.len < n ? octets.len : n;
        memcpy(a->line + a->waiting, octets.data, n);
        octets = span_of(octets.data + n, octets.len - n);
        a->waiting += n;
        if (a->waiting == ARMOUR_LINE) {
            put_line(a, a->line);
            a->waiting = 0;
        }
    }
    return !a->is_stopped;
}

/* What is left is no full line: its last group is padded. */
static void put_rest(struct armour *a)
{
    size_t pad = (3 - a->waiting % 3) % 3;
    char *end;

    if (a->waiting == 0)
        return;
    flush(a);
    memset(a->line + a->waiting, 0, pad);
    end = encode(a, a->line, (a->waiting + pad) / 3, a->text);
    memset(end - pad, '=', pad);
    *end = '\n';
    a->len = (size_t)(end + 1 - a->text);
}

bool armour_end(struct armour *a)
{
    put_rest(a);
    put_text(a, END);
    flush(a);
    return !a->is_stopped;
}

void armour_free(struct armour *a)
{
    free(a);
}
