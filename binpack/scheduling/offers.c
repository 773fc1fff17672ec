/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "binpack/scheduling/offers.h"

#include "base/arena.h"
#include "base/bitset.h"
#include "base/vec.h"
#include "binpack/scheduling/cells.h"
#include "binpack/scheduling/daemons.h"
#include "binpack/scheduling/resources.h"
#include "binpack/scheduling/taints.h"
#include "binpack/scheduling/volumes.h"

struct maker {
    struct sched_offers *o;
    const struct sched_snapshot *s;
    struct arena *arena;
    uint32_t *kind_of;   /* [n_types] */
    uint64_t **type_yes; /* [n probes] of the type part, over types */
    struct strtab *cell_ids, *overhead_ids, *room_ids;
    VEC(struct sched_offer) offers;
    VEC(struct sched_cell) cells;
    VEC(struct sched_overhead) overheads;
    VEC(struct sched_room) rooms;
    VEC(strid) topology_keys;
};

static struct str bytes_of(const void *p, size_t n)
{
    return (struct str){.p = p, .n = n};
}

/* ---- what is asked */

static void note_topology_key(struct maker *m, strid key)
{
    key = sched_key(m->s->vocab, key);
    for (size_t i = 0; i < m->topology_keys.n; i++) {
        if (m->topology_keys.v[i] == key) {
            return;
        }
    }
    VEC_PUSH(m->arena, &m->topology_keys, key);
}

static void note_terms(struct maker *m, uint32_t n, const struct k8s_pod_term *terms)
{
    for (uint32_t i = 0; i < n; i++) {
        note_topology_key(m, terms[i].key);
    }
}

static void ask_shape(struct maker *m, const struct k8s_pod_shape *shape)
{
    sched_probes_add_shape(m->o->probes, shape);
    note_terms(m, shape->n_affinity, shape->affinity);
    note_terms(m, shape->n_preferred_affinity, shape->preferred_affinity);
    note_terms(m, shape->n_preferred_anti_affinity, shape->preferred_anti_affinity);
    for (uint32_t i = 0; i < shape->n_spread; i++) {
        note_topology_key(m, shape->spread[i].key);
    }
}

/* Labels that a NodePool leaves open are chosen with the prices of overlays in view. */
static void ask_overlays(struct maker *m)
{
    const struct k8s_cluster *cluster = m->s->cluster;
    for (uint32_t i = 0; m->s->settings.node_overlay && i < cluster->n_overlays; i++) {
        for (uint32_t r = 0; r < cluster->overlays[i].n_requirements; r++) {
            struct sched_req req =
                sched_req_of(m->s->vocab, m->arena, &cluster->overlays[i].requirements[r]);
            if (sched_part_of(m->s, req.key) == SCHED_PART_VARIANT) {
                (void)sched_probe_id(m->o->probes, &req);
            }
        }
    }
}

/* Everything that pending pods, their volumes, DaemonSets, overlays and running pods' anti-affinity
 * ask. */
static void ask_all(struct maker *m)
{
    const struct sched_snapshot *s = m->s;
    const struct k8s_cluster *cluster = s->cluster;
    uint64_t *seen = ARENA_ARRAY(m->arena, uint64_t, bits_words(cluster->n_shapes));
    for (uint32_t i = 0; i < s->n_pending; i++) {
        const struct k8s_pod_shape *shape = cluster->pods[s->pending[i]].shape;
        bool known = shape->id < cluster->n_shapes && cluster->shapes[shape->id] == shape;
        if (!known || !bits_get(seen, shape->id)) {
            ask_shape(m, shape);
        }
        if (known) {
            bits_set(seen, shape->id);
        }
        const struct sched_pod_volumes *volumes = s->volumes_of[i];
        for (uint32_t a = 0; volumes != NULL && a < volumes->n_alternatives; a++) {
            for (uint32_t r = 0; r < volumes->alternatives[a].n; r++) {
                (void)sched_probe_id(m->o->probes, &volumes->alternatives[a].v[r]);
            }
        }
    }
    for (uint32_t i = 0; i < cluster->n_shapes; i++) {
        note_terms(m, cluster->shapes[i]->n_anti_affinity, cluster->shapes[i]->anti_affinity);
    }
    note_topology_key(m, s->words->zone); /* Zonal volumes tie pods together without saying so. */
    for (uint32_t d = 0; d < s->daemons->n; d++) {
        sched_probes_add_shape(m->o->probes, s->daemons->v[d].match);
    }
    ask_overlays(m);
    m->o->topology_keys =
        (struct k8s_strids){.n = (uint32_t)m->topology_keys.n, .v = m->topology_keys.v};
}

