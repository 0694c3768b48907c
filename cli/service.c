/* SPDX-License-Identifier: Apache-2.0 */
/* service: whom to ask, the exchange, and what an answer means for the exit code. */
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "cli/inner.h"

#define TIMEOUT_S 60L /* publishing a CRL of a million takes seconds; beyond a minute something is wrong */
#define TOKEN_FILE_MAX 4096         /* octets: one line */
#define PATH_OCTETS_MAX (64u << 10) /* eight arguments of 4,096 octets, each octet as %XX, and more */
#define HOME_DEFAULT "run"          /* what deploy/run makes */

/* ---- the target ---- */

static const char *home_of(const struct cli *c)
{
    const char *home = cli_option(c, OPT_HOME);

    if (home == NULL)
        home = getenv("CHANCERY_HOME");
    if (home != NULL && home[0] != '\0')
        return home;
    return access(HOME_DEFAULT "/chancery.xml", F_OK) == 0 ? HOME_DEFAULT : NULL;
}

bool service_is_named(const struct cli *c)
{
    return cli_option(c, OPT_SERVER) != NULL || home_of(c) != NULL;
}

static int open_local(struct cli *c)
{
    static const enum opt remote[] = {OPT_CACERT, OPT_CERT, OPT_KEY, OPT_TOKEN};
    const char *home = home_of(c);
    struct fault f = {0};

    for (size_t i = 0; i < COUNT_OF(remote); i++)
        if (cli_option(c, remote[i]) != NULL)
            return cli_misuse(c, "--%s goes with --server URL", option_name(remote[i]));
    if (home == NULL)
        return cli_fail(c, WRONG_USE,
                        "no home: give --home DIR or CHANCERY_HOME, or --server URL for a remote service");
    if (path_join(c->socket, home, "control.sock", &f) != OK)
        return cli_fault(c, &f);
    c->target.unix_socket = c->socket;
    c->target.base_url = "http://localhost";
    return DONE;
}

/* The file holds the token and at most a line end: a token on the command line would be in every process
 * list. */
static int read_token(struct cli *c)
{
    const char *path = cli_option(c, OPT_TOKEN);

    if (path == NULL)
        return DONE;
    if (strncmp(path, "chancery_", 9) == 0 && strspn(path + 9, "0123456789abcdefABCDEF") == strlen(path) - 9)
        return cli_fail(c, WRONG_USE,
                        "--token wants the file that holds the token, not the token: whoever lists processes "
                        "or reads the shell's history has seen it now, so delete it and make another");
    if (in_read(c, path, TOKEN_FILE_MAX, &c->token) != DONE)
        return WRONG_USE;
    while (c->token.len > 0 && memchr("\r\n", c->token.data[c->token.len - 1], 2) != NULL)
        c->token.len--;
    buf_put_u8(&c->token, 0);
    if (buf_end(&c->token) != OK || strlen((const char *)c->token.data) + 1 != c->token.len ||
        c->token.len == 1)
        return cli_fail(c, WRONG_USE, "%s: holds no token", path);
    c->target.token = (const char *)c->token.data;
    return DONE;
}

static int open_remote(struct cli *c, const char *url)
{
    if (cli_option(c, OPT_HOME) != NULL)
        return cli_misuse(c, "--home and --server exclude each other");
    if (strncasecmp(url, "https://", strlen("https://")) != 0)
        return cli_misuse(c, "--server %s: an https:// address is needed", url);
    if (cli_option(c, OPT_CACERT) == NULL)
        return cli_fail(
            c, WRONG_USE,
            "--server needs --cacert F, the authority to trust (admin/server-ca.pem of its home)");
    if (cli_option(c, OPT_TOKEN) != NULL && cli_option(c, OPT_CERT) != NULL)
        return cli_misuse(c, "--cert and --token exclude each other");
    if (cli_option(c, OPT_KEY) != NULL && cli_option(c, OPT_CERT) == NULL)
        return cli_misuse(c, "--key goes with --cert F");
    c->target.base_url = url;
    c->target.cacert = cli_option(c, OPT_CACERT);
    c->target.cert = cli_option(c, OPT_CERT);
    c->target.key = cli_option(c, OPT_KEY);
    return read_token(c);
}

int service_open(struct cli *c)
{
    const char *url = cli_option(c, OPT_SERVER);

    if (c->target.base_url != NULL)
        return DONE;
    c->target.timeout_s = TIMEOUT_S;
    return url != NULL ? open_remote(c, url) : open_local(c);
}

/* Of /livez, which needs no login; a socket that we may not open has a service behind it. */
bool service_is_away(const struct cli *c, char store[static PATH_LEN_MAX])
{
    struct fetch_request r = {.method = "GET", .path = "/livez"};
    const char *home = home_of(c);
    struct fetch_answer a = {0};
    char file[PATH_LEN_MAX];
    bool is_away;

    if (c->target.unix_socket == NULL || path_join(store, home, "store", NULL) != OK ||
        path_join(file, store, "data.mdb", NULL) != OK || access(file, F_OK) != 0)
        return false;
    is_away = fetch(&c->target, &r, &a, NULL) != OK && a.is_absent;
    fetch_answer_free(&a);
    return is_away;
}

void service_close(struct cli *c)
{
    if (c->token.data != NULL)
        explicit_bzero(c->token.data, c->token.cap);
    buf_free(&c->token);
}

/* ---- what an answer means ---- */

