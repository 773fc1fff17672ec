/* SPDX-License-Identifier: GPL-3.0-or-later */
/* One trial: the planner's answer to a choice, taken apart into commands. Nodes that go and new
 * nodes that take their pods hang together; each such group is a command, and a command must obey
 * what the reason of its nodes asks. */
#include "base/arena.h"
#include "base/bitset.h"
#include "base/vec.h"
#include "binpack/disruption/balanced.h"
#include "binpack/emulate/disruption.h"
#include "binpack/plan/disrupt_world.h"
#include "binpack/scheduling/protect.h"

#include <stdlib.h>

static const char spot_off[] =
    "SpotToSpotConsolidation is disabled, can't replace a spot node with a spot node";

struct trial_work {
    struct disrupt_world *w;
    const disrupt_choice *choice;
    struct arena *arena;
    struct disrupt_trial *out;
    uint32_t n_all;          /* nodes, then the plan's new nodes */
    uint32_t *group;         /* [n_all] union-find: parent */
    struct plan_node *fresh; /* the plan's new nodes, whose options may still be narrowed */
};

uint8_t *disrupt_leave(const struct disrupt_world *w, const disrupt_choice *choice,
                       const uint64_t *open, struct arena *arena)
{
    uint8_t *leave = ARENA_ARRAY(arena, uint8_t, w->cluster->n_nodes);
    for (uint32_t i = 0; i < w->nodes.n; i++) {
        const struct disrupt_node *node = &w->nodes.v[i];
        if (node->node_i == SCHED_NONE) {
            continue;
        }
        const bool barred =
            node->spot && !w->settings->gate_spot_to_spot && !w->imitates && !w->mixes;
        const uint8_t no_spot = barred ? SCHED_NO_NEW_SPOT : SCHED_STAYS;
        bool opens = open != NULL && bits_get(open, i);
        switch (choice[i]) {
        case DISRUPT_EXPIRED:
            leave[node->node_i] = SCHED_EXPIRES;
            break;
        case DISRUPT_DRIFTED:
            leave[node->node_i] = w->imitates ? SCHED_DRIFTS : SCHED_DRIFTS | SCHED_BY_FORCE;
            break;
        case DISRUPT_EMPTY:
        case DISRUPT_UNDERUTILIZED:
            leave[node->node_i] = SCHED_MERGES | no_spot;
            break;
        default:
            leave[node->node_i] = opens ? SCHED_OPENS : SCHED_STAYS;
            break;
        }
    }
    return leave;
}

static uint32_t root_of(struct trial_work *t, uint32_t i)
{
    while (t->group[i] != i) {
        t->group[i] = t->group[t->group[i]];
        i = t->group[i];
    }
    return i;
}

static void join(struct trial_work *t, uint32_t a, uint32_t b)
{
    uint32_t x = root_of(t, a), y = root_of(t, b);
    t->group[x > y ? x : y] = x > y ? y : x;
}

/* The node of the choice that the pod must leave, or NO_NODE. */
static uint32_t source_of(const struct trial_work *t, uint32_t pod)
{
    uint32_t home = pod < t->w->cluster->n_pods ? t->w->home[pod] : NO_NODE;
    return home != NO_NODE && t->choice[home] != DISRUPT_NONE ? home : NO_NODE;
}

void disrupt_spoil(struct disrupt_trial *trial, uint32_t node, const char *why)
{
    if (!bits_get(trial->bad, node)) {
        bits_set(trial->bad, node);
        trial->why[node] = why;
    }
    trial->good = false;
}

static void find_groups(struct trial_work *t)
{
    const struct plan *plan = t->out->plan;
    for (uint32_t i = 0; i < t->n_all; i++) {
        t->group[i] = i;
    }
    /* An emulated round knows its groups (join_round). A node that Karpenter launched for pods that
     * wait replaces nothing, though pods of nodes that go may move there. */
    for (uint32_t i = 0; i < plan->n_nodes && t->w->round == NULL; i++) {
        for (uint32_t k = 0; k < plan->nodes[i].n_pods; k++) {
            uint32_t source = source_of(t, plan->nodes[i].pods[k]);
            if (source != NO_NODE) {
                join(t, source, t->w->nodes.n + i);
            }
        }
    }
}

