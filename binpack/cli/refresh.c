/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "binpack/cli/refresh.h"

#include "base/arena.h"
#include "binpack/cli/live.h"
#include "io/clock.h"
#include "io/http.h"
#include "io/loop.h"
#include "io/signals.h"
#include "live/aws.h"
#include "live/aws_catalog.h"

struct refresh {
    struct console *console;
    struct io_loop *loop;
    struct io_http *http;
    struct live_aws *aws;
    struct live_aws_catalog *answers;
};

static void on_refusal(void *ctx, const char *text)
{
    console_error(ctx, "%s", text);
}

static bool wait_for_all(struct refresh *r, struct err *err)
{
    struct live_aws_catalog_progress progress = live_aws_catalog_progress(r->answers);
    while (!progress.is_over && !progress.is_stuck) {
        if (!io_loop_turn(r->loop, err)) {
            return false;
        }
        if (io_signals_interrupted()) {
            return err_set(err, ERR_CANCELLED, "interrupted");
        }
        progress = live_aws_catalog_progress(r->answers);
        console_progress(r->console, io_clock_mono(),
                         "asking AWS in " STR_FMT ": %u of %u questions answered, %u pages",
                         STR_ARG(live_aws_region(r->aws)), progress.n_answered,
                         progress.n_questions, progress.n_pages);
    }
    console_progress_done(r->console);
    return live_aws_catalog_judge(r->answers, on_refusal, r->console, err);
}

static bool gather(struct refresh *r, const struct options *options, struct err *err)
{
    struct live_aws_settings settings = {
        .region = options->region, .region_option = "--region", .profile = options->profile};
    if (!io_loop_new(&r->loop, err) || !io_http_new(r->loop, LIVE_AGENT, &r->http, err) ||
        !live_aws_open(r->loop, r->http, &settings, &r->aws, err)) {
        return false;
    }
    r->answers = live_aws_catalog_ask(r->aws, io_clock_wall());
    return wait_for_all(r, err);
}

bool refresh_catalog(const struct options *options, struct console *console, struct arena *arena,
                     struct strtab *tab, const struct catalog **ret_catalog, struct err *err)
{
    struct refresh r = {.console = console};
    struct cat_notes notes = {.n = 0};
    bool good = gather(&r, options, err);
    if (good) {
        const struct live_aws_documents d = live_aws_catalog_documents(r.answers);
        good = cat_from_json(d.v, d.names, d.n, arena, tab, ret_catalog, &notes, err);
    }
    live_aws_free(r.aws);
    live_aws_catalog_free(r.answers);
    io_http_free(r.http);
    io_loop_free(r.loop);
    for (uint32_t i = 0; good && i < notes.n; i++) {
        console_assume(console, STR_FMT, STR_ARG(notes.v[i]));
    }
    return good;
}
