/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Does the interface answer as docs/interface.md says, to everybody who may ask, over TLS and over the
 * control socket? The client is libcurl in a child process; the ca is played by this one.
 */
#include <criterion/criterion.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fetch.h"
#include "base/log.h"
#include "base/wire.h"
#include "tests/unit/api/stage.h"

static struct stage stage;
static char bound[64];
static struct watch *ca_watch;

/* ---- the ca, played ---- */

#define DAYS_REFUSED 13 /* a number of days at which the played ca refuses */
#define DAYS_WAITING 14 /* and one at which it wants an approval */

static void put_refusal(struct buf *b)
{
    struct findings fs = {0};

    finding_add(&fs, "days.too-long", "days", "13 days", "at most 12");
    findings_write(b, &fs);
    findings_free(&fs);
}

/* As the ca does it: the profile's findings, the grant, and what would be signed. */
static enum err play_dry_run(struct rd *r, const char *profile, struct buf *b)
{
    static struct san sans[SAN_COUNT_MAX];
    uint8_t skipped[2 * HASH_LEN];
    struct findings fs = {0};
    struct buf tbs;
    struct facts f;
    struct grant g;

    rd_copy(r, skipped, sizeof skipped);
    cr_assert(facts_read(r, &f, sans));
    profile_check(profile_find(&stage.config.catalogue, profile), &f, 0, &g, &fs);
    buf_init(&tbs, WIRE_MSG_MAX);
    if (!findings_refuse(&fs))
        tbs_write(&tbs, &(struct tbs){.serial = {1},
                                      .alg = SIG_ECDSA_SHA256,
                                      .issuer = f.subject,
                                      .subject = f.subject,
                                      .spki = f.spki,
                                      .not_before_s = STAGE_NOW_S,
                                      .not_after_s = STAGE_NOW_S + DAY_S,
                                      .ku = g.ku,
                                      .eku = g.eku,
                                      .eku_count = g.eku_count,
                                      .sans = f.sans,
                                      .san_count = f.san_count,
                                      .aki = span_str("01234567890123456789"),
                                      .crl_url = "http://ca.example.com/crl/ec-g1.crl"});
    findings_write(b, &fs);
    grant_write(b, &g);
    buf_put_blob(b, buf_span(&tbs));
    findings_free(&fs);
    buf_free(&tbs);
    return OK;
}

static enum err play_issue(struct rd *r, struct buf *b)
{
    static const struct findings none;
    char profile[PROFILE_ID_MAX];
    uint32_t days;

    (void)rd_blob(r);
    cr_assert(span_to_str(rd_blob(r), profile, sizeof profile));
    days = rd_u32(r);
    if ((rd_u8(r) & ASK_DRY_RUN) != 0)
        return play_dry_run(r, profile, b);
    if (days == DAYS_REFUSED) {
        put_refusal(b);
        return ERR_POLICY;
    }
    findings_write(b, &none);
    if (days == DAYS_WAITING) {
        buf_put_span(b, stage_request(STAGE_PENDING));
        return ERR_PENDING;
    }
    buf_put(b, stage.serials[ACTOR_LEAF], SERIAL_LEN);
    buf_put_u16(b, 2);
    buf_put_u8(b, 0);
    buf_put_blob(b, buf_span(&stage.certs[ACTOR_LEAF]));
    return OK;
}

static enum err play_revocation(enum ask_kind kind, struct rd *r, struct buf *b)
{
    uint8_t serial[SERIAL_LEN];

    (void)rd_blob(r);
    rd_copy(r, serial, sizeof serial);
    if (memcmp(serial, stage.serials[ACTOR_FOREIGN], SERIAL_LEN) == 0)
        return ERR_NOT_FOUND;
    if (memcmp(serial, stage.serials[ACTOR_REVOKED], SERIAL_LEN) == 0)
        return ERR_CONFLICT;
    if (kind == ASK_REVOKE)
        buf_put_u8(b, 1);
    return OK;
}

/* The pending one is approved, the denied one may not be, by whom asked; the others are decided. */
static enum err play_decision(enum ask_kind kind, struct rd *r, struct buf *b)
{
    static const struct findings none;
    struct span principal = rd_blob(r), id = rd_take(r, REQUEST_ID_LEN);

    cr_assert_gt(principal.len, 0);
    if (kind == ASK_APPROVE)
        findings_write(b, &none);
    else
        cr_assert(span_eq(rd_blob(r), span_str("n\xc3\xb6t ours")));
    cr_assert(rd_done(r));
    if (span_eq(id, stage_request(STAGE_DENIED)))
        return ERR_FORBIDDEN;
    if (span_eq(id, stage_request(STAGE_REQUESTS)))
        return ERR_NOT_FOUND;
    return span_eq(id, stage_request(STAGE_PENDING)) ? OK : ERR_CONFLICT;
}

static enum err play(enum ask_kind kind, struct rd *r, struct buf *b)
{
    switch (kind) {
    case ASK_ISSUE:
        return play_issue(r, b);
    case ASK_REVOKE:
    case ASK_UNHOLD:
        return play_revocation(kind, r, b);
    case ASK_APPROVE:
    case ASK_DENY:
        return play_decision(kind, r, b);
    case ASK_PUBLISH:
        buf_put_u64(b, 1);
        return OK;
    default:
        return OK;
    }
}

static void on_question(void *arg)
{
    static uint8_t buffer[WIRE_MSG_MAX];
    struct buf rest, message;
    struct span m;
    struct rd r;

    (void)arg;
    if (wire_try_receive(stage.wire[1], buffer, sizeof buffer, &m) != OK)
        return;
    buf_init(&rest, WIRE_MSG_MAX);
    buf_init(&message, WIRE_MSG_MAX);
    r = rd_of(m);
    buf_put_u8(&message, rd_u8(&r));
    buf_put_u64(&message, rd_u64(&r));
    buf_put_u8(&message, (uint8_t)play((enum ask_kind)m.data[0], &r, &rest));
    buf_put_blob(&message, span_str("said by the ca"));
    buf_put_span(&message, buf_span(&rest));
    cr_assert_eq(wire_send(stage.wire[1], buf_span(&message)), OK);
    buf_free(&rest);
    buf_free(&message);
}

