/* SPDX-License-Identifier: Apache-2.0 */
/* access: role names; scopes and what they cover. */
#include "base/access.h"

#include <string.h>
#include <strings.h>

#include "base/address.h"
#include "base/limits.h"

static const char *const role_names[ACCESS_ROLES] = {"nobody",   "viewer",  "requester",
                                                     "operator", "auditor", "administrator"};

const char *access_role_name(enum access_role r)
{
    return role_names[r];
}

bool access_role_parse(const char *text, enum access_role *out)
{
    for (enum access_role r = ACCESS_VIEWER; r < ACCESS_ROLES; r++)
        if (strcmp(role_names[r], text) == 0) {
            *out = r;
            return true;
        }
    return false;
}

/* ---- lists ---- */

bool scope_add(struct scope_list *l, const char *item)
{
    size_t len = strlen(item);

    if (len == 0 || len + 1 > SCOPE_TEXT_MAX - l->len)
        return false;
    for (size_t i = 0; i < len; i++)
        if (item[i] <= ' ' || item[i] > '~')
            return false;
    memcpy(l->text + l->len, item, len + 1);
    l->len = (uint16_t)(l->len + len + 1);
    return true;
}

const char *scope_next(const struct scope_list *l, size_t *at)
{
    const char *item = l->text + *at;

    if (*at >= l->len)
        return NULL;
    *at += strlen(item) + 1;
    return item;
}

bool scope_is_any(const struct scope *s)
{
    return s->profiles.len == 0 && s->names.len == 0 && s->issuers.len == 0;
}

/* ---- what they cover ---- */

/* `*` any run, `?` one octet. Goes back to the last star alone, so the time is |glob| * |text| at most. */
static bool glob_covers(const char *glob, const char *text)
{
    const char *star = NULL, *resume = NULL;

    while (*text != '\0') {
        if (*glob == '*') {
            star = glob++;
            resume = text;
        } else if (*glob == '?' || *glob == *text) {
            glob++;
            text++;
        } else if (star != NULL) {
            glob = star + 1;
            text = ++resume;
        } else {
            return false;
        }
    }
    while (*glob == '*')
        glob++;
    return *glob == '\0';
}

bool scope_has_profile(const struct scope *s, const char *profile)
{
    const char *item;

    for (size_t at = 0; (item = scope_next(&s->profiles, &at)) != NULL;)
        if (glob_covers(item, profile))
            return true;
    return s->profiles.len == 0;
}

bool scope_has_issuer(const struct scope *s, const char *issuer_id)
{
    const char *item;

    for (size_t at = 0; (item = scope_next(&s->issuers, &at)) != NULL;)
        if (strcmp(item, issuer_id) == 0)
            return true;
    return s->issuers.len == 0;
}

static bool suffix_covers(const char *suffix, const char *host)
{
    size_t host_len = strlen(host), suffix_len = strlen(suffix);

    if (host_len < suffix_len || strcasecmp(host + host_len - suffix_len, suffix) != 0)
        return false;
    if (suffix[0] == '.')
        return host_len > suffix_len;
    return host_len == suffix_len || host[host_len - suffix_len - 1] == '.';
}

static bool item_covers(const char *item, const char *name)
{
    struct address_range range;
    struct address a;

    if (address_parse(name, &a))
        return address_range_parse(item, &range) && address_range_has(&range, &a);
    return suffix_covers(item, name);
}

bool scope_has_name(const struct scope *s, struct span name)
{
    char text[DNS_NAME_MAX + CN_MAX * 4 + 2];
    const char *item, *host = text, *sign;

    if (s->names.len == 0)
        return true;
    if (!span_to_str(name, text, sizeof text) || text[0] == '\0')
        return false;
    sign = strrchr(text, '@');
    if (sign != NULL)
        host = sign + 1;
    for (size_t at = 0; (item = scope_next(&s->names, &at)) != NULL;)
        if (item_covers(item, host))
            return true;
    return false;
}

/* ---- to and from octets ---- */

static void list_write(struct buf *b, const struct scope_list *l)
{
    buf_put_blob(b, span_of(l->text, l->len));
}

static bool list_read(struct rd *r, struct scope_list *out)
{
    struct span s = rd_blob(r);

    out->len = 0;
    if (s.len > SCOPE_TEXT_MAX || (s.len > 0 && s.data[s.len - 1] != '\0'))
        return false;
    for (size_t at = 0; at < s.len;) {
        const char *item = (const char *)s.data + at;

        if (!scope_add(out, item))
            return false;
        at += strlen(item) + 1;
    }
    return true;
}

void scope_write(struct buf *b, const struct scope *s)
{
    list_write(b, &s->profiles);
    list_write(b, &s->names);
    list_write(b, &s->issuers);
}

bool scope_read(struct rd *r, struct scope *out)
{
    return list_read(r, &out->profiles) && list_read(r, &out->names) && list_read(r, &out->issuers) &&
           !r->failed;
}
