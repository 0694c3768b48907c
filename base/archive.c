/* SPDX-License-Identifier: Apache-2.0 */
/* archive: libarchive with the formats and filters that dumps come in, and no others: each is a parser more
 * for strangers to try. */
#include "base/archive.h"

#include <archive.h>
#include <archive_entry.h>
#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/archive_item.h"
#include "base/log.h"

#define BLOCK (64u * 1024) /* octets read at a time */

struct walk {
    struct archive *a;
    const char *where; /* for messages */
    size_t content_max;
    archive_fn *fn;
    void *arg;
    struct fault *fault;
    struct archive_item item;
    struct buf content;
    uint8_t *block;
    uint64_t entries, total;
};

static enum err damaged(const struct walk *w)
{
    const char *text = archive_error_string(w->a);

    return fault_set(w->fault, ERR_MALFORMED, "%s: %s", w->where, text != NULL ? text : "not an archive");
}

/* The whole, as far as it has been unpacked: headers and padding count too. */
static enum err check_total(const struct walk *w)
{
    uint64_t packed = (uint64_t)archive_filter_bytes(w->a, -1),
             unpacked = (uint64_t)archive_filter_bytes(w->a, 0);

    if (unpacked < w->total)
        unpacked = w->total;
    if (unpacked > ARCHIVE_TOTAL_MAX)
        return fault_set(w->fault, ERR_TOO_LARGE, "%s: unpacks to more than %llu octets", w->where,
                         (unsigned long long)ARCHIVE_TOTAL_MAX);
    if (unpacked > ARCHIVE_RATIO_FROM && unpacked / ARCHIVE_RATIO_MAX > packed)
        return fault_set(w->fault, ERR_TOO_LARGE, "%s: unpacks to more than %u times its size", w->where,
                         ARCHIVE_RATIO_MAX);
    return OK;
}

/* Reads through what is too large as well: skipping would unpack it just the same, and nobody would count. */
static enum err read_content(struct walk *w)
{
    for (;;) {
        la_ssize_t n = archive_read_data(w->a, w->block, BLOCK);
        enum err e;

        if (n == 0)
            return OK;
        if (n == ARCHIVE_FATAL)
            return damaged(w);
        if (n < 0) { /* also RETRY, which comes without end where sparse blocks are out of order */
            archive_item_refuse(&w->item, ENTRY_BROKEN);
            return OK;
        }
        w->total += (uint64_t)n;
        e = check_total(w);
        if (e != OK)
            return e;
        buf_put(&w->content, w->block, (size_t)n); /* sticky at its limit */
    }
}

static void check_entry(struct walk *w, struct archive_entry *entry)
{
    if (archive_entry_filetype(entry) != AE_IFREG || archive_entry_hardlink(entry) != NULL ||
        archive_entry_symlink(entry) != NULL)
        archive_item_refuse(&w->item, ENTRY_KIND);
    if (archive_entry_is_encrypted(entry))
        archive_item_refuse(&w->item, ENTRY_BROKEN);
}

static enum err take_entry(struct walk *w, struct archive_entry *entry)
{
    enum err e;

    archive_item_begin(&w->item, archive_entry_pathname(entry));
    check_entry(w, entry);
    buf_reset(&w->content);
    e = read_content(w);
    if (e != OK)
        return e;
    archive_item_finish(&w->item, &w->content);
    return w->fn(&w->item, w->arg);
}

static enum err walk_entries(struct walk *w)
{
    struct archive_entry *entry;

    for (;;) {
        int code = archive_read_next_header(w->a, &entry);
        enum err e;

        if (code == ARCHIVE_EOF)
            return OK;
        /* RETRY, too, is damage: what a broken header stood for would be left out unseen. */
        if (code != ARCHIVE_OK && code != ARCHIVE_WARN)
            return damaged(w);
        if (++w->entries > ARCHIVE_ENTRIES_MAX)
            return fault_set(w->fault, ERR_TOO_LARGE, "%s: more than %u entries", w->where,
                             ARCHIVE_ENTRIES_MAX);
        e = check_total(w);
        if (e == OK && archive_entry_filetype(entry) != AE_IFDIR)
            e = take_entry(w, entry);
        if (e != OK)
            return e;
    }
}

static struct archive *reader_new(void)
{
    struct archive *a = archive_read_new();

    if (a == NULL || archive_read_support_filter_gzip(a) != ARCHIVE_OK ||
        archive_read_support_format_tar(a) != ARCHIVE_OK || archive_read_support_format_zip(a) != ARCHIVE_OK)
        die("libarchive: cannot start");
    return a;
}

/* Takes `w->a`, opened with this result. */
static enum err walk_opened(struct walk *w, int opened)
{
    enum err e;

