/* SPDX-License-Identifier: Apache-2.0 */
/* Is an administrator let in, and nobody else? */
#include "tests/unit/api/stage.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static struct stage stage;

static void setup(void)
{
    stage_make(&stage);
}

static void teardown(void)
{
    stage_free(&stage);
}

TestSuite(login, .init = setup, .fini = teardown);

Test(login, by_certificate)
{
    static const enum err want[ACTORS] = {
        [ACTOR_ADMINISTRATOR] = OK,
        [ACTOR_LEAF] = ERR_FORBIDDEN,
        [ACTOR_EXPIRED] = ERR_UNAUTHENTICATED,
        [ACTOR_EARLY] = ERR_UNAUTHENTICATED,
        [ACTOR_REVOKED] = ERR_UNAUTHENTICATED,
        [ACTOR_HELD] = ERR_UNAUTHENTICATED,
        [ACTOR_FOREIGN] = ERR_UNAUTHENTICATED,
        [ACTOR_IMPOSTOR] = ERR_UNAUTHENTICATED,
    };

    for (enum actor a = 0; a < ACTORS; a++) {
        struct http_peer peer = {.address = "192.0.2.9", .certificate = buf_span(&stage.certs[a])};
        struct fault f = {0};
        struct login l;

        cr_assert_eq(login_check(&stage.api, &peer, NULL, &l, &f), want[a], "actor %d: %s", a, f.detail);
        cr_assert_eq(l.who.role, want[a] == OK ? ACCESS_ADMINISTRATOR : ACCESS_NOBODY, "actor %d", a);
        cr_assert(want[a] == OK || f.detail[0] != '\0', "actor %d is told why", a);
        if (want[a] == OK)
            cr_assert_str_eq(l.who.name, "cert:01010101010101010101010101010101010101");
    }
}

Test(login, without_anything)
{
    struct http_peer peer = {.address = "127.0.0.1", .is_loopback = true};
    struct login l;

    cr_assert_eq(login_check(&stage.api, &peer, NULL, &l, NULL), ERR_UNAUTHENTICATED);
    cr_assert_eq(l.who.role, ACCESS_NOBODY);
    cr_assert_str_eq(l.who.name, "-");
}

static enum err with(const char *authorization, struct login *l)
{
    struct http_peer peer = {.address = "192.0.2.9",
                             .certificate = buf_span(&stage.certs[ACTOR_ADMINISTRATOR])};

    return login_check(&stage.api, &peer, authorization, l, NULL);
}

Test(login, by_token)
{
    char text[256];
    struct login l;

    snprintf(text, sizeof text, "Bearer %s", stage.secrets[STAGE_TOKEN]);
    cr_assert_eq(with(text, &l), OK);
    cr_assert_eq(l.who.role, ACCESS_OPERATOR, "and not the certificate's");
    cr_assert(scope_has_profile(&l.who.scope, "ucm/x") && !scope_has_profile(&l.who.scope, "cuc/x"));
    cr_assert_eq(strncmp(l.who.name, "token:", 6), 0);
    cr_assert_eq(strlen(l.who.name), 6 + 2 * TOKEN_ID_LEN);
    cr_assert_null(strstr(stage.secrets[STAGE_TOKEN], l.who.name + 6), "the id says nothing of the secret");
    snprintf(text, sizeof text, "bEARER   %s", stage.secrets[STAGE_TOKEN]);
    cr_assert_eq(with(text, &l), OK);
    snprintf(text, sizeof text, "Bearer %s", stage.secrets[STAGE_TOKEN_EXPIRED]);
    cr_assert_eq(with(text, &l), ERR_UNAUTHENTICATED);
    cr_assert_eq(l.failure, LOGIN_FAILURE_TOKEN_ENDED);
    snprintf(text, sizeof text, "Bearer %s", stage.secrets[STAGE_TOKEN_DELETED]);
    cr_assert_eq(with(text, &l), ERR_UNAUTHENTICATED);
    cr_assert_eq(l.failure, LOGIN_FAILURE_TOKEN_ENDED);
    cr_assert_eq(l.who.role, ACCESS_NOBODY);
}

