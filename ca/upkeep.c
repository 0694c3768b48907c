/* SPDX-License-Identifier: Apache-2.0 */
/* upkeep: what the only writer does besides answering: at its start, once a minute, and on SIGHUP. */
#include <string.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "ca/inner.h"

#define IDEMPOTENCY_S DAY_S /* how long an Idempotency-Key is remembered: a day of retries */
#define TOKEN_KEPT_S                                                                                         \
    (90 * DAY_S)         /* an ended token: whose it was must be known for as long as its requests may wait; \
                            one that made another stays until that one has gone */
#define PRUNE_MOST 1000u /* rows of one transaction, so that it never holds up a turn for long */
#define ANSWERS_MS                                                                                           \
    250 /* of one upkeep: some thousands of answers. 1,000 a minute are fewer than are issued without haste  \
         */

/* All that is gone for good because of the time. True: there are more answers than that. */
static bool forget(struct ca *ca, struct txn *t, int64_t now_s)
{
    bool has_more = idempotent_prune(t, now_s - IDEMPOTENCY_S, PRUNE_MOST);

    approval_expire(t, now_s);
    prune_turn(ca, t, now_s);
    token_prune(t, now_s - TOKEN_KEPT_S, PRUNE_MOST);
    return has_more;
}

/* In transactions of their own: each uses the pages again that those before have freed. */
static void forget_answers(struct ca *ca, int64_t now_s)
{
    int64_t end_ms = clock_monotonic_ms() + ANSWERS_MS;
    struct txn *t;
    bool has_more;

    do {
        t = ca_txn(ca);
        has_more = idempotent_prune(t, now_s - IDEMPOTENCY_S, PRUNE_MOST);
        if (txn_commit(t) != OK)
            die("the commit of the upkeep failed");
    } while (has_more && clock_monotonic_ms() < end_ms);
}

void upkeep_run(struct ca *ca, bool signer_answers, int64_t now_s)
{
    struct txn *t;
    bool has_more = false;

    store_maintain(ca->store);
    disk_look(ca);
    if (ca->no_room != NULL)
        return;
    if (signer_answers)
        responder_renew(ca, now_s);
    endings_check(ca, now_s);
    t = ca_txn(ca);
    if (!doubt_look(ca, t, now_s, clock_monotonic_ms() / 1000))
        has_more = forget(ca, t, now_s);
    publish_prune(ca, t);
    copies_mark(ca, t);
    if (txn_commit(t) != OK)
        die("the commit of the upkeep failed");
    if (has_more)
        forget_answers(ca, now_s);
    approval_post(ca, now_s);
    if (signer_answers)
        sealing_turn(ca, now_s);
    copies_turn(ca);
    publish_nudge_due(ca);
}

/* What certificates would name and no list could carry is not taken; the rest is, so that logins are the same
 * here and in the api. */
static void config_take(struct ca *ca, const struct ca_config *fresh)
{
    char old_url[sizeof fresh->public_url];
    uint64_t since = ca->next_desk_number;
    struct fault f = {0};
    bool is_renamed;

    strcpy(old_url, ca->role->config.public_url);
    is_renamed = strcmp(old_url, fresh->public_url) != 0;
    ca->role->config = *fresh;
    if (issuing_set_urls(ca, &f) == OK) {
        if (is_renamed)
            publish_renamed_deltas(ca, since);
        return;
    }
    log_warn("reload", "%s: certificates go on naming %s", f.detail, old_url);
    strcpy(ca->role->config.public_url, old_url);
    if (issuing_set_urls(ca, &f) != OK)
        die("the addresses in force cannot be taken again");
}

void upkeep_reload(struct ca *ca, int signal_fd)
{
    struct signalfd_siginfo info;
    struct catalogue fresh = {0};
    struct ca_config config;
    struct fault f = {0};
    struct txn *t;

    if (read(signal_fd, &info, sizeof info) != sizeof info || ca->role->reload == NULL)
        return;
    if (!ca->role->reload(ca->role->reload_arg, &config, &fresh))
        return; /* said by whoever read it; what was in force stays */
    catalogue_free(&ca->role->catalogue);
    ca->role->catalogue = fresh;
    if (ca_config_same_issuers(&ca->role->config, &config)) {
        config_take(ca, &config);
    } else if (!issuing_would_start(ca, &config, &f)) {
        log_error("reload", "%s: a start refuses that, profiles alone are taken", f.detail);
    } else {
        log_warn("reload", "the issuers differ: profiles alone are taken before a restart");
    }
    memcpy(ca->role->config.digests.catalogue, config.digests.catalogue, HASH_LEN); /* taken in any case */
    log_info("reloaded", "%zu profiles", fresh.count);
    t = ca_txn(ca);
    taken_config(t, "ca", &ca->role->config.digests, true, clock_now_s());
    if (txn_commit(t) != OK)
        die("the commit of a configuration's audit row failed");
}

void upkeep_start(struct ca *ca, int64_t now_s)
{
    struct audit_row row = {.at_s = now_s,
                            .kind = AUDIT_START,
                            .actor = span_str("service"),
                            .detail = span_str("version " CHANCERY_VERSION)};
    struct txn *t = ca_txn(ca);

    audit_append(t, &row);
    taken_config(t, "ca", &ca->role->config.digests, false, now_s);
    if (txn_commit(t) != OK)
        die("the first commit failed");
}
