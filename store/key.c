/* SPDX-License-Identifier: Apache-2.0 */
/* key: building table keys. Big-endian throughout, so that the octet order of keys is the order of their
 * numbers. */
#include <assert.h>
#include <string.h>

#include "store/inner.h"

struct span key_span(const struct key *k)
{
    return span_of(k->data, k->len);
}

int key_compare(struct span a, struct span b)
{
    size_t len = a.len < b.len ? a.len : b.len;
    int order = len > 0 ? memcmp(a.data, b.data, len) : 0;

    return order != 0 ? order : (a.len > b.len) - (a.len < b.len);
}

bool key_starts(struct span key, struct span prefix)
{
    return key.len >= prefix.len && memcmp(key.data, prefix.data, prefix.len) == 0;
}

void key_put(struct key *k, const void *data, size_t len)
{
    assert(len <= sizeof k->data - k->len);
    if (len > 0)
        memcpy(k->data + k->len, data, len);
    k->len += len;
}

void key_put_u8(struct key *k, uint8_t v)
{
    key_put(k, &v, 1);
}

void key_bump(struct key *k)
{
    while (k->len > 0 && k->data[k->len - 1] == 0xff)
        k->len--;
    if (k->len > 0)
        k->data[k->len - 1]++;
}

void key_pass(struct key *k)
{
    if (k->len < KEY_MAX)
        key_put_u8(k, 0);
    else
        key_bump(k);
}

void key_put_u16(struct key *k, uint16_t v)
{
    key_put(k, (const uint8_t[]){(uint8_t)(v >> 8), (uint8_t)v}, 2);
}

void key_put_u64(struct key *k, uint64_t v)
{
    uint8_t octets[8];

    for (size_t i = sizeof octets; i-- > 0; v >>= 8)
        octets[i] = (uint8_t)v;
    key_put(k, octets, sizeof octets);
}

void key_put_time(struct key *k, int64_t t_s)
{
    key_put_u64(k, (uint64_t)t_s ^ (uint64_t)1 << 63);
}

int64_t rd_time(struct rd *r)
{
    return (int64_t)(rd_u64(r) ^ (uint64_t)1 << 63);
}

void key_put_text(struct key *k, const char *text)
{
    key_put(k, text, strlen(text) + 1);
}

void key_put_fold(struct key *k, struct span name)
{
    for (size_t i = 0; i < name.len && i < NAME_KEY_MAX; i++)
        key_put_u8(k, (uint8_t)fold((char)name.data[i]));
}

struct key key_of_number(uint64_t number)
{
    struct key k = {.len = 0};

    key_put_u64(&k, number);
    return k;
}

struct key key_of_issuer(uint16_t issuer_no)
{
    struct key k = {.len = 0};

    key_put_u16(&k, issuer_no);
    return k;
}

struct key key_of_revoked(uint16_t issuer_no, const uint8_t serial[static SERIAL_LEN])
{
    struct key k = key_of_issuer(issuer_no);

    key_put(&k, serial, SERIAL_LEN);
    return k;
}

bool number_of_key(struct span key, uint64_t *number)
{
    struct rd r;

    if (key.len < NUMBER_LEN)
        return false;
    r = rd_of(span_of(key.data + key.len - NUMBER_LEN, NUMBER_LEN));
    *number = rd_u64(&r);
    return true;
}

char fold(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}
