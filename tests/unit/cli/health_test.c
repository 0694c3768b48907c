/* SPDX-License-Identifier: Apache-2.0 */
/* Does `health` end as monitoring wants it, and say why? */
#include <criterion/criterion.h>
#include <sys/stat.h>

#include "tests/unit/cli/exchange.h"

static void expect_health(const char *body, int code)
{
    struct exchange x = {0};

    exchange(&x, BODIES(body), WORDS("health"));
    expect_code(&x, code);
    expect_request(x.server, 0, "GET /readyz HTTP/1.1");
    finish(&x);
}

Test(health, has_the_exit_codes_of_monitoring)
{
    expect_health("{\"status\":\"ok\",\"checks\":[{\"name\":\"store\",\"status\":\"ok\",\"detail\":\"d\"}]}",
                  0);
    expect_health("{\"status\":\"warning\",\"checks\":[]}", 2);
    expect_health("503 {\"status\":\"critical\",\"checks\":[]}", 4);
    expect_health("503 {\"title\":\"no\"}", 2);
    expect_health("200 {\"title\":\"no\"}", 2);
    expect_health("403 {\"title\":\"no\"}", 6);
    expect_health("{\"status\":\"fine\",\"checks\":[]}", 2);
}

Test(health, each_check_is_a_line)
{
    struct exchange x = {0};

    exchange(
        &x,
        BODIES("503 "
               "{\"status\":\"critical\",\"checks\":[{\"name\":\"store\",\"status\":\"ok\",\"detail\":\"d\"},"
               "{\"name\":\"signer\",\"status\":\"critical\",\"detail\":\"gone\"}]}"),
        WORDS("health"));
    expect_code(&x, 4);
    cr_assert_str_eq(x.typed.out, "NAME    STATUS    DETAIL\nstore   ok        d\nsigner  critical  gone\n");
    finish(&x);
}
