/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The bound of consolidation, against every choice of random small problems: pods are of one class
 * with one price, so that what a choice costs is a sum. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/arena.h"
#include "base/rng.h"
#include "binpack/disruption/select.h"
#include "binpack/solver/problem.h"

enum { N_PROBLEMS = 300, N_NODES = 7 };

struct model {
    int64_t pods[N_NODES], free[N_NODES]; /* pods on the node, pods that still fit */
    usd_t price[N_NODES], fresh;          /* of a node, of one pod elsewhere */
    int64_t max_moved, max_gone;
};

/* The cheapest choice: nodes that stay are paid, pods of the others fill free room, then buy. */
static usd_t cheapest(const struct model *m)
{
    usd_t best = INT64_MAX;
    for (uint32_t set = 0; set < (1U << N_NODES); set++) {
        int64_t moved = 0, room = 0, gone = 0;
        usd_t cost = 0;
        for (uint32_t i = 0; i < N_NODES; i++) {
            bool goes = ((set >> i) & 1U) != 0;
            moved += goes ? m->pods[i] : 0;
            gone += goes;
            room += goes ? 0 : m->free[i];
            cost += goes ? 0 : m->price[i];
        }
        if (moved > m->max_moved || gone > m->max_gone) {
            continue;
        }
        cost += moved > room ? (moved - room) * m->fresh : 0;
        best = cost < best ? cost : best;
    }
    return best;
}

static usd_t sum_of(const usd_t *price)
{
    usd_t sum = 0;
    for (uint32_t i = 0; i < N_NODES; i++) {
        sum += price[i];
    }
    return sum;
}

/* What the dearest nodes cost that may go: no bound on the savings need be above that. */
static usd_t dearest_gone(const struct model *m)
{
    usd_t price[N_NODES], sum = 0;
    memcpy(price, m->price, sizeof price);
    for (int64_t k = 0; k < m->max_gone && k < N_NODES; k++) {
        uint32_t at = 0;
        for (uint32_t i = 1; i < N_NODES; i++) {
            at = price[i] > price[at] ? i : at;
        }
        sum += price[at];
        price[at] = 0;
    }
    return sum;
}

static usd_t bound_of(const struct model *m, struct arena *arena)
{
    struct select_item items[N_NODES];
    uint32_t moves[N_NODES], ones[N_NODES];
    const int64_t one = INT64_C(1) << BP_DUAL_BITS;
    for (uint32_t i = 0; i < N_NODES; i++) {
        items[i] = (struct select_item){.kind = SELECT_MAY_GO,
                                        .price = m->price[i],
                                        .room = m->free[i] * m->fresh * one,
                                        .pods = m->pods[i] * m->fresh * one,
                                        .stock = 1};
        moves[i] = (uint32_t)m->pods[i];
        ones[i] = 1;
    }
    struct select_row rows[] = {{.max = m->max_moved, .use = moves},
                                {.max = m->max_gone, .use = ones}};
    struct select select = {.n_items = N_NODES, .n_rows = 2, .items = items, .rows = rows};
    struct select_answer answer;
    select_bound(&select, arena, &answer);
    return answer.bound;
}

static void test_bound_is_never_above_the_best_choice(void **state)
{
    (void)state;
    struct rng rng = {.state = 7};
    uint32_t tight = 0;
    for (uint32_t n = 0; n < N_PROBLEMS; n++) {
        struct arena arena = ARENA_INIT;
        struct model m = {.fresh = (usd_t)(1000 + rng_below(&rng, 9000))};
        for (uint32_t i = 0; i < N_NODES; i++) {
            m.pods[i] = (int64_t)rng_below(&rng, 9);
            m.free[i] = (int64_t)rng_below(&rng, 6);
            m.price[i] = (usd_t)(5000 + rng_below(&rng, 60000));
        }
        m.max_moved = n % 3 == 0 ? 1000 : (int64_t)rng_below(&rng, 30);
        m.max_gone = n % 2 == 0 ? 1000 : (int64_t)rng_below(&rng, N_NODES);
        usd_t best = cheapest(&m), bound = bound_of(&m, &arena);
        if (bound > best) {
            fail_msg("problem %u: bound %lld above the best choice %lld", n, (long long)bound,
                     (long long)best);
        }
        assert_true(sum_of(m.price) - bound <= dearest_gone(&m));
        tight += best - bound <= best / 10;
        arena_done(&arena);
    }
    /* A bound of zero would be right, too: most of these are within a tenth. */
    assert_true(tight > N_PROBLEMS / 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_bound_is_never_above_the_best_choice)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
