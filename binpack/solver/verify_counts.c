/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "binpack/solver/verify_counts.h"

#include "base/arena.h"
#include "binpack/solver/verify_knapsack.h"

enum { SCALE = BP_DUAL_BITS + BP_WEIGHT_BITS };

#define NEED_MAX ((wide_t)1 << 76) /* then no sum below leaves 128 bits */
#define SUM_MAX  ((wide_t)1 << 120)

/* ------------------------------------------------------------------ shape */

static bool check_cut(const struct bp_problem *p, const struct bp_count_proof *proof, uint32_t c,
                      struct err *err)
{
    for (uint32_t i = 0; i < p->n_classes; i++) {
        if (proof->cuts[c].dual[i] < 0) {
            return err_set(err, ERR_INTERNAL, "certificate: cut %u: dual of class %u is below 0", c,
                           i);
        }
    }
    for (uint32_t k = 0; k < p->n_offerings; k++) {
        if (proof->cuts[c].best_value[k] < 0) {
            return err_set(err, ERR_INTERNAL,
                           "certificate: cut %u: best_value of offering %u is below 0", c, k);
        }
    }
    return true;
}

static bool check_leaf(const struct bp_count_proof *proof, uint32_t at, struct err *err)
{
    for (uint32_t c = 0; c < proof->n_cuts; c++) {
        int64_t weight = proof->steps[at].weight[c];
        if (weight < 0 || weight > BP_WEIGHT_MAX) {
            return err_set(err, ERR_INTERNAL,
                           "certificate: step %u of the tree: multiplier %u is %lld, out of range",
                           at, c, (long long)weight);
        }
    }
    return true;
}

/* A step and all below it; *at moves behind them. Steps only go forward, so it ends. */
static bool check_step(const struct bp_count_proof *proof, uint32_t *at, struct err *err)
{
    uint32_t here = *at;
    if (here >= proof->n_steps) {
        return err_set(err, ERR_INTERNAL, "certificate: the tree ends before its leaves do");
    }
    const struct bp_count_step *step = &proof->steps[here];
    *at = here + 1;
    if (step->family == UINT32_MAX) {
        return check_leaf(proof, here, err);
    }
    if (step->family >= proof->n_families || step->split > BP_COUNT_SPLIT_MAX) {
        return err_set(err, ERR_INTERNAL, "certificate: step %u of the tree splits family %u at %u",
                       here, step->family, step->split);
    }
    if (!check_step(proof, at, err)) {
        return false;
    }
    if (step->above != *at) {
        return err_set(err, ERR_INTERNAL,
                       "certificate: step %u of the tree has its upper half at %u, not at %u", here,
                       step->above, *at);
    }
    return check_step(proof, at, err);
}

bool verify_counts_shape(const struct bp_problem *p, const struct bp_count_proof *proof,
                         struct err *err)
{
    if (proof->n_cuts > BP_COUNT_CUTS_MAX || proof->n_steps > BP_COUNT_STEPS_MAX ||
        proof->n_steps == 0 || proof->n_families > p->n_offerings + 2) {
        return err_set(err, ERR_INTERNAL,
                       "certificate: %u cuts, %u steps and %u families are out of range",
                       proof->n_cuts, proof->n_steps, proof->n_families);
    }
    for (uint32_t k = 0; k < p->n_offerings; k++) {
        if (proof->family[k] >= proof->n_families) {
            return err_set(err, ERR_INTERNAL, "certificate: offering %u is of family %u of %u", k,
                           proof->family[k], proof->n_families);
        }
    }
    for (uint32_t c = 0; c < proof->n_cuts; c++) {
        if (!check_cut(p, proof, c, err)) {
            return false;
        }
    }
    uint32_t end = 0;
    if (!check_step(proof, &end, err)) {
        return false;
    }
    return end == proof->n_steps ||
           err_set(err, ERR_INTERNAL, "certificate: %u of %u steps are in no branch of the tree",
                   proof->n_steps - end, proof->n_steps);
}

/* ------------------------------------------------------------------ sum */

struct adding {
    const struct bp_problem *p;
    const struct bp_count_proof *proof;
    wide_t *need;           /* [n_cuts] */
    uint32_t *alike;        /* [n_offerings] an earlier one of the family that costs no more and is
                               worth no less, or itself */
    uint64_t *least, *most; /* [n_families] nodes; UINT64_MAX: no end */
    wide_t *net;            /* [n_families] scratch */
};

static wide_t worth(const struct adding *a, uint32_t c, uint32_t k)
{
    wide_t value = a->proof->cuts[c].best_value[k];
    return value < a->need[c] ? value : a->need[c];
}

