/* SPDX-License-Identifier: Apache-2.0 */
/* Does HTTP over TLS begin, go on and end as it must, whatever the other end does? */
#include "tests/unit/base/tls_records.h"

#include <criterion/criterion.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

Test(tls_http, a_large_file_arrives_whole)
{
    struct id ec = id_new(EVP_EC_gen("P-256"), "ec");
    struct host *h = tls_host(&ec, NULL);
    struct tls_client c = tls_open(h);
    uint32_t word;
    size_t len;
    char *body;

    cr_assert_eq(SSL_connect(c.ssl), 1);
    tls_put(&c, GET("/file"));
    tls_put(&c, GET("/x"));
    body = tls_take(&c, &len);
    cr_assert_eq(len, 3u * 1024 * 1024 + 17);
    for (size_t i = 0; i < len / 4; i++) {
        memcpy(&word, body + 4 * i, 4);
        cr_assert_eq(word, i + 1);
    }
    free(body);
    body = tls_take(&c, &len);
    cr_assert_str_eq(body, "GET /x");
    free(body);
    tls_close(&c);
    host_stop(h);
    id_free(&ec);
}

Test(tls_http, the_end_is_announced_by_close_notify)
{
    struct id ec = id_new(EVP_EC_gen("P-256"), "ec");
    struct host *h = tls_host(&ec, NULL);
    struct tls_client c = tls_open(h);
    char octet;

    cr_assert_eq(SSL_connect(c.ssl), 1);
    tls_expect(&c, "GET /x HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n", "GET /x");
    cr_assert_eq(SSL_get_error(c.ssl, SSL_read(c.ssl, &octet, 1)), SSL_ERROR_ZERO_RETURN);
    tls_close(&c);
    host_stop(h);
    id_free(&ec);
}

Test(tls_http, a_refusal_is_readable_while_the_client_still_sends)
{
    static char body[200000];
    struct id ec = id_new(EVP_EC_gen("P-256"), "ec");
    struct host *h = tls_host(&ec, NULL);
    struct tls_client c = tls_open(h);
    char head[16] = {0};

    cr_assert_eq(SSL_connect(c.ssl), 1);
    tls_put(&c, "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 200000\r\n\r\n");
    cr_assert_eq(SSL_write(c.ssl, body, sizeof body), (int)sizeof body);
    cr_assert_eq(SSL_read(c.ssl, head, 12), 12);
    cr_assert_str_eq(head, "HTTP/1.1 413");
    tls_close(&c);
    host_stop(h);
    id_free(&ec);
}

Test(tls_http, plain_http_is_closed_without_an_answer_of_ours)
{
    struct id ec = id_new(EVP_EC_gen("P-256"), "ec");
    struct host *h = tls_host(&ec, NULL);
    int fd = client_open(h);
    char got[256];
    ssize_t n, all = 0;

    client_put(fd, GET("/x"));
    while ((n = read(fd, got, sizeof got)) > 0)
        all += n;
    cr_assert(all < 16, "an alert at most");
    cr_assert_eq(atomic_load(&h->handled), 0);
    close(fd);
    host_stop(h);
    id_free(&ec);
}

Test(tls_http, a_handshake_that_drips_is_cut_off)
{
    struct http_limits hasty = HOST_LIMITS;
    struct id ec = id_new(EVP_EC_gen("P-256"), "ec");
    struct host *h;
    int64_t start;
    int fd;

    hasty.header_ms = 200;
    h = host_start(server_of(&ec, NULL, ""), &hasty);
    start = now_ms();
    fd = client_open(h);
    client_put_octets(fd, "\x16\x03\x01\x02", 4); /* a record of 513 octets, one of them every 20 ms */
    cr_assert(client_drip(fd, "\x01") < CLIENT_PATIENCE_MS);
    cr_assert(client_is_closed(fd));
    cr_assert(now_ms() - start >= 150);
    close(fd);
    host_stop(h);
    id_free(&ec);
}

