/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "binpack/plan/explain_node.h"

#include "base/arena.h"
#include "binpack/plan/unblock.h"

#define NOT_THERE UINT32_MAX

struct asking {
    const struct k8s_cluster *cluster;
    const struct catalog *catalog;
    const struct make_settings *settings;
    const struct disrupt_options *options;
    const struct disrupt_port *port;
    struct arena *arena; /* of the answers */
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
    for (uint32_t i = 0; i < plan->disruption->n_steps; i++) {
        const struct plan_step *step = &plan->disruption->steps[i];
        if (str_eq(plan->cluster->nodes[step->node].meta.name, answer->node)) {
            answer->n_pods = step->n_pods;
        }
    }
}

/* The cluster, or the options, without the hurdle; false: it cannot be removed. */
static bool remove_hurdle(const struct plan_kept *kept, struct str name,
                          const struct k8s_cluster **cluster, struct disrupt_options *options,
                          struct arena *arena)
{
    if (kept->blocker == BLOCKER_ROUND_LIMIT) {
        options->max_disruptions.has = options->max_moved_pods.has = false;
        return true;
    }
    const struct k8s_cluster *without =
        unblock(*cluster, node_index(*cluster, name), (enum disrupt_blocker)kept->blocker, arena);
    *cluster = without != NULL ? without : *cluster;
    return without != NULL;
}

static bool follow_hurdles(struct asking *a, const struct plan *plan,
                           struct plan_node_answer *answer, struct err *err)
{
    struct plan_hurdle *hurdles = ARENA_ARRAY(a->arena, struct plan_hurdle, HURDLES_MAX);
    struct disrupt_options options = *a->options;
    const struct k8s_cluster *cluster = a->cluster;
    const usd_t before = plan->disruption->consolidation_saves;
    struct arena scratch = ARENA_INIT, round = ARENA_INIT;
    const struct plan *now = plan;
    const struct plan_kept *kept;
    bool good = true;
    answer->hurdles = hurdles;
    while (good && answer->n_hurdles < HURDLES_MAX && (kept = kept_of(now, answer->node)) != NULL) {
        hurdles[answer->n_hurdles++] = (struct plan_hurdle){
            .event = str_copy(a->arena, kept->event), .message = str_copy(a->arena, kept->message)};
        if (!remove_hurdle(kept, answer->node, &cluster, &options, &scratch)) {
            break;
        }
        struct plan *next = NULL;
        arena_done(&round);
        round = ARENA_INIT;
        good =
            disrupt_plan(cluster, a->catalog, a->settings, &options, a->port, &round, &next, err);
        now = next;
        answer->removable = true;
    }
    if (good && answer->removable) {
        answer->would_go = command_of(now, answer->node) != NULL;
        answer->would_save = (struct opt_usd){
            .has = true, .v = sat_sub(now->disruption->consolidation_saves, before)};
    }
    arena_done(&round);
    arena_done(&scratch);
    return good;
}

bool explain_nodes(struct plan *plan, const struct k8s_cluster *cluster,
                   const struct catalog *catalog, const struct make_settings *settings,
                   const struct disrupt_options *options, const struct disrupt_port *port,
                   const struct str *names, uint32_t n, struct arena *arena, struct err *err)
{
    struct asking a = {.cluster = cluster,
                       .catalog = catalog,
                       .settings = settings,
                       .options = options,
                       .port = port,
                       .arena = arena};
    if (n > EXPLAIN_NODES_MAX) {
        return err_set(err, ERR_LIMIT, "%u nodes to explain are more than %d", n,
                       EXPLAIN_NODES_MAX);
    }
    struct plan_node_answer *answers = ARENA_ARRAY(arena, struct plan_node_answer, n);
    for (uint32_t i = 0; i < n; i++) {
        if (node_index(cluster, names[i]) == NOT_THERE) {
            return err_set(err, ERR_NOT_FOUND, "no node \"" STR_FMT "\" in the input",
                           STR_ARG(str_sub(names[i], 0, 300)));
        }
        answers[i] = (struct plan_node_answer){.node = names[i]};
        const struct plan_command *command = command_of(plan, names[i]);
        const struct plan_kept *kept = kept_of(plan, names[i]);
        if (command != NULL) {
            tell_going(&a, plan, command, &answers[i]);
        } else if (kept != NULL && !follow_hurdles(&a, plan, &answers[i], err)) {
            return false;
        }
        answers[i].price = kept != NULL ? kept->price : (struct opt_usd){.has = false};
    }
    plan->node_answers = answers;
    plan->n_node_answers = n;
    return true;
}
