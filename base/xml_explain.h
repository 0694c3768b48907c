/* SPDX-License-Identifier: Apache-2.0 */
/*
 * xml_explain: what libxml2 says about a mistake, said again with what is permitted in its place: private
 * to xml.c and xml_explain.c. It sees both the document and the schema through base/xml.h.
 */
#ifndef BASE_XML_EXPLAIN_H
#define BASE_XML_EXPLAIN_H

#include "base/xml.h"

enum xml_mistake_kind {
    XML_MISTAKE_OTHER, /* libxml2's words will do */
    XML_MISTAKE_ROOT,
    XML_MISTAKE_CHILD,   /* one too many, too few, or out of place */
    XML_MISTAKE_CONTENT, /* text where there is none */
    XML_MISTAKE_ATTRIBUTE_UNKNOWN,
    XML_MISTAKE_ATTRIBUTE_MISSING,
    XML_MISTAKE_VALUE, /* of an attribute */
    XML_MISTAKE_IDENTITY,
    XML_MISTAKE_ENTITY,
};

/* All borrowed. */
struct xml_mistake {
    enum xml_mistake_kind kind;
    const char *message;         /* libxml2's */
    const struct xml_node *node; /* the element; NULL when libxml2 does not say */
    const char *attribute;       /* "" when it is not about one */
};

/* Writes one line without its end. `schema` is the schema's root element, `root` the document's; both NULL
 * while the document is still being parsed. */
void xml_explain(struct buf *out, const struct xml_mistake *m, const struct xml_node *schema,
                 const struct xml_node *root);

/* Copies what stands between `before` and the next single quote; false when it is not there or does not fit.
 */
[[nodiscard]] bool xml_quoted_after(const char *message, const char *before, char *out, size_t cap);

#endif
