/* SPDX-License-Identifier: Apache-2.0 */
/* inner: what the files of the ca room share: the state of the role and the turn of its loop. */
#ifndef CA_INNER_H
#define CA_INNER_H

#include "base/desk.h"
#include "base/jump.h"
#include "base/port.h"
#include "ca/ca.h"

/* notBefore lies this much in the past, so that a client whose clock runs a little late can use its
 * certificate at once. */
#define BACKDATE_S 300

/* An issuer as the turn needs it: its certificate's parts, its URLs, the algorithm of its key. */
struct issuing {
    const struct ca_issuer *config;
    uint16_t no;
    struct buf certificate; /* DER: owns what parts borrow */
    struct span subject;
    struct span ski;
    int64_t not_before_s, not_after_s;
    enum key_type key;
    enum sig_alg alg;
    char ocsp_url[300], issuer_url[300];
    struct span responder_spki; /* borrowed from the role, as are those of other hosts */
    const struct span *host_spki;
};

/* How far the audit is sealed. */
struct sealing {
    uint64_t seq;    /* of the newest seal's own row; 0: none */
    int64_t due_ms;  /* of the monotonic clock: when what is new is sealed, however little it is */
    bool is_failing; /* the last one was not given: the next is not asked for before it is due */
    uint64_t lost; /* the last row of which a seal was asked for and no answer came, 0: none. The signer seals
                      a row once */
};

struct ask;

#define FLIGHTS_MAX                                                                                          \
    256u /* questions held at once, at the signer or on their way into the store: as many answers of 2 KiB   \
            are half a megabyte of transaction */
#define FLIGHT_TBS_MAX                                                                                       \
    (WIRE_MSG_MAX - 256u) /* octets of a to-be-signed structure that a question to the signer holds */
#define FLIGHT_LATE_MS                                                                                       \
    10000 /* a window of signatures takes a second or two on a slow machine; the api waits three times that  \
           */
struct flights {
    struct ask *asks[FLIGHTS_MAX]; /* in order of sending; the first `sent` are at the signer */
    size_t count, sent;
    struct ask *back[FLIGHTS_MAX]; /* have come back, in order, and are not taken yet */
    size_t back_count;
    uint64_t numbers;
    int64_t landed_ms; /* by the monotonic clock: when one came back, or was sent while none was out */
};

/* What else the signer is asked, and waited for. */
struct batch;
struct batches {
    struct batch *now; /* NULL: none is waited for */
    uint64_t numbers;
    size_t late; /* answers to what was given up, which may still come */
};

#define PUBLISH_WAITS_MAX                                                                                    \
    256u /* questions that wait for a list, some KiB each: one publication answers all of an issuer's, so    \
            that more come only while the publisher is at rest or somebody asks without end */
struct publish_waits {
    struct ask *asks[PUBLISH_WAITS_MAX];
    uint64_t numbers[PUBLISH_WAITS_MAX]; /* of what was asked of the crl for it; 0: not asked yet */
    uint64_t changes[PUBLISH_WAITS_MAX]; /* of the issuer when it was asked: a list with fewer is no answer */
    size_t count;
};

/* Copies of the audit for a log service. */
struct copies {
    char path[SYSLOG_PATH_MAX]; /* "": none are made */
    int fd;                     /* -1: not connected */
    uint64_t seq;               /* of the last one sent */
    uint64_t marked;            /* in the store: up to where a start takes them for sent; 0: nothing is */
    unsigned sent;              /* in this call */
    int error;                  /* errno of the last failure, 0: none */
    int64_t retry_ms;           /* of the monotonic clock: not before */
};

/* What is made of the clock. All by the monotonic clock. */
struct doubt {
    struct jump jump;
    int64_t looked_s, mark_s; /* when last looked at, and when it is written down next */
    int64_t waited_s;         /* for how long the clock has not been believed */
    bool is_doubted;          /* it was not when last looked at, whichever way it went */
    bool is_ahead;
    bool is_ahead_now; /* as seen in this turn: a jump is heeded at once, not at the next minute's upkeep */
};

