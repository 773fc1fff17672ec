/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Machines: an instance becomes a Node that is not ready, then ready; and takes its Node and pods
 * with it when it goes. */
#include <stdio.h>

#include "binpack/scheduling/resources.h"
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

static json_t *conditions_of(const char *ready)
{
    return json_pack("[{s:s,s:s,s:s}]", "type", "Ready", "status", ready, "reason",
                     *ready == 'T'   ? "KubeletReady"
                     : *ready == 'F' ? "KubeletNotReady"
                                     : "NodeStatusUnknown");
}

/* What the EBS driver says of the machine. */
static void tell_attach_limits(struct world *world, const char *name, const struct cat_room *room)
{
    const struct strtab *tab = k8s_state_tab(world->truth);
    json_t *drivers = json_array();
    for (uint32_t i = 0; i < room->n_attach_limits; i++) {
        const struct str driver = strtab_str(tab, room->attach_limits[i].driver);
        (void)json_array_append_new(drivers,
                                    json_pack("{s:s%,s:s,s:[],s:{s:I}}", "name", driver.p, driver.n,
                                              "nodeID", name, "topologyKeys", "allocatable",
                                              "count", (json_int_t)room->attach_limits[i].count));
    }
    objects_create(world, world_kind_of(STORE_CSI_NODES),
                   json_pack("{s:s,s:s,s:{s:s},s:{s:o}}", "apiVersion", "storage.k8s.io/v1", "kind",
                             "CSINode", "metadata", "name", name, "spec", "drivers", drivers));
}

void boot_join(struct world *world, struct instance *instance)
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
        amounts(world, &room.allocatable), "conditions", conditions_of("False"));
    instance->has_node = true;
    instance->stage = INSTANCE_RUNNING;
    objects_create(world, world_kind_of(STORE_NODES), node);
    tell_attach_limits(world, name, &room);
}

struct object *boot_node(struct world *world, const struct instance *instance)
{
    char name[128];
    node_name(instance, name, sizeof name);
    return objects_find(world, world_kind_of(STORE_NODES), STR_EMPTY, str_of(name));
}

void boot_say_ready(struct world *world, struct object *node, const char *status)
{
    json_t *value = json_deep_copy(node->value);
    json_t *taints = json_object_get(json_object_get(value, "spec"), "taints");
    for (size_t i = json_array_size(taints); i-- > 0;) {
        const json_t *key = json_object_get(json_array_get(taints, i), "key");
        if (str_starts(str_of(json_string_value(key)), STR("node.kubernetes.io/"))) {
            (void)json_array_remove(taints, i);
        }
    }
    if (*status != 'T') {
        if (taints == NULL) {
            taints = json_array();
            (void)json_object_set_new(json_object_get(value, "spec"), "taints", taints);
        }
        (void)json_array_append_new(taints,
                                    json_pack("{s:s,s:s}", "key",
                                              *status == 'F' ? "node.kubernetes.io/not-ready"
                                                             : "node.kubernetes.io/unreachable",
                                              "effect", "NoSchedule"));
    }
    (void)json_object_set_new(json_object_get(value, "status"), "conditions",
                              conditions_of(status));
    objects_put(world, node, value);
}

void boot_remove_pods(struct world *world, struct str node, bool spares_daemons)
{
    const struct k8s_words *words = k8s_state_words(world->truth);
    for (uint32_t i = 0; i < k8s_state_count(world->truth, STORE_PODS);) {
        const uint32_t n = k8s_state_count(world->truth, STORE_PODS);
        const struct k8s_pod *pod = k8s_state_at(world->truth, STORE_PODS, i);
        if (str_eq(pod->node_name, node) &&
            !(spares_daemons && k8s_pod_of_daemonset(words, pod->shape))) {
            const struct text name = text_of(pod->name);
            objects_remove(world, world_kind_of(STORE_PODS), strtab_str(world->words.tab, pod->ns),
                           text_str(&name));
        }
        /* Another has its place now. */
        i += k8s_state_count(world->truth, STORE_PODS) == n;
    }
}

