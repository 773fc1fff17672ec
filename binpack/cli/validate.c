/* SPDX-License-Identifier: GPL-3.0-or-later */
/* `binpack validate`: would an API server take these objects? */
#include "base/arena.h"
#include "base/json.h"
#include "base/jsonw.h"
#include "base/vec.h"
#include "binpack/cli/commands.h"
#include "binpack/cli/output.h"
#include "binpack/disruption/cron.h"
#include "binpack/view/display.h"
#include "io/inputs.h"
#include "k8s/builder.h"
#include "k8s/reader.h"
#include "k8s/schema.h"
#include "k8s/syntax.h"

#include <inttypes.h>
#include <string.h>

enum { SHOWN_MAX = 256 }; /* bytes of a value in a message */

struct finding {
    const char *file;
    uint64_t line;
    struct str kind, name, path, rule, text;
    bool accepted_by_server;
};

struct validating {
    const struct options *options;
    struct console *console;
    struct arena *arena;
    struct k8s_builder *builder; /* decodes the kinds that have no schema */
    const struct io_input *source;
    uint64_t n_objects, n_checked; /* with a schema */
    VEC(struct finding) findings;
};

static struct str text_of(struct arena *arena, const json_t *object, const char *key)
{
    const json_t *value = json_object_get(object, key);
    return json_is_string(value) ? str_copy(arena, (struct str){.p = json_string_value(value),
                                                                .n = json_string_length(value)})
                                 : STR_EMPTY;
}

static struct finding finding_at(struct validating *v, const struct k8s_read_object *object)
{
    struct str kind = text_of(v->arena, object->value, "kind");
    return (struct finding){
        .file = str_cstr(v->arena, str_of(v->source->name)),
        .line = object->line,
        .kind = kind.n > 0 ? kind : str_copy(v->arena, object->list_kind),
        .name = text_of(v->arena, json_object_get(object->value, "metadata"), "name"),
    };
}

/* The schemas leave metadata to the server, which wants a name of any object
 * (https://kubernetes.io/docs/concepts/overview/working-with-objects/names/). */
static void check_name(struct validating *v, const struct k8s_read_object *object)
{
    struct finding finding = finding_at(v, object);
    const char *fault = k8s_name_fault(finding.name);
    if (finding.name.n > 0 && fault != NULL) {
        finding.path = STR("metadata.name");
        finding.rule = STR("name");
        finding.text = text_format(v->arena, "\"" STR_FMT "\": %s",
                                   STR_ARG(str_sub(finding.name, 0, SHOWN_MAX)), fault);
        VEC_PUSH(v->arena, &v->findings, finding);
    }
}

/* The schema's pattern knows the form of a schedule only; hour 25 passes it. */
static void check_schedules(struct validating *v, const struct k8s_read_object *object, uint32_t n,
                            const struct k8s_violation *violations)
{
    const json_t *spec = json_object_get(object->value, "spec");
    const json_t *budgets = json_object_get(json_object_get(spec, "disruption"), "budgets");
    for (size_t i = 0; i < json_array_size(budgets); i++) {
        struct str schedule = text_of(v->arena, json_array_get(budgets, i), "schedule");
        struct cron cron;
        struct err why;
        if (schedule.n == 0 || cron_parse(schedule, &cron, &why)) {
            continue;
        }
        struct finding finding = finding_at(v, object);
        bool known = false;
        finding.path = text_format(v->arena, "spec.disruption.budgets[%zu].schedule", i);
        for (uint32_t k = 0; k < n; k++) {
            known = known || str_eq(violations[k].path, finding.path);
        }
        if (!known) {
            finding.rule = STR("schedule");
            finding.text = str_copy(v->arena, str_of(why.text));
            finding.accepted_by_server = true;
            VEC_PUSH(v->arena, &v->findings, finding);
        }
    }
}

/* What the decoder, whose text says "KIND NAME: FIELD: ...", finds in metadata the server refuses,
 * too; but it makes a name where it is asked to. */
static bool refused_metadata(const struct k8s_read_object *object, const char *text)
{
    const json_t *metadata = json_object_get(object->value, "metadata");
    const char *field = strstr(text, ": ");
    return field != NULL && strncmp(field, ": metadata", strlen(": metadata")) == 0 &&
           json_object_get(metadata, "generateName") == NULL;
}

static bool take_object(void *ctx, const struct k8s_read_object *object, struct err *err)
{
    struct validating *v = ctx;
    const struct k8s_violation *violations;
    uint32_t n = 0;
    struct err why;
    (void)err;
    v->n_objects++;
    bool has_schema = k8s_schema_check(v->arena, object->value, &violations, &n);
    const size_t n_before = v->findings.n;
    v->n_checked += has_schema;
    if (has_schema) {
        check_name(v, object);
        check_schedules(v, object, n, violations);
    }
    for (uint32_t i = 0; i < n; i++) {
        struct finding finding = finding_at(v, object);
        finding.path = violations[i].path;
        finding.rule = violations[i].rule;
        finding.text = violations[i].text;
        finding.accepted_by_server = violations[i].accepted_by_server;
        VEC_PUSH(v->arena, &v->findings, finding);
    }
    if (v->findings.n == n_before &&
        !k8s_builder_add(v->builder, object->value, object->list_kind, v->source->index,
                         object->removed, NULL, &why)) {
        struct finding finding = finding_at(v, object);
        finding.rule = STR("decode");
        finding.accepted_by_server = has_schema && !refused_metadata(object, why.text);
        finding.text = str_copy(v->arena, str_of(why.text));
        VEC_PUSH(v->arena, &v->findings, finding);
    }
    return true;
}

