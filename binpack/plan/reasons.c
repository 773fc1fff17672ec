/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "binpack/plan/reasons.h"

#include "base/arena.h"
#include "base/bitset.h"
#include "base/vec.h"
#include "binpack/plan/reason_text.h"
#include "binpack/scheduling/prefs.h"
#include "binpack/scheduling/taints.h"
#include "binpack/scheduling/terms.h"
#include "binpack/scheduling/volumes.h"

#include <stdlib.h>
#include <string.h>

/* How far a pod gets with a pool. */
enum miss {
    MISS_POOL,
    MISS_LABELS,
    MISS_TAINT,
    MISS_VOLUME,
    MISS_PORT,
    MISS_RESOURCES,
    MISS_LIMIT,
    MISS_VARIETY,
    MISS_RULES
};

struct verdict {
    enum miss miss;
    struct plan_reason reason;
    uint32_t pool_i; /* order among equals */
};

static void say(struct verdict *v, enum miss miss, const char *code, struct str message)
{
    v->miss = miss;
    v->reason.code = str_of(code);
    v->reason.message = message;
}

/* ---- labels and volumes */

static bool pool_has(const struct explainer *x, const uint64_t *cells, uint32_t pool_i)
{
    const struct sched_offers *o = x->offers;
    for (size_t c = bits_next(cells, o->n_cells, 0); c < o->n_cells;
         c = bits_next(cells, o->n_cells, c + 1)) {
        if (o->variants.v[o->cells[c].variant_i].pool_i == pool_i) {
            return true;
        }
    }
    return false;
}

static bool admits(const struct explainer *x, uint32_t n, const struct sched_conj *alternatives,
                   uint32_t pool_i)
{
    struct arena_mark mark = arena_mark(x->scratch);
    uint64_t *cells = ARENA_ARRAY(x->scratch, uint64_t, bits_words(x->offers->n_cells));
    sched_cells_admitted(x->offers, n, alternatives, x->scratch, cells);
    bool has = pool_has(x, cells, pool_i);
    arena_rewind(x->scratch, mark);
    return has;
}

/* The one requirement that fails by itself and without which the alternative would pass, else the
 * first that fails by itself, else NULL: then only some of them together fail. */
static const struct sched_req *culprit(const struct explainer *x, const struct sched_conj *conj,
                                       uint32_t pool_i)
{
    struct sched_req *rest = ARENA_ARRAY(x->scratch, struct sched_req, conj->n);
    for (uint32_t i = 0; i < conj->n; i++) {
        uint32_t n = 0;
        for (uint32_t k = 0; k < conj->n; k++) {
            if (k != i) {
                rest[n++] = conj->v[k];
            }
        }
        struct sched_conj without = {.n = n, .v = rest}, alone = {.n = 1, .v = &conj->v[i]};
        if (admits(x, 1, &without, pool_i) && !admits(x, 1, &alone, pool_i)) {
            return &conj->v[i];
        }
    }
    for (uint32_t i = 0; i < conj->n; i++) {
        struct sched_conj alone = {.n = 1, .v = &conj->v[i]};
        if (!admits(x, 1, &alone, pool_i)) {
            return &conj->v[i];
        }
    }
    return NULL;
}

/* As few requirements as contradict each other, of an alternative that the pool does not admit
 * though it admits each of them. */
static struct str contradiction_text(const struct explainer *x, const struct sched_conj *conj,
                                     uint32_t n_others, uint32_t pool_i)
{
    struct sched_req *kept = ARENA_ARRAY(x->scratch, struct sched_req, conj->n);
    struct sched_req *rest = ARENA_ARRAY(x->scratch, struct sched_req, conj->n);
    struct strbuf text = strbuf_new(x->a->arena, 4096);
    uint32_t n = conj->n;
    memcpy(kept, conj->v, n * sizeof *kept);
    for (uint32_t i = 0; i < n;) {
        memcpy(rest, kept, i * sizeof *rest);
        memcpy(rest + i, kept + i + 1, (n - i - 1) * sizeof *rest);
        struct sched_conj without = {.n = n - 1, .v = rest};
        if (admits(x, 1, &without, pool_i)) {
            i++;
        } else {
            memcpy(kept, rest, --n * sizeof *kept);
        }
    }
    strbuf_add(&text, STR("its node selector and node affinity ask for "));
    for (uint32_t i = 0; i < n; i++) {
        strbuf_add(&text, i == 0 ? STR_EMPTY : STR(" and "));
        sched_req_text(x->s->vocab, &kept[i], &text);
    }
    strbuf_add(&text, STR(", which no node of the NodePool has together"));
    if (n_others > 0) {
        strbuf_add(&text, STR("; its other terms fail, too"));
    }
    return strbuf_str(&text);
}

