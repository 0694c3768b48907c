/* SPDX-License-Identifier: Apache-2.0 */
/* revoked: a store with one issuer and as many revoked certificates as wanted, and a signer with its key:
 * what the CRL benchmark works on. Any failure ends the program. */
#ifndef TESTS_BENCH_REVOKED_H
#define TESTS_BENCH_REVOKED_H

#include <sys/types.h>

#include "store/store.h"

#define ISSUER_ID "ca"

struct ground {
    char dir[64], store_dir[96], public_dir[96], key_path[96], certificate_path[96];
    uint16_t no;      /* of the issuer */
    int64_t now_s;    /* the time at which it was laid out */
    uint64_t last;    /* serials made so far */
    uint64_t laid;    /* of them by ground_fill() and ground_fill_valid() */
    uint64_t revoked; /* of them */
    bool has_audit;   /* to be set before they are laid: an audit row of each act */
    uint8_t *der;     /* the issuer's certificate */
    size_t der_len;
};

/* Makes key, certificate and an empty store under a new directory. */
void ground_open(struct ground *g, const char *kind);
void ground_close(struct ground *g); /* removes it all */

/* Adds `count` certificates, all of them revoked, in large transactions. */
void ground_fill(struct ground *g, uint64_t count);
/* The same, none of them revoked. */
void ground_fill_valid(struct ground *g, uint64_t count);
/* Adds valid ones, to be revoked later, whose serials lie all over those that are there. */
void ground_add_valid(struct ground *g, struct store *s, uint64_t count);
/* As after the publication of a complete list: what deltas would say is forgotten. */
void ground_settle(const struct ground *g, struct store *s);
/* Lets the page cache forget the store, which nobody has open, and reads it again a page of 4 KiB at a time,
 * as a map does: what was laid in large transactions lies in the cache in large folios, each write into which
 * costs the kernel some microseconds more. */
void ground_read_again(const struct ground *g);
/* Number n's, n >= laid: a valid one's. */
void ground_valid_serial(const struct ground *g, uint64_t n, uint8_t serial[static SERIAL_LEN]);
/* What number n was revoked for, as ground_fill() did. */
struct revoked ground_revoked(const struct ground *g, uint64_t n);

/* A signing process; gives its port. End it with signer_end(). */
pid_t signer_begin(const struct ground *g, int *port_fd);
void signer_end(pid_t pid, int port_fd);

#endif
