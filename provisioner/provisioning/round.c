/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "provisioner/provisioning/round.h"

#include <stdlib.h>

#include "base/jsonw.h"
#include "base/vec.h"
#include "binpack/plan/check.h"
#include "binpack/plan/default_pool.h"
#include "binpack/plan/disrupt.h"
#include "binpack/plan/plan_json.h"
#include "binpack/plan/retry.h"
#include "binpack/view/explanation.h"
#include "k8s/builder.h"
#include "k8s/reader.h"
#include "provisioner/observe/cluster.h"
#include "provisioner/provisioning/claims.h"
#include "provisioner/provisioning/gone.h"
#include "provisioner/provisioning/scheduler_config.h"

enum {
    STEP_WORK = 20000, /* about 20 ms */
    REASONS_MAX = 2048,
    SAID_MAX = 20,
    SHOWN_PODS = 5
};
#define DOCUMENT_MAX ((size_t)256 << 20)

struct run {
    struct round_job *job;
    struct round_result *result;
    struct make_settings settings;
    const struct k8s_cluster *cluster;
    const struct catalog *catalog;
    struct arena arena;      /* of cluster and plan */
    struct arena plan_arena; /* of a plan that disrupts */
    struct plan *plan;
};

/* ---- the cluster ---- */

static bool take_default(void *ctx, const struct k8s_read_object *object, struct err *err)
{
    return k8s_builder_add(ctx, object->value, object->list_kind, UINT32_MAX, /* removed= */ false,
                           NULL, err);
}

/* A cluster that has never seen Karpenter is planned for with a NodePool that most begin with, as
 * `binpack --simulate --live` does. */
static bool wants_default_pool(const struct k8s_frozen *frozen)
{
    return frozen->objects[STORE_NODEPOOLS].n + frozen->objects[STORE_NODECLASSES].n +
               frozen->objects[STORE_NODECLAIMS].n + frozen->objects[STORE_OVERLAYS].n ==
           0;
}

static bool build(struct run *run, struct err *err)
{
    struct k8s_builder *builder = k8s_frozen_builder(&run->job->frozen, &run->arena);
    run->result->default_pool = wants_default_pool(&run->job->frozen);
    if (run->result->default_pool &&
        !k8s_read_memory("built-in NodePool", str_of(default_pool_yaml), take_default, builder,
                         NULL, err)) {
        k8s_builder_done(builder);
        return false;
    }
    k8s_builder_instances(builder, run->job->instances, run->job->n_instances);
    run->cluster = k8s_builder_finish(builder);
    if (!scheduler_config_apply(run->job->scheduler_config, &run->cluster, &run->arena, err)) {
        return false;
    }
    run->catalog =
        cat_with_reservations(run->job->catalog, run->cluster->nodeclasses,
                              run->cluster->n_nodeclasses, run->cluster->tab, &run->arena);
    run->catalog = gone_catalog(run->catalog, run->cluster->tab, run->job->gone, run->job->n_gone,
                                &run->arena);
    return true;
}

/* ---- the plan ---- */

static bool is_cut(struct run *run)
{
    const struct round_job *job = run->job;
    return atomic_load(&job->cancelled) ||
           (job->cut_after.has && run->result->n_steps >= (uint64_t)job->cut_after.v);
}

/* To its end; false: it was cut. */
static bool work(void *ctx, struct make *make)
{
    struct run *run = ctx;
    bool more = true;
    while (more) {
        if (!run->result->cut && is_cut(run)) {
            run->result->cut = true;
            run->result->cut_after = run->result->n_steps;
        }
        if (run->result->cut) {
            make_cancel(make);
        }
        more = make_step(make, STEP_WORK);
        run->result->n_steps++;
    }
    return !run->result->cut;
}

static bool disrupt(struct run *run, const struct make_settings *settings, struct plan **ret_plan,
                    struct err *err)
{
    const struct disrupt_options options = DISRUPT_OPTIONS_DEFAULT;
    const struct disrupt_port port = {.ctx = run, .work = work};
    arena_done(&run->plan_arena);
    return disrupt_plan(run->cluster, run->catalog, settings, &options, &port, &run->plan_arena,
                        ret_plan, err);
}

static bool provision(struct run *run, const struct make_settings *settings, struct plan **ret_plan,
                      struct err *err)
{
    struct make *make = NULL;
    if (!make_new(run->cluster, run->catalog, settings, &make, err)) {
        return false;
    }
    (void)work(run, make);
    bool good = make_finish(make, &run->arena, ret_plan, err);
    make_free(make);
    return good;
}

static bool once(void *ctx, const struct make_settings *settings, struct plan **ret_plan,
                 struct err *err)
{
    struct run *run = ctx;
    return run->job->disrupts ? disrupt(run, settings, ret_plan, err)
                              : provision(run, settings, ret_plan, err);
}

