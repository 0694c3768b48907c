/* SPDX-License-Identifier: Apache-2.0 */
/*
 * transfer: whole files to and from other machines over libcurl, as a stream in both directions: HTTP, HTTPS
 * and SFTP, for the outbound room. What fetch.h is for small exchanges, this is for files of any length.
 *
 * No proxy, no cookies, no login from a .netrc. Redirects only as many as are asked for and never to another
 * scheme. A server is always verified, a host key only against the given file. Blocks until it is done, the
 * time is up, or the flag is raised, which is seen within a second, also while a name is looked up: libcurl's
 * thread for that goes on by itself until the name server has answered or is given up. Thread rule: one line,
 * one thread.
 */
#ifndef BASE_TRANSFER_H
#define BASE_TRANSFER_H

#include <stdatomic.h>

#include "base/buf.h"

/* Keeps connections between transfers to one place. */
struct transfer_line;
struct transfer_line *transfer_line_new(void);
void transfer_line_free(struct transfer_line *l); /* NULL is fine */

/* All borrowed for the call; NULL and 0 where nothing is said. */
struct transfer {
    const char *method; /* "GET", "PUT", "MOVE"; over SFTP the first two */
    const char *url;
    const char *const *headers;    /* "Name: value", the last NULL */
    const char *user, *password;   /* HTTP: Basic. SFTP: the user alone */
    const char *cacert;            /* PEM file: trusted instead of the system's authorities */
    const char *certificate, *key; /* HTTPS: of the client, PEM files. SFTP: the private key alone */
    const char *known_hosts;       /* SFTP: a file as OpenSSH has it; must be given */
    const char *const *after;      /* SFTP PUT: libcurl's quote commands once the file is up, the last NULL */
    int fd;                        /* PUT: a regular file, read from its start */
    uint64_t len;                  /* PUT: octets of it */
    bool (*sink)(struct span, void *); /* GET: what comes with status 200; false stops */
    void *arg;
    uint64_t body_max;          /* GET: octets at most */
    unsigned redirects;         /* followed at most */
    int64_t timeout_s;          /* to connect, and without a KiB a second */
    int64_t total_s;            /* of all of it */
    const atomic_bool *is_over; /* raised by another thread: give up */
};

/* Any HTTP status is OK; over SFTP 200, or 404 for a file that is not there. ERR_UNAVAILABLE: no answer;
 * ERR_POLICY: there was one, but this file was not had by it: cut short, too slow, a redirect that is not
 * followed; over SFTP a refusal of this file. ERR_FORBIDDEN: the peer is not who it must be, or took no
 * login; ERR_TOO_LARGE; ERR_MALFORMED: the sink wanted no more; ERR_IO: the file to send cannot be read;
 * ERR_KEY: a key or certificate that cannot be used; ERR_END: the flag was raised. The text never holds a
 * secret. */
enum err transfer(struct transfer_line *l, const struct transfer *t, unsigned *status, struct fault *f);

#endif
