/* SPDX-License-Identifier: Apache-2.0 */
/* public: what the files of the process "ocsp", the plain HTTP role, share: private to public.c, ocsp_http.c,
 * ocsp_recent.c, published.c, published_name.c, page.c, signers.c, made.c, host.c and as_of.c. */
#ifndef API_PUBLIC_H
#define API_PUBLIC_H

#include "api/inner.h"
#include "api/made.h"

#define PUBLISHED_NAME_MAX (sizeof "crl/" - 1 + CRL_NAME_MAX + sizeof ".crl" - 1)

struct asked;
struct ocsp_figures;
struct host;

struct public
{
    const struct public_role *role;
    const struct config *config;
    struct host *host;       /* NULL: not on an OCSP host */
    struct figure *data_age; /* of what OCSP answers from */
    struct store *store;
    struct ocsp *ocsp;
    struct asked *idle_asked; /* for the next requests */
    struct buf der;           /* of the request at hand */
    struct ocsp_figures *ocsp_figures;
    struct loop *loop;
    struct http_server *server;
    struct permits *permits;
    struct made page, signers;           /* answers that are kept */
    char unreadable[PUBLISHED_NAME_MAX]; /* the published file that an alarm is about, "": none */
    int port_fd;
    struct turn *send; /* when the turn is over: sends to the signer what came in it */
    bool is_draining;
    enum err err; /* why the loop stopped */
};

/* A short problem+json body. `allow`: the Allow field of a 405, else NULL. */
void public_refuse(struct http_request *r, enum err e, const char *detail, const char *allow);

/* ---- ocsp_http.c: /ocsp ---- */
void ocsp_http_open(struct public *p, struct board *board); /* `board` may be NULL */
void ocsp_http_close(struct public *p);
void ocsp_http_post(struct public *p, struct http_request *r, const char *rest);
void ocsp_http_get(struct public *p, struct http_request *r,
                   const char *rest); /* `rest`: the path behind "/ocsp/" */
/* RFC 6960 A.1: the request out of a GET path, percent-encoded base64. OK with an empty `der` for what is
 * none; ERR_TOO_LARGE for more than OCSP_REQUEST_MAX octets. */
enum err ocsp_http_decode(const char *rest, struct buf *der);
/* The same for a path in which a proxy has made "//" of the base64 a "/": one or two slashes are put back in
 * each way there is, and the first request that `is_right` is the one. False, and `der` empty: none is. */
bool ocsp_http_unmerge(const char *rest, bool (*is_right)(void *arg, struct span der), void *arg,
                       struct buf *der);

/* ---- published_name.c: which file a path names ---- */

struct published {
    const char *issuer_id, *type;
    bool is_crl;
    uint16_t shard; /* of a CRL, as store/store.h numbers them */
    bool is_delta;
    char name[PUBLISHED_NAME_MAX]; /* under public/: "crl/rsa-g1.crl" */
};
bool published_find(const struct config *c, const char *path, struct published *out);

/* ---- ocsp_recent.c: what was asked for lately, over a restart ---- */
void recent_load(struct public *p);
void recent_save(struct public *p);

/* ---- as_of.c: when the latest snapshot that was in use was taken, over a restart ---- */
int64_t as_of_load(int fd); /* NO_TIME: none is known, which the log says */
void as_of_save(int fd, int64_t as_of_s);

/* ---- published.c: /crl/… and /ca/… ---- */
void published_get(struct public *p, struct http_request *r, const char *rest);
/* RFC 9110 13.1.2, 13.1.3: may the client keep what it has? `if_none_match` and `if_modified_since` are NULL
 * when absent. */
bool published_is_fresh(const char *if_none_match, const char *if_modified_since, const char *etag,
                        int64_t modified_s);

/* ---- signers.c: /ca/ocsp.pem ---- */
void signers_pem_get(struct public *p, struct http_request *r);

/* ---- host.c: what an OCSP host does besides ---- */

/* Opens the snapshot as p->store; one that is older than the latest that was in use as well, but nothing is
 * said from that. ERR_NOT_FOUND, ERR_CONFLICT (not whole, of the future), ERR_IO. */
enum err host_open(struct public *p, struct fault *f);
/* With the loop and p->ocsp there: follows later snapshots, serves the control socket with the same handlers.
 */
void host_start(struct public *p, const struct http_handlers *handlers);
/* Gives p->ocsp the settings of p->config, on an OCSP host or not. */
void host_settings(struct public *p);
void host_stop(struct public *p); /* before the loop is freed */
void host_free(struct public *p);
/* Answers /livez, /readyz and /metrics to this machine, on an OCSP host alone; false: not one of them. */
bool host_serves(struct public *p, struct http_request *r);
/* When the snapshot in use was taken; NO_TIME: this is no OCSP host. */
int64_t host_as_of(const struct public *p);

/* ---- page.c: / ---- */

struct page_issuer {
    const char *id, *parent; /* parent "" for a root */
    const char *subject;
    const uint8_t *sha256, *sha1; /* of the certificate: 32 and 20 octets */
    int64_t not_before_s, not_after_s;
    struct crl_state crl, delta; /* number 0: none */
    unsigned shards;             /* lists that certificates name instead, 0: none */
};
struct page {
    const char *name;       /* of the service */
    const char *public_url; /* without final slash */
    const struct page_issuer *issuers;
    size_t count;
    bool is_copy; /* an OCSP host: no files here, and what is shown is of as_of_s */
    int64_t as_of_s;
};
void page_write(struct buf *out, const struct page *p);
/* The Content-Security-Policy under which the page works and nothing else would. */
const char *page_policy(char *out, size_t cap);
void page_get(struct public *p, struct http_request *r, const char *rest);

#endif
