/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The solver as a filter: problems as numbers on standard input, plans and bounds on standard
 * output, one a line, for programs that know the optimum by other means (exact.py).
 *
 * A problem is a sequence of integers:
 *   work dims classes offerings domains caps exclusions limits varieties
 *   a class:     demand max_per_node (0: any) domains it may use (bits) size[dims]
 *   an offering: price stock (-1: any) domain running capacity[dims]
 *   a cap:       max necessary members (bits)
 *   an exclusion: a (bits) b (bits)
 *   a limit:     max use[offerings]
 *   a variety:   min_values value[offerings] (-1: no member)
 * `work` is how much the solver may spend; 0 is what effort 1 allows. A line of the answer:
 *   bound cost status unplaced[classes] nodes, and for each node: offering items, class count ...
 * A plan that the checker refuses is a line "refused: why". */
#include <stdio.h>
#include <stdlib.h>

#include "base/arena.h"
#include "base/bitset.h"
#include "binpack/solver/solve.h"
#include "binpack/solver/verify.h"

static bool next(long long *ret)
{
    return scanf("%lld", ret) == 1;
}

static long long number(void)
{
    long long value = 0;
    if (!next(&value)) {
        fprintf(stderr, "the input ends within a problem\n");
        exit(2);
    }
    return value;
}

static uint32_t count(uint32_t max)
{
    long long value = number();
    if (value < 0 || value > max) {
        fprintf(stderr, "%lld is not within 0..%u\n", value, max);
        exit(2);
    }
    return (uint32_t)value;
}

static const uint64_t *word(struct arena *arena)
{
    uint64_t *bits = ARENA_ARRAY(arena, uint64_t, 1);
    bits[0] = (uint64_t)number();
    return bits;
}

static void read_classes(struct bp_problem *p, struct arena *arena)
{
    struct bp_class *classes = ARENA_ARRAY(arena, struct bp_class, p->n_classes);
    int64_t *size = ARENA_ARRAY(arena, int64_t, p->n_classes * p->n_dims);
    uint64_t *mask = ARENA_ARRAY(arena, uint64_t, p->n_classes);
    for (uint32_t i = 0; i < p->n_classes; i++) {
        classes[i] = (struct bp_class){.demand = count(1000), .weight = 1};
        uint32_t most = count(1000);
        classes[i].max_per_node = most > 0 ? most : BP_UNLIMITED;
        mask[i] = (uint64_t)number();
        for (uint32_t d = 0; d < p->n_dims; d++) {
            size[i * p->n_dims + d] = number();
        }
    }
    p->classes = classes;
    p->size = size;
    p->mask = mask;
}

static void read_offerings(struct bp_problem *p, struct arena *arena)
{
    struct bp_offering *offerings = ARENA_ARRAY(arena, struct bp_offering, p->n_offerings);
    int64_t *capacity = ARENA_ARRAY(arena, int64_t, p->n_offerings * p->n_dims);
    for (uint32_t k = 0; k < p->n_offerings; k++) {
        offerings[k].price = number();
        long long stock = number();
        offerings[k].stock = stock < 0 ? BP_UNLIMITED : (uint32_t)stock;
        offerings[k].domain = count(63);
        offerings[k].running = number() != 0;
        for (uint32_t d = 0; d < p->n_dims; d++) {
            capacity[k * p->n_dims + d] = number();
        }
    }
    p->offerings = offerings;
    p->capacity = capacity;
}

static void read_rules(struct bp_problem *p, struct arena *arena)
{
    struct bp_cap *caps = ARENA_ARRAY(arena, struct bp_cap, p->n_caps + 1);
    for (uint32_t c = 0; c < p->n_caps; c++) {
        caps[c] = (struct bp_cap){.max = count(1000), .necessary = number() != 0};
        caps[c].members = word(arena);
    }
    p->caps = caps;
    struct bp_exclusion *exclusions = ARENA_ARRAY(arena, struct bp_exclusion, p->n_exclusions + 1);
    for (uint32_t e = 0; e < p->n_exclusions; e++) {
        exclusions[e].a = word(arena);
        exclusions[e].b = word(arena);
    }
    p->exclusions = exclusions;
    struct bp_limit *limits = ARENA_ARRAY(arena, struct bp_limit, p->n_limits + 1);
    for (uint32_t r = 0; r < p->n_limits; r++) {
        int64_t *use = ARENA_ARRAY(arena, int64_t, p->n_offerings);
        limits[r] = (struct bp_limit){.max = number(), .use = use};
        for (uint32_t k = 0; k < p->n_offerings; k++) {
            use[k] = number();
        }
    }
    p->limits = limits;
    struct bp_variety *varieties = ARENA_ARRAY(arena, struct bp_variety, p->n_varieties + 1);
    for (uint32_t v = 0; v < p->n_varieties; v++) {
        uint32_t *value = ARENA_ARRAY(arena, uint32_t, p->n_offerings);
        varieties[v] = (struct bp_variety){.min_values = count(1000), .value = value};
        for (uint32_t k = 0; k < p->n_offerings; k++) {
            long long id = number();
            value[k] = id < 0 ? BP_NO_VALUE : (uint32_t)id;
        }
    }
    p->varieties = varieties;
}

static void solve(const struct bp_problem *p, uint64_t work, struct arena *arena,
                  struct bp_solution *ret_solution)
{
    struct bp_options options = BP_OPTIONS_DEFAULT;
    options.gap = 0;
    options.effort = 1;
    struct err err;
    struct bp_solve *s = NULL;
    if (!bp_solve_new(p, &options, &s, &err)) {
        fprintf(stderr, "%s\n", err.text);
        exit(2);
    }
    struct bp_progress progress = {0};
    for (bool more = true; more && (work == 0 || progress.work < work);) {
        more = bp_solve_step(s, 20000);
        bp_solve_progress(s, &progress);
    }
    bp_solve_result(s, arena, ret_solution);
    bp_solve_free(s);
}

static void print(const struct bp_problem *p, const struct bp_solution *solution)
{
    printf("%lld %lld %d", (long long)solution->certificate.bound, (long long)solution->cost,
           (int)solution->status);
    for (uint32_t i = 0; i < p->n_classes; i++) {
        printf(" %u", solution->unplaced[i]);
    }
    printf(" %u", solution->n_nodes);
    for (uint32_t n = 0; n < solution->n_nodes; n++) {
        const struct bp_node *node = &solution->nodes[n];
        printf(" %u %u", node->offering_i, node->n_items);
        for (uint32_t t = 0; t < node->n_items; t++) {
            printf(" %u %u", node->items[t].class_i, node->items[t].count);
        }
    }
    printf("\n");
}

int main(void)
{
    for (long long work; next(&work);) {
        auto_arena arena = ARENA_INIT;
        struct bp_problem p = {0};
        p.n_dims = count(BP_MAX_DIMS);
        p.n_classes = count(64);
        p.n_offerings = count(1000);
        p.n_domains = count(64);
        p.n_caps = count(64);
        p.n_exclusions = count(64);
        p.n_limits = count(64);
        p.n_varieties = count(64);
        read_classes(&p, &arena);
        read_offerings(&p, &arena);
        read_rules(&p, &arena);
        struct bp_solution solution;
        solve(&p, (uint64_t)work, &arena, &solution);
        struct err err;
        if (bp_verify(&p, &solution, &arena, &err)) {
            print(&p, &solution);
        } else {
            printf("refused: %s\n", err.text);
        }
        fflush(stdout);
    }
    return 0;
}
