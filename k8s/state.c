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
    FIRST_SLOTS = 128,
    SETTLE = 256 /* changes that are copied at a time, so that a freeze has never many to copy */
};

/* What an object points to. */
struct block {
    void *p; /* NULL: it points to nothing */
    uint32_t size;
};

/* Elements of one size in segments of K8S_SEGMENT: growing moves none of them, since copying a
 * hundred thousand pods would make the loop stand still. */
struct segments {
    struct arena arena;
    char **v; /* [n], each [K8S_SEGMENT] elements, zero at first */
    uint32_t n, cap;
};

/* With its hash, so that a table that grows looks at no object. */
struct slot {
    uint32_t index; /* 1 + that of the object; 0 is free */
    uint32_t hash;
};

/* What goes with the value of each object. */
struct keep {
    struct block block;
    bool dirty; /* changed since the last freeze */
};

struct objects {
    struct segments values, keeps; /* [n]; keeps: struct keep */
    uint32_t n;
    struct slot *slots; /* [n_slots] in `slots_arena`, open addressing */
    struct arena slots_arena;
    size_t n_slots;
    struct segments frozen; /* [n_frozen] values of the last freeze */
    uint32_t n_frozen;
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

/* Room for n elements of `size`. */
static void segments_make_room(struct segments *segments, size_t size, uint32_t n)
{
    while (segments->n * (uint32_t)K8S_SEGMENT < n) {
        if (segments->n == segments->cap) {
            const uint32_t cap = segments->cap == 0 ? 4 : segments->cap * 2;
            segments->v =
                arena_grow(&segments->arena, (void *)segments->v,
                           segments->cap * sizeof *segments->v, cap * sizeof *segments->v);
            segments->cap = cap;
        }
        segments->v[segments->n++] = arena_calloc(&segments->arena, K8S_SEGMENT, size);
    }
}

static void *segments_at(const struct segments *segments, size_t size, uint32_t i)
{
    return segments->v[i / K8S_SEGMENT] + (i % K8S_SEGMENT) * size;
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

static void *at(const struct objects *o, enum k8s_store store, uint32_t i)
{
    return segments_at(&o->values, k8s_stores[store].size, i);
}

static struct keep *keep_at(const struct objects *o, uint32_t i)
{
    return segments_at(&o->keeps, sizeof(struct keep), i);
}

/* The slot of the key, or the free one where it belongs; there are slots. */
static size_t slot_of(const struct objects *o, enum k8s_store store, const struct k8s_key *key)
{
    const uint32_t hash = k8s_key_hash(key);
    size_t slot = hash & (o->n_slots - 1);
    for (; o->slots[slot].index != 0; slot = (slot + 1) & (o->n_slots - 1)) {
        if (o->slots[slot].hash != hash) {
            continue;
        }
        struct k8s_key other = k8s_key_of(store, at(o, store, o->slots[slot].index - 1));
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
    uint32_t i = o->slots[slot_of(o, store, key)].index;
    return i == 0 ? UINT32_MAX : i - 1;
}

/* Empties a slot and moves those behind it that would no longer be found. */
static void slot_clear(struct objects *o, size_t slot)
{
    const size_t mask = o->n_slots - 1;
    o->slots[slot].index = 0;
    for (size_t next = (slot + 1) & mask; o->slots[next].index != 0; next = (next + 1) & mask) {
        size_t home = o->slots[next].hash & mask;
        if (((next - home) & mask) >= ((next - slot) & mask)) {
            o->slots[slot] = o->slots[next];
            o->slots[next].index = 0;
            slot = next;
        }
    }
}

static void grow_slots(struct objects *o)
{
    const struct slot *old = o->slots;
    const size_t n_old = o->n_slots;
    struct arena old_arena = o->slots_arena;
    o->slots_arena = (struct arena)ARENA_INIT;
    o->n_slots = n_old == 0 ? (size_t)FIRST_SLOTS : n_old * 2;
    o->slots = ARENA_ARRAY(&o->slots_arena, struct slot, o->n_slots);
    for (size_t i = 0; i < n_old; i++) {
        size_t slot = old[i].hash & (o->n_slots - 1);
        while (old[i].index != 0 && o->slots[slot].index != 0) {
            slot = (slot + 1) & (o->n_slots - 1);
        }
        if (old[i].index != 0) {
            o->slots[slot] = old[i];
        }
    }
    arena_done(&old_arena);
}

/* ---- changes ---- */

static void mark_dirty(struct objects *o, uint32_t i)
{
    struct keep *keep = keep_at(o, i);
    if (!keep->dirty) {
        keep->dirty = true;
        VEC_PUSH(&o->changed_arena, &o->changed, i);
    }
}

static uint32_t freeze_objects(struct objects *o, enum k8s_store store)
{
    const size_t size = k8s_stores[store].size;
    uint32_t n_copied = 0;
    segments_make_room(&o->frozen, size, o->n);
    for (size_t k = 0; k < o->changed.n; k++) {
        uint32_t i = o->changed.v[k];
        keep_at(o, i)->dirty = false;
        if (i < o->n) {
            memcpy(segments_at(&o->frozen, size, i), at(o, store, i), size);
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

static void replace(struct k8s_state *state, enum k8s_store store, const void *object,
                    struct block block)
{
    const size_t size = k8s_stores[store].size;
    struct objects *o = &state->objects[store];
    const struct k8s_key key = k8s_key_of(store, object);
    uint32_t i = find(o, store, &key);
    if (i == UINT32_MAX) {
        i = o->n;
        segments_make_room(&o->values, size, i + 1);
        segments_make_room(&o->keeps, sizeof(struct keep), i + 1);
        if (((size_t)i + 1) * 2 > o->n_slots) {
            grow_slots(o);
        }
        o->slots[slot_of(o, store, &key)] =
            (struct slot){.index = i + 1, .hash = k8s_key_hash(&key)};
        o->n++;
    } else {
        block_give(state, &keep_at(o, i)->block);
    }
    memcpy(at(o, store, i), object, size);
    keep_at(o, i)->block = block;
    mark_dirty(o, i);
    settle(state, store);
}

/* The last object takes the place of the one that goes. */
static void drop(struct k8s_state *state, enum k8s_store store, uint32_t i)
{
    struct objects *o = &state->objects[store];
    const struct block block = keep_at(o, i)->block;
    const uint32_t last = o->n - 1;
    struct k8s_key key = k8s_key_of(store, at(o, store, i));
    slot_clear(o, slot_of(o, store, &key));
    if (i != last) {
        struct k8s_key moved = k8s_key_of(store, at(o, store, last));
        o->slots[slot_of(o, store, &moved)].index = i + 1;
        memcpy(at(o, store, i), at(o, store, last), k8s_stores[store].size);
        keep_at(o, i)->block = keep_at(o, last)->block;
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
        bytes += o->values.arena.held_bytes + o->keeps.arena.held_bytes +
                 o->slots_arena.held_bytes + o->frozen.arena.held_bytes +
                 o->changed_arena.held_bytes;
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
        ret_frozen->objects[store].segments = (const void *const *)o->frozen.v;
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
            block_give(state, &keep_at(o, i)->block);
        }
        arena_done(&o->values.arena);
        arena_done(&o->keeps.arena);
        arena_done(&o->slots_arena);
        arena_done(&o->frozen.arena);
        arena_done(&o->changed_arena);
    }
    arena_done(&state->scratch);
    arena_done(&state->measure);
    struct arena arena = state->arena;
    arena_done(&arena);
}
