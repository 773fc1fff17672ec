/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "binpack/view/plan_csv.h"

#include <inttypes.h>

#include "base/arena.h"
#include "binpack/plan/plan_json.h"
#include "binpack/view/display.h"
#include "binpack/view/disruption_table.h"
#include "binpack/view/text.h"

static const char head[] =
    "kind,name,nodePool,instanceType,zone,capacityType,usdPerHour,usdPerMonth,nPods,"
    "cpuMilliRequested,cpuMilliDaemons,cpuMilliAllocatable,"
    "memoryBytesRequested,memoryBytesDaemons,memoryBytesAllocatable,pods,reason";

/* One field; commas follow all but the last of a row. Control characters are escaped, quotes
 * doubled. */
static void field(struct strbuf *b, struct str s, struct arena *scratch)
{
    struct str safe = display_safe(scratch, s);
    bool quote = str_find(safe, ',') < safe.n || str_find(safe, '"') < safe.n ||
                 str_find(safe, ' ') < safe.n;
    if (!quote) {
        strbuf_add(b, safe);
        return;
    }
    strbuf_addc(b, '"');
    for (size_t i = 0; i < safe.n; i++) {
        if (safe.p[i] == '"') {
            strbuf_addc(b, '"');
        }
        strbuf_addc(b, safe.p[i]);
    }
    strbuf_addc(b, '"');
}

static void put_pods(const struct plan *plan, struct strbuf *b, const uint32_t *pods, uint32_t n,
                     struct arena *scratch)
{
    strbuf_addc(b, '"');
    for (uint32_t i = 0; i < n; i++) {
        const struct k8s_pod *pod = &plan->cluster->pods[pods[i]];
        strbuf_add(b, i == 0 ? STR_EMPTY : STR(" "));
        strbuf_add(b, display_safe(scratch, strtab_str(plan->cluster->tab, pod->ns)));
        strbuf_addc(b, '/');
        strbuf_add(b, display_safe(scratch, pod->name));
    }
    strbuf_addc(b, '"');
}

/* The end of a row of nodes or pods. Rows of an emulated plan say so in a column of their own;
 * those of a round of disruption leave its columns empty. */
static void put_end(const struct plan *plan, struct strbuf *b)
{
    strbuf_add(b, plan->disruption != NULL ? STR(",,,") : STR_EMPTY);
    if (plan->emulated != PLAN_OWN) {
        strbuf_addf(b, ",%s%s%s", plan_planners[plan->emulated].name,
                    plan_planners[plan->emulated].version[0] != '\0' ? " " : "",
                    plan_planners[plan->emulated].version);
    }
    strbuf_addc(b, '\n');
}

static void put_usd(struct strbuf *b, usd_t price)
{
    strbuf_addf(b, "%" PRId64 ".%09" PRId64 ",", price / USD_PER_HOUR, price % USD_PER_HOUR);
}

static void put_node(const struct plan *plan, struct strbuf *b, const struct plan_node *node,
                     struct arena *scratch)
{
    const struct strtab *tab = plan->cluster->tab;
    const strid resources[] = {plan->cluster->words.cpu, plan->cluster->words.memory};
    const struct str texts[] = {
        STR("new"),
        node->name,
        plan->cluster->nodepools[node->pool_i].meta.name,
        strtab_str(tab, node->type->name),
        strtab_str(tab, plan->catalog->zones[node->zone_i].name),
        plan_capacity_type_name(node->capacity_type),
    };
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        field(b, texts[i], scratch);
        strbuf_addc(b, ',');
    }
    put_usd(b, node->price);
    put_usd(b, sat_mul(node->price, HOURS_PER_MONTH));
    strbuf_addf(b, "%u,", node->n_pods);
    for (size_t i = 0; i < sizeof(resources) / sizeof(resources[0]); i++) {
        strbuf_addf(b, "%" PRId64 ",%" PRId64 ",%" PRId64 ",",
                    k8s_resources_get(&node->requested, resources[i]),
                    k8s_resources_get(&node->daemons, resources[i]),
                    k8s_resources_get(&node->allocatable, resources[i]));
    }
    put_pods(plan, b, node->pods, node->n_pods, scratch);
    strbuf_addc(b, ',');
    put_end(plan, b);
}

