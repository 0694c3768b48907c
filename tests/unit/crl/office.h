/* SPDX-License-Identifier: Apache-2.0 */
/* office: the running role over a shop's store. The test is the ca: it hears what the role asks over the desk
 * and answers. */
#ifndef TESTS_CRL_OFFICE_H
#define TESTS_CRL_OFFICE_H

#include "shop.h"

struct office {
    struct shop shop;
    int desk;                  /* our end */
    pid_t role;                /* 0: does not run */
    int64_t (*clock)(void);    /* of the role; NULL: the wall's */
    int64_t delta_s;           /* the period of deltas, 0: none */
    const char *public_url;    /* what the ca gives with each number; NULL: http://ca.example.com */
    const struct board *board; /* what the role posts, through all its lives */
};
extern struct office office;

void office_open(void);       /* the clock of role and signer is the shop's */
void office_open_today(void); /* the wall's */
void office_close(void);

void role_start(void);
int role_wait(void); /* for its end; gives how it exited */
void role_stop(void);

struct heard {
    enum desk_kind kind;
    uint64_t number;
    char id[ISSUER_ID_MAX], text[128];
    enum err err;
    struct crl_state state;
    struct crl_part part; /* of its state alone what is in `state` */
};

bool hear(struct heard *h, int timeout_ms); /* false: nothing came */
struct heard expect_heard(enum desk_kind kind);
void say(enum desk_kind kind, uint64_t number, enum err err, const uint64_t *crl_number);
/* What asks has seen more than any list shows. */
void ask_publish(uint64_t number, const char *id, enum desk_cause cause);
void ask_publish_of(uint64_t number, const char *id, enum desk_cause cause, uint64_t changes);
void serve_reserve(void);
struct heard serve_record(void);
/* One publication from the ca's side; gives what was recorded. */
struct heard serve_publication(void);
/* The role is idle when it answers at once about an issuer it does not know. */
void expect_idle(void);
/* Asks; by hand, serves the publication too. Gives the answer. */
enum err asked(uint64_t number, enum desk_cause cause);
int unread_in(int fd); /* octets that the other end has not taken */
/* Until the role sleeps and has read all that was said. */
void role_settle(void);
/* Once it sleeps: what it has begun has the time of before. */
void clock_jump(int64_t now_s);

#endif
