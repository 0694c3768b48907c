/* SPDX-License-Identifier: Apache-2.0 */
#include "base/archive.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define CONTENT_MAX 4096

/* ---- what a walk saw, a line an entry: "name content" or "path !refusal" ---- */

static char seen[65536];
static size_t seen_count;

static enum err note(const struct archive_item *i, void *arg)
{
    size_t used = strlen(seen);

    (void)arg;
    seen_count++;
    if (used + 2200 > sizeof seen)
        return OK;
    if (i->refusal != NULL) {
        cr_assert_eq(i->content.len, 0);
        sprintf(seen + used, "%.60s !%s\n", i->path, i->refusal);
    } else {
        sprintf(seen + used, "%.60s %.*s\n", i->name, (int)(i->content.len < 40 ? i->content.len : 40),
                (const char *)i->content.data);
    }
    return OK;
}

static enum err stop(const struct archive_item *i, void *arg)
{
    (void)i;
    ++*(int *)arg;
    return ERR_END;
}

static struct fault fault; /* of the last walk */

static enum err walk(const struct buf *tar)
{
    fault = (struct fault){0};
    seen[0] = '\0';
    seen_count = 0;
    return archive_walk_octets(buf_span(tar), CONTENT_MAX, note, NULL, &fault);
}

/* ---- tars by hand, POSIX.1-1988 ustar ---- */

static void put_entry(struct buf *b, const char *name, char type, const char *link, struct span content)
{
    uint8_t header[512] = {0};
    unsigned sum = 0;

    memcpy(header, name, strlen(name) < 100 ? strlen(name) : 100);
    sprintf((char *)header + 100, "%07o", 0644);
    sprintf((char *)header + 108, "%07o", 0);
    sprintf((char *)header + 116, "%07o", 0);
    sprintf((char *)header + 124, "%011lo", (unsigned long)content.len);
    sprintf((char *)header + 136, "%011o", 0);
    memset(header + 148, ' ', 8);
    header[156] = (uint8_t)type;
    memcpy(header + 157, link, strlen(link));
    memcpy(header + 257, "ustar\00000", 8);
    for (size_t i = 0; i < sizeof header; i++)
        sum += header[i];
    sprintf((char *)header + 148, "%06o", sum);
    buf_put(b, header, sizeof header);
    buf_put_span(b, content);
    while (b->len % 512 != 0)
        buf_put_u8(b, 0);
}

static void put_file(struct buf *b, const char *name, const char *content)
{
    put_entry(b, name, '0', "", span_str(content));
}

static void put_end(struct buf *b)
{
    for (int i = 0; i < 1024; i++)
        buf_put_u8(b, 0);
}

static struct buf tar_new(void)
{
    struct buf b;

    buf_init(&b, 64u << 20);
    return b;
}

Test(archive_walk, files_come_in_order_by_their_last_name)
{
    struct buf b = tar_new();

    put_entry(&b, "dump/", '5', "", span_of(NULL, 0));
    put_file(&b, "dump/b.csr", "two");
    put_file(&b, "a.csr", "one");
    put_end(&b);
    cr_assert_eq(walk(&b), OK);
    cr_assert_str_eq(seen, "b.csr two\na.csr one\n");
    buf_free(&b);
}

Test(archive_walk, names_that_leave_the_directory_are_refused)
{
    struct buf b = tar_new();

    put_file(&b, "/etc/passwd", "x");
    put_file(&b, "../up.csr", "x");
    put_file(&b, "a/../../up.csr", "x");
    put_file(&b, "a\\..\\b.csr", "x");
    put_file(&b, "C:evil.csr", "x");
    put_file(&b, "a..b.csr", "kept");
    put_end(&b);
    cr_assert_eq(walk(&b), OK);
    cr_assert_str_eq(seen, "/etc/passwd !entry.path\n../up.csr !entry.path\na/../../up.csr !entry.path\n"
                           "a\\..\\b.csr !entry.path\nC:evil.csr !entry.path\na..b.csr kept\n");
    buf_free(&b);
}

