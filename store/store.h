/* SPDX-License-Identifier: Apache-2.0 */
/*
 * store: the door to everything the service remembers: certificates with their status, revoked entries,
 * issuers, CRL state, audit rows. It speaks of certificates, never of keys and values; LMDB is behind it, in
 * two files (lmdb.c, table.c).
 *
 * Two types keep reading and writing apart: a `struct view` sees one committed state and can only read; a
 * `struct txn` is the one writer's transaction, sticky like every writer: after the first failure its verbs
 * do nothing and txn_commit() returns that first error. What txn_commit() said OK to is on the disk.
 *
 * Open after exec, one store a process, one writing process (ca). Spans handed out by a view or a txn are
 * borrowed until it ends (or, for a txn, its next write). Keep views short: an old one holds pages back.
 * Thread rule: one thread.
 *
 * It does not decide anything: no policy, no clock, no keys.
 */
#ifndef STORE_STORE_H
#define STORE_STORE_H

#include "base/access.h"
#include "base/address.h"
#include "base/alg.h"
#include "base/buf.h"
#include "base/chain.h"
#include "base/limits.h"
#include "base/reason.h"

struct store;
struct view;
struct txn;

#define NO_TIME INT64_MIN

enum store_mode {
    STORE_READ,   /* an existing store, read only (LMDB still writes its lock file) */
    STORE_LOOK,   /* the same, also one of an earlier version, as if what that lacks were empty */
    STORE_WRITE,  /* an existing store, by the one writer */
    STORE_CREATE, /* the directory exists and is empty */
    STORE_COPY,   /* what store_snapshot or store_copy wrote: nobody writes to it, so it is read without a
                     lock file; also one of an earlier version, without what that lacks */
};

/* ERR_NOT_FOUND: no store there; ERR_EXISTS: STORE_CREATE on one; ERR_CONFLICT: another writer has it, a
 * schema of another version, or a file that is none of ours; ERR_IO. `map_size` in octets is where the map
 * starts (0: 1 GiB); it grows by itself before it is full. */
enum err store_open(const char *dir, enum store_mode mode, uint64_t map_size, struct store **out,
                    struct fault *f);
void store_close(struct store *s);
/* Is it a copy that lacks a table, or has a schema before ours? Its first writer of this version adds the one
 * and raises the other, which programs of before refuse. */
bool store_is_earlier(const struct store *s);
/* Call on a timer: forgets readers of dead processes; for a writer, also grows the map when more than half is
 * used and warns in the log. Gives the used share in per mille. No view or txn may be open in this process.
 */
unsigned store_maintain(struct store *s);
/* May more be recorded? For the writer, between transactions; grows the map as txn_begin does. A map cannot
 * grow when the process may have no more address space. */
enum store_room {
    STORE_ROOM_ENOUGH,
    STORE_ROOM_LITTLE, /* the map cannot grow; what it holds is not used up */
    STORE_ROOM_NONE,   /* what is left is for what is under way: begin nothing more */
};
[[nodiscard]] enum store_room store_room(struct store *s);

/* The state as of the last commit. Sees one snapshot until closed. ERR_IO (also: too many readers).
 * ERR_UNAVAILABLE: the writer has grown the map, and it can only be followed once this process's other views
 * are closed. */
enum err view_open(struct store *s, struct view **out);
void view_close(struct view *v);
/* Grows with each commit: views of one open store that give the same number show the same state. */
uint64_t view_number(const struct view *v);

/* Grows the map first when more than half of it is used, unless a view is open in this process. ERR_IO. */
enum err txn_begin(struct store *s, struct txn **out);
/* Frees the txn. Durable when OK. ERR_CONFLICT when a verb hit a duplicate; ERR_IO when the disk failed: the
 * store then refuses every later txn_begin with ERR_IO, because LMDB itself would go on acknowledging after a
 * failed fsync. ERR_UNAVAILABLE when the batch did not fit the map: nothing is stored, and the next txn_begin
 * doubles the map first. */
