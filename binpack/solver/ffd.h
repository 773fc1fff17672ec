/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The first plan, in milliseconds: again and again the pattern that is worth most for its price.
 *
 * A unit of a class is worth what it costs on the kind that suits it best. Each kind's most
 * valuable pattern for what is left is found by one relaxation and rounding (pricing with one
 * node); values only fall as demand shrinks, so only the leader has to be looked at again. It is
 * also what `--algorithm=ffd` answers. */
#pragma once

#include <stdint.h>

#include "binpack/solver/mix.h"
#include "binpack/solver/pricer.h"

/* How classes are valued. */
enum bp_ffd_values {
    BP_FFD_SHARE,   /* price of the largest share of a node, on the best kind */
    BP_FFD_PRIORITY /* the same, and a higher priority is worth more than any number below it */
};

void bp_ffd_values(const struct bp_red *red, enum bp_ffd_values how, double *value);

/* Places what is left of `rest` into `mix` (which is not closed). Returns elementary steps. */
uint64_t bp_ffd_fill(struct bp_pricer *pricer, struct bp_pool *pool, struct arena *arena,
                     const double *value, struct bp_rest *rest, struct bp_mix *mix);
