/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "binpack/view/difference.h"

#include "base/arena.h"
#include "binpack/view/table.h"

enum { LABEL_WIDTH = 10, PODS_MAX = 5 };

enum { MARKDOWN_WIDTH = 100, MARKDOWN_LINES = 300, MARKDOWN_TEXT_MAX = 8 << 20 };

static const char *change_of(const struct diff_line *line)
{
    return line->before.n == 0 ? "+" : line->after.n == 0 ? "-" : "~";
}

static const char *change_name(const struct diff_line *line)
{
    return line->before.n == 0 ? "add" : line->after.n == 0 ? "remove" : "change";
}

/* ---- nodes ---- */

static const struct table_column columns[] = {
    {"", false, SHRINK_NO},         {"NODEPOOL", false, SHRINK_CUT}, {"TYPE", false, SHRINK_CUT},
    {"CAPACITY", false, SHRINK_NO}, {"ZONE", false, SHRINK_CUT},     {"NODES", true, SHRINK_NO},
    {"$/H", true, SHRINK_NO},       {"$/MO", true, SHRINK_NO},
};
const struct table_shape view_difference_shape = {columns, sizeof columns / sizeof columns[0]};

static void put_nodes(const struct diff *d, const struct text_look *look, struct strbuf *b,
                      struct arena *scratch)
{
    if (d->n_lines == 0) {
        return;
    }
    struct table *table = table_new(scratch, columns, sizeof columns / sizeof columns[0]);
    for (uint32_t i = 0; i < d->n_lines; i++) {
        const struct diff_line *line = &d->lines[i];
        usd_t change = sat_sub(line->after.cost, line->before.cost);
        const char *mark = change_of(line);
        table_row_style(table, *mark == '+' ? TEXT_BAD : *mark == '-' ? TEXT_GOOD : TEXT_PLAIN);
        table_add(table, str_of(mark));
        table_add(table, line->before.pool);
        table_add(table, line->before.type);
        table_add(table, line->before.capacity_type);
        table_add(table, line->before.zone);
        table_add(table, *mark == '~'
                             ? text_format(scratch, "%u -> %u", line->before.n, line->after.n)
                             : text_format(scratch, "%u",
                                           line->before.n + line->after.n -
                                               (*mark == '+' ? line->before.n : line->after.n)));
        table_add(table, text_signed_usd(scratch, change, 4));
        table_add(table, text_signed_usd(scratch, sat_mul(change, HOURS_PER_MONTH), 2));
    }
    table_render(table, b, look, /* with_head= */ true);
    strbuf_addc(b, '\n');
}

static void count_changes(const struct diff *d, uint32_t *ret_added, uint32_t *ret_removed)
{
    *ret_added = *ret_removed = 0;
    for (uint32_t i = 0; i < d->n_lines; i++) {
        const struct diff_line *line = &d->lines[i];
        if (line->after.n > line->before.n) {
            *ret_added += line->after.n - line->before.n;
        } else {
            *ret_removed += line->before.n - line->after.n;
        }
    }
}

/* ---- sentences ---- */

struct page {
    const struct text_look *look;
    struct strbuf *b;
    struct arena *scratch;
};

static void line(const struct page *p, enum text_style style, const char *label, struct str text)
{
    text_paragraph(p->b, p->look, LABEL_WIDTH, style, str_of(label), text);
}

static void money(const struct page *p, const char *label, usd_t before, usd_t after)
{
    struct arena *arena = p->scratch;
    usd_t change = sat_sub(after, before);
    struct str a = text_per_hour_and_month(arena, before);
    struct str b = text_per_hour_and_month(arena, after);
    struct str month = text_signed_usd(arena, sat_mul(change, HOURS_PER_MONTH), 2);
    if (change == 0) {
        line(p, TEXT_HEAD, label, text_format(arena, STR_FMT ", unchanged", STR_ARG(a)));
        return;
    }
    line(p, TEXT_HEAD, label,
         text_format(arena, STR_FMT " -> " STR_FMT ": " STR_FMT "/mo, " STR_FMT, STR_ARG(a),
                     STR_ARG(b), STR_ARG(month), STR_ARG(text_change(arena, change, before))));
}

/* "121", or "121 -> 127". */
static struct str counts(struct arena *arena, uint32_t before, uint32_t after)
{
    return before == after ? text_format(arena, "%u", after)
                           : text_format(arena, "%u -> %u", before, after);
}

