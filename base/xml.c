/* SPDX-License-Identifier: Apache-2.0 */
/*
 * xml: libxml2 behind a small door: parse, validate, plain access. Mistakes are collected here and put into
 * words by xml_explain.c. A struct xml_node is libxml2's element, seen from outside.
 */
#include "base/xml.h"

#include <errno.h>
#include <libxml/parser.h>
#include <libxml/xmlschemas.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/log.h"
#include "base/xml_explain.h"

#define MISTAKES_MAX 100u /* reported in one file: more would scroll the first away */

struct xml {
    xmlDocPtr doc;
    char *name;
};

/* One document on its way in. */
struct reading {
    const char *name;
    struct buf *report;
    struct fault *fault;
    unsigned mistakes;
    const struct xml_node *schema, *root; /* NULL while parsing */
    const xmlNode *last_node;             /* with last_attribute: the value already complained about */
    char last_attribute[64];
};

/* ---- mistakes ---- */

/* Control characters come from the file and must not reach a terminal. */
static void make_printable(char *s)
{
    for (; *s != '\0'; s++)
        if ((unsigned char)*s < 0x20 || *s == 0x7f)
            *s = ' ';
}

static enum err report_line(const char *name, unsigned line, const char *text, struct buf *report,
                            struct fault *f)
{
    if (report != NULL)
        buf_printf(report, "%s:%u: %s\n", name, line, text);
    return fault_set(f, ERR_CONFIG, "%s:%u: %s", name, line, text);
}

static void complain(struct reading *r, unsigned line, const struct xml_mistake *m)
{
    struct buf b;
    char *text;

    if (r->mistakes++ >= MISTAKES_MAX)
        return;
    buf_init(&b, XML_DOC_MAX);
    xml_explain(&b, m, r->schema, r->root);
    text = (char *)buf_take(&b, NULL);
    if (text != NULL)
        make_printable(text);
    (void)report_line(r->name, line, text != NULL ? text : m->message, r->report, r->fault);
    free(text);
}

/* A facet and the type that holds it both complain about one value: the first says it all. */
static bool is_repeated(struct reading *r, const xmlNode *n, const char *attribute)
{
    bool repeated = r->last_node == n && strcmp(r->last_attribute, attribute) == 0;

    r->last_node = n;
    snprintf(r->last_attribute, sizeof r->last_attribute, "%s", attribute);
    return repeated;
}

static enum xml_mistake_kind kind_of(int code)
{
    static const struct {
        int code;
        enum xml_mistake_kind kind;
    } kinds[] = {
        {XML_SCHEMAV_CVC_ELT_1, XML_MISTAKE_ROOT},
        {XML_SCHEMAV_ELEMENT_CONTENT, XML_MISTAKE_CHILD},
        {XML_SCHEMAV_CVC_COMPLEX_TYPE_2_1, XML_MISTAKE_CONTENT},
        {XML_SCHEMAV_CVC_COMPLEX_TYPE_2_3, XML_MISTAKE_CONTENT},
        {XML_SCHEMAV_CVC_COMPLEX_TYPE_3_2_1, XML_MISTAKE_ATTRIBUTE_UNKNOWN},
        {XML_SCHEMAV_CVC_COMPLEX_TYPE_3_2_2, XML_MISTAKE_ATTRIBUTE_UNKNOWN},
        {XML_SCHEMAV_CVC_COMPLEX_TYPE_4, XML_MISTAKE_ATTRIBUTE_MISSING},
        {XML_SCHEMAV_CVC_IDC, XML_MISTAKE_IDENTITY},
        {XML_ERR_UNDECLARED_ENTITY, XML_MISTAKE_ENTITY},
        {XML_WAR_UNDECLARED_ENTITY, XML_MISTAKE_ENTITY},
    };

    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
        if (kinds[i].code == code)
            return kinds[i].kind;
    return XML_MISTAKE_OTHER;
}

static void on_mistake(void *arg, xmlErrorPtr e)
{
    struct reading *r = arg;
    const xmlNode *n = e->node;
    struct xml_mistake m = {.kind = kind_of(e->code), .message = e->message, .attribute = ""};
    char attribute[64];

    if (e->message == NULL)
        return;
    if (m.kind == XML_MISTAKE_IDENTITY && strstr(e->message, "Not all fields") != NULL)
        return; /* a key's attribute is missing: that was said */
    if (n != NULL && n->type == XML_ELEMENT_NODE)
        m.node = (const struct xml_node *)n;
    if (m.kind == XML_MISTAKE_ATTRIBUTE_UNKNOWN || m.kind == XML_MISTAKE_ATTRIBUTE_MISSING) {
        m.attribute = e->str1 != NULL ? e->str1 : "";
    } else if (m.node != NULL && xml_quoted_after(e->message, "attribute '", attribute, sizeof attribute)) {
        m.kind = XML_MISTAKE_VALUE;
        m.attribute = attribute;
        if (is_repeated(r, n, attribute))
            return;
    }
    complain(r, (unsigned)e->line, &m);
}

