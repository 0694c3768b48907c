/* SPDX-License-Identifier: Apache-2.0 */
/* issuing: the issuers of the configuration, joined with their certificates in the store. */
#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "base/parts.h"
#include "ca/inner.h"

#define ISSUER_CERT_MAX 16384u /* an RSA 4096 CA certificate takes 2 KiB */

static enum err load_one(struct view *v, const struct ca_issuer *config, size_t index,
                         const struct ca_role *role, struct issuing *out, struct fault *f)
{
    struct issuer row;
    struct parts parts;
    struct key_kind kind;
    char text[ROSTER_TEXT_MAX];
    enum err e = issuer_find(v, config->id, &row);

    if (e == ERR_NOT_FOUND)
        return fault_set(f, ERR_CONFIG, "issuer %s is in chancery.xml but not in the store", config->id);
    if (e != OK)
        return fault_set(f, e, "issuer %s: its row in the store cannot be read", config->id);
    *out = (struct issuing){.config = config,
                            .no = row.no,
                            .responder_spki = role->responder_spki[index],
                            .host_spki = role->host_spki[index]};
    buf_init(&out->certificate, ISSUER_CERT_MAX);
    buf_put_span(&out->certificate, row.certificate);
    if (!parts_of(buf_span(&out->certificate), &parts) || !key_kind_of(parts.spki, &kind) ||
        parts.ski.len == 0)
        return fault_set(f, ERR_CONFIG, "issuer %s: its certificate in the store cannot be read", config->id);
    if (!roster_key_suits(config, kind.type, text))
        return fault_set(f, ERR_CONFIG, "%s", text);
    out->key = kind.type;
    out->subject = parts.subject;
    out->ski = parts.ski;
    out->not_before_s = parts.not_before_s;
    out->not_after_s = parts.not_after_s;
    out->alg = sig_alg_for(&kind);
    return OK;
}

/* A certificate keeps the address of its shard for its life, so what was named once is published for good.
 * While what is known of them cannot be read no list of this issuer comes out at all, and the first start
 * that can read it writes them down. */
static enum err shards_use(struct ca *ca, size_t n, struct fault *f)
{
    const struct issuing *i = &ca->issuers[n];
    const char *url = ca->role->config.public_url;
    struct crl_track track;
    struct view *v = NULL;
    struct txn *t = NULL;
    bool is_known;
    enum err e = view_open(ca->store, &v);

    if (e != OK)
        return fault_set(f, e, "the store cannot be read");
    is_known = publish_track(ca, n, v, &track) != OK || crl_shards_used(&track, i->config->shards, url);
    view_close(v);
    if (is_known)
        return OK;
    e = txn_begin(ca->store, &t);
    if (e != OK)
        return fault_set(f, e, "the store refuses a transaction");
    crl_shards_use(t, i->no, i->config->shards, url);
    e = txn_commit(t);
    if (e != OK)
        return fault_set(f, e, "issuer %s: shards under %s: at most %u addresses in its life", i->config->id,
                         url, SHARD_URLS_MAX);
    publish_moved(ca, n);
    return OK;
}

enum err issuing_set_urls(struct ca *ca, struct fault *f)
{
    const char *base = ca->role->config.public_url;
    enum err e = OK;

    for (size_t n = 0; e == OK && n < ca->issuer_count; n++) {
        struct issuing *i = &ca->issuers[n];

        snprintf(i->ocsp_url, sizeof i->ocsp_url, "%s/ocsp", base);
        snprintf(i->issuer_url, sizeof i->issuer_url, "%s/ca/%s.cer", base, i->config->id);
        if (i->config->shards > 1 && i->config->issues != KEY_NONE) /* others' certificates name no more */
            e = shards_use(ca, n, f);
    }
    return e;
}

void issuing_crl_urls(const struct ca *ca, const struct issuing *i, const uint8_t serial[static SERIAL_LEN],
                      char crl_url[static CRL_URL_MAX], char delta_url[static CRL_URL_MAX])
{
    uint16_t shard = i->config->shards > 1 ? shard_of(serial, i->config->shards) : SHARD_ALL;
    char name[CRL_NAME_MAX];

    crl_part_name(i->config->id, shard, false, name);
    snprintf(crl_url, CRL_URL_MAX, "%s/crl/%s.crl", ca->role->config.public_url, name);
    crl_part_name(i->config->id, shard, true, name);
    delta_url[0] = '\0';
    if (i->config->has_deltas)
        snprintf(delta_url, CRL_URL_MAX, "%s/crl/%s.crl", ca->role->config.public_url, name);
}

enum err issuing_load(struct ca *ca, struct fault *f)
{
    struct view *v = NULL;
    enum err e = view_open(ca->store, &v);

    if (e != OK)
        return fault_set(f, e, "the store cannot be read");
    for (size_t i = 0; e == OK && i < ca->role->config.count; i++) {
        ca->issuer_count = i + 1;
        e = load_one(v, &ca->role->config.issuers[i], i, ca->role, &ca->issuers[i], f);
    }
    view_close(v);
    return e == OK ? issuing_set_urls(ca, f) : e;
}

static void tell(const char *text, void *arg)
{
    (void)arg;
    log_warn("issuer", "%s", text);
}

void issuing_tell_dropped(struct ca *ca, int64_t now_s)
{
    struct view *v = NULL;

    if (view_open(ca->store, &v) != OK || roster_dropped(v, &ca->role->config, now_s, tell, NULL) != OK)
        log_warn("issuer", "the issuers in the store cannot be held against those of chancery.xml");
    view_close(v);
}

void issuing_free(struct ca *ca)
{
    for (size_t i = 0; i < ca->issuer_count; i++)
        buf_free(&ca->issuers[i].certificate);
    ca->issuer_count = 0;
}

static void note_reason(const char *text, void *arg)
{
    (void)fault_set(arg, ERR_CONFIG, "%s", text);
}

bool issuing_would_start(struct ca *ca, const struct ca_config *fresh, struct fault *f)
{
    struct view *v = ca_view(ca);

    *f = (struct fault){0};
    if (roster_refused(v, fresh, note_reason, f) != OK)
        (void)fault_set(f, ERR_IO, "the issuers in the store cannot be read");
    view_close(v);
    return f->code == OK;
}

const struct issuing *issuing_for_key(const struct ca *ca, enum key_type type)
{
    for (size_t i = 0; i < ca->issuer_count; i++)
        if (type != KEY_NONE && ca->issuers[i].config->issues == type)
            return &ca->issuers[i];
    return NULL;
}

const struct issuing *issuing_by_id(const struct ca *ca, const char *id)
{
    for (size_t i = 0; i < ca->issuer_count; i++)
        if (strcmp(ca->issuers[i].config->id, id) == 0)
            return &ca->issuers[i];
    return NULL;
}

const struct issuing *issuing_by_no(const struct ca *ca, uint16_t no)
{
    for (size_t i = 0; i < ca->issuer_count; i++)
        if (ca->issuers[i].no == no)
            return &ca->issuers[i];
    return NULL;
}
