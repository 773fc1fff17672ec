/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "provisioner/lifecycle/lifecycle.h"

#include <string.h>

#include "base/jsonw.h"
#include "provisioner/lifecycle/gc.h"
#include "provisioner/lifecycle/lifecycle_impl.h"
#include "provisioner/provisioning/round.h"

enum { BODY_MAX = 256 * 1024 };

struct life_text life_text_of(struct str text)
{
    struct life_text t = {.n = (uint16_t)(text.n < LIFE_TEXT_MAX ? text.n : LIFE_TEXT_MAX)};
    if (t.n > 0) {
        memcpy(t.p, text.p, t.n);
    }
    return t;
}

struct str life_str(const struct life_text *text)
{
    return (struct str){.p = text->p, .n = text->n};
}

struct lifecycle *lifecycle_new(void)
{
    struct arena arena = ARENA_INIT;
    struct lifecycle *lifecycle = ARENA_NEW(&arena, struct lifecycle);
    lifecycle->arena = arena;
    lifecycle->unavailable = unavailable_new();
    lifecycle->pause = pause_new();
    return lifecycle;
}

void lifecycle_free(struct lifecycle *lifecycle)
{
    if (lifecycle == NULL) {
        return;
    }
    for (size_t i = 0; i < lifecycle->classes.n; i++) {
        json_decref(lifecycle->classes.v[i].object);
    }
    arena_done(&lifecycle->gc.arena);
    arena_done(&lifecycle->gc.listed_arena);
    unavailable_free(lifecycle->unavailable);
    pause_free(lifecycle->pause);
    struct arena arena = lifecycle->arena;
    arena_done(&arena);
}

struct lifecycle_counts lifecycle_counts(const struct lifecycle *lifecycle)
{
    return lifecycle->counts;
}

/* ---- for the parts ---- */

const struct k8s_kind *life_kind(const char *name)
{
    const struct k8s_kind *kind = NULL;
    return k8s_kind_find(str_of(name), STR_EMPTY, &kind) == K8S_MATCH_YES ? kind : NULL;
}

static void begin(const struct lifecycle_view *view, struct life *life, enum life_wait wait)
{
    life->id = ++*view->last_id;
    life->version = 0;
    life->wait = wait;
    life->due = INT64_MAX;
}

void life_write(const struct lifecycle_view *view, struct life *life, enum life_wait wait,
                const struct k8s_write *write)
{
    begin(view, life, wait);
    VEC_PUSH(view->out->arena, &view->out->v,
             ((struct action){.type = ACTION_WRITE, .id = life->id, .write = *write}));
}

/* Of a resourceVersion, which grow since Kubernetes says that they may be compared; 0: it is none.
 */
static uint64_t number_of(struct str version)
{
    uint64_t number = 0;
    return str_to_u64(version, &number) ? number : 0;
}

void life_patch(const struct lifecycle_view *view, struct life *life, enum life_wait wait,
                const struct k8s_meta *meta, const struct k8s_write *patch)
{
    struct k8s_write write = *patch;
    write.name = str_copy(view->out->arena, meta->name);
    write.version = str_copy(view->out->arena, meta->resource_version);
    life_write(view, life, wait, &write);
    life->version = number_of(meta->resource_version);
}

void life_patch_claim(const struct lifecycle_view *view, struct life *life, enum life_wait wait,
                      const struct karp_nodeclaim *claim, struct str subresource, struct str body)
{
    const struct k8s_write patch = {.verb = K8S_WRITE_MERGE_PATCH,
                                    .kind = life_kind("NodeClaim"),
                                    .subresource = subresource,
                                    .body = body};
    life_patch(view, life, wait, &claim->meta, &patch);
}

void life_call(const struct lifecycle_view *view, struct life *life, enum life_wait wait,
               const struct aws_operation *operation, const void *request)
{
    begin(view, life, wait);
    VEC_PUSH(view->out->arena, &view->out->v,
             ((struct action){
                 .type = ACTION_CALL, .id = life->id, .operation = operation, .request = request}));
}

