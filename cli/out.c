/* SPDX-License-Identifier: Apache-2.0 */
/* out: the octets that are the result, to standard output or to a file; and the files a command reads. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli/inner.h"

#define RESULT_MODE 0644 /* certificates are public */

static bool is_text(struct span s)
{
    for (size_t i = 0; i < s.len; i++)
        if ((s.data[i] < 0x20 && s.data[i] != '\n') || s.data[i] > 0x7e)
            return false;
    return true;
}

/* A pipe or a device keeps its place: replacing /dev/null by a file would be a bad surprise. */
static enum err write_in_place(const char *path, struct span content, struct fault *f)
{
    struct file_draft d = {0};
    enum err e;

    d.fd = open(path, O_WRONLY | O_CLOEXEC);
    if (d.fd < 0)
        return fault_set(f, ERR_IO, "%s: %s", path, strerror(errno));
    snprintf(d.temp, sizeof d.temp, "%s", path); /* names it in a fault */
    e = file_draft_write(&d, content, f);
    d.temp[0] = '\0';
    file_draft_abort(&d);
    return e;
}

static enum err write_file(const char *path, struct span content, struct fault *f)
{
    struct stat st;
    char *real;
    enum err e;

    if (stat(path, &st) != 0) /* new; or unreachable, which file_replace says better */
        return file_replace(path, content, RESULT_MODE, f);
    if (S_ISDIR(st.st_mode))
        return fault_set(f, ERR_IO, "%s: %s", path, strerror(EISDIR));
    if (!S_ISREG(st.st_mode))
        return write_in_place(path, content, f);
    real = realpath(path, NULL); /* what a symbolic link names is replaced, not the link */
    if (real == NULL)
        return fault_set(f, ERR_IO, "%s: %s", path, strerror(errno));
    e = file_replace(real, content, RESULT_MODE, f);
    free(real);
    return e;
}

static bool goes_to_file(const struct cli *c)
{
    const char *path = cli_option(c, OPT_OUT);

    return path != NULL && strcmp(path, "-") != 0;
}

/* Could write_file() do it? With --dry-run the file stays as it is, also one that is not there. */
static enum err check_file(const char *path, struct fault *f)
{
    char *real = realpath(path, NULL), place[PATH_LEN_MAX];
    struct stat st;
    bool is_there = stat(path, &st) == 0;

    path_dir(real != NULL ? real : path, place);
    if (is_there && !S_ISREG(st.st_mode)) /* a device itself, of a file its directory */
        snprintf(place, sizeof place, "%s", path);
    free(real);
    if (is_there && S_ISDIR(st.st_mode))
        return fault_set(f, ERR_IO, "%s: %s", path, strerror(EISDIR));
    return access(place, W_OK) == 0 ? OK : fault_set(f, ERR_IO, "%s: %s", path, strerror(errno));
}

static int pretend(struct cli *c, const char *path, struct span content)
{
    struct fault f = {0};

    if (check_file(path, &f) != OK)
        return cli_fault(c, &f);
    cli_note(c, "%s would be written, %zu octets; nothing was", path, content.len);
    return DONE;
}

static int put_result(struct cli *c, struct span content)
{
    struct fault f = {0};

    if (goes_to_file(c) && c->is_dry_run)
        return pretend(c, cli_option(c, OPT_OUT), content);
    if (goes_to_file(c))
        return write_file(cli_option(c, OPT_OUT), content, &f) == OK ? DONE : cli_fault(c, &f);
    fwrite(content.data, 1, content.len, c->io.out);
    return DONE;
}

static bool takes_out(const struct cli *c)
{
    return c->command != NULL && (c->command->options & OPT_BIT(OPT_OUT)) != 0;
}

int out_write(struct cli *c, struct span content)
{
    if (!goes_to_file(c) && c->io.out_is_terminal && !is_text(content))
        return cli_fail(c, WRONG_USE, "this is not text: redirect it%s",
                        takes_out(c) ? ", or give --out FILE" : "");
    return put_result(c, content);
}

int out_json(struct cli *c, const struct js *v)
{
    struct buf raw, safe;
    int code;

    buf_init(&raw, 2 * FETCH_BODY_MAX);
    buf_init(&safe, 4 * (size_t)FETCH_BODY_MAX);
    if (c->format == FORMAT_JSONL)
        js_write(v, &raw);
    else
        js_write_pretty(v, &raw);
    buf_put_u8(&raw, '\n');
    text_put_lines(&safe, buf_span(&raw));
    if (buf_end(&raw) != OK || buf_end(&safe) != OK)
        code = cli_fail(c, WRONG_USE, "too much for one JSON document: use --output jsonl");
    else
        code = put_result(c, buf_span(&safe));
    buf_free(&raw);
    buf_free(&safe);
    return code;
}

static enum err read_stream(FILE *in, struct buf *out, struct fault *f)
{
    char piece[16384];
    size_t n;

    while ((n = fread(piece, 1, sizeof piece, in)) > 0 && buf_end(out) == OK)
        buf_put(out, piece, n);
    if (ferror(in))
        return fault_set(f, ERR_IO, "standard input: %s", strerror(errno));
    if (buf_end(out) != OK)
        return fault_set(f, ERR_IO, "standard input: larger than %zu octets", out->max);
    return OK;
}

int in_read(struct cli *c, const char *path, size_t max, struct buf *out)
{
    struct fault f = {0};
    enum err e;

    buf_init(out, max);
    e = strcmp(path, "-") == 0 ? read_stream(c->io.in, out, &f) : file_read(path, out, &f);
    if (e == OK && out->len == 0)
        e = fault_set(&f, ERR_IO, "%s: empty", strcmp(path, "-") == 0 ? "standard input" : path);
    return e == OK ? DONE : cli_fail(c, WRONG_USE, "%s", f.detail);
}

int chain_write(struct cli *c, const struct js *v)
{
    const char *chain = js_str(js_get(v, "chain"));

    return chain != NULL ? out_write(c, span_str(chain))
                         : cli_fail(c, SERVICE_FAILED, "the answer holds no chain");
}

int show_write(struct cli *c, const struct js *v)
{
    const char *pem = js_str(js_get(v, "pem"));

    if (c->format == FORMAT_JSON || c->format == FORMAT_JSONL)
        return out_json(c, v);
    if (c->format == FORMAT_PEM)
        return pem != NULL ? out_write(c, span_str(pem))
                           : cli_fail(c, SERVICE_FAILED, "the answer holds no certificate");
    record_write(c, v);
    return DONE;
}
