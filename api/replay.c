/* SPDX-License-Identifier: Apache-2.0 */
/*
 * replay: what would become of the requests of a profile under a changed catalogue. Each stored request is
 * read again and held against both catalogues by the rules that issuing goes by; only where they differ is
 * there anything to say. Nothing is issued or stored.
 */
#include <stdio.h>
#include <string.h>

#include "api/api.h"
#include "base/clock.h"
#include "base/parts.h"

#define REPLAY_DEFAULT 100u
#define REPLAY_MAX                                                                                           \
    200u /* requests at a time: reading and proving one takes a quarter of a millisecond of the only thread  \
          */
#define REPORT_MAX (64u * 1024) /* a catalogue's mistakes: some hundreds of lines */
#define TEXT_MAX 1024

/* ---- one request under one catalogue ---- */

struct verdict {
    const struct profile *profile;
    struct grant grant;
    struct findings findings;
    bool is_refused;
};

static void judge(struct verdict *v, const struct profile *p, const struct facts *f, unsigned days)
{
    *v = (struct verdict){.profile = p};
    profile_check(p, f, days, &v->grant, &v->findings);
    v->is_refused = findings_refuse(&v->findings);
}

/* ---- what differs ---- */

struct difference {
    const char *field;
    void (*put)(const struct verdict *v, char *out, size_t cap);
};

static void put_ku(const struct verdict *v, char *out, size_t cap)
{
    ku_text(v->grant.ku, out, cap);
}

static void put_eku(const struct verdict *v, char *out, size_t cap)
{
    size_t used = 0;

    out[0] = '\0';
    for (size_t i = 0; i < v->grant.eku_count && used + 1 < cap; i++)
        used +=
            (size_t)snprintf(out + used, cap - used, "%s%s", i > 0 ? ", " : "", eku_name(v->grant.eku[i]));
}

static void put_san(const struct verdict *v, char *out, size_t cap)
{
    snprintf(out, cap, "%s", v->grant.san_from_cn ? "from the common name" : "as asked");
}

static void put_days(const struct verdict *v, char *out, size_t cap)
{
    snprintf(out, cap, "%lld", (long long)v->grant.days);
}

static void put_subject(const struct verdict *v, char *out, size_t cap)
{
    snprintf(out, cap, "%s", v->grant.drops_ou ? "without OU" : "as asked");
}

static void put_ca(const struct verdict *v, char *out, size_t cap)
{
    snprintf(out, cap, "%s", v->grant.is_ca ? "true" : "false");
}

static void put_approval(const struct verdict *v, char *out, size_t cap)
{
    snprintf(out, cap, "%s", v->profile->needs_approval ? "needed" : "not needed");
}

static const struct difference differences[] = {
    {"ku", put_ku},           {"eku", put_eku}, {"san", put_san},           {"days", put_days},
    {"subject", put_subject}, {"ca", put_ca},   {"approval", put_approval},
};

static struct js *changes_json(const struct verdict *before, const struct verdict *after)
{
    struct js *list = js_array();

    for (size_t i = 0; i < sizeof differences / sizeof *differences; i++) {
        char old[TEXT_MAX], new[TEXT_MAX];
        struct js *o;

        differences[i].put(before, old, sizeof old);
        differences[i].put(after, new, sizeof new);
        if (strcmp(old, new) == 0)
            continue;
        o = js_object();
        js_set_str(o, "field", differences[i].field);
        js_set_str(o, "before", old);
        js_set_str(o, "after", new);
        js_push(list, o);
    }
    return list;
}

static bool has_rule(const struct findings *fs, const char *rule)
{
    for (size_t i = 0; i < fs->count; i++)
        if (strcmp(fs->items[i].rule, rule) == 0)
            return true;
    return false;
}

/* Those that stand in the way, and warnings that were not there before. */
static struct js *rules_json(const struct verdict *before, const struct verdict *after)
{
    const struct verdict *from = before->is_refused && !after->is_refused ? before : after;
    struct js *list = js_array();

    for (size_t i = 0; i < from->findings.count; i++) {
        const struct finding *f = &from->findings.items[i];

        if (f->severity == SEVERITY_REFUSE ||
            (f->severity == SEVERITY_WARN && from == after && !has_rule(&before->findings, f->rule)))
            js_push_str(list, f->rule);
    }
    return list;
}

/* NULL: nothing would differ. */
static struct js *compare(const struct verdict *before, const struct verdict *after)
{
    const char *result = "changed";
    struct js *o, *changes;

    if (before->is_refused && after->is_refused)
        return NULL;
    changes = before->is_refused || after->is_refused ? js_array() : changes_json(before, after);
    if (after->is_refused)
        result = "refused";
    else if (before->is_refused)
        result = "accepted";
    else if (js_len(changes) == 0)
        return js_free(changes), NULL;
    o = js_object();
    js_set_str(o, "result", result);
    js_set(o, "rules", rules_json(before, after));
    js_set(o, "changes", changes);
    return o;
}

/* ---- one certificate ---- */

struct replay {
    struct view *view;
    const struct profile *before, *after;
    struct js *items;
    unsigned examined;
};

static bool ends_with_issuer(struct view *v, const struct cert *c)
{
    struct issuer i;
    struct parts parts;

    return issuer_find_no(v, c->status.issuer_no, &i) == OK && parts_of(i.certificate, &parts) &&
           parts.not_after_s == c->status.not_after_s;
}

