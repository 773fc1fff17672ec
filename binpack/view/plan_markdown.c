/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "binpack/view/plan_markdown.h"

#include "base/arena.h"
#include "binpack/plan/plan_json.h"
#include "binpack/view/display.h"
#include "binpack/view/disruption_table.h"
#include "binpack/view/summary.h"

enum { ROWS_MAX = 60, GROUPS_MAX = 20, REASONS_MAX = 3, NAMES_MAX = 5, TEXT_MAX = 600 };

/* Text without its power over the page: Markdown and HTML marks are escaped, and it is cut when
 * very long. */
static void escaped(struct strbuf *b, struct str s, struct arena *scratch)
{
    struct str safe = display_safe(scratch, s);
    bool cut = safe.n > TEXT_MAX;
    safe = cut ? str_sub(safe, 0, display_prefix(safe, TEXT_MAX)) : safe;
    for (size_t i = 0; i < safe.n; i++) {
        char c = safe.p[i];
        if (c == '<' || c == '>' || c == '&') {
            strbuf_add(b, c == '<' ? STR("&lt;") : c == '>' ? STR("&gt;") : STR("&amp;"));
            continue;
        }
        if (c == '|' || c == '*' || c == '`' || c == '[' || c == ']' || c == '_' || c == '\\' ||
            c == '#' || c == '~') {
            strbuf_addc(b, '\\');
        }
        if (c == '@') { /* no mention of people */
            strbuf_add(b, STR("&#64;"));
            continue;
        }
        strbuf_addc(b, c);
    }
    strbuf_add(b, cut ? STR("…") : STR_EMPTY);
}

static void cell(struct strbuf *b, struct str s, struct arena *scratch)
{
    strbuf_addc(b, ' ');
    escaped(b, s, scratch);
    strbuf_add(b, STR(" |"));
}

static void put_mix(const struct summary *s, struct strbuf *b, const struct summary_mix *mix,
                    bool is_total, struct arena *scratch)
{
    const struct plan *plan = s->plan;
    const struct strtab *tab = plan->cluster->tab;
    strbuf_addc(b, '|');
    cell(b, is_total ? STR("Total") : plan->cluster->nodepools[mix->pool_i].meta.name, scratch);
    cell(b, text_count(scratch, mix->n_nodes), scratch);
    cell(b, is_total ? STR_EMPTY : strtab_str(tab, mix->type->name), scratch);
    cell(b, is_total ? STR_EMPTY : plan_capacity_type_name(mix->capacity_type), scratch);
    cell(b, is_total ? STR_EMPTY : strtab_str(tab, plan->catalog->zones[mix->zone_i].name),
         scratch);
    cell(b, text_count(scratch, mix->n_pods), scratch);
    cell(b, text_percent(scratch, mix->cpu.used, mix->cpu.whole), scratch);
    cell(b, text_percent(scratch, mix->memory.used, mix->memory.whole), scratch);
    cell(b, text_usd(scratch, mix->cost, 4), scratch);
    cell(b, text_usd(scratch, sat_mul(mix->cost, HOURS_PER_MONTH), 2), scratch);
    strbuf_addc(b, '\n');
}

static void put_table(const struct summary *s, struct strbuf *b, struct arena *scratch)
{
    uint32_t n = s->n_mixes > ROWS_MAX ? ROWS_MAX : s->n_mixes;
    strbuf_add(
        b,
        STR("| NodePool | Nodes | Type | Capacity | Zone | Pods | CPU | Memory | $/h | $/month |\n"
            "|---|---:|---|---|---|---:|---:|---:|---:|---:|\n"));
    for (uint32_t i = 0; i < n; i++) {
        put_mix(s, b, &s->mixes[i], /* is_total= */ false, scratch);
    }
    if (n < s->n_mixes) {
        strbuf_addf(b, "| and %u kinds of node more | | | | | | | | | |\n", s->n_mixes - n);
    }
    put_mix(s, b, &s->total, /* is_total= */ true, scratch);
    strbuf_addc(b, '\n');
}

