/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The plan as a document of binpack/v1 (docs/plan.md): JSON and YAML come from the same calls. */
#pragma once

#include "base/jsonw.h"
#include "binpack/plan/plan.h"

struct arena;

/* Writes one document. Pods are "namespace/name". `scratch` is used and rewound, so the buffer that
 * w writes to must not live in it. */
void plan_json(const struct plan *plan, struct jsonw *w, struct arena *scratch);

/* Shared by the formats that name things of a plan. All results are static or in `arena`. */
struct str
plan_capacity_type_name(enum cat_capacity_type type); /* "spot", "on-demand", "reserved" */
struct str plan_mode_name(enum plan_mode mode);       /* "provision", "disrupt", "repack" */
struct str plan_pod_name(const struct plan *plan, uint32_t pod,
                         struct arena *arena); /* "ns/name" */

/* An amount as Kubernetes prints it: cpu "1930m", memory and storage "6903Mi", else "4". */
struct str plan_amount(const struct k8s_words *words, const struct strtab *tab, strid resource,
                       int64_t value, struct arena *arena);

/* Resources sorted by name as an object on one line. */
void plan_resources(const struct plan *plan, struct jsonw *w, const struct k8s_resources *resources,
                    struct arena *scratch);

/* {"nodePool": ..., "code": ..., "message": ...} */
void plan_reason_json(const struct plan_reason *reason, struct jsonw *w);

/* Pairs sorted by key text; the array lives in `arena`. */
const struct k8s_pair *plan_sorted_pairs(const struct strtab *tab, const struct k8s_pairs *pairs,
                                         struct arena *arena);

/* (cost - bound) / cost in parts per billion, rounded up; 0 when nothing is bought. */
int64_t plan_gap_ppb(const struct plan *plan);

/* What the node costs on demand: in its zone, or in some zone, or as it is where its type has no
 * such price. */
usd_t plan_on_demand_price(const struct plan_node *node);

void plan_taints(const struct plan *plan, struct jsonw *w, const struct k8s_taint *taints,
                 uint32_t n);
