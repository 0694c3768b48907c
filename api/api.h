/* SPDX-License-Identifier: Apache-2.0 */
/*
 * api: what the files of the process "api" share: the state of the role, one call (a request being answered),
 * the route table, login, and the asking side of the ca's wire. One thread, one loop; a handler never blocks
 * on another role: it asks, returns, and answers its call when the ca has. The process "ocsp" uses of it
 * problem.c's and signer_ending(), `ca renew` issuer_cert_path().
 */
#ifndef API_API_H
#define API_API_H

#include "api/inner.h"
#include "api/tally.h"
#include "base/ending.h"

/* ---- asker.c: questions to the ca ---- */

#define ASKER_WAITING_MAX 1024u /* questions without an answer: as many as http.c has connections */
#define ASKER_QUEUE_MAX                                                                                      \
    (16u * 1024 * 1024)        /* octets waiting for room on the wire: a hundred of the largest CSRs */
#define ASKER_TIMEOUT_MS 30000 /* an answer needs a signature and a commit: seconds at the very worst */

struct answer {
    enum err err;     /* the ca's; ERR_UNAVAILABLE with `is_late` when none came in time */
    bool is_late;     /* the act may still become durable */
    char detail[256]; /* for people */
    struct rd rest;   /* the kind's own, ca.h */
};
typedef void asker_done(struct answer *a, void *arg);

struct asker;
/* The wire stays the caller's. When its other end closes the role dies. */
struct asker *asker_new(struct loop *l, int fd, int64_t timeout_ms);
void asker_free(struct asker *a);
/* Sends `body` (the kind's own, without kind and number); `done` is called exactly once, later, on the loop.
 * ERR_UNAVAILABLE: too many wait; ERR_TOO_LARGE: no message holds it. `done` is then not called. */
enum err asker_send(struct asker *a, enum ask_kind kind, struct span body, asker_done *done, void *arg);
/* The same for what nobody needs to hear the end of: it is lost when the ca is that far behind. */
void asker_tell(struct asker *a, enum ask_kind kind, struct span body);
size_t asker_waiting(const struct asker *a);
/* Takes the findings with which the rest of an answer begins; a late one has none. Dies of what is none: the
 * ca is ours. */
void answer_findings(struct answer *a, struct findings *out);

/* ---- pulse.c: does the ca sign with every key? ---- */

struct pulse;
struct pulse *pulse_new(struct asker *a, int64_t (*now_ms)(void)); /* clock_monotonic_ms, or a test's */
void pulse_free(struct pulse *p);                                  /* before the asker; NULL is fine */
/* `fault` says what is wrong, NULL: nothing. */
typedef void pulse_done(const char *fault, void *arg);
/* Calls `done` once: at once with what was heard less than a second ago, else when the ca answers, which is
 * asked once for all who want to know meanwhile. */
void pulse_ask(struct pulse *p, pulse_done *done, void *arg);

/* ---- api.c: the role ---- */

struct stats {
    uint64_t answers[6]; /* by the status' first digit */
    uint64_t ms;         /* spent answering, sum */
    uint64_t issued, refused, logins_refused;
};

#define VEIL_KEY_LEN 32 /* octets: veil.c */

struct listener;
struct api {
    struct api_role *role;
    struct config
        *config; /* the role's; replaced in place on SIGHUP: borrow from it only while a handler runs */
    struct loop *loop;
    struct store *store;
    struct asker *asker;
    struct pulse *pulse;
    struct listener *listener;
    struct permits *permits;
    struct limits *limits;
    struct tally *login_failures, *denied;
    struct foreign *foreign;
    struct http_server *https, *control; /* NULL while not served */
    struct stats stats;
    uint8_t veil_key[VEIL_KEY_LEN]; /* random: cursors of another process are not read */
    int64_t (*now_s)(void);         /* clock_now_s, or a test's */
};

/* What http.c is given for each listening socket. */
struct http_handlers api_handlers(struct api *a);

/* ---- login.c ---- */

/* Why somebody was not let in: what audit rows of failed logins tell apart. */
enum login_failure {
    LOGIN_FAILURE_NONE, /* nothing was given */
    LOGIN_FAILURE_TOKEN_BROKEN,
    LOGIN_FAILURE_TOKEN_UNKNOWN,
    LOGIN_FAILURE_TOKEN_ENDED,
    LOGIN_FAILURE_CERTIFICATE,
    LOGIN_FAILURE_ROLE,
    LOGIN_FAILURE_ADDRESS,
};

