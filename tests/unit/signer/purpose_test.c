/* SPDX-License-Identifier: Apache-2.0 */
/* Of thousands of structures that are nearly good, handed to every key at every port: does each that is
 * signed lie within its key's purpose, in the eyes of OpenSSL? */
#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "base/seal.h"
#include "judge.h"
#include "tests/fuzz/mutate.h"

#define SEED 20260528
#define MUTATIONS 2000 /* of each of the good structures */
#define OWN_PATH_LEN 2

/* ---- the keys, and what each may sign ---- */

static struct forge f, other;

enum key_name { KEY_CA, KEY_LEAVES, KEY_RESPONDERS, KEY_OCSP, KEY_SEAL, KEY_COUNT };
static struct signer_key *keys[KEY_COUNT];
static const enum port_kind ports[] = {PORT_CERTIFICATE, PORT_CRL_BEGIN, PORT_OCSP, PORT_SEAL};

static void setup(void)
{
    struct signer_spec spec;

    forge_open(&f, "ec-256", OWN_PATH_LEN);
    forge_open(&other, "ec-256", OWN_PATH_LEN);
    spec = forge_spec(&f);
    keys[KEY_CA] = forge_key(&f, spec);
    spec.may_subordinate = false;
    keys[KEY_LEAVES] = forge_key(&f, spec);
    spec.may_leaf = false;
    keys[KEY_RESPONDERS] = forge_key(&f, spec);
    keys[KEY_OCSP] = forge_key(&f, (struct signer_spec){.id = "ca", .uri = f.uri, .is_ocsp = true});
    keys[KEY_SEAL] = forge_key(&f, (struct signer_spec){.id = SEAL_KEY_ID, .uri = f.uri, .is_audit = true});
}

static void teardown(void)
{
    for (size_t i = 0; i < KEY_COUNT; i++)
        signer_key_free(keys[i]);
    forge_close(&other);
    forge_close(&f);
}

TestSuite(purpose, .init = setup, .fini = teardown);

/* A seal is 63 octets behind its prefix; what they say is tested in check_seal_test.c. */
static const char *judge_seal(struct span tbs)
{
    return tbs.len == SEAL_TBS_LEN && memcmp(tbs.data, SEAL_PREFIX, SEAL_PREFIX_LEN) == 0 ? NULL : "no seal";
}

/* NULL, or why it should not have been signed. */
static const char *judge(enum key_name key, enum port_kind port, struct span tbs)
{
    struct judged by = {f.certificate, key == KEY_CA || key == KEY_LEAVES, key == KEY_CA, OWN_PATH_LEN};
    struct span whole;
    const char *wrong;

    if ((key == KEY_SEAL) != (port == PORT_SEAL) || (key == KEY_OCSP) != (port == PORT_OCSP))
        return "at another key's port";
    if (port == PORT_SEAL)
        return judge_seal(tbs);
    whole = forge_assemble(&f, tbs, span_str("no signature: forge_judge has looked"));
    wrong = port == PORT_CERTIFICATE ? judge_certificate(whole, &by)
            : port == PORT_OCSP      ? judge_ocsp(whole, &by)
                                     : judge_crl(whole, &by);
    forge_span_free(whole);
    return wrong;
}

/* Every key at every port. How many were signed. */
static unsigned hand_to_all(struct span tbs, const char *what, unsigned number)
{
    struct fault fault;
    unsigned is_signed = 0;

    for (size_t p = 0; p < sizeof ports / sizeof *ports; p++)
        for (enum key_name key = 0; key < KEY_COUNT; key++) {
            const char *wrong;

            if (forge_judge(&f, keys[key], ports[p], tbs, &fault) != OK)
                continue;
            is_signed++;
            wrong = judge(key, ports[p], tbs);
            cr_assert_null(wrong, "%s, mutation %u, key %d, port %d: %s", what, number, (int)key,
                           (int)ports[p], wrong);
        }
    return is_signed;
}

/* ---- the structures ---- */

static X509_CRL *shard(X509_CRL *crl)
{
    forge_crl_extension(&f, crl, NID_issuing_distribution_point,
                        "critical,fullname:URI:http://ca.example.com/crl/ca-19.crl");
    return crl;
}

static X509_CRL *delta(X509_CRL *crl)
{
    forge_crl_integer(crl, NID_delta_crl, 299, 1);
    return crl;
}

static struct span seal(void)
{
    uint8_t *tbs = OPENSSL_malloc(SEAL_TBS_LEN);

    seal_tbs_write(&(struct sealed){.seq = 1000, .at_s = FORGE_NOW, .hash = {7}}, tbs);
    return span_of(tbs, SEAL_TBS_LEN);
}

