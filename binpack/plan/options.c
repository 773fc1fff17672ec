/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "base/arena.h"
#include "base/bitset.h"
#include "base/vec.h"
#include "binpack/plan/assemble.h"

#include <stdlib.h>

struct candidate {
    usd_t price;
    struct str name;
    const struct cat_type *type;
    uint32_t offering_i, type_i;
    bool near; /* in the node's place and within the price the settings allow */
};

static int candidate_cmp(const void *a, const void *b)
{
    const struct candidate *x = a, *y = b;
    if (x->price != y->price) {
        return x->price < y->price ? -1 : 1;
    }
    return str_cmp(x->name, y->name);
}

static const struct sched_offer *offer_at(const struct sched_problem *p, uint32_t offering_i)
{
    const struct sched_problem_offering *ref = &p->offerings[offering_i];
    return ref->node_i == SCHED_NONE ? &p->base->offers->v[ref->offer_i] : NULL;
}

/* Could this offering hold the same pattern? Caps and exclusions are the same on every new node. */
static bool holds(const struct bp_problem *bp, const struct bp_node *node, const int64_t *size,
                  uint32_t k)
{
    for (uint32_t i = 0; i < node->n_items; i++) {
        const uint64_t *mask = bp->mask + node->items[i].class_i * bits_words(bp->n_domains);
        if (!bits_get(mask, bp->offerings[k].domain)) {
            return false;
        }
    }
    for (uint32_t d = 0; d < bp->n_dims; d++) {
        if (size[d] > bp->capacity[(size_t)k * bp->n_dims + d]) {
            return false;
        }
    }
    return true;
}

/* Distinct values of the variety among the offerings of the chosen types. */
static uint32_t n_values(const struct bp_variety *variety, const struct candidate *list,
                         const bool *chosen, uint32_t n, struct arena *scratch)
{
    struct strtab *seen = strtab_new(scratch);
    for (uint32_t i = 0; i < n; i++) {
        uint32_t value = variety->value[list[i].offering_i];
        if (chosen[list[i].type_i] && value != BP_NO_VALUE) {
            (void)strtab_add(seen, (struct str){.p = (const char *)&value, .n = sizeof value});
        }
    }
    return strtab_count(seen) - 1;
}

/* Adds the cheapest further types until minValues is met. */
static void widen(const struct bp_problem *bp, const struct bp_node *node,
                  const struct candidate *list, bool *chosen, uint32_t n, struct arena *scratch)
{
    for (uint32_t v = 0; v < bp->n_varieties; v++) {
        const struct bp_variety *variety = &bp->varieties[v];
        if (variety->value[node->offering_i] == BP_NO_VALUE) {
            continue;
        }
        uint32_t have = n_values(variety, list, chosen, n, scratch);
        for (uint32_t i = 0; i < n && have < variety->min_values; i++) {
            bool *type = &chosen[list[i].type_i];
            if (!*type) {
                *type = true;
                uint32_t now = n_values(variety, list, chosen, n, scratch);
                *type = now > have;
                have = now > have ? now : have;
            }
        }
    }
}

static bool varied(const struct bp_problem *bp, const struct bp_node *node,
                   const struct candidate *list, const bool *chosen, uint32_t n,
                   struct arena *scratch)
{
    for (uint32_t v = 0; v < bp->n_varieties; v++) {
        const struct bp_variety *variety = &bp->varieties[v];
        if (variety->value[node->offering_i] != BP_NO_VALUE &&
            n_values(variety, list, chosen, n, scratch) < variety->min_values) {
            return false;
        }
    }
    return true;
}

/* What minValues asked for may be too many: leaves out the dearest that it does not need. */
static void narrow(const struct bp_problem *bp, const struct bp_node *node,
                   const struct candidate *list, bool *chosen, uint32_t n, uint32_t surplus,
                   struct arena *scratch)
{
    uint32_t own = n;
    for (uint32_t i = 0; i < n; i++) {
        own = list[i].offering_i == node->offering_i ? i : own;
    }
    for (uint32_t i = n; i-- > 0 && surplus > 0;) {
        bool *type = &chosen[list[i].type_i];
        if (*type && (own == n || list[i].type_i != list[own].type_i)) {
            *type = false;
            *type = !varied(bp, node, list, chosen, n, scratch);
            surplus -= !*type;
        }
    }
}

