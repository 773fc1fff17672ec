/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "binpack/catalog/room.h"

#include "base/arena.h"
#include "base/qty.h"
#include "binpack/catalog/overhead.h"

enum {
    DISK_GIB = 20, /* of a root volume that nobody sized */
    WINDOWS_DISK_GIB = 50,
    PODS_WITHOUT_ENI = 110 /* kubelet's default */
};

/* karp: pkg/providers/amifamily, FeatureFlags, EphemeralBlockDevice, DefaultBlockDeviceMappings */
struct family_traits {
    const char
        *data_device; /* whose size is the nodes' ephemeral storage; NULL: the last mapping's */
    const char *root_device;
    int64_t disk_gib;
    uint32_t n_devices; /* volumes when the class maps none */
    bool eni_pods;      /* as many pods as the CNI has addresses */
    bool eni_memory;    /* kubeReserved by addresses, whatever maxPods says */
    bool pods_per_core;
};

static const struct family_traits traits_of[] = {
    [CAT_AL2] = {"/dev/xvda", "/dev/xvda", DISK_GIB, 1, true, true, true},
    [CAT_AL2023] = {"/dev/xvda", "/dev/xvda", DISK_GIB, 1, true, true, true},
    [CAT_BOTTLEROCKET] = {"/dev/xvdb", "/dev/xvda", DISK_GIB, 2, true, false, false},
    [CAT_WINDOWS_2019] = {"/dev/sda1", "/dev/sda1", WINDOWS_DISK_GIB, 1, false, false, true},
    [CAT_WINDOWS_2022] = {"/dev/sda1", "/dev/sda1", WINDOWS_DISK_GIB, 1, false, false, true},
    [CAT_WINDOWS_2025] = {"/dev/sda1", "/dev/sda1", WINDOWS_DISK_GIB, 1, false, false, true},
    [CAT_CUSTOM] = {NULL, NULL, DISK_GIB, 1, true, true, true},
};

struct job {
    const struct cat_type *type;
    uint32_t given;
    const struct aws_nodeclass *node_class; /* may be NULL */
    const struct cat_settings *settings;
    const struct strtab *tab;
    const struct cat_names *names;
    const struct family_traits *traits;
    struct arena *arena;
    struct cat_parts *parts;
};

/* The size the class gives to the volume that holds ephemeral storage; false when it leaves that
 * open. */
static bool class_disk(const struct job *job, int64_t *ret_bytes)
{
    const struct aws_nodeclass *node_class = job->node_class;
    const char *device = job->traits->data_device;
    if (node_class == NULL) {
        return false;
    }
    if (node_class->instance_store_raid0 && job->type->local_nvme_bytes > 0) {
        *ret_bytes = job->type->local_nvme_bytes;
        return true;
    }
    const struct aws_block_device *found = NULL;
    for (uint32_t i = 0; i < node_class->n_block_devices && found == NULL; i++) {
        const struct aws_block_device *at = &node_class->block_devices[i];
        found = at->root_volume && at->size_bytes.has ? at : NULL;
    }
    for (uint32_t i = 0; i < node_class->n_block_devices && found == NULL && device != NULL; i++) {
        const struct aws_block_device *at = &node_class->block_devices[i];
        found = str_eq(at->device_name, str_of(device)) && at->size_bytes.has ? at : NULL;
    }
    if (found == NULL && device == NULL && node_class->n_block_devices > 0) {
        const struct aws_block_device *last =
            &node_class->block_devices[node_class->n_block_devices - 1];
        found = last->size_bytes.has ? last : NULL;
    }
    if (found == NULL) {
        return false;
    }
    *ret_bytes = found->size_bytes.v;
    return true;
}

static void put(const struct job *job, struct cat_amounts *amounts, strid resource, int64_t value)
{
    cat_amounts_set(amounts, job->arena, resource, value < 0 ? 0 : value);
}

/* Ephemeral storage and its eviction threshold, which follows the disk unless the file or the class
 * says otherwise. */
static void disk(const struct job *job)
{
    struct cat_parts *parts = job->parts;
    strid storage = job->names->ephemeral_storage;
    int64_t bytes = 0;
    bool by_class = class_disk(job, &bytes);
    if (by_class) {
        put(job, &parts->capacity, storage, bytes);
    } else if ((job->given & CAT_GIVEN_DISK) == 0) {
        put(job, &parts->capacity, storage, job->traits->disk_gib * CAT_GIB);
    }
    if (by_class || (job->given & CAT_GIVEN_EVICTION) == 0) {
        int64_t tenth = muldiv_ceil(cat_amounts_get(&parts->capacity, storage), 1, 10);
        put(job, &parts->eviction, storage, tenth);
    }
}

