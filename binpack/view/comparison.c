/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "binpack/view/comparison.h"

#include "base/arena.h"
#include "binpack/view/table.h"

enum { LABEL_WIDTH = 13, NOTE_INDENT = 4, N_CELLS = 8, N_PRICE_CELLS = 6 };

static const struct table_column scenario_columns[N_CELLS] = {
    {"SCENARIO", false, SHRINK_CUT}, {"NODES", true, SHRINK_NO},    {"$/H", true, SHRINK_NO},
    {"$/MO", true, SHRINK_NO},       {"VS BASE", true, SHRINK_NO},  {"BOUND $/H", true, SHRINK_NO},
    {"GAP", true, SHRINK_NO},        {"UNPLACED", true, SHRINK_NO},
};
static const struct table_column price_columns[N_PRICE_CELLS] = {
    {"CONSTRAINT", false, SHRINK_CUT}, {"FOUND IN", false, SHRINK_CUT},
    {"COSTS $/H", true, SHRINK_NO},    {"$/MO", true, SHRINK_NO},
    {"AT LEAST", true, SHRINK_NO},     {"AT MOST", true, SHRINK_NO},
};

const struct table_shape view_scenarios_shape = {scenario_columns, N_CELLS};
const struct table_shape view_prices_shape = {price_columns, N_PRICE_CELLS};

static int64_t gap_ppb(const struct compare_scenario *s)
{
    return s->cost > 0 && s->bound < s->cost ? muldiv_ceil(s->cost - s->bound, 1000000000, s->cost)
                                             : 0;
}

/* ---- cells, the same in every format ---- */

static void scenario_cells(const struct comparison *c, const struct compare_scenario *s,
                           struct arena *arena, struct str *cells)
{
    for (int i = 0; i < N_CELLS; i++) {
        cells[i] = STR("-");
    }
    cells[0] = s->name;
    if (s->failure.n > 0) {
        return;
    }
    cells[1] = text_count(arena, s->n_nodes);
    cells[2] = text_usd(arena, s->cost, 4);
    cells[3] = text_usd(arena, sat_mul(s->cost, HOURS_PER_MONTH), 0);
    if (s != &c->base) {
        cells[4] = text_change(arena, sat_sub(s->cost, c->base.cost), c->base.cost);
    }
    if (s->bound > 0 || s->cost == 0) { /* --algorithm=ffd proves nothing */
        cells[5] = text_usd(arena, s->bound, 4);
        cells[6] = text_gap(arena, gap_ppb(s));
    }
    cells[7] = text_count(arena, s->n_unplaced);
}

static void price_cells(const struct compare_price *p, struct arena *arena, struct str *cells)
{
    for (int i = 0; i < N_PRICE_CELLS; i++) {
        cells[i] = STR("-");
    }
    cells[0] = p->text;
    cells[1] = p->thing != NULL ? text_things(arena, p->n, p->thing) : STR_EMPTY;
    if (p->failure.n > 0) {
        return;
    }
    cells[2] = text_usd(arena, p->point, 4);
    cells[3] = text_usd(arena, sat_mul(p->point, HOURS_PER_MONTH), 0);
    cells[4] = text_usd(arena, p->low, 4);
    cells[5] = text_usd(arena, p->high, 4);
}

static struct str emulated_remark(enum plan_planner planner)
{
    return planner == PLAN_CLUSTER_AUTOSCALER
               ? STR("emulated: an imitation of the Cluster Autoscaler's scale-up (least-waste) "
                     "with a node group for each offering of the NodePools, not the Cluster "
                     "Autoscaler itself; the bound is what is possible")
               : STR("emulated: an imitation of Karpenter v1.14's greedy scheduler on the same "
                     "input, not Karpenter itself; the bound is what is possible");
}