/* ---- the service ---- */

static void write_file(const char *name, struct span content)
{
    char path[PATH_LEN_MAX];

    cr_assert_eq(path_join(path, stage.dir, name, NULL), OK);
    cr_assert_eq(file_replace(path, content, 0600, NULL), OK);
}

static void write_actors(void)
{
    char name[32];
    struct buf pem;

    buf_init(&pem, 65536);
    forge_key_pem(stage.key, &pem);
    write_file("key.pem", buf_span(&pem));
    for (enum actor a = 0; a < ACTORS; a++) {
        buf_reset(&pem);
        pem_put(&pem, "CERTIFICATE", buf_span(&stage.certs[a]));
        snprintf(name, sizeof name, "actor-%d.pem", a);
        write_file(name, buf_span(&pem));
    }
    buf_free(&pem);
}

static struct tls_server *make_tls(void)
{
    int64_t now_s = clock_now_s();
    struct tls_identity id;
    struct tls_server *tls = NULL;
    struct buf der, pem, key;
    struct fault f = {0};

    buf_init(&der, 65536);
    buf_init(&pem, 65536);
    buf_init(&key, 65536);
    forge_certificate(stage.key, span_of("\x07", 1), now_s - DAY_S, now_s + DAY_S, &der);
    pem_put(&pem, "CERTIFICATE", buf_span(&der));
    write_file("server-ca.pem", buf_span(&pem));
    forge_key_pem(stage.key, &key);
    id = (struct tls_identity){buf_span(&pem), buf_span(&key)};
    cr_assert_eq(tls_server_new(&id, 1, span_of(NULL, 0), &tls, &f), OK, "%s", f.detail);
    buf_free(&der);
    buf_free(&pem);
    buf_free(&key);
    return tls;
}

static void setup(void)
{
    struct http_handlers handlers;
    char path[PATH_LEN_MAX];
    struct fault f = {0};
    int https_fd, control_fd;

    stage_make(&stage);
    write_actors();
    cr_assert_eq(http_listen_tcp("127.0.0.1:0", &https_fd, &f), OK, "%s", f.detail);
    cr_assert_eq(http_bound(https_fd, bound, sizeof bound), OK);
    cr_assert_eq(path_join(path, stage.dir, "control.sock", NULL), OK);
    cr_assert_eq(http_listen_unix(path, 0600, &control_fd, &f), OK, "%s", f.detail);
    stage.api.loop = loop_new();
    stage.api.asker = asker_new(stage.api.loop, stage.wire[0], 30000);
    handlers = api_handlers(&stage.api);
    stage.api.https = http_serve(stage.api.loop, https_fd, make_tls(), NULL, &handlers);
    stage.api.control = http_serve(stage.api.loop, control_fd, NULL, NULL, &handlers);
    ca_watch = watch_start(stage.api.loop, stage.wire[1], on_question, NULL);
}

static void teardown(void)
{
    watch_stop(ca_watch);
    asker_free(stage.api.asker);
    http_server_free(stage.api.https);
    http_server_free(stage.api.control);
    loop_free(stage.api.loop);
    stage_free(&stage);
}

TestSuite(api, .init = setup, .fini = teardown, .timeout = 60);

static void on_child(void *arg)
{
    loop_stop(arg);
}

/* Runs `client` in a child while this process serves it. */
static void with_client(void (*client)(void))
{
    int status, pipe_fds[2];
    struct watch *w;
    pid_t pid;

    cr_assert_eq(pipe(pipe_fds), 0);
    pid = fork();
    if (pid == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        close(pipe_fds[0]);
        client();
        _exit(0);
    }
    close(pipe_fds[1]);
    w = watch_start(stage.api.loop, pipe_fds[0], on_child, stage.api.loop);
    loop_run(stage.api.loop);
    watch_stop(w);
    close(pipe_fds[0]);
    cr_assert_eq(waitpid(pid, &status, 0), pid);
    cr_assert(WIFEXITED(status) && WEXITSTATUS(status) == 0, "the client's message is above");
}

/* ---- the client: in the child, so that no assertion macro works ---- */

#define CHECK(ok, ...)                                                                                       \
    do {                                                                                                     \
        if (!(ok)) {                                                                                         \
            fprintf(stderr, "%s:%d: ", __FILE__, __LINE__);                                                  \
            fprintf(stderr, __VA_ARGS__);                                                                    \
            fputc('\n', stderr);                                                                             \
            _exit(1);                                                                                        \
        }                                                                                                    \
    } while (0)

enum { NOBODY = ACTORS, LOCAL };

static struct fetch_answer ask_full(int who, const struct fetch_request *r)
{
    static char base[128], socket_path[128], cacert[128], cert[128], key[128];
    struct fetch_target t = {.base_url = base, .cacert = cacert, .timeout_s = 20};
    struct fetch_answer a = {0};
    struct fault f = {0};

    snprintf(base, sizeof base, who == LOCAL ? "http://localhost" : "https://%s", bound);
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

static struct fetch_answer ask(int who, const char *method, const char *path, struct span body)
{
    return ask_full(who, &(struct fetch_request){.method = method, .path = path, .body = body});
}

static struct js *json_of(const struct fetch_answer *a)
{
    struct js *o = NULL;
    struct span s = buf_span(&a->body);

