/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "binpack/emulate/claims.h"

#include "base/arena.h"
#include "base/bitset.h"
#include "binpack/scheduling/hostports.h"

#include <string.h>

static const struct sched_offers *offers_of(const struct emu_claims *c)
{
    return c->asks->base->offers;
}

const int64_t *emu_offer_capacity(const struct emu_claims *c, uint32_t offer_i)
{
    const struct sched_dims *dims = &c->asks->base->dims;
    const int64_t *all = c->exact_claims ? dims->whole_offer_capacity : dims->offer_capacity;
    return all + (size_t)offer_i * dims->n;
}

static const int64_t *entry_capacity(const struct emu_claims *c, const struct emu_entry *entry)
{
    return emu_offer_capacity(c, entry->from);
}

static struct str bytes_of(const strid *id)
{
    return (struct str){.p = (const char *)id, .n = sizeof *id};
}

uint32_t emu_reservation_of(const struct emu_claims *c, const struct sched_offer *offer)
{
    return offer->capacity_type == CAT_RESERVED
               ? strtab_find(c->reservations, bytes_of(&offer->reservation_id)) - 1
               : SCHED_NONE;
}

static uint32_t n_reservations(const struct emu_claims *c)
{
    return (uint32_t)strtab_count(c->reservations) - 1; /* It knows the empty text, too. */
}

/* ---- set up */

/* Offers of one type that no capacity tells apart are neighbours. */
static bool same_entry(const struct emu_claims *c, uint32_t a, uint32_t b)
{
    const struct sched_offers *o = offers_of(c);
    const struct sched_cell *x = &o->cells[o->v[a].cell_i], *y = &o->cells[o->v[b].cell_i];
    return o->v[a].type_i == o->v[b].type_i && o->v[a].room_i == o->v[b].room_i &&
           x->variant_i == y->variant_i && x->overhead_i == y->overhead_i;
}

static void make_pool(struct emu_claims *c, uint32_t pool_i, struct emu_pool *pool)
{
    const struct sched_base *base = c->asks->base;
    const struct sched_offers *o = base->offers;
    const struct sched_snapshot *s = base->snapshot;
    VEC(struct emu_entry) entries = {0};
    uint64_t *cells = ARENA_ARRAY(c->arena, uint64_t, c->cell_words);
    for (uint32_t k = base->dims.pool_from[pool_i]; k < base->dims.pool_from[pool_i + 1]; k++) {
        if (!bits_get(base->dims.usable, k)) {
            continue;
        }
        bits_set(cells, o->v[k].cell_i);
        struct emu_entry *last = entries.n > 0 ? &entries.v[entries.n - 1] : NULL;
        if (last != NULL && last->from + last->n == k && same_entry(c, last->from, k)) {
            last->n++;
        } else {
            VEC_PUSH(c->arena, &entries, (struct emu_entry){.from = k, .n = 1});
        }
    }
    *pool =
        (struct emu_pool){.n_entries = (uint32_t)entries.n, .entries = entries.v, .cells = cells};
    const struct karp_nodepool *of = s->pools[pool_i].pool;
    for (uint32_t r = 0; r < of->n_requirements && !s->settings.best_effort_min_values; r++) {
        pool->counts_values = pool->counts_values || of->requirements[r].min_values.has;
    }
}

void emu_claims_new(const struct emu_asks *asks, struct emu_domains *domains, struct arena *arena,
                    struct emu_claims *ret_claims)
{
    const struct sched_offers *o = asks->base->offers;
    const struct sched_snapshot *s = o->snapshot;
    struct emu_claims *c = ret_claims;
    *c = (struct emu_claims){.asks = asks,
                             .domains = domains,
                             .arena = arena,
                             .cell_words = bits_words(o->n_cells),
                             .pools = ARENA_ARRAY(arena, struct emu_pool, s->n_pools),
                             .reservations = strtab_new(arena)};
    size_t most = 0;
    for (uint32_t p = 0; p < s->n_pools; p++) {
        make_pool(c, p, &c->pools[p]);
        most = c->pools[p].n_entries > most ? c->pools[p].n_entries : most;
    }
    for (uint32_t k = 0; k < o->n; k++) {
        if (o->v[k].capacity_type == CAT_RESERVED) {
            (void)strtab_add(c->reservations, bytes_of(&o->v[k].reservation_id));
        }
    }
    c->cells = ARENA_ARRAY(arena, uint64_t, c->cell_words);
    c->entries = ARENA_ARRAY(arena, uint64_t, bits_words(most) + 1);
    c->held = ARENA_ARRAY(arena, uint64_t, bits_words(n_reservations(c)) + 1);
    c->reserved_left = ARENA_ARRAY(arena, int64_t, n_reservations(c));
    c->reservations_open = ARENA_ARRAY(arena, uint64_t, bits_words(n_reservations(c)) + 1);
    emu_claims_recount(c, 0, NULL);
}

