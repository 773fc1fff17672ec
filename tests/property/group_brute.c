/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "tests/property/group_brute.h"

#include "base/bitset.h"

#include <assert.h>
#include <string.h>

enum { MAX_CELLS = BRUTE_MAX_CLASSES * BRUTE_MAX_OFFERINGS, MAX_STATES = 1 << 16 };

/* ------------------------------------------------------------------ orders */

struct cells {
    const struct bp_problem *p;
    uint32_t n;
    uint32_t class_i[MAX_CELLS], domain_i[MAX_CELLS], total[MAX_CELLS];
};

static uint32_t value_of(const struct bp_problem *p, uint32_t domain_i, uint32_t axis)
{
    return p->axis_value[domain_i * p->n_axes + axis];
}

/* Targets (or carriers) of a group that are in value v when `at` pods of each cell are placed. */
static uint32_t count_in(const struct cells *c, const uint32_t *at, const struct bp_group *g,
                         bool carriers, uint32_t v)
{
    uint32_t n = carriers || g->base == NULL ? 0 : g->base[v];
    for (uint32_t i = 0; i < c->n; i++) {
        if (bits_get(carriers ? g->carriers : g->targets, c->class_i[i]) &&
            value_of(c->p, c->domain_i[i], g->axis) == v) {
            n += at[i];
        }
    }
    return n;
}

static bool spread_allows(const struct cells *c, const uint32_t *at, const struct bp_group *g,
                          bool target, uint32_t v)
{
    uint32_t n_eligible = 0, min = UINT32_MAX;
    for (uint32_t x = 0; x < c->p->n_axis_values[g->axis]; x++) {
        if (bits_get(g->eligible, x)) {
            uint32_t n = count_in(c, at, g, false, x);
            min = n < min ? n : min;
            n_eligible++;
        }
    }
    if (n_eligible == 0 || n_eligible < g->min_domains) {
        min = 0;
    }
    return count_in(c, at, g, false, v) + target <= g->max_skew + min;
}

static bool together_allows(const struct cells *c, const uint32_t *at, const struct bp_group *g,
                            bool target, uint32_t v)
{
    if (count_in(c, at, g, false, v) > 0) {
        return true;
    }
    for (uint32_t x = 0; x < c->p->n_axis_values[g->axis]; x++) {
        if (count_in(c, at, g, false, x) > 0) {
            return false;
        }
    }
    return target && g->self_start;
}

static bool may_place(const struct cells *c, const uint32_t *at, uint32_t cell)
{
    for (uint32_t x = 0; x < c->p->n_groups; x++) {
        const struct bp_group *g = &c->p->groups[x];
        bool carrier = bits_get(g->carriers, c->class_i[cell]);
        bool target = bits_get(g->targets, c->class_i[cell]);
        uint32_t v = value_of(c->p, c->domain_i[cell], g->axis);
        if (carrier && v == BP_NO_VALUE) {
            return false;
        }
        if (v == BP_NO_VALUE) {
            continue;
        }
        if (g->kind == BP_GROUP_SPREAD && carrier && !spread_allows(c, at, g, target, v)) {
            return false;
        }
        if (g->kind == BP_GROUP_TOGETHER && carrier && !together_allows(c, at, g, target, v)) {
            return false;
        }
        if (g->kind == BP_GROUP_APART && ((carrier && count_in(c, at, g, false, v) > 0) ||
                                          (target && count_in(c, at, g, true, v) > 0))) {
            return false;
        }
    }
    return true;
}

static bool search_order(const struct cells *c, uint32_t *at, uint64_t *dead)
{
    uint32_t index = 0;
    bool done = true;
    for (uint32_t i = 0; i < c->n; i++) {
        index = index * (c->total[i] + 1) + at[i];
        done &= at[i] == c->total[i];
    }
    if (done) {
        return true;
    }
    if (bits_get(dead, index)) {
        return false;
    }
    for (uint32_t i = 0; i < c->n; i++) {
        if (at[i] < c->total[i] && may_place(c, at, i)) {
            at[i]++;
            bool found = search_order(c, at, dead);
            at[i]--;
            if (found) {
                return true;
            }
        }
    }
    bits_set(dead, index);
    return false;
}

bool brute_order(const struct bp_problem *problem, const uint32_t *count)
{
    struct cells c = {.p = problem};
    uint64_t n_states = 1;
    for (uint32_t i = 0; i < problem->n_classes; i++) {
        for (uint32_t d = 0; d < problem->n_domains; d++) {
            if (count[i * problem->n_domains + d] > 0) {
                c.class_i[c.n] = i;
                c.domain_i[c.n] = d;
                c.total[c.n] = count[i * problem->n_domains + d];
                n_states *= c.total[c.n++] + 1;
            }
        }
    }
    assert(n_states <= MAX_STATES);
    static uint64_t dead[MAX_STATES / 64];
    memset(dead, 0, sizeof(uint64_t) * bits_words(n_states));
    uint32_t at[MAX_CELLS] = {0};
    return search_order(&c, at, dead);
}

/* ------------------------------------------------------------------ cheapest nodes for given
 * counts per domain */

/* least[domain][subset state]: the least cost of nodes of one domain that hold exactly the counts
 * whose mixed-radix index is the state; by recursion over which node holds the first class that is
 * left. */