/* ---- answers */

static void answer_type(struct maker *m, struct sched_probe *probe)
{
    const struct catalog *catalog = m->s->catalog;
    const struct sched_column *column = sched_column_of(m->o->probes, probe->req.key);
    bool *holds = ARENA_ARRAY(m->arena, bool, column->n_values);
    for (uint32_t i = 0; i < column->n_values; i++) {
        holds[i] = sched_req_holds(m->s->vocab, &probe->req, column->values[i]);
    }
    probe->yes = ARENA_ARRAY(m->arena, uint64_t, bits_words(catalog->n_types));
    for (uint32_t t = 0; t < catalog->n_types; t++) {
        if (holds[column->of_type[t]]) {
            bits_set(probe->yes, t);
        }
    }
}

/* Answers all probes but those of the reservation part, which has no fixed members. */
static void answer_all(struct maker *m)
{
    const struct sched_snapshot *s = m->s;
    for (uint32_t i = 0; i < m->o->probes->n; i++) {
        struct sched_probe *probe = &m->o->probes->v[i];
        if (probe->part == SCHED_PART_TYPE) {
            answer_type(m, probe);
        } else if (probe->part == SCHED_PART_VARIANT) {
            probe->yes = ARENA_ARRAY(m->arena, uint64_t, bits_words(m->o->variants.n));
            for (uint32_t v = 0; v < m->o->variants.n; v++) {
                strid value = sched_label(s->vocab, &m->o->variants.v[v].labels, probe->req.key);
                if (sched_req_holds(s->vocab, &probe->req, value)) {
                    bits_set(probe->yes, v);
                }
            }
        } else if (probe->part == SCHED_PART_ZONE) {
            probe->yes = ARENA_ARRAY(m->arena, uint64_t, bits_words(s->catalog->n_zones) + 1);
            for (uint32_t z = 0; z < s->catalog->n_zones; z++) {
                if (sched_req_holds(s->vocab, &probe->req,
                                    sched_zone_label(s, z, probe->req.key))) {
                    bits_set(probe->yes, z);
                }
            }
        } else if (probe->part == SCHED_PART_CAPACITY) {
            probe->yes = ARENA_ARRAY(m->arena, uint64_t, 1);
            for (enum cat_capacity_type c = CAT_RESERVED; c <= CAT_ON_DEMAND; c++) {
                if (sched_req_holds(s->vocab, &probe->req, sched_capacity_label(s, c))) {
                    bits_set(probe->yes, c);
                }
            }
        }
    }
}

/* Types with equal answers to all probes and equal values of all topology keys are one kind. */
static void find_kinds(struct maker *m)
{
    const struct catalog *catalog = m->s->catalog;
    const struct sched_probes *probes = m->o->probes;
    struct strtab *kinds = strtab_new(m->arena);
    uint32_t *first = ARENA_ARRAY(m->arena, uint32_t, catalog->n_types);
    size_t n_words = bits_words(probes->n), n_keys = m->topology_keys.n;
    uint64_t *row = ARENA_ARRAY(m->arena, uint64_t, n_words + n_keys);
    m->kind_of = ARENA_ARRAY(m->arena, uint32_t, catalog->n_types);
    for (uint32_t t = 0; t < catalog->n_types; t++) {
        for (size_t i = 0; i < n_words; i++) {
            row[i] = 0;
        }
        for (uint32_t i = 0; i < probes->n; i++) {
            if (probes->v[i].part == SCHED_PART_TYPE && bits_get(probes->v[i].yes, t)) {
                bits_set(row, i);
            }
        }
        for (size_t k = 0; k < n_keys; k++) {
            row[n_words + k] = 0;
            if (sched_part_of(m->s, m->topology_keys.v[k]) == SCHED_PART_TYPE) {
                const struct sched_column *column =
                    sched_column_of(m->o->probes, m->topology_keys.v[k]);
                row[n_words + k] = column->of_type[t];
            }
        }
        uint32_t id = strtab_add(kinds, bytes_of(row, (n_words + n_keys) * sizeof *row));
        if (n_words + n_keys == 0) {
            id = 1;
        }
        m->kind_of[t] = id - 1;
        if (m->kind_of[t] == m->o->n_kinds) {
            first[m->o->n_kinds++] = t;
        }
    }
    m->o->kind_type = first;
}

