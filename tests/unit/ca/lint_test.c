/* SPDX-License-Identifier: Apache-2.0 */
/* Is every MUST that a to-be-signed certificate breaks found by name, and what we write ourselves clean? Each
 * case is the same sound certificate but for one thing. */
#include <criterion/criterion.h>
#include <string.h>

#include "base/der.h"
#include "request.h"

#define EXTENSIONS 5
#define RAW(s) span_of(s, sizeof(s) - 1)

/* A certificate in its parts; extensions with an empty OID are left out. */
struct draft {
    bool is_cisco;
    uint64_t version;
    struct span serial, issuer, validity, subject, spki;
    struct {
        struct span oid;
        bool is_critical;
        struct span value;
    } extensions[EXTENSIONS];
};

#define NAME_A                                                                                               \
    RAW("\x30\x0c\x31\x0a\x30\x08\x06\x03\x55\x04\x03\x0c\x01"                                               \
        "a")
#define TO_2049                                                                                              \
    RAW("\x17\x0d"                                                                                           \
        "260101000000Z"                                                                                      \
        "\x17\x0d"                                                                                           \
        "491231235959Z")
#define OID_KU RAW("\x55\x1d\x0f")
#define OID_BC RAW("\x55\x1d\x13")
#define KU_D RAW("\x03\x02\x07\x80")

enum { KU, EKU, SAN, AKI, MORE };

static struct draft sound(const char *key)
{
    return (struct draft){
        .version = 2,
        .serial = RAW("\x01\x02"),
        .issuer = NAME_A,
        .validity = TO_2049,
        .subject = NAME_A,
        .spki = request_key(key),
        .extensions =
            {
                [KU] = {OID_KU, true, KU_D},
                [EKU] = {RAW("\x55\x1d\x25"), false, RAW("\x30\x0a\x06\x08\x2b\x06\x01\x05\x05\x07\x03\x01")},
                [SAN] = {RAW("\x55\x1d\x11"), false,
                         RAW("\x30\x07\x82\x05"
                             "a.b.c")},
                [AKI] = {RAW("\x55\x1d\x23"), false, RAW("\x30\x03\x80\x01\x01")},
            },
    };
}

static void put_extensions(struct buf *b, const struct draft *d)
{
    size_t outer = der_open(b, DER_CONTEXT_CONSTRUCTED(3)), list = der_open(b, DER_SEQUENCE), ext;

    for (size_t i = 0; i < EXTENSIONS; i++) {
        if (d->extensions[i].oid.len == 0)
            continue;
        ext = der_open(b, DER_SEQUENCE);
        der_put_oid(b, d->extensions[i].oid);
        if (d->extensions[i].is_critical)
            der_put_bool(b, true);
        der_put(b, DER_OCTET_STRING, d->extensions[i].value);
        der_close(b, ext);
    }
    der_close(b, list);
    der_close(b, outer);
}

static void put_tbs(struct buf *b, const struct draft *d)
{
    size_t whole = der_open(b, DER_SEQUENCE), part = der_open(b, DER_CONTEXT_CONSTRUCTED(0));

    der_put_uint(b, d->version);
    der_close(b, part);
    der_put(b, DER_INTEGER, d->serial);
    buf_put_span(b, sig_alg_der(SIG_ECDSA_SHA384));
    buf_put_span(b, d->issuer);
    der_put(b, DER_SEQUENCE, d->validity);
    buf_put_span(b, d->subject);
    buf_put_span(b, d->spki);
    put_extensions(b, d);
    der_close(b, whole);
}

static void judge(const struct draft *d, struct findings *fs)
{
    struct buf b;

    buf_init(&b, 65536);
    put_tbs(&b, d);
    findings_free(fs);
    lint_check(buf_span(&b), d->is_cisco, fs);
    buf_free(&b);
}

/* ---- what is wrong with it ---- */

#define CHANGE(name, change)                                                                                 \
    static void name(struct draft *d)                                                                        \
    {                                                                                                        \
        change;                                                                                              \
    }

CHANGE(version_2, d->version = 1)
CHANGE(unknown_extension, d->extensions[MORE].oid = RAW("\x2a\x03\x04"); d->extensions[MORE].value = KU_D)
CHANGE(broken_san, d->extensions[SAN].value = RAW("\x04\x00"))
CHANGE(no_key, d->spki = NAME_A)
CHANGE(serial_zero, d->serial = RAW("\x00"))
CHANGE(serial_negative, d->serial = RAW("\x80\x01"))
CHANGE(serial_long, d->serial = RAW("123456789012345678901"))
CHANGE(utc_no_seconds, d->validity = RAW("\x17\x0b"
                                         "2601010000Z"
                                         "\x17\x0d"
                                         "491231235959Z"))
