/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "binpack/cli/nodeclass_show.h"

#include <inttypes.h>
#include <stdio.h>

#include "awsapi/ajson.h"
#include "awsapi/service_ssm.h"
#include "base/arena.h"
#include "base/jsonw.h"
#include "base/vec.h"
#include "binpack/cli/output.h"
#include "provisioner/nodeclass/hash.h"
#include "provisioner/nodeclass/queries.h"
#include "provisioner/nodeclass/template.h"

enum { N_HASHES = NODECLASS_HASH_V6 + 1 };

struct report {
    const struct nodeclass_input *input;
    const struct nodeclass_status *status;
    bool resolved; /* by AWS; else what the object says of itself */
    uint64_t hashes[N_HASHES];
    bool has_hash[N_HASHES];
    struct nodeclass_pairs tags;
    VEC(struct nodeclass_query) questions;
    bool has_template; /* false: the class says something that no node could be given */
    struct ec2_create_launch_template_request request;
    size_t user_data_bytes;
    const struct nodeclass_image *image; /* NULL: unknown */
};

/* ---- gathering ---- */

static void add_questions(struct report *report, struct nodeclass_queries queries,
                          struct arena *arena)
{
    for (uint32_t i = 0; i < queries.n; i++) {
        VEC_PUSH(arena, &report->questions, queries.v[i]);
    }
}

/* What a resolver would ask; images by the ids that parameters hold come after these. */
static void gather_questions(struct report *report, struct console *console, struct arena *arena)
{
    struct err err;
    const struct nodeclass *class = &report->input->class;
    struct nodeclass_parameters parameters;
    add_questions(report, nodeclass_subnet_queries(class, arena), arena);
    add_questions(report, nodeclass_group_queries(class, arena), arena);
    add_questions(report, nodeclass_reservation_queries(class, arena), arena);
    add_questions(report, nodeclass_placement_queries(class, arena), arena);
    if (!nodeclass_image_parameters(class, report->input->kubernetes_version, arena, &parameters,
                                    &err)) {
        console_warn(console, "%s", err.text);
        return;
    }
    for (uint32_t i = 0; i < parameters.n; i++) {
        struct ssm_get_parameter_request *input =
            ARENA_NEW(arena, struct ssm_get_parameter_request);
        input->name = parameters.v[i].name;
        VEC_PUSH(arena, &report->questions,
                 (struct nodeclass_query){.operation = &aws_ssm_get_parameter, .input = input});
    }
    add_questions(report, nodeclass_image_queries(class, NULL, 0, arena), arena);
}

static bool has_label(const struct nodeclass_input *input, const char *key)
{
    strid id = strtab_find(input->cluster->tab, str_of(key));
    return id != STRID_NONE && k8s_pairs_get(&input->type->labels, id) != STRID_NONE;
}

static bool gather_template(struct report *report, struct arena *arena, struct err *err)
{
    const struct nodeclass_input *input = report->input;
    struct str text = STR_EMPTY;
    report->image =
        nodeclass_image_for(report->status, strtab_str(input->cluster->tab, input->type->arch),
                            has_label(input, "karpenter.k8s.aws/instance-gpu-count"),
                            has_label(input, "karpenter.k8s.aws/instance-accelerator-count"));
    if (!userdata_make(&input->userdata, arena, &text, err)) {
        return false;
    }
    report->user_data_bytes = text.n;
    struct nodeclass_launch launch = {
        .class = &input->class,
        .family = input->family,
        .status = report->status,
        .image_id = report->image == NULL ? STR_EMPTY : report->image->id,
        .user_data = text,
        .cluster_name = input->userdata.cluster.name,
        .region = input->region,
        .nodepool = input->pool == NULL ? STR_EMPTY : input->pool->meta.name,
        .capacity_type = input->capacity_type,
        .tenancy = STR("default"),
        .ipv6 = userdata_is_ipv6(input->userdata.cluster.dns_ip),
        .reserved_capacity = true,
    };
    return nodeclass_tags(&input->class, launch.cluster_name, launch.nodepool, arena, &report->tags,
                          err) &&
           nodeclass_template(&launch, arena, &report->request, err);
}

/* v4 and v5 do not exist for settings of the kubelet that Karpenter 1.14 has no field for. */
static bool gather_hashes(struct report *report, struct str ca, struct arena *arena,
                          struct err *err)
{
    for (int v = 0; v < N_HASHES; v++) {
        struct err ignored;
        report->has_hash[v] =
            nodeclass_hash(&report->input->class, (enum nodeclass_hash_version)v, ca, arena,
                           &report->hashes[v], v == NODECLASS_HASH_V6 ? err : &ignored);
    }
    return report->has_hash[NODECLASS_HASH_V6];
}

/* ---- as a document ---- */

