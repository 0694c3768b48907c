/* SPDX-License-Identifier: Apache-2.0 */
/* renew_plan: whether an issuer may have a next generation, and what that will be. Nothing is changed here.
 */
#include <stdio.h>
#include <string.h>

#include "api/renewal.h"
#include "base/parts.h"

/* ---- the CAs that are there ---- */

static enum err find_ca(struct renewal *r, struct view *v, const char *id, struct renewal_ca *out)
{
    struct issuer row;
    enum err e;

    out->config = ca_issuer_find(&r->config.ca, id);
    out->files = issuer_files_find(&r->config, id);
    if (out->config == NULL || out->files == NULL)
        return fault_set(&r->f, ERR_NOT_FOUND, "there is no issuer %s in chancery.xml", id);
    e = issuer_find(v, id, &row);
    if (e == ERR_NOT_FOUND)
        return fault_set(&r->f, e, "issuer %s is in chancery.xml but not in the store", id);
    if (e != OK)
        return fault_set(&r->f, e, "the store's issuers cannot be read");
    out->no = row.no;
    buf_put_span(&out->certificate, row.certificate);
    return OK;
}

enum err renewal_parts(struct renewal *r, const struct renewal_ca *ca, struct parts *out)
{
    if (parts_of(buf_span(&ca->certificate), out) && out->ski.len > 0)
        return OK;
    return fault_set(&r->f, ERR_INTERNAL, "issuer %s: its certificate in the store cannot be read",
                     ca->config->id);
}

/* ---- its parent ---- */

static enum key_type type_of(struct span spki)
{
    struct key_kind kind;

    return key_kind_of(spki, &kind) ? kind.type : KEY_NONE;
}

/* RFC 5280 4.2.1.9 */
static bool has_room_below(const struct parts *parent, const struct parts *old)
{
    int64_t above = -1, own = -1;

    return parts_path_len(parent, &above) && parts_path_len(old, &own) &&
           (above < 0 || (own >= 0 && own < above));
}

static enum err check_parent_key(struct renewal *r, const struct parts *parent)
{
    struct parts old;
    enum err e = renewal_parts(r, &r->old, &old);

    if (e == OK && !has_room_below(parent, &old))
        e = fault_set(&r->f, ERR_CONFLICT, "the path length of %s leaves no room for a CA as %s below it",
                      r->parent.config->id, r->old_id);

    if (e == OK && type_of(parent->spki) != type_of(old.spki))
        e = fault_set(&r->f, ERR_CONFLICT,
                      "%s has another kind of key than %s: a hierarchy has one kind all the "
                      "way up",
                      r->parent.config->id, r->old_id);
    return e;
}

/* Nobody would trust what it signs. */
static enum err check_parent_state(struct renewal *r, struct view *v, const struct parts *parent)
{
    const char *id = r->parent.config->id;
    struct status s;

    if (r->now_s < parent->not_before_s || r->now_s >= parent->not_after_s)
        return fault_set(&r->f, ERR_CONFLICT,
                         "the certificate of %s is not valid now: --parent names another", id);
    if (parent->serial.len == SERIAL_LEN && status_find(v, parent->serial.data, &s) == OK &&
        s.state != CERT_VALID)
        return fault_set(&r->f, ERR_CONFLICT,
                         "the certificate of %s is revoked or on hold: --parent names another", id);
    return OK;
}

static enum err settle_parent(struct renewal *r, struct view *v)
{
    const char *id = r->parent_id != NULL ? r->parent_id : r->old.config->parent;
    struct parts parts;
    enum err e;

    if (r->old.config->parent[0] == '\0')
        return r->parent_id == NULL ? OK
                                    : fault_set(&r->f, ERR_CONFLICT,
                                                "%s is a root: --parent is for those below one", r->old_id);
    if (strcmp(id, r->old_id) == 0)
        return fault_set(&r->f, ERR_CONFLICT, "%s cannot be above its own successor", id);
    e = find_ca(r, v, id, &r->parent);
    if (e == OK)
        e = renewal_parts(r, &r->parent, &parts);
    if (e == OK)
        e = check_parent_key(r, &parts);
    return e == OK ? check_parent_state(r, v, &parts) : e;
}

