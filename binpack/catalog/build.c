/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "binpack/catalog/build.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/limits.h"
#include "binpack/catalog/labels.h"
#include "binpack/catalog/overhead.h"
#include "binpack/catalog/room.h"

void cat_names_init(struct cat_names *names, struct strtab *tab)
{
    *names = (struct cat_names){
        .cpu = strtab_add(tab, STR("cpu")),
        .memory = strtab_add(tab, STR("memory")),
        .pods = strtab_add(tab, STR("pods")),
        .ephemeral_storage = strtab_add(tab, STR("ephemeral-storage")),
        .pod_eni = strtab_add(tab, STR("vpc.amazonaws.com/pod-eni")),
        .nvidia_gpu = strtab_add(tab, STR("nvidia.com/gpu")),
        .amd_gpu = strtab_add(tab, STR("amd.com/gpu")),
        .gaudi = strtab_add(tab, STR("habana.ai/gaudi")),
        .neuron = strtab_add(tab, STR("aws.amazon.com/neuron")),
        .neuroncore = strtab_add(tab, STR("aws.amazon.com/neuroncore")),
        .efa = strtab_add(tab, STR("vpc.amazonaws.com/efa")),
        .private_ipv4 = strtab_add(tab, STR("vpc.amazonaws.com/PrivateIPv4Address")),
        .instance_type = strtab_add(tab, STR("node.kubernetes.io/instance-type")),
        .arch = strtab_add(tab, STR("kubernetes.io/arch")),
        .region = strtab_add(tab, STR("topology.kubernetes.io/region")),
        .amd64 = strtab_add(tab, STR("amd64")),
        .arm64 = strtab_add(tab, STR("arm64")),
        .ebs_driver = strtab_add(tab, STR("ebs.csi.aws.com")),
    };
}

void cat_builder_init(struct cat_builder *builder, struct arena *arena, struct arena *scratch,
                      struct strtab *tab)
{
    *builder = (struct cat_builder){.arena = arena, .scratch = scratch, .tab = tab};
    cat_names_init(&builder->names, tab);
}

void cat_note(struct cat_builder *builder, const char *format, ...)
{
    char text[512];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    if (builder->notes.n < LIMIT_WARNINGS) {
        VEC_PUSH(builder->scratch, &builder->notes, str_copy(builder->arena, str_of(text)));
    }
}

void cat_builder_zone(struct cat_builder *builder, strid name, strid id)
{
    for (size_t i = 0; i < builder->zones.n; i++) {
        if (builder->zones.v[i].name == name) {
            if (builder->zones.v[i].id == STRID_EMPTY) {
                builder->zones.v[i].id = id;
            }
            return;
        }
    }
    if (builder->zones.n > LIMIT_ZONES) { /* cat_builder_finish says so */
        return;
    }
    VEC_PUSH(builder->scratch, &builder->zones, (struct cat_draft_zone){.name = name, .id = id});
}

/* ---------------------------------------------------------------- one type */

struct work {
    struct cat_builder *builder;
    const struct cat_draft *draft;
    struct cat_type *type;
    struct str name;
};

static void device_amounts(const struct work *work, struct cat_amounts *capacity)
{
    const struct cat_names *names = &work->builder->names;
    struct arena *arena = work->builder->scratch;
    const struct ec2_instance_type *row = &work->draft->row;
    static const struct {
        struct str maker;
        size_t resource;
    } makers[] = {
        {{"NVIDIA", 6}, offsetof(struct cat_names, nvidia_gpu)},
        {{"AMD", 3}, offsetof(struct cat_names, amd_gpu)},
        {{"Habana", 6}, offsetof(struct cat_names, gaudi)},
    };
    bool first_neuron = true;
    for (uint32_t i = 0; i < row->n_devices; i++) {
        const struct ec2_device *device = &row->devices[i];
        if (device->kind == EC2_NEURON) {
            int64_t sum = sat_add(cat_amounts_get(capacity, names->neuron), device->count);
            cat_amounts_set(capacity, arena, names->neuron, sum);
            if (first_neuron) { /* karp: only the first kind of device counts for cores */
                cat_amounts_set(capacity, arena, names->neuroncore,
                                sat_mul(device->count, device->cores));
            }
            first_neuron = false;
        }
        for (size_t k = 0; device->kind == EC2_GPU && k < sizeof makers / sizeof *makers; k++) {
            strid resource = *(const strid *)((const char *)names + makers[k].resource);
            if (str_eq(device->manufacturer, makers[k].maker) && device->count > 0) {
                int64_t sum = sat_add(cat_amounts_get(capacity, resource), device->count);
                cat_amounts_set(capacity, arena, resource, sum);
            }
        }
    }
}

