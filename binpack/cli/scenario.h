/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The scenarios of `binpack compare --with`: what each changes of the input and of the settings.
 *
 * A what-if option without its dashes is a scenario, too ("deny-type=t3.*"). */
#pragma once

#include "binpack/cli/options.h"
#include "binpack/whatif/change.h"

enum scenario_kind {
    SCENARIO_CHANGE,       /* one change of the world */
    SCENARIO_ALGORITHM,    /* another planner: `algorithm` */
    SCENARIO_MAX_FAMILIES, /* `number`: the families that the base plan spends most on */
    SCENARIO_SPOT_MAX,     /* `number`, parts per billion */
    SCENARIO_MAX_PER_POOL, /* `number`, parts per billion */
    SCENARIO_MIN_POOLS,    /* `number` */
    SCENARIO_NODEPOOLS,    /* `file`: other NodePools, node classes and overlays */
    SCENARIO_REQUESTS      /* `file`, `column`: requests from observed usage (whatif/usage.h) */
};

struct scenario {
    enum scenario_kind kind;
    struct str name; /* as written */
    enum option_algorithm algorithm;
    int64_t number;
    struct str file, column;
    struct whatif_change change;
};

/* How they are written, NULL-terminated: for suggestions and completion. `binpack help scenarios`
 * explains them. */
extern const char *const scenario_names[];

/* ERR_INVALID says what is wrong and what there is. */
MUST_CHECK bool scenario_parse(struct str spec, struct arena *arena, struct scenario *ret_scenario,
                               struct err *err);
