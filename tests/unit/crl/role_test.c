/* SPDX-License-Identifier: Apache-2.0 */
/* Does the running role publish what is due, answer what is asked, and leave a current list alone? The test
 * is the ca. */
#include <criterion/criterion.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "office.h"
#include "store/inner.h"

TestSuite(crl_role, .init = office_open_today, .fini = office_close, .timeout = 120);

/* ---- claims ---- */

Test(crl_role, the_first_start_publishes_and_a_second_leaves_it_alone)
{
    struct heard h;
    struct stat before, after;
    X509_CRL *crl;

    shop_revoke(&office.shop, 3);
    role_start();
    h = serve_publication();
    cr_assert_str_eq(h.text, "start");
    cr_assert_eq(h.state.number, 1);
    cr_assert_eq(h.state.count, 3);
    cr_assert_eq(h.state.next_update_s, h.state.this_update_s + 2 * DAY);
    expect_idle();
    crl = shop_published(&office.shop);
    cr_assert_eq(shop_number(crl), 1);
    X509_CRL_free(crl);
    role_stop();

    stat(office.shop.crl_path, &before);
    role_start();
    expect_idle();
    stat(office.shop.crl_path, &after);
    cr_assert_eq(before.st_ino, after.st_ino);
    role_stop();
}

Test(crl_role, a_missing_or_altered_file_is_made_again_at_start)
{
    FILE *out;

    role_start();
    cr_assert_eq(serve_publication().state.number, 1);
    expect_idle();
    role_stop();

    unlink(office.shop.pem_path);
    role_start();
    cr_assert_eq(serve_publication().state.number, 2);
    expect_idle();
    role_stop();

    out = fopen(office.shop.crl_path, "a");
    fputc('x', out);
    fclose(out);
    role_start();
    cr_assert_eq(serve_publication().state.number, 3);
    expect_idle();
    X509_CRL_free(shop_published(&office.shop));
    role_stop();
}

static void set_published(int64_t this_update_s)
{
    struct crl_part part = {
        .shard = SHARD_ALL,
        .shown_s = this_update_s - 2 * DAY,
        .state = {.this_update_s = this_update_s, .next_update_s = this_update_s + 2 * DAY}};

    cr_assert_eq(shop_reserve(&office.shop, "ca", &part.state.number), OK);
    cr_assert_eq(shop_record(&office.shop, "ca", &part, "test"), OK);
}

/* Recorded a day and an hour ago, current for another 23 hours: due. */
Test(crl_role, what_is_due_is_published_and_the_number_rises)
{
    set_published((int64_t)time(NULL) - DAY - 3600);
    role_start();
    cr_assert_eq(serve_publication().state.number, 2);
    expect_idle();
    role_stop();
}

Test(crl_role, a_request_is_answered_with_the_number)
{
    struct heard h;

    role_start();
    serve_publication();
    shop_revoke_one(&office.shop, &(struct revoked){.serial = {1, 2, 3},
                                                    .reason = REASON_SUPERSEDED,
                                                    .revoked_at_s = (int64_t)time(NULL),
                                                    .invalidity_s = NO_TIME,
                                                    .not_after_s = (int64_t)time(NULL) + DAY});
    ask_publish(55, "ca", CAUSE_REQUEST);
    h = serve_publication();
    cr_assert_str_eq(h.text, "request");
    cr_assert_eq(h.state.count, 1);
    h = expect_heard(DESK_DONE);
    cr_assert_eq(h.number, 55);
    cr_assert_eq(h.err, OK);
    cr_assert_eq(h.state.number, 2);
    role_stop();
}

Test(crl_role, requests_before_the_number_share_a_publication_and_later_ones_get_the_next)
{
    struct heard h;
    uint64_t number = 0;

    role_start();
    h = expect_heard(DESK_RESERVE);
    for (uint64_t i = 1; i <= 50; i++)
        ask_publish(i, "ca", CAUSE_REVOCATION);
    cr_assert_eq(shop_reserve(&office.shop, "ca", &number), OK);
    say(DESK_RESERVED, h.number, OK, &number);
    h = expect_heard(DESK_RECORD);
    ask_publish(51, "ca", CAUSE_REQUEST);
    h.part.state = h.state;
    cr_assert_eq(shop_record(&office.shop, "ca", &h.part, h.text), OK);
    say(DESK_RECORDED, h.number, OK, NULL);
    for (uint64_t i = 1; i <= 50; i++) {
        h = expect_heard(DESK_DONE);
        cr_assert_eq(h.number, i);
        cr_assert_eq(h.state.number, 1);
    }
    serve_publication();
    h = expect_heard(DESK_DONE);
    cr_assert_eq(h.number, 51);
    cr_assert_eq(h.state.number, 2);
    expect_idle();
    role_stop();
}

/* The first list shows three changes. Who asks while it is signed is answered by it, unless there was another
 * change meanwhile. */
