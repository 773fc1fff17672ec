/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "binpack/view/explanation.h"

#include "base/arena.h"
#include "binpack/plan/explain.h"
#include "binpack/plan/plan_json.h"
#include "binpack/view/choice.h"
#include "binpack/view/explanation_pool.h"
#include "binpack/view/summary.h"
#include "binpack/view/table.h"

enum { LABEL_WIDTH = 13, POOLS_MAX = 6, WITH_MAX = 4 };

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

static struct str pool_name(const struct plan *plan, uint32_t pool_i)
{
    return plan->cluster->nodepools[pool_i].meta.name;
}

/* ---- where it goes */

static void put_node(const struct page *p, const struct plan_node *node)
{
    struct plan_choice choice = {.type = node->type,
                                 .zone_i = node->zone_i,
                                 .capacity_type = node->capacity_type,
                                 .price = node->price};
    struct str what = choice_text(p->plan, &choice, p->scratch);
    struct str price = text_per_hour_and_month(p->scratch, node->price);
    struct str pool = pool_name(p->plan, node->pool_i);
    uint32_t others = node->n_pods - 1;
    line(p, "Placed",
         text_format(p->scratch,
                     "on " STR_FMT ", a new " STR_FMT " of NodePool " STR_FMT " at " STR_FMT "%s",
                     STR_ARG(node->name), STR_ARG(what), STR_ARG(pool), STR_ARG(price),
                     others == 0 ? ", alone" : ""));
    if (others > 0) {
        struct str things = text_things(p->scratch, others, "other pod");
        line(p, "", text_format(p->scratch, "with " STR_FMT, STR_ARG(things)));
    }
    if (node->n_options > 1) {
        line(p, "",
             text_format(p->scratch,
                         "%u instance types hold what the node holds; this is the cheapest for it",
                         node->n_options));
    }
}

static void put_place(const struct page *p, const struct plan_explanation *e)
{
    struct str runs_on = p->plan->cluster->pods[e->pod].node_name;
    if (e->no_need.n > 0 && runs_on.n > 0) {
        line(p, "No need",
             text_format(p->scratch, "of a place: bound to node " STR_FMT, STR_ARG(runs_on)));
    } else if (e->no_need.n > 0) {
        line(p, "No need", text_format(p->scratch, "of a place: " STR_FMT, STR_ARG(e->no_need)));
    } else if (e->node_i != PLAN_NONE) {
        put_node(p, &p->plan->nodes[e->node_i]);
    } else if (e->existing_i != PLAN_NONE) {
        line(p, "Placed",
             text_format(p->scratch,
                         "on the running node " STR_FMT
                         ", which has room: kube-scheduler will place it there",
                         STR_ARG(p->plan->existing[e->existing_i].node)));
    } else if (e->unplaced_i != PLAN_NONE) {
        uint32_t n = 0;
        const struct str *reasons =
            summary_reasons(&p->plan->unplaced[e->unplaced_i], p->scratch, &n);
        line(p, "No place", n > 0 ? reasons[0] : STR_EMPTY);
        for (uint32_t i = 1; i < n; i++) {
            line(p, "", reasons[i]);
        }
    }
}

/* ---- what it asks for */

