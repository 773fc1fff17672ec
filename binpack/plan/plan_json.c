/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "binpack/plan/plan_json.h"

#include <stdlib.h>

#include "base/arena.h"
#include "base/qty.h"
#include "base/rfc3339.h"

struct str plan_capacity_type_name(enum cat_capacity_type type)
{
    return str_of(cat_capacity_type_name(type));
}

struct str plan_mode_name(enum plan_mode mode)
{
    switch (mode) {
    case PLAN_REPACK:
        return STR("repack");
    case PLAN_DISRUPT:
        return STR("disrupt");
    case PLAN_PROVISION:
        break;
    }
    return STR("provision");
}

struct str plan_pod_name(const struct plan *plan, uint32_t pod, struct arena *arena)
{
    const struct k8s_pod *p = &plan->cluster->pods[pod];
    struct str ns = strtab_str(plan->cluster->tab, p->ns);
    struct strbuf b = strbuf_new(arena, ns.n + p->name.n + 1);
    strbuf_add(&b, ns);
    strbuf_addc(&b, '/');
    strbuf_add(&b, p->name);
    return strbuf_str(&b);
}

struct str plan_amount(const struct k8s_words *words, const struct strtab *tab, strid resource,
                       int64_t value, struct arena *arena)
{
    char buffer[QTY_TEXT_MAX];
    bool is_cpu = resource == words->cpu;
    bool is_bytes = resource == words->memory || resource == words->ephemeral_storage ||
                    str_starts(strtab_str(tab, resource), STR("hugepages-"));
    struct str text = qty_format(value, is_cpu ? QTY_MILLI : QTY_BASE,
                                 is_bytes ? QTY_BINARY : QTY_DECIMAL, buffer);
    return str_copy(arena, text);
}

int64_t plan_gap_ppb(const struct plan *plan)
{
    if (plan->cost <= 0 || plan->bound >= plan->cost) {
        return 0;
    }
    return muldiv_ceil(plan->cost - plan->bound, 1000000000, plan->cost);
}

usd_t plan_on_demand_price(const struct plan_node *node)
{
    usd_t any = node->price;
    bool found = false;
    for (uint32_t i = 0; i < node->type->n_offerings; i++) {
        const struct cat_offering *offering = &node->type->offerings[i];
        if (offering->capacity_type != CAT_ON_DEMAND || !offering->price.has) {
            continue;
        }
        if (offering->zone_i == node->zone_i) {
            return offering->price.v;
        }
        any = found ? any : offering->price.v;
        found = true;
    }
    return any;
}

struct sortable {
    struct str text;
    uint32_t i;
};

static int sortable_cmp(const void *a, const void *b)
{
    return str_cmp(((const struct sortable *)a)->text, ((const struct sortable *)b)->text);
}

static struct sortable *sortable_new(struct arena *arena, uint32_t n)
{
    return ARENA_ARRAY(arena, struct sortable, n + 1);
}

const struct k8s_pair *plan_sorted_pairs(const struct strtab *tab, const struct k8s_pairs *pairs,
                                         struct arena *arena)
{
    struct sortable *order = sortable_new(arena, pairs->n);
    struct k8s_pair *sorted = ARENA_ARRAY(arena, struct k8s_pair, pairs->n + 1);
    for (uint32_t i = 0; i < pairs->n; i++) {
        order[i] = (struct sortable){.text = strtab_str(tab, pairs->v[i].key), .i = i};
    }
    qsort(order, pairs->n, sizeof(order[0]), sortable_cmp);
    for (uint32_t i = 0; i < pairs->n; i++) {
        sorted[i] = pairs->v[order[i].i];
    }
    return sorted;
}

void plan_resources(const struct plan *plan, struct jsonw *w, const struct k8s_resources *resources,
                    struct arena *scratch)
{
    const struct strtab *tab = plan->cluster->tab;
    struct sortable *order = sortable_new(scratch, resources->n);
    for (uint32_t i = 0; i < resources->n; i++) {
        order[i] = (struct sortable){.text = strtab_str(tab, resources->v[i].resource), .i = i};
    }
    qsort(order, resources->n, sizeof(order[0]), sortable_cmp);
    jsonw_object_begin(w);
    for (uint32_t i = 0; i < resources->n; i++) {
        const struct k8s_quantity *q = &resources->v[order[i].i];
        jsonw_key(w, order[i].text);
        jsonw_str(w, plan_amount(&plan->cluster->words, tab, q->resource, q->value, scratch));
    }
    jsonw_object_end(w);
}

