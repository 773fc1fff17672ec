/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the parts of the engine share. Internal to provisioner/engine. */
#pragma once

#include "base/arena.h"
#include "base/vec.h"
#include "k8s/state.h"
#include "provisioner/engine/engine.h"
#include "provisioner/engine/tell.h"
#include "provisioner/lifecycle/lifecycle.h"
#include "provisioner/nodepool/pools.h"
#include "provisioner/observe/metrics.h"
#include "provisioner/provisioning/batch.h"
#include "provisioner/provisioning/claims.h"
#include "provisioner/provisioning/launch_budget.h"
#include "provisioner/provisioning/learned.h"
#include "provisioner/provisioning/round.h"

enum { ASKS_MAX = 16, ASK_POD_MAX = 512 };

struct ask_pod {
    char text[ASK_POD_MAX];
    size_t n;
};
struct ask {
    uint64_t ask;
    struct ask_pod pod;
};

/* A claim that is being written, or that the state does not show yet. */
struct creating {
    const struct claim_wanted *claim; /* without its pods; in creating_arena */
    uint64_t id;                      /* of the write under way; 0: none */
    uint32_t n_tries;
    bool written; /* the server has it */
    bool unsure;  /* or may have it */
    mono_t due;
};

struct engine {
    struct arena arena;
    struct engine_settings settings;
    struct k8s_state *state;
    struct arena words_arena; /* of the vocabulary, in the words of `state` */
    size_t bytes_max;         /* of `state`: above it, everything is read anew */
    const struct catalog *catalog;
    struct k8s_cluster words; /* only its words, for the vocabulary */
    const struct sched_vocab *vocab;
    struct metrics *metrics;
    enum kind_stage *stages; /* [k8s_n_kinds] */
    uint64_t *n_refused;     /* [k8s_n_kinds] */
    bool synced;
    mono_t unsynced_since;

    uint32_t n_pending;
    struct batch batch;
    bool planned;          /* since all was read */
    bool stale;            /* something has changed since the last plan began */
    uint32_t last_pending; /* n_pending of the last plan */
    mono_t disrupt_at;     /* the next plan of disruption, when all has been planned for once */
    mono_t replan_at;      /* not before, unless the batch window closes */

    bool solving, cancelled, stopping, exited;
    struct round_job job;
    mono_t began, due; /* of the round under way and its first plan; due: when it should have */
    uint64_t n_rounds;
    struct {
        struct ask v[ASKS_MAX];
        uint32_t n;
    } asks;
    uint64_t ask; /* of the explanation under way */
    struct ask_pod ask_pod;
    mono_t timer_at; /* what ACTION_TIMER said last */

    struct learned *learned;     /* NULL: nothing is learned */
    struct cat_settings cat;     /* of plans and launches, with what was learned: as of the last
                                    round that began */
    struct arena observed_arena; /* of that */

    /* ENGINE_FULL: */
    struct lifecycle *lifecycle;     /* NULL in the mode that observes */
    struct pools *pools;             /* the same */
    struct tell *tell;               /* the same */
    bool leads;                      /* this replica may act */
    struct userdata_cluster cluster; /* in cluster_arena, or the settings' */
    struct arena cluster_arena;
    uint64_t last_id; /* of actions */
    VEC(struct creating) creating;
    struct arena creating_arena, gone_arena;
    struct launch_budget budget;
    mono_t again_at; /* another plan then: what could not be bought may be had again */
};

/* ---- say.c: lines for the log ---- */

void say_refused(struct actions *actions, const struct err *err); /* an object breaks a rule */
void say_kind_refused(struct actions *actions, const struct k8s_kind *kind, struct str why);
void say_synced(struct actions *actions, const struct k8s_state *state);
void say_restart(struct actions *actions, size_t bytes);
void say_disruption(struct actions *actions, const struct round_result *result, int64_t took_ms);
/* `acts`: what the plan buys is bought. `why_not`: full_why_not. */
void say_round(struct actions *actions, const struct round_result *result, int64_t took_ms,
               bool acts, struct str why_not);
void say_first(struct actions *actions, const struct round_result *result, int64_t took_ms);
struct action reply_to(uint64_t ask, const struct round_result *result, struct arena *arena);

void say_claim(struct actions *actions, const struct claim_wanted *claim,
               enum claim_verdict verdict);

/* ---- full.c: the mode that acts ---- */

void full_create(struct engine *engine, const struct round_result *result, struct moment now,
                 struct actions *actions);
void full_delta(struct engine *engine, const struct event *event, struct moment now,
                struct actions *actions);
void full_answer(struct engine *engine, const struct event *event, struct moment now,
                 struct actions *actions);
void full_step(struct engine *engine, struct moment now, struct actions *actions);
void full_lead(struct engine *engine, bool leads, struct moment now);
void full_cluster(struct engine *engine, const struct userdata_cluster *cluster, struct moment now);
bool full_may_act(const struct engine *engine);
/* What the one who leads still waits for before it acts; empty: nothing, or it does not lead. */
struct str full_why_not(const struct engine *engine);
mono_t full_due(const struct engine *engine);
void full_job(struct engine *engine, struct moment now, struct round_job *job);

uint32_t full_gone(struct engine *engine, struct moment now, struct arena *arena,
                   const struct round_gone **ret_gone);

/* ---- learn.c: what running nodes teach ---- */

void learn_object(struct engine *engine, const struct event *event, mono_t now);
void learn_all(struct engine *engine, mono_t now); /* of all nodes that are there */
void learn_apply(struct engine *engine, mono_t now);
void learn_forget_words(struct engine *engine); /* the state begins anew */

/* ---- count.c: metrics ---- */

void count_round(struct engine *engine, const struct round_result *result, struct moment now);
void count_first(struct engine *engine, const struct round_result *result, struct moment now);
/* How far a pod is, of an event that brings one. */
enum pod_stage { POD_NEW, POD_WAITS, POD_BOUND, POD_RUNS };
enum pod_stage count_pod_stage(const struct engine *engine, const struct event *event);
void count_pod(struct engine *engine, const struct event *event, enum pod_stage before, wall_t now);
void count_disruption(struct engine *engine, const struct round_result *result);
