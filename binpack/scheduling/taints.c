/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "binpack/scheduling/taints.h"

#include "base/arena.h"

const struct k8s_taint *sched_untolerated(uint32_t n_tolerations,
                                          const struct k8s_toleration *tolerations,
                                          uint32_t n_taints, const struct k8s_taint *taints,
                                          bool prefer_counts)
{
    for (uint32_t i = 0; i < n_taints; i++) {
        if (taints[i].effect == K8S_PREFER_NO_SCHEDULE && !prefer_counts) {
            continue;
        }
        if (!k8s_tolerates(tolerations, n_tolerations, &taints[i])) {
            return &taints[i];
        }
    }
    return NULL;
}

bool sched_taint_ephemeral(const struct sched_vocab *vocab, const struct k8s_taint *taint)
{
    for (size_t i = 0; i < SCHED_N_EPHEMERAL; i++) {
        if (vocab->ephemeral[i].key == taint->key && vocab->ephemeral[i].effect == taint->effect) {
            return true;
        }
    }
    return str_starts(strtab_str(vocab->tab, taint->key), STR("readiness.k8s.io/"));
}

/* A startup taint is known by key and effect; its value may change while the node comes up. */
static bool is_startup(const struct karp_nodeclaim *claim, const struct k8s_taint *taint)
{
    for (uint32_t i = 0; i < claim->n_startup_taints; i++) {
        if (claim->startup_taints[i].key == taint->key &&
            claim->startup_taints[i].effect == taint->effect) {
            return true;
        }
    }
    return false;
}

void sched_node_taints(const struct sched_vocab *vocab, struct arena *arena,
                       const struct k8s_node *node, const struct karp_nodeclaim *claim,
                       bool registered, bool initialized, const struct k8s_taint **ret_taints,
                       uint32_t *ret_n)
{
    const bool from_claim = node == NULL || (claim != NULL && !registered);
    const struct k8s_taint *taints = from_claim ? claim->taints : node->taints;
    const uint32_t n_taints = from_claim ? claim->n_taints : node->n_taints;
    struct k8s_taint *kept = ARENA_ARRAY(arena, struct k8s_taint, n_taints + 1);
    const struct karp_nodeclaim *starting = initialized ? NULL : claim;
    uint32_t n = 0;
    bool cordoned = false;
    for (uint32_t i = 0; i < n_taints; i++) {
        if (starting != NULL &&
            (sched_taint_ephemeral(vocab, &taints[i]) || is_startup(starting, &taints[i]))) {
            continue;
        }
        cordoned = cordoned || taints[i].key == vocab->node_unschedulable;
        kept[n++] = taints[i];
    }
    if (!from_claim && node->unschedulable && !cordoned) {
        /* The node controller adds this taint a moment after the field is set. */
        kept[n++] = (struct k8s_taint){
            .key = vocab->node_unschedulable, .value = STRID_EMPTY, .effect = K8S_NO_SCHEDULE};
    }
    *ret_taints = kept;
    *ret_n = n;
}
