/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The work in steps. Preferences are hard until they must be dropped: the problem is solved with
 * all of them, the pods that stay without a place go down one step each (the next tier of
 * NodePools, then the next rung of their ladder), and the problem is solved anew, until every pod
 * has a place or has nothing left to give up. Earlier decisions are not kept: the last problem is
 * about the whole plan, and so is its bound. */
#include "binpack/plan/make.h"

#include "base/arena.h"
#include "binpack/emulate/autoscaler.h"
#include "binpack/emulate/disruption.h"
#include "binpack/plan/assemble.h"
#include "binpack/plan/explain.h"
#include "binpack/plan/greedy.h"
#include "binpack/plan/least_out.h"
#include "binpack/plan/notes.h"
#include "binpack/plan/reasons.h"
#include "binpack/plan/spot_swap.h"
#include "binpack/solver/solution.h"
#include "binpack/solver/verify.h"

#include <stdatomic.h>
#include <stdlib.h>

/* Work for a stage in which pods are still without a place: the first plan may just be a weak one.
 */
#define STAGE_WORK UINT64_C(200000)

/* A plan that holds in any order of placement is worth this share of its cost, in parts per
 * million; for more, or for a pod that has no place otherwise, a plan that holds in some order is
 * taken. */
#define ORDER_WORTH_PPM 20000

/* Pods whose plan is further from its bound than these parts per million are also placed one by
 * one, where that takes no time to speak of. */
#define REPAIR_DEAR_PPM 1000

struct make {
    struct arena arena; /* snapshot, base, descent, and this */
    struct arena stage; /* the problem being solved */
    struct make_settings settings;
    struct sched_snapshot *snapshot;
    struct sched_base *base;
    struct sched_descent descent;
    struct sched_problem *problem;
    struct bp_solve *volatile solve; /* NULL: nothing to solve */
    uint64_t stage_work;
    bool settled;            /* no pod goes further down */
    struct arena kept_stage; /* the plan that holds in any order, while one that holds in some order
                                is looked for */
    struct sched_problem *kept_problem;
    struct bp_solve *kept_solve;
    struct sched_descent start; /* what everybody started with */
    bool least_out;             /* the solver's plan is proven to place as many as any */
    const bool *held;           /* [n_pending] settings.held */
    bool greedy, repair_tried;  /* greedy: the plan is `emulated`, the solver proves its bound */
    struct emu_plan emulated;
    usd_t emulated_cost, spread_cost;
    uint64_t proof_work;
    bool proved_again; /* without the preferences that the emulated plan did not keep */
    atomic_bool cancelled;
    struct err failure; /* of a later stage; code ERR_NONE: none */
};

struct sched_settings make_sched_settings(const struct make_settings *settings)
{
    return (struct sched_settings){.now = settings->now,
                                   .repack = settings->mode == PLAN_REPACK,
                                   .ignore_preferences = settings->preference_policy == MAKE_IGNORE,
                                   .best_effort_min_values =
                                       settings->min_values_policy == MAKE_BEST_EFFORT,
                                   .reserved_capacity = settings->gate_reserved_capacity,
                                   .node_overlay = settings->gate_node_overlay,
                                   .capacity_buffer = settings->gate_capacity_buffer,
                                   .ignore_dra = settings->ignore_dra_requests,
                                   .catalog = settings->catalog,
                                   .spot = settings->spot_caps};
}

static void drop_solve(struct make *make)
{
    struct bp_solve *old = make->solve;
    make->solve = NULL; /* First: a signal may cancel at any moment. */
    bp_solve_free(old);
}

/* Builds the problem of the descent as it stands and its first plan. */
static bool begin_stage(struct make *make, struct err *err)
{
    drop_solve(make);
    arena_reset(&make->stage);
    make->stage_work = 0;
    if (!sched_problem_new(make->base, &make->descent, &make->stage, &make->problem, err)) {
        return false;
    }
    struct bp_solve *solve = NULL;
    if (make->problem->bp.n_classes > 0 &&
        !bp_solve_new(&make->problem->bp, &make->settings.solver, &solve, err)) {
        return false;
    }
    make->solve = solve;
    make->settled = solve == NULL;
    return true;
}

