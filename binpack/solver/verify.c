/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "binpack/solver/verify.h"

#include "base/arena.h"
#include "base/bitset.h"
#include "binpack/solver/verify_bound.h"
#include "binpack/solver/verify_branches.h"
#include "binpack/solver/verify_groups.h"

#include <string.h>

enum { STEPS_PER_WORK = 1000 };

typedef __int128 wide_t;

struct check {
    struct arena *keep;                     /* for ret_certificate */
    struct bp_certificate *ret_certificate; /* NULL: every claim must be confirmed as it stands */
    const struct bp_problem *p;
    const struct bp_solution *s;
    struct arena *arena;
    struct err *err;
    uint64_t *steps;    /* for what is hard to prove, NULL: without end */
    uint32_t *placed;   /* [n_classes] units */
    uint32_t *used;     /* [n_offerings] nodes */
    uint64_t **values;  /* [n_varieties] scratch sets of value ids */
    uint32_t *n_values; /* [n_varieties] 1 + the largest value id */
};

static const int64_t *size_of(const struct check *c, uint32_t class_i)
{
    return &c->p->size[(size_t)class_i * c->p->n_dims];
}

/* ------------------------------------------------------------------ one node */

static bool check_shape(const struct check *c, uint32_t node_i)
{
    const struct bp_node *node = &c->s->nodes[node_i];
    if (node->offering_i >= c->p->n_offerings) {
        return err_set(c->err, ERR_INTERNAL, "node %u: offering %u of %u", node_i, node->offering_i,
                       c->p->n_offerings);
    }
    if (node->n_items == 0) {
        return err_set(c->err, ERR_INTERNAL,
                       "node %u: offering %u is used for 0 items, 1 at least expected", node_i,
                       node->offering_i);
    }
    for (uint32_t x = 0; x < node->n_items; x++) {
        const struct bp_item *item = &node->items[x];
        if (item->class_i >= c->p->n_classes || item->count == 0) {
            return err_set(c->err, ERR_INTERNAL, "node %u: %u of class %u, of %u classes", node_i,
                           item->count, item->class_i, c->p->n_classes);
        }
        if (x > 0 && item->class_i <= node->items[x - 1].class_i) {
            return err_set(c->err, ERR_INTERNAL, "node %u: class %u is listed after class %u",
                           node_i, item->class_i, node->items[x - 1].class_i);
        }
    }
    if (node_i > 0) {
        const struct bp_node *last = node - 1;
        bool running = c->p->offerings[node->offering_i].running;
        bool last_running = c->p->offerings[last->offering_i].running;
        if (running > last_running ||
            (running == last_running && node->offering_i < last->offering_i)) {
            return err_set(c->err, ERR_INTERNAL, "node %u: offering %u is listed after offering %u",
                           node_i, node->offering_i, last->offering_i);
        }
    }
    return true;
}

/* Sum of sizes against the capacity; the first dimension that does not hold, or n_dims. */
static uint32_t overfull_dim(const struct check *c, const struct bp_node *node, uint32_t offering_i,
                             int64_t *ret_sum)
{
    for (uint32_t d = 0; d < c->p->n_dims; d++) {
        wide_t sum = 0;
        for (uint32_t x = 0; x < node->n_items; x++) {
            sum += (wide_t)size_of(c, node->items[x].class_i)[d] * node->items[x].count;
        }
        if (sum > c->p->capacity[(size_t)offering_i * c->p->n_dims + d]) {
            *ret_sum = sum > INT64_MAX ? INT64_MAX : (int64_t)sum;
            return d;
        }
    }
    return c->p->n_dims;
}

static uint32_t refused_class(const struct check *c, const struct bp_node *node, uint32_t domain_i)
{
    for (uint32_t x = 0; x < node->n_items; x++) {
        uint32_t i = node->items[x].class_i;
        if (!bits_get(&c->p->mask[i * bits_words(c->p->n_domains)], domain_i)) {
            return i;
        }
    }
    return UINT32_MAX;
}

static uint32_t cap_at(const struct bp_cap *cap, uint32_t offering_i)
{
    return cap->max_at == NULL ? cap->max : cap->max_at[offering_i];
}

