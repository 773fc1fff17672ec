/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "binpack/solver/parts.h"

#include <math.h>
#include <string.h>

#include "base/arena.h"
#include "base/bitset.h"

enum { CLASSES_MIN = 150, PART_CLASSES_MIN = 4 };

static const struct bp_cg_limits part_limits = {
    .gap = 3e-3, .rounds = 60, .nodes = 9, .max_level = 0};

void bp_parts_init(struct bp_parts *parts, struct arena *arena, struct bp_pool *pool,
                   struct bp_pricer *pricer, const double *penalty)
{
    const struct bp_red *red = pool->red;
    *parts = (struct bp_parts){.red = red,
                               .arena = arena,
                               .pool = pool,
                               .pricer = pricer,
                               .penalty = penalty,
                               .scratch = ARENA_INIT};
    if (red->n_classes < CLASSES_MIN) {
        return;
    }
    parts->part_of = ARENA_ARRAY(arena, uint32_t, red->n_classes + 1);
    auto_arena scratch = ARENA_INIT;
    uint32_t *first = ARENA_ARRAY(&scratch, uint32_t, red->n_classes + 1);
    for (uint32_t i = 0; i < red->n_classes; i++) {
        uint32_t g = 0;
        while (g < parts->n && !bp_red_same_accepts(red, first[g], i)) {
            g++;
        }
        if (g == parts->n) {
            first[parts->n++] = i;
        }
        parts->part_of[i] = g;
    }
    if (parts->n < 2 || parts->n * PART_CLASSES_MIN > red->n_classes) {
        parts->n = 0;
    }
    parts->demand = ARENA_ARRAY(arena, double, red->n_classes + 1);
    bp_rest_init(&parts->rest, arena, red);
    bp_rest_init(&parts->part_rest, arena, red);
    bp_mix_init(&parts->mix, arena, red);
    parts->pi = ARENA_ARRAY(arena, double, red->n_classes + 1);
    parts->priced = ARENA_ARRAY(arena, bool, red->n_classes + 1);
    parts->skip = ARENA_ARRAY(arena, bool, red->n_kinds + 1);
    parts->columns_room = 2 * red->n_classes + red->n_kinds;
    parts->columns = ARENA_ARRAY(arena, uint32_t, parts->columns_room);
}

/* Whether kind x does all that kind y does for the classes of the part. */
static bool covers(const struct bp_red *red, const uint64_t *part, uint32_t x, uint32_t y)
{
    if (red->cost[x] > red->cost[y] || !isinf(red->stock[x])) {
        return false;
    }
    for (uint32_t d = 0; d < red->n_dims; d++) {
        if (red->cap[(size_t)x * red->n_dims + d] < red->cap[(size_t)y * red->n_dims + d]) {
            return false;
        }
    }
    const uint64_t *ax = bp_red_accept(red, x), *ay = bp_red_accept(red, y);
    for (uint32_t w = 0; w < red->n_words; w++) {
        if ((ay[w] & part[w] & ~ax[w]) != 0) {
            return false;
        }
    }
    for (uint32_t r = 0; r < red->n_limits; r++) {
        const double *use = red->limit_use + (size_t)r * red->n_kinds;
        if (use[x] > use[y]) {
            return false;
        }
    }
    return true;
}

static void choose_kinds(struct bp_parts *parts, const uint64_t *part)
{
    const struct bp_red *red = parts->red;
    auto_arena scratch = ARENA_INIT;
    uint32_t *kept = ARENA_ARRAY(&scratch, uint32_t, red->n_kinds + 1), n = 0;
    for (uint32_t k = 0; k < red->n_kinds; k++) {
        bool skip = !bits_intersects(bp_red_accept(red, k), part, red->n_words);
        for (uint32_t j = 0; j < n && !skip; j++) {
            skip = covers(red, part, kept[j], k);
        }
        parts->skip[k] = skip;
        if (!skip) {
            kept[n++] = k;
        }
    }
}

/* Prices to start from: those of classes of the same size in parts done before. */
static bool guess_prices(const struct bp_parts *parts, double *pi)
{
    const struct bp_red *red = parts->red;
    bool any = false;
    for (uint32_t i = 0; i < red->n_classes; i++) {
        pi[i] = 0;
        for (uint32_t j = 0; j < red->n_classes && parts->part_of[i] == parts->at; j++) {
            if (parts->priced[j] &&
                memcmp(red->size_of + (size_t)i * red->n_dims,
                       red->size_of + (size_t)j * red->n_dims, red->n_dims * sizeof(double)) == 0) {
                pi[i] = parts->pi[j];
                any = true;
            }
        }
    }
    return any;
}

