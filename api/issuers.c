/* SPDX-License-Identifier: Apache-2.0 */
/* issuers: each issuing certificate with its key, its CRL as last published and its OCSP signer; publishing
 * now. */
#include <stdio.h>
#include <string.h>

#include "api/api.h"
#include "base/log.h"

static void set_part(struct js *o, struct call *c, const struct issuer *i, uint16_t shard, bool is_delta,
                     const struct crl_state *s)
{
    char name[CRL_NAME_MAX], url[512];

    crl_part_name(i->id, shard, is_delta, name);
    snprintf(url, sizeof url, "%s/crl/%s.crl", c->api->config->public_url, name);
    js_set_int(o, "number", (int64_t)s->number);
    js_set_time(o, "this_update", s->this_update_s);
    js_set_time(o, "next_update", s->next_update_s);
    js_set_int(o, "entries", (int64_t)s->count);
    js_set_int(o, "size", (int64_t)s->size);
    js_set_str(o, "url", url);
}

static void set_delta(struct js *o, struct call *c, struct view *v, const struct issuer *i)
{
    struct crl_state s;
    struct js *delta;

    if (crl_part_find(v, i->no, SHARD_ALL, true, &s) != OK || s.number == 0)
        return js_set_null(o, "delta");
    delta = js_object();
    set_part(delta, c, i, SHARD_ALL, true, &s);
    js_set(o, "delta", delta);
}

/* Every one that was ever published: certificates name it for their life. */
static void set_shards(struct js *o, struct call *c, struct view *v, const struct issuer *i)
{
    struct js *shards = js_array();
    struct crl_state s;

    for (uint16_t shard = SHARD_ALL + 1; shard < SHARD_END; shard++)
        if (crl_part_find(v, i->no, shard, false, &s) == OK && s.number > 0) {
            struct js *one = js_object();

            js_set_int(one, "shard", shard);
            set_part(one, c, i, shard, false, &s);
            js_push(shards, one);
        }
    js_set(o, "shards", shards);
}

static struct js *crl_json(struct call *c, struct view *v, const struct issuer *i)
{
    struct crl_state s;
    struct js *o;

    if (crl_state_find(v, i->no, &s) != OK || s.number == 0)
        return NULL;
    o = js_object();
    set_part(o, c, i, SHARD_ALL, false, &s);
    set_delta(o, c, v, i);
    set_shards(o, c, v, i);
    return o;
}

static struct js *ocsp_json(struct call *c, struct view *v, const struct issuer *i)
{
    struct js *o = js_object();
    struct status s;
    char url[512];

    snprintf(url, sizeof url, "%s/ocsp", c->api->config->public_url);
    js_set_str(o, "url", url);
    js_set_str(o, "model", signer_is_trusted(&c->api->config->ca, i->id) ? "trusted" : "delegated");
    if (status_find(v, i->responder, &s) == OK)
        js_set_time(o, "signer_not_after", s.not_after_s);
    else
        js_set_null(o, "signer_not_after");
    return o;
}

static struct js *urls_json(struct call *c, const struct issuer *i)
{
    struct js *o = js_object();
    char url[512];

    snprintf(url, sizeof url, "%s/ca/%s.cer", c->api->config->public_url, i->id);
    js_set_str(o, "certificate", url);
    snprintf(url, sizeof url, "%s/ca/%s.p7c", c->api->config->public_url, i->id);
    js_set_str(o, "chain", url);
    return o;
}

/* "rsa", "ec", or NULL for an issuer that signs no leaves. */
static const char *issues_of(const struct ca_config *ca, const char *id)
{
    const struct ca_issuer *i = ca_issuer_find(ca, id);

    return i != NULL && i->issues != KEY_NONE ? key_type_name(i->issues) : NULL;
}

static void set_certificate(struct js *o, const struct issuer *i)
{
    struct x509_info info;
    struct js *key = js_object();

    if (x509_info_read(i->certificate, &info) != OK)
        die("the certificate of issuer %s cannot be read", i->id);
    js_set_str(o, "subject", info.subject);
    js_set_str(o, "serial", info.serial);
    js_set_str(key, "type", key_type_name(info.key_type));
    js_set_int(key, "bits", info.key_bits);
    js_set(o, "key", key);
    js_set_time(o, "not_before", info.not_before_s);
    js_set_time(o, "not_after", info.not_after_s);
    js_set_hex(o, "fingerprint_sha256", span_of(info.sha256, sizeof info.sha256));
    js_set_hex(o, "fingerprint_sha1", span_of(info.sha1, sizeof info.sha1));
    x509_info_free(&info);
}

static struct js *issuer_json(struct call *c, struct view *v, const struct issuer *i)
{
    struct js *o = js_object(), *crl = crl_json(c, v, i);

    js_set_str(o, "id", i->id);
    js_set_str(o, "parent", i->parent[0] == '\0' ? NULL : i->parent);
    set_certificate(o, i);
    js_set_bool(o, "configured", config_has_issuer(c->api->config, i->id));
    js_set_str(o, "issues", issues_of(&c->api->config->ca, i->id));
    if (crl == NULL)
        js_set_null(o, "crl");
    else
        js_set(o, "crl", crl);
    js_set(o, "ocsp", ocsp_json(c, v, i));
    js_set(o, "urls", urls_json(c, i));
    return o;
}