struct login {
    struct principal who;       /* name "-" for nobody; role ACCESS_NOBODY unless the check said OK */
    enum login_failure failure; /* when it did not */
    int64_t token_used_s;       /* when a token was last noted as used, NO_TIME: never, or no token */
    bool is_by_certificate;     /* which a browser shows by itself, whatever page asks */
};
/* Who is it? OK; ERR_UNAUTHENTICATED; ERR_FORBIDDEN for somebody we know who may not use this interface;
 * ERR_UNAVAILABLE: the store cannot be read. */
enum err login_check(struct api *a, const struct http_peer *peer, const char *authorization,
                     struct login *out, struct fault *f);

/* ---- origin.c: what a browser sends for a page of another site ---- */

/* By the headers Sec-Fetch-Site, Origin and Host (NULL: absent), of which a program sends but the last. A
 * page of another host, port or scheme is of another site, and so is one that does not say which. */
bool origin_is_own(const char *fetch_site, const char *origin, const char *host);
/* May it change anything? ERR_FORBIDDEN: somebody is logged in by certificate, and another site asks. */
enum err origin_check(const struct http_request *r, const struct login *l, struct fault *f);

/* ---- secret.c: the text of a token ---- */

#define SECRET_TEXT_MAX (9u + 64 + 8 + 1) /* octets with the NUL */
void secret_new(char out[static SECRET_TEXT_MAX]);
bool secret_is_whole(
    const char *text); /* form and checksum are right; whether it is known is another matter */
void secret_hash(const char *text, uint8_t hash[static HASH_LEN]);

/* ---- login_failure.c: failed logins, in the log and in the audit ---- */

/* Rows `login-failure`, at most one a minute for an address and a kind. */
struct tally *login_failures_new(struct api *a); /* to be freed before the asker */
void login_failure_note(struct tally *t, const struct http_peer *peer, enum login_failure kind);

/* ---- foreign.c: client certificates of configured CAs ---- */

struct foreign;
/* Never fails: an authority whose files cannot be read is named in the log and refuses until they can. */
struct foreign *foreign_new(const struct access_config *c, const char *home, struct board *b);
void foreign_free(struct foreign *f);
/* Takes both: one that was made of another configuration, in the place of *f, which it frees. */
void foreign_replace(struct foreign **f, struct foreign *by);
void foreign_pem(const struct foreign *f, struct buf *out); /* appends the CAs' certificates */
/* Looks at the files, at most every two seconds. Is foreign_pem() another one since this was asked last? */
bool foreign_changed(struct foreign *f, const char *home);
/* Raises login.authority about each of which a certificate or a CRL ends soon, from the last quarter of its
 * life on (a certificate: not before its last 180 days), critical when one has ended or the files cannot be
 * read, and takes it down otherwise. */
void foreign_judge(const struct foreign *f, int64_t now_s);
/* The principal's name, "login:NAME". ERR_UNAUTHENTICATED: no CA of the configuration stands behind it now;
 * ERR_FORBIDDEN: one does, and no line names its subject. */
enum err foreign_check(struct foreign *f, const struct access_config *c, const char *home, struct span der,
                       int64_t now_s, char name[static PRINCIPAL_MAX], struct fault *fault);

/* ---- limits.c: how often ---- */

struct limits;
struct limits *limits_new(struct api *a);
void limits_free(struct limits *l); /* NULL is fine */
/* Counts a failed login. Seconds to wait when that address has had too many, else 0: over a Unix socket
 * always. */
unsigned limits_failed(struct limits *l, const struct http_peer *peer);
/* Counts a request that costs, for the login: tokens of one maker are for programs that do not know of each
 * other. Seconds to wait, 0: go on. Administrators and local users have no limit. */
unsigned limits_request(struct limits *l, const struct http_peer *peer, const struct principal *who);

/* ---- denied.c: what role or scope forbid, in the audit ---- */

struct route;
/* Rows `refuse`, at most one a minute for a login and a route. */
struct tally *denied_new(struct api *a); /* to be freed before the asker */
/* That login may not call that route. */
void denied_note(struct tally *t, const char *who, const struct route *route, const char *why);

/* ---- route.c: the table ---- */

/* How a route keeps to the scope of whoever calls. */
enum route_scope {
    ROUTE_SCOPE_UNSAID = 0, /* a row that forgot it: nobody may */
    ROUTE_SCOPE_OPEN,       /* the same for everybody: figures, issuers, which are public */
    ROUTE_SCOPE_FILTERED,   /* the handler leaves out of a list what the scope does not cover */
    ROUTE_SCOPE_HIDDEN,     /* the handler answers 404 for what it does not cover */
    ROUTE_SCOPE_ASKED,      /* the ca holds the act against it */
    ROUTE_SCOPE_WHOLE,      /* nobody whose scope limits anything */
};
#define ROUTE_ARG_MAX 256 /* octets of the path part a pattern captures: a serial, an issuer, a profile */

