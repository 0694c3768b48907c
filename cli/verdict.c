/* SPDX-License-Identifier: Apache-2.0 */
/* verdict: what `csr check` answers, for people: the verdict, the findings from the gravest down, what was
 * asked for, what would be issued (or was, elsewhere), and the plan for the upload. */
#include <string.h>

#include "cli/inner.h"

#define TEXT_OCTETS_MAX (1u << 20)

struct row {
    const char *label, *path;
};
static const struct row request_rows[] = {
    {"subject", "subject"},
    {"names", "sans"},
    {"key", "key"},
    {"signed with", "signature_hash"},
    {"key usage", "ku"},
    {"extended usage", "eku"},
    {"further usages", "eku_other"},
    {"other extensions", "other_extensions"},
};
static const struct row issue_rows[] = {
    {"issuer", "issuer"},
    {"issuer's subject", "issuer_subject"},
    {"subject", "subject"},
    {"names", "sans"},
    {"key", "key"},
    {"signed with", "signature_hash"},
    {"days", "days"},
    {"key usage", "ku"},
    {"extended usage", "eku"},
    {"is a CA", "basic_constraints.ca"},
    {"path length", "basic_constraints.path_len"},
    {"OCSP", "urls.ocsp"},
    {"issuer at", "urls.issuer"},
    {"CRL", "urls.crl"},
    {"waits for approval", "needs_approval"},
};
static const struct row certificate_rows[] = {
    {"issuer's subject", "issuer_subject"},
    {"subject", "subject"},
    {"names", "sans"},
    {"key", "key"},
    {"signed with", "signature_hash"},
    {"not before", "not_before"},
    {"not after", "not_after"},
    {"key usage", "ku"},
    {"extended usage", "eku"},
    {"is a CA", "basic_constraints.ca"},
    {"path length", "basic_constraints.path_len"},
    {"critical", "critical_others"},
};

/* One value on its way to people: "" when there is none. */
static void take_text(struct buf *out, const struct js *v)
{
    struct buf raw;

    buf_init(&raw, TEXT_OCTETS_MAX);
    cell_put(&raw, v, ", ");
    text_put(out, buf_span(&raw));
    buf_free(&raw);
}

static void write_rows(struct cli *c, const char *title, const struct js *o, const struct row *rows, size_t n)
{
    struct buf text;

    if (!js_is_object(o))
        return;
    fprintf(c->io.out, "\n%s\n", title);
    buf_init(&text, TEXT_OCTETS_MAX);
    for (size_t i = 0; i < n; i++) {
        buf_reset(&text);
        take_text(&text, cell_find(o, rows[i].path));
        if (text.len > 0)
            fprintf(c->io.out, "  %-18s  %.*s\n", rows[i].label, (int)text.len, (const char *)text.data);
    }
    buf_free(&text);
}

/* ---- the plan ---- */

static void put_labelled(struct buf *line, const char *before, const struct js *step, const char *name)
{
    size_t start = line->len;

    buf_put_str(line, before);
    take_text(line, js_get(step, name));
    if (line->len == start + strlen(before))
        line->len = start;
}

/* "3. upload  CN=…  as tomcat-trust", then how. */
static void write_step(struct cli *c, const struct js *step)
{
    struct buf line;

    buf_init(&line, TEXT_OCTETS_MAX);
    put_labelled(&line, "  ", step, "step");
    put_labelled(&line, ". ", step, "action");
    put_labelled(&line, "  ", step, "what");
    put_labelled(&line, "  as ", step, "to");
    put_labelled(&line, "  from ", step, "url");
    put_labelled(&line, "\n     ", step, "text");
    fprintf(c->io.out, "%.*s\n", (int)line.len, (const char *)line.data);
    buf_free(&line);
}

static void write_plan(struct cli *c, const struct js *steps)
{
    if (js_len(steps) == 0)
        return;
    fputs("\nupload, in this order\n", c->io.out);
    for (size_t i = 0; i < js_len(steps); i++)
        write_step(c, js_at(steps, i));
}

/* ---- the whole ---- */

static void write_head(struct cli *c, const struct js *v, bool is_accepted)
{
    const char *color = c->out_color ? text_color(is_accepted ? "valid" : "refuse") : "";
    struct buf profile;

    buf_init(&profile, TEXT_OCTETS_MAX);
    put_labelled(&profile, " for ", v, "profile");
    fprintf(c->io.out, "%s%s%s%.*s\n", color, is_accepted ? "ACCEPTED" : "REFUSED",
            color[0] != '\0' ? "\x1b[0m" : "", (int)profile.len,
            profile.len > 0 ? (const char *)profile.data : "");
    buf_free(&profile);
}

void verdict_write(struct cli *c, const struct js *v, bool is_accepted)
{
    write_head(c, v, is_accepted);
    finding_write_grouped(c, js_get(v, "findings"));
    write_rows(c, "the request", js_get(v, "request"), request_rows, COUNT_OF(request_rows));
    write_rows(c, "the certificate", js_get(v, "certificate"), certificate_rows, COUNT_OF(certificate_rows));
    if (js_get(v, "certificate") == NULL) /* else it is issued already, by whomever */
        write_rows(c, "what would be issued", js_get(v, "would_issue"), issue_rows, COUNT_OF(issue_rows));
    write_plan(c, js_get(v, "upload"));
}
