/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ocsp_http: OCSP over HTTP (RFC 6960 appendix A, caching of RFC 9919 and RFC 5019 6.2). Whatever OCSP itself
 * has a word for is HTTP 200 with that word in the body, also a GET path that holds no base64.
 *
 * A proxy that merges "//" in paths breaks the base64 of clients that do not escape it; the answer is then
 * malformedRequest and such a client must use POST. Nothing here merges.
 */
#include "api/public.h"

#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/clock.h"
#include "base/log.h"

/* We sign at the request and keep no answer, so from us the next answer after a revocation says revoked. A
 * cache on the way may hold an older one for this long: short enough to not matter beside clients' own
 * caching until nextUpdate. */
#define OCSP_MAX_AGE_S 60

#define BASE64_MAX ((OCSP_REQUEST_MAX + 2) / 3 * 4)

struct asked {
    struct http_request *r;
    bool is_get;
};

static bool is_cacheable(const struct ocsp_answer *a)
{
    return a->status == OCSP_SUCCESSFUL && !a->has_nonce && !a->has_unknown && a->count == 1;
}

static void reply_cacheable(const struct asked *q, const struct ocsp_answer *a)
{
    char etag[2 * HASH_LEN + 3] = "\"", modified[CLOCK_TEXT_MAX], expires[CLOCK_TEXT_MAX], control[96];
    const struct http_field fields[] = {
        {"Content-Type", "application/ocsp-response"},
        {"Cache-Control", control},
        {"ETag", etag},
        {"Last-Modified", modified},
        {"Expires", expires},
        {NULL, NULL},
    };
    int64_t age = a->next_update_s - a->this_update_s;
    uint8_t digest[HASH_LEN];

    sha256_of(a->der, digest);
    hex_encode(span_of(digest, sizeof digest), etag + 1);
    strcat(etag, "\"");
    clock_http(a->this_update_s, modified);
    clock_http(a->next_update_s, expires);
    snprintf(control, sizeof control, "max-age=%lld, public, no-transform, must-revalidate",
             (long long)(age < OCSP_MAX_AGE_S ? age : OCSP_MAX_AGE_S));
    if (q->is_get && published_is_fresh(http_header(q->r, "If-None-Match"), NULL, etag, a->this_update_s))
        http_reply(q->r, 304, fields + 1, (struct span){0});
    else
        http_reply(q->r, 200, fields, a->der);
}

static void on_answer(const struct ocsp_answer *a, void *arg)
{
    static const struct http_field once[] = {
        {"Content-Type", "application/ocsp-response"},
        {"Cache-Control", "no-store"},
        {NULL, NULL},
    };
    struct asked *q = arg;

    if (is_cacheable(a))
        reply_cacheable(q, a);
    else
        http_reply(q->r, 200, once, a->der);
    free(q);
}

static void ask(struct public *p, struct http_request *r, struct span der, bool is_get)
{
    struct asked *q = xmalloc(sizeof *q);

    *q = (struct asked){.r = r, .is_get = is_get};
    ocsp_respond(p->ocsp, der, clock_now_s(), on_answer, q);
}

/* Parameters after the type are let pass: some clients send a charset. */
static bool is_ocsp_request(const char *type)
{
    static const char want[] = "application/ocsp-request";
    size_t len = sizeof want - 1;

    if (type == NULL || strncasecmp(type, want, len) != 0)
        return false;
    return type[len] == '\0' || strchr("; \t", type[len]) != NULL;
}

void ocsp_http_post(struct public *p, struct http_request *r, const char *rest)
{
    (void)rest;
    if (!is_ocsp_request(http_header(r, "Content-Type")))
        public_refuse(r, ERR_MEDIA_TYPE, "an OCSP request is application/ocsp-request", NULL);
    else
        ask(p, r, http_body(r), false);
}

/* Decodes `len` characters (a multiple of four) and holds the result against its own encoding: EVP is
 * lenient, we are not. */
static size_t decode_exactly(const char *text, size_t len, uint8_t *out)
{
    uint8_t again[BASE64_MAX + 1];
    int n = EVP_DecodeBlock(out, (const uint8_t *)text, (int)len);

    if (n < 0)
        return 0;
    n -= (text[len - 1] == '=') + (text[len - 2] == '=');
    if (n <= 0 || (size_t)EVP_EncodeBlock(again, out, n) != len || memcmp(again, text, len) != 0)
        return 0;
    return (size_t)n;
}

enum err ocsp_http_decode(const char *rest, struct buf *der)
{
    char text[3 * BASE64_MAX + 4]; /* every character escaped, and padding */
    uint8_t out[BASE64_MAX];       /* EVP fills whole groups of three */
    size_t len;

    while (*rest ==
           '/') /* an address that ends in a slash, and another: base64 of a SEQUENCE begins with M */
        rest++;
    if (strlen(rest) >= sizeof text)
        return ERR_TOO_LARGE;
    if (!http_unescape(span_str(rest), text, sizeof text))
        return OK;
    len = strlen(text);
    while (len % 4 != 0) /* some clients leave the padding out */
        text[len++] = '=';
    if (len > BASE64_MAX)
        return ERR_TOO_LARGE;
    if (len > 0)
        buf_put(der, out, decode_exactly(text, len, out));
    return buf_end(der);
}

void ocsp_http_get(struct public *p, struct http_request *r, const char *rest)
{
    struct buf der;

    buf_init(&der, OCSP_REQUEST_MAX);
    if (ocsp_http_decode(rest, &der) == OK)
        ask(p, r, buf_span(&der), true);
    else
        public_refuse(r, ERR_TOO_LARGE, "an OCSP request has at most 4096 octets", NULL);
    buf_free(&der);
}
