/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "provisioner/nodepool/pools.h"

#include <inttypes.h>
#include <string.h>

#include "base/arena.h"
#include "base/jsonw.h"
#include "base/vec.h"
#include "binpack/disruption/hash.h"
#include "binpack/scheduling/vocab.h"
#include "k8s/annotations.h"
#include "k8s/codec.h"
#include "provisioner/lifecycle/conditions.h"
#include "provisioner/nodepool/counter.h"
#include "provisioner/nodepool/health.h"
#include "provisioner/nodepool/validation.h"

enum {
    TEXT_MAX = 512,
    BODY_MAX = 64 * 1024,
    COUNT_MS = 5 * 1000, /* (karp: nodepool.counter) */
    ECHO_MS = 5 * 1000,  /* so long the watch has to show what was written */
    BACKOFF_MIN_MS = 1000,
    BACKOFF_MAX_MS = 60 * 1000
};
#define HEALTHY STR("NodeRegistrationHealthy")

struct text {
    uint16_t n;
    char p[TEXT_MAX];
};

/* What this run knows of a NodePool beyond the object. */
struct pool {
    struct text name, uid;
    uint64_t id; /* of the write under way; 0: none */
    mono_t due;  /* look at it again then */
    mono_t hold; /* not before, unless the state shows what was written: an object of that name */
    struct text written;
    mono_t count_at, counted; /* when its nodes are to be counted, and were; INT64_MAX: not */
    int64_t backoff_ms;
    struct health health;
    bool began, told;            /* health: begun from the condition; told something since it was
                                    written */
    bool good;                   /* what was told last */
    struct text reason, message; /* of the failure that was told last */
};

struct pools {
    struct arena arena;
    VEC(struct pool) v;
};

static struct text text_of(struct str text)
{
    struct text t = {.n = (uint16_t)(text.n < TEXT_MAX ? text.n : TEXT_MAX)};
    if (t.n > 0) {
        memcpy(t.p, text.p, t.n);
    }
    return t;
}

static struct str text_str(const struct text *text)
{
    return (struct str){.p = text->p, .n = text->n};
}

static const struct k8s_kind *kind_of(const char *name)
{
    const struct k8s_kind *kind = NULL;
    return k8s_kind_find(str_of(name), STR_EMPTY, &kind) == K8S_MATCH_YES ? kind : NULL;
}

static struct pool *find(const struct pools *pools, struct str name)
{
    for (size_t i = 0; i < pools->v.n; i++) {
        if (str_eq(text_str(&pools->v.v[i].name), name)) {
            return &pools->v.v[i];
        }
    }
    return NULL;
}

struct pools *pools_new(void)
{
    struct arena arena = ARENA_INIT;
    struct pools *pools = ARENA_NEW(&arena, struct pools);
    pools->arena = arena;
    return pools;
}

void pools_free(struct pools *pools)
{
    if (pools != NULL) {
        struct arena arena = pools->arena;
        arena_done(&arena);
    }
}

void pools_restart(struct pools *pools)
{
    for (size_t i = 0; i < pools->v.n; i++) {
        struct pool *pool = &pools->v.v[i];
        *pool = (struct pool){.name = pool->name, .uid = pool->uid};
    }
}

/* ---- what happens ---- */

static void on_pool(struct pools *pools, const struct pools_view *view, const struct event *event)
{
    const struct karp_nodepool *now = k8s_state_find(view->state, event->kind, &event->delta.id);
    struct pool *pool = find(pools, event->delta.id.name);
    if (now == NULL && pool != NULL) {
        pools->v.n--;
        *pool = pools->v.v[pools->v.n];
        return;
    }
    if (now == NULL) {
        return;
    }
    if (pool == NULL) {
        VEC_PUSH(&pools->arena, &pools->v,
                 ((struct pool){.name = text_of(now->meta.name), .uid = text_of(now->meta.uid)}));
        return;
    }
    if (!str_eq(text_str(&pool->uid), now->meta.uid)) {
        *pool = (struct pool){.name = pool->name, .uid = text_of(now->meta.uid)};
    }
    pool->due = pool->id == 0 ? 0 : pool->due;
}

