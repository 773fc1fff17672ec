/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "binpack/emulate/autoscaler.h"

#include "base/arena.h"
#include "base/bitset.h"
#include "binpack/emulate/run.h"

#include <stdlib.h>
#include <string.h>

enum { NODES_PER_LOOP = 1000 }; /* --max-nodes-per-scaleup */
#define WASTE_SCALE INT64_C(1000000000)

struct group {
    uint32_t pool_i, entry_i, offer_i;
    uint32_t alike; /* the first of the groups that differ in the zone only */
    uint32_t size;  /* nodes it has */
    bool exotic;    /* bare metal, or with an accelerator */
};

/* Pods that ask the same, all preferences dropped. */
struct kind {
    uint32_t need_i, n; /* without a place */
    uint32_t *pods;     /* [n] into snapshot->pending */
    int32_t priority;
    bool plain;      /* no rule between pods concerns it, so a refusal stands */
    bool sized;      /* plain, and nothing but its size matters on a node that admits it */
    size_t launched; /* plain: so many launched nodes have refused it */
    bool ran;        /* plain: all running nodes have */
};

struct scaler {
    struct emu_run run;
    const struct emu_settings *settings;
    uint32_t n_groups, n_kinds;
    struct group *groups;
    struct kind *kinds;                 /* by priority, then by need */
    uint32_t *taken;                    /* [n_kinds] in the estimate at hand */
    struct ordered *order;              /* [n_kinds] likewise */
    int64_t *rooms;                     /* [NODES_PER_LOOP][n_dims] likewise, of count_new */
    uint64_t *admitted, *admitted_last; /* [bits_words(n_kinds)] by this estimate and the last */
};

struct ordered {
    uint32_t kind_i;
    int64_t share;
};

struct option { /* what the estimate says about a group */
    uint32_t n_nodes, n_pods;
    int64_t waste;
    usd_t cost;
    bool exotic;
};

/* ---- set up */

static bool is_alike(const struct emu_claims *c, const struct group *a, const struct group *b)
{
    const struct sched_offer *o = c->asks->base->offers->v;
    return a->pool_i == b->pool_i && a->entry_i == b->entry_i &&
           o[a->offer_i].capacity_type == o[b->offer_i].capacity_type;
}

/* Running nodes of each group. */
static void count_sizes(struct scaler *x)
{
    const struct sched_base *base = x->run.base;
    const struct sched_snapshot *s = base->snapshot;
    for (uint32_t g = 0; g < x->n_groups; g++) {
        const struct sched_offer *offer = &base->offers->v[x->groups[g].offer_i];
        const strid zone = s->catalog->zones[offer->zone_i].name;
        const strid capacity_type =
            offer->capacity_type == CAT_SPOT ? s->words->spot : s->words->on_demand;
        for (uint32_t n = 0; n < s->n_nodes; n++) {
            const struct sched_node *node = &s->nodes[n];
            x->groups[g].size +=
                node->pool_i == x->groups[g].pool_i &&
                node->type == &s->catalog->types[offer->type_i] &&
                k8s_pairs_get(&node->labels, s->words->zone) == zone &&
                k8s_pairs_get(&node->labels, s->words->capacity_type) == capacity_type;
        }
    }
}

static void make_groups(struct scaler *x)
{
    const struct sched_offers *o = x->run.base->offers;
    struct emu_claims *c = &x->run.claims;
    x->groups = ARENA_ARRAY(x->run.scratch, struct group, o->n);
    for (uint32_t p = 0; p < x->run.base->snapshot->n_pools; p++) {
        for (uint32_t e = 0; e < c->pools[p].n_entries; e++) {
            const struct emu_entry *entry = &c->pools[p].entries[e];
            for (uint32_t k = entry->from; k < entry->from + entry->n; k++) {
                if (o->v[k].capacity_type == CAT_RESERVED) {
                    continue;
                }
                struct group *group = &x->groups[x->n_groups];
                *group = (struct group){.pool_i = p,
                                        .entry_i = e,
                                        .offer_i = k,
                                        .alike = x->n_groups,
                                        .exotic = emu_type_is_exotic(c, o->v[k].type_i)};
                for (uint32_t g = x->n_groups; g > 0 && x->groups[g - 1].entry_i == e; g--) {
                    if (is_alike(c, &x->groups[g - 1], group)) {
                        group->alike = x->groups[g - 1].alike;
                    }
                }
                x->n_groups++;
            }
        }
    }
    count_sizes(x);
}

