/* SPDX-License-Identifier: Apache-2.0 */
/* store_command: `chancery store ...`: what is done to the store's files on this machine, beside the service.
 */
#include <stdio.h>
#include <stdlib.h>

#include "api/role.h"
#include "base/clock.h"
#include "base/log.h"

static enum err snapshot(const char *home, const char *dir, const char *host, int64_t now_s, struct fault *f)
{
    struct config *c = xcalloc(1, sizeof *c);
    struct store *s = NULL;
    enum err e = config_load(home, c, NULL, f);

    if (e == OK)
        e = store_open(c->store_dir, STORE_READ, 0, &s, f);
    if (e == OK)
        e = store_snapshot(s, dir, host, now_s, f);
    store_close(s);
    config_free(c);
    free(c);
    return e;
}

int store_snapshot_main(const char *home, const char *dir, const char *host, bool is_quiet)
{
    int64_t now_s = clock_now_s();
    char text[CLOCK_TEXT_MAX];
    struct fault f = {0};
    enum err e;

    log_role("store");
    e = snapshot(home, dir, host, now_s, &f);
    if (e != OK) {
        fprintf(stderr, "chancery: %s\n", f.detail[0] != '\0' ? f.detail : err_text(e));
        return 1;
    }
    clock_rfc3339(now_s, text);
    if (!is_quiet)
        fprintf(stderr, "%s/data.mdb: the store as of %s\n", dir, text);
    return 0;
}
