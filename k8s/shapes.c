/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "k8s/shapes.h"

#include <string.h>

#include "base/vec.h"
#include "k8s/tables.h"

struct k8s_shape_record {
    struct k8s_pod_shape *shape;
    uint64_t hash, spec_hash;
    enum k8s_origin origin;
};

/* Open addressing; a slot holds 1 + index into the records, 0 is free. */
struct table {
    uint32_t *slots;
    size_t n_slots; /* a power of two, more than twice the records */
};

struct k8s_shapes {
    struct arena *arena;
    VEC(struct k8s_shape_record) records;
    struct table by_content, by_spec;
};

enum { FIRST_SLOTS = 256 };

struct k8s_shapes *k8s_shapes_new(struct arena *arena)
{
    struct k8s_shapes *shapes = ARENA_NEW(arena, struct k8s_shapes);
    shapes->arena = arena;
    return shapes;
}

static uint64_t hash_of(const struct k8s_shape_record *record, bool spec)
{
    return spec ? record->spec_hash : record->hash;
}

static void put(struct table *table, uint64_t hash, uint32_t index)
{
    size_t at = hash & (table->n_slots - 1);
    while (table->slots[at] != 0) {
        at = (at + 1) & (table->n_slots - 1);
    }
    table->slots[at] = index + 1;
}

static void grow(struct k8s_shapes *shapes, struct table *table, bool spec)
{
    if (shapes->records.n * 2 < table->n_slots) {
        return;
    }
    table->n_slots = table->n_slots == 0 ? (size_t)FIRST_SLOTS : table->n_slots * 2;
    table->slots = ARENA_ARRAY(shapes->arena, uint32_t, table->n_slots);
    for (uint32_t i = 0; i < shapes->records.n; i++) {
        put(table, hash_of(&shapes->records.v[i], spec), i);
    }
}

static uint64_t spec_hash(const struct k8s_pod_shape *shape)
{
    return codec_hash(&k8s_shape_spec_table, shape, /* seed= */ 1);
}

static uint64_t full_hash(const struct k8s_pod_shape *shape, uint64_t spec, enum k8s_origin origin)
{
    return codec_hash(&k8s_shape_label_table, shape, spec + (uint64_t)origin);
}

static struct k8s_pod_shape *find(const struct k8s_shapes *shapes,
                                  const struct k8s_pod_shape *shape, uint64_t hash,
                                  enum k8s_origin origin)
{
    const struct table *table = &shapes->by_content;
    for (size_t at = hash & (table->n_slots - 1); table->n_slots > 0 && table->slots[at] != 0;
         at = (at + 1) & (table->n_slots - 1)) {
        const struct k8s_shape_record *record = &shapes->records.v[table->slots[at] - 1];
        if (record->hash == hash && record->origin == origin &&
            codec_equal(&k8s_shape_table, record->shape, shape)) {
            return record->shape;
        }
    }
    return NULL;
}

static const struct k8s_pod_shape *find_spec(const struct k8s_shapes *shapes,
                                             const struct k8s_pod_shape *shape, uint64_t hash)
{
    const struct table *table = &shapes->by_spec;
    for (size_t at = hash & (table->n_slots - 1); table->n_slots > 0 && table->slots[at] != 0;
         at = (at + 1) & (table->n_slots - 1)) {
        const struct k8s_shape_record *record = &shapes->records.v[table->slots[at] - 1];
        if (record->spec_hash == hash && codec_equal(&k8s_shape_spec_table, record->shape, shape)) {
            return record->shape;
        }
    }
    return NULL;
}

/* `new_spec`: no kept shape has the same spec yet. */
static struct k8s_pod_shape *keep(struct k8s_shapes *shapes, const struct k8s_pod_shape *shape,
                                  uint64_t spec, uint64_t hash, enum k8s_origin origin,
                                  bool new_spec)
{
    struct k8s_pod_shape *kept = ARENA_NEW(shapes->arena, struct k8s_pod_shape);
    grow(shapes, &shapes->by_content, /* spec= */ false);
    grow(shapes, &shapes->by_spec, /* spec= */ true);
    uint32_t id = (uint32_t)shapes->records.n;
    *kept = *shape;
    kept->id = id;
    VEC_PUSH(shapes->arena, &shapes->records,
             ((struct k8s_shape_record){
                 .shape = kept, .hash = hash, .spec_hash = spec, .origin = origin}));
    put(&shapes->by_content, hash, id);
    if (new_spec) {
        put(&shapes->by_spec, spec, id);
    }
    return kept;
}

