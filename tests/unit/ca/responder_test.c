/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Do OCSP signers always have a certificate that is good for a while, each for its own key? The clock is the
 * test's; the signer behind the port signs anything.
 */
#include <criterion/criterion.h>
#include <pthread.h>
#include <string.h>
#include <unistd.h>

#include "base/parts.h"
#include "tests/unit/ca/idle.h"
#include "tests/unit/ca/played.h"

#define NOW INT64_C(1800000000)
#define DAY INT64_C(86400)
#define LIFE (14 * DAY)
#define ISSUER_LIFE (3000 * DAY)

static struct ca_role *const role = &idle.role;
static struct ca *const ca = &idle.ca;
static struct buf keys[3]; /* of the issuer, its signer here, its signer on dmz1 */
static struct buf subject, issuer_certificate;
static int port[2];
static struct played_signer signer;
static pthread_t signer_thread;

static void setup(void)
{
    struct fault f = {0};
    struct txn *t;

    for (size_t i = 0; i < 3; i++)
        played_key(&keys[i]);
    buf_init(&subject, 4096);
    name_write(&subject, "Example UC", "Issuer");
    idle_open();
    t = idle_begin();
    played_issuer(t, buf_span(&subject), buf_span(&keys[0]), NOW - DAY, NOW + ISSUER_LIFE,
                  &issuer_certificate);
    idle_commit(t);
    role->config = (struct ca_config){.count = 1,
                                      .node = 1,
                                      .public_url = "http://ca.example.com",
                                      .responder_s = LIFE,
                                      .trusted_s = 1000 * DAY};
    role->config.issuers[0] =
        (struct ca_issuer){.id = "ec-g1", .issues = KEY_EC, .hosts = {"dmz1"}, .host_count = 1};
    role->responder_spki[0] = buf_span(&keys[1]);
    role->host_spki[0][0] = buf_span(&keys[2]);
    cr_assert_eq(wire_pair(port), OK);
    role->port_fd = port[0];
    cr_assert_eq(issuing_load(ca, &f), OK, "%s", f.detail);
    signer.fd = port[1];
    pthread_create(&signer_thread, NULL, played_signer_run, &signer);
}

static void teardown(void)
{
    close(port[0]);
    pthread_join(signer_thread, NULL);
    close(port[1]);
    issuing_free(ca);
    idle_close();
    for (size_t i = 0; i < 3; i++)
        buf_free(&keys[i]);
    buf_free(&subject);
    buf_free(&issuer_certificate);
}

TestSuite(responder, .init = setup, .fini = teardown);

struct seen {
    uint8_t serial[SERIAL_LEN];
    int64_t from_s, to_s;
    bool has_key; /* that of its place */
    bool is_ocsp; /* OCSPSigning alone, and ocsp-nocheck */
    char cn[CN_MAX];
};

static bool has_extension(const struct parts *p, const void *oid, size_t len, const void *value,
                          size_t value_len)
{
    struct extension x;

    return parts_extension(p, span_of(oid, len), &x) && span_eq(x.value, span_of(value, value_len));
}

/* The certificate in force of a place, host NULL: the service's. */
static struct seen look(const char *host)
{
    static const uint8_t eku_oid[] = {0x55, 0x1d, 0x25}, nocheck_oid[] = {0x2b, 6, 1, 5, 5, 7, 0x30, 1, 5};
    static const uint8_t eku[] = {0x30, 10, 6, 8, 0x2b, 6, 1, 5, 5, 7, 3, 9}, null[] = {5, 0};
    struct seen s = {0};
    struct issuer i;
    struct parts p;
    struct cert c;
    struct view *v;