enum err xml_fault(const struct xml_node *n, struct buf *report, struct fault *f, const char *fmt, ...)
{
    const struct xml *x = ((const xmlNode *)n)->doc->_private;
    char text[FAULT_DETAIL_MAX];
    va_list ap;

    va_start(ap, fmt);
    vsnprintf(text, sizeof text, fmt, ap);
    va_end(ap);
    make_printable(text);
    return report_line(x->name, xml_line(n), text, report, f);
}

/* ---- parsing ---- */

static void on_parser_mistake(void *ctxt, xmlErrorPtr e)
{
    on_mistake(((xmlParserCtxtPtr)ctxt)->_private, e);
}

/* Called at "<!DOCTYPE NAME", before anything inside it is read: no entity ever comes to be. */
static void on_doctype(void *arg, const xmlChar *name, const xmlChar *external, const xmlChar *system)
{
    static const struct xml_mistake doctype = {
        .message = "a DOCTYPE is not permitted: the schema is built in, and there are no entities",
        .attribute = "",
    };
    xmlParserCtxtPtr ctxt = arg;

    (void)name, (void)external, (void)system;
    complain(ctxt->_private, (unsigned)ctxt->input->line, &doctype);
    xmlStopParser(ctxt);
}

/* Nothing that a document names is ever loaded, from network or disk. */
static xmlParserInputPtr refuse_to_load(const char *url, const char *id, xmlParserCtxtPtr ctxt)
{
    (void)url, (void)id, (void)ctxt;
    return NULL;
}

static xmlDocPtr parse(struct reading *r, struct span content)
{
    xmlParserCtxtPtr ctxt = xmlNewParserCtxt();
    xmlDocPtr doc;

    if (ctxt == NULL)
        die("out of memory");
    ctxt->_private = r;
    ctxt->sax->serror = on_parser_mistake;
    ctxt->sax->internalSubset = on_doctype;
    doc = xmlCtxtReadMemory(ctxt, (const char *)content.data, (int)content.len, NULL, NULL,
                            XML_PARSE_NONET | XML_PARSE_BIG_LINES);
    xmlFreeParserCtxt(ctxt);
    return doc;
}

/* Our own schemas are XML and compile, or the build is broken. */
static xmlSchemaPtr schema_compile(xmlDocPtr doc)
{
    xmlSchemaParserCtxtPtr ctxt = doc != NULL ? xmlSchemaNewDocParserCtxt(doc) : NULL;
    xmlSchemaPtr schema = ctxt != NULL ? xmlSchemaParse(ctxt) : NULL;

    if (schema == NULL)
        die("a built-in schema does not compile");
    xmlSchemaFreeParserCtxt(ctxt);
    return schema;
}

static bool validate(struct reading *r, xmlDocPtr doc, struct span schema_text)
{
    xmlDocPtr schema_doc =
        xmlReadMemory((const char *)schema_text.data, (int)schema_text.len, NULL, NULL, XML_PARSE_NONET);
    xmlSchemaPtr schema = schema_compile(schema_doc);
    xmlSchemaValidCtxtPtr ctxt = xmlSchemaNewValidCtxt(schema);
    int rc;

    if (ctxt == NULL)
        die("out of memory");
    r->schema = (const struct xml_node *)xmlDocGetRootElement(schema_doc);
    r->root = (const struct xml_node *)xmlDocGetRootElement(doc);
    xmlSchemaSetValidStructuredErrors(ctxt, on_mistake, r);
    xmlSchemaSetValidOptions(ctxt, XML_SCHEMA_VAL_VC_I_CREATE);
    rc = xmlSchemaValidateDoc(ctxt, doc);
    xmlSchemaFreeValidCtxt(ctxt);
    xmlSchemaFree(schema);
    xmlFreeDoc(schema_doc);
    return rc == 0;
}

enum err xml_parse(const char *name, struct span content, struct span schema, struct xml **out,
                   struct buf *report, struct fault *f)
{
    struct reading r = {.name = name, .report = report, .fault = f};
    xmlDocPtr doc;

    *out = NULL;
    if (content.len == 0)
        return report_line(name, 1, "the file is empty", report, f);
    if (content.len > XML_DOC_MAX)
        return report_line(name, 1, "the file is larger than 1 MiB", report, f);
    xmlInitParser();
    xmlSetExternalEntityLoader(refuse_to_load);
    doc = parse(&r, content);
    if (doc == NULL || r.mistakes > 0 || !validate(&r, doc, schema) || r.mistakes > 0) {
        xmlFreeDoc(doc);
        if (r.mistakes == 0)
            return report_line(name, 1, "not a well-formed XML document", report, f);
        return ERR_CONFIG;
    }
    *out = xmalloc(sizeof **out);
    **out = (struct xml){.doc = doc, .name = xstrdup(name)};
    doc->_private = *out;
    return OK;
}

