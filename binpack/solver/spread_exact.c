/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "binpack/solver/spread_exact.h"

#include "base/arena.h"
#include "base/bitset.h"
#include "binpack/solver/verify_groups.h"

#include <string.h>

/* A cost that also counts nodes with a price: nano-dollars * 64 + nodes. */
typedef int64_t cost_t;
#define NO_COST INT64_MAX

/* One offering that may be used a limited number of times, once for each use. */
struct stage {
    uint32_t offering_i;
    uint16_t *take; /* [n_states] the state it holds, 0: nothing */
};

struct tuple {
    cost_t *least;     /* [n_states] */
    uint16_t *take;    /* [n_states] what one more node of unlimited stock holds */
    uint32_t *take_on; /* [n_states] and its offering */
    uint32_t n_stages;
    struct stage *stages; /* [n_stages] after the unlimited ones */
};

struct entry {
    uint64_t left; /* pods left out, by priority */
    cost_t cost;
    uint32_t index;         /* listed as the index-th */
    const uint16_t *states; /* [n_tuples] */
};

struct exact {
    const struct bp_spread *s;
    const struct bp_problem *p;
    struct arena *arena;
    uint32_t n_states;
    uint32_t *stride;     /* [n_classes] */
    uint8_t *digits;      /* [n_states][n_classes] */
    uint32_t *shift;      /* [n_classes] of its priority in `left` */
    struct tuple *tuples; /* [n_tuples] */
    struct entry *entries;
    uint32_t n_entries;
    uint16_t *state;                    /* [n_tuples] of the distribution that is being listed */
    uint32_t *group_at;                 /* [n_groups] into the counts below, one for each value */
    uint32_t n_values;                  /* of all groups */
    int64_t *targets, *carriers, *both; /* [n_values] pods; targets with those that run already */
    uint64_t known_left;                /* of the plan to beat */
    cost_t known_cost;
    uint64_t steps;
};

/* ------------------------------------------------------------------ states */

static const uint8_t *digits_of(const struct exact *e, uint32_t state)
{
    return &e->digits[(size_t)state * e->p->n_classes];
}

static bool is_within(const struct exact *e, uint32_t part, uint32_t whole)
{
    const uint8_t *a = digits_of(e, part);
    const uint8_t *b = digits_of(e, whole);
    for (uint32_t i = 0; i < e->p->n_classes; i++) {
        if (a[i] > b[i]) {
            return false;
        }
    }
    return true;
}

/* Where each priority counts its pods: six bits each, the highest on top. */
static bool assign_shifts(struct exact *e)
{
    uint32_t n_levels = 0;
    for (uint32_t i = 0; i < e->p->n_classes; i++) {
        uint32_t below = 0;
        for (uint32_t j = 0; j < e->p->n_classes; j++) {
            bool first = true;
            for (uint32_t h = 0; h < j; h++) {
                first &= e->p->classes[h].priority != e->p->classes[j].priority;
            }
            below += first && e->p->classes[j].priority < e->p->classes[i].priority;
        }
        e->shift[i] = 6 * below;
        n_levels = below + 1 > n_levels ? below + 1 : n_levels;
    }
    return n_levels <= 10;
}

static bool open_states(struct exact *e)
{
    const struct bp_problem *p = e->p;
    uint64_t n_states = 1, n_pods = 0;
    if (p->n_classes > BP_EXACT_PODS) {
        return false;
    }
    e->stride = ARENA_ARRAY(e->arena, uint32_t, p->n_classes);
    e->shift = ARENA_ARRAY(e->arena, uint32_t, p->n_classes);
    for (uint32_t i = 0; i < p->n_classes; i++) {
        e->stride[i] = (uint32_t)n_states;
        n_states *= (uint64_t)p->classes[i].demand + 1;
        n_pods += (uint64_t)p->classes[i].demand * p->classes[i].weight;
        if (n_states > BP_EXACT_STATES || n_pods > BP_EXACT_PODS) {
            return false;
        }
    }
    e->n_states = (uint32_t)n_states;
    e->digits = ARENA_ARRAY(e->arena, uint8_t, n_states * p->n_classes);
    for (uint32_t s = 0; s < e->n_states; s++) {
        for (uint32_t i = 0; i < p->n_classes; i++) {
            e->digits[(size_t)s * p->n_classes + i] =
                (uint8_t)(s / e->stride[i] % (p->classes[i].demand + 1));
        }
    }
    return assign_shifts(e);
}

/* ------------------------------------------------------------------ one node */

