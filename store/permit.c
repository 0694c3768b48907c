/* SPDX-License-Identifier: Apache-2.0 */
/* permit: the permit list. A row's key says all that it permits, so that the same is there once; what is in
 * the row is who added it. */
#include <string.h>

#include "store/inner.h"

static const char *const names[] = {[PERMIT_HTTP] = "http", [PERMIT_HTTPS] = "https"};

const char *permit_listener_name(enum permit_listener l)
{
    return names[l];
}

bool permit_listener_parse(const char *text, enum permit_listener *out)
{
    for (enum permit_listener l = PERMIT_HTTP; l <= PERMIT_HTTPS; l++)
        if (strcmp(names[l], text) == 0) {
            *out = l;
            return true;
        }
    return false;
}

static struct key key_of(const struct permit *p)
{
    struct key k = {.len = 0};

    key_put_u8(&k, (uint8_t)p->listener);
    key_put_u8(&k, (uint8_t)p->role);
    key_put(&k, p->range.base.octets, sizeof p->range.base.octets);
    key_put_u8(&k, p->range.bits);
    return k;
}

static bool read_name(struct span key, struct permit *out)
{
    struct rd r = rd_of(key);
    uint8_t listener = rd_u8(&r), role = rd_u8(&r);

    *out = (struct permit){
        .listener = (enum permit_listener)listener, .role = (enum access_role)role, .created_at_s = NO_TIME};
    rd_copy(&r, out->range.base.octets, sizeof out->range.base.octets);
    out->range.bits = rd_u8(&r);
    return rd_done(&r) && listener >= PERMIT_HTTP && listener <= PERMIT_HTTPS && role < ACCESS_ROLES &&
           out->range.bits <= 128;
}

bool permit_read(struct entry e, struct permit *out)
{
    return read_name(e.key, out) && row_get_permit(e.row, out);
}

/* False: it does not name itself. */
static bool read_row(struct entry e, struct permit *out)
{
    struct permit whole;

    if (!read_name(e.key, out)) {
        (void)table_damaged(TABLE_PERMIT, e.key);
        return false;
    }
    if (permit_read(e, &whole)) {
        *out = whole;
    } else {
        (void)table_damaged(TABLE_PERMIT, e.key);
        out->is_damaged = true;
    }
    return true;
}

enum err permit_find(struct view *v, const struct permit *p, struct permit *out)
{
    struct key key = key_of(p);
    struct span row = {0};
    enum err err = table_find(v, TABLE_PERMIT, key_span(&key), &row);

    if (err != OK)
        return err;
    return read_row((struct entry){key_span(&key), row}, out) ? OK : ERR_INTERNAL;
}

enum err permit_each(struct view *v, bool (*fn)(const struct permit *p, void *arg), void *arg)
{
    bool is_whole = true, goes_on = true;
    struct permit p;
    struct entry e;
    struct scan scan;
    enum err err = scan_open(v, TABLE_PERMIT, &scan);

    if (err != OK)
        return err;
    for (err = scan_from(&scan, (struct span){0}, &e); err == OK && goes_on; err = scan_next(&scan, &e)) {
        bool is_named = read_row(e, &p);

        is_whole = is_whole && is_named && !p.is_damaged;
        goes_on = !is_named || fn(&p, arg);
    }
    scan_close(&scan);
    if (err != OK && err != ERR_END)
        return err;
    return is_whole ? OK : ERR_INTERNAL;
}

void permit_add(struct txn *t, const struct permit *p)
{
    struct key key = key_of(p);
    struct buf *row = txn_row(t);

    row_put_permit(row, p);
    txn_fail(t, buf_end(row));
    table_add(t, TABLE_PERMIT, key_span(&key), buf_span(row));
}

void permit_remove(struct txn *t, const struct permit *p)
{
    struct key key = key_of(p);
    struct permit there;

    if (txn_error(t) == OK)
        txn_fail(t, permit_find(txn_view(t), p, &there));
    table_remove(t, TABLE_PERMIT, key_span(&key));
}
