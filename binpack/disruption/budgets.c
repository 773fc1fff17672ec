/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "binpack/disruption/budgets.h"

#include "base/units.h"
#include "binpack/disruption/cron.h"

const char *disrupt_reason_name(enum disrupt_reason reason)
{
    static const char *const names[DISRUPT_N_REASONS + 1] = {
        [DISRUPT_EMPTY] = "Empty",
        [DISRUPT_DRIFTED] = "Drifted",
        [DISRUPT_UNDERUTILIZED] = "Underutilized",
        [DISRUPT_EXPIRED] = "Expired",
        [DISRUPT_NONE] = "",
    };
    return names[reason];
}

/* Is the budget in force at `now`? False in *ret_good: its schedule makes no sense. */
static bool is_active(const struct karp_budget *budget, wall_t now, bool *ret_good)
{
    struct cron cron;
    struct err ignored;
    wall_t fired = 0;
    *ret_good = true;
    if (budget->schedule.n == 0) {
        return true;
    }
    if (!cron_parse(budget->schedule, &cron, &ignored)) {
        *ret_good = false;
        return false;
    }
    int64_t lasts = budget->duration.has ? budget->duration.ms : 0;
    return cron_last(&cron, now, &fired) && fired > sat_sub(now, lasts);
}

bool budgets_broken(const struct karp_nodepool *pool, uint32_t *ret_budget_i, struct err *err)
{
    struct cron cron;
    for (uint32_t i = 0; i < pool->n_budgets; i++) {
        if (pool->budgets[i].schedule.n > 0 && !cron_parse(pool->budgets[i].schedule, &cron, err)) {
            *ret_budget_i = i;
            return true;
        }
    }
    return false;
}

static bool concerns(const struct karp_budget *budget, const struct strtab *tab,
                     enum disrupt_reason reason)
{
    for (uint32_t i = 0; i < budget->reasons.n; i++) {
        if (str_eq(strtab_str(tab, budget->reasons.v[i]), str_of(disrupt_reason_name(reason)))) {
            return true;
        }
    }
    return budget->reasons.n == 0;
}

int64_t budgets_allowed(const struct karp_nodepool *pool, const struct strtab *tab, wall_t now,
                        int64_t n_nodes, int64_t n_going, enum disrupt_reason reason)
{
    int64_t least = BUDGET_UNLIMITED;
    for (uint32_t i = 0; i < pool->n_budgets; i++) {
        const struct karp_budget *budget = &pool->budgets[i];
        bool good = true;
        bool active = is_active(budget, now, &good);
        if (!good) {
            return 0;
        }
        if (!active || !concerns(budget, tab, reason)) {
            continue;
        }
        int64_t allowed =
            budget->nodes_is_percent ? muldiv_ceil(n_nodes, budget->nodes, 100) : budget->nodes;
        least = allowed < least ? allowed : least;
    }
    if (least == BUDGET_UNLIMITED) {
        return BUDGET_UNLIMITED;
    }
    return least > n_going ? least - n_going : 0;
}
