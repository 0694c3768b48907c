/* SPDX-License-Identifier: Apache-2.0 */
/* Is the audit sealed after so many rows, after so long and at an end, and is what the signer does not give
 * an alarm? The test plays the signer. */
#include <criterion/criterion.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/port.h"
#include "tests/unit/ca/played.h"

#define NOW 1800000000

static char dir[64];
static struct ca_role role;
static struct ca ca = {.role = &role};
static struct seal_keys *keys;
static EVP_PKEY *key;
static int port[2];
static pthread_t signer_thread;
static _Atomic bool refuses;

static size_t sign(struct span tbs, uint8_t out[static SIGNATURE_MAX])
{
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    size_t len = SIGNATURE_MAX;

    cr_assert_eq(EVP_DigestSignInit_ex(ctx, NULL, "SHA256", NULL, NULL, key, NULL), 1);
    cr_assert_eq(EVP_DigestSign(ctx, out, &len, tbs.data, tbs.len), 1);
    EVP_MD_CTX_free(ctx);
    return len;
}

static void *signer(void *arg)
{
    uint8_t frame[1024], signature[SIGNATURE_MAX];
    struct span s;

    (void)arg;
    while (wire_receive(port[1], frame, sizeof frame, &s) == OK) {
        struct rd r = rd_of(s);
        uint8_t kind = rd_u8(&r);
        uint64_t number = rd_u64(&r);
        struct span id = rd_blob(&r);
        struct buf b;

        cr_assert_eq(kind, PORT_SEAL);
        cr_assert(span_eq(id, span_str(SEAL_KEY_ID)));
        buf_init(&b, 1024);
        buf_put_u8(&b, kind);
        buf_put_u64(&b, number);
        buf_put_u8(&b, refuses ? ERR_POLICY : OK);
        buf_put_blob(&b, span_of(signature, refuses ? 0 : sign(r.rest, signature)));
        buf_put_blob(&b, span_str(refuses ? "seal.time: more than a day from now" : ""));
        cr_assert_eq(wire_send(port[1], buf_span(&b)), OK);
        buf_free(&b);
    }
    return NULL;
}

static void setup(void)
{
    strcpy(dir, "/tmp/chancery-sealing-XXXXXX");
    cr_assert_not_null(mkdtemp(dir));
    key = EVP_EC_gen("P-256");
    keys = played_seal_keys(key);
    cr_assert_eq(wire_pair(port), OK);
    role = (struct ca_role){.board = board_new(), .seal_keys = keys, .port_fd = port[0]};
    cr_assert_eq(store_open(dir, STORE_CREATE, 0, &ca.store, NULL), OK);
    cr_assert_eq(pthread_create(&signer_thread, NULL, signer, NULL), 0);
    sealing_begin(&ca);
}

static void teardown(void)
{
    char command[128];

    close(port[0]);
    pthread_join(signer_thread, NULL);
    close(port[1]);
    store_close(ca.store);
    board_close(role.board);
    seal_keys_free(keys);
    EVP_PKEY_free(key);
    snprintf(command, sizeof command, "rm -r %s", dir);
    cr_assert_eq(system(command), 0);
}

TestSuite(sealing, .init = setup, .fini = teardown);

static void append(unsigned n)
{
    struct txn *t = NULL;

    cr_assert_eq(txn_begin(ca.store, &t), OK);
    while (n-- > 0)
        audit_append(t, &(struct audit_row){.at_s = NOW, .kind = AUDIT_ISSUE, .actor = span_str("a")});
    cr_assert_eq(txn_commit(t), OK);
}

/* What anybody finds who has the public key. */
static struct chain_check check(void)
{
    struct chain_check c = {.keys = keys};
    struct fault f = {0};
    struct view *v = NULL;

    cr_assert_eq(view_open(ca.store, &v), OK);
    cr_assert_eq(audit_check(v, &c, &f), OK, "%s", f.detail);
    view_close(v);
    return c;
}

static bool note(const struct alarm_shown *a, void *arg)
{
    cr_assert_str_eq(a->code, "audit.unsealed");
    strcpy(arg, a->detail);
    return true;
}

/* "": none stands. */
static const char *alarm_text(void)
{
    static char text[ALARM_DETAIL_MAX];

    text[0] = '\0';
    board_each_alarm(role.board, note, text);
    return text;
}

Test(sealing, a_thousand_rows_are_sealed_and_fewer_wait)
{
    append(SEAL_ROWS - 1);
    sealing_turn(&ca, NOW);
    cr_assert_eq(check().seals, 0);
    append(1);
    sealing_turn(&ca, NOW);
    cr_assert_eq(check().seals, 1);
    cr_assert_eq(check().sealed.seq, SEAL_ROWS);
    sealing_turn(&ca, NOW);
    cr_assert_eq(check().seals, 1, "a seal is nothing new");
    append(SEAL_ROWS);
    sealing_turn(&ca, NOW);
    cr_assert_eq(check().seals, 2);
}

Test(sealing, when_it_is_time_anything_new_is_sealed)
{
    ca.sealing.due_ms = 0;
    sealing_turn(&ca, NOW);
    cr_assert_eq(check().head.seq, 0, "there is nothing");
    append(1);
    sealing_turn(&ca, NOW);
    cr_assert_eq(check().seals, 0, "not before it is time again");
    ca.sealing.due_ms = 0;
    sealing_turn(&ca, NOW);
    cr_assert_eq(check().seals, 1);
    ca.sealing.due_ms = 0;
    sealing_turn(&ca, NOW);
    cr_assert_eq(check().seals, 1);
}

Test(sealing, an_end_in_order_is_a_row_and_sealed)
{
    append(3);
    sealing_end(&ca, NOW);
    cr_assert_eq(check().seals, 1);
    cr_assert_eq(check().head.seq, 5);
}

Test(sealing, a_new_start_finds_where_it_was)
{
    append(3);
    sealing_end(&ca, NOW);
    ca.sealing = (struct sealing){0};
    sealing_begin(&ca);
    cr_assert_eq(ca.sealing.seq, 5);
}

Test(sealing, a_refusal_is_an_alarm_until_a_seal_is_given)
{
    refuses = true;
    append(SEAL_ROWS);
    sealing_turn(&ca, NOW);
    cr_assert_str_eq(alarm_text(), "seal.time: more than a day from now");
    cr_assert_eq(check().seals, 0);
    refuses = false;
    sealing_turn(&ca, NOW);
    cr_assert_eq(check().seals, 0, "not asked for at every turn");
    ca.sealing.due_ms = 0;
    sealing_turn(&ca, NOW);
    cr_assert_eq(check().seals, 1);
    cr_assert_str_empty(alarm_text());
}

Test(sealing, without_a_key_nothing_is_sealed_and_it_is_said)
{
    role.seal_keys = NULL;
    sealing_begin(&ca);
    cr_assert_eq(strncmp(alarm_text(), "no key is configured", 20), 0);
    append(2 * SEAL_ROWS);
    sealing_turn(&ca, NOW);
    cr_assert_eq(check().seals, 0);
    sealing_end(&ca, NOW);
    cr_assert_eq(check().head.seq, 2 * SEAL_ROWS + 1);
    role.seal_keys = keys;
}
