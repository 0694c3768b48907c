/* SPDX-License-Identifier: Apache-2.0 */
/* people: see people.h. */
#include "tests/unit/ca/people.h"

#include <criterion/criterion.h>
#include <string.h>

static void need_approval(void)
{
    for (size_t i = 0; i < stage.role->catalogue.count; i++)
        if (strcmp(stage.role->catalogue.profiles[i].id, PROFILE) == 0)
            stage.role->catalogue.profiles[i].needs_approval = true;
    cr_assert(profile_find(&stage.role->catalogue, PROFILE)->needs_approval);
}

static void let_in(const char *name, const char *subject_text, enum access_role login_role)
{
    struct access_config *c = &stage.role->config.access;
    struct access_principal *p = &c->principals[c->principal_count++];

    strcpy(p->name, strchr(name, ':') + 1);
    strcpy(p->authority, "corp");
    strcpy(p->subject, subject_text);
    p->role = login_role;
}

/* Of the last that was let in. */
static struct scope *scope(void)
{
    struct access_config *c = &stage.role->config.access;

    return &c->principals[c->principal_count - 1].scope;
}

static void let_all_in(void)
{
    let_in(ASKER, "CN=jana", ACCESS_ADMINISTRATOR);
    let_in(TWIN, "CN=jana", ACCESS_ADMINISTRATOR);
    let_in(OTHER, "CN=petr", ACCESS_ADMINISTRATOR);
    let_in(COLLEAGUE, "CN=eva", ACCESS_REQUESTER);
    let_in(INSIDE, "CN=inside", ACCESS_OPERATOR);
    cr_assert(scope_add(&scope()->names, "example.com"));
    let_in(OUTSIDE, "CN=outside", ACCESS_OPERATOR);
    cr_assert(scope_add(&scope()->names, "other.example"));
    let_in(ELSEWHERE, "CN=elsewhere", ACCESS_OPERATOR);
    cr_assert(scope_add(&scope()->issuers, "rsa-g1"));
}

void people_open(void)
{
    stage_open();
    need_approval();
    let_all_in();
}

void send_decision(enum ask_kind kind, const char *who, const uint8_t *id, const char *reason)
{
    struct buf b;

    asked_begin(&b, kind, 2, who);
    buf_put(&b, id, REQUEST_ID_LEN);
    if (kind == ASK_DENY)
        buf_put_blob(&b, span_str(reason));
    asked_send(&b);
}

void send_issue(const char *asker, const char *csr, uint8_t key, uint8_t body)
{
    send_question(1, &(struct question){.principal = asker, .csr = csr, .key = key, .body = body});
}

struct outcome issue(const char *asker, const char *csr, uint8_t key, uint8_t body)
{
    send_issue(asker, csr, key, body);
    return receive_outcome();
}

struct outcome approve(const char *who, const uint8_t *id)
{
    send_decision(ASK_APPROVE, who, id, NULL);
    return receive_outcome();
}

struct outcome deny(const char *who, const uint8_t *id, const char *reason)
{
    send_decision(ASK_DENY, who, id, reason);
    return receive_outcome();
}

struct request stored(const uint8_t *id)
{
    struct view *v = stage_look();
    struct request r;

    cr_assert_eq(request_find(v, id, &r), OK);
    view_close(v);
    return r;
}

static bool count_kind(const struct audit_row *r, void *arg)
{
    ((unsigned *)arg)[r->kind]++;
    return true;
}

void audit_kinds(unsigned kinds[static 32])
{
    struct view *v = stage_look();

    memset(kinds, 0, 32 * sizeof *kinds);
    cr_assert_eq(audit_each(v, 0, count_kind, kinds), OK);
    cr_assert_eq(audit_verify(v, NULL), OK);
    view_close(v);
}

bool same_id(const struct outcome *a, const struct outcome *b)
{
    return memcmp(a->id, b->id, REQUEST_ID_LEN) == 0;
}