struct ca {
    struct ca_role *role;
    bool is_left; /* by the api: nobody asks any more, nor waits for an answer */
    struct doubt doubt;
    struct flights flights;
    const char *no_room; /* why nothing more is recorded, as disk_look() saw it last; NULL: there is room */
    struct store *store;
    struct issuing issuers[ISSUERS_MAX];
    size_t issuer_count;
    struct publish_waits waits;
    uint64_t
        asked[ISSUERS_MAX]; /* as issuers: desk number of what was asked for those that wait, 0: nothing */
    struct {
        uint64_t desk_number;  /* of the nudge that has no answer yet, 0: none */
        bool is_due;           /* revoked or moved since, or that nudge failed */
        enum desk_cause cause; /* of what is due, else of what is under way */
        bool is_renamed;   /* a list under way does not count as what is due: it may name the old address */
    } nudges[ISSUERS_MAX]; /* as issuers */
    struct {
        bool is_due;            /* a new complete list is out: changes before it are no delta's any more */
        uint8_t at[SERIAL_LEN]; /* how far that has come */
    } prunes[ISSUERS_MAX];
    struct cert_prune prune; /* how far it has come */
    uint64_t next_desk_number;
    struct sealing sealing;
    struct copies copies;
    struct batches batches;
    struct {
        bool is_silent;
        int64_t again_ms; /* by the monotonic clock: when a silent one is asked again */
    } probe;
};

/* ---- ca.c: both die when the store gives none ---- */

struct view *ca_view(const struct ca *ca); /* view_close() */
struct txn *ca_txn(const struct ca *ca);   /* txn_commit() or txn_abort() */

/* ---- issuing.c ---- */
enum err issuing_load(struct ca *ca, struct fault *f);
/* From the configuration as it is now. Writes down which shards certificates will name, before any does.
 * ERR_TOO_LARGE: one address too many. */
enum err issuing_set_urls(struct ca *ca, struct fault *f);
/* Where the lists are that say whether this certificate of the issuer's is revoked; `delta_url` is "" when
 * there are none. */
#define CRL_URL_MAX 320u
void issuing_crl_urls(const struct ca *ca, const struct issuing *i, const uint8_t serial[static SERIAL_LEN],
                      char crl_url[static CRL_URL_MAX], char delta_url[static CRL_URL_MAX]);
void issuing_free(struct ca *ca);
/* Would a start take what that says of issuers? False: the fault says why not. */
bool issuing_would_start(struct ca *ca, const struct ca_config *fresh, struct fault *f);
/* In the log: issuers of the store that chancery.xml should have and has not. */
void issuing_tell_dropped(struct ca *ca, int64_t now_s);
const struct issuing *issuing_for_key(const struct ca *ca,
                                      enum key_type type); /* NULL: no hierarchy for it */
const struct issuing *issuing_by_id(const struct ca *ca, const char *id);
const struct issuing *issuing_by_no(const struct ca *ca, uint16_t no);

/* ---- ask.c: one question from the api, from frame to answer ---- */

struct ask {
    enum ask_kind kind;
    uint64_t number;
    uint8_t *frame; /* owned: what everything below borrows */
    char principal[PRINCIPAL_MAX];
    enum err err; /* the outcome */
    char detail[256];
    struct findings findings;
    struct principal who; /* of whoever asks, when the kind has one */
    bool is_denied;       /* by role or scope: leaves an audit row of its own */
    /* issue, listener */
    char profile_id[PROFILE_ID_MAX];
    bool dry_run, repeated;
    bool is_refused; /* by the api, which has it recorded */
    uint8_t idempotency[HASH_LEN], body_hash[HASH_LEN];
    bool is_idempotent;
    struct ask
        *twin;      /* an earlier ask that is not recorded yet, under the same Idempotency-Key; NULL: none */
    bool is_barred; /* there is no room: nothing of it is recorded, not even a refusal */
    bool is_recorded; /* its transaction is durable: its twins may be answered */
    unsigned days;
    struct span facts_sent; /* issue: as they came, the frame's last part */
    struct facts facts;
    struct san *sans; /* owned */
    struct grant grant;
    const struct issuing *issuer;
    struct buf tbs, certificate, text;
    struct buf subject, subject_text; /* what facts borrow when the profile drops OUs */
    uint8_t serial[SERIAL_LEN];
    bool is_signing;        /* it went to the signer: there is something to record */
    uint64_t number_signed; /* of its question there */
    int64_t sent_ms;        /* by the monotonic clock: when it was sent; 0: it is not at the signer */
    /* revoke, unhold */
    enum reason reason;
    int64_t invalidity_s;
    bool changed;
    /* approve, deny, and issue when it waits for an approval */
    char decider[PRINCIPAL_MAX]; /* who says it; `principal` is then who asked */
    uint8_t request_id[REQUEST_ID_LEN];
    bool is_waiting; /* it waited before: nothing is to be recorded */
    char reason_text[REQUEST_REASON_MAX];
    struct buf kept; /* the facts as they were asked */
    /* tokens, permits, login failures */
    struct token token;
    struct permit permit;
    char address[ADDRESS_TEXT_MAX], failure[64];
    uint32_t count;
    /* taken */
    struct config_digests digests;
    bool is_reload;
    /* publish */
    uint64_t crl_number;
    char issuer_id[ISSUER_ID_MAX];
};

