/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "provisioner/service/nodeclasses.h"

#include <stdlib.h>

#include "awsapi/fault.h"
#include "base/base64.h"
#include "base/json_decode.h"
#include "base/jsonw.h"
#include "io/clock.h"
#include "k8s/annotations.h"
#include "k8s/rest.h"
#include "k8s/state.h"
#include "k8s/write.h"
#include "live/aws.h"
#include "live/calls.h"
#include "provisioner/nodeclass/keeper.h"
#include "provisioner/service/leader.h"
#include "provisioner/service/live_catalog.h"
#include "provisioner/service/log.h"
#include "provisioner/service/service_impl.h"
#include "provisioner/service/settings.h"

#define VERSION_EVERY_MS (INT64_C(5) * 60 * 1000)
#define VERSION_AGAIN_MS INT64_C(2000)

enum { VERSION_BODY_MAX = 64 * 1024, VERSION_TOTAL_MS = 30 * 1000, FIELDS_MAX = 8 * 1024 };

struct nodeclasses {
    struct arena arena;
    struct service *service;
    struct live_aws *aws;
    struct live_calls *calls;
    struct leader *leader;
    struct keeper *keeper;
    struct live_catalog *catalog; /* NULL: --catalog, or nothing that a journal could repeat */
    const struct k8s_kind *class_kind, *claim_kind;
    struct io_timer timer;
    bool has_version, version_under_way, said_version;
    bool stopping;
    mono_t version_at;
    struct doing *doings; /* questions and writes of the keeper that are under way */
};

struct doing {
    struct arena arena;
    struct doing *next;
    struct nodeclasses *n;
    uint32_t id;
    const struct aws_operation *operation;
    struct k8s_write write;
};

static struct keeper_moment moment_of(const struct nodeclasses *n)
{
    const struct moment now = service_now(n->service);
    return (struct keeper_moment){.wall = now.wall, .mono = now.mono};
}

static struct doing *doing_new(struct nodeclasses *n, uint32_t id)
{
    struct arena arena = ARENA_INIT;
    struct doing *doing = ARENA_NEW(&arena, struct doing);
    doing->n = n;
    doing->id = id;
    doing->arena = arena;
    doing->next = n->doings;
    n->doings = doing;
    return doing;
}

static void doing_free(struct doing *doing)
{
    struct arena arena = doing->arena;
    struct doing **at = &doing->n->doings;
    while (*at != doing) {
        at = &(*at)->next;
    }
    *at = doing->next;
    arena_done(&arena);
}

/* Asked before all that is sent for the keeper. Without the Lease somebody else may act, and what
 * was asked before counts no more. */
static bool may_act(struct nodeclasses *n)
{
    const bool may = !n->stopping && leader_holds(n->leader);
    if (!may) {
        keeper_drop(n->keeper);
    }
    return may;
}

static bool may_send(void *ctx)
{
    const struct doing *doing = ctx;
    return may_act(doing->n);
}

/* ---- questions to AWS ---- */

static bool on_page(void *ctx, const void *output)
{
    struct doing *doing = ctx;
    keeper_page(doing->n->keeper, doing->id, output, moment_of(doing->n));
    return true;
}

static void on_end(void *ctx, const struct aws_fault *fault)
{
    struct doing *doing = ctx;
    struct err why = {.code = ERR_NONE};
    if (fault->kind != AWS_FAULT_NONE) {
        (void)aws_fault_err(doing->operation, fault, &why);
    }
    keeper_end(doing->n->keeper, doing->id, fault, str_of(why.text), moment_of(doing->n));
    doing_free(doing);
}

