/* SPDX-License-Identifier: Apache-2.0 */
/* transfer: one easy handle, set up anew for each transfer; libcurl keeps its connections. */
#include "base/transfer.h"

#include <assert.h>
#include <curl/curl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/curl_inner.h"

#define SLOW_OCTETS 1024L      /* a second: less is no progress */
#define REFUSAL_MAX (1u << 20) /* octets of an error page that are read and thrown away */

struct transfer_line {
    CURL *curl;
};

struct transfer_line *transfer_line_new(void)
{
    struct transfer_line *l = xcalloc(1, sizeof *l);

    l->curl = curl_handle_new();
    return l;
}

void transfer_line_free(struct transfer_line *l)
{
    if (l == NULL)
        return;
    curl_easy_cleanup(l->curl);
    free(l);
}

/* What the callbacks share while one runs. */
struct run {
    CURL *curl;
    const struct transfer *t;
    uint64_t sent, received;
    bool is_too_large, is_stopped, is_sftp;
    char text[CURL_ERROR_SIZE];
};

/* ---- libcurl's callbacks ---- */

static size_t on_read(char *out, size_t size, size_t n, void *arg)
{
    struct run *r = arg;
    uint64_t left = r->t->len - r->sent;
    size_t want = size * n < left ? size * n : (size_t)left;
    ssize_t got = want == 0 ? 0 : pread(r->t->fd, out, want, (off_t)r->sent);

    if (got < 0 || (got == 0 && want > 0)) /* a file that shrank is none that may be sent */
        return CURL_READFUNC_ABORT;
    r->sent += (uint64_t)got;
    return (size_t)got;
}

/* A kept connection that was closed meanwhile: libcurl begins again. */
static int on_seek(void *arg, curl_off_t to, int origin)
{
    struct run *r = arg;

    if (origin != SEEK_SET || to < 0 || (uint64_t)to > r->t->len)
        return CURL_SEEKFUNC_FAIL;
    r->sent = (uint64_t)to;
    return CURL_SEEKFUNC_OK;
}

static bool is_wanted(const struct run *r)
{
    long status = 0;

    curl_easy_getinfo(r->curl, CURLINFO_RESPONSE_CODE, &status);
    return r->t->sink != NULL && (r->is_sftp || status == 200);
}

static size_t on_data(char *data, size_t size, size_t n, void *arg)
{
    struct run *r = arg;
    bool wanted = is_wanted(r);

    r->received += size * n;
    r->is_too_large = r->received > (wanted ? r->t->body_max : REFUSAL_MAX);
    if (r->is_too_large)
        return 0;
    if (wanted && !r->t->sink(span_of(data, size * n), r->t->arg)) {
        r->is_stopped = true;
        return 0;
    }
    return size * n;
}

static int on_progress(void *arg, curl_off_t a, curl_off_t b, curl_off_t c, curl_off_t d)
{
    const struct run *r = arg;

    (void)a, (void)b, (void)c, (void)d;
    return r->t->is_over != NULL && atomic_load(r->t->is_over);
}

/* ---- setting up ---- */

static struct curl_slist *list_of(const char *const *items, const char *first)
{
    struct curl_slist *list = NULL;

    if (first != NULL && (list = curl_slist_append(NULL, first)) == NULL)
        die("libcurl: out of memory");
    for (; items != NULL && *items != NULL; items++) {
        struct curl_slist *longer = curl_slist_append(list, *items);

        if (longer == NULL)
            die("libcurl: out of memory");
        list = longer;
    }
    return list;
}

static void set_limits(struct run *r)
{
    const struct transfer *t = r->t;
    long timeout_s = (long)t->timeout_s;

    assert(timeout_s > 0 && t->total_s > 0);
    CURL_SET(r->curl, CURLOPT_NOSIGNAL, 1L);
    CURL_SET(r->curl, CURLOPT_CONNECTTIMEOUT, timeout_s < CONNECT_TIMEOUT_S ? timeout_s : CONNECT_TIMEOUT_S);
    CURL_SET(r->curl, CURLOPT_LOW_SPEED_LIMIT, SLOW_OCTETS);
    CURL_SET(r->curl, CURLOPT_LOW_SPEED_TIME, timeout_s);
    CURL_SET(r->curl, CURLOPT_TIMEOUT, (long)t->total_s);
    CURL_SET(r->curl, CURLOPT_QUICK_EXIT, 1L); /* nobody waits for a name server that does not answer */
    CURL_SET(r->curl, CURLOPT_NOPROGRESS, 0L);
    CURL_SET(r->curl, CURLOPT_XFERINFOFUNCTION, on_progress);
    CURL_SET(r->curl, CURLOPT_XFERINFODATA, r);
}

