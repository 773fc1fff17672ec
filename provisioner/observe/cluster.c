/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "provisioner/observe/cluster.h"

#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/number.h"
#include "base/vec.h"
#include "binpack/catalog/catalog.h"
#include "binpack/scheduling/resources.h"
#include "binpack/scheduling/vocab.h"
#include "k8s/cluster.h"
#include "provisioner/observe/conditions.h"
#include "provisioner/observe/metrics.h"

enum {
    LABELS_MAX = 16 << 10, /* bytes of one node's labels */
    ABSENT = -1,
    MS = 1000,
    NANO = 9
};

enum family {
    NODES_ALLOCATABLE,
    NODES_POD_REQUESTS,
    NODES_POD_LIMITS,
    NODES_DAEMON_REQUESTS,
    NODES_DAEMON_LIMITS,
    NODES_SYSTEM_OVERHEAD,
    NODES_LIFETIME,
    UTILIZATION,
    NODEPOOLS_COST,
    PODS_STATE,
    TYPE_CORES,
    TYPE_MEMORY,
    OFFERING_AVAILABLE,
    OFFERING_PRICE,
    N_FAMILIES
};

#define NODE_LABELS "every well-known label, `node_name`, `phase`, `managed`"
static const struct {
    const char *name, *help, *labels;
} families[N_FAMILIES] = {
    [NODES_ALLOCATABLE] = {"karpenter_nodes_allocatable", "What the node offers to pods.",
                           NODE_LABELS ", `resource_type`"},
    [NODES_POD_REQUESTS] = {"karpenter_nodes_total_pod_requests",
                            "Requests of all pods on the node.", NODE_LABELS ", `resource_type`"},
    [NODES_POD_LIMITS] = {"karpenter_nodes_total_pod_limits", "Limits of all pods on the node.",
                          NODE_LABELS ", `resource_type`"},
    [NODES_DAEMON_REQUESTS] = {"karpenter_nodes_total_daemon_requests",
                               "Requests of the pods of DaemonSets on the node.",
                               NODE_LABELS ", `resource_type`"},
    [NODES_DAEMON_LIMITS] = {"karpenter_nodes_total_daemon_limits",
                             "Limits of the pods of DaemonSets on the node.",
                             NODE_LABELS ", `resource_type`"},
    [NODES_SYSTEM_OVERHEAD] = {"karpenter_nodes_system_overhead",
                               "Capacity of the node less what it offers to pods.",
                               NODE_LABELS ", `resource_type`"},
    [NODES_LIFETIME] = {"karpenter_nodes_current_lifetime_seconds", "Age of the node.",
                        NODE_LABELS},
    [UTILIZATION] = {"karpenter_cluster_utilization_percent",
                     "Requests of pods on nodes, of what the nodes offer.", "`resource_type`"},
    [NODEPOOLS_COST] = {"karpenter_nodepools_cost_total",
                        "Price per hour of the nodes of a NodePool, by the catalogue.",
                        "`nodepool`"},
    [PODS_STATE] = {"karpenter_pods_state", "1 for every pod.",
                    "`name`, `namespace`, `owner`, `node`, `scheduled`, `nodepool`, `zone`, "
                    "`arch`, `capacity_type`, `instance_type`, `phase`, `ready`, `managed`"},
    [TYPE_CORES] = {"karpenter_cloudprovider_instance_type_cpu_cores", "vCPUs of an instance type.",
                    "`instance_type`"},
    [TYPE_MEMORY] = {"karpenter_cloudprovider_instance_type_memory_bytes",
                     "Memory of an instance type.", "`instance_type`"},
    [OFFERING_AVAILABLE] = {"karpenter_cloudprovider_instance_type_offering_available",
                            "1 where the offering can be bought.",
                            "`instance_type`, `capacity_type`, `zone`"},
    [OFFERING_PRICE] = {"karpenter_cloudprovider_instance_type_offering_price_estimate",
                        "Price per hour of the offering.",
                        "`instance_type`, `capacity_type`, `zone`"},
};

enum sum { POD_REQUESTS, POD_LIMITS, DAEMON_REQUESTS, DAEMON_LIMITS, N_SUMS };

struct node_row {
    const struct k8s_node *node;
    struct str labels;     /* `a="x",b="y"` */
    int64_t *sums[N_SUMS]; /* [n_resources] by index; ABSENT where no pod names it */
    bool managed;
};

