/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "binpack/whatif/rules.h"

#include "base/arena.h"
#include "base/vec.h"
#include "binpack/whatif/impl.h"

const struct whatif_rule_row whatif_rules[WHATIF_N_RULES] = {
    [WHATIF_ANTI_AFFINITY] = {"antiaffinity", "pod anti-affinity"},
    [WHATIF_AFFINITY] = {"affinity", "pod affinity"},
    [WHATIF_SPREAD] = {"spread", "topology spread"},
    [WHATIF_NODE_SELECTORS] = {"nodeselectors", "node selectors, affinity"},
    [WHATIF_INSTANCE_TYPES] = {"instancetypes", "instance types allowed"},
    [WHATIF_ARCH] = {"arch", "architecture allowed"},
    [WHATIF_CAPACITY_TYPE] = {"capacitytype", "capacity type allowed"},
    [WHATIF_ZONES] = {"zones", "zones allowed"},
    [WHATIF_VOLUME_ZONES] = {"volumezones", "volumes bound to a zone"},
    [WHATIF_HOST_PORTS] = {"hostports", "host ports"},
    [WHATIF_TAINTS] = {"taints", "taints of NodePools"},
    [WHATIF_MIN_VALUES] = {"minvalues", "minValues of NodePools"},
    [WHATIF_LIMITS] = {"limits", "limits of NodePools"},
    [WHATIF_DAEMONSETS] = {"daemonsets", "DaemonSets on every node"},
    [WHATIF_PREFERENCES] = {"preferences", "preferences"},
};

/* Labels that say which machine it is, and the family of rules that is about them. The operating
 * system is none: a pod does not run on another one. */
static const struct {
    const char *key;
    enum whatif_rule rule;
} label_rules[] = {
    {"kubernetes.io/arch", WHATIF_ARCH},
    {"beta.kubernetes.io/arch", WHATIF_ARCH},
    {"karpenter.sh/capacity-type", WHATIF_CAPACITY_TYPE},
    {"topology.kubernetes.io/zone", WHATIF_ZONES},
    {"failure-domain.beta.kubernetes.io/zone", WHATIF_ZONES},
    {"topology.k8s.aws/zone-id", WHATIF_ZONES},
    {"node.kubernetes.io/instance-type", WHATIF_INSTANCE_TYPES},
    {"beta.kubernetes.io/instance-type", WHATIF_INSTANCE_TYPES},
};

/* Pods that keep off nodes of NodePools need no place from us; without the rule they would. */
static bool keeps_off(const struct strtab *tab, const struct k8s_requirement *expression)
{
    return expression->op == K8S_DOES_NOT_EXIST &&
           str_eq(strtab_str(tab, expression->key), STR("karpenter.sh/nodepool"));
}

/* WHATIF_N_RULES: a rule over this label is never taken out. */
static enum whatif_rule rule_of_label(const struct strtab *tab, strid key)
{
    struct str name = strtab_str(tab, key);
    for (size_t i = 0; i < sizeof label_rules / sizeof label_rules[0]; i++) {
        if (str_eq(name, str_of(label_rules[i].key))) {
            return label_rules[i].rule;
        }
    }
    if (str_starts(name, STR("karpenter.k8s.aws/instance-"))) {
        return WHATIF_INSTANCE_TYPES;
    }
    bool os = str_eq(name, STR("kubernetes.io/os")) || str_eq(name, STR("beta.kubernetes.io/os")) ||
              str_eq(name, STR("node.kubernetes.io/windows-build"));
    return os ? WHATIF_N_RULES : WHATIF_NODE_SELECTORS;
}

static bool drops(uint32_t rules, enum whatif_rule rule)
{
    return rule < WHATIF_N_RULES && (rules & 1U << rule) != 0;
}

/* ---- pods ---- */

static void drop_selector(const struct strtab *tab, uint32_t rules, struct arena *arena,
                          struct k8s_pod_shape *shape)
{
    struct k8s_pair *pairs = ARENA_ARRAY(arena, struct k8s_pair, shape->node_selector.n + 1);
    uint32_t n = 0;
    for (uint32_t i = 0; i < shape->node_selector.n; i++) {
        if (!drops(rules, rule_of_label(tab, shape->node_selector.v[i].key))) {
            pairs[n++] = shape->node_selector.v[i];
        }
    }
    shape->node_selector = (struct k8s_pairs){.n = n, .v = pairs};
}

