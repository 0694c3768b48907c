/* SPDX-License-Identifier: Apache-2.0 */
/*
 * catalogue: profiles.xml into validated policy. The schema has checked shapes and spellings; what two values
 * together must be is checked here, every mistake with its line. Rights that would let a client act as this
 * service (issuing, signing OCSP answers) are for the built-in profiles alone.
 */
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "ca/policy.h"

extern const uint8_t ca_profiles_xsd[], ca_profiles_xml[], ca_internal_xml[];
extern const size_t ca_profiles_xsd_len, ca_profiles_xml_len, ca_internal_xml_len;

#define OWN_GROUP "chancery/"

/* One file being read. */
struct reading {
    bool is_internal;
    struct buf *report;
    struct fault *fault;
    enum err err;
};

struct span catalogue_installed(void)
{
    return span_of(ca_profiles_xml, ca_profiles_xml_len);
}

static void reject(struct reading *r, const struct xml_node *n, const char *text)
{
    r->err = xml_fault(n, r->report, r->fault, "<%s>: %s", xml_name(n), text);
}

/* ---- values ---- */

static bool flag(const struct xml_node *n, const char *name)
{
    return strcmp(xml_attr(n, name), "true") == 0;
}

static unsigned number(const struct xml_node *n, const char *name)
{
    return (unsigned)strtoul(xml_attr(n, name), NULL, 10);
}

/* Calls `take` with each word of a list attribute; nothing when it is absent. */
static void each_word(const struct xml_node *n, const char *name, void (*take)(const char *word, void *out),
                      void *out)
{
    static const char space[] = " \t\r\n";
    const char *at = xml_attr(n, name);
    char word[64];

    for (at = at != NULL ? at + strspn(at, space) : ""; *at != '\0'; at += strspn(at, space)) {
        size_t len = strcspn(at, space);

        if (span_to_str(span_of(at, len), word, sizeof word)) /* the schema knows no longer one */
            take(word, out);
        at += len;
    }
}

static void take_ku(const char *word, void *out)
{
    uint16_t bit;

    if (ku_parse(word, &bit))
        *(uint16_t *)out |= bit;
}

static void take_eku(const char *word, void *out)
{
    enum eku e;

    if (eku_parse(word, &e))
        *(uint32_t *)out |= 1u << e;
}

static void take_size(const char *word, void *out)
{
    unsigned bits = (unsigned)strtoul(word, NULL, 10);
    struct profile *p = out;

    if (p->key_count < PROFILE_KEYS_MAX)
        p->keys[p->key_count++].bits = bits;
}

static void take_hash(const char *word, void *out)
{
    for (enum hash_alg h = HASH_SHA1; h <= HASH_SHA512; h++)
        if (strcmp(word, hash_name(h)) == 0)
            *(uint8_t *)out |= (uint8_t)(1u << h);
}

/* The place of a word in a list that ends with NULL; the schema knows no other word. */
static unsigned choice(const struct xml_node *n, const char *name, const char *const words[])
{
    unsigned i = 0;

    while (words[i + 1] != NULL && strcmp(words[i], xml_attr(n, name)) != 0)
        i++;
    return i;
}

static enum naming read_naming(const struct xml_node *n)
{
    static const char *const words[] = {
        [NAMING_FREE] = "free", [NAMING_VOS] = "vos",   [NAMING_CAPF] = "capf",
        [NAMING_LSC] = "lsc",   [NAMING_HOST] = "host", [NAMING_HOST + 1] = NULL,
    };

    return (enum naming)choice(n, "naming", words);
}

static enum san_rule read_san_rule(const struct xml_node *n)
{
    static const char *const words[] = {
        [SAN_FROM_CN] = "from-cn",
        [SAN_AS_ASKED] = "as-asked",
        [SAN_REQUIRED] = "required",
        [SAN_REQUIRED + 1] = NULL,
    };

    return (enum san_rule)choice(n, "san", words);
}

/* ---- elements ---- */

