/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The checker: one valid solution that uses every rule, and one way to break each of them. */
#include "base/arena.h"
#include "base/bitset.h"
#include "base/rng.h"
#include "binpack/solver/verify.h"
#include "binpack/solver/verify_groups.h"
#include "binpack/solver/verify_knapsack.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define MILLION      INT64_C(1000000)
#define SCALED(nano) ((nano) * (INT64_C(1) << BP_DUAL_BITS))

enum { N_CLASSES = 4, N_OFFERINGS = 5, N_NODES = 4 };

/* Three zones; a running node in zone 0, a small type in each zone, two large ones in zone 1. */
struct fixture {
    struct bp_class classes[N_CLASSES];
    int64_t size[N_CLASSES * 2];
    uint64_t mask[N_CLASSES];
    struct bp_offering offerings[N_OFFERINGS];
    int64_t capacity[N_OFFERINGS * 2];
    uint32_t n_axis_values[1], axis_value[3];
    uint64_t members[5];
    struct bp_cap caps[2];
    struct bp_exclusion exclusions[1];
    int64_t use[N_OFFERINGS];
    struct bp_limit limits[1];
    uint32_t type[N_OFFERINGS];
    struct bp_variety varieties[1];
    struct bp_group groups[3];
    uint32_t base[3];
    uint64_t eligible[1];
    struct bp_problem problem;
    struct bp_item items[N_NODES][3];
    struct bp_node nodes[N_NODES];
    uint32_t unplaced[N_CLASSES];
    int64_t dual[N_CLASSES], limit_dual[1], best_value[N_OFFERINGS];
    struct bp_solution solution;
};

static void fill_problem(struct fixture *f)
{
    *f = (struct fixture){
        .classes = {{7, 1, BP_UNLIMITED, 0}, {2, 1, BP_UNLIMITED, 0}, {2, 1, 2, 0}, {1, 1, 1, 0}},
        .size = {500, 1000, 1000, 1000, 250, 500, 250, 500},
        .mask = {7, 7, 7, 7},
        .offerings = {{0, 1, 0, true},
                      {100 * MILLION, BP_UNLIMITED, 0, false},
                      {100 * MILLION, BP_UNLIMITED, 1, false},
                      {100 * MILLION, BP_UNLIMITED, 2, false},
                      {180 * MILLION, 2, 1, false}},
        .capacity = {1000, 2000, 2000, 4000, 2000, 4000, 2000, 4000, 4000, 8000},
        .n_axis_values = {3},
        .axis_value = {0, 1, 2},
        .members = {1, 2, 4, 8, 12},
        .use = {0, 1, 1, 1, 1},
        .type = {BP_NO_VALUE, 0, 0, 0, 1},
        .eligible = {7},
    };
    f->caps[0] = (struct bp_cap){.max = 2, .members = &f->members[4]};
    f->caps[1] = (struct bp_cap){.max = 2, .necessary = true, .members = &f->members[1]};
    f->exclusions[0] = (struct bp_exclusion){.a = &f->members[1], .b = &f->members[3]};
    f->limits[0] = (struct bp_limit){.max = 3, .use = f->use};
    f->varieties[0] = (struct bp_variety){.min_values = 2, .value = f->type};
    f->groups[0] = (struct bp_group){.kind = BP_GROUP_SPREAD,
                                     .max_skew = 1,
                                     .carriers = &f->members[0],
                                     .targets = &f->members[0],
                                     .base = f->base,
                                     .eligible = f->eligible};
    f->groups[1] = (struct bp_group){.kind = BP_GROUP_TOGETHER,
                                     .carriers = &f->members[1],
                                     .targets = &f->members[0],
                                     .base = f->base,
                                     .family = 1};
    f->groups[2] = (struct bp_group){.kind = BP_GROUP_APART,
                                     .carriers = &f->members[2],
                                     .targets = &f->members[3],
                                     .base = f->base,
                                     .family = 2};
}

