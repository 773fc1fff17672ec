/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "binpack/solver/spread.h"

#include "base/arena.h"
#include "base/bitset.h"

#include <string.h>

/* A group while units are placed. */
struct tally {
    int64_t *count;    /* [n_values] targets, base included, in pods */
    int64_t *carriers; /* [n_values] */
    int64_t total, min;
    uint32_t n_values;
    uint32_t choice; /* of the value, BP_NO_VALUE: any */
    bool min_is_zero;
};

struct placement {
    const struct bp_spread *s;
    const struct bp_spread_choice *choice;
    struct arena *arena;
    struct tally *tallies; /* [n_groups] */
    uint32_t *order;       /* [n_kinds] */
    uint32_t *left;        /* [n_kinds] units */
    bool *asleep; /* [n_kinds] nothing could be placed and no group of the kind has changed since */
    uint32_t *placed; /* [n_kinds][n_tuples] units */
    uint32_t *most;   /* [n_kinds][n_tuples] units */
    int64_t *room;    /* [n_tuples][n_dims] free */
    bool free_only;   /* only what a spread counts and what carries none */
    bool strict;      /* balance what no rule asks to balance, wait for chosen values */
};

/* ------------------------------------------------------------------ set-up */

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

static void open_tallies(struct placement *w)
{
    const struct bp_problem *p = w->s->problem;
    w->tallies = ARENA_ARRAY(w->arena, struct tally, p->n_groups);
    for (uint32_t g = 0; g < p->n_groups; g++) {
        const struct bp_group *group = &p->groups[g];
        struct tally *t = &w->tallies[g];
        t->n_values = p->n_axis_values[group->axis];
        t->count = ARENA_ARRAY(w->arena, int64_t, t->n_values);
        t->carriers = ARENA_ARRAY(w->arena, int64_t, t->n_values);
        t->choice = w->choice->value == NULL ? BP_NO_VALUE : w->choice->value[g];
        for (uint32_t v = 0; v < t->n_values; v++) {
            t->count[v] = group->base == NULL ? 0 : group->base[v];
            t->total += t->count[v];
        }
        if (group->kind == BP_GROUP_SPREAD) {
            size_t n = bits_count(group->eligible, bits_words(t->n_values));
            t->min_is_zero = n == 0 || n < group->min_domains;
            find_min(t, group);
        }
    }
}

/* High priorities first; then those that gather in a chosen value; then those with few tuples. */
static int64_t rank_of(const struct placement *w, uint32_t kind_i)
{
    const struct bp_spread_kind *kind = &w->s->kinds[kind_i];
    int64_t apart = kind->apart_carrier == w->choice->targets_first ? 1 : 0;
    int64_t rank = (-(int64_t)kind->priority * 2 + apart) * 2 + !kind->coupled;
    return rank * ((int64_t)w->s->n_tuples + 1) + kind->n_tuples;
}

/* By rank, then by index: insertion into a heap-free merge sort would be longer than this binary
 * insertion. */
static void sort_kinds(struct placement *w)
{
    for (uint32_t k = 0; k < w->s->n_kinds; k++) {
        uint32_t lo = 0, hi = k;
        while (lo < hi) {
            uint32_t mid = (lo + hi) / 2;
            if (rank_of(w, w->order[mid]) <= rank_of(w, k)) {
                lo = mid + 1;
            } else {
                hi = mid;
            }
        }
        memmove(&w->order[lo + 1], &w->order[lo], (k - lo) * sizeof *w->order);
        w->order[lo] = k;
    }
}

static void open_kinds(struct placement *w)
{
    const struct bp_spread *s = w->s;
    size_t n_pairs = (size_t)s->n_kinds * s->n_tuples;
    w->order = ARENA_ARRAY(w->arena, uint32_t, s->n_kinds + 1);
    w->left = ARENA_ARRAY(w->arena, uint32_t, s->n_kinds);
    w->asleep = ARENA_ARRAY(w->arena, bool, s->n_kinds);
    w->placed = ARENA_ARRAY(w->arena, uint32_t, n_pairs);
    w->most = ARENA_ARRAY(w->arena, uint32_t, n_pairs);
    for (uint32_t k = 0; k < s->n_kinds; k++) {
        w->left[k] = s->kinds[k].n_units;
        for (uint32_t t = 0; t < s->n_tuples; t++) {
            uint64_t most = w->choice->most == NULL ? BP_UNLIMITED : 0;
            for (uint32_t x = 0; x < s->kinds[k].n_classes && w->choice->most != NULL; x++) {
                most += w->choice->most[(size_t)s->kinds[k].classes[x] * s->n_tuples + t];
            }
            w->most[(size_t)k * s->n_tuples + t] =
                most > BP_UNLIMITED ? BP_UNLIMITED : (uint32_t)most;
        }
    }
    sort_kinds(w);
    size_t n_room = (size_t)s->n_tuples * s->problem->n_dims;
    w->room = ARENA_ARRAY(w->arena, int64_t, n_room);
    memcpy(w->room, s->room, n_room * sizeof *w->room);
}

