/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Plans of the greedy of binpack/emulate where the planner's own do not hold or leave pods out:
 * which of several is taken. More pods of high priority come first, then less cost. */
#pragma once

#include "binpack/emulate/karpenter.h"

/* What the plan's new nodes cost an hour. */
usd_t greedy_cost(const struct sched_base *base, const struct emu_plan *greedy);

/* Above 0 where the greedy plan places more pods of the highest priority for which the two differ
 * in number, below where it places fewer, else 0. `placed` is [n_pods of the cluster]. */
int greedy_gain(const struct sched_base *base, const struct emu_plan *greedy, const bool *placed);

/* Does the greedy plan give up no preference and use no lighter NodePool that `than` does not, pod
 * by pod? */
bool greedy_keeps(const struct sched_base *base, const struct emu_plan *greedy,
                  const struct sched_descent *than);

/* Every pod where all rules hold with those before it, in several orders (256 for up to 32
 * pods, fewer for more pods or where each takes long); the best plan stays. Of `settings` what is
 * launched, and how, is set here. Errors: as emu_karpenter. */
MUST_CHECK bool greedy_one_by_one(const struct sched_base *base,
                                  const struct emu_settings *settings, struct arena *arena,
                                  struct emu_plan *ret_plan, struct err *err);

enum { GREEDY_BOTH_MAX = 2048 };

/* So many orders are worth a look where the only point is to pay less: for few pods and few
 * offerings hundreds, and none where each takes long. */
uint32_t greedy_orders_to_save(const struct sched_base *base);

/* The better one of that and, also where more than GREEDY_BOTH_MAX pods wait, the plan of claims
 * that are launched at the end of each pass. At most `orders` orders. Errors: as emu_karpenter. */
MUST_CHECK bool greedy_best(const struct sched_base *base, const struct emu_settings *settings,
                            uint32_t orders, struct arena *arena, struct emu_plan *ret_plan,
                            struct err *err);
