/* SPDX-License-Identifier: Apache-2.0 */
/* main: which command is whose. What concerns this machine (init, serve, config) is handled here; the rest
 * talks to the service. */
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "api/backup.h"
#include "api/renew.h"
#include "api/role.h"
#include "api/store_command.h"
#include "cli/cli.h"

struct command {
    const char *home, *host, *ready_file, *parent, *output;
    struct init_options init;
    const char *words[4]; /* noun, verb, file */
    int word_count;
    const char *argument; /* the word behind the command's own; NULL */
    unsigned given;       /* options with a value */
    bool wants_help, wants_version;
};

enum local_option {
    LOCAL_HOME = 256, /* beyond getopt_long's own codes */
    LOCAL_NAME,
    LOCAL_HOST,
    LOCAL_HTTP,
    LOCAL_HTTPS,
    LOCAL_RSA_OCSP_KEY,
    LOCAL_READY,
    LOCAL_PARENT,
    LOCAL_OUTPUT,
    LOCAL_REMOTE,
    LOCAL_FLAG,
    LOCAL_QUIET,
    LOCAL_DRY_RUN,
    LOCAL_HELP,
    LOCAL_VERSION
};

/* The flags common to every command are taken here too, so that a habit is never an error. */
static const struct option options[] = {
    {"home", required_argument, NULL, LOCAL_HOME},
    {"name", required_argument, NULL, LOCAL_NAME},
    {"host", required_argument, NULL, LOCAL_HOST},
    {"http", required_argument, NULL, LOCAL_HTTP},
    {"https", required_argument, NULL, LOCAL_HTTPS},
    {"rsa-ocsp-key", required_argument, NULL, LOCAL_RSA_OCSP_KEY},
    {"ready-file", required_argument, NULL, LOCAL_READY},
    {"parent", required_argument, NULL, LOCAL_PARENT},
    {"output", required_argument, NULL, LOCAL_OUTPUT},
    {"server", required_argument, NULL, LOCAL_REMOTE},
    {"cacert", required_argument, NULL, LOCAL_REMOTE},
    {"cert", required_argument, NULL, LOCAL_REMOTE},
    {"key", required_argument, NULL, LOCAL_REMOTE},
    {"token", required_argument, NULL, LOCAL_REMOTE},
    {"quiet", no_argument, NULL, LOCAL_QUIET},
    {"no-color", no_argument, NULL, LOCAL_FLAG},
    {"yes", no_argument, NULL, LOCAL_FLAG},
    {"dry-run", no_argument, NULL, LOCAL_DRY_RUN},
    {"help", no_argument, NULL, LOCAL_HELP},
    {"version", no_argument, NULL, LOCAL_VERSION},
    {NULL, 0, NULL, 0},
};

#define BIT(o) (1u << ((o)-LOCAL_HOME))
#define COMMON_OPTIONS (BIT(LOCAL_HOME) | BIT(LOCAL_OUTPUT))
#define INIT_OPTIONS                                                                                         \
    (BIT(LOCAL_NAME) | BIT(LOCAL_HOST) | BIT(LOCAL_HTTP) | BIT(LOCAL_HTTPS) | BIT(LOCAL_RSA_OCSP_KEY))

static bool take_value(struct command *c, int option)
{
    const char **const places[] = {&c->home,       &c->init.name,  &c->host,
                                   &c->init.http,  &c->init.https, &c->init.rsa_ocsp_key,
                                   &c->ready_file, &c->parent,     &c->output}; /* as the enum has them */

    if (optarg[0] == '\0') {
        fprintf(stderr, "chancery: --%s is empty\n", options[option - LOCAL_HOME].name);
        return false;
    }
    c->given |= BIT(option);
    *places[option - LOCAL_HOME] = optarg;
    return option != LOCAL_OUTPUT || result_has_form(optarg);
}

static bool take_option(struct command *c, int option)
{
    if (option == 'h')
        option = LOCAL_HELP;
    if (option < LOCAL_HOME)
        return false; /* getopt has said what is wrong with it */
    if (option <= LOCAL_OUTPUT)
        return take_value(c, option);
    if (option == LOCAL_REMOTE) {
        fprintf(stderr,
                "chancery: this command is about a home on this machine: it takes --home, and no --server\n");
        return false;
    }
    c->init.is_quiet = c->init.is_quiet || option == LOCAL_QUIET;
    c->init.is_dry_run = c->init.is_dry_run || option == LOCAL_DRY_RUN;
    c->wants_help = c->wants_help || option == LOCAL_HELP;
    c->wants_version = c->wants_version || option == LOCAL_VERSION;
    return true;
}