static void put_requests(const struct page *p, const struct plan_explanation *e)
{
    const struct k8s_words *words = &p->plan->cluster->words;
    const struct strtab *tab = p->plan->cluster->tab;
    struct strbuf text = strbuf_new(p->scratch, 4096);
    for (uint32_t i = 0; i < e->requests.n; i++) {
        const struct k8s_quantity *q = &e->requests.v[i];
        if (str_eq(strtab_str(tab, q->resource), STR("pods"))) {
            continue;
        }
        struct str amount = plan_amount(words, tab, q->resource, q->value, p->scratch);
        strbuf_addf(&text, "%s" STR_FMT " " STR_FMT, text.n > 0 ? ", " : "",
                    STR_ARG(strtab_str(tab, q->resource)), STR_ARG(amount));
    }
    line(p, "Asks for", text.n > 0 ? strbuf_str(&text) : STR("no resources"));
    if (e->dropped > 0) {
        struct str n = text_things(p->scratch, e->dropped, "preference");
        line(p, "",
             text_format(p->scratch, STR_FMT " given up, because no place keeps %s", STR_ARG(n),
                         e->dropped == 1 ? "it" : "them"));
    }
    if (e->marginal > 0 && e->unplaced_i == PLAN_NONE) {
        struct str price = text_per_hour_and_month(p->scratch, e->marginal);
        line(p, "Costs",
             text_format(p->scratch, "about " STR_FMT ": what the bound says one more like it adds",
                         STR_ARG(price)));
    }
    if (p->plan->cluster->n_nodes > 0) {
        struct str n = text_things(p->scratch, e->n_running, "running node");
        line(p, "Running",
             e->n_running == 0
                 ? STR("no running node would take it")
                 : text_format(p->scratch, STR_FMT " would take it if it were the only pod",
                               STR_ARG(n)));
    }
}

/* ---- the funnel */

static bool shows(const struct plan_explanation *e, enum explain_step step)
{
    bool changes = step <= EXPLAIN_POOL;
    for (uint32_t f = 0; f < e->n_funnels && !changes; f++) {
        const struct plan_funnel *funnel = &e->funnels[f];
        changes = funnel->n_types[step] != funnel->n_types[step - 1] ||
                  funnel->n_offerings[step] != funnel->n_offerings[step - 1];
    }
    return changes;
}

static void put_funnel(const struct page *p, const struct plan_explanation *e)
{
    struct table_column columns[POOLS_MAX + 1] = {{"INSTANCE TYPES LEFT", false, SHRINK_NO}};
    uint32_t n = e->n_funnels > POOLS_MAX ? POOLS_MAX : e->n_funnels;
    for (uint32_t f = 0; f < n; f++) {
        char *name = str_cstr(p->scratch, pool_name(p->plan, e->funnels[f].pool_i));
        columns[f + 1] = (struct table_column){name, true, SHRINK_CUT};
    }
    struct table *table = table_new(p->scratch, columns, n + 1);
    for (int step = 0; step < N_EXPLAIN_STEPS; step++) {
        if (!shows(e, (enum explain_step)step)) {
            continue;
        }
        table_add(table, explain_step_text((enum explain_step)step));
        for (uint32_t f = 0; f < n; f++) {
            table_add(table, text_count(p->scratch, e->funnels[f].n_types[step]));
        }
    }
    strbuf_addc(p->b, '\n');
    table_render(table, p->b, p->look, /* with_head= */ true);
    if (n < e->n_funnels) {
        strbuf_addf(p->b, "and %u more NodePools (-o json)\n", e->n_funnels - n);
    }
}

static void put_cheapest(const struct page *p, const struct plan_explanation *e)
{
    bool first = true;
    for (uint32_t f = 0; f < e->n_funnels && f < POOLS_MAX; f++) {
        const struct plan_funnel *funnel = &e->funnels[f];
        struct strbuf text = strbuf_new(p->scratch, 4096);
        for (uint32_t i = 0; i < funnel->n_cheapest; i++) {
            struct str what = choice_text(p->plan, &funnel->cheapest[i], p->scratch);
            struct str price = text_usd(p->scratch, funnel->cheapest[i].price, 4);
            strbuf_addf(&text, "%s" STR_FMT " $" STR_FMT, text.n > 0 ? ", " : "", STR_ARG(what),
                        STR_ARG(price));
        }
        if (text.n == 0) {
            continue;
        }
        if (first) {
            strbuf_addc(p->b, '\n');
        }
        struct str pool = pool_name(p->plan, funnel->pool_i);
        line(p, first ? "Alone" : "",
             text_format(p->scratch, "cheapest in NodePool " STR_FMT ": " STR_FMT, STR_ARG(pool),
                         STR_ARG(strbuf_str(&text))));
        first = false;
    }
}

