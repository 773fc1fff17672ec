/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "binpack/plan/certificate_counts.h"

#include "base/arena.h"

/* ---- writing ---- */

static void put_step(struct jsonw *w, const struct bp_count_step *step, uint32_t n_cuts)
{
    jsonw_array_begin(w);
    if (step->family != UINT32_MAX) {
        jsonw_i64(w, step->family);
        jsonw_i64(w, step->split);
        jsonw_i64(w, step->above);
    } else {
        jsonw_array_begin(w);
        for (uint32_t c = 0; c < n_cuts; c++) {
            jsonw_i64(w, step->weight[c]);
        }
        jsonw_array_end(w);
    }
    jsonw_array_end(w);
}

void certificate_counts_write(const struct bp_problem *p, const struct bp_count_proof *proof,
                              struct jsonw *w, struct arena *scratch)
{
    if (proof == NULL) {
        return;
    }
    struct arena_mark mark = arena_mark(scratch);
    int64_t *value = ARENA_ARRAY(scratch, int64_t, proof->n_families + 1);
    jsonw_key_object(w, "counts");
    jsonw_key_i64(w, "weightFractionBits", BP_WEIGHT_BITS);
    jsonw_key_i64(w, "families", proof->n_families);
    jsonw_key_array(w, "family");
    for (uint32_t k = 0; k < p->n_offerings; k++) {
        jsonw_i64(w, proof->family[k]);
    }
    jsonw_array_end(w);
    jsonw_key_array(w, "cuts");
    for (uint32_t c = 0; c < proof->n_cuts; c++) {
        for (uint32_t f = 0; f < proof->n_families; f++) {
            value[f] = 0;
        }
        for (uint32_t k = 0; k < p->n_offerings; k++) {
            int64_t *at = &value[proof->family[k]], best = proof->cuts[c].best_value[k];
            *at = best > *at ? best : *at;
        }
        jsonw_object_begin(w);
        jsonw_key_i64s(w, "duals", proof->cuts[c].dual, p->n_classes);
        jsonw_key_i64s(w, "bestValues", value, proof->n_families);
        jsonw_object_end(w);
    }
    jsonw_array_end(w);
    jsonw_key_array(w, "tree");
    for (uint32_t s = 0; s < proof->n_steps; s++) {
        put_step(w, &proof->steps[s], proof->n_cuts);
    }
    jsonw_array_end(w);
    jsonw_object_end(w);
    arena_rewind(scratch, mark);
}

/* ---- reading ---- */

/* The numbers of a list of exactly n elements, 0 to max. */
static bool read_numbers(const struct json_at *list, uint32_t n, int64_t max, int64_t *v,
                         struct err *err)
{
    if (!json_want_array(list, err)) {
        return false;
    }
    if (json_at_count(list) != n) {
        return json_fail(err, ERR_INVALID, list, "%zu elements, expected %u", json_at_count(list),
                         n);
    }
    for (uint32_t i = 0; i < n; i++) {
        struct json_at at = json_at_element(list, i);
        if (!json_read_i64(&at, 0, max, NULL, &v[i], err)) {
            return false;
        }
    }
    return true;
}

static bool read_families(const struct bp_problem *p, const struct json_at *counts,
                          struct bp_count_proof *proof, struct arena *arena, struct err *err)
{
    struct json_at list = json_at_member(counts, "family");
    int64_t *number = ARENA_ARRAY(arena, int64_t, p->n_offerings + 1);
    uint32_t *family = ARENA_ARRAY(arena, uint32_t, p->n_offerings + 1);
    struct json_at size = json_at_member(counts, "families");
    int64_t n;
    if (!json_read_i64(&size, 1, (int64_t)p->n_offerings + 2, NULL, &n, err) ||
        !read_numbers(&list, p->n_offerings, n - 1, number, err)) {
        return false;
    }
    proof->n_families = (uint32_t)n;
    for (uint32_t k = 0; k < p->n_offerings; k++) {
        family[k] = (uint32_t)number[k];
    }
    proof->family = family;
    return true;
}

