/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "binpack/solver/verify_table.h"

#include "base/arena.h"
#include "base/units.h"

#include <string.h>

enum {
    N_THIRDS = 12,    /* steps of the search for one multiplier */
    LABEL_STEPS = 50, /* of work to sort a label in */
    TRY_STEPS = 20,   /* to try one */
    MAX_RUNS = 4096,  /* numbers of one item, above that labels are given up */
    N_GOALS = 4       /* see raise_goal */
};

#define TOO_LARGE ((wide_t)1 << 120)

struct label {
    uint32_t state;                    /* left of the exact rows */
    int64_t used[VERIFY_TABLE_PRICED]; /* of the priced rows */
    int64_t value; /* at most INT64_MAX, which exceeds all targets but that one */
    wide_t room;   /* what is left of the priced rows, at their multipliers, scaled */
};

struct table {
    const struct verify_knapsack *k;
    struct arena *arena;
    uint32_t n_items, n_exact, n_priced, n_states;
    uint32_t *item;   /* [n_items] of the knapsack: those that fit, most valuable first */
    int64_t *most;    /* [n_items] */
    uint32_t *exact;  /* [n_exact] rows of the knapsack */
    int64_t *unit;    /* [n_exact] greatest common divisor of its weights */
    int64_t *n_units; /* [n_exact] capacity / unit */
    uint32_t *stride; /* [n_exact] */
    uint32_t *digits; /* [n_states][n_exact] */
    uint32_t *need;   /* [n_items][n_exact] units */
    uint32_t *step;   /* [n_items] states that one unit of the item uses */
    uint32_t priced[VERIFY_TABLE_PRICED];
    wide_t mult[VERIFY_TABLE_PRICED];
    uint32_t shift; /* tables hold values scaled by 2^(frac_bits - shift), rounded up */
    wide_t goal;    /* target scaled by 2^frac_bits */
    bool complete;  /* no row that can bind is left out */
    int64_t *rest;  /* [n_items + 1][n_states] most value of the items from here on */
};

static int64_t weight_of(const struct table *t, uint32_t x, uint32_t row)
{
    return t->k->weight[(size_t)t->item[x] * t->k->n_rows + row];
}

/* ------------------------------------------------------------------ set-up */

static void list_items(struct table *t, const int64_t *most)
{
    t->item = ARENA_ARRAY(t->arena, uint32_t, t->k->n_items);
    t->most = ARENA_ARRAY(t->arena, int64_t, t->k->n_items);
    for (uint32_t i = 0; i < t->k->n_items; i++) {
        if (most[i] == 0) {
            continue;
        }
        uint32_t at = t->n_items++;
        for (; at > 0 && t->k->value[t->item[at - 1]] < t->k->value[i]; at--) {
            t->item[at] = t->item[at - 1];
            t->most[at] = t->most[at - 1];
        }
        t->item[at] = i;
        t->most[at] = most[i];
    }
}

static int64_t unit_of(const struct table *t, uint32_t row)
{
    int64_t unit = 0;
    for (uint32_t x = 0; x < t->n_items; x++) {
        int64_t a = weight_of(t, x, row);
        while (a != 0) {
            int64_t rest = unit % a;
            unit = a;
            a = rest;
        }
    }
    return unit == 0 ? 1 : unit;
}

/* Of the rows with a price, those with the fewest units become exact while the table stays small,
 * the others keep their price. Rows without a price that are not exact are left out: that can only
 * raise the bound. */