static struct emu_claim *claim_blank(struct emu_claims *c, uint32_t node_i)
{
    const uint32_t n_dims = c->asks->base->dims.n;
    struct emu_claim *claim = ARENA_NEW(c->arena, struct emu_claim);
    *claim =
        (struct emu_claim){.node_i = node_i,
                           .used = ARENA_ARRAY(c->arena, int64_t, n_dims),
                           .room = ARENA_ARRAY(c->arena, int64_t, n_dims),
                           .host = emu_domains_host(c->domains, node_i, c->arena),
                           .refused = ARENA_ARRAY(c->arena, uint64_t,
                                                  bits_words(c->asks->first[c->asks->needs.n]) + 1),
                           .offer_i = SCHED_NONE};
    return claim;
}

struct emu_claim *emu_claim_of_node(struct emu_claims *c, uint32_t node_i)
{
    const struct sched_dims *dims = &c->asks->base->dims;
    struct emu_claim *claim = claim_blank(c, node_i);
    const int64_t *all = c->exact_claims ? dims->whole_node_capacity : dims->node_capacity;
    memcpy(claim->room, all + (size_t)node_i * dims->n, dims->n * sizeof *claim->room);
    return claim;
}

/* Would one more machine of the entry break a limit of the pool? */
static bool exceeds(const struct emu_claims *c, const struct emu_pool *pool,
                    const struct emu_entry *entry)
{
    const struct sched_offers *o = offers_of(c);
    const struct k8s_resources *capacity = &o->rooms[o->v[entry->from].room_i].room.capacity;
    for (uint32_t r = 0; r < pool->left.n; r++) {
        const struct k8s_quantity *left = &pool->left.v[r];
        int64_t use = left->resource == o->snapshot->words->nodes
                          ? 1
                          : k8s_resources_get(capacity, left->resource);
        if (use > left->value) {
            return true;
        }
    }
    return false;
}

void emu_claim_room(const struct emu_claims *c, struct emu_claim *claim)
{
    const struct emu_pool *pool = &c->pools[claim->pool_i];
    const uint32_t n_dims = c->asks->base->dims.n;
    memset(claim->room, 0, n_dims * sizeof *claim->room);
    for (size_t e = bits_next(claim->entries, pool->n_entries, 0); e < pool->n_entries;
         e = bits_next(claim->entries, pool->n_entries, e + 1)) {
        const int64_t *capacity = entry_capacity(c, &pool->entries[e]);
        for (uint32_t d = 0; d < n_dims; d++) {
            claim->room[d] = capacity[d] > claim->room[d] ? capacity[d] : claim->room[d];
        }
    }
}

struct emu_claim *emu_claim_new(struct emu_claims *c, uint32_t pool_i)
{
    const struct emu_pool *pool = &c->pools[pool_i];
    struct emu_claim *claim = claim_blank(c, SCHED_NONE);
    bool any = false;
    claim->pool_i = pool_i;
    claim->cells = ARENA_ARRAY(c->arena, uint64_t, c->cell_words);
    memcpy(claim->cells, pool->cells, c->cell_words * sizeof *claim->cells);
    claim->entries = ARENA_ARRAY(c->arena, uint64_t, bits_words(pool->n_entries) + 1);
    for (uint32_t e = 0; e < pool->n_entries; e++) {
        if (!exceeds(c, pool, &pool->entries[e])) {
            bits_set(claim->entries, e);
            any = true;
        }
    }
    emu_claim_room(c, claim);
    return any ? claim : NULL;
}

/* ---- joining */

/* Is the offering to be had in this pass? A reservation that is used up is not. */
static bool is_open(const struct emu_claims *c, const struct sched_offer *offer)
{
    uint32_t reservation = emu_reservation_of(c, offer);
    return reservation == SCHED_NONE || bits_get(c->reservations_open, reservation);
}

