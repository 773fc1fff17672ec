/* SPDX-License-Identifier: GPL-3.0-or-later */
/* instance_types.json of Karpenter's KWOK provider (kubernetes-sigs/karpenter, kwok/cloudprovider):
 * invented machines with stated resources, of which 100m CPU and 10Mi are kept back, and offerings
 * in two spellings. */
#include <stdio.h>
#include <string.h>

#include "base/arena.h"
#include "base/limits.h"
#include "binpack/catalog/file.h"
#include "binpack/catalog/overhead.h"
#include "binpack/catalog/price.h"

#define KWOK "karpenter.kwok.sh/instance-"

bool cat_kwok_is_list(const json_t *document)
{
    const json_t *first = json_array_get(document, 0);
    return json_object_get(first, "resources") != NULL && json_object_get(first, "name") != NULL;
}

/* "CapacityType" and "capacityType": Go reads either. */
static struct json_at either(const struct json_at *object, const char *upper, const char *lower)
{
    struct json_at at = json_at_member(object, upper);
    return at.v != NULL ? at : json_at_member(object, lower);
}

/* The one value of a label in [{"key":...,"operator":"In","values":[...]}], or NULL. */
static const json_t *required_value(const struct json_at *offering, const char *label)
{
    struct json_at list = either(offering, "Requirements", "requirements");
    for (size_t i = 0; i < json_array_size(list.v); i++) {
        const json_t *item = json_array_get(list.v, i);
        const char *key = json_string_value(json_object_get(item, "key"));
        const json_t *values = json_object_get(item, "values");
        if (key != NULL && strcmp(key, label) == 0 && json_array_size(values) == 1) {
            return json_array_get(values, 0);
        }
    }
    return NULL;
}

static bool read_capacity_type(const struct json_at *at, enum cat_capacity_type *ret_type,
                               struct err *err)
{
    struct str word;
    if (!json_read_str(at, NULL, &word, err)) {
        return false;
    }
    if (str_eq(word, STR("spot")) || str_eq(word, STR("on-demand"))) {
        *ret_type = str_eq(word, STR("spot")) ? CAT_SPOT : CAT_ON_DEMAND;
        return true;
    }
    return json_fail(err, ERR_INVALID, at, "\"" STR_FMT "\" is neither on-demand nor spot",
                     STR_ARG(str_sub(word, 0, 64)));
}

static bool read_offering(const struct json_at *item, struct cat_builder *builder,
                          struct cat_draft *draft, struct err *err)
{
    struct json_at price = either(item, "Price", "price");
    struct json_at zone = either(item, "Zone", "zone");
    struct json_at capacity_type = either(item, "CapacityType", "capacityType");
    const json_t *required = required_value(item, "topology.kubernetes.io/zone");
    if (zone.v == NULL && required != NULL) {
        zone.v = required;
    }
    required = required_value(item, "karpenter.sh/capacity-type");
    if (capacity_type.v == NULL && required != NULL) {
        capacity_type.v = required;
    }
    /* karp: the provider sets every offering available, whatever the file says. */
    struct cat_draft_offering offering = {.document_i = draft->document_i, .available = true};
    struct err why;
    if (!json_want_object(item, err) ||
        !cat_read_word(&zone, LIMIT_LABEL_VALUE_BYTES, builder->tab, NULL, &offering.zone, err) ||
        !read_capacity_type(&capacity_type, &offering.capacity_type, err)) {
        return false;
    }
    if (!cat_price_parse_json(price.v, &offering.price.v, &why)) {
        return json_fail(err, why.code, &price, "%s", why.text);
    }
    offering.price.has = true;
    cat_builder_zone(builder, offering.zone, STRID_EMPTY);
    VEC_PUSH(builder->scratch, &draft->offerings, offering);
    return true;
}

static bool read_offerings(const struct json_at *type, struct cat_builder *builder,
                           struct cat_draft *draft, struct err *err)
{
    struct json_at list = json_at_member(type, "offerings");
    if (!json_want_array(&list, err)) {
        return false;
    }
    if (json_at_count(&list) > LIMIT_LIST_ITEMS) {
        return json_fail(err, ERR_LIMIT, &list, "%zu offerings (the limit is %d)",
                         json_at_count(&list), LIMIT_LIST_ITEMS);
    }
    for (size_t i = 0; i < json_at_count(&list); i++) {
        struct json_at item = json_at_element(&list, i);
        if (!read_offering(&item, builder, draft, err)) {
            return false;
        }
    }
    return true;
}

/* ["linux"] or {"linux":{}}. */
static bool read_os(const struct json_at *type, struct cat_draft *draft, struct err *err)
{
    struct json_at at = json_at_member(type, "operatingSystems");
    const struct {
        const char *word;
        uint32_t os;
    } systems[] = {{"linux", CAT_LINUX}, {"windows", CAT_WINDOWS}};
    if (at.v != NULL && !json_is_array(at.v) && !json_is_object(at.v)) {
        return json_fail(err, ERR_INVALID, &at, "expected a list of operating systems");
    }
    for (size_t k = 0; k < 2; k++) {
        bool has = json_object_get(at.v, systems[k].word) != NULL;
        for (size_t i = 0; i < json_array_size(at.v); i++) {
            const char *word = json_string_value(json_array_get(at.v, i));
            has = has || (word != NULL && strcmp(word, systems[k].word) == 0);
        }
        draft->os |= has ? systems[k].os : 0;
    }
    return draft->os != 0 || at.v == NULL ||
           json_fail(err, ERR_INVALID, &at, "neither linux nor windows");
}

