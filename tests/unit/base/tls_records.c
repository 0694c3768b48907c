/* SPDX-License-Identifier: Apache-2.0 */
/* tls_records: see tls_records.h. TLS_AES_128_GCM_SHA256, RFC 8446 5.2, 5.3, 7.1 to 7.3. */
#include "tests/unit/base/tls_records.h"

#include <criterion/criterion.h>
#include <openssl/core_names.h>
#include <openssl/kdf.h>
#include <stdio.h>
#include <string.h>

#include "base/buf.h"

#define TAG_LEN 16

/* HKDF-Expand-Label with an empty context. */
static void expand(const uint8_t secret[32], const char *label, uint8_t *out, size_t len)
{
    EVP_KDF *kdf = EVP_KDF_fetch(NULL, "HKDF", NULL);
    EVP_KDF_CTX *ctx = EVP_KDF_CTX_new(kdf);
    int mode = EVP_KDF_HKDF_MODE_EXPAND_ONLY;
    struct buf info;

    buf_init(&info, 64);
    buf_put_u16(&info, (uint16_t)len);
    buf_put_u8(&info, (uint8_t)(6 + strlen(label)));
    buf_printf(&info, "tls13 %s", label);
    buf_put_u8(&info, 0);
    OSSL_PARAM params[] = {
        OSSL_PARAM_construct_utf8_string(OSSL_KDF_PARAM_DIGEST, "SHA256", 0),
        OSSL_PARAM_construct_int(OSSL_KDF_PARAM_MODE, &mode),
        OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_KEY, (void *)secret, 32),
        OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_INFO, info.data, info.len),
        OSSL_PARAM_construct_end(),
    };
    cr_assert_eq(EVP_KDF_derive(ctx, out, len, params), 1);
    buf_free(&info);
    EVP_KDF_CTX_free(ctx);
    EVP_KDF_free(kdf);
}

static void take_keys(struct tls_records *r)
{
    expand(r->secret, "key", r->key, sizeof r->key);
    expand(r->secret, "iv", r->iv, sizeof r->iv);
    r->sequence = 0;
    r->is_known = true;
}

void records_next_keys(struct tls_records *r)
{
    uint8_t next[sizeof r->secret];

    expand(r->secret, "traffic upd", next, sizeof next);
    memcpy(r->secret, next, sizeof next);
    take_keys(r);
}

/* "CLIENT_TRAFFIC_SECRET_0 <the client's random> <the secret>" */
static void hear(const SSL *ssl, const char *line)
{
    struct tls_records *r = SSL_get_app_data(ssl);

    if (strncmp(line, "CLIENT_TRAFFIC_SECRET_0 ", 24) != 0)
        return;
    cr_assert(hex_decode(strrchr(line, ' ') + 1, r->secret, sizeof r->secret));
    take_keys(r);
}

void records_listen(struct tls_records *r, struct tls_client *c)
{
    *r = (struct tls_records){.fd = c->fd};
    buf_init(&r->out, 1024 * 1024);
    SSL_set_app_data(c->ssl, r);
    SSL_CTX_set_keylog_callback(SSL_get_SSL_CTX(c->ssl), hear);
    cr_assert_eq(SSL_set_min_proto_version(c->ssl, TLS1_3_VERSION), 1);
    cr_assert_eq(SSL_set_ciphersuites(c->ssl, "TLS_AES_128_GCM_SHA256"), 1);
}

void records_free(struct tls_records *r)
{
    buf_free(&r->out);
}

void records_send(struct tls_records *r)
{
    client_put_octets(r->fd, r->out.data, r->out.len);
    buf_reset(&r->out);
}

void records_add(struct tls_records *r, uint8_t type, const void *octets, size_t len)
{
    size_t inner = len + 1 + TAG_LEN; /* the type behind the content, RFC 8446 5.2 */
    uint8_t out[5 + 1024 + 1 + TAG_LEN] = {23, 3, 3, (uint8_t)(inner >> 8), (uint8_t)inner};
    EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();
    uint8_t nonce[sizeof r->iv];
    int n;

    cr_assert(r->is_known && len <= 1024);
    memcpy(nonce, r->iv, sizeof nonce);
    for (size_t i = 0; i < 8; i++)
        nonce[11 - i] ^= (uint8_t)(r->sequence >> 8 * i);
    r->sequence++;
    memcpy(out + 5, octets, len);
    out[5 + len] = type;
    cr_assert_eq(EVP_EncryptInit_ex2(ctx, EVP_aes_128_gcm(), r->key, nonce, NULL), 1);
    cr_assert_eq(EVP_EncryptUpdate(ctx, NULL, &n, out, 5), 1);
    cr_assert_eq(EVP_EncryptUpdate(ctx, out + 5, &n, out + 5, (int)len + 1), 1);
    cr_assert_eq(EVP_EncryptFinal_ex(ctx, out + 5 + n, &n), 1);
    cr_assert_eq(EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_AEAD_GET_TAG, TAG_LEN, out + 5 + len + 1), 1);
    EVP_CIPHER_CTX_free(ctx);
    buf_put(&r->out, out, 5 + inner);
}