static void check_usage(struct reading *r, const struct xml_node *n, const struct profile *p,
                        const struct profile_usage *u)
{
    uint16_t permitted = u->required | u->tolerated;

    if ((u->required & ~u->preset) != 0)
        reject(r, n, "default lacks a usage that is required");
    if ((u->preset & ~permitted) != 0)
        reject(r, n, "default has a usage that is neither required nor tolerated");
    if (p->is_ca && (u->required & KU_KEY_CERT_SIGN) == 0)
        reject(r, n, "a profile with ca=\"true\" requires keyCertSign (RFC 5280 4.2.1.3)");
    if ((permitted & KU_ISSUING) != 0 && !p->is_ca)
        reject(r, n, "keyCertSign and cRLSign are for issuers; permitted: the other usages");
}

/* Of the sizes that are permitted, the largest that everybody takes. */
static void read_advised(struct reading *r, const struct xml_node *n, struct profile *p)
{
    bool is_size = false;

    if (xml_attr(n, "advised") == NULL)
        return;
    p->rsa_advised = number(n, "advised");
    for (size_t i = 0; i < p->key_count; i++)
        is_size = is_size || (p->keys[i].type == KEY_RSA && p->keys[i].bits == p->rsa_advised);
    if (!is_size)
        reject(r, n, "advised is none of the sizes; permitted: one of them");
}

static void read_keys(struct reading *r, const struct xml_node *n, enum key_type type, struct profile *p,
                      struct profile_usage *u)
{
    const struct xml_node *usage = xml_child(n, "key-usage");
    size_t first = p->key_count;

    each_word(n, "sizes", take_size, p);
    for (size_t i = first; i < p->key_count; i++)
        p->keys[i].type = type;
    each_word(usage, "required", take_ku, &u->required);
    each_word(usage, "tolerated", take_ku, &u->tolerated);
    each_word(usage, "default", take_ku, &u->preset);
    if (xml_attr(usage, "default") == NULL)
        u->preset = u->required;
    check_usage(r, usage, p, u);
    if (type == KEY_EC && !p->is_cisco && ((u->required | u->tolerated) & KU_ENCIPHERMENT) != 0)
        reject(r, usage,
               "RFC 8813 forbids keyEncipherment and dataEncipherment for EC keys; permitted on profiles "
               "with cisco=\"true\" alone");
}

static void read_extended(struct reading *r, const struct xml_node *profile, struct profile *p)
{
    const struct xml_node *n = xml_child(profile, "extended-key-usage");

    if (n == NULL) {
        if (!p->is_ca) /* peers in Common Criteria mode close the connection on a certificate without */
            reject(r, profile, "<extended-key-usage> is missing");
        return;
    }
    each_word(n, "required", take_eku, &p->eku_required);
    each_word(n, "tolerated", take_eku, &p->eku_tolerated);
    if (((p->eku_required | p->eku_tolerated) & 1u << EKU_OCSP_SIGNING) != 0 && !r->is_internal)
        reject(r, n, "OCSPSigning would let its holder answer for this service; permitted: the other usages");
}

static void read_days(struct reading *r, const struct xml_node *n, struct profile *p)
{
    p->days_default = number(n, "default");
    p->days_max = number(n, "max");
    if (p->days_default > p->days_max)
        reject(r, n, "default is more than max");
}

static void read_limit(struct reading *r, const struct xml_node *n, struct profile *p)
{
    struct name_limit *l;

    p->limits = realloc(p->limits, (p->limit_count + 1) * sizeof *p->limits);
    if (p->limits == NULL)
        die("out of memory");
    l = &p->limits[p->limit_count++];
    *l = (struct name_limit){.is_suffix = strcmp(xml_name(n), "suffix") == 0};
    if (!span_to_str(span_str(xml_attr(n, "value")), l->value, sizeof l->value))
        reject(r, n, "the name is longer than 253 octets");
}

static void read_limits(struct reading *r, const struct xml_node *profile, struct profile *p)
{
    const struct xml_node *names = xml_child(profile, "names");

    if (names == NULL)
        return;
    for (const struct xml_node *n = xml_child(names, NULL); n != NULL; n = xml_next(n, NULL))
        read_limit(r, n, p);
}

