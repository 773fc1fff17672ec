/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Without groups a solve is its engine. With groups there are two engines: one packs the problem
 * that is left after a decision about groups (spread.h), the other solves the problem without
 * groups, whose bound holds for every plan; both get half of the work. Decisions are made by
 * trying: the best ones by estimate are packed with little effort and the winner in full.
 * Afterwards, while work is left and the gap is open, prices are shaken and decisions made again.
 * In the end the bound is made once more, with the rules of groups in it (bound_groups.h). */
#include "binpack/solver/solve.h"

#include "base/arena.h"
#include "base/bitset.h"
#include "base/rng.h"
#include "binpack/solver/bound_groups.h"
#include "binpack/solver/count_proof.h"
#include "binpack/solver/engine.h"
#include "binpack/solver/solution.h"
#include "binpack/solver/spread.h"
#include "binpack/solver/spread_choose.h"
#include "binpack/solver/spread_exact.h"
#include "binpack/solver/spread_split.h"
#include "binpack/solver/spread_twins.h"

#include <stdatomic.h>
#include <string.h>

enum {
    TRY_WORK = 30000,   /* of packing one candidate */
    MAX_CANDIDATES = 4, /* packed */
    DEAR_START =
        15000, /* work of a first plan above which candidates are judged by estimate only */
    MAX_REBALANCES = 4,
    MAX_SHAKES = 200,
    MAX_IDLE_SHAKES = 16, /* in a row without a better plan */
    STEP_WORK = 20000,    /* between looks at the clock of work */
    MANY_CLASSES = 1000,  /* for the bound */
    COMBINATION_PODS =
        400000 /* fewer combinations when the product of combinations and pods is above */
};

enum phase { PHASE_TRY, PHASE_PACK, PHASE_REBALANCE, PHASE_SHAKE, PHASE_REPACK, PHASE_DONE };

struct bp_solve {
    struct arena arena;    /* lives as long as the solve */
    struct arena spare[2]; /* of `best` and of the one before it */
    const struct bp_problem *problem;
    struct bp_options options;
    struct bp_engine
        *bound_engine; /* the problem without groups; the only engine when there are none */
    atomic_bool cancelled;
    bool stopped;

    /* Below only with groups. */
    bool bound_done;               /* the bound will not rise any more */
    struct bp_engine *pack_engine; /* of `split_problem` */
    struct arena pack_arena;       /* split and split_problem */
    struct bp_split split;
    struct bp_split_problem split_problem;
    bool coarse; /* the engine packs twins.coarse instead of split_problem */
    struct bp_twins twins;
    usd_t collected_cost; /* of the engine's plan when it was last looked at */
    struct bp_spread spread;
    struct bp_problem relaxed;
    struct bp_candidates candidates; /* [0] is the best one so far */
    uint32_t candidate_i, n_rebalances, n_shakes, n_idle_shakes;
    bool
        repack; /* candidates[0] is a later decision that has been packed with little effort only */
    uint64_t shakes_from; /* work when they began */
    uint64_t start_work;  /* of the first plan of a decision */
    enum phase phase;
    struct bp_solution best; /* certificate not set */
    usd_t coarse_cost;       /* of `best`, see bp_progress */
    uint32_t best_arena;
    usd_t bound;
    uint64_t work; /* of engines that are gone */
    uint64_t budget;
    struct bp_branching *branching; /* the last phase: a bound that knows groups */
    struct rng rng;
    char warning[ERR_TEXT_MAX];
    /* The latest gain worth mentioning, see note_gain. */
    uint64_t gain_work;
    usd_t gain_cost, gain_bound;
    uint32_t gain_unplaced;
    bool rounded, impatient;
};

/* ------------------------------------------------------------------ plans */

static bool offer_plan(struct bp_solve *s, const struct bp_solution *plan)
{
    if (s->best.unplaced != NULL && !bp_solution_is_better(s->problem, plan, &s->best)) {
        return false;
    }
    uint32_t other = 1 - s->best_arena;
    arena_reset(&s->spare[other]);
    bp_solution_copy_plan(s->problem, plan, &s->spare[other], &s->best);
    s->best_arena = other;
    return true;
}

