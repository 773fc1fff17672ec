/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "binpack/solver/verify_groups.h"

#include "base/arena.h"
#include "base/bitset.h"

#include <assert.h>
#include <string.h>

enum { ROLE_CARRIER = 1, ROLE_TARGET = 2 };
enum { NO_START = UINT32_MAX };

/* The part of a kind in one group. */
struct role {
    uint32_t group_i;
    uint32_t bits;
};

struct kind {
    uint64_t hash;
    uint32_t n_roles;
    const struct role *roles;
    bool spread_carrier; /* placed before those that are not */
    bool counted;        /* a target of some spread */
};

struct cell {
    uint32_t kind_i, tuple_i;
    int64_t pods; /* all */
    int64_t left; /* not placed yet */
};

/* A group while the replay runs. */
struct tally {
    int64_t *count;    /* [n_values] targets, base included */
    int64_t *carriers; /* [n_values] placed by the plan */
    int64_t *pending;  /* [n_values] carriers not placed yet */
    int64_t total;     /* sum of count */
    int64_t min;       /* SPREAD: the minimum that the skew is against */
    uint32_t n_values;
    uint32_t start;   /* TOGETHER: the value it must start in, or NO_START */
    bool min_is_zero; /* SPREAD: too few domains */
};

/* How much harm a round may do: see try_cell. */
struct policy {
    bool fill_skew;  /* carriers may go up to max_skew instead of one above the minimum */
    bool free_first; /* other targets do not wait for carriers */
};

struct replay {
    const struct bp_problem *problem;
    struct arena *arena;
    uint32_t n_kinds, n_tuples, n_cells, n_pending;
    struct kind *kinds;        /* [n_classes at most] */
    uint32_t *kind_of_class;   /* [n_classes] */
    uint32_t *tuple_of_domain; /* [n_domains] */
    uint32_t *domain_of_tuple; /* [n_domains at most] a representative */
    struct cell *cells;        /* carriers first */
    uint32_t *cell_of;         /* [n_kinds][n_tuples] or NO cell */
    uint32_t *pending;         /* [n_pending] cells with pods left */
    struct tally *tallies;     /* [n_groups] */
};

static uint32_t value_at(const struct replay *r, uint32_t tuple_i, uint32_t axis)
{
    const struct bp_problem *p = r->problem;
    return p->axis_value[(size_t)r->domain_of_tuple[tuple_i] * p->n_axes + axis];
}

static uint32_t role_value(const struct replay *r, const struct cell *cell, const struct role *role)
{
    return value_at(r, cell->tuple_i, r->problem->groups[role->group_i].axis);
}

/* ------------------------------------------------------------------ kinds and cells */

static uint32_t class_roles(const struct bp_problem *p, uint32_t class_i, struct role *ret_roles)
{
    uint32_t n = 0;
    for (uint32_t g = 0; g < p->n_groups; g++) {
        uint32_t bits = (bits_get(p->groups[g].carriers, class_i) ? (uint32_t)ROLE_CARRIER : 0) |
                        (bits_get(p->groups[g].targets, class_i) ? (uint32_t)ROLE_TARGET : 0);
        if (bits != 0) {
            ret_roles[n++] = (struct role){.group_i = g, .bits = bits};
        }
    }
    return n;
}

static bool kind_equals(const struct kind *kind, uint64_t hash, const struct role *roles,
                        uint32_t n_roles)
{
    if (kind->hash != hash || kind->n_roles != n_roles) {
        return false;
    }
    for (uint32_t i = 0; i < n_roles; i++) {
        if (kind->roles[i].group_i != roles[i].group_i || kind->roles[i].bits != roles[i].bits) {
            return false;
        }
    }
    return true;
}

static void add_kind(struct replay *r, uint64_t hash, const struct role *roles, uint32_t n_roles)
{
    struct kind *kind = &r->kinds[r->n_kinds++];
    *kind = (struct kind){.hash = hash,
                          .n_roles = n_roles,
                          .roles = (const struct role *)(const void *)arena_copy(
                              r->arena, roles, n_roles * sizeof *roles)};
    for (uint32_t i = 0; i < n_roles; i++) {
        if (r->problem->groups[roles[i].group_i].kind == BP_GROUP_SPREAD) {
            kind->spread_carrier |= (roles[i].bits & ROLE_CARRIER) != 0;
            kind->counted |= (roles[i].bits & ROLE_TARGET) != 0;
        }
    }
}

