/* SPDX-License-Identifier: Apache-2.0 */
/*
 * chain: the audit as rows of octets that hold on to one another: what an audit row says, its encoding, and
 * the check that a run of rows is whole. Nothing here knows where rows are kept, so that the service, the
 * command on an exported file and the command on a copied store check in the same way.
 *
 * A row carries the SHA-256 of the octets of the row before it: a row that is changed, removed, added or
 * moved breaks the chain behind it. Who can write the file can make a whole new chain: that is what seals are
 * for (base/seal.h), rows of kind "seal" whose signature covers the row before them. What is cut off behind
 * the last seal shows against a mark that is remembered elsewhere.
 *
 * Pure but for memory. Thread rule: one chain, one thread.
 */
#ifndef BASE_CHAIN_H
#define BASE_CHAIN_H

#include "base/buf.h"
#include "base/limits.h"
#include "base/seal.h"

/* The numbers are on disk for good: new ones are added before AUDIT_END. */
enum audit_kind {
    AUDIT_START = 1, /* the ca started */
    AUDIT_ISSUE,
    AUDIT_REFUSE,
    AUDIT_REVOKE,
    AUDIT_UNHOLD,
    AUDIT_CRL, /* detail: "issuer ID, number N," or "issuer ID, delta number N," first: store check reads it
                */
    AUDIT_RESPONDER, /* an OCSP signer certificate */
    AUDIT_LISTENER,  /* the HTTPS listener's certificate */
    AUDIT_INIT,
    AUDIT_CONFIG,  /* a configuration took effect */
    AUDIT_REQUEST, /* a request for a certificate waits for an approval */
    AUDIT_APPROVE,
    AUDIT_DENY,
    AUDIT_EXPIRE, /* nobody decided in time */
    AUDIT_TOKEN,  /* a token was made or deleted */
    AUDIT_LOGIN_FAILURE,
    AUDIT_PERMIT,  /* the permit list was changed */
    AUDIT_SEAL,    /* the rows up to here, signed */
    AUDIT_STOP,    /* the service ended in order */
    AUDIT_RESTORE, /* the store was restored from a backup */
    AUDIT_PRUNE,   /* certificates that ended long ago were forgotten */
    AUDIT_ISSUER,  /* a new generation of an issuer was made */
    AUDIT_END
};
const char *audit_kind_name(enum audit_kind k);    /* "issue"; "unknown" for what is none */
enum audit_kind audit_kind_find(const char *name); /* AUDIT_END: no kind of that name */

struct audit_row {
    uint64_t seq; /* 1.., without gaps */
    int64_t at_s;
    enum audit_kind kind;
    bool has_serial;
    uint8_t serial[SERIAL_LEN];
    struct span actor;          /* who: a principal, "service" */
    struct span detail;         /* one line of text */
    uint8_t previous[HASH_LEN]; /* hash of row seq - 1; zeros for the first */
    uint8_t hash[HASH_LEN];     /* SHA-256 of this row's octets, previous included */
};

/* The octets of a row: u8 version 1, u64 seq, i64 at_s, u8 kind, u8 has_serial, 19 octets of serial, 32 of
 * previous, then actor and detail, each a u32 length and its octets; big-endian. The hash is not within. */
void chain_row_put(struct buf *b, const struct audit_row *r);
/* Spans borrow from the row; computes the hash. False: not exactly such octets, or a time that no text can
 * say. */
[[nodiscard]] bool chain_row_get(struct span row, struct audit_row *out);

/* A row as it is remembered elsewhere. */
struct chain_mark {
    uint64_t seq;
    uint8_t hash[HASH_LEN];
};
#define CHAIN_MARK_MAX (20 + 1 + 2 * HASH_LEN + 1) /* octets of "SEQ:HASH" with the NUL */
void chain_mark_write(const struct chain_mark *m, char out[static CHAIN_MARK_MAX]);
[[nodiscard]] bool chain_mark_read(const char *text, struct chain_mark *out);

/* A check under way: {0} with what is to be held against it. */
struct chain_check {
    const struct seal_keys *keys; /* NULL: seals are counted, not checked */
    bool may_begin_late;          /* an export may begin at any row: then that row's `previous` is believed */
    struct chain_mark mark;       /* seq 0: none; else this row must come, with this hash */
    /* what has been seen */
    uint64_t first; /* 0: no row yet */
    struct chain_mark head;
    int64_t head_at_s;
    bool is_sealed;        /* the newest row is a seal */
    int64_t unsealed_at_s; /* of the first row behind the latest seal, or head_at_s */
    uint64_t seals;
    struct sealed sealed; /* by the latest seal; seq 0: none */
};

/* The next row. ERR_CONFLICT names the first bad row; then the chain is not to be used any more. */
enum err chain_add(struct chain_check *c, struct span row, struct fault *f);
/* After the last row: ERR_CONFLICT when the mark has not come. */
enum err chain_end(const struct chain_check *c, struct fault *f);

#endif