static void label(struct cat_builder *builder, struct cat_draft *draft, struct str key,
                  struct str value)
{
    cat_labels_set(&draft->labels, builder->scratch, strtab_add(builder->tab, key),
                   strtab_add(builder->tab, str_sub(value, 0, LIMIT_LABEL_VALUE_BYTES)));
}

/* karp: kwok/cloudprovider/helpers.go: the size of "m5.large" is large, of anything else its cpu;
 * the family ends at the first
 * '.' or '-'. */
static void kwok_labels(struct cat_builder *builder, struct cat_draft *draft,
                        const struct json_at *resources)
{
    struct str name = draft->row.name;
    const json_t *cpu = json_object_get(resources->v, "cpu");
    const json_t *memory = json_object_get(resources->v, "memory");
    char number[24];
    struct str cpu_text = {.p = json_string_value(cpu), .n = json_string_length(cpu)};
    if (json_is_integer(cpu)) {
        int n = snprintf(number, sizeof number, "%lld", (long long)json_integer_value(cpu));
        cpu_text = (struct str){.p = number, .n = (size_t)n};
    }
    size_t dot = str_find(name, '.'), dash = str_find(name, '-');
    size_t end = dot < dash ? dot : dash;
    struct str size = str_sub(name, dot + 1, name.n);
    bool aws = dot < dash && (str_ends(size, STR("xlarge")) || str_eq(size, STR("large")) ||
                              str_eq(size, STR("medium")) || str_eq(size, STR("small")) ||
                              str_eq(size, STR("micro")) || str_eq(size, STR("nano")) ||
                              str_eq(size, STR("metal")));
    label(builder, draft, STR(KWOK "size"), aws ? size : cpu_text);
    label(builder, draft, STR(KWOK "family"), str_sub(name, 0, end < name.n ? end : 1));
    label(builder, draft, STR(KWOK "cpu"), cpu_text);
    label(builder, draft, STR(KWOK "memory"),
          (struct str){.p = json_string_value(memory), .n = json_string_length(memory)});
}

static bool read_type(const struct json_at *type, struct cat_builder *builder, uint32_t document_i,
                      uint32_t *n_left_out, struct err *err)
{
    struct cat_draft draft = {.document_i = document_i, .describes = true, .kwok = true};
    struct json_at name = json_at_member(type, "name");
    struct json_at arch = json_at_member(type, "architecture");
    struct json_at resources = json_at_member(type, "resources");
    struct str arch_text;
    if (!json_want_object(type, err) ||
        !cat_read_word(&name, LIMIT_LABEL_VALUE_BYTES, builder->tab, NULL, &draft.name, err)) {
        return false;
    }
    draft.row.name = strtab_str(builder->tab, draft.name);
    if (!json_read_str(&arch, NULL, &arch_text, err)) {
        return err_wrap(err, "type " STR_FMT, STR_ARG(draft.row.name));
    }
    /* Files made from AWS list a type once for each architecture it can run. */
    if (str_eq(arch_text, STR("i386")) || str_ends(arch_text, STR("_mac"))) {
        (*n_left_out)++;
        return true;
    }
    bool x86 = str_eq(arch_text, STR("amd64")) || str_eq(arch_text, STR("x86_64"));
    if (!x86 && !str_eq(arch_text, STR("arm64"))) {
        return json_fail(err, ERR_INVALID, &arch, "\"" STR_FMT "\" is neither amd64 nor arm64",
                         STR_ARG(str_sub(arch_text, 0, 64)));
    }
    if (!cat_read_amounts(&resources, builder, CAT_ROUND_DOWN, &draft.capacity, err) ||
        !read_os(type, &draft, err) || !read_offerings(type, builder, &draft, err)) {
        return err_wrap(err, "type " STR_FMT, STR_ARG(draft.row.name));
    }
    const struct cat_names *names = &builder->names;
    draft.row.arch = x86 ? STR("amd64") : STR("arm64");
    draft.row.vcpu = cat_amounts_get(&draft.capacity, names->cpu) / 1000;
    draft.row.memory_mib = cat_amounts_get(&draft.capacity, names->memory) / CAT_MIB;
    draft.max_pods = (struct opt_i64){.has = true, .v = 110};
    cat_amounts_set(&draft.kube_reserved, builder->scratch, names->cpu, 100);
    cat_amounts_set(&draft.kube_reserved, builder->scratch, names->memory, 10 * CAT_MIB);
    draft.kube_reserved.present = draft.eviction.present = true;
    kwok_labels(builder, &draft, &resources);
    VEC_PUSH(builder->scratch, &builder->drafts, draft);
    return true;
}

bool cat_kwok_add(struct cat_builder *builder, const json_t *document, uint32_t document_i,
                  struct err *err)
{
    struct json_at root = json_at_root(document);
    size_t n = json_at_count(&root);
    uint32_t n_left_out = 0;
    if (n > LIMIT_INSTANCE_TYPES) {
        return json_fail(err, ERR_LIMIT, &root, "%zu instance types (the limit is %d)", n,
                         LIMIT_INSTANCE_TYPES);
    }
    for (size_t i = 0; i < n; i++) {
        struct json_at item = json_at_element(&root, i);
        if (!read_type(&item, builder, document_i, &n_left_out, err)) {
            return false;
        }
    }
    if (n_left_out > 0) {
        cat_note(builder, "%u KWOK instance types of other architectures left out", n_left_out);
    }
    return true;
}
