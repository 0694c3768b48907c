/* SPDX-License-Identifier: Apache-2.0 */
/*
 * http: octets to requests, by llhttp in its strict mode with every leniency off. What llhttp 8.1 still lets
 * through is refused beside it: a guard over the lines of the header block (bare CR or LF, folded lines, the
 * block's length), which must also agree with llhttp on where the block ends; and rules on version, method,
 * Host, target and transfer coding.
 */
#include <assert.h>
#include <llhttp.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/http_inner.h"
#include "base/log.h"

static_assert(LLHTTP_STRICT_MODE,
              "llhttp must be compiled in its strict mode: loose, it takes a bare CR as a line end");

/* Octets around the content of a chunked body: a chunk of one octet has five, and trailers are as a header
 * block. */
#define FRAMING_RATIO 8

#define WRONG_VERSION "The version is neither HTTP/1.1 nor HTTP/1.0."

/* ---- the lines of the header block, RFC 9112 2.2 and 5.2 ---- */

struct lines {
    size_t octets, count; /* count: complete lines that are not empty */
    bool is_inside;       /* a line has begun */
    bool is_after_cr;
    bool is_over; /* the empty line that ends the block has been seen */
};

/* Goes through `in` up to the end of the block; the octets seen go to *used. Gives the status of a refusal or
 * 0. */
static unsigned lines_scan(struct lines *l, struct span in, size_t max, size_t *used)
{
    size_t n = 0;

    while (n < in.len && !l->is_over) {
        uint8_t c = in.data[n++];

        if (++l->octets > max)
            return 431;
        if (l->is_after_cr != (c == '\n'))
            return 400;
        l->is_after_cr = c == '\r';
        if (c == '\n') {
            l->is_over = !l->is_inside && l->count > 0;
            l->count += l->is_inside;
            l->is_inside = false;
        } else if (c != '\r') {
            if (!l->is_inside && (c == ' ' || c == '\t'))
                return 400;
            l->is_inside = true;
        }
    }
    *used = n;
    return 0;
}

/* ---- the intake ---- */

struct intake {
    llhttp_t parser;
    const struct http_limits *limits;
    const struct http_handlers *handlers;
    const struct http_peer *peer;
    enum intake_stage stage;
    struct lines lines;
    struct http_request *request;
    size_t name, value; /* where the field under way begins in the request's text */
    size_t body_max;
    size_t body_octets;  /* with the framing */
    uint8_t first, last; /* octet of the request, octet taken */
    bool is_chunked, is_complete, wants_continue;
    unsigned status; /* of a refusal */
    const char *detail;
};

static int refuse(struct intake *i, unsigned status, const char *detail)
{
    if (i->status == 0) {
        i->status = status;
        i->detail = detail;
    }
    return -1;
}

/* ---- what llhttp tells ---- */

static int on_url(llhttp_t *p, const char *at, size_t len)
{
    struct intake *i = p->data;

    buf_put(&i->request->text, at, len);
    return 0;
}

static int on_url_complete(llhttp_t *p)
{
    struct intake *i = p->data;

    buf_put_u8(&i->request->text, 0);
    i->name = i->request->text.len;
    return 0;
}

static int on_name(llhttp_t *p, const char *at, size_t len)
{
    struct intake *i = p->data;

    if (i->stage == INTAKE_HEADER) /* trailers are dropped, RFC 9110 6.5.1 */
        buf_put(&i->request->text, at, len);
    return 0;
}

static int on_name_complete(llhttp_t *p)
{
    struct intake *i = p->data;

    if (i->stage != INTAKE_HEADER)
        return 0;
    if (i->request->text.len == i->name)
        return refuse(i, 400, "A header field has no name.");
    buf_put_u8(&i->request->text, 0);
    i->value = i->request->text.len;
    return 0;
}

static int on_value(llhttp_t *p, const char *at, size_t len)
{
    return on_name(p, at, len);
}

static int on_value_complete(llhttp_t *p)
{
    struct intake *i = p->data;
    struct buf *text = &i->request->text;

    if (i->stage != INTAKE_HEADER)
        return 0;
    while (text->len > i->value && (text->data[text->len - 1] == ' ' || text->data[text->len - 1] == '\t'))
        text->len--;
    buf_put_u8(text, 0);
    request_add_field(i->request, i->name, i->value);
    i->name = text->len;
    return 0;
}

