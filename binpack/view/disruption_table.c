/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "binpack/view/disruption_table.h"

#include "base/arena.h"
#include "binpack/plan/plan_json.h"
#include "binpack/view/table.h"

#include <stdlib.h>

enum { LABEL_WIDTH = 13, ROWS_MAX = 30, NAMES_MAX = 3, NAMES_ROOM = 1 << 20 };

static const struct table_column command_columns[] = {
    {"ACTION", false, SHRINK_NO}, {"NODES", false, SHRINK_WRAP}, {"REASON", false, SHRINK_NO},
    {"WITH", false, SHRINK_WRAP}, {"PODS", true, SHRINK_NO},     {"SAVES $/H", true, SHRINK_NO},
    {"$/MO", true, SHRINK_NO},
};
static const struct table_column kept_columns[] = {
    {"KEPT", true, SHRINK_NO}, {"NODES", false, SHRINK_WRAP}, {"WHY", false, SHRINK_WRAP}};

#define N_OF(array) ((uint32_t)(sizeof(array) / sizeof((array)[0])))

const struct table_shape view_commands_shape = {command_columns, N_OF(command_columns)};
const struct table_shape view_kept_shape = {kept_columns, N_OF(kept_columns)};

/* Who asks for everything (-o wide) wants whole names: then nothing is cut. */
static struct table *new_table(struct arena *arena, const struct table_column *columns, uint32_t n,
                               bool all)
{
    struct table_column *own = ARENA_ARRAY(arena, struct table_column, n);
    for (uint32_t i = 0; i < n; i++) {
        own[i] = columns[i];
        own[i].shrink = all ? SHRINK_NO : columns[i].shrink;
    }
    return table_new(arena, own, n);
}

/* The count stands before the names: it is still there when the table cuts them. */
static struct str counted(struct str names, uint32_t n, bool all, struct arena *arena)
{
    return n > 1 && !all ? text_format(arena, "%u: " STR_FMT, n, STR_ARG(names)) : names;
}

/* "node-a, node-b and 7 more" */
static struct str names_of(struct str (*name_at)(const struct plan *, uint32_t),
                           const struct plan *plan, const uint32_t *list, uint32_t n, bool all,
                           struct arena *arena)
{
    struct strbuf b = strbuf_new(arena, NAMES_ROOM);
    uint32_t shown = all || n <= NAMES_MAX ? n : NAMES_MAX - 1;
    for (uint32_t i = 0; i < shown; i++) {
        strbuf_add(&b, i == 0 ? STR_EMPTY : STR(", "));
        strbuf_add(&b, name_at(plan, list[i]));
    }
    if (shown < n) {
        strbuf_addf(&b, " and %u more", n - shown);
    }
    return n == 0 ? STR("-") : strbuf_str(&b);
}

static struct str running_name(const struct plan *plan, uint32_t i)
{
    return plan->cluster->nodes[i].meta.name;
}

static struct str new_name(const struct plan *plan, uint32_t i)
{
    return plan->nodes[i].name;
}

struct str disruption_action(const struct plan_command *c)
{
    return c->n_with > 0 ? STR("replace") : STR("delete");
}

struct str disruption_nodes(const struct plan *plan, const struct plan_command *c, bool all,
                            struct arena *arena)
{
    return names_of(running_name, plan, c->nodes, c->n_nodes, all, arena);
}

struct str disruption_with(const struct plan *plan, const struct plan_command *c, bool all,
                           struct arena *arena)
{
    return names_of(new_name, plan, c->with, c->n_with, all, arena);
}

struct str disruption_saves(usd_t saves, unsigned decimals, struct arena *arena)
{
    struct str plain = text_usd(arena, saves < 0 ? -saves : saves, decimals);
    return saves < 0 ? text_format(arena, "-" STR_FMT, STR_ARG(plain)) : plain;
}

