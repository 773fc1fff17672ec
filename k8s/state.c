/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "k8s/state.h"

#include <assert.h>
#include <string.h>

#include "base/arena.h"
#include "base/limits.h"
#include "base/pool.h"
#include "base/vec.h"
#include "k8s/decode.h"
#include "k8s/key.h"

enum {
    FIRST_OBJECTS = 64,
    FIRST_SLOTS = 128,
    SETTLE = 256 /* changes that are copied at a time, so that a freeze has never many to copy */
};

/* What an object points to. */
struct block {
    void *p; /* NULL: it points to nothing */
    uint32_t size;
};

/* One array that grows without leaving its old copies behind. */
struct array {
    struct arena arena;
    void *v;
};

struct objects {
    struct array values, blocks, dirty; /* [cap]; dirty: bool, changed since the last freeze */
    uint32_t n, cap;
    struct array slots; /* uint32_t[n_slots], open addressing: 1 + index, 0 is free */
    size_t n_slots;
    struct array frozen; /* [frozen_cap] values of the last freeze */
    uint32_t n_frozen, frozen_cap;
    VEC(uint32_t) changed; /* indexes that are dirty, in `changed_arena` */
    struct arena changed_arena;
};

struct k8s_state {
    struct arena arena; /* words, shapes, pool; for ever */
    struct arena scratch, measure;
    struct strtab *tab, *names;
    struct k8s_words words;
    struct k8s_shapes *shapes;
    struct pool pool;
    struct objects objects[N_STORES];
    bool is_frozen;
    VEC(struct block) later; /* to be given back when nothing is frozen, in `later_arena` */
    struct arena later_arena;
};

static void array_resize(struct array *array, size_t old_bytes, size_t bytes)
{
    struct array next = {.arena = ARENA_INIT};
    next.v = arena_alloc(&next.arena, bytes);
    if (old_bytes > 0) {
        memcpy(next.v, array->v, old_bytes);
    }
    arena_done(&array->arena);
    *array = next;
}

struct k8s_state *k8s_state_new(void)
{
    struct arena arena = ARENA_INIT;
    struct k8s_state *state = ARENA_NEW(&arena, struct k8s_state);
    state->arena = arena;
    state->tab = strtab_new(&state->arena);
    state->names = strtab_new(&state->arena);
    state->shapes = k8s_shapes_new(&state->arena);
    state->pool = pool_new(&state->arena);
    k8s_words_init(&state->words, state->tab);
    return state;
}

/* ---- blocks ---- */

/* Blocks of more than POOL_MAX_BYTES are an arena of their own, whose struct is in the pool. */
static void *block_take(struct k8s_state *state, size_t size)
{
    if (size <= POOL_MAX_BYTES) {
        return pool_take(&state->pool, size);
    }
    struct arena *own = pool_take(&state->pool, sizeof *own);
    *own = ARENA_INIT;
    (void)arena_alloc(own, size);
    return own;
}

static void *block_bytes(const struct block *block)
{
    return block->size <= POOL_MAX_BYTES
               ? block->p
               : (void *)(((struct arena *)block->p)->at - (((size_t)block->size + 15) & ~15UL));
}

static void block_give(struct k8s_state *state, const struct block *block)
{
    if (block->p == NULL) {
        return;
    }
    if (state->is_frozen) {
        VEC_PUSH(&state->later_arena, &state->later, *block);
    } else if (block->size <= POOL_MAX_BYTES) {
        pool_give(&state->pool, block->p, block->size);
    } else {
        arena_done(block->p);
        pool_give(&state->pool, block->p, sizeof(struct arena));
    }
}

/* ---- by name ---- */

static char *at(const struct objects *o, enum k8s_store store, uint32_t i)
{
    return (char *)o->values.v + (size_t)i * k8s_stores[store].size;
}

/* The slot of the key, or the free one where it belongs; there are slots. */
static size_t slot_of(const struct objects *o, enum k8s_store store, const struct k8s_key *key)
{
    const uint32_t *slots = o->slots.v;
    size_t slot = k8s_key_slot(key, o->n_slots);
    for (; slots[slot] != 0; slot = (slot + 1) & (o->n_slots - 1)) {
        struct k8s_key other = k8s_key_of(store, at(o, store, slots[slot] - 1));
        if (k8s_key_eq(&other, key)) {
            break;
        }
    }
    return slot;
}