/* ---- DaemonSets of a cell */

static bool daemon_runs(const struct maker *m, const struct sched_daemon *daemon,
                        const struct sched_cell *cell)
{
    const struct karp_nodepool *pool = m->s->pools[m->o->variants.v[cell->variant_i].pool_i].pool;
    return sched_untolerated(daemon->n_tolerations, daemon->tolerations, pool->n_taints,
                             pool->taints,
                             /* prefer_counts= */ false) == NULL &&
           sched_cell_matches_shape(m->o, cell, daemon->match, m->arena);
}

static uint32_t overhead_of(struct maker *m, const struct sched_cell *cell)
{
    const struct sched_daemons *daemons = m->s->daemons;
    size_t n_words = bits_words(daemons->n) + 1;
    uint64_t *runs = ARENA_ARRAY(m->arena, uint64_t, n_words);
    for (uint32_t d = 0; d < daemons->n; d++) {
        if (daemon_runs(m, &daemons->v[d], cell)) {
            bits_set(runs, d);
        }
    }
    uint32_t id = strtab_add(m->overhead_ids, bytes_of(runs, n_words * sizeof *runs)) - 1;
    if (id < m->overheads.n) {
        return id;
    }
    struct sched_overhead overhead = {.requests = {.n = 0}};
    VEC(struct k8s_host_port) ports = {0};
    for (uint32_t d = 0; d < daemons->n; d++) {
        if (!bits_get(runs, d)) {
            continue;
        }
        overhead.requests =
            sched_resources_sum(m->arena, overhead.requests, daemons->v[d].requests);
        for (uint32_t p = 0; p < daemons->v[d].n_host_ports; p++) {
            VEC_PUSH(m->arena, &ports, daemons->v[d].host_ports[p]);
        }
    }
    overhead.ports = ports.v;
    overhead.n_ports = (uint32_t)ports.n;
    VEC_PUSH(m->arena, &m->overheads, overhead);
    return id;
}

/* ---- offerings */

static uint32_t cell_of(struct maker *m, uint32_t variant_i, const struct sched_offer *offer)
{
    struct sched_cell cell = {.variant_i = variant_i,
                              .kind_i = m->kind_of[offer->type_i],
                              .zone_i = offer->zone_i,
                              .capacity_type = offer->capacity_type,
                              .reservation_id = offer->reservation_id};
    uint32_t key[5] = {cell.variant_i, cell.kind_i, cell.zone_i, (uint32_t)cell.capacity_type,
                       cell.reservation_id};
    uint32_t id = strtab_add(m->cell_ids, bytes_of(key, sizeof key)) - 1;
    if (id == m->cells.n) {
        cell.overhead_i = overhead_of(m, &cell);
        VEC_PUSH(m->arena, &m->cells, cell);
    }
    return id;
}

