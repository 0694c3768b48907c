/* SPDX-License-Identifier: Apache-2.0 */
/* config: <ocsp validity="24h"/>. The schema has checked the spelling; the bounds are ours. */
#include "base/clock.h"
#include "ocsp/ocsp.h"

#define VALIDITY_DEFAULT_S (24 * 3600)
#define VALIDITY_MIN_S 60 /* shorter, and clients with a slow clock or a slow link see it expired */
#define VALIDITY_MAX_S                                                                                       \
    (30 * 86400) /* longer, and a client may hold a revocation back for more than a month */

enum err ocsp_config_read(const struct xml_node *root, struct ocsp_config *out, struct fault *f)
{
    const struct xml_node *n = xml_child(root, "ocsp");
    const char *text = n != NULL ? xml_attr(n, "validity") : NULL;

    *out = (struct ocsp_config){.validity_s = VALIDITY_DEFAULT_S};
    if (text == NULL)
        return OK;
    if (!clock_parse_span(text, &out->validity_s))
        return fault_set(f, ERR_CONFIG, "line %u: ocsp validity \"%s\" is no span such as 24h", xml_line(n),
                         text);
    if (out->validity_s < VALIDITY_MIN_S || out->validity_s > VALIDITY_MAX_S)
        return fault_set(f, ERR_CONFIG, "line %u: ocsp validity \"%s\" is not within 60s to 30d", xml_line(n),
                         text);
    return OK;
}
