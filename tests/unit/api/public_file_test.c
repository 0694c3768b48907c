/* SPDX-License-Identifier: Apache-2.0 */
/* Are published files served whole, in part or not again, and is what cannot be opened told once? */
#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/unit/api/site.h"

TestSuite(public_file, .init = site_open, .fini = site_close, .timeout = 60);

Test(public_file, files_have_their_types_and_are_told_unmodified)
{
    struct buf a;
    char fields[256];

    answers("GET", "/crl/ec-g1.crl", "", "200", "Content-Type: application/pkix-crl\r\n", "a CRL, as DER");
    answers("GET", "/crl/ec-g1.pem", "", "200", "Content-Type: application/x-pem-file\r\n", "a CRL, as PEM");
    answers("GET", "/ca/ec-g1.cer", "", "200", "Content-Type: application/pkix-cert\r\n", "a certificate");
    answers("GET", "/ca/ec-g1.p7c", "", "200", "Content-Type: application/pkcs7-mime\r\n", "a chain");
    answers("HEAD", "/crl/ec-g1.crl", "", "200", "Content-Length: 13\r\n", "");
    a = send_request("GET", "/crl/ec-g1.crl", "", (struct span){0});
    cr_assert(has(&a, "max-age=6") || has(&a, "max-age=5")); /* 600 or a little less: to nextUpdate */
    none_match(&a, fields, sizeof fields);
    answers("GET", "/crl/ec-g1.crl", fields, "304", "Last-Modified: ", "");
    site_put("crl/ec-g1.crl", "a newer list.");
    answers("GET", "/crl/ec-g1.crl", fields, "200", NULL, "a newer list.");
    answers("GET", "/crl/ec-g1.crl", "If-Modified-Since: Sat, 31 Jan 2009 12:00:00 GMT\r\n", "200", NULL,
            NULL);
    buf_free(&a);
}

Test(public_file, a_part_of_a_file_is_given_when_it_is_the_version_asked_for)
{
    struct buf a = send_request("GET", "/crl/ec-g1.crl", "", (struct span){0});
    char fields[300], *etag = strcasestr((char *)a.data, "ETag: ") + 6;

    cr_assert(has(&a, "Accept-Ranges: bytes\r\n"));
    answers("GET", "/crl/ec-g1.crl", "Range: bytes=2-4\r\n", "206", "Content-Range: bytes 2-4/13\r\n", "CRL");
    answers("GET", "/crl/ec-g1.crl", "Range: bytes=-3\r\n", "206", "Content-Length: 3\r\n", "DER");
    answers("GET", "/crl/ec-g1.crl", "Range: bytes=13-\r\n", "416", "Content-Range: bytes */13\r\n", "");
    answers("GET", "/crl/ec-g1.crl", "Range: bytes=13-\r\n", "416", "Cache-Control: no-store\r\n", "");
    answers("GET", "/crl/ec-g1.crl", "Range: bytes=0-0,5-6\r\n", "200", "Content-Length: 13\r\n",
            "a CRL, as DER");
    answers("HEAD", "/crl/ec-g1.crl", "Range: bytes=2-4\r\n", "200", "Content-Length: 13\r\n", "");
    answers("GET", "/crl/ec-g1.crl", "If-Match: \"other\"\r\n", "412", "Cache-Control: no-store\r\n", "");
    snprintf(fields, sizeof fields, "Range: bytes=2-4\r\nIf-Range: %.*s\r\n", (int)strcspn(etag, "\r"), etag);
    answers("GET", "/crl/ec-g1.crl", fields, "206", NULL, "CRL");
    site_put("crl/ec-g1.crl", "a newer list.");
    answers("GET", "/crl/ec-g1.crl", fields, "200", NULL, "a newer list.");
    buf_free(&a);
}

Test(public_file, deltas_and_shards_are_served_when_they_are_there)
{
    answers("GET", "/crl/ec-g1-delta.crl", "", "404", "application/problem+json", NULL);
    site_put("crl/ec-g1-delta.crl", "a delta");
    site_put("crl/ec-g1-19.pem", "a shard");
    site_put("crl/ec-g1.previous.crl", "the one before");
    answers("GET", "/crl/ec-g1-delta.crl", "", "200", "Content-Type: application/pkix-crl\r\n", "a delta");
    answers("GET", "/crl/ec-g1-19.pem", "", "200", "Cache-Control: max-age=0, ", "a shard");
    answers("GET", "/crl/ec-g1.previous.crl", "", "404", "application/problem+json", NULL);
}

static unsigned count_logged(const char *text)
{
    FILE *in = fopen(site.log_path, "r");
    char line[1024];
    unsigned n = 0;

    cr_assert_not_null(in);
    while (fgets(line, sizeof line, in) != NULL)
        n += strstr(line, text) != NULL;
    fclose(in);
    return n;
}

static bool count_alarm(const struct alarm_shown *a, void *arg)
{
    cr_assert_str_eq(a->code, "public.unreadable");
    cr_assert_eq(a->level, ALARM_WARNING);
    ++*(unsigned *)arg;
    return true;
}

static unsigned count_alarms(void)
{
    unsigned n = 0;

    board_each_alarm(site.board, count_alarm, &n);
    return n;
}

static void make_directory(const char *name)
{
    char path[PATH_LEN_MAX + 64];

    snprintf(path, sizeof path, "%s/%s", site.config->public_dir, name);
    unlink(path);
    cr_assert_eq(mkdir(path, 0700), 0);
}

static void remove_directory(const char *name)
{
    char path[PATH_LEN_MAX + 64];

    snprintf(path, sizeof path, "%s/%s", site.config->public_dir, name);
    cr_assert_eq(rmdir(path), 0);
}

Test(public_file, a_file_that_cannot_be_opened_is_told_once_and_when_it_is_over)
{
    make_directory("crl/ec-g1.crl");
    for (int i = 0; i < 3; i++)
        answers("GET", "/crl/ec-g1.crl", "", "503", NULL, NULL);
    cr_assert_eq(count_logged("public.unreadable"), 1);
    cr_assert_eq(count_alarms(), 1);
    answers("GET", "/crl/ec-g1.pem", "", "200", NULL, "a CRL, as PEM");
    cr_assert_eq(count_alarms(), 1, "another file says nothing about it");
    remove_directory("crl/ec-g1.crl");
    site_put("crl/ec-g1.crl", "a later CRL");
    for (int i = 0; i < 3; i++)
        answers("GET", "/crl/ec-g1.crl", "", "200", NULL, "a later CRL");
    cr_assert_eq(count_alarms(), 0);
    cr_assert_eq(count_logged("alarm-over detail=\"public.unreadable"), 1);
    cr_assert_eq(count_logged("public.unreadable"), 2);
}

Test(public_file, a_second_file_that_cannot_be_opened_does_not_fill_the_log)
{
    make_directory("crl/ec-g1.crl");
    make_directory("crl/ec-g1.pem");
    for (int i = 0; i < 3; i++) {
        answers("GET", "/crl/ec-g1.crl", "", "503", NULL, NULL);
        answers("GET", "/crl/ec-g1.pem", "", "503", NULL, NULL);
    }
    cr_assert_eq(count_logged("public.unreadable"), 1);
    remove_directory("crl/ec-g1.crl");
    answers("GET", "/crl/ec-g1.crl", "", "404", NULL, NULL);
    cr_assert_eq(count_alarms(), 0, "one that is gone");
    answers("GET", "/crl/ec-g1.pem", "", "503", NULL, NULL);
    cr_assert_eq(count_alarms(), 1, "the other is told of now");
}
