/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Small random problems with every rule the engine knows, from a seed. */
#pragma once

#include <stdint.h>

#include "base/rng.h"
#include "binpack/solver/problem.h"

struct arena;

struct random_shape {
    uint32_t max_classes, max_units, max_offerings, max_dims, max_domains;
    uint32_t rules_percent; /* chance of each family of rules */
};

/* All arrays live in `arena`. The numbers are small, so ties and exact fits are frequent. */
void random_problem(struct rng *rng, struct arena *arena, const struct random_shape *shape,
                    struct bp_problem *ret_problem);
