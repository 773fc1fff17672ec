/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "binpack/scheduling/topology.h"

#include "base/arena.h"
#include "base/bitset.h"
#include "binpack/scheduling/terms.h"

struct spread_ctx {
    const struct sched_snapshot *s;
    const struct sched_offers *offers;
    const struct sched_classes *classes;
    const struct sched_rules *rules;
    struct sched_rows *rows;
    size_t words; /* of a class set */
};

/* ---- over hosts ---- */

/* Pods of a running node that the rule counts, if the node passes its filter. */
static uint32_t counted_at(const struct spread_ctx *c, const struct sched_rule *rule,
                           uint32_t node_i)
{
    if (rule->targets_at == NULL || rule->targets_at[node_i] == 0) {
        return 0;
    }
    const struct sched_need *filter = &c->classes->needs->v[rule->filter_need];
    return sched_node_admits(c->s, &c->s->nodes[node_i], filter, rule->affinity_honor,
                             rule->taints_honor)
               ? rule->targets_at[node_i]
               : 0;
}

static void add_host_cap(const struct spread_ctx *c, const struct sched_rule *rule,
                         const uint64_t *members, const uint32_t *counted)
{
    uint32_t *max_at = NULL;
    for (uint32_t n = 0; counted != NULL && n < c->s->n_nodes; n++) {
        if (max_at == NULL) {
            max_at = ARENA_ARRAY(c->rows->arena, uint32_t, c->s->n_nodes);
        }
        max_at[n] = counted[n] < rule->max_skew ? rule->max_skew - counted[n] : 0;
    }
    VEC_PUSH(c->rows->arena, &c->rows->caps,
             (struct sched_cap_row){
                 .max = rule->max_skew, .necessary = true, .members = members, .max_at = max_at});
}

/* Carriers that are not counted themselves may join a host that holds no more than maxSkew. */
static void forbid_full_hosts(const struct spread_ctx *c, const struct sched_rule *rule,
                              const uint64_t *carriers, const uint64_t *targets,
                              const uint32_t *counted)
{
    struct arena *arena = c->rows->arena;
    uint64_t *outside = ARENA_ARRAY(arena, uint64_t, c->words);
    for (size_t w = 0; w < c->words; w++) {
        outside[w] = carriers[w] & ~targets[w];
    }
    if (counted == NULL || !bits_any(outside, c->words)) {
        return;
    }
    uint64_t *full = ARENA_ARRAY(arena, uint64_t, bits_words(c->s->n_nodes));
    for (uint32_t n = 0; n < c->s->n_nodes; n++) {
        if (counted[n] > rule->max_skew) {
            bits_set(full, n);
        }
    }
    if (bits_any(full, bits_words(c->s->n_nodes))) {
        VEC_PUSH(arena, &c->rows->node_masks,
                 (struct sched_node_mask_row){.classes = outside, .forbidden_nodes = full});
    }
}

/* A rule over hosts with its class sets. */
struct host_rule {
    const struct sched_rule *rule;
    uint64_t *carriers, *targets;
};

static void add_host_rule(const struct spread_ctx *c, const struct host_rule *host)
{
    struct arena *arena = c->rows->arena;
    const struct sched_rule *rule = host->rule;
    uint32_t *counted =
        rule->targets_at == NULL ? NULL : ARENA_ARRAY(arena, uint32_t, c->s->n_nodes);
    for (uint32_t n = 0; counted != NULL && n < c->s->n_nodes; n++) {
        counted[n] = counted_at(c, rule, n);
    }
    uint64_t *members = ARENA_ARRAY(arena, uint64_t, c->words);
    for (size_t w = 0; w < c->words; w++) {
        members[w] = host->carriers[w] & host->targets[w];
    }
    if (bits_any(members, c->words)) {
        add_host_cap(c, rule, members, counted);
    }
    /* Pods that are counted but do not carry the rule could share a host if they came after the
     * carriers. Nobody can promise that order, so they do not share one. */
    uint64_t *others = ARENA_ARRAY(arena, uint64_t, c->words);
    for (size_t w = 0; w < c->words; w++) {
        others[w] = host->targets[w] & ~host->carriers[w];
    }
    if (bits_any(others, c->words) && bits_any(host->carriers, c->words)) {
        VEC_PUSH(arena, &c->rows->exclusions,
                 (struct sched_exclusion_row){.a = host->carriers, .b = others});
    }
    forbid_full_hosts(c, rule, host->carriers, host->targets, counted);
}

