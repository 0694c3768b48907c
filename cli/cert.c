/* SPDX-License-Identifier: Apache-2.0 */
/* cert: the commands about one certificate. */
#include <ctype.h>
#include <string.h>

#include "base/clock.h"
#include "base/revocation.h"
#include "cli/inner.h"

#define SERIAL_TEXT_MAX                                                                                      \
    65 /* octets with the NUL: room for serials of other authorities, which RFC 5280 holds to 40 digits */

static const char base_path[] = "/api/v1/certificates/";

/* As typed, or as openssl prints it: any case, colons dropped. */
static int serial_read(struct cli *c, char out[static SERIAL_TEXT_MAX])
{
    const char *in = cli_argument(c);
    size_t n = 0;

    for (; *in != '\0' && n + 1 < SERIAL_TEXT_MAX; in++)
        if (*in != ':')
            out[n++] = (char)tolower((unsigned char)*in);
    out[n] = '\0';
    if (*in != '\0' || n == 0 || strspn(out, "0123456789abcdef") != n)
        return cli_misuse(c, "%s: a serial number is hexadecimal, at most %u digits", cli_argument(c),
                          SERIAL_TEXT_MAX - 1);
    return DONE;
}

static int get(struct cli *c, const char *serial, struct js **out)
{
    return service_get_under(c, base_path, serial, out);
}

int run_cert_show(struct cli *c)
{
    char serial[SERIAL_TEXT_MAX];
    struct js *v = NULL;
    int code = serial_read(c, serial);

    if (code == DONE)
        code = c->format == FORMAT_DER || c->format == FORMAT_P7B ? cert_export_as(c, serial, c->format)
                                                                  : get(c, serial, &v);
    if (code == DONE && v != NULL)
        code = show_row(c, v, cert_columns, CERT_COLUMNS);
    js_free(v);
    return code;
}

int cert_export_as(struct cli *c, const char *serial, enum format format)
{
    static const char *const suffixes[FORMAT_COUNT] = {
        [FORMAT_PEM] = ".pem", [FORMAT_DER] = ".der", [FORMAT_P7B] = ".p7b", [FORMAT_CHAIN] = "-chain.pem"};

    return file_write(c, base_path, serial, suffixes[format]);
}

int run_cert_export(struct cli *c)
{
    char serial[SERIAL_TEXT_MAX];
    int code = serial_read(c, serial);

    return code == DONE ? cert_export_as(c, serial, c->format) : code;
}

/* ---- revocation ---- */

/* Those of base/reason.h that a user may give, as docs/interface.md, 2 lists them. */
static const char reason_names[] = "unspecified, keyCompromise, cACompromise, affiliationChanged, superseded,"
                                   " cessationOfOperation, certificateHold, privilegeWithdrawn, aACompromise";

static int read_reason(struct cli *c, enum reason *out)
{
    const char *name = cli_option(c, OPT_REASON);

    if (!reason_parse(name, out))
        return cli_misuse(c, "--reason %s: one of %s", name, reason_names);
    return DONE;
}

#define NO_DATE INT64_MIN

/* Of the option, RFC 3339, a bare date is its midnight; NO_DATE without it. */
static int read_invalidity(struct cli *c, int64_t *out_s)
{
    const char *date = cli_option(c, OPT_INVALIDITY_DATE);

    *out_s = NO_DATE;
    if (date == NULL || clock_parse_rfc3339(date, out_s))
        return DONE;
    return cli_misuse(c, "--invalidity-date %s: a date like 2026-01-31 or 2026-01-31T12:00:00Z", date);
}

/* {"reason": R, "invalidity_date": T} */
static int build_revocation(struct cli *c, struct buf *body)
{
    enum reason reason;
    int64_t when_s;
    struct js *o;
    int code = read_reason(c, &reason);

    if (code == DONE)
        code = read_invalidity(c, &when_s);
    if (code != DONE)
        return code;
    o = js_object();
    js_set_str(o, "reason", cli_option(c, OPT_REASON));
    if (when_s != NO_DATE)
        js_set_time(o, "invalidity_date", when_s);
    js_write(o, body);
    js_free(o);
    return DONE;
}

/* Shows what it is about: the wrong serial is the mistake that cannot be taken back. */
static int confirm_revocation(struct cli *c, const char *serial)
{
    struct js *v = NULL;
    int code = DONE;

    if (c->is_yes || !c->io.in_is_terminal || !c->io.err_is_terminal)
        return DONE;
    code = get(c, serial, &v);
    if (code == DONE &&
        !cli_confirm(c, "This revokes %s (%s, %s, now %s) with reason %s.", serial, cell_str(v, "subject"),
                     cell_str(v, "profile"), cell_str(v, "status"), cli_option(c, OPT_REASON)))
        code = cli_fail(c, WRONG_USE, "nothing was done");
    js_free(v);
    return code;
}