/* What sorts offerings: the nodes of one launch differ in type only. */
struct shelf {
    uint32_t variant_i, zone_i, capacity_type;
    strid reservation_id;
    usd_t price;
    uint32_t offering_i, type_i;
};

static struct shelf shelf_of(const struct sched_problem *p, uint32_t offering_i)
{
    const struct sched_offer *offer = &p->base->offers->v[p->offerings[offering_i].offer_i];
    return (struct shelf){.variant_i = p->base->offers->cells[offer->cell_i].variant_i,
                          .zone_i = offer->zone_i,
                          .capacity_type = (uint32_t)offer->capacity_type,
                          .reservation_id = offer->reservation_id,
                          .price = offer->price,
                          .offering_i = offering_i,
                          .type_i = offer->type_i};
}

static int place_cmp(const struct shelf *x, const struct shelf *y)
{
    if (x->zone_i != y->zone_i) {
        return x->zone_i < y->zone_i ? -1 : 1;
    }
    if (x->capacity_type != y->capacity_type) {
        return x->capacity_type < y->capacity_type ? -1 : 1;
    }
    return (x->reservation_id > y->reservation_id) - (x->reservation_id < y->reservation_id);
}

static int shelf_cmp(const void *a, const void *b)
{
    const struct shelf *x = a, *y = b;
    if (x->variant_i != y->variant_i) {
        return x->variant_i < y->variant_i ? -1 : 1;
    }
    int order = place_cmp(x, y);
    if (order != 0) {
        return order;
    }
    if (x->price != y->price) {
        return x->price < y->price ? -1 : 1;
    }
    return (x->offering_i > y->offering_i) - (x->offering_i < y->offering_i);
}

void assemble_options_index(struct assembly *a)
{
    const struct sched_problem *p = a->problem;
    struct arena scratch = ARENA_INIT;
    struct shelf *shelves = ARENA_ARRAY(&scratch, struct shelf, p->bp.n_offerings);
    uint32_t *buyable = ARENA_ARRAY(a->arena, uint32_t, p->bp.n_offerings);
    uint32_t n = 0;
    for (uint32_t k = 0; k < p->bp.n_offerings; k++) {
        if (offer_at(p, k) != NULL) {
            shelves[n++] = shelf_of(p, k);
        }
    }
    qsort(shelves, n, sizeof *shelves, shelf_cmp);
    for (uint32_t i = 0; i < n; i++) {
        buyable[i] = shelves[i].offering_i;
    }
    a->n_buyable = n;
    a->buyable = buyable;
    arena_done(&scratch);
}

/* The first buyable that does not come before the shelf. */
static uint32_t find_shelf(const struct assembly *a, const struct shelf *want)
{
    uint32_t low = 0, high = a->n_buyable;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        struct shelf shelf = shelf_of(a->problem, a->buyable[middle]);
        if (shelf_cmp(&shelf, want) < 0) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low;
}

/* How many types are named even when they are dear. */
static uint32_t options_min(const struct assembly *a, const struct shelf *own)
{
    return own->capacity_type == (uint32_t)CAT_SPOT ? a->settings->spot_options_min : 0;
}

/* Offerings of the same variant that hold the pattern, in the node's zone and capacity type and
 * near its price, or (anywhere) any. */
