/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "binpack/view/summary.h"

#include <stdlib.h>

#include "base/arena.h"
#include "binpack/plan/plan_json.h"

/* Accelerators that are counted as devices; other resources of the same vendors are other views of
 * them. */
static const char *const gpu_resources[] = {"nvidia.com/gpu", "amd.com/gpu",
                                            "aws.amazon.com/neuron", "habana.ai/gaudi"};

struct summary_use summary_use_of(const struct plan_node *node, strid resource)
{
    int64_t pods = k8s_resources_get(&node->requested, resource);
    int64_t daemons = k8s_resources_get(&node->daemons, resource);
    return (struct summary_use){.used = sat_add(pods, daemons),
                                .whole = k8s_resources_get(&node->allocatable, resource)};
}

static void use_add(struct summary_use *sum, struct summary_use more)
{
    sum->used = sat_add(sum->used, more.used);
    sum->whole = sat_add(sum->whole, more.whole);
}

struct summary_use summary_gpus_of(const struct plan *plan, const struct plan_node *node)
{
    struct summary_use sum = {.used = 0, .whole = 0};
    for (size_t i = 0; i < sizeof(gpu_resources) / sizeof(gpu_resources[0]); i++) {
        strid id = strtab_find(plan->cluster->tab, str_of(gpu_resources[i]));
        if (id != STRID_NONE) {
            use_add(&sum, summary_use_of(node, id));
        }
    }
    return sum;
}

/* ---- the mix ---- */

struct mix_row {
    struct summary_mix mix;
    usd_t pool_cost;
    struct str pool, type, zone;
};

static int cmp_usd_descending(usd_t a, usd_t b)
{
    return a > b ? -1 : a < b ? 1 : 0;
}

static int by_kind(const void *a, const void *b)
{
    const struct mix_row *x = a;
    const struct mix_row *y = b;
    int by_pool = str_cmp(x->pool, y->pool);
    if (by_pool != 0) {
        return by_pool;
    }
    int by_type = str_cmp(x->type, y->type);
    if (by_type != 0) {
        return by_type;
    }
    int by_zone = str_cmp(x->zone, y->zone);
    return by_zone != 0 ? by_zone : (int)x->mix.capacity_type - (int)y->mix.capacity_type;
}

static int by_cost(const void *a, const void *b)
{
    const struct mix_row *x = a;
    const struct mix_row *y = b;
    int by_pool_cost = cmp_usd_descending(x->pool_cost, y->pool_cost);
    if (by_pool_cost != 0) {
        return by_pool_cost;
    }
    int by_pool = str_cmp(x->pool, y->pool);
    if (by_pool != 0) {
        return by_pool;
    }
    int by_price = cmp_usd_descending(x->mix.cost, y->mix.cost);
    return by_price != 0 ? by_price : by_kind(a, b);
}

static void mix_add(struct summary_mix *sum, const struct summary_mix *more)
{
    sum->n_nodes += more->n_nodes;
    sum->n_pods += more->n_pods;
    sum->cost = sat_add(sum->cost, more->cost);
    use_add(&sum->cpu, more->cpu);
    use_add(&sum->memory, more->memory);
    use_add(&sum->gpu, more->gpu);
}

static struct mix_row row_of(const struct plan *plan, const struct plan_node *node)
{
    const struct strtab *tab = plan->cluster->tab;
    return (struct mix_row){
        .mix = {.pool_i = node->pool_i,
                .zone_i = node->zone_i,
                .n_nodes = 1,
                .type = node->type,
                .capacity_type = node->capacity_type,
                .n_pods = node->n_pods,
                .cost = node->price,
                .cpu = summary_use_of(node, plan->cluster->words.cpu),
                .memory = summary_use_of(node, plan->cluster->words.memory),
                .gpu = summary_gpus_of(plan, node)},
        .pool = plan->cluster->nodepools[node->pool_i].meta.name,
        .type = strtab_str(tab, node->type->name),
        .zone = strtab_str(tab, plan->catalog->zones[node->zone_i].name),
    };
}

static void sum_pools(struct mix_row *rows, uint32_t n)
{
    for (uint32_t i = 0; i < n;) {
        uint32_t end = i;
        usd_t cost = 0;
        for (; end < n && str_eq(rows[end].pool, rows[i].pool); end++) {
            cost = sat_add(cost, rows[end].mix.cost);
        }
        for (; i < end; i++) {
            rows[i].pool_cost = cost;
        }
    }
}

