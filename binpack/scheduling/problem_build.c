/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "binpack/scheduling/problem_build.h"

#include "base/arena.h"
#include "base/bitset.h"
#include "binpack/scheduling/affinity.h"
#include "binpack/scheduling/problem_rows.h"
#include "binpack/scheduling/terms.h"
#include "binpack/scheduling/topology.h"

#include <assert.h>
#include <string.h>

bool sched_base_new(const struct sched_snapshot *snapshot, struct arena *arena,
                    struct sched_base **ret_base, struct err *err)
{
    struct sched_base *base = ARENA_NEW(arena, struct sched_base);
    base->snapshot = snapshot;
    if (!sched_offers_new(snapshot, arena, &base->offers, err) ||
        !sched_dims_new(base->offers, arena, &base->dims, err)) {
        return false;
    }
    sched_node_kinds_new(base->offers, arena, &base->kinds);
    *ret_base = base;
    return true;
}

/* ---- where each class may go */

/* Own bits of every class over cells (its tier only) and running nodes, to be narrowed by rows. */
static void copy_masks(struct sched_build *b)
{
    const struct sched_problem *p = b->problem;
    const struct sched_offers *o = p->base->offers;
    b->cell_words = bits_words(o->n_cells);
    b->node_words = bits_words(p->base->snapshot->n_nodes);
    b->cells = ARENA_ARRAY(b->arena, uint64_t, p->classes.n * b->cell_words);
    b->nodes = ARENA_ARRAY(b->arena, uint64_t, p->classes.n * b->node_words);
    for (uint32_t i = 0; i < p->classes.n; i++) {
        const struct sched_need *need = &p->needs.v[p->classes.v[i].need];
        const struct sched_mask *mask = &p->masks.v[p->masks.of_need[p->classes.v[i].need]];
        uint64_t *cells = b->cells + i * b->cell_words, *nodes = b->nodes + i * b->node_words;
        for (uint32_t c = 0; c < o->n_cells; c++) {
            const struct sched_pool *pool =
                &p->base->snapshot->pools[o->variants.v[o->cells[c].variant_i].pool_i];
            if (bits_get(mask->cells, c) && pool->tier == need->tier) {
                bits_set(cells, c);
            }
        }
        for (uint32_t n = 0; n < p->base->snapshot->n_nodes; n++) {
            if (!sched_mask_node(&p->masks, mask, need, n)) {
                continue;
            }
            if (sched_dims_node_pays(&p->base->dims, need, n)) {
                bits_set(nodes, n);
            } else if (sched_dims_node_could(&p->base->dims, need, n)) {
                b->problem->claims_keep_off = true;
            }
        }
    }
}

static bool all_may_use(const uint64_t *bits, size_t words, size_t place, uint32_t n_items,
                        const struct sched_bundle_item *items)
{
    for (uint32_t i = 0; i < n_items; i++) {
        if (!bits_get(bits + items[i].class_i * words, place)) {
            return false;
        }
    }
    return true;
}

/* Do pods of one unit avoid each other in a zone or the like? Then no node can hold it. */
static bool avoid_each_other(const struct sched_build *b, uint32_t n_items,
                             const struct sched_bundle_item *items)
{
    for (size_t r = 0; r < b->rows.groups.n; r++) {
        const struct sched_group_row *row = &b->rows.groups.v[r];
        for (uint32_t i = 0; row->kind == BP_GROUP_APART && i < n_items; i++) {
            for (uint32_t k = 0; k < n_items; k++) {
                if (bits_get(row->carriers, items[i].class_i) &&
                    bits_get(row->targets, items[k].class_i) && (i != k || items[i].count > 1)) {
                    return true;
                }
            }
        }
    }
    return false;
}

