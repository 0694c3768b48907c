/* SPDX-License-Identifier: Apache-2.0 */
/* decide: what a question leads to, before anything is signed or stored. Reads a view, writes nothing, and
 * draws the serial. */
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "base/clock.h"
#include "base/parts.h"
#include "base/revocation.h"
#include "ca/inner.h"
#include "ca/policy.h"

/* The answer already given under this Idempotency-Key, if there is one. */
static bool repeat(struct ca *ca, struct view *v, struct ask *a, int64_t now_s)
{
    struct idempotent before;
    struct cert c;
    enum err err;

    if (!a->is_idempotent || a->dry_run)
        return false;
    err = idempotent_find(v, a->idempotency, &before);
    if (err == ERR_NOT_FOUND)
        return approval_repeat(ca, v, a, now_s);
    if (err != OK) {
        ask_refuse(a, ERR_INTERNAL, "What this Idempotency-Key was answered cannot be read.");
        return true;
    }
    if (memcmp(before.body, a->body_hash, HASH_LEN) != 0) {
        ask_refuse(a, ERR_POLICY, "This Idempotency-Key was used with another request.");
        return true;
    }
    err = cert_find(v, before.serial, &c);
    if (err == ERR_NOT_FOUND) {
        ask_refuse(a, ERR_CONFLICT,
                   "The certificate of this Idempotency-Key ended long ago and is not kept.");
        return true;
    }
    if (err != OK) {
        ask_refuse(a, ERR_INTERNAL, "The certificate of this Idempotency-Key cannot be read.");
        return true;
    }
    memcpy(a->serial, c.serial, SERIAL_LEN);
    buf_put_span(&a->certificate, c.der);
    a->issuer = issuing_by_no(ca, c.status.issuer_no);
    a->repeated = a->issuer != NULL;
    if (!a->repeated)
        ask_refuse(a, ERR_INTERNAL, "The issuer of this Idempotency-Key's certificate is not configured.");
    return true;
}

static bool listener_name_permitted(const struct ca_config *c, const struct san *san)
{
    char name[DNS_NAME_MAX + 1];
    struct buf text;
    bool fits;

    buf_init(&text, WIRE_MSG_MAX);
    san_text(san, &text);
    fits = span_to_str(buf_span(&text), name, sizeof name);
    buf_free(&text);
    for (size_t i = 0; fits && i < c->listener_name_count; i++)
        if (strcasecmp(c->listener_names[i], name) == 0)
            return true;
    return false;
}

/* The listener's certificate may carry the names of the configuration and no others: the api asks, the ca
 * knows. */
static bool listener_names_permitted(const struct ca *ca, const struct ask *a)
{
    for (size_t i = 0; i < a->facts.san_count; i++)
        if (!listener_name_permitted(&ca->role->config, &a->facts.sans[i]))
            return false;
    return a->facts.san_count > 0;
}

/* Which internal profile may be asked for, and by whom: an administrator without limits may have logins made,
 * nothing else of ours. */
static bool internal_permitted(const struct ask *a)
{
    enum access_role role;

    return a->kind == ASK_LISTENER || (profile_role(a->profile_id, &role) &&
                                       a->who.role == ACCESS_ADMINISTRATOR && scope_is_any(&a->who.scope));
}

/* No path outlives its shortest part, so a certificate ends with its issuer at the latest. Of the listener's
 * own nobody reads the findings, and its life is the configuration's. */
static void cut_life(struct ask *a, struct tbs *t)
{
    char end[CLOCK_TEXT_MAX], got[CLOCK_TEXT_MAX + 32], want[32];
    int64_t asked = a->grant.days;

    if (t->not_after_s <= a->issuer->not_after_s)
        return;
    t->not_after_s = a->issuer->not_after_s;
    if (a->kind == ASK_LISTENER)
        return;
    a->grant.days = (t->not_after_s - t->not_before_s + 1) / DAY_S;
    clock_rfc3339(t->not_after_s, end);
    snprintf(got, sizeof got, "%lld days, to %s", (long long)a->grant.days, end);
    snprintf(want, sizeof want, "%lld days", (long long)asked);
    finding_add(&a->findings, "days.cut", "days", got, want);
}

static void set_life(const struct ca *ca, struct ask *a, struct tbs *t, int64_t now_s)
{
    int64_t life_s = a->kind == ASK_LISTENER ? ca->role->config.listener_s : a->grant.days * DAY_S;

    t->not_before_s = now_s - BACKDATE_S;
    t->not_after_s = t->not_before_s + life_s - 1; /* both ends count, RFC 5280 4.1.2.5 */
    if (t->not_before_s < a->issuer->not_before_s)
        t->not_before_s = a->issuer->not_before_s;
    cut_life(a, t);
}

