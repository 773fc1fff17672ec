/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What must hold whatever happens. */
#include <stdio.h>

#include "binpack/scheduling/eligibility.h"
#include "provisioner/sandbox/world.h"

bool invariants_broken(struct world *world, const char *what, struct str name)
{
    const int64_t s = world->now / SECOND;
    world->report.broken = true;
    return err_set(&world->report.breach, ERR_INTERNAL, "at %02d:%02d:%02d: %s: " STR_FMT,
                   (int)(s / 3600), (int)(s / 60 % 60), (int)(s % 60), what, STR_ARG(name));
}

static const struct karp_nodeclaim *claim_of(const struct world *world,
                                             const struct instance *instance)
{
    const struct k8s_identity id = {.name = text_str(&instance->claim)};
    return k8s_state_find(world->truth, world_kind_of(STORE_NODECLAIMS), &id);
}

static bool instances_have_claims(struct world *world)
{
    for (size_t i = 0; i < world->instances.n; i++) {
        const struct instance *instance = &world->instances.v[i];
        if (!ec2_is_alive(instance)) {
            continue;
        }
        if (claim_of(world, instance) == NULL) {
            return invariants_broken(world, "an instance runs without a NodeClaim",
                                     text_str(&instance->id));
        }
        for (size_t k = 0; k < i; k++) {
            if (ec2_is_alive(&world->instances.v[k]) &&
                str_eq(text_str(&world->instances.v[k].claim), text_str(&instance->claim))) {
                return invariants_broken(world, "a NodeClaim has two instances",
                                         text_str(&instance->claim));
            }
        }
    }
    return true;
}

static int64_t capacity_of(const struct world *world, const struct instance *instance,
                           strid resource)
{
    const struct strtab *tab = k8s_state_tab(world->truth);
    const strid name = strtab_find(tab, text_str(&instance->type));
    const struct cat_type *type = name == STRID_NONE ? NULL : cat_find(world->catalog, tab, name);
    return resource == k8s_state_words(world->truth)->nodes ? 1
           : type == NULL                                   ? 0
                          : k8s_resources_get(&type->capacity, resource);
}

static bool limits_hold(struct world *world)
{
    for (uint32_t p = 0; p < k8s_state_count(world->truth, STORE_NODEPOOLS); p++) {
        const struct karp_nodepool *pool = k8s_state_at(world->truth, STORE_NODEPOOLS, p);
        for (uint32_t r = 0; r < pool->limits.n; r++) {
            int64_t sum = 0;
            for (size_t i = 0; i < world->instances.n; i++) {
                const struct instance *instance = &world->instances.v[i];
                /* What people have written the program may not refuse. */
                if (ec2_is_alive(instance) && !hand_has_made(text_str(&instance->claim)) &&
                    str_eq(text_str(&instance->pool), pool->meta.name)) {
                    sum = sat_add(sum, capacity_of(world, instance, pool->limits.v[r].resource));
                }
            }
            if (sum > pool->limits.v[r].value) {
                return invariants_broken(world, "a NodePool is above its limits", pool->meta.name);
            }
        }
    }
    return true;
}

/* ---- limits that the program knows of ---- */

/* In the words of the truth. Before the instance has said what it has, the largest that it may
 * become. */
static int64_t size_of(const struct world *world, const struct karp_nodeclaim *claim,
                       strid resource)
{
    const struct k8s_words *words = k8s_state_words(world->truth);
    int64_t most = k8s_resources_get(&claim->capacity, resource);
    for (uint32_t i = 0; claim->capacity.n == 0 && i < claim->n_requirements; i++) {
        const struct k8s_requirement *r = &claim->requirements[i];
        for (uint32_t v = 0; r->key == words->instance_type && v < r->values.n; v++) {
            const struct cat_type *type =
                cat_find(world->catalog, k8s_state_tab(world->truth), r->values.v[v]);
            const int64_t has = type == NULL ? 0 : k8s_resources_get(&type->capacity, resource);
            most = has > most ? has : most;
        }
    }
    return resource == words->nodes ? 1 : most;
}

/* Its own, and what the watch has shown. */
static bool knows(struct world *world, const struct karp_nodeclaim *claim)
{
    const struct k8s_identity id = {.name = claim->meta.name};
    const struct k8s_kind *kind = world_kind_of(STORE_NODECLAIMS);
    const struct object *object = objects_find(world, kind, STR_EMPTY, claim->meta.name);
    return (object != NULL && object->epoch == world->epoch) ||
           k8s_state_find(engine_look(world->engine).state, kind, &id) != NULL;
}

static bool is_of(const struct world *world, const struct karp_nodeclaim *claim, struct str pool)
{
    const strid its = k8s_pairs_get(&claim->meta.labels, k8s_state_words(world->truth)->nodepool);
    return its != STRID_NONE && str_eq(strtab_str(k8s_state_tab(world->truth), its), pool);
}