static bool has_cell(const struct emu_claims *c, const struct emu_entry *entry,
                     const uint64_t *cells)
{
    const struct sched_offers *o = offers_of(c);
    for (uint32_t k = entry->from; k < entry->from + entry->n; k++) {
        if (bits_get(cells, o->v[k].cell_i) && is_open(c, &o->v[k])) {
            return true;
        }
    }
    return false;
}

/* Entries of the claim that hold `size` more in one of the cells, into c->entries. */
static bool filter_entries(const struct emu_claims *c, const struct emu_claim *claim,
                           const int64_t *size, const uint64_t *cells)
{
    const struct emu_pool *pool = &c->pools[claim->pool_i];
    const uint32_t n_dims = c->asks->base->dims.n;
    const bool narrowed = !bits_equal(cells, claim->cells, c->cell_words);
    const bool fresh = claim->pods.n == 0;
    bool any = false;
    memset(c->entries, 0, (bits_words(pool->n_entries) + 1) * sizeof *c->entries);
    for (size_t e = bits_next(claim->entries, pool->n_entries, 0); e < pool->n_entries;
         e = bits_next(claim->entries, pool->n_entries, e + 1)) {
        const int64_t *capacity = entry_capacity(c, &pool->entries[e]);
        bool fits = true;
        for (uint32_t d = 0; d < n_dims && fits; d++) {
            fits = claim->used[d] + size[d] <= capacity[d];
        }
        if (fits && ((!narrowed && !fresh) || has_cell(c, &pool->entries[e], cells))) {
            bits_set(c->entries, e);
            any = true;
        }
    }
    return any;
}

/* Enough distinct values for minValues among what is left? */
static bool shows_variety(struct emu_claims *c, const struct emu_claim *claim)
{
    const struct emu_pool *pool = &c->pools[claim->pool_i];
    const struct sched_offers *o = offers_of(c);
    const struct karp_nodepool *of = o->snapshot->pools[claim->pool_i].pool;
    struct arena_mark mark = arena_mark(c->arena);
    VEC(uint32_t) left = {0};
    for (size_t e = bits_next(c->entries, pool->n_entries, 0); e < pool->n_entries;
         e = bits_next(c->entries, pool->n_entries, e + 1)) {
        for (uint32_t k = 0; k < pool->entries[e].n; k++) {
            uint32_t offer_i = pool->entries[e].from + k;
            if (bits_get(c->cells, o->v[offer_i].cell_i)) {
                VEC_PUSH(c->arena, &left, offer_i);
            }
        }
    }
    const struct k8s_requirement *req = NULL;
    uint32_t found = 0;
    bool good = sched_variety_met(o, of, left.v, (uint32_t)left.n, c->arena, &req, &found);
    arena_rewind(c->arena, mark);
    return good;
}

bool emu_claim_shows_variety(struct emu_claims *c, const struct emu_claim *claim)
{
    if (!c->pools[claim->pool_i].counts_values) {
        return true;
    }
    memcpy(c->cells, claim->cells, c->cell_words * sizeof *c->cells);
    memcpy(c->entries, claim->entries,
           bits_words(c->pools[claim->pool_i].n_entries) * sizeof *c->entries);
    return shows_variety(c, claim);
}

/* Which reservations what is left could use, into c->held; true when there are any. */
static bool reservations_left(struct emu_claims *c, const struct emu_claim *claim)
{
    const struct emu_pool *pool = &c->pools[claim->pool_i];
    const struct sched_offers *o = offers_of(c);
    size_t words = bits_words(n_reservations(c)) + 1;
    memset(c->held, 0, words * sizeof *c->held);
    for (size_t e = bits_next(c->entries, pool->n_entries, 0); e < pool->n_entries;
         e = bits_next(c->entries, pool->n_entries, e + 1)) {
        for (uint32_t k = 0; k < pool->entries[e].n; k++) {
            const struct sched_offer *offer = &o->v[pool->entries[e].from + k];
            uint32_t reservation = emu_reservation_of(c, offer);
            if (reservation != SCHED_NONE && is_open(c, offer) &&
                bits_get(c->cells, offer->cell_i)) {
                bits_set(c->held, reservation);
            }
        }
    }
    return bits_any(c->held, words);
}

/* A claim keeps one machine of every reservation it could still use, and gives back what it no
 * longer can; one that could use reservations keeps at least one. */
