/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The disruption of a plan, replayed: may each node go for its reason
 * (https://karpenter.sh/docs/concepts/disruption/), does its NodePool's budget allow it, does every
 * PodDisruptionBudget allow the evictions one by one
 * (https://kubernetes.io/docs/concepts/workloads/pods/disruptions/), do the steps launch what they
 * need before they drain, and does what is called underutilized save money. */
#include "binpack/plan/check_world.h"

#include "base/arena.h"
#include "base/duration.h"

struct replay {
    struct check_world *world;
    const struct plan_disruption *d;
    const uint32_t *target;              /* [n_pods] */
    const struct karp_nodeclaim **claim; /* [cluster->n_nodes] NULL: not managed */
    const bool *unplaced;                /* [n_pods] the plan says that it has no place */
    bool *holds;                         /* [n_pods] the drain of its expired node waits for it */
    uint32_t *n_holds;                   /* [cluster->n_nodes] such pods */
    struct str *reason_of;               /* [cluster->n_nodes] empty: stays */
};

static bool refuse(const struct replay *r, uint32_t node, const char *why, struct err *err)
{
    return err_set(err, ERR_INTERNAL, "node " STR_FMT " may not be disrupted: %s",
                   STR_ARG(r->world->cluster->nodes[node].meta.name), why);
}

static bool is(struct str reason, const char *name)
{
    return str_eq(reason, str_of(name));
}

static const struct k8s_condition *
condition(const struct replay *r, const struct k8s_conditions *conditions, const char *type)
{
    strid id = strtab_find(r->world->tab, str_of(type));
    return id == STRID_NONE ? NULL : k8s_conditions_find(conditions, id);
}

static bool is_true(const struct replay *r, const struct k8s_condition *c)
{
    return c != NULL && c->status == r->world->words->s_true;
}

static void find_claims(struct replay *r)
{
    const struct k8s_cluster *c = r->world->cluster;
    struct strtab *ids = strtab_new(r->world->arena);
    uint32_t *of_id = ARENA_ARRAY(r->world->arena, uint32_t, c->n_nodeclaims + 1);
    for (uint32_t i = 0; i < c->n_nodeclaims; i++) {
        if (c->nodeclaims[i].provider_id.n > 0) {
            of_id[strtab_add(ids, c->nodeclaims[i].provider_id)] = i;
        }
    }
    for (uint32_t i = 0; i < c->n_nodes; i++) {
        strid id =
            c->nodes[i].provider_id.n == 0 ? STRID_NONE : strtab_find(ids, c->nodes[i].provider_id);
        r->claim[i] = id == STRID_NONE ? NULL : &c->nodeclaims[of_id[id]];
        for (uint32_t k = 0; r->claim[i] == NULL && k < c->n_nodeclaims; k++) {
            bool named = str_eq(c->nodeclaims[k].node_name, c->nodes[i].meta.name);
            r->claim[i] = named ? &c->nodeclaims[k] : NULL;
        }
    }
}

static const struct karp_nodepool *pool_of(const struct replay *r, uint32_t node)
{
    strid name = r->world->nodes[node].pool;
    for (uint32_t i = 0; name != STRID_EMPTY && i < r->world->cluster->n_nodepools; i++) {
        const struct karp_nodepool *pool = &r->world->cluster->nodepools[i];
        if (str_eq(pool->meta.name, strtab_str(r->world->tab, name))) {
            return pool;
        }
    }
    return NULL;
}

/* ---- pods ---- */

static bool is_over(const struct k8s_pod *pod)
{
    return pod->phase == K8S_SUCCEEDED || pod->phase == K8S_FAILED;
}

/* karpenter.sh/do-not-disrupt: "true", or a duration since the start that has not passed. */
static bool asks_for_peace(const struct replay *r, const struct k8s_pod *pod)
{
    strid value = k8s_pairs_get(&pod->shape->annotations, r->world->words->do_not_disrupt);
    struct str text = value == STRID_NONE ? STR_EMPTY : strtab_str(r->world->tab, value);
    int64_t ms = 0;
    struct err ignored;
    if (str_eq(text, STR("true"))) {
        return true;
    }
    return text.n > 0 && duration_parse(text, &ms, &ignored) && ms > 0 &&
           (!pod->started.has || r->world->plan->now - pod->started.v < ms);
}

/* Why the eviction API, or the pod itself, would not let it go now; NULL: it goes. */
static const char *pod_holds(const struct replay *r, const struct k8s_pod *pod)
{
    const struct k8s_cluster *c = r->world->cluster;
    strid key = strtab_find(r->world->tab, STR("karpenter.sh/disrupted"));
    struct k8s_taint taint = {.key = key, .value = STRID_EMPTY, .effect = K8S_NO_SCHEDULE};
    uint32_t n = 0;
    bool closed = false;
    if (is_over(pod) || pod->deleted.has) {
        return NULL;
    }
    if (asks_for_peace(r, pod)) {
        return "a pod on it is annotated karpenter.sh/do-not-disrupt";
    }
    if (k8s_pod_is_static(r->world->words, pod->shape) ||
        k8s_tolerates(pod->shape->tolerations, pod->shape->n_tolerations, &taint)) {
        return NULL; /* It is not evicted. */
    }
    for (uint32_t i = 0; i < c->n_pdbs; i++) {
        const struct k8s_pdb *pdb = &c->pdbs[i];
        if (pdb->meta.ns == pod->ns &&
            check_selector(r->world, &pdb->selector, &pod->shape->labels)) {
            bool free = pdb->always_allow_unhealthy && pod->unready;
            n++;
            closed = closed ||
                     (!free && !(pdb->disruptions_allowed.has && pdb->disruptions_allowed.v > 0));
        }
    }
    return n > 1    ? "two PodDisruptionBudgets cover a pod on it"
           : closed ? "a PodDisruptionBudget allows no disruption of a pod on it"
                    : NULL;
}

/* maxUnavailable 0 or 0%, minAvailable 100%: it allows no eviction, ever. */
static bool never_opens(const struct k8s_pdb *pdb)
{
    const struct k8s_int_or_percent *most = &pdb->max_unavailable, *least = &pdb->min_available;
    return (most->present && most->value == 0) ||
           (least->present && least->is_percent && least->value == 100);
}

/* Would a drain wait for the pod for ever? It waits for what is evicted and asks for peace, or
 * whose eviction is never allowed. */
static bool holds_drain(const struct replay *r, const struct k8s_pod *pod)
{
    const struct k8s_cluster *c = r->world->cluster;
    strid key = strtab_find(r->world->tab, STR("karpenter.sh/disrupted"));
    struct k8s_taint taint = {.key = key, .value = STRID_EMPTY, .effect = K8S_NO_SCHEDULE};
    uint32_t n = 0, n_closed = 0;
    if (is_over(pod) || pod->deleted.has || k8s_pod_is_static(r->world->words, pod->shape) ||
        k8s_tolerates(pod->shape->tolerations, pod->shape->n_tolerations, &taint)) {
        return false;
    }
    for (uint32_t i = 0; i < c->n_pdbs; i++) {
        const struct k8s_pdb *pdb = &c->pdbs[i];
        if (pdb->meta.ns == pod->ns &&
            check_selector(r->world, &pdb->selector, &pod->shape->labels)) {
            n++;
            n_closed += never_opens(pdb) && !(pdb->always_allow_unhealthy && pod->unready);
        }
    }
    return asks_for_peace(r, pod) || n > 1 || n_closed > 0;
}

/* A pod that would need a new place. */
static bool comes_back(const struct replay *r, const struct k8s_pod *pod)
{
    return !is_over(pod) && !k8s_pod_of_daemonset(r->world->words, pod->shape) &&
           !k8s_pod_is_static(r->world->words, pod->shape) &&
           (!pod->deleted.has || k8s_pod_of_statefulset(r->world->words, pod->shape));
}

/* Nothing stops an expired node, but its pods are not lost: they move, are said to have no place,
 * or the node waits for them. */
static bool check_expired(struct replay *r, uint32_t pod_i, struct err *err)
{
    const struct k8s_pod *pod = &r->world->cluster->pods[pod_i];
    const uint32_t node = r->world->node_of[pod_i];
    r->holds[pod_i] = !r->claim[node]->termination_grace.has && holds_drain(r, pod);
    r->n_holds[node] += r->holds[pod_i];
    if (r->holds[pod_i] || !comes_back(r, pod) || r->target[pod_i] != UINT32_MAX ||
        r->unplaced[pod_i] || check_refuses_managed(r->world, pod_i)) {
        return true;
    }
    return err_set(err, ERR_INTERNAL,
                   "pod " STR_FMT "/" STR_FMT " on expired node " STR_FMT
                   " has no new place and is not said to have none",
                   STR_ARG(strtab_str(r->world->tab, pod->ns)), STR_ARG(pod->name),
                   STR_ARG(r->world->cluster->nodes[node].meta.name));
}

static bool check_pods(struct replay *r, struct err *err)
{
    for (uint32_t i = 0; i < r->world->cluster->n_pods; i++) {
        const struct k8s_pod *pod = &r->world->cluster->pods[i];
        uint32_t node = r->world->node_of[i];
        if (node == UINT32_MAX || node >= r->world->cluster->n_nodes || r->reason_of[node].n == 0) {
            continue;
        }
        if (is(r->reason_of[node], "Expired")) {
            if (!check_expired(r, i, err)) {
                return false;
            }
            continue;
        }
        const char *why = pod_holds(r, pod);
        bool waived = is(r->reason_of[node], "Drifted") && r->claim[node]->termination_grace.has;
        if (why != NULL && !waived) {
            return refuse(r, node, why, err);
        }
        if (is(r->reason_of[node], "Empty") && comes_back(r, pod)) {
            return refuse(r, node, "it is called empty and has pods", err);
        }
        if (comes_back(r, pod) && r->target[i] == UINT32_MAX &&
            (why == NULL || !plan_is_emulated(r->world->plan))) {
            return refuse(r, node, "a pod on it has no other place", err);
        }
    }
    return true;
}

/* ---- nodes ---- */

/* The Node's own word counts; where it says nothing, that of its NodeClaim. */
static bool annotated(const struct replay *r, const struct k8s_node *node,
                      const struct karp_nodeclaim *claim)
{
    const strid key = r->world->words->do_not_disrupt;
    const strid own = k8s_pairs_get(&node->meta.annotations, key);
    const strid value = own != STRID_NONE ? own : k8s_pairs_get(&claim->meta.annotations, key);
    return value != STRID_NONE && str_eq(strtab_str(r->world->tab, value), STR("true"));
}

/* Did a pod come or go within the pool's consolidateAfter? */
static bool restless(const struct replay *r, const struct karp_nodeclaim *claim,
                     const struct karp_nodepool *pool)
{
    const struct k8s_condition *up = condition(r, &claim->conditions, "Initialized");
    struct opt_wall last =
        claim->last_pod_event.has || up == NULL ? claim->last_pod_event : up->changed;
    return pool->consolidate_after.has && is_true(r, up) && last.has &&
           r->world->plan->now - last.v < pool->consolidate_after.ms;
}

static const char *unsettled(const struct replay *r, const struct karp_nodeclaim *claim,
                             const struct karp_nodepool *pool)
{
    const struct k8s_condition *c = condition(r, &claim->conditions, "Consolidatable");
    if (pool->consolidate_after.never) {
        return "its NodePool does not consolidate";
    }
    if (c != NULL ? !is_true(r, c) : restless(r, claim, pool)) {
        return "consolidateAfter has not passed";
    }
    return NULL;
}

static const char *node_holds(const struct replay *r, uint32_t node)
{
    const struct k8s_node *n = &r->world->cluster->nodes[node];
    const struct karp_nodeclaim *claim = r->claim[node];
    const struct karp_nodepool *pool = pool_of(r, node);
    struct str reason = r->reason_of[node];
    if (claim == NULL) {
        return "no NodeClaim manages it";
    }
    if (n->meta.deleted.has || claim->meta.deleted.has ||
        is_true(r, condition(r, &claim->conditions, "InstanceTerminating"))) {
        return "it is being deleted already";
    }
    if (is(reason, "Expired")) {
        bool over = claim->expire_after.has && !claim->expire_after.never &&
                    claim->meta.created.has &&
                    r->world->plan->now - claim->meta.created.v >= claim->expire_after.ms;
        return over ? NULL : "it has not expired";
    }
    if (!r->world->nodes[node].initialized) {
        return "it is not initialized";
    }
    if (annotated(r, n, claim)) {
        return "it is annotated karpenter.sh/do-not-disrupt";
    }
    if (pool == NULL || pool->replicas.has) {
        return pool == NULL ? "its NodePool does not exist" : "its NodePool is static";
    }
    if (is(reason, "Drifted")) {
        bool drifted = is_true(r, condition(r, &claim->conditions, "Drifted"));
        return drifted || r->world->settings->drift_is_detected ? NULL : "it has not drifted";
    }
    if (is(reason, "Underutilized") && pool->consolidation == KARP_WHEN_EMPTY) {
        return "its NodePool consolidates empty nodes only";
    }
    return unsettled(r, claim, pool);
}

static bool check_nodes(struct replay *r, struct err *err)
{
    for (uint32_t c = 0; c < r->d->n_commands; c++) {
        const struct plan_command *command = &r->d->commands[c];
        for (uint32_t i = 0; i < command->n_nodes; i++) {
            uint32_t node = command->nodes[i];
            if (node >= r->world->cluster->n_nodes || r->reason_of[node].n > 0) {
                return err_set(err, ERR_INTERNAL, "the plan disrupts a node twice, or none");
            }
            r->reason_of[node] = command->reason;
            const char *why = node_holds(r, node);
            if (why != NULL) {
                return refuse(r, node, why, err);
            }
        }
    }
    return true;
}

/* ---- budgets: every node that goes counts for every reason ---- */

enum { N_COUNTED = 3 };
static const char *const counted[N_COUNTED] = {"Empty", "Drifted", "Underutilized"};

/* What is left of the pool's budgets by reason before the plan; INT64_MAX: no end. */
static void allowances(const struct replay *r, uint32_t pool_i, int64_t ret_left[N_COUNTED])
{
    const struct k8s_cluster *c = r->world->cluster;
    int64_t total = 0, going = 0;
    for (uint32_t i = 0; i < c->n_nodes; i++) {
        const struct karp_nodeclaim *claim = r->claim[i];
        if (claim == NULL || pool_of(r, i) != &c->nodepools[pool_i] ||
            !r->world->nodes[i].initialized ||
            is_true(r, condition(r, &claim->conditions, "InstanceTerminating"))) {
            continue;
        }
        const struct k8s_condition *ready = condition(r, &c->nodes[i].conditions, "Ready");
        bool leaves = c->nodes[i].meta.deleted.has || claim->meta.deleted.has;
        total++;
        going += (ready != NULL && !is_true(r, ready)) || leaves;
    }
    for (int k = 0; k < N_COUNTED; k++) {
        int64_t allows =
            check_budget_allows(r->world, &c->nodepools[pool_i], str_of(counted[k]), total);
        ret_left[k] = allows == INT64_MAX ? allows : allows > going ? allows - going : 0;
    }
}

/* Nodes go one after the other, and each counts for all reasons: some order is within the budgets
 * when the one from the tightest reason to the widest is. */
static bool check_budgets(const struct replay *r, struct err *err)
{
    const struct k8s_cluster *c = r->world->cluster;
    for (uint32_t p = 0; p < c->n_nodepools; p++) {
        int64_t left[N_COUNTED], n[N_COUNTED] = {0};
        uint32_t last[N_COUNTED] = {0};
        for (uint32_t i = 0; i < c->n_nodes; i++) {
            for (int k = 0; k < N_COUNTED; k++) {
                bool mine = is(r->reason_of[i], counted[k]) && pool_of(r, i) == &c->nodepools[p];
                n[k] += mine;
                last[k] = mine ? i : last[k];
            }
        }
        if (n[0] + n[1] + n[2] == 0) {
            continue;
        }
        allowances(r, p, left);
        for (int k = 0; k < N_COUNTED; k++) {
            int64_t before = 0;
            for (int other = 0; other < N_COUNTED; other++) {
                before += left[other] <= left[k] ? n[other] : 0;
            }
            if (n[k] > 0 && left[k] != INT64_MAX && before > left[k]) {
                return refuse(r, last[k], "the disruption budget of its NodePool is used up", err);
            }
        }
    }
    return true;
}

/* ---- steps ---- */

static bool check_step(const struct replay *r, const struct plan_step *step, bool *launched,
                       bool *drained, bool *moved, struct err *err)
{
    for (uint32_t i = 0; i < step->n_launch; i++) {
        if (step->launch[i] >= r->world->plan->n_nodes || launched[step->launch[i]]) {
            return err_set(err, ERR_INTERNAL, "a step launches a new node twice, or none");
        }
        launched[step->launch[i]] = true;
    }
    if (step->node >= r->world->cluster->n_nodes || drained[step->node] ||
        r->reason_of[step->node].n == 0) {
        return err_set(err, ERR_INTERNAL, "a step drains a node that stays, or is drained already");
    }
    drained[step->node] = true;
    for (uint32_t i = 0; i < step->n_pods; i++) {
        uint32_t pod = step->pods[i];
        if (pod >= r->world->cluster->n_pods || moved[pod] ||
            r->world->node_of[pod] != step->node || r->target[pod] == UINT32_MAX) {
            return refuse(r, step->node, "its step moves a pod that is not there or has no place",
                          err);
        }
        moved[pod] = true;
        uint32_t to = r->target[pod];
        if (to >= r->world->n_running && !launched[to - r->world->n_running]) {
            return refuse(r, step->node, "a pod moves to a new node before that is launched", err);
        }
    }
    return true;
}

/* A step says for which pods its node waits: for all of them, and each once. */
static bool check_waits(const struct replay *r, const struct plan_step *step, struct err *err)
{
    bool good = step->n_waits == r->n_holds[step->node];
    for (uint32_t i = 0; i < step->n_waits && good; i++) {
        const uint32_t pod = step->waits[i];
        good = pod < r->world->cluster->n_pods && r->holds[pod] &&
               r->world->node_of[pod] == step->node && (i == 0 || pod != step->waits[i - 1]);
    }
    return good || refuse(r, step->node, "its step does not say for which pods it waits", err);
}

static bool check_steps(const struct replay *r, struct err *err)
{
    const struct k8s_cluster *c = r->world->cluster;
    bool *launched = ARENA_ARRAY(r->world->arena, bool, r->world->plan->n_nodes);
    bool *drained = ARENA_ARRAY(r->world->arena, bool, c->n_nodes);
    bool *moved = ARENA_ARRAY(r->world->arena, bool, c->n_pods);
    for (uint32_t s = 0; s < r->d->n_steps; s++) {
        if (!check_step(r, &r->d->steps[s], launched, drained, moved, err) ||
            !check_waits(r, &r->d->steps[s], err)) {
            return false;
        }
    }
    for (uint32_t i = 0; i < c->n_nodes; i++) {
        if (r->reason_of[i].n > 0 && !drained[i]) {
            return refuse(r, i, "no step drains it", err);
        }
    }
    for (uint32_t i = 0; i < c->n_pods; i++) {
        uint32_t node = r->world->node_of[i];
        bool goes = node != UINT32_MAX && node < c->n_nodes && r->reason_of[node].n > 0;
        if (goes && r->target[i] != UINT32_MAX && !moved[i]) {
            return refuse(r, node, "no step moves a pod that has a new place", err);
        }
    }
    return true;
}

/* ---- where pods of consolidated nodes may not go ---- */

static bool check_targets(const struct replay *r, struct err *err)
{
    for (uint32_t i = 0; i < r->world->cluster->n_pods; i++) {
        uint32_t node = r->world->node_of[i], to = r->target[i];
        if (node == UINT32_MAX || node >= r->world->cluster->n_nodes || to == UINT32_MAX ||
            to >= r->world->n_running || !is(r->reason_of[node], "Underutilized")) {
            continue;
        }
        const struct check_node *there = &r->world->nodes[to];
        bool has_claim = to < r->world->cluster->n_nodes && r->claim[to] != NULL;
        const struct karp_nodepool *pool = has_claim ? pool_of(r, to) : NULL;
        if (there->managed && !there->initialized) {
            return refuse(r, node, "a pod would move to a node that is not initialized", err);
        }
        if (pool != NULL && !pool->consolidate_after.never && restless(r, r->claim[to], pool)) {
            return refuse(r, node, "a pod would move into another node's consolidateAfter window",
                          err);
        }
    }
    return true;
}

/* ---- money ---- */

static bool old_price(const struct replay *r, uint32_t node, usd_t *ret_price)
{
    const struct check_world *w = r->world;
    const struct k8s_pairs *labels = &w->nodes[node].labels;
    strid type = k8s_pairs_get(labels, w->words->instance_type);
    strid zone = k8s_pairs_get(labels, w->words->zone);
    strid capacity = k8s_pairs_get(labels, w->words->capacity_type);
    const struct cat_type *t = type == STRID_NONE ? NULL : cat_find(w->catalog, w->tab, type);
    for (uint32_t k = 0; t != NULL && k < t->n_offerings; k++) {
        const struct cat_offering *o = &t->offerings[k];
        bool same_capacity = o->capacity_type == CAT_SPOT       ? capacity == w->words->spot
                             : o->capacity_type == CAT_RESERVED ? capacity == w->words->reserved
                                                                : capacity == w->words->on_demand;
        if (same_capacity && o->price.has && w->catalog->zones[o->zone_i].name == zone &&
            (o->capacity_type != CAT_RESERVED ||
             o->reservation_id == k8s_pairs_get(labels, w->words->reservation_id))) {
            *ret_price = check_overlaid_price(w, o->price.v, labels);
            return true;
        }
    }
    *ret_price = 0;
    return false;
}

static bool all_spot(const struct replay *r, const struct plan_command *c)
{
    for (uint32_t i = 0; i < c->n_nodes; i++) {
        if (k8s_pairs_get(&r->world->nodes[c->nodes[i]].labels, r->world->words->capacity_type) !=
            r->world->words->spot) {
            return false;
        }
    }
    return true;
}

static bool check_money(const struct replay *r, struct err *err)
{
    bool *named = ARENA_ARRAY(r->world->arena, bool, r->world->plan->n_nodes);
    for (uint32_t k = 0; k < r->d->n_commands; k++) {
        const struct plan_command *c = &r->d->commands[k];
        usd_t before = 0, after = 0, price;
        bool known = true, new_spot = false;
        for (uint32_t i = 0; i < c->n_nodes; i++) {
            known = old_price(r, c->nodes[i], &price) && known;
            before = sat_add(before, r->n_holds[c->nodes[i]] > 0 ? 0 : price);
        }
        for (uint32_t i = 0; i < c->n_with; i++) {
            if (c->with[i] >= r->world->plan->n_nodes || named[c->with[i]]) {
                return refuse(r, c->nodes[0], "a replacement is named twice, or is none", err);
            }
            named[c->with[i]] = true;
            const struct plan_node *fresh = &r->world->plan->nodes[c->with[i]];
            after = sat_add(after, fresh->price);
            new_spot = new_spot || fresh->capacity_type == CAT_SPOT;
        }
        if (c->saves != before - after) {
            return refuse(r, c->nodes[0], "the savings stated are not those of the prices", err);
        }
        if (!is(c->reason, "Underutilized")) {
            continue;
        }
        if (!known || after >= before) {
            return refuse(r, c->nodes[0], known ? "going saves nothing" : "its price is unknown",
                          err);
        }
        if (new_spot && all_spot(r, c) && !r->world->settings->spot_to_spot) {
            return refuse(r, c->nodes[0], "spot would be replaced by spot, which is not enabled",
                          err);
        }
    }
    return true;
}

/* The sums that people read first, against the rest of the plan. */
static bool check_figures(const struct replay *r, struct err *err)
{
    const struct plan_disruption *d = r->d;
    const struct plan *plan = r->world->plan;
    bool *replaces = ARENA_ARRAY(r->world->arena, bool, plan->n_nodes);
    usd_t saves = 0, merges = 0, pending = 0;
    uint32_t moved = 0;
    for (uint32_t k = 0; k < d->n_commands; k++) {
        const struct plan_command *c = &d->commands[k];
        saves = sat_add(saves, c->saves);
        merges = sat_add(merges,
                         is(c->reason, "Empty") || is(c->reason, "Underutilized") ? c->saves : 0);
        for (uint32_t i = 0; i < c->n_with; i++) {
            replaces[c->with[i]] = true; /* check_money has seen that it is there. */
        }
    }
    for (uint32_t i = 0; i < plan->n_nodes; i++) {
        pending = sat_add(pending, replaces[i] ? 0 : plan->nodes[i].price);
    }
    for (uint32_t s = 0; s < d->n_steps; s++) {
        moved += d->steps[s].n_pods;
    }
    const struct {
        const char *what;
        int64_t stated, is;
    } rows[] = {
        {"savingsUsdPerHour", d->saves, saves},
        {"consolidationSavingsUsdPerHour", d->consolidation_saves, merges},
        {"movedPods", d->n_moved, moved},
        {"pendingUsdPerHour", d->figures_known ? d->pending_cost : pending, pending},
        {"afterUsdPerHour", d->figures_known ? d->after : 0,
         d->figures_known ? sat_add(sat_sub(d->running, saves), pending) : 0},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        if (rows[i].stated != rows[i].is) {
            return err_set(err, ERR_INTERNAL, "disruption.%s is not what the rest of the plan says",
                           rows[i].what);
        }
    }
    return true;
}

static const bool *find_unplaced(const struct check_world *world)
{
    bool *unplaced = ARENA_ARRAY(world->arena, bool, world->cluster->n_pods);
    for (uint32_t i = 0; i < world->plan->n_unplaced; i++) {
        if (world->plan->unplaced[i].pod < world->cluster->n_pods) {
            unplaced[world->plan->unplaced[i].pod] = true;
        }
    }
    return unplaced;
}

bool check_disruption(struct check_world *world, const uint32_t *target, struct err *err)
{
    const struct k8s_cluster *c = world->cluster;
    struct replay r = {.world = world, .d = world->plan->disruption, .target = target};
    if (r.d == NULL) {
        return true;
    }
    r.claim = ARENA_ARRAY(world->arena, const struct karp_nodeclaim *, c->n_nodes);
    r.reason_of = ARENA_ARRAY(world->arena, struct str, c->n_nodes);
    r.holds = ARENA_ARRAY(world->arena, bool, c->n_pods);
    r.n_holds = ARENA_ARRAY(world->arena, uint32_t, c->n_nodes);
    r.unplaced = find_unplaced(world);
    find_claims(&r);
    return check_nodes(&r, err) && check_pods(&r, err) && check_budgets(&r, err) &&
           check_steps(&r, err) && check_targets(&r, err) && check_money(&r, err) &&
           check_figures(&r, err);
}
