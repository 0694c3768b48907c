/* SPDX-License-Identifier: Apache-2.0 */
#include "api/generation.h"

#include <criterion/criterion.h>
#include <string.h>

#include "ca/ca.h"

static const struct {
    const char *id, *next;
} ids[] = {
    {"rsa-g1", "rsa-g2"},
    {"rsa-root-g9", "rsa-root-g10"},
    {"ec-g99", "ec-g100"},
    {"corp", "corp-g2"},
    {"g7", "g7-g2"},
    {"-g7", "-g7-g2"},
    {"a-g", "a-g-g2"},
    {"a-g0", "a-g1"},
    {"a-g01", "a-g2"},
    {"a-g9999", "a-g10000"},
    {"a-g20260", "a-g20260-g2"},
    {"a-h1", "a-h1-g2"},
    {"a-g1-b", "a-g1-b-g2"},
};

Test(generation_id, grows_by_one_and_begins_where_there_is_none)
{
    char next[ISSUER_ID_MAX];

    for (size_t i = 0; i < sizeof ids / sizeof *ids; i++) {
        cr_assert(generation_id(ids[i].id, next));
        cr_expect_str_eq(next, ids[i].next, "%s", ids[i].id);
    }
}

Test(generation_id, longer_than_an_id_is_refused)
{
    char next[ISSUER_ID_MAX];

    cr_expect(generation_id("abcdefghijklmnopqrstuvwxyzab-g9", next) == false); /* 31 characters: one more */
    cr_expect(generation_id("abcdefghijklmnopqrstuvwxyza-g9", next));
    cr_expect_str_eq(next, "abcdefghijklmnopqrstuvwxyza-g10");
}

/* The next common name; NULL when it is refused. */
static const char *next_cn(const char *cn)
{
    static char out[GENERATION_CN_MAX];
    struct buf name, next, want;
    struct fault f = {0};
    enum err e;

    buf_init(&name, 1024);
    buf_init(&next, 1024);
    buf_init(&want, 1024);
    name_write(&name, "Example UC", cn);
    e = generation_name(buf_span(&name), &next, out, &f);
    if (e == OK) {
        name_write(&want, "Example UC", out);
        cr_expect(span_eq(buf_span(&next), buf_span(&want)));
    } else {
        cr_expect_neq(f.detail[0], '\0');
    }
    buf_free(&name);
    buf_free(&next);
    buf_free(&want);
    return e == OK ? out : NULL;
}

Test(generation_name, the_common_name_alone_grows)
{
    cr_expect_str_eq(next_cn("Example UC RSA Issuing CA G1"), "Example UC RSA Issuing CA G2");
    cr_expect_str_eq(next_cn("Example UC EC Root CA G9"), "Example UC EC Root CA G10");
    cr_expect_str_eq(next_cn("Example UC"), "Example UC G2");
    cr_expect_str_eq(next_cn("CA G20260"), "CA G20260 G2");
    cr_expect_str_eq(next_cn("SG1"), "SG1 G2");
}

Test(generation_name, the_sixty_fifth_character_is_refused)
{
    char cn[2 * CN_MAX + 1] = "";

    memset(cn, 'x', CN_MAX - 3);
    strcpy(cn + CN_MAX - 3, " G9");
    cr_expect_null(next_cn(cn));
    strcpy(cn + CN_MAX - 4, " G9");
    cr_expect_eq(strlen(next_cn(cn)), CN_MAX);
    for (size_t i = 0; i < CN_MAX - 4; i++) /* characters count, not octets */
        memcpy(cn + 2 * i, "\xc3\xa9", 2);
    cn[2 * (CN_MAX - 4)] = '\0';
    cr_expect_not_null(next_cn(cn));
    strcat(cn, "xx");
    cr_expect_null(next_cn(cn));
}

Test(generation_name, what_cannot_be_counted_on_is_refused)
{
    static const struct span names[] = {
        {(const uint8_t *)"\x30\x00", 2}, /* no common name */
        {(const uint8_t *)"\x31\x00", 2}, /* no Name */
        {(const uint8_t *)"\x30\x0d\x31\x0b\x30\x09\x06\x03\x55\x04\x03\x1e\x02\x00\x41", 15}, /* BMPString */
        {(const uint8_t *)"\x30\x0d\x31\x0b\x30\x09\x06\x03\x55\x04\x03\x0c\x02\x00\x41",
         15},                                                                        /* a NUL in it */
        {(const uint8_t *)"\x30\x18\x31\x0a\x30\x08\x06\x03\x55\x04\x03\x0c\x01\x41" /* two of them */
                          "\x31\x0a\x30\x08\x06\x03\x55\x04\x03\x0c\x01\x42",
         26},
    };
    char cn[GENERATION_CN_MAX];

    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        struct fault f = {0};
        struct buf out;

        buf_init(&out, 1024);
        cr_expect_eq(generation_name(names[i], &out, cn, &f), ERR_CONFLICT, "%zu", i);
        cr_expect_neq(f.detail[0], '\0');
        buf_free(&out);
    }
}
