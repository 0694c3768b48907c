/* SPDX-License-Identifier: Apache-2.0 */
/* secret: passwords, tokens and keys of targets, from files that nobody else can read. Nothing of them is
 * ever logged. Private to the watch room. Blocks on the disk. */
#ifndef WATCH_SECRET_H
#define WATCH_SECRET_H

#include "watch/watch.h"

#define SECRET_MAX 4096u /* octets: a signed token */

struct secret {
    char text[SECRET_MAX + 1];
};
/* Without its final line break. ERR_KEY naming the file: it is not there, others can read it, it is empty,
 * too long or holds control characters. */
enum err secret_load(const struct secret_ref *ref, struct secret *out, struct fault *f);
void secret_forget(struct secret *s);
/* A private key file that libcurl is to read: ERR_KEY when others can read it too. */
enum err secret_file_check(const char *path, struct fault *f);

#endif
