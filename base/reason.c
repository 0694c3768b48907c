/* SPDX-License-Identifier: Apache-2.0 */
/* reason: one table. */
#include "base/reason.h"

#include <stddef.h>
#include <string.h>

static const struct {
    enum reason value;
    const char *name;
} table[] = {
    {REASON_UNSPECIFIED, "unspecified"},
    {REASON_KEY_COMPROMISE, "keyCompromise"},
    {REASON_CA_COMPROMISE, "cACompromise"},
    {REASON_AFFILIATION_CHANGED, "affiliationChanged"},
    {REASON_SUPERSEDED, "superseded"},
    {REASON_CESSATION_OF_OPERATION, "cessationOfOperation"},
    {REASON_CERTIFICATE_HOLD, "certificateHold"},
    {REASON_PRIVILEGE_WITHDRAWN, "privilegeWithdrawn"},
    {REASON_AA_COMPROMISE, "aACompromise"},
};

const char *reason_name(enum reason r)
{
    for (size_t i = 0; i < sizeof table / sizeof *table; i++)
        if (table[i].value == r)
            return table[i].name;
    return "unknown";
}

bool reason_parse(const char *name, enum reason *out)
{
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        if (strcmp(table[i].name, name) == 0) {
            *out = table[i].value;
            return true;
        }
    }
    return false;
}