/* What was written is there: on with the next. */
static void on_shown(struct pool *pool, struct str name)
{
    if (pool->hold > 0 && str_eq(text_str(&pool->written), name)) {
        pool->hold = 0;
        pool->due = pool->id == 0 ? 0 : pool->due;
    }
}

void pools_delta(struct pools *pools, const struct pools_view *view, const struct event *event)
{
    if (event->kind->store == STORE_NODEPOOLS) {
        on_pool(pools, view, event);
    }
    const bool counts = event->kind->store == STORE_NODES || event->kind->store == STORE_NODECLAIMS;
    for (size_t i = 0; i < pools->v.n; i++) {
        struct pool *pool = &pools->v.v[i];
        if (counts || event->kind->store == STORE_NODEPOOLS) {
            on_shown(pool, event->delta.id.name);
        }
        if (event->kind->store == STORE_NODECLASSES && pool->id == 0) {
            pool->due = 0;
        }
        if (counts && pool->count_at == INT64_MAX) {
            pool->count_at = sat_add(pool->counted, COUNT_MS);
        }
    }
}

bool pools_is(const struct pools *pools, struct str name, struct str uid)
{
    const struct pool *pool = find(pools, name);
    return pool != NULL && str_eq(text_str(&pool->uid), uid);
}

void pools_launched(struct pools *pools, struct str name, bool good, struct str reason,
                    struct str message)
{
    struct pool *pool = find(pools, name);
    if (pool == NULL) {
        return;
    }
    health_tell(&pool->health, good);
    pool->told = true;
    pool->good = good;
    pool->reason = text_of(reason);
    pool->message = text_of(message);
    pool->due = pool->id == 0 ? 0 : pool->due;
}

bool pools_answer(struct pools *pools, const struct pools_view *view, const struct event *event)
{
    for (size_t i = 0; i < pools->v.n; i++) {
        struct pool *pool = &pools->v.v[i];
        if (event->type != EVENT_WRITTEN || pool->id == 0 || pool->id != event->id) {
            continue;
        }
        pool->id = 0;
        if (event->written.outcome == K8S_WRITE_DONE) {
            pool->backoff_ms = 0;
            pool->hold = sat_add(view->now.mono, ECHO_MS);
        } else {
            const int64_t twice = 2 * pool->backoff_ms;
            pool->backoff_ms = twice < BACKOFF_MIN_MS   ? (int64_t)BACKOFF_MIN_MS
                               : twice > BACKOFF_MAX_MS ? (int64_t)BACKOFF_MAX_MS
                                                        : twice;
            pool->hold = sat_add(view->now.mono, pool->backoff_ms);
        }
        pool->due = pool->hold;
        return true;
    }
    return false;
}

/* ---- writing ---- */

static void patch(const struct pools_view *view, struct pool *pool, const char *kind,
                  const struct k8s_meta *meta, struct str subresource, struct str version,
                  struct str body)
{
    struct arena *arena = view->out->arena;
    pool->id = ++*view->last_id;
    pool->due = INT64_MAX;
    pool->written = text_of(meta->name);
    VEC_PUSH(arena, &view->out->v,
             ((struct action){.type = ACTION_WRITE,
                              .id = pool->id,
                              .write = {.verb = K8S_WRITE_MERGE_PATCH,
                                        .kind = kind_of(kind),
                                        .name = str_copy(arena, meta->name),
                                        .subresource = subresource,
                                        .body = body,
                                        .version = str_copy(arena, version),
                                        .grace_s = -1}}));
}

static struct str annotation(const struct pools_view *view, const struct k8s_meta *meta,
                             const char *key)
{
    const strid id = strtab_find(view->tab, str_of(key));
    const strid value = id == STRID_NONE ? STRID_NONE : k8s_pairs_get(&meta->annotations, id);
    return value == STRID_NONE ? STR_EMPTY : strtab_str(view->tab, value);
}

