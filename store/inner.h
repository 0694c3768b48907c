/* SPDX-License-Identifier: Apache-2.0 */
/*
 * inner: what the files of the store share: tables of ordered rows, which table.c keeps; the encoding of
 * every row (row.c); the keys of the index (index.c). Above this line of tables nothing knows LMDB, below it
 * nothing knows certificates.
 *
 * Before the rows of some tables a checksum stands in the file (checksum.c); who reads a row does not see it.
 *
 * Tables, key -> row (integers big-endian, so that octet order is numeric order):
 *   meta            "schema", "counters", "snapshot", "clock", "barred", "copied"
 *   cert            number(8)                      appended: a new certificate touches the last page alone
 *   status          serial(19)                     fixed width: OCSP's hot path
 *   index           tag(1) ‖ value ‖ number(8)     see enum index
 *   revoked         issuer no(2) ‖ serial(19)      what a CRL streams
 *   issuer          issuer no(2)
 *   crl_state       issuer no(2)
 *   audit           seq(8)                         appended
 *   audit_index     tag(1) ‖ value ‖ at(8) ‖ seq(8)  empty rows, see enum audit_index; AUDIT_BATCH audit rows
 *                                                  at a time, the newest are not in it yet
 *   idempotent      key(32)
 *   idempotent_time at(8) ‖ key(32)                empty rows
 *   request         id(16)
 *   request_index   tag(1) ‖ value                 see enum request_index
 *   token           SHA-256 of the secret(32)
 *   permit          listener(1) ‖ role(1) ‖ address(16) ‖ bits(1)
 *   responder       issuer no(2) ‖ host            row: version(1) ‖ serial(19)
 *   crl_part        issuer no(2) ‖ shard(2) ‖ is delta(1); shard 0: the issuer's crl_track
 *   crl_change      issuer no(2) ‖ serial(19)      what moved since the base of the deltas
 */
#ifndef STORE_INNER_H
#define STORE_INNER_H

#include "store/store.h"

#define SCHEMA_VERSION 3
#define SCHEMA_PLAIN 1 /* no row has a checksum; 2, which was in no release, had others */
#define SCHEMA_KEY "schema"
#define ROW_MAX                                                                                              \
    (2u * 1024 * 1024) /* octets: DER and CSR with SAN_COUNT_MAX names of DNS_NAME_MAX are some 600 KiB */
#define NAME_KEY_MAX                                                                                         \
    300u /* octets of a name in an index key: beyond any DNS name and CN, within LMDB's 511 */
#define KEY_MAX (1 + NAME_KEY_MAX + 1 + 8)
#define NUMBER_LEN 8u

enum table {
    TABLE_META,
    TABLE_CERT,
    TABLE_STATUS,
    TABLE_INDEX,
    TABLE_REVOKED,
    TABLE_ISSUER,
    TABLE_CRL_STATE,
    TABLE_AUDIT,
    TABLE_IDEMPOTENT,
    TABLE_IDEMPOTENT_TIME,
    TABLE_REQUEST,
    TABLE_REQUEST_INDEX,
    TABLE_TOKEN,
    TABLE_PERMIT,
    TABLE_RESPONDER,
    TABLE_AUDIT_INDEX,
    TABLE_CRL_PART,
    TABLE_CRL_CHANGE,
    TABLE_COUNT
};

/* ---- lmdb.c: environment and transactions ---- */

/* What of store_open() is LMDB's. Takes lock_fd (-1: not a writer), also when it fails. */
enum err env_open(const char *dir, enum store_mode mode, uint64_t map_size, int lock_fd, struct store **out,
                  struct fault *f);

/* The schema that the store has now, for store_is_earlier(). */
void env_note_schema(struct store *s, uint32_t version);

/* Writes one view of the whole environment to the descriptor, without its free pages. */
enum err env_copy(struct store *s, int fd);

/* Records the first failure: what a verb calls when it detects one. OK is ignored. */
void txn_fail(struct txn *t, enum err err);
/* Scratch for one encoded row, empty. */
struct buf *txn_row(struct txn *t);
/* The txn's working copy of the counters: written once, by txn_commit. */
struct counters *txn_counters(struct txn *t);
/* The counters a view must show before they are written: NULL for a view that is not a txn's. */
const struct counters *view_pending(const struct view *v);

/* ---- table.c: ordered rows ---- */

/* ERR_NOT_FOUND, ERR_IO, ERR_INTERNAL (a damaged file). `row` is borrowed from the view. One whose checksum
 * does not fit is given as nothing that reads as a row. */
enum err table_find(struct view *v, enum table t, struct span key, struct span *row);