static uint32_t count_members(const struct exact *e, const uint64_t *members, const uint8_t *n)
{
    uint32_t sum = 0;
    for (uint32_t i = 0; i < e->p->n_classes; i++) {
        sum += bits_get(members, i) ? n[i] : 0;
    }
    return sum;
}

static bool fits_by_size(const struct exact *e, uint32_t k, const uint8_t *n)
{
    const struct bp_problem *p = e->p;
    for (uint32_t i = 0; i < p->n_classes; i++) {
        if (n[i] > 0 && !bits_get(&p->mask[i * bits_words(p->n_domains)], p->offerings[k].domain)) {
            return false;
        }
    }
    for (uint32_t d = 0; d < p->n_dims; d++) {
        int64_t sum = 0;
        for (uint32_t i = 0; i < p->n_classes; i++) {
            sum += p->size[(size_t)i * p->n_dims + d] * n[i];
        }
        if (sum > p->capacity[(size_t)k * p->n_dims + d]) {
            return false;
        }
    }
    for (uint32_t x = 0; x < p->n_caps; x++) {
        const struct bp_cap *cap = &p->caps[x];
        uint32_t max = cap->max_at == NULL ? cap->max : cap->max_at[k];
        if (count_members(e, cap->members, n) > max) {
            return false;
        }
    }
    return true;
}

static bool is_compatible(const struct exact *e, const uint8_t *n)
{
    const struct bp_problem *p = e->p;
    for (uint32_t i = 0; i < p->n_classes; i++) {
        if (n[i] > p->classes[i].max_per_node) {
            return false;
        }
    }
    for (uint32_t x = 0; x < p->n_exclusions; x++) {
        for (uint32_t i = 0; i < p->n_classes; i++) {
            for (uint32_t j = 0; j < p->n_classes && n[i] > 0; j++) {
                if (i != j && n[j] > 0 && bits_get(p->exclusions[x].a, i) &&
                    bits_get(p->exclusions[x].b, j)) {
                    return false;
                }
            }
        }
    }
    return true;
}

static bool is_varied(struct exact *e, uint32_t k, const uint8_t *n)
{
    const struct bp_problem *p = e->p;
    for (uint32_t x = 0; x < p->n_varieties; x++) {
        const struct bp_variety *variety = &p->varieties[x];
        if (variety->value[k] == BP_NO_VALUE) {
            continue;
        }
        struct arena_mark mark = arena_mark(e->arena);
        uint32_t *seen = ARENA_ARRAY(e->arena, uint32_t, variety->min_values);
        uint32_t n_seen = 0;
        for (uint32_t j = 0; j < p->n_offerings && n_seen < variety->min_values; j++) {
            bool known = variety->value[j] == BP_NO_VALUE;
            for (uint32_t y = 0; y < n_seen && !known; y++) {
                known = seen[y] == variety->value[j];
            }
            if (!known && fits_by_size(e, j, n)) {
                seen[n_seen++] = variety->value[j];
            }
            e->steps += p->n_dims * p->n_classes;
        }
        arena_rewind(e->arena, mark);
        if (n_seen < variety->min_values) {
            return false;
        }
    }
    return true;
}

static bool holds(struct exact *e, uint32_t k, uint32_t state)
{
    const uint8_t *n = digits_of(e, state);
    e->steps += e->p->n_dims * e->p->n_classes;
    return fits_by_size(e, k, n) && is_compatible(e, n) && is_varied(e, k, n);
}

static cost_t node_cost(const struct exact *e, uint32_t k)
{
    const struct bp_offering *offering = &e->p->offerings[k];
    return offering->price * 64 + !offering->running;
}

/* ------------------------------------------------------------------ the least cost of every state
 * under a tuple */

/* cheapest[s], cheapest_on[s]: one node of unlimited stock that holds exactly the state. */
static void find_single_nodes(struct exact *e, uint32_t tuple_i, cost_t *cheapest,
                              uint32_t *cheapest_on)
{
    const struct bp_problem *p = e->p;
    for (uint32_t s = 1; s < e->n_states; s++) {
        cheapest[s] = NO_COST;
    }
    for (uint32_t k = 0; k < p->n_offerings && e->steps < BP_EXACT_STEPS; k++) {
        if (e->s->tuple_of_domain[p->offerings[k].domain] != tuple_i ||
            p->offerings[k].stock != BP_UNLIMITED) {
            continue;
        }
        for (uint32_t s = 1; s < e->n_states; s++) {
            if (node_cost(e, k) < cheapest[s] && holds(e, k, s)) {
                cheapest[s] = node_cost(e, k);
                cheapest_on[s] = k;
            }
        }
    }
}