/* False, and said, when it cannot be read. */
static bool parse(int argc, char **argv, struct command *c)
{
    int option;

    optind = 0; /* glibc: start afresh */
    opterr = 1;
    while ((option = getopt_long(argc, argv, "h", options, NULL)) != -1)
        if (!take_option(c, option))
            return false;
    for (; optind < argc; optind++) {
        if (c->word_count == 3) {
            fprintf(stderr, "chancery: too many arguments: %s\n", argv[optind]);
            return false;
        }
        c->words[c->word_count++] = argv[optind];
    }
    return true;
}

static int run_init(struct command *c)
{
    c->init.home = c->home;
    if (c->host != NULL)
        c->init.host = c->host;
    return init_main(&c->init);
}

static int run_serve(struct command *c)
{
    if (c->init.is_dry_run) /* whether it would start is first of all whether the configuration is right */
        return config_check_main(c->home, NULL, c->output);
    return serve_main(c->home, c->ready_file);
}

static int run_config_check(struct command *c)
{
    return config_check_main(c->home, c->argument, c->output);
}

static int run_config_show(struct command *c)
{
    return config_show_main(c->home, c->output);
}

static struct local_run how_of(const struct command *c)
{
    return (struct local_run){c->home, c->output, c->init.is_quiet, c->init.is_dry_run};
}

static int run_store_check(struct command *c)
{
    const struct local_run how = how_of(c);

    return store_command_check(&how, c->argument);
}

/* A `-` is standard input or output wherever a file is wanted; as a directory it would be a surprise, and a
 * backup holds keys. False, and said. */
static bool is_directory(const char *argument)
{
    if (strcmp(argument, "-") != 0)
        return true;
    fprintf(stderr, "chancery: -: a directory is wanted, not standard input or output\n");
    return false;
}

static int run_store_backup(struct command *c)
{
    const struct local_run how = how_of(c);

    if (!is_directory(c->argument))
        return WRONG_USE;
    return backup_main(&how, c->argument);
}

static int run_store_restore(struct command *c)
{
    const struct local_run how = how_of(c);

    if (!is_directory(c->argument))
        return WRONG_USE;
    return restore_main(&how, c->argument);
}

static int run_store_snapshot(struct command *c)
{
    const struct local_run how = how_of(c);

    if (!is_directory(c->argument))
        return WRONG_USE;
    return store_command_snapshot(&how, c->argument, c->host);
}

static int run_ca_renew(struct command *c)
{
    const struct local_run how = how_of(c);

    return renew_main(&how, c->argument, c->parent);
}

static int run_role(struct command *c)
{
    return role_main(c->argument);
}

static const struct local {
    const char *noun, *verb; /* NULL: the noun is the command */
    int arguments_min, arguments_max;
    unsigned takes; /* beside the common options: ignoring one would be worse than refusing it */
    enum { NO_RESULT, RESULT, RESULT_OF_DRY_RUN } result; /* on standard output, in the form of --output */
    int (*run)(struct command *c);
} locals[] = {
    {"init", NULL, 0, 0, INIT_OPTIONS, NO_RESULT, run_init},
    {"serve", NULL, 0, 0, BIT(LOCAL_READY), RESULT_OF_DRY_RUN, run_serve},
    {"config", "check", 0, 1, 0, RESULT, run_config_check},
    {"config", "show", 0, 0, 0, RESULT, run_config_show},
    {"store", "check", 0, 1, 0, RESULT, run_store_check},
    {"store", "backup", 1, 1, 0, NO_RESULT, run_store_backup},
    {"store", "restore", 1, 1, 0, NO_RESULT, run_store_restore},
    {"store", "snapshot", 1, 1, BIT(LOCAL_HOST), NO_RESULT, run_store_snapshot},
    {"ca", "renew", 1, 1, BIT(LOCAL_PARENT), RESULT, run_ca_renew},
    {"role", NULL, 1, 1, 0, NO_RESULT, run_role},
};

static const struct local *local_find(const struct command *c)
{
    for (size_t i = 0; i < sizeof locals / sizeof *locals; i++) {
        const struct local *l = &locals[i];

        if (strcmp(c->words[0], l->noun) == 0 &&
            (l->verb == NULL || (c->word_count > 1 && strcmp(c->words[1], l->verb) == 0)))
            return l;
    }
    return NULL;
}

