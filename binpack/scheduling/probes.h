/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Probes: every distinct requirement that pods, volumes and DaemonSets ask of new nodes, answered
 * once for all.
 *
 * The labels of a new node come from four independent parts: variant (NodePool and the values
 * chosen for its custom labels), type, zone, capacity type (with its reservation). A label key
 * belongs to one part, so a requirement is a set over the members of that part. Answers are those
 * of kube-scheduler: NotIn and DoesNotExist hold where the label is absent. */
#pragma once

#include "binpack/scheduling/classes.h"

enum sched_part {
    SCHED_PART_VARIANT,
    SCHED_PART_TYPE,
    SCHED_PART_ZONE,
    SCHED_PART_CAPACITY,
    SCHED_PART_RESERVATION
};

struct sched_probe {
    struct sched_req req;
    enum sched_part part;
    uint64_t *yes; /* [words of the part's members] NULL until sched_probes_answer */
};

struct sched_probes {
    const struct sched_snapshot *snapshot;
    struct arena *arena;
    struct strtab *ids; /* content -> id + 1 */
    uint32_t n, cap;
    struct sched_probe *v;
    struct k8s_strids keys; /* distinct keys, in order of first use */
    strid *key_list;
    uint32_t n_keys, cap_keys;
    struct strtab *columns; /* type label key -> column + 1 */
    struct sched_column *column_list;
    uint32_t cap_columns;
};

/* The values of one label over the types of the catalogue. */
struct sched_column {
    strid key;
    uint32_t n_values; /* distinct; value 0 is "absent" */
    strid *values;     /* [n_values], [0] is STRID_NONE */
    uint32_t *of_type; /* [catalog->n_types] into values */
};

struct sched_probes *sched_probes_new(const struct sched_snapshot *snapshot, struct arena *arena);

enum sched_part sched_key_part(const struct sched_vocab *vocab, strid key);
enum sched_part sched_part_of(const struct sched_snapshot *snapshot, strid key); /* the same */

/* Does the requirement hold for this value, or for the absence of the label (STRID_NONE)? */
bool sched_req_holds(const struct sched_vocab *vocab, const struct sched_req *req, strid value);

/* The id of a requirement; adds it when new. */
uint32_t sched_probe_id(struct sched_probes *probes, const struct sched_req *req);
/* The same without adding: SCHED_NONE when it was never asked. */
uint32_t sched_probe_find(const struct sched_probes *probes, const struct sched_req *req);

/* Adds all requirements of a pod shape: node selector, required and preferred node terms. */
void sched_probes_add_shape(struct sched_probes *probes, const struct k8s_pod_shape *shape);

const struct sched_column *sched_column_of(struct sched_probes *probes, strid key);
