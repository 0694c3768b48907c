/* SPDX-License-Identifier: Apache-2.0 */
/* metrics: numbers in the Prometheus text format. Times are Unix seconds, so that a rule can say "ends within
 * a week". */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "api/api.h"
#include "api/figures.h"
#include "base/log.h"

static void put_one(struct buf *b, const char *name, const char *type, const char *help, uint64_t value)
{
    figures_head(b, name, type, help);
    buf_printf(b, "chancery_%s %llu\n", name, (unsigned long long)value);
}

static void put_requests(struct buf *b, const struct api *a)
{
    figures_head(b, "http_requests_total", "counter", "Requests answered, by the class of the status.");
    for (unsigned i = 1; i < sizeof a->stats.answers / sizeof *a->stats.answers; i++)
        buf_printf(b, "chancery_http_requests_total{class=\"%uxx\"} %llu\n", i,
                   (unsigned long long)a->stats.answers[i]);
    put_one(b, "http_request_milliseconds_total", "counter", "Time from arrival to answer, summed.",
            a->stats.ms);
    put_one(b, "logins_refused_total", "counter", "Requests without a sufficient login.",
            a->stats.logins_refused);
    put_one(b, "issued_total", "counter", "Certificates issued since the start.", a->stats.issued);
    put_one(b, "refused_total", "counter", "Certificates refused since the start.", a->stats.refused);
    put_one(b, "ca_questions_waiting", "gauge", "Questions the CA has not answered yet.",
            asker_waiting(a->asker));
    put_one(b, "http_connections", "gauge", "Open connections, HTTPS and control socket.",
            (a->https == NULL ? 0 : http_server_connections(a->https)) +
                (a->control == NULL ? 0 : http_server_connections(a->control)));
}

static void put_counts(struct buf *b, struct view *v)
{
    struct store_counts n = {0};

    if (store_count(v, &n) != OK)
        return;
    put_one(b, "certificates", "gauge", "Certificates in the store.", n.certificates);
    put_one(b, "certificates_revoked", "gauge", "Revoked certificates in the store.", n.revoked);
    put_one(b, "certificates_held", "gauge", "Certificates on hold.", n.held);
    put_one(b, "audit_rows", "gauge", "Rows of the audit chain.", n.audit);
}

/* One family over all issuers: the format wants its lines together. */
struct family {
    struct buf *out;
    struct view *view;
    const struct config *config;
    const char *name;
    bool (*value)(struct view *v, const struct issuer *i, int64_t *out);
};

static bool crl_number(struct view *v, const struct issuer *i, int64_t *out)
{
    struct crl_state s;

    if (crl_state_find(v, i->no, &s) != OK)
        return false;
    *out = (int64_t)s.number;
    return s.number != 0;
}

static bool crl_entries(struct view *v, const struct issuer *i, int64_t *out)
{
    struct crl_state s;

    if (crl_state_find(v, i->no, &s) != OK)
        return false;
    *out = (int64_t)s.count;
    return s.number != 0;
}

static bool crl_next_update(struct view *v, const struct issuer *i, int64_t *out)
{
    struct crl_state s;

    if (crl_state_find(v, i->no, &s) != OK)
        return false;
    *out = s.next_update_s;
    return s.number != 0;
}

static bool signer_not_after(struct view *v, const struct issuer *i, int64_t *out)
{
    struct status s;

    if (status_find(v, i->responder, &s) != OK)
        return false;
    *out = s.not_after_s;
    return true;
}

static bool issuer_not_after(struct view *v, const struct issuer *i, int64_t *out)
{
    struct x509_info info;

    (void)v;
    if (x509_info_read(i->certificate, &info) != OK)
        return false;
    *out = info.not_after_s;
    x509_info_free(&info);
    return true;
}

static const struct {
    const char *name, *help;
    bool (*value)(struct view *v, const struct issuer *i, int64_t *out);
} families[] = {
    {"crl_number", "Number of the published CRL.", crl_number},
    {"crl_entries", "Entries of the published CRL.", crl_entries},
    {"crl_next_update_seconds", "nextUpdate of the published CRL.", crl_next_update},
    {"ocsp_signer_not_after_seconds", "End of the OCSP signer's certificate.", signer_not_after},
    {"issuer_not_after_seconds", "End of the issuer's certificate.", issuer_not_after},
};

static bool put_issuer(const struct issuer *i, void *arg)
{
    struct family *f = arg;
    int64_t value;

    if (config_has_issuer(f->config, i->id) && f->value(f->view, i, &value))
        buf_printf(f->out, "chancery_%s{issuer=\"%s\"} %lld\n", f->name, i->id, (long long)value);
    return true;
}

static enum err put_families(struct buf *b, struct view *v, const struct config *c)
{
    enum err e = OK;

    for (size_t i = 0; i < sizeof families / sizeof *families && e == OK; i++) {
        struct family f = {b, v, c, families[i].name, families[i].value};

        figures_head(b, families[i].name, "gauge", families[i].help);
        e = issuer_each(v, put_issuer, &f);
    }
    return e;
}

static void put_listener(struct buf *b, const struct listener *l)
{
    figures_head(b, "listener_not_after_seconds", "gauge",
                 "End of the HTTPS listener's certificate, by the kind of its key.");
    for (size_t i = 0; i < LISTENER_KINDS; i++) {
        const struct listener_kind *k = listener_kind_at(l, i);

        if (k != NULL && k->not_after_s != NO_TIME)
            buf_printf(b, "chancery_listener_not_after_seconds{key=\"%s\"} %lld\n", k->name,
                       (long long)k->not_after_s);
    }
}

void metrics_get(struct call *c)
{
    struct view *v = call_view(c);
    struct buf b;

    if (v == NULL)
        return;
    buf_init(&b, FIGURES_TEXT_MAX);
    figures_head(&b, "build_info", "gauge", "The version that runs.");
    buf_printf(&b, "chancery_build_info{version=\"%s\"} 1\n", CHANCERY_VERSION);
    put_requests(&b, c->api);
    put_counts(&b, v);
    put_listener(&b, c->api->listener);
    if (put_families(&b, v, c->api->config) != OK)
        log_warn("metrics", "the issuers cannot be read");
    view_close(v);
    figures_put(&b, c->api->role->boards, c->api->role->board_count);
    call_reply(c, 200, FIGURES_TYPE, buf_span(&b), NULL);
    buf_free(&b);
}
