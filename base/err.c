/* SPDX-License-Identifier: Apache-2.0 */
/* err: the table behind err.h. */
#include "base/err.h"

#include <stdarg.h>
#include <stdio.h>

static const struct {
    const char *name;
    unsigned status;
    const char *text;
} table[ERR_COUNT] = {
    [OK] = {"ok", 200, "Done."},
    [ERR_MALFORMED] = {"malformed", 400, "The request could not be understood."},
    [ERR_UNAUTHENTICATED] = {"unauthenticated", 401, "A login is needed."},
    [ERR_FORBIDDEN] = {"forbidden", 403, "This login may not do that."},
    [ERR_NOT_FOUND] = {"not-found", 404, "There is no such thing here."},
    [ERR_METHOD] = {"method-not-allowed", 405, "This path does not take that method."},
    [ERR_NOT_ACCEPTABLE] = {"not-acceptable", 406, "No representation fits the Accept header."},
    [ERR_TIMEOUT] = {"timeout", 408, "The request took too long to arrive."},
    [ERR_CONFLICT] = {"conflict", 409, "The present state does not allow it."},
    [ERR_TOO_LARGE] = {"too-large", 413, "The body is larger than its limit."},
    [ERR_MEDIA_TYPE] = {"media-type", 415, "This path does not take that content type."},
    [ERR_POLICY] = {"policy", 422, "The request was understood and refused."},
    [ERR_HEADERS] = {"headers-too-large", 431, "The header block is larger than its limit."},
    [ERR_RATE] = {"too-many-requests", 429, "Too many requests: try again later."},
    [ERR_INTERNAL] = {"internal", 500, "The service failed; its log has the reason."},
    [ERR_UNAVAILABLE] = {"unavailable", 503, "The service cannot do this now; try again later."},
    [ERR_USAGE] = {"usage", 500, "The command line makes no sense."},
    [ERR_CONFIG] = {"config", 500, "The configuration is wrong."},
    [ERR_EXISTS] = {"exists", 500, "It exists already."},
    [ERR_IO] = {"io", 500, "The operating system refused."},
    [ERR_KEY] = {"key", 500, "A private key is missing or wrong."},
    [ERR_PENDING] = {"pending", 202, "It waits for an approval."},
    [ERR_END] = {"end", 500, "There is no more."},
};

const char *err_name(enum err code)
{
    return table[code].name;
}

const char *err_text(enum err code)
{
    return table[code].text;
}

unsigned err_status(enum err code)
{
    return table[code].status;
}

enum err err_from_status(unsigned status)
{
    if (status >= 200 && status < 300)
        return OK;
    for (enum err e = ERR_MALFORMED; e <= ERR_UNAVAILABLE; e++)
        if (table[e].status == status)
            return e;
    return ERR_INTERNAL;
}

enum err fault_set(struct fault *f, enum err code, const char *fmt, ...)
{
    va_list ap;

    if (f == NULL || f->code != OK)
        return code;
    f->code = code;
    va_start(ap, fmt);
    vsnprintf(f->detail, sizeof f->detail, fmt, ap);
    va_end(ap);
    return code;
}
