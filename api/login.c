/* SPDX-License-Identifier: Apache-2.0 */
/*
 * login: who calls. A peer of the control socket is known by its uid and groups; a bearer of a token by its
 * secret; a TLS peer by a certificate, of ours (the very octets that the store holds) or of a CA of the
 * configuration. TLS has proven that the peer has its key. What he may is principal_find()'s to say. Whoever
 * sends a token is judged by that alone: it may be meant to be less than his certificate.
 */
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "api/api.h"
#include "base/der.h"

static enum err fail(struct login *l, enum login_failure kind, struct fault *f, enum err e, const char *why)
{
    l->failure = kind;
    return fault_set(f, e, "%s", why);
}

/* ---- the control socket ---- */

static bool is_configured(const struct access_config *c, bool is_group, uint32_t id)
{
    for (size_t i = 0; i < c->peer_count; i++)
        if (c->peers[i].is_group == is_group && c->peers[i].id == id)
            return true;
    return false;
}

/* The user himself before his groups; of those the first that the configuration names. A number that the
 * kernel gives to all strangers is no one's: false when there is nothing else to know him by. */
static bool name_peer(const struct access_config *c, const struct strangers *s, const struct http_peer *peer,
                      char name[static PRINCIPAL_MAX])
{
    bool is_stranger = s->are_there && peer->uid == s->uid;

    snprintf(name, PRINCIPAL_MAX, "uid:%lu", (unsigned long)peer->uid);
    if (!is_stranger && (peer->uid == 0 || peer->uid == geteuid() || is_configured(c, false, peer->uid)))
        return true;
    for (size_t i = 0; i < peer->group_count; i++)
        if (!(s->are_there && peer->groups[i] == s->gid) && is_configured(c, true, peer->groups[i])) {
            snprintf(name, PRINCIPAL_MAX, "gid:%lu,uid:%lu", (unsigned long)peer->groups[i],
                     (unsigned long)peer->uid);
            return true;
        }
    return !is_stranger;
}

static enum err check_peer(struct api *a, const struct http_peer *peer, struct login *out, struct fault *f)
{
    char name[PRINCIPAL_MAX];
    enum err e;

    if (!name_peer(&a->config->ca.access, &a->role->strangers, peer, name))
        return fail(out, LOGIN_FAILURE_ROLE, f, ERR_FORBIDDEN,
                    "The service runs in a user namespace that does not know this user.");
    e = principal_find(NULL, &a->config->ca.access, name, a->now_s(), &out->who, f);
    if (e != OK)
        out->failure = LOGIN_FAILURE_ROLE;
    return e;
}

/* ---- by the store ---- */

/* The name is known to be proven; what may it? */
static enum err find(struct api *a, struct view *v, const char *name, enum login_failure kind,
                     struct login *out, struct fault *f)
{
    enum err e = principal_find(v, &a->config->ca.access, name, a->now_s(), &out->who, f);

    if (e != OK)
        out->failure = e == ERR_FORBIDDEN ? LOGIN_FAILURE_ROLE : kind;
    return e;
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

static enum err check_foreign(struct api *a, struct view *v, struct span der, struct login *out,
                              struct fault *f)
{
    char name[PRINCIPAL_MAX];
    enum err e;

    if (a->config->ca.access.authority_count == 0)
        return fail(out, LOGIN_FAILURE_CERTIFICATE, f, ERR_UNAUTHENTICATED,
                    "The client certificate is not one of ours.");
    e = foreign_check(a->foreign, &a->config->ca.access, config_here(a->config), der, a->now_s(), name, f);
    if (e == OK)
        return find(a, v, name, LOGIN_FAILURE_CERTIFICATE, out, f);
    out->failure = e == ERR_FORBIDDEN ? LOGIN_FAILURE_ROLE : LOGIN_FAILURE_CERTIFICATE;
    return e;
}

static enum err check_certificate(struct api *a, struct view *v, struct span der, struct login *out,
                                  struct fault *f)
{
    char name[PRINCIPAL_MAX] = "cert:";
    uint8_t serial[SERIAL_LEN];
    struct cert c;
    enum err e = read_serial(der, serial) ? cert_find(v, serial, &c) : ERR_NOT_FOUND;

    out->is_by_certificate = true;
    if (e == ERR_NOT_FOUND || (e == OK && !span_eq(c.der, der)))
        return check_foreign(a, v, der, out, f);
    if (e != OK)
        return fault_set(f, ERR_UNAVAILABLE, "The store cannot be read now.");
    hex_encode(span_of(serial, SERIAL_LEN), name + 5);
    return find(a, v, name, LOGIN_FAILURE_CERTIFICATE, out, f);
}

/* RFC 6750 2.1: the scheme, in any case, blanks, the token and nothing else. */
static const char *bearer_of(const char *authorization)
{
    static const char scheme[] = "Bearer";
    size_t len = sizeof scheme - 1;

    if (strncasecmp(authorization, scheme, len) != 0 || authorization[len] != ' ')
        return NULL;
    authorization += len;
    return authorization + strspn(authorization, " ");
}

static enum err check_token(struct api *a, struct view *v, const char *authorization, struct login *out,
                            struct fault *f)
{
    const char *text = bearer_of(authorization);
    char name[PRINCIPAL_MAX] = "token:";
    uint8_t hash[HASH_LEN];
    struct token k;
    enum err e;

    if (text == NULL)
        return fail(out, LOGIN_FAILURE_TOKEN_BROKEN, f, ERR_UNAUTHENTICATED,
                    "Authorization is \"Bearer\" and a token here, nothing else.");
    if (!secret_is_whole(text))
        return fail(out, LOGIN_FAILURE_TOKEN_BROKEN, f, ERR_UNAUTHENTICATED,
                    "This is no token, or it was mistyped or cut: its form or checksum is wrong.");
    secret_hash(text, hash);
    e = token_find(v, hash, &k);
    if (e == ERR_NOT_FOUND)
        return fail(out, LOGIN_FAILURE_TOKEN_UNKNOWN, f, ERR_UNAUTHENTICATED, "This token is not known.");
    if (e != OK)
        return fault_set(f, ERR_UNAVAILABLE, "The store cannot be read now.");
    hex_encode(span_of(hash, TOKEN_ID_LEN), name + 6);
    out->token_used_s = k.used_at_s;
    return find(a, v, name, LOGIN_FAILURE_TOKEN_ENDED, out, f);
}

enum err login_check(struct api *a, const struct http_peer *peer, const char *authorization,
                     struct login *out, struct fault *f)
{
    struct view *v = NULL;
    enum err e;

    *out = (struct login){.who = {.name = "-"}, .token_used_s = NO_TIME};
    if (peer->is_unix)
        return check_peer(a, peer, out, f);
    if (authorization == NULL && peer->certificate.len == 0)
        return fail(out, LOGIN_FAILURE_NONE, f, ERR_UNAUTHENTICATED,
                    "A login is needed: a client certificate or a token.");
    if (view_open(a->store, &v) != OK)
        return fault_set(f, ERR_UNAVAILABLE, "The store cannot be read now.");
    if (authorization != NULL)
        e = check_token(a, v, authorization, out, f);
    else
        e = check_certificate(a, v, peer->certificate, out, f);
    view_close(v);
    if (e == OK && !permits_has(a->permits, out->who.role, peer)) {
        out->who.role = ACCESS_NOBODY;
        e = fail(out, LOGIN_FAILURE_ADDRESS, f, ERR_FORBIDDEN,
                 "The permit list does not name this address for this role.");
    }
    return e;
}