static void find_kinds(struct replay *r)
{
    const struct bp_problem *p = r->problem;
    struct role *roles = ARENA_ARRAY(r->arena, struct role, p->n_groups);
    uint32_t n_slots = 16;
    while (n_slots < p->n_classes * 2) {
        n_slots *= 2;
    }
    uint32_t *slots = ARENA_ARRAY(r->arena, uint32_t, n_slots); /* kind + 1 */
    r->kinds = ARENA_ARRAY(r->arena, struct kind, p->n_classes);
    r->kind_of_class = ARENA_ARRAY(r->arena, uint32_t, p->n_classes);
    for (uint32_t i = 0; i < p->n_classes; i++) {
        uint32_t n_roles = class_roles(p, i, roles);
        uint64_t hash = UINT64_C(0x9e3779b97f4a7c15);
        for (uint32_t k = 0; k < n_roles; k++) {
            hash = (hash ^ (roles[k].group_i * 4U + roles[k].bits)) * UINT64_C(0x100000001b3);
            hash ^= hash >> 29;
        }
        uint32_t slot = (uint32_t)hash & (n_slots - 1);
        while (slots[slot] != 0 && !kind_equals(&r->kinds[slots[slot] - 1], hash, roles, n_roles)) {
            slot = (slot + 1) & (n_slots - 1);
        }
        if (slots[slot] == 0) {
            add_kind(r, hash, roles, n_roles);
            slots[slot] = r->n_kinds;
        }
        r->kind_of_class[i] = slots[slot] - 1;
    }
}

static void find_tuples(struct replay *r)
{
    const struct bp_problem *p = r->problem;
    r->tuple_of_domain = ARENA_ARRAY(r->arena, uint32_t, p->n_domains);
    r->domain_of_tuple = ARENA_ARRAY(r->arena, uint32_t, p->n_domains);
    bool *used = ARENA_ARRAY(r->arena, bool, p->n_axes);
    for (uint32_t g = 0; g < p->n_groups; g++) {
        used[p->groups[g].axis] = true;
    }
    for (uint32_t d = 0; d < p->n_domains; d++) {
        uint32_t t = 0;
        for (; t < r->n_tuples; t++) {
            bool same = true;
            for (uint32_t x = 0; x < p->n_axes && same; x++) {
                same = !used[x] || value_at(r, t, x) == p->axis_value[(size_t)d * p->n_axes + x];
            }
            if (same) {
                break;
            }
        }
        if (t == r->n_tuples) {
            r->domain_of_tuple[r->n_tuples++] = d;
        }
        r->tuple_of_domain[d] = t;
    }
}

static void find_cells(struct replay *r, uint32_t n_placings, const struct bp_placing *placings)
{
    size_t n_pairs = (size_t)r->n_kinds * r->n_tuples;
    int64_t *pods = ARENA_ARRAY(r->arena, int64_t, n_pairs);
    for (uint32_t i = 0; i < n_placings; i++) {
        const struct bp_placing *at = &placings[i];
        size_t pair =
            (size_t)r->kind_of_class[at->class_i] * r->n_tuples + r->tuple_of_domain[at->domain_i];
        pods[pair] += (int64_t)at->units * r->problem->classes[at->class_i].weight;
    }
    r->cells = ARENA_ARRAY(r->arena, struct cell, n_pairs);
    r->cell_of = ARENA_ARRAY(r->arena, uint32_t, n_pairs);
    for (int pass = 0; pass < 2; pass++) { /* carriers of a spread before all others */
        for (size_t pair = 0; pair < n_pairs; pair++) {
            uint32_t kind_i = (uint32_t)(pair / r->n_tuples);
            if (pods[pair] == 0 || r->kinds[kind_i].n_roles == 0 ||
                r->kinds[kind_i].spread_carrier != (pass == 0)) {
                continue;
            }
            r->cell_of[pair] = r->n_cells;
            r->cells[r->n_cells++] = (struct cell){
                .kind_i = kind_i, .tuple_i = (uint32_t)(pair % r->n_tuples), .pods = pods[pair]};
        }
    }
    r->pending = ARENA_ARRAY(r->arena, uint32_t, r->n_cells);
}