static void build_mixes(struct summary *s, struct arena *arena)
{
    const struct plan *plan = s->plan;
    struct mix_row *rows = ARENA_ARRAY(arena, struct mix_row, plan->n_nodes + 1);
    for (uint32_t i = 0; i < plan->n_nodes; i++) {
        rows[i] = row_of(plan, &plan->nodes[i]);
        mix_add(&s->total, &rows[i].mix);
    }
    qsort(rows, plan->n_nodes, sizeof(rows[0]), by_kind);
    uint32_t n = 0;
    for (uint32_t i = 0; i < plan->n_nodes; i++) {
        if (n > 0 && by_kind(&rows[n - 1], &rows[i]) == 0) {
            mix_add(&rows[n - 1].mix, &rows[i].mix);
        } else {
            rows[n++] = rows[i];
        }
    }
    sum_pools(rows, n);
    qsort(rows, n, sizeof(rows[0]), by_cost);
    struct summary_mix *mixes = ARENA_ARRAY(arena, struct summary_mix, n + 1);
    for (uint32_t i = 0; i < n; i++) {
        mixes[i] = rows[i].mix;
    }
    s->mixes = mixes;
    s->n_mixes = n;
    s->has_gpu = s->total.gpu.whole > 0;
}

/* ---- unplaced pods ---- */

struct unplaced_row {
    const struct plan_unplaced *unplaced;
    const struct k8s_pod *pod;
    struct str ns;
};

static int text_cmp(struct str a, struct str b)
{
    return a.p == b.p && a.n == b.n ? 0 : str_cmp(a, b);
}

static int reasons_cmp(const struct plan_unplaced *a, const struct plan_unplaced *b)
{
    for (uint32_t i = 0; i < a->n_reasons && i < b->n_reasons; i++) {
        const struct plan_reason *x = &a->reasons[i];
        const struct plan_reason *y = &b->reasons[i];
        int order = text_cmp(x->pool, y->pool);
        order = order != 0 ? order : text_cmp(x->code, y->code);
        order = order != 0 ? order : text_cmp(x->message, y->message);
        if (order != 0) {
            return order;
        }
    }
    return a->n_reasons < b->n_reasons ? -1 : a->n_reasons > b->n_reasons;
}

static int pods_cmp(const struct unplaced_row *a, const struct unplaced_row *b)
{
    int by_ns = str_cmp(a->ns, b->ns);
    return by_ns != 0 ? by_ns : str_cmp(a->pod->name, b->pod->name);
}

static int by_reasons(const void *a, const void *b)
{
    const struct unplaced_row *x = a;
    const struct unplaced_row *y = b;
    int order = reasons_cmp(x->unplaced, y->unplaced);
    return order != 0 ? order : pods_cmp(x, y);
}

struct group_row {
    struct summary_group group;
    struct unplaced_row first;
};

static int by_size(const void *a, const void *b)
{
    const struct group_row *x = a;
    const struct group_row *y = b;
    if (x->group.n_pods != y->group.n_pods) {
        return x->group.n_pods > y->group.n_pods ? -1 : 1;
    }
    return pods_cmp(&x->first, &y->first);
}

static void build_groups(struct summary *s, struct arena *arena)
{
    const struct plan *plan = s->plan;
    struct unplaced_row *rows = ARENA_ARRAY(arena, struct unplaced_row, plan->n_unplaced + 1);
    for (uint32_t i = 0; i < plan->n_unplaced; i++) {
        const struct k8s_pod *pod = &plan->cluster->pods[plan->unplaced[i].pod];
        rows[i] = (struct unplaced_row){.unplaced = &plan->unplaced[i],
                                        .pod = pod,
                                        .ns = strtab_str(plan->cluster->tab, pod->ns)};
    }
    qsort(rows, plan->n_unplaced, sizeof(rows[0]), by_reasons);
    const struct plan_unplaced **pods =
        ARENA_ARRAY(arena, const struct plan_unplaced *, plan->n_unplaced + 1);
    struct group_row *groups = ARENA_ARRAY(arena, struct group_row, plan->n_unplaced + 1);
    uint32_t n = 0;
    for (uint32_t i = 0; i < plan->n_unplaced; i++) {
        pods[i] = rows[i].unplaced;
        if (i == 0 || reasons_cmp(rows[i - 1].unplaced, rows[i].unplaced) != 0) {
            groups[n++] =
                (struct group_row){.group = {.n_pods = 0, .pods = &pods[i]}, .first = rows[i]};
        }
        groups[n - 1].group.n_pods++;
    }
    qsort(groups, n, sizeof(groups[0]), by_size);
    struct summary_group *result = ARENA_ARRAY(arena, struct summary_group, n + 1);
    for (uint32_t i = 0; i < n; i++) {
        result[i] = groups[i].group;
    }
    s->groups = result;
    s->n_groups = n;
}

