/* SPDX-License-Identifier: Apache-2.0 */
/* inner: what the files of the crl room share. */
#ifndef CRL_INNER_H
#define CRL_INNER_H

#include "base/file.h"
#include "crl/crl.h"

/* ---- files.c: what lies under public/crl ---- */

struct crl_paths {
    char der[PATH_LEN_MAX], pem[PATH_LEN_MAX];
};
enum err crl_paths_of(const char *public_dir, const char *id, struct crl_paths *out, struct fault *f);
/* Drafts of a publication that was killed: as long as lists are, and on a full disk what fills it. At start
 * alone: there is one publisher. */
void crl_drafts_remove(const char *public_dir);
/* Reads the DER behind `fd` from its start: its SHA-256 and size, and its PEM ("X509 CRL") to the sink.
 * ERR_IO; ERR_END: the sink stopped it. */
enum err crl_armour(int fd, crl_sink *sink, void *arg, uint8_t sha256[static HASH_LEN], uint64_t *size);
/* True when both files are there and are what was published. */
bool crl_files_match(const struct crl_paths *p, const struct crl_state *s);

/* ---- entry.c: one revoked certificate in a list ---- */

#define ENTRY_MAX 96u /* octets: serial 22, date 17, reason 12, invalidity 26, two headers of 2 */
size_t entry_len(const struct revoked *r);
size_t entry_write(const struct revoked *r, uint8_t out[static ENTRY_MAX]); /* gives entry_len(r) */

/* ---- queue.c: what the ca asked for and has no answer yet ---- */

struct crl_request {
    uint64_t number;
    char id[ISSUER_ID_MAX];
    uint8_t cause;
};
struct crl_queue {
    struct crl_request *items;
    size_t len, cap;
};
void queue_push(struct crl_queue *q, const struct crl_request *r);
/* The first waiting request for this issuer, NULL: none. */
const struct crl_request *queue_find(const struct crl_queue *q, const char *id);
/* Takes the first among the first `within` items that is for this issuer; false when there is none. */
bool queue_take(struct crl_queue *q, const char *id, size_t *within, struct crl_request *out);
void queue_free(struct crl_queue *q);

/* ---- schedule.c ---- */

#define CRL_RETRY_S 60 /* after a failed publication: time to clear a disk, little of any overlap */
/* After a failure there is no try before `not_before_s`, unless the clock went back since. */
bool crl_may_try(int64_t not_before_s, int64_t now_s);

/* ---- desk.c: our end of the wire to the ca ---- */

struct desk {
    int fd;
    const struct crl_config *config; /* whose issuers may be asked for */
    struct crl_queue queue;
    size_t covered;       /* requests at the head of the queue that the running publication answers */
    uint64_t next_number; /* of our questions */
    bool is_over;         /* the other end closed */
};
/* Queues every request that waits, without waiting for any. arg: struct desk. */
void desk_drain(void *arg);
/* The desk verbs of a crl_job. arg: struct desk. ERR_END: the other end closed. */
enum err desk_reserve(void *arg, const char *issuer_id, uint64_t *number);
enum err desk_record(void *arg, const char *issuer_id, const struct crl_state *s, const char *cause);
enum err desk_done(struct desk *d, uint64_t number, enum err result, uint64_t crl_number, const char *reason);

#endif