static bool judge_labels(const struct explainer *x, const struct sched_need *need, uint32_t pool_i,
                         struct verdict *v)
{
    static const struct sched_conj nothing = {.n = 0};
    if (!admits(x, 1, &nothing, pool_i)) {
        struct strbuf text = strbuf_new(x->a->arena, 1000);
        strbuf_addf(&text,
                    "no instance type that the requirements of the NodePool allow is available "
                    "(`binpack explain nodepool/" STR_FMT "` shows which takes the last)",
                    STR_ARG(x->s->pools[pool_i].pool->meta.name));
        say(v, MISS_POOL, "POOL_OFFERS_NOTHING", strbuf_str(&text));
        return true;
    }
    if (admits(x, need->n_alternatives, need->alternatives, pool_i)) {
        return false;
    }
    if (admits(x, need->n_topology_alternatives, need->topology_alternatives, pool_i)) {
        say(v, MISS_VOLUME, "VOLUME_ZONE", reason_volume_text(x, need, pool_i));
        return true;
    }
    if (need->n_topology_alternatives == 0) {
        say(v, MISS_LABELS, "NODE_AFFINITY_EMPTY",
            STR("its required node affinity has no term that a node could match"));
        return true;
    }
    const struct sched_req *req = NULL;
    for (uint32_t a = 0; a < need->n_topology_alternatives && req == NULL; a++) {
        req = culprit(x, &need->topology_alternatives[a], pool_i);
    }
    if (req == NULL) {
        say(v, MISS_LABELS, "LABELS_CONTRADICT",
            contradiction_text(x, &need->topology_alternatives[0],
                               need->n_topology_alternatives - 1, pool_i));
        return true;
    }
    if (req->key == x->s->words->hostname || req->key == x->s->vocab->name_field) {
        say(v, MISS_LABELS, "BAD_REQUIREMENT", reason_host_text(x, req));
        return true;
    }
    bool undefined = !reason_key_known(x, req->key);
    say(v, MISS_LABELS, undefined ? "LABEL_UNDEFINED" : "NO_LABEL_VALUE",
        reason_label_text(x, req, pool_i));
    return true;
}

static bool judge_taints(const struct explainer *x, const struct sched_need *need, uint32_t pool_i,
                         struct verdict *v)
{
    const struct karp_nodepool *pool = x->s->pools[pool_i].pool;
    const struct k8s_taint *taint =
        sched_untolerated(need->n_tolerations, need->tolerations, pool->n_taints, pool->taints,
                          /* prefer_counts= */ false);
    if (taint == NULL) {
        return false;
    }
    say(v, MISS_TAINT, "TAINT_NOT_TOLERATED", reason_taint_text(x, need, taint));
    return true;
}

/* ---- resources, limits, variety */

/* Offers of the pool that the masks admit, and of those that hold the pod: how many can be had. */
struct supply {
    uint32_t n_admitted, n_roomy, n_fitting, n_usable;
};

static struct supply count_supply(const struct explainer *x, uint32_t need_i, const int64_t *size,
                                  uint32_t pool_i)
{
    const struct sched_mask *mask = &x->masks.v[x->masks.of_need[need_i]];
    struct supply supply = {.n_admitted = 0};
    for (uint32_t k = x->dims->pool_from[pool_i]; k < x->dims->pool_from[pool_i + 1]; k++) {
        if (!bits_get(mask->cells, x->offers->v[k].cell_i)) {
            continue;
        }
        supply.n_admitted++;
        if (!bits_get(x->dims->roomy, k)) {
            continue;
        }
        supply.n_roomy++;
        if (sched_dims_fit(x->dims, size, x->dims->offer_capacity + (size_t)k * x->dims->n)) {
            supply.n_fitting++;
            supply.n_usable += bits_get(x->dims->usable, k);
        }
    }
    return supply;
}

