/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "binpack/scheduling/affinity.h"

#include "base/arena.h"
#include "base/bitset.h"
#include "binpack/scheduling/bundles.h"
#include "binpack/scheduling/terms.h"

/* A rule with its class sets. */
struct use {
    const struct sched_rule *rule;
    uint64_t *carriers, *targets;
    uint64_t n_running; /* targets that run where the topology key has a value */
};

struct affinity_ctx {
    const struct sched_snapshot *s;
    const struct sched_offers *offers;
    const struct sched_classes *classes;
    const struct sched_rules *rules;
    struct sched_rows *rows;
    struct arena *arena;
    size_t words;      /* of a class set */
    size_t node_words; /* of a set of running nodes */
};

static bool is_host_rule(const struct affinity_ctx *c, const struct sched_rule *rule)
{
    return rule->key == c->s->words->hostname;
}

static uint64_t *set_new(const struct affinity_ctx *c)
{
    return ARENA_ARRAY(c->arena, uint64_t, c->words);
}

/* a without b */
static uint64_t *set_less(const struct affinity_ctx *c, const uint64_t *a, const uint64_t *b)
{
    uint64_t *set = set_new(c);
    for (size_t w = 0; w < c->words; w++) {
        set[w] = a[w] & ~b[w];
    }
    return set;
}

static uint64_t *set_both(const struct affinity_ctx *c, const uint64_t *a, const uint64_t *b)
{
    uint64_t *set = set_new(c);
    for (size_t w = 0; w < c->words; w++) {
        set[w] = a[w] & b[w];
    }
    return set;
}

static void forbid_nodes(const struct affinity_ctx *c, const uint64_t *classes,
                         const uint64_t *nodes)
{
    if (bits_any(classes, c->words) && bits_any(nodes, c->node_words)) {
        VEC_PUSH(c->arena, &c->rows->node_masks,
                 (struct sched_node_mask_row){.classes = classes, .forbidden_nodes = nodes});
    }
}

static void forbid_new(const struct affinity_ctx *c, const uint64_t *classes)
{
    if (bits_any(classes, c->words)) {
        VEC_PUSH(c->arena, &c->rows->no_new, (struct sched_no_new_row){.classes = classes});
    }
}

static void forbid_everywhere(const struct affinity_ctx *c, const uint64_t *classes)
{
    uint64_t *all = ARENA_ARRAY(c->arena, uint64_t, c->node_words);
    bits_fill(all, c->s->n_nodes);
    forbid_nodes(c, classes, all);
    forbid_new(c, classes);
}

/* Running nodes with at least one such pod. */
static uint64_t *nodes_with(const struct affinity_ctx *c, const uint32_t *count_at)
{
    uint64_t *nodes = ARENA_ARRAY(c->arena, uint64_t, c->node_words);
    for (uint32_t n = 0; count_at != NULL && n < c->s->n_nodes; n++) {
        if (count_at[n] > 0) {
            bits_set(nodes, n);
        }
    }
    return nodes;
}

/* ---- values of a key other than the host ---- */

typedef VEC(struct sched_group_value) value_list;

static struct sched_group_value *value_of(struct arena *arena, value_list *list, strid value)
{
    for (size_t i = 0; i < list->n; i++) {
        if (list->v[i].value == value) {
            return &list->v[i];
        }
    }
    VEC_PUSH(arena, list, (struct sched_group_value){.value = value});
    return &list->v[list->n - 1];
}

/* Every value that a node has or could have, with the running targets. */
static value_list values_of(const struct affinity_ctx *c, const struct use *use)
{
    value_list list = {0};
    struct sched_values open = {0};
    if (c->classes->needs->n > 0) {
        sched_offers_values(c->offers, &c->classes->needs->v[0], use->rule->key,
                            /* honor_affinity= */ false,
                            /* honor_taints= */ false, c->arena, &open);
    }
    for (uint32_t i = 0; i < open.n; i++) {
        (void)value_of(c->arena, &list, open.v[i]);
    }
    for (uint32_t n = 0; n < c->s->n_nodes; n++) {
        const strid value = sched_label(c->s->vocab, &c->s->nodes[n].labels, use->rule->key);
        if (value != STRID_NONE) {
            value_of(c->arena, &list, value)->base +=
                use->rule->targets_at == NULL ? 0 : use->rule->targets_at[n];
        }
    }
    return list;
}

static void mask_values(const struct affinity_ctx *c, const uint64_t *classes, strid key,
                        bool allow, const strid *values, uint32_t n)
{
    if (bits_any(classes, c->words) && (allow || n > 0)) {
        VEC_PUSH(
            c->arena, &c->rows->value_masks,
            (struct sched_value_mask_row){
                .classes = classes, .key = key, .allow = allow, .n_values = n, .values = values});
    }
}

