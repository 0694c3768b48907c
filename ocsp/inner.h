/* SPDX-License-Identifier: Apache-2.0 */
/* inner: what the files of the ocsp room share: the octets of an answer, and the issuers answered for. */
#ifndef OCSP_INNER_H
#define OCSP_INNER_H

#include "base/alg.h"
#include "base/hash.h"
#include "ocsp/ocsp.h"

/* ---- response.c: the octets of an answer, pure ---- */

#define RESPONSE_MAX (64u * 1024) /* octets: 32 answers and one certificate take a quarter of it */

enum single_state {
    SINGLE_GOOD,
    SINGLE_REVOKED,
    SINGLE_UNKNOWN,
    SINGLE_NOT_ISSUED, /* told as revoked: RFC 6960 2.2 */
};

/* One SingleResponse. */
struct single {
    struct span certid; /* CertID element, copied byte for byte */
    enum single_state state;
    enum reason reason; /* when revoked */
    int64_t revoked_at_s;
    int64_t next_update_s;
    int64_t archive_cutoff_s; /* NO_TIME: not told */
};

struct response {
    const uint8_t *key_hash; /* SKI_LEN octets: responderID byKey */
    int64_t produced_at_s;
    int64_t this_update_s; /* of each answer: when what it says was known to be true */
    const struct single *singles;
    size_t count;
    bool has_nonce;
    struct span nonce;
};

/* ResponseData, RFC 6960 4.2.1. */
void response_data_write(struct buf *b, const struct response *r);
/* The whole OCSPResponse around a signed ResponseData. */
void response_write(struct buf *b, struct span data, enum sig_alg alg, struct span signature,
                    struct span certificate);
/* An OCSPResponse without responseBytes, RFC 6960 2.3. Static octets. */
struct span response_error(enum ocsp_status s);

/* ---- request.c ---- */

/* One CertID in DER and nothing behind it. Pure. */
[[nodiscard]] bool certid_read(struct span der, struct ocsp_certid *out);

/* ---- served.c: the issuers answered for ---- */

/* A delegated signer, RFC 6960 4.2.2.2. Counted: answers under way hold the one they were written for. */
struct delegate {
    unsigned holders;
    uint8_t serial[SERIAL_LEN];
    uint8_t *certificate;
    size_t certificate_len;
    uint8_t key_hash[SKI_LEN]; /* SHA-1 of the key bits */
    enum sig_alg alg;
    int64_t not_before_s, not_after_s;
};
struct delegate *delegate_hold(struct delegate *d);
void delegate_drop(struct delegate *d); /* NULL is fine */

struct served {
    char id[ISSUER_ID_MAX];
    uint16_t no;
    struct {
        uint8_t name[HASH_LEN_MAX], key[HASH_LEN_MAX];
    } hashes[HASH_SHA512 +
             1]; /* of the issuer's subject and key bits, by algorithm; filled for those CertIDs may use */
    int64_t not_after_s;       /* of the issuer's certificate */
    struct delegate *delegate; /* NULL: none yet, or it is revoked or on hold */
    struct delegate *previous; /* before that one; NULL: none, or either is revoked or on hold */
};
bool served_is_over(const struct served *s, int64_t now_s);

struct served_list {
    struct ocsp_issuers only; /* none: all */
    struct served items[ISSUERS_MAX];
    size_t count;
};
/* Adds issuers that are new, replaces delegates that changed and drops those that are withdrawn.
 * ERR_INTERNAL: a certificate of ours that cannot be read. */
enum err served_load(struct view *v, struct served_list *l, struct fault *f);
void served_free(struct served_list *l);
/* The issuer that a CertID names; NULL: not ours, or over. */
const struct served *served_find(const struct served_list *l, const struct ocsp_certid *id, int64_t now_s);

/* ---- verdict.c: what the store says of one CertID ---- */

struct verdict {
    enum single_state state;
    enum reason reason;
    int64_t revoked_at_s; /* NO_TIME unless revoked */
    int64_t not_after_s;  /* of the certificate; NO_TIME when there is none */
};
/* `by` NULL: of no issuer of ours, unknown. ERR_IO, ERR_INTERNAL. */
enum err verdict_read(struct view *v, const struct ocsp_config *c, const struct served *by,
                      struct span serial, struct verdict *out);
bool verdict_same(const struct verdict *a, const struct verdict *b);
/* nextUpdate of an answer made now from what was known at data_s, and signed by `d`. */
int64_t verdict_next_update(const struct verdict *v, const struct ocsp_config *c, const struct delegate *d,
                            int64_t data_s, int64_t now_s);

/* ---- cache.c: kept answers, by CertID ---- */

#define CERTID_MAX 192u /* octets: SHA-512 with our serials takes 172; longer ones are signed live */

