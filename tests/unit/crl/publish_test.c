/* SPDX-License-Identifier: Apache-2.0 */
/* Does a publication give files that OpenSSL finds right, and a failure leave those that were there? The
 * signer is the real one. */
#include <criterion/criterion.h>
#include <openssl/pem.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/parts.h"
#include "shop.h"

#define HOUR INT64_C(3600)

static struct shop s;
static const struct crl_issuer issuer = {.id = "ca", .every_s = DAY, .overlap_s = 3 * DAY, .at_s = -1};

static void teardown(void)
{
    shop_close(&s);
}

TestSuite(crl_publish, .fini = teardown, .timeout = 120);

static int64_t clock_s;

static int64_t told_clock(void)
{
    return clock_s;
}

static struct crl_job job_at(int64_t now_s)
{
    clock_s = now_s;
    return (struct crl_job){.store = s.store,
                            .issuer = &issuer,
                            .public_dir = s.public_dir,
                            .port = &s.port,
                            .clock = told_clock,
                            .run = RUN_COMPLETE,
                            .public_url = "http://ca.example.com",
                            .cause = "request",
                            .reserve = shop_reserve,
                            .record = shop_record,
                            .arg = &s};
}

static struct crl_state publish_of(const struct crl_issuer *i, int64_t now_s)
{
    struct crl_job job = job_at(now_s);
    struct crl_state state;
    struct fault f = {0};

    job.issuer = i;
    shop_clock_set(now_s);
    cr_assert_eq(crl_publish(&job, &state, &f), OK, "%s", f.detail);
    return state;
}

static struct crl_state publish_at(int64_t now_s)
{
    return publish_of(&issuer, now_s);
}

static size_t files_in_public(void)
{
    char command[256];
    FILE *p;
    size_t n = 0;

    snprintf(command, sizeof command, "ls -A %s/crl | wc -l", s.public_dir);
    p = popen(command, "r");
    cr_assert_eq(fscanf(p, "%zu", &n), 1);
    pclose(p);
    return n;
}

static void same_file(const char *path, struct span want)
{
    struct span got = shop_read(path);

    cr_assert(span_eq(got, want), "%s", path);
    free((void *)got.data);
}

static void check_pem(X509_CRL *der)
{
    FILE *in = fopen(s.pem_path, "r");
    X509_CRL *pem = PEM_read_X509_CRL(in, NULL, NULL, NULL);

    cr_assert_not_null(pem);
    cr_assert_eq(X509_CRL_match(pem, der), 0);
    X509_CRL_free(pem);
    fclose(in);
}

static void check_state(const struct crl_state *state, uint64_t number, int64_t now_s)
{
    struct crl_state stored = shop_state(&s);
    struct span der = shop_read(s.crl_path);
    uint8_t sha256[HASH_LEN];

    sha256_of(der, sha256);
    cr_assert_eq(state->number, number);
    cr_assert_eq(stored.number, number);
    cr_assert_eq(stored.this_update_s, now_s);
    cr_assert_eq(stored.next_update_s, now_s + 4 * DAY);
    cr_assert_eq(stored.size, der.len);
    cr_assert_eq(stored.count, s.count);
    cr_assert_eq(memcmp(stored.sha256, sha256, HASH_LEN), 0);
    free((void *)der.data);
}

/* RSA PKCS#1 v1.5 is deterministic: the whole file must be OpenSSL's. */
Test(crl_publish, an_rsa_list_is_openssls_octet_for_octet)
{
    static const size_t counts[] = {0, 1, 2, 1000};

    shop_open(&s, "rsa-2048", "ca");
    for (size_t i = 0; i < sizeof counts / sizeof *counts; i++) {
        int64_t now_s = SHOP_NOW + (int64_t)i;
        uint8_t *der = NULL;
        X509_CRL *theirs, *ours;
        struct crl_state state;

        shop_revoke(&s, counts[i] - s.count);
        state = publish_at(now_s);
        check_state(&state, i + 1, now_s);
        theirs = shop_crl(&s, i + 1, now_s, now_s + 4 * DAY, NULL);
        int len = i2d_X509_CRL(theirs, &der);
        same_file(s.crl_path, span_of(der, (size_t)len));
        ours = shop_published(&s);
        check_pem(ours);
        X509_CRL_free(ours);
        X509_CRL_free(theirs);
        OPENSSL_free(der);
    }
}

