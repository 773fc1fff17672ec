/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "binpack/view/breakdown_table.h"

#include "base/arena.h"
#include "binpack/view/disruption_table.h"
#include "binpack/view/plan_table.h"
#include "binpack/view/table.h"

enum { LABEL_WIDTH = 13 };

static const char *title_of(enum breakdown_by by, struct str label, struct arena *arena)
{
    switch (by) {
    case BREAKDOWN_POOL:
        return "NODEPOOL";
    case BREAKDOWN_ZONE:
        return "ZONE";
    case BREAKDOWN_NAMESPACE:
        return "NAMESPACE";
    case BREAKDOWN_LABEL:
        break;
    }
    char *title = str_cstr(arena, label);
    for (char *c = title; *c != '\0'; c++) {
        *c = *c >= 'a' && *c <= 'z' ? (char)(*c - 32) : *c;
    }
    return title;
}

const struct table_shape *view_breakdown_shape(enum breakdown_by by, struct str label,
                                               struct arena *arena)
{
    const struct table_column columns[] = {
        {title_of(by, label, arena), false, SHRINK_CUT},
        {"NODES", true, SHRINK_NO},
        {"PODS", true, SHRINK_NO},
        {"CPU", true, SHRINK_NO},
        {"MEM", true, SHRINK_NO},
        {"$/H", true, SHRINK_NO},
        {"$/MO", true, SHRINK_NO},
        {"SHARE", true, SHRINK_NO},
    };
    const uint32_t n = sizeof columns / sizeof columns[0];
    struct table_column *own = ARENA_ARRAY(arena, struct table_column, n);
    struct table_shape *shape = ARENA_NEW(arena, struct table_shape);
    for (uint32_t i = 0; i < n; i++) {
        own[i] = columns[i];
    }
    *shape = (struct table_shape){.columns = own, .n = n};
    return shape;
}

static void add_row(struct table *table, const struct plan *plan, const struct breakdown_row *row,
                    struct arena *arena)
{
    const int64_t tenth_gi = (INT64_C(1) << 30) / 10;
    table_add(table, row->name.n > 0 ? row->name : STR("(without)"));
    table_add(table, text_count(arena, row->n_nodes));
    table_add(table, text_count(arena, row->n_pods));
    table_add(table, text_format(arena, "%lld.%lld", (long long)(row->cpu_milli / 1000),
                                 (long long)(row->cpu_milli % 1000 / 100)));
    table_add(table,
              text_format(arena, "%lld.%lldGi", (long long)(row->memory_bytes / tenth_gi / 10),
                          (long long)(row->memory_bytes / tenth_gi % 10)));
    table_add(table, text_usd(arena, row->cost, 4));
    table_add(table, text_usd(arena, sat_mul(row->cost, HOURS_PER_MONTH), 2));
    table_add(table, text_percent(arena, row->cost, plan->cost));
}

void view_breakdown(const struct breakdown *d, const struct plan *plan,
                    const struct text_look *look, bool all, struct strbuf *b)
{
    auto_arena scratch = ARENA_INIT;
    const struct table_shape *shape = view_breakdown_shape(d->by, d->label, &scratch);
    struct table *table = table_new(&scratch, shape->columns, shape->n);
    struct breakdown_row total = {
        .name = STR("TOTAL"), .n_nodes = plan->n_nodes, .cost = plan->cost};
    for (uint32_t i = 0; i < d->n_rows; i++) {
        add_row(table, plan, &d->rows[i], &scratch);
        total.n_pods += d->rows[i].n_pods;
        total.cpu_milli = sat_add(total.cpu_milli, d->rows[i].cpu_milli);
        total.memory_bytes = sat_add(total.memory_bytes, d->rows[i].memory_bytes);
    }
    table_row_style(table, TEXT_HEAD);
    add_row(table, plan, &total, &scratch);
    if (d->n_rows > 0) {
        struct text_look own = *look;
        own.width = all ? 0 : look->width;
        table_render(table, b, &own, /* with_head= */ true);
        strbuf_addc(b, '\n');
    }
    if (d->n_shared > 0) {
        const char *one = d->n_shared == 1 ? "counts" : "count";
        struct str nodes = text_things(&scratch, d->n_shared, "node");
        text_paragraph(b, look, LABEL_WIDTH, TEXT_HEAD, STR("Shared"),
                       text_format(&scratch,
                                   STR_FMT " with pods of several rows %s in each of them, once in "
                                           "TOTAL; the price is shared out by what pods request.",
                                   STR_ARG(nodes), one));
    }
    view_disruption(plan, look, all, b); /* --by is another mix of nodes, the rest is as without */
    view_table_lines(plan, look, b);
}