/* ---- over another key ---- */

/* The values of a topology key, with what is known of each. */
struct value_list {
    VEC(struct sched_group_value) v;
};

static struct sched_group_value *value_of(struct arena *arena, struct value_list *list, strid value)
{
    for (size_t i = 0; i < list->v.n; i++) {
        if (list->v.v[i].value == value) {
            return &list->v.v[i];
        }
    }
    VEC_PUSH(arena, &list->v, (struct sched_group_value){.value = value});
    return &list->v.v[list->v.n - 1];
}

static void add_group(const struct spread_ctx *c, const struct sched_rule *rule,
                      const uint64_t *carriers, const uint64_t *targets)
{
    struct arena *arena = c->rows->arena;
    const struct sched_need *filter = &c->classes->needs->v[rule->filter_need];
    struct value_list list = {0};
    struct sched_values open;
    sched_offers_values(c->offers, filter, rule->key, rule->affinity_honor, rule->taints_honor,
                        arena, &open);
    for (uint32_t i = 0; i < open.n; i++) {
        value_of(arena, &list, open.v[i])->eligible = true;
    }
    for (uint32_t n = 0; n < c->s->n_nodes; n++) {
        const struct sched_node *node = &c->s->nodes[n];
        const strid value = sched_label(c->s->vocab, &node->labels, rule->key);
        if (value != STRID_NONE &&
            sched_node_admits(c->s, node, filter, rule->affinity_honor, rule->taints_honor)) {
            struct sched_group_value *of = value_of(arena, &list, value);
            of->eligible = true;
            of->base += rule->targets_at == NULL ? 0 : rule->targets_at[n];
        }
    }
    strid *allowed = ARENA_ARRAY(arena, strid, list.v.n);
    for (size_t i = 0; i < list.v.n; i++) {
        allowed[i] = list.v.v[i].value;
    }
    VEC_PUSH(arena, &c->rows->value_masks,
             (struct sched_value_mask_row){.classes = carriers,
                                           .key = rule->key,
                                           .allow = true,
                                           .n_values = (uint32_t)list.v.n,
                                           .values = allowed});
    VEC_PUSH(arena, &c->rows->groups,
             (struct sched_group_row){.kind = BP_GROUP_SPREAD,
                                      .key = rule->key,
                                      .max_skew = rule->max_skew,
                                      .min_domains = rule->min_domains,
                                      .carriers = carriers,
                                      .targets = targets,
                                      .n_values = (uint32_t)list.v.n,
                                      .values = list.v.v,
                                      .family = sched_rule_family(c->s->vocab, rule)});
}

void sched_topology_rows(const struct sched_snapshot *snapshot, const struct sched_offers *offers,
                         const struct sched_classes *classes, const struct sched_rules *rules,
                         struct sched_rows *rows)
{
    const struct spread_ctx c = {.s = snapshot,
                                 .offers = offers,
                                 .classes = classes,
                                 .rules = rules,
                                 .rows = rows,
                                 .words = bits_words(classes->n)};
    for (uint32_t r = 0; r < rules->n; r++) {
        const struct sched_rule *rule = &rules->v[r];
        if (rule->kind != SCHED_SPREAD || rule->filter_need == SCHED_NONE) {
            continue;
        }
        uint64_t *carriers;
        uint64_t *targets;
        sched_rule_classes(classes, rule, rows->arena, &carriers, &targets);
        if (rule->key == snapshot->words->hostname) {
            add_host_rule(
                &c, &(struct host_rule){.rule = rule, .carriers = carriers, .targets = targets});
        } else {
            add_group(&c, rule, carriers, targets);
        }
    }
}
