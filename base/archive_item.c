/* SPDX-License-Identifier: Apache-2.0 */
/* archive_item: names and kinds of entries, wherever they come from. */
#include "base/archive_item.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/log.h"

static bool is_printable(char c)
{
    return c >= 0x20 && c <= 0x7e;
}

static const char *last_part(const char *path)
{
    const char *slash = strrchr(path, '/');

    return slash != NULL ? slash + 1 : path;
}

static bool has_dotdot(const char *path)
{
    for (;;) {
        size_t len = strcspn(path, "/");

        if (len == 2 && memcmp(path, "..", 2) == 0)
            return true;
        if (path[len] == '\0')
            return false;
        path += len + 1;
    }
}

/* Drives too: what is relative here is not where the answers may be unpacked. */
static bool escapes(const char *path)
{
    return path[0] == '/' || strchr(path, '\\') != NULL || has_dotdot(path) ||
           (path[0] != '\0' && path[1] == ':');
}

const char *archive_path_fault(const char *path)
{
    const char *name = last_part(path);

    if (escapes(path))
        return ENTRY_PATH;
    if (strlen(path) >= ARCHIVE_PATH_LEN_MAX || name[0] == '\0' || strlen(name) > ARCHIVE_NAME_LEN_MAX ||
        strcmp(name, ".") == 0)
        return ENTRY_NAME;
    for (const char *c = path; *c != '\0'; c++)
        if (!is_printable(*c))
            return ENTRY_NAME;
    return NULL;
}

void archive_item_begin(struct archive_item *i, const char *path)
{
    size_t n = 0;

    i->content = span_of(NULL, 0);
    i->refusal = path != NULL ? archive_path_fault(path) : ENTRY_NAME;
    for (; path != NULL && path[n] != '\0' && n + 1 < sizeof i->path; n++)
        i->path[n] = is_printable(path[n]) ? path[n] : '?';
    i->path[n] = '\0';
    i->name = last_part(i->path);
}

void archive_item_refuse(struct archive_item *i, const char *why)
{
    if (i->refusal == NULL)
        i->refusal = why;
}

void archive_item_finish(struct archive_item *i, const struct buf *content)
{
    if (buf_end(content) != OK)
        archive_item_refuse(i, ENTRY_SIZE);
    else if (content->len == 0)
        archive_item_refuse(i, ENTRY_EMPTY);
    if (i->refusal == NULL)
        i->content = buf_span(content);
}

/* ---- directories ---- */

struct listing_of {
    char **names;
    size_t count, cap;
};

static void add_name(struct listing_of *l, const char *name)
{
    if (l->count == l->cap)
        l->names = xgrow(l->names, &l->cap, sizeof *l->names);
    l->names[l->count++] = xstrdup(name);
}

static int compare_names(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

static enum err list_names(int fd, const char *path, struct listing_of *l, struct fault *f)
{
    int own = dup(fd); /* closedir() takes one with it */
    DIR *dir = own >= 0 ? fdopendir(own) : NULL;
    const struct dirent *entry;
    enum err e = OK;

    if (dir == NULL) {
        if (own >= 0)
            close(own);
        return fault_set(f, ERR_IO, "%s: %s", path, strerror(errno));
    }
    while (e == OK && (entry = readdir(dir)) != NULL) {
        if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
            continue;
        add_name(l, entry->d_name);
        if (l->count > ARCHIVE_ENTRIES_MAX)
            e = fault_set(f, ERR_TOO_LARGE, "%s: more than %u entries", path, ARCHIVE_ENTRIES_MAX);
    }
    closedir(dir);
    if (l->count > 0)
        qsort(l->names, l->count, sizeof *l->names, compare_names);
    return e;
}

/* A file that cannot be read is an error of this machine, not of whoever made the file. */
static enum err read_file(int dir_fd, const char *name, struct archive_item *i, struct buf *content,
                          struct fault *f)
{
    struct stat st;
    char piece[16384];
    ssize_t n = 0;
    int fd = openat(dir_fd, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);

    if (fd < 0 && (errno == ELOOP || errno == ENXIO)) { /* a link; a socket */
        archive_item_refuse(i, ENTRY_KIND);
        return OK;
    }
    if (fd < 0 || fstat(fd, &st) != 0)
        n = -1;
    else if (!S_ISREG(st.st_mode))
        archive_item_refuse(i, ENTRY_KIND);
    else
        while (buf_end(content) == OK && (n = read(fd, piece, sizeof piece)) > 0)
            buf_put(content, piece, (size_t)n);
    if (n < 0)
        (void)fault_set(f, ERR_IO, "%s: %s", name, strerror(errno));
    if (fd >= 0)
        close(fd);
    return n < 0 ? ERR_IO : OK;
}

static enum err take_file(int fd, const char *name, struct buf *content, archive_fn *fn, void *arg,
                          struct fault *f)
{
    struct archive_item item;
    enum err e;

    archive_item_begin(&item, name);
    buf_reset(content);
    e = read_file(fd, name, &item, content, f);
    if (e != OK)
        return e;
    archive_item_finish(&item, content);
    return fn(&item, arg);
}

enum err archive_walk_directory(int fd, const char *path, size_t content_max, archive_fn *fn, void *arg,
                                struct fault *f)
{
    struct listing_of l = {0};
    struct buf content;
    enum err e = list_names(fd, path, &l, f);

    buf_init(&content, content_max);
    if (e == OK && l.count == 0)
        e = fault_set(f, ERR_MALFORMED, "%s: a directory without a file", path);
    for (size_t i = 0; i < l.count; i++) {
        if (e == OK)
            e = take_file(fd, l.names[i], &content, fn, arg, f);
        free(l.names[i]);
    }
    free(l.names);
    buf_free(&content);
    return e;
}

/* ---- what is one ---- */

static bool begins_as_archive(int fd)
{
    uint8_t head[512];
    ssize_t n = read(fd, head, sizeof head);

    return (n > 2 && memcmp(head, "\x1f\x8b", 2) == 0) || (n > 4 && memcmp(head, "PK", 2) == 0) ||
           (n == sizeof head && memcmp(head + 257, "ustar", 5) == 0);
}

/* By name as well, so that what only calls itself an archive is told so. */
static bool is_named_as_archive(const char *path)
{
    static const char *const endings[] = {".tgz", ".tar.gz", ".tar", ".zip"};
    size_t len = strlen(path);

    for (size_t i = 0; i < sizeof endings / sizeof *endings; i++)
        if (len > strlen(endings[i]) && strcasecmp(path + len - strlen(endings[i]), endings[i]) == 0)
            return true;
    return false;
}

bool archive_is(const char *path)
{
    struct stat st;
    bool is_one = false;
    int fd = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);

    if (fd < 0)
        return false;
    if (fstat(fd, &st) == 0)
        is_one = S_ISDIR(st.st_mode) ||
                 (S_ISREG(st.st_mode) && (is_named_as_archive(path) || begins_as_archive(fd)));
    close(fd);
    return is_one;
}