/* What is to be known of a scenario when reading its numbers. */
static const struct str *remarks_of(const struct comparison *c, const struct compare_scenario *s,
                                    struct arena *arena, uint32_t *ret_n)
{
    struct str *remarks = ARENA_ARRAY(arena, struct str, s->n_notes + 4);
    uint32_t n = 0;
    if (s->failure.n > 0) {
        remarks[n++] = text_format(arena, "no plan: " STR_FMT, STR_ARG(s->failure));
        *ret_n = n;
        return remarks;
    }
    for (uint32_t i = 0; i < s->n_notes; i++) {
        remarks[n++] = s->notes[i];
    }
    if (s->emulated != PLAN_OWN) {
        remarks[n++] = emulated_remark(s->emulated);
    }
    if (s->n_unplaced != c->base.n_unplaced) {
        bool fewer = s->n_unplaced > c->base.n_unplaced;
        uint32_t n_pods =
            fewer ? s->n_unplaced - c->base.n_unplaced : c->base.n_unplaced - s->n_unplaced;
        struct str pods = text_things(arena, n_pods, "pod");
        remarks[n++] =
            text_format(arena,
                        STR_FMT " %s %s a place, so its costs are not those of "
                                "the same work",
                        STR_ARG(pods), fewer ? "fewer" : "more", n_pods == 1 ? "has" : "have");
    }
    *ret_n = n;
    return remarks;
}

/* ---- for a person ---- */

static void put_scenarios(const struct comparison *c, const struct text_look *look,
                          struct strbuf *b, struct arena *scratch)
{
    struct table *table = table_new(scratch, scenario_columns, N_CELLS);
    for (uint32_t i = 0; i <= c->n_scenarios; i++) {
        struct str cells[N_CELLS];
        if (i == 0) {
            table_row_style(table, TEXT_HEAD);
        }
        scenario_cells(c, i == 0 ? &c->base : &c->scenarios[i - 1], scratch, cells);
        for (int k = 0; k < N_CELLS; k++) {
            table_add(table, cells[k]);
        }
    }
    table_render(table, b, look, /* with_head= */ true);
}

static void put_remarks(const struct comparison *c, const struct text_look *look, struct strbuf *b,
                        struct arena *scratch)
{
    bool begun = false;
    for (uint32_t i = 0; i <= c->n_scenarios; i++) {
        const struct compare_scenario *s = i == 0 ? &c->base : &c->scenarios[i - 1];
        uint32_t n;
        const struct str *remarks = remarks_of(c, s, scratch, &n);
        for (uint32_t k = 0; k < n; k++) {
            if (!begun) {
                strbuf_addc(b, '\n');
            }
            begun = true;
            text_paragraph(b, look, LABEL_WIDTH + NOTE_INDENT, TEXT_HEAD,
                           k == 0 ? s->name : STR_EMPTY, remarks[k]);
        }
    }
}

static void add_price(struct table *table, const struct compare_price *price, struct arena *scratch)
{
    struct str cells[N_PRICE_CELLS];
    price_cells(price, scratch, cells);
    for (int k = 0; k < N_PRICE_CELLS; k++) {
        table_add(table, cells[k]);
    }
}

static const char price_remark[] =
    "What the pods that have a place would cost less without the rules, by planning them again; it "
    "is proven to lie between AT LEAST and AT MOST. Prices of several rules do not add up.";

static void put_prices(const struct comparison *c, const struct text_look *look, struct strbuf *b,
                       struct arena *scratch)
{
    if (c->n_scenarios > 0) {
        strbuf_addc(b, '\n');
    }
    if (c->n_prices == 0 && c->n_stopped > 0) {
        return;
    }
    if (c->n_prices == 0) {
        text_paragraph(b, look, 0, TEXT_PLAIN, STR_EMPTY,
                       STR("The input has none of the rules that could be taken out."));
        return;
    }
    struct table *table = table_new(scratch, price_columns, N_PRICE_CELLS);
    for (uint32_t i = 0; i < c->n_prices; i++) {
        add_price(table, &c->prices[i], scratch);
    }
    if (c->together != NULL) {
        table_row_style(table, TEXT_HEAD);
        add_price(table, c->together, scratch);
    }
    table_render(table, b, look, /* with_head= */ true);
    strbuf_addc(b, '\n');
    text_paragraph(b, look, 0, TEXT_PLAIN, STR_EMPTY, str_of(price_remark));
    for (uint32_t i = 0; i < c->n_prices; i++) {
        if (c->prices[i].failure.n > 0) {
            text_paragraph(
                b, look, LABEL_WIDTH + NOTE_INDENT, TEXT_HEAD, c->prices[i].text,
                text_format(scratch, "no price: " STR_FMT, STR_ARG(c->prices[i].failure)));
        }
    }
}

