/* SPDX-License-Identifier: Apache-2.0 */
/* http_reply: status line, fields and body into one buffer (RFC 9112 4 and 6), and a file in pieces behind
 * it. */
#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/http_inner.h"
#include "base/log.h"

#define FILE_ROUND (256u * 1024) /* octets of a file at once: a socket's queue takes no more */

static const struct {
    unsigned status;
    const char *text;
} reasons[] = {
    {200, "OK"},
    {201, "Created"},
    {202, "Accepted"},
    {204, "No Content"},
    {206, "Partial Content"},
    {304, "Not Modified"},
    {400, "Bad Request"},
    {401, "Unauthorized"},
    {403, "Forbidden"},
    {404, "Not Found"},
    {405, "Method Not Allowed"},
    {406, "Not Acceptable"},
    {408, "Request Timeout"},
    {409, "Conflict"},
    {412, "Precondition Failed"},
    {413, "Content Too Large"},
    {415, "Unsupported Media Type"},
    {416, "Range Not Satisfiable"},
    {422, "Unprocessable Content"},
    {429, "Too Many Requests"},
    {431, "Request Header Fields Too Large"},
    {500, "Internal Server Error"},
    {501, "Not Implemented"},
    {503, "Service Unavailable"},
    {505, "HTTP Version Not Supported"},
};

const char *http_reason(unsigned status)
{
    for (size_t i = 0; i < sizeof reasons / sizeof *reasons; i++)
        if (reasons[i].status == status)
            return reasons[i].text;
    return ""; /* RFC 9112 4: may be empty */
}

#define HEAD_USUAL 512u /* octets of a status line and its fields: memory is taken once */

static bool status_has_body(unsigned status)
{
    return status != 204 && status != 304;
}

/* A field that could split the answer, or one that is ours to write, is a bug of the caller. */
static void check_field(const struct http_field *f)
{
    assert(f->name[0] != '\0' && strpbrk(f->name, "\r\n: ") == NULL);
    assert(strpbrk(f->value, "\r\n") == NULL);
    assert(strcasecmp(f->name, "Content-Length") != 0 && strcasecmp(f->name, "Date") != 0 &&
           strcasecmp(f->name, "Connection") != 0 && strcasecmp(f->name, "Transfer-Encoding") != 0);
}

struct head {
    unsigned status;
    const struct http_field *fields;
    uint64_t length;
    const char *connection; /* NULL: nothing to say */
};

static void put_field(struct buf *out, const char *name, const char *value)
{
    buf_put_str(out, name);
    buf_put(out, ": ", 2);
    buf_put_str(out, value);
    buf_put(out, "\r\n", 2);
}

/* By hand, not by buf_printf: on a short answer that would be a tenth of the whole work. */
static void put_number(struct buf *out, uint64_t n)
{
    char digits[20];
    size_t at = sizeof digits;

    do
        digits[--at] = (char)('0' + n % 10);
    while ((n /= 10) > 0);
    buf_put(out, digits + at, sizeof digits - at);
}

static void put_head(struct buf *out, const struct head *h)
{
    char date[CLOCK_TEXT_MAX];

    assert(h->status >= 200 && h->status <= 599);
    clock_http(clock_now_s(), date);
    buf_put_str(out, "HTTP/1.1 ");
    put_number(out, h->status);
    buf_put_u8(out, ' ');
    buf_put_str(out, http_reason(h->status));
    buf_put(out, "\r\n", 2);
    put_field(out, "Date", date);
    for (const struct http_field *f = h->fields; f != NULL && f->name != NULL; f++) {
        check_field(f);
        put_field(out, f->name, f->value);
    }
    /* RFC 9110 8.6: never with 204; left out of 304, where it speaks of another answer */
    if (status_has_body(h->status)) {
        buf_put_str(out, "Content-Length: ");
        put_number(out, h->length);
        buf_put(out, "\r\n", 2);
    }
    if (h->connection != NULL)
        put_field(out, "Connection", h->connection);
    buf_put(out, "\r\n", 2);
}

static void reply_init(struct reply *p)
{
    *p = (struct reply){.fd = -1};
    buf_init(&p->out, SIZE_MAX / 2);
}

