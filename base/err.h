/* SPDX-License-Identifier: Apache-2.0 */
/*
 * err: the one vocabulary of failure. Every code has a stable name, the HTTP
 * status it becomes at the door and a text that is safe to show a stranger.
 *
 * The detector of a fault reports it once, in a struct fault; callers pass it
 * on. Own bugs assert; hostile input never does. Thread rule: pure.
 */
#ifndef BASE_ERR_H
#define BASE_ERR_H

#include <stddef.h>

enum [[nodiscard]] err{OK = 0,
                       ERR_MALFORMED,       /* bytes that are not what they claim to be            400 */
                       ERR_UNAUTHENTICATED, /* no login, or one that proves nothing                401 */
                       ERR_FORBIDDEN,       /* a login that may not do this                        403 */
                       ERR_NOT_FOUND,       /* no such certificate, issuer, profile, path          404 */
                       ERR_METHOD,          /* the path exists, not with this method               405 */
                       ERR_NOT_ACCEPTABLE,  /* no representation that the Accept header admits     406 */
                       ERR_TIMEOUT,         /* the client was too slow                             408 */
                       ERR_CONFLICT,        /* the state does not allow it                         409 */
                       ERR_TOO_LARGE,       /* a body beyond its limit                             413 */
                       ERR_MEDIA_TYPE,      /* a body of a type the route does not take            415 */
                       ERR_POLICY,          /* understood and refused, findings say why            422 */
                       ERR_HEADERS,         /* a header block beyond its limit                     431 */
                       ERR_RATE,            /* too often: later                                    429 */
                       ERR_INTERNAL,        /* ours, the log has the rest                          500 */
                       ERR_UNAVAILABLE,     /* a part of the service does not answer now           503 */
                       ERR_USAGE,           /* a command line that makes no sense                  local */
                       ERR_CONFIG,          /* chancery.xml or profiles.xml is wrong               local */
                       ERR_EXISTS,          /* refuses to overwrite                                local */
                       ERR_IO,              /* the operating system refused                        local */
                       ERR_KEY,             /* a private key is missing, unreadable or the wrong one local */
                       ERR_END,             /* no more rows, end of stream: not a failure */
                       ERR_PENDING, /* it waits for an approval: not a failure                   202 */
                       ERR_COUNT};

/* The code's stable name, e.g. "not-found": used in problem `type` and logs. */
const char *err_name(enum err code);

/* A sentence without internals, e.g. "There is no such thing here." */
const char *err_text(enum err code);

/* The HTTP status, 500 for the local ones. */
unsigned err_status(enum err code);

/* The code for an HTTP status: OK for any 2xx, 202 too; ERR_INTERNAL for statuses that have none. */
enum err err_from_status(unsigned status);

#define FAULT_DETAIL_MAX 512 /* one line on a terminal, with a path in it */

/* What went wrong, filled once by whoever saw it. `detail` names the rule, the
 * file or the limit, and holds no secret. Zero-initialise. */
struct fault {
    enum err code;
    char detail[FAULT_DETAIL_MAX];
};

/* Records code and text when `f` is not NULL and holds nothing yet; gives `code` back
 * so that a guard clause is one line. */
enum err fault_set(struct fault *f, enum err code, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

#endif