struct str summary_pod_names(const struct plan *plan, const struct summary_group *group,
                             uint32_t n_max, struct arena *arena)
{
    struct strbuf b = strbuf_new(arena, 65536);
    uint32_t n = group->n_pods <= n_max + 1
                     ? group->n_pods
                     : n_max; /* "and 1 more" would be longer than its name */
    for (uint32_t i = 0; i < n; i++) {
        strbuf_add(&b, i == 0 ? STR_EMPTY : STR(", "));
        strbuf_add(&b, plan_pod_name(plan, group->pods[i]->pod, arena));
    }
    if (n < group->n_pods) {
        strbuf_add(&b, STR(" and "));
        strbuf_add(&b, text_count(arena, group->n_pods - n));
        strbuf_add(&b, STR(" more"));
    }
    return strbuf_str(&b);
}

/* Whether the same was said of an earlier NodePool. */
static bool said_before(const struct plan_unplaced *unplaced, uint32_t i)
{
    for (uint32_t k = 0; k < i; k++) {
        if (text_cmp(unplaced->reasons[k].message, unplaced->reasons[i].message) == 0) {
            return true;
        }
    }
    return false;
}

/* Reason i with all NodePools that it holds for. */
static struct str reason_text(const struct plan_unplaced *unplaced, uint32_t i, struct arena *arena)
{
    struct strbuf b = strbuf_new(arena, 65536);
    const struct plan_reason *reason = &unplaced->reasons[i];
    uint32_t n_pools = 0;
    for (uint32_t k = i; k < unplaced->n_reasons; k++) {
        const struct plan_reason *other = &unplaced->reasons[k];
        if (other->pool.n > 0 && text_cmp(other->message, reason->message) == 0) {
            strbuf_add(&b, n_pools++ == 0 ? STR("NodePool ") : STR(", "));
            strbuf_add(&b, other->pool);
        }
    }
    strbuf_add(&b, n_pools > 0 ? STR(": ") : STR_EMPTY);
    strbuf_add(&b, reason->message.n > 0 ? reason->message : reason->code);
    return strbuf_str(&b);
}

const struct str *summary_reasons(const struct plan_unplaced *unplaced, struct arena *arena,
                                  uint32_t *ret_n)
{
    struct str *lines = ARENA_ARRAY(arena, struct str, unplaced->n_reasons + 1);
    uint32_t n = 0;
    for (uint32_t i = 0; i < unplaced->n_reasons; i++) {
        if (!said_before(unplaced, i)) {
            lines[n++] = reason_text(unplaced, i, arena);
        }
    }
    *ret_n = n;
    return lines;
}

struct str summary_zone_short(const struct plan *plan, uint32_t zone_i)
{
    const struct strtab *tab = plan->cluster->tab;
    struct str zone = strtab_str(tab, plan->catalog->zones[zone_i].name);
    struct str region = strtab_str(tab, plan->catalog->region);
    if (region.n < 2 || zone.n <= region.n || !str_starts(zone, region)) {
        return zone;
    }
    return str_sub(zone, region.n - 1, zone.n); /* keeps the region's number: "1a" */
}

/* ---- sentences ---- */

static void add_line(struct summary *s, const char *label, struct str text)
{
    if (text.n > 0 && s->n_lines < SUMMARY_LINES_MAX) {
        s->lines[s->n_lines++] = (struct summary_line){.label = label, .text = text};
    }
}

static struct str pods_text(const struct summary *s, struct arena *arena)
{
    const struct plan *plan = s->plan;
    uint64_t n_running = 0;
    for (uint32_t i = 0; i < plan->n_existing; i++) {
        n_running += plan->existing[i].n_pods;
    }
    struct strbuf b = strbuf_new(arena, 4096);
    if (plan->n_pending == 0) {
        strbuf_add(&b, plan->cluster->n_pods > 0 ? STR("none needs a place")
                                                 : STR("none in the input"));
        return strbuf_str(&b);
    }
    strbuf_add(&b, text_count(arena, plan->n_pending));
    strbuf_add(&b, plan->n_pending == 1 ? STR(" needs a place: ") : STR(" need a place: "));
    const char *separator = "";
    if (s->total.n_pods > 0) {
        strbuf_add(&b, text_count(arena, s->total.n_pods));
        strbuf_add(&b, STR(" on "));
        strbuf_add(&b, text_things(arena, plan->n_nodes, "new node"));
        separator = ", ";
    }
    if (n_running > 0) {
        strbuf_add(&b, str_of(separator));
        strbuf_add(&b, text_count(arena, n_running));
        strbuf_add(&b, STR(" on "));
        strbuf_add(&b, text_things(arena, plan->n_existing, "running node"));
        separator = ", ";
    }
    if (plan->n_unplaced > 0) {
        strbuf_add(&b, str_of(separator));
        strbuf_add(&b, text_count(arena, plan->n_unplaced));
        strbuf_add(&b, STR(" without a place"));
    }
    return strbuf_str(&b);
}

