/* SPDX-License-Identifier: Apache-2.0 */
/*
 * parts: where the parts of one of our own certificates lie (RFC 5280 4.1). For certificates we wrote or
 * installed; those of strangers are OpenSSL's to parse. Everything is borrowed from the DER.
 */
#ifndef BASE_PARTS_H
#define BASE_PARTS_H

#include "base/der.h"

struct parts {
    struct span tbs;             /* the tbsCertificate element */
    struct span serial;          /* INTEGER content octets */
    struct span issuer, subject; /* Name elements */
    struct span spki;            /* SubjectPublicKeyInfo element */
    int64_t not_before_s, not_after_s;
    struct span ski;        /* keyIdentifier octets, empty when the extension is absent */
    struct span extensions; /* content of the Extensions SEQUENCE, empty when none */
};

/* False for anything but a strict-DER v3 certificate. */
[[nodiscard]] bool parts_of(struct span certificate, struct parts *out);

/* One extension, by the content octets of its OID. */
struct extension {
    bool is_critical;
    struct span value; /* inside the OCTET STRING */
};
[[nodiscard]] bool parts_extension(const struct parts *p, struct span oid, struct extension *out);
/* pathLenConstraint, -1: none. False: it is not a CA's, RFC 5280 4.2.1.9. */
[[nodiscard]] bool parts_path_len(const struct parts *p, int64_t *path_len);

#endif
