/* SPDX-License-Identifier: Apache-2.0 */
/* config: the targets of chancery.xml. The schema knows the form of each attribute; which of them belong to a
 * type of target is the table here. */
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "watch/watch.h"

#define BIT(type) (1u << (type))
#define HTTPS_TYPES (BIT(TARGET_HTTP) | BIT(TARGET_WEBDAV) | BIT(TARGET_S3))
#define DAV_TYPES (BIT(TARGET_HTTP) | BIT(TARGET_WEBDAV))

static const struct {
    const char *name, *schemes[2];
} types[TARGET_TYPES] = {
    [TARGET_HTTP] = {"http", {"http://", "https://"}},
    [TARGET_WEBDAV] = {"webdav", {"http://", "https://"}},
    [TARGET_S3] = {"s3", {"http://", "https://"}},
    [TARGET_SFTP] = {"sftp", {"sftp://", NULL}},
    [TARGET_DIRECTORY] = {"directory", {"file:/", NULL}},
    [TARGET_PUBLIC] = {"public", {NULL, NULL}},
};

/* What may and what must be said of a target, by its type. */
static const struct {
    const char *name;
    unsigned permitted, required;
} attributes[] = {
    {"url", ~BIT(TARGET_PUBLIC), ~BIT(TARGET_PUBLIC)},
    {"user", HTTPS_TYPES | BIT(TARGET_SFTP), BIT(TARGET_S3) | BIT(TARGET_SFTP)},
    {"secret", HTTPS_TYPES, BIT(TARGET_S3)},
    {"ca", HTTPS_TYPES, 0},
    {"certificate", DAV_TYPES, 0},
    {"key", DAV_TYPES | BIT(TARGET_SFTP), BIT(TARGET_SFTP)},
    {"known-hosts", BIT(TARGET_SFTP), BIT(TARGET_SFTP)},
    {"region", BIT(TARGET_S3), 0},
};

static enum err type_check(const struct xml_node *n, enum target_type type, struct buf *report,
                           struct fault *f)
{
    for (size_t i = 0; i < sizeof attributes / sizeof *attributes; i++) {
        bool is_there = xml_attr(n, attributes[i].name) != NULL;

        if (is_there && !(attributes[i].permitted & BIT(type)))
            return xml_fault(n, report, f, "a target of type %s has no attribute %s", types[type].name,
                             attributes[i].name);
        if (!is_there && (attributes[i].required & BIT(type)))
            return xml_fault(n, report, f, "a target of type %s needs the attribute %s", types[type].name,
                             attributes[i].name);
    }
    return OK;
}

/* Copies without final slashes: names are put behind. */
static bool url_copy(const char *url, char out[static URL_LEN_MAX])
{
    size_t len = strlen(url);

    while (len > 0 && url[len - 1] == '/')
        len--;
    if (len >= URL_LEN_MAX)
        return false;
    memcpy(out, url, len);
    out[len] = '\0';
    return true;
}

static enum err url_read(const struct xml_node *n, struct target *t, struct buf *report, struct fault *f)
{
    const char *url = xml_attr(n, "url");
    const char *const *schemes = types[t->type].schemes;

    if (url == NULL)
        return OK;
    for (int i = 0; i < 2; i++) {
        if (schemes[i] == NULL || strncmp(url, schemes[i], strlen(schemes[i])) != 0)
            continue;
        if (t->type == TARGET_DIRECTORY)
            url += strlen("file:");
        return url_copy(url, t->url) ? OK : xml_fault(n, report, f, "the url is too long");
    }
    return xml_fault(n, report, f, "the url of a target of type %s begins with %s%s%s", types[t->type].name,
                     schemes[0], schemes[1] != NULL ? " or " : "", schemes[1] != NULL ? schemes[1] : "");
}

/* "file:PATH" is in the home unless it begins with '/'. */
static enum err path_read(const struct xml_node *n, const char *name, const char *home,
                          char out[static PATH_LEN_MAX], struct buf *report, struct fault *f)
{
    const char *ref = xml_attr(n, name);

    if (ref == NULL)
        return OK;
    ref += strlen("file:"); /* the schema's pattern */
    if (ref[0] != '/')
        return path_join(out, home, ref, f);
    if (strlen(ref) >= PATH_LEN_MAX)
        return xml_fault(n, report, f, "the path of %s is too long", name);
    strcpy(out, ref);
    return OK;
}

static enum err secret_read(const struct xml_node *n, const char *home, struct secret_ref *out,
                            struct buf *report, struct fault *f)
{
    static const char credential[] = "credential:";
    const char *ref = xml_attr(n, "secret");

    if (ref == NULL)
        return OK;
    out->is_credential = strncmp(ref, credential, sizeof credential - 1) == 0;
    if (!out->is_credential)
        return path_read(n, "secret", home, out->where, report, f);
    if (strlen(ref) - sizeof credential + 1 >= sizeof out->where)
        return xml_fault(n, report, f, "the name of the credential is too long");
    strcpy(out->where, ref + sizeof credential - 1);
    return OK;
}

static enum err text_read(const struct xml_node *n, const char *name, char *out, size_t cap,
                          struct buf *report, struct fault *f)
{
    const char *v = xml_attr(n, name);

    if (v == NULL)
        return OK;
    if (strlen(v) >= cap)
        return xml_fault(n, report, f, "%s is longer than %zu octets", name, cap - 1);
    strcpy(out, v);
    return OK;
}

static enum err time_read(const struct xml_node *n, const char *name, int64_t otherwise_s, int64_t *out_s,
                          struct buf *report, struct fault *f)
{
    const char *v = n != NULL ? xml_attr(n, name) : NULL;