static enum codec_keep decode_into(struct codec_in *in, const struct codec_table *table,
                                   const struct json_at *at, strid owner_api_version,
                                   strid owner_kind, struct k8s_pod_shape *shape)
{
    enum codec_keep result = codec_decode(in, table, at, shape);
    if (owner_api_version != STRID_NONE) {
        shape->owner_api_version = owner_api_version;
        shape->owner_kind = owner_kind;
    }
    return result;
}

bool k8s_shapes_decode(struct k8s_shapes *shapes, struct codec_in *in, const struct json_at *at,
                       enum k8s_origin origin, strid owner_api_version, strid owner_kind,
                       const struct k8s_pod_shape **ret_shape)
{
    struct codec_in trial = *in;
    struct k8s_pod_shape shape = {.id = 0};
    trial.arena = in->scratch;
    if (decode_into(&trial, &k8s_shape_table, at, owner_api_version, owner_kind, &shape) ==
        CODEC_FAIL) {
        return false;
    }
    uint64_t spec = spec_hash(&shape);
    uint64_t hash = full_hash(&shape, spec, origin);
    const struct k8s_pod_shape *known = find(shapes, &shape, hash, origin);
    if (known != NULL) {
        *ret_shape = known;
        return true;
    }
    const struct k8s_pod_shape *same_spec = find_spec(shapes, &shape, spec);
    struct k8s_pod_shape fresh = same_spec != NULL ? *same_spec : (struct k8s_pod_shape){.id = 0};
    const struct codec_table *table = same_spec != NULL ? &k8s_shape_label_table : &k8s_shape_table;
    struct json_at metadata = json_at_member(at, "metadata");
    struct codec_in final = *in;
    final.arena = shapes->arena; /* others will share it */
    if (decode_into(&final, table, same_spec != NULL ? &metadata : at, owner_api_version,
                    owner_kind, &fresh) == CODEC_FAIL) {
        return false; /* cannot be: it was decoded a moment ago */
    }
    *ret_shape = keep(shapes, &fresh, spec, hash, origin, same_spec == NULL);
    return true;
}

const struct k8s_pod_shape *k8s_shapes_intern(struct k8s_shapes *shapes,
                                              const struct k8s_pod_shape *shape,
                                              enum k8s_origin origin)
{
    uint64_t spec = spec_hash(shape);
    uint64_t hash = full_hash(shape, spec, origin);
    const struct k8s_pod_shape *known = find(shapes, shape, hash, origin);
    if (known != NULL) {
        return known;
    }
    return keep(shapes, shape, spec, hash, origin, find_spec(shapes, shape, spec) == NULL);
}

uint32_t k8s_shapes_count(const struct k8s_shapes *shapes)
{
    return (uint32_t)shapes->records.n;
}

struct k8s_pod_shape *k8s_shapes_at(const struct k8s_shapes *shapes, uint32_t id)
{
    return shapes->records.v[id].shape;
}

enum k8s_origin k8s_shapes_origin(const struct k8s_shapes *shapes, uint32_t id)
{
    return shapes->records.v[id].origin;
}

struct k8s_shapes_mark k8s_shapes_mark(const struct k8s_shapes *shapes)
{
    return (struct k8s_shapes_mark){.records = shapes->records.v, .n = (uint32_t)shapes->records.n};
}

/* Admission writes into volumes. */
static void own_volumes(struct k8s_pod_shape *shape, struct arena *arena)
{
    if (shape->n_volumes > 0) {
        struct k8s_volume *own = ARENA_ARRAY(arena, struct k8s_volume, shape->n_volumes);
        memcpy(own, shape->volumes, shape->n_volumes * sizeof *own);
        shape->volumes = own;
    }
}

struct k8s_shapes *k8s_shapes_fork(const struct k8s_shapes_mark *mark, struct arena *arena)
{
    struct k8s_shapes *shapes = k8s_shapes_new(arena);
    for (uint32_t i = 0; i < mark->n; i++) {
        const struct k8s_shape_record *record = &mark->records[i];
        const bool new_spec = find_spec(shapes, record->shape, record->spec_hash) == NULL;
        struct k8s_pod_shape *kept =
            keep(shapes, record->shape, record->spec_hash, record->hash, record->origin, new_spec);
        own_volumes(kept, arena);
    }
    return shapes;
}