/* Which pods of the cluster have a place in the solver's plan as it stands. */
static const bool *placed_now(const struct make *make, struct arena *arena)
{
    bool *placed = ARENA_ARRAY(arena, bool, make->snapshot->cluster->n_pods);
    if (make->solve != NULL) {
        struct bp_solution *solution = ARENA_NEW(arena, struct bp_solution);
        struct plan plan = {.n_nodes = 0};
        struct assembly assembly = {.problem = make->problem,
                                    .solution = solution,
                                    .settings = &make->settings,
                                    .arena = arena,
                                    .plan = &plan};
        bp_solve_result(make->solve, arena, solution);
        assemble_placed(&assembly, placed);
    }
    return placed;
}

/* Sends the unplaced pods one step down; false when none can go. The last pods of a class are the
 * unplaced ones (assemble.c). */
static bool descend(struct make *make)
{
    const struct sched_problem *p = make->problem;
    const struct sched_snapshot *s = make->snapshot;
    struct arena scratch = ARENA_INIT;
    const bool *placed = placed_now(make, &scratch);
    bool any = false;
    for (uint32_t i = 0; i < s->n_pending; i++) {
        if (!placed[s->pending[i]] &&
            sched_descent_step(make->base, p, i, &scratch, &make->descent)) {
            any = true;
        }
    }
    arena_done(&scratch);
    return any;
}

/* Makes the greedy plan the plan. What is left to the solver is the bound: for the same pods, from
 * the same tiers of pools. */
static void take_greedy(struct make *make, const struct emu_plan *greedy)
{
    make->greedy = true;
    make->emulated = *greedy;
    for (uint32_t i = 0; i < make->snapshot->n_pending; i++) {
        if (make->emulated.running_of[i] != SCHED_NONE) {
            make->emulated.descent.tier[i] = make->start.tier[i];
        }
    }
    make->descent = make->emulated.descent;
    make->emulated_cost = greedy_cost(make->base, greedy);
}

static bool emulate(struct make *make, struct err *err)
{
    struct emu_settings settings = {.options_max = make->settings.options_max, .held = make->held};
    struct emu_plan greedy;
    bool good;
    if (make->settings.round != NULL) {
        good = emu_plan_of_round(make->base, make->settings.round_nodes, make->settings.round,
                                 &make->arena, &greedy, err);
    } else if (make->settings.one_by_one) {
        good = greedy_one_by_one(make->base, &settings, &make->arena, &greedy, err);
    } else if (make->settings.emulates == PLAN_CLUSTER_AUTOSCALER) {
        good = emu_autoscaler(make->base, &settings, &make->arena, &greedy, err);
    } else {
        good = emu_karpenter(make->base, &settings, &make->arena, &greedy, err);
    }
    if (good) {
        take_greedy(make, &greedy);
    }
    return good;
}

/* Preferences bind Karpenter while it places the pod that has them, not afterwards. A bound with
 * preferences that did not last would be about other plans than this one. */
static bool prove_again(struct make *make)
{
    struct bp_progress progress;
    bp_solve_progress(make->solve, &progress);
    if (make->proved_again || progress.bound <= make->emulated_cost) {
        return false;
    }
    make->proved_again = true;
    for (uint32_t i = 0; i < make->snapshot->n_pending; i++) {
        if (make->descent.rung[i] != SCHED_RUNG_OUT) {
            make->descent.rung[i] = SCHED_RUNG_OUT - 1; /* all */
        }
    }
    return begin_stage(make, &make->failure) && make->solve != NULL;
}

