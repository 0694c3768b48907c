/* SPDX-License-Identifier: Apache-2.0 */
/* stage: see stage.h. */
#include "tests/unit/api/stage.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static int64_t still(void)
{
    return STAGE_NOW_S;
}

static void add_issuers(struct stage *s, struct txn *t)
{
    struct issuer root = {.id = "ec-root-g1", .certificate = buf_span(&s->root)};
    struct issuer issuing = {.id = "ec-g1", .parent = "ec-root-g1", .certificate = buf_span(&s->root)};
    uint16_t no;

    issuer_add(t, &root, &no);
    issuer_add(t, &issuing, &no);
    cr_assert_eq(no, 2);
}

static void add_actor(struct stage *s, struct txn *t, enum actor a, const char *profile, int64_t from_s,
                      int64_t until_s)
{
    static const char sans[] = "a.example.com\0"
                               "192.0.2.1";
    struct cert c = {
        .status = {.issuer_no = 2, .not_after_s = until_s},
        .not_before_s = from_s,
        .issued_at_s = from_s,
        .key_type = KEY_EC,
        .key_bits = 256,
        .cn = span_str("a.example.com"),
        .subject = span_str("CN=a.example.com"),
        .sans = span_of(sans, sizeof sans),
        .requester = "uid:0",
    };
    struct buf spki;
    uint64_t number;

    buf_init(&s->certs[a], 65536);
    buf_init(&spki, 65536);
    memset(s->serials[a], (int)(a + 1), SERIAL_LEN);
    forge_certificate(s->key, span_of(s->serials[a], SERIAL_LEN), from_s, until_s, &s->certs[a]);
    memcpy(c.serial, s->serials[a], SERIAL_LEN);
    strcpy(c.profile, profile);
    c.der = buf_span(&s->certs[a]);
    sha256_of(c.der, c.fingerprint);
    sha256_of(forge_spki(s->key, &spki), c.key_hash);
    cert_add(t, &c, &number);
    buf_free(&spki);
}

static void add_actors(struct stage *s, struct txn *t)
{
    static const char admin[] = "chancery/administrator";
    int64_t from_s = STAGE_NOW_S - DAY_S, until_s = STAGE_NOW_S + DAY_S;

    add_actor(s, t, ACTOR_ADMINISTRATOR, admin, from_s, until_s);
    add_actor(s, t, ACTOR_LEAF, "ucm/tomcat", from_s, until_s);
    add_actor(s, t, ACTOR_EXPIRED, admin, from_s, STAGE_NOW_S - 1);
    add_actor(s, t, ACTOR_EARLY, admin, STAGE_NOW_S + 1, until_s);
    add_actor(s, t, ACTOR_REVOKED, admin, from_s, until_s);
    add_actor(s, t, ACTOR_HELD, admin, from_s, until_s);
    cert_revoke(t, s->serials[ACTOR_REVOKED], REASON_KEY_COMPROMISE, STAGE_NOW_S - 5, STAGE_NOW_S - 50);
    cert_revoke(t, s->serials[ACTOR_HELD], REASON_CERTIFICATE_HOLD, STAGE_NOW_S - 5, NO_TIME);
}

static void add_tokens(struct stage *s, struct txn *t)
{
    for (int i = 0; i < STAGE_TOKENS; i++) {
        struct token k = {.role = ACCESS_OPERATOR,
                          .created_by = "uid:0",
                          .created_at_s = STAGE_NOW_S - DAY_S,
                          .expires_at_s = STAGE_NOW_S + (i == STAGE_TOKEN_EXPIRED ? 0 : DAY_S)};

        cr_assert(scope_add(&k.scope.profiles, "ucm/*"));
        secret_new(s->secrets[i]);
        secret_hash(s->secrets[i], k.hash);
        token_add(t, &k);
        if (i == STAGE_TOKEN_DELETED)
            token_delete(t, k.hash, STAGE_NOW_S - 1);
    }
}

