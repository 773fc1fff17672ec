/* SPDX-License-Identifier: GPL-3.0-or-later */
/* One run of the queue: pods by CPU, then memory, each to the first machine that takes it (karp:
 * scheduler.go, Solve). What is done with the outcome is the caller's: karpenter.h launches and
 * goes on, disruption.h looks at it and mostly takes it back. Part of karpenter.h. */
#pragma once

#include "base/rng.h"
#include "binpack/emulate/claims.h"
#include "binpack/emulate/karpenter.h"

typedef VEC(struct emu_claim *) emu_claim_list;

struct emu_run {
    const struct sched_base *base;
    const struct emu_settings *settings;
    struct arena *scratch;
    struct emu_asks asks;
    struct emu_claims claims;
    uint32_t *pool_order;   /* [n_pools] */
    emu_claim_list running; /* running nodes that take pods: initialized ones first, then by name */
    emu_claim_list launched; /* in earlier passes */
    emu_claim_list open;     /* of this pass, by number of pods */
    emu_claim_list in_order; /* of this pass, as they were made */
    uint32_t claims_max;     /* new claims of this pass; one more sets `overflow` and ends it */
    bool overflow;
    uint32_t *queue; /* [n_pending] a ring */
    uint32_t head, n_queued;
    uint32_t *length_at; /* [n_pending] length of the queue when the pod went back into it */
    uint32_t *failed_at; /* [needs.n] number of pods placed when one of the need failed */
    uint32_t n_placed;
    bool growing;                 /* pods without a place are tried on larger types, too */
    struct rng rng;               /* of settings->draw */
    uint32_t *running_of;         /* [n_pending] as in struct emu_plan */
    struct sched_descent descent; /* as there; nobody has a place yet */
};

#define EMU_NEVER UINT32_MAX

/* Sets up a run in which nobody has a place and no node is listed. `settings` must outlive it;
 * `scratch` is its memory;
 * running_of and the descent live in `arena`. Errors: as sched_needs_new. */
MUST_CHECK bool emu_run_new(const struct sched_base *base, const struct emu_settings *settings,
                            struct arena *scratch, struct arena *arena, struct emu_run *ret_run,
                            struct err *err);

/* Puts these pods into the queue, in Karpenter's order. `pods` are into snapshot->pending. */
void emu_run_queue(struct emu_run *run, const uint32_t *pods, uint32_t n);

/* Until the queue is empty or has been gone through without success. A pod like one that found no
 * place a moment ago need not try. Who has a place has a rung in the descent. */
void emu_run_drain(struct emu_run *run);

/* Lists the running nodes that take pods. */
void emu_run_list_running(struct emu_run *run);

/* What has been launched and placed, as a plan in `arena`, in which the run was made. */
void emu_run_copy_out(const struct emu_run *run, struct arena *arena, struct emu_plan *ret_plan);
