/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Whether NodePool, EC2NodeClass and catalogue allow the plan's new nodes, at the prices it states:
 * requirements, subnets, availability, limits, reservations, minValues (behaviour of
 * Karpenter v1.14). */
#include "binpack/plan/check_world.h"

#include <string.h>

#include "base/arena.h"
#include "base/bitset.h"
#include "base/vec.h"

static const char *const capacity_names[] = {
    [CAT_RESERVED] = "reserved", [CAT_SPOT] = "spot", [CAT_ON_DEMAND] = "on-demand"};

static strid capacity_word(const struct check_world *world, enum cat_capacity_type type)
{
    return type == CAT_SPOT        ? world->words->spot
           : type == CAT_ON_DEMAND ? world->words->on_demand
                                   : world->words->reserved;
}

static bool not_ready(const struct check_world *world, const struct k8s_conditions *conditions)
{
    const struct k8s_condition *ready = k8s_conditions_find(conditions, world->words->ready);
    return ready != NULL && ready->status != world->words->s_true;
}

static const struct aws_nodeclass *find_class(const struct check_world *world, struct str name)
{
    for (uint32_t i = 0; i < world->cluster->n_nodeclasses; i++) {
        if (str_eq(world->cluster->nodeclasses[i].meta.name, name)) {
            return &world->cluster->nodeclasses[i];
        }
    }
    return NULL;
}

bool check_pool_usable(const struct check_world *world, const struct karp_nodepool *pool,
                       const struct aws_nodeclass **ret_class, const char **ret_why)
{
    const struct aws_nodeclass *nc = find_class(world, pool->class_ref.name);
    const char *why = NULL;
    if (pool->meta.deleted.has) {
        why = "is being deleted";
    } else if (pool->replicas.has) {
        why = "is static";
    } else if (not_ready(world, &pool->conditions)) {
        why = "is not ready";
    } else if (nc == NULL && (pool->conditions.n > 0 || world->cluster->n_nodeclasses > 0)) {
        why = "names a node class that does not exist";
    } else if (nc == NULL) {
        why =
            NULL; /* manifests without any node class: defaults, and every zone of the catalogue */
    } else if (nc->meta.deleted.has) {
        why = "has a node class that is being deleted";
    } else if (not_ready(world, &nc->conditions)) {
        why = "has a node class that is not ready";
    }
    *ret_class = nc;
    *ret_why = why;
    return why == NULL;
}

/* Zone id of the zone when the class has a subnet there; STRID_NONE when it has none. */
static strid subnet_zone(const struct aws_nodeclass *nc, const struct cat_zone *zone)
{
    if (nc == NULL || !nc->has_subnets) {
        return zone->id;
    }
    for (uint32_t i = 0; i < nc->n_subnets; i++) {
        if (nc->subnets[i].zone == zone->name) {
            strid id = nc->subnets[i].zone_id;
            return id != STRID_EMPTY && id != STRID_NONE ? id : zone->id;
        }
    }
    return STRID_NONE;
}

struct place { /* one way to buy a node: type, zone, capacity type, pool */
    const struct karp_nodepool *pool;
    const struct aws_nodeclass *nc;
    const struct cat_type *type;
    const struct cat_zone *zone;
    enum cat_capacity_type capacity_type;
    strid reservation_id;
};

/* A label that can only matter when the input has both of its words; returns how many pairs that
 * is. */
static uint32_t known_pair(const struct check_world *world, struct str key, struct str value,
                           struct k8s_pair *ret_pair)
{
    *ret_pair = (struct k8s_pair){.key = strtab_find(world->tab, key),
                                  .value = strtab_find(world->tab, value)};
    if (value.n > 0 && ret_pair->value == STRID_NONE) {
        ret_pair->value = STRID_EMPTY; /* a value that nobody names, but a value */
    }
    return value.n > 0 && ret_pair->key != STRID_NONE;
}

/* Labels of a node bought that way, before those a person chose; false when the class has no subnet
 * in the zone. */
