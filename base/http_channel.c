/* SPDX-License-Identifier: Apache-2.0 */
/* http_channel: the octets of one connection, through TLS or not. It knows nothing of requests. */
#include "base/http_inner.h"

void channel_init(struct channel *k, struct stream *stream, struct tls_server *tls)
{
    *k = (struct channel){.stream = stream, .tls = tls != NULL ? tls_conn_new(tls) : NULL};
    buf_init(&k->certificate, CLIENT_CHAIN_MAX);
}

void channel_close(struct channel *k)
{
    stream_close(k->stream);
    tls_conn_free(k->tls);
    buf_free(&k->certificate);
}

/* ---- out ---- */

static void wire_put(struct channel *k, struct span octets)
{
    k->written += octets.len;
    stream_write(k->stream, octets);
}

static void tls_flush(struct channel *k)
{
    wire_put(k, tls_conn_output(k->tls));
    tls_conn_sent(k->tls);
}

bool channel_put(struct channel *k, struct span plain)
{
    if (k->tls == NULL) {
        wire_put(k, plain);
        return true;
    }
    if (tls_conn_write(k->tls, plain) != OK)
        return false;
    tls_flush(k);
    return true;
}

bool channel_put_file(struct channel *k, struct reply *p)
{
    size_t sent = k->tls == NULL ? reply_send_file(p, k->stream) : 0;

    k->written += sent;
    return sent > 0;
}

void channel_end(struct channel *k)
{
    if (k->tls != NULL) {
        tls_conn_end(k->tls);
        tls_flush(k);
    }
    stream_end(k->stream);
}

size_t channel_unsent(const struct channel *k)
{
    return stream_unsent(k->stream) + (k->tls != NULL ? tls_conn_held(k->tls) : 0);
}

bool channel_is_held(const struct channel *k)
{
    return k->tls != NULL && tls_conn_held(k->tls) > 0;
}

uint64_t channel_taken(struct channel *k)
{
    uint64_t before = k->taken;

    k->taken = k->written - stream_unsent(k->stream);
    return k->taken - before;
}

/* ---- in ---- */

/* Once: it may cease to be ready, and be it again. What came with the end of the handshake may have left it
 * unready already, but nothing plain comes before that end. */
static void certificate_take(struct channel *k, bool has_plain)
{
    if (k->is_certified || (!has_plain && !tls_conn_is_ready(k->tls)))
        return;
    k->is_certified = true;
    tls_conn_peer(k->tls, &k->certificate);
}

enum err channel_take(struct channel *k, struct span wire, struct buf *plain)
{
    size_t before = plain->len;
    enum err e;

    if (k->tls == NULL) {
        buf_put_span(plain, wire);
        return OK;
    }
    e = tls_conn_feed(k->tls, wire, plain);
    tls_flush(k); /* handshake or alert */
    certificate_take(k, plain->len > before);
    return e;
}
