/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "binpack/scheduling/problem_rows.h"

#include "base/arena.h"
#include "base/bitset.h"
#include "binpack/scheduling/hostports.h"

#include <stdlib.h>

struct strid_list {
    strid *v;
    size_t n, cap;
};
struct limit_list {
    struct bp_limit *v;
    size_t n, cap;
};

bool sched_value_listed(const struct sched_value_mask_row *row, strid value)
{
    for (uint32_t i = 0; i < row->n_values; i++) {
        if (row->values[i] == value && value != STRID_NONE) {
            return true;
        }
    }
    return false;
}

/* ---- host ports */

static bool uses_port(const struct sched_vocab *vocab, const struct sched_need *need,
                      const struct k8s_host_port *port)
{
    return sched_port_lists_conflict(vocab, need->ports, need->n_ports, port, 1, NULL);
}

static bool same_port(const struct k8s_host_port *a, const struct k8s_host_port *b)
{
    return a->ip == b->ip && a->protocol == b->protocol && a->port == b->port;
}

/* Do all ports that conflict with port `k` conflict with each other? Not when it leaves the address
 * open and others name different ones; then the caps of those say it all. */
static bool is_clique(const struct sched_vocab *vocab, const struct k8s_host_port *ports, size_t n,
                      size_t k)
{
    for (size_t i = 0; i < n; i++) {
        for (size_t j = 0; j < i; j++) {
            if (sched_ports_conflict(vocab, &ports[k], &ports[i]) &&
                sched_ports_conflict(vocab, &ports[k], &ports[j]) &&
                !sched_ports_conflict(vocab, &ports[i], &ports[j])) {
                return false;
            }
        }
    }
    return true;
}

/* At most one pod of a node uses the port. */
static void port_cap(struct sched_build *b, const struct k8s_host_port *ports, size_t n, size_t k)
{
    const struct sched_problem *p = b->problem;
    const struct sched_vocab *vocab = p->base->snapshot->vocab;
    uint64_t *members = ARENA_ARRAY(b->arena, uint64_t, bits_words(p->classes.n));
    for (uint32_t i = 0; i < p->classes.n; i++) {
        if (uses_port(vocab, &p->needs.v[p->classes.v[i].need], &ports[k])) {
            bits_set(members, i);
        }
    }
    if (bits_count(members, bits_words(p->classes.n)) > 1 && is_clique(vocab, ports, n, k)) {
        VEC_PUSH(b->arena, &b->rows.caps,
                 (struct sched_cap_row){.max = 1, .necessary = true, .members = members});
    }
}

void sched_port_rows(struct sched_build *b)
{
    const struct sched_problem *p = b->problem;
    VEC(struct k8s_host_port) ports = {0};
    for (uint32_t i = 0; i < p->classes.n; i++) {
        const struct sched_need *need = &p->needs.v[p->classes.v[i].need];
        for (uint32_t k = 0; k < need->n_ports; k++) {
            size_t at = 0;
            while (at < ports.n && !same_port(&ports.v[at], &need->ports[k])) {
                at++;
            }
            if (at == ports.n) {
                VEC_PUSH(b->arena, &ports, need->ports[k]);
            }
            b->rows.max_per_node[i] = 1;
        }
    }
    for (size_t k = 0; k < ports.n; k++) {
        port_cap(b, ports.v, ports.n, k);
    }
}

/* ---- classes to units */

/* Units that hold a pod of one of the classes. */
static uint64_t *unit_set(const struct sched_build *b, const uint64_t *classes)
{
    uint64_t *set = ARENA_ARRAY(b->arena, uint64_t, b->unit_words);
    for (uint32_t u = 0; u < b->n_units; u++) {
        for (uint32_t k = 0; k < b->units.v[u].n; k++) {
            if (bits_get(classes, b->units.v[u].items[k].class_i)) {
                bits_set(set, u);
            }
        }
    }
    return set;
}

