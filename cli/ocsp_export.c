/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ocsp_export: `ocsp export DIR`: a static set of the answers about every certificate that has not ended, by
 * asking the running responder. An answer that is there, says what the list says and has more than half of
 * its life before it is left alone. One that comes is held against the list too: it may be of a cache, of a
 * host that is behind, or of this very set. What is revoked stays in the set with that answer until it ends:
 * a client that finds nothing may take that for good.
 *
 * A dry run asks all the same, so that it knows what fails, and writes nothing.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "cli/inner.h"
#include "cli/ocsp_static.h"

#define LANES 32u        /* answers asked for at once: more than any signer needs to be busy */
#define ANSWER_MAX 65536 /* octets: ours have two thousand */
#define IDLE_MAX 60      /* rounds, a second each, of being told to try later without one answer */
#define STALE_MAX                                                                                            \
    2 /* rounds of a whole run that leave answers which are not what the list says: see ask_again */
#define MANIFEST "manifest.jsonl"

/* A certificate whose answer is wanted. */
struct wanted {
    struct export *export;
    struct static_place place;
    char serial[2 * SERIAL_LEN + 1];
    bool is_revoked;
    int64_t revoked_at_s;
    bool is_stale;       /* the last answer was not what the list says */
    struct wanted *next; /* of those to be asked again */
};

struct export
{
    struct cli *cli;
    const char *dir;
    char base[256], prefix[256]; /* of the responder's address: "http://host:port", "/ocsp" */
    struct static_issuer issuers[ISSUERS_MAX];
    size_t issuer_count;
    struct fetch_target target;
    struct fetch_pool *pool;
    struct file_draft manifest;
    struct static_seen seen;
    struct wanted *again;
    unsigned stale_rounds;
    struct buf file; /* an answer that is there */
    size_t certificates, written, kept, removed, failed;
    int lock_fd;
    int code; /* DONE, or what has gone wrong for good */
};

static int fail(struct export *x, int code, const char *why)
{
    if (x->code == DONE)
        x->code = cli_fail(x->cli, code, "%s", why);
    return x->code;
}

static void note(struct export *x, const struct wanted *w, const struct static_answer *a, struct span der)
{
    struct fault f = {0};

    if (!x->cli->is_dry_run && static_note(&x->manifest, &w->place, w->serial, a, der, &f) != OK)
        fail(x, WRONG_USE, f.detail);
    static_seen_add(&x->seen, w->place.file);
}

/* ---- one answer ---- */

static bool is_as_listed(const struct wanted *w, const struct static_answer *a)
{
    if (w->is_revoked)
        return a->state == STATIC_REVOKED && a->revoked_at_s == w->revoked_at_s;
    return a->state == STATIC_GOOD;
}

static bool is_current(const struct wanted *w, const struct static_answer *a, int64_t now_s)
{
    return is_as_listed(w, a) && a->this_update_s <= now_s &&
           a->next_update_s - now_s > (a->next_update_s - a->this_update_s) / 2;
}

/* Of producedAt: what a responder behind the CA signs now may have a thisUpdate of some time ago. */
static bool is_fresh(const struct static_answer *a, int64_t now_s)
{
    int64_t left_s = a->next_update_s - now_s;

    return left_s > 0 && left_s > (a->next_update_s - a->produced_at_s) / OCSP_END_SHARE;
}

/* What is on the disk already, when it is an answer. */
static bool read_present(struct export *x, const struct wanted *w, struct static_answer *a)
{
    return static_get(x->dir, &w->place, &x->file) == OK &&
           static_answer_read(buf_span(&x->file), &w->place, a, NULL);
}

/* No answer could be had: one of before stays for as long as it is good and nothing is known against it. The
 * first says why; a run that has failed has said so. */
static void give_up(struct export *x, struct wanted *w, const char *why)
{
    struct static_answer a;

    if (x->failed++ == 0 && x->code == DONE)
        cli_fail(x->cli, SERVICE_FAILED, "serial %s: %s", w->serial, why);
    if (read_present(x, w, &a) && a.next_update_s > clock_now_s() &&
        (a.state == STATIC_REVOKED) == w->is_revoked)
        note(x, w, &a, buf_span(&x->file));
    free(w);
}

