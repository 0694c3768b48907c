/* SPDX-License-Identifier: Apache-2.0 */
/* fetch: one easy handle an exchange. Most commands make a handful of them, so nothing is kept between two;
 * whoever makes thousands uses a pool, whose handles share their connections. */
#include "base/fetch.h"

#include <assert.h>
#include <curl/curl.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/curl_inner.h"

#define TIMEOUT_DEFAULT_S 60L
#define URL_MAX (64u * 1024) /* far beyond the header block that any server takes */
#define TOKEN_MAX 4096u      /* octets: ours are shorter than a hundred, others put a signed document there */

static bool starts_with(const char *url, const char *scheme)
{
    return strncasecmp(url, scheme, strlen(scheme)) == 0;
}

/* A line break in a value would start a header of its own. */
static bool is_header_value(const char *v)
{
    return v == NULL || strpbrk(v, "\r\n") == NULL;
}

static enum err check(const struct fetch_target *t, const struct fetch_request *r, struct fault *f)
{
    if (!starts_with(t->base_url, "http://") && !starts_with(t->base_url, "https://"))
        return fault_set(f, ERR_USAGE, "%s: not an http or https address", t->base_url);
    if (!is_header_value(t->token) || !is_header_value(r->accept) || !is_header_value(r->content_type) ||
        !is_header_value(r->idempotency_key))
        return fault_set(f, ERR_USAGE, "a line break cannot be part of a token or header");
    if (t->token != NULL && strlen(t->token) > TOKEN_MAX)
        return fault_set(f, ERR_USAGE, "the token is longer than %u octets", TOKEN_MAX);
    if (t->token != NULL && t->unix_socket == NULL && !starts_with(t->base_url, "https://"))
        return fault_set(f, ERR_USAGE, "%s: a token is sent over https only", t->base_url);
    return OK;
}

static size_t on_body(char *data, size_t size, size_t n, void *arg)
{
    struct buf *body = arg;

    buf_put(body, data, size * n);
    return buf_end(body) == OK ? size * n : 0;
}

/* "Name: value"; without a value "Name:", which keeps libcurl from sending its own. */
static void add_header(struct curl_slist **list, const char *name, const char *value)
{
    struct buf line;
    struct curl_slist *longer;

    buf_init(&line, URL_MAX);
    buf_printf(&line, "%s:%s%s", name, value != NULL ? " " : "", value != NULL ? value : "");
    buf_put_u8(&line, 0);
    if (buf_end(&line) != OK || (longer = curl_slist_append(*list, (const char *)line.data)) == NULL)
        die("libcurl: out of memory");
    *list = longer;
    buf_free(&line);
}

static struct curl_slist *headers_of(const struct fetch_target *t, const struct fetch_request *r)
{
    struct curl_slist *list = NULL;
    char bearer[TOKEN_MAX + sizeof "Bearer "];

    add_header(&list, "Accept", r->accept);
    add_header(&list, "Content-Type", r->content_type);
    add_header(&list, "Expect", NULL); /* no 100-continue: it costs a round trip and our bodies are small */
    if (r->idempotency_key != NULL)
        add_header(&list, "Idempotency-Key", r->idempotency_key);
    if (t->token != NULL) {
        snprintf(bearer, sizeof bearer, "Bearer %s", t->token);
        add_header(&list, "Authorization", bearer);
    }
    return list;
}

static char *url_of(const struct fetch_target *t, const struct fetch_request *r)
{
    size_t len = strlen(t->base_url);
    struct buf url;

    while (len > 0 && t->base_url[len - 1] == '/')
        len--;
    buf_init(&url, URL_MAX);
    buf_put(&url, t->base_url, len);
    buf_put_str(&url, r->path);
    return buf_end(&url) == OK ? (char *)buf_take(&url, NULL) : (buf_free(&url), NULL);
}

