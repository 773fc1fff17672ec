/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the parts of the sandbox share. Internal to provisioner/sandbox. */
#pragma once

#include <jansson.h>

#include "awsapi/fault.h"
#include "base/arena.h"
#include "base/rng.h"
#include "base/strtab.h"
#include "base/vec.h"
#include "binpack/catalog/catalog.h"
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
    uint64_t epoch; /* of the run of the program that created it; 0: it was another's */
    uint64_t owner; /* a hash of its owner's UID, to find it by; 0: it has none */
    uint64_t version;
    json_t *value;
};

struct owner { /* a workload: those that make pods */
    const struct k8s_kind *kind;
    struct text ns, name;
};

enum happening_type {
    HAPPEN_SHOW,   /* the watch shows a change */
    HAPPEN_RELIST, /* a watch that broke lists everything anew */
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
    const struct k8s_kind *kind; /* SHOW, RELIST */
    enum k8s_change change;      /* SHOW */
    uint64_t version;            /* SHOW */
    json_t *object;              /* SHOW; a reference */
    uint64_t id;                 /* ANSWER */
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
    struct text id, type, zone, capacity_type, image_id, subnet_id, token, claim, claim_uid, pool;
    enum instance_stage stage;
    mono_t launched, visible, node_at, ready_at, gone_at;
    bool has_node, is_ready;
    usd_t price;
};

/* Offerings; what is empty stands for any. */
struct offerings {
    struct text type, zone, capacity_type;
};
struct drought { /* offerings that cannot be had */
    struct offerings of;
    mono_t until;
};
struct price_move {
    struct offerings of;
    int64_t per_cent; /* of the price in the catalogue */
    mono_t until;
};
struct outage {
    struct text zone;
    mono_t from, until;
};

/* What happens at an hour. */
struct scenario_step {
    mono_t at, every;  /* every: 0: once */
    struct text scale; /* "namespace/name"; empty: none */
    int64_t replicas;
    int64_t delete_claims, end_instances, delete_nodes, lose_nodes; /* the oldest */
    int64_t write_claims;                                           /* so many, by hand */
    struct text claims_pool, claims_type;
    struct offerings dry; /* cannot be had for dry_ms; 0: no such thing */
    int64_t dry_ms;
    struct offerings priced; /* at price_per_cent for price_ms; 0: no such thing */
    int64_t price_per_cent, price_ms;
    struct text zone_down; /* for outage_ms; empty: none */
    int64_t outage_ms;
    const struct k8s_kind *deaf_kind; /* whose watch breaks for deaf_ms; NULL: none */
    int64_t deaf_ms;
    int64_t jump_ms; /* of the wall clock */
    bool restart;    /* of the program */
};
struct running { /* at the beginning, as Karpenter leaves them; see adopt.c */
    struct text pool, type;
    int64_t count; /* 0: none */
};
struct scenario {
    struct running running;
    int64_t hours, faults;     /* faults: per thousand actions */
    int64_t search_one_in;     /* of so many seeds one has plans that are searched for */
    VEC(struct text) families; /* that the catalogue has; none: all */
    mono_t faults_until;
    VEC(struct scenario_step) steps;
};

/* What the last plan says of pods that it has no place for. */
enum { UNPLACED_MAX = 64 };
struct unplaced {
    struct text ns_name;
    char why[512];
};

struct world {
    struct arena arena, step, catalog_arena, solved_arena;
    struct rng rng;
    wall_t start;
    mono_t now;
    uint64_t seq, version, n_uids, n_instances;
    VEC(struct object) objects;  /* in no order that means anything */
    struct strtab *names;        /* "i/namespace/name", i of the kind */
    VEC(struct owner) owners;    /* as they came */
    VEC(uint32_t) places;        /* by id of names: where in `objects`, from 1; 0: not there */
    VEC(struct happening) queue; /* a heap by (at, seq) */
    VEC(struct instance) instances;
    VEC(struct drought) droughts;
    VEC(struct price_move) price_moves;
    VEC(struct outage) outages;
    mono_t whole_until; /* until then no list of instances leaves one out */
    bool prices_moved;  /* the program does not know yet */
    VEC(struct text) templates;
    struct watch *watches; /* [k8s_n_kinds] of the run of the program; NULL: it never ran */
    struct scenario scenario;

    /* The objects as they are, without any lag, in words of their own. */
    struct k8s_state *truth;
    const struct catalog *catalog; /* in the words of `truth` */
    struct k8s_cluster words;
    bool places_moved;   /* something has changed that the scheduler should see */
    bool work_moved;     /* or the controllers of workloads */
    bool promises_moved; /* or those who look whether promises hold */

    struct engine_settings settings;
    struct engine *engine; /* NULL: killed */
    struct arena engine_catalog;
    uint64_t epoch;
    mono_t timer;
    struct round_result *result; /* of the round under way; NULL: none */
    struct unplaced *unplaced;   /* [UNPLACED_MAX] */
    uint32_t n_unplaced;
    struct strbuf *journal;
    bool compares;    /* each plan that buys with that of the emulated Karpenter */
    usd_t other_cost; /* of the plan under way, by the emulated Karpenter; below 0: none */
    struct sandbox_report report;
    struct sandbox_note notes[SANDBOX_NOTES]; /* a ring */
    uint64_t n_notes;
};

