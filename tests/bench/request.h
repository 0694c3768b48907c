/* SPDX-License-Identifier: Apache-2.0 */
/* request: requests for certificates as the products send them: CN, SAN, keyUsage, extendedKeyUsage. */
#ifndef BENCH_REQUEST_H
#define BENCH_REQUEST_H

#include <openssl/evp.h>

#include "base/buf.h"

/* Writes the PKCS#10 to `out`, which is initialised here; dies. */
void request_make(EVP_PKEY *key, const EVP_MD *digest, const char *cn, struct buf *out);
/* CertificationRequestInfo and signature octets within such a request, borrowed. */
void request_split(struct span request, struct span *info, struct span *signature);

#endif
