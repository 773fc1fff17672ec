/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "binpack/solver/verify_bound.h"

#include "base/arena.h"
#include "base/bitset.h"
#include "base/units.h"
#include "binpack/solver/verify_counts.h"
#include "binpack/solver/verify_cover.h"
#include "binpack/solver/verify_knapsack.h"

#include <string.h>

enum { TIGHTEN_STEPS = 2000000 }; /* for one value below its charge */

struct context {
    const struct bp_problem *p;
    const struct bp_certificate *cert;
    const uint32_t *placed;
    struct arena *arena;
    uint32_t n_caps;     /* necessary ones */
    const uint32_t *cap; /* [n_caps] */
    uint32_t n_rows;     /* dimensions, then caps */
    uint32_t frac_bits;
    int64_t largest;       /* target that frac_bits suffice for */
    wide_t *multipliers;   /* [n_rows] carried from proof to proof */
    usd_t counts_bound;    /* what whole numbers of nodes prove */
    int64_t *proven;       /* [n_offerings] NULL: every claim must be confirmed as it stands */
    const int64_t *enough; /* [n_offerings] with proven: what is confirmed instead where it is more;
                              may be NULL */
    bool tighten;          /* with enough: then what is claimed, with little effort */
    wide_t lost, lost_of; /* with enough: what was proven of the offering that exceeds its charge by
                             the largest factor so far, and that charge; 1 and 1: of none */
    uint64_t *steps;      /* left, see verify_knapsack.h */
};

/* Classes that the offerings of one set of domains admit, equal ones merged. */
struct items {
    uint32_t n;
    int64_t *value;  /* [n] */
    int64_t *weight; /* [n][n_rows] */
    int64_t *count;  /* [n] */
};

/* Offerings of one set with the same (lowered) capacities. */
struct bin {
    const int64_t *capacity; /* [n_rows] */
    int64_t target;          /* the smallest value to be confirmed among them, */
    int64_t claimed;         /* and the smallest best_value */
    int64_t charge;          /* the smallest of those that only have to pay for themselves, */
    int64_t fixed;           /* and the smallest value of the others; INT64_MAX: none */
    uint32_t offering_i;     /* which has the target */
    uint64_t hash;
};

static uint64_t mix(uint64_t hash, uint64_t word)
{
    hash = (hash ^ word) * UINT64_C(0x9e3779b97f4a7c15);
    return hash ^ (hash >> 32);
}

/* ------------------------------------------------------------------ sets of domains */

static bool admits(const struct context *c, uint32_t domain_i, uint32_t class_i)
{
    return c->cert->dual[class_i] > 0 && c->placed[class_i] > 0 &&
           bits_get(&c->p->mask[class_i * bits_words(c->p->n_domains)], domain_i);
}

/* set_of[domain]: the first domain that admits the same valued classes. */
static void find_sets(const struct context *c, uint32_t *set_of)
{
    const struct bp_problem *p = c->p;
    uint64_t *hash = ARENA_ARRAY(c->arena, uint64_t, p->n_domains);
    for (uint32_t d = 0; d < p->n_domains; d++) {
        for (uint32_t i = 0; i < p->n_classes; i++) {
            hash[d] = admits(c, d, i) ? mix(hash[d], i + 1) : hash[d];
        }
    }
    uint32_t n_slots = 16;
    while (n_slots < 2 * p->n_domains) {
        n_slots *= 2;
    }
    uint32_t *slots = ARENA_ARRAY(c->arena, uint32_t, n_slots); /* domain + 1 */
    for (uint32_t d = 0; d < p->n_domains; d++) {
        uint32_t slot = (uint32_t)hash[d] & (n_slots - 1);
        for (; slots[slot] != 0; slot = (slot + 1) & (n_slots - 1)) {
            uint32_t other = slots[slot] - 1;
            bool same = hash[other] == hash[d];
            for (uint32_t i = 0; i < p->n_classes && same; i++) {
                same = admits(c, other, i) == admits(c, d, i);
            }
            if (same) {
                break;
            }
        }
        if (slots[slot] == 0) {
            slots[slot] = d + 1;
        }
        set_of[d] = slots[slot] - 1;
    }
}

/* ------------------------------------------------------------------ items of a set */

static bool item_equals(const struct context *c, const struct items *items, uint32_t item_i,
                        int64_t value, const int64_t *weight)
{
    return items->value[item_i] == value && memcmp(&items->weight[(size_t)item_i * c->n_rows],
                                                   weight, c->n_rows * sizeof *weight) == 0;
}

