/* SPDX-License-Identifier: Apache-2.0 */
/* hall: its directories are those of a home. */
#include "tests/unit/watch/hall.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/clock.h"

void hall_begin(struct hall *h)
{
    h->shelf = shelf_new(h->public_dir, h->trust, h->bell);
    shelf_look(h->shelf);
    courier_open(&h->courier, &h->config, 0, h->state_dir, h->shelf, h->trust, h->bell);
}

void hall_end(struct hall *h)
{
    courier_close(&h->courier);
    shelf_free(h->shelf);
}

void hall_open(struct hall *h)
{
    *h = (struct hall){0};
    press_open(&h->press, "P-256", "Test CA");
    h->config = press_config(&h->press);
    h->board = board_new();
    h->bell = bell_new(h->board);
    cr_assert_eq(trust_load(&h->config, &h->trust, NULL), OK);
    cr_assert_eq(path_join(h->public_dir, h->press.dir, "crl", NULL), OK);
    cr_assert_eq(path_join(h->target_dir, h->press.dir, "target", NULL), OK);
    cr_assert_eq(path_join(h->state_dir, h->press.dir, "watch", NULL), OK);
    cr_assert(mkdir(h->public_dir, 0700) == 0 && mkdir(h->target_dir, 0700) == 0 &&
              mkdir(h->state_dir, 0700) == 0);
    h->config.count = 1;
    h->config.targets[0] = (struct target){.id = "mirror", .type = TARGET_DIRECTORY, .timeout_s = 5};
    snprintf(h->config.targets[0].url, URL_LEN_MAX, "%.500s", h->target_dir);
    strcpy(h->config.targets[0].public_url, "http://127.0.0.1:1");
    hall_begin(h);
}

void hall_open_stand(struct hall *h, enum target_type type)
{
    struct target *t = &h->config.targets[0];

    hall_open(h);
    hall_end(h);
    h->stand = stand_open(h->target_dir);
    t->type = type;
    strcpy(type == TARGET_PUBLIC ? t->public_url : t->url, stand_url(h->stand));
    hall_list(h, h->public_dir, "a.crl", 5);
    hall_list(h, h->public_dir, "ca.crl", 5);
}

void hall_close(struct hall *h)
{
    if (h->stand != NULL)
        stand_close(h->stand);
    hall_end(h);
    trust_free(h->trust);
    bell_free(h->bell);
    board_close(h->board);
    press_close(&h->press);
}

void hall_put(const char *dir, const char *name, struct span octets)
{
    char path[PATH_LEN_MAX];

    cr_assert_eq(path_join(path, dir, name, NULL), OK);
    cr_assert_eq(file_replace(path, octets, 0644, NULL), OK);
}

void hall_list(struct hall *h, const char *dir, const char *name, uint64_t number)
{
    hall_long_list(h, dir, name, number, 0);
}

void hall_long_list(struct hall *h, const char *dir, const char *name, uint64_t number, size_t entries)
{
    struct span der = press_crl(&h->press, &(struct sheet){.number = number,
                                                           .entries = entries,
                                                           .this_update_s = clock_now_s(),
                                                           .next_update_s = clock_now_s() + 86400});

    hall_put(dir, name, der);
    free((void *)der.data);
}

void hall_publish(struct hall *h, const char *dir, uint64_t number)
{
    hall_list(h, dir, "ca.crl", number);
    shelf_look(h->shelf);
}

void hall_copy(const char *from, const char *to, const char *name)
{
    char path[PATH_LEN_MAX];
    struct buf b;

    buf_init(&b, 64u << 20);
    cr_assert_eq(path_join(path, from, name, NULL), OK);
    cr_assert_eq(file_read(path, &b, NULL), OK);
    hall_put(to, name, buf_span(&b));
    buf_free(&b);
}

uint64_t hall_number_in(const char *dir)
{
    struct scan *s = scan_begin();
    struct scan_facts facts;
    char path[PATH_LEN_MAX];
    struct buf b;
    bool is_there;

    buf_init(&b, 64u << 20);
    cr_assert_eq(path_join(path, dir, "ca.crl", NULL), OK);
    is_there = file_read(path, &b, NULL) == OK;
    (void)!scan_add(s, buf_span(&b));
    is_there = scan_end(s, &facts, NULL) == OK && is_there;
    buf_free(&b);
    return is_there ? facts.number : 0;
}

struct wanted {
    const char *code;
    enum alarm_level level;
    char detail[ALARM_DETAIL_MAX];
};

static bool find_alarm(const struct alarm_shown *a, void *arg)
{
    struct wanted *w = arg;

    if (strcmp(a->code, w->code) != 0)
        return true;
    strcpy(w->detail, a->detail);
    w->level = a->level;
    return false;
}

const char *hall_alarm(struct hall *h, const char *code)
{
    static struct wanted w;

    w = (struct wanted){.code = code};
    board_each_alarm(h->board, find_alarm, &w);
    return w.detail;
}

void hall_expect_alarm(struct hall *h, const char *code, const char *words)
{
    cr_assert_not_null(strstr(hall_alarm(h, code), words), "%s: %s", code, hall_alarm(h, code));
}

bool hall_is_critical(struct hall *h, const char *code)
{
    struct wanted w = {.code = code};

    board_each_alarm(h->board, find_alarm, &w);
    return w.level == ALARM_CRITICAL;
}

void hall_deliver(struct hall *h)
{
    h->courier.deliver_at_ms = 0; /* as if the pause were over */
    courier_turn(&h->courier);
}

void hall_check(struct hall *h)
{
    h->courier.check_at_ms = 0;
    courier_turn(&h->courier);
}