/* ECDSA signatures change in length: over many publications the header's room fits and does not fit. */
Test(crl_publish, ec_lists_verify_whatever_the_length_of_the_signature)
{
    static const char *const kinds[] = {"ec-256", "ec-384", "ec-521"};

    for (size_t k = 0; k < sizeof kinds / sizeof *kinds; k++) {
        shop_open(&s, kinds[k], "ca");
        for (uint64_t n = 1; n <= 6; n++) {
            X509_CRL *crl;
            struct crl_state state;

            shop_revoke(&s, n == 5 ? 900 : 3);
            state = publish_at(SHOP_NOW + (int64_t)n);
            check_state(&state, n, SHOP_NOW + (int64_t)n);
            crl = shop_published(&s);
            cr_assert_eq(shop_number(crl), n);
            cr_assert_eq((size_t)sk_X509_REVOKED_num(X509_CRL_get_REVOKED(crl)), s.count);
            check_pem(crl);
            X509_CRL_free(crl);
        }
        if (k + 1 < sizeof kinds / sizeof *kinds)
            shop_close(&s);
    }
}

/* Grows the list one certificate at a time over the length where the outer header gains an octet. */
Test(crl_publish, the_header_is_right_where_its_length_changes)
{
    bool is_long = false;

    shop_open(&s, "ec-256", "ca");
    for (size_t i = 0; !is_long; i++) {
        X509_CRL *crl;
        struct crl_state state;
        struct revoked r = {.serial = {1, 1, (uint8_t)(i >> 8), (uint8_t)i},
                            .reason = REASON_UNSPECIFIED,
                            .revoked_at_s = SHOP_NOW,
                            .invalidity_s = NO_TIME,
                            .not_after_s = SHOP_NOW + DAY};

        shop_revoke_one(&s, &r);
        if (s.count < 1 || (s.count > 3 && s.count < 1620))
            continue;
        state = publish_at(SHOP_NOW);
        crl = shop_published(&s);
        check_pem(crl);
        X509_CRL_free(crl);
        is_long = state.size > 65536 + 200;
    }
}

/* ---- who is listed ---- */

static void compare_tbs(const struct crl_state *state, bool (*keep)(const struct revoked *r))
{
    X509_CRL *ours = shop_published(&s);
    X509_CRL *theirs = shop_crl(&s, state->number, state->this_update_s, state->next_update_s, keep);
    uint8_t *a = NULL, *b = NULL;
    int a_len = i2d_re_X509_CRL_tbs(ours, &a), b_len = i2d_re_X509_CRL_tbs(theirs, &b);

    cr_assert(span_eq(span_of(a, (size_t)a_len), span_of(b, (size_t)b_len)), "number %lu", state->number);
    OPENSSL_free(a);
    OPENSSL_free(b);
    X509_CRL_free(ours);
    X509_CRL_free(theirs);
}

/* A certificate that has ended stays until a list a period before the one in force has shown it. */
static const int64_t previous_s = SHOP_NOW - DAY;

static bool is_kept(const struct revoked *r)
{
    return r->not_after_s >= previous_s - DAY || r->revoked_at_s >= previous_s - DAY;
}

Test(crl_publish, an_ended_certificate_leaves_after_a_list_of_the_schedule)
{
    struct revoked r = {.serial = {1},
                        .reason = REASON_SUPERSEDED,
                        .revoked_at_s = SHOP_NOW - 10 * DAY,
                        .invalidity_s = NO_TIME};
    static const struct {
        int64_t not_after_s;
        bool is_kept;
    } rows[] = {
        {SHOP_NOW + DAY, true},     /* still valid */
        {SHOP_NOW - 1, true},       /* ended since the last list: this one shows it */
        {SHOP_NOW - DAY - 1, true}, /* the last list has shown it, which may have been no regular one */
        {SHOP_NOW - 2 * DAY, true}, /* valid to the second of the regular list before that at the earliest */
        {SHOP_NOW - 2 * DAY - 1, false}, /* a regular list has shown it */
    };
    struct crl_state state;

    shop_open(&s, "ec-256", "ca");
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        r.serial[18] = (uint8_t)(i + 1);
        r.not_after_s = rows[i].not_after_s;
        cr_assert_eq(is_kept(&r), rows[i].is_kept, "%zu", i);
        shop_revoke_one(&s, &r);
    }
    state = publish_at(previous_s);
    compare_tbs(&state, NULL);
    r.serial[18] = 99; /* ended long ago, revoked since the last list */
    r.not_after_s = SHOP_NOW - 5 * DAY;
    r.revoked_at_s = SHOP_NOW - 10;
    shop_revoke_one(&s, &r);
    state = publish_at(SHOP_NOW);
    compare_tbs(&state, is_kept);
    cr_assert_eq(state.count, 5);
}