/* Capacity as far as it does not depend on the node class: cpu, devices, branch interfaces, then
 * what the file states. */
static void base_capacity(const struct work *work)
{
    const struct cat_names *names = &work->builder->names;
    const struct cat_draft *draft = work->draft;
    struct arena *arena = work->builder->scratch;
    struct cat_type *type = work->type;
    struct cat_amounts capacity = {0};
    cat_amounts_set(&capacity, arena, names->cpu, sat_mul(type->vcpu, 1000));
    device_amounts(work, &capacity);
    if (draft->row.branch_enis > 0) {
        cat_amounts_set(&capacity, arena, names->pod_eni, draft->row.branch_enis);
    }
    if (draft->row.efa > 0) {
        cat_amounts_set(&capacity, arena, names->efa, draft->row.efa);
    }
    for (size_t i = 0; i < draft->extended.all.n; i++) {
        cat_amounts_set(&capacity, arena, draft->extended.all.v[i].resource,
                        draft->extended.all.v[i].value);
    }
    if (draft->max_pods.has) {
        cat_amounts_set(&capacity, arena, names->pods, draft->max_pods.v);
    }
    for (size_t i = 0; i < draft->capacity.all.n; i++) {
        cat_amounts_set(&capacity, arena, draft->capacity.all.v[i].resource,
                        draft->capacity.all.v[i].value);
    }
    type->given |= cat_amounts_has(&capacity, names->pods) ? (uint32_t)CAT_GIVEN_PODS : 0;
    type->given |= cat_amounts_has(&capacity, names->memory) ? (uint32_t)CAT_GIVEN_MEMORY : 0;
    type->given |=
        cat_amounts_has(&capacity, names->ephemeral_storage) ? (uint32_t)CAT_GIVEN_DISK : 0;
    type->capacity = cat_amounts_freeze(&capacity, arena);
}

static void overheads(const struct work *work)
{
    const struct cat_draft *draft = work->draft;
    struct arena *arena = work->builder->scratch;
    struct cat_type *type = work->type;
    type->given |= draft->kube_reserved.present ? (uint32_t)CAT_GIVEN_KUBE : 0;
    type->given |= draft->eviction.present ? (uint32_t)CAT_GIVEN_EVICTION : 0;
    type->kube_reserved = cat_amounts_freeze(&draft->kube_reserved, arena);
    type->system_reserved = cat_amounts_freeze(&draft->system_reserved, arena);
    type->eviction = cat_amounts_freeze(&draft->eviction, arena);
}

static void labels(const struct work *work)
{
    struct cat_builder *builder = work->builder;
    const struct cat_draft *draft = work->draft;
    struct cat_labels labels = {0};
    cat_labels_set(&labels, builder->scratch, builder->names.instance_type, work->type->name);
    cat_labels_set(&labels, builder->scratch, builder->names.arch, work->type->arch);
    if (builder->region != STRID_EMPTY) {
        cat_labels_set(&labels, builder->scratch, builder->names.region, builder->region);
    }
    cat_labels_derive(&labels, &draft->row, builder->scratch, builder->tab);
    if (draft->complete) {
        cat_labels_describe(&labels, &draft->row, builder->scratch, builder->tab);
    }
    for (size_t i = 0; i < draft->labels.all.n; i++) {
        cat_labels_set(&labels, builder->scratch, draft->labels.all.v[i].key,
                       draft->labels.all.v[i].value);
    }
    work->type->labels = cat_labels_freeze(&labels, builder->arena);
}

