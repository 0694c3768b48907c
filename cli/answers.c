/* SPDX-License-Identifier: Apache-2.0 */
/* answers: the flat .tgz that CAPF takes: a .der for each request signed, and what became of each entry, once
 * for programs (report.json, a line each) and once for people (report.txt). */
#include <openssl/evp.h>
#include <stdlib.h>
#include <string.h>

#include "cli/dump.h"

#define REPORT_JSON "report.json"
#define REPORT_TXT "report.txt"
#define REPORT_MAX (128u << 20) /* octets: every entry there can be with a kilobyte each */
#define HEAD_MAX 4096           /* octets of the report's first line */

/* ---- one certificate ---- */

/* The base64 between the lines of armour. */
static bool pem_decode(const char *pem, struct buf *der)
{
    const char *begin = strstr(pem, "-----\n"), *end = begin != NULL ? strstr(begin + 6, "\n-----") : NULL;
    size_t padding = 0;
    struct buf text;
    uint8_t *out;
    int len = -1;

    if (end == NULL)
        return false;
    buf_init(&text, PEM_MAX);
    for (const char *s = begin + 6; s < end; s++)
        if (*s != '\n' && *s != '\r')
            buf_put_u8(&text, (uint8_t)*s);
    while (padding < 2 && text.len > padding && text.data[text.len - 1 - padding] == '=')
        padding++;
    out = buf_grow(der, text.len / 4 * 3);
    if (out != NULL && text.len % 4 == 0)
        len = EVP_DecodeBlock(out, text.data, (int)text.len);
    der->len = len > (int)padding ? (size_t)len - padding : 0;
    buf_free(&text);
    return der->len > 0;
}

static bool add_certificate(struct archive_draft *draft, const struct dump_item *i, const struct js *line)
{
    const char *pem = js_str(js_get(line, "pem"));
    struct buf der;
    bool ok;

    buf_init(&der, PEM_MAX);
    ok = pem != NULL && pem_decode(pem, &der);
    if (ok)
        archive_draft_add(draft, i->out, buf_span(&der));
    buf_free(&der);
    return ok;
}

/* ---- the reports ---- */

static struct js *rules_of(const struct dump_item *i, const struct js *line)
{
    const struct js *rules = js_get(line, "rules");
    struct js *own;

    if (js_is_array(rules))
        return js_copy(rules);
    own = js_array();
    if (i->refusal != NULL)
        js_push_str(own, i->refusal);
    return own;
}

static const char *detail_of(const struct dump_item *i, const struct js *line)
{
    return i->refusal != NULL ? dump_rule_text(i->refusal) : js_str(js_get(line, "detail"));
}

static void put_json(struct buf *out, const struct dump_item *i, const struct js *line)
{
    struct js *o = js_object();

    js_set_str(o, "name", i->path);
    js_set_str(o, "result", dump_state_names[i->state]);
    js_set_str(o, "serial", js_str(js_get(line, "serial")));
    js_set_str(o, "file", i->state == DUMP_SIGNED ? i->out : NULL);
    js_set(o, "rules", rules_of(i, line));
    if (detail_of(i, line) != NULL)
        js_set_str(o, "detail", detail_of(i, line));
    js_write(o, out);
    js_free(o);
}

static void put_text(struct buf *out, const struct dump_item *i, const struct js *line)
{
    struct js *rules = rules_of(i, line);
    const char *serial = js_str(js_get(line, "serial")), *detail = detail_of(i, line);

    buf_printf(out, "%-8s  %s", dump_state_names[i->state], i->path);
    if (i->state == DUMP_SIGNED) {
        buf_printf(out, "  %s  ", i->out);
        text_put(out, span_str(serial != NULL ? serial : ""));
    }
    for (size_t k = 0; k < js_len(rules); k++) {
        buf_put_str(out, "  ");
        text_put(out, span_str(js_str(js_at(rules, k)) != NULL ? js_str(js_at(rules, k)) : ""));
    }
    if (detail != NULL) {
        buf_put_str(out, "\n          ");
        text_put(out, span_str(detail));
    }
    buf_put_u8(out, '\n');
    js_free(rules);
}

/* The first line is an object but for its end: whoever reads it alone knows the run and the counts. */
static void put_heads(struct cli *c, const struct dump *d, struct buf *json, struct buf *text)
{
    struct js *o = js_object();

    js_set_str(o, "run", d->run);
    js_set_str(o, "profile", cli_option(c, OPT_PROFILE));
    js_set_int(o, "entries", (int64_t)d->count);
    for (enum dump_state s = DUMP_SIGNED; s < DUMP_STATES; s++)
        js_set_int(o, dump_state_names[s], (int64_t)d->counts[s]);
    js_write(o, json);
    js_free(o);
    json->len--; /* the closing brace */
    buf_put_str(json, ",\"items\":[");
    buf_printf(text, "run %s, profile %s\n%zu entries: %zu signed, %zu refused, %zu waiting for approval\n\n",
               d->run, cli_option(c, OPT_PROFILE), d->count, d->counts[DUMP_SIGNED], d->counts[DUMP_REFUSED],
               d->counts[DUMP_PENDING]);
}

