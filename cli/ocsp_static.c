/* SPDX-License-Identifier: Apache-2.0 */
/* ocsp_static: names and answers of a static set. */
#include "cli/ocsp_static.h"

#include <stdio.h>
#include <string.h>

#include "base/alg.h"
#include "base/base64.h"
#include "base/fetch.h"
#include "base/parts.h"

#define ANSWER_TRY_LATER 3 /* RFC 6960 4.2.1 */

static const uint8_t sha1_oid[] = {0x2b, 0x0e, 0x03, 0x02, 0x1a};

/* ---- issuers ---- */

/* The base64 between the first armour's lines. */
static void put_armoured(struct buf *out, struct span pem)
{
    static const char begin[] = "-----BEGIN CERTIFICATE-----", end[] = "-----END";
    const char *at = memmem(pem.data, pem.len, begin, sizeof begin - 1), *stop;

    if (at == NULL)
        return;
    at += sizeof begin - 1;
    stop = memmem(at, pem.len - (size_t)(at - (const char *)pem.data), end, sizeof end - 1);
    for (; stop != NULL && at < stop; at++)
        if (*at != '\n' && *at != '\r')
            buf_put_u8(out, (uint8_t)*at);
}

bool static_issuer_read(struct span pem, struct static_issuer *out)
{
    struct buf text, der;
    struct parts parts;
    struct key_kind kind;
    size_t len = 0;
    bool good;

    buf_init(&text, 65536);
    buf_init(&der, 65536);
    put_armoured(&text, pem);
    for (size_t i = 0; i < text.len; i++)
        buf_put_u8(&der, 0); /* room */
    good = text.len > 0 && base64_read(buf_span(&text), der.data, &len) &&
           parts_of(span_of(der.data, len), &parts) && key_kind_of(parts.spki, &kind);
    if (good) {
        sha1_of(parts.subject, out->name_hash);
        sha1_of(kind.key_bits, out->key_hash);
    }
    buf_free(&text);
    buf_free(&der);
    return good;
}

/* ---- names ---- */

