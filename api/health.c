/* SPDX-License-Identifier: Apache-2.0 */
/*
 * health: is the service alive, and can it do its work? /readyz asks the ca, which signs with every CA key
 * and reads the store, then looks at everything that ends by itself: CRLs, OCSP signers, issuers, the
 * listener's certificate.
 */
#include <stdio.h>
#include <string.h>

#include "api/api.h"
#include "api/checks.h"
#include "api/role.h"
#include "base/clock.h"

struct report {
    struct call *call;
    struct view *view;
    struct checks checks;
    bool is_unready; /* a check of this service itself is critical */
    int64_t now_s;
};

static void add_end(struct report *r, const char *kind, const char *id, int64_t end_s, int64_t warn_s,
                    int64_t life_s)
{
    checks_add_end(&r->checks, kind, id, end_s, ending_judge(end_s, r->now_s, warn_s, life_s));
}

static int64_t overlap_of(const struct crl_config *config, const char *id)
{
    const struct crl_issuer *i = crl_issuer_find(config, id);

    return i != NULL ? i->overlap_s : 0;
}

/* A run that is later than a quarter of the overlap will be missed by nobody else. */
static void check_crl(struct report *r, const struct issuer *i)
{
    int64_t overlap_s = overlap_of(&r->call->api->config->crl, i->id);
    struct crl_state s;

    if (crl_state_find(r->view, i->no, &s) != OK || s.number == 0)
        checks_add(&r->checks, "crl", i->id, LEVEL_CRITICAL, "none is published");
    else
        add_end(r, "crl", i->id, s.next_update_s, overlap_s - overlap_s / 4, 0);
}

/* `retired_end_s`: of an issuer that issues no more; NO_TIME: it does. */
static void check_signer(struct report *r, const struct issuer *i, int64_t retired_end_s)
{
    struct status s;

    if (status_find(r->view, i->responder, &s) != OK)
        checks_add(&r->checks, "ocsp", i->id, LEVEL_CRITICAL, "no signer has a certificate");
    else if (s.state != CERT_VALID)
        checks_add(&r->checks, "ocsp", i->id, LEVEL_CRITICAL, "the signer's certificate is revoked");
    else if (retired_end_s != NO_TIME && roster_lets_signer_end(retired_end_s, s.not_after_s, r->now_s))
        checks_add_end(&r->checks, "ocsp", i->id, s.not_after_s, ENDING_FAR);
    else
        checks_add_end(&r->checks, "ocsp", i->id, s.not_after_s,
                       signer_ending(&r->call->api->config->ca, i->id, s.not_after_s, r->now_s));
}

/* Nothing is issued by it any more; its CRL and OCSP go on. */
static bool is_withdrawn(struct view *v, const struct x509_info *info)
{
    uint8_t serial[SERIAL_LEN];
    struct status s;

    return serial_read(info->serial, serial) && status_find(v, serial, &s) == OK && s.state != CERT_VALID;
}

/* It issues no more, and ends as it should. */
static void check_retired(struct report *r, const struct issuer *i, bool is_withdrawn, int64_t end_s)
{
    char text[CLOCK_TEXT_MAX];

    clock_rfc3339(end_s, text);
    checks_add(&r->checks, "issuer", i->id, LEVEL_OK, "%s%s; nothing is issued under it",
               is_withdrawn       ? "revoked or on hold, "
               : r->now_s > end_s ? "ended "
                                  : "until ",
               is_withdrawn ? "until its end" : text);
}

/* One that the configuration does not have is nobody's business, unless it was to be there. */
static bool is_configured(struct report *r, const struct issuer *i)
{
    if (config_has_issuer(r->call->api->config, i->id))
        return true;
    if (roster_is_begun(r->view, i))
        checks_add(&r->checks, "issuer", i->id, LEVEL_WARNING,
                   "in the store and not in chancery.xml: ca renew made it and did not come to an end");
    return false;
}

static bool check_issuer(const struct issuer *i, void *arg)
{
    struct report *r = arg;
    struct x509_info info;
    bool is_retired = roster_is_retired(&r->call->api->config->ca, i->id);
    int64_t end_s;

    if (!is_configured(r, i))
        return true;

    if (x509_info_read(i->certificate, &info) != OK) {
        checks_add(&r->checks, "issuer", i->id, LEVEL_CRITICAL, "its certificate cannot be read");
        return true;
    }
    if (is_retired)
        check_retired(r, i, is_withdrawn(r->view, &info), info.not_after_s);
    else if (is_withdrawn(r->view, &info))
        checks_add(&r->checks, "issuer", i->id, LEVEL_WARNING,
                   "its certificate is revoked or on hold: it issues nothing");
    else
        add_end(r, "issuer", i->id, info.not_after_s, ENDING_ISSUER_S, 0);
    end_s = info.not_after_s;
    x509_info_free(&info);
    check_crl(r, i);
    if (!is_retired || r->now_s <= end_s)
        check_signer(r, i, is_retired ? end_s : NO_TIME);
    return true;
}