CHANGE(generalized_early, d->validity = RAW("\x17\x0d"
                                            "260101000000Z"
                                            "\x18\x0f"
                                            "20401231235959Z"))
CHANGE(backwards, d->validity = RAW("\x17\x0d"
                                    "260101000000Z"
                                    "\x17\x0d"
                                    "251231235959Z"))
CHANGE(no_issuer, d->issuer = RAW("\x30\x00"))
CHANGE(no_subject, d->subject = RAW("\x30\x00"))
CHANGE(broken_subject, d->subject = RAW("\x30\x02\x31\x00"))
CHANGE(cn_bmp, d->subject = RAW("\x30\x0d\x31\x0b\x30\x09\x06\x03\x55\x04\x03\x1e\x02\x00"
                                "a"))
CHANGE(cn_teletex, d->subject = RAW("\x30\x0c\x31\x0a\x30\x08\x06\x03\x55\x04\x03\x14\x01"
                                    "a"))
CHANGE(cn_at_sign, d->subject = RAW("\x30\x0c\x31\x0a\x30\x08\x06\x03\x55\x04\x03\x13\x01"
                                    "@"))
CHANGE(country_utf8, d->subject = RAW("\x30\x0d\x31\x0b\x30\x09\x06\x03\x55\x04\x06\x0c\x02"
                                      "CH"))
CHANGE(country_long, d->subject = RAW("\x30\x0e\x31\x0c\x30\x0a\x06\x03\x55\x04\x06\x13\x03"
                                      "CHE"))
CHANGE(cn_empty, d->subject = RAW("\x30\x0b\x31\x09\x30\x07\x06\x03\x55\x04\x03\x0c\x00"))
CHANGE(street_empty, d->subject = RAW("\x30\x0b\x31\x09\x30\x07\x06\x03\x55\x04\x09\x0c\x00"))
CHANGE(street_universal, d->subject = RAW("\x30\x0f\x31\x0d\x30\x0b\x06\x03\x55\x04\x09\x1c\x04\0\0\0A"))
CHANGE(street_underscore, d->subject = RAW("\x30\x0c\x31\x0a\x30\x08\x06\x03\x55\x04\x09\x13\x01_"))
CHANGE(postal_control, d->subject = RAW("\x30\x0c\x31\x0a\x30\x08\x06\x03\x55\x04\x11\x12\x01\x01"))
CHANGE(email_latin1, d->subject = RAW("\x30\x12\x31\x10\x30\x0e\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x09\x01"
                                      "\x16\x01\xe9"))
CHANGE(domain_high,
       d->subject = RAW("\x30\x13\x31\x11\x30\x0f\x06\x0a\x09\x92\x26\x89\x93\xf2\x2c\x64\x01\x19"
                        "\x16\x01\x80"))
CHANGE(rdn_unsorted, d->subject = RAW("\x30\x16\x31\x14\x30\x08\x06\x03\x55\x04\x09\x0c\x01"
                                      "a\x30\x08\x06\x03\x55\x04\x03\x0c\x01"
                                      "a"))
CHANGE(o_long, d->subject = RAW("\x30\x4c\x31\x4a\x30\x48\x06\x03\x55\x04\x0a\x0c\x41"
                                "12345678901234567890123456789012345678901234567890123456789012345"))
CHANGE(ku_twice, d->extensions[MORE].oid = OID_KU; d->extensions[MORE].is_critical = true;
       d->extensions[MORE].value = KU_D)
CHANGE(ku_not_critical, d->extensions[KU].is_critical = false)
CHANGE(san_critical, d->extensions[SAN].is_critical = true)
CHANGE(eku_critical, d->extensions[EKU].is_critical = true)
CHANGE(issuing_leaf, d->extensions[KU].value = RAW("\x03\x02\x02\x84"))
CHANGE(path_of_a_leaf, d->extensions[MORE].oid = OID_BC;
       d->extensions[MORE].value = RAW("\x30\x03\x02\x01\x00"))
CHANGE(ca_without_sign, d->extensions[MORE].oid = OID_BC; d->extensions[MORE].is_critical = true;
       d->extensions[MORE].value = RAW("\x30\x03\x01\x01\xff"))