/* Reads a frame, which it takes. NULL: broken framing. */
struct ask *ask_read(uint8_t *frame, size_t len);
void ask_free(struct ask *a);
/* A blob of it as a string; false when it does not fit `cap` or holds a NUL. */
[[nodiscard]] bool ask_read_text(struct rd *r, char *out, size_t cap);
/* `detail` is for whoever asked, cut to fit. */
void ask_refuse(struct ask *a, enum err code, const char *detail);
void ask_answer(struct buf *b, const struct ask *a);
/* An act that ends in a certificate when nothing refuses it. */
bool ask_issues(const struct ask *a);
/* One that changes the state of a certificate that is there. */
bool ask_moves(const struct ask *a);
/* Whose act it is: who decides about a request, else who asks. */
const char *ask_actor(const struct ask *a);
void ask_settle(struct ca *ca, struct ask *a); /* turn.c: answers the api; frees it */

/* ---- access_ask.c: may he ask this? And the acts on tokens and permits ---- */

/* Fills a->who and holds the kind against his role; refuses with ERR_FORBIDDEN. Before anything else. */
void access_check(const struct ca *ca, struct view *v, struct ask *a, int64_t now_s);
/* For what is known only later: false, and refused, when his scope does not cover it. */
bool access_covers(struct ask *a, bool covered, const char *what);
/* Role or scope forbids it: ERR_FORBIDDEN, a line of the log and a row of the audit. */
void access_deny(struct ask *a, const char *detail);
/* The same of what lies outside his scope, which he is told is not there: ERR_NOT_FOUND with `detail`. Log
 * and audit say what it was. */
void access_hide(struct ask *a, const char *detail);
const char *denial_text(const struct ask *a);   /* what is against it, as log and audit say it */
bool access_reads(struct rd *r, struct ask *a); /* a frame's rest, of the kinds below */
bool access_writes(const struct ask *a);        /* tokens, permits, login failures, denials */
void access_record(struct txn *t, struct ask *a, int64_t now_s);

/* ---- decide.c: policy and structure, before anything is signed or stored ---- */

/* Issue and listener: findings, grant, issuer, serial and tbs; err is OK when there is something to sign (or
 * a dry run passes). */
void decide_issue(struct ca *ca, struct view *v, struct ask *a, int64_t now_s);
/* In the transaction that records it: a key that was revoked for keyCompromise earlier in this turn is
 * refused too. */
void decide_key(struct view *v, struct ask *a);
/* The same of an issuer that was withdrawn while the signer was at work: once that is acknowledged, nothing
 * of it is. */
void decide_issuer(struct view *v, struct ask *a);
/* Revoke and unhold: does the state allow it? err and changed. */
void decide_revocation(struct view *v, struct ask *a, int64_t now_s);

/* ---- group.c: the transaction ---- */

struct desk_note;
/* Asks that need no record are left as they are; errors of others change with what the transaction shows.
 * Dies when it does not become durable. */
void group_record(struct ca *ca, struct ask *const *asks, size_t ask_count, struct desk_note *notes,
                  size_t note_count, int64_t now_s);

/* ---- flight.c: certificates at the signer ---- */

/* Sends the ask's tbs, now or when there is room. False: it cannot be sent and says why. At most FLIGHTS_MAX.
 */
[[nodiscard]] bool flight_start(struct ca *ca, struct ask *a);
/* Takes whatever the signer has answered, and sends what there is room for then. ERR_END: it is gone. */
enum err flights_receive(struct ca *ca);
/* One that has come back, with its certificate or with the refusal as its error; NULL: none now. */
struct ask *flight_land(struct ca *ca);
/* Refuses those that the signer has no room for, when it has had all else for FLIGHT_LATE_MS and given
 * nothing back: they come back refused. */
void flights_look(struct ca *ca, int64_t now_ms);
/* At the end: sends no more of them, what is at the signer may still come back; and forgets them all. */
void flights_end(struct ca *ca);
void flights_free(struct ca *ca);
/* It has been at the signer for FLIGHT_LATE_MS. */
bool flight_is_late(const struct ask *a, int64_t now_ms);