static void add_strangers(struct stage *s)
{
    buf_init(&s->certs[ACTOR_FOREIGN], 65536);
    buf_init(&s->certs[ACTOR_IMPOSTOR], 65536);
    memset(s->serials[ACTOR_FOREIGN], 99, SERIAL_LEN);
    memcpy(s->serials[ACTOR_IMPOSTOR], s->serials[ACTOR_ADMINISTRATOR], SERIAL_LEN);
    for (enum actor a = ACTOR_FOREIGN; a < ACTORS; a++)
        forge_certificate(s->key, span_of(s->serials[a], SERIAL_LEN), STAGE_NOW_S - 9, STAGE_NOW_S + 9,
                          &s->certs[a]);
}

struct span stage_request(int which)
{
    static uint8_t ids[STAGE_REQUESTS + 1][REQUEST_ID_LEN];

    ids[which][0] = (uint8_t)(which + 1);
    return span_of(ids[which], REQUEST_ID_LEN);
}

static void put_asked(struct buf *facts, struct buf *findings)
{
    struct san san = {SAN_DNS, span_str("capf.example.com")};
    struct facts f = {.csr = span_str("a request"),
                      .cn = span_str("CAPF-0a1b2c3d"),
                      .subject_text = span_str("CN=CAPF-0a1b2c3d"),
                      .has_san = true,
                      .sans = &san,
                      .san_count = 1};
    struct findings fs = {0};

    finding_add(&fs, "csr.hash.weak", "signature", "SHA-1", "SHA-256");
    facts_write(facts, &f);
    findings_write(findings, &fs);
    findings_free(&fs);
}

static void add_request(struct stage *s, struct txn *t, int which, const struct buf *facts,
                        const struct buf *findings)
{
    struct span id = stage_request(which);
    struct request r = {.profile = "ucm/CAPF",
                        .facts = which == STAGE_FOREIGN ? span_str("of another version") : buf_span(facts),
                        .findings = buf_span(findings),
                        .asked_at_s = STAGE_NOW_S - 100 + which,
                        .expires_at_s = STAGE_NOW_S + (which == STAGE_OVERDUE ? -1 : DAY_S)};
    struct decision d = {.by = "uid:0", .at_s = STAGE_NOW_S - 5};

    memcpy(r.id, id.data, REQUEST_ID_LEN);
    r.same[0] = (uint8_t)which;
    strcpy(r.asker, "cert:01");
    request_add(t, &r);
    if (which == STAGE_APPROVED) {
        d.state = REQUEST_APPROVED;
        d.serial = s->serials[ACTOR_LEAF];
        request_decide(t, r.id, &d);
    } else if (which == STAGE_DENIED) {
        d.state = REQUEST_DENIED;
        d.reason = "not ours";
        request_decide(t, r.id, &d);
    }
}

static void add_requests(struct stage *s, struct txn *t)
{
    struct buf facts, findings;

    buf_init(&facts, WIRE_MSG_MAX);
    buf_init(&findings, WIRE_MSG_MAX);
    put_asked(&facts, &findings);
    for (int i = 0; i < STAGE_REQUESTS; i++)
        add_request(s, t, i, &facts, &findings);
    buf_free(&facts);
    buf_free(&findings);
}

static void fill_store(struct stage *s)
{
    struct crl_state crl = {
        .this_update_s = STAGE_NOW_S - 10, .next_update_s = STAGE_NOW_S + 9 * DAY_S, .size = 300, .count = 2};
    struct fault f = {0};
    struct txn *t;

    cr_assert_eq(store_open(s->config.store_dir, STORE_CREATE, 64 << 20, &s->api.store, &f), OK, "%s",
                 f.detail);
    cr_assert_eq(txn_begin(s->api.store, &t), OK);
    add_issuers(s, t);
    add_actors(s, t);
    add_tokens(s, t);
    add_requests(s, t);
    crl_state_reserve(t, 2, &crl.number);
    crl_state_publish(t, 2, &crl);
    cr_assert_eq(txn_commit(t), OK);
}

