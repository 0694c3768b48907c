/* SPDX-License-Identifier: Apache-2.0 */
/* copy: the whole store in one file, and what has to move before a copy may be used in the place of its
 * original. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "store/inner.h"

enum err store_copy(struct store *s, const char *path, struct fault *f)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    enum err e;

    if (fd < 0)
        return fault_set(f, errno == EEXIST ? ERR_EXISTS : ERR_IO, "%s: %s", path, strerror(errno));
    e = env_copy(s, fd);
    if (e != OK)
        e = fault_set(f, ERR_IO, "%s: the store cannot be copied", path);
    else if (fsync(fd) != 0)
        e = fault_set(f, ERR_IO, "%s: %s", path, strerror(errno));
    if (close(fd) != 0 && e == OK)
        e = fault_set(f, ERR_IO, "%s: %s", path, strerror(errno));
    if (e != OK)
        unlink(path);
    return e;
}

struct floors {
    struct txn *txn;
    uint64_t by, least;
};

static bool raise(const struct issuer *i, void *arg)
{
    const struct floors *f = arg;

    crl_state_raise(f->txn, i->no, f->by, f->least);
    return txn_error(f->txn) == OK;
}

void store_raise_floors(struct txn *t, uint64_t by, uint64_t least, int64_t now_s, const char *detail)
{
    struct floors f = {t, by, least};
    struct audit_row row = {
        .at_s = now_s, .kind = AUDIT_RESTORE, .actor = span_str("service"), .detail = span_str(detail)};

    txn_fail(t, issuer_each(txn_view(t), raise, &f));
    audit_append(t, &row);
}
