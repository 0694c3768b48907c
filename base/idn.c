/* SPDX-License-Identifier: Apache-2.0 */
/* idn: the two directions of libidn2 that are needed. Its strings are its own to free. */
#include "base/idn.h"

#include <idn2.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#define IDN_FLAGS (IDN2_NFC_INPUT | IDN2_NONTRANSITIONAL)
#define U_NAME_MAX 1024 /* octets in UTF-8: four for each of 253 characters and more */
#define A_LABEL_MAX 64  /* with its NUL, RFC 1035 2.3.4 */

bool idn_to_ascii(struct span name, char out[static IDN_MAX])
{
    char text[U_NAME_MAX], *ascii = NULL;
    bool fits;

    if (!span_to_str(name, text, sizeof text) || idn2_to_ascii_8z(text, &ascii, IDN_FLAGS) != IDN2_OK)
        return false;
    fits = strlen(ascii) < IDN_MAX;
    if (fits)
        snprintf(out, IDN_MAX, "%s", ascii);
    idn2_free(ascii);
    return fits;
}

bool idn_label_is_valid(struct span label)
{
    char text[A_LABEL_MAX], *unicode = NULL, *again = NULL;
    bool is_same;

    if (label.len < 4 || strncasecmp((const char *)label.data, "xn--", 4) != 0)
        return true;
    if (!span_to_str(label, text, sizeof text) || idn2_to_unicode_8z8z(text, &unicode, 0) != IDN2_OK)
        return false;
    is_same = idn2_to_ascii_8z(unicode, &again, IDN_FLAGS) == IDN2_OK && strcasecmp(again, text) == 0;
    idn2_free(again);
    idn2_free(unicode);
    return is_same;
}