void life_back_off(const struct lifecycle_view *view, struct life *life)
{
    life->backoff_ms = life->backoff_ms == 0 ? BACKOFF_MIN_MS : life->backoff_ms * 2;
    life->backoff_ms = life->backoff_ms > BACKOFF_MAX_MS ? BACKOFF_MAX_MS : life->backoff_ms;
    life->due = sat_add(view->now.mono, life->backoff_ms);
}

const struct k8s_node *life_node(const struct lifecycle_view *view, struct str provider_id)
{
    for (uint32_t i = 0; i < k8s_state_count(view->state, STORE_NODES); i++) {
        const struct k8s_node *node = k8s_state_at(view->state, STORE_NODES, i);
        if (provider_id.n > 0 && str_eq(node->provider_id, provider_id)) {
            return node;
        }
    }
    return NULL;
}

struct conditions life_conditions(const struct lifecycle_view *view,
                                  const struct karp_nodeclaim *claim)
{
    const wall_t created = claim->meta.created.has ? claim->meta.created.v : view->now.wall;
    return conditions_read(&conditions_of_claim, view->tab, &claim->conditions, created,
                           claim->meta.generation, view->now.wall);
}

bool life_is_true(const struct lifecycle_view *view, const struct karp_nodeclaim *claim,
                  const char *type)
{
    const strid id = strtab_find(view->tab, str_of(type));
    const struct k8s_condition *condition =
        id == STRID_NONE ? NULL : k8s_conditions_find(&claim->conditions, id);
    return condition != NULL && condition->status == view->vocab->words->s_true;
}

void life_write_conditions(const struct lifecycle_view *view, struct life *life,
                           const struct karp_nodeclaim *claim, const struct conditions *conditions)
{
    struct strbuf body = strbuf_new(view->out->arena, BODY_MAX);
    struct jsonw w = jsonw_new(&body, JSONW_COMPACT);
    jsonw_object_begin(&w);
    jsonw_key_object(&w, "status");
    jsonw_key(&w, STR("conditions"));
    conditions_write(conditions, &w);
    jsonw_object_end(&w);
    jsonw_object_end(&w);
    life_patch_claim(view, life, LIFE_WRITE, claim, STR("status"), strbuf_str(&body));
}

void life_delete(const struct lifecycle_view *view, struct life *life, const char *kind,
                 const struct k8s_meta *meta)
{
    const struct k8s_write write = {.verb = K8S_WRITE_DELETE,
                                    .kind = life_kind(kind),
                                    .name = str_copy(view->out->arena, meta->name),
                                    .uid = str_copy(view->out->arena, meta->uid),
                                    .grace_s = -1};
    life_write(view, life, LIFE_WRITE, &write);
}

void life_end(const struct lifecycle_view *view, struct life *life,
              const struct karp_nodeclaim *claim, const char *reason)
{
    life->reason = reason;
    life_delete(view, life, "NodeClaim", &claim->meta);
}

struct str life_pool(const struct lifecycle_view *view, const struct karp_nodeclaim *claim)
{
    const strid pool = k8s_pairs_get(&claim->meta.labels, view->vocab->words->nodepool);
    return pool == STRID_NONE ? STR_EMPTY : strtab_str(view->tab, pool);
}

struct str life_effect(enum k8s_effect effect)
{
    static const char *const names[] = {[K8S_EFFECT_ANY] = "",
                                        [K8S_NO_SCHEDULE] = "NoSchedule",
                                        [K8S_PREFER_NO_SCHEDULE] = "PreferNoSchedule",
                                        [K8S_NO_EXECUTE] = "NoExecute"};
    return str_of(names[effect]);
}

const struct karp_nodeclaim *life_claim(const struct lifecycle_view *view, const struct life *life)
{
    const struct k8s_identity id = {.name = life_str(&life->name)};
    const struct karp_nodeclaim *claim = k8s_state_find(view->state, life_kind("NodeClaim"), &id);
    return claim != NULL && str_eq(claim->meta.uid, life_str(&life->uid)) ? claim : NULL;
}

struct str life_instance_id(struct str provider_id)
{
    return str_after_last(provider_id, '/');
}

/* ---- what happens ---- */