struct cached {
    struct cached *next;          /* of its bucket */
    struct cached *newer, *older; /* the ring */
    uint64_t hash;
    bool is_spared; /* asked for since the hand passed */
    const struct served *by;
    struct delegate *delegate; /* held */
    struct verdict verdict;    /* what it says */
    uint64_t seen;             /* view_number() of the latest state that says the same */
    int64_t made_s, this_update_s, next_update_s;
    int64_t refresh_s, end_s; /* to be signed anew from here; given no longer from here */
    int64_t asked_s;          /* last */
    uint8_t digest[HASH_LEN];
    size_t certid_len, der_len;
    uint8_t octets[]; /* the CertID, then the OCSPResponse */
};

struct cache {
    struct cached **buckets;
    size_t bucket_count; /* a power of two */
    struct cached *hand; /* in the ring; NULL: empty */
    size_t count, octets, max;
    uint64_t key[2]; /* of the hash */
};

/* At most `max` octets, 0: keeps nothing. A kept answer that was asked for since the hand of the clock passed
 * it gets a second chance; the others make room. Constant work a call, on average. */
void cache_open(struct cache *c, size_t max);
void cache_close(struct cache *c);
void cache_clear(struct cache *c); /* forgets all */
struct cached *cache_find(const struct cache *c, uint64_t hash, struct span certid);
/* Copies the octets and the rest of `like`, holds its delegate, and replaces one of the same CertID. */
struct cached *cache_put(struct cache *c, const struct cached *like, struct span certid, struct span der);
void cache_remove(struct cache *c, struct cached *e);
struct span cached_certid(const struct cached *e);
struct span cached_der(const struct cached *e);
/* Of a CertID, under a key that is chosen at random when the cache is opened, so that nobody can aim at one
 * bucket. Caches that are to share hashes use that of one of them. */
uint64_t cache_hash(const struct cache *c, struct span certid);

/* ---- count.c: figures ---- */

enum need { NEED_NONCE, NEED_SEVERAL, NEED_MISS, NEED_AGED, NEED_UNKNOWN, NEED_WARM, NEED_COUNT };

struct counts {
    struct figure *certids[SINGLE_NOT_ISSUED + 1];
    struct figure *errors[OCSP_UNAUTHORIZED + 1];
    struct figure *signatures[NEED_COUNT];
    struct figure *hits, *joined, *address_refused, *unknown_refused, *overrun;
    struct figure *kept, *kept_octets, *under_way;
};
void counts_open(struct counts *c, struct board *b);

/* ---- job.c: answers on their way through the signer ---- */

struct waiter {
    ocsp_done *done;
    void *arg;
    struct waiter *next;
};

struct job {
    bool is_awaited;
    uint64_t number;
    enum need need;
    unsigned ticks;           /* seconds, about, that it has been under way */
    uint64_t sent;            /* its place among all that were sent, from 1; 0: it waits for the port */
    unsigned overtaken_ticks; /* since one that was sent later came back */
    bool is_hanging;          /* for too long: signing processes take what is sent in order */
    char key_id[ISSUER_ID_MAX];
    struct delegate *delegate; /* held */
    int64_t made_s;            /* producedAt */
    struct buf data;           /* ResponseData; its memory is kept for the next job */
    struct ocsp_answer answer; /* what is known before the signature */
    enum single_state states[OCSP_CERTIDS_MAX];
    struct waiter *waiters; /* in order; none for what is refreshed */
    struct waiter **waiters_end;
    bool is_kept; /* to be put into a cache; then: */
    uint64_t hash, seen;
    const struct served *by;
    struct verdict verdict;
    uint8_t certid[CERTID_MAX];
    size_t certid_len;
    struct job *next_kept; /* of its bucket */
    struct job *next_unsent;
};

#define JOB_BUCKETS 256u

struct job_line {
    struct job *first, **end;
};

struct jobs {
    int port_fd;
    uint64_t count;
    struct job items[OCSP_UNDER_WAY_MAX];
    uint16_t idle[OCSP_UNDER_WAY_MAX]; /* a stack of indexes */
    size_t idle_count, live_count, sent_count, unsent_count;
    struct waiter waiters[OCSP_UNDER_WAY_MAX], *idle_waiters;
    struct job *kept[JOB_BUCKETS];
    struct job_line unsent[2]; /* written, waiting for the port: live ones, then those that are kept */
    size_t turn;               /* of these lines, whose message is next */
    unsigned silent_ticks;     /* since the signer answered, or had anything to answer but what hangs */
    uint64_t sends, newest;    /* places: the last given, and the last of those that came back */
    size_t hanging_count;
};

