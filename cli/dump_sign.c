/* SPDX-License-Identifier: Apache-2.0 */
/*
 * dump_sign: `csr sign` of an archive or a directory. The archive is read twice: first for names and hashes,
 * then each request is sent as it comes by, several under way at a time. One that is refused stops nothing;
 * a service that takes no more is waited for, and the archive read again for what is left; one that fails
 * stops the run, which the same command takes up again.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include "base/clock.h"
#include "base/hash.h"
#include "base/log.h"
#include "cli/dump.h"

#define DAYS_MAX 36500    /* as for one request */
#define LANES 16u         /* under way at a time: enough that each commit of the service holds several */
#define PROGRESS_MS 200   /* between two looks of the line on the terminal */
#define PAUSES_MAX 5u     /* in a row that bring nothing: it is no limit then, or others take all there is */
#define PAUSE_MAX_S 3600  /* what a service may ask for; the limits of ours never ask for as much */
#define REFUSALS_SAID 10u /* on standard error: the report has all of them */

struct dump_run {
    struct cli *cli;
    struct dump dump;
    struct journal journal;
    struct fetch_pool *pool;
    struct buf path;
    size_t position, asked, answered, said;
    int64_t begun_ms, shown_ms;
    int64_t pause_s; /* asked for by an answer: nothing more is asked until then; 0: go on */
    unsigned pauses; /* since one was settled */
    bool has_paused;
    int code; /* not DONE: nothing more is asked */
};

/* One question under way. */
struct dump_ask {
    struct dump_run *run;
    struct dump_item *item;
};

/* ---- progress: one line, on a terminal alone ---- */

static bool shows_progress(const struct cli *c)
{
    return c->io.err_is_terminal && !c->is_quiet;
}

static void show_progress(struct dump_run *r)
{
    int64_t now_ms = clock_monotonic_ms(), spent_ms = now_ms - r->begun_ms + 1;
    size_t left = r->dump.counts[DUMP_TODO];
    size_t rate = r->answered * 1000 / (size_t)spent_ms;

    if (!shows_progress(r->cli) || now_ms - r->shown_ms < PROGRESS_MS)
        return;
    r->shown_ms = now_ms;
    fprintf(r->cli->io.err, "\r%zu of %zu done, %zu refused, %zu/s", r->dump.count - left, r->dump.count,
            r->dump.counts[DUMP_REFUSED], rate);
    if (rate > 0)
        fprintf(r->cli->io.err, ", %zu s left", left / rate);
    fputs("\x1b[K", r->cli->io.err);
    fflush(r->cli->io.err);
}

static void clear_progress(struct dump_run *r)
{
    if (shows_progress(r->cli))
        fputs("\r\x1b[K", r->cli->io.err);
    r->shown_ms = 0;
}

/* ---- answers ---- */

static const char *problem_name(const struct js *problem)
{
    const char *type = js_str(js_get(problem, "type")), *colon = type != NULL ? strrchr(type, ':') : NULL;

    return colon != NULL ? colon + 1 : "";
}

/* Rules that people have to see: notes are left to those who ask for one certificate. */
static struct js *rules_of(const struct js *answer)
{
    const struct js *findings = js_get(answer, "findings");
    struct js *rules = js_array();

    for (size_t i = 0; i < js_len(findings); i++) {
        const char *severity = js_str(js_get(js_at(findings, i), "severity"));
        const char *rule = js_str(js_get(js_at(findings, i), "rule"));

        if (severity != NULL && rule != NULL && strcmp(severity, "note") != 0)
            js_push_str(rules, rule);
    }
    if (js_len(rules) == 0 && strcmp(problem_name(answer), "malformed") == 0)
        js_push_str(rules, "csr.malformed");
    return rules;
}

static void say_refusal(struct dump_run *r, const struct dump_item *i, const char *rule, const char *text)
{
    if (r->said++ == REFUSALS_SAID)
        return cli_note(r->cli, "refused  … and more");
    if (r->said > REFUSALS_SAID)
        return;
    clear_progress(r);
    cli_note(r->cli, "refused  %s  %s  %s", i->path, rule != NULL ? rule : "-", text != NULL ? text : "");
}

