/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "binpack/solver/knap_search.h"

#include <math.h>
#include <string.h>

#include "base/arena.h"

enum {
    TABLE_MAX = 4096,
    TABLES = 2,
    SEEN_BITS = 13,
    SEEN_ROWS = 6,
    PRICES = 24,       /* sets of multipliers */
    PRICES_EVERY = 64, /* nodes between two new ones, at first */
    FEW_UNITS = 16
};

struct seen {
    double value;
    double rest[SEEN_ROWS];
    uint32_t depth; /* + 1; 0: empty */
};

struct table {
    uint32_t row;
    double grain; /* scaled size of one step */
    uint32_t n;   /* entries of a level: 0..n-1 steps of rest */
    double *best; /* [n_items + 1][n], level t: items t.. are undecided */
};

/* Multipliers of all rows, good for some rest of the knapsack: after the first t decisions, and
 * with `rest` left, nothing adds more than lambda.rest + above[t]. */
struct prices {
    double lambda[BP_LP_ROWS];
    double *above; /* [n + 1] */
};

struct bp_search {
    struct arena *arena;
    struct bp_lp lp; /* the relaxation of what is not decided yet */
    struct prices prices[PRICES];
    uint32_t turn[PRICES]; /* the last one that settled a node is asked first */
    uint32_t n_prices;
    uint64_t next_prices; /* nodes left when the next are made */
    uint64_t every;
    uint32_t max_items;
    uint32_t n;              /* items that can vary */
    uint32_t *item;          /* [n] in order of decision */
    double *value, *lo, *up; /* [n] */
    double *weight;          /* [n][n_rows] */
    uint32_t n_rows;
    struct table tables[TABLES];
    uint32_t n_tables;
    size_t table_room[TABLES];
    double *count; /* [lp.n] */
    struct seen *seen;
    double lambda[BP_LP_ROWS];
    double cut_off;
    uint64_t nodes_left;
    bool stopped;
    const struct bp_search_hooks *hooks;
    double *scratch; /* [TABLE_MAX] */
    uint32_t *queue; /* [TABLE_MAX] */
    uint64_t ops;
};

struct bp_search *bp_search_new(struct arena *arena, uint32_t max_items)
{
    struct bp_search *dp = ARENA_NEW(arena, struct bp_search);
    dp->arena = arena;
    dp->max_items = max_items;
    dp->item = ARENA_ARRAY(arena, uint32_t, max_items);
    dp->value = ARENA_ARRAY(arena, double, max_items);
    dp->lo = ARENA_ARRAY(arena, double, max_items);
    dp->up = ARENA_ARRAY(arena, double, max_items);
    dp->count = ARENA_ARRAY(arena, double, max_items);
    dp->scratch = ARENA_ARRAY(arena, double, TABLE_MAX + 1);
    dp->queue = ARENA_ARRAY(arena, uint32_t, TABLE_MAX + 1);
    bp_lp_init(&dp->lp, arena, max_items);
    return dp;
}

/* ---- set-up ---- */

/* Largest share of a row that one unit takes: large items are decided first. */
static double share_of(const struct bp_lp *lp, uint32_t t)
{
    double share = 0;
    for (uint32_t r = 0; r < lp->n_rows; r++) {
        share = fmax(share, lp->row[r][t] / fmax(lp->cap[r], 1e-9));
    }
    return share;
}

/* The order of decisions: what uses a row with room for a few units only, such as accelerators,
 * comes first; then by share. */
static double rank_of(const struct bp_lp *lp, uint32_t t)
{
    double rank = share_of(lp, t);
    for (uint32_t r = 0; r < lp->n_rows; r++) {
        if (lp->row[r][t] > 0 && lp->cap[r] / lp->scale[r] <= FEW_UNITS) {
            rank += 2 + lp->row[r][t] / lp->cap[r];
        }
    }
    return rank;
}

static void sort_items(struct bp_search *dp, const struct bp_lp *lp)
{
    for (uint32_t s = 1; s < dp->n; s++) {
        uint32_t item = dp->item[s], at = s;
        double share = rank_of(lp, item);
        while (at > 0 && rank_of(lp, dp->item[at - 1]) < share) {
            dp->item[at] = dp->item[at - 1];
            at--;
        }
        dp->item[at] = item;
    }
    dp->ops += (uint64_t)dp->n * dp->n / 4;
}

