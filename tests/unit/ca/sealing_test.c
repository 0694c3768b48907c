/* SPDX-License-Identifier: Apache-2.0 */
/* Is the audit sealed after so many rows, after so long and at an end, and is what the signer does not give
 * an alarm? The test plays the signer. */
#include <criterion/criterion.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <pthread.h>
#include <string.h>
#include <unistd.h>

#include "base/port.h"
#include "tests/unit/ca/idle.h"
#include "tests/unit/ca/played.h"

#define NOW 1800000000

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
    idle_open();
    key = EVP_EC_gen("P-256");
    keys = played_seal_keys(key);
    cr_assert_eq(wire_pair(port), OK);
    idle.role.seal_keys = keys;
    idle.role.port_fd = port[0];
    cr_assert_eq(pthread_create(&signer_thread, NULL, signer, NULL), 0);
    sealing_begin(&idle.ca);
}

static void teardown(void)
{
    close(port[0]);
    pthread_join(signer_thread, NULL);
    close(port[1]);
    idle_close();
    seal_keys_free(keys);
    EVP_PKEY_free(key);
}

TestSuite(sealing, .init = setup, .fini = teardown);

static void append(unsigned n)
{
    struct txn *t = idle_begin();

    while (n-- > 0)
        audit_append(t, &(struct audit_row){.at_s = NOW, .kind = AUDIT_ISSUE, .actor = span_str("a")});
    idle_commit(t);
}

/* What anybody finds who has the public key. */
static struct chain_check check(void)
{
    struct chain_check c = {.keys = keys};
    struct fault f = {0};
    struct view *v = NULL;

    v = idle_look();
    cr_assert_eq(audit_check(v, &c, &f), OK, "%s", f.detail);
    view_close(v);
    return c;
}

static const char *alarm_text(void)
{
    return idle_alarm("audit.unsealed");
}

Test(sealing, a_thousand_rows_are_sealed_and_fewer_wait)
{
    append(SEAL_ROWS - 1);
    sealing_turn(&idle.ca, NOW);
    cr_assert_eq(check().seals, 0);
    append(1);
    sealing_turn(&idle.ca, NOW);
    cr_assert_eq(check().seals, 1);
    cr_assert_eq(check().sealed.seq, SEAL_ROWS);
    sealing_turn(&idle.ca, NOW);
    cr_assert_eq(check().seals, 1, "a seal is nothing new");
    append(SEAL_ROWS);
    sealing_turn(&idle.ca, NOW);
    cr_assert_eq(check().seals, 2);
}

Test(sealing, when_it_is_time_anything_new_is_sealed)
{
    idle.ca.sealing.due_ms = 0;
    sealing_turn(&idle.ca, NOW);
    cr_assert_eq(check().head.seq, 0, "there is nothing");
    append(1);
    sealing_turn(&idle.ca, NOW);
    cr_assert_eq(check().seals, 0, "not before it is time again");
    idle.ca.sealing.due_ms = 0;
    sealing_turn(&idle.ca, NOW);
    cr_assert_eq(check().seals, 1);
    idle.ca.sealing.due_ms = 0;
    sealing_turn(&idle.ca, NOW);
    cr_assert_eq(check().seals, 1);
}

Test(sealing, an_end_in_order_is_a_row_and_sealed)
{
    append(3);
    sealing_end(&idle.ca, NOW);
    cr_assert_eq(check().seals, 1);
    cr_assert_eq(check().head.seq, 5);
}

Test(sealing, a_new_start_finds_where_it_was)
{
    append(3);
    sealing_end(&idle.ca, NOW);
    idle.ca.sealing = (struct sealing){0};
    sealing_begin(&idle.ca);
    cr_assert_eq(idle.ca.sealing.seq, 5);
}

Test(sealing, a_refusal_is_an_alarm_until_a_seal_is_given)
{
    refuses = true;
    append(SEAL_ROWS);
    sealing_turn(&idle.ca, NOW);
    cr_assert_str_eq(alarm_text(), "seal.time: more than a day from now");
    cr_assert_eq(check().seals, 0);
    refuses = false;
    sealing_turn(&idle.ca, NOW);
    cr_assert_eq(check().seals, 0, "not asked for at every turn");
    idle.ca.sealing.due_ms = 0;
    sealing_turn(&idle.ca, NOW);
    cr_assert_eq(check().seals, 1);
    cr_assert_str_empty(alarm_text());
}

Test(sealing, without_a_key_nothing_is_sealed_and_it_is_said)
{
    idle.role.seal_keys = NULL;
    sealing_begin(&idle.ca);
    cr_assert_eq(strncmp(alarm_text(), "no key is configured", 20), 0);
    append(2 * SEAL_ROWS);
    sealing_turn(&idle.ca, NOW);
    cr_assert_eq(check().seals, 0);
    sealing_end(&idle.ca, NOW);
    cr_assert_eq(check().head.seq, 2 * SEAL_ROWS + 1);
    idle.role.seal_keys = keys;
}
