/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "binpack/scheduling/cells.h"

#include "base/arena.h"
#include "base/bitset.h"
#include "binpack/scheduling/taints.h"

#include <stdlib.h>

strid sched_zone_label(const struct sched_snapshot *s, uint32_t zone_i, strid key)
{
    return key == s->words->zone ? s->catalog->zones[zone_i].name : s->zone_ids[zone_i];
}

strid sched_capacity_label(const struct sched_snapshot *s, enum cat_capacity_type capacity_type)
{
    switch (capacity_type) {
    case CAT_RESERVED:
        return s->words->reserved;
    case CAT_SPOT:
        return s->words->spot;
    case CAT_ON_DEMAND:
        break;
    }
    return s->words->on_demand;
}

strid sched_cell_label(const struct sched_offers *o, const struct sched_cell *cell, strid key)
{
    const struct sched_snapshot *s = o->snapshot;
    key = sched_key(s->vocab, key);
    switch (sched_part_of(s, key)) {
    case SCHED_PART_VARIANT:
        return sched_label(s->vocab, &o->variants.v[cell->variant_i].labels, key);
    case SCHED_PART_TYPE:
        return sched_label(s->vocab, &s->catalog->types[o->kind_type[cell->kind_i]].labels, key);
    case SCHED_PART_ZONE:
        return sched_zone_label(s, cell->zone_i, key);
    case SCHED_PART_CAPACITY:
        return sched_capacity_label(s, cell->capacity_type);
    case SCHED_PART_RESERVATION:
        break;
    }
    return cell->reservation_id == STRID_EMPTY ? STRID_NONE : cell->reservation_id;
}

static bool probe_holds(const struct sched_offers *o, const struct sched_probe *probe,
                        const struct sched_cell *cell)
{
    switch (probe->part) {
    case SCHED_PART_VARIANT:
        return bits_get(probe->yes, cell->variant_i);
    case SCHED_PART_TYPE:
        return bits_get(probe->yes, o->kind_type[cell->kind_i]);
    case SCHED_PART_ZONE:
        return bits_get(probe->yes, cell->zone_i);
    case SCHED_PART_CAPACITY:
        return bits_get(probe->yes, cell->capacity_type);
    case SCHED_PART_RESERVATION:
        break;
    }
    strid id = cell->reservation_id == STRID_EMPTY ? STRID_NONE : cell->reservation_id;
    return sched_req_holds(o->snapshot->vocab, &probe->req, id);
}

static bool req_holds(const struct sched_offers *o, const struct sched_req *req,
                      const struct sched_cell *cell)
{
    uint32_t id = sched_probe_find(o->probes, req);
    if (id != SCHED_NONE) {
        return probe_holds(o, &o->probes->v[id], cell);
    }
    return sched_req_holds(o->snapshot->vocab, req, sched_cell_label(o, cell, req->key));
}

static bool term_holds(const struct sched_offers *o, struct arena *arena,
                       const struct k8s_node_term *term, const struct sched_cell *cell)
{
    if (term->n_expressions + term->n_fields == 0) {
        return false;
    }
    for (uint32_t i = 0; i < term->n_fields; i++) {
        struct sched_req req = sched_req_of_field(o->snapshot->vocab, arena, &term->fields[i]);
        if (!req_holds(o, &req, cell)) {
            return false;
        }
    }
    for (uint32_t i = 0; i < term->n_expressions; i++) {
        struct sched_req req = sched_req_of(o->snapshot->vocab, arena, &term->expressions[i]);
        if (!req_holds(o, &req, cell)) {
            return false;
        }
    }
    return true;
}

bool sched_cell_matches_shape(const struct sched_offers *o, const struct sched_cell *cell,
                              const struct k8s_pod_shape *shape, struct arena *arena)
{
    for (uint32_t i = 0; i < shape->node_selector.n; i++) {
        const struct k8s_pair *pair = &shape->node_selector.v[i];
        struct sched_req req = sched_req_is(o->snapshot->vocab, arena, pair->key, pair->value);
        if (!req_holds(o, &req, cell)) {
            return false;
        }
    }
    for (uint32_t i = 0; i < shape->n_node_terms; i++) {
        if (term_holds(o, arena, &shape->node_terms[i], cell)) {
            return true;
        }
    }
    return !shape->has_required_node_terms;
}

/* One alternative against all cells: the probes of each part are joined first, so a cell costs a
 * few bit tests. */
struct product {
    uint64_t *variants, *types;
    uint64_t zones, capacities;
    uint32_t n_rest;
    const struct sched_req **rest; /* reservation part, and requirements nobody asked before */
};

static void make_product(const struct sched_offers *o, const struct sched_conj *conj,
                         struct arena *scratch, struct product *p)
{
    const struct sched_snapshot *s = o->snapshot;
    size_t v_words = bits_words(o->variants.n), t_words = bits_words(s->catalog->n_types);
    *p = (struct product){.zones = UINT64_MAX, .capacities = UINT64_MAX};
    p->variants = ARENA_ARRAY(scratch, uint64_t, v_words);
    p->types = ARENA_ARRAY(scratch, uint64_t, t_words);
    p->rest = ARENA_ARRAY(scratch, const struct sched_req *, conj->n);
    bits_fill(p->variants, o->variants.n);
    bits_fill(p->types, s->catalog->n_types);
    for (uint32_t i = 0; i < conj->n; i++) {
        uint32_t id = sched_probe_find(o->probes, &conj->v[i]);
        const struct sched_probe *probe = id == SCHED_NONE ? NULL : &o->probes->v[id];
        if (probe == NULL || probe->part == SCHED_PART_RESERVATION) {
            p->rest[p->n_rest++] = &conj->v[i];
        } else if (probe->part == SCHED_PART_VARIANT) {
            bits_and(p->variants, probe->yes, v_words);
        } else if (probe->part == SCHED_PART_TYPE) {
            bits_and(p->types, probe->yes, t_words);
        } else if (probe->part == SCHED_PART_ZONE) {
            p->zones &= probe->yes[0];
        } else {
            p->capacities &= probe->yes[0];
        }
    }
}