    if (s.len > 0 && s.data[s.len - 1] == '\n')
        s.len--;
    CHECK(js_parse(s, &o, NULL) == OK, "no JSON: %.*s", (int)s.len, (const char *)s.data);
    return o;
}

static void expect_problem(const struct fetch_answer *a, unsigned status, const char *name)
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

/* One exchange of which the problem is expected. */
static void refused(int who, const char *method, const char *path, const char *body, unsigned status,
                    const char *name)
{
    struct fetch_answer a = ask(who, method, path, span_str(body));

    expect_problem(&a, status, name);
    fetch_answer_free(&a);
}

/* One exchange that succeeds with JSON; caller frees. */
static struct js *succeeded(const char *method, const char *path, struct span body)
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

static const char *serial_text(enum actor a)
{
    static char hex[SERIAL_HEX_LEN + 1];

    hex_encode(span_of(stage.serials[a], SERIAL_LEN), hex);
    return hex;
}

static const char *path_of(enum actor a, const char *ending)
{
    static char path[128];

    snprintf(path, sizeof path, "/api/v1/certificates/%s%s", serial_text(a), ending);
    return path;
}

static void make_request(struct buf *der, bool spoilt)
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

static const char *request_path(int which, const char *ending)
{
    static char path[128];
    char hex[2 * REQUEST_ID_LEN + 1];

    hex_encode(stage_request(which), hex);
    snprintf(path, sizeof path, "/api/v1/requests/%s%s", hex, ending);
    return path;
}

/* ---- who may call ---- */

static const char *token_id(void)
{
    static char hex[2 * TOKEN_ID_LEN + 1];
    uint8_t hash[HASH_LEN];

    secret_hash(stage.secrets[STAGE_TOKEN], hash);
    hex_encode(span_of(hash, TOKEN_ID_LEN), hex);
    return hex;
}

static void sample_path(const struct route *r, char out[static 256])
{
    size_t fixed = strcspn(r->pattern, "{");
    bool takes_rest = r->pattern[fixed] == '{' && r->pattern[fixed + 1] == '*';
    const char *after = r->pattern + fixed;
    const char *part = strstr(r->pattern, "profiles") != NULL  ? "ucm/tomcat"
                       : strstr(r->pattern, "issuers") != NULL ? "ec-g1"
                       : strstr(r->pattern, "tokens") != NULL  ? token_id()
                       : strstr(r->pattern, "requests") != NULL
                           ? strrchr(request_path(STAGE_PENDING, ""), '/') + 1
                           : serial_text(ACTOR_LEAF);

    if (*after != '\0')
        after += takes_rest ? 3 : 2;
    snprintf(out, 256, "%.*s%s%s", (int)fixed, r->pattern, r->pattern[fixed] == '\0' ? "" : part, after);
}

static void walk_routes(void)
{
    static const struct {
        int who;
        unsigned status; /* 0: anything but 401 and 403 */
    } callers[] = {{NOBODY, 401},        {ACTOR_FOREIGN, 401}, {ACTOR_IMPOSTOR, 401},    {ACTOR_EXPIRED, 401},
                   {ACTOR_REVOKED, 401}, {ACTOR_LEAF, 403},    {ACTOR_ADMINISTRATOR, 0}, {LOCAL, 0}};

    for (size_t i = 0; i < ROUTE_COUNT; i++) {
        char path[256];

        sample_path(&ROUTES[i], path);
        for (size_t k = 0; k < sizeof callers / sizeof *callers; k++) {
            struct fetch_answer a = ask(callers[k].who, ROUTES[i].method, path, span_of(NULL, 0));
            unsigned want = ROUTES[i].is_local ? 0 : callers[k].status;

            CHECK(want == 0 ? a.status != 401 && a.status != 403 && a.status != 404 : a.status == want,
                  "%s %s by %d: %u", ROUTES[i].method, path, callers[k].who, a.status);
            fetch_answer_free(&a);
        }
    }
}

Test(api, every_route_for_every_caller)
{
    with_client(walk_routes);
}

static void try_wrong_paths(void)
{
    refused(NOBODY, "GET", "/api/v1/nothing", "", 401, "unauthenticated");
    refused(LOCAL, "GET", "/api/v1/nothing", "", 404, "not-found");
    refused(LOCAL, "DELETE", "/api/v1/tokens/ab", "", 404, "not-found");
    refused(LOCAL, "POST", "/api/v1/tokens", "{\"role\":\"king\"}", 400, "malformed");
    refused(LOCAL, "POST", "/api/v1/permits", "{\"range\":\"10.1.0.0/8\"}", 400, "malformed");
    refused(NOBODY, "GET", "/nothing", "", 404, "not-found");
    refused(LOCAL, "DELETE", "/api/v1/issuers", "", 405, "method-not-allowed");
    refused(LOCAL, "GET", "/api/v1/issuers?x=1", "", 400, "malformed");
    refused(LOCAL, "GET", "/api/v1/issuers/none", "", 404, "not-found");
    refused(LOCAL, "GET", "/api/v1/issuers/ec-root-g1/crl", "", 404, "not-found");
    refused(LOCAL, "GET", "/api/v1/profiles/none", "", 404, "not-found");
    refused(LOCAL, "GET", "/api/v1/profiles/chancery/ocsp", "", 404, "not-found");
}

Test(api, what_is_not_there_is_said_to_be_so)
{
    with_client(try_wrong_paths);
}

/* ---- issuing ---- */

static struct fetch_answer issue(const char *query, struct span body, const char *accept, const char *key)
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

static void issue_each_form(void)
{
    static const struct {
        const char *accept, *type, *begins;
    } rows[] = {
        {"*/*", "application/pem-certificate-chain", "-----BEGIN CERTIFICATE-----\n"},
        {"application/x-pem-file", "application/x-pem-file", "-----BEGIN CERTIFICATE-----\n"},
        {"application/x-pem-file; p7b", "application/x-pem-file", "-----BEGIN PKCS7-----\n"},
        {"application/pkix-cert", "application/pkix-cert", "\x30"},
        {"application/pkcs7-mime", "application/pkcs7-mime; smime-type=certs-only", "\x30"},
        {"application/json", "application/json", "{"},
    };
    struct buf der;

    make_request(&der, false);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct fetch_answer a = issue("?profile=ucm/tomcat-ECDSA", buf_span(&der), rows[i].accept, "key-1");

        CHECK(a.status == 201, "%s: %u", rows[i].accept, a.status);
        CHECK(strcmp(a.content_type, rows[i].type) == 0, "%s: %s", rows[i].accept, a.content_type);
        CHECK(strcmp(a.location, path_of(ACTOR_LEAF, "")) == 0, "Location %s", a.location);
        CHECK(memcmp(a.body.data, rows[i].begins, strlen(rows[i].begins)) == 0, "%s", rows[i].accept);
        fetch_answer_free(&a);
    }
    buf_free(&der);
}

