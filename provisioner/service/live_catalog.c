/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "provisioner/service/live_catalog.h"

#include "base/jsonw.h"
#include "binpack/catalog/catalog.h"
#include "live/aws_catalog.h"
#include "provisioner/service/log.h"
#include "provisioner/service/service_impl.h"

#define EVERY_MS       (INT64_C(12) * 3600 * 1000)
#define AGAIN_FIRST_MS INT64_C(30000) /* after a failure; doubled each time */
#define AGAIN_MAX_MS   (INT64_C(30) * 60 * 1000)

struct live_catalog {
    struct arena arena;
    struct service *service;
    struct live_aws *aws;
    struct live_aws_catalog *answers; /* NULL: nothing is asked */
    struct io_timer timer;
    mono_t due;
    int64_t pause_ms;
    bool judged; /* what was asked is stuck and waits for its end */
};

static void on_due(void *ctx, mono_t now)
{
    (void)ctx; /* the turn that follows does it */
    (void)now;
}

struct live_catalog *live_catalog_new(struct service *service, struct live_aws *aws)
{
    struct arena arena = ARENA_INIT;
    struct live_catalog *c = ARENA_NEW(&arena, struct live_catalog);
    c->service = service;
    c->aws = aws;
    c->timer = (struct io_timer){.fn = on_due};
    c->pause_ms = AGAIN_FIRST_MS;
    c->arena = arena;
    return c;
}

void live_catalog_free(struct live_catalog *c)
{
    if (c == NULL) {
        return;
    }
    io_timer_stop(c->service->session.loop, &c->timer);
    live_aws_catalog_free(c->answers);
    struct arena arena = c->arena;
    arena_done(&arena);
}

void live_catalog_restart(struct live_catalog *c)
{
    c->due = 0;
}

static void wait(struct live_catalog *c, int64_t pause_ms)
{
    c->due = service_now(c->service).mono + pause_ms;
    io_timer_set(c->service->session.loop, &c->timer, c->due);
}

static void say_taken(const struct live_catalog *c, const struct catalog *catalog)
{
    auto_arena arena = ARENA_INIT;
    struct strbuf b = strbuf_new(&arena, 1024);
    strbuf_add(&b, STR("\"catalog\":"));
    jsonw_quote(&b, catalog->name);
    strbuf_addf(&b, ",\"instance-types\":%u,\"zones\":%u", catalog->n_types, catalog->n_zones);
    log_line(c->service->log, service_now(c->service).wall, ACTION_INFO,
             "refreshed the catalogue from AWS", "catalog", strbuf_str(&b));
}

/* The new one takes the place of the old one, whose memory goes. No round may be under way. */
static bool take(struct live_catalog *c, struct err *err)
{
    struct service *service = c->service;
    struct arena arena = ARENA_INIT;
    const struct catalog *catalog = NULL;
    struct cat_notes notes = {.n = 0};
    const struct live_aws_documents d = live_aws_catalog_documents(c->answers);
    if (!cat_from_json(d.v, d.names, d.n, &arena, engine_tab(service->engine), &catalog, &notes,
                       err)) {
        arena_done(&arena);
        return false;
    }
    say_taken(c, catalog);
    engine_use_catalog(service->engine, catalog);
    arena_done(&service->catalog_arena);
    service->catalog_arena = arena;
    const struct event event = {.type = EVENT_TICK};
    service_step(service, &event); /* pods that wait are planned for anew */
    return true;
}

static void judge(struct live_catalog *c)
{
    struct err err = {.code = ERR_NONE};
    const bool good = live_aws_catalog_judge(c->answers, NULL, NULL, &err) && take(c, &err);
    if (!good && !c->judged) {
        log_error(c->service->log, service_now(c->service).wall,
                  "cannot refresh the catalogue from AWS", &err);
    }
    c->judged = true;
    if (!live_aws_catalog_progress(c->answers).is_over) {
        return; /* its calls still end one by one */
    }
    live_aws_catalog_free(c->answers);
    c->answers = NULL;
    c->pause_ms = good ? AGAIN_FIRST_MS : c->pause_ms * 2;
    c->pause_ms = c->pause_ms > AGAIN_MAX_MS ? AGAIN_MAX_MS : c->pause_ms;
    wait(c, good ? EVERY_MS : c->pause_ms);
}

void live_catalog_turn(struct live_catalog *c)
{
    if (c->answers == NULL && service_now(c->service).mono >= c->due) {
        c->judged = false;
        c->due = INT64_MAX;
        c->answers = live_aws_catalog_ask(c->aws, service_now(c->service).wall);
    }
    if (c->answers == NULL || engine_look(c->service->engine).solving) {
        return;
    }
    const struct live_aws_catalog_progress progress = live_aws_catalog_progress(c->answers);
    if (progress.is_over || (progress.is_stuck && !c->judged)) {
        judge(c);
    }
}
