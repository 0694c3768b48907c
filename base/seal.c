/* SPDX-License-Identifier: Apache-2.0 */
/* seal: the octets that are signed about the audit, their text, and EVP to check a signature. */
#include "base/seal.h"

#include <openssl/bio.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <stdlib.h>
#include <string.h>

#include "base/alg.h"
#include "base/hash.h"
#include "base/log.h"

/* ---- octets ---- */

void seal_tbs_write(const struct sealed *s, uint8_t out[static SEAL_TBS_LEN])
{
    struct buf b;

    buf_init(&b, SEAL_TBS_LEN);
    buf_put(&b, SEAL_PREFIX, SEAL_PREFIX_LEN);
    buf_put_u64(&b, s->seq);
    buf_put(&b, s->hash, HASH_LEN);
    buf_put_i64(&b, s->at_s);
    memcpy(out, b.data, SEAL_TBS_LEN);
    buf_free(&b);
}

bool seal_tbs_read(struct span tbs, struct sealed *out)
{
    struct rd r = rd_of(tbs);

    if (!span_eq(rd_take(&r, SEAL_PREFIX_LEN), span_of(SEAL_PREFIX, SEAL_PREFIX_LEN)))
        return false;
    out->seq = rd_u64(&r);
    rd_copy(&r, out->hash, HASH_LEN);
    out->at_s = rd_i64(&r);
    return rd_done(&r);
}

/* ---- text ---- */

static const char key_word[] = "key=", signature_word[] = " signature=";

void seal_text_put(struct buf *b, const struct seal *s)
{
    char hex[2 * SIGNATURE_MAX + 1];

    hex_encode(span_of(s->key_id, HASH_LEN), hex);
    buf_printf(b, "%s%s", key_word, hex);
    hex_encode(span_of(s->signature, s->signature_len), hex);
    buf_printf(b, "%s%s", signature_word, hex);
}

/* One text for one seal: what is written back must be what was read. */
static bool is_canonical(struct span text, const struct seal *s)
{
    struct buf again;
    bool same;

    buf_init(&again, 4096);
    seal_text_put(&again, s);
    same = buf_end(&again) == OK && span_eq(buf_span(&again), text);
    buf_free(&again);
    return same;
}

bool seal_text_read(struct span text, struct seal *out)
{
    static const size_t before = sizeof key_word - 1 + 2 * HASH_LEN + sizeof signature_word - 1;
    char copy[sizeof key_word + 2 * HASH_LEN + sizeof signature_word + 2 * SIGNATURE_MAX];

    *out = (struct seal){0};
    if (text.len <= before || (text.len - before) % 2 != 0 || !span_to_str(text, copy, sizeof copy))
        return false;
    out->signature_len = (text.len - before) / 2;
    copy[sizeof key_word - 1 + 2 * HASH_LEN] = '\0';
    return out->signature_len <= SIGNATURE_MAX &&
           hex_decode(copy + sizeof key_word - 1, out->key_id, HASH_LEN) &&
           hex_decode(copy + before, out->signature, out->signature_len) && is_canonical(text, out);
}

/* ---- keys ---- */

struct seal_keys {
    size_t count;
    struct {
        EVP_PKEY *key;
        uint8_t id[HASH_LEN];
    } keys[SEAL_KEYS_MAX];
};

static bool key_is_p256(EVP_PKEY *key, uint8_t id[static HASH_LEN])
{
    uint8_t *spki = NULL;
    int len = i2d_PUBKEY(key, &spki);
    struct key_kind kind;
    bool good =
        len > 0 && key_kind_of(span_of(spki, (size_t)len), &kind) && kind.type == KEY_EC && kind.bits == 256;

    if (good)
        sha256_of(span_of(spki, (size_t)len), id);
    OPENSSL_free(spki);
    return good;
}

static enum err keys_add(struct seal_keys *k, EVP_PKEY *key, struct fault *f)
{
    if (k->count == SEAL_KEYS_MAX) {
        EVP_PKEY_free(key);
        return fault_set(f, ERR_KEY, "more than %u keys of the audit", SEAL_KEYS_MAX);
    }
    k->keys[k->count].key = key;
    if (!key_is_p256(key, k->keys[k->count++].id))
        return fault_set(f, ERR_KEY, "a key of the audit is not EC P-256");
    return OK;
}

enum err seal_keys_read(struct span pem, struct seal_keys **out, struct fault *f)
{
    struct seal_keys *k = xcalloc(1, sizeof *k);
    BIO *bio = BIO_new_mem_buf(pem.data, (int)(pem.len < PEM_MAX ? pem.len : PEM_MAX));
    enum err e = OK;
    EVP_PKEY *key;

    if (bio == NULL)
        die("out of memory");
    while (e == OK && (key = PEM_read_bio_PUBKEY(bio, NULL, NULL, NULL)) != NULL)
        e = keys_add(k, key, f);
    BIO_free(bio);
    if (e == OK && k->count == 0)
        e = fault_set(f, ERR_KEY, "no PEM block PUBLIC KEY");
    *out = e == OK ? k : NULL;
    if (e != OK)
        seal_keys_free(k);
    return e;
}

void seal_keys_free(struct seal_keys *k)
{
    if (k == NULL)
        return;
    for (size_t i = 0; i < k->count; i++)
        EVP_PKEY_free(k->keys[i].key);
    free(k);
}

const uint8_t *seal_keys_first(const struct seal_keys *k)
{
    return k->keys[0].id;
}

static bool is_signed(EVP_PKEY *key, struct span tbs, const struct seal *s)
{
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    bool good;

    if (ctx == NULL)
        die("out of memory");
    good = EVP_DigestVerifyInit_ex(ctx, NULL, "SHA256", NULL, NULL, key, NULL) == 1 &&
           EVP_DigestVerify(ctx, s->signature, s->signature_len, tbs.data, tbs.len) == 1;
    EVP_MD_CTX_free(ctx);
    return good;
}

enum err seal_check(const struct seal_keys *k, const struct sealed *what, const struct seal *s)
{
    uint8_t tbs[SEAL_TBS_LEN];

    seal_tbs_write(what, tbs);
    for (size_t i = 0; i < k->count; i++)
        if (memcmp(k->keys[i].id, s->key_id, HASH_LEN) == 0)
            return is_signed(k->keys[i].key, span_of(tbs, sizeof tbs), s) ? OK : ERR_KEY;
    return ERR_NOT_FOUND;
}
