/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "binpack/cli/input.h"

#include "base/arena.h"
#include "base/json.h"
#include "base/limits.h"
#include "base/rfc3339.h"
#include "base/vec.h"
#include "binpack/cli/asked.h"
#include "binpack/cli/changes.h"
#include "binpack/cli/default_spread.h"
#include "binpack/cli/filter.h"
#include "binpack/cli/live.h"
#include "binpack/plan/default_pool.h"
#include "io/clock.h"
#include "io/files.h"
#include "io/inputs.h"
#include "k8s/builder.h"
#include "k8s/kinds.h"
#include "k8s/reader.h"
#include "k8s/schema.h"

#include <inttypes.h>
#include <string.h>

/* The clock when nothing in the input has a time: any fixed moment will do. 2026-01-01T00:00:00Z.
 */
#define TIME_WITHOUT_TIMES INT64_C(1767225600000)

struct reading {
    struct console *console;
    struct input *input;
    struct k8s_builder *builder;
    struct arena *arena; /* what is kept of the objects that are left out lives in it */
    VEC(struct input_left_out) left_out;
    const struct io_input *source; /* the one being read */
    uint64_t n_read;
};

/* kind and metadata.name of an object, empty when there are none. */
static struct str member_text(const json_t *object, const char *key)
{
    const json_t *value = json_object_get(object, key);
    return json_is_string(value)
               ? (struct str){.p = json_string_value(value), .n = json_string_length(value)}
               : STR_EMPTY;
}

static void warn_replaced(struct reading *r, const struct k8s_read_object *object)
{
    const json_t *metadata = json_object_get(object->value, "metadata");
    struct str kind = member_text(object->value, "kind");
    struct str ns = member_text(metadata, "namespace");
    kind = kind.n > 0 ? kind : object->list_kind;
    console_warn(r->console,
                 "%s:%" PRIu64 ": " STR_FMT " " STR_FMT "%s" STR_FMT
                 " comes again and replaces the earlier one",
                 r->source->name, object->line, STR_ARG(kind), STR_ARG(ns), ns.n > 0 ? "/" : "",
                 STR_ARG(member_text(metadata, "name")));
}

/* Karpenter's objects that no API server has admitted: what their CRDs would say. They are planned
 * with all the same. */
static void warn_invalid(struct reading *r, const struct k8s_read_object *object)
{
    enum { MOST = 5 }; /* of one object; `binpack validate` shows all */
    const json_t *metadata = json_object_get(object->value, "metadata");
    const struct k8s_violation *v;
    auto_arena scratch = ARENA_INIT;
    uint32_t n = 0;
    if (json_object_get(metadata, "uid") != NULL ||
        !k8s_schema_check(&scratch, object->value, &v, &n)) {
        return;
    }
    for (uint32_t i = 0; i < n && i < MOST; i++) {
        console_warn(r->console,
                     "%s:%" PRIu64 ": " STR_FMT " " STR_FMT ": " STR_FMT ": " STR_FMT
                     " (an API server refuses this)",
                     r->source->name, object->line, STR_ARG(member_text(object->value, "kind")),
                     STR_ARG(member_text(metadata, "name")), STR_ARG(v[i].path),
                     STR_ARG(v[i].text));
    }
}

/* Keeps what a plan has to say of an object that it leaves out. */
static void keep_left_out(struct reading *r, const struct k8s_read_object *object, const char *why)
{
    const json_t *metadata = json_object_get(object->value, "metadata");
    const struct k8s_kind *type = NULL;
    struct str kind = member_text(object->value, "kind");
    kind = kind.n > 0 ? kind : object->list_kind;
    struct str version = member_text(object->value, "apiVersion");
    struct input_left_out left_out = {
        .kind = str_copy(r->arena, kind),
        .ns = str_copy(r->arena, member_text(metadata, "namespace")),
        .name = str_copy(r->arena, member_text(metadata, "name")),
        .why = str_copy(r->arena, str_of(why)),
        .needs_a_place = k8s_kind_find(kind, version, &type) != K8S_MATCH_NO &&
                         (type->store == STORE_PODS || type->store == STORE_WORKLOADS)};
    VEC_PUSH(r->arena, &r->left_out, left_out);
    r->input->left_out = r->left_out.v;
    r->input->n_rejected++;
    r->input->n_homeless += left_out.needs_a_place;
}