Test(api, a_certificate_comes_in_each_form)
{
    with_client(issue_each_form);
}

static void issue_wrongly(void)
{
    static const struct {
        const char *query, *accept, *key;
        unsigned status;
        const char *name;
    } rows[] = {
        {"", "*/*", NULL, 400, "malformed"},
        {"?profile=", "*/*", NULL, 400, "malformed"},
        {"?profile=none", "*/*", NULL, 404, "not-found"},
        {"?profile=chancery/ocsp", "*/*", NULL, 403, "forbidden"},
        {"?profile=chancery/listener", "*/*", NULL, 403, "forbidden"},
        {"?profile=chancery/issuer", "*/*", NULL, 403, "forbidden"},
        {"?profile=ucm/tomcat-ECDSA&x=1", "*/*", NULL, 400, "malformed"},
        {"?profile=ucm/tomcat-ECDSA&profile=ucm/tomcat", "*/*", NULL, 400, "malformed"},
        {"?profile=ucm/tomcat-ECDSA&days=0", "*/*", NULL, 400, "malformed"},
        {"?profile=ucm/tomcat-ECDSA&days=-1", "*/*", NULL, 400, "malformed"},
        {"?profile=ucm/tomcat-ECDSA&days=1e3", "*/*", NULL, 400, "malformed"},
        {"?profile=ucm/tomcat-ECDSA&days=99999999999", "*/*", NULL, 400, "malformed"},
        {"?profile=ucm/tomcat-ECDSA", "text/html", NULL, 406, "not-acceptable"},
        {"?profile=ucm/tomcat-ECDSA", "*/*",
         "b\xc3\xa4"
         "d",
         400, "malformed"},
        {"?profile=ucm/tomcat-ECDSA&days=13", "*/*", NULL, 422, "policy"},
    };
    struct fetch_answer a;
    struct buf der;

    make_request(&der, false);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        a = issue(rows[i].query, buf_span(&der), rows[i].accept, rows[i].key);
        CHECK(a.status == rows[i].status, "%s: %u", rows[i].query, a.status);
        expect_problem(&a, rows[i].status, rows[i].name);
        fetch_answer_free(&a);
    }
    a = issue("?profile=ucm/tomcat-ECDSA", span_str("hello"), "*/*", NULL);
    expect_problem(&a, 400, "malformed");
    fetch_answer_free(&a);
    buf_free(&der);
}

Test(api, what_cannot_be_issued_is_explained)
{
    with_client(issue_wrongly);
}

static void issue_spoilt(void)
{
    struct fetch_answer a;
    struct buf der;
    struct js *o;

    make_request(&der, true);
    a = issue("?profile=ucm/tomcat-ECDSA", buf_span(&der), "*/*", NULL);
    expect_problem(&a, 422, "policy");
    o = json_of(&a);
    CHECK(strcmp(js_str(js_get(js_at(js_get(o, "findings"), 0), "rule")), "csr.signature") == 0, "rule");
    js_free(o);
    fetch_answer_free(&a);
    buf_free(&der);
}

Test(api, a_request_that_proves_nothing_is_refused_with_its_finding)
{
    with_client(issue_spoilt);
}

static void send_too_much(void)
{
    struct buf body;

    buf_init(&body, 2 * CSR_MAX);
    memset(buf_grow(&body, CSR_MAX + 1), 'A', CSR_MAX + 1);
    buf_put_u8(&body, 0);
    refused(ACTOR_ADMINISTRATOR, "POST", "/api/v1/certificates?profile=ucm/tomcat", (const char *)body.data,
            413, "too-large");
    buf_free(&body);
}

Test(api, a_body_beyond_the_limit_is_413)
{
    with_client(send_too_much);
}

static void preflight_both(void)
{
    struct buf der;
    struct js *o;
    bool accepted;

    make_request(&der, false);
    o = succeeded("POST", "/api/v1/preflight?profile=ucm/tomcat-ECDSA", buf_span(&der));
    CHECK(js_bool(js_get(o, "accepted"), &accepted) && accepted, "accepted");
    CHECK(strcmp(js_str(js_get(js_get(o, "would_issue"), "issuer")), "ec-g1") == 0, "issuer");
    CHECK(strcmp(js_str(js_get(js_get(o, "request"), "cn")), "a-EC.example.com") == 0, "cn");
    CHECK(js_len(js_get(js_get(o, "would_issue"), "eku")) == 2, "eku");
    js_free(o);
    o = succeeded("POST", "/api/v1/preflight?profile=ucm/tomcat", buf_span(&der));
    CHECK(js_bool(js_get(o, "accepted"), &accepted) && !accepted, "refused");
    CHECK(js_is_null(js_get(o, "would_issue")), "nothing would be issued");
    CHECK(js_len(js_get(o, "findings")) > 0, "findings");
    js_free(o);
    buf_free(&der);
    make_request(&der, true);
    o = succeeded("POST", "/api/v1/preflight?profile=ucm/tomcat-ECDSA", buf_span(&der));
    CHECK(js_bool(js_get(o, "accepted"), &accepted) && !accepted, "refused");
    CHECK(strcmp(js_str(js_get(js_get(o, "request"), "cn")), "a-EC.example.com") == 0,
          "cn is shown all the same");
    js_free(o);
    buf_free(&der);
}

Test(api, preflight_says_what_would_happen)
{
    with_client(preflight_both);
}

/* ---- approvals ---- */

static void wait_for_approval(void)
{
    struct fetch_answer a;
    struct buf der;
    struct js *o;

    make_request(&der, false);
    a = issue("?profile=ucm/tomcat-ECDSA&days=14", buf_span(&der), "application/pkix-cert", "key");
    CHECK(a.status == 202 && strcmp(a.content_type, "application/json") == 0, "%u %s", a.status,
          a.content_type);
    CHECK(strcmp(a.location, request_path(STAGE_PENDING, "")) == 0, "Location %s", a.location);
    o = json_of(&a);
    CHECK(strcmp(js_str(js_get(o, "request")), strrchr(a.location, '/') + 1) == 0, "request");
    CHECK(strcmp(js_str(js_get(o, "status")), "pending") == 0, "status");
    CHECK(js_str(js_get(o, "expires_at")) != NULL && js_len(js_get(o, "findings")) == 1, "the rest");
    js_free(o);
    fetch_answer_free(&a);
    buf_free(&der);
}

