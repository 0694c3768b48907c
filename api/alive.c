/* SPDX-License-Identifier: Apache-2.0 */
/*
 * alive: does the service answer, in the eyes of a client? For being ready, and for the service manager's
 * watchdog.
 */
#include <stdio.h>

#include "api/supervisor.h"
#include "base/clock.h"
#include "base/fetch.h"
#include "base/log.h"

#define UNWELL_MS 20000 /* first lists are published within seconds: what is wrong after that stays wrong */
#define ASK_TIMEOUT_S 5

struct asked {
    struct fetch_target target;
    char url[160];
};

static void ask_control(const struct serve *s, struct asked *a)
{
    a->target = (struct fetch_target){
        .unix_socket = s->config.control_path, .base_url = "http://localhost", .timeout_s = ASK_TIMEOUT_S};
}

static void ask_http(const struct serve *s, struct asked *a)
{
    snprintf(a->url, sizeof a->url, "http://%s", s->http);
    a->target = (struct fetch_target){.base_url = a->url, .timeout_s = ASK_TIMEOUT_S};
}

/* The status; 0 when no answer came, and then whether the connection was closed instead. */
static unsigned status_of(const struct asked *a, const char *path, bool *is_closed)
{
    struct fetch_request r = {.method = "GET", .path = path};
    struct fetch_answer answer;
    unsigned status = fetch(&a->target, &r, &answer, NULL) == OK ? answer.status : 0;

    if (is_closed != NULL)
        *is_closed = answer.is_closed;
    fetch_answer_free(&answer);
    return status;
}

/* Are the pages for relying parties there? Where the permit list does not name this machine, the role closes
 * what it is asked, and that is all it can show us. A connection that no role takes is closed only by a role
 * that ends, and the next one is then refused or waits. */
static bool serves_pages(const struct serve *s)
{
    struct asked http;
    bool is_closed;

    ask_http(s, &http);
    if (status_of(&http, "/", &is_closed) == 200)
        return true;
    return is_closed && status_of(&http, "/", &is_closed) == 0 && is_closed;
}

/* Ready is what a client sees: the interface says ok through the control socket, and the pages for relying
 * parties are there. An OCSP host with old data is there too, and says so to those who ask; so is a service
 * whose disk is full, which still answers for every certificate there is. */
bool alive_is_well(const struct serve *s, int64_t began_ms)
{
    struct asked control;

    ask_control(s, &control);
    if (status_of(&control, s->config.is_ocsp_host ? "/livez" : "/readyz", NULL) != 200) {
        if (clock_monotonic_ms() < began_ms + UNWELL_MS || status_of(&control, "/livez", NULL) != 200)
            return false;
        log_warn("ready", "it answers, but not well: chancery health says what is wrong");
    }
    return serves_pages(s);
}

/* A role that is full or does not like us still closes the connection; one that hangs lets the time pass. So
 * nobody who merely takes every connection there is has the service killed by its watchdog. */
static bool is_heard(const struct asked *a, const char *path)
{
    int64_t began_ms = clock_monotonic_ms();

    return status_of(a, path, NULL) != 0 || clock_monotonic_ms() - began_ms < ASK_TIMEOUT_S * 1000;
}

bool alive_is_awake(const struct serve *s)
{
    struct asked control, http;

    ask_control(s, &control);
    ask_http(s, &http);
    return is_heard(&control, "/livez") && is_heard(&http, "/");
}