/* What would give it a place. */
static void put_relaxations(const struct page *p, const struct plan_explanation *e)
{
    const struct strtab *tab = p->plan->cluster->tab;
    if (e->alone) {
        line(p, "Alone",
             STR("on an empty cluster it has a place as it is: what other pods take or ask for is "
                 "in its way"));
    }
    for (uint32_t i = 0; i < e->n_relaxations; i++) {
        const struct plan_relaxation *r = &e->relaxations[i];
        struct str price = text_usd(p->scratch, r->price, 4);
        line(p, i == 0 ? "Would help" : "",
             text_format(p->scratch, STR_FMT " (" STR_FMT ", $" STR_FMT "/h)", STR_ARG(r->text),
                         STR_ARG(strtab_str(tab, r->type->name)), STR_ARG(price)));
    }
}

/* ---- nodes */

static void put_removed(const struct page *p, const struct plan_node_answer *answer)
{
    const bool all = answer->would_go || answer->n_hurdles == 1;
    const char *what = answer->n_hurdles == 1 ? "this"
                       : all                  ? "these"
                                              : "what can be removed of these";
    const bool saves = answer->would_save.has && answer->would_save.v > 0;
    struct str more = text_per_hour_and_month(p->scratch, saves ? answer->would_save.v : 0);
    struct str fate = answer->would_go ? STR("it would go, and the round would save ")
                                       : STR("it would stay all the same");
    struct strbuf text = strbuf_new(p->scratch, 1024);
    strbuf_addf(&text, "%s " STR_FMT, what, STR_ARG(fate));
    if (saves) {
        strbuf_addf(&text, "%s" STR_FMT " more", answer->would_go ? "" : "; the round would save ",
                    STR_ARG(more));
    } else if (answer->would_go) {
        strbuf_addf(&text, "no more than it does");
    }
    strbuf_addc(&text, '.');
    line(p, "Without", strbuf_str(&text));
}

static void put_answer(const struct page *p, const struct plan_node_answer *answer)
{
    line(p, "Node", answer->node);
    if (answer->price.has) {
        line(p, "Costs", text_per_hour_and_month(p->scratch, answer->price.v));
    }
    if (answer->reason.n > 0) {
        struct strbuf with = strbuf_new(p->scratch, 4096);
        const uint32_t n_shown = answer->n_with > WITH_MAX ? WITH_MAX : answer->n_with;
        for (uint32_t i = 0; i < n_shown; i++) {
            strbuf_addf(&with, "%s" STR_FMT, i == 0 ? ", replaced by " : ", ",
                        STR_ARG(answer->with[i]));
        }
        if (n_shown < answer->n_with) {
            strbuf_addf(&with, " and %u more", answer->n_with - n_shown);
        }
        if (answer->n_going > 1) {
            strbuf_addf(&with, ", together with " STR_FMT,
                        STR_ARG(text_things(p->scratch, answer->n_going - 1, "other node")));
        }
        line(p, "Goes",
             text_format(p->scratch, STR_FMT STR_FMT "; %u pod%s move%s.", STR_ARG(answer->reason),
                         STR_ARG(strbuf_str(&with)), answer->n_pods, answer->n_pods == 1 ? "" : "s",
                         answer->n_pods == 1 ? "s" : ""));
    }
    for (uint32_t i = 0; i < answer->n_hurdles; i++) {
        const struct plan_hurdle *hurdle = &answer->hurdles[i];
        line(p, i == 0 ? "Stays" : "Then",
             hurdle->event.n > 0 ? text_format(p->scratch, STR_FMT ": " STR_FMT,
                                               STR_ARG(hurdle->event), STR_ARG(hurdle->message))
                                 : hurdle->message);
    }
    if (answer->unsettled && answer->removable) {
        line(p, "Without",
             STR("this it might go: the search was stopped before that was settled."));
    } else if (answer->unsettled) {
        line(p, "Unsettled",
             STR("the search was stopped before its end: with more time the node may yet go."));
    } else if (answer->removable) {
        put_removed(p, answer);
    }
}

