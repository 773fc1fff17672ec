/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the engine counts. */
#include "base/arena.h"
#include "provisioner/engine/engine_impl.h"

static const struct str provisioner = {.p = "provisioner", .n = 11};

static void count_plan(struct engine *engine, const struct round_result *result)
{
    struct metrics *m = engine->metrics;
    metrics_set(m, METRIC_PLAN_COST, NULL, result->cost);
    metrics_set(m, METRIC_PLAN_BOUND, NULL, result->bound);
    metrics_set(m, METRIC_PLAN_GAP, NULL, result->gap_ppb);
    metrics_set(m, METRIC_PLAN_ON_DEMAND_COST, NULL, result->on_demand_cost);
    metrics_set(m, METRIC_PLAN_PENDING_PODS, NULL, result->n_pending);
    metrics_set(m, METRIC_PLAN_AGE, NULL, engine->job.now);
    metrics_set(m, METRIC_RUNNING_COST, NULL, result->running_cost);
    metrics_set(m, METRIC_RUNNING_UNPRICED, NULL, result->n_running_unpriced);
    metrics_set(m, METRIC_IGNORED_PODS, NULL, result->n_ignored);
    metrics_set(m, METRIC_UNSCHEDULABLE_PODS, &provisioner, result->n_unplaced);
    metrics_clear(m, METRIC_PLAN_UNPLACED_PODS);
    for (uint32_t i = 0; i < result->n_reasons; i++) {
        metrics_set(m, METRIC_PLAN_UNPLACED_PODS, &result->reasons[i].text, result->reasons[i].n);
    }
    metrics_clear(m, METRIC_PLAN_NEW_NODES);
    for (uint32_t i = 0; i < result->n_kinds; i++) {
        const struct round_nodes *nodes = &result->kinds[i];
        const struct str labels[] = {nodes->node_pool, nodes->instance_type, nodes->zone,
                                     nodes->capacity_type};
        metrics_set(m, METRIC_PLAN_NEW_NODES, labels, nodes->n);
    }
}

void count_round(struct engine *engine, const struct round_result *result, struct moment now)
{
    const struct str outcome = !result->good ? STR("failed")
                               : result->cut ? STR("cut")
                                             : STR("complete");
    metrics_add(engine->metrics, METRIC_PLANS, &outcome, 1);
    metrics_observe(engine->metrics, METRIC_SCHEDULING_DURATION, &provisioner,
                    (now.mono - engine->began) * 1000);
    if (result->good) {
        count_plan(engine, result);
    }
}

/* A bound of nothing would look like a plan of which nothing is proven necessary. */
void count_first(struct engine *engine, const struct round_result *result, struct moment now)
{
    metrics_observe(engine->metrics, METRIC_FIRST_PLAN, NULL, (now.mono - engine->due) * 1000);
    count_plan(engine, result);
    if (result->bound == 0) {
        metrics_clear(engine->metrics, METRIC_PLAN_BOUND);
        metrics_clear(engine->metrics, METRIC_PLAN_GAP);
    }
}

void count_disruption(struct engine *engine, const struct round_result *result)
{
    struct metrics *m = engine->metrics;
    const struct str outcome = !result->good ? STR("failed")
                               : result->cut ? STR("cut")
                                             : STR("complete");
    metrics_add(m, METRIC_DISRUPTIONS, &outcome, 1);
    if (!result->good || result->cut) {
        return;
    }
    metrics_set(m, METRIC_DISRUPTION_SAVES, NULL, result->saves);
    metrics_set(m, METRIC_DISRUPTION_MOVED_PODS, NULL, result->n_moved);
    metrics_clear(m, METRIC_DISRUPTION_SAVES_AT_MOST);
    if (result->saves_at_most.has) {
        metrics_set(m, METRIC_DISRUPTION_SAVES_AT_MOST, NULL, result->saves_at_most.v);
    }
    metrics_clear(m, METRIC_DISRUPTION_NODES);
    for (uint32_t i = 0; i < result->n_disrupted_by; i++) {
        metrics_set(m, METRIC_DISRUPTION_NODES, &result->disrupted_by[i].text,
                    result->disrupted_by[i].n);
    }
}

/* ---- pods ---- */

enum pod_stage count_pod_stage(const struct engine *engine, const struct event *event)
{
    const struct k8s_pod *pod =
        event->kind->store == STORE_PODS && event->delta.change != K8S_DELETED
            ? k8s_state_find(engine->state, event->kind, &event->delta.id)
            : NULL;
    return pod == NULL                 ? POD_NEW
           : pod->phase == K8S_RUNNING ? POD_RUNS
           : pod->node_name.n > 0      ? POD_BOUND
                                       : POD_WAITS;
}

