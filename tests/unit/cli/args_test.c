/* SPDX-License-Identifier: Apache-2.0 */
/* Is a command line read as its writer meant it, and anything else refused in one line? */
#include <criterion/criterion.h>
#include <stdlib.h>

#include "tests/unit/cli/typed.h"

static enum err parse(struct args *a, struct fault *f, const char *const *words)
{
    static char *argv[16];
    int argc = 0;

    argv[argc++] = (char *)(uintptr_t) "chancery";
    while (*words != NULL)
        argv[argc++] = (char *)(uintptr_t)*words++;
    argv[argc] = NULL;
    *f = (struct fault){0};
    return args_parse(argc, argv, a, f);
}
#define PARSE(a, f, ...) parse(a, f, (const char *const[]){__VA_ARGS__, NULL})

Test(args, options_stand_anywhere)
{
    static const char *const lines[][8] = {
        {"cert", "show", "01", "--output", "json", "--quiet", NULL},
        {"--quiet", "--output=json", "cert", "show", "01", NULL},
        {"cert", "--output", "json", "show", "--quiet", "01", NULL},
        {"cert", "show", "--quiet", "--output", "json", "--", "01", NULL},
    };
    struct args a;
    struct fault f;

    for (size_t i = 0; i < COUNT_OF(lines); i++) {
        cr_assert_eq(parse(&a, &f, lines[i]), OK, "line %zu: %s", i, f.detail);
        cr_assert_eq(a.word_count, 3);
        cr_assert_str_eq(a.words[0], "cert");
        cr_assert_str_eq(a.words[2], "01");
        cr_assert_str_eq(a.value[OPT_OUTPUT], "json");
        cr_assert_not_null(a.value[OPT_QUIET]);
        cr_assert_null(a.value[OPT_YES]);
    }
}

Test(args, the_order_does_not_depend_on_the_environment)
{
    struct args a;
    struct fault f;

    setenv("POSIXLY_CORRECT", "1", 1);
    cr_assert_eq(PARSE(&a, &f, "cert", "list", "--limit", "5"), OK);
    cr_assert_str_eq(a.value[OPT_LIMIT], "5");
}

Test(args, a_dash_and_what_follows_two_dashes_are_words)
{
    struct args a;
    struct fault f;

    cr_assert_eq(PARSE(&a, &f, "csr", "sign", "-", "--profile", "p"), OK);
    cr_assert_str_eq(a.words[2], "-");
    cr_assert_eq(PARSE(&a, &f, "csr", "sign", "--", "--profile"), OK);
    cr_assert_str_eq(a.words[2], "--profile");
}

Test(args, what_makes_no_sense_is_named)
{
    static const struct {
        const char *words[8];
        const char *said;
    } rows[] = {
        {{"cert", "list", "--bogus"}, "unknown option --bogus"},
        {{"cert", "list", "-x"}, "unknown option -x"},
        {{"cert", "list", "--limit"}, "--limit needs a value"},
        {{"cert", "list", "--quiet=yes"}, "--quiet takes no value"},
        {{"cert", "list", "--limit", "1", "--limit", "2"}, "--limit is given twice"},
        {{"cert", "list", "--cn", ""}, "--cn is empty"},
        {{"cert", "show", ""}, "an argument is empty"},
        {{"a", "b", "c", "d"}, "one argument too many: d"},
    };
    struct args a;
    struct fault f;

    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        cr_assert_eq(parse(&a, &f, rows[i].words), ERR_USAGE, "row %zu", i);
        cr_assert_str_eq(f.detail, rows[i].said);
    }
}

Test(args, numbers_are_whole_and_in_range)
{
    static const char *const bad[] = {
        "", " 1", "+1", "-1", "1x", "1.5", "0x10", "101", "99999999999999999999"};
    int64_t n = 0;

    cr_assert(number_parse("0", 0, 100, &n) && n == 0);
    cr_assert(number_parse("100", 0, 100, &n) && n == 100);
    for (size_t i = 0; i < COUNT_OF(bad); i++)
        cr_assert(!number_parse(bad[i], 0, 100, &n), "%s", bad[i]);
}

/* ---- what each command takes ---- */

static bool has_word(const char *synopsis, const char *option)
{
    char want[64];
    const char *at;
    size_t len = (size_t)snprintf(want, sizeof want, "--%s", option);

    for (at = strstr(synopsis, want); at != NULL; at = strstr(at + 1, want))
        if (at[len] == ' ' || at[len] == ']' || at[len] == '\0')
            return true;
    return false;
}