void jobs_open(struct jobs *j, int port_fd);
void jobs_close(struct jobs *j);
/* NULL: too many under way. */
struct job *job_take(struct jobs *j, enum need need, bool is_kept);
void job_give_back(struct jobs *j, struct job *job);
struct job *job_of_number(struct jobs *j, uint64_t number);
/* The newest kept one for this CertID that will say this, signed by this delegate; NULL: none. */
struct job *job_find(struct jobs *j, uint64_t hash, struct span certid, const struct verdict *v,
                     const struct delegate *d);
/* False: too many wait. */
[[nodiscard]] bool job_wait(struct jobs *j, struct job *job, ocsp_done *done, void *arg);
/* Takes the first waiter; false when there is none. */
[[nodiscard]] bool job_next_waiter(struct jobs *j, struct job *job, struct waiter *out);
/* The job is written: makes it findable when it is kept; jobs_send sends it. */
void job_queue(struct jobs *j, struct job *job);
/* Its answer has come: the port has room. */
void jobs_answered(struct jobs *j, const struct job *job);
/* Once a second, when those that are late have no waiters any more: forgets the ones among them that were for
 * these alone and are not sent. True: the signer has been silent for OCSP_WAIT_TICKS. */
bool jobs_tick(struct jobs *j);
/* Sends what the port has room for, several jobs in a message. ERR_END: the signer is gone. */
enum err jobs_send(struct jobs *j);

/* ---- responder.c: the responder, and what kept.c needs of it ---- */

#define BUDGET_ADDRESSES 4096u /* somebodies whose budgets are remembered at once: 192 KiB whoever asks */

struct ocsp {
    struct store *store;
    struct board *board;
    bool is_alarmed; /* the signer, or one of its processes, has not answered for OCSP_WAIT_TICKS */
    struct ocsp_config config;
    struct served_list served;
    int64_t as_of_s; /* NO_TIME: the store is of now */
    uint64_t turn;   /* of stores followed and settings taken */
    int64_t looked_s, complained_s;
    struct cache issued, unknown; /* strangers can fill the second */
    size_t sweep_at;              /* bucket of `issued` */
    struct rate_table *addresses, *unknowns;
    struct buf warm; /* CertIDs to be signed before they are asked for, from `warm_at` on */
    size_t warm_at;
    int64_t warm_s; /* the time it was last gone on with */
    struct counts counts;
    struct jobs jobs;
    struct buf out;
};

/* What ocsp_respond carries from step to step. */
struct ask {
    const struct ocsp_asked *asked;
    const struct ocsp_request *request;
    struct view *view;
    ocsp_done *done;
    void *arg;
    struct cached *hit; /* found; answered when the view is closed */
};

/* An answer that is an error, which is nobody's signature. */
void answer_error(struct ocsp *o, enum ocsp_status status, ocsp_done *done, void *arg);
bool may_sign(struct ocsp *o, const struct served *s, int64_t now_s);
bool is_within_budget(struct ocsp *o, const struct ocsp_asked *q, bool has_unknown);
bool is_issued(enum single_state s);
void single_fill(const struct ocsp *o, const struct delegate *d, const struct verdict *v, struct span certid,
                 int64_t now_s, struct single *out);
/* ResponseData, signed by the issuer's delegate, into `job`. */
enum err job_write(const struct ocsp *o, struct job *job, const struct served *issuer,
                   const struct single *singles, size_t count, struct span nonce, int64_t now_s);
/* Sends it for the asker; gives it back when too many wait. */
enum ocsp_status job_begin(struct ocsp *o, struct job *job, const struct ask *q);

/* ---- late.c: the signature does not come ---- */

/* Once a second. */
void late_look(struct ocsp *o);
/* A signature has come. */
void late_heard(struct ocsp *o);
/* Tells whoever waits for it to try later. */
void late_answer(struct ocsp *o, struct job *job);

/* ---- kept.c: answers that are signed once and given again ---- */

bool kept_is_for(const struct ocsp *o, const struct ocsp_request *r);
/* OCSP_SUCCESSFUL: q->hit is set, or the asker waits for a signature. */
enum ocsp_status kept_answer(struct ocsp *o, struct ask *q);
/* Answers by q->hit. */
void kept_give(struct ocsp *o, const struct ask *q);
/* Has an answer signed that nobody waits for. False: no room now. */
bool kept_make(struct ocsp *o, struct view *v, const struct ocsp_certid *id, int64_t now_s);

/* Once a second: a part of what is kept is looked at. */
void kept_sweep(struct ocsp *o, struct view *v, int64_t now_s);
/* Puts a signed answer where the next request finds it, and its hash into `a`. */
void kept_put(struct ocsp *o, const struct job *job, struct ocsp_answer *a, uint8_t digest[static HASH_LEN]);

/* ---- warm.c: ready before it is asked for ---- */

/* As many as there is room for. */
void warm_step(struct ocsp *o, struct view *v, int64_t now_s);

#endif