/* The packing engine's plan as one of split_problem. */
static void fetch_packed(const struct bp_solve *s, struct bp_solution *ret_packed,
                         struct arena *arena, struct arena *scratch)
{
    *ret_packed = (struct bp_solution){.unplaced = ARENA_ARRAY(arena, uint32_t, 1)};
    if (s->pack_engine != NULL) {
        bp_engine_result(s->pack_engine, arena, ret_packed);
    }
    if (s->pack_engine != NULL && s->coarse) {
        struct bp_solution coarse = *ret_packed;
        bp_twins_restore(&s->twins, &coarse, ret_packed, arena, scratch);
    }
}

/* Takes what the packing engine has. */
static bool collect(struct bp_solve *s)
{
    auto_arena arena = ARENA_INIT;
    auto_arena scratch = ARENA_INIT;
    struct bp_solution packed, plan;
    fetch_packed(s, &packed, &arena, &scratch);
    bp_split_restore(&s->spread, &s->split, &s->split_problem, &packed, &plan, &arena, &scratch);
    if (!offer_plan(s, &plan)) {
        return false;
    }
    s->coarse_cost = 0;
    if (s->coarse && s->pack_engine != NULL) {
        struct bp_progress progress;
        bp_engine_progress(s->pack_engine, &progress);
        s->coarse_cost = progress.cost;
    }
    return true;
}

static usd_t bound_of(const struct bp_solve *s)
{
    usd_t bound = s->branching == NULL ? 0 : bp_branching_bound(s->branching);
    bound = bound > s->bound ? bound : s->bound;
    return bound < s->best.cost ? bound : s->best.cost;
}

static bool any_left(const struct bp_solve *s)
{
    for (uint32_t i = 0; i < s->problem->n_classes; i++) {
        if (s->best.unplaced[i] > 0) {
            return true;
        }
    }
    return false;
}

/* The gap is one of cost: a plan that leaves units out is cheap for that very reason, and other
 * decisions have to look for their place first. */
static bool is_good_enough(const struct bp_solve *s)
{
    if (s->phase != PHASE_DONE && any_left(s)) {
        return false;
    }
    const usd_t proven = bound_of(s), known = s->options.known_bound;
    const usd_t bound = known > proven ? known : proven;
    return s->best.cost == 0 ||
           (double)(s->best.cost - bound) <= s->options.gap * (double)s->best.cost;
}

/* ------------------------------------------------------------------ decisions */

static void drop_pack(struct bp_solve *s)
{
    if (s->pack_engine != NULL) {
        struct bp_progress progress;
        bp_engine_progress(s->pack_engine, &progress);
        s->work += progress.work;
    }
    bp_engine_free(s->pack_engine);
    s->pack_engine = NULL;
}

/* Starts to pack a decision. */
static bool start_pack(struct bp_solve *s, const struct bp_split *split,
                       const struct bp_options *given, struct err *err)
{
    drop_pack(s);
    struct bp_options options = *given;
    options.plan_only = true;  /* what it proves is for the decision only */
    options.start_dual = NULL; /* its classes are others */
    const struct bp_problem *p = s->problem;
    struct arena arena = ARENA_INIT;
    s->split = *split;
    s->split.units = (uint32_t *)(void *)arena_copy(
        &arena, split->units, (size_t)p->n_classes * s->spread.n_tuples * sizeof *split->units);
    s->split.left =
        (uint32_t *)(void *)arena_copy(&arena, split->left, p->n_classes * sizeof *split->left);
    bp_split_problem_build(&s->spread, &s->split, &s->split_problem, &arena);
    arena_done(&s->pack_arena);
    s->pack_arena = arena;
    s->collected_cost = -1;
    s->coarse = bp_twins_build(&s->twins, &s->split_problem.problem, &s->pack_arena);
    if (s->split_problem.problem.n_classes == 0) {
        return true;
    }
    const struct bp_problem *packed = s->coarse ? &s->twins.coarse : &s->split_problem.problem;
    return bp_engine_new(packed, &options, &s->pack_engine, err);
}

/* ------------------------------------------------------------------ phases */

static uint64_t work_of(const struct bp_solve *s)
{
    struct bp_progress progress;
    uint64_t work = s->work;
    bp_engine_progress(s->bound_engine, &progress);
    work += progress.work;
    if (s->pack_engine != NULL) {
        bp_engine_progress(s->pack_engine, &progress);
        work += progress.work;
    }
    return s->branching == NULL ? work : work + bp_branching_work(s->branching);
}

static struct bp_options small_options(const struct bp_solve *s)
{
    struct bp_options options = s->options;
    options.effort = 1;
    options.n_start_nodes = 0;
    options.start_dual = NULL;
    return options;
}