Test(api, what_needs_an_approval_is_202_and_says_where)
{
    with_client(wait_for_approval);
}

static void expect_listed(const char *query, size_t want)
{
    char path[256];
    struct js *o;

    snprintf(path, sizeof path, "/api/v1/requests%s", query);
    o = succeeded("GET", path, span_of(NULL, 0));
    CHECK(js_len(js_get(o, "items")) == want, "%s: %zu", query, js_len(js_get(o, "items")));
    js_free(o);
}

static void list_requests(void)
{
    static const char *const wrong[] = {"?status=odd", "?limit=0", "?limit=1001",
                                        "?limit=x",    "?after=x", "?color=red"};
    char path[2048] = "/api/v1/requests?limit=2";
    size_t seen = 0;

    expect_listed("", STAGE_REQUESTS);
    expect_listed("?status=pending", 2); /* not the overdue one */
    expect_listed("?status=approved", 1);
    expect_listed("?status=denied", 1);
    expect_listed("?status=expired", 0);
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        snprintf(path, sizeof path, "/api/v1/requests%s", wrong[i]);
        refused(LOCAL, "GET", path, "", 400, "malformed");
    }
    strcpy(path, "/api/v1/requests?limit=2");
    for (int pages = 0; pages < 10 && path[0] != '\0'; pages++) {
        struct js *o = succeeded("GET", path, span_of(NULL, 0));
        const char *next = js_str(js_get(o, "next"));

        seen += js_len(js_get(o, "items"));
        if (next != NULL)
            snprintf(path, sizeof path, "/api/v1/requests?limit=2&after=%s", next);
        else
            path[0] = '\0';
        js_free(o);
    }
    CHECK(path[0] == '\0' && seen == STAGE_REQUESTS, "%zu seen", seen);
}

Test(api, requests_are_listed_by_state_and_page)
{
    with_client(list_requests);
}

#define LARGE                                                                                                \
    100 /* requests of a thousand names of 60 characters each: six MiB, more than one page takes             \
         */

static void add_large(void)
{
    static char names[SAN_COUNT_MAX][64];
    static struct san sans[SAN_COUNT_MAX];
    struct facts f = {
        .csr = span_str("a request"), .has_san = true, .sans = sans, .san_count = SAN_COUNT_MAX};
    struct request r = {.profile = "ucm/CAPF",
                        .asker = "cert:01",
                        .asked_at_s = STAGE_NOW_S,
                        .expires_at_s = STAGE_NOW_S + DAY_S};
    struct buf facts;
    struct txn *t;

    for (int i = 0; i < (int)SAN_COUNT_MAX; i++) {
        snprintf(names[i], sizeof names[i], "%044d.large.example", i);
        sans[i] = (struct san){SAN_DNS, span_str(names[i])};
    }
    buf_init(&facts, WIRE_MSG_MAX);
    facts_write(&facts, &f);
    cr_assert_eq(buf_end(&facts), OK);
    r.facts = buf_span(&facts);
    cr_assert_eq(txn_begin(stage.api.store, &t), OK);
    for (uint8_t i = 0; i < LARGE; i++) {
        memset(r.id, 0x80 + i, sizeof r.id);
        memset(r.same, 0x80 + i, sizeof r.same);
        request_add(t, &r);
    }
    cr_assert_eq(txn_commit(t), OK);
    buf_free(&facts);
}

static void list_large(void)
{
    char path[CURSOR_MAX + 64] = "/api/v1/requests?limit=1000";
    size_t seen = 0, pages = 0;

    while (path[0] != '\0' && pages < 10) {
        struct js *o = succeeded("GET", path, span_of(NULL, 0));
        const char *next = js_str(js_get(o, "next"));
        size_t n = js_len(js_get(o, "items"));

        CHECK(n < LARGE, "%zu on one page", n);
        seen += n;
        pages++;
        snprintf(path, sizeof path, next != NULL ? "/api/v1/requests?limit=1000&after=%s" : "%s",
                 next != NULL ? next : "");
        js_free(o);
    }
    CHECK(seen == STAGE_REQUESTS + LARGE && pages == 2, "%zu seen on %zu pages", seen, pages);
}

Test(api, a_page_of_large_requests_ends_early_and_leads_on)
{
    add_large();
    with_client(list_large);
}

static void show_requests(void)
{
    static const char *const states[] = {"pending", "approved", "denied", "expired", "pending"};
    struct js *o;

    for (int i = 0; i < STAGE_REQUESTS; i++) {
        o = succeeded("GET", request_path(i, ""), span_of(NULL, 0));
        CHECK(strcmp(js_str(js_get(o, "status")), states[i]) == 0, "%d: %s", i, js_str(js_get(o, "status")));
        CHECK((js_str(js_get(o, "serial")) != NULL) == (i == STAGE_APPROVED), "%d: serial", i);
        CHECK(js_is_null(js_get(o, "csr")) == (i == STAGE_FOREIGN), "%d: csr", i);
        js_free(o);
    }
    o = succeeded("GET", request_path(STAGE_APPROVED, ""), span_of(NULL, 0));
    CHECK(strcmp(js_str(js_get(o, "serial")), serial_text(ACTOR_LEAF)) == 0, "serial");
    CHECK(strcmp(js_str(js_get(o, "certificate")), path_of(ACTOR_LEAF, "")) == 0, "certificate");
    CHECK(strcmp(js_str(js_get(o, "decided_by")), "uid:0") == 0, "decided by");
    CHECK(strncmp(js_str(js_get(o, "csr")), "-----BEGIN CERTIFICATE REQUEST-----\n", 36) == 0, "csr");
    CHECK(strcmp(js_str(js_get(js_get(o, "decoded"), "cn")), "CAPF-0a1b2c3d") == 0, "decoded");
    CHECK(js_len(js_get(o, "findings")) == 1, "findings");
    js_free(o);
    o = succeeded("GET", request_path(STAGE_DENIED, ""), span_of(NULL, 0));
    CHECK(strcmp(js_str(js_get(o, "reason")), "not ours") == 0, "reason");
    js_free(o);
    refused(LOCAL, "GET", request_path(STAGE_REQUESTS, ""), "", 404, "not-found");
    refused(LOCAL, "GET", "/api/v1/requests/abc", "", 404, "not-found");
    refused(LOCAL, "GET", "/api/v1/requests/zz000000000000000000000000000000", "", 404, "not-found");
    refused(LOCAL, "GET", request_path(STAGE_PENDING, "?x=1"), "", 400, "malformed");
}

