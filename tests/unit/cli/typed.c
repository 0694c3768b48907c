/* SPDX-License-Identifier: Apache-2.0 */
/* typed: see typed.h. */
#include "tests/unit/cli/typed.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#define WORDS_MAX 24

void typed_run(struct typed *t, const char *const *words)
{
    char *argv[WORDS_MAX + 2] = {strdup("chancery")};
    size_t out_len, err_len;
    struct streams io = {.in_is_terminal = t->is_terminal,
                         .out_is_terminal = t->is_terminal,
                         .err_is_terminal = t->is_terminal,
                         .width = t->width};
    int argc = 1;

    unsetenv("CHANCERY_HOME");
    unsetenv("NO_COLOR");
    for (; *words != NULL; words++) {
        cr_assert(argc < WORDS_MAX);
        argv[argc++] = strdup(*words);
    }
    io.in = t->in != NULL && t->in[0] != '\0' ? fmemopen((void *)(uintptr_t)t->in, strlen(t->in), "r")
                                              : fopen("/dev/null", "r");
    io.out = open_memstream(&t->out, &out_len);
    io.err = open_memstream(&t->err, &err_len);
    t->code = cli_run_with(argc, argv, &io, TYPED_NOW);
    fclose(io.in);
    fclose(io.out);
    fclose(io.err);
    while (argc > 0)
        free(argv[--argc]);
}

void typed_free(struct typed *t)
{
    free(t->out);
    free(t->err);
    t->out = t->err = NULL;
}

struct canned *typed_against(struct typed *t, const char *const *answers, size_t n, const char *const *words)
{
    const char *all[WORDS_MAX] = {NULL};
    struct canned *c = canned_start(answers, n);
    size_t count = 0;

    while (words[count] != NULL) {
        all[count] = words[count];
        count++;
    }
    all[count++] = "--home";
    all[count++] = canned_home(c);
    typed_run(t, all);
    return c;
}

void expect_request(const struct canned *c, size_t i, const char *want)
{
    const char *got = canned_request(c, i);
    size_t len = strcspn(got, "\r");

    cr_assert(len == strlen(want) && memcmp(got, want, len) == 0, "request %zu: \"%.*s\", not \"%s\"", i,
              (int)len, got, want);
}
