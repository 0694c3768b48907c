/* SPDX-License-Identifier: Apache-2.0 */
/* config: <ocsp validity="24h" …/>. The schema has checked the spelling; the bounds are ours. */
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "ocsp/ocsp.h"

#define VALIDITY_DEFAULT_S (24 * 3600)
#define VALIDITY_MIN_S 60 /* shorter, and clients with a slow clock or a slow link see it expired */
#define VALIDITY_MAX_S (OCSP_DAYS_MAX * DAY_S)
#define CACHE_DEFAULT_MIB 64 /* some 60,000 answers by EC keys, 30,000 by RSA */
#define CACHE_MAX_MIB 16384
#define LIVE_DEFAULT                                                                                         \
    "2000/s" /* a twentieth of a core with P-256; RSA 2048 is beyond one: there the queue is the limit */
#define UNKNOWN_DEFAULT "6000/m" /* a tenth of a core with RSA 2048 */

static const char *attr(const struct xml_node *n, const char *name)
{
    return n != NULL ? xml_attr(n, name) : NULL;
}

static enum err refuse(struct fault *f, const struct xml_node *n, const char *name, const char *permitted)
{
    return xml_fault(n, NULL, f, "<ocsp %s=\"%s\"> is not permitted; permitted: %s", name, xml_attr(n, name),
                     permitted);
}

static enum err read_validity(const struct xml_node *n, struct ocsp_config *c, struct fault *f)
{
    const char *text = attr(n, "validity");

    if (text == NULL || (clock_parse_span(text, &c->validity_s) && c->validity_s >= VALIDITY_MIN_S &&
                         c->validity_s <= VALIDITY_MAX_S))
        return OK;
    return refuse(f, n, "validity", "60s to 30d");
}
_Static_assert(VALIDITY_MIN_S == 60 && OCSP_DAYS_MAX == 30, "as the text says");

static enum err read_archive_cutoff(const struct xml_node *n, struct ocsp_config *c, struct fault *f)
{
    const char *text = attr(n, "archive-cutoff");

    if (text == NULL || clock_parse_span(text, &c->archive_cutoff_s))
        return OK;
    return refuse(f, n, "archive-cutoff", "a span such as 3650d");
}

static enum err read_not_issued(const struct xml_node *n, struct ocsp_config *c, struct fault *f)
{
    const char *text = attr(n, "not-issued");

    c->is_extended_revoke = text != NULL && strcmp(text, "revoked") == 0;
    if (text == NULL || c->is_extended_revoke || strcmp(text, "unknown") == 0)
        return OK;
    return refuse(f, n, "not-issued", "unknown, revoked");
}

static enum err read_cache(const struct xml_node *n, struct ocsp_config *c, struct fault *f)
{
    const char *text = attr(n, "cache-mib");
    unsigned long mib = text != NULL ? strtoul(text, NULL, 10) : CACHE_DEFAULT_MIB;

    if (mib > CACHE_MAX_MIB)
        return refuse(f, n, "cache-mib", "0 to 16384");
    c->cache_octets = mib << 20;
    return OK;
}

static enum err read_rate(const struct xml_node *n, const char *name, const char *otherwise, struct rate *out,
                          struct fault *f)
{
    const char *text = attr(n, name);

    if (rate_parse(text != NULL ? text : otherwise, out))
        return OK;
    return refuse(f, n, name, "a rate such as 100/s, or none");
}

static enum err read_issuer(const struct xml_node *n, void *arg, struct fault *f)
{
    struct ocsp_issuers *out = arg;

    return xml_copy(n, "id", out->ids[out->count++], ISSUER_ID_MAX, f);
}

enum err ocsp_config_read(const struct xml_node *root, struct ocsp_config *out, struct fault *f)
{
    const struct xml_node *n = xml_child(root, "ocsp");
    enum err e;

    *out = (struct ocsp_config){.validity_s = VALIDITY_DEFAULT_S};
    e = read_validity(n, out, f);
    if (e == OK)
        e = read_archive_cutoff(n, out, f);
    if (e == OK)
        e = read_not_issued(n, out, f);
    if (e == OK)
        e = read_cache(n, out, f);
    if (e == OK)
        e = read_rate(n, "live-rate", LIVE_DEFAULT, &out->live_rate, f);
    if (e == OK)
        e = read_rate(n, "unknown-rate", UNKNOWN_DEFAULT, &out->unknown_rate, f);
    return e == OK ? xml_each(root, "issuer", ISSUERS_MAX, read_issuer, &out->issuers, f) : e;
}