/* ---- axes */

static void value_add(struct sched_build *b, struct strid_list *list, strid value)
{
    const struct strtab *tab = b->problem->base->snapshot->tab;
    if (value == STRID_NONE) {
        return;
    }
    size_t at = list->n;
    while (at > 0 && strtab_cmp(tab, list->v[at - 1], value) > 0) {
        at--;
    }
    if (at > 0 && list->v[at - 1] == value) {
        return;
    }
    if (list->n == list->cap) {
        size_t cap = list->cap == 0 ? 8 : 2 * list->cap;
        list->v = arena_grow(b->arena, list->v, list->cap * sizeof(strid), cap * sizeof(strid));
        list->cap = cap;
    }
    for (size_t i = list->n; i > at; i--) {
        list->v[i] = list->v[i - 1];
    }
    list->v[at] = value;
    list->n++;
}

/* All values of the key that nodes have or rows name. */
static void axis_values(struct sched_build *b, struct sched_axis *axis)
{
    const struct sched_base *base = b->problem->base;
    struct strid_list list = {0};
    for (uint32_t c = 0; c < base->offers->n_cells; c++) {
        value_add(b, &list, sched_cell_label(base->offers, &base->offers->cells[c], axis->key));
    }
    for (uint32_t n = 0; n < base->snapshot->n_nodes; n++) {
        value_add(b, &list,
                  sched_label(base->snapshot->vocab, &base->snapshot->nodes[n].labels, axis->key));
    }
    for (size_t r = 0; r < b->rows.groups.n; r++) {
        const struct sched_group_row *row = &b->rows.groups.v[r];
        for (uint32_t i = 0; row->key == axis->key && i < row->n_values; i++) {
            value_add(b, &list, row->values[i].value);
        }
    }
    if (list.n == 0) {
        /* A key that no node has or could have: one value that nothing ever shows, so that the
         * solver's arrays have an element. */
        VEC_PUSH(b->arena, &list, STRID_EMPTY);
    }
    axis->values = list.v;
    axis->n_values = (uint32_t)list.n;
}

/* The nodes that a row looks at; false when that makes no difference, because no pod it counts may
 * go anywhere else. */
static bool filter_matters(struct sched_build *b, const struct sched_group_row *row,
                           uint64_t **ret_cells, uint64_t **ret_nodes)
{
    const struct sched_base *base = b->problem->base;
    const struct sched_offers *o = base->offers;
    const struct sched_snapshot *s = base->snapshot;
    if (row->filter == NULL || (!row->affinity_honor && !row->taints_honor)) {
        return false;
    }
    uint64_t *cells = ARENA_ARRAY(b->arena, uint64_t, b->cell_words);
    uint64_t *nodes = ARENA_ARRAY(b->arena, uint64_t, b->node_words);
    sched_cells_filtered(o, row->filter, row->affinity_honor, row->taints_honor, b->arena, cells);
    for (uint32_t n = 0; n < s->n_nodes; n++) {
        if (sched_node_admits(s, &s->nodes[n], row->filter, row->affinity_honor,
                              row->taints_honor)) {
            bits_set(nodes, n);
        }
    }
    const uint64_t *targets = unit_set(b, row->targets);
    bool matters = false;
    for (size_t u = bits_next(targets, b->n_units, 0); u < b->n_units && !matters;
         u = bits_next(targets, b->n_units, u + 1)) {
        matters = !bits_subset(b->unit_cells + u * b->cell_words, cells, b->cell_words) ||
                  !bits_subset(b->unit_nodes + u * b->node_words, nodes, b->node_words);
    }
    *ret_cells = cells;
    *ret_nodes = nodes;
    return matters;
}

static bool same_axis(const struct sched_build *b, const struct sched_axis *x,
                      const struct sched_axis *y)
{
    if (x->key != y->key || (x->cells == NULL) != (y->cells == NULL)) {
        return false;
    }
    return x->cells == NULL || (bits_equal(x->cells, y->cells, b->cell_words) &&
                                bits_equal(x->nodes, y->nodes, b->node_words));
}

