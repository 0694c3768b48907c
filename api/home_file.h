/* SPDX-License-Identifier: Apache-2.0 */
/* home_file: files of a home, put in place durably, each whole or not at all. Blocks on the disk. */
#ifndef API_HOME_FILE_H
#define API_HOME_FILE_H

#include "base/file.h"

/* `name` is relative to the home, in which its directory is; what is there is replaced. ERR_IO. */
enum err home_file_put(const char *home, const char *name, struct span content, mode_t mode, struct fault *f);
/* The same with `n` structures in PEM, one after the other. */
enum err home_pem_put(const char *home, const char *name, const char *label, const struct span *ders,
                      size_t n, mode_t mode, struct fault *f);

#endif
