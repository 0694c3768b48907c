/* SPDX-License-Identifier: Apache-2.0 */
/* responder: which certificate the OCSP signer of an issuer has on each other host. */
#include <string.h>

#include "store/inner.h"

#define ROW_VERSION 1

static struct key key_of_responder(uint16_t issuer_no, const char *host)
{
    struct key k = key_of_issuer(issuer_no);

    key_put_text(&k, host);
    return k;
}

void responder_set(struct txn *t, uint16_t issuer_no, const char *host,
                   const uint8_t serial[static SERIAL_LEN])
{
    struct key key = key_of_responder(issuer_no, host);
    struct buf *row = txn_row(t);

    buf_put_u8(row, ROW_VERSION);
    buf_put(row, serial, SERIAL_LEN);
    table_set(t, TABLE_RESPONDER, key_span(&key), buf_span(row));
}

bool row_get_responder(struct span row, uint8_t serial[static SERIAL_LEN])
{
    struct rd r = rd_of(row);

    if (rd_u8(&r) != ROW_VERSION)
        return false;
    rd_copy(&r, serial, SERIAL_LEN);
    return rd_done(&r);
}

enum err responder_find(struct view *v, uint16_t issuer_no, const char *host,
                        uint8_t serial[static SERIAL_LEN])
{
    struct key key = key_of_responder(issuer_no, host);
    struct span row = {0};
    enum err err = table_find(v, TABLE_RESPONDER, key_span(&key), &row);

    if (err != OK)
        return err;
    return row_get_responder(row, serial) ? OK : table_damaged(TABLE_RESPONDER, key_span(&key));
}
