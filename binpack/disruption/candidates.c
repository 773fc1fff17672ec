/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "binpack/disruption/candidates.h"

#include "base/arena.h"
#include "base/bitset.h"
#include "base/number.h"
#include "binpack/disruption/drift.h"
#include "binpack/scheduling/eligibility.h"
#include "binpack/scheduling/protect.h"
#include "binpack/scheduling/running.h"
#include "k8s/annotations.h"
#include "k8s/selector.h"

#define PPM INT64_C(1000000)

static const char blocked[] = "DisruptionBlocked", unconsolidatable[] = "Unconsolidatable",
                  not_asked[] = "";

struct judge {
    const struct sched_snapshot *s;
    const struct sched_offers *offers;
    const struct disrupt_settings *settings;
    struct arena *arena;
    strid safe_to_evict, disrupted, consolidatable, initialized, drifted, terminating;
    struct strtab *nominated; /* names of nodes that pods are nominated for */
};

/* Why a pod may not be evicted. */
struct pod_why {
    struct str text; /* empty: it may */
    enum disrupt_blocker blocker;
};

/* One node in work. */
struct subject {
    const struct sched_machine *machine;
    const struct sched_node *node; /* NULL: deleting */
    const struct karp_nodepool *pool;
    struct disrupt_node *out;
};

static void say(struct disrupt_verdict *verdict, const char *event, enum disrupt_blocker blocker,
                struct strbuf *text)
{
    *verdict =
        (struct disrupt_verdict){.event = event, .message = strbuf_str(text), .blocker = blocker};
}

static void say_all(struct subject *x, const char *event, enum disrupt_blocker blocker,
                    struct str text)
{
    for (int r = 0; r < DISRUPT_N_REASONS; r++) {
        if (r != DISRUPT_EXPIRED) {
            x->out->verdict[r] =
                (struct disrupt_verdict){.event = event, .message = text, .blocker = blocker};
        }
    }
}

static bool condition_is(const struct judge *j, const struct k8s_conditions *conditions, strid type,
                         const struct k8s_condition **ret_found)
{
    const struct k8s_condition *c =
        type == STRID_NONE ? NULL : k8s_conditions_find(conditions, type);
    *ret_found = c;
    return c != NULL && c->status == j->s->words->s_true;
}

/* What the Node says comes before what its NodeClaim says (karp: StateNode.Annotations). */
static bool annotated(const struct judge *j, const struct sched_machine *m)
{
    strid value = k8s_pairs_get(&m->node->meta.annotations, j->s->words->do_not_disrupt);
    if (value == STRID_NONE) {
        value = k8s_pairs_get(&m->claim->meta.annotations, j->s->words->do_not_disrupt);
    }
    return value != STRID_NONE && str_eq(strtab_str(j->s->tab, value), STR("true"));
}

/* Why the pool's instance types cannot be known, so that nothing of it can be disrupted; empty:
 * they can (karp: BuildNodePoolMap). Bare NodePools without any node class mean the defaults. */
static struct str class_trouble(const struct judge *j, const struct karp_nodepool *pool)
{
    const struct k8s_cluster *cluster = j->s->cluster;
    struct strbuf text = strbuf_new(j->arena, 1024);
    for (uint32_t i = 0; i < cluster->n_nodeclasses; i++) {
        const struct k8s_meta *meta = &cluster->nodeclasses[i].meta;
        if (!str_eq(meta->name, pool->class_ref.name)) {
            continue;
        }
        if (meta->deleted.has) {
            strbuf_addf(&text, "its node class \"" STR_FMT "\" is being deleted",
                        STR_ARG(meta->name));
        }
        return strbuf_str(&text);
    }
    if (pool->conditions.n > 0 || cluster->n_nodeclasses > 0) {
        strbuf_addf(&text, "its node class \"" STR_FMT "\" does not exist",
                    STR_ARG(pool->class_ref.name));
    }
    return strbuf_str(&text);
}

