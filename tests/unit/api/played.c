/* SPDX-License-Identifier: Apache-2.0 */
/* played: see played.h. */
#include "tests/unit/api/played.h"

#include <criterion/criterion.h>
#include <string.h>

#include "base/wire.h"

static struct stage *played; /* whose question it is */

static void put_refusal(struct buf *b)
{
    struct findings fs = {0};

    finding_add(&fs, "days.too-long", "days", "13 days", "at most 12");
    findings_write(b, &fs);
    findings_free(&fs);
}

/* As the ca does it: the profile's findings, the grant, and what would be signed. */
static enum err play_dry_run(struct rd *r, const char *profile, struct buf *b)
{
    static struct san sans[SAN_COUNT_MAX];
    uint8_t skipped[2 * HASH_LEN];
    struct findings fs = {0};
    struct buf tbs;
    struct facts f;
    struct grant g;

    rd_copy(r, skipped, sizeof skipped);
    cr_assert(facts_read(r, &f, sans));
    profile_check(profile_find(&played->config.catalogue, profile), &f, 0, &g, &fs);
    buf_init(&tbs, WIRE_MSG_MAX);
    if (!findings_refuse(&fs))
        tbs_write(&tbs, &(struct tbs){.serial = {1},
                                      .alg = SIG_ECDSA_SHA256,
                                      .issuer = f.subject,
                                      .subject = f.subject,
                                      .spki = f.spki,
                                      .not_before_s = STAGE_NOW_S,
                                      .not_after_s = STAGE_NOW_S + DAY_S,
                                      .ku = g.ku,
                                      .eku = g.eku,
                                      .eku_count = g.eku_count,
                                      .sans = f.sans,
                                      .san_count = f.san_count,
                                      .aki = span_str("01234567890123456789"),
                                      .crl_url = "http://ca.example.com/crl/ec-g1.crl"});
    findings_write(b, &fs);
    grant_write(b, &g);
    buf_put_blob(b, buf_span(&tbs));
    findings_free(&fs);
    buf_free(&tbs);
    return OK;
}

static enum err play_issue(struct rd *r, struct buf *b)
{
    static const struct findings none;
    char profile[PROFILE_ID_MAX];
    uint32_t days;

    (void)rd_blob(r);
    cr_assert(span_to_str(rd_blob(r), profile, sizeof profile));
    days = rd_u32(r);
    if ((rd_u8(r) & ASK_DRY_RUN) != 0)
        return play_dry_run(r, profile, b);
    if (days == DAYS_REFUSED) {
        put_refusal(b);
        return ERR_POLICY;
    }
    findings_write(b, &none);
    if (days == DAYS_WAITING) {
        buf_put_span(b, stage_request(STAGE_PENDING));
        return ERR_PENDING;
    }
    buf_put(b, played->serials[ACTOR_LEAF], SERIAL_LEN);
    buf_put_u16(b, 2);
    buf_put_u8(b, 0);
    buf_put_blob(b, buf_span(&played->certs[ACTOR_LEAF]));
    return OK;
}

static enum err play_revocation(enum ask_kind kind, struct rd *r, struct buf *b)
{
    uint8_t serial[SERIAL_LEN];

    (void)rd_blob(r);
    rd_copy(r, serial, sizeof serial);
    if (memcmp(serial, played->serials[ACTOR_FOREIGN], SERIAL_LEN) == 0)
        return ERR_NOT_FOUND;
    if (memcmp(serial, played->serials[ACTOR_REVOKED], SERIAL_LEN) == 0)
        return ERR_CONFLICT;
    if (kind == ASK_REVOKE)
        buf_put_u8(b, 1);
    return OK;
}

/* The pending one is approved, the denied one may not be, by whom asked; the others are decided. */
static enum err play_decision(enum ask_kind kind, struct rd *r, struct buf *b)
{
    static const struct findings none;
    struct span principal = rd_blob(r), id = rd_take(r, REQUEST_ID_LEN);

    cr_assert_gt(principal.len, 0);
    if (kind == ASK_APPROVE)
        findings_write(b, &none);
    else
        cr_assert(span_eq(rd_blob(r), span_str("n\xc3\xb6t ours")));
    cr_assert(rd_done(r));
    if (span_eq(id, stage_request(STAGE_DENIED)))
        return ERR_FORBIDDEN;
    if (span_eq(id, stage_request(STAGE_REQUESTS)))
        return ERR_NOT_FOUND;
    return span_eq(id, stage_request(STAGE_PENDING)) ? OK : ERR_CONFLICT;
}

static enum err play(enum ask_kind kind, struct rd *r, struct buf *b)
{
    switch (kind) {
    case ASK_ISSUE:
        return play_issue(r, b);
    case ASK_REVOKE:
    case ASK_UNHOLD:
        return play_revocation(kind, r, b);
    case ASK_APPROVE:
    case ASK_DENY:
        return play_decision(kind, r, b);
    case ASK_PUBLISH:
        buf_put_u64(b, 1);
        return OK;
    default:
        return OK;
    }
}

void played_answer(void *arg)
{
    static uint8_t buffer[WIRE_MSG_MAX];
    struct buf rest, message;
    struct span m;
    struct rd r;

    played = arg;
    if (wire_try_receive(played->wire[1], buffer, sizeof buffer, &m) != OK)
        return;
    buf_init(&rest, WIRE_MSG_MAX);
    buf_init(&message, WIRE_MSG_MAX);
    r = rd_of(m);
    buf_put_u8(&message, rd_u8(&r));
    buf_put_u64(&message, rd_u64(&r));
    buf_put_u8(&message, (uint8_t)play((enum ask_kind)m.data[0], &r, &rest));
    buf_put_blob(&message, span_str("said by the ca"));
    buf_put_span(&message, buf_span(&rest));
    cr_assert_eq(wire_send(played->wire[1], buf_span(&message)), OK);
    buf_free(&rest);
    buf_free(&message);
}