void nodeclass_put_header(struct jsonw *w, const struct nodeclass_input *input, const char *kind)
{
    jsonw_object_begin(w);
    jsonw_key_str(w, "apiVersion", STR("binpack/v1"));
    jsonw_key_str(w, "kind", str_of(kind));
    jsonw_key_str(w, "nodeClass", input->class.name);
    if (input->pool != NULL) {
        jsonw_key_str(w, "nodePool", input->pool->meta.name);
    }
    jsonw_key_str(w, "amiFamily", nodeclass_family_name(input->family));
    jsonw_key_str(w, "instanceType", strtab_str(input->cluster->tab, input->type->name));
    jsonw_key_str(w, "capacityType", input->capacity_type);
}

static void put_operation(struct strbuf *b, const struct aws_operation *operation)
{
    strbuf_addf(b, "%s:%s", operation->service->signing, operation->name);
}

static void put_input(struct jsonw *w, const struct nodeclass_query *query)
{
    jsonw_object_begin(w);
    aws_json_write_members(w, AWS_JSON_CLI, query->operation->input, query->input);
    jsonw_object_end(w);
}

static void put_document(struct jsonw *w, const struct report *report)
{
    char number[32];
    nodeclass_put_header(w, report->input, "NodeClassReport");
    jsonw_key_object(w, "hash");
    for (int v = 0; v < N_HASHES; v++) {
        if (report->has_hash[v]) {
            int n = snprintf(number, sizeof number, "%" PRIu64, report->hashes[v]);
            jsonw_key(w, nodeclass_hash_version_name((enum nodeclass_hash_version)v));
            jsonw_str(w, (struct str){.p = number, .n = (size_t)n});
        }
    }
    jsonw_object_end(w);
    jsonw_key_array(w, "questions");
    for (size_t i = 0; i < report->questions.n; i++) {
        auto_arena scratch = ARENA_INIT;
        struct strbuf name = strbuf_new(&scratch, 128);
        put_operation(&name, report->questions.v[i].operation);
        jsonw_object_begin(w);
        jsonw_key_str(w, "operation", strbuf_str(&name));
        jsonw_key(w, STR("input"));
        put_input(w, &report->questions.v[i]);
        jsonw_object_end(w);
    }
    jsonw_array_end(w);
    if (report->resolved) {
        jsonw_key_str(w, "ready", nodeclass_truth_name(nodeclass_ready(report->status)));
    }
    jsonw_key_object(w, "status");
    nodeclass_status_write(w, report->status, report->resolved);
    jsonw_object_end(w);
    jsonw_key_object(w, "tags");
    for (uint32_t i = 0; i < report->tags.n; i++) {
        jsonw_key(w, report->tags.v[i].key);
        jsonw_str(w, report->tags.v[i].value);
    }
    jsonw_object_end(w);
    if (report->has_template) {
        jsonw_key_object(w, "launchTemplate");
        aws_json_write_members(w, AWS_JSON_CLI, aws_ec2_create_launch_template.input,
                               &report->request);
        jsonw_object_end(w);
    }
    jsonw_object_end(w);
}

/* ---- for a person ---- */

static const struct text_look plain = {.width = 0};

/* A line "Title        text"; only the first of several has the title. */
static void put_line(struct strbuf *b, const char *title, struct str text)
{
    strbuf_addf(b, "%-13s ", title);
    text_add(b, &plain, TEXT_PLAIN, text);
    strbuf_addc(b, '\n');
}

static void put_conditions(struct strbuf *b, const struct report *report, struct arena *arena)
{
    put_line(b, "Ready", nodeclass_truth_name(nodeclass_ready(report->status)));
    for (int i = 0; i < NODECLASS_N_CONDITIONS; i++) {
        const struct nodeclass_condition *c = &report->status->conditions[i];
        struct str name = nodeclass_condition_name((enum nodeclass_condition_type)i);
        if (c->status != NODECLASS_TRUE) {
            put_line(b, "",
                     text_format(arena, STR_FMT " " STR_FMT ", " STR_FMT ": " STR_FMT,
                                 STR_ARG(name), STR_ARG(nodeclass_truth_name(c->status)),
                                 STR_ARG(c->reason), STR_ARG(c->message)));
        }
    }
}