static void find_items(const struct context *c, uint32_t domain_i, struct items *ret_items)
{
    const struct bp_problem *p = c->p;
    uint32_t n_valued = 0;
    for (uint32_t i = 0; i < p->n_classes; i++) {
        n_valued += admits(c, domain_i, i);
    }
    struct items items = {.value = ARENA_ARRAY(c->arena, int64_t, n_valued),
                          .weight = ARENA_ARRAY(c->arena, int64_t, (size_t)n_valued * c->n_rows),
                          .count = ARENA_ARRAY(c->arena, int64_t, n_valued)};
    uint32_t n_slots = 16;
    while (n_slots < 2 * n_valued) {
        n_slots *= 2;
    }
    uint32_t *slots = ARENA_ARRAY(c->arena, uint32_t, n_slots); /* item + 1 */
    int64_t *weight = ARENA_ARRAY(c->arena, int64_t, c->n_rows);
    for (uint32_t i = 0; i < p->n_classes; i++) {
        if (!admits(c, domain_i, i)) {
            continue;
        }
        memcpy(weight, &p->size[(size_t)i * p->n_dims], p->n_dims * sizeof *weight);
        for (uint32_t k = 0; k < c->n_caps; k++) {
            weight[p->n_dims + k] = bits_get(p->caps[c->cap[k]].members, i);
        }
        uint64_t hash = mix(0, (uint64_t)c->cert->dual[i]);
        for (uint32_t r = 0; r < c->n_rows; r++) {
            hash = mix(hash, (uint64_t)weight[r]);
        }
        uint32_t slot = (uint32_t)hash & (n_slots - 1);
        while (slots[slot] != 0 &&
               !item_equals(c, &items, slots[slot] - 1, c->cert->dual[i], weight)) {
            slot = (slot + 1) & (n_slots - 1);
        }
        if (slots[slot] == 0) {
            items.value[items.n] = c->cert->dual[i];
            memcpy(&items.weight[(size_t)items.n * c->n_rows], weight, c->n_rows * sizeof *weight);
            slots[slot] = ++items.n;
        }
        /* A node never holds more of a class than the plan places in all. */
        uint32_t most = p->classes[i].max_per_node;
        items.count[slots[slot] - 1] += most < c->placed[i] ? most : c->placed[i];
    }
    *ret_items = items;
}

/* ------------------------------------------------------------------ capacities of a set */

/* Lowers every capacity of one row to the largest sum of weights at or below it. Any number of each
 * item may be summed, which allows more sums than patterns have, never fewer. */
static void lower_to_reachable(const struct context *c, const struct items *items, uint32_t r,
                               uint32_t n_bins, int64_t *capacity)
{
    int64_t unit = 0;
    for (uint32_t i = 0; i < items->n; i++) {
        int64_t a = items->weight[(size_t)i * c->n_rows + r];
        while (a != 0) { /* greatest common divisor */
            int64_t rest = unit % a;
            unit = a;
            a = rest;
        }
    }
    int64_t largest = 0;
    for (uint32_t b = 0; b < n_bins && unit > 0; b++) {
        int64_t *at = &capacity[(size_t)b * c->n_rows + r];
        *at -= *at % unit;
        largest = *at > largest ? *at : largest;
    }
    if (unit == 0 || largest / unit >= VERIFY_BOUND_TABLE_BITS) {
        return;
    }
    struct arena_mark mark = arena_mark(c->arena);
    size_t n_bits = (size_t)(largest / unit) + 1;
    size_t n_words = bits_words(n_bits);
    uint64_t *reached = ARENA_ARRAY(c->arena, uint64_t, n_words);
    bits_set(reached, 0);
    for (uint32_t i = 0; i < items->n; i++) {
        size_t step = (size_t)(items->weight[(size_t)i * c->n_rows + r] / unit);
        if (step == 0 || step >= n_bits || bits_get(reached, step)) {
            continue; /* a sum of earlier ones adds nothing new */
        }
        for (size_t shift = step; shift < n_bits; shift *= 2) {
            size_t words = shift / 64, bits = shift % 64;
            for (size_t w = n_words; w-- > words;) {
                uint64_t add = reached[w - words] << bits;
                if (bits > 0 && w > words) {
                    add |= reached[w - words - 1] >> (64 - bits);
                }
                reached[w] |= add;
            }
        }
    }
    for (uint32_t b = 0; b < n_bins; b++) {
        int64_t *at = &capacity[(size_t)b * c->n_rows + r];
        size_t sum = (size_t)(*at / unit);
        while (!bits_get(reached, sum)) {
            sum--;
        }
        *at = (int64_t)sum * unit;
    }
    arena_rewind(c->arena, mark);
}

