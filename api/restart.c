/* SPDX-License-Identifier: Apache-2.0 */
/*
 * restart: which settings are taken by a start alone. A running service that is told of others goes on with
 * those it has, and has to say so: docs/configuration.md names them.
 */
#include <stddef.h>
#include <string.h>

#include "api/inner.h"

/* A scalar, or text in an array that was all zeros before: its octets are what it says. */
struct start_setting {
    const char *name; /* as chancery.xml has it */
    size_t at, len;
};
#define SETTING(name, type, member)                                                                          \
    {                                                                                                        \
        name, offsetof(struct type, member), sizeof((struct type *)NULL)->member                             \
    }

static const struct start_setting of_service[] = {
    SETTING("confine level", config, confine.level),
    SETTING("confine first-uid", config, confine.first_uid),
    SETTING("http listen", config, http_listen),
    SETTING("http connections", config, http_connections),
    SETTING("http connections-per-address", config, http_per_address),
    SETTING("https listen", config, https_listen),
    SETTING("https connections", config, https_connections),
    SETTING("https connections-per-address", config, https_per_address),
    SETTING("store map-size-mib", config, map_size),
    SETTING("ocsp cache-mib", config, ocsp.cache_octets),
    SETTING("snapshot every", config, snapshot_every_s),
    SETTING("crl on-revocation", config, crl.on_revocation),
    SETTING("audit key", config, audit_key_uri),
};
static const struct start_setting of_issuer[] = {
    SETTING("key", issuer_files, key_uri),
    SETTING("ocsp-key", issuer_files, ocsp_key_uri),
};
static const struct start_setting of_crl[] = {
    SETTING("crl every", crl_issuer, every_s),
    SETTING("crl overlap", crl_issuer, overlap_s),
    SETTING("crl at", crl_issuer, at_s),
    SETTING("crl jitter", crl_issuer, jitter_s),
    SETTING("crl delta-every", crl_issuer, delta_s),
    SETTING("crl shards", crl_issuer, shards),
};

#define LIST_MAX 800 /* octets before it ends with "and more": with the rest it is one line of the log */

static void add(struct buf *out, const char *of, const char *name)
{
    if (out->len >= LIST_MAX)
        return;
    buf_printf(out, "%s%s%s%s", out->len > 0 ? ", " : "", of, of[0] != '\0' ? " " : "", name);
    if (out->len >= LIST_MAX)
        buf_put_str(out, " and more");
}

static void compare(const struct start_setting *list, size_t count, const char *of, const void *now,
                    const void *fresh, struct buf *out)
{
    for (size_t i = 0; i < count; i++)
        if (memcmp((const uint8_t *)now + list[i].at, (const uint8_t *)fresh + list[i].at, list[i].len) != 0)
            add(out, of, list[i].name);
}
#define COMPARE(list, of, now, fresh, out) compare(list, sizeof(list) / sizeof *(list), of, now, fresh, out)

static bool same_ids(const struct config *a, const struct config *b)
{
    bool same = a->issuer_count == b->issuer_count && a->crl.count == b->crl.count;

    for (size_t i = 0; same && i < a->issuer_count; i++)
        same = strcmp(a->issuers[i].id, b->issuers[i].id) == 0;
    return same;
}

void restart_list(const struct config *now, const struct config *fresh, struct buf *out)
{
    COMPARE(of_service, "", now, fresh, out);
    if (!same_ids(now, fresh) || !ca_config_same_issuers(&now->ca, &fresh->ca))
        add(out, "", "issuers");
    if (!same_ids(now, fresh))
        return;
    for (size_t i = 0; i < now->issuer_count; i++)
        COMPARE(of_issuer, now->issuers[i].id, &now->issuers[i], &fresh->issuers[i], out);
    for (size_t i = 0; i < now->crl.count; i++)
        COMPARE(of_crl, now->crl.issuers[i].id, &now->crl.issuers[i], &fresh->crl.issuers[i], out);
}
