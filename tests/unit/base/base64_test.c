/* SPDX-License-Identifier: Apache-2.0 */
/* Is the text that of RFC 4648? */
#include <criterion/criterion.h>
#include <string.h>

#include "base/base64.h"

Test(base64, the_vectors_of_the_rfc)
{
    static const struct {
        const char *octets, *text;
    } rows[] = {{"", ""},
                {"f", "Zg=="},
                {"fo", "Zm8="},
                {"foo", "Zm9v"},
                {"foob", "Zm9vYg=="},
                {"fooba", "Zm9vYmE="},
                {"foobar", "Zm9vYmFy"},
                {"\xfb\xef\xff", "++//"}};

    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct buf b;

        buf_init(&b, 64);
        base64_put(&b, span_str(rows[i].octets));
        cr_assert(span_eq(buf_span(&b), span_str(rows[i].text)), "%s", rows[i].text);
        buf_free(&b);
    }
}

Test(base64, a_full_buffer_fails_for_good)
{
    struct buf b;

    buf_init(&b, 3);
    base64_put(&b, span_str("f"));
    cr_assert_neq(buf_end(&b), OK);
    buf_free(&b);
}
