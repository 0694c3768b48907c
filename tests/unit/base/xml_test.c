/* SPDX-License-Identifier: Apache-2.0 */
/* Is a document handed out only when its schema accepts it, and does a refusal name the line and what is
 * permitted? */
#include "base/xml.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const char schema[] =
    "<xs:schema xmlns:xs='http://www.w3.org/2001/XMLSchema' xmlns='urn:t' xmlns:t='urn:t' "
    "targetNamespace='urn:t'"
    " elementFormDefault='qualified'>"
    "<xs:simpleType name='span'><xs:annotation><xs:documentation>a span such as "
    "24h</xs:documentation></xs:annotation>"
    "<xs:restriction base='xs:string'><xs:pattern "
    "value='[1-9][0-9]*[smhd]'/></xs:restriction></xs:simpleType>"
    "<xs:simpleType name='kind'><xs:restriction base='xs:string'><xs:enumeration value='rsa'/>"
    "<xs:enumeration value='ec'/></xs:restriction></xs:simpleType>"
    "<xs:element name='garden'><xs:complexType><xs:sequence>"
    "<xs:element name='gate'><xs:complexType><xs:attribute name='every' type='span' use='required'/>"
    "<xs:attribute name='kind' type='kind' default='ec'/></xs:complexType></xs:element>"
    "<xs:element name='tree' minOccurs='0' maxOccurs='3'><xs:complexType><xs:sequence>"
    "<xs:element name='gate' minOccurs='0'><xs:complexType><xs:attribute name='colour' type='xs:string'/>"
    "</xs:complexType></xs:element></xs:sequence><xs:attribute name='id' type='xs:string' use='required'/>"
    "<xs:attribute name='beside' type='xs:string'/></xs:complexType></xs:element>"
    "</xs:sequence><xs:attribute name='title' type='xs:string'/></xs:complexType>"
    "<xs:key name='tree-key'><xs:annotation><xs:documentation>used twice</xs:documentation></xs:annotation>"
    "<xs:selector xpath='t:tree'/><xs:field xpath='@id'/></xs:key>"
    "<xs:keyref name='tree-beside' refer='tree-key'><xs:annotation><xs:documentation>no such "
    "tree</xs:documentation>"
    "</xs:annotation><xs:selector xpath='t:tree'/><xs:field xpath='@beside'/></xs:keyref>"
    "</xs:element></xs:schema>";

static enum err parse(const char *content, struct xml **out, char *report, size_t cap)
{
    struct fault f = {0};
    struct buf b;
    enum err e;

    buf_init(&b, 65536);
    e = xml_parse("garden.xml", span_str(content), span_str(schema), out, &b, &f);
    cr_assert_eq(f.code, e);
    cr_assert(span_to_str(buf_span(&b), report, cap));
    if (e != OK)
        cr_assert(strncmp(report, f.detail, strcspn(report, "\n")) == 0, "the fault is the first mistake: %s",
                  f.detail);
    buf_free(&b);
    return e;
}

Test(xml, a_valid_document_is_read)
{
    struct xml *x;
    char report[4096];
    const struct xml_node *n;

    cr_assert_eq(
        parse("<garden xmlns='urn:t' title='a &amp; b &lt;&#x41;&quot;'>\n<gate every='24h'/>\n<!-- c -->\n"
              "<tree id='x'/>\n<tree id='y' beside='x'><gate colour=''/></tree></garden>",
              &x, report, sizeof report),
        OK, "%s", report);
    cr_assert_str_empty(report);
    cr_assert_str_eq(xml_name(xml_root(x)), "garden");
    cr_assert_str_eq(xml_attr(xml_root(x), "title"), "a & b <A\"");
    cr_assert_null(xml_parent(xml_root(x)));
    n = xml_child(xml_root(x), "tree");
    cr_assert_eq(xml_line(n), 4);
    cr_assert_null(xml_attr(n, "beside"));
    n = xml_next(n, "tree");
    cr_assert_str_eq(xml_attr(n, "beside"), "x");
    cr_assert_str_eq(xml_attr(xml_child(n, NULL), "colour"), "");
    cr_assert_eq(xml_parent(xml_child(n, NULL)), n);
    cr_assert_null(xml_next(n, NULL));
    cr_assert_str_eq(xml_attr(xml_child(xml_root(x), NULL), "kind"), "ec", "schema defaults are filled in");
    xml_free(x);
}

