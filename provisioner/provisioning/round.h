/* SPDX-License-Identifier: GPL-3.0-or-later */
/* One round of planning: from the frozen objects of a cluster to a plan that the checker accepts,
 * as a document of binpack/v1, and the numbers that people watch. Or the explanation of one pod, or
 * which running nodes could go and what that would save.
 *
 * Runs on any thread; only round_cancel may be called meanwhile. The result does not depend on
 * threads or clocks: a round that was cancelled says after how many steps, and comes out the same
 * when it is cut there. */
#pragma once

#include <stdatomic.h>

#include "base/arena.h"
#include "base/err.h"
#include "binpack/plan/make.h"
#include "k8s/state.h"

struct claim_wanted;
struct parallel;

/* An offering that cannot be had. */
struct round_gone {
    struct str instance_type, zone, capacity_type;
    wall_t until; /* for the eye; 0: not known */
};

/* What is asked for. */
struct round_job {
    uint64_t id;
    struct k8s_frozen frozen;
    const struct catalog *catalog; /* in the words of the frozen objects */
    struct make_settings settings;
    struct str scheduler_config; /* has been checked */
    wall_t now;
    struct str explain;            /* "namespace/name" of a pod; empty: a plan */
    bool claims;                   /* the NodeClaims of the plan are wanted */
    uint32_t n_gone;               /* offerings that had no capacity a short while ago */
    const struct round_gone *gone; /* [n_gone]; until EVENT_SOLVED */
    uint32_t n_instances;
    const struct aws_instance *instances; /* [n_instances] by id; until EVENT_SOLVED */
    bool observe;             /* with the metrics of its nodes and pods, in whole plans */
    bool disrupts;            /* a plan for the running nodes instead of the pods that wait */
    bool first;               /* only the first plan that holds, in milliseconds: without the
                                 search for a cheaper one, and without a bound to speak of */
    bool follows;             /* the round after the first plan, of the same frozen objects */
    struct opt_i64 cut_after; /* steps: cancelled there */
    atomic_bool cancelled;
};

/* A text and how often. */
struct round_count {
    struct str text;
    uint32_t n;
};

/* Nodes of one kind that would be bought. */
struct round_nodes {
    struct str node_pool, instance_type, zone, capacity_type; /* of new nodes */
    usd_t price;                                              /* of one */
    uint32_t n, n_pods;
};

struct round_unplaced {
    struct str pod, code, message; /* the nearest miss */
};

/* A pod and the node that it was planned onto: of a Node, or of a NodeClaim that has none yet. */
struct round_placed {
    struct str pod, node;
};
enum { ROUND_TOLD_MAX = 64 };

/* Running nodes that would go together. */
struct round_command {
    struct str reason; /* "Empty", ... */
    struct str nodes;  /* "a, b and 3 other(s)" */
    uint32_t n_nodes, n_with, n_moved;
    usd_t saves;
};

/* What came of it. Everything is in `arena`. */
struct round_result {
    struct arena arena;
    uint64_t id;
    bool explains, disrupts, first, good;
    struct err err;      /* not good */
    struct str document; /* JSON */
    uint64_t n_steps;
    bool cut;           /* cancelled, or by cut_after */
    uint64_t cut_after; /* steps that had been made then */

    uint32_t n_new_nodes, n_pending, n_placed_running, n_unplaced, n_ignored, n_running_unpriced;
    usd_t cost, bound, running_cost, on_demand_cost;
    int64_t gap_ppb;
    struct str status;
    struct str pods;   /* some of those that wait: "a/b, a/c and 3 other(s)" */
    bool default_pool; /* the built-in NodePool stood in */
    uint32_t n_reasons, n_kinds, n_said;
    const struct round_count *reasons; /* [n_reasons] unplaced pods by code, by text */
    const struct round_nodes *kinds;   /* [n_kinds] by pool, type, zone, capacity type */
    uint32_t n_claims;
    const struct claim_wanted *claims; /* [n_claims] claims.h; when they are wanted */
    struct str cluster_metrics;        /* observe/cluster.h; when they are wanted, else empty */

    /* disrupts: */
    usd_t saves;
    struct opt_usd saves_at_most; /* proven */
    uint32_t n_disrupted, n_moved, n_commands, n_disrupted_by;
    const struct round_command *commands;   /* [n_commands] */
    const struct round_count *disrupted_by; /* [n_disrupted_by] nodes by reason, by text */

    const struct round_unplaced *said; /* [n_said] the first unplaced pods */

    /* For Events, when claims are wanted: ROUND_TOLD_MAX at most of each, beginning elsewhere in
     * each round. */
    uint32_t n_failed, n_placed;
    const struct round_unplaced *failed; /* [n_failed] with all their reasons in `message` */
    const struct round_placed *placed;   /* [n_placed] on nodes that are there */
};

/* Never fails to give a result; `parallel` may be NULL. */
void round_run(struct round_job *job, const struct parallel *parallel,
               struct round_result *ret_result);
void round_result_done(struct round_result *result);

/* From any thread: finish with what there is. */
void round_cancel(struct round_job *job);
