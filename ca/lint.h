/* SPDX-License-Identifier: Apache-2.0 */
/* lint: private to lint.c and lint_name.c. */
#ifndef CA_LINT_H
#define CA_LINT_H

#include "ca/policy.h"

struct lint {
    bool is_cisco, is_ca, has_path_len, has_ku, has_ski, has_aki;
    uint16_t ku;
    uint32_t eku; /* bit (1 << enum eku) */
    struct key_kind key;
    struct findings *findings;
};

/* The value of a subjectAltName; false when it is none at all. */
bool lint_san(struct lint *l, struct span value);

#endif