static void load(struct bp_search *dp, const struct bp_lp *lp, const double *lo, const double *up,
                 double *rest, double *value)
{
    dp->n = 0;
    dp->n_rows = lp->n_rows;
    memcpy(rest, lp->cap, lp->n_rows * sizeof(double));
    *value = 0;
    memset(dp->count, 0, lp->n * sizeof(double));
    for (uint32_t t = 0; t < lp->n; t++) {
        if (lo[t] > 0) {
            dp->count[t] = lo[t];
            *value += lo[t] * lp->value[t];
            for (uint32_t r = 0; r < lp->n_rows; r++) {
                rest[r] -= lo[t] * lp->row[r][t];
            }
        }
        if (up[t] > lo[t]) {
            dp->item[dp->n++] = t;
        }
    }
    sort_items(dp, lp);
    if (dp->weight == NULL) {
        dp->weight = ARENA_ARRAY(dp->arena, double, (size_t)dp->max_items *BP_LP_ROWS);
    }
    for (uint32_t s = 0; s < dp->n; s++) {
        uint32_t t = dp->item[s];
        dp->value[s] = lp->value[t];
        dp->lo[s] = lo[t];
        dp->up[s] = up[t] - lo[t];
        for (uint32_t r = 0; r < lp->n_rows; r++) {
            dp->weight[(size_t)s * lp->n_rows + r] = lp->row[r][t];
        }
    }
}

/* Best use of `most` units of one item on top of the next level, by a sliding window over each
 * residue. */
static void add_item(struct bp_search *dp, double *best, const double *next, uint32_t n,
                     uint32_t step, double gain, double most)
{
    memcpy(best, next, n * sizeof(double));
    if (gain <= 0) {
        return;
    }
    if (step == 0) {
        for (uint32_t c = 0; c < n; c++) {
            best[c] += gain * most;
        }
        return;
    }
    if (most * step >= n) {
        for (uint32_t c = step; c < n; c++) {
            double with = best[c - step] + gain;
            best[c] = with > best[c] ? with : best[c];
        }
        dp->ops += n;
        return;
    }
    uint32_t units = (uint32_t)most;
    for (uint32_t residue = 0; residue < step && residue < n; residue++) {
        uint32_t head = 0, tail = 0;
        for (uint32_t c = residue, q = 0; c < n; c += step, q++) {
            double flat = next[c] - q * gain;
            while (tail > head && dp->scratch[tail - 1] <= flat) {
                tail--;
            }
            dp->scratch[tail] = flat;
            dp->queue[tail++] = q;
            if (dp->queue[head] + units < q) {
                head++;
            }
            best[c] = dp->scratch[head] + q * gain;
        }
    }
    dp->ops += (uint64_t)n * 4;
}

static double gcd_double(double a, double b)
{
    while (b >= 0.5) {
        double t = fmod(a, b);
        a = b;
        b = t;
    }
    return a;
}

static void build_table(struct bp_search *dp, const struct bp_lp *lp, uint32_t at, uint32_t row,
                        double rest)
{
    struct table *table = &dp->tables[at];
    /* Sizes are whole numbers once the power of two is taken back. */
    double unit = 1 / lp->scale[row], grain = 0;
    for (uint32_t s = 0; s < dp->n; s++) {
        grain = gcd_double(dp->weight[(size_t)s * dp->n_rows + row] * unit, grain);
    }
    grain = fmax(grain, 1);
    double steps = floor(rest * unit / grain);
    if (steps >= TABLE_MAX) {
        grain *= ceil((steps + 1) / TABLE_MAX);
        steps = floor(rest * unit / grain);
    }
    table->row = row;
    table->grain = grain / unit;
    table->n = (uint32_t)steps + 1;
    size_t need = (size_t)(dp->n + 1) * table->n;
    if (need > dp->table_room[at]) {
        dp->table_room[at] = need + need / 2;
        table->best = ARENA_ARRAY(dp->arena, double, dp->table_room[at]);
    }
    memset(table->best + (size_t)dp->n * table->n, 0, table->n * sizeof(double));
    for (uint32_t s = dp->n; s-- > 0;) {
        double gain = dp->value[s];
        for (uint32_t r = 0; r < dp->n_rows; r++) {
            gain -= r != row ? dp->lambda[r] * dp->weight[(size_t)s * dp->n_rows + r] : 0;
        }
        double size = dp->weight[(size_t)s * dp->n_rows + row] / table->grain;
        uint32_t step = size < table->n ? (uint32_t)floor(size) : table->n;
        add_item(dp, table->best + (size_t)s * table->n, table->best + (size_t)(s + 1) * table->n,
                 table->n, step, gain, dp->up[s]);
    }
    dp->ops += (uint64_t)dp->n * table->n;
}

