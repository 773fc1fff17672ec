/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "provisioner/service/nodeclasses.h"

#include <stdlib.h>

#include "awsapi/fault.h"
#include "base/jsonw.h"
#include "k8s/annotations.h"
#include "k8s/state.h"
#include "k8s/write.h"
#include "live/aws.h"
#include "provisioner/nodeclass/keeper.h"
#include "provisioner/service/acting.h"
#include "provisioner/service/cluster.h"
#include "provisioner/service/live_catalog.h"
#include "provisioner/service/log.h"
#include "provisioner/service/service_impl.h"
#include "provisioner/service/settings.h"

enum { FIELDS_MAX = 8 * 1024 };

struct nodeclasses {
    struct arena arena;
    struct service *service;
    struct acting *acting;
    struct cluster *cluster;
    struct keeper *keeper;
    struct live_catalog *catalog; /* NULL: --catalog, or nothing that a journal could repeat */
    const struct k8s_kind *class_kind, *claim_kind, *pool_kind;
    struct io_timer timer;
};

static struct keeper_moment moment_of(const struct nodeclasses *n)
{
    const struct moment now = service_now(n->service);
    return (struct keeper_moment){.wall = now.wall, .mono = now.mono};
}

/* Asked before all that is done for the keeper. Without the Lease somebody else may act, and what
 * was asked before counts no more. */
static bool may_act(struct nodeclasses *n)
{
    const bool may = acting_may(n->acting);
    if (!may) {
        keeper_drop(n->keeper);
    }
    return may;
}

static void on_lost(void *ctx)
{
    const struct nodeclasses *n = ctx;
    keeper_drop(n->keeper);
}

/* ---- questions to AWS ---- */

static void on_page(void *ctx, uint64_t id, const void *output)
{
    struct nodeclasses *n = ctx;
    keeper_page(n->keeper, (uint32_t)id, output, moment_of(n));
}

static void on_end(void *ctx, uint64_t id, const struct aws_fault *fault, struct str why)
{
    struct nodeclasses *n = ctx;
    keeper_end(n->keeper, (uint32_t)id, fault, why, moment_of(n));
}

static void ask(struct nodeclasses *n, const struct keeper_want *want)
{
    const struct acting_replies replies = {.ctx = n, .page = on_page, .end = on_end};
    acting_call(n->acting, want->id, want->operation, want->input, &replies);
}

/* ---- writes ---- */

static enum keeper_outcome outcome_of(enum k8s_outcome outcome)
{
    switch (outcome) {
    case K8S_WRITE_DONE:
        return KEEPER_DONE;
    case K8S_WRITE_NOT_FOUND:
        return KEEPER_GONE;
    case K8S_WRITE_CONFLICT:
        return KEEPER_AGAIN;
    case K8S_WRITE_ALREADY_EXISTS:
    case K8S_WRITE_BLOCKED:
    case K8S_WRITE_TOO_MANY:
    case K8S_WRITE_FORBIDDEN:
    case K8S_WRITE_UNAUTHORIZED:
    case K8S_WRITE_INVALID:
    case K8S_WRITE_FAILED:
    case K8S_WRITE_UNKNOWN:
        break;
    }
    return KEEPER_FAILED;
}

static void on_patched(void *ctx, uint64_t id, const struct k8s_written *written, struct str why)
{
    struct nodeclasses *n = ctx;
    keeper_patched(n->keeper, (uint32_t)id, outcome_of(written->outcome), written->version, why,
                   moment_of(n));
}

static void patch(struct nodeclasses *n, const struct keeper_want *want)
{
    const struct k8s_write write = {
        .verb = K8S_WRITE_MERGE_PATCH,
        .kind = want->target == KEEPER_CLAIM ? n->claim_kind : n->class_kind,
        .name = want->name,
        .subresource = want->target == KEEPER_CLASS_STATUS ? STR("status") : STR_EMPTY,
        .body = want->body,
        .version = want->version,
        .grace_s = -1};
    acting_write(n->acting, want->id, &write, on_patched, n);
}