static struct k8s_node_term drop_expressions(const struct strtab *tab, uint32_t rules,
                                             struct arena *arena, const struct k8s_node_term *from)
{
    struct k8s_node_term term = *from;
    struct k8s_requirement *v = ARENA_ARRAY(arena, struct k8s_requirement, from->n_expressions + 1);
    term.n_expressions = 0;
    for (uint32_t e = 0; e < from->n_expressions; e++) {
        if (keeps_off(tab, &from->expressions[e]) ||
            !drops(rules, rule_of_label(tab, from->expressions[e].key))) {
            v[term.n_expressions++] = from->expressions[e];
        }
    }
    term.expressions = v;
    return term;
}

/* A term of which nothing is left would match nothing, but now allows everything: then so does the
 * whole, as one alternative is enough. */
static void drop_node_terms(const struct strtab *tab, uint32_t rules, struct arena *arena,
                            struct k8s_pod_shape *shape)
{
    struct k8s_node_term *terms = ARENA_ARRAY(arena, struct k8s_node_term, shape->n_node_terms + 1);
    bool open = false;
    for (uint32_t t = 0; t < shape->n_node_terms; t++) {
        terms[t] = drop_expressions(tab, rules, arena, &shape->node_terms[t]);
        open = open || (terms[t].n_expressions == 0 && terms[t].n_fields == 0 &&
                        shape->node_terms[t].n_expressions > 0);
    }
    shape->node_terms = terms;
    if (open) {
        shape->n_node_terms = 0;
        shape->has_required_node_terms = false;
    }
}

static void drop_preferences(struct arena *arena, struct k8s_pod_shape *shape)
{
    struct k8s_spread *spread = ARENA_ARRAY(arena, struct k8s_spread, shape->n_spread + 1);
    uint32_t n = 0;
    for (uint32_t i = 0; i < shape->n_spread; i++) {
        if (!shape->spread[i].schedule_anyway) {
            spread[n++] = shape->spread[i];
        }
    }
    shape->spread = spread;
    shape->n_spread = n;
    shape->n_preferred_node_terms = 0;
    shape->n_preferred_affinity = 0;
    shape->n_preferred_anti_affinity = 0;
}

static bool has_label_rule(const struct strtab *tab, const struct k8s_pod_shape *shape,
                           enum whatif_rule rule)
{
    for (uint32_t i = 0; i < shape->node_selector.n; i++) {
        if (rule_of_label(tab, shape->node_selector.v[i].key) == rule) {
            return true;
        }
    }
    for (uint32_t t = 0; t < shape->n_node_terms; t++) {
        for (uint32_t e = 0; e < shape->node_terms[t].n_expressions; e++) {
            if (rule_of_label(tab, shape->node_terms[t].expressions[e].key) == rule) {
                return true;
            }
        }
    }
    return false;
}

static bool has_soft_spread(const struct k8s_pod_shape *shape)
{
    for (uint32_t i = 0; i < shape->n_spread; i++) {
        if (shape->spread[i].schedule_anyway) {
            return true;
        }
    }
    return false;
}

static bool shape_has(const struct strtab *tab, const struct k8s_pod_shape *shape,
                      enum whatif_rule rule)
{
    switch (rule) {
    case WHATIF_ANTI_AFFINITY:
        return shape->n_anti_affinity + shape->n_preferred_anti_affinity > 0;
    case WHATIF_AFFINITY:
        return shape->n_affinity + shape->n_preferred_affinity > 0;
    case WHATIF_SPREAD:
        return shape->n_spread > 0;
    case WHATIF_HOST_PORTS:
        return shape->n_host_ports > 0;
    case WHATIF_PREFERENCES:
        return shape->n_preferred_node_terms + shape->n_preferred_affinity +
                       shape->n_preferred_anti_affinity >
                   0 ||
               has_soft_spread(shape);
    case WHATIF_NODE_SELECTORS:
    case WHATIF_INSTANCE_TYPES:
    case WHATIF_ARCH:
    case WHATIF_CAPACITY_TYPE:
    case WHATIF_ZONES:
        return has_label_rule(tab, shape, rule);
    case WHATIF_VOLUME_ZONES:
    case WHATIF_TAINTS:
    case WHATIF_MIN_VALUES:
    case WHATIF_LIMITS:
    case WHATIF_DAEMONSETS:
    case WHATIF_N_RULES:
        break;
    }
    return false;
}

