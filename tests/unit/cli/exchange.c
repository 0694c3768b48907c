/* SPDX-License-Identifier: Apache-2.0 */
/* exchange: see exchange.h. */
#include "tests/unit/cli/exchange.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const char exchange_certificate[] =
    "{\"serial\":\"0a\",\"issuer\":\"rsa-g1\",\"profile\":\"ucm/tomcat\",\"subject\":\"CN=a\",\"cn\":\"a\","
    "\"sans\":[\"a\"],\"status\":\"valid\",\"not_after\":\"2027-01-31T12:00:00Z\",\"key\":{\"type\":\"rsa\","
    "\"bits\":2048},\"revocation\":null,\"pem\":\"LEAF\\n\",\"chain\":\"LEAF\\nCA\\n\",\"findings\":"
    "[{\"rule\":\"csr.hash.weak\",\"severity\":\"note\",\"message\":\"SHA-1\",\"fix\":null}]}";

const char exchange_issuers[] =
    "{\"items\":[{\"id\":\"rsa-g1\",\"parent\":\"rsa-root-g1\",\"subject\":\"CN=R\",\"key\":{\"type\":"
    "\"rsa\",\"bits\":"
    "3072},\"not_before\":\"A\",\"not_after\":\"B\",\"crl\":{\"number\":7,\"next_update\":\"C\"}},"
    "{\"id\":\"ec-g1\",\"parent\":null,\"crl\":null}]}";

void exchange(struct exchange *x, const char *const *bodies, const char *const *words)
{
    size_t n = 0;

    for (; bodies[n] != NULL; n++) {
        unsigned status = 200;
        int skip = 0;

        if (sscanf(bodies[n], "%3u %n", &status, &skip) < 1)
            skip = 0;
        x->answers[n] = canned_answer(status, "application/json", bodies[n] + skip);
    }
    x->server = typed_against(&x->typed, (const char *const *)x->answers, n, words);
}

void finish(struct exchange *x)
{
    canned_stop(x->server);
    typed_free(&x->typed);
    for (size_t i = 0; i < BODIES_MAX; i++)
        free(x->answers[i]);
    *x = (struct exchange){0};
}

void expect_code(struct exchange *x, int code)
{
    canned_join(x->server);
    cr_assert_eq(x->typed.code, code, "%d: %s", x->typed.code, x->typed.err);
}

const char *body_of(const struct exchange *x, size_t i)
{
    const char *end = strstr(canned_request(x->server, i), "\r\n\r\n");

    return end != NULL ? end + 4 : "";
}
