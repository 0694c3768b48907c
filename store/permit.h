/* SPDX-License-Identifier: Apache-2.0 */
/* permit: the list of addresses that may use a listener, or log in as a role. A part of the room's door,
 * store/store.h, which says how views and txns are used. */
#ifndef STORE_PERMIT_H
#define STORE_PERMIT_H

#include "base/access.h"
#include "base/address.h"
#include "base/err.h"
#include "base/limits.h"

struct view;
struct txn;

enum permit_listener { PERMIT_HTTP = 1, PERMIT_HTTPS = 2 };
const char *permit_listener_name(enum permit_listener l); /* "http" */
[[nodiscard]] bool permit_listener_parse(const char *text, enum permit_listener *out);

/* Whoever comes from this range may use the listener, or log in as that role there. */
struct permit {
    enum permit_listener listener;
    enum access_role role; /* ACCESS_NOBODY: the listener itself */
    struct address_range range;
    char created_by[PRINCIPAL_MAX];
    int64_t created_at_s;
    bool is_damaged; /* of a row that was read: it names itself, and created_by and created_at_s are lost */
};
void permit_add(struct txn *t, const struct permit *p); /* ERR_CONFLICT: it is there */
/* Listener, role and range name one. ERR_NOT_FOUND. A damaged one goes too. */
void permit_remove(struct txn *t, const struct permit *p);
/* ERR_NOT_FOUND. OK: `out` may be damaged, for the caller to see. */
enum err permit_find(struct view *v, const struct permit *p, struct permit *out);
/* By listener, role, range. fn returns false to stop, and gets damaged ones as well. ERR_INTERNAL when it met
 * a damaged one, or one that does not even name itself, which fn does not get: the others were visited. */
enum err permit_each(struct view *v, bool (*fn)(const struct permit *p, void *arg), void *arg);

#endif
