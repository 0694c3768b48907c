/* SPDX-License-Identifier: Apache-2.0 */
/*
 * responder: certificates of the OCSP signers (RFC 6960 4.2.2.2): one per issuer for the service itself and
 * one for each other host that the configuration names, signed by that issuer, with ocsp-nocheck. A key that
 * was ever revoked for keyCompromise has none any more: clients that trust ocsp-nocheck would believe whoever
 * has it. Delegated ones are short-lived and renewed at half their life, so that a week of trouble goes
 * unnoticed by clients. A trusted responder's certificate is in clients' trust stores, so it stays as it is
 * until a month before its end.
 */
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/der.h"
#include "base/log.h"
#include "ca/inner.h"

#define TRUSTED_RENEW_S (30 * DAY_S) /* time to upload the next one wherever this one is trusted */
#define SIGNERS_MAX (ISSUERS_MAX * (1 + RESPONDER_HOSTS_MAX))
#define BARRED "responder.key"

/* One OCSP key and the issuer that certifies it. */
struct signer {
    const struct issuing *by;
    const char *host; /* NULL: of this service */
    struct span spki;
};

enum err responder_serial(struct view *v, uint16_t issuer_no, const char *host,
                          uint8_t serial[static SERIAL_LEN])
{
    struct issuer row;
    enum err e;

    if (host != NULL)
        return responder_find(v, issuer_no, host, serial);
    e = issuer_find_no(v, issuer_no, &row);
    if (e != OK)
        return e;
    memcpy(serial, row.responder, SERIAL_LEN);
    return issuer_has_responder(&row) ? OK : ERR_NOT_FOUND;
}

/* Seconds before its end at which a certificate is replaced. */
static int64_t renew_before(const struct ca *ca, const struct signer *s)
{
    return s->by->config->is_trusted ? TRUSTED_RENEW_S : ca->role->config.responder_s / 2;
}

static bool is_fresh(const struct ca *ca, struct view *v, const struct signer *s, int64_t now_s)
{
    uint8_t key_hash[HASH_LEN], serial[SERIAL_LEN];
    int64_t left_s;
    struct cert c;

    if (responder_serial(v, s->by->no, s->host, serial) != OK)
        return false;
    if (cert_find(v, serial, &c) != OK || c.status.state != CERT_VALID)
        return false;
    sha256_of(s->spki, key_hash);
    if (memcmp(key_hash, c.key_hash, HASH_LEN) != 0)
        return false;
    if (now_s < c.not_before_s) /* made while the clock was ahead: nobody may use it yet */
        return false;
    left_s = c.status.not_after_s - now_s;
    if (!s->by->config->is_trusted && left_s > ca->role->config.responder_s)
        return false; /* a trusted responder's of before: a delegate's is short-lived */
    return c.status.not_after_s == s->by->not_after_s || left_s > renew_before(ca, s);
}

/* "OCSP rsa-g1", "OCSP rsa-g1 dmz1" */
static void common_name(const struct signer *s, char out[static CN_MAX])
{
    snprintf(out, CN_MAX, "OCSP %s%s%s", s->by->config->id, s->host != NULL ? " " : "",
             s->host != NULL ? s->host : "");
}

/* The issuer's name with another commonName: O=Example UC, CN=OCSP rsa-g1. */
static void write_name(struct buf *b, const struct signer *s)
{
    struct span rest = s->by->subject;
    struct der name, set, attribute, type;
    size_t seq = der_open(b, DER_SEQUENCE), m1, m2;
    char cn[CN_MAX];

    if (der_next(&rest, &name)) {
        while (der_next(&name.body, &set)) {
            struct span body = set.body;

            if (der_next(&body, &attribute) && der_next(&attribute.body, &type) &&
                !span_eq(type.body, span_str("\x55\x04\x03")))
                buf_put_span(b, set.whole);
        }
    }
    common_name(s, cn);
    m1 = der_open(b, DER_SET);
    m2 = der_open(b, DER_SEQUENCE);
    der_put_oid(b, span_str("\x55\x04\x03"));
    der_put(b, DER_UTF8_STRING, span_str(cn));
    der_close(b, m2);
    der_close(b, m1);
    der_close(b, seq);
}