struct call;
struct route {
    const char *method;
    const char *pattern; /* "{}" captures one segment, a final "{*}" the rest; one capture a route */
    unsigned roles;      /* ACCESS_BITs; 0: nobody */
    enum route_scope scope;
    bool is_local;  /* anybody on this machine as well, without a login */
    bool is_costly; /* counted by limits_request() */
    size_t body_max;
    void (*handle)(struct call *c);
};
extern const struct route ROUTES[];
extern const size_t ROUTE_COUNT;

/* OK with route and captured part (decoded); ERR_NOT_FOUND; ERR_METHOD with the `allow` header;
 * ERR_MALFORMED: bad escape. HEAD is GET. */
enum err route_find(const char *method, const char *path, const struct route **out,
                    char arg[static ROUTE_ARG_MAX], char allow[static 64]);
/* May somebody of this role and scope call it? Of a path that is not there (NULL) everybody with a login may
 * be told so. ERR_FORBIDDEN with a reason. */
enum err route_permits(const struct route *r, const struct principal *who, struct fault *f);

/* ---- call.c: one request from arrival to answer ---- */

struct call {
    struct api *api;
    struct http_request *request;
    struct login login;
    char request_id[33];
    char arg[ROUTE_ARG_MAX];
    int64_t started_ms;
    int form; /* issue: the representation chosen, enum form */
};

/* Finds the route, checks the login, runs the handler. */
void call_begin(struct http_request *r, struct api *a);
/* Each of these answers, logs and frees the call. `more` fields end at a NULL name, NULL: none. */
void call_reply(struct call *c, unsigned status, const char *type, struct span body,
                const struct http_field *more);
void call_json(struct call *c, unsigned status, struct js *v, const struct http_field *more); /* takes v */
/* 200 with the first `len` octets of a file, sent as the client takes them; takes fd. */
void call_reply_file(struct call *c, const char *type, int fd, uint64_t len);
void call_problem(struct call *c, enum err e, const struct findings *fs, const char *detail, ...)
    __attribute__((format(printf, 4, 5)));
/* ERR_POLICY for a document that was sent, with every mistake in it. */
void call_report(struct call *c, const char *detail, struct span report);
/* 500 for a list that goes on at `next`, behind a damaged row. */
void call_damaged(struct call *c, const char *next);
/* A question to the ca that begins, as all do that somebody asks, with his name. */
void call_question(const struct call *c, struct buf *message);
/* Asks it; frees it. False: asker_send() did not take it, the call is answered and `done` not called. */
bool call_ask(struct call *c, enum ask_kind kind, struct buf *message, asker_done *done, void *arg);
/* A question that asker_send() did not take. */
void call_unsent(struct call *c, enum err e);
/* A failed answer of the ca as a problem: what may be shown of it. */
void call_refused(struct call *c, const struct answer *a, const struct findings *fs);
/* A parameter of the query and the room for its text. A list of them ends at a NULL name. */
struct call_param {
    const char *name;
    char *text;
    size_t cap;
};
/* Reads all of them; "" for one that is absent. False, and the call is answered, when there is another or one
 * cannot be read. NULL: there are none. */
[[nodiscard]] bool call_query(struct call *c, const struct call_param *params);
/* The body, a JSON value, through `read`, which says what is wrong with it, or NULL. False, and answered,
 * when it is none or something is. */
typedef const char *call_reader(const struct js *body, void *out);
[[nodiscard]] bool call_body(struct call *c, call_reader *read, void *out);
/* 503: the store, or a row that the answer needs, cannot be read. */
void call_unreadable(struct call *c);
/* A view of the store; NULL, and answered, when there is none. */
struct view *call_view(struct call *c);

/* ---- problem.c: RFC 9457 ---- */

#define PROBLEM_TYPE "application/problem+json"
struct js *findings_json(const struct findings *fs);
/* `detail` NULL or empty: left to the title. Local errors are shown as "internal". */
void problem_write(struct buf *out, enum err e, const char *detail, const char *request_id,
                   const struct findings *fs);
/* The same with a report of many lines, each ended by a line feed, as the list `report`. */
void problem_write_report(struct buf *out, enum err e, const char *detail, const char *request_id,
                          struct span report);