/* An overlay's amounts instead of the type's. */
static struct k8s_resources overlaid(const struct maker *m, struct k8s_resources of_type,
                                     const struct k8s_resources *amounts)
{
    struct k8s_quantity *v = ARENA_ARRAY(m->arena, struct k8s_quantity, of_type.n + amounts->n);
    uint32_t n = 0, a = 0, b = 0;
    while (a < of_type.n || b < amounts->n) {
        if (b == amounts->n || (a < of_type.n && of_type.v[a].resource < amounts->v[b].resource)) {
            v[n++] = of_type.v[a++];
            continue;
        }
        a += a < of_type.n && of_type.v[a].resource == amounts->v[b].resource;
        v[n++] = amounts->v[b++];
    }
    return (struct k8s_resources){.n = n, .v = v};
}

static int64_t huge_pages(const struct maker *m, const struct k8s_resources *resources)
{
    int64_t sum = 0;
    for (uint32_t i = 0; i < resources->n; i++) {
        struct str name = strtab_str(m->s->tab, resources->v[i].resource);
        sum = str_starts(name, STR("hugepages-")) ? sat_add(sum, resources->v[i].value) : sum;
    }
    return sum;
}

/* The room of a type under an overlay's amounts. Huge pages are cut from memory: more of them leave
 * pods less (karp: cloudprovider/types.go precompute). */
static void overlay_room(const struct maker *m, const struct k8s_resources *amounts,
                         struct cat_room *room)
{
    const int64_t before = huge_pages(m, &room->capacity);
    room->capacity = overlaid(m, room->capacity, amounts);
    room->allocatable = overlaid(m, room->allocatable, amounts);
    const int64_t more = sat_sub(huge_pages(m, &room->capacity), before);
    struct k8s_quantity *v = (struct k8s_quantity *)room->allocatable.v; /* made above */
    for (uint32_t i = 0; i < room->allocatable.n && more != 0; i++) {
        if (v[i].resource == m->s->words->memory) {
            v[i].value = sat_sub(v[i].value, more) > 0 ? sat_sub(v[i].value, more) : 0;
        }
    }
}

static uint32_t room_of(struct maker *m, uint32_t variant_i, uint32_t type_i)
{
    const struct sched_pool *pool = &m->s->pools[m->o->variants.v[variant_i].pool_i];
    const struct k8s_resources *amounts =
        m->o->overlays == NULL ? NULL : cat_overlays_capacity(m->o->overlays, variant_i, type_i);
    amounts = amounts != NULL && amounts->n == 0 ? NULL : amounts;
    uintptr_t key[3] = {(uintptr_t)pool->node_class, type_i, (uintptr_t)amounts};
    uint32_t id = strtab_add(m->room_ids, bytes_of(key, sizeof key)) - 1;
    if (id == m->rooms.n) {
        struct sched_room room = {.type_i = type_i};
        cat_type_room(&m->s->catalog->types[type_i], pool->node_class, &m->s->settings.catalog,
                      m->s->tab, m->s->words, m->arena, &room.room);
        if (amounts != NULL) {
            overlay_room(m, amounts, &room.room);
        }
        VEC_PUSH(m->arena, &m->rooms, room);
    }
    return id;
}

/* Types that the variant's pool may launch: its requirements on type labels, and whether the images
 * of its node class run there. */
static uint64_t *types_allowed(struct maker *m, const struct sched_variant *variant)
{
    const struct catalog *catalog = m->s->catalog;
    uint64_t *allowed = ARENA_ARRAY(m->arena, uint64_t, bits_words(catalog->n_types));
    const struct aws_nodeclass *class = m->s->pools[variant->pool_i].node_class;
    for (uint32_t t = 0; t < catalog->n_types; t++) {
        if (cat_type_compatible(&catalog->types[t], class, m->s->tab)) {
            bits_set(allowed, t);
        }
    }
    for (uint32_t i = 0; i < variant->n_filters; i++) {
        struct sched_probe probe = {.req = variant->filters[i], .part = SCHED_PART_TYPE};
        if (sched_part_of(m->s, probe.req.key) == SCHED_PART_TYPE) {
            answer_type(m, &probe);
            bits_and(allowed, probe.yes, bits_words(catalog->n_types));
        }
    }
    return allowed;
}

