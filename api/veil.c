/* SPDX-License-Identifier: Apache-2.0 */
/*
 * veil: cursors for logins whose scope limits anything. A cursor is the key of the last row that was looked
 * at, a name perhaps, and that row may be one they are not to know of: so it travels encrypted, AES-256-GCM
 * under a key of this process, for that login alone. It ends with the process.
 */
#include <openssl/evp.h>
#include <string.h>

#include "api/api.h"
#include "base/hash.h"
#include "base/log.h"

#define NONCE_LEN 12 /* octets, random: 2^32 cursors of one process are far from a repetition */
#define TAG_LEN 16
#define HEAD_LEN (NONCE_LEN + TAG_LEN)
#define PLAIN_LEN CURSOR_OCTETS_MAX /* whatever the cursor: its length would tell that of the name */
#define VEILED_LEN (HEAD_LEN + 2 + PLAIN_LEN)

_Static_assert(2 * VEILED_LEN < CURSOR_MAX, "it is a cursor like any other");

static EVP_CIPHER_CTX *begin(const uint8_t *key, const uint8_t *nonce, const char *who, bool is_encryption)
{
    EVP_CIPHER_CTX *x = EVP_CIPHER_CTX_new();
    int n;

    if (x == NULL || EVP_CipherInit_ex(x, EVP_aes_256_gcm(), NULL, key, nonce, is_encryption) != 1 ||
        EVP_CipherUpdate(x, NULL, &n, (const uint8_t *)who, (int)strlen(who)) != 1)
        die("encryption failed");
    return x;
}

void veil_put(const uint8_t key[static VEIL_KEY_LEN], const char *who, char cursor[static CURSOR_MAX])
{
    size_t len = strlen(cursor) / 2;
    uint8_t plain[2 + PLAIN_LEN] = {(uint8_t)(len >> 8), (uint8_t)len}, out[VEILED_LEN];
    EVP_CIPHER_CTX *x;
    int n;

    if (len > PLAIN_LEN || !hex_decode(cursor, plain + 2, len))
        die("a cursor of the store has another form");
    random_octets(out, NONCE_LEN);
    x = begin(key, out, who, true);
    if (EVP_CipherUpdate(x, out + HEAD_LEN, &n, plain, sizeof plain) != 1 ||
        EVP_CipherFinal_ex(x, out + HEAD_LEN + n, &n) != 1 ||
        EVP_CIPHER_CTX_ctrl(x, EVP_CTRL_GCM_GET_TAG, TAG_LEN, out + NONCE_LEN) != 1)
        die("encryption failed");
    EVP_CIPHER_CTX_free(x);
    hex_encode(span_of(out, sizeof out), cursor);
}

bool veil_take(const uint8_t key[static VEIL_KEY_LEN], const char *who, char cursor[static CURSOR_MAX])
{
    uint8_t in[VEILED_LEN], plain[2 + PLAIN_LEN];
    EVP_CIPHER_CTX *x;
    bool is_ours;
    int n;

    if (strlen(cursor) != 2 * sizeof in || !hex_decode(cursor, in, sizeof in))
        return false;
    x = begin(key, in, who, false);
    is_ours = EVP_CipherUpdate(x, plain, &n, in + HEAD_LEN, sizeof plain) == 1 &&
              EVP_CIPHER_CTX_ctrl(x, EVP_CTRL_GCM_SET_TAG, TAG_LEN, in + NONCE_LEN) == 1 &&
              EVP_CipherFinal_ex(x, plain + n, &n) == 1;
    EVP_CIPHER_CTX_free(x);
    if (is_ours)
        hex_encode(span_of(plain + 2, (size_t)plain[0] << 8 | plain[1]), cursor);
    return is_ours;
}