/* The scheme with which it begins is the one it keeps. */
static void set_route(struct run *r)
{
    const struct transfer *t = r->t;
    bool is_https = strncmp(t->url, "https:", 6) == 0;

    CURL_SET(r->curl, CURLOPT_URL, t->url);
    CURL_SET(r->curl, CURLOPT_PROTOCOLS_STR, r->is_sftp ? "sftp" : is_https ? "https" : "http");
    CURL_SET(r->curl, CURLOPT_REDIR_PROTOCOLS_STR, is_https ? "https" : "http");
    CURL_SET(r->curl, CURLOPT_FOLLOWLOCATION, t->redirects > 0 ? 1L : 0L);
    CURL_SET(r->curl, CURLOPT_MAXREDIRS, (long)t->redirects);
    CURL_SET(r->curl, CURLOPT_PROXY, ""); /* not even from the environment */
    CURL_SET(r->curl, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
    CURL_SET(r->curl, CURLOPT_PATH_AS_IS, 1L);
    CURL_SET(r->curl, CURLOPT_USERAGENT, "chancery/" CHANCERY_VERSION);
}

static void set_trust(struct run *r)
{
    const struct transfer *t = r->t;

    if (r->is_sftp) {
        CURL_SET(r->curl, CURLOPT_SSH_KNOWNHOSTS, t->known_hosts);
        CURL_SET(r->curl, CURLOPT_SSH_AUTH_TYPES, (long)CURLSSH_AUTH_PUBLICKEY);
        CURL_SET(r->curl, CURLOPT_SSH_PRIVATE_KEYFILE, t->key);
        CURL_SET(r->curl, CURLOPT_USERNAME, t->user);
        return;
    }
    CURL_SET(r->curl, CURLOPT_SSL_VERIFYPEER, 1L);
    CURL_SET(r->curl, CURLOPT_SSL_VERIFYHOST, 2L);
    CURL_SET(r->curl, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
    if (t->cacert != NULL) {
        CURL_SET(r->curl, CURLOPT_CAINFO, t->cacert);
        CURL_SET(r->curl, CURLOPT_CAPATH,
                 NULL); /* else the system's authorities would be trusted beside it */
    }
    CURL_SET(r->curl, CURLOPT_SSLCERT, t->certificate);
    CURL_SET(r->curl, CURLOPT_SSLKEY, t->key);
    CURL_SET(r->curl, CURLOPT_KEYPASSWD,
             "-"); /* never right; without one OpenSSL would ask on the terminal */
    if (t->user != NULL) {
        CURL_SET(r->curl, CURLOPT_HTTPAUTH, (long)CURLAUTH_BASIC);
        CURL_SET(r->curl, CURLOPT_USERNAME, t->user);
        CURL_SET(r->curl, CURLOPT_PASSWORD, t->password);
    }
}

static void set_octets(struct run *r)
{
    CURL_SET(r->curl, CURLOPT_WRITEFUNCTION, on_data);
    CURL_SET(r->curl, CURLOPT_WRITEDATA, r);
    if (strcmp(r->t->method, "PUT") == 0) {
        CURL_SET(r->curl, CURLOPT_UPLOAD, 1L);
        CURL_SET(r->curl, CURLOPT_INFILESIZE_LARGE, (curl_off_t)r->t->len);
        CURL_SET(r->curl, CURLOPT_READFUNCTION, on_read);
        CURL_SET(r->curl, CURLOPT_READDATA, r);
        CURL_SET(r->curl, CURLOPT_SEEKFUNCTION, on_seek);
        CURL_SET(r->curl, CURLOPT_SEEKDATA, r);
    } else if (strcmp(r->t->method, "GET") != 0) {
        CURL_SET(r->curl, CURLOPT_CUSTOMREQUEST, r->t->method);
    }
}

/* ---- what came of it ---- */

/* Did the peer say anything about this file? An HTTP status was, or a status of SFTP that is no failure of
 * all of it. */
static bool is_answered(const struct run *r, CURLcode code)
{
    long status = 0;

    curl_easy_getinfo(r->curl, CURLINFO_RESPONSE_CODE, &status);
    if (!r->is_sftp)
        return status >= 200;
    return code == CURLE_REMOTE_ACCESS_DENIED || code == CURLE_REMOTE_FILE_NOT_FOUND ||
           code == CURLE_REMOTE_FILE_EXISTS || code == CURLE_REMOTE_DISK_FULL || code == CURLE_QUOTE_ERROR ||
           code == CURLE_UPLOAD_FAILED;
}

static enum err err_of(const struct run *r, CURLcode code)
{
    if (r->is_too_large)
        return ERR_TOO_LARGE;
    if (r->is_stopped)
        return ERR_MALFORMED;
    switch (code) {
    case CURLE_OUT_OF_MEMORY:
        die("libcurl: out of memory");
    case CURLE_ABORTED_BY_CALLBACK:
        return r->t->is_over != NULL && atomic_load(r->t->is_over) ? ERR_END : ERR_IO;
    case CURLE_URL_MALFORMAT:
        return ERR_USAGE;
    case CURLE_SSL_CACERT_BADFILE:
    case CURLE_SSL_CERTPROBLEM:
        return ERR_KEY;
    case CURLE_PEER_FAILED_VERIFICATION:
    case CURLE_LOGIN_DENIED:
        return ERR_FORBIDDEN;
    default:
        return is_answered(r, code) ? ERR_POLICY : ERR_UNAVAILABLE;
    }
}

/* Where libcurl's own words are missing or not for people. */
static const char *text_of(const struct run *r, CURLcode code)
{
    long status = 0;

    curl_easy_getinfo(r->curl, CURLINFO_RESPONSE_CODE, &status);
    if (r->is_too_large)
        return "the answer is larger than it can be";
    if (r->is_stopped)
        return "the answer is no CRL";
    if (code == CURLE_PEER_FAILED_VERIFICATION && r->is_sftp)
        return "its host key is not the one in known-hosts";
    if (code == CURLE_UNSUPPORTED_PROTOCOL && status >= 300 && status < 400)
        return "it redirects to another scheme";
    if (code == CURLE_PARTIAL_FILE)
        return "the answer was cut short";
    if (code == CURLE_ABORTED_BY_CALLBACK)
        return "the file to send cannot be read, or the service ends";
    return r->text[0] != '\0' ? r->text : curl_easy_strerror(code);
}

static enum err finish(struct run *r, CURLcode code, unsigned *status, struct fault *f)
{
    long http_status = 0;

    if (code == CURLE_REMOTE_FILE_NOT_FOUND && r->is_sftp && strcmp(r->t->method, "GET") == 0) {
        *status = 404;
        return OK;
    }
    if (code != CURLE_OK)
        return fault_set(f, err_of(r, code), "%s: %s", r->t->url, text_of(r, code));
    curl_easy_getinfo(r->curl, CURLINFO_RESPONSE_CODE, &http_status);
    *status = r->is_sftp ? 200 : (unsigned)http_status;
    return OK;
}

enum err transfer(struct transfer_line *l, const struct transfer *t, unsigned *status, struct fault *f)
{
    struct run r = {.curl = l->curl, .t = t, .is_sftp = strncmp(t->url, "sftp:", 5) == 0};
    /* no 100-continue: it costs a second where nobody answers it */
    struct curl_slist *headers = list_of(t->headers, "Expect:"), *after = list_of(t->after, NULL);
    enum err e;

    assert(!r.is_sftp || t->known_hosts != NULL);
    *status = 0;
    curl_easy_reset(l->curl);
    set_limits(&r);
    set_route(&r);
    set_trust(&r);
    set_octets(&r);
    CURL_SET(l->curl, CURLOPT_ERRORBUFFER, r.text);
    if (!r.is_sftp)
        CURL_SET(l->curl, CURLOPT_HTTPHEADER, headers);
    CURL_SET(l->curl, CURLOPT_POSTQUOTE, after);
    e = finish(&r, curl_easy_perform(l->curl), status, f);
    CURL_SET(l->curl, CURLOPT_ERRORBUFFER, NULL);
    curl_slist_free_all(headers);
    curl_slist_free_all(after);
    return e;
}
