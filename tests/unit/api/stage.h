/* SPDX-License-Identifier: Apache-2.0 */
/*
 * stage: a small service for tests: a store with two hierarchies' worth of rows, the installed profiles, a
 * clock that stands still, and a ca played by the test on the other end of the wire.
 */
#ifndef TESTS_UNIT_API_STAGE_H
#define TESTS_UNIT_API_STAGE_H

#include "api/api.h"
#include "base/clock.h"
#include "tests/unit/api/forge.h"

#define STAGE_NOW_S 1790000000 /* September 2026 */

/* Certificates in the store; each has the key `stage.key`. */
enum actor {
    ACTOR_ADMINISTRATOR,
    ACTOR_LEAF,    /* ours, profile ucm/tomcat */
    ACTOR_EXPIRED, /* administrators that are none any more */
    ACTOR_EARLY,
    ACTOR_REVOKED,
    ACTOR_HELD,
    ACTORS_STORED,
    ACTOR_FOREIGN = ACTORS_STORED, /* not ours */
    ACTOR_IMPOSTOR,                /* the administrator's serial on another certificate */
    ACTORS
};

/* Tokens in the store, each of the role operator for ucm/… alone. */
enum { STAGE_TOKEN, STAGE_TOKEN_EXPIRED, STAGE_TOKEN_DELETED, STAGE_TOKENS };

struct stage {
    char dir[64];
    struct api api;
    struct api_role role;
    struct config config;
    EVP_PKEY *key;
    struct buf certs[ACTORS], root;
    struct buf seal_pem; /* empty */
    uint8_t serials[ACTORS][SERIAL_LEN];
    char secrets[STAGE_TOKENS][SECRET_TEXT_MAX];
    struct loop *idle; /* never runs: what ticks in a service stands still */
    int wire[2];       /* [0] the api's, [1] the ca's */
};

/* Requests in the store, all asked by the administrator's certificate. */
enum { STAGE_PENDING, STAGE_APPROVED, STAGE_DENIED, STAGE_OVERDUE, STAGE_FOREIGN, STAGE_REQUESTS };
struct span stage_request(int which); /* the id; it is in the store but for STAGE_REQUESTS */

void stage_make(struct stage *s);
void stage_free(struct stage *s);

#endif
