/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "binpack/plan/disrupt_report.h"

#include "base/arena.h"
#include "base/bitset.h"

struct report {
    const struct disrupt_world *w;
    const disrupt_choice *choice;
    struct plan *plan;
    const struct disrupt_open *open;
    struct arena *arena;
    struct plan_disruption *out;
};

/* ---- commands and steps ---- */

static void take_commands(struct report *r, struct disrupt_trial *trial)
{
    struct plan_command *commands = trial->commands;
    for (uint32_t c = 0; c < trial->n_commands; c++) {
        uint32_t *nodes = ARENA_ARRAY(r->arena, uint32_t, commands[c].n_nodes);
        commands[c].n_moved = 0;
        for (uint32_t i = 0; i < commands[c].n_nodes; i++) {
            nodes[i] = r->w->nodes.v[commands[c].nodes[i]].node_i;
        }
        commands[c].nodes = nodes;
        r->out->saves = sat_add(r->out->saves, commands[c].saves);
    }
    for (uint32_t s = 0; s < trial->n_steps; s++) {
        commands[trial->steps[s].command_i].n_moved += trial->steps[s].n_pods;
        r->out->n_moved += trial->steps[s].n_pods;
    }
    r->out->steps = trial->steps;
    r->out->n_steps = trial->n_steps;
    r->out->commands = commands;
    r->out->n_commands = trial->n_commands;
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

/* The option that leaves no room for the node in this round; NULL: none. */
static const char *limit_of_round(const struct report *r, const struct disrupt_node *node)
{
    const struct disrupt_options *options = r->w->options;
    int64_t gone = 0, moved = 0;
    for (uint32_t i = 0; i < r->w->nodes.n; i++) {
        const bool goes = r->choice[i] != DISRUPT_NONE && r->choice[i] != DISRUPT_EXPIRED;
        gone += goes;
        moved += goes ? r->w->nodes.v[i].n_moving : 0;
    }
    if (options->max_disruptions.has && gone >= options->max_disruptions.v) {
        return "--max-disruptions";
    }
    return options->max_moved_pods.has && moved + node->n_moving > options->max_moved_pods.v
               ? "--max-moved-pods"
               : NULL;
}

static struct str later_round(struct report *r, const char *limit)
{
    struct strbuf text = strbuf_new(r->arena, 256);
    strbuf_addf(&text, "Left for a later round (%s)", limit);
    return strbuf_str(&text);
}

/* Where nothing is consolidated, nothing has shown that a node could not have been. */
static bool consolidates(const struct report *r)
{
    for (uint32_t i = 0; i < r->w->nodes.n; i++) {
        if (r->choice[i] == DISRUPT_UNDERUTILIZED) {
            return true;
        }
    }
    return false;
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
                          r->open->value[i] > 0 || !consolidates(r);
    const char *limit = promises ? limit_of_round(r, node) : NULL;
    kept->event = STR("Unconsolidatable");
    kept->blocker = r->w->ban_why[i] == NULL && limit != NULL ? BLOCKER_ROUND_LIMIT : BLOCKER_OTHER;
    kept->message = r->w->ban_why[i] != NULL ? str_of(r->w->ban_why[i])
                    : r->open->profit[i] == INT64_MIN && node->verdict[DISRUPT_UNDERUTILIZED].may
                        ? STR("Not all pods would schedule")
                    : limit != NULL ? later_round(r, limit)
                                    : STR("Can't replace with a cheaper node");
}

static void explain_kept(struct report *r, uint32_t i, const int64_t *going, struct plan_kept *kept)
{
    const struct disrupt_node *node = &r->w->nodes.v[i];
    const struct disrupt_verdict *verdict = disrupt_verdict_of(node);
    kept->node = str_copy(r->arena, node->name);
    kept->price = node->price;
    kept->drift = node->shows == NULL ? STR_EMPTY : str_of(node->shows);
    if (verdict == NULL) {
        explain_free(r, i, going, kept);
        return;
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

bool disrupt_report(const struct disrupt_world *w, const disrupt_choice *choice,
                    struct disrupt_trial *trial, const struct disrupt_open *open,
                    struct arena *arena, struct err *err)
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
                                      .move_charge = w->move_charge,
                                      .unsettled = w->stopped};
    if (trial->steps == NULL && !disrupt_steps(w, choice, trial, arena, err)) {
        return false;
    }
    take_commands(&r, trial);
    take_kept(&r);
    r.out->after = sat_add(sat_sub(r.out->running, r.out->saves), r.out->pending_cost);
    trial->plan->disruption = r.out;
    return true;
}