static bool hold_reservations(struct emu_claims *c, struct emu_claim *claim)
{
    const uint32_t n = n_reservations(c);
    if (n == 0 || claim->offer_i != SCHED_NONE || !reservations_left(c, claim)) {
        return claim->held == NULL;
    }
    bool any = false;
    for (uint32_t r = 0; r < n; r++) {
        bool may = claim->held != NULL ? bits_get(claim->held, r) : c->reserved_left[r] > 0;
        if (bits_get(c->held, r) && !may) {
            bits_clear(c->held, r);
        }
        any = any || bits_get(c->held, r);
    }
    if (!any) {
        return false;
    }
    const bool fresh = claim->held == NULL;
    if (fresh) {
        claim->held = ARENA_ARRAY(c->arena, uint64_t, bits_words(n) + 1);
    }
    for (uint32_t r = 0; r < n; r++) {
        bool had = !fresh && bits_get(claim->held, r), has = bits_get(c->held, r);
        c->reserved_left[r] += (had && !has) - (!had && has);
    }
    memcpy(claim->held, c->held, (bits_words(n) + 1) * sizeof *claim->held);
    return true;
}

static bool ports_conflict(const struct emu_claims *c, const struct emu_claim *claim,
                           const struct sched_need *need)
{
    return need->n_ports > 0 && claim->ports.n > 0 &&
           sched_port_lists_conflict(offers_of(c)->snapshot->vocab, need->ports, need->n_ports,
                                     claim->ports.v, (uint32_t)claim->ports.n, NULL);
}

static bool is_too_large(const struct emu_claims *c, const struct emu_claim *claim,
                         const int64_t *size)
{
    for (uint32_t d = 0; d < c->asks->base->dims.n; d++) {
        if (claim->used[d] + size[d] > claim->room[d]) {
            return true;
        }
    }
    return false;
}

static bool is_attached(const struct emu_claims *c, const struct emu_claim *claim, uint32_t volume)
{
    const struct sched_dims *dims = &c->asks->base->dims;
    bool is = false;
    for (uint32_t i = 0; i < dims->n_paid && claim->node_i != SCHED_NONE; i++) {
        is = is || (dims->paid[i] == volume &&
                    bits_get(dims->attached + (size_t)i * dims->node_words, claim->node_i));
    }
    for (size_t p = 0; p < claim->needs.n && !is; p++) {
        const struct sched_need *need = &c->asks->needs.v[claim->needs.v[p]];
        for (uint32_t k = 0; k < need->n_claims; k++) {
            is = is || need->claims[k].volume == volume;
        }
    }
    return is;
}

/* What the pod takes of the machine as it stands; `room` is [BP_MAX_DIMS] for an answer of its own.
 */
static const int64_t *size_there(const struct emu_claims *c, const struct emu_claim *claim,
                                 uint32_t need_i, int64_t *room)
{
    const struct sched_dims *dims = &c->asks->base->dims;
    const struct sched_need *need = &c->asks->needs.v[need_i];
    if (!c->exact_claims || need->n_claims == 0) {
        return c->asks->size + (size_t)need_i * dims->n;
    }
    sched_dims_size_least(dims, need, room);
    for (uint32_t k = 0; k < need->n_claims; k++) {
        const bool has = is_attached(c, claim, need->claims[k].volume);
        for (uint32_t d = 0; d < dims->n && !has; d++) {
            room[d] += dims->v[d].attach && dims->v[d].name == need->claims[k].driver;
        }
    }
    return room;
}

static void take_in(struct emu_claims *c, struct emu_claim *claim, uint32_t pending_i,
                    uint32_t need_i)
{
    const struct emu_asks *a = c->asks;
    const struct sched_need *need = &a->needs.v[need_i];
    int64_t own[BP_MAX_DIMS];
    const int64_t *size = size_there(c, claim, need_i, own);
    emu_trial_note(c, claim);
    for (uint32_t d = 0; d < a->base->dims.n; d++) {
        claim->used[d] += size[d];
    }
    for (uint32_t p = 0; p < need->n_ports; p++) {
        VEC_PUSH(c->arena, &claim->ports, need->ports[p]);
    }
    VEC_PUSH(c->arena, &claim->pods, pending_i);
    VEC_PUSH(c->arena, &claim->needs, need_i);
    emu_domains_record(c->domains, claim->node_i, claim->cells, claim->host, need_i);
}