/* What a search that went to its end has not proven, a longer one will not prove either. */
static struct str no_bound_text(const struct plan *plan)
{
    const bool searched = str_eq(plan->method, STR("column-generation"));
    if (searched && !str_eq(plan->status, STR("stopped"))) {
        return plan->n_unplaced > 0
                   ? STR("none: the search went to its end and proved none for the pods it places "
                         "beside those that it leaves out")
                   : STR("none: the search went to its end and proved none");
    }
    return searched ? STR("none yet, so nothing says how far from the cheapest this plan is; a "
                          "longer --time-limit may find one")
                    : STR("none yet, so nothing says how far from the cheapest this plan is; "
                          "--algorithm=colgen with a longer --time-limit may find one");
}

static struct str bound_text(const struct plan *plan, struct arena *arena)
{
    if (plan->cost <= 0) {
        return STR_EMPTY;
    }
    struct strbuf b = strbuf_new(arena, 4096);
    if (plan->bound <= 0) {
        return no_bound_text(plan);
    }
    strbuf_add(&b, text_per_hour_and_month(arena, plan->bound));
    int64_t gap = plan_gap_ppb(plan);
    if (gap == 0) {
        strbuf_add(&b, STR(": this plan is proven to be the cheapest possible"));
    } else if (plan->emulated != PLAN_OWN) {
        strbuf_add(&b, STR(": the emulated plan costs "));
        strbuf_add(&b, text_percent(arena, plan->cost - plan->bound, plan->bound));
        strbuf_add(&b, STR(" more"));
    } else {
        strbuf_add(&b, STR(": this plan is proven within "));
        strbuf_add(&b, text_gap(arena, gap));
        strbuf_add(&b, STR(" of the cheapest possible"));
    }
    strbuf_add(&b, plan->n_unplaced > 0 ? STR(" for the pods it places.") : STR("."));
    if (plan->n_relaxed > 0) {
        strbuf_add(&b, STR(" The bound leaves out: "));
        for (uint32_t i = 0; i < plan->n_relaxed; i++) {
            strbuf_add(&b, i == 0 ? STR_EMPTY : STR(", "));
            strbuf_add(&b, plan->relaxed[i]);
        }
        strbuf_addc(&b, '.');
    }
    if (str_eq(plan->status, STR("stopped"))) {
        strbuf_add(&b, STR(" The search was stopped early."));
    }
    return strbuf_str(&b);
}

static struct str saving_text(const struct plan *plan, struct arena *arena)
{
    usd_t saving = sat_sub(plan->on_demand_cost, plan->cost);
    if (saving <= 0 || plan->on_demand_cost <= 0) {
        return STR_EMPTY;
    }
    struct str hour = text_usd(arena, saving, 4);
    struct str whole = text_usd(arena, plan->on_demand_cost, 4);
    int64_t permille = (muldiv_floor(saving, 2000, plan->on_demand_cost) + 1) / 2;
    return text_format(
        arena, "$" STR_FMT "/h (%d.%d%%) against the same nodes on demand ($" STR_FMT "/h).",
        STR_ARG(hour), (int)(permille / 10), (int)(permille % 10), STR_ARG(whole));
}

/* The note of a code, as a line: those that say that the plan may be too cheap. */
static struct str note_text(const struct plan *plan, struct str code)
{
    for (uint32_t i = 0; i < plan->n_notes; i++) {
        if (str_eq(plan->notes[i].code, code)) {
            return plan->notes[i].message;
        }
    }
    return STR_EMPTY;
}

/* What-if options change what runs and what it costs: then the sums are no longer today's. */
static const char *today_label(const struct plan *plan)
{
    return note_text(plan, STR("WHAT_IF")).n > 0 ? "As changed" : "Today";
}

