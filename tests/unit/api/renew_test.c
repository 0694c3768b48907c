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
#include "api/renewal.h"
#include "base/log.h"

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

TestSuite(renew, .init = setup, .fini = teardown);

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

static void read_home(const char *name, struct buf *out)
{
    char path[128];

    snprintf(path, sizeof path, "%s/%s", home, name);
    cr_assert_eq(file_read(path, out, NULL), OK);
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

static unsigned count_of(const char *text, const char *what)
{
    unsigned n = 0;

    for (text = strstr(text, what); text != NULL; text = strstr(text + 1, what))
        n++;
    return n;
}

Test(renew, a_new_root_is_added_to_a_file_that_lost_its_last_newline)
{
    struct buf pem;

    make_home();
    buf_init(&pem, PEM_MAX);
    read_home("admin/server-ca.pem", &pem);
    cr_assert_eq(pem.data[pem.len - 1], '\n');
    cr_assert_eq(home_file_edit(home, "admin/server-ca.pem", span_of(pem.data, pem.len - 1), NULL), OK);
    cr_assert_eq(renew("ec-root-g1"), 0);
    buf_reset(&pem);
    read_home("admin/server-ca.pem", &pem);
    buf_put_u8(&pem, 0);
    cr_assert_eq(count_of((char *)pem.data, "-----\n-----BEGIN CERTIFICATE-----\n"), 2, "three roots");
    cr_expect_null(strstr((char *)pem.data, "----------BEGIN"), "each in lines of its own");
    buf_free(&pem);
}

Test(renew, what_somebody_wrote_into_the_settings_meanwhile_is_not_lost)
{
    struct renewal *r = xcalloc(1, sizeof *r);
    struct buf was, is;

    make_home();
    snprintf(r->config.home, sizeof r->config.home, "%s", home);
    buf_init(&r->settings, XML_DOC_MAX);
    buf_init(&was, XML_DOC_MAX);
    buf_init(&is, XML_DOC_MAX);
    cr_assert_eq(config_texts_read(home, &r->texts, &r->f), OK);
    buf_put_span(&r->settings, buf_span(&r->texts.settings));
    buf_put_str(&r->settings, "<!-- ours -->\n");
    buf_put_span(&was, buf_span(&r->texts.settings));
    buf_put_str(&was, "<!-- theirs -->\n");
    cr_assert_eq(home_file_edit(home, "chancery.xml", buf_span(&was), NULL), OK);
    cr_expect_eq(renewal_put_settings(r), ERR_CONFLICT);
    cr_expect_str_eq(r->f.detail, "chancery.xml was changed meanwhile: run it again");
    read_home("chancery.xml", &is);
    cr_expect(span_eq(buf_span(&is), buf_span(&was)));
    cr_assert_eq(home_file_edit(home, "chancery.xml", buf_span(&r->texts.settings), NULL), OK);
    cr_expect_eq(renewal_put_settings(r), OK);
    buf_reset(&is);
    read_home("chancery.xml", &is);
    cr_expect(span_eq(buf_span(&is), buf_span(&r->settings)));
    config_texts_free(&r->texts);
    buf_free(&r->settings);
    buf_free(&was);
    buf_free(&is);
    free(r);
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
