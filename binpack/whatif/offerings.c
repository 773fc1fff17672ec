/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Changes of what can be bought and what it costs. What is not to be bought any more stays in the
 * catalogue as unavailable, so that running nodes of it keep their price. */
#include "base/arena.h"
#include "base/number.h"
#include "binpack/whatif/impl.h"

#define ARRAY_N(array) (sizeof(array) / sizeof((array)[0]))

/* A catalogue of our own, every offering of which may be changed. */
static struct catalog *own_catalog(struct applying *a)
{
    const struct catalog *from = a->world->catalog;
    struct catalog *own = ARENA_NEW(a->arena, struct catalog);
    struct cat_type *types = ARENA_ARRAY(a->arena, struct cat_type, from->n_types + 1);
    for (uint32_t t = 0; t < from->n_types; t++) {
        const uint32_t n = from->types[t].n_offerings;
        struct cat_offering *offerings = ARENA_ARRAY(a->arena, struct cat_offering, n + 1);
        for (uint32_t k = 0; k < n; k++) {
            offerings[k] = from->types[t].offerings[k];
        }
        types[t] = from->types[t];
        types[t].offerings = offerings;
    }
    *own = *from;
    own->types = types;
    a->world->catalog = own;
    return own;
}

static uint32_t find_zone(const struct applying *a, struct str name)
{
    const struct catalog *catalog = a->world->catalog;
    const struct strtab *tab = a->world->cluster->tab;
    uint32_t i = 0;
    while (i < catalog->n_zones && !str_eq(strtab_str(tab, catalog->zones[i].name), name) &&
           !str_eq(strtab_str(tab, catalog->zones[i].id), name)) {
        i++;
    }
    return i;
}

static bool need_zone(const struct applying *a, struct str name, struct err *err)
{
    const struct catalog *catalog = a->world->catalog;
    if (find_zone(a, name) < catalog->n_zones) {
        return true;
    }
    auto_arena scratch = ARENA_INIT;
    struct strbuf all = strbuf_new(&scratch, 600);
    for (uint32_t i = 0; i < catalog->n_zones && i < 20; i++) {
        strbuf_addf(&all, "%s" STR_FMT, i > 0 ? ", " : "",
                    STR_ARG(strtab_str(a->world->cluster->tab, catalog->zones[i].name)));
    }
    return err_set(err, ERR_NOT_FOUND, "the catalogue has no zone \"" STR_FMT "\"; it has " STR_FMT,
                   STR_ARG(str_sub(name, 0, 200)), STR_ARG(strbuf_str(&all)));
}

/* ---- what a change is about ---- */

static struct str label_of(const struct applying *a, const struct cat_type *type, const char *key,
                           bool *ret_present)
{
    const struct strtab *tab = a->world->cluster->tab;
    strid id = strtab_find(tab, str_of(key));
    strid value = id == STRID_NONE ? STRID_NONE : k8s_pairs_get(&type->labels, id);
    *ret_present = value != STRID_NONE;
    return *ret_present ? strtab_str(tab, value) : STR_EMPTY;
}

/* Short names of labels in --price-adjust; any other label of types goes by its own. */
static const char *const short_names[][2] = {
    {"family", "karpenter.k8s.aws/instance-family"},
    {"category", "karpenter.k8s.aws/instance-category"},
    {"generation", "karpenter.k8s.aws/instance-generation"},
    {"size", "karpenter.k8s.aws/instance-size"},
    {"type", "node.kubernetes.io/instance-type"},
    {"arch", "kubernetes.io/arch"},
};

/* By its own name or a short one. */
static struct str full_key(struct str key)
{
    for (size_t i = 0; i < ARRAY_N(short_names); i++) {
        if (str_eq(key, str_of(short_names[i][0]))) {
            return str_of(short_names[i][1]);
        }
    }
    return key;
}

static bool is_zone_key(struct str key)
{
    return str_eq(key, STR("zone")) || str_eq(key, STR("topology.kubernetes.io/zone"));
}

static bool is_capacity_key(struct str key)
{
    return str_eq(key, STR("capacity-type")) || str_eq(key, STR("karpenter.sh/capacity-type"));
}

static bool term_holds(const struct applying *a, const struct label_term *term,
                       const struct cat_type *type, const struct cat_offering *offering)
{
    const struct strtab *tab = a->world->cluster->tab;
    struct str key = term->key;
    if (is_zone_key(key)) {
        strid zone = a->world->catalog->zones[offering->zone_i].name;
        return label_term_holds(term, true, strtab_str(tab, zone));
    }
    if (is_capacity_key(key)) {
        return label_term_holds(term, true,
                                str_of(cat_capacity_type_name(offering->capacity_type)));
    }
    auto_arena scratch = ARENA_INIT;
    bool present = false;
    struct str value = label_of(a, type, str_cstr(&scratch, full_key(key)), &present);
    return label_term_holds(term, present, value);
}