static bool read_cuts(const struct bp_problem *p, const struct json_at *counts,
                      struct bp_count_proof *proof, struct arena *arena, struct err *err)
{
    struct json_at list = json_at_member(counts, "cuts");
    if (!json_want_array(&list, err)) {
        return false;
    }
    if (json_at_count(&list) > BP_COUNT_CUTS_MAX) {
        return json_fail(err, ERR_LIMIT, &list, "%zu cuts, more than %d", json_at_count(&list),
                         BP_COUNT_CUTS_MAX);
    }
    proof->n_cuts = (uint32_t)json_at_count(&list);
    struct bp_count_cut *cuts = ARENA_ARRAY(arena, struct bp_count_cut, proof->n_cuts + 1);
    int64_t *value = ARENA_ARRAY(arena, int64_t, proof->n_families + 1);
    for (uint32_t c = 0; c < proof->n_cuts; c++) {
        struct json_at at = json_at_element(&list, c);
        struct json_at duals = json_at_member(&at, "duals");
        struct json_at values = json_at_member(&at, "bestValues");
        int64_t *dual = ARENA_ARRAY(arena, int64_t, p->n_classes + 1);
        int64_t *best = ARENA_ARRAY(arena, int64_t, p->n_offerings + 1);
        if (!read_numbers(&duals, p->n_classes, INT64_MAX, dual, err) ||
            !read_numbers(&values, proof->n_families, INT64_MAX, value, err)) {
            return false;
        }
        for (uint32_t k = 0; k < p->n_offerings; k++) {
            best[k] = value[proof->family[k]];
        }
        cuts[c] = (struct bp_count_cut){.dual = dual, .best_value = best};
    }
    proof->cuts = cuts;
    return true;
}

static bool read_step(const struct json_at *at, uint32_t n_cuts, struct bp_count_step *step,
                      struct arena *arena, struct err *err)
{
    int64_t split[3];
    if (!json_want_array(at, err)) {
        return false;
    }
    if (json_at_count(at) == 1) {
        struct json_at weights = json_at_element(at, 0);
        int64_t *weight = ARENA_ARRAY(arena, int64_t, n_cuts + 1);
        *step = (struct bp_count_step){.family = UINT32_MAX, .weight = weight};
        return read_numbers(&weights, n_cuts, INT64_MAX, weight, err);
    }
    if (!read_numbers(at, 3, UINT32_MAX - 1, split, err)) {
        return false;
    }
    *step = (struct bp_count_step){
        .family = (uint32_t)split[0], .split = (uint32_t)split[1], .above = (uint32_t)split[2]};
    return true;
}

static bool read_tree(const struct json_at *counts, struct bp_count_proof *proof,
                      struct arena *arena, struct err *err)
{
    struct json_at list = json_at_member(counts, "tree");
    if (!json_want_array(&list, err)) {
        return false;
    }
    if (json_at_count(&list) > BP_COUNT_STEPS_MAX) {
        return json_fail(err, ERR_LIMIT, &list, "%zu steps, more than %d", json_at_count(&list),
                         BP_COUNT_STEPS_MAX);
    }
    proof->n_steps = (uint32_t)json_at_count(&list);
    struct bp_count_step *steps = ARENA_ARRAY(arena, struct bp_count_step, proof->n_steps + 1);
    for (uint32_t s = 0; s < proof->n_steps; s++) {
        struct json_at at = json_at_element(&list, s);
        if (!read_step(&at, proof->n_cuts, &steps[s], arena, err)) {
            return false;
        }
    }
    proof->steps = steps;
    return true;
}

bool certificate_counts_read(const struct bp_problem *p, const struct json_at *root,
                             struct arena *arena, const struct bp_count_proof **ret_proof,
                             struct err *err)
{
    struct json_at counts = json_at_member(root, "counts");
    *ret_proof = NULL;
    if (counts.v == NULL) {
        return true;
    }
    struct bp_count_proof *proof = ARENA_NEW(arena, struct bp_count_proof);
    struct json_at bits = json_at_member(&counts, "weightFractionBits");
    int64_t n_bits;
    if (!json_want_object(&counts, err) || !json_read_i64(&bits, 0, 62, NULL, &n_bits, err)) {
        return false;
    }
    if (n_bits != BP_WEIGHT_BITS) {
        return json_fail(err, ERR_UNSUPPORTED, &bits, "%lld, this program uses %d",
                         (long long)n_bits, BP_WEIGHT_BITS);
    }
    if (!read_families(p, &counts, proof, arena, err) ||
        !read_cuts(p, &counts, proof, arena, err) || !read_tree(&counts, proof, arena, err)) {
        return false;
    }
    *ret_proof = proof;
    return true;
}
