/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tls: the server side of TLS 1.2 and 1.3 on OpenSSL, as a filter over octets: http.c feeds it what arrived
 * and sends what it gives. Forward-secret AEAD suites only. A client certificate is asked for and never
 * required here: who it is, is decided above, where it can be explained (a handshake alert explains nothing).
 * Any chain is let through the handshake and handed up as its leaf's DER; possession of its key is proven by
 * TLS. Any but those that are expensive: libssl decodes a whole chain before it asks anybody, so one with a
 * key on a curve spelt out by its parameters (base/alg.h), of more than five certificates or of more than 10
 * KiB ends the handshake, and so does a leaf whose signature takes long to verify, by an RSA exponent above
 * 2^31 - 1 or a key that is neither RSA, EC, Ed25519 nor Ed448. The most expensive that is left takes 4 ms.
 * Who sends many messages of the handshake's kind at once, new keys (RFC 8446 4.6.3) or attempts to
 * renegotiate, is cut off. Thread rule: one thread, the loop's.
 */
#ifndef BASE_TLS_H
#define BASE_TLS_H

#include "base/buf.h"

/* Octets of a client's certificate message, which libssl decodes before a login is known: leaf and three CAs
 * with RSA 4096 and long policies. The leaf alone is used (docs/access.md), but clients send their chain. */
#define CLIENT_CHAIN_MAX (10 * 1024)
#define HELD_MAX (128u * 1024) /* a piece of an answer, and what is said in between */

struct tls_server; /* certificates, keys and suites: shared by connections */

/* One key and its chain (PEM: leaf first). An RSA and an EC one may both be given; the handshake picks. */
struct tls_identity {
    struct span chain_pem;
    struct span key_pem;
};

/* ERR_KEY with a fault when a key does not fit its certificate. Client CA names are sent as the hint of whom
 * we accept (ca_pem: concatenated PEM, may be empty). */
enum err tls_server_new(const struct tls_identity *ids, size_t n, struct span ca_pem, struct tls_server **out,
                        struct fault *f);
/* Connections that exist keep the old one (it is reference-counted). */
void tls_server_free(struct tls_server *s);

/* ---- for http.c: one connection, a filter between the octets of the wire and the plain ones. Never blocks.
 * ---- */

struct tls_conn;
struct tls_conn *tls_conn_new(const struct tls_server *s);
void tls_conn_free(struct tls_conn *c); /* NULL is fine */

/* Takes what arrived; appends what it decrypts to, none of it from before the end of the handshake. ERR_END:
 * the peer closed its side; ERR_MALFORMED: handshake or record refused, nothing but the alert in the output
 * may follow. After each call send tls_conn_output(). */
enum err tls_conn_feed(struct tls_conn *c, struct span wire, struct buf *plain);
/* Encrypts into the output; ERR_IO after a fatal error. While it is not ready libssl encrypts nothing: it is
 * kept, and goes into the output of the tls_conn_feed() that makes it ready. HELD_MAX octets: ask before. */
enum err tls_conn_write(struct tls_conn *c, struct span plain);
size_t tls_conn_held(const struct tls_conn *c); /* octets that are kept so */
void tls_conn_end(struct tls_conn *c);          /* puts close_notify into the output */
/* What waits to be sent, borrowed until the next call; then tls_conn_sent() forgets all of it. */
struct span tls_conn_output(const struct tls_conn *c);
void tls_conn_sent(struct tls_conn *c);

/* The handshake is complete, and no later message is half here (RFC 8446 5.1): it may cease for a while. */
bool tls_conn_is_ready(const struct tls_conn *c);
/* Appends the client's leaf, nothing when it sent none. Its key is proven once the connection has been ready
 * or has given something. */
void tls_conn_peer(const struct tls_conn *c, struct buf *der);

#endif
