/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "binpack/catalog/from_ec2.h"

#include <string.h>

#include "base/arena.h"
#include "base/json.h"
#include "base/limits.h"
#include "base/rfc3339.h"
#include "binpack/catalog/price.h"
#include "binpack/catalog/price_list.h"

enum { MAX_NUMBER = 1 << 30, MAX_ROWS = 2 * 1000 * 1000, MAX_NAME = 63, MAX_DEVICES = 64 };

static const char *const lists[] = {"InstanceTypes", "InstanceTypeOfferings", "SpotPriceHistory",
                                    "AvailabilityZones", "PriceList"};
enum { N_LISTS = sizeof lists / sizeof *lists };

/* Which of the lists an element belongs to, by a member that only it has; N_LISTS when to none. */
static size_t list_of_element(const json_t *element)
{
    static const char *const members[N_LISTS] = {"VCpuInfo", "LocationType", "SpotPrice",
                                                 "ZoneName", "product"};
    if (json_is_string(element) && json_string_value(element)[0] == '{') {
        return N_LISTS - 1; /* the price list's products are JSON as text */
    }
    for (size_t i = 0; i < N_LISTS; i++) {
        if (json_object_get(element, members[i]) != NULL) {
            return i;
        }
    }
    return N_LISTS;
}

bool ec2_is_reply(const json_t *document)
{
    if (json_is_array(document)) {
        return list_of_element(json_array_get(document, 0)) < N_LISTS;
    }
    for (size_t i = 0; i < N_LISTS; i++) {
        if (json_is_array(json_object_get(document, lists[i]))) {
            return true;
        }
    }
    return false;
}

struct str ec2_zone_region(struct str zone)
{
    size_t i = 0;
    while (i < zone.n && ((zone.p[i] >= 'a' && zone.p[i] <= 'z') || zone.p[i] == '-')) {
        i++;
    }
    size_t digits = i;
    while (i < zone.n && zone.p[i] >= '0' && zone.p[i] <= '9') {
        i++;
    }
    bool named = digits > 1 && zone.p[digits - 1] == '-' && i > digits && i < zone.n;
    return named ? str_sub(zone, 0, i) : STR_EMPTY;
}

/* ---------------------------------------------------------------- readers */

static bool read_number(const struct json_at *object, const char *key, int64_t *ret_value,
                        struct err *err)
{
    struct json_at at = json_at_member(object, key);
    bool has = false;
    return json_read_i64(&at, 0, MAX_NUMBER, &has, ret_value, err);
}

static bool read_bool(const struct json_at *object, const char *key, bool *ret_value,
                      struct err *err)
{
    struct json_at at = json_at_member(object, key);
    bool has = false;
    return json_read_bool(&at, &has, ret_value, err);
}

static bool read_text(const struct json_at *object, const char *key, struct str *ret_value,
                      struct err *err)
{
    struct json_at at = json_at_member(object, key);
    bool has = false;
    return json_read_str(&at, &has, ret_value, err);
}

/* A name that becomes a label value; absence is an error where `required`. */
static bool read_name(const struct json_at *object, const char *key, bool required,
                      struct str *ret_value, struct err *err)
{
    struct json_at at = json_at_member(object, key);
    bool has = true;
    if (!json_read_str(&at, required ? NULL : &has, ret_value, err)) {
        return false;
    }
    bool plain = !has || (ret_value->n > 0 && ret_value->n <= MAX_NAME);
    for (size_t i = 0; i < ret_value->n && plain; i++) {
        plain = ret_value->p[i] > ' ' && ret_value->p[i] != 0x7f;
    }
    return plain || json_fail(err, ERR_INVALID, &at,
                              "\"" STR_FMT "\" is not a name of 1 to %d printable bytes",
                              STR_ARG(str_sub(*ret_value, 0, 80)), MAX_NAME);
}

/* Whether a list of strings has the word; *ret_first (may be NULL) is its first string. */
static bool list_has(const struct json_at *object, const char *key, struct str word,
                     struct str *ret_first)
{
    const json_t *list = json_object_get(object->v, key);
    bool found = false;
    for (size_t i = 0; i < json_array_size(list); i++) {
        const json_t *item = json_array_get(list, i);
        struct str text = {.p = json_string_value(item), .n = json_string_length(item)};
        found = found || str_eq(text, word);
        if (i == 0 && ret_first != NULL) {
            *ret_first = text;
        }
    }
    return found;
}

