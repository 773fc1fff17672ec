/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "binpack/scheduling/protect.h"

#include "base/duration.h"
#include "binpack/scheduling/eligibility.h"
#include "binpack/scheduling/reqs.h"
#include "k8s/selector.h"

bool sched_pod_do_not_disrupt(const struct k8s_cluster *cluster, const struct k8s_pod *pod,
                              wall_t now)
{
    strid value = k8s_pairs_get(&pod->shape->annotations, cluster->words.do_not_disrupt);
    if (value == STRID_NONE) {
        return false;
    }
    struct str text = strtab_str(cluster->tab, value);
    if (str_eq(text, STR("true"))) {
        return true;
    }
    int64_t ms = 0;
    struct err ignored;
    if (!duration_parse(text, &ms, &ignored) || ms <= 0) {
        return false;
    }
    return !pod->started.has || sat_sub(now, pod->started.v) < ms;
}

static bool is_percent(const struct k8s_int_or_percent *value, int64_t percent)
{
    return value->present && value->is_percent && value->value == percent;
}

static bool never_allows(const struct k8s_pdb *pdb)
{
    const struct k8s_int_or_percent *most = &pdb->max_unavailable;
    return (most->present && most->value == 0) || is_percent(&pdb->min_available, 100);
}

bool sched_pod_budget_blocks(const struct k8s_cluster *cluster, const struct k8s_pod *pod,
                             wall_t now)
{
    strid key = strtab_find(cluster->tab, STR("karpenter.sh/disrupted"));
    struct k8s_taint taint = {.key = key, .value = STRID_EMPTY, .effect = K8S_NO_SCHEDULE};
    if (sched_pod_do_not_disrupt(cluster, pod, now) ||
        k8s_tolerates(pod->shape->tolerations, pod->shape->n_tolerations, &taint)) {
        return false; /* Eviction is not tried at all. */
    }
    uint32_t n = 0;
    bool never = false;
    for (uint32_t i = 0; i < cluster->n_pdbs; i++) {
        const struct k8s_pdb *pdb = &cluster->pdbs[i];
        if (pdb->meta.ns != pod->ns || !k8s_selector_matches(&pdb->selector, &pod->shape->labels)) {
            continue;
        }
        n++;
        never = never || (never_allows(pdb) && !(pdb->always_allow_unhealthy && pod->unready));
    }
    return n > 1 || never;
}

bool sched_pod_holds_drain(const struct k8s_cluster *cluster, const struct k8s_pod *pod, wall_t now)
{
    strid key = strtab_find(cluster->tab, STR("karpenter.sh/disrupted"));
    struct k8s_taint taint = {.key = key, .value = STRID_EMPTY, .effect = K8S_NO_SCHEDULE};
    if (!sched_pod_counts(pod) || k8s_pod_is_static(&cluster->words, pod->shape) ||
        k8s_tolerates(pod->shape->tolerations, pod->shape->n_tolerations, &taint)) {
        return false; /* The drain passes it by. */
    }
    return sched_pod_do_not_disrupt(cluster, pod, now) ||
           sched_pod_budget_blocks(cluster, pod, now);
}

bool sched_pod_moves(const struct k8s_cluster *cluster, const struct sched_vocab *vocab,
                     const struct k8s_pod *pod, wall_t now)
{
    if (!sched_pod_comes_back(vocab, pod)) {
        return false;
    }
    if (!sched_pod_counts(pod)) {
        return true; /* Terminating already: its StatefulSet makes it anew. */
    }
    return !sched_pod_do_not_disrupt(cluster, pod, now) &&
           !sched_pod_budget_blocks(cluster, pod, now);
}