static void put_answers(const struct plan *plan, const struct text_look *look, struct strbuf *b)
{
    for (uint32_t i = 0; i < plan->n_node_answers; i++) {
        auto_arena scratch = ARENA_INIT;
        struct page page = {.plan = plan, .look = look, .b = b, .scratch = &scratch};
        if (plan->n_explanations + i > 0) {
            strbuf_addc(b, '\n');
        }
        put_answer(&page, &plan->node_answers[i]);
    }
}

void view_explanations(const struct plan *plan, const struct text_look *look, struct strbuf *b)
{
    for (uint32_t i = 0; i < plan->n_explanations; i++) {
        auto_arena scratch = ARENA_INIT;
        const struct plan_explanation *e = &plan->explanations[i];
        struct page page = {.plan = plan, .look = look, .b = b, .scratch = &scratch};
        if (i > 0) {
            strbuf_addc(b, '\n');
        }
        line(&page, "Pod", plan_pod_name(plan, e->pod, &scratch));
        put_place(&page, e);
        put_relaxations(&page, e);
        if (e->requests.n > 0) {
            put_requests(&page, e);
        }
        if (e->n_funnels > 0) {
            put_funnel(&page, e);
            put_cheapest(&page, e);
        }
    }
    put_answers(plan, look, b);
}

/* ---- JSON */

static void json_funnel(const struct plan *plan, struct jsonw *w, const struct plan_funnel *funnel)
{
    jsonw_object_begin(w);
    jsonw_key_str(w, "nodePool", pool_name(plan, funnel->pool_i));
    jsonw_key_array(w, "steps");
    for (int step = 0; step < N_EXPLAIN_STEPS; step++) {
        jsonw_object_begin(w);
        jsonw_key_str(w, "rule", explain_step_code((enum explain_step)step));
        jsonw_key_i64(w, "instanceTypes", funnel->n_types[step]);
        jsonw_key_i64(w, "offerings", funnel->n_offerings[step]);
        jsonw_object_end(w);
    }
    jsonw_array_end(w);
    choices_json(plan, funnel->cheapest, funnel->n_cheapest, w);
    jsonw_object_end(w);
}

static void json_relaxations(const struct plan *plan, struct jsonw *w,
                             const struct plan_explanation *e)
{
    jsonw_key_bool(w, "placeAlone", e->alone);
    jsonw_key_array(w, "relaxations");
    for (uint32_t i = 0; i < e->n_relaxations; i++) {
        const struct plan_relaxation *r = &e->relaxations[i];
        const struct {
            const char *key;
            struct str value;
        } fields[] = {{"nodePool", r->pool},
                      {"key", r->key},
                      {"value", r->value},
                      {"resource", r->resource},
                      {"atMost", r->amount}};
        jsonw_object_begin(w);
        jsonw_key_str(w, "change", str_of(r->change));
        if (r->also != NULL) {
            jsonw_key_str(w, "also", str_of(r->also));
        }
        jsonw_key_str(w, "message", r->text);
        for (size_t f = 0; f < sizeof fields / sizeof fields[0]; f++) {
            if (fields[f].value.n > 0) {
                jsonw_key_str(w, fields[f].key, fields[f].value);
            }
        }
        jsonw_key_str(w, "instanceType", strtab_str(plan->cluster->tab, r->type->name));
        jsonw_key_usd(w, "usdPerHour", r->price);
        jsonw_object_end(w);
    }
    jsonw_array_end(w);
}

static const char *verdict_of(const struct plan_explanation *e)
{
    return e->no_need.n > 0             ? "no-need"
           : e->node_i != PLAN_NONE     ? "new-node"
           : e->existing_i != PLAN_NONE ? "running-node"
                                        : "no-place";
}

static void json_verdict(const struct plan *plan, struct jsonw *w, const struct plan_explanation *e)
{
    jsonw_key_str(w, "verdict", str_of(verdict_of(e)));
    if (e->no_need.n > 0) {
        jsonw_key_str(w, "message", e->no_need);
    }
    if (e->node_i != PLAN_NONE) {
        jsonw_key_str(w, "node", plan->nodes[e->node_i].name);
    }
    if (e->existing_i != PLAN_NONE) {
        jsonw_key_str(w, "node", plan->existing[e->existing_i].node);
    }
    if (e->unplaced_i == PLAN_NONE) {
        return;
    }
    const struct plan_unplaced *unplaced = &plan->unplaced[e->unplaced_i];
    jsonw_key_array(w, "reasons");
    for (uint32_t i = 0; i < unplaced->n_reasons; i++) {
        plan_reason_json(&unplaced->reasons[i], w);
    }
    jsonw_array_end(w);
    json_relaxations(plan, w, e);
}

