/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the parts of disrupt.h share: the nodes and what may become of them, one trial of a choice,
 * and the numbers of the open problem. */
#pragma once

#include "binpack/disruption/candidates.h"
#include "binpack/plan/disrupt.h"
#include "binpack/scheduling/problem_build.h"

#define NO_NODE UINT32_MAX

/* A choice: [nodes.n] of enum disrupt_reason, DISRUPT_NONE: the node stays. */
typedef uint8_t disrupt_choice;

/* Whether a node without pods is needed by pods that wait. */
enum disrupt_held { HELD_NOT, HELD_NOMINATED, HELD_BUFFER /* by virtual pods only */ };

struct disrupt_world {
    const struct k8s_cluster *cluster;
    const struct catalog *catalog;
    const struct make_settings *settings;
    const struct disrupt_options *options;
    const struct disrupt_port *port;
    bool stopped; /* the caller wants what there is */
    struct arena *arena;
    struct sched_snapshot *snapshot; /* every node stays */
    struct sched_base *base;
    struct disrupt_nodes nodes;
    int64_t (*allowed)[DISRUPT_N_REASONS]; /* [n_nodepools] */
    uint32_t *home;                        /* [n_pods] into nodes.v, NO_NODE: not bound */
    uint8_t *held;                         /* [nodes.n] of enum disrupt_held */
    bool *banned; /* [nodes.n] a trial has shown that it cannot go as Underutilized or Drifted */
    const char **ban_why; /* [nodes.n] what the trial has shown; static */
    usd_t move_charge;    /* per moved pod and hour */
    bool imitates; /* the choice is an imitation of Karpenter's: what it breaks of our own rules
                      stays as it is */
    const struct emu_round *round; /* then */
    double gap; /* of a trial at most: what a round of many nodes leaves on the table, the next
                   round picks up */
    const uint64_t
        *may;    /* [bits_words(nodes.n)] candidates of consolidation; NULL: not known yet */
    usd_t least; /* the least that any choice leaves to pay for them and for what is bought; 0: not
                    known */
    bool *sells_spot; /* [n_nodepools] spot may be bought for it */
    bool has_rules;   /* some pods look at where others are */
    bool any_order;   /* a trial shall make a plan that holds in any order of placement */
    bool pod_by_pod;  /* or one that is made pod by pod */
    bool repairs;     /* a trial may place pods one by one (make.c) where that costs less */
    bool mixes; /* a trial may move pods of spot nodes to new spot nodes though the gate is off,
                   in commands that take on-demand nodes along */
    bool large; /* many candidates: a trial spends a step less of effort than a plan of its own */
};

/* Fills in what follows from the inputs (cluster, catalog, settings, options, port and arena).
 * Errors as those of make.h. */
MUST_CHECK bool disrupt_world_new(struct disrupt_world *w, struct err *err);

/* How nodes stand for the snapshot of a choice; [cluster->n_nodes], in `arena`. `open`: nodes with
 * that bit set are opened instead; may be NULL. */
uint8_t *disrupt_leave(const struct disrupt_world *w, const disrupt_choice *choice,
                       const uint64_t *open, struct arena *arena);

/* ---- one trial (disrupt_trial.c) ---- */
struct disrupt_trial {
    struct plan *plan;
    usd_t saves;        /* of commands of Empty and Underutilized, before moves are charged */
    usd_t pending_cost; /* of new nodes that replace nothing: they are for pods that wait today */
    usd_t earns;        /* saves less the charge for moved pods and less pending_cost */
    uint32_t n_moved, n_gone;
    uint32_t n_waiting; /* pods without a place that no node of the choice held */
    uint64_t *bad;      /* [bits_words(nodes.n)] nodes of the choice that must not go */
    const char **why;   /* [nodes.n] of the bad ones; static */
    bool good;          /* none is bad */
    bool no_moment;     /* some are, because their pods find no moment to move */
    bool swaps_spot;    /* pods of underutilized spot nodes move to new spot nodes */
    bool mixed;         /* what is underutilized shares new nodes with what goes for another reason,
                           so what each saves cannot be told */
    uint32_t n_commands, n_steps;
    struct plan_command *commands; /* nodes are indexes into nodes.v */
    struct plan_step *steps;       /* NULL: not made yet */
};

/* Plans for the choice and looks at what comes of it. Lives in `arena`. */
MUST_CHECK bool disrupt_try(struct disrupt_world *w, const disrupt_choice *choice,
                            struct arena *arena, struct disrupt_trial *ret_trial, struct err *err);

/* The node must not go. `why`: static. */
void disrupt_spoil(struct disrupt_trial *trial, uint32_t node, const char *why);

/* ---- who stays in its zone (disrupt_settle.c) ---- */

/* Pods of nodes that go and that nothing tells apart change places in `plan`, whose new nodes are
 * `fresh`, until as many as can be stay in their zone. The new lists live in `arena`. */
void disrupt_settle(const struct disrupt_world *w, const disrupt_choice *choice,
                    struct plan_node *fresh, struct plan *plan, struct arena *arena);

/* ---- the steps (disrupt_steps.c) ---- */

/* Sorts the commands and makes the steps, which live in `arena`. Where pods look at each other the
 * order of steps is one in which every pod has its place at its moment; nodes for which there is
 * none are spoilt. ERR_INTERNAL, ERR_LIMIT. */
MUST_CHECK bool disrupt_steps(const struct disrupt_world *w, const disrupt_choice *choice,
                              struct disrupt_trial *trial, struct arena *arena, struct err *err);

/* ---- what a replacement may be launched as (disrupt_options.c) ---- */

/* One spot node is replaced by one only where so many types are cheaper (karp:
 * MinInstanceTypesForSpotToSpotConsolidation). */
enum { DISRUPT_SPOT_TYPES_MIN = 15 };

/* Takes from the node's options what costs `limit` or more; where it replaces one spot node by
 * itself, also what is beyond the cheapest that the rule above asks for. False: what is left has
 * fewer values than the NodePool's minValues ask for. The new options live in `arena`. */
bool disrupt_narrow(const struct disrupt_world *w, struct plan_node *node, usd_t limit,
                    bool spot_for_spot, struct arena *arena);

/* ---- the open problem (disrupt_open.c) ---- */
struct disrupt_open {
    struct opt_usd at_most; /* Empty and Underutilized can save at most this */
    usd_t least;            /* to pay for candidates that stay and for what is bought, at least */
    int64_t *value;         /* [nodes.n] the same where the limits of the round leave room for it */
    int64_t *profit; /* [nodes.n] nano-dollars per hour that giving the node up promises; INT64_MIN
                        where it cannot go */
};

/* `choice`: what goes for other reasons than Underutilized. `may`: [bits_words(nodes.n)]. */
MUST_CHECK bool disrupt_open_new(struct disrupt_world *w, const disrupt_choice *choice,
                                 const uint64_t *may, struct arena *arena,
                                 struct disrupt_open *ret_open, struct err *err);
