/* SPDX-License-Identifier: Apache-2.0 */
/*
 * as_of: of when the latest snapshot is that an OCSP host has answered from, over a restart: one file, opened
 * by the supervisor so that a write is on the disk when it returns. It holds a mark, the time and their
 * SHA-256; anything else is as good as none.
 */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "api/public.h"
#include "base/hash.h"
#include "base/log.h"

#define MARK "chancery ocsp as-of 1\n"
#define MARK_LEN (sizeof MARK - 1)
#define FILE_LEN (MARK_LEN + 8 + HASH_LEN)

static bool read_time(struct span file, int64_t *out_s)
{
    struct rd r = rd_of(file);
    struct span mark = rd_take(&r, MARK_LEN);
    uint8_t want[HASH_LEN];

    *out_s = rd_i64(&r);
    if (file.len != FILE_LEN || !span_eq(mark, span_of(MARK, MARK_LEN)))
        return false;
    sha256_of(span_of(file.data, FILE_LEN - HASH_LEN), want);
    return span_eq(rd_take(&r, HASH_LEN), span_of(want, sizeof want));
}

int64_t as_of_load(int fd)
{
    uint8_t file[FILE_LEN];
    int64_t as_of_s;
    ssize_t n;

    do
        n = pread(fd, file, sizeof file, 0);
    while (n < 0 && errno == EINTR);
    if (n > 0 && read_time(span_of(file, (size_t)n), &as_of_s))
        return as_of_s;
    if (n == 0)
        log_info("ocsp-as-of", "no snapshot was in use before: the one that is there is taken");
    else
        log_warn("ocsp-as-of", "%s; the snapshot that is there is taken, whatever was in use before",
                 n < 0 ? strerror(errno) : "it is damaged");
    return NO_TIME;
}

void as_of_save(int fd, int64_t as_of_s)
{
    uint8_t hash[HASH_LEN];
    struct buf file;

    buf_init(&file, FILE_LEN);
    buf_put(&file, MARK, MARK_LEN);
    buf_put_i64(&file, as_of_s);
    sha256_of(buf_span(&file), hash);
    buf_put(&file, hash, sizeof hash);
    if (buf_end(&file) != OK || pwrite(fd, file.data, file.len, 0) != (ssize_t)file.len)
        log_error("ocsp-as-of", "cannot be written: %s; after a restart an older snapshot may be taken",
                  strerror(errno));
    buf_free(&file);
}