Test(xml, mistakes_name_line_and_what_is_permitted)
{
    static const struct {
        const char *content, *report;
    } cases[] = {
        {"<garden xmlns='urn:t'>\n<gate every='24x'/>\n</garden>",
         "garden.xml:2: <gate every=\"24x\"> is not permitted; permitted: a span such as 24h\n"},
        {"<garden xmlns='urn:t'>\n<gate every='1d'\n kind='dsa'/>\n</garden>",
         "garden.xml:3: <gate kind=\"dsa\"> is not permitted; permitted: rsa, ec\n"},
        {"<garden xmlns='urn:t'>\n<gate every='1d' size='1'/>\n</garden>",
         "garden.xml:2: <gate>: attribute \"size\" is not known; permitted: every, kind\n"},
        {"<garden xmlns='urn:t'>\n<gate/>\n</garden>",
         "garden.xml:2: <gate>: attribute \"every\" is missing; permitted: a span such as 24h\n"},
        {"<garden xmlns='urn:t'>\n<fence/>\n</garden>",
         "garden.xml:2: <fence> is not permitted here; expected: gate; permitted in <garden>, in this "
         "order: "
         "gate, tree (at most 3)\n"},
        {"<garden xmlns='urn:t'>\n</garden>", "garden.xml:1: <garden> is not complete; expected: gate; "
                                              "permitted in <garden>, in this order: gate, "
                                              "tree (at most 3)\n"},
        {"<garden xmlns='urn:t'>\n<gate every='1d'/>\n<tree id='1'/><tree id='2'/><tree id='3'/>\n<tree "
         "id='4'/>\n</garden>",
         "garden.xml:4: <tree> is not permitted here; permitted in <garden>, in this order: gate, tree (at "
         "most 3)\n"},
        {"<garden xmlns='urn:t'>\n<gate every='1d'><tree id='1'/></gate></garden>",
         "garden.xml:2: <gate> holds text or elements that are not permitted; permitted in <gate>, in this "
         "order: nothing\n"},
        {"<garden xmlns='urn:t'>\n<gate every='1d'/><tree id='1'><gate every='1d'/></tree></garden>",
         "garden.xml:2: <gate>: attribute \"every\" is not known; permitted: colour\n"},
        {"<garden xmlns='urn:t'>\n<gate every='1d'/>\n<tree id='1'/>\n<tree id='1'/>\n</garden>",
         "garden.xml:4: <tree>: \"1\": used twice\n"},
        {"<garden xmlns='urn:t'>\n<gate every='1d'/>\n<tree id='1'/>\n<tree id='2' beside='9'/>\n</garden>",
         "garden.xml:4: <tree>: \"9\": no such tree; permitted: 1, 2\n"},
        {"<park/>", "garden.xml:1: <park> is not permitted here; permitted: <garden xmlns=\"urn:t\">\n"},
        {"<garden/>", "garden.xml:1: <garden> is not permitted here; permitted: <garden xmlns=\"urn:t\">\n"},
        {"", "garden.xml:1: the file is empty\n"},
    };
    struct xml *x;
    char report[4096];

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        cr_expect_eq(parse(cases[i].content, &x, report, sizeof report), ERR_CONFIG, "%s", cases[i].content);
        cr_expect_null(x);
        cr_expect_str_eq(report, cases[i].report);
    }
}

