/* SPDX-License-Identifier: Apache-2.0 */
/*
 * login: who calls. A peer of the control socket is known by its uid; a TLS peer by a certificate of ours:
 * the very octets that the store holds, valid now, not revoked, of the administrators' profile. TLS has
 * proven that the peer has its key.
 */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "api/api.h"
#include "base/der.h"

static enum err check_uid(uid_t uid, struct login *out, struct fault *f)
{
    snprintf(out->principal, sizeof out->principal, "uid:%lu", (unsigned long)uid);
    if (uid != 0 && uid != geteuid())
        return fault_set(f, ERR_FORBIDDEN, "The control socket is for the service's own user and root.");
    out->is_administrator = true;
    return OK;
}

/* Certificate ::= SEQUENCE { tbs SEQUENCE { [0] version, serialNumber, … } … }. False for a serial that is
 * not of our form. */
static bool read_serial(struct span der, uint8_t serial[static SERIAL_LEN])
{
    struct der whole, tbs, part;

    if (!der_expect(&der, DER_SEQUENCE, &whole) || !der_expect(&whole.body, DER_SEQUENCE, &tbs) ||
        !der_expect(&tbs.body, DER_CONTEXT_CONSTRUCTED(0), &part) ||
        !der_expect(&tbs.body, DER_INTEGER, &part) || part.body.len != SERIAL_LEN)
        return false;
    memcpy(serial, part.body.data, SERIAL_LEN);
    return true;
}

static enum err judge(const struct cert *c, struct span der, int64_t now_s, struct fault *f)
{
    if (!span_eq(c->der, der))
        return fault_set(f, ERR_UNAUTHENTICATED, "The client certificate is not one of ours.");
    if (c->status.state != CERT_VALID)
        return fault_set(f, ERR_UNAUTHENTICATED, "The client certificate is revoked or on hold.");
    if (now_s < c->not_before_s || now_s > c->status.not_after_s)
        return fault_set(f, ERR_UNAUTHENTICATED, "The client certificate is not valid now.");
    if (strcmp(c->profile, ADMINISTRATOR_PROFILE) != 0)
        return fault_set(f, ERR_FORBIDDEN, "The client certificate is ours, but no administrator's.");
    return OK;
}

static enum err check_certificate(struct api *a, struct span der, struct login *out, struct fault *f)
{
    uint8_t serial[SERIAL_LEN];
    char hex[SERIAL_HEX_LEN + 1];
    struct view *v = NULL;
    struct cert c;
    enum err e;

    if (!read_serial(der, serial))
        return fault_set(f, ERR_UNAUTHENTICATED, "The client certificate is not one of ours.");
    if (view_open(a->store, &v) != OK)
        return fault_set(f, ERR_UNAVAILABLE, "The store cannot be read now.");
    e = cert_find(v, serial, &c);
    if (e == OK)
        e = judge(&c, der, a->now_s(), f);
    else if (e == ERR_NOT_FOUND)
        e = fault_set(f, ERR_UNAUTHENTICATED, "The client certificate is not one of ours.");
    else
        e = fault_set(f, ERR_UNAVAILABLE, "The store cannot be read now.");
    view_close(v);
    if (e == OK || e == ERR_FORBIDDEN) {
        hex_encode(span_of(serial, SERIAL_LEN), hex);
        snprintf(out->principal, sizeof out->principal, "cert:%s", hex);
    }
    out->is_administrator = e == OK;
    return e;
}

enum err login_check(struct api *a, const struct http_peer *peer, const char *authorization,
                     struct login *out, struct fault *f)
{
    *out = (struct login){.principal = "-"};
    if (peer->is_unix)
        return check_uid(peer->uid, out, f);
    if (authorization != NULL)
        return fault_set(f, ERR_UNAUTHENTICATED, "This token is not known.");
    if (peer->certificate.len == 0)
        return fault_set(f, ERR_UNAUTHENTICATED, "A client certificate is needed.");
    return check_certificate(a, peer->certificate, out, f);
}
