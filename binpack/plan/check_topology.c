/* SPDX-License-Identifier: GPL-3.0-or-later */
/* kube-scheduler's filters between pods, replayed one placement at a time:
 * https://kubernetes.io/docs/concepts/scheduling-eviction/topology-spread-constraints/
 * https://kubernetes.io/docs/concepts/scheduling-eviction/assign-pod-node/#inter-pod-affinity-and-anti-affinity
 *
 * Rules of the same text count the same pods, so they are kept once. Each rule keeps a count per
 * domain of its topology key. */
#include "binpack/plan/check_topology.h"

#include <assert.h>
#include <string.h>

#include "base/arena.h"

/* ---- what a rule counts ---- */

bool check_selector(const struct check_world *world, const struct k8s_selector *selector,
                    const struct k8s_pairs *labels)
{
    if (!selector->present) {
        return false;
    }
    for (uint32_t i = 0; i < selector->match_labels.n; i++) {
        if (k8s_pairs_get(labels, selector->match_labels.v[i].key) !=
            selector->match_labels.v[i].value) {
            return false;
        }
    }
    for (uint32_t i = 0; i < selector->n_expressions; i++) {
        const struct k8s_requirement *e = &selector->expressions[i];
        if (!check_match_expression(world, e, k8s_pairs_get(labels, e->key))) {
            return false;
        }
    }
    return true;
}

static bool keys_agree(const struct k8s_strids *keys, const struct k8s_pairs *owner,
                       const struct k8s_pairs *other, bool want)
{
    for (uint32_t i = 0; i < keys->n; i++) {
        strid mine = k8s_pairs_get(owner, keys->v[i]);
        if (mine != STRID_NONE && (k8s_pairs_get(other, keys->v[i]) == mine) != want) {
            return false;
        }
    }
    return true;
}

static bool namespace_ok(const struct check_world *world, const struct k8s_pod_term *term,
                         strid owner, strid ns)
{
    if (!term->ns_selector.present && term->namespaces.n == 0) {
        return ns == owner;
    }
    for (uint32_t i = 0; i < term->namespaces.n; i++) {
        if (term->namespaces.v[i] == ns) {
            return true;
        }
    }
    if (!term->ns_selector.present) {
        return false;
    }
    struct k8s_pairs labels = {0};
    struct k8s_pair own = {.key = strtab_find(world->tab, STR("kubernetes.io/metadata.name")),
                           .value = ns};
    for (uint32_t i = 0; i < world->cluster->n_namespaces; i++) {
        if (str_eq(world->cluster->namespaces[i].meta.name, strtab_str(world->tab, ns))) {
            labels = world->cluster->namespaces[i].meta.labels;
        }
    }
    if (own.key != STRID_NONE && k8s_pairs_get(&labels, own.key) == STRID_NONE) {
        struct k8s_pair *all = ARENA_ARRAY(world->arena, struct k8s_pair, labels.n + 1);
        uint32_t n = 0, i = 0;
        for (; i < labels.n && labels.v[i].key < own.key; i++) {
            all[n++] = labels.v[i];
        }
        all[n++] = own;
        for (; i < labels.n; i++) {
            all[n++] = labels.v[i];
        }
        labels = (struct k8s_pairs){.n = n, .v = all};
    }
    return check_selector(world, &term->ns_selector, &labels);
}

static bool term_counts(const struct check_world *world, const struct k8s_pod_term *term,
                        const struct check_kind *owner, const struct check_kind *other)
{
    return namespace_ok(world, term, owner->ns, other->ns) &&
           check_selector(world, &term->selector, &other->shape->labels) &&
           keys_agree(&term->match_label_keys, &owner->shape->labels, &other->shape->labels,
                      /* want= */ true) &&
           keys_agree(&term->mismatch_label_keys, &owner->shape->labels, &other->shape->labels,
                      /* want= */ false);
}

static bool rule_counts(const struct check_world *world, const struct rule *rule,
                        const struct check_kind *other)
{
    const struct check_kind *owner = &world->kinds[rule->owner];
    if (rule->type == RULE_SPREAD) {
        return other->ns == owner->ns &&
               check_selector(world, &rule->spread->selector, &other->shape->labels) &&
               keys_agree(&rule->spread->match_label_keys, &owner->shape->labels,
                          &other->shape->labels, /* want= */ true);
    }
    for (uint32_t i = 0; i < rule->n_terms; i++) {
        if (!term_counts(world, &rule->terms[i], owner, other)) {
            return false;
        }
    }
    return true;
}

/* ---- the same rule twice ---- */

