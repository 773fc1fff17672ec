/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "binpack/plan/disrupt_report.h"

#include "base/arena.h"
#include "base/bitset.h"
#include "base/vec.h"

#include <stdlib.h>

struct report {
    const struct disrupt_world *w;
    const disrupt_choice *choice;
    struct plan *plan;
    const struct disrupt_open *open;
    struct arena *arena;
    struct plan_disruption *out;
    uint32_t *goes_to;  /* [n_pods] new node of the plan, NO_NODE: another place, or none */
    bool *placed;       /* [n_pods] has a new place in the plan */
    uint32_t **leaving; /* [nodes.n] pods that move, by namespace and name */
    uint32_t *n_leaving;
};

/* ---- where the pods of each node go ---- */

static void note_pods(struct report *r, const uint32_t *pods, uint32_t n, uint32_t new_node)
{
    for (uint32_t i = 0; i < n; i++) {
        if (pods[i] < r->w->cluster->n_pods) {
            r->placed[pods[i]] = true;
            r->goes_to[pods[i]] = new_node;
        }
    }
}

static void find_moves(struct report *r)
{
    uint32_t n_pods = r->w->cluster->n_pods, n_nodes = r->w->nodes.n;
    r->placed = ARENA_ARRAY(r->arena, bool, n_pods);
    r->goes_to = ARENA_ARRAY(r->arena, uint32_t, n_pods);
    for (uint32_t i = 0; i < r->plan->n_nodes; i++) {
        note_pods(r, r->plan->nodes[i].pods, r->plan->nodes[i].n_pods, i);
    }
    for (uint32_t i = 0; i < r->plan->n_existing; i++) {
        note_pods(r, r->plan->existing[i].pods, r->plan->existing[i].n_pods, NO_NODE);
    }
    r->n_leaving = ARENA_ARRAY(r->arena, uint32_t, n_nodes);
    r->leaving = ARENA_ARRAY(r->arena, uint32_t *, n_nodes);
    for (uint32_t pass = 0; pass < 2; pass++) {
        for (uint32_t i = 0; i < n_nodes && pass == 1; i++) {
            r->leaving[i] = ARENA_ARRAY(r->arena, uint32_t, r->n_leaving[i]);
            r->n_leaving[i] = 0;
        }
        for (uint32_t i = 0; i < n_pods; i++) {
            uint32_t home = r->w->home[i];
            if (home == NO_NODE || !r->placed[i] || r->choice[home] == DISRUPT_NONE) {
                continue;
            }
            if (pass == 1) {
                r->leaving[home][r->n_leaving[home]] = i;
            }
            r->n_leaving[home]++;
        }
    }
    for (uint32_t i = 0; i < n_nodes; i++) {
        sched_pods_sort(r->w->cluster, r->arena, r->leaving[i], r->n_leaving[i]);
    }
}

/* ---- commands and steps ---- */

static int command_cmp(const void *a, const void *b)
{
    const struct plan_command *x = a, *y = b;
    if ((x->n_with > 0) != (y->n_with > 0)) {
        return x->n_with > 0 ? 1 : -1;
    }
    return (x->nodes[0] > y->nodes[0]) - (x->nodes[0] < y->nodes[0]);
}

/* New nodes that the step's pods need and no earlier step has launched. Those of the command that
 * none of its pods needs (they hold pods of another command of the same group) are there already.
 */
static uint32_t launch_for(struct report *r, uint32_t node, bool *launched, const uint32_t **ret)
{
    uint32_t *launch = ARENA_ARRAY(r->arena, uint32_t, r->n_leaving[node]);
    uint32_t n = 0;
    for (uint32_t k = 0; k < r->n_leaving[node]; k++) {
        uint32_t fresh = r->goes_to[r->leaving[node][k]];
        if (fresh != NO_NODE && !launched[fresh]) {
            launched[fresh] = true;
            launch[n++] = fresh;
        }
    }
    *ret = launch;
    return n;
}

