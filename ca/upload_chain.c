/* SPDX-License-Identifier: Apache-2.0 */
/* upload_chain: the certificates above one that is to be uploaded: whether they are all there, and what the
 * products have against them. */
#include "ca/policy.h"

static void missing(const struct upload *u, struct findings *fs)
{
    if (u->missing.len > 0)
        upload_find(fs, "chain.missing", "chain", u->missing,
                    u->missing_url.len > 0 ? u->missing_url : span_str("it from that certificate authority"));
}

static void key_types(const struct upload *u, struct findings *fs)
{
    struct key_kind leaf = {0}, above = {0};
    bool is_mixed = false;

    if (!key_kind_of(u->leaf->spki, &leaf) || leaf.type != KEY_EC)
        return;
    is_mixed = u->leaf->signed_by == KEY_RSA;
    for (size_t i = 0; i < u->chain_count; i++)
        is_mixed = is_mixed || (key_kind_of(u->chain[i]->spki, &above) && above.type == KEY_RSA);
    if (is_mixed)
        upload_find(fs, "chain.key-type", "chain", u->leaf->issuer_text, span_str("EC keys up to the root"));
}

/* One finding for each subject that two keys share. */
static void duplicates(const struct upload *u, struct findings *fs)
{
    for (size_t i = 0; i < u->known_count; i++)
        for (size_t j = 0; j < i; j++) {
            const struct ca_certificate *a = &u->known[i], *b = &u->known[j];

            if (!span_eq(a->subject, b->subject) || span_eq(a->spki, b->spki))
                continue;
            upload_find(fs, "trust.duplicate-dn", "chain", a->subject_text,
                        span_str("one certificate for each subject"));
            break;
        }
}

void upload_chain(const struct upload *u, struct findings *out)
{
    missing(u, out);
    key_types(u, out);
    duplicates(u, out);
}