static bool take_object(void *ctx, const struct k8s_read_object *object, struct err *err)
{
    struct reading *r = ctx;
    struct err why;
    bool replaced = false;
    (void)err; /* an object that is refused does not stop the reading */
    r->n_read++;
    if (!k8s_builder_add(r->builder, object->value, object->list_kind, r->source->index,
                         object->removed, &replaced, &why)) {
        keep_left_out(r, object, why.text);
        console_warn(r->console, "%s:%" PRIu64 ": left out: %s", r->source->name, object->line,
                     why.text);
        return true;
    }
    warn_invalid(r, object);
    if (replaced) {
        warn_replaced(r, object);
    }
    if ((r->n_read & 1023) == 0) {
        console_progress(r->console, io_clock_mono(), "reading %s: %" PRIu64 " objects",
                         r->source->name, r->n_read);
    }
    return true;
}

/* The same for an object of the running cluster. */
static bool take_live(void *ctx, json_t *object, struct err *err)
{
    struct reading *r = ctx;
    struct k8s_read_object read = {.value = object, .line = ++r->input->n_objects};
    return take_object(r, &read, err);
}

/* A plan needs to know the pods and the nodes; without the rest it says what it assumed. */
static bool read_cluster(const struct options *options, struct reading *r, struct arena *arena,
                         struct err *err)
{
    static const char *const needed[] = {"pods", "nodes"};
    static const struct io_input source = {.name = "cluster"};
    struct live_result result;
    r->source = &source;
    if (!live_read(options, STR_EMPTY, r->console, take_live, r, arena, &result, err)) {
        return false;
    }
    for (uint32_t i = 0; i < result.n_kinds; i++) {
        for (size_t k = 0; k < sizeof needed / sizeof needed[0]; k++) {
            if (result.kinds[i].refusal.n > 0 &&
                str_eq(str_of(result.kinds[i].kind->resource), str_of(needed[k]))) {
                return err_set(err, ERR_INVALID, STR_FMT, STR_ARG(result.kinds[i].refusal));
            }
        }
    }
    r->input->n_unreadable = result.n_unreadable;
    return true;
}

static bool read_source(void *ctx, const struct io_input *source, struct err *err)
{
    struct reading *r = ctx;
    struct k8s_read_stats stats;
    r->source = source;
    bool good = k8s_read(source->name, source->source, take_object, r, &stats, err);
    r->input->n_objects += stats.n_objects;
    r->input->n_bytes += stats.n_bytes;
    return good;
}

/* ---- what was read ---- */

static uint32_t count_of(const struct k8s_builder *builder, const char *kind)
{
    const struct k8s_kind_count *counts;
    uint32_t n;
    k8s_builder_counts(builder, &counts, &n);
    for (uint32_t i = 0; i < n; i++) {
        if (str_eq(counts[i].kind, str_of(kind))) {
            return counts[i].n;
        }
    }
    return 0;
}

static void add_count(struct strbuf *b, const struct k8s_kind_count *count)
{
    strbuf_add(b, b->n == 0 ? STR_EMPTY : STR(", "));
    strbuf_addf(b, "%u ", count->n);
    strbuf_add(b, count->kind.n > 0 ? count->kind : STR("without a kind"));
    if (count->n_rejected > 0) {
        strbuf_addf(b, " (%u left out)", count->n_rejected);
    }
    if (count->n_replaced > 0) {
        strbuf_addf(b, " (%u replaced)", count->n_replaced);
    }
}

