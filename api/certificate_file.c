/* SPDX-License-Identifier: Apache-2.0 */
/*
 * certificate_file: a certificate's file as an administrator would upload it. The products read less than
 * OpenSSL does, so everything about the file that is not as docs/interface.md, 6 has it is told, in one
 * finding; the certificates are taken out all the same where that can be done.
 */
#include "api/preflight.h"

#include <openssl/err.h>
#include <openssl/pkcs7.h>
#include <openssl/x509.h>
#include <stdio.h>
#include <string.h>

#include "base/der.h"

#define COLUMNS 64u
#define WANT                                                                                                 \
    "one certificate as PEM: lines of 64 columns that end in LF, nothing outside the armour, a final "       \
    "newline"

struct reading {
    struct certificate_file *out;
    struct buf faults; /* ", " between */
};

static void add_fault(struct reading *r, const char *fault)
{
    buf_printf(&r->faults, "%s%s", r->faults.len > 0 ? ", " : "", fault);
}

static void add_certificate(struct reading *r, struct span der)
{
    struct fault f = {0};
    struct certificate *c;

    if (r->out->count == FILE_CERTS_MAX)
        return add_fault(r, "more certificates than any chain has");
    if (certificate_parse(der, &c, &f) == OK)
        r->out->certs[r->out->count++] = c;
    else
        add_fault(r, f.detail);
}

/* certs-only PKCS#7, as public CAs send it. OpenSSL decodes every certificate of it at once. */
static bool add_pkcs7(struct reading *r, struct span der)
{
    const uint8_t *p = der.data;
    PKCS7 *bundle = has_explicit_curve(der) ? NULL : d2i_PKCS7(NULL, &p, (long)der.len);
    bool is_signed = bundle != NULL && PKCS7_type_is_signed(bundle) && bundle->d.sign != NULL;
    STACK_OF(X509) *certs = is_signed ? bundle->d.sign->cert : NULL;

    for (int i = 0; certs != NULL && i < sk_X509_num(certs); i++) {
        uint8_t *out = NULL;
        int len = i2d_X509(sk_X509_value(certs, i), &out);

        if (len > 0)
            add_certificate(r, span_of(out, (size_t)len));
        OPENSSL_free(out);
    }
    PKCS7_free(bundle);
    ERR_clear_error();
    return is_signed;
}

static void read_der(struct reading *r, struct span file)
{
    struct fault f = {0};
    struct certificate *c;

    if (certificate_parse(file, &c, &f) == OK)
        r->out->certs[r->out->count++] = c; /* DER is read as it is */
    else if (add_pkcs7(r, file))
        add_fault(r, "a PKCS#7 chain where the certificate alone is expected");
    else
        add_fault(r, f.detail);
}

/* ---- armour, line by line ---- */

static struct span take_line(struct span *rest, bool *is_ended)
{
    const uint8_t *end = memchr(rest->data, '\n', rest->len);
    size_t len = end == NULL ? rest->len : (size_t)(end - rest->data);
    struct span line = span_of(rest->data, len);

    *is_ended = end != NULL;
    *rest = span_of(rest->data + len + (end != NULL), rest->len - len - (end != NULL));
    return line;
}

static bool begins(struct span line, const char *text)
{
    size_t len = strlen(text);

    return line.len >= len && memcmp(line.data, text, len) == 0;
}

struct layout {
    bool has_cr, is_outside, has_width, is_open;
    struct span previous; /* the last line of base64: it may be short when the armour ends after it */
};

static void look_at_line(struct layout *l, struct span line)
{
    if (line.len > 0 && line.data[line.len - 1] == '\r') {
        l->has_cr = true;
        line.len--;
    }
    if (begins(line, "-----BEGIN ")) {
        l->is_open = true;
        l->previous = span_of(NULL, 0);
    } else if (begins(line, "-----END ")) {
        l->is_open = false;
        l->has_width = l->has_width || l->previous.len > COLUMNS;
    } else if (!l->is_open) {
        l->is_outside = l->is_outside || line.len > 0;
    } else {
        l->has_width = l->has_width || (l->previous.data != NULL && l->previous.len != COLUMNS);
        l->previous = line;
    }
}

static void look_at_layout(struct reading *r, struct span file)
{
    struct layout l = {0};
    bool is_ended = true;

    if (file.len >= 3 && memcmp(file.data, "\xef\xbb\xbf", 3) == 0) {
        add_fault(r, "a byte order mark");
        file = span_of(file.data + 3, file.len - 3);
    }
    while (file.len > 0)
        look_at_line(&l, take_line(&file, &is_ended));
    if (l.has_cr)
        add_fault(r, "CRLF line ends");
    if (l.has_width)
        add_fault(r, "lines that are not 64 columns wide");
    if (l.is_outside)
        add_fault(r, "text outside the armour");
    if (!is_ended)
        add_fault(r, "no newline at the end");
}

static void read_block(struct reading *r, const char *label, struct span der)
{
    char fault[PEM_LABEL_MAX + 64];

    if (strcmp(label, "CERTIFICATE") == 0)
        return add_certificate(r, der);
    if (strcmp(label, "PKCS7") == 0 && add_pkcs7(r, der))
        return add_fault(r, "a PKCS#7 chain where the certificate alone is expected");
    snprintf(fault, sizeof fault, "an armour that says \"%.60s\"", label);
    add_fault(r, fault);
    if (strcmp(label, "X509 CERTIFICATE") == 0 || strcmp(label, "TRUSTED CERTIFICATE") == 0)
        add_certificate(r, der);
}

static void read_pem(struct reading *r, struct span file)
{
    char label[PEM_LABEL_MAX];
    struct buf der;
    enum err e;

    look_at_layout(r, file);
    buf_init(&der, CERTIFICATE_FILE_MAX);
    while ((e = pem_next(&file, label, &der)) == OK)
        read_block(r, label, buf_span(&der));
    if (e != ERR_END)
        add_fault(r, "an armour that cannot be read");
    buf_free(&der);
}

/* ---- the whole ---- */

static size_t leaf_of(const struct certificate_file *f, struct span request_spki)
{
    for (size_t i = 0; i < f->count; i++)
        if (span_eq(certificate_facts_of(f->certs[i])->spki, request_spki))
            return i;
    return 0;
}

void certificate_file_read(struct span file, struct span request_spki, struct certificate_file *out,
                           struct findings *fs)
{
    struct reading r = {.out = out};
    char got[48];

    *out = (struct certificate_file){0};
    buf_init(&r.faults, 4096);
    if (pem_is_der(file))
        read_der(&r, file);
    else
        read_pem(&r, file);
    if (out->count == 0)
        add_fault(&r, "no certificate that can be read in it");
    out->leaf = leaf_of(out, request_spki);
    if (r.faults.len > 0) {
        buf_put_u8(&r.faults, 0);
        finding_add(fs, "format", "certificate", (const char *)r.faults.data, WANT);
    } else if (out->count > 1) {
        snprintf(got, sizeof got, "%zu certificates", out->count);
        finding_add(fs, "format.chain", "certificate", got, "one");
    }
    buf_free(&r.faults);
}

void certificate_file_free(struct certificate_file *f)
{
    for (size_t i = 0; i < f->count; i++)
        certificate_free(f->certs[i]);
    f->count = 0;
}
