/* SPDX-License-Identifier: Apache-2.0 */
/* judge: see judge.h. */
#include "judge.h"

#include <openssl/sha.h>
#include <string.h>

#define need(condition)                                                                                      \
    do {                                                                                                     \
        if (!(condition))                                                                                    \
            return #condition;                                                                               \
    } while (0)

static bool is_ordered(const ASN1_TIME *early, const ASN1_TIME *late)
{
    return early != NULL && late != NULL && ASN1_TIME_compare(early, late) <= 0;
}

static bool is_serial_good(const ASN1_INTEGER *serial)
{
    return serial->type == V_ASN1_INTEGER && serial->length >= 1 && serial->length <= 20 &&
           (serial->length > 1 || serial->data[0] != 0) && (serial->length < 20 || serial->data[0] < 0x80);
}

static bool is_among(int nid, const int *nids, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (nids[i] == nid)
            return true;
    return false;
}

/* Each extension once; a critical one is one of these. */
static bool are_extensions_good(const STACK_OF(X509_EXTENSION) * all, const int *critical, size_t count)
{
    for (int i = 0; i < sk_X509_EXTENSION_num(all); i++) {
        X509_EXTENSION *e = sk_X509_EXTENSION_value(all, i);
        bool may = !X509_EXTENSION_get_critical(e) ||
                   is_among(OBJ_obj2nid(X509_EXTENSION_get_object(e)), critical, count);

        for (int j = 0; j < i; j++)
            if (OBJ_cmp(X509_EXTENSION_get_object(e),
                        X509_EXTENSION_get_object(sk_X509_EXTENSION_value(all, j))) == 0)
                return false;
        if (!may)
            return false;
    }
    return true;
}

/* Those that a certificate of ours may have. */
static bool are_extensions_ours(const STACK_OF(X509_EXTENSION) * all)
{
    static const int ours[] = {NID_basic_constraints,
                               NID_key_usage,
                               NID_ext_key_usage,
                               NID_subject_alt_name,
                               NID_subject_key_identifier,
                               NID_authority_key_identifier,
                               NID_crl_distribution_points,
                               NID_freshest_crl,
                               NID_info_access,
                               NID_id_pkix_OCSP_noCheck};

    for (int i = 0; i < sk_X509_EXTENSION_num(all); i++) {
        X509_EXTENSION *e = sk_X509_EXTENSION_value(all, i);
        void *value = X509V3_EXT_d2i(e);

        if (value == NULL || !is_among(OBJ_obj2nid(X509_EXTENSION_get_object(e)), ours, 10))
            return false;
        ASN1_item_free(value, ASN1_ITEM_ptr(X509V3_EXT_get(e)->it));
    }
    return true;
}

/* By what it calls itself: whether the point is on the curve is for who takes the request to see. */
static bool is_key_good(const X509 *x)
{
    static const int curves[] = {NID_X9_62_prime256v1, NID_secp384r1, NID_secp521r1};
    ASN1_OBJECT *kind;
    X509_ALGOR *algor;
    const void *curve;
    int type;

    X509_PUBKEY_get0_param(&kind, NULL, NULL, &algor, X509_get_X509_PUBKEY(x));
    if (OBJ_obj2nid(kind) == NID_rsaEncryption)
        return X509_get0_pubkey(x) != NULL && EVP_PKEY_get_bits(X509_get0_pubkey(x)) >= 2048;
    X509_ALGOR_get0(NULL, &type, &curve, algor);
    return OBJ_obj2nid(kind) == NID_X9_62_id_ecPublicKey && type == V_ASN1_OBJECT &&
           is_among(OBJ_obj2nid(curve), curves, 3);
}

/* Frees `aki`. */
static bool is_aki_good(AUTHORITY_KEYID *aki, const X509 *ca)
{
    const ASN1_OCTET_STRING *ski = X509_get0_subject_key_id((X509 *)ca);
    bool is_good = aki != NULL && aki->keyid != NULL && ASN1_OCTET_STRING_cmp(aki->keyid, ski) == 0;

    AUTHORITY_KEYID_free(aki);
    return is_good;
}