static void use_unlimited(struct exact *e, uint32_t tuple_i)
{
    struct tuple *t = &e->tuples[tuple_i];
    cost_t *cheapest = ARENA_ARRAY(e->arena, cost_t, e->n_states);
    uint32_t *cheapest_on = ARENA_ARRAY(e->arena, uint32_t, e->n_states);
    find_single_nodes(e, tuple_i, cheapest, cheapest_on);
    for (uint32_t s = 1; s < e->n_states && e->steps < BP_EXACT_STEPS; s++) {
        t->least[s] = NO_COST;
        for (uint32_t part = 1; part <= s; part++) {
            if (cheapest[part] == NO_COST || t->least[s - part] == NO_COST ||
                t->least[s - part] + cheapest[part] >= t->least[s] || !is_within(e, part, s)) {
                continue;
            }
            t->least[s] = t->least[s - part] + cheapest[part];
            t->take[s] = (uint16_t)part;
            t->take_on[s] = cheapest_on[part];
        }
        e->steps += s;
    }
}

/* One use of an offering with finite stock. */
static void use_once(struct exact *e, struct tuple *t, uint32_t k)
{
    struct stage *stage = &t->stages[t->n_stages++];
    *stage = (struct stage){.offering_i = k, .take = ARENA_ARRAY(e->arena, uint16_t, e->n_states)};
    bool *can = ARENA_ARRAY(e->arena, bool, e->n_states);
    for (uint32_t s = 1; s < e->n_states; s++) {
        can[s] = holds(e, k, s);
    }
    for (uint32_t s = e->n_states - 1; s > 0 && e->steps < BP_EXACT_STEPS; s--) {
        for (uint32_t part = 1; part <= s; part++) {
            if (can[part] && t->least[s - part] != NO_COST &&
                t->least[s - part] + node_cost(e, k) < t->least[s] && is_within(e, part, s)) {
                t->least[s] = t->least[s - part] + node_cost(e, k);
                stage->take[s] = (uint16_t)part;
            }
        }
        e->steps += s;
    }
}

static bool solve_tuples(struct exact *e)
{
    const struct bp_problem *p = e->p;
    uint32_t n_pods = 0;
    for (uint32_t i = 0; i < p->n_classes; i++) {
        n_pods += p->classes[i].demand;
    }
    e->tuples = ARENA_ARRAY(e->arena, struct tuple, e->s->n_tuples);
    for (uint32_t t = 0; t < e->s->n_tuples; t++) {
        uint64_t n_stages = 0;
        for (uint32_t k = 0; k < p->n_offerings; k++) {
            if (e->s->tuple_of_domain[p->offerings[k].domain] == t &&
                p->offerings[k].stock != BP_UNLIMITED) {
                n_stages += p->offerings[k].stock < n_pods ? p->offerings[k].stock : n_pods;
            }
        }
        if (n_stages * e->n_states * e->n_states / 2 > BP_EXACT_STEPS) {
            return false;
        }
        e->tuples[t] = (struct tuple){.least = ARENA_ARRAY(e->arena, cost_t, e->n_states),
                                      .take = ARENA_ARRAY(e->arena, uint16_t, e->n_states),
                                      .take_on = ARENA_ARRAY(e->arena, uint32_t, e->n_states),
                                      .stages = ARENA_ARRAY(e->arena, struct stage, n_stages)};
        use_unlimited(e, t);
        for (uint32_t k = 0; k < p->n_offerings; k++) {
            const struct bp_offering *offering = &p->offerings[k];
            bool here = e->s->tuple_of_domain[offering->domain] == t;
            for (uint32_t x = 0;
                 here && offering->stock != BP_UNLIMITED && x < offering->stock && x < n_pods;
                 x++) {
                use_once(e, &e->tuples[t], k);
            }
        }
        if (e->steps >= BP_EXACT_STEPS) {
            return false;
        }
    }
    return true;
}

/* ------------------------------------------------------------------ all distributions */

