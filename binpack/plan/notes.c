/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "binpack/plan/notes.h"

#include "base/arena.h"
#include "base/vec.h"
#include "binpack/disruption/candidates.h"
#include "binpack/scheduling/eligibility.h"
#include "binpack/scheduling/pools.h"
#include "binpack/scheduling/running.h"

#include <stdlib.h>

struct note_list {
    struct plan_note *v;
    size_t n, cap;
};

static void note(struct assembly *a, struct note_list *notes, struct str code, struct str message)
{
    VEC_PUSH(a->arena, notes, (struct plan_note){.code = code, .message = message});
}

/* What running nodes cost, where type, zone and capacity type tell. */
static void count_running(struct assembly *a)
{
    const struct sched_snapshot *s = a->problem->base->snapshot;
    struct sched_machine *machines = NULL;
    uint32_t n = 0;
    auto_arena scratch = ARENA_INIT;
    /* Of the input, not of the snapshot: a green field has no nodes that stay. */
    sched_machines(s->given, /* leave= */ NULL, &scratch, &machines, &n);
    for (uint32_t i = 0; i < n; i++) {
        struct sched_node described;
        const struct sched_node *node = &described;
        if (machines[i].goes) {
            continue;
        }
        sched_node_describe(s, &machines[i], &scratch, &described);
        struct opt_usd price = disrupt_price(a->problem->base->offers, s, node);
        a->plan->running_cost = sat_add(a->plan->running_cost, price.has ? price.v : 0);
        a->plan->n_running_unpriced += !price.has;
    }
}

static int ignored_cmp(const void *a, const void *b)
{
    const struct plan_ignored *x = a, *y = b;
    return str_cmp(x->reason, y->reason);
}

/* Pods that need no place, by code. */
static void count_ignored(struct assembly *a)
{
    const struct sched_snapshot *s = a->problem->base->snapshot;
    struct plan_ignored *list = ARENA_ARRAY(a->arena, struct plan_ignored, SCHED_N_VERDICTS);
    uint32_t n = 0;
    for (uint32_t i = 0; i < s->cluster->n_pods; i++) {
        const struct sched_pod *pod = &s->pods[i];
        if (pod->state != SCHED_POD_IGNORED && pod->state != SCHED_POD_BOUND) {
            continue;
        }
        struct str reason = str_of(pod->code);
        uint32_t k = 0;
        while (k < n && !str_eq(list[k].reason, reason)) {
            k++;
        }
        if (k == n && n < SCHED_N_VERDICTS) {
            list[n++].reason = reason;
        }
        if (k < n) {
            list[k].n++;
        }
    }
    if (n > 0) {
        qsort(list, n, sizeof *list, ignored_cmp);
    }
    a->plan->ignored = list;
    a->plan->n_ignored = n;
}

static void note_prices(struct assembly *a, struct note_list *notes)
{
    const struct catalog *catalog = a->plan->catalog;
    bool spot = false;
    for (uint32_t i = 0; i < a->plan->n_nodes; i++) {
        spot = spot || a->plan->nodes[i].capacity_type == CAT_SPOT;
    }
    if (catalog->as_of.n > 0 && a->plan->n_nodes > 0) {
        struct strbuf text = strbuf_new(a->arena, 1024);
        strbuf_addf(&text, "prices are those of " STR_FMT " in the catalogue " STR_FMT,
                    STR_ARG(catalog->as_of), STR_ARG(catalog->name));
        note(a, notes, STR("PRICES_AS_OF"), strbuf_str(&text));
    }
    if (spot && catalog->spot_source.n > 0) {
        note(a, notes, STR("SPOT_PRICE_STATIC"), catalog->spot_source);
    }
}

static void note_pools(struct assembly *a, struct note_list *notes)
{
    const struct sched_snapshot *s = a->problem->base->snapshot;
    for (uint32_t p = 0; p < s->n_pools; p++) {
        if (s->pools[p].code != NULL) {
            struct strbuf text = strbuf_new(a->arena, 2048);
            strbuf_addf(&text, "NodePool " STR_FMT " is left out: " STR_FMT,
                        STR_ARG(s->pools[p].pool->meta.name), STR_ARG(s->pools[p].message));
            note(a, notes, str_of(s->pools[p].code), strbuf_str(&text));
        } else if (s->pools[p].node_class == NULL) {
            struct strbuf text = strbuf_new(a->arena, 2048);
            strbuf_addf(&text,
                        "the node class \"" STR_FMT "\" of NodePool " STR_FMT
                        " is not in the input: AL2023 defaults, and a subnet in every zone",
                        STR_ARG(s->pools[p].pool->class_ref.name),
                        STR_ARG(s->pools[p].pool->meta.name));
            note(a, notes, STR("NODE_CLASS_ASSUMED"), strbuf_str(&text));
        }
    }
}

