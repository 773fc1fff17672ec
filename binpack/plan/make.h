/* SPDX-License-Identifier: GPL-3.0-or-later */
/* From a cluster and a catalogue to a plan: snapshot -> classes -> solve -> pods on nodes ->
 * reasons.
 *
 * The work is cut into steps so that a program can show progress, look at its clock and stop:
 * make_new prepares, make_step solves on, make_finish names the nodes and explains. The result does
 * not depend on how the steps are cut unless make_cancel was called. */
#pragma once

#include "binpack/plan/plan.h"
#include "binpack/scheduling/snapshot.h"
#include "binpack/solver/solve.h"

struct disrupt_nodes;
struct emu_round;

enum make_preference { MAKE_RESPECT, MAKE_IGNORE };
enum make_min_values { MAKE_STRICT, MAKE_BEST_EFFORT };

struct make_settings {
    enum plan_mode mode;
    wall_t now;
    enum make_preference preference_policy;
    enum make_min_values min_values_policy;
    bool gate_reserved_capacity, gate_node_overlay, gate_capacity_buffer, gate_spot_to_spot,
        gate_static_capacity;
    bool ignore_dra_requests; /* Karpenter's default: true */
    const uint8_t *leave;     /* [cluster->n_nodes] of enum sched_leave: nodes that a round of
                                 disruption takes away; NULL: none */
    bool any_order;  /* only plans that hold in any order of placement; for a second attempt */
    bool no_repair;  /* pods that the solver leaves out stay out; for a second attempt */
    bool one_by_one; /* the greedy places every pod, each where all rules hold with those before it;
                        the solver only proves the bound; for a further attempt */
    const bool *held; /* [n_pods of the plan's cluster, virtual pods included] pods that stay
                         without a place, because no attempt found an order for them; NULL: none */
    struct cat_settings catalog;
    struct bp_options solver;
    struct plan_spot_rules spot_rules; /* kept as far as exchanges of offerings go (spot_swap.h) */
    struct sched_spot_caps spot_caps;  /* for the rest, see diversify.h */
    enum plan_planner emulates;    /* the plan is that of emulate/karpenter.h or autoscaler.h (with
                                      best effort for minValues, and no round of disruption); the
                                      solver only proves the bound */
    const struct emu_round *round; /* then: what it has decided already about nodes of
                                      `round_nodes` and their pods; NULL: nothing */
    const struct disrupt_nodes *round_nodes;
    const struct str *explain; /* [n_explain] pods to be explained, "namespace/name" */
    uint32_t n_explain;
    uint32_t options_max;        /* instanceTypeOptions per node, default 60 */
    uint32_t options_within_ppm; /* dearer by at most this, default 100000 = 10 % */
    uint32_t spot_options_min;   /* so many for spot nodes however dear they are, default 0 */
};
#define MAKE_SETTINGS_DEFAULT                                                                      \
    ((struct make_settings){.mode = PLAN_PROVISION,                                                \
                            .gate_reserved_capacity = true,                                        \
                            .gate_node_overlay = true,                                             \
                            .gate_capacity_buffer = true,                                          \
                            .ignore_dra_requests = true,                                           \
                            .catalog = {.vm_memory_overhead_ppm = 75000, .reserved_enis = 0},      \
                            .solver = {.algorithm = BP_COLGEN, .effort = 3, .gap = 0.0001},        \
                            .options_max = 60,                                                     \
                            .options_within_ppm = 100000})

struct make; /* opaque */

/* `cluster` and `catalog` must outlive the make and the plan. Errors: ERR_INVALID (an object that
 * no rule can make sense of), ERR_NOT_FOUND (a zone or region that the catalogue does not know:
 * names both; a pod to be explained that is not there), ERR_LIMIT. */
MUST_CHECK bool make_new(const struct k8s_cluster *cluster, const struct catalog *catalog,
                         const struct make_settings *settings, struct make **ret_make,
                         struct err *err);
bool make_step(struct make *make, uint64_t work); /* true while more work would help */
void make_cancel(struct make *make);              /* async-signal-safe */

/* How much work make_finish may spend on what is hard to prove of the bound; what is proven with
 * that is the plan's bound. At first: by the effort, and at 5 all that it takes. */
void make_limit_proof(struct make *make, uint64_t work);
void make_progress(const struct make *make, struct bp_progress *ret_progress);

/* Bytes held per phase, for --timings: "classes", "solve", ... */
uint64_t make_arena_bytes(const struct make *make);

/* Verifies the solution with bp_verify, names nodes, chooses options, explains what is unplaced.
 * ERR_INTERNAL when the verifier refuses: then nothing may be shown. The plan lives in `arena`
 * (problem and solution are copied). */
MUST_CHECK bool make_finish(struct make *make, struct arena *arena, struct plan **ret_plan,
                            struct err *err);
void make_free(struct make *make);