/* https://docs.aws.amazon.com/ebs/latest/userguide/volume_limits.html */
static void attach_limits(const struct work *work)
{
    enum { XEN_VOLUMES = 39, NITRO_VOLUMES = 27 };
    const struct cat_draft *draft = work->draft;
    const struct ec2_instance_type *row = &draft->row;
    struct cat_type *type = work->type;
    size_t n = draft->attach_limits.n;
    if (draft->has_attach_limits || !draft->complete) {
        type->given |= CAT_GIVEN_ATTACH;
        type->n_attach_limits = (uint32_t)n;
        struct cat_attach_limit *given =
            ARENA_ARRAY(work->builder->arena, struct cat_attach_limit, n);
        if (n > 0) {
            memcpy(given, draft->attach_limits.v, n * sizeof *given);
        }
        type->attach_limits = given;
        return;
    }
    struct cat_attach_limit *limit = ARENA_NEW(work->builder->arena, struct cat_attach_limit);
    limit->driver = work->builder->names.ebs_driver;
    if (row->hypervisor == EC2_XEN) { /* volumes are not PCI devices there */
        limit->count = row->ebs_attachments > 0 && row->ebs_attachments < XEN_VOLUMES
                           ? row->ebs_attachments
                           : XEN_VOLUMES;
    } else {
        limit->count = row->ebs_attachments > 0 ? row->ebs_attachments : NITRO_VOLUMES;
        type->attach_shared_with_enis = row->ebs_attachments == 0 || row->attach_shared;
    }
    type->n_attach_limits = 1;
    type->attach_limits = limit;
}

/* Allocatable above capacity is a contradiction where the file states both; where capacity is ours,
 * it gives way. */
static bool reconcile(const struct work *work, struct cat_amounts *capacity, struct err *err)
{
    struct cat_builder *builder = work->builder;
    const struct cat_amounts *allocatable = &work->draft->allocatable;
    for (size_t i = 0; i < allocatable->all.n; i++) {
        const struct k8s_quantity *q = &allocatable->all.v[i];
        int64_t have = cat_amounts_get(capacity, q->resource);
        if (q->value <= have) {
            continue;
        }
        struct str resource = strtab_str(builder->tab, q->resource);
        if (cat_amounts_has(&work->draft->capacity, q->resource)) {
            return err_set(err, ERR_INVALID,
                           "type " STR_FMT ": allocatable[" STR_FMT "] %lld is above capacity %lld",
                           STR_ARG(work->name), STR_ARG(resource), (long long)q->value,
                           (long long)have);
        }
        int64_t sold = q->resource == builder->names.cpu      ? sat_mul(work->type->vcpu, 1000)
                       : q->resource == builder->names.memory ? work->type->memory_bytes
                                                              : 0;
        if (sold > 0 && q->value > sold) {
            cat_note(builder,
                     "type " STR_FMT ": allocatable " STR_FMT " %lld is more than the %lld sold",
                     STR_ARG(work->name), STR_ARG(resource), (long long)q->value, (long long)sold);
        }
        cat_amounts_set(capacity, builder->scratch, q->resource, q->value);
    }
    return true;
}

/* Allocatable that the file states, with what it leaves out of the four resources every node has.
 */
static struct k8s_resources stated_allocatable(const struct work *work,
                                               const struct cat_parts *parts)
{
    const struct cat_names *names = &work->builder->names;
    const strid core_amounts[] = {names->cpu, names->memory, names->pods, names->ephemeral_storage};
    struct cat_amounts all = {0};
    struct k8s_resources stated =
        cat_amounts_freeze(&work->draft->allocatable, work->builder->scratch);
    cat_amounts_copy(&all, work->builder->scratch, &stated);
    for (size_t i = 0; i < sizeof core_amounts / sizeof *core_amounts; i++) {
        if (!cat_amounts_has(&all, core_amounts[i])) {
            cat_amounts_set(&all, work->builder->scratch, core_amounts[i],
                            cat_amounts_get(&parts->allocatable, core_amounts[i]));
        }
    }
    return cat_amounts_freeze(&all, work->builder->arena);
}

