/* SPDX-License-Identifier: Apache-2.0 */
/* archive_item: private to archive.c and archive_item.c: how an entry is named and judged, and directories
 * read as archives are. */
#ifndef BASE_ARCHIVE_ITEM_H
#define BASE_ARCHIVE_ITEM_H

#include "base/archive.h"

/* NULL, or why an entry of this path is not taken: ENTRY_PATH or ENTRY_NAME. */
const char *archive_path_fault(const char *path);
/* `path` NULL: one that cannot be spelled. */
void archive_item_begin(struct archive_item *i, const char *path);
void archive_item_refuse(struct archive_item *i, const char *why); /* the first reason stays */
/* Lends the content when there is nothing against it. */
void archive_item_finish(struct archive_item *i, const struct buf *content);

/* The files right in an open directory. */
enum err archive_walk_directory(int fd, const char *path, size_t content_max, archive_fn *fn, void *arg,
                                struct fault *f);

#endif
