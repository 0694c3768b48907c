/* SPDX-License-Identifier: Apache-2.0 */
/* Is a memo read as it was written, and taken for none when it is anything else? */
#include "api/memo.h"

#include <criterion/criterion.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/hash.h"
#include "base/limits.h"

#define MARK "chancery test 1\n"
#define MARK_LEN (sizeof MARK - 1)
#define WORD_MAX 16
#define CONTENT_MAX (4 + WORD_MAX) /* a blob */

static FILE *file;
static int fd;

static void setup(void)
{
    file = tmpfile();
    cr_assert_not_null(file);
    fd = fileno(file);
}

static void teardown(void)
{
    fclose(file);
}

TestSuite(memo, .init = setup, .fini = teardown);

static enum err keep(const char *word)
{
    struct fault f = {0};
    struct buf out;
    enum err e;

    memo_begin(&out, MARK, CONTENT_MAX);
    buf_put_blob(&out, span_str(word));
    e = memo_write(&out, fd, &f);
    cr_assert_eq(e, f.code);
    buf_free(&out);
    return e;
}

/* The word, "" unless OK. */
static enum err recall(char word[static WORD_MAX + 1])
{
    struct memo m;
    struct span got;
    enum err e;

    memo_read(&m, fd, MARK, CONTENT_MAX);
    got = rd_blob(&m.content);
    e = memo_end(&m);
    cr_assert_eq(e, m.fault.code);
    word[0] = '\0';
    cr_assert(e != OK || span_to_str(got, word, WORD_MAX + 1));
    memo_free(&m);
    return e;
}

static void expect(enum err want, const char *want_word)
{
    char word[WORD_MAX + 1];

    cr_assert_eq(recall(word), want);
    cr_assert_str_eq(word, want_word);
}

static off_t size(void)
{
    struct stat st;

    cr_assert_eq(fstat(fd, &st), 0);
    return st.st_size;
}

Test(memo, what_was_written_is_read)
{
    cr_assert_eq(keep("serials"), OK);
    expect(OK, "serials");
    expect(OK, "serials");
}

Test(memo, its_form_is_mark_content_and_digest)
{
    uint8_t octets[MARK_LEN + 4 + 2 + HASH_LEN], want[HASH_LEN];

    cr_assert_eq(keep("me"), OK);
    cr_assert_eq(size(), (off_t)sizeof octets);
    cr_assert_eq(pread(fd, octets, sizeof octets, 0), (ssize_t)sizeof octets);
    cr_assert_eq(memcmp(octets, MARK "\0\0\0\2me", MARK_LEN + 6), 0);
    sha256_of(span_of(octets, MARK_LEN + 6), want);
    cr_assert_eq(memcmp(octets + MARK_LEN + 6, want, HASH_LEN), 0);
}

Test(memo, content_may_be_as_long_as_was_said)
{
    cr_assert_eq(keep("0123456789abcdef"), OK);
    expect(OK, "0123456789abcdef");
}

Test(memo, an_empty_file_is_none)
{
    expect(ERR_NOT_FOUND, "");
}

Test(memo, a_short_file_is_damaged)
{
    cr_assert_eq(keep("serials"), OK);
    for (off_t len = size() - 1; len > 0; len--) {
        cr_assert_eq(ftruncate(fd, len), 0);
        expect(ERR_MALFORMED, "");
    }
}

Test(memo, an_octet_that_is_another_is_damage)
{
    cr_assert_eq(keep("serials"), OK);
    for (off_t at = 0; at < size(); at++) {
        uint8_t octet, other;

        cr_assert_eq(pread(fd, &octet, 1, at), 1);
        other = octet ^ 1;
        cr_assert_eq(pwrite(fd, &other, 1, at), 1);
        expect(ERR_MALFORMED, "");
        cr_assert_eq(pwrite(fd, &octet, 1, at), 1);
    }
    expect(OK, "serials");
}

Test(memo, a_whole_file_with_a_foreign_mark_is_damaged)
{
    static const char *const marks[] = {"chancery test 2\n", "chancery test", "",
                                        "chancery test 1\nand more\n"};
    struct fault f = {0};
    struct buf out;

    for (size_t i = 0; i < sizeof marks / sizeof *marks; i++) {
        memo_begin(&out, marks[i], CONTENT_MAX);
        buf_put_blob(&out, span_str("serials"));
        cr_assert_eq(memo_write(&out, fd, &f), OK, "%s", f.detail);
        buf_free(&out);
        expect(ERR_MALFORMED, "");
    }
}

Test(memo, a_file_of_junk_is_damaged)
{
    uint8_t junk[4096];

    for (uint8_t octet = 0;; octet += 51) {
        memset(junk, octet, sizeof junk);
        cr_assert_eq(pwrite(fd, junk, sizeof junk, 0), (ssize_t)sizeof junk);
        expect(ERR_MALFORMED, "");
        if (octet == 255)
            return;
    }
}

Test(memo, longer_content_than_was_said_is_not_written)
{
    cr_assert_eq(keep("before"), OK);
    cr_assert_eq(keep("0123456789abcdef0"), ERR_TOO_LARGE);
    expect(OK, "before");
}

Test(memo, longer_content_than_was_said_is_not_read)
{
    struct fault f = {0};
    struct buf out;

    memo_begin(&out, MARK, 4 * CONTENT_MAX);
    buf_put_blob(&out, span_str("0123456789abcdef0"));
    cr_assert_eq(memo_write(&out, fd, &f), OK, "%s", f.detail);
    buf_free(&out);
    expect(ERR_MALFORMED, "");
}

Test(memo, what_longer_content_left_behind_is_not_looked_at)
{
    off_t before_len;

    cr_assert_eq(keep("0123456789abcdef"), OK);
    before_len = size();
    cr_assert_eq(keep("less"), OK);
    cr_assert_eq(size(), before_len);
    expect(OK, "less");
}

Test(memo, content_that_is_not_read_to_its_end_is_not_whole)
{
    struct memo m;

    cr_assert_eq(keep("serials"), OK);
    memo_read(&m, fd, MARK, CONTENT_MAX);
    cr_assert_eq(rd_u32(&m.content), strlen("serials"));
    cr_assert_eq(memo_end(&m), ERR_MALFORMED);
    memo_free(&m);
}

Test(memo, a_file_that_cannot_be_read_or_written_says_why)
{
    struct fault f = {0};
    struct buf out;
    struct memo m;
    int full = open("/dev/full", O_WRONLY | O_CLOEXEC);

    memo_read(&m, full, MARK, CONTENT_MAX);
    cr_assert_eq(rd_u32(&m.content), 0);
    cr_assert_eq(memo_end(&m), ERR_IO);
    cr_assert_str_eq(m.fault.detail, "Bad file descriptor");
    memo_free(&m);
    memo_begin(&out, MARK, CONTENT_MAX);
    cr_assert_eq(memo_write(&out, full, &f), ERR_IO);
    cr_assert_str_eq(f.detail, "No space left on device");
    buf_free(&out);
    close(full);
}
