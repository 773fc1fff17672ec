/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Groups against exhaustive search, on random problems of at most 8 pods, 4 types and 3 zones.
 *
 * For each kind of group and each pair of kinds, on one axis and on two:
 *   - the checker's replay accepts exactly the distributions that some order of placement reaches;
 *   - the solver places as many pods as any plan can, its bound (which knows the rules of groups)
 * <= the least cost <= its cost, and the checker accepts it;
 *   - the same with the least effort, where tiny problems are decided like large ones: then fewer
 * pods and a higher cost are counted only. Usage: test_groups [instances of each combination (500)]
 * [seed (1)] [combination]. Prints counts and shares. */
#include "base/arena.h"
#include "base/bitset.h"
#include "base/rng.h"
#include "binpack/solver/solve.h"
#include "binpack/solver/verify.h"
#include "binpack/solver/verify_groups.h"
#include "tests/property/group_brute.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_GROUPS = 2, N_COMBINATIONS = 9 };

static const struct combination {
    const char *name;
    uint32_t n;
    enum bp_group_kind kinds[MAX_GROUPS];
} combinations[N_COMBINATIONS] = {
    {"spread", 1, {BP_GROUP_SPREAD}},
    {"together", 1, {BP_GROUP_TOGETHER}},
    {"apart", 1, {BP_GROUP_APART}},
    {"spread+spread", 2, {BP_GROUP_SPREAD, BP_GROUP_SPREAD}},
    {"spread+together", 2, {BP_GROUP_SPREAD, BP_GROUP_TOGETHER}},
    {"spread+apart", 2, {BP_GROUP_SPREAD, BP_GROUP_APART}},
    {"together+together", 2, {BP_GROUP_TOGETHER, BP_GROUP_TOGETHER}},
    {"together+apart", 2, {BP_GROUP_TOGETHER, BP_GROUP_APART}},
    {"apart+apart", 2, {BP_GROUP_APART, BP_GROUP_APART}},
};

struct instance {
    struct bp_class classes[BRUTE_MAX_CLASSES];
    int64_t size[BRUTE_MAX_CLASSES * 2];
    uint64_t mask[BRUTE_MAX_CLASSES];
    struct bp_offering offerings[BRUTE_MAX_OFFERINGS];
    int64_t capacity[BRUTE_MAX_OFFERINGS * 2];
    uint32_t n_axis_values[2];
    uint32_t axis_value[BRUTE_MAX_VALUES * 2];
    struct bp_group groups[MAX_GROUPS];
    uint64_t carriers[MAX_GROUPS], targets[MAX_GROUPS], eligible[MAX_GROUPS];
    uint32_t base[MAX_GROUPS][BRUTE_MAX_VALUES];
    struct bp_problem problem;
};

/* ------------------------------------------------------------------ random problems */

static bool one_in(struct rng *rng, uint32_t n)
{
    return rng_below(rng, n) == 0;
}

static void make_classes(struct instance *at, struct rng *rng)
{
    struct bp_problem *p = &at->problem;
    uint32_t n_pods = 2 + rng_below(rng, BRUTE_MAX_PODS - 1);
    p->n_classes = 1 + rng_below(rng, BRUTE_MAX_CLASSES - 1);
    p->n_classes = p->n_classes > n_pods ? n_pods : p->n_classes;
    for (uint32_t i = 0; i < p->n_classes; i++) {
        at->classes[i] = (struct bp_class){.demand = 1, .weight = 1, .max_per_node = BP_UNLIMITED};
        at->size[i * 2] = 250 * (1 + rng_below(rng, 6));
        at->size[i * 2 + 1] = 256 * (1 + rng_below(rng, 12));
        at->mask[i] = (UINT64_C(1) << p->n_domains) - 1;
        if (one_in(rng, 5)) {
            bits_clear(&at->mask[i], rng_below(rng, p->n_domains));
        }
        if (one_in(rng, 6)) {
            at->classes[i].max_per_node = 1 + rng_below(rng, 2);
        }
    }
    for (uint32_t n = p->n_classes; n < n_pods; n++) {
        at->classes[rng_below(rng, p->n_classes)].demand++;
    }
}