Test(api, a_request_is_shown_with_what_became_of_it)
{
    with_client(show_requests);
}

static void decide_requests(void)
{
    static const char *const wrong[] = {"",
                                        "x",
                                        "[]",
                                        "{}",
                                        "{\"reason\":null}",
                                        "{\"reason\":\"\"}",
                                        "{\"reason\":\"a\\nb\"}",
                                        "{\"reason\":\"a\",\"more\":1}",
                                        "{\"reason\":\"\\u009b\"}"};
    static const char good[] = "{\"reason\":\"n\xc3\xb6t ours\"}";
    char big[700] = "{\"reason\":\"";
    struct js *o = succeeded("POST", request_path(STAGE_PENDING, "/approval"), span_of(NULL, 0));

    CHECK(strcmp(js_str(js_get(o, "profile")), "ucm/CAPF") == 0, "the request");
    js_free(o);
    js_free(succeeded("POST", request_path(STAGE_PENDING, "/approval"), span_str("{}")));
    js_free(succeeded("POST", request_path(STAGE_PENDING, "/denial"), span_str(good)));
    refused(LOCAL, "POST", request_path(STAGE_PENDING, "/approval"), "{\"x\":1}", 400, "malformed");
    refused(LOCAL, "POST", request_path(STAGE_APPROVED, "/approval"), "", 409, "conflict");
    refused(LOCAL, "POST", request_path(STAGE_APPROVED, "/denial"), good, 409, "conflict");
    refused(LOCAL, "POST", request_path(STAGE_DENIED, "/approval"), "", 403, "forbidden");
    refused(LOCAL, "POST", request_path(STAGE_REQUESTS, "/approval"), "", 404, "not-found");
    refused(LOCAL, "POST", request_path(STAGE_REQUESTS, "/denial"), good, 404, "not-found");
    refused(LOCAL, "POST", "/api/v1/requests/abc/approval", "", 404, "not-found");
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
        refused(LOCAL, "POST", request_path(STAGE_PENDING, "/denial"), wrong[i], 400, "malformed");
    memset(big + strlen(big), 'a', REQUEST_REASON_MAX);
    strcat(big, "\"}");
    refused(LOCAL, "POST", request_path(STAGE_PENDING, "/denial"), big, 400, "malformed");
}

Test(api, decisions_are_read_strictly_and_passed_on)
{
    with_client(decide_requests);
}

/* ---- looking ---- */

static void look_at_lists(void)
{
    struct js *o = succeeded("GET", "/api/v1/certificates?status=valid&profile=ucm/tomcat", span_of(NULL, 0));
    const struct js *item = js_at(js_get(o, "items"), 0);
    static const char *const members[] = {"serial",    "issuer",    "profile",           "subject",
                                          "cn",        "status",    "not_before",        "not_after",
                                          "issued_at", "requester", "fingerprint_sha256"};

    CHECK(js_len(js_get(o, "items")) == 1 && js_is_null(js_get(o, "next")), "one");
    for (size_t i = 0; i < sizeof members / sizeof *members; i++)
        CHECK(js_str(js_get(item, members[i])) != NULL, "%s", members[i]);
    CHECK(strcmp(js_str(js_get(item, "serial")), serial_text(ACTOR_LEAF)) == 0, "serial");
    CHECK(js_len(js_get(item, "sans")) == 2 &&
              strcmp(js_str(js_at(js_get(item, "sans"), 1)), "192.0.2.1") == 0,
          "sans");
    CHECK(strcmp(js_str(js_get(js_get(item, "key"), "type")), "ec") == 0, "key");
    CHECK(js_is_null(js_get(item, "revocation")) && js_get(item, "pem") == NULL, "no more");
    js_free(o);
    o = succeeded("GET", "/api/v1/certificates?cn=&limit=2", span_of(NULL, 0));
    CHECK(js_len(js_get(o, "items")) == 2 && js_str(js_get(o, "next")) != NULL, "a page and a cursor");
    js_free(o);
    refused(LOCAL, "GET", "/api/v1/certificates?limit=0", "", 400, "malformed");
    refused(LOCAL, "GET", "/api/v1/certificates?limit=1001", "", 400, "malformed");
    refused(LOCAL, "GET", "/api/v1/certificates?status=odd", "", 400, "malformed");
    refused(LOCAL, "GET", "/api/v1/certificates?key_type=dsa", "", 400, "malformed");
    refused(LOCAL, "GET", "/api/v1/certificates?issuer=none", "", 400, "malformed");
    refused(LOCAL, "GET", "/api/v1/certificates?expires_before=soon", "", 400, "malformed");
    refused(LOCAL, "GET", "/api/v1/certificates?after=x", "", 400, "malformed");
    refused(LOCAL, "GET", "/api/v1/certificates?color=red", "", 400, "malformed");
}

Test(api, certificates_are_listed_by_page)
{
    with_client(look_at_lists);
}

