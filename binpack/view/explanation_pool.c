/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "binpack/view/explanation_pool.h"

#include "base/arena.h"
#include "binpack/plan/explain_pool.h"
#include "binpack/plan/plan_json.h"
#include "binpack/view/choice.h"
#include "binpack/view/table.h"

enum { LABEL_WIDTH = 13 };

struct page {
    const struct plan *plan;
    const struct text_look *look;
    struct strbuf *b;
    struct arena *scratch;
};

static void line(const struct page *p, const char *label, struct str text)
{
    text_paragraph(p->b, p->look, LABEL_WIDTH, TEXT_HEAD, str_of(label), text);
}

static void put_facts(const struct page *p, const struct plan_pool_explanation *e)
{
    const struct karp_nodepool *pool = &p->plan->cluster->nodepools[e->pool_i];
    const struct strtab *tab = p->plan->cluster->tab;
    struct strbuf limits = strbuf_new(p->scratch, 2000);
    line(p, "NodePool",
         text_format(p->scratch, STR_FMT ", weight %d, node class " STR_FMT,
                     STR_ARG(pool->meta.name), (int)pool->weight, STR_ARG(pool->class_ref.name)));
    for (uint32_t i = 0; i < pool->limits.n; i++) {
        const struct k8s_quantity *q = &pool->limits.v[i];
        struct str amount =
            plan_amount(&p->plan->cluster->words, tab, q->resource, q->value, p->scratch);
        strbuf_addf(&limits, "%s" STR_FMT " " STR_FMT, limits.n > 0 ? ", " : "",
                    STR_ARG(strtab_str(tab, q->resource)), STR_ARG(amount));
    }
    line(p, "Limits", limits.n > 0 ? strbuf_str(&limits) : STR("none"));
    for (uint32_t t = 0; t < pool->n_taints; t++) {
        line(p, t == 0 ? "Taints" : "",
             text_format(p->scratch, STR_FMT "=" STR_FMT ": pods must tolerate it",
                         STR_ARG(strtab_str(tab, pool->taints[t].key)),
                         STR_ARG(strtab_str(tab, pool->taints[t].value))));
    }
    struct str nodes = text_things(p->scratch, e->n_new, "node");
    struct str pods = text_things(p->scratch, e->n_pods, "pod");
    struct str price = text_per_hour_and_month(p->scratch, e->cost);
    line(p, "Buys",
         e->n_new == 0 ? STR("nothing in this plan")
                       : text_format(p->scratch, STR_FMT " for " STR_FMT " at " STR_FMT,
                                     STR_ARG(nodes), STR_ARG(pods), STR_ARG(price)));
    if (e->n_running > 0) {
        line(p, "Running", text_things(p->scratch, e->n_running, "node"));
    }
}

static void put_steps(const struct page *p, const struct plan_pool_explanation *e)
{
    static const struct table_column columns[] = {{"LEFT AFTER", false, SHRINK_CUT},
                                                  {"TYPES", true, SHRINK_NO},
                                                  {"OFFERINGS", true, SHRINK_NO}};
    struct table *table = table_new(p->scratch, columns, sizeof columns / sizeof columns[0]);
    for (uint32_t i = 0; i < e->n_steps; i++) {
        table_add(table, e->steps[i].rule);
        table_add(table, text_count(p->scratch, e->steps[i].n_types));
        table_add(table, text_count(p->scratch, e->steps[i].n_offerings));
    }
    strbuf_addc(p->b, '\n');
    table_render(table, p->b, p->look, /* with_head= */ true);
}

static void put_cheapest(const struct page *p, const struct plan_pool_explanation *e)
{
    struct strbuf text = strbuf_new(p->scratch, 4096);
    for (uint32_t i = 0; i < e->n_cheapest; i++) {
        struct str what = choice_text(p->plan, &e->cheapest[i], p->scratch);
        struct str price = text_usd(p->scratch, e->cheapest[i].price, 4);
        strbuf_addf(&text, "%s" STR_FMT " $" STR_FMT, i > 0 ? ", " : "", STR_ARG(what),
                    STR_ARG(price));
    }
    strbuf_addc(p->b, '\n');
    line(p, "Cheapest", text.n > 0 ? strbuf_str(&text) : STR("nothing can be bought"));
}

void view_pool_explanations(const struct plan *plan, const struct text_look *look, struct strbuf *b)
{
    for (uint32_t i = 0; i < plan->n_pool_explanations; i++) {
        auto_arena scratch = ARENA_INIT;
        struct page page = {.plan = plan, .look = look, .b = b, .scratch = &scratch};
        if (b->n > 0) {
            strbuf_addc(b, '\n');
        }
        put_facts(&page, &plan->pool_explanations[i]);
        put_steps(&page, &plan->pool_explanations[i]);
        put_cheapest(&page, &plan->pool_explanations[i]);
    }
}

void pool_explanations_json(const struct plan *plan, struct jsonw *w)
{
    for (uint32_t i = 0; i < plan->n_pool_explanations; i++) {
        const struct plan_pool_explanation *e = &plan->pool_explanations[i];
        jsonw_object_begin(w);
        jsonw_key_str(w, "nodePool", plan->cluster->nodepools[e->pool_i].meta.name);
        jsonw_key_i64(w, "newNodes", e->n_new);
        jsonw_key_i64(w, "pods", e->n_pods);
        jsonw_key_i64(w, "runningNodes", e->n_running);
        jsonw_key_usd(w, "usdPerHour", e->cost);
        jsonw_key_array(w, "steps");
        for (uint32_t s = 0; s < e->n_steps; s++) {
            jsonw_object_begin(w);
            jsonw_key_str(w, "rule", e->steps[s].rule);
            jsonw_key_i64(w, "instanceTypes", e->steps[s].n_types);
            jsonw_key_i64(w, "offerings", e->steps[s].n_offerings);
            jsonw_object_end(w);
        }
        jsonw_array_end(w);
        choices_json(plan, e->cheapest, e->n_cheapest, w);
        jsonw_object_end(w);
    }
}