static void json_answer(struct jsonw *w, const struct plan_node_answer *answer)
{
    jsonw_object_begin(w);
    jsonw_key_str(w, "node", answer->node);
    jsonw_key_str(w, "verdict", answer->reason.n > 0 ? STR("goes") : STR("stays"));
    if (answer->price.has) {
        jsonw_key_usd(w, "usdPerHour", answer->price.v);
    }
    if (answer->reason.n > 0) {
        jsonw_key_str(w, "reason", answer->reason);
        jsonw_key_i64(w, "movedPods", answer->n_pods);
        jsonw_key_array(w, "with");
        for (uint32_t i = 0; i < answer->n_with; i++) {
            jsonw_str(w, answer->with[i]);
        }
        jsonw_array_end(w);
    }
    jsonw_key_array(w, "blockers");
    for (uint32_t i = 0; i < answer->n_hurdles; i++) {
        jsonw_object_begin(w);
        if (answer->hurdles[i].event.n > 0) {
            jsonw_key_str(w, "event", answer->hurdles[i].event);
        }
        jsonw_key_str(w, "message", answer->hurdles[i].message);
        jsonw_object_end(w);
    }
    jsonw_array_end(w);
    if (answer->unsettled) {
        jsonw_key_bool(w, "unsettled", true);
    } else if (answer->removable) {
        jsonw_key(w, STR("withoutBlockers"));
        jsonw_object_begin(w);
        jsonw_key_str(w, "verdict", answer->would_go ? STR("goes") : STR("stays"));
        if (answer->would_save.has) {
            jsonw_key_usd(w, "savesMoreUsdPerHour", answer->would_save.v);
        }
        jsonw_object_end(w);
    }
    jsonw_object_end(w);
}

void explain_json(const struct plan *plan, struct jsonw *w, struct arena *scratch)
{
    jsonw_object_begin(w);
    jsonw_key_str(w, "apiVersion", STR("binpack/v1"));
    jsonw_key_str(w, "kind", STR("Explain"));
    jsonw_key_array(w, "pods");
    for (uint32_t i = 0; i < plan->n_explanations; i++) {
        const struct plan_explanation *e = &plan->explanations[i];
        jsonw_object_begin(w);
        jsonw_key_str(w, "pod", plan_pod_name(plan, e->pod, scratch));
        json_verdict(plan, w, e);
        if (e->no_need.n == 0) {
            jsonw_key(w, STR("requests"));
            plan_resources(plan, w, &e->requests, scratch);
            jsonw_key_i64(w, "preferencesGivenUp", e->dropped);
            if (e->unplaced_i == PLAN_NONE && !e->no_marginal &&
                (plan->bound > 0 || plan->cost == 0)) {
                jsonw_key_usd(w, "marginalUsdPerHour", e->marginal);
            }
            jsonw_key_i64(w, "runningNodesThatWouldTakeIt", e->n_running);
        }
        jsonw_key_array(w, "nodePools");
        for (uint32_t f = 0; f < e->n_funnels; f++) {
            json_funnel(plan, w, &e->funnels[f]);
        }
        jsonw_array_end(w);
        jsonw_object_end(w);
    }
    jsonw_array_end(w);
    if (plan->n_node_answers > 0) {
        jsonw_key_array(w, "nodes");
        for (uint32_t i = 0; i < plan->n_node_answers; i++) {
            json_answer(w, &plan->node_answers[i]);
        }
        jsonw_array_end(w);
    }
    if (plan->n_pool_explanations > 0) {
        jsonw_key_array(w, "nodePools");
        pool_explanations_json(plan, w);
        jsonw_array_end(w);
    }
    jsonw_object_end(w);
}
