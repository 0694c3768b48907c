/* SPDX-License-Identifier: Apache-2.0 */
#include "api/home_file.h"

#include "api/inner.h"

enum err home_file_put(const char *home, const char *name, struct span content, mode_t mode, struct fault *f)
{
    char path[PATH_LEN_MAX];
    enum err e = path_join(path, home, name, f);

    return e == OK ? file_replace(path, content, mode, f) : e;
}

enum err home_pem_put(const char *home, const char *name, const char *label, const struct span *ders,
                      size_t n, mode_t mode, struct fault *f)
{
    struct buf pem;
    enum err e;

    buf_init(&pem, PEM_MAX);
    for (size_t i = 0; i < n; i++)
        pem_put(&pem, label, ders[i]);
    e = buf_end(&pem);
    if (e == OK)
        e = home_file_put(home, name, buf_span(&pem), mode, f);
    buf_free(&pem);
    return e;
}
