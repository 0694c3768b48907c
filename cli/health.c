/* SPDX-License-Identifier: Apache-2.0 */
/* health: what /readyz found, with the exit codes of monitoring plug-ins. The service answers 503 when it is
 * not ready: that is a report like any other here. */
#include <string.h>

#include "cli/inner.h"

enum health_code { HEALTH_OK = 0, HEALTH_WARNING = 2, HEALTH_CRITICAL = 4 };

static const struct column columns[] = {
    {"name", "name", 0},
    {"status", "status", COLUMN_STATUS},
    {"detail", "detail", COLUMN_ELASTIC},
};

static int code_of(const char *status)
{
    static const struct {
        const char *status;
        int code;
    } rows[] = {{"ok", HEALTH_OK}, {"warning", HEALTH_WARNING}, {"critical", HEALTH_CRITICAL}};

    for (size_t i = 0; i < COUNT_OF(rows); i++)
        if (status != NULL && strcmp(rows[i].status, status) == 0)
            return rows[i].code;
    return SERVICE_FAILED;
}

static int write_report(struct cli *c, const struct js *report)
{
    const struct js *checks = js_get(report, "checks");
    struct rows rows;

    if (c->format == FORMAT_JSON)
        return out_json(c, report);
    rows_open(&rows, c, columns, COUNT_OF(columns), columns, COUNT_OF(columns));
    for (size_t i = 0; i < js_len(checks); i++)
        rows_add(&rows, js_at(checks, i));
    rows_page(&rows);
    rows_close(&rows, NULL);
    return DONE;
}

int run_health(struct cli *c)
{
    struct fetch_request r = {.method = "GET", .path = "/readyz", .accept = "application/json"};
    struct fetch_answer a = {0};
    struct js *report = NULL;
    int code = service_fetch(c, &r, &a);

    if (code == DONE)
        report = service_parse(&a);
    if (code == DONE && js_is_array(js_get(report, "checks"))) {
        code = write_report(c, report);
        code = code == DONE ? code_of(js_str(js_get(report, "status"))) : code;
    } else if (code == DONE) {
        code = service_refusal(c, &r, &a);
    }
    js_free(report);
    fetch_answer_free(&a);
    return code;
}