/* "" when nothing was stopped. */
static struct str stopped_text(const struct comparison *c, struct arena *arena)
{
    struct strbuf names = strbuf_new(arena, 65536);
    for (uint32_t i = 0; i < c->n_stopped; i++) {
        strbuf_add(&names, i == 0 ? STR("Stopped before: ") : STR("; "));
        strbuf_add(&names, c->stopped[i]);
    }
    return strbuf_str(&names);
}

static bool shows_scenarios(const struct comparison *c)
{
    return c->n_scenarios > 0 || !c->priced || (c->n_stopped > 0 && c->n_prices == 0);
}

void view_comparison(const struct comparison *c, const struct text_look *look, struct strbuf *b)
{
    auto_arena scratch = ARENA_INIT;
    if (shows_scenarios(c)) {
        put_scenarios(c, look, b, &scratch);
        put_remarks(c, look, b, &scratch);
    }
    if (c->priced) {
        put_prices(c, look, b, &scratch);
    }
    if (c->n_stopped > 0) {
        strbuf_addc(b, '\n');
        text_paragraph(b, look, 0, TEXT_BAD, STR_EMPTY, stopped_text(c, &scratch));
    }
}

/* ---- Markdown ---- */

static void markdown_row(struct strbuf *b, const struct str *cells, int n)
{
    strbuf_addc(b, '|');
    for (int k = 0; k < n; k++) {
        strbuf_addc(b, ' ');
        for (size_t i = 0; i < cells[k].n; i++) {
            char c = cells[k].p[i];
            if (c == '|' || c == '*' || c == '_' || c == '<' || c == '`' || c == '\\') {
                strbuf_addc(b, '\\');
            }
            strbuf_addc(b, c);
        }
        strbuf_add(b, STR(" |"));
    }
    strbuf_addc(b, '\n');
}

static void markdown_head(struct strbuf *b, const struct table_column *columns, int n)
{
    for (int k = 0; k < n; k++) {
        strbuf_addf(b, "| %s ", columns[k].title);
    }
    strbuf_add(b, STR("|\n|"));
    for (int k = 0; k < n; k++) {
        strbuf_add(b, columns[k].right ? STR(" ---: |") : STR(" --- |"));
    }
    strbuf_addc(b, '\n');
}

void view_comparison_markdown(const struct comparison *c, struct strbuf *b)
{
    auto_arena scratch = ARENA_INIT;
    struct text_look wide = {.width = 0};
    struct str cells[N_CELLS];
    if (shows_scenarios(c)) {
        markdown_head(b, scenario_columns, N_CELLS);
        for (uint32_t i = 0; i <= c->n_scenarios; i++) {
            scenario_cells(c, i == 0 ? &c->base : &c->scenarios[i - 1], &scratch, cells);
            markdown_row(b, cells, N_CELLS);
        }
        put_remarks(c, &wide, b, &scratch);
    }
    if (c->n_prices > 0) {
        strbuf_addc(b, '\n');
        markdown_head(b, price_columns, N_PRICE_CELLS);
        for (uint32_t i = 0; i < c->n_prices; i++) {
            price_cells(&c->prices[i], &scratch, cells);
            markdown_row(b, cells, N_PRICE_CELLS);
        }
        if (c->together != NULL) {
            price_cells(c->together, &scratch, cells);
            markdown_row(b, cells, N_PRICE_CELLS);
        }
        strbuf_addf(b, "\n%s\n", price_remark);
    }
    if (c->n_stopped > 0) {
        strbuf_addf(b, "\n" STR_FMT "\n", STR_ARG(stopped_text(c, &scratch)));
    }
}

