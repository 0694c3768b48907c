/* SPDX-License-Identifier: Apache-2.0 */
/*
 * session: one tbsCertList on its way through a port: checked and hashed as it arrives, signed after the last
 * octet. A list that is refused is drained to the announced length, so that the port stays in step and the
 * asker gets one answer.
 */
#include <stdio.h>
#include <stdlib.h>

#include "base/log.h"
#include "signer/inner.h"

struct session {
    const struct signer_key *key;
    uint64_t number;
    uint64_t left; /* octets yet to arrive */
    struct crl_check *check;
    struct hash *hash;
    struct fault fault;
};

struct session *session_new(const struct signer_key *k, uint64_t number, uint64_t total_len, int64_t now_s)
{
    struct session *s = xcalloc(1, sizeof *s);

    s->key = k;
    s->number = number;
    s->left = total_len;
    if (k == NULL) {
        (void)fault_set(&s->fault, ERR_NOT_FOUND, "port.key: no such key");
        return s;
    }
    s->check = crl_check_new(key_purpose(k), total_len, now_s);
    s->hash = hash_begin(sig_alg_hash(key_purpose(k)->alg));
    return s;
}

/* Ends check and hash, in whatever state they are. */
static void finish(struct session *s, uint8_t digest[static HASH_LEN_MAX])
{
    if (s->check != NULL)
        (void)crl_check_end(s->check, &s->fault);
    if (s->hash != NULL)
        hash_end(s->hash, digest);
    s->check = NULL;
    s->hash = NULL;
}

void session_free(struct session *s)
{
    uint8_t digest[HASH_LEN_MAX];

    if (s == NULL)
        return;
    finish(s, digest);
    free(s);
}

bool session_add(struct session *s, struct span piece)
{
    if (piece.len > s->left) {
        (void)fault_set(&s->fault, ERR_MALFORMED, "crl: more octets than announced");
        piece.len = (size_t)s->left;
    }
    s->left -= piece.len;
    if (s->check != NULL)
        crl_check_add(s->check, piece);
    if (s->hash != NULL)
        hash_add(s->hash, piece);
    return session_is_whole(s);
}

bool session_is_whole(const struct session *s)
{
    return s->left == 0;
}

void session_answer(struct session *s, struct port_answer *out)
{
    uint8_t digest[HASH_LEN_MAX];

    *out = (struct port_answer){.number = s->number};
    finish(s, digest);
    out->err = s->fault.code;
    if (out->err == OK)
        out->err = key_sign(s->key, span_of(digest, hash_len(sig_alg_hash(key_purpose(s->key)->alg))),
                            out->signature, &out->signature_len, &s->fault);
    snprintf(out->reason, sizeof out->reason, "%.*s", (int)sizeof out->reason - 1, s->fault.detail);
}
