/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "provisioner/service/acting.h"

#include "awsapi/fault.h"
#include "live/aws.h"
#include "live/calls.h"
#include "provisioner/observe/metrics.h"
#include "provisioner/service/leader.h"
#include "provisioner/service/service_impl.h"
#include "provisioner/service/settings.h"

struct acting {
    struct arena arena;
    struct service *service;
    struct live_aws *aws;
    struct live_calls *calls;
    struct leader *leader;
    struct doing *doings; /* writes and calls that are under way */
    void (*lost)(void *ctx);
    void *lost_ctx;
    bool stopping;
    struct io_timer timer;
};

struct doing {
    struct arena arena;
    struct doing *next;
    struct acting *acting;
    uint64_t id;
    struct k8s_write write;
    acting_written_fn fn;
    void *ctx;
    bool unsent; /* it cannot be sent at all: */
    struct err why;
    const struct aws_operation *operation;
    struct acting_replies replies;
};

static struct doing *doing_new(struct acting *acting, uint64_t id)
{
    struct arena arena = ARENA_INIT;
    struct doing *doing = ARENA_NEW(&arena, struct doing);
    doing->acting = acting;
    doing->id = id;
    doing->arena = arena;
    doing->next = acting->doings;
    acting->doings = doing;
    return doing;
}

static void doing_free(struct doing *doing)
{
    struct arena arena = doing->arena;
    struct doing **at = &doing->acting->doings;
    while (*at != doing) {
        at = &(*at)->next;
    }
    *at = doing->next;
    arena_done(&arena);
}

bool acting_may(const struct acting *acting)
{
    return !acting->stopping && leader_holds(acting->leader);
}

void acting_put_leader(const struct acting *acting, struct jsonw *w)
{
    leader_put(acting->leader, w);
}

static bool may_send(void *ctx)
{
    const struct doing *doing = ctx;
    const bool may = acting_may(doing->acting);
    if (!may && doing->acting->lost != NULL) {
        doing->acting->lost(doing->acting->lost_ctx);
    }
    return may;
}

/* ---- writes ---- */

static void written(struct doing *doing, const struct k8s_written *how, const struct err *err)
{
    doing->fn(doing->ctx, doing->id, how,
              how->outcome == K8S_WRITE_DONE ? STR_EMPTY : str_of(err->text));
    doing_free(doing);
}

static void on_answer(void *ctx, const struct live_answer *answer)
{
    struct doing *doing = ctx;
    struct err err = {.code = ERR_NONE};
    const struct k8s_written how =
        k8s_write_outcome(&doing->write, answer->end, answer->status, answer->retry_after_ms,
                          answer->body, answer->why, &doing->arena, &err);
    written(doing, &how, &err);
}

void acting_write(struct acting *acting, uint64_t id, const struct k8s_write *write,
                  acting_written_fn fn, void *ctx)
{
    struct doing *doing = doing_new(acting, id);
    struct arena *arena = &doing->arena;
    struct http_request request;
    struct err err;
    doing->fn = fn;
    doing->ctx = ctx;
    doing->write = *write;
    doing->write.ns = str_copy(arena, write->ns);
    doing->write.name = str_copy(arena, write->name);
    doing->write.subresource = str_copy(arena, write->subresource);
    doing->write.body = str_copy(arena, write->body);
    doing->write.version = str_copy(arena, write->version);
    doing->write.uid = str_copy(arena, write->uid);
    if (!k8s_write_request(&doing->write, arena, &request, &err) ||
        !live_calls_start_if(acting->calls, &request, may_send, on_answer, doing, &err)) {
        doing->unsent = true; /* said in the next turn: this may be inside a step of the engine */
        doing->why = err;
        io_timer_set(acting->service->session.loop, &acting->timer,
                     service_now(acting->service).mono);
    }
}

static void end_unsent(struct acting *acting)
{
    const struct k8s_written failed = {.outcome = K8S_WRITE_FAILED};
    for (struct doing *doing = acting->doings, *next; doing != NULL; doing = next) {
        next = doing->next;
        if (doing->unsent) {
            written(doing, &failed, &doing->why);
        }
    }
}

/* ---- calls ---- */