/* Pods of every role in every value of every group. */
static void count_roles(struct exact *e)
{
    const struct bp_problem *p = e->p;
    memset(e->carriers, 0, e->n_values * sizeof *e->carriers);
    memset(e->both, 0, e->n_values * sizeof *e->both);
    for (uint32_t g = 0; g < p->n_groups; g++) {
        for (uint32_t v = 0; v < p->n_axis_values[p->groups[g].axis]; v++) {
            e->targets[e->group_at[g] + v] = p->groups[g].base == NULL ? 0 : p->groups[g].base[v];
        }
    }
    for (uint32_t t = 0; t < e->s->n_tuples; t++) {
        for (uint32_t i = 0; i < p->n_classes && e->state[t] > 0; i++) {
            int64_t pods = (int64_t)digits_of(e, e->state[t])[i] * p->classes[i].weight;
            for (uint32_t r = e->s->role_at[i]; r < e->s->role_at[i + 1] && pods > 0; r++) {
                const struct bp_spread_role *role = &e->s->roles[r];
                uint32_t v = bp_spread_value(e->s, t, role->group_i);
                uint32_t at = v == BP_NO_VALUE ? 0 : e->group_at[role->group_i] + v;
                bool carrier = (role->bits & BP_SPREAD_CARRIER) != 0;
                bool target = (role->bits & BP_SPREAD_TARGET) != 0;
                e->carriers[at] += v != BP_NO_VALUE && carrier ? pods : 0;
                e->targets[at] += v != BP_NO_VALUE && target ? pods : 0;
                e->both[at] += v != BP_NO_VALUE && carrier && target ? pods : 0;
            }
        }
    }
}

static int64_t final_min(const struct exact *e, uint32_t group_i)
{
    const struct bp_group *group = &e->p->groups[group_i];
    uint32_t n_values = e->p->n_axis_values[group->axis];
    size_t n_eligible = bits_count(group->eligible, bits_words(n_values));
    int64_t min = INT64_MAX;
    for (size_t v = bits_next(group->eligible, n_values, 0); v < n_values;
         v = bits_next(group->eligible, n_values, v + 1)) {
        int64_t n = e->targets[e->group_at[group_i] + v];
        min = n < min ? n : min;
    }
    return n_eligible == 0 || n_eligible < group->min_domains ? 0 : min;
}

/* What no order can make good: necessary conditions on the final counts, so that few distributions
 * need a replay. What APART refuses is refused for every larger distribution too. */
static bool may_have_order(struct exact *e, bool final)
{
    const struct bp_problem *p = e->p;
    count_roles(e);
    for (uint32_t g = 0; g < p->n_groups; g++) {
        const struct bp_group *group = &p->groups[g];
        int64_t min = group->kind == BP_GROUP_SPREAD && final ? final_min(e, g) : 0;
        uint32_t n_starts = 0;
        for (uint32_t v = 0; v < p->n_axis_values[group->axis]; v++) {
            uint32_t at = e->group_at[g] + v;
            int64_t base = group->base == NULL ? 0 : group->base[v];
            if (e->carriers[at] == 0) {
                continue;
            }
            if (group->kind == BP_GROUP_APART && e->targets[at] > 0 &&
                !(e->targets[at] == 1 && e->carriers[at] == 1 && e->both[at] == 1)) {
                return false;
            }
            if (final && group->kind == BP_GROUP_SPREAD &&
                base + e->both[at] > group->max_skew + min) {
                return false;
            }
            n_starts +=
                group->kind == BP_GROUP_TOGETHER && base == 0 && e->targets[at] == e->both[at];
        }
        if (final && n_starts > (group->self_start ? 1U : 0U)) {
            return false;
        }
    }
    return true;
}

static bool finish_entry(struct exact *e, uint64_t left, cost_t cost)
{
    if (!may_have_order(e, /* final= */ true)) {
        return true;
    }
    if (e->n_entries == BP_EXACT_DISTRIBUTIONS) {
        return false;
    }
    e->entries[e->n_entries] =
        (struct entry){.left = left,
                       .cost = cost,
                       .index = e->n_entries,
                       .states = (const uint16_t *)(const void *)arena_copy(
                           e->arena, e->state, e->s->n_tuples * sizeof *e->state)};
    e->n_entries++;
    return true;
}

/* Units of class i from tuple t on, with what is left out and the cost so far; false when there are
 * too many distributions. */