static void ask(struct nodeclasses *n, const struct keeper_want *want)
{
    struct doing *doing = doing_new(n, want->id);
    const struct live_aws_events events = {
        .ctx = doing, .page = on_page, .end = on_end, .may = may_send};
    doing->operation = want->operation;
    live_aws_start(n->aws, want->operation, want->input, STR_EMPTY, &events);
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

static void patched(struct doing *doing, const struct k8s_written *written, const struct err *err)
{
    const enum keeper_outcome outcome = outcome_of(written->outcome);
    keeper_patched(doing->n->keeper, doing->id, outcome, written->version,
                   outcome == KEEPER_DONE ? STR_EMPTY : str_of(err->text), moment_of(doing->n));
    doing_free(doing);
}

static void on_written(void *ctx, const struct live_answer *answer)
{
    struct doing *doing = ctx;
    struct err err = {.code = ERR_NONE};
    const struct k8s_written written =
        k8s_write_outcome(&doing->write, answer->end, answer->status, answer->retry_after_ms,
                          answer->body, answer->why, &doing->arena, &err);
    patched(doing, &written, &err);
}

static void patch(struct nodeclasses *n, const struct keeper_want *want)
{
    struct doing *doing = doing_new(n, want->id);
    struct http_request request;
    struct err err;
    doing->write = (struct k8s_write){
        .verb = K8S_WRITE_MERGE_PATCH,
        .kind = want->target == KEEPER_CLAIM ? n->claim_kind : n->class_kind,
        .name = str_copy(&doing->arena, want->name),
        .subresource = want->target == KEEPER_CLASS_STATUS ? STR("status") : STR_EMPTY,
        .body = str_copy(&doing->arena, want->body),
        .version = str_copy(&doing->arena, want->version),
        .grace_s = -1};
    if (!k8s_write_request(&doing->write, &doing->arena, &request, &err) ||
        !live_calls_start_if(n->calls, &request, may_send, on_written, doing, &err)) {
        const struct k8s_written failed = {.outcome = K8S_WRITE_FAILED};
        patched(doing, &failed, &err);
    }
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

/* ---- the version of Kubernetes ---- */

/* "1" and "33+" as "1.33". */
static struct str version_of(struct str body, struct arena *arena)
{
    auto_json *object = NULL;
    struct err ignored;
    if (!json_decode_text(body, arena, &object, &ignored)) {
        return STR_EMPTY;
    }
    const struct str major = str_of(json_string_value(json_object_get(object, "major")));
    const struct str minor = str_of(json_string_value(json_object_get(object, "minor")));
    struct strbuf b = strbuf_new(arena, 64);
    size_t digits = 0;
    while (digits < minor.n && minor.p[digits] >= '0' && minor.p[digits] <= '9') {
        digits++;
    }
    strbuf_addf(&b, STR_FMT "." STR_FMT, STR_ARG(major), STR_ARG(str_sub(minor, 0, digits)));
    return major.n > 0 && digits > 0 ? strbuf_str(&b) : STR_EMPTY;
}

/* Without it no EC2NodeClass is kept: said once, until it is known again. */
static void say_version(struct nodeclasses *n, const struct live_answer *answer, bool known)
{
    struct err why;
    if (known) {
        n->said_version = false;
    } else if (!n->said_version) {
        n->said_version = true;
        (void)(answer->status > 0
                   ? k8s_refused(&why, "get", "/version", answer->status, answer->body)
                   : k8s_unanswered(&why, "get", "/version", answer->end, answer->why));
        log_error(n->service->log, service_now(n->service).wall,
                  "cannot learn the version of Kubernetes", &why);
    }
}

static void on_version(void *ctx, const struct live_answer *answer)
{
    auto_arena arena = ARENA_INIT;
    struct nodeclasses *n = ctx;
    const bool good = answer->end == HTTP_COMPLETE && answer->status == 200;
    const struct str version = good ? version_of(answer->body, &arena) : STR_EMPTY;
    n->version_under_way = false;
    say_version(n, answer, version.n > 0);
    n->version_at =
        service_now(n->service).mono + (version.n > 0 ? VERSION_EVERY_MS : VERSION_AGAIN_MS);
    if (version.n > 0) {
        n->has_version = true;
        keeper_set_version(n->keeper, version);
    }
}

static void ask_version(struct nodeclasses *n)
{
    const struct http_request request = {.method = HTTP_GET,
                                         .path = STR("/version"),
                                         .accept = STR("application/json"),
                                         .total_ms = VERSION_TOTAL_MS,
                                         .body_max = VERSION_BODY_MAX};
    struct err ignored;
    n->version_under_way = live_calls_start(n->calls, &request, on_version, n, &ignored);
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
    const strid drifted = strtab_find(tab, STR("Drifted"));
    const uint32_t n_claims = k8s_state_count(state, STORE_NODECLAIMS);
    while (*at < n_claims) {
        const struct karp_nodeclaim *claim = k8s_state_at(state, STORE_NODECLAIMS, (*at)++);
        if (!is_of_ours(n, &claim->class_ref) || !str_eq(claim->class_ref.name, name)) {
            continue;
        }
        *ret = (struct keeper_claim){.name = claim->meta.name};
        const strid value = k8s_pairs_get(&claim->meta.annotations, version);
        ret->hash_version = value == STRID_NONE ? STR_EMPTY : strtab_str(tab, value);
        for (uint32_t i = 0; i < claim->conditions.n; i++) {
            ret->drifted = ret->drifted || claim->conditions.v[i].type == drifted;
        }
        return true;
    }
    return false;
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
    leader_turn(n->leader);
    if (!n->version_under_way && now >= n->version_at) {
        ask_version(n);
    }
    if (may_act(n) && n->has_version && is_known(n, n->class_kind) && is_known(n, n->claim_kind)) {
        do_all(n);
    }
    live_calls_send(n->calls);
    if (n->catalog != NULL) {
        live_catalog_turn(n->catalog);
    }
    const mono_t due = keeper_due(n->keeper);
    const mono_t at = due < n->version_at ? due : n->version_at;
    if (at > now && at != INT64_MAX) {
        io_timer_set(n->service->session.loop, &n->timer, at);
    }
}

bool nodeclasses_stop(struct nodeclasses *n)
{
    bool free = false;
    n->stopping = true;
    if (n->doings == NULL) {
        free = leader_release(n->leader);
    } else {
        leader_turn(n->leader); /* what is under way in AWS is done under the Lease */
    }
    live_calls_send(n->calls);
    return free;
}

/* ---- opening ---- */

static void on_due(void *ctx, mono_t now)
{
    (void)ctx; /* the turn that follows does it */
    (void)now;
}

static bool open_leader(struct nodeclasses *n, struct err *err)
{
    const struct settings *s = n->service->settings;
    const struct str own = live_access_namespace(n->service->session.access);
    const struct leader_settings leader = {.ns = s->leader_election_namespace.n > 0
                                                     ? s->leader_election_namespace
                                                 : s->system_namespace.n > 0 ? s->system_namespace
                                                                             : own,
                                           .name = s->leader_election_name,
                                           .alone = s->disable_leader_election};
    if (leader.ns.n == 0 && !leader.alone) {
        return err_set(err, ERR_NOT_FOUND,
                       "no namespace for the Lease: --leader-election-namespace and "
                       "SYSTEM_NAMESPACE are not set, and neither kubeconfig nor pod names one");
    }
    n->leader = leader_new(n->service->session.loop, n->calls, n->service->log, &leader);
    return true;
}

/* The hash takes in the certificate authority as nodes are told of it. */
static struct str ca_of(struct nodeclasses *n)
{
    const struct str given = n->service->settings->cluster_ca_bundle;
    const struct str pem = live_access_ca(n->service->session.access);
    return given.n > 0 ? given : pem.n > 0 ? base64_encode(pem, &n->arena) : STR_EMPTY;
}

static bool open_all(struct nodeclasses *n, struct err *err)
{
    const struct live_session *session = &n->service->session;
    const struct settings *s = n->service->settings;
    const struct live_calls_settings calls = {.per_s = s->kube_client_qps,
                                              .burst = s->kube_client_burst};
    const struct live_aws_settings aws = {.region = STR_EMPTY};
    n->calls = live_calls_new(session->loop, session->http, session->access, &calls);
    if (!live_aws_open(session->loop, session->http, &aws, &n->aws, err) || !open_leader(n, err)) {
        return false;
    }
    const struct keeper_settings keeper = {.cluster_name = s->cluster_name,
                                           .region = live_aws_region(n->aws),
                                           .ca = ca_of(n),
                                           .refresh_ms = s->ami_refresh_ms < s->subnet_refresh_ms
                                                             ? s->ami_refresh_ms
                                                             : s->subnet_refresh_ms,
                                           .isolated_vpc = s->isolated_vpc,
                                           .reserved_capacity = s->gates[GATE_RESERVED_CAPACITY],
                                           .claim_next = claim_next,
                                           .ctx = n};
    n->keeper = keeper_new(&keeper);
    if (s->catalog.n == 0 && s->journal.n == 0 && !s->isolated_vpc) {
        n->catalog = live_catalog_new(n->service, n->aws);
    }
    return true;
}

bool nodeclasses_open(struct service *service, struct nodeclasses **ret_nodeclasses,
                      struct err *err)
{
    struct arena arena = ARENA_INIT;
    struct nodeclasses *n = ARENA_NEW(&arena, struct nodeclasses);
    n->service = service;
    n->timer = (struct io_timer){.fn = on_due};
    n->arena = arena;
    if (k8s_kind_find(STR("EC2NodeClass"), STR_EMPTY, &n->class_kind) != K8S_MATCH_YES ||
        k8s_kind_find(STR("NodeClaim"), STR_EMPTY, &n->claim_kind) != K8S_MATCH_YES) {
        abort(); /* kinds of our own table */
    }
    if (!open_all(n, err)) {
        nodeclasses_close(n);
        return false;
    }
    *ret_nodeclasses = n;
    return true;
}

void nodeclasses_close(struct nodeclasses *n)
{
    if (n == NULL) {
        return;
    }
    io_timer_stop(n->service->session.loop, &n->timer);
    live_aws_free(n->aws);
    live_catalog_free(n->catalog);
    live_calls_free(n->calls);
    while (n->doings != NULL) {
        doing_free(n->doings);
    }
    leader_free(n->leader);
    keeper_free(n->keeper);
    struct arena arena = n->arena;
    arena_done(&arena);
}
