/* SPDX-License-Identifier: Apache-2.0 */
/* cli: one run: find the command, check what it takes, run it, and make sure that its output arrived. */
#include "cli/cli.h"

#include <errno.h>
#include <locale.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "base/clock.h"
#include "cli/inner.h"

static const char *const format_names[FORMAT_COUNT] = {"table", "json", "jsonl", "csv",
                                                       "pem",   "der",  "p7b",   "chain"};

/* ---- saying things ---- */

static void usage_of(FILE *out, const struct command *k)
{
    fprintf(out, "usage: chancery %s%s%s%s%s%s%s\n", k->noun, k->verb != NULL ? " " : "",
            k->verb != NULL ? k->verb : "", k->argument != NULL ? " " : "",
            k->argument != NULL ? k->argument : "", k->synopsis[0] != '\0' ? " " : "", k->synopsis);
    if (k->formats == 0)
        return;
    fprintf(out, "       --output");
    for (unsigned f = 0, n = 0; f < FORMAT_COUNT; f++)
        if ((k->formats & FORMAT_BIT(f)) != 0)
            fprintf(out, "%s%s%s", n++ > 0 ? "|" : " ", format_names[f],
                    f == (unsigned)k->format_default ? " (default)" : "");
    fputc('\n', out);
}

static void say(struct cli *c, const char *prefix, const char *fmt, va_list ap)
{
    struct buf safe;
    char *text = NULL;

    if (vasprintf(&text, fmt, ap) < 0)
        return; /* no memory to say it in */
    buf_init(&safe, 1u << 20);
    text_put(&safe, span_str(text));
    fprintf(c->io.err, "%s%.*s\n", prefix, (int)safe.len, (const char *)safe.data);
    buf_free(&safe);
    free(text);
}

int cli_fail(struct cli *c, int code, const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    say(c, "chancery: ", fmt, ap);
    va_end(ap);
    return code;
}

int cli_misuse(struct cli *c, const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    say(c, "chancery: ", fmt, ap);
    va_end(ap);
    if (c->command != NULL)
        usage_of(c->io.err, c->command);
    return WRONG_USE;
}

int cli_fault(struct cli *c, const struct fault *f)
{
    bool is_service = f->code == ERR_UNAVAILABLE || f->code == ERR_TOO_LARGE;

    if (f->code == ERR_FORBIDDEN)
        return cli_fail(c, NOT_PERMITTED, "%s", f->detail);
    return cli_fail(c, is_service ? SERVICE_FAILED : WRONG_USE, "%s", f->detail);
}

void cli_note(struct cli *c, const char *fmt, ...)
{
    va_list ap;

    if (c->is_quiet)
        return;
    va_start(ap, fmt);
    say(c, "", fmt, ap);
    va_end(ap);
}

bool cli_confirm(struct cli *c, const char *fmt, ...)
{
    char answer[16] = "";
    va_list ap;

    if (c->is_yes || !c->io.in_is_terminal || !c->io.err_is_terminal)
        return true;
    va_start(ap, fmt);
    say(c, "", fmt, ap);
    va_end(ap);
    fputs("Go on? [y/N] ", c->io.err);
    fflush(c->io.err);
    if (fgets(answer, sizeof answer, c->io.in) == NULL)
        return false;
    return strcasecmp(answer, "y\n") == 0 || strcasecmp(answer, "yes\n") == 0;
}

/* ---- which command ---- */

static const struct command *command_find(const struct args *a)
{
    for (size_t i = 0; i < command_count; i++) {
        const struct command *k = &commands[i];

        if (a->word_count == 0 || strcmp(k->noun, a->words[0]) != 0)
            continue;
        if (k->verb == NULL || (a->word_count > 1 && strcmp(k->verb, a->words[1]) == 0))
            return k;
    }
    return NULL;
}

/* Each command of that noun; how many. */
static size_t usage_of_noun(FILE *out, const char *noun)
{
    size_t known = 0;

    for (size_t i = 0; i < command_count; i++)
        if (strcmp(commands[i].noun, noun) == 0) {
            usage_of(out, &commands[i]);
            known++;
        }
    return known + local_usage(out, noun, NULL);
}

/* No command: the verbs of a noun that exists, else everything. */
static int refuse_command(struct cli *c)
{
    const struct args *a = &c->args;

    if (a->word_count == 0) {
        cli_usage(c->io.err);
        return WRONG_USE;
    }
    if (a->word_count > 1)
        cli_fail(c, WRONG_USE, "no such command: %s %s", a->words[0], a->words[1]);
    else
        cli_fail(c, WRONG_USE, "no such command: %s", a->words[0]);
    if (usage_of_noun(c->io.err, a->words[0]) == 0)
        cli_usage(c->io.err);
    return WRONG_USE;
}

/* ---- what it takes ---- */

static enum err check_words(const struct command *k, const struct args *a, struct fault *f)
{
    size_t least = k->verb != NULL ? 2 : 1, most = least + (k->argument != NULL ? 1 : 0);