enum err txn_commit(struct txn *t);
void txn_abort(struct txn *t);
/* Sees the txn's own uncommitted writes. Valid until commit or abort; not to be closed. */
struct view *txn_view(struct txn *t);
/* The txn's first error so far. */
enum err txn_error(const struct txn *t);

/* ---- issuers ---- */

struct issuer {
    uint16_t no;                   /* 1.., given by issuer_add: the short form in every row */
    char id[ISSUER_ID_MAX];        /* "rsa-g1" */
    char parent[ISSUER_ID_MAX];    /* "" for a root */
    struct span certificate;       /* DER */
    uint8_t responder[SERIAL_LEN]; /* serial of the OCSP signer's present certificate; all zero: none yet */
};
bool issuer_has_responder(const struct issuer *i);

void issuer_add(struct txn *t, const struct issuer *i,
                uint16_t *no); /* i->no and responder are not read; an id that is there, or
                                 crl_part_is_named() either way: ERR_CONFLICT */
void issuer_set_responder(struct txn *t, uint16_t no, const uint8_t serial[static SERIAL_LEN]);
enum err issuer_find(struct view *v, const char *id, struct issuer *out); /* ERR_NOT_FOUND */
enum err issuer_find_no(struct view *v, uint16_t no, struct issuer *out); /* ERR_NOT_FOUND */
/* The certificate of an issuer's OCSP signer on another host, by that host's name: lower-case letters, digits
 * and hyphens. */
#define RESPONDER_HOST_MAX 32u /* octets with the NUL */
void responder_set(struct txn *t, uint16_t issuer_no, const char *host,
                   const uint8_t serial[static SERIAL_LEN]);
enum err responder_find(struct view *v, uint16_t issuer_no, const char *host,
                        uint8_t serial[static SERIAL_LEN]); /* ERR_NOT_FOUND */
/* In order of number. fn returns false to stop. */
enum err issuer_each(struct view *v, bool (*fn)(const struct issuer *i, void *arg), void *arg);

/* ---- certificates ---- */

enum cert_state { CERT_VALID = 0, CERT_HELD = 1, CERT_REVOKED = 2 }; /* expired is derived from not_after_s */

/* The row OCSP reads: fixed width. */
struct status {
    uint16_t issuer_no;
    enum cert_state state;
    enum reason reason;   /* when not valid */
    int64_t revoked_at_s; /* when not valid, else NO_TIME */
    int64_t invalidity_s; /* NO_TIME: not given */
    int64_t not_after_s;
};

struct cert {
    uint8_t serial[SERIAL_LEN];
    uint64_t number;      /* order of issue, given by cert_add: 1, 2, 3, … */
    struct status status; /* cert_add stores it as valid, reads issuer_no and not_after_s alone */
    int64_t not_before_s, issued_at_s;
    enum key_type key_type;
    uint16_t key_bits;
    uint8_t key_hash[HASH_LEN];    /* SHA-256 of the SubjectPublicKeyInfo DER */
    uint8_t fingerprint[HASH_LEN]; /* SHA-256 of the certificate DER */
    char profile[PROFILE_ID_MAX];
    char requester[PRINCIPAL_MAX];
    struct span cn;      /* UTF-8 without NUL, may be empty */
    struct span subject; /* RFC 4514-like text for people */
    struct span sans; /* names as text ("a.example.com", "192.0.2.1", "2001:db8::1"), each ended by one NUL */
    struct span der;  /* the certificate */
    struct span csr;  /* the request it answers, DER; empty for our own */
};

/* Adds certificate, status and every index row. Its serial must be new in the whole store: ERR_CONFLICT. */
void cert_add(struct txn *t, const struct cert *c, uint64_t *number);
enum err cert_find(struct view *v, const uint8_t serial[static SERIAL_LEN],
                   struct cert *out); /* ERR_NOT_FOUND */
enum err status_find(struct view *v, const uint8_t serial[static SERIAL_LEN],
                     struct status *out); /* ERR_NOT_FOUND; OCSP's hot path */