Test(xml, every_mistake_is_reported)
{
    struct xml *x;
    char report[4096];
    unsigned lines = 0;

    cr_assert_eq(
        parse("<garden xmlns='urn:t' a='1'>\n<gate every='x' kind='x' b='1'/>\n<tree/>\ntext</garden>", &x,
              report, sizeof report),
        ERR_CONFIG);
    for (const char *p = report; *p != '\0'; p++)
        lines += *p == '\n';
    cr_assert_eq(lines, 6, "%s", report);
}

Test(xml, what_is_no_document_is_refused_with_its_line)
{
    static const char *const bad[] = {"<garden xmlns='urn:t'>\n<gate every='1d'>\n</garden>",
                                      "<garden xmlns='urn:t'",
                                      "hello",
                                      "<garden xmlns='urn:t' xmlns='urn:t'/>",
                                      "<garden xmlns='urn:t'/><garden xmlns='urn:t'/>",
                                      "\xff\xfe\x01",
                                      "<garden xmlns='urn:t'>\xc3\x28</garden>",
                                      "<garden xmlns='urn:t'>&nbsp;</garden>"};
    struct xml *x;
    char report[4096];

    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        cr_expect_eq(parse(bad[i], &x, report, sizeof report), ERR_CONFIG, "%s", bad[i]);
        cr_expect(strncmp(report, "garden.xml:", 11) == 0 && report[11] >= '1' && report[11] <= '9', "%s",
                  report);
    }
    cr_assert_eq(parse("<garden xmlns='urn:t'>&nbsp;</garden>", &x, report, sizeof report), ERR_CONFIG);
    cr_assert_not_null(strstr(report, "permitted: &amp;"), "%s", report);
}

Test(xml, doctype_and_entities_are_refused)
{
    static const char *const bad[] = {
        "<!DOCTYPE garden>\n<garden xmlns='urn:t'><gate every='1d'/></garden>",
        "<!DOCTYPE garden SYSTEM 'file:///etc/passwd'>\n<garden xmlns='urn:t'><gate every='1d'/></garden>",
        "<!DOCTYPE garden [<!ENTITY x SYSTEM 'file:///etc/passwd'>]>\n<garden xmlns='urn:t' "
        "title='&x;'><gate every='1d'/></garden>",
        "<!DOCTYPE garden [<!ENTITY % x SYSTEM 'http://127.0.0.1:9/x'>%x;]>\n<garden xmlns='urn:t'><gate "
        "every='1d'/></garden>",
        "<!DOCTYPE garden [<!ENTITY a 'ha'><!ENTITY b '&a;&a;&a;&a;&a;&a;&a;&a;&a;&a;'>"
        "<!ENTITY c '&b;&b;&b;&b;&b;&b;&b;&b;&b;&b;'><!ENTITY d '&c;&c;&c;&c;&c;&c;&c;&c;&c;&c;'>"
        "<!ENTITY e '&d;&d;&d;&d;&d;&d;&d;&d;&d;&d;'><!ENTITY f '&e;&e;&e;&e;&e;&e;&e;&e;&e;&e;'>"
        "<!ENTITY g '&f;&f;&f;&f;&f;&f;&f;&f;&f;&f;'><!ENTITY h '&g;&g;&g;&g;&g;&g;&g;&g;&g;&g;'>]>\n"
        "<garden xmlns='urn:t' title='&h;'><gate every='1d'/></garden>",
    };
    struct xml *x;
    char report[4096];

    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        cr_expect_eq(parse(bad[i], &x, report, sizeof report), ERR_CONFIG);
        cr_expect_not_null(strstr(report, "garden.xml:1: a DOCTYPE is not permitted"), "%s", report);
    }
}