/* "read 150 objects: 143 Pod, 6 Node; ignored: 1 ConfigMap": the numbers add up to the first. */
static void say_counts(struct reading *r)
{
    auto_arena scratch = ARENA_INIT;
    const struct k8s_kind_count *counts;
    uint32_t n;
    k8s_builder_counts(r->builder, &counts, &n);
    struct strbuf known = strbuf_new(&scratch, 1 << 20);
    struct strbuf ignored = strbuf_new(&scratch, 1 << 20);
    for (uint32_t i = 0; i < n; i++) {
        if (counts[i].n > 0) {
            add_count(counts[i].known ? &known : &ignored, &counts[i]);
        }
    }
    console_say(r->console, "read " STR_FMT "%s" STR_FMT "%s" STR_FMT,
                STR_ARG(text_things(&scratch, r->input->n_objects, "object")),
                known.n > 0 ? ": " : "", STR_ARG(strbuf_str(&known)),
                ignored.n > 0 ? "; ignored: " : "", STR_ARG(strbuf_str(&ignored)));
}

/* ---- what was missing ---- */

/* One of the documents of default_pool.c. */
static bool take_default(void *ctx, const struct k8s_read_object *object, struct err *err)
{
    struct reading *r = ctx;
    return k8s_builder_add(r->builder, object->value, object->list_kind, UINT32_MAX,
                           /* removed= */ false, NULL, err);
}

/* Where one of these is in the input, the cluster runs Karpenter, and having no NodePool is a fact,
 * not an omission. */
static const char *const karpenter_kinds[] = {"EC2NodeClass", "NodeClaim", "NodeOverlay"};

static bool add_default_pool(struct reading *r, struct err *err)
{
    if (count_of(r->builder, "NodePool") > 0) {
        return true;
    }
    for (size_t i = 0; i < sizeof(karpenter_kinds) / sizeof(karpenter_kinds[0]); i++) {
        if (count_of(r->builder, karpenter_kinds[i]) > 0) {
            console_warn(r->console,
                         "the input has %s objects but no NodePool, so no node can be bought",
                         karpenter_kinds[i]);
            return true;
        }
    }
    if (!k8s_read_memory("built-in NodePool", str_of(default_pool_yaml), take_default, r, NULL,
                         err)) {
        return false;
    }
    r->input->default_pool = true;
    console_assume(r->console, "NodePool \"default\", because the input has none: instance "
                               "categories c, m and r from generation 3 "
                               "on, spot and on-demand, linux on amd64 (-o snapshot shows it)");
    return true;
}

static void choose_time(const struct options *options, struct reading *r)
{
    struct input *input = r->input;
    if (options->now.has) {
        input->now = options->now.v;
    } else if (options->live) {
        input->now = io_clock_wall();
    } else if (input->cluster->newest.has) {
        input->now = input->cluster->newest.v;
    } else {
        char buffer[RFC3339_TEXT_MAX];
        input->now = TIME_WITHOUT_TIMES;
        console_assume(r->console,
                       "the time is " STR_FMT ", because nothing in the input has one (--now)",
                       STR_ARG(rfc3339_format(input->now, buffer)));
    }
}

static void choose_mode(const struct options *options, struct input *input)
{
    bool disrupt =
        options->mode == MODE_DISRUPT || (options->mode == MODE_AUTO && asked_of_nodes(options));
    bool repack = options->mode == MODE_REPACK ||
                  (options->mode == MODE_AUTO && input->cluster->n_nodes == 0 && !options->live);
    input->mode = disrupt ? PLAN_DISRUPT : repack ? PLAN_REPACK : PLAN_PROVISION;
}

/* ---- the catalogue ---- */

static bool catalog_documents(const struct options *options, struct arena *arena,
                              json_t **documents, struct err *err)
{
    for (uint32_t i = 0; i < options->catalogs.n; i++) {
        auto_arena scratch = ARENA_INIT;
        struct str bytes;
        json_error_t why;
        char *path = str_cstr(arena, options->catalogs.v[i]);
        if (!io_file_read(path, LIMIT_CATALOG_BYTES, &scratch, &bytes, err)) {
            return false;
        }
        documents[i] = json_loadb(bytes.p, bytes.n, JSON_REJECT_DUPLICATES, &why);
        if (documents[i] == NULL) {
            return err_set(err, ERR_PARSE, "%s:%d: not the JSON of a catalogue: %s", path, why.line,
                           why.text);
        }
    }
    return true;
}

