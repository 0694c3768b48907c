/* SPDX-License-Identifier: Apache-2.0 */
/* request: requests for certificates that wait for an approval, and what became of them. A row is written
 * twice: when it is asked and when it is decided; the index moves with it. */
#include <assert.h>
#include <string.h>

#include "store/inner.h"

static struct span id_span(const uint8_t id[static REQUEST_ID_LEN])
{
    return span_of(id, REQUEST_ID_LEN);
}

static struct key key_of(enum request_index i)
{
    struct key k = {.len = 0};

    key_put_u8(&k, (uint8_t)i);
    return k;
}

static struct key key_of_hash(enum request_index i, const uint8_t hash[static HASH_LEN])
{
    struct key k = key_of(i);

    key_put(&k, hash, HASH_LEN);
    return k;
}

/* What a list of that state walks. */
static struct key key_of_state(enum request_state state)
{
    struct key k = key_of(state == REQUEST_ANY ? REQUEST_BY_TIME : REQUEST_BY_STATE);

    if (state != REQUEST_ANY)
        key_put_u8(&k, (uint8_t)state);
    return k;
}

static struct key key_of_listed(enum request_state state, const struct request *r)
{
    struct key k = key_of_state(state);

    key_put_time(&k, r->asked_at_s);
    key_put(&k, r->id, REQUEST_ID_LEN);
    return k;
}

static struct key key_of_asker(const char *asker)
{
    struct key k = key_of(REQUEST_BY_ASKER);

    key_put_text(&k, asker);
    return k;
}

static struct key key_of_askers(const struct request *r)
{
    struct key k = key_of_asker(r->asker);

    key_put(&k, r->id, REQUEST_ID_LEN);
    return k;
}

static struct key key_of_end(const struct request *r)
{
    struct key k = key_of(REQUEST_BY_END);

    key_put_time(&k, r->expires_at_s);
    key_put(&k, r->id, REQUEST_ID_LEN);
    return k;
}

/* Below `end`, which has the tag of the table's keys that are meant. */
static bool is_before(struct span s, const struct key *end)
{
    return s.data[0] == end->data[0] && key_compare(s, key_span(end)) < 0;
}

/* ---- finding ---- */

enum err request_find(struct view *v, const uint8_t id[static REQUEST_ID_LEN], struct request *out)
{
    struct span row = {0};
    enum err err = table_find(v, TABLE_REQUEST, id_span(id), &row);

    if (err == OK && !row_get_request(row, out))
        return table_damaged(TABLE_REQUEST, id_span(id));
    if (err == OK)
        memmove(out->id, id, REQUEST_ID_LEN); /* `id` may be that of `out` */
    return err;
}

/* An id that the index gave: without its row the store is damaged. */
static enum err find_indexed(struct view *v, struct span key, struct span id, struct request *out)
{
    enum err err;

    if (id.len != REQUEST_ID_LEN)
        return table_damaged(TABLE_REQUEST_INDEX, key);
    err = request_find(v, id.data, out);
    return err == ERR_NOT_FOUND ? table_damaged(TABLE_REQUEST_INDEX, key) : err;
}

/* One that an index of pending requests alone gave. */
static enum err find_pending(struct view *v, struct span key, struct span id, struct request *out)
{
    enum err err = find_indexed(v, key, id, out);

    return err == OK && out->state != REQUEST_PENDING ? table_damaged(TABLE_REQUEST_INDEX, key) : err;
}

enum err request_find_same(struct view *v, const uint8_t same[static HASH_LEN], struct request *out)
{
    struct key key = key_of_hash(REQUEST_BY_SAME, same);
    struct span id = {0};
    enum err err = table_find(v, TABLE_REQUEST_INDEX, key_span(&key), &id);

    return err == OK ? find_pending(v, key_span(&key), id, out) : err;
}

enum err request_find_key(struct view *v, const uint8_t key[static HASH_LEN], uint8_t body[static HASH_LEN],
                          struct request *out)
{
    struct key k = key_of_hash(REQUEST_BY_KEY, key);
    struct span row = {0}, id;
    struct rd r;
    enum err err = table_find(v, TABLE_REQUEST_INDEX, key_span(&k), &row);

    if (err != OK)
        return err;
    r = rd_of(row);
    id = rd_take(&r, REQUEST_ID_LEN);
    rd_copy(&r, body, HASH_LEN);
    return rd_done(&r) ? find_indexed(v, key_span(&k), id, out)
                       : table_damaged(TABLE_REQUEST_INDEX, key_span(&k));
}

