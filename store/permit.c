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

bool permit_read(struct entry e, struct permit *out)
{
    struct rd r = rd_of(e.key);
    uint8_t listener = rd_u8(&r), role = rd_u8(&r);

    rd_copy(&r, out->range.base.octets, sizeof out->range.base.octets);
    out->range.bits = rd_u8(&r);
    out->listener = (enum permit_listener)listener;
    out->role = (enum access_role)role;
    return rd_done(&r) && listener >= PERMIT_HTTP && listener <= PERMIT_HTTPS && role < ACCESS_ROLES &&
           out->range.bits <= 128 && row_get_permit(e.row, out);
}

static enum err read_row(struct entry e, struct permit *out)
{
    return permit_read(e, out) ? OK : table_damaged(TABLE_PERMIT, e.key);
}

enum err permit_find(struct view *v, const struct permit *p, struct permit *out)
{
    struct key key = key_of(p);
    struct span row = {0};
    enum err err = table_find(v, TABLE_PERMIT, key_span(&key), &row);

    return err == OK ? read_row((struct entry){key_span(&key), row}, out) : err;
}

enum err permit_each(struct view *v, bool (*fn)(const struct permit *p, void *arg), void *arg)
{
    struct permit p;
    struct entry e;
    struct scan scan;
    enum err err = scan_open(v, TABLE_PERMIT, &scan);

    if (err != OK)
        return err;
    for (err = scan_from(&scan, (struct span){0}, &e); err == OK; err = scan_next(&scan, &e)) {
        err = read_row(e, &p);
        if (err != OK || !fn(&p, arg))
            break;
    }
    scan_close(&scan);
    return err == ERR_END ? OK : err;
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