/* ---- id and name ---- */

struct taking {
    struct renewal *renewal;
    size_t count;
};

static bool compare(const struct issuer *i, void *arg)
{
    struct taking *t = arg;
    struct renewal *r = t->renewal;
    struct parts p;

    t->count++;
    if (strcmp(i->id, r->id) != 0 && parts_of(i->certificate, &p) && span_eq(p.subject, buf_span(&r->name)))
        (void)fault_set(&r->f, ERR_CONFLICT, "the name \"%s\" is that of issuer %s: no two may have one",
                        r->cn, i->id);
    return r->f.code == OK;
}

/* The row of its id, when there is one: that of a run that was killed before chancery.xml had it. */
static enum err take_row(struct renewal *r, struct view *v)
{
    struct crl_state crl;
    struct issuer row;
    struct parts p;
    enum err e = issuer_find(v, r->id, &row);

    if (e == ERR_NOT_FOUND)
        return OK;
    if (e != OK || crl_state_find(v, row.no, &crl) != OK)
        return fault_set(&r->f, ERR_IO, "the store's issuers cannot be read");
    if (crl.number > 0)
        return fault_set(&r->f, ERR_CONFLICT,
                         "issuer %s has been there already, and is not in chancery.xml any more", r->id);
    if (strcmp(row.parent, r->parent.config != NULL ? r->parent.config->id : "") != 0 ||
        !parts_of(row.certificate, &p) || !span_eq(p.subject, buf_span(&r->name)))
        return fault_set(
            &r->f, ERR_CONFLICT,
            "issuer %s is in the store, under %s, by a renewal that was not finished: give the same "
            "--parent to finish it",
            r->id, row.parent[0] != '\0' ? row.parent : "no parent");
    r->is_begun = true;
    buf_put_span(&r->certificate, row.certificate);
    return OK;
}

static enum err check_taken(struct renewal *r, struct view *v)
{
    struct taking t = {.renewal = r};

    if (ca_issuer_find(&r->config.ca, r->id) != NULL)
        return fault_set(&r->f, ERR_CONFLICT, "%s is there already, the next generation of %s: renew that",
                         r->id, r->old_id);
    if (issuer_each(v, compare, &t) != OK)
        return fault_set(&r->f, ERR_IO, "the store's issuers cannot be read");
    if (r->f.code == OK)
        (void)take_row(r, v);
    if (r->f.code == OK && !r->is_begun && t.count >= ISSUERS_MAX)
        (void)fault_set(&r->f, ERR_CONFLICT, "the store has %u issuers already, as many as it may",
                        ISSUERS_MAX);
    return r->f.code;
}

static enum err settle_name(struct renewal *r)
{
    struct parts old;
    enum err e = renewal_parts(r, &r->old, &old);

    if (e == OK && !generation_id(r->old_id, r->id))
        e = fault_set(&r->f, ERR_CONFLICT, "the next id after %s is longer than %u characters", r->old_id,
                      ISSUER_ID_MAX - 1);
    return e == OK ? generation_name(old.subject, &r->name, r->cn, &r->f) : e;
}

enum err renewal_plan(struct renewal *r)
{
    struct view *v = NULL;
    enum err e = view_open(r->store, &v);

    if (e != OK)
        return fault_set(&r->f, e, "the store gives no view");
    e = find_ca(r, v, r->old_id, &r->old);
    if (e == OK)
        e = settle_name(r);
    if (e == OK)
        e = settle_parent(r, v);
    if (e == OK)
        e = check_taken(r, v);
    if (e == OK)
        e = renewal_settle(r, v);
    view_close(v);
    return e;
}
