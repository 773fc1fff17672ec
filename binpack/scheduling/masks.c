/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "binpack/scheduling/masks.h"

#include "base/arena.h"
#include "base/bitset.h"
#include "base/vec.h"
#include "binpack/scheduling/hostports.h"
#include "binpack/scheduling/taints.h"
#include "binpack/scheduling/vocab.h"

enum { SIGNATURE_MAX = 16 * 1024 * 1024 };

static void add_word(struct strbuf *out, uint32_t word)
{
    strbuf_add(out, (struct str){.p = (const char *)&word, .n = sizeof word});
}

void sched_node_kinds_new(const struct sched_offers *offers, struct arena *arena,
                          struct sched_node_kinds *ret_kinds)
{
    const struct sched_snapshot *s = offers->snapshot;
    const struct k8s_strids *keys = &offers->probes->keys;
    struct strtab *ids = strtab_new(arena);
    uint32_t *of_node = ARENA_ARRAY(arena, uint32_t, s->n_nodes);
    uint32_t *sample = ARENA_ARRAY(arena, uint32_t, s->n_nodes);
    uint32_t n = 0;
    for (uint32_t i = 0; i < s->n_nodes; i++) {
        const struct sched_node *node = &s->nodes[i];
        struct arena_mark mark = arena_mark(arena);
        struct strbuf text = strbuf_new(arena, SIGNATURE_MAX);
        add_word(&text, node->usable);
        add_word(&text, node->initialized);
        add_word(&text, node->waits);
        for (uint32_t k = 0; k < keys->n; k++) {
            add_word(&text, sched_label(s->vocab, &node->labels, keys->v[k]));
        }
        for (uint32_t t = 0; t < node->n_taints; t++) {
            add_word(&text, node->taints[t].key);
            add_word(&text, node->taints[t].value);
            add_word(&text, (uint32_t)node->taints[t].effect);
        }
        strid id = strtab_find(ids, strbuf_str(&text));
        if (id == STRID_NONE) {
            id = strtab_add(ids, strbuf_str(&text));
            sample[n++] = i;
        } else {
            arena_rewind(arena, mark);
        }
        of_node[i] = id - 1;
    }
    *ret_kinds = (struct sched_node_kinds){.n = n, .of_node = of_node, .sample = sample};
}

static void sign_reqs(struct strbuf *out, const struct sched_probes *probes,
                      const struct sched_conj *conj)
{
    add_word(out, conj->n);
    for (uint32_t i = 0; i < conj->n; i++) {
        add_word(out, sched_probe_find(probes, &conj->v[i]));
    }
}

/* What the answer depends on. */
static struct str signature(const struct sched_offers *offers, const struct sched_need *need,
                            struct strbuf *out)
{
    add_word(out, need->n_alternatives);
    for (uint32_t a = 0; a < need->n_alternatives; a++) {
        sign_reqs(out, offers->probes, &need->alternatives[a]);
    }
    add_word(out, need->prefer_taints);
    add_word(out, need->from);
    add_word(out, need->n_tolerations);
    for (uint32_t t = 0; t < need->n_tolerations; t++) {
        const struct k8s_toleration *toleration = &need->tolerations[t];
        add_word(out, toleration->key);
        add_word(out, toleration->value);
        add_word(out, (uint32_t)toleration->op);
        add_word(out, (uint32_t)toleration->effect);
    }
    for (uint32_t p = 0; p < need->n_ports; p++) {
        add_word(out, need->ports[p].ip);
        add_word(out, need->ports[p].protocol);
        add_word(out, (uint32_t)need->ports[p].port);
    }
    return strbuf_str(out);
}