static bool is_listed(const struct whatif_change *change, struct str value)
{
    for (uint32_t i = 0; i < change->n_list; i++) {
        if (str_eq(change->list[i], value)) {
            return true;
        }
    }
    return false;
}

static bool selected(const struct applying *a, const struct whatif_change *change,
                     const struct cat_type *type, const struct cat_offering *offering)
{
    for (uint32_t i = 0; i < change->selector.n; i++) {
        if (!term_holds(a, &change->selector.terms[i], type, offering)) {
            return false;
        }
    }
    return true;
}

static bool concerns(const struct applying *a, const struct whatif_change *change,
                     const struct cat_type *type, const struct cat_offering *offering)
{
    const struct strtab *tab = a->world->cluster->tab;
    const struct cat_zone *zone = &a->world->catalog->zones[offering->zone_i];
    struct str zone_name = strtab_str(tab, zone->name);
    struct str zone_id = strtab_str(tab, zone->id);
    struct str capacity = str_of(cat_capacity_type_name(offering->capacity_type));
    bool present;
    switch (change->kind) {
    case WHATIF_ZONE_DOWN:
        return str_eq(change->name, zone_name) || str_eq(change->name, zone_id);
    case WHATIF_DENY_TYPE:
        return whatif_matches(change->name, strtab_str(tab, type->name));
    case WHATIF_DENY_ARCH:
        return str_eq(change->name, strtab_str(tab, type->arch));
    case WHATIF_NO_SPOT:
        return offering->capacity_type == CAT_SPOT;
    case WHATIF_UNAVAILABLE:
        return whatif_matches(change->name, strtab_str(tab, type->name)) &&
               (whatif_matches(change->zone, zone_name) || whatif_matches(change->zone, zone_id)) &&
               whatif_matches(change->capacity_type, capacity);
    case WHATIF_ONLY_ZONES:
        return !is_listed(change, zone_name) && !is_listed(change, zone_id);
    case WHATIF_ONLY_FAMILIES:
        return !is_listed(change, label_of(a, type, "karpenter.k8s.aws/instance-family", &present));
    case WHATIF_PRICE_ADJUST:
        return selected(a, change, type, offering);
    case WHATIF_NODE_SURCHARGE:
    case WHATIF_REMOVE_NODE:
    case WHATIF_SCALE:
    case WHATIF_WITHOUT_RULES:
    case WHATIF_N_KINDS:
        break;
    }
    return true;
}

static void change_offering(const struct whatif_change *change, struct cat_offering *offering)
{
    if (change->kind == WHATIF_PRICE_ADJUST) {
        offering->price.v = muldiv_floor(offering->price.v, 1000000 + change->number, 1000000);
    } else if (change->kind == WHATIF_NODE_SURCHARGE) {
        offering->price.v = sat_add(offering->price.v, change->number);
    } else {
        offering->available = false;
    }
}

/* A licence per node is due whatever an overlay says of the price. */
static void surcharge_overlays(struct applying *a, usd_t surcharge)
{
    struct k8s_cluster *cluster = ARENA_NEW(a->arena, struct k8s_cluster);
    *cluster = *a->world->cluster;
    struct karp_overlay *overlays =
        ARENA_ARRAY(a->arena, struct karp_overlay, cluster->n_overlays + 1);
    for (uint32_t i = 0; i < cluster->n_overlays; i++) {
        overlays[i] = cluster->overlays[i];
        if (overlays[i].has_price) {
            overlays[i].price = sat_add(overlays[i].price, surcharge);
        }
    }
    cluster->overlays = overlays;
    a->world->cluster = cluster;
}

static void say(struct applying *a, const struct whatif_change *change, uint32_t n_types)
{
    char number[NUMBER_TEXT_MAX];
    const char *plural = n_types == 1 ? "" : "s";
    switch (change->kind) {
    case WHATIF_ZONE_DOWN:
        strbuf_addf(a->note, "zone " STR_FMT " is down: nothing is bought there",
                    STR_ARG(change->name));
        break;
    case WHATIF_DENY_TYPE:
        strbuf_addf(a->note, "no " STR_FMT " is bought (%u instance type%s)", STR_ARG(change->name),
                    n_types, plural);
        break;
    case WHATIF_DENY_ARCH:
        strbuf_addf(a->note, "no " STR_FMT " node is bought", STR_ARG(change->name));
        break;
    case WHATIF_NO_SPOT:
        strbuf_addf(a->note, "no spot node is bought");
        break;
    case WHATIF_UNAVAILABLE:
        strbuf_addf(a->note, STR_FMT " is not available (%u instance type%s)",
                    STR_ARG(change->text), n_types, plural);
        break;
    case WHATIF_ONLY_ZONES:
        strbuf_addf(a->note, "nodes are bought in " STR_FMT " only", STR_ARG(change->text));
        break;
    case WHATIF_ONLY_FAMILIES:
        strbuf_addf(a->note, "only families " STR_FMT " are bought", STR_ARG(change->text));
        break;
    case WHATIF_PRICE_ADJUST:
        strbuf_addf(a->note, "prices are adjusted, " STR_FMT " (%u instance type%s)",
                    STR_ARG(change->text), n_types, plural);
        break;
    case WHATIF_NODE_SURCHARGE:
        strbuf_addf(a->note, "every node costs $" STR_FMT "/h on top",
                    STR_ARG(number_format_decimal(change->number, 9, number)));
        break;
    case WHATIF_REMOVE_NODE:
    case WHATIF_SCALE:
    case WHATIF_WITHOUT_RULES:
    case WHATIF_N_KINDS:
        break;
    }
}

