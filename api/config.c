/* SPDX-License-Identifier: Apache-2.0 */
/*
 * config: chancery.xml and profiles.xml of a home, put together from what each room reads of its own
 * elements. The supervisor reads the files, and each role parses the texts that it is handed
 * (api/handout.c), again after SIGHUP.
 */
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "api/inner.h"
#include "api/role.h"
#include "base/clock.h"

#define FIRST_UID_DEFAULT 59900 /* beyond what adduser has ever come to, below what systemd hands out */

/* Text of the schema-checked document into a field that the schema bounds as well. */
static enum err copy_attr(const struct xml_node *n, const char *name, char *out, size_t cap,
                          struct buf *report, struct fault *f)
{
    const char *v = n != NULL ? xml_attr(n, name) : NULL;

    if (v == NULL || strlen(v) >= cap)
        return xml_fault(n, report, f, "attribute %s is missing or longer than %zu octets", name, cap - 1);
    strcpy(out, v);
    return OK;
}

static size_t read_count(const struct xml_node *n, const char *name)
{
    return strtoul(xml_attr(n, name), NULL, 10); /* the schema has a default and bounds */
}

static enum err read_rate(const struct xml_node *n, const char *name, const char *preset, struct rate *out,
                          struct buf *report, struct fault *f)
{
    const char *text = n != NULL ? xml_attr(n, name) : preset;

    return rate_parse(text, out) ? OK : xml_fault(n, report, f, "%s=\"%s\" is no rate", name, text);
}

static enum err read_http_limits(const struct xml_node *root, struct config *c)
{
    const struct xml_node *http = xml_child(root, "http");

    c->http_connections = read_count(http, "connections");
    c->http_per_address = read_count(http, "connections-per-address");
    return OK;
}

/* The defaults are those of the schema, also where the element is left out. */
static enum err read_limits(const struct xml_node *root, struct config *c, struct buf *report,
                            struct fault *f)
{
    const struct xml_node *login = xml_child(root, "login"), *https = xml_child(root, "https"),
                          *limits = login != NULL ? xml_child(login, "limits") : NULL;
    enum err e = read_http_limits(root, c);

    c->https_connections = read_count(https, "connections");
    c->https_per_address = read_count(https, "connections-per-address");
    if (e == OK)
        e = read_rate(limits, "failures", "60/m", &c->limits.failures, report, f);
    if (e == OK)
        e = read_rate(limits, "requests", "3000/m", &c->limits.requests, report, f);
    if (e == OK)
        e = read_rate(limits, "requests-per-address", "6000/m", &c->limits.requests_per_address, report, f);
    return e;
}

bool config_same_listen(const char *a, const char *b)
{
    const char *colon = strrchr(a, ':');

    return strcmp(a, b) == 0 && (colon == NULL || strcmp(colon, ":0") != 0);
}

static enum err read_https(const struct xml_node *https, struct config *c, struct buf *report,
                           struct fault *f)
{
    enum err e = copy_attr(https, "listen", c->https_listen, sizeof c->https_listen, report, f);

    if (e == OK && config_same_listen(c->http_listen, c->https_listen))
        e = xml_fault(
            https, report, f,
            "<https listen=\"%s\"> is not permitted; permitted: another address or port than that of <http>",
            c->https_listen);
    return e;
}

static enum err read_service(const struct xml_node *root, struct config *c, struct buf *report,
                             struct fault *f)
{
    const struct xml_node *service = xml_child(root, "service"), *http = xml_child(root, "http"),
                          *store = xml_child(root, "store");
    char *end = NULL;
    const char *mib;
    enum err e = copy_attr(service, "name", c->name, sizeof c->name, report, f);

    if (e == OK)
        e = copy_attr(service, "host", c->host, sizeof c->host, report, f);
    if (e == OK)
        e = copy_attr(http, "listen", c->http_listen, sizeof c->http_listen, report, f);
    if (e == OK)
        e = copy_attr(http, "public-url", c->public_url, sizeof c->public_url, report, f);
    if (e == OK && !c->is_ocsp_host)
        e = read_https(xml_child(root, "https"), c, report, f);
    mib = store != NULL ? xml_attr(store, "map-size-mib") : NULL;
    if (mib != NULL)
        c->map_size = strtoull(mib, &end, 10) << 20;
    return e;
}