static uint32_t find(const struct objects *o, enum k8s_store store, const struct k8s_key *key)
{
    if (o->n_slots == 0) {
        return UINT32_MAX;
    }
    const uint32_t *slots = o->slots.v;
    uint32_t i = slots[slot_of(o, store, key)];
    return i == 0 ? UINT32_MAX : i - 1;
}

/* Empties a slot and moves those behind it that would no longer be found. */
static void slot_clear(struct objects *o, enum k8s_store store, size_t slot)
{
    uint32_t *slots = o->slots.v;
    const size_t mask = o->n_slots - 1;
    slots[slot] = 0;
    for (size_t next = (slot + 1) & mask; slots[next] != 0; next = (next + 1) & mask) {
        struct k8s_key key = k8s_key_of(store, at(o, store, slots[next] - 1));
        size_t home = k8s_key_slot(&key, o->n_slots);
        if (((next - home) & mask) >= ((next - slot) & mask)) {
            slots[slot] = slots[next];
            slots[next] = 0;
            slot = next;
        }
    }
}

static void grow_slots(struct objects *o, enum k8s_store store)
{
    o->n_slots = o->n_slots == 0 ? (size_t)FIRST_SLOTS : o->n_slots * 2;
    array_resize(&o->slots, 0, o->n_slots * sizeof(uint32_t));
    for (uint32_t i = 0; i < o->n; i++) {
        struct k8s_key key = k8s_key_of(store, at(o, store, i));
        ((uint32_t *)o->slots.v)[slot_of(o, store, &key)] = i + 1;
    }
}

/* ---- changes ---- */

static void mark_dirty(struct objects *o, uint32_t i)
{
    bool *dirty = o->dirty.v;
    if (!dirty[i]) {
        dirty[i] = true;
        VEC_PUSH(&o->changed_arena, &o->changed, i);
    }
}

static uint32_t freeze_objects(struct objects *o, enum k8s_store store)
{
    const size_t size = k8s_stores[store].size;
    bool *dirty = o->dirty.v;
    uint32_t n_copied = 0;
    if (o->frozen_cap < o->n) {
        array_resize(&o->frozen, o->n_frozen * size, o->cap * size);
        o->frozen_cap = o->cap;
    }
    for (size_t k = 0; k < o->changed.n; k++) {
        uint32_t i = o->changed.v[k];
        dirty[i] = false;
        if (i < o->n) {
            memcpy((char *)o->frozen.v + i * size, at(o, store, i), size);
            n_copied++;
        }
    }
    o->n_frozen = o->n;
    arena_done(&o->changed_arena);
    memset(&o->changed, 0, sizeof o->changed);
    return n_copied;
}

/* Copies ahead of the next freeze. */
static void settle(struct k8s_state *state, enum k8s_store store)
{
    if (!state->is_frozen && state->objects[store].changed.n >= SETTLE) {
        (void)freeze_objects(&state->objects[store], store);
    }
}

static void make_room(struct objects *o, enum k8s_store store)
{
    const size_t size = k8s_stores[store].size;
    if (o->n == o->cap) {
        uint32_t cap = o->cap == 0 ? (uint32_t)FIRST_OBJECTS : o->cap * 2;
        array_resize(&o->values, o->n * size, cap * size);
        array_resize(&o->blocks, o->n * sizeof(struct block), cap * sizeof(struct block));
        array_resize(&o->dirty, o->n * sizeof(bool), cap * sizeof(bool));
        o->cap = cap;
    }
    if (((size_t)o->n + 1) * 2 > o->n_slots) {
        grow_slots(o, store);
    }
}

static void replace(struct k8s_state *state, enum k8s_store store, const void *object,
                    struct block block)
{
    struct objects *o = &state->objects[store];
    const struct k8s_key key = k8s_key_of(store, object);
    uint32_t i = find(o, store, &key);
    if (i == UINT32_MAX) {
        make_room(o, store);
        i = o->n;
        memcpy(at(o, store, i), object, k8s_stores[store].size);
        ((uint32_t *)o->slots.v)[slot_of(o, store, &key)] = i + 1;
        o->n++;
    } else {
        memcpy(at(o, store, i), object, k8s_stores[store].size);
        block_give(state, &((struct block *)o->blocks.v)[i]);
    }
    ((struct block *)o->blocks.v)[i] = block;
    mark_dirty(o, i);
    settle(state, store);
}

