/* SPDX-License-Identifier: Apache-2.0 */
/* readback: what clients get, against what is published. */
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "watch/courier.h"

static const char *const codes[VERDICTS] = {
    [VERDICT_FAILED] = "readback.failed",
    [VERDICT_STALE] = "readback.stale",
    [VERDICT_FOREIGN] = "readback.foreign",
};

/* The first of each kind, and how many there were. */
struct tally {
    struct {
        size_t count;
        bool is_critical;
        char text[200];
    } kinds[VERDICTS];
};

static void note(struct sight *out, enum verdict v, bool is_critical, const char *text)
{
    *out = (struct sight){.verdict = v, .is_critical = is_critical};
    snprintf(out->text, sizeof out->text, "%.190s", text);
}

static void count(struct tally *t, const struct sight *s)
{
    if (t->kinds[s->verdict].count++ == 0)
        strcpy(t->kinds[s->verdict].text, s->text);
    t->kinds[s->verdict].is_critical = t->kinds[s->verdict].is_critical || s->is_critical;
}

static void note_old(struct sight *out, const struct shelf_item *i, const struct seen *seen, int64_t now_s)
{
    char text[256], until[CLOCK_TEXT_MAX];

    clock_rfc3339(seen->facts.next_update_s, until);
    snprintf(text, sizeof text, "%s: clients get number %llu, good until %s; published is %llu", i->name,
             (unsigned long long)seen->facts.number, until, (unsigned long long)i->number);
    note(out, VERDICT_STALE, seen->facts.next_update_s <= now_s, text);
}

static void note_foreign(struct sight *out, const struct shelf_item *i, const char *why)
{
    char text[256];

    snprintf(text, sizeof text, "%s: what clients get: %s", i->name, why);
    note(out, VERDICT_FOREIGN, true, text);
}

static bool is_same(const struct seen *seen, const struct shelf_item *i)
{
    return memcmp(seen->facts.sha256, i->sha256, HASH_LEN) == 0;
}

/* A cache may still show the list before this one, while that is good. */
static bool is_in_grace(const struct courier *c, const struct shelf_item *i, const struct seen *seen,
                        int64_t now_s)
{
    return now_s - i->this_update_s < c->target->grace_s && seen->facts.next_update_s > now_s;
}

/* `i` is what is published now. */
static bool judge(struct courier *c, const struct shelf_item *i, const struct seen *seen, struct sight *out)
{
    int64_t now_s = clock_now_s();

    *out = (struct sight){0};
    if (!seen->is_there) {
        char text[200];

        snprintf(text, sizeof text, "%s: clients get nothing: it is not there", i->name);
        note(out, VERDICT_FAILED, false, text);
    } else if (seen->why[0] != '\0') {
        note_foreign(out, i, seen->why);
    } else if (seen->issuer != i->issuer) {
        note_foreign(out, i, "it is a list of another issuer");
    } else if (is_same(seen, i)) {
        if (i->next_update_s > now_s)
            return true;
        note_old(out, i, seen, now_s);
    } else if (seen->facts.number > i->number) {
        note_foreign(out, i, "its number is beyond what is published");
    } else if (seen->facts.number == i->number) {
        note_foreign(out, i, "it has the number of another list");
    } else if (is_in_grace(c, i, seen, now_s)) {
        return true;
    } else {
        note_old(out, i, seen, now_s);
    }
    return false;
}

/* Is it a whole list of ours, of that issuer? */
static bool is_of(const struct seen *seen, const struct shelf_item *i)
{
    return seen->is_there && seen->why[0] == '\0' && seen->issuer == i->issuer;
}

/* What is published under the name that was read, after it was read. A list can be with clients before the
 * thread that looks has found it: before one is called foreign, the directory itself is asked. False: it was
 * withdrawn. */
static bool find_now(struct courier *c, const char *name, const struct seen *seen, struct shelf_item *now)
{
    bool is_there = shelf_find(c->shelf, name, now);

    if (is_there && is_of(seen, now) && !is_same(seen, now) && seen->facts.number >= now->number)
        is_there = shelf_peek(c->shelf, name, now);
    return is_there && now->fault == NULL;
}

/* It was published when the round began or later, and is no more. */
static bool is_replaced(const struct seen *seen, const struct shelf_item *before,
                        const struct shelf_item *now)
{
    if (!is_of(seen, now) || is_same(seen, now))
        return false;
    return is_same(seen, before) ||
           (seen->facts.number >= before->number && seen->facts.number < now->number);
}

/* A file that cannot be had is one more fault, and takes nothing back of what was seen of it before. */
static void note_failed(struct sight *out, const char *text, struct tally *t)
{
    struct sight failed;

    note(&failed, VERDICT_FAILED, false, text);
    if (out->verdict == VERDICT_GOOD || out->verdict == VERDICT_FAILED)
        *out = failed;
    else
        count(t, &failed);
}

/* False when there was no answer: no other file will fare better. */
static bool read_one(struct courier *c, size_t item, struct tally *t)
{
    const struct shelf_item *before = &c->items[item];
    struct sight *out = &c->dockets[item].sight;
    struct shelf_item now;
    struct fault f = {0};
    struct seen seen;
    enum err e;

    figure_add(c->figures.checks, 1);
    e = carry_read_back(&c->carry, before, courier_longest(c, item), &seen, &f);
    if (e != OK) {
        figure_add(c->figures.bad, 1);
        note_failed(out, f.detail, t);
        return !carry_ails_all(e) || e == ERR_UNAUTHENTICATED; /* nobody logs in here */
    }
    if (!find_now(c, before->name, &seen, &now) || is_replaced(&seen, before, &now))
        return true; /* withdrawn or replaced while we read: the next turn reads the next */
    if (judge(c, &now, &seen, out))
        return true;
    figure_add(c->figures.bad, 1);
    ledger_doubt(&c->ledger, before->name);
    return true;
}

static bool report(struct courier *c, const struct tally *t)
{
    bool is_good = true;

    for (enum verdict v = VERDICT_FAILED; v < VERDICTS; v++) {
        is_good = is_good && t->kinds[v].count == 0;
        if (t->kinds[v].count == 0)
            bell_clear(c->bell, codes[v], c->target->id);
        else if (t->kinds[v].count == 1)
            bell_raise(c->bell, t->kinds[v].is_critical ? ALARM_CRITICAL : ALARM_WARNING, codes[v],
                       c->target->id, "%s", t->kinds[v].text);
        else
            bell_raise(c->bell, t->kinds[v].is_critical ? ALARM_CRITICAL : ALARM_WARNING, codes[v],
                       c->target->id, "%s; and %zu more", t->kinds[v].text, t->kinds[v].count - 1);
    }
    if (is_good)
        figure_set(c->figures.checked, clock_now_s());
    return is_good;
}

bool readback_round(struct courier *c)
{
    struct tally t = {0};

    for (size_t i = 0; i < c->count; i++) {
        if (atomic_load(c->carry.is_over))
            return true;
        if (c->items[i].fault == NULL && !read_one(c, i, &t))
            break;
    }
    if (atomic_load(c->carry.is_over)) /* the end of the service is no fault of the target */
        return true;
    for (size_t i = 0; i < c->count; i++)
        if (c->items[i].fault == NULL)
            count(&t, &c->dockets[i].sight);
    return report(c, &t);
}
