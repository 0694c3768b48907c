/* SPDX-License-Identifier: Apache-2.0 */
/* board_inner: what lies in the shared pages: private to board.c and alarm.c. */
#ifndef BASE_BOARD_INNER_H
#define BASE_BOARD_INNER_H

#include <stdatomic.h>

#include "base/board.h"

struct figure {
    _Atomic int64_t value;
    uint32_t kind;
    char family[FAMILY_MAX], labels[LABELS_MAX], help[HELP_MAX];
};

struct alarm {
    _Atomic uint32_t turn;  /* odd while it is written */
    _Atomic uint32_t level; /* 0: free */
    int64_t since_s;
    char code[ALARM_CODE_MAX], subject[ALARM_SUBJECT_MAX], detail[ALARM_DETAIL_MAX];
};

struct board {
    _Atomic uint32_t figure_count; /* those below it are complete and only their value changes */
    struct figure figures[FIGURES_MAX];
    struct alarm alarms[ALARMS_MAX];
};

/* Copies a text of at most cap - 1 octets that another process may be changing. */
void board_text(char *out, const char *text, unsigned long cap);

#endif
