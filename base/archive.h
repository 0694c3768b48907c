/* SPDX-License-Identifier: Apache-2.0 */
/*
 * archive: many small files in one: read from .tar, .tar.gz, .tgz, .zip or a directory, written as a flat
 * .tgz. Over libarchive (its one owner). Archives come from strangers: nothing is ever written to disk under
 * a name that stands in one, only regular files are taken, and every size is bounded. Blocks on the disk.
 * Thread rule: one archive, one thread.
 */
#ifndef BASE_ARCHIVE_H
#define BASE_ARCHIVE_H

#include "base/file.h"

#define ARCHIVE_ENTRIES_MAX 100000u /* entries: twice the phones of the largest cluster, and then some */
#define ARCHIVE_PATH_LEN_MAX 1024u  /* octets of an entry's path: far deeper than any dump */
#define ARCHIVE_NAME_LEN_MAX 200u   /* octets of its last part: file systems take 255, with room for ".der" */
#define ARCHIVE_TOTAL_MAX (1ull << 30) /* octets unpacked: every entry there can be, 10 KiB each */
#define ARCHIVE_RATIO_MAX                                                                                    \
    100u /* unpacked to packed: requests hold keys, which do not compress; 1032 is gzip's most */
#define ARCHIVE_RATIO_FROM                                                                                   \
    (16ull << 20) /* octets from which the ratio counts: small tars are mostly padding */

/* Why an entry is not taken. Names of rules: a promise, see docs/offline.md. */
#define ENTRY_PATH "entry.path" /* absolute, with "..", a backslash or a drive */
#define ENTRY_NAME "entry.name" /* empty, too long, or not printable ASCII */
#define ENTRY_KIND "entry.kind" /* a link, a device, a directory inside a directory */
#define ENTRY_SIZE "entry.size" /* larger than the caller takes */
#define ENTRY_EMPTY "entry.empty"
#define ENTRY_BROKEN "entry.broken" /* damaged, encrypted or packed in a way we do not read */

struct archive_item {
    char path[ARCHIVE_PATH_LEN_MAX]; /* as it stands there, cut to fit, what is not printable ASCII as '?' */
    const char *name;                /* the last part of `path` */
    struct span content;             /* until the callback returns; empty when refused */
    const char *refusal;             /* one of ENTRY_…, NULL: a regular file in order */
};

/* OK: go on; anything else ends the walk and is its result. */
typedef enum err archive_fn(const struct archive_item *i, void *arg);

/* Each entry in the order of the archive (a directory: in the order of names), directories in an archive left
 * out, those that are refused included. ERR_MALFORMED: no archive, or a damaged one; ERR_TOO_LARGE: a limit
 * of the whole; ERR_NOT_FOUND, ERR_IO; else what `fn` gave. */
enum err archive_walk(const char *path, size_t content_max, archive_fn *fn, void *arg, struct fault *f);
/* The same for an archive in memory, for tests. */
enum err archive_walk_octets(struct span octets, size_t content_max, archive_fn *fn, void *arg,
                             struct fault *f);
/* Is it a directory, or a file that begins as an archive does? False for what cannot be read. */
[[nodiscard]] bool archive_is(const char *path);

/* Writes a flat .tgz: entries in the order given, mode 0644, uid and gid 0, one time for all, so that the
 * same content gives the same octets. Sticky: after the first failure the rest does nothing and
 * archive_draft_commit() returns it. */
struct archive_draft;
enum err archive_draft_open(const char *path, int64_t mtime_s, struct archive_draft **out, struct fault *f);
/* `name` is ours: no slash. */
void archive_draft_add(struct archive_draft *d, const char *name, struct span content);
/* Replaces `path` durably, as file_replace(). Frees in every case. */
enum err archive_draft_commit(struct archive_draft *d, struct fault *f);
void archive_draft_abort(struct archive_draft *d); /* NULL: nothing */

#endif