    v = idle_look();
    cr_assert_eq(issuer_find(v, "ec-g1", &i), OK);
    if (host != NULL)
        cr_assert_eq(responder_find(v, i.no, host, i.responder), OK);
    cr_assert_eq(cert_find(v, i.responder, &c), OK);
    cr_assert(parts_of(c.der, &p));
    memcpy(s.serial, i.responder, SERIAL_LEN);
    s.from_s = p.not_before_s;
    s.to_s = p.not_after_s;
    s.has_key = span_eq(p.spki, buf_span(&keys[host == NULL ? 1 : 2]));
    s.is_ocsp = has_extension(&p, eku_oid, sizeof eku_oid, eku, sizeof eku) &&
                has_extension(&p, nocheck_oid, sizeof nocheck_oid, null, sizeof null);
    cr_assert(span_to_str(c.cn, s.cn, sizeof s.cn));
    view_close(v);
    return s;
}

static bool is_same(struct seen a, struct seen b)
{
    return memcmp(a.serial, b.serial, SERIAL_LEN) == 0;
}

Test(responder, each_place_has_a_certificate_for_its_own_key)
{
    struct seen here, there;

    responder_renew(ca, NOW);
    here = look(NULL);
    there = look("dmz1");
    cr_assert(here.has_key && here.is_ocsp && there.has_key && there.is_ocsp);
    cr_assert_not(is_same(here, there));
    cr_assert_str_eq(here.cn, "OCSP ec-g1");
    cr_assert_str_eq(there.cn, "OCSP ec-g1 dmz1");
    cr_assert_eq(here.to_s, NOW + LIFE);
    cr_assert_lt(here.from_s, NOW);
}

Test(responder, a_delegate_is_renewed_at_half_its_life_with_a_week_of_overlap)
{
    struct seen first, second;

    responder_renew(ca, NOW);
    first = look(NULL);
    responder_renew(ca, NOW + LIFE / 2 - 1);
    cr_assert(is_same(look(NULL), first));
    responder_renew(ca, NOW + LIFE / 2);
    second = look(NULL);
    cr_assert_not(is_same(second, first));
    cr_assert_leq(second.from_s, NOW + LIFE / 2);
    cr_assert_eq(first.to_s - second.from_s, LIFE / 2 + 300);
    cr_assert_not(is_same(look("dmz1"), look(NULL)));
}

Test(responder, years_of_renewal_leave_no_gap)
{
    int64_t covered_s = 0;

    for (int64_t now_s = NOW; now_s < NOW + 400 * DAY; now_s += DAY / 2) {
        struct seen s;

        responder_renew(ca, now_s);
        s = look(NULL);
        cr_assert(s.from_s <= now_s && now_s + LIFE / 2 - DAY < s.to_s);
        cr_assert(covered_s == 0 || s.from_s < covered_s);
        covered_s = s.to_s;
    }
}

Test(responder, a_trusted_responder_keeps_its_certificate_until_a_month_before_its_end)
{
    struct seen first;

    role->config.issuers[0].is_trusted = true;
    responder_renew(ca, NOW);
    first = look(NULL);
    cr_assert(first.is_ocsp && first.to_s == NOW + 1000 * DAY);
    for (int64_t day = 1; day < 970; day += 10) {
        responder_renew(ca, NOW + day * DAY);
        cr_assert(is_same(look(NULL), first));
    }
    responder_renew(ca, NOW + 970 * DAY);
    cr_assert_not(is_same(look(NULL), first));
}

Test(responder, a_trusted_responder_ends_with_its_issuer)
{
    role->config.issuers[0].is_trusted = true;
    role->config.trusted_s = 7000 * DAY;
    responder_renew(ca, NOW);
    cr_assert_eq(look(NULL).to_s, NOW + ISSUER_LIFE);
    responder_renew(ca, NOW + ISSUER_LIFE - DAY); /* nothing longer can be had */
    cr_assert_eq(look(NULL).to_s, NOW + ISSUER_LIFE);
}

Test(responder, another_model_has_another_certificate_at_once)
{
    responder_renew(ca, NOW);
    role->config.issuers[0].is_trusted = true;
    responder_renew(ca, NOW + 1);
    cr_assert_eq(look(NULL).to_s, NOW + 1 + 1000 * DAY);
    role->config.issuers[0].is_trusted = false;
    responder_renew(ca, NOW + 2);
    cr_assert_eq(look(NULL).to_s, NOW + 2 + LIFE);
}

