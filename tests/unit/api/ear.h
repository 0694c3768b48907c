/* SPDX-License-Identifier: Apache-2.0 */
/* ear: an api that never runs, and a ca of which only the hearing is there. */
#ifndef TESTS_UNIT_API_EAR_H
#define TESTS_UNIT_API_EAR_H

#include "api/api.h"

struct ear {
    struct api api; /* with a loop, which never runs, and an asker */
    int fds[2];
};
extern struct ear ear;

void ear_open(void);
void ear_close(void);
/* What the next question says, behind its number. Fails unless it is of that kind. Borrowed until the next.
 */
struct rd ear_next(enum ask_kind kind);
void ear_expect_silence(void);

#endif
