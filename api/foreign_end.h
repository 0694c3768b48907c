/* SPDX-License-Identifier: Apache-2.0 */
/* foreign_end: see foreign_end.c; for foreign.c. */
#ifndef API_FOREIGN_END_H
#define API_FOREIGN_END_H

#include <openssl/types.h>
#include <stdint.h>

/* The end of a certificate or a CRL. */
struct foreign_end {
    const char *what;
    int64_t end_s, soon_s; /* from `soon_s` on it is told of */
};

struct foreign_ends {
    struct foreign_end first, next; /* which ends first, and which is told of first */
};

/* Of each key of a CA the certificate and the CRL that last longest: an old one may lie beside the new one.
 * Pure. */
void foreign_end_find(const X509_STORE *store, struct foreign_ends *out);

#endif