/* ---- batch.c: questions to the signer that are waited for, and not for ever ---- */

struct batch_job {
    const char *key_id;
    struct span tbs; /* borrowed until the call returns */
    struct port_answer answer;
};
/* Asks at most PORT_WINDOW, and waits for the answers, or until nothing has come back for so long. OK: each
 * job has its answer. ERR_UNAVAILABLE: not each; what is out is nobody's when it comes. ERR_END: the signer
 * is gone. Certificates that come back meanwhile wait for flight_land(). */
enum err batch_ask(struct ca *ca, enum port_kind kind, struct batch_job *jobs, size_t n, int wait_ms);
/* True when it was the answer to one of a batch, also of an earlier one. */
bool batch_answered(struct ca *ca, const struct port_answer *answer);

/* ---- probe.c: does the signer answer, all of it? ---- */

#define PROBE_MS 2000 /* a signature takes milliseconds; a busy machine is given more */
/* Asks it to sign with the first `keys` issuers' keys, and waits some seconds; hardly at all while it is
 * silent. False: it is silent, or cannot. Alarms say what was seen. */
bool probe_signer(struct ca *ca, size_t keys);

/* ---- disk.c: is there room? ---- */

void disk_look(struct ca *ca); /* with alarm and its end */
/* True: it would have to be recorded, there is no room, and it says so. */
[[nodiscard]] bool disk_bars(const struct ca *ca, struct ask *a);
/* No number is reserved then; what is published already is recorded in what is kept for that. */
void disk_bars_note(const struct ca *ca, struct desk_note *n);

/* ---- approval.c: what a person decides ---- */

/* Answers an Idempotency-Key under which a request waits, or was decided of late; false when
 * there is none. */
bool approval_repeat(struct ca *ca, struct view *v, struct ask *a, int64_t now_s);
/* It passed the rules and is not to be issued yet: ERR_PENDING. `id` of the request that waits already, NULL:
 * none is known. */
void approval_wait(struct ask *a, const uint8_t *id);
/* Adds the request, or finds the one that is the same; err changes when there are too many. */
void approval_add(const struct ca *ca, struct txn *t, struct ask *a, int64_t now_s);
/* Approve: may it be, and decide_issue() for what was asked. */
void approval_decide(struct ca *ca, struct view *v, struct ask *a, int64_t now_s);
/* Marks it approved, beside record_issue(); err changes when another ask of the turn was first. */
void approval_record(struct ca *ca, struct txn *t, struct ask *a, int64_t now_s);
void approval_deny(struct ca *ca, struct txn *t, struct ask *a, int64_t now_s);
/* Marks what nobody decided in time; a bounded slice. */
void approval_expire(struct txn *t, int64_t now_s);

/* Posts how many wait and for how long; says so when it is too long. */
void approval_post(struct ca *ca, int64_t now_s);

/* ---- key_history.c: the half of key_history_check() that refuses ---- */
enum err key_compromise_check(struct view *v, const struct facts *f, struct findings *out);

/* ---- record.c: what a turn leaves in the store ---- */

/* Octets of a subject in an audit row, whole characters: the row is for good, and JSON takes UTF-8 alone. */
#define AUDIT_SUBJECT_MAX 128u
void record_issue(struct txn *t, struct ask *a, int64_t now_s);
void record_refusal(struct txn *t, const struct ask *a, int64_t now_s);
void record_revocation(struct txn *t, const struct ask *a, int64_t now_s);

/* ---- copies.c: the audit for a log service ---- */
void copies_begin(struct ca *ca); /* after sealing_begin */
/* Writes down how far they have come. */
void copies_mark(struct ca *ca, struct txn *t);
/* Sends what is durable and has not been sent. Never blocks. */
void copies_turn(struct ca *ca);
/* What is not sent then is sent after the next start. */
void copies_end(struct ca *ca);

/* ---- taken.c: rows about what others did ---- */
bool taken_reads(struct rd *r, struct ask *a); /* a frame's rest */
bool taken_writes(const struct ask *a);
void taken_record(struct txn *t, const struct ask *a, int64_t now_s);
/* That a role has taken a configuration; nothing when it is the one it had last. */
void taken_config(struct txn *t, const char *role, const struct config_digests *d, bool is_reload,
                  int64_t now_s);

/* ---- sealing.c: signatures over the audit ---- */

