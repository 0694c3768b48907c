/* SPDX-License-Identifier: Apache-2.0 */
/* Does `profile` ask for a profile by its whole id? */
#include <criterion/criterion.h>

#include "tests/unit/cli/exchange.h"

Test(profile, the_slash_of_its_id_stays)
{
    struct exchange x = {0};

    exchange(&x,
             BODIES("{\"id\":\"ucm/"
                    "tomcat\",\"keys\":[{\"type\":\"rsa\",\"bits\":2048},{\"type\":\"rsa\",\"bits\":3072}],"
                    "\"ku\":{\"required\":[\"digitalSignature\"],\"tolerated\":[]},\"multi_server\":true}"),
             WORDS("profile", "show", "ucm/tomcat"));
    expect_code(&x, 0);
    expect_request(x.server, 0, "GET /api/v1/profiles/ucm/tomcat HTTP/1.1");
    cr_assert_str_eq(x.typed.out, "id            ucm/tomcat\n"
                                  "keys          rsa 2048\n"
                                  "              rsa 3072\n"
                                  "ku required   digitalSignature\n"
                                  "ku tolerated  -\n"
                                  "multi server  yes\n");
    finish(&x);
}