/* Beyond the number of axes that can be planned together: the units that carry the rule get no
 * place, so nothing else depends on it. */
static void give_up_carriers(struct sched_build *b, const struct sched_group_row *row)
{
    const uint64_t *carriers = unit_set(b, row->carriers);
    for (size_t u = bits_next(carriers, b->n_units, 0); u < b->n_units;
         u = bits_next(carriers, b->n_units, u + 1)) {
        for (size_t w = 0; w < b->cell_words; w++) {
            b->unit_cells[u * b->cell_words + w] = 0;
        }
        for (size_t w = 0; w < b->node_words; w++) {
            b->unit_nodes[u * b->node_words + w] = 0;
        }
    }
}

/* Rows are in an order of text, so axes are too. */
void sched_axes_new(struct sched_build *b)
{
    b->axis_of = ARENA_ARRAY(b->arena, uint32_t, b->rows.groups.n);
    b->axes = ARENA_ARRAY(b->arena, struct sched_axis, b->rows.groups.n);
    for (size_t r = 0; r < b->rows.groups.n; r++) {
        struct sched_axis axis = {.key = b->rows.groups.v[r].key};
        uint64_t *cells = NULL, *nodes = NULL;
        if (filter_matters(b, &b->rows.groups.v[r], &cells, &nodes)) {
            axis.cells = cells;
            axis.nodes = nodes;
        }
        uint32_t at = 0;
        while (at < b->n_axes && !same_axis(b, &b->axes[at], &axis)) {
            at++;
        }
        if (at == BP_MAX_AXES) {
            b->axis_of[r] = SCHED_NONE;
            give_up_carriers(b, &b->rows.groups.v[r]);
            continue;
        }
        if (at == b->n_axes) {
            b->axes[b->n_axes++] = axis;
        }
        b->axis_of[r] = at;
    }
    uint32_t *n_values = ARENA_ARRAY(b->arena, uint32_t, b->n_axes);
    for (uint32_t a = 0; a < b->n_axes; a++) {
        axis_values(b, &b->axes[a]);
        n_values[a] = b->axes[a].n_values;
    }
    b->problem->bp.n_axis_values = n_values;
}

static uint32_t axis_value(const struct sched_axis *axis, strid value)
{
    for (uint32_t i = 0; i < axis->n_values; i++) {
        if (axis->values[i] == value) {
            return i;
        }
    }
    return BP_NO_VALUE;
}

uint32_t sched_axis_of_cell(const struct sched_build *b, const struct sched_axis *axis,
                            uint32_t cell_i)
{
    const struct sched_offers *o = b->problem->base->offers;
    if (axis->cells != NULL && !bits_get(axis->cells, cell_i)) {
        return BP_NO_VALUE;
    }
    return axis_value(axis, sched_cell_label(o, &o->cells[cell_i], axis->key));
}

uint32_t sched_axis_of_node(const struct sched_build *b, const struct sched_axis *axis,
                            uint32_t node_i)
{
    const struct sched_snapshot *s = b->problem->base->snapshot;
    if (axis->nodes != NULL && !bits_get(axis->nodes, node_i)) {
        return BP_NO_VALUE;
    }
    return axis_value(axis, sched_label(s->vocab, &s->nodes[node_i].labels, axis->key));
}

/* Pods of the classes in one unit of the kind that holds most of them. */
static uint32_t most_in_unit(const struct sched_build *b, const uint64_t *classes)
{
    uint32_t most = 0;
    for (uint32_t u = 0; u < b->n_units; u++) {
        uint32_t n = 0;
        for (uint32_t k = 0; k < b->units.v[u].n; k++) {
            n += bits_get(classes, b->units.v[u].items[k].class_i) ? b->units.v[u].items[k].count
                                                                   : 0;
        }
        most = n > most ? n : most;
    }
    return most;
}

