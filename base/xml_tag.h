/* SPDX-License-Identifier: Apache-2.0 */
/*
 * xml_tag: where the tags of a document lie in its text, for whoever changes a few octets of it and leaves
 * all else, comments and blanks and the order of attributes, as people wrote it. For documents that
 * xml_parse() has accepted: it judges nothing, and octets of another encoding than one that holds ASCII give
 * no tag or a wrong one, so what was changed is to be parsed again. Everything is borrowed from the text.
 * Pure.
 */
#ifndef BASE_XML_TAG_H
#define BASE_XML_TAG_H

#include "base/buf.h"

struct xml_tag {
    enum { XML_OPEN, XML_CLOSE, XML_EMPTY } kind;
    struct span whole; /* from < to > */
    struct span name;  /* without its prefix */
};

/* The next tag in `text` from octet `*at` on, which moves behind it; comments, instructions and CDATA are
 * passed over. False: there is none. */
[[nodiscard]] bool xml_tag_next(struct span text, size_t *at, struct xml_tag *out);

struct xml_tag_attr {
    struct span whole; /* with the blanks in front of it */
    struct span value; /* as it is written, between its quotes */
};
/* The attribute of that name, as written: one with a prefix is another. False: the tag has none. */
[[nodiscard]] bool xml_tag_attr(const struct xml_tag *t, const char *name, struct xml_tag_attr *out);

#endif
