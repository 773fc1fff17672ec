/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "binpack/view/plan_table.h"

#include "base/arena.h"
#include "binpack/plan/plan_json.h"
#include "binpack/view/disruption_table.h"
#include "binpack/view/summary.h"
#include "binpack/view/table.h"

enum { LABEL_WIDTH = 13, ROWS_MAX = 40, GROUPS_MAX = 10, REASONS_MAX = 3, NAMES_MAX = 3 };

/* How much a table says: the first layout that fits is taken. */
struct layout {
    bool full_zones, month_cents;
    unsigned hour_decimals, gap;
};

static const struct table_column mix_columns[] = {
    {"NODEPOOL", false, SHRINK_CUT}, {"NODES", true, SHRINK_NO},  {"TYPE", false, SHRINK_CUT},
    {"CAPACITY", false, SHRINK_NO},  {"ZONE", false, SHRINK_CUT}, {"PODS", true, SHRINK_NO},
    {"CPU", true, SHRINK_NO},        {"MEM", true, SHRINK_NO},    {"GPU", true, SHRINK_NO},
    {"$/H", true, SHRINK_NO},        {"$/MO", true, SHRINK_NO},
};
static const struct table_column mix_columns_without_gpu[] = {
    {"NODEPOOL", false, SHRINK_CUT}, {"NODES", true, SHRINK_NO},  {"TYPE", false, SHRINK_CUT},
    {"CAPACITY", false, SHRINK_NO},  {"ZONE", false, SHRINK_CUT}, {"PODS", true, SHRINK_NO},
    {"CPU", true, SHRINK_NO},        {"MEM", true, SHRINK_NO},    {"$/H", true, SHRINK_NO},
    {"$/MO", true, SHRINK_NO},
};

#define N_OF(array) ((uint32_t)(sizeof(array) / sizeof((array)[0])))

const struct table_shape view_mix_shape = {mix_columns, N_OF(mix_columns)};

static void add_numbers(struct table *table, const struct summary *s, const struct summary_mix *mix,
                        const struct layout *layout, struct arena *arena)
{
    table_add(table, text_count(arena, mix->n_pods));
    table_add(table, text_percent(arena, mix->cpu.used, mix->cpu.whole));
    table_add(table, text_percent(arena, mix->memory.used, mix->memory.whole));
    if (s->has_gpu) {
        table_add(table, text_percent(arena, mix->gpu.used, mix->gpu.whole));
    }
    table_add(table, text_usd(arena, mix->cost, layout->hour_decimals));
    table_add(table,
              text_usd(arena, sat_mul(mix->cost, HOURS_PER_MONTH), layout->month_cents ? 2 : 0));
}

static struct table *mix_table(const struct summary *s, const struct layout *layout,
                               struct arena *arena)
{
    const struct plan *plan = s->plan;
    const struct strtab *tab = plan->cluster->tab;
    struct table *table =
        s->has_gpu ? table_new(arena, mix_columns, N_OF(mix_columns))
                   : table_new(arena, mix_columns_without_gpu, N_OF(mix_columns_without_gpu));
    uint32_t n = s->n_mixes > ROWS_MAX + 1 ? ROWS_MAX : s->n_mixes;
    table_set_gap(table, layout->gap);
    for (uint32_t i = 0; i < n; i++) {
        const struct summary_mix *mix = &s->mixes[i];
        table_add(table, plan->cluster->nodepools[mix->pool_i].meta.name);
        table_add(table, text_count(arena, mix->n_nodes));
        table_add(table, strtab_str(tab, mix->type->name));
        table_add(table, plan_capacity_type_name(mix->capacity_type));
        table_add(table, layout->full_zones
                             ? strtab_str(tab, plan->catalog->zones[mix->zone_i].name)
                             : summary_zone_short(plan, mix->zone_i));
        add_numbers(table, s, mix, layout, arena);
    }
    if (n < s->n_mixes) {
        struct summary_mix rest = {.n_nodes = 0};
        for (uint32_t i = n; i < s->n_mixes; i++) {
            const struct summary_mix *mix = &s->mixes[i];
            rest.n_nodes += mix->n_nodes;
            rest.n_pods += mix->n_pods;
            rest.cost = sat_add(rest.cost, mix->cost);
        }
        table_row_style(table, TEXT_FAINT);
        table_add(table, STR("others"));
        table_add(table, text_count(arena, rest.n_nodes));
        table_add(table, text_format(arena, "%u kinds", s->n_mixes - n));
        table_add(table, STR("(-o wide)"));
        table_add(table, STR_EMPTY);
        add_numbers(table, s, &rest, layout, arena);
    }
    table_row_style(table, TEXT_HEAD);
    table_add(table, STR("TOTAL"));
    table_add(table, text_count(arena, s->total.n_nodes));
    table_add(table, STR_EMPTY);
    table_add(table, STR_EMPTY);
    table_add(table, STR_EMPTY);
    add_numbers(table, s, &s->total, layout, arena);
    return table;
}

