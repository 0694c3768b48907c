/* SPDX-License-Identifier: Apache-2.0 */
/* Does a list give what a plain search through everything gives, page by page, in the order the door
 * promises? */
#include <criterion/criterion.h>
#include <ctype.h>
#include <fnmatch.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/contract/fixture.h"

#define MODEL_COUNT 400

/* The model: certificate n has number n + 1. fnmatch() judges patterns, strcasecmp() names. */
static struct sample model[MODEL_COUNT];
static enum cert_state states[MODEL_COUNT];

static struct place model_create(void)
{
    struct place p = place_create();
    struct txn *t = begin(&p);
    uint64_t number;

    for (unsigned n = 0; n < MODEL_COUNT; n++) {
        sample_make(&model[n], n, 50);
        model[n].cert.status.not_after_s = NOW + (int64_t)rnd(300) * DAY - 60 * DAY;
        if (n % 7 == 0) /* its CN is none of its names, and one of them, twice, is like other CNs */
            model[n].cert.sans = span_of("node1alias.example.com\0NODE1ALIAS.example.com", 46);
        cert_add(t, &model[n].cert, &number);
        cr_assert_eq(number, n + 1);
        if (rnd(4) == 0) {
            states[n] = rnd(3) == 0 ? CERT_HELD : CERT_REVOKED;
            cert_revoke(t, model[n].cert.serial,
                        states[n] == CERT_HELD ? REASON_CERTIFICATE_HOLD : REASON_SUPERSEDED, NOW - 5,
                        NO_TIME);
        }
    }
    commit(t);
    return p;
}

static bool has_san(const struct cert *c, const char *name)
{
    for (const char *s = (const char *)c->sans.data; s < (const char *)c->sans.data + c->sans.len;
         s += strlen(s) + 1)
        if (strcasecmp(s, name) == 0)
            return true;
    return false;
}

static bool fits_state(const struct cert_query *q, unsigned n)
{
    bool is_expired = model[n].cert.status.not_after_s < q->now_s;

    return q->status == FILTER_ANY || (q->status == FILTER_VALID && states[n] == CERT_VALID && !is_expired) ||
           (q->status == FILTER_REVOKED && states[n] == CERT_REVOKED) ||
           (q->status == FILTER_HELD && states[n] == CERT_HELD) ||
           (q->status == FILTER_EXPIRED && is_expired);
}

static bool fits_expiry(const struct cert_query *q, unsigned n)
{
    int64_t not_after_s = model[n].cert.status.not_after_s;

    if (q->expires_before_s == NO_TIME)
        return true;
    if (not_after_s >= q->expires_before_s)
        return false;
    return not_after_s >= q->now_s || (q->status != FILTER_ANY && q->status != FILTER_VALID);
}

static bool fits(const struct cert_query *q, unsigned n)
{
    const struct cert *c = &model[n].cert;

    return fits_state(q, n) && fits_expiry(q, n) &&
           (q->issuer_no == 0 || q->issuer_no == c->status.issuer_no) &&
           (q->key_type == KEY_NONE || q->key_type == c->key_type) &&
           (q->profile == NULL || strcmp(q->profile, c->profile) == 0) &&
           (q->requester == NULL || strcmp(q->requester, c->requester) == 0) &&
           (q->san == NULL || has_san(c, q->san)) &&
           (q->cn == NULL || fnmatch(q->cn, model[n].cn, FNM_CASEFOLD) == 0);
}

/* The table of orders at cert_list() in the door. */
enum order { NEWEST, BY_NAME, EXPIRING, EXPIRED };
static enum order order_of(const struct cert_query *q)
{
    if (q->expires_before_s != NO_TIME)
        return EXPIRING;
    if (q->san != NULL)
        return NEWEST;
    if (q->cn != NULL && strcspn(q->cn, "*?") > 0)
        return strpbrk(q->cn, "*?") != NULL ? BY_NAME : NEWEST;
    if (q->status == FILTER_REVOKED || q->status == FILTER_HELD || q->requester != NULL || q->profile != NULL)
        return NEWEST;
    return q->status == FILTER_EXPIRED ? EXPIRED : NEWEST;
}

static enum order sorting;

