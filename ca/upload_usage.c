/* SPDX-License-Identifier: Apache-2.0 */
/* upload_usage: the usages of a certificate that some CA issued, and whether it is one of a CA, held against
 * the request and the purpose. */
#include <stdio.h>
#include <string.h>

#include "ca/policy.h"

static bool is_in_group(const struct profile *p, const char *group)
{
    return strncmp(p->id, group, strlen(group)) == 0;
}

/* ---- keyUsage ---- */

static void ku_finding(struct findings *fs, const char *rule, uint16_t got, uint16_t want)
{
    char got_text[USAGE_TEXT_MAX], want_text[USAGE_TEXT_MAX];

    ku_names(got, got_text);
    ku_names(want, want_text);
    finding_add(fs, rule, "certificate.keyUsage", got_text, want_text);
}

static void ku_against_request(const struct upload *u, struct findings *fs)
{
    uint16_t differs = u->leaf->ku ^ u->request->ku;
    bool was_asked = (u->request->ku & KU_DATA_ENCIPHERMENT) != 0;

    if (differs != 0)
        ku_finding(fs, "usage.key.mismatch", u->leaf->ku, u->request->ku);
    if ((differs & KU_DATA_ENCIPHERMENT) != 0)
        finding_add(fs, "usage.data-encipherment", "certificate.keyUsage",
                    was_asked ? "not in the certificate" : "in the certificate",
                    was_asked ? "asked for by the request" : "not asked for by the request");
}

static void ku_against_profile(const struct upload *u, struct findings *fs, enum key_type key)
{
    const struct profile_usage *p = profile_ku(u->profile, key);
    uint16_t missing = p == NULL ? 0 : p->required & (uint16_t)~u->leaf->ku;

    if (missing != 0)
        ku_finding(fs, "usage.key.lost", u->leaf->ku, missing);
}

/* docs/products.md, 6: a phone signs, and with RSA deciphers keys. */
void phone_usage_find(struct findings *fs, const char *field, const struct profile *p, enum key_type key,
                      uint16_t ku)
{
    uint16_t need = key == KEY_RSA ? KU_DIGITAL_SIGNATURE | KU_KEY_ENCIPHERMENT : KU_DIGITAL_SIGNATURE;
    char got[USAGE_TEXT_MAX], want[USAGE_TEXT_MAX];

    if (!is_in_group(p, "phone/") || (need & (uint16_t)~ku) == 0)
        return;
    ku_names(ku, got);
    ku_names(need & (uint16_t)~ku, want);
    finding_add(fs, "lsc.usage", field, got, want);
}

static void key_usages(const struct upload *u, struct findings *fs)
{
    struct key_kind key = {0};

    if (!key_kind_of(u->leaf->spki, &key))
        return;
    phone_usage_find(fs, "certificate.keyUsage", u->profile, key.type, u->leaf->ku);
    if (u->profile->is_ca) /* capf.not-a-ca says it all: the request never asks for what it needs */
        return;
    if (u->request->has_ku)
        ku_against_request(u, fs);
    else if (u->leaf->has_ku)
        ku_against_profile(u, fs, key.type);
}

/* ---- extendedKeyUsage ---- */

static void eku_finding(struct findings *fs, const char *rule, uint32_t got, uint32_t want)
{
    char got_text[USAGE_TEXT_MAX], want_text[USAGE_TEXT_MAX];

    eku_names(got, got_text);
    eku_names(want, want_text);
    finding_add(fs, rule, "certificate.extendedKeyUsage", got_text, want_text);
}

void expressway_usage_find(struct findings *fs, const char *field, const struct profile *p, uint32_t eku)
{
    char got[USAGE_TEXT_MAX];

    if (!is_in_group(p, "expressway/") || (eku & 1u << EKU_CLIENT_AUTH) != 0)
        return;
    eku_names(eku, got);
    finding_add(fs, "eku.client", field, got, eku_name(EKU_CLIENT_AUTH));
}

static void extended_usages(const struct upload *u, struct findings *fs)
{
    uint32_t given = eku_set_of(u->leaf->eku, u->leaf->eku_count);
    uint32_t asked = eku_set_of(u->request->eku, u->request->eku_count);
    uint32_t lost = u->profile->eku_required & ~given;

    if (!u->leaf->has_eku)
        eku_finding(fs, "cc.eku", given, u->profile->eku_required);
    if (lost != 0)
        eku_finding(fs, "usage.ext.lost", given, lost);
    if (u->request->has_eku && given != asked)
        eku_finding(fs, "usage.ext.mismatch", given, asked);
    expressway_usage_find(fs, "certificate.extendedKeyUsage", u->profile, given);
}

/* ---- a CA or not ---- */

static void authority(const struct upload *u, struct findings *fs)
{
    const struct certificate_facts *c = u->leaf;
    uint16_t need = KU_DIGITAL_SIGNATURE | KU_KEY_CERT_SIGN;
    char names[USAGE_TEXT_MAX], got[USAGE_TEXT_MAX + 64];

    if (!u->profile->is_ca) {
        if (c->is_ca)
            finding_add(fs, "ca.unexpected", "certificate.basicConstraints", "CA:TRUE", "CA:FALSE or none");
        return;
    }
    if (c->is_ca && c->path_len == 0 && (c->ku & need) == need)
        return;
    ku_names(c->ku, names);
    if (c->is_ca && c->path_len >= 0)
        snprintf(got, sizeof got, "CA:TRUE, pathlen:%d, keyUsage %s", c->path_len, names);
    else
        snprintf(got, sizeof got, "%s, keyUsage %s", c->is_ca ? "CA:TRUE without pathlen" : "CA:FALSE",
                 names);
    finding_add(fs, "capf.not-a-ca", "certificate.basicConstraints", got,
                "CA:TRUE, pathlen:0, keyUsage digitalSignature, keyCertSign");
}

void upload_usages(const struct upload *u, struct findings *out)
{
    key_usages(u, out);
    extended_usages(u, out);
    authority(u, out);
}
