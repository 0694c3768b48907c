/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ca: the room that decides, and the only writer. One thread turns a loop: gather what waits on its wires,
 * decide (profile rules, serial, to-be-signed octets), send one batch to the signer, record certificates and
 * audit rows in one transaction, answer only after the commit is durable. While a commit waits for the disk
 * the next batch grows.
 *
 * It reads facts, not hostile bytes: `api` parses a CSR, proves possession and sends struct facts. It does
 * not listen, does not parse PEM or HTTP and holds no key.
 *
 * Who asks, and what he may, is the door's other half: ca/access.h.
 */
#ifndef CA_CA_H
#define CA_CA_H

#include "base/alg.h"
#include "base/board.h"
#include "base/xml.h"
#include "ca/access.h"
#include "ca/roster.h"
#include "store/store.h"

/* ---- what a CSR says (facts) ---- */

/* <openssl/x509v3.h> has macros of these names with other values (it reads the octets the other way round):
 * include it before this header. */
#undef KU_DIGITAL_SIGNATURE
#undef KU_NON_REPUDIATION
#undef KU_KEY_ENCIPHERMENT
#undef KU_DATA_ENCIPHERMENT
#undef KU_KEY_AGREEMENT
#undef KU_KEY_CERT_SIGN
#undef KU_CRL_SIGN
#undef KU_ENCIPHER_ONLY
#undef KU_DECIPHER_ONLY

/* keyUsage as in a named BIT STRING's first two octets: bit 0 (digitalSignature) is 0x8000. RFC 5280 4.2.1.3
 */
enum ku {
    KU_DIGITAL_SIGNATURE = 0x8000,
    KU_NON_REPUDIATION = 0x4000,
    KU_KEY_ENCIPHERMENT = 0x2000,
    KU_DATA_ENCIPHERMENT = 0x1000,
    KU_KEY_AGREEMENT = 0x0800,
    KU_KEY_CERT_SIGN = 0x0400,
    KU_CRL_SIGN = 0x0200,
    KU_ENCIPHER_ONLY = 0x0100,
    KU_DECIPHER_ONLY = 0x0080,
};

/* The extended key usages we know by name; others are EKU_OTHER and always refused. */
enum eku {
    EKU_SERVER_AUTH,
    EKU_CLIENT_AUTH,
    EKU_CODE_SIGNING,
    EKU_EMAIL_PROTECTION,
    EKU_IPSEC_END_SYSTEM, /* 1.3.6.1.5.5.7.3.5 */
    EKU_IPSEC_TUNNEL,
    EKU_IPSEC_USER,
    EKU_TIME_STAMPING,
    EKU_OCSP_SIGNING,
    EKU_IPSEC_IKE, /* 1.3.6.1.5.5.7.3.17 */
    EKU_SMARTCARD_LOGON,
    EKU_ANY, /* anyExtendedKeyUsage: known so that refusing it can name it */
    EKU_OTHER,
    EKU_COUNT
};
#define EKU_LIST_MAX 16u /* in one certificate: more than there are */

const char *ku_name(enum ku bit); /* "digitalSignature" */
const char *eku_name(enum eku e); /* "serverAuth" */
struct span eku_oid(enum eku e);  /* content octets; empty for EKU_OTHER */
enum eku eku_of_oid(struct span content);
bool ku_parse(const char *name, uint16_t *bit);
bool eku_parse(const char *name, enum eku *out);
/* On the wires: a count and so many octets. The reader takes no more than EKU_LIST_MAX, and none unknown. */
void eku_list_write(struct buf *b, const enum eku *list, size_t count);
[[nodiscard]] bool eku_list_read(struct rd *r, enum eku list[static EKU_LIST_MAX], size_t *count);
void ku_text(uint16_t bits, char *out, size_t cap); /* "digitalSignature, keyEncipherment" */

enum san_kind {
    SAN_DNS = 2,
    SAN_IP = 7,
    SAN_EMAIL = 1,
    SAN_URI = 6,
    SAN_OTHER = 0
}; /* GeneralName tags, RFC 5280 4.2.1.6 */
struct san {
    enum san_kind kind;
    struct span value; /* DNS, email, URI: IA5 text as in the CSR; IP: 4 or 16 octets; other: the GeneralName,
                          whole, so that two that differ are two */
};

