/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "binpack/scheduling/bundles.h"

#include "base/arena.h"
#include "base/bitset.h"
#include "binpack/scheduling/terms.h"

#include <string.h>

enum { STARTERS_MAX = 64 }; /* tried each time */

/* Classes that ties connect. */
struct component {
    uint32_t n_classes, n_ties;
    uint32_t *classes; /* ascending */
    uint32_t *order;   /* the same, targets before what follows them */
    uint32_t *ties;
};

/* A spread over hosts. */
struct host_spread {
    uint32_t max_skew;
    uint64_t *carriers, *targets;
};

struct bundler {
    const struct sched_classes *classes;
    const struct sched_tie *ties;
    uint64_t *started; /* classes of units that start on their own */
    uint32_t n_spreads;
    struct host_spread *spreads;
    uint32_t n_ties;
    const uint64_t *placeable;
    sched_fits_fn fits;
    void *ctx;
    struct sched_rows *rows;
    struct arena *arena;
    size_t words;
    uint64_t *carriers; /* of any tie */
    uint32_t *left;     /* [classes->n] pods in no unit yet */
    uint32_t *count;    /* [classes->n] of the unit at hand */
};

/* ---- components ---- */

static uint32_t root_of(uint32_t *parent, uint32_t i)
{
    while (parent[i] != i) {
        parent[i] = parent[parent[i]];
        i = parent[i];
    }
    return i;
}

static bool takes_part(const struct bundler *b, const struct sched_tie *tie, uint32_t class_i)
{
    return bits_get(b->placeable, class_i) &&
           (bits_get(tie->carriers, class_i) || bits_get(tie->targets, class_i));
}

/* parent[i]: the component of class i, by its smallest member. */
static uint32_t *connect(const struct bundler *b)
{
    const uint32_t n = b->classes->n;
    uint32_t *parent = ARENA_ARRAY(b->arena, uint32_t, n);
    for (uint32_t i = 0; i < n; i++) {
        parent[i] = i;
    }
    for (uint32_t t = 0; t < b->n_ties; t++) {
        uint32_t first = UINT32_MAX;
        for (uint32_t i = 0; i < n; i++) {
            if (!takes_part(b, &b->ties[t], i)) {
                continue;
            }
            const uint32_t root = root_of(parent, i);
            if (first == UINT32_MAX) {
                first = root;
            } else if (root != root_of(parent, first)) {
                const uint32_t other = root_of(parent, first);
                parent[root < other ? other : root] = root < other ? root : other;
            }
        }
    }
    for (uint32_t i = 0; i < n; i++) {
        parent[i] = root_of(parent, i);
    }
    return parent;
}

static struct component component_of(const struct bundler *b, const uint32_t *parent, uint32_t root)
{
    struct component comp = {.classes = ARENA_ARRAY(b->arena, uint32_t, b->classes->n),
                             .ties = ARENA_ARRAY(b->arena, uint32_t, b->n_ties)};
    for (uint32_t i = 0; i < b->classes->n; i++) {
        if (parent[i] == root && bits_get(b->placeable, i)) {
            comp.classes[comp.n_classes++] = i;
        }
    }
    for (uint32_t t = 0; t < b->n_ties; t++) {
        for (uint32_t k = 0; k < comp.n_classes; k++) {
            if (takes_part(b, &b->ties[t], comp.classes[k])) {
                comp.ties[comp.n_ties++] = t;
                break;
            }
        }
    }
    return comp;
}

/* Has the class a target among those of `before` for each tie that it carries? Itself counts when
 * it attracts itself. */
static bool can_follow(const struct bundler *b, const struct component *comp, uint32_t class_i,
                       const uint64_t *before)
{
    for (uint32_t t = 0; t < comp->n_ties; t++) {
        const struct sched_tie *tie = &b->ties[comp->ties[t]];
        if (bits_get(tie->carriers, class_i) && !bits_get(tie->targets, class_i) &&
            !bits_intersects(tie->targets, before, b->words)) {
            return false;
        }
    }
    return true;
}

