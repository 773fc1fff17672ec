/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "binpack/catalog/write.h"

#include <stdlib.h>

#include "base/arena.h"
#include "base/qty.h"
#include "base/rfc3339.h"
#include "binpack/catalog/overhead.h"

struct writing {
    struct jsonw *w;
    const struct catalog *catalog;
    const struct strtab *tab;
    const struct k8s_words *words;
    const struct cat_settings *settings;
    struct arena *scratch;
};

struct named { /* a member, to be sorted by key */
    struct str key, value;
    strid id;
    int64_t amount;
};

static int by_key(const void *a, const void *b)
{
    const struct named *x = a, *y = b;
    return str_cmp(x->key, y->key);
}

static void write_amount(const struct writing *to, const struct named *at)
{
    char text[QTY_TEXT_MAX];
    const struct k8s_words *words = to->words;
    bool bytes = at->id == words->memory || at->id == words->ephemeral_storage;
    jsonw_key(to->w, at->key);
    jsonw_str(to->w, qty_format(at->amount, at->id == words->cpu ? QTY_MILLI : QTY_BASE,
                                bytes ? QTY_BINARY : QTY_DECIMAL, text));
}

static bool is_core(const struct k8s_words *words, strid resource)
{
    return resource == words->cpu || resource == words->memory || resource == words->pods ||
           resource == words->ephemeral_storage;
}

static void write_amounts(const struct writing *to, const char *key,
                          const struct k8s_resources *amounts, bool extended_only)
{
    struct named *all = ARENA_ARRAY(to->scratch, struct named, amounts->n);
    size_t n = 0;
    for (uint32_t i = 0; i < amounts->n; i++) {
        const struct k8s_quantity *q = &amounts->v[i];
        if (extended_only && is_core(to->words, q->resource)) {
            continue;
        }
        all[n++] = (struct named){
            .key = strtab_str(to->tab, q->resource), .id = q->resource, .amount = q->value};
    }
    qsort(all, n, sizeof *all, by_key);
    jsonw_key_object(to->w, key);
    for (size_t i = 0; i < n; i++) {
        write_amount(to, &all[i]);
    }
    jsonw_object_end(to->w);
}

static void write_labels(const struct writing *to, const struct k8s_pairs *labels)
{
    struct named *all = ARENA_ARRAY(to->scratch, struct named, labels->n);
    for (uint32_t i = 0; i < labels->n; i++) {
        all[i] = (struct named){.key = strtab_str(to->tab, labels->v[i].key),
                                .value = strtab_str(to->tab, labels->v[i].value)};
    }
    qsort(all, labels->n, sizeof *all, by_key);
    jsonw_key_object(to->w, "labels");
    for (uint32_t i = 0; i < labels->n; i++) {
        jsonw_key(to->w, all[i].key);
        jsonw_str(to->w, all[i].value);
    }
    jsonw_object_end(to->w);
}

static void write_attach_limits(const struct writing *to, const struct cat_type *type)
{
    struct cat_room room;
    if (type->n_attach_limits == 0) {
        return;
    }
    cat_type_room(type, NULL, &CAT_SETTINGS_DEFAULT, to->tab, to->words, to->scratch, &room);
    struct named *all = ARENA_ARRAY(to->scratch, struct named, room.n_attach_limits);
    for (uint32_t i = 0; i < room.n_attach_limits; i++) {
        all[i] = (struct named){.key = strtab_str(to->tab, room.attach_limits[i].driver),
                                .amount = room.attach_limits[i].count};
    }
    qsort(all, room.n_attach_limits, sizeof *all, by_key);
    jsonw_key_object(to->w, "attachLimits");
    for (uint32_t i = 0; i < room.n_attach_limits; i++) {
        jsonw_key(to->w, all[i].key);
        jsonw_i64(to->w, all[i].amount);
    }
    jsonw_object_end(to->w);
}

static void write_offerings(const struct writing *to, const struct cat_type *type)
{
    jsonw_key_array(to->w, "offerings");
    for (uint32_t i = 0; i < type->n_offerings; i++) {
        const struct cat_offering *at = &type->offerings[i];
        jsonw_object_begin(to->w);
        jsonw_key_str(to->w, "zone", strtab_str(to->tab, to->catalog->zones[at->zone_i].name));
        jsonw_key_str(to->w, "capacityType", str_of(cat_capacity_type_name(at->capacity_type)));
        if (at->price.has) {
            jsonw_key_usd(to->w, "usdPerHour", at->price.v);
        }
        jsonw_key_bool(to->w, "available", at->available);
        if (!at->available && at->retry_at != 0) {
            char text[RFC3339_TEXT_MAX];
            jsonw_key_str(to->w, "retryAt", rfc3339_format(at->retry_at, text));
        }
        if (at->capacity_type == CAT_RESERVED) {
            jsonw_key_str(to->w, "reservationId", strtab_str(to->tab, at->reservation_id));
            jsonw_key_i64(to->w, "reservationCapacity", at->reservation_count);
        }
        jsonw_object_end(to->w);
    }
    jsonw_array_end(to->w);
}

