/* SPDX-License-Identifier: Apache-2.0 */
/* board: the shared pages of a role, and the figures on them. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/board_inner.h"
#include "base/log.h"

/* ---- pages ---- */

enum err board_make(int *write_fd, int *read_fd, struct fault *f)
{
    char path[64];
    int saved;

    *read_fd = -1;
    *write_fd = memfd_create("chancery-board", MFD_CLOEXEC | MFD_ALLOW_SEALING);
    if (*write_fd >= 0 && ftruncate(*write_fd, sizeof(struct board)) == 0 &&
        /* No reader may find it shorter than it mapped it. */
        fcntl(*write_fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL) == 0) {
        snprintf(path, sizeof path, "/proc/self/fd/%d", *write_fd);
        *read_fd = open(path, O_RDONLY | O_CLOEXEC);
    }
    if (*read_fd >= 0)
        return OK;
    saved = errno;
    if (*write_fd >= 0)
        close(*write_fd);
    *write_fd = -1;
    return fault_set(f, ERR_IO, "shared pages: %s", strerror(saved));
}

static void *map(int fd, int protection)
{
    void *p =
        mmap(NULL, sizeof(struct board), protection, fd < 0 ? MAP_SHARED | MAP_ANONYMOUS : MAP_SHARED, fd, 0);

    return p == MAP_FAILED ? NULL : p;
}

enum err board_open(int write_fd, struct board **out, struct fault *f)
{
    *out = map(write_fd, PROT_READ | PROT_WRITE);
    return *out != NULL ? OK : fault_set(f, ERR_IO, "shared pages: %s", strerror(errno));
}

enum err board_open_read(int read_fd, const struct board **out, struct fault *f)
{
    *out = map(read_fd, PROT_READ);
    return *out != NULL ? OK : fault_set(f, ERR_IO, "shared pages: %s", strerror(errno));
}

struct board *board_new(void)
{
    struct board *b = map(-1, PROT_READ | PROT_WRITE);

    if (b == NULL)
        die("no memory for a board");
    return b;
}

void board_close(const struct board *b)
{
    if (b != NULL)
        munmap((void *)b, sizeof *b);
}

void board_text(char *out, const char *text, unsigned long cap)
{
    size_t n = 0;

    while (n < cap - 1 && text[n] != '\0') {
        out[n] = text[n];
        n++;
    }
    out[n] = '\0';
}

/* ---- figures ---- */

static struct figure unread; /* what nobody reads */

static struct figure *find(struct board *b, uint32_t count, const char *family, const char *labels)
{
    for (uint32_t i = 0; i < count; i++)
        if (strncmp(b->figures[i].family, family, FAMILY_MAX - 1) == 0 &&
            strncmp(b->figures[i].labels, labels, LABELS_MAX - 1) == 0)
            return &b->figures[i];
    return NULL;
}

struct figure *board_figure(struct board *b, enum figure_kind kind, const char *family, const char *labels,
                            const char *help)
{
    uint32_t count;
    struct figure *f;

    if (b == NULL)
        return &unread;
    count = atomic_load_explicit(&b->figure_count, memory_order_relaxed);
    f = find(b, count, family, labels);
    if (f != NULL)
        return f;
    if (count == FIGURES_MAX) {
        log_warn("board-full", "%s{%s} is not counted", family, labels);
        return &unread;
    }
    f = &b->figures[count];
    f->kind = kind;
    board_text(f->family, family, FAMILY_MAX);
    board_text(f->labels, labels, LABELS_MAX);
    board_text(f->help, help, HELP_MAX);
    atomic_store_explicit(&b->figure_count, count + 1, memory_order_release);
    return f;
}

void figure_add(struct figure *f, uint64_t n)
{
    atomic_fetch_add_explicit(&f->value, (int64_t)n, memory_order_relaxed);
}

void figure_set(struct figure *f, int64_t value)
{
    atomic_store_explicit(&f->value, value, memory_order_relaxed);
}

int64_t figure_value(const struct figure *f)
{
    return atomic_load_explicit(&f->value, memory_order_relaxed);
}

static enum figure_kind kind_of(uint32_t kind)
{
    return kind <= FIGURE_HISTOGRAM ? (enum figure_kind)kind : FIGURE_COUNTER;
}

void board_each_figure(const struct board *b, bool (*fn)(const struct figure_shown *f, void *arg), void *arg)
{
    uint32_t count = atomic_load_explicit(&b->figure_count, memory_order_acquire);
    struct figure_shown s;

    for (uint32_t i = 0; i < count && i < FIGURES_MAX; i++) {
        s.kind = kind_of(b->figures[i].kind);
        board_text(s.family, b->figures[i].family, FAMILY_MAX);
        board_text(s.labels, b->figures[i].labels, LABELS_MAX);
        board_text(s.help, b->figures[i].help, HELP_MAX);
        s.value = figure_value(&b->figures[i]);
        if (!fn(&s, arg))
            return;
    }
}
