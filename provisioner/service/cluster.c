/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "provisioner/service/cluster.h"

#include "awsapi/fault.h"
#include "awsapi/service_eks.h"
#include "base/base64.h"
#include "base/json_decode.h"
#include "k8s/rest.h"
#include "live/aws.h"
#include "live/calls.h"
#include "provisioner/nodeclass/userdata.h"
#include "provisioner/service/acting.h"
#include "provisioner/service/log.h"
#include "provisioner/service/service_impl.h"
#include "provisioner/service/settings.h"

#define VERSION_EVERY_MS (INT64_C(5) * 60 * 1000)
#define AGAIN_MS         INT64_C(2000)
#define EKS_AGAIN_MS     (INT64_C(30) * 1000)

enum { BODY_MAX = 1 << 20, TOTAL_MS = 30 * 1000 };

/* A question that is asked at its time. */
struct question {
    bool under_way, said, answered;
    mono_t at;
};

struct cluster {
    struct arena arena, version_arena, eks_arena, dns_arena;
    struct service *service;
    struct acting *acting;
    struct io_timer timer;
    bool for_nodes, news;
    struct question version_asked, eks_asked, dns_asked;
    struct str version, ca;
    struct str endpoint, cidr; /* of EKS */
    struct str dns_ip;
    struct eks_describe_cluster_request request;
};

static mono_t now_of(const struct cluster *c)
{
    return service_now(c->service).mono;
}

static bool is_due(const struct cluster *c, const struct question *q)
{
    return !q->under_way && now_of(c) >= q->at;
}

/* What goes wrong is said once, until it goes well again. */
static void say(struct cluster *c, struct question *q, const char *message, const struct err *why)
{
    if (!q->said) {
        log_error(c->service->log, service_now(c->service).wall, message, why);
    }
    q->said = true;
}

static void say_answer(struct cluster *c, struct question *q, const char *message, const char *path,
                       const struct live_answer *answer)
{
    struct err why;
    (void)(answer->status > 0 ? k8s_refused(&why, "get", path, answer->status, answer->body)
                              : k8s_unanswered(&why, "get", path, answer->end, answer->why));
    say(c, q, message, &why);
}

/* ---- of the API server ---- */

static void get(struct cluster *c, struct question *q, const char *path, live_answer_fn fn)
{
    const struct http_request request = {.method = HTTP_GET,
                                         .path = str_of(path),
                                         .accept = STR("application/json"),
                                         .total_ms = TOTAL_MS,
                                         .body_max = BODY_MAX};
    struct err ignored;
    q->under_way = live_calls_start(acting_calls(c->acting), &request, fn, c, &ignored);
}

static json_t *object_of(const struct live_answer *answer, struct arena *arena)
{
    json_t *object = NULL;
    struct err ignored;
    const bool good = answer->end == HTTP_COMPLETE && answer->status == 200 &&
                      json_decode_text(answer->body, arena, &object, &ignored);
    return good ? object : NULL;
}