static bool base_labels(struct check_world *world, const struct place *p,
                        const struct k8s_pairs *chosen, struct str name,
                        struct k8s_pairs *ret_labels)
{
    strid zone_id = subnet_zone(p->nc, p->zone);
    if (zone_id == STRID_NONE) {
        return false;
    }
    uint32_t more = chosen == NULL ? 0 : chosen->n;
    uint32_t room = p->type->labels.n + p->pool->template_labels.n + more + 14;
    struct k8s_pair *v = ARENA_ARRAY(world->arena, struct k8s_pair, room);
    uint32_t n = 0;
    const struct k8s_words *w = world->words;
    v[n++] = (struct k8s_pair){w->instance_type, p->type->name};
    v[n++] = (struct k8s_pair){w->arch, p->type->arch};
    bool windows = cat_class_os(p->nc, world->tab) == CAT_WINDOWS;
    v[n++] = (struct k8s_pair){w->os, windows ? w->os_windows : w->os_linux};
    n += known_pair(world, STR("node.kubernetes.io/windows-build"),
                    cat_class_windows_build(p->nc, world->tab), &v[n]);
    n += known_pair(world, STR("karpenter.k8s.aws/ec2nodeclass"), p->pool->class_ref.name, &v[n]);
    v[n++] = (struct k8s_pair){w->zone, p->zone->name};
    v[n++] = (struct k8s_pair){w->region, world->catalog->region};
    v[n++] = (struct k8s_pair){w->capacity_type, capacity_word(world, p->capacity_type)};
    strid pool = strtab_find(world->tab, p->pool->meta.name);
    v[n++] = (struct k8s_pair){w->nodepool, pool == STRID_NONE ? STRID_EMPTY : pool};
    if (zone_id != STRID_EMPTY) {
        v[n++] = (struct k8s_pair){w->zone_id, zone_id};
    }
    if (p->capacity_type == CAT_RESERVED) {
        v[n++] = (struct k8s_pair){w->reservation_id, p->reservation_id};
    }
    strid yes = strtab_find(world->tab, STR("true"));
    yes = yes == STRID_NONE ? STRID_EMPTY : yes; /* nobody asks for it, but it is a value */
    v[n++] = (struct k8s_pair){w->initialized, yes};
    v[n++] = (struct k8s_pair){w->registered, yes};
    for (uint32_t i = 0; i < p->type->labels.n; i++) {
        v[n++] = p->type->labels.v[i];
    }
    for (uint32_t i = 0; i < p->pool->template_labels.n; i++) {
        v[n++] = p->pool->template_labels.v[i];
    }
    for (uint32_t i = 0; i < more; i++) {
        v[n++] = chosen->v[i];
    }
    *ret_labels = check_labels(world, v, n, name);
    return true;
}

/* A key whose value comes from type, zone or provider: a pool's requirement on it must hold, an
 * absent value included. */
static bool is_well_known(const struct check_world *world, strid key,
                          const struct k8s_pairs *labels)
{
    struct str text = strtab_str(world->tab, key);
    return k8s_pairs_get(labels, key) != STRID_NONE ||
           str_starts(text, STR("karpenter.k8s.aws/")) ||
           str_eq(text, STR("node.kubernetes.io/windows-build")) || key == world->words->zone_id;
}

/* Whether the pool's requirements and template labels admit these labels. Keys of the pool's own
 * that are still open are passed over when `open_ok`. Returns the key that fails, or STRID_NONE. */
static strid pool_refuses(const struct check_world *world, const struct karp_nodepool *pool,
                          const struct k8s_pairs *labels, bool open_ok)
{
    for (uint32_t i = 0; i < pool->template_labels.n; i++) {
        if (k8s_pairs_get(labels, pool->template_labels.v[i].key) !=
            pool->template_labels.v[i].value) {
            return pool->template_labels.v[i].key;
        }
    }
    for (uint32_t i = 0; i < pool->n_requirements; i++) {
        const struct k8s_requirement *r = &pool->requirements[i];
        strid have = k8s_pairs_get(labels, r->key);
        bool open = have == STRID_NONE && !is_well_known(world, r->key, labels);
        if (!(open && open_ok) && !check_match_expression(world, r, have)) {
            return r->key;
        }
    }
    return STRID_NONE;
}