static bool stopped(void *ctx, bool needed)
{
    const struct run *run = ctx;
    return run->job->first || (run->result->cut && !needed);
}

static bool plan(struct run *run, struct err *err)
{
    auto_arena scratch = ARENA_INIT;
    const struct check_settings checks = {
        .ignore_overlays = !run->settings.gate_node_overlay,
        .respect_strict_min_values = run->settings.min_values_policy == MAKE_STRICT,
        .spot_to_spot = run->settings.gate_spot_to_spot,
        .catalog = run->settings.catalog,
    };
    const struct retry retry = {.once = once,
                                .stopped = stopped,
                                .ctx = run,
                                .settings = &run->settings,
                                .checks = &checks,
                                .scratch = &scratch};
    return retry_plan(&retry, &run->plan, NULL, err);
}

/* ---- the numbers ---- */

static int by_text(const void *a, const void *b)
{
    return str_cmp(((const struct round_count *)a)->text, ((const struct round_count *)b)->text);
}

static void count_reasons(struct run *run)
{
    struct round_result *r = run->result;
    const struct plan *plan = run->plan;
    struct round_count *counts = ARENA_ARRAY(&r->arena, struct round_count, plan->n_unplaced);
    for (uint32_t i = 0; i < plan->n_unplaced; i++) {
        const struct plan_unplaced *u = &plan->unplaced[i];
        const struct str code = u->n_reasons > 0 ? u->reasons[0].code : STR("UNKNOWN");
        uint32_t at = 0;
        while (at < r->n_reasons && !str_eq(counts[at].text, code)) {
            at++;
        }
        if (at == r->n_reasons) {
            counts[r->n_reasons++] = (struct round_count){.text = str_copy(&r->arena, code)};
        }
        counts[at].n++;
    }
    qsort(counts, r->n_reasons, sizeof *counts, by_text);
    r->reasons = counts;
}

static void say_unplaced(struct run *run)
{
    struct round_result *r = run->result;
    const struct plan *plan = run->plan;
    struct round_unplaced *said = ARENA_ARRAY(&r->arena, struct round_unplaced, SAID_MAX);
    for (uint32_t i = 0; i < plan->n_unplaced && i < SAID_MAX; i++) {
        const struct plan_unplaced *u = &plan->unplaced[i];
        said[r->n_said++] = (struct round_unplaced){
            .pod = plan_pod_name(plan, u->pod, &r->arena),
            .code = u->n_reasons > 0 ? str_copy(&r->arena, u->reasons[0].code) : STR_EMPTY,
            .message = u->n_reasons > 0 ? str_copy(&r->arena, u->reasons[0].message) : STR_EMPTY};
    }
    r->said = said;
}

/* Each NodePool's, as Karpenter joins them. */
static struct str all_reasons(const struct plan_unplaced *u, struct arena *arena)
{
    struct strbuf b = strbuf_new(arena, REASONS_MAX);
    for (uint32_t i = 0; i < u->n_reasons; i++) {
        const struct plan_reason *reason = &u->reasons[i];
        strbuf_add(&b, i > 0 ? STR("; ") : STR_EMPTY);
        if (reason->pool.n > 0) {
            strbuf_addf(&b, "NodePool " STR_FMT ": ", STR_ARG(reason->pool));
        }
        strbuf_add(&b, reason->message);
    }
    return strbuf_str(&b);
}

static void list_failed(struct run *run)
{
    struct round_result *r = run->result;
    const struct plan *plan = run->plan;
    const uint32_t n = plan->n_unplaced < ROUND_TOLD_MAX ? plan->n_unplaced : ROUND_TOLD_MAX;
    struct round_unplaced *failed = ARENA_ARRAY(&r->arena, struct round_unplaced, n);
    for (uint32_t i = 0; i < n; i++) {
        const uint64_t at = (r->id * ROUND_TOLD_MAX + i) % plan->n_unplaced;
        const struct plan_unplaced *u = &plan->unplaced[at];
        failed[i] = (struct round_unplaced){.pod = plan_pod_name(plan, u->pod, &r->arena),
                                            .message = all_reasons(u, &r->arena)};
    }
    r->failed = failed;
    r->n_failed = n;
}

static void list_placed(struct run *run)
{
    struct round_result *r = run->result;
    const struct plan *plan = run->plan;
    uint64_t n_all = 0, seen = 0;
    for (uint32_t i = 0; i < plan->n_existing; i++) {
        n_all += plan->existing[i].n_pods;
    }
    const uint64_t first = n_all > 0 ? r->id * ROUND_TOLD_MAX % n_all : 0;
    struct round_placed *placed = ARENA_ARRAY(&r->arena, struct round_placed, ROUND_TOLD_MAX);
    for (uint32_t i = 0; i < plan->n_existing; i++) {
        for (uint32_t k = 0; k < plan->existing[i].n_pods; k++, seen++) {
            /* From `first` on, and over the end. */
            const uint64_t at = (seen + n_all - first) % n_all;
            if (at < ROUND_TOLD_MAX) {
                placed[r->n_placed++] = (struct round_placed){
                    .pod = plan_pod_name(plan, plan->existing[i].pods[k], &r->arena),
                    .node = str_copy(&r->arena, plan->existing[i].node)};
            }
        }
    }
    r->placed = placed;
}