static bool judge_room(const struct explainer *x, uint32_t need_i, uint32_t pool_i,
                       struct verdict *v)
{
    const struct sched_need *need = &x->needs.v[need_i];
    int64_t size[BP_MAX_DIMS];
    sched_dims_size(x->dims, need, size);
    struct supply supply = count_supply(x, need_i, size, pool_i);
    if (supply.n_admitted == 0) {
        say(v, MISS_PORT, "HOST_PORT_TAKEN",
            STR("a DaemonSet takes a host port of the pod on every node of the NodePool that it "
                "could use"));
        return true;
    }
    if (supply.n_roomy == 0) {
        say(v, MISS_RESOURCES, "DAEMONSETS_TOO_BIG",
            STR("the DaemonSets alone do not fit on any instance type that the pod could use"));
        return true;
    }
    if (supply.n_fitting == 0) {
        say(v, MISS_RESOURCES, "RESOURCE_NOT_OFFERED", reason_room_text(x, need_i, size, pool_i));
        return true;
    }
    if (supply.n_usable == 0) {
        say(v, MISS_LIMIT, "LIMIT_EXHAUSTED", reason_limit_text(x, need_i, size, pool_i));
        return true;
    }
    return false;
}

/* ---- what is left: minValues, limits used up by the plan itself, rules between pods */

static struct str rules_text(const struct explainer *x, uint32_t pending_i)
{
    const struct sched_problem *p = x->a->problem;
    uint32_t need_i = pending_i == SCHED_NONE ? SCHED_NONE : p->needs.of_pod[pending_i];
    struct strbuf text = strbuf_new(x->a->arena, 4096);
    for (uint32_t r = 0; need_i != SCHED_NONE && r < p->rules.n; r++) {
        const struct sched_rule *rule = &p->rules.v[r];
        bool carried = bits_get(rule->carriers, need_i);
        if (rule->volume != SCHED_NONE && carried) {
            strbuf_addf(&text,
                        "%sclaim " STR_FMT
                        " is shared with other pods, and its volume will exist in one zone",
                        text.n > 0 ? "; " : "",
                        STR_ARG(sched_volume_text(x->s->volumes, rule->volume, x->scratch)));
        } else if (carried || (rule->kind == SCHED_APART && bits_get(rule->targets, need_i))) {
            strbuf_addf(&text, "%s" STR_FMT "%s", text.n > 0 ? "; " : "",
                        STR_ARG(sched_rule_text(x->s->vocab, rule, x->scratch)),
                        carried ? "" : " of other pods");
        }
    }
    return strbuf_str(&text);
}

/* A required pod affinity that no pod of the cluster is there to meet: with its selector, or empty.
 * Other pods are not to blame then. */
static struct str lonely_text(const struct explainer *x, uint32_t pending_i)
{
    const struct sched_problem *p = x->a->problem;
    const uint32_t need_i = pending_i == SCHED_NONE ? SCHED_NONE : p->needs.of_pod[pending_i];
    for (uint32_t r = 0; need_i != SCHED_NONE && r < p->rules.n; r++) {
        const struct sched_rule *rule = &p->rules.v[r];
        if (rule->kind == SCHED_TOGETHER && rule->volume == SCHED_NONE && rule->required &&
            bits_get(rule->carriers, need_i) && rule->targets_at == NULL &&
            bits_next(rule->targets, p->needs.n, 0) >= p->needs.n) {
            return reason_affinity_text(x, x->s->pending[pending_i], rule->key);
        }
    }
    return STR_EMPTY;
}