/* Moves the state: writes status row, revoked entry and index in step. The caller has decided that the move
 * is allowed; ERR_NOT_FOUND. Held -> revoked keeps nothing of the hold but what the caller passes; revoked ->
 * revoked replaces reason and times. What no caller may decide is refused here too: ERR_CONFLICT for revoked
 * -> held, and for cert_unhold of what is not held. */
void cert_revoke(struct txn *t, const uint8_t serial[static SERIAL_LEN], enum reason reason,
                 int64_t revoked_at_s, int64_t invalidity_s);
void cert_unhold(struct txn *t, const uint8_t serial[static SERIAL_LEN]);
/* Checks, without writing, that every row such a move depends on can be read (for cert_unhold(): any reason
 * but keyCompromise); in a txn an unreadable row fails all of it. ERR_NOT_FOUND, ERR_INTERNAL. */
enum err cert_check_move(struct view *v, const uint8_t serial[static SERIAL_LEN], enum reason reason);

/* Forgets certificates that ended before a time: row, state, index and revoked entry. What stays: those that
 * are held; those revoked that a list in force shows or no complete list has left out yet (RFC 5280 3.3);
 * those that a delta has still to name; audit rows; the keys known to be compromised; the counter of numbers;
 * a certificate of which a row is missing or cannot be read, which fails nothing.
 * A serial that is gone is ERR_NOT_FOUND everywhere, as one never issued.
 */
#define CERT_PRUNE_MAX 1000u /* certificates looked at in one call: 70 ms with the commit */
struct cert_prune {
    int64_t before_s;                    /* of notAfter */
    bool (*keeps)(const struct cert *c); /* true: it stays, because something else leads to it; NULL: none */
    bool is_under_way;                   /* at_s and at_number say where to go on; false: from the first */
    int64_t at_s;
    uint64_t at_number;
    unsigned count;  /* given: how many went, */
    int64_t up_to_s; /* and the latest notAfter among them; NO_TIME: none did */
};
/* Looks at no more than `most`, in order of notAfter. False: at the end, the next call begins anew. */
bool cert_prune(struct txn *t, struct cert_prune *p, unsigned most);

/* Every certificate on this key (SHA-256 of SPKI), the latest first, without its status. */
enum err cert_each_by_key(struct view *v, const uint8_t key_hash[static HASH_LEN],
                          bool (*fn)(const struct cert *c, void *arg), void *arg);

/* Was a certificate on this key ever revoked for keyCompromise, by any issuer? Remembered for good, whatever
 * becomes of that certificate. Gives its serial. ERR_NOT_FOUND: no. */
enum err key_compromised(struct view *v, const uint8_t key_hash[static HASH_LEN],
                         uint8_t serial[static SERIAL_LEN]);

/* Which status filter a list asks for; "expired" is any state past not_after. */
enum cert_filter { FILTER_ANY, FILTER_VALID, FILTER_REVOKED, FILTER_HELD, FILTER_EXPIRED };

/* Octets of an opaque cursor text with NUL: URL-safe, holds where the scan stopped. */
#define CURSOR_MAX 1024
#define CURSOR_OCTETS_MAX 448 /* that a list writes in hex there, whatever its rows' keys are */

struct cert_query {
    const char *cn;        /* glob with * and ?, case-insensitive; NULL: any */
    const char *san;       /* exact name, case-insensitive; NULL: any */
    const char *profile;   /* exact; NULL: any */
    const char *requester; /* exact; NULL: any */
    uint16_t issuer_no;    /* 0: any */
    enum cert_filter status;
    enum key_type key_type;   /* KEY_NONE: any */
    int64_t expires_before_s; /* NO_TIME: any; else not_after_s < this (and not yet expired at now_s, unless
                                 status is revoked, held or expired) */
    int64_t now_s;
    const char *after; /* cursor of the previous page; NULL: first */
    unsigned limit;    /* 1..LIST_LIMIT_MAX */
};