static bool zones_exist(const struct applying *a, const struct whatif_change *change,
                        struct err *err)
{
    if (change->kind == WHATIF_ZONE_DOWN) {
        return need_zone(a, change->name, err);
    }
    if (change->kind == WHATIF_UNAVAILABLE && str_find(change->zone, '*') == change->zone.n) {
        return need_zone(a, change->zone, err);
    }
    for (uint32_t i = 0; change->kind == WHATIF_ONLY_ZONES && i < change->n_list; i++) {
        if (!need_zone(a, change->list[i], err)) {
            return false;
        }
    }
    return true;
}

/* Zones that a selector of prices asks for by name are there. */
static bool asked_zones_exist(const struct applying *a, const struct label_term *term,
                              struct err *err)
{
    for (uint32_t i = 0; is_zone_key(term->key) && i < term->n_values; i++) {
        if (!need_zone(a, term->values[i], err)) {
            return false;
        }
    }
    return true;
}

/* A selector of prices asks for labels that some type has. */
static bool keys_exist(const struct applying *a, const struct whatif_change *change,
                       struct err *err)
{
    const struct catalog *catalog = a->world->catalog;
    for (uint32_t i = 0; change->kind == WHATIF_PRICE_ADJUST && i < change->selector.n; i++) {
        struct str key = change->selector.terms[i].key;
        auto_arena scratch = ARENA_INIT;
        const char *label = str_cstr(&scratch, full_key(key));
        bool found = is_zone_key(key) || is_capacity_key(key);
        for (uint32_t t = 0; t < catalog->n_types && !found; t++) {
            (void)label_of(a, &catalog->types[t], label, &found);
        }
        if (!found) {
            return err_set(err, ERR_NOT_FOUND,
                           "no instance type of the catalogue has a label \"" STR_FMT
                           "\"; short names are family, category, generation, size, type, arch, "
                           "zone and capacity-type",
                           STR_ARG(str_sub(key, 0, 200)));
        }
        if (!asked_zones_exist(a, &change->selector.terms[i], err)) {
            return false;
        }
    }
    return true;
}

/* Changes that name types must name some: a slip of the keyboard is no what-if. */
static bool found_types(const struct whatif_change *change, uint32_t n_types, struct err *err)
{
    bool must = change->kind == WHATIF_DENY_TYPE || change->kind == WHATIF_DENY_ARCH ||
                change->kind == WHATIF_UNAVAILABLE || change->kind == WHATIF_PRICE_ADJUST;
    return !must || n_types > 0 ||
           err_set(err, ERR_NOT_FOUND, "no instance type of the catalogue is \"" STR_FMT "\"",
                   STR_ARG(str_sub(change->text, 0, 200)));
}

bool whatif_offerings(struct applying *a, const struct whatif_change *change, struct err *err)
{
    if (!zones_exist(a, change, err) || !keys_exist(a, change, err)) {
        return false;
    }
    struct catalog *own = own_catalog(a);
    uint32_t n_types = 0;
    for (uint32_t t = 0; t < own->n_types; t++) {
        /* Ours: own_catalog made them. */
        struct cat_offering *offerings = (struct cat_offering *)(uintptr_t)own->types[t].offerings;
        bool any = false;
        for (uint32_t k = 0; k < own->types[t].n_offerings; k++) {
            if (concerns(a, change, &own->types[t], &offerings[k])) {
                change_offering(change, &offerings[k]);
                any = true;
            }
        }
        n_types += any;
    }
    if (!found_types(change, n_types, err)) {
        return false;
    }
    say(a, change, n_types);
    if (change->kind == WHATIF_NODE_SURCHARGE) {
        surcharge_overlays(a, change->number);
    } else if (change->kind == WHATIF_ZONE_DOWN) {
        whatif_remove_zone(a, own->zones[find_zone(a, change->name)].name);
    }
    return true;
}