/* False: a store of an earlier version has no such table, and is read as if it had no row. */
bool table_is_there(const struct view *v, enum table t);

/* Sticky, like every verb of a txn. */
void table_add(struct txn *t, enum table table, struct span key,
               struct span row); /* ERR_CONFLICT when the key is there */
void table_append(struct txn *t, enum table table, struct span key,
                  struct span row); /* as table_add; the key is above all others */
void table_set(struct txn *t, enum table table, struct span key, struct span row);
/* Nothing there is damage, which is told, and no failure: it is as it was to be. */
void table_remove(struct txn *t, enum table table, struct span key);

/* A scan walks a table in octet order of its keys. Each step gives the row it lands on, or ERR_END. */
struct MDB_cursor;
struct scan {
    struct MDB_cursor *cursor; /* NULL: the table is not there */
    enum table table;
};
struct entry {
    struct span key, row; /* borrowed from the view */
};
enum err scan_open(struct view *v, enum table t, struct scan *out);
void scan_close(struct scan *s);
enum err scan_from(struct scan *s, struct span key, struct entry *out);   /* the first at or after key */
enum err scan_before(struct scan *s, struct span key, struct entry *out); /* the last before key */
enum err scan_next(struct scan *s, struct entry *out);
enum err scan_previous(struct scan *s, struct entry *out);

/* ---- checksum.c (table.c writes and reads it) ---- */

#define CHECKSUM_LEN 9u /* octets before the row */

bool checksum_covers(enum table t, struct span key);
void checksum_put(enum table t, struct entry e, uint8_t out[static CHECKSUM_LEN]);
/* Of a row as it lies in the file what is behind its checksum. As it lies: one that has none, and one that
 * its own does not fit, which no reader takes: it begins with no version, and where rows have none it is too
 * long.
 */
struct span checksum_open(enum table t, struct entry e);
struct span checksum_skip(struct span row); /* whether it fits or not */

/* ---- damage.c ---- */

const char *table_name(enum table t); /* in the environment and for people */
/* A row that cannot be what it claims to be: logs table and key, the same ones once a minute; gives
 * ERR_INTERNAL. */
enum err table_damaged(enum table t, struct span key);

/* ---- lock.c ---- */

/* Holds dir/writer.lock until the descriptor is closed, or the process ends in whatever way. ERR_CONFLICT:
 * another holds it. */
enum err lock_take(const char *dir, int *fd, struct fault *f);

/* ---- meta.c ---- */

struct counters {
    uint64_t last_number; /* of a certificate */
    uint64_t certificates, revoked, held;
    uint64_t audit;               /* rows, and the last seq */
    uint8_t audit_hash[HASH_LEN]; /* of the last audit row: so that its end cannot be cut off unseen */
};

void schema_set(struct txn *t);
/* ERR_CONFLICT: one that this program does not read. */
enum err schema_find(struct view *v, uint32_t *version, struct fault *f);
enum err counters_find(struct view *v, struct counters *out);
void counters_set(struct txn *t, const struct counters *c);

/* ---- crl_change.c ---- */

struct crl_change {
    uint64_t change;      /* the issuer's crl_track.changes when it moved last */
    int64_t revoked_at_s; /* of the entry it had before, NO_TIME: none */
    int64_t not_after_s;
};
/* The certificate's state moves: its issuer has one change more. */
void crl_change_note(struct txn *t, const uint8_t serial[static SERIAL_LEN], const struct status *from);
void crl_track_set(struct txn *t, uint16_t issuer_no, const struct crl_track *k);

/* ---- row.c: encodings. Each row starts with its version; `false` for anything but a whole row of a known
 * version ---- */

struct status_row {
    struct status status;
    uint64_t number;
};