/* What the pods of one shape ask for. */
struct demand {
    bool known, daemon;
    struct k8s_resources requests, limits;
};

struct dimension { /* a well-known label */
    strid key;
    struct str name;
};

struct text {
    const struct k8s_cluster *cluster;
    const struct catalog *catalog;
    wall_t now;
    struct arena *scratch;
    struct strbuf b;
    VEC(strid) resources;
    VEC(struct str) resource_names;
    VEC(struct dimension) dimensions;
    struct node_row *nodes;    /* [cluster->n_nodes] by name */
    struct demand *demands;    /* [cluster->n_shapes] */
    const struct str *claimed; /* [n_claimed] provider ids of NodeClaims, sorted */
    uint32_t n_claimed;
};

/* ---- words ---- */

static uint32_t resource_i(struct text *t, strid resource)
{
    for (uint32_t i = 0; i < t->resources.n; i++) {
        if (t->resources.v[i] == resource) {
            return i;
        }
    }
    VEC_PUSH(t->scratch, &t->resources, resource);
    VEC_PUSH(t->scratch, &t->resource_names,
             metrics_word(strtab_str(t->cluster->tab, resource), t->scratch));
    return (uint32_t)t->resources.n - 1;
}

static void find_resources(struct text *t, const struct k8s_resources *list)
{
    for (uint32_t i = 0; i < list->n; i++) {
        (void)resource_i(t, list->v[i].resource);
    }
}

static int by_dimension(const void *a, const void *b)
{
    return str_cmp(((const struct dimension *)a)->name, ((const struct dimension *)b)->name);
}

/* "karpenter.k8s.aws/instance-cpu" is `instance_cpu`. Keys without a domain have no gauge label. */
static void find_dimensions(struct text *t)
{
    const struct sched_vocab *vocab = sched_vocab_new(t->scratch, t->cluster, t->catalog);
    for (uint32_t i = 0; i < vocab->well_known.n; i++) {
        const struct str key = strtab_str(t->cluster->tab, vocab->well_known.v[i]);
        const size_t slash = str_find(key, '/');
        bool known = slash >= key.n;
        const struct dimension dimension = {
            .key = vocab->well_known.v[i],
            .name = metrics_word(known ? STR_EMPTY : str_sub(key, slash + 1, key.n), t->scratch)};
        for (size_t k = 0; k < t->dimensions.n; k++) {
            known |= str_eq(t->dimensions.v[k].name, dimension.name);
        }
        if (!known) {
            VEC_PUSH(t->scratch, &t->dimensions, dimension);
        }
    }
    qsort(t->dimensions.v, t->dimensions.n, sizeof *t->dimensions.v, by_dimension);
}

/* ---- lines ---- */

static void put_head(struct text *t, enum family family)
{
    strbuf_addf(&t->b, "# HELP %s %s\n# TYPE %s gauge\n", families[family].name,
                families[family].help, families[family].name);
}

/* `,name="value"`, without the comma at first. */
static void put_label(struct strbuf *b, struct str name, struct str value, bool first)
{
    if (!first) {
        strbuf_addc(b, ',');
    }
    strbuf_add(b, name);
    strbuf_add(b, STR("=\""));
    metrics_put_label_value(b, value);
    strbuf_addc(b, '"');
}

static void put_value(struct strbuf *b, int64_t value, int n_decimals)
{
    char buffer[NUMBER_TEXT_MAX];
    strbuf_add(b, STR("} "));
    strbuf_add(b, number_format_decimal(value, n_decimals, buffer));
    strbuf_addc(b, '\n');
}

static void begin_line(struct text *t, enum family family)
{
    strbuf_add(&t->b, str_of(families[family].name));
    strbuf_addc(&t->b, '{');
}

/* ---- nodes ---- */

static int by_name(const void *a, const void *b)
{
    return str_cmp(((const struct node_row *)a)->node->meta.name,
                   ((const struct node_row *)b)->node->meta.name);
}

static int by_text(const void *a, const void *b)
{
    return str_cmp(*(const struct str *)a, *(const struct str *)b);
}

static void find_claimed(struct text *t)
{
    const struct k8s_cluster *c = t->cluster;
    struct str *claimed = ARENA_ARRAY(t->scratch, struct str, c->n_nodeclaims);
    for (uint32_t i = 0; i < c->n_nodeclaims; i++) {
        if (c->nodeclaims[i].provider_id.n > 0) {
            claimed[t->n_claimed++] = c->nodeclaims[i].provider_id;
        }
    }
    qsort(claimed, t->n_claimed, sizeof *claimed, by_text);
    t->claimed = claimed;
}