static void put_mix(const struct summary *s, const struct text_look *look, struct strbuf *b,
                    struct arena *scratch)
{
    bool large = s->total.cost >= 1000 * USD_PER_HOUR;
    unsigned decimals = large ? 2 : 4;
    const struct layout layouts[] = {
        {.full_zones = true, .month_cents = !large, .hour_decimals = decimals, .gap = 2},
        {.full_zones = true, .month_cents = false, .hour_decimals = decimals, .gap = 2},
        {.full_zones = false, .month_cents = false, .hour_decimals = decimals, .gap = 2},
        {.full_zones = false, .month_cents = false, .hour_decimals = decimals, .gap = 1},
        {.full_zones = false, .month_cents = false, .hour_decimals = 2, .gap = 1},
    };
    struct table *table = NULL;
    for (uint32_t i = 0; i < N_OF(layouts); i++) {
        if (i + 1 == N_OF(layouts) && !large && s->total.cost < 10 * USD_PER_HOUR) {
            break; /* small sums need their digits more than names their ends */
        }
        table = mix_table(s, &layouts[i], scratch);
        if (look->width == 0 || table_width(table) <= look->width) {
            break;
        }
    }
    table_render(table, b, look, /* with_head= */ true);
    strbuf_addc(b, '\n');
}

static void put_reasons(const struct plan_unplaced *unplaced, const struct text_look *look,
                        struct strbuf *b, bool all, struct arena *scratch)
{
    uint32_t n;
    const struct str *lines = summary_reasons(unplaced, scratch, &n);
    uint32_t n_shown = all || n <= REASONS_MAX + 1 ? n : REASONS_MAX;
    for (uint32_t i = 0; i < n_shown; i++) {
        text_paragraph(b, look, LABEL_WIDTH + 2, TEXT_PLAIN, STR_EMPTY, lines[i]);
    }
    if (n_shown < n) {
        struct str rest = text_things(scratch, n - n_shown, "more reason");
        text_paragraph(b, look, LABEL_WIDTH + 2, TEXT_PLAIN, STR_EMPTY,
                       text_format(scratch, STR_FMT " (-o wide)", STR_ARG(rest)));
    }
}

static void put_groups(const struct summary *s, const struct text_look *look, struct strbuf *b,
                       bool all, struct arena *scratch)
{
    uint32_t n = all || s->n_groups <= GROUPS_MAX + 1 ? s->n_groups : GROUPS_MAX;
    for (uint32_t i = 0; i < n; i++) {
        const struct summary_group *group = &s->groups[i];
        const struct plan_unplaced *first = group->pods[0];
        struct str pods = text_things(scratch, group->n_pods, "pod");
        struct str names =
            summary_pod_names(s->plan, group, all ? UINT32_MAX - 1 : NAMES_MAX, scratch);
        struct str line = text_format(scratch, STR_FMT ": " STR_FMT, STR_ARG(pods), STR_ARG(names));
        text_paragraph(b, look, LABEL_WIDTH, TEXT_BAD, i == 0 ? STR("Unplaced") : STR_EMPTY, line);
        put_reasons(first, look, b, all, scratch);
    }
    if (n < s->n_groups) {
        struct str rest =
            text_format(scratch, "and %u more groups of pods (-o wide shows all)", s->n_groups - n);
        text_paragraph(b, look, LABEL_WIDTH, TEXT_PLAIN, STR_EMPTY, rest);
    }
}

static void put_lines(const struct summary *s, const struct text_look *look, struct strbuf *b)
{
    for (uint32_t i = 0; i < s->n_lines; i++) {
        text_paragraph(b, look, LABEL_WIDTH, TEXT_HEAD, str_of(s->lines[i].label),
                       s->lines[i].text);
    }
}

void view_table(const struct plan *plan, const struct text_look *look, struct strbuf *b)
{
    auto_arena scratch = ARENA_INIT;
    struct summary s = summary_of(plan, &scratch);
    if (plan->n_nodes > 0) {
        put_mix(&s, look, b, &scratch);
    }
    view_disruption(plan, look, /* all= */ false, b);
    put_lines(&s, look, b);
    put_groups(&s, look, b, /* all= */ false, &scratch);
}

void view_table_lines(const struct plan *plan, const struct text_look *look, struct strbuf *b)
{
    auto_arena scratch = ARENA_INIT;
    struct summary s = summary_of(plan, &scratch);
    put_lines(&s, look, b);
    put_groups(&s, look, b, /* all= */ false, &scratch);
}

static const struct table_column node_columns[] = {
    {"NODE", false, SHRINK_NO},     {"NODEPOOL", false, SHRINK_NO}, {"TYPE", false, SHRINK_NO},
    {"CAPACITY", false, SHRINK_NO}, {"ZONE", false, SHRINK_NO},     {"PODS", true, SHRINK_NO},
    {"CPU", true, SHRINK_NO},       {"MEM", true, SHRINK_NO},       {"GPU", true, SHRINK_NO},
    {"DAEMONS", true, SHRINK_NO},   {"OPTIONS", true, SHRINK_NO},   {"$/H", true, SHRINK_NO},
    {"$/MO", true, SHRINK_NO},
};