void issuer_cert_path(struct view *v, const struct issuer *i, struct cert_path *out)
{
    struct issuer parent;

    *out = (struct cert_path){.certs = {i->certificate}, .count = 1};
    if (i->parent[0] != '\0' && issuer_find(v, i->parent, &parent) == OK)
        cert_path_of(v, i->certificate, parent.no, true, out);
}

static void set_chain(struct js *o, struct view *v, const struct issuer *i)
{
    struct cert_path path;
    struct buf pem;

    buf_init(&pem, CERT_PATH_MAX * PEM_MAX);
    pem_put(&pem, "CERTIFICATE", i->certificate);
    js_set_span(o, "pem", buf_span(&pem));
    buf_reset(&pem);
    issuer_cert_path(v, i, &path);
    cert_path_pem(&path, &pem);
    js_set_span(o, "chain", buf_span(&pem));
    buf_free(&pem);
}

struct listing {
    struct call *call;
    struct view *view;
    struct js *items;
};

static bool add_issuer(const struct issuer *i, void *arg)
{
    struct listing *l = arg;

    js_push(l->items, issuer_json(l->call, l->view, i));
    return true;
}

void issuers_get(struct call *c)
{
    struct listing l = {.call = c};
    struct js *o;
    enum err e;

    if (!call_query(c, NULL))
        return;
    l.view = call_view(c);
    if (l.view == NULL)
        return;
    l.items = js_array();
    e = issuer_each(l.view, add_issuer, &l);
    view_close(l.view);
    if (e != OK)
        return paged_fail(c, e, l.items, "", NULL);
    o = js_object();
    js_set(o, "items", l.items);
    call_json(c, 200, o, NULL);
}

struct view *issuer_wanted(struct call *c, const char *id, struct issuer *out)
{
    struct view *v;
    enum err e;

    if (!call_query(c, NULL))
        return NULL;
    v = call_view(c);
    if (v == NULL)
        return NULL;
    e = strlen(id) < ISSUER_ID_MAX ? issuer_find(v, id, out) : ERR_NOT_FOUND;
    if (e == OK)
        return v;
    view_close(v);
    if (e == ERR_NOT_FOUND)
        call_problem(c, e, NULL, "There is no issuer \"%.64s\".", id);
    else
        call_unreadable(c);
    return NULL;
}

static struct view *find_issuer(struct call *c, struct issuer *out)
{
    return issuer_wanted(c, c->arg, out);
}

void issuer_get(struct call *c)
{
    struct issuer i;
    struct view *v;
    struct js *o;

    if (strcmp(c->arg, "ocsp") == 0)
        return signers_get(c);
    if (strchr(c->arg, '.') != NULL) /* no id has one */
        return issuer_file_get(c);
    v = find_issuer(c, &i);
    if (v == NULL)
        return;
    o = issuer_json(c, v, &i);
    set_chain(o, v, &i);
    view_close(v);
    call_json(c, 200, o, NULL);
}

void issuer_crl_get(struct call *c)
{
    struct issuer i;
    struct view *v = find_issuer(c, &i);
    struct js *o;

    if (v == NULL)
        return;
    o = crl_json(c, v, &i);
    view_close(v);
    if (o == NULL)
        return call_problem(c, ERR_NOT_FOUND, NULL, "No CRL of \"%s\" is published yet.", c->arg);
    call_json(c, 200, o, NULL);
}

static void reply_published(struct call *c, uint64_t number)
{
    struct issuer i;
    struct view *v = find_issuer(c, &i);
    struct crl_state s;
    struct js *o;

    if (v == NULL)
        return;
    if (crl_state_find(v, i.no, &s) != OK || s.number < number) {
        view_close(v);
        return call_problem(c, ERR_INTERNAL, NULL, "CRL %llu of %s is not in the store",
                            (unsigned long long)number, i.id);
    }
    o = js_object();
    js_set_str(o, "issuer", i.id);
    js_set_int(o, "number", (int64_t)s.number);
    js_set_time(o, "this_update", s.this_update_s);
    js_set_time(o, "next_update", s.next_update_s);
    js_set_int(o, "entries", (int64_t)s.count);
    view_close(v);
    call_json(c, 200, o, NULL);
}

static void on_published(struct answer *a, void *arg)
{
    struct call *c = arg;
    uint64_t number;

    if (a->err != OK)
        return call_refused(c, a, NULL);
    number = rd_u64(&a->rest);
    if (!rd_done(&a->rest))
        die("broken answer from the ca");
    reply_published(c, number);
}

void issuer_crl_post(struct call *c)
{
    struct issuer i;
    struct view *v = find_issuer(c, &i);
    struct buf message;

    if (v == NULL)
        return;
    view_close(v);
    call_question(c, &message);
    buf_put_blob(&message, span_str(c->arg));
    (void)call_ask(c, ASK_PUBLISH, &message, on_published, c);
}