/* Could that running node, or with SCHED_NONE any node, hold such a unit? */
static bool bundle_fits(void *ctx, uint32_t node_i, uint32_t n_items,
                        const struct sched_bundle_item *items)
{
    const struct sched_build *b = ctx;
    const struct sched_problem *p = b->problem;
    const struct sched_dims *dims = &p->base->dims;
    int64_t size[BP_MAX_DIMS] = {0};
    if (avoid_each_other(b, n_items, items)) {
        return false;
    }
    for (uint32_t i = 0; i < n_items; i++) {
        int64_t one[BP_MAX_DIMS];
        sched_dims_size(dims, &p->needs.v[p->classes.v[items[i].class_i].need], one);
        for (uint32_t d = 0; d < dims->n; d++) {
            size[d] = sat_add(size[d], sat_mul(one[d], items[i].count));
        }
    }
    for (uint32_t k = 0; node_i == SCHED_NONE && k < p->base->offers->n; k++) {
        if (bits_get(dims->usable, k) &&
            sched_dims_fit(dims, size, dims->offer_capacity + (size_t)k * dims->n) &&
            all_may_use(b->cells, b->cell_words, p->base->offers->v[k].cell_i, n_items, items)) {
            return true;
        }
    }
    for (uint32_t n = 0; n < p->base->snapshot->n_nodes; n++) {
        if ((node_i == SCHED_NONE || node_i == n) &&
            sched_dims_fit(dims, size, dims->node_capacity + (size_t)n * dims->n) &&
            all_may_use(b->nodes, b->node_words, n, n_items, items)) {
            return true;
        }
    }
    return false;
}

static void apply_value_mask(struct sched_build *b, uint32_t class_i,
                             const struct sched_value_mask_row *row)
{
    const struct sched_offers *o = b->problem->base->offers;
    const struct sched_snapshot *s = o->snapshot;
    uint64_t *cells = b->cells + class_i * b->cell_words,
             *nodes = b->nodes + class_i * b->node_words;
    for (size_t c = bits_next(cells, o->n_cells, 0); c < o->n_cells;
         c = bits_next(cells, o->n_cells, c + 1)) {
        if (sched_value_listed(row, sched_cell_label(o, &o->cells[c], row->key)) != row->allow) {
            bits_clear(cells, c);
        }
    }
    for (size_t n = bits_next(nodes, s->n_nodes, 0); n < s->n_nodes;
         n = bits_next(nodes, s->n_nodes, n + 1)) {
        if (sched_value_listed(row, sched_label(s->vocab, &s->nodes[n].labels, row->key)) !=
            row->allow) {
            bits_clear(nodes, n);
        }
    }
}

/* A carrier of a group stays off nodes without the label. */
static void apply_group_label(struct sched_build *b, uint32_t class_i, strid key)
{
    const struct sched_offers *o = b->problem->base->offers;
    const struct sched_snapshot *s = o->snapshot;
    uint64_t *cells = b->cells + class_i * b->cell_words,
             *nodes = b->nodes + class_i * b->node_words;
    for (size_t c = bits_next(cells, o->n_cells, 0); c < o->n_cells;
         c = bits_next(cells, o->n_cells, c + 1)) {
        if (sched_cell_label(o, &o->cells[c], key) == STRID_NONE) {
            bits_clear(cells, c);
        }
    }
    for (size_t n = bits_next(nodes, s->n_nodes, 0); n < s->n_nodes;
         n = bits_next(nodes, s->n_nodes, n + 1)) {
        if (sched_label(s->vocab, &s->nodes[n].labels, key) == STRID_NONE) {
            bits_clear(nodes, n);
        }
    }
}

static void apply_masks(struct sched_build *b)
{
    const struct sched_rows *rows = &b->rows;
    for (uint32_t i = 0; i < b->problem->classes.n; i++) {
        for (size_t r = 0; r < rows->node_masks.n; r++) {
            if (bits_get(rows->node_masks.v[r].classes, i)) {
                for (size_t w = 0; w < b->node_words; w++) {
                    b->nodes[i * b->node_words + w] &= ~rows->node_masks.v[r].forbidden_nodes[w];
                }
            }
        }
        for (size_t r = 0; r < rows->no_new.n; r++) {
            if (bits_get(rows->no_new.v[r].classes, i)) {
                for (size_t w = 0; w < b->cell_words; w++) {
                    b->cells[i * b->cell_words + w] = 0;
                }
            }
        }
        for (size_t r = 0; r < rows->value_masks.n; r++) {
            if (bits_get(rows->value_masks.v[r].classes, i)) {
                apply_value_mask(b, i, &rows->value_masks.v[r]);
            }
        }
        for (size_t r = 0; r < rows->groups.n; r++) {
            if (bits_get(rows->groups.v[r].carriers, i) &&
                rows->groups.v[r].kind != BP_GROUP_APART) {
                apply_group_label(b, i, rows->groups.v[r].key);
            }
        }
    }
}

