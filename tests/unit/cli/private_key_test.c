/* SPDX-License-Identifier: Apache-2.0 */
/* Is a private key seen in each form in which files hold one, and nothing else taken for it? */
#include <criterion/criterion.h>

#include "cli/inner.h"
#include "tests/unit/cli/exchange.h"

#define HOLDS(octets) has_private_key(span_of(octets, sizeof(octets) - 1))

Test(private_key, is_seen_in_its_armour)
{
    cr_assert(HOLDS("-----BEGIN PRIVATE KEY-----\n"));
    cr_assert(HOLDS("text\n-----BEGIN ENCRYPTED PRIVATE KEY-----\n"));
    cr_assert(HOLDS("-----BEGIN OPENSSH PRIVATE KEY-----\n"));
    cr_assert(!HOLDS("-----BEGIN CERTIFICATE REQUEST-----\nPRIVATE KEY\n"));
}

Test(private_key, is_seen_with_the_length_in_its_shortest_form)
{
    cr_assert(HOLDS("\x30\x03\x02\x01\x01"));
    cr_assert(HOLDS("\x30\x81\x87\x02\x01\x00\x30\x13"));
    cr_assert(HOLDS("\x30\x82\x03\xfc\x02\x01\x03\x30\x82"));
}

/* As toolkits write PKCS#12, and as every one reads it. */
Test(private_key, is_seen_with_a_length_in_any_form_of_ber)
{
    cr_assert(HOLDS("\x30\x80\x02\x01\x03\x30\x82\x03\xb2"), "indefinite");
    cr_assert(HOLDS("\x30\x81\x03\x02\x01\x01"), "longer than it takes");
    cr_assert(HOLDS("\x30\x83\x00\x00\x87\x02\x01\x00\x30\x13"));
    cr_assert(HOLDS("\x30\x84\x00\x00\x03\xfc\x02\x01\x03\x30\x82"));
    cr_assert(HOLDS("\x30\x88\x00\x00\x00\x00\x00\x00\x00\x87\x02\x01\x00\x30\x13"));
    cr_assert(HOLDS("\x30\x89\x00\x00\x00\x00\x00\x00\x00\x00\x87\x02\x01\x00\x30\x13"));
}

Test(private_key, is_seen_in_a_file_that_is_cut_or_goes_on)
{
    cr_assert(HOLDS("\x30\x82\x03\xfc\x02"));
    cr_assert(HOLDS("\x30\x03\x02\x01\x01\n"));
}

Test(private_key, is_not_what_begins_with_a_sequence)
{
    cr_assert(!HOLDS("\x30\x82\x01\x00\x30\x81\xa0\x02\x01\x00"), "a request, a certificate");
    cr_assert(!HOLDS("\x30\x80\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x07\x02"), "PKCS#7");
    cr_assert(!HOLDS("\x30\x83\x00\x01\x00\x30\x81\xa0"));
}

Test(private_key, is_not_text_nor_nothing)
{
    cr_assert(!HOLDS(""));
    cr_assert(!HOLDS("0"));
    cr_assert(!HOLDS("0\x80"));
    cr_assert(!HOLDS("0-node, of the second rack\n"));
    cr_assert(!HOLDS("0\xc3\xa9"));
    cr_assert(!HOLDS("MIIBCTCBrwIBADAR"));
}

/* A P-256 key as `openssl genpkey` writes it, without its armour. */
#define P256                                                                                                 \
    "MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgzzHYKMPOQFSAsI3h\n"                                     \
    "J0qQSGSGrDT0FbkPnVRQnTFWNK+hRANCAATN5bb4iI8bJoJ0cUCkGHvSHN3xhTWT\n"
/* Of one that is encrypted (PBES2, AES-256). */
#define SEALED                                                                                               \
    "MIHsMFcGCSqGSIb3DQEFDTBKMCkGCSqGSIb3DQEFDDAcBAhWqnGYkI8c8gICCAAw\n"                                     \
    "DAYIKoZIhvcNAgkFADAdBglghkgBZQMEASoEEPMNV0bHqsZNtXo9Z2LBI4sEgZB5\n"