static void take_steps(struct report *r, struct plan_command *commands, uint32_t n)
{
    VEC(struct plan_step) steps = {0};
    bool *launched = ARENA_ARRAY(r->arena, bool, r->plan->n_nodes);
    for (uint32_t c = 0; c < n; c++) {
        uint32_t *nodes = ARENA_ARRAY(r->arena, uint32_t, commands[c].n_nodes);
        commands[c].n_moved = 0;
        for (uint32_t i = 0; i < commands[c].n_nodes; i++) {
            uint32_t node = commands[c].nodes[i];
            struct plan_step step = {.command_i = c,
                                     .node = r->w->nodes.v[node].node_i,
                                     .n_pods = r->n_leaving[node],
                                     .pods = r->leaving[node]};
            step.n_launch = launch_for(r, node, launched, &step.launch);
            nodes[i] = step.node;
            commands[c].n_moved += step.n_pods;
            VEC_PUSH(r->arena, &steps, step);
        }
        commands[c].nodes = nodes;
        r->out->n_moved += commands[c].n_moved;
        r->out->saves = sat_add(r->out->saves, commands[c].saves);
    }
    r->out->steps = steps.v;
    r->out->n_steps = (uint32_t)steps.n;
    r->out->commands = commands;
    r->out->n_commands = n;
}

/* ---- what stays ---- */

static struct str no_budget(struct report *r, enum disrupt_reason reason, uint32_t pool_i)
{
    const struct karp_nodepool *pool = &r->w->cluster->nodepools[pool_i];
    struct strbuf text = strbuf_new(r->arena, 2048);
    uint32_t budget_i = 0;
    struct err wrong;
    if (budgets_broken(pool, &budget_i, &wrong)) {
        strbuf_addf(&text,
                    "NodePool " STR_FMT ": disruption.budgets[%u].schedule \"" STR_FMT
                    "\" cannot be read (%s), so no disruption is allowed",
                    STR_ARG(pool->meta.name), budget_i, STR_ARG(pool->budgets[budget_i].schedule),
                    wrong.text);
        return strbuf_str(&text);
    }
    strbuf_addf(&text,
                "No allowed disruptions for disruption reason %s due to blocking budget "
                "(NodePool=" STR_FMT ")",
                disrupt_reason_name(reason), STR_ARG(pool->meta.name));
    return strbuf_str(&text);
}

/* How many nodes of the pool go for reasons that its budgets count. */
static int64_t n_going(const struct report *r, uint32_t pool_i)
{
    int64_t n = 0;
    for (uint32_t i = 0; i < r->w->nodes.n; i++) {
        n += r->w->nodes.v[i].pool_i == pool_i && r->choice[i] != DISRUPT_NONE &&
             r->choice[i] != DISRUPT_EXPIRED;
    }
    return n;
}

static bool budget_spent(const struct report *r, const struct disrupt_node *node,
                         enum disrupt_reason reason, const int64_t *going)
{
    int64_t allowed = r->w->allowed[node->pool_i][reason];
    return allowed != BUDGET_UNLIMITED && allowed <= going[node->pool_i];
}

/* Do --max-disruptions or --max-moved-pods leave room for the node? */
static bool round_is_over(const struct report *r, const struct disrupt_node *node)
{
    const struct disrupt_options *options = r->w->options;
    int64_t gone = 0, moved = 0;
    for (uint32_t i = 0; i < r->w->nodes.n; i++) {
        const bool goes = r->choice[i] != DISRUPT_NONE && r->choice[i] != DISRUPT_EXPIRED;
        gone += goes;
        moved += goes ? r->w->nodes.v[i].n_moving : 0;
    }
    return (options->max_disruptions.has && gone >= options->max_disruptions.v) ||
           (options->max_moved_pods.has && moved + node->n_moving > options->max_moved_pods.v);
}

