/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "binpack/plan/nodeclaims.h"

#include <stdlib.h>

#include "base/arena.h"
#include "base/duration.h"
#include "binpack/plan/plan_json.h"

/* A requirement to write: those of the pool, replaced by what the plan fixed. */
struct row {
    struct str key, op;
    uint32_t n_values;
    const struct str *values;
    struct opt_i32 min_values;
};

static int row_cmp(const void *a, const void *b)
{
    const struct row *x = a;
    const struct row *y = b;
    int by_key = str_cmp(x->key, y->key);
    return by_key != 0 ? by_key : str_cmp(x->op, y->op);
}

static struct str op_name(enum k8s_operator op)
{
    static const char *const names[] = {
        [K8S_IN] = "In",         [K8S_NOT_IN] = "NotIn",
        [K8S_EXISTS] = "Exists", [K8S_DOES_NOT_EXIST] = "DoesNotExist",
        [K8S_GT] = "Gt",         [K8S_LT] = "Lt",
        [K8S_GTE] = "Gte",       [K8S_LTE] = "Lte",
    };
    return str_of(names[op]);
}

static struct str one_value(struct arena *arena, struct row *row, struct str value)
{
    struct str *values = ARENA_ARRAY(arena, struct str, 1);
    values[0] = value;
    row->values = values;
    row->n_values = 1;
    return value;
}

static struct row in_row(struct arena *arena, struct str key, struct str value)
{
    struct row row = {.key = key, .op = STR("In")};
    one_value(arena, &row, value);
    return row;
}

static struct row pool_row(const struct strtab *tab, const struct k8s_requirement *r,
                           struct arena *arena)
{
    struct str *values = ARENA_ARRAY(arena, struct str, r->values.n + 1);
    for (uint32_t i = 0; i < r->values.n; i++) {
        values[i] = strtab_str(tab, r->values.v[i]);
    }
    return (struct row){.key = strtab_str(tab, r->key),
                        .op = op_name(r->op),
                        .n_values = r->values.n,
                        .values = values,
                        .min_values = r->min_values};
}

/* Keys whose value the plan decides; what the pool says about them has been obeyed already. */
static bool is_decided(const struct plan *plan, const struct plan_node *node, strid key)
{
    const struct k8s_words *words = &plan->cluster->words;
    return key == words->zone || key == words->zone_id || key == words->capacity_type ||
           key == words->instance_type || key == words->nodepool || key == words->reservation_id ||
           key == words->os || k8s_pairs_get(&node->labels, key) != STRID_NONE;
}

static struct row options_row(const struct plan *plan, const struct plan_node *node,
                              struct arena *arena)
{
    const struct strtab *tab = plan->cluster->tab;
    const struct karp_nodepool *pool = &plan->cluster->nodepools[node->pool_i];
    struct row row = in_row(arena, strtab_str(tab, plan->cluster->words.instance_type),
                            strtab_str(tab, node->type->name));
    if (node->n_options > 0) {
        struct str *values = ARENA_ARRAY(arena, struct str, node->n_options);
        for (uint32_t i = 0; i < node->n_options; i++) {
            values[i] = strtab_str(tab, node->options[i]->name);
        }
        row.values = values;
        row.n_values = node->n_options;
    }
    for (uint32_t i = 0; i < pool->n_requirements; i++) {
        if (pool->requirements[i].key == plan->cluster->words.instance_type &&
            pool->requirements[i].min_values.has) {
            row.min_values = pool->requirements[i].min_values;
        }
    }
    return row;
}

/* "<group>/<kind in lower case>", the label that names the node class. */
static struct str class_label(const struct strtab *tab, const struct karp_nodepool *pool,
                              struct arena *arena)
{
    struct str group = strtab_str(tab, pool->class_ref.group);
    struct str kind = strtab_str(tab, pool->class_ref.kind);
    struct strbuf b = strbuf_new(arena, group.n + kind.n + 1);
    strbuf_add(&b, group);
    strbuf_addc(&b, '/');
    for (size_t i = 0; i < kind.n; i++) {
        char c = kind.p[i];
        strbuf_addc(&b, c >= 'A' && c <= 'Z' ? (char)(c + 32) : c);
    }
    return strbuf_str(&b);
}

