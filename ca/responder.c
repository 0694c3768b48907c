/* SPDX-License-Identifier: Apache-2.0 */
/*
 * responder: certificates of the delegated OCSP signers (RFC 6960 4.2.2.2): one per issuer, signed by that
 * issuer, short-lived, with ocsp-nocheck, renewed at half their life so that a week of trouble goes unnoticed
 * by clients.
 */
#include <stdio.h>
#include <string.h>

#include "base/der.h"
#include "base/log.h"
#include "base/parts.h"
#include "ca/inner.h"

#define BACKDATE_S 300 /* as for leaves: clients whose clock runs late */

static bool is_fresh(const struct ca *ca, struct view *v, const struct issuing *i, int64_t now_s)
{
    static const uint8_t none[SERIAL_LEN];
    struct issuer row;
    struct cert c;
    uint8_t key_hash[HASH_LEN];

    if (issuer_find_no(v, i->no, &row) != OK || memcmp(row.responder, none, SERIAL_LEN) == 0)
        return false;
    if (cert_find(v, row.responder, &c) != OK || c.status.state != CERT_VALID)
        return false;
    sha256_of(i->responder_spki, key_hash);
    if (memcmp(key_hash, c.key_hash, HASH_LEN) != 0)
        return false;
    if (now_s < c.not_before_s) /* made while the clock was ahead: nobody may use it yet */
        return false;
    return c.status.not_after_s == i->not_after_s ||
           c.status.not_after_s - now_s > ca->role->config.responder_s / 2;
}

/* The issuer's name with another commonName: O=Example UC, CN=OCSP rsa-g1. */
static void write_name(struct buf *b, const struct issuing *i)
{
    struct span rest = i->subject;
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
    snprintf(cn, sizeof cn, "OCSP %s", i->config->id);
    m1 = der_open(b, DER_SET);
    m2 = der_open(b, DER_SEQUENCE);
    der_put_oid(b, span_str("\x55\x04\x03"));
    der_put(b, DER_UTF8_STRING, span_str(cn));
    der_close(b, m2);
    der_close(b, m1);
    der_close(b, seq);
}

struct responder_draft {
    struct buf name, tbs, certificate, text;
    uint8_t serial[SERIAL_LEN];
    struct port_job job;
};

static void draft_write(struct ca *ca, const struct issuing *i, struct responder_draft *d, int64_t now_s)
{
    static const enum eku eku[] = {EKU_OCSP_SIGNING};
    struct tbs t = {
        .alg = i->alg,
        .issuer = i->subject,
        .spki = i->responder_spki,
        .not_before_s = now_s - BACKDATE_S > i->not_before_s ? now_s - BACKDATE_S : i->not_before_s,
        .not_after_s = now_s + ca->role->config.responder_s,
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
    write_name(&d->name, i);
    t.subject = buf_span(&d->name);
    serial_new(ca->role->config.node, t.not_after_s, d->serial);
    memcpy(t.serial, d->serial, SERIAL_LEN);
    tbs_write(&d->tbs, &t);
    d->job = (struct port_job){.key_id = i->config->id, .tbs = buf_span(&d->tbs)};
}

static void draft_free(struct responder_draft *d)
{
    buf_free(&d->name);
    buf_free(&d->tbs);
    buf_free(&d->certificate);
    buf_free(&d->text);
}

static void draft_record(struct txn *t, const struct issuing *i, struct responder_draft *d, int64_t now_s)
{
    char cn[CN_MAX], subject[CN_MAX + 8], detail[64];
    struct cert_about about = {
        .profile = "chancery/ocsp", .requester = "service", .issuer_no = i->no, .now_s = now_s};
    struct audit_row row = {
        .at_s = now_s, .kind = AUDIT_RESPONDER, .has_serial = true, .actor = span_str("service")};
    struct cert c;
    uint64_t number;

    certificate_write(&d->certificate, buf_span(&d->tbs), i->alg,
                      span_of(d->job.answer.signature, d->job.answer.signature_len));
    snprintf(cn, sizeof cn, "OCSP %s", i->config->id);
    about.der = buf_span(&d->certificate);
    snprintf(subject, sizeof subject, "CN=%s", cn);
    about.cn = span_str(cn);
    about.subject_text = span_str(subject);
    if (!cert_row(&about, &d->text, &c))
        die("the OCSP signer certificate of %s cannot be read back", i->config->id);
    cert_add(t, &c, &number);
    issuer_set_responder(t, i->no, d->serial);
    snprintf(detail, sizeof detail, "issuer %s", i->config->id);
    row.detail = span_str(detail);
    memcpy(row.serial, d->serial, SERIAL_LEN);
    audit_append(t, &row);
}

static void renew_one(struct ca *ca, const struct issuing *i, int64_t now_s)
{
    struct responder_draft d = {0};
    struct txn *t = NULL;

    draft_write(ca, i, &d, now_s);
    if (port_batch(ca->role->port_fd, PORT_CERTIFICATE, &d.job, 1) != OK)
        die("the signer is gone");
    if (d.job.answer.err != OK) {
        log_error("responder-refused", "%s: the signer refuses its OCSP signer certificate: %s",
                  i->config->id, d.job.answer.reason);
        draft_free(&d);
        return;
    }
    if (txn_begin(ca->store, &t) != OK)
        die("the store refuses a transaction");
    draft_record(t, i, &d, now_s);
    if (txn_commit(t) != OK)
        die("the commit of an OCSP signer certificate failed");
    log_info("responder-renewed", "%s", i->config->id);
    draft_free(&d);
}

void responder_renew(struct ca *ca, int64_t now_s)
{
    bool due[ISSUERS_MAX] = {false};
    struct view *v = NULL;

    if (view_open(ca->store, &v) != OK)
        die("the store cannot be read");
    for (size_t i = 0; i < ca->issuer_count; i++)
        due[i] = ca->issuers[i].responder_spki.len > 0 && now_s >= ca->issuers[i].not_before_s &&
                 now_s < ca->issuers[i].not_after_s && !is_fresh(ca, v, &ca->issuers[i], now_s);
    view_close(v);
    for (size_t i = 0; i < ca->issuer_count; i++)
        if (due[i])
            renew_one(ca, &ca->issuers[i], now_s);
}