static bool read_source(void *ctx, const struct io_input *source, struct err *err)
{
    struct validating *v = ctx;
    v->source = source;
    return k8s_read(source->name, source->source, take_object, v, NULL, err);
}

/* ---- showing ---- */

static void put_text(const struct validating *v, struct strbuf *b)
{
    for (size_t i = 0; i < v->findings.n; i++) {
        const struct finding *f = &v->findings.v[i];
        struct strbuf line = strbuf_new(v->arena, 65536);
        strbuf_addf(&line, "%s:%" PRIu64 ": ", f->file, f->line);
        if (!str_eq(f->rule, STR("decode"))) { /* a decoder's text names the object itself */
            strbuf_addf(&line, STR_FMT " " STR_FMT ": " STR_FMT ": ", STR_ARG(f->kind),
                        STR_ARG(f->name), STR_ARG(f->path));
        }
        strbuf_add(&line, f->text);
        if (f->accepted_by_server) {
            strbuf_addf(&line, " (an API server takes it, %s does not)",
                        str_eq(f->rule, STR("decode")) ? "the planner" : "Karpenter");
        }
        text_add(b, &v->console->out, TEXT_PLAIN, strbuf_str(&line));
        strbuf_addc(b, '\n');
    }
    struct str objects = text_things(v->arena, v->n_objects, "object");
    struct str checked = text_count(v->arena, v->n_checked);
    struct str faults = text_things(v->arena, v->findings.n, "fault");
    strbuf_addf(b, STR_FMT " read, " STR_FMT " of them of Karpenter's kinds: " STR_FMT "\n",
                STR_ARG(objects), STR_ARG(checked), STR_ARG(faults));
}

static void put_document(const struct validating *v, struct jsonw *w)
{
    jsonw_object_begin(w);
    jsonw_key_str(w, "apiVersion", STR("binpack/v1"));
    jsonw_key_str(w, "kind", STR("Validation"));
    jsonw_key_i64(w, "objects", (int64_t)v->n_objects);
    jsonw_key_i64(w, "checkedBySchema", (int64_t)v->n_checked);
    jsonw_key_array(w, "faults");
    for (size_t i = 0; i < v->findings.n; i++) {
        const struct finding *f = &v->findings.v[i];
        jsonw_object_begin(w);
        jsonw_key_str(w, "file", str_of(f->file));
        jsonw_key_i64(w, "line", (int64_t)f->line);
        jsonw_key_str(w, "kind", f->kind);
        jsonw_key_str(w, "name", f->name);
        jsonw_key_str(w, "path", f->path);
        jsonw_key_str(w, "rule", f->rule);
        jsonw_key_str(w, "message", f->text);
        jsonw_key_bool(w, "acceptedByServer", f->accepted_by_server);
        jsonw_object_end(w);
    }
    jsonw_array_end(w);
    jsonw_object_end(w);
}

static bool show_one(const struct validating *v, const struct option_output *output,
                     struct err *err)
{
    auto_arena arena = ARENA_INIT;
    struct strbuf b = output_buffer(&arena);
    struct jsonw w = jsonw_new(&b, output->format == OUTPUT_YAML ? JSONW_YAML : JSONW_PRETTY);
    if (output->format == OUTPUT_TABLE) {
        put_text(v, &b);
    } else {
        put_document(v, &w);
    }
    return output_write(v->console, output->file, &b, err);
}

static bool show(const struct validating *v, struct err *err)
{
    static const struct option_output table = {.format = OUTPUT_TABLE};
    for (uint32_t i = 0; i < v->options->outputs.n; i++) {
        if (!show_one(v, &v->options->outputs.v[i], err)) {
            return false;
        }
    }
    return v->options->outputs.n > 0 || show_one(v, &table, err);
}

int command_validate(const struct options *options, struct console *console)
{
    auto_arena arena = ARENA_INIT;
    struct err err = {.code = ERR_NONE};
    struct validating v = {.options = options, .console = console, .arena = &arena};
    v.builder = k8s_builder_new(&arena, strtab_new(&arena));
    struct option_texts paths = options_paths(options, &options->arguments, &arena);
    const char **names = ARENA_ARRAY(&arena, const char *, paths.n);
    for (uint32_t i = 0; i < paths.n; i++) {
        names[i] = str_cstr(&arena, paths.v[i]);
    }
    bool good = io_inputs_read(names, paths.n, read_source, &v, NULL, &err) && show(&v, &err);
    k8s_builder_done(v.builder);
    if (!good) {
        return command_failed(console, &err);
    }
    return v.findings.n > 0 ? EXIT_ERROR : EXIT_ALL_PLACED;
}
