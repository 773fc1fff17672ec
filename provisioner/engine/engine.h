/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The engine: events in, actions out. No I/O, no clock, no threads.
 *
 * It keeps the objects of the cluster, decides when to plan, and says what came of it. A plan is
 * made when pods have come that need a place and the batch window has closed; when other things
 * changed while pods wait, at most every `replan_ms`; and when pods that the last plan was for need
 * no place any more. One round at a time: what happens meanwhile is for the next. Where pods wait
 * the round is two: the first plan that holds, which is exported at once, then the search for a
 * cheaper one, of the same objects. Every `disrupt_ms` it is planned which running nodes could go
 * and what that would save. Such a round and the search end early when pods come that need a
 * place, shortly before their batch window closes: the search with what it has found.
 *
 * In the full mode the new nodes of a plan become NodeClaims, and lifecycle/ makes machines of
 * them and takes them down again; of several replicas only the one that leads does. Who leads no
 * longer forgets what it had under way: whoever leads next goes by the objects and by what AWS has,
 * as after a kill. */
#pragma once

#include "binpack/plan/make.h"
#include "provisioner/engine/action.h"
#include "provisioner/engine/event.h"
#include "provisioner/nodeclass/userdata.h"

struct catalog;
struct engine; /* opaque */
struct metrics;
struct strtab;

enum engine_mode {
    ENGINE_OBSERVE, /* nothing is written, nothing is bought: no ACTION_WRITE, no ACTION_CALL */
    ENGINE_FULL
};

struct engine_settings {
    enum engine_mode mode;
    bool elects;                     /* FULL: nothing is done before EVENT_LEAD */
    struct userdata_cluster cluster; /* FULL: that nodes join; texts outlive the engine. Without
                                        `endpoint` nothing is done before EVENT_CLUSTER */
    int64_t batch_idle_ms, batch_max_ms;
    int64_t time_limit_ms; /* of a round */
    int64_t replan_ms;     /* 0: 10 s, as Karpenter looks at waiting pods again */
    bool learns;           /* plans count with the memory that running nodes have shown */
    bool observe_cluster;  /* metrics of single nodes and pods with each plan */
    int64_t disrupt_ms;    /* how often it is planned which running nodes could go; 0: never */
    int64_t slack_bytes;   /* 0: 64 MiB. What the objects may hold beyond twice what they held when
                              all had been read, before ACTION_RESTART */
    int64_t launches_per_minute;   /* FULL: see launch_budget.h; 0: any number */
    int64_t launch_usd_per_minute; /* FULL: dollars per hour; 0: any */
    int64_t gap_ppm;               /* a plan is good enough within this share of its bound */
    struct str scheduler_config; /* see scheduler_config.h; has been checked, outlives the engine */
    struct make_settings make;
};

struct engine *engine_new(const struct engine_settings *settings);
void engine_free(struct engine *engine); /* NULL is fine; no round may be under way */

/* The same when the round under way will never be run. */
void engine_abandon(struct engine *engine);

/* To be called before the first event, and after ACTION_RESTART before the next, with a catalogue
 * in the words of engine_tab; besides, whenever there is a newer one and no round is under way. */
struct strtab *engine_tab(struct engine *engine);
void engine_use_catalog(struct engine *engine, const struct catalog *catalog);

/* Appends what is to be done now. The event is not kept. */
void engine_step(struct engine *engine, const struct event *event, struct moment now,
                 struct actions *actions);

/* ---- for looking at ---- */

struct engine_view {
    bool synced; /* all kinds are known as far as they can be; pods and nodes are followed */
    bool solving;
    uint32_t n_pending; /* pods that need a place now */
    uint64_t n_rounds;
    const enum kind_stage *kinds; /* [k8s_n_kinds] */
    const uint64_t *n_refused;    /* [k8s_n_kinds] objects that break a rule, since the start */
    const struct k8s_state *state;
};
struct engine_view engine_look(const struct engine *engine);

/* The instance types that NodePools of the EC2NodeClass of that name may buy on demand, by what
 * they require and how they label nodes: the cheapest first, then by name; gives how many, 0 when
 * there is no such NodePool. In `arena`, but for texts of the catalogue. */
struct nodeclass_type;
uint32_t engine_class_types(const struct engine *engine, struct str class_name, struct arena *arena,
                            const struct nodeclass_type **ret_types);

/* The catalogue as a plan would take it now: without what cannot be had for a while (`available`,
 * `retry_at`), beside what running nodes have shown. In `arena` and in the engine's own. */
struct engine_catalog {
    const struct catalog *catalog;
    struct cat_settings settings;
};
struct engine_catalog engine_catalog(struct engine *engine, struct moment now, struct arena *arena);

/* The metrics, with those that follow from the state as of `now`. */
struct metrics *engine_metrics(struct engine *engine, struct moment now);
