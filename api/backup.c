/* SPDX-License-Identifier: Apache-2.0 */
/*
 * backup: the whole home in a directory, beside a service that goes on: configuration, keys, certificates,
 * and one view of the store, which is checked before the backup counts as one. Published CRLs are left out:
 * they are made anew. It holds the private keys, so only its owner may read it.
 */
#include "api/backup.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "api/inner.h"
#include "api/store_command.h"
#include "base/clock.h"
#include "base/hash.h"
#include "base/log.h"
#include "base/tree.h"

struct backup {
    struct config config;
    char dir[PATH_LEN_MAX]; /* the draft */
    int64_t taken_at_s;
    bool is_dry_run;
    struct js *directories, *files, *crls;
    struct store_checked checked;
    struct chain_mark head;
    struct fault f;
};

/* ---- files ---- */

static enum err make_directory(const char *path, mode_t mode, struct fault *f)
{
    if (mkdir(path, mode) == 0 && chmod(path, mode) == 0)
        return OK;
    return fault_set(f, ERR_IO, "%s: cannot be made", path);
}

static void note_directory(struct backup *b, const char *name, mode_t mode)
{
    struct js *o = js_object();

    js_set_str(o, "name", name);
    js_set_int(o, "mode", mode & 0777);
    js_push(b->directories, o);
}

static void note_file(struct backup *b, const char *name, mode_t mode, uint64_t size, const uint8_t *sha256)
{
    struct js *o = js_object();

    js_set_str(o, "name", name);
    js_set_int(o, "mode", mode & 0777);
    js_set_int(o, "size", (int64_t)size);
    js_set_hex(o, "sha256", span_of(sha256, HASH_LEN));
    js_push(b->files, o);
}

/* What is made anew, or copied in another way, or not finished: a role is about to give it its name. */
static bool is_left_out(const struct tree_entry *e)
{
    const char *slash = strrchr(e->name, '/');

    return !S_ISDIR(e->mode) &&
           (strncmp(e->name, "store/", 6) == 0 || strncmp(e->name, "public/crl/", 11) == 0 ||
            file_draft_stem(slash != NULL ? slash + 1 : e->name) > 0);
}

static enum err copy_file(struct backup *b, const struct tree_entry *e, const char *to)
{
    uint8_t digest[HASH_LEN];
    struct buf content;
    enum err err;

    buf_init(&content, BACKUP_FILE_MAX);
    err = file_read(e->path, &content, &b->f);
    if (err == ERR_NOT_FOUND) { /* gone since the directory was read */
        buf_free(&content);
        return OK;
    }
    if (err == OK)
        err = file_replace(to, buf_span(&content), e->mode & 0777, &b->f);
    if (err == OK) {
        sha256_of(buf_span(&content), digest);
        note_file(b, e->name, e->mode, content.len, digest);
    }
    buf_free(&content);
    return err;
}

/* What a link leads to is not the home's, and whoever may write there could name a file with it that only
 * root may read. */
static enum err link_check(struct backup *b, const struct tree_entry *e)
{
    return !S_ISLNK(e->mode)
               ? OK
               : fault_set(&b->f, ERR_CONFLICT,
                           "%s: a symbolic link, and what it leads to would be missing in a backup", e->path);
}

static enum err copy_entry(const struct tree_entry *e, void *arg)
{
    struct backup *b = arg;
    char to[PATH_LEN_MAX];
    enum err err;

    if (is_left_out(e))
        return OK;
    err = link_check(b, e);
    if (err == OK)
        err = path_join(to, b->dir, e->name, &b->f);
    if (err != OK || S_ISREG(e->mode))
        return err == OK ? copy_file(b, e, to) : err;
    note_directory(b, e->name, e->mode);
    return make_directory(to, e->mode & 0777, &b->f);
}

/* ---- the store ---- */

struct noting {
    struct backup *backup;
    struct view *view;
};

static bool note_crl(const struct issuer *i, void *arg)
{
    const struct noting *n = arg;
    struct crl_state s;

    if (crl_state_find(n->view, i->no, &s) == OK)
        js_set_int(n->backup->crls, i->id, (int64_t)s.reserved);
    return true;
}

/* A backup that nobody has read is a hope. */
static enum err read_store(struct backup *b, const char *dir, enum store_mode mode)
{
    struct noting n = {b, NULL};
    struct store *s = NULL;
    enum err e = store_open(dir, mode, 0, &s, &b->f);

