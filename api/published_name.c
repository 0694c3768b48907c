/* SPDX-License-Identifier: Apache-2.0 */
/*
 * published_name: which of the files that may exist a path names. It is held against the issuers that we know
 * and the few forms that names have; what becomes part of a file name is written anew from what was read.
 */
#include <stdio.h>
#include <string.h>

#include "api/public.h"
#include "base/http.h"

static const struct {
    const char *dir, *suffix, *type;
    bool is_crl;
} kinds[] = {
    {"crl/", ".crl", "application/pkix-crl", true}, /* RFC 5280 4.2.1.13 */
    {"crl/", ".pem", "application/x-pem-file", true}, {"ca/", ".cer", "application/pkix-cert", false},
    {"ca/", ".pem", "application/x-pem-file", false}, {"ca/", ".p7c", "application/pkcs7-mime", false},
};

/* `stem`: the name without directory and suffix. */
static bool find_issuer(const struct config *c, const char *stem, struct published *out)
{
    for (size_t i = 0; i < c->issuer_count; i++) {
        const char *id = c->issuers[i].id;

        if (strncmp(stem, id, strlen(id)) != 0 ||
            !crl_part_read(stem + strlen(id), &out->shard, &out->is_delta))
            continue;
        out->issuer_id = id;
        return out->is_crl || strcmp(stem, id) == 0;
    }
    return false;
}

/* Cuts directory and suffix off `name`. */
static char *cut(char *name, const char *dir, const char *suffix)
{
    size_t len = strlen(name), before = strlen(dir), after = strlen(suffix);

    if (len <= before + after || strncmp(name, dir, before) != 0 || strcmp(name + len - after, suffix) != 0)
        return NULL;
    name[len - after] = '\0';
    return name + before;
}

bool published_find(const struct config *c, const char *path, struct published *out)
{
    char name[PUBLISHED_NAME_MAX + 1], *stem;

    for (size_t k = 0; k < sizeof kinds / sizeof *kinds; k++) {
        if (!http_unescape(span_str(path), name, sizeof name) || name[0] != '/')
            return false;
        stem = cut(name + 1, kinds[k].dir, kinds[k].suffix);
        out->type = kinds[k].type;
        out->is_crl = kinds[k].is_crl;
        if (stem == NULL || !find_issuer(c, stem, out))
            continue;
        snprintf(out->name, sizeof out->name, "%s%s%s", kinds[k].dir, stem, kinds[k].suffix);
        return true;
    }
    return false;
}
