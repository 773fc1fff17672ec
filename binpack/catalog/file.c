/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "binpack/catalog/file.h"

#include <string.h>

#include "base/arena.h"
#include "base/limits.h"
#include "base/qty.h"
#include "binpack/catalog/price.h"

enum {
    MAX_RESOURCES = 64, /* in one map of a type */
    MAX_LABELS = 256
};

static struct str view(const json_t *string)
{
    return (struct str){.p = json_string_value(string), .n = json_string_length(string)};
}

bool cat_read_word(const struct json_at *at, size_t max, struct strtab *tab, bool *ret_has,
                   strid *ret_word, struct err *err)
{
    struct str text;
    bool has = false;
    if (!json_read_str(at, ret_has == NULL ? NULL : &has, &text, err)) {
        return false;
    }
    if (ret_has != NULL) {
        *ret_has = has;
        if (!has) {
            *ret_word = STRID_EMPTY;
            return true;
        }
    }
    bool printable = true;
    for (size_t i = 0; i < text.n && printable; i++) {
        printable = text.p[i] > ' ' && text.p[i] != 0x7f;
    }
    if (text.n == 0 || text.n > max || !printable) {
        return json_fail(err, ERR_INVALID, at,
                         "\"" STR_FMT "\" is not a name of 1 to %zu printable bytes",
                         STR_ARG(str_sub(text, 0, 64)), max);
    }
    *ret_word = strtab_add(tab, text);
    return true;
}

bool cat_read_amounts(const struct json_at *at, struct cat_builder *builder,
                      enum cat_rounding rounding, struct cat_amounts *ret_amounts, struct err *err)
{
    const char *key;
    json_t *value;
    if (!json_want_object(at, err)) {
        return false;
    }
    if (at->v == NULL) {
        return true;
    }
    if (json_at_count(at) > MAX_RESOURCES) {
        return json_fail(err, ERR_LIMIT, at, "%zu resources (the limit is %d)", json_at_count(at),
                         MAX_RESOURCES);
    }
    ret_amounts->present = true;
    json_object_foreach((json_t *)at->v, key, value)
    {
        struct json_at item = json_at_named(at, str_of(key), value);
        struct err why;
        int64_t amount = 0;
        enum qty_unit unit = strcmp(key, "cpu") == 0 ? QTY_MILLI : QTY_BASE;
        if (strlen(key) == 0 || strlen(key) > LIMIT_LABEL_KEY_BYTES) {
            return json_fail(err, ERR_INVALID, &item, "not the name of a resource");
        }
        if (!qty_parse_json(value, unit, rounding == CAT_ROUND_UP ? QTY_UP : QTY_DOWN, &amount,
                            &why)) {
            return json_fail(err, why.code, &item, "%s", why.text);
        }
        if (amount < 0) {
            return json_fail(err, ERR_INVALID, &item, "must not be negative");
        }
        cat_amounts_set(ret_amounts, builder->scratch, strtab_add(builder->tab, str_of(key)),
                        amount);
    }
    return true;
}

bool cat_builder_region(struct cat_builder *builder, struct str region, struct err *err)
{
    strid id = strtab_add(builder->tab, region);
    if (id == STRID_EMPTY || id == builder->region) {
        return true;
    }
    if (builder->region != STRID_EMPTY) {
        return err_set(err, ERR_CONFLICT,
                       "region " STR_FMT ", but an earlier catalogue is of " STR_FMT,
                       STR_ARG(region), STR_ARG(strtab_str(builder->tab, builder->region)));
    }
    builder->region = id;
    return true;
}

/* ---------------------------------------------------------------- one type */