static int compare(const void *a, const void *b)
{
    unsigned x = *(const unsigned *)a, y = *(const unsigned *)b;
    int64_t dx = model[x].cert.status.not_after_s, dy = model[y].cert.status.not_after_s;
    int up = (x > y) - (x < y), later = (dx > dy) - (dx < dy);

    switch (sorting) {
    case NEWEST:
        return -up;
    case BY_NAME:
        return strcasecmp(model[x].cn, model[y].cn) != 0 ? strcasecmp(model[x].cn, model[y].cn) : up;
    case EXPIRING:
        return later != 0 ? later : up;
    case EXPIRED:
        return later != 0 ? -later : -up;
    }
    return 0;
}

static size_t expect(const struct cert_query *q, unsigned *out)
{
    size_t count = 0;

    for (unsigned n = 0; n < MODEL_COUNT; n++)
        if (fits(q, n))
            out[count++] = n;
    sorting = order_of(q);
    qsort(out, count, sizeof *out, compare);
    return count;
}

struct page {
    unsigned seen[2 * MODEL_COUNT];
    size_t count, stop_at;
};

static bool note(const struct cert *c, void *arg)
{
    struct page *p = arg;

    cr_assert_lt(p->count, sizeof p->seen / sizeof *p->seen);
    p->seen[p->count++] = (unsigned)(c->number - 1);
    if (c->number <= MODEL_COUNT)
        cr_assert_eq(c->status.state, states[c->number - 1]);
    return p->count != p->stop_at;
}

/* Every page in turn. */
static void walk(struct view *v, struct cert_query q, struct page *out)
{
    char cursors[2][CURSOR_MAX] = {"", ""};

    for (unsigned i = 0; i == 0 || q.after[0] != '\0'; i++) {
        size_t before = out->count;

        cr_assert_eq(cert_list(v, &q, note, out, cursors[i % 2]), OK);
        cr_assert_leq(out->count - before, q.limit);
        q.after = cursors[i % 2];
        q.now_s++; /* the clock moves on between pages */
    }
}

static struct cert_query any(unsigned limit)
{
    return (struct cert_query){.expires_before_s = NO_TIME, .now_s = NOW, .limit = limit};
}

static struct cert_query random_query(char *text)
{
    static const char *const globs[] = {
        "*",       "node1*", "NODE?.example.com",  "*7.example.com",    "node12?.*", "nothing*",
        "*e*e*e*", "",       "node*9.EXAMPLE.com", "?ode33.example.com"};
    static const char *const sans[] = {"EXAMPLE.com", "node1alias.example.COM"};
    static const char *const profiles[] = {"ucm/tomcat", "imp/cup", "none"};
    static const char *const requesters[] = {"admin-1", "admin-4", "ADMIN-1"};
    struct cert_query q = any(1 + (unsigned)rnd(40));

    if (rnd(3) == 0)
        q.cn = globs[rnd(10)];
    else if (rnd(6) == 0)
        q.cn = (sprintf(text, "nODE%u.example.com", (unsigned)rnd(MODEL_COUNT + 5)), text);
    if (rnd(5) == 0)
        q.san =
            (sprintf(text + 100, "192.0.2.%u", (unsigned)rnd(256)), rnd(2) != 0 ? sans[rnd(2)] : text + 100);
    if (rnd(4) == 0)
        q.profile = profiles[rnd(3)];
    if (rnd(4) == 0)
        q.requester = requesters[rnd(3)];
    if (rnd(3) == 0)
        q.issuer_no = (uint16_t)(1 + rnd(3));
    if (rnd(2) == 0)
        q.status = (enum cert_filter)rnd(5);
    if (rnd(3) == 0)
        q.key_type = (enum key_type)rnd(3);
    if (rnd(4) == 0)
        q.expires_before_s = NOW + (int64_t)rnd(200) * DAY - 50 * DAY;
    return q;
}

Test(list, every_query_gives_what_a_plain_search_gives)
{
    struct place p = model_create();
    struct view *v = look(&p);
    unsigned expected[MODEL_COUNT];
    size_t nonempty = 0;
    char text[200];

    for (unsigned round = 0; round < 1500; round++) {
        struct cert_query q = random_query(text);
        size_t count = expect(&q, expected);
        struct page got = {.stop_at = SIZE_MAX};

        walk(v, q, &got);
        cr_assert_eq(got.count, count, "round %u: %zu instead of %zu", round, got.count, count);
        cr_assert_arr_eq(got.seen, expected, count * sizeof *expected, "round %u", round);
        nonempty += count > 0;
    }
    cr_assert_gt(nonempty, 500); /* the queries are not all of nothing */
    view_close(v);
    place_remove(&p);
}

