/* SPDX-License-Identifier: Apache-2.0 */
/* config: the publisher's part of chancery.xml. Its shape is the schema's business; spans are read here. */
#include <string.h>

#include "base/clock.h"
#include "crl/crl.h"

static enum err span_read(const struct xml_node *n, const char *name, int64_t *out_s, struct fault *f)
{
    const char *text = xml_attr(n, name);

    if (text != NULL && clock_parse_span(text, out_s))
        return OK;
    return xml_fault(n, NULL, f, "crl: %s is \"%s\", must be like 24h or 7d", name, text != NULL ? text : "");
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
    e = span_read(crl, "every", &i->every_s, f);
    if (e == OK)
        e = span_read(crl, "overlap", &i->overlap_s, f);
    out->count += e == OK;
    return e;
}

enum err crl_config_read(const struct xml_node *root, struct crl_config *out, struct fault *f)
{
    const struct xml_node *crl = xml_child(root, "crl");
    const char *at_once = crl != NULL ? xml_attr(crl, "on-revocation") : NULL;

    memset(out, 0, sizeof *out);
    out->on_revocation = at_once != NULL && (strcmp(at_once, "true") == 0 || strcmp(at_once, "1") == 0);
    for (const struct xml_node *n = xml_child(root, "issuer"); n != NULL; n = xml_next(n, "issuer")) {
        enum err e;

        if (out->count == ISSUERS_MAX)
            return xml_fault(n, NULL, f, "more than %u issuers", ISSUERS_MAX);
        e = issuer_read(n, out, f);
        if (e != OK)
            return e;
    }
    return OK;
}
