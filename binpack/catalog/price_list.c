/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "binpack/catalog/price_list.h"

#include "base/arena.h"
#include "base/json_decode.h"
#include "base/limits.h"
#include "binpack/catalog/from_ec2.h"
#include "binpack/catalog/price.h"

enum { NAME_MAX_BYTES = 63 };

/* What a product must say to be a Linux instance at plain on-demand terms; what it does not say
 * does not speak against it (karp: pricing filters). */
static const struct {
    const char *attribute, *value;
} wanted[] = {{"operatingSystem", "Linux"},
              {"preInstalledSw", "NA"},
              {"capacitystatus", "Used"},
              {"marketoption", "OnDemand"}};

static struct str text_member(const json_t *object, const char *key)
{
    const json_t *member = json_object_get(object, key);
    return json_is_string(member)
               ? (struct str){.p = json_string_value(member), .n = json_string_length(member)}
               : STR_EMPTY;
}

static bool is_wanted(const json_t *product)
{
    const json_t *attributes = json_object_get(product, "attributes");
    struct str tenancy = text_member(attributes, "tenancy");
    struct str family = text_member(product, "productFamily");
    bool metal = str_eq(family, STR("Compute Instance (bare metal)"));
    for (size_t i = 0; i < sizeof wanted / sizeof wanted[0]; i++) {
        struct str value = text_member(attributes, wanted[i].attribute);
        if (value.n > 0 && !str_eq(value, str_of(wanted[i].value))) {
            return false;
        }
    }
    bool instance = metal || family.n == 0 || str_eq(family, STR("Compute Instance"));
    /* Bare metal is listed under dedicated tenancy only. */
    return instance && (tenancy.n == 0 || str_eq(tenancy, STR("Shared")) ||
                        (metal && str_eq(tenancy, STR("Dedicated"))));
}

/* The lowest hourly price in US dollars above zero; absent when there is none. */
static bool read_terms(const struct json_at *document, struct opt_usd *ret_price, struct err *err)
{
    const char *term_key;
    const char *dimension_key;
    json_t *term;
    json_t *dimension;
    struct opt_usd lowest = {.has = false};
    json_object_foreach(json_object_get(json_object_get(document->v, "terms"), "OnDemand"),
                        term_key, term){
        json_object_foreach(json_object_get(term, "priceDimensions"), dimension_key, dimension){
            const json_t *usd = json_object_get(json_object_get(dimension, "pricePerUnit"), "USD");
    struct err why = {.code = ERR_NONE};
    usd_t price = 0;
    if (usd == NULL) {
        continue;
    }
    if (!cat_price_parse_json(usd, &price, &why)) {
        return json_fail(err, why.code, document, "%s: pricePerUnit.USD: %s", dimension_key,
                         why.text);
    }
    if (price > 0 && (!lowest.has || price < lowest.v)) {
        lowest = (struct opt_usd){.has = true, .v = price};
    }
}
}
*ret_price = lowest;
return true;
}

static bool add(const struct json_at *document, struct ec2_rows *rows, struct arena *arena,
                struct err *err)
{
    const json_t *product = json_object_get(document->v, "product");
    const json_t *attributes = json_object_get(product, "attributes");
    struct str type = text_member(attributes, "instanceType");
    struct str region = text_member(attributes, "regionCode");
    struct opt_usd price = {.has = false};
    if (!json_is_object(attributes)) {
        return json_fail(err, ERR_INVALID, document, "a product without attributes");
    }
    if (type.n > NAME_MAX_BYTES || region.n > NAME_MAX_BYTES) {
        return json_fail(err, ERR_LIMIT, document, "a name of more than %d bytes", NAME_MAX_BYTES);
    }
    if (!read_terms(document, &price, err)) {
        return false;
    }
    if (type.n == 0 || !price.has || !is_wanted(product)) {
        rows->n_other_products++;
        return true;
    }
    VEC_PUSH(arena, &rows->on_demand,
             ((struct ec2_on_demand_price){.type = str_copy(arena, type),
                                           .region = str_copy(arena, region),
                                           .price = price.v}));
    return true;
}

bool ec2_price_read(const struct json_at *item, struct ec2_rows *rows, struct arena *arena,
                    struct err *err)
{
    auto_json *inner = NULL;
    auto_arena scratch = ARENA_INIT;
    struct err why = {.code = ERR_NONE};
    struct str text;
    bool has = false;
    if (json_is_object(item->v)) {
        return add(item, rows, arena, err);
    }
    if (!json_read_str(item, &has, &text, err)) {
        return false;
    }
    if (!json_decode_text(text, &scratch, &inner, &why)) {
        return json_fail(err, why.code, item, "%s", why.text);
    }
    struct json_at document = {.v = inner, .up = item->up, .key = item->key, .index = item->index};
    return add(&document, rows, arena, err);
}