Test(list, pages_stay_whole_while_certificates_are_added)
{
    struct place p = model_create();
    struct cert_query q = any(30);
    struct page got = {.stop_at = SIZE_MAX};
    char cursors[2][CURSOR_MAX];

    for (unsigned i = 0; i == 0 || q.after[0] != '\0'; i++) {
        struct view *v = look(&p);

        cr_assert_eq(cert_list(v, &q, note, &got, cursors[i % 2]), OK);
        view_close(v);
        q.after = cursors[i % 2];
        add_range(&p, MODEL_COUNT + 10 * i, MODEL_COUNT + 10 * i + 10);
    }
    cr_assert_eq(got.count, MODEL_COUNT);
    for (unsigned n = 0; n < MODEL_COUNT; n++)
        cr_assert_eq(got.seen[n], MODEL_COUNT - 1 - n);
    place_remove(&p);
}

Test(list, a_row_that_leaves_the_index_between_pages_is_no_obstacle)
{
    struct place p = place_create();
    struct cert_query q = any(1);
    struct page got = {.stop_at = SIZE_MAX};
    char first[CURSOR_MAX], second[CURSOR_MAX];
    uint8_t serial[SERIAL_LEN];
    struct txn *t;
    struct view *v;

    add_range(&p, 0, 3);
    t = begin(&p);
    for (unsigned n = 0; n < 3; n++) {
        serial_of(n, serial);
        cert_revoke(t, serial, REASON_CERTIFICATE_HOLD, NOW, NO_TIME);
        states[n] = CERT_HELD;
    }
    commit(t);
    q.status = FILTER_HELD;
    v = look(&p);
    cr_assert_eq(cert_list(v, &q, note, &got, first), OK);
    view_close(v);
    t = begin(&p);
    cert_unhold(t, serial); /* the one just listed: where the cursor stands */
    commit(t);
    q.after = first;
    v = look(&p);
    cr_assert_eq(cert_list(v, &q, note, &got, second), OK);
    view_close(v);
    cr_assert_eq(got.count, 2);
    cr_assert_eq(got.seen[0], 2);
    cr_assert_eq(got.seen[1], 1);
    place_remove(&p);
}

Test(list, stopping_early_gives_a_cursor_to_go_on_from)
{
    struct place p = place_create();
    struct cert_query q = any(100);
    struct page got = {.stop_at = 4};
    char next[CURSOR_MAX], end[CURSOR_MAX];
    struct view *v;

    add_range(&p, 0, 10);
    v = look(&p);
    cr_assert_eq(cert_list(v, &q, note, &got, next), OK);
    cr_assert_eq(got.count, 4);
    q.after = next;
    cr_assert_eq(cert_list(v, &q, note, &got, end), OK);
    cr_assert_eq(got.count, 10);
    cr_assert_eq(got.seen[4], 5);
    cr_assert_str_eq(end, "");
    view_close(v);
    place_remove(&p);
}

Test(list, a_page_of_exactly_the_rest_is_the_last)
{
    struct place p = place_create();
    struct cert_query q = any(10);
    struct page got = {.stop_at = SIZE_MAX};
    char next[CURSOR_MAX];
    struct view *v;

    add_range(&p, 0, 10);
    v = look(&p);
    cr_assert_eq(cert_list(v, &q, note, &got, next), OK);
    cr_assert_str_eq(next, "");
    q.limit = 9;
    cr_assert_eq(cert_list(v, &q, note, &got, next), OK);
    cr_assert_str_neq(next, "");
    view_close(v);
    place_remove(&p);
}

Test(list, empty_store_gives_an_empty_page)
{
    struct place p = place_create();
    struct cert_query q = any(10);
    struct page got = {.stop_at = SIZE_MAX};
    char next[CURSOR_MAX];
    struct view *v = look(&p);

    cr_assert_eq(cert_list(v, &q, note, &got, next), OK);
    cr_assert_eq(got.count, 0);
    cr_assert_str_eq(next, "");
    view_close(v);
    place_remove(&p);
}

Test(list, a_cursor_of_another_query_is_refused)
{
    struct place p = place_create();
    struct cert_query q = any(3);
    struct page got = {.stop_at = SIZE_MAX};
    char next[CURSOR_MAX], ignored[CURSOR_MAX];
    struct view *v;

    add_range(&p, 0, 10);
    v = look(&p);
    cr_assert_eq(cert_list(v, &q, note, &got, next), OK);
    q.after = next;
    q.limit = 5; /* the size of a page is no part of what is asked */
    q.now_s++;
    cr_assert_eq(cert_list(v, &q, note, &got, ignored), OK);
    q.issuer_no = 1;
    cr_assert_eq(cert_list(v, &q, note, &got, ignored), ERR_MALFORMED);
    q.issuer_no = 0;
    q.cn = "node*";
    cr_assert_eq(cert_list(v, &q, note, &got, ignored), ERR_MALFORMED);
    view_close(v);
    place_remove(&p);
}

