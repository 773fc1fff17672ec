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

uint32_t sched_spread_at(const struct sched_snapshot *s, const struct sched_needs *needs,
                         const struct sched_rule *rule, uint32_t node_i)
{
    if (rule->targets_at == NULL || rule->targets_at[node_i] == 0) {
        return 0;
    }
    return sched_node_admits(s, &s->nodes[node_i], &needs->v[rule->filter_need],
                             rule->affinity_honor, rule->taints_honor)
               ? rule->targets_at[node_i]
               : 0;
}

static void add_host_cap(const struct spread_ctx *c, const struct sched_rule *rule,
                         const uint64_t *members, const uint32_t *counted, bool necessary)
{
    uint32_t *max_at = NULL;
    for (uint32_t n = 0; counted != NULL && n < c->s->n_nodes; n++) {
        if (max_at == NULL) {
            max_at = ARENA_ARRAY(c->rows->arena, uint32_t, c->s->n_nodes);
        }
        max_at[n] = counted[n] < rule->max_skew ? rule->max_skew - counted[n] : 0;
    }
    VEC_PUSH(
        c->rows->arena, &c->rows->caps,
        (struct sched_cap_row){
            .max = rule->max_skew, .necessary = necessary, .members = members, .max_at = max_at});
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

/* Classes that must come before others for the rules over hosts are looked for among at most this
 * many; beyond it every candidate is capped, which is stricter than need be. */
enum { ORDER_CLASSES_MAX = 1024 };

/* A rule over hosts with its class sets. */
struct host_rule {
    const struct sched_rule *rule;
    uint64_t *carriers, *targets;
    uint32_t *counted; /* [n_nodes] running pods that it counts; NULL: none */
    /* Counted classes that carry this rule, or one that counts at least the same pods and allows no
     * more of them: the last of them to come sees all others, so together they are at most maxSkew.
     * The other counted pods may come after them. */
    uint64_t *members;
    uint64_t *
        late; /* counted classes that cannot be left for afterwards, for the sake of another rule */
};

/* On every running node that a carrier of `a` may use. Where its filter stops the node, its
 * carriers cannot go. */
static bool counts_no_less(const struct spread_ctx *c, const struct host_rule *a,
                           const struct host_rule *b)
{
    const struct sched_need *filter = &c->classes->needs->v[a->rule->filter_need];
    for (uint32_t n = 0; b->counted != NULL && n < c->s->n_nodes; n++) {
        if (b->counted[n] > (a->counted == NULL ? 0 : a->counted[n]) &&
            sched_node_admits(c->s, &c->s->nodes[n], filter, a->rule->affinity_honor,
                              a->rule->taints_honor)) {
            return false;
        }
    }
    return true;
}

static void find_members(const struct spread_ctx *c, struct host_rule *hosts, uint32_t n_hosts)
{
    for (uint32_t h = 0; h < n_hosts; h++) {
        for (uint32_t o = 0; o < n_hosts; o++) {
            if (o != h && (hosts[o].rule->max_skew > hosts[h].rule->max_skew ||
                           !bits_subset(hosts[h].targets, hosts[o].targets, c->words) ||
                           !counts_no_less(c, &hosts[o], &hosts[h]))) {
                continue;
            }
            for (size_t w = 0; w < c->words; w++) {
                hosts[h].members[w] |= hosts[o].carriers[w] & hosts[h].targets[w];
            }
        }
    }
}

/* reach[i]: classes that are to be placed after class i. Carriers of a rule come before the pods it
 * counts that are neither members nor capped with them. */
static void close_order(const struct host_rule *hosts, uint32_t n_hosts, uint32_t n_classes,
                        uint64_t *const *reach, size_t words)
{
    for (uint32_t i = 0; i < n_classes; i++) {
        for (size_t w = 0; w < words; w++) {
            reach[i][w] = 0;
        }
        for (uint32_t h = 0; h < n_hosts; h++) {
            for (size_t w = 0; bits_get(hosts[h].carriers, i) && w < words; w++) {
                reach[i][w] |= hosts[h].targets[w] & ~hosts[h].members[w] & ~hosts[h].late[w];
            }
        }
    }
    for (uint32_t k = 0; k < n_classes; k++) {
        if (!bits_any(reach[k], words)) {
            continue;
        }
        for (uint32_t i = 0; i < n_classes; i++) {
            if (bits_get(reach[i], k)) {
                bits_or(reach[i], reach[k], words);
            }
        }
    }
}

/* Counted classes that a rule wants after its carriers and another rule before them. */
static void add_late(struct host_rule *host, uint32_t n_classes, uint64_t *const *reach,
                     size_t words)
{
    for (uint32_t i = 0; i < n_classes; i++) {
        if (bits_get(host->targets, i) && !bits_get(host->members, i) &&
            (reach == NULL || bits_intersects(reach[i], host->carriers, words))) {
            bits_set(host->late, i);
        }
    }
}

/* Fills `late` until the rules agree on an order. The loosest rule gives in first: its pods are
 * capped together, which costs least. */
static void find_late(const struct spread_ctx *c, struct host_rule *hosts, uint32_t n_hosts,
                      uint32_t n_all)
{
    struct arena *arena = c->rows->arena;
    const uint32_t n = c->classes->n;
    struct host_rule **loosest = ARENA_ARRAY(arena, struct host_rule *, n_hosts);
    for (uint32_t h = 0; h < n_hosts; h++) {
        uint32_t at = h;
        for (; at > 0 && loosest[at - 1]->rule->max_skew < hosts[h].rule->max_skew; at--) {
            loosest[at] = loosest[at - 1];
        }
        loosest[at] = &hosts[h];
    }
    uint64_t **reach = NULL;
    if (n <= ORDER_CLASSES_MAX) {
        reach = ARENA_ARRAY(arena, uint64_t *, n);
        for (uint32_t i = 0; i < n; i++) {
            reach[i] = ARENA_ARRAY(arena, uint64_t, c->words);
        }
    }
    for (uint32_t h = 0; h < n_hosts; h++) {
        if (reach != NULL) {
            close_order(hosts, n_all, n, reach, c->words);
        }
        add_late(loosest[h], n, reach, c->words);
    }
}

/* Counted pods that are no members could share a host with carriers if they came after them. Nobody
 * can promise that order, so in a plan that is to hold in any order they do not. */
static void keep_others_off(const struct spread_ctx *c, const struct host_rule *host)
{
    struct arena *arena = c->rows->arena;
    uint64_t *others = ARENA_ARRAY(arena, uint64_t, c->words);
    for (size_t w = 0; w < c->words; w++) {
        others[w] = host->targets[w] & ~host->carriers[w];
    }
    if (bits_any(others, c->words)) {
        c->rows->order_matters = true;
        if (!c->rows->in_some_order) {
            VEC_PUSH(arena, &c->rows->exclusions,
                     (struct sched_exclusion_row){.a = host->carriers, .b = others});
        }
    }
}

static void add_host_rule(const struct spread_ctx *c, const struct host_rule *host)
{
    struct arena *arena = c->rows->arena;
    if (!bits_any(host->carriers, c->words)) {
        return;
    }
    if (bits_any(host->members, c->words)) {
        add_host_cap(c, host->rule, host->members, host->counted, /* necessary= */ true);
    }
    if (bits_any(host->late, c->words) && host->rule->max_skew == 1) {
        /* Whoever comes first keeps the other off. */
        VEC_PUSH(arena, &c->rows->exclusions,
                 (struct sched_exclusion_row){.a = host->carriers, .b = host->late});
    } else if (bits_any(host->late, c->words)) {
        uint64_t *all = ARENA_ARRAY(arena, uint64_t, c->words);
        bits_or(all, host->members, c->words);
        bits_or(all, host->late, c->words);
        add_host_cap(c, host->rule, all, host->counted, /* necessary= */ false);
    }
    keep_others_off(c, host);
    forbid_full_hosts(c, host->rule, host->carriers, host->targets, host->counted);
}

static struct host_rule host_rule_of(const struct spread_ctx *c, const struct sched_rule *rule,
                                     uint64_t *carriers, uint64_t *targets)
{
    struct arena *arena = c->rows->arena;
    struct host_rule host = {.rule = rule,
                             .carriers = carriers,
                             .targets = targets,
                             .members = ARENA_ARRAY(arena, uint64_t, c->words),
                             .late = ARENA_ARRAY(arena, uint64_t, c->words)};
    if (rule->targets_at != NULL) {
        host.counted = ARENA_ARRAY(arena, uint32_t, c->s->n_nodes);
        for (uint32_t n = 0; n < c->s->n_nodes; n++) {
            host.counted[n] = sched_spread_at(c->s, c->classes->needs, rule, n);
        }
    }
    return host;
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

void sched_spread_values(const struct sched_snapshot *s, const struct sched_offers *offers,
                         const struct sched_needs *needs, const struct sched_rule *rule,
                         struct arena *arena, const struct sched_group_value **ret_values,
                         uint32_t *ret_n)
{
    const struct sched_need *filter = &needs->v[rule->filter_need];
    struct value_list list = {0};
    struct sched_values open;
    sched_offers_values(offers, filter, rule->key, rule->affinity_honor, rule->taints_honor, arena,
                        &open);
    for (uint32_t i = 0; i < open.n; i++) {
        value_of(arena, &list, open.v[i])->eligible = true;
    }
    for (uint32_t n = 0; n < s->n_nodes; n++) {
        const struct sched_node *node = &s->nodes[n];
        const strid value = sched_label(s->vocab, &node->labels, rule->key);
        if (value != STRID_NONE &&
            sched_node_admits(s, node, filter, rule->affinity_honor, rule->taints_honor)) {
            struct sched_group_value *of = value_of(arena, &list, value);
            of->eligible = true;
            of->base += rule->targets_at == NULL ? 0 : rule->targets_at[n];
        }
    }
    *ret_values = list.v.v;
    *ret_n = (uint32_t)list.v.n;
}

static void add_group(const struct spread_ctx *c, const struct sched_rule *rule,
                      const uint64_t *carriers, const uint64_t *targets)
{
    struct arena *arena = c->rows->arena;
    const struct sched_group_value *values = NULL;
    uint32_t n_values = 0;
    sched_spread_values(c->s, c->offers, c->classes->needs, rule, arena, &values, &n_values);
    strid *allowed = ARENA_ARRAY(arena, strid, n_values);
    for (uint32_t i = 0; i < n_values; i++) {
        allowed[i] = values[i].value;
    }
    VEC_PUSH(arena, &c->rows->value_masks,
             (struct sched_value_mask_row){.classes = carriers,
                                           .key = rule->key,
                                           .allow = true,
                                           .n_values = n_values,
                                           .values = allowed});
    VEC_PUSH(arena, &c->rows->groups,
             (struct sched_group_row){.kind = BP_GROUP_SPREAD,
                                      .key = rule->key,
                                      .max_skew = rule->max_skew,
                                      .min_domains = rule->min_domains,
                                      .carriers = carriers,
                                      .targets = targets,
                                      .filter = &c->classes->needs->v[rule->filter_need],
                                      .affinity_honor = rule->affinity_honor,
                                      .taints_honor = rule->taints_honor,
                                      .n_values = n_values,
                                      .values = values,
                                      .family = sched_rule_family(c->s->vocab, rule)});
}

/* Behind the rules over hosts those over other keys, for the order they ask for: their carriers,
 * too, come before what they count and what does not carry them. Returns the number of all. */
static uint32_t add_other_keys(const struct spread_ctx *c, struct host_rule *hosts,
                               uint32_t n_hosts)
{
    uint32_t n = n_hosts;
    for (uint32_t r = 0; r < c->rules->n; r++) {
        const struct sched_rule *rule = &c->rules->v[r];
        if (rule->kind != SCHED_SPREAD || rule->filter_need == SCHED_NONE ||
            rule->key == c->s->words->hostname) {
            continue;
        }
        struct host_rule *other = &hosts[n++];
        *other = (struct host_rule){.rule = rule,
                                    .late = ARENA_ARRAY(c->rows->arena, uint64_t, c->words)};
        sched_rule_classes(c->classes, rule, c->rows->arena, &other->carriers, &other->targets);
        other->members = other->carriers;
    }
    return n;
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
    struct host_rule *hosts = ARENA_ARRAY(rows->arena, struct host_rule, rules->n);
    uint32_t n_hosts = 0;
    for (uint32_t r = 0; r < rules->n; r++) {
        const struct sched_rule *rule = &rules->v[r];
        if (rule->kind != SCHED_SPREAD || rule->filter_need == SCHED_NONE) {
            continue;
        }
        uint64_t *carriers;
        uint64_t *targets;
        sched_rule_classes(classes, rule, rows->arena, &carriers, &targets);
        if (rule->key == snapshot->words->hostname) {
            hosts[n_hosts++] = host_rule_of(&c, rule, carriers, targets);
        } else {
            add_group(&c, rule, carriers, targets);
        }
    }
    find_members(&c, hosts, n_hosts);
    const uint32_t n_all = n_hosts > 0 ? add_other_keys(&c, hosts, n_hosts) : 0;
    if (n_all > 1) {
        find_late(&c, hosts, n_hosts, n_all);
    }
    for (uint32_t h = 0; h < n_hosts; h++) {
        add_host_rule(&c, &hosts[h]);
    }
}
