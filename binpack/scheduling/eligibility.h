/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Does this pod need a place from us, and if not, why not (karp: IsProvisionable, Validate).
 *
 * Three answers: it needs a place; it needs none and is only counted (bound, daemon, finished,
 * ...); or it needs one but asks for what we never give, and is then reported with a reason instead
 * of being placed. */
#pragma once

#include "base/err.h"
#include "binpack/scheduling/vocab.h"

enum sched_verdict {
    SCHED_NEEDS_PLACE,
    /* needs none */
    SCHED_BOUND,
    SCHED_FINISHED,        /* Succeeded or Failed */
    SCHED_DAEMON,          /* of a DaemonSet */
    SCHED_MIRROR,          /* static pod of a node */
    SCHED_GATED,           /* scheduling gates */
    SCHED_NOMINATED,       /* preemption makes room for it */
    SCHED_UNSEEN,          /* the scheduler has not said Unschedulable yet */
    SCHED_OTHER_REASON,    /* PodScheduled is False for another reason than Unschedulable */
    SCHED_SCHEDULED,       /* PodScheduled is True, without a node name */
    SCHED_REFUSES_MANAGED, /* karpenter.sh/nodepool DoesNotExist: never on a node of ours */
    /* needs one, cannot get it */
    SCHED_MATCH_FIELDS,    /* node affinity by matchFields */
    SCHED_BAD_REQUIREMENT, /* restricted label, malformed key or value */
    SCHED_DRA,             /* resource claims */
    SCHED_N_VERDICTS
};

/* By pod alone. `offline`: a pod without any status counts as pending (a bare manifest). */
enum sched_verdict sched_pod_verdict(const struct sched_vocab *vocab, const struct k8s_pod *pod,
                                     bool offline);

/* By shape, for pods that need a place: SCHED_NEEDS_PLACE, SCHED_REFUSES_MANAGED or one of "cannot
 * get it"; then `err` (may be NULL) holds the explanation for the person who wrote the pod. */
enum sched_verdict sched_shape_verdict(const struct sched_vocab *vocab,
                                       const struct k8s_pod_shape *shape, bool ignore_dra,
                                       struct err *err);

bool sched_verdict_is_ignored(enum sched_verdict verdict); /* needs no place */
struct str sched_verdict_text(enum sched_verdict verdict); /* "bound to a node", ...; static */
struct str sched_verdict_code(enum sched_verdict verdict); /* "POD_BOUND", ...; static */

/* The text of one of those codes; the code itself when it is another one. */
struct str sched_verdict_text_of_code(struct str code);

/* Finished pods use no room; terminating ones do, but rules do not count them. */
bool sched_pod_finished(const struct k8s_pod *pod);
bool sched_pod_counts(const struct k8s_pod *pod); /* neither finished nor terminating */

/* Will this pod, bound to a node that is going away, come back as a pending one? Active, or
 * terminating and of a StatefulSet; not of a DaemonSet, not a static pod. (Annotations and budgets
 * that protect it are the caller's: binpack/disruption.) */
bool sched_pod_comes_back(const struct sched_vocab *vocab, const struct k8s_pod *pod);
