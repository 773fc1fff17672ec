/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Nodes that run already when the world begins, as Karpenter leaves them: instances with its tags
 * and without ours, NodeClaims with all their conditions, registered and initialized Nodes. */
#include <stdio.h>

#include "base/rfc3339.h"
#include "provisioner/sandbox/world.h"

#define FINALIZER "karpenter.sh/termination"

struct adopted {
    struct world *world;
    const struct running *of;
    const struct cat_type *type;
    const struct object *pool;
    struct instance *instance;
    char name[NAME_MAX_BYTES]; /* of the NodeClaim */
};

static json_t *at(const json_t *value, const char *a, const char *b)
{
    return json_object_get(json_object_get(value, a), b);
}

static json_t *labels_of(const struct adopted *a)
{
    const struct strtab *tab = k8s_state_tab(a->world->truth);
    const struct {
        const char *key;
        struct str value;
    } own[] = {{"topology.kubernetes.io/zone", text_str(&a->instance->zone)},
               {"karpenter.sh/capacity-type", text_str(&a->instance->capacity_type)},
               {"karpenter.sh/nodepool", text_str(&a->of->pool)}};
    json_t *labels = json_object();
    for (uint32_t i = 0; i < a->type->labels.n; i++) {
        const struct str value = strtab_str(tab, a->type->labels.v[i].value);
        (void)json_object_set_new(labels, strtab_str(tab, a->type->labels.v[i].key).p,
                                  json_stringn(value.p, value.n));
    }
    for (size_t i = 0; i < sizeof own / sizeof own[0]; i++) {
        (void)json_object_set_new(labels, own[i].key, json_stringn(own[i].value.p, own[i].value.n));
    }
    return labels;
}

static json_t *conditions_of(struct world *world)
{
    static const char *const types[] = {"Launched", "Registered", "Initialized", "Ready"};
    char time[RFC3339_TEXT_MAX];
    const struct str now = rfc3339_format(world_moment(world).wall / SECOND * SECOND, time);
    json_t *conditions = json_array();
    for (size_t i = 0; i < sizeof types / sizeof types[0]; i++) {
        (void)json_array_append_new(
            conditions, json_pack("{s:s,s:s,s:s,s:s,s:s%,s:i}", "type", types[i], "status", "True",
                                  "reason", types[i], "message", "", "lastTransitionTime", now.p,
                                  now.n, "observedGeneration", 1));
    }
    return conditions;
}

/* The claim of a Node that has joined; its UID. */
static struct text make_claim(const struct adopted *a, const struct object *node)
{
    struct world *world = a->world;
    const struct str type = text_str(&a->instance->type);
    const struct str capacity_type = text_str(&a->instance->capacity_type);
    const struct str pool = text_str(&a->of->pool), uid = text_str(&a->pool->uid);
    json_t *class = at(at(a->pool->value, "spec", "template"), "spec", "nodeClassRef");
    json_t *value = json_pack(
        "{s:s,s:s,s:{s:s,s:o,s:[s],s:[{s:s,s:s,s:s%,s:s%,s:b}]},"
        "s:{s:O,s:[{s:s,s:s,s:[s%]},{s:s,s:s,s:[s%]}],s:{s:{s:s}}},"
        "s:{s:O,s:s,s:s%,s:O,s:O,s:o}}",
        "apiVersion", "karpenter.sh/v1", "kind", "NodeClaim", "metadata", "name", a->name, "labels",
        labels_of(a), "finalizers", FINALIZER, "ownerReferences", "apiVersion", "karpenter.sh/v1",
        "kind", "NodePool", "name", pool.p, pool.n, "uid", uid.p, uid.n, "blockOwnerDeletion", 1,
        "spec", "nodeClassRef", class, "requirements", "key", "node.kubernetes.io/instance-type",
        "operator", "In", "values", type.p, type.n, "key", "karpenter.sh/capacity-type", "operator",
        "In", "values", capacity_type.p, capacity_type.n, "resources", "requests", "cpu", "1",
        "status", "providerID", at(node->value, "spec", "providerID"), "imageID", "ami-1",
        "nodeName", text_str(&node->name).p, text_str(&node->name).n, "capacity",
        at(node->value, "status", "capacity"), "allocatable",
        at(node->value, "status", "allocatable"), "conditions", conditions_of(world));
    /* The hashes of the pool when it was made. */
    json_t *annotations = at(a->pool->value, "metadata", "annotations");
    if (annotations != NULL) {
        (void)json_object_set_new(json_object_get(value, "metadata"), "annotations",
                                  json_deep_copy(annotations));
    }
    objects_create(world, world_kind_of(STORE_NODECLAIMS), value);
    return world->objects.v[world->objects.n - 1].uid;
}