/* Pods that are held back start where those without a place end. */
static bool hold_back(struct make *make)
{
    const struct sched_snapshot *s = make->snapshot;
    bool *held = ARENA_ARRAY(&make->arena, bool, s->n_pending);
    for (uint32_t i = 0; i < s->n_pending && make->settings.held != NULL; i++) {
        if (make->settings.held[s->pending[i]]) {
            make->descent.rung[i] = SCHED_RUNG_OUT;
            held[i] = true;
        }
    }
    make->held = held;
    return true;
}

static bool keep_start(struct make *make)
{
    const uint32_t n = make->snapshot->n_pending;
    uint16_t *rung = ARENA_ARRAY(&make->arena, uint16_t, n);
    uint16_t *tier = ARENA_ARRAY(&make->arena, uint16_t, n);
    for (uint32_t i = 0; i < n; i++) {
        rung[i] = make->descent.rung[i];
        tier[i] = make->descent.tier[i];
    }
    make->start = (struct sched_descent){.rung = rung, .tier = tier};
    return true;
}

static bool prepare(const struct k8s_cluster *cluster, const struct catalog *catalog,
                    struct make *make, struct err *err)
{
    struct sched_settings settings = make_sched_settings(&make->settings);
    return sched_snapshot_new(cluster, catalog, &settings, make->settings.leave, &make->arena,
                              &make->snapshot, err) &&
           sched_base_new(make->snapshot, &make->arena, &make->base, err) &&
           sched_descent_start(make->base, &make->arena, &make->descent, err) && hold_back(make) &&
           keep_start(make) &&
           ((make->settings.emulates == PLAN_OWN && !make->settings.one_by_one) ||
            emulate(make, err)) &&
           begin_stage(make, err);
}

/* Is the plan far enough from its bound, and from what it would cost without the rules that another
 * order makes looser, to look for one that holds in some order only? */
static bool order_is_costly(const struct make *make)
{
    struct bp_progress now;
    bp_solve_progress(make->solve, &now);
    const usd_t least = now.bound > now.coarse_cost ? now.bound : now.coarse_cost;
    return now.n_unplaced > 0 ||
           sat_sub(now.cost, least) > muldiv_floor(now.cost, ORDER_WORTH_PPM, 1000000);
}

/* Keeps the plan at hand and looks for one that holds in some order; false when there is no point
 * in it. */
static bool try_some_order(struct make *make)
{
    if (make->settings.any_order || make->descent.in_some_order || !make->problem->order_matters ||
        !order_is_costly(make)) {
        return false;
    }
    make->kept_stage = make->stage;
    make->kept_problem = make->problem;
    make->kept_solve = make->solve;
    make->solve = NULL;
    make->stage = ARENA_INIT;
    make->descent.in_some_order = true;
    return begin_stage(make, &make->failure) && (make->settled = true);
}

/* Of the kept plan and the one at hand the better one stays. */
static void choose_order(struct make *make)
{
    if (make->kept_solve == NULL) {
        return;
    }
    struct bp_progress any, some = {.n_unplaced = UINT32_MAX};
    bp_solve_progress(make->kept_solve, &any);
    if (make->solve != NULL) {
        bp_solve_progress(make->solve, &some);
    }
    const usd_t worth = any.cost - muldiv_floor(any.cost, ORDER_WORTH_PPM, 1000000);
    struct bp_solve *dropped = make->kept_solve;
    struct arena dropped_stage = make->kept_stage;
    if (some.n_unplaced > any.n_unplaced ||
        (some.n_unplaced == any.n_unplaced && some.cost >= worth)) {
        dropped = make->solve;
        dropped_stage = make->stage;
        make->solve = make->kept_solve;
        make->stage = make->kept_stage;
        make->problem = make->kept_problem;
        make->descent.in_some_order = false;
    }
    make->kept_solve = NULL;
    make->kept_stage = ARENA_INIT;
    bp_solve_free(dropped);
    arena_done(&dropped_stage);
}

/* ---- repair */

