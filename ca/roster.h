/* SPDX-License-Identifier: Apache-2.0 */
/* roster: the issuers of chancery.xml beside those of the store, and what follows of an issuer from how it
 * stands there. A part of the room's door, ca/ca.h, which other rooms include. */
#ifndef CA_ROSTER_H
#define CA_ROSTER_H

#include "store/store.h"

struct ca_config; /* ca.h */
struct ca_issuer;

#define ROSTER_TEXT_MAX 160u /* octets of what is told of one */
typedef void roster_fn(const char *text, void *arg);
/* Tells each issuer of the configuration that is not in the store, then each that is to issue for another
 * kind of key than its own: with one the service does not start. ERR_IO. */
enum err roster_refused(struct view *v, const struct ca_config *c, roster_fn *fn, void *arg);
/* False, and why, when it is to issue for keys of another kind than its own: a leaf with an EC key has an EC
 * chain all the way up. */
bool roster_key_suits(const struct ca_issuer *i, enum key_type own, char text[static ROSTER_TEXT_MAX]);
/* Tells each issuer of the store that is not in the configuration, though certificates of it have not ended
 * (revoked ones and held ones too; not those of OCSP signers, nor a root's own), or it is a new one that was
 * never in use. Reads as many rows as it has certificates. ERR_IO. */
enum err roster_dropped(struct view *v, const struct ca_config *c, int64_t now_s, roster_fn *fn, void *arg);
/* Was it never in use, neither for a CRL nor by an OCSP signer? So is one that `ca renew` has begun. */
bool roster_is_begun(struct view *v, const struct issuer *i);
/* Does it, and everything below it, issue nothing? So does one that was renewed: it may end. False also for
 * one that is not configured. */
bool roster_is_retired(const struct ca_config *c, const char *id);
/* May the OCSP signer of a retired issuer end? With the issuer, whose answers end then, or after it. */
bool roster_lets_signer_end(int64_t issuer_end_s, int64_t signer_end_s, int64_t now_s);
/* By what the end of an issuer's OCSP signer is judged, ending_judge(). `i` NULL: of one that is not
 * configured. */
void roster_signer_measures(const struct ca_config *c, const struct ca_issuer *i, int64_t *warn_s,
                            int64_t *life_s);

#endif
