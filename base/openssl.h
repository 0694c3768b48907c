/* SPDX-License-Identifier: Apache-2.0 */
/* openssl: its words for a failure, which everybody who uses it tells on. Thread rule: any thread, of its own
 * failures. */
#ifndef BASE_OPENSSL_H
#define BASE_OPENSSL_H

/* Why the last call failed, for a fault: "no reason given" when OpenSSL has none. Constant. Its queue of
 * errors stays for the caller to clear. */
const char *openssl_reason(void);

#endif