static void check_profile(struct reading *r, const struct xml_node *n, const struct profile *p)
{
    bool is_own = strncmp(p->id, OWN_GROUP, strlen(OWN_GROUP)) == 0;

    if (is_own && !r->is_internal)
        reject(r, n, "the group chancery/ is the service's own; permitted: any other");
    if (p->wildcards && p->is_cisco)
        reject(r, n, "Cisco products refuse wildcards; permitted with cisco=\"true\": wildcards=\"false\"");
    if (p->key_count == 0)
        reject(r, n, "no kind of key; permitted: <rsa>, <ec> or both");
}

static void read_profile(struct reading *r, const struct xml_node *n, struct profile *p)
{
    const struct xml_node *rsa = xml_child(n, "rsa"), *ec = xml_child(n, "ec");

    *p = (struct profile){
        .is_internal = r->is_internal,
        .is_cisco = flag(n, "cisco"),
        .always_table = flag(n, "always-table"),
        .is_ca = flag(n, "ca"),
        .multi_server = flag(n, "multi-server"),
        .naming = read_naming(n),
        .san_rule = read_san_rule(n),
        .wildcards = flag(n, "wildcards"),
        .ip_sans = flag(n, "ip-names"),
        .domain_sans = flag(n, "domain-names"),
        .drop_ou = strcmp(xml_attr(n, "ou"), "drop") == 0,
    };
    /* who may issue is decided by a person, unless the site says otherwise; our own issuers are made by init
     */
    p->needs_approval = xml_attr(n, "approval") != NULL ? flag(n, "approval") : p->is_ca && !r->is_internal;
    each_word(n, "hashes", take_hash, &p->hashes);
    if (!span_to_str(span_str(xml_attr(n, "id")), p->id, sizeof p->id))
        reject(r, n, "the id is longer than 63 octets");
    if (!span_to_str(span_str(xml_attr(n, "title")), p->title, sizeof p->title))
        reject(r, n, "the title is longer than 127 octets");
    if (rsa != NULL) {
        read_keys(r, rsa, KEY_RSA, p, &p->ku_rsa);
        read_advised(r, rsa, p);
    }
    if (ec != NULL)
        read_keys(r, ec, KEY_EC, p, &p->ku_ec);
    read_extended(r, n, p);
    read_limits(r, n, p);
    read_days(r, xml_child(n, "days"), p);
    check_profile(r, n, p);
}

/* ---- files ---- */

static void append(struct catalogue *c, const struct profile *p)
{
    c->profiles = realloc(c->profiles, (c->count + 1) * sizeof *p);
    if (c->profiles == NULL)
        die("out of memory");
    c->profiles[c->count++] = *p;
}

static enum err read_file(struct reading *r, const char *name, struct span content, struct catalogue *out)
{
    struct xml *x = NULL;
    struct profile p;
    enum err e =
        xml_parse(name, content, span_of(ca_profiles_xsd, ca_profiles_xsd_len), &x, r->report, r->fault);

    if (e != OK)
        return e;
    for (const struct xml_node *n = xml_child(xml_root(x), "profile"); n != NULL;
         n = xml_next(n, "profile")) {
        read_profile(r, n, &p);
        append(out, &p);
    }
    xml_free(x);
    return r->err;
}

enum err catalogue_load(const char *name, struct span content, struct catalogue *out, struct buf *report,
                        struct fault *f)
{
    struct reading site = {.report = report, .fault = f};
    struct reading internal = {.is_internal = true, .report = report, .fault = f};
    bool is_installed = content.len == 0;
    enum err e;

    *out = (struct catalogue){0};
    e = read_file(&site, is_installed ? "the installed profiles.xml" : name,
                  is_installed ? catalogue_installed() : content, out);
    if (e == OK)
        e = read_file(&internal, "internal.xml", span_of(ca_internal_xml, ca_internal_xml_len), out);
    if (e != OK)
        catalogue_free(out);
    return e;
}

void catalogue_free(struct catalogue *c)
{
    for (size_t i = 0; i < c->count; i++)
        free(c->profiles[i].limits);
    free(c->profiles);
    *c = (struct catalogue){0};
}

const struct profile *profile_find(const struct catalogue *c, const char *id)
{
    for (size_t i = 0; i < c->count; i++)
        if (strcmp(c->profiles[i].id, id) == 0)
            return &c->profiles[i];
    return NULL;
}
