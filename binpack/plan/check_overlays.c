/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What NodeOverlays make of prices and amounts (behaviour of Karpenter v1.14). */
#include "binpack/plan/check_world.h"

#include "base/arena.h"

static bool overlay_matches(const struct check_world *world, const struct karp_overlay *overlay,
                            const struct k8s_pairs *labels)
{
    for (uint32_t i = 0; i < overlay->n_requirements; i++) {
        const struct k8s_requirement *r = &overlay->requirements[i];
        if (!check_match_expression(world, r, k8s_pairs_get(labels, r->key))) {
            return false;
        }
    }
    return true;
}

/* Heaviest first, then name descending. `after` NULL starts. */
static const struct karp_overlay *next_overlay(const struct check_world *world,
                                               const struct karp_overlay *after)
{
    const struct karp_overlay *best = NULL;
    for (uint32_t i = 0; i < world->cluster->n_overlays; i++) {
        const struct karp_overlay *o = &world->cluster->overlays[i];
        bool later = after == NULL || o->weight < after->weight ||
                     (o->weight == after->weight && str_cmp(o->meta.name, after->meta.name) < 0);
        bool better = best == NULL || o->weight > best->weight ||
                      (o->weight == best->weight && str_cmp(o->meta.name, best->meta.name) > 0);
        if (later && better) {
            best = o;
        }
    }
    return best;
}

usd_t check_overlaid_price(const struct check_world *world, usd_t price,
                           const struct k8s_pairs *labels)
{
    const struct karp_overlay *o =
        world->settings->ignore_overlays ? NULL : next_overlay(world, NULL);
    for (; o != NULL; o = next_overlay(world, o)) {
        if (!(o->has_price || o->has_adjustment) || !overlay_matches(world, o, labels)) {
            continue;
        }
        usd_t changed =
            o->has_price ? o->price
            : o->adjustment_is_percent
                ? sat_add(price, muldiv_floor(price, o->adjustment, 100 * INT64_C(1000000)))
                : sat_add(price, o->adjustment);
        return changed < 0 ? 0 : changed;
    }
    return price;
}

/* `first` with what only `second` names. */
static struct k8s_resources completed(struct check_world *world, const struct k8s_resources *first,
                                      const struct k8s_resources *second)
{
    struct k8s_quantity *v = ARENA_ARRAY(world->arena, struct k8s_quantity, first->n + second->n);
    uint32_t n = 0, i = 0, j = 0;
    while (i < first->n || j < second->n) {
        if (j == second->n || (i < first->n && first->v[i].resource <= second->v[j].resource)) {
            j += j < second->n && first->v[i].resource == second->v[j].resource;
            v[n++] = first->v[i++];
        } else {
            v[n++] = second->v[j++];
        }
    }
    return (struct k8s_resources){.n = n, .v = v};
}

static int64_t huge_pages_of(const struct check_world *world, const struct k8s_resources *resources)
{
    int64_t sum = 0;
    for (uint32_t i = 0; i < resources->n; i++) {
        bool huge = str_starts(strtab_str(world->tab, resources->v[i].resource), STR("hugepages-"));
        sum = sat_add(sum, huge ? resources->v[i].value : 0);
    }
    return sum;
}

/* What overlays state, of several the heaviest, stands instead of the type's amounts; huge pages
 * are cut from the memory that pods can use. */
void check_overlaid_capacity(struct check_world *world, struct check_node *node)
{
    const struct karp_overlay *o =
        world->settings->ignore_overlays ? NULL : next_overlay(world, NULL);
    struct k8s_resources stated = {0};
    for (; o != NULL; o = next_overlay(world, o)) {
        if (o->capacity.n > 0 && overlay_matches(world, o, &node->labels)) {
            stated = completed(world, &stated, &o->capacity);
        }
    }
    if (stated.n == 0) {
        return;
    }
    const int64_t before = huge_pages_of(world, &node->capacity);
    node->capacity = completed(world, &stated, &node->capacity);
    node->alloc = completed(world, &stated, &node->alloc);
    const int64_t more = sat_sub(huge_pages_of(world, &node->capacity), before);
    struct k8s_quantity *v = ARENA_ARRAY(world->arena, struct k8s_quantity, node->alloc.n);
    for (uint32_t i = 0; i < node->alloc.n; i++) {
        v[i] = node->alloc.v[i];
        if (v[i].resource == world->words->memory && more != 0) {
            const int64_t left = sat_sub(v[i].value, more);
            v[i].value = left > 0 ? left : 0;
        }
    }
    node->alloc.v = v;
}