/* The part of `uri` behind "SCHEME:", NULL when it is of another. */
static const char *behind(const char *uri, const char *scheme)
{
    size_t len = strlen(scheme);

    return strncmp(uri, scheme, len) == 0 ? uri + len : NULL;
}

/* "file:keys/x.key" means a path in the home, "credential:x" a file that the service manager gave us, with
 * none given a path that is not there; anything else is OSSL_STORE's to understand. */
static enum err key_uri(const char *home, const char *uri, char *out, size_t cap)
{
    const char *directory = getenv("CREDENTIALS_DIRECTORY"), *credential = behind(uri, "credential:"),
               *path = behind(uri, "file:");
    int n;

    if (credential != NULL)
        n = snprintf(out, cap, "file:%s/%s", directory != NULL ? directory : "/run/credentials", credential);
    else if (path != NULL && path[0] != '/')
        n = snprintf(out, cap, "file:%s/%s", home, path);
    else
        n = snprintf(out, cap, "%s", uri);
    return n < 0 || (size_t)n >= cap ? ERR_CONFIG : OK;
}

/* home/issuers/ID<suffix> */
static enum err issuer_path(char out[static PATH_LEN_MAX], const char *home, const char *id,
                            const char *suffix, struct fault *f)
{
    char name[ISSUER_ID_MAX + 32];

    snprintf(name, sizeof name, "issuers/%s%s", id, suffix);
    return path_join(out, home, name, f);
}

static enum err read_issuer(const struct xml_node *n, const char *home, struct issuer_files *out,
                            struct buf *report, struct fault *f)
{
    enum err e = copy_attr(n, "id", out->id, sizeof out->id, report, f);

    if (e != OK)
        return e;
    if ((xml_attr(n, "key") != NULL &&
         key_uri(home, xml_attr(n, "key"), out->key_uri, sizeof out->key_uri) != OK) ||
        key_uri(home, xml_attr(n, "ocsp-key"), out->ocsp_key_uri, sizeof out->ocsp_key_uri) != OK)
        return xml_fault(n, report, f, "the key's path is longer than %d octets", PATH_LEN_MAX - 1);
    e = issuer_path(out->certificate, home, out->id, ".pem", f);
    if (e == OK)
        e = issuer_path(out->chain, home, out->id, "-chain.pem", f);
    if (e == OK)
        e = issuer_path(out->ocsp_public, home, out->id, "-ocsp.pub", f);
    out->issues_leaves = xml_attr(n, "issues") != NULL;
    return e;
}

static enum err read_issuers(const struct xml_node *root, struct config *c, struct buf *report,
                             struct fault *f)
{
    enum err e = OK;

    for (const struct xml_node *n = xml_child(root, "issuer"); n != NULL && e == OK;
         n = xml_next(n, "issuer"))
        if (c->issuer_count < ISSUERS_MAX)
            e = read_issuer(n, c->home, &c->issuers[c->issuer_count++], report, f);
    return e;
}

const struct issuer_files *issuer_files_find(const struct config *c, const char *id)
{
    for (size_t i = 0; i < c->issuer_count; i++)
        if (strcmp(c->issuers[i].id, id) == 0)
            return &c->issuers[i];
    return NULL;
}

bool config_has_issuer(const struct config *c, const char *id)
{
    return issuer_files_find(c, id) != NULL;
}

static enum err read_audit(const struct xml_node *root, struct config *c, struct buf *report, struct fault *f)
{
    const struct xml_node *audit = xml_child(root, "audit");
    const char *uri = audit != NULL ? xml_attr(audit, "key") : NULL;

    if (uri == NULL)
        return OK;
    if (key_uri(c->home, uri, c->audit_key_uri, sizeof c->audit_key_uri) != OK)
        return xml_fault(audit, report, f, "the key's path is longer than %d octets", PATH_LEN_MAX - 1);
    return path_join(c->audit_public, c->home, "issuers/audit.pub", f);
}