static bool read_processor(const struct json_at *type, struct ec2_instance_type *row,
                           struct err *err)
{
    struct json_at processor = json_at_member(type, "ProcessorInfo");
    struct json_at clock = json_at_member(&processor, "SustainedClockSpeedInGhz");
    struct json_at vcpu = json_at_member(type, "VCpuInfo");
    struct json_at cores = json_at_member(&vcpu, "DefaultVCpus");
    struct json_at memory = json_at_member(type, "MemoryInfo");
    struct json_at size = json_at_member(&memory, "SizeInMiB");
    struct str first = STR_EMPTY;
    if (!json_want_object(&processor, err) || !json_want_object(&vcpu, err) ||
        !json_want_object(&memory, err) ||
        !json_read_i64(&cores, 1, MAX_NUMBER, NULL, &row->vcpu, err) ||
        !json_read_i64(&size, 1, MAX_NUMBER, NULL, &row->memory_mib, err) ||
        !read_text(&processor, "Manufacturer", &row->cpu_manufacturer, err)) {
        return false;
    }
    double ghz = json_number_value(clock.v); /* 0 when absent; only ever shown as a label */
    row->clock_mhz = ghz > 0 && ghz < 1000 ? (int64_t)(ghz * 1000 + 0.5) : 0;
    /* karp: the first architecture decides. */
    bool x86 = list_has(&processor, "SupportedArchitectures", STR("x86_64"), &first);
    if (str_eq(first, STR("arm64"))) {
        row->arch = STR("arm64");
    } else if (x86) {
        row->arch = STR("amd64");
    }
    return true;
}

/* The interfaces of the default network card. */
static bool read_cards(const struct json_at *network, struct ec2_instance_type *row,
                       struct err *err)
{
    struct json_at cards = json_at_member(network, "NetworkCards");
    int64_t default_card = 0;
    if (!json_want_array(&cards, err) ||
        !read_number(network, "MaximumNetworkInterfaces", &row->enis, err) ||
        !read_number(network, "DefaultNetworkCardIndex", &default_card, err)) {
        return false;
    }
    for (size_t i = 0; i < json_at_count(&cards); i++) {
        struct json_at card = json_at_element(&cards, i);
        int64_t index = 0;
        if (!json_want_object(&card, err) || !read_number(&card, "NetworkCardIndex", &index, err)) {
            return false;
        }
        if (index == default_card &&
            !read_number(&card, "MaximumNetworkInterfaces", &row->enis, err)) {
            return false;
        }
    }
    return true;
}

static bool read_network(const struct json_at *type, struct ec2_instance_type *row, struct err *err)
{
    struct json_at network = json_at_member(type, "NetworkInfo");
    struct json_at efa = json_at_member(&network, "EfaInfo");
    return json_want_object(&network, err) && read_cards(&network, row, err) &&
           read_number(&network, "Ipv4AddressesPerInterface", &row->ipv4_per_eni, err) &&
           read_bool(&network, "EncryptionInTransitSupported", &row->encryption_in_transit, err) &&
           json_want_object(&efa, err) && read_number(&efa, "MaximumEfaInterfaces", &row->efa, err);
}

static bool read_storage(const struct json_at *type, struct ec2_instance_type *row, struct err *err)
{
    struct json_at storage = json_at_member(type, "InstanceStorageInfo");
    struct json_at ebs = json_at_member(type, "EbsInfo");
    struct json_at speed = json_at_member(&ebs, "EbsOptimizedInfo");
    struct str nvme, optimized, limit;
    if (!json_want_object(&storage, err) || !json_want_object(&ebs, err) ||
        !json_want_object(&speed, err) ||
        !read_number(&storage, "TotalSizeInGB", &row->local_gb, err) ||
        !read_text(&storage, "NvmeSupport", &nvme, err) ||
        !read_text(&ebs, "EbsOptimizedSupport", &optimized, err) ||
        !read_text(&ebs, "AttachmentLimitType", &limit, err) ||
        !read_number(&ebs, "MaximumEbsAttachments", &row->ebs_attachments, err)) {
        return false;
    }
    row->local_storage_nvme = nvme.n > 0 && !str_eq(nvme, STR("unsupported"));
    row->attach_shared = str_eq(limit, STR("shared"));
    return !str_eq(optimized, STR("default")) ||
           read_number(&speed, "MaximumBandwidthInMbps", &row->ebs_mbps, err);
}

