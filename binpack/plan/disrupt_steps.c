/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The steps of a choice: in which order its nodes are drained and the pods of each evicted, so that
 * every pod has its place at its moment. Where pods look at each other that takes a search, made
 * with the rules of the placement checker; nodes that find no moment must stay. */
#include "base/arena.h"
#include "base/bitset.h"
#include "binpack/plan/check_moments.h"
#include "binpack/plan/disrupt_world.h"
#include "binpack/scheduling/protect.h"

#include <stdlib.h>

static const char no_moment[] =
    "Its pods can be moved at no moment: the rules between pods allow them their new places only "
    "all at once";

struct stepping {
    const struct disrupt_world *w;
    const disrupt_choice *choice;
    struct disrupt_trial *trial;
    struct arena *arena;
    uint32_t *goes_to;  /* [n_pods] new node of the plan, NO_NODE: another place, or none */
    bool *placed;       /* [n_pods] has a new place in the plan */
    uint32_t **leaving; /* [nodes.n] pods that move, by namespace and name */
    uint32_t *n_leaving;
};

/* ---- where the pods of each node go ---- */

static void note_pods(struct stepping *x, const uint32_t *pods, uint32_t n, uint32_t new_node)
{
    for (uint32_t i = 0; i < n; i++) {
        if (pods[i] < x->w->cluster->n_pods) {
            x->placed[pods[i]] = true;
            x->goes_to[pods[i]] = new_node;
        }
    }
}

static void find_moves(struct stepping *x)
{
    const struct plan *plan = x->trial->plan;
    const uint32_t n_pods = x->w->cluster->n_pods, n_nodes = x->w->nodes.n;
    x->placed = ARENA_ARRAY(x->arena, bool, n_pods);
    x->goes_to = ARENA_ARRAY(x->arena, uint32_t, n_pods);
    for (uint32_t i = 0; i < plan->n_nodes; i++) {
        note_pods(x, plan->nodes[i].pods, plan->nodes[i].n_pods, i);
    }
    for (uint32_t i = 0; i < plan->n_existing; i++) {
        note_pods(x, plan->existing[i].pods, plan->existing[i].n_pods, NO_NODE);
    }
    x->n_leaving = ARENA_ARRAY(x->arena, uint32_t, n_nodes);
    x->leaving = ARENA_ARRAY(x->arena, uint32_t *, n_nodes);
    for (uint32_t pass = 0; pass < 2; pass++) {
        for (uint32_t i = 0; i < n_nodes && pass == 1; i++) {
            x->leaving[i] = ARENA_ARRAY(x->arena, uint32_t, x->n_leaving[i]);
            x->n_leaving[i] = 0;
        }
        for (uint32_t i = 0; i < n_pods; i++) {
            const uint32_t home = x->w->home[i];
            if (home == NO_NODE || !x->placed[i] || x->choice[home] == DISRUPT_NONE) {
                continue;
            }
            if (pass == 1) {
                x->leaving[home][x->n_leaving[home]] = i;
            }
            x->n_leaving[home]++;
        }
    }
    for (uint32_t i = 0; i < n_nodes; i++) {
        sched_pods_sort(x->w->cluster, x->arena, x->leaving[i], x->n_leaving[i]);
    }
}

/* ---- the order ---- */

static int command_cmp(const void *a, const void *b)
{
    const struct plan_command *x = a, *y = b;
    if ((x->n_with > 0) != (y->n_with > 0)) {
        return x->n_with > 0 ? 1 : -1;
    }
    return (x->nodes[0] > y->nodes[0]) - (x->nodes[0] < y->nodes[0]);
}

/* In the order of Karpenter's methods, so that at each moment the budgets of the reason at hand are
 * kept; within a reason what needs no new node first. Tags are nodes. */
