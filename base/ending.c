/* SPDX-License-Identifier: Apache-2.0 */
/* ending: see the header. */
#include "base/ending.h"

#include "base/clock.h"

#define CODE "certificate.ending"

void ending_check(struct board *b, const char *subject, int64_t end_s, int64_t now_s, int64_t warn_s,
                  int64_t life_s)
{
    char text[CLOCK_TEXT_MAX];

    clock_rfc3339(end_s, text);
    if (life_s > 0 && life_s / 4 < warn_s)
        warn_s = life_s / 4;
    if (end_s <= now_s)
        alarm_raise(b, ALARM_CRITICAL, CODE, subject, "ended %s", text);
    else if (end_s - now_s < warn_s)
        alarm_raise(b, ALARM_WARNING, CODE, subject, "ends %s", text);
    else
        alarm_clear(b, CODE, subject);
}