/* ---- units: what the solver places */

static void add_unit(struct sched_build *b, uint32_t n_items, const struct sched_bundle_item *items,
                     uint32_t demand)
{
    VEC_PUSH(b->arena, &b->units, (struct sched_unit){.n = n_items, .items = items});
    VEC_PUSH(b->arena, &b->demands, demand);
}

/* Bundles first: they take their pods from the front of the lists. */
static void make_units(struct sched_build *b)
{
    const struct sched_classes *classes = &b->problem->classes;
    uint32_t *left = ARENA_ARRAY(b->arena, uint32_t, classes->n);
    for (uint32_t i = 0; i < classes->n; i++) {
        left[i] = classes->v[i].n_pods;
    }
    for (size_t r = 0; r < b->rows.bundles.n; r++) {
        const struct sched_bundle_row *row = &b->rows.bundles.v[r];
        for (uint32_t k = 0; k < row->n_items; k++) {
            uint64_t taken = (uint64_t)row->items[k].count * row->n_units;
            assert(taken <= left[row->items[k].class_i]);
            left[row->items[k].class_i] -= (uint32_t)taken;
        }
        add_unit(b, row->n_items, row->items, row->n_units);
    }
    b->n_bundles = (uint32_t)b->units.n;
    for (uint32_t i = 0; i < classes->n; i++) {
        if (left[i] > 0) {
            struct sched_bundle_item *item = ARENA_NEW(b->arena, struct sched_bundle_item);
            *item = (struct sched_bundle_item){.class_i = i, .count = 1};
            add_unit(b, 1, item, left[i]);
        }
    }
    b->n_units = (uint32_t)b->units.n;
    b->unit_words = bits_words(b->n_units);
}

/* A pod that travels in no bundle, although its class is tied to others. */
static void confine_leftover(struct sched_build *b, uint32_t u)
{
    const uint32_t class_i = b->units.v[u].items[0].class_i;
    for (size_t r = 0; r < b->rows.leftover.n; r++) {
        const struct sched_leftover_row *row = &b->rows.leftover.v[r];
        if (!bits_get(row->classes, class_i)) {
            continue;
        }
        memset(b->unit_cells + u * b->cell_words, 0, b->cell_words * sizeof(uint64_t));
        for (size_t w = 0; w < b->node_words; w++) {
            b->unit_nodes[u * b->node_words + w] &= row->nodes == NULL ? 0 : row->nodes[w];
        }
    }
}

/* Groups count the weight of a unit; of a bundle they are to count only the pods that they look at.
 * Where several groups disagree the largest number stands. */
static uint32_t counted_weight(const struct sched_build *b, const struct sched_unit *unit,
                               uint32_t n_pods)
{
    uint32_t most = 0;
    for (size_t r = 0; r < b->rows.groups.n; r++) {
        uint32_t n = 0;
        for (uint32_t k = 0; k < unit->n; k++) {
            n += bits_get(b->rows.groups.v[r].targets, unit->items[k].class_i)
                     ? unit->items[k].count
                     : 0;
        }
        most = n > most ? n : most;
    }
    return most == 0 ? n_pods : most;
}

/* Classes of the solver, their sizes, and where the units may go. */
static void find_tied(struct sched_build *b)
{
    uint32_t n = b->problem->classes.n;
    bool *class_tied = ARENA_ARRAY(b->arena, bool, n);
    bool *together = ARENA_ARRAY(b->arena, bool, n); /* all its pods are in one unit of need */
    bool *tied = ARENA_ARRAY(b->arena, bool, b->n_units);
    for (size_t r = 0; r < b->rows.bundles.n; r++) {
        const struct sched_bundle_row *row = &b->rows.bundles.v[r];
        for (uint32_t k = 0; k < row->n_items; k++) {
            class_tied[row->items[k].class_i] = !row->inevitable;
            together[row->items[k].class_i] = row->inevitable;
        }
    }
    for (size_t r = 0; r < b->rows.leftover.n; r++) {
        for (uint32_t i = 0; i < n; i++) {
            class_tied[i] =
                class_tied[i] || (bits_get(b->rows.leftover.v[r].classes, i) && !together[i]);
        }
    }
    for (uint32_t u = 0; u < b->n_units; u++) {
        for (uint32_t k = 0; k < b->units.v[u].n; k++) {
            tied[u] = tied[u] || class_tied[b->units.v[u].items[k].class_i];
        }
    }
    b->problem->tied = tied;
    b->problem->any_units = b->rows.bundles.n + b->rows.leftover.n > 0;
}