static void give_up(struct bp_solve *s, const struct err *err)
{
    if (s->warning[0] == '\0') {
        memcpy(s->warning, err->text, sizeof s->warning);
    }
    s->phase = PHASE_DONE;
}

/* Packs one decision with little effort; returns whether the plan is better than all before. */
static bool try_split(struct bp_solve *s, const struct bp_split *split)
{
    struct bp_options options = small_options(s);
    struct err err;
    if (!start_pack(s, split, &options, &err)) {
        give_up(s, &err);
        return false;
    }
    if (s->pack_engine != NULL) {
        bp_engine_step(s->pack_engine, TRY_WORK);
    }
    return collect(s);
}

static void step_try(struct bp_solve *s)
{
    struct bp_split *winner = &s->candidates.v[0];
    if (s->candidate_i < s->candidates.n) {
        if (try_split(s, &s->candidates.v[s->candidate_i])) {
            struct bp_split swap = *winner; /* the winner so far is kept in front */
            *winner = s->candidates.v[s->candidate_i];
            s->candidates.v[s->candidate_i] = swap;
        }
        s->candidate_i++;
        return;
    }
    struct err err;
    if (!start_pack(s, winner, &s->options, &err)) {
        give_up(s, &err);
        return;
    }
    s->phase = PHASE_PACK;
}

/* Where the engine could not place all that was decided, less is decided and the rest goes
 * elsewhere. */
static void step_rebalance(struct bp_solve *s)
{
    const struct bp_problem *p = s->problem;
    auto_arena arena = ARENA_INIT;
    auto_arena scratch = ARENA_INIT;
    struct bp_solution packed;
    bool any = false;
    if (s->pack_engine == NULL || s->n_rebalances++ >= MAX_REBALANCES) {
        s->phase = PHASE_SHAKE;
        return;
    }
    fetch_packed(s, &packed, &arena, &scratch);
    size_t n_pairs = (size_t)p->n_classes * s->spread.n_tuples;
    uint32_t *most = ARENA_ARRAY(&arena, uint32_t, n_pairs);
    memset(most, 0xff, n_pairs * sizeof *most);
    for (uint32_t i = 0; i < s->split_problem.problem.n_classes; i++) {
        uint32_t t = s->split_problem.tuple_of[i];
        if (packed.unplaced[i] > 0 && t != UINT32_MAX) {
            uint32_t demand = s->split_problem.problem.classes[i].demand;
            most[(size_t)s->split_problem.class_of[i] * s->spread.n_tuples + t] =
                demand - packed.unplaced[i];
            any = true;
        }
    }
    if (!any) {
        s->phase = PHASE_SHAKE;
        return;
    }
    struct bp_spread_choice choice = {.most = most};
    struct bp_split split;
    bp_spread_place(&s->spread, &choice, &split, &arena, &scratch);
    try_split(s, &split);
}

/* A decision that made a better plan in passing is packed in full at the end. */
static void keep_winner(struct bp_solve *s, const struct bp_split *split)
{
    size_t n_pairs = (size_t)s->problem->n_classes * s->spread.n_tuples;
    struct bp_split *kept = &s->candidates.v[0];
    if (s->candidates.n == 0) {
        kept->units = ARENA_ARRAY(&s->arena, uint32_t, n_pairs);
        kept->left = ARENA_ARRAY(&s->arena, uint32_t, s->problem->n_classes);
        s->candidates.n = 1;
    }
    memcpy(kept->units, split->units, n_pairs * sizeof *kept->units);
    memcpy(kept->left, split->left, s->problem->n_classes * sizeof *kept->left);
    kept->price = split->price;
    s->repack = true;
}

static void end_shakes(struct bp_solve *s)
{
    struct err err;
    s->phase = PHASE_DONE;
    if (s->repack) {
        s->phase = PHASE_REPACK;
        struct bp_options options = s->options;
        options.n_start_nodes = 0;
        if (!start_pack(s, &s->candidates.v[0], &options, &err)) {
            give_up(s, &err);
        }
    }
}