static struct str effect_name(enum k8s_effect effect)
{
    switch (effect) {
    case K8S_NO_EXECUTE:
        return STR("NoExecute");
    case K8S_PREFER_NO_SCHEDULE:
        return STR("PreferNoSchedule");
    case K8S_NO_SCHEDULE:
    case K8S_EFFECT_ANY:
        break;
    }
    return STR("NoSchedule");
}

void plan_taints(const struct plan *plan, struct jsonw *w, const struct k8s_taint *taints,
                 uint32_t n)
{
    const struct strtab *tab = plan->cluster->tab;
    jsonw_array_begin(w);
    for (uint32_t i = 0; i < n; i++) {
        jsonw_object_begin(w);
        jsonw_key_str(w, "key", strtab_str(tab, taints[i].key));
        if (taints[i].value != STRID_EMPTY && taints[i].value != STRID_NONE) {
            jsonw_key_str(w, "value", strtab_str(tab, taints[i].value));
        }
        jsonw_key_str(w, "effect", effect_name(taints[i].effect));
        jsonw_object_end(w);
    }
    jsonw_array_end(w);
}

static void put_pods(const struct plan *plan, struct jsonw *w, const char *key,
                     const uint32_t *pods, uint32_t n, struct arena *scratch)
{
    jsonw_key_array(w, key);
    for (uint32_t i = 0; i < n; i++) {
        struct arena_mark mark = arena_mark(scratch);
        jsonw_str(w, plan_pod_name(plan, pods[i], scratch));
        arena_rewind(scratch, mark);
    }
    jsonw_array_end(w);
}

static void put_inputs(const struct plan *plan, struct jsonw *w)
{
    const struct k8s_cluster *cluster = plan->cluster;
    char buffer[RFC3339_TEXT_MAX];
    jsonw_key_object(w, "inputs");
    jsonw_key_i64(w, "pods", cluster->n_pods);
    jsonw_key_i64(w, "pendingPods", plan->n_pending);
    jsonw_key(w, STR("podsWithoutNeed"));
    jsonw_object_begin(w);
    for (uint32_t i = 0; i < plan->n_ignored; i++) {
        jsonw_key(w, plan->ignored[i].reason);
        jsonw_i64(w, plan->ignored[i].n);
    }
    jsonw_object_end(w);
    jsonw_key_i64(w, "nodes", cluster->n_nodes);
    jsonw_key_i64(w, "nodePools", cluster->n_nodepools);
    jsonw_key_str(w, "catalog", plan->catalog->name);
    jsonw_key_str(w, "mode", plan_mode_name(plan->mode));
    jsonw_key_str(w, "now", rfc3339_format(plan->now, buffer));
    jsonw_key_i64(w, "seed", (int64_t)plan->seed);
    jsonw_object_end(w);
}

static void put_totals(const struct plan *plan, struct jsonw *w)
{
    jsonw_key_object(w, "totals");
    jsonw_key_i64(w, "newNodes", plan->n_nodes);
    jsonw_key_usd(w, "usdPerHour", plan->cost);
    jsonw_key_usd(w, "usdPerMonth", sat_mul(plan->cost, HOURS_PER_MONTH));
    jsonw_key_usd(w, "onDemandUsdPerHour", plan->on_demand_cost);
    jsonw_key_usd(w, "existingUsdPerHour", plan->running_cost);
    jsonw_key_i64(w, "existingNodesWithoutPrice", plan->n_running_unpriced);
    jsonw_key_i64(w, "unplacedPods", plan->n_unplaced);
    jsonw_object_end(w);
}