/* ------------------------------------------------------------------ tallies */

static void find_min(struct tally *t, const struct bp_group *group)
{
    if (t->min_is_zero) {
        return;
    }
    int64_t min = INT64_MAX;
    for (size_t v = bits_next(group->eligible, t->n_values, 0); v < t->n_values;
         v = bits_next(group->eligible, t->n_values, v + 1)) {
        min = t->count[v] < min ? t->count[v] : min;
    }
    t->min = min;
}

static void new_tallies(struct replay *r)
{
    const struct bp_problem *p = r->problem;
    r->tallies = ARENA_ARRAY(r->arena, struct tally, p->n_groups);
    for (uint32_t g = 0; g < p->n_groups; g++) {
        struct tally *t = &r->tallies[g];
        t->n_values = p->n_axis_values[p->groups[g].axis];
        t->count = ARENA_ARRAY(r->arena, int64_t, t->n_values);
        t->carriers = ARENA_ARRAY(r->arena, int64_t, t->n_values);
        t->pending = ARENA_ARRAY(r->arena, int64_t, t->n_values);
    }
}

static void reset(struct replay *r)
{
    const struct bp_problem *p = r->problem;
    for (uint32_t g = 0; g < p->n_groups; g++) {
        const struct bp_group *group = &p->groups[g];
        struct tally *t = &r->tallies[g];
        t->total = 0;
        for (uint32_t v = 0; v < t->n_values; v++) {
            t->count[v] = group->base == NULL ? 0 : group->base[v];
            t->total += t->count[v];
            t->carriers[v] = 0;
            t->pending[v] = 0;
        }
        if (group->kind == BP_GROUP_SPREAD) {
            size_t n_eligible = bits_count(group->eligible, bits_words(t->n_values));
            t->min_is_zero = n_eligible == 0 || n_eligible < group->min_domains;
            t->min = 0;
            find_min(t, group);
        }
    }
    r->n_pending = 0;
    for (uint32_t c = 0; c < r->n_cells; c++) {
        struct cell *cell = &r->cells[c];
        cell->left = cell->pods;
        r->pending[r->n_pending++] = c;
        for (uint32_t k = 0; k < r->kinds[cell->kind_i].n_roles; k++) {
            const struct role *role = &r->kinds[cell->kind_i].roles[k];
            uint32_t v = role_value(r, cell, role);
            if ((role->bits & ROLE_CARRIER) != 0 && v != BP_NO_VALUE) {
                r->tallies[role->group_i].pending[v] += cell->left;
            }
        }
    }
}

/* A value in which a self-starting group must start: carriers, no running target, and no other
 * target in the plan. */
static void find_starts(struct replay *r)
{
    const struct bp_problem *p = r->problem;
    bool **other =
        ARENA_ARRAY(r->arena, bool *, p->n_groups); /* [group][value] a target that is no carrier */
    for (uint32_t g = 0; g < p->n_groups; g++) {
        other[g] = ARENA_ARRAY(r->arena, bool, r->tallies[g].n_values);
        r->tallies[g].start = NO_START;
    }
    for (uint32_t c = 0; c < r->n_cells; c++) {
        for (uint32_t k = 0; k < r->kinds[r->cells[c].kind_i].n_roles; k++) {
            const struct role *role = &r->kinds[r->cells[c].kind_i].roles[k];
            uint32_t v = role_value(r, &r->cells[c], role);
            if (role->bits == ROLE_TARGET && v != BP_NO_VALUE) {
                other[role->group_i][v] = true;
            }
        }
    }
    for (uint32_t g = 0; g < p->n_groups; g++) {
        struct tally *t = &r->tallies[g];
        if (p->groups[g].kind != BP_GROUP_TOGETHER || !p->groups[g].self_start || t->total > 0) {
            continue;
        }
        for (uint32_t v = 0; v < t->n_values && t->start == NO_START; v++) {
            if (t->pending[v] > 0 && !other[g][v]) {
                t->start = v;
            }
        }
    }
}

/* ------------------------------------------------------------------ one placement */

