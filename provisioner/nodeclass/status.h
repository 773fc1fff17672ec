/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The status of an EC2NodeClass: what its selectors have come to in AWS, and the conditions that
 * follow. Made by a resolver (resolver.h), or read back from an object that has one. */
#pragma once

#include "provisioner/nodeclass/class.h"

struct jsonw;

struct nodeclass_subnet {
    struct str id, zone, zone_id;
    int64_t free_ips; /* 0 when read back: not part of the object */
};
struct nodeclass_group {
    struct str id, name;
};

/* What an image is for beyond its architecture. */
enum nodeclass_variant {
    NODECLASS_ANY_DEVICES, /* nothing is known */
    NODECLASS_STANDARD,    /* types without GPUs and accelerators */
    NODECLASS_NVIDIA,      /* types with GPUs */
    NODECLASS_NEURON       /* types with accelerators */
};
struct nodeclass_image {
    struct str id, name;
    struct str arch;          /* "amd64", "arm64" */
    struct str windows_build; /* "10.0.20348" for Windows, else empty */
    enum nodeclass_variant variant;
    bool deprecated;
    wall_t created; /* INT64_MIN: unknown, and when read back */
};

struct nodeclass_reservation {
    struct str id, zone, instance_type, match_criteria, owner_id;
    struct str type; /* "default", "capacity-block" */
    bool interruptible, expiring;
    struct opt_wall end;
};

/* The placement group of the class; id empty: none. Not part of the object. */
struct nodeclass_group_placement {
    struct str id, name, strategy;
    int64_t n_partitions; /* of strategy "partition", else 0 */
};

enum nodeclass_condition_type {
    NODECLASS_AMIS,
    NODECLASS_SUBNETS,
    NODECLASS_GROUPS,
    NODECLASS_PROFILE,
    NODECLASS_VALIDATION, /* see validation.h */
    NODECLASS_PLACEMENT,
    NODECLASS_RESERVATIONS,
    NODECLASS_N_CONDITIONS
};
enum nodeclass_truth { NODECLASS_UNKNOWN, NODECLASS_TRUE, NODECLASS_FALSE };

struct nodeclass_condition {
    enum nodeclass_truth status;
    struct str reason, message; /* empty for a true one: the reason is then the type's name */
};

struct nodeclass_status {
    uint32_t n_subnets, n_groups, n_images, n_reservations;
    struct nodeclass_subnet *subnets;           /* most free addresses first, then by id */
    struct nodeclass_group *groups;             /* by id */
    struct nodeclass_image *images;             /* newest first, then by id */
    struct nodeclass_reservation *reservations; /* by id */
    struct nodeclass_group_placement placement;
    struct str instance_profile;
    struct nodeclass_condition conditions[NODECLASS_N_CONDITIONS];
};

/* "SubnetsReady", ... */
struct str nodeclass_condition_name(enum nodeclass_condition_type type);
/* "True", "False", "Unknown". */
struct str nodeclass_truth_name(enum nodeclass_truth truth);
/* All of them together: False when one is, else Unknown when one is. */
enum nodeclass_truth nodeclass_ready(const struct nodeclass_status *status);

/* Puts the lists into their order. */
void nodeclass_status_sort(struct nodeclass_status *status);

/* The image that a node of a type gets: the first that fits. `has_gpus` and `has_accelerators`:
 * the type carries karpenter.k8s.aws/instance-gpu-count, -accelerator-count. NULL: none fits. */
const struct nodeclass_image *nodeclass_image_for(const struct nodeclass_status *status,
                                                  struct str arch, bool has_gpus,
                                                  bool has_accelerators);

/* status.subnets, .securityGroups, .amis, .capacityReservations and .instanceProfile of an object,
 * zero where absent. ERR_INVALID with a path. */
MUST_CHECK bool nodeclass_status_decode(const json_t *object, struct arena *arena,
                                        struct nodeclass_status *ret_status, struct err *err);

/* The members of the status, between braces of the caller's; with conditions when `conditions`. */
void nodeclass_status_write(struct jsonw *w, const struct nodeclass_status *status,
                            bool conditions);