static bool may_repair(const struct make *make)
{
    const struct make_settings *o = &make->settings;
    const bool spreads_spot = o->spot_rules.min_pools > 0 || o->spot_rules.max_per_pool.has ||
                              o->spot_rules.max_share.has || o->spot_caps.vcpu.has ||
                              o->spot_caps.per_pool > 0 || o->spot_caps.n_tight > 0;
    return !make->greedy && !make->repair_tried && !o->no_repair && !o->any_order &&
           !spreads_spot && o->solver.algorithm != BP_FFD && make->failure.code == ERR_NONE;
}

/* Is the plan so far from its bound, because of rules between pods, that placing them one by one is
 * worth a try? What the solver makes of units and of shared claims is not seen in its own bound. */
static bool is_dear(const struct make *make, usd_t *ret_cost)
{
    const struct sched_problem *p = make->problem;
    struct bp_progress now;
    if (make->solve == NULL || greedy_orders_to_save(make->base) == 0 ||
        (p->bp.n_groups == 0 && !p->any_units && p->bound_size == NULL)) {
        return false;
    }
    bp_solve_progress(make->solve, &now);
    *ret_cost = now.cost;
    return (now.cost > 0 && (p->any_units || p->bound_size != NULL)) ||
           sat_sub(now.cost, now.bound) > muldiv_floor(now.cost, REPAIR_DEAR_PPM, 1000000);
}

/* The solver moves pods that follow each other to one host as one unit, which fails where rules
 * over zones part them. Placing pods one by one, each under all rules, may then find places for
 * more, or cheaper ones. True when it did: what is left is to prove the bound. */
static bool repair(struct make *make)
{
    if (!may_repair(make)) {
        return false;
    }
    make->repair_tried = true;
    choose_order(make);
    struct arena scratch = ARENA_INIT;
    const struct emu_settings settings = {.options_max = make->settings.options_max,
                                          .held = make->held};
    struct emu_plan greedy;
    const bool *placed = placed_now(make, &scratch);
    usd_t cost = 0;
    const bool dear = is_dear(make, &cost);
    make->least_out = least_out_is_proven(make->base, &make->start, placed, &scratch);
    const bool lacks = !make->least_out;
    const uint32_t orders = lacks ? UINT32_MAX : greedy_orders_to_save(make->base);
    bool more = (dear || lacks) &&
                greedy_best(make->base, &settings, orders, &make->arena, &greedy, &make->failure);
    if (more) {
        const int gain = greedy_gain(make->base, &greedy, placed);
        more = gain > 0 || (dear && gain == 0 && greedy_cost(make->base, &greedy) < cost &&
                            greedy_keeps(make->base, &greedy, &make->descent));
    }
    arena_done(&scratch);
    if (more) {
        take_greedy(make, &greedy);
        more = begin_stage(make, &make->failure) && make->solve != NULL;
    }
    return more;
}

/* A few times what the solve may take; the highest effort is for proofs. */
static uint64_t proof_budget(uint32_t effort)
{
    static const uint64_t budgets[] = {2000000, 6000000, 15000000, 100000000, UINT64_MAX};
    return budgets[effort < 1 ? 0 : effort > 5 ? 4 : effort - 1];
}

bool make_new(const struct k8s_cluster *cluster, const struct catalog *catalog,
              const struct make_settings *settings, struct make **ret_make, struct err *err)
{
    struct arena arena = ARENA_INIT;
    struct make *make = ARENA_NEW(&arena, struct make);
    *make = (struct make){.arena = arena,
                          .stage = ARENA_INIT,
                          .kept_stage = ARENA_INIT,
                          .settings = *settings,
                          .proof_work = proof_budget(settings->solver.effort)};
    uint32_t *asked = ARENA_ARRAY(&make->arena, uint32_t, settings->n_explain + 1);
    if (!explain_find(cluster, settings->explain, settings->n_explain, asked, err) ||
        !prepare(cluster, catalog, make, err)) {
        make_free(make);
        return false;
    }
    *ret_make = make;
    return true;
}