static bool same_strids(const struct k8s_strids *a, const struct k8s_strids *b)
{
    return a->n == b->n && (a->n == 0 || memcmp(a->v, b->v, a->n * sizeof *a->v) == 0);
}

static bool same_selector(const struct k8s_selector *a, const struct k8s_selector *b)
{
    if (a->present != b->present || a->match_labels.n != b->match_labels.n ||
        a->n_expressions != b->n_expressions) {
        return false;
    }
    for (uint32_t i = 0; i < a->match_labels.n; i++) {
        if (a->match_labels.v[i].key != b->match_labels.v[i].key ||
            a->match_labels.v[i].value != b->match_labels.v[i].value) {
            return false;
        }
    }
    for (uint32_t i = 0; i < a->n_expressions; i++) {
        const struct k8s_requirement *x = &a->expressions[i], *y = &b->expressions[i];
        if (x->key != y->key || x->op != y->op || !same_strids(&x->values, &y->values)) {
            return false;
        }
    }
    return true;
}

static bool same_term(const struct k8s_pod_term *a, const struct k8s_pod_term *b)
{
    return a->key == b->key && same_selector(&a->selector, &b->selector) &&
           same_selector(&a->ns_selector, &b->ns_selector) &&
           same_strids(&a->namespaces, &b->namespaces) &&
           a->match_label_keys.n + a->mismatch_label_keys.n == 0 &&
           b->match_label_keys.n + b->mismatch_label_keys.n == 0;
}

/* Whether nodes count alike for two owners of a spread: true only in the plain cases. */
static bool same_view(const struct k8s_pod_shape *a, const struct k8s_pod_shape *b,
                      const struct k8s_spread *spread)
{
    bool plain = a->node_selector.n + b->node_selector.n == 0 && !a->has_required_node_terms &&
                 !b->has_required_node_terms;
    return a == b || ((plain || !spread->affinity_honor) && !spread->taints_honor);
}

static bool same_rule(const struct check_world *world, const struct rule *a, const struct rule *b)
{
    const struct check_kind *x = &world->kinds[a->owner], *y = &world->kinds[b->owner];
    if (a->type != b->type || a->key_i != b->key_i || a->n_terms != b->n_terms || x->ns != y->ns) {
        return false;
    }
    if (a->type == RULE_SPREAD) {
        const struct k8s_spread *s = a->spread, *t = b->spread;
        assert(s != NULL && t != NULL);
        return s->max_skew == t->max_skew && s->min_domains.has == t->min_domains.has &&
               s->min_domains.v == t->min_domains.v && s->affinity_honor == t->affinity_honor &&
               s->taints_honor == t->taints_honor && same_selector(&s->selector, &t->selector) &&
               s->match_label_keys.n + t->match_label_keys.n == 0 &&
               same_view(x->shape, y->shape, s);
    }
    for (uint32_t i = 0; i < a->n_terms; i++) {
        if (!same_term(&a->terms[i], &b->terms[i])) {
            return false;
        }
    }
    return true;
}

/* ---- set-up ---- */

static uint32_t key_index(struct replay *r, strid name)
{
    for (uint32_t i = 0; i < r->keys.n; i++) {
        if (r->keys.v[i].name == name) {
            return i;
        }
    }
    struct check_world *world = r->world;
    struct key key = {.name = name};
    key.domain = ARENA_ARRAY(world->arena, uint32_t, world->n_nodes);
    key.value = ARENA_ARRAY(world->arena, strid, world->n_nodes);
    bool host = name == world->words->hostname;
    for (uint32_t i = 0; i < world->n_nodes; i++) {
        strid value = host ? STRID_NONE : k8s_pairs_get(&world->nodes[i].labels, name);
        uint32_t d = host || value == STRID_NONE ? key.n_domains : 0;
        while (d < key.n_domains && key.value[d] != value) {
            d++;
        }
        key.domain[i] = !host && value == STRID_NONE ? UINT32_MAX : d;
        if (key.domain[i] == key.n_domains) {
            key.value[key.n_domains++] = value;
        }
    }
    VEC_PUSH(world->arena, &r->keys, key);
    return (uint32_t)r->keys.n - 1;
}

struct openable {
    const struct key *key;
    struct rule *rule;
    VEC(strid) fresh;
    struct arena *arena;
};

static void add_openable(void *ctx, strid value)
{
    struct openable *o = ctx;
    for (uint32_t d = 0; d < o->key->n_domains; d++) {
        if (o->key->value[d] == value) {
            o->rule->n_eligible += !o->rule->eligible[d];
            o->rule->eligible[d] = true;
            return;
        }
    }
    for (size_t i = 0; i < o->fresh.n; i++) {
        if (o->fresh.v[i] == value) {
            return;
        }
    }
    VEC_PUSH(o->arena, &o->fresh, value);
    o->rule->n_eligible++;
    o->rule->has_empty = true;
}