/* As after revocations, or by hand. */
Test(crl_publish, lists_between_those_of_the_schedule_take_nothing_away)
{
    static const struct {
        int64_t at_s;
        uint64_t count;
    } lists[] = {
        {SHOP_NOW - DAY, 1},     {SHOP_NOW + 60, 1},         {SHOP_NOW + 120, 1},
        {SHOP_NOW + HOUR, 1},    {SHOP_NOW + DAY, 1}, /* a period after the end, and the list that shows it */
        {SHOP_NOW + DAY + 2, 1}, {SHOP_NOW + DAY + HOUR, 0}, {SHOP_NOW + 2 * DAY, 0}};

    shop_open(&s, "ec-256", "ca");
    shop_revoke_one(&s, &(struct revoked){.serial = {1},
                                          .reason = REASON_SUPERSEDED,
                                          .revoked_at_s = SHOP_NOW - 10 * DAY,
                                          .invalidity_s = NO_TIME,
                                          .not_after_s = SHOP_NOW + 1});
    for (size_t i = 0; i < sizeof lists / sizeof *lists; i++)
        cr_expect_eq(publish_at(lists[i].at_s).count, lists[i].count, "%zu", i);
}

Test(crl_publish, what_has_left_does_not_come_back_with_a_longer_period)
{
    struct crl_issuer daily = issuer, weekly = issuer;

    weekly.every_s = 7 * DAY;
    shop_open(&s, "ec-256", "ca");
    shop_revoke_one(&s, &(struct revoked){.serial = {1},
                                          .reason = REASON_SUPERSEDED,
                                          .revoked_at_s = SHOP_NOW - 10 * DAY,
                                          .invalidity_s = NO_TIME,
                                          .not_after_s = SHOP_NOW - 3 * DAY});
    cr_assert_eq(publish_of(&daily, SHOP_NOW - DAY).count, 1);
    cr_assert_eq(publish_of(&daily, SHOP_NOW).count, 0);
    cr_assert_eq(publish_of(&weekly, SHOP_NOW + DAY).count, 0);
}

/* The list before was made while the clock was ahead: what it took for ended is not. */
static bool is_not_ended(const struct revoked *r)
{
    return r->not_after_s >= SHOP_NOW - DAY;
}

Test(crl_publish, a_list_from_the_future_takes_nothing_valid_away)
{
    struct revoked r = {.serial = {1},
                        .reason = REASON_KEY_COMPROMISE,
                        .revoked_at_s = SHOP_NOW - 10 * DAY,
                        .invalidity_s = NO_TIME};
    struct crl_state state;

    shop_open(&s, "ec-256", "ca");
    publish_at(SHOP_NOW + 1000 * DAY);
    for (uint8_t i = 0; i < 3; i++) {
        r.serial[18] = i;
        r.not_after_s = SHOP_NOW - HOUR + (i - 1) * DAY;
        shop_revoke_one(&s, &r);
    }
    state = publish_at(SHOP_NOW);
    compare_tbs(&state, is_not_ended);
    cr_assert_eq(state.count, 2);
}

/* Another revocation comes while the number is waited for. */
static enum err reserve_late(void *arg, const char *id, uint64_t *number)
{
    clock_s += 2;
    shop_revoke_one(&s, &(struct revoked){.serial = {2},
                                          .reason = REASON_SUPERSEDED,
                                          .revoked_at_s = clock_s,
                                          .invalidity_s = NO_TIME,
                                          .not_after_s = SHOP_NOW + DAY});
    return shop_reserve(arg, id, number);
}

Test(crl_publish, nothing_that_a_list_shows_is_younger_than_the_list)
{
    struct crl_job job;
    struct crl_state state;
    struct fault f = {0};

    shop_open(&s, "ec-256", "ca");
    job = job_at(SHOP_NOW);
    job.reserve = reserve_late;
    cr_assert_eq(crl_publish(&job, &state, &f), OK, "%s", f.detail);
    cr_assert_eq(state.count, 1);
    cr_assert_eq(state.this_update_s, SHOP_NOW + 2);
    cr_assert_eq(state.next_update_s, SHOP_NOW + 2 + 4 * DAY);
    compare_tbs(&state, NULL);
}