static void take(struct export *x, struct wanted *w, const struct static_answer *a, struct span der)
{
    struct fault f = {0};

    if (!x->cli->is_dry_run && static_put(x->dir, &w->place, der, a->this_update_s, &f) != OK)
        fail(x, WRONG_USE, f.detail);
    note(x, w, a, der);
    x->written++;
    free(w);
}

static void on_answer(enum err e, const struct fault *f, const struct fetch_answer *answer, void *arg)
{
    struct wanted *w = arg;
    struct export *x = w->export;
    struct span der = buf_span(&answer->body);
    struct static_answer a;
    bool try_later = false, is_answer = e == OK && answer->status == 200 &&
                                        static_answer_read(der, &w->place, &a, &try_later) &&
                                        a.state != STATIC_UNKNOWN;

    w->is_stale = is_answer && !(is_as_listed(w, &a) && is_fresh(&a, clock_now_s()));
    if (try_later || (w->is_stale && x->stale_rounds < STALE_MAX)) {
        w->next = x->again;
        x->again = w;
    } else if (is_answer && !w->is_stale) {
        take(x, w, &a, der);
    } else {
        give_up(x, w,
                e != OK       ? f->detail
                : w->is_stale ? "the answer is out of date: the responder's address, --url, is to lead to "
                                "the service itself"
                              : "the responder gives no answer about it");
    }
}

static void ask(struct export *x, struct wanted *w)
{
    const struct fetch_request r = {
        .method = "GET", .path = w->place.path, .accept = "application/ocsp-response"};
    struct fault f = {0};

    if (fetch_pool_begin(x->pool, &r, on_answer, w, &f) == OK)
        return;
    fail(x, SERVICE_FAILED, f.detail);
    free(w);
}

/* False: a time that cannot be read. */
static bool read_revocation(const struct js *row, struct wanted *w)
{
    const char *revoked = js_str(js_get(js_get(row, "revocation"), "revoked_at"));

    w->is_revoked = revoked != NULL;
    return revoked == NULL || clock_parse_rfc3339(revoked, &w->revoked_at_s);
}

/* The state may have changed between the page of the list and the answer. */
static void look_again(struct export *x, struct wanted *w)
{
    struct js *row = NULL;
    int code = service_get_under(x->cli, "/api/v1/certificates/", w->serial, &row);

    if (code == DONE && !read_revocation(row, w))
        code = cli_fail(x->cli, SERVICE_FAILED, "the service gave a time that cannot be read");
    if (x->code == DONE)
        x->code = code;
    js_free(row);
}

static bool has_stale(const struct wanted *list)
{
    for (; list != NULL; list = list->next)
        if (list->is_stale)
            return true;
    return false;
}

/* One more time for all of them, after a second. True when some of them are settled by it. */
static bool ask_round(struct export *x)
{
    const struct timespec second = {.tv_sec = 1};
    struct wanted *list = x->again, *next;
    size_t settled = x->written + x->failed;

    x->again = NULL;
    nanosleep(&second, NULL);
    for (struct wanted *w = list; w != NULL; w = next) {
        next = w->next;
        if (w->is_stale)
            look_again(x, w);
        ask(x, w);
    }
    fetch_pool_finish(x->pool);
    x->stale_rounds += has_stale(x->again);
    return x->written + x->failed > settled;
}

/* Where the responder said try later: it limits what one address may have signed in a second. And where list
 * and answer differ: the list is read anew for it, so a state that has just changed is over with one round.
 * What is then still not as listed comes from elsewhere than the store, and no waiting helps. A revocation in
 * such an answer is no exception: the hold that it tells of may have been taken back. */
static void ask_again(struct export *x)
{
    unsigned idle = 0;

    while (idle < IDLE_MAX && x->again != NULL && x->code == DONE)
        idle = ask_round(x) ? 0 : idle + 1;
    while (x->again != NULL) {
        struct wanted *w = x->again;

        x->again = w->next;
        give_up(x, w, "the responder says try later, for a minute already");
    }
}

/* ---- the list ---- */

static const struct static_issuer *issuer_of(const struct export *x, const char *id)
{
    for (size_t i = 0; id != NULL && i < x->issuer_count; i++)
        if (strcmp(x->issuers[i].id, id) == 0)
            return &x->issuers[i];
    return NULL;
}