/* The days that were asked for: none, as far as can be told, when they are the profile's own. What the
 * issuer's end cut tells nothing, and would be refused where the profile's own days have become fewer. */
static unsigned days_of(const struct replay *r, const struct cert *c)
{
    int64_t life_s = c->status.not_after_s - c->not_before_s + 1;
    unsigned days = (unsigned)((life_s + DAY_S / 2) / DAY_S); /* a young issuer's start cuts off minutes */

    return days == r->before->days_default || ends_with_issuer(r->view, c) ? 0 : days;
}

static void set_names(struct js *o, const struct cert *c)
{
    js_set_hex(o, "serial", span_of(c->serial, SERIAL_LEN));
    js_set_span(o, "cn", c->cn);
    js_set_span(o, "subject", c->subject);
}

static bool replay_one(const struct cert *c, void *arg)
{
    struct replay *r = arg;
    struct findings reading = {0};
    struct verdict before, after;
    struct csr *csr = NULL;
    unsigned days;
    struct js *o;
    enum err e;

    r->examined++;
    if (c->csr.len == 0) /* our own: made without one */
        return true;
    e = csr_parse(c->csr, &csr, &reading, NULL);
    findings_free(&reading); /* the same whatever the catalogue says */
    if (e != OK && e != ERR_POLICY)
        return true;
    days = days_of(r, c);
    judge(&before, r->before, csr_facts(csr), days);
    judge(&after, r->after, csr_facts(csr), days);
    o = compare(&before, &after);
    if (o != NULL) {
        set_names(o, c);
        js_push(r->items, o);
    }
    findings_free(&before.findings);
    findings_free(&after.findings);
    csr_free(csr);
    return true;
}

/* ---- the call ---- */

struct replay_query {
    char profile[PROFILE_ID_MAX], after[CURSOR_MAX];
    unsigned limit;
};

static bool read_limit(struct call *c, const char *text, unsigned *out)
{
    if (paged_limit(text, REPLAY_DEFAULT, REPLAY_MAX, out))
        return true;
    call_problem(c, ERR_MALFORMED, NULL, "\"limit\" is a whole number from 1 to %u.", REPLAY_MAX);
    return false;
}

/* False: the call is answered. */
static bool read_query(struct call *c, struct replay_query *q)
{
    char limit[16];
    const struct call_param params[] = {{"profile", q->profile, sizeof q->profile},
                                        {"after", q->after, sizeof q->after},
                                        {"limit", limit, sizeof limit},
                                        {NULL}};

    if (!call_query(c, params) || !read_limit(c, limit, &q->limit))
        return false;
    if (q->profile[0] != '\0')
        return true;
    call_problem(c, ERR_MALFORMED, NULL, "The query parameter \"profile\" is needed.");
    return false;
}

/* The body. False: the call is answered. */
static bool read_catalogue(struct call *c, struct catalogue *out)
{
    struct fault f = {0};
    struct buf report;
    enum err e;

    if (http_body(c->request).len == 0) { /* which catalogue_load takes for the installed one */
        call_problem(c, ERR_MALFORMED, NULL, "The body is the new profile catalogue, as XML.");
        return false;
    }
    buf_init(&report, REPORT_MAX);
    e = catalogue_load("profiles.xml", http_body(c->request), out, &report, &f);
    if (e != OK)
        call_report(c, "The new catalogue is wrong.", buf_span(&report));
    buf_free(&report);
    return e == OK;
}

static const struct profile *find_profile(const struct catalogue *all, const char *id)
{
    const struct profile *p = profile_find(all, id);

    return p != NULL && !p->is_internal ? p : NULL;
}

static void reply(struct call *c, const struct replay *r, const char *next)
{
    struct js *o = js_object();

    js_set_int(o, "examined", r->examined);
    js_set(o, "items", r->items);
    js_set_str(o, "next", paged_given(next));
    call_json(c, 200, o, NULL);
}

static void replay_all(struct call *c, struct view *v, const struct replay_query *asked, struct replay *r)
{
    struct cert_query q = {.profile = asked->profile,
                           .expires_before_s = NO_TIME,
                           .now_s = c->api->now_s(),
                           .after = paged_given(asked->after),
                           .limit = asked->limit};
    char next[CURSOR_MAX] = "";
    enum err e;

    r->view = v;
    r->items = js_array();
    e = cert_list(v, &q, replay_one, r, next);
    if (e == OK)
        return reply(c, r, next);
    paged_fail(c, e, r->items, next, NULL);
}

static void replay_against(struct call *c, const struct replay_query *q, const struct catalogue *new)
{
    struct replay r = {.before = find_profile(&c->api->config->catalogue, q->profile),
                       .after = find_profile(new, q->profile)};
    struct view *v;

    if (r.before == NULL)
        return call_problem(c, ERR_NOT_FOUND, NULL, "There is no profile \"%s\".", q->profile);
    if (r.after == NULL)
        return call_problem(c, ERR_POLICY, NULL, "The new catalogue has no profile \"%s\".", q->profile);
    v = call_view(c);
    if (v == NULL)
        return;
    replay_all(c, v, q, &r);
    view_close(v);
}

void replay_post(struct call *c)
{
    struct catalogue new = {0};
    struct replay_query q;

    if (!read_query(c, &q) || !read_catalogue(c, &new))
        return;
    replay_against(c, &q, &new);
    catalogue_free(&new);
}
