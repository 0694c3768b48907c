/* SPDX-License-Identifier: Apache-2.0 */
/*
 * backup: what backup.c writes and restore.c reads. A backup is a directory: `backup.json`, written last, and
 * the files of the home under the names they have there. The manifest names every directory and file with its
 * mode, and every file with its size and SHA-256, so that a backup that was cut short or changed is not
 * restored.
 */
#ifndef API_BACKUP_H
#define API_BACKUP_H

#include "api/result.h"

#define BACKUP_MANIFEST "backup.json"
#define BACKUP_FORMAT 1
#define BACKUP_MANIFEST_MAX                                                                                  \
    (4u * 1024 * 1024) /* octets: a home has some dozens of files, and 16 issuers ten each */
#define BACKUP_FILE_MAX                                                                                      \
    (64u * 1024 * 1024) /* octets of any file but the store: they are keys, PEM and XML                      \
                         */
#define BACKUP_STORE "store/data.mdb"

/* `chancery store backup DIR`, `store restore DIR`. A dry run checks all that can be checked without writing:
 * places, stores and, of a backup, every file. Exit codes. */
int backup_main(const struct local_run *how, const char *dir);
int restore_main(const struct local_run *how, const char *dir);

/* In a home that was restored: no CRL number that was used before now is as high. A restore raises those of
 * the issuers that the backup has; of one that it has not, whoever makes it again does. */
uint64_t restore_floor(int64_t now_s);

#endif
