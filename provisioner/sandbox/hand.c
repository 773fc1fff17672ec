/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What people and machines do without the program: NodeClaims are deleted or written by hand, Nodes
 * are deleted, instances end. */
#include <stdio.h>

#include "provisioner/sandbox/world.h"

#define BY_HAND "by-hand-"

bool hand_has_made(struct str claim)
{
    return str_starts(claim, STR(BY_HAND));
}

/* The oldest that is not going yet. Names would choose others in another world; UIDs here count. */
static void delete_claim(struct world *world)
{
    const struct karp_nodeclaim *first = NULL;
    for (uint32_t i = 0; i < k8s_state_count(world->truth, STORE_NODECLAIMS); i++) {
        const struct karp_nodeclaim *claim = k8s_state_at(world->truth, STORE_NODECLAIMS, i);
        if (!claim->meta.deleted.has &&
            (first == NULL || str_cmp(claim->meta.uid, first->meta.uid) < 0)) {
            first = claim;
        }
    }
    if (first != NULL) {
        const struct text name = text_of(first->meta.name);
        world_note(world, "somebody deletes NodeClaim " STR_FMT, STR_ARG(text_str(&name)));
        objects_remove(world, world_kind_of(STORE_NODECLAIMS), STR_EMPTY, text_str(&name));
    }
}

/* In the NodePool, of one instance type: the program launches it and counts it, and did not want
 * it. */
static void write_claim(struct world *world, const struct scenario_step *step)
{
    const struct str pool = text_str(&step->claims_pool), type = text_str(&step->claims_type);
    const struct object *of = objects_find(world, world_kind_of(STORE_NODEPOOLS), STR_EMPTY, pool);
    char name[64];
    if (of == NULL) {
        return;
    }
    json_t *class = json_object_get(
        json_object_get(json_object_get(json_object_get(of->value, "spec"), "template"), "spec"),
        "nodeClassRef");
    (void)snprintf(name, sizeof name, BY_HAND "%llu", (unsigned long long)world->n_uids);
    objects_create(world, world_kind_of(STORE_NODECLAIMS),
                   json_pack("{s:s,s:s,s:{s:s,s:{s:s%}},s:{s:O,s:[{s:s,s:s,s:[s%]}],s:{s:{s:s}}}}",
                             "apiVersion", "karpenter.sh/v1", "kind", "NodeClaim", "metadata",
                             "name", name, "labels", "karpenter.sh/nodepool", pool.p, pool.n,
                             "spec", "nodeClassRef", class, "requirements", "key",
                             "node.kubernetes.io/instance-type", "operator", "In", "values", type.p,
                             type.n, "resources", "requests", "cpu", "1"));
    world_note(world, "somebody writes NodeClaim %s", name);
}

/* The oldest instance that runs and has its Node; NULL: none. */
static struct instance *oldest(struct world *world)
{
    for (size_t i = 0; i < world->instances.n; i++) {
        struct instance *instance = &world->instances.v[i];
        const struct object *node = boot_node(world, instance);
        if (ec2_is_alive(instance) && instance->is_ready && node != NULL &&
            json_object_get(json_object_get(node->value, "metadata"), "deletionTimestamp") ==
                NULL) {
            return instance;
        }
    }
    return NULL;
}

static void end_instance(struct world *world)
{
    struct instance *instance = oldest(world);
    if (instance != NULL) {
        world_note(world, "an instance ends: " STR_FMT, STR_ARG(text_str(&instance->claim)));
        ec2_end(world, instance);
    }
}

/* With kubectl delete, which waits for finalizers, or by force, which leaves the machine alone. */
static void delete_node(struct world *world, bool by_force)
{
    struct instance *instance = oldest(world);
    if (instance == NULL) {
        return;
    }
    world_note(world, "somebody deletes the Node of " STR_FMT "%s",
               STR_ARG(text_str(&instance->claim)), by_force ? " by force" : "");
    if (by_force) {
        boot_lose_node(world, instance);
    } else {
        const struct text name = boot_node(world, instance)->name;
        objects_remove(world, world_kind_of(STORE_NODES), STR_EMPTY, text_str(&name));
    }
}

void hand_step(struct world *world, const struct scenario_step *step)
{
    for (int64_t i = 0; i < step->delete_claims; i++) {
        delete_claim(world);
    }
    for (int64_t i = 0; i < step->write_claims; i++) {
        write_claim(world, step);
    }
    for (int64_t i = 0; i < step->end_instances; i++) {
        end_instance(world);
    }
    for (int64_t i = 0; i < step->delete_nodes; i++) {
        delete_node(world, /* by_force= */ false);
    }
    for (int64_t i = 0; i < step->lose_nodes; i++) {
        delete_node(world, /* by_force= */ true);
    }
}
