/* SPDX-License-Identifier: Apache-2.0 */
/* upload_json: the ordered plan: root and intermediates into each trust store, the certificate, what to
 * beware of, then what has to be restarted. Each step is {step, action, what, to, url, text}. */
#include <stdio.h>

#include "api/preflight.h"

static struct js *new_step(struct js *steps, const char *action)
{
    struct js *o = js_object();

    js_set_int(o, "step", (int64_t)js_len(steps) + 1);
    js_set_str(o, "action", action);
    return o;
}

/* What it is, without a name of ours: its subject. */
static void set_ca(struct js *o, const struct ca_certificate *c, const char *public_url)
{
    char url[512];

    js_set_span(o, "what", c->subject_text);
    if (c->id[0] == '\0')
        return js_set_null(o, "url");
    snprintf(url, sizeof url, "%s/ca/%s.pem", public_url, c->id);
    js_set_str(o, "url", url);
}

static void push_ca(struct js *steps, const struct ca_certificate *c, const char *store, const char *how,
                    const char *public_url)
{
    struct js *o = new_step(steps, "upload");

    set_ca(o, c, public_url);
    js_set_str(o, "to", store);
    js_set_str(o, "text", how);
    js_push(steps, o);
}

/* The one at which the path breaks off stands above all that are known. */
static void push_missing(struct js *steps, const struct upload *u, const char *store, const char *how)
{
    struct js *o;

    if (u->missing.len == 0)
        return;
    o = new_step(steps, "upload");
    js_set_span(o, "what", u->missing);
    if (u->missing_url.len > 0)
        js_set_span(o, "url", u->missing_url);
    else
        js_set_null(o, "url");
    js_set_str(o, "to", store);
    js_set_str(o, "text", how);
    js_push(steps, o);
}

static void push_chain(struct js *steps, const struct upload_plan *plan, const struct upload *u,
                       const char *public_url)
{
    for (size_t t = 0; t < sizeof plan->trusts / sizeof *plan->trusts && plan->trusts[t] != NULL; t++) {
        push_missing(steps, u, plan->trusts[t], plan->trust_how);
        for (size_t i = u->chain_count; i > 0; i--)
            push_ca(steps, u->chain[i - 1], plan->trusts[t], plan->trust_how, public_url);
    }
}

static void push_plain(struct js *steps, const char *action, const char *what, const char *to,
                       const char *text)
{
    struct js *o = new_step(steps, action);

    js_set_str(o, "what", what);
    js_set_null(o, "url");
    js_set_str(o, "to", to);
    js_set_str(o, "text", text);
    js_push(steps, o);
}

struct js *upload_json(const struct upload_plan *plan, const struct upload_path *path, const char *public_url)
{
    struct js *steps = js_array();

    push_chain(steps, plan, &path->upload, public_url);
    push_plain(steps, plan->leaf != NULL ? "upload" : "none", "the certificate", plan->leaf, plan->leaf_how);
    for (size_t i = 0; i < sizeof plan->cautions / sizeof *plan->cautions && plan->cautions[i] != NULL; i++)
        push_plain(steps, "caution", NULL, NULL, plan->cautions[i]);
    for (size_t i = 0; i < sizeof plan->restarts / sizeof *plan->restarts && plan->restarts[i] != NULL; i++)
        push_plain(steps, "restart", plan->restarts[i], NULL, plan->restart_how);
    return steps;
}
