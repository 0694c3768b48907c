/* SPDX-License-Identifier: Apache-2.0 */
/* finding: what policy has to say about a request, for people: which rule, what is wrong, what to do. */
#include <string.h>

#include "cli/inner.h"

#define LINE_OCTETS_MAX (64u << 10)

static void put_member(struct buf *line, const struct js *finding, const char *name, const char *before)
{
    struct buf raw;

    buf_init(&raw, LINE_OCTETS_MAX);
    cell_put(&raw, js_get(finding, name), ", ");
    if (raw.len > 0) {
        buf_put_str(line, before);
        text_put(line, buf_span(&raw));
    }
    buf_free(&raw);
}

static void put_padding(struct buf *line, size_t start, size_t width)
{
    for (size_t used = line->len - start; used < width; used++)
        buf_put_u8(line, ' ');
}

static void write_line(FILE *out, struct buf *line)
{
    fprintf(out, "%.*s\n", (int)line->len, (const char *)line->data);
    buf_reset(line);
}

/* "refuse  san.mismatch  message [field: got …, want …]", then "        fix: …". */
static void finding_write(FILE *out, bool has_color, const struct js *finding, size_t rule_width)
{
    const char *severity = js_str(js_get(finding, "severity"));
    const char *color = has_color && severity != NULL ? text_color(severity) : "";
    struct buf line;
    size_t start;

    buf_init(&line, LINE_OCTETS_MAX);
    put_member(&line, finding, "severity", "");
    put_padding(&line, 0, strlen("refuse"));
    if (color[0] != '\0') {
        fprintf(out, "%s%.*s\x1b[0m", color, (int)line.len, (const char *)line.data);
        buf_reset(&line);
    }
    buf_put_str(&line, "  ");
    start = line.len;
    put_member(&line, finding, "rule", "");
    put_padding(&line, start, rule_width);
    put_member(&line, finding, "message", "  ");
    put_member(&line, finding, "field", "  field: ");
    put_member(&line, finding, "got", "  got: ");
    put_member(&line, finding, "want", "  want: ");
    write_line(out, &line);
    put_member(&line, finding, "fix", "        fix: ");
    if (line.len > 0)
        write_line(out, &line);
    buf_free(&line);
}

static size_t rule_width_of(const struct js *findings)
{
    size_t width = 0;

    for (size_t i = 0; i < js_len(findings); i++) {
        const char *rule = js_str(js_get(js_at(findings, i), "rule"));

        if (rule != NULL && strlen(rule) > width)
            width = strlen(rule);
    }
    return width;
}

static bool is_refusal(const struct js *finding)
{
    const char *severity = js_str(js_get(finding, "severity"));

    return severity != NULL && strcmp(severity, "refuse") == 0;
}

void finding_say_all(struct cli *c, const struct js *findings)
{
    size_t width = rule_width_of(findings);

    for (size_t i = 0; i < js_len(findings); i++)
        if (!c->is_quiet || is_refusal(js_at(findings, i)))
            finding_write(c->io.err, c->err_color, js_at(findings, i), width);
}

void finding_write_all(struct cli *c, const struct js *findings)
{
    size_t width = rule_width_of(findings);

    for (size_t i = 0; i < js_len(findings); i++)
        finding_write(c->io.out, c->out_color, js_at(findings, i), width);
}

static bool has_severity(const struct js *finding, const char *wanted)
{
    const char *severity = js_str(js_get(finding, "severity"));

    return severity != NULL && strcmp(severity, wanted) == 0;
}

static void write_apart(struct cli *c, const struct js *finding, const char *severity)
{
    const char *color = c->out_color ? text_color(severity) : "";
    struct buf line;

    buf_init(&line, LINE_OCTETS_MAX);
    put_member(&line, finding, "rule", "  ");
    put_member(&line, finding, "field", "  in ");
    put_member(&line, finding, "message", "\n        ");
    put_member(&line, finding, "fix", "\n        fix: ");
    fprintf(c->io.out, "%s%-6s%s", color, severity, color[0] != '\0' ? "\x1b[0m" : "");
    write_line(c->io.out, &line);
    buf_free(&line);
}

void finding_write_grouped(struct cli *c, const struct js *findings)
{
    static const char *const severities[] = {"refuse", "warn", "note"};

    for (size_t s = 0; s < COUNT_OF(severities); s++)
        for (size_t i = 0; i < js_len(findings); i++)
            if (has_severity(js_at(findings, i), severities[s]))
                write_apart(c, js_at(findings, i), severities[s]);
}
