/* SPDX-License-Identifier: Apache-2.0 */
/* Are only the right keys, from files that are nobody else's, let in, and is the reason for the others said?
 */
#include <criterion/criterion.h>
#include <openssl/pem.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "forge.h"

static struct forge f;
static char other[160], other_uri[200];

static void setup(void)
{
    forge_open(&f, "ec-256", -1);
    snprintf(other, sizeof other, "%s/other.key", f.dir);
    snprintf(other_uri, sizeof other_uri, "file:%s", other);
}

static void teardown(void)
{
    unlink(other);
    forge_close(&f);
}

TestSuite(key, .init = setup, .fini = teardown);

static void write_pem(EVP_PKEY *key, const char *passphrase)
{
    FILE *out = fopen(other, "w");

    cr_assert_not_null(out);
    cr_assert_eq(PEM_write_PKCS8PrivateKey(out, key, passphrase != NULL ? EVP_aes_128_cbc() : NULL,
                                           passphrase, passphrase != NULL ? (int)strlen(passphrase) : 0, NULL,
                                           NULL),
                 1);
    fclose(out);
    chmod(other, 0600);
}

static void refused(struct signer_spec spec, const char *part)
{
    struct signer_key *k = NULL;
    struct fault fault = {0};

    cr_assert_eq(signer_key_load(&spec, &k, &fault), ERR_KEY);
    cr_assert_null(k);
    cr_assert_not_null(strstr(fault.detail, part), "%s: %s", part, fault.detail);
}

Test(key, a_generated_key_is_pkcs8_and_nobody_elses)
{
    static const char *const kinds[] = {"rsa-2048", "ec-256", "ec-384", "ec-521"};

    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        struct fault fault = {0};
        struct signer_key *k;
        struct stat st;
        char line[64] = "";
        uint8_t *spki;
        size_t len;
        FILE *in;

        cr_assert_eq(signer_key_generate(kinds[i], other, &spki, &len, &fault), OK, "%s", fault.detail);
        cr_assert_eq(stat(other, &st), 0);
        cr_assert_eq(st.st_mode & 07777, 0600);
        in = fopen(other, "r");
        cr_assert_not_null(fgets(line, sizeof line, in));
        fclose(in);
        cr_assert_str_eq(line, "-----BEGIN PRIVATE KEY-----\n");
        k = forge_key(&f, (struct signer_spec){.id = "o", .uri = other_uri, .is_ocsp = true});
        cr_assert(span_eq(signer_key_spki(k), span_of(spki, len)));
        signer_key_free(k);
        free(spki);
        unlink(other);
    }
}

Test(key, an_existing_file_is_never_replaced)
{
    struct fault fault = {0};
    uint8_t *spki;
    size_t len;

    cr_assert_eq(signer_key_generate("ec-256", f.key_path, &spki, &len, &fault), ERR_EXISTS);
    cr_assert_null(spki);
    signer_key_free(forge_key(&f, forge_spec(&f)));
}

Test(key, an_unknown_kind_or_place_is_refused)
{
    struct fault fault = {0};
    uint8_t *spki;
    size_t len;

    cr_assert_eq(signer_key_generate("rsa-1024", other, &spki, &len, &fault), ERR_KEY);
    cr_assert_eq(access(other, F_OK), -1);
    fault = (struct fault){0};
    cr_assert_eq(signer_key_generate("ec-256", "/nowhere/at/all.key", &spki, &len, &fault), ERR_IO);
    cr_assert_not_null(strstr(fault.detail, "/nowhere/at/all.key"));
}

Test(key, a_missing_file_is_named)
{
    struct signer_spec spec = forge_spec(&f);

    spec.uri = other_uri;
    refused(spec, "other.key: No such file");
}

Test(key, a_readable_file_is_refused_with_its_mode)
{
    static const mode_t modes[] = {0640, 0604, 0644, 0660, 0601};
    char text[16];

    for (size_t i = 0; i < sizeof modes / sizeof *modes; i++) {
        chmod(f.key_path, modes[i]);
        snprintf(text, sizeof text, "mode %04o", (unsigned)modes[i]);
        refused(forge_spec(&f), text);
    }
    chmod(f.key_path, 0400);
    signer_key_free(forge_key(&f, forge_spec(&f)));
}

/* systemd gives a user of the service access by a list, whose mask shows as the group's bits. */
Test(key, a_credential_may_show_the_mask_of_its_access_list)
{
    static const mode_t modes[] = {0460, 0450, 0444, 0441};
    char below[sizeof f.dir];

    chmod(f.key_path, 0440);
    refused(forge_spec(&f), "mode 0440");
    setenv("CREDENTIALS_DIRECTORY", f.dir, 1);
    signer_key_free(forge_key(&f, forge_spec(&f)));
    for (size_t i = 0; i < sizeof modes / sizeof *modes; i++) {
        chmod(f.key_path, modes[i]);
        refused(forge_spec(&f), "others may use the key");
    }
    chmod(f.key_path, 0440);
    snprintf(below, sizeof below, "%.*s", (int)strlen(f.dir) - 1, f.dir);
    setenv("CREDENTIALS_DIRECTORY", below, 1);
    refused(forge_spec(&f), "mode 0440");
    setenv("CREDENTIALS_DIRECTORY", "/tmp", 1);
    refused(forge_spec(&f), "mode 0440"); /* below it, and not in it */
    setenv("CREDENTIALS_DIRECTORY", "", 1);
    refused(forge_spec(&f), "mode 0440");
}