/* ---------------------------------------------------------------- devices */

static const struct device_list {
    const char *info, *list;
    enum ec2_device_kind kind;
} device_lists[] = {
    {"GpuInfo", "Gpus", EC2_GPU},
    {"NeuronInfo", "NeuronDevices", EC2_NEURON},
    {"InferenceAcceleratorInfo", "Accelerators", EC2_INFERENCE},
};

static bool read_device(const struct json_at *item, enum ec2_device_kind kind,
                        struct ec2_device *device, struct err *err)
{
    struct json_at memory = json_at_member(item, "MemoryInfo");
    struct json_at cores = json_at_member(item, "CoreInfo");
    device->kind = kind;
    if (!json_want_object(item, err) || !json_want_object(&memory, err) ||
        !json_want_object(&cores, err) || !read_text(item, "Name", &device->name, err) ||
        !read_text(item, "Manufacturer", &device->manufacturer, err) ||
        !read_number(item, "Count", &device->count, err) ||
        !read_number(&memory, "SizeInMiB", &device->memory_mib, err) ||
        !read_number(&cores, "Count", &device->cores, err)) {
        return false;
    }
    if (kind == EC2_NEURON) {
        device->manufacturer = STR("AWS");
    }
    return true;
}

static bool read_devices(const struct json_at *type, struct ec2_instance_type *row,
                         struct arena *arena, struct err *err)
{
    struct ec2_device found[MAX_DEVICES];
    uint32_t n = 0;
    for (size_t k = 0; k < sizeof device_lists / sizeof *device_lists; k++) {
        struct json_at info = json_at_member(type, device_lists[k].info);
        struct json_at list = json_at_member(&info, device_lists[k].list);
        if (!json_want_object(&info, err) || !json_want_array(&list, err)) {
            return false;
        }
        for (size_t i = 0; i < json_at_count(&list); i++) {
            struct json_at item = json_at_element(&list, i);
            if (n == MAX_DEVICES) {
                return json_fail(err, ERR_LIMIT, &list, "more than %d kinds of devices",
                                 MAX_DEVICES);
            }
            found[n] = (struct ec2_device){.kind = device_lists[k].kind};
            if (!read_device(&item, device_lists[k].kind, &found[n], err)) {
                return false;
            }
            n++;
        }
    }
    struct ec2_device *devices = ARENA_ARRAY(arena, struct ec2_device, n);
    if (n > 0) {
        memcpy(devices, found, n * sizeof *devices);
    }
    row->n_devices = n;
    row->devices = devices;
    return true;
}

/* ---------------------------------------------------------------- rows */

static bool read_type(const struct json_at *item, struct ec2_rows *rows, struct arena *arena,
                      struct err *err)
{
    struct ec2_instance_type row = {.name = STR_EMPTY};
    struct str hypervisor, enclaves;
    if (!json_want_object(item, err) || !read_name(item, "InstanceType", true, &row.name, err)) {
        return false;
    }
    if (!read_processor(item, &row, err) || !read_network(item, &row, err) ||
        !read_storage(item, &row, err) || !read_devices(item, &row, arena, err) ||
        !read_text(item, "Hypervisor", &hypervisor, err) ||
        !read_text(item, "NitroEnclavesSupport", &enclaves, err) ||
        !read_bool(item, "BareMetal", &row.bare_metal, err)) {
        return err_wrap(err, "type " STR_FMT, STR_ARG(row.name));
    }
    row.hypervisor = str_eq(hypervisor, STR("nitro")) ? EC2_NITRO
                     : str_eq(hypervisor, STR("xen")) ? EC2_XEN
                                                      : EC2_HYPERVISOR_NONE;
    row.nitro_enclaves = str_eq(enclaves, STR("supported"));
    row.hvm = json_object_get(item->v, "SupportedVirtualizationTypes") == NULL ||
              list_has(item, "SupportedVirtualizationTypes", STR("hvm"), NULL);
    bool any = json_object_get(item->v, "SupportedUsageClasses") == NULL;
    row.on_demand = any || list_has(item, "SupportedUsageClasses", STR("on-demand"), NULL);
    row.spot = any || list_has(item, "SupportedUsageClasses", STR("spot"), NULL);
    VEC_PUSH(arena, &rows->types, row);
    return true;
}