CHANGE(ca_not_critical, d->extensions[MORE].oid = OID_BC;
       d->extensions[MORE].value = RAW("\x30\x03\x01\x01\xff");
       d->extensions[KU].value = RAW("\x03\x02\x02\x84"))
CHANGE(no_ku, d->extensions[KU].oid.len = 0)
CHANGE(ku_of_nothing, d->extensions[KU].value = RAW("\x03\x01\x00"))
CHANGE(encipherment, d->extensions[KU].value = RAW("\x03\x02\x04\xb0"))
CHANGE(agreement, d->extensions[KU].value = RAW("\x03\x02\x03\x88"))
CHANGE(encipher_only, d->extensions[KU].value = RAW("\x03\x02\x00\x81"))
CHANGE(repudiation_alone, d->extensions[KU].value = RAW("\x03\x02\x06\x40"))
CHANGE(san_of_nothing, d->extensions[SAN].value = RAW("\x30\x00"))
CHANGE(san_uri, d->extensions[SAN].value = RAW("\x30\x05\x86\x03"
                                               "a:b"))
CHANGE(san_blank, d->extensions[SAN].value = RAW("\x30\x03\x82\x01"
                                                 " "))
CHANGE(san_dot, d->extensions[SAN].value = RAW("\x30\x04\x82\x02"
                                               "a."))
CHANGE(san_ip, d->extensions[SAN].value = RAW("\x30\x05\x87\x03"
                                              "abc"))
CHANGE(no_aki, d->extensions[AKI].oid.len = 0)

static const struct {
    const char *rule, *key;
    void (*change)(struct draft *d);
} breaches[] = {
    {"lint.structure", "ec-256", version_2},
    {"lint.structure", "ec-256", unknown_extension},
    {"lint.structure", "ec-256", broken_san},
    {"lint.structure", "ec-256", no_key},
    {"lint.serial", "ec-256", serial_zero},
    {"lint.serial", "ec-256", serial_negative},
    {"lint.serial", "ec-256", serial_long},
    {"lint.time", "ec-256", utc_no_seconds},
    {"lint.time", "ec-256", generalized_early},
    {"lint.time", "ec-256", backwards},
    {"lint.issuer", "ec-256", no_issuer},
    {"lint.subject", "ec-256", no_subject},
    {"lint.subject", "ec-256", broken_subject},
    {"lint.string-type", "ec-256", cn_bmp},
    {"lint.string-type", "ec-256", cn_teletex},
    {"lint.string-type", "ec-256", cn_at_sign},
    {"lint.string-type", "ec-256", country_utf8},
    {"lint.name-length", "ec-256", country_long},
    {"lint.name-length", "ec-256", cn_empty},
    {"lint.name-length", "ec-256", o_long},
    {"lint.name-length", "ec-256", street_empty},
    {"lint.string-type", "ec-256", street_universal},
    {"lint.string-type", "ec-256", street_underscore},
    {"lint.string-type", "ec-256", postal_control},
    {"lint.string-type", "ec-256", email_latin1},
    {"lint.string-type", "ec-256", domain_high},
    {"lint.subject", "ec-256", rdn_unsorted},
    {"lint.duplicate", "ec-256", ku_twice},
    {"lint.criticality", "ec-256", ku_not_critical},
    {"lint.criticality", "ec-256", san_critical},
    {"lint.criticality", "ec-256", eku_critical},
    {"lint.criticality", "ec-256", ca_not_critical},
    {"lint.ca", "ec-256", issuing_leaf},
    {"lint.ca", "ec-256", path_of_a_leaf},
    {"lint.ca", "ec-256", ca_without_sign},
    {"lint.key-id", "ec-256", ca_without_sign},
    {"lint.key-id", "ec-256", no_aki},
    {"lint.key-usage", "ec-256", no_ku},
    {"lint.key-usage", "ec-256", ku_of_nothing},
    {"lint.key-usage", "ec-256", encipherment},
    {"lint.key-usage", "ec-256", encipher_only},
    {"lint.key-usage", "rsa-2048", agreement},
    {"lint.ext-key-usage", "ec-256", repudiation_alone},
    {"lint.san", "ec-256", san_of_nothing},
    {"lint.san", "ec-256", san_uri},
    {"lint.san", "ec-256", san_blank},
    {"lint.san", "ec-256", san_dot},
    {"lint.san", "ec-256", san_ip},
};

