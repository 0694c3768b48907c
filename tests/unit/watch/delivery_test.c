/* SPDX-License-Identifier: Apache-2.0 */
/* Does a target that will not take one list get the others, and that one once it will? The target is a stand
 * that speaks WebDAV. */
#include <criterion/criterion.h>
#include <string.h>

#include "tests/unit/watch/hall.h"
#include "tests/unit/watch/stand.h"

/* Published are a.crl and ca.crl, number 5 of each; the target has nothing. After a failure it is left alone
 * for long. */
static struct stand *open_stand(struct hall *h)
{
    struct stand *s;

    hall_open(h);
    hall_end(h);
    s = stand_open(h->target_dir);
    h->config.retry_s = h->config.retry_max_s = 1000;
    h->config.targets[0].type = TARGET_WEBDAV;
    strcpy(h->config.targets[0].url, stand_url(s));
    hall_list(h, h->public_dir, "a.crl", 5);
    hall_list(h, h->public_dir, "ca.crl", 5);
    hall_begin(h);
    return s;
}

static void close_stand(struct hall *h, struct stand *s)
{
    stand_close(s);
    hall_close(h);
}

static void assert_failing(struct hall *h, const char *words)
{
    cr_assert_not_null(strstr(hall_alarm(h, "target.failing"), words), "%s", hall_alarm(h, "target.failing"));
}

static void assert_recovers(struct hall *h, struct stand *s)
{
    stand_well(s);
    hall_deliver(h);
    hall_deliver(h);
    cr_assert_str_eq(hall_alarm(h, "target.failing"), "");
    cr_assert_eq(h->courier.ledger.failures, 0);
    cr_assert_eq(ledger_find(&h->courier.ledger, "a.crl")->number, 5);
}

Test(watch_delivery, a_file_that_is_refused_starves_none_behind_it)
{
    static const unsigned statuses[] = {302, 403, 423, 500, 507};
    static const char *const names[] = {"/a.crl", "/a.crl.part"};
    static struct hall h;

    for (size_t i = 0; i < sizeof statuses / sizeof *statuses; i++) {
        struct stand *s = open_stand(&h);

        stand_odd(s, names[i % 2], statuses[i]);
        hall_deliver(&h);
        cr_assert_eq(hall_number_in(h.target_dir), 5);
        assert_failing(&h, "/a.crl");
        assert_failing(&h, ": it answers ");
        assert_recovers(&h, s);
        close_stand(&h, s);
    }
}

Test(watch_delivery, a_login_that_is_refused_is_not_tried_for_each_file)
{
    static struct hall h;
    struct stand *s = open_stand(&h);

    stand_odd(s, "/a.crl", 401);
    hall_deliver(&h);
    cr_assert_eq(hall_number_in(h.target_dir), 0);
    assert_failing(&h, "/a.crl: it answers 401");
    assert_recovers(&h, s);
    close_stand(&h, s);
}

Test(watch_delivery, something_newer_there_is_critical_whatever_else_fails)
{
    static struct hall h;
    struct stand *s = open_stand(&h);

    stand_odd(s, "/a.crl", 423);
    hall_list(&h, h.target_dir, "ca.crl", 9);
    hall_deliver(&h);
    assert_failing(&h, "ca.crl: number 9 is there, newer than our 5; and 1 more");
    cr_assert(hall_is_critical(&h, "target.failing"));
    close_stand(&h, s);
}
