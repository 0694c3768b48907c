/* SPDX-License-Identifier: Apache-2.0 */
/* as_of: of when the latest snapshot is that an OCSP host has answered from, over a restart. Its file is
 * opened so that a write is on the disk when it returns. */
#include "api/memo.h"
#include "api/public.h"
#include "base/clock.h"
#include "base/log.h"

#define MARK "chancery ocsp as-of 1\n"
#define CONTENT_LEN 8 /* the time */

int64_t as_of_load(int fd)
{
    struct memo m;
    int64_t as_of_s;
    enum err e;

    memo_read(&m, fd, MARK, CONTENT_LEN);
    as_of_s = rd_i64(&m.content);
    e = memo_end(&m);
    if (e == OK && !clock_is_time(as_of_s))
        e = fault_set(&m.fault, ERR_MALFORMED, "it is damaged");
    if (e == ERR_NOT_FOUND)
        log_info("ocsp-as-of", "no snapshot was in use before: the one that is there is taken");
    else if (e != OK)
        log_warn("ocsp-as-of", "%s; the snapshot that is there is taken, whatever was in use before",
                 m.fault.detail);
    memo_free(&m);
    return e == OK ? as_of_s : NO_TIME;
}

void as_of_save(int fd, int64_t as_of_s)
{
    struct fault f = {0};
    struct buf file;

    memo_begin(&file, MARK, CONTENT_LEN);
    buf_put_i64(&file, as_of_s);
    if (memo_write(&file, fd, &f) != OK)
        log_error("ocsp-as-of", "cannot be written: %s; after a restart an older snapshot may be taken",
                  f.detail);
    buf_free(&file);
}