static void step_shake(struct bp_solve *s)
{
    uint64_t work = work_of(s);
    s->shakes_from = s->n_shakes == 0 ? work : s->shakes_from;
    if (s->start_work > DEAR_START || s->n_shakes++ >= MAX_SHAKES ||
        s->n_idle_shakes++ >= MAX_IDLE_SHAKES || work > 2 * s->shakes_from) {
        end_shakes(s);
        return;
    }
    auto_arena arena = ARENA_INIT;
    auto_arena scratch = ARENA_INIT;
    struct bp_spread_choice choice;
    struct bp_split split;
    bp_choice_shake(&choice, &s->spread, &s->rng, &arena);
    bp_spread_place(&s->spread, &choice, &split, &arena, &scratch);
    if (bp_spread_compare_left(s->problem, split.left, s->best.unplaced) <= 0 &&
        !bp_split_equal(&s->spread, &split, &s->split) && try_split(s, &split)) {
        keep_winner(s, &split);
        s->n_idle_shakes = 0;
    }
}

/* The plan without groups may happen to obey them. */
static void offer_relaxed(struct bp_solve *s)
{
    if (s->relaxed.n_caps < s->problem->n_caps || s->problem->n_exclusions > 0 ||
        s->problem->n_varieties > 0) {
        return; /* it need not obey those */
    }
    auto_arena arena = ARENA_INIT;
    auto_arena scratch = ARENA_INIT;
    struct bp_solution plan;
    bp_engine_result(s->bound_engine, &arena, &plan);
    bp_split_repair(s->problem, &plan, &arena, &scratch);
    offer_plan(s, &plan);
}

static void step_bound(struct bp_solve *s, uint64_t work)
{
    struct bp_progress progress;
    bool more = bp_engine_step(s->bound_engine, work);
    bp_engine_progress(s->bound_engine, &progress);
    s->bound = progress.bound;
    if (!more || strcmp(progress.phase, "improve") == 0) {
        s->bound_done = true;
        offer_relaxed(s);
    }
}

static void step_pack(struct bp_solve *s, uint64_t work)
{
    if (s->pack_engine == NULL || !bp_engine_step(s->pack_engine, work)) {
        collect(s);
        s->phase = s->phase == PHASE_PACK ? PHASE_REBALANCE : PHASE_DONE;
    }
}

/* ------------------------------------------------------------------ the interface */

static uint64_t budget_of(uint32_t effort)
{
    static const uint64_t budgets[] = {400000, 2000000, 14000000, 80000000, 800000000};
    return budgets[(effort < 1 ? 1 : effort > 5 ? 5 : effort) - 1];
}

/* The greedy plan of the split problem itself, where the engine packs a coarser one and naming anew
 * left units out. */
static bool offer_first(struct bp_solve *s, struct err *err)
{
    auto_arena arena = ARENA_INIT;
    auto_arena scratch = ARENA_INIT;
    struct bp_engine *engine;
    struct bp_options options = small_options(s);
    struct bp_solution packed, plan;
    if (!bp_engine_new(&s->split_problem.problem, &options, &engine, err)) {
        return false;
    }
    bp_engine_result(engine, &arena, &packed);
    bp_split_restore(&s->spread, &s->split, &s->split_problem, &packed, &plan, &arena, &scratch);
    offer_plan(s, &plan);
    bp_engine_free(engine);
    return true;
}

/* Tiny problems are solved on the spot; only the bound is left to do then. */
static void solve_exactly(struct bp_solve *s)
{
    auto_arena arena = ARENA_INIT;
    auto_arena scratch = ARENA_INIT;
    struct bp_solution plan;
    uint64_t work;
    enum bp_exact_answer answer =
        bp_spread_exact(&s->spread, &s->best, &plan, &work, &arena, &scratch);
    s->work += work;
    if (answer == BP_EXACT_FOUND) {
        offer_plan(s, &plan);
    }
    if (answer != BP_EXACT_GAVE_UP) {
        s->phase = PHASE_DONE;
    }
}

static bool start_groups(struct bp_solve *s, struct err *err)
{
    s->budget = budget_of(s->options.effort);
    s->rng = (struct rng){.state = s->options.seed};
    bp_spread_build(&s->spread, s->problem, &s->arena);
    bp_candidates_find(&s->candidates, &s->spread, &s->arena);
    struct bp_options options = s->options;
    options.n_start_nodes = 0; /* nodes of the original problem: they fit the bound engine only */
    if (!start_pack(s, &s->candidates.v[0], &options, err)) {
        return false;
    }
    collect(s);
    if (s->coarse && any_left(s) && !offer_first(s, err)) {
        return false;
    }
    struct bp_progress progress = {.work = 0};
    if (s->pack_engine != NULL) {
        bp_engine_progress(s->pack_engine, &progress);
    }
    s->start_work = s->coarse ? DEAR_START + 1 : progress.work;
    s->phase = s->options.algorithm == BP_FFD                       ? PHASE_DONE
               : s->candidates.n > 1 && s->start_work <= DEAR_START ? PHASE_TRY
                                                                    : PHASE_PACK;
    s->bound_done = s->options.algorithm == BP_FFD;
    if (s->options.algorithm != BP_FFD && s->options.effort > 1) {
        solve_exactly(s);
    }
    return true;
}

