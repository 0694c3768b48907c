/* SPDX-License-Identifier: Apache-2.0 */
/* ending: the alarm about a certificate that ends and was not replaced in time, raised by whoever looks after
 * it, without being asked. Thread rule: as alarms. */
#ifndef BASE_ENDING_H
#define BASE_ENDING_H

#include "base/board.h"
#include "base/clock.h"

#define ENDING_ISSUER_S (180 * DAY_S) /* a new generation has to reach every trust store by hand */
#define ENDING_SIGNER_S DAY_S /* an OCSP signer is renewed at half its life: on the last day that failed */
#define ENDING_TRUSTED_S                                                                                     \
    (90 * DAY_S) /* replaced 30 days before its end: two months to plan where the next is uploaded */
#define ENDING_LISTENER_S                                                                                    \
    (7 * DAY_S) /* renewed in the last third of its life: a week before the end that failed */

enum ending_state { ENDING_FAR, ENDING_SOON, ENDING_OVER };
/* Soon: less than `warn_s` is left, and of a life shorter than four times that, less than a quarter; 0 for
 * `life_s` when that is no matter. Everybody who says how long something lasts asks this. */
enum ending_state ending_judge(int64_t end_s, int64_t now_s, int64_t warn_s, int64_t life_s);

/* Raises certificate.ending about the subject ("issuer rsa-g1") when it ends soon, critical once it is over,
 * and takes it down otherwise. */
void ending_check(struct board *b, const char *subject, int64_t end_s, int64_t now_s, int64_t warn_s,
                  int64_t life_s);
/* Likewise about one that was revoked or put on hold before its end, and has no successor. */
void ending_revoked(struct board *b, const char *subject);
/* Its end is nothing to be told of: it is taken down. */
void ending_clear(struct board *b, const char *subject);

#endif
