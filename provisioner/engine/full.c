/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The mode that acts: the new nodes of a plan become NodeClaims, and lifecycle/ does the rest.
 *
 * No round begins while a claim is being written that the state does not show yet, so that no round
 * buys what the last one has bought. A write without an answer is sent again under the same name
 * until it is clear. */
#include "binpack/catalog/catalog.h"
#include "provisioner/engine/engine_impl.h"
#include "provisioner/engine/milestones.h"
#include "provisioner/lifecycle/lifecycle.h"
#include "provisioner/provisioning/claims.h"

enum {
    CREATE_AGAIN_MS = 1000,
    CREATE_TRIES = 10,
    FREED_MS = 500,
    SHORT_WITHIN_PPM = 500 * 1000,
    SHORT_SPOT_MIN = 40,
    ECHO_MS = 60 * 1000 /* so long the watch has to show what was written, before it is written
                           again to see whether it is still there */
};

static const struct k8s_kind *kind_of(const char *name)
{
    const struct k8s_kind *kind = NULL;
    return k8s_kind_find(str_of(name), STR_EMPTY, &kind) == K8S_MATCH_YES ? kind : NULL;
}

static const struct k8s_kind *claim_kind(void)
{
    return kind_of("NodeClaim");
}

static struct lifecycle_view view_of(struct engine *engine, struct moment now,
                                     struct actions *actions)
{
    return (struct lifecycle_view){.state = engine->state,
                                   .tab = k8s_state_tab(engine->state),
                                   .vocab = engine->vocab,
                                   .catalog = engine->catalog,
                                   .cat = engine->cat,
                                   .cluster = engine->cluster,
                                   .now = now,
                                   .claims_known =
                                       engine->stages[claim_kind() - k8s_kinds] == KIND_SYNCED,
                                   .last_id = &engine->last_id,
                                   .out = actions};
}

static struct pools_view pools_view_of(struct engine *engine, struct moment now,
                                       struct actions *actions)
{
    return (struct pools_view){.state = engine->state,
                               .tab = k8s_state_tab(engine->state),
                               .vocab = engine->vocab,
                               .now = now,
                               .last_id = &engine->last_id,
                               .out = actions};
}

/* ---- creating claims ---- */

static void drop(struct engine *engine, size_t i)
{
    engine->creating.n--;
    for (size_t k = i; k < engine->creating.n; k++) {
        engine->creating.v[k] = engine->creating.v[k + 1];
    }
    if (engine->creating.n == 0) {
        engine->creating.v = NULL;
        engine->creating.cap = 0;
        arena_reset(&engine->creating_arena);
    }
}

static bool is_there(const struct engine *engine, struct str name)
{
    const struct k8s_identity id = {.name = name};
    return k8s_state_find(engine->state, claim_kind(), &id) != NULL;
}

static void send(struct engine *engine, struct creating *creating, struct actions *actions)
{
    const struct claim_wanted *claim = creating->claim;
    creating->id = ++engine->last_id;
    creating->n_tries++;
    creating->due = INT64_MAX;
    VEC_PUSH(actions->arena, &actions->v,
             ((struct action){.type = ACTION_WRITE,
                              .id = creating->id,
                              .write = {.verb = K8S_WRITE_CREATE,
                                        .kind = claim_kind(),
                                        .body = str_copy(actions->arena, claim->body),
                                        .grace_s = -1}}));
}

static const struct claim_wanted *keep(struct arena *arena, const struct claim_wanted *claim)
{
    struct claim_wanted *copy = ARENA_NEW(arena, struct claim_wanted);
    struct claim_amount *amounts = ARENA_ARRAY(arena, struct claim_amount, claim->n_amounts);
    for (uint32_t i = 0; i < claim->n_amounts; i++) {
        amounts[i] = (struct claim_amount){.resource = str_copy(arena, claim->amounts[i].resource),
                                           .value = claim->amounts[i].value};
    }
    *copy = (struct claim_wanted){.name = str_copy(arena, claim->name),
                                  .pool = str_copy(arena, claim->pool),
                                  .body = str_copy(arena, claim->body),
                                  .price = claim->price,
                                  .n_amounts = claim->n_amounts,
                                  .amounts = amounts};
    return copy;
}

/* Of those of this round and of before that are not there yet. */
static uint32_t n_creating(const struct engine *engine, struct str pool)
{
    uint32_t n = 0;
    for (size_t i = 0; i < engine->creating.n; i++) {
        n += str_eq(engine->creating.v[i].claim->pool, pool);
    }
    return n;
}

static enum claim_verdict judge(struct engine *engine, const struct lifecycle_view *view,
                                const struct claim_wanted *claim,
                                const struct claim_wanted *const *before, uint32_t n_before)
{
    const uint32_t n = n_creating(engine, claim->pool);
    enum claim_verdict verdict = CLAIM_WAITS;
    mono_t at = lifecycle_launch_at(engine->lifecycle, claim->pool);
    if (lifecycle_may_launch(engine->lifecycle, view, claim->pool) > n) {
        verdict =
            claim_check(engine->state, engine->vocab, engine->catalog, claim, before, n_before);
        if (verdict == CLAIM_GOOD &&
            !launch_budget_take(&engine->budget, claim->price, view->now.mono, &at)) {
            verdict = CLAIM_OVER_BUDGET;
        }
    }
    const bool later = verdict == CLAIM_WAITS || verdict == CLAIM_OVER_BUDGET;
    engine->again_at =
        later && at > view->now.mono && at < engine->again_at ? at : engine->again_at;
    return verdict;
}