static void settle(struct dump_run *r, struct dump_item *i, enum dump_state s, struct js *line)
{
    int64_t at = -1;

    if (r->cli->is_dry_run)
        js_free(line);
    else if ((at = journal_add(r->cli, &r->journal, i, s, line)) < 0)
        r->code = WRONG_USE;
    if (at < 0 && !r->cli->is_dry_run)
        return;
    dump_set(&r->dump, i, s, at);
    r->pauses = 0;
}

static void take_refusal(struct dump_run *r, struct dump_item *i, const struct js *answer)
{
    struct js *line = js_object(), *rules = rules_of(answer);
    const char *detail = js_str(js_get(answer, "detail"));

    if (!r->cli->is_quiet)
        say_refusal(r, i, js_str(js_at(rules, 0)), detail);
    js_set(line, "rules", rules);
    if (detail != NULL)
        js_set_str(line, "detail", detail);
    settle(r, i, DUMP_REFUSED, line);
}

static void take_success(struct dump_run *r, struct dump_item *i, const struct js *answer)
{
    const char *serial = js_str(js_get(answer, "serial")), *pem = js_str(js_get(answer, "pem"));
    struct js *line;

    if (serial == NULL || pem == NULL) {
        r->code = cli_fail(r->cli, SERVICE_FAILED, "the answer for %s holds no certificate", i->path);
        return;
    }
    line = js_object();
    js_set_str(line, "serial", serial);
    js_set(line, "rules", rules_of(answer));
    js_set_str(line, "pem", pem);
    settle(r, i, DUMP_SIGNED, line);
}

static void take_pending(struct dump_run *r, struct dump_item *i, const struct js *answer)
{
    struct js *line = js_object();

    js_set_str(line, "request", js_str(js_get(answer, "request")));
    js_set(line, "rules", rules_of(answer));
    settle(r, i, DUMP_PENDING, line);
}

static void take_verdict(struct dump_run *r, struct dump_item *i, const struct js *answer)
{
    bool is_accepted = false;

    if (js_bool(js_get(answer, "accepted"), &is_accepted) && is_accepted)
        settle(r, i, DUMP_SIGNED, js_object());
    else
        take_refusal(r, i, answer);
}

/* What concerns this request alone; anything else concerns them all. */
static bool is_of_one(unsigned status)
{
    return status == 400 || status == 413 || status == 422;
}

/* A limit, or a service that has no time now: the same is asked again later. */
static bool is_for_later(const struct dump_run *r, unsigned status)
{
    return (status == 429 || status == 503) && r->pauses < PAUSES_MAX;
}

/* The longest that any answer asks for. A date, or nothing: a second. */
static void take_pause(struct dump_run *r, const struct fetch_answer *a)
{
    int64_t s;

    if (!number_parse(a->retry_after, 1, PAUSE_MAX_S, &s))
        s = 1;
    if (s > r->pause_s)
        r->pause_s = s;
}

/* The first is said: those under way beside it fail in the same way. */
static void take_failure(struct dump_run *r, const struct fetch_answer *a)
{
    struct fetch_request asked = {.method = "POST", .path = (const char *)r->path.data};

    if (r->code == DONE)
        r->code = service_refusal(r->cli, &asked, a);
}

static void take_answer(struct dump_run *r, struct dump_item *i, const struct fetch_answer *a)
{
    struct js *v = service_parse(a);

    if (is_for_later(r, a->status))
        take_pause(r, a);
    else if (v == NULL || (a->status >= 300 && !is_of_one(a->status)))
        take_failure(r, a);
    else if (a->status >= 300)
        take_refusal(r, i, v);
    else if (r->cli->is_dry_run)
        take_verdict(r, i, v);
    else if (a->status == 202)
        take_pending(r, i, v);
    else
        take_success(r, i, v);
    js_free(v);
}

static void on_done(enum err e, const struct fault *f, const struct fetch_answer *a, void *arg)
{
    struct dump_ask *ask = arg;
    struct dump_run *r = ask->run;

    r->answered++;
    if (e == OK)
        take_answer(r, ask->item, a); /* after a failure too: what is signed is remembered */
    else if (r->code == DONE)
        r->code = cli_fault(r->cli, f);
    show_progress(r);
    free(ask);
}