static bool read_os(const struct json_at *type, uint32_t *ret_os, struct err *err)
{
    struct json_at list = json_at_member(type, "os");
    if (!json_want_array(&list, err)) {
        return false;
    }
    for (size_t i = 0; i < json_at_count(&list); i++) {
        struct json_at item = json_at_element(&list, i);
        struct str word;
        if (!json_read_str(&item, NULL, &word, err)) {
            return false;
        }
        if (str_eq(word, STR("linux"))) {
            *ret_os |= CAT_LINUX;
        } else if (str_eq(word, STR("windows"))) {
            *ret_os |= CAT_WINDOWS;
        } else {
            return json_fail(err, ERR_INVALID, &item,
                             "\"" STR_FMT "\" is neither linux nor windows",
                             STR_ARG(str_sub(word, 0, 64)));
        }
    }
    return true;
}

static bool read_arch(const struct json_at *type, struct str *ret_arch, struct err *err)
{
    struct json_at at = json_at_member(type, "arch");
    struct str arch;
    bool has = false;
    if (!json_read_str(&at, &has, &arch, err)) {
        return false;
    }
    if (!has || str_eq(arch, STR("amd64")) || str_eq(arch, STR("x86_64"))) {
        *ret_arch = STR("amd64");
        return true;
    }
    if (str_eq(arch, STR("arm64"))) {
        *ret_arch = STR("arm64");
        return true;
    }
    return json_fail(err, ERR_INVALID, &at, "\"" STR_FMT "\" is neither amd64 nor arm64",
                     STR_ARG(str_sub(arch, 0, 64)));
}

static bool read_figures(const struct json_at *type, struct cat_draft *draft, struct err *err)
{
    const struct {
        const char *key;
        int64_t max, *to;
    } figures[] = {
        {"vcpu", CAT_MAX_VCPU, &draft->row.vcpu},
        {"memoryMiB", CAT_MAX_MIB, &draft->row.memory_mib},
        {"localNvmeGB", CAT_MAX_COUNT, &draft->row.local_gb},
        {"enis", CAT_MAX_COUNT, &draft->row.enis},
        {"ipv4PerEni", CAT_MAX_COUNT, &draft->row.ipv4_per_eni},
        {"maxPods", CAT_MAX_COUNT, &draft->max_pods.v},
    };
    for (size_t i = 0; i < sizeof figures / sizeof *figures; i++) {
        struct json_at at = json_at_member(type, figures[i].key);
        bool has = false;
        if (!json_read_i64(&at, 0, figures[i].max, &has, figures[i].to, err)) {
            return false;
        }
        if (figures[i].to == &draft->max_pods.v) {
            draft->max_pods.has = has;
        }
        draft->describes = draft->describes || (has && i < 2);
    }
    draft->row.local_storage_nvme = draft->row.local_gb > 0;
    return true;
}

/* The maker in the name of the resource: "nvidia.com/gpu" -> "nvidia". */
static struct str maker_of(struct str resource)
{
    struct str domain = str_sub(resource, 0, str_find(resource, '/'));
    return str_starts(domain, STR("aws.")) ? STR("aws") : str_sub(domain, 0, str_find(domain, '.'));
}

static bool read_device(const struct json_at *item, struct cat_builder *builder,
                        struct cat_draft *draft, struct ec2_device *device, struct err *err)
{
    struct json_at at_resource = json_at_member(item, "resource");
    struct json_at at_count = json_at_member(item, "count");
    struct json_at at_name = json_at_member(item, "name");
    struct json_at at_memory = json_at_member(item, "memoryMiB");
    bool has_resource = false, has_count = false, has = false;
    strid resource = STRID_EMPTY;
    if (!json_want_object(item, err) ||
        !cat_read_word(&at_resource, LIMIT_LABEL_KEY_BYTES, builder->tab, &has_resource, &resource,
                       err) ||
        !json_read_i64(&at_count, 0, CAT_MAX_COUNT, &has_count, &device->count, err) ||
        !json_read_str(&at_name, &has, &device->name, err) ||
        !json_read_i64(&at_memory, 0, CAT_MAX_MIB, &has, &device->memory_mib, err)) {
        return false;
    }
    if (!has_count) {
        device->count = 1;
    }
    if (!has_resource) {
        resource = builder->names.nvidia_gpu;
    }
    struct str text = strtab_str(builder->tab, resource);
    device->manufacturer = maker_of(text);
    device->kind = str_starts(text, STR("aws.amazon.com/")) ? EC2_INFERENCE : EC2_GPU;
    if (device->count > 0) {
        int64_t sum = sat_add(cat_amounts_get(&draft->extended, resource), device->count);
        cat_amounts_set(&draft->extended, builder->scratch, resource, sum);
    }
    return true;
}