static uint32_t fill_capacities(const struct context *c, const uint32_t *offerings, uint32_t n,
                                const struct items *items, int64_t *capacity)
{
    const struct bp_problem *p = c->p;
    for (uint32_t b = 0; b < n; b++) {
        int64_t *row = &capacity[(size_t)b * c->n_rows];
        memcpy(row, &p->capacity[(size_t)offerings[b] * p->n_dims], p->n_dims * sizeof *row);
        for (uint32_t k = 0; k < c->n_caps; k++) {
            const struct bp_cap *cap = &p->caps[c->cap[k]];
            row[p->n_dims + k] = cap->max_at == NULL ? cap->max : cap->max_at[offerings[b]];
        }
    }
    for (uint32_t r = 0; r < c->n_rows; r++) {
        wide_t all = 0; /* no row needs more than everything */
        for (uint32_t i = 0; i < items->n; i++) {
            all += (wide_t)items->weight[(size_t)i * c->n_rows + r] * items->count[i];
        }
        for (uint32_t b = 0; b < n; b++) {
            int64_t *at = &capacity[(size_t)b * c->n_rows + r];
            *at = *at > all ? (int64_t)all : *at;
        }
        if (r < p->n_dims) {
            lower_to_reachable(c, items, r, n, capacity);
        }
    }
    return n;
}

static int64_t target_of(const struct context *c, uint32_t k)
{
    int64_t claimed = c->cert->best_value[k];
    return c->enough != NULL && c->enough[k] > claimed ? c->enough[k] : claimed;
}

static uint32_t find_bins(const struct context *c, const uint32_t *offerings, uint32_t n,
                          const int64_t *capacity, struct bin *bins, uint32_t *bin_of)
{
    uint32_t n_slots = 16;
    while (n_slots < 2 * n) {
        n_slots *= 2;
    }
    uint32_t *slots = ARENA_ARRAY(c->arena, uint32_t, n_slots); /* bin + 1 */
    uint32_t n_bins = 0;
    for (uint32_t b = 0; b < n; b++) {
        const int64_t *row = &capacity[(size_t)b * c->n_rows];
        int64_t target = target_of(c, offerings[b]), claimed = c->cert->best_value[offerings[b]];
        uint64_t hash = 0;
        for (uint32_t r = 0; r < c->n_rows; r++) {
            hash = mix(hash, (uint64_t)row[r]);
        }
        uint32_t slot = (uint32_t)hash & (n_slots - 1);
        while (slots[slot] != 0 &&
               (bins[slots[slot] - 1].hash != hash ||
                memcmp(bins[slots[slot] - 1].capacity, row, c->n_rows * sizeof *row) != 0)) {
            slot = (slot + 1) & (n_slots - 1);
        }
        if (slots[slot] == 0) {
            bins[n_bins] = (struct bin){.capacity = row,
                                        .target = target,
                                        .claimed = claimed,
                                        .charge = INT64_MAX,
                                        .fixed = INT64_MAX,
                                        .offering_i = offerings[b],
                                        .hash = hash};
            slots[slot] = ++n_bins;
        }
        struct bin *bin = &bins[slots[slot] - 1];
        if (target < bin->target) {
            bin->target = target;
            bin->offering_i = offerings[b];
        }
        bin->claimed = claimed < bin->claimed ? claimed : bin->claimed;
        const bool pays =
            c->enough != NULL && c->enough[offerings[b]] > 0 && c->enough[offerings[b]] >= claimed;
        int64_t *of_kind = pays ? &bin->charge : &bin->fixed;
        *of_kind = target < *of_kind ? target : *of_kind;
        bin_of[b] = slots[slot] - 1;
    }
    return n_bins;
}

/* ------------------------------------------------------------------ proofs */

static long long nano_of(wide_t scaled)
{
    return (long long)(scaled >> BP_DUAL_BITS);
}

/* The duals are scaled down until the worst offering pays for itself: of the others it is enough
 * that they are not worse. */
