/* SPDX-License-Identifier: Apache-2.0 */
/* foreign_end: which certificate or CRL of a foreign CA ends first, and from when on it is told. Those that
 * another of the same name and key outlives do not count. */
#include <openssl/err.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include "api/foreign_end.h"
#include "api/inner.h"
#include "base/ending.h"
#include "store/store.h"

static void add_end(struct foreign_ends *ends, const char *what, int64_t begin_s, int64_t end_s,
                    int64_t warn_s)
{
    int64_t quarter_s = (end_s - begin_s) / 4;
    struct foreign_end e = {what, end_s, end_s - (quarter_s < warn_s ? quarter_s : warn_s)};

    if (e.end_s < ends->first.end_s)
        ends->first = e;
    if (e.soon_s < ends->next.soon_s)
        ends->next = e;
}

static void add_certificate_end(struct foreign_ends *ends, const X509 *x)
{
    int64_t begin_s = x509_time(X509_get0_notBefore(x)), end_s = x509_time(X509_get0_notAfter(x));

    if (begin_s != NO_TIME && end_s != NO_TIME)
        add_end(ends, "a certificate", begin_s, end_s, ENDING_ISSUER_S);
}

static void add_crl_end(struct foreign_ends *ends, const X509_CRL *crl)
{
    int64_t begin_s = x509_time(X509_CRL_get0_lastUpdate(crl)),
            end_s = x509_time(X509_CRL_get0_nextUpdate(crl));

    if (begin_s != NO_TIME && end_s != NO_TIME)
        add_end(ends, "a CRL", begin_s, end_s, INT64_MAX);
}

/* Where one does not say, it may be. */
static bool may_be_same_key(const ASN1_OCTET_STRING *a, const ASN1_OCTET_STRING *b)
{
    return a == NULL || b == NULL || ASN1_OCTET_STRING_cmp(a, b) == 0;
}

static bool may_be_same_signer(const X509_CRL *c, const X509_CRL *d)
{
    AUTHORITY_KEYID *a = X509_CRL_get_ext_d2i(c, NID_authority_key_identifier, NULL, NULL);
    AUTHORITY_KEYID *b = X509_CRL_get_ext_d2i(d, NID_authority_key_identifier, NULL, NULL);
    bool may_be = a == NULL || b == NULL || may_be_same_key(a->keyid, b->keyid);

    AUTHORITY_KEYID_free(a);
    AUTHORITY_KEYID_free(b);
    return may_be;
}

static bool is_certificate_outlived(X509 *x, X509 *y)
{
    return X509_NAME_cmp(X509_get_subject_name(x), X509_get_subject_name(y)) == 0 &&
           x509_time(X509_get0_notAfter(x)) < x509_time(X509_get0_notAfter(y)) &&
           may_be_same_key(X509_get0_subject_key_id(x), X509_get0_subject_key_id(y));
}

static bool is_crl_outlived(const X509_CRL *c, const X509_CRL *d)
{
    return X509_NAME_cmp(X509_CRL_get_issuer(c), X509_CRL_get_issuer(d)) == 0 &&
           x509_time(X509_CRL_get0_nextUpdate(c)) < x509_time(X509_CRL_get0_nextUpdate(d)) &&
           may_be_same_signer(c, d);
}

/* Is `a` no matter, because `b`, of the same name and key, stands for it longer? A CA that took a new key
 * under its name has a CRL for each of the two, and neither serves the other's certificates. */
static bool is_outlived(const X509_OBJECT *a, const X509_OBJECT *b)
{
    X509 *x = X509_OBJECT_get0_X509(a), *y = X509_OBJECT_get0_X509(b);
    X509_CRL *c = X509_OBJECT_get0_X509_CRL(a), *d = X509_OBJECT_get0_X509_CRL(b);

    if (x != NULL && y != NULL)
        return is_certificate_outlived(x, y);
    return c != NULL && d != NULL && is_crl_outlived(c, d);
}

void foreign_end_find(const X509_STORE *store, struct foreign_ends *out)
{
    static const struct foreign_end never = {"", INT64_MAX, INT64_MAX};
    const STACK_OF(X509_OBJECT) *all = X509_STORE_get0_objects(store);
    int count = sk_X509_OBJECT_num(all);

    out->first = out->next = never;
    for (int i = 0; i < count; i++) {
        const X509_OBJECT *each = sk_X509_OBJECT_value(all, i);
        int k = 0;

        while (k < count && !is_outlived(each, sk_X509_OBJECT_value(all, k)))
            k++;
        if (k < count)
            continue;
        if (X509_OBJECT_get0_X509(each) != NULL)
            add_certificate_end(out, X509_OBJECT_get0_X509(each));
        else if (X509_OBJECT_get0_X509_CRL(each) != NULL)
            add_crl_end(out, X509_OBJECT_get0_X509_CRL(each));
    }
    ERR_clear_error(); /* an extension that cannot be read counts as none */
}
