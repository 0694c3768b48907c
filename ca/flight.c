/* SPDX-License-Identifier: Apache-2.0 */
/*
 * flight: certificates at the signer. A question is sent the moment it is decided and lands when its
 * signature is back, so the signing processes work while the ca decides, commits and answers. They come back
 * in any order.
 */
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "ca/inner.h"

/* ---- out ---- */

static enum err send_one(struct ca *ca, struct ask *a)
{
    enum err e = port_ask(ca->role->port_fd, PORT_CERTIFICATE, a->number_signed, a->issuer->config->id,
                          buf_span(&a->tbs));

    if (e == ERR_END)
        die("the signer is gone");
    if (e == OK)
        a->sent_ms = clock_monotonic_ms();
    return e;
}

/* A structure that no message holds is refused here: policy bounds it far below. */
static void refuse(struct ask *a, const char *reason)
{
    log_error("signer-refused", "profile %s: %s", a->profile_id, reason);
    ask_refuse(a, ERR_INTERNAL, "The signer refused what it was asked to sign.");
}

static void flights_send(struct ca *ca)
{
    struct flights *f = &ca->flights;

    while (f->sent < f->count && f->sent < PORT_WINDOW) {
        enum err e = send_one(ca, f->asks[f->sent]);

        if (e == ERR_UNAVAILABLE && f->sent + ca->batches.late > 0)
            return; /* the wire is full: the next answer makes room */
        if (e != OK)
            die("a question to the signer cannot be sent");
        f->sent++;
    }
}

bool flight_start(struct ca *ca, struct ask *a)
{
    struct flights *f = &ca->flights;

    if (a->tbs.len > FLIGHT_TBS_MAX) {
        refuse(a, "port: larger than a message");
        return false;
    }
    if (f->count == 0)
        f->landed_ms = clock_monotonic_ms();
    a->is_signing = true;
    a->number_signed = ++f->numbers;
    f->asks[f->count++] = a;
    flights_send(ca);
    return true;
}

/* ---- back ---- */

static struct ask *take(struct flights *f, uint64_t number)
{
    struct ask *a;

    for (size_t i = 0; i < f->sent; i++) {
        if (f->asks[i]->number_signed != number)
            continue;
        a = f->asks[i];
        memmove(&f->asks[i], &f->asks[i + 1], (f->count - i - 1) * sizeof *f->asks);
        f->sent--;
        f->count--;
        return a;
    }
    die("the signer answers what was not asked");
}

static void come_back(struct ca *ca, const struct port_answer *answer)
{
    struct flights *f = &ca->flights;
    struct ask *a = take(f, answer->number);

    if (answer->err != OK)
        refuse(a, answer->reason);
    else
        certificate_write(&a->certificate, buf_span(&a->tbs), a->issuer->alg,
                          span_of(answer->signature, answer->signature_len));
    a->sent_ms = 0;
    f->back[f->back_count++] = a;
    f->landed_ms = clock_monotonic_ms();
    flights_send(ca);
}

enum err flights_receive(struct ca *ca)
{
    struct port_answer answer;
    enum err e;

    while ((e = port_take(ca->role->port_fd, &answer)) == OK)
        if (!batch_answered(ca, &answer))
            come_back(ca, &answer);
    return e == ERR_UNAVAILABLE ? OK : ERR_END;
}

struct ask *flight_land(struct ca *ca)
{
    struct flights *f = &ca->flights;
    struct ask *a;

    if (f->back_count == 0 && flights_receive(ca) != OK)
        die("the signer is gone");
    if (f->back_count == 0)
        return NULL;
    a = f->back[0];
    memmove(&f->back[0], &f->back[1], --f->back_count * sizeof *f->back);
    return a;
}

/* ---- late ---- */

bool flight_is_late(const struct ask *a, int64_t now_ms)
{
    return a->sent_ms != 0 && now_ms >= a->sent_ms + FLIGHT_LATE_MS;
}

void flights_look(struct ca *ca, int64_t now_ms)
{
    struct flights *f = &ca->flights;

    if (f->sent == f->count || now_ms < f->landed_ms + FLIGHT_LATE_MS)
        return;
    if (f->sent > 0 && !flight_is_late(f->asks[f->sent - 1], now_ms))
        return; /* one hangs, and there was nothing for the others to give back */
    for (size_t i = f->sent; i < f->count; i++) {
        ask_refuse(f->asks[i], ERR_UNAVAILABLE, "The signer does not answer.");
        f->back[f->back_count++] = f->asks[i];
    }
    f->count = f->sent;
}

/* ---- the end ---- */

void flights_end(struct ca *ca)
{
    struct flights *f = &ca->flights;

    while (f->count > f->sent)
        ask_free(f->asks[--f->count]);
}

void flights_free(struct ca *ca)
{
    struct flights *f = &ca->flights;

    for (size_t i = 0; i < f->count; i++)
        ask_free(f->asks[i]);
    for (size_t i = 0; i < f->back_count; i++)
        ask_free(f->back[i]);
    f->count = f->sent = f->back_count = 0;
}
