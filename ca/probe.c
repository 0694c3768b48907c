/* SPDX-License-Identifier: Apache-2.0 */
/*
 * probe: does the signer answer, all of it? Asked before the port is used in a way that waits, because a
 * signer, or one of its processes, that is there and does nothing must not keep the ca from what needs no
 * signature: a revocation. What was asked and not answered in time stays on its way and is counted when it
 * comes.
 */
#include <errno.h>
#include <poll.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "ca/inner.h"

#define PROBE_MS 2000                 /* a signature takes milliseconds; a busy machine is given more */
#define PROBE_BIT ((uint64_t)1 << 63) /* numbers that no flight has */
#define ALARM "signer.silent"

bool probe_answered(struct ca *ca, const struct port_answer *answer)
{
    if ((answer->number & PROBE_BIT) == 0 || ca->probe.left == 0)
        return false;
    ca->probe.left--;
    ca->probe.has_failed = ca->probe.has_failed || answer->err != OK;
    return true;
}

static void send_all(struct ca *ca, size_t keys)
{
    ca->probe.has_failed = false;
    for (size_t i = 0; i < keys && i < ca->issuer_count; i++) {
        enum err e = port_ask(ca->role->port_fd, PORT_PROBE, PROBE_BIT | ++ca->probe.numbers,
                              ca->issuers[i].config->id, (struct span){0});

        if (e == ERR_END)
            die("the signer is gone");
        ca->probe.has_failed = ca->probe.has_failed || e != OK;
        ca->probe.left += e == OK;
    }
}

/* The oldest question that is out; 0: none. */
static uint64_t oldest(const struct ca *ca)
{
    return ca->flights.count > 0 ? ca->flights.asks[0]->number_signed : 0;
}

static bool is_stuck(const struct ca *ca)
{
    return ca->probe.stuck != 0 && ca->probe.stuck == oldest(ca);
}

static void tell(const struct ca *ca)
{
    if (ca->probe.left > 0)
        alarm_raise(ca->role->board, ALARM_CRITICAL, ALARM, "", "no answer for %d s: nothing is signed",
                    PROBE_MS / 1000);
    else if (is_stuck(ca))
        alarm_raise(ca->role->board, ALARM_WARNING, ALARM, "",
                    "one signature does not come: a signing process hangs; until it goes on, or a restart, "
                    "the audit is not sealed and OCSP signers get no new certificates");
    else
        alarm_clear(ca->role->board, ALARM, "");
}

static bool is_probed(const struct ca *ca)
{
    return ca->probe.left == 0;
}

static bool is_empty(const struct ca *ca)
{
    return ca->flights.count == 0;
}

/* Until that holds, or nothing has landed for so long. */
static void await(struct ca *ca, bool (*holds)(const struct ca *), int wait_ms, landed_fn *landed, void *arg)
{
    struct pollfd fd = {.fd = ca->role->port_fd, .events = POLLIN};
    int64_t until_ms = clock_monotonic_ms() + wait_ms;

    for (;;) {
        struct ask *a;
        int64_t left_ms;

        while ((a = flight_land(ca)) != NULL) {
            landed(arg, a);
            until_ms = clock_monotonic_ms() + wait_ms;
        }
        left_ms = until_ms - clock_monotonic_ms();
        if (holds(ca) || left_ms <= 0)
            return;
        if (poll(&fd, 1, (int)left_ms) < 0 && errno != EINTR)
            die("poll: %s", strerror(errno));
    }
}

bool probe_signer(struct ca *ca, size_t keys, landed_fn *landed, void *arg)
{
    bool was_silent = ca->probe.left > 0; /* it has had its time */

    if (!was_silent)
        send_all(ca, keys);
    await(ca, is_probed, was_silent ? 0 : PROBE_MS, landed, arg);
    tell(ca);
    return ca->probe.left == 0 && !ca->probe.has_failed;
}

bool probe_free(struct ca *ca, landed_fn *landed, void *arg)
{
    await(ca, is_empty, is_stuck(ca) ? 0 : PROBE_MS, landed, arg);
    ca->probe.stuck = oldest(ca);
    tell(ca);
    return ca->probe.stuck == 0;
}
