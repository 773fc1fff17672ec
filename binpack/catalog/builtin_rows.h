/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Shape of the embedded table that make_builtin.py writes to builtin_data.c. Rows and devices are
 * sorted by type name. */
#pragma once

#include <stdint.h>

enum { BUILTIN_N_ZONES = 6 };

enum builtin_flag {
    BUILTIN_ARM = 1,      /* arm64; otherwise amd64 */
    BUILTIN_METAL = 2,    /* bare metal */
    BUILTIN_OLD = 4,      /* not of the current generation */
    BUILTIN_ENCRYPT = 8,  /* encryption in transit */
    BUILTIN_ENCLAVE = 16, /* Nitro Enclaves */
    BUILTIN_ENA = 32,     /* enhanced networking */
    BUILTIN_NVME = 64,    /* its local storage is NVMe */
    BUILTIN_SHARED = 128, /* volumes and network interfaces share the attachment limit */
    BUILTIN_EBSOPT = 256, /* EBS-optimised by default */
    BUILTIN_ON_DEMAND = 512,
    BUILTIN_SPOT = 1024 /* sold as spot, and `saving` is known or estimated */
};

enum builtin_cpu { CPU_NONE, CPU_INTEL, CPU_AMD, CPU_AWS };
enum builtin_hypervisor { HV_METAL, HV_NITRO, HV_XEN };
enum builtin_device_kind { BUILTIN_GPU, BUILTIN_NEURON, BUILTIN_INFERENCE };

struct builtin_row {
    char name[20];
    uint16_t vcpu;
    uint32_t memory_mib;
    uint16_t clock_mhz; /* 0 unknown */
    uint8_t cpu;        /* enum builtin_cpu */
    uint8_t hypervisor; /* enum builtin_hypervisor */
    uint32_t ebs_mbps;
    uint16_t ebs_volumes; /* 0 unknown */
    uint16_t enis;        /* of the default network card */
    uint16_t ipv4_per_eni;
    uint16_t efa;
    uint16_t branch_enis;   /* 0: no trunking */
    uint32_t network_mbps;  /* 0 unknown */
    uint32_t local_gb;      /* instance storage, 10^9 bytes; 0 none */
    uint32_t price_micro;   /* on demand, micro-dollars per hour; 0 unknown */
    uint8_t zones;          /* bit i: offered in builtin_zones[i] */
    uint8_t saving_percent; /* spot; only with BUILTIN_SPOT */
    uint16_t flags;
};

struct builtin_device {
    char type[20];
    uint8_t kind; /* enum builtin_device_kind */
    const char *manufacturer, *name;
    uint16_t count; /* 0: a share of one */
    uint32_t memory_mib;
    uint16_t cores; /* of each, NEURON only */
};

struct builtin_zone {
    const char *name, *id;
};

extern const char builtin_region[], builtin_as_of[], builtin_spot_source[];
extern const struct builtin_zone builtin_zones[BUILTIN_N_ZONES];
extern const uint32_t builtin_n_rows, builtin_n_devices;
extern const struct builtin_row builtin_rows[];
extern const struct builtin_device builtin_devices[];
