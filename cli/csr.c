/* SPDX-License-Identifier: Apache-2.0 */
/* csr: `csr check` and `csr sign`. A signed one is taken as JSON, which carries certificate, chain and
 * findings in one piece. */
#include <string.h>

#include "base/base64.h"
#include "cli/dump.h"

#define DAYS_MAX 36500 /* a century: beyond it is a slip of the finger */

static int read_public(struct cli *c, const char *path, size_t max, struct buf *out)
{
    int code = in_read(c, path, max, out);

    if (code != DONE || !has_private_key(buf_span(out)))
        return code;
    explicit_bzero(out->data, out->len);
    return cli_fail(c, WRONG_USE, "%s holds a private key: nothing was sent", path);
}

/* {"csr", "certificate"}: both files as they are, in base64. */
static int join_files(struct cli *c, const char *certificate, struct buf *body)
{
    struct buf file = {0}, text;
    struct js *o;
    int code = read_public(c, certificate, CSR_MAX, &file);

    if (code == DONE) {
        o = js_object();
        buf_init(&text, PREFLIGHT_MAX);
        base64_put(&text, buf_span(body));
        js_set_span(o, "csr", buf_span(&text));
        buf_reset(&text);
        base64_put(&text, buf_span(&file));
        js_set_span(o, "certificate", buf_span(&text));
        buf_free(&text);
        buf_free(body);
        buf_init(body, PREFLIGHT_MAX);
        js_write(o, body);
        js_free(o);
    }
    buf_free(&file);
    return code;
}

/* Sends the CSR to PATH?profile=…&days=…: the answer is DONE and a value, or anything else and said. */
static int send_request(struct cli *c, const char *prefix, struct js **out)
{
    struct fetch_request r = {.method = "POST", .content_type = "application/pkcs10"};
    const char *days = cli_option(c, OPT_DAYS), *certificate = cli_option(c, OPT_CERTIFICATE);
    struct buf path = {0}, body = {0};
    int64_t n;
    int code;

    *out = NULL;
    if (days != NULL && !number_parse(days, 1, DAYS_MAX, &n))
        return cli_misuse(c, "--days %s: a number from 1 to %d", days, DAYS_MAX);
    path_begin(&path, prefix);
    fetch_query(&path, "profile", cli_option(c, OPT_PROFILE));
    fetch_query(&path, "days", days);
    r.path = path_end(&path);
    code = read_public(c, cli_argument(c), CSR_MAX, &body);
    if (code == DONE && certificate != NULL) {
        r.content_type = "application/json";
        code = join_files(c, certificate, &body);
    }
    r.body = buf_span(&body);
    if (code == DONE)
        code = service_json(c, &r, out);
    if (code == DONE && *out == NULL)
        code = cli_fail(c, SERVICE_FAILED, "the answer to POST %s is empty", r.path);
    buf_free(&path);
    buf_free(&body);
    return code;
}

/* ---- csr check, and csr sign --dry-run ---- */

static bool is_accepted(const struct js *verdict)
{
    bool accepted = false;

    return js_bool(js_get(verdict, "accepted"), &accepted) && accepted;
}

static int ask_verdict(struct cli *c, struct js **out)
{
    return send_request(c, "/api/v1/preflight", out);
}

/* One row a finding: the heading alone says that there is none. */
static int write_findings(struct cli *c, const struct js *findings)
{
    static const struct column columns[] = {
        {"", "rule", 0}, {"", "severity", 0}, {"", "field", 0}, {"", "got", 0},
        {"", "want", 0}, {"", "message", 0},  {"", "fix", 0},
    };

    csv_header(c, columns, COUNT_OF(columns));
    for (size_t i = 0; i < js_len(findings); i++)
        csv_row(c, columns, COUNT_OF(columns), js_at(findings, i));
    return DONE;
}

int run_csr_check(struct cli *c)
{
    struct js *v = NULL;
    int code = ask_verdict(c, &v);

    if (code == DONE && c->format == FORMAT_TABLE)
        verdict_write(c, v, is_accepted(v));
    else if (code == DONE && c->format == FORMAT_CSV)
        code = write_findings(c, js_get(v, "findings"));
    else if (code == DONE)
        code = out_json(c, v);
    if (code == DONE && !is_accepted(v))
        code = REFUSED;
    js_free(v);
    return code;
}

/* What would be issued has no signature and so no PEM: it is shown, and the file of --out stays as it is. */
static int pretend(struct cli *c)
{
    struct js *v = NULL;
    int code = ask_verdict(c, &v);
    const struct js *plan = js_get(v, "would_issue");

    c->args.value[OPT_OUT] = NULL;
    finding_say_all(c, js_get(v, "findings"));
    if (code == DONE && !is_accepted(v))
        code = cli_fail(c, REFUSED, "it would be refused");
    else if (code == DONE && (c->format == FORMAT_JSON || c->format == FORMAT_JSONL))
        code = out_json(c, v);
    else if (code == DONE && plan != NULL)
        record_write(c, plan);
    js_free(v);
    return code;
}

/* ---- csr sign ---- */

static int write_issued(struct cli *c, const struct js *issued)
{
    const char *serial = js_str(js_get(issued, "serial"));

    switch (c->format) {
    case FORMAT_PEM:
        return chain_write(c, issued);
    case FORMAT_DER:
    case FORMAT_P7B:
        return serial != NULL ? cert_export_as(c, serial, c->format)
                              : cli_fail(c, SERVICE_FAILED, "the answer names no serial");
    default:
        return show_write(c, issued);
    }
}

/* It is issued all the same: without the serial nobody would find it. */
static int write_or_name(struct cli *c, const struct js *issued)
{
    const char *serial = js_str(js_get(issued, "serial"));
    int code = write_issued(c, issued);

    if (code != DONE && serial != NULL)
        cli_fail(c, code, "the certificate is issued; get it with: chancery cert export %s", serial);
    return code;
}

static void write_id(struct cli *c, const char *id)
{
    struct buf safe;

    buf_init(&safe, 4096);
    text_put(&safe, span_str(id));
    fprintf(c->io.out, "%.*s\n", (int)safe.len, (const char *)safe.data);
    buf_free(&safe);
}

/* The id is the result, as the certificate would be: who asks again, or asks others, needs it. */
static int write_pending(struct cli *c, const struct js *v)
{
    const char *id = js_str(js_get(v, "request"));

    cli_note(c, "waiting for approval");
    if (v == NULL)
        return PENDING;
    if (c->format == FORMAT_PEM || c->format == FORMAT_DER || c->format == FORMAT_P7B) {
        if (id != NULL)
            write_id(c, id);
    } else {
        (void)show_write(c, v);
    }
    return PENDING;
}

int run_csr_sign(struct cli *c)
{
    struct js *v = NULL;
    int code;

    if (strcmp(cli_argument(c), "-") != 0 && archive_is(cli_argument(c)))
        return run_dump_sign(c);
    if (cli_option(c, OPT_RUN) != NULL)
        return cli_misuse(c, "--run is for an archive or a directory of requests");
    if (c->is_dry_run)
        return pretend(c);
    if (c->format == FORMAT_TABLE && cli_option(c, OPT_OUT) != NULL)
        return cli_misuse(c, "--out goes with --output pem, der, p7b, json or jsonl");
    code = send_request(c, "/api/v1/certificates", &v);
    finding_say_all(c, js_get(v, "findings"));
    if (code == DONE)
        code = write_or_name(c, v);
    else if (code == PENDING)
        code = write_pending(c, v);
    js_free(v);
    return code;
}
