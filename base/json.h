/* SPDX-License-Identifier: Apache-2.0 */
/*
 * json: building and reading JSON over jansson (its one owner). Reading refuses duplicate members and
 * anything beyond 32 levels. Values are reference-free trees: a container owns what is put into it. Out of
 * memory dies. Strings that are not UTF-8 are written with each bad octet as U+FFFD, so hostile names cannot
 * break an answer. Thread rule: any thread; a tree belongs to one.
 */
#ifndef BASE_JSON_H
#define BASE_JSON_H

#include "base/buf.h"

struct js; /* opaque: any JSON value */

struct js *js_object(void);
struct js *js_array(void);
void js_free(struct js *v);

/* Members keep their order. `v` of js_set and js_push is taken. */
void js_set(struct js *o, const char *name, struct js *v);
void js_set_str(struct js *o, const char *name, const char *v); /* NULL writes null */
void js_set_span(struct js *o, const char *name, struct span v);
void js_set_int(struct js *o, const char *name, int64_t v);
void js_set_bool(struct js *o, const char *name, bool v);
void js_set_null(struct js *o, const char *name);
void js_set_time(struct js *o, const char *name, int64_t t_s); /* RFC 3339, Z */
void js_set_hex(struct js *o, const char *name, struct span v);
void js_push(struct js *a, struct js *v);
void js_push_str(struct js *a, const char *v);
void js_push_span(struct js *a, struct span v);
void js_push_lines(struct js *a, struct span text); /* each; the last may lack its line feed */
struct js *js_copy(const struct js *v);             /* deep, caller frees */

/* ERR_MALFORMED with line and reason. Exactly one value, no trailing octets. */
enum err js_parse(struct span in, struct js **out, struct fault *f);

const struct js *js_get(const struct js *o, const char *name); /* NULL when absent or `o` is no object */
const char *js_str(const struct js *v);                        /* NULL unless a string; borrowed */
bool js_int(const struct js *v, int64_t *out);
bool js_bool(const struct js *v, bool *out);
bool js_is_null(const struct js *v);
bool js_is_object(const struct js *v);
bool js_is_array(const struct js *v);
size_t js_len(const struct js *v); /* of an array or object, else 0 */
const struct js *js_at(const struct js *a, size_t i);
const char *js_name_at(const struct js *o, size_t i); /* member names in order */
const struct js *js_value_at(const struct js *o, size_t i);

/* Compact, or indented by two; no final newline. */
void js_write(const struct js *v, struct buf *out);
void js_write_pretty(const struct js *v, struct buf *out);

#endif
