/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "provisioner/service/routes.h"

#include "base/jsonw.h"
#include "base/rfc3339.h"
#include "binpack/catalog/write.h"
#include "binpack/cli/version.h"
#include "io/clock.h"
#include "k8s/roster.h"
#include "k8s/state.h"
#include "k8s/watch.h"
#include "provisioner/observe/metrics.h"
#include "provisioner/service/acting.h"
#include "provisioner/service/service_impl.h"
#include "provisioner/service/settings.h"

#define ANSWER_MAX ((size_t)16 << 20)

static const char text_plain[] = "text/plain; charset=utf-8";
static const char application_json[] = "application/json";

static bool say(struct io_answer *answer, int status, const char *type, struct str body)
{
    *answer = (struct io_answer){.status = status, .content_type = type, .body = body};
    return true;
}

static struct strbuf begin(struct service *service)
{
    arena_reset(&service->answers);
    return strbuf_new(&service->answers, ANSWER_MAX);
}

/* ---- probes ---- */

static bool healthz(struct service *service, const struct io_request *request,
                    struct io_answer *answer)
{
    (void)service;
    (void)request;
    return say(answer, 200, text_plain, STR("ok\n"));
}

static bool readyz(struct service *service, const struct io_request *request,
                   struct io_answer *answer)
{
    struct strbuf b = begin(service);
    (void)request;
    if (engine_look(service->engine).synced) {
        return say(answer, 200, text_plain, STR("ok\n"));
    }
    strbuf_add(&b, STR("the cluster is being read:"));
    for (uint32_t i = 0; i < k8s_n_kinds; i++) {
        if (service->kinds[i].stage == KIND_UNKNOWN) {
            strbuf_addf(&b, " %s", k8s_kinds[i].resource);
        }
    }
    strbuf_addc(&b, '\n');
    return say(answer, 503, text_plain, strbuf_str(&b));
}

/* ---- metrics ---- */

static void count_watches(struct service *service, struct metrics *metrics)
{
    for (uint32_t i = 0; i < k8s_n_kinds; i++) {
        const struct k8s_watch_state state =
            k8s_watch_state(live_feed_watch(service->session.feed, i));
        const struct str resource = str_of(k8s_kinds[i].resource);
        if (state.absent) {
            continue;
        }
        metrics_set(metrics, METRIC_OBJECTS, &resource, k8s_roster_count(service->kinds[i].roster));
        metrics_set(metrics, METRIC_WATCH_LISTS, &resource, (int64_t)state.n_lists);
        metrics_set(metrics, METRIC_WATCH_FAILURES, &resource, state.n_failures);
    }
}

static bool metrics(struct service *service, const struct io_request *request,
                    struct io_answer *answer)
{
    struct strbuf b = begin(service);
    struct metrics *all = engine_metrics(service->engine, service_now(service));
    (void)request;
    count_watches(service, all);
    if (service->acting != NULL) {
        metrics_set(all, METRIC_LEADS, &service->settings->leader_election_name,
                    acting_may(service->acting));
    }
    metrics_text(all, &b);
    (void)say(answer, 200, "text/plain; version=0.0.4; charset=utf-8", strbuf_str(&b));
    if (service->cluster_metrics != NULL) {
        service->cluster_metrics->n_users++;
        answer->tail = service->cluster_metrics->text;
        answer->done = shared_text_drop;
        answer->done_ctx = service->cluster_metrics;
    }
    return true;
}

/* ---- questions ---- */

static bool debug_plan(struct service *service, const struct io_request *request,
                       struct io_answer *answer)
{
    (void)request;
    return service->plan.n > 0
               ? say(answer, 200, application_json, service->plan)
               : say(answer, 404, application_json, STR("{\"error\": \"there is no plan yet\"}\n"));
}

static bool debug_disruption(struct service *service, const struct io_request *request,
                             struct io_answer *answer)
{
    (void)request;
    return service->disruption.n > 0
               ? say(answer, 200, application_json, service->disruption)
               : say(answer, 404, application_json,
                     STR("{\"error\": \"no disruption has been planned yet\"}\n"));
}

static bool debug_explain(struct service *service, const struct io_request *request,
                          struct io_answer *answer)
{
    const struct str pod = io_request_argument(request, "pod");
    const struct event event = {.type = EVENT_EXPLAIN, .ask = request->id, .pod = pod};
    if (str_find(pod, '/') >= pod.n) {
        return say(answer, 400, application_json,
                   STR("{\"error\": \"ask with ?pod=NAMESPACE/NAME\"}\n"));
    }
    service_step(service, &event);
    return false;
}