static void walk_pages(void)
{
    char path[2048] = "/api/v1/certificates?limit=2";
    size_t seen = 0;

    for (int pages = 0; pages < 10 && path[0] != '\0'; pages++) {
        struct js *o = succeeded("GET", path, span_of(NULL, 0));
        const char *next = js_str(js_get(o, "next"));
        struct buf b;

        seen += js_len(js_get(o, "items"));
        buf_init(&b, sizeof path);
        if (next != NULL) {
            buf_put_str(&b, "/api/v1/certificates");
            fetch_query(&b, "limit", "2");
            fetch_query(&b, "after", next);
        }
        buf_put_u8(&b, 0);
        strcpy(path, (const char *)b.data);
        buf_free(&b);
        js_free(o);
    }
    CHECK(path[0] == '\0' && seen == ACTORS_STORED, "%zu seen", seen);
}

Test(api, pages_follow_each_other_to_the_end)
{
    with_client(walk_pages);
}

static void look_at_one(void)
{
    static const struct {
        const char *ending, *type, *begins;
    } rows[] = {
        {".pem", "application/x-pem-file", "-----BEGIN CERTIFICATE-----\n"},
        {".der", "application/pkix-cert", "\x30"},
        {".p7b", "application/x-pkcs7-certificates", "-----BEGIN PKCS7-----\n"},
        {"-chain.pem", "application/pem-certificate-chain", "-----BEGIN CERTIFICATE-----\n"},
    };
    struct js *o = succeeded("GET", path_of(ACTOR_REVOKED, ""), span_of(NULL, 0));

    CHECK(strcmp(js_str(js_get(o, "status")), "revoked") == 0, "status");
    CHECK(strcmp(js_str(js_get(js_get(o, "revocation"), "reason")), "keyCompromise") == 0, "reason");
    CHECK(js_str(js_get(js_get(o, "revocation"), "invalidity_date")) != NULL, "invalidity");
    CHECK(js_str(js_get(o, "pem")) != NULL && js_str(js_get(o, "chain")) != NULL, "pem, chain");
    CHECK(strlen(js_str(js_get(o, "chain"))) > strlen(js_str(js_get(o, "pem"))), "the chain is longer");
    js_free(o);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct fetch_answer a = ask(LOCAL, "GET", path_of(ACTOR_LEAF, rows[i].ending), span_of(NULL, 0));

        CHECK(a.status == 200 && strcmp(a.content_type, rows[i].type) == 0, "%s: %u %s", rows[i].ending,
              a.status, a.content_type);
        CHECK(memcmp(a.body.data, rows[i].begins, strlen(rows[i].begins)) == 0, "%s", rows[i].ending);
        fetch_answer_free(&a);
    }
    refused(LOCAL, "GET", path_of(ACTOR_LEAF, ".exe"), "", 404, "not-found");
    refused(LOCAL, "GET", path_of(ACTOR_FOREIGN, ""), "", 404, "not-found");
    refused(LOCAL, "GET", "/api/v1/certificates/abc", "", 404, "not-found");
}

Test(api, a_certificate_is_shown_in_each_form)
{
    with_client(look_at_one);
}

static void look_at_the_rest(void)
{
    struct js *o = succeeded("GET", "/api/v1/issuers", span_of(NULL, 0));
    const struct js *issuing = js_at(js_get(o, "items"), 1);
    int64_t number;

    CHECK(js_len(js_get(o, "items")) == 2, "two issuers");
    CHECK(js_is_null(js_get(js_at(js_get(o, "items"), 0), "parent")), "a root has no parent");
    CHECK(js_is_null(js_get(js_at(js_get(o, "items"), 0), "crl")), "and here no CRL yet");
    CHECK(strcmp(js_str(js_get(issuing, "issues")), "ec") == 0, "issues");
    CHECK(js_int(js_get(js_get(issuing, "crl"), "number"), &number) && number == 1, "number");
    CHECK(strcmp(js_str(js_get(js_get(issuing, "urls"), "chain")),
                 "http://ca.example.com:8080/ca/ec-g1.p7c") == 0,
          "url");
    js_free(o);
    o = succeeded("GET", "/api/v1/issuers/ec-g1", span_of(NULL, 0));
    CHECK(js_str(js_get(o, "pem")) != NULL && js_str(js_get(o, "chain")) != NULL, "pem, chain");
    js_free(o);
    o = succeeded("POST", "/api/v1/issuers/ec-g1/crl", span_of(NULL, 0));
    CHECK(strcmp(js_str(js_get(o, "issuer")), "ec-g1") == 0 && js_int(js_get(o, "number"), &number) &&
              number == 1,
          "crl");
    js_free(o);
    o = succeeded("GET", "/api/v1/profiles", span_of(NULL, 0));
    CHECK(js_len(js_get(o, "items")) > 10, "profiles");
    for (size_t i = 0; i < js_len(js_get(o, "items")); i++)
        CHECK(strncmp(js_str(js_get(js_at(js_get(o, "items"), i), "id")), "chancery/", 9) != 0,
              "no internal one");
    js_free(o);
    o = succeeded("GET", "/api/v1/profiles/ucm%2Ftomcat", span_of(NULL, 0));
    CHECK(strcmp(js_str(js_get(o, "id")), "ucm/tomcat") == 0, "id");
    CHECK(js_len(js_get(js_get(o, "ku"), "required")) == 2, "ku");
    js_free(o);
}

Test(api, issuers_and_profiles_are_shown)
{
    with_client(look_at_the_rest);
}

/* ---- revoking ---- */