/* What the api read in a CSR. Spans borrow from whoever made it (the CSR, or the frame). */
struct facts {
    struct span csr;              /* PKCS#10 DER: kept with the certificate */
    struct span subject;          /* Name DER, byte for byte */
    struct span spki;             /* SubjectPublicKeyInfo DER */
    struct span cn;               /* the last commonName as UTF-8, empty when none */
    struct span subject_text;     /* for people: "CN=…, O=…" */
    enum hash_alg signature_hash; /* of the CSR's self-signature */
    bool has_san, has_ku, has_eku, asks_ca, sends_challenge;
    uint16_t ku;
    enum eku eku[EKU_LIST_MAX]; /* in the CSR's order */
    size_t eku_count;
    struct span eku_other; /* dotted OIDs of the unknown ones, ", " between */
    struct san *sans;      /* in the CSR's order; caller's array */
    size_t san_count;
    struct span other_extensions; /* dotted OIDs or names of requested extensions we do not act on */
};

/* To and from a wire frame's body. facts_read points `out->sans` into `sans`. False: broken framing (the
 * reader's peer is broken). */
void facts_write(struct buf *b, const struct facts *f);
[[nodiscard]] bool facts_read(struct rd *r, struct facts *out, struct san sans[static SAN_COUNT_MAX]);

/* ---- findings ---- */

enum severity { SEVERITY_NOTE, SEVERITY_WARN, SEVERITY_REFUSE };
const char *severity_name(enum severity s); /* "note", "warn", "refuse" */

/* Text is owned by the list. `rule` is one of the names in the rule table (rule.c): "usage.key.missing". */
struct finding {
    const char *rule; /* static, from the table */
    enum severity severity;
    char *field, *got, *want;
};
#define FINDINGS_MAX 64u /* who breaks more rules at once hears of the gravest: finding_add() */
struct findings {
    struct finding items[FINDINGS_MAX];
    size_t count;
};
/* Adds one; what is said of it comes from the rule table, which is the one list of rules. `field`, `got` and
 * `want` (NULL: empty) are cut at 512 octets and made printable. When the list is full a milder finding makes
 * way, so that no refusal is lost. An unknown rule is our own bug. */
void finding_add(struct findings *fs, const char *rule, const char *field, const char *got, const char *want);
/* The rule's sentences with {got} and {want} filled in; the caller frees. Made when they are shown: most
 * findings never are. */
char *finding_message(const struct finding *f);
char *finding_fix(const struct finding *f);
void findings_free(struct findings *fs);
bool findings_refuse(const struct findings *fs); /* one of them refuses */
void findings_write(struct buf *b, const struct findings *fs);
[[nodiscard]] bool findings_read(struct rd *r, struct findings *out);

/* The rule table, for documents and tests. */
struct rule {
    const char *name;
    enum severity severity;
    const char *message; /* one sentence; {got} and {want} stand for the finding's own */
    const char *fix;     /* what the person asking can do */
};
const struct rule *rule_find(const char *name);
const struct rule *rule_at(size_t i); /* NULL past the end */

/* ---- profiles ---- */

#define PROFILE_KEYS_MAX 8u
struct profile_key {
    enum key_type type;
    unsigned bits;
};
/* keyUsage for one kind of key. `preset` is issued when the CSR asks for nothing: `required`, unless the
 * catalogue adds to it. */
