/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "binpack/solver/reduce.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/bitset.h"
#include "binpack/solver/reach.h"
#include "binpack/solver/reduce_impl.h"

enum { MOST_ROOM = 1 << 18 }; /* entries of the table `most` */

#define EXACT_MAX 4503599627370496.0 /* 2^52 */

static int64_t gcd_of(int64_t a, int64_t b)
{
    while (b != 0) {
        int64_t t = a % b;
        a = b;
        b = t;
    }
    return a;
}

static void build_dims(struct bp_red_build *b)
{
    const struct bp_problem *p = b->p;
    uint32_t n = 0;
    for (uint32_t d = 0; d < p->n_dims; d++) {
        int64_t gcd = 0;
        for (uint32_t i = 0; i < p->n_classes; i++) {
            gcd = gcd_of(p->size[(size_t)i * p->n_dims + d], gcd);
        }
        if (gcd > 0) {
            b->dim_source[n] = d;
            b->dim_gcd[n++] = gcd;
        }
    }
    b->red->n_dims = n;
}

static double public_size(const struct bp_red_build *b, uint32_t class_i, uint32_t d)
{
    int64_t size = b->p->size[(size_t)class_i * b->p->n_dims + b->dim_source[d]];
    int64_t steps = size / b->dim_gcd[d]; /* exact: the divisor is common to all sizes */
    return (double)steps;
}

static void build_offer_caps(struct bp_red_build *b)
{
    const struct bp_problem *p = b->p;
    uint32_t n_dims = b->red->n_dims;
    b->offer_cap = ARENA_ARRAY(b->scratch, double, (size_t)p->n_offerings *n_dims + 1);
    double most[BP_MAX_DIMS] = {0};
    for (uint32_t d = 0; d < n_dims; d++) {
        for (uint32_t i = 0; i < p->n_classes; i++) {
            double units = fmin(p->classes[i].demand, p->classes[i].max_per_node);
            most[d] = fmin(EXACT_MAX, most[d] + units * public_size(b, i, d));
        }
    }
    for (uint32_t k = 0; k < p->n_offerings; k++) {
        for (uint32_t d = 0; d < n_dims; d++) {
            int64_t cap = p->capacity[(size_t)k * p->n_dims + b->dim_source[d]] / b->dim_gcd[d];
            b->offer_cap[(size_t)k * n_dims + d] = fmin((double)cap, most[d]);
        }
    }
}

static bool class_fits(const struct bp_red_build *b, uint32_t class_i, uint32_t offer)
{
    const struct bp_problem *p = b->p;
    const uint64_t *mask = p->mask + (size_t)class_i * b->mask_words;
    if (p->offerings[offer].stock == 0 || !bits_get(mask, p->offerings[offer].domain)) {
        return false;
    }
    for (uint32_t d = 0; d < b->red->n_dims; d++) {
        if (public_size(b, class_i, d) > b->offer_cap[(size_t)offer * b->red->n_dims + d]) {
            return false;
        }
    }
    return true;
}

static bool class_is_capped_out(const struct bp_red_build *b, uint32_t class_i, uint32_t offer)
{
    const struct bp_problem *p = b->p;
    for (uint32_t c = 0; c < p->n_caps; c++) {
        const struct bp_cap *cap = &p->caps[c];
        if (bits_get(cap->members, class_i) &&
            (cap->max_at != NULL ? cap->max_at[offer] : cap->max) == 0) {
            return true;
        }
    }
    return false;
}

static bool class_is_placeable(const struct bp_red_build *b, uint32_t class_i)
{
    for (uint32_t k = 0; k < b->p->n_offerings; k++) {
        if (class_fits(b, class_i, k) && !class_is_capped_out(b, class_i, k)) {
            return true;
        }
    }
    return false;
}

/* For qsort, which carries no context. */
struct class_ref {
    const struct bp_red_build *b;
    uint32_t id;
};

