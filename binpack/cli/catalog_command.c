/* SPDX-License-Identifier: GPL-3.0-or-later */
/* `binpack catalog list|show TYPE|verify|refresh`. */
#include "base/arena.h"
#include "base/jsonw.h"
#include "base/vec.h"
#include "binpack/catalog/verify.h"
#include "binpack/catalog/write.h"
#include "binpack/cli/columns.h"
#include "binpack/cli/commands.h"
#include "binpack/cli/input.h"
#include "binpack/cli/output.h"
#include "binpack/cli/refresh.h"
#include "binpack/plan/plan_json.h"
#include "binpack/view/table.h"

#include <stdlib.h>

struct browsing {
    const struct options *options;
    struct console *console;
    struct arena *arena;
    struct strtab *tab;
    struct k8s_words words;
    const struct catalog *catalog;
};

static struct str word(const struct browsing *b, strid id)
{
    return strtab_str(b->tab, id);
}

/* The lowest price of a capacity type over the zones; absent when it is not sold. */
static struct opt_usd lowest_price(const struct cat_type *type,
                                   enum cat_capacity_type capacity_type)
{
    struct opt_usd lowest = {.has = false};
    for (uint32_t i = 0; i < type->n_offerings; i++) {
        const struct cat_offering *o = &type->offerings[i];
        if (o->capacity_type == capacity_type && o->price.has && o->available &&
            (!lowest.has || o->price.v < lowest.v)) {
            lowest = o->price;
        }
    }
    return lowest;
}

static struct str price_text(const struct browsing *b, struct opt_usd price)
{
    return price.has ? text_usd(b->arena, price.v, 4) : STR("-");
}

static struct str amount_text(const struct browsing *b, strid resource,
                              const struct k8s_resources *resources)
{
    return plan_amount(&b->words, b->tab, resource, k8s_resources_get(resources, resource),
                       b->arena);
}

/* "8 nvidia", or "-": extended resources that are devices; `show` has their full names. */
static struct str devices_text(const struct browsing *b, const struct cat_type *type)
{
    static const struct {
        const char *resource, *name;
    } devices[] = {{"nvidia.com/gpu", "nvidia"},
                   {"amd.com/gpu", "amd"},
                   {"aws.amazon.com/neuron", "neuron"},
                   {"habana.ai/gaudi", "gaudi"}};
    for (size_t i = 0; i < sizeof(devices) / sizeof(devices[0]); i++) {
        strid id = strtab_find(b->tab, str_of(devices[i].resource));
        int64_t n = id == STRID_NONE ? 0 : k8s_resources_get(&type->allocatable, id);
        if (n > 0) {
            return text_format(b->arena, "%lld %s", (long long)n, devices[i].name);
        }
    }
    return STR("-");
}

static void add_row(const struct browsing *b, struct table *table, const struct cat_type *type)
{
    table_add(table, word(b, type->name));
    table_add(table, word(b, type->arch));
    table_add(table, amount_text(b, b->words.cpu, &type->allocatable));
    table_add(table, amount_text(b, b->words.memory, &type->allocatable));
    table_add(table, amount_text(b, b->words.pods, &type->allocatable));
    table_add(table, price_text(b, lowest_price(type, CAT_ON_DEMAND)));
    table_add(table, price_text(b, lowest_price(type, CAT_SPOT)));
    table_add(table, devices_text(b, type));
}

static void render_list(const struct browsing *b, struct strbuf *out, const struct text_look *look)
{
    struct table *table = table_new(b->arena, catalog_types_shape.columns, catalog_types_shape.n);
    for (uint32_t i = 0; i < b->catalog->n_types; i++) {
        add_row(b, table, &b->catalog->types[i]);
    }
    if (look->width > 0 && table_width(table) > look->width) {
        table_set_gap(table, 1);
    }
    table_render(table, out, look, /* with_head= */ true);
}

struct sorted_resource {
    struct str name;
    const struct k8s_quantity *quantity;
};