/* The need of a pod that has given up all its preferences. */
static uint32_t last_need(const struct emu_asks *a, uint32_t pending_i, uint16_t *ret_rung)
{
    uint32_t rung = 0;
    while (rung + 1 < a->n_rungs && a->need[rung + 1][pending_i] != SCHED_NONE) {
        rung++;
    }
    *ret_rung = (uint16_t)rung;
    return a->need[rung][pending_i];
}

static int kind_cmp(const void *a, const void *b)
{
    const struct kind *x = a, *y = b;
    if (x->priority != y->priority) {
        return x->priority > y->priority ? -1 : 1;
    }
    return (x->need_i > y->need_i) - (x->need_i < y->need_i);
}

static void make_kinds(struct scaler *x)
{
    const struct emu_asks *a = &x->run.asks;
    const uint32_t n_pending = x->run.base->snapshot->n_pending;
    struct arena *arena = x->run.scratch;
    uint32_t *count = ARENA_ARRAY(arena, uint32_t, a->needs.n + 1);
    uint32_t *kind_of = ARENA_ARRAY(arena, uint32_t, a->needs.n + 1);
    uint16_t rung;
    for (uint32_t i = 0; i < n_pending; i++) {
        count[last_need(a, i, &rung)]++;
    }
    x->kinds = ARENA_ARRAY(arena, struct kind, a->needs.n + 1);
    for (uint32_t need = 0; need < a->needs.n; need++) {
        if (count[need] > 0) {
            x->kinds[x->n_kinds++] = (struct kind){
                .need_i = need,
                .pods = ARENA_ARRAY(arena, uint32_t, count[need]),
                .priority = a->needs.v[need].priority,
                .plain =
                    a->first_use[need] == a->first_use[need + 1] && a->needs.v[need].n_claims == 0,
                .sized = a->first_use[need] == a->first_use[need + 1] &&
                         a->needs.v[need].n_claims == 0 && a->needs.v[need].n_ports == 0};
        }
    }
    if (x->n_kinds > 0) {
        qsort(x->kinds, x->n_kinds, sizeof *x->kinds, kind_cmp);
    }
    for (uint32_t k = 0; k < x->n_kinds; k++) {
        kind_of[x->kinds[k].need_i] = k;
    }
    for (uint32_t i = 0; i < n_pending; i++) {
        struct kind *kind = &x->kinds[kind_of[last_need(a, i, &rung)]];
        if (x->settings->held == NULL || !x->settings->held[i]) {
            kind->pods[kind->n++] = i;
        }
    }
    x->taken = ARENA_ARRAY(arena, uint32_t, x->n_kinds);
    x->order = ARENA_ARRAY(arena, struct ordered, x->n_kinds);
    x->rooms = ARENA_ARRAY(arena, int64_t, (size_t)NODES_PER_LOOP * x->run.base->dims.n);
    x->admitted = ARENA_ARRAY(arena, uint64_t, bits_words(x->n_kinds) + 1);
    x->admitted_last = ARENA_ARRAY(arena, uint64_t, bits_words(x->n_kinds) + 1);
}

/* ---- nodes that take pods */

static bool joins(struct scaler *x, struct emu_claim *claim, uint32_t pending_i, uint32_t need_i)
{
    const struct emu_asks *a = &x->run.asks;
    for (uint32_t ask = a->first[need_i]; ask < a->first[need_i + 1]; ask++) {
        if (emu_claim_join(&x->run.claims, claim, pending_i, need_i, ask) == EMU_YES) {
            return true;
        }
    }
    return false;
}

/* The first of the list, from `*from` on, that takes the pod; NULL: none. What refuses a plain kind
 * is not asked again. */
static struct emu_claim *first_of(struct scaler *x, const emu_claim_list *list, size_t *from,
                                  const struct kind *kind, uint32_t pending_i)
{
    for (size_t i = *from; i < list->n; i++) {
        if (joins(x, list->v[i], pending_i, kind->need_i)) {
            *from = kind->plain ? i : *from;
            return list->v[i];
        }
    }
    *from = kind->plain ? list->n : *from;
    return NULL;
}