static void ease_target(const struct context *c, struct bin *bin)
{
    if (bin->charge != INT64_MAX && c->lost > c->lost_of) {
        wide_t target = bin->charge * c->lost / c->lost_of;
        target = target < bin->fixed ? target : bin->fixed;
        target = target < c->largest ? target : c->largest;
        bin->target = target > bin->target ? (int64_t)target : bin->target;
    }
}

static void note_lost(struct context *c, const struct bin *bin)
{
    if (bin->charge != INT64_MAX && bin->target * c->lost_of > bin->charge * c->lost) {
        c->lost = bin->target;
        c->lost_of = bin->charge;
    }
}

/* With c->proven, a value that cannot be confirmed is replaced by the one that can. */
static bool prove_bin(struct context *c, const struct items *items, struct bin *bin,
                      struct err *err)
{
    ease_target(c, bin);
    struct verify_knapsack knapsack = {.n_items = items->n,
                                       .n_rows = c->n_rows,
                                       .value = items->value,
                                       .weight = items->weight,
                                       .count = items->count,
                                       .capacity = bin->capacity,
                                       .target = bin->target,
                                       .frac_bits = c->frac_bits,
                                       .max_nodes = VERIFY_BOUND_NODES,
                                       .steps = c->steps};
    wide_t value;
    enum verify_knapsack_answer answer =
        verify_knapsack_prove(&knapsack, c->multipliers, &value, c->arena);
    if (answer == VERIFY_KNAPSACK_PROVEN && c->tighten && bin->claimed < bin->target) {
        uint64_t few = c->steps == NULL || *c->steps > TIGHTEN_STEPS ? TIGHTEN_STEPS : *c->steps;
        wide_t least;
        knapsack.target = bin->claimed;
        knapsack.steps = &few;
        answer = verify_knapsack_prove(&knapsack, c->multipliers, &least, c->arena);
        value = least < value ? least : value;
    }
    switch (answer) {
    case VERIFY_KNAPSACK_PROVEN:
        bin->target = knapsack.target;
        return true;
    case VERIFY_KNAPSACK_EXCEEDED:
        return err_set(err, ERR_INTERNAL,
                       "certificate: offering %u holds a pattern worth %lld nano-dollars "
                       "(%lld/2^%d), best_value says %lld (%lld/2^%d)",
                       bin->offering_i, nano_of(value), (long long)value, BP_DUAL_BITS,
                       nano_of(knapsack.target), (long long)knapsack.target, BP_DUAL_BITS);
    case VERIFY_KNAPSACK_GAVE_UP:
        break;
    }
    if (c->proven != NULL && value <= INT64_MAX) {
        bin->target = (int64_t)value;
        note_lost(c, bin);
        return true;
    }
    return err_set(err, ERR_INTERNAL,
                   "certificate: best_value %lld of offering %u could not be confirmed in %d "
                   "steps; proven is %lld",
                   (long long)bin->target, bin->offering_i, VERIFY_BOUND_NODES, (long long)value);
}

static bool check_set(struct context *c, uint32_t domain_i, const uint32_t *offerings, uint32_t n,
                      struct err *err)
{
    struct items items;
    find_items(c, domain_i, &items);
    int64_t *capacity = ARENA_ARRAY(c->arena, int64_t, (size_t)n * c->n_rows);
    fill_capacities(c, offerings, n, &items, capacity);
    struct bin *bins = ARENA_ARRAY(c->arena, struct bin, n);
    uint32_t *bin_of = ARENA_ARRAY(c->arena, uint32_t, n);
    uint32_t n_bins = find_bins(c, offerings, n, capacity, bins, bin_of);
    for (uint32_t b = 0; b < n_bins; b++) {
        if (!prove_bin(c, &items, &bins[b], err)) {
            return false;
        }
    }
    for (uint32_t b = 0; c->proven != NULL && b < n; b++) {
        int64_t claimed = c->cert->best_value[offerings[b]], proven = bins[bin_of[b]].target;
        c->proven[offerings[b]] = claimed > proven ? claimed : proven;
    }
    return true;
}