static void put_certificate(const struct plan *plan, struct jsonw *w)
{
    jsonw_key_object(w, "certificate");
    jsonw_key_usd(w, "lowerBoundUsdPerHour", plan->bound);
    jsonw_key(w, STR("gap"));
    jsonw_decimal(w, plan_gap_ppb(plan), 9);
    jsonw_key_str(w, "method", plan->method.n > 0 ? plan->method : STR("column-generation"));
    jsonw_key_i64(w, "columns", plan->n_columns);
    jsonw_key_str(w, "status", plan->status);
    jsonw_key(w, STR("relaxed"));
    jsonw_array_begin(w);
    for (uint32_t i = 0; i < plan->n_relaxed; i++) {
        jsonw_str(w, plan->relaxed[i]);
    }
    jsonw_array_end(w);
    jsonw_object_end(w);
}

const struct plan_planner_row plan_planners[PLAN_N_PLANNERS] = {
    [PLAN_OWN] = {"", "", "", ""},
    [PLAN_KARPENTER] = {"karpenter", "v1.14", "Karpenter v1.14", "karpenter-emulated"},
    [PLAN_CLUSTER_AUTOSCALER] = {"cluster-autoscaler", "", "the Cluster Autoscaler",
                                 "cluster-autoscaler-emulated"},
};

bool plan_is_emulated(const struct plan *plan)
{
    for (int p = PLAN_OWN + 1; p < PLAN_N_PLANNERS; p++) {
        if (str_eq(plan->method, str_of(plan_planners[p].method))) {
            return true;
        }
    }
    return false;
}

struct str plan_planner_tag(enum plan_planner planner, struct arena *arena)
{
    const struct plan_planner_row *row = &plan_planners[planner];
    struct strbuf tag = strbuf_new(arena, 128);
    strbuf_addf(&tag, "%s%s%s", row->name, row->version[0] != '\0' ? " " : "", row->version);
    return strbuf_str(&tag);
}

/* Who made the plan. An imitation says so. */
static void put_algorithm(const struct plan *plan, struct jsonw *w)
{
    jsonw_key_object(w, "algorithm");
    jsonw_key_str(w, "name",
                  plan->emulated != PLAN_OWN ? str_of(plan_planners[plan->emulated].name)
                  : str_eq(plan->method, STR("first-fit-decreasing")) ? STR("ffd")
                                                                      : STR("colgen"));
    jsonw_key(w, STR("emulated"));
    jsonw_bool(w, plan->emulated != PLAN_OWN);
    if (plan_planners[plan->emulated].version[0] != '\0') {
        jsonw_key_str(w, "version", str_of(plan_planners[plan->emulated].version));
    }
    jsonw_object_end(w);
}

static void put_labels(const struct plan *plan, struct jsonw *w, const struct k8s_pairs *labels,
                       struct arena *scratch)
{
    const struct strtab *tab = plan->cluster->tab;
    const struct k8s_pair *sorted = plan_sorted_pairs(tab, labels, scratch);
    jsonw_key_object(w, "labels");
    for (uint32_t i = 0; i < labels->n; i++) {
        jsonw_key(w, strtab_str(tab, sorted[i].key));
        jsonw_str(w, strtab_str(tab, sorted[i].value));
    }
    jsonw_object_end(w);
}

static void put_node(const struct plan *plan, struct jsonw *w, const struct plan_node *node,
                     struct arena *scratch)
{
    const struct strtab *tab = plan->cluster->tab;
    const struct karp_nodepool *pool = &plan->cluster->nodepools[node->pool_i];
    jsonw_object_begin(w);
    jsonw_key_str(w, "name", node->name);
    jsonw_key_str(w, "nodePool", pool->meta.name);
    jsonw_key_str(w, "instanceType", strtab_str(tab, node->type->name));
    jsonw_key_str(w, "zone", strtab_str(tab, plan->catalog->zones[node->zone_i].name));
    jsonw_key_str(w, "capacityType", plan_capacity_type_name(node->capacity_type));
    if (node->reservation_id != STRID_EMPTY) {
        jsonw_key_str(w, "capacityReservationId", strtab_str(tab, node->reservation_id));
    }
    jsonw_key_usd(w, "usdPerHour", node->price);
    jsonw_key(w, STR("instanceTypeOptions"));
    jsonw_array_begin(w);
    for (uint32_t i = 0; i < node->n_options; i++) {
        jsonw_str(w, strtab_str(tab, node->options[i]->name));
    }
    jsonw_array_end(w);
    jsonw_key_str(w, "os", strtab_str(tab, node->os));
    put_labels(plan, w, &node->labels, scratch);
    jsonw_key(w, STR("taints"));
    plan_taints(plan, w, pool->taints, pool->n_taints);
    jsonw_key(w, STR("allocatable"));
    plan_resources(plan, w, &node->allocatable, scratch);
    jsonw_key(w, STR("requested"));
    plan_resources(plan, w, &node->requested, scratch);
    jsonw_key(w, STR("daemonOverhead"));
    plan_resources(plan, w, &node->daemons, scratch);
    put_pods(plan, w, "pods", node->pods, node->n_pods, scratch);
    jsonw_object_end(w);
}

