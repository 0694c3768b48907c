/* SPDX-License-Identifier: Apache-2.0 */
/*
 * beside: the directory of a file that the configuration names, so that who reads the file may also read what
 * replaces it; but none through which a key of this service, or another of its secrets, could be read. A
 * directory is judged by what it is, not by how it is written.
 */
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "api/role.h"

/* Is `inner` the directory `outer` or below it? What is not there is nowhere. */
static bool lies_in(const char *inner, const char *outer)
{
    char path[PATH_MAX], *slash;
    struct stat is, sought;

    if (stat(outer, &sought) != 0 || realpath(inner, path) == NULL)
        return false;
    for (;;) {
        if (stat(path, &is) == 0 && is.st_dev == sought.st_dev && is.st_ino == sought.st_ino)
            return true;
        slash = strrchr(path, '/');
        if (path[1] == '\0')
            return false;
        slash[slash == path] = '\0';
    }
}

/* The path in a URI of OSSL_STORE's; of another scheme than file it names nothing. */
static const char *path_in(const char *uri)
{
    const char *path = strncmp(uri, "file:", 5) == 0 ? uri + 5 : uri;
    const char *host = strncmp(path, "//", 2) == 0 ? strchr(path + 2, '/') : NULL;

    return host != NULL ? host : path;
}

static bool holds_signing_key(const struct config *c, const char *directory)
{
    for (size_t i = 0; i < c->issuer_count; i++)
        if (lies_in(path_in(c->issuers[i].key_uri), directory) ||
            lies_in(path_in(c->issuers[i].ocsp_key_uri), directory))
            return true;
    return lies_in(path_in(c->audit_key_uri), directory);
}

/* What systemd handed over, and the logins at other servers. */
static bool holds_secret(const struct config *c, const char *directory)
{
    const char *credentials = getenv("CREDENTIALS_DIRECTORY");

    for (size_t i = 0; i < c->watch.count; i++)
        if (lies_in(c->watch.targets[i].key, directory) ||
            lies_in(c->watch.targets[i].secret.where, directory))
            return true;
    return credentials != NULL && lies_in(credentials, directory);
}

bool beside_is_open(const struct config *c, const char *file, char directory[static PATH_LEN_MAX])
{
    path_dir(file, directory);
    return !lies_in(".", directory) && !lies_in(directory, "keys") && !lies_in(directory, "admin") &&
           !holds_signing_key(c, directory) && !holds_secret(c, directory);
}
