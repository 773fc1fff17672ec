/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "binpack/disruption/select.h"

#include "base/arena.h"
#include "binpack/solver/problem.h"

typedef __int128 wide;

#define ONE (INT64_C(1) << BP_DUAL_BITS)

enum { SWEEPS = 4, CUTS = 40 };

/* t * value, both scaled by 2^BP_DUAL_BITS, rounded up or down. */
static wide scaled(int64_t t, int64_t value, bool up)
{
    wide product = (wide)t * value;
    return (product + (up ? ONE - 1 : 0)) >> BP_DUAL_BITS;
}

static wide charges(const struct select *s, const usd_t *charge, uint32_t item)
{
    wide sum = 0;
    for (uint32_t r = 0; r < s->n_rows; r++) {
        sum += (wide)charge[r] * s->rows[r].use[item];
    }
    return sum * ONE;
}

/* What staying costs (ret_stay) and what going costs, scaled by 2^BP_DUAL_BITS. */
static wide going(const struct select *s, int64_t t, const usd_t *charge, uint32_t i,
                  wide *ret_stay)
{
    const struct select_item *item = &s->items[i];
    *ret_stay = (wide)item->price * ONE - scaled(t, item->room, /* up= */ true);
    return scaled(t, item->pods, /* up= */ false) + charges(s, charge, i);
}

static wide evaluate(const struct select *s, int64_t t, const usd_t *charge)
{
    wide sum = 0;
    for (uint32_t r = 0; r < s->n_rows; r++) {
        sum -= (wide)charge[r] * s->rows[r].max * ONE;
    }
    for (uint32_t i = 0; i < s->n_items; i++) {
        wide stay, go = going(s, t, charge, i, &stay);
        switch (s->items[i].kind) {
        case SELECT_MAY_GO:
            sum += go < stay ? go : stay;
            break;
        case SELECT_ROOM:
            sum += stay < 0 ? stay * s->items[i].stock : 0;
            break;
        }
    }
    return sum;
}

/* The search moves one number at a time; the function is concave in each. */
struct search {
    const struct select *s;
    int64_t t;
    usd_t *charge;
    wide best;
};

static wide try_value(struct search *x, int64_t *number, int64_t value)
{
    int64_t before = *number;
    *number = value;
    wide sum = evaluate(x->s, x->t, x->charge);
    if (sum > x->best) {
        x->best = sum;
    } else {
        *number = before;
    }
    return sum;
}

static void climb(struct search *x, int64_t *number, int64_t low, int64_t high)
{
    for (int cut = 0; cut < CUTS && high - low > 2; cut++) {
        int64_t third = (high - low) / 3;
        wide a = try_value(x, number, low + third), b = try_value(x, number, high - third);
        if (a < b) {
            low += third;
        } else {
            high -= third;
        }
    }
    (void)try_value(x, number, low);
    (void)try_value(x, number, high);
}

/* No charge can be worth more than the dearest node. */
static usd_t dearest(const struct select *s)
{
    usd_t most = 1;
    for (uint32_t i = 0; i < s->n_items; i++) {
        most = s->items[i].price > most ? s->items[i].price : most;
    }
    return most;
}

/* The climb stops where only several numbers together lead on. Without values of pods (t = 0) the
 * bound is the price of the dearest nodes that the rows let go, which holds where rows bind hard;
 * from there it climbs anew. Rows that overlap are taken in both orders. */
static wide bound_by_rows(const struct select *select, struct arena *arena, bool backward)
{
    struct search x = {.s = select, .charge = ARENA_ARRAY(arena, usd_t, select->n_rows)};
    const usd_t most = dearest(select);
    x.best = evaluate(select, x.t, x.charge);
    for (int sweep = 0; sweep < SWEEPS; sweep++) {
        wide before = x.best;
        for (uint32_t r = 0; r < select->n_rows; r++) {
            climb(&x, &x.charge[backward ? select->n_rows - 1 - r : r], 0, most);
        }
        climb(&x, &x.t, 0, ONE);
        if (x.best == before) {
            break;
        }
    }
    return x.best;
}

void select_bound(const struct select *select, struct arena *arena,
                  struct select_answer *ret_answer)
{
    struct search x = {.s = select, .t = ONE, .charge = ARENA_ARRAY(arena, usd_t, select->n_rows)};
    const usd_t most = dearest(select);
    x.best = evaluate(select, x.t, x.charge);
    for (int sweep = 0; sweep < SWEEPS; sweep++) {
        wide before = x.best;
        climb(&x, &x.t, 0, ONE);
        for (uint32_t r = 0; r < select->n_rows; r++) {
            climb(&x, &x.charge[r], 0, most);
        }
        if (x.best == before || select->n_rows == 0) {
            break;
        }
    }
    wide best = x.best;
    for (int way = 0; way < 2 && select->n_rows > 0; way++) {
        const wide other = bound_by_rows(select, arena, /* backward= */ way == 1);
        best = other > best ? other : best;
    }
    *ret_answer = (struct select_answer){.bound = (usd_t)(best >> BP_DUAL_BITS),
                                         .scale = x.t,
                                         .charge = x.charge,
                                         .value = ARENA_ARRAY(arena, int64_t, select->n_items),
                                         .profit = ARENA_ARRAY(arena, int64_t, select->n_items)};
    for (uint32_t i = 0; i < select->n_items; i++) {
        wide stay, go = going(select, x.t, x.charge, i, &stay);
        ret_answer->profit[i] = (int64_t)((stay - go) >> BP_DUAL_BITS);
        ret_answer->value[i] =
            (int64_t)((stay - go + charges(select, x.charge, i)) >> BP_DUAL_BITS);
    }
}