const struct table_shape view_nodes_shape = {node_columns, N_OF(node_columns)};

/* "3.2/7.9" of cores, "12.5/28.1Gi" of memory: how much is asked for of how much there is. */
static struct str cores(struct summary_use use, struct arena *arena)
{
    if (use.whole == 0) {
        return STR("-");
    }
    return text_format(arena, "%lld.%02lld/%lld.%02lld", (long long)(use.used / 1000),
                       (long long)(use.used % 1000 / 10), (long long)(use.whole / 1000),
                       (long long)(use.whole % 1000 / 10));
}

static struct str gibibytes(struct summary_use use, struct arena *arena)
{
    const int64_t gi = INT64_C(1) << 30;
    if (use.whole == 0) {
        return STR("-");
    }
    return text_format(arena, "%lld.%lld/%lld.%lldGi", (long long)(use.used / gi),
                       (long long)(use.used % gi * 10 / gi), (long long)(use.whole / gi),
                       (long long)(use.whole % gi * 10 / gi));
}

static struct table *node_table(const struct plan *plan, struct arena *arena)
{
    const struct strtab *tab = plan->cluster->tab;
    const struct k8s_words *words = &plan->cluster->words;
    struct table *table = table_new(arena, node_columns, N_OF(node_columns));
    for (uint32_t i = 0; i < plan->n_nodes; i++) {
        const struct plan_node *node = &plan->nodes[i];
        struct summary_use gpu = summary_gpus_of(plan, node);
        table_add(table, node->name);
        table_add(table, plan->cluster->nodepools[node->pool_i].meta.name);
        table_add(table, strtab_str(tab, node->type->name));
        table_add(table, plan_capacity_type_name(node->capacity_type));
        table_add(table, strtab_str(tab, plan->catalog->zones[node->zone_i].name));
        table_add(table, text_count(arena, node->n_pods));
        table_add(table, cores(summary_use_of(node, words->cpu), arena));
        table_add(table, gibibytes(summary_use_of(node, words->memory), arena));
        table_add(table, gpu.whole == 0 ? STR("-")
                                        : text_format(arena, "%lld/%lld", (long long)gpu.used,
                                                      (long long)gpu.whole));
        table_add(table, plan_amount(words, tab, words->cpu,
                                     k8s_resources_get(&node->daemons, words->cpu), arena));
        table_add(table, text_count(arena, node->n_options));
        table_add(table, text_usd(arena, node->price, 4));
        table_add(table, text_usd(arena, sat_mul(node->price, HOURS_PER_MONTH), 2));
    }
    return table;
}

static void put_pods(const struct plan *plan, const struct text_look *look, struct strbuf *b,
                     struct str label, const uint32_t *pods, uint32_t n, unsigned indent,
                     struct arena *scratch)
{
    size_t size = 1;
    for (uint32_t i = 0; i < n; i++) {
        const struct k8s_pod *pod = &plan->cluster->pods[pods[i]];
        size += pod->name.n + strtab_str(plan->cluster->tab, pod->ns).n + 2;
    }
    struct strbuf names = strbuf_new(scratch, size);
    for (uint32_t i = 0; i < n; i++) {
        const struct k8s_pod *pod = &plan->cluster->pods[pods[i]];
        strbuf_add(&names, i == 0 ? STR_EMPTY : STR(" "));
        strbuf_add(&names, strtab_str(plan->cluster->tab, pod->ns));
        strbuf_addc(&names, '/');
        strbuf_add(&names, pod->name);
    }
    struct text_look wrapped = *look;
    wrapped.width = look->width == 0 ? 120 : look->width;
    text_paragraph(b, &wrapped, indent, TEXT_HEAD, label, strbuf_str(&names));
}

void view_wide(const struct plan *plan, const struct text_look *look, struct strbuf *b)
{
    auto_arena scratch = ARENA_INIT;
    struct summary s = summary_of(plan, &scratch);
    const struct text_look unlimited = {.width = 0, .color = look->color, .tables = look->tables};
    unsigned indent = 8;
    if (plan->n_nodes > 0) {
        put_mix(&s, &unlimited, b, &scratch); /* Nothing is cut. */
        table_render(node_table(plan, &scratch), b, &unlimited, /* with_head= */ true);
        strbuf_addc(b, '\n');
    }
    for (uint32_t i = 0; i < plan->n_nodes; i++) {
        const struct plan_node *node = &plan->nodes[i];
        indent = node->name.n + 2 > indent ? (unsigned)node->name.n + 2 : indent;
        put_pods(plan, look, b, node->name, node->pods, node->n_pods, indent, &scratch);
    }
    for (uint32_t i = 0; i < plan->n_existing; i++) {
        const struct plan_placement *place = &plan->existing[i];
        put_pods(plan, look, b, place->node, place->pods, place->n_pods, indent, &scratch);
    }
    if (plan->n_nodes + plan->n_existing > 0) {
        strbuf_addc(b, '\n');
    }
    view_disruption(plan, look, /* all= */ true, b);
    put_lines(&s, look, b);
    put_groups(&s, look, b, /* all= */ true, &scratch);
}