Test(xml, neither_xinclude_nor_schema_location_is_followed)
{
    struct xml *x;
    char report[4096];

    cr_assert_eq(parse("<garden xmlns='urn:t' xmlns:xi='http://www.w3.org/2001/XInclude'>\n<gate every='1d'/>"
                       "<xi:include href='/etc/hostname' parse='text'/></garden>",
                       &x, report, sizeof report),
                 ERR_CONFIG);
    cr_assert_not_null(strstr(report, "<include> is not permitted here"), "%s", report);
    cr_assert_eq(parse("<garden xmlns='urn:t' xmlns:xsi='http://www.w3.org/2001/XMLSchema-instance'"
                       " xsi:schemaLocation='urn:t /nonexistent.xsd'><gate every='1d'/></garden>",
                       &x, report, sizeof report),
                 OK, "%s", report);
    xml_free(x);
}

Test(xml, a_large_document_is_refused_before_it_is_parsed)
{
    char *big = malloc(XML_DOC_MAX + 2);
    struct fault f = {0};
    struct xml *x;

    memset(big, ' ', XML_DOC_MAX + 1);
    cr_assert_eq(xml_parse("big.xml", span_of(big, XML_DOC_MAX + 1), span_str(schema), &x, NULL, &f),
                 ERR_CONFIG);
    cr_assert_str_eq(f.detail, "big.xml:1: the file is larger than 1 MiB");
    free(big);
}

Test(xml, hostile_octets_do_not_reach_the_report)
{
    struct xml *x;
    char report[4096];

    cr_assert_eq(
        parse("<garden xmlns='urn:t'>\n<gate every='a&#10;b&#9;c'/></garden>", &x, report, sizeof report),
        ERR_CONFIG);
    cr_assert_str_eq(
        report, "garden.xml:2: <gate every=\"a b c\"> is not permitted; permitted: a span such as 24h\n");
}

Test(xml, a_reader_reports_like_the_schema)
{
    struct xml *x;
    struct buf b;
    struct fault f = {0};

    cr_assert_eq(xml_parse("g.xml", span_str("<garden xmlns='urn:t'>\n<gate every='1d'/></garden>"),
                           span_str(schema), &x, NULL, &f),
                 OK);
    buf_init(&b, 4096);
    cr_assert_eq(xml_fault(xml_child(xml_root(x), "gate"), &b, &f, "too %s", "narrow"), ERR_CONFIG);
    cr_assert_eq(xml_fault(xml_root(x), &b, &f, "second"), ERR_CONFIG);
    cr_assert_str_eq(f.detail, "g.xml:2: too narrow");
    cr_assert(span_eq(buf_span(&b), span_str("g.xml:2: too narrow\ng.xml:1: second\n")));
    buf_free(&b);
    xml_free(x);
}

struct grove {
    char ids[4][8];
    size_t count;
};

static enum err read_tree(const struct xml_node *n, void *arg, struct fault *f)
{
    struct grove *g = arg;

    return xml_copy(n, "id", g->ids[g->count++], sizeof g->ids[0], f);
}

static enum err read_trees(const char *content, size_t most, struct grove *out, struct fault *f)
{
    struct xml *x;
    char report[4096];
    enum err e;

    *out = (struct grove){0};
    cr_assert_eq(parse(content, &x, report, sizeof report), OK, "%s", report);
    e = xml_each(xml_root(x), "tree", most, read_tree, out, f);
    xml_free(x);
    return e;
}

#define THREE                                                                                                \
    "<garden xmlns='urn:t'><gate every='1h'/>\n<tree id='oak'/>\n<tree id='elm'/>\n<tree id='%s'/></garden>"

Test(xml, each_child_is_read_in_order)
{
    char content[256];
    struct fault f = {0};
    struct grove g;

    snprintf(content, sizeof content, THREE, "1234567");
    cr_assert_eq(read_trees(content, 3, &g, &f), OK);
    cr_assert_eq(g.count, 3);
    cr_assert_str_eq(g.ids[0], "oak");
    cr_assert_str_eq(g.ids[1], "elm");
    cr_assert_str_eq(g.ids[2], "1234567");
    cr_assert_eq(read_trees("<garden xmlns='urn:t'><gate every='1h'/></garden>", 0, &g, &f), OK);
    cr_assert_eq(g.count, 0);
}