static enum emu_answer join_node(struct emu_claims *c, struct emu_claim *claim, uint32_t pending_i,
                                 uint32_t need_i, uint32_t ask_i)
{
    const struct sched_masks *masks = &c->asks->masks;
    const struct sched_need *need = &c->asks->needs.v[need_i];
    if (!sched_mask_node(masks, &masks->v[masks->of_need[ask_i]], need, claim->node_i) ||
        (!c->exact_claims && !sched_dims_node_pays(&c->asks->base->dims, need, claim->node_i)) ||
        ports_conflict(c, claim, need)) {
        bits_set(claim->refused, ask_i);
        return EMU_NO;
    }
    if (!emu_domains_admit_node(c->domains, claim->node_i, claim->host, need_i)) {
        return EMU_NO;
    }
    take_in(c, claim, pending_i, need_i);
    return EMU_YES;
}

enum emu_answer emu_claim_join(struct emu_claims *c, struct emu_claim *claim, uint32_t pending_i,
                               uint32_t need_i, uint32_t ask_i)
{
    const struct sched_masks *masks = &c->asks->masks;
    int64_t own[BP_MAX_DIMS];
    const int64_t *size = size_there(c, claim, need_i, own);
    if (claim->out) {
        return EMU_NO;
    }
    if (claim->epoch != c->epoch) {
        claim->epoch = c->epoch;
        memset(claim->refused, 0,
               (bits_words(c->asks->first[c->asks->needs.n]) + 1) * sizeof *claim->refused);
    }
    if (bits_get(claim->refused, ask_i)) {
        return EMU_NO;
    }
    if (is_too_large(c, claim, size)) {
        if (size != own) { /* What others attach first makes it smaller. */
            bits_set(claim->refused, ask_i);
        }
        return EMU_NO;
    }
    if (claim->node_i != SCHED_NONE) {
        return join_node(c, claim, pending_i, need_i, ask_i);
    }
    memcpy(c->cells, claim->cells, c->cell_words * sizeof *c->cells);
    bits_and(c->cells, masks->v[masks->of_need[ask_i]].cells, c->cell_words);
    if (!bits_any(c->cells, c->cell_words) || ports_conflict(c, claim, &c->asks->needs.v[need_i]) ||
        !filter_entries(c, claim, size, c->cells)) {
        if (size != own) {
            bits_set(claim->refused, ask_i);
        }
        return EMU_NO;
    }
    struct arena_mark mark = arena_mark(c->arena);
    uint64_t *asked = ARENA_ARRAY(c->arena, uint64_t, c->cell_words);
    memcpy(asked, c->cells, c->cell_words * sizeof *asked);
    bool admitted =
        emu_domains_admit_claim(c->domains, claim->host, need_i, asked, c->cells) &&
        (bits_equal(asked, c->cells, c->cell_words) || filter_entries(c, claim, size, c->cells)) &&
        (!c->pools[claim->pool_i].counts_values || claim->offer_i != SCHED_NONE ||
         shows_variety(c, claim));
    arena_rewind(c->arena, mark);
    if (!admitted) {
        return EMU_NO;
    }
    if (!hold_reservations(c, claim)) {
        return EMU_RESERVED;
    }
    memcpy(claim->cells, c->cells, c->cell_words * sizeof *c->cells);
    memcpy(claim->entries, c->entries,
           bits_words(c->pools[claim->pool_i].n_entries) * sizeof *c->entries);
    emu_claim_room(c, claim);
    take_in(c, claim, pending_i, need_i);
    if (claim->offer_i != SCHED_NONE) {
        emu_claim_settle(c, claim);
    }
    return EMU_YES;
}

enum emu_answer emu_claim_grow(struct emu_claims *c, struct emu_claim *claim, uint32_t pending_i,
                               uint32_t need_i, uint32_t ask_i, uint32_t options_max)
{
    const struct emu_pool *pool = &c->pools[claim->pool_i];
    const struct sched_dims *dims = &c->asks->base->dims;
    if (claim->node_i != SCHED_NONE || pool->left.n > 0 ||
        emu_reservation_of(c, &offers_of(c)->v[claim->offer_i]) != SCHED_NONE) {
        return EMU_NO;
    }
    const struct emu_claim before = *claim;
    struct arena_mark mark = arena_mark(c->arena);
    claim->offer_i = SCHED_NONE;
    claim->refused =
        ARENA_ARRAY(c->arena, uint64_t, bits_words(c->asks->first[c->asks->needs.n]) + 1);
    claim->entries = ARENA_ARRAY(c->arena, uint64_t, bits_words(pool->n_entries) + 1);
    for (uint32_t e = 0; e < pool->n_entries; e++) {
        if (has_cell(c, &pool->entries[e], claim->cells) &&
            sched_dims_fit(dims, claim->used, entry_capacity(c, &pool->entries[e]))) {
            bits_set(claim->entries, e);
        }
    }
    emu_claim_room(c, claim);
    enum emu_answer answer = emu_claim_join(c, claim, pending_i, need_i, ask_i);
    if (answer == EMU_YES) {
        claim->n_options = 0;
        emu_claim_launch(c, claim, options_max, NULL);
    } else {
        *claim = before;
        emu_claim_room(c, claim);
        arena_rewind(c->arena, mark);
    }
    return answer;
}

