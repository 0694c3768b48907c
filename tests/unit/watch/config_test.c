/* SPDX-License-Identifier: Apache-2.0 */
/* Are targets read as they are written, and is refused what does not belong together? */
#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "watch/watch.h"

static const char schema[] = "<xs:schema xmlns:xs='http://www.w3.org/2001/XMLSchema'>"
                             "<xs:element name='chancery'/></xs:schema>";

static enum err read_config(const char *inside, struct watch_config *out, struct fault *f)
{
    char text[8192];
    struct xml *x;
    enum err e;

    snprintf(text, sizeof text, "<chancery><http public-url='http://ca.example.com'/>%s</chancery>", inside);
    cr_assert_eq(xml_parse("test.xml", span_str(text), span_str(schema), &x, NULL, f), OK, "%s", f->detail);
    *out = (struct watch_config){0};
    e = watch_config_read(xml_root(x), "/home", out, NULL, f);
    xml_free(x);
    return e;
}

Test(watch_config, without_targets_the_issuers_alone_are_watched)
{
    static struct watch_config c;
    struct fault f = {0};

    cr_assert_eq(read_config("<issuer id='rsa-g1'><crl every='1h' overlap='8h'/></issuer>", &c, &f), OK);
    cr_assert_eq(c.count, 0);
    cr_assert_eq(c.issuer_count, 1);
    cr_assert_str_eq(c.issuers[0].certificate, "/home/issuers/rsa-g1.pem");
    cr_assert_eq(c.issuers[0].overlap_s, 8 * 3600);
    cr_assert_eq(c.check_s, 3600);
}

Test(watch_config, targets_are_read)
{
    static struct watch_config c;
    struct fault f = {0};

    cr_assert_eq(
        read_config("<watch check='2h' retry='1s' retry-max='5m'>"
                    "<target id='a' type='webdav' url='https://dav.example.com/crl//' user='u' "
                    "secret='file:keys/a' ca='file:/etc/ca.pem' public-url='http://crl.example.com/'/>"
                    "<target id='b' type='s3' url='https://s3.example.com/bucket' user='AK' "
                    "secret='credential:s3' region='eu-west-1' grace='5m'/>"
                    "<target id='c' type='directory' url='file:/srv/crl/' timeout='5s'/>"
                    "<target id='d' type='public'/></watch>",
                    &c, &f),
        OK, "%s", f.detail);
    cr_assert_eq(c.count, 4);
    cr_assert_eq(c.check_s, 7200);
    cr_assert_eq(c.retry_s, 1);
    cr_assert_eq(c.retry_max_s, 300);
    cr_assert_eq(c.targets[0].type, TARGET_WEBDAV);
    cr_assert_str_eq(c.targets[0].url, "https://dav.example.com/crl");
    cr_assert_str_eq(c.targets[0].public_url, "http://crl.example.com");
    cr_assert_str_eq(c.targets[0].secret.where, "/home/keys/a");
    cr_assert(!c.targets[0].secret.is_credential);
    cr_assert_str_eq(c.targets[0].ca, "/etc/ca.pem");
    cr_assert_eq(c.targets[0].timeout_s, 30);
    cr_assert_eq(c.targets[1].type, TARGET_S3);
    cr_assert(c.targets[1].secret.is_credential);
    cr_assert_str_eq(c.targets[1].secret.where, "s3");
    cr_assert_str_eq(c.targets[1].region, "eu-west-1");
    cr_assert_eq(c.targets[1].grace_s, 300);
    cr_assert_str_eq(c.targets[2].url, "/srv/crl");
    cr_assert_eq(c.targets[2].timeout_s, 5);
    cr_assert_str_eq(c.targets[3].public_url, "http://ca.example.com/crl");
}

Test(watch_config, what_does_not_belong_together_is_refused_with_its_reason)
{
    static const struct {
        const char *target, *why;
    } bad[] = {
        {"type='webdav'", "needs the attribute url"},
        {"type='public' url='http://a'", "has no attribute url"},
        {"type='sftp' url='sftp://h/p' user='u' key='file:k'", "needs the attribute known-hosts"},
        {"type='sftp' url='sftp://h/p' user='u' key='file:k' known-hosts='file:k' secret='file:s'",
         "has no attribute secret"},
        {"type='s3' url='https://h/b' user='u'", "needs the attribute secret"},
        {"type='webdav' url='sftp://h/p'", "begins with http:// or https://"},
        {"type='sftp' url='https://h/p' user='u' key='file:k' known-hosts='file:k'", "begins with sftp://"},
        {"type='directory' url='http://h/p'", "begins with file:/"},
        {"type='webdav' url='http://h/p' user='u' secret='file:s'", "over https only"},
        {"type='http' url='http://h/p' secret='file:s'", "over https only"},
        {"type='http' url='https://h/p' user='u'", "a user needs a secret"},
        {"type='http' url='https://h/p' certificate='file:c'", "come together"},
        {"type='http' url='https://h/p' grace='soon'", "must be like"},
    };

    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        static struct watch_config c;
        struct fault f = {0};
        char text[512];

        snprintf(text, sizeof text, "<watch><target id='t' %s/></watch>", bad[i].target);
        cr_assert_eq(read_config(text, &c, &f), ERR_CONFIG, "%s", bad[i].target);
        cr_assert_not_null(strstr(f.detail, bad[i].why), "%s: %s", bad[i].target, f.detail);
    }
}
