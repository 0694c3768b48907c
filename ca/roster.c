/* SPDX-License-Identifier: Apache-2.0 */
/* roster: the issuers of chancery.xml beside those of the store, and which of them issue no more. */
#include <stdio.h>
#include <string.h>

#include "base/ending.h"
#include "base/parts.h"
#include "ca/ca.h"

/* ---- what is not in the store ---- */

static enum err tell_missing(struct view *v, const struct ca_config *c, roster_fn *fn, void *arg)
{
    char text[ROSTER_TEXT_MAX];
    struct issuer row;

    for (size_t i = 0; i < c->count; i++) {
        enum err e = issuer_find(v, c->issuers[i].id, &row);

        if (e != OK && e != ERR_NOT_FOUND)
            return e;
        snprintf(text, sizeof text, "issuer %s is in chancery.xml but not in the store", c->issuers[i].id);
        if (e == ERR_NOT_FOUND)
            fn(text, arg);
    }
    return OK;
}

/* ---- what issues for keys of another kind ---- */

bool roster_key_suits(const struct ca_issuer *i, enum key_type own, char text[static ROSTER_TEXT_MAX])
{
    if (i->issues == KEY_NONE || i->issues == own)
        return true;
    snprintf(text, ROSTER_TEXT_MAX, "issuer %s has %s key and issues=\"%s\"", i->id,
             own == KEY_RSA  ? "an RSA"
             : own == KEY_EC ? "an EC"
                             : "another",
             key_type_name(i->issues));
    return false;
}

static enum err tell_crossed(struct view *v, const struct ca_config *c, roster_fn *fn, void *arg)
{
    char text[ROSTER_TEXT_MAX];
    struct issuer row;
    struct parts parts;
    struct key_kind kind;

    for (size_t i = 0; i < c->count; i++) {
        enum err e = issuer_find(v, c->issuers[i].id, &row);

        if (e != OK && e != ERR_NOT_FOUND)
            return e;
        if (e == OK && parts_of(row.certificate, &parts) && key_kind_of(parts.spki, &kind) &&
            !roster_key_suits(&c->issuers[i], kind.type, text))
            fn(text, arg);
    }
    return OK;
}

enum err roster_refused(struct view *v, const struct ca_config *c, roster_fn *fn, void *arg)
{
    enum err e = tell_missing(v, c, fn, arg);

    return e == OK ? tell_crossed(v, c, fn, arg) : e;
}

/* ---- what is not in the configuration ---- */

bool roster_is_begun(struct view *v, const struct issuer *i)
{
    struct crl_state s;

    return !issuer_has_responder(i) && crl_state_find(v, i->no, &s) == OK && s.number == 0;
}

struct seeking {
    const struct issuer *issuer;
    int64_t now_s;
    bool found;
};

/* Of whatever state: what is revoked is so for those alone who still get a CRL or an OCSP answer. An OCSP
 * signer's own certificate is nothing that anybody asks about, nor is a root's. */
static bool is_living(const struct cert *c, void *arg)
{
    struct seeking *s = arg;

    s->found = c->status.not_after_s >= s->now_s && strcmp(c->profile, "chancery/ocsp") != 0 &&
               !span_eq(c->der, s->issuer->certificate);
    return !s->found;
}

static enum err has_living(struct view *v, const struct issuer *i, int64_t now_s, bool *found)
{
    struct seeking s = {.issuer = i, .now_s = now_s};
    char after[CURSOR_MAX] = "", next[CURSOR_MAX];
    struct cert_query q = {.issuer_no = i->no,
                           .status = FILTER_ANY,
                           .expires_before_s = NO_TIME,
                           .now_s = now_s,
                           .limit = LIST_LIMIT_MAX};
    enum err e;

    do {
        q.after = after[0] != '\0' ? after : NULL;
        e = cert_list(v, &q, is_living, &s, next);
        memcpy(after, next, sizeof after);
    } while (e == OK && !s.found && after[0] != '\0');
    *found = s.found;
    return e;
}

struct dropping {
    struct view *view;
    const struct ca_config *config;
    int64_t now_s;
    roster_fn *fn;
    void *arg;
    enum err err;
};

static bool look(const struct issuer *i, void *arg)
{
    struct dropping *d = arg;
    char text[ROSTER_TEXT_MAX];
    bool lives = false;

    if (ca_issuer_find(d->config, i->id) != NULL)
        return true;
    if (roster_is_begun(d->view, i)) {
        snprintf(text, sizeof text,
                 "issuer %s is in the store and not in chancery.xml: `ca renew` made it and did not come to "
                 "an end",
                 i->id);
        d->fn(text, d->arg);
        return true;
    }
    d->err = has_living(d->view, i, d->now_s, &lives);
    snprintf(text, sizeof text,
             "issuer %s is in the store and not in chancery.xml: certificates of it have no CRL and no OCSP",
             i->id);
    if (lives)
        d->fn(text, d->arg);
    return d->err == OK;
}

enum err roster_dropped(struct view *v, const struct ca_config *c, int64_t now_s, roster_fn *fn, void *arg)
{
    struct dropping d = {.view = v, .config = c, .now_s = now_s, .fn = fn, .arg = arg};
    enum err e = issuer_each(v, look, &d);

    return d.err != OK ? d.err : e;
}

/* ---- what issues no more ---- */

/* Parents form no circle: such a configuration is refused. */
static bool issues_below(const struct ca_config *c, const struct ca_issuer *i)
{
    if (i->issues != KEY_NONE)
        return true;
    for (size_t k = 0; k < c->count; k++)
        if (strcmp(c->issuers[k].parent, i->id) == 0 && issues_below(c, &c->issuers[k]))
            return true;
    return false;
}

bool roster_is_retired(const struct ca_config *c, const char *id)
{
    const struct ca_issuer *i = ca_issuer_find(c, id);

    return i != NULL && !issues_below(c, i);
}

bool roster_lets_signer_end(int64_t issuer_end_s, int64_t signer_end_s, int64_t now_s)
{
    return now_s > issuer_end_s || signer_end_s >= issuer_end_s;
}

void roster_signer_measures(const struct ca_config *c, const struct ca_issuer *i, int64_t *warn_s,
                            int64_t *life_s)
{
    bool is_trusted = i != NULL && i->is_trusted;

    *warn_s = is_trusted ? ENDING_TRUSTED_S : ENDING_SIGNER_S;
    *life_s = is_trusted ? c->trusted_s : c->responder_s;
}