static int compare_rules(const struct bp_red_build *b, uint32_t x, uint32_t y)
{
    const struct bp_problem *p = b->p;
    int order = 0;
    for (uint32_t c = 0; c < p->n_caps && order == 0; c++) {
        order = bits_get(p->caps[c].members, x) - bits_get(p->caps[c].members, y);
    }
    for (uint32_t e = 0; e < p->n_exclusions && order == 0; e++) {
        order = bits_get(p->exclusions[e].a, x) - bits_get(p->exclusions[e].a, y);
        if (order == 0) {
            order = bits_get(p->exclusions[e].b, x) - bits_get(p->exclusions[e].b, y);
        }
        /* Two classes on both sides exclude each other, so they are not one class. */
        if (order == 0 && bits_get(p->exclusions[e].a, x) && bits_get(p->exclusions[e].b, x)) {
            order = bp_compare_u64(x, y);
        }
    }
    return order;
}

/* Whether max_per_node can matter: then equal classes stay apart. */
static bool per_node_binds(const struct bp_red_build *b, uint32_t class_i)
{
    return b->p->classes[class_i].max_per_node < b->p->classes[class_i].demand;
}

/* 0 when nothing tells the classes apart; then they are one. */
static int compare_content(const struct bp_red_build *b, uint32_t x, uint32_t y)
{
    const struct bp_problem *p = b->p;
    for (uint32_t d = 0; d < b->red->n_dims; d++) {
        double sx = public_size(b, x, d), sy = public_size(b, y, d);
        if (sx != sy) {
            return sx > sy ? -1 : 1;
        }
    }
    const struct bp_class *cx = &p->classes[x], *cy = &p->classes[y];
    if (cx->priority != cy->priority) {
        return cx->priority > cy->priority ? -1 : 1;
    }
    if (cx->weight != cy->weight) {
        return cx->weight > cy->weight ? -1 : 1;
    }
    const uint64_t *mx = p->mask + (size_t)x * b->mask_words;
    const uint64_t *my = p->mask + (size_t)y * b->mask_words;
    int order = bp_compare_u64(bits_count(mx, b->mask_words), bits_count(my, b->mask_words));
    for (uint32_t w = 0; w < b->mask_words && order == 0; w++) {
        order = bp_compare_u64(mx[w], my[w]);
    }
    if (order == 0) {
        order = compare_rules(b, x, y);
    }
    if (order == 0 &&
        (per_node_binds(b, x) || per_node_binds(b, y) || cx->max_per_node != cy->max_per_node)) {
        order = bp_compare_u64(cx->max_per_node, cy->max_per_node);
        if (order == 0) {
            order = bp_compare_u64(cy->demand, cx->demand);
        }
        if (order == 0) {
            order = bp_compare_u64(x, y);
        }
    }
    return order;
}

static int compare_refs(const void *x, const void *y)
{
    const struct class_ref *rx = x, *ry = y;
    int order = compare_content(rx->b, rx->id, ry->id);
    return order != 0 ? order : bp_compare_u64(rx->id, ry->id);
}

static void order_classes(struct bp_red_build *b)
{
    struct class_ref *refs = ARENA_ARRAY(b->scratch, struct class_ref, b->p->n_classes + 1);
    uint32_t n = 0;
    for (uint32_t i = 0; i < b->p->n_classes; i++) {
        if (class_is_placeable(b, i)) {
            refs[n++] = (struct class_ref){.b = b, .id = i};
        }
    }
    if (n > 0) {
        qsort(refs, n, sizeof *refs, compare_refs);
    }
    b->order = ARENA_ARRAY(b->scratch, uint32_t, n + 1);
    b->n_order = n;
    for (uint32_t i = 0; i < n; i++) {
        b->order[i] = refs[i].id;
    }
}

