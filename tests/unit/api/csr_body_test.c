/* SPDX-License-Identifier: Apache-2.0 */
/* Is a request found in every form a body comes in, alone, and of a bounded size? */
#include <criterion/criterion.h>
#include <stdlib.h>

#include "base/log.h"
#include "tests/unit/api/request.h"

static void put_crlf(struct buf *out, struct span text)
{
    for (size_t i = 0; i < text.len; i++) {
        if (text.data[i] == '\n')
            buf_put_u8(out, '\r');
        buf_put_u8(out, text.data[i]);
    }
}

/* Armour whose line ends became something else, "" for `curl -d @FILE`; `last` says whether the final one
 * did. */
static void put_joined(struct buf *out, struct span pem, const char *line_end, bool last)
{
    for (size_t i = 0; i < pem.len; i++)
        if (pem.data[i] != '\n' || (i + 1 == pem.len && !last))
            buf_put_u8(out, pem.data[i]);
        else
            buf_put_str(out, line_end);
}

static void put_base64(struct buf *out, struct span der)
{
    uint8_t *text = xmalloc(der.len * 2);
    int len = EVP_EncodeBlock(text, der.data, (int)der.len);

    buf_put(out, text, (size_t)len);
    free(text);
}

enum shape {
    SHAPE_DER,
    SHAPE_PEM,
    SHAPE_NEW,
    SHAPE_CRLF,
    SHAPE_TEXT,
    SHAPE_BOM,
    SHAPE_BASE64,
    SHAPE_BASE64_LINES,
    SHAPE_LONG_LINE,
    SHAPE_ONE_LINE,
    SHAPE_SPACES,
    SHAPE_CR,
    SHAPE_JSON_ONE_LINE,
    SHAPE_JSON,
    SHAPE_JSON_BASE64,
    SHAPES
};

static void put_json(struct buf *out, struct span file)
{
    struct js *o = js_object();

    js_set_span(o, "csr", file);
    buf_put_str(out, "\n ");
    js_write(o, out);
    js_free(o);
}

static void put_shape(struct buf *out, enum shape shape, struct span der)
{
    struct buf pem;

    request_init(&pem);
    pem_put(&pem, shape == SHAPE_NEW ? "NEW CERTIFICATE REQUEST" : "CERTIFICATE REQUEST", der);
    if (shape == SHAPE_TEXT)
        buf_put_str(out, "Certificate Request:\n    Data:\n");
    if (shape == SHAPE_BOM)
        buf_put_str(out, "\xef\xbb\xbf");
    if (shape == SHAPE_DER)
        buf_put_span(out, der);
    else if (shape == SHAPE_CRLF)
        put_crlf(out, buf_span(&pem));
    else if (shape == SHAPE_BASE64)
        put_base64(out, der);
    else if (shape == SHAPE_BASE64_LINES)
        buf_put(out, pem.data + 36, pem.len - 36 - 34); /* what is between the armour */
    else if (shape == SHAPE_LONG_LINE) {
        buf_put_str(out, "-----BEGIN CERTIFICATE REQUEST-----\n");
        put_base64(out, der);
        buf_put_str(out, "\n-----END CERTIFICATE REQUEST-----\n");
    } else if (shape == SHAPE_ONE_LINE || shape == SHAPE_SPACES || shape == SHAPE_CR)
        put_joined(out, buf_span(&pem),
                   shape == SHAPE_ONE_LINE ? ""
                   : shape == SHAPE_CR     ? "\r"
                                           : " ",
                   shape != SHAPE_SPACES);
    else if (shape == SHAPE_JSON_ONE_LINE) {
        struct buf line;

        request_init(&line);
        put_joined(&line, buf_span(&pem), "", true);
        put_json(out, buf_span(&line));
        buf_free(&line);
    } else if (shape == SHAPE_JSON)
        put_json(out, buf_span(&pem));
    else if (shape == SHAPE_JSON_BASE64) {
        struct buf text;

        request_init(&text);
        put_base64(&text, buf_span(&pem)); /* the file as it is */
        put_json(out, buf_span(&text));
        buf_free(&text);
    } else
        buf_put_span(out, buf_span(&pem));
    if (shape == SHAPE_TEXT)
        buf_put_str(out, "that was it\n");
    buf_free(&pem);
}

