/* SPDX-License-Identifier: Apache-2.0 */
/* args: the options of every command in one table, read by getopt_long. Which of them a command takes is its
 * own row. */
#include <errno.h>
#include <getopt.h>
#include <stdlib.h>
#include <string.h>

#include "cli/inner.h"

#define VALUE_MAX 4096 /* octets of one argument: a path, a name or a URL */

static const struct {
    const char *name;
    bool has_value;
    bool repeats; /* some command takes it more than once */
} options[OPT_COUNT] = {
    [OPT_HOME] = {"home", true},
    [OPT_SERVER] = {"server", true},
    [OPT_CACERT] = {"cacert", true},
    [OPT_CERT] = {"cert", true},
    [OPT_KEY] = {"key", true},
    [OPT_TOKEN] = {"token", true},
    [OPT_OUTPUT] = {"output", true},
    [OPT_QUIET] = {"quiet", false},
    [OPT_NO_COLOR] = {"no-color", false},
    [OPT_DRY_RUN] = {"dry-run", false},
    [OPT_YES] = {"yes", false},
    [OPT_HELP] = {"help", false},
    [OPT_VERSION] = {"version", false},
    [OPT_PROFILE] = {"profile", true, true},
    [OPT_DAYS] = {"days", true},
    [OPT_CERTIFICATE] = {"certificate", true},
    [OPT_OUT] = {"out", true},
    [OPT_CN] = {"cn", true},
    [OPT_SAN] = {"san", true},
    [OPT_ISSUER] = {"issuer", true, true},
    [OPT_STATUS] = {"status", true},
    [OPT_KEY_TYPE] = {"key-type", true},
    [OPT_EXPIRES_WITHIN] = {"expires-within", true},
    [OPT_LIMIT] = {"limit", true},
    [OPT_AFTER] = {"after", true},
    [OPT_REASON] = {"reason", true},
    [OPT_INVALIDITY_DATE] = {"invalidity-date", true},
    [OPT_ISSUER_CERT] = {"issuer-cert", true},
    [OPT_URL] = {"url", true},
    [OPT_RUN] = {"run", true},
    [OPT_AGAINST] = {"against", true},
    [OPT_ROLE] = {"role", true},
    [OPT_NAME] = {"name", true, true},
    [OPT_LISTENER] = {"listener", true},
    [OPT_KIND] = {"kind", true},
    [OPT_ACTOR] = {"actor", true},
    [OPT_SERIAL] = {"serial", true},
    [OPT_SINCE] = {"since", true},
    [OPT_UNTIL] = {"until", true},
    [OPT_ORDER] = {"order", true},
    [OPT_STORE] = {"store", true},
    [OPT_EXPORT] = {"export", true},
    [OPT_HEAD] = {"head", true},
    [OPT_SEAL_KEY] = {"seal-key", true},
    [OPT_GET] = {"get", false},
};

/* getopt_long's own codes are '?', ':' and 1 (a word); ours start beyond them. */
#define CODE_BASE 256

const char *option_name(enum opt o)
{
    return options[o].name;
}

static void fill_long_options(struct option out[static OPT_COUNT + 1])
{
    for (int i = 0; i < OPT_COUNT; i++)
        out[i] = (struct option){.name = options[i].name,
                                 .has_arg = options[i].has_value ? required_argument : no_argument,
                                 .val = CODE_BASE + i};
    out[OPT_COUNT] = (struct option){0};
}

static enum err add_word(struct args *a, const char *word, struct fault *f)
{
    if (a->word_count == COUNT_OF(a->words))
        return fault_set(f, ERR_USAGE, "one argument too many: %s", word);
    if (word[0] == '\0')
        return fault_set(f, ERR_USAGE, "an argument is empty");
    if (strlen(word) > VALUE_MAX)
        return fault_set(f, ERR_USAGE, "an argument is longer than %d octets", VALUE_MAX);
    a->words[a->word_count++] = word;
    return OK;
}

static enum err add_option(struct args *a, enum opt o, const char *value, struct fault *f)
{
    if (a->value[o] != NULL && (!options[o].repeats || a->again_count == ARGS_AGAIN_MAX))
        return fault_set(f, ERR_USAGE, "--%s is given twice", options[o].name);
    if (value != NULL && value[0] == '\0')
        return fault_set(f, ERR_USAGE, "--%s is empty", options[o].name);
    if (value != NULL && strlen(value) > VALUE_MAX)
        return fault_set(f, ERR_USAGE, "--%s is longer than %d octets", options[o].name, VALUE_MAX);
    if (a->value[o] != NULL) {
        a->again[a->again_count].opt = o;
        a->again[a->again_count++].value = value;
        return OK;
    }
    a->value[o] = value != NULL ? value : "";
    return OK;
}

/* What getopt_long could not take: `token` is where it stood. */
static enum err refuse(int code, const char *token, struct fault *f)
{
    if (code == ':')
        return fault_set(f, ERR_USAGE, "%s needs a value", token);
    if (optopt >= CODE_BASE)
        return fault_set(f, ERR_USAGE, "--%s takes no value", options[optopt - CODE_BASE].name);
    return fault_set(f, ERR_USAGE, "unknown option %s", token);
}

enum err args_parse(int argc, char **argv, struct args *out, struct fault *f)
{
    struct option long_options[OPT_COUNT + 1];
    enum err e = OK;
    int code;

    *out = (struct args){0};
    fill_long_options(long_options);
    opterr = 0; /* one line, and it is ours */
    optind = 0; /* glibc: start afresh */
    /* "-": words come in their place, whatever POSIXLY_CORRECT says; ":": a missing value is told from an
     * unknown option. */
    while (e == OK && (code = getopt_long(argc, argv, "-:h", long_options, NULL)) != -1) {
        if (code == 1)
            e = add_word(out, optarg, f);
        else if (code == 'h')
            e = out->value[OPT_HELP] != NULL ? OK : add_option(out, OPT_HELP, NULL, f);
        else if (code >= CODE_BASE)
            e = add_option(out, (enum opt)(code - CODE_BASE), optarg, f);
        else
            e = refuse(code, argv[optind - 1], f);
    }
    while (e == OK && optind < argc)
        e = add_word(out, argv[optind++], f);
    return e;
}

bool number_parse(const char *text, int64_t min, int64_t max, int64_t *out)
{
    char *end;
    long long n;

    if (text[0] < '0' || text[0] > '9')
        return false;
    errno = 0;
    n = strtoll(text, &end, 10);
    if (errno != 0 || *end != '\0' || n < min || n > max)
        return false;
    *out = n;
    return true;
}
