/* SPDX-License-Identifier: Apache-2.0 */
/*
 * accept: which form of a certificate a client wants, by its Accept header (RFC 9110 12.5.1). For each of our
 * forms the most specific range that covers it gives its weight; the heaviest form wins, then the one named
 * more specifically, then the one named first, then our own order.
 */
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "api/api.h"

static const struct {
    enum form form;
    const char *type;    /* as in a media range */
    const char *param;   /* that must stand with it, NULL: none */
    const char *content; /* Content-Type of the answer */
} forms[] = {
    {FORM_CHAIN, "application/pem-certificate-chain", NULL, "application/pem-certificate-chain"},
    {FORM_DER, "application/pkix-cert", NULL, "application/pkix-cert"},
    {FORM_PEM, "application/x-pem-file", NULL, "application/x-pem-file"},
    {FORM_P7B, "application/pkcs7-mime", NULL, "application/pkcs7-mime; smime-type=certs-only"},
    {FORM_P7B_PEM, "application/x-pem-file", "p7b", "application/x-pem-file"},
    {FORM_JSON, "application/json", NULL, "application/json"},
};

const char *form_type(enum form f)
{
    for (size_t i = 0; i < sizeof forms / sizeof *forms; i++)
        if (forms[i].form == f)
            return forms[i].content;
    return "application/octet-stream";
}

const char *accept_list(void)
{
    return "application/pem-certificate-chain, application/pkix-cert, application/x-pem-file, "
           "application/pkcs7-mime, "
           "application/x-pem-file; p7b or application/json";
}

struct range {
    char type[64];
    bool p7b;
    double q;
};

static char *trim(char *s)
{
    size_t len;

    s += strspn(s, " \t");
    len = strlen(s);
    while (len > 0 && (s[len - 1] == ' ' || s[len - 1] == '\t'))
        s[--len] = '\0';
    return s;
}

/* Parameters other than q and p7b (charset, smime-type, …) say nothing about our forms. */
static bool read_range(char *text, struct range *out)
{
    char *save = NULL, *end, *part = strtok_r(text, ";", &save);

    *out = (struct range){.q = 1};
    part = part == NULL ? NULL : trim(part);
    if (part == NULL || strlen(part) >= sizeof out->type)
        return false;
    strcpy(out->type, part);
    while ((part = strtok_r(NULL, ";", &save)) != NULL) {
        part = trim(part);
        if (strcasecmp(part, "p7b") == 0)
            out->p7b = true;
        if (strncasecmp(part, "q=", 2) != 0)
            continue;
        out->q = strtod(part + 2, &end);
        if (end == part + 2 || *end != '\0' || !(out->q >= 0 && out->q <= 1))
            return false;
    }
    return true;
}

/* How closely a range names a form: 3 exactly, 2 its subtype tree, 1 anything, 0 not. */
static int closeness(const struct range *r, size_t form)
{
    if (strcasecmp(r->type, forms[form].type) == 0)
        return r->p7b == (forms[form].param != NULL) ? 3 : 0;
    if (strcasecmp(r->type, "application/*") == 0)
        return 2;
    return strcmp(r->type, "*/*") == 0;
}

#define RANGES_MAX 32 /* browsers send about ten; what follows is not read */

static size_t read_ranges(const char *accept, struct range out[static RANGES_MAX])
{
    char *copy = strdup(accept), *save = NULL;
    size_t n = 0;

    for (char *p = copy == NULL ? NULL : strtok_r(copy, ",", &save); p != NULL && n < RANGES_MAX;
         p = strtok_r(NULL, ",", &save))
        n += read_range(p, &out[n]);
    free(copy);
    return n;
}

enum form accept_choose(const char *accept)
{
    struct range ranges[RANGES_MAX];
    size_t n, best_at = 0;
    double best_q = 0;
    int best_close = 0;
    enum form best = FORM_NONE;

    if (accept == NULL || accept[strspn(accept, " \t")] == '\0')
        return FORM_CHAIN;
    n = read_ranges(accept, ranges);
    for (size_t form = 0; form < sizeof forms / sizeof *forms; form++) {
        size_t at = 0;
        int close = 0;

        for (size_t i = 0; i < n; i++) {
            if (closeness(&ranges[i], form) <= close)
                continue;
            close = closeness(&ranges[i], form);
            at = i;
        }
        if (close == 0 || !(ranges[at].q > 0) || ranges[at].q < best_q)
            continue;
        if (ranges[at].q > best_q || close > best_close || (close == best_close && at < best_at)) {
            best = forms[form].form;
            best_q = ranges[at].q;
            best_close = close;
            best_at = at;
        }
    }
    return best;
}
