/* SPDX-License-Identifier: Apache-2.0 */
/*
 * watch: the only room that connects out. It carries what is published under public/crl to every configured
 * target, reads the published URLs back as clients do, and raises an alarm when what they see is old, foreign
 * or cut short. It includes base alone: a process that talks to strangers gets no view of the store, whose
 * readers must be able to write its lock file. What it needs is in the files: a CRL says its issuer, number
 * and dates itself, and the issuers' certificates say whether it is ours.
 *
 * One thread looks at public/crl (inotify, and every LOOK_MS), one thread serves each target, so a
 * target that hangs delays no other. What was delivered to a target, and when the next try is due, is in
 * watch/ID.json in the home: it survives a restart. The alarms of all roles are followed on their boards and
 * told to sinks (follow.h): today a history in watch/alarms.jsonl. A list goes up under a temporary name and
 * is renamed where the target can; nothing goes up that is older than what the target holds or was given
 * before, nor anything that an issuer of ours has not signed.
 *
 * Opens: public/crl (reads the directory and what lies in it), issuers/ID.pem (reads), watch/ (writes),
 * what the targets name: secret, ca, public-ca, certificate, key, known-hosts (reads), the directory of a
 * target of type directory (writes), $CREDENTIALS_DIRECTORY (reads); for name resolution and TLS what libc,
 * libcurl and OpenSSL read: /etc/resolv.conf, /etc/hosts, /etc/nsswitch.conf, /etc/ssl, /etc/gai.conf.
 * Connects to: the hosts of the targets' url and public-url (and where these redirect, within their scheme),
 * DNS. Uses threads, inotify, and no other program. Listens nowhere.
 */
#ifndef WATCH_WATCH_H
#define WATCH_WATCH_H

#include "base/board.h"
#include "base/file.h"
#include "base/limits.h"
#include "base/xml.h"

#define TARGETS_MAX 16u   /* a thread each; a deployment publishes to two or three places */
#define TARGET_ID_MAX 32u /* with the final NUL, as issuers */
#define URL_LEN_MAX 512u  /* of url and public-url, with the final NUL */

enum target_type {
    TARGET_HTTP,      /* PUT to the final name; what a server makes of half a PUT is its own affair */
    TARGET_WEBDAV,    /* PUT to a temporary name, MOVE (RFC 4918 9.9) */
    TARGET_S3,        /* PUT with an AWS Signature Version 4; S3 shows whole objects only */
    TARGET_SFTP,      /* to a temporary name, rename */
    TARGET_DIRECTORY, /* a local directory, such as a mounted share */
    TARGET_PUBLIC,    /* nothing is carried there: its public URL is read back */
    TARGET_TYPES,
};

/* Where a secret is; what it is is read when it is used, so that it may be changed at any time. */
struct secret_ref {
    bool is_credential;       /* a name in $CREDENTIALS_DIRECTORY (systemd), else a path */
    char where[PATH_LEN_MAX]; /* "": none */
};

struct target {
    char id[TARGET_ID_MAX];
    enum target_type type;
    char url[URL_LEN_MAX];        /* without a final '/'; of a directory its path */
    char public_url[URL_LEN_MAX]; /* likewise */
    char user[128];               /* Basic, SFTP; the access key's id for S3. "": none */
    char region[64];              /* S3 */
    struct secret_ref secret;     /* password, bearer token (without a user), secret access key */
    char ca[PATH_LEN_MAX], public_ca[PATH_LEN_MAX]; /* "": the system's authorities */
    char certificate[PATH_LEN_MAX], key[PATH_LEN_MAX], known_hosts[PATH_LEN_MAX];
    int64_t timeout_s; /* without a KiB in a second, so long, ends a transfer */
    int64_t grace_s;   /* so long after a publication clients may still see the one before */
};

struct watch_issuer {
    char id[ISSUER_ID_MAX];
    char certificate[PATH_LEN_MAX];
    int64_t overlap_s; /* of its CRLs */
};

struct watch_config {
    struct target targets[TARGETS_MAX];
    size_t count;
    struct watch_issuer issuers[ISSUERS_MAX];
    size_t issuer_count;
    int64_t check_s;     /* between two readings back when nothing was published */
    int64_t retry_s;     /* after the first failure; doubled by each further one */
    int64_t retry_max_s; /* up to this */
};

/* Reads <watch> with its targets, the issuers' CRL settings and the public URL. `home` is what "file:"
 * references are relative to. Every mistake goes to `report` (may be NULL), the first to the fault. */
enum err watch_config_read(const struct xml_node *root, const char *home, struct watch_config *out,
                           struct buf *report, struct fault *f);

struct watch_role {
    const char *public_dir; /* holds crl/ */
    const char *state_dir;  /* watch/ of the home, made when missing */
    struct watch_config *config;
    struct board *board;               /* figures and alarms; NULL: none */
    const struct board *const *boards; /* of every role: their alarms go to the sinks */
    size_t board_count;
    /* SIGHUP: reads the configuration anew into *config; false: it stays. */
    bool (*reload)(void *arg, struct watch_config *config);
    void *reload_arg;
};
/* Until SIGTERM. SIGTERM, SIGINT and SIGHUP must be blocked or are blocked here before any thread starts. */
enum err watch_run(struct watch_role *r);

#endif