/* Adds the zone to a list of `n` where the catalogue does not have it. */
static void add_unknown_zone(const struct sched_snapshot *s, strid zone, uint32_t *n,
                             struct strbuf *list)
{
    if (!sched_zone_known(s, zone)) {
        strbuf_addf(list, "%s" STR_FMT, (*n)++ > 0 ? ", " : "", STR_ARG(strtab_str(s->tab, zone)));
    }
}

/* Subnets in zones where the catalogue sells nothing. */
static void note_zones(struct assembly *a, struct note_list *notes)
{
    const struct sched_snapshot *s = a->problem->base->snapshot;
    for (uint32_t c = 0; c < s->cluster->n_nodeclasses; c++) {
        const struct aws_nodeclass *class = &s->cluster->nodeclasses[c];
        struct strbuf zones = strbuf_new(a->arena, 2048);
        uint32_t n = 0;
        for (uint32_t k = 0; k < class->n_subnets; k++) {
            add_unknown_zone(s, class->subnets[k].zone, &n, &zones);
        }
        if (n > 0) {
            struct strbuf text = strbuf_new(a->arena, 4096);
            strbuf_addf(&text,
                        "EC2NodeClass " STR_FMT " has subnets in " STR_FMT
                        ", where the catalogue offers nothing: no node is planned there",
                        STR_ARG(class->meta.name), STR_ARG(strbuf_str(&zones)));
            note(a, notes, STR("ZONES_WITHOUT_OFFERINGS"), strbuf_str(&text));
        }
    }
}

static void note_overlays(struct assembly *a, struct note_list *notes)
{
    const struct sched_offers *o = a->problem->base->offers;
    const struct k8s_cluster *cluster = a->problem->base->snapshot->cluster;
    for (uint32_t i = 0; o->overlays != NULL && i < cluster->n_overlays; i++) {
        enum cat_overlay_verdict verdict = cat_overlays_verdict(o->overlays, i);
        if (verdict != CAT_OVERLAY_CONFLICT && verdict != CAT_OVERLAY_INVALID) {
            continue;
        }
        bool conflict = verdict == CAT_OVERLAY_CONFLICT;
        struct strbuf text = strbuf_new(a->arena, 1024);
        strbuf_addf(&text, "NodeOverlay " STR_FMT " is left out: %s",
                    STR_ARG(cluster->overlays[i].meta.name),
                    conflict ? "another overlay of the same weight sets the same price or capacity"
                             : "it sets both a price and an adjustment, or a resource that "
                               "overlays may not set");
        note(a, notes, conflict ? STR("OVERLAY_CONFLICT") : STR("OVERLAY_INVALID"),
             strbuf_str(&text));
    }
}

static bool in_catalog(const struct catalog *catalog, const struct strtab *tab, struct str id)
{
    for (uint32_t t = 0; t < catalog->n_types; t++) {
        for (uint32_t k = 0; k < catalog->types[t].n_offerings; k++) {
            const struct cat_offering *offering = &catalog->types[t].offerings[k];
            if (offering->capacity_type == CAT_RESERVED &&
                str_eq(strtab_str(tab, offering->reservation_id), id)) {
                return true;
            }
        }
    }
    return false;
}

/* A node class names its reservations, but how many instances they have left only the catalogue can
 * say. */
static void note_reservations(struct assembly *a, struct note_list *notes)
{
    const struct sched_snapshot *s = a->problem->base->snapshot;
    for (uint32_t c = 0; s->settings.reserved_capacity && c < s->cluster->n_nodeclasses; c++) {
        const struct aws_nodeclass *class = &s->cluster->nodeclasses[c];
        for (uint32_t i = 0; i < class->n_reservations; i++) {
            if (in_catalog(s->catalog, s->tab, class->reservations[i].id)) {
                continue;
            }
            struct strbuf text = strbuf_new(a->arena, 1024);
            strbuf_addf(
                &text,
                "EC2NodeClass " STR_FMT
                ": nothing says how many instances capacity reservation " STR_FMT
                " has left, so it is not used; a catalogue with a reserved offering would say it",
                STR_ARG(class->meta.name), STR_ARG(class->reservations[i].id));
            note(a, notes, STR("RESERVATION_COUNT_UNKNOWN"), strbuf_str(&text));
        }
    }
}

