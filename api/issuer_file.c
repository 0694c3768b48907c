/* SPDX-License-Identifier: Apache-2.0 */
/*
 * issuer_file: an issuer as files: its certificate, its chain, and its CRL in force. They are the same that
 * plain HTTP gives to everybody under /ca and /crl; here for who is logged in, over the one connection that
 * there is.
 */
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "api/api.h"

/* ---- certificates ---- */

static enum err write_form(struct view *v, const struct issuer *i, enum form form, struct buf *out)
{
    struct cert_path path;

    if (form == FORM_PEM)
        pem_put(out, "CERTIFICATE", i->certificate);
    if (form == FORM_DER)
        buf_put_span(out, i->certificate);
    if (form != FORM_P7B_PEM)
        return buf_end(out);
    issuer_cert_path(v, i, &path);
    return render_p7b(&path, true, out);
}

static void reply_form(struct call *c, struct view *v, const struct issuer *i, const struct suffix *suffix)
{
    struct buf body;

    buf_init(&body, CERT_PATH_MAX * PEM_MAX);
    if (write_form(v, i, suffix->form, &body) == OK)
        call_reply(c, 200, suffix->type, buf_span(&body), NULL);
    else
        call_problem(c, ERR_INTERNAL, NULL, "the certificate of %s could not be rendered", i->id);
    buf_free(&body);
}

void issuer_file_get(struct call *c)
{
    char *dot = strchr(c->arg, '.');
    const struct suffix *suffix = suffix_find(dot);
    struct issuer i;
    struct view *v;

    if (suffix == NULL)
        return call_problem(c, ERR_NOT_FOUND, NULL, "An issuer is there as .pem, .der and .p7b.");
    *dot = '\0';
    v = issuer_wanted(c, c->arg, &i);
    if (v == NULL)
        return;
    reply_form(c, v, &i, suffix);
    view_close(v);
}

/* ---- the CRL in force ---- */

/* ERR_NOT_FOUND: none is published yet. */
static enum err open_crl(const struct config *c, const char *id, const char *suffix, int *fd, struct stat *st,
                         struct fault *f)
{
    char name[CRL_NAME_MAX + 16], path[PATH_LEN_MAX];
    enum err e;

    snprintf(name, sizeof name, "crl/%s.%s", id, suffix);
    e = path_join(path, c->public_dir, name, f);
    return e == OK ? file_open(path, fd, st, f) : e;
}

static void reply_crl(struct call *c, const char *suffix, const char *type)
{
    struct fault f = {0};
    struct issuer i;
    struct stat st;
    struct view *v = issuer_wanted(c, c->arg, &i);
    int fd = -1;
    enum err e;

    if (v == NULL)
        return;
    e = open_crl(c->api->config, i.id, suffix, &fd, &st, &f);
    view_close(v);
    if (e == OK)
        return call_reply_file(c, type, fd, (uint64_t)st.st_size);
    if (e == ERR_NOT_FOUND)
        return call_problem(c, e, NULL, "No CRL of \"%s\" is published yet.", c->arg);
    call_problem(c, ERR_INTERNAL, NULL, "%s", f.detail);
}

void issuer_crl_der_get(struct call *c)
{
    reply_crl(c, "crl", "application/pkix-crl");
}

void issuer_crl_pem_get(struct call *c)
{
    reply_crl(c, "pem", "application/x-pem-file");
}