/* ---- a node of the plan ---- */

static struct place place_of(const struct check_world *world, const struct plan_node *p)
{
    const struct karp_nodepool *pool = &world->cluster->nodepools[p->pool_i];
    return (struct place){.pool = pool,
                          .nc = find_class(world, pool->class_ref.name),
                          .type = p->type,
                          .zone = &world->catalog->zones[p->zone_i],
                          .capacity_type = p->capacity_type,
                          .reservation_id = p->reservation_id};
}

/* Who the node is: name, labels, taints; not yet what it has room for. */
static bool identify_node(struct check_world *world, const struct plan_node *planned,
                          struct check_node *node, struct err *err)
{
    if (planned->pool_i >= world->cluster->n_nodepools ||
        planned->zone_i >= world->catalog->n_zones || planned->type == NULL) {
        return err_set(err, ERR_INTERNAL,
                       "node " STR_FMT ": names a pool, zone or type that does not exist",
                       STR_ARG(planned->name));
    }
    struct place p = place_of(world, planned);
    const char *why = NULL;
    if (!check_pool_usable(world, p.pool, &p.nc, &why)) {
        return err_set(err, ERR_INTERNAL, "node " STR_FMT ": NodePool " STR_FMT " %s",
                       STR_ARG(planned->name), STR_ARG(p.pool->meta.name), why);
    }
    *node = (struct check_node){
        .name = planned->name, .planned = planned, .managed = true, .initialized = true};
    if (!base_labels(world, &p, &planned->labels, planned->name, &node->labels)) {
        return err_set(err, ERR_INTERNAL,
                       "node " STR_FMT ": the node class has no subnet in zone " STR_FMT,
                       STR_ARG(planned->name), STR_ARG(strtab_str(world->tab, p.zone->name)));
    }
    node->pool = k8s_pairs_get(&node->labels, world->words->nodepool);
    node->taints = p.pool->taints;
    node->n_taints = p.pool->n_taints;
    return true;
}

static void measure_node(struct check_world *world, struct check_node *node)
{
    struct place p = place_of(world, node->planned);
    struct cat_room room;
    cat_type_room(p.type, p.nc, &world->settings->catalog, world->tab, world->words, world->arena,
                  &room);
    node->alloc = room.allocatable;
    node->capacity = room.capacity;
    check_overlaid_capacity(world, node);
    node->limits = room.attach_limits;
    node->n_limits = room.n_attach_limits;
}

bool check_node_of_plan(struct check_world *world, const struct plan_node *planned,
                        struct check_node *node, struct err *err)
{
    if (!identify_node(world, planned, node, err)) {
        return false;
    }
    measure_node(world, node);
    return true;
}

static const struct cat_offering *find_offering(const struct cat_type *type, uint32_t zone_i,
                                                enum cat_capacity_type ct, strid reservation)
{
    for (uint32_t i = 0; i < type->n_offerings; i++) {
        const struct cat_offering *o = &type->offerings[i];
        if (o->zone_i == zone_i && o->capacity_type == ct &&
            (ct != CAT_RESERVED || o->reservation_id == reservation)) {
            return o;
        }
    }
    return NULL;
}

/* Whether a node class may launch into a reservation: one that it has found itself, or one that no
 * class has. */
static bool reservation_open(const struct check_world *world, const struct aws_nodeclass *nc,
                             strid reservation)
{
    const struct str id = strtab_str(world->tab, reservation);
    bool own = false, anybody = false;
    for (uint32_t c = 0; c < world->cluster->n_nodeclasses; c++) {
        const struct aws_nodeclass *at = &world->cluster->nodeclasses[c];
        for (uint32_t r = 0; r < at->n_reservations; r++) {
            const bool found = str_eq(at->reservations[r].id, id);
            anybody = anybody || found;
            own = own || (found && at == nc);
        }
    }
    return own || (!anybody && (nc == NULL || nc->n_reservations == 0));
}