static void order_by_depth(const struct bundler *b, struct component *comp)
{
    uint64_t *before = ARENA_ARRAY(b->arena, uint64_t, b->words);
    uint32_t n = 0;
    comp->order = ARENA_ARRAY(b->arena, uint32_t, comp->n_classes);
    for (uint32_t n_last = UINT32_MAX; n != n_last;) {
        n_last = n;
        for (uint32_t k = 0; k < comp->n_classes; k++) {
            const uint32_t i = comp->classes[k];
            if (!bits_get(before, i) && can_follow(b, comp, i, before)) {
                bits_set(before, i);
                comp->order[n++] = i;
            }
        }
    }
    for (uint32_t k = 0; k < comp->n_classes; k++) {
        if (!bits_get(before, comp->classes[k])) {
            comp->order[n++] = comp->classes[k];
        }
    }
}

/* ---- one unit ---- */

static bool caps_hold(const struct bundler *b, const struct component *comp)
{
    const struct sched_rows *rows = b->rows;
    for (uint32_t k = 0; k < comp->n_classes; k++) {
        const uint32_t i = comp->classes[k];
        if (b->count[i] > rows->max_per_node[i]) {
            return false;
        }
    }
    for (size_t c = 0; c < rows->caps.n; c++) {
        uint64_t n = 0;
        for (uint32_t k = 0; k < comp->n_classes; k++) {
            const uint32_t i = comp->classes[k];
            n += bits_get(rows->caps.v[c].members, i) ? b->count[i] : 0;
        }
        if (n > rows->caps.v[c].max) {
            return false;
        }
    }
    return true;
}

/* Targets come before what follows them, so the pods that a carrier counts in its unit may all be
 * there before it. */
static bool spreads_hold(const struct bundler *b, const struct component *comp)
{
    for (uint32_t r = 0; r < b->n_spreads; r++) {
        const struct host_spread *spread = &b->spreads[r];
        bool carried = false;
        uint64_t n = 0;
        for (uint32_t k = 0; k < comp->n_classes; k++) {
            const uint32_t i = comp->classes[k];
            carried = carried || (b->count[i] > 0 && bits_get(spread->carriers, i));
            n += bits_get(spread->targets, i) ? b->count[i] : 0;
        }
        if (carried && n > spread->max_skew) {
            return false;
        }
    }
    return true;
}

static bool exclusions_hold(const struct bundler *b, const struct component *comp)
{
    for (size_t e = 0; e < b->rows->exclusions.n; e++) {
        const struct sched_exclusion_row *row = &b->rows->exclusions.v[e];
        for (uint32_t k = 0; k < comp->n_classes; k++) {
            const uint32_t i = comp->classes[k];
            for (uint32_t m = 0; b->count[i] > 0 && bits_get(row->a, i) && m < comp->n_classes;
                 m++) {
                const uint32_t j = comp->classes[m];
                if (j != i && b->count[j] > 0 && bits_get(row->b, j)) {
                    return false;
                }
            }
        }
    }
    return true;
}

static uint32_t items_of(const struct bundler *b, const struct component *comp,
                         struct sched_bundle_item *items)
{
    uint32_t n = 0;
    for (uint32_t k = 0; k < comp->n_classes; k++) {
        const uint32_t i = comp->classes[k];
        if (b->count[i] > 0) {
            items[n++] = (struct sched_bundle_item){.class_i = i, .count = b->count[i]};
        }
    }
    return n;
}

static bool unit_holds(const struct bundler *b, const struct component *comp)
{
    if (!caps_hold(b, comp) || !exclusions_hold(b, comp) || !spreads_hold(b, comp)) {
        return false;
    }
    if (b->fits == NULL) {
        return true;
    }
    const struct arena_mark mark = arena_mark(b->arena);
    struct sched_bundle_item *items =
        ARENA_ARRAY(b->arena, struct sched_bundle_item, comp->n_classes);
    const uint32_t n = items_of(b, comp, items);
    const bool holds = b->fits(b->ctx, SCHED_NONE, n, items);
    arena_rewind(b->arena, mark);
    return holds;
}

