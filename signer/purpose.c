/* SPDX-License-Identifier: Apache-2.0 */
/*
 * purpose: what a key is for, read from its specification and its certificate once, when the key is loaded.
 * Everything later is compared with this.
 */
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "base/log.h"
#include "base/parts.h"
#include "signer/inner.h"

static uint8_t *copy_of(struct span s)
{
    uint8_t *p = xmalloc(s.len);

    if (s.len > 0)
        memcpy(p, s.data, s.len);
    return p;
}

static enum err read_certificate(struct purpose *p, const struct signer_spec *spec, struct fault *f)
{
    struct parts parts;

    p->certificate_copy = copy_of(spec->certificate);
    if (!parts_of(span_of(p->certificate_copy, spec->certificate.len), &parts))
        return fault_set(f, ERR_KEY, "%s: its certificate is not a certificate in DER", spec->id);
    if (!span_eq(parts.spki, p->spki))
        return fault_set(f, ERR_KEY, "%s: %s is not the key of its certificate", spec->id, spec->uri);
    if (!parts_path_len(&parts, &p->path_len))
        return fault_set(f, ERR_KEY, "%s: its certificate is not a CA's", spec->id);
    if (parts.ski.len == 0)
        return fault_set(f, ERR_KEY, "%s: its certificate has no subjectKeyIdentifier", spec->id);
    p->name = parts.subject;
    p->ski = parts.ski;
    p->not_before_s = parts.not_before_s;
    p->not_after_s = parts.not_after_s;
    return OK;
}

/* One page that the processes of the role share, however many are started after. */
static _Atomic uint64_t *sealed_new(void)
{
    void *page =
        mmap(NULL, sizeof(_Atomic uint64_t), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

    if (page == MAP_FAILED)
        die("no page for the number of the latest seal");
    return page;
}

enum err purpose_read(struct purpose *p, const struct signer_spec *spec, struct span spki, struct fault *f)
{
    struct key_kind kind;

    *p = (struct purpose){.is_ocsp = spec->is_ocsp,
                          .is_audit = spec->is_audit,
                          .is_new_root = spec->is_new_root,
                          .may_leaf = spec->may_leaf,
                          .may_subordinate = spec->may_subordinate,
                          .path_len = -1};
    strcpy(p->id, spec->id);
    p->spki_copy = copy_of(spki);
    p->spki = span_of(p->spki_copy, spki.len);
    if (!key_kind_of(p->spki, &kind) || (p->alg = sig_alg_for(&kind)) == SIG_NONE)
        return fault_set(f, ERR_KEY,
                         "%s: %s is not a key we sign with (RSA 2048 to 4096, P-256, P-384, P-521)", spec->id,
                         spec->uri);
    sha1_of(kind.key_bits, p->key_hash);
    if (spec->is_ocsp && spec->is_new_root)
        return fault_set(f, ERR_KEY, "%s: an OCSP key is no root", spec->id);
    if (spec->is_audit && (spec->is_ocsp || spec->is_new_root))
        return fault_set(f, ERR_KEY, "%s: the audit's key signs seals alone", spec->id);
    if (spec->is_audit && p->alg != SIG_ECDSA_SHA256)
        return fault_set(f, ERR_KEY, "%s: %s is not EC P-256, as the audit's key must be", spec->id,
                         spec->uri);
    if (!spec->is_ocsp && !spec->is_new_root && !spec->is_audit)
        return read_certificate(p, spec, f);
    if (spec->certificate.len > 0 || spec->may_leaf || spec->may_subordinate)
        return fault_set(f, ERR_KEY, "%s: a key without a certificate is for one kind of structure alone",
                         spec->id);
    if (spec->is_audit)
        p->sealed = sealed_new();
    return OK;
}

void purpose_free(struct purpose *p)
{
    free(p->spki_copy);
    free(p->certificate_copy);
    if (p->sealed != NULL)
        munmap(p->sealed, sizeof *p->sealed);
    *p = (struct purpose){0};
}
