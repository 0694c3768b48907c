/* SPDX-License-Identifier: Apache-2.0 */
/*
 * role: the processes of the service and how they are put together: private to main.c, serve.c, spawn.c,
 * role.c, init.c and config_command.c of the api room.
 */
#ifndef API_ROLE_H
#define API_ROLE_H

#include "api/inner.h"
#include "base/board.h"

/* Descriptors a role finds open, in this order from FIRST_FD. */
#define FIRST_FD 3
#define ROLE_FDS_MAX 4
/* Behind them: the role's own board, then, for a front, every role's to read, in the order of the roles. */
#define BOARD_FD (FIRST_FD + ROLE_FDS_MAX)
#define BOARD_READ_FD (BOARD_FD + 1)

enum role_id {
    ROLE_SIGNER,
    ROLE_OCSP_SIGNER,
    ROLE_CA,
    ROLE_CRL,
    ROLE_OCSP,
    ROLE_API,
    ROLE_WATCH,
    ROLE_COUNT
};

/* What stands on the boards: its own, and for a front those of all roles (else NULL). */
struct boards {
    struct board *own;
    const struct board *all[ROLE_COUNT];
};

struct role_kind {
    const char *name;
    unsigned fds;
    bool is_front; /* faces a network: SIGTERM lets it finish what it does, and it reads every board; the
                      others end when their wires close */
    int (*run)(struct config *c, const int *fds,
               const struct boards *boards); /* exit code: 0 ended in order, 1 local error, 2 failed */
};
extern const struct role_kind role_kinds[ROLE_COUNT];

/* `chancery role NAME --home DIR`: started by the supervisor alone. */
int role_main(const char *name, const char *home);

/* `chancery serve`: the supervisor. Exit code. */
int serve_main(const char *home, const char *ready_file);

/* store_command.c: for `chancery audit verify --store DIR`, see struct cli_hooks. */
enum err store_check_audit(const char *dir, struct chain_check *c, struct fault *f);

struct init_options {
    const char *home, *name, *host, *http, *https;
    const char *rsa_ocsp_key; /* of the RSA hierarchy's OCSP signers: "rsa-2048" or "ec-256" */
    bool is_quiet;
    bool is_dry_run; /* everything is made and checked, and nothing stays */
};
/* `chancery init`. Exit code. */
int init_main(const struct init_options *o);

/* `chancery config check [FILE]`, `chancery config show`. Exit code. */
int config_check_main(const char *home, const char *file);
int config_show_main(const char *home, const char *output);

/* `chancery store snapshot DIR [--host NAME]`. Exit code. */
int store_snapshot_main(const char *home, const char *dir, const char *host, bool is_quiet);

/* Reads one document of the configuration that need not be in a home: for `config check FILE`. */
enum err config_read(const char *name, struct span content, struct config *c, struct buf *report,
                     struct fault *f);

#endif
