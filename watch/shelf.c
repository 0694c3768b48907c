/* SPDX-License-Identifier: Apache-2.0 */
/* shelf: a file is read once after it was replaced, and never while the lock is held. */
#include "watch/shelf.h"

#include <dirent.h>
#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/log.h"

#define PIECE_LEN (64u * 1024)

struct shelf {
    const char *dir;
    const struct trust *trust;
    struct bell *bell;
    pthread_mutex_t lock;
    pthread_cond_t changed;
    struct shelf_item *items; /* by name */
    size_t count;
    uint64_t turn;
    atomic_bool is_closed;
};

struct shelf *shelf_new(const char *dir, const struct trust *t, struct bell *b)
{
    struct shelf *s = xcalloc(1, sizeof *s);
    pthread_condattr_t attr;

    pthread_condattr_init(&attr);
    pthread_condattr_setclock(&attr, CLOCK_MONOTONIC); /* whatever is done to the other clock */
    pthread_mutex_init(&s->lock, NULL);
    pthread_cond_init(&s->changed, &attr);
    pthread_condattr_destroy(&attr);
    s->dir = dir;
    s->trust = t;
    s->bell = b;
    return s;
}

void shelf_free(struct shelf *s)
{
    if (s == NULL)
        return;
    pthread_mutex_destroy(&s->lock);
    pthread_cond_destroy(&s->changed);
    free(s->items);
    free(s);
}

/* ---- one file ---- */

static bool ends_with(const char *name, const char *suffix)
{
    size_t len = strlen(name), tail = strlen(suffix);

    return len > tail && strcmp(name + len - tail, suffix) == 0;
}