    *out_s = otherwise_s;
    if (v == NULL || clock_parse_span(v, out_s))
        return OK;
    return xml_fault(n, report, f, "%s is \"%s\", must be like 30s or 24h", name, v);
}

static enum err files_read(const struct xml_node *n, const char *home, struct target *t, struct buf *report,
                           struct fault *f)
{
    const struct {
        const char *name;
        char *out;
    } files[] = {{"ca", t->ca},
                 {"public-ca", t->public_ca},
                 {"certificate", t->certificate},
                 {"key", t->key},
                 {"known-hosts", t->known_hosts}};
    enum err e = secret_read(n, home, &t->secret, report, f);

    for (size_t i = 0; e == OK && i < sizeof files / sizeof *files; i++)
        e = path_read(n, files[i].name, home, files[i].out, report, f);
    return e;
}

/* What would give a secret away, or could not work. */
static enum err sense_check(const struct xml_node *n, const struct target *t, struct buf *report,
                            struct fault *f)
{
    bool is_dav = (DAV_TYPES & BIT(t->type)) != 0;

    if (is_dav && t->secret.where[0] != '\0' && strncmp(t->url, "https://", 8) != 0)
        return xml_fault(n, report, f, "a password or token is sent over https only");
    if (is_dav && t->user[0] != '\0' && t->secret.where[0] == '\0')
        return xml_fault(n, report, f, "a user needs a secret, its password");
    if (is_dav && (t->certificate[0] == '\0') != (t->key[0] == '\0'))
        return xml_fault(n, report, f, "certificate and key come together");
    return OK;
}

static enum target_type type_of(const char *name)
{
    enum target_type t = 0;

    while (t < TARGET_TYPES - 1 && strcmp(types[t].name, name) != 0) /* the schema knows the others */
        t++;
    return t;
}

static enum err target_read(const struct xml_node *n, const char *home, const char *public_url,
                            struct target *t, struct buf *report, struct fault *f)
{
    const char *own = xml_attr(n, "public-url"), *type = xml_attr(n, "type");
    enum err e;

    t->type = type_of(type != NULL ? type : "");
    strcpy(t->region, "us-east-1"); /* what servers that have no regions go by */
    e = type_check(n, t->type, report, f);
    if (e == OK)
        e = text_read(n, "id", t->id, sizeof t->id, report, f);
    if (e == OK)
        e = url_read(n, t, report, f);
    if (e == OK && !url_copy(own != NULL ? own : public_url, t->public_url))
        e = xml_fault(n, report, f, "the public-url is too long");
    if (e == OK)
        e = text_read(n, "user", t->user, sizeof t->user, report, f);
    if (e == OK)
        e = text_read(n, "region", t->region, sizeof t->region, report, f);
    if (e == OK)
        e = files_read(n, home, t, report, f);
    if (e == OK)
        e = time_read(n, "timeout", 30, &t->timeout_s, report, f);
    if (e == OK)
        e = time_read(n, "grace", 0, &t->grace_s, report, f);
    return e == OK ? sense_check(n, t, report, f) : e;
}

static enum err targets_read(const struct xml_node *watch, const char *home, const char *public_url,
                             struct watch_config *out, struct buf *report, struct fault *f)
{
    enum err e = OK;

    for (const struct xml_node *n = xml_child(watch, "target"); e == OK && n != NULL;
         n = xml_next(n, "target")) {
        if (out->count == TARGETS_MAX)
            return xml_fault(n, report, f, "more than %u targets", TARGETS_MAX);
        e = target_read(n, home, public_url, &out->targets[out->count], report, f);
        out->count += e == OK;
    }
    return e;
}

static enum err issuer_read(const struct xml_node *n, const char *home, struct watch_issuer *i,
                            struct buf *report, struct fault *f)
{
    char name[ISSUER_ID_MAX + 16];
    enum err e = text_read(n, "id", i->id, sizeof i->id, report, f);

    snprintf(name, sizeof name, "issuers/%s.pem", i->id);
    if (e == OK)
        e = path_join(i->certificate, home, name, f);
    return e == OK ? time_read(xml_child(n, "crl"), "overlap", 0, &i->overlap_s, report, f) : e;
}

static enum err issuers_read(const struct xml_node *root, const char *home, struct watch_config *out,
                             struct buf *report, struct fault *f)
{
    enum err e = OK;

    for (const struct xml_node *n = xml_child(root, "issuer"); e == OK && n != NULL;
         n = xml_next(n, "issuer")) {
        if (out->issuer_count == ISSUERS_MAX)
            return xml_fault(n, report, f, "more than %u issuers", ISSUERS_MAX);
        e = issuer_read(n, home, &out->issuers[out->issuer_count], report, f);
        out->issuer_count += e == OK;
    }
    return e;
}

enum err watch_config_read(const struct xml_node *root, const char *home, struct watch_config *out,
                           struct buf *report, struct fault *f)
{
    const struct xml_node *watch = xml_child(root, "watch"), *http = xml_child(root, "http");
    const char *base = http != NULL ? xml_attr(http, "public-url") : NULL;
    char public_url[URL_LEN_MAX];
    enum err e = issuers_read(root, home, out, report, f);

    snprintf(public_url, sizeof public_url, "%s/crl", base != NULL ? base : "");
    if (e == OK)
        e = time_read(watch, "check", 3600, &out->check_s, report, f);
    if (e == OK)
        e = time_read(watch, "retry", 10, &out->retry_s, report, f);
    if (e == OK)
        e = time_read(watch, "retry-max", 900, &out->retry_max_s, report, f);
    return e == OK && watch != NULL ? targets_read(watch, home, public_url, out, report, f) : e;
}
