/* SPDX-License-Identifier: Apache-2.0 */
/* access_config: <login> of chancery.xml: who besides our own certificates, tokens, root and the service's
 * own user may log in, as what, and limited to what. The schema has checked the spelling. */
#include <stdlib.h>
#include <string.h>

#include "ca/access.h"

static enum err copy(const struct xml_node *n, const char *name, char *out, size_t cap, struct fault *f)
{
    const char *text = xml_attr(n, name);

    if (text != NULL && !span_to_str(span_str(text), out, cap))
        return xml_fault(n, NULL, f, "<%s>: %s is longer than %zu octets", xml_name(n), name, cap - 1);
    return OK;
}

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

static enum err read_scope(const struct xml_node *parent, struct scope *out, struct fault *f)
{
    enum err e = OK;

    for (const struct xml_node *n = xml_child(parent, "scope"); n != NULL && e == OK;
         n = xml_next(n, "scope")) {
        e = add_item(n, "profile", &out->profiles, f);
        if (e == OK)
            e = add_item(n, "name", &out->names, f);
        if (e == OK)
            e = add_item(n, "issuer", &out->issuers, f);
    }
    return e;
}

static enum access_role role_of(const struct xml_node *n)
{
    const char *text = xml_attr(n, "role");
    enum access_role role = ACCESS_NOBODY;

    return text != NULL && access_role_parse(text, &role) ? role : ACCESS_NOBODY;
}

static enum err read_peer(const struct xml_node *n, struct access_peer *out, struct fault *f)
{
    const char *uid = xml_attr(n, "uid"), *gid = xml_attr(n, "gid");

    if ((uid == NULL) == (gid == NULL))
        return xml_fault(n, NULL, f, "<peer> has a uid or a gid, and not both");
    out->is_group = gid != NULL;
    out->id = (uint32_t)strtoul(uid != NULL ? uid : gid, NULL, 10);
    out->role = role_of(n);
    return read_scope(n, &out->scope, f);
}

static enum err read_peers(const struct xml_node *login, struct access_config *out, struct fault *f)
{
    enum err e = OK;

    for (const struct xml_node *n = xml_child(login, "peer"); n != NULL && e == OK; n = xml_next(n, "peer")) {
        if (out->peer_count == ACCESS_PEERS_MAX)
            return xml_fault(n, NULL, f, "<peer>: one too many; permitted: %u", ACCESS_PEERS_MAX);
        e = read_peer(n, &out->peers[out->peer_count++], f);
    }
    return e;
}

static enum err read_authorities(const struct xml_node *login, struct access_config *out, struct fault *f)
{
    enum err e = OK;

    for (const struct xml_node *n = xml_child(login, "certificate-authority"); n != NULL && e == OK;
         n = xml_next(n, "certificate-authority")) {
        struct access_authority *a;

        if (out->authority_count == ACCESS_AUTHORITIES_MAX)
            return xml_fault(n, NULL, f, "<certificate-authority>: one too many; permitted: %u",
                             ACCESS_AUTHORITIES_MAX);
        a = &out->authorities[out->authority_count++];
        e = copy(n, "id", a->id, sizeof a->id, f);
        if (e == OK)
            e = copy(n, "file", a->file, sizeof a->file, f);
        if (e == OK)
            e = copy(n, "crl", a->crl, sizeof a->crl, f);
    }
    return e;
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

static enum err read_principal(const struct xml_node *n, struct access_principal *out, struct fault *f)
{
    const char *pin = xml_attr(n, "sha256");
    enum err e = copy(n, "name", out->name, sizeof out->name, f);

    if (e == OK)
        e = copy(n, "authority", out->authority, sizeof out->authority, f);
    if (e == OK)
        e = copy(n, "subject", out->subject, sizeof out->subject, f);
    if (e == OK && pin != NULL && !hex_decode(pin, out->sha256, HASH_LEN))
        e = xml_fault(n, NULL, f, "<principal sha256=\"%s\"> is no SHA-256 in hex", pin);
    out->is_pinned = pin != NULL;
    out->role = role_of(n);
    if (e == OK)
        e = check_principal(n, out, f);
    return e == OK ? read_scope(n, &out->scope, f) : e;
}

static enum err read_principals(const struct xml_node *login, struct access_config *out, struct fault *f)
{
    enum err e = OK;

    for (const struct xml_node *n = xml_child(login, "principal"); n != NULL && e == OK;
         n = xml_next(n, "principal")) {
        if (out->principal_count == ACCESS_PRINCIPALS_MAX)
            return xml_fault(n, NULL, f, "<principal>: one too many; permitted: %u", ACCESS_PRINCIPALS_MAX);
        e = read_principal(n, &out->principals[out->principal_count++], f);
    }
    return e;
}

enum err access_config_read(const struct xml_node *root, struct access_config *out, struct fault *f)
{
    const struct xml_node *login = xml_child(root, "login");
    enum err e;

    *out = (struct access_config){0};
    if (login == NULL)
        return OK;
    e = read_peers(login, out, f);
    if (e == OK)
        e = read_authorities(login, out, f);
    return e == OK ? read_principals(login, out, f) : e;
}
