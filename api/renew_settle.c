/* SPDX-License-Identifier: Apache-2.0 */
/* renew_settle: the keys, the life and the element that a new generation gets, and what people will have to
 * do. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "api/authority.h"
#include "api/home_file.h"
#include "api/issuer_element.h"
#include "api/renewal.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/parts.h"

/* ---- keys and life ---- */

static enum err kind_of(struct renewal *r, struct span spki, const char *what, char out[static KEY_KIND_MAX])
{
    struct key_kind kind;

    if (!key_kind_of(spki, &kind) || sig_alg_for(&kind) == SIG_NONE)
        return fault_set(&r->f, ERR_KEY, "%s: no key that we sign with", what);
    snprintf(out, KEY_KIND_MAX, "%s-%u", key_type_name(kind.type), kind.bits);
    return OK;
}

static enum err settle_keys(struct renewal *r)
{
    struct buf pem, spki;
    struct parts old;
    enum err e = renewal_parts(r, &r->old, &old);

    buf_init(&pem, PEM_MAX);
    buf_init(&spki, PEM_MAX);
    if (e == OK && strncmp(r->old.files->key_uri, "file:", 5) != 0)
        e = fault_set(&r->f, ERR_CONFLICT, "the key of %s is in a token, and this makes keys in files alone",
                      r->old_id);
    if (e == OK)
        e = kind_of(r, old.spki, r->old_id, r->key_kind);
    if (e == OK)
        e = file_read(r->old.files->ocsp_public, &pem, &r->f);
    if (e == OK && pem_get(buf_span(&pem), "PUBLIC KEY", &spki) != OK)
        e = fault_set(&r->f, ERR_KEY, "%s: no public key in PEM", r->old.files->ocsp_public);
    if (e == OK)
        e = kind_of(r, buf_span(&spki), r->old.files->ocsp_public, r->ocsp_kind);
    buf_free(&pem);
    buf_free(&spki);
    return e;
}

/* That of a new home's, within its parent's. */
static enum err settle_life(struct renewal *r)
{
    int64_t days = r->parent.files != NULL ? ISSUING_DAYS : ROOT_DAYS, path_len = -1;
    struct parts old, parent;
    char text[CLOCK_TEXT_MAX];
    enum err e = renewal_parts(r, &r->old, &old);

    if (e == OK && !parts_path_len(&old, &path_len))
        e = fault_set(&r->f, ERR_INTERNAL, "issuer %s: its certificate is not a CA's", r->old_id);
    r->path_len = (int)path_len;
    r->not_before_s = r->now_s - AUTHORITY_BACKDATE_S;
    r->not_after_s = r->not_before_s + days * DAY_S - 1;
    if (e != OK || r->parent.files == NULL)
        return e;
    e = renewal_parts(r, &r->parent, &parent);
    if (e == OK && r->not_before_s < parent.not_before_s)
        r->not_before_s = parent.not_before_s;
    if (e != OK || r->not_after_s <= parent.not_after_s)
        return e;
    r->not_after_s = parent.not_after_s;
    clock_rfc3339(r->not_after_s, text);
    renewal_note(
        r, "It ends with %s, %s, and not after %lld days: a new root comes first when that is too soon.",
        r->parent.config->id, text, (long long)days);
    return OK;
}

/* ---- chancery.xml ---- */

/* Read again as the service will read it: the one thing that the edit had to do, and nothing else. */
static enum err check_settings(struct renewal *r)
{
    struct config *c = xcalloc(1, sizeof *c);
    const struct ca_issuer *fresh = NULL;
    enum err e;

    memcpy(c->home, r->config.home, sizeof c->home);
    e = config_read("chancery.xml", buf_span(&r->settings), c, NULL, &r->f);
    if (e == OK)
        fresh = ca_issuer_find(&c->ca, r->id);
    if (e == OK &&
        (fresh == NULL || c->ca.count != r->config.ca.count + 1 || fresh->issues != r->old.config->issues ||
         strcmp(fresh->parent, r->parent.config != NULL ? r->parent.config->id : "") != 0))
        e = fault_set(&r->f, ERR_CONFLICT, "chancery.xml: %s cannot be added to it as it is written", r->id);
    config_free(c);
    free(c);
    return e;
}

static enum err settle_settings(struct renewal *r)
{
    struct issuer_element n = {r->old_id, r->id, r->parent.config != NULL ? r->parent.config->id : NULL};
    enum err e = home_file_check_edit(r->config.home, "chancery.xml", &r->f);

    if (e == OK)
        e = issuer_element_add(buf_span(&r->texts.settings), &n, &r->settings, &r->f);
    return e == OK ? check_settings(r) : e;
}

/* ---- what people will have to do ---- */

static bool names_old(const struct renewal *r, const struct scope *s)
{
    return s->issuers.len > 0 && scope_has_issuer(s, r->old_id) && !scope_has_issuer(s, r->id);
}

struct counting {
    struct renewal *renewal;
    unsigned tokens;
};

static bool count_token(const struct token *k, void *arg)
{
    struct counting *c = arg;

    c->tokens +=
        k->deleted_at_s == NO_TIME && k->expires_at_s > c->renewal->now_s && names_old(c->renewal, &k->scope);
    return true;
}

static void note_logins(struct renewal *r, struct view *v)
{
    const struct access_config *a = &r->config.ca.access;
    struct counting c = {.renewal = r};
    unsigned named = 0;

    for (size_t i = 0; i < a->principal_count; i++)
        named += names_old(r, &a->principals[i].scope);
    for (size_t i = 0; i < a->peer_count; i++)
        named += names_old(r, &a->peers[i].scope);
    if (token_each(v, count_token, &c) == OK && named + c.tokens > 0)
        renewal_note(r, "Logins limited to %s do not cover %s: %u in chancery.xml, %u tokens.", r->old_id,
                     r->id, named, c.tokens);
}

static void note_responders(struct renewal *r)
{
    for (size_t i = 0; i < r->old.config->host_count; i++)
        renewal_note(r, "The OCSP host %s has no key for %s yet.", r->old.config->hosts[i], r->id);
}

/* Whoever trusts it has it in a trust store of its own. */
static void note_trusted(struct renewal *r)
{
    if (r->old.config->is_trusted)
        renewal_note(
            r,
            "The OCSP signer of %s will be a trusted responder too: its certificate has to reach the "
            "products (ca chain ocsp).",
            r->id);
}

enum err renewal_settle(struct renewal *r, struct view *v)
{
    enum err e = settle_keys(r);

    if (e == OK)
        e = settle_life(r);
    if (e == OK)
        e = settle_settings(r);
    if (e == OK)
        note_logins(r, v);
    if (e == OK)
        note_responders(r);
    if (e == OK)
        note_trusted(r);
    return e;
}
