/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What a plan says of its new nodes besides where they are and what they hold: names, systems,
 * amounts. */
#include "base/arena.h"
#include "base/strtab.h"
#include "binpack/plan/check_world.h"

/* The amounts that were counted here against those that the plan states: the same resources but
 * for zeroes. */
static bool same_amounts(const struct check_world *world, const struct plan_node *node,
                         const char *what, const struct check_amounts *right,
                         const struct k8s_resources *stated, struct err *err)
{
    strid bad = STRID_NONE;
    for (uint32_t i = 0; i < right->n && bad == STRID_NONE; i++) {
        if (k8s_resources_get(stated, right->v[i].resource) != right->v[i].value) {
            bad = right->v[i].resource;
        }
    }
    for (uint32_t i = 0; i < stated->n && bad == STRID_NONE; i++) {
        if (check_amounts_get(right, stated->v[i].resource) != stated->v[i].value) {
            bad = stated->v[i].resource;
        }
    }
    return bad == STRID_NONE ||
           err_set(err, ERR_CONFLICT,
                   "node " STR_FMT ": %s: %lld of " STR_FMT " is stated, %lld is right",
                   STR_ARG(node->name), what, (long long)k8s_resources_get(stated, bad),
                   STR_ARG(strtab_str(world->tab, bad)), (long long)check_amounts_get(right, bad));
}

static struct check_amounts amounts_of(const struct k8s_resources *resources)
{
    struct check_amounts amounts = {0};
    for (uint32_t i = 0; i < resources->n; i++) {
        (void)check_amounts_add(&amounts, resources->v[i].resource, resources->v[i].value);
    }
    return amounts;
}

static struct check_amounts requests_of(const struct check_world *world,
                                        const struct plan_node *node)
{
    struct check_amounts sum = {0};
    for (uint32_t i = 0; i < node->n_pods; i++) {
        const struct check_amounts *of = &world->kinds[world->kind_of[node->pods[i]]].requests;
        for (uint32_t k = 0; k < of->n; k++) {
            (void)check_amounts_add(&sum, of->v[k].resource, of->v[k].value);
        }
    }
    return sum;
}

/* `node->used` is what its DaemonSets take: no pod of the plan has been placed yet. */
static bool check_node(const struct check_world *world, const struct check_node *node,
                       struct strtab *names, struct err *err)
{
    const struct plan_node *p = node->planned;
    const uint32_t n_names = strtab_count(names);
    if (p->name.n == 0 || strtab_add(names, p->name) < n_names) {
        return err_set(err, ERR_CONFLICT, "two new nodes have the name \"" STR_FMT "\"",
                       STR_ARG(p->name));
    }
    if (k8s_pairs_get(&node->labels, world->words->os) != p->os) {
        return err_set(err, ERR_CONFLICT,
                       "node " STR_FMT ": os is \"" STR_FMT "\", not that of its node class",
                       STR_ARG(p->name), STR_ARG(strtab_str(world->tab, p->os)));
    }
    const struct check_amounts room = amounts_of(&node->alloc);
    const struct check_amounts requested = requests_of(world, p);
    return same_amounts(world, p, "allocatable", &room, &p->allocatable, err) &&
           same_amounts(world, p, "requested", &requested, &p->requested, err) &&
           same_amounts(world, p, "daemonOverhead", &node->used, &p->daemons, err);
}

bool check_plan_figures(const struct plan *plan, const struct check_settings *settings,
                        struct arena *scratch, struct err *err)
{
    struct arena_mark mark = arena_mark(scratch);
    struct check_world world;
    bool good = check_world_build(plan, settings, scratch, &world, err);
    struct strtab *names = strtab_new(scratch);
    for (uint32_t i = world.n_running; good && i < world.n_nodes; i++) {
        good = check_node(&world, &world.nodes[i], names, err);
    }
    arena_rewind(scratch, mark);
    return good;
}