/* One step of the solver's own plan. */
static bool step_plan(struct make *make, uint64_t work)
{
    struct bp_progress progress;
    bp_solve_progress(make->solve, &progress);
    if (make->settled || progress.n_unplaced == 0) {
        make->settled = true;
        return bp_solve_step(make->solve, work) ||
               (make->kept_solve == NULL && try_some_order(make));
    }
    bool more = make->stage_work < STAGE_WORK &&
                bp_solve_step(make->solve, work < STAGE_WORK ? work : STAGE_WORK);
    make->stage_work += work;
    bp_solve_progress(make->solve, &progress);
    if (more || progress.n_unplaced == 0) {
        return true;
    }
    if (make->problem->order_matters && !make->descent.in_some_order && !make->settings.any_order) {
        make->descent.in_some_order = true;
        return begin_stage(make, &make->failure) && make->solve != NULL;
    }
    if (!descend(make)) {
        make->settled = true;
        return true;
    }
    return begin_stage(make, &make->failure) && make->solve != NULL;
}

bool make_step(struct make *make, uint64_t work)
{
    if (make->cancelled) {
        return make->solve != NULL && bp_solve_step(make->solve, 1); /* It notes that. */
    }
    if (make->greedy) {
        return make->solve != NULL && (bp_solve_step(make->solve, work) || prove_again(make));
    }
    return (make->solve != NULL && step_plan(make, work)) || repair(make);
}

void make_cancel(struct make *make)
{
    make->cancelled = 1;
    struct bp_solve *solve = make->solve;
    if (solve != NULL) {
        bp_solve_cancel(solve);
    }
}

void make_limit_proof(struct make *make, uint64_t work)
{
    make->proof_work = work;
}

void make_progress(const struct make *make, struct bp_progress *ret_progress)
{
    *ret_progress = (struct bp_progress){.phase = "classes"};
    if (make->solve != NULL) {
        bp_solve_progress(make->solve, ret_progress);
    }
    if (make->greedy) {
        ret_progress->cost = make->emulated_cost;
    }
}

uint64_t make_arena_bytes(const struct make *make)
{
    return make->arena.held_bytes + make->stage.held_bytes +
           (make->solve == NULL ? 0 : bp_solve_arena_bytes(make->solve));
}

/* ---- the plan */

static struct str status_text(enum bp_status status)
{
    switch (status) {
    case BP_OPTIMAL:
        return STR("optimal");
    case BP_WITHIN_GAP:
        return STR("within-gap");
    case BP_EFFORT_DONE:
        return STR("effort-done");
    case BP_STOPPED:
        break;
    }
    return STR("stopped");
}

/* Proves that a plan costs nothing less than nothing. */
static struct bp_certificate empty_certificate(struct arena *arena, const struct sched_problem *p)
{
    return (struct bp_certificate){.dual = ARENA_ARRAY(arena, int64_t, p->bp.n_classes + 1),
                                   .limit_dual = ARENA_ARRAY(arena, int64_t, p->bp.n_limits),
                                   .best_value = ARENA_ARRAY(arena, int64_t, p->bp.n_offerings)};
}

/* What a problem without pods has: nothing to pay, nothing to prove. */
static void empty_solution(struct arena *arena, const struct sched_problem *p,
                           struct bp_solution *ret_solution)
{
    *ret_solution = (struct bp_solution){.unplaced = ARENA_ARRAY(arena, uint32_t, 1)};
    ret_solution->certificate = empty_certificate(arena, p);
}

static int str_order(const void *a, const void *b)
{
    return str_cmp(*(const struct str *)a, *(const struct str *)b);
}

/* The cluster of the plan: the caller's, or a copy with virtual pods. */
static const struct k8s_cluster *plan_cluster(const struct make *make, struct arena *arena)
{
    const struct sched_snapshot *s = make->snapshot;
    return s->cluster == s->given ? s->given : sched_cluster_widened(s->given, arena);
}

