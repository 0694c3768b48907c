/* SPDX-License-Identifier: Apache-2.0 */
/* curl_inner: what small exchanges and files as a stream have in common: private to curl.c, fetch.c and
 * transfer.c. Thread rule: any thread; a handle belongs to one. */
#ifndef BASE_CURL_INNER_H
#define BASE_CURL_INNER_H

#include <curl/curl.h>

#include "base/log.h"

#define CONNECT_TIMEOUT_S 10L /* far beyond any round trip: a service that is there answers a SYN at once */

/* Starts libcurl before the first of the process. curl_easy_cleanup() frees it. Dies without memory. */
CURL *curl_handle_new(void);

/* Every option set here exists in the libcurl we build with, so a refusal is a lack of memory. */
#define CURL_SET(curl, option, value)                                                                        \
    do {                                                                                                     \
        if (curl_easy_setopt(curl, option, value) != CURLE_OK)                                               \
            die("libcurl: " #option);                                                                        \
    } while (0)

#endif
