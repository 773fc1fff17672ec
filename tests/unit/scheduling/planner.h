/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A cluster in YAML, a catalogue of four sizes in three zones, and the planner's snapshot and base
 * of them, for tests.
 *
 * Catalogue: x1.small (2 cpu, 4Gi), x1.medium (4, 8Gi), x1.large (8, 16Gi), g1.large (8, 16Gi, one
 * nvidia.com/gpu); zones a, b, c; on demand 0.10, 0.19, 0.36, 1.00 and spot 0.04, 0.076, 0.144 (no
 * spot GPUs) US dollars; spot of x1.small is sold out in c. Every type attaches 3 EBS volumes. Two
 * instances of x1.medium are reserved in a as cr-1. Nodes keep nothing back. */
#pragma once

#include "binpack/scheduling/problem_build.h"
#include "world.h"

struct planner {
    struct world world;
    const struct catalog *catalog;
    struct sched_snapshot *snapshot;
    struct sched_base *base;
    struct sched_descent descent;
    struct sched_problem *problem;
};

#define PLANNER_SETTINGS                                                                           \
    ((struct sched_settings){.node_overlay = true,                                                 \
                             .capacity_buffer = true,                                              \
                             .ignore_dra = true,                                                   \
                             .catalog = {.vm_memory_overhead_ppm = 75000}})

/* A ready NodePool with more fields of its spec ("  weight: 5\n"), of its template's spec, and
 * template labels. */
#define POOL(name, spec, template_spec, labels)                                                    \
    "---\napiVersion: karpenter.sh/v1\nkind: NodePool\nmetadata: {name: " name "}\nspec:\n" spec   \
    "  template:\n    metadata: {labels: {" labels                                                 \
    "}}\n    spec:\n      nodeClassRef: {group: karpenter.k8s.aws, kind: "                         \
    "EC2NodeClass, name: default}\n" template_spec
#define CLASS(name, zones)                                                                         \
    "---\napiVersion: karpenter.k8s.aws/v1\nkind: EC2NodeClass\nmetadata: {name: " name            \
    "}\nspec: {amiSelectorTerms: [{alias: al2023@latest}]}\nstatus: {subnets: [" zones "]}\n"
#define ABC                                                                                        \
    "{id: s1, zone: a, zoneID: z1}, {id: s2, zone: b, zoneID: z2}, {id: s3, zone: c, zoneID: z3}"
#define ON_DEMAND                                                                                  \
    "      requirements: [{key: karpenter.sh/capacity-type, operator: In, values: [on-demand]}]\n"

/* A pending pod: labels as in a flow map, and more lines of its spec. */
#define PENDING(name, labels, cpu, spec)                                                           \
    "---\napiVersion: v1\nkind: Pod\nmetadata: {name: " name                                       \
    ", namespace: default, labels: {" labels                                                       \
    "}}\nspec:\n  containers: [{name: c, resources: {requests: {cpu: " cpu                         \
    ", memory: 1Gi}}}]\n" spec

/* A running node of zone and type with labels, cpu free for all. */
#define NODE(name, zone, labels, cpu)                                                              \
    "---\napiVersion: v1\nkind: Node\nmetadata: {name: " name                                      \
    ", labels: {topology.kubernetes.io/zone: " zone                                                \
    ", node.kubernetes.io/instance-type: x1.large, karpenter.sh/capacity-type: on-demand, "        \
    "kubernetes.io/hostname: " name ", kubernetes.io/arch: amd64, kubernetes.io/os: linux" labels  \
    "}}\nstatus: {allocatable: {cpu: " cpu ", memory: 16Gi, pods: 20}, capacity: {cpu: " cpu       \
    ", memory: 16Gi, pods: 20}}\n"
#define BOUND(name, labels, node, cpu, spec)                                                       \
    "---\napiVersion: v1\nkind: Pod\nmetadata: {name: " name                                       \
    ", namespace: default, labels: {" labels "}}\nspec:\n  nodeName: " node                        \
    "\n  containers: [{name: c, resources: {requests: {cpu: " cpu ", memory: 1Gi}}}]\n" spec       \
    "status: {phase: Running}\n"

/* Everything up to the first problem. */
void planner_open(struct planner *planner, const char *yaml, const struct sched_settings *settings);
void planner_close(struct planner *planner);

/* Only world and catalogue. */
void planner_read(struct planner *planner, const char *yaml);

/* The class of pod "ns/name" in the problem. */
uint32_t planner_class(const struct planner *planner, const char *pod);
const struct sched_pool *planner_pool(const struct planner *planner, const char *name);
const struct sched_node *planner_node(const struct planner *planner, const char *name);