/* The pods that somebody asked about. */
static bool answer(const struct make *make, struct assembly *a, struct err *err)
{
    uint32_t n = make->settings.n_explain;
    uint32_t *pods = ARENA_ARRAY(a->arena, uint32_t, n + 1);
    return n == 0 || (explain_find(make->snapshot->cluster, make->settings.explain, n, pods, err) &&
                      explain_add(a, &make->descent, pods, n, err));
}

/* Pods that need a place and have none, in order. */
static bool explain(const struct make *make, struct assembly *a, const bool *placed,
                    struct err *err)
{
    const struct sched_snapshot *s = make->snapshot;
    const struct k8s_cluster *cluster = s->cluster;
    uint32_t *out = ARENA_ARRAY(a->arena, uint32_t, cluster->n_pods);
    uint32_t n = 0;
    a->plan->n_pending = s->n_pending;
    for (uint32_t i = 0; i < cluster->n_pods; i++) {
        a->plan->n_pending += s->pods[i].state == SCHED_POD_BLOCKED;
        if (s->pods[i].state == SCHED_POD_BLOCKED ||
            (s->pods[i].state == SCHED_POD_PENDING && !placed[i])) {
            out[n++] = i;
        }
    }
    sched_pods_sort(cluster, a->arena, out, n);
    return reasons_add(a, out, n, err);
}

/* The bound shown is the one the verifier has proven, which may be a little below the solver's
 * claim. */
static void restate(const struct make *make, struct bp_solution *solution)
{
    if (solution->status == BP_OPTIMAL || solution->status == BP_WITHIN_GAP) {
        double gap =
            (double)(solution->cost - solution->certificate.bound) / (double)solution->cost;
        solution->status = gap <= make->settings.solver.gap ? BP_WITHIN_GAP : BP_EFFORT_DONE;
    }
}

/* Takes out of the certificate what is about this planner's units: the prices of tied pods, so that
 * it holds for plans that tie them otherwise, too, and branches, which know the rules of groups.
 * Returns whether pods are tied. */
static bool free_tied(const struct make *make, struct arena *arena, struct bp_solution *solution)
{
    const struct sched_problem *p = make->problem;
    int64_t *dual = ARENA_ARRAY(arena, int64_t, p->bp.n_classes);
    bool tied = false;
    for (uint32_t i = 0; i < p->bp.n_classes; i++) {
        tied = tied || p->tied[i];
        dual[i] = p->tied[i] ? 0 : solution->certificate.dual[i];
    }
    if (tied || p->any_units) {
        usd_t before = solution->certificate.bound;
        solution->certificate.dual = dual;
        solution->certificate.n_branches = 0;
        if (tied) {
            solution->certificate.counts = NULL; /* its cuts price them, too */
        }
        usd_t bound = bp_certificate_bound(&p->bp, &solution->certificate, solution->unplaced);
        solution->certificate.bound = bound < before ? bound : before;
        if (bound < before) {
            restate(make, solution);
        }
    }
    return tied;
}

static void take_proven(const struct make *make, struct bp_solution *solution,
                        const struct bp_certificate *proven)
{
    bool lowered = proven->bound < solution->certificate.bound;
    solution->certificate = *proven;
    if (lowered) {
        restate(make, solution);
    }
}

/* Takes the prices of pods with attachments out of the certificate: their sizes and capacities are
 * this planner's choice where pods share claims. */