Test(crl_role, a_request_within_a_run_that_shows_all_there_is_needs_no_other)
{
    struct heard h;
    uint64_t number = 0;

    shop_revoke(&office.shop, 3);
    role_start();
    h = expect_heard(DESK_RESERVE);
    cr_assert_eq(shop_reserve(&office.shop, "ca", &number), OK);
    say(DESK_RESERVED, h.number, OK, &number);
    h = expect_heard(DESK_RECORD);
    cr_assert_eq(h.part.changes, 3);
    ask_publish_of(1, "ca", CAUSE_REVOCATION, 4);
    ask_publish_of(2, "ca", CAUSE_REQUEST, 3);
    ask_publish_of(3, "ca", CAUSE_REQUEST, 0);
    h.part.state = h.state;
    cr_assert_eq(shop_record(&office.shop, "ca", &h.part, h.text), OK);
    say(DESK_RECORDED, h.number, OK, NULL);
    for (uint64_t i = 2; i <= 3; i++) {
        h = expect_heard(DESK_DONE);
        cr_assert_eq(h.number, i);
        cr_assert_eq(h.err, OK);
        cr_assert_eq(h.state.number, number);
    }
    cr_assert_str_eq(serve_publication().text, "revocation");
    h = expect_heard(DESK_DONE);
    cr_assert_eq(h.number, 1);
    cr_assert_eq(h.state.number, number + 1);
    expect_idle();
    role_stop();
}

Test(crl_role, a_request_within_a_run_that_fails_gets_a_run_of_its_own)
{
    struct heard h;
    uint64_t number = 0;

    role_start();
    h = expect_heard(DESK_RESERVE);
    cr_assert_eq(shop_reserve(&office.shop, "ca", &number), OK);
    say(DESK_RESERVED, h.number, OK, &number);
    h = expect_heard(DESK_RECORD);
    ask_publish_of(1, "ca", CAUSE_REQUEST, 0);
    say(DESK_RECORDED, h.number, ERR_IO, NULL);
    cr_assert_str_eq(serve_publication().text, "request");
    h = expect_heard(DESK_DONE);
    cr_assert_eq(h.number, 1);
    cr_assert_eq(h.err, OK);
    role_stop();
}

/* As SIGHUP gives the ca another one. */
Test(crl_role, lists_name_their_delta_under_the_address_that_came_with_the_number)
{
    static const char *const urls[] = {"http://old.example.com", "http://new.example.com"};

    office.delta_s = DAY / 4;
    for (unsigned i = 0; i < 2; i++) {
        uint8_t *der = NULL;
        X509_CRL *crl;
        int len;

        office.public_url = urls[i];
        if (i == 0)
            role_start();
        else
            ask_publish(55, "ca", CAUSE_CONFIGURATION);
        cr_assert_eq(serve_publication().part.is_delta, i > 0);
        cr_assert_eq((i > 0 ? serve_record() : serve_publication()).part.is_delta, i == 0);
        if (i > 0)
            cr_assert_eq(expect_heard(DESK_DONE).number, 55);
        crl = shop_published(&office.shop);
        len = i2d_X509_CRL(crl, &der);
        cr_assert(len > 0);
        cr_expect_not_null(memmem(der, (size_t)len, urls[i], strlen(urls[i])), "the new");
        cr_expect_null(memmem(der, (size_t)len, urls[!i], strlen(urls[i])), "and that alone");
        OPENSSL_free(der);
        X509_CRL_free(crl);
    }
    expect_idle();
    role_stop();
}

/* The number of the delta is given out when both requests are there: it shows what they are about. */
Test(crl_role, a_delta_is_no_answer_to_who_asked_for_a_complete_list)
{
    struct heard h;
    uint64_t number = 0;

    office.delta_s = DAY / 4;
    role_start();
    cr_assert_eq(serve_publication().part.is_delta, false);
    h = expect_heard(DESK_RESERVE); /* there is a base now: the first delta */
    ask_publish(1, "ca", CAUSE_REVOCATION);
    ask_publish(2, "ca", CAUSE_REQUEST);
    cr_assert_eq(shop_reserve(&office.shop, "ca", &number), OK);
    say(DESK_RESERVED, h.number, OK, &number);
    h = serve_record();
    cr_assert(h.part.is_delta);
    cr_assert_str_eq(h.text, "schedule");

    cr_assert(serve_publication().part.is_delta, "a complete run, which makes a delta too");
    h = serve_record();
    cr_assert(!h.part.is_delta);
    cr_assert_str_eq(h.text, "revocation");
    for (uint64_t i = 1; i <= 2; i++) {
        h = expect_heard(DESK_DONE);
        cr_assert_eq(h.number, i);
        cr_assert_eq(h.err, OK);
        cr_assert_eq(h.state.number, 3);
    }
    expect_idle();
    role_stop();
}

static void expect_complete_run(const char *cause)
{
    struct heard delta, whole;

    serve_reserve();
    delta = serve_record();
    whole = serve_record();
    cr_assert(delta.part.is_delta && !whole.part.is_delta);
    cr_assert_eq(delta.state.next_update_s, whole.state.next_update_s);
    cr_assert_str_eq(whole.text, cause);
}

