/* SPDX-License-Identifier: Apache-2.0 */
/*
 * listener: the HTTPS listener's own certificates, one for an RSA key and one for an EC key. Each is asked of
 * the ca when it is missing, no longer fits its key or the configured names, is revoked or in the last third
 * of its life; it is written to listener/KIND.pem before it is used. The keys are made by init; this process
 * holds them, as every TLS server does, since before it was confined.
 */
#include <arpa/inet.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "api/api.h"
#include "base/clock.h"
#include "base/ending.h"
#include "base/log.h"

#define CHECK_MS 60000 /* renewal has a third of a life to succeed: minutes do not matter */
#define EAGER_MS 2000  /* while HTTPS has no certificate at all */
#define NAMES_MAX 8

struct identity {
    struct listener_kind kind; /* what is known of what chain_pem holds */
    struct listener *listener;
    struct span key_pem; /* the role's */
    struct buf spki, chain_pem;
    bool is_asking;
    bool is_served;
};

struct listener {
    struct api *api;
    struct timer *timer;
    struct identity identities[LISTENER_KINDS];
};

/* ---- keys and files ---- */

static enum err chain_path(const struct identity *i, char out[static PATH_LEN_MAX])
{
    char name[16];

    snprintf(name, sizeof name, "%s.pem", i->kind.name);
    return path_join(out, i->listener->api->config->listener_dir, name, NULL);
}

static enum err read_spki(struct span pem, struct buf *out)
{
    BIO *bio = BIO_new_mem_buf(pem.data, (int)pem.len);
    EVP_PKEY *key = bio == NULL ? NULL : PEM_read_bio_PrivateKey(bio, NULL, NULL, (void *)"");
    uint8_t *der = NULL;
    int len = key == NULL ? -1 : i2d_PUBKEY(key, &der);

    if (len > 0)
        buf_put(out, der, (size_t)len);
    OPENSSL_free(der);
    EVP_PKEY_free(key);
    BIO_free(bio);
    ERR_clear_error();
    return len > 0 ? OK : ERR_KEY;
}

static void load_key(struct identity *i)
{
    if (i->key_pem.len > 0 && read_spki(i->key_pem, &i->spki) != OK)
        log_error("listener-key", "keys/https-%s.key: not a private key in PEM", i->kind.name);
}

static void load_chain(struct identity *i)
{
    char path[PATH_LEN_MAX];

    buf_reset(&i->chain_pem);
    if (chain_path(i, path) != OK || file_read(path, &i->chain_pem, NULL) != OK)
        buf_reset(&i->chain_pem);
}

/* ---- does the certificate still fit? ---- */

/* A configured name in the one spelling that the store has as well. */
static void normal_name(const char *name, struct san *san, uint8_t octets[static 16])
{
    if (inet_pton(AF_INET, name, octets) == 1)
        *san = (struct san){SAN_IP, span_of(octets, 4)};
    else if (inet_pton(AF_INET6, name, octets) == 1)
        *san = (struct san){SAN_IP, span_of(octets, 16)};
    else
        *san = (struct san){SAN_DNS, span_str(name)};
}

static bool holds_name(struct span sans, struct span name)
{
    while (sans.len > 0) {
        size_t len = strnlen((const char *)sans.data, sans.len), step = len < sans.len ? len + 1 : len;

        if (len == name.len && strncasecmp((const char *)sans.data, (const char *)name.data, len) == 0)
            return true;
        sans = span_of(sans.data + step, sans.len - step);
    }
    return false;
}

static size_t count_names(struct span sans)
{
    size_t n = 0;

    for (size_t i = 0; i < sans.len; i++)
        n += sans.data[i] == '\0';
    return n;
}