static void judge_rest(const struct explainer *x, uint32_t need_i, uint32_t pending_i,
                       uint32_t pool_i, struct verdict *v)
{
    const struct sched_pool *pool = &x->s->pools[pool_i];
    uint32_t tier = SCHED_TIER_NONE;
    bool running = false;
    struct strbuf text = strbuf_new(x->a->arena, 8192);
    int64_t size[BP_MAX_DIMS];
    sched_dims_size(x->dims, &x->needs.v[need_i], size);
    sched_mask_alone(&x->masks, x->dims, &x->needs, need_i, pool->tier, x->scratch, &tier,
                     &running);
    struct str rules = rules_text(x, pending_i);
    if (tier != pool->tier) {
        say(v, MISS_VARIETY, "MIN_VALUES_NOT_MET", reason_variety_text(x, need_i, size, pool_i));
        return;
    }
    struct str lonely = lonely_text(x, pending_i);
    if (lonely.n > 0) {
        say(v, MISS_RULES, "POD_RULES", lonely);
        return;
    }
    if (rules.n > 0) {
        strbuf_addf(
            &text,
            "alone it would fit, but its place is ruled out together with other pods: " STR_FMT,
            STR_ARG(rules));
        say(v, MISS_RULES, "POD_RULES", strbuf_str(&text));
        return;
    }
    if (pool->limits_left.n > 0) {
        strbuf_addf(&text,
                    "other pods of this plan use up what the limits of the NodePool leave (" STR_FMT
                    ")",
                    STR_ARG(reason_limits_left(x, pool_i)));
        say(v, MISS_LIMIT, "LIMIT_USED_UP", strbuf_str(&text));
        return;
    }
    struct str reservations = reason_reservations(x, need_i, size, pool_i);
    if (reservations.n > 0) {
        strbuf_addf(&text,
                    "other pods of this plan use up the capacity reservations that could hold it "
                    "(" STR_FMT ")",
                    STR_ARG(reservations));
        say(v, MISS_LIMIT, "NO_PLACE_FOUND", strbuf_str(&text));
        return;
    }
    say(v, MISS_RULES, "NO_PLACE_FOUND",
        STR("it fits alone, but the work allowed for this plan left it no place"));
}

static void judge_pool(const struct explainer *x, uint32_t need_i, uint32_t pending_i,
                       uint32_t pool_i, struct verdict *v)
{
    const struct sched_pool *pool = &x->s->pools[pool_i];
    const struct sched_need *need = &x->needs.v[need_i];
    v->pool_i = pool_i;
    v->reason.pool = pool->pool->meta.name;
    if (pool->code != NULL) {
        say(v, MISS_POOL, pool->code, str_copy(x->a->arena, pool->message));
        return;
    }
    if (judge_labels(x, need, pool_i, v) || judge_taints(x, need, pool_i, v) ||
        judge_room(x, need_i, pool_i, v)) {
        return;
    }
    judge_rest(x, need_i, pending_i, pool_i, v);
}

static int verdict_cmp(const void *a, const void *b)
{
    const struct verdict *x = a, *y = b;
    if (x->miss != y->miss) {
        return x->miss > y->miss ? -1 : 1;
    }
    return (x->pool_i > y->pool_i) - (x->pool_i < y->pool_i);
}

static void judge_pools(const struct explainer *x, uint32_t need_i, uint32_t pending_i,
                        struct plan_unplaced *ret)
{
    uint32_t n = x->s->n_pools;
    struct plan_reason *reasons = ARENA_ARRAY(x->a->arena, struct plan_reason, n + 1);
    if (n == 0) {
        reasons[0] = (struct plan_reason){
            .code = STR("NO_NODEPOOL"),
            .message = STR("there is no NodePool, and no running node has a place for it")};
        ret->n_reasons = 1;
        ret->reasons = reasons;
        return;
    }
    struct verdict *verdicts = ARENA_ARRAY(x->scratch, struct verdict, n);
    for (uint32_t p = 0; p < n; p++) {
        judge_pool(x, need_i, pending_i, p, &verdicts[p]);
    }
    qsort(verdicts, n, sizeof *verdicts, verdict_cmp);
    for (uint32_t p = 0; p < n; p++) {
        reasons[p] = verdicts[p].reason;
    }
    ret->n_reasons = n;
    ret->reasons = reasons;
}