/* `hash` empty: only the version. */
static void stamp(const struct pools_view *view, struct pool *pool, const char *kind,
                  const struct k8s_meta *meta, struct str hash)
{
    struct strbuf body = strbuf_new(view->out->arena, BODY_MAX);
    struct jsonw w = jsonw_new(&body, JSONW_COMPACT);
    jsonw_object_begin(&w);
    jsonw_key_object(&w, "metadata");
    jsonw_key_object(&w, "annotations");
    if (hash.n > 0) {
        jsonw_key_str(&w, ANN_POOL_HASH, hash);
    }
    jsonw_key_str(&w, ANN_POOL_HASH_VERSION, STR(HASH_VERSION));
    jsonw_object_end(&w);
    jsonw_object_end(&w);
    jsonw_object_end(&w);
    patch(view, pool, kind, meta, STR_EMPTY, STR_EMPTY, strbuf_str(&body));
}

/* ---- the hash ---- */

/* A NodeClaim of the pool whose hash is of another version; NULL: none. */
static const struct karp_nodeclaim *other_version(const struct pools_view *view, struct str pool)
{
    for (uint32_t i = 0; i < k8s_state_count(view->state, STORE_NODECLAIMS); i++) {
        const struct karp_nodeclaim *claim = k8s_state_at(view->state, STORE_NODECLAIMS, i);
        const strid of = k8s_pairs_get(&claim->meta.labels, view->vocab->words->nodepool);
        if (of != STRID_NONE && str_eq(strtab_str(view->tab, of), pool) &&
            !str_eq(annotation(view, &claim->meta, ANN_POOL_HASH_VERSION), STR(HASH_VERSION))) {
            return claim;
        }
    }
    return NULL;
}

/* One that has drifted stays so: nobody can tell any more (karp: updateNodeClaimHash). */
static bool is_drifted(const struct pools_view *view, const struct karp_nodeclaim *claim)
{
    const strid drifted = strtab_find(view->tab, STR("Drifted"));
    return drifted != STRID_NONE && k8s_conditions_find(&claim->conditions, drifted) != NULL;
}

/* True: something of it had to be written. */
static bool write_hash(const struct pools_view *view, struct pool *pool,
                       const struct karp_nodepool *of)
{
    struct strbuf hash = strbuf_new(view->out->arena, 32);
    const bool same_version =
        str_eq(annotation(view, &of->meta, ANN_POOL_HASH_VERSION), STR(HASH_VERSION));
    const struct karp_nodeclaim *claim = same_version ? NULL : other_version(view, of->meta.name);
    strbuf_addf(&hash, "%" PRIu64, hash_nodepool(of, view->tab));
    if (claim != NULL) {
        stamp(view, pool, "NodeClaim", &claim->meta,
              is_drifted(view, claim) ? STR_EMPTY : strbuf_str(&hash));
        return true;
    }
    if (!same_version || !str_eq(annotation(view, &of->meta, ANN_POOL_HASH), strbuf_str(&hash))) {
        stamp(view, pool, "NodePool", &of->meta, strbuf_str(&hash));
        return true;
    }
    return false;
}

/* ---- the conditions ---- */

static const struct aws_nodeclass *class_of(const struct pools_view *view,
                                            const struct karp_nodepool *of)
{
    const struct k8s_identity id = {.name = of->class_ref.name};
    return k8s_state_find(view->state, kind_of("EC2NodeClass"), &id);
}

