/* SPDX-License-Identifier: Apache-2.0 */
/* confine_build_trap: the service's own build that says which call it dies of. */
#include <stddef.h>

#include "base/confine.h"

static const struct confine_call calls[] = {{"rt_sigaction", 0, 0, 0, 0}, {NULL, 0, 0, 0, 0}};
static const struct confine_path no_paths[] = {{NULL, CONFINE_READ}};

const struct confine_build confine_build = {.is_trapping = true, .calls = calls, .paths = no_paths};
