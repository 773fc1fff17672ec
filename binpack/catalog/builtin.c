/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "binpack/catalog/builtin.h"

#include <assert.h>
#include <string.h>

#include "base/arena.h"

const struct builtin_row *cat_builtin_row(struct str name)
{
    uint32_t low = 0, high = builtin_n_rows;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        int order = str_cmp(str_of(builtin_rows[middle].name), name);
        if (order == 0) {
            return &builtin_rows[middle];
        }
        if (order < 0) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return NULL;
}

/* The devices of a type are neighbours; the first one of the type, or builtin_n_devices. */
static uint32_t first_device(const char *type)
{
    uint32_t low = 0, high = builtin_n_devices;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        if (strcmp(builtin_devices[middle].type, type) < 0) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low;
}

static const struct ec2_device *devices(const struct builtin_row *row, struct arena *arena,
                                        uint32_t *ret_n)
{
    static const enum ec2_device_kind kinds[] = {[BUILTIN_GPU] = EC2_GPU,
                                                 [BUILTIN_NEURON] = EC2_NEURON,
                                                 [BUILTIN_INFERENCE] = EC2_INFERENCE};
    uint32_t first = first_device(row->name), n = 0;
    while (first + n < builtin_n_devices &&
           strcmp(builtin_devices[first + n].type, row->name) == 0) {
        n++;
    }
    struct ec2_device *v = n == 0 ? NULL : ARENA_ARRAY(arena, struct ec2_device, n);
    for (uint32_t i = 0; i < n; i++) {
        const struct builtin_device *from = &builtin_devices[first + i];
        v[i] = (struct ec2_device){.kind = kinds[from->kind],
                                   .manufacturer = str_of(from->manufacturer),
                                   .name = str_of(from->name),
                                   .count = from->count,
                                   .memory_mib = from->memory_mib,
                                   .cores = from->cores};
    }
    *ret_n = n;
    return v;
}

struct ec2_instance_type cat_builtin_facts(const struct builtin_row *row, struct arena *arena)
{
    static const char *const cpus[] = {
        [CPU_NONE] = "", [CPU_INTEL] = "Intel", [CPU_AMD] = "AMD", [CPU_AWS] = "AWS"};
    static const enum ec2_hypervisor hypervisors[] = {
        [HV_METAL] = EC2_HYPERVISOR_NONE, [HV_NITRO] = EC2_NITRO, [HV_XEN] = EC2_XEN};
    uint32_t n_devices = 0;
    const struct ec2_device *of_type = devices(row, arena, &n_devices);
    return (struct ec2_instance_type){
        .name = str_of(row->name),
        .arch = (row->flags & BUILTIN_ARM) != 0 ? STR("arm64") : STR("amd64"),
        .cpu_manufacturer = str_of(cpus[row->cpu]),
        .hypervisor = hypervisors[row->hypervisor],
        .bare_metal = (row->flags & BUILTIN_METAL) != 0,
        .encryption_in_transit = (row->flags & BUILTIN_ENCRYPT) != 0,
        .nitro_enclaves = (row->flags & BUILTIN_ENCLAVE) != 0,
        .hvm = true,
        .on_demand = (row->flags & BUILTIN_ON_DEMAND) != 0,
        .spot = (row->flags & BUILTIN_SPOT) != 0,
        .local_storage_nvme = (row->flags & BUILTIN_NVME) != 0,
        .attach_shared = (row->flags & BUILTIN_SHARED) != 0,
        .vcpu = row->vcpu,
        .memory_mib = row->memory_mib,
        .clock_mhz = row->clock_mhz,
        .ebs_mbps = (row->flags & BUILTIN_EBSOPT) != 0 ? row->ebs_mbps : 0,
        .ebs_attachments = row->ebs_volumes,
        .enis = row->enis,
        .ipv4_per_eni = row->ipv4_per_eni,
        .efa = row->efa,
        .branch_enis = row->branch_enis,
        .network_mbps = row->network_mbps,
        .local_gb = row->local_gb,
        .n_devices = n_devices,
        .devices = of_type,
    };
}

struct opt_usd cat_builtin_price(const struct builtin_row *row)
{
    return (struct opt_usd){.has = row->price_micro > 0, .v = (usd_t)row->price_micro * 1000};
}

void cat_builtin_offer(struct cat_builder *builder, struct cat_draft *draft,
                       const struct builtin_row *row)
{
    struct opt_usd price = cat_builtin_price(row);
    struct opt_usd spot = {.has = price.has && (row->flags & BUILTIN_SPOT) != 0,
                           .v = (usd_t)row->price_micro * 10 * (100 - row->saving_percent)};
    for (uint32_t i = 0; i < BUILTIN_N_ZONES; i++) {
        bool here = ((row->zones >> i) & 1U) != 0;
        /* A type that no zone offers any more is listed as sold out everywhere, so that the price
         * of the nodes that still run is known. */
        if (!here && (row->zones != 0 || !price.has)) {
            continue;
        }
        struct cat_draft_offering offering = {
            .zone = strtab_add(builder->tab, str_of(builtin_zones[i].name)),
            .capacity_type = CAT_ON_DEMAND,
            .price = price,
            .available = here,
            .document_i = draft->document_i,
        };
        if ((row->flags & BUILTIN_ON_DEMAND) != 0) {
            VEC_PUSH(builder->scratch, &draft->offerings, offering);
        }
        if (here && spot.has) {
            offering.capacity_type = CAT_SPOT;
            offering.price = spot;
            VEC_PUSH(builder->scratch, &draft->offerings, offering);
        }
    }
}

static bool is_of(struct str type, const struct str *families, size_t n)
{
    const struct str family = str_sub(type, 0, str_find(type, '.'));
    for (size_t i = 0; i < n; i++) {
        if (str_eq(family, families[i])) {
            return true;
        }
    }
    return n == 0;
}

const struct catalog *cat_builtin(struct arena *arena, struct strtab *tab)
{
    return cat_builtin_families(NULL, 0, arena, tab);
}

const struct catalog *cat_builtin_families(const struct str *families, size_t n,
                                           struct arena *arena, struct strtab *tab)
{
    auto_arena scratch = ARENA_INIT;
    struct cat_builder builder;
    cat_builder_init(&builder, arena, &scratch, tab);
    builder.region = strtab_add(tab, str_of(builtin_region));
    builder.as_of = str_of(builtin_as_of);
    builder.spot_source = str_of(builtin_spot_source);
    builder.builtin = true;
    for (uint32_t i = 0; i < BUILTIN_N_ZONES; i++) {
        cat_builder_zone(&builder, strtab_add(tab, str_of(builtin_zones[i].name)),
                         strtab_add(tab, str_of(builtin_zones[i].id)));
    }
    for (uint32_t i = 0; i < builtin_n_rows; i++) {
        if (!is_of(str_of(builtin_rows[i].name), families, n)) {
            continue;
        }
        struct cat_draft draft = {.name = strtab_add(tab, str_of(builtin_rows[i].name)),
                                  .describes = true,
                                  .complete = true,
                                  .row = cat_builtin_facts(&builtin_rows[i], &scratch)};
        cat_builtin_offer(&builder, &draft, &builtin_rows[i]);
        VEC_PUSH(&scratch, &builder.drafts, draft);
    }
    const struct catalog *catalog = NULL;
    struct err err;
    bool ok = cat_builder_finish(&builder, &catalog, &err);
    assert(ok); /* the table is ours: a test builds it */
    (void)ok;
    return catalog;
}
