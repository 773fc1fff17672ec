/* SPDX-License-Identifier: GPL-3.0-or-later */
/* User data: what a new instance is told at its first start, so that it joins the cluster.
 *
 * One generator per family of images, each a function of values:
 *   AL2           a MIME archive; the person's parts first, then a shell script that runs
 *                 /etc/eks/bootstrap.sh
 *   AL2023        a MIME archive; the person's parts first, then a NodeConfig for nodeadm, which
 *                 merges all it finds, the last one winning
 *   Bottlerocket  TOML: the person's settings, with those of the cluster put over them
 *   Windows       PowerShell: the person's lines, then Start-EKSBootstrap.ps1
 *   Custom        the person's text alone
 * The content is that of Karpenter v1.14 (pkg/providers/amifamily/bootstrap); where a generator
 * writes something else, its file says so and why. What comes out is the text; EC2 wants it in
 * base64. */
#pragma once

#include "provisioner/nodeclass/class.h"

enum { USERDATA_EC2_LIMIT = 16 * 1024 }; /* bytes of text that EC2 takes */

struct userdata_taint {
    struct str key, value, effect; /* "NoSchedule", ... */
};

/* The cluster that nodes join. */
struct userdata_cluster {
    struct str name, endpoint; /* "https://..." */
    struct str ca;             /* certificate authority, base64; empty: unknown */
    struct str cidr;           /* of Services, "10.100.0.0/16"; only AL2023 needs it */
    struct str dns_ip;         /* of kube-dns; empty: unknown; IPv6 makes it an IPv6 cluster */
};

struct userdata_input {
    const struct nodeclass *class;
    enum nodeclass_family family;
    struct userdata_cluster cluster;
    struct nodeclass_pairs labels; /* of the NodeClaim, with the capacity type */
    uint32_t n_taints;
    const struct userdata_taint *taints; /* [n_taints] and startup taints, in order */
    int64_t max_pods;                    /* what the instance type has room for */
    struct str image_version;            /* Bottlerocket's, "1.46.0"; empty: unknown */
};

/* Whether an address, or a range of addresses, is of IPv6. */
bool userdata_is_ipv6(struct str address);

/* Makes the text in `arena`. The labels that a kubelet may not set (of kubernetes.io and k8s.io)
 * are left out, karpenter.sh/do-not-sync-taints is added but for Custom, and the taint
 * karpenter.sh/unregistered:NoExecute is added where it is missing. Errors: ERR_INVALID for kubelet
 * settings, a service range that is missing or values that no script could carry (a quote in the
 * name of a cluster); ERR_PARSE for user data that is not what its family takes; each names the
 * field. */
MUST_CHECK bool userdata_make(const struct userdata_input *input, struct arena *arena,
                              struct str *ret_text, struct err *err);
