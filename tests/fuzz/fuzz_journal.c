/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Any bytes as a journal: what can be read as events goes into an engine, whose counts must agree
 * with its objects, and whose objects must make a cluster whenever it wants a plan. */
#include "base/arena.h"
#include "base/docs.h"
#include "binpack/catalog/catalog.h"
#include "check.h"
#include "k8s/builder.h"
#include "provisioner/engine/journal.h"
#include "provisioner/provisioning/round.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const struct catalog empty = {.name = {.p = "none", .n = 4}};

/* Makes the cluster that a plan would be made of, and says that there is no plan. */
static void refuse_round(struct engine *engine, const struct round_job *job, struct moment now)
{
    auto_arena arena = ARENA_INIT, step = ARENA_INIT;
    struct actions actions = {.arena = &step};
    struct round_result result = {
        .id = job->id, .explains = job->explain.n > 0, .disrupts = job->disrupts};
    const struct event event = {.type = EVENT_SOLVED, .result = &result};
    const struct k8s_cluster *cluster =
        k8s_builder_finish(k8s_frozen_builder(&job->frozen, &arena));
    MUST(cluster->n_pods == k8s_state_count(engine_look(engine).state, STORE_PODS));
    (void)err_set(&result.err, ERR_CANCELLED, "not made");
    engine_step(engine, &event, now, &actions);
}

static void give(struct engine *engine, const struct event *event, struct moment now)
{
    auto_arena step = ARENA_INIT;
    struct actions actions = {.arena = &step};
    struct strbuf b = strbuf_new(&step, 1 << 20);
    engine_step(engine, event, now, &actions);
    journal_put_event(event, now, &b);
    for (size_t i = 0; i < actions.v.n; i++) {
        journal_put_action(&actions.v.v[i], &b);
    }
    for (size_t i = 0; i < actions.v.n; i++) {
        if (actions.v.v[i].type == ACTION_RESTART) {
            engine_use_catalog(engine, &empty);
        }
        if (actions.v.v[i].type == ACTION_SOLVE) {
            refuse_round(engine, actions.v.v[i].job, now);
            break; /* those that followed are of the step that has just been made */
        }
    }
    const struct engine_view view = engine_look(engine);
    MUST(view.n_pending <= k8s_state_count(view.state, STORE_PODS));
}

static void read_lines(struct docs *docs, struct engine *engine)
{
    auto_arena results = ARENA_INIT;
    struct moment now = {.wall = 0};
    for (;;) {
        auto_json *line = NULL;
        enum docs_kind kind = DOCS_END;
        struct journal_round round;
        struct event event;
        struct engine_settings settings;
        struct moment at = now;
        struct str catalog;
        struct err err;
        bool is_event = false;
        if (!docs_peek(docs, &kind, &err) || kind == DOCS_END || !docs_value(docs, &line, &err)) {
            return;
        }
        if (journal_read_header(line, &settings, &catalog, &err)) {
            continue;
        }
        if (journal_read_event(line, &results, &is_event, &event, &at, &round, &err) && is_event &&
            event.type != EVENT_SOLVED && event.type != EVENT_STOP) {
            now = at.mono >= now.mono ? at : now;
            give(engine, &event, now);
        }
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const struct engine_settings settings = {.batch_idle_ms = 1000,
                                             .batch_max_ms = 10000,
                                             .time_limit_ms = 60000,
                                             .make = MAKE_SETTINGS_DEFAULT};
    struct byte_memory memory = {.rest = {.p = (const char *)data, .n = size}, .step = 1 << 16};
    auto_arena arena = ARENA_INIT;
    struct engine *engine = engine_new(&settings);
    struct docs *docs = docs_new(&arena, byte_memory_source(&memory), NULL);
    engine_use_catalog(engine, &empty);
    read_lines(docs, engine);
    docs_free(docs);
    engine_abandon(engine);
    return 0;
}
