/* SPDX-License-Identifier: Apache-2.0 */
/* secret: the one file of the room that holds secrets, and cleanses them. */
#include "watch/secret.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* What systemd puts into $CREDENTIALS_DIRECTORY may carry an access list, whose mask shows as the group's
 * bits: there only others are looked at. */
static enum err open_private(const char *path, mode_t not_permitted, int *fd, struct fault *f)
{
    struct stat st;

    *fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (*fd < 0)
        return fault_set(f, ERR_KEY, "%s: %s", path, strerror(errno));
    if (fstat(*fd, &st) == 0 && S_ISREG(st.st_mode) && (st.st_mode & not_permitted) == 0 &&
        (st.st_uid == 0 || st.st_uid == geteuid()))
        return OK;
    close(*fd);
    *fd = -1;
    return fault_set(f, ERR_KEY, "%s: must be a file of ours that nobody else can read", path);
}

enum err secret_file_check(const char *path, struct fault *f)
{
    int fd;
    enum err e = open_private(path, 077, &fd, f);

    if (e == OK)
        close(fd);
    return e;
}

static enum err path_of(const struct secret_ref *ref, char out[static PATH_LEN_MAX], struct fault *f)
{
    const char *dir = getenv("CREDENTIALS_DIRECTORY");

    if (!ref->is_credential) {
        strcpy(out, ref->where);
        return OK;
    }
    if (dir == NULL || dir[0] != '/')
        return fault_set(f, ERR_KEY, "credential %s: the service was given no credentials", ref->where);
    return path_join(out, dir, ref->where, f);
}

static enum err text_read(int fd, const char *path, struct secret *out, struct fault *f)
{
    size_t len = 0;
    ssize_t n;

    while (len < sizeof out->text && (n = read(fd, out->text + len, sizeof out->text - len)) > 0)
        len += (size_t)n;
    if (len > 0 && out->text[len - 1] == '\n')
        len--;
    if (len > SECRET_MAX)
        return fault_set(f, ERR_KEY, "%s: longer than %u octets", path, SECRET_MAX);
    out->text[len] = '\0';
    for (size_t i = 0; i < len; i++)
        if ((uint8_t)out->text[i] < 0x20 || out->text[i] == 0x7f)
            return fault_set(f, ERR_KEY, "%s: more than one line, or control characters", path);
    return len > 0 ? OK : fault_set(f, ERR_KEY, "%s: is empty", path);
}

enum err secret_load(const struct secret_ref *ref, struct secret *out, struct fault *f)
{
    char path[PATH_LEN_MAX];
    int fd = -1;
    enum err e = path_of(ref, path, f);

    out->text[0] = '\0';
    if (e == OK)
        e = open_private(path, ref->is_credential ? 07 : 077, &fd, f);
    if (e == OK)
        e = text_read(fd, path, out, f);
    if (fd >= 0)
        close(fd);
    if (e != OK)
        secret_forget(out);
    return e;
}

void secret_forget(struct secret *s)
{
    explicit_bzero(s, sizeof *s);
}
