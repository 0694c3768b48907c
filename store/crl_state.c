/* SPDX-License-Identifier: Apache-2.0 */
/* crl_state: numbers of an issuer's CRLs only rise: one is reserved, durably, before anything is signed under
 * it. */
#include <string.h>

#include "store/inner.h"

enum err crl_state_find(struct view *v, uint16_t issuer_no, struct crl_state *out)
{
    struct key key = key_of_issuer(issuer_no);
    struct span row = {0};
    enum err err = table_find(v, TABLE_CRL_STATE, key_span(&key), &row);

    memset(out, 0, sizeof *out);
    if (err == ERR_NOT_FOUND)
        return OK;
    if (err == OK && !row_get_crl_state(row, out))
        return table_damaged(TABLE_CRL_STATE, key_span(&key));
    return err;
}

/* As the txn has left it; false once the txn has failed. */
static bool find_in(struct txn *t, uint16_t issuer_no, struct crl_state *out)
{
    if (txn_error(t) == OK)
        txn_fail(t, crl_state_find(txn_view(t), issuer_no, out));
    return txn_error(t) == OK;
}

static void crl_state_set(struct txn *t, uint16_t issuer_no, const struct crl_state *s)
{
    struct key key = key_of_issuer(issuer_no);
    struct buf *row = txn_row(t);

    row_put_crl_state(row, s);
    table_set(t, TABLE_CRL_STATE, key_span(&key), buf_span(row));
}

void crl_state_reserve(struct txn *t, uint16_t issuer_no, uint64_t *number)
{
    struct crl_state s;

    *number = 0;
    if (!find_in(t, issuer_no, &s))
        return;
    *number = ++s.reserved;
    crl_state_set(t, issuer_no, &s);
}

void crl_state_raise(struct txn *t, uint16_t issuer_no, uint64_t by, uint64_t least)
{
    struct crl_state s;

    if (!find_in(t, issuer_no, &s))
        return;
    if (by > UINT64_MAX / 2 || s.reserved > UINT64_MAX / 2 - by || least > UINT64_MAX / 2) {
        txn_fail(t, ERR_CONFLICT);
        return;
    }
    s.reserved = s.reserved + by > least ? s.reserved + by : least;
    crl_state_set(t, issuer_no, &s);
}

void crl_state_publish(struct txn *t, uint16_t issuer_no, const struct crl_state *given)
{
    struct crl_state s = *given, old;

    if (!find_in(t, issuer_no, &old))
        return;
    if (s.number > old.reserved || s.number <= old.number) {
        txn_fail(t, ERR_CONFLICT);
        return;
    }
    s.reserved = old.reserved;
    crl_state_set(t, issuer_no, &s);
}