static void pods(const struct page *p, enum text_style style, const char *label, const char *thing,
                 const char *verb, uint32_t n, const struct diff_pod *const *v, bool with_reason)
{
    if (n == 0) {
        return;
    }
    struct strbuf names = strbuf_new(p->scratch, 8192);
    for (uint32_t i = 0; i < n && i < PODS_MAX; i++) {
        strbuf_addf(&names, "%s" STR_FMT, i > 0 ? ", " : "", STR_ARG(v[i]->name));
    }
    if (n > PODS_MAX) {
        strbuf_addf(&names, " and %u more", n - PODS_MAX);
    }
    struct str things = text_things(p->scratch, n, thing);
    line(p, style, label,
         text_format(p->scratch, STR_FMT "%s: " STR_FMT, STR_ARG(things), verb,
                     STR_ARG(strbuf_str(&names))));
    for (uint32_t i = 0; with_reason && i < n && i < PODS_MAX; i++) {
        if (v[i]->reason.n > 0 && (i == 0 || !str_eq(v[i]->reason, v[i - 1]->reason))) {
            line(p, style, "",
                 text_format(p->scratch, STR_FMT ": " STR_FMT, STR_ARG(v[i]->name),
                             STR_ARG(v[i]->reason)));
        }
    }
}

/* Running nodes make the change of the bill another one than that of the new nodes. */
static bool whole_differs(const struct diff *d)
{
    return sat_sub(d->after.after_cost, d->before.after_cost) !=
           sat_sub(d->after.cost, d->before.cost);
}

/* Of a side that lacks objects the figures are too low. */
static void left_out(const struct page *p, const struct diff_side *side)
{
    if (side->left_out.n > 0) {
        line(p, TEXT_BAD, "Left out",
             text_format(p->scratch, STR_FMT ": " STR_FMT, STR_ARG(side->name),
                         STR_ARG(side->left_out)));
    }
}

void view_difference(const struct diff *d, const struct text_look *look, struct strbuf *b)
{
    auto_arena scratch = ARENA_INIT;
    struct page p = {.look = look, .b = b, .scratch = &scratch};
    const struct diff_side *from = &d->before, *to = &d->after;
    uint32_t added, removed;
    if (diff_is_empty(d)) {
        text_paragraph(b, look, 0, TEXT_PLAIN, STR_EMPTY,
                       STR("No difference: the same nodes at the same price for the same pods."));
        left_out(&p, from);
        left_out(&p, to);
        return;
    }
    put_nodes(d, look, b, &scratch);
    count_changes(d, &added, &removed);
    line(&p, TEXT_HEAD, "Nodes",
         text_format(&scratch, "%u to add, %u to remove: %u -> %u new nodes", added, removed,
                     from->n_nodes, to->n_nodes));
    if (from->n_running != to->n_running) {
        line(&p, TEXT_HEAD, "Running",
             text_format(&scratch, "%u -> %u nodes", from->n_running, to->n_running));
    }
    struct str need = counts(&scratch, from->n_pods, to->n_pods);
    struct str have = counts(&scratch, from->n_placed, to->n_placed);
    line(&p, TEXT_HEAD, "Pods",
         text_format(&scratch, STR_FMT " need a place, " STR_FMT " have one", STR_ARG(need),
                     STR_ARG(have)));
    pods(&p, TEXT_PLAIN, "  +", "new pod", "", d->n_new, d->new_pods, false);
    pods(&p, TEXT_PLAIN, "  -", "pod", " gone", d->n_gone, d->gone_pods, false);
    pods(&p, TEXT_GOOD, "  won", "pod", " with a place now", d->n_won, d->won, false);
    pods(&p, TEXT_BAD, "  lost", "pod", " without a place now", d->n_lost, d->lost, true);
    money(&p, "Cost", from->cost, to->cost);
    money(&p, "Bound", from->bound, to->bound);
    if (from->running_cost != to->running_cost) {
        money(&p, "Today", from->running_cost, to->running_cost);
    }
    if (whole_differs(d)) {
        money(&p, "After", from->after_cost, to->after_cost);
    }
    left_out(&p, from);
    left_out(&p, to);
}

/* ---- Markdown ---- */

static void put_headline(const struct diff *d, struct strbuf *b, struct arena *scratch)
{
    const bool whole = whole_differs(d);
    const usd_t before = whole ? d->before.after_cost : d->before.cost;
    const usd_t change = sat_sub(whole ? d->after.after_cost : d->after.cost, before);
    struct str month = text_signed_usd(scratch, sat_mul(change, HOURS_PER_MONTH), 2);
    struct str percent = text_change(scratch, change, before);
    const char *of = whole ? " for all nodes, running ones included" : "";
    struct str lost = text_things(scratch, d->n_lost, "pod");
    if (change == 0) {
        strbuf_addf(b, "**Cost unchanged**%s", of);
    } else {
        strbuf_addf(b, "**" STR_FMT " $/month** (" STR_FMT ")%s", STR_ARG(month), STR_ARG(percent),
                    of);
    }
    if (d->n_lost > 0) {
        strbuf_addf(b, ", **" STR_FMT " without a place now**", STR_ARG(lost));
    }
    strbuf_add(b, STR("\n\n"));
}