static void put_commands(const struct plan *plan, const struct text_look *look, bool all,
                         struct strbuf *b, struct arena *arena)
{
    const struct plan_disruption *d = plan->disruption;
    struct table *table = new_table(arena, command_columns, N_OF(command_columns), all);
    uint32_t shown = all || d->n_commands <= ROWS_MAX + 1 ? d->n_commands : ROWS_MAX;
    for (uint32_t i = 0; i < shown; i++) {
        const struct plan_command *c = &d->commands[i];
        table_add(table, disruption_action(c));
        table_add(table, counted(disruption_nodes(plan, c, all, arena), c->n_nodes, all, arena));
        table_add(table, c->reason);
        table_add(table, counted(disruption_with(plan, c, all, arena), c->n_with, all, arena));
        table_add(table, text_count(arena, c->n_moved));
        table_add(table, disruption_saves(c->saves, 4, arena));
        table_add(table, disruption_saves(sat_mul(c->saves, HOURS_PER_MONTH), 2, arena));
    }
    table_render(table, b, look, /* with_head= */ true);
    if (shown < d->n_commands) {
        strbuf_addf(b, "and %u more (-o wide)\n", d->n_commands - shown);
    }
    strbuf_addc(b, '\n');
}

/* ---- what stays: nodes with the same reason share a row ---- */

struct kept_row {
    struct str message;
    uint32_t first, n; /* into the sorted list */
};

static int kept_cmp(const void *a, const void *b)
{
    const struct plan_kept *x = *(const struct plan_kept *const *)a;
    const struct plan_kept *y = *(const struct plan_kept *const *)b;
    int order = str_cmp(x->message, y->message);
    return order != 0 ? order : str_cmp(x->node, y->node);
}

static int row_cmp(const void *a, const void *b)
{
    const struct kept_row *x = a, *y = b;
    if (x->n != y->n) {
        return x->n > y->n ? -1 : 1;
    }
    return str_cmp(x->message, y->message);
}

static void put_kept(const struct plan *plan, const struct text_look *look, bool all,
                     struct strbuf *b, struct arena *arena)
{
    const struct plan_disruption *d = plan->disruption;
    const struct plan_kept **sorted = ARENA_ARRAY(arena, const struct plan_kept *, d->n_kept);
    struct kept_row *rows = ARENA_ARRAY(arena, struct kept_row, d->n_kept);
    uint32_t n = 0;
    for (uint32_t i = 0; i < d->n_kept; i++) {
        sorted[i] = &d->kept[i];
    }
    qsort(sorted, d->n_kept, sizeof(const struct plan_kept *), kept_cmp);
    for (uint32_t i = 0; i < d->n_kept; i++) {
        if (n == 0 || !str_eq(rows[n - 1].message, sorted[i]->message)) {
            rows[n++] = (struct kept_row){.message = sorted[i]->message, .first = i};
        }
        rows[n - 1].n++;
    }
    qsort(rows, n, sizeof *rows, row_cmp);
    struct table *table = new_table(arena, kept_columns, N_OF(kept_columns), all);
    uint32_t shown = all || n <= ROWS_MAX + 1 ? n : ROWS_MAX;
    for (uint32_t r = 0; r < shown; r++) {
        struct strbuf names = strbuf_new(arena, NAMES_ROOM);
        uint32_t most = all || rows[r].n <= NAMES_MAX ? rows[r].n : NAMES_MAX - 1;
        for (uint32_t i = 0; i < most; i++) {
            strbuf_add(&names, i == 0 ? STR_EMPTY : STR(", "));
            strbuf_add(&names, sorted[rows[r].first + i]->node);
        }
        if (most < rows[r].n) {
            strbuf_addf(&names, " and %u more", rows[r].n - most);
        }
        table_add(table, text_count(arena, rows[r].n));
        table_add(table, strbuf_str(&names));
        table_add(table, rows[r].message);
    }
    table_render(table, b, look, /* with_head= */ true);
    if (shown < n) {
        strbuf_addf(b, "and %u more reasons (-o wide)\n", n - shown);
    }
    strbuf_addc(b, '\n');
}

