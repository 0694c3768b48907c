/* SPDX-License-Identifier: Apache-2.0 */
/*
 * preflight: what would happen to this request, without issuing: the ca decides as for issuing, up to the
 * octets that would be signed, and stops there. The body is the CSR, or JSON {"csr", "certificate"} with two
 * files: then the certificate, whoever issued it, is held against the request and its purpose.
 */
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "api/preflight.h"
#include "base/log.h"

struct preflight {
    struct call *call;
    struct wanted wanted;
    struct buf csr, certificate; /* files out of a JSON body */
    bool has_certificate;
    struct certificate_file file; /* what is in it, and the path above */
    struct upload_path path;
    struct grant grant; /* the ca's answer */
    struct buf tbs;
};

static void preflight_free(struct preflight *p)
{
    upload_path_free(&p->path);
    certificate_file_free(&p->file);
    buf_free(&p->tbs);
    wanted_free(&p->wanted);
    buf_free(&p->csr);
    buf_free(&p->certificate);
    free(p);
}

/* ---- the body ---- */

static bool is_json(struct call *c)
{
    const char *type = http_header(c->request, "Content-Type");
    size_t len = strlen("application/json");

    return type != NULL && strncasecmp(type, "application/json", len) == 0 &&
           (type[len] == '\0' || type[len] == ';' || type[len] == ' ');
}

static bool read_file(struct call *c, const struct js *body, const char *name, struct buf *out)
{
    if (!csr_member(body, name, out)) {
        call_problem(c, ERR_MALFORMED, NULL,
                     "The member \"%s\" is a file: its text, or its octets in base64.", name);
        return false;
    }
    if (buf_end(out) == OK)
        return true;
    call_problem(c, ERR_TOO_LARGE, NULL, "The file in \"%s\" is larger than any of its kind.", name);
    return false;
}

static enum err check_body(const struct js *body, struct fault *f)
{
    if (csr_has_key(body))
        return fault_set(f, ERR_MALFORMED, "The body holds a private key. Never send a private key.");
    return csr_check_members(body, f);
}

static bool read_json(struct preflight *p)
{
    struct call *c = p->call;
    struct fault f = {0};
    struct js *body = NULL;
    bool ok;

    if (js_parse(http_body(c->request), &body, &f) != OK) {
        call_problem(c, ERR_MALFORMED, NULL, "The body is no JSON: %s", f.detail);
        return false;
    }
    if (check_body(body, &f) != OK) {
        js_free(body);
        call_problem(c, ERR_MALFORMED, NULL, "%s", f.detail);
        return false;
    }
    p->has_certificate = js_get(body, "certificate") != NULL;
    ok = read_file(c, body, "csr", &p->csr) &&
         (!p->has_certificate || read_file(c, body, "certificate", &p->certificate));
    js_free(body);
    if (ok && p->has_certificate &&
        memmem(p->certificate.data, p->certificate.len, "PRIVATE KEY-----", 16) != NULL) {
        call_problem(c, ERR_MALFORMED, NULL, "The file holds a private key. Never send a private key.");
        ok = false;
    }
    return ok;
}

/* ---- a certificate held against the request ---- */

/* That the request was signed before is what the certificate shows, and how long one from here would live is
 * not asked. */
static void drop_needless(struct findings *fs)
{
    struct findings kept = {0};

    for (size_t i = 0; i < fs->count; i++)
        if (strcmp(fs->items[i].rule, "csr.stale") != 0 && strcmp(fs->items[i].rule, "days.cut") != 0)
            finding_add(&kept, fs->items[i].rule, fs->items[i].field, fs->items[i].got, fs->items[i].want);
    findings_free(fs);
    *fs = kept;
}

/* On another thread: a stranger's certificates are dear to read and to verify. */
static void read_certificate(void *arg)
{
    struct preflight *p = arg;
    struct findings *fs = &p->wanted.findings;

    certificate_file_read(buf_span(&p->certificate), csr_facts(p->wanted.csr)->spki, &p->file, fs);
    drop_needless(fs);
    if (p->file.count > 0)
        upload_path_given(&p->file, &p->path);
}

static void hold_certificate(struct preflight *p, const struct profile *profile)
{
    struct upload *u = &p->path.upload;

    u->profile = profile;
    u->request = csr_facts(p->wanted.csr);
    u->now_s = p->call->api->now_s();
    upload_check(u, &p->wanted.findings);
}

/* ---- the verdict ---- */

static struct js *would_issue_json(const struct profile *profile, const char *issuer, const struct grant *g,
                                   struct span tbs)
{
    struct certificate *c = NULL;
    struct js *o;