/* Only what was seen to wait: nobody knows of the others when it happened. */
void count_pod(struct engine *engine, const struct event *event, enum pod_stage before, wall_t now)
{
    const enum pod_stage stage = before == POD_NEW ? POD_NEW : count_pod_stage(engine, event);
    if (stage <= before) {
        return;
    }
    const struct k8s_pod *pod = k8s_state_find(engine->state, event->kind, &event->delta.id);
    const int64_t age_ms = pod->created.has ? sat_sub(now, pod->created.v) : 0;
    const int64_t age_us = age_ms > 0 ? sat_mul(age_ms, 1000) : 0;
    if (pod->created.has && before == POD_WAITS) {
        metrics_observe(engine->metrics, METRIC_PODS_BOUND, NULL, age_us);
    }
    if (pod->created.has && stage == POD_RUNS) {
        metrics_observe(engine->metrics, METRIC_PODS_STARTUP, NULL, age_us);
    }
}

/* ---- what follows from the state ---- */

/* Cores, bytes or numbers with three decimals. */
static int64_t in_thousandths(const struct engine *engine, const struct k8s_quantity *q)
{
    return q->resource == engine->words.words.cpu ? q->value : sat_mul(q->value, 1000);
}

static void count_limits(struct engine *engine)
{
    auto_arena scratch = ARENA_INIT;
    const struct strtab *tab = engine->words.tab;
    metrics_clear(engine->metrics, METRIC_NODEPOOLS_LIMIT);
    for (uint32_t i = 0; i < k8s_state_count(engine->state, STORE_NODEPOOLS); i++) {
        const struct karp_nodepool *pool = k8s_state_at(engine->state, STORE_NODEPOOLS, i);
        for (uint32_t r = 0; r < pool->limits.n; r++) {
            const struct str labels[] = {
                metrics_word(strtab_str(tab, pool->limits.v[r].resource), &scratch),
                pool->meta.name};
            metrics_set(engine->metrics, METRIC_NODEPOOLS_LIMIT, labels,
                        in_thousandths(engine, &pool->limits.v[r]));
        }
    }
}

/* As in the status of a NodePool: the capacity of its nodes, and how many there are. */
static void count_usage(struct engine *engine)
{
    auto_arena scratch = ARENA_INIT;
    const struct strtab *tab = engine->words.tab;
    metrics_clear(engine->metrics, METRIC_NODEPOOLS_USAGE);
    for (uint32_t i = 0; i < k8s_state_count(engine->state, STORE_NODES); i++) {
        const struct k8s_node *node = k8s_state_at(engine->state, STORE_NODES, i);
        const strid pool = k8s_pairs_get(&node->meta.labels, engine->words.words.nodepool);
        struct str labels[] = {STR("nodes"), strtab_str(tab, pool)};
        if (pool == STRID_NONE) {
            continue;
        }
        metrics_add(engine->metrics, METRIC_NODEPOOLS_USAGE, labels, 1000);
        arena_reset(&scratch);
        for (uint32_t r = 0; r < node->capacity.n; r++) {
            labels[0] = metrics_word(strtab_str(tab, node->capacity.v[r].resource), &scratch);
            metrics_add(engine->metrics, METRIC_NODEPOOLS_USAGE, labels,
                        in_thousandths(engine, &node->capacity.v[r]));
        }
    }
}

struct metrics *engine_metrics(struct engine *engine, struct moment now)
{
    struct metrics *m = engine->metrics;
    metrics_set(m, METRIC_CLUSTER_STATE_SYNCED, NULL, engine->synced);
    metrics_set(m, METRIC_CLUSTER_STATE_UNSYNCED_SECONDS, NULL,
                engine->synced ? 0 : now.mono - engine->unsynced_since);
    metrics_set(m, METRIC_CLUSTER_STATE_NODE_COUNT, NULL,
                k8s_state_count(engine->state, STORE_NODES));
    metrics_set(m, METRIC_PENDING_PODS, NULL, engine->n_pending);
    metrics_set(m, METRIC_STATE_BYTES, NULL, (int64_t)k8s_state_bytes(engine->state));
    for (uint32_t i = 0; i < k8s_n_kinds; i++) {
        const struct str resource = str_of(k8s_kinds[i].resource);
        if (engine->n_refused[i] > 0) {
            metrics_set(m, METRIC_OBJECTS_REFUSED, &resource, (int64_t)engine->n_refused[i]);
        }
    }
    count_limits(engine);
    count_usage(engine);
    return m;
}