static bool check_best_values(struct context *c, struct err *err)
{
    const struct bp_problem *p = c->p;
    uint32_t *set_of = ARENA_ARRAY(c->arena, uint32_t, p->n_domains);
    find_sets(c, set_of);
    /* Offerings by set: count, then place. */
    uint32_t *from = ARENA_ARRAY(c->arena, uint32_t, p->n_domains + 1);
    uint32_t *offerings = ARENA_ARRAY(c->arena, uint32_t, p->n_offerings);
    for (uint32_t k = 0; k < p->n_offerings; k++) {
        from[set_of[p->offerings[k].domain] + 1]++;
    }
    for (uint32_t d = 0; d < p->n_domains; d++) {
        from[d + 1] += from[d];
    }
    uint32_t *at = ARENA_ARRAY(c->arena, uint32_t, p->n_domains);
    for (uint32_t k = 0; k < p->n_offerings; k++) {
        uint32_t set = set_of[p->offerings[k].domain];
        offerings[from[set] + at[set]++] = k;
    }
    for (uint32_t d = 0; d < p->n_domains; d++) {
        if (from[d + 1] > from[d]) {
            struct arena_mark mark = arena_mark(c->arena);
            bool ok = check_set(c, d, &offerings[from[d]], from[d + 1] - from[d], err);
            arena_rewind(c->arena, mark);
            if (!ok) {
                return false;
            }
        }
    }
    return true;
}

/* ------------------------------------------------------------------ the sum */

static bool check_signs(const struct context *c, struct err *err)
{
    const struct bp_problem *p = c->p;
    for (uint32_t i = 0; i < p->n_classes; i++) {
        if (c->cert->dual[i] < 0) {
            return err_set(err, ERR_INTERNAL, "certificate: dual of class %u is %lld, below 0", i,
                           (long long)c->cert->dual[i]);
        }
    }
    for (uint32_t r = 0; r < p->n_limits; r++) {
        if (c->cert->limit_dual[r] < 0) {
            return err_set(err, ERR_INTERNAL, "certificate: dual of limit %u is %lld, below 0", r,
                           (long long)c->cert->limit_dual[r]);
        }
    }
    for (uint32_t k = 0; k < p->n_offerings; k++) {
        if (c->cert->best_value[k] < 0) {
            return err_set(err, ERR_INTERNAL,
                           "certificate: best_value of offering %u is %lld, below 0", k,
                           (long long)c->cert->best_value[k]);
        }
    }
    return true;
}

static wide_t worth_of_placed(const struct context *c)
{
    wide_t sum = 0;
    for (uint32_t i = 0; i < c->p->n_classes; i++) {
        sum += (wide_t)c->cert->dual[i] * c->placed[i];
    }
    return sum;
}

/* - sum_r mu_r max_r - sum over finite offerings, scaled; false when an offering without end
 * gains. */
static bool add_up(const struct context *c, wide_t *ret_sum, struct err *err)
{
    const struct bp_problem *p = c->p;
    wide_t sum = 0;
    for (uint32_t r = 0; r < p->n_limits; r++) {
        sum -= (wide_t)c->cert->limit_dual[r] * p->limits[r].max;
    }
    for (uint32_t k = 0; k < p->n_offerings; k++) {
        wide_t charge = (wide_t)p->offerings[k].price << BP_DUAL_BITS;
        for (uint32_t r = 0; r < p->n_limits; r++) {
            charge += (wide_t)c->cert->limit_dual[r] * p->limits[r].use[k];
        }
        wide_t gain = c->cert->best_value[k] - charge;
        if (gain > 0 && p->offerings[k].stock == BP_UNLIMITED) {
            return err_set(err, ERR_INTERNAL,
                           "certificate: best_value of offering %u is %lld nano-dollars "
                           "(%lld/2^%d), more than its charge of %lld",
                           k, nano_of(c->cert->best_value[k]), (long long)c->cert->best_value[k],
                           BP_DUAL_BITS, nano_of(charge));
        }
        if (gain > 0) {
            sum -= gain * p->offerings[k].stock;
        }
    }
    *ret_sum = sum;
    return true;
}

static bool check_sum(const struct context *c, struct err *err)
{
    wide_t sum = 0;
    if (!add_up(c, &sum, err)) {
        return false;
    }
    sum += worth_of_placed(c);
    usd_t bound = c->cert->bound;
    /* Costs are whole nano-dollars, so the sum rounds up. */
    if (bound >= 0 && bound <= c->counts_bound) {
        return true;
    }
    if (bound < 0 || (bound > 0 && ((wide_t)(bound - 1) << BP_DUAL_BITS) >= sum)) {
        return err_set(err, ERR_INTERNAL,
                       "certificate: bound is %lld, the duals prove %lld nano-dollars",
                       (long long)bound, nano_of(sum));
    }
    return true;
}