static void make_offerings(struct instance *at, struct rng *rng)
{
    struct bp_problem *p = &at->problem;
    bool two_axes = one_in(rng, 4);
    uint32_t n_zones = 2 + rng_below(rng, 2);
    p->n_axes = two_axes ? 2 : 1;
    at->n_axis_values[0] = n_zones;
    at->n_axis_values[1] = 2;
    p->n_domains = two_axes ? 2 * n_zones : n_zones;
    for (uint32_t d = 0; d < p->n_domains; d++) {
        at->axis_value[d * p->n_axes] = d % n_zones;
        if (two_axes) {
            at->axis_value[d * 2 + 1] = d / n_zones;
        }
    }
    uint32_t n_types = 1 + rng_below(rng, two_axes ? 2 : 3);
    for (uint32_t t = 0; t < n_types; t++) {
        uint32_t cpu = 1000 * (1 + rng_below(rng, 4));
        uint32_t memory = 1024 * (1 + rng_below(rng, 8));
        uint32_t price = (cpu * 4 + memory) * (80 + rng_below(rng, 40)) / 100;
        for (uint32_t d = 0; d < p->n_domains && p->n_offerings < BRUTE_MAX_OFFERINGS; d++) {
            if (one_in(rng, 8)) {
                continue;
            }
            uint32_t k = p->n_offerings++;
            at->offerings[k] =
                (struct bp_offering){.price = (usd_t)price * (60 + rng_below(rng, 60)) * 100,
                                     .stock = one_in(rng, 10) ? 1 : BP_UNLIMITED,
                                     .domain = d};
            at->capacity[k * 2] = cpu;
            at->capacity[k * 2 + 1] = memory;
        }
    }
    if (p->n_offerings == 0 || (one_in(rng, 3) && p->n_offerings < BRUTE_MAX_OFFERINGS)) {
        uint32_t k = p->n_offerings++;
        at->offerings[k] = (struct bp_offering){
            .price = 0, .stock = 1, .domain = rng_below(rng, p->n_domains), .running = true};
        at->capacity[k * 2] = 250 * rng_below(rng, 9);
        at->capacity[k * 2 + 1] = 512 * rng_below(rng, 9);
    }
}

static void make_group(struct instance *at, struct rng *rng, uint32_t g, enum bp_group_kind kind)
{
    struct bp_problem *p = &at->problem;
    uint64_t all = (UINT64_C(1) << p->n_classes) - 1;
    uint32_t axis = rng_below(rng, p->n_axes);
    uint32_t n_values = at->n_axis_values[axis];
    at->carriers[g] = (1 + rng_below(rng, (uint32_t)all)) & all;
    at->targets[g] = one_in(rng, 2) ? at->carriers[g] : (1 + rng_below(rng, (uint32_t)all)) & all;
    bool any_base = false;
    for (uint32_t v = 0; v < n_values; v++) {
        at->base[g][v] = one_in(rng, 5) ? 1 + rng_below(rng, 2) : 0;
        any_base |= at->base[g][v] > 0;
    }
    at->eligible[g] = (UINT64_C(1) << n_values) - 1;
    if (one_in(rng, 6)) {
        bits_clear(&at->eligible[g], rng_below(rng, n_values));
    }
    at->groups[g] =
        (struct bp_group){.kind = kind,
                          .axis = axis,
                          .max_skew = kind == BP_GROUP_SPREAD ? 1 + rng_below(rng, 2) : 0,
                          .min_domains = one_in(rng, 6) ? 1 + rng_below(rng, 3) : 0,
                          .self_start = kind == BP_GROUP_TOGETHER && !any_base &&
                                        (at->carriers[g] & ~at->targets[g]) == 0,
                          .carriers = &at->carriers[g],
                          .targets = &at->targets[g],
                          .base = at->base[g],
                          .eligible = kind == BP_GROUP_SPREAD ? &at->eligible[g] : NULL,
                          .family = g};
    if (kind != BP_GROUP_SPREAD) {
        at->groups[g].min_domains = 0;
    }
}

static void make_instance(struct instance *at, struct rng *rng, const struct combination *kinds)
{
    static const char *const families[] = {"first", "second"};
    *at = (struct instance){
        .problem = {.n_dims = 2, .n_groups = kinds->n, .n_families = 2, .family_names = families}};
    make_offerings(at, rng);
    make_classes(at, rng);
    for (uint32_t g = 0; g < kinds->n; g++) {
        make_group(at, rng, g, kinds->kinds[g]);
    }
    struct bp_problem *p = &at->problem;
    p->classes = at->classes;
    p->size = at->size;
    p->mask = at->mask;
    p->offerings = at->offerings;
    p->capacity = at->capacity;
    p->n_axis_values = at->n_axis_values;
    p->axis_value = at->axis_value;
    p->groups = at->groups;
}