/* --output is for every command, so that a script may give it to each: one without a result writes nothing in
 * any form in which others write records. False, and said, for the forms of files, of which it has none; what
 * has a result judges its own. */
static bool is_form_fit(const struct command *c, const struct local *l)
{
    bool has_result = l->result == RESULT || (l->result == RESULT_OF_DRY_RUN && c->init.is_dry_run);
    char name[32];

    snprintf(name, sizeof name, "%s%s%s", l->noun, l->verb != NULL ? " " : "",
             l->verb != NULL ? l->verb : "");
    return has_result || result_is_record(name, c->output);
}

/* False, and said, when that command is typed otherwise. */
static bool is_typed_well(struct command *c, const struct local *l)
{
    int own = l->verb != NULL ? 2 : 1, arguments = c->word_count - own;
    unsigned other = c->given & ~(l->takes | COMMON_OPTIONS);

    if (arguments > l->arguments_max)
        fprintf(stderr, "chancery: too many arguments: %s\n", c->words[own + l->arguments_max]);
    else if (arguments < l->arguments_min)
        fprintf(stderr, "chancery: an argument is missing\n");
    else if (other != 0)
        fprintf(stderr, "chancery: --%s is for another command\n", options[__builtin_ctz(other)].name);
    else
        return is_form_fit(c, l);
    return false;
}

static int misuse(const char *noun, const char *verb)
{
    cli_usage_local(stderr, noun, verb);
    return WRONG_USE;
}

static int run_command(struct command *c)
{
    const struct local *l = local_find(c);

    if (l == NULL) {
        fprintf(stderr, "chancery: no such command: %s%s%s\n", c->words[0], c->word_count > 1 ? " " : "",
                c->word_count > 1 ? c->words[1] : "");
        return misuse(c->words[0], NULL);
    }
    if (!is_typed_well(c, l))
        return misuse(l->noun, l->verb);
    c->argument = c->words[l->verb != NULL ? 2 : 1];
    return l->run(c);
}

static int run_local(const char *noun, int argc, char **argv)
{
    const char *home = getenv("CHANCERY_HOME");
    struct command c = {.home = home != NULL && *home != '\0' ? home : "./run",
                        .init = {.name = "Chancery",
                                 .host = "localhost",
                                 .http = "127.0.0.1:8080",
                                 .https = "127.0.0.1:8443",
                                 .rsa_ocsp_key = "rsa-2048"}};

    if (!parse(argc, argv, &c))
        return misuse(noun, NULL);
    if (c.wants_version) {
        printf("chancery %s\n", CHANCERY_VERSION);
        return DONE;
    }
    if (c.wants_help) {
        cli_usage_local(stdout, c.words[0], c.words[1]);
        return DONE;
    }
    return run_command(&c);
}

/* A full disk or a closed pipe shows when the last octets leave. */
static int flush_output(int code)
{
    if (fflush(stdout) == 0 && !ferror(stdout))
        return code;
    fprintf(stderr, "chancery: standard output: %s\n", strerror(errno));
    return code != DONE ? code : WRONG_USE;
}

/* The first two words that are no options, NULL for one that is missing. None when an option that is not ours
 * stands before them: then it is no local command. */
static void words_of(int argc, char **argv, const char *words[static 2])
{
    size_t count = 0;
    int option;

    opterr = 0;
    while (count < 2 && (option = getopt_long(argc, argv, "-:h", options, NULL)) != -1 && option != '?' &&
           option != ':')
        if (option == 1)
            words[count++] = optarg;
}

/* Commands of some nouns are in part the service's. */
static bool is_local(const char *const words[static 2])
{
    for (size_t i = 0; words[0] != NULL && i < sizeof locals / sizeof *locals; i++)
        if (strcmp(words[0], locals[i].noun) == 0 &&
            (!cli_has_noun(words[0]) ||
             (words[1] != NULL && locals[i].verb != NULL && strcmp(words[1], locals[i].verb) == 0)))
            return true;
    return false;
}

static const struct cli_hooks hooks = {.check_store = store_command_audit};

int main(int argc, char **argv)
{
    const char *words[2] = {NULL, NULL};

    words_of(argc, argv, words);
    if (is_local(words))
        return flush_output(run_local(words[0], argc, argv));
    return cli_run(argc, argv, &hooks);
}