/* What Karpenter replaced together is one command, whoever's pods the new nodes hold in the end.
 * New nodes are those of the round in another order, so they are told by their pods. */
static void join_round(struct trial_work *t)
{
    const struct emu_round *round = t->w->round;
    const struct plan *plan = t->out->plan;
    uint32_t *first = ARENA_ARRAY(t->arena, uint32_t, t->n_all + round->n_fresh);
    for (uint32_t i = 0; i < t->n_all + round->n_fresh; i++) {
        first[i] = NO_NODE;
    }
    for (uint32_t i = 0; i < t->n_all; i++) {
        uint32_t group = NO_NODE;
        if (i < t->w->nodes.n) {
            group = round->reason[i] == DISRUPT_NONE ? NO_NODE : round->group[i];
        } else if (plan->nodes[i - t->w->nodes.n].n_pods > 0) {
            const uint32_t pod = plan->nodes[i - t->w->nodes.n].pods[0];
            group = round->group[t->w->nodes.n + round->place[pod].fresh];
        }
        if (group != NO_NODE && first[group] == NO_NODE) {
            first[group] = i;
        } else if (group != NO_NODE) {
            join(t, first[group], i);
        }
    }
}

/* Does a pod of a spot node that is underutilized move to a new spot node? */
static bool finds_spot_swap(const struct trial_work *t)
{
    const struct plan *plan = t->out->plan;
    for (uint32_t i = 0; i < plan->n_nodes; i++) {
        const struct plan_node *fresh = &plan->nodes[i];
        for (uint32_t k = 0; fresh->capacity_type == CAT_SPOT && k < fresh->n_pods; k++) {
            const uint32_t source = source_of(t, fresh->pods[k]);
            if (source != NO_NODE && t->w->nodes.v[source].spot &&
                t->choice[source] == DISRUPT_UNDERUTILIZED) {
                return true;
            }
        }
    }
    return false;
}

/* Pods that have no place although they had one: the node they are on must stay, unless it has
 * expired. */
static void find_homeless(struct trial_work *t)
{
    const struct plan *plan = t->out->plan;
    for (uint32_t i = 0; i < plan->n_unplaced; i++) {
        uint32_t source = source_of(t, plan->unplaced[i].pod);
        if (source == NO_NODE) {
            t->out->n_waiting++;
        } else if (t->choice[source] != DISRUPT_EXPIRED) {
            const struct disrupt_node *node = &t->w->nodes.v[source];
            bool for_want_of_spot = node->spot && t->choice[source] == DISRUPT_UNDERUTILIZED &&
                                    !t->w->settings->gate_spot_to_spot && !t->w->imitates &&
                                    !t->w->mixes && t->w->sells_spot[node->pool_i];
            disrupt_spoil(t->out, source,
                          for_want_of_spot ? spot_off : "Not all pods would schedule");
        }
    }
}

static int index_cmp(const void *a, const void *b)
{
    const uint32_t *x = a, *y = b;
    return (*x > *y) - (*x < *y);
}

/* ---- commands ---- */

struct command_list {
    struct plan_command *v;
    size_t n, cap;
};

static uint32_t moved_from(const struct trial_work *t, uint32_t node)
{
    return t->w->nodes.v[node].n_moving;
}

static usd_t price_of(const struct trial_work *t, uint32_t node)
{
    const struct opt_usd *price = &t->w->nodes.v[node].price;
    return price->has ? price->v : 0;
}

/* What is no longer paid when the node is told to go. */
static usd_t freed_by(const struct trial_work *t, uint32_t node)
{
    const bool stays_on = t->choice[node] == DISRUPT_EXPIRED && t->w->nodes.v[node].waits;
    return stays_on ? 0 : price_of(t, node);
}

/* The nodes of one group that go for one reason, as a command; nodes are indexes into nodes.v. */
static void add_command(struct trial_work *t, struct command_list *list, enum disrupt_reason reason,
                        const uint32_t *members, uint32_t n, bool first)
{
    uint32_t *nodes = ARENA_ARRAY(t->arena, uint32_t, n);
    uint32_t *with = ARENA_ARRAY(t->arena, uint32_t, n);
    struct plan_command command = {
        .reason = str_of(disrupt_reason_name(reason)), .nodes = nodes, .with = with};
    for (uint32_t i = 0; i < n; i++) {
        if (members[i] >= t->w->nodes.n) {
            uint32_t fresh = members[i] - t->w->nodes.n;
            if (first) {
                with[command.n_with++] = fresh;
                command.saves = sat_sub(command.saves, t->out->plan->nodes[fresh].price);
            }
        } else if (t->choice[members[i]] == reason) {
            nodes[command.n_nodes++] = members[i];
            command.n_moved += moved_from(t, members[i]);
            command.saves = sat_add(command.saves, freed_by(t, members[i]));
        }
    }
    VEC_PUSH(t->arena, list, command);
}

