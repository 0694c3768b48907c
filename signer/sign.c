/* SPDX-License-Identifier: Apache-2.0 */
/* sign: check, hash, sign, in that order and for every kind of structure. A CRL that arrives in pieces has
 * session.c. */
#include <string.h>

#include "signer/inner.h"

enum err probe_sign(const struct signer_key *k, struct span octets, uint8_t signature[static SIGNATURE_MAX],
                    size_t *len, struct fault *f)
{
    uint8_t text[sizeof PORT_PROBE_PREFIX - 1 + PORT_PROBE_MAX], digest[HASH_LEN_MAX];
    enum hash_alg hash = sig_alg_hash(key_purpose(k)->alg);
    size_t prefix_len = sizeof PORT_PROBE_PREFIX - 1;

    *len = 0;
    if (octets.len > PORT_PROBE_MAX)
        return fault_set(f, ERR_MALFORMED, "probe: longer than %d octets", PORT_PROBE_MAX);
    memcpy(text, PORT_PROBE_PREFIX, prefix_len);
    if (octets.len > 0)
        memcpy(text + prefix_len, octets.data, octets.len);
    hash_of(hash, span_of(text, prefix_len + octets.len), digest);
    return key_sign(k, span_of(digest, hash_len(hash)), signature, len, f);
}

static enum err check_crl(const struct purpose *p, struct span tbs, int64_t now_s, struct fault *f)
{
    struct crl_check *c = crl_check_new(p, tbs.len, now_s);

    crl_check_add(c, tbs);
    return crl_check_end(c, f);
}

static enum err check(const struct purpose *p, enum port_kind kind, struct span tbs, int64_t now_s,
                      struct fault *f)
{
    if (kind == PORT_CERTIFICATE)
        return check_certificate(p, tbs, f);
    if (kind == PORT_CRL_BEGIN)
        return check_crl(p, tbs, now_s, f);
    if (kind == PORT_OCSP)
        return check_ocsp(p, tbs, now_s, f);
    if (kind == PORT_SEAL)
        return check_seal(p, tbs, now_s, f);
    return fault_set(f, ERR_POLICY, "port.kind: nothing that is signed");
}

enum err signer_sign(const struct signer_key *k, enum port_kind kind, struct span tbs, int64_t now_s,
                     uint8_t signature[static SIGNATURE_MAX], size_t *signature_len, struct fault *f)
{
    enum hash_alg hash = sig_alg_hash(key_purpose(k)->alg);
    uint8_t digest[HASH_LEN_MAX];
    enum err e;

    *signature_len = 0;
    if (kind == PORT_PROBE)
        return probe_sign(k, tbs, signature, signature_len, f);
    e = check(key_purpose(k), kind, tbs, now_s, f);
    if (e != OK)
        return e;
    hash_of(hash, tbs, digest);
    return key_sign(k, span_of(digest, hash_len(hash)), signature, signature_len, f);
}