static void write_figures(const struct writing *to, const struct cat_type *type)
{
    const struct k8s_words *words = to->words;
    struct jsonw *w = to->w;
    jsonw_key_str(w, "name", strtab_str(to->tab, type->name));
    jsonw_key_str(w, "arch", strtab_str(to->tab, type->arch));
    jsonw_key_array(w, "os");
    if ((type->os & CAT_LINUX) != 0) {
        jsonw_str(w, STR("linux"));
    }
    if ((type->os & CAT_WINDOWS) != 0) {
        jsonw_str(w, STR("windows"));
    }
    jsonw_array_end(w);
    jsonw_key_i64(w, "vcpu", type->vcpu);
    jsonw_key_i64(w, "memoryMiB", type->memory_bytes / CAT_MIB);
    jsonw_key_i64(w, "maxPods", k8s_resources_get(&type->capacity, words->pods));
    /* The field is about NVMe disks, and implies their label; old types have other ones. */
    strid nvme = strtab_find(to->tab, STR("karpenter.k8s.aws/instance-local-nvme"));
    bool has_nvme = nvme != STRID_NONE && k8s_pairs_get(&type->labels, nvme) != STRID_NONE;
    jsonw_key_i64(w, "localNvmeGB", has_nvme ? type->local_nvme_bytes / 1000000000 : 0);
    jsonw_key_i64(w, "enis", type->enis);
    jsonw_key_i64(w, "ipv4PerEni", type->ipv4_per_eni);
}

/* What nodes have shown of the type, by image. */
static void write_observed(const struct writing *to, const struct cat_type *type)
{
    const struct cat_settings *s = to->settings;
    bool begun = false;
    for (uint32_t i = 0; i < s->n_observed; i++) {
        char text[QTY_TEXT_MAX];
        if (s->observed[i].type != type->name) {
            continue;
        }
        if (!begun) {
            jsonw_key_array(to->w, "observed");
        }
        begun = true;
        jsonw_object_begin(to->w);
        jsonw_key_str(to->w, "imageId", s->observed[i].image_id);
        jsonw_key_str(to->w, "memory",
                      qty_format(s->observed[i].memory_bytes, QTY_BASE, QTY_BINARY, text));
        jsonw_object_end(to->w);
    }
    if (begun) {
        jsonw_array_end(to->w);
    }
}

void cat_write_type(struct jsonw *w, const struct catalog *catalog, const struct cat_type *type,
                    const struct cat_settings *settings, const struct strtab *tab,
                    const struct k8s_words *words)
{
    auto_arena scratch = ARENA_INIT;
    const struct writing to = {.w = w,
                               .catalog = catalog,
                               .tab = tab,
                               .words = words,
                               .settings = settings,
                               .scratch = &scratch};
    jsonw_object_begin(w);
    write_figures(&to, type);
    write_amounts(&to, "extendedResources", &type->capacity, /* extended_only= */ true);
    write_amounts(&to, "capacity", &type->capacity, /* extended_only= */ false);
    jsonw_key_object(w, "overhead");
    write_amounts(&to, "kubeReserved", &type->kube_reserved, /* extended_only= */ false);
    write_amounts(&to, "systemReserved", &type->system_reserved, /* extended_only= */ false);
    write_amounts(&to, "evictionThreshold", &type->eviction, /* extended_only= */ false);
    jsonw_object_end(w);
    write_amounts(&to, "allocatable", &type->allocatable, /* extended_only= */ false);
    write_attach_limits(&to, type);
    write_labels(&to, &type->labels);
    write_offerings(&to, type);
    write_observed(&to, type);
    jsonw_object_end(w);
}

void cat_write_json(struct jsonw *w, const struct catalog *catalog,
                    const struct cat_settings *settings, const struct strtab *tab,
                    const struct k8s_words *words)
{
    jsonw_object_begin(w);
    jsonw_key_str(w, "apiVersion", STR("binpack/v1"));
    jsonw_key_str(w, "kind", STR("Catalog"));
    jsonw_key_str(w, "name", catalog->name);
    if (catalog->region != STRID_EMPTY) {
        jsonw_key_str(w, "region", strtab_str(tab, catalog->region));
    }
    if (catalog->as_of.n > 0) {
        jsonw_key_str(w, "asOf", catalog->as_of);
    }
    if (catalog->spot_source.n > 0) {
        jsonw_key_str(w, "spotSource", catalog->spot_source);
    }
    jsonw_key_str(w, "currency", STR("USD"));
    jsonw_key_array(w, "zones");
    for (uint32_t i = 0; i < catalog->n_zones; i++) {
        jsonw_object_begin(w);
        jsonw_key_str(w, "name", strtab_str(tab, catalog->zones[i].name));
        if (catalog->zones[i].id != STRID_EMPTY) {
            jsonw_key_str(w, "id", strtab_str(tab, catalog->zones[i].id));
        }
        jsonw_object_end(w);
    }
    jsonw_array_end(w);
    jsonw_key_array(w, "instanceTypes");
    for (uint32_t i = 0; i < catalog->n_types; i++) {
        cat_write_type(w, catalog, &catalog->types[i], settings, tab, words);
    }
    jsonw_array_end(w);
    jsonw_object_end(w);
}
