/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The what-if options of the command line as changes of the world. */
#pragma once

#include "binpack/cli/options.h"
#include "binpack/whatif/change.h"

struct change_list {
    uint32_t n;
    const struct whatif_change *v; /* in the order in which they are applied */
};

/* The changes of --remove-node and its like. Workloads are scaled first, then nodes go, then
 * offerings, then prices change; the surcharge comes last. ERR_INVALID names the option. */
MUST_CHECK bool changes_of_options(const struct options *options, struct arena *arena,
                                   struct change_list *ret_changes, struct err *err);
