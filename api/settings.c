/* SPDX-License-Identifier: Apache-2.0 */
/* settings: the configuration files of a new home, complete, with every default written out. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "api/home_file.h"
#include "api/init.h"
#include "base/log.h"

static void put_issuer_element(struct buf *b, const struct plan *p)
{
    buf_printf(b, "  <issuer id=\"%s\"", p->id);
    if (p->issues != NULL)
        buf_printf(b, " parent=\"%s\" issues=\"%s\"", p->parent, p->issues);
    buf_printf(b, " key=\"file:keys/%s.key\" ocsp-key=\"file:keys/%s-ocsp.key\">\n", p->id, p->id);
    buf_printf(b, "    <crl every=\"%s\" overlap=\"72h\"/>\n  </issuer>\n", p->crl_every);
}

static void put_attr(struct buf *b, const char *name, const char *value)
{
    buf_printf(b, " %s=\"", name);
    xml_escape(b, value);
    buf_put_str(b, "\"");
}

/* The host of ADDR:PORT without brackets. */
static void listen_host(const char *where, char *out, size_t cap)
{
    const char *colon = strrchr(where, ':');
    size_t len = colon != NULL ? (size_t)(colon - where) : strlen(where);

    if (len >= 2 && where[0] == '[' && where[len - 1] == ']') {
        where++;
        len -= 2;
    }
    snprintf(out, cap, "%.*s", (int)len, where);
}

static void put_listener_names(struct buf *b, const struct init_options *o)
{
    char host[128];
    const char *const names[] = {o->host, "localhost", "127.0.0.1", "::1", host};
    size_t count = 4;

    listen_host(o->https, host, sizeof host);
    if (host[0] != '\0' && strcmp(host, "0.0.0.0") != 0 && strcmp(host, "::") != 0)
        count = 5;
    for (size_t i = 0; i < count; i++) {
        bool twice = false;

        for (size_t k = 0; k < i; k++)
            twice = twice || strcasecmp(names[i], names[k]) == 0;
        if (twice)
            continue;
        buf_put_str(b, "    <name");
        put_attr(b, "value", names[i]);
        buf_put_str(b, "/>\n");
    }
}

/* Port 0 asks for a free one: it is chosen now, because certificates name it for as long as they live. `fd`
 * holds it until both are chosen. */
static enum err settle_port(const char **where, char out[static LISTEN_TEXT_MAX], int *fd, struct fault *f)
{
    const char *colon = strrchr(*where, ':');
    enum err e;

    if (colon == NULL || strcmp(colon, ":0") != 0)
        return OK;
    e = http_listen_tcp(*where, fd, f);
    if (e == OK)
        e = http_bound(*fd, out, LISTEN_TEXT_MAX);
    if (e == OK)
        *where = out;
    return e;
}

static enum err settle_ports(struct init *in)
{
    int http_fd = -1, https_fd = -1;
    enum err e = settle_port(&in->settled.http, in->http, &http_fd, &in->f);

    if (e == OK)
        e = settle_port(&in->settled.https, in->https, &https_fd, &in->f);
    if (http_fd >= 0)
        close(http_fd);
    if (https_fd >= 0)
        close(https_fd);
    return e;
}

/* http://HOST:PORT as it stands in certificates; port 80 is left out. */
static void set_public_url(struct init *in)
{
    const char *colon = strrchr(in->o->http, ':');
    const char *port = colon != NULL ? colon + 1 : "80";

    if (strcmp(port, "80") == 0)
        snprintf(in->public_url, sizeof in->public_url, "http://%.200s", in->o->host);
    else
        snprintf(in->public_url, sizeof in->public_url, "http://%.200s:%.8s", in->o->host, port);
}

static void write_settings(struct init *in, struct buf *b)
{
    const struct init_options *o = in->o;

    buf_put_str(b, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
                   "<!-- The whole configuration of this home. `chancery config check` explains every "
                   "mistake; docs/configuration.md says\n"
                   "     what SIGHUP puts into effect and what a restart. -->\n"
                   "<chancery xmlns=\"urn:chancery:configuration:1\">\n  <service");
    put_attr(b, "name", o->name);
    put_attr(b, "host", o->host);
    buf_printf(b, " node=\"%d\"/>\n", FIRST_NODE);
    buf_put_str(b, "  <confine level=\"full\"/>\n  <http");
    put_attr(b, "listen", o->http);
    put_attr(b, "public-url", in->public_url);
    buf_put_str(b, "/>\n  <https");
    put_attr(b, "listen", o->https);
    buf_put_str(b, " validity=\"90d\">\n");
    put_listener_names(b, o);
    buf_put_str(b, "  </https>\n  <store map-size-mib=\"1024\"/>\n"
                   "  <ocsp validity=\"24h\" signer-validity=\"14d\"/>\n  <crl on-revocation=\"false\"/>\n"
                   "  <audit key=\"file:keys/audit.key\" syslog=\"false\"/>\n");
    for (size_t i = 0; i < ISSUERS; i++)
        put_issuer_element(b, &plans[i]);
    buf_put_str(b, "</chancery>\n");
}

/* What was written must be readable by the service: it is held against the schema before the home is put in
 * place. */
enum err settings_make(struct init *in)
{
    struct config *c = xcalloc(1, sizeof *c);
    struct buf b;
    enum err e;

    buf_init(&b, XML_DOC_MAX);
    e = settle_ports(in);
    set_public_url(in);
    write_settings(in, &b);
    snprintf(c->home, sizeof c->home, "%s", in->o->home);
    if (e == OK)
        e = config_read("chancery.xml", buf_span(&b), c, NULL, &in->f);
    if (e == OK)
        e = home_file_put(in->dir, "chancery.xml", buf_span(&b), 0644, &in->f);
    if (e == OK)
        e = home_file_put(in->dir, "profiles.xml", catalogue_installed(), 0644, &in->f);
    buf_free(&b);
    free(c);
    return e;
}
