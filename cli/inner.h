/* SPDX-License-Identifier: Apache-2.0 */
/*
 * inner: what the files of the cli room share. One struct cli holds a run: what was typed, where to write,
 * whom to ask. Functions that talk or print give an exit code (enum exit_code) and have said what went wrong
 * when it is not DONE.
 */
#ifndef CLI_INNER_H
#define CLI_INNER_H

#include <stdio.h>

#include "base/exit.h"
#include "base/fetch.h"
#include "base/file.h"
#include "base/json.h"
#include "base/limits.h"
#include "cli/cli.h"

#define COUNT_OF(a) (sizeof(a) / sizeof *(a))

/* ---- args.c: what was typed ---- */

enum opt {
    OPT_HOME,
    OPT_SERVER,
    OPT_CACERT,
    OPT_CERT,
    OPT_KEY,
    OPT_TOKEN,
    OPT_OUTPUT,
    OPT_QUIET,
    OPT_NO_COLOR,
    OPT_DRY_RUN,
    OPT_YES,
    OPT_HELP,
    OPT_VERSION, /* up to here: every command takes them */
    OPT_PROFILE,
    OPT_DAYS,
    OPT_CERTIFICATE,
    OPT_OUT,
    OPT_CN,
    OPT_SAN,
    OPT_ISSUER,
    OPT_STATUS,
    OPT_KEY_TYPE,
    OPT_EXPIRES_WITHIN,
    OPT_LIMIT,
    OPT_AFTER,
    OPT_REASON,
    OPT_INVALIDITY_DATE,
    OPT_ISSUER_CERT,
    OPT_URL,
    OPT_RUN,
    OPT_AGAINST,
    OPT_KIND,
    OPT_ACTOR,
    OPT_SERIAL,
    OPT_SINCE,
    OPT_UNTIL,
    OPT_ORDER,
    OPT_STORE,
    OPT_EXPORT,
    OPT_HEAD,
    OPT_SEAL_KEY,
    OPT_GET,
    OPT_ROLE,
    OPT_NAME,
    OPT_LISTENER,
    OPT_COUNT
};

#define OPT_BIT(o) (UINT64_C(1) << (o))
#define OPTS_REPEAT                                                                                          \
    (UINT64_C(1) << 63) /* among a command's options: it takes those that can repeat repeatedly */
#define OPTS_COMMON (OPT_BIT(OPT_PROFILE) - 1)

#define ARGS_AGAIN_MAX 64 /* beyond what one login's scope holds */
struct args {
    const char *words[3]; /* noun, verb, argument */
    size_t word_count;
    const char *value[OPT_COUNT]; /* NULL: not given; flags: ""; the first of those given more than once */
    struct {
        enum opt opt;
        const char *value;
    } again[ARGS_AGAIN_MAX]; /* the others, in order */
    size_t again_count;
};

/* Options may stand anywhere. Borrows from argv, which keeps its order. ERR_USAGE. */
enum err args_parse(int argc, char **argv, struct args *out, struct fault *f);
const char *option_name(enum opt o); /* without the dashes */
/* A decimal number of that range. False for anything else. */
[[nodiscard]] bool number_parse(const char *text, int64_t min, int64_t max, int64_t *out);

/* ---- cli.c: a run ---- */

enum format {
    FORMAT_TABLE,
    FORMAT_JSON,
    FORMAT_JSONL,
    FORMAT_CSV,
    FORMAT_PEM,
    FORMAT_DER,
    FORMAT_P7B,
    FORMAT_CHAIN,
    FORMAT_COUNT
};
#define FORMAT_BIT(f) (1u << (f))

struct streams {
    FILE *in, *out, *err;
    bool in_is_terminal, out_is_terminal, err_is_terminal;
    unsigned width; /* columns of the terminal on `out`, 0: not one */
};

struct command;

struct cli {
    const struct command *command; /* NULL: none was found */
    struct streams io;
    struct args args;
    enum format format;
    bool is_quiet, is_dry_run, is_yes;
    bool out_color, err_color;
    int64_t now_s;
    const struct cli_hooks *hooks; /* NULL: none */
    struct fetch_target target;    /* service.c fills it on first use */
    char socket[PATH_LEN_MAX];
    struct buf token;
};

struct command {
    const char *noun, *verb; /* verb NULL: a noun alone */
    const char *argument;    /* NULL: takes none */
    const char *synopsis;    /* of its own options */
    const char *summary;
    uint64_t options;  /* beyond OPTS_COMMON */
    uint64_t required; /* those without which it makes no sense */
    uint32_t formats;  /* FORMAT_BITs, 0: prints nothing but text */
    enum format format_default;
    int (*run)(struct cli *c);
};

extern const struct command commands[];
extern const size_t command_count;
/* The commands on this machine of that noun, and of that verb when it is not NULL; how many. */
size_t local_usage(FILE *out, const char *noun, const char *verb);

/* cli_run with its streams and clock given, as tests do. */
int cli_run_with(int argc, char **argv, const struct streams *io, int64_t now_s);
static inline const char *cli_option(const struct cli *c, enum opt o)
{
    return c->args.value[o];
}
static inline const char *cli_argument(const struct cli *c)
{
    return c->args.words[2];
}