static void answer_cells(const struct sched_offers *o, const struct sched_need *need,
                         struct arena *arena, uint64_t *cells)
{
    const struct sched_snapshot *s = o->snapshot;
    sched_cells_admitted(o, need->n_alternatives, need->alternatives, arena, cells);
    bool *tolerated = ARENA_ARRAY(arena, bool, s->n_pools);
    bool *sells_spot = ARENA_ARRAY(arena, bool, o->variants.n);
    for (uint32_t c = 0; c < o->n_cells; c++) {
        bool spot = o->cells[c].capacity_type == CAT_SPOT;
        sells_spot[o->cells[c].variant_i] = sells_spot[o->cells[c].variant_i] || spot;
    }
    for (uint32_t p = 0; p < s->n_pools; p++) {
        const struct karp_nodepool *pool = s->pools[p].pool;
        tolerated[p] = sched_untolerated(need->n_tolerations, need->tolerations, pool->n_taints,
                                         pool->taints, need->prefer_taints) == NULL;
    }
    for (size_t c = bits_next(cells, o->n_cells, 0); c < o->n_cells;
         c = bits_next(cells, o->n_cells, c + 1)) {
        const struct sched_cell *cell = &o->cells[c];
        const struct sched_overhead *overhead = &o->overheads[cell->overhead_i];
        bool barred = (need->from & SCHED_NO_NEW_SPOT) != 0 && sells_spot[cell->variant_i];
        if (barred || !tolerated[o->variants.v[cell->variant_i].pool_i] ||
            sched_port_lists_conflict(s->vocab, need->ports, need->n_ports, overhead->ports,
                                      overhead->n_ports, NULL)) {
            bits_clear(cells, c);
        }
    }
}

/* May pods that come from such a node go to this running one? */
static bool welcomes(const struct sched_node *node, uint8_t from)
{
    uint8_t kind = from & SCHED_LEAVE_MASK;
    bool merges = kind == SCHED_MERGES || kind == SCHED_OPENS;
    return (node->initialized || (kind != SCHED_DRIFTS && !merges)) && (!node->waits || !merges);
}

static void answer_kinds(const struct sched_offers *o, const struct sched_node_kinds *kinds,
                         const struct sched_need *need, uint64_t *bits)
{
    const struct sched_snapshot *s = o->snapshot;
    for (uint32_t k = 0; k < kinds->n; k++) {
        const struct sched_node *node = &s->nodes[kinds->sample[k]];
        if (node->usable && welcomes(node, need->from) &&
            sched_untolerated(need->n_tolerations, need->tolerations, node->n_taints, node->taints,
                              need->prefer_taints) == NULL &&
            sched_node_matches(s, &node->labels, need->n_alternatives, need->alternatives)) {
            bits_set(bits, k);
        }
    }
}

void sched_masks_new(const struct sched_offers *offers, const struct sched_node_kinds *kinds,
                     const struct sched_needs *needs, struct arena *arena,
                     struct sched_masks *ret_masks)
{
    struct strtab *asked = strtab_new(arena), *answered = strtab_new(arena);
    uint32_t *of_need = ARENA_ARRAY(arena, uint32_t, needs->n);
    VEC(uint32_t) answer_of = {0}; /* by question */
    VEC(struct sched_mask) masks = {0};
    size_t cell_words = bits_words(offers->n_cells), kind_words = bits_words(kinds->n);
    for (uint32_t i = 0; i < needs->n; i++) {
        const struct sched_need *need = &needs->v[i];
        struct arena_mark mark = arena_mark(arena);
        struct strbuf text = strbuf_new(arena, SIGNATURE_MAX);
        struct str question = signature(offers, need, &text);
        strid id = strtab_find(asked, question);
        if (id != STRID_NONE) {
            of_need[i] = answer_of.v[id - 1];
            arena_rewind(arena, mark);
            continue;
        }
        (void)strtab_add(asked, question);
        uint64_t *bits = ARENA_ARRAY(arena, uint64_t, cell_words + kind_words + 1);
        answer_cells(offers, need, arena, bits);
        answer_kinds(offers, kinds, need, bits + cell_words);
        strid answer =
            strtab_add(answered, (struct str){.p = (const char *)bits,
                                              .n = (cell_words + kind_words + 1) * sizeof *bits});
        if (answer - 1 == masks.n) {
            VEC_PUSH(arena, &masks, (struct sched_mask){.cells = bits, .kinds = bits + cell_words});
        }
        VEC_PUSH(arena, &answer_of, answer - 1);
        of_need[i] = answer - 1;
    }
    *ret_masks = (struct sched_masks){
        .offers = offers, .kinds = kinds, .n = (uint32_t)masks.n, .v = masks.v, .of_need = of_need};
}

bool sched_mask_node(const struct sched_masks *masks, const struct sched_mask *mask,
                     const struct sched_need *need, uint32_t node_i)
{
    const struct sched_snapshot *s = masks->offers->snapshot;
    const struct sched_node *node = &s->nodes[node_i];
    return bits_get(mask->kinds, masks->kinds->of_node[node_i]) &&
           (need->n_ports == 0 || node->n_ports == 0 ||
            !sched_port_lists_conflict(s->vocab, need->ports, need->n_ports, node->ports,
                                       node->n_ports, NULL));
}