static bool check_offering(struct check_world *world, const struct check_node *node,
                           struct err *err)
{
    const struct plan_node *p = node->planned;
    struct place place = place_of(world, p);
    const struct cat_offering *o =
        find_offering(p->type, p->zone_i, p->capacity_type, p->reservation_id);
    struct str type = strtab_str(world->tab, p->type->name),
               zone = strtab_str(world->tab, place.zone->name);
    if (o == NULL || !o->available || !o->price.has) {
        return err_set(
            err, ERR_INTERNAL, "node " STR_FMT ": " STR_FMT " is not offered in " STR_FMT " as %s",
            STR_ARG(p->name), STR_ARG(type), STR_ARG(zone), capacity_names[p->capacity_type]);
    }
    if (p->capacity_type == CAT_RESERVED && !reservation_open(world, place.nc, p->reservation_id)) {
        return err_set(err, ERR_INTERNAL,
                       "node " STR_FMT ": reservation " STR_FMT " is not one of its node class",
                       STR_ARG(p->name), STR_ARG(strtab_str(world->tab, p->reservation_id)));
    }
    strid bad = pool_refuses(world, place.pool, &node->labels, /* open_ok= */ true);
    if (bad != STRID_NONE) {
        return err_set(err, ERR_INTERNAL,
                       "node " STR_FMT ": NodePool " STR_FMT " refuses its value of " STR_FMT,
                       STR_ARG(p->name), STR_ARG(place.pool->meta.name),
                       STR_ARG(strtab_str(world->tab, bad)));
    }
    if (!cat_type_compatible(p->type, place.nc, world->tab)) {
        return err_set(err, ERR_INTERNAL,
                       "node " STR_FMT ": " STR_FMT " does not run the images of its node class",
                       STR_ARG(p->name), STR_ARG(type));
    }
    usd_t price = check_overlaid_price(world, o->price.v, &node->labels);
    if (price != p->price) {
        return err_set(err, ERR_INTERNAL,
                       "node " STR_FMT
                       ": price %lld nano-dollars per hour, the catalogue says %lld",
                       STR_ARG(p->name), (long long)p->price, (long long)price);
    }
    return true;
}

/* ---- limits, reservations ---- */

static int64_t limit_use(const struct check_world *world, const struct check_node *node,
                         strid resource)
{
    return resource == world->words->nodes ? 1 : k8s_resources_get(&node->capacity, resource);
}

static bool check_limits(const struct check_world *world, struct err *err)
{
    for (uint32_t p = 0; p < world->cluster->n_nodepools; p++) {
        const struct karp_nodepool *pool = &world->cluster->nodepools[p];
        for (uint32_t l = 0; l < pool->limits.n; l++) {
            strid resource = pool->limits.v[l].resource,
                  name = strtab_find(world->tab, pool->meta.name);
            int64_t sum = 0;
            bool any = false;
            for (uint32_t i = 0; i < world->n_nodes; i++) {
                const struct check_node *node = &world->nodes[i];
                if (node->planned != NULL
                        ? node->planned->pool_i == p
                        : node->pool == name && name != STRID_NONE && !node->deleting) {
                    sum = sat_add(sum, limit_use(world, node, resource));
                    any = any || node->planned != NULL;
                }
            }
            if (any && sum > pool->limits.v[l].value) {
                return err_set(err, ERR_INTERNAL,
                               "NodePool " STR_FMT ": limit %lld of " STR_FMT " exceeded: %lld",
                               STR_ARG(pool->meta.name), (long long)pool->limits.v[l].value,
                               STR_ARG(strtab_str(world->tab, resource)), (long long)sum);
            }
        }
    }
    for (uint32_t i = world->n_running; i < world->n_nodes; i++) {
        const struct plan_node *p = world->nodes[i].planned;
        if (p->capacity_type != CAT_RESERVED) {
            continue;
        }
        const struct cat_offering *o =
            find_offering(p->type, p->zone_i, p->capacity_type, p->reservation_id);
        uint32_t n = 0;
        for (uint32_t j = world->n_running; j < world->n_nodes; j++) {
            const struct plan_node *q = world->nodes[j].planned;
            n += q->capacity_type == CAT_RESERVED && q->reservation_id == p->reservation_id;
        }
        if (o != NULL && n > o->reservation_count) {
            return err_set(
                err, ERR_INTERNAL, "reservation " STR_FMT ": %u instances planned, %u left",
                STR_ARG(strtab_str(world->tab, p->reservation_id)), n, o->reservation_count);
        }
    }
    return true;
}