/* The id at the end of a key; an empty span when it is too short to hold one. */
static struct span id_of_key(struct span key)
{
    if (key.len <= REQUEST_ID_LEN)
        return (struct span){0};
    return span_of(key.data + key.len - REQUEST_ID_LEN, REQUEST_ID_LEN);
}

/* What cannot be read is told where that is seen, and holds up none behind it. */
enum err request_find_due(struct view *v, int64_t now_s, struct request *out)
{
    struct key prefix = key_of(REQUEST_BY_END), end = prefix;
    enum err err, found = ERR_NOT_FOUND;
    struct entry e;
    struct scan scan;

    key_put_time(&end, now_s + 1);
    err = scan_open(v, TABLE_REQUEST_INDEX, &scan);
    if (err != OK)
        return err;
    for (err = scan_from(&scan, key_span(&prefix), &e); err == OK && is_before(e.key, &end);
         err = scan_next(&scan, &e)) {
        found = find_pending(v, e.key, id_of_key(e.key), out);
        if (found != ERR_INTERNAL)
            break;
    }
    scan_close(&scan);
    if (err != OK && err != ERR_END)
        return err;
    return found == ERR_INTERNAL ? ERR_NOT_FOUND : found;
}

enum err request_count(struct view *v, const char *asker, unsigned most, unsigned *count)
{
    struct key prefix = key_of_asker(asker);
    struct entry e;
    struct scan scan;
    enum err err = scan_open(v, TABLE_REQUEST_INDEX, &scan);

    *count = 0;
    if (err != OK)
        return err;
    for (err = scan_from(&scan, key_span(&prefix), &e);
         err == OK && key_starts(e.key, key_span(&prefix)) && *count < most; err = scan_next(&scan, &e))
        ++*count;
    scan_close(&scan);
    return err == ERR_END ? OK : err;
}

/* ---- writing ---- */

static void row_set(struct txn *t, const struct request *r)
{
    struct buf *row = txn_row(t);

    row_put_request(row, r);
    txn_fail(t, buf_end(row));
    table_set(t, TABLE_REQUEST, id_span(r->id), buf_span(row));
}

static void tell(struct key k, struct span row, index_fn *fn, void *arg)
{
    fn(&k, row, arg);
}

void request_index_each(const struct request *r, index_fn *fn, void *arg)
{
    const struct span empty = {0};

    tell(key_of_listed(REQUEST_ANY, r), empty, fn, arg);
    tell(key_of_listed(r->state, r), empty, fn, arg);
    if (r->state != REQUEST_PENDING)
        return;
    tell(key_of_askers(r), empty, fn, arg);
    tell(key_of_end(r), empty, fn, arg);
    tell(key_of_hash(REQUEST_BY_SAME, r->same), id_span(r->id), fn, arg);
}

static void add_index(const struct key *k, struct span row, void *arg)
{
    table_add(arg, TABLE_REQUEST_INDEX, key_span(k), row);
}

static void set_empty(struct txn *t, struct key key)
{
    table_set(t, TABLE_REQUEST_INDEX, key_span(&key), (struct span){0});
}

static void remove_key(struct txn *t, struct key key)
{
    table_remove(t, TABLE_REQUEST_INDEX, key_span(&key));
}

void request_add(struct txn *t, const struct request *given)
{
    struct request r = *given, other;
    enum err err;

    if (txn_error(t) != OK)
        return;
    r.state = REQUEST_PENDING;
    r.decided_at_s = NO_TIME;
    r.decided_by[0] = '\0';
    r.reason = (struct span){0};
    memset(r.serial, 0, SERIAL_LEN);
    err = request_find(txn_view(t), r.id, &other);
    if (err != ERR_NOT_FOUND) {
        txn_fail(t, err == OK ? ERR_CONFLICT : err);
        return;
    }
    row_set(t, &r);
    request_index_each(&r, add_index, t);
}

void request_add_key(struct txn *t, const uint8_t id[static REQUEST_ID_LEN],
                     const uint8_t key[static HASH_LEN], const uint8_t body[static HASH_LEN])
{
    struct key k = key_of_hash(REQUEST_BY_KEY, key);
    struct buf *row = txn_row(t);

    buf_put(row, id, REQUEST_ID_LEN);
    buf_put(row, body, HASH_LEN);
    table_set(t, TABLE_REQUEST_INDEX, key_span(&k), buf_span(row));
}