/* A row of a list that cannot be read: ERR_INTERNAL, with the cursor that leads on behind it as `next`. */
void problem_write_next(struct buf *out, const char *detail, const char *request_id, const char *next);
/* The same for an error of the protocol itself, with the fields of every other problem and a new id, e->text.
 */
void problem_fill(struct http_error *e, unsigned status, const char *detail);
void request_id_new(char out[static 33]);

/* ---- accept.c: content negotiation of an issued certificate ---- */

enum form { FORM_NONE, FORM_CHAIN, FORM_DER, FORM_PEM, FORM_P7B, FORM_P7B_PEM, FORM_JSON };
/* The best form for an Accept header (NULL: the chain); FORM_NONE: nothing fits. RFC 9110 12.5.1 */
enum form accept_choose(const char *accept);
const char *form_type(enum form f); /* Content-Type of the answer */
const char *accept_list(void);      /* every type there is, for people */

/* ---- render.c: a certificate in each form ---- */

/* Leaf first, then its issuers; without the root unless the certificate is one's own root's. */
#define CERT_PATH_MAX 8 /* levels: two in every hierarchy we make */
struct cert_path {
    struct span certs[CERT_PATH_MAX]; /* borrowed from the view */
    size_t count;
};
void cert_path_of(struct view *v, struct span leaf, uint16_t issuer_no, bool with_root,
                  struct cert_path *out);
void cert_path_pem(const struct cert_path *p, struct buf *out);
struct js *certificate_json(struct view *v, const struct cert *c, int64_t now_s);
/* The list item with pem and chain. */
struct js *certificate_json_full(struct view *v, const struct cert *c, int64_t now_s);
enum err render(struct view *v, const struct cert *c, enum form f, struct buf *out); /* every form but JSON */
enum err render_p7b(const struct cert_path *path, bool is_armoured, struct buf *out);
/* How a path ends that asks for a file: .pem, .der, .p7b (armoured: what the products upload), -chain.pem. */
struct suffix {
    const char *text;
    enum form form;
    const char *type;
};
const struct suffix *suffix_find(const char *text); /* NULL: there is none */
/* The serial that `text` begins with: exactly SERIAL_HEX_LEN hex digits. */
[[nodiscard]] bool serial_read(const char *text, uint8_t serial[static SERIAL_LEN]);

/* ---- decoded.c ---- */

struct js *facts_json(const struct facts *f); /* what a request asks */
struct js *ku_json(uint16_t bits);

/* ---- paged.c: lists ---- */

const char *paged_given(const char *text); /* NULL for "" */
/* A whole number from 1 to `most`; `preset` when none is given. */
[[nodiscard]] bool paged_limit(const char *text, unsigned preset, unsigned most, unsigned *out);
/* Items, next cursor ("": no more) and the Link to it under `path` with what was asked, but for "after";
 * takes items. */
void paged_reply(struct call *c, const char *path, const struct call_param *asked, struct js *items,
                 const char *next);
void paged_reply_whole(struct call *c, struct js *items); /* a list that has no pages */

/* One page of what a scope covers, out of a list that holds more: how many rows are hidden shows neither in
 * its length nor in its cursor, unless thousands follow one another. */
struct paged_rows {
    unsigned wanted;         /* the limit asked for */
    unsigned batch;          /* the limit for the store */
    unsigned shown, offered; /* so far */
    bool is_probe; /* the page is full, and whether anything follows is looked at: nothing is added */
};
/* The store's list, `batch` rows from `after` (NULL: from the start); each goes through paged_row(). */
typedef enum err paged_list(void *arg, const char *after, char next[static CURSOR_MAX]);
/* Counts a row. False: no more are wanted. */
bool paged_row(struct paged_rows *p, bool is_covered);
/* Fills `p`, whose `wanted` is set. `after` and `next` are the caller's, encrypted when his scope limits
 * anything. Errors are the list's, as is `next` of one; ERR_MALFORMED: a cursor that cannot be read. */
enum err paged_fill(struct call *c, struct paged_rows *p, const char *after, paged_list *list, void *arg,
                    char next[static CURSOR_MAX]);
/* Takes items. `next` of the list: where it goes on behind a row that cannot be read, "": nowhere.
 * `unreadable`: what is said when it is the store's failure, NULL: the usual. */
void paged_fail(struct call *c, enum err e, struct js *items, const char *next, const char *unreadable);

/* ---- veil.c: cursors that show nothing ---- */

