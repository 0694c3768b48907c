/* SPDX-License-Identifier: Apache-2.0 */
/* issuer: the CAs in order of their number. There are a few, so one is found by its id by looking at each. */
#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "store/inner.h"

bool issuer_has_responder(const struct issuer *i)
{
    static const uint8_t none[SERIAL_LEN];

    return memcmp(i->responder, none, SERIAL_LEN) != 0;
}

static enum err read_row(struct entry e, struct issuer *out)
{
    struct rd r = rd_of(e.key);

    out->no = rd_u16(&r);
    return rd_done(&r) && row_get_issuer(e.row, out) ? OK : table_damaged(TABLE_ISSUER, e.key);
}

enum err issuer_each(struct view *v, bool (*fn)(const struct issuer *i, void *arg), void *arg)
{
    struct issuer i;
    struct entry e;
    struct scan scan;
    enum err err = scan_open(v, TABLE_ISSUER, &scan);

    if (err != OK)
        return err;
    for (err = scan_from(&scan, (struct span){0}, &e); err == OK; err = scan_next(&scan, &e)) {
        err = read_row(e, &i);
        if (err != OK || !fn(&i, arg))
            break;
    }
    scan_close(&scan);
    return err == ERR_END ? OK : err;
}

struct search {
    const char *id;
    struct issuer *out;
    bool is_found;
    uint16_t last;
};

static bool compare(const struct issuer *i, void *arg)
{
    struct search *s = arg;

    s->last = i->no;
    if (strcmp(i->id, s->id) != 0)
        return true;
    *s->out = *i;
    s->is_found = true;
    return false;
}

enum err issuer_find(struct view *v, const char *id, struct issuer *out)
{
    struct search s = {.id = id, .out = out};
    enum err err = issuer_each(v, compare, &s);

    if (err != OK)
        return err;
    return s.is_found ? OK : ERR_NOT_FOUND;
}

enum err issuer_find_no(struct view *v, uint16_t no, struct issuer *out)
{
    struct key key = key_of_issuer(no);
    struct span row = {0};
    enum err err = table_find(v, TABLE_ISSUER, key_span(&key), &row);

    return err == OK ? read_row((struct entry){key_span(&key), row}, out) : err;
}

static void issuer_set(struct txn *t, const struct issuer *i)
{
    struct key key = key_of_issuer(i->no);
    struct buf *row = txn_row(t);

    row_put_issuer(row, i);
    txn_fail(t, buf_end(row));
    table_set(t, TABLE_ISSUER, key_span(&key), buf_span(row));
}

/* Stops at the first whose lists would share a name with those of `id`. */
static bool compare_names(const struct issuer *i, void *arg)
{
    struct search *s = arg;

    s->is_found =
        strcmp(i->id, s->id) == 0 || crl_part_is_named(s->id, i->id) || crl_part_is_named(i->id, s->id);
    s->last = i->no;
    return !s->is_found;
}

void issuer_add(struct txn *t, const struct issuer *given, uint16_t *no)
{
    struct search s = {.id = given->id};
    struct issuer i = *given;
    enum err err = OK;

    *no = 0;
    if (txn_error(t) != OK)
        return;
    err = issuer_each(txn_view(t), compare_names, &s);
    if (err == OK && (s.is_found || s.last == UINT16_MAX))
        err = ERR_CONFLICT;
    if (err != OK) {
        txn_fail(t, err);
        return;
    }
    i.no = (uint16_t)(s.last + 1);
    memset(i.responder, 0, SERIAL_LEN);
    issuer_set(t, &i);
    *no = i.no;
}

void issuer_set_responder(struct txn *t, uint16_t no, const uint8_t serial[static SERIAL_LEN])
{
    struct issuer i;
    enum err err;

    if (txn_error(t) != OK)
        return;
    err = issuer_find_no(txn_view(t), no, &i);
    if (err != OK) {
        txn_fail(t, err);
        return;
    }
    memcpy(i.responder, serial, SERIAL_LEN);
    issuer_set(t, &i);
}
