/* SPDX-License-Identifier: Apache-2.0 */
/*
 * x509: views of certificates for people, by OpenSSL: names as text, the few facts an issuer page shows, and
 * certs-only PKCS#7. What is read here are our own certificates and names out of CSRs; nothing is decided.
 */
#include <openssl/asn1.h>
#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/x509.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "api/inner.h"
#include "base/der.h"
#include "base/log.h"

#define NAME_FLAGS                                                                                           \
    ((XN_FLAG_RFC2253 & ~(unsigned long)XN_FLAG_SEP_MASK & ~(unsigned long)ASN1_STRFLGS_ESC_MSB) |           \
     XN_FLAG_SEP_CPLUS_SPC)

/* OpenSSL escapes C0 and DEL; C1 (U+0080..U+009F, C2 80..C2 9F in UTF-8) drives some terminals as well. */
static void put_without_c1(struct buf *out, struct span text)
{
    for (size_t i = 0; i < text.len; i++) {
        const uint8_t *p = text.data + i;

        if (p[0] == 0xc2 && i + 1 < text.len && p[1] >= 0x80 && p[1] <= 0x9f) {
            buf_printf(out, "\\C2\\%02X", p[1]);
            i++;
            continue;
        }
        buf_put_u8(out, p[0]);
    }
}

void name_text_of(const X509_NAME *name, struct buf *out)
{
    BIO *bio = BIO_new(BIO_s_mem());
    char *text = NULL;
    long len;

    if (bio == NULL)
        die("out of memory");
    if (X509_NAME_print_ex(bio, name, 0, NAME_FLAGS) >= 0) {
        len = BIO_get_mem_data(bio, &text);
        put_without_c1(out, span_of(text, (size_t)len));
    }
    ERR_clear_error();
    BIO_free(bio);
}

void name_text(struct span name_der, struct buf *out)
{
    const uint8_t *p = name_der.data;
    X509_NAME *name = d2i_X509_NAME(NULL, &p, (long)name_der.len);

    if (name != NULL)
        name_text_of(name, out);
    ERR_clear_error();
    X509_NAME_free(name);
}

enum err p7b_put(struct buf *out, const struct span *certs, size_t n)
{
    static const uint8_t signed_data[] = {0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x07, 0x02};
    static const uint8_t data[] = {0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x07, 0x01};
    size_t info = der_open(out, DER_SEQUENCE), explicit, body, inner;

    der_put_oid(out, span_of(signed_data, sizeof signed_data));
    explicit = der_open(out, DER_CONTEXT_CONSTRUCTED(0));
    body = der_open(out, DER_SEQUENCE);
    der_put_uint(out, 1);
    der_put(out, DER_SET, span_of(NULL, 0)); /* digestAlgorithms: nobody signs */
    inner = der_open(out, DER_SEQUENCE);
    der_put_oid(out, span_of(data, sizeof data));
    der_close(out, inner);
    inner = der_open(out, DER_CONTEXT_CONSTRUCTED(0));
    for (size_t i = 0; i < n; i++)
        buf_put_span(out, certs[i]);
    der_close(out, inner);
    der_put(out, DER_SET, span_of(NULL, 0)); /* signerInfos */
    der_close(out, body);
    der_close(out, explicit);
    der_close(out, info);
    return buf_end(out);
}

int64_t x509_time(const ASN1_TIME *t)
{
    struct tm tm;

    return t != NULL && ASN1_TIME_to_tm(t, &tm) == 1 ? (int64_t)timegm(&tm) : NO_TIME;
}

static bool key_of(const X509 *x, struct x509_info *out)
{
    struct key_kind kind = {0};
    uint8_t *spki = NULL;
    int len = i2d_X509_PUBKEY(X509_get_X509_PUBKEY(x), &spki);
    bool ok = len > 0 && key_kind_of(span_of(spki, (size_t)len), &kind);

    out->key_type = kind.type;
    out->key_bits = kind.bits;
    if (ok)
        sha256_of(span_of(spki, (size_t)len), out->key_hash);
    OPENSSL_free(spki);
    return ok;
}

static bool subject_of(const X509 *x, struct buf *out)
{
    const uint8_t *der = NULL;
    size_t len = 0;

    if (X509_NAME_get0_der(X509_get_subject_name(x), &der, &len) != 1)
        return false;
    name_text(span_of(der, len), out);
    return buf_end(out) == OK;
}

enum err x509_info_read(struct span der, struct x509_info *out)
{
    const uint8_t *p = der.data;
    X509 *x = d2i_X509(NULL, &p, (long)der.len);
    const ASN1_INTEGER *serial = x == NULL ? NULL : X509_get0_serialNumber(x);
    struct buf text;
    size_t len;
    bool ok;

    memset(out, 0, sizeof *out);
    buf_init(&text, PEM_MAX);
    ok = x != NULL && p == der.data + der.len && serial->length <= (int)sizeof out->serial / 2;
    if (ok) {
        hex_encode(span_of(serial->data, (size_t)serial->length), out->serial);
        out->not_before_s = x509_time(X509_get0_notBefore(x));
        out->not_after_s = x509_time(X509_get0_notAfter(x));
        ok = out->not_before_s != NO_TIME && out->not_after_s != NO_TIME && key_of(x, out) &&
             subject_of(x, &text);
    }
    out->subject = (char *)buf_take(&text, &len);
    sha256_of(der, out->sha256);
    sha1_of(der, out->sha1);
    X509_free(x);
    ERR_clear_error();
    if (!ok)
        x509_info_free(out);
    return ok ? OK : ERR_MALFORMED;
}

void x509_info_free(struct x509_info *i)
{
    free(i->subject);
    i->subject = NULL;
}