/* A further node of the group, whatever was asked of it so far; NULL: a limit forbids it. */
static struct emu_claim *open_node(struct scaler *x, const struct group *group)
{
    struct emu_claims *c = &x->run.claims;
    struct emu_claim *claim = emu_claim_new(c, group->pool_i);
    if (claim == NULL || !bits_get(claim->entries, group->entry_i)) {
        return NULL;
    }
    memset(claim->entries, 0,
           bits_words(c->pools[group->pool_i].n_entries) * sizeof *claim->entries);
    memset(claim->cells, 0, c->cell_words * sizeof *claim->cells);
    bits_set(claim->entries, group->entry_i);
    bits_set(claim->cells, x->run.base->offers->v[group->offer_i].cell_i);
    emu_claim_room(c, claim);
    return claim;
}

/* ---- what fits the nodes that are there or to come */

static void settle(struct scaler *x, uint32_t pending_i, const struct emu_claim *claim)
{
    struct emu_run *r = &x->run;
    (void)last_need(&r->asks, pending_i, &r->descent.rung[pending_i]);
    if (claim->node_i != SCHED_NONE) {
        r->running_of[pending_i] = claim->node_i;
    } else {
        r->descent.tier[pending_i] = (uint16_t)r->base->snapshot->pools[claim->pool_i].tier;
    }
    r->n_placed++;
}

static void drop_placed(struct scaler *x)
{
    for (uint32_t k = 0; k < x->n_kinds; k++) {
        struct kind *kind = &x->kinds[k];
        const uint32_t n = kind->n;
        kind->n = 0;
        for (uint32_t i = 0; i < n; i++) {
            if (x->run.descent.rung[kind->pods[i]] == SCHED_RUNG_OUT) {
                kind->pods[kind->n++] = kind->pods[i];
            }
        }
    }
}

static void fill_known(struct scaler *x)
{
    struct emu_run *r = &x->run;
    for (uint32_t k = 0; k < x->n_kinds; k++) {
        struct kind *kind = &x->kinds[k];
        size_t running = kind->ran ? r->running.n : 0, launched = kind->launched;
        for (uint32_t i = 0; i < kind->n; i++) {
            struct emu_claim *claim = first_of(x, &r->running, &running, kind, kind->pods[i]);
            claim =
                claim != NULL ? claim : first_of(x, &r->launched, &launched, kind, kind->pods[i]);
            if (claim == NULL) {
                break; /* The others ask the same. */
            }
            settle(x, kind->pods[i], claim);
        }
        kind->ran = kind->plain;
        kind->launched = kind->plain ? launched : 0;
    }
    drop_placed(x);
}

/* ---- the estimate */

static int ordered_cmp(const void *a, const void *b)
{
    const struct ordered *x = a, *y = b;
    if (x->share != y->share) {
        return x->share > y->share ? -1 : 1;
    }
    return (x->kind_i > y->kind_i) - (x->kind_i < y->kind_i);
}

/* Kinds by the share of CPU and memory that one pod takes of one node. */
static void order_kinds(struct scaler *x, const struct group *group)
{
    const struct emu_claims *c = &x->run.claims;
    const uint32_t n_dims = x->run.base->dims.n;
    const int64_t *capacity = emu_offer_capacity(c, group->offer_i);
    for (uint32_t k = 0; k < x->n_kinds; k++) {
        const int64_t *size = x->run.asks.size + (size_t)x->kinds[k].need_i * n_dims;
        x->order[k] = (struct ordered){.kind_i = k};
        for (uint32_t d = 0; d < 2; d++) {
            const int64_t part =
                capacity[d] > 0 ? muldiv_floor(size[d], WASTE_SCALE, capacity[d]) : 0;
            x->order[k].share = sat_add(x->order[k].share, part);
        }
    }
    if (x->n_kinds > 0) {
        qsort(x->order, x->n_kinds, sizeof *x->order, ordered_cmp);
    }
}