static uint64_t members_on(const struct bp_node *node, const uint64_t *members)
{
    uint64_t n = 0;
    for (uint32_t x = 0; x < node->n_items; x++) {
        n += bits_get(members, node->items[x].class_i) ? node->items[x].count : 0;
    }
    return n;
}

static bool check_room(const struct check *c, uint32_t node_i)
{
    const struct bp_node *node = &c->s->nodes[node_i];
    uint32_t k = node->offering_i;
    int64_t sum;
    uint32_t d = overfull_dim(c, node, k, &sum);
    if (d < c->p->n_dims) {
        return err_set(c->err, ERR_INTERNAL,
                       "node %u: dimension %u holds %lld, offering %u has %lld", node_i, d,
                       (long long)sum, k, (long long)c->p->capacity[(size_t)k * c->p->n_dims + d]);
    }
    uint32_t i = refused_class(c, node, c->p->offerings[k].domain);
    if (i != UINT32_MAX) {
        return err_set(c->err, ERR_INTERNAL,
                       "node %u: the mask of class %u leaves out domain %u of offering %u", node_i,
                       i, c->p->offerings[k].domain, k);
    }
    for (uint32_t x = 0; x < node->n_items; x++) {
        const struct bp_item *item = &node->items[x];
        if (item->count > c->p->classes[item->class_i].max_per_node) {
            return err_set(c->err, ERR_INTERNAL, "node %u: %u of class %u, max_per_node %u", node_i,
                           item->count, item->class_i, c->p->classes[item->class_i].max_per_node);
        }
    }
    return true;
}

static bool check_caps(const struct check *c, uint32_t node_i)
{
    const struct bp_node *node = &c->s->nodes[node_i];
    for (uint32_t x = 0; x < c->p->n_caps; x++) {
        uint64_t n = members_on(node, c->p->caps[x].members);
        if (n > cap_at(&c->p->caps[x], node->offering_i)) {
            return err_set(c->err, ERR_INTERNAL,
                           "node %u: %llu members of cap %u, at most %u on offering %u", node_i,
                           (unsigned long long)n, x, cap_at(&c->p->caps[x], node->offering_i),
                           node->offering_i);
        }
    }
    for (uint32_t x = 0; x < c->p->n_exclusions; x++) {
        const struct bp_exclusion *exclusion = &c->p->exclusions[x];
        for (uint32_t y = 0; y < node->n_items; y++) {
            for (uint32_t z = 0; z < node->n_items; z++) {
                uint32_t a = node->items[y].class_i;
                uint32_t b = node->items[z].class_i;
                if (a != b && bits_get(exclusion->a, a) && bits_get(exclusion->b, b)) {
                    return err_set(c->err, ERR_INTERNAL,
                                   "node %u: classes %u and %u share it against exclusion %u",
                                   node_i, a, b, x);
                }
            }
        }
    }
    return true;
}

/* Whether offering k could hold the node's pattern: capacity, masks, caps. */
static bool could_hold(const struct check *c, const struct bp_node *node, uint32_t k)
{
    int64_t sum;
    if (refused_class(c, node, c->p->offerings[k].domain) != UINT32_MAX ||
        overfull_dim(c, node, k, &sum) < c->p->n_dims) {
        return false;
    }
    for (uint32_t x = 0; x < c->p->n_caps; x++) {
        if (members_on(node, c->p->caps[x].members) > cap_at(&c->p->caps[x], k)) {
            return false;
        }
    }
    return true;
}

static bool check_varieties(const struct check *c, uint32_t node_i)
{
    const struct bp_node *node = &c->s->nodes[node_i];
    for (uint32_t x = 0; x < c->p->n_varieties; x++) {
        const struct bp_variety *variety = &c->p->varieties[x];
        if (variety->value[node->offering_i] == BP_NO_VALUE) {
            continue;
        }
        uint32_t n = 0;
        for (size_t w = 0; w < bits_words(c->n_values[x]); w++) {
            c->values[x][w] = 0;
        }
        for (uint32_t k = 0; k < c->p->n_offerings && n < variety->min_values; k++) {
            uint32_t value = variety->value[k];
            if (value != BP_NO_VALUE && !bits_get(c->values[x], value) && could_hold(c, node, k)) {
                bits_set(c->values[x], value);
                n++;
            }
        }
        if (n < variety->min_values) {
            return err_set(c->err, ERR_INTERNAL,
                           "node %u: %u values of variety %u could hold it, at least %u expected",
                           node_i, n, x, variety->min_values);
        }
    }
    return true;
}