void row_put_status(struct buf *b, const struct status_row *s);
[[nodiscard]] bool row_get_status(struct span row, struct status_row *out);
void row_put_cert(struct buf *b, const struct cert *c);
/* Spans borrow from the row; of the status, issuer_no and not_after_s alone are known here. */
[[nodiscard]] bool row_get_cert(struct span row, struct cert *out);
void row_put_revoked(struct buf *b, const struct status *s);
[[nodiscard]] bool row_get_revoked(struct span row, struct revoked *out); /* the serial is in the key */
void row_put_issuer(struct buf *b, const struct issuer *i);
[[nodiscard]] bool row_get_issuer(struct span row, struct issuer *out); /* the number is in the key */
void row_put_crl_state(struct buf *b, const struct crl_state *s);
[[nodiscard]] bool row_get_crl_state(struct span row, struct crl_state *out);
void row_put_crl_track(struct buf *b, const struct crl_track *k);
[[nodiscard]] bool row_get_crl_track(struct span row, struct crl_track *out);
void row_put_crl_change(struct buf *b, const struct crl_change *c);
[[nodiscard]] bool row_get_crl_change(struct span row, struct crl_change *out); /* the serial is in the key */
void row_put_idempotent(struct buf *b, const struct idempotent *i);
[[nodiscard]] bool row_get_idempotent(struct span row, struct idempotent *out);
void row_put_request(struct buf *b, const struct request *r);
/* Spans borrow from the row. */
[[nodiscard]] bool row_get_request(struct span row, struct request *out); /* the id is in the key */
void row_put_token(struct buf *b, const struct token *k);
[[nodiscard]] bool row_get_token(struct span row, struct token *out); /* the hash is in the key */
void row_put_permit(struct buf *b, const struct permit *p);
[[nodiscard]] bool row_get_permit(struct span row, struct permit *out); /* the rest is in the key */
[[nodiscard]] bool row_get_responder(struct span row, uint8_t serial[static SERIAL_LEN]);
void row_put_counters(struct buf *b, const struct counters *c);
[[nodiscard]] bool row_get_counters(struct span row, struct counters *out);

/* ---- key.c: building keys ---- */

struct key {
    uint8_t data[KEY_MAX + 1]; /* one more: the successor of a key is the key and a zero octet */
    size_t len;
};

typedef void index_fn(const struct key *k, struct span row, void *arg);

struct span key_span(const struct key *k);
/* In the order of octets, as the tables are: below, at or above 0. */
int key_compare(struct span a, struct span b);
bool key_starts(struct span key, struct span prefix);
void key_put(struct key *k, const void *data, size_t len);
void key_put_u8(struct key *k, uint8_t v);
void key_put_u16(struct key *k, uint16_t v);
void key_put_u64(struct key *k, uint64_t v);
void key_put_time(struct key *k, int64_t t_s); /* ordered for times before 1970 as well */
void key_put_text(
    struct key *k,
    const char *text); /* shorter than NAME_KEY_MAX; ended by a NUL, so that "ab" is not under "a" */
void key_put_fold(struct key *k, struct span name); /* ASCII lower case, cut to NAME_KEY_MAX, not ended */
int64_t rd_time(struct rd *r);                      /* what key_put_time() put */
void key_bump(struct key *k);                       /* the least key above all that start with this one */
/* The least key behind this one. One of KEY_MAX may be that of a damaged row, cut: then behind all that start
 * so, as no key of ours goes on there. */
void key_pass(struct key *k);
struct key key_of_number(uint64_t number);
struct key key_of_issuer(uint16_t issuer_no);
struct key key_of_revoked(uint16_t issuer_no, const uint8_t serial[static SERIAL_LEN]);
char fold(char c); /* ASCII lower case, whatever the locale */

/* ---- index.c ---- */

enum index {
    INDEX_COMPROMISED =
        'c',               /* SHA-256 of the SPKI, and no number: row: the serial of the first one revoked */
    INDEX_ISSUER = 'i',    /* issuer no(2) */
    INDEX_KEY = 'k',       /* SHA-256 of the SPKI */
    INDEX_NAME = 'n',      /* folded name ‖ NUL: CN and SANs, one row when they agree; row: its name_use */
    INDEX_NOT_AFTER = 'a', /* time(8) */
    INDEX_PROFILE = 'p',   /* text ‖ NUL */
    INDEX_REQUESTER = 'r', /* text ‖ NUL */
    INDEX_STATE = 't',     /* state(1); valid ones have no row: they are most of all */
};

/* One octet, the row of INDEX_NAME; the others' rows are empty. */
enum name_use { NAME_CN = 1, NAME_SAN = 2 };

struct key key_of_index(enum index i); /* the tag alone */
/* The next of a certificate's names; false when there is none. */
bool sans_take(struct span *rest, struct span *name);
/* Tells of every key that a certificate is found under, with the row there: what index_add() adds and check.c
 * expects.
 */
void index_each(const struct cert *c, index_fn *fn, void *arg);
struct key index_state_key(enum cert_state state, uint64_t number);
void index_add(struct txn *t, const struct cert *c);
void index_move_state(struct txn *t, uint64_t number, enum cert_state from, enum cert_state to);

/* ---- idempotent.c, permit.c ---- */

/* Under which an answer is found by its time. */
struct key key_of_answer(int64_t at_s, const uint8_t key[static HASH_LEN]);
[[nodiscard]] bool permit_read(struct entry e, struct permit *out);

