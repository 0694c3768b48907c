/* SPDX-License-Identifier: Apache-2.0 */
/*
 * handout: shared memory in which the supervisor puts the configuration for the roles. They read it as they
 * start and again on SIGHUP, so that a confined role opens no file of it and what is in force is what the
 * supervisor has checked.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "api/inner.h"

#define HANDOUT_MAX (2 * XML_DOC_MAX + 2 * PATH_LEN_MAX)

enum err handout_make(int *write_fd, int *read_fd, struct fault *f)
{
    char path[64];

    *read_fd = -1;
    *write_fd = memfd_create("chancery-configuration", MFD_CLOEXEC);
    if (*write_fd >= 0) {
        snprintf(path, sizeof path, "/proc/self/fd/%d", *write_fd);
        *read_fd = open(path, O_RDONLY | O_CLOEXEC);
    }
    return *read_fd >= 0 ? OK : fault_set(f, ERR_IO, "shared memory: %s", strerror(errno));
}

enum err handout_write(int fd, const struct handout *h, struct fault *f)
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
    else if (ftruncate(fd, 0) != 0 || pwrite(fd, b.data, b.len, 0) != (ssize_t)b.len)
        e = fault_set(f, ERR_IO, "shared memory: %s", strerror(errno));
    buf_free(&b);
    return e;
}

static enum err read_all(int fd, struct buf *out, struct fault *f)
{
    uint8_t piece[16384];
    ssize_t n = 0;

    while (buf_end(out) == OK && (n = pread(fd, piece, sizeof piece, (off_t)out->len)) > 0)
        buf_put(out, piece, (size_t)n);
    return buf_end(out) == OK && n == 0 ? OK : fault_set(f, ERR_IO, "shared memory: %s", strerror(errno));
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