    if (e == OK)
        e = view_open(s, &n.view);
    if (e == OK)
        e = store_check(n.view, store_command_tell, NULL, &b->checked);
    if (e == OK)
        e = issuer_each(n.view, note_crl, &n);
    if (e == OK)
        e = audit_head(n.view, &b->head);
    view_close(n.view);
    store_close(s);
    if (e != OK)
        return fault_set(&b->f, ERR_IO, "%s: the store cannot be read", dir);
    if (b->checked.faults > 0)
        return fault_set(&b->f, ERR_CONFLICT, "the store has %llu faults: this is no backup",
                         (unsigned long long)b->checked.faults);
    return OK;
}

static enum err hash_file(const char *path, uint8_t digest[static HASH_LEN], uint64_t *size, struct fault *f)
{
    static uint8_t piece[1 << 20];
    struct hash *h = hash_begin(HASH_SHA256);
    FILE *in = fopen(path, "rbe");
    size_t n;

    *size = 0;
    while (in != NULL && (n = fread(piece, 1, sizeof piece, in)) > 0) {
        hash_add(h, span_of(piece, n));
        *size += n;
    }
    hash_end(h, digest);
    n = in == NULL || ferror(in);
    if (in != NULL)
        fclose(in);
    return n == 0 ? OK : fault_set(f, ERR_IO, "%s: cannot be read", path);
}

static enum err copy_store(struct backup *b)
{
    char dir[PATH_LEN_MAX], path[PATH_LEN_MAX];
    uint8_t digest[HASH_LEN];
    struct store *s = NULL;
    uint64_t size = 0;
    enum err e = path_join(dir, b->dir, "store", &b->f);

    if (e == OK)
        e = path_join(path, b->dir, BACKUP_STORE, &b->f);
    if (e == OK)
        e = store_open(b->config.store_dir, STORE_READ, b->config.map_size, &s, &b->f);
    if (e == OK)
        e = store_copy(s, path, &b->f);
    store_close(s);
    if (e == OK)
        e = read_store(b, dir, STORE_COPY);
    if (e == OK)
        e = hash_file(path, digest, &size, &b->f);
    if (e == OK)
        note_file(b, BACKUP_STORE, 0600, size, digest);
    return e;
}

/* ---- the whole ---- */

static enum err write_manifest(struct backup *b)
{
    char path[PATH_LEN_MAX], mark[CHAIN_MARK_MAX];
    struct js *o = js_object();
    struct buf text;
    enum err e = path_join(path, b->dir, BACKUP_MANIFEST, &b->f);

    chain_mark_write(&b->head, mark);
    js_set_int(o, "format", BACKUP_FORMAT);
    js_set_str(o, "version", CHANCERY_VERSION);
    js_set_time(o, "taken_at", b->taken_at_s);
    js_set_int(o, "taken_at_s", b->taken_at_s);
    js_set_int(o, "certificates", (int64_t)b->checked.certificates);
    js_set_int(o, "revoked", (int64_t)b->checked.revoked);
    js_set_str(o, "audit_head", mark);
    js_set(o, "crl_numbers", b->crls);
    js_set(o, "directories", b->directories);
    js_set(o, "files", b->files);
    b->crls = b->directories = b->files = NULL;
    buf_init(&text, BACKUP_MANIFEST_MAX);
    js_write_pretty(o, &text);
    buf_put_u8(&text, '\n');
    if (e == OK)
        e = buf_end(&text) == OK ? file_replace(path, buf_span(&text), 0600, &b->f)
                                 : fault_set(&b->f, ERR_TOO_LARGE, "the home has too many files");
    buf_free(&text);
    js_free(o);
    return e;
}

/* The time is taken before the view: what a restore adds to the CRL numbers is then never too little. */
static enum err fill(struct backup *b)
{
    enum err e;

    b->taken_at_s = clock_now_s();
    e = tree_each(b->config.home, copy_entry, b, &b->f);
    if (e == OK)
        e = copy_store(b);
    return e == OK ? write_manifest(b) : e;
}

static enum err check_entry(const struct tree_entry *e, void *arg)
{
    struct backup *b = arg;

    if (is_left_out(e))
        return OK;
    if (S_ISLNK(e->mode) || access(e->path, R_OK) == 0)
        return link_check(b, e);
    return fault_set(&b->f, ERR_IO, "%s: cannot be read", e->path);
}

/* All but the writing: no key leaves the home. */
static enum err rehearse(struct backup *b)
{
    enum err e = tree_each(b->config.home, check_entry, b, &b->f);