static const struct column plan_columns[] = {
    {"", "would", 0}, {"", "serial", 0}, {"", "subject", 0}, {"", "status", 0}, {"", "reason", 0},
};

/* From what the service shows. */
static int read_state(struct cli *c, const struct js *now, struct revocation *out)
{
    const char *given = js_str(js_get(js_get(now, "revocation"), "reason"));

    *out = (struct revocation){.is_revoked = given != NULL};
    if (given == NULL || reason_parse(given, &out->reason))
        return DONE;
    return cli_fail(c, SERVICE_FAILED, "the service gives a reason that is not known here: %s", given);
}

/* DONE, or what the service would end with and its own words (docs/interface.md, 2). `would` becomes
 * "nothing" where the wish is fulfilled already. */
static int take_verdict(struct cli *c, struct revocation_verdict v, const char **would)
{
    if (v.err != OK)
        return cli_fail(c, exit_of_status(err_status(v.err)), "%s", v.text);
    if (!v.changes)
        *would = "nothing";
    return DONE;
}

static int decide_revoke(struct cli *c, const struct js *now, const char **would)
{
    struct revocation state;
    enum reason asked;
    int64_t when_s;
    int code = read_reason(c, &asked);

    if (code == DONE)
        code = read_invalidity(c, &when_s);
    if (code == DONE)
        code = read_state(c, now, &state);
    return code == DONE ? take_verdict(c, revocation_revoke(state, asked, when_s, c->now_s), would) : code;
}

static int decide_unhold(struct cli *c, const struct js *now, const char **would)
{
    struct revocation state;
    int code = read_state(c, now, &state);

    return code == DONE ? take_verdict(c, revocation_unhold(state), would) : code;
}

/* Asks for the certificate, so that a wrong serial shows, and says what would happen to it. */
static int pretend(struct cli *c, const char *serial, const char *would,
                   int (*decide)(struct cli *c, const struct js *now, const char **would))
{
    struct js *v = NULL, *plan;
    int code = get(c, serial, &v);

    if (code == DONE)
        code = decide(c, v, &would);
    if (code == DONE) {
        plan = js_object();
        js_set_str(plan, "would", would);
        js_set_str(plan, "serial", serial);
        js_set_str(plan, "subject", js_str(js_get(v, "subject")));
        js_set_str(plan, "status", js_str(js_get(v, "status")));
        if (cli_option(c, OPT_REASON) != NULL)
            js_set_str(plan, "reason", cli_option(c, OPT_REASON));
        code = show_row(c, plan, plan_columns, COUNT_OF(plan_columns));
        js_free(plan);
    }
    js_free(v);
    return code;
}

/* The answer to a change may be empty or hold the change alone; people want to read which certificate. */
static int change(struct cli *c, const char *method, const char *serial, struct span body)
{
    struct fetch_request r = {
        .method = method, .body = body, .content_type = body.len > 0 ? "application/json" : NULL};
    struct js *v = NULL, *now = NULL;
    struct buf path;
    int code;

    path_begin(&path, base_path);
    fetch_path(&path, serial);
    buf_put_str(&path, "/revocation");
    r.path = path_end(&path);
    code = service_json(c, &r, &v);
    if (code == DONE && js_get(v, "serial") == NULL)
        code = get(c, serial, &now);
    if (code == DONE)
        code = show_row(c, now != NULL ? now : v, cert_columns, CERT_COLUMNS);
    js_free(v);
    js_free(now);
    buf_free(&path);
    return code;
}

int run_cert_revoke(struct cli *c)
{
    char serial[SERIAL_TEXT_MAX];
    struct buf body;
    int code;

    buf_init(&body, JSON_BODY_MAX);
    code = serial_read(c, serial);
    if (code == DONE)
        code = build_revocation(c, &body);
    if (code == DONE && c->is_dry_run)
        code = pretend(c, serial, "revoke", decide_revoke);
    else if (code == DONE && (code = confirm_revocation(c, serial)) == DONE)
        code = change(c, "PUT", serial, buf_span(&body));
    buf_free(&body);
    return code;
}

int run_cert_unhold(struct cli *c)
{
    char serial[SERIAL_TEXT_MAX];
    int code = serial_read(c, serial);

    if (code != DONE)
        return code;
    return c->is_dry_run ? pretend(c, serial, "unhold", decide_unhold)
                         : change(c, "DELETE", serial, (struct span){0});
}