Test(login, a_token_that_is_none)
{
    char good[SECRET_TEXT_MAX], text[256];
    struct login l;

    secret_new(good);
    snprintf(text, sizeof text, "Bearer %s", good);
    cr_assert_eq(with(text, &l), ERR_UNAUTHENTICATED, "a certificate does not help it");
    cr_assert_eq(l.failure, LOGIN_FAILURE_TOKEN_UNKNOWN);
    strcpy(good, stage.secrets[STAGE_TOKEN]);
    {
        const char *const rows[] = {"", "Bearer", "Bearer ", "Bearer abc", "Basic YTpi", "Token x"};

        for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
            cr_assert_eq(with(rows[i], &l), ERR_UNAUTHENTICATED, "%s", rows[i]);
            cr_assert_eq(l.failure, LOGIN_FAILURE_TOKEN_BROKEN, "%s", rows[i]);
        }
    }
    {
        static const char *const forms[] = {"%s",           "Bearer%s",     "Bearer %s ",  "Bearer %s0",
                                            "Bearer %s, x", "Bearer %.80s", "Bearer \t%s", "Bearer %s\t",
                                            "Bearer x%s",   "Bearer %s\n"};

        for (size_t i = 0; i < sizeof forms / sizeof *forms; i++) {
            snprintf(text, sizeof text, forms[i], good);
            cr_assert_eq(with(text, &l), ERR_UNAUTHENTICATED, "%s", text);
            cr_assert_eq(l.failure, LOGIN_FAILURE_TOKEN_BROKEN, "%s", text);
        }
    }
}

Test(login, every_mistyped_character_is_seen)
{
    char text[SECRET_TEXT_MAX];

    cr_assert(secret_is_whole(stage.secrets[STAGE_TOKEN]));
    for (size_t i = 0; i < SECRET_TEXT_MAX - 1; i++) {
        strcpy(text, stage.secrets[STAGE_TOKEN]);
        text[i] = text[i] == '0' ? '1' : '0';
        cr_assert(!secret_is_whole(text), "at %zu", i);
    }
}

Test(login, a_role_from_where_the_permit_list_wants_it)
{
    struct permit p = {.listener = PERMIT_HTTPS, .role = ACCESS_OPERATOR};
    struct http_peer inside = {.address = "192.0.2.9"}, outside = {.address = "198.51.100.1"};
    struct store *writer;
    struct txn *t;
    struct login l;
    char text[256];

    cr_assert(address_parse(inside.address, &inside.ip) && address_parse(outside.address, &outside.ip));
    cr_assert(address_range_parse("192.0.2.0/24", &p.range));
    snprintf(text, sizeof text, "Bearer %s", stage.secrets[STAGE_TOKEN]);
    cr_assert_eq(login_check(&stage.api, &outside, text, &l, NULL), OK);
    permits_free(stage.api.permits);
    store_close(stage.api.store);
    cr_assert_eq(store_open(stage.config.store_dir, STORE_WRITE, 0, &writer, NULL), OK);
    cr_assert_eq(txn_begin(writer, &t), OK);
    permit_add(t, &p);
    cr_assert_eq(txn_commit(t), OK);
    store_close(writer);
    cr_assert_eq(store_open(stage.config.store_dir, STORE_READ, 0, &stage.api.store, NULL), OK);
    stage.api.permits = permits_new(stage.idle, stage.api.store, PERMIT_HTTPS, NULL);
    cr_assert_eq(login_check(&stage.api, &outside, text, &l, NULL), ERR_FORBIDDEN);
    cr_assert_eq(l.failure, LOGIN_FAILURE_ADDRESS);
    cr_assert_eq(l.who.role, ACCESS_NOBODY);
    cr_assert_eq(login_check(&stage.api, &inside, text, &l, NULL), OK);
    cr_assert(permits_admit(stage.api.permits, &outside), "other roles may still come from there");
}