    b->taken_at_s = clock_now_s();
    return e == OK ? read_store(b, b->config.store_dir, STORE_READ) : e;
}

static enum err fill_guarded(void *arg)
{
    struct backup *b = arg;

    return b->is_dry_run ? rehearse(b) : fill(b);
}

static enum err run(struct backup *b, const struct local_run *how, const char *dir)
{
    enum err e = config_load(how->home, &b->config, NULL, &b->f);

    b->is_dry_run = how->is_dry_run;
    if (e == OK)
        e = tree_check_free(dir, &b->f);
    if (e == OK)
        e = tree_check_outside(dir, b->config.home, &b->f);
    if (e == OK)
        e = tree_draft(dir, b->dir, &b->f);
    if (e != OK)
        return e;
    e = store_command_guarded(fill_guarded, b, &b->f);
    if (e == OK && !how->is_dry_run)
        e = tree_place(b->dir, dir, 0700, &b->f);
    if (e != OK || how->is_dry_run)
        tree_remove(b->dir);
    return e;
}

static void say_missing(const char *what, const char *scheme, int len, const char *where)
{
    fprintf(stderr, "Not in it, because it is not in the home: %s %s%.*s\n", what, scheme, len, where);
}

static bool is_in_home(const struct config *c, const char *path)
{
    return tree_check_outside(path, c->home, NULL) == ERR_USAGE;
}

/* Without what follows a `?`: a PIN may. */
static void say_key(const struct config *c, const char *uri)
{
    if (uri[0] != '\0' && !(strncmp(uri, "file:", 5) == 0 && is_in_home(c, uri + 5)))
        say_missing("key", "", (int)strcspn(uri, "?"), uri);
}

/* "" is none; a relative path is one in the home, or out of it again. */
static void say_file(const struct config *c, const char *what, const char *path)
{
    char whole[PATH_LEN_MAX];

    if (path[0] == '\0')
        return;
    if (path[0] != '/' && path_join(whole, c->home, path, NULL) == OK)
        path = whole;
    if (!is_in_home(c, path))
        say_missing(what, "file:", PATH_LEN_MAX, path);
}

static void say_target(const struct config *c, const struct target *t)
{
    if (t->secret.is_credential)
        say_missing("secret", "credential:", PATH_LEN_MAX, t->secret.where);
    else
        say_file(c, "secret", t->secret.where);
    say_file(c, "key", t->key);
    say_file(c, "certificate", t->certificate);
    say_file(c, "ca", t->ca);
    say_file(c, "public-ca", t->public_ca);
    say_file(c, "known-hosts", t->known_hosts);
}

static void say_outside(const struct config *c)
{
    const struct access_config *access = &c->ca.access;

    for (size_t i = 0; i < c->issuer_count; i++) {
        say_key(c, c->issuers[i].key_uri);
        say_key(c, c->issuers[i].ocsp_key_uri);
    }
    say_key(c, c->audit_key_uri);
    for (size_t i = 0; i < c->watch.count; i++)
        say_target(c, &c->watch.targets[i]);
    for (size_t i = 0; i < access->authority_count; i++) {
        say_file(c, "certificate-authority", access->authorities[i].file);
        say_file(c, "crl", access->authorities[i].crl);
    }
}

static void say_done(const struct backup *b, const char *dir, bool is_dry_run)
{
    char text[CLOCK_TEXT_MAX];

    clock_rfc3339(b->taken_at_s, text);
    fprintf(stderr, "%s: %sthe home as of %s, %llu certificates, %llu revoked, checked row by row.\n%s", dir,
            is_dry_run ? "would be " : "", text, (unsigned long long)b->checked.certificates,
            (unsigned long long)b->checked.revoked,
            is_dry_run ? "Nothing was made.\n" : "It holds the private keys: keep it as the home is kept.\n");
    say_outside(&b->config);
}

int backup_main(const struct local_run *how, const char *dir)
{
    struct backup *b = xcalloc(1, sizeof *b);
    enum err e;

    log_role("backup");
    b->directories = js_array();
    b->files = js_array();
    b->crls = js_object();
    e = run(b, how, dir);
    if (e != OK)
        result_fail(e, &b->f);
    else if (!how->is_quiet)
        say_done(b, dir, how->is_dry_run);
    js_free(b->directories);
    js_free(b->files);
    js_free(b->crls);
    config_free(&b->config);
    free(b);
    return e == OK ? DONE : WRONG_USE;
}