Test(crl_role, deltas_that_were_switched_off_are_replaced_at_the_next_start_and_kept)
{
    char path[256];

    office.delta_s = DAY / 4;
    role_start();
    cr_assert(!serve_publication().part.is_delta);
    cr_assert(serve_publication().part.is_delta);
    expect_idle();
    role_stop();

    office.delta_s = 0;
    role_start();
    expect_complete_run("start");
    expect_idle();
    role_stop();
    role_start();
    expect_idle();
    role_stop();

    snprintf(path, sizeof path, "%s/crl/ca-delta.crl", office.shop.public_dir);
    cr_assert_eq(unlink(path), 0);
    role_start();
    cr_assert(serve_publication().part.is_delta, "made again");
    expect_idle();
    role_stop();
    cr_assert_eq(access(path, F_OK), 0);
}

Test(crl_role, an_issuer_that_is_not_in_the_store_is_said_to_be_missing)
{
    struct heard h;

    role_start();
    serve_publication();
    ask_publish(9, "later", CAUSE_REQUEST);
    h = expect_heard(DESK_DONE);
    cr_assert_eq(h.number, 9);
    cr_assert_eq(h.err, ERR_NOT_FOUND);
    role_stop();
}

/* What its deltas are made from, as its first row of crl_part. */
static void set_track(const char *row)
{
    struct key key = key_of_issuer(office.shop.no);
    struct txn *t;

    key_put_u16(&key, 0);
    key_put_u8(&key, 0);
    cr_assert_eq(txn_begin(office.shop.store, &t), OK);
    if (row != NULL)
        table_set(t, TABLE_CRL_PART, key_span(&key), span_str(row));
    else
        table_remove(t, TABLE_CRL_PART, key_span(&key));
    cr_assert_eq(txn_commit(t), OK);
}

static bool is_of_damage(const struct alarm_shown *a, void *arg)
{
    if (strcmp(a->code, "crl.damaged") == 0 && strcmp(a->subject, "ca") == 0)
        *(int *)arg = a->level;
    return true;
}

/* Of the alarm that stands, once the role sleeps; 0: none. */
static int damage_level(void)
{
    int level = 0;

    role_settle();
    board_each_alarm(office.board, is_of_damage, &level);
    return level;
}

Test(crl_role, an_issuer_whose_rows_are_damaged_is_refused_and_passed_over)
{
    struct heard h;

    set_track("bent");
    role_start();
    expect_idle(); /* not even the first list */
    cr_assert_eq(damage_level(), ALARM_CRITICAL);
    ask_publish(1, "ca", CAUSE_REQUEST);
    h = expect_heard(DESK_DONE);
    cr_assert_eq(h.number, 1);
    cr_assert_eq(h.err, ERR_INTERNAL);
    set_track(NULL);
    ask_publish(2, "ca", CAUSE_REQUEST);
    cr_assert_eq(serve_publication().state.number, 1);
    cr_assert_eq(expect_heard(DESK_DONE).err, OK);
    cr_assert_eq(damage_level(), 0, "it is over");
    role_stop();
}

Test(crl_role, a_failure_is_answered_and_the_next_request_works)
{
    struct heard h;

    role_start();
    serve_publication();
    ask_publish(1, "ca", CAUSE_REQUEST);
    h = expect_heard(DESK_RESERVE);
    say(DESK_RESERVED, h.number, ERR_IO, &(uint64_t){0});
    h = expect_heard(DESK_DONE);
    cr_assert_eq(h.number, 1);
    cr_assert_eq(h.err, ERR_UNAVAILABLE, "a disk has room again, or is mended");
    cr_assert_eq(h.state.number, 0);
    ask_publish(2, "ca", CAUSE_REQUEST);
    cr_assert_eq(serve_publication().state.number, 2);
    cr_assert_eq(expect_heard(DESK_DONE).err, OK);
    role_stop();
}

Test(crl_role, the_end_of_the_desk_is_its_end_even_in_the_middle)
{
    role_start();
    (void)expect_heard(DESK_RESERVE);
    role_stop();
}

Test(crl_role, a_lost_signer_ends_it_as_a_failure)
{
    role_start();
    serve_publication();
    expect_idle();
    kill(office.shop.signer, SIGKILL);
    cr_assert_eq(role_wait(), 3);
}

/* ---- the end ---- */

/* It hears that the signer is gone while the ca has something to say, and then that the ca is gone too. */
Test(crl_role, an_orderly_end_is_one_in_whatever_order_it_is_heard)
{
    role_start();
    serve_publication();
    expect_idle();
    kill(office.role, SIGSTOP);
    ask_publish(1, "ca", CAUSE_REQUEST);
    kill(office.shop.signer, SIGKILL);
    kill(office.role, SIGCONT);
    while (unread_in(office.desk) > 0)
        cr_assert_eq(waitpid(office.role, NULL, WNOHANG), 0, "it waits for the ca's end");
    role_stop();
}
