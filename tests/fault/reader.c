/* SPDX-License-Identifier: Apache-2.0 */
/* reader: a process that holds a view of a store until somebody ends it. Says "reading" when it has it. */
#include <stdio.h>
#include <unistd.h>

#include "base/log.h"
#include "store/store.h"

int main(int argc, char **argv)
{
    struct store *s;
    struct view *v;
    struct fault f = {0};

    log_role("reader");
    if (argc != 2 || store_open(argv[1], STORE_READ, 0, &s, &f) != OK || view_open(s, &v) != OK) {
        fprintf(stderr, "no view: %s\n", f.detail);
        return 1;
    }
    puts("reading");
    fflush(stdout);
    for (;;)
        pause();
}
