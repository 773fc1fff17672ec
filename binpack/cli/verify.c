/* SPDX-License-Identifier: GPL-3.0-or-later */
/* `binpack verify PLAN`: does a plan that was printed hold against the cluster, and its bound
 * against its certificate? */
#include "base/arena.h"
#include "base/limits.h"
#include "base/strtab.h"
#include "binpack/cli/commands.h"
#include "binpack/cli/input.h"
#include "binpack/cli/output.h"
#include "binpack/cli/plan_file.h"
#include "binpack/plan/certificate.h"
#include "binpack/plan/check.h"
#include "binpack/plan/make.h"
#include "binpack/plan/read_plan.h"
#include "binpack/plan/retry.h"
#include "binpack/plan/stated.h"
#include "binpack/scheduling/snapshot.h"

#include <jansson.h>

enum { STEP_WORK = 20000 };

struct verifying {
    const struct options *options;
    struct console *console;
    struct arena *arena;
    struct input input;
    json_t *document;  /* of the plan */
    struct plan *plan; /* as read */
    struct plan *made; /* made anew from the input, for its problem and its list of pods */
    usd_t proven;
};

static bool read_the_plan(struct verifying *v, struct str path, struct err *err)
{
    /* A plan also names the pods that CapacityBuffers stand for. */
    const struct k8s_cluster *cluster = sched_cluster_widened(v->input.cluster, v->arena);
    return plan_file_read(path, &v->document, err) &&
           (read_plan(v->document, cluster, v->input.catalog, v->arena, &v->plan, err) ||
            err_wrap(err, STR_FMT, STR_ARG(path)));
}

/* Clock and mode are the plan's own unless the command line says otherwise. */
static struct make_settings settings_of(const struct verifying *v)
{
    struct make_settings settings = input_settings(v->options, &v->input);
    settings.now = v->options->now.has ? settings.now : v->plan->now;
    settings.mode = v->options->mode != 0 ? settings.mode : v->plan->mode;
    return settings;
}

/* Does a pod of one of these nodes move to a new spot node? Then the round mixes spot and on-demand
 * nodes in its commands (check_disrupt.h holds each of them against the gate). */
static bool moves_to_new_spot(const struct verifying *v, const struct strtab *nodes)
{
    for (uint32_t i = 0; i < v->plan->n_nodes; i++) {
        const struct plan_node *fresh = &v->plan->nodes[i];
        for (uint32_t k = 0; fresh->capacity_type == CAT_SPOT && k < fresh->n_pods; k++) {
            const uint32_t pod = fresh->pods[k];
            if (pod < v->input.cluster->n_pods &&
                strtab_find(nodes, v->input.cluster->pods[pod].node_name) != STRID_NONE) {
                return true;
            }
        }
    }
    return false;
}

/* How each node stands in the round that the plan describes; NULL when it disrupts nothing. */
static const uint8_t *leave_of(const struct verifying *v, const struct make_settings *settings)
{
    const struct plan_disruption *d = v->plan->disruption;
    const struct k8s_cluster *cluster = v->input.cluster;
    uint8_t *leave = ARENA_ARRAY(v->arena, uint8_t, cluster->n_nodes);
    struct strtab *merging_spot = strtab_new(v->arena);
    const uint8_t drifts = plan_is_emulated(v->plan) ? SCHED_DRIFTS : SCHED_DRIFTS | SCHED_BY_FORCE;
    for (uint32_t c = 0; d != NULL && c < d->n_commands; c++) {
        struct str reason = d->commands[c].reason;
        uint8_t how = str_eq(reason, STR("Expired"))   ? SCHED_EXPIRES
                      : str_eq(reason, STR("Drifted")) ? drifts
                                                       : SCHED_MERGES;
        for (uint32_t i = 0; i < d->commands[c].n_nodes; i++) {
            uint32_t node = d->commands[c].nodes[i];
            bool spot = k8s_pairs_get(&cluster->nodes[node].meta.labels,
                                      cluster->words.capacity_type) == cluster->words.spot;
            leave[node] = how;
            if (how == SCHED_MERGES && spot) {
                strtab_add(merging_spot, cluster->nodes[node].meta.name);
            }
        }
    }
    const bool barred = !settings->gate_spot_to_spot && !moves_to_new_spot(v, merging_spot);
    for (uint32_t n = 0; n < cluster->n_nodes && barred; n++) {
        if (strtab_find(merging_spot, cluster->nodes[n].meta.name) != STRID_NONE) {
            leave[n] |= SCHED_NO_NEW_SPOT;
        }
    }
    return leave;
}

/* `whole`: until nothing more is to be gained, so that preferences and NodePools are where the plan
 * has them; else the first plan will do, because only its problem is looked at. */
static bool make_anew(struct verifying *v, const struct make_settings *settings, bool whole,
                      struct err *err)
{
    struct make *make = NULL;
    if (!make_new(v->input.cluster, v->input.catalog, settings, &make, err)) {
        return false;
    }
    if (!whole) {
        make_cancel(make);
    }
    while (make_step(make, whole ? STEP_WORK : 1)) {
    }
    bool good = make_finish(make, v->arena, &v->made, err);
    make_free(make);
    return good;
}

