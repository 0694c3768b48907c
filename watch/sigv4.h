/* SPDX-License-Identifier: Apache-2.0 */
/* sigv4: AWS Signature Version 4 of one S3 request in its headers, as Amazon's and every compatible store
 * checks it. Paths are those of the schema (letters, digits and . _ ~ - /), which need no escaping; there is
 * no query. Private to the watch room. Pure. */
#ifndef WATCH_SIGV4_H
#define WATCH_SIGV4_H

#include "base/clock.h"
#include "base/hash.h"

struct sigv4 {
    const char *method, *url;
    const char *content_type; /* NULL: none is sent */
    const char *region, *key_id, *secret;
    const uint8_t *sha256; /* of the body; NULL: there is none */
    int64_t now_s;
};

/* Lines as they are sent. */
struct sigv4_headers {
    char date[64], content[128], authorization[512];
};
void sigv4_sign(const struct sigv4 *s, struct sigv4_headers *out);

#endif