static void revoke_some(void)
{
    static const char *const wrong[] = {"",
                                        "x",
                                        "[]",
                                        "{}",
                                        "{\"reason\":null}",
                                        "{\"reason\":\"odd\"}",
                                        "{\"reason\":\"removeFromCRL\"}",
                                        "{\"reason\":\"superseded\",\"more\":1}",
                                        "{\"reason\":\"superseded\",\"invalidity_date\":5}",
                                        "{\"reason\":\"superseded\",\"invalidity_date\":\"soon\"}",
                                        "{\"reason\":\"superseded\",\"reason\":\"superseded\"}"};
    static const char good[] = "{\"reason\":\"superseded\",\"invalidity_date\":\"2026-01-01T00:00:00Z\"}";
    struct js *o;

    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
        refused(LOCAL, "PUT", path_of(ACTOR_LEAF, "/revocation"), wrong[i], 400, "malformed");
    refused(LOCAL, "PUT", path_of(ACTOR_FOREIGN, "/revocation"), good, 404, "not-found");
    refused(LOCAL, "PUT", "/api/v1/certificates/abc/revocation", good, 404, "not-found");
    refused(LOCAL, "PUT", path_of(ACTOR_REVOKED, "/revocation"), good, 409, "conflict");
    refused(LOCAL, "DELETE", path_of(ACTOR_REVOKED, "/revocation"), "", 409, "conflict");
    o = succeeded("PUT", path_of(ACTOR_LEAF, "/revocation"), span_str(good));
    CHECK(strcmp(js_str(js_get(o, "serial")), serial_text(ACTOR_LEAF)) == 0, "serial");
    js_free(o);
    o = succeeded("PUT", path_of(ACTOR_LEAF, "/revocation"),
                  span_str("{\"reason\":\"unspecified\",\"invalidity_date\":null}"));
    js_free(o);
    o = succeeded("DELETE", path_of(ACTOR_HELD, "/revocation"), span_of(NULL, 0));
    js_free(o);
}

Test(api, revocations_are_read_strictly_and_passed_on)
{
    with_client(revoke_some);
}

static void send_broken_bodies(void)
{
    static const char *const tokens[] = {"",
                                         "x",
                                         "[]",
                                         "{}",
                                         "{\"role\":1}",
                                         "{\"role\":\"viewer\",\"days\":0}",
                                         "{\"role\":\"viewer\",\"more\":1}",
                                         "{\"role\":\"viewer\",\"names\":\"a\"}",
                                         "{\"role\":\"viewer\",\"role\":\"viewer\"}"};
    static const char *const permits[] = {"",
                                          "x",
                                          "[]",
                                          "{}",
                                          "{\"range\":1}",
                                          "{\"range\":\"192.0.2.0/24\",\"role\":\"king\"}",
                                          "{\"range\":\"192.0.2.0/24\",\"listener\":\"ftp\"}",
                                          "{\"range\":\"192.0.2.0/24\",\"more\":1}"};

    for (size_t i = 0; i < sizeof tokens / sizeof *tokens; i++)
        refused(LOCAL, "POST", "/api/v1/tokens", tokens[i], 400, "malformed");
    for (size_t i = 0; i < sizeof permits / sizeof *permits; i++)
        refused(LOCAL, "POST", "/api/v1/permits", permits[i], 400, "malformed");
}

Test(api, bodies_of_tokens_and_permits_are_read_strictly)
{
    with_client(send_broken_bodies);
}

static void ask_a_busy_ca(void)
{
    static const struct {
        const char *method, *path, *body;
    } asked[] = {
        {"POST", "/api/v1/tokens", "{\"role\":\"viewer\"}"},
        {"DELETE", "/api/v1/tokens/0011223344556677", ""},
        {"POST", "/api/v1/permits", "{\"range\":\"192.0.2.0/24\"}"},
        {"DELETE", "/api/v1/permits?range=192.0.2.0/24", ""},
        {"POST", "/api/v1/issuers/ec-g1/crl", ""},
    };

    for (size_t i = 0; i < sizeof asked / sizeof *asked; i++)
        refused(LOCAL, asked[i].method, asked[i].path, asked[i].body, 503, "unavailable");
    refused(LOCAL, "PUT", path_of(ACTOR_LEAF, "/revocation"), "{\"reason\":\"superseded\"}", 503,
            "unavailable");
    refused(LOCAL, "DELETE", path_of(ACTOR_HELD, "/revocation"), "", 503, "unavailable");
    refused(LOCAL, "POST", request_path(STAGE_PENDING, "/approval"), "", 503, "unavailable");
    refused(LOCAL, "POST", request_path(STAGE_PENDING, "/denial"), "{\"reason\":\"no\"}", 503, "unavailable");
}

Test(api, what_the_ca_has_no_time_for_is_refused)
{
    watch_stop(ca_watch);
    ca_watch = NULL;
    for (unsigned i = 0; i < ASKER_WAITING_MAX; i++)
        asker_tell(stage.api.asker, ASK_PROBE, span_of(NULL, 0));
    cr_assert_eq(asker_waiting(stage.api.asker), ASKER_WAITING_MAX);
    with_client(ask_a_busy_ca);
}

/* ---- health ---- */

static void look_at_health(void)
{
    struct js *o = succeeded("GET", "/livez", span_of(NULL, 0));
    struct fetch_answer a;

    CHECK(strcmp(js_str(js_get(o, "status")), "ok") == 0, "alive");
    js_free(o);
    a = ask(NOBODY, "GET", "/readyz",
            span_of(NULL, 0)); /* no CRL of the root, no OCSP signer, no listener certificate */
    CHECK(a.status == 503 && strcmp(a.content_type, "application/json") == 0, "%u", a.status);
    o = json_of(&a);
    CHECK(strcmp(js_str(js_get(o, "status")), "critical") == 0, "critical");
    CHECK(strcmp(js_str(js_get(js_at(js_get(o, "checks"), 0), "name")), "ca") == 0, "the ca first");
    CHECK(strcmp(js_str(js_get(js_at(js_get(o, "checks"), 0), "status")), "ok") == 0, "the ca is well");
    js_free(o);
    fetch_answer_free(&a);
    a = ask(NOBODY, "GET", "/metrics", span_of(NULL, 0));
    buf_put_u8(&a.body, 0);
    CHECK(a.status == 200 && strncmp(a.content_type, "text/plain; version=0.0.4", 25) == 0, "%s",
          a.content_type);
    CHECK(strstr((char *)a.body.data, "\nchancery_crl_number{issuer=\"ec-g1\"} 1\n") != NULL, "%s",
          (char *)a.body.data);
    CHECK(strstr((char *)a.body.data, "\nchancery_certificates 6\n") != NULL, "%s", (char *)a.body.data);
    fetch_answer_free(&a);
}

Test(api, health_is_told_to_anybody_here)
{
    with_client(look_at_health);
}
