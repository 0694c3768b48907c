/* SPDX-License-Identifier: Apache-2.0 */
/*
 * xml_explain: looks a mistake's declaration up in the schema's own document. Enumerations are listed; a
 * simple type's xs:documentation is the phrase that completes "permitted: …", an identity constraint's says
 * what must hold. Hence the rules for our schemas: a complex type is written inside its element, a simple
 * type is global and named, one that is no enumeration carries a documentation, and so does every identity
 * constraint.
 */
#include "base/xml_explain.h"

#include <stdio.h>
#include <string.h>

static bool is_named(const struct xml_node *n, const char *name)
{
    return strcmp(xml_name(n), name) == 0;
}

static bool attr_is(const struct xml_node *n, const char *name, const char *value)
{
    const char *v = xml_attr(n, name);

    return v != NULL && strcmp(v, value) == 0;
}

static const char *attr_or_empty(const struct xml_node *n, const char *name)
{
    const char *v = xml_attr(n, name);

    return v != NULL ? v : "";
}

/* ---- the schema's document ---- */

/* The xs:element or xs:attribute ("kind") of that name below `top`. Other elements' declarations are not
 * entered: what is found belongs to `top` itself. */
static const struct xml_node *declared(const struct xml_node *top, const char *kind, const char *name)
{
    for (const struct xml_node *n = xml_child(top, NULL); n != NULL; n = xml_next(n, NULL)) {
        const struct xml_node *below = NULL;

        if (is_named(n, kind) && attr_is(n, "name", name))
            return n;
        if (!is_named(n, "element"))
            below = declared(n, kind, name);
        if (below != NULL)
            return below;
    }
    return NULL;
}

/* The declaration of an element of the document, found along its path; NULL for one the schema does not know
 * there. */
static const struct xml_node *declaration(const struct xml_node *schema, const struct xml_node *n)
{
    const struct xml_node *outer = xml_parent(n) != NULL ? declaration(schema, xml_parent(n)) : schema;

    return outer != NULL ? declared(outer, "element", xml_name(n)) : NULL;
}

static const char *documentation(const struct xml_node *n)
{
    const struct xml_node *a = xml_child(n, "annotation");
    const struct xml_node *d = a != NULL ? xml_child(a, "documentation") : NULL;

    return d != NULL ? xml_text(d) : NULL;
}

static void put_listed(struct buf *b, size_t *count, const char *text)
{
    buf_printf(b, "%s%s", (*count)++ > 0 ? ", " : "", text);
}

static void put_enumeration(struct buf *b, const struct xml_node *top, size_t *count)
{
    for (const struct xml_node *n = xml_child(top, NULL); n != NULL; n = xml_next(n, NULL)) {
        if (is_named(n, "enumeration"))
            put_listed(b, count, attr_or_empty(n, "value"));
        put_enumeration(b, n, count);
    }
}

/* What a value of this type may be; writes nothing when the schema does not say. */
static void put_type(struct buf *b, const struct xml_node *schema, const char *name, const char *before)
{
    const struct xml_node *t = xml_child(schema, "simpleType");
    size_t count = 0;

    while (t != NULL && !attr_is(t, "name", name))
        t = xml_next(t, "simpleType");
    if (t == NULL)
        return;
    buf_put_str(b, before);
    if (documentation(t) != NULL)
        buf_put_str(b, documentation(t));
    else
        put_enumeration(b, t, &count);
}

static void put_declared(struct buf *b, const struct xml_node *top, const char *kind, size_t *count)
{
    char text[128];

    for (const struct xml_node *n = xml_child(top, NULL); n != NULL; n = xml_next(n, NULL)) {
        const char *most = attr_or_empty(n, "maxOccurs");

        if (is_named(n, kind)) {
            snprintf(text, sizeof text, "%s%s%s%s", attr_or_empty(n, "name"),
                     *most != '\0' ? " (at most " : "", most, *most != '\0' ? ")" : "");
            put_listed(b, count, text);
        } else if (!is_named(n, "element")) {
            put_declared(b, n, kind, count);
        }
    }
}