Test(crl_publish, files_are_for_everybody)
{
    struct stat st;

    shop_open(&s, "ec-256", "ca");
    umask(077);
    publish_at(SHOP_NOW);
    cr_assert_eq(stat(s.crl_path, &st), 0);
    cr_assert_eq(st.st_mode & 07777, 0644);
    cr_assert_eq(stat(s.pem_path, &st), 0);
    cr_assert_eq(st.st_mode & 07777, 0644);
    cr_assert_eq(files_in_public(), 2);
    publish_at(SHOP_NOW + 1);
    cr_assert_eq(files_in_public(), 3, "the previous one is kept");
}

/* ---- failures ---- */

static void fails(struct crl_job *job, enum err want, const char *part)
{
    struct span der = shop_read(s.crl_path), pem = shop_read(s.pem_path);
    struct crl_state before = shop_state(&s), state;
    size_t before_count = files_in_public();
    struct fault f = {0};

    cr_assert_eq(crl_publish(job, &state, &f), want, "%s", f.detail);
    cr_assert_not_null(strstr(f.detail, part), "%s", f.detail);
    same_file(s.crl_path, der);
    same_file(s.pem_path, pem);
    cr_assert_eq(files_in_public(), before_count, "no draft stays");
    cr_assert_eq(shop_state(&s).number, before.number);
    free((void *)der.data);
    free((void *)pem.data);
}

Test(crl_publish, a_refusing_signer_leaves_the_old_pair)
{
    struct crl_job job;

    shop_open(&s, "ec-256", "ca");
    shop_revoke(&s, 2000);
    publish_at(SHOP_NOW);
    job = job_at(SHOP_NOW + 1);
    job.issuer = &(struct crl_issuer){
        .id = "ca", .every_s = -5 * DAY, .overlap_s = DAY, .at_s = -1}; /* nextUpdate before thisUpdate */
    fails(&job, ERR_INTERNAL, "the signer refused: crl.nextUpdate: before");
    cr_assert_eq(publish_at(SHOP_NOW + 2).number, 3, "the number that was reserved is gone for good");
}

Test(crl_publish, a_signer_without_the_key_leaves_nothing)
{
    struct crl_job job;
    struct crl_state state;
    struct fault f = {0};

    shop_open(&s, "ec-256", "another");
    shop_revoke(&s, 10);
    job = job_at(SHOP_NOW);
    cr_assert_eq(crl_publish(&job, &state, &f), ERR_INTERNAL);
    cr_assert_not_null(strstr(f.detail, "no such key"), "%s", f.detail);
    cr_assert_eq(files_in_public(), 0);
    cr_assert_eq(shop_state(&s).number, 0);
}

Test(crl_publish, a_lost_signer_ends_the_role_and_leaves_the_old_pair)
{
    struct crl_job job;

    shop_open(&s, "ec-256", "ca");
    publish_at(SHOP_NOW);
    job = job_at(SHOP_NOW + 1);
    shop_signer_stop(&s); /* closes our end too: a descriptor that is none any more */
    fails(&job, ERR_END, "");
}

/* There is a list in force, the signer is stopped, and the next is to be made. */
static struct crl_job stopped_at_next(void)
{
    shop_open(&s, "ec-256", "ca");
    publish_at(SHOP_NOW);
    kill(s.signer, SIGSTOP);
    return job_at(SHOP_NOW + 1);
}

/* Before the last octet is taken of a long list, and after it of a short one. What was given up is answered
 * when the signer goes on, before what is asked then. */
Test(crl_publish, a_hanging_signer_leaves_the_old_pair_and_the_port_in_step)
{
    struct crl_job job = stopped_at_next();

    fails(&job, ERR_UNAVAILABLE, "the signer does not answer");
    shop_revoke(&s, 20000);
    job = job_at(SHOP_NOW + 2);
    fails(&job, ERR_UNAVAILABLE, "the signer does not answer");
    kill(s.signer, SIGCONT);
    cr_assert_eq(publish_at(SHOP_NOW + 3).count, 20000);
    X509_CRL_free(shop_published(&s));
}

/* The number that was reserved for the list before. */
static enum err reserve_two(void *arg, const char *id, uint64_t *number)
{
    (void)arg;
    (void)id;
    *number = 2;
    return OK;
}