static bool fits_names(const struct ca_config *config, struct span sans)
{
    struct buf text;
    struct san san;
    uint8_t octets[16];
    bool ok = count_names(sans) == config->listener_name_count;

    buf_init(&text, DNS_NAME_MAX + 1);
    for (size_t i = 0; i < config->listener_name_count && ok; i++) {
        buf_reset(&text);
        normal_name(config->listener_names[i], &san, octets);
        san_text(&san, &text);
        ok = holds_name(sans, buf_span(&text));
    }
    buf_free(&text);
    return ok;
}

/* Is `der` what the store has, and of our key? */
static bool is_ours(const struct identity *i, const struct cert *c, struct span der)
{
    uint8_t key_hash[HASH_LEN];

    sha256_of(buf_span(&i->spki), key_hash);
    return span_eq(c->der, der) && memcmp(c->key_hash, key_hash, HASH_LEN) == 0;
}

static bool fits(const struct identity *i, const struct cert *c, int64_t now_s)
{
    int64_t life_s = c->status.not_after_s - c->not_before_s;

    return now_s >= c->not_before_s && c->status.not_after_s - now_s > life_s / 3 &&
           fits_names(&i->listener->api->config->ca, c->sans);
}

/* Looks the leaf up in the store: what it does not know was not issued here. False: a new one is needed. What
 * is in use and still valid stays in use meanwhile. */
static bool examine(struct identity *i, struct span der)
{
    struct api *a = i->listener->api;
    struct x509_info info;
    uint8_t serial[SERIAL_LEN];
    struct view *v = NULL;
    struct cert c;
    bool ok = false;

    if (x509_info_read(der, &info) != OK)
        return false;
    if (serial_read(info.serial, serial) && view_open(a->store, &v) == OK && cert_find(v, serial, &c) == OK &&
        is_ours(i, &c, der)) {
        i->kind.not_after_s = c.status.not_after_s;
        i->kind.is_revoked = c.status.state != CERT_VALID;
        i->kind.is_usable = !i->kind.is_revoked && c.status.not_after_s >= a->now_s();
        ok = i->kind.is_usable && fits(i, &c, a->now_s());
    }
    view_close(v);
    x509_info_free(&info);
    return ok;
}

/* Sets what is known of the certificate at hand. True: it needs no successor. */
static bool look_up(struct identity *i)
{
    struct buf der;
    bool ok = false;

    i->kind.not_after_s = NO_TIME;
    i->kind.is_usable = i->kind.is_revoked = false;
    buf_init(&der, PEM_MAX);
    if (i->chain_pem.len > 0 && pem_get(buf_span(&i->chain_pem), "CERTIFICATE", &der) == OK)
        ok = examine(i, buf_span(&der));
    buf_free(&der);
    i->kind.is_failed = i->kind.is_failed && !i->kind.is_usable;
    return ok;
}

/* ---- serving ---- */

static bool add_issuer_pem(const struct issuer *i, void *arg)
{
    pem_put(arg, "CERTIFICATE", i->certificate);
    return true;
}

/* Whom we accept client certificates of: every issuer, and the CAs of the configuration. */
static void issuers_pem(struct api *a, struct buf *out)
{
    struct view *v = NULL;

    if (view_open(a->store, &v) != OK || issuer_each(v, add_issuer_pem, out) != OK)
        log_warn("listener", "the issuers cannot be read");
    view_close(v);
    foreign_pem(a->foreign, out);
}

static enum err make_tls(struct listener *l, struct tls_server **out, struct fault *f)
{
    struct tls_identity ids[LISTENER_KINDS];
    struct buf issuers;
    size_t n = 0;
    enum err e;

    for (size_t k = 0; k < LISTENER_KINDS; k++)
        if (l->identities[k].kind.is_usable)
            ids[n++] = (struct tls_identity){buf_span(&l->identities[k].chain_pem), l->identities[k].key_pem};
    if (n == 0)
        return ERR_NOT_FOUND;
    buf_init(&issuers, SIZE_MAX / 2); /* foreign.c bounds its own */
    issuers_pem(l->api, &issuers);
    e = tls_server_new(ids, n, buf_span(&issuers), out, f);
    buf_free(&issuers);
    return e;
}

