/* SPDX-License-Identifier: Apache-2.0 */
/* ocsp_recent: what the responder was asked for lately, over a restart. Nothing is believed because of it: it
 * names what to sign, not what to say. */
#include "api/memo.h"
#include "api/public.h"
#include "base/clock.h"
#include "base/log.h"

#define MARK "chancery ocsp recent 1\n"
#define CONTENT_MAX (4 + OCSP_RECENT_OCTETS) /* the list's length and the list */

void recent_load(struct public *p)
{
    struct span list;
    struct memo m;

    if (p->role->recent_fd < 0)
        return;
    memo_read(&m, p->role->recent_fd, MARK, CONTENT_MAX);
    list = rd_blob(&m.content);
    if (memo_end(&m) == OK)
        ocsp_warm(p->ocsp, list, clock_now_s());
    memo_free(&m);
}

static void write_list(int fd, struct span list)
{
    struct fault f = {0};
    struct buf file;

    memo_begin(&file, MARK, CONTENT_MAX);
    buf_put_blob(&file, list);
    if (memo_write(&file, fd, &f) != OK)
        log_warn("ocsp-recent", "what was asked for lately cannot be written: %s", f.detail);
    buf_free(&file);
}

void recent_save(struct public *p)
{
    struct buf list;

    if (p->role->recent_fd < 0)
        return;
    buf_init(&list, OCSP_RECENT_OCTETS);
    ocsp_recent(p->ocsp, &list);
    if (buf_end(&list) == OK && list.len > 0)
        write_list(p->role->recent_fd, buf_span(&list));
    buf_free(&list);
}