static bool distribute(struct exact *e, uint32_t i, uint32_t t, uint32_t units, uint64_t left,
                       cost_t cost)
{
    if (left > e->known_left || (left == e->known_left && cost >= e->known_cost)) {
        return true;
    }
    if (i == e->p->n_classes) {
        return finish_entry(e, left, cost);
    }
    e->steps += e->p->n_classes * e->s->n_tuples;
    if (t == e->s->n_tuples) {
        if (i + 1 < e->p->n_classes && !may_have_order(e, /* final= */ false)) {
            return true;
        }
        left += (uint64_t)units * e->p->classes[i].weight << e->shift[i];
        uint32_t next = i + 1 < e->p->n_classes ? e->p->classes[i + 1].demand : 0;
        return distribute(e, i + 1, 0, next, left, cost);
    }
    const cost_t *least = e->tuples[t].least;
    uint16_t was = e->state[t];
    bool ok = true;
    for (uint32_t n = 0; n <= units && ok && least[e->state[t]] != NO_COST; n++) {
        ok = distribute(e, i, t + 1, units - n, left, cost - least[was] + least[e->state[t]]);
        e->state[t] = (uint16_t)(e->state[t] + e->stride[i] * (n < units));
    }
    e->state[t] = was;
    return ok && e->steps < 2 * (uint64_t)BP_EXACT_STEPS;
}

static bool is_before(const struct entry *a, const struct entry *b)
{
    return a->left != b->left   ? a->left < b->left
           : a->cost != b->cost ? a->cost < b->cost
                                : a->index < b->index;
}

static void sift(struct entry *heap, uint32_t n, uint32_t i)
{
    for (;;) {
        uint32_t child = 2 * i + 1;
        if (child >= n) {
            return;
        }
        child += child + 1 < n && is_before(&heap[child + 1], &heap[child]);
        if (!is_before(&heap[child], &heap[i])) {
            return;
        }
        struct entry swap = heap[i];
        heap[i] = heap[child];
        heap[child] = swap;
        i = child;
    }
}

static bool has_order(struct exact *e, const struct entry *entry)
{
    struct arena_mark mark = arena_mark(e->arena);
    const struct bp_problem *p = e->p;
    struct bp_placing *placings =
        ARENA_ARRAY(e->arena, struct bp_placing, e->s->n_tuples * p->n_classes);
    uint32_t n = 0;
    for (uint32_t d = 0; d < p->n_domains; d++) {
        uint32_t t = e->s->tuple_of_domain[d];
        bool first = true; /* one domain stands for its tuple */
        for (uint32_t c = 0; c < d && first; c++) {
            first = e->s->tuple_of_domain[c] != t;
        }
        for (uint32_t i = 0; i < p->n_classes && first; i++) {
            uint32_t units = digits_of(e, entry->states[t])[i];
            if (units > 0) {
                placings[n++] = (struct bp_placing){.class_i = i, .domain_i = d, .units = units};
            }
        }
    }
    struct err err;
    bool ok = bp_verify_groups(p, n, placings, NULL, e->arena, &err);
    arena_rewind(e->arena, mark);
    return ok;
}

static void measure_known(struct exact *e, const struct bp_solution *known)
{
    e->known_left = 0;
    e->known_cost = 0;
    for (uint32_t i = 0; i < e->p->n_classes; i++) {
        e->known_left += (uint64_t)known->unplaced[i] * e->p->classes[i].weight << e->shift[i];
    }
    for (uint32_t x = 0; x < known->n_nodes; x++) {
        e->known_cost += node_cost(e, known->nodes[x].offering_i);
    }
}

/* The best distribution with an order. */
static enum bp_exact_answer find_best(struct exact *e, uint32_t *ret_n_replays)
{
    e->entries = ARENA_ARRAY(e->arena, struct entry, BP_EXACT_DISTRIBUTIONS);
    e->state = ARENA_ARRAY(e->arena, uint16_t, e->s->n_tuples);
    e->group_at = ARENA_ARRAY(e->arena, uint32_t, e->p->n_groups);
    for (uint32_t g = 0; g < e->p->n_groups; g++) {
        e->group_at[g] = e->n_values;
        e->n_values += e->p->n_axis_values[e->p->groups[g].axis];
    }
    e->targets = ARENA_ARRAY(e->arena, int64_t, e->n_values + 1);
    e->carriers = ARENA_ARRAY(e->arena, int64_t, e->n_values + 1);
    e->both = ARENA_ARRAY(e->arena, int64_t, e->n_values + 1);
    uint32_t first = e->p->n_classes > 0 ? e->p->classes[0].demand : 0;
    if (!distribute(e, 0, 0, first, 0, 0)) {
        return BP_EXACT_GAVE_UP;
    }
    for (uint32_t i = e->n_entries / 2; i-- > 0;) {
        sift(e->entries, e->n_entries, i);
    }
    for (uint32_t n = e->n_entries; n > 0; n--) {
        if (++*ret_n_replays > BP_EXACT_REPLAYS) {
            return BP_EXACT_GAVE_UP;
        }
        if (has_order(e, &e->entries[0])) {
            return BP_EXACT_FOUND;
        }
        e->entries[0] = e->entries[n - 1];
        sift(e->entries, n - 1, 0);
    }
    return BP_EXACT_NONE;
}