/* The first end of those in use; NO_TIME: there is none. */
static int64_t first_end(const struct listener *l)
{
    int64_t end_s = NO_TIME;

    for (size_t k = 0; k < LISTENER_KINDS; k++) {
        const struct listener_kind *one = &l->identities[k].kind;

        if (one->is_usable && (end_s == NO_TIME || one->not_after_s < end_s))
            end_s = one->not_after_s;
    }
    return end_s;
}

/* Without a usable certificate what was served stays: a client can look at it and see why. */
static void serve(struct listener *l)
{
    char until[CLOCK_TEXT_MAX];
    struct http_handlers handlers = api_handlers(l->api);
    struct http_limits limits = HTTP_LIMITS_DEFAULT;
    struct tls_server *tls = NULL;
    struct fault f = {0};
    enum err e = make_tls(l, &tls, &f);

    limits.connections = l->api->config->https_connections;
    limits.per_address = l->api->config->https_per_address;
    if (e == ERR_NOT_FOUND)
        return;
    if (e != OK) {
        log_error("listener", "%s", f.detail);
        return;
    }
    if (l->api->https != NULL)
        http_server_set_tls(l->api->https, tls);
    else
        l->api->https = http_serve(l->api->loop, l->api->role->https_fd, tls, &limits, &handlers);
    for (size_t k = 0; k < LISTENER_KINDS; k++)
        l->identities[k].is_served = l->identities[k].kind.is_usable;
    clock_rfc3339(first_end(l), until);
    log_info("listener", "HTTPS has a certificate until %s", until);
}

/* One that was never had is no alarm: the log and /readyz say so. */
static void tell_end(const struct identity *i)
{
    struct api *a = i->listener->api;
    char subject[32];

    snprintf(subject, sizeof subject, "listener %s", i->kind.name);
    if (i->kind.is_failed && i->kind.is_revoked)
        ending_revoked(a->role->board, subject);
    else if (i->kind.not_after_s != NO_TIME && (i->kind.is_usable || i->kind.is_failed))
        ending_check(a->role->board, subject, i->kind.not_after_s, a->now_s(), ENDING_LISTENER_S,
                     a->config->ca.listener_s);
}

/* What is served and what is said follow what is usable, as soon as nothing better has come. */
static void settle(struct listener *l)
{
    bool is_stale = false;

    for (size_t k = 0; k < LISTENER_KINDS; k++) {
        const struct identity *i = &l->identities[k];

        is_stale = is_stale || (i->is_served ? i->kind.is_failed : i->kind.is_usable);
    }
    if (is_stale)
        serve(l);
    for (size_t k = 0; k < LISTENER_KINDS; k++)
        tell_end(&l->identities[k]);
}

/* ---- asking ---- */

static enum err write_chain(struct identity *i, struct span leaf, uint16_t issuer_no, struct fault *f)
{
    char path[PATH_LEN_MAX];
    struct cert_path chain;
    struct view *v = NULL;
    enum err e = view_open(i->listener->api->store, &v);

    if (e != OK)
        return fault_set(f, e, "the store cannot be read");
    cert_path_of(v, leaf, issuer_no, false, &chain);
    buf_reset(&i->chain_pem);
    cert_path_pem(&chain, &i->chain_pem);
    view_close(v);
    e = chain_path(i, path);
    return e == OK ? file_replace(path, buf_span(&i->chain_pem), 0644, f) : e;
}

