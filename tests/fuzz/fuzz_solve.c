/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Any bytes as a small problem: the engine must end, and the checker must agree with what it says.
 */
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/arena.h"
#include "base/bitset.h"
#include "binpack/solver/engine.h"
#include "binpack/solver/verify.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define PRICE_TOP 1000000

struct bytes {
    const uint8_t *p;
    size_t n;
};

static uint32_t take(struct bytes *b, uint32_t below)
{
    if (b->n == 0) {
        return 0;
    }
    b->n--;
    return *b->p++ % below;
}

/* Mostly small numbers, sometimes huge ones. */
static int64_t amount(struct bytes *b)
{
    uint32_t x = take(b, 256);
    return x < 240 ? x % 24 : (int64_t)1 << (x - 206);
}

static uint64_t *set(struct bytes *b, struct arena *arena, uint32_t n)
{
    uint64_t *out = ARENA_ARRAY(arena, uint64_t, bits_words(n) + 1);
    for (uint32_t i = 0; i < n; i++) {
        if (take(b, 4) != 0) {
            bits_set(out, i);
        }
    }
    return out;
}

static void decode_things(struct bytes *b, struct arena *arena, struct bp_problem *p)
{
    struct bp_class *classes = ARENA_ARRAY(arena, struct bp_class, p->n_classes);
    int64_t *size = ARENA_ARRAY(arena, int64_t, (size_t)p->n_classes * p->n_dims + 1);
    uint64_t *mask = ARENA_ARRAY(arena, uint64_t, p->n_classes);
    for (uint32_t i = 0; i < p->n_classes; i++) {
        uint32_t demand = take(b, 40);
        classes[i] =
            (struct bp_class){.demand = 1 + (demand == 39 ? 100000 : demand),
                              .weight = 1 + take(b, 2),
                              .max_per_node = take(b, 4) == 0 ? 1 + take(b, 3) : BP_UNLIMITED,
                              .priority = (int32_t)take(b, 3) - 1};
        mask[i] = take(b, 1U << p->n_domains);
        for (uint32_t d = 0; d < p->n_dims; d++) {
            size[i * p->n_dims + d] = amount(b);
        }
    }
    struct bp_offering *offerings = ARENA_ARRAY(arena, struct bp_offering, p->n_offerings);
    int64_t *capacity = ARENA_ARRAY(arena, int64_t, (size_t)p->n_offerings * p->n_dims + 1);
    for (uint32_t k = 0; k < p->n_offerings; k++) {
        bool running = take(b, 6) == 0;
        offerings[k] = (struct bp_offering){.price = running ? 0 : amount(b) % PRICE_TOP * 1000003,
                                            .stock = running           ? 1
                                                     : take(b, 5) == 0 ? take(b, 4)
                                                                       : BP_UNLIMITED,
                                            .domain = take(b, p->n_domains),
                                            .running = running};
        for (uint32_t d = 0; d < p->n_dims; d++) {
            capacity[k * p->n_dims + d] = amount(b) * 2;
        }
    }
    p->classes = classes;
    p->size = size;
    p->mask = mask;
    p->offerings = offerings;
    p->capacity = capacity;
}

static void decode_rules(struct bytes *b, struct arena *arena, struct bp_problem *p)
{
    p->n_caps = take(b, 3);
    struct bp_cap *caps = ARENA_ARRAY(arena, struct bp_cap, p->n_caps + 1);
    for (uint32_t c = 0; c < p->n_caps; c++) {
        caps[c] = (struct bp_cap){.max = take(b, 4),
                                  .necessary = take(b, 2) == 0,
                                  .members = set(b, arena, p->n_classes)};
    }
    p->n_exclusions = take(b, 3);
    struct bp_exclusion *exclusions = ARENA_ARRAY(arena, struct bp_exclusion, p->n_exclusions + 1);
    for (uint32_t e = 0; e < p->n_exclusions; e++) {
        exclusions[e].a = set(b, arena, p->n_classes);
        exclusions[e].b = set(b, arena, p->n_classes);
    }
    p->n_limits = take(b, 3);
    struct bp_limit *limits = ARENA_ARRAY(arena, struct bp_limit, p->n_limits + 1);
    for (uint32_t r = 0; r < p->n_limits; r++) {
        int64_t *use = ARENA_ARRAY(arena, int64_t, p->n_offerings);
        for (uint32_t k = 0; k < p->n_offerings; k++) {
            use[k] = amount(b);
        }
        limits[r] = (struct bp_limit){.max = amount(b) * 4, .use = use};
    }
    p->caps = caps;
    p->exclusions = exclusions;
    p->limits = limits;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct bytes b = {.p = data, .n = size};
    auto_arena arena = ARENA_INIT;
    struct bp_problem p = {.n_dims = take(&b, 4),
                           .n_classes = 1 + take(&b, 8),
                           .n_offerings = 1 + take(&b, 8),
                           .n_domains = 1 + take(&b, 4)};
    decode_things(&b, &arena, &p);
    decode_rules(&b, &arena, &p);
    struct bp_options options = BP_OPTIONS_DEFAULT;
    options.effort = 1;
    options.gap = 0;
    struct err err;
    struct bp_engine *engine = NULL;
    if (!bp_engine_new(&p, &options, &engine, &err)) {
        return 0;
    }
    for (int step = 0; step < 12 && bp_engine_step(engine, 2000); step++) {
    }
    struct bp_solution solution;
    bp_engine_result(engine, &arena, &solution);
    bp_engine_free(engine);
    if (!bp_verify(&p, &solution, &arena, &err)) {
        fprintf(stderr, "%s\n", err.text);
        abort();
    }
    return 0;
}
