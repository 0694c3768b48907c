/* SPDX-License-Identifier: Apache-2.0 */
/*
 * make_dump DIR COUNT: COUNT requests of phones for their LSC, each with a P-256 key of its own, as
 * DIR/SEP<MAC>.csr: DER, every tenth one PEM. For tests that need more of them than openssl's command makes
 * in a reasonable time. The keys are thrown away.
 */
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <stdio.h>
#include <stdlib.h>

static void need(int ok, const char *what)
{
    if (ok)
        return;
    fprintf(stderr, "make_dump: %s\n", what);
    exit(1);
}

static void add(X509_NAME *name, const char *field, const char *value)
{
    need(X509_NAME_add_entry_by_txt(name, field, MBSTRING_ASC, (const unsigned char *)value, -1, -1, 0),
         field);
}

/* As real phones name themselves. */
static void set_subject(X509_REQ *req, unsigned long i)
{
    X509_NAME *name = X509_REQ_get_subject_name(req);
    char serial[64], cn[64];

    snprintf(serial, sizeof serial, "PID:CP-8861 SN:FCH%08lu", i);
    snprintf(cn, sizeof cn, "CP-8861-SEP%012lX", 0x001100000000ul + i);
    add(name, "serialNumber", serial);
    add(name, "C", "PL");
    add(name, "O", "Example");
    add(name, "CN", cn);
}

static void write_request(const char *dir, unsigned long i)
{
    char path[4096];
    X509_REQ *req = X509_REQ_new();
    EVP_PKEY *key = EVP_EC_gen("P-256");
    FILE *out;

    need(req != NULL && key != NULL, "key");
    set_subject(req, i);
    need(X509_REQ_set_pubkey(req, key) && X509_REQ_sign(req, key, EVP_sha256()), "signature");
    snprintf(path, sizeof path, "%s/SEP%012lX.csr", dir, 0x001100000000ul + i);
    out = fopen(path, "wb");
    need(out != NULL, path);
    need(i % 10 == 0 ? PEM_write_X509_REQ(out, req) : i2d_X509_REQ_fp(out, req), path);
    need(fclose(out) == 0, path);
    X509_REQ_free(req);
    EVP_PKEY_free(key);
}

int main(int argc, char **argv)
{
    unsigned long count;

    need(argc == 3, "usage: make_dump DIR COUNT");
    count = strtoul(argv[2], NULL, 10);
    for (unsigned long i = 0; i < count; i++)
        write_request(argv[1], i);
    return 0;
}