    if (a->word_count > most)
        return fault_set(f, ERR_USAGE, "one argument too many: %s", a->words[most]);
    if (a->word_count < most)
        return fault_set(f, ERR_USAGE, "%s is missing", k->argument);
    return OK;
}

static enum err check_options(const struct command *k, const struct args *a, struct fault *f)
{
    for (enum opt o = 0; o < OPT_COUNT; o++) {
        if (a->value[o] != NULL && ((OPTS_COMMON | k->options) & OPT_BIT(o)) == 0)
            return fault_set(f, ERR_USAGE, "%s %s takes no --%s", k->noun,
                             k->verb != NULL ? k->verb : "command", option_name(o));
        if (a->value[o] == NULL && (k->required & OPT_BIT(o)) != 0)
            return fault_set(f, ERR_USAGE, "--%s is missing", option_name(o));
    }
    for (size_t i = 0; i < a->again_count; i++)
        if ((k->options & OPTS_REPEAT) == 0)
            return fault_set(f, ERR_USAGE, "--%s is given twice", option_name(a->again[i].opt));
    return OK;
}

static enum err choose_format(const struct command *k, const char *name, enum format *out, struct fault *f)
{
    *out = k->format_default;
    if (name == NULL)
        return OK;
    for (enum format i = 0; i < FORMAT_COUNT; i++) {
        if (strcmp(format_names[i], name) != 0 || (k->formats & FORMAT_BIT(i)) == 0)
            continue;
        *out = i;
        return OK;
    }
    return fault_set(f, ERR_USAGE, "--output %s: not a form of this result", name);
}

/* ---- a run ---- */

static void set_manners(struct cli *c)
{
    const char *no_color = getenv("NO_COLOR"); /* https://no-color.org: any value but an empty one */
    bool color = cli_option(c, OPT_NO_COLOR) == NULL && (no_color == NULL || no_color[0] == '\0');

    c->is_quiet = cli_option(c, OPT_QUIET) != NULL;
    c->is_dry_run = cli_option(c, OPT_DRY_RUN) != NULL;
    c->is_yes = cli_option(c, OPT_YES) != NULL;
    c->out_color = color && c->io.out_is_terminal;
    c->err_color = color && c->io.err_is_terminal;
}

/* A full disk or a closed pipe shows when the last octets leave. */
static int flush_output(struct cli *c, int code)
{
    if (fflush(c->io.out) == 0 && !ferror(c->io.out))
        return code;
    return cli_fail(c, WRONG_USE, "standard output: %s", strerror(errno));
}

static int run_command(struct cli *c, const struct command *k)
{
    struct fault f = {0};

    if (check_words(k, &c->args, &f) != OK || check_options(k, &c->args, &f) != OK ||
        choose_format(k, cli_option(c, OPT_OUTPUT), &c->format, &f) != OK)
        return cli_misuse(c, "%s", f.detail);
    return k->run(c);
}

static int show_help(struct cli *c, const struct command *k)
{
    if (k != NULL)
        usage_of(c->io.out, k);
    else if (c->args.word_count == 0 || usage_of_noun(c->io.out, c->args.words[0]) == 0)
        cli_usage(c->io.out);
    return DONE;
}

static int run(int argc, char **argv, const struct streams *io, int64_t now_s, const struct cli_hooks *hooks)
{
    struct cli c = {.io = *io, .now_s = now_s, .hooks = hooks};
    const struct command *k;
    struct fault f = {0};
    enum err e = args_parse(argc, argv, &c.args, &f);
    int code;

    set_manners(&c);
    k = c.command = command_find(&c.args);
    if (e != OK)
        return cli_misuse(&c, "%s", f.detail);
    if (cli_option(&c, OPT_VERSION) != NULL)
        fprintf(c.io.out, "chancery %s\n", CHANCERY_VERSION), code = DONE;
    else if (cli_option(&c, OPT_HELP) != NULL ||
             (c.args.word_count > 0 && strcmp(c.args.words[0], "help") == 0))
        code = show_help(&c, k);
    else
        code = k != NULL ? run_command(&c, k) : refuse_command(&c);
    service_close(&c);
    return flush_output(&c, code);
}

int cli_run_with(int argc, char **argv, const struct streams *io, int64_t now_s)
{
    return run(argc, argv, io, now_s, NULL);
}

static unsigned terminal_width(void)
{
    struct winsize size;

    return ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 ? size.ws_col : 0;
}

int cli_run(int argc, char **argv, const struct cli_hooks *hooks)
{
    struct streams io = {.in = stdin,
                         .out = stdout,
                         .err = stderr,
                         .in_is_terminal = isatty(STDIN_FILENO) == 1,
                         .out_is_terminal = isatty(STDOUT_FILENO) == 1,
                         .err_is_terminal = isatty(STDERR_FILENO) == 1};

    setlocale(LC_CTYPE, "C.UTF-8"); /* wcwidth() needs to know it is UTF-8; nothing else asks */
    if (io.out_is_terminal)
        io.width = terminal_width();
    return run(argc, argv, &io, clock_now_s(), hooks);
}
