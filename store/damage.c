/* SPDX-License-Identifier: Apache-2.0 */
/* damage: what is said of a row that cannot be what it claims to be, and the names of the tables. */
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "store/inner.h"

#define TELL_AGAIN_MS 60000
#define TOLD_MAX 8 /* one fault shows in a few tables: a certificate, its state, its indexes */

static const char *const table_names[TABLE_COUNT] = {
    [TABLE_META] = "meta",
    [TABLE_CERT] = "cert",
    [TABLE_STATUS] = "status",
    [TABLE_INDEX] = "index",
    [TABLE_REVOKED] = "revoked",
    [TABLE_ISSUER] = "issuer",
    [TABLE_CRL_STATE] = "crl_state",
    [TABLE_AUDIT] = "audit",
    [TABLE_IDEMPOTENT] = "idempotent",
    [TABLE_IDEMPOTENT_TIME] = "idempotent_time",
    [TABLE_REQUEST] = "request",
    [TABLE_REQUEST_INDEX] = "request_index",
    [TABLE_TOKEN] = "token",
    [TABLE_PERMIT] = "permit",
    [TABLE_RESPONDER] = "responder",
    [TABLE_AUDIT_INDEX] = "audit_index",
    [TABLE_CRL_PART] = "crl_part",
    [TABLE_CRL_CHANGE] = "crl_change",
};

const char *table_name(enum table t)
{
    return table_names[t];
}

struct told {
    enum table table;
    char hex[2 * KEY_MAX + 3]; /* of the key; "": free, since no key is empty */
    int64_t at_ms;
};

/* Who asks for damaged rows over and over shall not fill the log: the same one is told once a minute. */
static bool is_told(enum table t, const char *hex)
{
    static struct told last[TOLD_MAX]; /* of the process's one store */
    static unsigned next;
    int64_t now_ms = clock_monotonic_ms();

    for (unsigned i = 0; i < TOLD_MAX; i++)
        if (last[i].table == t && strcmp(last[i].hex, hex) == 0 && now_ms - last[i].at_ms < TELL_AGAIN_MS)
            return true;
    last[next] = (struct told){.table = t, .at_ms = now_ms};
    strcpy(last[next].hex, hex);
    next = (next + 1) % TOLD_MAX;
    return false;
}

enum err table_damaged(enum table t, struct span key)
{
    char hex[2 * KEY_MAX + 3];

    if (key.len > KEY_MAX)
        key.len = KEY_MAX;
    hex_encode(key, hex);
    if (is_told(t, hex))
        return ERR_INTERNAL;
    log_error("store-row-damaged", "table %s, key %s", table_name(t), hex);
    return ERR_INTERNAL;
}