    w->block = malloc(BLOCK);
    if (w->block == NULL)
        die("out of memory");
    buf_init(&w->content, w->content_max);
    e = opened == ARCHIVE_OK ? walk_entries(w) : damaged(w);
    if (e == OK && w->entries == 0)
        e = fault_set(w->fault, ERR_MALFORMED, "%s: an archive without an entry", w->where);
    buf_free(&w->content);
    free(w->block);
    archive_read_free(w->a);
    return e;
}

enum err archive_walk_octets(struct span octets, size_t content_max, archive_fn *fn, void *arg,
                             struct fault *f)
{
    struct walk w = {
        .a = reader_new(), .where = "archive", .content_max = content_max, .fn = fn, .arg = arg, .fault = f};

    return walk_opened(&w, archive_read_open_memory(w.a, octets.data, octets.len));
}

enum err archive_walk(const char *path, size_t content_max, archive_fn *fn, void *arg, struct fault *f)
{
    struct walk w = {.where = path, .content_max = content_max, .fn = fn, .arg = arg, .fault = f};
    struct stat st;
    enum err e;
    int fd = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);

    if (fd < 0 || fstat(fd, &st) != 0) {
        e = fault_set(f, errno == ENOENT ? ERR_NOT_FOUND : ERR_IO, "%s: %s", path, strerror(errno));
    } else if (S_ISDIR(st.st_mode)) {
        e = archive_walk_directory(fd, path, content_max, fn, arg, f);
    } else if (!S_ISREG(st.st_mode)) {
        e = fault_set(f, ERR_MALFORMED, "%s: neither a file nor a directory", path);
    } else {
        w.a = reader_new();
        e = walk_opened(&w, archive_read_open_fd(w.a, fd, BLOCK));
    }
    if (fd >= 0)
        close(fd);
    return e;
}

/* ---- writing ---- */

struct archive_draft {
    struct file_draft file;
    struct archive *a;
    struct archive_entry *entry;
    int64_t mtime_s;
    struct fault fault; /* the first */
};

static void note(struct archive_draft *d, int code)
{
    const char *text;

    if (code == ARCHIVE_OK || d->fault.code != OK)
        return;
    text = archive_error_string(d->a);
    (void)fault_set(&d->fault, ERR_IO, "%s: %s", d->file.path, text != NULL ? text : "cannot be written");
}

enum err archive_draft_open(const char *path, int64_t mtime_s, struct archive_draft **out, struct fault *f)
{
    struct archive_draft *d = xcalloc(1, sizeof *d);
    enum err e = file_draft_open(&d->file, path, 0644, f);

    *out = NULL;
    if (e != OK) {
        free(d);
        return e;
    }
    d->mtime_s = mtime_s;
    d->a = archive_write_new();
    d->entry = archive_entry_new();
    if (d->a == NULL || d->entry == NULL)
        die("libarchive: out of memory");
    /* ustar, the tar that every product unpacks; a name beyond its hundred octets goes before it in pax */
    note(d, archive_write_set_format_pax_restricted(d->a));
    note(d, archive_write_add_filter_gzip(d->a));
    note(d, archive_write_set_filter_option(d->a, "gzip", "timestamp", NULL)); /* else the octets differ */
    note(d, archive_write_open_fd(d->a, d->file.fd));
    *out = d;
    return OK;
}

void archive_draft_add(struct archive_draft *d, const char *name, struct span content)
{
    assert(strchr(name, '/') == NULL);
    if (d->fault.code != OK)
        return;
    archive_entry_clear(d->entry);
    archive_entry_set_pathname(d->entry, name);
    archive_entry_set_filetype(d->entry, AE_IFREG);
    archive_entry_set_perm(d->entry, 0644);
    archive_entry_set_uid(d->entry, 0);
    archive_entry_set_gid(d->entry, 0);
    archive_entry_set_mtime(d->entry, d->mtime_s, 0);
    archive_entry_set_size(d->entry, (la_int64_t)content.len);
    note(d, archive_write_header(d->a, d->entry));
    if (content.len > 0 && archive_write_data(d->a, content.data, content.len) != (la_ssize_t)content.len)
        note(d, ARCHIVE_FATAL);
}

static void draft_free(struct archive_draft *d)
{
    archive_entry_free(d->entry);
    archive_write_free(d->a);
    file_draft_abort(&d->file);
    free(d);
}

enum err archive_draft_commit(struct archive_draft *d, struct fault *f)
{
    enum err e;

    if (d->fault.code == OK)
        note(d, archive_write_close(d->a));
    e = d->fault.code != OK ? fault_set(f, d->fault.code, "%s", d->fault.detail)
                            : file_draft_commit(&d->file, f);
    draft_free(d);
    return e;
}

void archive_draft_abort(struct archive_draft *d)
{
    if (d == NULL)
        return;
    draft_free(
        d); /* finishes a file that nobody sees: archive_write_fail() would leave zlib's memory behind */
}