struct profile_usage {
    uint16_t required, tolerated, preset;
};
/* What the common name should look like. docs/products.md, 2 and 6; all but NAMING_HOST only warn. */
enum naming {
    NAMING_FREE,
    NAMING_VOS,  /* "-EC" and "-ms" after the host, as Cisco's VOS platform names its requests */
    NAMING_CAPF, /* CAPF-<8 hex digits> */
    NAMING_LSC,  /* CP-<model>-SEP<MAC> or SEP<MAC>, with a serialNumber of PID and SN */
    NAMING_HOST, /* a host name, or it is refused */
};
enum san_rule {
    SAN_FROM_CN,  /* a server without one gets its common name */
    SAN_AS_ASKED, /* never added */
    SAN_REQUIRED,
};
/* A name that a site permits: itself, or (".example.com") what ends in it. */
struct name_limit {
    bool is_suffix;
    char value[DNS_NAME_MAX + 1];
};
/* Validated policy; read from the catalogue, see docs/profiles.md. */
struct profile {
    char id[PROFILE_ID_MAX];
    char title[128];
    bool is_internal; /* chancery/…: built in, for our own certificates */
    bool is_cisco;    /* RFC 8813 conflicts on EC keys are a note, elsewhere a refusal */
    struct profile_key keys[PROFILE_KEYS_MAX]; /* permitted kinds; RSA bits: exact sizes permitted */
    size_t key_count;
    unsigned rsa_advised;                 /* bits: a larger key that is permitted is warned of; 0: none is */
    struct profile_usage ku_rsa, ku_ec;   /* zeros for a kind of key that is not permitted */
    uint32_t eku_required, eku_tolerated; /* bit (1 << enum eku) */
    bool always_table;                    /* issue the table whatever the CSR asks */
    bool is_ca;                           /* CA:TRUE, pathLenConstraint 0 */
    bool multi_server;
    enum naming naming;
    enum san_rule san_rule;
    bool wildcards; /* may a name hold a leading "*." */
    bool ip_sans;
    bool domain_sans; /* names beside the node's are domains, no second host */
    bool drop_ou;     /* the subject is issued without organizationalUnitName */
    bool needs_approval;
    uint8_t hashes;            /* of the CSR's own signature: bit (1 << enum hash_alg); 0: any */
    struct name_limit *limits; /* owned by the catalogue; none: any name */
    size_t limit_count;
    unsigned days_default, days_max;
};
struct catalogue {
    struct profile *profiles; /* in file order, internal ones last */
    size_t count;
};
/* The site's catalogue (or the installed one when `content` is empty) plus the built-in internal profiles.
 * ERR_CONFIG as xml_parse. */
enum err catalogue_load(const char *name, struct span content, struct catalogue *out, struct buf *report,
                        struct fault *f);
void catalogue_free(struct catalogue *c);
const struct profile *profile_find(const struct catalogue *c, const char *id); /* NULL */
const struct profile_usage *profile_ku(const struct profile *p,
                                       enum key_type t); /* NULL when `p` takes no such key */
struct span catalogue_installed(void);                   /* profiles.xml as shipped */

/* What would be issued: the outcome of policy, before there is a serial. */
struct grant {
    uint16_t ku;
    enum eku eku[EKU_LIST_MAX]; /* CSR's order when mirrored, table order when default */
    size_t eku_count;
    bool is_ca;
    bool san_from_cn; /* the CSR has no SAN, its CN is a host name, and the certificate is for a server */
    bool drops_ou;    /* the subject is issued as subject_without_ou() gives it */
    int64_t days; /* asked for, or the profile's own; once decided, what the issuer's end leaves of them */
};
/* Holds facts against a profile: adds every finding, not the first. `grant` is meaningful when
 * findings_refuse() is false. days_asked 0: the default. Pure. */
void profile_check(const struct profile *p, const struct facts *f, unsigned days_asked, struct grant *grant,
                   struct findings *out);
/* What the store knows of this key: revoked for keyCompromise under any issuer (refused), certified for
 * another subject or by this very request (warned). Beside profile_check(), in the view that counts. Fails as
 * the store does. */
enum err key_history_check(struct view *v, const struct facts *f, struct findings *out);

/* Appends the Name without its organizationalUnitName attributes, the rest byte for byte. */
void subject_without_ou(struct span subject, struct buf *out);
/* The same for the text that shows a subject. */
void subject_text_without_ou(struct span text, struct buf *out);

/* ---- a certificate that some CA issued, before it is uploaded ---- */

/* What the api read in it. Spans borrow from whoever made it. */
struct certificate_facts {
    struct span der, subject, issuer, spki;
    struct span subject_text, issuer_text; /* for people */
    struct span cn;                        /* the last commonName's octets, empty when none */
    struct span not_before, not_after;     /* Time elements as they are encoded */
    int64_t not_before_s, not_after_s;     /* NO_TIME: cannot be read */
    bool has_san, has_ku, has_eku, is_ca;
    int path_len; /* -1: none */
    uint16_t ku;
    enum eku eku[EKU_LIST_MAX];
    size_t eku_count;
    struct san *sans;
    size_t san_count;
    struct span critical_others; /* critical and neither keyUsage nor basicConstraints, ", " between */
    struct span ocsp_url, issuer_url, crl_url; /* the first of each, empty when none */
    enum key_type signed_by;                   /* the kind of key that its signature algorithm belongs to */
    enum hash_alg signature_hash;              /* HASH_NONE: unknown */
};
/* A certificate that may stand above it: one of ours (`id`), or one that was given with it. */
struct ca_certificate {
    char id[ISSUER_ID_MAX]; /* "" when it is not ours */
    struct span der, subject, issuer, spki, subject_text, issuer_text, issuer_url;
    enum hash_alg signature_hash; /* HASH_NONE: unknown */
};
#define KNOWN_CAS_MAX (2 * ISSUERS_MAX) /* of ours and as many given */
struct upload {
    const struct profile *profile;
    const struct facts *request;
    const struct certificate_facts *leaf;
    const struct ca_certificate *known; /* every one there is, on its path or not */
    size_t known_count;
    const struct ca_certificate *chain[KNOWN_CAS_MAX]; /* its path, issuer first, as far as it is known */
    size_t chain_count;
    struct span missing, missing_url; /* the subject the path breaks off at; empty: it ends at a root */
    int64_t now_s;
};
/* What the product would say of it when it is uploaded: every finding. What is about the file (format) is
 * the api's. Pure. */