Test(csr_body, every_form_of_a_body_gives_the_same_request)
{
    struct buf der;

    request_ordinary(&der);
    for (enum shape s = SHAPE_DER; s < SHAPES; s++) {
        struct parsed p;
        struct buf body;

        request_init(&body);
        put_shape(&body, s, buf_span(&der));
        p = parsed_of(buf_span(&body));
        cr_assert_eq(p.err, OK, "shape %d: %s", s, p.fault.detail);
        cr_assert(span_eq(csr_facts(p.csr)->csr, buf_span(&der)), "shape %d", s);
        parsed_free(&p);
        buf_free(&body);
    }
    buf_free(&der);
}

Test(csr_body, a_body_holds_exactly_one_request)
{
    static const char key[] = "-----BEGIN PRIVATE KEY-----\nMAA=\n-----END PRIVATE KEY-----\n";
    struct buf der, body;

    request_ordinary(&der);
    request_init(&body);
    pem_put(&body, "CERTIFICATE REQUEST", buf_span(&der));
    pem_put(&body, "CERTIFICATE REQUEST", buf_span(&der));
    expect_malformed(buf_span(&body), "two");
    buf_reset(&body);
    pem_put(&body, "CERTIFICATE REQUEST", buf_span(&der));
    buf_put_str(&body, key);
    expect_malformed(buf_span(&body), "a key after it");
    buf_reset(&body);
    pem_put(&body, "CERTIFICATE", buf_span(&der));
    expect_malformed(buf_span(&body), "another label");
    expect_malformed(span_str(""), "nothing");
    expect_malformed(span_str("hello, world"), "text");
    expect_malformed(span_str("===="
                              "===="),
                     "padding");
    expect_malformed(span_str("-----BEGIN CERTIFICATE REQUEST-----\nMAA=\n"), "no end");
    expect_malformed(
        span_str("-----BEGIN CERTIFICATE REQUEST-----\nProc-Type: 4,ENCRYPTED\nDEK-Info: x,00\n\nMAA=\n"
                 "-----END CERTIFICATE REQUEST-----\n"),
        "encrypted");
    expect_malformed(RAW("\0\0\0\0"), "zeros");
    buf_free(&body);
    buf_free(&der);
}

/* A request in "csr", and `with` as the object's other member. */
static void expect_key_noticed(struct span der, struct js *with, const char *name)
{
    struct buf body;
    struct parsed p;
    struct js *o = js_object();

    request_init(&body);
    put_base64(&body, der);
    js_set_span(o, "csr", buf_span(&body));
    js_set(o, name, with);
    buf_reset(&body);
    js_write(o, &body);
    p = parsed_of(buf_span(&body));
    cr_assert_eq(p.err, ERR_MALFORMED, "%s", name);
    cr_assert_not_null(strstr(p.fault.detail, "Never send a private key"), "%s", p.fault.detail);
    parsed_free(&p);
    js_free(o);
    buf_free(&body);
}

Test(csr_body, no_other_member_is_a_private_key)
{
    static const char *const keys[] = {
        "-----BEGIN PRIVATE KEY-----\nMAA=\n-----END PRIVATE KEY-----\n",
        "-----BEGIN EC PRIVATE KEY-----\nMAA=\n-----END EC PRIVATE KEY-----\n", /* as cfssl genkey does */
        "text -----BEGIN ENCRYPTED PRIVATE KEY-----MAA=-----END ENCRYPTED PRIVATE KEY-----"};
    struct buf der;

    request_ordinary(&der);
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++) {
        struct js *list = js_array(), *in = js_object(), *text = js_array();

        js_push_str(list, keys[i]);
        expect_key_noticed(buf_span(&der), list, "in a list");
        js_set_int(in, "a", 1);
        js_set_str(in, "key", keys[i]);
        expect_key_noticed(buf_span(&der), in, "in an object");
        js_push_str(text, keys[i]);
        expect_key_noticed(buf_span(&der), js_copy(js_at(text, 0)), "key");
        js_free(text);
    }
    buf_free(&der);
}

