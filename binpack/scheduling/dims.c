/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "binpack/scheduling/dims.h"

#include "base/arena.h"
#include "base/bitset.h"
#include "base/vec.h"
#include "binpack/scheduling/resources.h"
#include "binpack/scheduling/volumes.h"

#include <stdlib.h>

/* A claim that several pods use, some of them pending. */
struct shared {
    strid driver;
    uint32_t volume, n_users;
};

struct maker {
    const struct sched_offers *o;
    const struct sched_snapshot *s;
    struct arena *arena;
    struct sched_dims *dims;
    VEC(strid) resources, drivers;
    VEC(struct shared) shared; /* by volume */
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

/* ---- claims that several pods share */

static int shared_cmp(const void *a, const void *b)
{
    const struct shared *x = a, *y = b;
    return (x->volume > y->volume) - (x->volume < y->volume);
}

static void find_shared(struct maker *m)
{
    const struct sched_snapshot *s = m->s;
    VEC(struct shared) uses = {0};
    for (uint32_t i = 0; i < s->n_pending; i++) {
        const struct sched_pod_volumes *of = s->volumes_of[i];
        for (uint32_t a = 0; of != NULL && a < of->n_attachments; a++) {
            const struct sched_attachment *at = &of->attachments[a];
            if (sched_volume_shared(s->volumes, at->volume) && any_limit(m, at->driver)) {
                VEC_PUSH(m->arena, &uses,
                         (struct shared){.driver = at->driver, .volume = at->volume, .n_users = 1});
            }
        }
    }
    if (uses.n > 0) {
        qsort(uses.v, uses.n, sizeof *uses.v, shared_cmp);
    }
    for (size_t i = 0; i < uses.n; i++) {
        if (m->shared.n > 0 && m->shared.v[m->shared.n - 1].volume == uses.v[i].volume) {
            m->shared.v[m->shared.n - 1].n_users++;
        } else {
            VEC_PUSH(m->arena, &m->shared, uses.v[i]);
        }
    }
    m->dims->any_shared = m->shared.n > 0;
}

static bool is_paid(const struct sched_dims *dims, uint32_t volume)
{
    for (uint32_t i = 0; i < dims->n_paid; i++) {
        if (dims->paid[i] == volume) {
            return true;
        }
    }
    return false;
}

/* The most attachments that one pending pod pays for itself. */
static int64_t most_of_a_pod(const struct maker *m, strid driver)
{
    const struct sched_snapshot *s = m->s;
    int64_t most = 0;
    for (uint32_t i = 0; i < s->n_pending; i++) {
        const struct sched_pod_volumes *of = s->volumes_of[i];
        int64_t n = 0;
        for (uint32_t a = 0; of != NULL && a < of->n_attachments; a++) {
            n +=
                of->attachments[a].driver == driver && !is_paid(m->dims, of->attachments[a].volume);
        }
        most = n > most ? n : most;
    }
    return most;
}

/* The least limit of a new node. */
static int64_t least_limit(const struct maker *m, strid driver)
{
    int64_t least = SCHED_NO_ATTACH_LIMIT;
    for (uint32_t i = 0; i < m->o->n_rooms; i++) {
        const struct cat_room *room = &m->o->rooms[i].room;
        const int64_t limit = attach_limit(room->n_attach_limits, room->attach_limits, driver);
        least = limit < least ? limit : least;
    }
    return least;
}

static bool has_attached(const struct maker *m, const struct sched_node *node, uint32_t volume)
{
    struct arena_mark mark = arena_mark(m->arena);
    bool has = false;
    for (uint32_t p = 0; p < node->n_pods && !has; p++) {
        const struct k8s_pod *pod = &m->s->cluster->pods[node->pods[p]];
        if (pod->shape->n_volumes > 0) {
            const struct sched_pod_volumes of = sched_volumes_of(m->s->volumes, m->arena, pod);
            for (uint32_t a = 0; a < of.n_attachments; a++) {
                has = has || of.attachments[a].volume == volume;
            }
        }
    }
    arena_rewind(m->arena, mark);
    return has;
}

/* When each pod pays, the extra attachments are one a user but the first; when nodes pay, one a
 * node. So nodes pay for what many use, as seen from the smallest node, and for what is attached
 * already. */
static bool worth_paying(const struct maker *m, const struct shared *shared)
{
    int64_t least = least_limit(m, shared->driver);
    for (uint32_t n = 0; n < m->s->n_nodes; n++) {
        const struct sched_node *node = &m->s->nodes[n];
        const int64_t room = attach_limit(node->n_attach, node->attach, shared->driver);
        least = room > 0 && room < least ? room : least;
        if (has_attached(m, node, shared->volume)) {
            return true;
        }
    }
    return shared->n_users > least;
}

/* Nodes pay for a shared claim as long as every pod still fits on every new node. The claims with
 * the most users first: they cost most when each pod pays. */
static void choose_paid(struct maker *m)
{
    uint32_t *paid = ARENA_ARRAY(m->arena, uint32_t, m->shared.n);
    m->dims->paid = paid;
    bool *tried = ARENA_ARRAY(m->arena, bool, m->shared.n);
    for (size_t round = 0; round < m->shared.n; round++) {
        size_t best = m->shared.n;
        for (size_t i = 0; i < m->shared.n; i++) {
            if (!tried[i] &&
                (best == m->shared.n || m->shared.v[i].n_users > m->shared.v[best].n_users)) {
                best = i;
            }
        }
        tried[best] = true;
        const strid driver = m->shared.v[best].driver;
        if (!worth_paying(m, &m->shared.v[best])) {
            continue;
        }
        paid[m->dims->n_paid++] = m->shared.v[best].volume;
        int64_t n_paid = 0;
        for (size_t i = 0; i < m->shared.n; i++) {
            n_paid += m->shared.v[i].driver == driver && is_paid(m->dims, m->shared.v[i].volume);
        }
        if (most_of_a_pod(m, driver) + n_paid > least_limit(m, driver)) {
            m->dims->n_paid--;
        }
    }
}

/* attached: [n_paid] rows of bits over running nodes. */
static void find_attached(struct maker *m)
{
    struct sched_dims *dims = m->dims;
    const size_t words = bits_words(m->s->n_nodes);
    uint64_t *attached = ARENA_ARRAY(m->arena, uint64_t, dims->n_paid * words);
    for (uint32_t i = 0; i < dims->n_paid; i++) {
        for (uint32_t n = 0; n < m->s->n_nodes; n++) {
            if (has_attached(m, &m->s->nodes[n], dims->paid[i])) {
                bits_set(attached + i * words, n);
            }
        }
    }
    dims->attached = attached;
}

static strid driver_of_paid(const struct maker *m, uint32_t volume)
{
    strid driver = STRID_NONE;
    for (size_t i = 0; i < m->shared.n; i++) {
        driver = m->shared.v[i].volume == volume ? m->shared.v[i].driver : driver;
    }
    return driver;
}

/* How many paid claims of the driver a new node attaches. */
static int64_t due_of_new(const struct maker *m, strid driver)
{
    int64_t n = 0;
    for (uint32_t i = 0; i < m->dims->n_paid; i++) {
        n += driver_of_paid(m, m->dims->paid[i]) == driver;
    }
    return n;
}

/* Lets the running node pay for as many of the driver's claims as it has room for, in the order in
 * which they were chosen; returns how many. */
static int64_t grant(const struct maker *m, strid driver, uint32_t node_i, int64_t room,
                     uint64_t *granted)
{
    const size_t words = bits_words(m->s->n_nodes);
    int64_t n = 0;
    for (uint32_t i = 0; i < m->dims->n_paid; i++) {
        const bool has = bits_get(m->dims->attached + i * words, node_i);
        if (driver_of_paid(m, m->dims->paid[i]) == driver && (has || n < room)) {
            bits_set(granted + i * words, node_i);
            n += !has;
        }
    }
    return n;
}

/* New nodes can pay, as choose_paid has seen to. */
static void pay(struct maker *m)
{
    struct sched_dims *dims = m->dims;
    const size_t words = bits_words(m->s->n_nodes);
    int64_t *offers = ARENA_ARRAY(m->arena, int64_t, (size_t)m->o->n * dims->n);
    int64_t *nodes = ARENA_ARRAY(m->arena, int64_t, (size_t)m->s->n_nodes * dims->n);
    uint64_t *granted = ARENA_ARRAY(m->arena, uint64_t, dims->n_paid * words);
    for (uint32_t d = 0; d < dims->n; d++) {
        const bool attach = dims->v[d].attach;
        const int64_t due = attach ? due_of_new(m, dims->v[d].name) : 0;
        for (uint32_t k = 0; k < m->o->n; k++) {
            const int64_t whole = dims->offer_capacity[(size_t)k * dims->n + d];
            offers[(size_t)k * dims->n + d] = whole < due ? 0 : whole - due;
        }
        for (uint32_t n = 0; n < m->s->n_nodes; n++) {
            const int64_t whole = dims->node_capacity[(size_t)n * dims->n + d];
            nodes[(size_t)n * dims->n + d] =
                whole - (attach ? grant(m, dims->v[d].name, n, whole, granted) : 0);
        }
    }
    dims->whole_offer_capacity = dims->offer_capacity;
    dims->whole_node_capacity = dims->node_capacity;
    dims->offer_capacity = offers;
    dims->node_capacity = nodes;
    dims->granted = granted;
    dims->node_words = (uint32_t)words;
}

static void settle_shared(struct maker *m)
{
    struct sched_dims *dims = m->dims;
    find_shared(m);
    if (!dims->any_shared) {
        return;
    }
    choose_paid(m);
    find_attached(m);
    pay(m);
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
    settle_shared(&m);
    return true;
}

void sched_dims_size_least(const struct sched_dims *dims, const struct sched_need *need,
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
    }
}