Test(key, a_bare_path_and_a_long_uri_are_held_to_the_same_mode)
{
    struct signer_spec spec = forge_spec(&f);
    char uri[200];

    spec.uri = f.key_path;
    signer_key_free(forge_key(&f, spec));
    snprintf(uri, sizeof uri, "file://%s", f.key_path);
    spec.uri = uri;
    signer_key_free(forge_key(&f, spec));
    chmod(f.key_path, 0644);
    refused(spec, "mode 0644");
    spec.uri = f.key_path;
    refused(spec, "mode 0644");
    snprintf(uri, sizeof uri, "FILE:%s", f.key_path);
    spec.uri = uri;
    refused(spec, "mode 0644");
    snprintf(uri, sizeof uri, "file://localhost%s", f.key_path);
    spec.uri = uri;
    refused(spec, "mode 0644");
}

Test(key, the_wrong_key_is_refused)
{
    struct signer_spec spec = forge_spec(&f);
    EVP_PKEY *key = EVP_EC_gen("P-256");

    write_pem(key, NULL);
    spec.uri = other_uri;
    refused(spec, "is not the key of its certificate");
    EVP_PKEY_free(key);
}

Test(key, an_encrypted_key_is_refused_without_asking)
{
    struct signer_spec spec = forge_spec(&f);

    write_pem(f.key, "secret");
    spec.uri = other_uri;
    refused(spec, "encrypted");
}

Test(key, what_is_no_private_key_is_refused)
{
    struct signer_spec spec = forge_spec(&f);
    FILE *out = fopen(other, "w");

    fputs("no key\n", out);
    fclose(out);
    chmod(other, 0600);
    spec.uri = other_uri;
    refused(spec, "holds no private key");
    out = fopen(other, "w");
    PEM_write_X509(out, f.certificate);
    fclose(out);
    refused(spec, "holds no private key");
    spec.uri = "file:/";
    refused(spec, "not a regular file");
    spec.uri = "nonsense:x";
    refused(spec, "nonsense:x");
}

/* Debian 12 has no provider for it: docs/configuration.md. */
Test(key, a_token_that_nothing_can_open_is_refused_by_its_uri)
{
    struct signer_spec spec = forge_spec(&f);

    spec.uri = "pkcs11:token=ca;object=rsa-g1;type=private";
    refused(spec, "pkcs11:token=ca;object=rsa-g1;type=private: holds no private key");
}

Test(key, weak_and_foreign_kinds_are_refused)
{
    struct signer_spec spec = {.id = "o", .uri = other_uri, .is_ocsp = true};
    EVP_PKEY *keys[] = {EVP_RSA_gen(1024), EVP_EC_gen("P-224"), EVP_EC_gen("secp256k1"),
                        EVP_PKEY_Q_keygen(NULL, NULL, "ED25519")};

    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++) {
        write_pem(keys[i], NULL);
        refused(spec, "is not a key we sign with");
        EVP_PKEY_free(keys[i]);
    }
}

Test(key, a_certificate_that_is_no_ca_is_refused)
{
    struct signer_spec spec = forge_spec(&f);
    X509 *x = forge_leaf(&f);
    uint8_t *der = NULL;

    X509_set_pubkey(x, f.key);
    X509_sign(x, f.key, EVP_sha256());
    spec.certificate = span_of(der, 0);
    spec.certificate.len = (size_t)i2d_X509(x, &der);
    spec.certificate.data = der;
    refused(spec, "is not a CA's");
    spec.certificate = span_str("garbage");
    refused(spec, "is not a certificate in DER");
    spec.certificate = span_str("");
    refused(spec, "is not a certificate in DER");
    X509_free(x);
    OPENSSL_free(der);
}

Test(key, purposes_do_not_mix)
{
    struct signer_spec spec = forge_spec(&f);

    spec.is_ocsp = true;
    refused(spec, "one kind of structure");
    spec.is_ocsp = false;
    spec.is_new_root = true;
    refused(spec, "one kind of structure");
    spec.is_ocsp = true;
    refused(spec, "no root");
}

Test(key, a_probe_is_signed_behind_its_prefix_and_is_short)
{
    static const uint8_t octets[33];
    uint8_t signature[SIGNATURE_MAX];
    EVP_MD_CTX *md = EVP_MD_CTX_new();
    struct fault fault = {0};
    size_t len;

    cr_assert_eq(signer_sign(f.ca, PORT_PROBE, span_of(octets, 32), FORGE_NOW, signature, &len, &fault), OK);
    EVP_DigestVerifyInit(md, NULL, EVP_sha256(), NULL, f.key);
    EVP_DigestVerifyUpdate(md, PORT_PROBE_PREFIX, sizeof PORT_PROBE_PREFIX - 1);
    cr_assert_eq(EVP_DigestVerify(md, signature, len, octets, 32), 1);
    cr_assert_eq(signer_sign(f.ca, PORT_PROBE, span_of(octets, 33), FORGE_NOW, signature, &len, &fault),
                 ERR_MALFORMED);
    cr_assert_eq(signer_sign(f.ca, PORT_PROBE, span_of(octets, 0), FORGE_NOW, signature, &len, &fault), OK);
    EVP_MD_CTX_free(md);
}