static void print_instance(const struct instance *at)
{
    const struct bp_problem *p = &at->problem;
    for (uint32_t i = 0; i < p->n_classes; i++) {
        printf("  class %u: demand %u size %lld/%lld mask %llx max %u\n", i, at->classes[i].demand,
               (long long)at->size[i * 2], (long long)at->size[i * 2 + 1],
               (unsigned long long)at->mask[i], at->classes[i].max_per_node);
    }
    for (uint32_t k = 0; k < p->n_offerings; k++) {
        printf("  offering %u: domain %u (%u) price %lld stock %u room %lld/%lld\n", k,
               at->offerings[k].domain, at->axis_value[at->offerings[k].domain * p->n_axes],
               (long long)at->offerings[k].price, at->offerings[k].stock,
               (long long)at->capacity[k * 2], (long long)at->capacity[k * 2 + 1]);
    }
    for (uint32_t g = 0; g < p->n_groups; g++) {
        printf("  group %u: kind %d axis %u skew %u min_domains %u start %d carriers %llx targets "
               "%llx eligible %llx base %u %u %u\n",
               g, (int)at->groups[g].kind, at->groups[g].axis, at->groups[g].max_skew,
               at->groups[g].min_domains, at->groups[g].self_start,
               (unsigned long long)at->carriers[g], (unsigned long long)at->targets[g],
               (unsigned long long)at->eligible[g], at->base[g][0], at->base[g][1], at->base[g][2]);
    }
}

/* ------------------------------------------------------------------ the replay */

static bool check_replay(const struct instance *at, struct rng *rng, struct arena *arena,
                         uint32_t *n_accepted)
{
    const struct bp_problem *p = &at->problem;
    uint32_t count[BRUTE_MAX_CLASSES * BRUTE_MAX_VALUES] = {0};
    struct bp_placing placings[BRUTE_MAX_PODS];
    uint32_t stuck[BRUTE_MAX_PODS];
    uint32_t n = 0;
    for (uint32_t i = 0; i < p->n_classes; i++) {
        for (uint32_t x = 0; x < p->classes[i].demand; x++) {
            uint32_t d = rng_below(rng, p->n_domains);
            placings[n++] = (struct bp_placing){.class_i = i, .domain_i = d, .units = 1};
            count[i * p->n_domains + d]++;
        }
    }
    struct err err = {0};
    bool expected = brute_order(p, count);
    bool actual = bp_verify_groups(p, n, placings, stuck, arena, &err);
    *n_accepted += actual;
    if (expected != actual) {
        printf("replay says %d, all orders say %d: %s\n", actual, expected, err.text);
        return false;
    }
    for (uint32_t x = 0; x < n; x++) {
        count[placings[x].class_i * p->n_domains + placings[x].domain_i] -= stuck[x];
    }
    if (!brute_order(p, count)) {
        printf("without the stuck pods there is no order either\n");
        return false;
    }
    return true;
}

static bool test_replay(uint32_t combination_i, uint32_t n_instances, uint64_t seed)
{
    auto_arena arena = ARENA_INIT;
    struct rng rng = {.state = seed * 1000 + combination_i};
    uint32_t n_accepted = 0;
    for (uint32_t x = 0; x < n_instances; x++) {
        struct instance at;
        make_instance(&at, &rng, &combinations[combination_i]);
        for (uint32_t y = 0; y < 8; y++) {
            if (!check_replay(&at, &rng, &arena, &n_accepted)) {
                printf("%s: instance %u, seed %llu\n", combinations[combination_i].name, x,
                       (unsigned long long)seed);
                print_instance(&at);
                return false;
            }
        }
    }
    printf("%-18s replay: %u of %u distributions have an order, all agree\n",
           combinations[combination_i].name, n_accepted, 8 * n_instances);
    return true;
}

/* ------------------------------------------------------------------ the solver */

struct score {
    uint32_t n, n_all_placed, n_optimal, n_proven, n_fewer, n_branched;
    double excess; /* sum of cost / optimum - 1 where as many are placed */
};

static bool refuse(const char *what, const char *detail)
{
    printf("%s %s\n", what, detail);
    return false;
}