/* Encrypts the store's cursor (hex) in place, for that login. */
void veil_put(const uint8_t key[static VEIL_KEY_LEN], const char *who, char cursor[static CURSOR_MAX]);
/* The other way round. False, and nothing changed: it is none of this process for that login. */
[[nodiscard]] bool veil_take(const uint8_t key[static VEIL_KEY_LEN], const char *who,
                             char cursor[static CURSOR_MAX]);

/* ---- handlers ---- */

void issue_post(struct call *c);       /* issue.c */
void preflight_post(struct call *c);   /* preflight.c */
void certificates_get(struct call *c); /* certificates.c */
void certificate_get(struct call *c);
void revocation_put(struct call *c); /* revocation.c */
void revocation_delete(struct call *c);
void issuers_get(struct call *c); /* issuers.c */
void issuer_get(struct call *c);
void signers_get(struct call *c); /* signers.c: GET /api/v1/issuers/ocsp */
bool signer_is_trusted(const struct ca_config *c, const char *issuer_id);
/* How near is the end of its OCSP signer's certificate? By roster_signer_measures(). */
enum ending_state signer_ending(const struct ca_config *c, const char *issuer_id, int64_t end_s,
                                int64_t now_s);
/* The issuer of that id, in a view the caller closes; NULL, and answered, when there is none. */
struct view *issuer_wanted(struct call *c, const char *id, struct issuer *out);
/* Its certificate and those above, up to the root. */
void issuer_cert_path(struct view *v, const struct issuer *i, struct cert_path *out);
void issuer_file_get(struct call *c); /* issuer_file.c: ID.pem, .der, .p7b */
void issuer_crl_der_get(struct call *c);
void issuer_crl_pem_get(struct call *c);
void issuer_crl_get(struct call *c);
void issuer_crl_post(struct call *c);
void requests_get(struct call *c); /* requests.c */
void request_get(struct call *c);
void request_approval_post(struct call *c);
void request_denial_post(struct call *c);
/* 202: the request waits for an approval. */
void requests_reply_pending(struct call *c, const uint8_t id[static REQUEST_ID_LEN]);
void trail_get(struct call *c); /* trail.c */
void trail_head_get(struct call *c);
void profiles_get(struct call *c); /* profiles.c */
void profile_get(struct call *c);
void replay_post(struct call *c); /* replay.c */
void tokens_get(struct call *c);  /* tokens.c */
void tokens_post(struct call *c);
void token_delete_call(struct call *c);
void permits_get(struct call *c); /* permit_list.c */
void permits_post(struct call *c);
void permits_delete(struct call *c);
void livez_get(struct call *c); /* health.c */
void readyz_get(struct call *c);
void metrics_get(struct call *c); /* metrics.c */

/* A request for a certificate, read from a call: shared by issue and preflight. */
struct wanted {
    char profile[PROFILE_ID_MAX];
    unsigned days;
    struct csr *csr;
    struct findings findings; /* of the reading */
};
/* Reads the query now and the CSR on another thread: `csr` and `out` are borrowed until `done`, which is
 * called on the loop with OK; ERR_POLICY: read, with a refusing finding; others: the call is answered and
 * `out` holds nothing. False: the call is answered and `done` is not called. */
typedef void wanted_done(void *arg, enum err e);
[[nodiscard]] bool wanted_read(struct call *c, struct span csr, struct wanted *out, wanted_done *done,
                               void *arg);
void wanted_free(struct wanted *w);
/* Takes the findings of the ca to those of the reading; what both saw is said once. */
void wanted_merge(struct wanted *w, struct findings *more);
/* Sends ASK_ISSUE with these flags; errors as asker_send. */
enum err wanted_send(struct call *c, const struct wanted *w, uint8_t flags, asker_done *done, void *arg);

/* ---- listener.c: the HTTPS listener's own certificates ---- */

/* Asks for what is missing and starts HTTPS once there is a certificate; then renews. */
struct listener *listener_new(struct api *a);
void listener_free(struct listener *l);
void listener_reload(struct listener *l); /* the configuration has changed */
/* The CAs of client certificates have: new connections are told of those of now (RFC 8446 4.2.4). */
void listener_tell_authorities(struct listener *l);
/* What is known of the certificate for one of the two kinds of key. */
struct listener_kind {
    const char *name;    /* "rsa", "ec" */
    int64_t not_after_s; /* of the last one; NO_TIME: there was none yet */
    bool is_usable;      /* it is served; else it has ended, or: */
    bool is_revoked;     /* or on hold */
    bool is_failed;      /* it is not usable, and another could not be had */
};
#define LISTENER_KINDS 2
/* NULL: there is no key of this kind. */
const struct listener_kind *listener_kind_at(const struct listener *l, size_t k);

#endif
