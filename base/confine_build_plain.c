/* SPDX-License-Identifier: Apache-2.0 */
/* confine_build_plain: what the service's own build adds to every table: nothing. */
#include <stddef.h>

#include "base/confine.h"

static const struct confine_call no_calls[] = {{NULL, 0, 0, 0, 0}};
static const struct confine_path no_paths[] = {{NULL, CONFINE_READ}};

const struct confine_build confine_build = {.calls = no_calls, .paths = no_paths};