/* One page. The first line that applies names the index it is served from, and its order:
 *   expires_before                               by notAfter, earliest first
 *   san                                          newest first
 *   cn that starts with literal text             no wildcard: newest first; else by name, then oldest first
 *   status revoked or held; requester; profile   newest first
 *   status expired                               by notAfter, latest first
 *   issuer; nothing of these                     newest first
 * Names and patterns ignore ASCII case. Rows added meanwhile neither repeat nor skip a row of later pages.
 * The work for one page is bounded (10,000 index rows visited): a page may then be short, even empty, and
 * still have a next cursor. `next` is "" when there is no more. A cursor belongs to its filters, but not to
 * limit, now_s and the value of expires_before. ERR_MALFORMED: a bad cursor, one of another query, a limit
 * out of range, a cn over 512 octets. A row that cannot be read or that its checksum does not fit ends a page
 * before it; as the first of its page it is ERR_INTERNAL, and `next`, when it is not "", leads on behind it.
 * fn returns false to stop. */
enum err cert_list(struct view *v, const struct cert_query *q, bool (*fn)(const struct cert *c, void *arg),
                   void *arg, char next[static CURSOR_MAX]);

struct store_counts {
    uint64_t certificates, revoked, held, audit;
};
enum err store_count(struct view *v, struct store_counts *out);

/* ---- revoked entries and CRL state ---- */

struct revoked {
    uint8_t serial[SERIAL_LEN];
    enum reason reason;
    int64_t revoked_at_s, invalidity_s, not_after_s;
};

/* Held and revoked certificates of one issuer in ascending serial order (as unsigned big-endian). Streams:
 * memory does not depend on the count. */
enum err revoked_each(struct view *v, uint16_t issuer_no, bool (*fn)(const struct revoked *r, void *arg),
                      void *arg);

struct crl_state {
    uint64_t reserved; /* highest number ever handed out: numbers are used once, even when publishing fails */
    uint64_t number;   /* of the published CRL; 0: none yet */
    int64_t this_update_s, next_update_s;
    uint64_t size;            /* octets of the DER */
    uint64_t count;           /* entries */
    uint8_t sha256[HASH_LEN]; /* of the DER */
};

enum err crl_state_find(struct view *v, uint16_t issuer_no,
                        struct crl_state *out); /* all zero when none yet: still OK */
void crl_state_reserve(struct txn *t, uint16_t issuer_no, uint64_t *number); /* reserved + 1 */
/* The reserved number, by so much and to no less than `least`. ERR_CONFLICT: it would be beyond 63 bits. */
void crl_state_raise(struct txn *t, uint16_t issuer_no, uint64_t by, uint64_t least);
void crl_state_publish(
    struct txn *t, uint16_t issuer_no,
    const struct crl_state *s); /* s->number must be reserved and above the published one: ERR_CONFLICT */

/* ---- checking ---- */

/* What store_check() read. */
struct store_checked {
    uint64_t certificates, revoked, held, audit, requests, index_rows;
    uint64_t faults;
    uint64_t warnings; /* damage, or what an earlier version left so */
};
/* Reads every row of one view and holds it against all others that must agree with it: certificates against
 * their own DER and their states, states against what CRLs list, every index against what it finds, counters
 * against counts, issuers against their own certificates and their parents', serials that requests and
 * answers led to against certificates and audit, CRL numbers against lists and audit, the audit against its
 * chain, and each row that has a checksum against that. `fn` is told each fault in a line, and each warning
 * in one that begins "warning: ". It repairs nothing. Some 20 s for a million certificates. ERR_IO: the store
 * cannot be read to its end. What it cannot see: the loss of a row that none leads to (a token, a permit); in
 * a row of before checksums an edit of what nothing else repeats (a subject's text, a CSR but for its key,
 * the time of issue) and is still well formed.
 */
typedef void store_fault_fn(const char *what, void *arg);
enum err store_check(struct view *v, store_fault_fn *fn, void *arg, struct store_checked *out);

/* ---- backups ---- */

