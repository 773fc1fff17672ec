/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The controllers of workloads: as many pods as the Deployment wants, named by number; and what the
 * scenario does at its hours. */
#include <stdio.h>

#include "provisioner/sandbox/world.h"

static const json_t *path(const json_t *value, const char *a, const char *b)
{
    const json_t *inner = json_object_get(value, a);
    return b == NULL ? inner : json_object_get(inner, b);
}

static void make_pod(struct world *world, const struct object *deployment, const char *name)
{
    const json_t *template = path(deployment->value, "spec", "template");
    const struct str ns = text_str(&deployment->ns), owner = text_str(&deployment->name);
    const struct str uid = text_str(&deployment->uid);
    json_t *labels = json_deep_copy(path(template, "metadata", "labels"));
    json_t *annotations = json_deep_copy(path(template, "metadata", "annotations"));
    json_t *spec = json_deep_copy(path(template, "spec", NULL));
    json_t *pod =
        json_pack("{s:s,s:s,s:{s:s,s:s%,s:[{s:s,s:s,s:s%,s:s%,s:b}]},s:o}", "apiVersion", "v1",
                  "kind", "Pod", "metadata", "name", name, "namespace", ns.p, (int)ns.n,
                  "ownerReferences", "apiVersion", "apps/v1", "kind", "ReplicaSet", "name", owner.p,
                  (int)owner.n, "uid", uid.p, (int)uid.n, "controller", 1, "spec", spec);
    json_t *metadata = json_object_get(pod, "metadata");
    if (labels != NULL) {
        (void)json_object_set_new(metadata, "labels", labels);
    }
    if (annotations != NULL) {
        (void)json_object_set_new(metadata, "annotations", annotations);
    }
    objects_create(world, world_kind("Pod"), pod);
}

static void keep(struct world *world, const struct object *deployment)
{
    enum { MORE = 64 }; /* numbers above the wanted ones that are looked for */
    const json_int_t wanted = json_integer_value(path(deployment->value, "spec", "replicas"));
    const struct object owner = *deployment; /* the list moves when a pod is made */
    for (json_int_t i = 0; i < wanted + MORE; i++) {
        char name[NAME_MAX_BYTES];
        (void)snprintf(name, sizeof name, STR_FMT "-%lld", STR_ARG(text_str(&owner.name)),
                       (long long)i);
        const struct object *pod =
            objects_find(world, world_kind("Pod"), text_str(&owner.ns), str_of(name));
        if (pod == NULL && i < wanted) {
            make_pod(world, &owner, name);
        } else if (pod != NULL && i >= wanted) {
            objects_remove(world, world_kind("Pod"), text_str(&owner.ns), str_of(name));
        } else if (pod == NULL) {
            break;
        }
    }
}

void work_beat(struct world *world)
{
    for (size_t i = 0; i < world->objects.n; i++) {
        if (world->objects.v[i].kind == world_kind("Deployment")) {
            keep(world, &world->objects.v[i]);
        }
    }
}

static void scale(struct world *world, struct str what, int64_t replicas)
{
    const size_t slash = str_find(what, '/');
    struct object *object = objects_find(world, world_kind("Deployment"), str_sub(what, 0, slash),
                                         str_sub(what, slash + 1, what.n));
    if (object == NULL) {
        return;
    }
    const json_int_t before = json_integer_value(path(object->value, "spec", "replicas"));
    json_t *value = json_deep_copy(object->value);
    const struct object was = *object;
    (void)json_object_set_new(json_object_get(value, "spec"), "replicas", json_integer(replicas));
    objects_put(world, object, value);
    for (json_int_t i = replicas; i < before; i++) {
        char name[NAME_MAX_BYTES];
        (void)snprintf(name, sizeof name, STR_FMT "-%lld", STR_ARG(text_str(&was.name)),
                       (long long)i);
        objects_remove(world, world_kind("Pod"), text_str(&was.ns), str_of(name));
    }
}

/* By hand, as with kubectl: the first by name that is not going yet. */
static void delete_claim(struct world *world)
{
    const struct karp_nodeclaim *first = NULL;
    for (uint32_t i = 0; i < k8s_state_count(world->truth, STORE_NODECLAIMS); i++) {
        const struct karp_nodeclaim *claim = k8s_state_at(world->truth, STORE_NODECLAIMS, i);
        if (!claim->meta.deleted.has &&
            (first == NULL || str_cmp(claim->meta.name, first->meta.name) < 0)) {
            first = claim;
        }
    }
    if (first != NULL) {
        const struct text name = text_of(first->meta.name);
        objects_remove(world, world_kind("NodeClaim"), STR_EMPTY, text_str(&name));
    }
}

void work_step(struct world *world, const struct scenario_step *step)
{
    if (step->scale.n > 0) {
        scale(world, text_str(&step->scale), step->replicas);
    }
    for (int64_t i = 0; i < step->delete_claims; i++) {
        delete_claim(world);
    }
}
