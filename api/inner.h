/* SPDX-License-Identifier: Apache-2.0 */
/*
 * inner: what the files of the api room share. The room faces people and programs: the HTTPS interface, the
 * control socket, the pages for relying parties, and main(), which puts the other rooms together.
 */
#ifndef API_INNER_H
#define API_INNER_H

#include "base/board.h"
#include "base/file.h"
#include "base/http.h"
#include "base/json.h"
#include "base/rate.h"
#include "base/xml.h"
#include "ca/ca.h"
#include "crl/crl.h"
#include "ocsp/ocsp.h"
#include "signer/signer.h"
#include "store/store.h"
#include "watch/watch.h"

/* ---- config.c: chancery.xml, whose text each role parses as the supervisor hands it out ---- */

struct issuer_files {
    char id[ISSUER_ID_MAX];
    char key_uri[PATH_LEN_MAX]; /* absolute OSSL_STORE URI */
    char ocsp_key_uri[PATH_LEN_MAX];
    char certificate[PATH_LEN_MAX]; /* issuers/ID.pem */
    char chain[PATH_LEN_MAX];       /* issuers/ID-chain.pem */
    char ocsp_public[PATH_LEN_MAX]; /* issuers/ID-ocsp.pub: PEM SubjectPublicKeyInfo */
    bool issues_leaves;
};

/* <limits> of <login>: how often, docs/access.md. */
struct limits_config {
    struct rate failures;             /* failed logins of one address */
    struct rate requests;             /* that cost, of one login that is no administrator's */
    struct rate requests_per_address; /* the same of one address */
};
enum confine_level {
    CONFINE_FULL,  /* all of base/confine.h */
    CONFINE_BASIC, /* without the kernel's filters: no seccomp, no Landlock */
    CONFINE_OFF,
};
struct confine_config {
    enum confine_level level;
    unsigned first_uid; /* where roles have no system user of their own */
};
extern const char *const confine_levels[]; /* their names */

struct config {
    char home[PATH_LEN_MAX]; /* absolute */
    bool is_handed;          /* by the supervisor: then the paths below are relative to the home */
    int handout_fd;
    bool has_own_uids; /* likewise: each role gets an account of its own */
    char name[128];    /* <service name=> */
    char host[DNS_NAME_MAX + 1];
    char http_listen[128], https_listen[128];
    char public_url[256];
    uint64_t map_size; /* octets */
    char store_dir[PATH_LEN_MAX], public_dir[PATH_LEN_MAX], listener_dir[PATH_LEN_MAX],
        watch_dir[PATH_LEN_MAX], control_path[PATH_LEN_MAX];
    bool is_ocsp_host;        /* <ocsp-host>: answers OCSP from a snapshot of another host's store, no more */
    int64_t snapshot_every_s; /* between looks for a new one */
    struct issuer_files issuers[ISSUERS_MAX];
    size_t issuer_count;
    char audit_key_uri[PATH_LEN_MAX]; /* "": the audit is not sealed */
    char audit_public[PATH_LEN_MAX];  /* issuers/audit.pub: PEM SubjectPublicKeyInfo, the present key first */
    struct confine_config confine;
    struct ca_config ca;
    struct crl_config crl;
    struct ocsp_config ocsp;
    struct watch_config watch;
    struct limits_config limits;
    size_t http_connections, http_per_address, https_connections, https_per_address;
    struct catalogue catalogue; /* profiles.xml of the home, else the installed one */
};

/* The documents of a configuration as they were read. */
struct config_texts {
    struct buf settings, catalogue; /* chancery.xml; profiles.xml of the home, else the installed one */
};
/* Files of root or of this user that nobody else may write: ERR_CONFIG. */
enum err config_texts_read(const char *home, struct config_texts *out, struct fault *f);
void config_texts_free(struct config_texts *t);
/* Validates them. `report` (may be NULL) gets every mistake that the schema can see, else at most the first
 * that a room finds, a line each. */
enum err config_parse(const char *home, const struct config_texts *t, struct config *out, struct buf *report,
                      struct fault *f);

