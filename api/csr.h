/* SPDX-License-Identifier: Apache-2.0 */
/*
 * csr: the pieces of csr_parse() (api/inner.h), for its own files and those that parse certificates as
 * strictly. Octets are found (csr_body.c), the outer structure is taken apart by the strict DER reader
 * (csr.c), possession is proven (csr_proof.c), and what is asked for is read with OpenSSL's own decoders
 * (csr_extensions.c). RFC 2986, RFC 2985 5.4.2.
 */
#ifndef API_CSR_H
#define API_CSR_H

/* Before ours: ca/ca.h takes away its macros that have the names of enum ku. */
#include <openssl/x509v3.h>

#include "api/inner.h"
#include "base/der.h"

_Static_assert(KU_DIGITAL_SIGNATURE == 0x8000, "csr.h is the first header of ours that a file includes");

struct csr {
    struct buf der;        /* the request; all spans below borrow from it */
    struct span info;      /* CertificationRequestInfo, whole */
    struct span algorithm; /* of the signature, AlgorithmIdentifier whole */
    struct span signature; /* BIT STRING content with its unused-bits octet */
    struct key_kind key;
    struct facts facts;
    /* what facts borrow and the request does not hold as it is */
    struct san sans[SAN_COUNT_MAX];
    GENERAL_NAMES *names;
    struct buf names_der; /* the same as encoded: the subjectAltName */
    uint8_t *cn;
    struct buf subject_text, eku_other, other_extensions;
};

/* The one PKCS#10 in `body`, as DER. */
enum err csr_find(struct span body, struct buf *der, struct fault *f);

/* Every element of `der` down to the last is DER: minimal, sorted, no constructed strings. */
[[nodiscard]] bool csr_is_der(struct span der);

/* Verifies the self-signature and notes its hash; adds csr.signature, key.curve or key.unsupported. */
void csr_prove(struct csr *c, struct findings *fs);

/* Reads the attributes (content of [0]) into the facts. ERR_MALFORMED when they are no attributes at all;
 * what is wrong inside one is a finding. */
enum err csr_read_attributes(struct csr *c, struct span attributes, struct findings *fs, struct fault *f);

#endif