/* ---- libxml2's words ---- */

bool xml_quoted_after(const char *message, const char *before, char *out, size_t cap)
{
    const char *at = strstr(message, before);

    if (at == NULL)
        return false;
    at += strlen(before);
    return span_to_str(span_of(at, strcspn(at, "'")), out, cap);
}

/* Without "{urn:…}" before names. */
static void put_plain(struct buf *b, struct span message)
{
    for (const uint8_t *p = message.data, *end = p + message.len; p < end; p++) {
        const uint8_t *brace = memchr(p, '}', (size_t)(end - p));

        if (end - p > 5 && memcmp(p, "{urn:", 5) == 0 && brace != NULL)
            p = brace;
        else
            buf_put_u8(b, *p);
    }
}

/* The names in "Expected is one of ( a, b )."; empty when libxml2 does not say. */
static struct span expected_in(const char *message)
{
    const char *begin = strstr(message, "Expected is"), *end;

    begin = begin != NULL ? strstr(begin, "( ") : NULL;
    end = begin != NULL ? strstr(begin, " )") : NULL;
    return end != NULL ? span_of(begin + 2, (size_t)(end - begin - 2)) : (struct span){0};
}

static void put_message(struct buf *b, const char *message)
{
    put_plain(b, span_of(message, strcspn(message, "\n")));
}

/* ---- one function a kind ---- */

static void explain_value(struct buf *b, const struct xml_mistake *m, const struct xml_node *schema)
{
    const struct xml_node *d = declaration(schema, m->node);
    const struct xml_node *a = d != NULL ? declared(d, "attribute", m->attribute) : NULL;

    buf_printf(b, "<%s %s=\"%.200s\"> is not permitted", xml_name(m->node), m->attribute,
               attr_or_empty(m->node, m->attribute));
    if (a != NULL)
        put_type(b, schema, attr_or_empty(a, "type"), "; permitted: ");
}

static void explain_unknown_attribute(struct buf *b, const struct xml_mistake *m,
                                      const struct xml_node *schema)
{
    const struct xml_node *d = declaration(schema, m->node);
    size_t count = 0;

    buf_printf(b, "<%s>: attribute \"%.100s\" is not known; permitted: ", xml_name(m->node), m->attribute);
    if (d != NULL)
        put_declared(b, d, "attribute", &count);
    if (count == 0)
        buf_put_str(b, "none");
}

static void explain_missing_attribute(struct buf *b, const struct xml_mistake *m,
                                      const struct xml_node *schema)
{
    const struct xml_node *d = declaration(schema, m->node);
    const struct xml_node *a = d != NULL ? declared(d, "attribute", m->attribute) : NULL;

    buf_printf(b, "<%s>: attribute \"%s\" is missing", xml_name(m->node), m->attribute);
    if (a != NULL)
        put_type(b, schema, attr_or_empty(a, "type"), "; permitted: ");
}

static void put_children(struct buf *b, const struct xml_node *n, const struct xml_node *schema)
{
    const struct xml_node *d = declaration(schema, n);
    size_t count = 0;

    buf_printf(b, "; permitted in <%s>, in this order: ", xml_name(n));
    if (d != NULL)
        put_declared(b, d, "element", &count);
    if (count == 0)
        buf_put_str(b, "nothing");
}

static void explain_child(struct buf *b, const struct xml_mistake *m, const struct xml_node *schema)
{
    bool is_missing = strstr(m->message, "Missing child") != NULL;
    const struct xml_node *outer = is_missing ? m->node : xml_parent(m->node);
    struct span expected = expected_in(m->message);

    buf_printf(b, "<%s> %s", xml_name(m->node), is_missing ? "is not complete" : "is not permitted here");
    if (expected.len > 0) {
        buf_put_str(b, "; expected: ");
        put_plain(b, expected);
    }
    if (outer != NULL)
        put_children(b, outer, schema);
}

static void explain_content(struct buf *b, const struct xml_mistake *m, const struct xml_node *schema)
{
    buf_printf(b, "<%s> holds text or elements that are not permitted", xml_name(m->node));
    put_children(b, m->node, schema);
}

