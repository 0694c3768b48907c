/* SPDX-License-Identifier: Apache-2.0 */
/*
 * probe: does the signer answer, all of it? One that is there and does nothing must not keep the ca from what
 * needs no signature, a revocation: while it is silent it is asked again now and then, and hardly waited for.
 * One process of several that hangs keeps what it took, and the others go on: that is told, and no more.
 */
#include "base/clock.h"
#include "base/log.h"
#include "ca/inner.h"

#define AGAIN_MS 10000 /* between questions to a silent signer */
#define GLANCE_MS 200  /* what it is given then: one that is there again needs milliseconds */
#define LATE_MAX                                                                                             \
    64 /* answers that are out: so many fit its wire, and it has enough to show that it is back */
#define ALARM "signer.silent"

static bool is_hanging(const struct ca *ca)
{
    return ca->batches.late > 0 ||
           (ca->flights.sent > 0 && flight_is_late(ca->flights.asks[0], clock_monotonic_ms()));
}

static void tell(const struct ca *ca)
{
    if (ca->probe.is_silent)
        alarm_raise(ca->role->board, ALARM_CRITICAL, ALARM, "", "no answer for %d s: nothing is signed",
                    PROBE_MS / 1000);
    else if (is_hanging(ca))
        alarm_raise(
            ca->role->board, ALARM_WARNING, ALARM, "",
            "a question has no answer while later ones have: a signing process hangs, the others go on");
    else
        alarm_clear(ca->role->board, ALARM, "");
}

/* A silent one that owes answers is asked again seldom, and only so often. */
static bool may_ask(const struct ca *ca, size_t keys)
{
    return !ca->probe.is_silent || !is_hanging(ca) ||
           (clock_monotonic_ms() >= ca->probe.again_ms && ca->batches.late + keys <= LATE_MAX);
}

static bool all_signed(const struct batch_job *jobs, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (jobs[i].answer.err != OK)
            return false;
    return true;
}

bool probe_signer(struct ca *ca, size_t keys)
{
    size_t n = keys < ca->issuer_count ? keys : ca->issuer_count;
    struct batch_job jobs[ISSUERS_MAX] = {0};
    bool is_glance;
    enum err e = flights_receive(ca); /* what has come late says that it is back */

    if (e == OK && !may_ask(ca, n))
        return false;
    is_glance = ca->probe.is_silent && is_hanging(ca);
    for (size_t i = 0; i < n; i++)
        jobs[i].key_id = ca->issuers[i].config->id;
    if (e == OK)
        e = batch_ask(ca, PORT_PROBE, jobs, n, is_glance ? GLANCE_MS : PROBE_MS);
    if (e == ERR_END)
        die("the signer is gone");
    ca->probe.is_silent = e != OK;
    ca->probe.again_ms = clock_monotonic_ms() + AGAIN_MS;
    tell(ca);
    return !ca->probe.is_silent && all_signed(jobs, n);
}
