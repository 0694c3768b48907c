/* SPDX-License-Identifier: Apache-2.0 */
/* trust: our issuers, by whose keys a CRL is ours. From issuers/ID.pem, read once. Private to the watch room.
 * Thread rule: after trust_load() any thread may ask. */
#ifndef WATCH_TRUST_H
#define WATCH_TRUST_H

#include "watch/scan.h"
#include "watch/watch.h"

struct trust;
/* The configuration is borrowed for the call alone. ERR_CONFIG, ERR_NOT_FOUND, ERR_IO naming the file. */
enum err trust_load(const struct watch_config *c, struct trust **out, struct fault *f);
void trust_free(struct trust *t); /* NULL is fine */

/* The issuer that the list names, as its place in the configuration; -1: none of ours. */
int trust_find(const struct trust *t, const struct scan_facts *facts);
/* True when that issuer has signed it (RFC 5280 6.3.3 (g)). */
[[nodiscard]] bool trust_verify(const struct trust *t, int issuer, const struct scan_facts *facts);

#endif