/* Expired nodes that wait for protected pods. */
static bool wait_line(const struct plan *plan, struct summary_line *ret_line, struct arena *arena)
{
    const struct plan_disruption *d = plan->disruption;
    const struct plan_step *first = NULL;
    uint32_t n_nodes = 0, n_pods = 0;
    for (uint32_t s = 0; s < d->n_steps; s++) {
        first = first == NULL && d->steps[s].n_waits > 0 ? &d->steps[s] : first;
        n_nodes += d->steps[s].n_waits > 0;
        n_pods += d->steps[s].n_waits;
    }
    if (first == NULL) {
        return false;
    }
    struct str nodes = text_things(arena, n_nodes, "expired node");
    struct str pods = text_things(arena, n_pods, "protected pod");
    *ret_line = (struct summary_line){
        "Waits", text_format(arena,
                             STR_FMT " for " STR_FMT " (node " STR_FMT " for " STR_FMT
                                     "%s): without a terminationGracePeriod nothing moves them by "
                                     "force. What the node%s is not counted as saved.",
                             STR_ARG(nodes), STR_ARG(pods),
                             STR_ARG(plan->cluster->nodes[first->node].meta.name),
                             STR_ARG(plan_pod_name(plan, first->waits[0], arena)),
                             n_pods > 1 ? ", and so on" : "", n_nodes > 1 ? "s cost" : " costs")};
    return true;
}

uint32_t disruption_lines(const struct plan *plan, struct summary_line *ret_lines,
                          struct arena *arena)
{
    const struct plan_disruption *d = plan->disruption;
    bool dearer = d->saves < 0;
    uint32_t n = 0;
    struct str pods = text_things(arena, d->n_moved, "pod");
    struct str money = text_per_hour_and_month(arena, dearer ? -d->saves : d->saves);
    struct str part = text_percent(arena, dearer ? -d->saves : d->saves, d->running);
    ret_lines[n++] = (struct summary_line){
        dearer ? "Costs" : "Saves",
        text_format(arena, STR_FMT ", " STR_FMT " of what runs today; " STR_FMT " move%s.",
                    STR_ARG(money), STR_ARG(part), STR_ARG(pods), d->n_moved == 1 ? "s" : "")};
    if (d->pending_cost > 0) {
        struct str cost = text_per_hour_and_month(arena, d->pending_cost);
        ret_lines[n++] = (struct summary_line){
            "Buys",
            text_format(arena, STR_FMT " of new nodes for pods that wait today.", STR_ARG(cost))};
    }
    if (wait_line(plan, &ret_lines[n], arena)) {
        n++;
    }
    if (d->saves_at_most.has) {
        struct str most = text_per_hour_and_month(arena, d->saves_at_most.v);
        struct str got = text_per_hour_and_month(arena, d->consolidation_saves);
        ret_lines[n++] = (struct summary_line){
            "At most",
            text_format(arena,
                        "consolidation can save " STR_FMT
                        " within this round's budgets (proven); this plan saves " STR_FMT ".",
                        STR_ARG(most), STR_ARG(got))};
    }
    if (d->unsettled) {
        const struct str why = STR("the search was stopped before its end: nodes that stay because "
                                   "nothing cheaper was found may go after all, and more may be "
                                   "saved.");
        ret_lines[n++] = (struct summary_line){"Unsettled", why};
    }
    uint32_t n_drift = 0;
    for (uint32_t i = 0; i < d->n_kept; i++) {
        n_drift += d->kept[i].drift.n > 0;
    }
    if (n_drift > 0) {
        ret_lines[n++] = (struct summary_line){
            "Drift", text_format(arena,
                                 STR_FMT " show%s drift that the NodeClaim does not state; "
                                         "--detect-drift counts it.",
                                 STR_ARG(text_things(arena, n_drift, "kept node")),
                                 n_drift == 1 ? "s" : "")};
    }
    return n;
}

void view_disruption(const struct plan *plan, const struct text_look *look, bool all,
                     struct strbuf *b)
{
    auto_arena scratch = ARENA_INIT;
    const struct plan_disruption *d = plan->disruption;
    if (d == NULL) {
        return;
    }
    if (d->n_commands > 0) {
        put_commands(plan, look, all, b, &scratch);
    }
    if (d->n_kept > 0) {
        put_kept(plan, look, all, b, &scratch);
    }
    struct summary_line lines[DISRUPTION_LINES_MAX];
    uint32_t n = disruption_lines(plan, lines, &scratch);
    for (uint32_t i = 0; i < n; i++) {
        text_paragraph(b, look, LABEL_WIDTH, TEXT_HEAD, str_of(lines[i].label), lines[i].text);
    }
}
