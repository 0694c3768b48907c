/* SPDX-License-Identifier: Apache-2.0 */
/* Does an encrypted cursor come back for whom it was made, for nobody else, and say nothing of its length? */
#include "api/api.h"

#include <criterion/criterion.h>
#include <string.h>

static const uint8_t key[VEIL_KEY_LEN] = {1, 2, 3}, other[VEIL_KEY_LEN] = {1, 2, 4};

static void veiled(const char *cursor, char out[static CURSOR_MAX])
{
    strcpy(out, cursor);
    veil_put(key, "token:aa", out);
}

Test(veil, gives_the_cursor_back_to_whom_it_was_made_for)
{
    char text[CURSOR_MAX];

    veiled("0102ff7065726861707361686f7374", text);
    cr_assert(strstr(text, "686f7374") == NULL);
    cr_assert(veil_take(key, "token:aa", text));
    cr_assert_str_eq(text, "0102ff7065726861707361686f7374");
}

Test(veil, hides_the_longest_that_a_list_writes)
{
    char whole[CURSOR_MAX], text[CURSOR_MAX];

    memset(whole, 'a', 2 * CURSOR_OCTETS_MAX);
    whole[2 * CURSOR_OCTETS_MAX] = '\0';
    veiled(whole, text);
    cr_assert(veil_take(key, "token:aa", text));
    cr_assert_str_eq(text, whole);
}

Test(veil, gives_nothing_to_another_login_or_process)
{
    char text[CURSOR_MAX], before[CURSOR_MAX];

    veiled("0102", text);
    strcpy(before, text);
    cr_assert_not(veil_take(key, "token:ab", text));
    cr_assert_not(veil_take(other, "token:aa", text));
    cr_assert_str_eq(text, before);
}

Test(veil, takes_nothing_that_was_changed_cut_or_never_encrypted)
{
    char whole[CURSOR_MAX], text[CURSOR_MAX];

    veiled("0102", whole);
    for (size_t i = 0; whole[i] != '\0'; i++) {
        strcpy(text, whole);
        text[i] = text[i] == '0' ? '1' : '0';
        cr_assert_not(veil_take(key, "token:aa", text), "digit %zu", i);
    }
    strcpy(text, whole);
    text[strlen(text) - 2] = '\0';
    cr_assert_not(veil_take(key, "token:aa", text));
    strcpy(text, "0102");
    cr_assert_not(veil_take(key, "token:aa", text));
    text[0] = '\0';
    cr_assert_not(veil_take(key, "token:aa", text));
}

Test(veil, has_one_length_and_never_the_same_text)
{
    char small[CURSOR_MAX], again[CURSOR_MAX], large[CURSOR_MAX] = "";

    veiled("01", small);
    veiled("01", again);
    cr_assert_str_neq(small, again);
    for (size_t i = 0; i < 327; i++) /* octets: the longest cursor of the store */
        strcat(large, "61");
    veil_put(key, "token:aa", large);
    cr_assert_eq(strlen(small), strlen(large));
    cr_assert(veil_take(key, "token:aa", large));
    cr_assert_eq(strlen(large), 2 * 327);
}