/* ---- request.c ---- */

enum request_index {
    REQUEST_BY_TIME = 'a',  /* asked at(8) ‖ id; empty rows */
    REQUEST_BY_STATE = 's', /* state(1) ‖ asked at(8) ‖ id; empty rows */
    REQUEST_BY_KEY = 'k',   /* key(32); row: the id of the latest ‖ body(32) */
    /* of the pending ones alone */
    REQUEST_BY_SAME = 'd',  /* same(32); row: the id */
    REQUEST_BY_ASKER = 'p', /* text ‖ NUL ‖ id; empty rows */
    REQUEST_BY_END = 'e',   /* expires at(8) ‖ id; empty rows */
};
/* Tells of every key but REQUEST_BY_KEY under which a request is found in its state. */
void request_index_each(const struct request *r, index_fn *fn, void *arg);

/* ---- audit.c, audit_index.c (audit_list.c reads it) ---- */

/* The row of an entry, when it says the number it lies under. */
[[nodiscard]] bool audit_read(struct entry e, struct audit_row *out);
/* The row of that number, one of those that are counted: without it ERR_INTERNAL. */
enum err audit_find(struct view *v, uint64_t seq, struct audit_row *out);

/* The value is followed by the time and the number of a row, so that a span of time is a range in each. */
enum audit_index {
    AUDIT_BY_ACTOR = 'a',  /* text ‖ NUL */
    AUDIT_BY_KIND = 'k',   /* kind(1) */
    AUDIT_BY_SERIAL = 's', /* serial(19) */
    AUDIT_BY_TIME = 't',   /* nothing */
};
#define AUDIT_BATCH 32u /* rows indexed at once: what a filtered list reads of the newest rows at most */
struct key key_of_audit(enum audit_index tag); /* the tag alone */
struct key key_of_actor(struct span actor);
struct key key_of_kind(enum audit_kind kind);
struct key key_of_serial(const uint8_t serial[static SERIAL_LEN]);
/* Of `count` rows, the number of the last that the index holds; what it says of later ones is not read. */
uint64_t audit_indexed(uint64_t count);
/* Row `count` was appended: indexes the batch that it ends, if it ends one. */
void audit_index_add(struct txn *t, uint64_t count);
void audit_index_each(const struct audit_row *a, index_fn *fn, void *arg);
/* Indexes what a store of an earlier version holds; nothing when it is done already. */
enum err audit_index_build(struct store *s, struct fault *f);

/* ---- barred.c: is every key revoked for keyCompromise remembered? ---- */

/* A new store, and one whose writer has seen to it. Others may lack what was revoked before they were. */
void barred_mark(struct txn *t);
[[nodiscard]] bool barred_is_marked(struct view *v);
/* Adds what a store of an earlier version lacks; nothing when it is done already. */
enum err barred_build(struct store *s, struct fault *f);

/* ---- cert.c ---- */

/* Remembers the key of that certificate as compromised; nothing when its rows cannot be read. */
void key_bar(struct txn *t, const uint8_t serial[static SERIAL_LEN]);
/* The certificate of that number without its state; of a row that a scan has given; its state. A number
 * without its rows is ERR_INTERNAL. */
enum err cert_load(struct view *v, uint64_t number, struct cert *out);
enum err cert_open(struct entry e, uint64_t number, struct cert *out);
enum err cert_load_state(struct view *v, struct cert *c);
/* The number at the end of an index key; false when it is too short to hold one. */
[[nodiscard]] bool number_of_key(struct span key, uint64_t *number);

/* ---- glob.c ---- */

#define GLOB_MAX 512u /* octets: a CN has at most CN_MAX characters, whatever is longer fits none */

/* `*` any run, `?` one character of UTF-8; ASCII case is ignored. Time at most |name|² + |pattern|. */
bool glob_fits(const char *pattern, struct span name);
size_t glob_literal_len(const char *pattern); /* octets before the first * or ? */

/* ---- cursor.c ---- */

/* The text of a list's position, bound to what the query filters on (not to its limit, its clock or the value
 * of expires_before, which move from page to page). */
void cursor_write(const struct cert_query *q, struct span position, char out[static CURSOR_MAX]);
[[nodiscard]] bool cursor_parse(const struct cert_query *q, struct key *position); /* of q->after */
/* The same for a list of the audit; not to the values of its times. */
void audit_cursor_write(const struct audit_query *q, struct span position, char out[static CURSOR_MAX]);
[[nodiscard]] bool audit_cursor_parse(const struct audit_query *q, struct key *position);

#endif