/* Where pods of underutilized nodes move to nodes that were bought for another reason, what they
 * save cannot be told from what those cost. */
static void find_mixture(struct trial_work *t)
{
    const struct plan *plan = t->out->plan;
    bool *other = ARENA_ARRAY(t->arena, bool, t->n_all); /* by root: goes for another reason */
    for (uint32_t i = 0; i < t->w->nodes.n; i++) {
        const uint32_t root = root_of(t, i);
        other[root] =
            other[root] || t->choice[i] == DISRUPT_DRIFTED || t->choice[i] == DISRUPT_EXPIRED;
    }
    for (uint32_t i = 0; i < plan->n_nodes; i++) {
        const bool foreign = other[root_of(t, t->w->nodes.n + i)];
        for (uint32_t k = 0; foreign && k < plan->nodes[i].n_pods; k++) {
            const uint32_t source = source_of(t, plan->nodes[i].pods[k]);
            t->out->mixed =
                t->out->mixed || (source != NO_NODE && t->choice[source] == DISRUPT_UNDERUTILIZED);
        }
    }
}

static bool has_reason(const struct trial_work *t, const uint32_t *members, uint32_t n,
                       enum disrupt_reason reason)
{
    for (uint32_t i = 0; i < n; i++) {
        if (members[i] < t->w->nodes.n && t->choice[members[i]] == reason) {
            return true;
        }
    }
    return false;
}

static void spoil_all(struct trial_work *t, const uint32_t *members, uint32_t n,
                      enum disrupt_reason reason, const char *why)
{
    for (uint32_t i = 0; i < n; i++) {
        if (members[i] < t->w->nodes.n && t->choice[members[i]] == reason) {
            disrupt_spoil(t->out, members[i], why);
        }
    }
}

/* One group: a command for each reason. The new nodes belong to the first of them, so that each is
 * named once. What is underutilized does not share new nodes with what goes for another reason: its
 * savings could not be told from the other's costs. */
static void take_group(struct trial_work *t, struct command_list *list, const uint32_t *members,
                       uint32_t n)
{
    static const enum disrupt_reason order[] = {DISRUPT_EMPTY, DISRUPT_DRIFTED, DISRUPT_EXPIRED,
                                                DISRUPT_UNDERUTILIZED};
    bool first = true, mixed = has_reason(t, members, n, DISRUPT_DRIFTED) ||
                               has_reason(t, members, n, DISRUPT_EXPIRED);
    t->out->mixed = t->out->mixed || (mixed && has_reason(t, members, n, DISRUPT_UNDERUTILIZED));
    if (mixed && !t->w->imitates) {
        spoil_all(t, members, n, DISRUPT_UNDERUTILIZED,
                  "Its pods would share a new node with those of a drifted or expired node");
    }
    for (size_t r = 0; r < sizeof order / sizeof order[0]; r++) {
        if (has_reason(t, members, n, order[r])) {
            add_command(t, list, order[r], members, n, first);
            first = false;
        }
    }
}

static void find_commands(struct trial_work *t, struct command_list *list)
{
    uint32_t n_nodes = t->w->nodes.n;
    uint32_t *from = ARENA_ARRAY(t->arena, uint32_t, t->n_all + 1);
    uint32_t *members = ARENA_ARRAY(t->arena, uint32_t, t->n_all);
    uint32_t *at = ARENA_ARRAY(t->arena, uint32_t, t->n_all);
    for (uint32_t i = 0; i < t->n_all; i++) {
        from[root_of(t, i) + 1]++;
    }
    for (uint32_t i = 0; i < t->n_all; i++) {
        from[i + 1] += from[i];
    }
    for (uint32_t i = 0; i < t->n_all; i++) {
        uint32_t root = root_of(t, i);
        members[from[root] + at[root]++] = i;
    }
    for (uint32_t i = 0; i < n_nodes; i++) {
        /* A group's root is its smallest member: a node, where it has one. */
        if (t->group[i] == i && t->choice[i] != DISRUPT_NONE) {
            qsort(members + from[i], from[i + 1] - from[i], sizeof *members, index_cmp);
            take_group(t, list, members + from[i], from[i + 1] - from[i]);
        }
    }
}