static bool choose_rows(struct table *t, uint32_t n_rows, const uint32_t *row,
                        const wide_t *multipliers)
{
    int64_t most = VERIFY_TABLE_STEPS / (t->n_items + 1);
    int64_t n_states = 1;
    bool *taken = ARENA_ARRAY(t->arena, bool, n_rows);
    t->exact = ARENA_ARRAY(t->arena, uint32_t, n_rows);
    t->unit = ARENA_ARRAY(t->arena, int64_t, n_rows);
    t->n_units = ARENA_ARRAY(t->arena, int64_t, n_rows);
    t->stride = ARENA_ARRAY(t->arena, uint32_t, n_rows);
    for (;;) {
        uint32_t best = UINT32_MAX;
        int64_t best_units = 0, best_unit = 1;
        for (uint32_t r = 0; r < n_rows; r++) {
            int64_t unit = taken[r] || multipliers[r] == 0 ? 1 : unit_of(t, row[r]);
            int64_t units = t->k->capacity[row[r]] / unit;
            if (!taken[r] && multipliers[r] > 0 && (best == UINT32_MAX || units < best_units)) {
                best = r;
                best_units = units;
                best_unit = unit;
            }
        }
        if (best == UINT32_MAX || best_units >= most / n_states) {
            break;
        }
        taken[best] = true;
        t->exact[t->n_exact] = row[best];
        t->unit[t->n_exact] = best_unit;
        t->n_units[t->n_exact] = best_units;
        t->stride[t->n_exact++] = (uint32_t)n_states;
        n_states *= best_units + 1;
    }
    for (uint32_t r = 0; r < n_rows; r++) {
        if (!taken[r] && multipliers[r] > 0) {
            if (t->n_priced == VERIFY_TABLE_PRICED) {
                return false;
            }
            t->priced[t->n_priced] = row[r];
            t->mult[t->n_priced++] = multipliers[r];
        }
    }
    t->n_states = (uint32_t)n_states;
    t->complete = t->n_exact + t->n_priced == n_rows;
    return t->n_exact > 0;
}

static void open_states(struct table *t)
{
    t->digits = ARENA_ARRAY(t->arena, uint32_t, (size_t)t->n_states * t->n_exact);
    for (uint32_t s = 0; s < t->n_states; s++) {
        for (uint32_t e = 0; e < t->n_exact; e++) {
            t->digits[(size_t)s * t->n_exact + e] =
                s / t->stride[e] % (uint32_t)(t->n_units[e] + 1);
        }
    }
    t->need = ARENA_ARRAY(t->arena, uint32_t, (size_t)t->n_items * t->n_exact);
    t->step = ARENA_ARRAY(t->arena, uint32_t, t->n_items);
    for (uint32_t x = 0; x < t->n_items; x++) {
        for (uint32_t e = 0; e < t->n_exact; e++) {
            uint32_t need = (uint32_t)(weight_of(t, x, t->exact[e]) / t->unit[e]);
            t->need[(size_t)x * t->n_exact + e] = need;
            t->step[x] += need * t->stride[e];
        }
    }
    t->goal = (wide_t)t->k->target << t->k->frac_bits;
    while ((t->goal >> t->shift) > INT64_MAX / 16) {
        t->shift++;
    }
}

/* ------------------------------------------------------------------ tables */

static bool fits(const struct table *t, uint32_t state, uint32_t x, int64_t times)
{
    for (uint32_t e = 0; e < t->n_exact; e++) {
        if (t->digits[(size_t)state * t->n_exact + e] <
            t->need[(size_t)x * t->n_exact + e] * times) {
            return false;
        }
    }
    return true;
}

static void add_once(const struct table *t, int64_t *best, uint32_t x, int64_t value, int64_t times)
{
    uint64_t step = (uint64_t)t->step[x] * (uint64_t)times;
    for (uint32_t s = t->n_states; s-- > step;) {
        int64_t sum = best[s - step] + value * times;
        if (sum > best[s] && fits(t, s, x, times)) {
            best[s] = sum;
        }
    }
}

static void add_any(const struct table *t, int64_t *best, uint32_t x, int64_t value)
{
    for (uint32_t s = t->step[x]; s < t->n_states; s++) {
        int64_t sum = best[s - t->step[x]] + value;
        if (sum > best[s] && fits(t, s, x, 1)) {
            best[s] = sum;
        }
    }
}

/* Value of a unit at the multipliers, scaled. */
static wide_t reduced_value(const struct table *t, uint32_t x)
{
    wide_t value = (wide_t)t->k->value[t->item[x]] << t->k->frac_bits;
    for (uint32_t r = 0; r < t->n_priced; r++) {
        value -= t->mult[r] * weight_of(t, x, t->priced[r]);
    }
    return value;
}

