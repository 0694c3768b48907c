/* SPDX-License-Identifier: Apache-2.0 */
/*
 * issuer_element: the <issuer> of a new generation in the text of chancery.xml, behind that of the old one,
 * which from then on issues nothing: `issues` moves to the new. All else stays octet for octet. Pure.
 */
#ifndef API_ISSUER_ELEMENT_H
#define API_ISSUER_ELEMENT_H

#include "base/buf.h"
#include "base/limits.h"

struct issuer_element {
    const char *old;    /* its id */
    const char *id;     /* of the new one */
    const char *parent; /* NULL: it is a root */
};

/* `settings` is a document that the schema accepts; appends it, changed, to `out`. The new element is a copy
 * of the old one in its place and layout, with other id, parent and keys (keys/ID.key, keys/ID-ocsp.key), and
 * without <responder>, whose keys are for the old one. What comes out is to be parsed again. ERR_CONFLICT:
 * the element is written in a way that is not found here. */
enum err issuer_element_add(struct span settings, const struct issuer_element *n, struct buf *out,
                            struct fault *f);

#endif