static void add_group(const struct affinity_ctx *c, const struct use *use, enum bp_group_kind kind,
                      const value_list *list, bool self_start)
{
    VEC_PUSH(c->arena, &c->rows->groups,
             (struct sched_group_row){.kind = kind,
                                      .key = use->rule->key,
                                      .self_start = self_start,
                                      .carriers = use->carriers,
                                      .targets = use->targets,
                                      .n_values = (uint32_t)list->n,
                                      .values = list->v,
                                      .family = sched_rule_family(c->s->vocab, use->rule)});
}

/* ---- anti-affinity ---- */

static void add_apart_on_hosts(const struct affinity_ctx *c, const struct use *use)
{
    const uint64_t *self = set_both(c, use->carriers, use->targets);
    for (uint32_t i = 0; i < c->classes->n; i++) {
        if (bits_get(self, i)) {
            c->rows->max_per_node[i] = 1;
        }
    }
    /* Classes that avoid each other and themselves: one of them all per host, which the bound may
     * use. */
    if (bits_count(self, c->words) > 1) {
        VEC_PUSH(c->arena, &c->rows->caps,
                 (struct sched_cap_row){.max = 1, .necessary = true, .members = self});
    }
    const uint64_t *only_carriers = set_less(c, use->carriers, self);
    const uint64_t *only_targets = set_less(c, use->targets, self);
    if (bits_any(use->carriers, c->words) && bits_any(only_targets, c->words)) {
        VEC_PUSH(c->arena, &c->rows->exclusions,
                 (struct sched_exclusion_row){.a = use->carriers, .b = only_targets});
    }
    if (bits_any(only_carriers, c->words) && bits_any(self, c->words)) {
        VEC_PUSH(c->arena, &c->rows->exclusions,
                 (struct sched_exclusion_row){.a = only_carriers, .b = self});
    }
    forbid_nodes(c, use->carriers, nodes_with(c, use->rule->targets_at));
    forbid_nodes(c, use->targets, nodes_with(c, use->rule->carriers_at));
}

static void add_apart_on_key(const struct affinity_ctx *c, const struct use *use)
{
    value_list list = values_of(c, use);
    if (list.n == 0) {
        return; /* no node has the key, and where it is missing nothing is avoided */
    }
    strid *taken = ARENA_ARRAY(c->arena, strid, list.n);
    uint32_t n_taken = 0;
    for (size_t i = 0; i < list.n; i++) {
        if (list.v[i].base > 0) {
            taken[n_taken++] = list.v[i].value;
        }
    }
    mask_values(c, use->carriers, use->rule->key, /* allow= */ false, taken, n_taken);
    value_list avoided = {0};
    for (uint32_t n = 0; use->rule->carriers_at != NULL && n < c->s->n_nodes; n++) {
        const strid value = sched_label(c->s->vocab, &c->s->nodes[n].labels, use->rule->key);
        if (use->rule->carriers_at[n] > 0 && value != STRID_NONE) {
            (void)value_of(c->arena, &avoided, value);
        }
    }
    strid *avoided_values = ARENA_ARRAY(c->arena, strid, avoided.n);
    for (size_t i = 0; i < avoided.n; i++) {
        avoided_values[i] = avoided.v[i].value;
    }
    mask_values(c, use->targets, use->rule->key, /* allow= */ false, avoided_values,
                (uint32_t)avoided.n);
    if (bits_any(use->carriers, c->words) && bits_any(use->targets, c->words)) {
        add_group(c, use, BP_GROUP_APART, &list, /* self_start= */ false);
    }
}

/* ---- affinity ---- */

static uint64_t running_targets(const struct affinity_ctx *c, const struct sched_rule *rule)
{
    uint64_t n_running = 0;
    for (uint32_t n = 0; rule->targets_at != NULL && n < c->s->n_nodes; n++) {
        if (sched_label(c->s->vocab, &c->s->nodes[n].labels, rule->key) != STRID_NONE) {
            n_running += rule->targets_at[n];
        }
    }
    return n_running;
}

/* Can a pod of the class be placed as far as this rule goes, when the classes of `placeable` can
 * be? */
static bool rule_can_start(const struct affinity_ctx *c, const struct use *use, uint32_t class_i,
                           const uint64_t *placeable)
{
    if (!bits_get(use->carriers, class_i) || use->n_running > 0 ||
        bits_get(use->targets, class_i)) {
        return true;
    }
    return bits_intersects(use->targets, placeable, c->words);
}

/* Classes whose affinity can be met in some order: what needs nothing, then what follows it, and so
 * on. */
