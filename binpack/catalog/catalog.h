/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The catalogue: instance types, what a node of each offers to pods, and where it is offered at
 * what price.
 *
 * Quantities: cpu in millicores, memory and storage in bytes. `capacity`, `overhead` and
 * `allocatable` follow the AWS provider of Karpenter v1.14 (AL2023 defaults) unless the catalogue
 * file gives them; cat_type_room applies an EC2NodeClass on top. Types are sorted by name,
 * zones by name, offerings by (zone, capacity type, reservation id). Immutable once built. */
#pragma once

#include "base/err.h"
#include "k8s/karpenter.h"
#include "k8s/values.h"

struct arena;

/* In the order of preference at equal price. */
enum cat_capacity_type { CAT_RESERVED, CAT_SPOT, CAT_ON_DEMAND };

struct cat_zone {
    strid name, id; /* "us-east-1a", "use1-az1"; id may be STRID_EMPTY */
};

struct cat_offering {
    uint32_t zone_i;
    enum cat_capacity_type capacity_type;
    struct opt_usd price;       /* absent: unknown, never buyable */
    bool available;             /* false: sold out */
    wall_t retry_at;            /* sold out: not before it is tried again; 0: not known */
    strid reservation_id;       /* reserved only */
    uint32_t reservation_count; /* instances left; reserved only */
};

enum { CAT_LINUX = 1, CAT_WINDOWS = 2 };

struct cat_attach_limit {
    strid driver; /* "ebs.csi.aws.com" */
    /* Volumes a new node can attach, before the node class's own block devices and network
     * interfaces; cat_type_room takes those off. */
    int64_t count;
};

/* Stated by the file; everything else follows from the raw figures and changes with the node class'
 * AMI family. */
enum cat_given {
    CAT_GIVEN_MEMORY = 1,    /* capacity.memory */
    CAT_GIVEN_PODS = 2,      /* capacity.pods or maxPods */
    CAT_GIVEN_DISK = 4,      /* capacity.ephemeral-storage */
    CAT_GIVEN_KUBE = 8,      /* overhead.kubeReserved */
    CAT_GIVEN_EVICTION = 16, /* overhead.evictionThreshold */
    CAT_GIVEN_ATTACH = 32    /* attachLimits: net of what a node of a default class has itself */
};

struct cat_type {
    strid name;
    strid arch;  /* "amd64", "arm64" */
    uint32_t os; /* CAT_LINUX | CAT_WINDOWS */
    int64_t vcpu;
    int64_t memory_bytes;       /* as sold; 0 when the file states allocatable only */
    int64_t enis, ipv4_per_eni; /* of the default network card; 0 unknown */
    int64_t local_nvme_bytes;   /* instance storage that RAID0 turns into disk; 0: none */
    bool bare_metal;
    uint32_t given; /* enum cat_given */
    /* Everything such a node is labelled with besides zone, zone id, capacity type, node pool, host
     * name, os and reservation: instance type, arch, region, karpenter.k8s.aws/... */
    struct k8s_pairs labels;
    struct k8s_resources capacity; /* with default node class settings */
    struct k8s_resources kube_reserved, system_reserved, eviction;
    struct k8s_resources allocatable; /* with default node class settings: the truth */
    bool allocatable_given;           /* the file stated allocatable */
    uint32_t n_attach_limits;
    const struct cat_attach_limit *attach_limits;
    bool attach_shared_with_enis; /* network interfaces count against the limit */
    uint32_t n_offerings;
    const struct cat_offering *offerings;
};

struct catalog {
    struct str name; /* "us-east-1@2026-07-20" */
    strid region;
    struct str as_of;       /* date of the prices, may be empty */
    struct str spot_source; /* how spot prices came about, for the assumptions; may be empty */
    uint32_t n_zones, n_types;
    const struct cat_zone *zones;
    const struct cat_type *types;
    bool builtin;
};

/* The embedded catalogue. Never fails on the data it is built with (a test proves it). */
const struct catalog *cat_builtin(struct arena *arena, struct strtab *tab);

/* A catalogue from files the user gave, already parsed to JSON: our own format, the AWS CLI's
 * describe-instance-types, describe-instance-type-offerings, describe-spot-price-history,
 * describe-availability-zones and get-products replies, Karpenter's KWOK instance_types.json.
 * Several documents complement each other (types from one, zones and prices from another); what
 * they lack is taken from the embedded catalogue where that is honest (on-demand prices of the same
 * region only), and each such step adds a line to `notes`. Errors: ERR_INVALID names type, field
 * and value; ERR_LIMIT. */
