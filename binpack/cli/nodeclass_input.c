/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "binpack/cli/nodeclass_input.h"

#include "base/arena.h"
#include "base/json.h"
#include "base/vec.h"
#include "binpack/cli/input.h"
#include "io/inputs.h"
#include "k8s/builder.h"
#include "k8s/reader.h"

struct gathering {
    struct console *console;
    struct arena *arena;
    struct strtab *tab;
    struct k8s_builder *builder;
    const struct io_input *source;
    struct str wanted; /* empty: any */
    VEC(struct str) names;
    json_t *object; /* the last class of the wanted name */
    struct str object_name;
};

/* ---- reading ---- */

static struct str text_at(const json_t *object, const char *key)
{
    const json_t *value = json_object_get(object, key);
    return json_is_string(value)
               ? (struct str){.p = json_string_value(value), .n = json_string_length(value)}
               : STR_EMPTY;
}

static bool is_nodeclass(const struct k8s_read_object *object)
{
    struct str kind = text_at(object->value, "kind");
    return str_eq(kind.n > 0 ? kind : object->list_kind, STR("EC2NodeClass"));
}

static void keep_class(struct gathering *g, const struct k8s_read_object *object)
{
    struct str name = text_at(json_object_get(object->value, "metadata"), "name");
    bool known = false;
    for (size_t i = 0; i < g->names.n; i++) {
        known = known || str_eq(g->names.v[i], name);
    }
    if (!known) {
        VEC_PUSH(g->arena, &g->names, str_copy(g->arena, name));
    }
    if (g->wanted.n == 0 || str_eq(name, g->wanted)) {
        json_decref(g->object);
        g->object = json_incref(object->value);
        g->object_name = str_copy(g->arena, name);
    }
}

/* The wanted class is kept as it is, with all its fields; the builder keeps of it what the planner
 * reads, and the NodePools. */
static bool take_object(void *ctx, const struct k8s_read_object *object, struct err *err)
{
    struct gathering *g = ctx;
    struct err why;
    (void)err;
    if (is_nodeclass(object) && !object->removed) {
        keep_class(g, object);
    }
    if (!k8s_builder_add(g->builder, object->value, object->list_kind, g->source->index,
                         object->removed, NULL, &why)) {
        console_warn(g->console, "%s:%llu: %s (left out)", g->source->name,
                     (unsigned long long)object->line, why.text);
    }
    return true;
}

static bool read_source(void *ctx, const struct io_input *source, struct err *err)
{
    struct gathering *g = ctx;
    g->source = source;
    return k8s_read(source->name, source->source, take_object, g, NULL, err);
}

/* ---- choosing ---- */

static struct str list_of(const struct str *names, size_t n, struct arena *arena)
{
    struct strbuf b = strbuf_new(arena, 4096);
    for (size_t i = 0; i < n; i++) {
        strbuf_addf(&b, "%s" STR_FMT, i == 0 ? "" : ", ", STR_ARG(names[i]));
    }
    return strbuf_str(&b);
}

static bool choose_class(struct gathering *g, struct nodeclass_input *input, struct err *err)
{
    struct str there = list_of(g->names.v, g->names.n, g->arena);
    if (g->names.n == 0) {
        return err_set(err, ERR_NOT_FOUND, "the input has no EC2NodeClass");
    }
    if (g->object == NULL) {
        return err_set(err, ERR_NOT_FOUND, "no EC2NodeClass \"" STR_FMT "\"; there are " STR_FMT,
                       STR_ARG(g->wanted), STR_ARG(there));
    }
    if (g->wanted.n == 0 && g->names.n > 1) {
        return err_set(err, ERR_INVALID, "which EC2NodeClass? There are " STR_FMT, STR_ARG(there));
    }
    for (uint32_t i = 0; i < input->cluster->n_nodeclasses; i++) {
        if (str_eq(input->cluster->nodeclasses[i].meta.name, g->object_name)) {
            input->planned = &input->cluster->nodeclasses[i];
        }
    }
    return nodeclass_decode(g->object, g->arena, &input->class, err) &&
           nodeclass_status_decode(g->object, g->arena, &input->stated, err) &&
           nodeclass_family(&input->class, &input->family, err);
}

