/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "binpack/plan/breakdown.h"

#include "base/arena.h"
#include "base/strtab.h"
#include "base/vec.h"
#include "binpack/scheduling/resources.h"

#include <stdlib.h>

/* Of AWS's split cost allocation: a vCPU weighs nine times as much as a GiB. */
enum { CPU_WEIGHT = 9 };

struct summing {
    const struct plan *plan;
    enum breakdown_by by;
    strid label;
    struct arena *arena;
    struct strtab *names; /* name -> row + 1 */
    VEC(struct breakdown_row) rows;
    VEC(uint32_t) last_node; /* the node + 1 that a row has counted last */
    struct k8s_resources *of_shape;
    bool *known;
    uint32_t n_shared;
};

bool breakdown_parse(struct str text, enum breakdown_by *ret_by, struct str *ret_label,
                     struct err *err)
{
    static const struct {
        const char *name;
        enum breakdown_by by;
    } rows[] = {{"pool", BREAKDOWN_POOL},
                {"nodepool", BREAKDOWN_POOL},
                {"zone", BREAKDOWN_ZONE},
                {"namespace", BREAKDOWN_NAMESPACE}};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        if (str_eq(text, str_of(rows[i].name))) {
            *ret_by = rows[i].by;
            *ret_label = STR_EMPTY;
            return true;
        }
    }
    if (str_starts(text, STR("label:")) && text.n > STR("label:").n) {
        *ret_by = BREAKDOWN_LABEL;
        *ret_label = str_sub(text, STR("label:").n, text.n);
        return true;
    }
    return err_set(err, ERR_INVALID,
                   "\"" STR_FMT "\" is not pool, zone, namespace or label:KEY, such as label:team",
                   STR_ARG(str_sub(text, 0, 200)));
}

static uint32_t row_named(struct summing *s, struct str name)
{
    /* The empty string is id 0 of every table, so names are marked. */
    struct strbuf key = strbuf_new(s->arena, name.n + 2);
    strbuf_addc(&key, '=');
    strbuf_add(&key, name);
    uint32_t row = (uint32_t)strtab_add(s->names, strbuf_str(&key)) - 1;
    if (row == s->rows.n) {
        struct breakdown_row fresh = {.name = name};
        VEC_PUSH(s->arena, &s->rows, fresh);
        VEC_PUSH(s->arena, &s->last_node, 0);
    }
    return row;
}

static struct str name_of_pod(const struct summing *s, const struct k8s_pod *pod)
{
    const struct strtab *tab = s->plan->cluster->tab;
    if (s->by == BREAKDOWN_NAMESPACE) {
        return strtab_str(tab, pod->ns);
    }
    strid value =
        s->label == STRID_NONE ? STRID_NONE : k8s_pairs_get(&pod->shape->labels, s->label);
    return value == STRID_NONE ? STR_EMPTY : strtab_str(tab, value);
}

static struct k8s_resources requests_of(struct summing *s, const struct k8s_pod *pod)
{
    uint32_t id = pod->shape->id;
    if (!s->known[id]) {
        s->of_shape[id] = sched_shape_requests(s->plan->cluster, s->arena, pod->shape);
        s->known[id] = true;
    }
    return s->of_shape[id];
}

/* In ninths of a GiB-vCPU measure, at least 1 so that a pod without requests has a share, too. */
static int64_t weight_of(int64_t cpu_milli, int64_t memory_bytes)
{
    int64_t cpu = sat_mul(cpu_milli, (INT64_C(1) << 20) * CPU_WEIGHT / 1000);
    return sat_add(sat_add(cpu, memory_bytes >> 10), 1);
}

static void add_node(struct summing *s, uint32_t node_i)
{
    const struct plan_node *node = &s->plan->nodes[node_i];
    const struct k8s_words *words = &s->plan->cluster->words;
    const bool whole = s->by == BREAKDOWN_POOL || s->by == BREAKDOWN_ZONE;
    struct str pool = s->plan->cluster->nodepools[node->pool_i].meta.name;
    struct str zone = strtab_str(s->plan->cluster->tab, s->plan->catalog->zones[node->zone_i].name);
    int64_t all = 0, seen = 0;
    uint32_t n_names = 0;
    for (uint32_t i = 0; i < node->n_pods; i++) {
        struct k8s_resources r = requests_of(s, &s->plan->cluster->pods[node->pods[i]]);
        all = sat_add(all, weight_of(k8s_resources_get(&r, words->cpu),
                                     k8s_resources_get(&r, words->memory)));
    }
    for (uint32_t i = 0; i < node->n_pods; i++) {
        const struct k8s_pod *pod = &s->plan->cluster->pods[node->pods[i]];
        struct k8s_resources r = requests_of(s, pod);
        struct str name = !whole ? name_of_pod(s, pod) : s->by == BREAKDOWN_POOL ? pool : zone;
        uint32_t row_i = row_named(s, name);
        struct breakdown_row *row = &s->rows.v[row_i];
        int64_t cpu = k8s_resources_get(&r, words->cpu);
        int64_t memory = k8s_resources_get(&r, words->memory);
        int64_t before = seen;
        seen = sat_add(seen, weight_of(cpu, memory));
        row->cost = sat_add(row->cost, muldiv_floor(node->price, seen, all) -
                                           muldiv_floor(node->price, before, all));
        row->cpu_milli = sat_add(row->cpu_milli, cpu);
        row->memory_bytes = sat_add(row->memory_bytes, memory);
        row->n_pods++;
        bool fresh = s->last_node.v[row_i] != node_i + 1;
        row->n_nodes += fresh;
        n_names += fresh;
        s->last_node.v[row_i] = node_i + 1;
    }
    s->n_shared += n_names > 1;
}

static int row_cmp(const void *a, const void *b)
{
    const struct breakdown_row *x = a, *y = b;
    return x->cost != y->cost ? (x->cost > y->cost ? -1 : 1) : str_cmp(x->name, y->name);
}

struct breakdown breakdown_of(const struct plan *plan, enum breakdown_by by, struct str label,
                              struct arena *arena)
{
    const uint32_t n_shapes = plan->cluster->n_shapes;
    struct summing s = {.plan = plan,
                        .by = by,
                        .label = strtab_find(plan->cluster->tab, label),
                        .arena = arena,
                        .names = strtab_new(arena),
                        .of_shape = ARENA_ARRAY(arena, struct k8s_resources, n_shapes + 1),
                        .known = ARENA_ARRAY(arena, bool, n_shapes + 1)};
    for (uint32_t i = 0; i < plan->n_nodes; i++) {
        add_node(&s, i);
    }
    if (s.rows.n > 0) {
        qsort(s.rows.v, s.rows.n, sizeof *s.rows.v, row_cmp);
    }
    return (struct breakdown){.by = by,
                              .label = label,
                              .n_rows = (uint32_t)s.rows.n,
                              .n_shared = s.n_shared,
                              .rows = s.rows.v};
}
