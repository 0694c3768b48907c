/* SPDX-License-Identifier: Apache-2.0 */
/* Does a reload say which of the changed settings it leaves to a restart, and of no others? */
#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "api/inner.h"
#include "base/log.h"

static struct config *now, *fresh;

static void setup(void)
{
    now = xcalloc(1, sizeof *now);
    fresh = xcalloc(1, sizeof *fresh);
    strcpy(now->http_listen, "127.0.0.1:8080");
    now->issuer_count = now->ca.count = now->crl.count = 2;
    for (size_t i = 0; i < 2; i++) {
        const char *id = i == 0 ? "rsa-g1" : "ec-g1";

        strcpy(now->issuers[i].id, id);
        strcpy(now->ca.issuers[i].id, id);
        strcpy(now->crl.issuers[i].id, id);
        now->crl.issuers[i].every_s = 86400;
        now->crl.issuers[i].shards = 1;
    }
    *fresh = *now;
}

static void teardown(void)
{
    free(now);
    free(fresh);
}

TestSuite(restart, .init = setup, .fini = teardown, .timeout = 60);

static void expect(const char *want)
{
    struct buf list;

    buf_init(&list, RESTART_LIST_MAX);
    restart_list(now, fresh, &list);
    cr_expect(span_eq(buf_span(&list), span_str(want)), "%.*s", (int)list.len, (const char *)list.data);
    buf_free(&list);
}

Test(restart, what_is_the_same_is_not_named)
{
    expect("");
}

Test(restart, what_a_running_service_takes_is_not_named)
{
    strcpy(fresh->name, "Changed");
    strcpy(fresh->public_url, "http://elsewhere.example.com");
    fresh->ocsp.validity_s = 3600;
    fresh->ca.listener_s = 86400;
    fresh->limits.requests.count = 1;
    expect("");
}

Test(restart, what_a_start_alone_takes_is_named)
{
    strcpy(fresh->http_listen, "127.0.0.1:8081");
    fresh->https_per_address = 7;
    fresh->map_size = 1;
    fresh->confine.level = CONFINE_BASIC;
    fresh->ocsp.cache_octets = 1;
    fresh->crl.on_revocation = true;
    strcpy(fresh->audit_key_uri, "file:other.key");
    expect("confine level, http listen, https connections-per-address, store map-size-mib, ocsp cache-mib, "
           "crl on-revocation, audit key");
}

Test(restart, the_settings_of_an_issuer_are_named_with_it)
{
    fresh->crl.issuers[0].every_s = 43200;
    strcpy(fresh->issuers[1].key_uri, "file:other.key");
    expect("ec-g1 key, rsa-g1 crl every");
}

Test(restart, other_issuers_are_named)
{
    strcpy(fresh->issuers[1].id, "ec-g2");
    strcpy(fresh->ca.issuers[1].id, "ec-g2");
    strcpy(fresh->crl.issuers[1].id, "ec-g2");
    expect("issuers");
    fresh->issuer_count = fresh->ca.count = fresh->crl.count = 1;
    expect("issuers");
}

Test(restart, an_issuer_that_issues_something_else_is_another)
{
    fresh->ca.issuers[1].issues = KEY_RSA;
    expect("issuers");
}

Test(restart, a_list_that_no_line_holds_says_so)
{
    struct buf list;

    for (size_t i = 0; i < ISSUERS_MAX; i++) {
        memset(now->issuers[i].id, 'x', ISSUER_ID_MAX - 1);
        strcpy(fresh->issuers[i].id, now->issuers[i].id);
        strcpy(now->crl.issuers[i].id, now->issuers[i].id);
        strcpy(fresh->crl.issuers[i].id, now->issuers[i].id);
        strcpy(fresh->issuers[i].key_uri, "a");
        strcpy(fresh->issuers[i].ocsp_key_uri, "b");
        fresh->crl.issuers[i] = (struct crl_issuer){
            .every_s = 1, .overlap_s = 1, .at_s = 1, .jitter_s = 1, .delta_s = 1, .shards = 2};
        strcpy(fresh->crl.issuers[i].id, now->issuers[i].id);
    }
    now->issuer_count = now->crl.count = fresh->issuer_count = fresh->crl.count = ISSUERS_MAX;
    buf_init(&list, RESTART_LIST_MAX);
    restart_list(now, fresh, &list);
    cr_expect_eq(list.err, OK);
    cr_expect_gt(list.len, 9);
    cr_expect(span_eq(span_of(list.data + list.len - 9, 9), span_str(" and more")));
    buf_free(&list);
}
