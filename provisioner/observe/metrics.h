/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Metrics: a table of what there is, the values by labels, and the text that Prometheus reads.
 *
 * Names, labels, units and buckets of Karpenter v1.14 where the meaning is the same; ours begin
 * with binpack_. Values are integers with a number of decimals, as everything that is compared
 * here. A metric has at most METRICS_SERIES_MAX series; what comes on top is counted as dropped. */
#pragma once

#include "base/str.h"
#include "base/units.h"

struct arena;
struct metrics; /* opaque */

enum { METRICS_LABELS_MAX = 5, METRICS_SERIES_MAX = 5000 };

enum metric {
    /* Karpenter's */
    METRIC_BUILD_INFO,
    METRIC_CLUSTER_STATE_NODE_COUNT,
    METRIC_CLUSTER_STATE_SYNCED,
    METRIC_CLUSTER_STATE_UNSYNCED_SECONDS,
    METRIC_SCHEDULING_DURATION,
    METRIC_IGNORED_PODS,
    METRIC_UNSCHEDULABLE_PODS,
    METRIC_NODEPOOLS_LIMIT,
    METRIC_NODEPOOLS_USAGE,
    METRIC_NODECLAIMS_CREATED,
    METRIC_NODECLAIMS_TERMINATED,
    METRIC_NODECLAIMS_DISRUPTED,
    METRIC_NODECLAIMS_TERMINATION,
    METRIC_NODES_CREATED,
    METRIC_NODES_TERMINATED,
    METRIC_NODES_TERMINATION,
    METRIC_CLOUDPROVIDER_ERRORS,
    METRIC_PODS_STARTUP,
    METRIC_PODS_BOUND,
    METRIC_LEADS,
    /* ours */
    METRIC_PLAN_COST,
    METRIC_PLAN_BOUND,
    METRIC_PLAN_GAP,
    METRIC_PLAN_ON_DEMAND_COST,
    METRIC_PLAN_NEW_NODES,
    METRIC_PLAN_PENDING_PODS,
    METRIC_PLAN_UNPLACED_PODS,
    METRIC_PLANS,
    METRIC_FIRST_PLAN,
    METRIC_PLAN_AGE,
    METRIC_RUNNING_COST,
    METRIC_RUNNING_UNPRICED,
    METRIC_DISRUPTION_SAVES,
    METRIC_DISRUPTION_SAVES_AT_MOST,
    METRIC_DISRUPTION_NODES,
    METRIC_DISRUPTION_MOVED_PODS,
    METRIC_DISRUPTIONS,
    METRIC_LAUNCH_ERRORS,
    METRIC_AWS_CALLS,
    METRIC_AWS_CALL_SECONDS,
    METRIC_PENDING_PODS,
    METRIC_OBJECTS,
    METRIC_OBJECTS_REFUSED,
    METRIC_CHANGES,
    METRIC_WATCH_LISTS,
    METRIC_WATCH_FAILURES,
    METRIC_LOOP_TURN,
    METRIC_SNAPSHOT,
    METRIC_STATE_BYTES,
    METRIC_SERIES_DROPPED,
    N_METRICS
};

enum metric_type {
    METRIC_COUNTER,
    METRIC_GAUGE,
    METRIC_HISTOGRAM,
    METRIC_SUMMARY /* sum and number; no quantiles */
};

struct metric_row {
    const char *name, *help;
    enum metric_type type;
    int n_decimals;                             /* of values; histograms of seconds have 6 */
    const char *labels[METRICS_LABELS_MAX + 1]; /* NULL-terminated */
    const int64_t *bounds;                      /* HISTOGRAM: upper bounds, ascending; 0 ends */
};
extern const struct metric_row metric_rows[N_METRICS];

struct metrics *metrics_new(void);
void metrics_free(struct metrics *metrics); /* NULL is fine */

/* `labels` are the values of the row's labels, [as many]; NULL when it has none. */
void metrics_set(struct metrics *metrics, enum metric metric, const struct str *labels,
                 int64_t value);
void metrics_add(struct metrics *metrics, enum metric metric, const struct str *labels,
                 int64_t value);
void metrics_observe(struct metrics *metrics, enum metric metric, const struct str *labels,
                     int64_t value);
/* Forgets all series of a gauge: before they are set anew. */
void metrics_clear(struct metrics *metrics, enum metric metric);

/* In the format that Prometheus reads, version 0.0.4; series in the order of their first use. */
void metrics_text(const struct metrics *metrics, struct strbuf *b);

/* As metrics name resources and labels: lower case, '_' for '-'. In `arena`. */
struct str metrics_word(struct str word, struct arena *arena);

/* With what must be escaped between quotes. */
void metrics_put_label_value(struct strbuf *b, struct str value);

void metrics_markdown(struct strbuf *b); /* docs/metrics.md */
