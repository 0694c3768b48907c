/* SPDX-License-Identifier: Apache-2.0 */
/* site: the process "ocsp", in a child, over a small home, a signer in another, and what a client says and
 * hears. */
#ifndef TESTS_UNIT_API_SITE_H
#define TESTS_UNIT_API_SITE_H

#include "api/public.h"
#include "tests/unit/ocsp/pki.h"

struct site {
    struct pki_cert ca, responder, leaf;
    struct config *config;
    struct board *board; /* the server's */
    char url[128];       /* for OCSP */
    char log_path[64];
};
extern struct site site;

void site_open(void);
void site_close(void); /* the server must end in order */

/* A published file, by its name in public/. */
void site_put(const char *name, const char *content);

/* One exchange on a connection of its own. `fields` are whole lines. Gives the answer as text, zero at its
 * end; the caller frees it. */
struct buf send_request(const char *method, const char *path, const char *fields, struct span body);
bool has(const struct buf *answer, const char *text);
/* The same without a body: the answer has this status, this text in it and this body; NULL: any. */
void answers(const char *method, const char *path, const char *fields, const char *status, const char *header,
             const char *body);
/* "If-None-Match: " and the tag of an answer. */
void none_match(const struct buf *a, char *out, size_t cap);

#endif