static void fill_solution(struct fixture *f)
{
    const struct bp_item items[N_NODES][3] = {
        {{0, 1}, {2, 2}}, {{0, 2}, {1, 1}}, {{0, 2}, {3, 1}}, {{0, 2}, {1, 1}}};
    memcpy(f->items, items, sizeof items);
    for (uint32_t n = 0; n < N_NODES; n++) {
        f->nodes[n] = (struct bp_node){.offering_i = n, .n_items = 2, .items = f->items[n]};
    }
    const int64_t dual[] = {SCALED(22500000), SCALED(45000000), SCALED(11250000), SCALED(11250000)};
    const int64_t best[] = {SCALED(45000000), SCALED(90000000), SCALED(90000000), SCALED(90000000),
                            SCALED(180000000)};
    memcpy(f->dual, dual, sizeof dual);
    memcpy(f->best_value, best, sizeof best);
    f->solution = (struct bp_solution){.n_nodes = N_NODES,
                                       .nodes = f->nodes,
                                       .unplaced = f->unplaced,
                                       .cost = 300 * MILLION,
                                       .status = BP_EFFORT_DONE};
    f->solution.certificate = (struct bp_certificate){.bound = 236250000,
                                                      .dual = f->dual,
                                                      .limit_dual = f->limit_dual,
                                                      .best_value = f->best_value,
                                                      .relaxed_families = 7};
}

static void fill(struct fixture *f)
{
    fill_problem(f);
    f->problem = (struct bp_problem){.n_dims = 2,
                                     .n_classes = N_CLASSES,
                                     .n_offerings = N_OFFERINGS,
                                     .n_domains = 3,
                                     .n_axes = 1,
                                     .n_caps = 2,
                                     .n_exclusions = 1,
                                     .n_limits = 1,
                                     .n_varieties = 1,
                                     .n_groups = 3,
                                     .classes = f->classes,
                                     .size = f->size,
                                     .mask = f->mask,
                                     .offerings = f->offerings,
                                     .capacity = f->capacity,
                                     .n_axis_values = f->n_axis_values,
                                     .axis_value = f->axis_value,
                                     .caps = f->caps,
                                     .exclusions = f->exclusions,
                                     .limits = f->limits,
                                     .varieties = f->varieties,
                                     .groups = f->groups};
    fill_solution(f);
}

static bool verify(const struct fixture *f, struct err *err)
{
    auto_arena arena = ARENA_INIT;
    return bp_verify(&f->problem, &f->solution, &arena, err);
}

static void accepts_a_valid_solution(void **state)
{
    (void)state;
    struct fixture f;
    fill(&f);
    struct err err = {0};
    if (!verify(&f, &err)) {
        fail_msg("%s", err.text);
    }
}

/* ------------------------------------------------------------------ mutants */