Test(xml, a_child_beyond_the_most_is_named)
{
    char content[256];
    struct fault f = {0};
    struct grove g;

    snprintf(content, sizeof content, THREE, "fir");
    cr_assert_eq(read_trees(content, 2, &g, &f), ERR_CONFIG);
    cr_assert_eq(g.count, 2);
    cr_assert_str_eq(f.detail, "garden.xml:4: <tree>: one too many; permitted: 2");
}

Test(xml, the_first_child_that_is_wrong_ends_the_reading)
{
    struct fault f = {0};
    struct grove g;

    cr_assert_eq(read_trees("<garden xmlns='urn:t'><gate every='1h'/>\n<tree id='a'/>\n<tree "
                            "id='12345678'/>\n<tree id='b'/></garden>",
                            3, &g, &f),
                 ERR_CONFIG);
    cr_assert_eq(g.count, 2);
    cr_assert_str_eq(f.detail, "garden.xml:3: <tree>: id is longer than 7 octets");
}

Test(xml, an_attribute_that_is_absent_changes_nothing)
{
    char title[8] = "before", report[4096];
    struct fault f = {0};
    struct xml *x;

    cr_assert_eq(parse("<garden xmlns='urn:t'><gate every='1h'/></garden>", &x, report, sizeof report), OK);
    cr_assert_eq(xml_copy(xml_root(x), "title", title, sizeof title, &f), OK);
    cr_assert_str_eq(title, "before");
    xml_free(x);
}

Test(xml, escaped_text_is_read_back)
{
    static const char text[] = "<a> & \"b\" 'c' >";
    struct xml *x;
    struct buf b;
    struct fault f = {0};

    buf_init(&b, 4096);
    buf_put_str(&b, "<garden xmlns='urn:t' title=\"");
    xml_escape(&b, text);
    buf_put_str(&b, "\"><gate every='1d'/></garden>");
    cr_assert_eq(xml_parse("g.xml", buf_span(&b), span_str(schema), &x, NULL, &f), OK, "%s", f.detail);
    cr_assert_str_eq(xml_attr(xml_root(x), "title"), text);
    xml_free(x);
    buf_free(&b);
}

Test(xml, only_a_file_that_nobody_else_can_write_is_trusted)
{
    char path[] = "/tmp/xml_test.XXXXXX", link[64];
    struct fault f = {0};
    int fd = mkstemp(path);

    cr_assert_geq(fd, 0);
    close(fd);
    cr_assert_eq(chmod(path, 0644), 0);
    cr_assert_eq(xml_file_trusted(path, &f), OK);
    cr_assert_eq(chmod(path, 0664), 0);
    cr_assert_eq(xml_file_trusted(path, &f), ERR_CONFIG);
    cr_assert_not_null(strstr(f.detail, "0664"), "%s", f.detail);
    cr_assert_eq(chmod(path, 0602), 0);
    cr_assert_eq(xml_file_trusted(path, NULL), ERR_CONFIG);
    cr_assert_eq(chmod(path, 0600), 0);
    snprintf(link, sizeof link, "%s.link", path);
    cr_assert_eq(symlink(path, link), 0);
    cr_assert_eq(xml_file_trusted(link, NULL), ERR_CONFIG);
    unlink(link);
    if (geteuid() == 0) { /* only root can give a file away */
        cr_assert_eq(chown(path, 65534, 65534), 0);
        f = (struct fault){0};
        cr_assert_eq(xml_file_trusted(path, &f), ERR_CONFIG);
        cr_assert_not_null(strstr(f.detail, "owned by uid 65534"), "%s", f.detail);
    }
    unlink(path);
    cr_assert_eq(xml_file_trusted(path, NULL), ERR_NOT_FOUND);
    cr_assert_eq(xml_file_trusted("/tmp", NULL), ERR_CONFIG);
}
