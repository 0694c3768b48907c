/* SPDX-License-Identifier: Apache-2.0 */
/*
 * init: what the files behind `chancery init` share. init.c makes a home whole or not at all; hierarchy.c
 * makes its keys and certificates; settings.c its two configuration files. Private to them.
 */
#ifndef API_INIT_H
#define API_INIT_H

#include "api/role.h"

/* In their order in `plans`. */
enum { RSA_ROOT, RSA_ISSUING, EC_ROOT, EC_ISSUING, ISSUERS };
#define ADMIN_ISSUER EC_ISSUING /* every client that can do TLS 1.2 with AEAD can use such a certificate */
#define FIRST_NODE 1            /* in the serial numbers of a new home, and in its configuration */
#define LISTEN_TEXT_MAX 128     /* "ADDR:PORT" of any address, with the NUL */

struct plan { /* one issuer of a new home */
    const char *id, *parent, *key;
    const char *ocsp_key; /* NULL: as asked for */
    const char *title;
    int64_t days;
    int path_len;       /* -1: none */
    const char *issues; /* NULL: a root */
    const char *crl_every;
};
extern const struct plan plans[ISSUERS];
size_t plan_parent(size_t i); /* index of the plan's parent; a root is its own */

struct new_issuer {                     /* what became of a plan */
    struct buf name, certificate, spki; /* DER */
    struct signer_key *key;
    uint16_t no; /* in the store */
};

struct init {
    const struct init_options *o; /* what was asked for, in `settled` */
    struct init_options settled;
    char home[PATH_LEN_MAX], http[LISTEN_TEXT_MAX],
        https[LISTEN_TEXT_MAX]; /* what it borrows when it differs */
    char dir[PATH_LEN_MAX];     /* where the home is being made */
    char public_url[256];
    struct new_issuer made[ISSUERS];
    struct buf admin; /* certificate DER */
    struct store *store;
    int64_t now_s;
    struct fault f;
};

/* hierarchy.c: keys, both hierarchies with their files, the first administrator, the listener's keys. */
enum err hierarchy_make(struct init *in);

/* settings.c: chancery.xml (held against its own schema first) and profiles.xml. Sets public_url, and a
 * free port where 0 was asked for. */
enum err settings_make(struct init *in);

#endif