static void bad_offering(struct fixture *f)
{
    f->nodes[3].offering_i = 5;
}
static void bad_class(struct fixture *f)
{
    f->items[3][1].class_i = 4;
}
static void no_count(struct fixture *f)
{
    f->items[3][1].count = 0;
}
static void empty_node(struct fixture *f)
{
    f->nodes[3].n_items = 0;
}
static void unsorted_items(struct fixture *f)
{
    f->items[1][0].class_i = 1;
}
static void unsorted_nodes(struct fixture *f)
{
    struct bp_node node = f->nodes[1];
    f->nodes[1] = f->nodes[2];
    f->nodes[2] = node;
}
static void new_before_running(struct fixture *f)
{
    struct bp_node node = f->nodes[0];
    f->nodes[0] = f->nodes[1];
    f->nodes[1] = node;
}
static void full_cpu(struct fixture *f)
{
    f->capacity[2] -= 1;
}
static void full_memory(struct fixture *f)
{
    f->capacity[3] = 2999;
}
static void masked(struct fixture *f)
{
    f->mask[1] = 5 & ~1U;
}
static void too_many_per_node(struct fixture *f)
{
    f->classes[2].max_per_node = 1;
}
static void cap(struct fixture *f)
{
    f->caps[0].max = 1;
}
static void cap_at_offering(struct fixture *f)
{
    static const uint32_t max_at[N_OFFERINGS] = {1, 2, 2, 2, 2};
    f->caps[0].max_at = max_at;
}
static void necessary_cap(struct fixture *f)
{
    f->caps[1].max = 0;
}
static void excluded(struct fixture *f)
{
    f->exclusions[0].b = &f->members[0];
}
static void excludes_its_like(struct fixture *f)
{
    f->exclusions[0].a = f->exclusions[0].b = &f->members[4];
    f->items[2][0].class_i = 2;
    f->caps[0].max = 9;
}
static void variety(struct fixture *f)
{
    f->type[4] = 0;
}
static void variety_size(struct fixture *f)
{
    f->capacity[8] = 1999;
}
static void over_stock(struct fixture *f)
{
    f->offerings[2].stock = 0;
}
static void over_limit(struct fixture *f)
{
    f->limits[0].max = 2;
}
static void dropped_pod(struct fixture *f)
{
    f->items[1][0].count = 1;
}
static void doubled_pod(struct fixture *f)
{
    f->items[2][1].count = 2;
    f->classes[3].max_per_node = 2;
}
static void unplaced_not_missing(struct fixture *f)
{
    f->unplaced[3] = 1;
}
static void wrong_cost(struct fixture *f)
{
    f->solution.cost += 1;
}
static void wrong_price(struct fixture *f)
{
    f->offerings[3].price -= 1;
}
static void skewed(struct fixture *f)
{
    f->items[0][0].count = 2; /* 4, 2, 1 */
    f->capacity[0] = f->capacity[1] = 4000;
    f->items[3][0].count = 1;
}
static void skewed_by_running(struct fixture *f)
{
    f->base[0] = 1;
}
static void skewed_min_domains(struct fixture *f)
{
    f->groups[0].min_domains = 4;
}
static void alone(struct fixture *f)
{
    f->groups[1].targets = &f->members[3]; /* zone 1 only */
}
static void not_apart(struct fixture *f)
{
    f->groups[2].targets = &f->members[0];
}
static void apart_from_running(struct fixture *f)
{
    static const uint32_t base[3] = {1, 0, 0};
    f->groups[2].base = base;
}
static void no_axis_value(struct fixture *f)
{
    f->axis_value[2] = BP_NO_VALUE;
    f->eligible[0] = 3;
}
static void bound_up(struct fixture *f)
{
    f->solution.certificate.bound += 1;
}
static void bound_x1001(struct fixture *f)
{
    f->solution.certificate.bound = f->solution.certificate.bound / 1000 * 1001;
}
static void bound_above_cost(struct fixture *f)
{
    f->solution.certificate.bound = f->solution.cost + 1;
}
static void bound_negative(struct fixture *f)
{
    f->solution.certificate.bound = -1;
}
static void dual_x1001(struct fixture *f)
{
    f->dual[0] = f->dual[0] / 1000 * 1001;
}
static void dual_negative(struct fixture *f)
{
    f->dual[3] = -1;
}
static void limit_dual_negative(struct fixture *f)
{
    f->limit_dual[0] = -1;
}
static void limit_dual_without_gain(struct fixture *f)
{
    f->limit_dual[0] = SCALED(1);
}
static void value_too_low(struct fixture *f)
{
    f->best_value[4] -= 1;
}
static void running_value_too_low(struct fixture *f)
{
    f->best_value[0] -= 1;
}
static void value_negative(struct fixture *f)
{
    f->best_value[0] = -1;
}
static void value_above_price(struct fixture *f)
{
    f->best_value[1] = SCALED(100 * MILLION) + 1;
}
static void room_forgotten(struct fixture *f)
{
    f->capacity[9] = 16000;
    f->capacity[8] = 8000;
}
static void not_optimal(struct fixture *f)
{
    f->solution.status = BP_OPTIMAL;
}
static void family_hidden(struct fixture *f)
{
    f->solution.certificate.relaxed_families = 5;
}