static bool on_page(void *ctx, const void *output)
{
    const struct doing *doing = ctx;
    doing->replies.page(doing->replies.ctx, doing->id, output);
    return true;
}

static void on_end(void *ctx, const struct aws_fault *fault)
{
    struct doing *doing = ctx;
    struct err why = {.code = ERR_NONE};
    if (fault->kind != AWS_FAULT_NONE) {
        (void)aws_fault_err(doing->operation, fault, &why);
    }
    doing->replies.end(doing->replies.ctx, doing->id, fault, str_of(why.text));
    doing_free(doing);
}

void acting_call(struct acting *acting, uint64_t id, const struct aws_operation *operation,
                 const void *input, const struct acting_replies *replies)
{
    struct doing *doing = doing_new(acting, id);
    const struct live_aws_events events = {
        .ctx = doing, .page = on_page, .end = on_end, .may = may_send};
    doing->operation = operation;
    doing->replies = *replies;
    live_aws_start(acting->aws, operation, input, STR_EMPTY, &events);
}

/* ---- turns ---- */

static void on_due(void *ctx, mono_t now)
{
    (void)ctx; /* the turn that follows does it */
    (void)now;
}

void acting_turn(struct acting *acting)
{
    end_unsent(acting);
    leader_turn(acting->leader);
}

void acting_send(struct acting *acting)
{
    live_calls_send(acting->calls);
}

bool acting_stop(struct acting *acting)
{
    bool free = false;
    acting->stopping = true;
    end_unsent(acting);
    if (acting->doings == NULL) {
        free = leader_release(acting->leader);
    } else {
        leader_turn(acting->leader); /* what is under way is done under the Lease */
    }
    live_calls_send(acting->calls);
    return free;
}

/* ---- metrics ---- */

static void on_call(void *ctx, const struct aws_operation *operation, const struct aws_fault *fault,
                    int64_t took_ms)
{
    const struct service *service = ctx;
    const struct str labels[] = {
        str_of(operation->name),
        fault->kind == AWS_FAULT_NONE ? STR("done") : str_of(aws_fault_kind_name(fault->kind))};
    metrics_add(service->metrics, METRIC_AWS_CALLS, labels, 1);
    metrics_observe(service->metrics, METRIC_AWS_CALL_SECONDS, labels, took_ms * 1000);
}

/* ---- opening ---- */

static bool open_leader(struct acting *acting, struct err *err)
{
    const struct service *service = acting->service;
    const struct settings *s = service->settings;
    const struct str own = live_access_namespace(service->session.access);
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
    acting->leader = leader_new(service->session.loop, acting->calls, service->log, &leader);
    return true;
}

bool acting_open(struct service *service, struct acting **ret_acting, struct err *err)
{
    struct arena arena = ARENA_INIT;
    struct acting *acting = ARENA_NEW(&arena, struct acting);
    const struct live_session *session = &service->session;
    const struct live_calls_settings calls = {.per_s = service->settings->kube_client_qps,
                                              .burst = service->settings->kube_client_burst};
    const struct live_aws_settings aws = {
        .region = service->settings->aws_region, .ended = on_call, .ctx = service};
    acting->service = service;
    acting->timer = (struct io_timer){.fn = on_due};
    acting->arena = arena;
    acting->calls = live_calls_new(session->loop, session->http, session->access, &calls);
    if (!live_aws_open(session->loop, session->http, &aws, &acting->aws, err) ||
        !open_leader(acting, err)) {
        acting_close(acting);
        return false;
    }
    *ret_acting = acting;
    return true;
}

void acting_close(struct acting *acting)
{
    if (acting == NULL) {
        return;
    }
    io_timer_stop(acting->service->session.loop, &acting->timer);
    live_aws_free(acting->aws);
    live_calls_free(acting->calls);
    while (acting->doings != NULL) {
        doing_free(acting->doings);
    }
    leader_free(acting->leader);
    struct arena arena = acting->arena;
    arena_done(&arena);
}

void acting_on_lost(struct acting *acting, void (*fn)(void *ctx), void *ctx)
{
    acting->lost = fn;
    acting->lost_ctx = ctx;
}

struct live_aws *acting_aws(struct acting *acting)
{
    return acting->aws;
}

struct live_calls *acting_calls(struct acting *acting)
{
    return acting->calls;
}
