/* SPDX-License-Identifier: Apache-2.0 */
/* cert_list: `cert list`: the filters as a query. */
#include <string.h>

#include "base/clock.h"
#include "cli/inner.h"

static const struct column table_columns[] = {
    {"serial", "serial", 0},
    {"status", "status", COLUMN_STATUS},
    {"not after", "not_after", 0},
    {"issuer", "issuer", 0},
    {"key", "key", 0},
    {"profile", "profile", COLUMN_ELASTIC},
    {"cn", "cn", COLUMN_ELASTIC},
};

const struct column cert_columns[CERT_COLUMNS] = {
    {"", "serial", 0},
    {"", "issuer", 0},
    {"", "profile", 0},
    {"", "subject", 0},
    {"", "cn", 0},
    {"", "sans", 0},
    {"", "status", 0},
    {"", "not_before", 0},
    {"", "not_after", 0},
    {"", "issued_at", 0},
    {"", "key.type", 0},
    {"", "key.bits", 0},
    {"", "fingerprint_sha256", 0},
    {"", "requester", 0},
    {"", "revocation.reason", 0},
    {"", "revocation.revoked_at", 0},
    {"", "revocation.invalidity_date", 0},
};

static bool is_one_of(const char *text, const char *const *words, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (strcmp(text, words[i]) == 0)
            return true;
    return false;
}

static int check_filters(struct cli *c)
{
    static const char *const statuses[] = {"valid", "revoked", "expired", "held"}, *const key_types[] = {
                                                                                       "rsa", "ec"};
    const char *status = cli_option(c, OPT_STATUS), *type = cli_option(c, OPT_KEY_TYPE);

    if (status != NULL && !is_one_of(status, statuses, COUNT_OF(statuses)))
        return cli_misuse(c, "--status %s: one of valid, revoked, expired, held", status);
    if (type != NULL && !is_one_of(type, key_types, COUNT_OF(key_types)))
        return cli_misuse(c, "--key-type %s: rsa or ec", type);
    return DONE;
}

/* "" when nothing is said about it. */
static int read_expiry(struct cli *c, char expires_before[static CLOCK_TEXT_MAX])
{
    const char *within = cli_option(c, OPT_EXPIRES_WITHIN);
    int64_t span_s = 0;

    expires_before[0] = '\0';
    if (within != NULL && !clock_parse_span(within, &span_s))
        return cli_misuse(c, "--expires-within %s: a span like 30d, 12h, 90m or 3600s", within);
    if (within != NULL)
        clock_rfc3339(c->now_s + span_s, expires_before);
    return DONE;
}

static void put_filters(const struct cli *c, const void *arg, struct buf *path)
{
    static const struct {
        const char *name;
        enum opt option;
    } filters[] = {{"cn", OPT_CN},         {"san", OPT_SAN},       {"profile", OPT_PROFILE},
                   {"issuer", OPT_ISSUER}, {"status", OPT_STATUS}, {"key_type", OPT_KEY_TYPE}};
    const char *expires_before = arg;

    for (size_t i = 0; i < COUNT_OF(filters); i++)
        fetch_query(path, filters[i].name, cli_option(c, filters[i].option));
    fetch_query(path, "expires_before", expires_before[0] != '\0' ? expires_before : NULL);
}

int run_cert_list(struct cli *c)
{
    char expires_before[CLOCK_TEXT_MAX];
    struct pages p;
    int code = check_filters(c);

    if (code == DONE)
        code = pages_read(c, &p);
    if (code == DONE)
        code = read_expiry(c, expires_before);
    if (code != DONE)
        return code;
    rows_open(&p.rows, c, table_columns, COUNT_OF(table_columns), cert_columns, CERT_COLUMNS);
    return pages_write(c, &p, "/api/v1/certificates", put_filters, expires_before);
}
