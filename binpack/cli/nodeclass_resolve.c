/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "base/arena.h"
#include "binpack/cli/live.h"
#include "binpack/cli/nodeclass_show.h"
#include "io/clock.h"
#include "io/http.h"
#include "io/loop.h"
#include "io/signals.h"
#include "live/aws.h"
#include "provisioner/nodeclass/resolver.h"

struct asking {
    struct console *console;
    struct arena *arena;
    struct live_aws *aws;
    struct nodeclass_resolver *resolver;
    uint32_t n_asked, n_over;
    bool failed; /* no question can be asked at all; `err` says why */
    struct err err;
};

struct one {
    struct asking *asking;
    struct nodeclass_question question;
};

static bool on_page(void *ctx, const void *output)
{
    struct one *one = ctx;
    nodeclass_resolver_page(one->asking->resolver, one->question.id, output);
    return true;
}

static void ask_next(struct asking *asking);

static bool is_about_the_way(enum aws_fault_kind kind)
{
    return kind == AWS_FAULT_NO_KEYS || kind == AWS_FAULT_BAD_KEYS || kind == AWS_FAULT_EXPIRED ||
           kind == AWS_FAULT_SKEWED || kind == AWS_FAULT_UNTRUSTED;
}

static void on_end(void *ctx, const struct aws_fault *fault)
{
    struct one *one = ctx;
    struct asking *asking = one->asking;
    struct err why = {.code = ERR_NONE};
    asking->n_over++;
    if (fault->kind != AWS_FAULT_NONE) {
        (void)aws_fault_err(one->question.operation, fault, &why);
    }
    if (is_about_the_way(fault->kind) && !asking->failed) {
        asking->failed = true;
        asking->err = why;
    }
    if (fault->kind != AWS_FAULT_NONE && fault->kind != AWS_FAULT_NOT_FOUND && !asking->failed) {
        console_warn(asking->console, "%s", why.text);
    }
    nodeclass_resolver_end(asking->resolver, one->question.id, fault, str_of(why.text));
    ask_next(asking);
}

/* Everything that can be asked now. */
static void ask_next(struct asking *asking)
{
    struct nodeclass_question question;
    while (!asking->failed && nodeclass_resolver_next(asking->resolver, &question)) {
        struct one *one = ARENA_NEW(asking->arena, struct one);
        *one = (struct one){.asking = asking, .question = question};
        struct live_aws_events events = {.ctx = one, .page = on_page, .end = on_end};
        asking->n_asked++;
        live_aws_start(asking->aws, question.operation, question.input, STR_EMPTY, &events);
    }
}

static bool wait_for_all(struct asking *asking, struct io_loop *loop, struct err *err)
{
    while (!nodeclass_resolver_done(asking->resolver) && !asking->failed) {
        if (!io_loop_turn(loop, err)) {
            return false;
        }
        if (io_signals_interrupted()) {
            return err_set(err, ERR_CANCELLED, "interrupted");
        }
        console_progress(asking->console, io_clock_mono(),
                         "asking AWS in " STR_FMT ": %u of %u questions answered",
                         STR_ARG(live_aws_region(asking->aws)), asking->n_over, asking->n_asked);
    }
    console_progress_done(asking->console);
    if (asking->failed) {
        *err = asking->err;
        return false;
    }
    return true;
}

bool nodeclass_resolve(const struct options *options, const struct nodeclass_input *input,
                       struct console *console, struct arena *arena,
                       const struct nodeclass_status **ret_status, struct err *err)
{
    struct live_aws_settings settings = {
        .region = options->region, .region_option = "--region", .profile = options->profile};
    struct asking asking = {.console = console, .arena = arena};
    struct io_loop *loop = NULL;
    struct io_http *http = NULL;
    bool good = io_loop_new(&loop, err) && io_http_new(loop, LIVE_AGENT, &http, err) &&
                live_aws_open(loop, http, &settings, &asking.aws, err);
    if (good) {
        const struct nodeclass_resolver_facts facts = {.family = input->family,
                                                       .cluster_name = input->userdata.cluster.name,
                                                       .version = input->kubernetes_version,
                                                       .profile = input->stated.instance_profile,
                                                       .now = io_clock_wall()};
        asking.resolver = nodeclass_resolver_new(&input->class, &facts, arena);
        ask_next(&asking);
        good = wait_for_all(&asking, loop, err);
    }
    if (good) {
        *ret_status = nodeclass_resolver_status(asking.resolver);
    }
    live_aws_free(asking.aws);
    io_http_free(http);
    io_loop_free(loop);
    return good;
}