static void add_class(struct bp_red_build *b, uint32_t first, uint32_t end)
{
    struct bp_red *red = b->red;
    const struct bp_class *c = &b->p->classes[b->order[first]];
    uint32_t i = red->n_classes++;
    red->source_at[i] = first;
    for (uint32_t s = first; s < end; s++) {
        red->source[s] = b->order[s];
        red->demand[i] += b->p->classes[b->order[s]].demand;
    }
    bool merged = end - first > 1;
    red->per_node[i] = merged ? red->demand[i] : fmin(c->max_per_node, red->demand[i]);
    red->pods[i] = c->weight;
    red->priority[i] = c->priority;
}

static void build_classes(struct bp_red_build *b)
{
    struct bp_red *red = b->red;
    order_classes(b);
    uint32_t n = b->n_order;
    red->source_at = ARENA_ARRAY(b->arena, uint32_t, n + 1);
    red->source = ARENA_ARRAY(b->arena, uint32_t, n + 1);
    red->demand = ARENA_ARRAY(b->arena, double, n + 1);
    red->per_node = ARENA_ARRAY(b->arena, double, n + 1);
    red->pods = ARENA_ARRAY(b->arena, double, n + 1);
    red->priority = ARENA_ARRAY(b->arena, int32_t, n + 1);
    for (uint32_t first = 0, end = 0; first < n; first = end) {
        for (end = first + 1; end < n && compare_content(b, b->order[first], b->order[end]) == 0;) {
            end++;
        }
        add_class(b, first, end);
    }
    red->source_at[red->n_classes] = n;
    red->n_words = (uint32_t)bits_words(red->n_classes);
    red->size = ARENA_ARRAY(b->arena, double, (size_t)red->n_dims * red->n_classes + 1);
    red->size_of = ARENA_ARRAY(b->arena, double, (size_t)red->n_dims * red->n_classes + 1);
    for (uint32_t i = 0; i < red->n_classes; i++) {
        for (uint32_t d = 0; d < red->n_dims; d++) {
            double size = public_size(b, red->source[red->source_at[i]], d);
            red->size[(size_t)d * red->n_classes + i] = size;
            red->size_of[(size_t)i * red->n_dims + d] = size;
        }
    }
}

static uint64_t hash_words(const uint64_t *words, uint32_t n)
{
    uint64_t h = UINT64_C(0x9e3779b97f4a7c15);
    for (uint32_t i = 0; i < n; i++) {
        h = (h ^ words[i]) * UINT64_C(0xff51afd7ed558ccd);
        h ^= h >> 32;
    }
    return h;
}

/* One set of classes for each domain, equal sets stored once. */
static void build_accepts(struct bp_red_build *b)
{
    struct bp_red *red = b->red;
    const struct bp_problem *p = b->p;
    uint32_t n_domains = p->n_domains, words = red->n_words;
    uint64_t *sets = ARENA_ARRAY(b->scratch, uint64_t, (size_t)n_domains * words + 1);
    for (uint32_t i = 0; i < red->n_classes; i++) {
        const uint64_t *mask = p->mask + (size_t)red->source[red->source_at[i]] * b->mask_words;
        for (size_t g = bits_next(mask, n_domains, 0); g < n_domains;
             g = bits_next(mask, n_domains, g + 1)) {
            bits_set(sets + g * words, i);
        }
    }
    size_t room = 16;
    while (room < 2 * (size_t)n_domains) {
        room *= 2;
    }
    uint32_t *table = ARENA_ARRAY(b->scratch, uint32_t, room);
    b->accept_of = ARENA_ARRAY(b->scratch, uint32_t, n_domains + 1);
    red->accept = ARENA_ARRAY(b->arena, uint64_t, (size_t)n_domains * words + 1);
    for (uint32_t g = 0; g < n_domains; g++) {
        const uint64_t *set = sets + (size_t)g * words;
        size_t at = hash_words(set, words) & (room - 1);
        while (table[at] != 0 &&
               !bits_equal(red->accept + (size_t)(table[at] - 1) * words, set, words)) {
            at = (at + 1) & (room - 1);
        }
        if (table[at] == 0) {
            memcpy(red->accept + (size_t)red->n_accepts * words, set, words * sizeof *set);
            table[at] = ++red->n_accepts;
        }
        b->accept_of[g] = table[at] - 1;
    }
}

