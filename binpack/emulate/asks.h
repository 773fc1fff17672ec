/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What pods ask for at every step of giving up: their needs at each rung of the ladder, each of
 * their alternatives by itself, and the rules between pods over all of them.
 *
 * Karpenter tries one required node affinity term at a time and one combination of volume
 * topologies at a time, so an *ask* is a need with a single alternative. Pods of one need ask the
 * same. Part of karpenter.h. */
#pragma once

#include "binpack/scheduling/problem_build.h"

struct emu_rule_use { /* a rule that concerns a need */
    uint32_t rule_i;
    bool carries, counted;
};

struct emu_asks {
    const struct sched_base *base;
    struct sched_needs needs;    /* of all rungs; of_pod is not set */
    struct sched_rules rules;    /* over these needs */
    struct sched_masks masks;    /* of_need is by ask */
    uint32_t n_rungs;            /* most rungs of any pod, the undropped one included */
    const uint32_t *const *need; /* [n_rungs][n_pending] SCHED_NONE: no such rung */
    const uint32_t *first;       /* [needs.n + 1] asks of need i are first[i] .. first[i + 1] - 1 */
    const uint32_t *n_terms;     /* [needs.n] required terms, 1 when there are none; asks go term by
                                    term, and within by combination of volumes */
    const int64_t *size;         /* [needs.n][dims.n] */
    const uint32_t *first_use;   /* [needs.n + 1] into uses */
    const struct emu_rule_use *uses; /* by need, then by rule */
};

MUST_CHECK bool emu_asks_new(const struct sched_base *base, struct arena *arena,
                             struct emu_asks *ret_asks, struct err *err);
