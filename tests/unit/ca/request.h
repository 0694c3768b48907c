/* SPDX-License-Identifier: Apache-2.0 */
/* request: the facts of a request as tests make them, with real keys by OpenSSL. */
#ifndef TESTS_UNIT_CA_REQUEST_H
#define TESTS_UNIT_CA_REQUEST_H

#include <stdlib.h>

#include "ca/ca.h"

/* "rsa-2048", "ec-256", "ec-224", "ed25519", …: SubjectPublicKeyInfo DER, made once a process. */
struct span request_key(const char *kind);

/* A request as `openssl req -new` makes it: CN cucm.example.com, SHA-256, no extensions. */
struct facts request_plain(const char *key_kind);

/* Adds host names to the request's SAN. Ends with NULL. `sans` holds them. */
void request_names(struct facts *f, struct san *sans, ...);

/* The findings of this rule; NULL when it did not fire. */
const struct finding *finding_of(const struct findings *fs, const char *rule);

/* The installed catalogue, loaded once. */
const struct profile *installed(const char *id);
const struct catalogue *installed_all(void);

#endif