Test(login, a_certificate_that_is_none_is_nobody)
{
    static const char *const junk[] = {"", "\x30", "\x30\x80", "\x30\x03\x30\x01\xa0", "not DER at all"};
    struct login l;

    for (size_t i = 1; i < sizeof junk / sizeof *junk; i++) {
        struct http_peer peer = {.certificate = span_str(junk[i])};

        cr_assert_eq(login_check(&stage.api, &peer, NULL, &l, NULL), ERR_UNAUTHENTICATED);
    }
}

Test(login, by_uid)
{
    struct http_peer peer = {.is_unix = true, .is_loopback = true, .uid = 0};
    struct login l;

    cr_assert_eq(login_check(&stage.api, &peer, NULL, &l, NULL), OK);
    cr_assert_str_eq(l.who.name, "uid:0");
    peer.uid = geteuid();
    cr_assert_eq(login_check(&stage.api, &peer, NULL, &l, NULL), OK);
    peer.uid = geteuid() + 1000;
    cr_assert_eq(login_check(&stage.api, &peer, NULL, &l, NULL), ERR_FORBIDDEN);
    stage.config.ca.access.peers[0] = (struct access_peer){.is_group = true, .id = 7, .role = ACCESS_AUDITOR};
    stage.config.ca.access.peer_count = 1;
    peer.groups = (const gid_t[]){3, 7};
    peer.group_count = 2;
    cr_assert_eq(login_check(&stage.api, &peer, NULL, &l, NULL), OK);
    cr_assert_eq(l.who.role, ACCESS_AUDITOR);
    cr_assert_eq(strncmp(l.who.name, "gid:7,uid:", 10), 0);
    peer.group_count = 1;
    cr_assert_eq(login_check(&stage.api, &peer, NULL, &l, NULL), ERR_FORBIDDEN);
    cr_assert_eq(l.who.role, ACCESS_NOBODY);
}

/* In a user namespace the kernel calls all that it has no number for by the same ones: nobody is that. */
Test(login, a_number_of_many_is_nobodys)
{
    struct http_peer peer = {.is_unix = true, .is_loopback = true, .uid = 65534};
    struct strangers *s = &stage.role.strangers;
    struct login l = {0};

    stage.config.ca.access.peers[0] = (struct access_peer){.id = 65534, .role = ACCESS_OPERATOR};
    stage.config.ca.access.peers[1] =
        (struct access_peer){.is_group = true, .id = 65533, .role = ACCESS_OPERATOR};
    stage.config.ca.access.peers[2] = (struct access_peer){.is_group = true, .id = 7, .role = ACCESS_AUDITOR};
    stage.config.ca.access.peer_count = 3;
    cr_assert_eq(login_check(&stage.api, &peer, NULL, &l, NULL), OK, "he is one: there are no others");
    *s = (struct strangers){true, 65534, 65533};
    cr_assert_eq(login_check(&stage.api, &peer, NULL, &l, NULL), ERR_FORBIDDEN);
    peer.groups = (const gid_t[]){65533, 65533, 7};
    peer.group_count = 2;
    cr_assert_eq(login_check(&stage.api, &peer, NULL, &l, NULL), ERR_FORBIDDEN);
    peer.group_count = 3;
    cr_assert_eq(login_check(&stage.api, &peer, NULL, &l, NULL), OK, "a group that has a number");
    cr_assert_eq(l.who.role, ACCESS_AUDITOR);
    cr_assert_str_eq(l.who.name, "gid:7,uid:65534");
    peer.group_count = 1;
    peer.uid = 0;
    cr_assert_eq(login_check(&stage.api, &peer, NULL, &l, NULL), OK);
    peer.uid = geteuid();
    s->uid = geteuid();
    cr_assert_eq(login_check(&stage.api, &peer, NULL, &l, NULL), ERR_FORBIDDEN,
                 "not even who has the number of the service");
}