static void set_class_ready(const struct pools_view *view, const struct aws_nodeclass *class,
                            struct conditions *conditions)
{
    const struct str type = STR("NodeClassReady"), no = STR("False");
    const struct k8s_words *words = view->vocab->words;
    const struct k8s_condition *ready =
        class == NULL ? NULL : k8s_conditions_find(&class->conditions, words->ready);
    if (class == NULL) {
        conditions_set(conditions, type, no, STR("NodeClassNotFound"),
                       STR("NodeClass not found on cluster"));
    } else if (class->meta.deleted.has) {
        conditions_set(conditions, type, no, STR("NodeClassTerminating"),
                       STR("NodeClass is Terminating"));
    } else if (ready != NULL && ready->status == words->s_true) {
        conditions_set_true(conditions, type);
    } else if (ready != NULL && ready->status == words->s_false) {
        conditions_set(conditions, type, no, strtab_str(view->tab, ready->reason), ready->message);
    } else {
        conditions_set(conditions, type, no, STR("NodeClassReadinessUnknown"),
                       STR("Node Class Readiness Unknown"));
    }
}

/* karp: nodepool.registrationhealth, and what launches do with it. */
static void set_healthy(struct pool *pool, const struct karp_nodepool *of,
                        const struct aws_nodeclass *class, struct conditions *conditions)
{
    const struct condition *was = conditions_find(conditions, HEALTHY);
    const struct str status = was == NULL ? STR_EMPTY : was->status;
    const bool bad = str_eq(status, STR("False"));
    if (class == NULL) {
        return; /* as Karpenter, which cannot say of which generation that would be */
    }
    if (!pool->began && (bad || str_eq(status, STR("True")))) {
        /* What was told before it could be begun comes after. */
        const struct health told = pool->health;
        health_begin(&pool->health, !bad);
        for (uint32_t i = 0; i < told.n; i++) {
            health_tell(&pool->health, told.good[i]);
        }
    }
    pool->began = true;
    if (was == NULL || of->class_generation != class->meta.generation ||
        was->generation != of->meta.generation) {
        conditions_set(conditions, HEALTHY, STR("Unknown"), STR("AwaitingReconciliation"),
                       STR("object is awaiting reconciliation"));
        pool->health.n = 0;
        pool->told = false;
    } else if (pool->told && pool->good && !health_is_bad(&pool->health)) {
        conditions_set_true(conditions, HEALTHY);
    } else if (pool->told && !pool->good && !bad && health_is_bad(&pool->health)) {
        conditions_set(conditions, HEALTHY, STR("False"), text_str(&pool->reason),
                       text_str(&pool->message));
    }
}

static void set_valid(const struct pools_view *view, const struct karp_nodepool *of,
                      struct conditions *conditions)
{
    const struct str type = STR("ValidationSucceeded");
    const struct str faults = validation_faults(of, view->vocab, view->out->arena);
    if (faults.n > 0) {
        conditions_set(conditions, type, STR("False"), STR("NodePoolValidationFailed"), faults);
    } else {
        conditions_set_true(conditions, type);
    }
}

/* ---- the status ---- */

static bool same_used(const struct karp_nodepool *of, const struct k8s_resources *used,
                      int64_t n_nodes)
{
    bool same = of->used.n == used->n && of->n_used_nodes.has && of->n_used_nodes.v == n_nodes;
    for (uint32_t i = 0; same && i < used->n; i++) {
        same = of->used.v[i].resource == used->v[i].resource &&
               of->used.v[i].value == used->v[i].value;
    }
    return same;
}

/* A merge patch: what is there and should not be is null. */
static void put_used(const struct pools_view *view, struct jsonw *w, const struct karp_nodepool *of,
                     const struct k8s_resources *used, int64_t n_nodes)
{
    const struct codec_out out = {
        .arena = view->out->arena, .tab = view->tab, .words = view->vocab->words};
    auto_json *value = codec_resources(&out, used);
    for (uint32_t i = 0; i < of->used.n; i++) {
        const strid resource = of->used.v[i].resource;
        if (!k8s_resources_has(used, resource)) {
            const char *name = str_cstr(out.arena, strtab_str(view->tab, resource));
            (void)json_object_set_new(value, name, json_null());
        }
    }
    jsonw_key(w, STR("resources"));
    jsonw_json(w, value);
    jsonw_key_i64(w, "nodes", n_nodes);
}