static void free_attached(const struct make *make, struct arena *arena,
                          struct bp_solution *solution)
{
    const struct bp_problem *bp = &make->problem->bp;
    const struct sched_dims *dims = &make->problem->base->dims;
    int64_t *dual = ARENA_ARRAY(arena, int64_t, bp->n_classes);
    for (uint32_t i = 0; i < bp->n_classes; i++) {
        dual[i] = solution->certificate.dual[i];
        for (uint32_t d = 0; d < bp->n_dims; d++) {
            const size_t at = (size_t)i * bp->n_dims + d;
            if (dims->v[d].attach && (bp->size[at] > 0 || make->problem->shares_claims[i])) {
                dual[i] = 0;
            }
        }
    }
    solution->certificate.dual = dual;
    solution->certificate.n_branches = 0; /* boxes are closed by sizes, too */
    solution->certificate.counts = NULL;  /* its cuts have prices of their own */
    usd_t bound = bp_certificate_bound(bp, &solution->certificate, solution->unplaced);
    if (bound < solution->certificate.bound) {
        solution->certificate.bound = bound;
        restate(make, solution);
    }
}

/* What a bound leaves out that the certificate has no word for. */
struct left_out {
    bool tied;     /* see free_tied */
    bool attached; /* see free_attached */
};

/* The verifier's word on the plan and its bound. Where pods share claims the bound has to hold for
 * plans that count them otherwise: for sizes without them and the whole capacities. Mostly it does,
 * because attachments are not what fills the nodes. */
static bool prove_bound(const struct make *make, struct arena *arena, struct bp_solution *solution,
                        struct bp_certificate *ret_proven, struct left_out *left_out,
                        struct err *err)
{
    struct sched_problem *p = make->problem;
    struct arena scratch = ARENA_INIT;
    uint64_t work = make->proof_work;
    if (work < UINT64_MAX && p->bound_size != NULL) {
        work /= 3; /* proofs */
    }
    bool good = bp_verify_proven(&p->bp, solution, work, &scratch, arena, ret_proven, err);
    if (good && p->bound_size != NULL) {
        p->bp.size = p->bound_size;
        p->bp.capacity = p->bound_capacity;
        take_proven(make, solution, ret_proven);
        if (p->claims_keep_off ||
            !bp_verify_proven(&p->bp, solution, work, &scratch, arena, ret_proven, NULL)) {
            free_attached(make, arena, solution);
            left_out->attached = true;
            good = bp_verify_proven(&p->bp, solution, work, &scratch, arena, ret_proven, err);
        }
    }
    arena_done(&scratch);
    return good || err_wrap(err, "the verifier refused the solver's plan");
}

/* The solver's solution with a bound that the verifier has proven itself. */
static bool prove(struct make *make, struct arena *arena, struct bp_solution *solution,
                  struct left_out *left_out, struct err *err)
{
    if (make->solve == NULL) {
        empty_solution(arena, make->problem, solution);
        return true;
    }
    bp_solve_result(make->solve, arena, solution);
    make->spread_cost = spot_swap(make->problem, &make->settings.spot_rules, arena, solution);
    if (make->spread_cost > 0) {
        restate(make, solution);
    }
    struct bp_certificate proven;
    left_out->tied = free_tied(make, arena, solution);
    if (!prove_bound(make, arena, solution, &proven, left_out, err)) {
        return false;
    }
    take_proven(make, solution, &proven);
    return true;
}

static void name_relaxed(const struct make *make, struct arena *arena,
                         const struct bp_certificate *certificate, const struct left_out *left_out,
                         struct plan *plan)
{
    const struct bp_problem *bp = &make->problem->bp;
    struct str *names = ARENA_ARRAY(arena, struct str, bp->n_families + 6);
    uint32_t n = 0;
    if (left_out->tied) {
        names[n] = STR("hostname-affinity");
        n++;
    }
    if (make->problem->bound_size != NULL) {
        names[n] = STR("shared-claims");
        n++;
    }
    if (left_out->attached) {
        names[n] = STR("attach-limits");
        n++;
    }
    /* Branches know the rules of all groups. */
    for (uint32_t f = 0; f < bp->n_families && certificate->n_branches == 0; f++) {
        if (((certificate->relaxed_families >> (f < 63 ? f : 63)) & 1U) != 0) {
            names[n++] = str_copy(arena, str_of(bp->family_names[f]));
        }
    }
    if (certificate->relaxed_varieties) {
        names[n] = STR("min-values");
        n++;
    }
    if (certificate->relaxed_exclusions) {
        names[n] = STR("hostname-anti-affinity");
        n++;
    }
    if (certificate->relaxed_caps) {
        names[n] = STR("hostname-spread");
        n++;
    }
    if (n > 0) {
        qsort(names, n, sizeof *names, str_order);
    }
    plan->relaxed = names;
    plan->n_relaxed = n;
}

