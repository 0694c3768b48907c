/* SPDX-License-Identifier: Apache-2.0 */
/* played: the ca at the far end of a stage's wire. It issues the leaf of the stage, whatever is asked for,
 * and knows the stage's serials and requests. */
#ifndef TESTS_UNIT_API_PLAYED_H
#define TESTS_UNIT_API_PLAYED_H

#include "tests/unit/api/stage.h"

#define DAYS_REFUSED 13 /* a number of days at which the played ca refuses */
#define DAYS_WAITING 14 /* and one at which it wants an approval */

/* Reads one question, when there is one, and answers it; `arg` is the stage. */
void played_answer(void *arg);

#endif
