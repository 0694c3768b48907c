/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ocsp_static: the pieces of a static set: OCSP answers as files that any web server gives under the GET path
 * that clients ask for (RFC 6960 A.1, RFC 9919 6). What a client asks is always the same octets: one CertID
 * by SHA-1 with NULL parameters, no nonce.
 *
 * A file's name is the path as a server sees it after taking the escapes out, so a '/' in the base64 is a
 * directory, and "//" no more than one '/'. That is what every server maps, however a client escapes.
 */
#ifndef CLI_OCSP_STATIC_H
#define CLI_OCSP_STATIC_H

#include "base/buf.h"
#include "base/file.h"
#include "base/limits.h"

#define STATIC_NAME_MAX 512u /* octets with the NUL, of a path: ours have 150 and their prefix */
#define STATIC_CERTID_MAX 128u

/* An issuer as CertIDs name it. */
struct static_issuer {
    char id[ISSUER_ID_MAX];
    uint8_t name_hash[20], key_hash[20];
};
/* From the issuer's certificate in PEM. False when it cannot be read. */
[[nodiscard]] bool static_issuer_read(struct span pem, struct static_issuer *out);

/* What a certificate's answer is asked for and kept under. */
struct static_place {
    char path[STATIC_NAME_MAX]; /* of the URL, escaped */
    char file[STATIC_NAME_MAX]; /* below the directory */
    uint8_t certid[STATIC_CERTID_MAX];
    size_t certid_len;
};
/* The path of the responder's address, "/ocsp", names a directory of the set. A run sweeps it, so none may
 * lead out of the set: no empty name, no "." or "..", nothing but letters, digits and "-_.~". */
[[nodiscard]] bool static_prefix_is_plain(const char *prefix);
/* `prefix`: such a path, or "/". False when it is too long. */
[[nodiscard]] bool static_place_of(const struct static_issuer *i, const uint8_t serial[static SERIAL_LEN],
                                   const char *prefix, struct static_place *out);

enum static_state { STATIC_GOOD, STATIC_REVOKED, STATIC_UNKNOWN };
struct static_answer {
    enum static_state state;
    int64_t revoked_at_s; /* when revoked */
    int64_t produced_at_s, this_update_s, next_update_s;
};
/* Reads a successful OCSPResponse about this one CertID. The signature is not looked at: it comes from our
 * own responder. `try_later` (may be NULL) says whether it was that error. False for anything else. */
[[nodiscard]] bool static_answer_read(struct span der, const struct static_place *p,
                                      struct static_answer *out, bool *try_later);

/* Appends the line of the manifest about that answer. `serial`: hexadecimal. ERR_IO. */
enum err static_note(struct file_draft *manifest, const struct static_place *p, const char *serial,
                     const struct static_answer *a, struct span der, struct fault *f);

/* ---- the directory ---- */

/* Makes `dir` when it is not there and takes it for this run alone. Gives `lock_fd`, to be closed at its end,
 * also with an error unless it is -1 then. ERR_IO. */
enum err static_open(const char *dir, int *lock_fd, struct fault *f);
/* Would that do? Makes and keeps nothing, and asks for no right to write. */
enum err static_look(const char *dir, struct fault *f);

/* Puts a file below `dir` by rename, with the time of thisUpdate; durable once static_sync has returned. */
enum err static_put(const char *dir, const struct static_place *p, struct span der, int64_t this_update_s,
                    struct fault *f);
/* ERR_NOT_FOUND, ERR_TOO_LARGE, ERR_IO. `out` is reset first. */
enum err static_get(const char *dir, const struct static_place *p, struct buf *out);
enum err static_sync(const char *dir, struct fault *f);

/* The files of a run, remembered by eight octets of a hash each: a million take 8 MiB. */
struct static_seen {
    uint64_t *hashes;
    size_t count, room;
    bool is_sorted;
};
void static_seen_add(struct static_seen *s, const char *file);
void static_seen_free(struct static_seen *s);
/* Removes every file below dir/prefix that is not among them, and directories that become empty. */
enum err static_sweep(const char *dir, const char *prefix, struct static_seen *seen, size_t *removed,
                      struct fault *f);
/* How many files that would remove. */
enum err static_count_others(const char *dir, const char *prefix, struct static_seen *seen, size_t *count,
                             struct fault *f);

#endif
