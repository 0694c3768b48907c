/* SPDX-License-Identifier: Apache-2.0 */
/* ca: the store as the role needs it: without a view or a transaction of it there is nothing left to do. */
#include "base/log.h"
#include "ca/inner.h"

struct view *ca_view(const struct ca *ca)
{
    struct view *v = NULL;

    if (view_open(ca->store, &v) != OK)
        die("the store cannot be read");
    return v;
}

struct txn *ca_txn(const struct ca *ca)
{
    struct txn *t = NULL;

    if (txn_begin(ca->store, &t) != OK)
        die("the store refuses a transaction");
    return t;
}
