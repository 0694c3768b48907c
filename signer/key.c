/* SPDX-License-Identifier: Apache-2.0 */
/*
 * key: the one file where private keys live. They come in through OSSL_STORE or are generated here, leave
 * only as the file they were generated into, and are cleansed. What a key may sign is decided before
 * key_sign() is called.
 */
#include <errno.h>
#include <openssl/bio.h>
#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <openssl/store.h>
#include <openssl/ui.h>
#include <openssl/x509.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/log.h"
#include "base/openssl.h"
#include "signer/inner.h"

struct signer_key {
    struct purpose purpose;
    EVP_PKEY *pkey;
    EVP_PKEY_CTX *ctx; /* set up for signing once: initialising it anew costs a fetch each time */
};

/* ---- loading ---- */

/* The file that OSSL_STORE would open, which takes a bare path too; NULL for other schemes. */
static const char *path_of_uri(const char *uri)
{
    if (strncasecmp(uri, "file:", 5) != 0)
        return access(uri, F_OK) == 0 || strchr(uri, ':') == NULL ? uri : NULL;
    uri += 5;
    if (strncasecmp(uri, "//localhost/", 12) == 0)
        return uri + 11;
    return strncmp(uri, "///", 3) == 0 ? uri + 2 : uri;
}

/* What systemd hands over may carry an access list for the service's user, whose mask shows as the group's
 * bits: 0440 there is as private as 0400. */
static bool is_credential(const char *path)
{
    const char *dir = getenv("CREDENTIALS_DIRECTORY");
    size_t len = dir != NULL ? strlen(dir) : 0;

    return len > 0 && strncmp(path, dir, len) == 0 && path[len] == '/' && strchr(path + len + 1, '/') == NULL;
}

static enum err check_file(const char *path, struct fault *f)
{
    struct stat st;

    if (stat(path, &st) != 0)
        return fault_set(f, ERR_KEY, "%s: %s", path, strerror(errno));
    if (!S_ISREG(st.st_mode))
        return fault_set(f, ERR_KEY, "%s: not a regular file", path);
    if ((st.st_mode & (is_credential(path) ? 037 : 077)) != 0)
        return fault_set(f, ERR_KEY, "%s: has mode %04o, others may use the key; make it 0600", path,
                         st.st_mode & 07777);
    return OK;
}

/* Nobody is there to type a passphrase: note that one was asked for. */
static int refuse_passphrase(char *buf, int size, int is_write, void *asked)
{
    (void)buf;
    (void)size;
    (void)is_write;
    *(bool *)asked = true;
    return -1;
}

static EVP_PKEY *first_key(OSSL_STORE_CTX *store)
{
    EVP_PKEY *key = NULL;

    while (key == NULL && !OSSL_STORE_eof(store)) {
        OSSL_STORE_INFO *info = OSSL_STORE_load(store);

        if (info == NULL)
            break;
        key = OSSL_STORE_INFO_get1_PKEY(info);
        OSSL_STORE_INFO_free(info);
    }
    return key;
}

static enum err open_key(const char *uri, EVP_PKEY **out, struct fault *f)
{
    bool is_encrypted = false;
    UI_METHOD *ui = UI_UTIL_wrap_read_pem_callback(refuse_passphrase, 0);
    OSSL_STORE_CTX *store = NULL;
    enum err e = OK;

    ERR_clear_error();
    if (ui != NULL)
        store = OSSL_STORE_open(uri, ui, &is_encrypted, NULL, NULL);
    if (store != NULL && OSSL_STORE_expect(store, OSSL_STORE_INFO_PKEY) == 1)
        *out = first_key(store);
    if (is_encrypted)
        e = fault_set(f, ERR_KEY, "%s: is encrypted; the service reads keys without a passphrase", uri);
    else if (*out == NULL)
        e = fault_set(f, ERR_KEY, "%s: holds no private key: %s", uri, openssl_reason());
    if (store != NULL)
        OSSL_STORE_close(store);
    UI_destroy_method(ui);
    ERR_clear_error();
    return e;
}