/* Reads and validates home/chancery.xml and home/profiles.xml. */
enum err config_load(const char *home, struct config *out, struct buf *report, struct fault *f);
/* Again, from where `now` came from: a role's from the supervisor. */
enum err config_reload(const struct config *now, struct config *out, struct fault *f);
void config_free(struct config *c);
/* Borrowed. NULL: the document has no <issuer> of this id. */
const struct issuer_files *issuer_files_find(const struct config *c, const char *id);
/* Has the document an <issuer> of this id? The store may have others: dropped ones, or one that `ca renew`
 * has begun. On an OCSP host: has it a key for it? */
bool config_has_issuer(const struct config *c, const char *id);
/* Do two listeners want one socket? Not with port 0, which is any. */
bool config_same_listen(const char *a, const char *b);
/* What relative paths of the configuration are relative to at run time: the home, by whatever name this
 * process may use for it. */
const char *config_here(const struct config *c);

/* ---- restart.c: what a start alone takes ---- */

#define RESTART_LIST_MAX 1024u /* octets: a line of the log */
/* Appends the settings in which `fresh` differs from `now`, what the start read, and which a running service
 * does not take: "http listen, rsa-g1 crl every". Nothing: it takes all of it. */
void restart_list(const struct config *now, const struct config *fresh, struct buf *out);

/* ---- handout.c: the supervisor reads the configuration and hands it to the roles, which then need no file
 * of it ---- */

/* What a role is told besides its wires. Owns its texts: handout_free(). */
struct handout {
    char home[PATH_LEN_MAX];
    bool has_own_uids; /* each role gets an account of its own */
    struct config_texts texts;
};
/* Shared memory that this process alone can write, through `sheet`, and that is read through `read_fd`
 * (close-on-exec), whose holder cannot open it to write either. ERR_IO. */
struct handout_sheet;
enum err handout_make(struct handout_sheet **sheet, int *read_fd, struct fault *f);
void handout_close(struct handout_sheet *sheet); /* NULL is fine */
/* Replaces what it holds. A role that reads meanwhile finds no configuration and keeps its own.
 * ERR_TOO_LARGE. */
enum err handout_write(struct handout_sheet *sheet, const struct handout *h, struct fault *f);
/* ERR_IO, ERR_CONFIG: it holds none. */
enum err handout_read(int fd, struct handout *out, struct fault *f);
void handout_free(struct handout *h);
/* The configuration of a role that has been handed one. */
enum err config_load_handed(int fd, struct config *out, struct fault *f);

/* ---- csr.c: hostile bytes to facts ---- */

struct csr; /* a parsed, verified request: owns what its facts borrow */
/* Finds a PKCS#10 in DER, PEM ("CERTIFICATE REQUEST", "NEW CERTIFICATE REQUEST"; text around the armour is
 * skipped) or bare base64, checks its self-signature and reads the facts. ERR_MALFORMED: not a CSR, trailing
 * octets, not DER; ERR_TOO_LARGE; ERR_POLICY with a finding for what is well formed and refused here
 * (csr.signature, csr.extension.duplicate, name.nul, …). With ERR_POLICY `out` is given too: to show people
 * what they asked, never to issue. NULL with the other errors. */
enum err csr_parse(struct span body, struct csr **out, struct findings *findings, struct fault *f);
const struct facts *csr_facts(const struct csr *c);
void csr_free(struct csr *c);
/* A file in a member of a JSON object: its text, or (what armour cannot be) its octets in base64. False: it
 * is no string. */
[[nodiscard]] bool csr_member(const struct js *body, const char *name, struct buf *out);
/* Is `v`, or anything in it, the text of a private key's PEM? */
bool csr_has_key(const struct js *v);
/* Is it a JSON object with a member "csr"? */
bool csr_is_in_object(struct span body);
/* ERR_MALFORMED for an object with a member that is a parameter of the query, where alone it counts. */
enum err csr_check_members(const struct js *body, struct fault *f);

/* ---- the roles ---- */

/* role.c: of the machine, 1 to 64: so many threads do what keeps a core busy. */
unsigned core_count(void);
/* strangers.c: local users without a number in this process's user namespace: the kernel calls all of them by
 * this uid and this gid. */
struct strangers {
    bool are_there;
    uid_t uid;
    gid_t gid;
};
/* Reads `proc` ("/proc") before it is closed to the role. Warns of each <peer> that can be nobody. */
struct strangers strangers_read(const char *proc, const struct access_config *c);