/* A number of nvidia.com/gpu, or a list of devices with resource, count, name and memoryMiB. */
static bool read_gpus(const struct json_at *type, struct cat_builder *builder,
                      struct cat_draft *draft, struct err *err)
{
    struct json_at at = json_at_member(type, "gpus");
    if (at.v == NULL || json_is_number(at.v)) {
        int64_t count = 0;
        bool has = false;
        if (!json_read_i64(&at, 0, CAT_MAX_COUNT, &has, &count, err)) {
            return false;
        }
        if (count > 0) {
            cat_amounts_set(&draft->extended, builder->scratch, builder->names.nvidia_gpu, count);
        }
        return true;
    }
    size_t n = json_at_count(&at);
    if (!json_want_array(&at, err)) {
        return false;
    }
    if (n > MAX_RESOURCES) {
        return json_fail(err, ERR_LIMIT, &at, "%zu devices (the limit is %d)", n, MAX_RESOURCES);
    }
    struct ec2_device *devices = ARENA_ARRAY(builder->scratch, struct ec2_device, n);
    for (size_t i = 0; i < n; i++) {
        struct json_at item = json_at_element(&at, i);
        if (!read_device(&item, builder, draft, &devices[i], err)) {
            return false;
        }
    }
    draft->row.n_devices = (uint32_t)n;
    draft->row.devices = devices;
    return true;
}

static bool read_labels(const struct json_at *type, struct cat_builder *builder,
                        struct cat_draft *draft, struct err *err)
{
    struct json_at at = json_at_member(type, "labels");
    const char *key;
    json_t *value;
    if (!json_want_object(&at, err)) {
        return false;
    }
    if (json_at_count(&at) > MAX_LABELS) {
        return json_fail(err, ERR_LIMIT, &at, "%zu labels (the limit is %d)", json_at_count(&at),
                         MAX_LABELS);
    }
    json_object_foreach((json_t *)at.v, key, value)
    {
        struct json_at item = json_at_named(&at, str_of(key), value);
        struct str text;
        if (!json_read_str(&item, NULL, &text, err)) {
            return false;
        }
        if (strlen(key) == 0 || strlen(key) > LIMIT_LABEL_KEY_BYTES ||
            text.n > LIMIT_LABEL_VALUE_BYTES) {
            return json_fail(err, ERR_INVALID, &item,
                             "\"" STR_FMT "\" is not a label (key up to %d bytes, value up to %d)",
                             STR_ARG(str_sub(text, 0, 80)), LIMIT_LABEL_KEY_BYTES,
                             LIMIT_LABEL_VALUE_BYTES);
        }
        cat_labels_set(&draft->labels, builder->scratch, strtab_add(builder->tab, str_of(key)),
                       strtab_add(builder->tab, text));
    }
    return true;
}

