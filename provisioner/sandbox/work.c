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

/* NULL: it is no more. */
static struct object *owner_at(struct world *world, size_t i)
{
    const struct owner *owner = &world->owners.v[i];
    return objects_find(world, owner->kind, text_str(&owner->ns), text_str(&owner->name));
}

/* ---- pods ---- */

/* Takes `spec` over. */
static void make_pod(struct world *world, const struct object *owner, const char *kind,
                     const char *name, json_t *spec)
{
    const json_t *template = path(owner->value, "spec", "template");
    const struct str ns = text_str(&owner->ns), owner_name = text_str(&owner->name);
    const struct str uid = text_str(&owner->uid);
    json_t *labels = json_deep_copy(path(template, "metadata", "labels"));
    json_t *annotations = json_deep_copy(path(template, "metadata", "annotations"));
    json_t *pod =
        json_pack("{s:s,s:s,s:{s:s,s:s%,s:[{s:s,s:s,s:s%,s:s%,s:b}]},s:o}", "apiVersion", "v1",
                  "kind", "Pod", "metadata", "name", name, "namespace", ns.p, ns.n,
                  "ownerReferences", "apiVersion", "apps/v1", "kind", kind, "name", owner_name.p,
                  owner_name.n, "uid", uid.p, uid.n, "controller", 1, "spec", spec);
    json_t *metadata = json_object_get(pod, "metadata");
    if (labels != NULL) {
        (void)json_object_set_new(metadata, "labels", labels);
    }
    if (annotations != NULL) {
        (void)json_object_set_new(metadata, "annotations", annotations);
    }
    objects_create(world, world_kind_of(STORE_PODS), pod);
}

static json_t *spec_of(const struct object *owner)
{
    json_t *spec = json_deep_copy(path(path(owner->value, "spec", "template"), "spec", NULL));
    return spec == NULL ? json_object() : spec;
}

/* ---- claims of a StatefulSet ---- */

/* As "data-db-0"; they outlive their pod. */
static void make_claims(struct world *world, const struct object *owner, const char *pod,
                        json_t *spec)
{
    const json_t *templates = path(owner->value, "spec", "volumeClaimTemplates");
    const struct str ns = text_str(&owner->ns);
    json_t *volumes = json_object_get(spec, "volumes");
    if (!json_is_array(volumes)) {
        volumes = json_array();
        (void)json_object_set_new(spec, "volumes", volumes);
    }
    for (size_t i = 0; i < json_array_size(templates); i++) {
        const json_t *template = json_array_get(templates, i);
        const char *volume = json_string_value(path(template, "metadata", "name"));
        char name[2 * NAME_MAX_BYTES];
        (void)snprintf(name, sizeof name, "%.250s-%.250s", volume == NULL ? "" : volume, pod);
        (void)json_array_append_new(volumes,
                                    json_pack("{s:s,s:{s:s}}", "name", volume == NULL ? "" : volume,
                                              "persistentVolumeClaim", "claimName", name));
        if (objects_find(world, world_kind_of(STORE_PVCS), ns, str_of(name)) == NULL) {
            json_t *claim = json_deep_copy(template);
            (void)json_object_set_new(
                claim, "metadata", json_pack("{s:s,s:s%}", "name", name, "namespace", ns.p, ns.n));
            (void)json_object_set_new(claim, "status", json_pack("{s:s}", "phase", "Pending"));
            objects_create(world, world_kind_of(STORE_PVCS), claim);
        }
    }
}

/* ---- as many as are wanted ---- */

static void pod_name(const struct object *owner, json_int_t i, char *name)
{
    (void)snprintf(name, NAME_MAX_BYTES, STR_FMT "-%lld", STR_ARG(text_str(&owner->name)),
                   (long long)i);
}

/* One where it does not say. */
static json_int_t replicas_of(const struct object *owner)
{
    const json_t *replicas = path(owner->value, "spec", "replicas");
    return json_is_number(replicas) ? (json_int_t)json_number_value(replicas) : 1;
}

static void keep(struct world *world, const struct object *owner, bool ordinal)
{
    enum { MORE = 64 }; /* numbers above the wanted ones that are looked for */
    const json_int_t wanted = replicas_of(owner);
    for (json_int_t i = 0; i < wanted + MORE; i++) {
        char name[NAME_MAX_BYTES];
        pod_name(owner, i, name);
        const struct object *pod =
            objects_find(world, world_kind_of(STORE_PODS), text_str(&owner->ns), str_of(name));
        if (pod == NULL && i < wanted) {
            json_t *spec = spec_of(owner);
            if (ordinal) {
                make_claims(world, owner, name, spec);
            }
            make_pod(world, owner, ordinal ? "StatefulSet" : "ReplicaSet", name, spec);
        } else if (pod != NULL && i >= wanted) {
            objects_remove(world, world_kind_of(STORE_PODS), text_str(&owner->ns), str_of(name));
        } else if (pod == NULL) {
            break;
        }
    }
}

