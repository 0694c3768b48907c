/* SPDX-License-Identifier: Apache-2.0 */
/*
 * access: what a principal's name stands for. The api has checked the proof (a TLS key, a secret, a peer's
 * uid) and says the name; role, scope and identity come from the store and the configuration, so that a
 * captured api can lend a name that exists and never more than that name may.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/hash.h"
#include "base/log.h"
#include "base/parts.h"
#include "ca/policy.h"

bool profile_role(const char *profile_id, enum access_role *out)
{
    static const char ours[] = "chancery/";

    return strncmp(profile_id, ours, sizeof ours - 1) == 0 &&
           access_role_parse(profile_id + sizeof ours - 1, out);
}

/* ---- scopes over what is issued ---- */

static bool issuer_id_of(struct view *v, uint16_t no, char out[static ISSUER_ID_MAX])
{
    struct issuer i;

    if (issuer_find_no(v, no, &i) != OK)
        return false;
    strcpy(out, i.id);
    return true;
}

static bool covers_sans(const struct scope *s, struct span sans)
{
    for (size_t at = 0; at < sans.len;) {
        const char *name = (const char *)sans.data + at;

        if (!scope_has_name(s, span_str(name)))
            return false;
        at += strlen(name) + 1;
    }
    return true;
}

struct covering {
    const struct scope *scope;
    bool covered;
};

/* An emailAddress is a name, too: RFC 5280 4.2.1.10 holds it against constraints of rfc822Names. */
static void cover_name(const struct attribute *a, void *arg)
{
    struct covering *c = arg;
    struct buf text;

    if ((!attribute_is_cn(a) && !attribute_is_email(a)) || a->value.len == 0)
        return;
    buf_init(&text, 2 * a->value.len);
    c->covered = c->covered && attribute_text(a, &text) && scope_has_name(c->scope, buf_span(&text));
    buf_free(&text);
}

/* Whichever of several common names a program reads. Whoever asks for several that are all his hears of the
 * rule instead. */
static bool covers_subject(const struct scope *s, struct span subject)
{
    struct covering c = {.scope = s, .covered = true};

    return subject.len == 0 || (subject_each(subject, cover_name, &c) && c.covered);
}

/* The row has the common name, of which there is one, and the subject as text alone. */
static bool covers_email(const struct scope *s, const struct cert *c)
{
    static const char label[] = "emailAddress=";
    struct parts parts;

    if (c->subject.len == 0 || memmem(c->subject.data, c->subject.len, label, sizeof label - 1) == NULL)
        return true;
    return parts_of(c->der, &parts) && covers_subject(s, parts.subject);
}

bool scope_has_cert(const struct scope *s, struct view *v, const struct cert *c)
{
    char issuer[ISSUER_ID_MAX];

    if (scope_is_any(s))
        return true;
    if (!scope_has_profile(s, c->profile))
        return false;
    if (s->issuers.len > 0 && (!issuer_id_of(v, c->status.issuer_no, issuer) || !scope_has_issuer(s, issuer)))
        return false;
    if (s->names.len == 0)
        return true;
    return (c->cn.len > 0 || c->sans.len > 0) && (c->cn.len == 0 || scope_has_name(s, c->cn)) &&
           covers_sans(s, c->sans) && covers_email(s, c);
}

static bool covers_san(const struct scope *s, const struct san *san)
{
    struct buf text;
    bool covered;

    buf_init(&text, 65536);
    san_text(san, &text);
    covered = buf_end(&text) == OK && scope_has_name(s, buf_span(&text));
    buf_free(&text);
    return covered;
}

bool scope_has_facts(const struct scope *s, const struct facts *f)
{
    if (s->names.len == 0)
        return true;
    if (f->cn.len == 0 && f->san_count == 0)
        return false;
    if ((f->cn.len > 0 && !scope_has_name(s, f->cn)) || !covers_subject(s, f->subject))
        return false;
    for (size_t i = 0; i < f->san_count; i++)
        if (!covers_san(s, &f->sans[i]))
            return false;
    return true;
}

bool scope_has_request(const struct scope *s, const struct ca_config *c, const struct request *r)
{
    struct san *sans;
    struct rd rd = rd_of(r->facts);
    struct facts f;
    bool covered;

    if (scope_is_any(s))
        return true;
    sans = xcalloc(SAN_COUNT_MAX, sizeof *sans);
    covered = scope_has_profile(s, r->profile) && facts_read(&rd, &f, sans) && rd_done(&rd) &&
              scope_has_facts(s, &f) &&
              (s->issuers.len == 0 || scope_has_issuer(s, issuer_for_key(c, f.spki)));
    free(sans);
    return covered;
}

