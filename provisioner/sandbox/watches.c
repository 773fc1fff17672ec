/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the program sees of the objects: changes that come late, now and then twice; watches that
 * break, after which everything is listed anew and what went meanwhile shows by not being there. */
#include <stdlib.h>

#include "provisioner/sandbox/world.h"

enum {
    LAG_MS = 800,
    TWICE_PER_THOUSAND = 20,
    DEAF_MIN_MS = 1 * SECOND, /* from the break of a watch to the list */
    DEAF_MAX_MS = 40 * SECOND,
    BREAKS_PER_THOUSAND = 2 /* changes, while things go wrong */
};

/* What the program has not seen yet of a kind. */
struct watch {
    struct world *world;
    const struct k8s_kind *kind;
    struct k8s_roster *roster;
    mono_t shown;    /* the last change: they never overtake each other */
    mono_t deaf;     /* nothing is shown until then; -1: the watch stands */
    uint64_t listed; /* changes up to this version were in the list */
};

static void on_delta(void *ctx, const struct k8s_delta *delta)
{
    const struct watch *watch = ctx;
    struct k8s_delta copy = *delta;
    const struct event event = {.type = EVENT_DELTA, .kind = watch->kind, .delta = copy};
    /* Killed by what a change before this one led to. */
    if (watch->world->engine != NULL) {
        program_give(watch->world, &event);
    }
}

static struct watch *watch_of(struct world *world, const struct k8s_kind *kind)
{
    return &world->watches[kind - k8s_kinds];
}

static void break_watch(struct world *world, struct watch *watch, mono_t until)
{
    struct happening happening = {
        .at = until, .type = HAPPEN_RELIST, .epoch = world->epoch, .kind = watch->kind};
    watch->deaf = until;
    world->report.n_relists++;
    world_note(world, "a watch breaks: %s", watch->kind->resource);
    world_push(world, &happening);
}

void watch_show(struct world *world, const struct object *object, bool removed)
{
    if (world->watches == NULL) {
        return; /* the program has not been started yet */
    }
    struct watch *watch = watch_of(world, object->kind);
    const bool wrong = world->engine != NULL && world->now < world->scenario.faults_until &&
                       world->scenario.faults > 0;
    mono_t at = world->now + world_between(world, 0, LAG_MS);
    at = at < watch->shown ? watch->shown : at;
    watch->shown = at;
    const bool twice = wrong && rng_below(&world->rng, 1000) < TWICE_PER_THOUSAND;
    for (int i = 0; i <= (int)twice; i++) {
        struct happening happening = {.at = at,
                                      .type = HAPPEN_SHOW,
                                      .epoch = world->epoch,
                                      .kind = object->kind,
                                      .change = removed ? K8S_DELETED : K8S_MODIFIED,
                                      .version = world->version,
                                      .object = json_incref(object->value)};
        world_push(world, &happening);
    }
    if (wrong && watch->deaf < 0 && rng_below(&world->rng, 1000) < BREAKS_PER_THOUSAND) {
        break_watch(world, watch, world->now + world_between(world, DEAF_MIN_MS, DEAF_MAX_MS));
    }
}

void watch_break(struct world *world, const struct k8s_kind *kind, int64_t for_ms)
{
    struct watch *watch = watch_of(world, kind);
    if (world->engine != NULL && watch->deaf < 0) {
        break_watch(world, watch, world->now + for_ms);
    }
}

void watch_deliver(struct world *world, const struct happening *h)
{
    struct watch *watch = watch_of(world, h->kind);
    if (watch->deaf >= 0 || h->version <= watch->listed) {
        return;
    }
    const struct k8s_receiver receiver = k8s_roster_receiver(watch->roster);
    receiver.object(receiver.ctx, h->object, h->change == K8S_DELETED);
}

static int by_version(const void *a, const void *b)
{
    const struct object *x = *(const struct object *const *)a;
    const struct object *y = *(const struct object *const *)b;
    return (x->version > y->version) - (x->version < y->version);
}

void watch_relist(struct world *world, const struct k8s_kind *kind)
{
    auto_arena arena = ARENA_INIT;
    struct watch *watch = watch_of(world, kind);
    const struct k8s_receiver receiver = k8s_roster_receiver(watch->roster);
    const struct object **list = ARENA_ARRAY(&arena, const struct object *, world->objects.n);
    size_t n = 0;
    for (size_t i = 0; i < world->objects.n; i++) {
        if (world->objects.v[i].kind == kind) {
            list[n++] = &world->objects.v[i];
        }
    }
    qsort(list, n, sizeof *list, by_version);
    /* What is done about them changes the objects. */
    json_t **values = ARENA_ARRAY(&arena, json_t *, n);
    for (size_t i = 0; i < n; i++) {
        values[i] = json_incref(list[i]->value);
    }
    watch->deaf = -1;
    watch->listed = world->version;
    receiver.begin(receiver.ctx);
    for (size_t i = 0; i < n; i++) {
        receiver.object(receiver.ctx, values[i], /* removed= */ false);
        json_decref(values[i]);
    }
    receiver.end(receiver.ctx);
}

void watch_begin(struct world *world)
{
    watch_end(world);
    world->watches = ARENA_ARRAY(&world->arena, struct watch, k8s_n_kinds);
    for (uint32_t i = 0; i < k8s_n_kinds; i++) {
        struct watch *watch = &world->watches[i];
        *watch = (struct watch){.world = world, .kind = &k8s_kinds[i], .deaf = -1};
        watch->roster = k8s_roster_new(on_delta, watch);
    }
    for (uint32_t i = 0; i < k8s_n_kinds && world->engine != NULL; i++) {
        const struct event event = {
            .type = EVENT_KIND, .kind = &k8s_kinds[i], .stage = KIND_SYNCED};
        watch_relist(world, &k8s_kinds[i]);
        if (world->engine != NULL) {
            program_give(world, &event);
        }
    }
}

void watch_end(struct world *world)
{
    for (uint32_t i = 0; world->watches != NULL && i < k8s_n_kinds; i++) {
        k8s_roster_free(world->watches[i].roster);
    }
    world->watches = NULL;
}