/* Adds an item to a table of the best values; false when the value is beyond all sense. */
static bool add_item(const struct table *t, int64_t *best, uint32_t x)
{
    wide_t value = reduced_value(t, x);
    if (value <= 0) {
        return true;
    }
    if (value / 16 * t->most[x] > t->goal) {
        return false; /* sums could leave 64 bits */
    }
    int64_t rounded = (int64_t)((value + (((wide_t)1 << t->shift) - 1)) >> t->shift);
    if (t->step[x] == 0) {
        for (uint32_t s = 0; s < t->n_states; s++) {
            best[s] += rounded * t->most[x];
        }
        return true;
    }
    bool any_number = !fits(t, t->n_states - 1, x, t->most[x] + 1);
    int64_t left = any_number ? 0 : t->most[x];
    for (int64_t times = 1; left > 0; times *= 2) { /* 1, 2, 4, ..., rest */
        int64_t part = times < left ? times : left;
        if (fits(t, t->n_states - 1, x, part)) {
            add_once(t, best, x, rounded, part);
        }
        left -= part;
    }
    if (any_number) {
        add_any(t, best, x, rounded);
    }
    return true;
}

/* All of the priced rows, scaled. */
static wide_t whole_room(const struct table *t)
{
    wide_t sum = 0;
    for (uint32_t r = 0; r < t->n_priced; r++) {
        sum += t->mult[r] * t->k->capacity[t->priced[r]];
    }
    return sum;
}

/* The bound of the whole knapsack, scaled. */
static wide_t table_bound(const struct table *t, int64_t *best)
{
    memset(best, 0, t->n_states * sizeof *best);
    for (uint32_t x = 0; x < t->n_items; x++) {
        if (!verify_knapsack_spend(t->k, 2 * t->n_states) || !add_item(t, best, x)) {
            return TOO_LARGE;
        }
    }
    return whole_room(t) + ((wide_t)best[t->n_states - 1] << t->shift);
}

/* The bound is convex in each multiplier: thirds around what the linear bound found best. Leaves
 * the best multipliers. */
static wide_t improve(struct table *t, int64_t *best_values)
{
    wide_t best = table_bound(t, best_values);
    for (uint32_t r = 0; r < t->n_priced && best > t->goal; r++) {
        wide_t kept = t->mult[r];
        wide_t lo = kept - kept / 4, hi = kept + kept / 4;
        for (uint32_t n = 0; n < N_THIRDS && best > t->goal; n++) {
            wide_t at[2] = {lo + (hi - lo) / 3, hi - (hi - lo) / 3};
            wide_t bound[2];
            for (int side = 0; side < 2; side++) {
                t->mult[r] = at[side];
                bound[side] = table_bound(t, best_values);
                if (bound[side] < best) {
                    best = bound[side];
                    kept = at[side];
                }
            }
            lo = bound[0] < bound[1] ? lo : at[0];
            hi = bound[0] < bound[1] ? at[1] : hi;
        }
        t->mult[r] = kept;
    }
    return best;
}

/* ------------------------------------------------------------------ labels */

/* Most searches end with few labels, so the arrays grow as they are needed. */
struct labels {
    struct label *v;
    uint32_t n, room;
};

static bool reserve(const struct table *t, struct labels *labels, uint32_t n)
{
    if (n > VERIFY_TABLE_LABELS) {
        return false;
    }
    if (n > labels->room) {
        uint32_t room = labels->room == 0 ? 64 : 2 * labels->room;
        room = room < n ? n : room;
        labels->v = arena_grow(t->arena, labels->v, labels->n * sizeof *labels->v,
                               room * sizeof *labels->v);
        labels->room = room;
    }
    return true;
}

static int compare(const struct label *a, const struct label *b)
{
    if (a->state != b->state) {
        return a->state < b->state ? -1 : 1;
    }
    for (uint32_t r = VERIFY_TABLE_PRICED; r-- > 0;) {
        if (a->used[r] != b->used[r]) {
            return a->used[r] < b->used[r] ? -1 : 1;
        }
    }
    return a->value > b->value ? -1 : a->value < b->value;
}

/* Merges the sorted runs run[0] .. run[1], run[1] .. run[2], ... into one; `spare` has as much
 * room.
 */
static void merge_runs(struct labels *labels, struct labels *spare, uint32_t *run, uint32_t n_runs)
{
    while (n_runs > 1) {
        const struct label *v = labels->v;
        uint32_t n = 0, out = 0;
        for (uint32_t r = 0; r < n_runs; r += 2) {
            uint32_t a = run[r], mid = run[r + 1], b = mid;
            uint32_t end = r + 2 <= n_runs ? run[r + 2] : mid;
            run[n++] = a;
            while (a < mid || b < end) {
                bool first = b >= end || (a < mid && compare(&v[a], &v[b]) <= 0);
                spare->v[out++] = first ? v[a++] : v[b++];
            }
        }
        run[n] = out;
        n_runs = n;
        spare->n = labels->n;
        struct labels swap = *labels;
        *labels = *spare;
        *spare = swap;
    }
}

