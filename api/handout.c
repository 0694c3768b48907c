/* SPDX-License-Identifier: Apache-2.0 */
/*
 * handout: shared memory in which the supervisor puts the configuration for the roles. They read it as they
 * start and again on SIGHUP, so that a confined role opens no file of it and what is in force is what the
 * supervisor has checked.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "api/inner.h"
#include "base/log.h"

#define HANDOUT_MAX (2 * XML_DOC_MAX + 2 * PATH_LEN_MAX)

struct handout_head {
    _Atomic uint64_t writes; /* begun and ended, each counted: odd while one is under way */
    uint64_t len;
};

struct handout_sheet {
    struct handout_head head;
    uint8_t octets[HANDOUT_MAX];
};

/* From here on only this mapping can change it. A descriptor opened to read would not do: whoever has it may
 * open the memory behind it anew, to write. */
static bool close_to_writers(int fd)
{
    return fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_FUTURE_WRITE | F_SEAL_SEAL) == 0;
}

enum err handout_make(struct handout_sheet **sheet, int *read_fd, struct fault *f)
{
    int fd = memfd_create("chancery-configuration", MFD_CLOEXEC | MFD_ALLOW_SEALING);
    void *map = MAP_FAILED;
    int saved;

    *sheet = NULL;
    *read_fd = -1;
    if (fd >= 0 && ftruncate(fd, sizeof **sheet) == 0)
        map = mmap(NULL, sizeof **sheet, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    if (map != MAP_FAILED && close_to_writers(fd)) {
        *sheet = map;
        *read_fd = fd;
        return OK;
    }
    saved = errno;
    if (map != MAP_FAILED)
        munmap(map, sizeof **sheet);
    if (fd >= 0)
        close(fd);
    return fault_set(f, ERR_IO, "shared memory: %s", strerror(saved));
}

void handout_close(struct handout_sheet *sheet)
{
    if (sheet != NULL)
        munmap(sheet, sizeof *sheet);
}

/* An addition alone holds back what comes before it, but not what comes after: on other machines than x86 the
 * octets could be seen changed under the even number of before. */
static void turn(struct handout_sheet *sheet)
{
    atomic_fetch_add_explicit(&sheet->head.writes, 1, memory_order_acq_rel);
    atomic_thread_fence(memory_order_seq_cst);
}

static void replace(struct handout_sheet *sheet, struct span octets)
{
    turn(sheet);
    sheet->head.len = octets.len;
    memcpy(sheet->octets, octets.data, octets.len);
    turn(sheet);
}

enum err handout_write(struct handout_sheet *sheet, const struct handout *h, struct fault *f)
{
    struct buf b;
    enum err e = OK;

    buf_init(&b, HANDOUT_MAX);
    buf_put_blob(&b, span_str(h->home));
    buf_put_u8(&b, h->has_own_uids);
    buf_put_blob(&b, buf_span(&h->texts.settings));
    buf_put_blob(&b, buf_span(&h->texts.catalogue));
    if (buf_end(&b) != OK)
        e = fault_set(f, ERR_TOO_LARGE, "the configuration is larger than %u octets", HANDOUT_MAX);
    else
        replace(sheet, buf_span(&b));
    buf_free(&b);
    return e;
}

static enum err read_piece(int fd, size_t at, void *out, size_t len, struct fault *f)
{
    ssize_t n = pread(fd, out, len, (off_t)at);

    if (n == (ssize_t)len)
        return OK;
    return fault_set(f, ERR_IO, "shared memory: %s", n < 0 ? strerror(errno) : "it is too short");
}

/* Nothing when a write is under way, or was begun or ended meanwhile. */
static enum err read_all(int fd, struct buf *out, struct fault *f)
{
    struct handout_head before, after;
    uint8_t *octets = NULL;
    enum err e = read_piece(fd, 0, &before, sizeof before, f);

    if (e != OK || before.writes % 2 != 0 || before.len > HANDOUT_MAX)
        return e;
    octets = xcalloc(1, before.len + 1);
    atomic_thread_fence(memory_order_seq_cst);
    e = read_piece(fd, offsetof(struct handout_sheet, octets), octets, before.len, f);
    atomic_thread_fence(memory_order_seq_cst);
    if (e == OK)
        e = read_piece(fd, 0, &after, sizeof after, f);
    if (e == OK && memcmp(&before, &after, sizeof before) == 0)
        buf_put(out, octets, before.len);
    free(octets);
    return e;
}

enum err handout_read(int fd, struct handout *out, struct fault *f)
{
    struct buf b;
    struct span home;
    struct rd r;
    enum err e;

    *out = (struct handout){0};
    buf_init(&out->texts.settings, XML_DOC_MAX);
    buf_init(&out->texts.catalogue, XML_DOC_MAX);
    buf_init(&b, HANDOUT_MAX);
    e = read_all(fd, &b, f);
    r = rd_of(buf_span(&b));
    home = rd_blob(&r);
    out->has_own_uids = rd_u8(&r) == 1;
    buf_put_span(&out->texts.settings, rd_blob(&r));
    buf_put_span(&out->texts.catalogue, rd_blob(&r));
    if (e == OK && (!rd_done(&r) || !span_to_str(home, out->home, sizeof out->home)))
        e = fault_set(f, ERR_CONFIG, "the supervisor has handed out no configuration");
    buf_free(&b);
    if (e != OK)
        handout_free(out);
    return e;
}

void handout_free(struct handout *h)
{
    config_texts_free(&h->texts);
}