/* Sizes of units that leave shared claims out. */
static void least_sizes(const struct sched_build *b)
{
    struct sched_problem *p = b->problem;
    bool *shares = ARENA_ARRAY(b->arena, bool, b->n_units);
    const struct sched_dims *dims = &p->base->dims;
    int64_t *size = ARENA_ARRAY(b->arena, int64_t, (size_t)b->n_units * dims->n);
    for (uint32_t u = 0; u < b->n_units; u++) {
        for (uint32_t k = 0; k < b->units.v[u].n; k++) {
            const struct sched_bundle_item *item = &b->units.v[u].items[k];
            const struct sched_need *need = &p->needs.v[p->classes.v[item->class_i].need];
            int64_t one[BP_MAX_DIMS];
            shares[u] = shares[u] || need->n_claims > 0;
            sched_dims_size_least(dims, need, one);
            for (uint32_t d = 0; d < dims->n; d++) {
                int64_t *at = &size[(size_t)u * dims->n + d];
                *at = sat_add(*at, sat_mul(one[d], item->count));
            }
        }
    }
    p->bound_size = size;
    p->shares_claims = shares;
}

static void make_classes(struct sched_build *b)
{
    struct sched_problem *p = b->problem;
    const struct sched_dims *dims = &p->base->dims;
    struct bp_class *classes = ARENA_ARRAY(b->arena, struct bp_class, b->n_units);
    int64_t *size = ARENA_ARRAY(b->arena, int64_t, (size_t)b->n_units * dims->n);
    b->unit_cells = ARENA_ARRAY(b->arena, uint64_t, b->n_units * b->cell_words);
    b->unit_nodes = ARENA_ARRAY(b->arena, uint64_t, b->n_units * b->node_words);
    for (uint32_t u = 0; u < b->n_units; u++) {
        const struct sched_unit *unit = &b->units.v[u];
        classes[u] = (struct bp_class){
            .demand = b->demands.v[u], .max_per_node = BP_UNLIMITED, .priority = INT32_MIN};
        bits_fill(b->unit_cells + u * b->cell_words, p->base->offers->n_cells);
        bits_fill(b->unit_nodes + u * b->node_words, p->base->snapshot->n_nodes);
        for (uint32_t k = 0; k < unit->n; k++) {
            uint32_t class_i = unit->items[k].class_i, count = unit->items[k].count,
                     most = b->rows.max_per_node[class_i];
            const struct sched_need *need = &p->needs.v[p->classes.v[class_i].need];
            int64_t one[BP_MAX_DIMS];
            sched_dims_size(dims, need, one);
            for (uint32_t d = 0; d < dims->n; d++) {
                size[(size_t)u * dims->n + d] =
                    sat_add(size[(size_t)u * dims->n + d], sat_mul(one[d], count));
            }
            classes[u].weight += count;
            classes[u].priority =
                need->priority > classes[u].priority ? need->priority : classes[u].priority;
            if (most != BP_UNLIMITED && most / count < classes[u].max_per_node) {
                classes[u].max_per_node = most / count > 0 ? most / count : 1;
            }
            bits_and(b->unit_cells + u * b->cell_words, b->cells + class_i * b->cell_words,
                     b->cell_words);
            bits_and(b->unit_nodes + u * b->node_words, b->nodes + class_i * b->node_words,
                     b->node_words);
        }
        if (u < b->n_bundles) {
            classes[u].weight = counted_weight(b, unit, classes[u].weight);
        } else {
            confine_leftover(b, u);
        }
    }
    find_tied(b);
    p->units = b->units.v;
    p->bp.n_classes = b->n_units;
    p->bp.classes = classes;
    p->bp.n_dims = dims->n;
    p->bp.size = size;
    if (dims->any_shared) {
        least_sizes(b);
    }
}