/* ---- all pods */

/* Everybody's last rung for the pods without a place; the others stay out. */
static struct sched_descent last_rungs(const struct explainer *x, const uint32_t *pods, uint32_t n,
                                       uint32_t *pending_of)
{
    const struct sched_snapshot *s = x->s;
    struct sched_descent descent = {.rung = ARENA_ARRAY(x->scratch, uint16_t, s->n_pending),
                                    .tier = ARENA_ARRAY(x->scratch, uint16_t, s->n_pending)};
    for (uint32_t i = 0; i < s->n_pending; i++) {
        descent.rung[i] = SCHED_RUNG_OUT;
        pending_of[s->pending[i]] = i;
    }
    for (uint32_t i = 0; i < n; i++) {
        if (s->pods[pods[i]].state == SCHED_POD_PENDING) {
            struct sched_ladder ladder =
                sched_ladder_of(x->scratch, s->cluster->pods[pods[i]].shape,
                                s->any_prefer_no_schedule, s->settings.ignore_preferences);
            descent.rung[pending_of[pods[i]]] = (uint16_t)ladder.n;
        }
    }
    return descent;
}

static struct plan_unplaced held_back(struct arena *arena)
{
    struct plan_reason *reason = ARENA_NEW(arena, struct plan_reason);
    *reason = (struct plan_reason){
        .code = STR("NO_ORDER_FOUND"),
        .message = STR("it fits alone, but with its rules and those of other pods no order was "
                       "found in which kube-scheduler would place it beside them; when this plan "
                       "runs, the next one may have a place for it")};
    return (struct plan_unplaced){.n_reasons = 1, .reasons = reason};
}

static void explain(struct explainer *x, const uint32_t *pods, uint32_t n,
                    const uint32_t *pending_of)
{
    const struct sched_snapshot *s = x->s;
    struct assembly *a = x->a;
    struct plan_unplaced *unplaced = ARENA_ARRAY(a->arena, struct plan_unplaced, n);
    struct plan_unplaced *of_need = ARENA_ARRAY(x->scratch, struct plan_unplaced, x->needs.n);
    for (uint32_t i = 0; i < n; i++) {
        const struct sched_pod *pod = &s->pods[pods[i]];
        if (pod->state == SCHED_POD_BLOCKED) {
            struct plan_reason *reason = ARENA_NEW(a->arena, struct plan_reason);
            *reason = (struct plan_reason){.code = str_of(pod->code),
                                           .message = str_copy(a->arena, pod->message)};
            unplaced[i] = (struct plan_unplaced){.n_reasons = 1, .reasons = reason};
        } else if (a->settings->held != NULL && a->settings->held[pods[i]]) {
            unplaced[i] = held_back(a->arena);
        } else {
            uint32_t need_i = x->needs.of_pod[pending_of[pods[i]]];
            if (of_need[need_i].reasons == NULL) {
                judge_pools(x, need_i, pending_of[pods[i]], &of_need[need_i]);
            }
            unplaced[i] = of_need[need_i];
        }
        unplaced[i].pod = pods[i];
    }
    a->plan->n_unplaced = n;
    a->plan->unplaced = unplaced;
}

bool reasons_add(struct assembly *a, const uint32_t *pods, uint32_t n, struct err *err)
{
    const struct sched_base *base = a->problem->base;
    struct arena scratch = ARENA_INIT;
    struct explainer x = {.a = a,
                          .s = base->snapshot,
                          .offers = base->offers,
                          .dims = &base->dims,
                          .scratch = &scratch};
    uint32_t *pending_of = ARENA_ARRAY(&scratch, uint32_t, x.s->cluster->n_pods);
    struct sched_descent descent = last_rungs(&x, pods, n, pending_of);
    bool good = sched_needs_new(x.s, &descent, &scratch, &x.needs, err);
    if (good) {
        sched_masks_new(x.offers, &base->kinds, &x.needs, &scratch, &x.masks);
        explain(&x, pods, n, pending_of);
    }
    arena_done(&scratch);
    return good;
}