static bool read_attach_limits(const struct json_at *type, struct cat_builder *builder,
                               struct cat_draft *draft, struct err *err)
{
    struct json_at at = json_at_member(type, "attachLimits");
    const char *key;
    json_t *value;
    if (!json_want_object(&at, err)) {
        return false;
    }
    draft->has_attach_limits = at.v != NULL;
    if (json_at_count(&at) > MAX_RESOURCES) {
        return json_fail(err, ERR_LIMIT, &at, "%zu drivers (the limit is %d)", json_at_count(&at),
                         MAX_RESOURCES);
    }
    json_object_foreach((json_t *)at.v, key, value)
    {
        struct json_at item = json_at_named(&at, str_of(key), value);
        int64_t count = 0;
        if (!json_read_i64(&item, 0, CAT_MAX_COUNT, NULL, &count, err)) {
            return false;
        }
        VEC_PUSH(builder->scratch, &draft->attach_limits,
                 (struct cat_attach_limit){.driver = strtab_add(builder->tab, str_of(key)),
                                           .count = count});
    }
    return true;
}

static bool read_maps(const struct json_at *type, struct cat_builder *builder,
                      struct cat_draft *draft, struct err *err)
{
    struct json_at capacity = json_at_member(type, "capacity");
    struct json_at allocatable = json_at_member(type, "allocatable");
    struct json_at extended = json_at_member(type, "extendedResources");
    struct json_at overhead = json_at_member(type, "overhead");
    struct json_at kube = json_at_member(&overhead, "kubeReserved");
    struct json_at system = json_at_member(&overhead, "systemReserved");
    struct json_at eviction = json_at_member(&overhead, "evictionThreshold");
    const struct {
        const struct json_at *from;
        enum cat_rounding rounding;
        struct cat_amounts *to;
    } maps[] = {
        {&capacity, CAT_ROUND_DOWN, &draft->capacity},
        {&allocatable, CAT_ROUND_DOWN, &draft->allocatable},
        {&extended, CAT_ROUND_DOWN, &draft->extended},
        {&kube, CAT_ROUND_UP, &draft->kube_reserved},
        {&system, CAT_ROUND_UP, &draft->system_reserved},
        {&eviction, CAT_ROUND_UP, &draft->eviction},
    };
    if (!json_want_object(&overhead, err)) {
        return false;
    }
    for (size_t i = 0; i < sizeof maps / sizeof *maps; i++) {
        if (!cat_read_amounts(maps[i].from, builder, maps[i].rounding, maps[i].to, err)) {
            return false;
        }
    }
    /* An empty `allocatable` states nothing; an empty overhead states that nothing is held back. */
    draft->allocatable.present = draft->allocatable.all.n > 0;
    draft->describes =
        draft->describes || draft->allocatable.all.n > 0 || draft->capacity.all.n > 0;
    return true;
}

/* ---------------------------------------------------------------- offerings */

static bool read_capacity_type(const struct json_at *offering, enum cat_capacity_type *ret_type,
                               struct err *err)
{
    struct json_at at = json_at_member(offering, "capacityType");
    struct str word;
    if (!json_read_str(&at, NULL, &word, err)) {
        return false;
    }
    for (enum cat_capacity_type type = CAT_RESERVED; type <= CAT_ON_DEMAND; type++) {
        if (str_eq(word, str_of(cat_capacity_type_name(type)))) {
            *ret_type = type;
            return true;
        }
    }
    return json_fail(err, ERR_INVALID, &at, "\"" STR_FMT "\" is none of on-demand, spot, reserved",
                     STR_ARG(str_sub(word, 0, 64)));
}

static bool read_price(const struct json_at *offering, struct opt_usd *ret_price, struct err *err)
{
    struct json_at at = json_at_member(offering, "usdPerHour");
    struct json_at old = json_at_member(offering, "price");
    const struct json_at *used = at.v != NULL ? &at : &old;
    struct err why;
    if (used->v == NULL) {
        return true; /* unknown: listed, never bought */
    }
    ret_price->has = true;
    return cat_price_parse_json(used->v, &ret_price->v, &why) ||
           json_fail(err, why.code, used, "%s", why.text);
}

