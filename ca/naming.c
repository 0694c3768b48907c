/* SPDX-License-Identifier: Apache-2.0 */
/*
 * naming: what a purpose calls its certificates (docs/products.md, 2 and 6), and the names a site permits.
 * The products' own names are only expected: a request made by hand may be named otherwise, and works.
 */
#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "ca/policy.h"

/* ---- the VOS platform: node, node-EC, node-ms, node-EC-ms ---- */

/* "node-EC-ms.example.com" out of "node.example.com": what the product would have called it. */
static void put_proper_name(struct buf *b, struct span cn, bool is_ec, bool is_multi)
{
    struct span label = host_first_label(cn), host = label;

    if (host_ends_with(host, "-ms"))
        host.len -= 3;
    if (host_ends_with(host, "-EC"))
        host.len -= 3;
    buf_put_span(b, host);
    buf_put_str(b, is_ec ? "-EC" : "");
    buf_put_str(b, is_multi ? "-ms" : "");
    buf_put_span(b, span_of(cn.data + label.len, cn.len - label.len));
    buf_put_u8(b, 0);
}

static void vos_check(struct check *c, bool is_multi)
{
    struct span cn = c->facts->cn, host = host_first_label(cn);
    bool is_ec = c->key.type == KEY_EC, has_ms = host_ends_with(host, "-ms");
    struct listing got;
    struct buf want;

    if (cn.len == 0 || cn.len > DNS_NAME_MAX)
        return;
    buf_init(&want, DNS_NAME_MAX + 16);
    put_proper_name(&want, cn, is_ec, is_multi || has_ms);
    listing_init(&got);
    listing_add(&got, cn);
    if (has_ms)
        host.len -= 3;
    if (is_ec && !host_ends_with(host, "-EC"))
        finding_add(c->findings, "name.ec", "cn", (const char *)got.text.data, (const char *)want.data);
    if (is_multi && !has_ms && c->profile->multi_server)
        finding_add(c->findings, "name.ms", "cn", (const char *)got.text.data, (const char *)want.data);
    buf_free(&got.text);
    buf_free(&want);
}

/* ---- CAPF and the phones' LSCs ---- */

static bool is_hex(const char *text, size_t len)
{
    for (size_t i = 0; i < len; i++)
        if (!isxdigit((unsigned char)text[i]))
            return false;
    return strlen(text) == len;
}

static void capf_check(struct check *c)
{
    char cn[CN_MAX + 1];

    if (span_to_str(c->facts->cn, cn, sizeof cn) && strncmp(cn, "CAPF-", 5) == 0 && is_hex(cn + 5, 8))
        return;
    name_finding(c, "name.capf", "cn", c->facts->cn, "CAPF-<8 hex digits>");
}

/* "SEP001122334455", "CP-8861-SEP001122334455" */
static bool is_phone_name(struct span name)
{
    char cn[CN_MAX + 1];
    const char *device;

    if (!span_to_str(name, cn, sizeof cn))
        return false;
    device = strncmp(cn, "CP-", 3) == 0 ? strstr(cn + 3, "-SEP") : NULL;
    device = device != NULL && device > cn + 3 ? device + 1 : cn;
    return strncmp(device, "SEP", 3) == 0 && is_hex(device + 3, 12);
}

/* "PID:CP-8861 SN:FCH12345678" */
static void note_phone_serial(const struct attribute *a, void *arg)
{
    char text[128];

    if (span_eq(a->type, span_str("\x55\x04\x05")) && span_to_str(a->value, text, sizeof text))
        *(bool *)arg |= strncmp(text, "PID:", 4) == 0 && strstr(text, " SN:") != NULL;
}

static void lsc_check(struct check *c)
{
    bool has_serial = false;

    if (!is_phone_name(c->facts->cn))
        name_finding(c, "name.lsc", "cn", c->facts->cn, "CP-<model>-SEP<MAC> or SEP<MAC>");
    if (!subject_each(c->facts->subject, note_phone_serial, &has_serial) || !has_serial)
        finding_add(c->findings, "name.lsc", "subject", "no serialNumber of a phone",
                    "serialNumber PID:<model> SN:<serial>");
}

static void host_check(struct check *c)
{
    enum host_kind kind = host_kind_of(c->facts->cn);

    if (c->facts->cn.len > 0 && (kind == HOST_BAD || kind == HOST_ADDRESS))
        name_finding(c, "name.host", "cn", c->facts->cn, "a host name");
}

void naming_check(struct check *c, bool is_multi)
{
    switch (c->profile->naming) {
    case NAMING_FREE:
        return;
    case NAMING_VOS:
        return vos_check(c, is_multi);
    case NAMING_CAPF:
        return capf_check(c);
    case NAMING_LSC:
        return lsc_check(c);
    case NAMING_HOST:
        return host_check(c);
    }
}

/* ---- the names a site permits ---- */

static bool is_permitted(const struct profile *p, struct span name)
{
    for (size_t i = 0; i < p->limit_count; i++) {
        const struct name_limit *l = &p->limits[i];

        if (l->is_suffix ? host_ends_with(name, l->value) : host_eq(name, span_str(l->value)))
            return true;
    }
    return false;
}

static void limit_one(struct check *c, const struct san *s, struct listing *out)
{
    struct buf text;

    buf_init(&text, s->value.len + 256);
    san_text(s, &text);
    if (!is_permitted(c->profile, buf_span(&text)))
        listing_add(out, buf_span(&text));
    buf_free(&text);
}

void name_limits_check(struct check *c)
{
    const struct profile *p = c->profile;
    const struct facts *f = c->facts;
    struct listing cn, sans, want;

    if (p->limit_count == 0)
        return;
    listing_init(&cn);
    listing_init(&sans);
    listing_init(&want);
    for (size_t i = 0; i < p->limit_count; i++)
        listing_add(&want, span_str(p->limits[i].value));
    buf_put_u8(&want.text, 0);
    if (f->cn.len > 0 && !is_permitted(p, f->cn))
        listing_add(&cn, f->cn);
    for (size_t i = 0; i < f->san_count; i++)
        limit_one(c, &f->sans[i], &sans);
    listing_find(&cn, c->findings, "name.not-permitted", "cn", (const char *)want.text.data);
    listing_find(&sans, c->findings, "name.not-permitted", "san", (const char *)want.text.data);
    buf_free(&want.text);
}