/* Do the pods of the node count? */
static bool node_counts(const struct replay *r, const struct rule *rule, uint32_t node_i)
{
    const struct check_world *world = r->world;
    const struct check_node *node = &world->nodes[node_i];
    const struct k8s_pod_shape *shape = world->kinds[rule->owner].shape;
    return r->keys.v[rule->key_i].domain[node_i] != UINT32_MAX &&
           (!rule->spread->affinity_honor ||
            check_match_pairs(world, shape, &node->labels, node->name)) &&
           (!rule->spread->taints_honor ||
            check_untolerated(shape->tolerations, shape->n_tolerations, node->taints,
                              node->n_taints) == NULL);
}

static void prepare_spread(struct replay *r, struct rule *rule)
{
    struct check_world *world = r->world;
    const struct key *key = &r->keys.v[rule->key_i];
    const struct k8s_pod_shape *shape = world->kinds[rule->owner].shape;
    rule->node_ok = ARENA_ARRAY(world->arena, bool, world->n_nodes);
    rule->eligible = ARENA_ARRAY(world->arena, bool, key->n_domains);
    rule->stays = ARENA_ARRAY(world->arena, bool, key->n_domains);
    for (uint32_t i = 0; i < world->n_nodes; i++) {
        const bool ok = !world->nodes[i].deleting && node_counts(r, rule, i);
        rule->node_ok[i] = ok;
        if (ok && !rule->eligible[key->domain[i]]) {
            rule->eligible[key->domain[i]] = true;
            rule->n_eligible++;
        }
    }
    if (key->name != world->words->hostname) {
        struct openable o = {.key = key, .rule = rule, .arena = world->arena};
        check_openable(world, shape, rule->spread, key->name, add_openable, &o);
    }
    memcpy(rule->stays, rule->eligible, key->n_domains * sizeof *rule->stays);
    rule->n_stays = rule->n_eligible;
}

static uint32_t rule_index(struct replay *r, struct rule rule)
{
    for (uint32_t i = 0; i < r->rules.n; i++) {
        if (same_rule(r->world, &r->rules.v[i], &rule)) {
            return i;
        }
    }
    uint32_t n_domains = r->keys.v[rule.key_i].n_domains;
    rule.count = ARENA_ARRAY(r->world->arena, uint32_t, n_domains);
    rule.carriers = ARENA_ARRAY(r->world->arena, uint32_t, n_domains);
    if (rule.type == RULE_SPREAD) {
        prepare_spread(r, &rule);
    }
    VEC_PUSH(r->world->arena, &r->rules, rule);
    return (uint32_t)r->rules.n - 1;
}

static void collect_rules(struct replay *r)
{
    struct check_world *world = r->world;
    r->links = ARENA_ARRAY(world->arena, struct links, world->n_kinds);
    for (uint32_t k = 0; k < world->n_kinds; k++) {
        const struct k8s_pod_shape *shape = world->kinds[k].shape;
        struct links *links = &r->links[k];
        links->carried = ARENA_ARRAY(world->arena, uint32_t,
                                     shape->n_spread + shape->n_affinity + shape->n_anti_affinity);
        for (uint32_t i = 0; i < shape->n_spread; i++) {
            if (!shape->spread[i].schedule_anyway) {
                links->carried[links->n_carried++] =
                    rule_index(r, (struct rule){.type = RULE_SPREAD,
                                                .key_i = key_index(r, shape->spread[i].key),
                                                .owner = k,
                                                .spread = &shape->spread[i]});
            }
        }
        for (uint32_t i = 0; i < shape->n_affinity; i++) {
            /* The terms in turn, each first once: the key of the rule is that of its first term,
             * the pods counted match all. */
            struct k8s_pod_term *terms =
                ARENA_ARRAY(world->arena, struct k8s_pod_term, shape->n_affinity);
            for (uint32_t j = 0; j < shape->n_affinity; j++) {
                terms[j] = shape->affinity[(i + j) % shape->n_affinity];
            }
            links->carried[links->n_carried++] =
                rule_index(r, (struct rule){.type = RULE_AFFINITY,
                                            .key_i = key_index(r, terms[0].key),
                                            .owner = k,
                                            .terms = terms,
                                            .n_terms = shape->n_affinity});
        }
        for (uint32_t i = 0; i < shape->n_anti_affinity; i++) {
            links->carried[links->n_carried++] =
                rule_index(r, (struct rule){.type = RULE_ANTI,
                                            .key_i = key_index(r, shape->anti_affinity[i].key),
                                            .owner = k,
                                            .terms = &shape->anti_affinity[i],
                                            .n_terms = 1});
        }
    }
}

