/* SPDX-License-Identifier: Apache-2.0 */
/* courier: when what is done. */
#include "watch/courier.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/hash.h"
#include "base/log.h"

#define SECOND_MS 1000

/* ---- waiting after a failure ---- */

int64_t courier_pause_ms(const struct watch_config *config, unsigned failures)
{
    int64_t pause_ms = config->retry_s * SECOND_MS, most_ms = config->retry_max_s * SECOND_MS;
    uint16_t chance;

    for (unsigned i = 1; i < failures && pause_ms < most_ms; i++)
        pause_ms *= 2;
    if (pause_ms > most_ms)
        pause_ms = most_ms;
    random_octets((uint8_t *)&chance, sizeof chance);
    return pause_ms * 3 / 4 + pause_ms / 2 * chance / UINT16_MAX;
}

/* The wall clock may have been anywhere since it was written down: never longer than a pause can be. */
static int64_t pause_left_ms(const struct courier *c, int64_t now_s)
{
    int64_t left_s = c->ledger.retry_at_s - now_s, most_s = c->config->retry_max_s * 5 / 4;

    if (c->ledger.failures == 0 || left_s <= 0)
        return 0;
    return (left_s < most_s ? left_s : most_s) * SECOND_MS;
}

/* ---- the figures ---- */

static struct courier_figures figures_of(struct bell *b, const char *id)
{
    return (struct courier_figures){
        .uploads = bell_figure(b, FIGURE_COUNTER, "watch_uploads_total", id, "Files carried to the target."),
        .octets = bell_figure(b, FIGURE_COUNTER, "watch_upload_octets_total", id, "Octets of those files."),
        .failures = bell_figure(b, FIGURE_COUNTER, "watch_upload_failures_total", id,
                                "Rounds of deliveries with a failure."),
        .pending = bell_figure(b, FIGURE_GAUGE, "watch_pending", id, "Files the target does not have yet."),
        .delivered = bell_figure(b, FIGURE_GAUGE, "watch_delivered_seconds", id,
                                 "When the target was last known to have everything."),
        .checks = bell_figure(b, FIGURE_COUNTER, "watch_readbacks_total", id, "Files read back."),
        .bad = bell_figure(b, FIGURE_COUNTER, "watch_readback_faults_total", id,
                           "Files read back that were not as published."),
        .checked = bell_figure(b, FIGURE_GAUGE, "watch_readback_good_seconds", id,
                               "When everything read back was last as published."),
    };
}

/* ---- the courier ---- */

static void ledger_begin(struct courier *c, const char *state_dir)
{
    struct fault f = {0};
    enum err e = ledger_open(&c->ledger, state_dir, c->target, &f);

    if (e != OK) /* what the target holds is looked at before anything goes there, all the same */
        log_warn("watch-state", "%s", f.detail);
}

void courier_open(struct courier *c, const struct watch_config *config, size_t target, const char *state_dir,
                  struct shelf *shelf, const struct trust *trust, struct bell *bell)
{
    int64_t now_ms = clock_monotonic_ms();

    *c = (struct courier){.target = &config->targets[target],
                          .config = config,
                          .shelf = shelf,
                          .bell = bell,
                          .check_at_ms = now_ms};
    c->carry = (struct carry){
        .target = c->target, .trust = trust, .line = transfer_line_new(), .is_over = shelf_closed(shelf)};
    c->figures = figures_of(bell, c->target->id);
    ledger_begin(c, state_dir);
    c->deliver_at_ms = now_ms + pause_left_ms(c, clock_now_s());
    c->is_down = c->ledger.failures > 0; /* what failed before a restart is not known */
    delivery_tell(c);
}

void courier_hurry(struct courier *c)
{
    c->deliver_at_ms = clock_monotonic_ms();
}

void courier_close(struct courier *c)
{
    transfer_line_free(c->carry.line);
    ledger_close(&c->ledger);
    free(c->items);
    free(c->dockets);
}

void courier_forget(struct bell *b, const char *target)
{
    static const char *const codes[] = {"target.failing", "readback.failed", "readback.stale",
                                        "readback.foreign", "watch.state"};

    for (size_t i = 0; i < sizeof codes / sizeof *codes; i++)
        bell_clear(b, codes[i], target);
}

uint64_t courier_longest(const struct courier *c, size_t item)
{
    const struct ledger_row *r = ledger_find(&c->ledger, c->items[item].name);
    uint64_t longest = c->items[item].identity.size;

    if (r != NULL && r->longest > longest)
        longest = r->longest;
    if (c->dockets[item].longest > longest)
        longest = c->dockets[item].longest;
    return longest < LIST_LEN_MAX ? longest : LIST_LEN_MAX; /* whatever the ledger or a file's size says */
}

