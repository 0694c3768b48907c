/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/fuzz/mutate.h"

#include "base/der.h"

unsigned dice_throw(struct dice *d, unsigned sides)
{
    d->state = d->state * 6364136223846793005u + 1442695040888963407u;
    return (unsigned)(d->state >> 33) % sides;
}

enum act { LEAVE_OUT, DOUBLE, SWAP, GRAFT, BEND, ACT_COUNT };

/* A walk over a tree of elements that does one act at the `at`-th of them. */
struct walk {
    unsigned seen, at;
    enum act act;
    struct span graft;
    struct dice *dice;
};

/* A constructed element, or an OCTET STRING that wraps one element. */
static bool has_children(const struct der *e)
{
    struct span in = e->body;
    struct der inner;

    if ((e->tag & 0x20) != 0)
        return true;
    return e->tag == DER_OCTET_STRING && der_next(&in, &inner) && in.len == 0 && (inner.tag & 0x1f) != 0;
}

static void write_all(struct walk *w, struct span in, struct buf *out);

static void write_one(struct walk *w, const struct der *e, struct buf *out)
{
    size_t mark;

    if (!has_children(e)) {
        der_put(out, e->tag, e->body);
        return;
    }
    mark = der_open(out, e->tag);
    write_all(w, e->body, out);
    der_close(out, mark);
}

static void write_bent(struct walk *w, const struct der *e, struct buf *out)
{
    size_t mark = der_open(out, e->tag);
    size_t start = out->len;

    buf_put_span(out, e->body);
    if (out->err == OK && e->body.len > 0)
        out->data[start + dice_throw(w->dice, (unsigned)e->body.len)] ^=
            (uint8_t)(1u << dice_throw(w->dice, 8));
    der_close(out, mark);
}

static void write_all(struct walk *w, struct span in, struct buf *out)
{
    struct der e, next;

    while (der_next(&in, &e)) {
        if (w->seen++ != w->at) {
            write_one(w, &e, out);
            continue;
        }
        if (w->act == GRAFT)
            buf_put_span(out, w->graft);
        if (w->act == SWAP && der_next(&in, &next))
            write_one(w, &next, out);
        if (w->act == BEND)
            write_bent(w, &e, out);
        if (w->act == DOUBLE || w->act == SWAP)
            write_one(w, &e, out);
        if (w->act == DOUBLE)
            write_one(w, &e, out);
    }
    buf_put_span(out, in); /* not DER: as it is */
}

static unsigned count_all(struct span in)
{
    struct der e;
    unsigned n = 0;

    while (der_next(&in, &e))
        n += 1 + (has_children(&e) ? count_all(e.body) : 0);
    return n;
}

/* The index-th element of the tree, whole. */
static bool find(struct span in, unsigned *index, struct span *out)
{
    struct der e;

    for (;;) {
        struct span from = in;

        if (!der_next(&in, &e))
            return false;
        if ((*index)-- == 0) {
            *out = span_of(from.data, from.len - in.len);
            return true;
        }
        if (has_children(&e) && find(e.body, index, out))
            return true;
    }
}

static void bend_octets(struct dice *d, struct buf *b)
{
    unsigned at = dice_throw(d, (unsigned)b->len);

    switch (dice_throw(d, 4)) {
    case 0:
        b->data[at] ^= (uint8_t)(1u << dice_throw(d, 8));
        break;
    case 1: /* where it is a length, of one more or less */
        b->data[at] = (uint8_t)(b->data[at] + (dice_throw(d, 2) == 0 ? 1 : -1));
        break;
    case 2:
        b->len = at;
        break;
    default:
        b->data[at] = (uint8_t)dice_throw(d, 256);
    }
}

/* Does the act at one element of `good`, which has some. */
static void change(struct dice *d, enum act act, struct span good, struct span donor, struct buf *out)
{
    struct walk w = {.at = dice_throw(d, count_all(good)), .act = act, .dice = d};
    unsigned lent = count_all(donor);

    if (lent > 0)
        lent = dice_throw(d, lent);
    if (!find(donor, &lent, &w.graft) && act == GRAFT)
        w.act = BEND;
    buf_reset(out);
    write_all(&w, good, out);
}

void mutate(struct dice *d, struct span good, struct span donor, struct buf *out)
{
    if (dice_throw(d, 3) == 0 || count_all(good) == 0) { /* a seal is no tree */
        buf_reset(out);
        buf_put_span(out, good);
        bend_octets(d, out);
        return;
    }
    change(d, (enum act)dice_throw(d, ACT_COUNT), good, donor, out);
}

bool mutate_tree(struct dice *d, struct span good, struct span donor, struct buf *out)
{
    if (count_all(good) == 0)
        return false;
    change(d, donor.len > 0 ? GRAFT : (enum act)dice_throw(d, ACT_COUNT), good, donor, out);
    return true;
}
