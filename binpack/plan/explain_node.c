/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "binpack/plan/explain_node.h"

#include "base/arena.h"
#include "binpack/plan/assemble.h"
#include "binpack/plan/unblock.h"
#include "binpack/scheduling/problem_build.h"

#define NOT_THERE UINT32_MAX

struct asking {
    const struct k8s_cluster *cluster;
    const struct catalog *catalog;
    const struct make_settings *settings;
    const struct disrupt_options *options;
    const struct disrupt_port *port;
    bool cut;            /* a round was stopped before its end, so no later one is begun */
    struct arena *arena; /* of the answers */
};

/* The world without the hurdles of one node that have been removed so far. */
struct lifted {
    const struct k8s_cluster *cluster;
    struct disrupt_options options;
    struct arena scratch; /* of the cluster */
    struct arena round;   /* of `plan` */
    struct plan *plan;    /* the round of that world; NULL: none has been planned */
};

static uint32_t node_index(const struct k8s_cluster *cluster, struct str name)
{
    for (uint32_t i = 0; i < cluster->n_nodes; i++) {
        if (str_eq(cluster->nodes[i].meta.name, name)) {
            return i;
        }
    }
    return NOT_THERE;
}

static const struct plan_kept *kept_of(const struct plan *plan, struct str name)
{
    for (uint32_t i = 0; i < plan->disruption->n_kept; i++) {
        if (str_eq(plan->disruption->kept[i].node, name)) {
            return &plan->disruption->kept[i];
        }
    }
    return NULL;
}

/* Works as the caller's port does, and keeps in mind that it was stopped. */
static bool work(void *ctx, struct make *make)
{
    struct asking *a = ctx;
    const bool more = a->port->work(a->port->ctx, make);
    a->cut = a->cut || !more;
    return more;
}

/* The command that takes the node, or NULL. */
static const struct plan_command *command_of(const struct plan *plan, struct str name)
{
    for (uint32_t c = 0; c < plan->disruption->n_commands; c++) {
        const struct plan_command *command = &plan->disruption->commands[c];
        for (uint32_t i = 0; i < command->n_nodes; i++) {
            if (str_eq(plan->cluster->nodes[command->nodes[i]].meta.name, name)) {
                return command;
            }
        }
    }
    return NULL;
}

static void tell_going(struct asking *a, const struct plan *plan,
                       const struct plan_command *command, struct plan_node_answer *answer)
{
    struct str *with = ARENA_ARRAY(a->arena, struct str, command->n_with);
    for (uint32_t i = 0; i < command->n_with; i++) {
        with[i] = str_copy(a->arena, plan->nodes[command->with[i]].name);
    }
    answer->reason = command->reason;
    answer->with = with;
    answer->n_with = command->n_with;
    answer->n_going = command->n_nodes;
    for (uint32_t i = 0; i < plan->disruption->n_steps; i++) {
        const struct plan_step *step = &plan->disruption->steps[i];
        if (str_eq(plan->cluster->nodes[step->node].meta.name, answer->node)) {
            answer->n_pods = step->n_pods;
        }
    }
}

static void add_hurdle(struct asking *a, struct plan_node_answer *answer,
                       struct plan_hurdle *hurdles, struct str event, struct str message)
{
    hurdles[answer->n_hurdles++] = (struct plan_hurdle){.event = str_copy(a->arena, event),
                                                        .message = str_copy(a->arena, message)};
    answer->hurdles = hurdles;
}

/* False: it cannot be removed. */
static bool remove_hurdle(struct lifted *l, struct str name, enum disrupt_blocker blocker)
{
    if (blocker == BLOCKER_ROUND_LIMIT) {
        l->options.max_disruptions.has = l->options.max_moved_pods.has = false;
        return true;
    }
    const struct k8s_cluster *without =
        unblock(l->cluster, node_index(l->cluster, name), blocker, &l->scratch);
    l->cluster = without != NULL ? without : l->cluster;
    return without != NULL;
}

/* What keeps the node whatever a round allows: no round has to be planned to know it. NULL: it is a
 * candidate now. */
static bool find_standing(struct asking *a, struct lifted *l, struct str name,
                          const struct disrupt_verdict **ret_verdict, struct err *err)
{
    const struct sched_settings settings = make_sched_settings(a->settings);
    const struct disrupt_settings rules = disrupt_rules(a->settings, &l->options);
    struct sched_snapshot *snapshot = NULL;
    struct sched_base *base = NULL;
    struct disrupt_nodes nodes;
    if (!sched_snapshot_new(l->cluster, a->catalog, &settings, /* leave= */ NULL, &l->scratch,
                            &snapshot, err) ||
        !sched_base_new(snapshot, &l->scratch, &base, err)) {
        return false;
    }
    disrupt_nodes_new(base->offers, &rules, &l->scratch, &nodes);
    *ret_verdict = NULL;
    for (uint32_t i = 0; i < nodes.n; i++) {
        if (str_eq(nodes.v[i].name, name)) {
            *ret_verdict = disrupt_verdict_of(&nodes.v[i]);
        }
    }
    return true;
}

static bool plan_lifted(struct asking *a, struct lifted *l, struct err *err)
{
    const struct disrupt_port port = {.ctx = a, .work = work};
    arena_done(&l->round);
    l->round = ARENA_INIT;
    return disrupt_plan(l->cluster, a->catalog, a->settings, &l->options, &port, &l->round,
                        &l->plan, err);
}

/* Hurdles that stand whatever a round allows, one after the other; false in *ret_free: the last of
 * them cannot be removed, or there are too many. */