bool static_prefix_is_plain(const char *prefix)
{
    static const char permitted[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.~/";

    if (prefix[0] != '/' || strspn(prefix, permitted) != strlen(prefix))
        return false;
    for (const char *at = prefix; at != NULL; at = strchr(at + 1, '/'))
        if (strcspn(at + 1, "/") == strspn(at + 1, ".")) /* nothing but dots, or nothing */
            return false;
    return true;
}

static void put_certid(struct buf *b, const struct static_issuer *i, const uint8_t serial[static SERIAL_LEN])
{
    size_t id = der_open(b, DER_SEQUENCE), alg = der_open(b, DER_SEQUENCE);

    der_put_oid(b, span_of(sha1_oid, sizeof sha1_oid));
    der_put_null(b);
    der_close(b, alg);
    der_put(b, DER_OCTET_STRING, span_of(i->name_hash, sizeof i->name_hash));
    der_put(b, DER_OCTET_STRING, span_of(i->key_hash, sizeof i->key_hash));
    der_put_unsigned(b, span_of(serial, SERIAL_LEN));
    der_close(b, id);
}

static void put_request(struct buf *b, struct span certid)
{
    size_t marks[4];

    for (size_t i = 0; i < 4; i++) /* OCSPRequest, TBSRequest, requestList, Request */
        marks[i] = der_open(b, DER_SEQUENCE);
    buf_put_span(b, certid);
    for (size_t i = 4; i > 0; i--)
        der_close(b, marks[i - 1]);
}

static bool take_text(const struct buf *b, char out[static STATIC_NAME_MAX])
{
    return buf_end(b) == OK && span_to_str(buf_span(b), out, STATIC_NAME_MAX);
}

static bool take_names(struct static_place *p, const char *prefix, struct span der)
{
    struct buf base64, path, file;
    bool good;

    buf_init(&base64, STATIC_NAME_MAX);
    buf_init(&path, STATIC_NAME_MAX);
    buf_init(&file, STATIC_NAME_MAX);
    base64_put(&base64, der);
    buf_printf(&file, "%s%s%.*s", prefix[0] == '/' ? prefix + 1 : prefix, prefix[1] != '\0' ? "/" : "",
               (int)base64.len, (const char *)base64.data);
    buf_put_u8(&base64, 0);
    buf_printf(&path, "%s/", prefix[1] != '\0' ? prefix : "");
    fetch_segment(&path, (const char *)base64.data);
    good = buf_end(&base64) == OK && take_text(&path, p->path) && take_text(&file, p->file);
    buf_free(&base64);
    buf_free(&path);
    buf_free(&file);
    return good;
}

bool static_place_of(const struct static_issuer *i, const uint8_t serial[static SERIAL_LEN],
                     const char *prefix, struct static_place *out)
{
    struct buf certid, request;
    bool good;

    buf_init(&certid, STATIC_CERTID_MAX);
    buf_init(&request, STATIC_NAME_MAX);
    put_certid(&certid, i, serial);
    put_request(&request, buf_span(&certid));
    good = buf_end(&certid) == OK && buf_end(&request) == OK && take_names(out, prefix, buf_span(&request));
    if (good) {
        memcpy(out->certid, certid.data, certid.len);
        out->certid_len = certid.len;
    }
    buf_free(&certid);
    buf_free(&request);
    return good;
}

/* ---- answers ---- */

/* The content of the one element of this tag, and nothing behind it. */
static bool enter(struct span *in, uint8_t tag)
{
    struct der d;
    bool good = der_expect(in, tag, &d) && in->len == 0;

    *in = d.body;
    return good;
}

static bool read_status(struct span *in, struct static_answer *out)
{
    struct der d, when;

    if (!der_next(in, &d))
        return false;
    out->state = d.tag == DER_CONTEXT(0)               ? STATIC_GOOD
                 : d.tag == DER_CONTEXT_CONSTRUCTED(1) ? STATIC_REVOKED
                                                       : STATIC_UNKNOWN;
    if (out->state != STATIC_REVOKED)
        return true;
    return der_expect(&d.body, DER_GENERALIZED_TIME, &when) && der_time(&when, &out->revoked_at_s);
}

static bool read_single(struct span in, const struct static_place *p, struct static_answer *out)
{
    struct der certid, d, time;

    if (!enter(&in, DER_SEQUENCE) || !der_expect(&in, DER_SEQUENCE, &certid) ||
        !span_eq(certid.whole, span_of(p->certid, p->certid_len)) || !read_status(&in, out))
        return false;
    if (!der_expect(&in, DER_GENERALIZED_TIME, &time) || !der_time(&time, &out->this_update_s))
        return false;
    return der_expect(&in, DER_CONTEXT_CONSTRUCTED(0), &d) &&
           der_expect(&d.body, DER_GENERALIZED_TIME, &time) && der_time(&time, &out->next_update_s);
}

/* BasicOCSPResponse, RFC 6960 4.2.1 */
static bool read_basic(struct span in, const struct static_place *p, struct static_answer *out)
{
    struct der data, d;

    if (!enter(&in, DER_SEQUENCE) || !der_expect(&in, DER_SEQUENCE, &data))
        return false;
    in = data.body;
    if (!der_next(&in, &d) || !der_expect(&in, DER_GENERALIZED_TIME, &d) ||
        !der_time(&d, &out->produced_at_s) || !der_expect(&in, DER_SEQUENCE, &d))
        return false; /* responderID, producedAt, responses */
    return read_single(d.body, p, out);
}

bool static_answer_read(struct span in, const struct static_place *p, struct static_answer *out,
                        bool *try_later)
{
    struct der status, d;

    if (try_later != NULL)
        *try_later = false;
    if (!enter(&in, DER_SEQUENCE) || !der_expect(&in, DER_ENUMERATED, &status) || status.body.len != 1)
        return false;
    if (try_later != NULL)
        *try_later = status.body.data[0] == ANSWER_TRY_LATER;
    if (status.body.data[0] != 0 || !enter(&in, DER_CONTEXT_CONSTRUCTED(0)) || !enter(&in, DER_SEQUENCE))
        return false;
    if (!der_expect(&in, DER_OID, &d) || !enter(&in, DER_OCTET_STRING))
        return false;
    return read_basic(in, p, out);
}