struct packer {
    const struct bp_problem *p;
    uint32_t n_states;
    uint32_t stride[BRUTE_MAX_CLASSES];
    usd_t least[BRUTE_MAX_OFFERINGS][MAX_STATES / 64]; /* per domain; INT64_MAX: not possible */
};

static bool fits(const struct bp_problem *p, uint32_t k, const uint32_t *take)
{
    for (uint32_t i = 0; i < p->n_classes; i++) {
        if (take[i] > p->classes[i].max_per_node ||
            (take[i] > 0 &&
             !bits_get(&p->mask[i * bits_words(p->n_domains)], p->offerings[k].domain))) {
            return false;
        }
    }
    for (uint32_t d = 0; d < p->n_dims; d++) {
        int64_t sum = 0;
        for (uint32_t i = 0; i < p->n_classes; i++) {
            sum += p->size[i * p->n_dims + d] * take[i];
        }
        if (sum > p->capacity[k * p->n_dims + d]) {
            return false;
        }
    }
    return true;
}

static void decode(const struct packer *w, uint32_t state, uint32_t *ret_count)
{
    for (uint32_t i = 0; i < w->p->n_classes; i++) {
        ret_count[i] = state / w->stride[i] % (w->p->classes[i].demand + 1);
    }
}

/* In-place knapsack over states: offerings of unlimited stock may be used again (ascending), one of
 * stock 1 once (descending). */
static void add_offering(struct packer *w, uint32_t k)
{
    const struct bp_problem *p = w->p;
    usd_t *least = w->least[p->offerings[k].domain];
    static bool can[MAX_STATES / 64];
    uint32_t take[BRUTE_MAX_CLASSES], have[BRUTE_MAX_CLASSES];
    for (uint32_t s = 1; s < w->n_states; s++) {
        decode(w, s, take);
        can[s] = fits(p, k, take);
    }
    bool once = p->offerings[k].stock == 1;
    for (uint32_t x = 1; x < w->n_states; x++) {
        uint32_t s = once ? w->n_states - x : x;
        decode(w, s, have);
        for (uint32_t t = 1; t <= s; t++) {
            if (!can[t]) {
                continue;
            }
            decode(w, t, take);
            bool within = true;
            for (uint32_t i = 0; i < p->n_classes; i++) {
                within &= take[i] <= have[i];
            }
            if (within && least[s - t] != INT64_MAX &&
                least[s - t] + p->offerings[k].price < least[s]) {
                least[s] = least[s - t] + p->offerings[k].price;
            }
        }
    }
}

/* ------------------------------------------------------------------ all distributions over domains
 */

struct search {
    struct packer *w;
    struct brute_answer best;
    uint32_t count[MAX_CELLS];
};

static void finish(struct search *s)
{
    const struct bp_problem *p = s->w->p;
    usd_t cost = 0;
    uint32_t placed = 0;
    for (uint32_t d = 0; d < p->n_domains; d++) {
        uint32_t state = 0;
        for (uint32_t i = 0; i < p->n_classes; i++) {
            state += s->count[i * p->n_domains + d] * s->w->stride[i];
            placed += s->count[i * p->n_domains + d];
        }
        if (s->w->least[d][state] == INT64_MAX) {
            return;
        }
        cost += s->w->least[d][state];
    }
    if ((placed > s->best.n_placed || (placed == s->best.n_placed && cost < s->best.cost)) &&
        brute_order(p, s->count)) {
        s->best = (struct brute_answer){.n_placed = placed, .cost = cost};
    }
}

static void distribute(struct search *s, uint32_t i, uint32_t d, uint32_t left)
{
    const struct bp_problem *p = s->w->p;
    if (i == p->n_classes) {
        finish(s);
        return;
    }
    if (d == p->n_domains) {
        distribute(s, i + 1, 0, i + 1 < p->n_classes ? p->classes[i + 1].demand : 0);
        return;
    }
    uint32_t most = bits_get(&p->mask[i * bits_words(p->n_domains)], d) ? left : 0;
    for (uint32_t n = 0; n <= most; n++) {
        s->count[i * p->n_domains + d] = n;
        distribute(s, i, d + 1, left - n);
    }
    s->count[i * p->n_domains + d] = 0;
}

void brute_solve(const struct bp_problem *problem, struct brute_answer *ret_answer)
{
    static struct packer w;
    w.p = problem;
    w.n_states = 1;
    for (uint32_t i = 0; i < problem->n_classes; i++) {
        w.stride[i] = w.n_states;
        w.n_states *= problem->classes[i].demand + 1;
    }
    assert(w.n_states <= MAX_STATES / 64);
    for (uint32_t d = 0; d < problem->n_domains; d++) {
        w.least[d][0] = 0;
        for (uint32_t s = 1; s < w.n_states; s++) {
            w.least[d][s] = INT64_MAX;
        }
    }
    for (uint32_t k = 0; k < problem->n_offerings; k++) {
        add_offering(&w, k);
    }
    struct search search = {.w = &w, .best = {.n_placed = 0, .cost = 0}};
    distribute(&search, 0, 0, problem->classes[0].demand);
    *ret_answer = search.best;
}