static void add_patterns(struct bp_parts *parts, struct err *err)
{
    auto_arena scratch = ARENA_INIT;
    uint32_t n = 0, n_all = (uint32_t)parts->pool->patterns.n;
    uint32_t *mine = ARENA_ARRAY(&scratch, uint32_t, n_all + 1);
    for (uint32_t j = 0; j < n_all; j++) {
        const struct bp_item *items = bp_pool_items(parts->pool, j);
        bool all = true;
        for (uint32_t x = 0; x < parts->pool->patterns.v[j].n_items && all; x++) {
            all = parts->part_of[items[x].class_i] == parts->at;
        }
        if (all) {
            mine[n++] = j;
        }
    }
    parts->cg.failed |= !bp_master_add(&parts->master, n, mine, err);
}

static void begin(struct bp_parts *parts, uint64_t *spent)
{
    const struct bp_red *red = parts->red;
    uint64_t *part = ARENA_ARRAY(&parts->scratch, uint64_t, red->n_words + 1);
    for (uint32_t i = 0; i < red->n_classes; i++) {
        bool mine = parts->part_of[i] == parts->at;
        parts->demand[i] = mine ? red->demand[i] : 0;
        if (mine) {
            bits_set(part, i);
        }
    }
    choose_kinds(parts, part);
    bp_master_init(&parts->master, &parts->scratch, red, parts->pool, parts->penalty);
    /* Columns in the pool are known to this master only as it adds them. */
    bp_cg_init(&parts->cg, &parts->scratch, &parts->master, parts->pricer, BP_RULES_PLAN);
    parts->cg.skip = parts->skip;
    struct err err;
    add_patterns(parts, &err);
    double *guess = ARENA_ARRAY(&parts->scratch, double, red->n_classes + 1);
    bool guessed = guess_prices(parts, guess);
    if (guessed) {
        bp_cg_set_prices(&parts->cg, guess, NULL);
    }
    if (!parts->cg.failed) {
        bp_cg_begin(&parts->cg, parts->demand, NULL, NULL, &part_limits, guessed);
    }
    parts->running = true;
    *spent += 50 + red->n_classes / 4 + red->n_kinds / 4;
}

static const struct bp_dive_limits part_dive = {
    .first = {.gap = 1e-6, .rounds = 0, .nodes = 9, .max_level = 0},
    .later = {.gap = 1e-5, .rounds = 6, .nodes = 9, .max_level = 0},
    .whole = 0.75,
    .share = 0.08,
    .width = 1,
    .tolerance = 1};

static void begin_rounding(struct bp_parts *parts)
{
    bp_rest_copy(&parts->part_rest, &parts->rest, parts->red);
    memcpy(parts->part_rest.demand, parts->demand, parts->red->n_classes * sizeof(double));
    bp_dive_init(&parts->dive, &parts->scratch, &parts->cg);
    bp_dive_begin(&parts->dive, &parts->part_rest, &part_dive, /* seed= */ 0);
    parts->rounding = true;
}

static void take_plan(struct bp_parts *parts)
{
    const struct bp_mix *mix = &parts->dive.mix;
    for (uint32_t e = 0; e < mix->n; e++) {
        const struct bp_pattern *p = &parts->pool->patterns.v[mix->entries[e].pattern];
        bp_mix_add(&parts->mix, parts->arena, mix->entries[e].pattern, mix->entries[e].count);
        bp_rest_take(&parts->rest, parts->red, p->kind, parts->pool->items.v + p->at, p->n_items,
                     mix->entries[e].count);
    }
    parts->rounding = false;
}

/* Keeps the LP's patterns and prices. */
static void take_solution(struct bp_parts *parts)
{
    const struct bp_red *red = parts->red;
    const struct bp_master *master = &parts->master;
    for (uint32_t c = 0; c < master->columns.n && !parts->cg.failed; c++) {
        if (master->x[c] > 1e-7 && parts->n_columns < parts->columns_room) {
            parts->columns[parts->n_columns++] = master->columns.v[c];
        }
    }
    for (uint32_t i = 0; i < red->n_classes && !parts->cg.failed; i++) {
        if (parts->part_of[i] == parts->at) {
            parts->pi[i] = master->pi[i];
            parts->priced[i] = true;
        }
    }
}

static void finish(struct bp_parts *parts)
{
    bp_master_done(&parts->master);
    arena_reset(&parts->scratch);
    parts->running = false;
    parts->at++;
}

bool bp_parts_step(struct bp_parts *parts, uint64_t work, uint64_t *spent)
{
    uint64_t until = *spent + work;
    while (parts->at < parts->n && *spent < until) {
        if (!parts->running) {
            begin(parts, spent);
        }
        if (parts->rounding) {
            if (!bp_dive_step(&parts->dive, until - *spent, spent)) {
                take_plan(parts);
                finish(parts);
            }
        } else if (parts->cg.failed) {
            finish(parts);
        } else if (!bp_cg_step(&parts->cg, until - *spent, spent)) {
            take_solution(parts);
            begin_rounding(parts);
        }
    }
    return parts->at < parts->n;
}

void bp_parts_done(struct bp_parts *parts)
{
    bp_master_done(&parts->master);
    arena_done(&parts->scratch);
}
