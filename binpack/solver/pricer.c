/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "binpack/solver/pricer.h"

#include <string.h>

#include "base/arena.h"

enum { NODE_ROOM = 24000, LANES_MAX = 64 };

/* Below this many operations in the round before, waking threads costs more than they save. */
enum { PARALLEL_OPS = 200000 };

void bp_pricer_init(struct bp_pricer *pricer, struct arena *arena, const struct bp_red *red,
                    const struct parallel *parallel)
{
    uint32_t n_lanes = parallel != NULL && parallel->n_lanes > 1 ? parallel->n_lanes : 1;
    *pricer = (struct bp_pricer){
        .red = red, .parallel = parallel, .n_lanes = n_lanes < LANES_MAX ? n_lanes : LANES_MAX};
    pricer->knaps = ARENA_ARRAY(arena, struct bp_knap *, pricer->n_lanes);
    pricer->rooms = ARENA_ARRAY(arena, struct arena, pricer->n_lanes);
    pricer->lanes = ARENA_ARRAY(arena, struct arena, pricer->n_lanes);
    for (uint32_t l = 0; l < pricer->n_lanes; l++) {
        pricer->rooms[l] = ARENA_INIT;
        pricer->knaps[l] = bp_knap_new(&pricer->rooms[l], red, NODE_ROOM);
        pricer->lanes[l] = ARENA_INIT;
    }
    pricer->lambda = ARENA_ARRAY(arena, double, (size_t)red->n_kinds * red->n_dims + 1);
    pricer->has_lambda = ARENA_ARRAY(arena, bool, red->n_kinds + 1);
    pricer->priced = ARENA_ARRAY(arena, struct bp_priced, red->n_kinds + 1);
    pricer->ops = ARENA_ARRAY(arena, uint64_t, red->n_kinds + 1);
}

void bp_pricer_done(struct bp_pricer *pricer)
{
    for (uint32_t l = 0; l < pricer->n_lanes; l++) {
        arena_done(&pricer->lanes[l]);
        arena_done(&pricer->rooms[l]);
    }
    pricer->n_lanes = 0;
}

static void keep_found(struct bp_knap *knap, struct arena *lane, uint32_t n_classes,
                       double threshold, struct bp_priced *out)
{
    uint32_t n = bp_knap_n_found(knap);
    for (uint32_t f = n; f-- > 0;) {
        double value = bp_knap_value(knap, f);
        if (value <= threshold) {
            break;
        }
        struct bp_item *items = ARENA_ARRAY(lane, struct bp_item, n_classes);
        uint32_t n_items = bp_knap_items(knap, f, items);
        out->value[out->n_found] = value;
        out->n_items[out->n_found] = n_items;
        out->items[out->n_found++] = items;
    }
}

static void price_kind(struct bp_pricer *pricer, uint32_t lane, uint32_t kind)
{
    const struct bp_red *red = pricer->red;
    const struct bp_price_job *job = pricer->job;
    struct bp_priced *out = &pricer->priced[kind];
    double *lambda = pricer->lambda + (size_t)kind * red->n_dims;
    double threshold = job->threshold[kind];
    *out = (struct bp_priced){.proven = true};
    uint64_t ops = 0;
    if (pricer->has_lambda[kind]) {
        out->bound = bp_knap_quick_bound(red, kind, job->value, job->upper, lambda);
        ops = (uint64_t)red->n_classes * (red->n_dims + 2);
        if (out->bound <= threshold * (1 + job->rel)) {
            pricer->ops[kind] = ops;
            return;
        }
    }
    struct bp_knap *knap = pricer->knaps[lane];
    bp_knap_load(knap, kind, job->value, job->upper, job->rules);
    if (job->deep_states > 0) {
        bp_knap_trim(knap);
    }
    out->proven = bp_knap_run(knap, threshold, job->rel, job->nodes);
    if (!out->proven && job->deep_states > 0) {
        out->proven = bp_knap_deepen(knap, threshold, job->rel, job->deep_states);
    }
    out->bound = bp_knap_bound(knap);
    bp_knap_lambda(knap, lambda);
    pricer->has_lambda[kind] = true;
    keep_found(knap, &pricer->lanes[lane], red->n_classes, threshold, out);
    pricer->ops[kind] = ops + bp_knap_take_ops(knap);
}

static void run_lane(void *ctx, uint32_t lane)
{
    struct bp_pricer *pricer = ctx;
    for (uint32_t j = lane; j < pricer->job->n; j += pricer->n_lanes) {
        price_kind(pricer, lane, pricer->job->kinds[j]);
    }
}

uint64_t bp_pricer_run(struct bp_pricer *pricer, const struct bp_price_job *job)
{
    pricer->job = job;
    for (uint32_t l = 0; l < pricer->n_lanes; l++) {
        arena_reset(&pricer->lanes[l]);
    }
    if (pricer->n_lanes > 1 && job->n > 1 && pricer->last_ops >= PARALLEL_OPS) {
        pricer->parallel->run(pricer->parallel->port_ctx, pricer->n_lanes, run_lane, pricer);
    } else {
        for (uint32_t l = 0; l < pricer->n_lanes; l++) {
            run_lane(pricer, l);
        }
    }
    uint64_t ops = 0;
    for (uint32_t j = 0; j < job->n; j++) {
        ops += pricer->ops[job->kinds[j]];
    }
    pricer->last_ops = ops;
    return ops;
}
