/* SPDX-License-Identifier: Apache-2.0 */
/* ca: the issuers, for reading. */
#include <string.h>

#include "cli/inner.h"

static const struct column columns[] = {
    {"id", "id", 0},
    {"parent", "parent", 0},
    {"key", "key", 0},
    {"issues", "issues", 0},
    {"not before", "not_before", 0},
    {"not after", "not_after", 0},
    {"next crl", "crl.next_update", 0},
    {"subject", "subject", COLUMN_ELASTIC},
};

static const struct column csv_columns[] = {
    {"", "id", 0},
    {"", "parent", 0},
    {"", "subject", 0},
    {"", "serial", 0},
    {"", "key.type", 0},
    {"", "key.bits", 0},
    {"", "not_before", 0},
    {"", "not_after", 0},
    {"", "fingerprint_sha256", 0},
    {"", "fingerprint_sha1", 0},
    {"", "issues", 0},
    {"", "crl.number", 0},
    {"", "crl.this_update", 0},
    {"", "crl.next_update", 0},
    {"", "crl.entries", 0},
};

int run_ca_list(struct cli *c)
{
    return list_write(c, ISSUERS_PATH, columns, COUNT_OF(columns), csv_columns, COUNT_OF(csv_columns));
}

/* What signs OCSP answers is asked for as if it were an issuer, and is a list of certificates. */
static bool is_responders(const struct cli *c)
{
    return strcmp(cli_argument(c), "ocsp") == 0;
}

int run_ca_show(struct cli *c)
{
    bool is_file = c->format == FORMAT_PEM || c->format == FORMAT_DER;
    struct js *v = NULL;
    int code;

    if (is_file && is_responders(c))
        return cli_misuse(c, "ocsp is no one certificate: ca chain ocsp gives all of them as PEM");
    if (c->format == FORMAT_CSV && is_responders(c))
        return cli_misuse(c, "ocsp is no one row: --output json has the signers of each issuer");
    if (c->format == FORMAT_DER)
        return file_write(c, ISSUERS_PATH "/", cli_argument(c), ".der");
    code = service_get_under(c, ISSUERS_PATH "/", cli_argument(c), &v);
    if (code == DONE)
        code = show_row(c, v, csv_columns, COUNT_OF(csv_columns));
    js_free(v);
    return code;
}

int run_ca_chain(struct cli *c)
{
    struct js *v = NULL;
    int code;

    if (c->format == FORMAT_P7B && is_responders(c))
        return cli_misuse(c,
                          "--output p7b: the certificates of the responders are no chain, and come as PEM");
    if (c->format == FORMAT_P7B)
        return file_write(c, ISSUERS_PATH "/", cli_argument(c), ".p7b");
    code = service_get_under(c, ISSUERS_PATH "/", cli_argument(c), &v);
    if (code == DONE)
        code = chain_write(c, v);
    js_free(v);
    return code;
}
