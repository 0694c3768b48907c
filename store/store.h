/* SPDX-License-Identifier: Apache-2.0 */
/*
 * store: the door to everything the service remembers: issuers and certificates (issuer.h, cert.h), what
 * lists say and have said (crl.h), requests (request.h), who may log in from where (token.h, permit.h), the
 * audit (audit.h). It speaks of certificates, never of keys and values; LMDB is behind it, in two files
 * (lmdb.c, table.c). Here is what there is of the store as a whole.
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

#include "base/err.h"
#include "store/audit.h"
#include "store/cert.h"
#include "store/crl.h"
#include "store/issuer.h"
#include "store/permit.h"
#include "store/request.h"
#include "store/token.h"

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

/* ---- how much there is ---- */

struct store_counts {
    uint64_t certificates, revoked, held, audit;
};
enum err store_count(struct view *v, struct store_counts *out);

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

/* ---- the clock ---- */

/* What its keeper made of the wall clock when last written down: the next life goes by it. */
struct clock_mark {
    int64_t at_s;     /* the time that it was then, or should have been */
    int64_t waited_s; /* for how long the clock had been another one; 0: it was right */
};
enum err clock_mark_find(struct view *v, struct clock_mark *out); /* ERR_NOT_FOUND: none yet */
void clock_mark_set(struct txn *t, const struct clock_mark *m);

#endif
