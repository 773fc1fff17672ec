/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "binpack/scheduling/vocab.h"

#include <stdlib.h>

#include "base/arena.h"
#include "base/vec.h"
#include "binpack/catalog/catalog.h"

/* Old name, stable name. Two lines more than Karpenter has: beta.kubernetes.io/instance-type and
 * the zone of the EBS driver are normalised by its AWS provider. */
static const char *const alias_words[][2] = {
    {"failure-domain.beta.kubernetes.io/zone", "topology.kubernetes.io/zone"},
    {"failure-domain.beta.kubernetes.io/region", "topology.kubernetes.io/region"},
    {"beta.kubernetes.io/arch", "kubernetes.io/arch"},
    {"beta.kubernetes.io/os", "kubernetes.io/os"},
    {"beta.kubernetes.io/instance-type", "node.kubernetes.io/instance-type"},
    {"topology.ebs.csi.aws.com/zone", "topology.kubernetes.io/zone"},
};
_Static_assert(sizeof alias_words / sizeof alias_words[0] == SCHED_N_ALIASES, "alias table");

static const char *const well_known_words[] = {
    "karpenter.sh/nodepool",
    "topology.kubernetes.io/zone",
    "topology.kubernetes.io/region",
    "node.kubernetes.io/instance-type",
    "kubernetes.io/arch",
    "kubernetes.io/os",
    "karpenter.sh/capacity-type",
    "node.kubernetes.io/windows-build",
    "topology.k8s.aws/zone-id",
    "karpenter.k8s.aws/instance-hypervisor",
    "karpenter.k8s.aws/instance-encryption-in-transit-supported",
    "karpenter.k8s.aws/instance-category",
    "karpenter.k8s.aws/instance-capability-flex",
    "karpenter.k8s.aws/instance-generation",
    "karpenter.k8s.aws/instance-family",
    "karpenter.k8s.aws/instance-size",
    "karpenter.k8s.aws/instance-cpu",
    "karpenter.k8s.aws/instance-cpu-manufacturer",
    "karpenter.k8s.aws/instance-cpu-sustained-clock-speed-mhz",
    "karpenter.k8s.aws/instance-memory",
    "karpenter.k8s.aws/instance-ebs-bandwidth",
    "karpenter.k8s.aws/instance-network-bandwidth",
    "karpenter.k8s.aws/instance-local-nvme",
    "karpenter.k8s.aws/nitro-sandbox",
    "karpenter.k8s.aws/instance-gpu-name",
    "karpenter.k8s.aws/instance-gpu-manufacturer",
    "karpenter.k8s.aws/instance-gpu-count",
    "karpenter.k8s.aws/instance-gpu-memory",
    "karpenter.k8s.aws/instance-accelerator-name",
    "karpenter.k8s.aws/instance-accelerator-manufacturer",
    "karpenter.k8s.aws/instance-accelerator-count",
    "karpenter.k8s.aws/instance-tenancy",
    "karpenter.k8s.aws/capacity-reservation-id",
    "karpenter.k8s.aws/capacity-reservation-type",
    "karpenter.k8s.aws/capacity-reservation-interruptible",
    "karpenter.k8s.aws/placement-group-id",
    "karpenter.k8s.aws/placement-group-partition",
    "karpenter.k8s.aws/ec2nodeclass",
};

static const struct {
    const char *key;
    enum k8s_effect effect;
} ephemeral_words[] = {
    {"node.kubernetes.io/not-ready", K8S_NO_SCHEDULE},
    {"node.kubernetes.io/not-ready", K8S_NO_EXECUTE},
    {"node.kubernetes.io/unreachable", K8S_NO_SCHEDULE},
    {"node.cloudprovider.kubernetes.io/uninitialized", K8S_NO_SCHEDULE},
    {"karpenter.sh/unregistered", K8S_NO_EXECUTE},
    /* Set until the network plug-in is up; Karpenter waits for it, we need not. */
    {"node.kubernetes.io/network-unavailable", K8S_NO_SCHEDULE},
};
_Static_assert(sizeof ephemeral_words / sizeof ephemeral_words[0] == SCHED_N_EPHEMERAL,
               "ephemeral table");

static const char *const daemon_words[] = {
    "node.kubernetes.io/disk-pressure",
    "node.kubernetes.io/memory-pressure",
    "node.kubernetes.io/pid-pressure",
    "node.kubernetes.io/unschedulable",
};

static int cmp_strid(const void *a, const void *b)
{
    const strid x = *(const strid *)a;
    const strid y = *(const strid *)b;
    return x < y ? -1 : x > y;
}