/* The machine has gone: so have its pods; the Node goes when nobody holds it. */
static void leave(struct world *world, struct instance *instance)
{
    char name[128];
    node_name(instance, name, sizeof name);
    instance->stage = INSTANCE_GONE;
    boot_remove_pods(world, str_of(name), /* spares_daemons= */ false);
    work_node_gone(world, str_of(name));
    objects_remove(world, world_kind_of(STORE_CSI_NODES), STR_EMPTY, str_of(name));
    objects_remove(world, world_kind_of(STORE_NODES), STR_EMPTY, str_of(name));
}

void boot_lose_node(struct world *world, const struct instance *instance)
{
    char name[128];
    node_name(instance, name, sizeof name);
    boot_remove_pods(world, str_of(name), /* spares_daemons= */ false);
    objects_remove_by_force(world, world_kind_of(STORE_NODES), STR_EMPTY, str_of(name));
    work_node_gone(world, str_of(name));
    objects_remove(world, world_kind_of(STORE_CSI_NODES), STR_EMPTY, str_of(name));
}

static const char *stage_of(const struct world *world, const struct instance *instance,
                            const struct k8s_node *node)
{
    return instance->stage == INSTANCE_SHUTTING_DOWN        ? "ending"
           : outage_holds(world, text_str(&instance->zone)) ? "cut off"
           : node != NULL && node->meta.deleted.has         ? "draining"
           : instance->is_ready                             ? "ready"
           : instance->has_node                             ? "booting"
                                                            : "launched";
}

void boot_machine(const struct world *world, const struct instance *instance,
                  struct sandbox_machine *ret_machine)
{
    char name[128];
    node_name(instance, name, sizeof name);
    const struct k8s_words *words = k8s_state_words(world->truth);
    const struct k8s_identity id = {.name = str_of(name)};
    const struct k8s_node *node = k8s_state_find(world->truth, world_kind_of(STORE_NODES), &id);
    *ret_machine = (struct sandbox_machine){.claim = text_str(&instance->claim),
                                            .type = text_str(&instance->type),
                                            .zone = text_str(&instance->zone),
                                            .capacity_type = text_str(&instance->capacity_type),
                                            .stage = stage_of(world, instance, node),
                                            .price = instance->price};
    ret_machine->cpu_milli = node == NULL ? 0 : k8s_resources_get(&node->allocatable, words->cpu);
    for (uint32_t i = 0; node != NULL && i < k8s_state_count(world->truth, STORE_PODS); i++) {
        const struct k8s_pod *pod = k8s_state_at(world->truth, STORE_PODS, i);
        if (str_eq(pod->node_name, id.name)) {
            auto_arena arena = ARENA_INIT;
            const struct k8s_resources requests =
                sched_shape_requests(&world->words, &arena, pod->shape);
            ret_machine->n_pods++;
            ret_machine->cpu_used_milli += k8s_resources_get(&requests, words->cpu);
        }
    }
}

void boot_beat(struct world *world)
{
    for (size_t i = 0; i < world->instances.n; i++) {
        struct instance *instance = &world->instances.v[i];
        if (instance->stage == INSTANCE_GONE) {
            continue;
        }
        const bool cut_off = outage_holds(world, text_str(&instance->zone));
        if (cut_off && ec2_is_alive(instance)) {
            continue; /* it comes later */
        }
        if (ec2_is_alive(instance) && !instance->has_node && world->now >= instance->node_at) {
            boot_join(world, instance);
        } else if (ec2_is_alive(instance) && instance->has_node && !instance->is_ready &&
                   world->now >= instance->ready_at) {
            struct object *node = boot_node(world, instance);
            instance->is_ready = true;
            if (node != NULL) {
                boot_say_ready(world, node, "True");
                world_note(world, "ready: " STR_FMT, STR_ARG(text_str(&instance->claim)));
            }
        } else if (instance->stage == INSTANCE_SHUTTING_DOWN && world->now >= instance->gone_at) {
            leave(world, instance);
        }
    }
}