Test(archive_walk, only_regular_files_are_taken)
{
    struct buf b = tar_new();

    put_entry(&b, "link.csr", '2', "/etc/passwd", span_of(NULL, 0));
    put_file(&b, "a.csr", "kept");
    put_entry(&b, "hard.csr", '1', "a.csr", span_of(NULL, 0));
    put_entry(&b, "device.csr", '3', "", span_of(NULL, 0));
    put_entry(&b, "fifo.csr", '6', "", span_of(NULL, 0));
    put_end(&b);
    cr_assert_eq(walk(&b), OK);
    cr_assert_str_eq(seen, "link.csr !entry.kind\na.csr kept\nhard.csr !entry.kind\ndevice.csr !entry.kind\n"
                           "fifo.csr !entry.kind\n");
    buf_free(&b);
}

Test(archive_walk, what_is_too_large_or_empty_is_refused_and_the_rest_goes_on)
{
    struct buf b = tar_new();
    char *large = calloc(1, CONTENT_MAX + 2);

    memset(large, 'x', CONTENT_MAX + 1);
    put_file(&b, "large.csr", large);
    put_file(&b, "empty.csr", "");
    large[CONTENT_MAX] = '\0';
    put_file(&b, "largest.csr", large);
    put_end(&b);
    cr_assert_eq(walk(&b), OK);
    cr_assert_str_eq(seen, "large.csr !entry.size\nempty.csr !entry.empty\n"
                           "largest.csr xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx\n");
    free(large);
    buf_free(&b);
}

Test(archive_walk, names_that_cannot_be_read_are_refused_and_shown_safely)
{
    struct buf b = tar_new();

    put_file(&b, "a\x1b[31m.csr", "x");
    put_file(&b, "a\nb.csr", "x");
    put_end(&b);
    cr_assert_eq(walk(&b), OK);
    cr_assert_str_eq(seen, "a?[31m.csr !entry.name\na?b.csr !entry.name\n");
    buf_free(&b);
}

Test(archive_walk, what_is_no_archive_or_a_torn_one_is_an_error)
{
    struct buf b = tar_new();

    buf_put_str(&b, "-----BEGIN CERTIFICATE REQUEST-----\n");
    cr_assert_eq(walk(&b), ERR_MALFORMED);
    buf_reset(&b);
    cr_assert_eq(walk(&b), ERR_MALFORMED, "nothing at all");
    put_end(&b);
    cr_assert_eq(walk(&b), ERR_MALFORMED, "an archive without an entry");
    buf_reset(&b);
    put_file(&b, "a.csr", "content that the end of the archive cuts off");
    b.len = 520;
    cr_assert_eq(walk(&b), ERR_MALFORMED);
    buf_free(&b);
}

/* A file of an archive that is damaged in one place must not be missing from a list of all of them. */
Test(archive_walk, a_header_that_is_damaged_is_an_error_and_leaves_nothing_out)
{
    struct buf b = tar_new();

    put_file(&b, "a.csr", "one");
    put_file(&b, "b.csr", "two");
    put_file(&b, "c.csr", "three");
    put_end(&b);
    cr_assert_eq(walk(&b), OK);
    b.data[1024 + 3] ^= 1; /* in the name of the second: its checksum is another now */
    cr_assert_eq(walk(&b), ERR_MALFORMED);
    cr_assert_str_eq(fault.detail, "archive: Damaged tar archive");
    cr_assert_str_eq(seen, "a.csr one\n");
    buf_free(&b);
}