static struct str method_of(const struct make *make)
{
    const struct make_settings *settings = &make->settings;
    if (make->greedy) {
        return settings->emulates != PLAN_OWN ? str_of(plan_planners[settings->emulates].method)
                                              : STR("greedy-repair");
    }
    return settings->solver.algorithm == BP_FFD ? STR("first-fit-decreasing")
                                                : STR("column-generation");
}

/* How a greedy plan stands to the bound of the solver's plan. */
static struct str greedy_status(const struct make *make, const struct plan *plan,
                                const struct bp_solution *solution)
{
    if (plan->cost == plan->bound) {
        return STR("optimal");
    }
    double gap = (double)(plan->cost - plan->bound) / (double)plan->cost;
    if (gap <= make->settings.solver.gap) {
        return STR("within-gap");
    }
    return solution->status == BP_STOPPED ? STR("stopped") : STR("effort-done");
}

bool make_finish(struct make *make, struct arena *arena, struct plan **ret_plan, struct err *err)
{
    if (make->failure.code != ERR_NONE) {
        *err = make->failure;
        return false;
    }
    choose_order(make);
    struct plan *plan = ARENA_NEW(arena, struct plan);
    const struct sched_snapshot *s = make->snapshot;
    struct bp_solution *solution = ARENA_NEW(arena, struct bp_solution);
    struct assembly a = {.problem = make->problem,
                         .solution = solution,
                         .settings = &make->settings,
                         .arena = arena,
                         .plan = plan};
    struct left_out left_out = {0};
    if (!prove(make, arena, solution, &left_out, err)) {
        return false;
    }
    *plan = (struct plan){.mode = make->settings.mode,
                          .cluster = plan_cluster(make, arena),
                          .catalog = s->catalog,
                          .now = make->settings.now,
                          .seed = make->settings.solver.seed,
                          .bound = solution->certificate.bound,
                          .status = status_text(solution->status),
                          .n_columns = solution->n_columns,
                          .least_out = make->least_out,
                          .method = method_of(make),
                          .emulated = make->settings.emulates,
                          .spread_cost = make->spread_cost,
                          .problem = problem_copy(&make->problem->bp, arena),
                          .solution = solution};
    bool *placed = ARENA_ARRAY(arena, bool, s->cluster->n_pods);
    if (make->greedy) {
        assemble_emulated(&a, &make->emulated, placed);
        if (plan->bound > plan->cost && plan->emulated == PLAN_OWN) {
            /* Units that the plan does not move as one: what they prove is not about it. */
            solution->certificate = empty_certificate(arena, make->problem);
            plan->bound = 0;
        }
        plan->status = greedy_status(make, plan, solution);
    } else {
        assemble_nodes(&a, placed);
    }
    name_relaxed(make, arena, &solution->certificate, &left_out, plan);
    if (!explain(make, &a, placed, err) || !answer(make, &a, err)) {
        return false;
    }
    notes_add(&a);
    *ret_plan = plan;
    return true;
}

void make_free(struct make *make)
{
    if (make == NULL) {
        return;
    }
    drop_solve(make);
    bp_solve_free(make->kept_solve);
    arena_done(&make->kept_stage);
    arena_done(&make->stage);
    struct arena arena = make->arena; /* The make itself lives in it. */
    arena_done(&arena);
}
