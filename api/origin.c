/* SPDX-License-Identifier: Apache-2.0 */
/* origin: did a page of another site have a browser send this? */
#include <string.h>
#include <strings.h>

#include "api/api.h"

#define SCHEME "https://" /* nothing else leads to where a certificate counts */

bool origin_is_own(const char *fetch_site, const char *origin, const char *host)
{
    if (fetch_site != NULL && strcmp(fetch_site, "same-origin") != 0 && strcmp(fetch_site, "none") != 0)
        return false;
    if (origin == NULL)
        return true;
    return host != NULL && strncasecmp(origin, SCHEME, strlen(SCHEME)) == 0 &&
           strcasecmp(origin + strlen(SCHEME), host) == 0;
}

enum err origin_check(const struct http_request *r, const struct login *l, struct fault *f)
{
    if (!l->is_by_certificate || strcmp(http_method(r), "GET") == 0 ||
        origin_is_own(http_header(r, "Sec-Fetch-Site"), http_header(r, "Origin"), http_header(r, "Host")))
        return OK;
    return fault_set(
        f, ERR_FORBIDDEN,
        "A page of another site asked for this: a browser sends a client certificate with whatever "
        "any page asks.");
}
