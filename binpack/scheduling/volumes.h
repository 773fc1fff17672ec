/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Volumes: where the claims of a pod can be used, and how many attachments they cost.
 *
 * A bound claim allows what its PersistentVolume's node affinity allows; an unbound one that waits
 * for its first consumer what its StorageClass' allowedTopologies allow. Each is a list of
 * alternatives; several volumes multiply, and combinations that contradict themselves are dropped.
 * The host name of local and hostPath volumes is ignored, as the data go where the pod goes. Claims
 * that are missing, lost, being deleted or must be bound first make the pod unplaceable, with a
 * reason. Attachments count per CSI driver and node, each claim once however many pods of the node
 * share it; in-tree EBS counts as ebs.csi.aws.com. */
#pragma once

#include "base/err.h"
#include "binpack/scheduling/reqs.h"

struct sched_volumes; /* the index: claims, volumes, classes and limits by name */

const struct sched_volumes *sched_volumes_new(struct arena *arena, const struct sched_vocab *vocab,
                                              const struct k8s_cluster *cluster);

struct sched_attachment {
    strid driver;
    uint32_t
        volume; /* dense id of the claim or volume within the index; equal ids are one attachment */
};

enum sched_volume_trouble {
    SCHED_VOLUME_OK,
    SCHED_CLAIM_MISSING,
    SCHED_CLAIM_DELETING,
    SCHED_CLAIM_LOST,
    SCHED_VOLUME_MISSING, /* the claim names a PersistentVolume that does not exist */
    SCHED_VOLUME_DELETING,
    SCHED_CLAIM_NOT_BOUND, /* volumeName is set, binding is not complete */
    SCHED_CLASS_NONE,      /* unbound and without a storage class */
    SCHED_CLASS_MISSING,
    SCHED_CLASS_IMMEDIATE, /* unbound although its class binds immediately */
    SCHED_CLAIM_IN_USE,    /* ReadWriteOncePod and another pod uses it */
    SCHED_VOLUMES_APART    /* no topology can use all volumes of the pod */
};

struct sched_pod_volumes {
    enum sched_volume_trouble trouble;
    struct str text;         /* for a person, "" when OK */
    uint32_t n_alternatives; /* 0: anywhere */
    const struct sched_reqs
        *alternatives; /* [n_alternatives] any one of them must hold on the node */
    uint32_t n_attachments;
    const struct sched_attachment *attachments; /* ascending by volume, distinct */
    uint32_t n_unbound;
    const uint32_t
        *unbound; /* volume ids of unbound zonal (EBS) claims: pods that share one share its zone */
    uint32_t n_exclusive;
    const uint32_t *exclusive; /* volume ids of ReadWriteOncePod claims: one pod only */
};

/* The volumes of one pod. Results of pods without claims cost nothing. Lives in `arena`. */
struct sched_pod_volumes sched_volumes_of(const struct sched_volumes *volumes, struct arena *arena,
                                          const struct k8s_pod *pod);

/* The constraint of a pod's volumes as an interned signature: two pods with the same (trouble,
 * alternatives, attachments per driver, no shared claims) have the same. Put into `out`, to be
 * compared bytewise. */
void sched_volumes_signature(const struct sched_pod_volumes *pod_volumes, struct strbuf *out);

/* Is the claim or volume used by several pods of the cluster? */
bool sched_volume_shared(const struct sched_volumes *volumes, uint32_t volume);
/* "shop/data-0" for a claim, the volume id for an in-tree disk; "" for a volume of one pod only. */
struct str sched_volume_text(const struct sched_volumes *volumes, uint32_t volume,
                             struct arena *arena);

/* Attachments of the pods of one running node per driver and its limit; drivers ascending by id. */
struct sched_attach_room {
    strid driver;
    struct opt_i32 limit; /* CSINode; absent: none known */
    uint32_t used;        /* distinct volumes of the node's pods */
};
void sched_attach_rooms(const struct sched_volumes *volumes, struct arena *arena,
                        struct str node_name, uint32_t n_pods, const struct k8s_pod *const *pods,
                        const struct sched_attach_room **ret_rooms, uint32_t *ret_n);
