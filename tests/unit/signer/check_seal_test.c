/* SPDX-License-Identifier: Apache-2.0 */
/* Does the audit's key sign seals that go on, and nothing that could be anything else? */
#include <criterion/criterion.h>
#include <string.h>

#include "base/clock.h"
#include "forge.h"
#include "signer/inner.h"

static struct forge f;
static struct signer_key *key;
static struct fault fault;

static void setup(void)
{
    forge_open(&f, "ec-256", -1);
    key = forge_key(&f, (struct signer_spec){.id = SEAL_KEY_ID, .uri = f.uri, .is_audit = true});
}

static void teardown(void)
{
    signer_key_free(key);
    forge_close(&f);
}

TestSuite(check_seal, .init = setup, .fini = teardown);

static enum err judge_at(const struct signer_key *k, enum port_kind kind, struct span tbs, int64_t now_s)
{
    uint8_t signature[SIGNATURE_MAX];
    size_t len = 0;
    enum err e;

    fault = (struct fault){0};
    e = signer_sign(k, kind, tbs, now_s, signature, &len, &fault);
    cr_assert_eq(e == OK, len > 0);
    return e;
}

static enum err judge(uint64_t seq, int64_t at_s)
{
    uint8_t tbs[SEAL_TBS_LEN];

    seal_tbs_write(&(struct sealed){.seq = seq, .at_s = at_s, .hash = {7}}, tbs);
    return judge_at(key, PORT_SEAL, span_of(tbs, sizeof tbs), FORGE_NOW);
}

Test(check_seal, a_seal_of_now_is_signed_and_verifies)
{
    uint8_t tbs[SEAL_TBS_LEN];

    seal_tbs_write(&(struct sealed){.seq = 1, .at_s = FORGE_NOW, .hash = {7}}, tbs);
    cr_assert_eq(forge_judge(&f, key, PORT_SEAL, span_of(tbs, sizeof tbs), &fault), OK, "%s", fault.detail);
}

Test(check_seal, its_number_goes_up_alone)
{
    cr_assert_eq(judge(5, FORGE_NOW), OK);
    cr_assert_eq(judge(5, FORGE_NOW), ERR_POLICY);
    cr_assert_str_eq(fault.detail, "seal.seq: not above the latest");
    cr_assert_eq(judge(4, FORGE_NOW), ERR_POLICY);
    cr_assert_eq(judge(6, FORGE_NOW), OK);
    cr_assert_eq(judge(UINT64_MAX, FORGE_NOW), OK);
    cr_assert_eq(judge(0, FORGE_NOW), ERR_POLICY);
}

Test(check_seal, its_time_is_within_a_day)
{
    cr_assert_eq(judge(1, FORGE_NOW - FORGE_DAY), OK);
    cr_assert_eq(judge(2, FORGE_NOW + FORGE_DAY), OK);
    cr_assert_eq(judge(3, FORGE_NOW - FORGE_DAY - 1), ERR_POLICY);
    cr_assert_str_eq(fault.detail, "seal.time: more than a day from now");
    cr_assert_eq(judge(3, FORGE_NOW + FORGE_DAY + 1), ERR_POLICY);
    cr_assert_eq(judge(3, INT64_MIN), ERR_POLICY);
    cr_assert_eq(judge(3, INT64_MAX), ERR_POLICY);
    cr_assert_eq(judge(3, FORGE_NOW), OK, "a refused one takes no number");
}

