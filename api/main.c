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
#include "api/role.h"
#include "api/store_command.h"
#include "cli/cli.h"

#define EXIT_USAGE 1

struct command {
    const char *home, *host, *ready_file, *output;
    struct init_options init;
    const char *words[4]; /* noun, verb, file */
    int word_count;
    unsigned refused; /* options of other commands: ignoring one would be worse than refusing it */
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
    LOCAL_OUTPUT,
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
    {"output", required_argument, NULL, LOCAL_OUTPUT},
    {"quiet", no_argument, NULL, LOCAL_QUIET},
    {"no-color", no_argument, NULL, LOCAL_FLAG},
    {"yes", no_argument, NULL, LOCAL_FLAG},
    {"dry-run", no_argument, NULL, LOCAL_DRY_RUN},
    {"help", no_argument, NULL, LOCAL_HELP},
    {"version", no_argument, NULL, LOCAL_VERSION},
    {NULL, 0, NULL, 0},
};

#define BIT(o) (1u << ((o)-LOCAL_HOME))
#define INIT_OPTIONS                                                                                         \
    (BIT(LOCAL_NAME) | BIT(LOCAL_HOST) | BIT(LOCAL_HTTP) | BIT(LOCAL_HTTPS) | BIT(LOCAL_RSA_OCSP_KEY))

static bool take_value(struct command *c, int option)
{
    const char **const places[] = {&c->home,       &c->init.name,  &c->host,
                                   &c->init.http,  &c->init.https, &c->init.rsa_ocsp_key,
                                   &c->ready_file, &c->output}; /* as the enum has them */

    if (optarg[0] == '\0') {
        fprintf(stderr, "chancery: --%s is empty\n", options[option - LOCAL_HOME].name);
        return false;
    }
    if ((c->refused & BIT(option)) != 0) {
        fprintf(stderr, "chancery: --%s is for another command\n", options[option - LOCAL_HOME].name);
        return false;
    }
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
    c->init.is_quiet = c->init.is_quiet || option == LOCAL_QUIET;
    c->init.is_dry_run = c->init.is_dry_run || option == LOCAL_DRY_RUN;
    c->wants_help = c->wants_help || option == LOCAL_HELP;
    c->wants_version = c->wants_version || option == LOCAL_VERSION;
    return true;
}

/* False when the usage should be shown. */
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

static int run_config(struct command *c)
{
    if (c->word_count >= 2 && strcmp(c->words[1], "check") == 0)
        return config_check_main(c->home, c->words[2], c->output);
    if (c->word_count == 2 && strcmp(c->words[1], "show") == 0)
        return config_show_main(c->home, c->output);
    fprintf(stderr, "chancery: config check [FILE] or config show\n");
    return EXIT_USAGE;
}

static int run_store(struct command *c)
{
    const struct local_run how = {c->home, c->output, c->init.is_quiet, c->init.is_dry_run};

    if (c->word_count == 3 && strcmp(c->words[1], "snapshot") == 0)
        return store_snapshot_main(&how, c->words[2], c->host);
    if (c->word_count == 3 && strcmp(c->words[1], "backup") == 0)
        return backup_main(&how, c->words[2]);
    if (c->word_count == 3 && strcmp(c->words[1], "restore") == 0)
        return restore_main(&how, c->words[2]);
    if (c->word_count >= 2 && strcmp(c->words[1], "check") == 0)
        return store_check_main(&how, c->words[2]);
    fprintf(stderr, "chancery: store check [DIR], store backup DIR, store restore DIR, store snapshot DIR "
                    "[--host NAME]\n");
    return EXIT_USAGE;
}

static int run_role(struct command *c)
{
    return role_main(c->words[1]);
}

static const struct {
    const char *noun;
    int words_min, words_max;
    unsigned refused;
    int (*run)(struct command *c);
} locals[] = {
    {"init", 1, 1, BIT(LOCAL_READY), run_init},
    {"serve", 1, 1, INIT_OPTIONS, run_serve},
    {"config", 2, 3, INIT_OPTIONS | BIT(LOCAL_READY), run_config},
    {"store", 2, 3, (INIT_OPTIONS & ~BIT(LOCAL_HOST)) | BIT(LOCAL_READY), run_store},
    {"role", 2, 2, INIT_OPTIONS | BIT(LOCAL_READY), run_role},
};

static int run_local(size_t i, int argc, char **argv)
{
    const char *home = getenv("CHANCERY_HOME");
    struct command c = {.refused = locals[i].refused,
                        .home = home != NULL && *home != '\0' ? home : "./run",
                        .init = {.name = "Chancery",
                                 .host = "localhost",
                                 .http = "127.0.0.1:8080",
                                 .https = "127.0.0.1:8443",
                                 .rsa_ocsp_key = "rsa-2048"}};

    bool is_clear = parse(argc, argv, &c);

    if (is_clear && c.wants_version) {
        printf("chancery %s\n", CHANCERY_VERSION);
        return 0;
    }
    if (is_clear && c.wants_help) {
        cli_usage_local(stdout, c.words[0], c.words[1]);
        return 0;
    }
    if (!is_clear || c.word_count < locals[i].words_min || c.word_count > locals[i].words_max) {
        cli_usage(stderr);
        return EXIT_USAGE;
    }
    return locals[i].run(&c);
}

/* A full disk or a closed pipe shows when the last octets leave. */
static int flush_output(int code)
{
    if (fflush(stdout) == 0 && !ferror(stdout))
        return code;
    fprintf(stderr, "chancery: standard output: %s\n", strerror(errno));
    return code != 0 ? code : EXIT_USAGE;
}

/* The first word that is no option. NULL when an option that is not ours stands before it: then it is no
 * local command. */
static const char *noun_of(int argc, char **argv)
{
    int option;

    opterr = 0;
    while ((option = getopt_long(argc, argv, "-:h", options, NULL)) >= LOCAL_HOME || option == 'h')
        ;
    return option == 1 ? optarg : NULL;
}

static const struct cli_hooks hooks = {.check_store = store_check_audit};

int main(int argc, char **argv)
{
    const char *noun = noun_of(argc, argv);

    for (size_t i = 0; noun != NULL && i < sizeof locals / sizeof *locals; i++)
        if (strcmp(noun, locals[i].noun) == 0)
            return flush_output(run_local(i, argc, argv));
    return cli_run(argc, argv, &hooks);
}
