/* SPDX-License-Identifier: Apache-2.0 */
/* tls_records: TLS 1.3 records of a client by hand, for what no client's library sends. */
#ifndef TESTS_TLS_RECORDS_H
#define TESTS_TLS_RECORDS_H

#include "tests/unit/base/tls_client.h"

#define KEY_UPDATE "\x18\x00\x00\x01\x00" /* RFC 8446 4.6.3 */
#define KEY_UPDATE_LEN 5
#define KEY_UPDATE_ASKED "\x18\x00\x00\x01\x01" /* and one in return is asked for */

struct tls_records {
    int fd; /* the client, which reads the answers and writes nothing any more once this has begun */
    uint8_t secret[32], key[16], iv[12];
    uint64_t sequence;
    struct buf out;
    bool is_known;
};

/* Before the handshake: the version and the one suite that are spoken here. */
void records_listen(struct tls_records *r, struct tls_client *c);
void records_free(struct tls_records *r);
/* After it: a record of `type`, SSL3_RT_HANDSHAKE or SSL3_RT_APPLICATION_DATA, to be sent. */
void records_add(struct tls_records *r, uint8_t type, const void *octets, size_t len);
void records_next_keys(struct tls_records *r); /* the last one ended a KeyUpdate */
void records_send(struct tls_records *r);      /* in one write */

#endif