/* Puts up to `wanted` more pods of the class into the unit, as many as it takes. */
static void put_in(const struct bundler *b, const struct component *comp, uint32_t class_i,
                   uint32_t wanted)
{
    const uint32_t before = b->count[class_i];
    uint32_t low = 0; /* holds */
    uint32_t high = wanted < b->left[class_i] ? wanted : b->left[class_i];
    while (low < high) {
        const uint32_t middle = low + (high - low + 1) / 2;
        b->count[class_i] = before + middle;
        if (unit_holds(b, comp)) {
            low = middle;
        } else {
            high = middle - 1;
        }
    }
    b->count[class_i] = before + low;
    b->left[class_i] -= low;
}

/* Is there one that does not follow by the tie itself? */
static bool tie_led(const struct bundler *b, const struct component *comp,
                    const struct sched_tie *tie)
{
    for (uint32_t k = 0; k < comp->n_classes; k++) {
        const uint32_t i = comp->classes[k];
        if (b->count[i] > 0 && bits_get(tie->targets, i) && !bits_get(tie->carriers, i)) {
            return true;
        }
    }
    return false;
}

/* Do the grounded classes hold a target for every tie that the class carries? */
static bool led_by(const struct bundler *b, const struct component *comp, uint32_t class_i,
                   const uint64_t *grounded)
{
    for (uint32_t t = 0; t < comp->n_ties; t++) {
        const struct sched_tie *tie = &b->ties[comp->ties[t]];
        if (bits_get(tie->carriers, class_i) &&
            !bits_intersects(tie->targets, grounded, b->words)) {
            return false;
        }
    }
    return true;
}

/* Adds to `grounded` what can follow it in some order, of the classes of the unit (`in_unit`) or of
 * the component. */
static void ground(const struct bundler *b, const struct component *comp, bool in_unit,
                   uint64_t *grounded)
{
    bool grown = true;
    while (grown) {
        grown = false;
        for (uint32_t k = 0; k < comp->n_classes; k++) {
            const uint32_t i = comp->classes[k];
            if (!bits_get(grounded, i) && (!in_unit || b->count[i] > 0) &&
                led_by(b, comp, i, grounded)) {
                bits_set(grounded, i);
                grown = true;
            }
        }
    }
}

/* Takes out carriers that nobody in the unit leads, directly or through others. `starter`: a class
 * that starts on its own, or SCHED_NONE. */
static void drop_orphans(const struct bundler *b, const struct component *comp, uint32_t starter)
{
    const struct arena_mark mark = arena_mark(b->arena);
    uint64_t *grounded = ARENA_ARRAY(b->arena, uint64_t, b->words);
    if (starter != SCHED_NONE && b->count[starter] > 0) {
        bits_set(grounded, starter);
    }
    ground(b, comp, /* in_unit= */ true, grounded);
    for (uint32_t k = 0; k < comp->n_classes; k++) {
        const uint32_t i = comp->classes[k];
        if (b->count[i] > 0 && !bits_get(grounded, i)) {
            b->left[i] += b->count[i];
            b->count[i] = 0;
        }
    }
    arena_rewind(b->arena, mark);
}

static bool has_carriers(const struct bundler *b, const struct component *comp)
{
    for (uint32_t k = 0; k < comp->n_classes; k++) {
        if (b->count[comp->classes[k]] > 0 && bits_get(b->carriers, comp->classes[k])) {
            return true;
        }
    }
    return false;
}

/* One pod that follows nobody, for each tie that has none yet. */
static void put_leaders(const struct bundler *b, const struct component *comp)
{
    for (uint32_t t = 0; t < comp->n_ties; t++) {
        const struct sched_tie *tie = &b->ties[comp->ties[t]];
        for (uint32_t k = 0; k < comp->n_classes && !tie_led(b, comp, tie); k++) {
            const uint32_t i = comp->classes[k];
            if (bits_get(tie->targets, i) && !bits_get(b->carriers, i)) {
                put_in(b, comp, i, 1);
            }
        }
    }
}

/* ---- all units of a component ---- */

/* How many units the scarcest target allows: units are led by classes that follow nobody, or that
 * such classes lead. */
