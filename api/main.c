/* SPDX-License-Identifier: Apache-2.0 */
/* main: which command is whose. What concerns this machine (init, serve, config) is handled here; the rest
 * talks to the service. */
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "api/role.h"
#include "cli/cli.h"

#define EXIT_USAGE 1

struct command {
    const char *home, *ready_file, *output;
    struct init_options init;
    const char *words[4]; /* noun, verb, file */
    int word_count;
};

enum local_option {
    LOCAL_HOME = 1,
    LOCAL_NAME,
    LOCAL_HOST,
    LOCAL_HTTP,
    LOCAL_HTTPS,
    LOCAL_READY,
    LOCAL_OUTPUT,
    LOCAL_FLAG,
    LOCAL_HELP
};

/* The flags common to every command are taken here too, so that a habit is never an error. */
static const struct option options[] = {
    {"home", required_argument, NULL, LOCAL_HOME},     {"name", required_argument, NULL, LOCAL_NAME},
    {"host", required_argument, NULL, LOCAL_HOST},     {"http", required_argument, NULL, LOCAL_HTTP},
    {"https", required_argument, NULL, LOCAL_HTTPS},   {"ready-file", required_argument, NULL, LOCAL_READY},
    {"output", required_argument, NULL, LOCAL_OUTPUT}, {"quiet", no_argument, NULL, LOCAL_FLAG},
    {"no-color", no_argument, NULL, LOCAL_FLAG},       {"yes", no_argument, NULL, LOCAL_FLAG},
    {"help", no_argument, NULL, LOCAL_HELP},           {NULL, 0, NULL, 0},
};

static bool take_option(struct command *c, int option)
{
    const char **const places[] = {
        [LOCAL_HOME] = &c->home,      [LOCAL_NAME] = &c->init.name,   [LOCAL_HOST] = &c->init.host,
        [LOCAL_HTTP] = &c->init.http, [LOCAL_HTTPS] = &c->init.https, [LOCAL_READY] = &c->ready_file,
        [LOCAL_OUTPUT] = &c->output};

    if (option == LOCAL_FLAG)
        return true;
    if (option < LOCAL_HOME || option > LOCAL_OUTPUT)
        return false; /* getopt has said what is wrong with it */
    *places[option] = optarg;
    return true;
}

/* False when the usage should be shown. */
static bool parse(int argc, char **argv, struct command *c)
{
    int option;

    while ((option = getopt_long(argc, argv, "", options, NULL)) != -1)
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
    return init_main(&c->init);
}

static int run_serve(struct command *c)
{
    return serve_main(c->home, c->ready_file);
}

static int run_config(struct command *c)
{
    if (c->word_count >= 2 && strcmp(c->words[1], "check") == 0)
        return config_check_main(c->home, c->words[2]);
    if (c->word_count == 2 && strcmp(c->words[1], "show") == 0)
        return config_show_main(c->home, c->output);
    fprintf(stderr, "chancery: config check [FILE] or config show\n");
    return EXIT_USAGE;
}

static int run_role(struct command *c)
{
    return role_main(c->words[1], c->home);
}

static const struct {
    const char *noun;
    int words_min, words_max;
    int (*run)(struct command *c);
} locals[] = {
    {"init", 1, 1, run_init},
    {"serve", 1, 1, run_serve},
    {"config", 2, 3, run_config},
    {"role", 2, 2, run_role},
};

static int run_local(size_t i, int argc, char **argv)
{
    const char *home = getenv("CHANCERY_HOME");
    struct command c = {
        .home = home != NULL && *home != '\0' ? home : "./run",
        .init = {
            .name = "Chancery", .host = "localhost", .http = "127.0.0.1:8080", .https = "127.0.0.1:8443"}};

    if (!parse(argc, argv, &c) || c.word_count < locals[i].words_min || c.word_count > locals[i].words_max) {
        cli_usage(stderr);
        return EXIT_USAGE;
    }
    return locals[i].run(&c);
}

/* The noun is the first word that is no option; for the local ones it comes first, as the usage shows it. */
int main(int argc, char **argv)
{
    for (size_t i = 0; argc > 1 && i < sizeof locals / sizeof *locals; i++)
        if (strcmp(argv[1], locals[i].noun) == 0)
            return run_local(i, argc, argv);
    return cli_run(argc, argv);
}
