/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "binpack/scheduling/dims.h"

#include "base/arena.h"
#include "base/bitset.h"
#include "base/vec.h"
#include "binpack/scheduling/resources.h"
#include "binpack/scheduling/volumes.h"

struct maker {
    const struct sched_offers *o;
    const struct sched_snapshot *s;
    struct arena *arena;
    struct sched_dims *dims;
    VEC(strid) resources, drivers;
};

static void note_resource(struct maker *m, strid resource)
{
    for (size_t i = 0; i < m->resources.n; i++) {
        if (m->resources.v[i] == resource) {
            return;
        }
    }
    VEC_PUSH(m->arena, &m->resources, resource);
}

static bool any_limit(const struct maker *m, strid driver)
{
    for (uint32_t i = 0; i < m->o->n_rooms; i++) {
        for (uint32_t k = 0; k < m->o->rooms[i].room.n_attach_limits; k++) {
            if (m->o->rooms[i].room.attach_limits[k].driver == driver) {
                return true;
            }
        }
    }
    for (uint32_t i = 0; i < m->s->n_nodes; i++) {
        for (uint32_t k = 0; k < m->s->nodes[i].n_attach; k++) {
            if (m->s->nodes[i].attach[k].driver == driver) {
                return true;
            }
        }
    }
    return false;
}

static void note_driver(struct maker *m, strid driver)
{
    for (size_t i = 0; i < m->drivers.n; i++) {
        if (m->drivers.v[i] == driver) {
            return;
        }
    }
    VEC_PUSH(m->arena, &m->drivers, driver);
}

static void note_pending(struct maker *m)
{
    const struct sched_snapshot *s = m->s;
    const struct k8s_cluster *cluster = s->cluster;
    uint64_t *seen = ARENA_ARRAY(m->arena, uint64_t, bits_words(cluster->n_shapes));
    note_resource(m, s->words->cpu);
    note_resource(m, s->words->memory);
    note_resource(m, s->words->pods);
    for (uint32_t i = 0; i < s->n_pending; i++) {
        const struct k8s_pod_shape *shape = cluster->pods[s->pending[i]].shape;
        bool known = shape->id < cluster->n_shapes && cluster->shapes[shape->id] == shape;
        if (known && bits_get(seen, shape->id)) {
            continue;
        }
        if (known) {
            bits_set(seen, shape->id);
        }
        struct k8s_resources requests = sched_requests_of(s, shape, m->arena);
        for (uint32_t r = 0; r < requests.n; r++) {
            if (requests.v[r].value > 0) {
                note_resource(m, requests.v[r].resource);
            }
        }
    }
    for (uint32_t i = 0; i < s->n_pending; i++) {
        for (uint32_t a = 0; s->volumes_of[i] != NULL && a < s->volumes_of[i]->n_attachments; a++) {
            note_driver(m, s->volumes_of[i]->attachments[a].driver);
        }
    }
}

/* Sorts by text from `from` on: the order of ids is that of the input. */
static void sort_dims(const struct strtab *tab, struct sched_dim *dims, uint32_t from, uint32_t n)
{
    for (uint32_t i = from + 1; i < n; i++) {
        struct sched_dim dim = dims[i];
        uint32_t k = i;
        for (; k > from && strtab_cmp(tab, dims[k - 1].name, dim.name) > 0; k--) {
            dims[k] = dims[k - 1];
        }
        dims[k] = dim;
    }
}

static bool choose(struct maker *m, struct err *err)
{
    struct sched_dims *dims = m->dims;
    size_t n = m->resources.n;
    for (size_t i = 0; i < m->drivers.n; i++) {
        n += any_limit(m, m->drivers.v[i]);
    }
    if (n > BP_MAX_DIMS) {
        return err_set(
            err, ERR_LIMIT,
            "pending pods request %zu different resources, at most %d can be planned together", n,
            BP_MAX_DIMS);
    }
    for (size_t i = 0; i < m->resources.n; i++) {
        dims->v[dims->n++] = (struct sched_dim){.name = m->resources.v[i]};
    }
    sort_dims(m->s->tab, dims->v, 3, dims->n);
    uint32_t first = dims->n;
    for (size_t i = 0; i < m->drivers.n; i++) {
        if (any_limit(m, m->drivers.v[i])) {
            dims->v[dims->n++] = (struct sched_dim){.attach = true, .name = m->drivers.v[i]};
        }
    }
    sort_dims(m->s->tab, dims->v, first, dims->n);
    return true;
}

static int64_t attach_limit(uint32_t n, const struct cat_attach_limit *limits, strid driver)
{
    for (uint32_t i = 0; i < n; i++) {
        if (limits[i].driver == driver) {
            return limits[i].count;
        }
    }
    return SCHED_NO_ATTACH_LIMIT;
}

