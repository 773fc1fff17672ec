/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "binpack/emulate/karpenter.h"

#include "base/arena.h"
#include "binpack/emulate/run.h"

struct passes {
    struct emu_run run;
    const struct emu_settings *settings;
};

static void launch_all(struct passes *x)
{
    struct emu_run *r = &x->run;
    emu_claim_list all = {0};
    for (size_t i = 0; i < r->in_order.n; i++) {
        emu_claim_launch(&r->claims, r->in_order.v[i], x->settings->options_max, NULL);
        VEC_PUSH(r->scratch, &r->launched, r->in_order.v[i]);
    }
    r->in_order.n = 0;
    r->open.n = 0;
    for (size_t i = 0; i < r->running.n; i++) {
        VEC_PUSH(r->scratch, &all, r->running.v[i]);
    }
    for (size_t i = 0; i < r->launched.n; i++) {
        VEC_PUSH(r->scratch, &all, r->launched.v[i]);
    }
    emu_claims_recount(&r->claims, (uint32_t)all.n, all.v);
}

static void pass_all(struct passes *x)
{
    struct emu_run *r = &x->run;
    const uint32_t n_pending = r->base->snapshot->n_pending;
    uint32_t *waiting = ARENA_ARRAY(r->scratch, uint32_t, n_pending);
    for (;;) {
        const uint32_t before = r->n_placed;
        uint32_t n = 0;
        for (uint32_t i = 0; i < n_pending; i++) {
            if (r->descent.rung[i] == SCHED_RUNG_OUT &&
                (x->settings->held == NULL || !x->settings->held[i])) {
                waiting[n++] = i;
            }
        }
        emu_run_queue(r, waiting, n);
        emu_run_drain(r);
        launch_all(x);
        if (r->n_queued == 0 || r->n_placed == before) {
            return;
        }
    }
}

bool emu_karpenter(const struct sched_base *base, const struct emu_settings *settings,
                   struct arena *arena, struct emu_plan *ret_plan, struct err *err)
{
    struct arena scratch = ARENA_INIT;
    struct passes x = {.settings = settings};
    *ret_plan = (struct emu_plan){.n_nodes = 0};
    bool good = emu_run_new(base, settings, &scratch, arena, &x.run, err);
    if (good) {
        emu_run_list_running(&x.run);
        pass_all(&x);
        if (settings->grow && x.run.n_queued > 0) {
            x.run.growing = true;
            pass_all(&x);
        }
        emu_run_copy_out(&x.run, arena, ret_plan);
    }
    arena_done(&scratch);
    return good;
}