static void tighten(struct bp_red_build *b)
{
    struct bp_red *red = b->red;
    const struct bp_problem *p = b->p;
    struct bp_reach reach = {.scratch = b->scratch};
    double *sizes = ARENA_ARRAY(b->scratch, double, red->n_classes + 1);
    for (uint32_t d = 0; d < red->n_dims; d++) {
        double most = 0;
        for (uint32_t k = 0; k < p->n_offerings; k++) {
            most = fmax(most, b->offer_cap[(size_t)k * red->n_dims + d]);
        }
        bool shared = !bp_reach_affordable(red->n_accepts, red->n_classes, most);
        for (uint32_t a = 0; a < (shared ? 1 : red->n_accepts); a++) {
            const uint64_t *set = red->accept + (size_t)a * red->n_words;
            uint32_t n = 0;
            for (uint32_t i = 0; i < red->n_classes; i++) {
                if (shared || bits_get(set, i)) {
                    sizes[n++] = red->size[(size_t)d * red->n_classes + i];
                }
            }
            bp_reach_build(&reach, sizes, n, most);
            for (uint32_t k = 0; k < p->n_offerings; k++) {
                if (shared || b->accept_of[p->offerings[k].domain] == a) {
                    double *cap = &b->offer_cap[(size_t)k * red->n_dims + d];
                    *cap = bp_reach_below(&reach, *cap);
                }
            }
        }
    }
}

static void build_costs(struct bp_red *red)
{
    usd_t least = 0;
    for (uint32_t k = 0; k < red->n_kinds; k++) {
        if (red->price[k] > 0 && (least == 0 || red->price[k] < least)) {
            least = red->price[k];
        }
    }
    red->unit = least > 0 ? exp2(floor(log2((double)least))) : 1.0;
    for (uint32_t k = 0; k < red->n_kinds; k++) {
        red->cost[k] = (double)red->price[k] / red->unit;
    }
}

/* ---- rules ---- */

static void build_limits(struct bp_red_build *b)
{
    struct bp_red *red = b->red;
    const struct bp_problem *p = b->p;
    uint32_t n_kinds = red->n_kinds;
    red->limit_use = ARENA_ARRAY(b->arena, double, (size_t)p->n_limits *n_kinds + 1);
    red->limit_max = ARENA_ARRAY(b->arena, double, p->n_limits + 1);
    red->limit_source = ARENA_ARRAY(b->arena, uint32_t, p->n_limits + 1);
    for (uint32_t r = 0; r < p->n_limits; r++) {
        double *use = red->limit_use + (size_t)red->n_limits * n_kinds;
        double most = 0;
        for (uint32_t k = 0; k < n_kinds; k++) {
            use[k] = (double)p->limits[r].use[red->offer[red->offer_at[k]]];
            most += use[k] > 0 ? use[k] * red->stock[k] : 0.0;
        }
        if (most > (double)p->limits[r].max) {
            red->limit_max[red->n_limits] = (double)p->limits[r].max;
            red->limit_source[red->n_limits++] = r;
        }
    }
}

static void map_set(const struct bp_red *red, const uint64_t *from, uint64_t *to)
{
    for (uint32_t i = 0; i < red->n_classes; i++) {
        if (bits_get(from, red->source[red->source_at[i]])) {
            bits_set(to, i);
        }
    }
}