void plan_reason_json(const struct plan_reason *reason, struct jsonw *w)
{
    jsonw_object_begin(w);
    if (reason->pool.n > 0) {
        jsonw_key_str(w, "nodePool", reason->pool);
    }
    jsonw_key_str(w, "code", reason->code);
    jsonw_key_str(w, "message", reason->message);
    jsonw_object_end(w);
}

static void put_unplaced(const struct plan *plan, struct jsonw *w,
                         const struct plan_unplaced *unplaced, struct arena *scratch)
{
    jsonw_object_begin(w);
    jsonw_key_str(w, "pod", plan_pod_name(plan, unplaced->pod, scratch));
    jsonw_key_array(w, "reasons");
    for (uint32_t i = 0; i < unplaced->n_reasons; i++) {
        plan_reason_json(&unplaced->reasons[i], w);
    }
    jsonw_array_end(w);
    jsonw_object_end(w);
}

static void put_places(const struct plan *plan, struct jsonw *w, struct arena *scratch)
{
    jsonw_key_array(w, "nodes");
    for (uint32_t i = 0; i < plan->n_nodes; i++) {
        struct arena_mark mark = arena_mark(scratch);
        put_node(plan, w, &plan->nodes[i], scratch);
        arena_rewind(scratch, mark);
    }
    jsonw_array_end(w);
    jsonw_key_array(w, "existing");
    for (uint32_t i = 0; i < plan->n_existing; i++) {
        jsonw_object_begin(w);
        jsonw_key_str(w, "name", plan->existing[i].node);
        put_pods(plan, w, "pods", plan->existing[i].pods, plan->existing[i].n_pods, scratch);
        jsonw_object_end(w);
    }
    jsonw_array_end(w);
    jsonw_key_array(w, "unschedulable");
    for (uint32_t i = 0; i < plan->n_unplaced; i++) {
        struct arena_mark mark = arena_mark(scratch);
        put_unplaced(plan, w, &plan->unplaced[i], scratch);
        arena_rewind(scratch, mark);
    }
    jsonw_array_end(w);
}

static void put_commands(const struct plan *plan, struct jsonw *w)
{
    const struct plan_disruption *d = plan->disruption;
    for (int pass = 0; pass < 2; pass++) {
        jsonw_key_array(w, pass == 0 ? "delete" : "replace");
        for (uint32_t c = 0; c < d->n_commands; c++) {
            const struct plan_command *command = &d->commands[c];
            for (uint32_t i = 0; pass == 0 && command->n_with == 0 && i < command->n_nodes; i++) {
                jsonw_object_begin(w);
                jsonw_key_str(w, "node", plan->cluster->nodes[command->nodes[i]].meta.name);
                jsonw_key_str(w, "reason", command->reason);
                jsonw_key_usd(w, "savingsUsdPerHour", command->saves);
                jsonw_object_end(w);
            }
            if (pass == 0 || command->n_with == 0) {
                continue;
            }
            jsonw_object_begin(w);
            jsonw_key_array(w, "nodes");
            for (uint32_t i = 0; i < command->n_nodes; i++) {
                jsonw_str(w, plan->cluster->nodes[command->nodes[i]].meta.name);
            }
            jsonw_array_end(w);
            jsonw_key_array(w, "with");
            for (uint32_t i = 0; i < command->n_with; i++) {
                jsonw_str(w, plan->nodes[command->with[i]].name);
            }
            jsonw_array_end(w);
            jsonw_key_str(w, "reason", command->reason);
            jsonw_key_i64(w, "movedPods", command->n_moved);
            jsonw_key_usd(w, "savingsUsdPerHour", command->saves);
            jsonw_object_end(w);
        }
        jsonw_array_end(w);
    }
}