static int by_kind(const void *a, const void *b)
{
    const struct round_nodes *x = a, *y = b;
    int order = str_cmp(x->node_pool, y->node_pool);
    order = order != 0 ? order : str_cmp(x->instance_type, y->instance_type);
    order = order != 0 ? order : str_cmp(x->zone, y->zone);
    return order != 0 ? order : str_cmp(x->capacity_type, y->capacity_type);
}

static void count_nodes(struct run *run)
{
    struct round_result *r = run->result;
    const struct plan *plan = run->plan;
    const struct strtab *tab = run->cluster->tab;
    struct round_nodes *all = ARENA_ARRAY(&r->arena, struct round_nodes, plan->n_nodes);
    for (uint32_t i = 0; i < plan->n_nodes; i++) {
        const struct plan_node *node = &plan->nodes[i];
        all[i] =
            (struct round_nodes){.node_pool = run->cluster->nodepools[node->pool_i].meta.name,
                                 .instance_type = strtab_str(tab, node->type->name),
                                 .zone = strtab_str(tab, run->catalog->zones[node->zone_i].name),
                                 .capacity_type = plan_capacity_type_name(node->capacity_type),
                                 .price = node->price,
                                 .n = 1,
                                 .n_pods = node->n_pods};
    }
    qsort(all, plan->n_nodes, sizeof *all, by_kind);
    for (uint32_t i = 0; i < plan->n_nodes; i++) {
        if (r->n_kinds > 0 && by_kind(&all[r->n_kinds - 1], &all[i]) == 0) {
            all[r->n_kinds - 1].n++;
            all[r->n_kinds - 1].n_pods += all[i].n_pods;
        } else {
            all[r->n_kinds] = all[i];
            all[r->n_kinds].node_pool = str_copy(&r->arena, all[i].node_pool);
            all[r->n_kinds].instance_type = str_copy(&r->arena, all[i].instance_type);
            all[r->n_kinds].zone = str_copy(&r->arena, all[i].zone);
            r->n_kinds++;
        }
    }
    r->kinds = all;
}

static void name_pods(struct run *run, struct strbuf *b, uint32_t *n, const uint32_t *pods,
                      uint32_t n_pods)
{
    for (uint32_t i = 0; i < n_pods && *n < SHOWN_PODS; i++, ++*n) {
        strbuf_add(b, *n > 0 ? STR(", ") : STR_EMPTY);
        strbuf_add(b, plan_pod_name(run->plan, pods[i], &run->arena));
    }
}

static struct str some_pods(struct run *run)
{
    const struct plan *plan = run->plan;
    struct strbuf b = strbuf_new(&run->result->arena, 4096);
    uint32_t n = 0;
    for (uint32_t i = 0; i < plan->n_nodes; i++) {
        name_pods(run, &b, &n, plan->nodes[i].pods, plan->nodes[i].n_pods);
    }
    for (uint32_t i = 0; i < plan->n_existing; i++) {
        name_pods(run, &b, &n, plan->existing[i].pods, plan->existing[i].n_pods);
    }
    for (uint32_t i = 0; i < plan->n_unplaced; i++) {
        name_pods(run, &b, &n, &plan->unplaced[i].pod, 1);
    }
    if (plan->n_pending > n) {
        strbuf_addf(&b, " and %u other(s)", plan->n_pending - n);
    }
    return strbuf_str(&b);
}

static struct str some_nodes(struct run *run, const struct plan_command *command)
{
    struct strbuf b = strbuf_new(&run->result->arena, 4096);
    for (uint32_t i = 0; i < command->n_nodes && i < SHOWN_PODS; i++) {
        strbuf_add(&b, i > 0 ? STR(", ") : STR_EMPTY);
        strbuf_add(&b, run->cluster->nodes[command->nodes[i]].meta.name);
    }
    if (command->n_nodes > SHOWN_PODS) {
        strbuf_addf(&b, " and %u other(s)", command->n_nodes - SHOWN_PODS);
    }
    return strbuf_str(&b);
}