static void build_caps(struct bp_red_build *b)
{
    struct bp_red *red = b->red;
    const struct bp_problem *p = b->p;
    red->cap_members = ARENA_ARRAY(b->arena, uint64_t, (size_t)p->n_caps * red->n_words + 1);
    red->cap_source = ARENA_ARRAY(b->arena, uint32_t, p->n_caps + 1);
    red->cap_necessary = ARENA_ARRAY(b->arena, bool, p->n_caps + 1);
    for (uint32_t c = 0; c < p->n_caps; c++) {
        uint64_t *members = red->cap_members + (size_t)red->n_caps * red->n_words;
        map_set(red, p->caps[c].members, members);
        if (!bits_any(members, red->n_words)) {
            continue;
        }
        double units = 0;
        for (uint32_t i = 0; i < red->n_classes; i++) {
            units += bits_get(members, i) ? red->per_node[i] : 0.0;
        }
        uint32_t least = p->caps[c].max;
        for (uint32_t k = 0; k < red->n_kinds; k++) {
            uint32_t max = bp_cap_max_at(&p->caps[c], red->offer[red->offer_at[k]]);
            least = max < least ? max : least;
        }
        if (units <= least) {
            memset(members, 0, red->n_words * sizeof *members);
            continue;
        }
        red->relaxed_caps |= !p->caps[c].necessary;
        red->cap_necessary[red->n_caps] = p->caps[c].necessary;
        red->cap_source[red->n_caps++] = c;
    }
}

static void build_exclusions(struct bp_red_build *b)
{
    struct bp_red *red = b->red;
    const struct bp_problem *p = b->p;
    size_t room = (size_t)p->n_exclusions * red->n_words + 1;
    red->exclude_a = ARENA_ARRAY(b->arena, uint64_t, room);
    red->exclude_b = ARENA_ARRAY(b->arena, uint64_t, room);
    for (uint32_t e = 0; e < p->n_exclusions; e++) {
        uint64_t *sa = red->exclude_a + (size_t)red->n_exclusions * red->n_words;
        uint64_t *sb = red->exclude_b + (size_t)red->n_exclusions * red->n_words;
        map_set(red, p->exclusions[e].a, sa);
        map_set(red, p->exclusions[e].b, sb);
        size_t na = bits_count(sa, red->n_words), nb = bits_count(sb, red->n_words);
        bool alone = na == 1 && nb == 1 && bits_equal(sa, sb, red->n_words);
        if (na == 0 || nb == 0 || alone) {
            memset(sa, 0, red->n_words * sizeof *sa);
            memset(sb, 0, red->n_words * sizeof *sb);
            continue;
        }
        red->n_exclusions++;
    }
    red->relaxed_exclusions = red->n_exclusions > 0;
}

static bool class_is_scarce(const struct bp_red *red, uint32_t i)
{
    for (uint32_t k = 0; k < red->n_kinds; k++) {
        if (!isinf(red->stock[k]) || !bits_get(bp_red_accept(red, k), i)) {
            continue;
        }
        uint32_t d = 0, r = 0, c = 0;
        while (d < red->n_dims &&
               red->size_of[(size_t)i * red->n_dims + d] <= red->cap[(size_t)k * red->n_dims + d]) {
            d++;
        }
        while (r < red->n_limits && red->limit_use[(size_t)r * red->n_kinds + k] == 0) {
            r++;
        }
        while (c < red->n_caps && !(bits_get(red->cap_members + (size_t)c * red->n_words, i) &&
                                    bp_red_cap_max(red, c, k) < 1)) {
            c++;
        }
        if (d == red->n_dims && r == red->n_limits && c == red->n_caps) {
            return false;
        }
    }
    return true;
}

static void mark_plain(struct bp_red_build *b)
{
    struct bp_red *red = b->red;
    red->plain = ARENA_ARRAY(b->arena, bool, red->n_classes + 1);
    for (uint32_t i = 0; i < red->n_classes; i++) {
        bool plain = red->per_node[i] >= red->demand[i];
        for (uint32_t c = 0; c < red->n_caps && plain; c++) {
            plain = !bits_get(red->cap_members + (size_t)c * red->n_words, i);
        }
        for (uint32_t e = 0; e < red->n_exclusions && plain; e++) {
            plain = !bits_get(red->exclude_a + (size_t)e * red->n_words, i) &&
                    !bits_get(red->exclude_b + (size_t)e * red->n_words, i);
        }
        red->plain[i] = plain;
    }
}

