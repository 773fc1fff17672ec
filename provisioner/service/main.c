/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The program `provisioner`: reads the settings and hands over to the service. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/jsonw.h"
#include "binpack/cli/version.h"
#include "io/clock.h"
#include "io/environment.h"
#include "io/files.h"
#include "io/signals.h"
#include "io/workers.h"
#include "provisioner/observe/cluster.h"
#include "provisioner/observe/metrics.h"
#include "provisioner/provisioning/scheduler_config.h"
#include "provisioner/sandbox/sandbox.h"
#include "provisioner/service/log.h"
#include "provisioner/service/replay.h"
#include "provisioner/service/sandbox_view.h"
#include "provisioner/service/service.h"

enum { EXIT_GOOD = 0, EXIT_FAULT = 1, EXIT_SETTING = 2 };

static struct str environment(void *ctx, const char *name)
{
    (void)ctx;
    return io_environment(name);
}

static int fail(int status, const struct err *err)
{
    (void)fprintf(stderr, "provisioner: %s\n", err->text);
    return status;
}

static int print_help(const struct settings *settings)
{
    auto_arena arena = ARENA_INIT;
    struct strbuf b = strbuf_new(&arena, 1 << 20);
    struct err err;
    if (settings->command == COMMAND_VERSION) {
        strbuf_addf(&b, "provisioner %s\n", BINPACK_VERSION);
    } else if (str_eq(settings->topic, STR("man"))) {
        settings_man(&b);
    } else if (str_eq(settings->topic, STR("markdown"))) {
        settings_markdown(&b);
    } else if (str_eq(settings->topic, STR("metrics"))) {
        metrics_markdown(&b);
        cluster_metrics_markdown(&b);
    } else {
        settings_help(&b);
    }
    return io_fd_write(STDOUT_FILENO, "standard output", strbuf_str(&b), &err)
               ? EXIT_GOOD
               : fail(EXIT_FAULT, &err);
}

static void say_start(struct log *log, const struct settings *settings)
{
    auto_arena scratch = ARENA_INIT;
    struct strbuf fields = strbuf_new(&scratch, 256);
    strbuf_addf(&fields, "\"mode\":\"%s\",\"version\":\"" BINPACK_VERSION "\"",
                setting_modes[settings->mode]);
    log_line(log, io_clock_wall(), ACTION_INFO, "starting", NULL, strbuf_str(&fields));
    for (uint32_t i = 0; i < settings->n_notes; i++) {
        auto_arena arena = ARENA_INIT;
        struct strbuf b = strbuf_new(&arena, 8192);
        strbuf_add(&b, STR("\"setting\":"));
        jsonw_quote(&b, settings->notes[i]);
        log_line(log, io_clock_wall(), ACTION_INFO, "a setting has no effect", NULL,
                 strbuf_str(&b));
    }
}

static int run(const struct settings *settings, struct log *log)
{
    struct service *service = NULL;
    struct err err;
    say_start(log, settings);
    if (!service_new(settings, log, &service, &err)) {
        log_error(log, io_clock_wall(), "cannot start", &err);
        return fail(EXIT_SETTING, &err);
    }
    if (!service_connect(service, &err)) {
        log_error(log, io_clock_wall(), "cannot start", &err);
        (void)service_free(service);
        return fail(EXIT_FAULT, &err);
    }
    const bool good = service_run(service, &err);
    if (!good) {
        log_error(log, io_clock_wall(), "cannot go on", &err);
    }
    const bool closed = service_free(service);
    log_line(log, io_clock_wall(), ACTION_INFO, "stopped", NULL, STR_EMPTY);
    if (!closed) {
        /* A plan is still being made; nobody waits for it, and nothing is left half done. */
        _exit(good ? EXIT_GOOD : EXIT_FAULT);
    }
    return good ? EXIT_GOOD : fail(EXIT_FAULT, &err);
}

static int replay(const struct settings *settings)
{
    struct replay_count count;
    struct err err;
    if (!replay_run(settings, &count, &err)) {
        return fail(EXIT_FAULT, &err);
    }
    (void)printf("%" PRIu64 " events, %" PRIu64 " rounds: the same %" PRIu64 " actions",
                 count.n_events, count.n_rounds, count.n_actions);
    if (count.n_starts > 1) {
        (void)printf("; %" PRIu64 " starts of the program", count.n_starts);
    }
    if (count.n_cut > 0) {
        (void)printf("; %" PRIu64
                     " lines were cut and are left out, the last of them line %" PRIu64,
                     count.n_cut, count.cut_line);
    }
    (void)printf("\n");
    return EXIT_GOOD;
}

