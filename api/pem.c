/* SPDX-License-Identifier: Apache-2.0 */
/* pem: PEM armour (RFC 7468) over OpenSSL: LF, 64 columns, nothing outside the armour, a final newline. */
#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <stdio.h>
#include <string.h>

#include "api/inner.h"
#include "base/der.h"
#include "base/log.h"

void pem_put(struct buf *out, const char *label, struct span der)
{
    BIO *bio = BIO_new(BIO_s_mem());
    char *text = NULL;
    long len;

    if (bio == NULL || PEM_write_bio(bio, label, "", der.data, (long)der.len) <= 0)
        die("out of memory");
    len = BIO_get_mem_data(bio, &text);
    buf_put(out, text, (size_t)len);
    BIO_free(bio);
}

bool pem_is_der(struct span file)
{
    static const char mark[] = "-----BEGIN ";
    struct span rest = file;
    struct der whole;

    if (file.len == 0 || file.data[0] != DER_SEQUENCE)
        return false;
    return (der_next(&rest, &whole) && rest.len == 0) ||
           memmem(file.data, file.len, mark, sizeof mark - 1) == NULL;
}

enum err pem_next(struct span *pem, char label[static PEM_LABEL_MAX], struct buf *der)
{
    BIO *bio = pem->len == 0 ? NULL : BIO_new_mem_buf(pem->data, (int)pem->len);
    char *name = NULL, *header = NULL;
    uint8_t *data = NULL;
    long len = 0;
    bool no_start;
    enum err e;

    buf_reset(der);
    if (pem->len == 0)
        return ERR_END;
    if (bio == NULL)
        die("out of memory");
    if (PEM_read_bio(bio, &name, &header, &data, &len) == 1) {
        snprintf(label, PEM_LABEL_MAX, "%s", name);
        buf_put(der, data, (size_t)len);
        e = header[0] != '\0' ? ERR_MALFORMED : buf_end(der);
    } else {
        no_start = ERR_GET_REASON(ERR_peek_last_error()) == PEM_R_NO_START_LINE;
        e = no_start ? ERR_END : ERR_MALFORMED;
        ERR_clear_error();
    }
    len = (long)BIO_pending(bio);
    *pem = span_of(pem->data + pem->len - len, (size_t)len);
    OPENSSL_free(name);
    OPENSSL_free(header);
    OPENSSL_free(data);
    BIO_free(bio);
    return e;
}

enum err pem_get(struct span pem, const char *label, struct buf *der)
{
    char found[PEM_LABEL_MAX];
    enum err e;

    do
        e = pem_next(&pem, found, der);
    while (e == OK && strcmp(found, label) != 0);
    return e == ERR_END ? ERR_NOT_FOUND : e;
}