void xml_free(struct xml *x)
{
    if (x == NULL)
        return;
    xmlFreeDoc(x->doc);
    free(x->name);
    free(x);
}

/* ---- access ---- */

static const char *text_of(const xmlChar *s)
{
    return s != NULL ? (const char *)s : "";
}

static const struct xml_node *element_from(const xmlNode *n, const char *name)
{
    while (n != NULL &&
           (n->type != XML_ELEMENT_NODE || (name != NULL && strcmp(text_of(n->name), name) != 0)))
        n = n->next;
    return (const struct xml_node *)n;
}

const struct xml_node *xml_root(const struct xml *x)
{
    return (const struct xml_node *)xmlDocGetRootElement(x->doc);
}

const struct xml_node *xml_child(const struct xml_node *n, const char *name)
{
    return element_from(((const xmlNode *)n)->children, name);
}

const struct xml_node *xml_next(const struct xml_node *n, const char *name)
{
    return element_from(((const xmlNode *)n)->next, name);
}

const struct xml_node *xml_parent(const struct xml_node *n)
{
    const xmlNode *p = ((const xmlNode *)n)->parent;

    return p != NULL && p->type == XML_ELEMENT_NODE ? (const struct xml_node *)p : NULL;
}

const char *xml_name(const struct xml_node *n)
{
    return text_of(((const xmlNode *)n)->name);
}

const char *xml_text(const struct xml_node *n)
{
    const xmlNode *t = ((const xmlNode *)n)->children;

    return t != NULL && t->type == XML_TEXT_NODE ? text_of(t->content) : "";
}

const char *xml_attr(const struct xml_node *n, const char *name)
{
    for (const xmlAttr *a = ((const xmlNode *)n)->properties; a != NULL; a = a->next)
        if (strcmp(text_of(a->name), name) == 0)
            return a->children != NULL ? text_of(a->children->content) : "";
    return NULL;
}

unsigned xml_line(const struct xml_node *n)
{
    return (unsigned)xmlGetLineNo((const xmlNode *)n);
}

/* ---- files ---- */

void xml_escape(struct buf *out, const char *text)
{
    static const struct {
        char octet;
        const char *escape;
    } escapes[] = {{'&', "&amp;"}, {'<', "&lt;"}, {'>', "&gt;"}, {'"', "&quot;"}};

    for (; *text != '\0'; text++) {
        const char *escape = NULL;

        for (size_t i = 0; i < sizeof escapes / sizeof *escapes; i++)
            if (escapes[i].octet == *text)
                escape = escapes[i].escape;
        buf_put(out, escape != NULL ? escape : text, escape != NULL ? strlen(escape) : 1);
    }
}

enum err xml_copy(const struct xml_node *n, const char *name, char *out, size_t cap, struct fault *f)
{
    const char *text = xml_attr(n, name);

    if (text != NULL && !span_to_str(span_str(text), out, cap))
        return xml_fault(n, NULL, f, "<%s>: %s is longer than %zu octets", xml_name(n), name, cap - 1);
    return OK;
}

enum err xml_each(const struct xml_node *parent, const char *name, size_t most, xml_reader *read, void *arg,
                  struct fault *f)
{
    enum err e = OK;
    size_t count = 0;

    for (const struct xml_node *n = xml_child(parent, name); n != NULL && e == OK; n = xml_next(n, name)) {
        if (count++ == most)
            return xml_fault(n, NULL, f, "<%s>: one too many; permitted: %zu", name, most);
        e = read(n, arg, f);
    }
    return e;
}

enum err xml_file_trusted(const char *path, struct fault *f)
{
    struct stat st;

    if (lstat(path, &st) != 0)
        return fault_set(f, errno == ENOENT ? ERR_NOT_FOUND : ERR_IO, "%s: %s", path, strerror(errno));
    if (!S_ISREG(st.st_mode))
        return fault_set(f, ERR_CONFIG, "%s: not a regular file", path);
    if (st.st_uid != 0 && st.st_uid != geteuid())
        return fault_set(f, ERR_CONFIG, "%s: owned by uid %u; permitted: root or uid %u", path, st.st_uid,
                         geteuid());
    if ((st.st_mode & (S_IWGRP | S_IWOTH)) != 0)
        return fault_set(f, ERR_CONFIG, "%s: mode %04o lets group or others write; permitted: 0644 or less",
                         path, (unsigned)st.st_mode & 07777);
    return OK;
}
