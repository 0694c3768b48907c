/* SPDX-License-Identifier: Apache-2.0 */
/*
 * config: chancery.xml and profiles.xml of a home, put together from what each room reads of its own
 * elements. Every role reads it for itself; SIGHUP reads it again.
 */
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "api/inner.h"
#include "api/role.h"
#include "base/clock.h"

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
        e = copy_attr(xml_child(root, "https"), "listen", c->https_listen, sizeof c->https_listen, report, f);
    mib = store != NULL ? xml_attr(store, "map-size-mib") : NULL;
    if (mib != NULL)
        c->map_size = strtoull(mib, &end, 10) << 20;
    return e;
}

/* "file:keys/x.key" means a path in the home; anything else is OSSL_STORE's to understand. */
static enum err key_uri(const char *home, const char *uri, char *out, size_t cap)
{
    static const char scheme[] = "file:";
    bool is_relative = strncmp(uri, scheme, sizeof scheme - 1) == 0 && uri[sizeof scheme - 1] != '/';
    int n = is_relative ? snprintf(out, cap, "file:%s/%s", home, uri + sizeof scheme - 1)
                        : snprintf(out, cap, "%s", uri);

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

static enum err read_rooms(const struct xml_node *root, struct config *c, struct buf *report, struct fault *f)
{
    enum err e = ca_config_read(root, &c->ca, f);

    if (e == OK)
        e = crl_config_read(root, &c->crl, f);
    if (e == OK)
        e = ocsp_config_read(root, &c->ocsp, f);
    return e == OK ? watch_config_read(root, c->home, &c->watch, report, f) : e;
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
    xml_free(x);
    return e;
}

static enum err read_trusted(const char *path, struct buf *content, struct fault *f)
{
    enum err e = xml_file_trusted(path, f);

    return e == OK ? file_read(path, content, f) : e;
}

static enum err load_settings(struct config *c, struct buf *report, struct fault *f)
{
    char path[PATH_LEN_MAX];
    struct buf content;
    enum err e = path_join(path, c->home, "chancery.xml", f);

    buf_init(&content, XML_DOC_MAX);
    if (e == OK)
        e = read_trusted(path, &content, f);
    if (e == OK)
        e = config_read("chancery.xml", buf_span(&content), c, report, f);
    sha256_of(buf_span(&content), c->ca.digests.settings);
    buf_free(&content);
    return e;
}

/* profiles.xml may be absent: then the installed catalogue is in force. */
static enum err load_catalogue(struct config *c, struct buf *report, struct fault *f)
{
    char path[PATH_LEN_MAX];
    struct fault quiet = {0};
    struct buf content;
    enum err e = path_join(path, c->home, "profiles.xml", f);

    buf_init(&content, XML_DOC_MAX);
    if (e == OK)
        e = read_trusted(path, &content, &quiet);
    if (e == ERR_NOT_FOUND)
        e = OK;
    else if (e != OK)
        e = fault_set(f, e, "%s", quiet.detail);
    if (e == OK)
        e = catalogue_load("profiles.xml", buf_span(&content), &c->catalogue, report, f);
    sha256_of(content.len > 0 ? buf_span(&content) : catalogue_installed(), c->ca.digests.catalogue);
    buf_free(&content);
    return e;
}

static enum err set_paths(const char *home, struct config *c, struct fault *f)
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
    if (e != OK)
        return e;
    e = path_join(c->store_dir, c->home, "store", f);
    if (e == OK)
        e = path_join(c->public_dir, c->home, "public", f);
    if (e == OK)
        e = path_join(c->watch_dir, c->home, "watch", f);
    return e == OK ? path_join(c->control_path, c->home, "control.sock", f) : e;
}

enum err config_load(const char *home, struct config *out, struct buf *report, struct fault *f)
{
    enum err e;

    *out = (struct config){0};
    e = set_paths(home, out, f);
    if (e == OK)
        e = load_settings(out, report, f);
    if (e == OK)
        e = load_catalogue(out, report, f);
    if (e != OK)
        config_free(out);
    return e;
}

void config_free(struct config *c)
{
    catalogue_free(&c->catalogue);
}