struct cat_notes {
    uint32_t n;
    const struct str *v;
};
struct json_t;
MUST_CHECK bool cat_from_json(struct json_t *const *documents, const struct str *names,
                              uint32_t n_documents, struct arena *arena, struct strtab *tab,
                              const struct catalog **ret_catalog, struct cat_notes *ret_notes,
                              struct err *err);

/* The catalogue with the capacity reservations that node classes have found
 * (status.capacityReservations with availableInstanceCount): those it lacks become reserved
 * offerings of their type and zone, at a ten-millionth of the on-demand price; for those it has the
 * smaller count stands. Reservations of types and zones that it does not know are left out. Gives
 * `catalog` itself when there is nothing to add. */
const struct catalog *cat_with_reservations(const struct catalog *catalog,
                                            const struct aws_nodeclass *classes, uint32_t n_classes,
                                            struct strtab *tab, struct arena *arena);

/* The type of that name, or NULL. */
const struct cat_type *cat_find(const struct catalog *catalog, const struct strtab *tab,
                                strid name);

/* What pods can use on a new node of `type` under `node_class` (NULL: defaults): allocatable and
 * capacity, with kubelet settings, block devices, RAID0, AMI family and reserved ENIs applied;
 * attach limit per driver less the class's own devices. Never fails; impossible settings give
 * zeros. */
struct cat_observed { /* what a running node has shown */
    strid type;
    struct str image_id;
    int64_t memory_bytes; /* the least that a node of the type with that image had as capacity */
};
struct cat_settings {
    int64_t vm_memory_overhead_ppm; /* 75000 = 7.5 % */
    int64_t reserved_enis;
    uint32_t n_observed;
    /* [n_observed] sorted by type. Stands for the capacity of memory that follows from the raw
     * figures, for a class whose status names the image. */
    const struct cat_observed *observed;
};
#define CAT_SETTINGS_DEFAULT                                                                       \
    ((struct cat_settings){.vm_memory_overhead_ppm = 75000, .reserved_enis = 0})
struct cat_room {
    struct k8s_resources capacity, allocatable;
    uint32_t n_attach_limits;
    const struct cat_attach_limit *attach_limits;
};
/* The least memory observed on nodes of the type with an image of the class' status; 0: none. */
int64_t cat_observed_memory(const struct cat_settings *settings, strid type,
                            const struct aws_nodeclass *node_class);
void cat_type_room(const struct cat_type *type, const struct aws_nodeclass *node_class,
                   const struct cat_settings *settings, const struct strtab *tab,
                   const struct k8s_words *words, struct arena *arena, struct cat_room *ret_room);

/* The AMI family of a node class: spec.amiFamily, else the alias in spec.amiSelectorTerms; AL2023
 * for NULL and when neither says. */
enum cat_family {
    CAT_AL2,
    CAT_AL2023,
    CAT_BOTTLEROCKET,
    CAT_WINDOWS_2019,
    CAT_WINDOWS_2022,
    CAT_WINDOWS_2025,
    CAT_CUSTOM
};
enum cat_family cat_class_family(const struct aws_nodeclass *node_class, const struct strtab *tab);

/* CAT_LINUX or CAT_WINDOWS: what the nodes of the class run. */
uint32_t cat_class_os(const struct aws_nodeclass *node_class, const struct strtab *tab);

/* "10.0.20348" for the label node.kubernetes.io/windows-build of a Windows class; empty for the
 * others. */
struct str cat_class_windows_build(const struct aws_nodeclass *node_class,
                                   const struct strtab *tab);

/* Whether nodes of the class can be made of the type: its operating system, and AL2023 does not
 * boot on a1. What is not compatible stays in the catalogue, but none of its offerings can be
 * bought for that class. */
bool cat_type_compatible(const struct cat_type *type, const struct aws_nodeclass *node_class,
                         const struct strtab *tab);

/* "reserved", "spot", "on-demand"; static text. */
const char *cat_capacity_type_name(enum cat_capacity_type type);

/* What an on-demand node of the type costs in the catalogue's region, from any zone; absent when
 * nobody knows. */
struct opt_usd cat_type_on_demand_price(const struct cat_type *type);
