/* SPDX-License-Identifier: Apache-2.0 */
/*
 * warm: what was asked for before a restart is ready before it is asked for again. The list is CertIDs, each
 * behind an octet of its length; what they say is read from the store when they are signed.
 */
#include "ocsp/inner.h"

void ocsp_recent(const struct ocsp *o, struct buf *out)
{
    const struct cached *e = o->issued.hand;
    size_t n = 0;

    if (e == NULL)
        return;
    do {
        e = e->older; /* the newest first */
        if (e->asked_s == NO_TIME)
            continue;
        buf_put_u8(out, (uint8_t)e->certid_len);
        buf_put_span(out, cached_certid(e));
        n++;
    } while (e != o->issued.hand && n < OCSP_RECENT_MAX);
}

void ocsp_warm(struct ocsp *o, struct span recent, int64_t now_s)
{
    struct view *v;

    buf_reset(&o->warm);
    buf_put_span(&o->warm, recent);
    o->warm_at = 0;
    if (view_open(o->store, &v) != OK)
        return; /* ocsp_tick comes back to it */
    warm_step(o, v, now_s);
    view_close(v);
}

void warm_step(struct ocsp *o, struct view *v, int64_t now_s)
{
    struct ocsp_certid id;

    o->warm_s = now_s;
    while (o->warm_at < o->warm.len) {
        struct rd r = rd_of(span_of(o->warm.data + o->warm_at, o->warm.len - o->warm_at));
        struct span der = rd_take(&r, rd_u8(&r));

        if (r.failed || !certid_read(der, &id)) {
            o->warm_at = o->warm.len;
            break;
        }
        if (!kept_make(o, v, &id, now_s))
            return;
        o->warm_at += 1 + der.len;
    }
    buf_free(&o->warm);
    o->warm_at = 0;
}