/* Puts all pods that the group can take on new nodes of it; x->taken says how many of each kind. */
static void fill_new(struct scaler *x, const struct group *group, emu_claim_list *nodes)
{
    struct emu_claims *c = &x->run.claims;
    order_kinds(x, group);
    for (uint32_t o = 0; o < x->n_kinds; o++) {
        const struct kind *kind = &x->kinds[x->order[o].kind_i];
        uint32_t *taken = &x->taken[x->order[o].kind_i];
        size_t from = 0;
        for (*taken = 0; *taken < kind->n; (*taken)++) {
            const uint32_t pending_i = kind->pods[*taken];
            if (first_of(x, nodes, &from, kind, pending_i) != NULL) {
                continue;
            }
            struct emu_claim *claim = nodes->n < NODES_PER_LOOP ? open_node(x, group) : NULL;
            if (claim == NULL || !joins(x, claim, pending_i, kind->need_i)) {
                break;
            }
            emu_claim_charge(c, claim);
            VEC_PUSH(c->arena, nodes, claim);
        }
    }
}

/* As the expander counts: what the node has, DaemonSets included, against what the pods request. */
static int64_t waste_of(const struct scaler *x, const struct group *group, uint32_t n_nodes)
{
    const struct sched_base *base = x->run.base;
    const strid resources[2] = {base->snapshot->words->cpu, base->snapshot->words->memory};
    const struct sched_offer *offer = &base->offers->v[group->offer_i];
    const struct k8s_resources *capacity = &base->offers->rooms[offer->room_i].room.capacity;
    int64_t waste = 0;
    for (uint32_t d = 0; d < 2; d++) {
        const int64_t all = sat_mul(k8s_resources_get(capacity, resources[d]), n_nodes);
        int64_t used = 0;
        for (uint32_t k = 0; k < x->n_kinds; k++) {
            const int64_t *size = x->run.asks.size + (size_t)x->kinds[k].need_i * base->dims.n;
            used = sat_add(used, sat_mul(size[d], x->taken[k]));
        }
        waste = sat_add(waste, all > 0 ? muldiv_floor(sat_sub(all, used), WASTE_SCALE, all) : 0);
    }
    return waste;
}

/* Which kinds the labels of the group's nodes admit; false when size is not all that counts. */
static bool admit_kinds(struct scaler *x, const struct group *group, uint64_t *admitted)
{
    const struct emu_claims *c = &x->run.claims;
    const struct sched_masks *masks = &c->asks->masks;
    const uint32_t cell_i = x->run.base->offers->v[group->offer_i].cell_i;
    bool sized = c->pools[group->pool_i].left.n == 0;
    memset(admitted, 0, bits_words(x->n_kinds) * sizeof *admitted);
    for (uint32_t k = 0; k < x->n_kinds; k++) {
        const struct kind *kind = &x->kinds[k];
        const uint32_t to = c->asks->first[kind->need_i + 1];
        for (uint32_t ask = c->asks->first[kind->need_i]; ask < to && kind->n > 0; ask++) {
            if (bits_get(masks->v[masks->of_need[ask]].cells, cell_i)) {
                bits_set(admitted, k);
                sized = sized && kind->sized;
            }
        }
    }
    return sized;
}

/* How many pods of the size fit the room; `most` at most. */
static uint32_t fit(const int64_t *size, const int64_t *room, uint32_t n_dims, uint32_t most)
{
    int64_t n = most;
    for (uint32_t d = 0; d < n_dims; d++) {
        const int64_t here = size[d] > 0 ? room[d] / size[d] : n;
        n = here < n ? here : n;
    }
    return n > 0 ? (uint32_t)n : 0;
}

static void take(int64_t *room, const int64_t *size, uint32_t n_dims, uint32_t n)
{
    for (uint32_t d = 0; d < n_dims; d++) {
        room[d] -= size[d] * n;
    }
}

/* What fill_new comes to where size is all that counts; returns the number of nodes. */
static uint32_t count_new(struct scaler *x, const struct group *group, const uint64_t *admitted)
{
    const uint32_t n_dims = x->run.base->dims.n;
    const int64_t *capacity = emu_offer_capacity(&x->run.claims, group->offer_i);
    uint32_t n = 0;
    order_kinds(x, group);
    for (uint32_t o = 0; o < x->n_kinds; o++) {
        const uint32_t k = x->order[o].kind_i;
        const struct kind *kind = &x->kinds[k];
        const int64_t *size = x->run.asks.size + (size_t)kind->need_i * n_dims;
        uint32_t left = bits_get(admitted, k) ? kind->n : 0;
        for (uint32_t i = 0; i < n && left > 0; i++) {
            const uint32_t here = fit(size, x->rooms + (size_t)i * n_dims, n_dims, left);
            take(x->rooms + (size_t)i * n_dims, size, n_dims, here);
            left -= here;
        }
        const uint32_t each = left > 0 ? fit(size, capacity, n_dims, left) : 0;
        for (; left > 0 && each > 0 && n < NODES_PER_LOOP; n++) {
            const uint32_t here = each < left ? each : left;
            memcpy(x->rooms + (size_t)n * n_dims, capacity, n_dims * sizeof *capacity);
            take(x->rooms + (size_t)n * n_dims, size, n_dims, here);
            left -= here;
        }
        x->taken[k] = (bits_get(admitted, k) ? kind->n : 0) - left;
    }
    return n;
}