static void decide(struct request *r, const struct decision *d)
{
    assert(d->state == REQUEST_APPROVED || d->state == REQUEST_DENIED || d->state == REQUEST_EXPIRED);
    assert((d->state == REQUEST_APPROVED) == (d->serial != NULL));
    r->state = d->state;
    r->decided_at_s = d->at_s;
    if (!span_to_str(span_str(d->by), r->decided_by, sizeof r->decided_by))
        r->decided_by[0] = '\0';
    if (d->reason != NULL)
        r->reason = span_str(d->reason);
    if (d->serial != NULL)
        memcpy(r->serial, d->serial, SERIAL_LEN);
}

void request_decide(struct txn *t, const uint8_t id[static REQUEST_ID_LEN], const struct decision *d)
{
    struct request r;
    enum err err;

    if (txn_error(t) != OK)
        return;
    err = request_find(txn_view(t), id, &r);
    if (err == OK && r.state != REQUEST_PENDING)
        err = ERR_CONFLICT;
    if (err != OK) {
        txn_fail(t, err);
        return;
    }
    remove_key(t, key_of_listed(REQUEST_PENDING, &r));
    remove_key(t, key_of_askers(&r));
    remove_key(t, key_of_end(&r));
    remove_key(t, key_of_hash(REQUEST_BY_SAME, r.same));
    /* Read again: what the row lent ended with those writes. */
    txn_fail(t, request_find(txn_view(t), id, &r));
    if (txn_error(t) != OK)
        return;
    decide(&r, d);
    row_set(t, &r);
    set_empty(t, key_of_listed(r.state, &r));
}

/* ---- lists ---- */

enum err request_waiting(struct view *v, unsigned most, unsigned *count, int64_t *oldest_s)
{
    struct key prefix = key_of_state(REQUEST_PENDING);
    struct request r;
    struct entry e;
    struct scan scan;
    enum err err = scan_open(v, TABLE_REQUEST_INDEX, &scan);

    *count = 0;
    *oldest_s = NO_TIME;
    if (err != OK)
        return err;
    for (err = scan_from(&scan, key_span(&prefix), &e);
         err == OK && key_starts(e.key, key_span(&prefix)) && *count < most; err = scan_next(&scan, &e)) {
        if ((*count)++ == 0) { /* they lie by time */
            err = find_indexed(v, e.key, id_of_key(e.key), &r);
            *oldest_s = err == OK ? r.asked_at_s : NO_TIME;
        }
        if (err != OK)
            break;
    }
    scan_close(&scan);
    return err == ERR_END ? OK : err;
}

/* A cursor is the key of the last row, in hex: it can only be of the list whose keys begin so. That of a
 * damaged one may be of any length; cut, it is still below that key, and the list goes down. */
static void cursor_put(struct span key, char next[static CURSOR_MAX])
{
    hex_encode(span_of(key.data, key.len < KEY_MAX ? key.len : KEY_MAX), next);
}

static bool cursor_read(const char *text, const struct key *prefix, struct key *out)
{
    size_t digits = strlen(text), len = digits / 2;

    *out = (struct key){.len = len};
    return digits % 2 == 0 && len >= prefix->len && len <= KEY_MAX && hex_decode(text, out->data, len) &&
           key_starts(key_span(out), key_span(prefix));
}

enum err request_list(struct view *v, const struct request_query *q,
                      bool (*fn)(const struct request *r, void *arg), void *arg, char next[static CURSOR_MAX])
{
    struct key prefix = key_of_state(q->state), high = prefix;
    struct span last = {0};
    unsigned given = 0;
    struct request r;
    struct entry e;
    struct scan scan;
    enum err err;

    next[0] = '\0';
    high.data[high.len - 1]++; /* the least key above all of them: no last octet there is 0xff */
    if (q->limit < 1 || q->limit > LIST_LIMIT_MAX ||
        (q->after != NULL && !cursor_read(q->after, &prefix, &high)))
        return ERR_MALFORMED;
    err = scan_open(v, TABLE_REQUEST_INDEX, &scan);
    if (err != OK)
        return err;
    for (err = scan_before(&scan, key_span(&high), &e); err == OK && key_starts(e.key, key_span(&prefix));
         err = scan_previous(&scan, &e)) {
        if (given == q->limit) {
            cursor_put(last, next);
            break;
        }
        err = find_indexed(v, e.key, id_of_key(e.key), &r);
        if (err == ERR_INTERNAL) { /* as cert_list() has it */
            cursor_put(given > 0 ? last : e.key, next);
            err = given > 0 ? OK : err;
        }
        if (err != OK || next[0] != '\0')
            break;
        last = e.key;
        given++;
        if (!fn(&r, arg))
            given = q->limit;
    }
    scan_close(&scan);
    return err == ERR_END ? OK : err;
}
