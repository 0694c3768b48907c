/* SPDX-License-Identifier: Apache-2.0 */
/* config: what the ca takes from chancery.xml. The schema has checked the spelling; here is what it cannot
 * say. */
#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "ca/ca.h"

extern const uint8_t ca_chancery_xsd[];
extern const size_t ca_chancery_xsd_len;

#define SIGNER_LIFE_MAX_S                                                                                    \
    (397 * DAY_S) /* an OCSP signer carries nocheck: a stolen key is trusted until it ends */
#define TRUSTED_LIFE_MIN_S (90 * DAY_S)   /* a new one is uploaded by hand wherever it is trusted */
#define TRUSTED_LIFE_MAX_S (7305 * DAY_S) /* that of a root; cut to the issuer's own end */
#define PRUNE_AFTER_MIN_S                                                                                    \
    (7 * DAY_S) /* beyond a day of retries under an Idempotency-Key, and any clock that is wrong by a day */
#define PRUNE_AFTER_MAX_S (36500 * DAY_S)
#define LISTENER_LIFE_MAX_S (825 * DAY_S) /* days max of chancery/listener */

struct span ca_config_schema(void)
{
    return span_of(ca_chancery_xsd, ca_chancery_xsd_len);
}

static enum err read_span(const struct xml_node *n, const char *name, int64_t least, int64_t most,
                          int64_t *out, struct fault *f)
{
    const char *text = xml_attr(n, name);

    if (clock_parse_span(text, out) && *out >= least && *out <= most)
        return OK;
    return xml_fault(n, NULL, f, "<%s %s=\"%s\"> is not permitted; permitted: %llds to %lldd", xml_name(n),
                     name, text, (long long)least, (long long)(most / DAY_S));
}

static enum err read_service(const struct xml_node *root, struct ca_config *out, struct fault *f)
{
    const struct xml_node *service = xml_child(root, "service");
    enum err e = xml_copy(service, "host", out->host, sizeof out->host, f);

    out->node = (uint8_t)strtoul(xml_attr(service, "node"), NULL, 10);
    return e == OK
               ? xml_copy(xml_child(root, "http"), "public-url", out->public_url, sizeof out->public_url, f)
               : e;
}

/* The schema lets colons through; whether they are an address is asked here. */
static enum err read_name(const struct xml_node *n, void *arg, struct fault *f)
{
    struct ca_config *c = arg;
    char *out = c->listener_names[c->listener_name_count++];
    struct in6_addr a;
    enum err e = xml_copy(n, "value", out, DNS_NAME_MAX + 1, f);

    if (e == OK && strchr(out, ':') != NULL && inet_pton(AF_INET6, out, &a) != 1)
        return xml_fault(n, NULL, f,
                         "<name value=\"%s\"> is not permitted; permitted: an IPv6 address such as ::1", out);
    return e;
}

static enum err read_listener(const struct xml_node *root, struct ca_config *out, struct fault *f)
{
    const size_t most = sizeof out->listener_names / sizeof *out->listener_names;
    const struct xml_node *https = xml_child(root, "https");
    enum err e = read_span(https, "validity", DAY_S, LISTENER_LIFE_MAX_S, &out->listener_s, f);

    return e == OK ? xml_each(https, "name", most, read_name, out, f) : e;
}

/* A signer's certificate has to outlive the answers signed with it: half its life is left when it is
 * replaced. */
static enum err read_responder(const struct xml_node *root, struct ca_config *out, struct fault *f)
{
    const struct xml_node *ocsp = xml_child(root, "ocsp");
    int64_t answer_s = 0;
    enum err e = read_span(ocsp, "signer-validity", 3600, SIGNER_LIFE_MAX_S, &out->responder_s, f);

    if (e != OK)
        return e;
    e = read_span(ocsp, "trusted-validity", TRUSTED_LIFE_MIN_S, TRUSTED_LIFE_MAX_S, &out->trusted_s, f);
    if (e != OK)
        return e;
    if (!clock_parse_span(xml_attr(ocsp, "validity"), &answer_s) || answer_s > out->responder_s / 2)
        return xml_fault(
            ocsp, NULL, f,
            "<ocsp validity=\"%s\"> is not permitted; permitted: at most half of signer-validity",
            xml_attr(ocsp, "validity"));
    return OK;
}

static enum err read_host(const struct xml_node *n, void *arg, struct fault *f)
{
    struct ca_issuer *out = arg;

    for (size_t i = 0; i < out->host_count; i++)
        if (strcmp(out->hosts[i], xml_attr(n, "host")) == 0)
            return xml_fault(n, NULL, f, "<responder host=\"%s\"> stands there twice", out->hosts[i]);
    return xml_copy(n, "host", out->hosts[out->host_count++], RESPONDER_HOST_MAX, f);
}

static enum err read_issuer(const struct xml_node *n, void *arg, struct fault *f)
{
    struct ca_config *c = arg;
    struct ca_issuer *out = &c->issuers[c->count++];
    const struct xml_node *crl = xml_child(n, "crl"); /* the crl room holds its values against each other */
    const char *issues = xml_attr(n, "issues");
    enum err e = xml_copy(n, "id", out->id, sizeof out->id, f);