static uint32_t units_of(const struct bundler *b, const struct component *comp)
{
    uint64_t *grounded = ARENA_ARRAY(b->arena, uint64_t, b->words);
    ground(b, comp, /* in_unit= */ false, grounded);
    uint64_t units = 0;
    for (uint32_t k = 0; k < comp->n_classes; k++) {
        const uint32_t i = comp->classes[k];
        units += bits_get(b->carriers, i) && bits_get(grounded, i) ? b->left[i] : 0;
    }
    for (uint32_t t = 0; t < comp->n_ties; t++) {
        const struct sched_tie *tie = &b->ties[comp->ties[t]];
        bool carried = false;
        uint64_t supply = 0;
        for (uint32_t k = 0; k < comp->n_classes; k++) {
            const uint32_t i = comp->classes[k];
            carried =
                carried || (bits_get(tie->carriers, i) && bits_get(grounded, i) && b->left[i] > 0);
            if (bits_get(tie->targets, i) && !bits_get(tie->carriers, i) && bits_get(grounded, i)) {
                supply += b->left[i];
            }
        }
        units = carried && supply < units ? supply : units;
    }
    return units > UINT32_MAX ? UINT32_MAX : (uint32_t)units;
}

static void add_row(const struct bundler *b, const struct component *comp)
{
    struct sched_bundle_item *items =
        ARENA_ARRAY(b->arena, struct sched_bundle_item, comp->n_classes);
    const uint32_t n = items_of(b, comp, items);
    struct sched_bundle_row *last =
        b->rows->bundles.n > 0 ? &b->rows->bundles.v[b->rows->bundles.n - 1] : NULL;
    bool same = last != NULL && last->n_items == n;
    for (uint32_t k = 0; same && k < n; k++) {
        same = last->items[k].class_i == items[k].class_i && last->items[k].count == items[k].count;
    }
    if (same) {
        last->n_units++;
    } else {
        VEC_PUSH(b->arena, &b->rows->bundles,
                 (struct sched_bundle_row){.n_units = 1, .n_items = n, .items = items});
    }
}

static void clear_unit(const struct bundler *b, const struct component *comp, bool give_back)
{
    for (uint32_t k = 0; k < comp->n_classes; k++) {
        const uint32_t i = comp->classes[k];
        b->left[i] += give_back ? b->count[i] : 0;
        b->count[i] = 0;
    }
}

/* The share of unit u of n when `demand` pods are dealt out from position `from` on. */
static uint32_t share(uint32_t demand, uint32_t n, uint32_t u, uint32_t from)
{
    const uint32_t extra = demand % n;
    const uint32_t place = (u + n - from % n) % n;
    return demand / n + (place < extra ? 1 : 0);
}

/* Puts a share of every follower into unit u; the last unit takes what the others could not.
 * `demand` is in the order of comp->order. */
static void put_followers(const struct bundler *b, const struct component *comp,
                          const uint32_t *demand, uint32_t n_units, uint32_t u)
{
    uint32_t from = 0;
    for (uint32_t k = 0; k < comp->n_classes; k++) {
        const uint32_t i = comp->order[k];
        if (!bits_get(b->carriers, i)) {
            continue;
        }
        put_in(b, comp, i, share(demand[k], n_units, u, from));
        from = (from + demand[k] % n_units) % n_units;
        if (u + 1 == n_units) {
            put_in(b, comp, i, b->left[i]);
        }
    }
}

/* May the class start on its own: it attracts itself, no target runs, and none is among what has
 * started before? */
static bool can_start(const struct bundler *b, const struct component *comp, uint32_t class_i,
                      const uint64_t *started)
{
    for (uint32_t t = 0; t < comp->n_ties; t++) {
        const struct sched_tie *tie = &b->ties[comp->ties[t]];
        if (bits_get(tie->carriers, class_i) &&
            (tie->running || !bits_get(tie->targets, class_i) ||
             bits_intersects(tie->targets, started, b->words))) {
            return false;
        }
    }
    return bits_get(b->carriers, class_i) && b->left[class_i] > 0;
}

