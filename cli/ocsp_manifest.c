/* SPDX-License-Identifier: Apache-2.0 */
/* ocsp_manifest: a line of JSON for each file of a static set, with the headers that a server gives with it.
 */
#include <stdio.h>

#include "base/clock.h"
#include "base/hash.h"
#include "base/json.h"
#include "cli/ocsp_static.h"

#define MAX_AGE_S 60          /* as the responder itself tells caches */
#define LINE_OCTETS_MAX 65536 /* octets: ours have a thousand */

static struct js *headers_json(const struct static_answer *a, const uint8_t sha256[static HASH_LEN])
{
    char hex[2 * HASH_LEN + 1], etag[2 * HASH_LEN + 8], text[CLOCK_TEXT_MAX], control[96];
    struct js *o = js_object();

    hex_encode(span_of(sha256, HASH_LEN), hex);
    snprintf(etag, sizeof etag, "\"%s\"", hex);
    snprintf(control, sizeof control, "max-age=%d, public, no-transform, must-revalidate", MAX_AGE_S);
    js_set_str(o, "Content-Type", "application/ocsp-response");
    js_set_str(o, "ETag", etag);
    clock_http(a->this_update_s, text);
    js_set_str(o, "Last-Modified", text);
    clock_http(a->next_update_s, text);
    js_set_str(o, "Expires", text);
    js_set_str(o, "Cache-Control", control);
    return o;
}

enum err static_note(struct file_draft *manifest, const struct static_place *p, const char *serial,
                     const struct static_answer *a, struct span der, struct fault *f)
{
    static const char *const states[] = {"good", "revoked", "unknown"};
    struct js *o = js_object();
    uint8_t sha256[HASH_LEN];
    struct buf line;
    enum err e;

    sha256_of(der, sha256);
    js_set_str(o, "path", p->path);
    js_set_str(o, "file", p->file);
    js_set_str(o, "serial", serial);
    js_set_str(o, "status", states[a->state]);
    js_set_int(o, "size", (int64_t)der.len);
    js_set_hex(o, "sha256", span_of(sha256, sizeof sha256));
    js_set(o, "headers", headers_json(a, sha256));
    buf_init(&line, LINE_OCTETS_MAX);
    js_write(o, &line);
    buf_put_u8(&line, '\n');
    e = file_draft_write(manifest, buf_span(&line), f);
    buf_free(&line);
    js_free(o);
    return e;
}