static void put_groups(const struct summary *s, struct strbuf *b, struct arena *scratch)
{
    uint32_t n = s->n_groups > GROUPS_MAX ? GROUPS_MAX : s->n_groups;
    for (uint32_t i = 0; i < n; i++) {
        const struct summary_group *group = &s->groups[i];
        const struct plan_unplaced *first = group->pods[0];
        strbuf_add(b, STR("- **Unplaced: "));
        strbuf_add(b, text_things(scratch, group->n_pods, "pod"));
        strbuf_add(b, STR("** "));
        escaped(b, summary_pod_names(s->plan, group, NAMES_MAX, scratch), scratch);
        strbuf_addc(b, '\n');
        uint32_t n_lines;
        const struct str *lines = summary_reasons(first, scratch, &n_lines);
        for (uint32_t r = 0; r < n_lines && r < REASONS_MAX; r++) {
            strbuf_add(b, STR("  - "));
            escaped(b, lines[r], scratch);
            strbuf_addc(b, '\n');
        }
    }
    if (n < s->n_groups) {
        strbuf_addf(b, "- and %u more groups of unplaced pods\n", s->n_groups - n);
    }
}

/* What goes, what it saves, and why the others stay. */
static void put_disruption(const struct plan *plan, struct strbuf *b, struct arena *scratch)
{
    const struct plan_disruption *d = plan->disruption;
    uint32_t n = d->n_commands > ROWS_MAX ? ROWS_MAX : d->n_commands;
    strbuf_add(b, n == 0 ? STR_EMPTY
                         : STR("| Action | Nodes | Reason | With | Pods | Saves $/h | $/month |\n"
                               "|---|---|---|---|---:|---:|---:|\n"));
    for (uint32_t i = 0; i < n; i++) {
        const struct plan_command *c = &d->commands[i];
        strbuf_addc(b, '|');
        cell(b, disruption_action(c), scratch);
        cell(b, disruption_nodes(plan, c, /* all= */ false, scratch), scratch);
        cell(b, c->reason, scratch);
        cell(b, disruption_with(plan, c, /* all= */ false, scratch), scratch);
        cell(b, text_count(scratch, c->n_moved), scratch);
        cell(b, disruption_saves(c->saves, 4, scratch), scratch);
        cell(b, disruption_saves(sat_mul(c->saves, HOURS_PER_MONTH), 2, scratch), scratch);
        strbuf_addc(b, '\n');
    }
    if (n < d->n_commands) {
        strbuf_addf(b, "| and %u more | | | | | | |\n", d->n_commands - n);
    }
    strbuf_add(b, n == 0 ? STR_EMPTY : STR("\n"));
    n = d->n_kept > ROWS_MAX ? ROWS_MAX : d->n_kept;
    strbuf_add(b, n == 0 ? STR_EMPTY : STR("| Kept | Why |\n|---|---|\n"));
    for (uint32_t i = 0; i < n; i++) {
        strbuf_addc(b, '|');
        cell(b, d->kept[i].node, scratch);
        cell(b, d->kept[i].message, scratch);
        strbuf_addc(b, '\n');
    }
    if (n < d->n_kept) {
        strbuf_addf(b, "| and %u nodes more | |\n", d->n_kept - n);
    }
    strbuf_add(b, n == 0 ? STR_EMPTY : STR("\n"));
}

static void put_lines(struct strbuf *b, const struct summary_line *lines, uint32_t n,
                      struct arena *scratch)
{
    for (uint32_t i = 0; i < n; i++) {
        strbuf_addf(b, "- **%s:** ", lines[i].label);
        escaped(b, lines[i].text, scratch);
        strbuf_addc(b, '\n');
    }
}

void view_markdown(const struct plan *plan, struct strbuf *b)
{
    auto_arena scratch = ARENA_INIT;
    struct summary s = summary_of(plan, &scratch);
    if (plan->n_nodes > 0) {
        put_table(&s, b, &scratch);
    }
    if (plan->disruption != NULL) {
        struct summary_line lines[DISRUPTION_LINES_MAX];
        put_disruption(plan, b, &scratch);
        put_lines(b, lines, disruption_lines(plan, lines, &scratch), &scratch);
    }
    put_lines(b, s.lines, s.n_lines, &scratch);
    put_groups(&s, b, &scratch);
}