static strid label_of(const struct k8s_node *node, strid key)
{
    return k8s_pairs_get(&node->meta.labels, key);
}

static struct str label_text(const struct text *t, const struct k8s_node *node, strid key)
{
    const strid value = node == NULL ? STRID_NONE : label_of(node, key);
    return value == STRID_NONE ? STR_EMPTY : strtab_str(t->cluster->tab, value);
}

static struct str node_labels(const struct text *t, const struct node_row *row)
{
    struct strbuf b = strbuf_new(t->scratch, LABELS_MAX);
    for (size_t i = 0; i < t->dimensions.n; i++) {
        put_label(&b, t->dimensions.v[i].name, label_text(t, row->node, t->dimensions.v[i].key),
                  i == 0);
    }
    put_label(&b, STR("node_name"), row->node->meta.name, t->dimensions.n == 0);
    put_label(&b, STR("phase"), STR_EMPTY, false); /* no node has had one for years */
    put_label(&b, STR("managed"), row->managed ? STR("true") : STR("false"), false);
    return strbuf_str(&b);
}

static void find_nodes(struct text *t)
{
    const struct k8s_cluster *c = t->cluster;
    t->nodes = ARENA_ARRAY(t->scratch, struct node_row, c->n_nodes);
    for (uint32_t i = 0; i < c->n_nodes; i++) {
        const struct k8s_node *node = &c->nodes[i];
        t->nodes[i].node = node;
        find_resources(t, &node->capacity);
        find_resources(t, &node->allocatable);
        t->nodes[i].managed = node->provider_id.n > 0 && t->n_claimed > 0 &&
                              bsearch(&node->provider_id, t->claimed, t->n_claimed,
                                      sizeof *t->claimed, by_text) != NULL;
    }
    qsort(t->nodes, c->n_nodes, sizeof *t->nodes, by_name);
}

static struct node_row *node_of(const struct text *t, struct str name)
{
    const struct k8s_node wanted = {.meta = {.name = name}};
    const struct node_row key = {.node = &wanted};
    return name.n == 0 || t->cluster->n_nodes == 0
               ? NULL
               : bsearch(&key, t->nodes, t->cluster->n_nodes, sizeof key, by_name);
}

/* ---- pods ---- */

/* Limits are added up as requests are. */
static struct k8s_resources limits_of(const struct text *t, const struct k8s_pod_shape *shape)
{
    struct k8s_pod_shape as = *shape;
    struct k8s_container *all = ARENA_ARRAY(t->scratch, struct k8s_container,
                                            (size_t)shape->n_containers + shape->n_init_containers);
    for (uint32_t i = 0; i < shape->n_containers; i++) {
        all[i] = shape->containers[i];
        all[i].requests = all[i].limits;
    }
    for (uint32_t i = 0; i < shape->n_init_containers; i++) {
        all[shape->n_containers + i] = shape->init_containers[i];
        all[shape->n_containers + i].requests = shape->init_containers[i].limits;
    }
    as.containers = all;
    as.init_containers = all + shape->n_containers;
    as.pod_requests = shape->pod_limits;
    return sched_shape_requests(t->cluster, t->scratch, &as);
}

static void find_demands(struct text *t)
{
    const struct k8s_cluster *c = t->cluster;
    t->demands = ARENA_ARRAY(t->scratch, struct demand, c->n_shapes);
    for (uint32_t i = 0; i < c->n_pods; i++) {
        const struct k8s_pod_shape *shape = c->pods[i].shape;
        struct demand *demand = &t->demands[shape->id];
        if (!demand->known) {
            *demand = (struct demand){.known = true,
                                      .daemon = k8s_pod_of_daemonset(&c->words, shape),
                                      .requests = sched_shape_requests(c, t->scratch, shape),
                                      .limits = limits_of(t, shape)};
            find_resources(t, &demand->requests);
            find_resources(t, &demand->limits);
        }
    }
}

static void add(struct text *t, int64_t *sums, const struct k8s_resources *more)
{
    for (uint32_t i = 0; i < more->n; i++) {
        int64_t *sum = &sums[resource_i(t, more->v[i].resource)];
        *sum = sat_add(*sum == ABSENT ? 0 : *sum, more->v[i].value);
    }
}