/* Of labels with the same state, those go that another one of no more weight equals in value. */
static void drop_dominated(struct labels *labels)
{
    struct label *v = labels->v;
    uint32_t kept = 0, n = labels->n;
    for (uint32_t x = 0; x < n; x++) {
        const struct label *last = kept > 0 ? &v[kept - 1] : NULL;
        bool comparable = last != NULL && last->state == v[x].state;
        for (uint32_t r = 1; r < VERIFY_TABLE_PRICED && comparable; r++) {
            comparable = last->used[r] == v[x].used[r];
        }
        if (!comparable || v[x].value > last->value) {
            v[kept++] = v[x];
        }
    }
    labels->n = kept;
}

/* One unit of an item. */
struct unit {
    uint32_t x, step;
    int64_t value, weight[VERIFY_TABLE_PRICED];
    wide_t charge; /* of its weight in the priced rows */
};

static struct unit unit_of_item(const struct table *t, uint32_t x)
{
    struct unit unit = {.x = x, .step = t->step[x], .value = t->k->value[t->item[x]]};
    for (uint32_t r = 0; r < t->n_priced; r++) {
        unit.weight[r] = weight_of(t, x, t->priced[r]);
        unit.charge += t->mult[r] * unit.weight[r];
    }
    return unit;
}

/* Adds the unit to those labels that have room for it, in place; the others are dropped. */
static void add_unit(const struct table *t, const struct unit *unit, struct labels *labels)
{
    uint32_t kept = 0;
    for (uint32_t y = 0; y < labels->n; y++) {
        struct label label = labels->v[y];
        bool fit = fits(t, label.state, unit->x, 1);
        for (uint32_t r = 0; r < t->n_priced && fit; r++) {
            label.used[r] += unit->weight[r];
            fit = label.used[r] <= t->k->capacity[t->priced[r]];
        }
        if (fit) {
            label.state -= unit->step;
            label.value =
                label.value > INT64_MAX - unit->value ? INT64_MAX : label.value + unit->value;
            label.room -= unit->charge;
            labels->v[kept++] = label;
        }
    }
    labels->n = kept;
}

/* The labels with 0, 1, 2, ... of item x added, if something worth more than the goal can follow;
 * uses `from` up. They stay in order, so each number makes a sorted run. False: too many. */
static bool extend(const struct table *t, struct labels *from, uint32_t x, struct labels *to,
                   uint32_t *run, uint32_t *ret_n_runs)
{
    const int64_t *rest = &t->rest[(size_t)(x + 1) * t->n_states];
    const struct unit unit = unit_of_item(t, x);
    *ret_n_runs = 0;
    to->n = 0;
    for (int64_t times = 0; times <= t->most[x] && from->n > 0; times++) {
        if (*ret_n_runs == MAX_RUNS || !reserve(t, to, to->n + from->n) ||
            !verify_knapsack_spend(t->k, (uint64_t)TRY_STEPS * from->n)) {
            return false;
        }
        run[(*ret_n_runs)++] = to->n;
        for (uint32_t y = 0; y < from->n; y++) {
            const struct label *label = &from->v[y];
            wide_t bound = ((wide_t)label->value << t->k->frac_bits) + label->room +
                           ((wide_t)rest[label->state] << t->shift);
            if (bound > t->goal) {
                to->v[to->n++] = *label;
            }
        }
        if (times < t->most[x]) {
            add_unit(t, &unit, from);
        }
    }
    run[*ret_n_runs] = to->n;
    return true;
}

static bool find_rest(struct table *t)
{
    t->rest = ARENA_ARRAY(t->arena, int64_t, (size_t)(t->n_items + 1) * t->n_states);
    for (uint32_t x = t->n_items; x-- > 0;) {
        int64_t *rest = &t->rest[(size_t)x * t->n_states];
        memcpy(rest, rest + t->n_states, t->n_states * sizeof *rest);
        if (!verify_knapsack_spend(t->k, (uint64_t)3 * t->n_states) || !add_item(t, rest, x)) {
            return false;
        }
    }
    return true;
}

/* Is nothing worth more than the goal? *ret_best is what was found when something is. Gives up when
 * labels or steps do not suffice. */