static bool choose_pool(struct gathering *g, struct str wanted, struct nodeclass_input *input,
                        struct err *err)
{
    VEC(struct str) names = {0};
    for (uint32_t i = 0; i < input->cluster->n_nodepools; i++) {
        const struct karp_nodepool *pool = &input->cluster->nodepools[i];
        bool fits = str_eq(pool->class_ref.name, input->class.name);
        if (fits) {
            VEC_PUSH(g->arena, &names, pool->meta.name);
        }
        if (fits && (wanted.n == 0 ? input->pool == NULL : str_eq(pool->meta.name, wanted))) {
            input->pool = pool;
        }
    }
    if (wanted.n > 0 && input->pool == NULL) {
        return err_set(err, ERR_NOT_FOUND,
                       "--nodepool: no NodePool \"" STR_FMT "\" uses EC2NodeClass " STR_FMT
                       "; there %s " STR_FMT,
                       STR_ARG(wanted), STR_ARG(input->class.name),
                       names.n == 0 ? "is none" : "are",
                       STR_ARG(list_of(names.v, names.n, g->arena)));
    }
    return true;
}

static bool choose_type(const struct options *options, struct gathering *g, struct console *console,
                        struct nodeclass_input *input, struct err *err)
{
    struct cat_settings settings = CAT_SETTINGS_DEFAULT;
    struct str name = options->instance_type.n > 0 ? options->instance_type : STR("m5.large");
    struct cat_room room;
    if (!input_catalog(options, console, g->arena, g->tab, &input->catalog, err)) {
        return false;
    }
    strid id = strtab_find(g->tab, name);
    input->type = id == STRID_NONE ? NULL : cat_find(input->catalog, g->tab, id);
    if (input->type == NULL) {
        return err_set(err, ERR_NOT_FOUND,
                       "--instance-type: catalogue " STR_FMT " has no \"" STR_FMT "\"",
                       STR_ARG(input->catalog->name), STR_ARG(name));
    }
    if (options->instance_type.n == 0) {
        console_assume(console, "an m5.large is launched; --instance-type says another");
    }
    cat_type_room(input->type, input->planned, &settings, g->tab, &input->cluster->words, g->arena,
                  &room);
    input->capacity = room.capacity;
    return true;
}

/* ---- what the node is told ---- */

static struct str given_or(struct str given, struct str fallback, const char *what,
                           struct console *console)
{
    if (given.n == 0) {
        console_assume(console, "%s is " STR_FMT, what, STR_ARG(fallback));
        return fallback;
    }
    return given;
}

static struct userdata_cluster cluster_facts(const struct options *o, struct console *console)
{
    return (struct userdata_cluster){
        .name = given_or(o->cluster_name, STR("example"), "the cluster's name (--cluster-name)",
                         console),
        .endpoint = given_or(o->cluster_endpoint, STR("https://example.eks.invalid"),
                             "the address of its API server (--cluster-endpoint)", console),
        .ca = o->cluster_ca,
        .cidr = given_or(o->cluster_cidr, STR("10.100.0.0/16"),
                         "the range of its Services (--cluster-cidr)", console),
        .dns_ip = given_or(o->cluster_dns, STR("10.100.0.10"),
                           "the address of its DNS (--cluster-dns)", console),
    };
}

/* karp: nodeclaimtemplate.go: the labels of the template, of the NodePool and the node class. */
static struct nodeclass_pairs claim_labels(const struct gathering *g,
                                           const struct nodeclass_input *input)
{
    const struct karp_nodepool *pool = input->pool;
    VEC(struct nodeclass_pair) labels = {0};
    for (uint32_t i = 0; pool != NULL && i < pool->template_labels.n; i++) {
        VEC_PUSH(
            g->arena, &labels,
            (struct nodeclass_pair){.key = strtab_str(g->tab, pool->template_labels.v[i].key),
                                    .value = strtab_str(g->tab, pool->template_labels.v[i].value)});
    }
    VEC_PUSH(g->arena, &labels,
             (struct nodeclass_pair){.key = STR("karpenter.sh/capacity-type"),
                                     .value = input->capacity_type});
    if (pool != NULL) {
        VEC_PUSH(
            g->arena, &labels,
            (struct nodeclass_pair){.key = STR("karpenter.sh/nodepool"), .value = pool->meta.name});
        VEC_PUSH(g->arena, &labels,
                 (struct nodeclass_pair){.key = STR("karpenter.k8s.aws/ec2nodeclass"),
                                         .value = input->class.name});
    }
    return (struct nodeclass_pairs){.n = (uint32_t)labels.n, .v = labels.v};
}