void full_create(struct engine *engine, const struct round_result *result, struct moment now,
                 struct actions *actions)
{
    const struct lifecycle_view view = view_of(engine, now, actions);
    const struct claim_wanted **before =
        ARENA_ARRAY(actions->arena, const struct claim_wanted *, result->n_claims);
    uint32_t n_before = 0;
    engine->again_at =
        result->n_unplaced > 0 ? lifecycle_gone_until(engine->lifecycle, now.mono) : INT64_MAX;
    for (uint32_t i = 0; i < result->n_claims; i++) {
        const struct claim_wanted *claim = &result->claims[i];
        const enum claim_verdict verdict = judge(engine, &view, claim, before, n_before);
        say_claim(actions, claim, verdict);
        if (verdict == CLAIM_GOOD) {
            before[n_before++] = claim;
            VEC_PUSH(&engine->creating_arena, &engine->creating,
                     ((struct creating){.claim = keep(&engine->creating_arena, claim)}));
            send(engine, &engine->creating.v[engine->creating.n - 1], actions);
            tell_nominated(engine, claim, now, actions);
        }
    }
    tell_round(engine, result, now, actions);
}

static void on_created(struct engine *engine, size_t i, const struct k8s_written *written,
                       struct moment now)
{
    struct creating *creating = &engine->creating.v[i];
    creating->id = 0;
    switch (written->outcome) {
    case K8S_WRITE_DONE:
    case K8S_WRITE_ALREADY_EXISTS:
        creating->written = true;
        creating->due = sat_add(now.mono, ECHO_MS);
        if (is_there(engine, creating->claim->name)) {
            drop(engine, i);
        }
        break;
    case K8S_WRITE_UNKNOWN:
        creating->unsure = true;
        creating->due = sat_add(now.mono, CREATE_AGAIN_MS);
        break;
    case K8S_WRITE_FAILED:
    case K8S_WRITE_TOO_MANY:
    case K8S_WRITE_UNAUTHORIZED:
        creating->due =
            sat_add(now.mono, written->retry_after_ms > CREATE_AGAIN_MS ? written->retry_after_ms
                                                                        : CREATE_AGAIN_MS);
        break;
    case K8S_WRITE_NOT_FOUND:
    case K8S_WRITE_CONFLICT:
    case K8S_WRITE_BLOCKED:
    case K8S_WRITE_FORBIDDEN:
    case K8S_WRITE_INVALID:
        drop(engine, i);
        break;
    }
}

/* Limits may have been used up by others since the first try. */
static bool fits_still(struct engine *engine, size_t i, struct arena *arena)
{
    const struct claim_wanted **others =
        ARENA_ARRAY(arena, const struct claim_wanted *, engine->creating.n);
    uint32_t n = 0;
    for (size_t k = 0; k < engine->creating.n; k++) {
        const struct claim_wanted *other = engine->creating.v[k].claim;
        if (k != i && !is_there(engine, other->name)) {
            others[n++] = other;
        }
    }
    return claim_check(engine->state, engine->vocab, engine->catalog, engine->creating.v[i].claim,
                       others, n) == CLAIM_GOOD;
}

/* What got no answer, and what the watch does not show although it is written: a watch that has
 * fallen silent must not make the next round buy it again, and one that is deleted is never shown.
 */
static void create_again(struct engine *engine, struct moment now, struct actions *actions)
{
    for (size_t i = engine->creating.n; i-- > 0;) {
        struct creating *creating = &engine->creating.v[i];
        if (creating->due > now.mono) {
            continue;
        }
        if (creating->n_tries >= CREATE_TRIES) {
            drop(engine, i);
        } else if (is_there(engine, creating->claim->name) ||
                   fits_still(engine, i, actions->arena)) {
            send(engine, creating, actions);
        } else if (creating->written || creating->unsure) {
            creating->n_tries++; /* The watch will show it, if it is there. */
            creating->due = sat_add(now.mono, ECHO_MS);
        } else {
            drop(engine, i);
        }
    }
}

/* ---- whether it may ---- */

bool full_may_act(const struct engine *engine)
{
    return engine->lifecycle != NULL && engine->leads && engine->cluster.endpoint.n > 0 &&
           !engine->stopping;
}

struct str full_why_not(const struct engine *engine)
{
    const bool waits = engine->lifecycle != NULL && engine->leads && !engine->stopping &&
                       engine->cluster.endpoint.n == 0;
    return waits ? STR("EKS has not yet said what new nodes are to be told (endpoint, certificate)")
                 : STR_EMPTY;
}