/* Stands for what the crl role publishes. */
static void make_public(struct config *c)
{
    static const char *const names[] = {"crl/ec-g1.crl", "crl/ec-g1.pem"};
    char path[PATH_LEN_MAX];

    cr_assert_eq(path_join(c->public_dir, c->home, "public", NULL), OK);
    cr_assert_eq(mkdir(c->public_dir, 0700), 0);
    cr_assert_eq(path_join(path, c->public_dir, "crl", NULL), OK);
    cr_assert_eq(mkdir(path, 0700), 0);
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        cr_assert_eq(path_join(path, c->public_dir, names[i], NULL), OK);
        cr_assert_eq(file_replace(path, span_str(names[i]), 0600, NULL), OK);
    }
}

static void make_config(struct stage *s)
{
    struct config *c = &s->config;
    struct fault f = {0};

    strcpy(s->dir, "/tmp/chancery-api-test-XXXXXX");
    cr_assert_not_null(mkdtemp(s->dir));
    strcpy(c->home, s->dir);
    c->http_connections = c->https_connections = 64;
    cr_assert_eq(path_join(c->store_dir, s->dir, "store", NULL), OK);
    cr_assert_eq(mkdir(c->store_dir, 0700), 0);
    make_public(c);
    strcpy(c->public_url, "http://ca.example.com:8080");
    strcpy(c->host, "ca.example.com");
    strcpy(c->ca.host, "ca.example.com");
    c->ca.count = 2;
    strcpy(c->ca.issuers[0].id, "ec-root-g1");
    strcpy(c->issuers[0].id, "ec-root-g1");
    strcpy(c->issuers[1].id, "ec-g1");
    c->issuer_count = 2;
    c->ca.issuers[1] = (struct ca_issuer){.id = "ec-g1", .parent = "ec-root-g1", .issues = KEY_EC};
    strcpy(c->ca.listener_names[0], "localhost");
    strcpy(c->ca.listener_names[1], "127.0.0.1");
    c->ca.listener_name_count = 2;
    cr_assert_eq(catalogue_load("profiles.xml", span_of(NULL, 0), &c->catalogue, NULL, &f), OK, "%s",
                 f.detail);
}

void stage_make(struct stage *s)
{
    memset(s, 0, sizeof *s);
    make_config(s);
    s->key = forge_key("P-256");
    buf_init(&s->root, 65536);
    forge_certificate(s->key, span_of("\x05", 1), STAGE_NOW_S - DAY_S, STAGE_NOW_S + 9999 * (int64_t)DAY_S,
                      &s->root);
    fill_store(s);
    add_strangers(s);
    cr_assert_eq(wire_pair(s->wire), OK);
    s->role = (struct api_role){.config = &s->config, .seal_pem = &s->seal_pem, .ca_fd = s->wire[0]};
    s->api.role = &s->role;
    s->api.config = &s->config;
    s->api.now_s = still;
    s->idle = s->api.loop = loop_new();
    s->api.permits = permits_new(s->idle, s->api.store, PERMIT_HTTPS, NULL);
    s->api.limits = limits_new(&s->api);
    s->api.login_failures = login_failures_new(&s->api);
    s->api.denied = denied_new(&s->api);
    s->api.foreign = foreign_new(&s->config.ca.access, s->dir, NULL);
    s->api.loop = NULL;
}

void stage_free(struct stage *s)
{
    char command[128];

    permits_free(s->api.permits);
    limits_free(s->api.limits);
    tally_free(s->api.login_failures);
    tally_free(s->api.denied);
    foreign_free(s->api.foreign);
    loop_free(s->idle);
    store_close(s->api.store);
    config_free(&s->config);
    for (enum actor a = 0; a < ACTORS; a++)
        buf_free(&s->certs[a]);
    buf_free(&s->root);
    EVP_PKEY_free(s->key);
    close(s->wire[0]);
    close(s->wire[1]);
    snprintf(command, sizeof command, "rm -rf %s", s->dir);
    cr_assert_eq(system(command), 0);
}
