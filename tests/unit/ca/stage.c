/* SPDX-License-Identifier: Apache-2.0 */
/* stage: see stage.h. */
#include "tests/unit/ca/stage.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/hash.h"

struct stage stage;

/* ---- the store ---- */

static struct txn *begin(enum store_mode mode)
{
    cr_assert_eq(store_open(stage.dir, mode, 0, &stage.writer, NULL), OK);
    cr_assert_eq(txn_begin(stage.writer, &stage.t), OK);
    return stage.t;
}

struct txn *stage_begin(void)
{
    return begin(STORE_WRITE);
}

void stage_commit(void)
{
    cr_assert_eq(txn_commit(stage.t), OK);
    store_close(stage.writer);
}

static void make_store(void)
{
    int64_t now_s = clock_now_s();

    strcpy(stage.dir, "/tmp/chancery-ca-stage-XXXXXX");
    cr_assert_not_null(mkdtemp(stage.dir));
    played_issuer(begin(STORE_CREATE), buf_span(&stage.subject), buf_span(&stage.spki), now_s - 86400,
                  now_s + 86400 * 400, &stage.issuer_certificate);
    stage_commit();
}

void stage_remember(const uint8_t serial[static SERIAL_LEN])
{
    struct cert c = {.status = {.issuer_no = 1, .not_after_s = clock_now_s() + 86400},
                     .key_type = KEY_EC,
                     .key_bits = 256,
                     .profile = "general/server",
                     .requester = "tester",
                     .cn = span_str("b.example.com"),
                     .subject = span_str("CN=b.example.com"),
                     .der = span_str("a certificate")};
    uint64_t number;

    memcpy(c.serial, serial, SERIAL_LEN);
    sha256_of(buf_span(&stage.spki), c.key_hash);
    sha256_of(c.der, c.fingerprint);
    cert_add(stage_begin(), &c, &number);
    stage_commit();
}

struct view *stage_look(void)
{
    struct view *v;

    if (stage.reader == NULL)
        cr_assert_eq(store_open(stage.dir, STORE_READ, 0, &stage.reader, NULL), OK);
    cr_assert_eq(view_open(stage.reader, &v), OK);
    return v;
}

enum err stage_status(const uint8_t serial[static SERIAL_LEN], struct status *out)
{
    struct view *v = stage_look();
    enum err e = status_find(v, serial, out);

    view_close(v);
    return e;
}

uint64_t stage_certificates(void)
{
    struct view *v = stage_look();
    struct store_counts c;

    cr_assert_eq(store_count(v, &c), OK);
    view_close(v);
    return c.certificates;
}

/* ---- the roles ---- */

static void make_role(void)
{
    struct ca_role *role = calloc(1, sizeof *role);
    struct fault f = {0};

    role->store_dir = stage.dir;
    role->config = (struct ca_config){.count = 1,
                                      .node = 1,
                                      .host = "ca.example.com",
                                      .public_url = "http://ca.example.com",
                                      .responder_s = 14 * 86400,
                                      .listener_s = 90 * 86400,
                                      .listener_names = {"ca.example.com"},
                                      .listener_name_count = 1};
    role->config.issuers[0] = (struct ca_issuer){.id = "ec-g1", .issues = KEY_EC};
    role->responder_spki[0] = buf_span(&stage.spki);
    cr_assert_eq(catalogue_load("installed", (struct span){0}, &role->catalogue, NULL, &f), OK, "%s",
                 f.detail);
    stage.role = role;
}

static void make_wires(void)
{
    cr_assert_eq(wire_pair(stage.api), OK);
    cr_assert_eq(wire_pair(stage.port), OK);
    cr_assert_eq(wire_pair(stage.desk), OK);
    stage.role->api_fd = stage.api[1];
    stage.role->port_fd = stage.port[0];
    stage.role->desk_fd = stage.desk[1];
    stage.signer = (struct played_signer){.fd = stage.port[1]};
    pthread_create(&stage.signer_thread, NULL, played_signer_run, &stage.signer);
}

static void *run(void *arg)
{
    (void)arg;
    stage.result = ca_run(stage.role);
    close(stage.api[1]);
    close(stage.port[0]);
    return NULL;
}

void stage_start(void)
{
    pthread_create(&stage.ca_thread, NULL, run, NULL);
    stage.is_running = true;
}

void stage_stop(void)
{
    if (!stage.is_running)
        return;
    close(stage.api[0]);
    pthread_join(stage.ca_thread, NULL);
    pthread_join(stage.signer_thread, NULL);
    close(stage.port[1]);
    close(stage.desk[0]);
    close(stage.desk[1]);
    stage.is_running = false;
    cr_assert_eq(stage.result, OK, "the api's end closing ends the ca in order");
}

void stage_restart(void)
{
    stage_stop();
    make_wires();
    stage_start();
}

void stage_open(void)
{
    buf_init(&stage.subject, 4096);
    buf_init(&stage.requester, 4096);
    played_key(&stage.spki);
    name_write(&stage.subject, "Example UC", "Issuer");
    name_write(&stage.requester, "Example UC", "a.example.com");
    make_store();
    make_role();
    make_wires();
}

void stage_close(void)
{
    char command[128];

    stage_stop();
    store_close(stage.reader);
    catalogue_free(&stage.role->catalogue);
    free(stage.role);
    snprintf(command, sizeof command, "rm -rf %s", stage.dir);
    cr_assert_eq(system(command), 0);
    buf_free(&stage.spki);
    buf_free(&stage.subject);
    buf_free(&stage.requester);
    buf_free(&stage.issuer_certificate);
}