static void write_tbs(struct ca *ca, struct ask *a, int64_t now_s)
{
    const struct issuing *i = a->issuer;
    struct san from_cn = {.kind = SAN_DNS, .value = a->facts.cn};
    struct buf listener_name;
    char crl_url[CRL_URL_MAX], delta_url[CRL_URL_MAX];
    struct tbs t = {
        .alg = i->alg,
        .issuer = i->subject,
        .subject = a->facts.subject,
        .spki = a->facts.spki,
        .ku = a->grant.ku,
        .eku = a->grant.eku,
        .eku_count = a->grant.eku_count,
        .sans = a->grant.san_from_cn ? &from_cn : a->facts.sans,
        .san_count = a->grant.san_from_cn ? 1 : a->facts.san_count,
        .is_ca = a->grant.is_ca,
        .path_len = 0,
        .aki = i->ski,
        .ocsp_url = i->ocsp_url,
        .issuer_url = i->issuer_url,
        .crl_url = crl_url,
    };

    buf_init(&listener_name, 512);
    if (a->kind == ASK_LISTENER) {
        name_write(&listener_name, NULL, listener_cn(&ca->role->config));
        t.subject = buf_span(&listener_name);
    }
    set_life(ca, a, &t, now_s);
    serial_new(ca->role->config.node, t.not_after_s, a->serial);
    memcpy(t.serial, a->serial, SERIAL_LEN);
    issuing_crl_urls(ca, i, a->serial, crl_url, delta_url);
    if (delta_url[0] != '\0')
        t.delta_url = delta_url;
    tbs_write(&a->tbs, &t);
    buf_free(&listener_name);
}

static const struct issuing *pick_issuer(const struct ca *ca, const struct ask *a)
{
    struct key_kind kind;

    return key_kind_of(a->facts.spki, &kind) ? issuing_for_key(ca, kind.type) : NULL;
}

/* Revoked or on hold (ERR_CONFLICT): nobody would trust what it signs. Its certificate is a row like any
 * other's, unless another CA issued it; a row that cannot be read may say anything. */
static enum err issuer_check(struct view *v, const struct issuing *i)
{
    struct parts parts;
    struct status s;
    enum err e;

    if (!parts_of(buf_span(&i->certificate), &parts) || parts.serial.len != SERIAL_LEN)
        return OK;
    e = status_find(v, parts.serial.data, &s);
    if (e != OK)
        return e == ERR_NOT_FOUND ? OK : ERR_INTERNAL;
    return s.state == CERT_VALID ? OK : ERR_CONFLICT;
}

/* What the policy cannot know: who the issuers are. The signer refuses such a subject too, when every octet
 * is the same, without a word to the client. */
static void check_subject(const struct ca *ca, struct ask *a)
{
    char text[256];

    for (size_t i = 0; i < ca->issuer_count; i++) {
        if (!subject_matches(a->facts.subject, ca->issuers[i].subject))
            continue;
        snprintf(text, sizeof text, "%.*s",
                 (int)(a->facts.subject_text.len < 200 ? a->facts.subject_text.len : 200),
                 a->facts.subject_text.len > 0 ? (const char *)a->facts.subject_text.data : "");
        return finding_add(&a->findings, "name.issuer", "subject", text, "");
    }
}

struct last_cn {
    struct buf text;
    bool is_text;
};

static void keep_cn(const struct attribute *a, void *arg)
{
    struct last_cn *last = arg;

    if (!attribute_is_cn(a))
        return;
    buf_reset(&last->text);
    last->is_text = attribute_text(a, &last->text);
}

/* The rules hold for the common name as the api tells it, and what is issued is the subject: an api that is
 * not ours any more could tell another. Of several the last, as it does; another rule refuses them. */
static bool says_its_cn(const struct facts *f)
{
    struct last_cn last = {.is_text = true};
    bool says;

    buf_init(&last.text, 4 * f->subject.len);
    says = subject_each(f->subject, keep_cn, &last) && last.is_text && span_eq(buf_span(&last.text), f->cn);
    buf_free(&last.text);
    return says;
}

/* From here on the request is as if it had been made without. */
static void drop_units(struct ask *a)
{
    if (!a->grant.drops_ou)
        return;
    buf_init(&a->subject, WIRE_MSG_MAX);
    buf_init(&a->subject_text, WIRE_MSG_MAX);
    subject_without_ou(a->facts.subject, &a->subject);
    subject_text_without_ou(a->facts.subject_text, &a->subject_text);
    a->facts.subject = buf_span(&a->subject);
    a->facts.subject_text = buf_span(&a->subject_text);
}

static void refuse_by_findings(struct ask *a)
{
    if (a->err == OK && findings_refuse(&a->findings) && !a->dry_run)
        ask_refuse(a, ERR_POLICY, "The profile refuses this request.");
}

/* The profile, when whoever asks may have it; else NULL, refused. */
static const struct profile *permitted_profile(const struct ca *ca, struct ask *a)
{
    const struct profile *p = profile_find(&ca->role->catalogue, a->profile_id);

    if (p == NULL)
        ask_refuse(a, ERR_NOT_FOUND, "There is no such profile.");
    else if (p->is_internal && !internal_permitted(a))
        access_deny(
            a, "This profile is the service's own: logins are made by an administrator whom no scope limits, "
               "the others by the service itself.");
    else if (a->kind == ASK_LISTENER && !listener_names_permitted(ca, a))
        ask_refuse(a, ERR_FORBIDDEN, "The listener asked for names that are not its own.");
    return a->err == OK ? p : NULL;
}

