/* SPDX-License-Identifier: Apache-2.0 */
/* sigv4: canonical request, string to sign, derived key, signature. */
#include "watch/sigv4.h"

#include <stdio.h>
#include <string.h>

#define TEXT_MAX 4096u /* a method, a URL of 512, a handful of headers */

/* The authority as it stands in Host: without the scheme's own port. */
static struct span authority_of(const char *url)
{
    bool is_https = strncmp(url, "https://", 8) == 0;
    const char *at = strstr(url, "://") + 3, *own = is_https ? ":443" : ":80";
    size_t len = strcspn(at, "/");

    if (len > strlen(own) && memcmp(at + len - strlen(own), own, strlen(own)) == 0)
        len -= strlen(own);
    return span_of(at, len);
}

static const char *path_of(const char *url)
{
    const char *at = strchr(strstr(url, "://") + 3, '/');

    return at != NULL ? at : "/";
}

static void hex_of(struct span s, char out[static 2 * 32 + 1])
{
    hex_encode(s, out);
}

static void request_hash(const struct sigv4 *s, const char *date, const char *content, const char *names,
                         char out[static 65])
{
    struct span host = authority_of(s->url);
    uint8_t hash[32];
    struct buf b;

    buf_init(&b, TEXT_MAX);
    buf_printf(&b, "%s\n%s\n\n", s->method, path_of(s->url));
    if (s->content_type != NULL)
        buf_printf(&b, "content-type:%s\n", s->content_type);
    buf_printf(&b, "host:%.*s\nx-amz-content-sha256:%s\nx-amz-date:%s\n\n%s\n%s", (int)host.len,
               (const char *)host.data, content, date, names, content);
    sha256_of(buf_span(&b), hash);
    hex_of(span_of(hash, 32), out);
    buf_free(&b);
}

static void derive(const struct sigv4 *s, const char *day, uint8_t key[static 32])
{
    char seed[4200];
    int len = snprintf(seed, sizeof seed, "AWS4%s", s->secret);

    hmac_sha256(span_of(seed, (size_t)len), span_str(day), key);
    hmac_sha256(span_of(key, 32), span_str(s->region), key);
    hmac_sha256(span_of(key, 32), span_str("s3"), key);
    hmac_sha256(span_of(key, 32), span_str("aws4_request"), key);
    explicit_bzero(seed, sizeof seed);
}

void sigv4_sign(const struct sigv4 *s, struct sigv4_headers *out)
{
    const char *names = s->content_type != NULL ? "content-type;host;x-amz-content-sha256;x-amz-date"
                                                : "host;x-amz-content-sha256;x-amz-date";
    char stamp[CLOCK_TEXT_MAX], date[24], day[9], content[65], request[65], signature[65];
    uint8_t hash[32], key[32];
    struct buf b;

    clock_generalized(s->now_s, stamp); /* 20260131120000Z */
    snprintf(day, sizeof day, "%.8s", stamp);
    snprintf(date, sizeof date, "%.8sT%.6sZ", stamp, stamp + 8);
    if (s->sha256 == NULL)
        sha256_of(span_of(NULL, 0), hash);
    hex_of(span_of(s->sha256 != NULL ? s->sha256 : hash, 32), content);
    request_hash(s, date, content, names, request);
    derive(s, day, key);
    buf_init(&b, TEXT_MAX);
    buf_printf(&b, "AWS4-HMAC-SHA256\n%s\n%s/%s/s3/aws4_request\n%s", date, day, s->region, request);
    hmac_sha256(span_of(key, 32), buf_span(&b), hash);
    hex_of(span_of(hash, 32), signature);
    buf_free(&b);
    explicit_bzero(key, sizeof key);
    snprintf(out->date, sizeof out->date, "x-amz-date: %s", date);
    snprintf(out->content, sizeof out->content, "x-amz-content-sha256: %s", content);
    snprintf(
        out->authorization, sizeof out->authorization,
        "Authorization: AWS4-HMAC-SHA256 Credential=%s/%s/%s/s3/aws4_request, SignedHeaders=%s, Signature=%s",
        s->key_id, day, s->region, names, signature);
}