/* ------------------------------------------------------------------ what is allowed */

static int64_t least(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

/* Pods of a role that may go into value v now. Pods of one unit may be placed between those of
 * other units, hence `slack`. */
static int64_t role_room(const struct placement *w, const struct bp_spread_role *role, bool coupled,
                         uint32_t v, int64_t slack)
{
    const struct bp_group *group = &w->s->problem->groups[role->group_i];
    const struct tally *t = &w->tallies[role->group_i];
    bool carrier = (role->bits & BP_SPREAD_CARRIER) != 0;
    bool target = (role->bits & BP_SPREAD_TARGET) != 0;
    if (v == BP_NO_VALUE) {
        return carrier && group->kind != BP_GROUP_APART ? 0 : INT64_MAX;
    }
    switch (group->kind) {
    case BP_GROUP_SPREAD:
        if (w->strict && coupled && t->choice != BP_NO_VALUE && v != t->choice) {
            return 0;
        }
        if (target && (carrier || w->strict)) {
            return (int64_t)group->max_skew + slack + t->min - t->count[v];
        }
        return !carrier || t->count[v] - t->min <= (int64_t)group->max_skew ? INT64_MAX : 0;
    case BP_GROUP_TOGETHER:
        if (w->strict && target && t->total == 0 && t->choice != BP_NO_VALUE && v != t->choice) {
            return 0;
        }
        if (!carrier || t->count[v] > 0) {
            return INT64_MAX;
        }
        return target && group->self_start && t->total == 0 ? 1 + slack : 0;
    case BP_GROUP_APART:
        if ((carrier && t->count[v] > 0) || (target && t->carriers[v] > 0)) {
            return 0;
        }
        if (w->strict && carrier && !target && t->choice != BP_NO_VALUE && v != t->choice) {
            return 0;
        }
        return carrier && target ? 1 : INT64_MAX;
    }
    return 0;
}

/* Units of a kind that may go under a tuple now. */
static int64_t units_allowed(const struct placement *w, uint32_t kind_i, uint32_t tuple_i)
{
    const struct bp_spread_kind *kind = &w->s->kinds[kind_i];
    size_t pair = (size_t)kind_i * w->s->n_tuples + tuple_i;
    if (kind->price[tuple_i] == BP_SPREAD_NO_PRICE || w->placed[pair] >= w->most[pair]) {
        return 0;
    }
    int64_t pods = INT64_MAX;
    for (uint32_t r = 0; r < kind->n_roles && pods > 0; r++) {
        uint32_t v = bp_spread_value(w->s, tuple_i, kind->roles[r].group_i);
        pods = least(pods, role_room(w, &kind->roles[r], kind->coupled, v, kind->weight - 1));
    }
    return least(pods / kind->weight, w->most[pair] - w->placed[pair]);
}

/* Units of the kind's average size that fit into free room. */
static int64_t units_free(const struct placement *w, uint32_t kind_i, uint32_t tuple_i)
{
    const struct bp_problem *p = w->s->problem;
    int64_t n = INT64_MAX;
    for (uint32_t d = 0; d < p->n_dims; d++) {
        int64_t size = w->s->kinds[kind_i].size[d];
        if (size > 0) {
            n = least(n, w->room[(size_t)tuple_i * p->n_dims + d] / size);
        }
    }
    return n == INT64_MAX ? 0 : n;
}

/* How far the fullest spread of the kind is above its minimum there: among equal prices the lowest
 * is filled first. */
static int64_t level_of(const struct placement *w, uint32_t kind_i, uint32_t tuple_i)
{
    const struct bp_spread_kind *kind = &w->s->kinds[kind_i];
    int64_t level = 0;
    for (uint32_t r = 0; r < kind->n_roles; r++) {
        const struct tally *t = &w->tallies[kind->roles[r].group_i];
        uint32_t v = bp_spread_value(w->s, tuple_i, kind->roles[r].group_i);
        if (w->s->problem->groups[kind->roles[r].group_i].kind == BP_GROUP_SPREAD &&
            v != BP_NO_VALUE) {
            level = t->count[v] - t->min > level ? t->count[v] - t->min : level;
        }
    }
    return level;
}

static uint32_t choose_tuple(const struct placement *w, uint32_t kind_i, int64_t *ret_units)
{
    uint32_t best = UINT32_MAX;
    usd_t best_price = 0;
    int64_t best_level = 0;
    for (uint32_t t = 0; t < w->s->n_tuples; t++) {
        int64_t units = units_allowed(w, kind_i, t);
        if (units <= 0) {
            continue;
        }
        int64_t free = units_free(w, kind_i, t);
        usd_t price = free > 0 ? 0 : w->s->kinds[kind_i].price[t];
        if (w->choice->scale != NULL) {
            price =
                muldiv_floor(price, w->choice->scale[(size_t)kind_i * w->s->n_tuples + t], 1000);
        }
        int64_t level = level_of(w, kind_i, t);
        if (best == UINT32_MAX || price < best_price ||
            (price == best_price && level < best_level)) {
            best = t;
            best_price = price;
            best_level = level;
            *ret_units = free > 0 ? least(units, free) : units;
        }
    }
    return best;
}

/* ------------------------------------------------------------------ placing */

static void wake(struct placement *w, uint32_t group_i)
{
    for (uint32_t x = w->s->group_kind_at[group_i]; x < w->s->group_kind_at[group_i + 1]; x++) {
        w->asleep[w->s->group_kinds[x]] = false;
    }
}

/* Returns whether a kind that had to wait may now have its turn. */
static bool put(struct placement *w, uint32_t kind_i, uint32_t tuple_i, uint32_t units)
{
    const struct bp_spread_kind *kind = &w->s->kinds[kind_i];
    const struct bp_problem *p = w->s->problem;
    bool opened = false;
    w->left[kind_i] -= units;
    w->placed[(size_t)kind_i * w->s->n_tuples + tuple_i] += units;
    for (uint32_t d = 0; d < p->n_dims; d++) {
        int64_t *room = &w->room[(size_t)tuple_i * p->n_dims + d];
        int64_t need = sat_mul(kind->size[d], units);
        *room = need > *room ? 0 : *room - need;
    }
    for (uint32_t r = 0; r < kind->n_roles; r++) {
        uint32_t g = kind->roles[r].group_i;
        struct tally *t = &w->tallies[g];
        uint32_t v = bp_spread_value(w->s, tuple_i, g);
        int64_t pods = (int64_t)units * kind->weight;
        if (v == BP_NO_VALUE) {
            continue;
        }
        if ((kind->roles[r].bits & BP_SPREAD_CARRIER) != 0) {
            t->carriers[v] += pods;
        }
        if ((kind->roles[r].bits & BP_SPREAD_TARGET) == 0) {
            continue;
        }
        int64_t min = t->min;
        bool first = t->count[v] == 0;
        t->count[v] += pods;
        t->total += pods;
        if (p->groups[g].kind == BP_GROUP_SPREAD) {
            find_min(t, &p->groups[g]);
        }
        if (t->min != min || (first && p->groups[g].kind == BP_GROUP_TOGETHER)) {
            wake(w, g);
            opened = true;
        }
    }
    return opened;
}

/* Goes through the kinds in order, back to the first whenever a step may let one that waits.
 * Returns whether anything was placed; in lenient rounds a single step. */
static bool place_round(struct placement *w)
{
    bool progress = false;
    for (uint32_t x = 0; x < w->s->n_kinds; x++) {
        uint32_t k = w->order[x];
        bool opened = false;
        if (w->free_only && (!w->s->kinds[k].spread_target || w->s->kinds[k].spread_carrier)) {
            continue;
        }
        while (w->left[k] > 0 && !w->asleep[k] && !opened) {
            int64_t units = 0;
            uint32_t t = choose_tuple(w, k, &units);
            if (t == UINT32_MAX) {
                w->asleep[k] = true;
                break;
            }
            /* One at a time where a minimum may rise and make a cheaper tuple possible. */
            units = w->s->kinds[k].spread_target ? 1 : least(units, w->left[k]);
            opened = put(w, k, t, (uint32_t)units);
            progress = true;
            if (!w->strict) {
                return true;
            }
        }
        if (opened) {
            x = UINT32_MAX; /* ++ makes it 0 */
        }
    }
    return progress;
}

static void wake_all(struct placement *w)
{
    memset(w->asleep, 0, w->s->n_kinds * sizeof *w->asleep);
}

/* Counts what coupled kinds will add to the chosen values (sign 1), or forgets it again (-1). */
static void expect_coupled(struct placement *w, int64_t sign)
{
    const struct bp_problem *p = w->s->problem;
    for (uint32_t k = 0; k < w->s->n_kinds; k++) {
        const struct bp_spread_kind *kind = &w->s->kinds[k];
        for (uint32_t r = 0; r < kind->n_roles && kind->coupled; r++) {
            struct tally *t = &w->tallies[kind->roles[r].group_i];
            if (p->groups[kind->roles[r].group_i].kind == BP_GROUP_SPREAD &&
                t->choice != BP_NO_VALUE && (kind->roles[r].bits & BP_SPREAD_TARGET) != 0) {
                t->count[t->choice] += sign * (int64_t)kind->n_units * kind->weight;
            }
        }
    }
    for (uint32_t g = 0; g < p->n_groups; g++) {
        if (p->groups[g].kind == BP_GROUP_SPREAD) {
            find_min(&w->tallies[g], &p->groups[g]);
        }
    }
}

static void place_all(struct placement *w)
{
    w->free_only = true;
    w->strict = true;
    expect_coupled(w, 1);
    place_round(w);
    expect_coupled(w, -1);
    w->free_only = false;
    for (bool progress = true; progress;) {
        w->strict = true;
        wake_all(w);
        place_round(w);
        w->strict = false;
        wake_all(w);
        progress = place_round(w);
    }
}

/* ------------------------------------------------------------------ from kinds to classes */

struct sharing {
    const struct placement *w;
    const struct bp_spread_kind *kind;
    uint32_t *room;  /* [n_tuples] units of the kind still to be named */
    uint32_t *units; /* [n_classes][n_tuples] of the whole split */
    uint32_t *left;  /* [n_classes] of the whole split */
};

static usd_t class_price(const struct sharing *sh, uint32_t class_i, uint32_t t)
{
    return sh->w->s->price[(size_t)class_i * sh->w->s->n_tuples + t];
}

/* What a unit loses when it does not get its cheapest tuple among those with room. */
static usd_t regret(const struct sharing *sh, uint32_t class_i)
{
    usd_t best = BP_SPREAD_NO_PRICE, second = BP_SPREAD_NO_PRICE;
    for (uint32_t t = 0; t < sh->w->s->n_tuples; t++) {
        usd_t price = class_price(sh, class_i, t);
        if (sh->room[t] == 0 || price == BP_SPREAD_NO_PRICE) {
            continue;
        }
        if (price < best) {
            second = best;
            best = price;
        } else if (price < second) {
            second = price;
        }
    }
    return second == BP_SPREAD_NO_PRICE ? 0 : second - best;
}

static void give_units(struct sharing *sh, uint32_t class_i)
{
    const struct bp_spread *s = sh->w->s;
    while (sh->left[class_i] > 0) {
        uint32_t best = UINT32_MAX;
        int64_t best_room = 0;
        for (uint32_t t = 0; t < s->n_tuples; t++) {
            size_t at = (size_t)class_i * s->n_tuples + t;
            int64_t room = least(sh->room[t], sh->left[class_i]);
            if (sh->w->choice->most != NULL) {
                room = least(room, (int64_t)sh->w->choice->most[at] - sh->units[at]);
            }
            if (room > 0 && class_price(sh, class_i, t) != BP_SPREAD_NO_PRICE &&
                (best == UINT32_MAX ||
                 class_price(sh, class_i, t) < class_price(sh, class_i, best))) {
                best = t;
                best_room = room;
            }
        }
        if (best == UINT32_MAX) {
            return;
        }
        sh->units[(size_t)class_i * s->n_tuples + best] += (uint32_t)best_room;
        sh->room[best] -= (uint32_t)best_room;
        sh->left[class_i] -= (uint32_t)best_room;
    }
}

/* The class of the kind with units under tuple a that gains most by a move to tuple b. */
static uint32_t best_mover(const struct sharing *sh, uint32_t a, uint32_t b, usd_t *ret_gain)
{
    uint32_t best = UINT32_MAX;
    for (uint32_t x = 0; x < sh->kind->n_classes; x++) {
        uint32_t i = sh->kind->classes[x];
        if (sh->units[(size_t)i * sh->w->s->n_tuples + a] == 0) {
            continue;
        }
        usd_t gain = class_price(sh, i, a) - class_price(sh, i, b);
        if (best == UINT32_MAX || gain > *ret_gain) {
            best = i;
            *ret_gain = gain;
        }
    }
    return best;
}

/* Swaps units of two classes between two tuples while that is cheaper: counts of the kind stay as
 * they are. */
static void swap_units(struct sharing *sh)
{
    uint32_t n = sh->w->s->n_tuples;
    uint32_t n_swaps = 0;
    for (uint32_t a = 0; a < n; a++) {
        for (uint32_t b = a + 1; b < n; b++) {
            if (sh->kind->price[a] == BP_SPREAD_NO_PRICE ||
                sh->kind->price[b] == BP_SPREAD_NO_PRICE) {
                continue;
            }
            while (n_swaps++ < 4 * sh->kind->n_classes) {
                usd_t there = 0, back = 0;
                uint32_t i = best_mover(sh, a, b, &there);
                uint32_t j = best_mover(sh, b, a, &back);
                if (i == UINT32_MAX || j == UINT32_MAX || there + back <= 0) {
                    break;
                }
                uint32_t *from_i = &sh->units[(size_t)i * n + a],
                         *from_j = &sh->units[(size_t)j * n + b];
                uint32_t units = *from_i < *from_j ? *from_i : *from_j;
                *from_i -= units;
                *from_j -= units;
                sh->units[(size_t)i * n + b] += units;
                sh->units[(size_t)j * n + a] += units;
            }
        }
    }
}

static void share_kind(struct sharing *sh, uint32_t *order, usd_t *value)
{
    uint32_t n = sh->kind->n_classes;
    for (uint32_t x = 0; x < n; x++) { /* by regret, highest first; then by index */
        uint32_t i = sh->kind->classes[x];
        usd_t mine = regret(sh, i);
        uint32_t lo = 0, hi = x;
        while (lo < hi) {
            uint32_t mid = (lo + hi) / 2;
            if (value[mid] >= mine) {
                lo = mid + 1;
            } else {
                hi = mid;
            }
        }
        memmove(&order[lo + 1], &order[lo], (x - lo) * sizeof *order);
        memmove(&value[lo + 1], &value[lo], (x - lo) * sizeof *value);
        order[lo] = i;
        value[lo] = mine;
    }
    for (uint32_t x = 0; x < n; x++) {
        give_units(sh, order[x]);
    }
    if (sh->w->choice->most == NULL) {
        swap_units(sh);
    }
}

static void share_out(struct placement *w, struct bp_split *split)
{
    const struct bp_spread *s = w->s;
    struct sharing sh = {.w = w,
                         .room = ARENA_ARRAY(w->arena, uint32_t, s->n_tuples),
                         .units = split->units,
                         .left = split->left};
    uint32_t *order = ARENA_ARRAY(w->arena, uint32_t, s->problem->n_classes + 1);
    usd_t *value = ARENA_ARRAY(w->arena, usd_t, s->problem->n_classes + 1);
    for (uint32_t k = 0; k < s->n_kinds; k++) {
        sh.kind = &s->kinds[k];
        for (uint32_t x = 0; x < sh.kind->n_classes; x++) {
            split->left[sh.kind->classes[x]] = s->problem->classes[sh.kind->classes[x]].demand;
        }
        memcpy(sh.room, &w->placed[(size_t)k * s->n_tuples], s->n_tuples * sizeof *sh.room);
        share_kind(&sh, order, value);
        for (uint32_t x = 0; x < sh.kind->n_classes; x++) {
            uint32_t i = sh.kind->classes[x];
            for (uint32_t t = 0; t < s->n_tuples; t++) {
                uint32_t units = split->units[(size_t)i * s->n_tuples + t];
                split->price = units == 0
                                   ? split->price
                                   : sat_add(split->price, sat_mul(class_price(&sh, i, t), units));
            }
        }
    }
}

/* ------------------------------------------------------------------ careless orders */

/* Say that some order got stuck with a coupled carrier of group g waiting for value v. Then the
 * count there is more than max_skew above the minimum, at u. If the final count of v is at most
 * max_skew above what u gets from other than coupled kinds, some of those are still to come at u:
 * what carries no spread may always come, and a carrier of g alone may come because u is at the
 * minimum. So no order gets stuck. Returns the pods of coupled carriers for which that cannot be
 * said. */
static uint64_t count_careless(struct placement *w)
{
    const struct bp_spread *s = w->s;
    const struct bp_problem *p = s->problem;
    uint64_t n_careless = 0;
    for (uint32_t g = 0; g < p->n_groups; g++) {
        const struct tally *t = &w->tallies[g];
        if (p->groups[g].kind != BP_GROUP_SPREAD || !s->chooses[g]) {
            continue;
        }
        struct arena_mark mark = arena_mark(w->arena);
        int64_t *sure = ARENA_ARRAY(w->arena, int64_t, t->n_values);
        uint64_t *coupled = ARENA_ARRAY(w->arena, uint64_t, t->n_values);
        for (uint32_t v = 0; v < t->n_values; v++) {
            sure[v] = p->groups[g].base == NULL ? 0 : p->groups[g].base[v];
        }
        for (uint32_t x = s->group_kind_at[g]; x < s->group_kind_at[g + 1]; x++) {
            const struct bp_spread_kind *kind = &s->kinds[s->group_kinds[x]];
            uint32_t bits = 0;
            for (uint32_t r = 0; r < kind->n_roles; r++) {
                bits = kind->roles[r].group_i == g ? kind->roles[r].bits : bits;
            }
            for (uint32_t u = 0; u < s->n_tuples; u++) {
                uint32_t v = bp_spread_value(s, u, g);
                uint32_t pods =
                    w->placed[(size_t)s->group_kinds[x] * s->n_tuples + u] * kind->weight;
                if (v != BP_NO_VALUE) {
                    sure[v] += (bits & BP_SPREAD_TARGET) != 0 && !kind->coupled ? pods : 0;
                    coupled[v] += (bits & BP_SPREAD_CARRIER) != 0 && kind->coupled ? pods : 0;
                }
            }
        }
        for (uint32_t v = 0; v < t->n_values; v++) {
            bool safe = true;
            for (size_t u = bits_next(p->groups[g].eligible, t->n_values, 0); u < t->n_values;
                 u = bits_next(p->groups[g].eligible, t->n_values, u + 1)) {
                safe &= u == v || t->count[v] <= sure[u] + (int64_t)p->groups[g].max_skew;
            }
            n_careless += safe ? 0 : coupled[v];
        }
        arena_rewind(w->arena, mark);
    }
    return n_careless;
}

void bp_spread_place(const struct bp_spread *spread, const struct bp_spread_choice *choice,
                     struct bp_split *ret_split, struct arena *arena, struct arena *scratch)
{
    const struct bp_problem *p = spread->problem;
    struct arena_mark mark = arena_mark(scratch);
    *ret_split = (struct bp_split){
        .units = ARENA_ARRAY(arena, uint32_t, (size_t)p->n_classes * spread->n_tuples),
        .left = ARENA_ARRAY(arena, uint32_t, p->n_classes)};
    struct placement w = {.s = spread, .choice = choice, .arena = scratch};
    open_tallies(&w);
    open_kinds(&w);
    place_all(&w);
    share_out(&w, ret_split);
    ret_split->n_careless = count_careless(&w);
    arena_rewind(scratch, mark);
}

int bp_spread_compare_left(const struct bp_problem *problem, const uint32_t *a, const uint32_t *b)
{
    int64_t below = INT64_MAX;
    for (;;) {
        int64_t priority = INT64_MIN; /* the next lower one */
        int64_t pods = 0;
        for (uint32_t i = 0; i < problem->n_classes; i++) {
            int64_t mine = problem->classes[i].priority;
            if (mine >= below || mine < priority || a[i] == b[i]) {
                continue;
            }
            pods = mine > priority ? 0 : pods;
            priority = mine;
            pods += ((int64_t)a[i] - b[i]) * problem->classes[i].weight;
        }
        if (priority == INT64_MIN || pods != 0) {
            return pods < 0 ? -1 : pods > 0 ? 1 : 0;
        }
        below = priority;
    }
}