/* ---- local users ---- */

/* "uid:12": digits alone, no more than an uid has. */
static bool read_number(const char **text, const char *prefix, uint32_t *out)
{
    size_t len = strlen(prefix);
    char *end;
    unsigned long n;

    if (strncmp(*text, prefix, len) != 0 || (*text)[len] < '0' || (*text)[len] > '9')
        return false;
    n = strtoul(*text + len, &end, 10);
    *out = (uint32_t)n;
    *text = end;
    return n < UINT32_MAX;
}

static const struct access_peer *peer_find(const struct access_config *c, bool is_group, uint32_t id)
{
    for (size_t i = 0; i < c->peer_count; i++)
        if (c->peers[i].is_group == is_group && c->peers[i].id == id)
            return &c->peers[i];
    return NULL;
}

/* Root and the service's own user could write the store: to hold them to less would only look like a rule. */
static bool is_own(uint32_t uid)
{
    return uid == 0 || uid == geteuid();
}

static enum err find_local(const struct access_config *c, const char *name, struct principal *out,
                           struct fault *f)
{
    const struct access_peer *peer = NULL;
    const char *rest = name;
    uint32_t uid, gid = 0;
    bool by_group = read_number(&rest, "gid:", &gid);

    if (by_group && *rest == ',')
        rest++;
    if (!read_number(&rest, "uid:", &uid) || *rest != '\0')
        return fault_set(f, ERR_UNAUTHENTICATED, "This is no login.");
    if (!by_group && is_own(uid)) {
        out->role = ACCESS_ADMINISTRATOR;
        out->is_local_master = true;
        return OK;
    }
    peer = peer_find(c, by_group, by_group ? gid : uid);
    if (peer == NULL)
        return fault_set(f, ERR_FORBIDDEN,
                         "The control socket is for root, the service's own user, and whom the "
                         "configuration names.");
    out->role = peer->role;
    out->scope = peer->scope;
    return OK;
}

/* ---- certificates of ours ---- */

static bool read_serial(const char *name, uint8_t serial[static SERIAL_LEN])
{
    return strncmp(name, "cert:", 5) == 0 && strlen(name) == 5 + SERIAL_HEX_LEN &&
           hex_decode(name + 5, serial, SERIAL_LEN);
}

static const struct access_principal *limits_of(const struct access_config *c, const struct cert *cert)
{
    for (size_t i = 0; i < c->principal_count; i++) {
        const struct access_principal *p = &c->principals[i];

        if (p->authority[0] == '\0' && span_eq(span_str(p->subject), cert->subject) &&
            (!p->is_pinned || memcmp(p->sha256, cert->fingerprint, HASH_LEN) == 0))
            return p;
    }
    return NULL;
}

static enum err find_certificate(struct view *v, const struct access_config *c, const char *name,
                                 int64_t now_s, struct principal *out, struct fault *f)
{
    const struct access_principal *limits;
    uint8_t serial[SERIAL_LEN];
    struct cert cert;
    enum err e = read_serial(name, serial) ? cert_find(v, serial, &cert) : ERR_NOT_FOUND;

    if (e == ERR_NOT_FOUND)
        return fault_set(f, ERR_UNAUTHENTICATED, "The client certificate is not one of ours.");
    if (e != OK)
        return fault_set(f, ERR_UNAVAILABLE, "The store cannot be read now.");
    if (cert.status.state != CERT_VALID)
        return fault_set(f, ERR_UNAUTHENTICATED, "The client certificate is revoked or on hold.");
    if (now_s < cert.not_before_s || now_s > cert.status.not_after_s)
        return fault_set(f, ERR_UNAUTHENTICATED, "The client certificate is not valid now.");
    if (!profile_role(cert.profile, &out->role))
        return fault_set(f, ERR_FORBIDDEN, "The client certificate is ours, but for another purpose.");
    limits = limits_of(c, &cert);
    if (limits != NULL)
        out->scope = limits->scope;
    return OK;
}

/* ---- certificates of others ---- */

static const struct access_principal *login_find(const struct access_config *c, const char *name)
{
    for (size_t i = 0; i < c->principal_count; i++)
        if (strncmp(name, "login:", 6) == 0 && c->principals[i].authority[0] != '\0' &&
            strcmp(c->principals[i].name, name + 6) == 0)
            return &c->principals[i];
    return NULL;
}

static enum err find_login(const struct access_config *c, const char *name, struct principal *out,
                           struct fault *f)
{
    const struct access_principal *p = login_find(c, name);

