/* SPDX-License-Identifier: Apache-2.0 */
/* memo: read and written whole, at the beginning of the file. */
#include "api/memo.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "base/hash.h"
#include "base/limits.h"

static size_t octets_max(const char *mark, size_t max)
{
    return strlen(mark) + max + HASH_LEN;
}

void memo_read(struct memo *m, int fd, const char *mark, size_t max)
{
    size_t most = octets_max(mark, max);
    uint8_t *at;
    ssize_t n;

    *m = (struct memo){0};
    buf_init(&m->file, most);
    at = buf_grow(&m->file, most);
    do
        n = pread(fd, at, most, 0);
    while (n < 0 && errno == EINTR);
    m->file.len = n > 0 ? (size_t)n : 0;
    if (n < 0)
        (void)fault_set(&m->fault, ERR_IO, "%s", strerror(errno));
    if (n == 0)
        (void)fault_set(&m->fault, ERR_NOT_FOUND, "it is empty");
    m->content = rd_of(buf_span(&m->file));
    if (!span_eq(rd_take(&m->content, strlen(mark)), span_str(mark)))
        m->content = (struct rd){.failed = true};
}

static bool is_whole(struct memo *m)
{
    struct span before = span_of(m->file.data, m->file.len - m->content.rest.len);
    struct span hash = rd_take(&m->content, HASH_LEN);
    uint8_t want[HASH_LEN];

    if (m->content.failed)
        return false;
    sha256_of(before, want);
    return span_eq(hash, span_of(want, sizeof want));
}

enum err memo_end(struct memo *m)
{
    if (m->fault.code == OK && !is_whole(m))
        (void)fault_set(&m->fault, ERR_MALFORMED, "it is damaged");
    return m->fault.code;
}

void memo_free(struct memo *m)
{
    buf_free(&m->file);
}

void memo_begin(struct buf *out, const char *mark, size_t max)
{
    buf_init(out, octets_max(mark, max));
    buf_put_str(out, mark);
}

enum err memo_write(struct buf *out, int fd, struct fault *f)
{
    uint8_t hash[HASH_LEN];
    ssize_t n;

    sha256_of(buf_span(out), hash);
    buf_put(out, hash, sizeof hash);
    if (buf_end(out) != OK)
        return fault_set(f, buf_end(out), "it is too long");
    n = pwrite(fd, out->data, out->len, 0);
    if (n < 0)
        return fault_set(f, ERR_IO, "%s", strerror(errno));
    return (size_t)n == out->len ? OK : fault_set(f, ERR_IO, "no room for all of it");
}