/* For people who watch. */
PRINTF_LIKE(2, 3) void world_note(struct world *world, const char *format, ...);
struct moment world_moment(const struct world *world);
/* Of the store's first kind: Pod, Node, NodeClaim, ... */
const struct k8s_kind *world_kind_of(enum k8s_store store);
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
/* The same, whoever holds it. */
void objects_remove_by_force(struct world *world, const struct k8s_kind *kind, struct str ns,
                             struct str name);
/* ---- watches.c ---- */

/* The object has changed, or gone. */
void watch_show(struct world *world, const struct object *object, bool removed);
void watch_deliver(struct world *world, const struct happening *happening);
void watch_break(struct world *world, const struct k8s_kind *kind, int64_t for_ms);
void watch_relist(struct world *world, const struct k8s_kind *kind);
/* All that there is, to the program that has just started. */
void watch_begin(struct world *world);
void watch_end(struct world *world);

/* ---- program.c ---- */

void program_start(struct world *world);
/* It learns of new prices, unless it plans just now. */
void program_beat(struct world *world);
void program_kill(struct world *world);
void program_give(struct world *world, const struct event *event);
void program_answer(struct world *world, const struct happening *happening);
void program_solved(struct world *world);
void program_forget_result(struct world *world);

/* ---- ec2.c ---- */

/* In `arena`; NULL and the fault when it fails. */
const void *ec2_call(struct world *world, const struct aws_operation *operation,
                     const void *request, struct arena *arena, struct aws_fault *ret_fault);
/* The call has been answered, and nothing was done: a fault, or a fleet without an instance. */
bool ec2_has_refused(const struct aws_operation *operation, const void *reply);
bool ec2_is_alive(const struct instance *instance);
/* It is shutting down, whoever wanted that. */
void ec2_end(struct world *world, struct instance *instance);

/* ---- market.c: what can be had, and at what price ---- */

bool market_is_dry(const struct world *world, struct str type, struct str zone,
                   struct str capacity_type);
struct opt_usd market_price(const struct world *world, struct str type, struct str zone,
                            struct str capacity_type);
/* The families of the scenario at the prices of now, in the words of `tab`. */
const struct catalog *market_catalog(const struct world *world, struct strtab *tab,
                                     struct arena *arena);
void market_step(struct world *world, const struct scenario_step *step);
void market_beat(struct world *world);

/* ---- outage.c: a zone that cannot be reached ---- */

bool outage_holds(const struct world *world, struct str zone);
void outage_step(struct world *world, const struct scenario_step *step);
void outage_beat(struct world *world);

/* ---- boot.c, sched.c, work.c: every second ---- */

void boot_beat(struct world *world);
void boot_machine(const struct world *world, const struct instance *instance,
                  struct sandbox_machine *ret_machine);
/* The machine has booted: a Node that is not ready yet. */
void boot_join(struct world *world, struct instance *instance);
/* The Node of the instance; NULL: it has none. */
struct object *boot_node(struct world *world, const struct instance *instance);
/* What the kubelet, or who misses it, says of the Node: "True", "False", "Unknown". */
void boot_say_ready(struct world *world, struct object *node, const char *status);
/* The Node goes as if it had never been held, and its pods with it; the machine runs on. */
void boot_lose_node(struct world *world, const struct instance *instance);
/* All pods of the node but those of DaemonSets when these are spared. */
void boot_remove_pods(struct world *world, struct str node, bool spares_daemons);
void sched_beat(struct world *world);
void work_beat(struct world *world);
void work_step(struct world *world, const struct scenario_step *step);
/* The workload of "namespace/name" that has replicas; NULL: there is none. */
struct object *work_find(struct world *world, struct str what);
/* The Node has gone: nobody need run anything there. */
void work_node_gone(struct world *world, struct str node);

/* ---- adopt.c ---- */

/* The nodes that run at the beginning. Errors: those of the scenario. */
MUST_CHECK bool adopt_begin(struct world *world, struct err *err);

/* ---- hand.c: what happens without the program ---- */

void hand_step(struct world *world, const struct scenario_step *step);
/* The NodeClaim of that name was written by a step. */
bool hand_has_made(struct str claim);

/* ---- volumes.c ---- */

/* The pod has been bound to the node: its claims that have waited for that get their volumes. */
void volume_make(struct world *world, const struct k8s_cluster *cluster, const struct k8s_pod *pod,
                 const struct k8s_node *node);

/* ---- fault.c ---- */

enum sandbox_action fault_action(const struct action *action);
/* What befalls the action; counted. */
enum sandbox_fault fault_choose(struct world *world, const struct action *action);

/* ---- invariants.c ---- */

/* False: the first broken promise is in the report. */
bool invariants_hold(struct world *world);
/* The same for what has come to rest by the end. */
bool invariants_converged(struct world *world);
/* Notes that a promise is broken; false. */
bool invariants_broken(struct world *world, const char *what, struct str name);
/* The program has created the NodeClaim: the limits that it knows of have room for it. */
void invariants_created(struct world *world, const struct object *object);
/* Nobody is at home on the instance that is about to be terminated who should have been evicted,
 * and its NodeClaim is going or gone. */
void invariants_terminate(struct world *world, const struct instance *instance);

/* ---- scenario.c ---- */

bool scenario_read(struct world *world, const struct sandbox_options *options, struct err *err);
/* When the last thing ends that is done to the world, at most `end`. */
mono_t scenario_last(const struct scenario *scenario, mono_t end);