Test(private_key, is_seen_in_base64_alone_and_in_json)
{
    cr_expect(HOLDS(P256));
    cr_expect(HOLDS(SEALED));
    cr_expect(HOLDS("my key: " P256));
    cr_expect(HOLDS("{\"csr\": \"MIGHAgEAMBMGByqGSM49AgEGCCqG\"}"));
    cr_expect(HOLDS("{\"csr\": \"MIGH\\nAgEAMBMGByqGSM49Ag\\r\\nEGCCqG\"}"), "line ends of JSON");
    cr_expect(HOLDS("{\"csr\":\"MIIEvQIBADANBgkqhkiG9w0BAQEFAASCBKcwggSj\"}"), "RSA, PKCS#8");
    cr_expect(HOLDS("MIIEpAIBAAKCAQEA4f5wg5l2hKsTeNem"), "RSA");
    cr_expect(HOLDS("MHcCAQEEIIrYSSNQFaA2Hwf1duRSxKtLYX5C"), "EC");
    cr_expect(HOLDS("LS0tLS1CRUdJTiBQUklWQVRFIEtFWS0tLS0tCk1JR0hBZ0VB"), "the armour within base64");
}

Test(private_key, is_not_other_base64)
{
    cr_expect(!HOLDS("MIIBCTCBrwIBADARMQ8wDQYDVQQDDAZhLnRlc3Q="), "a request");
    cr_expect(!HOLDS("MIIBszCCAVmgAwIBAgIUQ2hhbmNlcnk="), "a certificate");
    cr_expect(!HOLDS("MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEzeW2+IiPGyaCdHFApBh70hzd8YU1kwo="), "a public key");
    cr_expect(!HOLDS("MAsGCSqGSIb3DQEHAg=="), "PKCS#7");
    cr_expect(!HOLDS("MC4wHQYDVR0OBBYEFAAAAAAAAAAAAAAAAAAAAAAAAAAAMA0GA1UdDwQGAwQ="), "extensions");
    cr_expect(!HOLDS("Mail to Marta: LS0 Linux, Modulus MIICAgIC"));
}

Test(private_key, is_seen_encrypted_in_der)
{
    cr_expect(HOLDS("\x30\x13\x30\x0b\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x05\x0d\x04\x04zzzz"));
    cr_expect(!HOLDS("\x30\x13\x30\x0b\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x05\x0d\x03\x04zzzz"),
              "a public key");
    cr_expect(!HOLDS("\x30\x0d\x30\x0b\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x05\x0d"));
}

static bool holds_in_utf16(const char *text, bool is_big)
{
    uint8_t wide[512];
    size_t len = 0;

    wide[len++] = is_big ? 0xfe : 0xff;
    wide[len++] = is_big ? 0xff : 0xfe;
    for (; *text != '\0'; text++) {
        wide[len + is_big] = (uint8_t)*text;
        wide[len + !is_big] = 0;
        len += 2;
    }
    return has_private_key(span_of(wide, len));
}

/* As Windows' editors save. */
Test(private_key, is_seen_in_utf_16)
{
    for (int is_big = 0; is_big < 2; is_big++) {
        cr_expect(holds_in_utf16("-----BEGIN PRIVATE KEY-----\r\n", is_big));
        cr_expect(holds_in_utf16(P256, is_big));
        cr_expect(!holds_in_utf16("-----BEGIN CERTIFICATE REQUEST-----\r\n", is_big));
        cr_expect(!holds_in_utf16("MIIBCTCBrwIBADARMQ8wDQYDVQQDDAZhLnRlc3Q=", is_big));
    }
}

Test(private_key, of_any_form_is_not_sent)
{
    struct exchange x = {.typed.in = "\x30\x80\x02\x01\x03\x30"};

    exchange(&x, BODIES(NULL), WORDS("csr", "sign", "-", "--profile", "p"));
    cr_assert_eq(x.typed.code, 1);
    cr_assert_not_null(strstr(x.typed.err, "holds a private key: nothing was sent"));
    finish(&x);
}