/* The unit that the starter makes with all carriers it can lead. Returns its number of pods. */
static uint32_t fill_started(const struct bundler *b, const struct component *comp,
                             uint32_t starter)
{
    uint32_t n_pods = 0;
    put_in(b, comp, starter, b->left[starter]);
    for (uint32_t k = 0; k < comp->n_classes && b->count[starter] > 0; k++) {
        const uint32_t i = comp->order[k];
        if (i != starter && bits_get(b->carriers, i)) {
            put_in(b, comp, i, b->left[i]);
        }
    }
    drop_orphans(b, comp, starter);
    for (uint32_t k = 0; k < comp->n_classes; k++) {
        n_pods += b->count[comp->classes[k]];
    }
    return n_pods;
}

/* Carriers that no unit took may start on their own, before anybody else is placed: each time the
 * one that brings most. */
static void bundle_starters(const struct bundler *b, const struct component *comp)
{
    uint64_t *started = b->started;
    for (;;) {
        uint32_t best = SCHED_NONE;
        uint32_t best_pods = 0;
        uint32_t n_tried = 0;
        for (uint32_t k = 0; k < comp->n_classes && n_tried < STARTERS_MAX; k++) {
            const uint32_t i = comp->order[k];
            if (!can_start(b, comp, i, started)) {
                continue;
            }
            const uint32_t n_pods = fill_started(b, comp, i);
            clear_unit(b, comp, /* give_back= */ true);
            n_tried++;
            if (n_pods > best_pods) {
                best = i;
                best_pods = n_pods;
            }
        }
        if (best == SCHED_NONE) {
            return;
        }
        (void)fill_started(b, comp, best);
        for (uint32_t k = 0; k < comp->n_classes; k++) {
            if (b->count[comp->classes[k]] > 0) {
                bits_set(started, comp->classes[k]);
            }
        }
        add_row(b, comp);
        clear_unit(b, comp, /* give_back= */ false);
    }
}

/* ---- is there a choice? ---- */

static bool is_within(const struct bundler *b, const uint64_t *set, const uint64_t *of)
{
    for (size_t w = 0; w < b->words; w++) {
        if ((set[w] & ~of[w]) != 0) {
            return false;
        }
    }
    return true;
}

/* Is it a single pod that the tie leads to? */
static bool is_one_pod(const struct bundler *b, const uint64_t *set)
{
    uint32_t n = 0;
    for (size_t i = bits_next(set, b->classes->n, 0); i < b->classes->n;
         i = bits_next(set, b->classes->n, i + 1)) {
        n += b->classes->v[i].n_pods;
    }
    return n == 1;
}

/* Adds to `together`, classes whose pods share one node in every plan, those that must be there as
 * well: who follows them and nobody else, and the only pod that one of them follows. */
static void grow_together(const struct bundler *b, const struct component *comp, uint64_t *together)
{
    for (bool more = true; more;) {
        more = false;
        for (uint32_t t = 0; t < comp->n_ties; t++) {
            const struct sched_tie *tie = &b->ties[comp->ties[t]];
            const bool leads = !tie->running && is_within(b, tie->targets, together) &&
                               !is_within(b, tie->carriers, together);
            const bool follows = !tie->running && is_one_pod(b, tie->targets) &&
                                 bits_intersects(tie->carriers, together, b->words) &&
                                 !is_within(b, tie->targets, together);
            if (leads) {
                bits_or(together, tie->carriers, b->words);
            }
            if (follows) {
                bits_or(together, tie->targets, b->words);
            }
            more = more || leads || follows;
        }
    }
}

/* Do all pods of the component share one node in every plan? It starts with a single pod, or with
 * a tie whose targets all carry it: the first of them starts where none is, the others join it. */
static bool is_inevitable(const struct bundler *b, const struct component *comp)
{
    uint64_t *all = ARENA_ARRAY(b->arena, uint64_t, b->words);
    uint64_t *together = ARENA_ARRAY(b->arena, uint64_t, b->words);
    for (uint32_t k = 0; k < comp->n_classes; k++) {
        bits_set(all, comp->classes[k]);
    }
    for (uint32_t k = 0; k < comp->n_classes + comp->n_ties; k++) {
        memset(together, 0, b->words * sizeof *together);
        if (k < comp->n_classes) {
            if (b->classes->v[comp->classes[k]].n_pods != 1) {
                continue;
            }
            bits_set(together, comp->classes[k]);
        } else {
            const struct sched_tie *tie = &b->ties[comp->ties[k - comp->n_classes]];
            if (tie->running || !is_within(b, tie->targets, tie->carriers)) {
                continue;
            }
            bits_or(together, tie->carriers, b->words);
        }
        grow_together(b, comp, together);
        if (is_within(b, all, together)) {
            return true;
        }
    }
    return false;
}