static void on_answer(struct answer *a, void *arg)
{
    struct identity *i = arg;
    struct findings fs = {0};
    struct fault f = {0};
    uint8_t serial[SERIAL_LEN];
    uint16_t issuer_no;
    struct span der;

    i->is_asking = false;
    answer_findings(a, &fs);
    for (size_t k = 0; k < fs.count; k++)
        log_warn("listener-finding", "%s: %s", i->kind.name, fs.items[k].rule);
    findings_free(&fs);
    if (a->err != OK) {
        log_error("listener", "no %s certificate: %s %s", i->kind.name, err_name(a->err), a->detail);
        i->kind.is_failed = !i->kind.is_usable;
        settle(i->listener);
        return;
    }
    rd_copy(&a->rest, serial, sizeof serial);
    issuer_no = rd_u16(&a->rest);
    (void)rd_u8(&a->rest);
    der = rd_blob(&a->rest);
    if (!rd_done(&a->rest))
        die("broken answer from the ca");
    if (write_chain(i, der, issuer_no, &f) != OK)
        log_error("listener", "%s", f.detail);
    (void)look_up(i);
    i->kind.is_failed = !i->kind.is_usable;
    serve(i->listener);
    settle(i->listener);
}

static void put_facts(const struct identity *i, struct buf *out)
{
    const struct ca_config *config = &i->listener->api->config->ca;
    uint8_t octets[NAMES_MAX][16];
    struct san sans[NAMES_MAX];
    char subject[CN_MAX + 8];
    struct facts f = {
        .spki = buf_span(&i->spki),
        .cn = span_str(listener_cn(config)),
        .signature_hash = HASH_SHA256,
        .has_san = true,
        .sans = sans,
        .san_count = config->listener_name_count,
    };

    snprintf(subject, sizeof subject, "CN=%s", listener_cn(config));
    f.subject_text = span_str(subject);
    for (size_t k = 0; k < f.san_count; k++)
        normal_name(config->listener_names[k], &sans[k], octets[k]);
    facts_write(out, &f);
}

static void ask(struct identity *i)
{
    struct buf message;

    if (i->is_asking || i->spki.len == 0)
        return;
    buf_init(&message, WIRE_MSG_MAX);
    put_facts(i, &message);
    i->is_asking = asker_send(i->listener->api->asker, ASK_LISTENER, buf_span(&message), on_answer, i) == OK;
    if (!i->is_asking)
        i->kind.is_failed = !i->kind.is_usable;
    buf_free(&message);
}

static void check(void *arg)
{
    struct listener *l = arg;

    for (size_t k = 0; k < LISTENER_KINDS; k++)
        if (!look_up(&l->identities[k]))
            ask(&l->identities[k]);
    settle(l);
    timer_arm(l->timer, first_end(l) == NO_TIME ? EAGER_MS : CHECK_MS);
}

struct listener *listener_new(struct api *a)
{
    static const char *const kinds[] = {"rsa", "ec"};
    struct listener *l = xcalloc(1, sizeof *l);

    l->api = a;
    for (size_t k = 0; k < LISTENER_KINDS; k++) {
        struct identity *i = &l->identities[k];

        i->kind.name = kinds[k];
        i->listener = l;
        i->key_pem = buf_span(&a->role->https_keys[k]);
        buf_init(&i->spki, PEM_MAX);
        buf_init(&i->chain_pem, CERT_PATH_MAX * PEM_MAX);
        load_key(i);
        load_chain(i);
        (void)look_up(i);
    }
    serve(l);
    l->timer = timer_start(a->loop, 0, 0, check, l);
    return l;
}

void listener_tell_authorities(struct listener *l)
{
    if (l->api->https != NULL)
        serve(l);
}

void listener_reload(struct listener *l)
{
    listener_tell_authorities(l);
    timer_arm(l->timer, 0);
}

void listener_free(struct listener *l)
{
    if (l == NULL)
        return;
    timer_stop(l->timer);
    for (size_t k = 0; k < LISTENER_KINDS; k++) {
        buf_free(&l->identities[k].spki);
        buf_free(&l->identities[k].chain_pem);
    }
    free(l);
}

const struct listener_kind *listener_kind_at(const struct listener *l, size_t k)
{
    return l != NULL && l->identities[k].spki.len > 0 ? &l->identities[k].kind : NULL;
}