/* Names that every target can take as they are. */
static bool is_published(const char *name)
{
    static const char permitted[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.";

    return name[0] != '.' && strlen(name) < SHELF_NAME_MAX && strspn(name, permitted) == strlen(name) &&
           (ends_with(name, ".crl") || ends_with(name, ".pem")) && !ends_with(name, ".previous.crl") &&
           !ends_with(name, ".previous.pem");
}

static struct identity identity_of(const struct stat *st)
{
    return (struct identity){.device = st->st_dev,
                             .inode = st->st_ino,
                             .size = (uint64_t)st->st_size,
                             .changed_s = st->st_mtim.tv_sec,
                             .changed_ns = st->st_mtim.tv_nsec};
}

static bool identity_eq(const struct identity *a, const struct identity *b)
{
    return a->device == b->device && a->inode == b->inode && a->size == b->size &&
           a->changed_s == b->changed_s && a->changed_ns == b->changed_ns;
}

static int open_in(const char *dir, const char *name, struct identity *out)
{
    char path[PATH_LEN_MAX];
    struct stat st;
    int fd;

    if (path_join(path, dir, name, NULL) != OK || file_open(path, &fd, &st, NULL) != OK)
        return -1;
    *out = identity_of(&st);
    return fd;
}

int shelf_open(const struct shelf *s, const struct shelf_item *i)
{
    struct identity now;
    int fd = open_in(s->dir, i->name, &now);

    if (fd >= 0 && !identity_eq(&now, &i->identity)) {
        close(fd);
        fd = -1;
    }
    return fd;
}

static enum err scan_file(int fd, struct scan_facts *out, struct fault *f)
{
    uint8_t *piece = xmalloc(PIECE_LEN);
    struct scan *s = scan_begin();
    ssize_t n;

    while ((n = read(fd, piece, PIECE_LEN)) > 0 && scan_add(s, span_of(piece, (size_t)n)))
        ;
    free(piece);
    return scan_end(s, out, f);
}

static void item_read(const struct shelf *s, int fd, struct shelf_item *i)
{
    struct scan_facts facts;

    i->issuer = -1;
    if (scan_file(fd, &facts, NULL) != OK) {
        i->fault = "it is no whole CRL";
        return;
    }
    i->is_delta = facts.is_delta;
    i->number = facts.number;
    i->this_update_s = facts.this_update_s;
    i->next_update_s = facts.next_update_s;
    memcpy(i->sha256, facts.sha256, HASH_LEN);
    i->issuer = trust_find(s->trust, &facts);
    if (i->issuer < 0)
        i->fault = "its issuer is none of ours";
    else if (!trust_verify(s->trust, i->issuer, &facts))
        i->fault = "its issuer has not signed it";
}

/* ---- the directory ---- */

static const struct shelf_item *find(const struct shelf *s, const char *name)
{
    for (size_t i = 0; i < s->count; i++)
        if (strcmp(s->items[i].name, name) == 0)
            return &s->items[i];
    return NULL;
}

/* `known`: what was there before, NULL: nothing. False: it is not there any more. */
static bool item_take(const struct shelf *s, const char *name, const struct shelf_item *known,
                      struct shelf_item *out, bool *is_new)
{
    struct identity now;
    int fd = open_in(s->dir, name, &now);

    if (fd < 0)
        return false;
    if (known != NULL && identity_eq(&known->identity, &now)) {
        *out = *known;
    } else {
        *out = (struct shelf_item){.identity = now};
        strcpy(out->name, name);
        item_read(s, fd, out);
        *is_new = true;
    }
    close(fd);
    return true;
}

static int by_name(const void *a, const void *b)
{
    return strcmp(((const struct shelf_item *)a)->name, ((const struct shelf_item *)b)->name);
}

/* ERR_IO: the directory cannot be read, and nothing is known. ERR_TOO_LARGE: there are more than these. */
static enum err directory_read(const struct shelf *s, struct shelf_item **out, size_t *count, bool *is_new)
{
    DIR *d = opendir(s->dir);
    struct dirent *entry;
    enum err e = OK;
    size_t cap = 0;

    *out = NULL;
    *count = 0;
    if (d == NULL)
        return ERR_IO;
    while (e == OK && (entry = readdir(d)) != NULL) {
        if (!is_published(entry->d_name))
            continue;
        if (*count == SHELF_MAX) {
            e = ERR_TOO_LARGE;
            continue;
        }
        if (*count == cap) {
            cap = cap == 0 ? 16 : 2 * cap;
            *out = realloc(*out, cap * sizeof **out);
            if (*out == NULL)
                die("out of memory");
        }
        *count += item_take(s, entry->d_name, find(s, entry->d_name), &(*out)[*count], is_new);
    }
    closedir(d);
    if (*count > 0)
        qsort(*out, *count, sizeof **out, by_name);
    return e;
}

/* ---- for the thread that looks ---- */

bool shelf_look(struct shelf *s)
{
    struct shelf_item *items, *old;
    bool is_new = false;
    size_t count;
    enum err e = directory_read(s, &items, &count, &is_new);

    if (e == ERR_IO) {
        bell_raise(s->bell, ALARM_CRITICAL, "watch.public", "public/crl", "%s: %s", s->dir, strerror(errno));
        return false;
    }
    if (e == ERR_TOO_LARGE)
        bell_raise(s->bell, ALARM_CRITICAL, "watch.public", "public/crl",
                   "%s: more than %u lists: the rest is carried nowhere", s->dir, SHELF_MAX);
    else
        bell_clear(s->bell, "watch.public", "public/crl");
    is_new = is_new || count != s->count;
    pthread_mutex_lock(&s->lock);
    old = s->items;
    s->items = items;
    s->count = count;
    s->turn += is_new;
    if (is_new)
        pthread_cond_broadcast(&s->changed);
    pthread_mutex_unlock(&s->lock);
    free(old);
    return is_new;
}

/* ---- for those who carry ---- */

struct shelf_item *shelf_copy(struct shelf *s, size_t *count, uint64_t *turn)
{
    struct shelf_item *copy;

    pthread_mutex_lock(&s->lock);
    copy = xcalloc(s->count + 1, sizeof *copy);
    if (s->count > 0)
        memcpy(copy, s->items, s->count * sizeof *copy);
    *count = s->count;
    *turn = s->turn;
    pthread_mutex_unlock(&s->lock);
    return copy;
}

bool shelf_find(struct shelf *s, const char *name, struct shelf_item *out)
{
    const struct shelf_item *i;

    pthread_mutex_lock(&s->lock);
    i = find(s, name);
    if (i != NULL)
        *out = *i;
    pthread_mutex_unlock(&s->lock);
    return i != NULL;
}

bool shelf_peek(struct shelf *s, const char *name, struct shelf_item *out)
{
    struct shelf_item known;
    bool is_known = shelf_find(s, name, &known), is_new;

    return item_take(s, name, is_known ? &known : NULL, out, &is_new);
}

void shelf_wait(struct shelf *s, uint64_t turn, int64_t wait_ms)
{
    struct timespec until;
    int code = 0;

    clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_sec += wait_ms / 1000;
    until.tv_nsec += wait_ms % 1000 * 1000000;
    until.tv_sec += until.tv_nsec / 1000000000;
    until.tv_nsec %= 1000000000;
    pthread_mutex_lock(&s->lock);
    while (code == 0 && s->turn == turn && !s->is_closed)
        code = pthread_cond_timedwait(&s->changed, &s->lock, &until);
    pthread_mutex_unlock(&s->lock);
}

void shelf_close(struct shelf *s)
{
    pthread_mutex_lock(&s->lock);
    s->is_closed = true;
    pthread_cond_broadcast(&s->changed);
    pthread_mutex_unlock(&s->lock);
}

const atomic_bool *shelf_closed(const struct shelf *s)
{
    return &s->is_closed;
}