#define SNAPSHOT_EVERY_MAX_S                                                                                 \
    3600 /* rarer, and the copy that is on the disk already is not the one in use                            \
          */

/* An answer from the oldest copy permitted is still good for half of its life. */
static enum err read_snapshot(const struct xml_node *root, struct config *c, struct fault *f)
{
    const struct xml_node *n = xml_child(root, "snapshot");

    if (!clock_parse_span(xml_attr(n, "every"), &c->snapshot_every_s) ||
        c->snapshot_every_s > SNAPSHOT_EVERY_MAX_S)
        return xml_fault(n, NULL, f, "<snapshot every=\"%s\"> is not permitted; permitted: at most 1h",
                         xml_attr(n, "every"));
    if (!clock_parse_span(xml_attr(n, "max-age"), &c->ocsp.age_max_s) ||
        c->ocsp.age_max_s > c->ocsp.validity_s / 2)
        return xml_fault(
            n, NULL, f,
            "<snapshot max-age=\"%s\"> is not permitted; permitted: at most half of ocsp validity",
            xml_attr(n, "max-age"));
    return OK;
}

static enum err read_host_rooms(const struct xml_node *root, struct config *c, struct fault *f)
{
    enum err e = ocsp_config_read(root, &c->ocsp, f);

    return e == OK ? read_snapshot(root, c, f) : e;
}

const char *const confine_levels[] = {
    [CONFINE_FULL] = "full", [CONFINE_BASIC] = "basic", [CONFINE_OFF] = "off"};

static void read_confine(const struct xml_node *root, struct confine_config *out)
{
    const struct xml_node *n = xml_child(root, "confine");
    const char *level = n != NULL ? xml_attr(n, "level") : NULL,
               *uid = n != NULL ? xml_attr(n, "first-uid") : NULL;

    *out = (struct confine_config){.level = CONFINE_FULL, .first_uid = FIRST_UID_DEFAULT};
    for (enum confine_level l = CONFINE_FULL; level != NULL && l <= CONFINE_OFF; l++)
        if (strcmp(level, confine_levels[l]) == 0)
            out->level = l;
    if (uid != NULL)
        out->first_uid = (unsigned)strtoul(uid, NULL, 10);
}

static enum err read_rooms(const struct xml_node *root, struct config *c, struct buf *report, struct fault *f)
{
    enum err e = ca_config_read(root, &c->ca, f);

    if (e == OK)
        e = crl_config_read(root, &c->crl, f);
    if (e == OK)
        e = ocsp_config_read(root, &c->ocsp, f);
    return e == OK ? watch_config_read(root, config_here(c), &c->watch, report, f) : e;
}

enum err config_read(const char *name, struct span content, struct config *c, struct buf *report,
                     struct fault *f)
{
    struct xml *x = NULL;
    enum err e = xml_parse(name, content, ca_config_schema(), &x, report, f);

    if (e != OK)
        return e;
    c->is_ocsp_host = strcmp(xml_name(xml_root(x)), "ocsp-host") == 0;
    e = read_service(xml_root(x), c, report, f);
    if (e == OK)
        e = read_issuers(xml_root(x), c, report, f);
    if (e == OK)
        e = c->is_ocsp_host ? read_http_limits(xml_root(x), c) : read_limits(xml_root(x), c, report, f);
    if (e == OK)
        e = c->is_ocsp_host ? OK : read_audit(xml_root(x), c, report, f);
    if (e == OK)
        e = c->is_ocsp_host ? read_host_rooms(xml_root(x), c, f) : read_rooms(xml_root(x), c, report, f);
    read_confine(xml_root(x), &c->confine);
    xml_free(x);
    return e;
}

static enum err read_trusted(const char *path, struct buf *content, struct fault *f)
{
    enum err e = xml_file_trusted(path, f);

    return e == OK ? file_read(path, content, f) : e;
}

/* profiles.xml may be absent: then the installed catalogue is in force. */
static enum err read_catalogue(const char *path, struct buf *out, struct fault *f)
{
    struct fault quiet = {0};
    enum err e = read_trusted(path, out, &quiet);

