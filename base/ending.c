/* SPDX-License-Identifier: Apache-2.0 */
/* ending: see the header. */
#include "base/ending.h"

#include "base/clock.h"

#define CODE "certificate.ending"

enum ending_state ending_judge(int64_t end_s, int64_t now_s, int64_t warn_s, int64_t life_s)
{
    if (life_s > 0 && life_s / 4 < warn_s)
        warn_s = life_s / 4;
    return end_s <= now_s ? ENDING_OVER : end_s - now_s < warn_s ? ENDING_SOON : ENDING_FAR;
}

void ending_check(struct board *b, const char *subject, int64_t end_s, int64_t now_s, int64_t warn_s,
                  int64_t life_s)
{
    char text[CLOCK_TEXT_MAX];

    clock_rfc3339(end_s, text);
    switch (ending_judge(end_s, now_s, warn_s, life_s)) {
    case ENDING_OVER:
        alarm_raise(b, ALARM_CRITICAL, CODE, subject, "ended %s", text);
        break;
    case ENDING_SOON:
        alarm_raise(b, ALARM_WARNING, CODE, subject, "ends %s", text);
        break;
    case ENDING_FAR:
        alarm_clear(b, CODE, subject);
    }
}

void ending_revoked(struct board *b, const char *subject)
{
    alarm_raise(b, ALARM_CRITICAL, CODE, subject, "revoked or on hold");
}

void ending_clear(struct board *b, const char *subject)
{
    alarm_clear(b, CODE, subject);
}