static const struct k8s_pod_shape *drop_from_shape(const struct strtab *tab, uint32_t rules,
                                                   const struct k8s_pod_shape *from,
                                                   struct arena *arena)
{
    bool any = false;
    for (int rule = 0; rule < WHATIF_N_RULES; rule++) {
        any = any || (drops(rules, (enum whatif_rule)rule) &&
                      shape_has(tab, from, (enum whatif_rule)rule));
    }
    if (!any) {
        return from;
    }
    struct k8s_pod_shape *shape = ARENA_NEW(arena, struct k8s_pod_shape);
    *shape = *from;
    if (drops(rules, WHATIF_ANTI_AFFINITY)) {
        shape->n_anti_affinity = shape->n_preferred_anti_affinity = 0;
    }
    if (drops(rules, WHATIF_AFFINITY)) {
        shape->n_affinity = shape->n_preferred_affinity = 0;
    }
    if (drops(rules, WHATIF_SPREAD)) {
        shape->n_spread = 0;
    }
    if (drops(rules, WHATIF_HOST_PORTS)) {
        shape->n_host_ports = 0;
    }
    if (drops(rules, WHATIF_PREFERENCES)) {
        drop_preferences(arena, shape);
    }
    drop_selector(tab, rules, arena, shape);
    drop_node_terms(tab, rules, arena, shape);
    return shape;
}

static void drop_from_pods(const struct strtab *tab, uint32_t rules, struct arena *arena,
                           struct k8s_cluster *c)
{
    const struct k8s_pod_shape **shapes =
        ARENA_ARRAY(arena, const struct k8s_pod_shape *, c->n_shapes + 1);
    struct k8s_pod *pods = ARENA_ARRAY(arena, struct k8s_pod, c->n_pods + 1);
    struct k8s_workload *workloads = ARENA_ARRAY(arena, struct k8s_workload, c->n_workloads + 1);
    struct k8s_pod_template *templates =
        ARENA_ARRAY(arena, struct k8s_pod_template, c->n_pod_templates + 1);
    for (uint32_t i = 0; i < c->n_shapes; i++) {
        shapes[i] = drop_from_shape(tab, rules, c->shapes[i], arena);
    }
    for (uint32_t i = 0; i < c->n_pods; i++) {
        pods[i] = c->pods[i];
        pods[i].shape = shapes[pods[i].shape->id];
    }
    for (uint32_t i = 0; i < c->n_workloads; i++) {
        workloads[i] = c->workloads[i];
        if (workloads[i].template_shape != NULL) {
            workloads[i].template_shape =
                drop_from_shape(tab, rules, workloads[i].template_shape, arena);
        }
    }
    for (uint32_t i = 0; i < c->n_pod_templates; i++) {
        templates[i] = c->pod_templates[i];
        if (templates[i].shape != NULL) {
            templates[i].shape = drop_from_shape(tab, rules, templates[i].shape, arena);
        }
    }
    c->shapes = shapes;
    c->pods = pods;
    c->workloads = workloads;
    c->pod_templates = templates;
}

/* ---- NodePools, volumes, DaemonSets ---- */

static bool pool_requirement_drops(const struct strtab *tab, uint32_t rules, strid key)
{
    enum whatif_rule rule = rule_of_label(tab, key);
    /* Labels of one's own are how pods find the NodePool: without the requirement there is no such
     * label, and less would be allowed. */
    return rule != WHATIF_NODE_SELECTORS && drops(rules, rule);
}

static void drop_from_pools(const struct strtab *tab, uint32_t rules, struct arena *arena,
                            struct k8s_cluster *c)
{
    struct karp_nodepool *pools = ARENA_ARRAY(arena, struct karp_nodepool, c->n_nodepools + 1);
    for (uint32_t i = 0; i < c->n_nodepools; i++) {
        struct karp_nodepool *pool = &pools[i];
        *pool = c->nodepools[i];
        struct k8s_requirement *kept =
            ARENA_ARRAY(arena, struct k8s_requirement, pool->n_requirements + 1);
        uint32_t n = 0;
        for (uint32_t r = 0; r < pool->n_requirements; r++) {
            if (!pool_requirement_drops(tab, rules, pool->requirements[r].key)) {
                kept[n] = pool->requirements[r];
                if (drops(rules, WHATIF_MIN_VALUES)) {
                    kept[n].min_values = (struct opt_i32){.has = false};
                }
                n++;
            }
        }
        pool->requirements = kept;
        pool->n_requirements = n;
        if (drops(rules, WHATIF_TAINTS)) {
            pool->n_taints = 0;
        }
        if (drops(rules, WHATIF_LIMITS)) {
            pool->limits = (struct k8s_resources){.n = 0};
        }
    }
    c->nodepools = pools;
}

static void drop_volume_zones(struct arena *arena, struct k8s_cluster *c)
{
    struct k8s_pv *pvs = ARENA_ARRAY(arena, struct k8s_pv, c->n_pvs + 1);
    struct k8s_storage_class *classes =
        ARENA_ARRAY(arena, struct k8s_storage_class, c->n_storage_classes + 1);
    for (uint32_t i = 0; i < c->n_pvs; i++) {
        pvs[i] = c->pvs[i];
        if (!pvs[i].is_local && !pvs[i].is_host_path) {
            pvs[i].n_terms = 0;
            pvs[i].meta.labels = (struct k8s_pairs){.n = 0}; /* zones of in-tree volumes */
        }
    }
    for (uint32_t i = 0; i < c->n_storage_classes; i++) {
        classes[i] = c->storage_classes[i];
        classes[i].n_topologies = 0;
    }
    c->pvs = pvs;
    c->storage_classes = classes;
}