/* Allocatable less daemons; false when the daemons alone do not fit. */
static bool room_capacity(const struct maker *m, const struct sched_room *room,
                          const struct sched_overhead *overhead, int64_t *ret_capacity)
{
    for (uint32_t i = 0; i < overhead->requests.n; i++) {
        const struct k8s_quantity *q = &overhead->requests.v[i];
        if (q->value > k8s_resources_get(&room->room.allocatable, q->resource)) {
            return false;
        }
    }
    for (uint32_t d = 0; d < m->dims->n; d++) {
        const struct sched_dim *dim = &m->dims->v[d];
        int64_t has = dim->attach ? attach_limit(room->room.n_attach_limits,
                                                 room->room.attach_limits, dim->name)
                                  : k8s_resources_get(&room->room.allocatable, dim->name) -
                                        k8s_resources_get(&overhead->requests, dim->name);
        if (has < 0) {
            return false;
        }
        ret_capacity[d] = has;
    }
    return true;
}

/* Could one such node still be bought under the pool's limits? */
static bool affordable(const struct maker *m, const struct sched_pool *pool,
                       const struct sched_room *room)
{
    for (uint32_t i = 0; i < pool->limits_left.n; i++) {
        const struct k8s_quantity *left = &pool->limits_left.v[i];
        int64_t use = left->resource == m->s->words->nodes
                          ? 1
                          : k8s_resources_get(&room->room.capacity, left->resource);
        if (use > left->value) {
            return false;
        }
    }
    return true;
}

static void fill_offers(struct maker *m)
{
    const struct sched_offers *o = m->o;
    int64_t *capacity = ARENA_ARRAY(m->arena, int64_t, (size_t)o->n * m->dims->n);
    uint64_t *usable = ARENA_ARRAY(m->arena, uint64_t, bits_words(o->n));
    uint64_t *roomy = ARENA_ARRAY(m->arena, uint64_t, bits_words(o->n));
    uint32_t *from = ARENA_ARRAY(m->arena, uint32_t, m->s->n_pools + 1);
    for (uint32_t i = 0; i < o->n; i++) {
        const struct sched_offer *offer = &o->v[i];
        const struct sched_cell *cell = &o->cells[offer->cell_i];
        uint32_t pool_i = o->variants.v[cell->variant_i].pool_i;
        const struct sched_room *room = &o->rooms[offer->room_i];
        from[pool_i + 1] = i + 1;
        if (!room_capacity(m, room, &o->overheads[cell->overhead_i],
                           capacity + (size_t)i * m->dims->n)) {
            continue;
        }
        bits_set(roomy, i);
        if (affordable(m, &m->s->pools[pool_i], room)) {
            bits_set(usable, i);
        }
    }
    for (uint32_t p = 0; p < m->s->n_pools; p++) {
        from[p + 1] = from[p + 1] > from[p] ? from[p + 1] : from[p];
    }
    m->dims->offer_capacity = capacity;
    m->dims->usable = usable;
    m->dims->roomy = roomy;
    m->dims->pool_from = from;
}

static void fill_nodes(struct maker *m)
{
    const struct sched_snapshot *s = m->s;
    int64_t *capacity = ARENA_ARRAY(m->arena, int64_t, (size_t)s->n_nodes * m->dims->n);
    for (uint32_t i = 0; i < s->n_nodes; i++) {
        for (uint32_t d = 0; d < m->dims->n; d++) {
            const struct sched_dim *dim = &m->dims->v[d];
            capacity[(size_t)i * m->dims->n + d] =
                dim->attach ? attach_limit(s->nodes[i].n_attach, s->nodes[i].attach, dim->name)
                            : k8s_resources_get(&s->nodes[i].free, dim->name);
        }
    }
    m->dims->node_capacity = capacity;
}

bool sched_dims_new(const struct sched_offers *offers, struct arena *arena,
                    struct sched_dims *ret_dims, struct err *err)
{
    struct maker m = {.o = offers, .s = offers->snapshot, .arena = arena, .dims = ret_dims};
    *ret_dims = (struct sched_dims){.n = 0};
    note_pending(&m);
    if (!choose(&m, err)) {
        return false;
    }
    fill_offers(&m);
    fill_nodes(&m);
    return true;
}

void sched_dims_size(const struct sched_dims *dims, const struct sched_need *need,
                     int64_t *ret_size)
{
    for (uint32_t d = 0; d < dims->n; d++) {
        const struct sched_dim *dim = &dims->v[d];
        if (!dim->attach) {
            ret_size[d] = k8s_resources_get(&need->requests, dim->name);
            continue;
        }
        ret_size[d] = 0;
        for (uint32_t i = 0; i < need->n_attach; i++) {
            ret_size[d] += need->attach[i].driver == dim->name ? need->attach[i].count : 0;
        }
        /* A claim that several pods share is one attachment; counting it for each is on the safe
         * side. */
        for (uint32_t i = 0; i < need->n_claims; i++) {
            ret_size[d] += need->claims[i].driver == dim->name;
        }
    }
}

bool sched_dims_fit(const struct sched_dims *dims, const int64_t *size, const int64_t *capacity)
{
    for (uint32_t d = 0; d < dims->n; d++) {
        if (size[d] > capacity[d]) {
            return false;
        }
    }
    return true;
}