static void note_claims(struct assembly *a, struct note_list *notes)
{
    uint32_t n = a->problem->base->snapshot->n_assumed_claims;
    if (n > 0) {
        struct strbuf text = strbuf_new(a->arena, 1024);
        strbuf_addf(&text,
                    "the input has no StorageClass: the unbound claims of %u pod%s are taken to "
                    "bind in whatever zone the pod runs",
                    n, n == 1 ? "" : "s");
        note(a, notes, STR("STORAGE_CLASS_ASSUMED"), strbuf_str(&text));
    }
}

struct named;
struct name_list {
    struct named *v;
    uint32_t n;
};
struct named {
    struct str ns, name;
};

static int named_cmp(const void *a, const void *b)
{
    const struct named *x = a, *y = b;
    int order = str_cmp(x->ns, y->ns);
    return order != 0 ? order : str_cmp(x->name, y->name);
}

static void sort_names(struct name_list *list)
{
    if (list->n > 0) {
        qsort(list->v, list->n, sizeof *list->v, named_cmp);
    }
}

static bool has_name(const struct name_list *list, const struct named *key)
{
    return list->n > 0 && bsearch(key, list->v, list->n, sizeof *key, named_cmp) != NULL;
}

static uint32_t count_distinct(struct name_list *list)
{
    uint32_t n = 0;
    sort_names(list);
    for (uint32_t i = 0; i < list->n; i++) {
        n += i == 0 || named_cmp(&list->v[i - 1], &list->v[i]) != 0;
    }
    return n;
}

/* Pods whose DaemonSet is not there tell that new nodes are planned with too much room. */
static void note_daemons(struct assembly *a, struct note_list *notes)
{
    const struct sched_snapshot *s = a->problem->base->snapshot;
    const struct k8s_cluster *c = s->cluster;
    struct name_list sets = {.v = ARENA_ARRAY(a->arena, struct named, c->n_workloads + 1)};
    struct name_list owners = {.v = ARENA_ARRAY(a->arena, struct named, c->n_pods + 1)};
    for (uint32_t i = 0; i < c->n_workloads; i++) {
        const struct k8s_workload *w = &c->workloads[i];
        if (w->kind == K8S_DAEMONSET) {
            sets.v[sets.n++] = (struct named){strtab_str(s->tab, w->meta.ns), w->meta.name};
        }
    }
    sort_names(&sets);
    for (uint32_t i = 0; i < c->n_pods; i++) {
        const struct k8s_pod *pod = &c->pods[i];
        struct named owner = {strtab_str(s->tab, pod->ns), pod->owner_name};
        if (k8s_pod_of_daemonset(s->words, pod->shape) && !has_name(&sets, &owner)) {
            owners.v[owners.n++] = owner;
        }
    }
    uint32_t n = count_distinct(&owners);
    if (n > 0) {
        struct strbuf text = strbuf_new(a->arena, 1024);
        strbuf_addf(&text,
                    "%u DaemonSet%s that pods belong to %s not in the input (such as " STR_FMT
                    "/" STR_FMT "): new nodes are planned without their pods",
                    n, n == 1 ? "" : "s", n == 1 ? "is" : "are", STR_ARG(owners.v[0].ns),
                    STR_ARG(owners.v[0].name));
        note(a, notes, STR("DAEMONSETS_MISSING"), strbuf_str(&text));
    }
}