static bool find_scenario(const struct settings *settings, struct arena *arena,
                          struct sandbox_options *options, struct err *err)
{
    enum { SCENARIO_MAX = 16 << 20 };
    if (sandbox_scenario(settings->scenario, &options->name, &options->scenario)) {
        return true;
    }
    options->name = settings->scenario;
    if (!io_file_read(str_cstr(arena, settings->scenario), SCENARIO_MAX, arena, &options->scenario,
                      err)) {
        struct strbuf names = strbuf_new(arena, 1024);
        sandbox_names(&names);
        return err_wrap(err, "no scenario of that name comes with the program (" STR_FMT ")",
                        STR_ARG(strbuf_str(&names)));
    }
    return true;
}

static bool run_world(const struct sandbox_options *options, bool watched, struct strbuf *table,
                      bool *ret_broken, struct err *err)
{
    struct sandbox_options other = *options;
    struct sandbox_report report, karpenter;
    struct sandbox_options own = *options;
    other.karpenter = true;
    own.compares = true;
    if (watched) {
        io_signals_catch(); /* the terminal is to be given back */
        if (!sandbox_view(options, &report, err)) {
            return false;
        }
        sandbox_table(options, &report, NULL, table);
    } else {
        if (!sandbox_run(&own, &report, err) || !sandbox_run(&other, &karpenter, err)) {
            return false;
        }
        sandbox_table(options, &report, &karpenter, table);
    }
    *ret_broken = report.broken;
    return true;
}

static bool run_worlds(const struct sandbox_options *options, uint64_t n, struct strbuf *table,
                       bool *ret_broken, struct err *err)
{
    struct io_workers *workers = io_workers_new(io_workers_processors());
    const struct parallel port = io_workers_port(workers);
    const mono_t began = io_clock_mono();
    struct sandbox_runs runs;
    const bool good = sandbox_run_many(options, n, &port, &runs, err);
    if (good) {
        sandbox_runs_table(options, &runs, io_clock_mono() - began, table);
        *ret_broken = runs.n_broken > 0;
    }
    io_workers_free(workers);
    return good;
}

static int sandbox(const struct settings *settings)
{
    auto_arena arena = ARENA_INIT;
    struct sandbox_options options = {
        .seed = (uint64_t)settings->seed,
        .hours = {.has = settings->hours > 0, .v = settings->hours},
        .faults = {.has = settings->has_faults, .v = settings->faults}};
    struct strbuf table = strbuf_new(&arena, 1 << 16);
    struct err err;
    bool broken = false;
    if (!find_scenario(settings, &arena, &options, &err) ||
        !(settings->runs > 1 ? run_worlds(&options, (uint64_t)settings->runs, &table, &broken, &err)
                             : run_world(&options, !settings->headless && sandbox_view_possible(),
                                         &table, &broken, &err))) {
        return fail(EXIT_SETTING, &err);
    }
    if (!io_fd_write(STDOUT_FILENO, "standard output", strbuf_str(&table), &err)) {
        return fail(EXIT_FAULT, &err);
    }
    return broken ? EXIT_FAULT : EXIT_GOOD;
}

int main(int argc, char **argv)
{
    auto_arena arena = ARENA_INIT;
    struct settings settings;
    struct err err;
    struct log *log = NULL;
    if (!settings_parse(argc, (const char *const *)argv, environment, NULL, &arena, &settings,
                        &err) ||
        !scheduler_config_apply(settings.scheduler_config, NULL, NULL, &err)) {
        return fail(EXIT_SETTING, &err);
    }
    if (settings.command != COMMAND_SANDBOX) { /* which ends at once */
        io_signals_catch();
    }
    if (settings.command == COMMAND_HELP || settings.command == COMMAND_VERSION) {
        return print_help(&settings);
    }
    if (settings.command == COMMAND_REPLAY) {
        return replay(&settings);
    }
    if (settings.command == COMMAND_SANDBOX) {
        return sandbox(&settings);
    }
    if (!log_open(settings.log_output_paths, settings.log_error_output_paths,
                  (enum action_level)settings.log_level, &log, &err)) {
        return fail(EXIT_SETTING, &err);
    }
    const int status = run(&settings, log);
    log_close(log);
    return status;
}