static struct str today_text(const struct plan *plan, struct arena *arena)
{
    uint32_t n = plan->cluster->n_nodes;
    if (n == 0) {
        return STR_EMPTY;
    }
    struct strbuf b = strbuf_new(arena, 4096);
    uint32_t n_priced = n > plan->n_running_unpriced ? n - plan->n_running_unpriced : 0;
    if (n_priced > 0) {
        strbuf_add(&b, text_things(arena, n_priced, "node"));
        strbuf_add(&b, n_priced == 1 ? STR(" costs ") : STR(" cost "));
        strbuf_add(&b, text_per_hour_and_month(arena, plan->running_cost));
        if (plan->n_running_unpriced > 0) {
            strbuf_add(&b, STR("; the price of "));
            strbuf_add(&b, text_count(arena, plan->n_running_unpriced));
            strbuf_add(&b, STR(" more is unknown"));
        }
    } else {
        strbuf_add(&b, text_things(arena, n, "node"));
        strbuf_add(&b, STR(" of unknown price"));
    }
    usd_t less = sat_sub(plan->running_cost, plan->cost);
    if (plan->mode == PLAN_REPACK && plan->running_cost > 0) {
        bool cheaper = less >= 0;
        struct str difference = text_usd(arena, cheaper ? less : -less, 4);
        struct str percent = text_percent(arena, cheaper ? less : -less, plan->running_cost);
        strbuf_addf(&b, ". The new nodes cost $" STR_FMT "/h (" STR_FMT ") %s", STR_ARG(difference),
                    STR_ARG(percent), cheaper ? "less" : "more");
    } else if (plan->disruption != NULL && n_priced > 0) {
        strbuf_add(&b, STR("; after the plan "));
        strbuf_add(&b, text_per_hour_and_month(arena, plan->disruption->after));
    } else if (plan->n_nodes > 0 && n_priced > 0) {
        strbuf_add(&b, STR("; with the new ones "));
        strbuf_add(&b, text_per_hour_and_month(arena, sat_add(plan->running_cost, plan->cost)));
    }
    strbuf_addc(&b, '.');
    return strbuf_str(&b);
}

static struct str existing_text(const struct plan *plan, struct arena *arena)
{
    enum { SHOWN = 6 };
    if (plan->n_existing == 0) {
        return STR_EMPTY;
    }
    struct strbuf b = strbuf_new(arena, 65536);
    for (uint32_t i = 0; i < plan->n_existing; i++) {
        if (i == SHOWN && plan->n_existing > SHOWN + 1) {
            strbuf_addf(&b, " and %u more nodes", plan->n_existing - SHOWN);
            break;
        }
        strbuf_add(&b, i == 0 ? STR_EMPTY : STR(", "));
        strbuf_add(&b, plan->existing[i].node);
        strbuf_add(&b, STR(": "));
        strbuf_add(&b, text_things(arena, plan->existing[i].n_pods, "pod"));
    }
    return strbuf_str(&b);
}

static struct str emulated_text(const struct plan *plan)
{
    if (plan->emulated == PLAN_OWN) {
        return STR_EMPTY;
    }
    if (plan->emulated == PLAN_CLUSTER_AUTOSCALER) {
        return STR("this is what an imitation of the Cluster Autoscaler's scale-up buys, with a "
                   "node group for each offering of the NodePools; the Cluster Autoscaler itself "
                   "did not run.");
    }
    return plan->disruption != NULL
               ? STR("this is what an imitation of Karpenter v1.14's disruption comes to when it "
                     "is "
                     "repeated until nothing changes; Karpenter itself did not run.")
               : STR("this is what an imitation of Karpenter v1.14's scheduler buys; "
                     "Karpenter itself did not run.");
}

struct summary summary_of(const struct plan *plan, struct arena *arena)
{
    struct summary s = {.plan = plan};
    build_mixes(&s, arena);
    build_groups(&s, arena);
    add_line(&s, "Emulated", emulated_text(plan));
    add_line(&s, "Pods", pods_text(&s, arena));
    add_line(&s, "Left out", note_text(plan, STR("OBJECTS_LEFT_OUT")));
    add_line(&s, "Requests", note_text(plan, STR("PODS_WITHOUT_REQUESTS")));
    add_line(&s, "Running", existing_text(plan, arena));
    add_line(&s, "Lower bound", bound_text(plan, arena));
    add_line(&s, "Spot saving", saving_text(plan, arena));
    add_line(&s, today_label(plan), today_text(plan, arena));
    return s;
}