static uint64_t *find_placeable(const struct affinity_ctx *c, const struct use *uses, uint32_t n)
{
    uint64_t *placeable = set_new(c);
    bool grown = true;
    while (grown) {
        grown = false;
        for (uint32_t i = 0; i < c->classes->n; i++) {
            bool can = !bits_get(placeable, i);
            for (uint32_t u = 0; u < n && can; u++) {
                can = uses[u].rule->kind != SCHED_TOGETHER ||
                      rule_can_start(c, &uses[u], i, placeable);
            }
            if (can) {
                bits_set(placeable, i);
                grown = true;
            }
        }
    }
    return placeable;
}

static void add_together_on_key(const struct affinity_ctx *c, const struct use *use,
                                const uint64_t *placeable)
{
    value_list list = values_of(c, use);
    const uint64_t *others = set_both(c, set_less(c, use->targets, use->carriers), placeable);
    /* Without other pending targets carriers can only join those that run. */
    const bool only_running = use->n_running > 0 && !bits_any(others, c->words);
    strid *allowed = ARENA_ARRAY(c->arena, strid, list.n);
    uint32_t n_allowed = 0;
    for (size_t i = 0; i < list.n; i++) {
        if (!only_running || list.v[i].base > 0) {
            allowed[n_allowed++] = list.v[i].value;
        }
    }
    mask_values(c, use->carriers, use->rule->key, /* allow= */ true, allowed, n_allowed);
    const bool self = bits_intersects(use->carriers, use->targets, c->words);
    add_group(c, use, BP_GROUP_TOGETHER, &list, /* self_start= */ self && use->n_running == 0);
}

/* Affinity over hosts among pending pods, and what of it running targets can take. */
struct host_ties {
    struct sched_tie *ties;
    uint32_t n_ties;
    uint64_t *carriers;   /* of any tie */
    uint32_t *at_running; /* [n_classes] pods that running targets can take: they need no unit */
};

/* Running nodes that hold a target for every affinity over hosts that the class carries. */
static uint64_t *joinable_nodes(const struct affinity_ctx *c, const struct use *uses, uint32_t n,
                                uint32_t class_i)
{
    uint64_t *nodes = ARENA_ARRAY(c->arena, uint64_t, c->node_words);
    bits_fill(nodes, c->s->n_nodes);
    for (uint32_t u = 0; u < n; u++) {
        if (uses[u].rule->kind == SCHED_TOGETHER && is_host_rule(c, uses[u].rule) &&
            bits_get(uses[u].carriers, class_i)) {
            bits_and(nodes, nodes_with(c, uses[u].rule->targets_at), c->node_words);
        }
    }
    for (size_t r = 0; r < c->rows->node_masks.n; r++) {
        for (size_t w = 0; bits_get(c->rows->node_masks.v[r].classes, class_i) && w < c->node_words;
             w++) {
            nodes[w] &= ~c->rows->node_masks.v[r].forbidden_nodes[w];
        }
    }
    return nodes;
}

typedef VEC(struct sched_bundle_item) item_list;

/* As many of `left` pods as the node takes beside what is on the list; they join it. */
static uint32_t put_on_node(const struct affinity_ctx *c, uint32_t node_i, uint32_t class_i,
                            uint32_t left, sched_fits_fn fits, void *fits_ctx, item_list *list)
{
    uint32_t low = 0; /* fits */
    uint32_t high = left < c->rows->max_per_node[class_i] ? left : c->rows->max_per_node[class_i];
    VEC_PUSH(c->arena, list, (struct sched_bundle_item){.class_i = class_i});
    while (low < high) {
        const uint32_t middle = low + (high - low + 1) / 2;
        list->v[list->n - 1].count = middle;
        if (fits == NULL || fits(fits_ctx, node_i, (uint32_t)list->n, list->v)) {
            low = middle;
        } else {
            high = middle - 1;
        }
    }
    list->v[list->n - 1].count = low;
    list->n -= low == 0;
    return low;
}

/* What running targets can take of each carrier, when nobody else claims the room. */
static void fill_running(const struct affinity_ctx *c, const struct use *uses, uint32_t n,
                         struct host_ties *ties, sched_fits_fn fits, void *fits_ctx)
{
    item_list *on_node = ARENA_ARRAY(c->arena, item_list, c->s->n_nodes);
    for (uint32_t i = 0; i < c->classes->n; i++) {
        if (!bits_get(ties->carriers, i)) {
            continue;
        }
        const uint64_t *nodes = joinable_nodes(c, uses, n, i);
        uint32_t left = c->classes->v[i].n_pods;
        for (size_t k = bits_next(nodes, c->s->n_nodes, 0); k < c->s->n_nodes && left > 0;
             k = bits_next(nodes, c->s->n_nodes, k + 1)) {
            left -= put_on_node(c, (uint32_t)k, i, left, fits, fits_ctx, &on_node[k]);
        }
        ties->at_running[i] = c->classes->v[i].n_pods - left;
        uint64_t *one = set_new(c);
        bits_set(one, i);
        VEC_PUSH(c->arena, &c->rows->leftover,
                 (struct sched_leftover_row){.classes = one, .nodes = nodes});
    }
}