Test(tls_http, a_new_identity_serves_new_connections_and_leaves_old_ones)
{
    struct id first = id_new(EVP_EC_gen("P-256"), "first"), second = id_new(EVP_EC_gen("P-256"), "second");
    struct host *h = tls_host(&first, NULL);
    struct tls_client old = tls_open(h), new;
    X509 *x;

    cr_assert_eq(SSL_connect(old.ssl), 1);
    atomic_store(&h->next_tls, server_of(&second, NULL, ""));
    tls_expect(&old, GET("/rotate"), "GET /rotate");
    new = tls_open(h);
    cr_assert_eq(SSL_connect(new.ssl), 1);
    x = SSL_get1_peer_certificate(new.ssl);
    cr_assert_eq(X509_cmp(x, second.x), 0);
    X509_free(x);
    tls_expect(&old, GET("/x"), "GET /x");
    tls_expect(&new, GET("/y"), "GET /y");
    tls_close(&old);
    tls_close(&new);
    host_stop(h);
    id_free(&first);
    id_free(&second);
}

/* ---- messages after the handshake ---- */

/* The server has read all that was written before: its socket was ready before this one's request was. */
static void let_it_read(const struct host *h)
{
    struct tls_client c = tls_open(h);

    cr_assert_eq(SSL_connect(c.ssl), 1);
    tls_expect(&c, GET("/x"), "GET /x");
    tls_close(&c);
}

static void expect_body(struct tls_client *c, const char *expected)
{
    size_t len;
    char *body = tls_take(c, &len);

    cr_assert_not_null(body);
    cr_assert_str_eq(body, expected);
    free(body);
}

/* As the answer to GET /certificate. */
static void expect_certificate(struct tls_client *c, const struct id *user)
{
    unsigned char *der = NULL;
    int der_len = i2d_X509(user->x, &der);
    size_t len;
    char *body = tls_take(c, &len);

    cr_assert_not_null(body);
    cr_assert(span_eq(span_of(body, len), span_of(der, (size_t)der_len)));
    free(body);
    OPENSSL_free(der);
}

/* A client with a certificate, whose records from here on are written by hand. */
static struct tls_client new_by_hand(const struct host *h, const struct id *user, struct tls_records *r)
{
    struct tls_client c = tls_open(h);

    records_listen(r, &c);
    SSL_use_certificate(c.ssl, user->x);
    SSL_use_PrivateKey(c.ssl, user->key);
    return c;
}

static struct tls_client open_by_hand(const struct host *h, const struct id *user, struct tls_records *r)
{
    struct tls_client c = new_by_hand(h, user, r);

    cr_assert_eq(SSL_connect(c.ssl), 1);
    return c;
}

static void add_written(struct tls_records *r, BIO *out)
{
    char *data;
    long n = BIO_get_mem_data(out, &data);

    cr_assert(n > 0);
    buf_put(&r->out, data, (size_t)n);
    BIO_reset(out);
}

/* The same, but its Certificate to Finished are yet to be sent. */
static struct tls_client open_held_back(const struct host *h, const struct id *user, struct tls_records *r)
{
    struct tls_client c = new_by_hand(h, user, r);
    BIO *out = BIO_new(BIO_s_mem());

    SSL_set_bio(c.ssl, BIO_new(BIO_s_mem()), out); /* nothing to read yet */
    cr_assert_eq(SSL_connect(c.ssl), -1);
    add_written(r, out);
    records_send(r);
    cr_assert_eq(SSL_set_rfd(c.ssl, c.fd), 1);
    cr_assert_eq(SSL_connect(c.ssl), 1);
    add_written(r, out);
    return c;
}

static void add_request(struct tls_records *r, const char *request)
{
    records_add(r, SSL3_RT_APPLICATION_DATA, request, strlen(request));
}

/* RFC 8446 5.1 lets a handshake message be split over records. */
static void add_update_begin(struct tls_records *r)
{
    records_add(r, SSL3_RT_HANDSHAKE, KEY_UPDATE, KEY_UPDATE_LEN - 1);
}

static void add_update_end(struct tls_records *r)
{
    records_add(r, SSL3_RT_HANDSHAKE, KEY_UPDATE + KEY_UPDATE_LEN - 1, 1);
    records_next_keys(r);
}

/* What was to be sent goes with its first part. */
static void send_split_update(struct tls_records *r, const struct host *h)
{
    add_update_begin(r);
    records_send(r);
    let_it_read(h);
    add_update_end(r);
    records_send(r);
}