void view_difference_markdown(const struct diff *d, struct strbuf *b)
{
    auto_arena scratch = ARENA_INIT;
    const struct text_look look = {.width = MARKDOWN_WIDTH};
    struct strbuf text = strbuf_new(&scratch, MARKDOWN_TEXT_MAX);
    uint32_t n = 0;
    view_difference(d, &look, &text);
    struct str rest = strbuf_str(&text);
    put_headline(d, b, &scratch);
    /* No line of the text begins with backticks, whatever the names in it. */
    strbuf_add(b, STR("```diff\n"));
    while (rest.n > 0) {
        size_t end = 0;
        while (end < rest.n && rest.p[end] != '\n') {
            end++;
        }
        if (n < MARKDOWN_LINES) {
            strbuf_add(b, str_sub(rest, 0, end));
            strbuf_addc(b, '\n');
        }
        n++;
        rest = str_sub(rest, end + (end < rest.n ? 1 : 0), rest.n);
    }
    strbuf_add(b, STR("```\n"));
    if (n > MARKDOWN_LINES) {
        strbuf_addf(b, "\nand %u lines more\n", n - MARKDOWN_LINES);
    }
}

/* ---- JSON ---- */

static void json_side(const struct diff_side *s, struct jsonw *w, const char *key)
{
    jsonw_key_object(w, key);
    jsonw_key_str(w, "name", s->name);
    jsonw_key_i64(w, "newNodes", s->n_nodes);
    jsonw_key_i64(w, "runningNodes", s->n_running);
    jsonw_key_i64(w, "pods", s->n_pods);
    jsonw_key_i64(w, "placedPods", s->n_placed);
    jsonw_key_usd(w, "usdPerHour", s->cost);
    jsonw_key_usd(w, "usdPerMonth", sat_mul(s->cost, HOURS_PER_MONTH));
    jsonw_key_usd(w, "lowerBoundUsdPerHour", s->bound);
    jsonw_key_usd(w, "existingUsdPerHour", s->running_cost);
    jsonw_key_usd(w, "afterUsdPerHour", s->after_cost);
    if (s->left_out.n > 0) {
        jsonw_key_str(w, "leftOut", s->left_out);
    }
    jsonw_object_end(w);
}

static void json_pods(struct jsonw *w, const char *key, uint32_t n, const struct diff_pod *const *v)
{
    jsonw_key_array(w, key);
    for (uint32_t i = 0; i < n; i++) {
        jsonw_str(w, v[i]->name);
    }
    jsonw_array_end(w);
}

void difference_json(const struct diff *d, struct jsonw *w)
{
    usd_t change = sat_sub(d->after.cost, d->before.cost);
    jsonw_object_begin(w);
    jsonw_key_str(w, "apiVersion", STR("binpack/v1"));
    jsonw_key_str(w, "kind", STR("Diff"));
    json_side(&d->before, w, "before");
    json_side(&d->after, w, "after");
    jsonw_key_usd(w, "differenceUsdPerHour", change);
    jsonw_key_usd(w, "differenceUsdPerMonth", sat_mul(change, HOURS_PER_MONTH));
    jsonw_key_array(w, "nodes");
    for (uint32_t i = 0; i < d->n_lines; i++) {
        const struct diff_line *l = &d->lines[i];
        jsonw_object_begin(w);
        jsonw_key_str(w, "change", str_of(change_name(l)));
        jsonw_key_str(w, "nodePool", l->before.pool);
        jsonw_key_str(w, "instanceType", l->before.type);
        jsonw_key_str(w, "zone", l->before.zone);
        jsonw_key_str(w, "capacityType", l->before.capacity_type);
        jsonw_key_i64(w, "before", l->before.n);
        jsonw_key_i64(w, "after", l->after.n);
        jsonw_key_usd(w, "differenceUsdPerHour", sat_sub(l->after.cost, l->before.cost));
        jsonw_object_end(w);
    }
    jsonw_array_end(w);
    jsonw_key_object(w, "pods");
    json_pods(w, "new", d->n_new, d->new_pods);
    json_pods(w, "gone", d->n_gone, d->gone_pods);
    json_pods(w, "placed", d->n_won, d->won);
    json_pods(w, "unplaced", d->n_lost, d->lost);
    jsonw_object_end(w);
    jsonw_object_end(w);
}
