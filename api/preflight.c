/* SPDX-License-Identifier: Apache-2.0 */
/* preflight: what would happen to this CSR, by the rules that issuing goes by, without issuing and without
 * the ca. */
#include <string.h>

#include "api/api.h"

static const char *issuer_for(const struct ca_config *ca, enum key_type type)
{
    for (size_t i = 0; i < ca->count; i++)
        if (ca->issuers[i].issues == type)
            return ca->issuers[i].id;
    return NULL;
}

static struct js *eku_json(const struct grant *g)
{
    struct js *list = js_array();

    for (size_t i = 0; i < g->eku_count; i++)
        js_push_str(list, eku_name(g->eku[i]));
    return list;
}

/* What the grant says where it differs from the request, the request's own for the rest. */
static struct js *grant_json(struct call *c, const struct facts *f, const struct grant *g)
{
    struct js *o = js_object(), *asked = facts_json(f), *sans = js_array();
    struct key_kind key = {0};

    js_set_str(o, "issuer", key_kind_of(f->spki, &key) ? issuer_for(&c->api->config->ca, key.type) : NULL);
    js_set(o, "subject", js_copy(js_get(asked, "subject")));
    js_set(o, "cn", js_copy(js_get(asked, "cn")));
    if (g->san_from_cn)
        js_push(sans, js_copy(js_get(asked, "cn")));
    js_set(o, "sans", g->san_from_cn ? sans : js_copy(js_get(asked, "sans")));
    if (!g->san_from_cn)
        js_free(sans);
    js_set(o, "key", js_copy(js_get(asked, "key")));
    js_set(o, "ku", ku_json(g->ku));
    js_set(o, "eku", eku_json(g));
    js_set_bool(o, "ca", g->is_ca);
    js_set_int(o, "days", g->days);
    js_free(asked);
    return o;
}

/* Among the first n. */
static bool has_rule(const struct findings *fs, size_t n, const char *rule)
{
    for (size_t i = 0; i < n; i++)
        if (strcmp(fs->items[i].rule, rule) == 0)
            return true;
    return false;
}

/* The profile's findings after those of the reading; what both saw is said once. */
static void check(struct call *c, struct wanted *w, struct grant *grant)
{
    const struct profile *p =
        profile_find(&c->api->config->catalogue, w->profile); /* wanted_read has seen it */
    size_t before = w->findings.count;
    struct findings more = {0};

    profile_check(p, csr_facts(w->csr), w->days, grant, &more);
    for (size_t i = 0; i < more.count && w->findings.count < FINDINGS_MAX; i++) {
        if (has_rule(&w->findings, before, more.items[i].rule))
            continue;
        w->findings.items[w->findings.count++] = more.items[i];
        more.items[i] = (struct finding){0};
    }
    findings_free(&more);
}

void preflight_post(struct call *c)
{
    struct grant grant = {0};
    struct wanted w;
    struct js *o;
    bool accepted;
    enum err e = wanted_read(c, &w);

    if (e != OK && e != ERR_POLICY)
        return;
    check(c, &w, &grant);
    accepted = !findings_refuse(&w.findings);
    o = js_object();
    js_set_bool(o, "accepted", accepted);
    js_set_str(o, "profile", w.profile);
    js_set(o, "request", facts_json(csr_facts(w.csr)));
    if (accepted)
        js_set(o, "would_issue", grant_json(c, csr_facts(w.csr), &grant));
    else
        js_set_null(o, "would_issue");
    js_set(o, "findings", findings_json(&w.findings));
    wanted_free(&w);
    call_json(c, 200, o, NULL);
}