    if (p == NULL)
        return fault_set(f, ERR_UNAUTHENTICATED, "The configuration does not name this login.");
    out->role = p->role;
    out->scope = p->scope;
    return OK;
}

/* ---- tokens ---- */

static enum err read_token(struct view *v, const char *name, struct token *out)
{
    uint8_t id[TOKEN_ID_LEN];

    if (strncmp(name, "token:", 6) != 0 || strlen(name) != 6 + 2 * TOKEN_ID_LEN ||
        !hex_decode(name + 6, id, TOKEN_ID_LEN))
        return ERR_NOT_FOUND;
    return token_find_id(v, id, out);
}

static enum err find_token(struct view *v, const char *name, int64_t now_s, struct principal *out,
                           struct fault *f)
{
    struct token k;
    enum err e = read_token(v, name, &k);

    if (e == ERR_NOT_FOUND)
        return fault_set(f, ERR_UNAUTHENTICATED, "This token is not known.");
    if (e != OK)
        return fault_set(f, ERR_UNAVAILABLE, "The store cannot be read now.");
    if (k.deleted_at_s != NO_TIME)
        return fault_set(f, ERR_UNAUTHENTICATED, "This token was deleted.");
    if (now_s >= k.expires_at_s)
        return fault_set(f, ERR_UNAUTHENTICATED, "This token has expired.");
    out->role = k.role;
    out->scope = k.scope;
    return OK;
}

/* ---- who stands behind it ---- */

static void person(const char *authority, struct span subject, char out[static IDENTITY_MAX])
{
    uint8_t digest[HASH_LEN];
    struct hash *h = hash_begin(HASH_SHA256);

    hash_add(h, span_of(authority, strlen(authority) + 1));
    hash_add(h, subject);
    hash_end(h, digest);
    strcpy(out, "person:");
    hex_encode(span_of(digest, HASH_LEN), out + 7);
}

static void identify_certificate(struct view *v, const char *name, char out[static IDENTITY_MAX])
{
    uint8_t serial[SERIAL_LEN];
    struct cert c;

    if (read_serial(name, serial) && cert_find(v, serial, &c) == OK)
        person("", c.subject, out); /* of either hierarchy: a person may have a key of each kind */
}

/* `name` becomes whoever is at the beginning, the maker of the first token. How many tokens are between. A
 * token that cannot be read is the end. */
static unsigned follow_makers(struct view *v, char name[static PRINCIPAL_MAX])
{
    struct token k;
    unsigned n = 0;

    for (; n < TOKENS_MAX && read_token(v, name, &k) == OK; n++)
        strcpy(name, k.created_by);
    return n;
}

bool principal_may_make_token(struct view *v, const char *name)
{
    char maker[PRINCIPAL_MAX];

    snprintf(maker, sizeof maker, "%s", name);
    return follow_makers(v, maker) < CHAIN_OF_TOKENS_MAX;
}

/* What principal_identity() has found: any other identity is a name that led nowhere. */
bool identity_is_person(const char *identity)
{
    return strncmp(identity, "person:", 7) == 0 || strncmp(identity, "uid:", 4) == 0;
}

void principal_identity(struct view *v, const struct access_config *c, const char *name,
                        char out[static IDENTITY_MAX])
{
    const struct access_principal *p;
    char maker[PRINCIPAL_MAX];
    const char *uid;

    snprintf(maker, sizeof maker, "%s", name);
    (void)follow_makers(v, maker);
    uid = strstr(maker, ",uid:");
    snprintf(out, IDENTITY_MAX, "%.*s", (int)IDENTITY_MAX - 1, uid != NULL ? uid + 1 : maker);
    identify_certificate(v, maker, out);
    p = login_find(c, maker);
    if (p != NULL)
        person(p->authority, span_str(p->subject), out);
}

/* ---- together ---- */

enum err principal_find(struct view *v, const struct access_config *c, const char *name, int64_t now_s,
                        struct principal *out, struct fault *f)
{
    enum err e;

    *out = (struct principal){0};
    if (strlen(name) >= sizeof out->name)
        return fault_set(f, ERR_UNAUTHENTICATED, "This is no login.");
    strcpy(out->name, name);
    if (strncmp(name, "cert:", 5) == 0)
        e = find_certificate(v, c, name, now_s, out, f);
    else if (strncmp(name, "token:", 6) == 0)
        e = find_token(v, name, now_s, out, f);
    else if (strncmp(name, "login:", 6) == 0)
        e = find_login(c, name, out, f);
    else
        e = find_local(c, name, out, f);
    if (e == OK)
        principal_identity(v, c, name, out->identity);
    else
        out->role = ACCESS_NOBODY;
    return e;
}
