/* SPDX-License-Identifier: Apache-2.0 */
/* What a captured ca, crl or ocsp could send the signer as messages, to keys of every kind: each is answered,
 * or is a piece of a list; there is a signature or a reason. The input is the port and pieces, each a length
 * in two octets and a message. */
#include <assert.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <sys/socket.h>

#include "signer/role.c"

#include "tests/fuzz/fuzz.h"

#define NOW_S INT64_C(1780000000) /* 2026-05-28: the seeds' own time */

/* ECPrivateKey of P-256, RFC 5915: the number one, so that the public key is the curve's base point. */
static const uint8_t private_key[] = "\x30\x31\x02\x01\x01\x04\x20"
                                     "\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\x01"
                                     "\xa0\x0a\x06\x08\x2a\x86\x48\xce\x3d\x03\x01\x07";

enum { KEY_CA, KEY_ROOT, KEY_OCSP, KEY_AUDIT, KEY_COUNT };
static struct signer_key *keys[KEY_COUNT];

static int64_t now_s(void)
{
    return NOW_S;
}

static EVP_PKEY *key_read(void)
{
    const uint8_t *at = private_key;
    EVP_PKEY *key = d2i_PrivateKey(EVP_PKEY_EC, NULL, &at, sizeof private_key - 1);

    assert(key != NULL);
    return key;
}

static void extend(X509 *x, int nid, const char *value)
{
    X509_EXTENSION *e = X509V3_EXT_conf_nid(NULL, NULL, nid, value);

    assert(e != NULL && X509_add_ext(x, e, -1) == 1);
    X509_EXTENSION_free(e);
}

/* The certificate of the seeds' CA: its SKI is zeros. */
static uint8_t *ca_certificate(EVP_PKEY *key, size_t *len)
{
    X509_NAME *name = X509_NAME_new();
    uint8_t *der = NULL;
    X509 *x = X509_new();
    int n;

    X509_NAME_add_entry_by_txt(name, "O", MBSTRING_UTF8, (const uint8_t *)"Example UC", -1, -1, 0);
    X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_UTF8, (const uint8_t *)"Test CA G1", -1, -1, 0);
    X509_set_version(x, X509_VERSION_3);
    ASN1_INTEGER_set(X509_get_serialNumber(x), 2);
    X509_set_subject_name(x, name);
    X509_set_issuer_name(x, name);
    X509_set_pubkey(x, key);
    ASN1_TIME_set(X509_getm_notBefore(x), NOW_S);
    ASN1_TIME_set(X509_getm_notAfter(x), NOW_S + 3650 * INT64_C(86400));
    extend(x, NID_basic_constraints, "critical,CA:TRUE,pathlen:2");
    extend(x, NID_subject_key_identifier, "0000000000000000000000000000000000000000");
    assert(X509_sign(x, key, EVP_sha256()) > 0);
    n = i2d_X509(x, &der);
    assert(n > 0);
    *len = (size_t)n;
    X509_NAME_free(name);
    X509_free(x);
    return der;
}

static void load(struct signer_spec spec, struct signer_key **out)
{
    struct fault f = {0};

    assert(signer_key_load(&spec, out, &f) == OK);
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    char path[] = "/tmp/fuzz-port-XXXXXX", uri[sizeof path + 5];
    int fd = mkstemp(path);
    EVP_PKEY *key = key_read();
    FILE *out = fdopen(fd, "w");
    size_t len;
    uint8_t *certificate = ca_certificate(key, &len);

    (void)argc, (void)argv;
    assert(PEM_write_PrivateKey(out, key, NULL, NULL, 0, NULL, NULL) == 1 && fclose(out) == 0);
    snprintf(uri, sizeof uri, "file:%s", path);
    load((struct signer_spec){.id = "ca",
                              .uri = uri,
                              .certificate = span_of(certificate, len),
                              .may_leaf = true,
                              .may_subordinate = true},
         &keys[KEY_CA]);
    load((struct signer_spec){.id = "root", .uri = uri, .is_new_root = true}, &keys[KEY_ROOT]);
    load((struct signer_spec){.id = "ca", .uri = uri, .is_ocsp = true}, &keys[KEY_OCSP]);
    load((struct signer_spec){.id = SEAL_KEY_ID, .uri = uri, .is_audit = true}, &keys[KEY_AUDIT]);
    unlink(path);
    OPENSSL_free(certificate);
    EVP_PKEY_free(key);
    return 0;
}

/* How many there were. */
static size_t take_answers(int fd)
{
    struct port_answers a;
    size_t n = 0;
    enum err e;

    for (; (e = port_take_several(fd, &a)) == OK; n += a.count)
        for (size_t i = 0; i < a.count; i++)
            assert(a.items[i].err == OK ? a.items[i].signature_len > 0 && a.items[i].reason[0] == '\0'
                                        : a.items[i].signature_len == 0 && a.items[i].reason[0] != '\0');
    assert(e == ERR_UNAVAILABLE);
    return n;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const struct signer_role role = {.keys = keys,
                                            .key_count = KEY_COUNT,
                                            .certificate_fd = -1,
                                            .crl_fd = -1,
                                            .ocsp_fd = -1,
                                            .workers = 1,
                                            .clock = now_s};
    static struct server s;
    struct rd r = rd_of(span_of(data, size));
    enum place place = rd_u8(&r) % PLACE_COUNT;
    int fds[2];

    atomic_store(key_purpose(keys[KEY_AUDIT])->sealed, 0);
    assert(wire_pair(fds) == OK);
    s = (struct server){.role = &role, .told_s = NOW_S}; /* nothing is logged */
    buf_init(&s.out, WIRE_MSG_MAX);
    s.fds[place] = fds[1];
    while (!r.failed && r.rest.len > 0) {
        size_t len = rd_u16(&r);

        if (len > r.rest.len)
            len = r.rest.len;
        (void)!serve_message(&s, place, span_of(r.rest.data, len));
        r.rest = span_of(r.rest.data + len, r.rest.len - len);
        assert(take_answers(fds[0]) > 0 || s.session != NULL);
    }
    session_free(s.session);
    buf_free(&s.out);
    close(fds[0]);
    close(fds[1]);
    return 0;
}
