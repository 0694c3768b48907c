/* SPDX-License-Identifier: Apache-2.0 */
/* usage: the tables of keyUsage bits and extended key usages, between octets and names. RFC 5280 4.2.1.3
 * and 4.2.1.12. */
#include <stdio.h>
#include <string.h>

#include "ca/policy.h"

static const struct {
    uint16_t bit;
    const char *name;
} bits_table[] = {
    {KU_DIGITAL_SIGNATURE, "digitalSignature"},
    {KU_NON_REPUDIATION, "nonRepudiation"},
    {KU_KEY_ENCIPHERMENT, "keyEncipherment"},
    {KU_DATA_ENCIPHERMENT, "dataEncipherment"},
    {KU_KEY_AGREEMENT, "keyAgreement"},
    {KU_KEY_CERT_SIGN, "keyCertSign"},
    {KU_CRL_SIGN, "cRLSign"},
    {KU_ENCIPHER_ONLY, "encipherOnly"},
    {KU_DECIPHER_ONLY, "decipherOnly"},
};
#define BITS_COUNT (sizeof bits_table / sizeof *bits_table)

/* id-kp, 1.3.6.1.5.5.7.3, and the usage's own number */
#define KP(n) "\x2b\x06\x01\x05\x05\x07\x03" n, 8

static const struct {
    const char *name;
    const char *oid;
    size_t oid_len;
} eku_table[EKU_COUNT] = {
    [EKU_SERVER_AUTH] = {"serverAuth", KP("\x01")},
    [EKU_CLIENT_AUTH] = {"clientAuth", KP("\x02")},
    [EKU_CODE_SIGNING] = {"codeSigning", KP("\x03")},
    [EKU_EMAIL_PROTECTION] = {"emailProtection", KP("\x04")},
    [EKU_IPSEC_END_SYSTEM] = {"ipsecEndSystem", KP("\x05")},
    [EKU_IPSEC_TUNNEL] = {"ipsecTunnel", KP("\x06")},
    [EKU_IPSEC_USER] = {"ipsecUser", KP("\x07")},
    [EKU_TIME_STAMPING] = {"timeStamping", KP("\x08")},
    [EKU_OCSP_SIGNING] = {"OCSPSigning", KP("\x09")},
    [EKU_IPSEC_IKE] = {"ipsecIKE", KP("\x11")},
    [EKU_SMARTCARD_LOGON] = {"smartcardLogon", "\x2b\x06\x01\x04\x01\x82\x37\x14\x02\x02", 10},
    [EKU_ANY] = {"anyExtendedKeyUsage", "\x55\x1d\x25\x00", 4},
    [EKU_OTHER] = {"other", "", 0},
};

const char *ku_name(enum ku bit)
{
    for (size_t i = 0; i < BITS_COUNT; i++)
        if (bits_table[i].bit == bit)
            return bits_table[i].name;
    return "unknown";
}

bool ku_parse(const char *name, uint16_t *bit)
{
    for (size_t i = 0; i < BITS_COUNT; i++) {
        if (strcmp(bits_table[i].name, name) != 0)
            continue;
        *bit = bits_table[i].bit;
        return true;
    }
    return false;
}

void ku_text(uint16_t bits, char *out, size_t cap)
{
    size_t at = 0;

    out[0] = '\0';
    for (size_t i = 0; i < BITS_COUNT && at < cap; i++)
        if ((bits & bits_table[i].bit) != 0)
            at += (size_t)snprintf(out + at, cap - at, "%s%s", at > 0 ? ", " : "", bits_table[i].name);
}

void ku_names(uint16_t bits, char out[static USAGE_TEXT_MAX])
{
    ku_text(bits, out, USAGE_TEXT_MAX);
    if (out[0] == '\0')
        strcpy(out, "none");
}

const char *eku_name(enum eku e)
{
    return eku_table[e].name;
}

struct span eku_oid(enum eku e)
{
    return span_of(eku_table[e].oid, eku_table[e].oid_len);
}

enum eku eku_of_oid(struct span content)
{
    for (enum eku e = 0; e < EKU_OTHER; e++)
        if (span_eq(eku_oid(e), content))
            return e;
    return EKU_OTHER;
}

bool eku_parse(const char *name, enum eku *out)
{
    for (enum eku e = 0; e < EKU_OTHER; e++) {
        if (strcmp(eku_table[e].name, name) != 0)
            continue;
        *out = e;
        return true;
    }
    return false;
}

uint32_t eku_set_of(const enum eku *list, size_t count)
{
    uint32_t set = 0;

    for (size_t i = 0; i < count; i++)
        set |= 1u << list[i];
    return set;
}

void eku_names(uint32_t set, char out[static USAGE_TEXT_MAX])
{
    size_t at = 0;

    strcpy(out, "none");
    for (enum eku e = 0; e < EKU_COUNT && at < USAGE_TEXT_MAX; e++)
        if ((set & 1u << e) != 0)
            at += (size_t)snprintf(out + at, USAGE_TEXT_MAX - at, "%s%s", at > 0 ? ", " : "", eku_name(e));
}

void eku_list_write(struct buf *b, const enum eku *list, size_t count)
{
    buf_put_u8(b, (uint8_t)count);
    for (size_t i = 0; i < count; i++)
        buf_put_u8(b, (uint8_t)list[i]);
}

bool eku_list_read(struct rd *r, enum eku list[static EKU_LIST_MAX], size_t *count)
{
    *count = rd_u8(r);
    if (*count > EKU_LIST_MAX)
        return false;
    for (size_t i = 0; i < *count; i++) {
        uint8_t e = rd_u8(r);

        if (e >= EKU_COUNT)
            return false;
        list[i] = (enum eku)e;
    }
    return true;
}