/* A seal with any octet bent, cut or grown is signed only when it is still a seal of now and ahead. */
Test(check_seal, a_thousand_bent_ones_are_seals_or_refused)
{
    uint8_t good[SEAL_TBS_LEN], bent[SEAL_TBS_LEN + 8] = {0};
    uint64_t latest = 0;
    unsigned is_signed = 0;

    seal_tbs_write(&(struct sealed){.seq = 1000, .at_s = FORGE_NOW, .hash = {7}}, good);
    for (unsigned i = 0; i < 1000; i++) {
        size_t at = i % SEAL_TBS_LEN,
               len = SEAL_TBS_LEN + (i % 17 == 0 ? i % 8 : 0) - (i % 19 == 0 ? i % 8 : 0);
        struct sealed s = {0};
        bool is_seal;

        memcpy(bent, good, sizeof good);
        bent[at] ^= (uint8_t)(1u << i / SEAL_TBS_LEN % 8);
        is_seal = len == SEAL_TBS_LEN && seal_tbs_read(span_of(bent, len), &s) && s.seq > latest &&
                  s.at_s >= FORGE_NOW - FORGE_DAY && s.at_s <= FORGE_NOW + FORGE_DAY;
        cr_assert_eq(judge_at(key, PORT_SEAL, span_of(bent, len), FORGE_NOW) == OK, is_seal, "%u", i);
        is_signed += is_seal;
        latest = is_seal ? s.seq : latest;
    }
    cr_assert_gt(is_signed, 0);
    cr_assert_lt(is_signed, 100);
}

Test(check_seal, it_signs_nothing_else_and_no_other_key_signs_a_seal)
{
    struct span leaf = forge_tbs(&f, forge_leaf(&f)), crl = forge_crl_tbs(&f, forge_crl(&f, 1)),
                data = forge_response_data(&f, forge_basic(&f));
    struct signer_key *ocsp = forge_key(&f, (struct signer_spec){.id = "ca", .uri = f.uri, .is_ocsp = true});
    uint8_t tbs[SEAL_TBS_LEN];

    cr_assert_eq(judge_at(key, PORT_CERTIFICATE, leaf, FORGE_NOW), ERR_POLICY);
    cr_assert_eq(judge_at(key, PORT_CRL_BEGIN, crl, FORGE_NOW), ERR_POLICY);
    cr_assert_eq(judge_at(key, PORT_OCSP, data, FORGE_NOW), ERR_POLICY);
    cr_assert_eq(judge_at(key, PORT_SEAL, leaf, FORGE_NOW), ERR_MALFORMED);
    cr_assert_eq(judge_at(key, PORT_SEAL, crl, FORGE_NOW), ERR_MALFORMED);
    cr_assert_eq(judge_at(key, PORT_SEAL, data, FORGE_NOW), ERR_MALFORMED);
    seal_tbs_write(&(struct sealed){.seq = 1, .at_s = FORGE_NOW}, tbs);
    cr_assert_eq(judge_at(f.ca, PORT_SEAL, span_of(tbs, sizeof tbs), FORGE_NOW), ERR_POLICY);
    cr_assert_eq(judge_at(ocsp, PORT_SEAL, span_of(tbs, sizeof tbs), FORGE_NOW), ERR_POLICY);
    cr_assert_str_eq(fault.detail, "seal: this key signs none");
    cr_assert_eq(judge_at(key, PORT_CERTIFICATE, span_of(tbs, sizeof tbs), FORGE_NOW), ERR_POLICY);
    cr_assert_eq(judge_at(f.ca, PORT_CERTIFICATE, span_of(tbs, sizeof tbs), FORGE_NOW), ERR_MALFORMED);
    signer_key_free(ocsp);
    forge_span_free(leaf);
    forge_span_free(crl);
    forge_span_free(data);
}

Test(check_seal, a_key_is_for_one_thing_and_of_one_kind)
{
    struct forge wide;
    struct signer_spec spec = {.id = SEAL_KEY_ID, .uri = f.uri, .is_audit = true, .is_ocsp = true};
    struct signer_key *k = NULL;

    cr_assert_eq(signer_key_load(&spec, &k, &fault), ERR_KEY);
    spec = (struct signer_spec){.id = SEAL_KEY_ID, .uri = f.uri, .is_audit = true, .may_leaf = true};
    cr_assert_eq(signer_key_load(&spec, &k, &fault), ERR_KEY);
    forge_open(&wide, "ec-384", -1);
    spec = (struct signer_spec){.id = SEAL_KEY_ID, .uri = wide.uri, .is_audit = true};
    fault = (struct fault){0};
    cr_assert_eq(signer_key_load(&spec, &k, &fault), ERR_KEY);
    cr_assert_not_null(strstr(fault.detail, "P-256"), "%s", fault.detail);
    forge_close(&wide);
}