static bool is_over(const struct k8s_pod *pod)
{
    return pod->phase == K8S_SUCCEEDED || pod->phase == K8S_FAILED;
}

static void add_pods(struct text *t)
{
    const struct k8s_cluster *c = t->cluster;
    for (uint32_t i = 0; i < c->n_nodes; i++) {
        for (int s = 0; s < N_SUMS; s++) {
            t->nodes[i].sums[s] = ARENA_ARRAY(t->scratch, int64_t, t->resources.n);
            for (size_t r = 0; r < t->resources.n; r++) {
                t->nodes[i].sums[s][r] = ABSENT;
            }
        }
    }
    for (uint32_t i = 0; i < c->n_pods; i++) {
        const struct k8s_pod *pod = &c->pods[i];
        const struct demand *demand = &t->demands[pod->shape->id];
        const struct node_row *row = is_over(pod) ? NULL : node_of(t, pod->node_name);
        if (row == NULL) {
            continue;
        }
        add(t, row->sums[POD_REQUESTS], &demand->requests);
        add(t, row->sums[POD_LIMITS], &demand->limits);
        if (demand->daemon) {
            add(t, row->sums[DAEMON_REQUESTS], &demand->requests);
            add(t, row->sums[DAEMON_LIMITS], &demand->limits);
        }
    }
}

/* ---- families ---- */

static void put_amount(struct text *t, enum family family, const struct node_row *row,
                       uint32_t resource, int64_t value)
{
    begin_line(t, family);
    strbuf_add(&t->b, row->labels);
    put_label(&t->b, STR("resource_type"), t->resource_names.v[resource], false);
    put_value(&t->b, value, t->resources.v[resource] == t->cluster->words.cpu ? 3 : 0);
}

static void put_sums(struct text *t, enum family family, enum sum sum)
{
    put_head(t, family);
    for (uint32_t i = 0; i < t->cluster->n_nodes; i++) {
        for (uint32_t r = 0; r < t->resources.n; r++) {
            if (t->nodes[i].sums[sum][r] != ABSENT) {
                put_amount(t, family, &t->nodes[i], r, t->nodes[i].sums[sum][r]);
            }
        }
    }
}

static void put_amounts(struct text *t, enum family family)
{
    put_head(t, family);
    for (uint32_t i = 0; i < t->cluster->n_nodes; i++) {
        const struct k8s_node *node = t->nodes[i].node;
        const bool overhead = family == NODES_SYSTEM_OVERHEAD;
        const struct k8s_resources *list = overhead ? &node->capacity : &node->allocatable;
        for (uint32_t k = 0; k < list->n; k++) {
            const strid resource = list->v[k].resource;
            put_amount(t, family, &t->nodes[i], resource_i(t, resource),
                       list->v[k].value -
                           (overhead ? k8s_resources_get(&node->allocatable, resource) : 0));
        }
    }
}

static void put_lifetimes(struct text *t)
{
    put_head(t, NODES_LIFETIME);
    for (uint32_t i = 0; i < t->cluster->n_nodes; i++) {
        const struct opt_wall created = t->nodes[i].node->meta.created;
        if (created.has && created.v <= t->now) {
            begin_line(t, NODES_LIFETIME);
            strbuf_add(&t->b, t->nodes[i].labels);
            put_value(&t->b, (t->now - created.v) / MS, 0);
        }
    }
}

static void put_nodes(struct text *t)
{
    for (uint32_t i = 0; i < t->cluster->n_nodes; i++) {
        t->nodes[i].labels = node_labels(t, &t->nodes[i]);
    }
    put_amounts(t, NODES_ALLOCATABLE);
    put_sums(t, NODES_POD_REQUESTS, POD_REQUESTS);
    put_sums(t, NODES_POD_LIMITS, POD_LIMITS);
    put_sums(t, NODES_DAEMON_REQUESTS, DAEMON_REQUESTS);
    put_sums(t, NODES_DAEMON_LIMITS, DAEMON_LIMITS);
    put_amounts(t, NODES_SYSTEM_OVERHEAD);
    put_lifetimes(t);
}

