/* SPDX-License-Identifier: Apache-2.0 */
/*
 * follow: what is raised and taken down on the boards of all roles, told to each sink once. A sink is what
 * carries it to people: the history (history.h) writes it down; one that sends mail is one more row of the
 * table in role.c. Private to the watch room. One thread.
 */
#ifndef WATCH_FOLLOW_H
#define WATCH_FOLLOW_H

#include "base/board.h"

struct alarm_event {
    bool is_over; /* taken down; else raised, or raised to another level */
    int64_t at_s;
    struct alarm_shown alarm; /* as it stands, or stood last */
};

struct alarm_sink {
    void (*tell)(const struct alarm_event *e, void *arg); /* may block: nobody waits for it */
    void *arg;
};

struct follow;
/* All borrowed. A board may be NULL. */
struct follow *follow_new(const struct board *const *boards, size_t board_count,
                          const struct alarm_sink *sinks, size_t sink_count);
void follow_free(struct follow *f); /* NULL is fine */
/* Looks at the boards. What came and went between two looks is not told: the log has it. */
void follow_turn(struct follow *f, int64_t now_s);

#endif