static void count_disruption(struct run *run)
{
    struct round_result *r = run->result;
    const struct plan_disruption *d = run->plan->disruption;
    if (d == NULL) {
        return;
    }
    struct round_command *commands = ARENA_ARRAY(&r->arena, struct round_command, d->n_commands);
    struct round_count *by = ARENA_ARRAY(&r->arena, struct round_count, d->n_commands);
    for (uint32_t i = 0; i < d->n_commands; i++) {
        const struct plan_command *command = &d->commands[i];
        uint32_t at = 0;
        commands[i] = (struct round_command){.reason = command->reason,
                                             .nodes = some_nodes(run, command),
                                             .n_nodes = command->n_nodes,
                                             .n_with = command->n_with,
                                             .n_moved = command->n_moved,
                                             .saves = command->saves};
        while (at < r->n_disrupted_by && !str_eq(by[at].text, command->reason)) {
            at++;
        }
        r->n_disrupted_by += at == r->n_disrupted_by;
        by[at].text = command->reason;
        by[at].n += command->n_nodes;
        r->n_disrupted += command->n_nodes;
    }
    qsort(by, r->n_disrupted_by, sizeof *by, by_text);
    r->commands = commands;
    r->n_commands = d->n_commands;
    r->disrupted_by = by;
    r->saves = d->saves;
    r->saves_at_most = d->saves_at_most;
    r->n_moved = d->n_moved;
}

static void count(struct run *run)
{
    struct round_result *r = run->result;
    const struct plan *plan = run->plan;
    r->n_new_nodes = plan->n_nodes;
    r->n_pending = plan->n_pending;
    r->n_unplaced = plan->n_unplaced;
    r->cost = plan->cost;
    r->bound = plan->bound;
    r->gap_ppb = plan_gap_ppb(plan);
    r->running_cost = plan->running_cost;
    r->on_demand_cost = plan->on_demand_cost;
    r->n_running_unpriced = plan->n_running_unpriced;
    r->status = str_copy(&r->arena, plan->status);
    r->pods = some_pods(run);
    for (uint32_t i = 0; i < plan->n_existing; i++) {
        r->n_placed_running += plan->existing[i].n_pods;
    }
    for (uint32_t i = 0; i < plan->n_ignored; i++) {
        r->n_ignored += plan->ignored[i].n;
    }
    count_disruption(run);
    count_reasons(run);
    count_nodes(run);
    say_unplaced(run);
    if (run->job->claims && !run->job->disrupts) {
        list_failed(run);
        list_placed(run);
    }
}

static bool write_document(struct run *run, struct err *err)
{
    auto_arena scratch = ARENA_INIT, text = ARENA_INIT;
    struct strbuf b = strbuf_new(&text, DOCUMENT_MAX);
    struct jsonw w = jsonw_new(&b, JSONW_PRETTY);
    if (run->result->explains) {
        explain_json(run->plan, &w, &scratch);
    } else {
        plan_json(run->plan, &w, &scratch);
    }
    if (b.overflow) {
        return err_set(err, ERR_LIMIT, "the plan has more than %zu bytes", DOCUMENT_MAX);
    }
    run->result->document = str_copy(&run->result->arena, strbuf_str(&b));
    return true;
}

/* ---- all of it ---- */

void round_run(struct round_job *job, const struct parallel *parallel,
               struct round_result *ret_result)
{
    *ret_result = (struct round_result){.arena = ARENA_INIT,
                                        .id = job->id,
                                        .explains = job->explain.n > 0,
                                        .disrupts = job->disrupts,
                                        .first = job->first};
    struct run run = {
        .job = job, .result = ret_result, .settings = job->settings, .arena = ARENA_INIT};
    run.settings.now = job->now;
    run.settings.mode = job->disrupts ? PLAN_DISRUPT : PLAN_PROVISION;
    run.settings.solver.parallel = parallel;
    if (job->first) {
        run.settings.solver.algorithm = BP_FFD;
        run.settings.no_repair = true;
    }
    run.settings.explain = &job->explain;
    run.settings.n_explain = job->explain.n > 0 ? 1 : 0;
    const bool built = build(&run, &ret_result->err);
    if (built && job->observe && !job->disrupts && !job->first && !ret_result->explains) {
        /* Before the plan: the memory that this takes for a moment is free for it again. */
        ret_result->cluster_metrics =
            cluster_metrics_text(run.cluster, run.catalog, job->now, &ret_result->arena);
    }
    ret_result->good =
        built && plan(&run, &ret_result->err) && write_document(&run, &ret_result->err);
    if (ret_result->good) {
        count(&run);
    }
    if (ret_result->good && job->claims && !job->disrupts && !ret_result->explains &&
        !ret_result->default_pool) {
        claims_of_plan(run.plan, job->id, &ret_result->arena, &ret_result->claims,
                       &ret_result->n_claims);
    }
    arena_done(&run.plan_arena);
    arena_done(&run.arena);
}

void round_result_done(struct round_result *result)
{
    arena_done(&result->arena);
}

void round_cancel(struct round_job *job)
{
    atomic_store(&job->cancelled, true);
}