/* ---- instance type options and minValues ---- */

/* What a pool could buy without labels of a person's choice. */
struct buyable {
    bool listed;
    VEC(struct way) ways;
};
struct way {
    const struct cat_type *type;
    uint32_t offering_i;
    struct k8s_pairs labels;
};

/* The values of a key on nodes that a pool could buy. */
struct openings {
    uint32_t pool_i;
    strid key;
    VEC(struct opening) values;
};
struct opening {
    strid value;
    VEC(struct k8s_pairs) labels; /* of each way to a node with it */
};

/* A way to buy a node, remembered with what the options of many nodes ask of it again and again. */
struct slot {
    uint32_t pool_i, labels_i, offering_i; /* labels_i: which of the chosen label sets */
    const struct cat_type *type;           /* NULL: free */
    bool allowed;                          /* available, subnet, requirements */
    struct check_node node;
    uint64_t *known, *admits; /* [bits of n_kinds] static filters, for kinds without volumes */
};

struct check_slots {
    uint32_t n, n_slots; /* a power of two */
    struct slot **slots;
    VEC(struct k8s_pairs) chosen;
    struct buyable *buyable; /* [n_nodepools], NULL: not yet */
    VEC(struct openings) openings;
};

struct check_slots *check_slots_new(struct arena *arena)
{
    return ARENA_NEW(arena, struct check_slots);
}

static uint32_t chosen_index(struct check_world *world, struct check_slots *s,
                             const struct k8s_pairs *labels)
{
    for (size_t i = 0; i < s->chosen.n; i++) {
        const struct k8s_pairs *c = &s->chosen.v[i];
        bool same = c->n == labels->n;
        for (uint32_t k = 0; same && k < c->n; k++) {
            same = c->v[k].key == labels->v[k].key && c->v[k].value == labels->v[k].value;
        }
        if (same) {
            return (uint32_t)i;
        }
    }
    VEC_PUSH(world->arena, &s->chosen, *labels);
    return (uint32_t)s->chosen.n - 1;
}

static struct slot **slot_place(const struct check_slots *s, const struct slot *key)
{
    uint64_t h = (uint64_t)(uintptr_t)key->type * UINT64_C(0x9e3779b97f4a7c15);
    h = (h ^ key->offering_i ^ ((uint64_t)key->pool_i << 20) ^ ((uint64_t)key->labels_i << 40)) *
        UINT64_C(0xbf58476d1ce4e5b9);
    uint32_t i = (uint32_t)(h >> 40) & (s->n_slots - 1);
    for (; s->slots[i] != NULL; i = (i + 1) & (s->n_slots - 1)) {
        const struct slot *o = s->slots[i];
        if (o->type == key->type && o->offering_i == key->offering_i && o->pool_i == key->pool_i &&
            o->labels_i == key->labels_i) {
            break;
        }
    }
    return &s->slots[i];
}

static void grow_slots(struct check_world *world, struct check_slots *s)
{
    struct slot **old = s->slots;
    uint32_t n_old = s->n_slots;
    s->n_slots = n_old == 0 ? 1024 : n_old * 2;
    s->slots = ARENA_ARRAY(world->arena, struct slot *, s->n_slots);
    for (uint32_t i = 0; i < n_old; i++) {
        if (old[i] != NULL) {
            *slot_place(s, old[i]) = old[i];
        }
    }
}

/* Whether a label of the type itself already fails a requirement of the pool: most types go this
 * way, before any node is made up. */
static bool type_refused(const struct check_world *world, const struct karp_nodepool *pool,
                         const struct cat_type *type)
{
    for (uint32_t i = 0; i < pool->n_requirements; i++) {
        strid have = k8s_pairs_get(&type->labels, pool->requirements[i].key);
        if (have != STRID_NONE && !check_match_expression(world, &pool->requirements[i], have)) {
            return true;
        }
    }
    return false;
}

