/* SPDX-License-Identifier: Apache-2.0 */
/* Does what the api read arrive as it was, and is broken framing noticed wherever it breaks? */
#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "base/limits.h"
#include "ca/ca.h"

static struct san sans_in[SAN_COUNT_MAX + 1], sans_out[SAN_COUNT_MAX];
static char names[SAN_COUNT_MAX + 1][48];

static struct facts full(size_t san_count)
{
    static const enum san_kind kinds[] = {SAN_DNS, SAN_IP, SAN_EMAIL, SAN_URI, SAN_OTHER};

    for (size_t i = 0; i < san_count; i++) {
        snprintf(names[i], sizeof names[i], "node-%zu.example.com", i);
        sans_in[i] = (struct san){.kind = kinds[i % 5], .value = span_str(names[i])};
    }
    return (struct facts){
        .csr = span_str("csr"),
        .subject = span_str("subject"),
        .spki = span_str("spki"),
        .cn = span_str("cn"),
        .subject_text = span_str("CN=cn"),
        .signature_hash = HASH_SHA512,
        .has_san = true,
        .has_ku = true,
        .has_eku = true,
        .asks_ca = true,
        .sends_challenge = true,
        .ku = 0xb800,
        .eku = {EKU_CLIENT_AUTH, EKU_SERVER_AUTH, EKU_OTHER},
        .eku_count = 3,
        .eku_other = span_str("1.2.3"),
        .sans = sans_in,
        .san_count = san_count,
        .other_extensions = span_str("1.2.840.113549"),
    };
}

static void assert_same(const struct facts *a, const struct facts *b)
{
    cr_assert(span_eq(a->csr, b->csr) && span_eq(a->subject, b->subject) && span_eq(a->spki, b->spki));
    cr_assert(span_eq(a->cn, b->cn) && span_eq(a->subject_text, b->subject_text));
    cr_assert(span_eq(a->eku_other, b->eku_other) && span_eq(a->other_extensions, b->other_extensions));
    cr_assert_eq(a->signature_hash, b->signature_hash);
    cr_assert_eq(a->has_san, b->has_san);
    cr_assert_eq(a->has_ku, b->has_ku);
    cr_assert_eq(a->has_eku, b->has_eku);
    cr_assert_eq(a->asks_ca, b->asks_ca);
    cr_assert_eq(a->sends_challenge, b->sends_challenge);
    cr_assert_eq(a->ku, b->ku);
    cr_assert_eq(a->eku_count, b->eku_count);
    cr_assert_arr_eq(a->eku, b->eku, a->eku_count * sizeof *a->eku);
    cr_assert_eq(a->san_count, b->san_count);
    for (size_t i = 0; i < a->san_count; i++)
        cr_assert(a->sans[i].kind == b->sans[i].kind && span_eq(a->sans[i].value, b->sans[i].value), "%zu",
                  i);
}

Test(facts, a_thousand_names_arrive_and_every_truncation_is_noticed)
{
    struct facts in = full(SAN_COUNT_MAX), out;
    struct buf b;
    struct rd r;

    buf_init(&b, WIRE_MSG_MAX);
    facts_write(&b, &in);
    cr_assert_eq(buf_end(&b), OK);
    r = rd_of(buf_span(&b));
    cr_assert(facts_read(&r, &out, sans_out));
    cr_assert(rd_done(&r));
    assert_same(&in, &out);
    for (size_t len = 0; len < b.len; len++) {
        uint8_t *exact = malloc(len + (len == 0)); /* of its own, so that a sanitizer sees a step beyond */

        memcpy(exact, b.data, len);
        r = rd_of(span_of(exact, len));
        cr_assert(!facts_read(&r, &out, sans_out), "cut at %zu", len);
        free(exact);
    }
    buf_free(&b);
}

Test(facts, each_flag_travels_alone)
{
    struct facts none = {0}, out;

    for (unsigned i = 0; i < 6; i++) {
        struct facts in = none;
        struct buf b;
        struct rd r;

        in.has_san = i == 0;
        in.has_ku = i == 1;
        in.has_eku = i == 2;
        in.asks_ca = i == 3;
        in.sends_challenge = i == 4;
        buf_init(&b, 4096);
        facts_write(&b, &in);
        r = rd_of(buf_span(&b));
        cr_assert(facts_read(&r, &out, sans_out) && rd_done(&r));
        assert_same(&in, &out);
        buf_free(&b);
    }
}

Test(facts, what_the_writer_never_writes_is_refused)
{
    /* offsets in the frame of empty facts: five blobs of 4, hash, flags, ku (2), eku count, two blobs, san
     * count (2) */
    enum { HASH_AT = 20, FLAGS_AT = 21, EKU_COUNT_AT = 24, SAN_COUNT_AT = 33 };
    static const struct {
        size_t at;
        uint8_t octet;
        const char *why;
    } breaks[] = {
        {0, 1, "a blob longer than the frame"}, {HASH_AT, HASH_SHA512 + 1, "no such hash"},
        {FLAGS_AT, 0x20, "no such flag"},       {EKU_COUNT_AT, EKU_LIST_MAX + 1, "too many usages"},
        {SAN_COUNT_AT, 0x04, "too many names"}, {SAN_COUNT_AT + 1, 1, "a name that is not there"},
    };
    struct facts none = {0}, out;
    struct buf b;

    for (size_t i = 0; i < sizeof breaks / sizeof *breaks; i++) {
        struct rd r;

        buf_init(&b, 4096);
        facts_write(&b, &none);
        cr_assert_eq(b.len, SAN_COUNT_AT + 2);
        b.data[breaks[i].at] = breaks[i].octet;
        r = rd_of(buf_span(&b));
        cr_assert(!facts_read(&r, &out, sans_out), "%s", breaks[i].why);
        buf_free(&b);
    }
}

Test(facts, unknown_usages_and_kinds_of_names_are_refused)
{
    struct facts in = full(1), out;
    struct buf b;
    struct rd r;

    in.eku[1] = EKU_COUNT;
    buf_init(&b, 4096);
    facts_write(&b, &in);
    r = rd_of(buf_span(&b));
    cr_assert(!facts_read(&r, &out, sans_out));
    buf_reset(&b);
    in = full(1);
    sans_in[0].kind = (enum san_kind)3;
    facts_write(&b, &in);
    r = rd_of(buf_span(&b));
    cr_assert(!facts_read(&r, &out, sans_out));
    buf_free(&b);
}
