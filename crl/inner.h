/* SPDX-License-Identifier: Apache-2.0 */
/* inner: what the files of the crl room share. */
#ifndef CRL_INNER_H
#define CRL_INNER_H

#include "base/file.h"
#include "base/hash.h"
#include "base/parts.h"
#include "crl/crl.h"

/* ---- files.c: what lies under public/crl ---- */

struct crl_paths {
    char der[PATH_LEN_MAX], pem[PATH_LEN_MAX];
    char previous[PATH_LEN_MAX]; /* the DER that `der` replaced last */
};
/* `name` is crl_part_name()'s. ERR_TOO_LARGE: no list can have it. */
enum err crl_paths_of(const char *public_dir, const char *name, struct crl_paths *out, struct fault *f);
/* Drafts of a publication that was killed: as long as lists are, and on a full disk what fills it. At start
 * alone: there is one publisher. */
void crl_drafts_remove(const char *public_dir);
/* Makes `previous` another name of what `der` names now, if there is something and it is ours. Readers see
 * the old one or the new one. ERR_IO */
enum err crl_keep_previous(const struct crl_paths *p, struct fault *f);
/* True when both files are there and are what was published. */
bool crl_files_match(const struct crl_paths *p, const struct crl_state *s);

/* ---- armour.c: PEM ("X509 CRL") ---- */

/* Gets consecutive pieces; false stops. */
typedef bool crl_sink(struct span piece, void *arg);

#define ARMOUR_BEGIN "-----BEGIN X509 CRL-----\n"
#define ARMOUR_LINE 48u     /* octets in one line of base64 */
#define ARMOUR_LINE_LEN 65u /* characters of it, with its end */

struct armour;
struct armour *armour_new(crl_sink *sink, void *arg);
bool armour_add(struct armour *a, struct span octets); /* false: the sink stopped it */
bool armour_end(struct armour *a);                     /* the last line; as armour_add */
void armour_free(struct armour *a);
/* One full line alone, its end included: to replace one that is already out. */
void armour_line(const struct armour *a, const uint8_t octets[static ARMOUR_LINE],
                 char out[static ARMOUR_LINE_LEN]);

/* ---- entry.c: one revoked certificate in a list ---- */

#define ENTRY_MAX 96u /* octets: serial 22, date 17, reason 12, invalidity 26, two headers of 2 */
/* Gives the octets written. Any reason may stand, removeFromCRL too. */
size_t entry_write(const struct revoked *r, uint8_t out[static ENTRY_MAX]);

/* ---- encode.c: a tbsCertList without its entries ---- */

struct crl_content {
    struct span issuer_name; /* Name DER */
    struct span algorithm;   /* AlgorithmIdentifier DER */
    struct span ski;         /* issuer's SKI octets, for the AKI */
    uint64_t number;
    int64_t this_update_s, next_update_s;
    struct span more; /* further Extension elements, DER, one behind the other: they follow AKI and number */
};
/* Before revokedCertificates, without the outer header; and everything behind it. */
void crl_put_head(struct buf *b, const struct crl_content *c);
void crl_put_tail(struct buf *b, const struct crl_content *c);

/* ---- pair.c: the two files of one list while it is made ---- */

/*
 * Order: open, begin, add for every entry in ascending order of serial, close, stream, finish, put_in_force;
 * free at any time, which removes what was not put in force. Sticky: after the first failure, which goes into
 * the fault, nothing more is done.
 *
 * Entries go into the DER draft as they come, behind room for what stands before them, whose lengths are
 * known only when the last one is in. Then the list is read back from the page cache in pieces, for whoever
 * hashes and signs it, and its PEM is made at the same time. So there is one scan of the store whatever is
 * filtered from it, and memory does not depend on the count.
 */
struct crl_pair {
    const struct crl_paths *paths;
    struct fault *fault;
    enum err err;
    struct file_draft der, pem;
    uint64_t kept;               /* octets that stay free on the disk */
    uint64_t unseen;             /* octets written since it was last asked how many are */
    struct buf head, tail;       /* of the tbsCertList */
    struct buf waiting;          /* entries not yet in the draft */
    uint64_t count, entries_len; /* so far */
    uint64_t entries_at;         /* where in the draft the first entry is */
    uint64_t tbs_at, tbs_len;    /* once closed: where in the draft the list is */
    struct armour *armour;
};

/* Two drafts beside `paths`, which are borrowed. They stop with ERR_IO before less than `kept` octets are
 * free on their disk, looked at once a MiB: a short list is made all the same. */
enum err pair_open(struct crl_pair *p, const struct crl_paths *paths, uint64_t kept, struct fault *f);
/* Copies what it needs of the content. */
void pair_begin(struct crl_pair *p, const struct crl_content *c);
/* False after a failure. */
bool pair_add(struct crl_pair *p, const struct revoked *r);
/* No more entries. `trailer_max`: octets of signatureAlgorithm and signature at most. After it tbs_len and
 * count are final. */
enum err pair_close(struct crl_pair *p, size_t trailer_max);
/* The whole tbsCertList to the sink, in pieces of at most PAIR_PIECE, and its PEM to the other draft.
 * ERR_END: the sink stopped it. */
#define PAIR_PIECE (60u * 1024) /* octets: below PORT_PIECE_MAX, a multiple of ARMOUR_LINE */
enum err pair_stream(struct crl_pair *p, crl_sink *sink, void *arg);
/* `trailer`: signatureAlgorithm and signature, DER. Gives size and hash of the DER file. */
enum err pair_finish(struct crl_pair *p, struct span trailer, uint64_t *size,
                     uint8_t sha256[static HASH_LEN]);
