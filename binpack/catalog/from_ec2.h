/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What EC2 says about instance types, as plain rows: one shape for the replies of the AWS CLI in
 * files, for live replies and for the embedded table. Strings are views whose bytes must
 * outlive the rows (an arena, static data, a JSON tree). */
#pragma once

#include <jansson.h>

#include "base/err.h"
#include "base/str.h"
#include "base/units.h"
#include "base/vec.h"

struct arena;

enum ec2_device_kind { EC2_GPU, EC2_NEURON, EC2_INFERENCE };
struct ec2_device {
    enum ec2_device_kind kind;
    struct str manufacturer, name; /* as EC2 spells them: "NVIDIA", "A100" */
    int64_t count, memory_mib;     /* memory of each; 0 unknown */
    int64_t cores;                 /* of each, EC2_NEURON only */
};

enum ec2_hypervisor { EC2_HYPERVISOR_NONE, EC2_NITRO, EC2_XEN }; /* NONE: bare metal */

struct ec2_instance_type {
    struct str name;
    struct str arch; /* "amd64", "arm64"; empty: another one, no node can be made of it */
    struct str cpu_manufacturer; /* "Intel"; empty: not stated */
    enum ec2_hypervisor hypervisor;
    bool bare_metal, encryption_in_transit, nitro_enclaves, hvm, on_demand, spot;
    bool local_storage_nvme;
    bool attach_shared; /* EbsInfo.AttachmentLimitType: network interfaces count too */
    int64_t vcpu, memory_mib, clock_mhz;
    int64_t ebs_mbps;        /* 0 unless EBS-optimised by default */
    int64_t ebs_attachments; /* EbsInfo.MaximumEbsAttachments; 0 unknown */
    int64_t enis;            /* of the default network card */
    int64_t ipv4_per_eni, efa;
    int64_t
        branch_enis; /* pod ENIs on a trunk; 0 none. EC2 does not say: from the embedded table */
    int64_t network_mbps; /* baseline; 0 unknown. EC2 does not say: from the embedded table */
    int64_t local_gb;     /* instance storage in 10^9 bytes, 0 none */
    uint32_t n_devices;
    const struct ec2_device *devices;
};

struct ec2_zone_offering { /* DescribeInstanceTypeOfferings */
    struct str type;
    struct str zone, zone_id, region; /* one of them, by LocationType */
};

struct ec2_zone {                /* DescribeAvailabilityZones */
    struct str name, id, region; /* id and region may be empty */
};

struct ec2_spot_price { /* DescribeSpotPriceHistory, Linux only */
    struct str type, zone, zone_id;
    usd_t price;
    wall_t at;
};

struct ec2_on_demand_price { /* price list, plain Linux only */
    struct str type, region; /* region may be empty: not stated */
    usd_t price;
};

struct ec2_rows {
    VEC(struct ec2_instance_type) types;
    VEC(struct ec2_zone_offering) offerings;
    VEC(struct ec2_zone) zones;
    VEC(struct ec2_spot_price) spot;
    VEC(struct ec2_on_demand_price) on_demand;
    uint32_t n_other_products; /* prices of Windows, Red Hat, ... that were left out */
};

/* Whether the document is one of the five replies (an object with InstanceTypes,
 * InstanceTypeOfferings, SpotPriceHistory, AvailabilityZones or PriceList, or the bare list that
 * `--query` leaves of it). */
bool ec2_is_reply(const json_t *document);

/* Appends the rows of a reply. Errors: ERR_INVALID (path, field, value), ERR_LIMIT. `rows` may be
 * left half filled then. */
MUST_CHECK bool ec2_rows_add(struct ec2_rows *rows, const json_t *document, struct arena *arena,
                             struct err *err);

/* "us-east-1" of "us-east-1a" or "us-west-2-lax-1a"; empty when the name is of another form. */
struct str ec2_zone_region(struct str zone);
