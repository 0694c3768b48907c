/* SPDX-License-Identifier: Apache-2.0 */
#include "api/issuer_element.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

/* What becomes of `settings`; NULL when it is refused. The caller frees. */
static char *added(const char *settings, const char *old, const char *id, const char *parent)
{
    struct issuer_element n = {old, id, parent};
    struct fault f = {0};
    struct buf out;
    enum err e;

    buf_init(&out, 65536);
    e = issuer_element_add(span_str(settings), &n, &out, &f);
    if (e == OK)
        return (char *)buf_take(&out, NULL);
    cr_expect_eq(e, ERR_CONFLICT);
    cr_expect_neq(f.detail[0], '\0');
    buf_free(&out);
    return NULL;
}

static void expect(const char *settings, const char *parent, const char *want)
{
    char *got = added(settings, "rsa-g1", "rsa-g2", parent);

    cr_assert_not_null(got);
    cr_expect_str_eq(got, want);
    free(got);
}

Test(issuer_element, stands_behind_the_old_one_and_issues_in_its_place)
{
    expect(
        "<c>\n"
        "  <issuer id=\"rsa-root-g1\" key=\"file:r\" ocsp-key=\"file:s\"><crl/></issuer>\n"
        "  <issuer id=\"rsa-g1\" parent=\"rsa-root-g1\" issues=\"rsa\" key=\"file:a\" ocsp-key=\"file:b\">\n"
        "    <crl every=\"24h\" overlap=\"72h\"/>\n"
        "  </issuer>\n"
        "  <issuer id=\"ec-g1\"/>\n"
        "</c>\n",
        "rsa-root-g1",
        "<c>\n"
        "  <issuer id=\"rsa-root-g1\" key=\"file:r\" ocsp-key=\"file:s\"><crl/></issuer>\n"
        "  <issuer id=\"rsa-g1\" parent=\"rsa-root-g1\" key=\"file:a\" ocsp-key=\"file:b\">\n"
        "    <crl every=\"24h\" overlap=\"72h\"/>\n"
        "  </issuer>\n"
        "  <issuer id=\"rsa-g2\" parent=\"rsa-root-g1\" issues=\"rsa\" key=\"file:keys/rsa-g2.key\" "
        "ocsp-key=\"file:keys/rsa-g2-ocsp.key\">\n"
        "    <crl every=\"24h\" overlap=\"72h\"/>\n"
        "  </issuer>\n"
        "  <issuer id=\"ec-g1\"/>\n"
        "</c>\n");
}

Test(issuer_element, layout_and_comments_stay)
{
    expect(
        "<?xml version='1.0'?>\r\n<!-- <issuer id=\"rsa-g1\"> was here -->\r\n<k:c xmlns:k='u'>\r\n"
        "\t<k:issuer\r\n\t\tocsp-key='file:b'\tid = 'rsa-g1'\r\n\t\tkey='file:>a' issues='rsa'\r\n\t><!-- "
        "ours "
        "</issuer> --><k:crl/></k:issuer><!-- the end --></k:c>",
        NULL,
        "<?xml version='1.0'?>\r\n<!-- <issuer id=\"rsa-g1\"> was here -->\r\n<k:c xmlns:k='u'>\r\n"
        "\t<k:issuer\r\n\t\tocsp-key='file:b'\tid = 'rsa-g1'\r\n\t\tkey='file:>a'\r\n\t><!-- ours </issuer> "
        "--><k:crl/></k:issuer>\r\n"
        "\t<k:issuer\r\n\t\tocsp-key='file:keys/rsa-g2-ocsp.key'\tid = "
        "'rsa-g2'\r\n\t\tkey='file:keys/rsa-g2.key' "
        "issues='rsa'\r\n\t><!-- ours </issuer> --><k:crl/></k:issuer><!-- the end --></k:c>");
}

Test(issuer_element, another_parent_and_no_responders)
{
    expect(
        "<c><issuer id=\"rsa-g1\" key=\"k\" ocsp-key=\"o\" parent=\"p\" ocsp-model=\"trusted\">\n <crl/>\n "
        "<responder host=\"dmz1\"/>\n <responder host=\"dmz2\"></responder>\n</issuer></c>",
        "rsa-root-g2",
        "<c><issuer id=\"rsa-g1\" key=\"k\" ocsp-key=\"o\" parent=\"p\" ocsp-model=\"trusted\">\n <crl/>\n "
        "<responder host=\"dmz1\"/>\n <responder host=\"dmz2\"></responder>\n</issuer>"
        "<issuer id=\"rsa-g2\" key=\"file:keys/rsa-g2.key\" ocsp-key=\"file:keys/rsa-g2-ocsp.key\" "
        "parent=\"rsa-root-g2\" ocsp-model=\"trusted\">\n <crl/>\n</issuer></c>");
}

Test(issuer_element, what_is_not_found_as_it_is_written_is_refused)
{
    static const char *const settings[] = {
        "<c/>",
        "<c><issuer id=\"rsa-g11\" key=\"k\" ocsp-key=\"o\"/></c>",
        "<c><issuer id=\"rsa&#45;g1\" key=\"k\" ocsp-key=\"o\"/></c>",
        "<c><scope id=\"rsa-g1\" key=\"k\" ocsp-key=\"o\"/></c>",
        "<c><!-- <issuer id=\"rsa-g1\" key=\"k\" ocsp-key=\"o\"/> --></c>",
        "<c><issuer id=\"rsa-g1\" key=\"k\"/></c>",
        "<c><issuer id=\"rsa-g1\" key=\"k\" ocsp-key=\"o\"><crl/>",
    };

    for (size_t i = 0; i < sizeof settings / sizeof *settings; i++)
        cr_expect_null(added(settings[i], "rsa-g1", "rsa-g2", NULL), "%s", settings[i]);
    cr_expect_null(added("<c><issuer id=\"rsa-g1\" key=\"k\" ocsp-key=\"o\"/></c>", "rsa-g1", "rsa-g2", "p"));
}