static bool same_needs(const struct bp_problem *p, uint32_t i, uint32_t j)
{
    size_t n_words = bits_words(p->n_domains);
    return memcmp(&p->size[(size_t)i * p->n_dims], &p->size[(size_t)j * p->n_dims],
                  p->n_dims * sizeof *p->size) == 0 &&
           bits_equal(&p->mask[i * n_words], &p->mask[j * n_words], n_words);
}

/* Whether the duals show that a cap counts: some member is not worth the same as a class of the
 * same size outside. Leaving a cap out never proves too much, and a knapsack with fewer rows and
 * fewer kinds of items is far easier. */
static bool cap_counts(const struct context *c, const struct bp_cap *cap)
{
    const struct bp_problem *p = c->p;
    for (size_t i = bits_next(cap->members, p->n_classes, 0); i < p->n_classes;
         i = bits_next(cap->members, p->n_classes, i + 1)) {
        bool found = c->cert->dual[i] == 0 || c->placed[i] == 0;
        for (uint32_t j = 0; j < p->n_classes && !found; j++) {
            found = !bits_get(cap->members, j) && c->placed[j] > 0 &&
                    c->cert->dual[j] == c->cert->dual[i] && same_needs(p, (uint32_t)i, j);
        }
        if (!found) {
            return true;
        }
    }
    return false;
}

static void start(struct context *c, bool all_caps)
{
    const struct bp_problem *p = c->p;
    uint32_t *cap = ARENA_ARRAY(c->arena, uint32_t, p->n_caps);
    c->n_caps = 0;
    for (uint32_t i = 0; i < p->n_caps; i++) {
        if (p->caps[i].necessary && (all_caps || cap_counts(c, &p->caps[i]))) {
            cap[c->n_caps++] = i;
        }
    }
    c->cap = cap;
    c->n_rows = p->n_dims + c->n_caps;
    int64_t largest = 0;
    for (uint32_t k = 0; k < p->n_offerings; k++) {
        int64_t value = target_of(c, k);
        largest = value > largest ? value : largest;
    }
    c->largest = sat_mul(largest, 2); /* eased targets are not much more than those */
    c->frac_bits = verify_knapsack_frac_bits(c->largest);
    c->lost = c->lost_of = 1;
    c->multipliers = ARENA_ARRAY(c->arena, wide_t, c->n_rows);
}

/* With the caps that seem to count; with all of them when that is not enough. */
static bool prove_values(struct context *c, struct err *err)
{
    uint32_t n_necessary = 0;
    for (uint32_t i = 0; i < c->p->n_caps; i++) {
        n_necessary += c->p->caps[i].necessary;
    }
    start(c, /* all_caps= */ false);
    if (check_best_values(c, err)) {
        return true;
    }
    if (c->n_caps == n_necessary) {
        return false;
    }
    start(c, /* all_caps= */ true);
    return check_best_values(c, err);
}

/* ------------------------------------------------------------------ whole numbers of nodes */

/* Confirms the values of one cut; proven: NULL, or where those that can be confirmed go. */
static bool check_cut(const struct bp_problem *problem, const struct bp_count_cut *cut,
                      const uint32_t *placed, int64_t *proven, struct arena *scratch,
                      uint64_t *steps, struct err *err)
{
    struct arena_mark mark = arena_mark(scratch);
    struct bp_certificate certificate = {.dual = cut->dual, .best_value = cut->best_value};
    struct context c = {.p = problem,
                        .cert = &certificate,
                        .placed = placed,
                        .arena = scratch,
                        .proven = proven,
                        .steps = steps};
    bool ok = prove_values(&c, err);
    arena_rewind(scratch, mark);
    return ok;
}

/* *ret_proof and its arrays in `arena`: the proof with the values that can be confirmed, or the one
 * given when arena is NULL; then they have to be confirmed as they stand. */
