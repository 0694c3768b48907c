/* SPDX-License-Identifier: Apache-2.0 */
/*
 * signers: the certificates of trusted responders, for the trust stores of clients that take an OCSP answer
 * only from a certificate they hold (RFC 6960 2.2; docs/products.md), those of other hosts as well. They are
 * asked for as if they were an issuer's chain, under the name "ocsp", which no issuer may have.
 */
#include <string.h>

#include "api/api.h"
#include "api/public.h"
#include "base/log.h"

bool signer_is_trusted(const struct ca_config *c, const char *issuer_id)
{
    const struct ca_issuer *i = ca_issuer_find(c, issuer_id);

    return i != NULL && i->is_trusted;
}

enum ending_state signer_ending(const struct ca_config *c, const char *issuer_id, int64_t end_s,
                                int64_t now_s)
{
    int64_t warn_s, life_s;

    roster_signer_measures(c, ca_issuer_find(c, issuer_id), &warn_s, &life_s);
    return ending_judge(end_s, now_s, warn_s, life_s);
}

struct walk {
    const struct ca_config *config;
    struct view *view;
    struct buf *pem;
    struct js *items; /* NULL: not wanted */
    size_t count;
    enum err err; /* of the store, at the certificate of one */
};

static void add_item(struct js *items, const struct issuer *i, const char *host, struct span der)
{
    struct x509_info info;
    struct js *o;

    if (x509_info_read(der, &info) != OK)
        die("the OCSP signer's certificate of issuer %s cannot be read", i->id);
    o = js_object();
    js_set_str(o, "issuer", i->id);
    js_set_str(o, "host", host);
    js_set_str(o, "subject", info.subject);
    js_set_str(o, "serial", info.serial);
    js_set_time(o, "not_before", info.not_before_s);
    js_set_time(o, "not_after", info.not_after_s);
    js_set_hex(o, "fingerprint_sha256", span_of(info.sha256, sizeof info.sha256));
    js_push(items, o);
    x509_info_free(&info);
}

/* `host` NULL: the issuer's own. One that has no certificate yet is passed over. */
static enum err add_signer(struct walk *w, const struct issuer *i, const char *host)
{
    uint8_t serial[SERIAL_LEN];
    struct cert c;
    enum err e = OK;

    if (host != NULL)
        e = responder_find(w->view, i->no, host, serial);
    if (e == OK)
        e = cert_find(w->view, host != NULL ? serial : i->responder, &c);
    if (e != OK)
        return e == ERR_NOT_FOUND ? OK : e;
    pem_put(w->pem, "CERTIFICATE", c.der);
    if (w->items != NULL)
        add_item(w->items, i, host, c.der);
    w->count++;
    return OK;
}

static bool add_signers(const struct issuer *i, void *arg)
{
    struct walk *w = arg;
    const struct ca_issuer *config = ca_issuer_find(w->config, i->id);

    if (config == NULL || !config->is_trusted)
        return true;
    w->err = add_signer(w, i, NULL);
    for (size_t h = 0; w->err == OK && h < config->host_count; h++)
        w->err = add_signer(w, i, config->hosts[h]);
    return w->err == OK;
}

/* Every trusted responder, or why not every. */
static enum err signers_walk(struct walk *w)
{
    enum err e = issuer_each(w->view, add_signers, w);

    return e != OK ? e : w->err;
}

#define SIGNERS_PEM_MAX (ISSUERS_MAX * (1u + RESPONDER_HOSTS_MAX) * PEM_MAX)
#define NONE "No issuer has a trusted responder: ocsp-model=\"trusted\" makes its OCSP signer one."

void signers_get(struct call *c)
{
    struct walk w = {.config = &c->api->config->ca, .view = call_view(c)};
    struct buf pem;
    struct js *o;
    enum err e;

    if (w.view == NULL)
        return;
    buf_init(&pem, SIGNERS_PEM_MAX);
    w.pem = &pem;
    w.items = js_array();
    e = signers_walk(&w);
    view_close(w.view);
    o = js_object();
    js_set_str(o, "id", "ocsp");
    js_set(o, "signers", w.items);
    js_set_span(o, "chain", buf_span(&pem));
    buf_free(&pem);
    if (e == OK && w.count > 0)
        return call_json(c, 200, o, NULL);
    js_free(o);
    if (e == OK)
        call_problem(c, ERR_NOT_FOUND, NULL, NONE);
    else
        call_unreadable(c);
}

static enum err signers_make(struct public *p, struct view *v, struct buf *out)
{
    struct walk w = {.config = &p->config->ca, .view = v, .pem = out};
    enum err e = signers_walk(&w);

    return e == OK && w.count == 0 ? ERR_NOT_FOUND : e;
}

void signers_pem_get(struct public *p, struct http_request *r)
{
    static const struct http_field fields[] = {
        {"Content-Type", "application/x-pem-file"},
        {"X-Content-Type-Options", "nosniff"},
        {NULL, NULL},
    };
    static const struct made_kind kind = {
        .what = "the list of OCSP signers",
        .none = NONE,
        .octets_max = SIGNERS_PEM_MAX,
        .cache_control = "max-age=60, public, no-transform",
        .fields = fields,
        .write = signers_make,
    };

    made_get(p, r, &p->signers, &kind);
}