static bool read_reservation(const struct json_at *item, struct cat_builder *builder,
                             struct cat_draft_offering *offering, struct err *err)
{
    struct json_at at_id = json_at_member(item, "reservationId");
    struct json_at at_count = json_at_member(item, "reservationCapacity");
    int64_t count = 0;
    if (offering->capacity_type != CAT_RESERVED) {
        return true;
    }
    if (!cat_read_word(&at_id, LIMIT_LABEL_VALUE_BYTES, builder->tab, NULL,
                       &offering->reservation_id, err) ||
        !json_read_i64(&at_count, 0, CAT_MAX_COUNT, NULL, &count, err)) {
        return false;
    }
    offering->reservation_count = (uint32_t)count;
    return true;
}

static bool read_offerings(const struct json_at *type, struct cat_builder *builder,
                           struct cat_draft *draft, struct err *err)
{
    struct json_at list = json_at_member(type, "offerings");
    size_t n = json_at_count(&list);
    if (!json_want_array(&list, err)) {
        return false;
    }
    if (n > LIMIT_LIST_ITEMS) {
        return json_fail(err, ERR_LIMIT, &list, "%zu offerings (the limit is %d)", n,
                         LIMIT_LIST_ITEMS);
    }
    for (size_t i = 0; i < n; i++) {
        struct json_at item = json_at_element(&list, i);
        struct json_at zone = json_at_member(&item, "zone");
        struct json_at available = json_at_member(&item, "available");
        struct cat_draft_offering offering = {.document_i = draft->document_i};
        bool has = false;
        if (!json_want_object(&item, err) ||
            !cat_read_word(&zone, LIMIT_LABEL_VALUE_BYTES, builder->tab, NULL, &offering.zone,
                           err) ||
            !read_capacity_type(&item, &offering.capacity_type, err) ||
            !read_price(&item, &offering.price, err) ||
            !json_read_bool(&available, &has, &offering.available, err) ||
            !read_reservation(&item, builder, &offering, err)) {
            return false;
        }
        offering.available = offering.available || !has;
        cat_builder_zone(builder, offering.zone, STRID_EMPTY);
        VEC_PUSH(builder->scratch, &draft->offerings, offering);
    }
    return true;
}

static bool read_type(const struct json_at *type, struct cat_builder *builder, uint32_t document_i,
                      struct err *err)
{
    struct cat_draft draft = {.document_i = document_i};
    struct json_at name = json_at_member(type, "name");
    if (!json_want_object(type, err) ||
        !cat_read_word(&name, LIMIT_LABEL_VALUE_BYTES, builder->tab, NULL, &draft.name, err)) {
        return false;
    }
    draft.row.name = strtab_str(builder->tab, draft.name);
    draft.row.hvm = draft.row.on_demand = draft.row.spot = true;
    if (!read_os(type, &draft.os, err) || !read_arch(type, &draft.row.arch, err) ||
        !read_figures(type, &draft, err) || !read_maps(type, builder, &draft, err) ||
        !read_gpus(type, builder, &draft, err) || !read_labels(type, builder, &draft, err) ||
        !read_attach_limits(type, builder, &draft, err) ||
        !read_offerings(type, builder, &draft, err)) {
        return err_wrap(err, "type " STR_FMT, STR_ARG(draft.row.name));
    }
    VEC_PUSH(builder->scratch, &builder->drafts, draft);
    return true;
}

/* ---------------------------------------------------------------- document */

bool cat_file_is_catalog(const json_t *document)
{
    json_t *kind = json_object_get(document, "kind");
    return (json_is_string(kind) && str_eq(view(kind), STR("Catalog"))) ||
           json_object_get(document, "instanceTypes") != NULL;
}