static int resource_cmp(const void *x, const void *y)
{
    return str_cmp(((const struct sorted_resource *)x)->name,
                   ((const struct sorted_resource *)y)->name);
}

static void put_resources(const struct browsing *b, struct strbuf *out, const char *title,
                          const struct k8s_resources *resources)
{
    struct sorted_resource *rows = ARENA_ARRAY(b->arena, struct sorted_resource, resources->n + 1);
    for (uint32_t i = 0; i < resources->n; i++) {
        rows[i] = (struct sorted_resource){.name = word(b, resources->v[i].resource),
                                           .quantity = &resources->v[i]};
    }
    qsort(rows, resources->n, sizeof(rows[0]), resource_cmp);
    strbuf_addf(out, "\n%s\n", title);
    for (uint32_t i = 0; i < resources->n; i++) {
        struct str amount = plan_amount(&b->words, b->tab, rows[i].quantity->resource,
                                        rows[i].quantity->value, b->arena);
        strbuf_addf(out, "  %-28.*s " STR_FMT "\n", STR_ARG(rows[i].name), STR_ARG(amount));
    }
}

/* Volumes that a new node can attach, by driver: those left to pods, as -o json has them, and how
 * many before the node's own devices are taken off. */
static void put_attach_limits(const struct browsing *b, struct strbuf *out,
                              const struct cat_type *type)
{
    if (type->n_attach_limits == 0) {
        return;
    }
    struct cat_room room; /* the same drivers in the same order */
    cat_type_room(type, NULL, &CAT_SETTINGS_DEFAULT, b->tab, &b->words, b->arena, &room);
    strbuf_add(out, STR("\nVolumes that pods can attach (default node class)\n"));
    for (uint32_t i = 0; i < type->n_attach_limits; i++) {
        const struct cat_attach_limit *limit = &type->attach_limits[i];
        strbuf_addf(out, "  %-28.*s %lld of %lld%s\n", STR_ARG(word(b, limit->driver)),
                    (long long)room.attach_limits[i].count, (long long)limit->count,
                    type->attach_shared_with_enis ? ", shared with network interfaces" : "");
    }
}

static void put_labels(const struct browsing *b, struct strbuf *out, const struct cat_type *type)
{
    const struct k8s_pair *pairs = plan_sorted_pairs(b->tab, &type->labels, b->arena);
    strbuf_add(out, STR("\nLabels\n"));
    for (uint32_t i = 0; i < type->labels.n; i++) {
        strbuf_addf(out, "  " STR_FMT "=" STR_FMT "\n", STR_ARG(word(b, pairs[i].key)),
                    STR_ARG(word(b, pairs[i].value)));
    }
}

static void put_offerings(const struct browsing *b, struct strbuf *out, const struct cat_type *type,
                          const struct text_look *look)
{
    struct table *table =
        table_new(b->arena, catalog_offerings_shape.columns, catalog_offerings_shape.n);
    strbuf_add(out, STR("\nOfferings\n"));
    for (uint32_t i = 0; i < type->n_offerings; i++) {
        const struct cat_offering *o = &type->offerings[i];
        struct opt_usd month = {.has = o->price.has, .v = sat_mul(o->price.v, HOURS_PER_MONTH)};
        table_add(table, text_format(b->arena, "  " STR_FMT,
                                     STR_ARG(word(b, b->catalog->zones[o->zone_i].name))));
        table_add(table, plan_capacity_type_name(o->capacity_type));
        table_add(table, price_text(b, o->price));
        table_add(table, month.has ? text_usd(b->arena, month.v, 2) : STR("-"));
        table_add(table, o->available ? word(b, o->reservation_id) : STR("sold out"));
    }
    table_render(table, out, look, /* with_head= */ true);
}

