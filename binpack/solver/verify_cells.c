/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "binpack/solver/verify_cells.h"

#include "base/arena.h"
#include "base/bitset.h"

#include <string.h>

enum { MAX_ROUNDS = 100 /* of narrowing; stopping early is never wrong */ };

/* Parts of a class in a group. */
enum part { PART_BOTH, PART_CARRIER, PART_TARGET, N_PARTS, NO_PART };
enum {
    BOTH = 1 << PART_BOTH,
    CARRIER = 1 << PART_CARRIER,
    TARGET = 1 << PART_TARGET,
    CARRIERS = BOTH | CARRIER,
    TARGETS = BOTH | TARGET
};

static enum part part_of(const struct bp_group *group, uint32_t class_i)
{
    bool carrier = group->carriers != NULL && bits_get(group->carriers, class_i);
    bool target = group->targets != NULL && bits_get(group->targets, class_i);
    return carrier && target ? PART_BOTH : carrier ? PART_CARRIER : target ? PART_TARGET : NO_PART;
}

/* ------------------------------------------------------------------ cells */

static void find_tuples(struct bp_cells *c, struct arena *arena)
{
    const struct bp_problem *p = c->problem;
    bool *used = ARENA_ARRAY(arena, bool, p->n_axes);
    c->tuple_of_domain = ARENA_ARRAY(arena, uint32_t, p->n_domains);
    c->domain_of_tuple = ARENA_ARRAY(arena, uint32_t, p->n_domains);
    for (uint32_t g = 0; g < p->n_groups; g++) {
        used[p->groups[g].axis] = true;
    }
    for (uint32_t d = 0; d < p->n_domains; d++) {
        const uint32_t *mine = &p->axis_value[(size_t)d * p->n_axes];
        uint32_t t = 0;
        for (; t < c->n_tuples; t++) {
            const uint32_t *other = &p->axis_value[(size_t)c->domain_of_tuple[t] * p->n_axes];
            bool same = true;
            for (uint32_t x = 0; x < p->n_axes && same; x++) {
                same = !used[x] || mine[x] == other[x];
            }
            if (same) {
                break;
            }
        }
        if (t == c->n_tuples) {
            c->domain_of_tuple[c->n_tuples++] = d;
        }
        c->tuple_of_domain[d] = t;
    }
}

static bool is_tied(const struct bp_problem *p, uint32_t class_i)
{
    for (uint32_t g = 0; g < p->n_groups; g++) {
        if (part_of(&p->groups[g], class_i) != NO_PART) {
            return true;
        }
    }
    return false;
}

static bool holds_one(const struct bp_problem *p, uint32_t class_i, uint32_t k)
{
    const struct bp_offering *offering = &p->offerings[k];
    if (offering->stock == 0 ||
        !bits_get(&p->mask[class_i * bits_words(p->n_domains)], offering->domain)) {
        return false;
    }
    for (uint32_t d = 0; d < p->n_dims; d++) {
        if (p->size[(size_t)class_i * p->n_dims + d] > p->capacity[(size_t)k * p->n_dims + d]) {
            return false;
        }
    }
    return true;
}

uint32_t bp_n_finite(const struct bp_problem *problem)
{
    uint32_t n = 0;
    for (uint32_t k = 0; k < problem->n_offerings; k++) {
        n += problem->offerings[k].stock != BP_UNLIMITED;
    }
    return n;
}

void bp_cells_build(struct bp_cells *cells, const struct bp_problem *problem, struct arena *arena)
{
    *cells = (struct bp_cells){.problem = problem};
    find_tuples(cells, arena);
    size_t n_most = (size_t)problem->n_classes * cells->n_tuples;
    cells->cell_at = ARENA_ARRAY(arena, uint32_t, problem->n_classes + 1);
    cells->class_of = ARENA_ARRAY(arena, uint32_t, n_most);
    cells->tuple_of = ARENA_ARRAY(arena, uint32_t, n_most);
    bool *there = ARENA_ARRAY(arena, bool, cells->n_tuples);
    for (uint32_t i = 0; i < problem->n_classes; i++) {
        cells->cell_at[i] = cells->n_cells;
        bool tied = is_tied(problem, i);
        memset(there, 0, cells->n_tuples * sizeof *there);
        for (uint32_t k = 0; k < problem->n_offerings; k++) {
            uint32_t t = tied ? cells->tuple_of_domain[problem->offerings[k].domain] : 0;
            there[t] = there[t] || holds_one(problem, i, k);
        }
        for (uint32_t t = 0; t < (tied ? cells->n_tuples : 1); t++) {
            if (there[t]) {
                cells->class_of[cells->n_cells] = i;
                cells->tuple_of[cells->n_cells++] = tied ? t : BP_NO_VALUE;
            }
        }
    }
    cells->cell_at[problem->n_classes] = cells->n_cells;
}

