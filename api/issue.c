/* SPDX-License-Identifier: Apache-2.0 */
/* issue: POST of a CSR. Everything that can be refused without the ca is refused first; what the ca answers
 * is on disk. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "api/api.h"
#include "base/log.h"

#define IDEMPOTENCY_KEY_MAX 255 /* octets */

static bool is_idempotency_key(const char *key)
{
    size_t len = strlen(key);

    for (size_t i = 0; i < len; i++)
        if (key[i] < 0x20 || key[i] > 0x7e)
            return false;
    return len >= 1 && len <= IDEMPOTENCY_KEY_MAX;
}

static void reply_json(struct call *c, struct view *v, const struct cert *cert, const struct findings *fs,
                       const struct http_field *location)
{
    struct js *o = certificate_json_full(v, cert, c->api->now_s());

    js_set(o, "findings", findings_json(fs));
    call_json(c, 201, o, location);
}

static void reply_body(struct call *c, struct view *v, const struct cert *cert,
                       const struct http_field *location)
{
    struct buf body;
    enum form form = (enum form)c->form;

    buf_init(&body, CERT_PATH_MAX * PEM_MAX);
    if (render(v, cert, form, &body) == OK)
        call_reply(c, 201, form_type(form), buf_span(&body), location);
    else
        call_problem(c, ERR_INTERNAL, NULL, "the certificate could not be rendered");
    buf_free(&body);
}

static void reply_issued(struct call *c, const uint8_t serial[static SERIAL_LEN], const struct findings *fs)
{
    char hex[SERIAL_HEX_LEN + 1], path[64 + SERIAL_HEX_LEN];
    struct http_field location[] = {{"Location", path}, {NULL, NULL}};
    struct view *v = call_view(c);
    struct cert cert;

    if (v == NULL)
        return;
    hex_encode(span_of(serial, SERIAL_LEN), hex);
    snprintf(path, sizeof path, "/api/v1/certificates/%s", hex);
    if (cert_find(v, serial, &cert) != OK)
        call_problem(c, ERR_INTERNAL, NULL, "issued %s, which the store does not show", hex);
    else if (c->form == FORM_JSON)
        reply_json(c, v, &cert, fs, location);
    else
        reply_body(c, v, &cert, location);
    view_close(v);
}

static void on_pending(struct call *c, struct answer *a)
{
    uint8_t id[REQUEST_ID_LEN];

    rd_copy(&a->rest, id, sizeof id);
    if (a->rest.failed)
        die("broken answer from the ca");
    requests_reply_pending(c, id);
}

static void on_answer(struct answer *a, void *arg)
{
    struct call *c = arg;
    struct findings fs = {0};
    uint8_t serial[SERIAL_LEN];

    answer_findings(a, &fs);
    if (a->err == ERR_PENDING) {
        on_pending(c, a);
    } else if (a->err != OK) {
        c->api->stats.refused++;
        call_refused(c, a, &fs);
    } else {
        rd_copy(&a->rest, serial, sizeof serial);
        if (a->rest.failed)
            die("broken answer from the ca");
        c->api->stats.issued++;
        reply_issued(c, serial, &fs);
    }
    findings_free(&fs);
}

/* ---- a request, from its reading to the ca ---- */

struct issuance {
    struct call *call;
    struct wanted wanted;
};

static void issuance_free(struct issuance *i)
{
    wanted_free(&i->wanted);
    free(i);
}

/* What the reading refused already: the ca is asked for its findings, issues nothing, and records that it was
 * refused. */
static void on_recorded(struct answer *a, void *arg)
{
    struct issuance *i = arg;

    if (a->err != OK)
        log_warn("audit", "the ca has not recorded a refusal, id=%s", i->call->request_id);
    i->call->api->stats.refused++;
    call_problem(i->call, ERR_POLICY, &i->wanted.findings, "The CSR breaks a rule.");
    issuance_free(i);
}

/* The rules that refuse, cut where the ca cuts. */
static enum err send_refusal(struct issuance *i)
{
    char rules[REQUEST_REASON_MAX] = "";
    struct buf message;
    enum err e;
    size_t n = 0;

    for (size_t k = 0; k < i->wanted.findings.count && n < sizeof rules; k++)
        if (i->wanted.findings.items[k].severity == SEVERITY_REFUSE)
            n += (size_t)snprintf(rules + n, sizeof rules - n, "%s%s", n > 0 ? " " : "",
                                  i->wanted.findings.items[k].rule);
    buf_init(&message, WIRE_MSG_MAX);
    buf_put_blob(&message, span_str(i->call->login.who.name));
    buf_put_blob(&message, span_str(i->wanted.profile));
    buf_put_blob(&message, span_str(rules));
    e = asker_send(i->call->api->asker, ASK_REFUSED, buf_span(&message), on_recorded, i);
    buf_free(&message);
    return e;
}

static void on_findings(struct answer *a, void *arg)
{
    struct issuance *i = arg;
    struct findings more = {0};

    answer_findings(a, &more);
    wanted_merge(&i->wanted, &more);
    if (send_refusal(i) != OK)
        on_recorded(&(struct answer){.err = ERR_UNAVAILABLE}, i);
}

static void on_read(void *arg, enum err read)
{
    struct issuance *i = arg;
    enum err e;

    if (read != OK && read != ERR_POLICY)
        return issuance_free(i);
    e = read == OK ? wanted_send(i->call, &i->wanted, 0, on_answer, i->call)
                   : wanted_send(i->call, &i->wanted, ASK_DRY_RUN | ASK_REFUSES, on_findings, i);
    if (e != OK)
        call_unsent(i->call, e);
    if (e != OK || read == OK)
        issuance_free(i);
}

void issue_post(struct call *c)
{
    const char *key = http_header(c->request, "Idempotency-Key");
    struct issuance *i;

    c->form = (int)accept_choose(http_header(c->request, "Accept"));
    if (c->form == FORM_NONE)
        return call_problem(c, ERR_NOT_ACCEPTABLE, NULL, "A certificate comes as %s.", accept_list());
    if (key != NULL && !is_idempotency_key(key))
        return call_problem(c, ERR_MALFORMED, NULL,
                            "An Idempotency-Key has 1 to %d printable ASCII characters.",
                            IDEMPOTENCY_KEY_MAX);
    i = xcalloc(1, sizeof *i);
    i->call = c;
    if (!wanted_read(c, http_body(c->request), &i->wanted, on_read, i))
        free(i);
}