static bool check_pods(const struct verifying *v, struct err *err)
{
    if (v->plan->n_pending != v->made->n_pending) {
        return err_set(err, ERR_CONFLICT,
                       "the plan is about %u pods, but %u of this input need a place",
                       v->plan->n_pending, v->made->n_pending);
    }
    return true;
}

static bool check_certificate(struct verifying *v, struct err *err)
{
    json_t *document = NULL;
    bool good = plan_file_read(v->options->certificate, &document, err) &&
                (certificate_check(document, v->plan, v->made, v->arena, &v->proven, err) ||
                 err_wrap(err, STR_FMT, STR_ARG(v->options->certificate)));
    json_decref(document);
    return good;
}

/* The pods that the plan leaves out because no order was found for them. */
static const bool *held_of(const struct verifying *v)
{
    bool *held = ARENA_ARRAY(v->arena, bool, v->made->cluster->n_pods);
    for (uint32_t i = 0; i < v->plan->n_unplaced; i++) {
        const struct plan_unplaced *unplaced = &v->plan->unplaced[i];
        held[unplaced->pod] =
            unplaced->n_reasons > 0 && str_eq(unplaced->reasons[0].code, STR("NO_ORDER_FOUND"));
    }
    return held;
}

/* Classes, offerings and rules of the certificate are held against those of the input. Where the
 * plan had to give up preferences, to go on to another NodePool, or to drop an order of placement,
 * they only show once planning has come as far. */
static bool prove(struct verifying *v, struct make_settings settings, struct err *err)
{
    if (v->options->certificate.n == 0 || check_certificate(v, err)) {
        return true;
    }
    settings.held = held_of(v);
    for (uint32_t way = 0; way < RETRY_WAYS; way++) {
        struct err why;
        const struct make_settings again = retry_way(&settings, way);
        if (make_anew(v, &again, /* whole= */ true, &why) && check_certificate(v, &why)) {
            return true;
        }
    }
    return false;
}

static bool verify(struct verifying *v, struct str plan_path, const struct option_texts *paths,
                   struct err *err)
{
    if (!input_read(v->options, paths, v->console, v->arena, &v->input, err) ||
        !read_the_plan(v, plan_path, err)) {
        return false;
    }
    struct make_settings settings = settings_of(v);
    struct check_settings checks = {
        .ignore_overlays = !settings.gate_node_overlay,
        .respect_strict_min_values = settings.min_values_policy == MAKE_STRICT,
        .drift_is_detected = v->options->detect_drift,
        .spot_to_spot = settings.gate_spot_to_spot,
        .catalog = settings.catalog,
        .spot = input_spot_rules(v->options),
    };
    settings.leave = leave_of(v, &settings);
    auto_arena scratch = ARENA_INIT;
    return check_plan(v->plan, &checks, &scratch, err) &&
           make_anew(v, &settings, /* whole= */ false, err) && check_pods(v, err) &&
           check_plan_figures(v->plan, &checks, &scratch, err) &&
           stated_check(v->document, v->plan, v->made, err) && prove(v, settings, err);
}

static bool say_good(const struct verifying *v, struct err *err)
{
    auto_arena scratch = ARENA_INIT;
    struct strbuf b = strbuf_new(&scratch, 4096);
    uint32_t n_placed = v->plan->n_pending - v->plan->n_unplaced;
    strbuf_add(&b, STR("The plan holds: "));
    strbuf_add(&b, text_things(&scratch, n_placed, "pod"));
    strbuf_add(&b, STR(" placed by the rules, "));
    strbuf_add(&b, text_things(&scratch, v->plan->n_nodes, "new node"));
    strbuf_add(&b, STR(" for "));
    strbuf_add(&b, text_per_hour_and_month(&scratch, v->plan->cost));
    strbuf_add(&b, STR(".\n"));
    if (v->options->certificate.n > 0) {
        strbuf_add(&b, STR("The bound holds: no plan for these pods costs less than "));
        strbuf_add(&b, text_per_hour_and_month(&scratch, v->proven));
        strbuf_add(&b, STR(".\n"));
    } else {
        strbuf_add(&b, STR("The bound was not looked at (--certificate FILE).\n"));
    }
    return output_write(v->console, STR_EMPTY, &b, err);
}

int command_verify(const struct options *options, struct console *console)
{
    auto_arena arena = ARENA_INIT;
    struct err err = {.code = ERR_NONE};
    struct verifying v = {.options = options, .console = console, .arena = &arena};
    if (options->arguments.n == 0) {
        console_error(console, "verify: which plan? binpack verify PLAN -f FILE...");
        return EXIT_USAGE;
    }
    struct option_texts rest = {.n = options->arguments.n - 1, .v = options->arguments.v + 1};
    struct option_texts inputs = options_paths(options, &rest, &arena);
    bool good = verify(&v, options->arguments.v[0], &inputs, &err) && say_good(&v, &err);
    json_decref(v.document);
    return good ? EXIT_ALL_PLACED : command_failed(console, &err);
}