/* All of the catalogue as a plan would take it now, or with ?type=NAME one instance type of it. */
static bool debug_catalog(struct service *service, const struct io_request *request,
                          struct io_answer *answer)
{
    struct strbuf b = begin(service);
    struct jsonw w = jsonw_new(&b, JSONW_COMPACT);
    const struct str name = io_request_argument(request, "type");
    struct strtab *tab = engine_tab(service->engine);
    const struct k8s_words *words = k8s_state_words(engine_look(service->engine).state);
    auto_arena scratch = ARENA_INIT;
    const struct engine_catalog now =
        engine_catalog(service->engine, service_now(service), &scratch);
    if (name.n == 0) {
        cat_write_json(&w, now.catalog, &now.settings, tab, words);
    } else {
        const strid id = strtab_find(tab, name);
        const struct cat_type *type = id == STRID_NONE ? NULL : cat_find(now.catalog, tab, id);
        if (type == NULL) {
            return say(answer, 404, application_json,
                       STR("{\"error\": \"the catalogue has no such instance type\"}\n"));
        }
        cat_write_type(&w, now.catalog, type, &now.settings, tab, words);
    }
    return b.overflow ? say(answer, 500, application_json,
                            STR("{\"error\": \"too large: ask with ?type=NAME\"}\n"))
                      : say(answer, 200, application_json, strbuf_str(&b));
}

static void put_kind(struct jsonw *w, const struct service *service, uint32_t i)
{
    static const char *const stages[] = {"unknown", "synced", "absent", "refused"};
    const struct k8s_watch *watch = live_feed_watch(service->session.feed, i);
    const struct k8s_watch_state state = k8s_watch_state(watch);
    struct err why;
    jsonw_object_begin(w);
    jsonw_key_str(w, "resource", str_of(k8s_kinds[i].resource));
    jsonw_key_str(w, "stage", str_of(stages[service->kinds[i].stage]));
    jsonw_key_i64(w, "objects", k8s_roster_count(service->kinds[i].roster));
    jsonw_key_str(w, "resourceVersion", state.version);
    if (k8s_watch_error(watch, &why) && !state.absent) {
        jsonw_key_str(w, "error", str_of(why.text));
    }
    jsonw_object_end(w);
}

static bool debug_state(struct service *service, const struct io_request *request,
                        struct io_answer *answer)
{
    struct strbuf b = begin(service);
    struct jsonw w = jsonw_new(&b, JSONW_PRETTY);
    const struct engine_view view = engine_look(service->engine);
    char buffer[RFC3339_TEXT_MAX];
    (void)request;
    jsonw_object_begin(&w);
    jsonw_key_str(&w, "version", STR(BINPACK_VERSION));
    jsonw_key_str(&w, "mode", str_of(setting_modes[service->settings->mode]));
    jsonw_key_str(&w, "server", live_access_address(service->session.access));
    jsonw_key_str(&w, "now", rfc3339_format(service_now(service).wall, buffer));
    jsonw_key_bool(&w, "synced", view.synced);
    jsonw_key_bool(&w, "solving", view.solving);
    jsonw_key_i64(&w, "pendingPods", view.n_pending);
    jsonw_key_i64(&w, "rounds", (int64_t)view.n_rounds);
    jsonw_key_i64(&w, "stateBytes", (int64_t)k8s_state_bytes(view.state));
    jsonw_key_i64(&w, "peakMemoryBytes", io_peak_memory_kib() * 1024);
    if (service->acting != NULL) {
        acting_put_leader(service->acting, &w);
    }
    jsonw_key_array(&w, "kinds");
    for (uint32_t i = 0; i < k8s_n_kinds; i++) {
        put_kind(&w, service, i);
    }
    jsonw_array_end(&w);
    jsonw_object_end(&w);
    return say(answer, 200, application_json, strbuf_str(&b));
}

/* ---- all of them ---- */

static const struct {
    const char *path;
    unsigned which;
    bool is_debug;
    bool (*fn)(struct service *service, const struct io_request *request, struct io_answer *answer);
} rows[] = {
    {"/healthz", ROUTES_HEALTH, false, healthz},
    {"/readyz", ROUTES_HEALTH, false, readyz},
    {"/metrics", ROUTES_METRICS, false, metrics},
    {"/debug/plan", ROUTES_METRICS, true, debug_plan},
    {"/debug/disruption", ROUTES_METRICS, true, debug_disruption},
    {"/debug/explain", ROUTES_METRICS, true, debug_explain},
    {"/debug/catalog", ROUTES_METRICS, true, debug_catalog},
    {"/debug/state", ROUTES_METRICS, true, debug_state},
};

bool routes_answer(void *ctx, const struct io_request *request, struct io_answer *ret_answer)
{
    const struct routes *routes = ctx;
    struct service *service = routes->service;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        if ((rows[i].which & routes->which) == 0 || !str_eq(request->path, str_of(rows[i].path))) {
            continue;
        }
        if (rows[i].is_debug && !request->is_local && !service->settings->debug_remote) {
            return say(ret_answer, 403, text_plain,
                       STR("only from this machine; see --debug-remote\n"));
        }
        return rows[i].fn(service, request, ret_answer);
    }
    return say(ret_answer, 404, text_plain, STR("not here\n"));
}