/* The rows whose capacity is worth most. */
static void build_tables(struct bp_search *dp, const struct bp_lp *lp, const double *rest)
{
    uint32_t first = UINT32_MAX;
    dp->n_tables = 0;
    for (uint32_t at = 0; at < TABLES; at++) {
        uint32_t row = UINT32_MAX;
        double most = 0;
        for (uint32_t r = 0; r < lp->n_rows; r++) {
            double worth = dp->lambda[r] * lp->cap[r];
            if (r != first && worth > most) {
                most = worth;
                row = r;
            }
        }
        if (row == UINT32_MAX) {
            break;
        }
        build_table(dp, lp, at, row, rest[row]);
        dp->n_tables++;
        first = row;
    }
}

/* ---- search ---- */

/* Upper bound of what the items from `depth` on can still add. */
static double bound_rest(const struct bp_search *dp, uint32_t depth, const double *rest)
{
    double paid = 0, bound = INFINITY;
    for (uint32_t r = 0; r < dp->n_rows; r++) {
        paid += dp->lambda[r] * rest[r];
    }
    for (uint32_t k = 0; k < dp->n_tables; k++) {
        const struct table *table = &dp->tables[k];
        double row_rest = rest[table->row];
        /* A little up: a rest that is whole must not fall below its step by rounding. */
        uint32_t at = (uint32_t)(row_rest / table->grain * (1 + 1e-12) + 1e-9);
        at = at < table->n ? at : table->n - 1;
        double here =
            paid - dp->lambda[table->row] * row_rest + table->best[(size_t)depth * table->n + at];
        bound = here < bound ? here : bound;
    }
    if (dp->n_tables == 0) {
        bound = 0;
        for (uint32_t s = depth; s < dp->n; s++) {
            bound += dp->value[s] * dp->up[s];
        }
    }
    return bound;
}

/* What is left for the items from `depth` on, as a relaxation. */
static bool relax(struct bp_search *dp, uint32_t depth, const double *rest)
{
    struct bp_lp *lp = &dp->lp;
    uint32_t n = dp->n - depth;
    bp_lp_clear(lp);
    lp->n = n;
    for (uint32_t r = 0; r < dp->n_rows; r++) {
        double *row = bp_lp_add_row(lp, rest[r], r);
        for (uint32_t s = 0; s < n; s++) {
            row[s] = dp->weight[(size_t)(depth + s) * dp->n_rows + r];
        }
    }
    memcpy(lp->value, dp->value + depth, n * sizeof(double));
    memset(lp->lo, 0, n * sizeof(double));
    memcpy(lp->up, dp->up + depth, n * sizeof(double));
    bp_lp_ready(lp);
    return bp_lp_clip(lp);
}

/* Multipliers for the items from `depth` on and what is left for them. */
static void add_prices(struct bp_search *dp, uint32_t depth, const double *rest)
{
    struct bp_lp *lp = &dp->lp;
    if (!relax(dp, depth, rest)) {
        return;
    }
    bp_lp_solve(lp);
    dp->ops += bp_lp_take_ops(lp);
    /* When there is no room left, the least useful one makes room. */
    uint32_t at = dp->n_prices < PRICES ? dp->n_prices : dp->turn[PRICES - 1];
    if (dp->n_prices < PRICES) {
        dp->turn[dp->n_prices++] = at;
    }
    struct prices *prices = &dp->prices[at];
    if (prices->above == NULL) {
        prices->above = ARENA_ARRAY(dp->arena, double, dp->max_items + 1);
    }
    for (uint32_t r = 0; r < dp->n_rows; r++) {
        prices->lambda[r] = lp->lambda[r] * lp->scale[r];
    }
    prices->above[dp->n] = 0;
    for (uint32_t s = dp->n; s-- > 0;) {
        double gain = dp->value[s];
        for (uint32_t r = 0; r < dp->n_rows; r++) {
            gain -= prices->lambda[r] * dp->weight[(size_t)s * dp->n_rows + r];
        }
        prices->above[s] = prices->above[s + 1] + (gain > 0 ? gain * dp->up[s] : 0);
    }
    dp->ops += (uint64_t)dp->n * dp->n_rows * 3;
}

/* Whether some multipliers show that the items from `depth` on add no more than `room`. */
static bool is_settled(struct bp_search *dp, uint32_t depth, const double *rest, double room)
{
    for (uint32_t q = 0; q < dp->n_prices; q++) {
        const struct prices *prices = &dp->prices[dp->turn[q]];
        double bound = prices->above[depth];
        for (uint32_t r = 0; r < dp->n_rows; r++) {
            bound += prices->lambda[r] * rest[r];
        }
        if (bound * (1 + 1e-12) <= room) {
            uint32_t first = dp->turn[q];
            memmove(dp->turn + 1, dp->turn, q * sizeof *dp->turn);
            dp->turn[0] = first;
            dp->ops += q * 2;
            return true;
        }
    }
    dp->ops += dp->n_prices * 2;
    return false;
}