/* ---- what blocks a node as such */

static bool node_blocked(struct judge *j, struct subject *x)
{
    const struct sched_machine *m = x->machine;
    struct strbuf text = strbuf_new(j->arena, 1024);
    const char *why = NULL;
    enum disrupt_blocker blocker = BLOCKER_OTHER;
    if (m->claim == NULL) {
        why = "Node is not managed by a NodeClaim";
    } else if (m->node == NULL) {
        why = "NodeClaim does not have an associated node";
    } else if (m->goes) {
        why = "Node is deleting or marked for deletion";
    } else if (!x->node->initialized) {
        why = "Node isn't initialized";
    } else if (annotated(j, m)) {
        why = "Disruption is blocked through the \"karpenter.sh/do-not-disrupt\" annotation";
        blocker = BLOCKER_NODE_ANNOTATION;
    } else if (strtab_find(j->nominated, m->name) != STRID_NONE) {
        why = "Node is nominated for a pending pod";
    }
    strid pool =
        x->node == NULL ? STRID_NONE : k8s_pairs_get(&x->node->labels, j->s->words->nodepool);
    if (why == NULL && pool == STRID_NONE) {
        why = "Node does not have label \"karpenter.sh/nodepool\"";
    }
    if (why != NULL) {
        strbuf_addf(&text, "%s", why);
    } else if (x->pool == NULL) {
        strbuf_addf(&text, "NodePool not found (NodePool=" STR_FMT ")",
                    STR_ARG(strtab_str(j->s->tab, pool)));
    } else if (x->pool->replicas.has) {
        strbuf_addf(&text, "NodePool " STR_FMT " is static (spec.replicas)",
                    STR_ARG(x->pool->meta.name));
    } else {
        struct str trouble = class_trouble(j, x->pool);
        if (trouble.n == 0) {
            return false;
        }
        strbuf_addf(&text, "NodePool not found (NodePool=" STR_FMT "): " STR_FMT,
                    STR_ARG(x->pool->meta.name), STR_ARG(trouble));
    }
    say_all(x, blocked, blocker, strbuf_str(&text));
    return true;
}

/* ---- what blocks it through its pods */

static bool safe_says_no(const struct judge *j, const struct k8s_pod *pod)
{
    strid value = j->safe_to_evict == STRID_NONE
                      ? STRID_NONE
                      : k8s_pairs_get(&pod->shape->annotations, j->safe_to_evict);
    return j->settings->respect_safe_to_evict && value != STRID_NONE &&
           str_eq(strtab_str(j->s->tab, value), STR("false"));
}

/* Is the pod evicted at all when its node is drained? (karp: IsEvictable) */
static bool evicted(const struct judge *j, const struct k8s_pod *pod)
{
    struct k8s_taint taint = {.key = j->disrupted, .value = STRID_EMPTY, .effect = K8S_NO_SCHEDULE};
    return !k8s_pod_is_static(j->s->words, pod->shape) &&
           !k8s_tolerates(pod->shape->tolerations, pod->shape->n_tolerations, &taint);
}

/* The budgets over a pod. Returns how many; *ret_last one that allows nothing, else the last. */
static uint32_t budgets_of(const struct judge *j, const struct k8s_pod *pod,
                           const struct k8s_pdb **ret_closed, const struct k8s_pdb **ret_last)
{
    const struct k8s_cluster *cluster = j->s->cluster;
    uint32_t n = 0;
    *ret_closed = NULL;
    *ret_last = NULL;
    for (uint32_t i = 0; i < cluster->n_pdbs; i++) {
        const struct k8s_pdb *pdb = &cluster->pdbs[i];
        if (pdb->meta.ns != pod->ns || !k8s_selector_matches(&pdb->selector, &pod->shape->labels)) {
            continue;
        }
        n++;
        *ret_last = pdb;
        bool free = pdb->always_allow_unhealthy && pod->unready;
        bool open = pdb->disruptions_allowed.has && pdb->disruptions_allowed.v > 0;
        if (!free && !open) {
            *ret_closed = pdb;
        }
    }
    return n;
}