/* Writes one view of the whole store to `path`, which must not exist, and syncs it: a store that STORE_COPY
 * and STORE_WRITE open. Pages that are free are left out. Does not hold up the writer. ERR_EXISTS, ERR_IO. */
enum err store_copy(struct store *s, const char *path, struct fault *f);

/* In a store that was restored from a copy, before anything else is done with it: raises each issuer's
 * reserved CRL number by `by`, and to no less than `least`, so that no number given out after the copy was
 * made comes again, and appends an audit row (AUDIT_RESTORE) with the detail. ERR_CONFLICT: beyond 63 bits.
 */
void store_raise_floors(struct txn *t, uint64_t by, uint64_t least, int64_t now_s, const char *detail);

/* ---- snapshots: what an OCSP responder on another host reads ---- */

/* Writes one view of the store to `dir`/data.mdb, replacing the snapshot that is there by rename, so that
 * there is always a whole one or none. Holds the status of every certificate, the issuers and their OCSP
 * signers' certificates, and nothing else of any certificate: no names, requests, tokens or audit. With
 * `host` the signers are those of that host (issuers without one there have none in the snapshot); NULL: our
 * own. `now_s` is taken before the view, so what the snapshot says of its age is never too young. Blocks for
 * seconds with a million certificates. ERR_NOT_FOUND: no `dir`, or no signer for that host; ERR_EXISTS: `dir`
 * holds a store that is no snapshot; ERR_IO. */
enum err store_snapshot(struct store *s, const char *dir, const char *host, int64_t now_s, struct fault *f);
/* When the snapshot was taken. ERR_NOT_FOUND: this is none. */
enum err snapshot_time(struct view *v, int64_t *taken_at_s);

/* ---- shards and deltas: an issuer's lists beside its complete one ---- */

/*
 * An issuer's lists beside its complete one. A shard is a node of the binary tree over serial numbers: 1 is
 * every serial; 2^n + i are those whose fourth octet (the first random one) starts with the n bits of i. So
 * one number tells how many shards there are and which of them this is, and the shards of another count never
 * take a name that certificates carry already.
 */
#define SHARD_ALL 1u
#define SHARDS_MAX 256u             /* lists an issuer is split into: 40,000 entries each at 10 million */
#define SHARD_END (2u * SHARDS_MAX) /* first number that is no shard */
/* `shards`: a power of two, 1..SHARDS_MAX. */
uint16_t shard_of(const uint8_t serial[static SERIAL_LEN], unsigned shards);
bool shard_has(uint16_t shard, const uint8_t serial[static SERIAL_LEN]);

/* The file and URL name of a list, without suffix: "rsa-g1", "rsa-g1-19", "rsa-g1-delta", "rsa-g1-19-delta".
 */
#define CRL_NAME_MAX (ISSUER_ID_MAX + sizeof "-511-delta" - 1)
void crl_part_name(const char *issuer_id, uint16_t shard, bool is_delta, char out[static CRL_NAME_MAX]);
/* Reads what follows the issuer's id in it, which may be nothing. False: that is no list's name. */
[[nodiscard]] bool crl_part_read(const char *rest, uint16_t *shard, bool *is_delta);
/* Could a shard or delta of issuer `of` have the file and the URL of the complete list of issuer `id`?
 * Whether there are any now is not asked: certificates name them for life. */
bool crl_part_is_named(const char *id, const char *of);

struct crl_part {
    uint16_t shard; /* 1..SHARD_END - 1 */
    bool is_delta;
    struct crl_state state; /* `reserved` is not read and not given */
    /* of the complete list of all alone: */
    uint64_t changes; /* crl_track's, in the view that it was made from */
    int64_t shown_s;  /* what ended before is not on it; NO_TIME: everything is */
};
/* All zero when none yet: still OK. */
enum err crl_part_find(struct view *v, uint16_t issuer_no, uint16_t shard, bool is_delta,
                       struct crl_state *out);
