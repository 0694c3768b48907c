/* SPDX-License-Identifier: Apache-2.0 */
/*
 * carry: one file to one place, and back. What the kinds of targets have in common is here; how a file gets
 * under its name at once differs: webdav MOVE, sftp rename, a rename in a directory, S3 and http as they are.
 * libssh2 1.10 has no rename that replaces: over SFTP the old file is removed first, so for one round trip
 * the name is missing, never partial. Private to the watch room. Blocks; one carry, one thread.
 */
#ifndef WATCH_CARRY_H
#define WATCH_CARRY_H

#include "base/transfer.h"
#include "watch/shelf.h"

struct carry {
    const struct target *target;
    const struct trust *trust;
    struct transfer_line *line;
    const atomic_bool *is_over;
};

/* What stands under a name somewhere. */
struct seen {
    bool is_there;
    const char *why; /* why it is no whole list of ours; "" when it is. `facts` then hold what is said here */
    char reason[128]; /* backs `why` */
    struct scan_facts facts;
    int issuer; /* who signed it; -1: none of ours */
};

/* What the target holds under the item's name, however long that is; `longest` octets is what it gets time
 * for. Errors as of transfer(), ERR_IO for a directory; any other status than 200, 404 and 410 is ERR_POLICY,
 * 401 is ERR_UNAUTHENTICATED. */
enum err carry_look(struct carry *c, const struct shelf_item *i, uint64_t longest, struct seen *out,
                    struct fault *f);
/* Puts the file behind `fd` under the item's name, as a whole or not at all. ERR_KEY: a secret or key cannot
 * be used. */
enum err carry_put(struct carry *c, const struct shelf_item *i, int fd, struct fault *f);
/* What anybody gets from the public URL; it is read as far as `longest` octets, the longest list known to
 * have been there, make likely. */
enum err carry_read_back(struct carry *c, const struct shelf_item *i, uint64_t longest, struct seen *out,
                         struct fault *f);
/* True when an error of these ails whatever else is to be carried or read there: no answer, the wrong peer,
 * no login, no key. Else it ails this file, and the next may do. */
[[nodiscard]] bool carry_ails_all(enum err e);

/* ---- drop.c: the same for a local directory ---- */

enum err drop_look(const char *dir, const struct shelf_item *i, bool (*sink)(struct span, void *), void *arg,
                   bool *is_there, struct fault *f);
enum err drop_put(const char *dir, const struct shelf_item *i, int fd, struct fault *f);

#endif