static bool read_offering(const struct json_at *item, struct ec2_rows *rows, struct arena *arena,
                          struct err *err)
{
    struct ec2_zone_offering row = {.type = STR_EMPTY};
    struct str kind, location;
    struct json_at at_kind = json_at_member(item, "LocationType");
    if (!json_want_object(item, err) || !read_name(item, "InstanceType", true, &row.type, err) ||
        !read_name(item, "Location", true, &location, err) ||
        !json_read_str(&at_kind, NULL, &kind, err)) {
        return false;
    }
    if (str_eq(kind, STR("availability-zone"))) {
        row.zone = location;
    } else if (str_eq(kind, STR("availability-zone-id"))) {
        row.zone_id = location;
    } else if (str_eq(kind, STR("region"))) {
        row.region = location;
    } else {
        return json_fail(err, ERR_UNSUPPORTED, &at_kind,
                         "\"" STR_FMT "\": need --location-type availability-zone",
                         STR_ARG(str_sub(kind, 0, 64)));
    }
    VEC_PUSH(arena, &rows->offerings, row);
    return true;
}

static bool read_spot(const struct json_at *item, struct ec2_rows *rows, struct arena *arena,
                      struct err *err)
{
    struct ec2_spot_price row = {.type = STR_EMPTY};
    struct json_at at_price = json_at_member(item, "SpotPrice");
    struct json_at at_time = json_at_member(item, "Timestamp");
    struct str product, time;
    struct err why;
    bool has = false;
    if (!json_want_object(item, err) || !read_name(item, "InstanceType", true, &row.type, err) ||
        !read_name(item, "AvailabilityZone", true, &row.zone, err) ||
        !read_name(item, "AvailabilityZoneId", false, &row.zone_id, err) ||
        !read_text(item, "ProductDescription", &product, err) ||
        !json_read_str(&at_time, &has, &time, err)) {
        return false;
    }
    if (has && !rfc3339_parse(time, &row.at, &why)) {
        return json_fail(err, why.code, &at_time, "%s", why.text);
    }
    if (!cat_price_parse_json(at_price.v, &row.price, &why)) {
        return json_fail(err, why.code, &at_price, "%s", why.text);
    }
    if (product.n > 0 && !str_starts(product, STR("Linux/UNIX"))) {
        rows->n_other_products++;
        return true;
    }
    VEC_PUSH(arena, &rows->spot, row);
    return true;
}

static bool read_zone(const struct json_at *item, struct ec2_rows *rows, struct arena *arena,
                      struct err *err)
{
    struct ec2_zone row = {.name = STR_EMPTY};
    if (!json_want_object(item, err) || !read_name(item, "ZoneName", true, &row.name, err) ||
        !read_name(item, "ZoneId", false, &row.id, err) ||
        !read_name(item, "RegionName", false, &row.region, err)) {
        return false;
    }
    VEC_PUSH(arena, &rows->zones, row);
    return true;
}

typedef bool read_fn(const struct json_at *item, struct ec2_rows *rows, struct arena *arena,
                     struct err *err);
static read_fn *const readers[N_LISTS] = {read_type, read_offering, read_spot, read_zone,
                                          ec2_price_read};

static bool add_list(struct ec2_rows *rows, const struct json_at *list, size_t which,
                     struct arena *arena, struct err *err)
{
    size_t n = json_at_count(list);
    size_t limit = which == 0 ? (size_t)LIMIT_INSTANCE_TYPES : (size_t)MAX_ROWS;
    if (n > limit) {
        return json_fail(err, ERR_LIMIT, list, "%zu items (the limit is %zu)", n, limit);
    }
    for (size_t i = 0; i < n; i++) {
        struct json_at item = json_at_element(list, i);
        if (!readers[which](&item, rows, arena, err)) {
            return false;
        }
    }
    return true;
}

bool ec2_rows_add(struct ec2_rows *rows, const json_t *document, struct arena *arena,
                  struct err *err)
{
    struct json_at root = json_at_root(document);
    if (json_is_array(document)) {
        size_t which = list_of_element(json_array_get(document, 0));
        return which == N_LISTS || add_list(rows, &root, which, arena, err);
    }
    for (size_t i = 0; i < N_LISTS; i++) {
        struct json_at list = json_at_member(&root, lists[i]);
        if (!json_want_array(&list, err) || !add_list(rows, &list, i, arena, err)) {
            return false;
        }
    }
    return true;
}