/* The number must be reserved and above that of the part in force: ERR_CONFLICT. The complete list of all is
 * the issuer's crl_state, and the base of its next deltas. */
void crl_part_publish(struct txn *t, uint16_t issuer_no, const struct crl_part *p);

/* What changed since the base. Every move of a state is one change of its issuer, and so is each address or
 * count of shards that certificates begin to name. */
struct crl_track {
    uint64_t changes;     /* so far */
    uint64_t base;        /* of these, what the complete list in force shows */
    uint64_t moved;       /* of these, the last that was an address or a count of shards; 0: none was */
    int64_t base_shown_s; /* its shown_s */
    uint16_t shards;      /* 2^n in it: certificates name the shards of that count; for good */
    struct span urls;     /* what stood before /crl/ in them, each ended by one NUL */
};
enum err crl_track_find(struct view *v, uint16_t issuer_no,
                        struct crl_track *out); /* all zero, base_shown_s NO_TIME, when none yet */
/* From now on certificates name the shards of this count (a power of two) under this URL. ERR_TOO_LARGE: more
 * than SHARD_URLS_MAX of these. */
#define SHARD_URLS_MAX 8u /* a service that moves every year, and certificates of eight */
void crl_shards_use(struct txn *t, uint16_t issuer_no, unsigned shards, const char *url);
bool crl_shards_used(const struct crl_track *k, unsigned shards, const char *url);

/* The certificates of this issuer whose state moved after the base, in ascending serial order, each once: as
 * revoked_each() has it, or, when it is on no list any more, with REASON_REMOVE_FROM_CRL and the times of the
 * entry that is gone. */
enum err crl_change_each(struct view *v, uint16_t issuer_no, bool (*fn)(const struct revoked *r, void *arg),
                         void *arg);
/* ERR_NOT_FOUND: it did not move since. */
enum err crl_change_find(struct view *v, uint16_t issuer_no, const uint8_t serial[static SERIAL_LEN]);
/* Forgets changes that the base shows: looks at no more than `most` rows from `at` on. Gives in `at` where to
 * go on; false: at the end, `at` is all zero again. */
#define CHANGE_PRUNE_MAX 1000u /* rows: some milliseconds */
bool crl_change_prune(struct txn *t, uint16_t issuer_no, uint8_t at[static SERIAL_LEN], unsigned most);

/* ---- audit ---- */

/* What a row says and how its octets hold on to one another: base/chain.h. */

/* Appends to the chain; reads at_s, kind, serial, actor (cut at PRINCIPAL_MAX) and detail (cut at 4 KiB). */
void audit_append(struct txn *t, const struct audit_row *r);
/* The newest row's number and hash; seq 0 when there is none. */
enum err audit_head(struct view *v, struct chain_mark *out);
enum err audit_each(struct view *v, uint64_t from_seq, bool (*fn)(const struct audit_row *r, void *arg),
                    void *arg);
/* The octets of the row of that number, borrowed: what its hash is of. ERR_NOT_FOUND */
enum err audit_octets(struct view *v, uint64_t seq, struct span *out);
/* Holds every row against `c`, which begins as {0} with keys and mark as its caller likes, then the last one
 * against the store's own count. ERR_CONFLICT with the first bad row in the fault. */
enum err audit_check(struct view *v, struct chain_check *c, struct fault *f);
enum err audit_verify(struct view *v, struct fault *f); /* the same without keys and mark */

struct audit_query {
    enum audit_kind kind;     /* 0: any */
    const char *actor;        /* exact; NULL: any */
    const uint8_t *serial;    /* SERIAL_LEN octets; NULL: any */
    int64_t since_s, until_s; /* since <= at < until; NO_TIME: no bound */
    bool is_oldest_first;
    const char *after; /* cursor of the previous page; NULL: first */
    unsigned limit;    /* 1..LIST_LIMIT_MAX */
};