static enum err spki_of(EVP_PKEY *pkey, uint8_t **spki, size_t *len, struct fault *f)
{
    unsigned char *der = NULL;
    int n = i2d_PUBKEY(pkey, &der);

    if (n <= 0)
        return fault_set(f, ERR_KEY, "the public key cannot be encoded: %s", openssl_reason());
    *spki = xmalloc((size_t)n);
    memcpy(*spki, der, (size_t)n);
    *len = (size_t)n;
    OPENSSL_free(der);
    return OK;
}

static EVP_PKEY_CTX *signing_context(EVP_PKEY *pkey, enum sig_alg alg)
{
    static const char *const digests[] = {
        [HASH_SHA256] = "SHA256", [HASH_SHA384] = "SHA384", [HASH_SHA512] = "SHA512"};
    EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_pkey(NULL, pkey, NULL);
    EVP_MD *md = EVP_MD_fetch(NULL, digests[sig_alg_hash(alg)], NULL);
    bool is_ready = ctx != NULL && md != NULL && EVP_PKEY_sign_init(ctx) == 1 &&
                    EVP_PKEY_CTX_set_signature_md(ctx, md) == 1;

    if (is_ready && alg == SIG_RSA_SHA256)
        is_ready = EVP_PKEY_CTX_set_rsa_padding(ctx, RSA_PKCS1_PADDING) == 1;
    EVP_MD_free(md);
    if (is_ready)
        return ctx;
    EVP_PKEY_CTX_free(ctx);
    return NULL;
}

/* A private half that does not belong to its public half signs, and nothing of it verifies: find out now. */
static enum err check_pair(const struct signer_key *k, const char *uri, struct fault *f)
{
    uint8_t signature[SIGNATURE_MAX], probe[32];
    const unsigned char *at = k->purpose.spki.data;
    EVP_PKEY *public_half = d2i_PUBKEY(NULL, &at, (long)k->purpose.spki.len);
    EVP_MD_CTX *md = EVP_MD_CTX_new();
    size_t len = 0;
    bool fits;

    random_octets(probe, sizeof probe);
    fits = probe_sign(k, span_of(probe, sizeof probe), signature, &len, NULL) == OK && md != NULL &&
           public_half != NULL &&
           EVP_DigestVerifyInit_ex(md, NULL, hash_name(sig_alg_hash(k->purpose.alg)), NULL, NULL, public_half,
                                   NULL) == 1 &&
           EVP_DigestVerifyUpdate(md, PORT_PROBE_PREFIX, sizeof PORT_PROBE_PREFIX - 1) == 1 &&
           EVP_DigestVerify(md, signature, len, probe, sizeof probe) == 1;
    EVP_MD_CTX_free(md);
    EVP_PKEY_free(public_half);
    return fits ? OK : fault_set(f, ERR_KEY, "%s: its private and public halves do not fit", uri);
}

static enum err load(struct signer_key *k, const struct signer_spec *spec, struct fault *f)
{
    const char *path = path_of_uri(spec->uri);
    uint8_t *spki = NULL;
    size_t len = 0;
    enum err e = path != NULL ? check_file(path, f) : OK;

    if (e == OK)
        e = open_key(spec->uri, &k->pkey, f);
    if (e == OK)
        e = spki_of(k->pkey, &spki, &len, f);
    if (e == OK)
        e = purpose_read(&k->purpose, spec, span_of(spki, len), f);
    free(spki);
    if (e != OK)
        return e;
    k->ctx = signing_context(k->pkey, k->purpose.alg);
    if (k->ctx == NULL)
        return fault_set(f, ERR_KEY, "%s: cannot sign: %s", spec->uri, openssl_reason());
    return check_pair(k, spec->uri, f);
}

enum err signer_key_load(const struct signer_spec *spec, struct signer_key **out, struct fault *f)
{
    struct signer_key *k = xcalloc(1, sizeof *k);
    enum err e = load(k, spec, f);

    *out = NULL;
    if (e == OK)
        *out = k;
    else
        signer_key_free(k);
    return e;
}