static void finish(struct scaler *x, const struct group *group, struct option *option)
{
    option->n_pods = 0;
    for (uint32_t k = 0; k < x->n_kinds; k++) {
        option->n_pods += x->taken[k];
    }
    option->waste = waste_of(x, group, option->n_nodes);
}

/* By trial, where rules between pods, ports or limits count as well. */
static void estimate_by_trial(struct scaler *x, const struct group *group, struct option *option)
{
    struct emu_claims *c = &x->run.claims;
    const struct arena_mark mark = arena_mark(c->arena);
    struct emu_trial *trial;
    emu_claim_list nodes = {0};
    emu_trial_begin(c, &trial);
    fill_new(x, group, &nodes);
    option->n_nodes = (uint32_t)nodes.n;
    finish(x, group, option);
    emu_trial_undo(c, trial);
    arena_rewind(c->arena, mark);
}

/* Estimates by size are the same for all groups of an entry that admit the same: `last` is the one
 * made last, for `*last_of`. */
static struct option estimate(struct scaler *x, uint32_t group_i, struct option *last,
                              uint32_t *last_of)
{
    const struct group *group = &x->groups[group_i];
    const struct group *before = *last_of == SCHED_NONE ? group : &x->groups[*last_of];
    uint64_t *swap = x->admitted;
    struct option option = {.exotic = group->exotic};
    x->admitted = x->admitted_last;
    x->admitted_last = swap;
    if (!admit_kinds(x, group, x->admitted)) {
        estimate_by_trial(x, group, &option);
        *last_of = SCHED_NONE;
    } else if (*last_of != SCHED_NONE && before->pool_i == group->pool_i &&
               before->entry_i == group->entry_i &&
               bits_equal(x->admitted, x->admitted_last, bits_words(x->n_kinds))) {
        option = *last;
        *last_of = group_i;
    } else {
        option.n_nodes = count_new(x, group, x->admitted);
        finish(x, group, &option);
        *last_of = group_i;
    }
    option.cost = sat_mul(x->run.base->offers->v[group->offer_i].price, option.n_nodes);
    *last = option;
    return option;
}

static bool is_better(const struct option *a, const struct option *b)
{
    if (b->n_pods == 0 || a->exotic != b->exotic) {
        return b->n_pods == 0 || b->exotic;
    }
    return a->waste != b->waste ? a->waste < b->waste : a->cost < b->cost;
}

/* SCHED_NONE: no group helps. */
static uint32_t expand(struct scaler *x)
{
    struct option best = {.n_pods = 0};
    struct option last = {.n_pods = 0};
    uint32_t best_i = SCHED_NONE, last_of = SCHED_NONE;
    for (uint32_t g = 0; g < x->n_groups; g++) {
        const struct option option = estimate(x, g, &last, &last_of);
        if (option.n_pods > 0 && is_better(&option, &best)) {
            best = option;
            best_i = g;
        }
    }
    return best_i;
}

/* ---- scaling up */

static void launch(struct scaler *x, struct group *group, struct emu_claim *claim)
{
    struct emu_run *r = &x->run;
    emu_claim_launch(&r->claims, claim, /* options_max= */ 1, NULL);
    for (size_t p = 0; p < claim->pods.n; p++) {
        settle(x, claim->pods.v[p], claim);
    }
    group->size++;
    VEC_PUSH(r->scratch, &r->launched, claim);
}

/* The pods of one estimated node. */
struct load {
    uint32_t n;
    const uint32_t *pods, *needs; /* [n] */
};