#define GOOD_COUNT 9

static void make_good(const struct forge *g, struct span good[static GOOD_COUNT])
{
    good[0] = forge_tbs(g, forge_leaf(g));
    good[1] = forge_tbs(g, forge_subordinate(g, 1));
    good[2] = forge_tbs(g, forge_subordinate(g, 0));
    good[3] = forge_tbs(g, forge_responder(g));
    good[4] = forge_crl_tbs(g, forge_crl(g, 12));
    good[5] = forge_crl_tbs(g, delta(forge_crl(g, 3)));
    good[6] = forge_crl_tbs(g, shard(forge_crl(g, 3)));
    good[7] = forge_response_data(g, forge_basic(g));
    good[8] = seal();
}

static const char *const names[GOOD_COUNT] = {"leaf",  "subordinate", "last subordinate", "responder", "list",
                                              "delta", "shard",       "answers",          "seal"};

Test(purpose, thousands_of_mutations_are_within_it_or_refused, .timeout = 300)
{
    struct dice dice = {SEED};
    struct span good[GOOD_COUNT], strange[GOOD_COUNT];
    unsigned is_signed = 0, handed = 0;
    struct buf b;

    buf_init(&b, 1 << 20);
    make_good(&f, good);
    make_good(&other, strange);
    for (size_t i = 0; i < GOOD_COUNT; i++) {
        cr_assert_gt(hand_to_all(good[i], names[i], 0), 0, "%s: a good one", names[i]);
        for (unsigned n = 1; n <= MUTATIONS; n++, handed++) {
            struct span donor = dice_throw(&dice, 2) == 0 ? good[dice_throw(&dice, GOOD_COUNT)]
                                                          : strange[dice_throw(&dice, GOOD_COUNT)];

            mutate(&dice, good[i], donor, &b);
            cr_assert_eq(buf_end(&b), OK);
            is_signed += hand_to_all(buf_span(&b), names[i], n) > 0;
        }
    }
    printf("purpose: %u mutations, %u signed\n", handed, is_signed);
    cr_assert_gt(is_signed, handed / 100, "too few come as far as the checker");
    cr_assert_lt(is_signed, handed / 2);
    for (size_t i = 0; i < GOOD_COUNT; i++) {
        forge_span_free(good[i]);
        forge_span_free(strange[i]);
    }
    buf_free(&b);
}

/* Good ones of another CA with the same names: the key identifiers tell them apart. */
Test(purpose, structures_of_another_key_are_refused)
{
    struct span strange[GOOD_COUNT];

    make_good(&other, strange);
    for (size_t i = 0; i < GOOD_COUNT; i++) {
        bool is_seal = i == GOOD_COUNT - 1; /* names no key */

        cr_assert_eq(hand_to_all(strange[i], names[i], 0) > 0, is_seal, "%s", names[i]);
        forge_span_free(strange[i]);
    }
}

/* The checker itself sees what is outside a purpose. */
Test(purpose, the_checker_refuses)
{
    struct span strange[GOOD_COUNT], deep = forge_tbs(&f, forge_subordinate(&f, OWN_PATH_LEN)),
                                     leaf = forge_tbs(&f, forge_leaf(&f)),
                                     ca = forge_tbs(&f, forge_subordinate(&f, 0));

    make_good(&other, strange);
    for (size_t i = 0; i < 4; i++)
        cr_assert_not_null(judge(KEY_CA, PORT_CERTIFICATE, strange[i]), "%s", names[i]);
    for (size_t i = 4; i < 7; i++)
        cr_assert_not_null(judge(KEY_CA, PORT_CRL_BEGIN, strange[i]), "%s", names[i]);
    cr_assert_not_null(judge(KEY_OCSP, PORT_OCSP, strange[7]));
    cr_assert_not_null(judge(KEY_CA, PORT_CERTIFICATE, deep));
    cr_assert_not_null(judge(KEY_RESPONDERS, PORT_CERTIFICATE, leaf));
    cr_assert_not_null(judge(KEY_LEAVES, PORT_CERTIFICATE, ca));
    cr_assert_not_null(judge(KEY_OCSP, PORT_CERTIFICATE, leaf));
    cr_assert_null(judge(KEY_LEAVES, PORT_CERTIFICATE, leaf));
    cr_assert_null(judge(KEY_CA, PORT_CERTIFICATE, ca));
    for (size_t i = 0; i < GOOD_COUNT; i++)
        forge_span_free(strange[i]);
    forge_span_free(deep);
    forge_span_free(leaf);
    forge_span_free(ca);
}
