/* SPDX-License-Identifier: Apache-2.0 */
/*
 * renew: a new generation of an issuer. It has a key and a name of its own; the old one goes on publishing
 * CRLs and answering OCSP for what it signed, and issues no more. Of a home whose service is stopped: issuers
 * are a start's business.
 *
 * Steps, each durable before the next, so that a service starts after any of them, the old one until the
 * last: keys; then issuer, certificate and audit row in one transaction, so that nothing signed is ever on
 * the disk and not in the store; then what is made of these rows, the files; then chancery.xml. Run again
 * after it was killed, it takes the keys and the rows that are there and goes on.
 */
#ifndef API_RENEW_H
#define API_RENEW_H

#include "api/result.h"

/* `chancery ca renew ID [--parent ID]`; `parent` NULL: that of the old one. Exit code. */
int renew_main(const struct local_run *how, const char *id, const char *parent);

#endif