static void put_utilization(struct text *t)
{
    put_head(t, UTILIZATION);
    for (uint32_t r = 0; r < t->resources.n; r++) {
        int64_t offered = 0, asked = 0;
        for (uint32_t i = 0; i < t->cluster->n_nodes; i++) {
            const int64_t here = t->nodes[i].sums[POD_REQUESTS][r];
            asked = sat_add(asked, here == ABSENT ? 0 : here);
            offered = sat_add(offered,
                              k8s_resources_get(&t->nodes[i].node->allocatable, t->resources.v[r]));
        }
        if (offered > 0) {
            begin_line(t, UTILIZATION);
            put_label(&t->b, STR("resource_type"), t->resource_names.v[r], true);
            put_value(&t->b, (int64_t)(100e6 * ((double)asked / (double)offered) + 0.5), 6);
        }
    }
}

static enum cat_capacity_type capacity_type_of(const struct text *t, const struct k8s_node *node)
{
    const struct k8s_words *w = &t->cluster->words;
    const strid value = label_of(node, w->capacity_type);
    return value == w->spot ? CAT_SPOT : value == w->reserved ? CAT_RESERVED : CAT_ON_DEMAND;
}

static usd_t price_of(const struct text *t, const struct k8s_node *node)
{
    const struct k8s_words *w = &t->cluster->words;
    const struct cat_type *type =
        cat_find(t->catalog, t->cluster->tab, label_of(node, w->instance_type));
    const strid zone = label_of(node, w->zone);
    for (uint32_t i = 0; type != NULL && i < type->n_offerings; i++) {
        const struct cat_offering *o = &type->offerings[i];
        if (o->price.has && o->capacity_type == capacity_type_of(t, node) &&
            t->catalog->zones[o->zone_i].name == zone) {
            return o->price.v;
        }
    }
    return 0;
}

static void put_costs(struct text *t)
{
    put_head(t, NODEPOOLS_COST);
    for (uint32_t p = 0; p < t->cluster->n_nodepools; p++) {
        const struct str name = t->cluster->nodepools[p].meta.name;
        usd_t cost = 0;
        for (uint32_t i = 0; i < t->cluster->n_nodes; i++) {
            const struct k8s_node *node = t->nodes[i].node;
            if (str_eq(label_text(t, node, t->cluster->words.nodepool), name)) {
                cost = sat_add(cost, price_of(t, node));
            }
        }
        begin_line(t, NODEPOOLS_COST);
        put_label(&t->b, STR("nodepool"), name, true);
        put_value(&t->b, cost, NANO);
    }
}

/* As Karpenter writes the first owner: /apis/apps/v1/namespaces/shop/replicasets/web. */
static struct str owner_of(const struct text *t, const struct k8s_pod *pod)
{
    const struct strtab *tab = t->cluster->tab;
    struct strbuf b = strbuf_new(t->scratch, LABELS_MAX);
    if (pod->owner_name.n > 0) {
        strbuf_addf(&b, "/apis/" STR_FMT "/namespaces/" STR_FMT "/" STR_FMT "s/" STR_FMT,
                    STR_ARG(strtab_str(tab, pod->shape->owner_api_version)),
                    STR_ARG(strtab_str(tab, pod->ns)),
                    STR_ARG(metrics_word(strtab_str(tab, pod->shape->owner_kind), t->scratch)),
                    STR_ARG(pod->owner_name));
    }
    return strbuf_str(&b);
}

static void put_pod(struct text *t, const struct k8s_pod *pod)
{
    static const char *const phases[] = {"",          "Pending", "Running",
                                         "Succeeded", "Failed",  "Unknown"};
    const struct node_row *row = node_of(t, pod->node_name);
    const struct k8s_node *node = row == NULL ? NULL : row->node;
    const struct k8s_words *w = &t->cluster->words;
    const struct str pool = label_text(t, node, w->nodepool);
    struct strbuf *b = &t->b;
    begin_line(t, PODS_STATE);
    put_label(b, STR("name"), pod->name, true);
    put_label(b, STR("namespace"), strtab_str(t->cluster->tab, pod->ns), false);
    put_label(b, STR("owner"), owner_of(t, pod), false);
    put_label(b, STR("node"), pod->node_name, false);
    put_label(b, STR("scheduled"), pod->node_name.n > 0 ? STR("true") : STR("false"), false);
    put_label(b, STR("nodepool"), pool, false);
    put_label(b, STR("zone"), label_text(t, node, w->zone), false);
    put_label(b, STR("arch"), label_text(t, node, w->arch), false);
    put_label(b, STR("capacity_type"), label_text(t, node, w->capacity_type), false);
    put_label(b, STR("instance_type"), label_text(t, node, w->instance_type), false);
    put_label(b, STR("phase"), str_of(phases[pod->phase]), false);
    put_label(b, STR("ready"), pod->ready ? STR("true") : STR("false"), false);
    put_label(b, STR("managed"), pool.n > 0 ? STR("true") : STR("false"), false);
    put_value(b, 1, 0);
}