/* Found by the fuzzer: libarchive says "retry" of these for ever. */
Test(archive_walk, sparse_blocks_out_of_order_are_a_broken_entry, .timeout = 10)
{
    struct buf b = tar_new();

    put_entry(&b, "PaxHeader/a.csr", 'x', "",
              span_str("22 GNU.sparse.major=0\n22 GNU.sparse.minor=1\n"
                       "24 GNU.sparse.size=2000\n26 GNU.sparse.numblocks=2\n"
                       "29 GNU.sparse.map=1000,4,0,4\n"));
    put_file(&b, "a.csr", "eightoct");
    put_file(&b, "b.csr", "two");
    put_end(&b);
    cr_assert_eq(walk(&b), OK);
    cr_assert_str_eq(seen, "a.csr !entry.broken\nb.csr two\n");
    buf_free(&b);
}

Test(archive_walk, the_count_of_entries_is_bounded)
{
    struct buf b;

    buf_init(&b, 256u << 20);
    for (unsigned i = 0; i <= ARCHIVE_ENTRIES_MAX; i++)
        put_entry(&b, "a.csr", '0', "", span_of(NULL, 0));
    put_end(&b);
    cr_assert_eq(walk(&b), ERR_TOO_LARGE);
    cr_assert_eq(seen_count, ARCHIVE_ENTRIES_MAX);
    buf_free(&b);
}

Test(archive_walk, the_callback_ends_it)
{
    struct buf b = tar_new();
    struct fault f = {0};
    int calls = 0;

    put_file(&b, "a.csr", "1");
    put_file(&b, "b.csr", "2");
    put_end(&b);
    cr_assert_eq(archive_walk_octets(buf_span(&b), CONTENT_MAX, stop, &calls, &f), ERR_END);
    cr_assert_eq(calls, 1);
    buf_free(&b);
}

/* ---- files and directories ---- */

static char dir[] = "/tmp/archive-test-XXXXXX";

static const char *in_dir(const char *name)
{
    static char path[4][256];
    static unsigned n;
    char *out = path[n++ % 4];

    snprintf(out, sizeof *path, "%s/%s", dir, name);
    return out;
}

static void write_text(const char *name, const char *content)
{
    FILE *f = fopen(in_dir(name), "wb");

    fwrite(content, 1, strlen(content), f);
    fclose(f);
}

static void make_dir(void)
{
    cr_assert_not_null(mkdtemp(dir));
}

static void remove_dir(void)
{
    static const char *const names[] = {"a.csr", "b.csr", "link.csr", "out.tgz", "two.tgz", "x.zip"};

    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        unlink(in_dir(names[i]));
    rmdir(in_dir("sub"));
    rmdir(dir);
}

Test(archive_walk, a_directory_is_read_by_name_and_follows_nothing, .init = make_dir, .fini = remove_dir)
{
    struct fault f = {0};

    write_text("b.csr", "two");
    write_text("a.csr", "one");
    cr_assert_eq(symlink("/etc/passwd", in_dir("link.csr")), 0);
    cr_assert_eq(mkdir(in_dir("sub"), 0700), 0);
    cr_assert_eq(archive_walk(dir, CONTENT_MAX, note, NULL, &f), OK);
    cr_assert_str_eq(seen, "a.csr one\nb.csr two\nlink.csr !entry.kind\nsub !entry.kind\n");
    cr_assert(archive_is(dir));
    cr_assert(!archive_is(in_dir("a.csr")));
}

Test(archive_walk, a_path_that_is_not_there_is_not_found)
{
    struct fault f = {0};

    cr_assert_eq(archive_walk("/nonexistent/a.tgz", CONTENT_MAX, note, NULL, &f), ERR_NOT_FOUND);
    cr_assert(!archive_is("/nonexistent/a.tgz"));
}

static void write_two(const char *name, int64_t mtime_s)
{
    struct archive_draft *d;
    struct fault f = {0};

    cr_assert_eq(archive_draft_open(in_dir(name), mtime_s, &d, &f), OK, "%s", f.detail);
    archive_draft_add(d, "a.der", span_str("one"));
    archive_draft_add(d, "b.der", span_str("two"));
    cr_assert_eq(archive_draft_commit(d, &f), OK, "%s", f.detail);
}

