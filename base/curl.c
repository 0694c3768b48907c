/* SPDX-License-Identifier: Apache-2.0 */
/* curl: libcurl's start, for whichever thread comes first. */
#include <curl/curl.h>
#include <pthread.h>

#include "base/curl_inner.h"

static void start(void)
{
    if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK)
        die("libcurl: cannot start");
}

CURL *curl_handle_new(void)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    CURL *curl;

    pthread_once(&once, start);
    curl = curl_easy_init();
    if (curl == NULL)
        die("libcurl: out of memory");
    return curl;
}
