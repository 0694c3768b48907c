/* SPDX-License-Identifier: Apache-2.0 */
/*
 * role: the processes of the service and how they are put together and confined: private to the files of the
 * api room that start, watch and show them, and to the commands that need no service.
 */
#ifndef API_ROLE_H
#define API_ROLE_H

#include "api/inner.h"
#include "base/board.h"
#include "base/confine.h"
#include "base/exit.h"

/* Descriptors a role finds open, in this order from FIRST_FD. */
#define FIRST_FD 3
#define ROLE_FDS_MAX 5
/* Behind them: the configuration, the role's own board, then, for a front, every role's and the supervisor's
 * to read, in the order of the roles. */
#define HANDOUT_FD (FIRST_FD + ROLE_FDS_MAX)
#define BOARD_FD (HANDOUT_FD + 1)
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

#define BOARD_OF_SUPERVISOR ROLE_COUNT
#define BOARD_COUNT (ROLE_COUNT + 1)

/* What stands on the boards: its own, and for a front those of all roles (else NULL). */
struct boards {
    struct board *own;
    const struct board *all[BOARD_COUNT];
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

/* ---- confinement ---- */

/* account.c: as whom a role runs when the service is started as root. Asks the system's users. */
struct account role_account(enum role_id id, unsigned first_uid);
/* It keeps CAP_DAC_OVERRIDE under its account. */
bool role_passes_modes(enum role_id id, bool is_ocsp_host);
/* beside.c: gives the directory of `file`. May what lies in it be read too, by a role that is confined, so
 * that the file can be replaced? Not when it is, holds or lies in a place of keys or of other secrets, the
 * home among them; nor the root directory's. Relative to the home, in which the caller is. */
bool beside_is_open(const struct config *c, const char *file, char directory[static PATH_LEN_MAX]);
/* home.c: gives each role what it writes in a home of root's; by the supervisor, before a role runs. ERR_IO.
 */
enum err home_share(const char *home, unsigned first_uid, struct fault *f);
/* confined.c: gives up what the role does not need from here on; the paths of its table are relative to the
 * working directory. Posts what is in force. ERR_IO: the role must not run. */
enum err role_enter(enum role_id id, const struct config *c, struct board *board, struct fault *f);
/* The last step of it, for roles whose room says when: the signers', in each process. */
enum err role_seal(enum role_id id, const struct config *c, struct fault *f);

/* Series that say how a role is confined: on its own board, and on the supervisor's. */
#define ROLE_LANDLOCK "role_landlock_version"
#define ROLE_DUMPABLE "role_dumpable"
#define ROLE_UID "role_uid"
#define ROLE_NO_NEW_PRIVILEGES "role_no_new_privileges"
#define ROLE_SECCOMP "role_seccomp_mode"
void role_labels(enum role_id id, char out[static LABELS_MAX]);
/* shown.c: all of it as a line. False: the supervisor has not looked. */
bool role_confinement(enum role_id id, const struct board *const *boards, size_t count, char *out,
                      size_t cap);

/* `chancery role NAME --home DIR`: started by the supervisor alone, which has put everything the role reads
 * behind its descriptors; the home in its command line is for whoever lists processes. */
int role_main(const char *name);

/* `chancery serve`: the supervisor. Exit code. */
int serve_main(const char *home, const char *ready_file);

struct init_options {
    const char *home, *name, *host, *http, *https;
    const char *rsa_ocsp_key; /* of the RSA hierarchy's OCSP signers: "rsa-2048" or "ec-256" */
    bool is_quiet;
    bool is_dry_run; /* everything is made and checked, and nothing stays */
};
/* `chancery init`. Exit code. */
int init_main(const struct init_options *o);

/* `chancery config check [FILE]`, `chancery config show`. `output` as in api/result.h. Exit code. */
int config_check_main(const char *home, const char *file, const char *output);
int config_show_main(const char *home, const char *output);

/* Reads one document of the configuration that need not be in a home: for `config check FILE`. */
enum err config_read(const char *name, struct span content, struct config *c, struct buf *report,
                     struct fault *f);

#endif
