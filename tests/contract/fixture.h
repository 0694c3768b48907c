/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fixture: a store in a directory of its own, and certificates to put into it. Certificates are numbered:
 * sample(n) is always the same one, so that a test knows what it must find. Everything checks itself: a
 * failure is the test's.
 */
#ifndef CONTRACT_FIXTURE_H
#define CONTRACT_FIXTURE_H

#include <sys/types.h>

#include "store/store.h"

#define NOW 1800000000 /* the tests' clock, Unix seconds */
#define DAY 86400

struct place {
    char dir[64];
    struct store *store; /* NULL: closed */
};

/* A new directory and in it a new, open store. */
struct place place_create(void);
struct place place_create_sized(uint64_t map_size);
/* A new directory with nothing in it. */
struct place place_empty(void);
void place_reopen(struct place *p, enum store_mode mode);
void place_close(struct place *p);
void place_remove(struct place *p); /* closes too */

/* What a certificate of that number is made of; lives as long as this does. */
struct sample {
    struct cert cert;
    char cn[64], subject[96], sans[128];
    uint8_t der[4096];
};
void sample_make(struct sample *s, unsigned n, size_t der_len);
void serial_of(unsigned n, uint8_t out[static SERIAL_LEN]);

struct txn *begin(struct place *p);
struct view *look(struct place *p);
void add(struct txn *t, unsigned n);                         /* the certificate of that number */
void add_range(struct place *p, unsigned from, unsigned to); /* from..to-1 in one transaction */
void commit(struct txn *t);                                  /* must succeed */
uint64_t rnd(uint64_t below);                                /* the same sequence each run */

/* Processes: a child runs fn and ends with its result as exit code. Fork before any store is open. */
pid_t child(int (*fn)(const char *dir, int in, int out), const char *dir, int *to, int *from);
int child_end(pid_t pid); /* exit code, or 128 + signal */
void tell(int fd, uint64_t v);
bool hear(int fd, uint64_t *v); /* false: the other end is closed */

#endif