static void set_transport(CURL *curl, const struct fetch_target *t)
{
    long timeout_s = t->timeout_s > 0 ? t->timeout_s : TIMEOUT_DEFAULT_S;

    CURL_SET(curl, CURLOPT_PROTOCOLS_STR, "http,https");
    CURL_SET(curl, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
    CURL_SET(curl, CURLOPT_FOLLOWLOCATION, 0L);
    CURL_SET(curl, CURLOPT_PROXY, ""); /* not even from the environment */
    CURL_SET(curl, CURLOPT_NOSIGNAL, 1L);
    CURL_SET(curl, CURLOPT_TIMEOUT, timeout_s);
    CURL_SET(curl, CURLOPT_CONNECTTIMEOUT, timeout_s < CONNECT_TIMEOUT_S ? timeout_s : CONNECT_TIMEOUT_S);
    CURL_SET(curl, CURLOPT_UNIX_SOCKET_PATH, t->unix_socket);
}

static void set_trust(CURL *curl, const struct fetch_target *t)
{
    CURL_SET(curl, CURLOPT_SSL_VERIFYPEER, 1L);
    CURL_SET(curl, CURLOPT_SSL_VERIFYHOST, 2L);
    CURL_SET(curl, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
    if (t->cacert != NULL) {
        CURL_SET(curl, CURLOPT_CAINFO, t->cacert);
        CURL_SET(curl, CURLOPT_CAPATH, NULL); /* else the system's authorities would be trusted beside it */
    }
    if (t->cert != NULL)
        CURL_SET(curl, CURLOPT_SSLCERT, t->cert);
    if (t->key != NULL)
        CURL_SET(curl, CURLOPT_SSLKEY, t->key);
}

static void set_request(CURL *curl, const struct fetch_request *r)
{
    bool is_get = strcmp(r->method, "GET") == 0;

    assert(!is_get || r->body.len == 0);
    CURL_SET(curl, CURLOPT_USERAGENT, "chancery/" CHANCERY_VERSION);
    CURL_SET(curl, CURLOPT_PATH_AS_IS, 1L);
    if (r->body.len > 0 || strcmp(r->method, "POST") == 0) {
        CURL_SET(curl, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)r->body.len);
        CURL_SET(curl, CURLOPT_POSTFIELDS, r->body.len > 0 ? (const char *)r->body.data : "");
    }
    if (strcmp(r->method, "HEAD") == 0)
        CURL_SET(curl, CURLOPT_NOBODY, 1L);
    else if (!is_get)
        CURL_SET(curl, CURLOPT_CUSTOMREQUEST, r->method);
}

static void read_header(CURL *curl, const char *name, char *out, size_t cap)
{
    struct curl_header *h;

    if (curl_easy_header(curl, name, 0, CURLH_HEADER, -1, &h) == CURLHE_OK && strlen(h->value) < cap)
        strcpy(out, h->value);
}

static int64_t read_time(CURL *curl, CURLINFO which)
{
    curl_off_t us = 0;

    curl_easy_getinfo(curl, which, &us);
    return us;
}

static void read_answer(CURL *curl, struct fetch_answer *out)
{
    long status = 0;
    char *type = NULL;

    curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &status);
    curl_easy_getinfo(curl, CURLINFO_CONTENT_TYPE, &type);
    out->status = (unsigned)status;
    if (type != NULL)
        snprintf(out->content_type, sizeof out->content_type, "%s", type);
    read_header(curl, "Location", out->location, sizeof out->location);
    read_header(curl, "Cache-Control", out->cache_control, sizeof out->cache_control);
    read_header(curl, "ETag", out->etag, sizeof out->etag);
    read_header(curl, "Last-Modified", out->last_modified, sizeof out->last_modified);
    read_header(curl, "Expires", out->expires, sizeof out->expires);
    read_header(curl, "Retry-After", out->retry_after, sizeof out->retry_after);
    out->connected_us = read_time(curl, CURLINFO_CONNECT_TIME_T);
    out->first_octet_us = read_time(curl, CURLINFO_STARTTRANSFER_TIME_T);
    out->total_us = read_time(curl, CURLINFO_TOTAL_TIME_T);
}

static enum err err_of(CURLcode code, const struct buf *body)
{
    if (buf_end(body) != OK)
        return buf_end(body);
    switch (code) {
    case CURLE_OUT_OF_MEMORY:
        die("libcurl: out of memory");
    case CURLE_URL_MALFORMAT:
        return ERR_USAGE;
    case CURLE_SSL_CACERT_BADFILE:
    case CURLE_SSL_CERTPROBLEM:
        return ERR_KEY;
    default:
        return ERR_UNAVAILABLE;
    }
}

/* A control socket that the caller's uid may not open: nothing is wrong with who listens there. */
static bool is_forbidden(const struct fetch_target *t, CURLcode code, long os_errno)
{
    return t->unix_socket != NULL && code == CURLE_COULDNT_CONNECT &&
           (os_errno == EACCES || os_errno == EPERM);
}

