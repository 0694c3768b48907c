/* SPDX-License-Identifier: Apache-2.0 */
/* tally: a table searched from one end to the other: what is looked up in it was refused, and its asker can
 * wait. */
#include "api/tally.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"

#define MINUTE_MS 60000

struct tally {
    tally_tell *tell;
    void *arg;
    struct timer *timer;
    struct tallied rows[TALLY_MAX]; /* free: who "" */
    struct tallied several;
};

static void tell(struct tally *t, struct tallied *row)
{
    t->tell(row, t->arg);
    row->count = 0;
}

void tally_minute(struct tally *t)
{
    for (size_t i = 0; i < TALLY_MAX; i++)
        if (t->rows[i].count > 0)
            tell(t, &t->rows[i]);
        else
            t->rows[i].who[0] = '\0';
    if (t->several.count > 0)
        tell(t, &t->several);
}

static void on_minute(void *arg)
{
    tally_minute(arg);
}

/* Its row, or a free one; NULL: there is no place for another. */
static struct tallied *find(struct tally *t, const char *who, const void *what)
{
    struct tallied *spare = NULL;

    for (size_t i = 0; i < TALLY_MAX; i++) {
        struct tallied *row = &t->rows[i];

        if (row->who[0] == '\0')
            spare = spare != NULL ? spare : row;
        else if (row->what == what && strcmp(row->who, who) == 0)
            return row;
    }
    return spare;
}

static void describe(struct tallied *row, const void *what, const char *why)
{
    row->what = what;
    snprintf(row->why, sizeof row->why, "%s", why);
}

void tally_note(struct tally *t, const char *who, const void *what, const char *why)
{
    struct tallied *row;

    assert(who[0] != '\0' && strlen(who) < sizeof row->who);
    row = find(t, who, what);
    if (row == NULL) {
        t->several.count++;
        describe(&t->several, what, why);
        return;
    }
    row->count++;
    if (row->who[0] != '\0')
        return;
    strcpy(row->who, who);
    describe(row, what, why);
    tell(t, row);
}

struct tally *tally_new(struct loop *l, tally_tell *fn, void *arg)
{
    struct tally *t = xcalloc(1, sizeof *t);

    t->tell = fn;
    t->arg = arg;
    t->timer = timer_start(l, MINUTE_MS, MINUTE_MS, on_minute, t);
    return t;
}

void tally_free(struct tally *t)
{
    if (t == NULL)
        return;
    timer_stop(t->timer);
    free(t);
}
