/* SPDX-License-Identifier: Apache-2.0 */
/* render: a certificate of the store in each form the interface gives: JSON, PEM, DER, PKCS#7, alone or with
 * its chain. */
#include "api/api.h"

#include <string.h>

void cert_path_of(struct view *v, struct span leaf, uint16_t issuer_no, bool with_root, struct cert_path *out)
{
    struct issuer i;
    enum err e = issuer_find_no(v, issuer_no, &i);

    out->certs[0] = leaf;
    out->count = 1;
    while (e == OK && out->count < CERT_PATH_MAX && (i.parent[0] != '\0' || with_root)) {
        char parent[ISSUER_ID_MAX];

        out->certs[out->count++] = i.certificate;
        strcpy(parent, i.parent);
        e = parent[0] == '\0' ? ERR_END : issuer_find(v, parent, &i);
    }
}

void cert_path_pem(const struct cert_path *p, struct buf *out)
{
    for (size_t i = 0; i < p->count; i++)
        pem_put(out, "CERTIFICATE", p->certs[i]);
}

/* Revoked stays revoked for people, even past its end. */
static const char *status_name(const struct status *s, int64_t now_s)
{
    if (s->state == CERT_REVOKED)
        return "revoked";
    if (now_s > s->not_after_s)
        return "expired";
    return s->state == CERT_HELD ? "held" : "valid";
}

static const struct suffix suffixes[] = {
    {".pem", FORM_PEM, "application/x-pem-file"},
    {".der", FORM_DER, "application/pkix-cert"},
    {".p7b", FORM_P7B_PEM, "application/x-pkcs7-certificates"},
    {"-chain.pem", FORM_CHAIN, "application/pem-certificate-chain"},
};

const struct suffix *suffix_find(const char *text)
{
    for (size_t i = 0; i < sizeof suffixes / sizeof *suffixes; i++)
        if (strcmp(suffixes[i].text, text) == 0)
            return &suffixes[i];
    return NULL;
}

bool serial_read(const char *text, uint8_t serial[static SERIAL_LEN])
{
    char hex[SERIAL_HEX_LEN + 1];

    if (strlen(text) < SERIAL_HEX_LEN)
        return false;
    memcpy(hex, text, SERIAL_HEX_LEN);
    hex[SERIAL_HEX_LEN] = '\0';
    return hex_decode(hex, serial, SERIAL_LEN);
}

static struct js *sans_json(struct span sans)
{
    struct js *list = js_array();
    char name[2 * CSR_MAX];

    while (sans.len > 0) {
        const uint8_t *end = memchr(sans.data, '\0', sans.len);
        size_t len = end == NULL ? sans.len : (size_t)(end - sans.data);

        if (span_to_str(span_of(sans.data, len), name, sizeof name))
            js_push_str(list, name);
        len += end != NULL;
        sans = span_of(sans.data + len, sans.len - len);
    }
    return list;
}

static struct js *revocation_json(const struct status *s)
{
    struct js *o = js_object();

    js_set_str(o, "reason", reason_name(s->reason));
    js_set_time(o, "revoked_at", s->revoked_at_s);
    if (s->invalidity_s == NO_TIME)
        js_set_null(o, "invalidity_date");
    else
        js_set_time(o, "invalidity_date", s->invalidity_s);
    return o;
}

static struct js *key_json(enum key_type type, unsigned bits)
{
    struct js *o = js_object();

    js_set_str(o, "type", key_type_name(type));
    js_set_int(o, "bits", bits);
    return o;
}

struct js *certificate_json(struct view *v, const struct cert *c, int64_t now_s)
{
    struct js *o = js_object();
    struct issuer issuer;

    js_set_hex(o, "serial", span_of(c->serial, SERIAL_LEN));
    js_set_str(o, "issuer", issuer_find_no(v, c->status.issuer_no, &issuer) == OK ? issuer.id : NULL);
    js_set_str(o, "profile", c->profile);
    js_set_span(o, "subject", c->subject);
    js_set_span(o, "cn", c->cn);
    js_set(o, "sans", sans_json(c->sans));
    js_set_str(o, "status", status_name(&c->status, now_s));
    js_set_time(o, "not_before", c->not_before_s);
    js_set_time(o, "not_after", c->status.not_after_s);
    js_set_time(o, "issued_at", c->issued_at_s);
    js_set(o, "key", key_json(c->key_type, c->key_bits));
    js_set_hex(o, "fingerprint_sha256", span_of(c->fingerprint, HASH_LEN));
    js_set_str(o, "requester", c->requester);
    if (c->status.state == CERT_VALID)
        js_set_null(o, "revocation");
    else
        js_set(o, "revocation", revocation_json(&c->status));
    return o;
}

struct js *certificate_json_full(struct view *v, const struct cert *c, int64_t now_s)
{
    struct js *o = certificate_json(v, c, now_s);
    struct cert_path path;
    struct buf pem;

    buf_init(&pem, CERT_PATH_MAX * PEM_MAX);
    pem_put(&pem, "CERTIFICATE", c->der);
    js_set_span(o, "pem", buf_span(&pem));
    buf_reset(&pem);
    cert_path_of(v, c->der, c->status.issuer_no, false, &path);
    cert_path_pem(&path, &pem);
    js_set_span(o, "chain", buf_span(&pem));
    buf_free(&pem);
    return o;
}

enum err render_p7b(const struct cert_path *path, bool is_armoured, struct buf *out)
{
    struct buf der;
    enum err e;

    buf_init(&der, CERT_PATH_MAX * PEM_MAX);
    e = p7b_put(&der, path->certs, path->count);
    if (e == OK && is_armoured)
        pem_put(out, "PKCS7", buf_span(&der));
    else if (e == OK)
        buf_put_span(out, buf_span(&der));
    buf_free(&der);
    return e;
}

enum err render(struct view *v, const struct cert *c, enum form f, struct buf *out)
{
    struct cert_path path;
    enum err e = OK;

    cert_path_of(v, c->der, c->status.issuer_no, false, &path);
    if (f == FORM_CHAIN)
        cert_path_pem(&path, out);
    else if (f == FORM_DER)
        buf_put_span(out, c->der);
    else if (f == FORM_PEM)
        pem_put(out, "CERTIFICATE", c->der);
    else
        e = render_p7b(&path, f == FORM_P7B_PEM, out);
    return e == OK ? buf_end(out) : e;
}