/* ---- domains and offerings */

/* The domain of a column: which units may use it, and its values on the axes. */
static uint32_t domain_of(struct sched_build *b, const uint64_t *column, const uint32_t *values)
{
    struct arena_mark mark = arena_mark(b->arena);
    struct strbuf key = strbuf_new(b->arena, 64 * 1024 * 1024);
    strbuf_add(&key, (struct str){.p = (const char *)column, .n = b->unit_words * sizeof *column});
    if (b->n_axes > 0) {
        strbuf_add(&key, (struct str){.p = (const char *)values, .n = b->n_axes * sizeof *values});
    }
    strid id = strtab_find(b->domain_ids, strbuf_str(&key));
    if (id != STRID_NONE) {
        arena_rewind(b->arena, mark);
        return id - 1;
    }
    id = strtab_add(b->domain_ids, strbuf_str(&key));
    uint64_t *own = ARENA_ARRAY(b->arena, uint64_t, b->unit_words);
    uint32_t *at = ARENA_ARRAY(b->arena, uint32_t, b->n_axes);
    for (size_t w = 0; w < b->unit_words; w++) {
        own[w] = column[w];
    }
    for (uint32_t a = 0; a < b->n_axes; a++) {
        at[a] = values[a];
    }
    VEC_PUSH(b->arena, &b->domains, (struct sched_domain){.column = own, .values = at});
    return id - 1;
}

/* Turns bits over places of every unit into bits over units of one place; false when none. */
static bool column_of(const struct sched_build *b, const uint64_t *unit_bits, size_t words,
                      size_t place, uint64_t *ret_column)
{
    bool any = false;
    for (size_t w = 0; w < b->unit_words; w++) {
        ret_column[w] = 0;
    }
    for (uint32_t u = 0; u < b->n_units; u++) {
        if (bits_get(unit_bits + u * words, place)) {
            bits_set(ret_column, u);
            any = true;
        }
    }
    return any;
}

static void add_offering(struct sched_build *b, struct bp_offering offering,
                         struct sched_problem_offering ref)
{
    VEC_PUSH(b->arena, &b->offerings, offering);
    VEC_PUSH(b->arena, &b->refs, ref);
}

static void make_offerings(struct sched_build *b)
{
    const struct sched_base *base = b->problem->base;
    const struct sched_offers *o = base->offers;
    const struct sched_snapshot *s = base->snapshot;
    uint64_t *column = ARENA_ARRAY(b->arena, uint64_t, b->unit_words);
    uint32_t *values = ARENA_ARRAY(b->arena, uint32_t, b->n_axes);
    for (uint32_t n = 0; n < s->n_nodes; n++) {
        if (!column_of(b, b->unit_nodes, b->node_words, n, column)) {
            continue;
        }
        for (uint32_t a = 0; a < b->n_axes; a++) {
            values[a] = sched_axis_of_node(b, &b->axes[a], n);
        }
        add_offering(b,
                     (struct bp_offering){
                         .stock = 1, .domain = domain_of(b, column, values), .running = true},
                     (struct sched_problem_offering){.node_i = n});
    }
    uint32_t *domain_of_cell = ARENA_ARRAY(b->arena, uint32_t, o->n_cells);
    for (uint32_t c = 0; c < o->n_cells; c++) {
        domain_of_cell[c] = SCHED_NONE;
        if (column_of(b, b->unit_cells, b->cell_words, c, column)) {
            for (uint32_t a = 0; a < b->n_axes; a++) {
                values[a] = sched_axis_of_cell(b, &b->axes[a], c);
            }
            domain_of_cell[c] = domain_of(b, column, values);
        }
    }
    for (uint32_t k = 0; k < o->n; k++) {
        const struct sched_offer *offer = &o->v[k];
        if (bits_get(base->dims.usable, k) && domain_of_cell[offer->cell_i] != SCHED_NONE) {
            bool counted = offer->capacity_type == CAT_RESERVED;
            uint32_t per_pool = s->settings.spot.per_pool;
            bool capped = offer->capacity_type == CAT_SPOT && per_pool > 0;
            add_offering(b,
                         (struct bp_offering){.price = offer->price,
                                              .stock = counted  ? offer->reservation_count
                                                       : capped ? per_pool
                                                                : BP_UNLIMITED,
                                              .domain = domain_of_cell[offer->cell_i]},
                         (struct sched_problem_offering){.node_i = SCHED_NONE, .offer_i = k});
        }
    }
}