/* Well-known keys: the table above and the labels of the catalogue's types. */
static struct k8s_strids well_known_keys(struct arena *arena, struct strtab *tab,
                                         const struct catalog *catalog)
{
    VEC(strid) keys = {0};
    for (size_t i = 0; i < sizeof well_known_words / sizeof well_known_words[0]; i++) {
        VEC_PUSH(arena, &keys, strtab_add(tab, str_of(well_known_words[i])));
    }
    for (uint32_t t = 0; catalog != NULL && t < catalog->n_types; t++) {
        const struct k8s_pairs *labels = &catalog->types[t].labels;
        for (uint32_t l = 0; l < labels->n; l++) {
            VEC_PUSH(arena, &keys, labels->v[l].key);
        }
        /* Thousands of types share a few dozen keys: fold as we go. */
        if (keys.n > 4096) {
            qsort(keys.v, keys.n, sizeof keys.v[0], cmp_strid);
            size_t kept = 0;
            for (size_t i = 0; i < keys.n; i++) {
                if (i == 0 || keys.v[i] != keys.v[i - 1]) {
                    keys.v[kept++] = keys.v[i];
                }
            }
            keys.n = kept;
        }
    }
    qsort(keys.v, keys.n, sizeof keys.v[0], cmp_strid);
    size_t kept = 0;
    for (size_t i = 0; i < keys.n; i++) {
        if (kept == 0 || keys.v[i] != keys.v[kept - 1]) {
            keys.v[kept++] = keys.v[i];
        }
    }
    return (struct k8s_strids){.n = (uint32_t)kept, .v = keys.v};
}

const struct sched_vocab *sched_vocab_new(struct arena *arena, const struct k8s_cluster *cluster,
                                          const struct catalog *catalog)
{
    struct strtab *tab = cluster->tab;
    struct sched_vocab *vocab = ARENA_NEW(arena, struct sched_vocab);
    vocab->tab = tab;
    vocab->words = &cluster->words;
    for (size_t i = 0; i < SCHED_N_ALIASES; i++) {
        vocab->aliases[i].old_key = strtab_add(tab, str_of(alias_words[i][0]));
        vocab->aliases[i].key = strtab_add(tab, str_of(alias_words[i][1]));
    }
    vocab->well_known = well_known_keys(arena, tab, catalog);
    for (size_t i = 0; i < SCHED_N_EPHEMERAL; i++) {
        vocab->ephemeral[i].key = strtab_add(tab, str_of(ephemeral_words[i].key));
        vocab->ephemeral[i].effect = ephemeral_words[i].effect;
    }
    const size_t n_daemon = sizeof daemon_words / sizeof daemon_words[0];
    strid *daemon_keys = ARENA_ARRAY(arena, strid, n_daemon);
    for (size_t i = 0; i < n_daemon; i++) {
        daemon_keys[i] = strtab_add(tab, str_of(daemon_words[i]));
    }
    vocab->daemon_keys = (struct k8s_strids){.n = (uint32_t)n_daemon, .v = daemon_keys};
    const struct {
        strid *id;
        const char *word;
    } words[] = {
        {&vocab->windows_build, "node.kubernetes.io/windows-build"},
        {&vocab->nodeclass, "karpenter.k8s.aws/ec2nodeclass"},
        {&vocab->ebs_driver, "ebs.csi.aws.com"},
        {&vocab->ebs_in_tree, "kubernetes.io/aws-ebs"},
        {&vocab->lost, "Lost"},
        {&vocab->bound, "Bound"},
        {&vocab->pending, "Pending"},
        {&vocab->read_write_once_pod, "ReadWriteOncePod"},
        {&vocab->node_unschedulable, "node.kubernetes.io/unschedulable"},
        {&vocab->metadata_name, "metadata.name"},
        {&vocab->name_field, "field metadata.name"},
        {&vocab->namespace_name, "kubernetes.io/metadata.name"},
        {&vocab->not_ready, "node.kubernetes.io/not-ready"},
        {&vocab->unreachable, "node.kubernetes.io/unreachable"},
    };
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
        *words[i].id = strtab_add(tab, str_of(words[i].word));
    }
    return vocab;
}

strid sched_key(const struct sched_vocab *vocab, strid key)
{
    for (size_t i = 0; i < SCHED_N_ALIASES; i++) {
        if (vocab->aliases[i].old_key == key) {
            return vocab->aliases[i].key;
        }
    }
    return key;
}

bool sched_key_well_known(const struct sched_vocab *vocab, strid key)
{
    return bsearch(&key, vocab->well_known.v, vocab->well_known.n, sizeof key, cmp_strid) != NULL;
}

strid sched_label(const struct sched_vocab *vocab, const struct k8s_pairs *labels, strid key)
{
    strid value = k8s_pairs_get(labels, key);
    if (value != STRID_NONE) {
        return value;
    }
    const strid stable = sched_key(vocab, key);
    if (stable != key) {
        value = k8s_pairs_get(labels, stable);
    }
    for (size_t i = 0; value == STRID_NONE && i < SCHED_N_ALIASES; i++) {
        if (vocab->aliases[i].key == stable) {
            value = k8s_pairs_get(labels, vocab->aliases[i].old_key);
        }
    }
    return value;
}