Test(tls_http, the_certificate_is_taken_once_whatever_comes_after_the_handshake)
{
    struct id ec = id_new(EVP_EC_gen("P-256"), "ec"), user = id_new(EVP_EC_gen("P-256"), "user");
    struct host *h = tls_host(&ec, NULL);
    struct tls_records r;
    struct tls_client c = open_by_hand(h, &user, &r);

    for (int i = 0; i < 3; i++) {
        add_request(&r, GET("/certificate"));
        records_send(&r);
        expect_certificate(&c, &user);
        send_split_update(&r, h);
    }
    records_free(&r);
    tls_close(&c);
    host_stop(h);
    id_free(&ec);
    id_free(&user);
}

/* The connection is not ready then, but the client has proven its key. */
Test(tls_http, the_certificate_is_taken_with_a_split_message_behind_the_handshake)
{
    struct id ec = id_new(EVP_EC_gen("P-256"), "ec"), user = id_new(EVP_EC_gen("P-256"), "user");
    struct host *h = tls_host(&ec, NULL);
    struct tls_records r;
    struct tls_client c = open_held_back(h, &user, &r);

    add_request(&r, GET("/certificate"));
    send_split_update(&r, h);
    expect_certificate(&c, &user);
    records_free(&r);
    tls_close(&c);
    host_stop(h);
    id_free(&ec);
    id_free(&user);
}

/* Nor any request: what is left out here is the record of Finished. */
Test(tls_http, no_certificate_is_taken_before_the_end_of_the_handshake)
{
    struct id ec = id_new(EVP_EC_gen("P-256"), "ec");
    struct host *h = tls_host(&ec, NULL);
    struct tls_records r;
    struct tls_client c = open_held_back(h, &ec, &r);
    size_t at = 0, next = 0, len;

    while (next < r.out.len) {
        at = next;
        next += 5u + (r.out.data[at + 3] << 8 | r.out.data[at + 4]);
    }
    cr_assert_eq(next - at, 5 + 4 + 32 + 1 + 16, "SHA-256, its type and a tag");
    r.out.len = at;
    add_request(&r, GET("/certificate"));
    records_send(&r);
    cr_assert_null(tls_take(&c, &len));
    cr_assert_eq(atomic_load(&h->handled), 0);
    records_free(&r);
    tls_close(&c);
    host_stop(h);
    id_free(&ec);
}

/* libssl writes nothing then, and RFC 8446 does not forbid it. */
Test(tls_http, an_answer_waits_for_the_end_of_a_split_message)
{
    struct id ec = id_new(EVP_EC_gen("P-256"), "ec");
    struct host *h = tls_host(&ec, NULL);
    struct tls_records r;
    struct tls_client c = open_by_hand(h, &ec, &r);
    size_t len;
    char *body;

    add_request(&r, GET("/file"));
    send_split_update(&r, h);
    body = tls_take(&c, &len);
    cr_assert_not_null(body);
    cr_assert_eq(len, 3u * 1024 * 1024 + 17);
    free(body);
    add_request(&r, GET("/x"));
    send_split_update(&r, h);
    expect_body(&c, "GET /x");
    records_free(&r);
    tls_close(&c);
    host_stop(h);
    id_free(&ec);
}

/* The requests behind it must not keep the end of the message from being read. */
Test(tls_http, answers_wait_for_the_end_of_a_split_message_in_order)
{
    struct id ec = id_new(EVP_EC_gen("P-256"), "ec");
    struct host *h = tls_host(&ec, NULL);
    struct tls_records r;
    struct tls_client c = open_by_hand(h, &ec, &r);

    add_request(&r, GET("/x"));
    add_request(&r, GET("/y"));
    add_request(&r, GET("/z"));
    send_split_update(&r, h);
    expect_body(&c, "GET /x");
    expect_body(&c, "GET /y");
    expect_body(&c, "GET /z");
    records_free(&r);
    tls_close(&c);
    host_stop(h);
    id_free(&ec);
}

