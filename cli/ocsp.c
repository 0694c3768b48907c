/* SPDX-License-Identifier: Apache-2.0 */
/* ocsp: `ocsp query`. The answer is good, revoked or unknown, and each of them is an answer: exit 0. An
 * answer that does not verify is none: exit 2. Without --issuer-cert the issuer is looked for beside the
 * certificate, then in the service. */
#include "cli/inner.h"
#include "cli/ocsp_query.h"

#include <string.h>

#define CERTIFICATES_MAX (1u << 20) /* octets of a file of certificates: a long chain is some 20 KiB */
#define TIMEOUT_S 30L               /* a responder that takes longer is not one to rely on */

static void set_time_or_null(struct js *o, const char *name, int64_t t_s)
{
    if (t_s != 0)
        js_set_time(o, name, t_s);
    else
        js_set_null(o, name);
}

static struct js *time_json(const struct ocsp_query_result *r)
{
    struct js *o = js_object();

    js_set_int(o, "connected_us", r->connected_us);
    js_set_int(o, "first_octet_us", r->first_octet_us);
    js_set_int(o, "total_us", r->total_us);
    return o;
}

static void set_header(struct js *o, const char *name, const char *value)
{
    js_set_str(o, name, value[0] != '\0' ? value : NULL);
}

static struct js *http_json(const struct ocsp_query_result *r)
{
    struct js *o = js_object();

    set_header(o, "cache_control", r->cache_control);
    set_header(o, "etag", r->etag);
    set_header(o, "last_modified", r->last_modified);
    set_header(o, "expires", r->expires);
    return o;
}

static struct js *result_json(const struct ocsp_query_result *r)
{
    struct js *o = js_object();

    js_set_str(o, "status", ocsp_query_status_name(r->status));
    if (r->status == OCSP_QUERY_REVOKED) {
        js_set_time(o, "revoked_at", r->revoked_at_s);
        js_set_str(o, "reason", r->has_reason ? reason_name(r->reason) : NULL);
    }
    js_set_time(o, "this_update", r->this_update_s);
    set_time_or_null(o, "next_update", r->next_update_s);
    js_set_time(o, "produced_at", r->produced_at_s);
    js_set_str(o, "responder", r->responder);
    js_set_str(o, "url", r->url);
    js_set_str(o, "method", r->is_get ? "GET" : "POST");
    js_set_bool(o, "nonce_echoed", r->is_nonce_echoed);
    js_set_int(o, "size", (int64_t)r->size);
    js_set(o, "time", time_json(r));
    js_set(o, "http", http_json(r));
    return o;
}

static int put_issuer(struct cli *c, const char *id, struct buf *pem)
{
    struct js *v = NULL;
    int code = service_get_under(c, ISSUERS_PATH "/", id, &v);

    if (code == DONE && js_str(js_get(v, "pem")) != NULL)
        buf_put_str(pem, js_str(js_get(v, "pem")));
    js_free(v);
    return code;
}

static int fetch_issuers(struct cli *c, struct buf *pem)
{
    struct js *list = NULL;
    int code = service_get(c, ISSUERS_PATH, &list);
    const struct js *items = js_get(list, "items");

    for (size_t i = 0; i < js_len(items) && code == DONE; i++)
        if (js_str(js_get(js_at(items, i), "id")) != NULL)
            code = put_issuer(c, js_str(js_get(js_at(items, i), "id")), pem);
    js_free(list);
    return code;
}

static bool can_be_asked(const struct ocsp_query *q, struct fault *f)
{
    struct ocsp_question *question = NULL;
    enum err e = ocsp_question_new(q, &question, f);

    ocsp_question_free(question);
    return e == OK;
}

/* Fills q->issuer from --issuer-cert, or from the service when the certificate came alone. */
static int find_issuer(struct cli *c, struct ocsp_query *q, struct buf *issuer)
{
    const char *path = cli_option(c, OPT_ISSUER_CERT);
    struct fault f = {0};
    int code;

    if (path == NULL && (can_be_asked(q, &f) || f.code != ERR_NOT_FOUND || !service_is_named(c)))
        return DONE;
    buf_init(issuer, CERTIFICATES_MAX);
    code = path != NULL ? in_read(c, path, CERTIFICATES_MAX, issuer) : fetch_issuers(c, issuer);
    q->issuer = buf_span(issuer);
    return code;
}

static int ask(struct cli *c, const struct ocsp_query *q)
{
    struct ocsp_query_result result = {0};
    struct fault f = {0};
    struct js *v;
    int code;

    switch (ocsp_query(q, &result, &f)) {
    case OK:
        v = result_json(&result);
        code = show_write(c, v);
        js_free(v);
        return code;
    case ERR_MALFORMED:
    case ERR_NOT_FOUND:
    case ERR_USAGE:
        return cli_fail(c, WRONG_USE, "%s", f.detail);
    default:
        return cli_fail(c, SERVICE_FAILED, "%s", f.detail);
    }
}

int run_ocsp_query(struct cli *c)
{
    struct ocsp_query q = {.url = cli_option(c, OPT_URL),
                           .is_get = cli_option(c, OPT_GET) != NULL,
                           .now_s = c->now_s,
                           .timeout_s = TIMEOUT_S};
    const char *path = cli_option(c, OPT_ISSUER_CERT);
    struct buf certificate = {0}, issuer = {0};
    int code;

    if (path != NULL && strcmp(path, "-") == 0 && strcmp(cli_argument(c), "-") == 0)
        return cli_misuse(c, "CERT and --issuer-cert cannot both be standard input");
    code = in_read(c, cli_argument(c), CERTIFICATES_MAX, &certificate);
    q.certificate = buf_span(&certificate);
    if (code == DONE)
        code = find_issuer(c, &q, &issuer);
    if (code == DONE)
        code = ask(c, &q);
    buf_free(&certificate);
    buf_free(&issuer);
    return code;
}
