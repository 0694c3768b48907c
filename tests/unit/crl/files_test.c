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

/* In pieces of `cut` octets. */
static void armour(struct span der, size_t cut, struct buf *pem)
{
    struct armour *a = armour_new(collect, pem);

    while (der.len > 0) {
        size_t n = der.len < cut ? der.len : cut;

        cr_assert(armour_add(a, span_of(der.data, n)));
        der = span_of(der.data + n, der.len - n);
    }
    cr_assert(armour_end(a));
    armour_free(a);
}

/* Writes the DER; gives its PEM and what would be recorded. */
static void write_der(struct span der, struct buf *pem, struct crl_state *state)
{
    write_file(paths.der, der);
    armour(der, 1000, pem);
    state->size = der.len;
    sha256_of(der, state->sha256);
}

Test(crl_files, pem_equals_openssl_at_every_length)
{
    static const size_t lengths[] = {
        0, 1, 2, 47, 48, 49, 95, 96, 97, 1000, 48 * 1024 - 1, 48 * 1024, 48 * 1024 + 1, 200000};

    static const size_t cuts[] = {1, 7, 48, 1000, 49152, SIZE_MAX};

    for (size_t i = 0; i < sizeof lengths / sizeof *lengths; i++) {
        BIO *bio = BIO_new(BIO_s_mem());
        char *text;
        long len;

        PEM_write_bio(bio, "X509 CRL", "", octets, (long)lengths[i]);
        len = BIO_get_mem_data(bio, &text);
        for (size_t k = 0; k < sizeof cuts / sizeof *cuts; k++) {
            struct buf pem;

            buf_init(&pem, 1 << 20);
            armour(span_of(octets, lengths[i]), cuts[k], &pem);
            cr_assert(span_eq(buf_span(&pem), span_of(text, (size_t)len)), "%zu by %zu", lengths[i], cuts[k]);
            buf_free(&pem);
        }
        BIO_free(bio);
    }
}

Test(crl_files, only_the_pair_that_was_published_matches)
{
    struct crl_state state = {.number = 1};
    struct buf pem;

    buf_init(&pem, 1 << 20);
    cr_assert(!crl_files_match(&paths, &state), "none is there");
    write_der(span_of(octets, 100000), &pem, &state);
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
    write_der(span_of(octets + 1, 1000), &pem, &new);
    buf_reset(&pem);
    write_der(span_of(octets, 1000), &pem, &old);
    write_file(paths.pem, buf_span(&pem));
    cr_assert(crl_files_match(&paths, &old));
    cr_assert(!crl_files_match(&paths, &new));
    buf_free(&pem);
}

/* The longest id, the last of the most shards. */
Test(crl_files, the_longest_name_is_whole_and_a_longer_one_is_refused)
{
    char id[ISSUER_ID_MAX + 1] = {0}, name[CRL_NAME_MAX], longer[CRL_NAME_MAX + 1], path[PATH_LEN_MAX];
    struct crl_paths p;
    struct fault f = {0};

    memset(id, 'i', ISSUER_ID_MAX - 1);
    crl_part_name(id, SHARD_END - 1, true, name);
    cr_assert_eq(strlen(name), CRL_NAME_MAX - 1);
    cr_assert_eq(crl_paths_of("/d", name, &p, &f), OK, "%s", f.detail);
    snprintf(path, sizeof path, "/d/crl/%s-511-delta.crl", id);
    cr_expect_str_eq(p.der, path);
    snprintf(path, sizeof path, "/d/crl/%s-511-delta.pem", id);
    cr_expect_str_eq(p.pem, path);
    snprintf(path, sizeof path, "/d/crl/%s-511-delta.previous.crl", id);
    cr_expect_str_eq(p.previous, path);

    snprintf(longer, sizeof longer, "%sx", name);
    cr_expect_eq(crl_paths_of("/d", longer, &p, &f), ERR_TOO_LARGE);
}

Test(crl_files, drafts_left_by_a_killed_publication_are_removed_and_nothing_else)
{
    static const struct {
        const char *name;
        bool stays;
    } rows[] = {
        {"crl/ca.crl", true},          {"crl/ca.pem", true},          {"crl/ca.crl.~x9QzAb", false},
        {"crl/ca.pem.~000000", false}, {"crl/.crl.~x9QzAb", true},    {"crl/ca.crl.~x9QzA", true},
        {"crl/ca.txt.~x9QzAb", true},  {"crl/notes-of-mine", true},   {"crl/ca.crl.backup", true},
        {"crl/ca.pem.latest", true},   {"crl/ca.previous.crl", true}, {"crl/ca.previous.crl.~linked", false}};
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