/* Why the pod may not be evicted now; false when it may. */
static bool pod_blocks(struct judge *j, const struct k8s_pod *pod, struct pod_why *ret_why)
{
    if (!sched_pod_counts(pod)) {
        return false;
    }
    struct str ns = strtab_str(j->s->tab, pod->ns);
    struct strbuf text = strbuf_new(j->arena, 2048);
    const struct k8s_pdb *closed, *last;
    enum disrupt_blocker blocker = BLOCKER_POD_ANNOTATION;
    if (sched_pod_do_not_disrupt(j->s->cluster, pod, j->settings->now)) {
        strbuf_addf(&text,
                    "Pod has \"karpenter.sh/do-not-disrupt\" annotation (Pod=" STR_FMT "/" STR_FMT
                    ")",
                    STR_ARG(ns), STR_ARG(pod->name));
    } else if (safe_says_no(j, pod)) {
        strbuf_addf(&text,
                    "Pod has \"cluster-autoscaler.kubernetes.io/safe-to-evict\": \"false\" "
                    "(Pod=" STR_FMT "/" STR_FMT ")",
                    STR_ARG(ns), STR_ARG(pod->name));
    } else if (!evicted(j, pod)) {
        return false;
    } else if (budgets_of(j, pod, &closed, &last) > 1) {
        blocker = BLOCKER_PDB;
        strbuf_addf(&text,
                    "Eviction does not support multiple PDBs (Pod=" STR_FMT "/" STR_FMT
                    ", PDB=" STR_FMT " and others)",
                    STR_ARG(ns), STR_ARG(pod->name), STR_ARG(last->meta.name));
    } else if (closed != NULL) {
        blocker = BLOCKER_PDB;
        strbuf_addf(&text,
                    "Pdb prevents pod evictions (PodDisruptionBudget=[" STR_FMT "/" STR_FMT "])",
                    STR_ARG(ns), STR_ARG(closed->meta.name));
    } else {
        return false;
    }
    *ret_why = (struct pod_why){.text = strbuf_str(&text), .blocker = blocker};
    return true;
}

/* Counts the pods that would move, and finds the first that holds the node. */
static bool pods_block(struct judge *j, struct subject *x, struct pod_why *ret_why)
{
    const struct k8s_cluster *cluster = j->s->cluster;
    const struct karp_nodeclaim *claim = x->machine->claim;
    const bool forced = claim == NULL || claim->termination_grace.has;
    const wall_t now = j->settings->now;
    bool blocks = false;
    x->out->move_cost = PPM;
    for (uint32_t i = 0; i < x->node->n_pods; i++) {
        const struct k8s_pod *pod = &cluster->pods[x->node->pods[i]];
        if (sched_pod_comes_back(j->s->vocab, pod)) {
            int64_t cost = disrupt_eviction_cost(cluster, pod);
            x->out->n_moving++;
            x->out->move_cost += cost > 0 ? cost : 0;
        }
        x->out->waits = x->out->waits || (!forced && sched_pod_holds_drain(cluster, pod, now));
        blocks = blocks || pod_blocks(j, pod, ret_why);
    }
    return blocks;
}

/* ---- price */

static enum cat_capacity_type capacity_type_of(const struct k8s_words *w, strid value)
{
    return value == w->spot ? CAT_SPOT : value == w->reserved ? CAT_RESERVED : CAT_ON_DEMAND;
}

/* Of the variants of its pool the node is the one whose choices its labels show. */
static struct opt_usd overlaid(const struct sched_offers *o, const struct sched_node *node,
                               uint32_t type_i, uint32_t offering_i, struct opt_usd plain)
{
    for (uint32_t v = 0; o->overlays != NULL && v < o->variants.n; v++) {
        const struct sched_variant *variant = &o->variants.v[v];
        bool mine = variant->pool_i == node->pool_i;
        for (uint32_t i = 0; i < variant->choice.n && mine; i++) {
            mine = k8s_pairs_get(&node->labels, variant->choice.v[i].key) ==
                   variant->choice.v[i].value;
        }
        if (mine) {
            return cat_overlays_price(o->overlays, v, type_i, offering_i);
        }
    }
    return plain;
}