/* Caps count units. Where units hold several pods each, so many units are allowed as never break
 * the rule: fewer than it allows at times, so the bound may not use such a cap. */
static struct bp_cap cap_of(const struct sched_build *b, const struct sched_cap_row *row)
{
    uint32_t most = most_in_unit(b, row->members), n_offerings = (uint32_t)b->offerings.n;
    struct bp_cap cap = {
        .max = row->max, .necessary = row->necessary, .members = unit_set(b, row->members)};
    uint32_t *max_at = row->max_at == NULL ? NULL : ARENA_ARRAY(b->arena, uint32_t, n_offerings);
    if (most > 1) {
        cap.max = row->max / most > 0 || row->max == 0 ? row->max / most : 1;
        cap.necessary = false;
    }
    for (uint32_t k = 0; max_at != NULL && k < n_offerings; k++) {
        uint32_t node_i = b->refs.v[k].node_i;
        max_at[k] = node_i == SCHED_NONE ? cap.max : row->max_at[node_i] / (most > 1 ? most : 1);
    }
    cap.max_at = max_at;
    return cap;
}

/* A class with a maximum of its own that is spread over several kinds of units needs a cap over
 * them. */
static void add_split_caps(struct sched_build *b)
{
    const struct sched_classes *classes = &b->problem->classes;
    for (uint32_t i = 0; i < classes->n && b->n_bundles > 0; i++) {
        uint64_t *self = ARENA_ARRAY(b->arena, uint64_t, bits_words(classes->n));
        bits_set(self, i);
        if (b->rows.max_per_node[i] != BP_UNLIMITED &&
            bits_count(unit_set(b, self), b->unit_words) > 1) {
            VEC_PUSH(b->arena, &b->rows.caps,
                     (struct sched_cap_row){
                         .max = b->rows.max_per_node[i], .necessary = true, .members = self});
        }
    }
}

static void finish_caps(struct sched_build *b)
{
    struct bp_problem *bp = &b->problem->bp;
    add_split_caps(b);
    struct bp_cap *caps = ARENA_ARRAY(b->arena, struct bp_cap, b->rows.caps.n);
    for (size_t r = 0; r < b->rows.caps.n; r++) {
        caps[r] = cap_of(b, &b->rows.caps.v[r]);
    }
    bp->n_caps = (uint32_t)b->rows.caps.n;
    bp->caps = caps;
}

static void finish_exclusions(struct sched_build *b)
{
    struct bp_problem *bp = &b->problem->bp;
    struct bp_exclusion *exclusions =
        ARENA_ARRAY(b->arena, struct bp_exclusion, b->rows.exclusions.n);
    for (size_t r = 0; r < b->rows.exclusions.n; r++) {
        exclusions[r] = (struct bp_exclusion){.a = unit_set(b, b->rows.exclusions.v[r].a),
                                              .b = unit_set(b, b->rows.exclusions.v[r].b)};
    }
    bp->n_exclusions = (uint32_t)b->rows.exclusions.n;
    bp->exclusions = exclusions;
}

/* ---- limits and varieties */

static const struct sched_offer *offer_of(const struct sched_build *b, uint32_t k)
{
    const struct sched_problem_offering *ref = &b->refs.v[k];
    return ref->node_i == SCHED_NONE ? &b->problem->base->offers->v[ref->offer_i] : NULL;
}

static uint32_t pool_of(const struct sched_build *b, const struct sched_offer *offer)
{
    const struct sched_offers *o = b->problem->base->offers;
    return o->variants.v[o->cells[offer->cell_i].variant_i].pool_i;
}

