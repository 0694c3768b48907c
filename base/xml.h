/* SPDX-License-Identifier: Apache-2.0 */
/*
 * xml: a validated document and plain access to it, over libxml2 (its one owner). No network, no DTD, no
 * entities, no XInclude; at most XML_DOC_MAX octets. A document is handed out only when its schema accepts
 * it, so readers need not check shapes again. Errors name file, line, what was found and what is permitted
 * there, all of them, one a line. Thread rule: one thread of a process parses, since libxml2 keeps what may
 * be loaded for the whole process.
 */
#ifndef BASE_XML_H
#define BASE_XML_H

#include "base/buf.h"

#define XML_DOC_MAX (1024u * 1024) /* a catalogue of a thousand profiles */

struct xml;      /* a document */
struct xml_node; /* an element of it, borrowed */

/* Parses and validates. `name` is for messages. ERR_CONFIG; `report` (may be NULL) gets every mistake as
 * "name:LINE: message\n", the fault the first. */
enum err xml_parse(const char *name, struct span content, struct span schema, struct xml **out,
                   struct buf *report, struct fault *f);
void xml_free(struct xml *x);

const struct xml_node *xml_root(const struct xml *x);
/* First child element / next sibling element of that name (NULL: any). */
const struct xml_node *xml_child(const struct xml_node *n, const char *name);
const struct xml_node *xml_next(const struct xml_node *n, const char *name);
const struct xml_node *xml_parent(const struct xml_node *n); /* NULL for the root */
const char *xml_name(const struct xml_node *n);
const char *xml_text(const struct xml_node *n); /* the text an element begins with, "" when none; borrowed */
const char *xml_attr(const struct xml_node *n,
                     const char *name);      /* NULL when absent (schema defaults are filled in); borrowed */
unsigned xml_line(const struct xml_node *n); /* for tests: xml_fault() says it */

/* For a reader that finds a mistake no schema can express: "name:LINE: text" as a line of `report` (may be
 * NULL) and, when it is the first, as the fault. Gives ERR_CONFIG. */
enum err xml_fault(const struct xml_node *n, struct buf *report, struct fault *f, const char *fmt, ...)
    __attribute__((format(printf, 4, 5)));

/* Copies an attribute, when it is there. ERR_CONFIG: it is longer than `cap` - 1 octets. */
enum err xml_copy(const struct xml_node *n, const char *name, char *out, size_t cap, struct fault *f);
/* Each child of that name in order, to its end or the first error. ERR_CONFIG also for one that is beyond the
 * first `most`. */
typedef enum err xml_reader(const struct xml_node *n, void *arg, struct fault *f);
enum err xml_each(const struct xml_node *parent, const char *name, size_t most, xml_reader *read, void *arg,
                  struct fault *f);

/* What we read policy from must be nobody else's to change: a regular file (no symbolic link) of root or our
 * effective user, not writable by group or others. ERR_CONFIG naming the owner or mode; ERR_NOT_FOUND,
 * ERR_IO. */
enum err xml_file_trusted(const char *path, struct fault *f);

/* Escapes &, <, > and " for text or attribute values. */
void xml_escape(struct buf *out, const char *text);

#endif