struct opt_usd disrupt_price(const struct sched_offers *offers, const struct sched_snapshot *s,
                             const struct sched_node *node)
{
    const struct k8s_words *w = s->words;
    strid zone = k8s_pairs_get(&node->labels, w->zone);
    strid reservation = k8s_pairs_get(&node->labels, w->reservation_id);
    enum cat_capacity_type capacity =
        capacity_type_of(w, k8s_pairs_get(&node->labels, w->capacity_type));
    struct opt_usd price = {.has = false};
    for (uint32_t k = 0; node->type != NULL && k < node->type->n_offerings && !price.has; k++) {
        const struct cat_offering *o = &node->type->offerings[k];
        bool mine = o->capacity_type == capacity && s->catalog->zones[o->zone_i].name == zone &&
                    (o->capacity_type != CAT_RESERVED || o->reservation_id == reservation);
        if (mine) {
            price = overlaid(offers, node, (uint32_t)(node->type - s->catalog->types), k, o->price);
        }
    }
    return price;
}

/* The same for a node that may be consolidated, which needs its labels; why there is none. */
static struct opt_usd price_of(const struct judge *j, const struct sched_node *node,
                               struct strbuf *why)
{
    const struct k8s_words *w = j->s->words;
    strid type = k8s_pairs_get(&node->labels, w->instance_type);
    strid zone = k8s_pairs_get(&node->labels, w->zone);
    strid capacity = k8s_pairs_get(&node->labels, w->capacity_type);
    struct opt_usd price = {.has = false};
    if (node->type == NULL) {
        strbuf_addf(why, "Instance Type \"" STR_FMT "\" not found",
                    STR_ARG(strtab_str(j->s->tab, type)));
        return price;
    }
    if (capacity == STRID_NONE || zone == STRID_NONE) {
        strbuf_addf(why, "Node does not have label \"%s\"",
                    capacity == STRID_NONE ? "karpenter.sh/capacity-type"
                                           : "topology.kubernetes.io/zone");
        return price;
    }
    price = disrupt_price(j->offers, j->s, node);
    if (!price.has) {
        strbuf_addf(why, "No price is known for " STR_FMT " in " STR_FMT " as " STR_FMT,
                    STR_ARG(strtab_str(j->s->tab, type)), STR_ARG(strtab_str(j->s->tab, zone)),
                    STR_ARG(strtab_str(j->s->tab, capacity)));
    }
    return price;
}

/* ---- reasons */

static void judge_expired(struct judge *j, struct subject *x)
{
    const struct karp_nodeclaim *claim = x->machine->claim;
    struct disrupt_verdict *verdict = &x->out->verdict[DISRUPT_EXPIRED];
    bool over = claim != NULL && !x->machine->goes && claim->expire_after.has &&
                !claim->expire_after.never && claim->meta.created.has &&
                sat_sub(j->settings->now, claim->meta.created.v) >= claim->expire_after.ms;
    *verdict = (struct disrupt_verdict){.may = over && x->machine->node != NULL,
                                        .event = not_asked,
                                        .message = over ? STR_EMPTY : STR("Node has not expired")};
}