static bool build_type(const struct work *work, struct err *err)
{
    struct cat_builder *builder = work->builder;
    const struct cat_draft *draft = work->draft;
    struct cat_type *type = work->type;
    type->name = draft->name;
    type->arch = strtab_add(builder->tab, draft->row.arch.n > 0 ? draft->row.arch : STR("amd64"));
    /* karp: every amd64 type of EC2 can run Windows; a file says so. */
    bool windows = draft->complete && type->arch == builder->names.amd64;
    uint32_t by_default = windows ? CAT_LINUX | CAT_WINDOWS : CAT_LINUX;
    type->os = draft->os != 0 ? draft->os : by_default;
    type->vcpu = draft->row.vcpu;
    type->memory_bytes = sat_mul(draft->row.memory_mib, CAT_MIB);
    type->enis = draft->row.enis;
    type->ipv4_per_eni = draft->row.ipv4_per_eni;
    type->local_nvme_bytes = sat_mul(draft->row.local_gb, 1000000000);
    type->bare_metal = draft->row.bare_metal;
    base_capacity(work);
    overheads(work);
    labels(work);
    attach_limits(work);

    struct cat_parts parts = {0};
    cat_parts_compute(type, NULL, &CAT_SETTINGS_DEFAULT, builder->tab, &builder->names,
                      builder->scratch, &parts);
    if (draft->allocatable.present) {
        if (!reconcile(work, &parts.capacity, err)) {
            return false;
        }
        type->allocatable_given = true;
        type->allocatable = stated_allocatable(work, &parts);
    } else {
        type->allocatable = cat_amounts_freeze(&parts.allocatable, builder->arena);
    }
    type->capacity = cat_amounts_freeze(&parts.capacity, builder->arena);
    type->kube_reserved = cat_amounts_freeze(&parts.kube_reserved, builder->arena);
    type->system_reserved = cat_amounts_freeze(&parts.system_reserved, builder->arena);
    type->eviction = cat_amounts_freeze(&parts.eviction, builder->arena);
    return true;
}

/* ---------------------------------------------------------------- order */

struct sort_key {
    struct str text;
    uint32_t index;
};

static int by_text(const void *a, const void *b)
{
    const struct sort_key *x = a, *y = b;
    int order = str_cmp(x->text, y->text);
    return order != 0 ? order : (x->index > y->index) - (x->index < y->index);
}

static bool build_zones(struct cat_builder *builder, struct catalog *catalog, struct err *err)
{
    size_t n = builder->zones.n;
    if (n > LIMIT_ZONES) {
        return err_set(err, ERR_LIMIT, "more than %d zones", LIMIT_ZONES);
    }
    struct sort_key *keys = ARENA_ARRAY(builder->scratch, struct sort_key, n);
    for (size_t i = 0; i < n; i++) {
        keys[i] = (struct sort_key){.text = strtab_str(builder->tab, builder->zones.v[i].name),
                                    .index = (uint32_t)i};
    }
    qsort(keys, n, sizeof *keys, by_text);
    struct cat_zone *zones = ARENA_ARRAY(builder->arena, struct cat_zone, n);
    for (size_t i = 0; i < n; i++) {
        const struct cat_draft_zone *zone = &builder->zones.v[keys[i].index];
        zones[i] = (struct cat_zone){.name = zone->name, .id = zone->id};
    }
    catalog->n_zones = (uint32_t)n;
    catalog->zones = zones;
    return true;
}

static uint32_t zone_index(const struct catalog *catalog, strid name)
{
    uint32_t i = 0;
    while (i < catalog->n_zones && catalog->zones[i].name != name) {
        i++;
    }
    return i;
}

struct offering_key {
    struct cat_offering offering;
    struct str reservation;
    uint32_t document_i;
};

static int by_offering(const void *a, const void *b)
{
    const struct offering_key *x = a, *y = b;
    if (x->offering.zone_i != y->offering.zone_i) {
        return x->offering.zone_i < y->offering.zone_i ? -1 : 1;
    }
    if (x->offering.capacity_type != y->offering.capacity_type) {
        return x->offering.capacity_type < y->offering.capacity_type ? -1 : 1;
    }
    int order = str_cmp(x->reservation, y->reservation);
    return order != 0 ? order : (x->document_i > y->document_i) - (x->document_i < y->document_i);
}

