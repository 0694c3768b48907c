/* SPDX-License-Identifier: Apache-2.0 */
/* profiles: the catalogue for people and scripts. The service's own profiles are not in it. */
#include <string.h>

#include "api/api.h"

static struct js *eku_set_json(uint32_t set)
{
    struct js *list = js_array();

    for (unsigned e = 0; e < EKU_COUNT; e++)
        if ((set & (1u << e)) != 0)
            js_push_str(list, eku_name((enum eku)e));
    return list;
}

static struct js *keys_json(const struct profile *p)
{
    struct js *list = js_array();

    for (size_t i = 0; i < p->key_count; i++) {
        struct js *o = js_object();

        js_set_str(o, "type", key_type_name(p->keys[i].type));
        js_set_int(o, "bits", p->keys[i].bits);
        js_push(list, o);
    }
    return list;
}

static struct js *usage_json(const struct profile_usage *u)
{
    struct js *o = js_object();

    js_set(o, "required", ku_json(u->required));
    js_set(o, "tolerated", ku_json(u->tolerated));
    js_set(o, "preset", ku_json(u->preset));
    return o;
}

static bool takes(const struct profile *p, enum key_type type)
{
    for (size_t i = 0; i < p->key_count; i++)
        if (p->keys[i].type == type)
            return true;
    return false;
}

/* `ku` is that of the profile's first kind of key; a profile that takes both says both below it. */
static void set_usages(struct js *o, const struct profile *p)
{
    struct js *eku = js_object();

    js_set(o, "ku", usage_json(takes(p, KEY_RSA) ? &p->ku_rsa : &p->ku_ec));
    if (takes(p, KEY_RSA) && takes(p, KEY_EC))
        js_set(o, "ku_ec", usage_json(&p->ku_ec));
    js_set(eku, "required", eku_set_json(p->eku_required));
    js_set(eku, "tolerated", eku_set_json(p->eku_tolerated));
    js_set(o, "eku", eku);
}

static const char *naming_name(enum naming n)
{
    static const char *const names[] = {[NAMING_FREE] = "free",
                                        [NAMING_VOS] = "vos",
                                        [NAMING_CAPF] = "capf",
                                        [NAMING_LSC] = "lsc",
                                        [NAMING_HOST] = "host"};

    return names[n];
}

static const char *san_rule_name(enum san_rule r)
{
    static const char *const names[] = {
        [SAN_FROM_CN] = "from-cn", [SAN_AS_ASKED] = "as-asked", [SAN_REQUIRED] = "required"};

    return names[r];
}

/* Of the requests' own signatures; all when the profile does not say. */
static struct js *hashes_json(const struct profile *p)
{
    struct js *list = js_array();

    for (enum hash_alg h = HASH_SHA1; h <= HASH_SHA512; h++)
        if (p->hashes == 0 || (p->hashes & 1u << h) != 0)
            js_push_str(list, hash_name(h));
    return list;
}

/* The names a site permits, suffixes with their dot; empty: any. */
static struct js *limits_json(const struct profile *p)
{
    struct js *list = js_array();

    for (size_t i = 0; i < p->limit_count; i++)
        js_push_str(list, p->limits[i].value);
    return list;
}

static struct js *profile_json(const struct profile *p)
{
    struct js *o = js_object();

    js_set_str(o, "id", p->id);
    js_set_str(o, "title", p->title);
    js_set(o, "keys", keys_json(p));
    if (p->rsa_advised > 0)
        js_set_int(o, "rsa_advised", p->rsa_advised);
    else
        js_set_null(o, "rsa_advised");
    set_usages(o, p);
    js_set_int(o, "days_default", p->days_default);
    js_set_int(o, "days_max", p->days_max);
    js_set_bool(o, "multi_server", p->multi_server);
    js_set_bool(o, "cisco", p->is_cisco);
    js_set_bool(o, "ca", p->is_ca);
    js_set_bool(o, "wildcards", p->wildcards);
    js_set_bool(o, "ip_sans", p->ip_sans);
    js_set_bool(o, "domain_sans", p->domain_sans);
    js_set_bool(o, "drop_ou", p->drop_ou);
    js_set_str(o, "naming", naming_name(p->naming));
    js_set_str(o, "san", san_rule_name(p->san_rule));
    js_set(o, "hashes", hashes_json(p));
    js_set(o, "names", limits_json(p));
    js_set_bool(o, "always_table", p->always_table);
    js_set_bool(o, "needs_approval", p->needs_approval);
    return o;
}

void profiles_get(struct call *c)
{
    const struct catalogue *all = &c->api->config->catalogue;
    struct js *o, *items;

    if (!call_query(c, NULL))
        return;
    o = js_object();
    items = js_array();
    for (size_t i = 0; i < all->count; i++)
        if (!all->profiles[i].is_internal && scope_has_profile(&c->login.who.scope, all->profiles[i].id))
            js_push(items, profile_json(&all->profiles[i]));
    js_set(o, "items", items);
    call_json(c, 200, o, NULL);
}

void profile_get(struct call *c)
{
    const struct profile *p;

    if (!call_query(c, NULL))
        return;
    p = profile_find(&c->api->config->catalogue, c->arg);
    if (p == NULL || p->is_internal || !scope_has_profile(&c->login.who.scope, p->id))
        return call_problem(c, ERR_NOT_FOUND, NULL, "There is no profile \"%.64s\".", c->arg);
    call_json(c, 200, profile_json(p), NULL);
}