static struct str effect_text(enum k8s_effect effect)
{
    switch (effect) {
    case K8S_NO_SCHEDULE:
        return STR("NoSchedule");
    case K8S_PREFER_NO_SCHEDULE:
        return STR("PreferNoSchedule");
    case K8S_NO_EXECUTE:
        return STR("NoExecute");
    case K8S_EFFECT_ANY:
        break;
    }
    return STR_EMPTY;
}

static void add_taints(const struct gathering *g, const struct k8s_taint *taints, uint32_t n,
                       struct userdata_taint *into, uint32_t *n_into)
{
    for (uint32_t i = 0; i < n; i++) {
        into[(*n_into)++] = (struct userdata_taint){.key = strtab_str(g->tab, taints[i].key),
                                                    .value = strtab_str(g->tab, taints[i].value),
                                                    .effect = effect_text(taints[i].effect)};
    }
}

static void fill_userdata(const struct options *options, const struct gathering *g,
                          struct console *console, struct nodeclass_input *input)
{
    const struct karp_nodepool *pool = input->pool;
    size_t n = pool == NULL ? 0 : (size_t)pool->n_taints + pool->n_startup_taints;
    struct userdata_taint *taints = ARENA_ARRAY(g->arena, struct userdata_taint, n);
    struct str version = nodeclass_alias_version(&input->class);
    struct userdata_input *u = &input->userdata;
    *u = (struct userdata_input){
        .class = &input->class,
        .family = input->family,
        .cluster = cluster_facts(options, console),
        .labels = claim_labels(g, input),
        .taints = taints,
        .max_pods = k8s_resources_get(&input->capacity, input->cluster->words.pods),
        .image_version = str_starts(version, STR("v")) ? str_sub(version, 1, version.n) : version,
    };
    if (pool == NULL) {
        console_assume(console,
                       "no NodePool of the input uses EC2NodeClass " STR_FMT
                       ": the node has no labels and taints of one",
                       STR_ARG(input->class.name));
        return;
    }
    add_taints(g, pool->taints, pool->n_taints, taints, &u->n_taints);
    add_taints(g, pool->startup_taints, pool->n_startup_taints, taints, &u->n_taints);
}

bool nodeclass_input_read(const struct options *options, struct str name, struct console *console,
                          struct arena *arena, struct nodeclass_input *ret_input, struct err *err)
{
    struct gathering g = {
        .console = console, .arena = arena, .tab = strtab_new(arena), .wanted = name};
    struct option_texts none = {.n = 0};
    struct option_texts paths = options_paths(options, &none, arena);
    const char **files = ARENA_ARRAY(arena, const char *, paths.n);
    *ret_input = (struct nodeclass_input){
        .capacity_type = options->capacity_type == 0 ? STR("on-demand") : STR("spot"),
        .region = options->region,
        .kubernetes_version =
            options->kubernetes_version.n > 0 ? options->kubernetes_version : STR("1.34")};
    for (uint32_t i = 0; i < paths.n; i++) {
        files[i] = str_cstr(arena, paths.v[i]);
    }
    g.builder = k8s_builder_new(arena, g.tab);
    bool good = io_inputs_read(files, paths.n, read_source, &g, NULL, err);
    if (!good) {
        k8s_builder_done(g.builder);
    } else {
        ret_input->cluster = k8s_builder_finish(g.builder);
    }
    ret_input->object = g.object;
    good = good && choose_class(&g, ret_input, err) &&
           choose_pool(&g, options->nodepool, ret_input, err) &&
           choose_type(options, &g, console, ret_input, err);
    if (good) {
        fill_userdata(options, &g, console, ret_input);
    }
    return good;
}

void nodeclass_input_done(struct nodeclass_input *input)
{
    json_decref(input->object);
    input->object = NULL;
}
