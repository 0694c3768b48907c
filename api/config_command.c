/* SPDX-License-Identifier: Apache-2.0 */
/* config_command: `config check` explains every mistake with its line; `config show` prints what is in force.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "api/role.h"
#include "base/log.h"

#define REPORT_MAX (256u * 1024) /* a thousand mistakes of a line each */

static int say(enum err e, const char *what, const struct buf *report, const struct fault *f)
{
    if (e == OK) {
        printf("%s: ok\n", what);
        return 0;
    }
    if (report->len > 0)
        fwrite(report->data, 1, report->len, stderr);
    else
        fprintf(stderr, "chancery: %s\n", f->detail);
    return 1;
}

/* A file on its own is one or the other document; its root element says which. */
static enum err check_file(const char *file, struct buf *report, struct fault *f)
{
    struct config *c = xcalloc(1, sizeof *c);
    struct buf content;
    enum err e;

    buf_init(&content, XML_DOC_MAX);
    if (strcmp(file, "-") == 0) {
        file = "standard input";
        e = file_read("/dev/stdin", &content, f);
    } else {
        e = file_read(file, &content, f);
    }
    if (e == OK && memmem(content.data, content.len, "urn:chancery:profiles:", 22) != NULL)
        e = catalogue_load(file, buf_span(&content), &c->catalogue, report, f);
    else if (e == OK)
        e = config_read(file, buf_span(&content), c, report, f);
    config_free(c);
    buf_free(&content);
    free(c);
    return e;
}

int config_check_main(const char *home, const char *file)
{
    struct config *c = xcalloc(1, sizeof *c);
    struct fault f = {0};
    struct buf report;
    enum err e;
    int code;

    buf_init(&report, REPORT_MAX);
    e = file != NULL ? check_file(file, &report, &f) : config_load(home, c, &report, &f);
    code = say(e, file != NULL ? file : home, &report, &f);
    if (file == NULL && e == OK)
        config_free(c);
    buf_free(&report);
    free(c);
    return code;
}

/* ---- show ---- */

static struct js *settings_of(const struct config *c)
{
    struct js *o = js_object(), *issuers = js_array();

    js_set_str(o, "home", c->home);
    js_set_str(o, "name", c->name);
    js_set_str(o, "host", c->host);
    js_set_str(o, "http_listen", c->http_listen);
    js_set_str(o, "https_listen", c->https_listen);
    js_set_str(o, "public_url", c->public_url);
    js_set_str(o, "confine_level", confine_levels[c->confine.level]);
    js_set_int(o, "confine_first_uid", c->confine.first_uid);
    js_set_int(o, "node", c->ca.node);
    js_set_int(o, "store_map_size", (int64_t)c->map_size);
    js_set_int(o, "listener_validity_s", c->ca.listener_s);
    js_set_int(o, "ocsp_validity_s", c->ocsp.validity_s);
    js_set_int(o, "ocsp_signer_validity_s", c->ca.responder_s);
    js_set_int(o, "ocsp_trusted_validity_s", c->ca.trusted_s);
    js_set_bool(o, "crl_on_revocation", c->crl.on_revocation);
    js_set_int(o, "profiles", (int64_t)c->catalogue.count);
    for (size_t i = 0; i < c->issuer_count; i++)
        js_push_str(issuers, c->issuers[i].id);
    js_set(o, "issuers", issuers);
    return o;
}

static void print_value(const char *name, const struct js *v, bool csv)
{
    struct buf text;

    buf_init(&text, 65536);
    if (js_str(v) != NULL)
        buf_put_str(&text, js_str(v));
    else
        js_write(v, &text);
    if (csv)
        printf("%s,\"", name);
    else
        printf("%-24s", name);
    for (size_t i = 0; i < text.len; i++)
        printf(csv && text.data[i] == '"' ? "\"\"" : "%c", text.data[i]);
    printf(csv ? "\"\n" : "\n");
    buf_free(&text);
}

static int print_settings(const struct js *o, const char *output)
{
    bool csv = strcmp(output, "csv") == 0, is_pretty = strcmp(output, "json") == 0;
    struct buf b;

    if (csv || strcmp(output, "table") == 0) {
        if (csv)
            printf("setting,value\n");
        for (size_t i = 0; i < js_len(o); i++)
            print_value(js_name_at(o, i), js_value_at(o, i), csv);
        return 0;
    }
    if (!is_pretty && strcmp(output, "jsonl") != 0) {
        fprintf(stderr, "chancery: config show: --output is table, json, jsonl or csv\n");
        return 1;
    }
    buf_init(&b, 1 << 20);
    if (is_pretty)
        js_write_pretty(o, &b);
    else
        js_write(o, &b);
    printf("%.*s\n", (int)b.len, (const char *)b.data);
    buf_free(&b);
    return 0;
}

int config_show_main(const char *home, const char *output)
{
    struct config *c = xcalloc(1, sizeof *c);
    struct fault f = {0};
    struct buf report;
    int code = 1;

    buf_init(&report, REPORT_MAX);
    if (config_load(home, c, &report, &f) == OK) {
        struct js *o = settings_of(c);

        code = print_settings(o, output != NULL ? output : "table");
        js_free(o);
        config_free(c);
    } else {
        say(ERR_CONFIG, home, &report, &f);
    }
    buf_free(&report);
    free(c);
    return code;
}
