/* SPDX-License-Identifier: Apache-2.0 */
/* problem: errors as RFC 9457 documents. What is ours alone (paths, codes of the operating system) never gets
 * here. */
#include <stdio.h>
#include <stdlib.h>

#include "api/api.h"

struct js *findings_json(const struct findings *fs)
{
    struct js *list = js_array();

    for (size_t i = 0; i < fs->count; i++) {
        const struct finding *f = &fs->items[i];
        char *message = finding_message(f), *fix = finding_fix(f);
        struct js *o = js_object();

        js_set_str(o, "rule", f->rule);
        js_set_str(o, "severity", severity_name(f->severity));
        js_set_str(o, "field", f->field);
        js_set_str(o, "got", f->got);
        js_set_str(o, "want", f->want);
        js_set_str(o, "message", message);
        js_set_str(o, "fix", fix);
        js_push(list, o);
        free(message);
        free(fix);
    }
    return list;
}

static struct js *problem(const char *name, const char *title, unsigned status, const char *detail,
                          const char *request_id)
{
    struct js *o = js_object();
    char type[64];

    snprintf(type, sizeof type, "urn:chancery:problem:%s", name);
    js_set_str(o, "type", type);
    js_set_str(o, "title", title);
    js_set_int(o, "status", status);
    js_set_str(o, "detail", detail != NULL && detail[0] != '\0' ? detail : title);
    js_set_str(o, "request_id", request_id);
    return o;
}

static void finish(struct js *o, struct buf *out)
{
    js_write(o, out);
    buf_put_u8(out, '\n');
    js_free(o);
}

/* Who reads those of a refusal by policy finds a list, also where no rule refused. `fs` may be NULL. */
static void set_findings(struct js *o, enum err e, const struct findings *fs)
{
    if (fs != NULL && fs->count > 0)
        js_set(o, "findings", findings_json(fs));
    else if (e == ERR_POLICY)
        js_set(o, "findings", js_array());
}

void problem_write(struct buf *out, enum err e, const char *detail, const char *request_id,
                   const struct findings *fs)
{
    struct js *o;

    if (e > ERR_UNAVAILABLE)
        e = ERR_INTERNAL;
    o = problem(err_name(e), err_text(e), err_status(e), e == ERR_INTERNAL ? NULL : detail, request_id);
    set_findings(o, e, fs);
    finish(o, out);
}

void problem_write_report(struct buf *out, enum err e, const char *detail, const char *request_id,
                          struct span report)
{
    struct js *o = problem(err_name(e), err_text(e), err_status(e), detail, request_id), *lines = js_array();

    js_push_lines(lines, report);
    js_set(o, "report", lines);
    set_findings(o, e, NULL);
    finish(o, out);
}

void problem_write_next(struct buf *out, const char *detail, const char *request_id, const char *next)
{
    enum err e = ERR_INTERNAL;
    struct js *o = problem(err_name(e), err_text(e), err_status(e), detail, request_id);

    js_set_str(o, "next", next);
    finish(o, out);
}

static void write_status(struct buf *out, unsigned status, const char *detail, const char *request_id)
{
    enum err e = err_from_status(status);

    if (err_status(e) == status)
        return problem_write(out, e, detail, request_id, NULL);
    /* 501, 505: HTTP's own words are all there is to say */
    finish(problem("http", "The request cannot be served.", status, detail, request_id), out);
}

void problem_fill(struct http_error *e, unsigned status, const char *detail)
{
    request_id_new(e->text);
    write_status(&e->body, status, detail, e->text);
    e->fields[0] = (struct http_field){"Content-Type", PROBLEM_TYPE};
    e->fields[1] = (struct http_field){"Cache-Control", "no-store"};
    e->fields[2] = (struct http_field){"X-Content-Type-Options", "nosniff"};
    e->fields[3] = (struct http_field){"X-Request-Id", e->text};
}

void request_id_new(char out[static 33])
{
    uint8_t octets[16];

    random_octets(octets, sizeof octets);
    hex_encode(span_of(octets, sizeof octets), out);
}