static bool same_pairs(const struct k8s_pairs *a, const struct k8s_pairs *b)
{
    return a->n == b->n && (a->n == 0 || memcmp(a->v, b->v, a->n * sizeof *a->v) == 0);
}

static void collect_counted(struct replay *r)
{
    struct check_world *world = r->world;
    uint32_t n_rules = (uint32_t)r->rules.n;
    /* Kinds with the same namespace and labels are counted by the same rules; remember the last
     * few. */
    enum { RECENT = 64 };
    uint32_t recent[RECENT], n_recent = 0;
    uint32_t *hits = ARENA_ARRAY(world->arena, uint32_t, n_rules);
    for (uint32_t k = 0; k < world->n_kinds && n_rules > 0; k++) {
        struct links *links = &r->links[k];
        uint32_t same = UINT32_MAX;
        for (uint32_t i = 0; i < n_recent && i < RECENT && same == UINT32_MAX; i++) {
            const struct check_kind *other = &world->kinds[recent[i]];
            if (other->ns == world->kinds[k].ns &&
                same_pairs(&other->shape->labels, &world->kinds[k].shape->labels)) {
                same = recent[i];
            }
        }
        if (same != UINT32_MAX) {
            links->n_counted = r->links[same].n_counted;
            links->counted = r->links[same].counted;
            links->counted_by_spread = r->links[same].counted_by_spread;
        } else {
            for (uint32_t i = 0; i < n_rules; i++) {
                if (rule_counts(world, &r->rules.v[i], &world->kinds[k])) {
                    hits[links->n_counted++] = i;
                    links->counted_by_spread =
                        links->counted_by_spread || r->rules.v[i].type == RULE_SPREAD;
                }
            }
            links->counted = ARENA_ARRAY(world->arena, uint32_t, links->n_counted);
            memcpy(links->counted, hits, links->n_counted * sizeof *hits);
            recent[n_recent++ % RECENT] = k;
        }
        links->self = ARENA_ARRAY(world->arena, bool, links->n_carried);
        for (uint32_t c = 0; c < links->n_carried; c++) {
            for (uint32_t i = 0; i < links->n_counted; i++) {
                links->self[c] = links->self[c] || links->counted[i] == links->carried[c];
            }
        }
    }
}

/* ---- one placement ---- */

static void change(struct replay *r, uint32_t kind, uint32_t node, bool terminating, bool back)
{
    const struct links *links = &r->links[kind];
    const uint32_t by = back ? UINT32_MAX : 1; /* wraps to one less */
    for (uint32_t i = 0; i < links->n_counted; i++) {
        struct rule *rule = &r->rules.v[links->counted[i]];
        uint32_t d = r->keys.v[rule->key_i].domain[node];
        bool counts = rule->type != RULE_SPREAD || (!terminating && rule->node_ok[node]);
        if (d != UINT32_MAX && counts) {
            rule->count[d] += by;
            rule->total = back ? rule->total - 1 : rule->total + 1;
        }
    }
    for (uint32_t i = 0; i < links->n_carried; i++) {
        struct rule *rule = &r->rules.v[links->carried[i]];
        uint32_t d = r->keys.v[rule->key_i].domain[node];
        if (rule->type == RULE_ANTI && d != UINT32_MAX) {
            rule->carriers[d] += by;
        }
    }
}

void replay_place(struct replay *r, uint32_t kind, uint32_t node)
{
    change(r, kind, node, /* terminating= */ false, /* back= */ false);
}

void replay_take_back(struct replay *r, uint32_t kind, uint32_t node)
{
    change(r, kind, node, /* terminating= */ false, /* back= */ true);
}

void replay_put(struct replay *r, uint32_t kind, uint32_t node, bool terminating)
{
    change(r, kind, node, terminating, /* back= */ false);
}

void replay_take(struct replay *r, uint32_t kind, uint32_t node, bool terminating)
{
    change(r, kind, node, terminating, /* back= */ true);
}

