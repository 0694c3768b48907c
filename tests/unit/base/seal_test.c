/* SPDX-License-Identifier: Apache-2.0 */
/* Is a seal the service's own signature over one row, and nothing else taken for one? */
#include "base/seal.h"

#include <criterion/criterion.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <string.h>

#include "base/hash.h"

struct sealer {
    EVP_PKEY *key;
    struct buf pem;
    uint8_t id[HASH_LEN];
};

static void pem_add(struct buf *out, EVP_PKEY *key)
{
    BIO *bio = BIO_new(BIO_s_mem());
    char *text;
    long len;

    cr_assert_eq(PEM_write_bio_PUBKEY(bio, key), 1);
    len = BIO_get_mem_data(bio, &text);
    buf_put(out, text, (size_t)len);
    BIO_free(bio);
}

static struct sealer sealer_new(const char *curve)
{
    struct sealer s = {.key = EVP_EC_gen(curve)};
    uint8_t *spki = NULL;
    int len = i2d_PUBKEY(s.key, &spki);

    sha256_of(span_of(spki, (size_t)len), s.id);
    OPENSSL_free(spki);
    buf_init(&s.pem, 65536);
    pem_add(&s.pem, s.key);
    return s;
}

static void sealer_free(struct sealer *s)
{
    EVP_PKEY_free(s->key);
    buf_free(&s->pem);
}

static void sign(const struct sealer *s, struct span octets, struct seal *out)
{
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();

    *out = (struct seal){.signature_len = SIGNATURE_MAX};
    memcpy(out->key_id, s->id, HASH_LEN);
    cr_assert_eq(EVP_DigestSignInit_ex(ctx, NULL, "SHA256", NULL, NULL, s->key, NULL), 1);
    cr_assert_eq(EVP_DigestSign(ctx, out->signature, &out->signature_len, octets.data, octets.len), 1);
    EVP_MD_CTX_free(ctx);
}

static const struct sealed what = {.seq = 1000, .hash = {1, 2, 3}, .at_s = 1800000000};

Test(seal, octets_and_back_and_nothing_else_is_that_form)
{
    uint8_t tbs[SEAL_TBS_LEN + 1] = {0};
    struct sealed got;

    seal_tbs_write(&what, tbs);
    cr_assert_eq(SEAL_TBS_LEN, 63);
    cr_assert_arr_eq(tbs, "\0chancery seal\0\0\0\0\0\0\0\3\350\1\2\3\0", 27);
    cr_assert(seal_tbs_read(span_of(tbs, SEAL_TBS_LEN), &got));
    cr_assert_eq(got.seq, 1000);
    cr_assert_eq(got.at_s, 1800000000);
    cr_assert_arr_eq(got.hash, what.hash, HASH_LEN);
    cr_assert_not(seal_tbs_read(span_of(tbs, SEAL_TBS_LEN + 1), &got));
    for (size_t len = 0; len < SEAL_TBS_LEN; len++)
        cr_assert_not(seal_tbs_read(span_of(tbs, len), &got));
    for (size_t i = 0; i < SEAL_PREFIX_LEN; i++) {
        tbs[i] ^= 1;
        cr_assert_not(seal_tbs_read(span_of(tbs, SEAL_TBS_LEN), &got));
        tbs[i] ^= 1;
    }
}

Test(seal, text_and_back_and_one_text_alone_for_each)
{
    struct seal s = {.key_id = {0xab}, .signature = {0xcd, 0xef}, .signature_len = 2}, got;
    struct buf b;

    buf_init(&b, 4096);
    seal_text_put(&b, &s);
    cr_assert(seal_text_read(buf_span(&b), &got));
    cr_assert_arr_eq(got.key_id, s.key_id, HASH_LEN);
    cr_assert_eq(got.signature_len, 2);
    cr_assert_arr_eq(got.signature, s.signature, 2);
    for (size_t i = 0; i < b.len; i++) {
        uint8_t was = b.data[i];

        b.data[i] = was == 'A' ? 'B' : 'A'; /* upper case is another text */
        cr_assert_not(seal_text_read(buf_span(&b), &got));
        b.data[i] = was;
    }
    for (size_t len = 0; len < b.len - 2; len++)
        cr_assert_not(seal_text_read(span_of(b.data, len), &got));
    buf_free(&b);
}

Test(seal, a_signature_is_good_for_its_own_row_and_key_alone)
{
    struct sealer ours = sealer_new("P-256"), other = sealer_new("P-256");
    uint8_t tbs[SEAL_TBS_LEN];
    struct seal_keys *keys = NULL;
    struct sealed moved;
    struct seal s;

    seal_tbs_write(&what, tbs);
    sign(&ours, span_of(tbs, sizeof tbs), &s);
    cr_assert_eq(seal_keys_read(buf_span(&ours.pem), &keys, NULL), OK);
    cr_assert_arr_eq(seal_keys_first(keys), ours.id, HASH_LEN);
    cr_assert_eq(seal_check(keys, &what, &s), OK);
    moved = what;
    moved.seq++;
    cr_assert_eq(seal_check(keys, &moved, &s), ERR_KEY);
    moved = what;
    moved.at_s--;
    cr_assert_eq(seal_check(keys, &moved, &s), ERR_KEY);
    moved = what;
    moved.hash[31] ^= 1;
    cr_assert_eq(seal_check(keys, &moved, &s), ERR_KEY);
    sign(&other, span_of(tbs, sizeof tbs), &s);
    cr_assert_eq(seal_check(keys, &what, &s), ERR_NOT_FOUND, "another's key");
    memcpy(s.key_id, ours.id, HASH_LEN);
    cr_assert_eq(seal_check(keys, &what, &s), ERR_KEY, "another's signature under our name");
    seal_keys_free(keys);
    pem_add(&ours.pem, other.key);
    cr_assert_eq(seal_keys_read(buf_span(&ours.pem), &keys, NULL), OK);
    memcpy(s.key_id, other.id, HASH_LEN);
    cr_assert_eq(seal_check(keys, &what, &s), OK, "a key of former years");
    seal_keys_free(keys);
    sealer_free(&ours);
    sealer_free(&other);
}

Test(seal, keys_that_cannot_be_the_audits_are_refused)
{
    struct sealer wide = sealer_new("P-384"), good = sealer_new("P-256");
    struct seal_keys *keys = NULL;
    struct fault f = {0};

    cr_assert_eq(seal_keys_read(buf_span(&wide.pem), &keys, &f), ERR_KEY);
    cr_assert_null(keys);
    f = (struct fault){0};
    cr_assert_eq(seal_keys_read(span_str("no key"), &keys, &f), ERR_KEY);
    for (unsigned i = 0; i < SEAL_KEYS_MAX; i++)
        pem_add(&good.pem, good.key);
    f = (struct fault){0};
    cr_assert_eq(seal_keys_read(buf_span(&good.pem), &keys, &f), ERR_KEY);
    cr_assert_not_null(strstr(f.detail, "more than"));
    sealer_free(&wide);
    sealer_free(&good);
}