/* ---- the whole ---- */

/* The journal's line of an entry, NULL for one that was never asked. False: there should be one and it cannot
 * be read. */
static bool line_of(const struct journal *j, const struct dump_item *i, struct js **out)
{
    *out = i->at >= 0 ? journal_read(j, i->at) : NULL;
    return (i->at < 0) == (*out == NULL);
}

static int damaged(struct cli *c, const struct journal *j, const struct dump_item *i)
{
    return cli_fail(c, WRONG_USE, "%s: the line of %s is damaged", j->path, i->path);
}

static int put_reports(struct cli *c, const struct dump *d, const struct journal *j, struct buf *json,
                       struct buf *text)
{
    put_heads(c, d, json, text);
    for (size_t i = 0; i < d->count; i++) {
        struct js *line = NULL;

        if (!line_of(j, d->by_name[i], &line))
            return damaged(c, j, d->by_name[i]);
        buf_put_str(json, i == 0 ? "\n" : ",\n");
        put_json(json, d->by_name[i], line);
        put_text(text, d->by_name[i], line);
        js_free(line);
    }
    buf_put_str(json, "\n]}\n");
    return buf_end(json) == OK && buf_end(text) == OK ? DONE
                                                      : cli_fail(c, WRONG_USE, "the report is too large");
}

/* First in the archive: who asks whether a run is finished need not read through the answers. */
static int add_reports(struct cli *c, struct archive_draft *draft, const struct dump *d,
                       const struct journal *j)
{
    struct buf json, text;
    int code;

    buf_init(&json, REPORT_MAX);
    buf_init(&text, REPORT_MAX);
    code = put_reports(c, d, j, &json, &text);
    if (code == DONE) {
        archive_draft_add(draft, REPORT_JSON, buf_span(&json));
        archive_draft_add(draft, REPORT_TXT, buf_span(&text));
    }
    buf_free(&json);
    buf_free(&text);
    return code;
}

static int add_certificates(struct cli *c, struct archive_draft *draft, const struct dump *d,
                            const struct journal *j)
{
    for (size_t i = 0; i < d->count; i++) {
        struct js *line = NULL;
        bool ok = d->by_name[i]->state != DUMP_SIGNED ||
                  (line_of(j, d->by_name[i], &line) && add_certificate(draft, d->by_name[i], line));

        js_free(line);
        if (!ok)
            return damaged(c, j, d->by_name[i]);
    }
    return DONE;
}

int answers_write(struct cli *c, const struct dump *d, const struct journal *j, const char *out_path)
{
    struct archive_draft *draft = NULL;
    struct fault f = {0};
    int code;

    if (archive_draft_open(out_path, c->now_s, &draft, &f) != OK)
        return cli_fault(c, &f);
    code = add_reports(c, draft, d, j);
    if (code == DONE)
        code = add_certificates(c, draft, d, j);
    if (code != DONE)
        archive_draft_abort(draft);
    else if (archive_draft_commit(draft, &f) != OK)
        code = cli_fault(c, &f);
    return code;
}

/* ---- one that is there ---- */

struct finding_head {
    const char *run;
    size_t *counts;
    bool is_found;
};

static bool read_head(struct span report, const char *run, size_t counts[static DUMP_STATES])
{
    const uint8_t *end = memchr(report.data, '\n', report.len < HEAD_MAX ? report.len : HEAD_MAX);
    struct js *v = NULL;
    struct buf head;
    bool is_same;
    int64_t n;

    if (end == NULL)
        return false;
    buf_init(&head, HEAD_MAX + 2);
    buf_put(&head, report.data, (size_t)(end - report.data));
    buf_put_str(&head, "]}");
    is_same = js_parse(buf_span(&head), &v, NULL) == OK && js_str(js_get(v, "run")) != NULL &&
              strcmp(js_str(js_get(v, "run")), run) == 0;
    for (enum dump_state s = DUMP_SIGNED; s < DUMP_STATES; s++)
        counts[s] = js_int(js_get(v, dump_state_names[s]), &n) && n >= 0 ? (size_t)n : 0;
    js_free(v);
    buf_free(&head);
    return is_same;
}

static enum err look(const struct archive_item *i, void *arg)
{
    struct finding_head *h = arg;

    if (i->refusal != NULL || strcmp(i->name, REPORT_JSON) != 0)
        return OK;
    h->is_found = read_head(i->content, h->run, h->counts);
    return ERR_END;
}

bool answers_are_there(const char *out_path, const char *run, size_t counts[static DUMP_STATES])
{
    struct finding_head h = {.run = run, .counts = counts};
    enum err e = archive_walk(out_path, REPORT_MAX, look, &h, NULL);

    return (e == ERR_END || e == OK) && h.is_found;
}
