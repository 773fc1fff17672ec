/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "k8s/key.h"

#include "k8s/cluster.h"

struct k8s_key k8s_key_of(enum k8s_store store, const void *object)
{
    if (store == STORE_PODS) {
        const struct k8s_pod *pod = object;
        return (struct k8s_key){.ns = pod->ns, .name = pod->name, .workload = -1};
    }
    const struct k8s_meta *meta =
        (const void *)((const char *)object + k8s_stores[store].meta_offset);
    int workload = -1;
    if (store == STORE_WORKLOADS) {
        workload = (int)((const struct k8s_workload *)object)->kind;
    }
    return (struct k8s_key){.ns = meta->ns, .name = meta->name, .workload = workload};
}

bool k8s_key_eq(const struct k8s_key *a, const struct k8s_key *b)
{
    return a->ns == b->ns && a->workload == b->workload && str_eq(a->name, b->name);
}

uint32_t k8s_key_hash(const struct k8s_key *key)
{
    uint64_t hash = str_hash(key->name) ^ ((uint64_t)key->ns * UINT64_C(0x9e3779b97f4a7c15));
    hash += (uint64_t)(key->workload + 1) * UINT64_C(0xff51afd7ed558ccd);
    hash ^= hash >> 29;
    return (uint32_t)hash;
}