static void pods(const struct job *job)
{
    const struct cat_type *type = job->type;
    const struct aws_kubelet *kubelet = job->node_class == NULL ? NULL : &job->node_class->kubelet;
    int64_t n = cat_amounts_get(&job->parts->capacity, job->names->pods);
    if (kubelet != NULL && kubelet->max_pods.has) {
        n = kubelet->max_pods.v;
    } else if ((job->given & CAT_GIVEN_PODS) == 0) {
        n = job->traits->eni_pods && type->enis > 0
                ? cat_eni_pods(type->enis, type->ipv4_per_eni, job->settings->reserved_enis)
                : PODS_WITHOUT_ENI;
    }
    if (kubelet != NULL && kubelet->pods_per_core.has && kubelet->pods_per_core.v > 0 &&
        job->traits->pods_per_core) {
        int64_t by_core = sat_mul(kubelet->pods_per_core.v, type->vcpu);
        n = by_core < n ? by_core : n;
    }
    put(job, &job->parts->capacity, job->names->pods, n);
}

static void kube_reserved(const struct job *job)
{
    const struct cat_type *type = job->type;
    struct cat_amounts *kube = &job->parts->kube_reserved;
    if ((job->given & CAT_GIVEN_KUBE) != 0) {
        return;
    }
    int64_t n = cat_amounts_get(&job->parts->capacity, job->names->pods);
    if (job->traits->eni_memory && type->enis > 0) {
        n = cat_eni_pods(type->enis, type->ipv4_per_eni, /* reserved_enis= */ 0);
    }
    put(job, kube, job->names->cpu, cat_kube_reserved_cpu(type->vcpu));
    put(job, kube, job->names->memory, cat_kube_reserved_memory(n));
    put(job, kube, job->names->ephemeral_storage, CAT_GIB);
}

/* "50%" or a quantity, of `capacity`; false when it is neither. 100% switches the signal off. */
static bool eviction_value(struct str text, int64_t capacity, int64_t *ret_bytes)
{
    enum { HUNDRED = 100 * 1000 };
    text = str_trim(text);
    if (!str_ends(text, STR("%"))) {
        return qty_parse(text, QTY_BASE, QTY_UP, ret_bytes, NULL) && *ret_bytes >= 0;
    }
    int64_t thousandths = 0; /* of a percent */
    struct str number = str_sub(text, 0, text.n - 1);
    if (!qty_parse(number, QTY_MILLI, QTY_DOWN, &thousandths, NULL) || thousandths < 0 ||
        thousandths > HUNDRED) {
        return false;
    }
    *ret_bytes = thousandths == HUNDRED ? 0 : muldiv_ceil(capacity, thousandths, HUNDRED);
    return true;
}

static void kubelet_settings(const struct job *job)
{
    static const struct {
        struct str signal;
        size_t resource;
    } signals[] = {
        {{"memory.available", 16}, offsetof(struct cat_names, memory)},
        {{"nodefs.available", 16}, offsetof(struct cat_names, ephemeral_storage)},
    };
    struct cat_parts *parts = job->parts;
    if (job->node_class == NULL) {
        return;
    }
    const struct aws_kubelet *kubelet = &job->node_class->kubelet;
    cat_amounts_copy(&parts->kube_reserved, job->arena, &kubelet->kube_reserved);
    cat_amounts_copy(&parts->system_reserved, job->arena, &kubelet->system_reserved);
    for (uint32_t i = 0; i < kubelet->eviction_hard.n; i++) {
        const struct k8s_pair *pair = &kubelet->eviction_hard.v[i];
        for (size_t k = 0; k < sizeof signals / sizeof *signals; k++) {
            strid resource = *(const strid *)((const char *)job->names + signals[k].resource);
            int64_t bytes = 0;
            if (str_eq(strtab_str(job->tab, pair->key), signals[k].signal) &&
                eviction_value(strtab_str(job->tab, pair->value),
                               cat_amounts_get(&parts->capacity, resource), &bytes)) {
                put(job, &parts->eviction, resource, bytes);
            }
        }
    }
}