/* Some 60 KiB of requests. */
static void add_requests(struct tls_records *r)
{
    char request[1024];

    snprintf(request, sizeof request, "GET /x HTTP/1.1\r\nHost: a\r\nX-Test: %0900d\r\n\r\n", 0);
    for (int i = 0; i < 60; i++)
        add_request(r, request);
}

/* Between the end of one message and the beginning of the next: what is read while an answer waits is kept,
 * and must have a bound. */
Test(tls_http, requests_among_split_messages_are_held_up)
{
    struct id ec = id_new(EVP_EC_gen("P-256"), "ec");
    struct host *h = tls_host(&ec, NULL); /* which closes nothing meanwhile */
    struct tls_records r;
    struct tls_client c = open_by_hand(h, &ec, &r);

    add_request(&r, GET("/file"));
    for (int i = 0; i < 8; i++) {
        add_update_begin(&r);
        records_send(&r);
        let_it_read(h);
        add_update_end(&r);
        add_requests(&r);
    }
    records_free(&r);
    tls_close(&c);
    let_it_read(h);
    host_stop(h);
    id_free(&ec);
}

static void send_updates(struct tls_records *r, const char *message, int count)
{
    while (count-- > 0) {
        records_add(r, SSL3_RT_HANDSHAKE, message, KEY_UPDATE_LEN);
        records_next_keys(r);
    }
    records_send(r);
}

Test(tls_http, new_keys_are_taken_and_given)
{
    struct id ec = id_new(EVP_EC_gen("P-256"), "ec");
    struct host *h = tls_host(&ec, NULL);
    struct tls_records r;
    struct tls_client c = open_by_hand(h, &ec, &r);
    size_t len;
    char *body;

    for (int i = 0; i < 20; i++) {
        send_updates(&r, KEY_UPDATE_ASKED, 4);
        add_request(&r, GET("/x"));
        records_send(&r);
        body = tls_take(&c, &len);
        cr_assert_not_null(body, "round %d", i);
        cr_assert_str_eq(body, "GET /x");
        free(body);
    }
    records_free(&r);
    tls_close(&c);
    host_stop(h);
    id_free(&ec);
}

/* Each takes the loop a while, and thousands fit into what it reads at once. */
Test(tls_http, new_keys_without_end_are_the_end)
{
    static const char *const messages[] = {KEY_UPDATE, KEY_UPDATE_ASKED};
    struct id ec = id_new(EVP_EC_gen("P-256"), "ec");
    struct host *h = tls_host(&ec, NULL);

    for (size_t i = 0; i < 2; i++) {
        struct tls_records r;
        struct tls_client c = open_by_hand(h, &ec, &r);
        size_t len;

        send_updates(&r, messages[i], 1000);
        add_request(&r, GET("/x"));
        records_send(&r);
        cr_assert_null(tls_take(&c, &len));
        records_free(&r);
        tls_close(&c);
    }
    cr_assert_eq(atomic_load(&h->handled), 0);
    host_stop(h);
    id_free(&ec);
}

/* Within 20 ms. */
static bool says_something(const struct tls_client *c)
{
    return poll(&(struct pollfd){.fd = c->fd, .events = POLLIN}, 1, 20) == 1;
}

/* They move no deadline: whole requests alone do. */
Test(tls_http, new_keys_keep_no_connection_open)
{
    struct http_limits hasty = HOST_LIMITS;
    struct id ec = id_new(EVP_EC_gen("P-256"), "ec");
    struct host *h;
    struct tls_records r;
    struct tls_client c;
    int64_t start;
    bool is_over;
    size_t len;
    char *body;

    hasty.idle_ms = 300;
    h = host_start(server_of(&ec, NULL, ""), &hasty);
    c = open_by_hand(h, &ec, &r);
    start = now_ms(); /* the server's time begins later, with its answer */
    add_request(&r, GET("/x"));
    records_send(&r);
    body = tls_take(&c, &len);
    cr_assert_not_null(body);
    free(body);
    while (!(is_over = says_something(&c)) && now_ms() - start < CLIENT_PATIENCE_MS)
        send_updates(&r, KEY_UPDATE, 1);
    cr_assert(is_over && now_ms() - start >= 200);
    cr_assert_null(tls_take(&c, &len));
    records_free(&r);
    tls_close(&c);
    host_stop(h);
    id_free(&ec);
}