static void build_most(struct bp_red *red, struct arena *arena)
{
    size_t n = (size_t)red->n_kinds * red->n_classes;
    if (n > MOST_ROOM) {
        return;
    }
    red->most = ARENA_ARRAY(arena, double, n + 1);
    for (uint32_t k = 0; k < red->n_kinds; k++) {
        const double *cap = red->cap + (size_t)k * red->n_dims;
        for (uint32_t i = 0; i < red->n_classes; i++) {
            red->most[(size_t)k * red->n_classes + i] = bp_red_fit(red, cap, i, INFINITY);
        }
    }
}

void bp_red_build(struct bp_red *red, const struct bp_problem *problem, struct arena *arena)
{
    auto_arena scratch = ARENA_INIT;
    *red = (struct bp_red){.problem = problem};
    struct bp_red_build b = {.red = red,
                             .p = problem,
                             .arena = arena,
                             .scratch = &scratch,
                             .mask_words = (uint32_t)bits_words(problem->n_domains),
                             .set_words = (uint32_t)bits_words(problem->n_classes)};
    build_dims(&b);
    build_offer_caps(&b);
    build_classes(&b);
    build_accepts(&b);
    tighten(&b);
    bp_red_build_kinds(&b);
    build_costs(red);
    build_limits(&b);
    build_caps(&b);
    build_exclusions(&b);
    mark_plain(&b);
    build_most(red, arena);
    for (uint32_t v = 0; v < problem->n_varieties; v++) {
        red->relaxed_varieties |= problem->varieties[v].min_values > 1;
    }
    red->relaxed = red->relaxed_caps || red->relaxed_exclusions || red->relaxed_varieties;
    red->scarce = red->relaxed_varieties;
    for (uint32_t i = 0; i < red->n_classes && !red->scarce; i++) {
        red->scarce = class_is_scarce(red, i);
    }
}

double bp_red_cap_max(const struct bp_red *red, uint32_t cap, uint32_t kind)
{
    const struct bp_cap *source = &red->problem->caps[red->cap_source[cap]];
    return bp_cap_max_at(source, red->offer[red->offer_at[kind]]);
}

bool bp_red_same_accepts(const struct bp_red *red, uint32_t i, uint32_t j)
{
    for (uint32_t a = 0; a < red->n_accepts; a++) {
        const uint64_t *set = red->accept + (size_t)a * red->n_words;
        if (bits_get(set, i) != bits_get(set, j)) {
            return false;
        }
    }
    return true;
}

double bp_red_fit(const struct bp_red *red, const double *cap, uint32_t i, double upper)
{
    double fit = fmin(upper, red->per_node[i]);
    const double *size = red->size_of + (size_t)i * red->n_dims;
    for (uint32_t d = 0; d < red->n_dims; d++) {
        if (size[d] > cap[d]) {
            return 0;
        }
        if (size[d] * fit > cap[d]) {
            fit = floor(cap[d] / size[d]);
        }
    }
    return fit;
}

double bp_red_most(const struct bp_red *red, uint32_t kind, uint32_t i, double upper)
{
    if (red->most == NULL) {
        return bp_red_fit(red, red->cap + (size_t)kind * red->n_dims, i, upper);
    }
    double most = red->most[(size_t)kind * red->n_classes + i];
    return upper < most ? upper : most;
}

double bp_red_fit_alone(const struct bp_red *red, const double *cap, uint32_t i)
{
    const double *size = red->size_of + (size_t)i * red->n_dims;
    double fit = INFINITY;
    for (uint32_t d = 0; d < red->n_dims; d++) {
        fit = size[d] > 0 ? fmin(fit, floor(cap[d] / size[d])) : fit;
    }
    return fit;
}

bool bp_red_same_size(const struct bp_red *red, uint32_t i, uint32_t j)
{
    return memcmp(red->size_of + (size_t)i * red->n_dims, red->size_of + (size_t)j * red->n_dims,
                  red->n_dims * sizeof(double)) == 0;
}