static void put_pods(struct text *t)
{
    put_head(t, PODS_STATE);
    for (uint32_t i = 0; i < t->cluster->n_pods; i++) {
        put_pod(t, &t->cluster->pods[i]);
    }
}

static void put_types(struct text *t)
{
    for (enum family family = TYPE_CORES; family <= TYPE_MEMORY; family++) {
        put_head(t, family);
        for (uint32_t i = 0; i < t->catalog->n_types; i++) {
            const struct cat_type *type = &t->catalog->types[i];
            begin_line(t, family);
            put_label(&t->b, STR("instance_type"), strtab_str(t->cluster->tab, type->name), true);
            put_value(&t->b, family == TYPE_CORES ? type->vcpu : type->memory_bytes, 0);
        }
    }
}

/* Several reservations of one zone are one series: the first that can be bought. */
static bool is_repeated(const struct cat_type *type, uint32_t i)
{
    return i > 0 && type->offerings[i].zone_i == type->offerings[i - 1].zone_i &&
           type->offerings[i].capacity_type == type->offerings[i - 1].capacity_type;
}

static void put_offerings(struct text *t, enum family family)
{
    const struct strtab *tab = t->cluster->tab;
    put_head(t, family);
    for (uint32_t i = 0; i < t->catalog->n_types; i++) {
        const struct cat_type *type = &t->catalog->types[i];
        for (uint32_t k = 0; k < type->n_offerings; k++) {
            const struct cat_offering *o = &type->offerings[k];
            if (is_repeated(type, k) || (family == OFFERING_PRICE && !o->price.has)) {
                continue;
            }
            begin_line(t, family);
            put_label(&t->b, STR("instance_type"), strtab_str(tab, type->name), true);
            put_label(&t->b, STR("capacity_type"), str_of(cat_capacity_type_name(o->capacity_type)),
                      false);
            put_label(&t->b, STR("zone"), strtab_str(tab, t->catalog->zones[o->zone_i].name),
                      false);
            if (family == OFFERING_PRICE) {
                put_value(&t->b, o->price.v, NANO);
            } else {
                put_value(&t->b, o->available && o->price.has, 0);
            }
        }
    }
}

struct str cluster_metrics_text(const struct k8s_cluster *cluster, const struct catalog *catalog,
                                wall_t now, struct arena *arena)
{
    auto_arena scratch = ARENA_INIT, text = ARENA_INIT;
    /* Its own words: what a plan is made of must not depend on whether anybody counts. */
    const struct strtab_mark words = strtab_mark(cluster->tab);
    struct k8s_cluster own = *cluster;
    own.tab = strtab_fork(&words, &scratch);
    struct text t = {.cluster = &own, .catalog = catalog, .now = now, .scratch = &scratch};
    t.b = strbuf_new(&text, CLUSTER_METRICS_BYTES_MAX);
    find_dimensions(&t);
    find_claimed(&t);
    find_nodes(&t);
    find_demands(&t);
    add_pods(&t);
    put_utilization(&t);
    put_costs(&t);
    put_types(&t);
    put_offerings(&t, OFFERING_AVAILABLE);
    put_offerings(&t, OFFERING_PRICE);
    conditions_text(&own, now, &t.b);
    if (cluster->n_nodes <= CLUSTER_METRICS_NODES_MAX) {
        put_nodes(&t);
    }
    if (cluster->n_pods <= CLUSTER_METRICS_PODS_MAX) {
        put_pods(&t);
    }
    return t.b.overflow ? STR_EMPTY : str_copy(arena, strbuf_str(&t.b));
}

void cluster_metrics_markdown(struct strbuf *b)
{
    for (int i = 0; i < N_FAMILIES; i++) {
        strbuf_addf(b, "| `%s` | gauge | %s | %s |\n", families[i].name, families[i].labels,
                    families[i].help);
    }
    conditions_markdown(b);
}