/* Finds where the seals are; says so when there is no key for them. */
void sealing_begin(struct ca *ca);
/* Enough rows are new, or it is time. */
bool sealing_is_due(struct ca *ca);
/* After a turn or an upkeep: seals when it is due and a row is new. */
void sealing_turn(struct ca *ca, int64_t now_s);
/* At an end in order: the row that says so, and a seal over it. */
void sealing_end(struct ca *ca, int64_t now_s);

/* ---- doubt.c: is the clock to be believed when something is to be forgotten? ---- */
/* At start: goes by what the life before wrote down. */
void doubt_begin(struct ca *ca, int64_t now_s, int64_t monotonic_s);
/* Once a turn, by its clocks: is_ahead_now, and nothing else. */
void doubt_glance(struct ca *ca, int64_t now_s, int64_t monotonic_s);
/* Once an upkeep, which then has to do without what is forgotten by time when it is true: the clock is ahead
 * by more than a day, a week over a stop, and an alarm says so. */
[[nodiscard]] bool doubt_look(struct ca *ca, struct txn *t, int64_t now_s, int64_t monotonic_s);

/* ---- prune.c: certificates that ended long ago ---- */
/* A slice of them, when the configuration says so, and the audit row of it. */
void prune_turn(struct ca *ca, struct txn *t, int64_t now_s);

/* ---- upkeep.c: besides the turns ---- */
void upkeep_start(struct ca *ca, int64_t now_s); /* the first audit row */
/* Once a minute. Without an answering signer only what needs none. */
void upkeep_run(struct ca *ca, bool signer_answers, int64_t now_s);
void upkeep_reload(struct ca *ca, int signal_fd); /* SIGHUP came */

/* ---- responder.c: the OCSP signers' certificates ---- */
#define RESPONDER_PROFILE "chancery/ocsp"
/* Issues those that are missing, revoked, for another key or past half their life; none on a key that was
 * revoked for keyCompromise, about which an alarm stands. Dies when the signer or the disk is lost. */
void responder_renew(struct ca *ca, int64_t now_s);
/* The certificate of an issuer's OCSP signer, on another host or (NULL) its own. ERR_NOT_FOUND: none yet. */
enum err responder_serial(struct view *v, uint16_t issuer_no, const char *host,
                          uint8_t serial[static SERIAL_LEN]);

/* ---- endings.c: alarms about issuers and OCSP signers that end, and issuers that cut lives ---- */
void endings_check(struct ca *ca, int64_t now_s);

/* ---- publish.c: the desk to the crl publisher ---- */

/* The wire holds some hundred messages, and a publisher that is at work or stopped reads none: for an issuer
 * one publication is asked for at a time on behalf of those that wait, and one nudge. Nothing here blocks. */

/* Takes it when true: answered when a complete list comes out that shows all that was recorded by now, of
 * whichever run; or when the run that was asked for on its behalf fails. False: too many wait, and it says
 * so.
 */
[[nodiscard]] bool publish_ask(struct ca *ca, struct ask *a);
/* What the lists of an issuer (its index) are made from. As crl_track_find(), and an alarm stands while it
 * cannot be read: that issuer is passed over. */
enum err publish_track(const struct ca *ca, size_t n, struct view *v, struct crl_track *out);
/* After a revocation, when configured. */
void publish_nudge(struct ca *ca, uint16_t issuer_no);
/* Certificates of that issuer (its index) name another address or more shards from now on. */
void publish_moved(struct ca *ca, size_t n);
/* The public URL is another: complete lists name their deltas under it. Issuers that were asked for a run
 * after desk number `since` have it. */
void publish_renamed_deltas(struct ca *ca, uint64_t since);
/* At start: what the life before was to publish at once and did not see recorded. */
void publish_begin(struct ca *ca);
void publish_prune(struct ca *ca, struct txn *t); /* a part of what no delta needs any more */
void publish_nudge_due(struct ca *ca);            /* again what a failed publication left */
/* What the crl sent: RESERVE and RECORD write into t; their answers are sent by publish_settle after the
 * commit. */
struct desk_note {
    enum desk_kind kind;
    uint64_t number;
    char issuer_id[ISSUER_ID_MAX];
    struct crl_part part;
    char text[256];
    enum err err;
};
bool publish_read(struct span frame, struct desk_note *out);
void publish_record(struct ca *ca, struct txn *t, struct desk_note *n, int64_t now_s);
void publish_settle(struct ca *ca, const struct desk_note *n);

#endif
