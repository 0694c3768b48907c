/* SPDX-License-Identifier: Apache-2.0 */
/* json: jansson behind the names of json.h. A struct js is a json_t that has one owner: nothing here shares.
 */
#include "base/json.h"

#include <assert.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/utf8.h"

#define DEPTH_MAX 32          /* nothing we write or expect goes past 8; jansson alone would take 2,048 */
#define STRING_MAX (1u << 30) /* the repaired copy of one string: larger than any body we take or hold */

static json_t *inside(struct js *v)
{
    return (json_t *)v;
}

/* jansson counts references even in values that are only read, so it wants them without const. */
static json_t *within(const struct js *v)
{
    return (json_t *)(uintptr_t)v;
}

static struct js *outside(json_t *v)
{
    if (v == NULL)
        die("json: out of memory");
    return (struct js *)v;
}

struct js *js_object(void)
{
    return outside(json_object());
}

struct js *js_array(void)
{
    return outside(json_array());
}

void js_free(struct js *v)
{
    json_decref(inside(v));
}

struct js *js_copy(const struct js *v)
{
    return outside(json_deep_copy(within(v)));
}

/* NUL counts as malformed here: js_str() gives C strings, which cannot hold it. */
static size_t sequence_len(struct span s)
{
    return s.data[0] != 0 ? utf8_next(s, NULL) : 0;
}

static bool is_utf8(struct span s)
{
    while (s.len > 0) {
        size_t n = sequence_len(s);

        if (n == 0)
            return false;
        s = span_of(s.data + n, s.len - n);
    }
    return true;
}

static void put_repaired(struct buf *out, struct span s)
{
    while (s.len > 0) {
        size_t n = sequence_len(s);

        if (n > 0)
            buf_put(out, s.data, n);
        else
            buf_put_str(out, "\xef\xbf\xbd"); /* U+FFFD */
        n = n > 0 ? n : 1;
        s = span_of(s.data + n, s.len - n);
    }
}

static struct js *string_of(struct span s)
{
    struct buf repaired;
    struct js *v;

    if (is_utf8(s))
        return outside(json_stringn_nocheck(s.len > 0 ? (const char *)s.data : "", s.len));
    buf_init(&repaired, STRING_MAX);
    put_repaired(&repaired, s);
    assert(buf_end(&repaired) == OK);
    v = outside(json_stringn_nocheck((const char *)repaired.data, repaired.len));
    buf_free(&repaired);
    return v;
}

void js_set(struct js *o, const char *name, struct js *v)
{
    assert(js_is_object(o) && v != NULL && v != o && is_utf8(span_str(name)));
    if (json_object_set_new_nocheck(inside(o), name, inside(v)) != 0)
        die("json: out of memory");
}

void js_set_str(struct js *o, const char *name, const char *v)
{
    js_set(o, name, v != NULL ? string_of(span_str(v)) : outside(json_null()));
}

void js_set_span(struct js *o, const char *name, struct span v)
{
    js_set(o, name, string_of(v));
}

void js_set_int(struct js *o, const char *name, int64_t v)
{
    js_set(o, name, outside(json_integer(v)));
}

void js_set_bool(struct js *o, const char *name, bool v)
{
    js_set(o, name, outside(json_boolean(v)));
}

void js_set_null(struct js *o, const char *name)
{
    js_set(o, name, outside(json_null()));
}

void js_set_time(struct js *o, const char *name, int64_t t_s)
{
    char text[CLOCK_TEXT_MAX];

    clock_rfc3339(t_s, text);
    js_set_str(o, name, text);
}

void js_set_hex(struct js *o, const char *name, struct span v)
{
    char *text = xmalloc(2 * v.len + 1);

    hex_encode(v, text);
    js_set_str(o, name, text);
    free(text);
}

void js_push(struct js *a, struct js *v)
{
    assert(js_is_array(a) && v != NULL && v != a);
    if (json_array_append_new(inside(a), inside(v)) != 0)
        die("json: out of memory");
}

void js_push_str(struct js *a, const char *v)
{
    js_push(a, string_of(span_str(v)));
}

void js_push_span(struct js *a, struct span v)
{
    js_push(a, string_of(v));
}

void js_push_lines(struct js *a, struct span text)
{
    while (text.len > 0) {
        const uint8_t *end = memchr(text.data, '\n', text.len);
        size_t len = end != NULL ? (size_t)(end - text.data) : text.len, whole = len + (end != NULL);

        js_push_span(a, span_of(text.data, len));
        text = span_of(text.data + whole, text.len - whole);
    }
}