static bool check_solve(const struct instance *at, uint32_t effort, struct score *score)
{
    const struct bp_problem *p = &at->problem;
    auto_arena arena = ARENA_INIT;
    struct bp_options options = BP_OPTIONS_DEFAULT;
    options.effort = effort;
    struct bp_solve *solve;
    struct bp_solution solution;
    struct err err = {0};
    if (!bp_solve_new(p, &options, &solve, &err)) {
        return refuse("not solved:", err.text);
    }
    while (bp_solve_step(solve, 100000)) {
    }
    bp_solve_result(solve, &arena, &solution);
    bp_solve_free(solve);
    if (!bp_verify(p, &solution, &arena, &err)) {
        return refuse("refused by the checker:", err.text);
    }
    struct brute_answer best;
    brute_solve(p, &best);
    uint32_t n_pods = 0, n_placed = 0;
    for (uint32_t i = 0; i < p->n_classes; i++) {
        n_pods += p->classes[i].demand;
        n_placed += p->classes[i].demand - solution.unplaced[i];
    }
    char text[160];
    snprintf(text, sizeof text, "%u of %u placed for %lld (bound %lld), best %u for %lld", n_placed,
             n_pods, (long long)solution.cost, (long long)solution.certificate.bound, best.n_placed,
             (long long)best.cost);
    score->n++;
    score->n_all_placed += best.n_placed == n_pods;
    score->n_optimal += n_placed == best.n_placed && solution.cost == best.cost;
    score->n_proven += solution.certificate.bound == solution.cost;
    score->n_branched += solution.certificate.n_branches > 0;
    if (n_placed > best.n_placed || (n_placed == best.n_placed && solution.cost < best.cost)) {
        return refuse("better than the best:", text);
    }
    score->n_fewer += n_placed < best.n_placed;
    score->excess += n_placed == best.n_placed && best.cost > 0
                         ? (double)solution.cost / (double)best.cost - 1
                         : 0;
    if (n_placed < best.n_placed && effort > 1) {
        return refuse("fewer placed than can be:", text);
    }
    if (solution.certificate.bound > best.cost && n_placed == n_pods) {
        return refuse("bound above the best:", text);
    }
    if (solution.cost > best.cost && getenv("TEST_GROUPS_VERBOSE") != NULL) {
        printf("dearer: %s\n", text);
        print_instance(at);
    }
    return true;
}

static bool test_solve(uint32_t combination_i, uint32_t n_instances, uint64_t seed, uint32_t effort,
                       struct score *total)
{
    struct rng rng = {.state = seed * 2000 + combination_i};
    struct score score = {0};
    uint32_t n_bad = 0;
    for (uint32_t x = 0; x < n_instances; x++) {
        struct instance at;
        make_instance(&at, &rng, &combinations[combination_i]);
        if (!check_solve(&at, effort, &score)) {
            printf("%s: instance %u, seed %llu\n", combinations[combination_i].name, x,
                   (unsigned long long)seed);
            print_instance(&at);
            n_bad++;
        }
    }
    printf("%-18s effort %u: %u instances, %u with room for all pods, cost == optimum %.2f %%, "
           "bound == cost %.2f %%, "
           "by branches %u, fewer placed %u, mean excess %.2f %%, %u bad\n",
           combinations[combination_i].name, effort, score.n, score.n_all_placed,
           100.0 * score.n_optimal / score.n, 100.0 * score.n_proven / score.n, score.n_branched,
           score.n_fewer, 100.0 * score.excess / score.n, n_bad);
    total->n += score.n;
    total->n_optimal += score.n_optimal;
    total->n_branched += score.n_branched;
    return n_bad == 0;
}

int main(int argc, char **argv)
{
    uint32_t n_instances = argc > 1 ? (uint32_t)strtoul(argv[1], NULL, 10) : 500;
    uint64_t seed = argc > 2 ? (uint64_t)strtoull(argv[2], NULL, 10) : 1;
    uint32_t only = argc > 3 ? (uint32_t)strtoul(argv[3], NULL, 10) : N_COMBINATIONS;
    bool ok = true;
    struct score total = {0}, quick = {0};
    printf("seed %llu\n", (unsigned long long)seed);
    for (uint32_t c = 0; c < N_COMBINATIONS; c++) {
        if (only == N_COMBINATIONS || only == c) {
            ok &= test_replay(c, n_instances, seed);
            ok &= test_solve(c, n_instances, seed, 2, &total);
            ok &= test_solve(c, n_instances / 5 + 1, seed, 1, &quick);
        }
    }
    printf("%u instances, cost == optimum in %.2f %%\n", total.n,
           100.0 * total.n_optimal / total.n);
    if (total.n > 100 && total.n_branched == 0) {
        printf("no bound that knows the rules of groups was looked at\n");
        ok = false;
    }
    if (total.n_optimal * 100 < total.n * 99) {
        printf("less than the 99 %% promised\n");
        ok = false;
    }
    return ok ? 0 : 1;
}
