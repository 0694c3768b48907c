/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ocsp_recent: what the responder was asked for lately, over a restart: one file, opened by the supervisor.
 * It holds a mark, a length, the list and its SHA-256; anything else is as good as empty, so a write that was
 * cut off costs nothing but the list. Nothing is believed because of it: it names what to sign, not what to
 * say.
 */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "api/public.h"
#include "base/clock.h"
#include "base/hash.h"
#include "base/log.h"

#define MARK "chancery ocsp recent 1\n"
#define MARK_LEN (sizeof MARK - 1)
#define FILE_MAX (MARK_LEN + 4 + OCSP_RECENT_OCTETS + HASH_LEN)

static bool read_file(int fd, struct buf *out)
{
    uint8_t *at = buf_grow(out, FILE_MAX);
    ssize_t n;

    do
        n = pread(fd, at, FILE_MAX, 0);
    while (n < 0 && errno == EINTR);
    out->len = n > 0 ? (size_t)n : 0;
    return n > 0;
}

/* The list within what was read, borrowed; empty when it is not whole. */
static struct span list_of(struct span file)
{
    struct rd r = rd_of(file);
    struct span mark = rd_take(&r, MARK_LEN), list = rd_blob(&r), hash = rd_take(&r, HASH_LEN);
    uint8_t want[HASH_LEN];

    if (r.failed || !span_eq(mark, span_of(MARK, MARK_LEN)) || list.len > OCSP_RECENT_OCTETS)
        return (struct span){0};
    sha256_of(span_of(file.data, MARK_LEN + 4 + list.len), want);
    return span_eq(hash, span_of(want, sizeof want)) ? list : (struct span){0};
}

void recent_load(struct public *p)
{
    struct buf file;

    if (p->role->recent_fd < 0)
        return;
    buf_init(&file, FILE_MAX);
    if (read_file(p->role->recent_fd, &file))
        ocsp_warm(p->ocsp, list_of(buf_span(&file)), clock_now_s());
    buf_free(&file);
}

void recent_save(struct public *p)
{
    struct buf list, file;
    uint8_t hash[HASH_LEN];

    if (p->role->recent_fd < 0)
        return;
    buf_init(&list, OCSP_RECENT_OCTETS);
    buf_init(&file, FILE_MAX);
    ocsp_recent(p->ocsp, &list);
    buf_put(&file, MARK, MARK_LEN);
    buf_put_blob(&file, buf_span(&list));
    sha256_of(buf_span(&file), hash);
    buf_put(&file, hash, sizeof hash);
    if (buf_end(&list) == OK && buf_end(&file) == OK && list.len > 0 &&
        pwrite(p->role->recent_fd, file.data, file.len, 0) != (ssize_t)file.len)
        log_warn("ocsp-recent", "what was asked for lately cannot be written: %s", strerror(errno));
    buf_free(&list);
    buf_free(&file);
}