/* The last object takes the place of the one that goes. */
static void drop(struct k8s_state *state, enum k8s_store store, uint32_t i)
{
    struct objects *o = &state->objects[store];
    struct block *blocks = o->blocks.v;
    const struct block block = blocks[i];
    const uint32_t last = o->n - 1;
    struct k8s_key key = k8s_key_of(store, at(o, store, i));
    slot_clear(o, store, slot_of(o, store, &key));
    if (i != last) {
        struct k8s_key moved = k8s_key_of(store, at(o, store, last));
        ((uint32_t *)o->slots.v)[slot_of(o, store, &moved)] = i + 1;
        memcpy(at(o, store, i), at(o, store, last), k8s_stores[store].size);
        blocks[i] = blocks[last];
        mark_dirty(o, i);
    }
    o->n = last;
    block_give(state, &block);
    settle(state, store);
}

static struct k8s_key key_of_identity(const struct k8s_state *state, const struct k8s_kind *kind,
                                      const struct k8s_identity *id)
{
    const struct str ns = id->ns.n > 0 ? id->ns : STR("default");
    return (struct k8s_key){.ns = kind->namespaced ? strtab_find(state->tab, ns) : STRID_EMPTY,
                            .name = id->name,
                            .workload = kind->workload};
}

static uint32_t find_identity(const struct k8s_state *state, const struct k8s_kind *kind,
                              const struct k8s_identity *id)
{
    const struct k8s_key key = key_of_identity(state, kind, id);
    return find(&state->objects[kind->store], kind->store, &key);
}

/* The object that was decoded is the one that was meant. */
static bool check_identity(const struct k8s_state *state, const struct k8s_kind *kind,
                           const struct k8s_identity *id, const void *object, struct err *err)
{
    const struct k8s_key want = key_of_identity(state, kind, id),
                         has = k8s_key_of(kind->store, object);
    return (want.ns == has.ns && str_eq(want.name, has.name)) ||
           err_set(err, ERR_INVALID, "metadata: \"" STR_FMT "/" STR_FMT "\" is another object",
                   STR_ARG(strtab_str(state->tab, has.ns)), STR_ARG(has.name));
}

void k8s_state_remove(struct k8s_state *state, const struct k8s_kind *kind,
                      const struct k8s_identity *id)
{
    uint32_t i = find_identity(state, kind, id);
    if (i != UINT32_MAX) {
        drop(state, kind->store, i);
    }
}

static bool check_caps(const struct k8s_state *state, const struct k8s_kind *kind, struct err *err)
{
    if (kind->store == STORE_PODS && state->objects[STORE_PODS].n >= LIMIT_PODS) {
        return err_set(err, ERR_LIMIT, "more than %d pods (LIMIT_PODS)", (int)LIMIT_PODS);
    }
    if (strtab_count(state->tab) > LIMIT_VOCABULARY) {
        return err_set(err, ERR_LIMIT, "more than %d distinct words (LIMIT_VOCABULARY)",
                       (int)LIMIT_VOCABULARY);
    }
    return true;
}

/* Decodes twice: to see how much room the object takes, and into a block of that size. */
bool k8s_state_put(struct k8s_state *state, const struct k8s_kind *kind,
                   const struct k8s_identity *id, const json_t *object, struct err *err)
{
    const size_t size = k8s_stores[kind->store].size;
    const struct json_at root = json_at_root(object);
    const struct json_at version_at = json_at_member(&root, "apiVersion");
    struct opt_wall newest = {.has = false};
    struct str version = STR_EMPTY;
    struct err ignored;
    bool closed = false, has = false;
    arena_reset(&state->scratch);
    arena_reset(&state->measure);
    struct k8s_decoder decoder = {.arena = &state->measure,
                                  .scratch = &state->scratch,
                                  .tab = state->tab,
                                  .names = state->names,
                                  .words = &state->words,
                                  .shapes = state->shapes,
                                  .newest = &newest};
    if (!json_read_str(&version_at, &has, &version, &ignored)) {
        version = STR_EMPTY;
    }
    void *value = arena_alloc(&state->scratch, size);
    bool good = check_caps(state, kind, err) &&
                k8s_decode(&decoder, kind, version, &root, value, &closed, err);
    if ((!good && !closed) || !check_identity(state, kind, id, value, err)) {
        k8s_state_remove(state, kind, id);
        return err_wrap(err, "%s " STR_FMT "%s" STR_FMT, kind->name, STR_ARG(id->ns),
                        id->ns.n > 0 ? "/" : "", STR_ARG(id->name));
    }
    struct block block = {.size = (uint32_t)state->measure.used_bytes};
    if (block.size > 0) {
        block.p = block_take(state, block.size);
        char *bytes = block_bytes(&block);
        struct arena exact = {.at = bytes, .end = bytes + block.size};
        decoder.arena = &exact;
        memset(value, 0, size);
        bool again = k8s_decode(&decoder, kind, version, &root, value, &closed, &ignored);
        assert((again || closed) && exact.head == NULL);
    }
    replace(state, kind->store, value, block);
    return good ||
           err_wrap(err, "%s " STR_FMT "/" STR_FMT, kind->name, STR_ARG(id->ns), STR_ARG(id->name));
}