/* "1" and "33+" as "1.33". */
static struct str version_of(const json_t *object, struct arena *arena)
{
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

static void on_version(void *ctx, const struct live_answer *answer)
{
    auto_arena arena = ARENA_INIT;
    struct cluster *c = ctx;
    auto_json *object = object_of(answer, &arena);
    const struct str version = version_of(object, &arena);
    c->version_asked.under_way = false;
    c->version_asked.at = now_of(c) + (version.n > 0 ? VERSION_EVERY_MS : AGAIN_MS);
    if (version.n == 0) {
        say_answer(c, &c->version_asked, "cannot learn the version of Kubernetes", "/version",
                   answer);
        return;
    }
    c->version_asked.said = false;
    arena_reset(&c->version_arena);
    c->version = str_copy(&c->version_arena, version);
}

/* Where there is none by that name, nodes find their own (karp-aws: kubeDNSIP). */
static void on_dns(void *ctx, const struct live_answer *answer)
{
    auto_arena arena = ARENA_INIT;
    struct cluster *c = ctx;
    auto_json *object = object_of(answer, &arena);
    const json_t *ip = json_object_get(json_object_get(object, "spec"), "clusterIP");
    c->dns_asked.under_way = false;
    c->dns_asked.answered = object != NULL || answer->status == 404;
    if (!c->dns_asked.answered) {
        c->dns_asked.at = now_of(c) + AGAIN_MS;
        say_answer(c, &c->dns_asked, "cannot learn the address of kube-dns",
                   "services kube-system/kube-dns", answer);
        return;
    }
    c->dns_asked.at = INT64_MAX;
    c->dns_ip =
        json_is_string(ip) ? str_copy(&c->dns_arena, str_of(json_string_value(ip))) : STR_EMPTY;
    c->news = true;
}

/* ---- of EKS ---- */

static bool on_page(void *ctx, const void *output)
{
    struct cluster *c = ctx;
    const struct eks_describe_cluster_response *page = output;
    const struct eks_cluster *cluster = page->cluster;
    const struct eks_kubernetes_network_config_response *network =
        cluster == NULL ? NULL : cluster->kubernetes_network_config;
    if (cluster == NULL) {
        return true;
    }
    arena_reset(&c->eks_arena);
    c->endpoint = str_copy(&c->eks_arena, cluster->endpoint);
    c->cidr = network == NULL ? STR_EMPTY
                              : str_copy(&c->eks_arena, network->service_ipv4_cidr.n > 0
                                                            ? network->service_ipv4_cidr
                                                            : network->service_ipv6_cidr);
    return true;
}

static void on_end(void *ctx, const struct aws_fault *fault)
{
    struct cluster *c = ctx;
    struct err why = {.code = ERR_NONE};
    c->eks_asked.under_way = false;
    c->eks_asked.answered = true;
    c->news = true;
    if (fault->kind == AWS_FAULT_NONE && c->endpoint.n > 0) {
        c->eks_asked.at = INT64_MAX;
        c->eks_asked.said = false;
        return;
    }
    c->eks_asked.at = now_of(c) + EKS_AGAIN_MS;
    (void)(fault->kind == AWS_FAULT_NONE
               ? err_set(&why, ERR_NOT_FOUND, "EKS names no endpoint of " STR_FMT " yet",
                         STR_ARG(c->service->settings->cluster_name))
               : aws_fault_err(&aws_eks_describe_cluster, fault, &why));
    say(c, &c->eks_asked, "cannot learn of EKS what new nodes are to be told", &why);
}

static void ask_eks(struct cluster *c)
{
    const struct live_aws_events events = {.ctx = c, .page = on_page, .end = on_end};
    c->request.name = c->service->settings->cluster_name;
    c->eks_asked.under_way = true;
    live_aws_start(acting_aws(c->acting), &aws_eks_describe_cluster, &c->request, STR_EMPTY,
                   &events);
}

/* ---- turns ---- */

void cluster_turn(struct cluster *c)
{
    if (is_due(c, &c->version_asked)) {
        get(c, &c->version_asked, "/version", on_version);
    }
    if (c->for_nodes && is_due(c, &c->dns_asked)) {
        get(c, &c->dns_asked, "/api/v1/namespaces/kube-system/services/kube-dns", on_dns);
    }
    if (c->for_nodes && is_due(c, &c->eks_asked)) {
        ask_eks(c);
    }
    const struct question *all[] = {&c->version_asked, &c->dns_asked, &c->eks_asked};
    mono_t due = INT64_MAX;
    for (size_t i = 0; i < (c->for_nodes ? 3 : 1); i++) {
        due = !all[i]->under_way && all[i]->at < due ? all[i]->at : due;
    }
    if (due != INT64_MAX && due > now_of(c)) {
        io_timer_set(c->service->session.loop, &c->timer, due);
    }
}

struct str cluster_version(const struct cluster *c)
{
    return c->version;
}

struct str cluster_ca(const struct cluster *c)
{
    const struct str given = c->service->settings->cluster_ca_bundle;
    return given.n > 0 ? given : c->ca;
}

bool cluster_news(struct cluster *c, struct userdata_cluster *ret)
{
    const struct settings *s = c->service->settings;
    const struct str endpoint = s->cluster_endpoint.n > 0 ? s->cluster_endpoint : c->endpoint;
    if (!c->news || !c->dns_asked.answered || !c->eks_asked.answered || endpoint.n == 0) {
        return false;
    }
    c->news = false;
    *ret = (struct userdata_cluster){.name = s->cluster_name,
                                     .endpoint = endpoint,
                                     .ca = cluster_ca(c),
                                     .cidr = c->cidr,
                                     .dns_ip = c->dns_ip};
    return true;
}

/* ---- opening ---- */

static void on_due(void *ctx, mono_t now)
{
    (void)ctx; /* the turn that follows does it */
    (void)now;
}

struct cluster *cluster_new(struct service *service, struct acting *acting, bool for_nodes)
{
    struct arena arena = ARENA_INIT;
    struct cluster *c = ARENA_NEW(&arena, struct cluster);
    const struct str pem = live_access_ca(service->session.access);
    c->service = service;
    c->acting = acting;
    c->for_nodes = for_nodes;
    c->timer = (struct io_timer){.fn = on_due};
    c->ca = pem.n > 0 ? base64_encode(pem, &arena) : STR_EMPTY;
    c->arena = arena;
    return c;
}

void cluster_free(struct cluster *c)
{
    if (c == NULL) {
        return;
    }
    io_timer_stop(c->service->session.loop, &c->timer);
    arena_done(&c->version_arena);
    arena_done(&c->eks_arena);
    arena_done(&c->dns_arena);
    struct arena arena = c->arena;
    arena_done(&arena);
}