    out->is_trusted = strcmp(xml_attr(n, "ocsp-model"), "trusted") == 0;
    if (e == OK && strcmp(out->id, "ocsp") == 0)
        e = xml_fault(n, NULL, f,
                      "<issuer id=\"ocsp\"> is not permitted: `ca chain ocsp` gives the trusted "
                      "responders");
    if (e == OK)
        e = xml_each(n, "responder", RESPONDER_HOSTS_MAX, read_host, out, f);
    if (e == OK)
        e = xml_copy(n, "parent", out->parent, sizeof out->parent, f);
    out->shards =
        crl != NULL && xml_attr(crl, "shards") != NULL ? (unsigned)atoi(xml_attr(crl, "shards")) : 1;
    out->has_deltas = crl != NULL && xml_attr(crl, "delta-every") != NULL;
    out->issues = issues == NULL ? KEY_NONE : strcmp(issues, "rsa") == 0 ? KEY_RSA : KEY_EC;
    return e;
}

const struct ca_issuer *ca_issuer_find(const struct ca_config *c, const char *id)
{
    for (size_t i = 0; i < c->count; i++)
        if (strcmp(c->issuers[i].id, id) == 0)
            return &c->issuers[i];
    return NULL;
}

/* Every issuer's line of parents ends in a root; more steps than issuers are a circle. */
static bool ends_in_root(const struct ca_config *c, const struct ca_issuer *i)
{
    for (size_t steps = 0; i != NULL; steps++) {
        if (steps > c->count)
            return false;
        i = ca_issuer_find(c, i->parent); /* of a root: "", which is nobody's id */
    }
    return true;
}

static enum err check_parents(const struct xml_node *root, const struct ca_config *c, struct fault *f)
{
    const struct xml_node *n = xml_child(root, "issuer");

    for (size_t i = 0; i < c->count; i++, n = xml_next(n, "issuer"))
        if (!ends_in_root(c, &c->issuers[i]))
            return xml_fault(
                n, NULL, f,
                "<issuer parent=\"%s\"> is not permitted: it leads back to %s; permitted: an issuer above it",
                c->issuers[i].parent, c->issuers[i].id);
    return OK;
}

static enum err read_issuers(const struct xml_node *root, struct ca_config *out, struct fault *f)
{
    enum err e = xml_each(root, "issuer", ISSUERS_MAX, read_issuer, out, f);

    return e == OK ? check_parents(root, out, f) : e;
}

/* What the archive cutoff tells must be known. RFC 6960 4.4.4 */
static enum err read_prune(const struct xml_node *root, struct ca_config *out, struct fault *f)
{
    const struct xml_node *store = xml_child(root, "store");
    const char *cutoff = xml_attr(xml_child(root, "ocsp"), "archive-cutoff");
    int64_t cutoff_s = 0;
    enum err e;

    if (xml_attr(store, "prune-after") == NULL)
        return OK;
    e = read_span(store, "prune-after", PRUNE_AFTER_MIN_S, PRUNE_AFTER_MAX_S, &out->prune_after_s, f);
    if (e == OK && cutoff != NULL && clock_parse_span(cutoff, &cutoff_s) && cutoff_s > out->prune_after_s)
        return xml_fault(store, NULL, f,
                         "<store prune-after=\"%s\"> is not permitted; permitted: no less than <ocsp "
                         "archive-cutoff=\"%s\">",
                         xml_attr(store, "prune-after"), cutoff);
    return e;
}

static enum err read_audit(const struct xml_node *root, struct ca_config *out, struct fault *f)
{
    const struct xml_node *audit = xml_child(root, "audit");
    const char *where = audit != NULL ? xml_attr(audit, "syslog") : "false";

    if (strcmp(where, "false") == 0)
        return OK;
    if (strcmp(where, "true") == 0)
        where = "/dev/log";
    if (!span_to_str(span_str(where), out->syslog, sizeof out->syslog))
        return xml_fault(audit, NULL, f, "<audit>: syslog is longer than %zu octets", sizeof out->syslog - 1);
    return OK;
}

enum err ca_config_read(const struct xml_node *root, struct ca_config *out, struct fault *f)
{
    enum err e;

    *out = (struct ca_config){0};
    e = read_service(root, out, f);
    if (e == OK)
        e = read_listener(root, out, f);
    if (e == OK)
        e = read_responder(root, out, f);
    if (e == OK)
        e = access_config_read(root, &out->access, f);
    if (e == OK)
        e = read_audit(root, out, f);
    if (e == OK)
        e = read_prune(root, out, f);
    return e == OK ? read_issuers(root, out, f) : e;
}

const char *listener_cn(const struct ca_config *c)
{
    return strlen(c->host) <= CN_MAX ? c->host : "chancery";
}

const struct ca_issuer *ca_issuer_for(const struct ca_config *c, enum key_type type)
{
    for (size_t i = 0; type != KEY_NONE && i < c->count; i++)
        if (c->issuers[i].issues == type)
            return &c->issuers[i];
    return NULL;
}

const char *issuer_for_key(const struct ca_config *c, struct span spki)
{
    struct key_kind key;
    const struct ca_issuer *i = key_kind_of(spki, &key) ? ca_issuer_for(c, key.type) : NULL;

    return i != NULL ? i->id : "";
}

static bool same_hosts(const struct ca_issuer *a, const struct ca_issuer *b)
{
    if (a->host_count != b->host_count)
        return false;
    for (size_t i = 0; i < a->host_count; i++)
        if (strcmp(a->hosts[i], b->hosts[i]) != 0)
            return false;
    return true;
}

bool ca_config_same_issuers(const struct ca_config *a, const struct ca_config *b)
{
    if (a->count != b->count)
        return false;
    for (size_t i = 0; i < a->count; i++)
        if (strcmp(a->issuers[i].id, b->issuers[i].id) != 0 || a->issuers[i].issues != b->issuers[i].issues ||
            a->issuers[i].shards != b->issuers[i].shards ||
            a->issuers[i].has_deltas != b->issuers[i].has_deltas ||
            !same_hosts(&a->issuers[i], &b->issuers[i]))
            return false;
    return true;
}
