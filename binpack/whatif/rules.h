/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Families of rules that can be taken out of a cluster, to see what they cost.
 *
 * Taking a family out only ever allows more: every plan that holds with it holds without it. That
 * is what makes the difference of two plans a price. */
#pragma once

#include "base/str.h"
#include "k8s/cluster.h"

enum whatif_rule {
    WHATIF_ANTI_AFFINITY,  /* pod anti-affinity, required and preferred */
    WHATIF_AFFINITY,       /* pod affinity, required and preferred */
    WHATIF_SPREAD,         /* topology spread */
    WHATIF_NODE_SELECTORS, /* node selector and affinity over labels that have no family below */
    WHATIF_INSTANCE_TYPES, /* type, family, category, size, ... : of pods and NodePools */
    WHATIF_ARCH,           /* of pods and NodePools */
    WHATIF_CAPACITY_TYPE,  /* of pods and NodePools */
    WHATIF_ZONES,          /* of pods and NodePools, not of volumes */
    WHATIF_VOLUME_ZONES,   /* where volumes can be used */
    WHATIF_HOST_PORTS,
    WHATIF_TAINTS,      /* of NodePools */
    WHATIF_MIN_VALUES,  /* of NodePools */
    WHATIF_LIMITS,      /* of NodePools */
    WHATIF_DAEMONSETS,  /* what runs on every node */
    WHATIF_PREFERENCES, /* preferred terms and soft spread */
    WHATIF_N_RULES
};

struct whatif_rule_row {
    const char *name; /* "antiaffinity": after "no-" in a scenario */
    const char *text; /* "pod anti-affinity" */
};
extern const struct whatif_rule_row whatif_rules[WHATIF_N_RULES];

/* How many pods that do not belong to a DaemonSet have the rule, by themselves or (NodePools, and
 * DaemonSets) at all: 0 when the cluster has no such rule. `ret_what` is "pod", "NodePool",
 * "volume" or "DaemonSet". */
uint32_t whatif_rule_count(const struct k8s_cluster *cluster, enum whatif_rule rule,
                           const char **ret_what);