/* ---- what a command of underutilized nodes must obey ---- */

static bool all_spot(const struct trial_work *t, const struct plan_command *c)
{
    for (uint32_t i = 0; i < c->n_nodes; i++) {
        if (!t->w->nodes.v[c->nodes[i]].spot) {
            return false;
        }
    }
    return true;
}

static bool any_new_spot(const struct trial_work *t, const struct plan_command *c)
{
    for (uint32_t i = 0; i < c->n_with; i++) {
        if (t->out->plan->nodes[c->with[i]].capacity_type == CAT_SPOT) {
            return true;
        }
    }
    return false;
}

/* Leaves the new nodes the types that still save; why that will not do. */
static const char *option_trouble(struct trial_work *t, const struct plan_command *c)
{
    const bool spot = all_spot(t, c) && any_new_spot(t, c);
    const bool single = c->n_nodes == 1 && c->n_with == 1;
    if (spot && !t->w->settings->gate_spot_to_spot) {
        return spot_off;
    }
    for (uint32_t i = 0; i < c->n_with; i++) {
        struct plan_node *fresh = &t->fresh[c->with[i]];
        if (!disrupt_narrow(t->w, fresh, sat_add(fresh->price, c->saves), spot && single,
                            t->arena)) {
            return "Filtering by price: minValues requirement is not met";
        }
        if (spot && single && fresh->n_options < DISRUPT_SPOT_TYPES_MIN) {
            return "SpotToSpotConsolidation requires 15 cheaper instance type options than the "
                   "current candidate to consolidate";
        }
    }
    return NULL;
}

static bool balanced_says_no(const struct trial_work *t, const struct plan_command *c, usd_t paid)
{
    const struct disrupt_nodes *nodes = &t->w->nodes;
    for (uint32_t p = 0; p < t->w->cluster->n_nodepools; p++) {
        struct balanced_pool pool = {0};
        if (t->w->cluster->nodepools[p].consolidation != KARP_BALANCED) {
            continue;
        }
        for (uint32_t i = 0; i < c->n_nodes; i++) {
            const struct disrupt_node *node = &nodes->v[c->nodes[i]];
            pool.own += node->pool_i == p ? price_of(t, c->nodes[i]) : 0;
            pool.moves += node->pool_i == p ? node->move_cost : 0;
        }
        for (uint32_t i = 0; i < nodes->n; i++) {
            pool.cost += nodes->v[i].pool_i == p ? price_of(t, i) : 0;
            pool.all_moves += nodes->v[i].pool_i == p ? nodes->v[i].move_cost : 0;
        }
        if (balanced_refuses(&pool, c->saves, paid)) {
            return true;
        }
    }
    return false;
}

static void judge_command(struct trial_work *t, const struct plan_command *c)
{
    usd_t paid = 0, charge = sat_mul(t->w->move_charge, c->n_moved);
    const char *why = NULL;
    for (uint32_t i = 0; i < c->n_nodes; i++) {
        paid = sat_add(paid, price_of(t, c->nodes[i]));
    }
    if (c->saves <= charge) {
        why = c->n_with > 0 ? "Can't replace with a cheaper node"
                            : "Removing it saves less than moving its pods is worth";
    }
    if (why == NULL) {
        why = option_trouble(t, c);
    }
    if (why == NULL && balanced_says_no(t, c, paid)) {
        why = "The savings are too small for the disruption (consolidationPolicy Balanced)";
    }
    for (uint32_t i = 0; i < c->n_nodes && why != NULL; i++) {
        disrupt_spoil(t->out, c->nodes[i], why);
    }
}