Test(responder, another_key_has_another_certificate_at_once)
{
    struct seen first;

    responder_renew(ca, NOW);
    first = look("dmz1");
    buf_free(&keys[2]);
    played_key(&keys[2]);
    role->host_spki[0][0] = buf_span(&keys[2]);
    responder_renew(ca, NOW + 1);
    cr_assert_not(is_same(look("dmz1"), first));
    cr_assert(look("dmz1").has_key);
}

Test(responder, a_revoked_signer_is_replaced_at_once)
{
    struct seen first;
    struct txn *t;

    role->config.issuers[0].is_trusted = true;
    responder_renew(ca, NOW);
    first = look(NULL);
    t = idle_begin();
    cert_revoke(t, first.serial, REASON_SUPERSEDED, NOW, NO_TIME);
    idle_commit(t);
    responder_renew(ca, NOW + 1);
    cr_assert_not(is_same(look(NULL), first));
    cr_assert_str_eq(idle_alarm("responder.key"), "");
}

static void withdraw(const uint8_t serial[static SERIAL_LEN], enum reason reason)
{
    struct txn *t = idle_begin();

    cert_revoke(t, serial, reason, NOW, NO_TIME);
    idle_commit(t);
}

Test(responder, a_compromised_key_is_certified_no_more)
{
    struct seen here, there;

    responder_renew(ca, NOW);
    here = look(NULL);
    there = look("dmz1");
    withdraw(here.serial, REASON_KEY_COMPROMISE);
    responder_renew(ca, NOW + LIFE / 2);
    cr_assert(is_same(look(NULL), here));
    cr_assert_not(is_same(look("dmz1"), there)); /* another key */
    cr_assert_not_null(
        strstr(idle_alarm("responder.key"), "the OCSP key of ec-g1 was revoked for keyCompromise"));
    buf_free(&keys[1]);
    played_key(&keys[1]);
    role->responder_spki[0] = ca->issuers[0].responder_spki = buf_span(&keys[1]);
    responder_renew(ca, NOW + LIFE / 2 + 1);
    cr_assert_not(is_same(look(NULL), here));
    cr_assert(look(NULL).has_key);
    cr_assert_str_eq(idle_alarm("responder.key"), "");
}

Test(responder, a_compromised_key_of_another_host_is_certified_no_more)
{
    struct seen here, there;

    role->config.issuers[0].is_trusted = true;
    responder_renew(ca, NOW);
    here = look(NULL);
    there = look("dmz1");
    withdraw(there.serial, REASON_KEY_COMPROMISE);
    responder_renew(ca, NOW + 980 * DAY);
    cr_assert(is_same(look("dmz1"), there));
    cr_assert_not(is_same(look(NULL), here));
    cr_assert_not_null(strstr(idle_alarm("responder.key"), "the OCSP key of ec-g1 of host dmz1"));
}

Test(responder, the_alarm_ends_with_the_issuer)
{
    responder_renew(ca, NOW);
    withdraw(look(NULL).serial, REASON_KEY_COMPROMISE);
    withdraw(look("dmz1").serial, REASON_KEY_COMPROMISE);
    responder_renew(ca, NOW + ISSUER_LIFE - 1);
    cr_assert_str_neq(idle_alarm("responder.key"), "");
    responder_renew(ca, NOW + ISSUER_LIFE);
    cr_assert_str_eq(idle_alarm("responder.key"), "");
}

/* The key was certified elsewhere as well, and it is the same key that somebody has. */
Test(responder, a_key_compromised_under_another_certificate_is_certified_no_more)
{
    struct seen first, second;

    responder_renew(ca, NOW);
    first = look(NULL);
    responder_renew(ca, NOW + LIFE / 2);
    second = look(NULL);
    withdraw(first.serial, REASON_KEY_COMPROMISE);
    responder_renew(ca, NOW + LIFE);
    cr_assert(is_same(look(NULL), second));
    cr_assert_str_neq(idle_alarm("responder.key"), "");
}
