/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "k8s/values.h"

#include <stddef.h>

strid k8s_pairs_get(const struct k8s_pairs *pairs, strid key)
{
    uint32_t low = 0, high = pairs->n;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        if (pairs->v[middle].key < key) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low < pairs->n && pairs->v[low].key == key ? pairs->v[low].value : STRID_NONE;
}

static const struct k8s_quantity *find_quantity(const struct k8s_resources *resources,
                                                strid resource)
{
    uint32_t low = 0, high = resources->n;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        if (resources->v[middle].resource < resource) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low < resources->n && resources->v[low].resource == resource ? &resources->v[low] : NULL;
}

int64_t k8s_resources_get(const struct k8s_resources *resources, strid resource)
{
    const struct k8s_quantity *q = find_quantity(resources, resource);
    return q == NULL ? 0 : q->value;
}

bool k8s_resources_has(const struct k8s_resources *resources, strid resource)
{
    return find_quantity(resources, resource) != NULL;
}

const struct k8s_owner *k8s_meta_controller(const struct k8s_meta *meta)
{
    for (uint32_t i = 0; i < meta->n_owners; i++) {
        if (meta->owners[i].controller) {
            return &meta->owners[i];
        }
    }
    return NULL;
}

static bool tolerates_one(const struct k8s_toleration *t, const struct k8s_taint *taint)
{
    if (t->effect != K8S_EFFECT_ANY && t->effect != taint->effect) {
        return false;
    }
    if (t->key == STRID_EMPTY) {
        return t->op == K8S_EXISTS;
    }
    if (t->key != taint->key) {
        return false;
    }
    return t->op == K8S_EXISTS || (t->op == K8S_IN && t->value == taint->value);
}

bool k8s_tolerates(const struct k8s_toleration *tolerations, uint32_t n,
                   const struct k8s_taint *taint)
{
    for (uint32_t i = 0; i < n; i++) {
        if (tolerates_one(&tolerations[i], taint)) {
            return true;
        }
    }
    return false;
}

const struct k8s_condition *k8s_conditions_find(const struct k8s_conditions *conditions, strid type)
{
    for (uint32_t i = 0; i < conditions->n; i++) {
        if (conditions->v[i].type == type) {
            return &conditions->v[i];
        }
    }
    return NULL;
}

void k8s_words_init(struct k8s_words *words, struct strtab *tab)
{
#define WORD(field, text)                                                                          \
    {                                                                                              \
        offsetof(struct k8s_words, field), (text)                                                  \
    }
    static const struct {
        size_t offset;
        const char *text;
    } table[] = {
        WORD(cpu, "cpu"),
        WORD(memory, "memory"),
        WORD(pods, "pods"),
        WORD(ephemeral_storage, "ephemeral-storage"),
        WORD(nodes, "nodes"),
        WORD(zone, "topology.kubernetes.io/zone"),
        WORD(region, "topology.kubernetes.io/region"),
        WORD(hostname, "kubernetes.io/hostname"),
        WORD(instance_type, "node.kubernetes.io/instance-type"),
        WORD(arch, "kubernetes.io/arch"),
        WORD(os, "kubernetes.io/os"),
        WORD(capacity_type, "karpenter.sh/capacity-type"),
        WORD(nodepool, "karpenter.sh/nodepool"),
        WORD(initialized, "karpenter.sh/initialized"),
        WORD(registered, "karpenter.sh/registered"),
        WORD(zone_id, "topology.k8s.aws/zone-id"),
        WORD(spot, "spot"),
        WORD(on_demand, "on-demand"),
        WORD(reserved, "reserved"),
        WORD(os_linux, "linux"),
        WORD(os_windows, "windows"),
        WORD(amd64, "amd64"),
        WORD(arm64, "arm64"),
        WORD(s_true, "True"),
        WORD(s_false, "False"),
        WORD(s_unknown, "Unknown"),
        WORD(ready, "Ready"),
        WORD(pod_scheduled, "PodScheduled"),
        WORD(unschedulable, "Unschedulable"),
        WORD(scheduling_gated, "SchedulingGated"),
        WORD(apps_v1, "apps/v1"),
        WORD(v1, "v1"),
        WORD(daemonset, "DaemonSet"),
        WORD(node_kind, "Node"),
        WORD(statefulset, "StatefulSet"),
        WORD(replicaset, "ReplicaSet"),
        WORD(job, "Job"),
        WORD(reservation_id, "karpenter.k8s.aws/capacity-reservation-id"),
        WORD(do_not_disrupt, "karpenter.sh/do-not-disrupt"),
    };
#undef WORD
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
        *(strid *)(void *)((char *)words + table[i].offset) =
            strtab_add(tab, str_of(table[i].text));
    }
}