static void say(struct nodeclasses *n, const struct keeper_want *want)
{
    auto_arena arena = ARENA_INIT;
    struct strbuf b = strbuf_new(&arena, FIELDS_MAX);
    strbuf_add(&b, STR("\"EC2NodeClass\":"));
    jsonw_quote(&b, want->name);
    if (want->text.n > 0) {
        strbuf_add(&b, want->is_error ? STR(",\"error\":") : STR(",\"reason\":"));
        jsonw_quote(&b, str_sub(want->text, 0, FIELDS_MAX / 8));
    }
    log_line(n->service->log, service_now(n->service).wall,
             want->is_error ? ACTION_ERROR : ACTION_INFO, want->message, "nodeclass",
             strbuf_str(&b));
}

/* ---- objects ---- */

/* Other providers' node classes may have the same name. */
static bool is_of_ours(const struct nodeclasses *n, const struct karp_class_ref *ref)
{
    const struct strtab *tab = engine_tab(n->service->engine);
    return str_eq(strtab_str(tab, ref->group), str_of(n->class_kind->group)) &&
           str_eq(strtab_str(tab, ref->kind), str_of(n->class_kind->name));
}

/* Of the class in `name`, in the order of the state. */
static bool claim_next(void *ctx, struct str name, uint32_t *at, struct keeper_claim *ret)
{
    const struct nodeclasses *n = ctx;
    const struct k8s_state *state = engine_look(n->service->engine).state;
    struct strtab *tab = engine_tab(n->service->engine);
    const strid version = strtab_find(tab, STR(ANN_CLASS_HASH_VERSION));
    const strid profile_key = strtab_find(tab, STR(ANN_CLASS_PROFILE));
    const strid drifted = strtab_find(tab, STR("Drifted"));
    const uint32_t n_claims = k8s_state_count(state, STORE_NODECLAIMS);
    while (*at < n_claims) {
        const struct karp_nodeclaim *claim = k8s_state_at(state, STORE_NODECLAIMS, (*at)++);
        if (!is_of_ours(n, &claim->class_ref) || !str_eq(claim->class_ref.name, name)) {
            continue;
        }
        *ret = (struct keeper_claim){.name = claim->meta.name};
        const strid value = k8s_pairs_get(&claim->meta.annotations, version);
        const strid profile = k8s_pairs_get(&claim->meta.annotations, profile_key);
        ret->hash_version = value == STRID_NONE ? STR_EMPTY : strtab_str(tab, value);
        ret->profile = profile == STRID_NONE ? STR_EMPTY : strtab_str(tab, profile);
        for (uint32_t i = 0; i < claim->conditions.n; i++) {
            ret->drifted = ret->drifted || claim->conditions.v[i].type == drifted;
        }
        return true;
    }
    return false;
}

static uint32_t types_of(void *ctx, struct str name, struct arena *arena,
                         const struct nodeclass_type **ret_types)
{
    const struct nodeclasses *n = ctx;
    return engine_class_types(n->service->engine, name, arena, ret_types);
}

void nodeclasses_delta(struct nodeclasses *n, const struct k8s_kind *kind,
                       const struct k8s_delta *delta)
{
    if (kind == n->class_kind) {
        if (delta->change == K8S_DELETED) {
            keeper_class_gone(n->keeper, delta->id.name);
        } else {
            keeper_class(n->keeper, delta->object);
        }
    } else if (kind == n->claim_kind && delta->change == K8S_DELETED) {
        const struct karp_nodeclaim *claim =
            k8s_state_find(engine_look(n->service->engine).state, kind, &delta->id);
        if (claim != NULL && is_of_ours(n, &claim->class_ref)) {
            keeper_claim_gone(n->keeper, claim->class_ref.name);
        }
    }
}

void nodeclasses_restart(struct nodeclasses *n)
{
    keeper_restart(n->keeper);
    if (n->catalog != NULL) {
        live_catalog_restart(n->catalog);
    }
}

/* ---- turns ---- */

