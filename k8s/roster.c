/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "k8s/roster.h"

#include <assert.h>
#include <string.h>

#include "base/arena.h"
#include "base/limits.h"
#include "base/pool.h"

enum { FIRST_SLOTS = 256, UID_MAX = 128, VERSION_MAX = 128 };

/* The texts one behind the other. */
struct entry {
    uint32_t generation; /* of the last list, or event, that had it */
    uint32_t hash;       /* kept: a table that grows must not make the loop stand still */
    uint16_t n_ns, n_name, n_uid, n_version;
    char text[];
};

struct k8s_roster {
    struct arena arena;
    struct pool pool;
    struct arena table_arena[2]; /* of the table, and of the one before while it grows */
    int table_i;
    struct entry **slots; /* [n_slots] open addressing; `gone` marks what was removed */
    uint32_t n_slots, n, n_gone;
    uint32_t generation;
    uint64_t n_refused;
    k8s_delta_fn fn;
    void *ctx;
};

static struct entry gone; /* only its address counts */

/* ---- entries ---- */

static size_t size_of(const struct entry *e)
{
    return sizeof *e + e->n_ns + e->n_name + e->n_uid + e->n_version;
}

static struct k8s_identity identity_of(const struct entry *e)
{
    const char *name = e->text + e->n_ns, *uid = name + e->n_name, *version = uid + e->n_uid;
    return (struct k8s_identity){
        .ns = {.p = e->text, .n = e->n_ns},
        .name = {.p = name, .n = e->n_name},
        .uid = {.p = uid, .n = e->n_uid},
        .version = {.p = version, .n = e->n_version},
    };
}

static uint32_t hash_of(const struct k8s_identity *id)
{
    uint64_t hash = str_hash(id->name) + str_hash(id->ns) * UINT64_C(0x9e3779b97f4a7c15);
    hash ^= hash >> 29;
    return (uint32_t)hash;
}

static struct entry *entry_new(struct k8s_roster *roster, const struct k8s_identity *id)
{
    const struct str parts[] = {id->ns, id->name, id->uid, id->version};
    size_t size = sizeof(struct entry);
    for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++) {
        size += parts[i].n;
    }
    struct entry *e = pool_take(&roster->pool, size);
    *e = (struct entry){.generation = roster->generation,
                        .hash = hash_of(id),
                        .n_ns = (uint16_t)id->ns.n,
                        .n_name = (uint16_t)id->name.n,
                        .n_uid = (uint16_t)id->uid.n,
                        .n_version = (uint16_t)id->version.n};
    char *at = e->text;
    for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++) {
        if (parts[i].n > 0) {
            memcpy(at, parts[i].p, parts[i].n);
        }
        at += parts[i].n;
    }
    return e;
}

/* ---- the table ---- */

/* The slot of the object of that name, or UINT32_MAX. */
static uint32_t find(const struct k8s_roster *roster, const struct k8s_identity *id)
{
    const uint32_t hash = hash_of(id), mask = roster->n_slots - 1;
    for (uint32_t at = hash & mask; roster->slots[at] != NULL; at = (at + 1) & mask) {
        if (roster->slots[at] != &gone && roster->slots[at]->hash == hash) {
            struct k8s_identity other = identity_of(roster->slots[at]);
            if (str_eq(other.name, id->name) && str_eq(other.ns, id->ns)) {
                return at;
            }
        }
    }
    return UINT32_MAX;
}

static void place(struct k8s_roster *roster, struct entry *e)
{
    uint32_t at = e->hash & (roster->n_slots - 1);
    while (roster->slots[at] != NULL) {
        at = (at + 1) & (roster->n_slots - 1);
    }
    roster->slots[at] = e;
}

/* Makes room for one more: at most half of the slots are taken, those of removed ones included. */
static void make_room(struct k8s_roster *roster)
{
    if ((roster->n + roster->n_gone + 1) * 2 <= roster->n_slots) {
        return;
    }
    struct entry **old = roster->slots;
    uint32_t n_old = roster->n_slots;
    struct arena *arena = &roster->table_arena[roster->table_i ^ 1];
    roster->n_slots = roster->n_slots == 0          ? (uint32_t)FIRST_SLOTS
                      : (roster->n + 1) * 4 > n_old ? n_old * 2
                                                    : n_old;
    roster->slots = ARENA_ARRAY(arena, struct entry *, roster->n_slots);
    roster->n_gone = 0;
    for (uint32_t i = 0; i < n_old; i++) {
        if (old[i] != NULL && old[i] != &gone) {
            place(roster, old[i]);
        }
    }
    arena_done(&roster->table_arena[roster->table_i]);
    roster->table_i ^= 1;
}

/* ---- changes ---- */

