/* SPDX-License-Identifier: Apache-2.0 */
/* late: what the published files show to somebody who reads nothing else: lists that are overdue, files that
 * are not ours. */
#include "watch/late.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"

static void foreign_check(const struct late *l)
{
    const struct shelf_item *first = NULL;
    size_t bad = 0;

    for (size_t i = 0; i < l->count; i++) {
        if (l->items[i].fault == NULL)
            continue;
        first = first != NULL ? first : &l->items[i];
        bad++;
    }
    if (first == NULL)
        bell_clear(l->bell, "crl.foreign", "public/crl");
    else
        bell_raise(l->bell, ALARM_CRITICAL, "crl.foreign", "public/crl",
                   "%s: %s; %zu file(s) are carried nowhere", first->name, first->fault, bad);
}

/* How late is an issuer's list? 0: not. The full list warns as /readyz does; others have their own rhythm and
 * are late when they are over. */
static int lateness(const struct shelf_item *i, const struct watch_issuer *issuer, int64_t now_s)
{
    size_t len = strlen(issuer->id);
    bool is_full = strncmp(i->name, issuer->id, len) == 0 && strcmp(i->name + len, ".crl") == 0;

    if (i->next_update_s <= now_s)
        return ALARM_CRITICAL;
    if (is_full && i->next_update_s - now_s < issuer->overlap_s - issuer->overlap_s / 4)
        return ALARM_WARNING;
    return 0;
}

/* The latest list of an issuer; NULL: none is late. */
static const struct shelf_item *latest(const struct late *l, int issuer, int *level, size_t *seen)
{
    const struct shelf_item *worst = NULL;

    for (size_t i = 0; i < l->count; i++) {
        const struct shelf_item *item = &l->items[i];
        int this_level;

        if (item->issuer != issuer || item->fault != NULL)
            continue;
        ++*seen;
        this_level = lateness(item, &l->config->issuers[issuer], l->now_s);
        if (this_level > *level) {
            worst = item;
            *level = this_level;
        }
    }
    return worst;
}

static void overdue_check(const struct late *l, int issuer)
{
    const char *id = l->config->issuers[issuer].id;
    char until[CLOCK_TEXT_MAX];
    size_t seen = 0;
    int level = 0;
    const struct shelf_item *worst = latest(l, issuer, &level, &seen);

    if (seen > 0 && level == 0)
        bell_clear(l->bell, "crl.overdue", id);
    if (!l->is_settled || (seen > 0 && level == 0))
        return;
    if (seen == 0) {
        bell_raise(l->bell, ALARM_CRITICAL, "crl.overdue", id, "no list is published");
        return;
    }
    clock_rfc3339(worst->next_update_s, until);
    bell_raise(l->bell, (enum alarm_level)level, "crl.overdue", id,
               "%s, number %llu, is good until %s: the next is late", worst->name,
               (unsigned long long)worst->number, until);
}

void late_check(const struct late *l)
{
    foreign_check(l);
    for (size_t i = 0; i < l->config->issuer_count; i++)
        overdue_check(l, (int)i);
}