static void pool_limits(struct sched_build *b, uint32_t pool_i, struct limit_list *limits)
{
    const struct sched_base *base = b->problem->base;
    const struct sched_pool *pool = &base->snapshot->pools[pool_i];
    for (uint32_t r = 0; r < pool->limits_left.n; r++) {
        const struct k8s_quantity *left = &pool->limits_left.v[r];
        int64_t *use = ARENA_ARRAY(b->arena, int64_t, b->offerings.n);
        bool any = false;
        for (uint32_t k = 0; k < b->offerings.n; k++) {
            const struct sched_offer *offer = offer_of(b, k);
            if (offer == NULL || pool_of(b, offer) != pool_i) {
                continue;
            }
            use[k] = left->resource == base->snapshot->words->nodes
                         ? 1
                         : k8s_resources_get(&base->offers->rooms[offer->room_i].room.capacity,
                                             left->resource);
            any = any || use[k] > 0;
        }
        if (any) {
            VEC_PUSH(b->arena, limits, (struct bp_limit){.max = left->value, .use = use});
        }
    }
}

/* One row for each reservation that several offerings draw on; a single one has its stock. */
static void reservation_limits(struct sched_build *b, struct limit_list *limits)
{
    for (uint32_t k = 0; k < b->offerings.n; k++) {
        const struct sched_offer *first = offer_of(b, k);
        if (first == NULL || first->reservation_id == STRID_EMPTY) {
            continue;
        }
        int64_t *use = ARENA_ARRAY(b->arena, int64_t, b->offerings.n);
        uint32_t n = 0, count = first->reservation_count;
        bool earlier = false;
        for (uint32_t j = 0; j < b->offerings.n; j++) {
            const struct sched_offer *offer = offer_of(b, j);
            if (offer != NULL && offer->reservation_id == first->reservation_id) {
                earlier = earlier || j < k;
                count = offer->reservation_count < count ? offer->reservation_count : count;
                use[j] = 1;
                n++;
            }
        }
        if (!earlier && n > 1) {
            VEC_PUSH(b->arena, limits, (struct bp_limit){.max = count, .use = use});
        }
    }
}

/* One row of the spot offerings of one pool, or with NULL of all spot offerings by their vCPU. */
static void spot_limit(struct sched_build *b, int64_t max, const struct sched_spot_pool *pool,
                       struct limit_list *limits)
{
    const struct catalog *catalog = b->problem->base->snapshot->catalog;
    int64_t *use = ARENA_ARRAY(b->arena, int64_t, b->offerings.n);
    bool any = false;
    for (uint32_t k = 0; k < b->offerings.n; k++) {
        const struct sched_offer *offer = offer_of(b, k);
        if (offer == NULL || offer->capacity_type != CAT_SPOT ||
            (pool != NULL && (offer->type_i != pool->type_i || offer->zone_i != pool->zone_i))) {
            continue;
        }
        use[k] = pool != NULL ? 1 : catalog->types[offer->type_i].vcpu;
        any = true;
    }
    if (any) {
        VEC_PUSH(b->arena, limits, (struct bp_limit){.max = max, .use = use});
    }
}

static void spot_limits(struct sched_build *b, struct limit_list *limits)
{
    const struct sched_spot_caps *caps = &b->problem->base->snapshot->settings.spot;
    if (caps->vcpu.has) {
        spot_limit(b, caps->vcpu.v, NULL, limits);
    }
    for (uint32_t i = 0; i < caps->n_tight; i++) {
        spot_limit(b, caps->per_pool, &caps->tight[i], limits);
    }
}

static void finish_limits(struct sched_build *b)
{
    struct limit_list limits = {0};
    for (uint32_t p = 0; p < b->problem->base->snapshot->n_pools; p++) {
        pool_limits(b, p, &limits);
    }
    reservation_limits(b, &limits);
    spot_limits(b, &limits);
    b->problem->bp.n_limits = (uint32_t)limits.n;
    b->problem->bp.limits = limits.v;
}

