/* SPDX-License-Identifier: Apache-2.0 */
/* dump: the first reading of an archive: which requests there are, which are not taken, and what the run is
 * called. */
#include "cli/dump.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/hash.h"
#include "base/log.h"

const char *const dump_state_names[DUMP_STATES] = {
    [DUMP_TODO] = "todo", [DUMP_SIGNED] = "signed", [DUMP_REFUSED] = "refused", [DUMP_PENDING] = "pending"};

static const struct {
    const char *rule, *text;
} rules[] = {
    {ENTRY_PATH, "Its path leaves the directory: absolute, with \"..\", a backslash or a drive."},
    {ENTRY_NAME, "Its name is empty, too long, or not printable ASCII."},
    {ENTRY_KIND, "It is no regular file: a link, a device, or a directory in a directory."},
    {ENTRY_SIZE, "It is larger than a request can be."},
    {ENTRY_EMPTY, "It is empty."},
    {ENTRY_BROKEN, "It is damaged, encrypted, or packed in a way that is not read."},
    {ENTRY_KEY, "It holds a private key, which is nobody else's business: it was not sent."},
    {ENTRY_DUPLICATE, "Another entry would be answered under the same name, so none of them is."},
};

const char *dump_rule_text(const char *rule)
{
    for (size_t i = 0; i < COUNT_OF(rules); i++)
        if (strcmp(rules[i].rule, rule) == 0)
            return rules[i].text;
    return NULL;
}

/* ---- entries ---- */

/* SEP001122334455.csr is answered by SEP001122334455.der; an ending that says nothing of a request stays. */
static char *out_name(const char *name)
{
    static const char *const endings[] = {".csr", ".pem", ".der", ".p10", ".req"};
    size_t len = strlen(name);
    char *out = NULL;

    for (size_t i = 0; i < COUNT_OF(endings); i++) {
        size_t n = strlen(endings[i]);

        if (len > n && strcasecmp(name + len - n, endings[i]) == 0) {
            len -= n;
            break;
        }
    }
    if (asprintf(&out, "%.*s.der", (int)len, name) < 0)
        die("out of memory");
    return out;
}

static enum err add_item(const struct archive_item *entry, void *arg)
{
    struct dump *d = arg;
    struct dump_item *i;

    if (d->count == d->cap)
        d->items = xgrow(d->items, &d->cap, sizeof *d->items);
    i = &d->items[d->count++];
    *i = (struct dump_item){.path = strdup(entry->path), .refusal = entry->refusal, .at = -1};
    if (i->path == NULL)
        die("out of memory");
    i->out = out_name(entry->name);
    if (i->refusal == NULL && has_private_key(entry->content))
        i->refusal = ENTRY_KEY;
    if (i->refusal == NULL)
        sha256_of(entry->content, i->hash);
    return OK;
}

/* ---- order, duplicates, the same content twice ---- */

static int compare_names(const void *a, const void *b)
{
    const struct dump_item *x = *(struct dump_item *const *)a, *y = *(struct dump_item *const *)b;
    int order = strcmp(x->out, y->out);

    if (order == 0)
        order = strcmp(x->path, y->path);
    return order != 0 ? order : (x > y) - (x < y);
}

static int compare_hashes(const void *a, const void *b)
{
    const struct dump_item *x = *(struct dump_item *const *)a, *y = *(struct dump_item *const *)b;
    int order = memcmp(x->hash, y->hash, HASH_LEN);

    return order != 0 ? order : (x > y) - (x < y);
}

static void sort(struct dump *d)
{
    d->by_name = xcalloc(d->count, sizeof(struct dump_item *));
    for (size_t i = 0; i < d->count; i++)
        d->by_name[i] = &d->items[i];
    qsort(d->by_name, d->count, sizeof *d->by_name, compare_names);
}

/* Nobody could tell which of them an answer belongs to. */
static void refuse_duplicates(struct dump *d)
{
    for (size_t i = 0, n; i < d->count; i += n) {
        for (n = 1; i + n < d->count && strcmp(d->by_name[i]->out, d->by_name[i + n]->out) == 0; n++)
            ;
        for (size_t k = i; n > 1 && k < i + n; k++)
            if (d->by_name[k]->refusal == NULL)
                d->by_name[k]->refusal = ENTRY_DUPLICATE;
    }
}