static int64_t lookup(const struct k8s_resources *resources, strid resource)
{
    for (uint32_t i = 0; i < resources->n; i++) {
        if (resources->v[i].resource == resource) {
            return resources->v[i].value;
        }
    }
    return 0;
}

static int64_t held_back(const struct cat_parts *parts, strid resource)
{
    int64_t sum = sat_add(cat_amounts_get(&parts->kube_reserved, resource),
                          cat_amounts_get(&parts->system_reserved, resource));
    return sat_add(sum, cat_amounts_get(&parts->eviction, resource));
}

/* Memory that is set aside as huge pages. karp: cloudprovider/types.go precompute */
static int64_t huge_pages(const struct job *job)
{
    const struct cat_amounts *capacity = &job->parts->capacity;
    int64_t sum = 0;
    for (size_t i = 0; i < capacity->all.n; i++) {
        struct str name = strtab_str(job->tab, capacity->all.v[i].resource);
        sum = str_starts(name, STR("hugepages-")) ? sat_add(sum, capacity->all.v[i].value) : sum;
    }
    return sum;
}

/* capacity - reserved; but allocatable that the file states stands for every resource that the
 * class does not touch. */
static void allocatable(const struct job *job)
{
    const struct cat_type *type = job->type;
    struct cat_parts *parts = job->parts;
    if (type->allocatable_given) {
        cat_amounts_copy(&parts->allocatable, job->arena, &type->allocatable);
    }
    for (size_t i = 0; i < parts->capacity.all.n; i++) {
        const struct k8s_quantity *q = &parts->capacity.all.v[i];
        int64_t before = sat_add(lookup(&type->kube_reserved, q->resource),
                                 lookup(&type->system_reserved, q->resource));
        before = sat_add(before, lookup(&type->eviction, q->resource));
        int64_t now = held_back(parts, q->resource);
        if (type->allocatable_given && now == before &&
            q->value == lookup(&type->capacity, q->resource)) {
            continue;
        }
        int64_t left = sat_sub(q->value, now);
        if (q->resource == job->names->memory) {
            left = sat_sub(left, huge_pages(job));
        }
        put(job, &parts->allocatable, q->resource, left);
    }
}

