/* SPDX-License-Identifier: Apache-2.0 */
/*
 * access: roles and scopes, the vocabulary of who may do what. A role says which acts, a scope on which
 * certificates: profiles by glob, names by suffix, issuers by id. It decides nothing by itself: the tables
 * that tie routes and acts to roles are in api/route.c and ca/access.c. Pure.
 */
#ifndef BASE_ACCESS_H
#define BASE_ACCESS_H

#include "base/buf.h"

/* No order among them: each is its own set of acts. */
enum access_role {
    ACCESS_NOBODY, /* never permits anything: what a forgotten initialisation gives */
    ACCESS_VIEWER,
    ACCESS_REQUESTER,
    ACCESS_OPERATOR,
    ACCESS_AUDITOR,
    ACCESS_ADMINISTRATOR,
    ACCESS_ROLES
};
#define ACCESS_BIT(role) (1u << (role))
#define ACCESS_ANY                                                                                           \
    (ACCESS_BIT(ACCESS_VIEWER) | ACCESS_BIT(ACCESS_REQUESTER) | ACCESS_BIT(ACCESS_OPERATOR) |                \
     ACCESS_BIT(ACCESS_AUDITOR) | ACCESS_BIT(ACCESS_ADMINISTRATOR))

const char *access_role_name(enum access_role r); /* "viewer"; "nobody" */
/* One of the five; false for anything else, "nobody" included. */
[[nodiscard]] bool access_role_parse(const char *text, enum access_role *out);
/* What it takes, for whoever says so. */
#define ACCESS_ROLES_TEXT "viewer, requester, operator, auditor or administrator"

/* Lines of the permit list: every new connection is held against them. */
#define PERMITS_MAX 1024u
/* What the ca says of a line, and the command line beforehand. */
#define PERMIT_THERE_TEXT "The permit list has this line already."
#define PERMIT_MISSING_TEXT "The permit list has no such line."
#define PERMITS_FULL_TEXT "The permit list has 1024 lines: use ranges."
_Static_assert(PERMITS_MAX == 1024, "as the text says");

#define SCOPE_TEXT_MAX 512u /* octets of one list with its NULs: a dozen globs or suffixes */
struct scope_list {
    uint16_t len;
    char text[SCOPE_TEXT_MAX]; /* each item ended by one NUL; none: everything */
};
struct scope {
    struct scope_list profiles; /* globs with * and ? */
    struct scope_list names;    /* "example.com": itself and below; ".example.com": below alone; an address
                                   or a range of them, "192.0.2.0/24" */
    struct scope_list issuers;  /* ids */
};

/* False when the item is empty, not printable ASCII, or does not fit; nothing is added then. */
[[nodiscard]] bool scope_add(struct scope_list *l, const char *item);
/* The item at *at, which moves to the next (start with 0); NULL at the end. */
const char *scope_next(const struct scope_list *l, size_t *at);
bool scope_is_any(const struct scope *s); /* limits nothing */

bool scope_has_profile(const struct scope *s, const char *profile);
bool scope_has_issuer(const struct scope *s, const char *issuer_id);
/* A name as text: a host, with or without "*." before it; an address; of "user@host" the host. ASCII case
 * is ignored. */
bool scope_has_name(const struct scope *s, struct span name);

void scope_write(struct buf *b, const struct scope *s);
/* False: not what scope_write() makes. */
[[nodiscard]] bool scope_read(struct rd *r, struct scope *out);

#endif
