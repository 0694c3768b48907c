/* SPDX-License-Identifier: Apache-2.0 */
/* list_routes: the route table as it is compiled in, a route a line: what a test of every route begins with.
 */
#include <stdio.h>

#include "api/api.h"

int main(void)
{
    for (size_t i = 0; i < ROUTE_COUNT; i++)
        printf("%s %s\n", ROUTES[i].method, ROUTES[i].pattern);
    return 0;
}
