/* SPDX-License-Identifier: Apache-2.0 */
/* Do the tables of usages say what OpenSSL's say? */
#include <criterion/criterion.h>
#include <openssl/objects.h>
#include <openssl/x509v3.h>
#include <string.h>

#include "ca/policy.h"

Test(usage, object_identifiers_are_those_of_openssl)
{
    static const struct {
        enum eku e;
        const char *oid;
    } known[] = {
        {EKU_SERVER_AUTH, "1.3.6.1.5.5.7.3.1"},          {EKU_CLIENT_AUTH, "1.3.6.1.5.5.7.3.2"},
        {EKU_CODE_SIGNING, "1.3.6.1.5.5.7.3.3"},         {EKU_EMAIL_PROTECTION, "1.3.6.1.5.5.7.3.4"},
        {EKU_IPSEC_END_SYSTEM, "1.3.6.1.5.5.7.3.5"},     {EKU_IPSEC_TUNNEL, "1.3.6.1.5.5.7.3.6"},
        {EKU_IPSEC_USER, "1.3.6.1.5.5.7.3.7"},           {EKU_TIME_STAMPING, "1.3.6.1.5.5.7.3.8"},
        {EKU_OCSP_SIGNING, "1.3.6.1.5.5.7.3.9"},         {EKU_IPSEC_IKE, "1.3.6.1.5.5.7.3.17"},
        {EKU_SMARTCARD_LOGON, "1.3.6.1.4.1.311.20.2.2"}, {EKU_ANY, "2.5.29.37.0"},
    };

    cr_assert_eq(sizeof known / sizeof *known, EKU_OTHER, "every usage but the unknown");
    for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
        ASN1_OBJECT *o = OBJ_txt2obj(known[i].oid, 1);
        struct span content = span_of(OBJ_get0_data(o), OBJ_length(o));

        cr_assert(span_eq(content, eku_oid(known[i].e)), "%s", known[i].oid);
        cr_assert_eq(eku_of_oid(content), known[i].e);
        ASN1_OBJECT_free(o);
    }
    cr_assert_eq(eku_of_oid(span_str("\x2b\x06")), EKU_OTHER);
    cr_assert_eq(eku_of_oid((struct span){0}), EKU_OTHER, "an empty OID is no known one");
}

Test(usage, names_of_extended_usages_are_read_back)
{
    enum eku back;

    for (enum eku e = 0; e < EKU_OTHER; e++)
        cr_assert(eku_parse(eku_name(e), &back) && back == e, "%s", eku_name(e));
    cr_assert(!eku_parse("other", &back));
    cr_assert(!eku_parse("ServerAuth", &back));
    cr_assert(!eku_parse("", &back));
}

Test(usage, bits_are_those_of_openssl)
{
    for (unsigned i = 0; i < 9; i++) {
        uint16_t bit = (uint16_t)(0x8000 >> i), back;
        ASN1_BIT_STRING *b = ASN1_BIT_STRING_new();
        const BIT_STRING_BITNAME *n = X509V3_EXT_get_nid(NID_key_usage)->usr_data;

        ASN1_BIT_STRING_set_bit(b, (int)i, 1);
        while (n->lname != NULL && !ASN1_BIT_STRING_get_bit(b, n->bitnum))
            n++;
        cr_assert_str_eq(ku_name(bit), n->sname);
        cr_assert(ku_parse(n->sname, &back) && back == bit);
        ASN1_BIT_STRING_free(b);
    }
}

Test(usage, text_lists_bits_in_order_and_never_overruns)
{
    char text[200], small[20];
    uint16_t bit;

    ku_text(KU_KEY_CERT_SIGN | KU_DIGITAL_SIGNATURE, text, sizeof text);
    cr_assert_str_eq(text, "digitalSignature, keyCertSign");
    ku_text(0, text, sizeof text);
    cr_assert_str_empty(text);
    ku_text(0xff80, small, sizeof small);
    cr_assert_eq(strlen(small), sizeof small - 1);
    cr_assert(!ku_parse("keyencipherment", &bit));
}

Test(usage, a_set_is_named_in_the_tables_order)
{
    static const enum eku list[] = {EKU_CLIENT_AUTH, EKU_SERVER_AUTH, EKU_CLIENT_AUTH, EKU_OTHER};
    char text[USAGE_TEXT_MAX];

    cr_assert_eq(eku_set_of(list, 3), 1u << EKU_SERVER_AUTH | 1u << EKU_CLIENT_AUTH);
    eku_names(eku_set_of(list, 1), text);
    cr_assert_str_eq(text, "clientAuth");
    eku_names(eku_set_of(list, 4), text);
    cr_assert_str_eq(text, "serverAuth, clientAuth, other");
    ku_names(KU_KEY_CERT_SIGN | KU_DIGITAL_SIGNATURE, text);
    cr_assert_str_eq(text, "digitalSignature, keyCertSign");
}

Test(usage, nothing_is_named_as_none)
{
    char text[USAGE_TEXT_MAX];

    eku_names(eku_set_of(NULL, 0), text);
    cr_assert_str_eq(text, "none");
    ku_names(0, text);
    cr_assert_str_eq(text, "none");
}

Test(usage, all_names_of_either_table_fit)
{
    char text[USAGE_TEXT_MAX];

    eku_names(~0u, text);
    cr_assert(strlen(text) < sizeof text - 1);
    cr_assert_not_null(strstr(text, ", anyExtendedKeyUsage, other"));
    ku_names(0xffff, text);
    cr_assert_not_null(strstr(text, ", decipherOnly"));
}