static void write_status(const struct pools_view *view, struct pool *pool,
                         const struct karp_nodepool *of, const struct aws_nodeclass *class,
                         const struct conditions *conditions, const struct k8s_resources *used)
{
    struct strbuf body = strbuf_new(view->out->arena, BODY_MAX);
    struct jsonw w = jsonw_new(&body, JSONW_COMPACT);
    jsonw_object_begin(&w);
    jsonw_key_object(&w, "status");
    if (used != NULL) {
        put_used(view, &w, of, used, k8s_resources_get(used, view->vocab->words->nodes));
    }
    if (class != NULL) {
        jsonw_key_i64(&w, "nodeClassObservedGeneration", class->meta.generation);
    }
    jsonw_key(&w, STR("conditions"));
    conditions_write(conditions, &w);
    jsonw_object_end(&w);
    jsonw_object_end(&w);
    patch(view, pool, "NodePool", &of->meta, STR("status"), of->meta.resource_version,
          strbuf_str(&body));
}

static void keep_status(const struct pools_view *view, struct pool *pool,
                        const struct karp_nodepool *of)
{
    const struct aws_nodeclass *class = class_of(view, of);
    const wall_t created = of->meta.created.has ? of->meta.created.v : view->now.wall;
    struct conditions conditions = conditions_read(&conditions_of_pool, view->tab, &of->conditions,
                                                   created, of->meta.generation, view->now.wall);
    struct k8s_resources used = {.n = 0};
    const bool counts = pool->count_at <= view->now.mono;
    bool counted = false;
    set_valid(view, of, &conditions);
    set_class_ready(view, class, &conditions);
    set_healthy(pool, of, class, &conditions);
    if (counts) {
        used = counter_used(view->state, view->vocab, of->meta.name, view->out->arena);
        counted = !same_used(of, &used, k8s_resources_get(&used, view->vocab->words->nodes));
        pool->counted = view->now.mono;
        pool->count_at = INT64_MAX;
    }
    if (counted || conditions_differ(&conditions) ||
        (class != NULL && of->class_generation != class->meta.generation)) {
        write_status(view, pool, of, class, &conditions, counted ? &used : NULL);
        /* The write may fail: what was counted is compared again after it. */
        pool->count_at = counted ? sat_add(view->now.mono, COUNT_MS) : pool->count_at;
    } else {
        pool->told = false;
    }
}

static bool is_ours(const struct pools_view *view, const struct karp_nodepool *of)
{
    return str_eq(strtab_str(view->tab, of->class_ref.group), STR("karpenter.k8s.aws")) &&
           str_eq(strtab_str(view->tab, of->class_ref.kind), STR("EC2NodeClass"));
}

static mono_t due_of(const struct pool *pool)
{
    const mono_t next = pool->count_at < pool->due ? pool->count_at : pool->due;
    return pool->id != 0 ? INT64_MAX : next < pool->hold ? pool->hold : next;
}

void pools_step(struct pools *pools, const struct pools_view *view)
{
    for (size_t i = 0; i < pools->v.n; i++) {
        struct pool *pool = &pools->v.v[i];
        const struct k8s_identity id = {.name = text_str(&pool->name)};
        if (due_of(pool) > view->now.mono) {
            continue;
        }
        const struct karp_nodepool *of = k8s_state_find(view->state, kind_of("NodePool"), &id);
        pool->due = INT64_MAX;
        pool->hold = 0;
        if (of == NULL || of->meta.deleted.has || !is_ours(view, of)) {
            pool->count_at = INT64_MAX;
        } else if (!write_hash(view, pool, of)) {
            keep_status(view, pool, of);
        }
    }
}

mono_t pools_due(const struct pools *pools)
{
    mono_t due = INT64_MAX;
    for (size_t i = 0; i < pools->v.n; i++) {
        due = due_of(&pools->v.v[i]) < due ? due_of(&pools->v.v[i]) : due;
    }
    return due;
}