/* A node that could have gone. */
static void explain_free(struct report *r, uint32_t i, const int64_t *going, struct plan_kept *kept)
{
    static const enum disrupt_reason order[] = {DISRUPT_EMPTY, DISRUPT_DRIFTED,
                                                DISRUPT_UNDERUTILIZED};
    const struct disrupt_node *node = &r->w->nodes.v[i];
    if (r->w->held[i] != HELD_NOT) {
        kept->event = STR("DisruptionBlocked");
        kept->message = STR("Node is nominated for a pending pod");
        if (r->w->held[i] == HELD_BUFFER) {
            struct strbuf text = strbuf_new(r->arena, 1024);
            strbuf_addf(&text, "Node \"" STR_FMT "\" has buffer pods", STR_ARG(node->name));
            kept->message = strbuf_str(&text);
        }
        return;
    }
    for (size_t k = 0; k < sizeof order / sizeof order[0]; k++) {
        if (node->verdict[order[k]].may && budget_spent(r, node, order[k], going)) {
            kept->blocker = BLOCKER_BUDGET;
            kept->event = STR("DisruptionBlocked");
            kept->message = no_budget(r, order[k], node->pool_i);
            return;
        }
    }
    const bool promises = node->verdict[DISRUPT_EMPTY].may || node->verdict[DISRUPT_DRIFTED].may ||
                          r->open->value[i] > 0;
    const bool limited = promises && round_is_over(r, node);
    kept->event = STR("Unconsolidatable");
    kept->blocker = r->w->ban_why[i] == NULL && limited ? BLOCKER_ROUND_LIMIT : BLOCKER_OTHER;
    kept->message = r->w->ban_why[i] != NULL ? str_of(r->w->ban_why[i])
                    : r->open->profit[i] == INT64_MIN && node->verdict[DISRUPT_UNDERUTILIZED].may
                        ? STR("Not all pods would schedule")
                    : limited ? STR("Left for a later round (--max-disruptions or "
                                    "--max-moved-pods)")
                              : STR("Can't replace with a cheaper node");
}

static void explain_kept(struct report *r, uint32_t i, const int64_t *going, struct plan_kept *kept)
{
    static const enum disrupt_reason order[] = {DISRUPT_UNDERUTILIZED, DISRUPT_EMPTY,
                                                DISRUPT_DRIFTED};
    const struct disrupt_node *node = &r->w->nodes.v[i];
    kept->node = str_copy(r->arena, node->name);
    kept->price = node->price;
    kept->drift = node->shows == NULL ? STR_EMPTY : str_of(node->shows);
    if (node->verdict[DISRUPT_EMPTY].may || node->verdict[DISRUPT_DRIFTED].may ||
        node->verdict[DISRUPT_UNDERUTILIZED].may) {
        explain_free(r, i, going, kept);
        return;
    }
    const struct disrupt_verdict *verdict = &node->verdict[DISRUPT_UNDERUTILIZED];
    for (size_t k = 0; k < sizeof order / sizeof order[0]; k++) {
        if (node->verdict[order[k]].event != NULL && node->verdict[order[k]].event[0] != '\0') {
            verdict = &node->verdict[order[k]];
            break;
        }
    }
    kept->blocker = (uint8_t)verdict->blocker;
    kept->event = str_of(verdict->event);
    kept->message = str_copy(r->arena, verdict->message);
}

static void take_kept(struct report *r)
{
    struct plan_kept *kept = ARENA_ARRAY(r->arena, struct plan_kept, r->w->nodes.n);
    int64_t *going = ARENA_ARRAY(r->arena, int64_t, r->w->cluster->n_nodepools);
    uint32_t n = 0;
    for (uint32_t p = 0; p < r->w->cluster->n_nodepools; p++) {
        going[p] = n_going(r, p);
    }
    for (uint32_t i = 0; i < r->w->nodes.n; i++) {
        if (r->choice[i] == DISRUPT_NONE) {
            explain_kept(r, i, going, &kept[n++]);
        }
    }
    r->out->kept = kept;
    r->out->n_kept = n;
    r->out->running = r->plan->running_cost; /* as in every mode (notes.c) */
}

void disrupt_report(const struct disrupt_world *w, const disrupt_choice *choice,
                    struct disrupt_trial *trial, const struct disrupt_open *open,
                    struct arena *arena)
{
    struct report r = {.w = w,
                       .choice = choice,
                       .plan = trial->plan,
                       .open = open,
                       .arena = arena,
                       .out = ARENA_NEW(arena, struct plan_disruption)};
    *r.out = (struct plan_disruption){.pending_cost = trial->pending_cost,
                                      .figures_known = true,
                                      .consolidation_saves = trial->saves,
                                      .saves_at_most = open->at_most,
                                      .move_charge = w->move_charge};
    if (trial->n_commands > 0) {
        qsort(trial->commands, trial->n_commands, sizeof *trial->commands, command_cmp);
    }
    find_moves(&r);
    take_steps(&r, trial->commands, trial->n_commands);
    take_kept(&r);
    r.out->after = sat_add(sat_sub(r.out->running, r.out->saves), r.out->pending_cost);
    trial->plan->disruption = r.out;
}
