/* SPDX-License-Identifier: Apache-2.0 */
/* drop: a local directory as a target, such as a mounted share. It must be there: an empty mount point is no
 * place to publish. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "watch/carry.h"

#define PIECE_LEN (64u * 1024)

enum err drop_look(const char *dir, const struct shelf_item *i, bool (*sink)(struct span, void *), void *arg,
                   bool *is_there, struct fault *f)
{
    char path[PATH_LEN_MAX];
    uint8_t *piece;
    ssize_t n = 0;
    int fd, saved;
    enum err e = path_join(path, dir, i->name, f);

    *is_there = false;
    if (e != OK)
        return e;
    fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0)
        return errno == ENOENT ? OK : fault_set(f, ERR_IO, "%s: %s", path, strerror(errno));
    *is_there = true;
    piece = xmalloc(PIECE_LEN);
    while ((n = read(fd, piece, PIECE_LEN)) > 0 && sink(span_of(piece, (size_t)n), arg))
        ;
    saved = errno;
    free(piece);
    close(fd);
    return n >= 0 ? OK : fault_set(f, ERR_IO, "%s: %s", path, strerror(saved));
}

enum err drop_put(const char *dir, const struct shelf_item *i, int fd, struct fault *f)
{
    char path[PATH_LEN_MAX];
    struct file_draft d;
    uint8_t *piece;
    ssize_t n;
    uint64_t at = 0;
    enum err e = path_join(path, dir, i->name, f);

    if (e != OK)
        return e;
    file_drafts_remove(path); /* of an earlier process that was killed */
    e = file_draft_open(&d, path, 0644, f);
    if (e != OK)
        return e;
    piece = xmalloc(PIECE_LEN);
    while (e == OK && (n = pread(fd, piece, PIECE_LEN, (off_t)at)) > 0) {
        e = file_draft_write(&d, span_of(piece, (size_t)n), f);
        at += (uint64_t)n;
    }
    free(piece);
    if (e == OK && at != i->identity.size)
        e = fault_set(f, ERR_IO, "%s: cannot be read", i->name);
    if (e == OK)
        return file_draft_commit(&d, f);
    file_draft_abort(&d);
    return e;
}
