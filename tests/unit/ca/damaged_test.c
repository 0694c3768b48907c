/* SPDX-License-Identifier: Apache-2.0 */
/* What does one damaged row cost? Whoever needs it is refused; nobody gets what it might forbid, and the ca
 * goes on. */
#include <criterion/criterion.h>
#include <string.h>

#include "store/inner.h"
#include "tests/unit/ca/asked.h"

TestSuite(damaged, .init = stage_open, .fini = stage_close, .timeout = 60);

/* Before the start, or after a stop. */
static void bend(enum table table, struct span key)
{
    table_set(stage_begin(), table, key, span_str("bent"));
    stage_commit();
}

/* As played_issuer() has it. */
static const uint8_t issuer[SERIAL_LEN] = {1};

Test(damaged, an_issuer_whose_state_cannot_be_read_issues_nothing)
{
    static struct reply r;

    stage_remember(issuer);
    bend(TABLE_STATUS, span_of(issuer, SERIAL_LEN));
    stage_start();
    send_question(1, &plain);
    receive(&r);
    cr_assert_eq(r.err, ERR_INTERNAL);
    cr_assert_not_null(strstr(r.detail, "state of the issuer's certificate"));
    cr_assert_eq(stage_certificates(), 2, "its own and the OCSP signer's");
}

Test(damaged, an_issuer_of_another_ca_has_no_state_here)
{
    stage_start();
    issue_one();
}

Test(damaged, an_idempotency_key_whose_answer_cannot_be_read_is_refused_alone)
{
    static const struct question q = {.key = 1, .body = 1}, other = {.key = 2, .body = 1};
    static const uint8_t key[HASH_LEN] = {1};
    static struct reply r;

    stage_start();
    send_question(1, &q);
    receive(&r);
    issued_of(&r);
    send_question(2, &q);
    receive(&r);
    cr_assert(issued_of(&r).repeated);
    stage_stop();
    bend(TABLE_IDEMPOTENT, span_of(key, HASH_LEN));
    stage_restart();
    send_question(3, &q);
    receive(&r);
    cr_assert_eq(r.err, ERR_INTERNAL);
    cr_assert_not_null(strstr(r.detail, "Idempotency-Key"));
    send_question(4, &other);
    receive(&r);
    issued_of(&r);
}