static void on_claim(struct lifecycle *l, const struct lifecycle_view *view, struct str name)
{
    const struct k8s_identity id = {.name = name};
    const struct karp_nodeclaim *claim = k8s_state_find(view->state, life_kind("NodeClaim"), &id);
    size_t kept = 0;
    bool known = false;
    for (size_t i = 0; i < l->lives.n; i++) {
        struct life *life = &l->lives.v[i];
        const bool same = str_eq(life_str(&life->name), name);
        const bool there = claim != NULL && str_eq(life_str(&life->uid), claim->meta.uid);
        if (same && life->given_up && (!there || claim->meta.deleted.has)) {
            life->given_up = false;
            l->counts.n_freed++;
        }
        if (same && there) {
            known = true;
            life->due = life->wait == LIFE_FREE ? 0 : life->due;
        }
        if (!same || there) {
            l->lives.v[kept++] = *life;
        }
    }
    l->lives.n = kept;
    if (claim != NULL && !known) {
        VEC_PUSH(&l->arena, &l->lives,
                 ((struct life){.name = life_text_of(name),
                                .uid = life_text_of(claim->meta.uid),
                                .node = life_text_of(claim->node_name),
                                .looking_since = INT64_MAX}));
    }
}

/* A node concerns the claim that is waiting for it and the one it belongs to. */
static void on_node(struct lifecycle *l, const struct lifecycle_view *view, struct str name)
{
    const struct k8s_identity id = {.name = name};
    const struct k8s_node *node = k8s_state_find(view->state, life_kind("Node"), &id);
    for (size_t i = 0; i < l->lives.n; i++) {
        struct life *life = &l->lives.v[i];
        const struct karp_nodeclaim *claim = life_claim(view, life);
        const bool its = str_eq(life_str(&life->node), name) ||
                         (node != NULL && claim != NULL && claim->provider_id.n > 0 &&
                          str_eq(claim->provider_id, node->provider_id));
        if (its) {
            life->node = life_text_of(name);
            life->due = life->wait == LIFE_FREE ? 0 : life->due;
        }
    }
}

static void on_class(struct lifecycle *l, const struct event *event)
{
    const struct str name = event->delta.id.name;
    struct class_object *at = NULL;
    for (size_t i = 0; i < l->classes.n; i++) {
        if (str_eq(life_str(&l->classes.v[i].name), name)) {
            at = &l->classes.v[i];
        }
    }
    if (at == NULL) {
        VEC_PUSH(&l->arena, &l->classes, ((struct class_object){.name = life_text_of(name)}));
        at = &l->classes.v[l->classes.n - 1];
    }
    json_decref(at->object);
    at->object = event->delta.change == K8S_DELETED ? NULL : json_deep_copy(event->delta.object);
}

void lifecycle_delta(struct lifecycle *l, const struct lifecycle_view *view,
                     const struct event *event)
{
    if (event->kind->store == STORE_NODECLAIMS) {
        on_claim(l, view, event->delta.id.name);
    } else if (event->kind->store == STORE_NODES) {
        on_node(l, view, event->delta.id.name);
    } else if (event->kind->store == STORE_NODECLASSES) {
        on_class(l, event);
    }
}

void lifecycle_restart(struct lifecycle *l)
{
    for (size_t i = 0; i < l->lives.n; i++) {
        struct life *life = &l->lives.v[i];
        *life = (struct life){
            .name = life->name, .uid = life->uid, .node = life->node, .looking_since = INT64_MAX};
    }
    l->templates.n = 0;
    gc_restart(l);
}

/* When the state shows what was written. The watch may have been faster than the answer; else its
 * word comes, and if that is lost it is looked at again. What changed nothing has no word, and what
 * is going has time. */
static mono_t shown_at(const struct lifecycle_view *view, const struct life *life,
                       const struct k8s_written *written)
{
    const struct k8s_identity claim_id = {.name = life_str(&life->name)};
    const struct k8s_identity node_id = {.name = life_str(&life->node)};
    const struct karp_nodeclaim *claim =
        k8s_state_find(view->state, life_kind("NodeClaim"), &claim_id);
    const struct k8s_node *node = k8s_state_find(view->state, life_kind("Node"), &node_id);
    const uint64_t version = number_of(written->version);
    const struct k8s_meta *meta =
        claim != NULL && str_eq(written->name, claim_id.name) ? &claim->meta
        : node != NULL && str_eq(written->name, node_id.name) ? &node->meta
                                                              : NULL;
    const bool gone = meta == NULL && str_eq(written->name, node_id.name);
    const bool shows = gone || (version > 0 && version != life->version && meta != NULL &&
                                number_of(meta->resource_version) >= version &&
                                !(claim != NULL && claim->meta.deleted.has));
    return sat_add(view->now.mono, shows ? 0 : LOOK_AGAIN_MS);
}