/* ---- questions ---- */

/* The same for the same request of the same run, and of no other. */
static void key_of(const struct dump_run *r, const struct dump_item *i, char out[static 2 * HASH_LEN + 1])
{
    struct hash *h = hash_begin(HASH_SHA256);
    uint8_t digest[HASH_LEN];

    hash_add(h, span_of(r->dump.run, strlen(r->dump.run) + 1));
    hash_add(h, span_of(i->hash, HASH_LEN));
    hash_end(h, digest);
    hex_encode(span_of(digest, HASH_LEN), out);
}

static void send_one(struct dump_run *r, struct dump_item *i, struct span content)
{
    char key[2 * HASH_LEN + 1];
    struct fetch_request q = {.method = "POST",
                              .path = (const char *)r->path.data,
                              .content_type = "application/pkcs10",
                              .accept = "application/json",
                              .idempotency_key = r->cli->is_dry_run ? NULL : key,
                              .body = content};
    struct dump_ask *ask = xcalloc(1, sizeof *ask);
    struct fault f = {0};

    key_of(r, i, key);
    *ask = (struct dump_ask){.run = r, .item = i};
    if (fetch_pool_begin(r->pool, &q, on_done, ask, &f) == OK) {
        r->asked++;
        return;
    }
    free(ask);
    r->code = cli_fault(r->cli, &f);
}

static enum err take_entry(const struct archive_item *entry, void *arg)
{
    struct dump_run *r = arg;
    struct dump_item *i = r->position < r->dump.count ? &r->dump.items[r->position] : NULL;
    uint8_t hash[HASH_LEN];

    r->position++;
    if (r->code != DONE || r->pause_s > 0)
        return ERR_END;
    if (i != NULL && i->refusal != NULL)
        return OK;
    if (entry->refusal == NULL)
        sha256_of(entry->content, hash);
    if (i == NULL || entry->refusal != NULL || memcmp(hash, i->hash, HASH_LEN) != 0) {
        r->code = cli_fail(r->cli, WRONG_USE, "%s: it changes while it is read", r->dump.source);
        return ERR_END;
    }
    if (i->state == DUMP_TODO && i->first == NULL)
        send_one(r, i, entry->content);
    return OK;
}

/* Asks for what is left, until nothing is, or a pause is asked for. */
static void ask_round(struct dump_run *r)
{
    struct fault f = {0};
    enum err e;

    r->position = 0;
    r->pause_s = 0;
    e = archive_walk(r->dump.source, CSR_MAX, take_entry, r, &f);
    fetch_pool_finish(r->pool);
    clear_progress(r);
    if (e != OK && e != ERR_END && r->code == DONE)
        r->code = cli_fail(r->cli, WRONG_USE, "%s", f.detail);
}

static void pause_run(struct dump_run *r)
{
    const struct timespec pause = {.tv_sec = (time_t)r->pause_s};

    r->pauses++;
    if (!r->has_paused)
        cli_note(r->cli, "the service takes no more for now: going on as soon as it says");
    r->has_paused = true;
    nanosleep(&pause, NULL);
}

static void ask_all(struct dump_run *r)
{
    r->pool = fetch_pool_new(&r->cli->target, LANES);
    r->begun_ms = clock_monotonic_ms();
    ask_round(r);
    while (r->code == DONE && r->pause_s > 0) {
        pause_run(r);
        ask_round(r);
    }
    fetch_pool_free(r->pool);
}

/* ---- a run ---- */

static int make_path(struct dump_run *r)
{
    const char *days = cli_option(r->cli, OPT_DAYS);
    int64_t n;

    if (days != NULL && !number_parse(days, 1, DAYS_MAX, &n))
        return cli_misuse(r->cli, "--days %s: a number from 1 to %d", days, DAYS_MAX);
    path_begin(&r->path, r->cli->is_dry_run ? "/api/v1/preflight" : "/api/v1/certificates");
    fetch_query(&r->path, "profile", cli_option(r->cli, OPT_PROFILE));
    fetch_query(&r->path, "days", days);
    path_end(&r->path);
    return DONE;
}