/* Amounts of each offering, out of those of running nodes and of offers. */
static const int64_t *capacities(const struct sched_build *b, const int64_t *nodes,
                                 const int64_t *offers)
{
    const uint32_t n_dims = b->problem->base->dims.n;
    int64_t *capacity = ARENA_ARRAY(b->arena, int64_t, b->offerings.n * n_dims);
    for (size_t k = 0; k < b->offerings.n; k++) {
        const struct sched_problem_offering *ref = &b->refs.v[k];
        const int64_t *from = ref->node_i != SCHED_NONE ? nodes + (size_t)ref->node_i * n_dims
                                                        : offers + (size_t)ref->offer_i * n_dims;
        for (uint32_t d = 0; d < n_dims; d++) {
            capacity[k * n_dims + d] = from[d];
        }
    }
    return capacity;
}

static void finish_offerings(struct sched_build *b)
{
    struct sched_problem *p = b->problem;
    const struct sched_dims *dims = &p->base->dims;
    uint32_t n = (uint32_t)b->offerings.n, n_domains = (uint32_t)b->domains.n;
    size_t domain_words = bits_words(n_domains);
    uint64_t *mask = ARENA_ARRAY(b->arena, uint64_t, b->n_units * domain_words);
    uint32_t *axis_value = ARENA_ARRAY(b->arena, uint32_t, (size_t)n_domains * b->n_axes);
    for (uint32_t g = 0; g < n_domains; g++) {
        for (uint32_t u = 0; u < b->n_units; u++) {
            if (bits_get(b->domains.v[g].column, u)) {
                bits_set(mask + u * domain_words, g);
            }
        }
        for (uint32_t a = 0; a < b->n_axes; a++) {
            axis_value[(size_t)g * b->n_axes + a] = b->domains.v[g].values[a];
        }
    }
    p->offerings = b->refs.v;
    p->bp.n_offerings = n;
    p->bp.offerings = b->offerings.v;
    p->bp.capacity = capacities(b, dims->node_capacity, dims->offer_capacity);
    if (dims->any_shared) {
        p->bound_capacity = capacities(b, dims->whole_node_capacity, dims->whole_offer_capacity);
    }
    p->bp.n_domains = n_domains;
    p->bp.mask = mask;
    p->bp.n_axes = b->n_axes;
    p->bp.axis_value = axis_value;
}

bool sched_problem_new(const struct sched_base *base, const struct sched_descent *descent,
                       struct arena *arena, struct sched_problem **ret_problem, struct err *err)
{
    const struct sched_snapshot *s = base->snapshot;
    struct sched_problem *p = ARENA_NEW(arena, struct sched_problem);
    p->base = base;
    if (!sched_needs_new(s, descent, arena, &p->needs, err)) {
        return false;
    }
    sched_rules_new(s, &p->needs, arena, &p->rules);
    sched_masks_new(base->offers, &base->kinds, &p->needs, arena, &p->masks);
    sched_classes_new(s, &p->needs, &p->rules, p->masks.of_need, arena, &p->classes);
    struct sched_build b = {.problem = p, .arena = arena, .domain_ids = strtab_new(arena)};
    b.rows = (struct sched_rows){.arena = arena,
                                 .in_some_order = descent->in_some_order,
                                 .max_per_node = ARENA_ARRAY(arena, uint32_t, p->classes.n)};
    for (uint32_t i = 0; i < p->classes.n; i++) {
        b.rows.max_per_node[i] = BP_UNLIMITED;
    }
    copy_masks(&b);
    sched_port_rows(&b);
    sched_topology_rows(s, base->offers, &p->classes, &p->rules, &b.rows);
    sched_affinity_rows(s, base->offers, &p->classes, &p->rules, bundle_fits, &b, &b.rows);
    apply_masks(&b);
    make_units(&b);
    make_classes(&b);
    sched_axes_new(&b);
    make_offerings(&b);
    finish_offerings(&b);
    sched_rows_finish(&b);
    p->order_matters = b.rows.order_matters;
    *ret_problem = p;
    return true;
}