/* Zones where the node class has a subnet and that the pool's requirements allow. */
static uint64_t zones_allowed(const struct maker *m, const struct sched_variant *variant)
{
    const struct sched_snapshot *s = m->s;
    const struct aws_nodeclass *class = s->pools[variant->pool_i].node_class;
    uint64_t allowed = 0;
    for (uint32_t z = 0; z < s->catalog->n_zones && z < 64; z++) {
        bool ok = class == NULL || !class->has_subnets;
        for (uint32_t k = 0; !ok && k < class->n_subnets; k++) {
            ok = class->subnets[k].zone == s->catalog->zones[z].name;
        }
        for (uint32_t i = 0; ok && i < variant->n_filters; i++) {
            const struct sched_req *req = &variant->filters[i];
            ok = sched_part_of(s, req->key) != SCHED_PART_ZONE ||
                 sched_req_holds(s->vocab, req, sched_zone_label(s, z, req->key));
        }
        allowed |= ok ? UINT64_C(1) << z : 0;
    }
    return allowed;
}

static bool class_lists(const struct aws_nodeclass *class, struct str id)
{
    for (uint32_t i = 0; i < class->n_reservations; i++) {
        if (str_eq(class->reservations[i].id, id)) {
            return true;
        }
    }
    return false;
}

/* A node class that lists its capacity reservations launches into those only, and into those of
 * other classes nobody else does. */
static bool reservation_listed(const struct maker *m, const struct sched_variant *variant,
                               strid reservation_id)
{
    const struct aws_nodeclass *class = m->s->pools[variant->pool_i].node_class;
    const struct k8s_cluster *cluster = m->s->cluster;
    struct str id = strtab_str(m->s->tab, reservation_id);
    if (class != NULL && class->n_reservations > 0) {
        return class_lists(class, id);
    }
    for (uint32_t i = 0; i < cluster->n_nodeclasses; i++) {
        if (class_lists(&cluster->nodeclasses[i], id)) {
            return false;
        }
    }
    return true;
}

static bool capacity_allowed(const struct maker *m, const struct sched_variant *variant,
                             const struct cat_offering *offering)
{
    const struct sched_snapshot *s = m->s;
    bool reserved = offering->capacity_type == CAT_RESERVED;
    if (reserved && (!s->settings.reserved_capacity || offering->reservation_count == 0 ||
                     !reservation_listed(m, variant, offering->reservation_id))) {
        return false;
    }
    for (uint32_t i = 0; i < variant->n_filters; i++) {
        const struct sched_req *req = &variant->filters[i];
        enum sched_part part = sched_part_of(s, req->key);
        if (part == SCHED_PART_CAPACITY &&
            !sched_req_holds(s->vocab, req, sched_capacity_label(s, offering->capacity_type))) {
            return false;
        }
        if (part == SCHED_PART_RESERVATION &&
            !sched_req_holds(s->vocab, req, reserved ? offering->reservation_id : STRID_NONE)) {
            return false;
        }
    }
    return true;
}

static void offer_type(struct maker *m, uint32_t variant_i, uint32_t type_i, uint64_t zones)
{
    const struct sched_variant *variant = &m->o->variants.v[variant_i];
    const struct cat_type *type = &m->s->catalog->types[type_i];
    for (uint32_t k = 0; k < type->n_offerings; k++) {
        const struct cat_offering *offering = &type->offerings[k];
        struct opt_usd price = offering->price;
        if (m->o->overlays != NULL) {
            price = cat_overlays_price(m->o->overlays, variant_i, type_i, k);
        }
        if (!offering->available || !price.has || ((zones >> offering->zone_i) & 1U) == 0 ||
            !capacity_allowed(m, variant, offering)) {
            continue;
        }
        bool reserved = offering->capacity_type == CAT_RESERVED;
        struct sched_offer offer = {.type_i = type_i,
                                    .room_i = room_of(m, variant_i, type_i),
                                    .zone_i = offering->zone_i,
                                    .capacity_type = offering->capacity_type,
                                    .reservation_id =
                                        reserved ? offering->reservation_id : STRID_EMPTY,
                                    .reservation_count = reserved ? offering->reservation_count : 0,
                                    .price = price.v};
        offer.cell_i = cell_of(m, variant_i, &offer);
        VEC_PUSH(m->arena, &m->offers, offer);
    }
}

