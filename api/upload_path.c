/* SPDX-License-Identifier: Apache-2.0 */
/* upload_path: the certificates above one that is to be uploaded: who signed it, up to the root, out of our
 * own issuers and those that came with it. A name alone is no proof: the signature is checked. */
#include "api/preflight.h"

#include <stdio.h>
#include <string.h>

static void add_known(struct upload_path *p, const char *id, const struct certificate *c)
{
    const struct certificate_facts *f = certificate_facts_of(c);

    if (p->upload.known_count == KNOWN_CAS_MAX)
        return;
    for (size_t i = 0; i < p->upload.known_count; i++)
        if (span_eq(p->known[i].der, f->der))
            return;
    p->known[p->upload.known_count] = (struct ca_certificate){.der = f->der,
                                                              .subject = f->subject,
                                                              .issuer = f->issuer,
                                                              .spki = f->spki,
                                                              .subject_text = f->subject_text,
                                                              .issuer_text = f->issuer_text,
                                                              .issuer_url = f->issuer_url,
                                                              .signature_hash = f->signature_hash};
    snprintf(p->known[p->upload.known_count++].id, ISSUER_ID_MAX, "%s", id);
}

static bool add_ours(const struct issuer *i, void *arg)
{
    struct upload_path *p = arg;
    struct certificate *c;

    if (p->our_count == ISSUERS_MAX || certificate_parse_ours(i->certificate, &c, NULL) != OK)
        return true;
    p->ours[p->our_count++] = c;
    add_known(p, i->id, c);
    return true;
}

/* Signatures verified for one path: a chain has five levels at the very most, with a CA's name in use by two
 * or three of its generations. Who sends a file of one name all over would have each tried at each level. */
#define VERIFIED_MAX 20u

static bool is_on_path(const struct upload_path *p, const struct ca_certificate *c)
{
    for (size_t i = 0; i < p->upload.chain_count; i++)
        if (p->upload.chain[i] == c)
            return true;
    return false;
}

static const struct ca_certificate *issuer_of(struct upload_path *p, struct span der, struct span issuer_name)
{
    for (size_t i = 0; i < p->upload.known_count; i++)
        if (span_eq(p->known[i].subject, issuer_name) && !is_on_path(p, &p->known[i]) &&
            p->verified++ < VERIFIED_MAX && certificate_is_signed_by(der, p->known[i].der))
            return &p->known[i];
    return NULL;
}

/* Climbs until a certificate has issued itself, or nobody is known who issued it. */
static void climb(struct upload_path *p, const struct certificate_facts *leaf)
{
    struct ca_certificate at = {.der = leaf->der,
                                .subject = leaf->subject,
                                .issuer = leaf->issuer,
                                .issuer_text = leaf->issuer_text,
                                .issuer_url = leaf->issuer_url};
    const struct ca_certificate *above;

    while (!span_eq(at.subject, at.issuer)) {
        above = p->upload.chain_count < KNOWN_CAS_MAX ? issuer_of(p, at.der, at.issuer) : NULL;
        if (above == NULL) {
            p->upload.missing = at.issuer_text;
            p->upload.missing_url = at.issuer_url;
            return;
        }
        p->upload.chain[p->upload.chain_count++] = above;
        at = *above;
    }
}

void upload_path_open(struct view *v, struct upload_path *out)
{
    *out = (struct upload_path){.upload.known = out->known};
    (void)issuer_each(v, add_ours, out); /* a store that fails leaves them missing, and that is said */
}

void upload_path_given(const struct certificate_file *f, struct upload_path *out)
{
    for (size_t i = 0; i < f->count; i++)
        if (i != f->leaf)
            add_known(out, "", f->certs[i]);
    out->upload.leaf = certificate_facts_of(f->certs[f->leaf]);
    climb(out, out->upload.leaf);
}

void upload_path_ours(struct view *v, const char *issuer_id, struct upload_path *out)
{
    char id[ISSUER_ID_MAX];
    struct issuer i;
    struct certificate *c;

    *out = (struct upload_path){.upload.known = out->known};
    snprintf(id, sizeof id, "%s", issuer_id);
    while (id[0] != '\0' && out->our_count < ISSUERS_MAX && issuer_find(v, id, &i) == OK) {
        if (certificate_parse_ours(i.certificate, &c, NULL) != OK)
            return;
        out->ours[out->our_count++] = c;
        add_known(out, i.id, c);
        out->upload.chain[out->upload.chain_count++] = &out->known[out->upload.known_count - 1];
        snprintf(id, sizeof id, "%s", i.parent);
    }
}

void upload_path_free(struct upload_path *p)
{
    for (size_t i = 0; i < p->our_count; i++)
        certificate_free(p->ours[i]);
    p->our_count = 0;
}