/* Whether the pool of `planned` could buy that type and offering with the labels of `planned`; then
 * `ret_node` is such a node, not measured yet, whose plan is `ret_alike`. */
static bool may_buy(struct check_world *world, const struct plan_node *planned,
                    const struct cat_type *type, uint32_t offering_i, struct plan_node *ret_alike,
                    struct check_node *ret_node)
{
    const struct cat_offering *o = &type->offerings[offering_i];
    const struct karp_nodepool *pool = &world->cluster->nodepools[planned->pool_i];
    *ret_alike = *planned;
    ret_alike->type = type;
    ret_alike->zone_i = o->zone_i;
    ret_alike->capacity_type = o->capacity_type;
    ret_alike->reservation_id = o->reservation_id;
    return o->available && o->price.has && !type_refused(world, pool, type) &&
           cat_type_compatible(type, find_class(world, pool->class_ref.name), world->tab) &&
           identify_node(world, ret_alike, ret_node, NULL) &&
           pool_refuses(world, pool, &ret_node->labels, /* open_ok= */ true) == STRID_NONE;
}

/* The slot of `planned` if it were of this type and offering. */
static struct slot *find_slot(struct check_world *world, const struct plan_node *planned,
                              uint32_t labels_i, const struct cat_type *type, uint32_t offering_i)
{
    struct check_slots *s = world->slots;
    if (2 * s->n >= s->n_slots) {
        grow_slots(world, s);
    }
    struct slot key = {
        .pool_i = planned->pool_i, .labels_i = labels_i, .offering_i = offering_i, .type = type};
    struct slot **place = slot_place(s, &key);
    if (*place == NULL) {
        struct slot *slot = ARENA_NEW(world->arena, struct slot);
        struct plan_node alike;
        *slot = key;
        slot->allowed = may_buy(world, planned, type, offering_i, &alike, &slot->node);
        if (slot->allowed) {
            measure_node(world, &slot->node);
        }
        slot->node.planned = NULL; /* it was a copy */
        size_t words = bits_words(world->n_kinds);
        slot->known = ARENA_ARRAY(world->arena, uint64_t, slot->allowed ? words : 0);
        slot->admits = ARENA_ARRAY(world->arena, uint64_t, slot->allowed ? words : 0);
        *place = slot;
        s->n++;
    }
    return *place;
}

static bool slot_admits(const struct check_world *world, struct slot *slot, uint32_t pod)
{
    uint32_t kind = world->kind_of[pod];
    bool remember = world->cluster->pods[pod].shape->n_volumes == 0;
    if (remember && bits_get(slot->known, kind)) {
        return bits_get(slot->admits, kind);
    }
    bool admits = check_static(world, pod, &slot->node, NULL);
    if (remember) {
        bits_set(slot->known, kind);
        if (admits) {
            bits_set(slot->admits, kind);
        }
    }
    return admits;
}

/* Whether `type` could take the node's place in its pool, in any zone and capacity type that suit
 * the pods; adds the labels found. */
static bool could_take(struct check_world *world, const struct check_node *node,
                       const struct cat_type *type,
                       void (*found)(void *ctx, const struct k8s_pairs *labels), void *ctx)
{
    bool any = false;
    uint32_t labels_i = chosen_index(world, world->slots, &node->planned->labels);
    for (uint32_t i = 0; i < type->n_offerings; i++) {
        struct slot *slot = find_slot(world, node->planned, labels_i, type, i);
        bool fits = slot->allowed;
        for (uint32_t k = 0; fits && k < node->used.n; k++) {
            fits = node->used.v[k].value <=
                       k8s_resources_get(&slot->node.alloc, node->used.v[k].resource) ||
                   node->used.v[k].value == 0;
        }
        for (uint32_t k = 0; fits && k < node->planned->n_pods; k++) {
            fits = slot_admits(world, slot, node->planned->pods[k]);
        }
        if (fits) {
            any = true;
            found(ctx, &slot->node.labels);
        }
    }
    return any;
}

struct distinct {
    struct check_world *world;
    const struct k8s_requirement *requirement; /* NULL: nothing to count */
    VEC(strid) values;
};

