/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A lifecycle with objects of its own: events in, actions out, a clock that the test moves. */
#pragma once

#include "awsapi/service_ec2.h"
#include "base/arena.h"
#include "binpack/catalog/catalog.h"
#include "k8s/state.h"
#include "provisioner/lifecycle/lifecycle.h"

struct bench {
    struct arena arena, step;
    struct k8s_state *state;
    const struct catalog *catalog;
    struct k8s_cluster words;
    const struct sched_vocab *vocab;
    struct lifecycle *lifecycle;
    struct moment now;
    bool claims_known;
    struct str dns_ip; /* of the cluster; an address of IPv4 when it is opened */
    uint64_t last_id;
    struct actions out; /* of the last step; in `step` */
};

void bench_open(struct bench *bench);
void bench_close(struct bench *bench);
struct lifecycle_view bench_view(struct bench *bench);
const struct k8s_kind *bench_kind(const char *name);

/* An object comes or changes; JSON. */
void bench_put(struct bench *bench, const char *kind, const char *json);
/* It goes. */
void bench_drop(struct bench *bench, const char *kind, const char *name);
/* What is due now; the actions are in `out`. */
void bench_step(struct bench *bench);
/* The only action of the last step, of that type; fails the test otherwise. */
const struct action *bench_only(const struct bench *bench, enum action_type type);
void bench_written(struct bench *bench, uint64_t id, enum k8s_outcome outcome);
void bench_reply(struct bench *bench, uint64_t id, const void *reply);
void bench_fault(struct bench *bench, uint64_t id, const struct aws_fault *fault);