/* Both on the disk, then both in place; what was in place stays as paths->previous. A full disk leaves the
 * old pair. */
enum err pair_put_in_force(struct crl_pair *p);
void pair_free(struct crl_pair *p);

/* Extensions for `more`: deltaCRLIndicator (RFC 5280 5.2.4), issuingDistributionPoint with one name for each
 * of `urls` (each ended by one NUL), or for `url` when there are none (5.2.5), freshestCRL (5.2.6). The names
 * are URL/crl/NAME.crl. */
void crl_put_base(struct buf *b, uint64_t number);
void crl_put_point(struct buf *b, struct span urls, const char *url, const char *name);
void crl_put_freshest(struct buf *b, const char *url, const char *name);

/* ---- list.c: one list ---- */

/* What the lists of a run are made from. */
struct crl_from {
    struct view *view;
    struct issuer issuer;
    struct parts parts; /* of its certificate */
    enum sig_alg alg;
    size_t signature_max;   /* octets */
    struct crl_state whole; /* in force: the base of deltas */
    struct crl_track track;
    int64_t shown_s; /* what has ended before then was on a list of the schedule; NO_TIME: nothing was */
};
struct crl_list {
    const struct crl_job *job;
    const struct crl_from *from; /* not read by list_open; its view by list_gather alone */
    struct fault *fault;
    struct crl_part part;
    struct crl_paths paths;
    struct crl_pair pair;
    uint64_t question; /* its number at the port */
    enum err err;      /* of the port */
};
/* In this order; free at any time, which leaves nothing but what is in force. */
enum err list_open(struct crl_list *l); /* its drafts */
enum err list_gather(struct crl_list *l);
enum err list_sign(struct crl_list *l); /* and puts it in force */
void list_free(struct crl_list *l);

/* ---- queue.c: what the ca asked for and has no answer yet ---- */

struct crl_request {
    uint64_t number;
    char id[ISSUER_ID_MAX];
    uint8_t cause;
    uint64_t changes; /* what a list must show to be an answer */
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
/* Takes the first for this issuer that a list with so many changes answers, wherever it stands. */
bool queue_take_shown(struct crl_queue *q, const char *id, uint64_t changes, struct crl_request *out);
void queue_free(struct crl_queue *q);

/* ---- schedule.c ---- */

/* What of an issuer is in force. */
struct crl_force {
    struct crl_state whole, delta; /* of all serials; number 0: none */
    bool is_short;                 /* a shard that certificates name was never published */
    int64_t before_s;              /* thisUpdate of the complete list before `whole`, as the schedule of
                                      now reads it from what `whole` left out; NO_TIME: none */
    int64_t issuer_from_s;         /* notBefore of the issuer's certificate */
};
/* When the next run of that kind is due, its delay included; a time in the past: now, however many were
 * missed. INT64_MAX: never. */
int64_t crl_due(const struct crl_issuer *i, const struct crl_force *s, enum crl_run run, int64_t now_s);
/* Between two complete lists of the schedule at most. */
int64_t crl_between_s(const struct crl_issuer *i);
/* nextUpdate of what a run at this_s makes. */
int64_t crl_next_update(const struct crl_issuer *i, enum crl_run run, int64_t this_s);

/* Is this one of the shards of those counts (powers of two, or'ed)? */
bool crl_is_sharded(unsigned counts, unsigned shard);

/* A list made while the clock was wrong is not valid yet for anybody. Less than this is a clock being set
 * right, as certificates are backdated for. */
#define AHEAD_S 300
#define CRL_RETRY_S 60 /* after a failed publication: time to clear a disk, little of any overlap */
/* After a failure there is no try before `not_before_s`, unless the clock went back since. */
bool crl_may_try(int64_t not_before_s, int64_t now_s);

/* ---- force.c ---- */

/* ERR_NOT_FOUND: the issuer is not in the store. */
enum err force_read(struct store *store, const struct crl_issuer *i, struct crl_force *out);
/* The run that makes public files what was published; RUN_NONE when they are. Reads all of them. */
enum crl_run force_damage(struct store *store, const struct crl_issuer *i, const char *public_dir);
/* True when the list in force begins in the future and so does the one before it, or the issuer's
 * certificate: the clock has gone back. One such list alone was made while the clock was ahead: it is made
 * anew. */
bool force_is_ahead(const struct crl_force *s, int64_t now_s);

/* ---- gauges.c ---- */

struct gauges {
    struct figure *complete, *deltas, *duration, *age, *size;
};
void gauges_open(struct gauges *g, struct board *b, const char *issuer_id);
void gauges_published(struct gauges *g, enum crl_run run, int64_t duration_ms);
void gauges_show(struct gauges *g, const struct crl_force *s, int64_t now_s);

/* ---- desk.c: our end of the wire to the ca ---- */

struct desk {
    int fd;
    const struct crl_config *config; /* whose issuers may be asked for */
    struct crl_queue queue;
    size_t covered;       /* requests at the head of the queue that the running publication shows */
    uint64_t shown;       /* changes in the complete list that was recorded last */
    uint64_t next_number; /* of our questions */
    bool is_over;         /* the other end closed */
    char public_url[256]; /* what stands before /crl/ in the lists, as the last number came with it */
};
/* Queues every request that waits, without waiting for any. False: the other end closed. arg: struct desk. */
bool desk_drain(void *arg);
/* The desk verbs of a crl_job. arg: struct desk. ERR_END: the other end closed. */
enum err desk_reserve(void *arg, const char *issuer_id, uint64_t *number);
enum err desk_record(void *arg, const char *issuer_id, const struct crl_part *p, const char *cause);
enum err desk_done(struct desk *d, uint64_t number, enum err result, uint64_t crl_number, const char *reason);

#endif
