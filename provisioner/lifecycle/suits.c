/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The instance types that a NodeClaim may be launched as (karp-aws: instance filters, Truncate). */
#include <stdlib.h>

#include "binpack/scheduling/probes.h"
#include "binpack/scheduling/resources.h"
#include "provisioner/lifecycle/launch_impl.h"

enum { TYPES_MAX = 60 /* (karp-aws: maxInstanceTypes) */, ZONES_MAX = 64 };

struct chooser {
    struct request *r;
    struct sched_reqs reqs;
    struct k8s_resources asked; /* of the claim, less what only NodeOverlays give */
    enum cat_capacity_type capacity_type;
    uint64_t zones; /* with a subnet, and that the claim allows: a bit each */
};

static bool holds(const struct chooser *c, strid key, strid value)
{
    const struct sched_req *req = sched_reqs_find(c->reqs, key);
    return req == NULL || sched_req_holds(c->r->view->vocab, req, value);
}

/* ---- zones ---- */

static uint64_t zones_of(const struct chooser *c)
{
    const struct lifecycle_view *view = c->r->view;
    const struct k8s_words *words = view->vocab->words;
    const struct aws_nodeclass *class = c->r->known;
    uint64_t zones = 0;
    for (uint32_t z = 0; z < view->catalog->n_zones && z < ZONES_MAX; z++) {
        const struct cat_zone *zone = &view->catalog->zones[z];
        for (uint32_t i = 0; i < class->n_subnets; i++) {
            const strid id =
                class->subnets[i].zone_id != STRID_EMPTY ? class->subnets[i].zone_id : zone->id;
            if (class->subnets[i].zone == zone->name && holds(c, words->zone, zone->name) &&
                holds(c, words->zone_id, id == STRID_EMPTY ? STRID_NONE : id)) {
                zones |= UINT64_C(1) << z;
            }
        }
    }
    return zones;
}

/* ---- capacity types ---- */

/* Reserved is only what a claim names as such. */
static bool capacity_type_holds(const struct chooser *c)
{
    const struct k8s_words *words = c->r->view->vocab->words;
    const struct sched_req *req = sched_reqs_find(c->reqs, words->capacity_type);
    switch (c->capacity_type) {
    case CAT_RESERVED:
        return req != NULL && !req->complement && holds(c, words->capacity_type, words->reserved);
    case CAT_SPOT:
        return holds(c, words->capacity_type, words->spot);
    case CAT_ON_DEMAND:
        break;
    }
    return holds(c, words->capacity_type, words->on_demand);
}

/* Whether the catalogue or the class has a reservation with an instance left that the claim allows.
 */
static bool is_reserved(const struct chooser *c, const struct cat_type *type, uint32_t zone_i)
{
    const struct lifecycle_view *view = c->r->view;
    const struct aws_nodeclass *class = c->r->known;
    const strid key = view->vocab->words->reservation_id;
    for (uint32_t i = 0; i < type->n_offerings; i++) {
        const struct cat_offering *o = &type->offerings[i];
        if (o->capacity_type == CAT_RESERVED && o->zone_i == zone_i && o->available &&
            o->reservation_count > 0 && holds(c, key, o->reservation_id)) {
            return true;
        }
    }
    for (uint32_t i = 0; i < class->n_reservations; i++) {
        const struct aws_reservation_status *of = &class->reservations[i];
        if (of->instance_type == type->name && of->zone == view->catalog->zones[zone_i].name &&
            of->available.has && of->available.v > 0 &&
            holds(c, key, strtab_find(view->tab, of->id))) {
            return true;
        }
    }
    return false;
}

/* What is reserved is bought as on-demand and falls to the open reservation. */
static bool is_offered(const struct chooser *c, const struct cat_type *type,
                       const struct cat_offering *o)
{
    const bool reserved = c->capacity_type == CAT_RESERVED;
    return o->capacity_type == (reserved ? CAT_ON_DEMAND : c->capacity_type) && o->price.has &&
           o->available && o->zone_i < ZONES_MAX && (c->zones >> o->zone_i & 1) != 0 &&
           (!reserved || is_reserved(c, type, o->zone_i));
}

/* ---- types ---- */

/* Labels that no type has (of the NodePool, of the people) are given to the node and ask nothing.
 */
static bool labels_hold(const struct chooser *c, const struct cat_type *type)
{
    const struct sched_vocab *vocab = c->r->view->vocab;
    for (uint32_t i = 0; i < c->reqs.n; i++) {
        const struct sched_req *req = &c->reqs.v[i];
        if (sched_key_part(vocab, req->key) == SCHED_PART_TYPE &&
            !sched_req_holds(vocab, req, sched_label(vocab, &type->labels, req->key))) {
            return false;
        }
    }
    return true;
}

static bool os_holds(const struct chooser *c)
{
    const struct lifecycle_view *view = c->r->view;
    const struct k8s_words *words = view->vocab->words;
    const bool windows = cat_class_os(c->r->known, view->tab) == CAT_WINDOWS;
    return holds(c, words->os, windows ? words->os_windows : words->os_linux);
}

/* A resource that an overlay gives is in no type of the catalogue; the plan has counted it. */
static bool is_overlaid(const struct lifecycle_view *view, strid resource)
{
    for (uint32_t i = 0; i < k8s_state_count(view->state, STORE_OVERLAYS); i++) {
        const struct karp_overlay *overlay = k8s_state_at(view->state, STORE_OVERLAYS, i);
        if (k8s_resources_has(&overlay->capacity, resource)) {
            return true;
        }
    }
    return false;
}