static void on_written(const struct lifecycle_view *view, struct life *life,
                       const struct event *event, enum life_wait was)
{
    const bool noted = was == LIFE_NOTE, drains = was == LIFE_DRAIN;
    const enum k8s_outcome outcome = event->written.outcome;
    if (outcome == K8S_WRITE_DONE || outcome == K8S_WRITE_NOT_FOUND) {
        life->sure = life->sure || (noted && outcome == K8S_WRITE_DONE);
        if (noted && outcome == K8S_WRITE_DONE) {
            life->used_up = false;
            life->uncalled = true;
            life->looking_since = INT64_MAX;
        }
        life->backoff_ms = 0;
        life->due =
            drains ? sat_add(view->now.mono, NEXT_POD_MS) : shown_at(view, life, &event->written);
    } else {
        life_back_off(view, life);
        const mono_t latest = sat_add(view->now.mono, DRAIN_BACKOFF_MAX_MS);
        life->due = drains && life->due > latest ? latest : life->due;
    }
}

void lifecycle_answer(struct lifecycle *l, const struct lifecycle_view *view,
                      const struct event *event)
{
    for (size_t i = 0; i < l->lives.n; i++) {
        struct life *life = &l->lives.v[i];
        if (life->wait == LIFE_FREE || life->id != event->id) {
            continue;
        }
        const enum life_wait was = life->wait;
        const struct karp_nodeclaim *claim = life_claim(view, life);
        life->wait = LIFE_FREE;
        life->due = view->now.mono;
        if (event->type == EVENT_WRITTEN) {
            on_written(view, life, event, was);
        } else if (was == LIFE_LOOK_GONE || was == LIFE_TERMINATE) {
            life->wait = was;
            terminate_reply(l, view, life, event);
        } else if (claim != NULL) {
            life->wait = was;
            launch_reply(l, view, life, claim, event);
        }
        if (life->id == event->id) { /* else the answer has led to the next action already */
            life->wait = LIFE_FREE;
        }
        return;
    }
    (void)gc_answer(l, view, event);
}

static bool has_finalizer(const struct lifecycle_view *view, const struct k8s_meta *meta)
{
    const strid id = strtab_find(view->tab, STR(TERMINATION_FINALIZER));
    for (uint32_t i = 0; i < meta->n_finalizers; i++) {
        if (meta->finalizers[i] == id) {
            return true;
        }
    }
    return false;
}

/* A claim that somebody else wrote: the finalizer first. */
static void add_finalizer(const struct lifecycle_view *view, struct life *life,
                          const struct karp_nodeclaim *claim)
{
    const struct k8s_write patch = {
        .verb = K8S_WRITE_JSON_PATCH,
        .kind = life_kind("NodeClaim"),
        .body = claim->meta.n_finalizers == 0
                    ? STR("[{\"op\": \"add\", \"path\": \"/metadata/finalizers\", \"value\": "
                          "[\"" TERMINATION_FINALIZER "\"]}]")
                    : STR("[{\"op\": \"add\", \"path\": \"/metadata/finalizers/-\", \"value\": "
                          "\"" TERMINATION_FINALIZER "\"}]")};
    life_patch(view, life, LIFE_WRITE, &claim->meta, &patch);
}

static void next(struct lifecycle *l, const struct lifecycle_view *view, struct life *life)
{
    const struct karp_nodeclaim *claim = life_claim(view, life);
    life->due = INT64_MAX;
    if (claim == NULL) {
        return;
    }
    if (claim->meta.deleted.has) {
        if (has_finalizer(view, &claim->meta)) {
            terminate_next(l, view, life, claim);
        }
    } else if (!has_finalizer(view, &claim->meta)) {
        add_finalizer(view, life, claim);
    } else if (!life_is_true(view, claim, "Launched")) {
        launch_next(l, view, life, claim);
    } else if (!life_is_true(view, claim, "Registered")) {
        register_next(l, view, life, claim);
    } else {
        initialize_next(l, view, life, claim);
    }
}