static bool let_the_signer_go_on(void *arg)
{
    return kill(((const struct shop *)arg)->signer, SIGCONT) == 0;
}

/* Lists of several issuers have the same numbers. */
Test(crl_publish, a_late_answer_is_not_taken_for_that_about_a_list_of_the_same_number)
{
    struct crl_state state;
    struct fault f = {0};
    struct crl_job job = stopped_at_next();

    fails(&job, ERR_UNAVAILABLE, "the signer does not answer");
    shop_revoke(&s, 5);
    job = job_at(SHOP_NOW + 2);
    job.reserve = reserve_two;
    job.tick = let_the_signer_go_on;
    shop_clock_set(SHOP_NOW + 2);
    cr_assert_eq(crl_publish(&job, &state, &f), OK, "%s", f.detail);
    cr_assert_eq(state.count, 5);
    X509_CRL_free(shop_published(&s)); /* which is verified */
}

static unsigned ticks;

static bool count_ticks(void *arg)
{
    (void)arg;
    ticks++;
    return true;
}

/* A tick a second, and one for the piece that found room. */
Test(crl_publish, a_signer_that_was_mute_is_given_a_second)
{
    struct crl_job job = stopped_at_next();

    job.tick = count_ticks;
    fails(&job, ERR_UNAVAILABLE, "the signer does not answer");
    cr_assert_eq(ticks, CRL_SIGNER_WAIT_S + 1);
    fails(&job, ERR_UNAVAILABLE, "the signer does not answer");
    cr_assert_eq(ticks, CRL_SIGNER_WAIT_S + 1 + 2);
    kill(s.signer, SIGCONT);
    publish_at(SHOP_NOW + 2);
    kill(s.signer, SIGSTOP);
    ticks = 0;
    fails(&job, ERR_UNAVAILABLE, "the signer does not answer");
    cr_assert_eq(ticks, CRL_SIGNER_WAIT_S + 1, "it had answered since");
    kill(s.signer, SIGCONT);
}

static bool tell_that_nobody_wants_it(void *arg)
{
    (void)arg;
    return false;
}

Test(crl_publish, a_list_that_nobody_wants_any_more_is_not_waited_for)
{
    struct crl_job job = stopped_at_next();

    job.tick = tell_that_nobody_wants_it;
    fails(&job, ERR_END, "");
    kill(s.signer, SIGCONT);
}

static enum err refuse_reserve(void *arg, const char *id, uint64_t *number)
{
    (void)arg;
    (void)id;
    (void)number;
    return ERR_NOT_FOUND;
}

Test(crl_publish, a_refused_number_leaves_the_old_pair)
{
    struct crl_job job;

    shop_open(&s, "ec-256", "ca");
    publish_at(SHOP_NOW);
    job = job_at(SHOP_NOW + 1);
    job.reserve = refuse_reserve;
    fails(&job, ERR_NOT_FOUND, "");
}

static enum err refuse_record(void *arg, const char *id, const struct crl_part *state, const char *cause)
{
    (void)arg;
    (void)id;
    (void)state;
    (void)cause;
    return ERR_CONFLICT;
}

Test(crl_publish, an_unrecorded_publication_is_said)
{
    struct crl_job job;
    struct crl_state state;
    struct fault f = {0};

    shop_open(&s, "ec-256", "ca");
    job = job_at(SHOP_NOW);
    job.record = refuse_record;
    cr_assert_eq(crl_publish(&job, &state, &f), ERR_CONFLICT);
    cr_assert_not_null(strstr(f.detail, "was not recorded"), "%s", f.detail);
    X509_CRL_free(shop_published(&s));
}

/* Root writes where it likes, so a file in the directory's place stands for one that cannot be written. */
Test(crl_publish, a_missing_directory_costs_no_number)
{
    char crl_dir[160];
    struct crl_job job;
    struct crl_state state;
    struct fault f = {0};

    shop_open(&s, "ec-256", "ca");
    snprintf(crl_dir, sizeof crl_dir, "%s/crl", s.public_dir);
    cr_assert_eq(rmdir(crl_dir), 0);
    job = job_at(SHOP_NOW);
    cr_assert_eq(crl_publish(&job, &state, &f), ERR_IO);
    cr_assert_not_null(strstr(f.detail, s.crl_path), "%s", f.detail);
    cr_assert_eq(shop_state(&s).reserved, 0);
}