void signer_key_free(struct signer_key *k)
{
    if (k == NULL)
        return;
    EVP_PKEY_CTX_free(k->ctx);
    EVP_PKEY_free(k->pkey); /* clears the private numbers */
    purpose_free(&k->purpose);
    OPENSSL_cleanse(k, sizeof *k);
    free(k);
}

struct span signer_key_spki(const struct signer_key *k)
{
    return k->purpose.spki;
}

const struct purpose *key_purpose(const struct signer_key *k)
{
    return &k->purpose;
}

/* ---- signing ---- */

enum err key_sign(const struct signer_key *k, struct span digest, uint8_t signature[static SIGNATURE_MAX],
                  size_t *len, struct fault *f)
{
    *len = SIGNATURE_MAX;
    if (EVP_PKEY_sign(k->ctx, signature, len, digest.data, digest.len) == 1)
        return OK;
    *len = 0;
    return fault_set(f, ERR_INTERNAL, "%s: signing failed: %s", k->purpose.id, openssl_reason());
}

/* ---- generating ---- */

static EVP_PKEY *generate(const char *name)
{
    static const struct {
        const char *name, *curve;
        unsigned bits;
    } kinds[] = {
        {"rsa-2048", NULL, 2048}, {"rsa-3072", NULL, 3072}, {"rsa-4096", NULL, 4096},
        {"ec-256", "P-256", 256}, {"ec-384", "P-384", 384}, {"ec-521", "P-521", 521},
    };

    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
        if (strcmp(kinds[i].name, name) == 0)
            return kinds[i].curve != NULL ? EVP_EC_gen(kinds[i].curve) : EVP_RSA_gen(kinds[i].bits);
    return NULL;
}

/* Whole or not at all, and never in place of a key: a link, unlike a rename, does not replace a file that
 * exists. */
static enum err write_new_file(const char *path, struct span pem, struct fault *f)
{
    struct file_draft d;
    enum err e;

    file_drafts_remove(path);
    e = file_draft_open(&d, path, 0600, f);
    if (e == OK)
        e = file_draft_write(&d, pem, f);
    if (e == OK)
        e = file_draft_sync(&d, f);
    if (e == OK && link(d.temp, path) != 0)
        e = fault_set(f, errno == EEXIST ? ERR_EXISTS : ERR_IO, "%s: %s", path, strerror(errno));
    file_draft_abort(&d);
    return e == OK ? file_dir_sync(path, f) : e;
}

static enum err write_key(EVP_PKEY *pkey, const char *path, struct fault *f)
{
    BIO *bio = BIO_new(BIO_s_secmem()); /* cleansed when freed */
    char *pem = NULL;
    long len = 0;
    enum err e = OK;

    if (bio == NULL || PEM_write_bio_PKCS8PrivateKey(bio, pkey, NULL, NULL, 0, NULL, NULL) != 1)
        e = fault_set(f, ERR_KEY, "%s: the key cannot be encoded: %s", path, openssl_reason());
    if (e == OK)
        len = BIO_get_mem_data(bio, &pem);
    if (e == OK)
        e = write_new_file(path, span_of(pem, (size_t)len), f);
    BIO_free(bio);
    return e;
}

enum err signer_key_generate(const char *name, const char *path, uint8_t **spki, size_t *spki_len,
                             struct fault *f)
{
    EVP_PKEY *pkey;
    enum err e;

    *spki = NULL;
    *spki_len = 0;
    if (access(path, F_OK) == 0)
        return fault_set(f, ERR_EXISTS, "%s: exists, a key is never overwritten", path);
    pkey = generate(name);
    if (pkey == NULL)
        return fault_set(f, ERR_KEY, "no key of kind \"%.32s\" can be generated", name);
    e = spki_of(pkey, spki, spki_len, f);
    if (e == OK)
        e = write_key(pkey, path, f);
    if (e != OK) {
        free(*spki);
        *spki = NULL;
        *spki_len = 0;
    }
    EVP_PKEY_free(pkey);
    return e;
}
