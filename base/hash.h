/* SPDX-License-Identifier: Apache-2.0 */
/* hash: SHA-1 and SHA-2 with algorithms fetched once a process (fetching by name on each call doubles the
 * cost of a hash in OpenSSL 3.0), and the CSPRNG. One of the files that may include OpenSSL. Dies when
 * OpenSSL fails. Thread rule: any thread; a struct hash belongs to one. */
#ifndef BASE_HASH_H
#define BASE_HASH_H

#include "base/buf.h"

enum hash_alg { HASH_NONE, HASH_MD5, HASH_SHA1, HASH_SHA224, HASH_SHA256, HASH_SHA384, HASH_SHA512 };

#define HASH_LEN_MAX 64

/* Digest length in octets; 0 for HASH_NONE. */
size_t hash_len(enum hash_alg alg);
const char *hash_name(enum hash_alg alg); /* "SHA-256" */

/* One call, whole input. `out` holds hash_len(alg). */
void hash_of(enum hash_alg alg, struct span in, uint8_t *out);
void sha256_of(struct span in, uint8_t out[static 32]);
void sha1_of(struct span in, uint8_t out[static 20]);

/* Incremental. hash_end frees. */
struct hash;
struct hash *hash_begin(enum hash_alg alg);
void hash_add(struct hash *h, struct span in);
void hash_end(struct hash *h, uint8_t *out);

/* RFC 2104. `key` may be empty. */
void hmac_sha256(struct span key, struct span in, uint8_t out[static 32]);

/* `len` octets of the operating system's and OpenSSL's CSPRNG. */
void random_octets(uint8_t *out, size_t len);

#endif