static void put_status(struct strbuf *b, const struct report *report, struct arena *arena)
{
    const struct nodeclass_status *s = report->status;
    for (uint32_t i = 0; i < s->n_subnets; i++) {
        put_line(b, i == 0 ? "Subnets" : "",
                 text_format(arena, STR_FMT " " STR_FMT " " STR_FMT, STR_ARG(s->subnets[i].id),
                             STR_ARG(s->subnets[i].zone), STR_ARG(s->subnets[i].zone_id)));
    }
    for (uint32_t i = 0; i < s->n_groups; i++) {
        put_line(b, i == 0 ? "Groups" : "",
                 text_format(arena, STR_FMT " " STR_FMT, STR_ARG(s->groups[i].id),
                             STR_ARG(s->groups[i].name)));
    }
    for (uint32_t i = 0; i < s->n_images; i++) {
        const struct nodeclass_image *image = &s->images[i];
        put_line(b, i == 0 ? "Images" : "",
                 text_format(arena, STR_FMT " " STR_FMT "%s%s", STR_ARG(image->id),
                             STR_ARG(image->name), image->deprecated ? ", deprecated" : "",
                             image == report->image ? ", for this type" : ""));
    }
    for (uint32_t i = 0; i < s->n_reservations; i++) {
        const struct nodeclass_reservation *r = &s->reservations[i];
        put_line(b, i == 0 ? "Reservations" : "",
                 text_format(arena, STR_FMT " " STR_FMT " in " STR_FMT, STR_ARG(r->id),
                             STR_ARG(r->instance_type), STR_ARG(r->zone)));
    }
    if (s->instance_profile.n > 0) {
        put_line(b, "Profile", s->instance_profile);
    }
}

static void put_questions(struct strbuf *b, const struct report *report)
{
    for (size_t i = 0; i < report->questions.n; i++) {
        auto_arena scratch = ARENA_INIT;
        struct strbuf text = strbuf_new(&scratch, 256 * 1024);
        struct jsonw w = jsonw_new(&text, JSONW_COMPACT);
        put_operation(&text, report->questions.v[i].operation);
        strbuf_addc(&text, ' ');
        put_input(&w, &report->questions.v[i]);
        put_line(b, i == 0 ? "Asks AWS" : "", str_trim(strbuf_str(&text)));
    }
}

static void put_template(struct strbuf *b, const struct report *report, struct arena *arena)
{
    struct ec2_request_launch_template_data data = *report->request.launch_template_data;
    struct ec2_create_launch_template_request request = report->request;
    struct jsonw w = jsonw_new(b, JSONW_YAML);
    data.user_data = STR_EMPTY;
    request.launch_template_data = &data;
    put_line(b, "User data",
             text_format(arena, "%zu bytes: binpack nodeclass userdata", report->user_data_bytes));
    strbuf_add(b, STR("\n"));
    jsonw_object_begin(&w);
    aws_json_write_members(&w, AWS_JSON_CLI, aws_ec2_create_launch_template.input, &request);
    jsonw_object_end(&w);
}

static void put_table(struct strbuf *b, const struct report *report)
{
    auto_arena arena = ARENA_INIT;
    const struct nodeclass_input *input = report->input;
    const char *of_pool = input->pool == NULL ? "" : " of NodePool ";
    struct str pool = input->pool == NULL ? STR_EMPTY : input->pool->meta.name;
    put_line(b, "EC2NodeClass",
             text_format(&arena, STR_FMT " (" STR_FMT "), " STR_FMT " " STR_FMT "%s" STR_FMT,
                         STR_ARG(input->class.name), STR_ARG(nodeclass_family_name(input->family)),
                         STR_ARG(strtab_str(input->cluster->tab, input->type->name)),
                         STR_ARG(input->capacity_type), of_pool, STR_ARG(pool)));
    bool first = true;
    for (int v = 0; v < N_HASHES; v++) {
        struct str name = nodeclass_hash_version_name((enum nodeclass_hash_version)v);
        if (report->has_hash[v]) {
            put_line(b, first ? "Hash" : "",
                     text_format(&arena, STR_FMT " %" PRIu64, STR_ARG(name), report->hashes[v]));
            first = false;
        }
    }
    put_questions(b, report);
    if (report->resolved) {
        put_conditions(b, report, &arena);
    }
    put_status(b, report, &arena);
    if (report->has_template) {
        put_template(b, report, &arena);
    }
}

static bool render(const void *ctx, const struct option_output *output,
                   const struct console *console, struct strbuf *b, struct err *err)
{
    (void)console;
    (void)err;
    struct jsonw w = jsonw_new(b, output->format == OUTPUT_YAML ? JSONW_YAML : JSONW_PRETTY);
    if (output->format == OUTPUT_TABLE) {
        put_table(b, ctx);
    } else {
        put_document(&w, ctx);
    }
    return true;
}

bool nodeclass_show(const struct options *options, const struct nodeclass_input *input,
                    struct console *console, struct arena *arena, struct err *err)
{
    struct report report = {.input = input, .status = &input->stated, .resolved = options->resolve};
    if (options->resolve &&
        !nodeclass_resolve(options, input, console, arena, &report.status, err)) {
        return false;
    }
    gather_questions(&report, console, arena);
    report.has_template = gather_template(&report, arena, err);
    if (!report.has_template && !options->resolve) {
        return false;
    }
    if (!report.has_template) {
        console_warn(console, "no launch template: %s", err->text);
    }
    return gather_hashes(&report, options->cluster_ca, arena, err) &&
           output_all(options, render, &report, console, err);
}