static uint32_t collect(const struct assembly *a, const struct bp_node *node, bool anywhere,
                        struct arena *scratch, struct candidate **ret_list)
{
    const struct sched_problem *p = a->problem;
    const struct bp_problem *bp = &p->bp;
    struct shelf own = shelf_of(p, node->offering_i);
    int64_t size[BP_MAX_DIMS] = {0};
    for (uint32_t i = 0; i < node->n_items; i++) {
        for (uint32_t d = 0; d < bp->n_dims; d++) {
            size[d] +=
                bp->size[(size_t)node->items[i].class_i * bp->n_dims + d] * node->items[i].count;
        }
    }
    usd_t near =
        sat_add(own.price, muldiv_floor(own.price, a->settings->options_within_ppm, 1000000));
    struct shelf from = {.variant_i = own.variant_i};
    if (!anywhere) {
        from = own;
        from.price = 0;
        from.offering_i = 0;
    }
    VEC(struct candidate) list = {0};
    for (uint32_t i = find_shelf(a, &from); i < a->n_buyable; i++) {
        uint32_t k = a->buyable[i];
        struct shelf shelf = shelf_of(p, k);
        if (shelf.variant_i != own.variant_i ||
            (!anywhere && (place_cmp(&shelf, &own) != 0 ||
                           (shelf.price > near && list.n >= options_min(a, &own))))) {
            break;
        }
        const struct cat_type *type = &p->base->snapshot->catalog->types[shelf.type_i];
        if (holds(bp, node, size, k)) {
            VEC_PUSH(
                scratch, &list,
                (struct candidate){.price = shelf.price,
                                   .name = strtab_str(p->base->snapshot->tab, type->name),
                                   .type = type,
                                   .offering_i = k,
                                   .type_i = shelf.type_i,
                                   .near = k == node->offering_i ||
                                           (place_cmp(&shelf, &own) == 0 && shelf.price <= near)});
        }
    }
    qsort(list.v, list.n, sizeof *list.v, candidate_cmp);
    *ret_list = list.v;
    return (uint32_t)list.n;
}

/* The chosen types, each by its cheapest offering in the list; those in the node's place come by
 * what they cost there. */
static void put_options(const struct assembly *a, const struct candidate *list, bool *chosen,
                        uint32_t n, struct plan_node *ret_node, struct arena *scratch)
{
    bool *here = ARENA_ARRAY(scratch, bool, a->problem->base->snapshot->catalog->n_types);
    for (uint32_t i = 0; i < n; i++) {
        here[list[i].type_i] |= list[i].near;
    }
    const struct cat_type **options = ARENA_ARRAY(a->arena, const struct cat_type *, n);
    for (uint32_t i = 0; i < n; i++) {
        bool *type = &chosen[list[i].type_i];
        if (*type && (list[i].near || !here[list[i].type_i])) {
            options[ret_node->n_options++] = list[i].type;
            *type = false;
        }
    }
    ret_node->options = options;
}

void assemble_options(const struct assembly *a, const struct bp_node *node,
                      struct plan_node *ret_node)
{
    struct arena scratch = ARENA_INIT;
    bool anywhere = false;
    for (uint32_t v = 0; v < a->problem->bp.n_varieties; v++) {
        anywhere = anywhere || a->problem->bp.varieties[v].value[node->offering_i] != BP_NO_VALUE;
    }
    struct candidate *list = NULL;
    uint32_t n = collect(a, node, anywhere, &scratch, &list), most = a->settings->options_max;
    bool *chosen = ARENA_ARRAY(&scratch, bool, a->problem->base->snapshot->catalog->n_types);
    const struct shelf own = shelf_of(a->problem, node->offering_i);
    const uint32_t least = options_min(a, &own);
    uint32_t n_chosen = 1;
    chosen[own.type_i] = true;
    for (uint32_t i = 0; i < n && n_chosen < most; i++) {
        bool take = list[i].near || n_chosen < least;
        n_chosen += take && !chosen[list[i].type_i];
        chosen[list[i].type_i] |= take;
    }
    if (anywhere) {
        widen(&a->problem->bp, node, list, chosen, n, &scratch);
        n_chosen = 0;
        for (uint32_t t = 0; t < a->problem->base->snapshot->catalog->n_types; t++) {
            n_chosen += chosen[t];
        }
        narrow(&a->problem->bp, node, list, chosen, n, n_chosen > most ? n_chosen - most : 0,
               &scratch);
    }
    put_options(a, list, chosen, n, ret_node, &scratch);
    arena_done(&scratch);
}