static const char *judge_usage(X509 *x, const struct judged *by)
{
    uint32_t usage = X509_get_key_usage(x), extended = X509_get_extended_key_usage(x);
    bool is_ca = (X509_get_extension_flags(x) & EXFLAG_CA) != 0;
    bool is_responder = extended != UINT32_MAX && (extended & XKU_OCSP_SIGN) != 0;
    bool has_nocheck = X509_get_ext_by_NID(x, NID_id_pkix_OCSP_noCheck, -1) >= 0;

    need((X509_get_extension_flags(x) & EXFLAG_INVALID) == 0);
    need(extended == UINT32_MAX || (extended & XKU_ANYEKU) == 0);
    need(is_responder == has_nocheck);
    if (is_ca) {
        need(by->may_subordinate);
        need(X509_get_pathlen(x) >= 0 && X509_get_pathlen(x) < by->path_len);
        need(!is_responder);
    } else {
        need((usage & (KU_KEY_CERT_SIGN | KU_CRL_SIGN)) == 0 || usage == UINT32_MAX);
        need(by->may_leaf || (is_responder && extended == XKU_OCSP_SIGN));
    }
    return NULL;
}

static const char *judge_read_certificate(X509 *x, const struct judged *by)
{
    static const int critical[] = {NID_key_usage, NID_basic_constraints};

    need(X509_get_version(x) == X509_VERSION_3);
    need(X509_NAME_cmp(X509_get_issuer_name(x), X509_get_subject_name(by->ca)) == 0);
    need(X509_NAME_cmp(X509_get_subject_name(x), X509_get_subject_name(by->ca)) != 0);
    need(X509_get0_tbs_sigalg(x) != NULL &&
         OBJ_obj2nid(X509_get0_tbs_sigalg(x)->algorithm) == X509_get_signature_nid(by->ca));
    need(is_serial_good(X509_get0_serialNumber(x)));
    need(is_ordered(X509_get0_notBefore(by->ca), X509_get0_notBefore(x)));
    need(is_ordered(X509_get0_notBefore(x), X509_get0_notAfter(x)));
    need(is_ordered(X509_get0_notAfter(x), X509_get0_notAfter(by->ca)));
    need(are_extensions_good(X509_get0_extensions(x), critical, 2));
    need(are_extensions_ours(X509_get0_extensions(x)));
    need(is_key_good(x));
    need(is_aki_good(X509_get_ext_d2i(x, NID_authority_key_identifier, NULL, NULL), by->ca));
    return judge_usage(x, by);
}

const char *judge_certificate(struct span der, const struct judged *by)
{
    const uint8_t *at = der.data;
    X509 *x = d2i_X509(NULL, &at, (long)der.len);
    const char *wrong = x == NULL || at != der.data + der.len ? "unreadable" : judge_read_certificate(x, by);

    X509_free(x);
    return wrong;
}

static const char *judge_entries(X509_CRL *crl, bool is_delta)
{
    STACK_OF(X509_REVOKED) *all = X509_CRL_get_REVOKED(crl);

    for (int i = 0; i < sk_X509_REVOKED_num(all); i++) {
        X509_REVOKED *r = sk_X509_REVOKED_value(all, i);
        int found;
        ASN1_ENUMERATED *reason = X509_REVOKED_get_ext_d2i(r, NID_crl_reason, &found, NULL);
        bool is_read = reason != NULL;
        long code = reason == NULL ? 1 : ASN1_ENUMERATED_get(reason);

        ASN1_ENUMERATED_free(reason);
        need(is_serial_good(X509_REVOKED_get0_serialNumber(r)));
        need(is_read || found == -1); /* none, or one that can be read */
        need(code >= 1 && code <= 10 && code != 7 && (code != 8 || is_delta));
        need(are_extensions_good(X509_REVOKED_get0_extensions(r), NULL, 0));
    }
    return NULL;
}

/* A delta's base lies below its number. */
static bool are_numbers_good(X509_CRL *crl, bool *is_delta)
{
    ASN1_INTEGER *number = X509_CRL_get_ext_d2i(crl, NID_crl_number, NULL, NULL);
    ASN1_INTEGER *base = X509_CRL_get_ext_d2i(crl, NID_delta_crl, NULL, NULL);
    bool is_good = number != NULL && number->type == V_ASN1_INTEGER && number->length <= 20 &&
                   (base == NULL || ASN1_INTEGER_cmp(base, number) < 0);

    *is_delta = base != NULL;
    ASN1_INTEGER_free(number);
    ASN1_INTEGER_free(base);
    return is_good;
}

