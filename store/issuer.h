/* SPDX-License-Identifier: Apache-2.0 */
/* issuer: issuers, and the certificates of their OCSP signers. A part of the room's door, store/store.h,
 * which says how views and txns are used. */
#ifndef STORE_ISSUER_H
#define STORE_ISSUER_H

#include "base/buf.h"
#include "base/err.h"
#include "base/limits.h"

struct view;
struct txn;

struct issuer {
    uint16_t no;                   /* 1.., given by issuer_add: the short form in every row */
    char id[ISSUER_ID_MAX];        /* "rsa-g1" */
    char parent[ISSUER_ID_MAX];    /* "" for a root */
    struct span certificate;       /* DER */
    uint8_t responder[SERIAL_LEN]; /* serial of the OCSP signer's present certificate; all zero: none yet */
};
bool issuer_has_responder(const struct issuer *i);

void issuer_add(struct txn *t, const struct issuer *i,
                uint16_t *no); /* i->no and responder are not read; an id that is there, or
                                 crl_part_is_named() either way: ERR_CONFLICT */
void issuer_set_responder(struct txn *t, uint16_t no, const uint8_t serial[static SERIAL_LEN]);
enum err issuer_find(struct view *v, const char *id, struct issuer *out); /* ERR_NOT_FOUND */
enum err issuer_find_no(struct view *v, uint16_t no, struct issuer *out); /* ERR_NOT_FOUND */
/* The certificate of an issuer's OCSP signer on another host, by that host's name: lower-case letters, digits
 * and hyphens. */
#define RESPONDER_HOST_MAX 32u /* octets with the NUL */
void responder_set(struct txn *t, uint16_t issuer_no, const char *host,
                   const uint8_t serial[static SERIAL_LEN]);
enum err responder_find(struct view *v, uint16_t issuer_no, const char *host,
                        uint8_t serial[static SERIAL_LEN]); /* ERR_NOT_FOUND */
/* In order of number. fn returns false to stop. */
enum err issuer_each(struct view *v, bool (*fn)(const struct issuer *i, void *arg), void *arg);

#endif