static void explain_root(struct buf *b, const struct xml_mistake *m, const struct xml_node *schema)
{
    const struct xml_node *d = xml_child(schema, "element");

    buf_printf(b, "<%s> is not permitted here; permitted: <%s xmlns=\"%s\">", xml_name(m->node),
               d != NULL ? attr_or_empty(d, "name") : "", attr_or_empty(schema, "targetNamespace"));
}

/* The constraint whose name libxml2 gives last, as in "keyref '{urn:x}parent-exists'". Ours are all on the
 * root element. */
static const struct xml_node *constraint(const struct xml_node *schema, const char *message)
{
    const char *at = strrchr(message, '}');
    char name[128];

    if (at == NULL || !xml_quoted_after(at, "}", name, sizeof name))
        return NULL;
    for (const struct xml_node *root = xml_child(schema, "element"); root != NULL;
         root = xml_next(root, "element"))
        for (const struct xml_node *n = xml_child(root, NULL); n != NULL; n = xml_next(n, NULL))
            if (attr_is(n, "name", name))
                return n;
    return NULL;
}

/* What a keyref may refer to: the one field of the key's elements. Our selectors are "prefix:element",
 * children of the root. */
static void put_keys(struct buf *b, const struct xml_node *keyref, const struct xml_node *root)
{
    const struct xml_node *key = xml_child(xml_parent(keyref), "key");
    const char *element, *attribute;
    size_t count = 0;

    while (key != NULL && !attr_is(key, "name", attr_or_empty(keyref, "refer")))
        key = xml_next(key, "key");
    if (key == NULL)
        return;
    element = strchr(attr_or_empty(xml_child(key, "selector"), "xpath"), ':');
    attribute = attr_or_empty(xml_child(key, "field"), "xpath");
    if (element == NULL || *attribute != '@')
        return;
    buf_put_str(b, "; permitted: ");
    for (const struct xml_node *n = xml_child(root, element + 1); n != NULL; n = xml_next(n, element + 1))
        if (xml_attr(n, attribute + 1) != NULL)
            put_listed(b, &count, xml_attr(n, attribute + 1));
}

static void explain_identity(struct buf *b, const struct xml_mistake *m, const struct xml_node *schema,
                             const struct xml_node *root)
{
    const struct xml_node *c = constraint(schema, m->message);
    char value[200] = "", element[64] = "";

    if (c == NULL || documentation(c) == NULL ||
        !xml_quoted_after(m->message, "}", element, sizeof element) ||
        !xml_quoted_after(m->message, "['", value, sizeof value))
        return put_message(b, m->message);
    buf_printf(b, "<%s>: \"%s\": %s", element, value, documentation(c));
    if (is_named(c, "keyref"))
        put_keys(b, c, root);
}

void xml_explain(struct buf *out, const struct xml_mistake *m, const struct xml_node *schema,
                 const struct xml_node *root)
{
    bool can_look_up = schema != NULL && m->node != NULL;

    if (m->kind == XML_MISTAKE_IDENTITY && schema != NULL)
        return explain_identity(out, m, schema, root);
    if (can_look_up && m->kind == XML_MISTAKE_VALUE)
        return explain_value(out, m, schema);
    if (can_look_up && m->kind == XML_MISTAKE_ATTRIBUTE_UNKNOWN)
        return explain_unknown_attribute(out, m, schema);
    if (can_look_up && m->kind == XML_MISTAKE_ATTRIBUTE_MISSING)
        return explain_missing_attribute(out, m, schema);
    if (can_look_up && m->kind == XML_MISTAKE_CHILD)
        return explain_child(out, m, schema);
    if (can_look_up && m->kind == XML_MISTAKE_CONTENT)
        return explain_content(out, m, schema);
    if (can_look_up && m->kind == XML_MISTAKE_ROOT)
        return explain_root(out, m, schema);
    put_message(out, m->message);
    if (m->kind == XML_MISTAKE_ENTITY)
        buf_put_str(out, "; permitted: &amp; &lt; &gt; &quot; &apos; and character references");
}