static void judge_drifted(struct judge *j, struct subject *x, const struct pod_why *pod_why)
{
    struct disrupt_verdict *verdict = &x->out->verdict[DISRUPT_DRIFTED];
    const struct k8s_condition *c;
    const struct karp_nodeclaim *claim = x->machine->claim;
    struct strbuf text = strbuf_new(j->arena, 1024);
    bool drifts = condition_is(j, &claim->conditions, j->drifted, &c);
    const char *found =
        drifts ? NULL : drift_detect(j->offers, x->machine, x->pool, j->settings->now);
    x->out->drifted_at = c != NULL && drifts ? c->changed : (struct opt_wall){.has = false};
    if (!drifts && found != NULL && !j->settings->detect_drift) {
        x->out->shows = found;
        strbuf_addf(&text, "%s, but the NodeClaim's condition Drifted is not set", found);
        say(verdict, not_asked, BLOCKER_OTHER, &text);
    } else if (!drifts && found == NULL) {
        strbuf_addf(&text, "Node has not drifted");
        say(verdict, not_asked, BLOCKER_OTHER, &text);
    } else if (pod_why->text.n > 0 && !claim->termination_grace.has) {
        *verdict = (struct disrupt_verdict){
            .event = blocked, .message = pod_why->text, .blocker = pod_why->blocker};
    } else {
        *verdict = (struct disrupt_verdict){.may = true, .event = not_asked};
    }
}

/* Whether consolidateAfter has passed; if not, `verdict` says why. */
static bool settled(struct judge *j, struct subject *x, struct disrupt_verdict *verdict)
{
    const struct k8s_condition *c, *up;
    const struct k8s_conditions *conditions = &x->machine->claim->conditions;
    struct strbuf text = strbuf_new(j->arena, 1024);
    enum disrupt_blocker blocker = BLOCKER_CONSOLIDATE_AFTER;
    bool ripe = condition_is(j, conditions, j->consolidatable, &c);
    bool initialized = condition_is(j, conditions, j->initialized, &up) || up != NULL;
    if (x->pool->consolidate_after.never) {
        blocker = BLOCKER_CONSOLIDATION_OFF;
        strbuf_addf(&text, "NodePool \"" STR_FMT "\" has consolidation disabled",
                    STR_ARG(x->pool->meta.name));
    } else if (c != NULL ? !ripe : !initialized || x->node->waits) {
        strbuf_addf(&text, "NodeClaim is not Consolidatable: consolidateAfter has not passed");
    } else {
        return true;
    }
    say(verdict, unconsolidatable, blocker, &text);
    return false;
}

static void judge_consolidation(struct judge *j, struct subject *x, const struct pod_why *pod_why)
{
    struct disrupt_verdict *empty = &x->out->verdict[DISRUPT_EMPTY];
    struct disrupt_verdict *under = &x->out->verdict[DISRUPT_UNDERUTILIZED];
    struct strbuf text = strbuf_new(j->arena, 1024);
    struct opt_usd price = price_of(j, x->node, &text);
    x->out->price = price;
    if (pod_why->text.n > 0) {
        *empty = *under = (struct disrupt_verdict){
            .event = blocked, .message = pod_why->text, .blocker = pod_why->blocker};
        return;
    }
    if (!settled(j, x, empty)) {
        *under = *empty;
        return;
    }
    if (x->out->n_moving == 0) {
        *empty = (struct disrupt_verdict){.may = true, .event = not_asked};
        *under = (struct disrupt_verdict){.event = not_asked, .message = STR("Node is empty")};
        return;
    }
    *empty = (struct disrupt_verdict){.event = not_asked, .message = STR("Node has pods to move")};
    if (x->pool->consolidation == KARP_WHEN_EMPTY) {
        strbuf_addf(&text,
                    "%sNodePool \"" STR_FMT
                    "\" has consolidation policy WhenEmpty, but node is not "
                    "empty",
                    text.n > 0 ? "; " : "", STR_ARG(x->pool->meta.name));
        say(under, unconsolidatable, BLOCKER_POLICY, &text);
    } else if (!price.has) {
        say(under, unconsolidatable, BLOCKER_OTHER, &text);
    } else {
        *under = (struct disrupt_verdict){.may = true, .event = not_asked};
    }
}