static bool is_shallow(const json_t *v, unsigned levels_left)
{
    json_t *o = within((const struct js *)v), *member;
    const char *name;
    size_t i;

    if (!json_is_object(v) && !json_is_array(v))
        return true;
    if (levels_left == 0)
        return false;
    json_object_foreach(o, name, member) if (!is_shallow(member, levels_left - 1)) return false;
    json_array_foreach(o, i, member) if (!is_shallow(member, levels_left - 1)) return false;
    return true;
}

/* In our words: the library's name its flags, and text out of what was sent. */
static const char *syntax_fault(enum json_error_code code)
{
    switch (code) {
    case json_error_premature_end_of_input:
        return "it ends before a value is whole";
    case json_error_end_of_input_expected:
        return "something follows the value";
    case json_error_invalid_utf8:
        return "octets that are no UTF-8";
    case json_error_null_character:
    case json_error_null_byte_in_key:
        return "a text with \\u0000, which is not permitted";
    case json_error_duplicate_key:
        return "a member that is there twice";
    case json_error_numeric_overflow:
        return "a number that is too large";
    case json_error_stack_overflow:
        return "nested too deeply";
    default:
        return "what stands there is no JSON";
    }
}

static enum err syntax_error(struct span in, const json_error_t *e, struct fault *f)
{
    if (in.len == 0)
        return fault_set(f, ERR_MALFORMED, "JSON: there is nothing");
    return fault_set(f, ERR_MALFORMED, "JSON, line %d, column %d: %s", e->line, e->column,
                     syntax_fault(json_error_code(e)));
}

enum err js_parse(struct span in, struct js **out, struct fault *f)
{
    json_error_t error;
    json_t *v;

    *out = NULL;
    v = json_loadb(in.len > 0 ? (const char *)in.data : "", in.len, JSON_REJECT_DUPLICATES | JSON_DECODE_ANY,
                   &error);
    if (v == NULL && json_error_code(&error) == json_error_out_of_memory)
        die("json: out of memory");
    if (v == NULL)
        return syntax_error(in, &error, f);
    if (!is_shallow(v, DEPTH_MAX)) {
        json_decref(v);
        return fault_set(f, ERR_MALFORMED, "JSON: nested deeper than %d levels", DEPTH_MAX);
    }
    *out = outside(v);
    return OK;
}

const struct js *js_get(const struct js *o, const char *name)
{
    return (const struct js *)json_object_get(within(o), name);
}

const char *js_str(const struct js *v)
{
    return json_string_value(within(v));
}

bool js_int(const struct js *v, int64_t *out)
{
    if (!json_is_integer(within(v)))
        return false;
    *out = json_integer_value(within(v));
    return true;
}

bool js_bool(const struct js *v, bool *out)
{
    if (!json_is_boolean(within(v)))
        return false;
    *out = json_is_true(within(v));
    return true;
}

bool js_is_null(const struct js *v)
{
    return json_is_null(within(v));
}

bool js_is_object(const struct js *v)
{
    return json_is_object(within(v));
}

bool js_is_array(const struct js *v)
{
    return json_is_array(within(v));
}

size_t js_len(const struct js *v)
{
    return js_is_object(v) ? json_object_size(within(v)) : json_array_size(within(v));
}

const struct js *js_at(const struct js *a, size_t i)
{
    return (const struct js *)json_array_get(within(a), i);
}

static void *member_at(const struct js *o, size_t i)
{
    void *at = json_object_iter(within(o));

    while (at != NULL && i-- > 0)
        at = json_object_iter_next(within(o), at);
    return at;
}

const char *js_name_at(const struct js *o, size_t i)
{
    void *at = member_at(o, i);

    return at != NULL ? json_object_iter_key(at) : NULL;
}

const struct js *js_value_at(const struct js *o, size_t i)
{
    void *at = member_at(o, i);

    return at != NULL ? (const struct js *)json_object_iter_value(at) : NULL;
}

static int put_piece(const char *piece, size_t len, void *out)
{
    buf_put(out, piece, len);
    return 0;
}

static void write_with(const struct js *v, struct buf *out, size_t flags)
{
    assert(v != NULL);
    if (json_dump_callback(within(v), put_piece, out, flags | JSON_ENCODE_ANY) != 0)
        die("json: out of memory");
}

void js_write(const struct js *v, struct buf *out)
{
    write_with(v, out, JSON_COMPACT);
}

void js_write_pretty(const struct js *v, struct buf *out)
{
    write_with(v, out, JSON_INDENT(2));
}
