/* SPDX-License-Identifier: Apache-2.0 */
/* config: the publisher's part of chancery.xml. Its shape is the schema's business; spans are read here. */
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "crl/crl.h"

#define LIFE_MAX_S (CRL_DAYS_MAX * DAY_S) /* the signer signs no list that lives longer */

const struct crl_issuer *crl_issuer_find(const struct crl_config *c, const char *id)
{
    for (size_t i = 0; i < c->count; i++)
        if (strcmp(c->issuers[i].id, id) == 0)
            return &c->issuers[i];
    return NULL;
}

static enum err refuse(const struct xml_node *n, const char *name, const char *permitted, struct fault *f)
{
    const char *text = xml_attr(n, name);

    return xml_fault(n, NULL, f, "<crl %s=\"%s\"> is not permitted; permitted: %s", name,
                     text != NULL ? text : "", permitted);
}

static enum err span_read(const struct xml_node *n, const char *name, bool is_required, int64_t *out_s,
                          struct fault *f)
{
    const char *text = xml_attr(n, name);

    if (text == NULL && !is_required)
        return OK;
    if (text != NULL && clock_parse_span(text, out_s))
        return OK;
    return refuse(n, name, "a span such as 24h", f);
}

/* "02:30", of the day in UTC. */
static bool time_of_day(const char *text, int64_t *out_s)
{
    char whole[CLOCK_TEXT_MAX] = "1970-01-01T";

    if (strlen(text) != 5)
        return false;
    strcat(strcat(whole, text), ":00Z");
    return clock_parse_rfc3339(whole, out_s);
}

static enum err at_read(const struct xml_node *n, struct crl_issuer *i, struct fault *f)
{
    const char *text = xml_attr(n, "at");

    i->at_s = -1;
    if (text == NULL)
        return OK;
    if (!time_of_day(text, &i->at_s))
        return refuse(n, "at", "a time of day in UTC such as 02:30", f);
    if (i->every_s % DAY_S != 0 && DAY_S % i->every_s != 0)
        return refuse(n, "every", "with at: days, or hours that divide a day", f);
    return OK;
}

static enum err shards_read(const struct xml_node *n, struct crl_issuer *i, struct fault *f)
{
    const char *text = xml_attr(n, "shards");
    unsigned long count = text != NULL ? strtoul(text, NULL, 10) : 1;

    i->shards = (unsigned)count;
    if (count >= 1 && count <= SHARDS_MAX && (count & (count - 1)) == 0)
        return OK;
    return refuse(n, "shards", "a power of two up to 256", f);
}

_Static_assert(SHARDS_MAX == 256, "as the text says");

static enum err times_agree(const struct xml_node *n, const struct crl_issuer *i, struct fault *f)
{
    int64_t period_s = i->delta_s > 0 ? i->delta_s : i->every_s;

    if (i->every_s + i->jitter_s + i->overlap_s > LIFE_MAX_S)
        return refuse(n, "every", "at most 400d, together with jitter and overlap", f);
    if (i->delta_s > 0 && (i->delta_s >= i->every_s || i->every_s % i->delta_s != 0))
        return refuse(n, "delta-every", "less than every, which is a multiple of it", f);
    if (i->jitter_s > period_s / 2)
        return refuse(n, "jitter", "at most half of the time between two runs", f);
    return OK;
}
_Static_assert(CRL_DAYS_MAX == 400, "as the text says");

static enum err lists_read(const struct xml_node *n, struct crl_issuer *i, struct fault *f)
{
    enum err e = span_read(n, "every", true, &i->every_s, f);

    if (e == OK)
        e = span_read(n, "overlap", true, &i->overlap_s, f);
    if (e == OK)
        e = span_read(n, "jitter", false, &i->jitter_s, f);
    if (e == OK)
        e = span_read(n, "delta-every", false, &i->delta_s, f);
    if (e == OK)
        e = at_read(n, i, f);
    if (e == OK)
        e = shards_read(n, i, f);
    return e == OK ? times_agree(n, i, f) : e;
}

static enum err issuer_read(const struct xml_node *n, struct crl_config *out, struct fault *f)
{
    const struct xml_node *crl = xml_child(n, "crl");
    const char *id = xml_attr(n, "id");
    struct crl_issuer *i = &out->issuers[out->count];
    enum err e;

    if (id == NULL || id[0] == '\0' || strlen(id) >= ISSUER_ID_MAX)
        return xml_fault(n, NULL, f, "issuer: the id must have 1 to %u characters", ISSUER_ID_MAX - 1);
    if (crl == NULL)
        return xml_fault(n, NULL, f, "issuer %s: has no crl element", id);
    strcpy(i->id, id);
    e = lists_read(crl, i, f);
    out->count += e == OK;
    return e;
}

/* No issuer's complete list may be called as another's delta or shard, be it one that there is no more. */
static enum err names_differ(const struct xml_node *root, const struct crl_config *c, struct fault *f)
{
    for (size_t i = 0; i < c->count; i++)
        for (size_t j = 0; j < c->count; j++) {
            const char *id = c->issuers[j].id, *of = c->issuers[i].id;

            if (crl_part_is_named(id, of))
                return xml_fault(
                    root, NULL, f,
                    "issuer %s: a delta or shard of %s may have this name: no id may be another's "
                    "with -delta, -2 to -511 or both behind it",
                    id, of);
        }
    return OK;
}

enum err crl_config_read(const struct xml_node *root, struct crl_config *out, struct fault *f)
{
    const struct xml_node *crl = xml_child(root, "crl");
    const char *at_once = crl != NULL ? xml_attr(crl, "on-revocation") : NULL;
    enum err e = OK;

    memset(out, 0, sizeof *out);
    out->on_revocation = at_once != NULL && (strcmp(at_once, "true") == 0 || strcmp(at_once, "1") == 0);
    for (const struct xml_node *n = xml_child(root, "issuer"); e == OK && n != NULL;
         n = xml_next(n, "issuer")) {
        if (out->count == ISSUERS_MAX)
            return xml_fault(n, NULL, f, "more than %u issuers", ISSUERS_MAX);
        e = issuer_read(n, out, f);
    }
    return e == OK ? names_differ(root, out, f) : e;
}