static bool same_as_last(const struct check *c, uint32_t node_i)
{
    const struct bp_node *node = &c->s->nodes[node_i];
    const struct bp_node *last = node - 1;
    if (node_i == 0 || node->offering_i != last->offering_i || node->n_items != last->n_items) {
        return false;
    }
    for (uint32_t x = 0; x < node->n_items; x++) {
        if (node->items[x].class_i != last->items[x].class_i ||
            node->items[x].count != last->items[x].count) {
            return false;
        }
    }
    return true;
}

static bool check_nodes(const struct check *c)
{
    for (uint32_t v = 0; v < c->p->n_varieties; v++) {
        for (uint32_t k = 0; k < c->p->n_offerings; k++) {
            uint32_t value = c->p->varieties[v].value[k];
            if (value != BP_NO_VALUE && value >= c->n_values[v]) {
                c->n_values[v] = value + 1;
            }
        }
        c->values[v] = ARENA_ARRAY(c->arena, uint64_t, bits_words(c->n_values[v]));
    }
    for (uint32_t n = 0; n < c->s->n_nodes; n++) {
        if (!check_shape(c, n)) {
            return false;
        }
        if (!same_as_last(c, n) &&
            !(check_room(c, n) && check_caps(c, n) && check_varieties(c, n))) {
            return false;
        }
    }
    return true;
}

/* ------------------------------------------------------------------ sums over nodes */

static bool check_counts(const struct check *c)
{
    wide_t *placed = ARENA_ARRAY(c->arena, wide_t, c->p->n_classes);
    wide_t cost = 0;
    for (uint32_t n = 0; n < c->s->n_nodes; n++) {
        const struct bp_node *node = &c->s->nodes[n];
        c->used[node->offering_i]++;
        cost += c->p->offerings[node->offering_i].price;
        for (uint32_t x = 0; x < node->n_items; x++) {
            placed[node->items[x].class_i] += node->items[x].count;
        }
    }
    for (uint32_t i = 0; i < c->p->n_classes; i++) {
        if (placed[i] + c->s->unplaced[i] != c->p->classes[i].demand) {
            return err_set(c->err, ERR_INTERNAL, "class %u: %lld placed and %u unplaced, demand %u",
                           i, (long long)placed[i], c->s->unplaced[i], c->p->classes[i].demand);
        }
        c->placed[i] = (uint32_t)placed[i];
    }
    for (uint32_t k = 0; k < c->p->n_offerings; k++) {
        if (c->used[k] > c->p->offerings[k].stock) { /* BP_UNLIMITED is the largest number */
            return err_set(c->err, ERR_INTERNAL, "offering %u: used for %u nodes, stock %u", k,
                           c->used[k], c->p->offerings[k].stock);
        }
    }
    if (cost != c->s->cost) {
        return err_set(c->err, ERR_INTERNAL, "cost %lld, the nodes cost %lld",
                       (long long)c->s->cost, (long long)cost);
    }
    return true;
}

static bool check_limits(const struct check *c)
{
    for (uint32_t r = 0; r < c->p->n_limits; r++) {
        wide_t sum = 0;
        for (uint32_t k = 0; k < c->p->n_offerings; k++) {
            sum += (wide_t)c->p->limits[r].use[k] * c->used[k];
        }
        if (sum > c->p->limits[r].max) {
            return err_set(c->err, ERR_INTERNAL, "limit %u: use %lld, max %lld", r,
                           sum > INT64_MAX ? (long long)INT64_MAX : (long long)sum,
                           (long long)c->p->limits[r].max);
        }
    }
    return true;
}