/* One page, newest first unless asked otherwise: by number when nothing or the order alone is asked, else by
 * time and then number. Served from the index of the first filter given of serial, actor, kind, time; a row
 * is then held against the whole query. Rows added meanwhile neither repeat nor skip a row of later pages of
 * an oldest-first list. Bounded, and its cursors, as for cert_list(): not bound to the values of since and
 * until. ERR_MALFORMED: a bad cursor, one of another query, a limit out of range, an actor beyond
 * PRINCIPAL_MAX. fn returns false to stop. */
enum err audit_list(struct view *v, const struct audit_query *q,
                    bool (*fn)(const struct audit_row *r, void *arg), void *arg,
                    char next[static CURSOR_MAX]);
/* The row of that kind that was appended last of those numbered below `before` (UINT64_MAX: of all). By
 * number, whatever the clock said: not what audit_list() begins with. Its time grows with the rows of the
 * kind: for what a start asks. ERR_NOT_FOUND. */
enum err audit_newest(struct view *v, enum audit_kind kind, uint64_t before, struct audit_row *out);

/* ---- requests that wait for an approval ---- */

#define REQUEST_ID_LEN 16u      /* octets, random: the id tells nothing and cannot be guessed */
#define REQUEST_REASON_MAX 512u /* octets with the NUL: a sentence or two, as people decide */

enum request_state {
    REQUEST_ANY, /* in a query alone */
    REQUEST_PENDING,
    REQUEST_APPROVED,
    REQUEST_DENIED,
    REQUEST_EXPIRED
};

/* Kept for good once decided: who asked for what, and who said what to it. */
struct request {
    uint8_t id[REQUEST_ID_LEN];
    enum request_state state;
    char profile[PROFILE_ID_MAX];
    char asker[PRINCIPAL_MAX];
    uint32_t days;          /* as asked, 0: the profile's default */
    uint8_t same[HASH_LEN]; /* two requests that agree here are one: unique among the pending ones */
    struct span facts;      /* as facts_write(), the CSR within */
    struct span findings;   /* as findings_write(), when it was asked */
    int64_t asked_at_s, expires_at_s;
    int64_t decided_at_s; /* NO_TIME while pending, as everything below */
    char decided_by[PRINCIPAL_MAX];
    struct span reason;         /* text, of a denial */
    uint8_t serial[SERIAL_LEN]; /* of the certificate, when approved */
};

/* Adds a pending one; state and what a decision says are not read. ERR_CONFLICT: the id is taken, or a
 * pending one has the same `same`. */
void request_add(struct txn *t, const struct request *r);
/* Remembers a key under which it was asked; there may be several. An earlier request under it is forgotten.
 */
void request_add_key(struct txn *t, const uint8_t id[static REQUEST_ID_LEN],
                     const uint8_t key[static HASH_LEN], const uint8_t body[static HASH_LEN]);
enum err request_find(struct view *v, const uint8_t id[static REQUEST_ID_LEN],
                      struct request *out); /* ERR_NOT_FOUND */
/* The pending one of that `same`. ERR_NOT_FOUND */
enum err request_find_same(struct view *v, const uint8_t same[static HASH_LEN], struct request *out);
/* The latest one asked under that Idempotency-Key, in whatever state, and the body it came with: both as in
 * struct idempotent. ERR_NOT_FOUND */
enum err request_find_key(struct view *v, const uint8_t key[static HASH_LEN], uint8_t body[static HASH_LEN],
                          struct request *out);
/* The pending one that ends first of those that can be read, when that is not after now_s. ERR_NOT_FOUND */
enum err request_find_due(struct view *v, int64_t now_s, struct request *out);
/* How many of this asker's are pending; counts no further than `most`. */
enum err request_count(struct view *v, const char *asker, unsigned most, unsigned *count);

/* How many are pending, counting no further than `most`, and when the oldest of them was asked (NO_TIME: none
 * is). */
enum err request_waiting(struct view *v, unsigned most, unsigned *count, int64_t *oldest_s);

