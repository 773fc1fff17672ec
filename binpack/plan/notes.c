/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "binpack/plan/notes.h"

#include "base/arena.h"
#include "base/vec.h"
#include "binpack/scheduling/eligibility.h"

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
    for (uint32_t i = 0; i < s->n_nodes; i++) {
        const struct sched_node *node = &s->nodes[i];
        strid zone = k8s_pairs_get(&node->labels, s->words->zone);
        strid capacity = k8s_pairs_get(&node->labels, s->words->capacity_type);
        enum cat_capacity_type want = capacity == s->words->spot       ? CAT_SPOT
                                      : capacity == s->words->reserved ? CAT_RESERVED
                                                                       : CAT_ON_DEMAND;
        struct opt_usd price = {.has = false};
        for (uint32_t k = 0; node->type != NULL && k < node->type->n_offerings; k++) {
            const struct cat_offering *offering = &node->type->offerings[k];
            if (offering->capacity_type == want &&
                s->catalog->zones[offering->zone_i].name == zone) {
                price = offering->price;
            }
        }
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

static int note_cmp(const void *a, const void *b)
{
    const struct plan_note *x = a, *y = b;
    int order = str_cmp(x->code, y->code);
    return order != 0 ? order : str_cmp(x->message, y->message);
}

void notes_add(struct assembly *a)
{
    struct note_list notes = {0};
    count_running(a);
    count_ignored(a);
    note_prices(a, &notes);
    note_pools(a, &notes);
    note_overlays(a, &notes);
    note_claims(a, &notes);
    note_reservations(a, &notes);
    if (notes.n > 0) {
        qsort(notes.v, notes.n, sizeof *notes.v, note_cmp);
    }
    a->plan->notes = notes.v;
    a->plan->n_notes = (uint32_t)notes.n;
}