int64_t cat_observed_memory(const struct cat_settings *settings, strid type,
                            const struct aws_nodeclass *node_class)
{
    uint32_t low = 0, high = settings->n_observed;
    int64_t least = 0;
    if (node_class == NULL) {
        return 0;
    }
    while (low < high) {
        const uint32_t middle = low + (high - low) / 2;
        if (settings->observed[middle].type < type) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    for (; low < settings->n_observed && settings->observed[low].type == type; low++) {
        const struct cat_observed *at = &settings->observed[low];
        for (uint32_t i = 0; i < node_class->n_amis; i++) {
            if (str_eq(node_class->amis[i].id, at->image_id) &&
                (least == 0 || at->memory_bytes < least)) {
                least = at->memory_bytes;
            }
        }
    }
    return least;
}

void cat_parts_compute(const struct cat_type *type, const struct aws_nodeclass *node_class,
                       const struct cat_settings *settings, const struct strtab *tab,
                       const struct cat_names *names, struct arena *arena,
                       struct cat_parts *ret_parts)
{
    const uint32_t everything =
        CAT_GIVEN_MEMORY | CAT_GIVEN_PODS | CAT_GIVEN_DISK | CAT_GIVEN_KUBE | CAT_GIVEN_EVICTION;
    /* Allocatable that the file states holds for every AMI family. */
    const struct job job = {.type = type,
                            .given = type->allocatable_given ? everything : type->given,
                            .node_class = node_class,
                            .settings = settings,
                            .tab = tab,
                            .names = names,
                            .traits = &traits_of[cat_class_family(node_class, tab)],
                            .arena = arena,
                            .parts = ret_parts};
    *ret_parts = (struct cat_parts){0};
    cat_amounts_copy(&ret_parts->capacity, arena, &type->capacity);
    cat_amounts_copy(&ret_parts->kube_reserved, arena, &type->kube_reserved);
    cat_amounts_copy(&ret_parts->system_reserved, arena, &type->system_reserved);
    cat_amounts_copy(&ret_parts->eviction, arena, &type->eviction);
    if ((job.given & CAT_GIVEN_MEMORY) == 0) {
        const int64_t observed = cat_observed_memory(settings, type->name, node_class);
        put(&job, &ret_parts->capacity, names->memory,
            observed > 0 ? observed
                         : cat_memory_capacity(type->memory_bytes, type->arch == names->arm64,
                                               settings->vm_memory_overhead_ppm));
    }
    if ((job.given & CAT_GIVEN_EVICTION) == 0) {
        put(&job, &ret_parts->eviction, names->memory, 100 * CAT_MIB);
    }
    disk(&job);
    pods(&job);
    kube_reserved(&job);
    kubelet_settings(&job);
    if (cat_class_os(node_class, tab) == CAT_WINDOWS && type->ipv4_per_eni > 0) {
        put(&job, &ret_parts->capacity, names->private_ipv4, type->ipv4_per_eni - 1);
    }
    allocatable(&job);
}

/* Volumes that a new node has before the first pod: root and data volumes of the image, mapped
 * ones. */
static uint32_t own_volumes(const struct aws_nodeclass *node_class,
                            const struct family_traits *traits)
{
    if (node_class == NULL || node_class->n_block_devices == 0) {
        return traits->n_devices;
    }
    bool root_mapped = false;
    for (uint32_t i = 0; i < node_class->n_block_devices; i++) {
        const struct aws_block_device *at = &node_class->block_devices[i];
        struct str name = at->device_name;
        bool is_root = traits->root_device != NULL
                           ? str_eq(name, str_of(traits->root_device))
                           : str_eq(name, STR("/dev/xvda")) || str_eq(name, STR("/dev/sda1"));
        root_mapped = root_mapped || at->root_volume || is_root;
    }
    return node_class->n_block_devices + (root_mapped ? 0 : 1);
}

/* Interfaces beyond the first, which AWS has taken off already: the class' own, or the warm one of
 * the VPC CNI. */
static int64_t extra_interfaces(const struct cat_type *type, const struct aws_nodeclass *node_class)
{
    int64_t n = node_class != NULL && node_class->n_network_interfaces > 0
                    ? node_class->n_network_interfaces
                    : 2;
    n = type->enis > 0 && n > type->enis ? type->enis : n;
    return n - 1;
}

static const struct cat_attach_limit *attach_limits(const struct cat_type *type,
                                                    const struct aws_nodeclass *node_class,
                                                    const struct family_traits *traits,
                                                    struct arena *arena)
{
    struct cat_attach_limit *limits =
        ARENA_ARRAY(arena, struct cat_attach_limit, type->n_attach_limits);
    bool given = (type->given & CAT_GIVEN_ATTACH) != 0;
    int64_t taken = own_volumes(node_class, traits);
    if (given) { /* counted for a node of a default class: one volume of its own */
        taken -= node_class == NULL || node_class->n_block_devices == 0 ? taken : 1;
    }
    if (type->attach_shared_with_enis && !given) {
        taken += extra_interfaces(type, node_class);
    }
    for (uint32_t i = 0; i < type->n_attach_limits; i++) {
        int64_t left = sat_sub(type->attach_limits[i].count, taken);
        limits[i] = (struct cat_attach_limit){.driver = type->attach_limits[i].driver,
                                              .count = left < 0 ? 0 : left};
    }
    return limits;
}

void cat_type_room(const struct cat_type *type, const struct aws_nodeclass *node_class,
                   const struct cat_settings *settings, const struct strtab *tab,
                   const struct k8s_words *words, struct arena *arena, struct cat_room *ret_room)
{
    auto_arena scratch = ARENA_INIT;
    struct cat_parts parts;
    const struct cat_names names = {
        .cpu = words->cpu,
        .memory = words->memory,
        .pods = words->pods,
        .ephemeral_storage = words->ephemeral_storage,
        .arm64 = words->arm64,
        .private_ipv4 = strtab_find(tab, STR("vpc.amazonaws.com/PrivateIPv4Address")),
    };
    cat_parts_compute(type, node_class, settings, tab, &names, &scratch, &parts);
    *ret_room = (struct cat_room){
        .capacity = cat_amounts_freeze(&parts.capacity, arena),
        .allocatable = cat_amounts_freeze(&parts.allocatable, arena),
        .n_attach_limits = type->n_attach_limits,
        .attach_limits =
            attach_limits(type, node_class, &traits_of[cat_class_family(node_class, tab)], arena),
    };
}
