/* SPDX-License-Identifier: Apache-2.0 */
/* store_command: see the header. */
#include "api/store_command.h"

#include <setjmp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "api/role.h"
#include "base/clock.h"
#include "base/log.h"

/* ---- a file that was cut off ---- */

/* LMDB does not look how long its file is, and the pages that it freed may rightly be missing at the end: so
 * what was cut off shows when it is read. */
static sigjmp_buf cut;

static void on_cut(int signo)
{
    (void)signo;
    siglongjmp(cut, 1);
}

enum err store_command_guarded(enum err (*fn)(void *arg), void *arg, struct fault *f)
{
    struct sigaction action = {.sa_handler = on_cut}, before;
    enum err e;

    sigaction(SIGBUS, &action, &before);
    e = sigsetjmp(cut, 1) == 0
            ? fn(arg)
            : fault_set(f, ERR_CONFLICT, "the store's data.mdb is shorter than what it says: it was cut off");
    sigaction(SIGBUS, &before, NULL);
    return e;
}

/* ---- store check ---- */

void store_command_tell(const char *what, void *arg)
{
    (void)arg;
    fprintf(stderr, "chancery: %s\n", what);
}

static enum err check_dir(const char *dir, struct store_checked *out, struct fault *f)
{
    struct store *s = NULL;
    struct view *v = NULL;
    enum err e = store_open(dir, STORE_READ, 0, &s, f);

    if (e == OK && view_open(s, &v) != OK)
        e = fault_set(f, ERR_IO, "%s: the store gives no view", dir);
    if (e == OK && store_check(v, store_command_tell, NULL, out) != OK)
        e = fault_set(f, ERR_IO, "%s: the store cannot be read to its end", dir);
    view_close(v);
    store_close(s);
    return e;
}

struct checking {
    const char *dir;
    struct store_checked n;
    struct fault f;
};

static enum err check_guarded(void *arg)
{
    struct checking *k = arg;

    return check_dir(k->dir, &k->n, &k->f);
}

static struct js *checked_json(const struct store_checked *n)
{
    struct js *o = js_object();

    js_set_int(o, "certificates", (int64_t)n->certificates);
    js_set_int(o, "revoked", (int64_t)n->revoked);
    js_set_int(o, "held", (int64_t)n->held);
    js_set_int(o, "index_rows", (int64_t)n->index_rows);
    js_set_int(o, "requests", (int64_t)n->requests);
    js_set_int(o, "audit_rows", (int64_t)n->audit);
    js_set_int(o, "faults", (int64_t)n->faults);
    js_set_int(o, "warnings", (int64_t)n->warnings);
    return o;
}

static void say_checked(const struct store_checked *n, const struct local_run *how)
{
    struct js *o;

    if (!result_is_table(how->output)) {
        o = checked_json(n);
        result_write(o, how->output);
        js_free(o);
    } else if (!how->is_quiet || n->faults > 0) {
        printf("%llu certificates, %llu revoked, %llu held, %llu index rows, %llu requests, %llu audit rows: "
               "%llu faults%s\n",
               (unsigned long long)n->certificates, (unsigned long long)n->revoked,
               (unsigned long long)n->held, (unsigned long long)n->index_rows,
               (unsigned long long)n->requests, (unsigned long long)n->audit, (unsigned long long)n->faults,
               n->warnings > 0 ? ", and warnings" : "");
    }
}

int store_command_check(const struct local_run *how, const char *dir)
{
    struct checking k = {.dir = dir};
    struct config *c;
    enum err e;

    if (!result_is_record("store check", how->output))
        return WRONG_USE;
    log_role("check");
    c = xcalloc(1, sizeof *c);
    e = dir == NULL ? config_load(how->home, c, NULL, &k.f) : OK;
    if (dir == NULL)
        k.dir = c->store_dir;
    if (e == OK)
        e = store_command_guarded(check_guarded, &k, &k.f);
    if (e != OK)
        result_fail(e, &k.f);
    else
        say_checked(&k.n, how);
    config_free(c);
    free(c);
    return e == OK && k.n.faults == 0 ? DONE : WRONG_USE;
}

/* ---- store snapshot ---- */

static enum err snapshot(const char *home, const char *dir, const char *host, int64_t now_s, struct fault *f)
{
    struct config *c = xcalloc(1, sizeof *c);
    struct store *s = NULL;
    enum err e = config_load(home, c, NULL, f);

    if (e == OK)
        e = store_open(c->store_dir, STORE_READ, 0, &s, f);
    if (e == OK)
        e = store_snapshot(s, dir, host, now_s, f);
    store_close(s);
    config_free(c);
    free(c);
    return e;
}

int store_command_snapshot(const struct local_run *how, const char *dir, const char *host)
{
    int64_t now_s = clock_now_s();
    char text[CLOCK_TEXT_MAX];
    struct fault f = {0};
    enum err e;

    if (how->is_dry_run) {
        fprintf(stderr,
                "chancery: store snapshot has no --dry-run: its file is replaced whole or not at all\n");
        return WRONG_USE;
    }
    log_role("store");
    e = snapshot(how->home, dir, host, now_s, &f);
    if (e != OK) {
        result_fail(e, &f);
        return WRONG_USE;
    }
    clock_rfc3339(now_s, text);
    if (!how->is_quiet)
        fprintf(stderr, "%s/data.mdb: the store as of %s\n", dir, text);
    return DONE;
}

/* ---- audit verify ---- */

/* A home, or the store directory itself. */
static enum err find_store(const char *dir, char out[static PATH_LEN_MAX], struct fault *f)
{
    struct stat st;
    enum err e = path_join(out, dir, "data.mdb", f);

    if (e == OK && stat(out, &st) != 0)
        return path_join(out, dir, "store", f);
    return e == OK ? path_join(out, dir, ".", f) : e;
}

enum err store_command_audit(const char *dir, struct chain_check *c, struct fault *f)
{
    char path[PATH_LEN_MAX];
    struct store *s = NULL;
    struct view *v = NULL;
    enum err e = find_store(dir, path, f);

    log_role("store");
    if (e == OK)
        e = store_open(path, STORE_COPY, 0, &s, f);
    if (e == ERR_CONFLICT) /* which is kept for what the rows say */
        e = ERR_CONFIG;
    if (e == OK && view_open(s, &v) != OK)
        e = fault_set(f, ERR_IO, "%s: the store gives no view", path);
    if (e == OK)
        e = audit_check(v, c, f);
    view_close(v);
    store_close(s);
    return e;
}