Test(list, hostile_cursors_are_refused_or_harmless)
{
    static const char *const bad[] = {"", "x", "00", "zz", "0100", "../../etc/passwd", "%00", "01\xff\xfe"};
    struct place p = place_create();
    struct cert_query q = any(3);
    struct page got;
    char next[CURSOR_MAX], bent[3 * CURSOR_MAX], ignored[CURSOR_MAX];
    struct view *v;

    add_range(&p, 0, 20);
    v = look(&p);
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        q.after = bad[i];
        cr_assert_eq(cert_list(v, &q, note, &(struct page){0}, ignored), ERR_MALFORMED, "%s", bad[i]);
    }
    q.after = NULL;
    cr_assert_eq(cert_list(v, &q, note, &(struct page){.stop_at = SIZE_MAX}, next), OK);
    q.after = bent;
    for (unsigned round = 0; round < 3000; round++) {
        size_t len = strlen(next);

        strcpy(bent, next);
        if (rnd(3) == 0)
            len = 2 * rnd(len / 2);
        bent[len] = '\0';
        for (uint64_t i = rnd(4); i > 0 && len > 0; i--)
            bent[rnd(len)] = "0123456789abcdefXg"[rnd(18)];
        while (rnd(2) == 0 && len < 2 * CURSOR_MAX)
            len += (size_t)sprintf(bent + len, "%02x", (unsigned)rnd(256));
        got = (struct page){.stop_at = SIZE_MAX};
        if (cert_list(v, &q, note, &got, ignored) == OK)
            cr_assert_leq(got.count, 3);
    }
    memset(bent, 'f', sizeof bent - 1);
    bent[sizeof bent - 1] = '\0';
    cr_assert_eq(cert_list(v, &q, note, &got, ignored), ERR_MALFORMED);
    view_close(v);
    place_remove(&p);
}

Test(list, a_limit_or_pattern_out_of_bounds_is_refused)
{
    struct place p = place_create();
    struct cert_query q = any(0);
    char next[CURSOR_MAX], pattern[1000];
    struct view *v = look(&p);

    cr_assert_eq(cert_list(v, &q, note, NULL, next), ERR_MALFORMED);
    q.limit = LIST_LIMIT_MAX + 1;
    cr_assert_eq(cert_list(v, &q, note, NULL, next), ERR_MALFORMED);
    q.limit = LIST_LIMIT_MAX;
    memset(pattern, 'a', sizeof pattern - 1);
    pattern[sizeof pattern - 1] = '\0';
    q.profile = q.requester = q.san = pattern; /* too long to be anything of ours: simply nothing */
    cr_assert_eq(cert_list(v, &q, note, NULL, next), OK);
    q.san = NULL;
    cr_assert_eq(cert_list(v, &q, note, NULL, next), OK);
    q.cn = pattern;
    cr_assert_eq(cert_list(v, &q, note, NULL, next), ERR_MALFORMED);
    view_close(v);
    place_remove(&p);
}

Test(list, work_for_a_page_is_bounded_and_the_cursor_goes_on)
{
    struct place p = place_create_sized(1 << 20);
    struct cert_query q = any(10);
    struct page got = {.stop_at = SIZE_MAX};
    char cursors[2][CURSOR_MAX];
    struct txn *t = begin(&p);
    unsigned pages = 0;
    struct view *v;

    for (unsigned n = 0; n < 12000; n++) {
        struct cert c = {.key_type = n == 5 ? KEY_EC : KEY_RSA};
        uint64_t number;

        serial_of(n, c.serial);
        cert_add(t, &c, &number);
    }
    commit(t);
    q.key_type = KEY_EC; /* one certificate, the oldest but five, and no index that says so */
    v = look(&p);
    do {
        cr_assert_eq(cert_list(v, &q, note, &got, cursors[pages % 2]), OK);
        q.after = cursors[pages++ % 2];
    } while (q.after[0] != '\0');
    view_close(v);
    cr_assert_eq(pages, 2);
    cr_assert_eq(got.count, 1);
    cr_assert_eq(got.seen[0], 5);
    place_remove(&p);
}