Test(lint, each_broken_MUST_is_refused_by_name)
{
    struct findings fs = {0};

    for (size_t i = 0; i < sizeof breaches / sizeof *breaches; i++) {
        struct draft d = sound(breaches[i].key);

        breaches[i].change(&d);
        judge(&d, &fs);
        cr_expect_not_null(finding_of(&fs, breaches[i].rule), "%zu %s: %s", i, breaches[i].rule,
                           fs.count > 0 ? fs.items[0].rule : "nothing");
        cr_expect(findings_refuse(&fs), "%zu", i);
    }
    findings_free(&fs);
}

Test(lint, a_sound_certificate_is_clean)
{
    struct draft ec = sound("ec-256"), rsa = sound("rsa-2048");
    struct findings fs = {0};

    judge(&ec, &fs);
    cr_assert_eq(fs.count, 0, "%s", fs.items[0].rule);
    judge(&rsa, &fs);
    cr_assert_eq(fs.count, 0);
    encipherment(&rsa); /* fine for RSA */
    judge(&rsa, &fs);
    cr_assert_eq(fs.count, 0);
    agreement(&ec); /* and this for EC */
    judge(&ec, &fs);
    cr_assert_eq(fs.count, 0);
    ec.validity = RAW("\x17\x0d"
                      "260101000000Z"
                      "\x18\x0f"
                      "20501231235959Z");
    judge(&ec, &fs);
    cr_assert_eq(fs.count, 0);
    findings_free(&fs);
}

Test(lint, what_Cisco_asks_for_is_the_one_exception)
{
    struct draft ec = sound("ec-256"), rsa = sound("rsa-2048");
    struct findings fs = {0};

    ec.is_cisco = true;
    rsa.is_cisco = true;
    encipherment(&ec);
    agreement(&rsa);
    judge(&ec, &fs);
    cr_assert_eq(fs.count, 0, "%s", fs.items[0].rule);
    judge(&rsa, &fs);
    cr_assert_eq(fs.count, 0, "%s", fs.items[0].rule);
    issuing_leaf(&ec);
    judge(&ec, &fs);
    cr_assert_not_null(finding_of(&fs, "lint.ca"), "nothing else is");
    findings_free(&fs);
}

Test(lint, what_is_cut_off_anywhere_is_refused)
{
    struct draft d = sound("ec-256");
    struct findings fs = {0};
    struct buf b;

    buf_init(&b, 65536);
    put_tbs(&b, &d);
    for (size_t len = 0; len < b.len; len++) {
        uint8_t *copy = malloc(len + 1); /* of its own, so that a sanitizer sees a step beyond */

        memcpy(copy, b.data, len);
        lint_check(span_of(copy, len), false, &fs);
        cr_assert(findings_refuse(&fs), "%zu", len);
        findings_free(&fs);
        free(copy);
    }
    buf_free(&b);
}

Test(lint, every_installed_profile_writes_clean_certificates)
{
    static uint8_t ski[SKI_LEN];
    struct findings fs = {0};

    for (size_t i = 0; i < installed_all()->count; i++) {
        const struct profile *p = &installed_all()->profiles[i];
        enum key_type type = profile_ku(p, KEY_RSA) != NULL ? KEY_RSA : KEY_EC;
        struct facts f = request_plain(type == KEY_RSA ? "rsa-2048" : "ec-256");
        struct grant g;
        struct buf b;

        if (p->is_internal)
            continue;
        f.signature_hash = HASH_SHA512;
        profile_check(p, &f, 0, &g, &fs);
        findings_free(&fs);
        buf_init(&b, 65536);
        tbs_write(&b, &(struct tbs){.serial = {1},
                                    .alg = SIG_RSA_SHA256,
                                    .issuer = NAME_A,
                                    .subject = f.subject,
                                    .spki = f.spki,
                                    .not_before_s = 1769860800,
                                    .not_after_s = 2524608000,
                                    .ku = g.ku,
                                    .eku = g.eku,
                                    .eku_count = g.eku_count,
                                    .is_ca = g.is_ca,
                                    .aki = span_of(ski, sizeof ski),
                                    .crl_url = "http://ca/crl",
                                    .ocsp_url = "http://ca/ocsp"});
        lint_check(buf_span(&b), p->is_cisco, &fs);
        cr_expect_eq(fs.count, 0, "%s: %s", p->id, fs.count > 0 ? fs.items[0].rule : "");
        findings_free(&fs);
        buf_free(&b);
    }
}