/* The problem that the bound is made for: only what every plan must obey, and of many classes not
 * even what hardly binds, because it would keep equal classes apart. */
static void relax(struct bp_solve *s)
{
    const struct bp_problem *p = s->problem;
    struct bp_cap *caps = ARENA_ARRAY(&s->arena, struct bp_cap, p->n_caps);
    bool *soft = ARENA_ARRAY(&s->arena, bool, p->n_caps);
    s->relaxed = *p;
    s->relaxed.n_caps = 0;
    if (p->n_classes > MANY_CLASSES) {
        bp_soft_caps(p, soft, &s->arena);
        s->relaxed.classes = bp_soft_classes(p, soft, &s->arena);
    }
    for (uint32_t x = 0; x < p->n_caps; x++) {
        if (p->caps[x].necessary && !soft[x]) {
            caps[s->relaxed.n_caps++] = p->caps[x];
        }
    }
    s->relaxed.caps = caps;
    s->relaxed.n_exclusions = 0;
    s->relaxed.n_varieties = 0;
    s->relaxed.n_groups = 0;
}

bool bp_solve_new(const struct bp_problem *problem, const struct bp_options *options,
                  struct bp_solve **ret_solve, struct err *err)
{
    if (!bp_problem_check(problem, err)) {
        return false;
    }
    struct arena arena = ARENA_INIT;
    struct bp_solve *s = ARENA_NEW(&arena, struct bp_solve);
    s->arena = arena;
    s->problem = problem;
    s->options = *options;
    relax(s);
    bool grouped = problem->n_groups > 0;
    struct bp_options bound_options = *options;
    bound_options.bound_only = options->bound_only || grouped;
    if (!bp_engine_new(grouped ? &s->relaxed : problem, &bound_options, &s->bound_engine, err) ||
        (grouped && !start_groups(s, err))) {
        bp_solve_free(s);
        return false;
    }
    *ret_solve = s;
    return true;
}

static void step_groups(struct bp_solve *s, uint64_t work)
{
    if (!s->bound_done) {
        step_bound(s, work);
    }
    switch (s->phase) {
    case PHASE_TRY:
        step_try(s);
        break;
    case PHASE_PACK:
    case PHASE_REPACK:
        step_pack(s, work);
        break;
    case PHASE_REBALANCE:
        step_rebalance(s);
        break;
    case PHASE_SHAKE:
        step_shake(s);
        break;
    case PHASE_DONE:
        break;
    }
}

/* ------------------------------------------------------------------ patience */

/* Up to the default effort a solve also ends when nothing worth mentioning has come for as long as
 * it took to get there, and half a second: most clusters are then as good as they get. Higher
 * efforts use their budget. Counted in work, so the same everywhere. */
enum {
    PATIENCE_WORK = 200000,
    PATIENT_EFFORT = 4,
    QUANTUM_WORK = 20000,
    WORTH = 5000 /* one part in */
};

/* Whether the plan is more than a greedy one by now: a large LP alone may take longer than patience
 * has. */
static bool is_rounded(const struct bp_solve *s)
{
    const struct bp_engine *engine = s->problem->n_groups > 0 ? s->pack_engine : s->bound_engine;
    if (engine == NULL || s->phase > PHASE_PACK) {
        return true;
    }
    struct bp_progress now;
    bp_engine_progress(engine, &now);
    return strcmp(now.phase, "greedy") != 0 && strcmp(now.phase, "columns") != 0 &&
           strcmp(now.phase, "round") != 0;
}