size_t courier_pending(const struct courier *c)
{
    size_t n = 0;

    for (size_t i = 0; c->target->type != TARGET_PUBLIC && i < c->count; i++)
        n += delivery_is_due(c, &c->items[i]);
    return n;
}

/* What held the list before holds its successor not. */
static struct docket docket_for(const struct docket *d, const struct shelf_item *before,
                                const struct shelf_item *now)
{
    struct docket out = *d;

    if (memcmp(before->sha256, now->sha256, HASH_LEN) != 0)
        out.held = (struct fault){0};
    if (before->identity.size > out.longest)
        out.longest = before->identity.size;
    return out;
}

/* Both are ordered by name. */
static struct docket *dockets_of(const struct courier *c, const struct shelf_item *items, size_t count)
{
    struct docket *dockets = xcalloc(count + 1, sizeof *dockets);

    for (size_t i = 0, k = 0; i < count; i++) {
        while (k < c->count && strcmp(c->items[k].name, items[i].name) < 0)
            k++;
        if (k < c->count && strcmp(c->items[k].name, items[i].name) == 0)
            dockets[i] = docket_for(&c->dockets[k], &c->items[k], &items[i]);
    }
    return dockets;
}

/* What failed and is due no more is one too: its alarm ends. */
static bool is_round_due(const struct courier *c)
{
    if (courier_pending(c) == 0)
        return c->ledger.failures > 0;
    for (size_t i = 0; !c->is_down && i < c->count; i++)
        if (c->dockets[i].held.code == OK && delivery_is_due(c, &c->items[i]))
            return true;
    return false;
}

static void take_shelf(struct courier *c)
{
    uint64_t before = c->turn;
    size_t count;
    struct shelf_item *items = shelf_copy(c->shelf, &count, &c->turn);
    struct docket *dockets = dockets_of(c, items, count);

    free(c->items);
    free(c->dockets);
    c->items = items;
    c->dockets = dockets;
    c->count = count;
    if (c->turn != before && c->target->type == TARGET_PUBLIC)
        c->check_at_ms = clock_monotonic_ms();
}

static void deliver(struct courier *c)
{
    bool is_carried = delivery_round(c);

    c->deliver_at_ms = clock_monotonic_ms() + pause_left_ms(c, clock_now_s());
    if (is_carried)
        c->check_at_ms = clock_monotonic_ms();
}

static void check(struct courier *c)
{
    int64_t wait_ms = c->config->check_s * SECOND_MS, pause_ms;

    if (c->count == 0) /* nothing is published yet: the shelf will say when */
        return;
    c->check_failures = readback_round(c) ? 0 : c->check_failures + 1;
    pause_ms = courier_pause_ms(c->config, c->check_failures);
    if (c->check_failures > 0 && pause_ms < wait_ms)
        wait_ms = pause_ms;
    c->check_at_ms = clock_monotonic_ms() + wait_ms;
}

/* When there is something to do again, whatever the shelf says; monotonic. What is due and in no pause was
 * replaced while it was to be carried: the thread that looks has its successor in a moment. */
static int64_t next_turn_ms(const struct courier *c, int64_t now_ms)
{
    int64_t next_ms = c->check_at_ms, again_ms = now_ms + SECOND_MS;

    if (c->count == 0)
        next_ms = now_ms + c->config->check_s * SECOND_MS;
    if (courier_pending(c) > 0 && c->deliver_at_ms > again_ms)
        again_ms = c->deliver_at_ms;
    return courier_pending(c) > 0 && again_ms < next_ms ? again_ms : next_ms;
}

int64_t courier_turn(struct courier *c)
{
    int64_t now_ms = clock_monotonic_ms(), next_ms;

    take_shelf(c);
    if (now_ms >= c->deliver_at_ms)
        delivery_release(c);
    if (is_round_due(c))
        deliver(c);
    if (c->count > 0 && clock_monotonic_ms() >= c->check_at_ms)
        check(c);
    figure_set(c->figures.pending, (int64_t)courier_pending(c));
    now_ms = clock_monotonic_ms();
    next_ms = next_turn_ms(c, now_ms);
    return next_ms > now_ms ? next_ms - now_ms : 0;
}

void courier_run(struct courier *c)
{
    while (!atomic_load(c->carry.is_over)) {
        int64_t idle_ms = courier_turn(c);

        shelf_wait(c->shelf, c->turn, idle_ms);
    }
}