static const struct mutant {
    const char *name;
    void (*mutate)(struct fixture *f);
    const char *text;
} mutants[] = {
    {"offering out of range", bad_offering, "node 3: offering 5 of 5"},
    {"class out of range", bad_class, "of class 4, of 4 classes"},
    {"count 0", no_count, "node 3: 0 of class 1"},
    {"empty node", empty_node, "node 3: offering 3 is used for 0 items"},
    {"items unsorted", unsorted_items, "class 1 is listed after class 1"},
    {"nodes unsorted", unsorted_nodes, "node 2: offering 1 is listed after offering 2"},
    {"new before running", new_before_running, "node 1: offering 0 is listed after offering 1"},
    {"cpu full", full_cpu, "node 1: dimension 0 holds 2000, offering 1 has 1999"},
    {"memory full", full_memory, "node 1: dimension 1 holds 3000, offering 1 has 2999"},
    {"mask", masked, "the mask of class 1 leaves out domain 0"},
    {"max_per_node", too_many_per_node, "node 0: 2 of class 2, max_per_node 1"},
    {"cap", cap, "node 0: 2 members of cap 0, at most 1"},
    {"cap at offering", cap_at_offering, "node 0: 2 members of cap 0, at most 1 on offering 0"},
    {"necessary cap", necessary_cap, "node 1: 1 members of cap 1, at most 0"},
    {"exclusion", excluded, "against exclusion 0"},
    {"exclusion of both sides", excludes_its_like, "node 2: classes 2 and 3 share it"},
    {"variety", variety, "node 1: 1 values of variety 0 could hold it, at least 2"},
    {"variety by size", variety_size, "node 1: 1 values of variety 0 could hold it, at least 2"},
    {"stock", over_stock, "offering 2: used for 1 nodes, stock 0"},
    {"limit", over_limit, "limit 0: use 3, max 2"},
    {"dropped pod", dropped_pod, "class 0: 6 placed and 0 unplaced, demand 7"},
    {"doubled pod", doubled_pod, "class 3: 2 placed and 0 unplaced, demand 1"},
    {"unplaced but placed", unplaced_not_missing, "class 3: 1 placed and 1 unplaced, demand 1"},
    {"cost", wrong_cost, "cost 300000001, the nodes cost 300000000"},
    {"price", wrong_price, "cost 300000000, the nodes cost 299999999"},
    {"skew", skewed,
     "group 0 (spread): 2 pods of class 0 and its like in value 0 have no turn: 2 there, minimum "
     "1, max_skew 1"},
    {"skew with running pods", skewed_by_running, "group 0 (spread)"},
    {"min domains", skewed_min_domains, "group 0 (spread)"},
    {"together without target", alone, "group 1 (together)"},
    {"not apart", not_apart, "group 2 (apart)"},
    {"not apart from running", apart_from_running, "group 2 (apart)"},
    {"no value on the axis", no_axis_value,
     "class 0 is placed in domain 2, which has no value on axis 0"},
    {"bound + 1", bound_up, "bound is 236250001, the duals prove 236250000"},
    {"bound x 1.001", bound_x1001, "the duals prove 236250000"},
    {"bound above cost", bound_above_cost, "bound 300000001 above cost 300000000"},
    {"bound negative", bound_negative, "bound is -1"},
    {"dual x 1.001", dual_x1001, "holds a pattern worth"},
    {"dual negative", dual_negative, "dual of class 3 is -1"},
    {"limit dual negative", limit_dual_negative, "dual of limit 0 is -1"},
    {"limit dual for nothing", limit_dual_without_gain, "the duals prove 236249997"},
    {"best_value too low", value_too_low, "offering 4 holds a pattern worth 180000000"},
    {"best_value of running too low", running_value_too_low,
     "offering 0 holds a pattern worth 45000000"},
    {"best_value negative", value_negative, "best_value of offering 0 is -1"},
    {"best_value above price", value_above_price, "more than its charge of 100000000"},
    {"capacity the certificate forgot", room_forgotten, "offering 4 holds a pattern worth"},
    {"optimal claimed", not_optimal, "status optimal"},
    {"relaxed family hidden", family_hidden, "family 1 of group 1"},
};

static void refuses_every_mutant(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof mutants / sizeof mutants[0]; i++) {
        struct fixture f;
        fill(&f);
        mutants[i].mutate(&f);
        struct err err = {0};
        if (verify(&f, &err)) {
            fail_msg("%s: accepted", mutants[i].name);
        }
        if (err.code != ERR_INTERNAL || strstr(err.text, mutants[i].text) == NULL) {
            fail_msg("%s: expected \"%s\", got \"%s\"", mutants[i].name, mutants[i].text, err.text);
        }
    }
}

/* ------------------------------------------------------------------ knapsack proofs */

static int64_t best_of(const struct verify_knapsack *k, uint32_t i, int64_t *room)
{
    if (i == k->n_items) {
        return 0;
    }
    int64_t best = -1;
    for (int64_t x = 0; x <= k->count[i]; x++) {
        bool fits = true;
        for (uint32_t r = 0; r < k->n_rows; r++) {
            fits &= x * k->weight[i * k->n_rows + r] <= room[r];
        }
        if (!fits) {
            break;
        }
        int64_t left[3];
        for (uint32_t r = 0; r < k->n_rows; r++) {
            left[r] = room[r] - x * k->weight[i * k->n_rows + r];
        }
        int64_t value = x * k->value[i] + best_of(k, i + 1, left);
        best = value > best ? value : best;
    }
    return best;
}