static uint32_t value_of(const struct bp_cells *c, uint32_t cell_i, const struct bp_group *group)
{
    uint32_t t = c->tuple_of[cell_i];
    return t == BP_NO_VALUE
               ? BP_NO_VALUE
               : c->problem
                     ->axis_value[(size_t)c->domain_of_tuple[t] * c->problem->n_axes + group->axis];
}

void bp_box_open(const struct bp_cells *cells, const uint32_t *placed, struct bp_box *ret_box,
                 struct arena *arena)
{
    ret_box->lo = ARENA_ARRAY(arena, int64_t, cells->n_cells);
    ret_box->hi = ARENA_ARRAY(arena, int64_t, cells->n_cells);
    for (uint32_t c = 0; c < cells->n_cells; c++) {
        ret_box->hi[c] = placed[cells->class_of[c]];
    }
}

/* ------------------------------------------------------------------ narrowing */

struct narrow {
    const struct bp_cells *c;
    const uint32_t *placed;
    struct bp_box *box;
    const struct bp_group *group;
    uint32_t n_values;
    int64_t *lo[N_PARTS], *hi[N_PARTS]; /* [n_values] pods of the group's parts */
    int64_t outside;                    /* most pods of PART_BOTH under no value */
    bool changed, empty;
};

static int64_t least(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

static int64_t most(int64_t a, int64_t b)
{
    return a > b ? a : b;
}

static int64_t weight_of(const struct narrow *n, uint32_t cell_i)
{
    return n->c->problem->classes[n->c->class_of[cell_i]].weight;
}

static void set_hi(struct narrow *n, uint32_t cell_i, int64_t hi)
{
    if (hi < n->box->hi[cell_i]) {
        n->box->hi[cell_i] = hi;
        n->changed = true;
        n->empty |= hi < n->box->lo[cell_i];
    }
}

static void set_lo(struct narrow *n, uint32_t cell_i, int64_t lo)
{
    if (lo > n->box->lo[cell_i]) {
        n->box->lo[cell_i] = lo;
        n->changed = true;
        n->empty |= lo > n->box->hi[cell_i];
    }
}

static void narrow_class(struct narrow *n, uint32_t class_i)
{
    int64_t lo = 0, hi = 0, all = n->placed[class_i];
    uint32_t from = n->c->cell_at[class_i], to = n->c->cell_at[class_i + 1];
    for (uint32_t c = from; c < to; c++) {
        lo += n->box->lo[c];
        hi += n->box->hi[c];
    }
    n->empty |= lo > all || hi < all;
    for (uint32_t c = from; c < to && !n->empty; c++) {
        int64_t mine_lo = n->box->lo[c], mine_hi = n->box->hi[c];
        set_hi(n, c, all - (lo - mine_lo));
        set_lo(n, c, all - (hi - mine_hi));
    }
}

static void sum_group(struct narrow *n)
{
    for (int part = 0; part < N_PARTS; part++) {
        memset(n->lo[part], 0, n->n_values * sizeof *n->lo[part]);
        memset(n->hi[part], 0, n->n_values * sizeof *n->hi[part]);
    }
    n->outside = 0;
    for (uint32_t c = 0; c < n->c->n_cells; c++) {
        enum part part = part_of(n->group, n->c->class_of[c]);
        uint32_t v = value_of(n->c, c, n->group);
        if (part != NO_PART && v != BP_NO_VALUE) {
            n->lo[part][v] += n->box->lo[c] * weight_of(n, c);
            n->hi[part][v] += n->box->hi[c] * weight_of(n, c);
        }
        n->outside += part == PART_BOTH && v == BP_NO_VALUE ? n->box->hi[c] * weight_of(n, c) : 0;
    }
}

static int64_t sum_of(int64_t *const sums[N_PARTS], int parts, uint32_t v)
{
    int64_t sum = 0;
    for (int part = 0; part < N_PARTS; part++) {
        sum += (parts >> part & 1) != 0 ? sums[part][v] : 0;
    }
    return sum;
}

static bool is_one_of(const struct narrow *n, uint32_t cell_i, int parts, uint32_t v)
{
    enum part part = part_of(n->group, n->c->class_of[cell_i]);
    return part != NO_PART && (parts >> part & 1) != 0 && value_of(n->c, cell_i, n->group) == v;
}

/* At most `pods` of these parts in value v. The sums stay those of the round's beginning, which are
 * wider and so still right. */
static void at_most(struct narrow *n, uint32_t v, int parts, int64_t pods)
{
    int64_t lo = sum_of(n->lo, parts, v);
    if (sum_of(n->hi, parts, v) <= pods) {
        return;
    }
    if (lo > pods) {
        n->empty = true;
        return;
    }
    for (uint32_t c = 0; c < n->c->n_cells && !n->empty; c++) {
        if (is_one_of(n, c, parts, v)) {
            int64_t w = weight_of(n, c);
            int64_t others = lo - least(lo, n->box->lo[c] * w);
            set_hi(n, c, (pods - others) / w);
        }
    }
}

static void at_least(struct narrow *n, uint32_t v, int parts, int64_t pods)
{
    int64_t hi = sum_of(n->hi, parts, v);
    if (sum_of(n->lo, parts, v) >= pods) {
        return;
    }
    if (hi < pods) {
        n->empty = true;
        return;
    }
    for (uint32_t c = 0; c < n->c->n_cells && !n->empty; c++) {
        if (is_one_of(n, c, parts, v)) {
            int64_t w = weight_of(n, c);
            int64_t need = pods - (hi - n->box->hi[c] * w);
            if (need > 0) {
                set_lo(n, c, (need + w - 1) / w);
            }
        }
    }
}

static int64_t base_of(const struct bp_group *group, uint32_t v)
{
    return group->base == NULL ? 0 : group->base[v];
}

/* ---- SPREAD ---- */

static bool is_eligible(const struct bp_group *group, uint32_t v)
{
    return group->eligible != NULL && bits_get(group->eligible, v);
}

static bool min_is_zero(const struct bp_group *group, uint32_t n_values)
{
    size_t n = group->eligible == NULL ? 0 : bits_count(group->eligible, bits_words(n_values));
    return n == 0 || n < group->min_domains;
}

/* Pods of all values together in the parts: all that is placed. */
static int64_t pods_in_all(const struct narrow *n, int parts)
{
    int64_t sum = 0;
    for (uint32_t i = 0; i < n->c->problem->n_classes; i++) {
        enum part part = part_of(n->group, i);
        if (part != NO_PART && (parts >> part & 1) != 0) {
            sum += (int64_t)n->placed[i] * n->c->problem->classes[i].weight;
        }
    }
    return sum;
}

/* The targets that x carriers in v ask for in all values. */
static int64_t asked_by(const struct narrow *n, uint32_t v, int64_t x)
{
    int64_t sum = most(x, sum_of(n->lo, TARGETS, v));
    for (uint32_t u = 0; u < n->n_values; u++) {
        if (u != v) {
            int64_t lo = sum_of(n->lo, TARGETS, u);
            int64_t h = n->group->max_skew + base_of(n->group, u) - base_of(n->group, v);
            sum += is_eligible(n->group, u) && x > 0 ? most(lo, x - h) : lo;
        }
    }
    return sum;
}

/* The carriers that all values can take when u holds x targets. */
static int64_t room_beside(const struct narrow *n, uint32_t u, int64_t x)
{
    int64_t sum = n->outside + least(n->hi[PART_BOTH][u], x);
    for (uint32_t v = 0; v < n->n_values; v++) {
        int64_t h = n->group->max_skew + base_of(n->group, u) - base_of(n->group, v);
        sum += v == u ? 0 : least(n->hi[PART_BOTH][v], most(0, h + x));
    }
    return sum;
}

/* The balance of a spread as a whole: more in one value asks for more in all the others. */
static void narrow_balance(struct narrow *n)
{
    int64_t targets = pods_in_all(n, TARGETS), both = pods_in_all(n, BOTH);
    for (uint32_t v = 0; v < n->n_values && !n->empty; v++) {
        int64_t lo = 0, hi = n->hi[PART_BOTH][v];
        while (lo < hi) { /* the largest count that asks for no more than there is */
            int64_t mid = hi - (hi - lo) / 2;
            if (asked_by(n, v, mid) <= targets) {
                lo = mid;
            } else {
                hi = mid - 1;
            }
        }
        at_most(n, v, BOTH, lo);
        if (!is_eligible(n->group, v)) {
            continue;
        }
        lo = 0;
        hi = targets;
        while (lo < hi) { /* the smallest count that leaves room for all carriers */
            int64_t mid = lo + (hi - lo) / 2;
            if (room_beside(n, v, mid) >= both) {
                hi = mid;
            } else {
                lo = mid + 1;
            }
        }
        at_least(n, v, TARGETS, lo);
    }
}

static void narrow_pair(struct narrow *n, uint32_t v, uint32_t u)
{
    int64_t h = n->group->max_skew + base_of(n->group, u) - base_of(n->group, v);
    at_most(n, v, BOTH, most(0, h + sum_of(n->hi, TARGETS, u)));
    if (n->lo[PART_BOTH][v] > 0) {
        at_least(n, u, TARGETS, n->lo[PART_BOTH][v] - h);
    }
    if (h + sum_of(n->hi, TARGETS, u) < 0) {
        at_most(n, v, CARRIER, 0);
    }
    if (n->lo[PART_CARRIER][v] > 0) {
        at_least(n, u, TARGETS, -h);
    }
}

static void narrow_spread(struct narrow *n)
{
    bool zero = min_is_zero(n->group, n->n_values);
    for (uint32_t v = 0; v < n->n_values; v++) {
        int64_t base = base_of(n->group, v);
        if (zero) {
            at_most(n, v, BOTH, most(0, n->group->max_skew - base));
            at_most(n, v, CARRIER, base > n->group->max_skew ? 0 : INT64_MAX);
        }
        for (uint32_t u = 0; u < n->n_values && !zero && !n->empty; u++) {
            if (u != v && is_eligible(n->group, u)) {
                narrow_pair(n, v, u);
            }
        }
    }
    if (!zero && !n->empty) {
        narrow_balance(n);
    }
}

/* ---- TOGETHER and APART ---- */

static void narrow_together(struct narrow *n)
{
    uint32_t n_alone = 0, alone = BP_NO_VALUE; /* values that carriers must have opened */
    for (uint32_t v = 0; v < n->n_values; v++) {
        bool opened = base_of(n->group, v) > 0 || n->hi[PART_TARGET][v] > 0;
        if (!opened && sum_of(n->lo, CARRIERS, v) > 0) {
            n_alone++;
            alone = v;
        }
    }
    n->empty |= n_alone > (n->group->self_start ? 1U : 0U);
    for (uint32_t v = 0; v < n->n_values && !n->empty; v++) {
        if (base_of(n->group, v) > 0) {
            continue;
        }
        if (sum_of(n->hi, TARGETS, v) == 0) {
            at_most(n, v, CARRIERS, 0);
        }
        bool may_open = n->group->self_start && (alone == BP_NO_VALUE || alone == v);
        if (may_open) {
            continue;
        }
        if (n->hi[PART_TARGET][v] == 0) {
            at_most(n, v, CARRIERS, 0);
        } else if (sum_of(n->lo, CARRIERS, v) > 0) {
            at_least(n, v, TARGET, 1);
        }
    }
}

static void narrow_apart(struct narrow *n)
{
    for (uint32_t v = 0; v < n->n_values && !n->empty; v++) {
        at_most(n, v, CARRIERS, base_of(n->group, v) > 0 ? 0 : INT64_MAX);
        at_most(n, v, BOTH, 1);
        if (n->lo[PART_CARRIER][v] > 0) {
            at_most(n, v, TARGETS, 0);
        }
        if (n->lo[PART_BOTH][v] > 0) {
            at_most(n, v, TARGETS, 1);
        }
        if (sum_of(n->lo, TARGETS, v) > 0) {
            at_most(n, v, CARRIER, 0);
        }
        if (n->lo[PART_TARGET][v] > 0 || sum_of(n->lo, TARGETS, v) > 1) {
            at_most(n, v, BOTH, 0);
        }
    }
}

static void narrow_group(struct narrow *n, const struct bp_group *group)
{
    n->group = group;
    n->n_values = n->c->problem->n_axis_values[group->axis];
    sum_group(n);
    switch (group->kind) {
    case BP_GROUP_SPREAD:
        narrow_spread(n);
        break;
    case BP_GROUP_TOGETHER:
        narrow_together(n);
        break;
    case BP_GROUP_APART:
        narrow_apart(n);
        break;
    }
}

bool bp_box_tighten(const struct bp_cells *cells, const uint32_t *placed, struct bp_box *box,
                    struct arena *scratch)
{
    const struct bp_problem *p = cells->problem;
    struct arena_mark mark = arena_mark(scratch);
    struct narrow n = {.c = cells, .placed = placed, .box = box};
    uint32_t n_values = 0;
    for (uint32_t x = 0; x < p->n_axes; x++) {
        n_values = p->n_axis_values[x] > n_values ? p->n_axis_values[x] : n_values;
    }
    for (int part = 0; part < N_PARTS; part++) {
        n.lo[part] = ARENA_ARRAY(scratch, int64_t, n_values);
        n.hi[part] = ARENA_ARRAY(scratch, int64_t, n_values);
    }
    for (uint32_t c = 0; c < cells->n_cells; c++) {
        n.empty |= box->lo[c] > box->hi[c];
    }
    n.changed = true;
    for (uint32_t round = 0; round < MAX_ROUNDS && n.changed && !n.empty; round++) {
        n.changed = false;
        for (uint32_t i = 0; i < p->n_classes && !n.empty; i++) {
            narrow_class(&n, i);
        }
        for (uint32_t g = 0; g < p->n_groups && !n.empty; g++) {
            narrow_group(&n, &p->groups[g]);
        }
    }
    arena_rewind(scratch, mark);
    return !n.empty;
}

/* ------------------------------------------------------------------ rows */

bool bp_cell_row(const struct bp_cells *cells, uint32_t group_i, uint32_t value, uint32_t other,
                 int64_t *ret_most)
{
    const struct bp_problem *p = cells->problem;
    if (group_i >= p->n_groups) {
        return false;
    }
    const struct bp_group *group = &p->groups[group_i];
    uint32_t n_values = p->n_axis_values[group->axis];
    if (value >= n_values || (other >= n_values && other != BP_NO_VALUE)) {
        return false;
    }
    bool zero = group->kind == BP_GROUP_SPREAD && min_is_zero(group, n_values);
    if (other == BP_NO_VALUE) {
        *ret_most =
            group->kind == BP_GROUP_APART ? 1 : most(0, group->max_skew - base_of(group, value));
        return group->kind == BP_GROUP_APART || zero;
    }
    *ret_most = most(0, group->max_skew + base_of(group, other) - base_of(group, value));
    return group->kind == BP_GROUP_SPREAD && !zero && other != value && is_eligible(group, other);
}

int64_t bp_cell_coefficient(const struct bp_cells *cells, uint32_t group_i, uint32_t value,
                            uint32_t other, uint32_t cell_i)
{
    const struct bp_group *group = &cells->problem->groups[group_i];
    enum part part = part_of(group, cells->class_of[cell_i]);
    uint32_t v = value_of(cells, cell_i, group);
    if (part == NO_PART || v == BP_NO_VALUE) {
        return 0;
    }
    int64_t n = part == PART_BOTH && v == value ? 1 : 0;
    n -= part != PART_CARRIER && v == other ? 1 : 0;
    return n * (int64_t)cells->problem->classes[cells->class_of[cell_i]].weight;
}

bp_wide bp_box_worth(const struct bp_cells *cells, const uint32_t *placed, const struct bp_box *box,
                     const struct bp_branch_leaf *leaf, struct arena *scratch)
{
    struct arena_mark mark = arena_mark(scratch);
    bp_wide *price = ARENA_ARRAY(scratch, bp_wide, cells->n_cells);
    bp_wide sum = 0;
    for (uint32_t c = 0; c < cells->n_cells; c++) {
        price[c] = leaf->dual[c];
    }
    for (uint32_t r = 0; r < leaf->n_rows; r++) {
        const struct bp_branch_row *row = &leaf->rows[r];
        int64_t limit = 0;
        if (!bp_cell_row(cells, row->group_i, row->value, row->other, &limit)) {
            continue;
        }
        sum -= (bp_wide)row->dual * limit;
        for (uint32_t c = 0; c < cells->n_cells; c++) {
            price[c] += (bp_wide)row->dual *
                        bp_cell_coefficient(cells, row->group_i, row->value, row->other, c);
        }
    }
    int64_t *units = ARENA_ARRAY(scratch, int64_t, cells->n_cells);
    for (uint32_t i = 0; i < cells->problem->n_classes; i++) {
        int64_t left = placed[i];
        for (uint32_t c = cells->cell_at[i]; c < cells->cell_at[i + 1]; c++) {
            units[c] = box->lo[c];
            left -= box->lo[c];
        }
        while (left > 0) { /* the rest where it is worth least */
            uint32_t best = UINT32_MAX;
            for (uint32_t c = cells->cell_at[i]; c < cells->cell_at[i + 1]; c++) {
                if (units[c] < box->hi[c] && (best == UINT32_MAX || price[c] < price[best])) {
                    best = c;
                }
            }
            if (best == UINT32_MAX) {
                break; /* the box holds no plan: any sum is right */
            }
            int64_t n = least(left, box->hi[best] - units[best]);
            units[best] += n;
            left -= n;
        }
        for (uint32_t c = cells->cell_at[i]; c < cells->cell_at[i + 1]; c++) {
            sum += price[c] * units[c];
        }
    }
    arena_rewind(scratch, mark);
    return sum;
}

/* ------------------------------------------------------------------ the problem of a box */

static const uint64_t *cell_set(const struct bp_cells *cells, const uint64_t *set,
                                struct arena *arena)
{
    uint64_t *out = ARENA_ARRAY(arena, uint64_t, bits_words(cells->n_cells));
    for (uint32_t c = 0; c < cells->n_cells; c++) {
        if (bits_get(set, cells->class_of[c])) {
            bits_set(out, c);
        }
    }
    return out;
}

void bp_box_problem(const struct bp_cells *cells, const struct bp_box *box,
                    struct bp_problem *ret_problem, struct arena *arena)
{
    const struct bp_problem *p = cells->problem;
    size_t n_words = bits_words(p->n_domains);
    struct bp_class *classes = ARENA_ARRAY(arena, struct bp_class, cells->n_cells);
    int64_t *size = ARENA_ARRAY(arena, int64_t, (size_t)cells->n_cells * p->n_dims);
    uint64_t *mask = ARENA_ARRAY(arena, uint64_t, cells->n_cells * n_words);
    for (uint32_t c = 0; c < cells->n_cells; c++) {
        uint32_t i = cells->class_of[c];
        classes[c] = p->classes[i];
        classes[c].demand = box->hi[c] > 0 ? (uint32_t)box->hi[c] : 1;
        memcpy(&size[(size_t)c * p->n_dims], &p->size[(size_t)i * p->n_dims],
               p->n_dims * sizeof *size);
        for (uint32_t d = 0; d < p->n_domains && box->hi[c] > 0; d++) {
            bool here = cells->tuple_of[c] == BP_NO_VALUE ||
                        cells->tuple_of_domain[d] == cells->tuple_of[c];
            if (here && bits_get(&p->mask[i * n_words], d)) {
                bits_set(&mask[c * n_words], d);
            }
        }
    }
    struct bp_cap *caps = ARENA_ARRAY(arena, struct bp_cap, p->n_caps);
    uint32_t n_caps = 0;
    for (uint32_t x = 0; x < p->n_caps; x++) {
        if (p->caps[x].necessary) {
            caps[n_caps] = p->caps[x];
            caps[n_caps++].members = cell_set(cells, p->caps[x].members, arena);
        }
    }
    *ret_problem = *p;
    ret_problem->n_classes = cells->n_cells;
    ret_problem->classes = classes;
    ret_problem->size = size;
    ret_problem->mask = mask;
    ret_problem->n_caps = n_caps;
    ret_problem->caps = caps;
    ret_problem->n_exclusions = ret_problem->n_varieties = ret_problem->n_groups = 0;
}