struct decision {
    enum request_state state; /* one of the last three */
    const char *by;           /* a principal, "service" */
    const char *reason;       /* NULL: none */
    const uint8_t *serial;    /* SERIAL_LEN octets, with REQUEST_APPROVED */
    int64_t at_s;
};
/* ERR_NOT_FOUND; ERR_CONFLICT: it is decided already. */
void request_decide(struct txn *t, const uint8_t id[static REQUEST_ID_LEN], const struct decision *d);

struct request_query {
    enum request_state state;
    const char *after; /* cursor of the previous page; NULL: first */
    unsigned limit;    /* 1..LIST_LIMIT_MAX */
};
/* One page, the latest asked first (of one second, by id), as cert_list() does it. ERR_MALFORMED: a bad
 * cursor or one of another state, a limit out of range. */
enum err request_list(struct view *v, const struct request_query *q,
                      bool (*fn)(const struct request *r, void *arg), void *arg,
                      char next[static CURSOR_MAX]);

/* ---- tokens ---- */

#define TOKEN_ID_LEN 8u /* octets: the first of the hash: it names a token and says nothing of the secret */

/* Kept after it has ended, so that what it did can be laid at somebody's door. */
struct token {
    uint8_t hash[HASH_LEN]; /* SHA-256 of the secret as text: the secret itself is nowhere */
    enum access_role role;
    struct scope scope;
    char created_by[PRINCIPAL_MAX];
    int64_t created_at_s, expires_at_s;
    int64_t used_at_s, deleted_at_s; /* NO_TIME: never */
};
/* used_at_s and deleted_at_s are not read. ERR_CONFLICT: the id is taken. */
void token_add(struct txn *t, const struct token *k);
enum err token_find(struct view *v, const uint8_t hash[static HASH_LEN],
                    struct token *out); /* ERR_NOT_FOUND */
enum err token_find_id(struct view *v, const uint8_t id[static TOKEN_ID_LEN], struct token *out);
/* Both: ERR_NOT_FOUND. */
void token_use(struct txn *t, const uint8_t id[static TOKEN_ID_LEN], int64_t at_s);
void token_delete(struct txn *t, const uint8_t id[static TOKEN_ID_LEN], int64_t at_s);
/* In order of id. fn returns false to stop. */
enum err token_each(struct view *v, bool (*fn)(const struct token *k, void *arg), void *arg);
/* Removes at most `most` (above 0) that ended, by deletion or time, before that time. Whoever made one that
 * is there stays: `created_by` "token:ID" leads to him. */
void token_prune(struct txn *t, int64_t before_s, unsigned most);

/* ---- the permit list ---- */

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

/* ---- idempotency ---- */

/* Answers already given under an Idempotency-Key. `key` is SHA-256 of principal and key; `body` of what was
 * asked. */
struct idempotent {
    uint8_t body[HASH_LEN];
    uint8_t serial[SERIAL_LEN];
    int64_t at_s;
};
enum err idempotent_find(struct view *v, const uint8_t key[static HASH_LEN],
                         struct idempotent *out); /* ERR_NOT_FOUND */
/* ERR_CONFLICT: the key has an answer already. */
void idempotent_add(struct txn *t, const uint8_t key[static HASH_LEN], const struct idempotent *i);
/* Removes at most `most` rows older than before_s. True: as many, and there may be more. */
bool idempotent_prune(struct txn *t, int64_t before_s, unsigned most);

/* ---- copies of the audit ---- */

/* The number of the last row that a log service has been given; 0: none was, or none is to be known of.
 * Damaged: said, and 0. */
enum err copied_find(struct view *v, uint64_t *seq);
void copied_set(struct txn *t, uint64_t seq);

/* ---- the clock ---- */

/* What its keeper made of the wall clock when last written down: the next life goes by it. */
struct clock_mark {
    int64_t at_s;     /* the time that it was then, or should have been */
    int64_t waited_s; /* for how long the clock had been another one; 0: it was right */
};
enum err clock_mark_find(struct view *v, struct clock_mark *out); /* ERR_NOT_FOUND: none yet */
void clock_mark_set(struct txn *t, const struct clock_mark *m);

#endif