/* ---- JSON ---- */

static void json_scenario(const struct comparison *c, const struct compare_scenario *s,
                          struct jsonw *w)
{
    jsonw_object_begin(w);
    jsonw_key_str(w, "name", s->name);
    jsonw_key_bool(w, "emulated", s->emulated != PLAN_OWN);
    if (s->failure.n > 0) {
        jsonw_key_str(w, "failure", s->failure);
    } else {
        jsonw_key_i64(w, "newNodes", s->n_nodes);
        jsonw_key_i64(w, "spotNodes", s->n_spot);
        jsonw_key_usd(w, "usdPerHour", s->cost);
        jsonw_key_usd(w, "usdPerMonth", sat_mul(s->cost, HOURS_PER_MONTH));
        jsonw_key_usd(w, "lowerBoundUsdPerHour", s->bound);
        jsonw_key(w, STR("gap"));
        jsonw_decimal(w, gap_ppb(s), 9);
        jsonw_key_i64(w, "placedPods", s->n_placed);
        jsonw_key_i64(w, "unplacedPods", s->n_unplaced);
        jsonw_key_usd(w, "differenceUsdPerHour", sat_sub(s->cost, c->base.cost));
        jsonw_key_i64(w, "spotPools", s->n_pools);
        jsonw_key_i64(w, "spotNodesInLargestPool", s->n_worst);
    }
    jsonw_key_array(w, "notes");
    for (uint32_t i = 0; i < s->n_notes; i++) {
        jsonw_str(w, s->notes[i]);
    }
    jsonw_array_end(w);
    jsonw_object_end(w);
}

static void json_price(const struct compare_price *p, struct jsonw *w)
{
    jsonw_object_begin(w);
    jsonw_key_str(w, "constraint", p->name);
    jsonw_key_str(w, "description", p->text);
    if (p->thing != NULL) {
        jsonw_key_i64(w, "foundIn", p->n);
        jsonw_key_str(w, "foundInWhat", str_of(p->thing));
    }
    if (p->failure.n > 0) {
        jsonw_key_str(w, "failure", p->failure);
    } else {
        jsonw_key_usd(w, "lowUsdPerHour", p->low);
        jsonw_key_usd(w, "pointUsdPerHour", p->point);
        jsonw_key_usd(w, "highUsdPerHour", p->high);
    }
    jsonw_object_end(w);
}

void comparison_json(const struct comparison *c, struct jsonw *w)
{
    jsonw_object_begin(w);
    jsonw_key_str(w, "apiVersion", STR("binpack/v1"));
    jsonw_key_str(w, "kind", STR("Compare"));
    jsonw_key(w, STR("base"));
    json_scenario(c, &c->base, w);
    jsonw_key_array(w, "scenarios");
    for (uint32_t i = 0; i < c->n_scenarios; i++) {
        json_scenario(c, &c->scenarios[i], w);
    }
    jsonw_array_end(w);
    if (c->priced) {
        jsonw_key_array(w, "constraints");
        for (uint32_t i = 0; i < c->n_prices; i++) {
            json_price(&c->prices[i], w);
        }
        jsonw_array_end(w);
    }
    if (c->together != NULL) {
        jsonw_key(w, STR("allConstraints"));
        json_price(c->together, w);
    }
    if (c->n_stopped > 0) {
        jsonw_key_array(w, "stoppedBefore");
        for (uint32_t i = 0; i < c->n_stopped; i++) {
            jsonw_str(w, c->stopped[i]);
        }
        jsonw_array_end(w);
    }
    jsonw_object_end(w);
}