static void note_labels(void *ctx, const struct k8s_pairs *labels)
{
    struct distinct *d = ctx;
    strid value = d->requirement == NULL ? STRID_NONE : k8s_pairs_get(labels, d->requirement->key);
    if (value == STRID_NONE || !check_match_expression(d->world, d->requirement, value)) {
        return;
    }
    for (size_t i = 0; i < d->values.n; i++) {
        if (d->values.v[i] == value) {
            return;
        }
    }
    VEC_PUSH(d->world->arena, &d->values, value);
}

static bool check_options(struct check_world *world, const struct check_node *node, struct err *err)
{
    const struct plan_node *p = node->planned;
    const struct karp_nodepool *pool = &world->cluster->nodepools[p->pool_i];
    bool own = p->n_options == 0;
    for (uint32_t i = 0; i < p->n_options; i++) {
        struct distinct none = {.world = world};
        own = own || p->options[i] == p->type;
        if (!could_take(world, node, p->options[i], note_labels, &none)) {
            return err_set(err, ERR_INTERNAL,
                           "node " STR_FMT ": option " STR_FMT " cannot carry its pods",
                           STR_ARG(p->name), STR_ARG(strtab_str(world->tab, p->options[i]->name)));
        }
    }
    if (!own) {
        return err_set(err, ERR_INTERNAL, "node " STR_FMT ": its own type is not among its options",
                       STR_ARG(p->name));
    }
    for (uint32_t r = 0; world->settings->respect_strict_min_values && r < pool->n_requirements;
         r++) {
        if (!pool->requirements[r].min_values.has) {
            continue;
        }
        struct distinct d = {.world = world, .requirement = &pool->requirements[r]};
        uint32_t n = p->n_options > 0 ? p->n_options : world->catalog->n_types;
        for (uint32_t i = 0; i < n; i++) {
            (void)could_take(world, node,
                             p->n_options > 0 ? p->options[i] : &world->catalog->types[i],
                             note_labels, &d);
        }
        if (d.values.n < (size_t)pool->requirements[r].min_values.v) {
            return err_set(err, ERR_INTERNAL,
                           "node " STR_FMT ": minValues %d of " STR_FMT " not met, %zu found",
                           STR_ARG(p->name), pool->requirements[r].min_values.v,
                           STR_ARG(strtab_str(world->tab, pool->requirements[r].key)), d.values.n);
        }
    }
    return true;
}

bool check_new_nodes(struct check_world *world, struct err *err)
{
    usd_t cost = 0;
    for (uint32_t i = world->n_running; i < world->n_nodes; i++) {
        struct arena_mark mark = arena_mark(world->arena);
        if (!check_offering(world, &world->nodes[i], err)) {
            return false;
        }
        arena_rewind(world->arena, mark);
        cost = sat_add(cost, world->nodes[i].planned->price);
    }
    for (uint32_t i = world->n_running; i < world->n_nodes; i++) {
        if (!check_options(world, &world->nodes[i], err)) {
            return false;
        }
    }
    if (cost != world->plan->cost) {
        return err_set(err, ERR_INTERNAL,
                       "the plan says %lld nano-dollars per hour, its nodes cost %lld",
                       (long long)world->plan->cost, (long long)cost);
    }
    if (world->plan->bound > cost) {
        return err_set(err, ERR_INTERNAL, "the lower bound %lld is above the cost %lld",
                       (long long)world->plan->bound, (long long)cost);
    }
    return check_limits(world, err);
}

/* ---- domains that could be opened ---- */

static bool limits_forbid(const struct karp_nodepool *pool)
{
    for (uint32_t i = 0; i < pool->limits.n; i++) {
        if (pool->limits.v[i].value <= 0) {
            return true;
        }
    }
    return false;
}