bool input_catalog(const struct options *options, struct console *console, struct arena *arena,
                   struct strtab *tab, const struct catalog **ret_catalog, struct err *err)
{
    uint32_t n = options->catalogs.n;
    if (n == 0) {
        *ret_catalog = cat_builtin(arena, tab);
        return true;
    }
    json_t **documents = ARENA_ARRAY(arena, json_t *, n);
    struct cat_notes notes = {.n = 0};
    bool good =
        catalog_documents(options, arena, documents, err) &&
        cat_from_json(documents, options->catalogs.v, n, arena, tab, ret_catalog, &notes, err);
    for (uint32_t i = 0; i < n; i++) {
        json_decref(documents[i]);
    }
    for (uint32_t i = 0; good && i < notes.n; i++) {
        console_assume(console, STR_FMT, STR_ARG(notes.v[i]));
    }
    return good;
}

/* ---- all of it ---- */

static bool read_all(const struct option_texts *paths, struct reading *r, struct arena *arena,
                     struct err *err)
{
    const char **names = ARENA_ARRAY(arena, const char *, paths->n + 1);
    for (uint32_t i = 0; i < paths->n; i++) {
        names[i] = str_cstr(arena, paths->v[i]);
    }
    return io_inputs_read(names, paths->n, read_source, r, NULL, err);
}

static bool build_cluster(const struct options *options, const struct option_texts *paths,
                          struct reading *r, struct arena *arena, struct err *err)
{
    static const enum k8s_expand expands[] = {K8S_EXPAND_AUTO, K8S_EXPAND_NEVER};
    struct input *input = r->input;
    if (!(options->live ? read_cluster(options, r, arena, err) : read_all(paths, r, arena, err))) {
        return false;
    }
    console_progress_done(r->console);
    say_counts(r);
    console_end_warnings(r->console);
    if (input->n_objects == 0) {
        console_warn(r->console, "the input holds no object");
    }
    if (!add_default_pool(r, err) ||
        !k8s_builder_expand(r->builder, expands[options->expand], &input->n_made_pods, err)) {
        return false;
    }
    if (input->n_made_pods > 0) {
        console_say(r->console, "made %u pod%s for workloads that have none in the input",
                    input->n_made_pods, input->n_made_pods == 1 ? "" : "s");
    }
    input->cluster = k8s_builder_finish(r->builder);
    return true;
}

bool input_change(struct input *input, const struct whatif_change *changes, uint32_t n,
                  struct arena *arena, struct err *err)
{
    struct whatif_world world = {.cluster = input->cluster,
                                 .catalog = input->catalog,
                                 .n_notes = input->n_changes,
                                 .notes = input->changes};
    if (!whatif_apply(changes, n, arena, &world, err)) {
        return false;
    }
    input->cluster = world.cluster;
    input->catalog = world.catalog;
    input->n_changes = world.n_notes;
    input->changes = world.notes;
    return true;
}

/* "--zone-down=us-east-1a" */
static struct str option_text(const struct whatif_change *change, struct arena *arena)
{
    return text_format(arena, "--%s%s" STR_FMT, whatif_kind_names[change->kind],
                       change->text.n > 0 ? "=" : "", STR_ARG(change->text));
}

/* The catalogue with those changes of prices and offerings, but without the one with index `left`;
 * UINT32_MAX: without all that take offerings away. */
static bool catalog_without(const struct input *before, const struct change_list *changes,
                            uint32_t left, struct arena *arena, const struct catalog **ret_catalog,
                            struct err *err)
{
    struct input input = *before;
    for (uint32_t i = 0; i < changes->n; i++) {
        const struct whatif_change *change = &changes->v[i];
        bool skipped = !whatif_is_of_catalog(change->kind) || i == left ||
                       (left == UINT32_MAX && whatif_closes(change->kind));
        if (!skipped && !input_change(&input, change, 1, arena, err)) {
            return false;
        }
    }
    *ret_catalog = input.catalog;
    return true;
}

/* For the reasons of pods that have no place in the changed world. */
static bool note_blames(const struct input *before, const struct change_list *changes,
                        struct input *input, struct arena *arena, struct err *err)
{
    struct blame_change *blames = ARENA_ARRAY(arena, struct blame_change, changes->n + 1);
    uint32_t n = 0;
    for (uint32_t i = 0; i < changes->n; i++) {
        if (!whatif_closes(changes->v[i].kind)) {
            continue;
        }
        blames[n].option = option_text(&changes->v[i], arena);
        if (!catalog_without(before, changes, i, arena, &blames[n++].without, err)) {
            return false;
        }
    }
    input->n_blames = n;
    input->blames = blames;
    return catalog_without(before, changes, UINT32_MAX, arena, &input->given_catalog, err);
}

