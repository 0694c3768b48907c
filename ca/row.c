/* SPDX-License-Identifier: Apache-2.0 */
/* row: what the store remembers of a certificate, read back from the certificate itself so that row and DER
 * cannot differ. */
#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>

#include "base/parts.h"
#include "ca/policy.h"

void san_text(const struct san *s, struct buf *out)
{
    char text[INET6_ADDRSTRLEN];

    if (s->kind == SAN_OTHER)
        return other_name_text(s->value, out);
    if (s->kind != SAN_IP) {
        buf_put_span(out, s->value);
        return;
    }
    if (s->value.len != 4 && s->value.len != 16) /* certificates of others hold such */
        return buf_printf(out, "an address of %zu octets", s->value.len);
    if (inet_ntop(s->value.len == 4 ? AF_INET : AF_INET6, s->value.data, text, sizeof text) != NULL)
        buf_put_str(out, text);
}

bool cert_row(const struct cert_about *a, struct buf *text, struct cert *out)
{
    struct parts parts;
    struct key_kind kind;

    if (!parts_of(a->der, &parts) || parts.serial.len != SERIAL_LEN || !key_kind_of(parts.spki, &kind))
        return false;
    for (size_t i = 0; i < a->san_count; i++) {
        san_text(&a->sans[i], text);
        buf_put_u8(text, 0);
    }
    if (buf_end(text) != OK)
        return false;
    *out = (struct cert){
        .status = {.issuer_no = a->issuer_no,
                   .not_after_s = parts.not_after_s,
                   .revoked_at_s = NO_TIME,
                   .invalidity_s = NO_TIME},
        .not_before_s = parts.not_before_s,
        .issued_at_s = a->now_s,
        .key_type = kind.type,
        .key_bits = (uint16_t)kind.bits,
        .cn = a->cn,
        .subject = a->subject_text,
        .sans = buf_span(text),
        .der = a->der,
        .csr = a->csr,
    };
    memcpy(out->serial, parts.serial.data, SERIAL_LEN);
    sha256_of(parts.spki, out->key_hash);
    sha256_of(a->der, out->fingerprint);
    snprintf(out->profile, sizeof out->profile, "%s", a->profile);
    snprintf(out->requester, sizeof out->requester, "%s", a->requester);
    return true;
}
