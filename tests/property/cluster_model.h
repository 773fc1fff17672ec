/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Tiny clusters as plain numbers: what a random instance holds, its text for the planner, and the
 * best plan by exhaustive search, written from the documentation of Kubernetes alone.
 *
 * At most 8 pods of 4 workloads, 4 types, 3 zones, 2 capacity types, 2 NodePools and 2 running
 * nodes. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/rng.h"
#include "base/str.h"
#include "base/units.h"

enum {
    MAX_PODS = 8,
    MAX_WORKLOADS = 4,
    MAX_TYPES = 4,
    MAX_ZONES = 3,
    MAX_CAPS = 2, /* on demand, spot */
    MAX_POOLS = 2,
    MAX_RUNNING = 2,
    MAX_RULES = 6,
    MAX_ASSIGNED = MAX_RUNNING + MAX_PODS, /* nodes of a plan */
};

/* Kinds of constraints; an instance has a set of them. */
enum kind {
    KIND_SELECT,
    KIND_TAINTS,
    KIND_ZONE_SPREAD,
    KIND_HOST_SPREAD,
    KIND_ZONE_AFFINITY,
    KIND_HOST_AFFINITY,
    KIND_ZONE_ANTI,
    KIND_HOST_ANTI,
    KIND_VOLUMES,
    KIND_ATTACH,
    KIND_PORTS,
    KIND_LIMITS,
    KIND_WEIGHTS,
    KIND_EXISTING,
    KIND_DAEMONS,
    KIND_CAPACITY, /* capacity types: selectors, pools and spread by them, sold out offerings */
    N_KINDS
};
extern const char *const kind_names[N_KINDS];

enum key { KEY_HOST, KEY_ZONE, KEY_CAP };
enum rule_kind { RULE_SPREAD, RULE_TOGETHER, RULE_APART };

struct rule {
    enum rule_kind kind;
    enum key key;
    uint32_t targets; /* set of workloads */
    uint32_t max_skew, min_domains;
    bool honor_taints;
};

/* All of it must hold. */
struct node_term {
    uint32_t zones, caps; /* sets */
    bool zones_by_not_in;
    uint32_t cpu_above; /* Gt; 0: any */
    bool ssd;
};

struct workload {
    uint32_t n;
    uint32_t cpu, memory; /* millicores, MiB */
    bool tolerates;
    uint32_t n_terms; /* alternatives; 0: anywhere */
    struct node_term terms[2];
    uint32_t port; /* 0: none */
    bool udp;
    uint32_t volume_zones;  /* set; 0: no bound volume */
    bool volume_is_unbound; /* allowedTopologies of the class instead of a volume */
    bool shares_claim;      /* all its pods use one claim that is not bound yet */
    uint32_t n_attach;      /* claims of its own */
    uint32_t n_rules;
    struct rule rules[MAX_RULES];
};

struct type {
    uint32_t cpu, memory, pods, attach;  /* cores, MiB */
    uint32_t price[MAX_ZONES][MAX_CAPS]; /* thousandths of a dollar */
    bool sold_out[MAX_ZONES][MAX_CAPS];
};

struct pool {
    uint32_t weight, zones, caps;
    bool tainted, ssd;
    uint32_t limit_cpu, limit_nodes; /* 0: none */
};

struct running {
    uint32_t zone, cap, cpu, memory, pods; /* millicores, MiB, all of it */
    uint32_t attach;                       /* UINT32_MAX: no limit known */
    bool tainted, ssd;
    uint32_t n[MAX_WORKLOADS]; /* pods that run there */
};

struct daemon {
    bool exists, tolerates;
    uint32_t cpu, caps;
};

struct instance {
    uint64_t seed;
    uint32_t kinds; /* set */
    uint32_t n_zones, n_types, n_pools, n_running, n_workloads, n_pods;
    struct type types[MAX_TYPES];
    struct pool pools[MAX_POOLS];
    struct running running[MAX_RUNNING];
    struct workload workloads[MAX_WORKLOADS];
    struct daemon daemon;
};

/* What running pods and daemon pods ask for. */
enum { RUNNING_CPU = 250, RUNNING_MEMORY = 128 };

void instance_random(struct rng *rng, uint32_t kinds, struct instance *ret_instance);

struct arena;
struct str instance_cluster(const struct instance *instance, struct arena *arena); /* YAML */
struct str instance_catalog(const struct instance *instance, struct arena *arena); /* YAML */

/* One node of a plan. */
struct assigned {
    bool is_running;
    uint32_t running_i;
    uint32_t pool, type, zone, cap;
    uint32_t n[MAX_WORKLOADS]; /* pods placed there */
};

/* Why the plan does not hold; NULL: it does, in some order. */
const char *plan_fault(const struct instance *instance, uint32_t n, const struct assigned *nodes);

struct best {
    uint32_t n_placed;
    uint64_t cost; /* thousandths of a dollar */
    bool gave_up;  /* the search was too long */
    uint32_t n_nodes;
    struct assigned nodes[MAX_ASSIGNED]; /* of such a plan, running nodes first */
};

/* The most pods, and the least cost of a plan that places so many. `by_tier`: every workload uses
 * the heaviest pools that hold one of its pods alone, and no other. `unplaced` (may be NULL): just
 * these stay out. */
void brute_best(const struct instance *instance, bool by_tier, const uint32_t *unplaced,
                struct best *ret_best);