/* Every rule that looks at the request: the profile's, and those that need issuers and store. */
static void hold_request(const struct ca *ca, struct view *v, const struct profile *p, struct ask *a)
{
    profile_check(p, &a->facts, a->days, &a->grant, &a->findings);
    drop_units(a);
    if (a->kind != ASK_LISTENER)
        check_subject(ca, a);
    if (key_history_check(v, &a->facts, &a->findings) != OK)
        ask_refuse(a, ERR_INTERNAL, "What is known of this key cannot be read.");
}

void decide_issuer(struct view *v, struct ask *a)
{
    enum err e = issuer_check(v, a->issuer);

    if (e == ERR_CONFLICT)
        ask_refuse(a, e, "The issuer's certificate is revoked or on hold.");
    else if (e != OK)
        ask_refuse(a, e, "The state of the issuer's certificate cannot be read.");
}

static void pick_usable_issuer(const struct ca *ca, struct view *v, struct ask *a, int64_t now_s)
{
    a->issuer = pick_issuer(ca, a);
    if (a->issuer == NULL)
        ask_refuse(a, ERR_POLICY, "No issuer is configured for this kind of key.");
    else if (now_s < a->issuer->not_before_s || now_s >= a->issuer->not_after_s)
        ask_refuse(a, ERR_UNAVAILABLE, "The issuer's certificate is not valid now.");
    else
        decide_issuer(v, a);
}

void decide_issue(struct ca *ca, struct view *v, struct ask *a, int64_t now_s)
{
    const struct profile *p;

    if (repeat(ca, v, a, now_s))
        return;
    p = permitted_profile(ca, a);
    if (p != NULL && a->kind != ASK_LISTENER && !says_its_cn(&a->facts)) /* a listener's is written here */
        return ask_refuse(a, ERR_POLICY, "The common name is not the one of the subject.");
    if (p == NULL || !access_covers(a, scope_has_profile(&a->who.scope, a->profile_id), "this profile") ||
        !access_covers(a, scope_has_facts(&a->who.scope, &a->facts), "every name of this request"))
        return;
    hold_request(ca, v, p, a);
    if (a->err != OK || findings_refuse(&a->findings))
        return refuse_by_findings(a);
    pick_usable_issuer(ca, v, a, now_s);
    if (a->err != OK ||
        !access_covers(a, scope_has_issuer(&a->who.scope, a->issuer->config->id), "the issuer for this key"))
        return;
    write_tbs(ca, a, now_s);
    if (buf_end(&a->tbs) != OK)
        return ask_refuse(a, ERR_TOO_LARGE, "The certificate would be too large.");
    lint_check(buf_span(&a->tbs), p->is_cisco, &a->findings);
    refuse_by_findings(a);
    if (a->err == OK && p->needs_approval && a->kind == ASK_ISSUE && !a->dry_run)
        approval_wait(a, NULL);
}

void decide_key(struct view *v, struct ask *a)
{
    if (key_compromise_check(v, &a->facts, &a->findings) != OK)
        ask_refuse(a, ERR_INTERNAL, "What is known of this key cannot be read.");
    else
        refuse_by_findings(a);
}

static struct revocation revocation_of(const struct status *s)
{
    return (struct revocation){.is_revoked = s->state != CERT_VALID,
                               .reason = s->state == CERT_HELD ? REASON_CERTIFICATE_HOLD : s->reason};
}

static void take_verdict(struct ask *a, struct revocation_verdict v)
{
    a->changed = v.changes;
    if (v.err != OK)
        ask_refuse(a, v.err, v.text);
}

static bool covers_serial(struct view *v, const struct ask *a)
{
    struct cert c;

    return scope_is_any(&a->who.scope) ||
           (cert_find(v, a->serial, &c) == OK && scope_has_cert(&a->who.scope, v, &c));
}

/* What the transaction will read is read here, where damage is a refusal: there it ends the service. */
static void decide_move(struct view *v, struct ask *a)
{
    enum reason reason = a->kind == ASK_REVOKE ? a->reason : REASON_UNSPECIFIED;

    if (cert_check_move(v, a->serial, reason) == OK)
        return;
    a->changed = false;
    ask_refuse(a, ERR_INTERNAL, "What this would change cannot be read: the log names the damaged row.");
}

void decide_revocation(struct view *v, struct ask *a, int64_t now_s)
{
    struct status s;
    enum err e = status_find(v, a->serial, &s);

    a->err = OK;
    a->changed = false;
    if (e == ERR_NOT_FOUND)
        return ask_refuse(a, ERR_NOT_FOUND, "There is no such certificate.");
    if (e != OK)
        return ask_refuse(a, ERR_INTERNAL, "The status of this certificate cannot be read.");
    if (!covers_serial(v, a))
        return access_hide(a, "There is no such certificate."); /* he cannot see it either */
    take_verdict(a, a->kind == ASK_REVOKE
                        ? revocation_revoke(revocation_of(&s), a->reason, a->invalidity_s, now_s)
                        : revocation_unhold(revocation_of(&s)));
    if (a->err == OK && a->changed)
        decide_move(v, a);
}