/* What registration and initialization have made of the Node. */
static void register_node(const struct adopted *a, const struct text *claim_uid)
{
    struct object *node = boot_node(a->world, a->instance);
    const struct str uid = text_str(claim_uid);
    json_t *value = json_deep_copy(node->value);
    json_t *metadata = json_object_get(value, "metadata");
    json_t *labels = labels_of(a);
    (void)json_object_set_new(labels, "karpenter.sh/registered", json_string("true"));
    (void)json_object_set_new(labels, "karpenter.sh/initialized", json_string("true"));
    (void)json_object_update_new(json_object_get(metadata, "labels"), labels);
    (void)json_object_set_new(metadata, "finalizers", json_pack("[s]", FINALIZER));
    (void)json_object_set_new(metadata, "ownerReferences",
                              json_pack("[{s:s,s:s,s:s,s:s%,s:b}]", "apiVersion", "karpenter.sh/v1",
                                        "kind", "NodeClaim", "name", a->name, "uid", uid.p, uid.n,
                                        "blockOwnerDeletion", 1));
    (void)json_object_del(json_object_get(value, "spec"), "taints");
    objects_put(a->world, node, value);
    boot_say_ready(a->world, boot_node(a->world, a->instance), "True");
    a->instance->is_ready = true;
}

/* The zones that offer the type on demand, in turn. */
static bool find_zone(const struct adopted *a, uint32_t i, struct text *ret_zone, usd_t *ret_price)
{
    uint32_t n = 0;
    for (int pass = 0; pass < 2; pass++) {
        uint32_t seen = 0;
        for (uint32_t o = 0; o < a->type->n_offerings; o++) {
            const struct cat_offering *offering = &a->type->offerings[o];
            if (offering->capacity_type != CAT_ON_DEMAND || !offering->available ||
                !offering->price.has) {
                continue;
            }
            if (pass == 1 && seen == i % n) {
                *ret_zone = text_of(strtab_str(k8s_state_tab(a->world->truth),
                                               a->world->catalog->zones[offering->zone_i].name));
                *ret_price = offering->price.v;
                return true;
            }
            seen++;
        }
        n = seen;
        if (n == 0) {
            return false;
        }
    }
    return false;
}

static bool adopt_one(struct adopted *a, uint32_t i)
{
    struct world *world = a->world;
    struct text zone;
    usd_t price = 0;
    char id[32];
    if (!find_zone(a, i, &zone, &price)) {
        return false;
    }
    (void)snprintf(a->name, sizeof a->name, STR_FMT "-%05u", STR_ARG(text_str(&a->of->pool)), i);
    (void)snprintf(id, sizeof id, "i-%017llx", (unsigned long long)++world->n_instances);
    VEC_PUSH(&world->arena, &world->instances,
             ((struct instance){.id = text_of(str_of(id)),
                                .type = a->of->type,
                                .zone = zone,
                                .capacity_type = text_of(STR("on-demand")),
                                .image_id = text_of(STR("ami-1")),
                                .claim = text_of(str_of(a->name)),
                                .pool = a->of->pool,
                                .price = price}));
    a->instance = &world->instances.v[world->instances.n - 1];
    boot_join(world, a->instance);
    const struct object node = *boot_node(world, a->instance);
    const struct text uid = make_claim(a, &node);
    register_node(a, &uid);
    return true;
}

bool adopt_begin(struct world *world, struct err *err)
{
    const struct running *of = &world->scenario.running;
    const struct strtab *tab = k8s_state_tab(world->truth);
    if (of->count == 0) {
        return true;
    }
    const strid name = strtab_find(tab, text_str(&of->type));
    struct adopted a = {
        .world = world,
        .of = of,
        .type = name == STRID_NONE ? NULL : cat_find(world->catalog, tab, name),
    };
    for (uint32_t i = 0; i < (uint32_t)of->count; i++) {
        /* Objects move when others are made. */
        a.pool =
            objects_find(world, world_kind_of(STORE_NODEPOOLS), STR_EMPTY, text_str(&of->pool));
        if (a.pool == NULL) {
            return err_set(err, ERR_INVALID, "spec.running.nodePool: there is no NodePool " STR_FMT,
                           STR_ARG(text_str(&of->pool)));
        }
        if (a.type == NULL || !adopt_one(&a, i)) {
            return err_set(err, ERR_INVALID,
                           "spec.running.instanceType: no zone of this world offers " STR_FMT
                           " on demand",
                           STR_ARG(text_str(&of->type)));
        }
    }
    return true;
}