/* ------------------------------------------------------------------ the plan */

struct nodes {
    struct bp_node *v;
    uint32_t n;
};

static void add_node(const struct exact *e, struct nodes *nodes, uint32_t k, uint32_t state,
                     struct arena *arena)
{
    const struct bp_problem *p = e->p;
    struct bp_item *items = ARENA_ARRAY(arena, struct bp_item, p->n_classes);
    uint32_t n_items = 0;
    for (uint32_t i = 0; i < p->n_classes; i++) {
        if (digits_of(e, state)[i] > 0) {
            items[n_items++] = (struct bp_item){.class_i = i, .count = digits_of(e, state)[i]};
        }
    }
    uint32_t at = nodes->n++;
    for (; at > 0; at--) { /* running ones first, then by offering */
        const struct bp_node *last = &nodes->v[at - 1];
        bool running = p->offerings[k].running;
        bool last_running = p->offerings[last->offering_i].running;
        if (last_running > running || (last_running == running && last->offering_i <= k)) {
            break;
        }
        nodes->v[at] = nodes->v[at - 1];
    }
    nodes->v[at] = (struct bp_node){.offering_i = k, .n_items = n_items, .items = items};
}

static void write_plan(const struct exact *e, const struct entry *entry,
                       struct bp_solution *ret_plan, struct arena *arena)
{
    const struct bp_problem *p = e->p;
    uint32_t *unplaced = ARENA_ARRAY(arena, uint32_t, p->n_classes);
    struct nodes nodes = {.v = ARENA_ARRAY(arena, struct bp_node, BP_EXACT_PODS)};
    for (uint32_t i = 0; i < p->n_classes; i++) {
        unplaced[i] = p->classes[i].demand;
    }
    for (uint32_t x = 0; x < e->s->n_tuples; x++) {
        const struct tuple *t = &e->tuples[x];
        uint32_t state = entry->states[x];
        for (uint32_t i = 0; i < p->n_classes; i++) {
            unplaced[i] -= digits_of(e, state)[i];
        }
        for (uint32_t y = t->n_stages; y-- > 0;) {
            uint32_t part = t->stages[y].take[state];
            if (part > 0) {
                add_node(e, &nodes, t->stages[y].offering_i, part, arena);
                state -= part;
            }
        }
        while (state > 0) {
            add_node(e, &nodes, t->take_on[state], t->take[state], arena);
            state -= t->take[state];
        }
    }
    *ret_plan = (struct bp_solution){.n_nodes = nodes.n, .nodes = nodes.v, .unplaced = unplaced};
    for (uint32_t x = 0; x < nodes.n; x++) {
        ret_plan->cost += p->offerings[nodes.v[x].offering_i].price;
    }
}

static bool obeys_limits(const struct bp_problem *p, const struct bp_solution *plan)
{
    for (uint32_t r = 0; r < p->n_limits; r++) {
        int64_t sum = 0;
        for (uint32_t x = 0; x < plan->n_nodes; x++) {
            sum = sat_add(sum, p->limits[r].use[plan->nodes[x].offering_i]);
        }
        if (sum > p->limits[r].max) {
            return false;
        }
    }
    return true;
}

enum bp_exact_answer bp_spread_exact(const struct bp_spread *spread,
                                     const struct bp_solution *known, struct bp_solution *ret_plan,
                                     uint64_t *ret_work, struct arena *arena, struct arena *scratch)
{
    struct arena_mark mark = arena_mark(scratch);
    struct exact e = {.s = spread, .p = spread->problem, .arena = scratch};
    enum bp_exact_answer answer = BP_EXACT_GAVE_UP;
    uint32_t n_replays = 0;
    if (open_states(&e) && solve_tuples(&e)) {
        measure_known(&e, known);
        answer = find_best(&e, &n_replays);
    }
    if (answer == BP_EXACT_FOUND) {
        write_plan(&e, &e.entries[0], ret_plan, arena);
        answer = obeys_limits(spread->problem, ret_plan) ? BP_EXACT_FOUND : BP_EXACT_GAVE_UP;
    }
    *ret_work = e.steps / 1000 + e.n_entries / 10 + (uint64_t)n_replays * 10;
    arena_rewind(scratch, mark);
    return answer;
}