Test(csr_body, other_members_are_let_pass)
{
    struct buf der, body;
    struct js *o = js_object(), *list = js_array();
    struct parsed p;

    request_ordinary(&der);
    request_init(&body);
    put_base64(&body, buf_span(&der));
    js_set_span(o, "csr", buf_span(&body));
    js_set_str(o, "note", "the key stays where it is");
    js_push_str(list, "-----BEGIN CERTIFICATE-----");
    js_set(o, "list", list);
    js_set_null(o, "none");
    buf_reset(&body);
    js_write(o, &body);
    p = parsed_of(buf_span(&body));
    cr_assert_eq(p.err, OK, "%s", p.fault.detail);
    parsed_free(&p);
    js_free(o);
    buf_free(&body);
    buf_free(&der);
}

static void expect_hint(const char *head, struct span pem, const char *tail, const char *hint)
{
    struct parsed p;
    struct buf body;

    request_init(&body);
    buf_put_str(&body, head);
    put_joined(&body, pem, "", true);
    buf_put_str(&body, tail);
    p = parsed_of(buf_span(&body));
    cr_assert_eq(p.err, ERR_MALFORMED, "%s…%s", head, tail);
    cr_assert_not_null(strstr(p.fault.detail, "--data-binary"), "%s", p.fault.detail);
    cr_assert_not_null(strstr(p.fault.detail, hint), "%s", p.fault.detail);
    parsed_free(&p);
    buf_free(&body);
}

Test(csr_body, without_line_ends_it_holds_one_request_alone_all_the_same)
{
    static const char end[] = "-----END CERTIFICATE REQUEST-----";
    struct buf der, pem, other;

    request_ordinary(&der);
    request_init(&pem);
    request_init(&other);
    pem_put(&pem, "CERTIFICATE REQUEST", buf_span(&der));
    pem_put(&other, "CERTIFICATE", buf_span(&der));
    expect_hint("", buf_span(&pem), "-----BEGIN PRIVATE KEY-----MAA=-----END PRIVATE KEY-----",
                "Never send a private");
    expect_hint("", buf_span(&pem), "\n-----BEGIN PRIVATE KEY-----\nMAA=\n-----END PRIVATE KEY-----\n",
                "Never");
    expect_hint("-----BEGIN PRIVATE KEY-----MAA=-----END PRIVATE KEY-----", buf_span(&pem), "", "Never send");
    expect_hint("-----BEGIN CERTIFICATE REQUEST-----MAA=-----END CERTIFICATE REQUEST-----", buf_span(&pem),
                "", "alone");
    expect_hint("", buf_span(&other), "", "does not hold");
    expect_hint("-----BEGIN CERTIFICATE REQUEST-----MA=A", (struct span){0}, end, "does not hold");
    expect_hint("-----BEGIN CERTIFICATE REQUEST-----MAA=", (struct span){0}, "-----END CERTIFICATE-----",
                "does not hold");
    expect_hint("-----BEGIN CERTIFICATE REQUEST-----", (struct span){0}, end,
                "does not hold"); /* nothing between */
    expect_hint("-----BEGIN CERTIFICATE REQUEST", (struct span){0}, end,
                "does not hold"); /* marks that overlap */
    expect_hint("-----BEGIN ", (struct span){0}, "-----END ", "does not hold");
    buf_free(&other);
    buf_free(&pem);
    buf_free(&der);
}