/* Units that start on their own over hosts come first of all, so groups that count them cannot
 * start elsewhere before. */
static void stay_behind(const struct affinity_ctx *c, const uint64_t *started)
{
    for (size_t g = 0; g < c->rows->groups.n; g++) {
        struct sched_group_row *row = &c->rows->groups.v[g];
        if (row->self_start && bits_intersects(row->targets, started, c->words) &&
            !bits_intersects(row->carriers, started, c->words)) {
            row->self_start = false;
        }
    }
}

/* Hosts: carriers join running targets where they can; the others travel with pending ones. */
static void add_together_on_hosts(const struct affinity_ctx *c, const struct use *uses, uint32_t n,
                                  const uint64_t *placeable, sched_fits_fn fits, void *fits_ctx)
{
    struct host_ties ties = {.ties = ARENA_ARRAY(c->arena, struct sched_tie, n),
                             .carriers = set_new(c),
                             .at_running = ARENA_ARRAY(c->arena, uint32_t, c->classes->n)};
    for (uint32_t u = 0; u < n; u++) {
        const struct use *use = &uses[u];
        if (use->rule->kind == SCHED_TOGETHER && is_host_rule(c, use->rule) &&
            bits_any(use->carriers, c->words)) {
            ties.ties[ties.n_ties++] = (struct sched_tie){
                .carriers = use->carriers, .targets = use->targets, .running = use->n_running > 0};
            bits_or(ties.carriers, use->carriers, c->words);
        }
    }
    uint64_t *led = set_both(c, placeable, placeable);
    for (uint32_t i = 0; i < c->classes->n; i++) {
        if (c->classes->needs->v[c->classes->v[i].need].loose) {
            bits_clear(led, i); /* Takes nobody along any more. */
        }
    }
    if (ties.n_ties > 0) {
        uint64_t *started = set_new(c);
        fill_running(c, uses, n, &ties, fits, fits_ctx);
        sched_bundles_add(c->classes, c->rules, ties.n_ties, ties.ties, led, ties.at_running,
                          c->s->words->hostname, fits, fits_ctx, c->rows, started);
        stay_behind(c, started);
    }
}

void sched_affinity_rows(const struct sched_snapshot *snapshot, const struct sched_offers *offers,
                         const struct sched_classes *classes, const struct sched_rules *rules,
                         sched_fits_fn fits, void *ctx, struct sched_rows *rows)
{
    const struct affinity_ctx c = {.s = snapshot,
                                   .offers = offers,
                                   .classes = classes,
                                   .rules = rules,
                                   .rows = rows,
                                   .arena = rows->arena,
                                   .words = bits_words(classes->n),
                                   .node_words = bits_words(snapshot->n_nodes)};
    struct use *uses = ARENA_ARRAY(rows->arena, struct use, rules->n);
    uint32_t n = 0;
    for (uint32_t r = 0; r < rules->n; r++) {
        if (rules->v[r].kind == SCHED_SPREAD) {
            continue;
        }
        struct use *use = &uses[n++];
        use->rule = &rules->v[r];
        sched_rule_classes(classes, use->rule, rows->arena, &use->carriers, &use->targets);
        use->n_running = running_targets(&c, use->rule);
    }
    for (uint32_t u = 0; u < n; u++) {
        if (uses[u].rule->kind == SCHED_APART) {
            if (is_host_rule(&c, uses[u].rule)) {
                add_apart_on_hosts(&c, &uses[u]);
            } else {
                add_apart_on_key(&c, &uses[u]);
            }
        }
    }
    uint64_t *placeable = find_placeable(&c, uses, n);
    uint64_t *hopeless = set_new(&c);
    bits_fill(hopeless, classes->n);
    forbid_everywhere(&c, set_less(&c, hopeless, placeable));
    for (uint32_t u = 0; u < n; u++) {
        if (uses[u].rule->kind == SCHED_TOGETHER && !is_host_rule(&c, uses[u].rule) &&
            bits_any(uses[u].carriers, c.words)) {
            add_together_on_key(&c, &uses[u], placeable);
        }
    }
    add_together_on_hosts(&c, uses, n, placeable, fits, ctx);
}