/* False: nothing to be answered about (it has ended), or a row that cannot be read. */
static bool read_row(struct export *x, const struct js *row, struct wanted *out)
{
    const char *serial = js_str(js_get(row, "serial")), *end = js_str(js_get(row, "not_after"));
    const struct static_issuer *issuer = issuer_of(x, js_str(js_get(row, "issuer")));
    uint8_t octets[SERIAL_LEN];
    int64_t end_s;

    *out = (struct wanted){.export = x};
    if (issuer == NULL || serial == NULL || end == NULL || !clock_parse_rfc3339(end, &end_s) ||
        !span_to_str(span_str(serial), out->serial, sizeof out->serial) ||
        !hex_decode(serial, octets, sizeof octets))
        return false;
    if (end_s <= x->cli->now_s || !read_revocation(row, out))
        return false;
    return static_place_of(issuer, octets, x->prefix, &out->place);
}

static void take_row(struct export *x, const struct js *row)
{
    struct wanted *w = xmalloc(sizeof *w);
    struct static_answer a;

    if (!read_row(x, row, w)) {
        free(w);
        return;
    }
    x->certificates++;
    if (!read_present(x, w, &a) || !is_current(w, &a, clock_now_s())) {
        ask(x, w);
        return;
    }
    x->kept++;
    note(x, w, &a, buf_span(&x->file));
    free(w);
}

static int take_page(struct export *x, char cursor[static CURSOR_TEXT_MAX])
{
    struct js *page = NULL;
    const struct js *items;
    const char *next;
    struct buf path;
    char count[24];
    int code;

    path_begin(&path, "/api/v1/certificates");
    snprintf(count, sizeof count, "%u", (unsigned)LIST_LIMIT_MAX);
    fetch_query(&path, "limit", count);
    fetch_query(&path, "after", cursor[0] != '\0' ? cursor : NULL);
    code = service_get(x->cli, path_end(&path), &page);
    buf_free(&path);
    items = js_get(page, "items");
    for (size_t i = 0; code == DONE && i < js_len(items) && x->code == DONE; i++)
        take_row(x, js_at(items, i));
    fetch_pool_finish(x->pool);
    ask_again(x);
    next = js_str(js_get(page, "next"));
    if (code == DONE && next != NULL &&
        (strcmp(next, cursor) == 0 || !span_to_str(span_str(next), cursor, CURSOR_TEXT_MAX)))
        code = cli_fail(x->cli, SERVICE_FAILED, "the service gave a cursor that leads nowhere");
    if (next == NULL)
        cursor[0] = '\0';
    js_free(page);
    return code != DONE ? code : x->code;
}

/* ---- the issuers ---- */

static int take_issuer(struct export *x, const char *id)
{
    struct static_issuer *out = &x->issuers[x->issuer_count];
    struct js *v = NULL;
    int code = service_get_under(x->cli, ISSUERS_PATH "/", id, &v);
    const char *pem = js_str(js_get(v, "pem"));

    if (code == DONE && (pem == NULL || !span_to_str(span_str(id), out->id, sizeof out->id) ||
                         !static_issuer_read(span_str(pem), out)))
        code = cli_fail(x->cli, SERVICE_FAILED, "the certificate of issuer %s cannot be read", id);
    x->issuer_count += code == DONE;
    js_free(v);
    return code;
}

/* "http://host:port/path" in two. */
static int take_address(struct export *x, const char *url)
{
    const char *host = url != NULL ? strstr(url, "://") : NULL,
               *path = host != NULL ? strchr(host + 3, '/') : NULL;
    size_t len = path != NULL ? (size_t)(path - url) : url != NULL ? strlen(url) : 0;

    if (host == NULL || len >= sizeof x->base || strlen(url) - len >= sizeof x->prefix)
        return cli_fail(x->cli, WRONG_USE, "no address of a responder: --url");
    snprintf(x->base, sizeof x->base, "%.*s", (int)len, url);
    snprintf(x->prefix, sizeof x->prefix, "%s", path != NULL ? path : "/");
    for (len = strlen(x->prefix); len > 1 && x->prefix[len - 1] == '/'; len--)
        x->prefix[len - 1] = '\0';
    if (len == 1)
        return cli_fail(x->cli, WRONG_USE, "the responder's address needs a path, such as /ocsp");
    if (!static_prefix_is_plain(x->prefix))
        return cli_fail(x->cli, WRONG_USE, "%s: its path cannot name a directory", url);
    return DONE;
}

