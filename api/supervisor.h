/* SPDX-License-Identifier: Apache-2.0 */
/*
 * supervisor: what the process that watches the roles is made of: private to serve.c (which waits, watches
 * and ends), spawn.c, given.c, alive.c and inspect.c.
 */
#ifndef API_SUPERVISOR_H
#define API_SUPERVISOR_H

#include "api/role.h"
#include "base/notify.h"

enum wire_name { WIRE_CERTIFICATE_PORT, WIRE_CRL_PORT, WIRE_OCSP_PORT, WIRE_ASK, WIRE_DESK, WIRE_COUNT };

struct serve {
    struct config config;
    const char *ready_file;
    char http[128], https[128];
    int http_fd, https_fd, control_fd, signal_fd, recent_fd, as_of_fd;
    int wires[WIRE_COUNT][2];      /* [0] the asking side, [1] the answering side */
    int boards[BOARD_COUNT][2];    /* of each role and the supervisor: to write, to read */
    struct board *board;           /* the supervisor's */
    struct handout_sheet *handout; /* the configuration, */
    int handout_fd;                /* and where roles read it */
    bool has_own_uids;             /* each role gets an account of its own */
    pid_t pids[ROLE_COUNT];
    bool is_stopping, is_ready;
    bool owes_reload;      /* asked for, perhaps while roles start that could not hear it yet */
    bool is_control_given; /* the service manager's, which removes it */
    struct notify notify;
    int64_t beat_ms;     /* when the watchdog was told last */
    int64_t deadline_ms; /* of being ready, then of having stopped */
    int code;
};

/* given.c: takes the listening sockets that a service manager has opened; the others stay -1. ERR_CONFIG:
 * one that the configuration does not have. */
enum err given_take(struct serve *s, struct fault *f);

/* alive.c: blocks for some seconds when a role hangs. Ready: see there; `began_ms` is when the start began.
 */
bool alive_is_well(const struct serve *s, int64_t began_ms);
/* Do the two roles that serve clients still do anything? */
bool alive_is_awake(const struct serve *s);

/* spawn.c: listening sockets and wires, before any role runs. */
enum err spawn_open(struct serve *s, struct fault *f);
/* Starts every role, in an order in which each finds what it needs, and closes what only they need. ERR_END:
 * the service stops already, see supervisor_await. */
enum err spawn_roles(struct serve *s, struct fault *f);

/* inspect.c: looks how each role is confined and posts it on the supervisor's board. */
void inspect_roles(const struct serve *s);
/* Every role is as confined as it shall be. */
bool inspect_is_settled(const struct serve *s);

/* serve.c: while roles start, waits until something can be read from `fd` or it is closed; -1: until the end
 * of a role was heard. Signals are heard meanwhile. Told to stop, a role may still finish its start, unless
 * it takes longer than a stop may: then all are killed, which closes `fd`. ERR_END: for -1 alone, the service
 * stops. */
enum err supervisor_await(struct serve *s, int fd);

#endif