static void put_steps(const struct plan *plan, struct jsonw *w, struct arena *scratch)
{
    const struct plan_disruption *d = plan->disruption;
    jsonw_key_array(w, "steps");
    for (uint32_t s = 0; s < d->n_steps; s++) {
        const struct plan_step *step = &d->steps[s];
        jsonw_object_begin(w);
        jsonw_key_array(w, "launch");
        for (uint32_t i = 0; i < step->n_launch; i++) {
            jsonw_str(w, plan->nodes[step->launch[i]].name);
        }
        jsonw_array_end(w);
        jsonw_key_str(w, "drain", plan->cluster->nodes[step->node].meta.name);
        put_pods(plan, w, "pods", step->pods, step->n_pods, scratch);
        if (step->n_waits > 0) {
            put_pods(plan, w, "waitsFor", step->waits, step->n_waits, scratch);
        }
        jsonw_object_end(w);
    }
    jsonw_array_end(w);
}

static void put_disruption(const struct plan *plan, struct jsonw *w, struct arena *scratch)
{
    const struct plan_disruption *d = plan->disruption;
    jsonw_key_object(w, "disruption");
    put_commands(plan, w);
    jsonw_key_array(w, "keep");
    for (uint32_t i = 0; i < d->n_kept; i++) {
        jsonw_object_begin(w);
        jsonw_key_str(w, "node", d->kept[i].node);
        if (d->kept[i].event.n > 0) {
            jsonw_key_str(w, "event", d->kept[i].event);
        }
        jsonw_key_str(w, "reason", d->kept[i].message);
        if (d->kept[i].drift.n > 0) {
            jsonw_key_str(w, "drift", d->kept[i].drift);
        }
        jsonw_object_end(w);
    }
    jsonw_array_end(w);
    put_steps(plan, w, scratch);
    jsonw_key_i64(w, "movedPods", d->n_moved);
    jsonw_key_usd(w, "runningUsdPerHour", d->running);
    jsonw_key_usd(w, "savingsUsdPerHour", d->saves);
    jsonw_key_usd(w, "pendingUsdPerHour", d->pending_cost);
    jsonw_key_usd(w, "afterUsdPerHour", d->after);
    jsonw_key_usd(w, "consolidationSavingsUsdPerHour", d->consolidation_saves);
    if (d->saves_at_most.has) {
        jsonw_key_usd(w, "consolidationSavingsAtMostUsdPerHour", d->saves_at_most.v);
    }
    jsonw_key_usd(w, "moveChargeUsdPerPodHour", d->move_charge);
    if (d->unsettled) {
        jsonw_key_bool(w, "unsettled", true);
    }
    jsonw_object_end(w);
}

void plan_json(const struct plan *plan, struct jsonw *w, struct arena *scratch)
{
    struct arena_mark mark = arena_mark(scratch);
    jsonw_object_begin(w);
    jsonw_key_str(w, "apiVersion", STR("binpack/v1"));
    jsonw_key_str(w, "kind", STR("Plan"));
    put_inputs(plan, w);
    put_totals(plan, w);
    put_algorithm(plan, w);
    put_certificate(plan, w);
    put_places(plan, w, scratch);
    if (plan->disruption != NULL) {
        put_disruption(plan, w, scratch);
    }
    jsonw_key_array(w, "assumptions");
    for (uint32_t i = 0; i < plan->n_notes; i++) {
        jsonw_object_begin(w);
        jsonw_key_str(w, "code", plan->notes[i].code);
        jsonw_key_str(w, "message", plan->notes[i].message);
        jsonw_object_end(w);
    }
    jsonw_array_end(w);
    jsonw_object_end(w);
    arena_rewind(scratch, mark);
}