static uint32_t collect_rows(const struct plan *plan, const struct plan_node *node,
                             struct row *rows, struct arena *arena)
{
    const struct strtab *tab = plan->cluster->tab;
    const struct k8s_words *words = &plan->cluster->words;
    const struct karp_nodepool *pool = &plan->cluster->nodepools[node->pool_i];
    uint32_t n = 0;
    for (uint32_t i = 0; i < pool->n_requirements; i++) {
        if (!is_decided(plan, node, pool->requirements[i].key)) {
            rows[n++] = pool_row(tab, &pool->requirements[i], arena);
        }
    }
    for (uint32_t i = 0; i < node->labels.n; i++) {
        strid key = node->labels.v[i].key;
        if (key != words->nodepool && key != words->zone && key != words->zone_id &&
            key != words->capacity_type && key != words->instance_type &&
            key != words->reservation_id && key != words->os) {
            rows[n++] =
                in_row(arena, strtab_str(tab, key), strtab_str(tab, node->labels.v[i].value));
        }
    }
    struct str zone = strtab_str(tab, plan->catalog->zones[node->zone_i].name);
    rows[n++] = in_row(arena, strtab_str(tab, words->zone), zone);
    rows[n++] = in_row(arena, strtab_str(tab, words->capacity_type),
                       plan_capacity_type_name(node->capacity_type));
    rows[n++] = in_row(arena, strtab_str(tab, words->nodepool), pool->meta.name);
    rows[n++] = options_row(plan, node, arena);
    if (node->os != STRID_EMPTY) {
        rows[n++] = in_row(arena, strtab_str(tab, words->os), strtab_str(tab, node->os));
    }
    if (node->reservation_id != STRID_EMPTY) {
        rows[n++] = in_row(arena, strtab_str(tab, words->reservation_id),
                           strtab_str(tab, node->reservation_id));
    }
    if (pool->class_ref.name.n > 0) {
        rows[n++] = in_row(arena, class_label(tab, pool, arena), pool->class_ref.name);
    }
    qsort(rows, n, sizeof(rows[0]), row_cmp);
    return n;
}

static void put_requirements(const struct plan *plan, struct jsonw *w, const struct plan_node *node,
                             struct arena *scratch)
{
    const struct karp_nodepool *pool = &plan->cluster->nodepools[node->pool_i];
    struct row *rows = ARENA_ARRAY(scratch, struct row, pool->n_requirements + node->labels.n + 8);
    uint32_t n = collect_rows(plan, node, rows, scratch);
    jsonw_key_array(w, "requirements");
    for (uint32_t i = 0; i < n; i++) {
        jsonw_object_begin(w);
        jsonw_key_str(w, "key", rows[i].key);
        jsonw_key_str(w, "operator", rows[i].op);
        if (rows[i].n_values > 0) {
            jsonw_key_array(w, "values");
            for (uint32_t v = 0; v < rows[i].n_values; v++) {
                jsonw_str(w, rows[i].values[v]);
            }
            jsonw_array_end(w);
        }
        if (rows[i].min_values.has) {
            jsonw_key_i64(w, "minValues", rows[i].min_values.v);
        }
        jsonw_object_end(w);
    }
    jsonw_array_end(w);
}

static void put_map(const struct strtab *tab, struct jsonw *w, const struct k8s_pairs *pairs,
                    struct arena *scratch)
{
    const struct k8s_pair *sorted = plan_sorted_pairs(tab, pairs, scratch);
    for (uint32_t i = 0; i < pairs->n; i++) {
        jsonw_key(w, strtab_str(tab, sorted[i].key));
        jsonw_str(w, strtab_str(tab, sorted[i].value));
    }
}

static void put_annotations(const struct plan *plan, struct jsonw *w,
                            const struct karp_nodepool *pool,
                            const struct plan_nodeclaim_meta *meta, struct arena *scratch)
{
    if (pool->template_annotations.n == 0 && plan->emulated == PLAN_OWN &&
        meta->n_annotations == 0) {
        return;
    }
    jsonw_key_object(w, "annotations");
    put_map(plan->cluster->tab, w, &pool->template_annotations, scratch);
    if (plan->emulated != PLAN_OWN) {
        jsonw_key_str(w, "binpack/emulated", plan_planner_tag(plan->emulated, scratch));
    }
    for (uint32_t i = 0; i < meta->n_annotations; i++) {
        jsonw_key(w, meta->annotations[i].key);
        jsonw_str(w, meta->annotations[i].value);
    }
    jsonw_object_end(w);
}

static void put_metadata(const struct plan *plan, struct jsonw *w, const struct plan_node *node,
                         const struct plan_nodeclaim_meta *meta, struct arena *scratch)
{
    const struct strtab *tab = plan->cluster->tab;
    const struct karp_nodepool *pool = &plan->cluster->nodepools[node->pool_i];
    jsonw_key_object(w, "metadata");
    jsonw_key_str(w, "name", meta->name);
    jsonw_key_object(w, "labels");
    put_map(tab, w, &node->labels, scratch);
    if (k8s_pairs_get(&node->labels, plan->cluster->words.nodepool) == STRID_NONE) {
        jsonw_key(w, strtab_str(tab, plan->cluster->words.nodepool));
        jsonw_str(w, pool->meta.name);
    }
    if (pool->class_ref.name.n > 0) {
        strid label = strtab_find(tab, class_label(tab, pool, scratch));
        if (label == STRID_NONE || k8s_pairs_get(&node->labels, label) == STRID_NONE) {
            jsonw_key(w, class_label(tab, pool, scratch));
            jsonw_str(w, pool->class_ref.name);
        }
    }
    jsonw_object_end(w);
    put_annotations(plan, w, pool, meta, scratch);
    if (meta->finalizer.n > 0) {
        jsonw_key_array(w, "finalizers");
        jsonw_str(w, meta->finalizer);
        jsonw_array_end(w);
    }
    jsonw_key_array(w, "ownerReferences");
    jsonw_object_begin(w);
    jsonw_key_str(w, "apiVersion", STR("karpenter.sh/v1"));
    jsonw_key_str(w, "kind", STR("NodePool"));
    jsonw_key_str(w, "name", pool->meta.name);
    jsonw_key_str(w, "uid", pool->meta.uid);
    jsonw_key(w, STR("blockOwnerDeletion"));
    jsonw_bool(w, /* value= */ true);
    jsonw_object_end(w);
    jsonw_array_end(w);
    jsonw_object_end(w);
}

