/* SPDX-License-Identifier: Apache-2.0 */
/* delivery: a round of what a target does not have yet. Nothing goes there that is older than what it was
 * given, or than what it holds. */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "watch/courier.h"

bool delivery_is_due(const struct courier *c, const struct shelf_item *i)
{
    const struct ledger_row *r = ledger_find(&c->ledger, i->name);

    if (i->fault != NULL)
        return false;
    return r == NULL || r->is_doubted || memcmp(r->sha256, i->sha256, HASH_LEN) != 0;
}

/* Is it later than what is there? ERR_CONFLICT: no. */
static enum err order_check(const struct courier *c, const struct shelf_item *i, const struct seen *there,
                            struct fault *f)
{
    const struct ledger_row *r = ledger_find(&c->ledger, i->name);
    unsigned long long ours = i->number;

    if (r != NULL && r->number > i->number)
        return fault_set(f, ERR_CONFLICT, "%s: number %llu is older than %llu, which was delivered before",
                         i->name, ours, (unsigned long long)r->number);
    if (there->is_there && there->why[0] == '\0' && there->issuer == i->issuer &&
        there->facts.number > i->number)
        return fault_set(f, ERR_CONFLICT, "%s: number %llu is there, newer than our %llu", i->name,
                         (unsigned long long)there->facts.number, ours);
    return OK;
}

static bool is_same(const struct seen *there, const struct shelf_item *i)
{
    return there->is_there && memcmp(there->facts.sha256, i->sha256, HASH_LEN) == 0;
}

/* Writes down what the target has. Carrying goes on when that fails: what it holds is looked at first. */
static void remember(struct courier *c)
{
    struct fault f = {0};

    if (ledger_save(&c->ledger, &f) == OK)
        bell_clear(c->bell, "watch.state", c->target->id);
    else
        bell_raise(c->bell, ALARM_WARNING, "watch.state", c->target->id, "%s", f.detail);
}

static enum err carry_one(struct courier *c, const struct shelf_item *i, bool *is_carried, struct fault *f)
{
    int fd = shelf_open(c->shelf, i);
    enum err e;

    if (fd < 0) /* replaced meanwhile: the next turn has its successor */
        return OK;
    e = carry_put(&c->carry, i, fd, f);
    close(fd);
    if (e != OK)
        return e;
    *is_carried = true;
    figure_add(c->figures.uploads, 1);
    figure_add(c->figures.octets, i->identity.size);
    log_info("delivered", "%s: %s number %llu, %llu octets", c->target->id, i->name,
             (unsigned long long)i->number, (unsigned long long)i->identity.size);
    return OK;
}

static enum err deliver_one(struct courier *c, size_t item, bool *is_carried, struct fault *f)
{
    const struct shelf_item *i = &c->items[item];
    struct seen there;
    bool is_there;
    enum err e = carry_look(&c->carry, i, courier_longest(c, item), &there, f);

    if (e == OK)
        e = order_check(c, i, &there, f);
    if (e != OK)
        return e;
    is_there = is_same(&there, i);
    if (!is_there) {
        bool before = *is_carried;

        *is_carried = false;
        e = carry_one(c, i, is_carried, f);
        is_there = *is_carried;
        *is_carried = *is_carried || before;
    }
    if (e == OK && is_there) {
        ledger_put(&c->ledger, i, clock_now_s());
        remember(c);
    }
    return e;
}

void delivery_release(struct courier *c)
{
    c->is_down = false;
    for (size_t i = 0; i < c->count; i++)
        c->dockets[i].held = (struct fault){0};
}

/* What is worst of all that is held, by this round or one before, else the first; and how many there are. */
static const struct fault *worst_held(const struct courier *c, size_t *count)
{
    const struct fault *worst = NULL;

    *count = 0;
    for (size_t i = 0; i < c->count; i++) {
        const struct fault *f = &c->dockets[i].held;

        if (f->code == OK)
            continue;
        ++*count;
        if (worst == NULL || (f->code == ERR_CONFLICT && worst->code != ERR_CONFLICT))
            worst = f;
    }
    return worst;
}

static void tell(struct courier *c, const struct fault *worst, size_t count)
{
    struct ledger *l = &c->ledger;
    char more[32] = "";

    if (count > 1)
        snprintf(more, sizeof more, "; and %zu more", count - 1);
    l->is_critical = worst->code == ERR_CONFLICT;
    snprintf(l->why, sizeof l->why, "%.190s%s (try %u)", worst->detail, more, l->failures);
    delivery_tell(c);
}

void delivery_tell(const struct courier *c)
{
    const struct ledger *l = &c->ledger;

    if (l->failures == 0)
        bell_clear(c->bell, "target.failing", c->target->id);
    else
        bell_raise(c->bell, l->is_critical ? ALARM_CRITICAL : ALARM_WARNING, "target.failing", c->target->id,
                   "%s", l->why[0] != '\0' ? l->why : "it failed before the restart");
}

static void settle_good(struct courier *c)
{
    bool was_failing = c->ledger.failures > 0;

    c->ledger.failures = 0;
    c->ledger.retry_at_s = 0;
    c->ledger.why[0] = '\0';
    c->ledger.is_critical = false;
    delivery_tell(c);
    if (courier_pending(c) == 0)
        figure_set(c->figures.delivered, clock_now_s());
    if (was_failing)
        remember(c);
}

/* What fails while others wait joins them: a pause that each failure made longer might never end. */
static void settle(struct courier *c, bool has_failed, bool is_in_pause)
{
    struct ledger *l = &c->ledger;
    size_t count;
    const struct fault *worst = worst_held(c, &count);

    if (worst == NULL)
        return settle_good(c);
    if (has_failed)
        figure_add(c->figures.failures, 1);
    if (has_failed && !is_in_pause) {
        l->failures += l->failures < 1000000;
        l->retry_at_s = clock_now_s() + (courier_pause_ms(c->config, l->failures) + 999) / 1000;
    }
    tell(c, worst, count);
    if (has_failed)
        remember(c);
}

/* An item's part of a round. False: the service ends. */
static bool take_turn(struct courier *c, size_t i, bool *is_carried, bool *has_failed)
{
    struct docket *d = &c->dockets[i];
    struct fault f = {0};
    enum err e;

    if (d->held.code != OK || !delivery_is_due(c, &c->items[i]))
        return true;
    e = deliver_one(c, i, is_carried, &f);
    if (e == ERR_END)
        return false;
    if (e != OK) {
        d->held = f;
        *has_failed = true;
    }
    c->is_down = carry_ails_all(e);
    if (c->is_down) /* it may have been this file after all: next time it comes last */
        c->first = i + 1;
    return true;
}

bool delivery_round(struct courier *c)
{
    bool is_carried = false, has_failed = false, is_in_pause = clock_monotonic_ms() < c->deliver_at_ms;
    size_t first = c->first;

    c->first = 0;
    for (size_t n = 0; n < c->count && !c->is_down; n++)
        if (!take_turn(c, (first + n) % c->count, &is_carried, &has_failed))
            return is_carried;
    settle(c, has_failed, is_in_pause);
    return is_carried;
}
