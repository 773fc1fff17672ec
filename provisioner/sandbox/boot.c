/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Machines: an instance becomes a Node that is not ready, then ready; and takes its Node and pods
 * with it when it goes. */
#include <stdio.h>

#include "k8s/codec.h"
#include "provisioner/sandbox/world.h"

static void node_name(const struct instance *instance, char *buffer, size_t size)
{
    (void)snprintf(buffer, size, "ip-" STR_FMT ".internal",
                   STR_ARG(str_sub(text_str(&instance->id), 2, 32)));
}

static const struct cat_type *type_of(const struct world *world, const struct instance *instance)
{
    const struct strtab *tab = k8s_state_tab(world->truth);
    const strid name = strtab_find(tab, text_str(&instance->type));
    return name == STRID_NONE ? NULL : cat_find(world->catalog, tab, name);
}

static json_t *amounts(struct world *world, const struct k8s_resources *resources)
{
    const struct codec_out out = {.arena = &world->step,
                                  .tab = k8s_state_tab(world->truth),
                                  .words = k8s_state_words(world->truth)};
    return codec_resources(&out, resources);
}

static json_t *labels_of(const struct world *world, const struct instance *instance,
                         const struct cat_type *type, const char *name)
{
    const struct strtab *tab = k8s_state_tab(world->truth);
    json_t *labels = json_object();
    for (uint32_t i = 0; i < type->labels.n; i++) {
        const struct str key = strtab_str(tab, type->labels.v[i].key);
        /* Those of Karpenter come with its registration. */
        if (!str_starts(key, STR("karpenter."))) {
            const struct str value = strtab_str(tab, type->labels.v[i].value);
            (void)json_object_set_new(labels, key.p, json_stringn(value.p, value.n));
        }
    }
    const struct str zone = text_str(&instance->zone);
    (void)json_object_set_new(labels, "topology.kubernetes.io/zone", json_stringn(zone.p, zone.n));
    (void)json_object_set_new(labels, "kubernetes.io/hostname", json_string(name));
    (void)json_object_set_new(labels, "kubernetes.io/os", json_string("linux"));
    return labels;
}

static json_t *conditions_of(bool ready)
{
    return json_pack("[{s:s,s:s,s:s}]", "type", "Ready", "status", ready ? "True" : "False",
                     "reason", ready ? "KubeletReady" : "KubeletNotReady");
}

static void join(struct world *world, struct instance *instance)
{
    const struct cat_type *type = type_of(world, instance);
    char name[128], provider[256];
    struct cat_room room;
    node_name(instance, name, sizeof name);
    (void)snprintf(provider, sizeof provider, "aws:///" STR_FMT "/" STR_FMT,
                   STR_ARG(text_str(&instance->zone)), STR_ARG(text_str(&instance->id)));
    cat_type_room(type, NULL, &world->settings.make.catalog, k8s_state_tab(world->truth),
                  k8s_state_words(world->truth), &world->step, &room);
    json_t *node = json_pack(
        "{s:s,s:s,s:{s:s,s:o},s:{s:s,s:[{s:s,s:s},{s:s,s:s}]},s:{s:o,s:o,s:o}}", "apiVersion", "v1",
        "kind", "Node", "metadata", "name", name, "labels", labels_of(world, instance, type, name),
        "spec", "providerID", provider, "taints", "key", "karpenter.sh/unregistered", "effect",
        "NoExecute", "key", "node.kubernetes.io/not-ready", "effect", "NoSchedule", "status",
        "capacity", amounts(world, &room.capacity), "allocatable",
        amounts(world, &room.allocatable), "conditions", conditions_of(false));
    instance->has_node = true;
    instance->stage = INSTANCE_RUNNING;
    objects_create(world, world_kind("Node"), node);
}

static void become_ready(struct world *world, struct instance *instance)
{
    char name[128];
    node_name(instance, name, sizeof name);
    struct object *object = objects_find(world, world_kind("Node"), STR_EMPTY, str_of(name));
    instance->is_ready = true;
    if (object == NULL) {
        return;
    }
    json_t *value = json_deep_copy(object->value);
    json_t *taints = json_object_get(json_object_get(value, "spec"), "taints");
    for (size_t i = json_array_size(taints); i-- > 0;) {
        const json_t *key = json_object_get(json_array_get(taints, i), "key");
        if (str_eq(str_of(json_string_value(key)), STR("node.kubernetes.io/not-ready"))) {
            (void)json_array_remove(taints, i);
        }
    }
    (void)json_object_set_new(json_object_get(value, "status"), "conditions", conditions_of(true));
    objects_put(world, object, value);
}

/* The machine has gone: so have its pods; the Node goes when nobody holds it. */
static void leave(struct world *world, struct instance *instance)
{
    char name[128];
    node_name(instance, name, sizeof name);
    instance->stage = INSTANCE_GONE;
    for (size_t i = world->objects.n; i-- > 0;) {
        const struct object pod = world->objects.v[i];
        const json_t *on = json_object_get(json_object_get(pod.value, "spec"), "nodeName");
        if (pod.kind == world_kind("Pod") && str_eq(str_of(json_string_value(on)), str_of(name))) {
            objects_remove(world, pod.kind, text_str(&pod.ns), text_str(&pod.name));
        }
    }
    objects_remove(world, world_kind("Node"), STR_EMPTY, str_of(name));
}

void boot_beat(struct world *world)
{
    for (size_t i = 0; i < world->instances.n; i++) {
        struct instance *instance = &world->instances.v[i];
        if (ec2_is_alive(instance) && !instance->has_node && world->now >= instance->node_at) {
            join(world, instance);
        } else if (ec2_is_alive(instance) && instance->has_node && !instance->is_ready &&
                   world->now >= instance->ready_at) {
            become_ready(world, instance);
        } else if (instance->stage == INSTANCE_SHUTTING_DOWN && world->now >= instance->gone_at) {
            leave(world, instance);
        }
    }
}
