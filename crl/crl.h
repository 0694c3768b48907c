/* SPDX-License-Identifier: Apache-2.0 */
/*
 * crl: the publisher. It reads one view of the store, writes each v2 CRL (RFC 5280 5) into a draft, streams
 * it from there to the signer and into its PEM, and puts both under public/crl/ by temporary file, fsync,
 * rename. It owns the schedule. It does not write the store: the number is reserved and the publication
 * recorded by the ca, over the desk.
 *
 * Order of one run: open the first list's drafts -> reserve a number (durable) -> open a view; then of each
 * list: entries into the draft -> to the signer -> rename both files -> record (durable). The view is closed
 * after the last list's entries, the answer comes after the last record. A crash in between costs a number,
 * never repeats one. Thread rule: one thread; crl_cached_until() and crl_issuer_find() are pure.
 */
#ifndef CRL_CRL_H
#define CRL_CRL_H

#include "base/board.h"
#include "base/desk.h" /* the wire to the ca */
#include "base/xml.h"
#include "store/store.h"

/*
 * When the lists of an issuer are made. With a time of day, runs begin at the moments t for which t - at is a
 * multiple of the period, counted from 1970-01-01T00:00:00Z; without one, a period after the last run. Every
 * run is put off by a delay drawn for it alone.
 */
struct crl_issuer {
    char id[ISSUER_ID_MAX];
    int64_t every_s;   /* the period of complete lists */
    int64_t overlap_s; /* from the latest begin of the next run to nextUpdate: how late it may be before
                          clients see an expired list */
    int64_t at_s;      /* of the day, UTC; -1: none given */
    int64_t jitter_s;  /* the longest delay */
    int64_t delta_s;   /* the period of deltas, of which every_s is a multiple; 0: no deltas but those that
                          certificates name already, which then follow the complete list's schedule */
    unsigned shards;   /* what certificates name now: a power of two, 1: the complete list */
};

/* When a cache has to ask for that list again at the latest: before the earliest begin of the next run of its
 * kind, so that no list that is out is hidden by the one before; with lists at once after a revocation, which
 * makes deltas too, within CRL_CACHED_MAX_S. A run that is late leaves CRL_CACHED_LATE_S. Never beyond
 * nextUpdate, and never before now_s. `i` NULL: not configured (any more), nextUpdate alone counts. */
#define CRL_CACHED_MAX_S 300 /* a revocation on its list at once is worth little behind a cache of hours */
#define CRL_CACHED_LATE_S 60 /* a publisher that failed shall not send all clients of a cache to us */
int64_t crl_cached_until(const struct crl_issuer *i, bool is_delta, bool on_revocation,
                         const struct crl_state *s, int64_t now_s);

struct crl_config {
    struct crl_issuer issuers[ISSUERS_MAX];
    size_t count;
    bool on_revocation; /* publish at once after a revocation, coalesced */
};
/* Borrowed. NULL: none of that id. */
const struct crl_issuer *crl_issuer_find(const struct crl_config *c, const char *id);

/* Reads <issuer><crl every= overlap= at= jitter= delta-every= shards=/> and <crl on-revocation=/>. The public
 * URL is the ca's, which gives it with each number. */
enum err crl_config_read(const struct xml_node *root, struct crl_config *out, struct fault *f);

enum crl_run { RUN_NONE, RUN_DELTA, RUN_COMPLETE }; /* a complete run makes the deltas too */

/* The signing port of a publisher, through all its runs. */
struct crl_port {
    int fd;
    uint64_t questions; /* asked so far: what a late answer is known by */
    bool is_mute;       /* the last wait was in vain: it is waited for a second, until it does something */
};

/* Everything one publication needs; `reserve` and `record` are the desk, injected so that tests have none. */
struct crl_job {
    struct store *store;
    const struct crl_issuer *issuer;
    const char *public_dir; /* holds crl/ID.crl, crl/ID.pem, crl/ID.previous.crl */
    struct crl_port *port;
    int64_t (*clock)(void); /* seconds; NULL: clock_now_s. Asked once for a run: its thisUpdate */
    uint64_t kept; /* octets that a list of more than 1 MiB leaves free on the disk: what the ca commits in */
    enum crl_run run;       /* not RUN_NONE; RUN_DELTA wants a complete list in force */
    const char *public_url; /* what stands before /crl/; read once `reserve` has returned, which may set it */
    const char *cause;      /* "schedule", "start", "request", "revocation": audit */
    enum err (*reserve)(void *arg, const char *issuer_id, uint64_t *number);
    /* once for each list of the run */
    enum err (*record)(void *arg, const char *issuer_id, const struct crl_part *p, const char *cause);
    /* called now and then while a list goes out; false: nobody wants it any more. NULL: nothing to do */
    bool (*tick)(void *arg);
    void *arg;
};
/* OK and the published state, or the reason with nothing changed under public/ (the files of a publication
 * that could not be recorded are in place, and true). ERR_UNAVAILABLE: the signer is there and has neither
 * taken nor given anything for CRL_SIGNER_WAIT_S. ERR_END: the signer or the desk is gone, or nobody wants
 * it any more: the role ends. */
#define CRL_SIGNER_WAIT_S                                                                                    \
    10u /* and a second for each of fifteen issuers after it: less than the api waits, so that it hears why  \
         */
enum err crl_publish(const struct crl_job *job, struct crl_state *out, struct fault *f);

struct crl_role {
    const char *store_dir, *public_dir;
    struct crl_config config;
    int port_fd, desk_fd;
    struct board *board;    /* figures and alarms; NULL: none */
    int64_t (*clock)(void); /* seconds; NULL: clock_now_s */
};
/* Publishes what is due, then serves desk and schedule until the desk closes. On start also re-creates a
 * public file that is missing or does not match the recorded hash by publishing anew. */
enum err crl_run(const struct crl_role *r);

#endif
