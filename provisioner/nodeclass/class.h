/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The spec of an EC2NodeClass (karpenter.k8s.aws/v1) as values, complete.
 *
 * One table of rows (nodeclass_table) says how each field is called in JSON, where it lies here,
 * and how Karpenter's drift hash sees it (see hash.h); decoding goes by the same rows. What the CRD
 * demands beyond types is the business of k8s/schema.h: here a wrong type is an error, an unknown
 * field is passed over, and no field is required, so that a class that is still being written can
 * be looked at. A text whose `p` is NULL is absent; an empty one is there. Texts are copied, but
 * `kubelet` belongs to the object. */
#pragma once

#include <jansson.h>

#include "base/err.h"
#include "base/str.h"
#include "base/units.h"

struct arena;

struct nodeclass_pair {
    struct str key, value;
};
struct nodeclass_pairs { /* ascending by key, without duplicates */
    uint32_t n;
    const struct nodeclass_pair *v; /* [n] */
};

struct nodeclass_subnet_term {
    struct nodeclass_pairs tags; /* the value "*" stands for any */
    struct str id;
};
struct nodeclass_group_term {
    struct nodeclass_pairs tags;
    struct str id, name;
};
struct nodeclass_reservation_term {
    struct nodeclass_pairs tags;
    struct str id, owner_id, match_criteria;
};
struct nodeclass_placement {
    struct str name, id;
};
struct nodeclass_image_term {
    struct str alias; /* "al2023@v20260801", "bottlerocket@latest" */
    struct nodeclass_pairs tags;
    struct str id, name, owner, ssm_parameter;
};

struct nodeclass_volume {
    struct opt_bool delete_on_termination, encrypted;
    struct opt_i64 iops;
    struct str kms_key_id, snapshot_id;
    struct opt_i64 throughput;          /* MiB/s */
    struct opt_i64 initialization_rate; /* MiB/s */
    struct str size;                    /* a Kubernetes quantity, as written */
    struct str type;
};
struct nodeclass_device {
    struct str name;
    const struct nodeclass_volume *ebs; /* NULL: absent */
    bool root_volume;
};

struct nodeclass_interface {
    int64_t card_i, device_i;
    struct str type; /* "interface", "efa-only" */
};

struct nodeclass_metadata {
    struct str http_endpoint, http_protocol_ipv6;
    struct opt_i64 hop_limit;
    struct str http_tokens;
};

struct nodeclass_tracking { /* seconds */
    struct opt_i64 tcp_established_timeout, udp_stream_timeout, udp_timeout;
};

struct nodeclass_cpu {
    struct str nested_virtualization;
};

struct nodeclass {
    struct str name, uid; /* metadata */
    int64_t generation;
    uint32_t n_subnet_terms, n_group_terms, n_reservation_terms, n_image_terms, n_devices,
        n_interfaces;
    const struct nodeclass_subnet_term *subnet_terms;
    const struct nodeclass_group_term *group_terms;
    const struct nodeclass_reservation_term *reservation_terms;
    const struct nodeclass_placement *placement; /* NULL: absent, as for all pointers to one */
    struct opt_bool public_ip;
    struct opt_i64 ip_prefix_count;
    const struct nodeclass_image_term *image_terms;
    struct str ami_family, user_data, role, instance_profile;
    struct nodeclass_pairs tags;
    const json_t *kubelet; /* an object, or NULL; lives as long as the decoded object */
    const struct nodeclass_device *devices;
    struct str instance_store_policy; /* "RAID0" */
    const struct nodeclass_interface *interfaces;
    struct opt_bool detailed_monitoring;
    const struct nodeclass_metadata *metadata; /* never NULL, every field filled in */
    const struct nodeclass_tracking *tracking;
    struct str context;
    const struct nodeclass_cpu *cpu;
};

enum nodeclass_family {
    NODECLASS_AL2,
    NODECLASS_AL2023,
    NODECLASS_BOTTLEROCKET,
    NODECLASS_WINDOWS2019,
    NODECLASS_WINDOWS2022,
    NODECLASS_WINDOWS2025,
    NODECLASS_CUSTOM
};

/* Decodes one EC2NodeClass into `arena` and fills in the defaults of its CRD. Errors, with a path:
 * ERR_INVALID for a value of the wrong type or out of range, ERR_LIMIT for one beyond a cap. */
MUST_CHECK bool nodeclass_decode(const json_t *object, struct arena *arena,
                                 struct nodeclass *ret_class, struct err *err);

/* The family of the images: amiFamily, else that of the alias, else Custom. ERR_INVALID names one
 * that does not exist. */
MUST_CHECK bool nodeclass_family(const struct nodeclass *class, enum nodeclass_family *ret_family,
                                 struct err *err);
/* "AL2023", ...: as amiFamily spells it. */
struct str nodeclass_family_name(enum nodeclass_family family);
/* Whether the family runs Windows. */
bool nodeclass_is_windows(enum nodeclass_family family);

/* The part of the alias behind "@", without one "": "v20260801", "latest". */
struct str nodeclass_alias_version(const struct nodeclass *class);

/* For qsort: by key. */
int nodeclass_pair_cmp(const void *a, const void *b);