static bool product_holds(const struct sched_offers *o, const struct product *p,
                          const struct sched_cell *cell)
{
    if (!bits_get(p->variants, cell->variant_i) || ((p->zones >> cell->zone_i) & 1U) == 0 ||
        ((p->capacities >> cell->capacity_type) & 1U) == 0 ||
        !bits_get(p->types, o->kind_type[cell->kind_i])) {
        return false;
    }
    for (uint32_t i = 0; i < p->n_rest; i++) {
        if (!req_holds(o, p->rest[i], cell)) {
            return false;
        }
    }
    return true;
}

void sched_cells_admitted(const struct sched_offers *o, uint32_t n_alternatives,
                          const struct sched_conj *alternatives, struct arena *scratch,
                          uint64_t *ret_cells)
{
    for (size_t w = 0; w < bits_words(o->n_cells); w++) {
        ret_cells[w] = 0;
    }
    for (uint32_t a = 0; a < n_alternatives; a++) {
        struct arena_mark mark = arena_mark(scratch);
        struct product product;
        make_product(o, &alternatives[a], scratch, &product);
        for (uint32_t c = 0; c < o->n_cells; c++) {
            if (!bits_get(ret_cells, c) && product_holds(o, &product, &o->cells[c])) {
                bits_set(ret_cells, c);
            }
        }
        arena_rewind(scratch, mark);
    }
}

static void add_value(const struct strtab *tab, struct sched_values *values, strid *list,
                      strid value)
{
    uint32_t at = values->n;
    for (uint32_t i = 0; i < values->n; i++) {
        if (list[i] == value) {
            return;
        }
    }
    while (at > 0 && strtab_cmp(tab, list[at - 1], value) > 0) {
        list[at] = list[at - 1];
        at--;
    }
    list[at] = value;
    values->n++;
}

void sched_cells_filtered(const struct sched_offers *o, const struct sched_need *need,
                          bool honor_affinity, bool honor_taints, struct arena *scratch,
                          uint64_t *ret_cells)
{
    const struct sched_snapshot *s = o->snapshot;
    if (honor_affinity) {
        sched_cells_admitted(o, need->n_topology_alternatives, need->topology_alternatives, scratch,
                             ret_cells);
    } else {
        bits_fill(ret_cells, o->n_cells);
    }
    for (size_t c = bits_next(ret_cells, o->n_cells, 0); honor_taints && c < o->n_cells;
         c = bits_next(ret_cells, o->n_cells, c + 1)) {
        const struct karp_nodepool *pool =
            s->pools[o->variants.v[o->cells[c].variant_i].pool_i].pool;
        if (sched_untolerated(need->n_tolerations, need->tolerations, pool->n_taints, pool->taints,
                              /* prefer_counts= */ false) != NULL) {
            bits_clear(ret_cells, c);
        }
    }
}

void sched_offers_values(const struct sched_offers *o, const struct sched_need *need, strid key,
                         bool honor_affinity, bool honor_taints, struct arena *arena,
                         struct sched_values *ret_values)
{
    const struct sched_snapshot *s = o->snapshot;
    uint64_t *cells = ARENA_ARRAY(arena, uint64_t, bits_words(o->n_cells));
    sched_cells_filtered(o, need, honor_affinity, honor_taints, arena, cells);
    strid *list = ARENA_ARRAY(arena, strid, o->n_cells);
    *ret_values = (struct sched_values){.n = 0, .v = list};
    strid last = STRID_NONE;
    for (size_t c = bits_next(cells, o->n_cells, 0); c < o->n_cells;
         c = bits_next(cells, o->n_cells, c + 1)) {
        const struct sched_pool *pool = &s->pools[o->variants.v[o->cells[c].variant_i].pool_i];
        strid value = sched_cell_label(o, &o->cells[c], key);
        if (value != STRID_NONE && value != last && !pool->exhausted) {
            add_value(s->tab, ret_values, list, value);
            last = value;
        }
    }
}

bool sched_node_matches(const struct sched_snapshot *s, const struct k8s_pairs *labels,
                        uint32_t n_alternatives, const struct sched_conj *alternatives)
{
    for (uint32_t a = 0; a < n_alternatives; a++) {
        bool all = true;
        for (uint32_t i = 0; all && i < alternatives[a].n; i++) {
            const struct sched_req *req = &alternatives[a].v[i];
            all = sched_req_holds(s->vocab, req, sched_label(s->vocab, labels, req->key));
        }
        if (all) {
            return true;
        }
    }
    return false;
}

bool sched_node_admits(const struct sched_snapshot *s, const struct sched_node *node,
                       const struct sched_need *need, bool honor_affinity, bool honor_taints)
{
    if (honor_affinity && !sched_node_matches(s, &node->labels, need->n_topology_alternatives,
                                              need->topology_alternatives)) {
        return false;
    }
    return !honor_taints ||
           sched_untolerated(need->n_tolerations, need->tolerations, node->n_taints, node->taints,
                             /* prefer_counts= */ false) == NULL;
}