/* Reasons that the person did not ask for. */
static void leave_out(struct judge *j, struct subject *x)
{
    for (int r = 0; r < DISRUPT_N_REASONS; r++) {
        struct disrupt_verdict *verdict = &x->out->verdict[r];
        if (verdict->may && ((j->settings->reasons >> r) & 1U) == 0) {
            struct strbuf text = strbuf_new(j->arena, 256);
            strbuf_addf(&text, "Node may go as %s, which --reasons leaves out",
                        disrupt_reason_name((enum disrupt_reason)r));
            say(verdict, not_asked, BLOCKER_OTHER, &text);
        }
    }
}

static void count_for_budgets(struct judge *j, struct subject *x)
{
    const struct sched_machine *m = x->machine;
    const struct k8s_condition *c;
    strid up = m->node == NULL ? STRID_NONE
                               : k8s_pairs_get(&m->node->meta.labels, j->s->words->initialized);
    bool initialized = up != STRID_NONE && str_eq(strtab_str(j->s->tab, up), STR("true"));
    if (m->claim == NULL || m->node == NULL || !initialized ||
        condition_is(j, &m->claim->conditions, j->terminating, &c)) {
        return;
    }
    bool ready = condition_is(j, &m->node->conditions, j->s->words->ready, &c) || c == NULL;
    x->out->counts = true;
    x->out->going = !ready || m->goes;
}

static void judge_node(struct judge *j, struct subject *x)
{
    struct pod_why pod_why = {.text = STR_EMPTY};
    struct strbuf unused = strbuf_new(j->arena, 256);
    judge_expired(j, x);
    count_for_budgets(j, x);
    if (x->node != NULL) {
        x->out->price = price_of(j, x->node, &unused);
        x->out->spot =
            k8s_pairs_get(&x->node->labels, j->s->words->capacity_type) == j->s->words->spot;
        (void)pods_block(j, x, &pod_why);
    }
    if (!node_blocked(j, x)) {
        judge_drifted(j, x, &pod_why);
        judge_consolidation(j, x, &pod_why);
    }
    leave_out(j, x);
}

/* ---- the list */

static const struct karp_nodepool *pool_named(const struct sched_snapshot *s, strid name,
                                              uint32_t *ret_pool_i)
{
    *ret_pool_i = SCHED_NONE;
    for (uint32_t i = 0; name != STRID_NONE && i < s->cluster->n_nodepools; i++) {
        if (str_eq(s->cluster->nodepools[i].meta.name, strtab_str(s->tab, name))) {
            *ret_pool_i = i;
            return &s->cluster->nodepools[i];
        }
    }
    return NULL;
}

static struct judge judge_new(const struct sched_offers *offers,
                              const struct disrupt_settings *settings, struct arena *arena)
{
    const struct sched_snapshot *s = offers->snapshot;
    struct judge j = {.s = s,
                      .offers = offers,
                      .settings = settings,
                      .arena = arena,
                      .safe_to_evict = strtab_find(s->tab, STR(ANN_SAFE_TO_EVICT)),
                      .disrupted = strtab_find(s->tab, STR("karpenter.sh/disrupted")),
                      .consolidatable = strtab_find(s->tab, STR("Consolidatable")),
                      .initialized = strtab_find(s->tab, STR("Initialized")),
                      .drifted = strtab_find(s->tab, STR("Drifted")),
                      .terminating = strtab_find(s->tab, STR("InstanceTerminating")),
                      .nominated = strtab_new(arena)};
    for (uint32_t i = 0; i < s->cluster->n_pods; i++) {
        const struct k8s_pod *pod = &s->cluster->pods[i];
        if (pod->nominated_node_name.n > 0 && pod->node_name.n == 0 && !sched_pod_finished(pod)) {
            (void)strtab_add(j.nominated, pod->nominated_node_name);
        }
    }
    return j;
}