static const char *judge_read_crl(X509_CRL *crl, const struct judged *by)
{
    static const int critical[] = {NID_delta_crl, NID_issuing_distribution_point};
    const X509_ALGOR *outer;
    bool is_delta;

    need(X509_CRL_get_version(crl) == X509_CRL_VERSION_2);
    need(X509_NAME_cmp(X509_CRL_get_issuer(crl), X509_get_subject_name(by->ca)) == 0);
    X509_CRL_get0_signature(crl, NULL, &outer);
    need(OBJ_obj2nid(outer->algorithm) == X509_get_signature_nid(by->ca));
    need(is_ordered(X509_CRL_get0_lastUpdate(crl), X509_CRL_get0_nextUpdate(crl)));
    need(are_extensions_good(X509_CRL_get0_extensions(crl), critical, 2));
    need(is_aki_good(X509_CRL_get_ext_d2i(crl, NID_authority_key_identifier, NULL, NULL), by->ca));
    need(are_numbers_good(crl, &is_delta));
    return judge_entries(crl, is_delta);
}

const char *judge_crl(struct span der, const struct judged *by)
{
    const uint8_t *at = der.data;
    X509_CRL *crl = d2i_X509_CRL(NULL, &at, (long)der.len);
    const char *wrong = crl == NULL || at != der.data + der.len ? "unreadable" : judge_read_crl(crl, by);

    X509_CRL_free(crl);
    return wrong;
}

static const char *judge_singles(OCSP_BASICRESP *basic)
{
    for (int i = 0; i < OCSP_resp_count(basic); i++) {
        ASN1_GENERALIZEDTIME *revoked, *from, *to;
        int reason, status = OCSP_single_get0_status(OCSP_resp_get0(basic, i), &reason, &revoked, &from, &to);
        int days, seconds;

        need(status == V_OCSP_CERTSTATUS_GOOD || status == V_OCSP_CERTSTATUS_REVOKED ||
             status == V_OCSP_CERTSTATUS_UNKNOWN);
        need(status != V_OCSP_CERTSTATUS_REVOKED ||
             (reason <= 10 && reason != 0 && reason != 7 && reason != 8));
        need(is_ordered(from, to));
        need(ASN1_TIME_diff(&days, &seconds, NULL, from) == 1);
        need(days <= 0 || (days == 1 && seconds < 60)); /* two clocks */
        need(ASN1_TIME_diff(&days, &seconds, from, to) == 1);
        need(days < 30 || (days == 30 && seconds == 0));
    }
    return NULL;
}

static const char *judge_read_ocsp(OCSP_BASICRESP *basic, const struct judged *by)
{
    const ASN1_OCTET_STRING *key = NULL;
    const X509_NAME *name = NULL;
    uint8_t hash[SHA_DIGEST_LENGTH];
    const ASN1_BIT_STRING *bits = X509_get0_pubkey_bitstr(by->ca);
    int days, seconds;

    need(OCSP_resp_get0_id(basic, &key, &name) == 1 && key != NULL && name == NULL);
    SHA1(bits->data, (size_t)bits->length, hash);
    need(key->length == sizeof hash && memcmp(key->data, hash, sizeof hash) == 0);
    need(ASN1_TIME_diff(&days, &seconds, NULL, OCSP_resp_get0_produced_at(basic)) == 1);
    need(days == 0 || (days == 1 && seconds < 60) || (days == -1 && seconds > -60)); /* two clocks */
    need(OCSP_resp_count(basic) > 0);
    return judge_singles(basic);
}

const char *judge_ocsp(struct span der, const struct judged *by)
{
    const uint8_t *at = der.data;
    OCSP_BASICRESP *basic = d2i_OCSP_BASICRESP(NULL, &at, (long)der.len);
    const char *wrong = basic == NULL || at != der.data + der.len ? "unreadable" : judge_read_ocsp(basic, by);

    OCSP_BASICRESP_free(basic);
    return wrong;
}