Test(commands, the_synopsis_names_exactly_what_is_taken)
{
    for (size_t i = 0; i < command_count; i++)
        for (enum opt o = OPT_PROFILE; o < OPT_COUNT; o++)
            cr_assert_eq(has_word(commands[i].synopsis, option_name(o)),
                         (commands[i].options & OPT_BIT(o)) != 0, "%s %s --%s", commands[i].noun,
                         commands[i].verb, option_name(o));
}

Test(commands, what_is_required_is_taken_and_the_default_is_a_form)
{
    for (size_t i = 0; i < command_count; i++) {
        cr_assert_eq(commands[i].required & ~commands[i].options, 0);
        cr_assert((commands[i].formats & FORMAT_BIT(commands[i].format_default)) != 0);
        cr_assert_not_null(commands[i].run);
    }
}

static void expect_misuse(const char *const *words, const char *said)
{
    struct typed t = {0};

    typed_run(&t, words);
    cr_assert_eq(t.code, 1);
    cr_assert_str_eq(t.out, "");
    cr_assert(strstr(t.err, said) == t.err, "%s", t.err);
    cr_assert_not_null(strstr(t.err, "usage: chancery"));
    typed_free(&t);
}
#define MISUSE(said, ...) expect_misuse((const char *const[]){__VA_ARGS__, NULL}, said)

Test(commands, misuse_is_one_line_and_the_usage)
{
    MISUSE("chancery: no such command: cert burn\nusage: chancery cert list", "cert", "burn");
    MISUSE("chancery: no such command: nothing\nusage: chancery NOUN", "nothing");
    MISUSE("chancery: SERIAL is missing\nusage: chancery cert show SERIAL", "cert", "show");
    MISUSE("chancery: one argument too many: x\n", "health", "x");
    MISUSE("chancery: cert list takes no --reason\n", "cert", "list", "--reason", "superseded");
    MISUSE("chancery: --reason is missing\n", "cert", "revoke", "01");
    MISUSE("chancery: --profile is missing\n", "csr", "sign", "f");
    MISUSE("chancery: --output xml: not a form", "cert", "list", "--output", "xml");
    MISUSE("chancery: --output der: not a form", "cert", "list", "--output", "der");
    MISUSE("chancery: unknown option --\\u001b[31m\n", "cert", "list", "--\x1b[31m");
}

Test(commands, values_are_checked_before_anything_is_sent)
{
    MISUSE("chancery: --limit x: ", "cert", "list", "--limit", "x", "--home", "/nonexistent");
    MISUSE("chancery: --status good: ", "cert", "list", "--status", "good", "--home", "/nonexistent");
    MISUSE("chancery: --key-type dsa: ", "cert", "list", "--key-type", "dsa", "--home", "/nonexistent");
    MISUSE("chancery: --expires-within 3w: ", "cert", "list", "--expires-within", "3w", "--home",
           "/nonexistent");
    MISUSE("chancery: --days 0: ", "csr", "sign", "/dev/null", "--profile", "p", "--days", "0", "--home",
           "/nonexistent");
    MISUSE("chancery: --reason keycompromise: ", "cert", "revoke", "01", "--reason", "keycompromise",
           "--home", "/nonexistent");
    MISUSE("chancery: --invalidity-date today: ", "cert", "revoke", "01", "--reason", "superseded",
           "--invalidity-date", "today", "--home", "/nonexistent");
    MISUSE("chancery: xyz: a serial number", "cert", "show", "xyz", "--home", "/nonexistent");
}

Test(commands, help_and_version_are_data)
{
    struct typed t = {0};

    TYPE(&t, "--help");
    cr_assert_eq(t.code, 0);
    cr_assert_str_eq(t.err, "");
    for (size_t i = 0; i < command_count; i++)
        cr_assert_not_null(strstr(t.out, commands[i].summary));
    cr_assert_not_null(strstr(t.out, "\n  init "));
    typed_free(&t);
    TYPE(&t, "cert", "show", "--help");
    cr_assert_eq(t.code, 0);
    cr_assert(strstr(t.out, "usage: chancery cert show SERIAL\n") == t.out);
    typed_free(&t);
    TYPE(&t, "--version");
    cr_assert_eq(t.code, 0);
    cr_assert_str_eq(t.out, "chancery " CHANCERY_VERSION "\n");
    typed_free(&t);
}

Test(commands, nothing_typed_is_misuse)
{
    struct typed t = {0};

    typed_run(&t, (const char *const[]){NULL});
    cr_assert_eq(t.code, 1);
    cr_assert(strstr(t.err, "usage: chancery") == t.err);
    typed_free(&t);
}
