/* SPDX-License-Identifier: Apache-2.0 */
/* renew: `chancery ca renew`: opens the home, plans, makes, and tells. */
#include "api/renew.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "api/renewal.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/parts.h"

#define NOTE_MAX 512u /* octets of a sentence with two ids and a path in it */

void renewal_note(struct renewal *r, const char *fmt, ...)
{
    char text[NOTE_MAX];
    va_list ap;

    va_start(ap, fmt);
    vsnprintf(text, sizeof text, fmt, ap);
    va_end(ap);
    js_push_str(r->notes, text);
}

/* A dry run writes nothing, so it may be beside a running service; anything else is the store's one writer.
 */
static enum err open_home(struct renewal *r, const char *home)
{
    struct fault f = {0};
    enum err e = config_texts_read(home, &r->texts, &r->f);

    if (e != OK)
        return e;
    e = config_parse(home, &r->texts, &r->config, NULL, &r->f);
    if (e == OK && r->config.is_ocsp_host)
        e = fault_set(&r->f, ERR_CONFLICT, "%s: a host that answers OCSP has no issuers to renew", home);
    if (e != OK)
        return e;
    e = store_open(r->config.store_dir, r->is_dry_run ? STORE_LOOK : STORE_WRITE, r->config.map_size,
                   &r->store, &f);
    if (e == ERR_CONFLICT)
        return fault_set(&r->f, e, "%.400s: is the service stopped?", f.detail);
    return e == OK ? OK : fault_set(&r->f, e, "%s", f.detail);
}

static enum err run(struct renewal *r, const char *home)
{
    enum err e = open_home(r, home);

    if (e == OK)
        e = renewal_plan(r);
    return e == OK && !r->is_dry_run ? renewal_make(r) : e;
}

/* ---- telling ---- */

/* What only a certificate has. */
static void set_certificate(struct js *o, struct span der)
{
    struct x509_info info;

    if (der.len == 0 || x509_info_read(der, &info) != OK) {
        js_set_null(o, "serial");
        js_set_null(o, "fingerprint_sha256");
        return;
    }
    js_set_str(o, "serial", info.serial);
    js_set_hex(o, "fingerprint_sha256", span_of(info.sha256, sizeof info.sha256));
    x509_info_free(&info);
}

static void set_life(struct js *o, const struct renewal *r)
{
    struct parts p = {.not_before_s = r->not_before_s, .not_after_s = r->not_after_s};

    if (r->certificate.len > 0 && !parts_of(buf_span(&r->certificate), &p))
        die("the certificate of issuer %s cannot be read", r->id);
    js_set_time(o, "not_before", p.not_before_s);
    js_set_time(o, "not_after", p.not_after_s);
}

static struct js *result_of(struct renewal *r)
{
    struct js *o = js_object();
    struct buf subject;

    buf_init(&subject, 4096);
    name_text(buf_span(&r->name), &subject);
    js_set_str(o, "id", r->id);
    js_set_str(o, "renews", r->old_id);
    js_set_str(o, "parent", r->parent.config != NULL ? r->parent.config->id : NULL);
    js_set_span(o, "subject", buf_span(&subject));
    js_set_str(o, "issues", r->old.config->issues != KEY_NONE ? key_type_name(r->old.config->issues) : NULL);
    js_set_str(o, "key", r->key_kind);
    js_set_str(o, "ocsp_key", r->ocsp_kind);
    set_life(o, r);
    set_certificate(o, buf_span(&r->certificate));
    js_set_bool(o, "made", !r->is_dry_run);
    js_set(o, "notes", r->notes);
    r->notes = NULL;
    buf_free(&subject);
    return o;
}

static void say_next(const struct renewal *r)
{
    if (r->is_dry_run)
        fprintf(stderr, "Nothing was made.\n");
    else if (r->parent.config == NULL)
        fprintf(
            stderr,
            "Start the service, put public/ca/%s.cer into every trust store, then move the issuing CAs below "
            "it: ca renew ID --parent %s\n",
            r->id, r->id);
    else
        fprintf(stderr,
                "Start the service: from then on %s issues, and %s goes on with its CRL and OCSP alone.\n"
                "To have %s known first, move `issues` back before (docs/operations.md, 14).\n",
                r->id, r->old_id, r->id);
}

static void tell(struct renewal *r, const struct local_run *how)
{
    struct js *o = result_of(r);

    result_write(o, how->output);
    js_free(o);
    if (!how->is_quiet)
        say_next(r);
}

/* ---- the command ---- */

static struct renewal *renewal_new(const struct local_run *how, const char *id, const char *parent)
{
    struct renewal *r = xcalloc(1, sizeof *r);

    r->old_id = id;
    r->parent_id = parent;
    r->is_dry_run = how->is_dry_run;
    r->now_s = clock_now_s();
    r->notes = js_array();
    snprintf(r->actor, sizeof r->actor, "uid:%lu", (unsigned long)getuid());
    buf_init(&r->old.certificate, PEM_MAX);
    buf_init(&r->parent.certificate, PEM_MAX);
    buf_init(&r->name, 4096);
    buf_init(&r->spki, 4096);
    buf_init(&r->ocsp_spki, 4096);
    buf_init(&r->certificate, PEM_MAX);
    buf_init(&r->settings, XML_DOC_MAX);
    return r;
}

static void renewal_free(struct renewal *r)
{
    struct buf *bufs[] = {&r->old.certificate, &r->parent.certificate, &r->name,    &r->spki,
                          &r->ocsp_spki,       &r->certificate,        &r->settings};

    store_close(r->store);
    config_free(&r->config);
    config_texts_free(&r->texts);
    for (size_t i = 0; i < sizeof bufs / sizeof *bufs; i++)
        buf_free(bufs[i]);
    js_free(r->notes);
    free(r);
}

int renew_main(const struct local_run *how, const char *id, const char *parent)
{
    struct renewal *r;
    enum err e;

    if (!result_is_record("ca renew", how->output))
        return WRONG_USE;
    log_role("renew");
    r = renewal_new(how, id, parent);
    e = run(r, how->home);
    if (e != OK)
        result_fail(e, &r->f);
    else
        tell(r, how);
    renewal_free(r);
    return e == OK ? DONE : WRONG_USE;
}
