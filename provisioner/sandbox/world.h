/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the parts of the sandbox share. Internal to provisioner/sandbox. */
#pragma once

#include <jansson.h>

#include "awsapi/fault.h"
#include "base/arena.h"
#include "base/rng.h"
#include "base/vec.h"
#include "binpack/catalog/catalog.h"
#include "binpack/scheduling/vocab.h"
#include "k8s/state.h"
#include "k8s/write.h"
#include "provisioner/engine/engine.h"
#include "provisioner/sandbox/sandbox.h"

enum { NAME_MAX_BYTES = 254, SECOND = 1000, MINUTE = 60 * SECOND, HOUR = 60 * MINUTE };

struct text {
    uint16_t n;
    char p[NAME_MAX_BYTES];
};
struct text text_of(struct str s);
struct str text_str(const struct text *t);

struct object {
    const struct k8s_kind *kind;
    struct text ns, name, uid;
    uint64_t version;
    json_t *value;
};

enum happening_type {
    HAPPEN_SHOW,   /* the watch shows a change */
    HAPPEN_ANSWER, /* the end of a write or call */
    HAPPEN_SOLVED, /* of a round */
    HAPPEN_TICK,   /* of ACTION_TIMER */
    HAPPEN_BEAT,   /* the scheduler, the workloads and the machines go on */
    HAPPEN_STEP,   /* of the scenario */
    HAPPEN_START   /* of the program, after it was killed */
};
struct happening {
    mono_t at;
    uint64_t seq; /* breaks ties */
    enum happening_type type;
    uint64_t epoch; /* ANSWER, SOLVED, TICK, SHOW: of the run of the program that it is for */
    const struct k8s_kind *kind; /* SHOW */
    enum k8s_change change;
    struct text ns, name;
    json_t *object; /* SHOW; a reference */
    uint64_t id;    /* ANSWER */
    bool is_write;
    struct k8s_written written;
    const struct aws_operation *operation;
    const void *reply;
    struct aws_fault fault;
    struct arena arena; /* of the answer */
    uint32_t step_i;    /* STEP */
};

enum instance_stage { INSTANCE_PENDING, INSTANCE_RUNNING, INSTANCE_SHUTTING_DOWN, INSTANCE_GONE };
struct instance {
    struct text id, type, zone, capacity_type, image_id, subnet_id, token, claim, pool;
    enum instance_stage stage;
    mono_t launched, visible, node_at, ready_at, gone_at;
    bool has_node, is_ready;
    usd_t price;
};

struct drought { /* offerings that cannot be had; empty: any */
    struct text type, zone, capacity_type;
    mono_t from, until;
};
struct scenario_step {
    mono_t at;
    struct text scale; /* "namespace/name"; empty: none */
    int64_t replicas;
    int64_t delete_claims; /* the first by name */
};
struct scenario {
    int64_t hours, faults; /* faults: per thousand actions */
    mono_t faults_until;
    VEC(struct scenario_step) steps;
    VEC(struct drought) droughts;
};

struct world {
    struct arena arena, step, catalog_arena, truth_arena, solved_arena;
    struct rng rng;
    wall_t start;
    mono_t now;
    uint64_t seq, version, n_uids, n_instances;
    VEC(struct object) objects;
    VEC(struct happening) queue; /* a heap by (at, seq) */
    VEC(struct instance) instances;
    VEC(struct text) templates;
    mono_t
        shown[64]; /* [k8s_n_kinds] when the last change of a kind is shown: never out of order */
    struct scenario scenario;

    /* The objects as they are, without any lag, in words of their own. */
    struct k8s_state *truth;
    const struct catalog *catalog; /* in the words of `truth` */
    const struct sched_vocab *vocab;
    struct k8s_cluster words;
    bool pods_moved; /* something has changed that the scheduler should see */

    struct engine_settings settings;
    struct engine *engine; /* NULL: killed */
    struct arena engine_catalog;
    uint64_t epoch;
    mono_t timer;
    struct round_result *result; /* of the round under way; NULL: none */
    struct strbuf *journal;
    struct sandbox_report report;
};

struct moment world_moment(const struct world *world);
const struct k8s_kind *world_kind(const char *name);
void world_push(struct world *world, struct happening *happening);
/* from..to, both possible. */
int64_t world_between(struct world *world, int64_t from, int64_t to);

/* ---- objects.c: the API server ---- */

struct k8s_written objects_write(struct world *world, const struct k8s_write *write);
struct object *objects_find(struct world *world, const struct k8s_kind *kind, struct str ns,
                            struct str name);
/* Takes the value over. */
void objects_create(struct world *world, const struct k8s_kind *kind, json_t *value);
/* Takes the value over: the object's next version. */
void objects_put(struct world *world, struct object *object, json_t *value);
void objects_remove(struct world *world, const struct k8s_kind *kind, struct str ns,
                    struct str name);
/* All that there is, to the engine that has just started. */
void objects_list(struct world *world);

/* ---- ec2.c ---- */

/* In `arena`; NULL and the fault when it fails. */
const void *ec2_call(struct world *world, const struct aws_operation *operation,
                     const void *request, struct arena *arena, struct aws_fault *ret_fault);
bool ec2_is_alive(const struct instance *instance);

/* ---- boot.c, sched.c, work.c: every second ---- */

void boot_beat(struct world *world);
void sched_beat(struct world *world);
void work_beat(struct world *world);
void work_step(struct world *world, const struct scenario_step *step);

/* ---- fault.c ---- */

enum sandbox_action fault_action(const struct action *action);
/* What befalls the action; counted. */
enum sandbox_fault fault_choose(struct world *world, const struct action *action);

/* ---- invariants.c ---- */

/* False: the first broken promise is in the report. */
bool invariants_hold(struct world *world);
bool invariants_converged(struct world *world);

/* ---- scenario.c ---- */

bool scenario_read(struct world *world, const struct sandbox_options *options, struct err *err);