void invariants_created(struct world *world, const struct object *object)
{
    const struct k8s_identity id = {.name = text_str(&object->name)};
    const struct karp_nodeclaim *created =
        k8s_state_find(world->truth, world_kind_of(STORE_NODECLAIMS), &id);
    for (uint32_t p = 0; p < k8s_state_count(world->truth, STORE_NODEPOOLS); p++) {
        const struct karp_nodepool *pool = k8s_state_at(world->truth, STORE_NODEPOOLS, p);
        for (uint32_t r = 0; r < pool->limits.n && is_of(world, created, pool->meta.name); r++) {
            int64_t sum = 0;
            for (uint32_t i = 0; i < k8s_state_count(world->truth, STORE_NODECLAIMS); i++) {
                const struct karp_nodeclaim *claim =
                    k8s_state_at(world->truth, STORE_NODECLAIMS, i);
                if (is_of(world, claim, pool->meta.name) && knows(world, claim)) {
                    sum = sat_add(sum, size_of(world, claim, pool->limits.v[r].resource));
                }
            }
            if (sum > pool->limits.v[r].value) {
                (void)invariants_broken(world,
                                        "a NodeClaim is created that the limits of its NodePool "
                                        "have no room for",
                                        created->meta.name);
                return;
            }
        }
    }
}

/* ---- instances that are terminated ---- */

/* Pods that stay to the end: those of DaemonSets. */
void invariants_terminate(struct world *world, const struct instance *instance)
{
    const struct object *node = boot_node(world, instance);
    const struct karp_nodeclaim *claim = claim_of(world, instance);
    if (claim != NULL && !claim->meta.deleted.has) {
        (void)invariants_broken(world, "an instance is terminated whose NodeClaim is not going",
                                text_str(&instance->claim));
    }
    for (uint32_t i = 0; node != NULL && i < k8s_state_count(world->truth, STORE_PODS); i++) {
        const struct k8s_pod *pod = k8s_state_at(world->truth, STORE_PODS, i);
        if (str_eq(pod->node_name, text_str(&node->name)) &&
            !k8s_pod_of_daemonset(k8s_state_words(world->truth), pod->shape) &&
            !sched_pod_finished(pod)) {
            (void)invariants_broken(world, "an instance is terminated under a pod", pod->name);
        }
    }
}

bool invariants_hold(struct world *world)
{
    const bool moved = world->promises_moved;
    world->promises_moved = false;
    return !world->report.broken &&
           (!moved || (instances_have_claims(world) && limits_hold(world)));
}

/* The program knows what there is, and believes in nothing that is not. */
static bool is_known(struct world *world)
{
    static const enum k8s_store stores[] = {STORE_PODS, STORE_NODES, STORE_NODECLAIMS, STORE_PVCS};
    if (world->engine == NULL) {
        return true;
    }
    const struct k8s_state *seen = engine_look(world->engine).state;
    for (size_t i = 0; i < sizeof stores / sizeof stores[0]; i++) {
        if (k8s_state_count(seen, stores[i]) != k8s_state_count(world->truth, stores[i])) {
            return invariants_broken(world, "the program does not know what there is",
                                     str_of(world_kind_of(stores[i])->resource));
        }
    }
    return true;
}

/* The pod by its whole name, with what the last plan says of it. */
static bool is_homeless(struct world *world, const struct k8s_pod *pod)
{
    const struct str ns = strtab_str(world->words.tab, pod->ns);
    char name[2 * NAME_MAX_BYTES + 2], text[sizeof name + sizeof world->unplaced->why + 64];
    const char *why = NULL;
    (void)snprintf(name, sizeof name, STR_FMT "/" STR_FMT, STR_ARG(ns), STR_ARG(pod->name));
    for (uint32_t i = 0; i < world->n_unplaced && why == NULL; i++) {
        why = str_eq(text_str(&world->unplaced[i].ns_name), str_of(name)) ? world->unplaced[i].why
                                                                          : NULL;
    }
    if (why == NULL) {
        (void)snprintf(text, sizeof text, "%s", name);
    } else {
        (void)snprintf(text, sizeof text, "%s (the last plan: %s)", name, why);
    }
    return invariants_broken(world, "a pod is still without a place at the end", str_of(text));
}

/* When nothing has failed for a while: every pod has its place, every claim its node. */
bool invariants_converged(struct world *world)
{
    for (uint32_t i = 0; i < k8s_state_count(world->truth, STORE_PODS); i++) {
        const struct k8s_pod *pod = k8s_state_at(world->truth, STORE_PODS, i);
        if (pod->node_name.n == 0) {
            return is_homeless(world, pod);
        }
    }
    for (uint32_t i = 0; i < k8s_state_count(world->truth, STORE_NODECLAIMS); i++) {
        const struct karp_nodeclaim *claim = k8s_state_at(world->truth, STORE_NODECLAIMS, i);
        const struct k8s_condition *ready =
            k8s_conditions_find(&claim->conditions, k8s_state_words(world->truth)->ready);
        if (claim->meta.deleted.has) {
            return invariants_broken(world, "a NodeClaim is still going at the end",
                                     claim->meta.name);
        }
        if (ready == NULL || ready->status != k8s_state_words(world->truth)->s_true) {
            return invariants_broken(world, "a NodeClaim is not ready at the end",
                                     claim->meta.name);
        }
    }
    return is_known(world);
}