static void render_type(const struct browsing *b, struct strbuf *out, const struct cat_type *type,
                        const struct text_look *look)
{
    text_add(out, look, TEXT_HEAD, word(b, type->name));
    strbuf_addf(
        out, "  " STR_FMT ", %lld vCPU, " STR_FMT " memory, catalogue " STR_FMT "\n",
        STR_ARG(word(b, type->arch)), (long long)type->vcpu,
        STR_ARG(plan_amount(&b->words, b->tab, b->words.memory, type->memory_bytes, b->arena)),
        STR_ARG(b->catalog->name));
    put_resources(b, out, "Allocatable to pods (default node class)", &type->allocatable);
    put_resources(b, out, "Capacity", &type->capacity);
    put_attach_limits(b, out, type);
    put_labels(b, out, type);
    put_offerings(b, out, type, look);
}

/* ---- commands ---- */

static bool unknown_type(const struct browsing *b, struct str name, struct err *err)
{
    VEC(const char *) names = {0};
    for (uint32_t i = 0; i < b->catalog->n_types; i++) {
        VEC_PUSH(b->arena, &names, str_cstr(b->arena, word(b, b->catalog->types[i].name)));
    }
    VEC_PUSH(b->arena, &names, NULL);
    return err_set(err, ERR_NOT_FOUND,
                   "catalogue " STR_FMT " has no instance type \"" STR_FMT "\"" STR_FMT,
                   STR_ARG(b->catalog->name), STR_ARG(name),
                   STR_ARG(option_suggest(name, names.v, "", b->arena)));
}

/* One output of `list` (type NULL) or `show`. */
static bool render(const struct browsing *b, const struct option_output *output,
                   const struct cat_type *type, struct err *err)
{
    auto_arena arena = ARENA_INIT;
    struct strbuf out = output_buffer(&arena);
    struct jsonw w = jsonw_new(&out, output->format == OUTPUT_YAML ? JSONW_YAML : JSONW_PRETTY);
    struct text_look look = b->console->out;
    if (output->file.n > 0) {
        look = (struct text_look){.width = 0, .color = false, .tables = look.tables};
    }
    if (output->format == OUTPUT_TABLE) {
        if (type == NULL) {
            render_list(b, &out, &look);
        } else {
            render_type(b, &out, type, &look);
        }
    } else if (type == NULL) {
        cat_write_json(&w, b->catalog, &CAT_SETTINGS_DEFAULT, b->tab, &b->words);
    } else {
        cat_write_type(&w, b->catalog, type, &CAT_SETTINGS_DEFAULT, b->tab, &b->words);
    }
    return output_write(b->console, output->file, &out, err);
}

static bool render_all(const struct browsing *b, const struct cat_type *type, struct err *err)
{
    static const struct option_output table = {.format = OUTPUT_TABLE};
    for (uint32_t i = 0; i < b->options->outputs.n; i++) {
        if (!render(b, &b->options->outputs.v[i], type, err)) {
            return false;
        }
    }
    return b->options->outputs.n > 0 || render(b, &table, type, err);
}

static bool show(const struct browsing *b, struct err *err)
{
    for (uint32_t i = 1; i < b->options->arguments.n; i++) {
        struct str name = b->options->arguments.v[i];
        strid id = strtab_find(b->tab, name);
        const struct cat_type *type = id == STRID_NONE ? NULL : cat_find(b->catalog, b->tab, id);
        if (type == NULL) {
            return unknown_type(b, name, err);
        }
        if (!render_all(b, type, err)) {
            return false;
        }
    }
    return true;
}