static enum kind_stage stage_of(const struct nodeclasses *n, const struct k8s_kind *kind)
{
    return n->service->kinds[kind - k8s_kinds].stage;
}

static bool is_known(const struct nodeclasses *n, const struct k8s_kind *kind)
{
    const enum kind_stage stage = stage_of(n, kind);
    return stage == KIND_SYNCED || stage == KIND_ABSENT;
}

static void do_all(struct nodeclasses *n)
{
    struct keeper_want want;
    keeper_claims_absent(n->keeper, stage_of(n, n->claim_kind) == KIND_ABSENT);
    while (may_act(n) && keeper_next(n->keeper, moment_of(n), &want)) {
        switch (want.type) {
        case KEEPER_ASK:
            ask(n, &want);
            break;
        case KEEPER_PATCH:
            patch(n, &want);
            break;
        case KEEPER_SAY:
            say(n, &want);
            break;
        }
    }
}

void nodeclasses_turn(struct nodeclasses *n)
{
    const mono_t now = service_now(n->service).mono;
    const struct str version = cluster_version(n->cluster);
    keeper_set_version(n->keeper, version);
    if (may_act(n) && version.n > 0 && is_known(n, n->class_kind) && is_known(n, n->claim_kind) &&
        is_known(n, n->pool_kind)) {
        do_all(n);
    }
    if (n->catalog != NULL) {
        live_catalog_turn(n->catalog);
    }
    const mono_t at = keeper_due(n->keeper);
    if (at > now && at != INT64_MAX) {
        io_timer_set(n->service->session.loop, &n->timer, at);
    }
}

/* ---- opening ---- */

static void on_due(void *ctx, mono_t now)
{
    (void)ctx; /* the turn that follows does it */
    (void)now;
}

struct nodeclasses *nodeclasses_new(struct service *service, struct acting *acting,
                                    struct cluster *cluster)
{
    struct arena arena = ARENA_INIT;
    struct nodeclasses *n = ARENA_NEW(&arena, struct nodeclasses);
    const struct settings *s = service->settings;
    const struct keeper_settings keeper = {
        .cluster_name = s->cluster_name,
        .region = live_aws_region(acting_aws(acting)),
        .ca = cluster_ca(cluster),
        .refresh_ms =
            s->ami_refresh_ms < s->subnet_refresh_ms ? s->ami_refresh_ms : s->subnet_refresh_ms,
        .isolated_vpc = s->isolated_vpc,
        .reserved_capacity = s->gates[GATE_RESERVED_CAPACITY],
        .dry_run = !s->disable_dry_run,
        .endpoint = s->cluster_endpoint.n > 0 ? s->cluster_endpoint
                                              : live_access_address(service->session.access),
        .claim_next = claim_next,
        .types_of = types_of,
        .ctx = n};
    n->service = service;
    n->acting = acting;
    n->cluster = cluster;
    n->timer = (struct io_timer){.fn = on_due};
    n->arena = arena;
    if (k8s_kind_find(STR("EC2NodeClass"), STR_EMPTY, &n->class_kind) != K8S_MATCH_YES ||
        k8s_kind_find(STR("NodeClaim"), STR_EMPTY, &n->claim_kind) != K8S_MATCH_YES ||
        k8s_kind_find(STR("NodePool"), STR_EMPTY, &n->pool_kind) != K8S_MATCH_YES) {
        abort(); /* kinds of our own table */
    }
    n->keeper = keeper_new(&keeper);
    acting_on_lost(acting, on_lost, n);
    if (s->catalog.n == 0 && s->journal.n == 0 && !s->isolated_vpc) {
        n->catalog = live_catalog_new(service, acting_aws(acting));
    }
    return n;
}

void nodeclasses_free(struct nodeclasses *n)
{
    if (n == NULL) {
        return;
    }
    io_timer_stop(n->service->session.loop, &n->timer);
    live_catalog_free(n->catalog);
    keeper_free(n->keeper);
    struct arena arena = n->arena;
    arena_done(&arena);
}