static void make_offers(struct maker *m)
{
    struct sched_offers *o = m->o;
    uint64_t *types = NULL;
    for (uint32_t v = 0; v < o->variants.n; v++) {
        const struct sched_variant *variant = &o->variants.v[v];
        if (v == 0 || variant->pool_i != o->variants.v[v - 1].pool_i) {
            types = types_allowed(m, variant);
        }
        uint64_t zones = zones_allowed(m, variant);
        uint32_t n_types = m->s->catalog->n_types;
        for (size_t t = bits_next(types, n_types, 0); t < n_types;
             t = bits_next(types, n_types, t + 1)) {
            offer_type(m, v, (uint32_t)t, zones);
        }
    }
    o->n = (uint32_t)m->offers.n;
    o->v = m->offers.v;
    o->n_cells = (uint32_t)m->cells.n;
    o->cells = m->cells.v;
    o->n_overheads = (uint32_t)m->overheads.n;
    o->overheads = m->overheads.v;
    o->n_rooms = (uint32_t)m->rooms.n;
    o->rooms = m->rooms.v;
}

/* ---- overlays */

static bool overlay_selects(void *context, uint32_t overlay_i, uint32_t variant_i, uint32_t type_i,
                            uint32_t offering_i)
{
    const struct maker *m = context;
    const struct sched_snapshot *s = m->s;
    const struct karp_overlay *overlay = &s->cluster->overlays[overlay_i];
    const struct cat_type *type = &s->catalog->types[type_i];
    const struct cat_offering *offering = &type->offerings[offering_i];
    for (uint32_t i = 0; i < overlay->n_requirements; i++) {
        struct sched_req req = sched_req_of(s->vocab, m->arena, &overlay->requirements[i]);
        strid value = STRID_NONE;
        switch (sched_part_of(s, req.key)) {
        case SCHED_PART_VARIANT:
            value = sched_label(s->vocab, &m->o->variants.v[variant_i].labels, req.key);
            break;
        case SCHED_PART_TYPE:
            value = sched_label(s->vocab, &type->labels, req.key);
            break;
        case SCHED_PART_ZONE:
            value = sched_zone_label(s, offering->zone_i, req.key);
            break;
        case SCHED_PART_CAPACITY:
            value = sched_capacity_label(s, offering->capacity_type);
            break;
        case SCHED_PART_RESERVATION:
            value = offering->capacity_type == CAT_RESERVED ? offering->reservation_id : STRID_NONE;
            break;
        }
        if (!sched_req_holds(s->vocab, &req, value)) {
            return false;
        }
    }
    return true;
}

static void take_overlays(struct maker *m)
{
    const struct k8s_cluster *cluster = m->s->cluster;
    if (m->s->settings.node_overlay && cluster->n_overlays > 0) {
        m->o->overlays = cat_overlays_new(cluster->overlays, cluster->n_overlays, m->o->variants.n,
                                          m->s->catalog, overlay_selects, m, m->s->words, m->arena);
    }
}

bool sched_offers_new(const struct sched_snapshot *snapshot, struct arena *arena,
                      struct sched_offers **ret_offers, struct err *err)
{
    struct sched_offers *o = ARENA_NEW(arena, struct sched_offers);
    *o = (struct sched_offers){.snapshot = snapshot, .probes = sched_probes_new(snapshot, arena)};
    struct maker m = {.o = o,
                      .s = snapshot,
                      .arena = arena,
                      .cell_ids = strtab_new(arena),
                      .overhead_ids = strtab_new(arena),
                      .room_ids = strtab_new(arena)};
    ask_all(&m);
    if (!sched_variants_new(snapshot, o->probes, o->topology_keys, arena, &o->variants, err)) {
        return false;
    }
    answer_all(&m);
    find_kinds(&m);
    take_overlays(&m);
    make_offers(&m);
    *ret_offers = o;
    return true;
}