static bool stands_for(const struct adding *a, uint32_t j, uint32_t k)
{
    bool holds = a->proof->family[j] == a->proof->family[k] &&
                 a->p->offerings[j].price <= a->p->offerings[k].price;
    for (uint32_t c = 0; c < a->proof->n_cuts && holds; c++) {
        holds = worth(a, c, j) >= worth(a, c, k);
    }
    return holds;
}

/* Families are mostly one offering in many zones and sizes: look at the last few of them. */
static void find_alike(struct adding *a, struct arena *arena)
{
    uint32_t *first = ARENA_ARRAY(arena, uint32_t, a->proof->n_families + 1); /* offering + 1 */
    a->alike = ARENA_ARRAY(arena, uint32_t, a->p->n_offerings + 1);
    for (uint32_t k = 0; k < a->p->n_offerings; k++) {
        uint32_t *known = &first[a->proof->family[k]];
        a->alike[k] = *known > 0 && stands_for(a, *known - 1, k) ? *known - 1 : k;
        /* The one that may stand for most is the cheapest so far. */
        if (*known == 0 || (a->alike[k] == k && stands_for(a, k, *known - 1))) {
            *known = k + 1;
        }
    }
}

static wide_t leaf_proves(const struct adding *a, const int64_t *weight)
{
    wide_t total = 0;
    for (uint32_t c = 0; c < a->proof->n_cuts; c++) {
        total += (wide_t)weight[c] * a->need[c];
    }
    for (uint32_t f = 0; f < a->proof->n_families; f++) {
        a->net[f] = SUM_MAX; /* nothing of the family: it adds nothing */
    }
    for (uint32_t k = 0; k < a->p->n_offerings; k++) {
        if (a->alike[k] != k) {
            continue;
        }
        wide_t net = (wide_t)a->p->offerings[k].price << SCALE;
        for (uint32_t c = 0; c < a->proof->n_cuts; c++) {
            net -= weight[c] * worth(a, c, k);
        }
        wide_t *least = &a->net[a->proof->family[k]];
        *least = net < *least ? net : *least;
    }
    for (uint32_t f = 0; f < a->proof->n_families; f++) {
        if (a->net[f] == SUM_MAX) {
            continue;
        }
        uint64_t count = a->net[f] < 0 ? a->most[f] : a->least[f];
        if (count > 2 * (uint64_t)BP_COUNT_SPLIT_MAX) {
            return 0; /* no end to what is gained */
        }
        total += a->net[f] * (wide_t)count;
        if (total > SUM_MAX || total < -SUM_MAX) {
            return 0;
        }
    }
    return total;
}

/* The least that a leaf below the step proves; *at moves behind it. */
static wide_t branch_proves(struct adding *a, uint32_t *at)
{
    const struct bp_count_step *step = &a->proof->steps[(*at)++];
    if (step->family == UINT32_MAX) {
        return leaf_proves(a, step->weight);
    }
    uint64_t *least = &a->least[step->family], *most = &a->most[step->family];
    uint64_t before = *most;
    *most = before < step->split ? before : step->split;
    wide_t below = *least <= *most ? branch_proves(a, at) : SUM_MAX;
    *at = step->above; /* a half without any plan proves itself */
    *most = before;
    before = *least;
    *least = before > step->split ? before : (uint64_t)step->split + 1;
    uint32_t end = *at;
    wide_t above = *least <= *most ? branch_proves(a, &end) : SUM_MAX;
    *least = before;
    *at = end;
    return below < above ? below : above;
}

usd_t verify_counts_sum(const struct bp_problem *p, const struct bp_count_proof *proof,
                        const uint32_t *placed, struct arena *scratch)
{
    struct adding a = {.p = p, .proof = proof};
    a.need = ARENA_ARRAY(scratch, wide_t, proof->n_cuts + 1);
    a.least = ARENA_ARRAY(scratch, uint64_t, proof->n_families + 1);
    a.most = ARENA_ARRAY(scratch, uint64_t, proof->n_families + 1);
    a.net = ARENA_ARRAY(scratch, wide_t, proof->n_families + 1);
    for (uint32_t c = 0; c < proof->n_cuts; c++) {
        for (uint32_t i = 0; i < p->n_classes; i++) {
            a.need[c] += (wide_t)proof->cuts[c].dual[i] * placed[i];
        }
        if (a.need[c] > NEED_MAX) {
            return 0;
        }
    }
    for (uint32_t k = 0; k < p->n_offerings; k++) {
        uint64_t *most = &a.most[proof->family[k]];
        uint32_t stock = p->offerings[k].stock;
        *most = stock == BP_UNLIMITED || *most == UINT64_MAX ? UINT64_MAX : *most + stock;
    }
    find_alike(&a, scratch);
    uint32_t at = 0;
    wide_t sum = branch_proves(&a, &at);
    if (sum <= 0 || sum >= SUM_MAX) {
        return 0;
    }
    return (usd_t)((sum + ((wide_t)1 << SCALE) - 1) >> SCALE);
}