/* One line on standard error, without control characters; gives `code` back. */
int cli_fail(struct cli *c, int code, const char *fmt, ...) __attribute__((format(printf, 3, 4)));
/* For an option's value that makes no sense: the line, the usage of the command, WRONG_USE. */
int cli_misuse(struct cli *c, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* The same for a local fault: WRONG_USE, NOT_PERMITTED for ERR_FORBIDDEN, or SERVICE_FAILED for
 * ERR_UNAVAILABLE and an answer too large. */
int cli_fault(struct cli *c, const struct fault *f);
/* One line on standard error unless --quiet. */
void cli_note(struct cli *c, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* Asks on the terminal, when there is one and not --yes. */
[[nodiscard]] bool cli_confirm(struct cli *c, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* ---- text.c: hostile text on its way to people ---- */

/* Appends with what moves, hides or reorders text written as \uXXXX, and octets that are no UTF-8 as U+FFFD.
 */
void text_put(struct buf *out, struct span s);
/* The same, line feeds kept. On JSON it changes spelling only: there these characters occur nowhere but in
 * strings. */
void text_put_lines(struct buf *out, struct span s);
size_t text_width(struct span s); /* columns on a terminal */
/* The longest start of `s` that takes at most `width` columns. */
struct span text_cut(struct span s, size_t width);
/* SGR code for a status or severity word: "" for one that has no colour. */
const char *text_color(const char *word);

/* ---- cell.c: one value of an answer as text ---- */

enum { COLUMN_STATUS = 1, COLUMN_ELASTIC = 2 };

struct column {
    const char *title; /* as people read it, lower case */
    const char *path;  /* members joined by dots: "crl.next_update" */
    unsigned flags;
};

const struct js *cell_find(const struct js *row, const char *path);
/* The text there; "?" when there is none. */
const char *cell_str(const struct js *row, const char *path);
/* As a cell: lists joined by `separator`, a key as "rsa 3072". Raw octets, nothing for null or absent. */
void cell_put(struct buf *out, const struct js *v, const char *separator);

/* ---- grid.c, csv.c, record.c, rows.c: the same answer in another shape ---- */

#define COLUMNS_MAX 24

struct grid {
    const struct column *columns;
    size_t column_count;
    char **cells; /* row_count * column_count, safe text */
    size_t row_count, row_cap;
    size_t width[COLUMNS_MAX];
    bool has_header;
};

void grid_open(struct grid *t, const struct column *columns, size_t n);
void grid_add(struct grid *t, const struct js *row);
/* Writes and forgets the rows so far; widths only grow, so that pages line up. */
void grid_write(struct grid *t, struct cli *c);
void grid_close(struct grid *t);

/* RFC 4180, CRLF. */
void csv_header(struct cli *c, const struct column *columns, size_t n);
void csv_row(struct cli *c, const struct column *columns, size_t n, const struct js *row);

/* One thing: "label  value" lines for people, else JSON. */
void record_write(struct cli *c, const struct js *v);

/* A list as it arrives, in the format asked for. */
struct rows {
    struct cli *cli;
    struct grid grid;
    const struct column *csv_columns;
    size_t csv_count;
    size_t count;
    bool has_csv_header;
    struct js *items; /* JSON alone: the whole list */
};

void rows_open(struct rows *r, struct cli *c, const struct column *table_columns, size_t table_count,
               const struct column *csv_columns, size_t csv_count);
void rows_add(struct rows *r, const struct js *row);
void rows_page(struct rows *r);                      /* a page is complete: show it */
void rows_close(struct rows *r, const char *cursor); /* NULL: nothing is left */
void rows_abort(struct rows *r);                     /* writes no more */
#define CURSOR_TEXT_MAX 1024 /* octets with the NUL, of a cursor: ours are a hundred or so */

/* A list behind --limit and --after, page by page. */
struct pages {
    struct rows rows;
    int64_t limit, shown;         /* limit 0: all */
    char cursor[CURSOR_TEXT_MAX]; /* "": from the start */
};
/* Puts the query's filters; limit and cursor come after. */
typedef void pages_filters(const struct cli *c, const void *arg, struct buf *path);

int pages_read(struct cli *c, struct pages *p); /* the two options; `rows` is then to be opened */
/* Fetches and writes; closes the rows. */
int pages_write(struct cli *c, struct pages *p, const char *prefix, pages_filters *put, const void *arg);
/* A whole list that comes as {"items": [...]} in one answer. */
int list_write(struct cli *c, const char *path, const struct column *table_columns, size_t table_count,
               const struct column *csv_columns, size_t csv_count);
/* One thing in the format asked for: JSON, its PEM, or a record. */
int show_write(struct cli *c, const struct js *v);
/* The body of the answer to GET PREFIX ID SUFFIX, as it is. */
int file_write(struct cli *c, const char *prefix, const char *id, const char *suffix);
/* As show_write(), or a row under its heading for CSV: the columns of the list it is in. */
int show_row(struct cli *c, const struct js *v, const struct column *csv_columns, size_t csv_count);
/* The `chain` of an answer: PEM, the certificate itself first. */
int chain_write(struct cli *c, const struct js *v);

/* ---- audit.c, audit_verify.c ---- */

#define AUDIT_PATH "/api/v1/audit"
#define AUDIT_HEAD_PATH AUDIT_PATH "/head"

/* ---- out.c: octets that are the result ---- */

/* To standard output or --out F (replaced durably, 0644). Refuses octets that are no text on a terminal. */
int out_write(struct cli *c, struct span content);
int out_json(struct cli *c, const struct js *v); /* likewise; pretty, or one line for jsonl */
/* All of FILE, or of standard input for "-". */
int in_read(struct cli *c, const char *path, size_t max, struct buf *out);

/* ---- private_key.c ---- */

/* A private key never leaves the machine, whatever the service would say of it. Its armour is known,
 * encrypted or not, and the INTEGER with which the plain binary forms and PKCS#12 begin (RFC 5208, RFC 8017
 * A.1.2, RFC 5915, RFC 7292), in BER too. Not seen: a key in an archive within the file, in bare base64, or
 * encrypted as DER. */
[[nodiscard]] bool has_private_key(struct span file);

/* ---- service.c: one exchange with the service ---- */

#define ISSUERS_PATH "/api/v1/issuers"

/* Is there a home or an address at all? */
[[nodiscard]] bool service_is_named(const struct cli *c);
/* Whom to ask, from the options; done once. */
int service_open(struct cli *c);
/* Once it is known whom to ask: does nobody listen there, and is it a home with a store? Then `store` is its
 * directory. Never of a remote service. */
[[nodiscard]] bool service_is_away(const struct cli *c, char store[static PATH_LEN_MAX]);
/* Any answer; DONE when there was one. The caller frees the answer in every case. */
int service_fetch(struct cli *c, const struct fetch_request *r, struct fetch_answer *a);
/* JSON both ways: *out is NULL when the code is neither DONE nor PENDING, or the answer was empty. An answer
 * other than 2xx is said on standard error and gives its exit code; 202 gives PENDING. */
int service_json(struct cli *c, const struct fetch_request *r, struct js **out);
int service_get(struct cli *c, const char *path, struct js **out);
/* As service_get for PREFIX/ID, for an argument that may hold anything. */
int service_get_under(struct cli *c, const char *prefix, const char *id, struct js **out);
/* Says what an answer that is no success, or not what was asked for, means; gives its exit code, never DONE.
 */
int service_refusal(struct cli *c, const struct fetch_request *r, const struct fetch_answer *a);
int exit_of_status(unsigned status);
struct js *service_parse(const struct fetch_answer *a); /* NULL unless it is JSON */
void service_close(struct cli *c);

/* A path under construction. */
void path_begin(struct buf *path, const char *prefix);
/* Borrowed until buf_free(). NULL: too long, which service_fetch() and those below tell. */
const char *path_end(struct buf *path);

/* ---- finding.c ---- */

/* A line or two each on standard error, with --quiet those that refuse alone. */
void finding_say_all(struct cli *c, const struct js *findings);
/* All of them as the result of the command. */
void finding_write_all(struct cli *c, const struct js *findings);
/* The same from the gravest down, each with its message and fix on lines of their own. */
void finding_write_grouped(struct cli *c, const struct js *findings);

/* ---- verdict.c ---- */

/* All of a preflight's answer, for people. */
void verdict_write(struct cli *c, const struct js *verdict, bool is_accepted);

/* ---- the commands ---- */

int run_csr_check(struct cli *c);
int run_csr_sign(struct cli *c);
int run_cert_list(struct cli *c);
int run_cert_show(struct cli *c);
int run_cert_export(struct cli *c);
int run_cert_revoke(struct cli *c);
int run_cert_unhold(struct cli *c);
int run_crl_publish(struct cli *c);
int run_crl_show(struct cli *c);
int run_ca_list(struct cli *c);
int run_ca_show(struct cli *c);
int run_ca_chain(struct cli *c);
int run_request_list(struct cli *c);
int run_request_show(struct cli *c);
int run_request_approve(struct cli *c);
int run_request_deny(struct cli *c);
int run_profile_list(struct cli *c);
int run_profile_show(struct cli *c);
int run_profile_replay(struct cli *c);
int run_ocsp_query(struct cli *c);
int run_ocsp_export(struct cli *c);
int run_health(struct cli *c);
int run_token_create(struct cli *c);
int run_token_list(struct cli *c);
int run_token_delete(struct cli *c);
int run_permit_list(struct cli *c);
int run_permit_add(struct cli *c);
int run_permit_remove(struct cli *c);
int run_audit_list(struct cli *c);
int run_audit_export(struct cli *c);
int run_audit_head(struct cli *c);
int run_audit_verify(struct cli *c);

/* Writes the certificate as PEM, DER, PKCS#7 or with its chain. */
int cert_export_as(struct cli *c, const char *serial, enum format format);
#define CERT_COLUMNS 17
extern const struct column cert_columns[CERT_COLUMNS]; /* CSV */

#endif