Test(crl_publish, an_unwritable_directory_leaves_the_old_pair)
{
    char crl_dir[160];
    struct crl_job job;

    shop_open(&s, "ec-256", "ca");
    publish_at(SHOP_NOW);
    job = job_at(SHOP_NOW + 1);
    snprintf(crl_dir, sizeof crl_dir, "%s/crl", s.public_dir);
    cr_assert_eq(chmod(crl_dir, 0555), 0);
    if (geteuid() == 0 && seteuid(65534) != 0)
        cr_skip_test("cannot give up root");
    if (access(s.dir, X_OK) != 0) {
        cr_assert_eq(seteuid(0), 0);
        cr_assert_eq(chmod(s.dir, 0755), 0);
        cr_assert_eq(seteuid(65534), 0);
    }
    {
        struct crl_state state;
        struct fault f = {0};

        cr_assert_eq(crl_publish(&job, &state, &f), ERR_IO);
        cr_assert_not_null(strstr(f.detail, "ermission denied"), "%s", f.detail);
    }
    if (getuid() == 0)
        cr_assert_eq(seteuid(0), 0);
    cr_assert_eq(chmod(crl_dir, 0755), 0);
    cr_assert_eq(files_in_public(), 2);
    cr_assert_eq(shop_state(&s).reserved, 1);
}

/* A file size limit stands for a full disk; it is set once the store has been written. */
static struct rlimit size_limit;

static enum err reserve_then_fill_the_disk(void *arg, const char *id, uint64_t *number)
{
    struct rlimit small;
    enum err e = shop_reserve(arg, id, number);

    getrlimit(RLIMIT_FSIZE, &size_limit);
    small = size_limit;
    small.rlim_cur = 100000;
    setrlimit(RLIMIT_FSIZE, &small);
    return e;
}

Test(crl_publish, a_disk_that_fills_half_way_leaves_the_old_pair_and_the_port_in_step)
{
    struct crl_job job;

    shop_open(&s, "ec-256", "ca");
    signal(SIGXFSZ, SIG_IGN);
    publish_at(SHOP_NOW);
    shop_revoke(&s, 5000);
    job = job_at(SHOP_NOW + 1);
    job.reserve = reserve_then_fill_the_disk;
    fails(&job, ERR_IO, "File too large");
    setrlimit(RLIMIT_FSIZE, &size_limit);
    cr_assert_eq(publish_at(SHOP_NOW + 2).count, 5000);
    X509_CRL_free(shop_published(&s));
}

/* The DER fits and the PEM, a third larger, does not. */
static enum err reserve_then_leave_room_for_der(void *arg, const char *id, uint64_t *number)
{
    struct rlimit small;
    enum err e = shop_reserve(arg, id, number);

    getrlimit(RLIMIT_FSIZE, &size_limit);
    small = size_limit;
    small.rlim_cur = 300000;
    setrlimit(RLIMIT_FSIZE, &small);
    return e;
}

Test(crl_publish, a_pem_that_does_not_fit_leaves_both_old_files)
{
    struct crl_job job;

    shop_open(&s, "ec-256", "ca");
    signal(SIGXFSZ, SIG_IGN);
    publish_at(SHOP_NOW);
    shop_revoke(&s, 4000);
    job = job_at(SHOP_NOW + 1);
    job.reserve = reserve_then_leave_room_for_der;
    fails(&job, ERR_IO, ".pem");
    setrlimit(RLIMIT_FSIZE, &size_limit);
    cr_assert_eq(publish_at(SHOP_NOW + 2).count, 4000);
}

Test(crl_publish, a_long_list_leaves_the_disk_what_is_kept_and_a_short_one_is_made)
{
    struct crl_job job;
    struct crl_state state;
    struct fault f = {0};

    shop_open(&s, "ec-256", "ca");
    publish_at(SHOP_NOW);
    shop_revoke(&s, 1000);
    job = job_at(SHOP_NOW + 1);
    job.kept = UINT64_MAX / 2;
    cr_assert_eq(crl_publish(&job, &state, &f), OK, "%s", f.detail);
    cr_assert_eq(state.count, 1000);
    shop_revoke(&s, 30000);
    clock_s = SHOP_NOW + 2;
    fails(&job, ERR_IO, "no room");
    job.kept = 1;
    cr_assert_eq(crl_publish(&job, &state, &f), OK, "%s", f.detail);
    cr_assert_eq(state.count, 31000);
}
