/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Words of the placement rules, interned once per cluster: label aliases, well-known and restricted
 * labels, taints that come and go, volume drivers. Every module of scheduling/ takes this by const
 * pointer.
 *
 * Aliases: the beta labels and topology.ebs.csi.aws.com/zone name the same thing as the stable
 * labels, so keys are normalised on entry (karp: NormalizedLabels). Well-known labels may stay
 * undefined in a NodePool because every node gets them. */
#pragma once

#include "k8s/cluster.h"

struct arena;
struct catalog;

enum { SCHED_N_ALIASES = 6, SCHED_N_EPHEMERAL = 6 };

struct sched_alias {
    strid old_key, key;
};

struct sched_vocab {
    const struct strtab *tab;
    const struct k8s_words *words;
    struct sched_alias aliases[SCHED_N_ALIASES];
    struct k8s_strids well_known; /* ascending by id */
    strid windows_build, nodeclass;
    strid ebs_driver, ebs_in_tree; /* "ebs.csi.aws.com", "kubernetes.io/aws-ebs" */
    strid lost, bound, pending, read_write_once_pod;
    strid node_unschedulable; /* taint key node.kubernetes.io/unschedulable */
    strid metadata_name, namespace_name;
    strid name_field; /* stands for the node's name as matchFields ask for it: no label has this key
                       */
    struct k8s_taint ephemeral[SCHED_N_EPHEMERAL]; /* value ignored */
    struct k8s_strids daemon_keys; /* NoSchedule keys that every DaemonSet pod tolerates */
    strid not_ready, unreachable;
};

/* Interns the words. `catalog` (may be NULL) adds the label keys of its types to the well-known
 * ones. Lives in `arena`. */
const struct sched_vocab *sched_vocab_new(struct arena *arena, const struct k8s_cluster *cluster,
                                          const struct catalog *catalog);

/* The stable name of a label key; the key itself when it has no older name. */
strid sched_key(const struct sched_vocab *vocab, strid key);
bool sched_key_well_known(const struct sched_vocab *vocab, strid key);

/* Value of a label of a node that may carry old or stable names: looks for the key as written, then
 * for its other names. STRID_NONE when absent. */
strid sched_label(const struct sched_vocab *vocab, const struct k8s_pairs *labels, strid key);
