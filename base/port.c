/* SPDX-License-Identifier: Apache-2.0 */
/* port: questions to a signer, written as base/port.h says. */
#include "base/port.h"

#include <assert.h>
#include <string.h>

/* Octets of an answer at most: its fixed part, two blob lengths, signature and reason. */
#define ANSWER_MAX (1 + 8 + 1 + 4 + SIGNATURE_MAX + 4 + 128)
#define SEVERAL_HEAD (1 + 8 + 1) /* kind, count, kind of each */
#define SEVERAL_EACH (8 + 4 + 4) /* number and two blob lengths */

static_assert(SEVERAL_HEAD + PORT_SEVERAL_MAX * ANSWER_MAX <= WIRE_MSG_MAX);

static void question_write(struct buf *b, enum port_kind kind, uint64_t number, const char *key_id,
                           struct span body)
{
    buf_init(b, WIRE_MSG_MAX);
    buf_put_u8(b, (uint8_t)kind);
    buf_put_u64(b, number);
    buf_put_blob(b, span_str(key_id));
    buf_put_span(b, body);
}

static enum err question_send(int fd, enum port_kind kind, uint64_t number, const char *key_id,
                              struct span body, enum err (*send)(int fd, struct span message))
{
    struct buf b;
    enum err e;

    question_write(&b, kind, number, key_id, body);
    e = buf_end(&b);
    if (e == OK)
        e = send(fd, buf_span(&b));
    buf_free(&b);
    return e;
}

static bool copy_blob(struct rd *r, void *out, size_t cap, size_t *len)
{
    struct span s = rd_blob(r);

    if (s.len > cap)
        return false;
    if (s.len > 0)
        memcpy(out, s.data, s.len);
    *len = s.len;
    return true;
}

/* Number, verdict, signature and reason: what answers have in common. An answer that is not one means that
 * the other end is no signer of ours: as good as gone. */
static enum err answer_read(struct rd *r, struct port_answer *out)
{
    size_t reason_len = 0;
    uint8_t code;

    out->number = rd_u64(r);
    code = rd_u8(r);
    if (!copy_blob(r, out->signature, sizeof out->signature, &out->signature_len) ||
        !copy_blob(r, out->reason, sizeof out->reason - 1, &reason_len) || r->failed || code >= ERR_COUNT)
        return ERR_END;
    out->reason[reason_len] = '\0';
    out->err = (enum err)code;
    return OK;
}

static enum err answer_read_one(struct span message, struct port_answer *out)
{
    struct rd r = rd_of(message);
    enum err e;

    (void)rd_u8(&r); /* the kind: answers are matched by number */
    e = answer_read(&r, out);
    return e == OK && !rd_done(&r) ? ERR_END : e;
}

static enum err answers_read(struct span message, struct port_answers *out)
{
    struct rd r = rd_of(message);
    uint64_t count;

    if (rd_u8(&r) != PORT_SEVERAL) {
        out->count = 1;
        return answer_read_one(message, &out->items[0]);
    }
    count = rd_u64(&r);
    if (count == 0 || count > PORT_SEVERAL_MAX)
        return ERR_END;
    out->count = (size_t)count;
    for (size_t i = 0; i < out->count; i++)
        if (answer_read(&r, &out->items[i]) != OK)
            return ERR_END;
    return rd_done(&r) ? OK : ERR_END;
}

static enum err answer_receive(int fd, struct port_answer *out,
                               enum err (*receive)(int fd, uint8_t *buf, size_t cap, struct span *out))
{
    uint8_t octets[ANSWER_MAX];
    struct span message;
    enum err e = receive(fd, octets, sizeof octets, &message);

    if (e == OK)
        return answer_read_one(message, out);
    return e == ERR_MALFORMED ? ERR_END : e;
}

enum err port_ask(int fd, enum port_kind kind, uint64_t number, const char *key_id, struct span tbs)
{
    return question_send(fd, kind, number, key_id, tbs, wire_try_send);
}

enum err port_take(int fd, struct port_answer *out)
{
    return answer_receive(fd, out, wire_try_receive);
}

/* ---- several in a message ---- */

/* How many of the first fit. */
static size_t several_fit(const struct port_question *q, size_t n)
{
    size_t len = SEVERAL_HEAD, i;

    for (i = 0; i < n && i < PORT_SEVERAL_MAX; i++) {
        size_t more = SEVERAL_EACH + strlen(q[i].key_id) + q[i].tbs.len;

        if (more > WIRE_MSG_MAX - len)
            break;
        len += more;
    }
    return i;
}

static void several_write(struct buf *b, enum port_kind kind, const struct port_question *q, size_t n)
{
    buf_init(b, WIRE_MSG_MAX);
    buf_put_u8(b, PORT_SEVERAL);
    buf_put_u64(b, n);
    buf_put_u8(b, (uint8_t)kind);
    for (size_t i = 0; i < n; i++) {
        buf_put_u64(b, q[i].number);
        buf_put_blob(b, span_str(q[i].key_id));
        buf_put_blob(b, q[i].tbs);
    }
}

enum err port_ask_several(int fd, enum port_kind kind, const struct port_question *q, size_t n, size_t *sent)
{
    size_t fit = several_fit(q, n);
    struct buf b;
    enum err e;

    *sent = 0;
    if (fit <= 1) {
        e = port_ask(fd, kind, q->number, q->key_id, q->tbs);
        *sent = e == OK;
        return e;
    }
    several_write(&b, kind, q, fit);
    e = buf_end(&b);
    if (e == OK)
        e = wire_try_send(fd, buf_span(&b));
    if (e == OK)
        *sent = fit;
    buf_free(&b);
    return e;
}

enum err port_take_several(int fd, struct port_answers *out)
{
    uint8_t octets[SEVERAL_HEAD + PORT_SEVERAL_MAX * ANSWER_MAX];
    struct span message;
    enum err e = wire_try_receive(fd, octets, sizeof octets, &message);

    if (e == OK)
        return answers_read(message, out);
    return e == ERR_MALFORMED ? ERR_END : e;
}

/* ---- a streamed CRL ---- */

enum err port_crl_begin(int fd, uint64_t number, const char *key_id, uint64_t total_len)
{
    uint8_t octets[8];

    for (size_t i = sizeof octets; i-- > 0; total_len >>= 8)
        octets[i] = (uint8_t)total_len;
    return question_send(fd, PORT_CRL_BEGIN, number, key_id, span_of(octets, sizeof octets), wire_send);
}

enum err port_crl_data(int fd, uint64_t number, struct span piece)
{
    while (piece.len > 0) {
        struct span part = span_of(piece.data, piece.len < PORT_PIECE_MAX ? piece.len : PORT_PIECE_MAX);
        enum err e = question_send(fd, PORT_CRL_DATA, number, "", part, wire_send);

        if (e != OK)
            return e;
        piece = span_of(piece.data + part.len, piece.len - part.len);
    }
    return OK;
}

enum err port_crl_end(int fd, struct port_answer *out)
{
    return answer_receive(fd, out, wire_receive);
}
