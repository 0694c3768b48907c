/* SPDX-License-Identifier: Apache-2.0 */
/* decoded: what a request asks and what a certificate says, as the preflight shows them. */
#include <string.h>

#include "api/preflight.h"
#include "base/der.h"

struct js *ku_json(uint16_t bits)
{
    struct js *list = js_array();

    for (uint16_t bit = KU_DIGITAL_SIGNATURE; bit >= KU_DECIPHER_ONLY; bit >>= 1)
        if ((bits & bit) != 0)
            js_push_str(list, ku_name((enum ku)bit));
    return list;
}

static struct js *eku_list(const enum eku *eku, size_t n)
{
    struct js *list = js_array();

    for (size_t i = 0; i < n; i++)
        if (eku[i] != EKU_OTHER)
            js_push_str(list, eku_name(eku[i]));
    return list;
}

static struct js *san_list(const struct san *sans, size_t n)
{
    struct js *list = js_array();
    struct buf name;

    buf_init(&name, CSR_MAX + 1);
    for (size_t i = 0; i < n; i++) {
        buf_reset(&name);
        san_text(&sans[i], &name);
        buf_put_u8(&name, '\0');
        js_push_str(list, (const char *)name.data);
    }
    buf_free(&name);
    return list;
}

static struct js *key_of_spki(struct span spki)
{
    struct js *o = js_object();
    struct key_kind key = {0};

    if (!key_kind_of(spki, &key))
        key.type = KEY_OTHER;
    js_set_str(o, "type", key_type_name(key.type));
    js_set_int(o, "bits", key.bits);
    return o;
}

/* ---- a Name, attribute by attribute ---- */

/* RFC 4519 and what else occurs in requests; others are shown as the hex of their OID. */
static void put_type(struct js *o, struct span oid)
{
    static const struct {
        const char *oid, *name;
    } types[] = {
        {"\x55\x04\x03", "CN"},
        {"\x55\x04\x04", "SN"},
        {"\x55\x04\x05", "serialNumber"},
        {"\x55\x04\x06", "C"},
        {"\x55\x04\x07", "L"},
        {"\x55\x04\x08", "ST"},
        {"\x55\x04\x09", "street"},
        {"\x55\x04\x0a", "O"},
        {"\x55\x04\x0b", "OU"},
        {"\x55\x04\x0c", "title"},
        {"\x2a\x86\x48\x86\xf7\x0d\x01\x09\x01", "emailAddress"},
        {"\x2a\x86\x48\x86\xf7\x0d\x01\x09\x02", "unstructuredName"},
    };

    for (size_t i = 0; i < sizeof types / sizeof *types; i++)
        if (span_eq(oid, span_str(types[i].oid)))
            return js_set_str(o, "type", types[i].name);
    js_set_hex(o, "type", oid);
}

/* Strings that are not one octet a character (BMPString, UniversalString) as RFC 4514 2.4 has it: hex. */
static void put_value(struct js *o, const struct der *value)
{
    bool is_text = value->tag == DER_UTF8_STRING || (value->tag >= 0x12 && value->tag <= 0x1a);

    if (is_text)
        js_set_span(o, "value", value->body);
    else
        js_set_hex(o, "value", value->whole);
}

/* In the order of the request, which the certificate keeps; "rdn" counts, as one may hold several. */
static struct js *rdn_list(struct span name)
{
    struct js *list = js_array();
    struct der whole, rdn, pair, type, value;
    int64_t n = 0;

    if (!der_next(&name, &whole))
        return list;
    for (; der_next(&whole.body, &rdn); n++)
        while (der_next(&rdn.body, &pair)) {
            struct js *o = js_object();

            if (der_next(&pair.body, &type) && der_next(&pair.body, &value)) {
                js_set_int(o, "rdn", n);
                put_type(o, type.body);
                put_value(o, &value);
            }
            js_push(list, o);
        }
    return list;
}

/* ---- request and certificate ---- */

struct js *facts_json(const struct facts *f)
{
    struct js *o = js_object();

    js_set_span(o, "subject", f->subject_text);
    js_set(o, "rdns", rdn_list(f->subject));
    js_set_span(o, "cn", f->cn);
    js_set(o, "sans", san_list(f->sans, f->san_count));
    js_set(o, "key", key_of_spki(f->spki));
    js_set(o, "ku", ku_json(f->ku));
    js_set(o, "eku", eku_list(f->eku, f->eku_count));
    js_set_span(o, "eku_other", f->eku_other);
    js_set_str(o, "signature_hash", f->signature_hash == HASH_NONE ? NULL : hash_name(f->signature_hash));
    js_set_bool(o, "asks_ca", f->asks_ca);
    js_set_bool(o, "challenge_password", f->sends_challenge);
    js_set_span(o, "other_extensions", f->other_extensions);
    return o;
}

static void set_time(struct js *o, const char *name, int64_t t_s)
{
    if (t_s == NO_TIME)
        js_set_null(o, name);
    else
        js_set_time(o, name, t_s);
}

static void set_url(struct js *o, const char *name, struct span url)
{
    if (url.len == 0)
        js_set_null(o, name);
    else
        js_set_span(o, name, url);
}

static struct js *constraints_of(const struct certificate_facts *f)
{
    struct js *o = js_object();

    js_set_bool(o, "ca", f->is_ca);
    if (f->path_len < 0)
        js_set_null(o, "path_len");
    else
        js_set_int(o, "path_len", f->path_len);
    return o;
}

static struct js *urls_of(const struct certificate_facts *f)
{
    struct js *o = js_object();

    set_url(o, "ocsp", f->ocsp_url);
    set_url(o, "issuer", f->issuer_url);
    set_url(o, "crl", f->crl_url);
    return o;
}

struct js *certificate_facts_json(const struct certificate_facts *f)
{
    struct js *o = js_object();

    js_set_span(o, "subject", f->subject_text);
    js_set_span(o, "cn", f->cn);
    js_set_span(o, "issuer_subject", f->issuer_text);
    set_time(o, "not_before", f->not_before_s);
    set_time(o, "not_after", f->not_after_s);
    js_set(o, "sans", san_list(f->sans, f->san_count));
    js_set(o, "key", key_of_spki(f->spki));
    js_set(o, "ku", ku_json(f->ku));
    js_set(o, "eku", eku_list(f->eku, f->eku_count));
    js_set_str(o, "signature_hash", f->signature_hash == HASH_NONE ? NULL : hash_name(f->signature_hash));
    js_set(o, "basic_constraints", constraints_of(f));
    js_set(o, "urls", urls_of(f));
    js_set_span(o, "critical_others", f->critical_others);
    return o;
}