static void tell(const struct k8s_roster *roster, enum k8s_change change,
                 const struct k8s_identity *id, json_t *object)
{
    struct k8s_delta delta = {.change = change, .id = *id, .object = object};
    roster->fn(roster->ctx, &delta);
}

static void remove_at(struct k8s_roster *roster, uint32_t at, json_t *object)
{
    struct entry *e = roster->slots[at];
    struct k8s_identity id = identity_of(e);
    roster->slots[at] = &gone;
    roster->n--;
    roster->n_gone++;
    tell(roster, K8S_DELETED, &id, object);
    pool_give(&roster->pool, e, size_of(e));
}

static void add(struct k8s_roster *roster, const struct k8s_identity *id, json_t *object)
{
    make_room(roster);
    place(roster, entry_new(roster, id));
    roster->n++;
    tell(roster, K8S_ADDED, id, object);
}

static void change(struct k8s_roster *roster, uint32_t at, const struct k8s_identity *id,
                   json_t *object)
{
    struct entry *e = roster->slots[at];
    struct k8s_identity known = identity_of(e);
    e->generation = roster->generation;
    if (!str_eq(known.uid, id->uid)) {
        remove_at(roster, at, NULL);
        add(roster, id, object);
        return;
    }
    if (str_eq(known.version, id->version) && id->version.n > 0) {
        return;
    }
    roster->slots[at] = entry_new(roster, id);
    tell(roster, K8S_MODIFIED, id, object);
    pool_give(&roster->pool, e, size_of(e));
}

static struct str text_of(const json_t *object, const char *key)
{
    const json_t *value = json_object_get(object, key);
    return json_is_string(value)
               ? (struct str){.p = json_string_value(value), .n = json_string_length(value)}
               : STR_EMPTY;
}

static void on_begin(void *ctx)
{
    struct k8s_roster *roster = ctx;
    roster->generation++;
}

static void on_object(void *ctx, json_t *object, bool removed)
{
    struct k8s_roster *roster = ctx;
    const json_t *metadata = json_object_get(object, "metadata");
    struct k8s_identity id = {.ns = text_of(metadata, "namespace"),
                              .name = text_of(metadata, "name"),
                              .uid = text_of(metadata, "uid"),
                              .version = text_of(metadata, "resourceVersion")};
    if (id.name.n == 0 || id.name.n > LIMIT_NAME_BYTES || id.ns.n > LIMIT_NAME_BYTES ||
        id.uid.n > UID_MAX || id.version.n > VERSION_MAX || roster->n >= LIMIT_OBJECTS) {
        roster->n_refused++;
        return;
    }
    uint32_t at = roster->n_slots == 0 ? UINT32_MAX : find(roster, &id);
    if (removed) {
        /* The end of an object that has a successor here is old news. */
        if (at != UINT32_MAX && str_eq(identity_of(roster->slots[at]).uid, id.uid)) {
            remove_at(roster, at, object);
        }
    } else if (at != UINT32_MAX) {
        change(roster, at, &id, object);
    } else {
        add(roster, &id, object);
    }
}

static void on_end(void *ctx)
{
    struct k8s_roster *roster = ctx;
    for (uint32_t i = 0; i < roster->n_slots; i++) {
        const struct entry *e = roster->slots[i];
        if (e != NULL && e != &gone && e->generation != roster->generation) {
            remove_at(roster, i, NULL);
        }
    }
}

/* ---- all of it ---- */

struct k8s_roster *k8s_roster_new(k8s_delta_fn fn, void *ctx)
{
    struct arena arena = ARENA_INIT;
    struct k8s_roster *roster = ARENA_NEW(&arena, struct k8s_roster);
    roster->arena = arena;
    roster->pool = pool_new(&roster->arena);
    roster->table_arena[0] = roster->table_arena[1] = ARENA_INIT;
    roster->fn = fn;
    roster->ctx = ctx;
    return roster;
}

void k8s_roster_free(struct k8s_roster *roster)
{
    if (roster != NULL) {
        arena_done(&roster->table_arena[0]);
        arena_done(&roster->table_arena[1]);
        struct arena arena = roster->arena;
        arena_done(&arena);
    }
}

struct k8s_receiver k8s_roster_receiver(struct k8s_roster *roster)
{
    return (struct k8s_receiver){
        .ctx = roster, .begin = on_begin, .object = on_object, .end = on_end};
}

uint32_t k8s_roster_count(const struct k8s_roster *roster)
{
    return roster->n;
}

uint64_t k8s_roster_n_refused(const struct k8s_roster *roster)
{
    return roster->n_refused;
}

bool k8s_roster_next(const struct k8s_roster *roster, uint32_t *at, struct k8s_identity *ret_id)
{
    while (*at < roster->n_slots) {
        const struct entry *e = roster->slots[(*at)++];
        if (e != NULL && e != &gone) {
            *ret_id = identity_of(e);
            return true;
        }
    }
    return false;
}
