/* SPDX-License-Identifier: Apache-2.0 */
/* access_config: <login> of chancery.xml: who besides our own certificates, tokens, root and the service's
 * own user may log in, as what, and limited to what. The schema has checked the spelling. */
#include <stdlib.h>
#include <string.h>

#include "ca/access.h"

static enum err add_item(const struct xml_node *n, const char *name, struct scope_list *l, struct fault *f)
{
    const char *text = xml_attr(n, name);

    if (text == NULL || scope_add(l, text))
        return OK;
    return xml_fault(n, NULL, f,
                     "<scope %s=\"%s\"> is not permitted; permitted: ASCII without blanks, all of one "
                     "login at most %u octets",
                     name, text, SCOPE_TEXT_MAX);
}

static enum err read_scope(const struct xml_node *n, void *arg, struct fault *f)
{
    struct scope *out = arg;
    enum err e = add_item(n, "profile", &out->profiles, f);

    if (e == OK)
        e = add_item(n, "name", &out->names, f);
    return e == OK ? add_item(n, "issuer", &out->issuers, f) : e;
}

static enum err read_scopes(const struct xml_node *login, struct scope *out, struct fault *f)
{
    return xml_each(login, "scope", SIZE_MAX, read_scope, out, f);
}

static enum access_role role_of(const struct xml_node *n)
{
    const char *text = xml_attr(n, "role");
    enum access_role role = ACCESS_NOBODY;

    return text != NULL && access_role_parse(text, &role) ? role : ACCESS_NOBODY;
}

static enum err read_peer(const struct xml_node *n, void *arg, struct fault *f)
{
    struct access_config *c = arg;
    struct access_peer *out = &c->peers[c->peer_count++];
    const char *uid = xml_attr(n, "uid"), *gid = xml_attr(n, "gid");

    if ((uid == NULL) == (gid == NULL))
        return xml_fault(n, NULL, f, "<peer> has a uid or a gid, and not both");
    out->is_group = gid != NULL;
    out->id = (uint32_t)strtoul(uid != NULL ? uid : gid, NULL, 10);
    out->role = role_of(n);
    return read_scopes(n, &out->scope, f);
}

static enum err read_authority(const struct xml_node *n, void *arg, struct fault *f)
{
    struct access_config *c = arg;
    struct access_authority *out = &c->authorities[c->authority_count++];
    enum err e = xml_copy(n, "id", out->id, sizeof out->id, f);

    if (e == OK)
        e = xml_copy(n, "file", out->file, sizeof out->file, f);
    return e == OK ? xml_copy(n, "crl", out->crl, sizeof out->crl, f) : e;
}

/* Whoever our own certificates make an administrator, their profile says so: a line here can only take away.
 */
static enum err check_principal(const struct xml_node *n, const struct access_principal *p, struct fault *f)
{
    if (p->authority[0] == '\0' && p->role != ACCESS_NOBODY)
        return xml_fault(n, NULL, f,
                         "<principal role=\"%s\"> is not permitted without an authority: the profile of a "
                         "certificate of our own is its role",
                         access_role_name(p->role));
    if (p->authority[0] != '\0' && p->role == ACCESS_NOBODY)
        return xml_fault(n, NULL, f, "<principal name=\"%s\">: attribute \"role\" is missing", p->name);
    return OK;
}

static enum err read_principal(const struct xml_node *n, void *arg, struct fault *f)
{
    struct access_config *c = arg;
    struct access_principal *out = &c->principals[c->principal_count++];
    const char *pin = xml_attr(n, "sha256");
    enum err e = xml_copy(n, "name", out->name, sizeof out->name, f);

    if (e == OK)
        e = xml_copy(n, "authority", out->authority, sizeof out->authority, f);
    if (e == OK)
        e = xml_copy(n, "subject", out->subject, sizeof out->subject, f);
    if (e == OK && pin != NULL && !hex_decode(pin, out->sha256, HASH_LEN))
        e = xml_fault(n, NULL, f, "<principal sha256=\"%s\"> is no SHA-256 in hex", pin);
    out->is_pinned = pin != NULL;
    out->role = role_of(n);
    if (e == OK)
        e = check_principal(n, out, f);
    return e == OK ? read_scopes(n, &out->scope, f) : e;
}

enum err access_config_read(const struct xml_node *root, struct access_config *out, struct fault *f)
{
    const struct xml_node *login = xml_child(root, "login");
    enum err e;

    *out = (struct access_config){0};
    if (login == NULL)
        return OK;
    e = xml_each(login, "peer", ACCESS_PEERS_MAX, read_peer, out, f);
    if (e == OK)
        e = xml_each(login, "certificate-authority", ACCESS_AUTHORITIES_MAX, read_authority, out, f);
    return e == OK ? xml_each(login, "principal", ACCESS_PRINCIPALS_MAX, read_principal, out, f) : e;
}
