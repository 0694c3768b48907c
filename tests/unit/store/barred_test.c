/* SPDX-License-Identifier: Apache-2.0 */
/* Are the keys revoked for keyCompromise barred in a store of an earlier version too, and is a row that is
 * gone damage from then on? */
#include <criterion/criterion.h>
#include <string.h>

#include "tests/contract/fixture.h"
#include "tests/unit/store/raw.h"

#define CERTIFICATES 450u /* more than one transaction of the build takes */

static void revoke_all(struct place *p, unsigned count, enum reason reason)
{
    struct txn *t = begin(p);
    uint8_t serial[SERIAL_LEN];

    for (unsigned n = 0; n < count; n++) {
        serial_of(n, serial);
        cert_revoke(t, serial, n % 3 == 0 ? REASON_SUPERSEDED : reason, NOW, NO_TIME);
    }
    commit(t);
}

/* Does away with what an earlier version did not write. */
static void make_early(const struct place *p, unsigned count)
{
    raw_set(p->dir, "meta", span_str("barred"), (struct span){0});
    for (unsigned n = 0; n < count; n++) {
        static struct sample s;
        uint8_t key[1 + HASH_LEN] = {INDEX_COMPROMISED};

        sample_make(&s, n, 64);
        memcpy(key + 1, s.cert.key_hash, HASH_LEN);
        if (n % 3 != 0)
            raw_set(p->dir, "index", span_of(key, sizeof key), (struct span){0});
    }
}

static unsigned barred(struct place *p, unsigned count)
{
    struct view *v = look(p);
    unsigned n_barred = 0;

    for (unsigned n = 0; n < count; n++) {
        static struct sample s;
        uint8_t first[SERIAL_LEN];

        sample_make(&s, n, 64);
        n_barred += key_compromised(v, s.cert.key_hash, first) == OK;
    }
    view_close(v);
    return n_barred;
}

static void told(const char *what, void *arg)
{
    (void)what;
    (void)arg;
}

static struct store_checked checked(struct place *p)
{
    struct store_checked n;
    struct view *v = look(p);

    cr_assert_eq(store_check(v, told, NULL, &n), OK);
    view_close(v);
    return n;
}

Test(barred, an_early_store_gets_them_when_its_writer_opens_it)
{
    struct place p = place_create();

    add_range(&p, 0, CERTIFICATES);
    revoke_all(&p, CERTIFICATES, REASON_KEY_COMPROMISE);
    cr_assert_eq(barred(&p, CERTIFICATES), CERTIFICATES / 3 * 2);
    place_close(&p);
    make_early(&p, CERTIFICATES);
    place_reopen(&p, STORE_READ);
    cr_assert_eq(barred(&p, CERTIFICATES), 0, "a reader writes nothing");
    place_close(&p);
    place_reopen(&p, STORE_WRITE);
    cr_assert_eq(barred(&p, CERTIFICATES), CERTIFICATES / 3 * 2);
    place_remove(&p);
}

Test(barred, a_missing_one_is_damage_but_in_a_store_that_never_had_them)
{
    struct place p = place_create();
    struct store_checked whole, early, damaged;

    add_range(&p, 0, 6);
    revoke_all(&p, 6, REASON_KEY_COMPROMISE);
    whole = checked(&p); /* what else the samples are blamed for is not asked here */
    cr_assert_eq(whole.warnings, 0);
    place_close(&p);
    make_early(&p, 6);
    place_reopen(&p, STORE_READ);
    early = checked(&p);
    cr_assert_eq(early.warnings, 4);
    cr_assert_eq(early.faults, whole.faults);
    place_close(&p);
    place_reopen(&p, STORE_WRITE);
    cr_assert_eq(checked(&p).warnings, 0);
    place_close(&p);
    make_early(&p, 6);
    raw_set(p.dir, "meta", span_str("barred"), span_of("\x01", 1));
    place_reopen(&p, STORE_WRITE);
    cr_assert_eq(barred(&p, 6), 0, "what is marked is not looked at again");
    damaged = checked(&p);
    cr_assert_eq(damaged.warnings, 0);
    cr_assert_eq(damaged.faults, whole.faults + 4);
    place_remove(&p);
}

/* Damage is for the check to say: it keeps nobody from starting. */
Test(barred, a_row_that_is_bent_is_passed_over)
{
    struct place p = place_create();
    struct key key;
    uint8_t serial[SERIAL_LEN];

    add_range(&p, 0, 6);
    revoke_all(&p, 6, REASON_KEY_COMPROMISE);
    place_close(&p);
    make_early(&p, 6);
    serial_of(1, serial);
    key = key_of_revoked(2, serial);
    raw_set(p.dir, "revoked", key_span(&key), span_str("bent"));
    serial_of(2, serial);
    raw_set(p.dir, "status", span_of(serial, SERIAL_LEN), span_str("bent"));
    place_reopen(&p, STORE_WRITE);
    cr_assert_eq(barred(&p, 6), 2, "of four");
    place_remove(&p);
}