/* Everything but the body, which the caller adds. */
static void reply_begin(struct reply *p, const struct http_request *r, unsigned status,
                        const struct http_field *fields, uint64_t length)
{
    struct head h = {.status = status, .fields = fields, .length = length};

    reply_init(p);
    buf_reserve(&p->out, HEAD_USUAL + (length < HTTP_PIECE ? length : 0));
    p->closes = !r->keeps_alive || conn_is_draining(r->conn);
    if (p->closes)
        h.connection = "close";
    else if (r->is_http10)
        h.connection = "keep-alive";
    put_head(&p->out, &h);
}

void http_reply(struct http_request *r, unsigned status, const struct http_field *fields, struct span body)
{
    struct conn *c = r->conn;
    struct reply *p;

    if (c != NULL) {
        p = conn_reply(c, r);
        reply_begin(p, r, status, fields, body.len);
        if (!r->is_head && status_has_body(status))
            buf_put_span(&p->out, body);
    }
    request_free(r);
    if (c != NULL)
        conn_answer(c);
}

void http_reply_file(struct http_request *r, unsigned status, const struct http_field *fields, int fd,
                     off_t offset, uint64_t len)
{
    struct conn *c = r->conn;
    bool has_body = c != NULL && !r->is_head && status_has_body(status) && len > 0;
    struct reply *p;

    if (c != NULL) {
        p = conn_reply(c, r);
        reply_begin(p, r, status, fields, len);
        p->fd = has_body ? fd : -1;
        p->offset = offset;
        p->left = has_body ? len : 0;
    }
    if (!has_body)
        close(fd);
    request_free(r);
    if (c != NULL)
        conn_answer(c);
}

void reply_refuse(struct reply *p, const struct http_handlers *h, unsigned status, const char *detail,
                  bool is_head)
{
    struct http_error e = {0};
    struct head head = {.status = status, .connection = "close", .fields = e.fields};

    buf_init(&e.body, HTTP_PIECE);
    if (h->error != NULL)
        h->error(status, detail, &e, h->arg);
    head.length = e.body.len;
    reply_init(p);
    p->closes = true;
    put_head(&p->out, &head);
    if (!is_head)
        buf_put_span(&p->out, buf_span(&e.body));
    buf_free(&e.body);
}

bool reply_is_over(const struct reply *p)
{
    return p->at == p->out.len && p->left == 0;
}

/* Reads on in the file until a piece is full, so that the head and a small file are one write. */
static bool reply_fill(struct reply *p)
{
    size_t have = p->out.len - p->at, want = HTTP_PIECE - have;
    uint8_t *to;
    ssize_t n;

    if (want > p->left)
        want = (size_t)p->left;
    if (have == 0) {
        buf_reset(&p->out);
        p->at = 0;
    }
    to = buf_grow(&p->out, want);
    do
        n = pread(p->fd, to, want, p->offset);
    while (n < 0 && errno == EINTR);
    if (n <= 0) {
        log_error("http-file", "%s", n == 0 ? "the file is shorter than announced" : strerror(errno));
        return false;
    }
    p->out.len -= want - (size_t)n;
    p->offset += n;
    p->left -= (uint64_t)n;
    return true;
}

struct span reply_next(struct reply *p)
{
    struct span piece;

    if (p->left > 0 && p->out.len - p->at < HTTP_PIECE && !reply_fill(p))
        return span_of(NULL, 0);
    piece = span_of(p->out.data + p->at, p->out.len - p->at);
    if (piece.len > HTTP_PIECE)
        piece.len = HTTP_PIECE;
    p->at += piece.len;
    return piece;
}

size_t reply_send_file(struct reply *p, struct stream *s)
{
    size_t n;

    if (p->at < p->out.len || p->left == 0)
        return 0;
    n = stream_send_file(s, p->fd, &p->offset, p->left < FILE_ROUND ? (size_t)p->left : FILE_ROUND);
    p->left -= n;
    return n;
}

void reply_free(struct reply *p)
{
    if (p->fd >= 0)
        close(p->fd);
    buf_free(&p->out);
    *p = (struct reply){.fd = -1};
}
