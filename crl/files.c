/* SPDX-License-Identifier: Apache-2.0 */
/* files: the two public files of a list. PEM is made from the finished DER, so the two cannot differ. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "crl/inner.h"

#define CHUNK_LEN (48u * 1024) /* octets read at once: a multiple of 48, the octets in one line of base64 */

static enum err path_of(const char *dir, const char *id, const char *suffix, char out[static PATH_LEN_MAX],
                        struct fault *f)
{
    char name[ISSUER_ID_MAX + 16];

    snprintf(name, sizeof name, "crl/%s.%s", id, suffix);
    return path_join(out, dir, name, f);
}

enum err crl_paths_of(const char *public_dir, const char *id, struct crl_paths *out, struct fault *f)
{
    enum err e = path_of(public_dir, id, "crl", out->der, f);

    return e == OK ? path_of(public_dir, id, "pem", out->pem, f) : e;
}

/* file_draft_open() makes ID.crl.XXXXXX and ID.pem.XXXXXX. */
static bool is_draft(const char *name)
{
    size_t len = strlen(name);

    return len > 11 && (memcmp(name + len - 11, ".crl.", 5) == 0 || memcmp(name + len - 11, ".pem.", 5) == 0);
}

void crl_drafts_remove(const char *public_dir)
{
    char path[PATH_LEN_MAX], dir[PATH_LEN_MAX];
    struct dirent *entry;
    DIR *d = NULL;

    if (path_join(dir, public_dir, "crl", NULL) == OK)
        d = opendir(dir);
    while (d != NULL && (entry = readdir(d)) != NULL)
        if (is_draft(entry->d_name) && path_join(path, dir, entry->d_name, NULL) == OK && unlink(path) == 0)
            log_warn("draft", "%s: left by a publication that was cut off, removed", path);
    if (d != NULL)
        closedir(d);
}

/* ---- PEM ---- */

struct armour {
    EVP_ENCODE_CTX *base64;
    crl_sink *sink;
    void *arg;
    bool is_stopped;
    uint8_t text[CHUNK_LEN / 48 * 65 + 130];
};

static void give(struct armour *a, const void *text, size_t len)
{
    if (!a->is_stopped && len > 0)
        a->is_stopped = !a->sink(span_of(text, len), a->arg);
}

static void armour_begin(struct armour *a, crl_sink *sink, void *arg)
{
    static const char line[] = "-----BEGIN X509 CRL-----\n";

    *a = (struct armour){.base64 = EVP_ENCODE_CTX_new(), .sink = sink, .arg = arg};
    if (a->base64 == NULL)
        die("out of memory");
    EVP_EncodeInit(a->base64);
    give(a, line, sizeof line - 1);
}

static void armour_add(struct armour *a, struct span octets)
{
    int len = 0;

    if (EVP_EncodeUpdate(a->base64, a->text, &len, octets.data, (int)octets.len) != 1)
        die("base64 failed");
    give(a, a->text, (size_t)len);
}

static void armour_end(struct armour *a)
{
    static const char line[] = "-----END X509 CRL-----\n";
    int len = 0;

    EVP_EncodeFinal(a->base64, a->text, &len);
    give(a, a->text, (size_t)len);
    give(a, line, sizeof line - 1);
    EVP_ENCODE_CTX_free(a->base64);
}

enum err crl_armour(int fd, crl_sink *sink, void *arg, uint8_t sha256[static HASH_LEN], uint64_t *size)
{
    struct armour *a = xmalloc(sizeof *a);
    uint8_t *chunk = xmalloc(CHUNK_LEN);
    struct hash *hash = hash_begin(HASH_SHA256);
    ssize_t n = 0;
    bool is_stopped;

    *size = 0;
    armour_begin(a, sink, arg);
    while (!a->is_stopped && (n = pread(fd, chunk, CHUNK_LEN, (off_t)*size)) > 0) {
        hash_add(hash, span_of(chunk, (size_t)n));
        armour_add(a, span_of(chunk, (size_t)n));
        *size += (uint64_t)n;
    }
    armour_end(a);
    hash_end(hash, sha256);
    is_stopped = a->is_stopped;
    free(chunk);
    free(a);
    if (n < 0)
        return ERR_IO;
    return is_stopped ? ERR_END : OK;
}

/* ---- is what is there what was published? ---- */

static bool equals_next(struct span expected, void *arg)
{
    const int *fd = arg;
    uint8_t got[4096];

    while (expected.len > 0) {
        size_t want = expected.len < sizeof got ? expected.len : sizeof got;
        ssize_t n = read(*fd, got, want);

        if (n <= 0 || memcmp(got, expected.data, (size_t)n) != 0)
            return false;
        expected = span_of(expected.data + n, expected.len - (size_t)n);
    }
    return true;
}

bool crl_files_match(const struct crl_paths *p, const struct crl_state *s)
{
    int der = open(p->der, O_RDONLY | O_CLOEXEC), pem = open(p->pem, O_RDONLY | O_CLOEXEC);
    uint8_t sha256[HASH_LEN], more;
    uint64_t size = 0;
    bool match = der >= 0 && pem >= 0 && crl_armour(der, equals_next, &pem, sha256, &size) == OK &&
                 size == s->size && memcmp(sha256, s->sha256, HASH_LEN) == 0 && read(pem, &more, 1) == 0;

    if (der >= 0)
        close(der);
    if (pem >= 0)
        close(pem);
    return match;
}