static void drop_daemonsets(struct arena *arena, struct k8s_cluster *c)
{
    struct k8s_workload *workloads = ARENA_ARRAY(arena, struct k8s_workload, c->n_workloads + 1);
    struct k8s_pod *pods = ARENA_ARRAY(arena, struct k8s_pod, c->n_pods + 1);
    uint32_t n = 0, n_pods = 0;
    for (uint32_t i = 0; i < c->n_workloads; i++) {
        if (c->workloads[i].kind != K8S_DAEMONSET) {
            workloads[n++] = c->workloads[i];
        }
    }
    for (uint32_t i = 0; i < c->n_pods; i++) {
        if (!k8s_pod_of_daemonset(&c->words, c->pods[i].shape)) {
            pods[n_pods++] = c->pods[i];
        }
    }
    c->workloads = workloads;
    c->n_workloads = n;
    c->pods = pods;
    c->n_pods = n_pods;
}

void whatif_drop_rules(struct applying *a, uint32_t rules)
{
    struct k8s_cluster *cluster = ARENA_NEW(a->arena, struct k8s_cluster);
    *cluster = *a->world->cluster;
    drop_from_pods(cluster->tab, rules, a->arena, cluster);
    drop_from_pools(cluster->tab, rules, a->arena, cluster);
    if (drops(rules, WHATIF_VOLUME_ZONES)) {
        drop_volume_zones(a->arena, cluster);
    }
    if (drops(rules, WHATIF_DAEMONSETS)) {
        drop_daemonsets(a->arena, cluster);
    }
    a->world->cluster = cluster;
    bool first = true;
    for (int rule = 0; rule < WHATIF_N_RULES; rule++) {
        if (drops(rules, (enum whatif_rule)rule)) {
            strbuf_addf(a->note, "%s%s", first ? "without: " : ", ", whatif_rules[rule].text);
            first = false;
        }
    }
}

/* ---- counting ---- */

static bool pool_has(const struct strtab *tab, const struct karp_nodepool *pool,
                     enum whatif_rule rule)
{
    bool any = (rule == WHATIF_TAINTS && pool->n_taints > 0) ||
               (rule == WHATIF_LIMITS && pool->limits.n > 0);
    for (uint32_t r = 0; r < pool->n_requirements && !any; r++) {
        any = (rule == WHATIF_MIN_VALUES && pool->requirements[r].min_values.has) ||
              pool_requirement_drops(tab, 1U << rule, pool->requirements[r].key);
    }
    return any;
}

static uint32_t count_others(const struct k8s_cluster *c, enum whatif_rule rule,
                             const char **ret_what)
{
    uint32_t n = 0;
    if (rule == WHATIF_VOLUME_ZONES) {
        *ret_what = "volume";
        for (uint32_t i = 0; i < c->n_pvs; i++) {
            n += c->pvs[i].n_terms > 0 && !c->pvs[i].is_local && !c->pvs[i].is_host_path;
        }
        for (uint32_t i = 0; i < c->n_storage_classes; i++) {
            n += c->storage_classes[i].n_topologies > 0;
        }
        return n;
    }
    if (rule == WHATIF_DAEMONSETS) {
        *ret_what = "DaemonSet";
        for (uint32_t i = 0; i < c->n_workloads; i++) {
            n += c->workloads[i].kind == K8S_DAEMONSET;
        }
        return n;
    }
    *ret_what = "NodePool";
    for (uint32_t i = 0; i < c->n_nodepools; i++) {
        n += pool_has(c->tab, &c->nodepools[i], rule);
    }
    return n;
}

uint32_t whatif_rule_count(const struct k8s_cluster *cluster, enum whatif_rule rule,
                           const char **ret_what)
{
    auto_arena scratch = ARENA_INIT;
    bool *has = ARENA_ARRAY(&scratch, bool, cluster->n_shapes + 1);
    uint32_t n = 0;
    for (uint32_t i = 0; i < cluster->n_shapes; i++) {
        has[i] = !k8s_pod_of_daemonset(&cluster->words, cluster->shapes[i]) &&
                 shape_has(cluster->tab, cluster->shapes[i], rule);
    }
    for (uint32_t i = 0; i < cluster->n_pods; i++) {
        n += has[cluster->pods[i].shape->id];
    }
    *ret_what = "pod";
    return n > 0 ? n : count_others(cluster, rule, ret_what);
}
