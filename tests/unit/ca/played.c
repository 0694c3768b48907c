/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/ca/played.h"

#include <criterion/criterion.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <string.h>
#include <unistd.h>

void played_key(struct buf *spki)
{
    EVP_PKEY *key = EVP_PKEY_Q_keygen(NULL, NULL, "EC", "P-256");
    uint8_t *p = NULL;
    int len = i2d_PUBKEY(key, &p);

    buf_init(spki, 4096);
    buf_put(spki, p, (size_t)len);
    OPENSSL_free(p);
    EVP_PKEY_free(key);
}

void played_certificate(struct tbs about, struct buf *certificate)
{
    uint8_t ski[SKI_LEN];
    struct buf tbs;

    cr_assert(ski_of(about.spki, ski));
    about.aki = span_of(ski, sizeof ski);
    buf_init(&tbs, 65536);
    buf_init(certificate, 65536);
    tbs_write(&tbs, &about);
    certificate_write(certificate, buf_span(&tbs), about.alg, span_str("signature"));
    buf_free(&tbs);
}

void played_issuer(struct txn *t, struct span subject, struct span spki, int64_t not_before_s,
                   int64_t not_after_s, struct buf *certificate)
{
    struct issuer row = {.id = "ec-g1"};
    uint16_t no;

    played_certificate((struct tbs){.serial = {1},
                                    .alg = SIG_ECDSA_SHA256,
                                    .issuer = subject,
                                    .subject = subject,
                                    .spki = spki,
                                    .not_before_s = not_before_s,
                                    .not_after_s = not_after_s,
                                    .ku = KU_KEY_CERT_SIGN,
                                    .is_ca = true,
                                    .path_len = 1},
                       certificate);
    row.certificate = buf_span(certificate);
    issuer_add(t, &row, &no);
}

struct seal_keys *played_seal_keys(EVP_PKEY *key)
{
    BIO *b = BIO_new(BIO_s_mem());
    struct seal_keys *keys;
    char *text;
    long len;

    cr_assert_eq(PEM_write_bio_PUBKEY(b, key), 1);
    len = BIO_get_mem_data(b, &text);
    cr_assert_eq(seal_keys_read(span_of(text, (size_t)len), &keys, NULL), OK);
    BIO_free(b);
    return keys;
}

static void answer(const struct played_signer *p, struct rd r)
{
    uint8_t kind = rd_u8(&r);
    uint64_t number = rd_u64(&r);
    struct buf b;

    buf_init(&b, 1024);
    buf_put_u8(&b, kind);
    buf_put_u64(&b, number);
    buf_put_u8(&b, p->refuses ? ERR_POLICY : OK);
    buf_put_blob(&b, span_str(p->refuses ? "" : "a signature"));
    buf_put_blob(&b, span_str("as the test says"));
    cr_assert_eq(wire_send(p->fd, buf_span(&b)), OK);
    buf_free(&b);
}

static void await_release(struct played_signer *p)
{
    unsigned ms = 0;

    while (!p->releases && ms++ < 10000)
        usleep(1000);
    p->gave_up = !p->releases;
}

void *played_signer_run(void *arg)
{
    static uint8_t frame[WIRE_MSG_MAX], kept[WIRE_MSG_MAX];
    struct played_signer *p = arg;
    unsigned count = 0;
    size_t kept_len = 0;
    struct span s;

    while (wire_receive(p->fd, frame, sizeof frame, &s) == OK) {
        p->asked = ++count;
        if (p->is_mute)
            continue;
        if (count == p->kept_at) {
            memcpy(kept, s.data, kept_len = s.len);
            continue;
        }
        if (count == p->slow_at)
            usleep(200000); /* the others are recorded meanwhile */
        if (kept_len > 0 && p->is_several && p->releases) {
            answer(p, rd_of(span_of(kept, kept_len)));
            kept_len = 0;
        }
        answer(p, rd_of(s));
        if (kept_len > 0 && !p->is_several) {
            await_release(p);
            answer(p, rd_of(span_of(kept, kept_len)));
            kept_len = 0;
        }
    }
    return NULL;
}
