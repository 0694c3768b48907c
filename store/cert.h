/* SPDX-License-Identifier: Apache-2.0 */
/* cert: certificates and their states, which alone change. A part of the room's door, store/store.h, which
 * says how views and txns are used. */
#ifndef STORE_CERT_H
#define STORE_CERT_H

#include "base/alg.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/limits.h"
#include "base/reason.h"
#include "store/cursor.h"

struct view;
struct txn;

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

#endif