void upload_check(const struct upload *u, struct findings *out);

/* Where certificates of a purpose go and what has to be restarted; static. Lists end at NULL. */
struct upload_plan {
    const char *profile;   /* an id, or what ids begin with */
    const char *trusts[3]; /* the stores that take root and intermediates, in this order */
    const char *trust_how; /* how they get there */
    const char *leaf;      /* what the certificate itself is uploaded as; NULL: it is not uploaded */
    const char *leaf_how;
    const char *restarts[4];
    const char *restart_how;
    const char *cautions[4];
};
/* The most exact row for a profile; there is one for every id. */
const struct upload_plan *upload_plan_find(const char *profile_id);

/* ---- structures ---- */

/* A tbsCertificate about to be. All spans borrowed. RFC 5280 4.1; extensions are written in the order
 * basicConstraints, keyUsage, extKeyUsage, subjectAltName, SKI, AKI, CRL distribution point, AIA,
 * ocsp-nocheck; only the first two are critical. */
struct tbs {
    uint8_t serial[SERIAL_LEN];
    enum sig_alg alg;
    struct span issuer, subject; /* Name DER, copied byte for byte */
    struct span spki;            /* its SHA-1 key hash becomes the SKI */
    int64_t not_before_s, not_after_s;
    uint16_t ku;
    const enum eku *eku;
    size_t eku_count;
    const struct san *sans;
    size_t san_count;
    bool is_ca;
    int path_len;                                            /* with is_ca: pathLenConstraint, -1: none */
    struct span aki;                                         /* the issuer's SKI octets */
    const char *ocsp_url, *issuer_url, *crl_url, *delta_url; /* NULL: left out */
    bool nocheck;                                            /* id-pkix-ocsp-nocheck, RFC 6960 4.2.2.2.1 */
};
void tbs_write(struct buf *b, const struct tbs *t);
/* The last look before a signature: what RFC 5280, 5480 and 8813 demand, whatever a profile says; adds
 * lint.* findings. What Cisco's tables ask for against RFC 8813 passes with `is_cisco`. Pure. */
void lint_check(struct span tbs, bool is_cisco, struct findings *out);
/* The whole certificate from its signed part. */
void certificate_write(struct buf *b, struct span tbs, enum sig_alg alg, struct span signature);
/* SHA-1 of the key bits, RFC 5280 4.2.1.2 (1). False for what is no SubjectPublicKeyInfo. */
[[nodiscard]] bool ski_of(struct span spki, uint8_t out[static SKI_LEN]);

/* A new serial: node, the expiry day as the bucket, 16 random octets: unique without coordination, ordered
 * by expiry (docs/interface.md, 6). */
void serial_new(uint8_t node, int64_t not_after_s, uint8_t out[static SERIAL_LEN]);

/* The row that remembers a certificate; text parts go into `text`, which must outlive it. */
struct cert_about {
    struct span der; /* the certificate */
    struct span csr; /* empty for our own */
    struct span cn, subject_text;
    const struct san *sans;
    size_t san_count;
    const char *profile, *requester;
    uint16_t issuer_no;
    int64_t now_s;
};
/* One name as lists show it: "a.example.com", "192.0.2.1", "otherName XMPPAddress (1.3.6.1.5.5.7.8.5)". */
void san_text(const struct san *s, struct buf *out);
/* False when the certificate cannot be read back: our own bug, and the last check before it is remembered. */
[[nodiscard]] bool cert_row(const struct cert_about *a, struct buf *text, struct cert *out);

/* A Name of the form O=…, CN=… in UTF8String; organization NULL: CN alone. */
void name_write(struct buf *b, const char *organization, const char *common_name);