/* About any other the responder gives no answer. A service of before does not say. */
static bool is_answered(const struct js *issuer)
{
    bool is_configured = true;

    return !js_bool(js_get(issuer, "configured"), &is_configured) || is_configured;
}

static int take_issuers(struct export *x)
{
    const char *url = cli_option(x->cli, OPT_URL);
    struct js *list = NULL;
    int code = service_get(x->cli, ISSUERS_PATH, &list);
    const struct js *items = js_get(list, "items");

    for (size_t i = 0; code == DONE && i < js_len(items) && i < ISSUERS_MAX; i++) {
        const struct js *item = js_at(items, i);

        if (url == NULL)
            url = js_str(js_get(js_get(item, "ocsp"), "url"));
        if (js_str(js_get(item, "id")) != NULL && is_answered(item))
            code = take_issuer(x, js_str(js_get(item, "id")));
    }
    if (code == DONE)
        code = take_address(x, url);
    js_free(list);
    return code;
}

/* ---- a run ---- */

static int open_directory(struct export *x)
{
    char path[PATH_LEN_MAX];
    struct fault f = {0};
    enum err e = static_open(x->dir, &x->lock_fd, &f);

    if (e == OK)
        e = path_join(path, x->dir, MANIFEST, &f);
    if (e == OK) {
        file_drafts_remove(path);
        e = file_draft_open(&x->manifest, path, 0644, &f);
    }
    return e == OK ? DONE : cli_fail(x->cli, WRONG_USE, "%s", f.detail);
}

static int look_at_directory(struct export *x)
{
    struct fault f = {0};

    return static_look(x->dir, &f) == OK ? DONE : cli_fail(x->cli, WRONG_USE, "%s", f.detail);
}

static int finish(struct export *x)
{
    struct fault f = {0};
    enum err e;

    if (x->cli->is_dry_run) {
        e = static_count_others(x->dir, x->prefix + 1, &x->seen, &x->removed, &f);
    } else {
        e = static_sync(x->dir, &f);
        if (e == OK)
            e = file_draft_commit(&x->manifest, &f); /* never names what is not there */
        if (e == OK)
            e = static_sweep(x->dir, x->prefix + 1, &x->seen, &x->removed, &f);
    }
    return e == OK ? DONE : cli_fail(x->cli, WRONG_USE, "%s", f.detail);
}

static int say(struct export *x)
{
    struct js *o = js_object();
    int code;

    js_set_int(o, "certificates", (int64_t)x->certificates);
    js_set_int(o, "written", (int64_t)x->written);
    js_set_int(o, "kept", (int64_t)x->kept);
    js_set_int(o, "removed", (int64_t)x->removed);
    js_set_int(o, "failed", (int64_t)x->failed);
    code = show_write(x->cli, o);
    js_free(o);
    if (x->cli->is_dry_run)
        cli_note(x->cli, "this is what would be: nothing was written and nothing removed");
    return code == DONE && x->failed > 0 ? SERVICE_FAILED : code;
}

static int run(struct export *x)
{
    char cursor[CURSOR_TEXT_MAX] = "";
    int code = take_issuers(x);

    if (code == DONE)
        code = x->cli->is_dry_run ? look_at_directory(x) : open_directory(x);
    if (code != DONE)
        return code;
    x->target = (struct fetch_target){.base_url = x->base};
    x->pool = fetch_pool_new(&x->target, LANES);
    do {
        code = take_page(x, cursor);
    } while (code == DONE && cursor[0] != '\0');
    if (code == DONE)
        code = finish(x);
    return code == DONE ? say(x) : code;
}

int run_ocsp_export(struct cli *c)
{
    struct export *x;
    int code;

    if (strcmp(cli_argument(c), "-") == 0)
        return cli_misuse(c, "-: a directory is wanted, not standard output");
    x = xcalloc(1, sizeof *x);
    x->cli = c;
    x->dir = cli_argument(c);
    x->lock_fd = x->manifest.fd = -1;
    buf_init(&x->file, ANSWER_MAX);
    code = run(x);
    fetch_pool_free(x->pool);
    file_draft_abort(&x->manifest);
    static_seen_free(&x->seen);
    buf_free(&x->file);
    if (x->lock_fd >= 0)
        close(x->lock_fd);
    free(x);
    return code;
}