static bool check_counts(const struct bp_problem *problem, const struct bp_count_proof *proof,
                         const uint32_t *placed, uint64_t *steps, struct arena *scratch,
                         struct arena *arena, const struct bp_count_proof **ret_proof,
                         usd_t *ret_bound, struct err *err)
{
    *ret_proof = proof;
    *ret_bound = 0;
    if (proof == NULL) {
        return true;
    }
    if (!verify_counts_shape(problem, proof, err)) {
        return false;
    }
    struct bp_count_cut *cuts =
        arena != NULL ? ARENA_ARRAY(arena, struct bp_count_cut, proof->n_cuts) : NULL;
    for (uint32_t q = 0; q < proof->n_cuts; q++) {
        int64_t *proven = arena != NULL ? ARENA_ARRAY(arena, int64_t, problem->n_offerings) : NULL;
        if (!check_cut(problem, &proof->cuts[q], placed, proven, scratch, steps, err)) {
            return false;
        }
        if (cuts != NULL) {
            cuts[q] = (struct bp_count_cut){.dual = proof->cuts[q].dual, .best_value = proven};
        }
    }
    if (cuts != NULL) {
        struct bp_count_proof *out = ARENA_NEW(arena, struct bp_count_proof);
        *out = *proof;
        out->cuts = cuts;
        *ret_proof = out;
    }
    struct arena_mark mark = arena_mark(scratch);
    *ret_bound = verify_counts_sum(problem, *ret_proof, placed, scratch);
    arena_rewind(scratch, mark);
    return true;
}

bool bp_verify_bound(const struct bp_problem *problem, const struct bp_certificate *certificate,
                     const uint32_t *placed, struct arena *scratch, struct err *err)
{
    struct arena_mark mark = arena_mark(scratch);
    struct context c = {.p = problem, .cert = certificate, .placed = placed, .arena = scratch};
    const struct bp_count_proof *proof;
    bool ok = check_counts(problem, certificate->counts, placed, NULL, scratch, NULL, &proof,
                           &c.counts_bound, err);
    const usd_t whole = bp_cover_bound(problem, certificate, placed, scratch);
    c.counts_bound = whole > c.counts_bound ? whole : c.counts_bound;
    ok = ok && check_signs(&c, err) && check_sum(&c, err) && prove_values(&c, err);
    arena_rewind(scratch, mark);
    return ok;
}

/* ------------------------------------------------------------------ what can be proven instead */

static wide_t charge_of(const struct context *c, uint32_t k)
{
    wide_t charge = (wide_t)c->p->offerings[k].price << BP_DUAL_BITS;
    for (uint32_t r = 0; r < c->p->n_limits; r++) {
        charge += (wide_t)c->cert->limit_dual[r] * c->p->limits[r].use[k];
    }
    return charge;
}

/* The offering without end whose proven value exceeds its charge by the largest factor; UINT32_MAX
 * when none does. Values and charges are below 2^63, so the products fit. */
static uint32_t worst_offering(const struct context *c)
{
    uint32_t worst = UINT32_MAX;
    wide_t worst_charge = 0;
    for (uint32_t k = 0; k < c->p->n_offerings; k++) {
        wide_t charge = charge_of(c, k);
        charge = charge > INT64_MAX ? INT64_MAX : charge;
        if (c->p->offerings[k].stock != BP_UNLIMITED || c->proven[k] <= charge) {
            continue;
        }
        if (worst == UINT32_MAX || c->proven[k] * worst_charge > c->proven[worst] * charge) {
            worst = k;
            worst_charge = charge;
        }
    }
    return worst;
}

/* What is enough of offerings without end: that they pay for themselves. */
static const int64_t *charges(const struct context *c, struct arena *arena)
{
    const struct bp_problem *p = c->p;
    int64_t *enough = ARENA_ARRAY(arena, int64_t, p->n_offerings);
    for (uint32_t k = 0; k < p->n_offerings; k++) {
        if (p->offerings[k].stock == BP_UNLIMITED) {
            wide_t charge = charge_of(c, k);
            enough[k] = charge > INT64_MAX ? INT64_MAX : (int64_t)charge;
        }
    }
    return enough;
}

/* Duals and values so that every offering without end pays for itself with what is proven. */
static void scale_down(struct context *c, struct bp_proof *ret_proof)
{
    const struct bp_problem *p = c->p;
    uint32_t worst = worst_offering(c);
    bool scaled = worst != UINT32_MAX;
    ret_proof->up = scaled ? charge_of(c, worst) : 1;
    ret_proof->down = scaled ? c->proven[worst] : 1;
    for (uint32_t i = 0; i < p->n_classes; i++) {
        ret_proof->dual[i] = (int64_t)((wide_t)c->cert->dual[i] * ret_proof->up / ret_proof->down);
    }
    for (uint32_t k = 0; k < p->n_offerings; k++) {
        ret_proof->best_value[k] =
            (int64_t)(((wide_t)c->proven[k] * ret_proof->up + ret_proof->down - 1) /
                      ret_proof->down);
    }
}