static enum err report(CURL *curl, CURLcode code, const char *text, const struct fetch_target *t,
                       const struct buf *body, struct fault *f)
{
    const char *where = t->unix_socket != NULL ? t->unix_socket : t->base_url;
    enum err e = err_of(code, body);
    long os_errno = 0;

    curl_easy_getinfo(curl, CURLINFO_OS_ERRNO, &os_errno);
    if (e == ERR_TOO_LARGE)
        return fault_set(f, e, "%s: the answer is larger than %u octets", where, FETCH_BODY_MAX);
    if (is_forbidden(t, code, os_errno))
        e = ERR_FORBIDDEN;
    if (code == CURLE_COULDNT_CONNECT && os_errno != 0)
        return fault_set(f, e, "%s: %s", where, strerror((int)os_errno));
    return fault_set(f, e, "%s: %s", where, text[0] != '\0' ? text : curl_easy_strerror(code));
}

/* An exchange: what the handle borrows while it is under way. */
struct lane {
    CURL *curl;
    struct curl_slist *headers;
    char *url;
    char text[CURL_ERROR_SIZE];
    struct fetch_answer *answer;
};

static void lane_clear(struct lane *l)
{
    curl_slist_free_all(l->headers);
    free(l->url);
    l->headers = NULL;
    l->url = NULL;
}

/* Sets the handle up. With an error there is nothing to clear. */
static enum err lane_begin(struct lane *l, const struct fetch_target *t, const struct fetch_request *r,
                           struct fault *f)
{
    enum err e;

    *l->answer = (struct fetch_answer){0};
    buf_init(&l->answer->body, FETCH_BODY_MAX);
    e = check(t, r, f);
    if (e != OK)
        return e;
    l->url = url_of(t, r);
    if (l->url == NULL)
        return fault_set(f, ERR_USAGE, "%s: the path is longer than %u octets", t->base_url, URL_MAX);
    l->text[0] = '\0';
    l->headers = headers_of(t, r);
    set_transport(l->curl, t);
    set_trust(l->curl, t);
    set_request(l->curl, r);
    CURL_SET(l->curl, CURLOPT_URL, l->url);
    CURL_SET(l->curl, CURLOPT_HTTPHEADER, l->headers);
    CURL_SET(l->curl, CURLOPT_ERRORBUFFER, l->text);
    CURL_SET(l->curl, CURLOPT_WRITEFUNCTION, on_body);
    CURL_SET(l->curl, CURLOPT_WRITEDATA, &l->answer->body);
    return OK;
}

static bool is_closed(CURLcode code)
{
    return code == CURLE_GOT_NOTHING || code == CURLE_RECV_ERROR || code == CURLE_SEND_ERROR;
}

static bool is_absent(CURL *curl, CURLcode code, const struct fetch_target *t)
{
    long os_errno = 0;

    curl_easy_getinfo(curl, CURLINFO_OS_ERRNO, &os_errno);
    return t->unix_socket != NULL && code == CURLE_COULDNT_CONNECT &&
           (os_errno == ENOENT || os_errno == ECONNREFUSED);
}

static enum err lane_end(struct lane *l, CURLcode code, const struct fetch_target *t, struct fault *f)
{
    l->answer->is_closed = is_closed(code);
    l->answer->is_absent = is_absent(l->curl, code, t);
    if (code != CURLE_OK)
        return report(l->curl, code, l->text, t, &l->answer->body, f);
    read_answer(l->curl, l->answer);
    return OK;
}

enum err fetch(const struct fetch_target *t, const struct fetch_request *r, struct fetch_answer *out,
               struct fault *f)
{
    struct lane l = {.curl = curl_handle_new(), .answer = out};
    enum err e = lane_begin(&l, t, r, f);

    if (e == OK)
        e = lane_end(&l, curl_easy_perform(l.curl), t, f);
    curl_easy_cleanup(l.curl);
    lane_clear(&l);
    return e;
}

/* ---- the pool ---- */

#define POOL_WAIT_MS 1000 /* curl's own deadlines end an exchange; this only bounds one wait */

struct pool_lane {
    struct lane lane;
    struct fetch_answer answer;
    bool is_busy;
    fetch_done *done;
    void *arg;
};

struct fetch_pool {
    const struct fetch_target *target;
    CURLM *multi;
    struct pool_lane lanes[FETCH_LANES_MAX];
    unsigned count, busy;
};

