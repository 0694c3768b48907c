/* SPDX-License-Identifier: Apache-2.0 */
/* late: the signature does not come. Who waits for it is told to try later, and an alarm says so. */
#include "ocsp/inner.h"

#define ALARM "ocsp.signer"

void late_answer(struct ocsp *o, struct job *job)
{
    struct waiter w;

    while (job_next_waiter(&o->jobs, job, &w))
        answer_error(o, OCSP_TRY_LATER, w.done, w.arg);
}

void late_heard(struct ocsp *o)
{
    if (!o->is_alarmed || o->jobs.hanging_count > 0)
        return;
    alarm_clear(o->board, ALARM, "");
    o->is_alarmed = false;
}

/* Counted in calls, not by a clock that may be set. What is at the signer stays under way: its signature may
 * still come. */
void late_look(struct ocsp *o)
{
    for (size_t i = 0; i < OCSP_UNDER_WAY_MAX; i++) {
        struct job *job = &o->jobs.items[i];

        if (job->is_awaited && ++job->ticks >= OCSP_WAIT_TICKS)
            late_answer(o, job);
    }
    if (jobs_tick(&o->jobs))
        alarm_raise(o->board, ALARM_CRITICAL, ALARM, "",
                    "no answer for %u s: what is not kept is answered tryLater", OCSP_WAIT_TICKS);
    else if (o->jobs.hanging_count > 0)
        alarm_raise(o->board, ALARM_WARNING, ALARM, "",
                    "%zu signatures do not come while others do: a signing process hangs, the others go on",
                    o->jobs.hanging_count);
    else
        return;
    o->is_alarmed = true;
}