static enum verify_knapsack_answer run_labels(struct table *t, int64_t *ret_best)
{
    uint32_t *run = ARENA_ARRAY(t->arena, uint32_t, MAX_RUNS + 1), n_runs;
    struct labels now = {.n = 0}, next = {.n = 0};
    if (!reserve(t, &now, 1)) {
        return VERIFY_KNAPSACK_GAVE_UP;
    }
    now.v[now.n++] = (struct label){.state = t->n_states - 1, .room = whole_room(t)};
    for (uint32_t x = 0; x < t->n_items && now.n > 0; x++) {
        if (!extend(t, &now, x, &next, run, &n_runs) || !reserve(t, &now, next.n) ||
            !verify_knapsack_spend(t->k, (uint64_t)LABEL_STEPS * next.n)) {
            return VERIFY_KNAPSACK_GAVE_UP;
        }
        merge_runs(&next, &now, run, n_runs);
        struct labels swap = now;
        now = next;
        next = swap;
        drop_dominated(&now);
    }
    *ret_best = 0;
    for (uint32_t y = 0; y < now.n; y++) {
        *ret_best = now.v[y].value > *ret_best ? now.v[y].value : *ret_best;
    }
    return (wide_t)*ret_best << t->k->frac_bits <= t->goal ? VERIFY_KNAPSACK_PROVEN
                                                           : VERIFY_KNAPSACK_EXCEEDED;
}

/* The labels for one goal, with half of the steps that are left. */
static enum verify_knapsack_answer try_goal(struct table *t, wide_t goal, int64_t *ret_best)
{
    struct arena_mark mark = arena_mark(t->arena);
    uint64_t *steps = t->k->steps;
    uint64_t kept = steps == NULL ? 0 : *steps / 2;
    if (steps != NULL) {
        *steps -= kept;
    }
    t->goal = goal;
    enum verify_knapsack_answer answer = run_labels(t, ret_best);
    if (steps != NULL) {
        *steps += kept;
    }
    arena_rewind(t->arena, mark);
    return answer;
}

/* Where labels do not reach the target they may reach what lies between it and the table's bound:
 * the nearer to that the fewer there are, so the first goal that is out of reach is the only one
 * that costs much. *ret_value is lowered to what is reached. */
static void raise_goal(struct table *t, wide_t bound, wide_t *ret_value)
{
    wide_t from = t->goal;
    bool done = true;
    for (int64_t q = N_GOALS - 1; q > 0 && done; q--) {
        int64_t ignored;
        wide_t goal = from + (bound - from) / N_GOALS * q;
        done = try_goal(t, goal, &ignored) == VERIFY_KNAPSACK_PROVEN;
        wide_t value = goal >> t->k->frac_bits;
        *ret_value = done && value < *ret_value ? value : *ret_value;
    }
}

enum verify_knapsack_answer verify_table_prove(const struct verify_knapsack *knapsack,
                                               uint32_t n_rows, const uint32_t *row,
                                               const wide_t *multipliers, const int64_t *most,
                                               wide_t *ret_value, struct arena *scratch)
{
    struct arena_mark mark = arena_mark(scratch);
    struct table t = {.k = knapsack, .arena = scratch};
    enum verify_knapsack_answer answer = VERIFY_KNAPSACK_GAVE_UP;
    list_items(&t, most);
    if (knapsack->target > 0 && choose_rows(&t, n_rows, row, multipliers)) {
        open_states(&t);
        int64_t *best = ARENA_ARRAY(scratch, int64_t, t.n_states);
        wide_t bound = improve(&t, best), value = bound >> knapsack->frac_bits;
        int64_t found;
        *ret_value = value < *ret_value ? value : *ret_value;
        if (bound <= t.goal) {
            answer = VERIFY_KNAPSACK_PROVEN;
        } else if (bound < TOO_LARGE && find_rest(&t)) {
            answer = try_goal(&t, t.goal, &found);
            if (answer == VERIFY_KNAPSACK_EXCEEDED && t.complete) {
                *ret_value = found;
            } else if (answer != VERIFY_KNAPSACK_PROVEN) {
                answer = VERIFY_KNAPSACK_GAVE_UP;
                raise_goal(&t, bound, ret_value);
            }
        }
    }
    arena_rewind(scratch, mark);
    return answer;
}