/* "rsa-g1", "rsa-g1 dmz1": the rest of the common name */
static const char *short_name(const char cn[static CN_MAX])
{
    return cn + sizeof "OCSP";
}

/* May this key be certified? Once it was revoked for keyCompromise it may not, by whichever issuer, and what
 * cannot be read may be that. The alarm stands until there is another key, or the issuer ends. */
static bool is_barred(const struct ca *ca, struct view *v, const struct signer *s)
{
    uint8_t key_hash[HASH_LEN], serial[SERIAL_LEN];
    char cn[CN_MAX], hex[SERIAL_HEX_LEN + 1];
    const char *id = s->by->config->id, *at = s->host != NULL ? " of host " : "",
               *host = s->host != NULL ? s->host : "";
    enum err e;

    sha256_of(s->spki, key_hash);
    e = key_compromised(v, key_hash, serial);
    common_name(s, cn);
    if (e == ERR_NOT_FOUND) {
        alarm_clear(ca->role->board, BARRED, short_name(cn));
        return false;
    }
    if (e != OK) {
        alarm_raise(ca->role->board, ALARM_CRITICAL, BARRED, short_name(cn),
                    "what is known of the OCSP key of %s%s%s cannot be read: it is not certified", id, at,
                    host);
        return true;
    }
    hex_encode(span_of(serial, SERIAL_LEN), hex);
    alarm_raise(
        ca->role->board, ALARM_CRITICAL, BARRED, short_name(cn),
        "the OCSP key of %s%s%s was revoked for keyCompromise (%s) and is certified no more: replace it", id,
        at, host, hex);
    return true;
}

struct responder_draft {
    struct buf name, tbs, certificate, text;
    uint8_t serial[SERIAL_LEN];
    struct batch_job job;
};

static void draft_write(struct ca *ca, const struct signer *s, struct responder_draft *d, int64_t now_s)
{
    static const enum eku eku[] = {EKU_OCSP_SIGNING};
    const struct issuing *i = s->by;
    const struct ca_config *config = &ca->role->config;
    struct tbs t = {
        .alg = i->alg,
        .issuer = i->subject,
        .spki = s->spki,
        .not_before_s = now_s - BACKDATE_S > i->not_before_s ? now_s - BACKDATE_S : i->not_before_s,
        .not_after_s = now_s + (i->config->is_trusted ? config->trusted_s : config->responder_s),
        .ku = KU_DIGITAL_SIGNATURE,
        .eku = eku,
        .eku_count = 1,
        .aki = i->ski,
        .nocheck = true,
    };

    if (t.not_after_s > i->not_after_s)
        t.not_after_s = i->not_after_s;
    buf_init(&d->name, 2048);
    buf_init(&d->tbs, 16384);
    buf_init(&d->certificate, 16384);
    buf_init(&d->text, 64);
    write_name(&d->name, s);
    t.subject = buf_span(&d->name);
    serial_new(config->node, t.not_after_s, d->serial);
    memcpy(t.serial, d->serial, SERIAL_LEN);
    tbs_write(&d->tbs, &t);
    d->job = (struct batch_job){.key_id = i->config->id, .tbs = buf_span(&d->tbs)};
}

static void draft_free(struct responder_draft *d)
{
    buf_free(&d->name);
    buf_free(&d->tbs);
    buf_free(&d->certificate);
    buf_free(&d->text);
}

static void draft_record(struct txn *t, const struct signer *s, struct responder_draft *d, int64_t now_s)
{
    const struct issuing *i = s->by;
    char cn[CN_MAX], subject[CN_MAX + 8], detail[128];
    struct cert_about about = {
        .profile = RESPONDER_PROFILE, .requester = "service", .issuer_no = i->no, .now_s = now_s};
    struct audit_row row = {
        .at_s = now_s, .kind = AUDIT_RESPONDER, .has_serial = true, .actor = span_str("service")};
    struct cert c;
    uint64_t number;

    certificate_write(&d->certificate, buf_span(&d->tbs), i->alg,
                      span_of(d->job.answer.signature, d->job.answer.signature_len));
    common_name(s, cn);
    about.der = buf_span(&d->certificate);
    snprintf(subject, sizeof subject, "CN=%s", cn);
    about.cn = span_str(cn);
    about.subject_text = span_str(subject);
    if (!cert_row(&about, &d->text, &c))
        die("the OCSP signer certificate of %s cannot be read back", i->config->id);
    cert_add(t, &c, &number);
    if (s->host == NULL)
        issuer_set_responder(t, i->no, d->serial);
    else
        responder_set(t, i->no, s->host, d->serial);
    snprintf(detail, sizeof detail, "issuer %s%s%s", i->config->id, s->host != NULL ? ", host " : "",
             s->host != NULL ? s->host : "");
    row.detail = span_str(detail);
    memcpy(row.serial, d->serial, SERIAL_LEN);
    audit_append(t, &row);
}