static struct moments_step *in_order(struct stepping *x, uint32_t *ret_n)
{
    static const enum disrupt_reason order[] = {DISRUPT_EXPIRED, DISRUPT_EMPTY, DISRUPT_DRIFTED,
                                                DISRUPT_UNDERUTILIZED};
    const struct disrupt_trial *trial = x->trial;
    struct moments_step *steps = ARENA_ARRAY(x->arena, struct moments_step, x->w->nodes.n);
    uint32_t n = 0;
    for (size_t r = 0; r < sizeof order / sizeof order[0]; r++) {
        for (uint32_t c = 0; c < trial->n_commands; c++) {
            for (uint32_t i = 0; i < trial->commands[c].n_nodes; i++) {
                const uint32_t node = trial->commands[c].nodes[i];
                if (x->choice[node] == order[r]) {
                    steps[n++] = (struct moments_step){.node = x->w->nodes.v[node].node_i,
                                                       .tag = node,
                                                       .n_pods = x->n_leaving[node],
                                                       .pods = x->leaving[node],
                                                       .forced = order[r] == DISRUPT_EXPIRED};
                }
            }
        }
    }
    *ret_n = n;
    return steps;
}

/* The commands as plans have them, for the checker's world. */
static struct plan_disruption *stand_in(struct stepping *x, struct arena *scratch)
{
    const struct disrupt_trial *trial = x->trial;
    struct plan_disruption *d = ARENA_NEW(scratch, struct plan_disruption);
    struct plan_command *commands = ARENA_ARRAY(scratch, struct plan_command, trial->n_commands);
    for (uint32_t c = 0; c < trial->n_commands; c++) {
        uint32_t *nodes = ARENA_ARRAY(scratch, uint32_t, trial->commands[c].n_nodes);
        for (uint32_t i = 0; i < trial->commands[c].n_nodes; i++) {
            nodes[i] = x->w->nodes.v[trial->commands[c].nodes[i]].node_i;
        }
        commands[c] = trial->commands[c];
        commands[c].nodes = nodes;
    }
    *d = (struct plan_disruption){.n_commands = trial->n_commands, .commands = commands};
    return d;
}

static uint32_t *find_targets(const struct check_world *world, struct arena *scratch)
{
    const struct plan *plan = world->plan;
    const uint32_t n_pods = world->cluster->n_pods;
    uint32_t *target = ARENA_ARRAY(scratch, uint32_t, n_pods);
    for (uint32_t i = 0; i < n_pods; i++) {
        target[i] = UINT32_MAX;
    }
    for (uint32_t i = 0; i < plan->n_nodes; i++) {
        for (uint32_t k = 0; k < plan->nodes[i].n_pods; k++) {
            if (plan->nodes[i].pods[k] < n_pods) {
                target[plan->nodes[i].pods[k]] = world->n_running + i;
            }
        }
    }
    for (uint32_t i = 0; i < plan->n_existing; i++) {
        const uint32_t node = check_find_node(world, plan->existing[i].node);
        for (uint32_t k = 0; k < plan->existing[i].n_pods; k++) {
            if (plan->existing[i].pods[k] < n_pods) {
                target[plan->existing[i].pods[k]] = node;
            }
        }
    }
    return target;
}

/* Does the node go because the round chose so? */
static bool is_free(const struct stepping *x, uint32_t node)
{
    return x->choice[node] == DISRUPT_DRIFTED || x->choice[node] == DISRUPT_UNDERUTILIZED;
}

/* Orders the steps by the rules between pods. Nodes whose pods are in the way of every order are
 * spoilt; so are those whose pods have no order at the end, when all of them look for their places.
 */