static bool read_header(const struct json_at *root, struct cat_builder *builder, struct err *err)
{
    struct json_at api = json_at_member(root, "apiVersion");
    struct json_at currency = json_at_member(root, "currency");
    struct json_at name = json_at_member(root, "name");
    struct json_at as_of = json_at_member(root, "asOf");
    struct json_at spot = json_at_member(root, "spotSource");
    struct json_at at_region = json_at_member(root, "region");
    struct str text;
    strid region = STRID_EMPTY;
    bool has = false;
    if (!json_read_str(&api, &has, &text, err)) {
        return false;
    }
    if (has && !str_eq(text, STR("binpack/v1"))) {
        return json_fail(err, ERR_UNSUPPORTED, &api, "\"" STR_FMT "\" is not binpack/v1",
                         STR_ARG(str_sub(text, 0, 64)));
    }
    if (!json_read_str(&currency, &has, &text, err)) {
        return false;
    }
    if (has && !str_eq(text, STR("USD"))) {
        return json_fail(err, ERR_UNSUPPORTED, &currency, "\"" STR_FMT "\": prices must be in USD",
                         STR_ARG(str_sub(text, 0, 64)));
    }
    if (!json_read_str(&name, &has, &text, err)) {
        return false;
    }
    builder->name = has && builder->name.n == 0 ? str_copy(builder->arena, str_sub(text, 0, 253))
                                                : builder->name;
    if (!json_read_str(&as_of, &has, &text, err)) {
        return false;
    }
    builder->as_of = has && builder->as_of.n == 0 ? str_copy(builder->arena, str_sub(text, 0, 63))
                                                  : builder->as_of;
    if (!json_read_str(&spot, &has, &text, err)) {
        return false;
    }
    builder->spot_source =
        has ? str_copy(builder->arena, str_sub(text, 0, 512)) : builder->spot_source;
    return cat_read_word(&at_region, LIMIT_LABEL_VALUE_BYTES, builder->tab, &has, &region, err) &&
           cat_builder_region(builder, strtab_str(builder->tab, region), err);
}

static bool read_zones(const struct json_at *root, struct cat_builder *builder, struct err *err)
{
    struct json_at list = json_at_member(root, "zones");
    if (!json_want_array(&list, err)) {
        return false;
    }
    if (json_at_count(&list) > LIMIT_ZONES) {
        return json_fail(err, ERR_LIMIT, &list, "%zu zones (the limit is %d)", json_at_count(&list),
                         LIMIT_ZONES);
    }
    for (size_t i = 0; i < json_at_count(&list); i++) {
        struct json_at item = json_at_element(&list, i);
        struct json_at at_name = json_at_member(&item, "name");
        struct json_at at_id = json_at_member(&item, "id");
        strid name = STRID_EMPTY, id = STRID_EMPTY;
        bool has = false;
        if (json_is_string(item.v)) {
            if (!cat_read_word(&item, LIMIT_LABEL_VALUE_BYTES, builder->tab, NULL, &name, err)) {
                return false;
            }
        } else if (!json_want_object(&item, err) ||
                   !cat_read_word(&at_name, LIMIT_LABEL_VALUE_BYTES, builder->tab, NULL, &name,
                                  err) ||
                   !cat_read_word(&at_id, LIMIT_LABEL_VALUE_BYTES, builder->tab, &has, &id, err)) {
            return false;
        }
        cat_builder_zone(builder, name, id);
    }
    return true;
}

bool cat_file_add(struct cat_builder *builder, const json_t *document, uint32_t document_i,
                  struct err *err)
{
    struct json_at root = json_at_root(document);
    struct json_at list = json_at_member(&root, "instanceTypes");
    size_t n = json_at_count(&list);
    if (!read_header(&root, builder, err) || !read_zones(&root, builder, err) ||
        !json_want_array(&list, err)) {
        return false;
    }
    if (n > LIMIT_INSTANCE_TYPES) {
        return json_fail(err, ERR_LIMIT, &list, "%zu instance types (the limit is %d)", n,
                         LIMIT_INSTANCE_TYPES);
    }
    for (size_t i = 0; i < n; i++) {
        struct json_at item = json_at_element(&list, i);
        if (!read_type(&item, builder, document_i, err)) {
            return false;
        }
    }
    return true;
}
