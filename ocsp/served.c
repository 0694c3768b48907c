/* SPDX-License-Identifier: Apache-2.0 */
/* served: the issuers answered for, with the hashes by which CertIDs name them and the delegate that signs
 * for each. */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/parts.h"
#include "ocsp/inner.h"

struct delegate *delegate_hold(struct delegate *d)
{
    d->holders++;
    return d;
}

void delegate_drop(struct delegate *d)
{
    if (d == NULL)
        return;
    assert(d->holders > 0);
    if (--d->holders > 0)
        return;
    free(d->certificate);
    free(d);
}

static struct delegate *delegate_new(const struct cert *c)
{
    struct delegate *d = xcalloc(1, sizeof *d);
    struct parts parts;
    struct key_kind kind;

    if (!parts_of(c->der, &parts) || !key_kind_of(parts.spki, &kind) || sig_alg_for(&kind) == SIG_NONE) {
        free(d);
        return NULL;
    }
    d->holders = 1;
    memcpy(d->serial, c->serial, SERIAL_LEN);
    sha1_of(kind.key_bits, d->key_hash);
    d->alg = sig_alg_for(&kind);
    d->not_before_s = parts.not_before_s;
    d->not_after_s = parts.not_after_s;
    d->certificate = xmalloc(c->der.len);
    d->certificate_len = c->der.len;
    memcpy(d->certificate, c->der.data, c->der.len);
    return d;
}

/* RFC 6960 4.1.1: of the issuer's name as in its certificate's subject, and of its key without tag, length
 * and unused bits. */
static enum err hash_issuer(const struct issuer *i, struct served *s, struct fault *f)
{
    static const enum hash_alg algs[] = {HASH_SHA1, HASH_SHA256, HASH_SHA384, HASH_SHA512};
    struct parts parts;
    struct key_kind kind;

    if (!parts_of(i->certificate, &parts) || !key_kind_of(parts.spki, &kind))
        return fault_set(f, ERR_INTERNAL, "the certificate of issuer %s cannot be read", i->id);
    for (size_t a = 0; a < sizeof algs / sizeof *algs; a++) {
        hash_of(algs[a], parts.subject, s->hashes[algs[a]].name);
        hash_of(algs[a], kind.key_bits, s->hashes[algs[a]].key);
    }
    s->not_after_s = parts.not_after_s;
    return OK;
}

/* Revoked or on hold, or nobody can tell. Clients do not ask about it (ocsp-nocheck): that it signs nothing
 * more is all that ends it before its time. */
static bool is_withdrawn(struct view *v, const uint8_t serial[static SERIAL_LEN])
{
    struct status s;

    return status_find(v, serial, &s) != OK || s.state != CERT_VALID;
}

static void previous_set(struct served *s, struct delegate *d)
{
    delegate_drop(s->previous);
    s->previous = d;
}

/* What the one before has signed is given until it is signed anew, as long as nobody has withdrawn that one.
 */
static void delegate_replace(struct view *v, struct served *s, struct delegate *d)
{
    bool is_good = s->delegate != NULL && !is_withdrawn(v, s->delegate->serial);

    previous_set(s, is_good ? delegate_hold(s->delegate) : NULL);
    delegate_drop(s->delegate);
    s->delegate = d;
}

static enum err load_delegate(struct view *v, const struct issuer *i, struct served *s, struct fault *f)
{
    struct delegate *d;
    struct cert c;
    enum err e;

    if (!issuer_has_responder(i))
        return OK;
    if (s->previous != NULL && is_withdrawn(v, s->previous->serial))
        previous_set(s, NULL);
    if (is_withdrawn(v, i->responder)) {
        previous_set(s, NULL); /* it may well have had the same key */
        delegate_drop(s->delegate);
        s->delegate = NULL;
        return OK;
    }
    if (s->delegate != NULL && memcmp(s->delegate->serial, i->responder, SERIAL_LEN) == 0)
        return OK;
    e = cert_find(v, i->responder, &c);
    if (e != OK)
        return fault_set(f, e, "the OCSP signer's certificate of issuer %s is not in the store", i->id);
    d = delegate_new(&c);
    if (d == NULL)
        return fault_set(f, ERR_INTERNAL, "the OCSP signer's certificate of issuer %s cannot be read", i->id);
    delegate_replace(v, s, d);
    return OK;
}

struct loading {
    struct view *view;
    struct served_list *list;
    struct fault *fault;
    enum err err;
};

/* The list's own item, added when it is new; NULL when there is no room or its certificate is unreadable. */
static struct served *item_for(struct loading *l, const struct issuer *i)
{
    struct served_list *list = l->list;
    struct served *s;

    for (size_t n = 0; n < list->count; n++)
        if (list->items[n].no == i->no)
            return &list->items[n];
    if (list->count == ISSUERS_MAX) {
        l->err = fault_set(l->fault, ERR_INTERNAL, "more than %u issuers", ISSUERS_MAX);
        return NULL;
    }
    s = &list->items[list->count];
    *s = (struct served){.no = i->no};
    memcpy(s->id, i->id, sizeof s->id);
    l->err = hash_issuer(i, s, l->fault);
    if (l->err != OK)
        return NULL;
    list->count++;
    return s;
}

static bool is_wanted(const struct ocsp_issuers *only, const char *id)
{
    for (size_t i = 0; i < only->count; i++)
        if (strcmp(only->ids[i], id) == 0)
            return true;
    return only->count == 0;
}

static bool load_one(const struct issuer *i, void *arg)
{
    struct loading *l = arg;
    struct served *s;

    if (!is_wanted(&l->list->only, i->id))
        return true;
    s = item_for(l, i);
    if (s != NULL)
        l->err = load_delegate(l->view, i, s, l->fault);
    return l->err == OK;
}

enum err served_load(struct view *v, struct served_list *l, struct fault *f)
{
    struct loading loading = {.view = v, .list = l, .fault = f};
    enum err e = issuer_each(v, load_one, &loading);

    if (loading.err != OK)
        return loading.err;
    return e == OK ? OK : fault_set(f, e, "the store's issuers cannot be read");
}

void served_free(struct served_list *l)
{
    for (size_t i = 0; i < l->count; i++) {
        delegate_drop(l->items[i].previous);
        delegate_drop(l->items[i].delegate);
    }
    l->count = 0;
}

bool served_is_over(const struct served *s, int64_t now_s)
{
    return now_s > s->not_after_s;
}

const struct served *served_find(const struct served_list *l, const struct ocsp_certid *id, int64_t now_s)
{
    size_t len = hash_len(id->alg);

    if (id->alg == HASH_NONE || id->name_hash.len != len || id->key_hash.len != len)
        return NULL;
    for (size_t i = 0; i < l->count; i++)
        if (memcmp(l->items[i].hashes[id->alg].key, id->key_hash.data, len) == 0 &&
            memcmp(l->items[i].hashes[id->alg].name, id->name_hash.data, len) == 0)
            return served_is_over(&l->items[i], now_s) ? NULL : &l->items[i];
    return NULL;
}
