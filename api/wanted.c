/* SPDX-License-Identifier: Apache-2.0 */
/* wanted: a request for a certificate as it arrives: profile and days out of the query, the CSR out of the
 * body. */
#include <stdlib.h>
#include <string.h>

#include "api/api.h"
#include "base/log.h"

#define DAYS_MAX 36500ul /* a hundred years; profiles say less */

static bool read_days(const char *text, unsigned *out)
{
    char *end;
    unsigned long days = strtoul(text, &end, 10);

    *out = (unsigned)days;
    return text[0] >= '0' && text[0] <= '9' && *end == '\0' && days > 0 && days <= DAYS_MAX;
}

/* True when the query was read; else the call is answered. */
static bool read_query(struct call *c, struct wanted *out)
{
    char days[16];
    const struct call_param params[] = {
        {"profile", out->profile, sizeof out->profile}, {"days", days, sizeof days}, {NULL}};

    if (!call_query(c, params))
        return false;
    if (out->profile[0] == '\0') {
        call_problem(c, ERR_MALFORMED, NULL, "The query parameter \"profile\" is needed.");
        return false;
    }
    if (days[0] != '\0' && !read_days(days, &out->days)) {
        call_problem(c, ERR_MALFORMED, NULL, "\"days\" is a whole number from 1 to %lu.", DAYS_MAX);
        return false;
    }
    return true;
}

/* The ca holds this too; here it saves parsing for what cannot be. */
static bool check_profile(struct call *c, const struct wanted *w)
{
    const struct profile *p = profile_find(&c->api->config->catalogue, w->profile);
    enum access_role role;

    if (p == NULL)
        call_problem(c, ERR_NOT_FOUND, NULL, "There is no profile \"%s\".", w->profile);
    else if (p->is_internal && !profile_role(p->id, &role))
        call_problem(c, ERR_FORBIDDEN, NULL, "The profile \"%s\" is for the service itself.", w->profile);
    else
        return true;
    return false;
}

/* A CSR on its way through another thread. */
struct reading {
    struct call *call;
    struct span csr;
    struct wanted *out;
    struct fault fault;
    enum err err;
    wanted_done *done;
    void *arg;
};

static void parse(void *arg)
{
    struct reading *r = arg;

    r->err = csr_parse(r->csr, &r->out->csr, &r->out->findings, &r->fault);
}

static void parsed(void *arg)
{
    struct reading *r = arg;

    if (r->err != OK && r->err != ERR_POLICY) {
        call_problem(r->call, r->err, NULL, "%s", r->fault.detail);
        wanted_free(r->out);
    }
    r->done(r->arg, r->err);
    free(r);
}

bool wanted_read(struct call *c, struct span csr, struct wanted *out, wanted_done *done, void *arg)
{
    struct reading *r;

    memset(out, 0, sizeof *out);
    if (!read_query(c, out) || !check_profile(c, out))
        return false;
    r = xcalloc(1, sizeof *r);
    *r = (struct reading){.call = c, .csr = csr, .out = out, .done = done, .arg = arg};
    loop_work(c->api->loop, parse, parsed, r);
    return true;
}

void wanted_free(struct wanted *w)
{
    csr_free(w->csr);
    findings_free(&w->findings);
    w->csr = NULL;
}

/* Among the first n. */
static bool has_rule(const struct findings *fs, size_t n, const char *rule)
{
    for (size_t i = 0; i < n; i++)
        if (strcmp(fs->items[i].rule, rule) == 0)
            return true;
    return false;
}

void wanted_merge(struct wanted *w, struct findings *more)
{
    size_t before = w->findings.count;

    for (size_t i = 0; i < more->count; i++) {
        const struct finding *f = &more->items[i];

        if (!has_rule(&w->findings, before, f->rule))
            finding_add(&w->findings, f->rule, f->field, f->got, f->want);
    }
    findings_free(more);
}

/* The key of an Idempotency-Key: each principal has its own. Zeros when there is none. */
static void put_key(struct call *c, const char *key, struct buf *out)
{
    uint8_t digest[HASH_LEN] = {0};
    struct hash *h;

    if (key != NULL) {
        h = hash_begin(HASH_SHA256);
        hash_add(h, span_of(c->login.who.name, strlen(c->login.who.name) + 1));
        hash_add(h, span_str(key));
        hash_end(h, digest);
    }
    buf_put(out, digest, sizeof digest);
}

/* What was asked: method, query and body. The query is what was read of it, so that spelling does not matter.
 */
static void put_body_hash(struct call *c, const struct wanted *w, struct buf *out)
{
    uint8_t digest[HASH_LEN];
    struct hash *h = hash_begin(HASH_SHA256);
    struct buf head;

    buf_init(&head, 256);
    buf_printf(&head, "%s profile=%s days=%u\n", http_method(c->request), w->profile, w->days);
    hash_add(h, buf_span(&head));
    hash_add(h, http_body(c->request));
    hash_end(h, digest);
    buf_put(out, digest, sizeof digest);
    buf_free(&head);
}

static void put_ask(struct call *c, const struct wanted *w, uint8_t flags, struct buf *out)
{
    buf_put_blob(out, span_str(c->login.who.name));
    buf_put_blob(out, span_str(w->profile));
    buf_put_u32(out, w->days);
    buf_put_u8(out, flags);
    put_key(c, http_header(c->request, "Idempotency-Key"), out);
    put_body_hash(c, w, out);
    facts_write(out, csr_facts(w->csr));
}

enum err wanted_send(struct call *c, const struct wanted *w, uint8_t flags, asker_done *done, void *arg)
{
    struct buf message;
    enum err e;

    buf_init(&message, WIRE_MSG_MAX);
    put_ask(c, w, flags, &message);
    e = buf_end(&message);
    if (e == OK)
        e = asker_send(c->api->asker, ASK_ISSUE, buf_span(&message), done, arg);
    buf_free(&message);
    return e;
}