struct random_knapsack {
    int64_t value[5], weight[15], count[5], capacity[3];
    int64_t best;
    struct verify_knapsack k; /* its arrays are those above */
};

static void draw_knapsack(struct rng *rng, struct random_knapsack *r)
{
    r->k = (struct verify_knapsack){.n_items = 1 + rng_below(rng, 5),
                                    .n_rows = 1 + rng_below(rng, 3),
                                    .value = r->value,
                                    .weight = r->weight,
                                    .count = r->count,
                                    .capacity = r->capacity,
                                    .max_nodes = 20000};
    struct verify_knapsack *k = &r->k;
    int64_t scale = rng_below(rng, 2) ? 1 : INT64_C(1) << 45;
    for (uint32_t i = 0; i < k->n_items; i++) {
        r->value[i] = 1 + (int64_t)rng_below(rng, 50) * scale;
        r->count[i] = rng_below(rng, 7);
        for (uint32_t d = 0; d < k->n_rows; d++) {
            r->weight[i * k->n_rows + d] = rng_below(rng, 30);
        }
    }
    int64_t room[3];
    for (uint32_t d = 0; d < k->n_rows; d++) {
        r->capacity[d] = rng_below(rng, 100);
        room[d] = r->capacity[d];
    }
    r->best = best_of(k, 0, room);
    k->frac_bits = verify_knapsack_frac_bits(r->best);
}

static void proves_knapsacks_exactly(void **state)
{
    (void)state;
    struct rng rng = {.state = 20240817};
    auto_arena arena = ARENA_INIT;
    for (uint32_t round = 0; round < 3000; round++) {
        struct random_knapsack r;
        draw_knapsack(&rng, &r);
        __int128 multipliers[3] = {0}, found;
        r.k.target = r.best;
        if (verify_knapsack_prove(&r.k, multipliers, &found, &arena) != VERIFY_KNAPSACK_PROVEN) {
            fail_msg("round %u: the optimum %lld is not proven", round, (long long)r.best);
        }
        r.k.target = r.best - 1;
        if (r.best > 0 &&
            (verify_knapsack_prove(&r.k, multipliers, &found, &arena) != VERIFY_KNAPSACK_EXCEEDED ||
             found != r.best)) {
            fail_msg("round %u: %lld is not refuted by %lld", round, (long long)r.best - 1,
                     (long long)r.best);
        }
    }
}

/* Whatever the steps suffice for: what is said to be proven is true, and when it gives up it has an
 * upper bound. */
static void is_right_with_few_steps(void **state)
{
    (void)state;
    struct rng rng = {.state = 20261129};
    auto_arena arena = ARENA_INIT;
    uint32_t n_gave_up = 0, n_proven = 0;
    for (uint32_t round = 0; round < 6000; round++) {
        struct random_knapsack r;
        draw_knapsack(&rng, &r);
        __int128 multipliers[3] = {0}, found;
        uint64_t steps = rng_below(&rng, 12000);
        r.k.steps = &steps;
        r.k.target = r.best + (int64_t)rng_below(&rng, 3) - 1;
        if (r.k.target < 0) {
            continue;
        }
        uint64_t given = steps;
        enum verify_knapsack_answer answer =
            verify_knapsack_prove(&r.k, multipliers, &found, &arena);
        bool wrong = answer == VERIFY_KNAPSACK_PROVEN ? r.k.target < r.best || found != r.k.target
                     : answer == VERIFY_KNAPSACK_EXCEEDED ? found <= r.k.target || found > r.best
                                                          : found < r.best;
        if (wrong || steps > given) {
            fail_msg("round %u: answer %d, %lld for the target %lld and the optimum %lld", round,
                     answer, (long long)found, (long long)r.k.target, (long long)r.best);
        }
        n_gave_up += answer == VERIFY_KNAPSACK_GAVE_UP;
        n_proven += answer == VERIFY_KNAPSACK_PROVEN;
    }
    assert_true(n_gave_up > 300);
    assert_true(n_proven > 300);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(accepts_a_valid_solution),
        cmocka_unit_test(refuses_every_mutant),
        cmocka_unit_test(proves_knapsacks_exactly),
        cmocka_unit_test(is_right_with_few_steps),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
