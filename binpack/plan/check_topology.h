/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Rules between pods as the placement checker replays them: what each rule has counted so far, and
 * whether a pod may go to a node now. Internal to check_topology.c and check_orders.c. */
#pragma once

#include "base/vec.h"
#include "binpack/plan/check_world.h"

enum rule_type { RULE_SPREAD, RULE_AFFINITY, RULE_ANTI };

struct rule {
    enum rule_type type;
    uint32_t key_i;
    uint32_t owner;                   /* kind that declared it first */
    const struct k8s_spread *spread;  /* SPREAD */
    const struct k8s_pod_term *terms; /* AFFINITY: all terms of the pod; ANTI: one */
    uint32_t n_terms;
    uint32_t *count;     /* [n_domains] pods that the rule counts */
    uint32_t *carriers;  /* [n_domains] ANTI: pods that declare it */
    bool *node_ok;       /* [n_nodes] SPREAD: nodes whose pods count; NULL: all */
    bool *eligible;      /* [n_domains] SPREAD: takes part in the minimum */
    uint32_t n_eligible; /* domains that could be opened included */
    bool *stays;         /* [n_domains] SPREAD: eligible without the nodes that go */
    uint32_t n_stays;
    bool has_empty; /* a domain that could be opened holds none */
    uint64_t total;
};

struct key { /* a topology key and the domain of each node */
    strid name;
    uint32_t n_domains;
    uint32_t *domain; /* [n_nodes], UINT32_MAX */
    strid *value;     /* [n_domains]; STRID_NONE for host names */
};

struct links { /* what a kind has to do with the rules */
    uint32_t n_carried, n_counted;
    uint32_t *carried; /* rules it declares */
    bool *self;        /* [n_carried] the rule counts the kind itself */
    uint32_t *counted; /* rules that count it */
    bool counted_by_spread;
};

struct replay {
    struct check_world *world;
    VEC(struct rule) rules;
    VEC(struct key) keys;
    struct links *links; /* [n_kinds] */
};

/* Nothing is placed yet; the rules are those of all kinds of pods. Lives in world->arena. */
void replay_start(struct check_world *world, struct replay *ret_replay);
/* Only what runs is placed. */
void replay_reset(struct replay *replay);
void replay_place(struct replay *replay, uint32_t kind, uint32_t node);
void replay_take_back(struct replay *replay, uint32_t kind, uint32_t node); /* a placed one */

/* The same with pods that run: those that are terminating are not spread. */
void replay_put(struct replay *replay, uint32_t kind, uint32_t node, bool terminating);
void replay_take(struct replay *replay, uint32_t kind, uint32_t node, bool terminating);

/* The nodes of `leaving` [n_nodes] are there again, without pods; one has gone when `leaving` says
 * so no more. */
void replay_open(struct replay *replay, const bool *leaving);
void replay_close(struct replay *replay, uint32_t node, const bool *leaving);

/* The carried or counting rule that keeps a pod of `kind` off `node` now, or NULL. */
const struct rule *replay_blocked(const struct replay *replay, uint32_t kind, uint32_t node);