void disrupt_nodes_new(const struct sched_offers *offers, const struct disrupt_settings *settings,
                       struct arena *arena, struct disrupt_nodes *ret_nodes)
{
    const struct sched_snapshot *s = offers->snapshot;
    struct judge j = judge_new(offers, settings, arena);
    struct sched_machine *machines = NULL;
    uint32_t n = 0, at = 0;
    sched_machines(s->given, /* leave= */ NULL, arena, &machines, &n);
    struct disrupt_node *nodes = ARENA_ARRAY(arena, struct disrupt_node, n);
    for (uint32_t i = 0; i < n; i++) {
        struct subject x = {.machine = &machines[i], .out = &nodes[i]};
        const struct k8s_meta *meta =
            machines[i].node != NULL ? &machines[i].node->meta : &machines[i].claim->meta;
        nodes[i] = (struct disrupt_node){
            .name = machines[i].name, .node_i = SCHED_NONE, .in_snapshot = SCHED_NONE};
        if (machines[i].node != NULL) {
            nodes[i].node_i = (uint32_t)(machines[i].node - s->given->nodes);
        }
        if (!machines[i].goes) {
            /* Machines that stay are the snapshot's nodes, in the same order. */
            nodes[i].in_snapshot = at;
            x.node = &s->nodes[at++];
        }
        strid pool = x.node != NULL ? k8s_pairs_get(&x.node->labels, s->words->nodepool)
                                    : k8s_pairs_get(&meta->labels, s->words->nodepool);
        x.pool = pool_named(s, pool, &nodes[i].pool_i);
        judge_node(&j, &x);
    }
    *ret_nodes = (struct disrupt_nodes){.n = n, .v = nodes};
}

const struct disrupt_verdict *disrupt_verdict_of(const struct disrupt_node *node)
{
    static const enum disrupt_reason order[] = {DISRUPT_UNDERUTILIZED, DISRUPT_EMPTY,
                                                DISRUPT_DRIFTED};
    const struct disrupt_verdict *told = NULL;
    for (size_t k = 0; k < sizeof order / sizeof order[0]; k++) {
        const struct disrupt_verdict *verdict = &node->verdict[order[k]];
        if (verdict->may) {
            return NULL;
        }
        if (told == NULL && verdict->event != NULL && verdict->event[0] != '\0') {
            told = verdict;
        }
    }
    return told != NULL ? told : &node->verdict[DISRUPT_UNDERUTILIZED];
}

int64_t disrupt_eviction_cost(const struct k8s_cluster *cluster, const struct k8s_pod *pod)
{
    const strid key = strtab_find(cluster->tab, STR(ANN_DELETION_COST));
    int64_t cost = PPM, given = 0;
    strid value = key == STRID_NONE ? STRID_NONE : k8s_pairs_get(&pod->shape->annotations, key);
    if (value != STRID_NONE && str_to_i64(strtab_str(cluster->tab, value), &given) &&
        given >= INT32_MIN && given <= INT32_MAX) {
        cost += given * PPM / (INT64_C(1) << 27);
    }
    cost += pod->shape->priority.has ? pod->shape->priority.v * PPM / (INT64_C(1) << 25) : 0;
    return cost < -10 * PPM ? -10 * PPM : cost > 10 * PPM ? 10 * PPM : cost;
}

void disrupt_allowances(const struct k8s_cluster *cluster, const struct disrupt_nodes *nodes,
                        wall_t now, int64_t (*ret_allowed)[DISRUPT_N_REASONS])
{
    for (uint32_t p = 0; p < cluster->n_nodepools; p++) {
        int64_t total = 0, going = 0;
        for (uint32_t i = 0; i < nodes->n; i++) {
            bool mine = nodes->v[i].pool_i == p && nodes->v[i].counts;
            total += mine;
            going += mine && nodes->v[i].going;
        }
        for (int r = 0; r < DISRUPT_N_REASONS; r++) {
            ret_allowed[p][r] = r == DISRUPT_EXPIRED
                                    ? BUDGET_UNLIMITED
                                    : budgets_allowed(&cluster->nodepools[p], cluster->tab, now,
                                                      total, going, (enum disrupt_reason)r);
        }
    }
}