Test(csr_body, an_object_without_a_request_is_malformed)
{
    struct buf der, pem, body, again;

    expect_malformed(span_str("{}"), "no member");
    expect_malformed(span_str("{\"csr\": 1}"), "a number");
    expect_malformed(span_str("{\"csr\": \"\"}"), "empty");
    expect_malformed(span_str("{\"csr\": \"MAA="), "no JSON");
    request_ordinary(&der);
    request_init(&pem);
    request_init(&body);
    request_init(&again);
    pem_put(&pem, "CERTIFICATE REQUEST", buf_span(&der));
    put_json(&body, buf_span(&pem));
    put_json(&again, buf_span(&body));
    expect_malformed(buf_span(&again), "an object in an object");
    buf_reset(&body);
    buf_put_str(&pem, "-----BEGIN PRIVATE KEY-----\nMAA=\n-----END PRIVATE KEY-----\n");
    put_json(&body, buf_span(&pem));
    expect_malformed(buf_span(&body), "a key beside it");
    buf_free(&again);
    buf_free(&body);
    buf_free(&pem);
    buf_free(&der);
}

Test(csr_body, text_that_begins_like_an_object_is_let_pass_before_the_armour)
{
    struct buf der, body;
    struct parsed p;

    request_ordinary(&der);
    request_init(&body);
    buf_put_str(&body, "{ of the node cucm1 }\n");
    pem_put(&body, "CERTIFICATE REQUEST", buf_span(&der));
    p = parsed_of(buf_span(&body));
    cr_assert_eq(p.err, OK, "%s", p.fault.detail);
    parsed_free(&p);
    buf_free(&body);
    buf_free(&der);
}

/* "0" is the octet with which DER begins. */
Test(csr_body, text_that_begins_like_der_is_let_pass_before_the_armour)
{
    static const char *const lines[] = {"0-node, 21.11.2026\n", "0\n", "0\xc3\xa9\n",
                                        "00000000000000000000\n"};

    for (size_t i = 0; i < sizeof lines / sizeof *lines; i++) {
        struct buf der, body;
        struct parsed p;

        request_ordinary(&der);
        request_init(&body);
        buf_put_str(&body, lines[i]);
        pem_put(&body, "CERTIFICATE REQUEST", buf_span(&der));
        p = parsed_of(buf_span(&body));
        cr_expect_eq(p.err, OK, "%s: %s", lines[i], p.fault.detail);
        parsed_free(&p);
        buf_free(&body);
        buf_free(&der);
    }
}

static void put_armour_as_name(struct forge *f)
{
    forge_rdn(f, 3, DER_UTF8_STRING, span_str("-----BEGIN CERTIFICATE REQUEST-----"));
}

Test(csr_body, der_that_holds_an_armour_is_der)
{
    struct buf der;
    struct parsed p;

    request_made(&der, "P-256", put_armour_as_name);
    p = parsed_of(buf_span(&der));
    cr_assert(p.csr != NULL && span_eq(csr_facts(p.csr)->csr, buf_span(&der)), "%s", p.fault.detail);
    parsed_free(&p);
    buf_free(&der);
}

Test(csr_body, der_that_is_cut_or_goes_on_is_malformed)
{
    struct buf der;

    request_ordinary(&der);
    expect_malformed(span_of(der.data, der.len - 1), "cut");
    expect_malformed(span_of(der.data, 1), "one octet");
    buf_put_u8(&der, '\n');
    expect_malformed(buf_span(&der), "a newline more");
    buf_free(&der);
}

Test(csr_body, a_body_beyond_the_limit_is_too_large)
{
    uint8_t *large = xcalloc(CSR_MAX + 1, 1);
    struct parsed p;

    large[0] = 0x30;
    p = parsed_of(span_of(large, CSR_MAX + 1));
    cr_assert_eq(p.err, ERR_TOO_LARGE);
    parsed_free(&p);
    p = parsed_of(span_of(large, CSR_MAX));
    cr_assert_eq(p.err, ERR_MALFORMED);
    parsed_free(&p);
    free(large);
}