/* ---- configuration ---- */

#define ISSUING_DAYS 3653      /* of an issuing CA: 10 years, a leaf of 5 can be issued in the first half */
#define RESPONDER_HOSTS_MAX 8u /* responders beside the service: more would share one by its name */

struct ca_issuer {
    char id[ISSUER_ID_MAX];
    char parent[ISSUER_ID_MAX];
    enum key_type issues; /* KEY_RSA, KEY_EC, or KEY_NONE for a root that issues no leaves */
    bool is_trusted;      /* its OCSP signer is a trusted responder: one certificate, for years */
    char hosts[RESPONDER_HOSTS_MAX][RESPONDER_HOST_MAX]; /* other hosts with an OCSP signer for it */
    size_t host_count;
    unsigned shards; /* lists that certificates share among them, a power of two; 0, 1: the complete one */
    bool has_deltas;
};
#define SYSLOG_PATH_MAX 108u /* sun_path of a socket's address */

/* SHA-256 of the files of a configuration as they were read. */
struct config_digests {
    uint8_t settings[HASH_LEN];  /* chancery.xml */
    uint8_t catalogue[HASH_LEN]; /* profiles.xml; of the installed one where the home has none */
};

struct ca_config {
    struct ca_issuer issuers[ISSUERS_MAX];
    size_t count;
    uint8_t node; /* 1..127: the serial's first octet */
    char host[DNS_NAME_MAX + 1];
    char public_url[256];                     /* "http://ca.example.com:8080", no final slash */
    int64_t responder_s;                      /* life of an OCSP signer certificate */
    int64_t trusted_s;                        /* that of a trusted responder */
    int64_t listener_s;                       /* life of the HTTPS listener's certificate */
    char listener_names[8][DNS_NAME_MAX + 1]; /* names and addresses it may carry */
    size_t listener_name_count;
    struct access_config access;
    struct config_digests digests; /* set by who reads the files */
    int64_t prune_after_s;         /* after its notAfter a certificate is forgotten; 0: never */
    char syslog[SYSLOG_PATH_MAX];  /* socket for copies of the audit; "": none */
};
/* Borrowed. NULL: none of that id. */
const struct ca_issuer *ca_issuer_find(const struct ca_config *c, const char *id);
struct span ca_config_schema(void); /* chancery.xsd: the schema of the whole file, for every room's reader */
enum err ca_config_read(const struct xml_node *root, struct ca_config *out, struct fault *f);
/* Issuers, their keys and files are a start's business: a running process takes a new configuration when it
 * has the same ones, and of one with others the catalogue alone. */
bool ca_config_same_issuers(const struct ca_config *a, const struct ca_config *b);
/* The common name of the listener's certificates: the host where it is no longer than a common name may be
 * (RFC 5280 ub-common-name), else a fixed one. Clients go by the subjectAltName, RFC 6125 6.4.4. */
const char *listener_cn(const struct ca_config *c);
/* Borrowed. Who issues to keys of that type; NULL: nobody, and for KEY_NONE always. */
const struct ca_issuer *ca_issuer_for(const struct ca_config *c, enum key_type type);
/* Whose certificate such a key gets; "" when no issuer has that kind. */
const char *issuer_for_key(const struct ca_config *c, struct span spki);

/* ---- the wire between api and ca ---- */

/* Request: u8 kind, u64 number, then the kind's own. Answer: u8 kind, u64 number, u8 err, blob text (detail
 * for people), then the kind's own. What follows the text is there only when err is OK, except that
 * ASK_ISSUE, ASK_APPROVE and ASK_LISTENER always send findings (perhaps none). Answers may come in any order;
 * each request gets exactly one. */
