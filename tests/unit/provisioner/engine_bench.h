/* SPDX-License-Identifier: GPL-3.0-or-later */
/* An engine that acts and leads, with a clock that the test moves; what it wants written or called
 * is kept, and answered only when the test says so. */
#pragma once

#include "base/arena.h"
#include "base/vec.h"
#include "provisioner/engine/engine.h"

struct bench_write {
    uint64_t id;
    const char *kind;
    enum k8s_write_verb verb;
    struct str ns, name, subresource, body;
};
struct engine_bench {
    struct arena arena, step;
    struct engine *engine;
    struct moment now;
    mono_t timer;
    struct round_job *job;
    VEC(struct bench_write) writes;
    VEC(const struct aws_operation *) calls;
};

/* Nothing is known yet: see bench_sync. */
void bench_open(struct engine_bench *b);
void bench_close(struct engine_bench *b);
const struct k8s_kind *bench_kind(const char *name);
void bench_step(struct engine_bench *b, const struct event *event);
void bench_put(struct engine_bench *b, const char *kind, const char *json);
/* All kinds are known. */
void bench_sync(struct engine_bench *b);
/* Time passes; rounds are run as they are asked for. */
void bench_pass(struct engine_bench *b, int64_t ms);
void bench_answer(struct engine_bench *b, uint64_t id, enum k8s_outcome outcome);
/* How many writes of the kind, and the first whose body has the text; NULL: none. */
uint32_t bench_count(const struct engine_bench *b, const char *kind);
const struct bench_write *bench_find(const struct engine_bench *b, const char *kind,
                                     const char *text);