/* One request under two names is signed once and answered under both. */
static void join_same(struct dump *d)
{
    struct dump_item **sorted = xcalloc(d->count, sizeof(struct dump_item *));
    struct dump_item *first = NULL;
    size_t n = 0;

    for (size_t i = 0; i < d->count; i++)
        if (d->items[i].refusal == NULL)
            sorted[n++] = &d->items[i];
    qsort(sorted, n, sizeof *sorted, compare_hashes);
    for (size_t i = 0; i < n; i++) {
        if (first == NULL || memcmp(first->hash, sorted[i]->hash, HASH_LEN) != 0) {
            first = sorted[i];
            continue;
        }
        sorted[i]->first = first;
        sorted[i - 1]->next = sorted[i];
    }
    free(sorted);
}

/* ---- the run ---- */

static void add_text(struct hash *h, const char *text)
{
    hash_add(h, span_of(text, strlen(text) + 1));
}

/* By names and contents, so that packing the same dump again is the same run. */
static void name_run(struct cli *c, struct dump *d)
{
    const char *given = cli_option(c, OPT_RUN), *days = cli_option(c, OPT_DAYS);
    struct hash *h = hash_begin(HASH_SHA256);
    uint8_t digest[HASH_LEN];

    add_text(h, "chancery csr sign 1");
    add_text(h, cli_option(c, OPT_PROFILE));
    add_text(h, days != NULL ? days : "");
    for (size_t i = 0; i < d->count; i++) {
        add_text(h, d->by_name[i]->out);
        hash_add(h, span_of(d->by_name[i]->hash, HASH_LEN));
    }
    hash_end(h, digest);
    if (given != NULL)
        strcpy(d->run, given); /* check_run */
    else
        hex_encode(span_of(digest, (RUN_MAX - 1) / 4), d->run);
}

static int check_run(struct cli *c)
{
    static const char permitted[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-";
    const char *run = cli_option(c, OPT_RUN);

    if (run != NULL && (strlen(run) >= RUN_MAX || strspn(run, permitted) != strlen(run)))
        return cli_misuse(c, "--run %s: at most %d letters, digits, \".\", \"_\" and \"-\"", run,
                          RUN_MAX - 1);
    return DONE;
}

int dump_open(struct cli *c, struct dump *out)
{
    struct fault f = {0};
    int code = check_run(c);

    *out = (struct dump){.source = cli_argument(c)};
    if (code != DONE)
        return code;
    if (archive_walk(out->source, CSR_MAX, add_item, out, &f) != OK)
        return cli_fail(c, WRONG_USE, "%s", f.detail);
    if (out->count == 0)
        return cli_fail(c, WRONG_USE, "%s: holds no file", out->source);
    sort(out);
    refuse_duplicates(out);
    join_same(out);
    name_run(c, out);
    for (size_t i = 0; i < out->count; i++) {
        out->items[i].state = out->items[i].refusal != NULL ? DUMP_REFUSED : DUMP_TODO;
        out->counts[out->items[i].state]++;
    }
    return DONE;
}

void dump_close(struct dump *d)
{
    for (size_t i = 0; i < d->count; i++) {
        free(d->items[i].path);
        free(d->items[i].out);
    }
    free(d->items);
    free(d->by_name);
    *d = (struct dump){0};
}

struct dump_item *dump_find(const struct dump *d, const char *out)
{
    size_t low = 0, high = d->count;

    while (low < high) {
        size_t mid = low + (high - low) / 2;
        int order = strcmp(d->by_name[mid]->out, out);

        if (order == 0)
            return d->by_name[mid]->refusal == NULL ? d->by_name[mid] : NULL;
        if (order < 0)
            low = mid + 1;
        else
            high = mid;
    }
    return NULL;
}

void dump_set(struct dump *d, struct dump_item *i, enum dump_state s, int64_t at)
{
    for (; i != NULL; i = i->next) {
        d->counts[i->state]--;
        d->counts[s]++;
        i->state = s;
        i->at = at;
    }
}
