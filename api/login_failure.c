/* SPDX-License-Identifier: Apache-2.0 */
/* login_failure: audit rows of who was not let in, by where from and why. */
#include "api/api.h"
#include "base/log.h"

static const char *const kinds[] = {
    [LOGIN_FAILURE_NONE] = "no login given",
    [LOGIN_FAILURE_TOKEN_BROKEN] = "no token or a mistyped one",
    [LOGIN_FAILURE_TOKEN_UNKNOWN] = "unknown token",
    [LOGIN_FAILURE_TOKEN_ENDED] = "expired or deleted token",
    [LOGIN_FAILURE_CERTIFICATE] = "certificate not accepted",
    [LOGIN_FAILURE_ROLE] = "known, without a role",
    [LOGIN_FAILURE_ADDRESS] = "role not permitted from this address",
};

/* Of several addresses the latest kind is said. */
static void tell(const struct tallied *t, void *arg)
{
    const struct api *a = arg;
    const char *from = t->who[0] != '\0' ? t->who : "other addresses";
    struct buf b;

    log_warn("login-failure", "from=%s count=%u %s", from, t->count, t->why);
    buf_init(&b, WIRE_MSG_MAX);
    buf_put_blob(&b, span_str(from));
    buf_put_blob(&b, span_str(t->why));
    buf_put_u32(&b, t->count);
    asker_tell(a->asker, ASK_LOGIN_FAILURE, buf_span(&b));
    buf_free(&b);
}

struct tally *login_failures_new(struct api *a)
{
    return tally_new(a->loop, tell, a);
}

void login_failure_note(struct tally *t, const struct http_peer *peer, enum login_failure kind)
{
    char from[ADDRESS_TEXT_MAX] = "unix";

    if (!peer->is_unix)
        address_range_text(&(struct address_range){address_network(&peer->ip), 128}, from);
    tally_note(t, from, kinds[kind], kinds[kind]);
}