/* A node of the group for all of the load, or none. */
static bool launch_load(struct scaler *x, struct group *group, const struct load *load)
{
    struct emu_claims *c = &x->run.claims;
    const struct arena_mark mark = arena_mark(c->arena);
    struct emu_trial *trial;
    emu_trial_begin(c, &trial);
    struct emu_claim *claim = open_node(x, group);
    bool good = claim != NULL;
    for (uint32_t p = 0; p < load->n && good; p++) {
        good = joins(x, claim, load->pods[p], load->needs[p]);
    }
    if (!good) {
        emu_trial_undo(c, trial);
        arena_rewind(c->arena, mark);
        return false;
    }
    emu_claim_charge(c, claim);
    emu_trial_keep(c);
    launch(x, group, claim);
    return true;
}

/* Deals a node out to the smallest of the groups like this one that takes it. */
static void deal(struct scaler *x, const struct group *group, const struct load *load)
{
    VEC(uint32_t) tried = {0};
    for (;;) {
        uint32_t least = SCHED_NONE;
        for (uint32_t g = group->alike; g < x->n_groups; g++) {
            bool is_tried = x->groups[g].alike != group->alike;
            for (size_t i = 0; i < tried.n; i++) {
                is_tried = is_tried || tried.v[i] == g;
            }
            if (x->groups[g].entry_i != group->entry_i || x->groups[g].pool_i != group->pool_i) {
                break;
            }
            if (!is_tried && (least == SCHED_NONE || x->groups[g].size < x->groups[least].size)) {
                least = g;
            }
        }
        if (least == SCHED_NONE || launch_load(x, &x->groups[least], load)) {
            return;
        }
        VEC_PUSH(x->run.scratch, &tried, least);
    }
}

static struct load *keep_loads(struct scaler *x, const emu_claim_list *nodes)
{
    struct arena *arena = x->run.scratch;
    struct load *loads = ARENA_ARRAY(arena, struct load, nodes->n + 1);
    for (size_t i = 0; i < nodes->n; i++) {
        const struct emu_claim *claim = nodes->v[i];
        uint32_t *pods = ARENA_ARRAY(arena, uint32_t, claim->pods.n);
        uint32_t *needs = ARENA_ARRAY(arena, uint32_t, claim->pods.n);
        for (size_t p = 0; p < claim->pods.n; p++) {
            pods[p] = claim->pods.v[p];
            needs[p] = claim->needs.v[p];
        }
        loads[i] = (struct load){.n = (uint32_t)claim->pods.n, .pods = pods, .needs = needs};
    }
    return loads;
}

/* The estimate once more, balanced over the groups like it. Where balance leaves nobody a place
 * the nodes are all of the group itself, as estimated. */
static void scale_up(struct scaler *x, struct group *group)
{
    struct emu_claims *c = &x->run.claims;
    const uint32_t before = x->run.n_placed;
    struct emu_trial *trial;
    emu_claim_list nodes = {0};
    emu_trial_begin(c, &trial);
    fill_new(x, group, &nodes);
    const struct load *loads = keep_loads(x, &nodes);
    const size_t n = nodes.n;
    emu_trial_undo(c, trial);
    for (size_t i = 0; i < n; i++) {
        deal(x, group, &loads[i]);
    }
    if (x->run.n_placed == before) {
        nodes = (emu_claim_list){0};
        fill_new(x, group, &nodes);
        for (size_t i = 0; i < nodes.n; i++) {
            launch(x, group, nodes.v[i]);
        }
    }
    drop_placed(x);
}

bool emu_autoscaler(const struct sched_base *base, const struct emu_settings *settings,
                    struct arena *arena, struct emu_plan *ret_plan, struct err *err)
{
    struct arena scratch = ARENA_INIT;
    struct scaler x = {.settings = settings};
    *ret_plan = (struct emu_plan){.n_nodes = 0};
    bool good = emu_run_new(base, settings, &scratch, arena, &x.run, err);
    if (good) {
        emu_run_list_running(&x.run);
        make_groups(&x);
        make_kinds(&x);
        uint32_t group_i = SCHED_NONE;
        do {
            fill_known(&x);
            group_i = expand(&x);
            if (group_i != SCHED_NONE) {
                scale_up(&x, &x.groups[group_i]);
            }
        } while (group_i != SCHED_NONE);
        emu_run_copy_out(&x.run, arena, ret_plan);
    }
    arena_done(&scratch);
    return good;
}
