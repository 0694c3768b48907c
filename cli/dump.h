/* SPDX-License-Identifier: Apache-2.0 */
/*
 * dump: many requests signed as one run, as CAPF's offline CA needs it: private to dump.c, dump_sign.c,
 * journal.c, answers.c and csr.c. A run is named by what is asked, so that repeating the command goes on
 * where it was; what the service has answered stands in a journal beside the output, and every question
 * carries an Idempotency-Key made of run and request. Nothing of an archive is held in memory but names and
 * hashes.
 */
#ifndef CLI_DUMP_H
#define CLI_DUMP_H

#include "base/archive.h"
#include "cli/inner.h"

#define RUN_MAX 65 /* octets with the NUL: 32 hex digits, or what --run gives */

/* Beside those of archives: */
#define ENTRY_KEY "entry.key"             /* a private key, which is not sent */
#define ENTRY_DUPLICATE "entry.duplicate" /* several would be answered under one name */

enum dump_state { DUMP_TODO, DUMP_SIGNED, DUMP_REFUSED, DUMP_PENDING, DUMP_STATES };
extern const char *const dump_state_names[DUMP_STATES]; /* as journal and report spell them */

struct dump_item {
    char *path;              /* as it stands in the archive, printable ASCII */
    char *out;               /* "SEP001122334455.der" */
    const char *refusal;     /* a rule: not even asked; NULL */
    uint8_t hash[HASH_LEN];  /* of the content */
    struct dump_item *first; /* the one with the same content that is asked instead; NULL: this one */
    struct dump_item *next;  /* another one of the same content; NULL: the last */
    enum dump_state state;
    int64_t at; /* where its last line in the journal begins; -1: none */
};

struct dump {
    const char *source;
    struct dump_item *items; /* in the order of the archive */
    size_t count, cap;
    struct dump_item **by_name; /* sorted by `out`, then by `path` */
    size_t counts[DUMP_STATES];
    char run[RUN_MAX];
};

/* Reads the archive once: names, hashes, what is not taken, and the run. Exit code, said. */
int dump_open(struct cli *c, struct dump *out);
void dump_close(struct dump *d);
/* The one item that is asked and answered under this name; NULL. */
struct dump_item *dump_find(const struct dump *d, const char *out);
/* Moves an item, and those of the same content with it. */
void dump_set(struct dump *d, struct dump_item *i, enum dump_state s, int64_t at);
/* What a rule of entries means, for people; NULL: no such rule. */
const char *dump_rule_text(const char *rule);

/* ---- journal.c: what is done, OUT.run ---- */

struct journal {
    int fd;
    int64_t size; /* octets */
    int64_t synced_ms;
    bool is_broken; /* half a line at its end that could not be cut off */
    char path[PATH_LEN_MAX];
};

/* Opens or makes it, and moves every item that it holds as signed or pending. Refuses one of another run, and
 * a second process. Exit code, said. */
int journal_open(struct cli *c, struct journal *j, struct dump *d, const char *out_path);
/* Appends {name, csr, result, …}: takes `line`, which has the rest. -1: the disk failed, said. */
int64_t journal_add(struct cli *c, struct journal *j, const struct dump_item *i, enum dump_state s,
                    struct js *line);
/* The line that begins there. NULL: damaged. */
struct js *journal_read(const struct journal *j, int64_t at);
void journal_close(struct journal *j);
void journal_remove(struct journal *j); /* the run is finished */

/* ---- answers.c: the .tgz that is the result ---- */

int answers_write(struct cli *c, const struct dump *d, const struct journal *j, const char *out_path);
/* Is there a finished one of this run already? Its counts. */
[[nodiscard]] bool answers_are_there(const char *out_path, const char *run,
                                     size_t counts[static DUMP_STATES]);

/* ---- dump_sign.c ---- */

int run_dump_sign(struct cli *c);

#endif