static void put_duration(struct jsonw *w, const char *key, const struct karp_duration *duration)
{
    char buffer[DURATION_TEXT_MAX];
    if (duration->never) {
        jsonw_key_str(w, key, STR("Never"));
    } else if (duration->has) {
        jsonw_key_str(w, key, duration_format(duration->ms, buffer));
    }
}

/* What pods and daemon pods ask for together. */
static struct k8s_resources total_requests(const struct plan_node *node, struct arena *arena)
{
    const struct k8s_resources *a = &node->requested;
    const struct k8s_resources *b = &node->daemons;
    struct k8s_quantity *v = ARENA_ARRAY(arena, struct k8s_quantity, a->n + b->n + 1);
    uint32_t n = 0;
    for (uint32_t i = 0; i < a->n; i++) {
        int64_t more = k8s_resources_get(b, a->v[i].resource);
        v[n++] = (struct k8s_quantity){.resource = a->v[i].resource,
                                       .value = sat_add(a->v[i].value, more)};
    }
    for (uint32_t i = 0; i < b->n; i++) {
        if (!k8s_resources_has(a, b->v[i].resource)) {
            v[n++] = b->v[i];
        }
    }
    return (struct k8s_resources){.n = n, .v = v};
}

static void put_spec(const struct plan *plan, struct jsonw *w, const struct plan_node *node,
                     struct arena *scratch)
{
    const struct strtab *tab = plan->cluster->tab;
    const struct karp_nodepool *pool = &plan->cluster->nodepools[node->pool_i];
    jsonw_key_object(w, "spec");
    if (pool->n_taints > 0) {
        jsonw_key(w, STR("taints"));
        plan_taints(plan, w, pool->taints, pool->n_taints);
    }
    if (pool->n_startup_taints > 0) {
        jsonw_key(w, STR("startupTaints"));
        plan_taints(plan, w, pool->startup_taints, pool->n_startup_taints);
    }
    put_requirements(plan, w, node, scratch);
    jsonw_key_object(w, "resources");
    jsonw_key(w, STR("requests"));
    struct k8s_resources requests = total_requests(node, scratch);
    plan_resources(plan, w, &requests, scratch);
    jsonw_object_end(w);
    jsonw_key_object(w, "nodeClassRef");
    jsonw_key_str(w, "group", strtab_str(tab, pool->class_ref.group));
    jsonw_key_str(w, "kind", strtab_str(tab, pool->class_ref.kind));
    jsonw_key_str(w, "name", pool->class_ref.name);
    jsonw_object_end(w);
    put_duration(w, "terminationGracePeriod", &pool->termination_grace);
    put_duration(w, "expireAfter", &pool->expire_after);
    jsonw_object_end(w);
}

void plan_nodeclaim(const struct plan *plan, uint32_t node_i,
                    const struct plan_nodeclaim_meta *meta, struct jsonw *w, struct arena *scratch)
{
    jsonw_object_begin(w);
    jsonw_key_str(w, "apiVersion", STR("karpenter.sh/v1"));
    jsonw_key_str(w, "kind", STR("NodeClaim"));
    put_metadata(plan, w, &plan->nodes[node_i], meta, scratch);
    put_spec(plan, w, &plan->nodes[node_i], scratch);
    jsonw_object_end(w);
}

void plan_nodeclaims(const struct plan *plan, struct jsonw *w, struct arena *scratch)
{
    for (uint32_t i = 0; i < plan->n_nodes; i++) {
        struct arena_mark mark = arena_mark(scratch);
        const struct str pool = plan->cluster->nodepools[plan->nodes[i].pool_i].meta.name;
        struct strbuf name = strbuf_new(scratch, pool.n + 16);
        strbuf_add(&name, pool);
        strbuf_addf(&name, "-%05u", (unsigned)(i + 1));
        const struct plan_nodeclaim_meta meta = {.name = strbuf_str(&name)};
        plan_nodeclaim(plan, i, &meta, w, scratch);
        arena_rewind(scratch, mark);
    }
}
