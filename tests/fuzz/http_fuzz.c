/* SPDX-License-Identifier: Apache-2.0 */
/* Requests are the same however their octets are cut up: whole, one by one, or as the network would. */
#include <assert.h>

#include "base/http_inner.h"
#include "tests/fuzz/fuzz.h"

#define OUT_MAX (8u << 20)

static size_t body_max(const struct http_request *r, void *arg)
{
    (void)arg;
    return http_path(r)[1] == 'b' ? 4096 : 16;
}

/* What a handler could see of a request. */
static void describe(const struct http_request *r, struct buf *out)
{
    static const char *const known[] = {"a", "name", NULL};
    const char *texts[] = {http_method(r), http_path(r), http_header(r, "Host"), http_header(r, "Accept"),
                           http_query_unknown(r, known)};
    char value[8];
    enum err e = http_query(r, "name", value, sizeof value);

    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        buf_put_blob(out, span_str(texts[i] != NULL ? texts[i] : "(none)"));
    buf_put_u8(out, (uint8_t)e);
    buf_put_str(out, e == OK ? value : "");
    buf_put_u8(out, r->is_head);
    buf_put_u8(out, r->keeps_alive);
    buf_put_blob(out, http_body(r));
}

/* Feeds everything at once, or in pieces of 1 to 64 octets: step 63 makes all of them 1. */
static void take_all(struct span in, size_t step, bool is_whole, struct buf *out)
{
    static const struct http_limits limits = {.header_max = 1024};
    static const struct http_handlers handlers = {.body_max = body_max};
    static const struct http_peer peer = {.address = "127.0.0.1"};
    struct intake *i = intake_new(&limits, &handlers, &peer);
    size_t at = 0, end = 0, len = 1;

    while (end < in.len) {
        end = is_whole || len > in.len - end ? in.len : end + len;
        len = (len + step) % 64 + 1;
        while (at < end) {
            size_t used;
            enum intake_step s = intake_take(i, span_of(in.data + at, end - at), &used);
            struct http_request *r;

            assert(used <= end - at);
            at += used;
            if (s == INTAKE_REFUSED) {
                const char *detail;

                assert(intake_refusal(i, &detail) >= 400 && detail != NULL);
                buf_put_str(out, "refused"); /* which of two faults is seen first may differ */
                intake_free(i);
                return;
            }
            if (s == INTAKE_CONTINUE)
                buf_put_str(out, "continue");
            assert(s == INTAKE_WHOLE || used > 0);
            if (s != INTAKE_WHOLE)
                continue;
            r = intake_request(i);
            describe(r, out);
            request_free(r);
        }
    }
    intake_free(i);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct buf whole, single, pieces;

    buf_init(&whole, OUT_MAX);
    buf_init(&single, OUT_MAX);
    buf_init(&pieces, OUT_MAX);
    take_all(span_of(data, size), 0, true, &whole);
    take_all(span_of(data, size), 63, false, &single);
    take_all(span_of(data, size), 7, false, &pieces);
    assert(span_eq(buf_span(&whole), buf_span(&single)));
    assert(span_eq(buf_span(&whole), buf_span(&pieces)));
    buf_free(&whole);
    buf_free(&single);
    buf_free(&pieces);
    return 0;
}
