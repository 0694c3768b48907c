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

Test(private_key, of_any_form_is_not_sent)
{
    struct exchange x = {.typed.in = "\x30\x80\x02\x01\x03\x30"};

    exchange(&x, BODIES(NULL), WORDS("csr", "sign", "-", "--profile", "p"));
    cr_assert_eq(x.typed.code, 1);
    cr_assert_not_null(strstr(x.typed.err, "holds a private key: nothing was sent"));
    finish(&x);
}
