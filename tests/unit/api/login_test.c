/* SPDX-License-Identifier: Apache-2.0 */
/* Is an administrator let in, and nobody else? */
#include "tests/unit/api/stage.h"

#include <criterion/criterion.h>
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
        cr_assert_eq(l.is_administrator, want[a] == OK, "actor %d", a);
        cr_assert(want[a] == OK || f.detail[0] != '\0', "actor %d is told why", a);
        if (want[a] == OK)
            cr_assert_str_eq(l.principal, "cert:01010101010101010101010101010101010101");
    }
}

Test(login, without_anything)
{
    struct http_peer peer = {.address = "127.0.0.1", .is_loopback = true};
    struct login l;

    cr_assert_eq(login_check(&stage.api, &peer, NULL, &l, NULL), ERR_UNAUTHENTICATED);
    cr_assert(!l.is_administrator);
    cr_assert_str_eq(l.principal, "-");
}

Test(login, no_token_is_known_yet)
{
    struct http_peer peer = {.certificate = buf_span(&stage.certs[ACTOR_ADMINISTRATOR])};
    struct login l;

    cr_assert_eq(login_check(&stage.api, &peer, "Bearer abc", &l, NULL), ERR_UNAUTHENTICATED);
    cr_assert(!l.is_administrator);
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
    cr_assert_str_eq(l.principal, "uid:0");
    peer.uid = geteuid();
    cr_assert_eq(login_check(&stage.api, &peer, NULL, &l, NULL), OK);
    peer.uid = geteuid() + 1000;
    cr_assert_eq(login_check(&stage.api, &peer, NULL, &l, NULL), ERR_FORBIDDEN);
    cr_assert(!l.is_administrator);
}
