/* SPDX-License-Identifier: Apache-2.0 */
/* tree: directories made whole beside their place and renamed into it. Blocks on the disk. Thread rule: pure
 * but for the disk. */
#ifndef BASE_TREE_H
#define BASE_TREE_H

#include <sys/types.h>

#include "base/file.h"

/* OK when nothing, or an empty directory, is there; ERR_EXISTS; ERR_IO. */
enum err tree_check_free(const char *path, struct fault *f);
/* ERR_USAGE: `path`, which need not exist, would lie in the directory `root` or below; ERR_IO: it has no
 * parent. */
enum err tree_check_outside(const char *path, const char *root, struct fault *f);
/* Makes an empty directory `out` beside `path`, mode 0700. ERR_USAGE: the path leaves no room for names of
 * 128 octets inside; ERR_IO. */
enum err tree_draft(const char *path, char out[static PATH_LEN_MAX], struct fault *f);
/* Gives the draft its mode and its final name, durably with all that is in it. ERR_EXISTS; ERR_IO, also when
 * it has its name and only that could not be made durable. */
enum err tree_place(const char *draft, const char *path, mode_t mode, struct fault *f);
/* Removes it and all that is in it; symbolic links are not followed. What cannot be removed stays. */
void tree_remove(const char *path);

struct tree_entry {
    const char *name; /* path below the root: "keys/rsa-g1.key" */
    const char *path;
    mode_t mode; /* type and permissions: directories, regular files, symbolic links; others are not told */
    uint64_t size;
};
/* Everything of these below `root`, a directory before what is in it, in no other order; symbolic links are
 * not followed. fn's first failure ends it. ERR_IO. */
enum err tree_each(const char *root, enum err (*fn)(const struct tree_entry *e, void *arg), void *arg,
                   struct fault *f);

#endif
