/* SPDX-License-Identifier: Apache-2.0 */
/* profile: the catalogue, for reading. */
#include "cli/inner.h"

#define PROFILES_PATH "/api/v1/profiles"

static const struct column columns[] = {
    {"id", "id", 0},
    {"keys", "keys", COLUMN_ELASTIC},
    {"days", "days_default", 0},
    {"at most", "days_max", 0},
    {"multi-server", "multi_server", 0},
    {"title", "title", COLUMN_ELASTIC},
};

static const struct column csv_columns[] = {
    {"", "id", 0},           {"", "title", 0},        {"", "keys", 0},          {"", "ku.required", 0},
    {"", "ku.tolerated", 0}, {"", "eku.required", 0}, {"", "eku.tolerated", 0}, {"", "days_default", 0},
    {"", "days_max", 0},     {"", "multi_server", 0},
};

int run_profile_list(struct cli *c)
{
    return list_write(c, PROFILES_PATH, columns, COUNT_OF(columns), csv_columns, COUNT_OF(csv_columns));
}

int run_profile_show(struct cli *c)
{
    struct js *v = NULL;
    int code = service_get_under(c, PROFILES_PATH "/", cli_argument(c), &v);

    if (code == DONE)
        code = show_row(c, v, csv_columns, COUNT_OF(csv_columns));
    js_free(v);
    return code;
}
