/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "binpack/plan/reasons.h"

#include "base/arena.h"

void reasons_of(const struct assembly *a, uint32_t pod, uint32_t pending_i, struct arena *scratch,
                struct plan_unplaced *ret_unplaced)
{
    const struct sched_pod *state = &a->problem->base->snapshot->pods[pod];
    struct plan_reason *reason = ARENA_NEW(a->arena, struct plan_reason);
    (void)pending_i;
    (void)scratch;
    *reason = (struct plan_reason){.code = STR("NOT_PLACED"), .message = STR("no place was found")};
    if (state->state == SCHED_POD_BLOCKED) {
        reason->code = str_of(state->code);
        reason->message = str_copy(a->arena, state->message);
    }
    *ret_unplaced = (struct plan_unplaced){.pod = pod, .n_reasons = 1, .reasons = reason};
}
