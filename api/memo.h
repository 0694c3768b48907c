/* SPDX-License-Identifier: Apache-2.0 */
/*
 * memo: a small file that a role keeps over a restart, opened by the supervisor, so that the role needs no
 * right to a directory. It holds a mark, which names what it is, content that shows its own end, and the
 * SHA-256 of both; octets behind that are what longer content has left. A file that is not whole is as good
 * as none: a write that is cut off loses what was kept. Blocks on the disk.
 */
#ifndef API_MEMO_H
#define API_MEMO_H

#include "base/buf.h"

/* A file as it was read. */
struct memo {
    struct buf file;
    struct rd content; /* to be read to its end, no further. Zeros when there is none */
    struct fault fault;
};
/* With at most `max` octets of content. */
void memo_read(struct memo *m, int fd, const char *mark, size_t max);
/* After the content was read: is that the mark, and was the content whole? Nothing of it holds unless OK.
 * Records what was wrong in m->fault. ERR_NOT_FOUND: the file is empty; ERR_MALFORMED; ERR_IO. */
enum err memo_end(struct memo *m);
void memo_free(struct memo *m); /* and what was borrowed from the content */

/* A file to be written: the content is put into `out` between the two, at most `max` octets. */
void memo_begin(struct buf *out, const char *mark, size_t max);
/* Completes it and writes it over what there was. Frees nothing. ERR_IO; ERR_TOO_LARGE: more than `max`, the
 * file is as it was. */
enum err memo_write(struct buf *out, int fd, struct fault *f);

#endif
