/* SPDX-License-Identifier: Apache-2.0 */
/* Is the PEM what OpenSSL writes, and is a file that is not what was published noticed? */
#include <criterion/criterion.h>
#include <fcntl.h>
#include <openssl/pem.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "crl/inner.h"

static char dir[] = "/tmp/chancery-files-XXXXXX";
static struct crl_paths paths;
static uint8_t octets[200000];

static void setup(void)
{
    char crl_dir[64];

    cr_assert_not_null(mkdtemp(dir));
    snprintf(crl_dir, sizeof crl_dir, "%s/crl", dir);
    mkdir(crl_dir, 0755);
    cr_assert_eq(crl_paths_of(dir, "ca", &paths, NULL), OK);
    for (size_t i = 0; i < sizeof octets; i++)
        octets[i] = (uint8_t)(i * 31 + i / 7);
}

static void teardown(void)
{
    char crl_dir[64];

    unlink(paths.der);
    unlink(paths.pem);
    snprintf(crl_dir, sizeof crl_dir, "%s/crl", dir);
    rmdir(crl_dir);
    rmdir(dir);
}

TestSuite(crl_files, .init = setup, .fini = teardown);

static void write_file(const char *path, struct span s)
{
    cr_assert_eq(file_replace(path, s, 0644, NULL), OK);
}

static bool collect(struct span piece, void *arg)
{
    buf_put_span(arg, piece);
    return true;
}

static void armour(struct buf *pem, struct crl_state *state)
{
    int fd = open(paths.der, O_RDONLY);

    cr_assert_eq(crl_armour(fd, collect, pem, state->sha256, &state->size), OK);
    close(fd);
}

Test(crl_files, pem_equals_openssl_at_every_length)
{
    static const size_t lengths[] = {
        0, 1, 2, 47, 48, 49, 95, 96, 97, 1000, 48 * 1024 - 1, 48 * 1024, 48 * 1024 + 1, 200000};

    for (size_t i = 0; i < sizeof lengths / sizeof *lengths; i++) {
        BIO *bio = BIO_new(BIO_s_mem());
        struct crl_state state = {0};
        uint8_t sha256[HASH_LEN];
        struct buf pem;
        char *text;
        long len;

        buf_init(&pem, 1 << 20);
        write_file(paths.der, span_of(octets, lengths[i]));
        armour(&pem, &state);
        PEM_write_bio(bio, "X509 CRL", "", octets, (long)lengths[i]);
        len = BIO_get_mem_data(bio, &text);
        cr_assert(span_eq(buf_span(&pem), span_of(text, (size_t)len)), "%zu", lengths[i]);
        sha256_of(span_of(octets, lengths[i]), sha256);
        cr_assert_eq(memcmp(sha256, state.sha256, HASH_LEN), 0);
        cr_assert_eq(state.size, lengths[i]);
        buf_free(&pem);
        BIO_free(bio);
    }
}

Test(crl_files, only_the_pair_that_was_published_matches)
{
    struct crl_state state = {.number = 1};
    struct buf pem;

    buf_init(&pem, 1 << 20);
    cr_assert(!crl_files_match(&paths, &state), "none is there");
    write_file(paths.der, span_of(octets, 100000));
    armour(&pem, &state);
    cr_assert(!crl_files_match(&paths, &state), "no PEM");
    write_file(paths.pem, buf_span(&pem));
    cr_assert(crl_files_match(&paths, &state));

    write_file(paths.pem, span_of(pem.data, pem.len - 1));
    cr_assert(!crl_files_match(&paths, &state), "a PEM that is cut");
    buf_put_u8(&pem, '\n');
    write_file(paths.pem, buf_span(&pem));
    cr_assert(!crl_files_match(&paths, &state), "a PEM with a tail");
    pem.len--;
    pem.data[5000] ^= 1;
    write_file(paths.pem, buf_span(&pem));
    cr_assert(!crl_files_match(&paths, &state), "another PEM");
    pem.data[5000] ^= 1;
    write_file(paths.pem, buf_span(&pem));
    cr_assert(crl_files_match(&paths, &state));

    octets[99999] ^= 1;
    write_file(paths.der, span_of(octets, 100000));
    cr_assert(!crl_files_match(&paths, &state), "another DER");
    octets[99999] ^= 1;
    write_file(paths.der, span_of(octets, 99999));
    cr_assert(!crl_files_match(&paths, &state), "a DER that is cut");
    unlink(paths.der);
    cr_assert(!crl_files_match(&paths, &state), "no DER");
    buf_free(&pem);
}

/* A whole pair of another publication, perhaps from a backup: the hash tells. */
Test(crl_files, an_older_pair_does_not_match)
{
    struct crl_state old = {.number = 1}, new = {.number = 2};
    struct buf pem;

    buf_init(&pem, 1 << 20);
    write_file(paths.der, span_of(octets + 1, 1000));
    armour(&pem, &new);
    buf_reset(&pem);
    write_file(paths.der, span_of(octets, 1000));
    armour(&pem, &old);
    write_file(paths.pem, buf_span(&pem));
    cr_assert(crl_files_match(&paths, &old));
    cr_assert(!crl_files_match(&paths, &new));
    buf_free(&pem);
}

Test(crl_files, drafts_left_by_a_killed_publication_are_removed_and_nothing_else)
{
    static const struct {
        const char *name;
        bool stays;
    } rows[] = {{"crl/ca.crl", true},         {"crl/ca.pem", true},       {"crl/ca.crl.x9QzAb", false},
                {"crl/ca.pem.000000", false}, {"crl/.crl.x9QzAb", true},  {"crl/ca.crl.x9QzA", true},
                {"crl/ca.txt.x9QzAb", true},  {"crl/notes-of-mine", true}};
    char path[PATH_LEN_MAX];

    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        cr_assert_eq(path_join(path, dir, rows[i].name, NULL), OK);
        write_file(path, span_str("x"));
    }
    crl_drafts_remove(dir);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        cr_assert_eq(path_join(path, dir, rows[i].name, NULL), OK);
        cr_expect_eq(access(path, F_OK) == 0, rows[i].stays, "%s", rows[i].name);
        unlink(path);
    }
    crl_drafts_remove("/nonexistent");
}
