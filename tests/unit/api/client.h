/* SPDX-License-Identifier: Apache-2.0 */
/*
 * client: what the client of a served stage says, by libcurl, and expects to hear. It runs in the child,
 * where no assertion macro works: CHECK complains there, and with_client() sees it.
 */
#ifndef TESTS_UNIT_API_CLIENT_H
#define TESTS_UNIT_API_CLIENT_H

#include <stdio.h>
#include <unistd.h>

#include "base/fetch.h"
#include "tests/unit/api/served.h"

#define CHECK(ok, ...)                                                                                       \
    do {                                                                                                     \
        if (!(ok)) {                                                                                         \
            fprintf(stderr, "%s:%d: ", __FILE__, __LINE__);                                                  \
            fprintf(stderr, __VA_ARGS__);                                                                    \
            fputc('\n', stderr);                                                                             \
            _exit(1);                                                                                        \
        }                                                                                                    \
    } while (0)

/* Who asks: an actor of the stage, by his certificate, nobody, or somebody on the machine. */
enum { NOBODY = ACTORS, LOCAL };

/* Each exchange is one on a connection of its own. The caller frees what it gives. */
struct fetch_answer ask_full(int who, const struct fetch_request *r);
struct fetch_answer ask(int who, const char *method, const char *path, struct span body);
/* The administrator asks for a certificate; `query` follows the path, `key` NULL: without Idempotency-Key. */
struct fetch_answer issue(const char *query, struct span body, const char *accept, const char *key);
/* By somebody on the machine, and it succeeds with JSON. */
struct js *succeeded(const char *method, const char *path, struct span body);
/* Of which the problem is expected. */
void refused(int who, const char *method, const char *path, const char *body, unsigned status,
             const char *name);
void expect_problem(const struct fetch_answer *a, unsigned status, const char *name);
struct js *json_of(const struct fetch_answer *a);

/* A request for a-EC.example.com on the stage's key; the buf is initialised here. */
void make_request(struct buf *der, bool spoilt);

/* Each until the next call. */
const char *serial_text(enum actor a);
const char *path_of(enum actor a, const char *ending);
const char *request_path(int which, const char *ending);

#endif