static void judge_commands(struct trial_work *t, struct command_list *list)
{
    struct disrupt_trial *out = t->out;
    for (size_t i = 0; i < list->n; i++) {
        const struct plan_command *c = &list->v[i];
        bool under = str_eq(c->reason, str_of(disrupt_reason_name(DISRUPT_UNDERUTILIZED)));
        bool empty = str_eq(c->reason, str_of(disrupt_reason_name(DISRUPT_EMPTY)));
        out->n_moved += c->n_moved;
        out->n_gone += c->n_nodes;
        if (under) {
            if (!t->w->imitates) {
                judge_command(t, c);
            }
            out->earns = sat_sub(out->earns, sat_mul(t->w->move_charge, c->n_moved));
        }
        if (under || empty) {
            out->saves = sat_add(out->saves, c->saves);
            out->earns = sat_add(out->earns, c->saves);
        }
        for (uint32_t k = 0; k < c->n_with; k++) {
            out->pending_cost = sat_sub(out->pending_cost, out->plan->nodes[c->with[k]].price);
        }
    }
    out->pending_cost = sat_add(out->pending_cost, out->plan->cost);
    out->earns = sat_sub(out->earns, out->pending_cost);
    out->commands = list->v;
    out->n_commands = (uint32_t)list->n;
}

/* What new nodes cost at least, by the bound on all choices. */
static usd_t least_for(const struct disrupt_world *w, const disrupt_choice *choice)
{
    usd_t least = w->least;
    for (uint32_t i = 0; i < w->nodes.n && least > 0; i++) {
        const struct opt_usd *price = &w->nodes.v[i].price;
        const bool stays = bits_get(w->may, i) && choice[i] == DISRUPT_NONE;
        least = sat_sub(least, stays && price->has ? price->v : 0);
    }
    return least > 0 ? least : 0;
}

bool disrupt_try(struct disrupt_world *w, const disrupt_choice *choice, struct arena *arena,
                 struct disrupt_trial *ret_trial, struct err *err)
{
    struct make_settings settings = *w->settings;
    struct make *make = NULL;
    *ret_trial = (struct disrupt_trial){.good = true,
                                        .bad = ARENA_ARRAY(arena, uint64_t, bits_words(w->nodes.n)),
                                        .why = ARENA_ARRAY(arena, const char *, w->nodes.n)};
    settings.leave = disrupt_leave(w, choice, /* open= */ NULL, arena);
    settings.round = w->round;
    settings.round_nodes = &w->nodes;
    settings.any_order = settings.any_order || w->any_order;
    settings.one_by_one = settings.one_by_one || w->pod_by_pod;
    settings.no_repair = settings.no_repair || !w->repairs;
    settings.spot_options_min = w->settings->gate_spot_to_spot ? DISRUPT_SPOT_TYPES_MIN : 0;
    if (w->imitates) {
        settings.solver.effort = 1; /* It only bounds what the new nodes could have cost. */
    } else if (w->large) {
        settings.solver.effort -= settings.solver.effort > 1;
    }
    settings.solver.gap = settings.solver.gap > w->gap ? settings.solver.gap : w->gap;
    settings.solver.known_bound = least_for(w, choice);
    if (!make_new(w->cluster, w->catalog, &settings, &make, err)) {
        return false;
    }
    w->stopped = !w->port->work(w->port->ctx, make) || w->stopped;
    bool good = make_finish(make, arena, &ret_trial->plan, err);
    make_free(make);
    if (!good) {
        return false;
    }
    struct trial_work t = {.w = w,
                           .choice = choice,
                           .arena = arena,
                           .out = ret_trial,
                           .n_all = w->nodes.n + ret_trial->plan->n_nodes};
    struct command_list list = {0};
    t.fresh = ARENA_ARRAY(arena, struct plan_node, ret_trial->plan->n_nodes);
    for (uint32_t i = 0; i < ret_trial->plan->n_nodes; i++) {
        t.fresh[i] = ret_trial->plan->nodes[i];
    }
    ret_trial->plan->nodes = t.fresh;
    if (w->has_rules && !w->imitates) {
        disrupt_settle(w, choice, t.fresh, ret_trial->plan, arena);
    }
    t.group = ARENA_ARRAY(arena, uint32_t, t.n_all);
    find_groups(&t);
    if (w->imitates) {
        join_round(&t);
        find_mixture(&t);
    }
    ret_trial->swaps_spot = finds_spot_swap(&t);
    find_homeless(&t);
    find_commands(&t, &list);
    judge_commands(&t, &list);
    return !w->has_rules || disrupt_steps(w, choice, ret_trial, arena, err);
}