static struct k8s_resources asked_of(const struct request *r)
{
    const struct k8s_resources *all = &r->claim->requests;
    struct k8s_quantity *v = ARENA_ARRAY(r->arena, struct k8s_quantity, all->n + 1);
    uint32_t n = 0;
    for (uint32_t i = 0; i < all->n; i++) {
        if (!is_overlaid(r->view, all->v[i].resource)) {
            v[n++] = all->v[i];
        }
    }
    return (struct k8s_resources){.n = n, .v = v};
}

/* Adds the type when it suits. */
static void consider(struct chooser *c, const struct cat_type *type)
{
    const struct lifecycle_view *view = c->r->view;
    struct launch_type suits = {.type = type, .price = INT64_MAX};
    struct cat_room room;
    for (uint32_t i = 0; i < type->n_offerings; i++) {
        const struct cat_offering *o = &type->offerings[i];
        if (is_offered(c, type, o)) {
            suits.zones |= UINT64_C(1) << o->zone_i;
            suits.price = o->price.v < suits.price ? o->price.v : suits.price;
        }
    }
    if (suits.zones == 0 || !labels_hold(c, type) ||
        !cat_type_compatible(type, c->r->known, view->tab)) {
        return;
    }
    cat_type_room(type, c->r->known, &view->cat, view->tab, view->vocab->words, c->r->arena, &room);
    if (sched_resources_fit(c->asked, room.allocatable, NULL)) {
        suits.max_pods = k8s_resources_get(&room.capacity, view->vocab->words->pods);
        VEC_PUSH(c->r->arena, &c->r->types, suits);
    }
}

/* The list of instance types in the order of the claim; NULL: it has none. */
static const struct k8s_requirement *list_of(const struct request *r)
{
    const struct karp_nodeclaim *claim = r->claim;
    for (uint32_t i = 0; i < claim->n_requirements; i++) {
        if (claim->requirements[i].op == K8S_IN &&
            sched_key(r->view->vocab, claim->requirements[i].key) ==
                r->view->vocab->words->instance_type) {
            return &claim->requirements[i];
        }
    }
    return NULL;
}

static void consider_all(struct chooser *c, const struct k8s_requirement *list)
{
    const struct lifecycle_view *view = c->r->view;
    c->r->types.n = 0;
    for (uint32_t i = 0; list != NULL && i < list->values.n; i++) {
        const struct cat_type *type = cat_find(view->catalog, view->tab, list->values.v[i]);
        if (type != NULL) {
            consider(c, type);
        }
    }
    for (uint32_t i = 0; list == NULL && i < view->catalog->n_types; i++) {
        consider(c, &view->catalog->types[i]);
    }
}

/* ---- the choice ---- */

bool suits_has_label(const struct request *r, const struct cat_type *type, const char *key)
{
    const strid id = strtab_find(r->view->tab, str_of(key));
    return id != STRID_NONE && k8s_pairs_get(&type->labels, id) != STRID_NONE;
}

/* Nobody who has not named them means bare metal and accelerators, as long as there is something
 * else (karp-aws: the exotic filter). */
static void drop_exotic(struct request *r)
{
    struct launch_type *plain = ARENA_ARRAY(r->arena, struct launch_type, r->types.n + 1);
    size_t n = 0;
    for (size_t i = 0; i < r->types.n; i++) {
        const struct cat_type *type = r->types.v[i].type;
        if (!type->bare_metal &&
            !suits_has_label(r, type, "karpenter.k8s.aws/instance-gpu-count") &&
            !suits_has_label(r, type, "karpenter.k8s.aws/instance-accelerator-count")) {
            plain[n++] = r->types.v[i];
        }
    }
    for (size_t i = 0; i < n; i++) {
        r->types.v[i] = plain[i];
    }
    r->types.n = n > 0 ? n : r->types.n;
}

/* The cheapest first; at the same price by name, which is the catalogue's order. */
static int by_price(const void *a, const void *b)
{
    const struct launch_type *x = a, *y = b;
    return x->price != y->price ? (x->price < y->price ? -1 : 1)
                                : (x->type > y->type) - (x->type < y->type);
}

void suits_choose(struct request *r)
{
    static const enum cat_capacity_type in_turn[] = {CAT_RESERVED, CAT_SPOT, CAT_ON_DEMAND};
    const struct k8s_requirement *list = list_of(r);
    struct chooser c = {.r = r,
                        .reqs = sched_reqs_of(r->view->vocab, r->arena, r->claim->n_requirements,
                                              r->claim->requirements),
                        .asked = asked_of(r)};
    c.zones = os_holds(&c) ? zones_of(&c) : 0;
    r->types.n = 0;
    r->capacity_type = STR("on-demand");
    for (size_t i = 0; i < sizeof in_turn / sizeof in_turn[0] && r->types.n == 0; i++) {
        c.capacity_type = in_turn[i];
        if (capacity_type_holds(&c)) {
            r->capacity_type = c.capacity_type == CAT_SPOT ? STR("spot") : STR("on-demand");
            consider_all(&c, list);
        }
    }
    if (list == NULL) {
        drop_exotic(r);
    }
    if (r->types.n > 1 && (list == NULL || r->types.n > TYPES_MAX)) {
        qsort(r->types.v, r->types.n, sizeof *r->types.v, by_price);
    }
    r->types.n = r->types.n < TYPES_MAX ? r->types.n : TYPES_MAX;
}