static bool follow_standing(struct asking *a, struct lifted *l, struct plan_node_answer *answer,
                            struct plan_hurdle *hurdles, bool *ret_free, struct err *err)
{
    const struct disrupt_verdict *verdict = NULL;
    *ret_free = true;
    for (;;) {
        if (!find_standing(a, l, answer->node, &verdict, err)) {
            return false;
        }
        if (verdict == NULL) {
            return true;
        }
        if (answer->n_hurdles == HURDLES_MAX) {
            *ret_free = false;
            return true;
        }
        add_hurdle(a, answer, hurdles, str_of(verdict->event), verdict->message);
        if (!remove_hurdle(l, answer->node, verdict->blocker)) {
            *ret_free = false;
            return true;
        }
    }
}

/* `kept` is the node's in the round of the cluster as it is. Rounds are planned for what only a
 * round can tell, when all that stands in the way of the node can be removed. False in *ret_free:
 * something cannot, so no round lets it go. */
static bool follow_hurdles(struct asking *a, const struct plan_kept *kept, struct lifted *l,
                           struct plan_node_answer *answer, bool *ret_free, struct err *err)
{
    struct plan_hurdle *hurdles = ARENA_ARRAY(a->arena, struct plan_hurdle, HURDLES_MAX);
    while (kept != NULL) {
        add_hurdle(a, answer, hurdles, kept->event, kept->message);
        if (!remove_hurdle(l, answer->node, (enum disrupt_blocker)kept->blocker)) {
            return true;
        }
        answer->removable = true;
        if (!follow_standing(a, l, answer, hurdles, ret_free, err)) {
            return false;
        }
        if (!*ret_free || a->cut) {
            return true;
        }
        if (!plan_lifted(a, l, err)) {
            return false;
        }
        kept = answer->n_hurdles < HURDLES_MAX ? kept_of(l->plan, answer->node) : NULL;
    }
    return true;
}

/* Did a search say that the node stays, and not what stands in its way whatever a round allows? */
static bool search_said(struct asking *a, struct lifted *l, struct str name, bool *ret_so,
                        struct err *err)
{
    const struct disrupt_verdict *verdict = NULL;
    bool good = find_standing(a, l, name, &verdict, err);
    *ret_so = verdict == NULL;
    return good;
}

static bool tell_staying(struct asking *a, const struct plan *plan, const struct plan_kept *kept,
                         struct plan_node_answer *answer, struct err *err)
{
    struct lifted l = {
        .cluster = a->cluster, .options = *a->options, .scratch = ARENA_INIT, .round = ARENA_INIT};
    bool searched = false, is_free = true;
    bool good = (!a->cut || search_said(a, &l, answer->node, &searched, err)) &&
                follow_hurdles(a, kept, &l, answer, &is_free, err);
    answer->price = kept->price;
    answer->unsettled = a->cut && (searched || (answer->removable && is_free));
    if (good && !a->cut && answer->removable && is_free) {
        answer->would_go = command_of(l.plan, answer->node) != NULL;
        answer->would_save = (struct opt_usd){.has = true,
                                              .v = sat_sub(l.plan->disruption->consolidation_saves,
                                                           plan->disruption->consolidation_saves)};
    }
    arena_done(&l.round);
    arena_done(&l.scratch);
    return good;
}

/* A Node's name is mostly that of a host: its first part may be meant for the whole. */
static bool is_short_for(struct str name, struct str whole)
{
    return str_starts(whole, name) && whole.n > name.n && whole.p[name.n] == '.';
}

bool explain_nodes_find(const struct k8s_cluster *cluster, const struct str *names, uint32_t n,
                        struct err *err)
{
    if (n > EXPLAIN_NODES_MAX) {
        return err_set(err, ERR_LIMIT, "%u nodes to explain are more than %d", n,
                       EXPLAIN_NODES_MAX);
    }
    for (uint32_t i = 0; i < n; i++) {
        const struct str shown = str_sub(names[i], 0, 300);
        for (uint32_t k = 0; k < cluster->n_nodes; k++) {
            const struct str whole = cluster->nodes[k].meta.name;
            if (is_short_for(names[i], whole) && node_index(cluster, names[i]) == NOT_THERE) {
                return err_set(err, ERR_NOT_FOUND,
                               "no node \"" STR_FMT "\" in the input; did you mean " STR_FMT "?",
                               STR_ARG(shown), STR_ARG(whole));
            }
        }
        if (node_index(cluster, names[i]) == NOT_THERE) {
            return err_set(err, ERR_NOT_FOUND, "no node \"" STR_FMT "\" in the input",
                           STR_ARG(shown));
        }
    }
    return true;
}

bool explain_nodes(struct plan *plan, const struct k8s_cluster *cluster,
                   const struct catalog *catalog, const struct make_settings *settings,
                   const struct disrupt_options *options, const struct disrupt_port *port,
                   const struct str *names, uint32_t n, bool cut, struct arena *arena,
                   struct err *err)
{
    struct asking a = {.cluster = cluster,
                       .catalog = catalog,
                       .settings = settings,
                       .options = options,
                       .port = port,
                       .cut = cut,
                       .arena = arena};
    if (!explain_nodes_find(cluster, names, n, err)) {
        return false;
    }
    struct plan_node_answer *answers = ARENA_ARRAY(arena, struct plan_node_answer, n);
    for (uint32_t i = 0; i < n; i++) {
        answers[i] = (struct plan_node_answer){.node = names[i]};
        const struct plan_command *command = command_of(plan, names[i]);
        const struct plan_kept *kept = kept_of(plan, names[i]);
        if (command != NULL) {
            tell_going(&a, plan, command, &answers[i]);
        } else if (kept != NULL && !tell_staying(&a, plan, kept, &answers[i], err)) {
            return false;
        }
    }
    plan->node_answers = answers;
    plan->n_node_answers = n;
    return true;
}
