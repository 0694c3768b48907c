/* SPDX-License-Identifier: Apache-2.0 */
/* verdict: what the store says of one CertID, and for how long that may be told. */
#include "ocsp/inner.h"

enum err verdict_read(struct view *v, const struct ocsp_config *c, const struct served *by,
                      struct span serial, struct verdict *out)
{
    struct status row;
    enum err e;

    *out = (struct verdict){.state = SINGLE_UNKNOWN, .revoked_at_s = NO_TIME, .not_after_s = NO_TIME};
    if (by == NULL)
        return OK;
    if (c->is_extended_revoke)
        out->state = SINGLE_NOT_ISSUED;
    if (serial.len != SERIAL_LEN)
        return OK;
    e = status_find(v, serial.data, &row);
    if (e != OK)
        return e == ERR_NOT_FOUND ? OK : e;
    if (row.issuer_no != by->no) /* another issuer's serial: this one did not issue it */
        return OK;
    out->state = row.state == CERT_VALID ? SINGLE_GOOD : SINGLE_REVOKED;
    out->reason = row.state == CERT_HELD ? REASON_CERTIFICATE_HOLD : row.reason;
    out->revoked_at_s = row.state == CERT_VALID ? NO_TIME : row.revoked_at_s;
    out->not_after_s = row.not_after_s;
    return OK;
}

bool verdict_same(const struct verdict *a, const struct verdict *b)
{
    return a->state == b->state && a->revoked_at_s == b->revoked_at_s &&
           (a->state != SINGLE_REVOKED || a->reason == b->reason);
}

static int64_t earlier(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

/* A certificate that has expired is told of as long as any other: there is no end to come. */
int64_t verdict_next_update(const struct verdict *v, const struct ocsp_config *c, const struct delegate *d,
                            int64_t data_s, int64_t now_s)
{
    int64_t end_s = earlier(data_s + c->validity_s, d->not_after_s);

    if (v->state == SINGLE_UNKNOWN || v->state == SINGLE_NOT_ISSUED)
        end_s = earlier(end_s, now_s + OCSP_UNKNOWN_S);
    if (v->not_after_s != NO_TIME && v->not_after_s > now_s)
        end_s = earlier(end_s, v->not_after_s);
    return end_s;
}