static const struct buyable *list_buyable(struct check_world *world, uint32_t pool_i)
{
    if (world->slots->buyable == NULL) {
        world->slots->buyable =
            ARENA_ARRAY(world->arena, struct buyable, world->cluster->n_nodepools);
    }
    struct buyable *b = &world->slots->buyable[pool_i];
    struct plan_node any = {.name = STR("new"), .pool_i = pool_i}, alike;
    for (uint32_t t = 0; t < world->catalog->n_types && !b->listed; t++) {
        const struct cat_type *type = &world->catalog->types[t];
        for (uint32_t f = 0; f < type->n_offerings; f++) {
            struct check_node node;
            if (may_buy(world, &any, type, f, &alike, &node)) {
                struct way way = {.type = type, .offering_i = f, .labels = node.labels};
                VEC_PUSH(world->arena, &b->ways, way);
            }
        }
    }
    b->listed = true;
    return b;
}

static void add_opening(struct check_world *world, struct openings *o, strid value,
                        struct k8s_pairs labels)
{
    size_t i = 0;
    while (i < o->values.n && o->values.v[i].value != value) {
        i++;
    }
    if (i == o->values.n) {
        VEC_PUSH(world->arena, &o->values, (struct opening){.value = value});
    }
    VEC_PUSH(world->arena, &o->values.v[i].labels, labels);
}

/* The key is none of the node's own: each value that the pool lets a pod choose. */
static void add_choices(struct check_world *world, struct openings *o, const struct way *way)
{
    const struct karp_nodepool *pool = &world->cluster->nodepools[o->pool_i];
    for (uint32_t i = 0; i < pool->n_requirements; i++) {
        const struct k8s_requirement *r = &pool->requirements[i];
        for (uint32_t v = 0; r->key == o->key && r->op == K8S_IN && v < r->values.n; v++) {
            struct k8s_pair chosen = {.key = o->key, .value = r->values.v[v]};
            struct plan_node with = {.name = STR("new"),
                                     .pool_i = o->pool_i,
                                     .labels = (struct k8s_pairs){.n = 1, .v = &chosen}};
            struct plan_node alike;
            struct check_node node;
            if (may_buy(world, &with, way->type, way->offering_i, &alike, &node)) {
                add_opening(world, o, r->values.v[v], node.labels);
            }
        }
    }
}

static const struct openings *list_openings(struct check_world *world, uint32_t pool_i, strid key)
{
    struct check_slots *s = world->slots;
    for (size_t i = 0; i < s->openings.n; i++) {
        if (s->openings.v[i].pool_i == pool_i && s->openings.v[i].key == key) {
            return &s->openings.v[i];
        }
    }
    struct openings o = {.pool_i = pool_i, .key = key};
    const struct buyable *b = list_buyable(world, pool_i);
    for (size_t i = 0; i < b->ways.n; i++) {
        strid have = k8s_pairs_get(&b->ways.v[i].labels, key);
        if (have == STRID_NONE) {
            add_choices(world, &o, &b->ways.v[i]);
        } else {
            add_opening(world, &o, have, b->ways.v[i].labels);
        }
    }
    VEC_PUSH(world->arena, &s->openings, o);
    return &s->openings.v[s->openings.n - 1];
}

static bool any_matches(const struct check_world *world, const struct k8s_pod_shape *shape,
                        const struct opening *opening)
{
    for (size_t i = 0; i < opening->labels.n; i++) {
        if (check_match_pairs(world, shape, &opening->labels.v[i], STR("new"))) {
            return true;
        }
    }
    return false;
}

void check_openable(struct check_world *world, const struct k8s_pod_shape *shape,
                    const struct k8s_spread *spread, strid key, void (*add)(void *ctx, strid value),
                    void *ctx)
{
    for (uint32_t i = 0; i < world->cluster->n_nodepools; i++) {
        const struct karp_nodepool *pool = &world->cluster->nodepools[i];
        const struct aws_nodeclass *nc = NULL;
        const char *why = NULL;
        if (!check_pool_usable(world, pool, &nc, &why) || limits_forbid(pool) ||
            (spread->taints_honor && check_untolerated(shape->tolerations, shape->n_tolerations,
                                                       pool->taints, pool->n_taints) != NULL)) {
            continue;
        }
        const struct openings *o = list_openings(world, i, key);
        for (size_t v = 0; v < o->values.n; v++) {
            if (!spread->affinity_honor || any_matches(world, shape, &o->values.v[v])) {
                add(ctx, o->values.v[v].value);
            }
        }
    }
}
