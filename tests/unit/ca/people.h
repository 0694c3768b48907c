/* SPDX-License-Identifier: Apache-2.0 */
/* people: a stage on which PROFILE needs an approval, those who ask and decide there, and what they do. */
#ifndef TESTS_UNIT_CA_PEOPLE_H
#define TESTS_UNIT_CA_PEOPLE_H

#include "tests/unit/ca/asked.h"

#define PROFILE "general/server"
#define ASKER "login:asker"
#define TWIN "login:twin" /* the asker's other certificate */
#define OTHER "login:other"
#define COLLEAGUE "login:colleague" /* a requester */
#define INSIDE "login:inside"       /* operators, whom a scope limits */
#define OUTSIDE "login:outside"
#define ELSEWHERE "login:elsewhere" /* of another issuer */
#define WEEK_S (7 * 86400)

void people_open(void); /* closed by stage_close() */

struct outcome issue(const char *asker, const char *csr, uint8_t key, uint8_t body);
struct outcome approve(const char *who, const uint8_t *id);
struct outcome deny(const char *who, const uint8_t *id, const char *reason);
/* The same without waiting for the answer; `kind` ASK_APPROVE, with no reason, or ASK_DENY. */
void send_issue(const char *asker, const char *csr, uint8_t key, uint8_t body);
void send_decision(enum ask_kind kind, const char *who, const uint8_t *id, const char *reason);
bool same_id(const struct outcome *a, const struct outcome *b);

/* The request in the store. Spans in it are gone. */
struct request stored(const uint8_t *id);
/* Rows of the audit, which verifies, by enum audit_kind. */
void audit_kinds(unsigned kinds[static 32]);

#endif
