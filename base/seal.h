/* SPDX-License-Identifier: Apache-2.0 */
/*
 * seal: what the service signs about its audit, as octets and as text, and the check of such a signature. A
 * seal says: at that time the chain of audit rows ended in the row of this number with this hash. It is
 * signed with ECDSA on P-256 with SHA-256, by a key that signs nothing else.
 *
 * To be signed, 63 octets: SEAL_PREFIX, u64 number, 32 octets of hash, i64 Unix seconds; big-endian. No
 * structure of X.509 begins with octet 00, so that none can be taken for a seal nor a seal for one.
 *
 * One of the files that may include OpenSSL. Pure: reads no files.
 */
#ifndef BASE_SEAL_H
#define BASE_SEAL_H

#include "base/buf.h"
#include "base/limits.h"

#define SEAL_KEY_ID "audit:seal"        /* at the signer's port: no issuer's id has a colon */
#define SEAL_PREFIX "\0chancery seal\0" /* with its last NUL too */
#define SEAL_PREFIX_LEN (sizeof SEAL_PREFIX - 1)
#define SEAL_TBS_LEN (SEAL_PREFIX_LEN + 8 + HASH_LEN + 8)
/* How far the audit may run on unsealed. A signature and a row cost next to nothing, so the bounds are what
 * somebody who can write the store could take back unseen: a thousand rows under load, and five minutes, in
 * which a quiet service adds 288 rows of 400 octets a day at most. */
#define SEAL_ROWS 1000u
#define SEAL_S 300
#define SEAL_KEYS_MAX 16u /* the present key and those before it: one every few years */

struct sealed {
    uint64_t seq;
    uint8_t hash[HASH_LEN];
    int64_t at_s;
};

void seal_tbs_write(const struct sealed *s, uint8_t out[static SEAL_TBS_LEN]);
[[nodiscard]] bool seal_tbs_read(struct span tbs, struct sealed *out); /* false: not exactly that form */

struct seal {
    uint8_t key_id[HASH_LEN]; /* SHA-256 of the key's SubjectPublicKeyInfo */
    uint8_t signature[SIGNATURE_MAX];
    size_t signature_len;
};

/* "key=HEX signature=HEX", lower case: the text of the audit row that holds it. */
void seal_text_put(struct buf *b, const struct seal *s);
[[nodiscard]] bool seal_text_read(struct span text, struct seal *out); /* false: not exactly that form */

/* Public keys, PEM blocks "PUBLIC KEY", the present one first. ERR_KEY: none, too many, one that is not EC
 * P-256. seal_keys_free takes NULL. */
struct seal_keys;
enum err seal_keys_read(struct span pem, struct seal_keys **out, struct fault *f);
void seal_keys_free(struct seal_keys *k);
/* SHA-256 of the first key's SubjectPublicKeyInfo, borrowed. */
const uint8_t *seal_keys_first(const struct seal_keys *k);

/* OK; ERR_NOT_FOUND: sealed with a key that is not among these; ERR_KEY: not this key's signature. */
enum err seal_check(const struct seal_keys *k, const struct sealed *what, const struct seal *s);

#endif