static bool apply_changes(const struct options *options, struct input *input, struct arena *arena,
                          struct err *err)
{
    struct change_list changes;
    const struct input before = *input;
    return changes_of_options(options, arena, &changes, err) &&
           input_change(input, changes.v, changes.n, arena, err) &&
           note_blames(&before, &changes, input, arena, err);
}

bool input_read(const struct options *options, const struct option_texts *paths,
                struct console *console, struct arena *arena, struct input *ret_input,
                struct err *err)
{
    struct input input = {.tab = strtab_new(arena)};
    struct reading r = {.console = console,
                        .input = &input,
                        .builder = k8s_builder_new(arena, input.tab),
                        .arena = arena};
    if (!build_cluster(options, paths, &r, arena, err)) {
        k8s_builder_done(r.builder);
        return false;
    }
    input.words = input.cluster->words;
    choose_time(options, &r);
    choose_mode(options, &input);
    bool any = true;
    if (!input_catalog(options, console, arena, input.tab, &input.catalog, err)) {
        return false;
    }
    input.catalog = cat_with_reservations(input.catalog, input.cluster->nodeclasses,
                                          input.cluster->n_nodeclasses, input.tab, arena);
    if (!apply_changes(options, &input, arena, err) ||
        !filter_pods(options, input.mode, arena, &input.cluster, &any, err) ||
        !default_spread_apply(options->default_spread, input.tab, arena, &input.cluster, err)) {
        return false;
    }
    if (!any) {
        console_warn(console, "no pod of the input passes --namespace and --selector");
    }
    for (uint32_t i = 0; i < options->gates.unknown.n; i++) {
        console_warn(console, "--feature-gates: " STR_FMT " is not known and has no effect",
                     STR_ARG(options->gates.unknown.v[i]));
    }
    *ret_input = input;
    return true;
}

bool input_replace_pools(struct input *input, struct str file, struct console *console,
                         struct arena *arena, struct err *err)
{
    struct input other = {.tab = input->tab};
    struct reading r = {.console = console,
                        .input = &other,
                        .builder = k8s_builder_new(arena, input->tab),
                        .arena = arena};
    const struct option_texts paths = {.n = 1, .v = &file};
    if (!read_all(&paths, &r, arena, err)) {
        k8s_builder_done(r.builder);
        return false;
    }
    console_progress_done(console);
    const struct k8s_cluster *from = k8s_builder_finish(r.builder);
    if (from->n_nodepools == 0) {
        return err_set(err, ERR_NOT_FOUND, STR_FMT " holds no NodePool", STR_ARG(file));
    }
    struct k8s_cluster *cluster = ARENA_NEW(arena, struct k8s_cluster);
    *cluster = *input->cluster;
    cluster->nodepools = from->nodepools;
    cluster->n_nodepools = from->n_nodepools;
    if (from->n_nodeclasses > 0) {
        cluster->nodeclasses = from->nodeclasses;
        cluster->n_nodeclasses = from->n_nodeclasses;
    }
    if (from->n_overlays > 0) {
        cluster->overlays = from->overlays;
        cluster->n_overlays = from->n_overlays;
    }
    input->cluster = cluster;
    input->catalog = cat_with_reservations(input->catalog, cluster->nodeclasses,
                                           cluster->n_nodeclasses, input->tab, arena);
    return true;
}

enum plan_planner input_planner(enum option_algorithm algorithm)
{
    static const enum plan_planner planners[] = {PLAN_OWN, PLAN_OWN, PLAN_KARPENTER,
                                                 PLAN_CLUSTER_AUTOSCALER};
    return planners[algorithm];
}