/* The last plan was for nobody to carry out: the next one comes at once. */
static void plan_anew(struct engine *engine, struct moment now)
{
    engine->stale = true;
    engine->replan_at = now.mono;
}

void full_lead(struct engine *engine, bool leads, struct moment now)
{
    if (leads == engine->leads) {
        return;
    }
    engine->leads = leads;
    engine->creating.n = 0;
    engine->creating.v = NULL;
    engine->creating.cap = 0;
    arena_reset(&engine->creating_arena);
    lifecycle_restart(engine->lifecycle);
    pools_restart(engine->pools);
    tell_restart(engine->tell);
    plan_anew(engine, now);
}

void full_cluster(struct engine *engine, const struct userdata_cluster *cluster, struct moment now)
{
    struct arena *arena = &engine->cluster_arena;
    arena_reset(arena);
    engine->cluster = (struct userdata_cluster){.name = str_copy(arena, cluster->name),
                                                .endpoint = str_copy(arena, cluster->endpoint),
                                                .ca = str_copy(arena, cluster->ca),
                                                .cidr = str_copy(arena, cluster->cidr),
                                                .dns_ip = str_copy(arena, cluster->dns_ip)};
    plan_anew(engine, now);
}

/* ---- for the engine ---- */

void full_delta(struct engine *engine, const struct event *event, struct moment now,
                struct actions *actions)
{
    const struct lifecycle_view view = view_of(engine, now, actions);
    const struct pools_view pools_view = pools_view_of(engine, now, actions);
    const uint64_t n_freed = lifecycle_counts(engine->lifecycle).n_freed;
    lifecycle_delta(engine->lifecycle, &view, event);
    pools_delta(engine->pools, &pools_view, event);
    if (lifecycle_counts(engine->lifecycle).n_freed > n_freed) {
        /* Its pods wait again, and all that it could have had is marked: another plan, once others
         * that fail with it have had a moment. */
        const mono_t soon = sat_add(now.mono, FREED_MS);
        engine->stale = true;
        engine->replan_at = soon < engine->replan_at ? soon : engine->replan_at;
    }
    for (size_t i = engine->creating.n; event->kind->store == STORE_NODECLAIMS && i-- > 0;) {
        if (engine->creating.v[i].written &&
            str_eq(engine->creating.v[i].claim->name, event->delta.id.name)) {
            drop(engine, i);
        }
    }
}

void full_answer(struct engine *engine, const struct event *event, struct moment now,
                 struct actions *actions)
{
    for (size_t i = 0; event->type == EVENT_WRITTEN && i < engine->creating.n; i++) {
        if (engine->creating.v[i].id == event->id) {
            on_created(engine, i, &event->written, now);
            return;
        }
    }
    const struct lifecycle_view view = view_of(engine, now, actions);
    const struct pools_view pools_view = pools_view_of(engine, now, actions);
    if (event->type == EVENT_REPLY) {
        milestones_reply(engine, event, actions);
    }
    if (!tell_answer(engine, event, now, actions) &&
        !pools_answer(engine->pools, &pools_view, event)) {
        lifecycle_answer(engine->lifecycle, &view, event);
    }
}

void full_step(struct engine *engine, struct moment now, struct actions *actions)
{
    const struct lifecycle_view view = view_of(engine, now, actions);
    const struct pools_view pools_view = pools_view_of(engine, now, actions);
    if (now.mono >= engine->again_at) {
        engine->again_at = INT64_MAX;
        engine->stale = true;
        engine->replan_at = now.mono;
    }
    create_again(engine, now, actions);
    lifecycle_step(engine->lifecycle, &view);
    pools_step(engine->pools, &pools_view);
}

mono_t full_due(const struct engine *engine)
{
    const mono_t next = lifecycle_due(engine->lifecycle);
    const mono_t pools = pools_due(engine->pools);
    mono_t due = next < engine->again_at ? next : engine->again_at;
    due = pools < due ? pools : due;
    for (size_t i = 0; i < engine->creating.n; i++) {
        due = engine->creating.v[i].due < due ? engine->creating.v[i].due : due;
    }
    return due;
}

uint32_t full_gone(struct engine *engine, struct moment now, struct arena *arena,
                   const struct round_gone **ret_gone)
{
    const struct lifecycle_view view = view_of(engine, now, /* actions= */ NULL);
    return lifecycle_gone(engine->lifecycle, &view, arena, ret_gone);
}

void full_job(struct engine *engine, struct moment now, struct round_job *job)
{
    arena_reset(&engine->gone_arena);
    job->claims = true;
    job->n_gone = full_gone(engine, now, &engine->gone_arena, &job->gone);
    if (job->disrupts) {
        job->n_instances =
            lifecycle_instances(engine->lifecycle, &engine->gone_arena, &job->instances);
    }
    if (job->n_gone > 0) {
        /* Where capacity is short, a claim with three types would be the next to fail: more types,
         * and dearer ones, of which EC2 gives the cheapest that it has. */
        job->settings.options_within_ppm = SHORT_WITHIN_PPM;
        job->settings.spot_options_min = SHORT_SPOT_MIN;
    }
}