/* ---- looking ---- */

const void *k8s_state_find(const struct k8s_state *state, const struct k8s_kind *kind,
                           const struct k8s_identity *id)
{
    uint32_t i = find_identity(state, kind, id);
    return i == UINT32_MAX ? NULL : at(&state->objects[kind->store], kind->store, i);
}

uint32_t k8s_state_count(const struct k8s_state *state, enum k8s_store store)
{
    return state->objects[store].n;
}

const void *k8s_state_at(const struct k8s_state *state, enum k8s_store store, uint32_t i)
{
    assert(i < state->objects[store].n);
    return at(&state->objects[store], store, i);
}

struct strtab *k8s_state_tab(struct k8s_state *state)
{
    return state->tab;
}

const struct k8s_words *k8s_state_words(const struct k8s_state *state)
{
    return &state->words;
}

size_t k8s_state_bytes(const struct k8s_state *state)
{
    size_t bytes = state->arena.held_bytes + state->scratch.held_bytes + state->measure.held_bytes +
                   state->later_arena.held_bytes;
    for (int store = 0; store < N_STORES; store++) {
        const struct objects *o = &state->objects[store];
        bytes += o->values.arena.held_bytes + o->blocks.arena.held_bytes +
                 o->dirty.arena.held_bytes + o->slots.arena.held_bytes +
                 o->frozen.arena.held_bytes + o->changed_arena.held_bytes;
    }
    return bytes;
}

/* ---- freezing ---- */

void k8s_state_freeze(struct k8s_state *state, struct k8s_frozen *ret_frozen,
                      uint32_t *ret_n_copied)
{
    uint32_t n_copied = 0;
    assert(!state->is_frozen);
    state->is_frozen = true;
    *ret_frozen = (struct k8s_frozen){.words = strtab_mark(state->tab),
                                      .shapes = k8s_shapes_mark(state->shapes)};
    for (int store = 0; store < N_STORES; store++) {
        struct objects *o = &state->objects[store];
        n_copied += freeze_objects(o, (enum k8s_store)store);
        ret_frozen->objects[store].v = o->frozen.v;
        ret_frozen->objects[store].n = o->n_frozen;
    }
    if (ret_n_copied != NULL) {
        *ret_n_copied = n_copied;
    }
}

void k8s_state_thaw(struct k8s_state *state)
{
    state->is_frozen = false;
    for (size_t i = 0; i < state->later.n; i++) {
        block_give(state, &state->later.v[i]);
    }
    arena_done(&state->later_arena);
    memset(&state->later, 0, sizeof state->later);
}

void k8s_state_free(struct k8s_state *state)
{
    if (state == NULL) {
        return;
    }
    k8s_state_thaw(state);
    for (int store = 0; store < N_STORES; store++) {
        struct objects *o = &state->objects[store];
        for (uint32_t i = 0; i < o->n; i++) {
            block_give(state, &((struct block *)o->blocks.v)[i]);
        }
        arena_done(&o->values.arena);
        arena_done(&o->blocks.arena);
        arena_done(&o->dirty.arena);
        arena_done(&o->slots.arena);
        arena_done(&o->frozen.arena);
        arena_done(&o->changed_arena);
    }
    arena_done(&state->scratch);
    arena_done(&state->measure);
    struct arena arena = state->arena;
    arena_done(&arena);
}
