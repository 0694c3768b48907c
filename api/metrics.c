/* SPDX-License-Identifier: Apache-2.0 */
/* metrics: numbers in the Prometheus text format. Times are Unix seconds, so that a rule can say "ends within
 * a week". */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "api/api.h"
#include "base/log.h"

#define TEXT_MAX (256u * 1024)

static void head(struct buf *b, const char *name, const char *type, const char *help)
{
    buf_printf(b, "# HELP chancery_%s %s\n# TYPE chancery_%s %s\n", name, help, name, type);
}

static void put_one(struct buf *b, const char *name, const char *type, const char *help, uint64_t value)
{
    head(b, name, type, help);
    buf_printf(b, "chancery_%s %llu\n", name, (unsigned long long)value);
}

static void put_requests(struct buf *b, const struct api *a)
{
    head(b, "http_requests_total", "counter", "Requests answered, by the class of the status.");
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

    if (f->value(f->view, i, &value))
        buf_printf(f->out, "chancery_%s{issuer=\"%s\"} %lld\n", f->name, i->id, (long long)value);
    return true;
}

static enum err put_families(struct buf *b, struct view *v)
{
    enum err e = OK;

    for (size_t i = 0; i < sizeof families / sizeof *families && e == OK; i++) {
        struct family f = {b, v, families[i].name, families[i].value};

        head(b, families[i].name, "gauge", families[i].help);
        e = issuer_each(v, put_issuer, &f);
    }
    return e;
}

/* ---- what the roles have posted ---- */

/* The format wants the lines of a family together, and several roles may have some of one. */
struct posted {
    struct buf *out;
    const struct api_role *role;
    char family[FAMILY_MAX];
    char done[FIGURES_MAX][FAMILY_MAX]; /* families printed */
    size_t done_count;
};

static bool is_done(const struct posted *p, const char *family)
{
    for (size_t i = 0; i < p->done_count; i++)
        if (strcmp(p->done[i], family) == 0)
            return true;
    return false;
}

static bool put_line(const struct figure_shown *f, void *arg)
{
    struct posted *p = arg;
    const char *open = f->labels[0] == '\0' ? "" : "{", *close = f->labels[0] == '\0' ? "" : "}";

    if (strcmp(f->family, p->family) == 0)
        buf_printf(p->out, "chancery_%s%s%s%s %lld\n", f->family, open, f->labels, close,
                   (long long)f->value);
    return true;
}

static bool put_posted_family(const struct figure_shown *f, void *arg)
{
    struct posted *p = arg;

    if (is_done(p, f->family) || p->done_count == FIGURES_MAX)
        return true;
    strcpy(p->done[p->done_count++], f->family);
    strcpy(p->family, f->family);
    head(p->out, f->family, f->kind == FIGURE_GAUGE ? "gauge" : "counter", f->help);
    for (size_t i = 0; i < p->role->board_count; i++)
        if (p->role->boards[i] != NULL)
            board_each_figure(p->role->boards[i], put_line, p);
    return true;
}

/* A label's value: what would end it, or the line, is left out. */
static void put_label(struct buf *b, const char *name, const char *value)
{
    buf_printf(b, "%s=\"", name);
    for (; *value != '\0'; value++)
        if (*value != '"' && *value != '\\' && *value != '\n')
            buf_put_u8(b, (uint8_t)*value);
    buf_printf(b, "\"");
}

static bool put_alarm(const struct alarm_shown *a, void *arg)
{
    struct buf *b = arg;

    buf_printf(b, "chancery_alarm{");
    put_label(b, "code", a->code);
    buf_printf(b, ",");
    put_label(b, "subject", a->subject);
    buf_printf(b, "} %d\n", (int)a->level);
    return true;
}

static void put_boards(struct buf *b, const struct api_role *role)
{
    struct posted *p = xcalloc(1, sizeof *p);

    *p = (struct posted){.out = b, .role = role};
    for (size_t i = 0; i < role->board_count; i++)
        if (role->boards[i] != NULL)
            board_each_figure(role->boards[i], put_posted_family, p);
    free(p);
    head(b, "alarm", "gauge", "Alarms that stand: 1 warning, 2 critical.");
    for (size_t i = 0; i < role->board_count; i++)
        if (role->boards[i] != NULL)
            board_each_alarm(role->boards[i], put_alarm, b);
}

void metrics_get(struct call *c)
{
    int64_t end_s = listener_not_after(c->api->listener);
    struct view *v = call_view(c);
    struct buf b;

    if (v == NULL)
        return;
    buf_init(&b, TEXT_MAX);
    head(&b, "build_info", "gauge", "The version that runs.");
    buf_printf(&b, "chancery_build_info{version=\"%s\"} 1\n", CHANCERY_VERSION);
    put_requests(&b, c->api);
    put_counts(&b, v);
    if (end_s != NO_TIME)
        put_one(&b, "listener_not_after_seconds", "gauge", "End of the HTTPS listener's certificate.",
                (uint64_t)end_s);
    if (put_families(&b, v) != OK)
        log_warn("metrics", "the issuers cannot be read");
    view_close(v);
    put_boards(&b, c->api->role);
    call_reply(c, 200, "text/plain; version=0.0.4; charset=utf-8", buf_span(&b), NULL);
    buf_free(&b);
}
