/* SPDX-License-Identifier: Apache-2.0 */
/* config_command: `config check` explains every mistake with its line; `config show` prints what a start
 * would take. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "api/result.h"
#include "api/role.h"
#include "api/store_command.h"
#include "base/clock.h"
#include "base/log.h"

#define REPORT_MAX (256u * 1024) /* a thousand mistakes of a line each */

/* Every mistake is a line of it. */
static struct js *lines_of(const struct buf *report, const struct fault *f)
{
    struct js *list = js_array();

    if (report->len == 0)
        js_push_str(list, f->detail);
    js_push_lines(list, buf_span(report));
    return list;
}

static int say(enum err e, const char *what, const struct buf *report, const struct fault *f)
{
    if (e == OK) {
        printf("%s: ok\n", what);
        return DONE;
    }
    if (report->len > 0)
        fwrite(report->data, 1, report->len, stderr);
    else
        fprintf(stderr, "chancery: %s\n", f->detail);
    return WRONG_USE;
}

static int say_as(enum err e, const char *what, const struct buf *report, const struct fault *f,
                  const char *output)
{
    struct js *o;

    if (result_is_table(output))
        return say(e, what, report, f);
    o = js_object();
    js_set_str(o, "checked", what);
    js_set_bool(o, "ok", e == OK);
    js_set(o, "mistakes", e == OK ? js_array() : lines_of(report, f));
    result_write(o, output);
    js_free(o);
    return e == OK ? DONE : WRONG_USE;
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

/* ---- the store's issuers ---- */

static void report_issuer(const char *text, void *arg)
{
    buf_printf(arg, "chancery.xml: %s\n", text);
}

/* Nobody writes to a store whose lock file is not there, and making one would make it ours. One that no
 * service of this version has opened yet is no mistake of the configuration, and has all that is read here.
 */
static enum store_mode mode_of(const struct config *c)
{
    char path[PATH_LEN_MAX];

    return path_join(path, c->store_dir, "lock.mdb", NULL) == OK && access(path, F_OK) == 0 ? STORE_LOOK
                                                                                            : STORE_COPY;
}

static enum err compare_issuers(struct view *v, const struct config *c, struct buf *report, struct fault *f)
{
    size_t before = report->len;
    enum err e = roster_refused(v, &c->ca, report_issuer, report);

    if (e == OK)
        e = roster_dropped(v, &c->ca, clock_now_s(), report_issuer, report);
    if (e != OK)
        return fault_set(f, e, "the store's issuers cannot be read");
    return report->len == before
               ? OK
               : fault_set(f, ERR_CONFIG, "the issuers of chancery.xml are not those of the store");
}

/* A home without a store, and a store that whoever asks may not read, are judged by their files alone. */
static enum err check_store(const struct config *c, struct buf *report, struct fault *f)
{
    struct fault why = {0};
    struct store *s = NULL;
    struct view *v = NULL;
    enum err e = c->is_ocsp_host ? ERR_NOT_FOUND : store_open(c->store_dir, mode_of(c), 0, &s, &why);

    if (e == ERR_NOT_FOUND || e == ERR_IO)
        return OK;
    if (e != OK)
        return fault_set(f, e, "%s", why.detail);
    e = view_open(s, &v);
    if (e == OK)
        e = compare_issuers(v, c, report, f);
    else
        e = fault_set(f, e, "%s: the store gives no view", c->store_dir);
    view_close(v);
    store_close(s);
    return e;
}

struct home_check {
    struct config *config;
    struct buf *report;
    struct fault *fault;
};

static enum err check_home(void *arg)
{
    struct home_check *k = arg;

    return check_store(k->config, k->report, k->fault);
}

int config_check_main(const char *home, const char *file, const char *output)
{
    struct config *c = xcalloc(1, sizeof *c);
    struct fault f = {0};
    struct buf report;
    enum err e;
    int code;

    if (!result_is_record("config check", output)) {
        free(c);
        return WRONG_USE;
    }
    buf_init(&report, REPORT_MAX);
    e = file != NULL ? check_file(file, &report, &f) : config_load(home, c, &report, &f);
    if (file == NULL && e == OK)
        e = store_command_guarded(check_home, &(struct home_check){c, &report, &f}, &f);
    code = say_as(e, file != NULL ? file : home, &report, &f, output);
    if (file == NULL)
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

int config_show_main(const char *home, const char *output)
{
    struct config *c = xcalloc(1, sizeof *c);
    struct fault f = {0};
    struct buf report;
    int code = WRONG_USE;

    if (!result_is_record("config show", output)) {
        free(c);
        return WRONG_USE;
    }
    buf_init(&report, REPORT_MAX);
    if (config_load(home, c, &report, &f) == OK) {
        struct js *o = settings_of(c);

        result_write(o, output);
        code = DONE;
        js_free(o);
        config_free(c);
    } else {
        say(ERR_CONFIG, home, &report, &f);
    }
    buf_free(&report);
    free(c);
    return code;
}
