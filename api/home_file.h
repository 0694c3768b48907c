/* SPDX-License-Identifier: Apache-2.0 */
/* home_file: files of a home, put in place durably, each whole or not at all. A new one belongs to whoever
 * has its directory, whichever user runs the command: the service must be able to read it. What an earlier
 * run left of one when it was killed goes: one command at a time. Blocks on the disk. */
#ifndef API_HOME_FILE_H
#define API_HOME_FILE_H

#include "base/file.h"

/* `name` is relative to the home, in which its directory is; what is there is replaced. ERR_IO. */
enum err home_file_put(const char *home, const char *name, struct span content, mode_t mode, struct fault *f);
/* The same with `n` structures in PEM, one after the other. */
enum err home_pem_put(const char *home, const char *name, const char *label, const struct span *ders,
                      size_t n, mode_t mode, struct fault *f);
/* Replaces a file that is there, and keeps its owner, group and mode. ERR_NOT_FOUND; ERR_IO. */
enum err home_file_edit(const char *home, const char *name, struct span content, struct fault *f);
/* Could home_file_edit() keep them? ERR_CONFIG: it is another user's; ERR_NOT_FOUND; ERR_IO. */
enum err home_file_check_edit(const char *home, const char *name, struct fault *f);
/* Gives a file that was made there to whoever has its directory. ERR_IO. */
enum err home_file_give(const char *home, const char *name, struct fault *f);

#endif