/* ---- alone */

strid sched_offer_label(const struct sched_offers *o, const struct sched_offer *offer, strid key)
{
    if (sched_part_of(o->snapshot, key) == SCHED_PART_TYPE) {
        return sched_label(o->snapshot->vocab, &o->snapshot->catalog->types[offer->type_i].labels,
                           key);
    }
    return sched_cell_label(o, &o->cells[offer->cell_i], key);
}

static uint32_t distinct_values(const struct sched_offers *o, const uint32_t *offers, uint32_t n,
                                strid key, struct arena *scratch)
{
    struct strtab *seen = strtab_new(scratch);
    for (uint32_t i = 0; i < n; i++) {
        strid value = sched_offer_label(o, &o->v[offers[i]], key);
        if (value != STRID_NONE) {
            (void)strtab_add(seen, (struct str){.p = (const char *)&value, .n = sizeof value});
        }
    }
    return strtab_count(seen) - 1;
}

bool sched_variety_met(const struct sched_offers *o, const struct karp_nodepool *pool,
                       const uint32_t *offers, uint32_t n, struct arena *scratch,
                       const struct k8s_requirement **ret_req, uint32_t *ret_found)
{
    for (uint32_t r = 0; r < pool->n_requirements; r++) {
        const struct k8s_requirement *req = &pool->requirements[r];
        if (!req->min_values.has) {
            continue;
        }
        *ret_req = req;
        *ret_found =
            distinct_values(o, offers, n, sched_key(o->snapshot->vocab, req->key), scratch);
        if (*ret_found < (uint32_t)req->min_values.v) {
            return false;
        }
    }
    return true;
}

static bool pool_holds(const struct sched_masks *masks, const struct sched_dims *dims,
                       const struct sched_mask *mask, const int64_t *size, uint32_t pool_i,
                       struct arena *scratch)
{
    const struct sched_offers *o = masks->offers;
    const struct karp_nodepool *pool = o->snapshot->pools[pool_i].pool;
    bool strict = false;
    for (uint32_t r = 0; r < pool->n_requirements && !o->snapshot->settings.best_effort_min_values;
         r++) {
        strict = strict || pool->requirements[r].min_values.has;
    }
    uint32_t from = dims->pool_from[pool_i], to = dims->pool_from[pool_i + 1], n = 0;
    uint32_t *fitting = strict ? ARENA_ARRAY(scratch, uint32_t, to - from) : NULL;
    for (uint32_t k = from; k < to; k++) {
        if (!bits_get(dims->usable, k) || !bits_get(mask->cells, o->v[k].cell_i) ||
            !sched_dims_fit(dims, size, dims->offer_capacity + (size_t)k * dims->n)) {
            continue;
        }
        if (!strict) {
            return true;
        }
        fitting[n++] = k;
    }
    const struct k8s_requirement *req = NULL;
    uint32_t found = 0;
    return n > 0 && sched_variety_met(o, pool, fitting, n, scratch, &req, &found);
}

void sched_mask_alone(const struct sched_masks *masks, const struct sched_dims *dims,
                      const struct sched_needs *needs, uint32_t need_i, uint32_t from_tier,
                      struct arena *scratch, uint32_t *ret_tier, bool *ret_running)
{
    const struct sched_snapshot *s = masks->offers->snapshot;
    const struct sched_need *need = &needs->v[need_i];
    const struct sched_mask *mask = &masks->v[masks->of_need[need_i]];
    int64_t size[BP_MAX_DIMS];
    sched_dims_size(dims, need, size);
    *ret_tier = SCHED_TIER_NONE;
    *ret_running = false;
    if (bits_any(mask->kinds, bits_words(masks->kinds->n))) {
        for (uint32_t i = 0; i < s->n_nodes && !*ret_running; i++) {
            *ret_running = sched_mask_node(masks, mask, need, i) &&
                           sched_dims_node_pays(dims, need, i) &&
                           sched_dims_fit(dims, size, dims->node_capacity + (size_t)i * dims->n);
        }
    }
    struct arena_mark mark = arena_mark(scratch);
    for (uint32_t p = 0; p < s->n_pools && *ret_tier == SCHED_TIER_NONE; p++) {
        if (s->pools[p].tier >= from_tier && pool_holds(masks, dims, mask, size, p, scratch)) {
            *ret_tier = s->pools[p].tier;
        }
    }
    arena_rewind(scratch, mark);
}