void sched_dims_size(const struct sched_dims *dims, const struct sched_need *need,
                     int64_t *ret_size)
{
    sched_dims_size_least(dims, need, ret_size);
    for (uint32_t i = 0; i < need->n_claims; i++) {
        for (uint32_t d = 0; d < dims->n && !is_paid(dims, need->claims[i].volume); d++) {
            ret_size[d] += dims->v[d].attach && need->claims[i].driver == dims->v[d].name;
        }
    }
}

bool sched_dims_node_pays(const struct sched_dims *dims, const struct sched_need *need,
                          uint32_t node_i)
{
    for (uint32_t c = 0; c < need->n_claims; c++) {
        for (uint32_t i = 0; i < dims->n_paid; i++) {
            if (dims->paid[i] == need->claims[c].volume &&
                !bits_get(dims->granted + (size_t)i * dims->node_words, node_i)) {
                return false;
            }
        }
    }
    return true;
}

bool sched_dims_node_could(const struct sched_dims *dims, const struct sched_need *need,
                           uint32_t node_i)
{
    int64_t size[BP_MAX_DIMS];
    sched_dims_size_least(dims, need, size);
    for (uint32_t c = 0; c < need->n_claims; c++) {
        for (uint32_t i = 0; i < dims->n_paid; i++) {
            const bool to_attach = dims->paid[i] == need->claims[c].volume &&
                                   !bits_get(dims->attached + (size_t)i * dims->node_words, node_i);
            for (uint32_t d = 0; to_attach && d < dims->n; d++) {
                size[d] += dims->v[d].attach && need->claims[c].driver == dims->v[d].name;
            }
        }
    }
    return dims->whole_node_capacity == NULL ||
           sched_dims_fit(dims, size, dims->whole_node_capacity + (size_t)node_i * dims->n);
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