static bool same_offering(const struct offering_key *a, const struct offering_key *b)
{
    return a->offering.zone_i == b->offering.zone_i &&
           a->offering.capacity_type == b->offering.capacity_type &&
           a->offering.reservation_id == b->offering.reservation_id;
}

static bool build_offerings(const struct work *work, const struct catalog *catalog, struct err *err)
{
    struct cat_builder *builder = work->builder;
    const struct cat_draft *draft = work->draft;
    size_t n = draft->offerings.n, n_kept = 0;
    struct cat_offering *offerings = ARENA_ARRAY(builder->arena, struct cat_offering, n);
    struct offering_key *keys = ARENA_ARRAY(builder->scratch, struct offering_key, n);
    for (size_t i = 0; i < n; i++) {
        const struct cat_draft_offering *from = &draft->offerings.v[i];
        keys[i] = (struct offering_key){
            .offering = {.zone_i = zone_index(catalog, from->zone),
                         .capacity_type = from->capacity_type,
                         .price = from->price,
                         .available = from->available,
                         .reservation_id = from->reservation_id,
                         .reservation_count = from->reservation_count},
            .reservation = strtab_str(builder->tab, from->reservation_id),
            .document_i = from->document_i,
        };
    }
    qsort(keys, n, sizeof *keys, by_offering);
    for (size_t i = 0; i < n; i++) {
        bool again = i + 1 < n && same_offering(&keys[i], &keys[i + 1]);
        if (again && keys[i].document_i == keys[i + 1].document_i) {
            struct str zone =
                strtab_str(builder->tab, catalog->zones[keys[i].offering.zone_i].name);
            return err_set(err, ERR_INVALID,
                           "type " STR_FMT ": two offerings for zone " STR_FMT
                           " and capacity type %s",
                           STR_ARG(work->name), STR_ARG(zone),
                           cat_capacity_type_name(keys[i].offering.capacity_type));
        }
        if (!again) { /* the last document has the last word */
            offerings[n_kept++] = keys[i].offering;
        }
    }
    work->type->n_offerings = (uint32_t)n_kept;
    work->type->offerings = offerings;
    return true;
}

static struct str catalog_name(struct cat_builder *builder)
{
    if (builder->name.n > 0) {
        return builder->name;
    }
    struct str region = strtab_str(builder->tab, builder->region);
    if (builder->as_of.n == 0) {
        return region.n > 0 ? region : STR("catalog");
    }
    struct strbuf b = strbuf_new(builder->arena, 256);
    strbuf_addf(&b, STR_FMT "@" STR_FMT, STR_ARG(region), STR_ARG(builder->as_of));
    return strbuf_str(&b);
}

bool cat_builder_finish(struct cat_builder *builder, const struct catalog **ret_catalog,
                        struct err *err)
{
    struct catalog *catalog = ARENA_NEW(builder->arena, struct catalog);
    size_t n = builder->drafts.n;
    if (n > LIMIT_INSTANCE_TYPES) {
        return err_set(err, ERR_LIMIT, "%zu instance types (the limit is %d)", n,
                       LIMIT_INSTANCE_TYPES);
    }
    if (!build_zones(builder, catalog, err)) {
        return false;
    }
    struct sort_key *keys = ARENA_ARRAY(builder->scratch, struct sort_key, n);
    for (size_t i = 0; i < n; i++) {
        keys[i] = (struct sort_key){.text = strtab_str(builder->tab, builder->drafts.v[i].name),
                                    .index = (uint32_t)i};
    }
    qsort(keys, n, sizeof *keys, by_text);
    struct cat_type *types = ARENA_ARRAY(builder->arena, struct cat_type, n);
    for (size_t i = 0; i < n; i++) {
        const struct work work = {.builder = builder,
                                  .draft = &builder->drafts.v[keys[i].index],
                                  .type = &types[i],
                                  .name = keys[i].text};
        if (!build_type(&work, err) || !build_offerings(&work, catalog, err)) {
            return false;
        }
    }
    catalog->n_types = (uint32_t)n;
    catalog->types = types;
    catalog->region = builder->region;
    catalog->name = catalog_name(builder);
    catalog->as_of = builder->as_of;
    catalog->spot_source = builder->spot_source;
    catalog->builtin = builder->builtin;
    *ret_catalog = catalog;
    return true;
}
