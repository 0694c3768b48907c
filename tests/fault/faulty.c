/* SPDX-License-Identifier: Apache-2.0 */
/* faulty: errors for valgrind to see, or none: what shows that its logs are read rightly. usage: faulty WHAT
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* The compiler shall not see through it. */
static unsigned char *volatile block;

static void decide_on_nothing(void)
{
    if (block[3] == 7)
        puts("seven");
}

int main(int argc, char **argv)
{
    const char *what = argc > 1 ? argv[1] : "none";

    block = malloc(16);
    if (strcmp(what, "undefined") == 0)
        decide_on_nothing();
    if (strcmp(what, "beyond") == 0)
        block[16] = 1;
    if (strcmp(what, "leak") == 0)
        block = NULL;
    if (strcmp(what, "kill") == 0) {
        puts("waiting");
        fflush(stdout);
        pause();
    }
    free(block);
    return 0;
}
