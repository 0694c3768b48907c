/* SPDX-License-Identifier: Apache-2.0 */
/* Is a name of another kind told so that it can be found in the product that asked for it, whatever its
 * octets are? */
#include <criterion/criterion.h>
#include <string.h>

#include "ca/policy.h"

static const struct {
    const char *octets;
    size_t len;
    const char *text;
} rows[] = {
    {"\xa0\x0f\x06\x08\x2b\x06\x01\x05\x05\x07\x08\x05\xa0\x03\x0c\x01z", 17,
     "otherName XMPPAddress (1.3.6.1.5.5.7.8.5)"},
    {"\xa0\x0f\x06\x08\x2b\x06\x01\x05\x05\x07\x08\x07\xa0\x03\x16\x01z", 17,
     "otherName SRVName (1.3.6.1.5.5.7.8.7)"},
    {"\xa0\x0f\x06\x08\x2b\x06\x01\x05\x05\x07\x08\x06\xa0\x03\x16\x01z", 17, "otherName 1.3.6.1.5.5.7.8.6"},
    {"\xa0\x11\x06\x0a\x2b\x06\x01\x04\x01\x82\x37\x14\x02\x03\xa0\x03\x0c\x01z", 19,
     "otherName 1.3.6.1.4.1.311.20.2.3"},
    {"\xa0\x05\x06\x03\x88\x37\x03", 7, "otherName 2.999.3"}, /* X.690 8.19.5 */
    {"\xa0\x04\x06\x02\x00\x01", 6, "otherName 0.0.1"},
    /* an arc of 64 bits is shown; what is longer, or has no end, is no OID of anybody */
    {"\xa0\x0d\x06\x0b\x2a\x81\xff\xff\xff\xff\xff\xff\xff\xff\x7f", 15,
     "otherName 1.2.18446744073709551615"},
    {"\xa0\x0d\x06\x0b\x2a\x82\xff\xff\xff\xff\xff\xff\xff\xff\x7f", 15, "otherName"},
    {"\xa0\x03\x06\x01\x81", 5, "otherName"},
    {"\xa0\x02\x05\x00", 4, "otherName"},
    {"\xa0\x00", 2, "otherName"},
    {"\xa4\x02\x30\x00", 4, "directoryName"},
    {"\xa3\x00", 2, "x400Address"},
    {"\xa5\x00", 2, "ediPartyName"},
    {"\x88\x02\x2a\x03", 4, "registeredID"},
    {"\x9e\x00", 2, "another kind of name"},
    {"\xa0\x05\x06", 3, "another kind of name"}, /* cut off */
    {"", 0, "another kind of name"},
};

Test(other_name, is_its_kind_and_its_oid)
{
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct san s = {SAN_OTHER, span_of(rows[i].octets, rows[i].len)};
        struct buf text;

        buf_init(&text, 1024);
        san_text(&s, &text);
        buf_put_u8(&text, 0);
        cr_expect_str_eq((const char *)text.data, rows[i].text, "%zu", i);
        buf_free(&text);
    }
}