static void note_gain(struct bp_solve *s)
{
    struct bp_progress now;
    bp_solve_progress(s, &now);
    bool cheaper =
        now.n_unplaced < s->gain_unplaced || now.cost < s->gain_cost - s->gain_cost / WORTH;
    bool tighter = now.bound > s->gain_bound + s->gain_bound / WORTH;
    if (cheaper || tighter || s->gain_work == 0) {
        s->gain_unplaced = now.n_unplaced;
        s->gain_cost = now.cost;
        s->gain_bound = now.bound;
        s->gain_work = now.work + 1;
    }
    s->rounded = s->rounded || is_rounded(s);
    s->impatient = s->options.effort < PATIENT_EFFORT && s->rounded &&
                   now.work > 2 * s->gain_work + PATIENCE_WORK;
}

/* Returns true while more work would help. */
static bool run_groups(struct bp_solve *s, uint64_t until, uint64_t work)
{
    while (s->phase != PHASE_DONE || !s->bound_done) {
        if (atomic_load(&s->cancelled)) {
            s->stopped = true;
            return false;
        }
        uint64_t spent = work_of(s);
        note_gain(s);
        if (spent >= s->budget || s->impatient || (s->bound_done && is_good_enough(s))) {
            return false;
        }
        if (spent >= until) {
            return true;
        }
        step_groups(s, work / 2 < STEP_WORK ? work / 2 + 1 : STEP_WORK);
    }
    return false;
}

/* The bound so far is about all units. Where the plan leaves some out, what counts is the bound of
 * plans that leave out the same. */
static void bound_what_is_placed(struct bp_solve *s)
{
    if (any_left(s)) {
        auto_arena arena = ARENA_INIT;
        struct bp_solution solution;
        bp_engine_result(s->bound_engine, &arena, &solution);
        usd_t bound = bp_certificate_bound(s->problem, &solution.certificate, s->best.unplaced);
        s->bound = bound < s->bound ? bound : s->bound;
    }
}

/* Once the plan stands, the bound is made again with the rules of groups in it, where it is worth
 * while and the gap is open. */
static bool run_branching(struct bp_solve *s, uint64_t work)
{
    if (s->branching == NULL) {
        bound_what_is_placed(s);
    }
    if (s->stopped || atomic_load(&s->cancelled) || s->options.effort <= 1 ||
        s->options.algorithm == BP_FFD || is_good_enough(s)) {
        return false;
    }
    if (s->branching == NULL) {
        if (!bp_branching_is_worth(s->problem)) {
            return false;
        }
        auto_arena arena = ARENA_INIT;
        uint32_t *placed = ARENA_ARRAY(&arena, uint32_t, s->problem->n_classes);
        for (uint32_t i = 0; i < s->problem->n_classes; i++) {
            placed[i] = s->problem->classes[i].demand - s->best.unplaced[i];
        }
        s->branching = bp_branching_new(s->problem, placed, s->best.cost, s->budget / 16);
        return !is_good_enough(s);
    }
    return bp_branching_step(s->branching, work) && !is_good_enough(s);
}

/* The same without groups: the engine alone. */
static bool run_engine(struct bp_solve *s, uint64_t work)
{
    struct bp_progress progress;
    bp_engine_progress(s->bound_engine, &progress);
    for (uint64_t until = progress.work + work; progress.work < until;) {
        if (!bp_engine_step(s->bound_engine, work < QUANTUM_WORK ? work : QUANTUM_WORK)) {
            return false;
        }
        note_gain(s);
        if (s->impatient) {
            return false;
        }
        bp_engine_progress(s->bound_engine, &progress);
    }
    return true;
}

bool bp_solve_step(struct bp_solve *s, uint64_t work)
{
    if (s->problem->n_groups == 0) {
        return run_engine(s, work);
    }
    bool more = run_groups(s, work_of(s) + work, work);
    if ((s->phase == PHASE_PACK || s->phase == PHASE_REPACK) && s->pack_engine != NULL) {
        struct bp_progress progress;
        bp_engine_progress(s->pack_engine, &progress);
        if (progress.cost != s->collected_cost) {
            s->collected_cost = progress.cost;
            collect(s);
        }
    }
    if (!more) {
        s->phase = PHASE_DONE;
        s->bound_done = true;
        more = run_branching(s, work);
    }
    return more;
}

void bp_solve_cancel(struct bp_solve *solve)
{
    atomic_store(&solve->cancelled, true);
    bp_engine_cancel(solve->bound_engine); /* the one that never changes */
}

static uint32_t n_unplaced(const struct bp_problem *p, const uint32_t *unplaced)
{
    uint64_t n = 0;
    for (uint32_t i = 0; i < p->n_classes; i++) {
        n += (uint64_t)unplaced[i] * p->classes[i].weight;
    }
    return n > UINT32_MAX ? UINT32_MAX : (uint32_t)n;
}