/* Whether the state was met before with at least this value; remembers it otherwise. */
static bool was_seen(struct bp_search *dp, uint32_t depth, const double *rest, double value)
{
    if (dp->n_rows > SEEN_ROWS) {
        return false;
    }
    uint64_t h = depth * UINT64_C(0x9e3779b97f4a7c15);
    for (uint32_t r = 0; r < dp->n_rows; r++) {
        uint64_t bits;
        memcpy(&bits, &rest[r], sizeof bits);
        h = (h ^ bits) * UINT64_C(0xff51afd7ed558ccd);
        h ^= h >> 32;
    }
    struct seen *s = &dp->seen[h & ((1U << SEEN_BITS) - 1)];
    if (s->depth == depth + 1 && memcmp(s->rest, rest, dp->n_rows * sizeof *rest) == 0) {
        if (s->value >= value) {
            return true;
        }
    }
    s->depth = depth + 1;
    s->value = value;
    memcpy(s->rest, rest, dp->n_rows * sizeof *rest);
    return false;
}

static void visit(struct bp_search *dp, uint32_t depth, const double *rest, double value)
{
    if (dp->nodes_left == 0) {
        dp->stopped = true;
        return;
    }
    dp->nodes_left--;
    if (depth == dp->n) {
        if (value > dp->cut_off) {
            dp->cut_off = dp->hooks->found(dp->hooks->ctx, value, dp->count);
        }
        return;
    }
    uint32_t item = dp->item[depth], n_rows = dp->n_rows;
    const double *weight = dp->weight + (size_t)depth * n_rows;
    double most = dp->up[depth];
    for (uint32_t r = 0; r < n_rows; r++) {
        if (weight[r] * most > rest[r]) {
            most = floor(rest[r] / weight[r]);
        }
    }
    double next[BP_LP_ROWS] = {0};
    for (double q = most; q >= 0 && !dp->stopped; q--) {
        double worth = value + q * dp->value[depth];
        for (uint32_t r = 0; r < n_rows; r++) {
            next[r] = rest[r] - q * weight[r];
        }
        dp->ops += 4;
        if (worth + bound_rest(dp, depth + 1, next) <= dp->cut_off ||
            is_settled(dp, depth + 1, next, dp->cut_off - worth)) {
            continue;
        }
        if (dp->nodes_left < dp->next_prices && depth + 1 < dp->n) {
            /* Once there is no more room for them, new ones get rare. */
            dp->every += dp->n_prices == PRICES ? dp->every / 4 : 0;
            dp->next_prices = dp->nodes_left < dp->every ? 0 : dp->nodes_left - dp->every;
            add_prices(dp, depth + 1, next);
            if (is_settled(dp, depth + 1, next, dp->cut_off - worth)) {
                continue;
            }
        }
        if (was_seen(dp, depth + 1, next, worth)) {
            continue;
        }
        dp->count[item] = dp->lo[depth] + q;
        visit(dp, depth + 1, next, worth);
    }
    dp->count[item] = dp->lo[depth];
}

bool bp_search_run(struct bp_search *dp, const struct bp_lp *lp, const double *lambda,
                   const double *lo, const double *up, double cut_off, uint64_t nodes,
                   const struct bp_search_hooks *hooks, double *ret_bound)
{
    double rest[BP_LP_ROWS] = {0}, value = 0;
    memcpy(dp->lambda, lambda, lp->n_rows * sizeof(double));
    load(dp, lp, lo, up, rest, &value);
    for (uint32_t r = 0; r < lp->n_rows; r++) {
        if (rest[r] < 0) {
            *ret_bound = cut_off; /* the ranges leave nothing */
            return true;
        }
    }
    build_tables(dp, lp, rest);
    double root = value + bound_rest(dp, 0, rest);
    dp->cut_off = cut_off;
    dp->hooks = hooks;
    dp->nodes_left = dp->next_prices = nodes;
    dp->every = PRICES_EVERY;
    dp->n_prices = 0;
    dp->stopped = false;
    if (root > cut_off) {
        if (dp->seen == NULL) {
            dp->seen = ARENA_ARRAY(dp->arena, struct seen, (size_t)1 << SEEN_BITS);
        }
        memset(dp->seen, 0, ((size_t)1 << SEEN_BITS) * sizeof *dp->seen);
        visit(dp, 0, rest, value);
        dp->ops += (nodes - dp->nodes_left) * (lp->n_rows * 6 + 12) + 20000;
    }
    *ret_bound = dp->stopped ? fmax(root, dp->cut_off) : dp->cut_off;
    return !dp->stopped;
}

uint64_t bp_search_take_ops(struct bp_search *dp)
{
    uint64_t ops = dp->ops;
    dp->ops = 0;
    return ops;
}
