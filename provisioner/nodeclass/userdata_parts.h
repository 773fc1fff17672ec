/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the generators of user data share: the kubelet's settings as values, and the generators
 * themselves for userdata.c. Internal to this room. */
#pragma once

#include "provisioner/nodeclass/userdata.h"

/* Settings of the kubelet that Karpenter has flags and settings for; absent ones are empty, NULL or
 * not `has`. */
struct userdata_kubelet {
    const json_t *all; /* every setting as given, or NULL */
    struct str dns_ip; /* the first of clusterDNS, else the cluster's */
    int64_t max_pods;  /* as given, else the instance type's */
    struct opt_i64 pods_per_core, eviction_max_pod_grace_period, image_gc_high, image_gc_low;
    struct opt_bool cpu_cfs_quota;
    struct nodeclass_pairs system_reserved, kube_reserved, eviction_hard, eviction_soft,
        eviction_soft_grace_period; /* sorted by key */
};

/* What every generator starts from. */
struct userdata_facts {
    const struct nodeclass *class;
    struct userdata_cluster cluster;
    struct userdata_kubelet kubelet;
    struct nodeclass_pairs labels; /* those that go to the kubelet, sorted */
    uint32_t n_taints;
    const struct userdata_taint *taints; /* all of them */
    struct str image_version;
    bool raid0;
};

/* Reads spec.kubelet. ERR_INVALID with the path of a setting of the wrong type. */
MUST_CHECK bool userdata_read_kubelet(const struct userdata_input *input, struct arena *arena,
                                      struct userdata_kubelet *ret_kubelet, struct err *err);

MUST_CHECK bool userdata_al2(const struct userdata_facts *facts, struct arena *arena,
                             struct strbuf *out, struct err *err);
MUST_CHECK bool userdata_al2023(const struct userdata_facts *facts, struct arena *arena,
                                struct strbuf *out, struct err *err);
MUST_CHECK bool userdata_bottlerocket(const struct userdata_facts *facts, struct arena *arena,
                                      struct strbuf *out, struct err *err);
MUST_CHECK bool userdata_windows(const struct userdata_facts *facts, struct arena *arena,
                                 struct strbuf *out, struct err *err);

/* --node-labels="a=b,..." of all labels; nothing without labels. */
void userdata_put_labels(const struct userdata_facts *facts, struct strbuf *out);