/* ---- one for each node ---- */

static void daemon_name(const struct object *owner, struct str node, char *name)
{
    (void)snprintf(name, NAME_MAX_BYTES, STR_FMT "-" STR_FMT, STR_ARG(text_str(&owner->name)),
                   STR_ARG(node));
}

static void make_daemon(struct world *world, const struct object *owner, struct str node)
{
    char name[NAME_MAX_BYTES];
    daemon_name(owner, node, name);
    if (objects_find(world, world_kind_of(STORE_PODS), text_str(&owner->ns), str_of(name)) !=
        NULL) {
        return;
    }
    json_t *spec = spec_of(owner);
    (void)json_object_set_new(spec, "affinity",
                              json_pack("{s:{s:{s:[{s:[{s:s,s:s,s:[s%]}]}]}}}", "nodeAffinity",
                                        "requiredDuringSchedulingIgnoredDuringExecution",
                                        "nodeSelectorTerms", "matchFields", "key", "metadata.name",
                                        "operator", "In", "values", node.p, node.n));
    make_pod(world, owner, "DaemonSet", name, spec);
}

static void keep_daemons(struct world *world, const struct object *owner)
{
    for (uint32_t i = 0; i < k8s_state_count(world->truth, STORE_NODES); i++) {
        const struct k8s_node *node = k8s_state_at(world->truth, STORE_NODES, i);
        const struct text name = text_of(node->meta.name);
        if (!node->meta.deleted.has) {
            make_daemon(world, owner, text_str(&name));
        }
    }
}

void work_node_gone(struct world *world, struct str node)
{
    for (size_t i = 0; i < world->owners.n; i++) {
        const struct object *owner = owner_at(world, i);
        if (owner != NULL && owner->kind->workload == K8S_DAEMONSET) {
            char name[NAME_MAX_BYTES];
            daemon_name(owner, node, name);
            objects_remove(world, world_kind_of(STORE_PODS), text_str(&owner->ns), str_of(name));
        }
    }
}

void work_beat(struct world *world)
{
    if (!world->work_moved) {
        return;
    }
    world->work_moved = false;
    for (size_t i = 0; i < world->owners.n; i++) {
        const struct object *found = owner_at(world, i);
        if (found == NULL) {
            continue;
        }
        const struct object owner = *found; /* the list moves when a pod is made */
        if (owner.kind->workload == K8S_DAEMONSET) {
            keep_daemons(world, &owner);
        } else if (owner.kind->workload == K8S_DEPLOYMENT ||
                   owner.kind->workload == K8S_STATEFULSET) {
            keep(world, &owner, owner.kind->workload == K8S_STATEFULSET);
        }
    }
}

/* ---- what the scenario does ---- */

struct object *work_find(struct world *world, struct str what)
{
    static const enum k8s_workload_kind kinds[] = {K8S_DEPLOYMENT, K8S_STATEFULSET};
    const size_t slash = str_find(what, '/');
    struct object *object = NULL;
    for (size_t i = 0; object == NULL && i < sizeof kinds / sizeof kinds[0]; i++) {
        object = objects_find(world, k8s_kind_of_workload(kinds[i]), str_sub(what, 0, slash),
                              str_sub(what, slash + 1, what.n));
    }
    return object;
}

static void scale(struct world *world, struct str what, int64_t replicas)
{
    struct object *object = work_find(world, what);
    if (object == NULL) {
        return;
    }
    const json_int_t before = replicas_of(object);
    json_t *value = json_deep_copy(object->value);
    const struct object was = *object;
    (void)json_object_set_new(json_object_get(value, "spec"), "replicas", json_integer(replicas));
    objects_put(world, object, value);
    for (json_int_t i = replicas; i < before; i++) {
        char name[NAME_MAX_BYTES];
        pod_name(&was, i, name);
        objects_remove(world, world_kind_of(STORE_PODS), text_str(&was.ns), str_of(name));
    }
}

void work_step(struct world *world, const struct scenario_step *step)
{
    if (step->scale.n > 0) {
        scale(world, text_str(&step->scale), step->replicas);
        world_note(world, "scaled: " STR_FMT " to %lld", STR_ARG(text_str(&step->scale)),
                   (long long)step->replicas);
    }
    hand_step(world, step);
    market_step(world, step);
    outage_step(world, step);
    if (step->deaf_kind != NULL) {
        watch_break(world, step->deaf_kind, step->deaf_ms);
    }
    if (step->jump_ms != 0) {
        world->start += step->jump_ms;
        world_note(world, "the clock jumps by %lld s", (long long)(step->jump_ms / SECOND));
    }
    if (step->restart && world->engine != NULL) {
        program_kill(world);
    }
}
