/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "binpack/cli/output.h"

#include "base/arena.h"
#include "base/jsonw.h"
#include "binpack/plan/breakdown.h"
#include "binpack/plan/certificate.h"
#include "binpack/plan/nodeclaims.h"
#include "binpack/plan/plan_json.h"
#include "binpack/view/breakdown_table.h"
#include "binpack/view/explanation.h"
#include "binpack/view/explanation_pool.h"
#include "binpack/view/plan_csv.h"
#include "binpack/view/plan_markdown.h"
#include "binpack/view/plan_table.h"
#include "io/files.h"
#include "k8s/snapshot.h"

#define RESULT_MAX_BYTES ((size_t)4 << 30)

struct strbuf output_buffer(struct arena *arena)
{
    return strbuf_new(arena, RESULT_MAX_BYTES);
}

bool output_write(struct console *console, struct str file, const struct strbuf *b, struct err *err)
{
    if (b->overflow) {
        return err_set(err, ERR_LIMIT, "the result is larger than %zu bytes", RESULT_MAX_BYTES);
    }
    return console_result(console, file, strbuf_str(b), err);
}

bool output_formats_are(const struct options *options, const char *command, uint32_t formats,
                        struct console *console)
{
    auto_arena scratch = ARENA_INIT;
    struct strbuf names = strbuf_new(&scratch, 400);
    for (int i = 0; i < N_OUTPUT_FORMATS; i++) {
        if ((formats & 1U << i) != 0) {
            strbuf_addf(&names, "%s%s", names.n == 0 ? "" : ", ", output_format_names[i]);
        }
    }
    for (uint32_t i = 0; i < options->outputs.n; i++) {
        enum output_format format = options->outputs.v[i].format;
        if ((formats & 1U << format) == 0) {
            console_error(console, "%s: -o %s: must be one of " STR_FMT, command,
                          output_format_names[format], STR_ARG(strbuf_str(&names)));
            return false;
        }
    }
    return true;
}

struct text_look output_look(const struct option_output *output, const struct console *console)
{
    struct text_look look = console->out;
    if (output->file.n > 0) {
        look = (struct text_look){
            .width = console->file_width, .color = false, .tables = console->out.tables};
    }
    return look;
}

/* The objects as the planner sees them; YAML that can be read again. */
static void put_snapshot(const struct k8s_cluster *cluster, struct jsonw *w, struct arena *scratch)
{
    struct k8s_snapshot snapshot = k8s_snapshot_begin(cluster, scratch);
    json_t *object;
    while ((object = k8s_snapshot_next(&snapshot)) != NULL) {
        jsonw_json(w, object);
        json_decref(object);
    }
}

/* --by was checked when it was parsed. */
static void put_plan(const struct plan *plan, const struct options *options,
                     const struct text_look *look, bool wide, struct strbuf *b)
{
    auto_arena scratch = ARENA_INIT;
    struct err ignored;
    enum breakdown_by by;
    struct str label;
    if (options->by.n > 0 && breakdown_parse(options->by, &by, &label, &ignored)) {
        struct breakdown breakdown = breakdown_of(plan, by, label, &scratch);
        view_breakdown(&breakdown, plan, look, wide, b);
    } else {
        (wide ? view_wide : view_table)(plan, look, b);
    }
}

struct planned {
    const struct plan *plan;
    const struct options *options;
};

static bool render(const void *ctx, const struct option_output *output,
                   const struct console *console, struct strbuf *b, struct err *err)
{
    const struct planned *planned = ctx;
    const struct plan *plan = planned->plan;
    auto_arena scratch = ARENA_INIT;
    struct text_look look = output_look(output, console);
    struct jsonw json = jsonw_new(b, JSONW_PRETTY);
    struct jsonw yaml = jsonw_new(b, JSONW_YAML);
    const bool explained =
        plan->n_explanations + plan->n_node_answers + plan->n_pool_explanations > 0;
    if (explained && output->format == OUTPUT_TABLE) {
        view_explanations(plan, &look, b);
        view_pool_explanations(plan, &look, b);
        return true;
    }
    if (explained) {
        explain_json(plan, output->format == OUTPUT_YAML ? &yaml : &json, &scratch);
        return true;
    }
    switch (output->format) {
    case OUTPUT_TABLE:
        put_plan(plan, planned->options, &look, /* wide= */ false, b);
        return true;
    case OUTPUT_WIDE:
        put_plan(plan, planned->options, &look, /* wide= */ true, b);
        return true;
    case OUTPUT_JSON:
        plan_json(plan, &json, &scratch);
        return true;
    case OUTPUT_YAML:
        plan_json(plan, &yaml, &scratch);
        return true;
    case OUTPUT_CSV:
        view_csv(plan, b);
        return true;
    case OUTPUT_NODECLAIMS:
        plan_nodeclaims(plan, &yaml, &scratch);
        return true;
    case OUTPUT_MARKDOWN:
        view_markdown(plan, b);
        return true;
    case OUTPUT_SNAPSHOT:
        put_snapshot(plan->cluster, &yaml, &scratch);
        return true;
    case N_OUTPUT_FORMATS:
        break;
    }
    return err_set(err, ERR_INTERNAL, "output format %d", (int)output->format);
}

bool output_all(const struct options *options, output_render *render_one, const void *ctx,
                struct console *console, struct err *err)
{
    static const struct option_output table = {.format = OUTPUT_TABLE};
    const struct option_outputs *outputs = &options->outputs;
    for (uint32_t i = 0; i < (outputs->n == 0 ? 1 : outputs->n); i++) {
        const struct option_output *output = outputs->n == 0 ? &table : &outputs->v[i];
        auto_arena arena = ARENA_INIT;
        struct strbuf b = output_buffer(&arena);
        if (!render_one(ctx, output, console, &b, err) ||
            !output_write(console, output->file, &b, err)) {
            return false;
        }
    }
    return true;
}

bool output_plan(const struct options *options, const struct plan *plan, struct console *console,
                 struct err *err)
{
    const struct planned planned = {.plan = plan, .options = options};
    return output_all(options, render, &planned, console, err);
}

bool output_certificate(struct str file, const struct plan *plan, struct console *console,
                        struct err *err)
{
    auto_arena arena = ARENA_INIT;
    auto_arena scratch = ARENA_INIT;
    struct strbuf b = output_buffer(&arena);
    struct jsonw w = jsonw_new(&b, JSONW_COMPACT);
    certificate_write(plan, &w, &scratch);
    return output_write(console, file, &b, err);
}

bool output_check_files(const struct options *options, struct err *err)
{
    auto_arena scratch = ARENA_INIT;
    bool good = true;
    for (uint32_t i = 0; i < options->catalogs.n && good; i++) {
        good = io_file_may_read(str_cstr(&scratch, options->catalogs.v[i]), err);
    }
    for (uint32_t i = 0; i < options->outputs.n && good; i++) {
        struct str file = options->outputs.v[i].file;
        good = file.n == 0 || io_file_may_write(str_cstr(&scratch, file), err);
    }
    return good && (options->certificate.n == 0 ||
                    io_file_may_write(str_cstr(&scratch, options->certificate), err));
}
