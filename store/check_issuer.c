/* SPDX-License-Identifier: Apache-2.0 */
/*
 * check_issuer: does each issuer's row agree with the certificates? Its own is in the store twice, as a
 * certificate like any other, unless another CA issued it.
 */
#include <string.h>

#include "base/hash.h"
#include "base/parts.h"
#include "store/check.h"

static void check_signer(struct check *c, const struct issuer *i, uint16_t no)
{
    struct status s;

    if (issuer_has_responder(i) && (status_find(c->view, i->responder, &s) != OK || s.issuer_no != no))
        check_fault(c, "the OCSP signer of issuer %s has no certificate", i->id);
}

/* ---- its certificate ---- */

struct twin {
    struct span der;
    bool is_other, is_same;
};

static bool compare(const struct cert *c, void *arg)
{
    struct twin *t = arg;

    t->is_same = t->is_same || span_eq(c->der, t->der);
    t->is_other = t->is_other || !span_eq(c->der, t->der);
    return true;
}

/* What is stored under its serial, or on its key, is the same to the octet: when one octet is bent, one of
 * the two still leads there. */
static bool is_as_issued(struct check *c, struct span der, const struct parts *p)
{
    uint8_t key_hash[HASH_LEN];
    struct twin t = {.der = der};
    struct cert same;

    if (p->serial.len == SERIAL_LEN && cert_find(c->view, p->serial.data, &same) == OK)
        (void)compare(&same, &t);
    sha256_of(p->spki, key_hash);
    (void)cert_each_by_key(c->view, key_hash, compare, &t);
    return t.is_same || !t.is_other;
}

static void check_certificate(struct check *c, const struct issuer *i)
{
    struct parts own, parent;
    struct issuer above;

    if (!parts_of(i->certificate, &own))
        return check_fault(c, "the certificate of issuer %s cannot be read", i->id);
    if (!is_as_issued(c, i->certificate, &own))
        check_fault(c, "the certificate of issuer %s is not what was issued", i->id);
    if (i->parent[0] == '\0')
        return;
    if (issuer_find(c->view, i->parent, &above) != OK)
        check_fault(c, "the parent of issuer %s is not in the store", i->id);
    else if (!parts_of(above.certificate, &parent) || !span_eq(own.issuer, parent.subject))
        check_fault(c, "the certificate of issuer %s is not one of its parent's", i->id);
}

static void check_issuer(struct check *c, struct entry e)
{
    struct rd key = rd_of(e.key);
    uint16_t no = rd_u16(&key);
    struct issuer i;

    if (!rd_done(&key) || !row_get_issuer(e.row, &i) || no >= CHECK_ISSUERS)
        return check_fault(c, "an issuer's row cannot be read");
    c->has_issuer[no] = true;
    check_signer(c, &i, no);
    check_certificate(c, &i);
}

enum err check_issuers(struct check *c)
{
    return check_table(c, TABLE_ISSUER, check_issuer);
}