static void finish_varieties(struct sched_build *b)
{
    const struct sched_base *base = b->problem->base;
    const struct sched_snapshot *s = base->snapshot;
    VEC(struct bp_variety) varieties = {0};
    for (uint32_t p = 0; p < s->n_pools && !s->settings.best_effort_min_values; p++) {
        const struct karp_nodepool *pool = s->pools[p].pool;
        for (uint32_t r = 0; r < pool->n_requirements; r++) {
            if (!pool->requirements[r].min_values.has) {
                continue;
            }
            strid key = sched_key(s->vocab, pool->requirements[r].key);
            uint32_t *value = ARENA_ARRAY(b->arena, uint32_t, b->offerings.n);
            for (uint32_t k = 0; k < b->offerings.n; k++) {
                const struct sched_offer *offer = offer_of(b, k);
                value[k] = offer != NULL && pool_of(b, offer) == p
                               ? sched_offer_label(base->offers, offer, key)
                               : BP_NO_VALUE;
            }
            VEC_PUSH(b->arena, &varieties,
                     (struct bp_variety){.min_values = (uint32_t)pool->requirements[r].min_values.v,
                                         .value = value});
        }
    }
    b->problem->bp.n_varieties = (uint32_t)varieties.n;
    b->problem->bp.varieties = varieties.v;
}

/* ---- groups */

static int family_cmp(const void *a, const void *b)
{
    return str_cmp(str_of(*(const char *const *)a), str_of(*(const char *const *)b));
}

static void name_families(struct sched_build *b)
{
    const char **names = ARENA_ARRAY(b->arena, const char *, b->rows.groups.n);
    uint32_t n = 0;
    for (size_t r = 0; r < b->rows.groups.n; r++) {
        uint32_t k = 0;
        while (k < n && !str_eq(str_of(names[k]), str_of(b->rows.groups.v[r].family))) {
            k++;
        }
        if (k == n) {
            names[n++] = b->rows.groups.v[r].family;
        }
    }
    if (n > 0) {
        qsort(names, n, sizeof *names, family_cmp);
    }
    b->problem->bp.n_families = n;
    b->problem->bp.family_names = names;
}

static void finish_group(struct sched_build *b, size_t row_i, struct bp_group *group)
{
    const struct bp_problem *bp = &b->problem->bp;
    const struct sched_group_row *row = &b->rows.groups.v[row_i];
    uint32_t axis_i = b->axis_of[row_i], family = 0;
    while (!str_eq(str_of(bp->family_names[family]), str_of(row->family))) {
        family++;
    }
    const struct sched_axis *axis = &b->axes[axis_i];
    uint32_t *base = ARENA_ARRAY(b->arena, uint32_t, axis->n_values);
    uint64_t *eligible = ARENA_ARRAY(b->arena, uint64_t, bits_words(axis->n_values));
    for (uint32_t i = 0; i < row->n_values; i++) {
        uint32_t value = axis_value(axis, row->values[i].value);
        base[value] = row->values[i].base;
        if (row->values[i].eligible) {
            bits_set(eligible, value);
        }
    }
    *group = (struct bp_group){.kind = row->kind,
                               .axis = axis_i,
                               .max_skew = row->max_skew,
                               .min_domains = row->min_domains,
                               .self_start = row->self_start,
                               .carriers = unit_set(b, row->carriers),
                               .targets = unit_set(b, row->targets),
                               .base = base,
                               .eligible = eligible,
                               .family = family};
}

void sched_rows_finish(struct sched_build *b)
{
    finish_caps(b);
    finish_exclusions(b);
    finish_limits(b);
    finish_varieties(b);
    name_families(b);
    struct bp_group *groups = ARENA_ARRAY(b->arena, struct bp_group, b->rows.groups.n);
    uint32_t n_groups = 0;
    for (size_t r = 0; r < b->rows.groups.n; r++) {
        if (b->axis_of[r] != SCHED_NONE) {
            finish_group(b, r, &groups[n_groups++]);
        }
    }
    b->problem->bp.n_groups = n_groups;
    b->problem->bp.groups = groups;
}