static int outcome(const size_t counts[static DUMP_STATES])
{
    return counts[DUMP_REFUSED] > 0 ? REFUSED : counts[DUMP_PENDING] > 0 ? PENDING : DONE;
}

static void say_counts(struct cli *c, const char *what, const size_t counts[static DUMP_STATES])
{
    cli_note(c, "%s: %zu %s, %zu refused, %zu waiting for approval", what, counts[DUMP_SIGNED],
             c->is_dry_run ? "would be signed" : "signed", counts[DUMP_REFUSED], counts[DUMP_PENDING]);
}

static void say_entries(struct dump_run *r)
{
    for (size_t i = 0; i < r->dump.count; i++)
        if (r->dump.items[i].refusal != NULL)
            say_refusal(r, &r->dump.items[i], r->dump.items[i].refusal,
                        dump_rule_text(r->dump.items[i].refusal));
}

/* The journal stays while anything waits for an approval, so that what is signed is not signed again. */
static void finish(struct dump_run *r, const char *out)
{
    r->code = answers_write(r->cli, &r->dump, &r->journal, out);
    if (r->code != DONE)
        return;
    if (r->dump.counts[DUMP_PENDING] == 0)
        journal_remove(&r->journal);
    else
        cli_note(r->cli, "give the same command again when they are approved");
    say_counts(r->cli, out, r->dump.counts);
    r->code = outcome(r->dump.counts);
}

static void sign_all(struct dump_run *r, const char *out)
{
    r->code = journal_open(r->cli, &r->journal, &r->dump, out);
    if (r->code != DONE)
        return;
    if (r->dump.counts[DUMP_SIGNED] > 0)
        cli_note(r->cli, "going on with run %s: %zu are signed already", r->dump.run,
                 r->dump.counts[DUMP_SIGNED]);
    ask_all(r);
    if (r->code == DONE)
        finish(r, out);
    else
        cli_note(r->cli, "%zu are signed and remembered in %s: the same command goes on from there",
                 r->dump.counts[DUMP_SIGNED], r->journal.path);
}

static void pretend(struct dump_run *r)
{
    ask_all(r);
    if (r->code != DONE)
        return;
    say_counts(r->cli, r->dump.source, r->dump.counts);
    r->code = outcome(r->dump.counts);
}

static void begin(struct dump_run *r)
{
    const char *out = cli_option(r->cli, OPT_OUT);
    size_t counts[DUMP_STATES] = {0};

    r->code = dump_open(r->cli, &r->dump);
    if (r->code != DONE)
        return;
    if (!r->cli->is_dry_run && answers_are_there(out, r->dump.run, counts) && counts[DUMP_PENDING] == 0) {
        say_counts(r->cli, "this run is finished, nothing was done", counts);
        r->code = outcome(counts);
        return;
    }
    r->code = service_open(r->cli);
    if (r->code != DONE)
        return;
    say_entries(r);
    if (r->cli->is_dry_run)
        pretend(r);
    else
        sign_all(r, out);
}

/* Before anything is signed: what cannot be replaced at the end is found out now. */
static int check_out(struct cli *c, const char *out)
{
    struct stat st;

    if (c->is_dry_run)
        return DONE;
    if (out == NULL || strcmp(out, "-") == 0)
        return cli_misuse(c, "an archive is answered by an archive: --out FILE.tgz is missing");
    if (stat(out, &st) == 0 && !S_ISREG(st.st_mode))
        return cli_fail(c, WRONG_USE, "%s: not a regular file", out);
    return DONE;
}

int run_dump_sign(struct cli *c)
{
    struct dump_run r = {.cli = c, .journal.fd = -1};

    if (cli_option(c, OPT_OUTPUT) != NULL)
        return cli_misuse(c, "--output is for one request: an archive is answered by an archive");
    r.code = check_out(c, cli_option(c, OPT_OUT));
    if (r.code == DONE)
        r.code = make_path(&r);
    if (r.code == DONE)
        begin(&r);
    journal_close(&r.journal);
    dump_close(&r.dump);
    buf_free(&r.path);
    return r.code;
}
