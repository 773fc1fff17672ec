/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A round of disruption as a plan for the snapshot in which its nodes leave. */
#include "binpack/emulate/disruption.h"

#include "base/arena.h"
#include "base/strtab.h"

/* Do the values that a variant chose agree with those of the round? Two snapshots may split a pool
 * into variants differently. */
static bool agrees(const struct k8s_pairs *choice, const struct k8s_pairs *wanted)
{
    for (uint32_t i = 0; i < choice->n; i++) {
        const strid value = k8s_pairs_get(wanted, choice->v[i].key);
        if (value != STRID_NONE && value != choice->v[i].value) {
            return false;
        }
    }
    return true;
}

static bool find_offer(const struct sched_offers *o, const struct emu_fresh *fresh,
                       uint32_t *ret_offer_i, struct err *err)
{
    for (uint32_t k = 0; k < o->n; k++) {
        const struct sched_offer *offer = &o->v[k];
        const struct sched_variant *variant = &o->variants.v[o->cells[offer->cell_i].variant_i];
        if (offer->type_i == fresh->offer.type_i && offer->zone_i == fresh->offer.zone_i &&
            offer->capacity_type == fresh->offer.capacity_type &&
            offer->reservation_id == fresh->offer.reservation_id &&
            variant->pool_i == fresh->pool_i && agrees(&variant->choice, &fresh->choice)) {
            *ret_offer_i = k;
            return true;
        }
    }
    return err_set(err, ERR_INTERNAL, "the emulated round launches what the plan cannot offer");
}

bool emu_plan_of_round(const struct sched_base *base, const struct disrupt_nodes *nodes,
                       const struct emu_round *round, struct arena *arena,
                       struct emu_plan *ret_plan, struct err *err)
{
    const struct sched_snapshot *s = base->snapshot;
    struct strtab *names = strtab_new(arena);
    uint32_t *node_of_id = ARENA_ARRAY(arena, uint32_t, s->n_nodes + 1);
    uint32_t *n_pods = ARENA_ARRAY(arena, uint32_t, round->n_fresh);
    uint32_t **pods = ARENA_ARRAY(arena, uint32_t *, round->n_fresh);
    struct emu_node *fresh = ARENA_ARRAY(arena, struct emu_node, round->n_fresh);
    struct sched_descent descent = {.rung = ARENA_ARRAY(arena, uint16_t, s->n_pending),
                                    .tier = ARENA_ARRAY(arena, uint16_t, s->n_pending),
                                    .loose = ARENA_ARRAY(arena, bool, s->n_pending),
                                    .in_some_order = true};
    *ret_plan = (struct emu_plan){.n_nodes = round->n_fresh,
                                  .nodes = fresh,
                                  .running_of = ARENA_ARRAY(arena, uint32_t, s->n_pending),
                                  .descent = descent};
    for (uint32_t n = 0; n < s->n_nodes; n++) {
        node_of_id[strtab_add(names, s->nodes[n].name)] = n;
    }
    for (uint32_t i = 0; i < s->n_pending; i++) {
        const struct emu_place *place = &round->place[s->pending[i]];
        ret_plan->running_of[i] = SCHED_NONE;
        descent.rung[i] = place->rung;
        descent.tier[i] = place->tier;
        if (place->fresh != SCHED_NONE) {
            n_pods[place->fresh]++;
        } else if (place->node != SCHED_NONE) {
            const strid id = strtab_find(names, nodes->v[place->node].name);
            if (id == STRID_NONE) {
                return err_set(err, ERR_INTERNAL,
                               "the emulated round uses a node that the plan does not have");
            }
            ret_plan->running_of[i] = node_of_id[id];
        } else {
            descent.rung[i] = SCHED_RUNG_OUT;
        }
    }
    for (uint32_t f = 0; f < round->n_fresh; f++) {
        uint32_t offer_i = 0;
        if (!find_offer(base->offers, &round->fresh[f], &offer_i, err)) {
            return false;
        }
        pods[f] = ARENA_ARRAY(arena, uint32_t, n_pods[f]);
        fresh[f] = (struct emu_node){.offer_i = offer_i,
                                     .n_pods = n_pods[f],
                                     .pods = pods[f],
                                     .n_options = round->fresh[f].n_options,
                                     .options = round->fresh[f].options};
        n_pods[f] = 0;
    }
    for (uint32_t i = 0; i < s->n_pending; i++) {
        const uint32_t f = round->place[s->pending[i]].fresh;
        if (f != SCHED_NONE) {
            pods[f][n_pods[f]++] = i;
        }
    }
    return true;
}