static void check_store(struct report *r)
{
    struct store_counts n;

    if (view_open(r->call->api->store, &r->view) != OK) {
        checks_add(&r->checks, "store", "", LEVEL_CRITICAL, "cannot be read");
        return;
    }
    if (store_count(r->view, &n) != OK)
        checks_add(&r->checks, "store", "", LEVEL_CRITICAL, "cannot be counted");
    else
        checks_add(&r->checks, "store", "", LEVEL_OK, "%llu certificates",
                   (unsigned long long)n.certificates);
    if (issuer_each(r->view, check_issuer, r) != OK)
        checks_add(&r->checks, "issuers", "", LEVEL_CRITICAL, "cannot be read");
    view_close(r->view);
}

static bool is_issued(const struct ca_config *c, const char *kind)
{
    return ca_issuer_for(c, strcmp(kind, "rsa") == 0 ? KEY_RSA : KEY_EC) != NULL;
}

/* The next one comes at once, or is known not to. A site may have no issuer for one kind of key, and the
 * service is ready all the same. */
static void check_listener_kind(struct report *r, const struct listener_kind *k)
{
    if (!k->is_usable && !is_issued(&r->call->api->config->ca, k->name))
        checks_add(&r->checks, "listener", k->name, LEVEL_OK, "no issuer signs this kind of key");
    else if (!k->is_usable && !k->is_failed)
        checks_add(&r->checks, "listener", k->name, LEVEL_OK, "it is asked for");
    else if (k->is_revoked)
        checks_add(&r->checks, "listener", k->name, LEVEL_CRITICAL, "revoked or on hold");
    else if (k->not_after_s == NO_TIME)
        checks_add(&r->checks, "listener", k->name, LEVEL_WARNING, "none can be had");
    else
        add_end(r, "listener", k->name, k->not_after_s, ENDING_LISTENER_S,
                r->call->api->config->ca.listener_s);
}

static void check_listener(struct report *r)
{
    bool is_served = false;

    for (size_t i = 0; i < LISTENER_KINDS; i++) {
        const struct listener_kind *k = listener_kind_at(r->call->api->listener, i);

        is_served = is_served || (k != NULL && k->is_usable);
        if (k != NULL)
            check_listener_kind(r, k);
    }
    if (!is_served)
        checks_add(&r->checks, "listener", "", LEVEL_CRITICAL, "HTTPS has no certificate");
}

/* Nothing can be asked of a service that records nothing, or lets nobody in. */
static bool bars_clients(const struct alarm_shown *a)
{
    return a->level == ALARM_CRITICAL &&
           (strcmp(a->code, DISK_ALARM) == 0 || strcmp(a->code, MAP_ALARM) == 0 ||
            strcmp(a->code, PERMITS_ALARM) == 0);
}

/* What the alarms are about is for people: a list that a distant server shows wrongly takes no balancer away
 * from a service that works, nor keeps one from starting. A full disk is another thing. */
static bool add_alarm(const struct alarm_shown *a, void *arg)
{
    struct report *r = arg;

    r->is_unready = r->is_unready || bars_clients(a);
    checks_add_alarm(&r->checks, a);
    return true;
}

/* One that is not as configured is an alarm of the supervisor's. */
static void check_confinement(struct report *r)
{
    const struct api_role *role = r->call->api->role;
    char text[128];

    for (enum role_id id = 0; id < ROLE_COUNT; id++)
        if (role_confinement(id, role->boards, role->board_count, text, sizeof text))
            checks_add(&r->checks, "confinement", role_kinds[id].name, LEVEL_OK, "%s", text);
}

/* What the roles have raised themselves. */
static void check_alarms(struct report *r)
{
    const struct api_role *role = r->call->api->role;

    for (size_t i = 0; i < role->board_count; i++)
        if (role->boards[i] != NULL)
            board_each_alarm(role->boards[i], add_alarm, r);
}

static void reply(struct report *r)
{
    call_json(r->call, r->is_unready ? 503 : 200, checks_end(&r->checks), NULL);
}

static void finish(const char *ca_fault, void *arg)
{
    struct call *c = arg;
    struct report r = {.call = c, .now_s = c->api->now_s()};

    checks_begin(&r.checks);
    if (ca_fault == NULL)
        checks_add(&r.checks, "ca", "", LEVEL_OK, "signed with every key and read the store");
    else
        checks_add(&r.checks, "ca", "", LEVEL_CRITICAL, "%s", ca_fault);
    check_store(&r);
    check_listener(&r);
    r.is_unready = r.checks.worst == LEVEL_CRITICAL;
    check_confinement(&r);
    check_alarms(&r);
    reply(&r);
}

void readyz_get(struct call *c)
{
    pulse_ask(c->api->pulse, finish, c);
}

void livez_get(struct call *c)
{
    struct report r = {.call = c};

    checks_begin(&r.checks);
    checks_add(&r.checks, "process", "", LEVEL_OK, "answers");
    reply(&r);
}