int exit_of_status(unsigned status)
{
    static const struct {
        unsigned status;
        int code;
    } rows[] = {{202, PENDING},   {400, WRONG_USE}, {401, NOT_PERMITTED}, {403, NOT_PERMITTED},
                {404, NOT_FOUND}, {405, WRONG_USE}, {406, WRONG_USE},     {409, REFUSED},
                {410, NOT_FOUND}, {413, WRONG_USE}, {415, WRONG_USE},     {422, REFUSED},
                {431, WRONG_USE}};

    for (size_t i = 0; i < COUNT_OF(rows); i++)
        if (rows[i].status == status)
            return rows[i].code;
    return status >= 200 && status < 300 ? DONE : SERVICE_FAILED;
}

static bool is_json(const char *type)
{
    size_t len = strcspn(type, "; \t");

    return (len == strlen("application/json") && strncasecmp(type, "application/json", len) == 0) ||
           (len == strlen("application/problem+json") &&
            strncasecmp(type, "application/problem+json", len) == 0);
}

struct js *service_parse(const struct fetch_answer *a)
{
    struct js *v = NULL;

    if (!is_json(a->content_type) || js_parse(buf_span(&a->body), &v, NULL) != OK)
        return NULL;
    return v;
}

/* Every mistake in a document that was sent, a line each. */
static void say_report(struct cli *c, const struct js *report)
{
    for (size_t i = 0; i < js_len(report); i++)
        if (js_str(js_at(report, i)) != NULL)
            cli_fail(c, REFUSED, "%s", js_str(js_at(report, i)));
}

/* RFC 9457: the detail when there is one, else the title. The request id is for whoever reads the service's
 * log. */
int service_refusal(struct cli *c, const struct fetch_request *r, const struct fetch_answer *a)
{
    struct js *problem = service_parse(a);
    const char *text = js_str(js_get(problem, "detail")), *id = js_str(js_get(problem, "request_id"));
    const char *next = js_str(js_get(problem, "next"));
    int code = exit_of_status(a->status);

    if (text == NULL || text[0] == '\0')
        text = js_str(js_get(problem, "title"));
    if (code == DONE || code == PENDING)
        code =
            cli_fail(c, SERVICE_FAILED, "the answer to %s %s is not what was asked for", r->method, r->path);
    else if (text == NULL)
        cli_fail(c, code, "%s (status %u)", err_text(err_from_status(a->status)), a->status);
    else if (code == SERVICE_FAILED && id != NULL)
        cli_fail(c, code, "%s (status %u, request %s)", text, a->status, id);
    else
        cli_fail(c, code, "%s", text);
    finding_say_all(c, js_get(problem, "findings"));
    say_report(c, js_get(problem, "report"));
    if (next != NULL && (c->command->options & OPT_BIT(OPT_AFTER)) != 0)
        cli_fail(c, code, "the list goes on behind it: --after %s", next);
    js_free(problem);
    return code;
}

/* ---- exchanges ---- */

int service_fetch(struct cli *c, const struct fetch_request *r, struct fetch_answer *a)
{
    struct fault f = {0};
    int code;

    *a = (struct fetch_answer){0};
    if (r->path == NULL) /* args_parse bounds what is typed */
        return cli_fail(c, SERVICE_FAILED, "the service gave a name too long to be asked for");
    code = service_open(c);
    if (code != DONE)
        return code;
    return fetch(&c->target, r, a, &f) == OK ? DONE : cli_fault(c, &f);
}

/* As service_fetch(), and an answer other than 2xx is said on standard error and gives its exit code; 202
 * gives PENDING. */
static int ask(struct cli *c, const struct fetch_request *r, struct fetch_answer *a)
{
    int code = service_fetch(c, r, a);

    if (code != DONE)
        return code;
    return a->status >= 200 && a->status < 300 ? exit_of_status(a->status) : service_refusal(c, r, a);
}

int service_json(struct cli *c, const struct fetch_request *r, struct js **out)
{
    struct fetch_request json = *r;
    struct fetch_answer a;
    int code;

    *out = NULL;
    json.accept = "application/json";
    code = ask(c, &json, &a);
    if ((code == DONE || code == PENDING) && a.body.len > 0) {
        *out = service_parse(&a);
        if (!js_is_object(*out)) {
            js_free(*out);
            *out = NULL;
            code = cli_fail(c, SERVICE_FAILED, "the answer to %s %s is no JSON object", r->method, r->path);
        }
    }
    fetch_answer_free(&a);
    return code;
}

int service_get(struct cli *c, const char *path, struct js **out)
{
    int code = service_json(c, &(struct fetch_request){.method = "GET", .path = path}, out);

    if (code == DONE && *out == NULL)
        return cli_fail(c, SERVICE_FAILED, "the answer to GET %s is empty", path);
    return code;
}

int service_get_under(struct cli *c, const char *prefix, const char *id, struct js **out)
{
    struct buf path;
    int code;

    path_begin(&path, prefix);
    fetch_path(&path, id);
    code = service_get(c, path_end(&path), out);
    buf_free(&path);
    return code;
}

int file_write(struct cli *c, const char *prefix, const char *id, const char *suffix)
{
    struct fetch_request r = {.method = "GET"};
    struct fetch_answer a = {0};
    struct buf path;
    int code;

    path_begin(&path, prefix);
    fetch_path(&path, id);
    buf_put_str(&path, suffix);
    r.path = path_end(&path);
    code = ask(c, &r, &a);
    if (code == DONE)
        code = out_write(c, buf_span(&a.body));
    fetch_answer_free(&a);
    buf_free(&path);
    return code;
}

void path_begin(struct buf *path, const char *prefix)
{
    buf_init(path, PATH_OCTETS_MAX);
    buf_put_str(path, prefix);
}

const char *path_end(struct buf *path)
{
    buf_put_u8(path, 0);
    return buf_end(path) == OK ? (const char *)path->data : NULL;
}