/* Nodes and NodeClaims that pods run on. */
static void note_nodes(struct assembly *a, struct note_list *notes)
{
    const struct sched_snapshot *s = a->problem->base->snapshot;
    const struct k8s_cluster *c = s->cluster;
    struct name_list nodes = {.v = ARENA_ARRAY(a->arena, struct named, c->n_nodes + 1)};
    struct name_list wanted = {.v = ARENA_ARRAY(a->arena, struct named, c->n_pods + 1)};
    for (uint32_t i = 0; i < c->n_nodes; i++) {
        nodes.v[nodes.n++] = (struct named){.name = c->nodes[i].meta.name};
    }
    sort_names(&nodes);
    for (uint32_t i = 0; a->plan->mode != PLAN_REPACK && i < c->n_pods; i++) {
        const struct k8s_pod *pod = &c->pods[i];
        struct named node = {.name = pod->node_name};
        bool runs = pod->phase != K8S_SUCCEEDED && pod->phase != K8S_FAILED;
        if (pod->node_name.n > 0 && runs && !has_name(&nodes, &node)) {
            wanted.v[wanted.n++] = node;
        }
    }
    uint32_t n_pods = wanted.n;
    uint32_t n = count_distinct(&wanted);
    if (n > 0) {
        struct strbuf text = strbuf_new(a->arena, 1024);
        strbuf_addf(&text,
                    "%u pod%s run%s on %u node%s that %s not in the input (such as " STR_FMT
                    "): rules between pods do not see %s",
                    n_pods, n_pods == 1 ? "" : "s", n_pods == 1 ? "s" : "", n, n == 1 ? "" : "s",
                    n == 1 ? "is" : "are", STR_ARG(wanted.v[0].name), n_pods == 1 ? "it" : "them");
        note(a, notes, STR("NODES_MISSING"), strbuf_str(&text));
    }
}

static int note_cmp(const void *a, const void *b)
{
    const struct plan_note *x = a, *y = b;
    int order = str_cmp(x->code, y->code);
    return order != 0 ? order : str_cmp(x->message, y->message);
}
/* Zones that a NodePool asks for and the catalogue does not have: a slip of the pen costs all its
 * pods. */
static void note_pool_zones(struct assembly *a, struct note_list *notes)
{
    const struct sched_snapshot *s = a->problem->base->snapshot;
    for (uint32_t p = 0; p < s->n_pools; p++) {
        const struct karp_nodepool *pool = s->pools[p].pool;
        struct strbuf zones = strbuf_new(a->arena, 2048);
        uint32_t n = 0;
        for (uint32_t i = 0; i < pool->n_requirements; i++) {
            const struct k8s_requirement *req = &pool->requirements[i];
            const bool lists = sched_key(s->vocab, req->key) == s->words->zone && req->op == K8S_IN;
            for (uint32_t v = 0; lists && v < req->values.n; v++) {
                add_unknown_zone(s, req->values.v[v], &n, &zones);
            }
        }
        if (n > 0) {
            struct strbuf text = strbuf_new(a->arena, 4096);
            strbuf_addf(&text,
                        "NodePool " STR_FMT " asks for " STR_FMT
                        ", which the catalogue does not have: it buys nothing there",
                        STR_ARG(pool->meta.name), STR_ARG(strbuf_str(&zones)));
            note(a, notes, STR("POOL_ZONE_UNKNOWN"), strbuf_str(&text));
        }
    }
}

/* Pods that ask for nothing cost nothing: a plan for them is cheap because it knows too little. */
static void note_requests(struct assembly *a, struct note_list *notes)
{
    const struct sched_snapshot *s = a->problem->base->snapshot;
    uint32_t n = 0;
    auto_arena scratch = ARENA_INIT;
    for (uint32_t i = 0; i < s->n_pending; i++) {
        const struct k8s_pod *pod = &s->cluster->pods[s->pending[i]];
        struct k8s_resources requests = sched_requests_of(s, pod->shape, &scratch);
        n += k8s_resources_get(&requests, s->words->cpu) <= 0 &&
             k8s_resources_get(&requests, s->words->memory) <= 0;
    }
    if (n > 0) {
        struct strbuf text = strbuf_new(a->arena, 512);
        strbuf_addf(&text,
                    "%u of %u pod%s request%s neither CPU nor memory: as many of them as its pod "
                    "limit allows fit on a node, and the price is too low if they use any",
                    n, s->n_pending, s->n_pending == 1 ? "" : "s", n == 1 ? "s" : "");
        note(a, notes, STR("PODS_WITHOUT_REQUESTS"), strbuf_str(&text));
    }
}

void notes_add(struct assembly *a)
{
    struct note_list notes = {0};
    count_running(a);
    count_ignored(a);
    note_prices(a, &notes);
    note_pools(a, &notes);
    note_zones(a, &notes);
    note_pool_zones(a, &notes);
    note_overlays(a, &notes);
    note_claims(a, &notes);
    note_requests(a, &notes);
    note_daemons(a, &notes);
    note_nodes(a, &notes);
    note_reservations(a, &notes);
    if (notes.n > 0) {
        qsort(notes.v, notes.n, sizeof *notes.v, note_cmp);
    }
    a->plan->notes = notes.v;
    a->plan->n_notes = (uint32_t)notes.n;
}
