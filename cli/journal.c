/* SPDX-License-Identifier: Apache-2.0 */
/*
 * journal: JSON lines beside the output. A line is appended in one write when the service has answered, so a
 * killed process loses none; a torn last line is cut off. The disk is asked to hold them once a second: what
 * a power cut takes is asked again under its Idempotency-Key and answered with the same certificate.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "cli/dump.h"

#define LINE_MAX_OCTETS (256u * 1024) /* a certificate of a thousand names, or sixty-four findings */
#define SYNC_MS 1000

static int say(struct cli *c, const struct journal *j)
{
    return cli_fail(c, WRONG_USE, "%s: %s", j->path, strerror(errno));
}

static bool write_all(int fd, struct span s)
{
    while (s.len > 0) {
        ssize_t n = write(fd, s.data, s.len);

        if (n < 0 && errno != EINTR)
            return false;
        if (n > 0)
            s = span_of(s.data + n, s.len - (size_t)n);
    }
    return true;
}

/* Takes `line`. */
static bool append(struct journal *j, struct js *line)
{
    struct buf b;
    bool is_written;

    buf_init(&b, LINE_MAX_OCTETS);
    js_write(line, &b);
    js_free(line);
    buf_put_u8(&b, '\n');
    errno = EMSGSIZE;
    is_written = !j->is_broken && buf_end(&b) == OK && write_all(j->fd, buf_span(&b));
    if (is_written)
        j->size += (int64_t)b.len;
    else if (ftruncate(j->fd, j->size) != 0) /* half a line would spoil the next one */
        j->is_broken = true;
    buf_free(&b);
    return is_written;
}

int64_t journal_add(struct cli *c, struct journal *j, const struct dump_item *i, enum dump_state s,
                    struct js *line)
{
    int64_t at = j->size, now_ms = clock_monotonic_ms();

    js_set_str(line, "name", i->out);
    js_set_hex(line, "csr", span_of(i->hash, HASH_LEN));
    js_set_str(line, "result", dump_state_names[s]);
    if (!append(j, line) || (now_ms - j->synced_ms >= SYNC_MS && fdatasync(j->fd) != 0)) {
        say(c, j);
        return -1;
    }
    if (now_ms - j->synced_ms >= SYNC_MS)
        j->synced_ms = now_ms;
    return at;
}

enum line_kind { LINE_WHOLE, LINE_TORN, LINE_DAMAGED };

/* The line that begins at `at`, and where the next one does. */
static enum line_kind read_line(const struct journal *j, int64_t at, struct js **out, int64_t *next)
{
    char *line = xcalloc(1, LINE_MAX_OCTETS);
    ssize_t n = pread(j->fd, line, LINE_MAX_OCTETS, at);
    const char *end = n > 0 ? memchr(line, '\n', (size_t)n) : NULL;
    enum line_kind kind = LINE_WHOLE;

    if (end == NULL)
        kind = n >= 0 && n < (ssize_t)LINE_MAX_OCTETS ? LINE_TORN : LINE_DAMAGED;
    else if (js_parse(span_of(line, (size_t)(end - line)), out, NULL) != OK)
        kind = LINE_DAMAGED;
    else
        *next = at + (end - line) + 1;
    free(line);
    return kind;
}

struct js *journal_read(const struct journal *j, int64_t at)
{
    struct js *v = NULL;
    int64_t next;

    return read_line(j, at, &v, &next) == LINE_WHOLE ? v : NULL;
}

/* ---- going on ---- */

/* A refused one is asked again: what stood in its way may be mended, and nothing was signed. */
static void take_line(struct dump *d, const struct js *v, int64_t at)
{
    const char *name = js_str(js_get(v, "name")), *csr = js_str(js_get(v, "csr"));
    const char *result = js_str(js_get(v, "result"));
    struct dump_item *i = name != NULL ? dump_find(d, name) : NULL;
    char hex[2 * HASH_LEN + 1];

    if (i == NULL || csr == NULL || result == NULL)
        return;
    hex_encode(span_of(i->hash, HASH_LEN), hex);
    if (strcmp(hex, csr) == 0 && strcmp(result, dump_state_names[DUMP_SIGNED]) == 0)
        dump_set(d, i, DUMP_SIGNED, at);
}

static int refuse_run(struct cli *c, const struct journal *j, const char *run)
{
    return cli_fail(
        c, WRONG_USE,
        "%s: belongs to another run (%s): finish that one, give another --out, or remove the file", j->path,
        run != NULL ? run : "which one it does not say");
}

/* The first line names the run, each other one is an answer. */
static int take_lines(struct cli *c, struct journal *j, struct dump *d)
{
    int64_t at = 0, next = 0;
    struct js *v = NULL;
    enum line_kind kind = LINE_WHOLE;

    for (; at < j->size && (kind = read_line(j, at, &v, &next)) == LINE_WHOLE; at = next) {
        const char *run = js_str(js_get(v, "run"));
        int code = at == 0 && (run == NULL || strcmp(run, d->run) != 0) ? refuse_run(c, j, run) : DONE;

        take_line(d, v, at);
        js_free(v);
        if (code != DONE)
            return code;
    }
    if (kind == LINE_DAMAGED)
        return cli_fail(c, WRONG_USE, "%s: damaged at octet %lld", j->path, (long long)at);
    if (at < j->size && ftruncate(j->fd, at) != 0) /* torn: it is asked again */
        return say(c, j);
    j->size = at;
    return DONE;
}

static int begin(struct cli *c, struct journal *j, const struct dump *d)
{
    struct js *head = js_object();

    js_set_str(head, "run", d->run);
    js_set_str(head, "profile", cli_option(c, OPT_PROFILE));
    js_set_int(head, "entries", (int64_t)d->count);
    return append(j, head) && fsync(j->fd) == 0 ? DONE : say(c, j);
}

int journal_open(struct cli *c, struct journal *j, struct dump *d, const char *out_path)
{
    struct stat st;
    int code;

    *j = (struct journal){.fd = -1, .synced_ms = clock_monotonic_ms()};
    if ((size_t)snprintf(j->path, sizeof j->path, "%s.run", out_path) >= sizeof j->path)
        return cli_fail(c, WRONG_USE, "--out: the path is too long");
    j->fd = open(j->path, O_RDWR | O_CREAT | O_APPEND | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (j->fd < 0 || fstat(j->fd, &st) != 0)
        return say(c, j);
    if (flock(j->fd, LOCK_EX | LOCK_NB) != 0)
        return cli_fail(c, WRONG_USE, "%s: another process is at this run", j->path);
    j->size = st.st_size;
    code = take_lines(c, j, d);
    return code == DONE && j->size == 0 ? begin(c, j, d) : code;
}

void journal_close(struct journal *j)
{
    if (j->fd >= 0)
        close(j->fd);
    j->fd = -1;
}

void journal_remove(struct journal *j)
{
    unlink(j->path);
    journal_close(j);
}
