/* SPDX-License-Identifier: Apache-2.0 */
#include <criterion/criterion.h>

#include "base/revocation.h"

#define NOW_S 1000000
#define NO_DATE INT64_MIN
#define SUPERSEDED REASON_SUPERSEDED
#define HOLD REASON_CERTIFICATE_HOLD

static const struct revocation valid = {false, REASON_UNSPECIFIED}, held = {true, HOLD},
                               gone = {true, SUPERSEDED};

static void assert_verdict(size_t row, struct revocation_verdict v, enum err err, const char *text,
                           bool changes)
{
    cr_assert_eq(v.err, err, "row %zu: %s", row, err_name(v.err));
    cr_assert_eq(v.changes, changes, "row %zu", row);
    cr_assert_eq(v.text == NULL, text == NULL, "row %zu", row);
    cr_assert(text == NULL || strcmp(v.text, text) == 0, "row %zu: %s", row, v.text);
}

Test(revocation, what_is_asked_is_held_against_what_is)
{
    static const char other[] = "It is revoked for another reason.",
                      ahead[] = "The invalidity date lies in the future.";
    const struct {
        struct revocation now;
        enum reason asked;
        int64_t invalidity_s;
        enum err err;
        const char *text;
        bool changes;
    } rows[] = {{valid, SUPERSEDED, NO_DATE, OK, NULL, true},
                {valid, REASON_UNSPECIFIED, NO_DATE, OK, NULL, true},
                {valid, HOLD, NO_DATE, OK, NULL, true},
                {held, HOLD, NO_DATE, OK, NULL, false},
                {held, SUPERSEDED, NO_DATE, OK, NULL, true},
                {gone, SUPERSEDED, NO_DATE, OK, NULL, false},
                {gone, HOLD, NO_DATE, ERR_CONFLICT, other, false},
                {gone, REASON_UNSPECIFIED, NO_DATE, ERR_CONFLICT, other, false},
                {valid, SUPERSEDED, NOW_S + INVALIDITY_AHEAD_S, OK, NULL, true},
                {valid, SUPERSEDED, NOW_S + INVALIDITY_AHEAD_S + 1, ERR_MALFORMED, ahead, false},
                {held, SUPERSEDED, INT64_MAX, ERR_MALFORMED, ahead, false},
                {held, HOLD, INT64_MAX, OK, NULL, false},
                {gone, SUPERSEDED, INT64_MAX, OK, NULL, false},
                {gone, HOLD, INT64_MAX, ERR_CONFLICT, other, false}};

    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        assert_verdict(i, revocation_revoke(rows[i].now, rows[i].asked, rows[i].invalidity_s, NOW_S),
                       rows[i].err, rows[i].text, rows[i].changes);
}

Test(revocation, a_hold_alone_is_taken_back)
{
    assert_verdict(0, revocation_unhold(held), OK, NULL, true);
    assert_verdict(1, revocation_unhold(valid), ERR_CONFLICT, "It is not on hold.", false);
    assert_verdict(2, revocation_unhold(gone), ERR_CONFLICT, "It is not on hold.", false);
    assert_verdict(3, revocation_unhold((struct revocation){false, HOLD}), ERR_CONFLICT, "It is not on hold.",
                   false);
}
