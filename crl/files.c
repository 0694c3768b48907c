/* SPDX-License-Identifier: Apache-2.0 */
/* files: the names under which lists are published, and whether what is there is what was. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "crl/inner.h"

#define CHUNK_LEN (48u * 1024) /* octets read at once */
/* Octets with the NUL: "crl/", a list's name, the longest of what follows it. */
#define LIST_FILE_MAX (sizeof "crl/" - 1 + CRL_NAME_MAX - 1 + sizeof ".previous.crl")

/* A name that is cut is another's, or nobody's. */
static enum err path_of(const char *dir, const char *name, const char *suffix, char out[static PATH_LEN_MAX],
                        struct fault *f)
{
    char file[LIST_FILE_MAX];
    int n = snprintf(file, sizeof file, "crl/%s.%s", name, suffix);

    if (n < 0 || (size_t)n >= sizeof file)
        return fault_set(f, ERR_TOO_LARGE, "%s: longer than the name of a list", name);
    return path_join(out, dir, file, f);
}

enum err crl_paths_of(const char *public_dir, const char *name, struct crl_paths *out, struct fault *f)
{
    enum err e = path_of(public_dir, name, "crl", out->der, f);

    if (e == OK)
        e = path_of(public_dir, name, "pem", out->pem, f);
    return e == OK ? path_of(public_dir, name, "previous.crl", out->previous, f) : e;
}

/* Of ID.crl and ID.pem; and what crl_keep_previous() makes, which is called like one. */
static bool is_draft(const char *name)
{
    size_t stem = file_draft_stem(name);

    return stem > 4 && (memcmp(name + stem - 4, ".crl", 4) == 0 || memcmp(name + stem - 4, ".pem", 4) == 0);
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

/* ---- the one before ---- */

/* A name of its own first: link() replaces nothing, rename() does, in one step. A file that belongs to
 * somebody else (the kernel refuses links to it) is none that we published: the next list takes its place,
 * and it is not kept. */
enum err crl_keep_previous(const struct crl_paths *p, struct fault *f)
{
    char temp[PATH_LEN_MAX + sizeof ".~linked"];

    snprintf(temp, sizeof temp, "%s.~linked", p->previous);
    (void)unlink(temp);
    if (link(p->der, temp) != 0)
        return errno == ENOENT || errno == EPERM ? OK : fault_set(f, ERR_IO, "%s: %s", temp, strerror(errno));
    if (rename(temp, p->previous) == 0)
        return OK;
    return fault_set(f, ERR_IO, "%s: %s", p->previous, strerror(errno));
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

/* True when the rest of `pem` is what the rest of `der` gives as PEM; and of the DER size and hash. */
static bool compare(int der, int pem, uint64_t *size, uint8_t sha256[static HASH_LEN])
{
    struct armour *a = armour_new(equals_next, &pem);
    struct hash *hash = hash_begin(HASH_SHA256);
    uint8_t *chunk = xmalloc(CHUNK_LEN), more;
    bool is_same = true;
    ssize_t n = 0;

    for (*size = 0; is_same && (n = read(der, chunk, CHUNK_LEN)) > 0; *size += (uint64_t)n) {
        hash_add(hash, span_of(chunk, (size_t)n));
        is_same = armour_add(a, span_of(chunk, (size_t)n));
    }
    is_same = n >= 0 && armour_end(a) && is_same && read(pem, &more, 1) == 0;
    hash_end(hash, sha256);
    armour_free(a);
    free(chunk);
    return is_same;
}

bool crl_files_match(const struct crl_paths *p, const struct crl_state *s)
{
    int der = open(p->der, O_RDONLY | O_CLOEXEC), pem = open(p->pem, O_RDONLY | O_CLOEXEC);
    uint8_t sha256[HASH_LEN];
    uint64_t size;
    bool match = der >= 0 && pem >= 0 && compare(der, pem, &size, sha256) && size == s->size &&
                 memcmp(sha256, s->sha256, HASH_LEN) == 0;

    if (der >= 0)
        close(der);
    if (pem >= 0)
        close(pem);
    return match;
}