struct fetch_pool *fetch_pool_new(const struct fetch_target *t, unsigned lanes)
{
    struct fetch_pool *p = xcalloc(1, sizeof *p);

    assert(lanes >= 1 && lanes <= FETCH_LANES_MAX);
    p->target = t;
    p->count = lanes;
    for (unsigned i = 0; i < lanes; i++)
        p->lanes[i].lane = (struct lane){.curl = curl_handle_new(), .answer = &p->lanes[i].answer};
    p->multi = curl_multi_init();
    if (p->multi == NULL || curl_multi_setopt(p->multi, CURLMOPT_MAXCONNECTS, (long)lanes) != CURLM_OK)
        die("libcurl: out of memory");
    return p;
}

static struct pool_lane *lane_of(struct fetch_pool *p, const CURL *curl)
{
    for (unsigned i = 0; i < p->count; i++)
        if (p->lanes[i].lane.curl == curl)
            return &p->lanes[i];
    die("libcurl: an unknown handle");
}

static void lane_finish(struct fetch_pool *p, struct pool_lane *l, CURLcode code)
{
    struct fault f = {0};
    enum err e;

    curl_multi_remove_handle(p->multi, l->lane.curl);
    e = lane_end(&l->lane, code, p->target, &f);
    l->done(e, &f, &l->answer, l->arg);
    fetch_answer_free(&l->answer);
    lane_clear(&l->lane);
    l->is_busy = false;
    p->busy--;
}

/* Lets octets move, and ends what is complete. */
static void pool_turn(struct fetch_pool *p)
{
    CURLMsg *m;
    int left;

    if (curl_multi_perform(p->multi, &left) != CURLM_OK)
        die("libcurl: cannot go on");
    while ((m = curl_multi_info_read(p->multi, &left)) != NULL)
        if (m->msg == CURLMSG_DONE)
            lane_finish(p, lane_of(p, m->easy_handle), m->data.result);
}

static void pool_wait(struct fetch_pool *p, unsigned most)
{
    pool_turn(p);
    while (p->busy > most) {
        if (curl_multi_poll(p->multi, NULL, 0, POOL_WAIT_MS, NULL) != CURLM_OK)
            die("libcurl: cannot wait");
        pool_turn(p);
    }
}

/* The handle keeps its settings from before, and nothing of the last exchange may be sent again. */
static enum err pool_lane_begin(struct fetch_pool *p, struct pool_lane *l, const struct fetch_request *r,
                                struct fault *f)
{
    enum err e;

    curl_easy_reset(l->lane.curl);
    e = lane_begin(&l->lane, p->target, r, f);
    if (e != OK)
        return e;
    if (r->body.len > 0)
        CURL_SET(l->lane.curl, CURLOPT_COPYPOSTFIELDS,
                 (const char *)r->body.data); /* its size is set already */
    if (curl_multi_add_handle(p->multi, l->lane.curl) != CURLM_OK)
        die("libcurl: out of memory");
    l->is_busy = true;
    p->busy++;
    return OK;
}

enum err fetch_pool_begin(struct fetch_pool *p, const struct fetch_request *r, fetch_done *done, void *arg,
                          struct fault *f)
{
    struct pool_lane *free_lane = NULL;
    enum err e;

    if (p->busy == p->count)
        pool_wait(p, p->count - 1);
    for (unsigned i = 0; free_lane == NULL && i < p->count; i++)
        if (!p->lanes[i].is_busy)
            free_lane = &p->lanes[i];
    assert(free_lane != NULL);
    free_lane->done = done;
    free_lane->arg = arg;
    e = pool_lane_begin(p, free_lane, r, f);
    if (e == OK)
        pool_turn(p); /* sent now, not when the lanes are full */
    return e;
}

void fetch_pool_finish(struct fetch_pool *p)
{
    pool_wait(p, 0);
}

void fetch_pool_free(struct fetch_pool *p)
{
    if (p == NULL)
        return;
    for (unsigned i = 0; i < p->count; i++) {
        if (p->lanes[i].is_busy)
            curl_multi_remove_handle(p->multi, p->lanes[i].lane.curl);
        curl_easy_cleanup(p->lanes[i].lane.curl);
        lane_clear(&p->lanes[i].lane);
        fetch_answer_free(&p->lanes[i].answer);
    }
    curl_multi_cleanup(p->multi);
    free(p);
}

void fetch_answer_free(struct fetch_answer *a)
{
    buf_free(&a->body);
}