void bp_solve_progress(const struct bp_solve *s, struct bp_progress *ret_progress)
{
    static const char *const names[] = {"groups", "pack", "rebalance", "shake", "pack", "done"};
    bp_engine_progress(s->bound_engine, ret_progress);
    if (s->problem->n_groups > 0) {
        ret_progress->phase = s->phase == PHASE_DONE && (!s->bound_done || s->branching != NULL)
                                  ? "bound"
                                  : names[s->phase];
        ret_progress->cost = s->best.cost;
        ret_progress->bound = bound_of(s);
        ret_progress->work = work_of(s);
        ret_progress->coarse_cost = s->coarse_cost;
        ret_progress->n_unplaced = n_unplaced(s->problem, s->best.unplaced);
    }
}

const char *bp_solve_warning(const struct bp_solve *s)
{
    const char *warning = bp_engine_warning(s->bound_engine);
    if (warning[0] == '\0' && s->pack_engine != NULL) {
        warning = bp_engine_warning(s->pack_engine);
    }
    return warning[0] == '\0' ? s->warning : warning;
}

uint64_t bp_solve_arena_bytes(const struct bp_solve *s)
{
    uint64_t bytes = bp_engine_arena_bytes(s->bound_engine) + s->arena.held_bytes +
                     s->spare[0].held_bytes + s->spare[1].held_bytes + s->pack_arena.held_bytes;
    bytes += s->branching == NULL ? 0 : bp_branching_arena_bytes(s->branching);
    return s->pack_engine == NULL ? bytes : bytes + bp_engine_arena_bytes(s->pack_engine);
}

static void set_status(const struct bp_solve *s, bool stopped, struct bp_solution *solution)
{
    const usd_t open = solution->cost - solution->certificate.bound;
    solution->status = open <= solution->cost / INT64_C(1000000000)              ? BP_OPTIMAL
                       : (double)open <= s->options.gap * (double)solution->cost ? BP_WITHIN_GAP
                       : stopped                                                 ? BP_STOPPED
                                                                                 : BP_EFFORT_DONE;
}

void bp_solve_result(const struct bp_solve *s, struct arena *arena,
                     struct bp_solution *ret_solution)
{
    bp_engine_result(s->bound_engine, arena, ret_solution);
    if (s->problem->n_groups == 0) {
        /* Of few nodes parts are far from whole. */
        usd_t whole =
            bp_certificate_bound(s->problem, &ret_solution->certificate, ret_solution->unplaced);
        if (whole > ret_solution->certificate.bound) {
            ret_solution->certificate.bound = whole;
            set_status(s, ret_solution->status == BP_STOPPED, ret_solution);
        }
        return;
    }
    struct bp_certificate certificate = ret_solution->certificate;
    uint32_t n_columns = ret_solution->n_columns;
    bp_solution_copy_plan(s->problem, &s->best, arena, ret_solution);
    certificate.bound = bp_certificate_bound(s->problem, &certificate, s->best.unplaced);
    for (uint32_t g = 0; g < s->problem->n_groups; g++) {
        uint32_t family = s->problem->groups[g].family;
        certificate.relaxed_families |= UINT64_C(1) << (family < 63 ? family : 63);
    }
    if (s->branching != NULL && bp_branching_bound(s->branching) > certificate.bound) {
        bp_branching_certify(s->branching, arena, &certificate);
        certificate.counts = NULL;
    }
    certificate.relaxed_caps = s->relaxed.n_caps < s->problem->n_caps;
    certificate.relaxed_exclusions = s->problem->n_exclusions > 0;
    certificate.relaxed_varieties = s->problem->n_varieties > 0;
    ret_solution->certificate = certificate;
    ret_solution->n_columns = n_columns + s->best.n_columns;
    ret_solution->work = work_of(s);
    set_status(s, s->stopped, ret_solution);
}

void bp_solve_free(struct bp_solve *s)
{
    if (s == NULL) {
        return;
    }
    bp_engine_free(s->pack_engine);
    bp_engine_free(s->bound_engine);
    bp_branching_free(s->branching);
    arena_done(&s->spare[0]);
    arena_done(&s->spare[1]);
    arena_done(&s->pack_arena);
    struct arena arena = s->arena;
    arena_done(&arena);
}