void replay_open(struct replay *r, const bool *leaving)
{
    for (size_t i = 0; i < r->rules.n; i++) {
        struct rule *rule = &r->rules.v[i];
        const struct key *key = &r->keys.v[rule->key_i];
        if (rule->type != RULE_SPREAD) {
            continue;
        }
        memcpy(rule->eligible, rule->stays, key->n_domains * sizeof *rule->eligible);
        rule->n_eligible = rule->n_stays;
        for (uint32_t n = 0; n < r->world->n_nodes; n++) {
            if (leaving[n] && node_counts(r, rule, n)) {
                rule->node_ok[n] = true;
                rule->n_eligible += !rule->eligible[key->domain[n]];
                rule->eligible[key->domain[n]] = true;
            }
        }
    }
}

void replay_close(struct replay *r, uint32_t node, const bool *leaving)
{
    for (size_t i = 0; i < r->rules.n; i++) {
        struct rule *rule = &r->rules.v[i];
        if (rule->type != RULE_SPREAD || !rule->node_ok[node]) {
            continue;
        }
        const struct key *key = &r->keys.v[rule->key_i];
        const uint32_t d = key->domain[node];
        bool stays = rule->stays[d];
        rule->node_ok[node] = false;
        for (uint32_t n = 0; n < r->world->n_nodes && !stays; n++) {
            stays = leaving[n] && rule->node_ok[n] && key->domain[n] == d;
        }
        rule->n_eligible -= !stays;
        rule->eligible[d] = stays;
    }
}

static bool spread_allows(const struct replay *r, const struct rule *rule, uint32_t d, bool self)
{
    const struct key *key = &r->keys.v[rule->key_i];
    uint64_t least = UINT64_MAX;
    bool host = key->name == r->world->words->hostname;
    if (host || rule->has_empty ||
        (rule->spread->min_domains.has &&
         rule->n_eligible < (uint32_t)rule->spread->min_domains.v)) {
        least = 0; /* a host that holds none can always be made */
    }
    for (uint32_t i = 0; i < key->n_domains && least > 0; i++) {
        if (rule->eligible[i] && rule->count[i] < least) {
            least = rule->count[i];
        }
    }
    least = least == UINT64_MAX ? 0 : least;
    return rule->count[d] + (self ? 1U : 0U) <= least + (uint64_t)rule->spread->max_skew;
}

const struct rule *replay_blocked(const struct replay *r, uint32_t kind, uint32_t node)
{
    const struct links *links = &r->links[kind];
    bool self_start = true, together = true, anywhere = false;
    const struct rule *alone = NULL;
    for (uint32_t i = 0; i < links->n_carried; i++) {
        const struct rule *rule = &r->rules.v[links->carried[i]];
        uint32_t d = r->keys.v[rule->key_i].domain[node];
        if (rule->type == RULE_SPREAD &&
            (d == UINT32_MAX || !spread_allows(r, rule, d, links->self[i]))) {
            return rule;
        }
        if (rule->type == RULE_ANTI && d != UINT32_MAX && rule->count[d] > 0) {
            return rule;
        }
        if (rule->type == RULE_AFFINITY) {
            if (d == UINT32_MAX) {
                return rule;
            }
            together = together && rule->count[d] > 0;
            anywhere = anywhere || rule->total > 0;
            self_start = self_start && links->self[i];
            alone = rule;
        }
    }
    if (alone != NULL && !together && (anywhere || !self_start)) {
        return alone;
    }
    for (uint32_t i = 0; i < links->n_counted; i++) {
        const struct rule *rule = &r->rules.v[links->counted[i]];
        uint32_t d = r->keys.v[rule->key_i].domain[node];
        if (rule->type == RULE_ANTI && d != UINT32_MAX && rule->carriers[d] > 0) {
            return rule;
        }
    }
    return NULL;
}

void replay_reset(struct replay *r)
{
    const struct check_world *world = r->world;
    for (size_t i = 0; i < r->rules.n; i++) {
        struct rule *rule = &r->rules.v[i];
        uint32_t n = r->keys.v[rule->key_i].n_domains;
        memset(rule->count, 0, n * sizeof *rule->count);
        memset(rule->carriers, 0, n * sizeof *rule->carriers);
        rule->total = 0;
    }
    for (uint32_t i = 0; i < world->cluster->n_pods; i++) {
        const struct k8s_pod *pod = &world->cluster->pods[i];
        uint32_t node = world->node_of[i];
        if (node != UINT32_MAX && !world->nodes[node].deleting && pod->phase != K8S_SUCCEEDED &&
            pod->phase != K8S_FAILED) {
            change(r, world->kind_of[i], node, pod->deleted.has, /* back= */ false);
        }
    }
}

void replay_start(struct check_world *world, struct replay *ret_replay)
{
    *ret_replay = (struct replay){.world = world};
    collect_rules(ret_replay);
    collect_counted(ret_replay);
}