static int64_t least(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

/* Pods of a kind with this role that the rule itself lets into value v now, one after the other. */
static int64_t rule_room(const struct bp_group *group, const struct tally *t, uint32_t bits,
                         uint32_t v)
{
    bool carrier = (bits & ROLE_CARRIER) != 0;
    bool target = (bits & ROLE_TARGET) != 0;
    if (v == BP_NO_VALUE) {
        /* Targets there are not counted, and nobody is kept apart. */
        return carrier && group->kind != BP_GROUP_APART ? 0 : INT64_MAX;
    }
    switch (group->kind) {
    case BP_GROUP_SPREAD:
        if (!carrier) {
            return INT64_MAX;
        }
        if (target) {
            return (int64_t)group->max_skew + t->min - t->count[v];
        }
        return t->count[v] - t->min <= (int64_t)group->max_skew ? INT64_MAX : 0;
    case BP_GROUP_TOGETHER:
        if (t->start != NO_START && t->total == 0 && target && !(carrier && v == t->start)) {
            return 0;
        }
        if (!carrier || t->count[v] > 0) {
            return INT64_MAX;
        }
        return target && group->self_start && t->total == 0 ? 1 : 0;
    case BP_GROUP_APART:
        if ((carrier && t->count[v] > 0) || (target && t->carriers[v] > 0)) {
            return 0;
        }
        return carrier && target ? 1 : INT64_MAX;
    }
    return 0;
}

/* Pods that the policy wants there now: what a spread counts rises one level at a time while
 * carriers are still to come. */
static int64_t policy_room(const struct bp_group *group, const struct tally *t, uint32_t bits,
                           uint32_t v, const struct policy *policy)
{
    if (group->kind != BP_GROUP_SPREAD || (bits & ROLE_TARGET) == 0 || v == BP_NO_VALUE ||
        t->pending[v] == 0) {
        return INT64_MAX;
    }
    bool carrier = (bits & ROLE_CARRIER) != 0;
    if ((carrier && policy->fill_skew) || (!carrier && policy->free_first)) {
        return INT64_MAX;
    }
    return t->min + 1 - t->count[v];
}

static void place(struct replay *r, struct cell *cell, int64_t pods)
{
    const struct kind *kind = &r->kinds[cell->kind_i];
    cell->left -= pods;
    for (uint32_t k = 0; k < kind->n_roles; k++) {
        const struct role *role = &kind->roles[k];
        const struct bp_group *group = &r->problem->groups[role->group_i];
        struct tally *t = &r->tallies[role->group_i];
        uint32_t v = role_value(r, cell, role);
        if (v == BP_NO_VALUE) {
            continue;
        }
        if ((role->bits & ROLE_CARRIER) != 0) {
            t->carriers[v] += pods;
            t->pending[v] -= pods;
        }
        if ((role->bits & ROLE_TARGET) != 0) {
            bool was_min = group->kind == BP_GROUP_SPREAD && t->count[v] == t->min;
            t->count[v] += pods;
            t->total += pods;
            if (was_min) {
                find_min(t, group);
            }
        }
    }
}

/* Places what rules and policy allow of one cell; returns the number of pods. */
static int64_t try_cell(struct replay *r, struct cell *cell, const struct policy *policy,
                        int64_t at_most)
{
    const struct kind *kind = &r->kinds[cell->kind_i];
    int64_t room = least(cell->left, at_most);
    for (uint32_t k = 0; k < kind->n_roles && room > 0; k++) {
        const struct role *role = &kind->roles[k];
        const struct bp_group *group = &r->problem->groups[role->group_i];
        const struct tally *t = &r->tallies[role->group_i];
        uint32_t v = role_value(r, cell, role);
        room = least(room, rule_room(group, t, role->bits, v));
        room = least(room, policy_room(group, t, role->bits, v, policy));
    }
    if (room > 0) {
        place(r, cell, room);
    }
    return room > 0 ? room : 0;
}

/* One pass over what is left; returns whether anything was placed. */
static bool sweep(struct replay *r, const struct policy *policy, bool only_one)
{
    bool progress = false;
    uint32_t n = 0;
    for (uint32_t i = 0; i < r->n_pending; i++) {
        struct cell *cell = &r->cells[r->pending[i]];
        if (!(only_one && progress)) {
            progress |= try_cell(r, cell, policy, only_one ? 1 : INT64_MAX) > 0;
        }
        if (cell->left > 0) {
            r->pending[n++] = r->pending[i];
        }
    }
    r->n_pending = n;
    return progress;
}

static int64_t pods_left(const struct replay *r)
{
    int64_t n = 0;
    for (uint32_t i = 0; i < r->n_pending; i++) {
        n += r->cells[r->pending[i]].left;
    }
    return n;
}

/* Level by level; when stuck, a single careless step, then level by level again. */
static int64_t run_careful(struct replay *r)
{
    static const struct policy ladder[] = {
        {.fill_skew = false, .free_first = false},
        {.fill_skew = true, .free_first = false},
        {.fill_skew = false, .free_first = true},
        {.fill_skew = true, .free_first = true},
    };
    reset(r);
    bool progress = true;
    while (progress && r->n_pending > 0) {
        progress = false;
        for (size_t i = 0; i < sizeof ladder / sizeof ladder[0] && !progress; i++) {
            progress = sweep(r, &ladder[i], /* only_one= */ i >= 2);
        }
    }
    return pods_left(r);
}

/* Whatever is allowed, in the order of cells. */
static int64_t run_eager(struct replay *r)
{
    static const struct policy eager = {.fill_skew = true, .free_first = true};
    reset(r);
    while (r->n_pending > 0 && sweep(r, &eager, /* only_one= */ false)) {
    }
    return pods_left(r);
}

/* ------------------------------------------------------------------ all orders */

/* Every number of placed pods of each cell is one state, its index a number in mixed radix; a
 * placement raises the index, so one scan upwards visits every reachable state. */
static bool run_all(struct replay *r)
{
    uint64_t n_states = 1;
    for (uint32_t c = 0; c < r->n_cells; c++) {
        if (r->cells[c].pods >= VERIFY_GROUPS_STATES) {
            return false;
        }
        n_states *= (uint64_t)r->cells[c].pods + 1;
        if (n_states > VERIFY_GROUPS_STATES) {
            return false;
        }
    }
    static const struct policy any = {.fill_skew = true, .free_first = true};
    uint64_t *reached = ARENA_ARRAY(r->arena, uint64_t, bits_words(n_states));
    bits_set(reached, 0);
    for (uint64_t s = 0; s + 1 < n_states; s++) {
        if (!bits_get(reached, s)) {
            continue;
        }
        reset(r);
        uint64_t rest = s;
        for (uint32_t c = 0; c < r->n_cells; c++) {
            uint64_t radix = (uint64_t)r->cells[c].pods + 1;
            place(r, &r->cells[c], (int64_t)(rest % radix));
            rest /= radix;
        }
        uint64_t stride = 1;
        for (uint32_t c = 0; c < r->n_cells; c++) {
            struct cell *cell = &r->cells[c];
            if (cell->left > 0 && try_cell(r, cell, &any, 1) > 0) {
                bits_set(reached, s + stride);
                place(r, cell, -1);
                for (uint32_t k = 0; k < r->kinds[cell->kind_i].n_roles; k++) {
                    uint32_t g = r->kinds[cell->kind_i].roles[k].group_i;
                    if (r->problem->groups[g].kind == BP_GROUP_SPREAD) {
                        find_min(&r->tallies[g], &r->problem->groups[g]);
                    }
                }
            }
            stride *= (uint64_t)cell->pods + 1;
        }
    }
    return bits_get(reached, n_states - 1);
}

/* ------------------------------------------------------------------ the answer */

static bool explain(const struct replay *r, uint32_t n_placings, const struct bp_placing *placings,
                    struct err *err)
{
    const struct bp_problem *p = r->problem;
    static const char *const names[] = {"spread", "together", "apart"};
    for (uint32_t i = 0; i < n_placings; i++) {
        uint32_t kind_i = r->kind_of_class[placings[i].class_i];
        uint32_t tuple_i = r->tuple_of_domain[placings[i].domain_i];
        if (r->kinds[kind_i].n_roles == 0 || placings[i].units == 0) {
            continue;
        }
        const struct cell *cell = &r->cells[r->cell_of[(size_t)kind_i * r->n_tuples + tuple_i]];
        if (cell->left == 0) {
            continue;
        }
        for (uint32_t k = 0; k < r->kinds[kind_i].n_roles; k++) {
            const struct role *role = &r->kinds[kind_i].roles[k];
            const struct bp_group *group = &p->groups[role->group_i];
            const struct tally *t = &r->tallies[role->group_i];
            uint32_t v = role_value(r, cell, role);
            if (rule_room(group, t, role->bits, v) > 0) {
                continue;
            }
            if (v == BP_NO_VALUE) {
                return err_set(
                    err, ERR_INTERNAL,
                    "group %u (%s): class %u is placed in domain %u, which has no value on axis %u",
                    role->group_i, names[group->kind], placings[i].class_i, placings[i].domain_i,
                    group->axis);
            }
            if (group->kind == BP_GROUP_SPREAD) {
                return err_set(err, ERR_INTERNAL,
                               "group %u (spread): %lld pods of class %u and its like in value %u "
                               "have no turn: %lld there, "
                               "minimum %lld, max_skew %u",
                               role->group_i, (long long)cell->left, placings[i].class_i, v,
                               (long long)t->count[v], (long long)t->min, group->max_skew);
            }
            return err_set(err, ERR_INTERNAL,
                           "group %u (%s): %lld pods of class %u and its like in value %u have no "
                           "turn: %lld targets and "
                           "%lld carriers there, %lld targets in all",
                           role->group_i, names[group->kind], (long long)cell->left,
                           placings[i].class_i, v, (long long)t->count[v],
                           (long long)t->carriers[v], (long long)t->total);
        }
    }
    return err_set(err, ERR_INTERNAL, "groups: %lld pods have no turn in any order",
                   (long long)pods_left(r));
}

static void share_stuck(const struct replay *r, uint32_t n_placings,
                        const struct bp_placing *placings, uint32_t *ret_stuck_pods)
{
    int64_t *left = ARENA_ARRAY(r->arena, int64_t, r->n_cells);
    for (uint32_t c = 0; c < r->n_cells; c++) {
        left[c] = r->cells[c].left;
    }
    for (uint32_t i = 0; i < n_placings; i++) {
        uint32_t kind_i = r->kind_of_class[placings[i].class_i];
        ret_stuck_pods[i] = 0;
        if (r->kinds[kind_i].n_roles == 0 || placings[i].units == 0) {
            continue;
        }
        size_t pair = (size_t)kind_i * r->n_tuples + r->tuple_of_domain[placings[i].domain_i];
        int64_t pods = (int64_t)placings[i].units * r->problem->classes[placings[i].class_i].weight;
        int64_t take = least(pods, left[r->cell_of[pair]]);
        left[r->cell_of[pair]] -= take;
        ret_stuck_pods[i] = (uint32_t)take;
    }
}

static bool check(struct replay *r, uint32_t n_placings, const struct bp_placing *placings,
                  uint32_t *stuck_pods, struct err *err)
{
    find_kinds(r);
    find_tuples(r);
    find_cells(r, n_placings, placings);
    new_tallies(r);
    reset(r);
    find_starts(r);
    int64_t careful = run_careful(r);
    if (careful == 0) {
        return true;
    }
    uint32_t *starts = ARENA_ARRAY(r->arena, uint32_t, r->problem->n_groups);
    for (uint32_t g = 0; g < r->problem->n_groups; g++) {
        starts[g] = r->tallies[g].start;
        r->tallies[g].start = NO_START; /* from here on any start is tried */
    }
    int64_t eager = run_eager(r);
    if (eager == 0 || run_all(r)) {
        return true;
    }
    if (careful <= eager) {
        for (uint32_t g = 0; g < r->problem->n_groups; g++) {
            r->tallies[g].start = starts[g];
        }
        run_careful(r);
    } else {
        run_eager(r);
    }
    if (stuck_pods != NULL) {
        share_stuck(r, n_placings, placings, stuck_pods);
    }
    return explain(r, n_placings, placings, err);
}

bool bp_verify_groups(const struct bp_problem *problem, uint32_t n_placings,
                      const struct bp_placing *placings, uint32_t *stuck_pods,
                      struct arena *scratch, struct err *err)
{
    if (stuck_pods != NULL) {
        for (uint32_t i = 0; i < n_placings; i++) {
            stuck_pods[i] = 0;
        }
    }
    if (problem->n_groups == 0) {
        return true;
    }
    struct arena_mark mark = arena_mark(scratch);
    struct replay r = {.problem = problem, .arena = scratch};
    bool ok = check(&r, n_placings, placings, stuck_pods, err);
    arena_rewind(scratch, mark);
    return ok;
}