static bool check_groups(const struct check *c)
{
    size_t n = 0;
    for (uint32_t x = 0; x < c->s->n_nodes && c->p->n_groups > 0; x++) {
        n += c->s->nodes[x].n_items;
    }
    struct bp_placing *placings = ARENA_ARRAY(c->arena, struct bp_placing, n);
    n = 0;
    for (uint32_t x = 0; x < c->s->n_nodes && c->p->n_groups > 0; x++) {
        const struct bp_node *node = &c->s->nodes[x];
        for (uint32_t y = 0; y < node->n_items; y++) {
            placings[n++] =
                (struct bp_placing){.class_i = node->items[y].class_i,
                                    .domain_i = c->p->offerings[node->offering_i].domain,
                                    .units = node->items[y].count};
        }
    }
    return bp_verify_groups(c->p, (uint32_t)n, placings, NULL, c->arena, c->err);
}

/* ------------------------------------------------------------------ the claims about the bound */

static bool check_claims(const struct check *c)
{
    usd_t bound = c->s->certificate.bound;
    if (bound > c->s->cost) {
        return err_set(c->err, ERR_INTERNAL, "certificate: bound %lld above cost %lld",
                       (long long)bound, (long long)c->s->cost);
    }
    if (c->s->status == BP_OPTIMAL &&
        (wide_t)(c->s->cost - bound) * INT64_C(1000000000) > c->s->cost) {
        return err_set(c->err, ERR_INTERNAL, "status optimal, but bound %lld and cost %lld differ",
                       (long long)bound, (long long)c->s->cost);
    }
    for (uint32_t g = 0; g < c->p->n_groups; g++) {
        uint32_t family = c->p->groups[g].family < 63 ? c->p->groups[g].family : 63;
        if (((c->s->certificate.relaxed_families >> family) & 1U) == 0) {
            return err_set(c->err, ERR_INTERNAL,
                           "certificate: family %u of group %u is neither in the bound nor in "
                           "relaxed_families 0x%llx",
                           c->p->groups[g].family, g,
                           (unsigned long long)c->s->certificate.relaxed_families);
        }
    }
    if (c->s->certificate.n_branches > 0) {
        return bp_prove_branches(c->p, &c->s->certificate, c->placed, c->ret_certificate != NULL,
                                 c->steps, c->arena, c->keep, c->ret_certificate, c->err);
    }
    if (c->ret_certificate != NULL) {
        return bp_prove_bound(c->p, &c->s->certificate, c->placed, c->steps, c->arena, c->keep,
                              c->ret_certificate, c->err);
    }
    return bp_verify_bound(c->p, &c->s->certificate, c->placed, c->arena, c->err);
}

static bool verify(const struct bp_problem *problem, const struct bp_solution *solution,
                   uint64_t *steps, struct arena *scratch, struct arena *keep,
                   struct bp_certificate *ret_certificate, struct err *err)
{
    struct arena_mark mark = arena_mark(scratch);
    struct arena own = ARENA_INIT; /* for what nobody asked to keep */
    struct check c = {.p = problem,
                      .s = solution,
                      .arena = scratch,
                      .err = err,
                      .keep = keep != NULL ? keep : &own,
                      .ret_certificate = ret_certificate,
                      .steps = steps,
                      .placed = ARENA_ARRAY(scratch, uint32_t, problem->n_classes),
                      .used = ARENA_ARRAY(scratch, uint32_t, problem->n_offerings),
                      .values = ARENA_ARRAY(scratch, uint64_t *, problem->n_varieties),
                      .n_values = ARENA_ARRAY(scratch, uint32_t, problem->n_varieties)};
    bool ok = check_nodes(&c) && check_counts(&c) && check_limits(&c) && check_groups(&c) &&
              check_claims(&c);
    arena_done(&own);
    arena_rewind(scratch, mark);
    return ok;
}

bool bp_verify(const struct bp_problem *problem, const struct bp_solution *solution,
               struct arena *scratch, struct err *err)
{
    return verify(problem, solution, NULL, scratch, NULL, NULL, err);
}

bool bp_verify_proven(const struct bp_problem *problem, const struct bp_solution *solution,
                      uint64_t work, struct arena *scratch, struct arena *arena,
                      struct bp_certificate *ret_certificate, struct err *err)
{
    uint64_t steps = work < UINT64_MAX / STEPS_PER_WORK ? work * STEPS_PER_WORK : UINT64_MAX;
    return verify(problem, solution, work == UINT64_MAX ? NULL : &steps, scratch, arena,
                  ret_certificate, err);
}
