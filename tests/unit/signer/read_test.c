/* SPDX-License-Identifier: Apache-2.0 */
/* Is a name that relying parties could not read, or would read differently, refused? */
#include "signer/inner.h"

#include <criterion/criterion.h>

#define CN_A                                                                                                 \
    "\x30\x08\x06\x03\x55\x04\x03\x0c\x01"                                                                   \
    "a"
#define O_ZZ                                                                                                 \
    "\x30\x09\x06\x03\x55\x04\x0a\x0c\x02"                                                                   \
    "zz"
#define RAW(s) span_of(s, sizeof(s) - 1)

Test(name, of_several_rdns_or_of_none_is_taken)
{
    cr_assert(is_name(RAW("\x30\x00")));
    cr_assert(is_name(RAW("\x30\x19\x31\x0a" CN_A "\x31\x0b" O_ZZ)));
    cr_assert(is_name(RAW("\x30\x0f\x31\x0d\x30\x0b\x06\x03\x55\x04\x09\x1e\x04\0A\0B")));
}

Test(name, whose_attributes_of_one_rdn_are_not_sorted_is_refused)
{
    cr_assert(is_name(RAW("\x30\x17\x31\x15" CN_A O_ZZ)));
    cr_assert(!is_name(RAW("\x30\x17\x31\x15" O_ZZ CN_A)));
}

Test(name, with_a_string_that_nobody_reads_is_refused)
{
    cr_assert(!is_name(RAW("\x30\x0d\x31\x0b\x30\x09\x06\x03\x55\x04\x09\x1e\x02\xd8\x00")), "a surrogate");
    cr_assert(!is_name(RAW("\x30\x0e\x31\x0c\x30\x0a\x06\x03\x55\x04\x03\x0c\x03\x61\x00\x62")), "a NUL");
    cr_assert(!is_name(RAW("\x30\x0f\x31\x0d\x30\x0b\x06\x03\x55\x04\x09\x1e\x04\xd8\x00\xdc\x00")),
              "a pair");
    cr_assert(!is_name(RAW("\x30\x0f\x31\x0d\x30\x0b\x06\x03\x55\x04\x09\x1c\x04\0\0\0A")),
              "UniversalString");
    cr_assert(!is_name(RAW("\x30\x0b\x31\x09\x30\x07\x06\x03\x55\x04\x09\x0c\x00")), "nothing in it");
    cr_assert(!is_name(RAW("\x30\x02\x31\x00")), "no attribute");
}

Test(name, with_octets_that_are_not_its_strings_characters_is_refused)
{
    cr_assert(is_name(RAW("\x30\x0c\x31\x0a\x30\x08\x06\x03\x55\x04\x09\x16\x01_")), "IA5String");
    cr_assert(!is_name(RAW("\x30\x0c\x31\x0a\x30\x08\x06\x03\x55\x04\x09\x16\x01\x80")), "IA5String");
    cr_assert(!is_name(RAW("\x30\x0c\x31\x0a\x30\x08\x06\x03\x55\x04\x09\x13\x01_")), "PrintableString");
    cr_assert(!is_name(RAW("\x30\x0c\x31\x0a\x30\x08\x06\x03\x55\x04\x11\x12\x01\x01")), "NumericString");
}