static bool find_moments(struct stepping *x, struct moments_step *steps, uint32_t n,
                         struct err *err)
{
    struct arena scratch = ARENA_INIT;
    struct plan with_commands = *x->trial->plan;
    const struct make_settings *settings = x->w->settings;
    const struct check_settings checks = {.ignore_overlays = !settings->gate_node_overlay,
                                          .catalog = settings->catalog};
    struct check_world world;
    with_commands.disruption = stand_in(x, &scratch);
    if (!check_world_build(&with_commands, &checks, &scratch, &world, err)) {
        arena_done(&scratch);
        return false;
    }
    const uint32_t *target = find_targets(&world, &scratch);
    bool *stuck = ARENA_ARRAY(&scratch, bool, world.cluster->n_pods);
    struct err why;
    bool ordered =
        moments_order(&world, target, steps, n, stuck) && check_replay(&world, target, stuck, &why);
    for (uint32_t i = 0; i < x->w->cluster->n_pods; i++) {
        const uint32_t home = stuck[i] ? x->w->home[i] : NO_NODE;
        if (home != NO_NODE && is_free(x, home)) {
            disrupt_spoil(x->trial, home, no_moment);
            x->trial->no_moment = ordered = true;
        }
    }
    for (uint32_t i = 0; i < x->w->nodes.n && !ordered; i++) {
        /* Only pods that need a place in any case are in the way: whose choice is it? All of it. */
        if (is_free(x, i)) {
            disrupt_spoil(x->trial, i, no_moment);
            x->trial->no_moment = true;
        }
    }
    arena_done(&scratch);
    return true;
}

/* ---- steps ---- */

/* New nodes that the step's pods need and no earlier step has launched. Those of the command that
 * none of its pods needs (they hold pods of another command of the same group) are there already.
 */
static uint32_t launch_for(struct stepping *x, uint32_t node, bool *launched, const uint32_t **ret)
{
    uint32_t *launch = ARENA_ARRAY(x->arena, uint32_t, x->n_leaving[node]);
    uint32_t n = 0;
    for (uint32_t k = 0; k < x->n_leaving[node]; k++) {
        const uint32_t fresh = x->goes_to[x->leaving[node][k]];
        if (fresh != NO_NODE && !launched[fresh]) {
            launched[fresh] = true;
            launch[n++] = fresh;
        }
    }
    *ret = launch;
    return n;
}

/* Pods that the drain of the node waits for. */
static void find_waits(struct stepping *x, uint32_t node, struct plan_step *step)
{
    const struct k8s_cluster *cluster = x->w->cluster;
    if (x->choice[node] != DISRUPT_EXPIRED || !x->w->nodes.v[node].waits) {
        return;
    }
    uint32_t *waits = ARENA_ARRAY(x->arena, uint32_t, cluster->n_pods);
    for (uint32_t i = 0; i < cluster->n_pods; i++) {
        if (x->w->home[i] == node &&
            sched_pod_holds_drain(cluster, &cluster->pods[i], x->w->settings->now)) {
            waits[step->n_waits++] = i;
        }
    }
    sched_pods_sort(cluster, x->arena, waits, step->n_waits);
    step->waits = waits;
}

bool disrupt_steps(const struct disrupt_world *w, const disrupt_choice *choice,
                   struct disrupt_trial *trial, struct arena *arena, struct err *err)
{
    struct stepping x = {.w = w, .choice = choice, .trial = trial, .arena = arena};
    uint32_t n = 0;
    if (trial->n_commands > 0) {
        qsort(trial->commands, trial->n_commands, sizeof *trial->commands, command_cmp);
    }
    find_moves(&x);
    struct moments_step *order = in_order(&x, &n);
    if (w->has_rules && n > 0 && !find_moments(&x, order, n, err)) {
        return false;
    }
    struct plan_step *steps = ARENA_ARRAY(arena, struct plan_step, n);
    bool *launched = ARENA_ARRAY(arena, bool, trial->plan->n_nodes);
    uint32_t *command_of = ARENA_ARRAY(arena, uint32_t, w->nodes.n);
    for (uint32_t c = 0; c < trial->n_commands; c++) {
        for (uint32_t i = 0; i < trial->commands[c].n_nodes; i++) {
            command_of[trial->commands[c].nodes[i]] = c;
        }
    }
    for (uint32_t s = 0; s < n; s++) {
        steps[s] = (struct plan_step){.command_i = command_of[order[s].tag],
                                      .node = order[s].node,
                                      .n_pods = order[s].n_pods,
                                      .pods = order[s].pods};
        find_waits(&x, order[s].tag, &steps[s]);
        steps[s].n_launch = launch_for(&x, order[s].tag, launched, &steps[s].launch);
    }
    trial->steps = steps;
    trial->n_steps = n;
    return true;
}
