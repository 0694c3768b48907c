/* SPDX-License-Identifier: Apache-2.0 */
/*
 * file: whole small files, and the one way in which we replace a file that others read:
 * a temporary name in the same directory, write, fsync, rename, fsync of the directory.
 * Blocks on the disk. Details of failures go into the fault with the path.
 * Thread rule: any thread; a draft belongs to one.
 */
#ifndef BASE_FILE_H
#define BASE_FILE_H

#include <sys/stat.h>
#include <sys/types.h>

#include "base/buf.h"

#define PATH_LEN_MAX 1024 /* octets with the NUL, of any path we build: sockets need far less */

/* Joins with one '/'; ERR_IO with a fault when it does not fit. */
enum err path_join(char out[static PATH_LEN_MAX], const char *dir, const char *name, struct fault *f);

/* The directory that `path` is in: "." without a '/'. Cut when it does not fit, as whoever opens it will
 * find. */
void path_dir(const char *path, char out[static PATH_LEN_MAX]);

/* Reads all of `path` into `out` (an initialised buf whose max is the limit). ERR_NOT_FOUND, ERR_TOO_LARGE,
 * ERR_IO. */
enum err file_read(const char *path, struct buf *out, struct fault *f);

/* Opens it to be read: a regular file, no link to one. Gives the descriptor. ERR_NOT_FOUND, ERR_IO. */
enum err file_open(const char *path, int *fd, struct stat *st, struct fault *f);

/* Replaces `path` durably by these octets with this mode. Never leaves a partial file under the name. */
enum err file_replace(const char *path, struct span content, mode_t mode, struct fault *f);

/* The same in pieces, for content that is streamed. */
struct file_draft {
    int fd;
    char temp[PATH_LEN_MAX];
    char path[PATH_LEN_MAX];
};

enum err file_draft_open(struct file_draft *d, const char *path, mode_t mode, struct fault *f);
enum err file_draft_write(struct file_draft *d, struct span s, struct fault *f);
enum err file_draft_commit(struct file_draft *d,
                           struct fault *f); /* fsync, rename, fsync of the directory; closes */
/* Lets the disk begin with what has been written, so that the fsync finds less to do. Does not wait, promises
 * nothing. */
void file_draft_push(const struct file_draft *d);
/* The same for several drafts in one directory: every one is on the disk before the first takes its name.
 * file_draft_sync for each, file_draft_place for each, file_dir_sync once. */
enum err file_draft_sync(struct file_draft *d, struct fault *f);
enum err file_draft_place(struct file_draft *d, struct fault *f);
enum err dir_sync(const char *dir, struct fault *f); /* the names in it are as durable as what is in them */
enum err file_dir_sync(const char *path, struct fault *f); /* of the directory in which `path` is */
void file_draft_abort(struct file_draft *d);               /* removes the temporary file; safe after commit */
/* A draft of NAME is called NAME.~ and six letters and digits: what nobody calls a copy of his own, so that
 * the files that go are ours. Octets of NAME when `entry` is called so; 0 otherwise. */
size_t file_draft_stem(const char *entry);
/* Removes what drafts of this path, file_replace()'s too, a process left when it was killed. For its only
 * writer: another's draft would go as well. */
void file_drafts_remove(const char *path);

#endif
