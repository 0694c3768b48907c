/* SPDX-License-Identifier: Apache-2.0 */
/* Is an issuer renewed only when nobody has its next name, and are files of a home put in place whole? */
#include <criterion/criterion.h>
#include <criterion/redirect.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "api/authority.h"
#include "api/home_file.h"
#include "api/renew.h"

static char dir[] = "/tmp/chancery-renew-XXXXXX";
static char home[64];

static void setup(void)
{
    cr_assert_not_null(mkdtemp(dir));
    snprintf(home, sizeof home, "%s/home", dir);
    cr_redirect_stdout();
    cr_redirect_stderr();
}

static void teardown(void)
{
    char command[128];

    snprintf(command, sizeof command, "rm -rf %s", dir);
    cr_assert_eq(system(command), 0);
}

TestSuite(renew, .init = setup, .fini = teardown, .timeout = 120);

static void make_home(void)
{
    const struct init_options o = {.home = home,
                                   .name = "Test",
                                   .host = "localhost",
                                   .http = "127.0.0.1:8080",
                                   .https = "127.0.0.1:8443",
                                   .rsa_ocsp_key = "ec-256",
                                   .is_quiet = true};

    cr_assert_eq(init_main(&o), 0);
}

static int renew(const char *id)
{
    const struct local_run how = {.home = home, .output = "json", .is_quiet = true};

    return renew_main(&how, id, NULL);
}

static bool is_there(const char *name)
{
    char path[128];

    snprintf(path, sizeof path, "%s/%s", home, name);
    return access(path, F_OK) == 0;
}

/* An issuer of another id, by itself, of that name. */
static void add_stranger(const char *cn)
{
    struct signer_spec spec = {.id = "stranger", .is_new_root = true};
    struct issuer row = {.id = "stranger"};
    struct authority a = {
        .id = "stranger", .parent = "", .path_len = -1, .public_url = "http://x", .node = 1};
    struct signer_key *key = NULL;
    struct buf name, spki, certificate;
    struct store *s = NULL;
    struct txn *t = NULL;
    char store[128];
    uint16_t no;

    buf_init(&name, 1024);
    buf_init(&spki, 1024);
    buf_init(&certificate, 4096);
    name_write(&name, "Test", cn);
    cr_assert_eq(authority_key(home, "ec-256", "keys/stranger.key", &spki, NULL), OK);
    cr_assert_eq(authority_load(home, &spec, &key, NULL), OK);
    a.name = a.parent_name = buf_span(&name);
    a.spki = a.parent_spki = buf_span(&spki);
    a.not_after_s = 86400;
    cr_assert_eq(authority_sign(&a, key, 0, &certificate, NULL), OK);
    row.certificate = buf_span(&certificate);
    snprintf(store, sizeof store, "%s/store", home);
    cr_assert_eq(store_open(store, STORE_WRITE, 0, &s, NULL), OK);
    cr_assert_eq(txn_begin(s, &t), OK);
    issuer_add(t, &row, &no);
    cr_assert_eq(txn_commit(t), OK);
    store_close(s);
    signer_key_free(key);
    buf_free(&name);
    buf_free(&spki);
    buf_free(&certificate);
}

Test(renew, a_name_that_another_issuer_has_is_refused)
{
    make_home();
    add_stranger("Test EC Issuing CA G2");
    cr_expect_eq(renew("ec-g1"), 1);
    cr_expect_not(is_there("keys/ec-g2.key"));
    cr_expect_eq(renew("rsa-g1"), 0);
    cr_expect(is_there("keys/rsa-g2.key"));
}

Test(renew, a_key_of_another_kind_in_its_place_is_not_taken)
{
    make_home();
    cr_assert_eq(authority_key(home, "ec-256", "keys/ec-g2.key", NULL, NULL), OK);
    cr_expect_eq(renew("ec-g1"), 1);
    cr_expect_not(is_there("issuers/ec-g2.pem"));
    cr_assert_eq(authority_key(home, "ec-384", "keys/ec-root-g2.key", NULL, NULL), OK);
    cr_expect_eq(renew("ec-root-g1"), 0);
}

/* ---- home_file ---- */

static mode_t mode_of(const char *path)
{
    struct stat st;

    cr_assert_eq(stat(path, &st), 0);
    return st.st_mode & 07777;
}

Test(renew, a_file_is_put_with_its_mode_and_edited_with_the_one_it_has)
{
    char path[128], draft[128];
    struct fault f = {0};
    struct buf b;

    snprintf(path, sizeof path, "%s/file", dir);
    snprintf(draft, sizeof draft, "%s/file.~abc123", dir);
    cr_assert_eq(home_file_edit(dir, "file", span_str("x"), &f), ERR_NOT_FOUND);
    cr_assert_eq(home_file_check_edit(dir, "file", &f), ERR_NOT_FOUND);
    cr_assert_eq(home_file_put(dir, "file", span_str("one"), 0644, NULL), OK);
    cr_assert_eq(mode_of(path), 0644);
    cr_assert_eq(chmod(path, 0640), 0);
    cr_assert_eq(link(path, draft), 0);
    cr_assert_eq(home_file_check_edit(dir, "file", NULL), OK);
    cr_assert_eq(home_file_edit(dir, "file", span_str("two"), NULL), OK);
    cr_assert_eq(mode_of(path), 0640);
    cr_assert_neq(access(draft, F_OK), 0, "what a killed run left goes");
    buf_init(&b, 16);
    cr_assert_eq(file_read(path, &b, NULL), OK);
    cr_assert(span_eq(buf_span(&b), span_str("two")));
    buf_free(&b);
    cr_assert_eq(home_file_put(dir, "no/file", span_str("x"), 0644, &f), ERR_IO);
}