enum ask_kind {
    ASK_ISSUE = 1, /* blob principal, blob profile, u32 days, u8 flags (ASK_...), 32 octets idempotency
                      key (zeros: none), 32 octets body hash (what struct idempotent keeps), facts
                      -> findings; when OK and not a dry run: 19 octets serial, u16 issuer no, u8 repeated,
                      blob certificate DER; a dry run is OK whether it would be issued or not (the findings
                      say): the grant as grant_write(), blob what would be signed (empty: nothing).
                      ERR_POLICY: a finding refuses, or, without findings, the idempotency key was used with
                      another body; ERR_NOT_FOUND: no such profile; ERR_FORBIDDEN: a profile that clients may
                      not ask for; ERR_PENDING: it waits for an approval: 16 octets id of the request. */
    ASK_REVOKE,    /* blob principal, 19 octets serial, u8 reason, i64 invalidity -> u8 changed */
    ASK_UNHOLD,    /* blob principal, 19 octets serial -> (nothing) */
    ASK_PUBLISH, /* blob principal, blob issuer id -> u64 CRL number. Answered when published and recorded */
    ASK_PROBE,   /* (nothing) -> (nothing). Signs a probe with every CA key and reads the store */
    ASK_APPROVE, /* blob principal, 16 octets id -> as ASK_ISSUE, for the request as it was asked, by the
                    rules of now. Besides: ERR_NOT_FOUND; ERR_CONFLICT: it is decided or has expired;
                    ERR_FORBIDDEN: the principal is the asker's certificate */
    ASK_DENY, /* blob principal, 16 octets id, blob reason -> (nothing). Errors likewise, but the asker may */
    ASK_LISTENER, /* facts (spki, cn and sans alone; there is no CSR) -> as ASK_ISSUE, principal "service",
                     profile chancery/listener, names held against the configuration, the hierarchy by the key
                   */
    ASK_TOKEN_CREATE = 32, /* blob principal, 32 octets hash, u8 role, i64 end, scope as scope_write()
                             -> (nothing). ERR_CONFLICT: there are too many */
    ASK_TOKEN_DELETE,      /* blob principal, 8 octets id -> (nothing). ERR_NOT_FOUND */
    ASK_TOKEN_USED,        /* 8 octets id -> (nothing). Now and then: not for every use */
    ASK_PERMIT_ADD,        /* blob principal, u8 listener, u8 role, 16 octets address, u8 bits -> (nothing).
                              ERR_CONFLICT: it is there, or there are too many */
    ASK_PERMIT_REMOVE,     /* the same -> (nothing). ERR_NOT_FOUND */
    ASK_LOGIN_FAILURE,     /* blob address, blob what, u32 how often -> (nothing). One audit row */
    ASK_TAKEN = 64, /* 32 octets SHA-256 of chancery.xml, 32 of the catalogue, u8 is_reload -> (nothing). The
                       api has taken them: an audit row unless it had the same before */
    ASK_REFUSED,    /* blob principal, blob profile, blob rules -> (nothing). The api has refused a CSR by
                       itself: an audit row. Without a profile: another act, and why */
};
/* Whoever asks for what his role and scope do not cover is answered ERR_FORBIDDEN, and so is a kind that
 * there is not; both leave an audit row. A request for approval outside the scope is ERR_NOT_FOUND, as if it
 * were not there, and leaves none. */
#define ASK_DRY_RUN 1u
/* With ASK_DRY_RUN: the api refuses it already, wants to know what else is against it, and has the refusal
 * recorded by ASK_REFUSED. */
#define ASK_REFUSES 2u

/* In a dry run's answer: u16 ku, u8 is_ca, u8 san_from_cn, u8 drops_ou, i64 days, u8 count, then a u8 for
 * each eku. */
void grant_write(struct buf *b, const struct grant *g);
[[nodiscard]] bool grant_read(struct rd *r, struct grant *out);

#define DISK_ALARM "disk.full" /* raised while nothing is recorded for want of room */
#define MAP_ALARM "store.map"  /* raised while the store's map cannot grow; critical: it is full */

struct ca_role {
    const char *store_dir;
    uint64_t map_size;
    struct ca_config config;
    struct catalogue catalogue;
    struct span
        responder_spki[ISSUERS_MAX]; /* OCSP keys' public halves (issuers/ID-ocsp.pub), in config's order */
    /* those of the other hosts (issuers/ID-HOST-ocsp.pub), in config's order */
    struct span host_spki[ISSUERS_MAX][RESPONDER_HOSTS_MAX];
    bool publish_on_revocation;
    int api_fd, port_fd, desk_fd;
    struct board *board;               /* figures and alarms; NULL: none */
    const struct seal_keys *seal_keys; /* the audit's, the present one first; NULL: it is not sealed */
    /* SIGHUP: gives the configuration and catalogue as they are on disk now; false: keep the old. May be
     * NULL. */
    bool (*reload)(void *arg, struct ca_config *config, struct catalogue *catalogue);
    void *reload_arg;
};
/* Turns until the api's wire closes. Dies when a commit fails or a peer role is lost. */
enum err ca_run(struct ca_role *r);

#endif