static bool verify(const struct browsing *b, struct err *err)
{
    auto_arena arena = ARENA_INIT;
    struct cat_report report;
    struct strbuf out = output_buffer(&arena);
    cat_verify(b->catalog, b->tab, &b->words, &arena, &report);
    for (uint32_t i = 0; i < report.n_findings; i++) {
        const struct cat_finding *f = &report.findings[i];
        strbuf_addf(&out, "%s: ", f->severity == CAT_FAULT ? "fault" : "remark");
        text_add(&out, &(struct text_look){.width = 0}, TEXT_PLAIN, f->text);
        strbuf_addc(&out, '\n');
    }
    strbuf_addf(
        &out,
        "catalogue " STR_FMT
        ": %u instance types in %u zones, %u offerings, %u of them priced and available (%u on "
        "demand, %u spot, %u reserved); %u types cannot be bought; %u faults, %u remarks\n",
        STR_ARG(b->catalog->name), report.n_types, report.n_zones, report.n_offerings,
        report.n_available, report.n_by_capacity_type[CAT_ON_DEMAND],
        report.n_by_capacity_type[CAT_SPOT], report.n_by_capacity_type[CAT_RESERVED],
        report.n_not_offered, report.n_faults, report.n_remarks);
    if (!output_write(b->console, STR_EMPTY, &out, err)) {
        return false;
    }
    return report.n_faults == 0 ||
           err_set(err, ERR_CONFLICT, "the catalogue contradicts itself: %u faults",
                   report.n_faults);
}

/* ---- refresh ---- */

static bool ask(struct browsing *b, struct err *err)
{
    if (b->options->catalogs.n > 0) {
        return err_set(err, ERR_INVALID,
                       "catalog refresh asks AWS and reads no --catalog; to put files together: "
                       "binpack catalog list --catalog FILE... -o json");
    }
    return refresh_catalog(b->options, b->console, b->arena, b->tab, &b->catalog, err);
}

static bool write_refreshed(const struct browsing *b, struct err *err)
{
    static const struct option_output json = {.format = OUTPUT_JSON};
    auto_arena arena = ARENA_INIT;
    struct cat_report report;
    cat_verify(b->catalog, b->tab, &b->words, &arena, &report);
    if (b->options->outputs.n > 0 ? !render_all(b, NULL, err) : !render(b, &json, NULL, err)) {
        return false;
    }
    console_say(b->console,
                "catalogue " STR_FMT
                ": %u instance types in %u zones, %u offerings, %u with a price (%u on demand, "
                "%u spot)",
                STR_ARG(b->catalog->name), report.n_types, report.n_zones, report.n_offerings,
                report.n_priced, report.n_by_capacity_type[CAT_ON_DEMAND],
                report.n_by_capacity_type[CAT_SPOT]);
    return true;
}

/* ---- the command ---- */

static bool read_catalog(struct browsing *b, struct err *err)
{
    return input_catalog(b->options, b->console, b->arena, b->tab, &b->catalog, err);
}

static bool list(const struct browsing *b, struct err *err)
{
    return render_all(b, NULL, err);
}

int command_catalog(const struct options *options, struct console *console)
{
    static const struct {
        struct str name;
        bool (*get)(struct browsing *b, struct err *err);
        bool (*show)(const struct browsing *b, struct err *err);
    } actions[] = {{STR("list"), read_catalog, list},
                   {STR("show"), read_catalog, show},
                   {STR("verify"), read_catalog, verify},
                   {STR("refresh"), ask, write_refreshed}};
    static const char *const names[] = {"list", "show", "verify", "refresh", NULL};
    auto_arena arena = ARENA_INIT;
    struct err err = {.code = ERR_NONE};
    struct browsing b = {
        .options = options, .console = console, .arena = &arena, .tab = strtab_new(&arena)};
    if (options->arguments.n == 0) {
        console_error(console, "catalog: say what: list, show TYPE, verify or refresh");
        return EXIT_USAGE;
    }
    struct str action = options->arguments.v[0];
    k8s_words_init(&b.words, b.tab);
    for (size_t i = 0; i < sizeof(actions) / sizeof(actions[0]); i++) {
        if (str_eq(action, actions[i].name)) {
            bool good = actions[i].get(&b, &err) && actions[i].show(&b, &err);
            return good ? EXIT_ALL_PLACED : command_failed(console, &err);
        }
    }
    console_error(console, "catalog: \"" STR_FMT "\" is not list, show, verify or refresh" STR_FMT,
                  STR_ARG(action), STR_ARG(option_suggest(action, names, "", &arena)));
    return EXIT_USAGE;
}
