/* SPDX-License-Identifier: Apache-2.0 */
/* revocation: PUT revokes or holds, DELETE ends a hold. The ca decides what the state allows; its answer is
 * on disk. */
#include <string.h>

#include "api/api.h"
#include "base/clock.h"
#include "base/log.h"

struct revocation {
    enum reason reason;
    int64_t invalidity_s;
};

static const char *read_reason(const struct js *v, struct revocation *out)
{
    const char *text = js_str(v);

    return text != NULL && reason_parse(text, &out->reason)
               ? NULL
               : "\"reason\" is not one of the reasons there are.";
}

static const char *read_invalidity(const struct js *v, struct revocation *out)
{
    const char *text = js_str(v);

    if (js_is_null(v) || (text != NULL && clock_parse_rfc3339(text, &out->invalidity_s)))
        return NULL;
    return "\"invalidity_date\" is a time like 2026-01-31T12:00:00Z, or null.";
}

static const struct {
    const char *name;
    const char *(*read)(const struct js *v, struct revocation *out);
} members[] = {{"reason", read_reason}, {"invalidity_date", read_invalidity}};

static const char *read_member(const struct js *o, size_t at, struct revocation *out)
{
    for (size_t i = 0; i < sizeof members / sizeof *members; i++)
        if (strcmp(members[i].name, js_name_at(o, at)) == 0)
            return members[i].read(js_value_at(o, at), out);
    return "The body has \"reason\" and perhaps \"invalidity_date\", nothing else.";
}

/* What is wrong with the body, or NULL. */
static const char *read_body(const struct js *o, void *out)
{
    const char *wrong = NULL;

    if (!js_is_object(o) || js_get(o, "reason") == NULL)
        return "The body is an object with a \"reason\".";
    for (size_t i = 0; i < js_len(o) && wrong == NULL; i++)
        wrong = read_member(o, i, out);
    return wrong;
}

static void on_answer(struct answer *a, void *arg)
{
    struct call *c = arg;
    uint8_t serial[SERIAL_LEN];
    struct cert cert;
    struct view *v;

    if (a->err != OK)
        return call_refused(c, a, NULL);
    if (!serial_read(c->arg, serial))
        die("a serial was read once and not twice");
    v = call_view(c);
    if (v == NULL)
        return;
    if (cert_find(v, serial, &cert) == OK)
        call_json(c, 200, certificate_json(v, &cert, c->api->now_s()), NULL);
    else
        call_problem(c, ERR_INTERNAL, NULL, "the store does not show %s", c->arg);
    view_close(v);
}

static void ask(struct call *c, enum ask_kind kind, const uint8_t serial[static SERIAL_LEN],
                const struct revocation *r)
{
    struct buf message;

    call_question(c, &message);
    buf_put(&message, serial, SERIAL_LEN);
    if (kind == ASK_REVOKE) {
        buf_put_u8(&message, (uint8_t)r->reason);
        buf_put_i64(&message, r->invalidity_s);
    }
    (void)call_ask(c, kind, &message, on_answer, c);
}

/* False, and answered, when the path holds no serial of ours or the query anything. */
static bool read_target(struct call *c, uint8_t serial[static SERIAL_LEN])
{
    if (!call_query(c, NULL))
        return false;
    if (serial_read(c->arg, serial) && c->arg[SERIAL_HEX_LEN] == '\0')
        return true;
    call_problem(c, ERR_NOT_FOUND, NULL, "There is no such certificate.");
    return false;
}

void revocation_put(struct call *c)
{
    struct revocation r = {.invalidity_s = NO_TIME};
    uint8_t serial[SERIAL_LEN];

    if (read_target(c, serial) && call_body(c, read_body, &r))
        ask(c, ASK_REVOKE, serial, &r);
}

void revocation_delete(struct call *c)
{
    uint8_t serial[SERIAL_LEN];

    if (read_target(c, serial))
        ask(c, ASK_UNHOLD, serial, NULL);
}