void lifecycle_step(struct lifecycle *l, const struct lifecycle_view *view)
{
    for (size_t i = 0; i < l->lives.n; i++) {
        struct life *life = &l->lives.v[i];
        if (life->wait == LIFE_FREE && life->due <= view->now.mono) {
            next(l, view, life);
        }
    }
    gc_step(l, view);
}

struct str lifecycle_claim_of(const struct lifecycle *l, uint64_t id)
{
    for (size_t i = 0; i < l->lives.n; i++) {
        if (l->lives.v[i].wait != LIFE_FREE && l->lives.v[i].id == id) {
            return life_str(&l->lives.v[i].name);
        }
    }
    return STR_EMPTY;
}

const char *lifecycle_reason(const struct lifecycle *l, struct str claim)
{
    for (size_t i = 0; i < l->lives.n; i++) {
        if (str_eq(life_str(&l->lives.v[i].name), claim)) {
            return l->lives.v[i].reason;
        }
    }
    return NULL;
}

mono_t lifecycle_due(const struct lifecycle *l)
{
    mono_t due = l->gc.due == 0 ? INT64_MAX : l->gc.due;
    for (size_t i = 0; i < l->lives.n; i++) {
        const struct life *life = &l->lives.v[i];
        due = life->wait == LIFE_FREE && life->due < due ? life->due : due;
    }
    return due;
}

uint32_t lifecycle_gone(const struct lifecycle *l, const struct lifecycle_view *view,
                        struct arena *arena, const struct round_gone **ret_gone)
{
    const struct catalog *catalog = view->catalog;
    VEC(struct round_gone) gone = {0};
    if (unavailable_next(l->unavailable, view->now.mono) == INT64_MAX) {
        *ret_gone = NULL;
        return 0;
    }
    for (uint32_t t = 0; t < catalog->n_types; t++) {
        const struct cat_type *type = &catalog->types[t];
        for (uint32_t i = 0; i < type->n_offerings; i++) {
            const struct cat_offering *o = &type->offerings[i];
            const struct unavailable_offering offering = {
                .type = strtab_str(view->tab, type->name),
                .zone = strtab_str(view->tab, catalog->zones[o->zone_i].name),
                .capacity_type = str_of(cat_capacity_type_name(o->capacity_type)),
                .vcpu = type->vcpu};
            const mono_t until = unavailable_until(l->unavailable, &offering, view->now.mono);
            if (until > view->now.mono) {
                VEC_PUSH(arena, &gone,
                         ((struct round_gone){
                             .instance_type = offering.type,
                             .zone = offering.zone,
                             .capacity_type = offering.capacity_type,
                             .until = sat_add(view->now.wall, until - view->now.mono)}));
            }
        }
    }
    *ret_gone = gone.v;
    return (uint32_t)gone.n;
}

mono_t lifecycle_gone_until(const struct lifecycle *l, mono_t now)
{
    return unavailable_next(l->unavailable, now);
}

/* ---- NodePools ---- */

uint32_t lifecycle_may_launch(const struct lifecycle *l, const struct lifecycle_view *view,
                              struct str pool)
{
    const uint32_t at_once = pause_at_once(l->pause, pool);
    uint32_t n = 0;
    if (pause_until(l->pause, pool) > view->now.mono) {
        return 0;
    }
    for (uint32_t i = 0; at_once < UINT32_MAX && i < k8s_state_count(view->state, STORE_NODECLAIMS);
         i++) {
        const struct karp_nodeclaim *claim = k8s_state_at(view->state, STORE_NODECLAIMS, i);
        n += str_eq(life_pool(view, claim), pool) && !claim->meta.deleted.has &&
             !life_is_true(view, claim, "Launched");
    }
    return n < at_once ? at_once - n : 0;
}

mono_t lifecycle_launch_at(const struct lifecycle *l, struct str pool)
{
    return pause_until(l->pause, pool);
}