    if (tbs_parse(tbs, &c, NULL) != OK)
        die("what the ca would sign cannot be read");
    o = certificate_facts_json(certificate_facts_of(c));
    js_set_str(o, "issuer", issuer);
    js_set_bool(o, "ca", g->is_ca);
    js_set_int(o, "days", g->days);
    js_set_bool(o, "needs_approval", profile->needs_approval);
    certificate_free(c);
    return o;
}

static void reply(struct preflight *p, const struct profile *profile, struct view *v)
{
    struct call *c = p->call;
    const struct facts *facts = csr_facts(p->wanted.csr);
    const char *issuer = issuer_for_key(&c->api->config->ca, facts->spki);
    struct js *o = js_object();

    if (p->file.count > 0) {
        hold_certificate(p, profile);
    } else {
        upload_path_free(&p->path);
        upload_path_ours(v, issuer, &p->path);
    }
    js_set_bool(o, "accepted", !findings_refuse(&p->wanted.findings));
    js_set_str(o, "profile", p->wanted.profile);
    js_set(o, "request", facts_json(facts));
    if (p->file.count > 0)
        js_set(o, "certificate", certificate_facts_json(p->path.upload.leaf));
    else if (p->has_certificate)
        js_set_null(o, "certificate");
    if (p->tbs.len > 0 && !findings_refuse(&p->wanted.findings))
        js_set(o, "would_issue", would_issue_json(profile, issuer, &p->grant, buf_span(&p->tbs)));
    else
        js_set_null(o, "would_issue");
    js_set(o, "findings", findings_json(&p->wanted.findings));
    js_set(o, "upload", upload_json(upload_plan_find(profile->id), &p->path, c->api->config->public_url));
    call_json(c, 200, o, NULL);
}

static void conclude(struct preflight *p)
{
    struct call *c = p->call;
    /* the catalogue may be another one since the question was sent */
    const struct profile *profile = profile_find(&c->api->config->catalogue, p->wanted.profile);
    struct view *v;

    if (profile == NULL)
        return call_problem(c, ERR_NOT_FOUND, NULL, "There is no profile \"%s\".", p->wanted.profile);
    v = call_view(c);
    if (v == NULL)
        return;
    reply(p, profile, v);
    view_close(v);
}

static void on_certificate(void *arg)
{
    struct preflight *p = arg;

    conclude(p);
    preflight_free(p);
}

/* The issuers of our own are taken out of the store here: a view is for one thread. */
static void begin_certificate(struct preflight *p)
{
    struct view *v = call_view(p->call);

    if (v == NULL)
        return preflight_free(p);
    upload_path_open(v, &p->path);
    view_close(v);
    loop_work(p->call->api->loop, read_certificate, on_certificate, p);
}

static void on_answer(struct answer *a, void *arg)
{
    struct preflight *p = arg;
    struct findings fs = {0};

    answer_findings(a, &fs);
    if (a->err != OK) {
        call_refused(p->call, a, &fs);
        findings_free(&fs);
        return preflight_free(p);
    }
    if (!grant_read(&a->rest, &p->grant))
        die("broken grant from the ca");
    buf_put_span(&p->tbs, rd_blob(&a->rest));
    if (a->rest.failed || buf_end(&p->tbs) != OK)
        die("broken answer from the ca");
    wanted_merge(&p->wanted, &fs);
    if (p->has_certificate)
        return begin_certificate(p);
    conclude(p);
    preflight_free(p);
}

static void on_read(void *arg, enum err read)
{
    struct preflight *p = arg;
    enum err e;

    if (read != OK && read != ERR_POLICY)
        return preflight_free(p);
    e = wanted_send(p->call, &p->wanted, ASK_DRY_RUN, on_answer, p);
    if (e == OK)
        return;
    call_unsent(p->call, e);
    preflight_free(p);
}

void preflight_post(struct call *c)
{
    struct preflight *p = xcalloc(1, sizeof *p);
    /* whatever the type says: a certificate that came along is not to be overlooked */
    bool has_files = is_json(c) || csr_is_in_object(http_body(c->request));

    p->call = c;
    buf_init(&p->csr, CSR_MAX);
    buf_init(&p->certificate, CERTIFICATE_FILE_MAX);
    buf_init(&p->tbs, WIRE_MSG_MAX);
    if ((has_files && !read_json(p)) ||
        !wanted_read(c, has_files ? buf_span(&p->csr) : http_body(c->request), &p->wanted, on_read, p))
        preflight_free(p);
}