/* What goes and what stays; the columns of prices and pods are empty, they belong to new nodes. */
static void put_action(struct strbuf *b, struct str kind, struct str name, struct str reason,
                       struct arena *scratch)
{
    strbuf_add(b, kind);
    strbuf_addc(b, ',');
    field(b, name, scratch);
    strbuf_add(b, STR(",,,,,,,,,,,,,,,"));
    field(b, reason, scratch);
    strbuf_addc(b, ',');
}

static void put_disruption(const struct plan *plan, struct strbuf *b, struct arena *scratch)
{
    const struct plan_disruption *d = plan->disruption;
    for (uint32_t i = 0; i < d->n_commands; i++) {
        const struct plan_command *c = &d->commands[i];
        put_action(b, disruption_action(c), disruption_nodes(plan, c, /* all= */ true, scratch),
                   c->reason, scratch);
        field(b, c->n_with == 0 ? STR_EMPTY : disruption_with(plan, c, /* all= */ true, scratch),
              scratch);
        strbuf_addf(b, ",%u,%s", c->n_moved, c->saves < 0 ? "-" : "");
        const usd_t amount = c->saves < 0 ? -c->saves : c->saves;
        strbuf_addf(b, "%" PRId64 ".%09" PRId64 "\n", amount / USD_PER_HOUR, amount % USD_PER_HOUR);
        arena_reset(scratch);
    }
    for (uint32_t i = 0; i < d->n_kept; i++) {
        put_action(b, STR("keep"), d->kept[i].node, d->kept[i].message, scratch);
        strbuf_add(b, STR(",,\n"));
        arena_reset(scratch);
    }
}

void view_csv(const struct plan *plan, struct strbuf *b)
{
    auto_arena scratch = ARENA_INIT;
    strbuf_add(b, str_of(head));
    strbuf_add(b, plan->disruption != NULL ? STR(",with,movedPods,savesUsdPerHour") : STR_EMPTY);
    strbuf_add(b, plan->emulated != PLAN_OWN ? STR(",emulated\n") : STR("\n"));
    for (uint32_t i = 0; i < plan->n_nodes; i++) {
        put_node(plan, b, &plan->nodes[i], &scratch);
        arena_reset(&scratch);
    }
    for (uint32_t i = 0; i < plan->n_existing; i++) {
        const struct plan_placement *place = &plan->existing[i];
        strbuf_add(b, STR("running,"));
        field(b, place->node, &scratch);
        strbuf_addf(b, ",,,,,,,%u,,,,,,,", place->n_pods);
        put_pods(plan, b, place->pods, place->n_pods, &scratch);
        strbuf_addc(b, ',');
        put_end(plan, b);
    }
    for (uint32_t i = 0; i < plan->n_unplaced; i++) {
        const struct plan_unplaced *unplaced = &plan->unplaced[i];
        strbuf_add(b, STR("unplaced,,,,,,,,1,,,,,,,"));
        put_pods(plan, b, &unplaced->pod, 1, &scratch);
        strbuf_addc(b, ',');
        if (unplaced->n_reasons > 0) {
            const struct plan_reason *reason = &unplaced->reasons[0];
            bool pooled = reason->pool.n > 0;
            struct str line = text_format(&scratch, STR_FMT "%s" STR_FMT, STR_ARG(reason->pool),
                                          pooled ? ": " : "", STR_ARG(reason->message));
            field(b, line, &scratch);
        }
        put_end(plan, b);
        arena_reset(&scratch);
    }
    if (plan->disruption != NULL) {
        put_disruption(plan, b, &scratch);
    }
}