/* ---- limits */

static void charge(struct emu_claims *c, struct emu_pool *pool, const struct emu_claim *claim)
{
    const struct sched_offers *o = offers_of(c);
    struct k8s_quantity *left = ARENA_ARRAY(c->arena, struct k8s_quantity, pool->left.n);
    for (uint32_t r = 0; r < pool->left.n; r++) {
        left[r] = pool->left.v[r];
        int64_t most = left[r].resource == o->snapshot->words->nodes ? 1 : 0;
        for (size_t e = bits_next(claim->entries, pool->n_entries, 0); e < pool->n_entries;
             e = bits_next(claim->entries, pool->n_entries, e + 1)) {
            int64_t has = k8s_resources_get(
                &o->rooms[o->v[pool->entries[e].from].room_i].room.capacity, left[r].resource);
            most = has > most ? has : most;
        }
        left[r].value -= most;
    }
    pool->left.v = left;
}

void emu_claim_charge(struct emu_claims *c, const struct emu_claim *claim)
{
    if (c->pools[claim->pool_i].left.n > 0) {
        charge(c, &c->pools[claim->pool_i], claim);
    }
}

void emu_claim_launch_at_once(struct emu_claims *c, struct emu_claim *claim, uint32_t options_max,
                              struct rng *draw)
{
    for (size_t p = 0; p < claim->needs.n; p++) {
        emu_domains_take_back(c->domains, SCHED_NONE, claim->cells, claim->host, claim->needs.v[p]);
    }
    for (uint32_t r = 0; r < n_reservations(c) && claim->held != NULL; r++) {
        c->reserved_left[r] += bits_get(claim->held, r);
    }
    emu_claim_launch(c, claim, options_max, draw);
    for (size_t p = 0; p < claim->needs.n; p++) {
        emu_domains_record(c->domains, SCHED_NONE, claim->cells, claim->host, claim->needs.v[p]);
    }
    emu_claim_charge(c, claim);
    const uint32_t reservation = emu_reservation_of(c, &offers_of(c)->v[claim->offer_i]);
    if (reservation != SCHED_NONE && --c->reserved_left[reservation] == 0) {
        bits_clear(c->reservations_open, reservation);
    }
}

void emu_claims_recount(struct emu_claims *c, uint32_t n, struct emu_claim *const *all)
{
    const struct sched_offers *o = offers_of(c);
    for (uint32_t p = 0; p < o->snapshot->n_pools; p++) {
        c->pools[p].left = o->snapshot->pools[p].limits_left;
    }
    for (uint32_t k = 0; k < o->n; k++) {
        uint32_t reservation = emu_reservation_of(c, &o->v[k]);
        if (reservation != SCHED_NONE) {
            c->reserved_left[reservation] = o->v[k].reservation_count;
        }
    }
    emu_domains_reset(c->domains);
    for (uint32_t i = 0; i < n; i++) {
        struct emu_claim *claim = all[i];
        claim->host = emu_domains_host(c->domains, claim->node_i, c->arena);
        for (size_t p = 0; p < claim->needs.n; p++) {
            emu_domains_record(c->domains, claim->node_i, claim->cells, claim->host,
                               claim->needs.v[p]);
        }
        if (claim->node_i != SCHED_NONE) {
            continue;
        }
        emu_claim_charge(c, claim);
        uint32_t reservation = emu_reservation_of(c, &o->v[claim->offer_i]);
        if (reservation != SCHED_NONE) {
            c->reserved_left[reservation]--;
        }
    }
    for (uint32_t r = 0; r < n_reservations(c); r++) {
        bits_clear(c->reservations_open, r);
        if (c->reserved_left[r] > 0) {
            bits_set(c->reservations_open, r);
        }
    }
}