/* False: not now; it is tried again in a minute. */
static bool draft_sign(struct ca *ca, struct responder_draft *d, const char *cn)
{
    enum err e = batch_ask(ca, PORT_CERTIFICATE, &d->job, 1, PROBE_MS);

    if (e == ERR_END)
        die("the signer is gone");
    if (e != OK) {
        log_warn("responder-refused", "the signer does not answer: no certificate of %s yet", cn);
        return false;
    }
    if (d->job.answer.err == OK)
        return true;
    log_error("responder-refused", "the signer refuses the certificate of %s: %s", cn, d->job.answer.reason);
    return false;
}

/* Takes the draft's signature. */
static void renew_record(struct ca *ca, const struct signer *s, struct responder_draft *d, int64_t now_s)
{
    struct txn *t = ca_txn(ca);
    char cn[CN_MAX];

    if (is_barred(ca, txn_view(t), s)) {
        txn_abort(t);
        return;
    }
    draft_record(t, s, d, now_s);
    if (txn_commit(t) != OK)
        die("the commit of an OCSP signer certificate failed");
    common_name(s, cn);
    log_info("responder-renewed", "%s", short_name(cn));
}

static void renew_one(struct ca *ca, const struct signer *s, int64_t now_s)
{
    struct responder_draft d = {0};
    char cn[CN_MAX];

    common_name(s, cn);
    draft_write(ca, s, &d, now_s);
    if (draft_sign(ca, &d, cn))
        renew_record(ca, s, &d, now_s);
    draft_free(&d);
}

/* Nothing is certified any more: there is no key to replace. */
static void clear_ended(const struct ca *ca, const struct issuing *by)
{
    struct signer s = {.by = by};
    char cn[CN_MAX];

    common_name(&s, cn);
    alarm_clear(ca->role->board, BARRED, short_name(cn));
    for (size_t h = 0; h < by->config->host_count; h++) {
        s.host = by->config->hosts[h];
        common_name(&s, cn);
        alarm_clear(ca->role->board, BARRED, short_name(cn));
    }
}

/* Every OCSP key that an issuer of ours certifies now. */
static size_t list_signers(const struct ca *ca, struct signer out[static SIGNERS_MAX], int64_t now_s)
{
    size_t n = 0;

    for (size_t i = 0; i < ca->issuer_count; i++) {
        const struct issuing *by = &ca->issuers[i];

        if (now_s < by->not_before_s || now_s >= by->not_after_s)
            continue;
        if (by->responder_spki.len > 0)
            out[n++] = (struct signer){.by = by, .spki = by->responder_spki};
        for (size_t h = 0; h < by->config->host_count; h++)
            out[n++] = (struct signer){.by = by, .host = by->config->hosts[h], .spki = by->host_spki[h]};
    }
    return n;
}

void responder_renew(struct ca *ca, int64_t now_s)
{
    struct signer signers[SIGNERS_MAX];
    bool due[SIGNERS_MAX] = {false};
    size_t n = list_signers(ca, signers, now_s);
    struct view *v;

    for (size_t i = 0; i < ca->issuer_count; i++)
        if (now_s >= ca->issuers[i].not_after_s)
            clear_ended(ca, &ca->issuers[i]);
    v = ca_view(ca);
    for (size_t i = 0; i < n; i++)
        due[i] = !is_barred(ca, v, &signers[i]) && !is_fresh(ca, v, &signers[i], now_s);
    view_close(v);
    for (size_t i = 0; i < n; i++)
        if (due[i])
            renew_one(ca, &signers[i], now_s);
}
