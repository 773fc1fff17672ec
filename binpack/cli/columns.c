/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "binpack/cli/columns.h"

#include "base/arena.h"
#include "binpack/view/breakdown_table.h"
#include "binpack/view/comparison.h"
#include "binpack/view/difference.h"
#include "binpack/view/disruption_table.h"
#include "binpack/view/plan_table.h"

enum { SHAPES_MAX = 4, TITLES_MAX = 4096 };

static const struct table_column type_columns[] = {
    {"TYPE", false, SHRINK_NO},     {"ARCH", false, SHRINK_NO},    {"CPU", true, SHRINK_NO},
    {"MEMORY", true, SHRINK_NO},    {"PODS", true, SHRINK_NO},     {"ON-DEMAND", true, SHRINK_NO},
    {"SPOT FROM", true, SHRINK_NO}, {"DEVICES", false, SHRINK_NO},
};
static const struct table_column offering_columns[] = {{"  ZONE", false, SHRINK_NO},
                                                       {"CAPACITY", false, SHRINK_NO},
                                                       {"$/H", true, SHRINK_NO},
                                                       {"$/MO", true, SHRINK_NO},
                                                       {"", false, SHRINK_NO}};

#define N_OF(array) ((uint32_t)(sizeof(array) / sizeof((array)[0])))

const struct table_shape catalog_types_shape = {type_columns, N_OF(type_columns)};
const struct table_shape catalog_offerings_shape = {offering_columns, N_OF(offering_columns)};

struct shapes {
    const struct table_shape *v[SHAPES_MAX];
    uint32_t n;
};

static bool prints_wide(const struct options *o)
{
    bool wide = false;
    for (uint32_t i = 0; i < o->outputs.n; i++) {
        wide = wide || o->outputs.v[i].format == OUTPUT_WIDE;
    }
    return wide;
}

static void of_simulate(const struct options *o, struct arena *arena, struct shapes *s)
{
    enum breakdown_by by;
    struct str label;
    struct err checked; /* when it was parsed */
    if (o->by.n > 0 && breakdown_parse(o->by, &by, &label, &checked)) {
        s->v[s->n++] = view_breakdown_shape(by, label, arena);
    } else {
        s->v[s->n++] = &view_mix_shape;
        if (prints_wide(o)) {
            s->v[s->n++] = &view_nodes_shape;
        }
    }
    if (o->mode == MODE_DISRUPT) {
        s->v[s->n++] = &view_commands_shape;
        s->v[s->n++] = &view_kept_shape;
    }
}

static struct shapes shapes_of(const struct options *o, struct arena *arena)
{
    struct shapes s = {.n = 0};
    if (o->command == CLI_SIMULATE && o->explain.n == 0) {
        of_simulate(o, arena, &s);
    } else if (o->command == CLI_COMPARE) {
        s.v[s.n++] = &view_scenarios_shape;
        s.v[s.n++] = &view_prices_shape;
    } else if (o->command == CLI_DIFF) {
        s.v[s.n++] = &view_difference_shape;
    } else if (o->command == CLI_CATALOG && o->arguments.n > 0) {
        bool list = str_eq(o->arguments.v[0], STR("list"));
        s.v[s.n++] = list ? &catalog_types_shape : &catalog_offerings_shape;
    }
    return s;
}

static bool has_title(const struct shapes *s, struct str name)
{
    for (uint32_t i = 0; i < s->n; i++) {
        if (table_column_named(s->v[i], name) < s->v[i]->n) {
            return true;
        }
    }
    return false;
}

static bool refuse(const char *option, struct str name, struct str titles, struct err *err)
{
    return err_set(err, ERR_INVALID, "--%s: no column \"" STR_FMT "\"; there are " STR_FMT, option,
                   STR_ARG(str_sub(name, 0, 200)), STR_ARG(titles));
}

/* Each title once, in the order of the tables. */
static struct str titles_of(const struct shapes *s, struct arena *arena)
{
    struct strbuf b = strbuf_new(arena, TITLES_MAX);
    for (uint32_t i = 0; i < s->n; i++) {
        const struct shapes before = {.n = i, .v = {s->v[0], s->v[1], s->v[2], s->v[3]}};
        for (uint32_t c = 0; c < s->v[i]->n; c++) {
            struct str title = str_trim(str_of(s->v[i]->columns[c].title));
            if (title.n > 0 && !has_title(&before, title)) {
                strbuf_addf(&b, "%s" STR_FMT, b.n > 0 ? ", " : "", STR_ARG(title));
            }
        }
    }
    return strbuf_str(&b);
}

static struct str sort_title(const struct options *o)
{
    bool backwards = str_starts(o->sort_by, STR("-"));
    return str_sub(o->sort_by, backwards ? 1 : 0, o->sort_by.n);
}

bool columns_check(const struct options *o, struct arena *arena, struct err *err)
{
    const struct shapes shapes = shapes_of(o, arena);
    if (shapes.n == 0 || o->columns.n + o->sort_by.n == 0) {
        return true;
    }
    for (uint32_t i = 0; i < o->columns.n; i++) {
        if (!has_title(&shapes, o->columns.v[i])) {
            return refuse("columns", o->columns.v[i], titles_of(&shapes, arena), err);
        }
    }
    return o->sort_by.n == 0 || has_title(&shapes, sort_title(o)) ||
           refuse("sort-by", o->sort_by, titles_of(&shapes, arena), err);
}

bool columns_found(const struct options *o, const struct table_choice *tables, struct err *err)
{
    if (tables->n_tables == 0 || (o->command != CLI_EXPLAIN && o->explain.n == 0)) {
        return true;
    }
    for (uint32_t i = 0; i < o->columns.n; i++) {
        if ((tables->found & UINT64_C(1) << i) == 0) {
            return refuse("columns", o->columns.v[i], tables->titles, err);
        }
    }
    return o->sort_by.n == 0 || (tables->found & UINT64_C(1) << 63) != 0 ||
           refuse("sort-by", o->sort_by, tables->titles, err);
}