void input_set_algorithm(struct make_settings *settings, enum option_algorithm algorithm)
{
    static const enum bp_algorithm algorithms[] = {BP_COLGEN, BP_FFD, BP_COLGEN, BP_COLGEN};
    settings->solver.algorithm = algorithms[algorithm];
    settings->emulates = input_planner(algorithm);
    if (settings->emulates == PLAN_CLUSTER_AUTOSCALER) {
        settings->min_values_policy = MAKE_BEST_EFFORT; /* It knows no such thing. */
    }
}

struct plan_spot_rules input_spot_rules(const struct options *options)
{
    return (struct plan_spot_rules){.min_pools = (uint32_t)options->min_pools,
                                    .max_per_pool = options->max_per_pool,
                                    .max_share = options->spot_max};
}

struct make_settings input_settings(const struct options *options, const struct input *input)
{
    static const enum make_preference preferences[] = {MAKE_RESPECT, MAKE_IGNORE};
    static const enum make_min_values min_values[] = {MAKE_STRICT, MAKE_BEST_EFFORT};
    struct make_settings s = MAKE_SETTINGS_DEFAULT;
    bool *const gates[N_FEATURE_GATES] = {
        [GATE_RESERVED_CAPACITY] = &s.gate_reserved_capacity,
        [GATE_NODE_OVERLAY] = &s.gate_node_overlay,
        [GATE_CAPACITY_BUFFER] = &s.gate_capacity_buffer,
        [GATE_SPOT_TO_SPOT] = &s.gate_spot_to_spot,
        [GATE_STATIC_CAPACITY] = &s.gate_static_capacity,
    };
    for (size_t i = 0; i < N_FEATURE_GATES; i++) {
        if (options->gates.gates[i].has) {
            *gates[i] = options->gates.gates[i].v;
        }
    }
    s.mode = input->mode;
    s.now = input->now;
    s.preference_policy = preferences[options->preference_policy];
    s.min_values_policy = min_values[options->min_values_policy];
    s.catalog.vm_memory_overhead_ppm = options->vm_memory_overhead_ppm;
    s.catalog.reserved_enis = (int64_t)options->reserved_enis;
    input_set_algorithm(&s, (enum option_algorithm)options->algorithm);
    s.spot_rules = input_spot_rules(options);
    if (options->effort > 0) {
        s.solver.effort = (uint32_t)options->effort;
    }
    s.solver.seed = options->seed;
    if (options->gap.has) {
        s.solver.gap = (double)options->gap.v / 1e9;
    }
    if (options->options_within.has) {
        int64_t ppm = options->options_within.v / 1000;
        s.options_within_ppm = ppm > UINT32_MAX ? UINT32_MAX : (uint32_t)ppm;
    }
    return s;
}

void input_ask_effort(const struct options *options, const struct input *input, uint32_t n_plans,
                      struct console *console, struct make_settings *settings)
{
    enum { PODS_MAX = 20000 }; /* planned in all, with the effort of a plan of its own */
    const uint64_t pods = (uint64_t)input->cluster->n_pods * n_plans;
    if (options->effort > 0 || pods <= PODS_MAX) {
        return;
    }
    auto_arena scratch = ARENA_INIT;
    settings->solver.effort = 1;
    console_assume(console, "effort 1, because " STR_FMT " are planned%s (--effort)",
                   STR_ARG(text_things(&scratch, input->cluster->n_pods, "pod")),
                   n_plans > 1 ? " several times" : "");
}

struct disrupt_options input_disrupt_options(const struct options *options)
{
    struct disrupt_options d = DISRUPT_OPTIONS_DEFAULT;
    d.reasons = options->reasons != 0 ? options->reasons : d.reasons;
    d.max_disruptions = (struct opt_i64){.has = options->max_disruptions != UINT64_MAX,
                                         .v = (int64_t)options->max_disruptions};
    d.max_moved_pods = (struct opt_i64){.has = options->max_moved_pods != UINT64_MAX,
                                        .v = (int64_t)options->max_moved_pods};
    d.move_cost = options->move_cost_micro * (USD_PER_HOUR / 1000000);
    d.payback_ms = options->payback.has ? options->payback.v : d.payback_ms;
    d.detect_drift = options->detect_drift;
    d.respect_safe_to_evict = options->respect_safe_to_evict;
    return d;
}
