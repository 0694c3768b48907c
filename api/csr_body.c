/* SPDX-License-Identifier: Apache-2.0 */
/* csr_body: finds the one request in what a client sent: DER, PEM with text around it (its line
 * ends may be lost), bare base64, or a JSON object with one of these as its member "csr". */
#include <openssl/evp.h>
#include <stdio.h>
#include <string.h>

#include "api/csr.h"

static bool is_space(uint8_t c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

static bool is_base64(uint8_t c)
{
    return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '+' || c == '/';
}

static const char *const labels[] = {"CERTIFICATE REQUEST", "NEW CERTIFICATE REQUEST"};

static bool is_request_label(const char *label)
{
    for (size_t i = 0; i < sizeof labels / sizeof *labels; i++)
        if (strcmp(label, labels[i]) == 0)
            return true;
    return false;
}

/* Exactly one block, and of the right kind: a private key that came along must be noticed, not skipped. */
static enum err find_pem(struct span body, struct buf *der, struct fault *f)
{
    struct buf block;
    char label[PEM_LABEL_MAX];
    size_t found = 0;
    enum err e;

    buf_init(&block, CSR_MAX);
    while ((e = pem_next(&body, label, &block)) == OK) {
        if (!is_request_label(label)) {
            e = fault_set(f, ERR_MALFORMED,
                          "The body holds a PEM block \"%.60s\" beside or instead of a CSR.%s", label,
                          strstr(label, "PRIVATE KEY") != NULL ? " Never send a private key." : "");
            break;
        }
        if (++found > 1) {
            e = fault_set(f, ERR_MALFORMED, "The body holds more than one CSR.");
            break;
        }
        buf_put_span(der, buf_span(&block));
    }
    buf_free(&block);
    if (e != ERR_END)
        return fault_set(f, ERR_MALFORMED, "The PEM armour is broken.");
    return found == 1 ? OK : fault_set(f, ERR_MALFORMED, "The PEM armour is broken.");
}

/* The base64 characters alone; false when there is anything but those, white space and final padding. */
static bool gather_base64(struct span body, struct buf *out)
{
    size_t padding = 0;

    for (size_t i = 0; i < body.len; i++) {
        uint8_t c = body.data[i];

        if (is_space(c))
            continue;
        if (c == '=')
            padding++;
        else if (!is_base64(c) || padding > 0)
            return false;
        buf_put_u8(out, c);
    }
    return padding <= 2 && out->len > 0 && out->len % 4 == 0 && buf_end(out) == OK;
}

/* All of `body` as base64, white space aside; ERR_MALFORMED for anything else. */
static enum err find_base64(struct span body, struct buf *der, struct fault *f)
{
    struct buf text;
    uint8_t *out;
    size_t padding;
    int len = -1;

    buf_init(&text, 2 * CSR_MAX); /* a CSR_MAX of octets, as text */
    if (gather_base64(body, &text)) {
        padding = text.data[text.len - 1] != '=' ? 0 : text.data[text.len - 2] != '=' ? 1 : 2;
        out = buf_grow(der, text.len / 4 * 3);
        len = out == NULL ? -1 : EVP_DecodeBlock(out, text.data, (int)text.len);
        der->len = len < 0 ? 0 : (size_t)len - padding;
    }
    buf_free(&text);
    return len < 0 ? fault_set(f, ERR_MALFORMED, "The body is neither DER, PEM nor base64 of a CSR.") : OK;
}

/* ---- armour on one line ---- */

static const char mark[] = "-----BEGIN ";

static struct span from_mark(struct span s)
{
    const uint8_t *at = memmem(s.data, s.len, mark, sizeof mark - 1);

    return at == NULL ? (struct span){0} : span_of(at, s.len - (size_t)(at - s.data));
}

/* Do the block's marks stand on one line? No armour is written so; `curl -d @FILE` drops the line ends. */
static bool is_on_one_line(struct span block)
{
    static const char end[] = "-----END ";
    const uint8_t *line_end = memchr(block.data, '\n', block.len);
    size_t len = line_end == NULL ? block.len : (size_t)(line_end - block.data);

    return memmem(block.data, len, end, sizeof end - 1) != NULL;
}

/* The text between "-----BEGIN label-----" and the end that belongs to it. */
static bool find_between(struct span block, const char *label, struct span *out)
{
    char begin[64], end[64];
    size_t begin_len = (size_t)snprintf(begin, sizeof begin, "-----BEGIN %s-----", label),
           end_len = (size_t)snprintf(end, sizeof end, "-----END %s-----", label);
    const uint8_t *from = block.data + begin_len, *to;

    if (block.len < begin_len || memcmp(block.data, begin, begin_len) != 0)
        return false;
    to = memmem(from, block.len - begin_len, end, end_len);
    *out = to == NULL ? (struct span){0} : span_of(from, (size_t)(to - from));
    return to != NULL;
}

/* What is between the marks, as bare base64 is taken. No other armour may follow: a key must be noticed here
 * too. */
static enum err find_on_one_line(struct span block, struct buf *der, struct fault *f)
{
    static const char key[] = "PRIVATE KEY";
    struct span text, after = from_mark(span_of(block.data + 1, block.len - 1));

    for (size_t i = 0; i < sizeof labels / sizeof *labels && after.len == 0; i++)
        if (find_between(block, labels[i], &text) && find_base64(text, der, NULL) == OK)
            return OK;
    return fault_set(f, ERR_MALFORMED,
                     "The PEM armour has lost its line ends and does not hold one CSR alone. With curl, "
                     "--data-binary keeps them.%s",
                     memmem(block.data, block.len, key, sizeof key - 1) != NULL ? " Never send a private key."
                                                                                : "");
}

/* ---- JSON ---- */

/* Neither DER nor armour nor base64 begins so. */
static bool is_object(struct span body)
{
    size_t i = 0;

    while (i < body.len && is_space(body.data[i]))
        i++;
    return i < body.len && body.data[i] == '{';
}

bool csr_member(const struct js *body, const char *name, struct buf *out)
{
    const char *text = js_str(js_get(body, name));

    if (text == NULL)
        return false;
    if (find_base64(span_str(text), out, NULL) != OK) {
        buf_reset(out);
        buf_put_span(out, span_str(text));
    }
    return true;
}

bool csr_has_key(const struct js *v)
{
    const char *text = js_str(v);
    bool found = text != NULL && strstr(text, "PRIVATE KEY-----") != NULL;

    for (size_t i = 0; i < js_len(v) && !found; i++) /* no deeper than js_parse lets pass */
        found = csr_has_key(js_is_object(v) ? js_value_at(v, i) : js_at(v, i));
    return found;
}

/* Other members are let pass: programs write their own beside the request. */
enum err csr_check_members(const struct js *body, struct fault *f)
{
    static const char *const parameters[] = {"profile", "days"};

    for (size_t i = 0; i < sizeof parameters / sizeof *parameters; i++)
        if (js_get(body, parameters[i]) != NULL && !js_is_null(js_get(body, parameters[i])))
            return fault_set(f, ERR_MALFORMED, "\"%s\" is a parameter of the query, no member of the body.",
                             parameters[i]);
    return OK;
}

/* `cfssl genkey` writes the key beside the request. What is in "csr" itself is read by find_plain(). */
static enum err check_others(const struct js *o, struct fault *f)
{
    for (size_t i = 0; i < js_len(o); i++)
        if (strcmp(js_name_at(o, i), "csr") != 0 && csr_has_key(js_value_at(o, i)))
            return fault_set(f, ERR_MALFORMED, "The object holds a private key. Never send a private key.");
    return csr_check_members(o, f);
}

bool csr_is_in_object(struct span body)
{
    struct js *o = NULL;
    bool is = is_object(body) && js_parse(body, &o, NULL) == OK && js_get(o, "csr") != NULL;

    js_free(o);
    return is;
}

/* ERR_NOT_FOUND when it is no object, which text before the armour may look like. ERR_TOO_LARGE is left to
 * buf_end(). */
static enum err find_member(struct span body, struct buf *file, struct fault *f)
{
    struct js *o = NULL;
    enum err e = ERR_NOT_FOUND;

    if (is_object(body) && js_parse(body, &o, NULL) == OK && csr_member(o, "csr", file))
        e = check_others(o, f);
    js_free(o);
    return e;
}

/* ---- any of them ---- */

static enum err find_plain(struct span body, struct buf *der, struct fault *f)
{
    struct span block;

    if (body.len >= 3 && memcmp(body.data, "\xef\xbb\xbf", 3) == 0)
        body =
            span_of(body.data + 3, body.len - 3); /* a UTF-8 byte order mark, as Windows editors leave it */
    if (body.len == 0)
        return fault_set(f, ERR_MALFORMED, "The body is empty; a CSR is expected.");
    if (pem_is_der(body)) {
        buf_put_span(der, body);
        return buf_end(der);
    }
    block = from_mark(body);
    if (block.len > 0)
        return is_on_one_line(block) ? find_on_one_line(block, der, f) : find_pem(body, der, f);
    return find_base64(body, der, f);
}

enum err csr_find(struct span body, struct buf *der, struct fault *f)
{
    struct buf file;
    enum err e;

    if (body.len > CSR_MAX)
        return fault_set(f, ERR_TOO_LARGE, "A CSR may have %u octets.", CSR_MAX);
    buf_init(&file, CSR_MAX);
    e = find_member(body, &file, f);
    if (e == OK)
        e = find_plain(buf_span(&file), der, f);
    else if (e == ERR_NOT_FOUND)
        e = find_plain(body, der, f);
    buf_free(&file);
    return e;
}