    if (e == OK)
        return OK;
    if (e != ERR_NOT_FOUND)
        return fault_set(f, e, "%s", quiet.detail);
    buf_reset(out);
    buf_put_span(out, catalogue_installed());
    return OK;
}

enum err config_texts_read(const char *home, struct config_texts *t, struct fault *f)
{
    char path[PATH_LEN_MAX];
    enum err e = path_join(path, home, "chancery.xml", f);

    buf_init(&t->settings, XML_DOC_MAX);
    buf_init(&t->catalogue, XML_DOC_MAX);
    if (e == OK)
        e = read_trusted(path, &t->settings, f);
    if (e == OK)
        e = path_join(path, home, "profiles.xml", f);
    if (e == OK)
        e = read_catalogue(path, &t->catalogue, f);
    if (e != OK)
        config_texts_free(t);
    return e;
}

void config_texts_free(struct config_texts *t)
{
    buf_free(&t->settings);
    buf_free(&t->catalogue);
}

static enum err set_home(const char *home, struct config *c, struct fault *f)
{
    char *whole = realpath(home, NULL);
    enum err e = OK;

    if (whole == NULL)
        return fault_set(f, ERR_NOT_FOUND, "%s: %s", home, strerror(errno));
    if (strlen(whole) >= sizeof c->home)
        e = fault_set(f, ERR_CONFIG, "%s: the path is longer than %d octets", home, PATH_LEN_MAX - 1);
    else
        strcpy(c->home, whole);
    free(whole);
    return e;
}

static enum err set_paths(const char *directory, struct config *c, struct fault *f)
{
    enum err e = path_join(c->store_dir, directory, "store", f);

    if (e == OK)
        e = path_join(c->public_dir, directory, "public", f);
    if (e == OK)
        e = path_join(c->listener_dir, directory, "listener", f);
    if (e == OK)
        e = path_join(c->watch_dir, directory, "watch", f);
    return e == OK ? path_join(c->control_path, directory, "control.sock", f) : e;
}

static enum err parse_texts(const struct config_texts *t, struct config *c, struct buf *report,
                            struct fault *f)
{
    enum err e = config_read("chancery.xml", buf_span(&t->settings), c, report, f);

    if (e == OK)
        e = catalogue_load("profiles.xml", buf_span(&t->catalogue), &c->catalogue, report, f);
    sha256_of(buf_span(&t->settings), c->ca.digests.settings);
    sha256_of(buf_span(&t->catalogue), c->ca.digests.catalogue);
    if (e != OK)
        config_free(c);
    return e;
}

enum err config_parse(const char *home, const struct config_texts *t, struct config *out, struct buf *report,
                      struct fault *f)
{
    enum err e;

    *out = (struct config){0};
    e = set_home(home, out, f);
    if (e == OK)
        e = set_paths(out->home, out, f);
    return e == OK ? parse_texts(t, out, report, f) : e;
}

enum err config_load(const char *home, struct config *out, struct buf *report, struct fault *f)
{
    struct config_texts t;
    enum err e;

    *out = (struct config){0};
    e = set_home(home, out, f);
    if (e == OK)
        e = config_texts_read(out->home, &t, f);
    if (e != OK)
        return e;
    e = config_parse(home, &t, out, report, f);
    config_texts_free(&t);
    return e;
}

enum err config_load_handed(int fd, struct config *out, struct fault *f)
{
    struct handout h;
    enum err e = handout_read(fd, &h, f);

    *out = (struct config){.is_handed = true, .handout_fd = fd};
    if (e != OK)
        return e;
    strcpy(out->home, h.home);
    out->has_own_uids = h.has_own_uids;
    e = set_paths(".", out, f);
    if (e == OK)
        e = parse_texts(&h.texts, out, NULL, f);
    handout_free(&h);
    return e;
}

enum err config_reload(const struct config *now, struct config *out, struct fault *f)
{
    return now->is_handed ? config_load_handed(now->handout_fd, out, f)
                          : config_load(now->home, out, NULL, f);
}

const char *config_here(const struct config *c)
{
    return c->is_handed ? "." : c->home;
}

void config_free(struct config *c)
{
    catalogue_free(&c->catalogue);
}
