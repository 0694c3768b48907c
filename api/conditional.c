/* SPDX-License-Identifier: Apache-2.0 */
/* conditional: preconditions in the order of RFC 9110 13.2.2, then the range. */
#include "api/conditional.h"

#include <string.h>
#include <strings.h>

#include "base/clock.h"

#define LISTED_MAX                                                                                           \
    256 /* elements of one list that are looked at: nobody remembers more versions of a file                 \
         */

/* ---- entity tags ---- */

static const char *skip_separators(const char *at)
{
    return at + strspn(at, " \t,");
}

/* The tag at `at`, NULL when there is none; its end. RFC 9110 8.8.3 */
static const char *tag_end(const char *at, bool *is_weak)
{
    const char *quote;

    *is_weak = strncmp(at, "W/", 2) == 0;
    if (*is_weak)
        at += 2;
    quote = *at == '"' ? strchr(at + 1, '"') : NULL;
    return quote != NULL ? quote + 1 : NULL;
}

static bool tag_equals(const char *at, const char *end, bool is_weak, const char *etag)
{
    size_t skip = is_weak ? 2 : 0;

    return (size_t)(end - at) - skip == strlen(etag) && memcmp(at + skip, etag, strlen(etag)) == 0;
}

enum comparison { STRONG, WEAK };

static bool tag_is_listed(const char *list, const char *etag, enum comparison how)
{
    const char *at = skip_separators(list), *end;
    bool is_weak;

    if (strcmp(at, "*") == 0)
        return true;
    for (int i = 0; i < LISTED_MAX && (end = tag_end(at, &is_weak)) != NULL; i++) {
        if ((how == WEAK || !is_weak) && tag_equals(at, end, is_weak, etag))
            return true;
        at = skip_separators(end);
    }
    return false;
}

/* ---- preconditions ---- */

static bool has_failed(const struct conditions *c, const struct validators *v)
{
    int64_t since_s;

    if (c->if_match != NULL)
        return !tag_is_listed(c->if_match, v->etag, STRONG);
    return c->if_unmodified_since != NULL && clock_parse_http(c->if_unmodified_since, &since_s) &&
           v->modified_s > since_s;
}

static bool is_fresh(const struct conditions *c, const struct validators *v)
{
    int64_t since_s;

    if (c->if_none_match != NULL) /* it rules */
        return tag_is_listed(c->if_none_match, v->etag, WEAK);
    return c->if_modified_since != NULL && clock_parse_http(c->if_modified_since, &since_s) &&
           v->modified_s <= since_s;
}

/* A date is strong when the file cannot have changed again in its second: RFC 9110 8.8.2.2, 13.1.5. */
static bool is_same(const char *if_range, const struct validators *v, int64_t now_s)
{
    int64_t date_s;
    bool is_weak;
    const char *end = tag_end(if_range, &is_weak);

    if (end != NULL)
        return !is_weak && *end == '\0' && tag_equals(if_range, end, false, v->etag);
    return clock_parse_http(if_range, &date_s) && date_s == v->modified_s && now_s > v->modified_s;
}

/* ---- ranges ---- */

/* Digits, at least one; beyond 2^63 it stays there: no file is as long. */
static bool read_position(const char **at, uint64_t *out)
{
    const char *from = *at;

    for (*out = 0; **at >= '0' && **at <= '9'; (*at)++)
        *out = *out > INT64_MAX / 16 ? INT64_MAX : *out * 10 + (uint64_t)(**at - '0');
    return *at > from;
}

/* "-500": the last ones. */
static enum outcome read_suffix(const char *at, uint64_t size, struct range *out)
{
    uint64_t len;

    if (!read_position(&at, &len) || *at != '\0')
        return OUTCOME_WHOLE;
    if (len == 0 || size == 0)
        return OUTCOME_UNSATISFIABLE;
    out->len = len < size ? len : size;
    out->first = size - out->len;
    return OUTCOME_PART;
}

/* What is no range, or several, is as if it were not there: RFC 9110 14.2. */
static enum outcome read_range(const char *text, uint64_t size, struct range *out)
{
    uint64_t first, last = INT64_MAX;

    if (strncasecmp(text, "bytes=", 6) != 0)
        return OUTCOME_WHOLE;
    text += 6 + strspn(text + 6, " \t");
    if (*text == '-')
        return read_suffix(text + 1, size, out);
    if (!read_position(&text, &first) || *text++ != '-')
        return OUTCOME_WHOLE;
    if (*text != '\0' && (!read_position(&text, &last) || *text != '\0' || last < first))
        return OUTCOME_WHOLE;
    if (first >= size)
        return OUTCOME_UNSATISFIABLE;
    out->first = first;
    out->len = (last < size ? last + 1 : size) - first;
    return OUTCOME_PART;
}

enum outcome conditions_judge(const struct conditions *c, const struct validators *v, int64_t now_s,
                              struct range *range)
{
    *range = (struct range){0, v->size};
    if (has_failed(c, v))
        return OUTCOME_FAILED;
    if (is_fresh(c, v))
        return OUTCOME_NOT_MODIFIED;
    if (c->range == NULL || (c->if_range != NULL && !is_same(c->if_range, v, now_s)))
        return OUTCOME_WHOLE;
    return read_range(c->range, v->size, range);
}

struct conditions conditions_of(const struct http_request *r)
{
    return (struct conditions){.if_match = http_header(r, "If-Match"),
                               .if_unmodified_since = http_header(r, "If-Unmodified-Since"),
                               .if_none_match = http_header(r, "If-None-Match"),
                               .if_modified_since = http_header(r, "If-Modified-Since"),
                               .if_range = http_header(r, "If-Range"),
                               .range = http_is_head(r) ? NULL : http_header(r, "Range")};
}