Test(archive_draft, what_is_written_reads_back, .init = make_dir, .fini = remove_dir)
{
    struct fault f = {0};

    write_two("out.tgz", 1000);
    cr_assert(archive_is(in_dir("out.tgz")));
    cr_assert_eq(archive_walk(in_dir("out.tgz"), CONTENT_MAX, note, NULL, &f), OK, "%s", f.detail);
    cr_assert_str_eq(seen, "a.der one\nb.der two\n");
}

/* A request may be called so in a dump, hence its answer: all that was signed hangs on one archive. */
Test(archive_draft, the_longest_name_there_may_be_is_written, .init = make_dir, .fini = remove_dir)
{
    char name[ARCHIVE_NAME_LEN_MAX + 5] = "";
    struct archive_draft *d;
    struct fault f = {0};

    memset(name, 'n', ARCHIVE_NAME_LEN_MAX);
    strcat(name, ".der");
    cr_assert_eq(archive_draft_open(in_dir("out.tgz"), 0, &d, &f), OK);
    archive_draft_add(d, name, span_str("one"));
    archive_draft_add(d, "b.der", span_str("two"));
    cr_assert_eq(archive_draft_commit(d, &f), OK, "%s", f.detail);
    seen[0] = '\0';
    seen_count = 0;
    cr_assert_eq(archive_walk(in_dir("out.tgz"), CONTENT_MAX, note, NULL, &f), OK, "%s", f.detail);
    cr_assert_eq(seen_count, 2);
    cr_assert_not_null(strstr(seen, "b.der two\n"));
}

Test(archive_draft, the_same_content_gives_the_same_octets, .init = make_dir, .fini = remove_dir)
{
    struct buf one, two;
    struct fault f = {0};

    buf_init(&one, 65536);
    buf_init(&two, 65536);
    write_two("out.tgz", 1000);
    write_two("two.tgz", 1000);
    cr_assert_eq(file_read(in_dir("out.tgz"), &one, &f), OK);
    cr_assert_eq(file_read(in_dir("two.tgz"), &two, &f), OK);
    cr_assert(span_eq(buf_span(&one), buf_span(&two)));
    buf_free(&one);
    buf_free(&two);
}

Test(archive_draft, an_aborted_one_leaves_what_was_there, .init = make_dir, .fini = remove_dir)
{
    struct archive_draft *d;
    struct fault f = {0};

    write_two("out.tgz", 1000);
    cr_assert_eq(archive_draft_open(in_dir("out.tgz"), 0, &d, &f), OK);
    archive_draft_add(d, "c.der", span_str("three"));
    archive_draft_abort(d);
    cr_assert_eq(archive_walk(in_dir("out.tgz"), CONTENT_MAX, note, NULL, &f), OK);
    cr_assert_str_eq(seen, "a.der one\nb.der two\n");
}

/* A gigabyte of zeros in a megabyte: the ratio ends it long before it is unpacked. */
Test(archive_walk, a_bomb_ends_early, .init = make_dir, .fini = remove_dir)
{
    struct archive_draft *d;
    struct fault f = {0};
    size_t len = 64u << 20;
    uint8_t *zeros = calloc(1, len);

    cr_assert_eq(archive_draft_open(in_dir("out.tgz"), 0, &d, &f), OK);
    archive_draft_add(d, "a.csr", span_of(zeros, len));
    cr_assert_eq(archive_draft_commit(d, &f), OK);
    seen[0] = '\0';
    cr_assert_eq(archive_walk(in_dir("out.tgz"), CONTENT_MAX, note, NULL, &f), ERR_TOO_LARGE);
    cr_assert_str_eq(seen, "");
    free(zeros);
}

Test(archive_walk, a_file_that_only_calls_itself_one_is_told_so, .init = make_dir, .fini = remove_dir)
{
    struct fault f = {0};

    write_text("x.zip", "hello");
    cr_assert(archive_is(in_dir("x.zip")));
    cr_assert_eq(archive_walk(in_dir("x.zip"), CONTENT_MAX, note, NULL, &f), ERR_MALFORMED);
}
