/* SPDX-License-Identifier: Apache-2.0 */
/* client: see client.h. */
#include "tests/unit/api/client.h"

#include <string.h>

struct fetch_answer ask_full(int who, const struct fetch_request *r)
{
    static char base[128], socket_path[128], cacert[128], cert[128], key[128];
    struct fetch_target t = {.base_url = base, .cacert = cacert, .timeout_s = 20};
    struct fetch_answer a = {0};
    struct fault f = {0};

    snprintf(base, sizeof base, who == LOCAL ? "http://localhost" : "https://%s", served_at);
    snprintf(socket_path, sizeof socket_path, "%s/control.sock", stage.dir);
    snprintf(cacert, sizeof cacert, "%s/server-ca.pem", stage.dir);
    snprintf(cert, sizeof cert, "%s/actor-%d.pem", stage.dir, who);
    snprintf(key, sizeof key, "%s/key.pem", stage.dir);
    if (who == LOCAL) {
        t.unix_socket = socket_path;
        t.cacert = NULL;
    } else if (who != NOBODY) {
        t.cert = cert;
        t.key = key;
    }
    CHECK(fetch(&t, r, &a, &f) == OK, "%s %s: %s", r->method, r->path, f.detail);
    return a;
}

struct fetch_answer ask(int who, const char *method, const char *path, struct span body)
{
    return ask_full(who, &(struct fetch_request){.method = method, .path = path, .body = body});
}

struct js *json_of(const struct fetch_answer *a)
{
    struct js *o = NULL;
    struct span s = buf_span(&a->body);

    if (s.len > 0 && s.data[s.len - 1] == '\n')
        s.len--;
    CHECK(js_parse(s, &o, NULL) == OK, "no JSON: %.*s", (int)s.len, (const char *)s.data);
    return o;
}

void expect_problem(const struct fetch_answer *a, unsigned status, const char *name)
{
    char type[64];
    struct js *o;

    CHECK(a->status == status, "want %u, got %u: %.*s", status, a->status, (int)a->body.len,
          (const char *)a->body.data);
    CHECK(strcmp(a->content_type, "application/problem+json") == 0, "type %s", a->content_type);
    o = json_of(a);
    snprintf(type, sizeof type, "urn:chancery:problem:%s", name);
    CHECK(strcmp(js_str(js_get(o, "type")), type) == 0, "%s is not %s", js_str(js_get(o, "type")), type);
    CHECK(strlen(js_str(js_get(o, "request_id"))) == 32, "request_id");
    js_free(o);
}

void refused(int who, const char *method, const char *path, const char *body, unsigned status,
             const char *name)
{
    struct fetch_answer a = ask(who, method, path, span_str(body));

    expect_problem(&a, status, name);
    fetch_answer_free(&a);
}

struct js *succeeded(const char *method, const char *path, struct span body)
{
    struct fetch_answer a = ask(LOCAL, method, path, body);
    struct js *o;

    CHECK(a.status == 200, "%s %s: %u %.*s", method, path, a.status, (int)a.body.len,
          (const char *)a.body.data);
    CHECK(strcmp(a.content_type, "application/json") == 0, "type %s", a.content_type);
    o = json_of(&a);
    fetch_answer_free(&a);
    return o;
}

const char *serial_text(enum actor a)
{
    static char hex[SERIAL_HEX_LEN + 1];

    hex_encode(span_of(stage.serials[a], SERIAL_LEN), hex);
    return hex;
}

const char *path_of(enum actor a, const char *ending)
{
    static char path[128];

    snprintf(path, sizeof path, "/api/v1/certificates/%s%s", serial_text(a), ending);
    return path;
}

void make_request(struct buf *der, bool spoilt)
{
    struct forge f;

    buf_init(der, 65536);
    forge_init(&f, stage.key);
    forge_rdn(&f, 3, DER_UTF8_STRING, span_str("a-EC.example.com"));
    forge_extension_text(&f, "subjectAltName", "DNS:a.example.com");
    f.spoil_signature = spoilt;
    forge_request(&f, der);
    forge_free(&f);
}

const char *request_path(int which, const char *ending)
{
    static char path[128];
    char hex[2 * REQUEST_ID_LEN + 1];

    hex_encode(stage_request(which), hex);
    snprintf(path, sizeof path, "/api/v1/requests/%s%s", hex, ending);
    return path;
}

struct fetch_answer issue(const char *query, struct span body, const char *accept, const char *key)
{
    char path[256];

    snprintf(path, sizeof path, "/api/v1/certificates%s", query);
    return ask_full(ACTOR_ADMINISTRATOR, &(struct fetch_request){.method = "POST",
                                                                 .path = path,
                                                                 .body = body,
                                                                 .accept = accept,
                                                                 .content_type = "application/pkcs10",
                                                                 .idempotency_key = key});
}
