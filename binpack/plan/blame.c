/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "binpack/plan/blame.h"

#include "base/arena.h"
#include "binpack/plan/alone.h"
#include "binpack/plan/plan_json.h"

enum { TEXT_MAX = 8192 };

struct blaming {
    struct plan *plan;
    const struct make_settings *settings;
    const struct blame_change *changes;
    uint32_t n;
    const struct catalog *given;
    struct arena *arena;
};

static bool has_place(const struct blaming *b, const struct k8s_pod *pod,
                      const struct catalog *catalog, struct arena *scratch, struct plan_node *node)
{
    const struct alone alone = {.cluster = b->plan->cluster,
                                .catalog = catalog,
                                .settings = b->settings,
                                .pod = pod,
                                .shape = pod->shape};
    return alone_has_place(&alone, scratch, node);
}

/* "without it m7g.large spot in us-east-1a ($0.0294/h) would take the pod" */
static void add_node(const struct blaming *b, const struct catalog *catalog,
                     const struct plan_node *node, struct strbuf *text)
{
    const struct strtab *tab = b->plan->cluster->tab;
    const int64_t hundred_micros = (node->price + USD_PER_HOUR / 20000) / (USD_PER_HOUR / 10000);
    strbuf_addf(text, STR_FMT " " STR_FMT " in " STR_FMT " for $%lld.%04lld/h would take it",
                STR_ARG(strtab_str(tab, node->type->name)),
                STR_ARG(plan_capacity_type_name(node->capacity_type)),
                STR_ARG(strtab_str(tab, catalog->zones[node->zone_i].name)),
                (long long)(hundred_micros / 10000), (long long)(hundred_micros % 10000));
}

/* The sentence, or STR_EMPTY when no option is to blame. */
static struct str blame_text(const struct blaming *b, const struct k8s_pod *pod)
{
    auto_arena scratch = ARENA_INIT;
    struct plan_node node;
    struct strbuf text = strbuf_new(b->arena, TEXT_MAX);
    if (has_place(b, pod, b->plan->catalog, &scratch, NULL) ||
        !has_place(b, pod, b->given, &scratch, &node)) {
        return STR_EMPTY;
    }
    for (uint32_t i = 0; i < b->n && b->n > 1; i++) {
        auto_arena own = ARENA_INIT;
        struct plan_node found;
        if (has_place(b, pod, b->changes[i].without, &own, &found)) {
            strbuf_addf(&text, "%s" STR_FMT " rules it out: without it ", text.n > 0 ? "; " : "",
                        STR_ARG(b->changes[i].option));
            add_node(b, b->changes[i].without, &found, &text);
        }
    }
    if (text.n == 0) { /* one change, or no single one that is enough */
        for (uint32_t i = 0; i < b->n; i++) {
            strbuf_addf(&text, "%s" STR_FMT, i == 0 ? "" : " and ", STR_ARG(b->changes[i].option));
        }
        strbuf_addf(&text, b->n == 1 ? " rules it out: without it "
                                     : " together rule it out: without them ");
        add_node(b, b->given, &node, &text);
    }
    return strbuf_str(&text);
}

static void put_first(struct plan_unplaced *unplaced, struct str message, struct arena *arena)
{
    struct plan_reason *reasons = ARENA_ARRAY(arena, struct plan_reason, unplaced->n_reasons + 1);
    reasons[0] = (struct plan_reason){.code = STR("WHAT_IF"), .message = message};
    for (uint32_t i = 0; i < unplaced->n_reasons; i++) {
        reasons[i + 1] = unplaced->reasons[i];
    }
    unplaced->reasons = reasons;
    unplaced->n_reasons++;
}

void blame_add(struct plan *plan, const struct make_settings *settings,
               const struct blame_change *changes, uint32_t n, const struct catalog *given,
               struct arena *arena)
{
    const struct blaming b = {plan, settings, changes, n, given, arena};
    const struct plan_reason *tried[BLAME_KINDS_MAX];
    struct plan_unplaced *found[BLAME_KINDS_MAX];
    struct plan_unplaced *own = ARENA_ARRAY(arena, struct plan_unplaced, plan->n_unplaced + 1);
    uint32_t n_kinds = 0;
    for (uint32_t i = 0; i < plan->n_unplaced; i++) {
        uint32_t k = 0;
        own[i] = plan->unplaced[i];
        while (k < n_kinds && tried[k] != own[i].reasons) {
            k++;
        }
        if (k == n_kinds && n_kinds < BLAME_KINDS_MAX) {
            struct str message = blame_text(&b, &plan->cluster->pods[own[i].pod]);
            tried[n_kinds] = own[i].reasons;
            found[n_kinds++] = &own[i];
            if (message.n > 0) {
                put_first(&own[i], message, arena);
            }
        } else if (k < n_kinds) {
            own[i].reasons = found[k]->reasons;
            own[i].n_reasons = found[k]->n_reasons;
        }
    }
    plan->unplaced = own;
}