static bool host_is_valid(const char *host)
{
    static const char allowed[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
                                  "-._~%!$&'()*+,;=:[]"; /* RFC 3986 3.2.2 and the port */

    return host[strspn(host, allowed)] == '\0';
}

static int check_host(struct intake *i)
{
    size_t n = request_count_field(i->request, "Host");

    if (n > 1)
        return refuse(i, 400, "There is more than one Host field.");
    if (n == 0)
        return i->request->is_http10 ? 0 : refuse(i, 400, "There is no Host field.");
    return host_is_valid(http_header(i->request, "Host")) ? 0
                                                          : refuse(i, 400, "The Host field is not a host.");
}

static int check_coding(struct intake *i)
{
    const char *coding = http_header(i->request, "Transfer-Encoding");

    if (coding == NULL)
        return 0;
    if (i->request->is_http10)
        return refuse(i, 400, "HTTP/1.0 has no Transfer-Encoding.");
    return strcasecmp(coding, "chunked") == 0 ? 0 : refuse(i, 501, "The only transfer coding is chunked.");
}

static int check_length(struct intake *i, uint64_t length)
{
    i->body_max = i->handlers->body_max != NULL ? i->handlers->body_max(i->request, i->handlers->arg) : 0;
    return length <= i->body_max ? 0 : refuse(i, 413, "The body is larger than its limit.");
}

static bool expects_continue(const struct http_request *r)
{
    const char *expect = http_header(r, "Expect");

    return expect != NULL && strcasecmp(expect, "100-continue") == 0 && !r->is_http10;
}

static int on_header_block(llhttp_t *p)
{
    struct intake *i = p->data;
    struct http_request *r = i->request;

    if (p->http_major != 1 || p->http_minor > 1)
        return refuse(i, 505, WRONG_VERSION);
    if (p->method > HTTP_UNLINK || p->method == HTTP_CONNECT) /* beyond: RTSP and the like */
        return refuse(i, 501, "This method is not implemented.");
    r->is_http10 = p->http_minor == 0;
    r->is_head = p->method == HTTP_HEAD;
    r->method = llhttp_method_name(r->is_head ? HTTP_GET : (llhttp_method_t)p->method);
    r->keeps_alive = llhttp_should_keep_alive(p) != 0;
    if (check_host(i) != 0 || check_coding(i) != 0)
        return -1;
    if (!request_set_target(r, p->method == HTTP_OPTIONS))
        return refuse(i, 400, "The request target is not a path.");
    i->is_chunked = (p->flags & F_CHUNKED) != 0;
    if (check_length(i, i->is_chunked ? 0 : p->content_length) != 0)
        return -1;
    buf_free(&r->body);
    buf_init(&r->body, i->body_max);
    i->wants_continue = (i->is_chunked || p->content_length > 0) && expects_continue(r);
    p->upgrade = 0; /* nothing is offered: an Upgrade is ignored, RFC 9110 7.8 */
    i->stage = INTAKE_BODY;
    return 0;
}

static int on_body(llhttp_t *p, const char *at, size_t len)
{
    struct intake *i = p->data;

    if (len > i->body_max - i->request->body.len)
        return refuse(i, 413, "The body is larger than its limit.");
    buf_put(&i->request->body, at, len);
    return 0;
}

static int on_whole(llhttp_t *p)
{
    struct intake *i = p->data;

    i->is_complete = true;
    return HPE_PAUSED; /* what follows is another request, for later */
}

static const llhttp_settings_t settings = {
    .on_url = on_url,
    .on_url_complete = on_url_complete,
    .on_header_field = on_name,
    .on_header_field_complete = on_name_complete,
    .on_header_value = on_value,
    .on_header_value_complete = on_value_complete,
    .on_headers_complete = on_header_block,
    .on_body = on_body,
    .on_message_complete = on_whole,
};

/* ---- feeding ---- */

struct intake *intake_new(const struct http_limits *limits, const struct http_handlers *handlers,
                          const struct http_peer *peer)
{
    struct intake *i = xcalloc(1, sizeof *i);

    i->limits = limits;
    i->handlers = handlers;
    i->peer = peer;
    return i;
}

void intake_free(struct intake *i)
{
    if (i == NULL)
        return;
    request_free(i->request);
    free(i);
}

static void intake_begin(struct intake *i, uint8_t first)
{
    llhttp_init(&i->parser, HTTP_REQUEST, &settings);
    i->parser.data = i;
    i->request = request_new(i->peer, i->limits->header_max);
    i->stage = INTAKE_HEADER;
    i->first = first;
}

/* The status for what llhttp itself refuses. */
static void refuse_parsed(struct intake *i, llhttp_errno_t e)
{
    const char *why = llhttp_get_error_reason(&i->parser);

    if (e == HPE_INVALID_METHOD && i->first >= 'A' && i->first <= 'Z')
        refuse(i, 501, "This method is not implemented.");
    else if (e == HPE_INVALID_VERSION || e == HPE_PAUSED_H2_UPGRADE)
        refuse(i, 505, WRONG_VERSION);
    else if (e == HPE_INVALID_CONTENT_LENGTH && why != NULL && strcmp(why, "Content-Length overflow") == 0)
        refuse(i, 413, "The body is larger than its limit."); /* a number like others, and too large */
    else
        refuse(i, 400, why != NULL ? why : "This is not HTTP.");
}

static enum intake_step take_header(struct intake *i, struct span in, size_t *used)
{
    unsigned status = lines_scan(&i->lines, in, i->limits->header_max, used);
    llhttp_errno_t e;

    if (status == 431)
        refuse(i, 431, "The header block is larger than its limit.");
    else if (status != 0)
        refuse(i, 400, "A line of the header is folded, or ended by a lone CR or LF.");
    if (status != 0)
        return INTAKE_REFUSED;
    e = llhttp_execute(&i->parser, (const char *)in.data, *used);
    if (e != HPE_OK && (e != HPE_PAUSED || !i->is_complete))
        refuse_parsed(i, e);
    else if (i->lines.count > 0 && i->parser.http_major != 1) /* known by the first line: 0.9 has no other */
        refuse(i, 505, WRONG_VERSION);
    else if (i->lines.is_over != (i->stage == INTAKE_BODY))
        refuse(i, 400, "It is not clear where the header ends.");
    if (i->status != 0)
        return INTAKE_REFUSED;
    if (i->is_complete)
        return INTAKE_WHOLE;
    return i->wants_continue ? INTAKE_CONTINUE : INTAKE_MORE;
}

/* Chunks of one octet each, endless extensions and trailers have a bound as well. */
static void check_framing(struct intake *i)
{
    size_t framing = i->body_octets - i->request->body.len;

    if (framing > i->limits->header_max && (framing - i->limits->header_max) / FRAMING_RATIO > i->body_max)
        refuse(i, 400, "The body is more framing than content.");
}

/* Where llhttp paused: behind the last octet of the body, which with chunks is the LF of an empty line. */
static size_t body_end(struct intake *i, struct span in)
{
    const uint8_t *end = (const uint8_t *)llhttp_get_error_pos(&i->parser);
    size_t used = (size_t)(end - in.data);
    uint8_t before = used >= 2 ? end[-2] : i->last;

    if (i->is_chunked && before != '\r')
        refuse(i, 400, "The chunked body is ended by a lone LF.");
    return used;
}

static enum intake_step take_body(struct intake *i, struct span in, size_t *used)
{
    llhttp_errno_t e = llhttp_execute(&i->parser, (const char *)in.data, in.len);
    bool is_complete = e == HPE_PAUSED && i->is_complete;

    if (e != HPE_OK && !is_complete)
        refuse_parsed(i, e);
    *used = is_complete ? body_end(i, in) : in.len;
    i->body_octets += *used;
    i->last = in.data[in.len - 1];
    check_framing(i);
    if (i->status != 0)
        return INTAKE_REFUSED;
    return is_complete ? INTAKE_WHOLE : INTAKE_MORE;
}

enum intake_step intake_take(struct intake *i, struct span in, size_t *used)
{
    *used = 0;
    if (i->status != 0)
        return INTAKE_REFUSED;
    if (in.len == 0)
        return INTAKE_MORE;
    if (i->stage == INTAKE_EMPTY)
        intake_begin(i, in.data[0]);
    if (i->stage == INTAKE_HEADER)
        return take_header(i, in, used);
    return take_body(i, in, used);
}

enum intake_stage intake_stage(const struct intake *i)
{
    return i->stage;
}

bool intake_is_head(const struct intake *i)
{
    return i->request != NULL && i->request->is_head;
}

struct http_request *intake_request(struct intake *i)
{
    struct http_request *r = i->request;

    *i = (struct intake){.limits = i->limits, .handlers = i->handlers, .peer = i->peer};
    return r;
}

unsigned intake_refusal(const struct intake *i, const char **detail)
{
    *detail = i->detail;
    return i->status;
}