bool bp_prove_duals(const struct bp_problem *problem, const struct bp_certificate *certificate,
                    const uint32_t *most, enum bp_prove prove, uint64_t *steps,
                    struct arena *scratch, struct arena *arena, struct bp_proof *ret_proof,
                    struct err *err)
{
    *ret_proof = (struct bp_proof){.dual = ARENA_ARRAY(arena, int64_t, problem->n_classes),
                                   .best_value = ARENA_ARRAY(arena, int64_t, problem->n_offerings),
                                   .up = 1,
                                   .down = 1};
    memcpy(ret_proof->dual, certificate->dual, problem->n_classes * sizeof *ret_proof->dual);
    memcpy(ret_proof->best_value, certificate->best_value,
           problem->n_offerings * sizeof *ret_proof->best_value);
    struct arena_mark mark = arena_mark(scratch);
    struct context c = {.p = problem,
                        .cert = certificate,
                        .placed = most,
                        .arena = scratch,
                        .tighten = prove == BP_PROVE_LOWER,
                        .steps = steps};
    if (prove != BP_PROVE_CLAIMS) {
        c.proven = ARENA_ARRAY(arena, int64_t, problem->n_offerings);
        c.enough = charges(&c, scratch);
    }
    bool ok = check_signs(&c, err) && prove_values(&c, err);
    arena_rewind(scratch, mark);
    if (!ok) {
        return false;
    }
    if (prove != BP_PROVE_CLAIMS) {
        scale_down(&c, ret_proof);
    }
    struct bp_certificate out = *certificate;
    out.dual = ret_proof->dual;
    out.best_value = ret_proof->best_value;
    c.cert = &out;
    return add_up(&c, &ret_proof->rest, err);
}

bool bp_prove_bound(const struct bp_problem *problem, const struct bp_certificate *certificate,
                    const uint32_t *placed, uint64_t *steps, struct arena *scratch,
                    struct arena *arena, struct bp_certificate *ret_certificate, struct err *err)
{
    struct context c = {.p = problem, .cert = certificate, .placed = placed};
    struct bp_proof proof;
    struct bp_certificate out = *certificate;
    usd_t counts_bound;
    if (!check_counts(problem, certificate->counts, placed, steps, scratch, arena, &out.counts,
                      &counts_bound, err)) {
        return false;
    }
    /* A claim is wrong when it is more than the values claimed add up to; what can be confirmed of
     * them is in counts_bound. */
    struct arena_mark mark = arena_mark(scratch);
    c.counts_bound = certificate->counts == NULL
                         ? 0
                         : verify_counts_sum(problem, certificate->counts, placed, scratch);
    arena_rewind(scratch, mark);
    usd_t whole = bp_cover_bound(problem, certificate, placed, scratch);
    c.counts_bound = whole > c.counts_bound ? whole : c.counts_bound;
    wide_t sum = 0;
    if (!check_signs(&c, err) || !check_sum(&c, err) || !add_up(&c, &sum, err)) {
        return false;
    }
    /* How far below its charge a value lies matters only where whole nodes are counted. */
    sum += worth_of_placed(&c);
    enum bp_prove prove = ((wide_t)whole << BP_DUAL_BITS) > sum ? BP_PROVE_LOWER : BP_PROVE_CHARGES;
    if (!bp_prove_duals(problem, certificate, placed, prove, steps, scratch, arena, &proof, err)) {
        return false;
    }
    out.dual = proof.dual;
    out.best_value = proof.best_value;
    c.cert = &out;
    /* Costs are whole nano-dollars, so the sum rounds up. */
    sum = proof.rest + worth_of_placed(&c);
    wide_t bound = sum <= 0 ? 0 : (sum + ((wide_t)1 << BP_DUAL_BITS) - 1) >> BP_DUAL_BITS;
    bound = counts_bound > bound ? counts_bound : bound;
    whole = bp_cover_bound(problem, &out, placed, scratch);
    bound = whole > bound ? whole : bound;
    out.bound = bound < certificate->bound ? (usd_t)bound : certificate->bound;
    *ret_certificate = out;
    return true;
}