/* HTTPS interface and control socket: process "api". Listening sockets are made by the supervisor. */
struct api_role {
    struct config *config;             /* may be reloaded in place on SIGHUP */
    const struct buf *https_keys;      /* PEM of the listener's keys: RSA, EC; an empty one is missing */
    const struct buf *seal_pem;        /* issuers/audit.pub as the start found it; empty: no seals */
    int https_fd, control_fd;          /* listening */
    int ca_fd;                         /* wire to the ca */
    struct strangers strangers;        /* whom the control socket lets in by no number */
    struct board *board;               /* its own; NULL: none */
    const struct board *const *boards; /* of every role, those that are not NULL: metrics and health */
    size_t board_count;
};
enum err api_run(struct api_role *r);

/* What relying parties use, no login: /ocsp, /crl/…, /ca/…, /. Process "ocsp". */
struct public_role {
    struct config *config; /* parts of it are reloaded in place on SIGHUP */
    int http_fd;           /* listening */
    int port_fd;           /* signing port of the OCSP keys */
    int control_fd;        /* listening, on an OCSP host, where this role is the service; else -1 */
    int recent_fd;         /* a file for what was asked for lately; -1: none */
    int as_of_fd;        /* on an OCSP host: a file for when the latest snapshot was taken, written through */
    struct board *board; /* as in api_role */
    const struct board *const *boards;
    size_t board_count;
};
enum err public_run(const struct public_role *r);

/* ---- permits.c: the permit list of one listener ---- */

struct permits;
#define PERMITS_ALARM "permits.unread" /* raised until it was read for the first time */
#define PERMITS_POLL_MS 500            /* between readings: a change is in force within a second */
struct permits *permits_new(struct loop *l, struct store *store, enum permit_listener listener,
                            struct board *b);
void permits_free(struct permits *s); /* before the loop and the store; NULL is fine */
/* May it connect? Counts and logs, once a minute, whoever may not. */
bool permits_admit(struct permits *s, const struct http_peer *peer);
/* May it be that role (ACCESS_NOBODY: connect)? Over a Unix socket always; else when nothing is said of that
 * role, or a line names it, but not before the list was read. */
bool permits_has(const struct permits *s, enum access_role role, const struct http_peer *peer);

/* ---- pem.c: armour ---- */

#define PEM_LABEL_MAX 64

/* Appends one PEM block in the format of docs/interface.md, 6. */
void pem_put(struct buf *out, const char *label, struct span der);
/* The first PEM block of that label, decoded; ERR_NOT_FOUND, ERR_MALFORMED. */
enum err pem_get(struct span pem, const char *label, struct buf *der);
/* Is that DER, where a file may be either? Text that begins with "0", as DER does, is none when armour
 * follows it; armour within one whole element is a part of that. */
bool pem_is_der(struct span file);
/* Takes the next block off `pem`, whatever its label (cut to fit); text before it is skipped. ERR_END: no
 * more; ERR_MALFORMED: broken armour, or one with header lines (an encrypted key). `der` is reset first and
 * never cleansed: no keys. */
enum err pem_next(struct span *pem, char label[static PEM_LABEL_MAX], struct buf *der);

/* ---- x509.c: views of certificates for people, by OpenSSL ---- */

/* Subject as RFC 4514-like text, control characters escaped: "CN=a.example.com, O=Example". Nothing when it
 * is no Name. */
void name_text(struct span name_der, struct buf *out);
struct X509_name_st; /* OpenSSL's X509_NAME */
void name_text_of(const struct X509_name_st *name, struct buf *out);
/* certs-only PKCS#7 (RFC 2315 9.1 degenerate SignedData), certificates in the order given. */
enum err p7b_put(struct buf *out, const struct span *certs, size_t n);

struct x509_info {
    char serial[2 * 20 + 1]; /* lower-case hex */
    int64_t not_before_s, not_after_s;
    enum key_type key_type;
    unsigned key_bits;
    uint8_t key_hash[HASH_LEN];         /* SHA-256 of the SubjectPublicKeyInfo */
    uint8_t sha256[HASH_LEN], sha1[20]; /* fingerprints of the DER */
    char *subject;                      /* text; x509_info_free() */
};
/* ERR_MALFORMED with nothing to free. */
enum err x509_info_read(struct span der, struct x509_info *out);
void x509_info_free(struct x509_info *i);

struct asn1_string_st;                             /* OpenSSL's ASN1_TIME */
int64_t x509_time(const struct asn1_string_st *t); /* NO_TIME for what is none, or NULL */

#endif