/* Says so where one unit holds every pod of the component and no plan can have them otherwise. */
static void note_inevitable(const struct bundler *b, const struct component *comp, size_t n_before)
{
    if (b->rows->bundles.n != n_before + 1) {
        return;
    }
    struct sched_bundle_row *row = &b->rows->bundles.v[n_before];
    uint32_t n_pods = 0, n_held = 0;
    for (uint32_t k = 0; k < comp->n_classes; k++) {
        n_pods += b->classes->v[comp->classes[k]].n_pods;
    }
    for (uint32_t k = 0; k < row->n_items; k++) {
        n_held += row->items[k].count;
    }
    row->inevitable = row->n_units == 1 && n_held == n_pods && is_inevitable(b, comp);
}

static void bundle_component(const struct bundler *b, const struct component *comp)
{
    const size_t n_before = b->rows->bundles.n;
    const uint32_t n_units = units_of(b, comp);
    uint32_t *demand = ARENA_ARRAY(b->arena, uint32_t, comp->n_classes);
    for (uint32_t k = 0; k < comp->n_classes; k++) {
        demand[k] = b->left[comp->order[k]];
    }
    for (uint32_t u = 0; u < n_units; u++) {
        put_leaders(b, comp);
        put_followers(b, comp, demand, n_units, u);
        drop_orphans(b, comp, SCHED_NONE);
        const bool useful = has_carriers(b, comp);
        if (useful) {
            add_row(b, comp);
        }
        clear_unit(b, comp, /* give_back= */ !useful);
    }
    bundle_starters(b, comp);
    note_inevitable(b, comp, n_before);
}

static void collect_spreads(struct bundler *b, const struct sched_rules *rules, strid host)
{
    b->spreads = ARENA_ARRAY(b->arena, struct host_spread, rules->n);
    for (uint32_t r = 0; r < rules->n; r++) {
        if (rules->v[r].kind == SCHED_SPREAD && rules->v[r].key == host) {
            struct host_spread *spread = &b->spreads[b->n_spreads++];
            spread->max_skew = rules->v[r].max_skew;
            sched_rule_classes(b->classes, &rules->v[r], b->arena, &spread->carriers,
                               &spread->targets);
        }
    }
}

void sched_bundles_add(const struct sched_classes *classes, const struct sched_rules *rules,
                       uint32_t n_ties, const struct sched_tie *ties, const uint64_t *placeable,
                       const uint32_t *spared, strid host, sched_fits_fn fits, void *ctx,
                       struct sched_rows *rows, uint64_t *started)
{
    struct bundler b = {.classes = classes,
                        .ties = ties,
                        .n_ties = n_ties,
                        .placeable = placeable,
                        .fits = fits,
                        .ctx = ctx,
                        .rows = rows,
                        .arena = rows->arena,
                        .words = bits_words(classes->n)};
    b.started = started;
    collect_spreads(&b, rules, host);
    b.carriers = ARENA_ARRAY(b.arena, uint64_t, b.words);
    b.left = ARENA_ARRAY(b.arena, uint32_t, classes->n);
    b.count = ARENA_ARRAY(b.arena, uint32_t, classes->n);
    for (uint32_t t = 0; t < n_ties; t++) {
        bits_or(b.carriers, ties[t].carriers, b.words);
    }
    for (uint32_t i = 0; i < classes->n; i++) {
        b.left[i] = classes->v[i].n_pods - spared[i];
    }
    const uint32_t *parent = connect(&b);
    for (uint32_t i = 0; i < classes->n; i++) {
        if (parent[i] == i) {
            struct component comp = component_of(&b, parent, i);
            if (comp.n_ties > 0) {
                order_by_depth(&b, &comp);
                bundle_component(&b, &comp);
            }
        }
    }
}
