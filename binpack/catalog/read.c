/* SPDX-License-Identifier: GPL-3.0-or-later */
/* cat_from_json: documents become drafts, drafts of one name become one, and replies of the AWS CLI
 * become offerings.
 *
 * Who has the last word: a Catalog file over the replies, a later Catalog file over an earlier one.
 * The types are those that some document describes; when none does, those that it offers, as the
 * embedded catalogue describes them. */
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/limits.h"
#include "base/rfc3339.h"
#include "binpack/catalog/builtin.h"
#include "binpack/catalog/file.h"
#include "binpack/catalog/overhead.h"

struct reading {
    struct cat_builder builder;
    struct ec2_rows rows;
    const struct str *names; /* of documents */
    bool some_described;
    uint32_t n_unusable;      /* EC2 types no node can be made of */
    uint32_t n_from_builtin;  /* types that the embedded table describes */
    uint32_t n_unknown;       /* types offered and described nowhere */
    uint32_t n_no_price;      /* on-demand offerings without a price */
    uint32_t n_no_spot;       /* spot offerings without one */
    uint32_t n_builtin_price; /* on-demand offerings with the embedded price */
};

/* ---------------------------------------------------------------- documents */

/* EC2 says nothing of branch interfaces and baseline bandwidth. */
static void add_described(struct reading *r, size_t first, uint32_t document_i)
{
    struct cat_builder *b = &r->builder;
    for (size_t i = first; i < r->rows.types.n; i++) {
        struct ec2_instance_type row = r->rows.types.v[i];
        const struct builtin_row *known = cat_builtin_row(row.name);
        if (row.arch.n == 0 || !row.hvm) {
            r->n_unusable++;
            continue;
        }
        if (known != NULL) {
            row.branch_enis = known->branch_enis;
            row.network_mbps = known->network_mbps;
        }
        VEC_PUSH(b->scratch, &b->drafts,
                 (struct cat_draft){.name = strtab_add(b->tab, row.name),
                                    .document_i = document_i,
                                    .describes = true,
                                    .complete = true,
                                    .row = row});
    }
}

static bool add_document(struct reading *r, const json_t *document, uint32_t document_i,
                         struct err *err)
{
    size_t first = r->rows.types.n;
    if (cat_file_is_catalog(document)) {
        return cat_file_add(&r->builder, document, document_i, err);
    }
    if (ec2_is_reply(document)) {
        if (!ec2_rows_add(&r->rows, document, r->builder.scratch, err)) {
            return false;
        }
        add_described(r, first, document_i);
        return true;
    }
    if (cat_kwok_is_list(document)) {
        return cat_kwok_add(&r->builder, document, document_i, err);
    }
    return err_set(
        err, ERR_INVALID,
        "no catalogue: expected kind Catalog, a reply of aws ec2 describe-instance-types, "
        "describe-instance-type-offerings, describe-spot-price-history or "
        "describe-availability-zones or of aws pricing get-products, or KWOK instance types");
}

/* ---------------------------------------------------------------- one draft per type */

struct draft_key {
    struct str name;
    uint32_t document_i, index;
};

static int by_name(const void *a, const void *b)
{
    const struct draft_key *x = a, *y = b;
    int order = str_cmp(x->name, y->name);
    if (order != 0) {
        return order;
    }
    return x->index < y->index ? -1 : 1;
}

/* What a draft without figures adds to the one with: offerings, labels, limits, overheads. */
static void overlay(struct cat_builder *b, struct cat_draft *to, const struct cat_draft *from)
{
    for (size_t i = 0; i < from->offerings.n; i++) {
        VEC_PUSH(b->scratch, &to->offerings, from->offerings.v[i]);
    }
    for (size_t i = 0; i < from->labels.all.n; i++) {
        cat_labels_set(&to->labels, b->scratch, from->labels.all.v[i].key,
                       from->labels.all.v[i].value);
    }
    for (size_t i = 0; i < from->extended.all.n; i++) {
        cat_amounts_set(&to->extended, b->scratch, from->extended.all.v[i].resource,
                        from->extended.all.v[i].value);
    }
    if (from->has_attach_limits) {
        to->has_attach_limits = true;
        to->attach_limits.n = 0;
        for (size_t i = 0; i < from->attach_limits.n; i++) {
            VEC_PUSH(b->scratch, &to->attach_limits, from->attach_limits.v[i]);
        }
    }
    to->max_pods = from->max_pods.has ? from->max_pods : to->max_pods;
    to->kube_reserved = from->kube_reserved.present ? from->kube_reserved : to->kube_reserved;
    to->system_reserved =
        from->system_reserved.present ? from->system_reserved : to->system_reserved;
    to->eviction = from->eviction.present ? from->eviction : to->eviction;
    to->os |= from->os;
}

static bool twice(const struct reading *r, const struct cat_draft *a, const struct cat_draft *b,
                  struct err *err)
{
    struct str name = strtab_str(r->builder.tab, a->name);
    struct str in = r->names[a->document_i], also = r->names[b->document_i];
    if (a->document_i == b->document_i) {
        return err_set(err, ERR_INVALID, STR_FMT ": type " STR_FMT " is listed twice", STR_ARG(in),
                       STR_ARG(name));
    }
    return err_set(err, ERR_CONFLICT,
                   "type " STR_FMT " is described in " STR_FMT " and in " STR_FMT, STR_ARG(name),
                   STR_ARG(in), STR_ARG(also));
}

/* KWOK files made from AWS list a type once per operating system. */
static bool same_machine(const struct cat_draft *a, const struct cat_draft *b)
{
    return a->kwok && b->kwok && str_eq(a->row.arch, b->row.arch) && (a->os & b->os) == 0;
}

/* Merges v[0..n), drafts of one type in the order of documents, into *ret. */
static bool merge(struct reading *r, const struct draft_key *v, size_t n, struct cat_draft *ret,
                  struct err *err)
{
    struct cat_builder *b = &r->builder;
    const struct cat_draft *described = NULL;
    for (size_t i = 0; i < n; i++) {
        const struct cat_draft *at = &b->drafts.v[v[i].index];
        const struct cat_draft *before = i > 0 ? &b->drafts.v[v[i - 1].index] : NULL;
        if (before != NULL && before->document_i == at->document_i && !same_machine(before, at)) {
            return twice(r, before, at, err);
        }
        if (at->describes && described != NULL && !same_machine(described, at)) {
            return twice(r, described, at, err);
        }
        described = at->describes && described == NULL ? at : described;
    }
    if (described != NULL) {
        *ret = *described;
    } else {
        const struct cat_draft *first = &b->drafts.v[v[0].index];
        const struct builtin_row *row = cat_builtin_row(v[0].name);
        if (row == NULL) {
            return err_set(err, ERR_INVALID,
                           STR_FMT ": type " STR_FMT
                                   ": no vcpu, memoryMiB, capacity or allocatable, and the "
                                   "embedded catalogue does not know it",
                           STR_ARG(r->names[first->document_i]), STR_ARG(v[0].name));
        }
        r->n_from_builtin++;
        *ret = (struct cat_draft){.name = first->name,
                                  .document_i = first->document_i,
                                  .describes = true,
                                  .complete = true,
                                  .row = cat_builtin_facts(row, b->scratch)};
    }
    for (size_t i = 0; i < n; i++) {
        const struct cat_draft *at = &b->drafts.v[v[i].index];
        if (at == described) {
            continue;
        }
        if (described != NULL && same_machine(described, at)) { /* the same offerings again */
            ret->os |= at->os;
            continue;
        }
        overlay(b, ret, at);
    }
    return true;
}

static bool merge_drafts(struct reading *r, struct err *err)
{
    struct cat_builder *b = &r->builder;
    size_t n = b->drafts.n, n_kept = 0;
    struct draft_key *keys = ARENA_ARRAY(b->scratch, struct draft_key, n);
    struct cat_draft *merged = ARENA_ARRAY(b->scratch, struct cat_draft, n);
    for (size_t i = 0; i < n; i++) {
        keys[i] = (struct draft_key){.name = strtab_str(b->tab, b->drafts.v[i].name),
                                     .document_i = b->drafts.v[i].document_i,
                                     .index = (uint32_t)i};
        r->some_described = r->some_described || b->drafts.v[i].describes;
    }
    if (n > 0) {
        qsort(keys, n, sizeof *keys, by_name);
    }
    for (size_t i = 0; i < n;) {
        size_t end = i + 1;
        while (end < n && str_eq(keys[end].name, keys[i].name)) {
            end++;
        }
        if (!merge(r, &keys[i], end - i, &merged[n_kept], err)) {
            return false;
        }
        n_kept++;
        i = end;
    }
    b->drafts.v = merged;
    b->drafts.n = n_kept;
    b->drafts.cap = n;
    return true;
}

/* ---------------------------------------------------------------- replies to offerings */

static int by_type_zone(const void *a, const void *b)
{
    const struct ec2_zone_offering *x = a, *y = b;
    int order = str_cmp(x->type, y->type);
    return order != 0 ? order : str_cmp(x->zone, y->zone);
}

/* The newest price of a type and zone first; of two of the same moment the lower. */
static int by_type_zone_time(const void *a, const void *b)
{
    const struct ec2_spot_price *x = a, *y = b;
    int order = str_cmp(x->type, y->type);
    order = order != 0 ? order : str_cmp(x->zone, y->zone);
    if (order != 0) {
        return order;
    }
    if (x->at != y->at) {
        return x->at > y->at ? -1 : 1;
    }
    return (x->price > y->price) - (x->price < y->price);
}

static int by_type_price(const void *a, const void *b)
{
    const struct ec2_on_demand_price *x = a, *y = b;
    int order = str_cmp(x->type, y->type);
    return order != 0 ? order : (x->price > y->price) - (x->price < y->price);
}

/* The name of a zone that is given by id; the id itself when no document says. */
static struct str zone_of_id(const struct reading *r, struct str id)
{
    const struct cat_builder *b = &r->builder;
    strid wanted = strtab_find(b->tab, id);
    for (size_t i = 0; i < b->zones.n; i++) {
        if (wanted != STRID_NONE && b->zones.v[i].id == wanted) {
            return strtab_str(b->tab, b->zones.v[i].name);
        }
    }
    return id;
}

static bool add_zones(struct reading *r, struct err *err)
{
    struct cat_builder *b = &r->builder;
    for (size_t i = 0; i < r->rows.zones.n; i++) {
        const struct ec2_zone *row = &r->rows.zones.v[i];
        cat_builder_zone(b, strtab_add(b->tab, row->name), strtab_add(b->tab, row->id));
        if (!cat_builder_region(b, row->region, err)) {
            return err_wrap(err, "zone " STR_FMT, STR_ARG(row->name));
        }
    }
    for (size_t i = 0; i < r->rows.spot.n; i++) {
        const struct ec2_spot_price *row = &r->rows.spot.v[i];
        cat_builder_zone(b, strtab_add(b->tab, row->zone), strtab_add(b->tab, row->zone_id));
        if (!cat_builder_region(b, ec2_zone_region(row->zone), err)) {
            return err_wrap(err, "zone " STR_FMT, STR_ARG(row->zone));
        }
    }
    for (size_t i = 0; i < r->rows.offerings.n; i++) {
        struct ec2_zone_offering *row = &r->rows.offerings.v[i];
        if (row->zone_id.n > 0) {
            row->zone = zone_of_id(r, row->zone_id);
        }
        struct str region = row->region.n > 0 ? row->region : ec2_zone_region(row->zone);
        if (row->zone.n > 0) {
            cat_builder_zone(b, strtab_add(b->tab, row->zone), strtab_add(b->tab, row->zone_id));
        }
        if (!cat_builder_region(b, region, err)) {
            return err_wrap(err, "location " STR_FMT,
                            STR_ARG(row->zone.n > 0 ? row->zone : row->region));
        }
    }
    for (size_t i = 0; i < r->rows.on_demand.n; i++) {
        const struct ec2_on_demand_price *row = &r->rows.on_demand.v[i];
        if (row->region.n > 0 && !cat_builder_region(b, row->region, err)) {
            return err_wrap(err, "on-demand price of " STR_FMT, STR_ARG(row->type));
        }
    }
    return true;
}

/* Where no document names the region, the names of the zones do, if they agree. */
static void region_of_zones(struct cat_builder *b)
{
    struct str region = STR_EMPTY;
    for (size_t i = 0; i < b->zones.n; i++) {
        struct str of_zone = ec2_zone_region(strtab_str(b->tab, b->zones.v[i].name));
        if (of_zone.n == 0 || (i > 0 && !str_eq(of_zone, region))) {
            return;
        }
        region = of_zone;
    }
    if (b->region == STRID_EMPTY) {
        b->region = strtab_add(b->tab, region);
    }
}

/* Without any description, every type that is offered (or, failing that, has a spot price) is taken
 * from the embedded table. */
static void describe_offered(struct reading *r)
{
    struct cat_builder *b = &r->builder;
    bool by_offering = r->rows.offerings.n > 0;
    size_t n = by_offering ? r->rows.offerings.n : r->rows.spot.n;
    struct str before = STR_EMPTY;
    if (b->drafts.n > 0) {
        return;
    }
    for (size_t i = 0; i < n; i++) {
        struct str type = by_offering ? r->rows.offerings.v[i].type : r->rows.spot.v[i].type;
        if (str_eq(type, before)) {
            continue;
        }
        before = type;
        const struct builtin_row *row = cat_builtin_row(type);
        if (row == NULL) {
            r->n_unknown++;
            continue;
        }
        r->n_from_builtin++;
        VEC_PUSH(b->scratch, &b->drafts,
                 (struct cat_draft){.name = strtab_add(b->tab, type),
                                    .describes = true,
                                    .complete = true,
                                    .row = cat_builtin_facts(row, b->scratch)});
    }
}

static bool has_offering(const struct cat_draft *draft, strid zone, enum cat_capacity_type type)
{
    for (size_t i = 0; i < draft->offerings.n; i++) {
        const struct cat_draft_offering *at = &draft->offerings.v[i];
        if (at->zone == zone && at->capacity_type == type) {
            return true;
        }
    }
    return false;
}

/* The lowest on-demand price of the price list. */
static struct opt_usd listed_price(const struct reading *r, struct str type)
{
    size_t low = 0, high = r->rows.on_demand.n;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (str_cmp(r->rows.on_demand.v[middle].type, type) < 0) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    bool has = low < r->rows.on_demand.n && str_eq(r->rows.on_demand.v[low].type, type);
    return (struct opt_usd){.has = has, .v = has ? r->rows.on_demand.v[low].price : 0};
}

/* One offering that a reply implies, unless a Catalog file has its own. */
static void imply(struct reading *r, struct cat_draft *draft, struct str zone,
                  enum cat_capacity_type type, struct opt_usd price)
{
    struct cat_builder *b = &r->builder;
    strid id = strtab_add(b->tab, zone);
    if (has_offering(draft, id, type)) {
        return;
    }
    if (type == CAT_ON_DEMAND) {
        const struct builtin_row *row = cat_builtin_row(draft->row.name);
        bool same_region =
            str_eq(strtab_str(b->tab, b->region), str_of(builtin_region)) && row != NULL;
        price = listed_price(r, draft->row.name);
        if (!price.has && same_region) {
            price = cat_builtin_price(row);
            r->n_builtin_price += price.has ? 1 : 0;
        }
        r->n_no_price += price.has ? 0 : 1;
    }
    r->n_no_spot += type == CAT_SPOT && !price.has ? 1 : 0;
    VEC_PUSH(b->scratch, &draft->offerings,
             (struct cat_draft_offering){.zone = id,
                                         .capacity_type = type,
                                         .price = price,
                                         .available = true,
                                         .document_i = draft->document_i});
}

static size_t first_offering(const struct reading *r, struct str type)
{
    size_t low = 0, high = r->rows.offerings.n;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (str_cmp(r->rows.offerings.v[middle].type, type) < 0) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low;
}

static size_t first_spot(const struct reading *r, struct str type)
{
    size_t low = 0, high = r->rows.spot.n;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (str_cmp(r->rows.spot.v[middle].type, type) < 0) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low;
}

/* Where zones are listed, they alone say where a type is sold; where only spot prices are, those
 * do. */
static void offer(struct reading *r, struct cat_draft *draft)
{
    struct str type = draft->row.name;
    bool zones_listed = r->rows.offerings.n > 0;
    for (size_t i = first_spot(r, type); i < r->rows.spot.n; i++) {
        const struct ec2_spot_price *row = &r->rows.spot.v[i];
        bool newest =
            i == 0 || !str_eq(row[-1].type, row->type) || !str_eq(row[-1].zone, row->zone);
        if (!str_eq(row->type, type)) {
            break;
        }
        if (newest && draft->row.spot) {
            imply(r, draft, row->zone, CAT_SPOT, (struct opt_usd){.has = true, .v = row->price});
        }
        if (newest && !zones_listed && draft->row.on_demand) {
            imply(r, draft, row->zone, CAT_ON_DEMAND, (struct opt_usd){.has = false});
        }
    }
    for (size_t i = first_offering(r, type); i < r->rows.offerings.n; i++) {
        const struct ec2_zone_offering *row = &r->rows.offerings.v[i];
        if (!str_eq(row->type, type)) {
            break;
        }
        if (row->zone.n > 0 && draft->row.on_demand) {
            imply(r, draft, row->zone, CAT_ON_DEMAND, (struct opt_usd){.has = false});
        }
        if (row->zone.n > 0 && draft->row.spot) {
            imply(r, draft, row->zone, CAT_SPOT, (struct opt_usd){.has = false});
        }
    }
}

static void add_offerings(struct reading *r)
{
    struct cat_builder *b = &r->builder;
    if (r->rows.offerings.n > 0) {
        qsort(r->rows.offerings.v, r->rows.offerings.n, sizeof *r->rows.offerings.v, by_type_zone);
    }
    if (r->rows.spot.n > 0) {
        qsort(r->rows.spot.v, r->rows.spot.n, sizeof *r->rows.spot.v, by_type_zone_time);
    }
    if (r->rows.on_demand.n > 0) {
        qsort(r->rows.on_demand.v, r->rows.on_demand.n, sizeof *r->rows.on_demand.v, by_type_price);
    }
    describe_offered(r);
    wall_t newest = 0;
    for (size_t i = 0; i < r->rows.spot.n; i++) {
        newest = r->rows.spot.v[i].at > newest ? r->rows.spot.v[i].at : newest;
    }
    if (newest > 0 && b->as_of.n == 0) {
        char text[RFC3339_TEXT_MAX];
        b->as_of = str_copy(b->arena, str_sub(rfc3339_format(newest, text), 0, 10));
    }
    if (r->rows.spot.n > 0) {
        b->spot_source =
            STR("the newest price of each type and zone in the spot price history given");
    }
    for (size_t i = 0; i < b->drafts.n; i++) {
        offer(r, &b->drafts.v[i]);
    }
}

/* Types of EC2 without a word about zones: the embedded catalogue's, said aloud. */
static void offer_builtin(struct reading *r)
{
    struct cat_builder *b = &r->builder;
    struct str region = strtab_str(b->tab, b->region);
    size_t n = 0;
    for (size_t i = 0; i < b->drafts.n; i++) {
        n += b->drafts.v[i].offerings.n;
    }
    if (n > 0 || (region.n > 0 && !str_eq(region, str_of(builtin_region)))) {
        return;
    }
    for (size_t i = 0; i < b->drafts.n; i++) {
        const struct builtin_row *row = cat_builtin_row(b->drafts.v[i].row.name);
        if (row != NULL && b->drafts.v[i].complete) {
            cat_builtin_offer(b, &b->drafts.v[i], row);
            n += b->drafts.v[i].offerings.n;
        }
    }
    if (n == 0) {
        return;
    }
    for (uint32_t i = 0; i < BUILTIN_N_ZONES; i++) {
        cat_builder_zone(b, strtab_add(b->tab, str_of(builtin_zones[i].name)),
                         strtab_add(b->tab, str_of(builtin_zones[i].id)));
    }
    b->region = strtab_add(b->tab, str_of(builtin_region));
    b->as_of = b->as_of.n > 0 ? b->as_of : str_of(builtin_as_of);
    b->spot_source = str_of(builtin_spot_source);
    cat_note(b,
             "no document says where the types are offered: zones and prices are those of the "
             "embedded catalogue, %s of %s",
             builtin_region, builtin_as_of);
}

/* ---------------------------------------------------------------- the rest */

static int64_t larger(const struct cat_draft *draft, strid resource)
{
    int64_t capacity = cat_amounts_get(&draft->capacity, resource);
    int64_t allocatable = cat_amounts_get(&draft->allocatable, resource);
    return capacity > allocatable ? capacity : allocatable;
}

/* A type that a file describes has cpu and memory, and no more of anything than machines have. */
static bool check_type(struct reading *r, struct cat_draft *draft, struct err *err)
{
    const struct cat_names *names = &r->builder.names;
    int64_t memory = larger(draft, names->memory) / CAT_MIB;
    if (draft->row.vcpu == 0) {
        int64_t capacity = cat_amounts_get(&draft->capacity, names->cpu);
        draft->row.vcpu = muldiv_ceil(capacity > 0 ? capacity : larger(draft, names->cpu), 1, 1000);
    }
    const struct {
        int64_t have, max;
        const char *what;
    } figures[] = {
        {draft->row.vcpu, CAT_MAX_VCPU, "vcpu, capacity.cpu or allocatable.cpu"},
        {memory > draft->row.memory_mib ? memory : draft->row.memory_mib, CAT_MAX_MIB,
         "memoryMiB, capacity.memory or allocatable.memory"},
    };
    for (size_t i = 0; i < sizeof figures / sizeof *figures; i++) {
        if (figures[i].have <= 0) {
            return err_set(err, ERR_INVALID, "no %s", figures[i].what);
        }
        if (figures[i].have > figures[i].max) {
            return err_set(err, ERR_LIMIT, "%s is %lld (the limit is %lld)", figures[i].what,
                           (long long)figures[i].have, (long long)figures[i].max);
        }
    }
    if (larger(draft, names->pods) > CAT_MAX_COUNT) {
        return err_set(err, ERR_LIMIT, "%lld pods (the limit is %d)",
                       (long long)larger(draft, names->pods), CAT_MAX_COUNT);
    }
    return true;
}

static bool check_figures(struct reading *r, struct err *err)
{
    struct cat_builder *b = &r->builder;
    for (size_t i = 0; i < b->drafts.n; i++) {
        struct cat_draft *draft = &b->drafts.v[i];
        if (!draft->complete && !check_type(r, draft, err)) {
            return err_wrap(err, STR_FMT ": type " STR_FMT, STR_ARG(r->names[draft->document_i]),
                            STR_ARG(draft->row.name));
        }
    }
    return true;
}

static void write_notes(struct reading *r)
{
    struct cat_builder *b = &r->builder;
    if (r->n_unusable > 0) {
        cat_note(b, "%u instance types left out: neither x86_64 nor arm64 with HVM", r->n_unusable);
    }
    if (r->n_from_builtin > 0) {
        cat_note(b, "%u instance types are described by the embedded catalogue of %s",
                 r->n_from_builtin, builtin_as_of);
    }
    if (r->n_unknown > 0) {
        cat_note(b,
                 "%u instance types left out: no document describes them, nor does the embedded "
                 "catalogue (add describe-instance-types)",
                 r->n_unknown);
    }
    if (r->rows.n_other_products > 0) {
        cat_note(b, "%u spot prices of other products than Linux/UNIX left out",
                 r->rows.n_other_products);
    }
    if (r->n_builtin_price > 0) {
        b->as_of = b->as_of.n > 0 ? b->as_of : str_of(builtin_as_of);
        cat_note(b, "%u on-demand prices are those of the embedded catalogue, %s of %s",
                 r->n_builtin_price, builtin_region, builtin_as_of);
    }
    if (r->n_no_spot > 0) {
        cat_note(b,
                 "%u spot offerings have no price and are never bought (add "
                 "describe-spot-price-history)",
                 r->n_no_spot);
    }
    if (r->n_no_price > 0) {
        cat_note(b,
                 "%u on-demand offerings have no price and are never bought: no document states "
                 "one, and the embedded catalogue only knows %s (add usdPerHour in a Catalog file)",
                 r->n_no_price, builtin_region);
    }
}

bool cat_from_json(struct json_t *const *documents, const struct str *names, uint32_t n_documents,
                   struct arena *arena, struct strtab *tab, const struct catalog **ret_catalog,
                   struct cat_notes *ret_notes, struct err *err)
{
    auto_arena scratch = ARENA_INIT;
    struct reading r = {.names = names};
    cat_builder_init(&r.builder, arena, &scratch, tab);
    for (uint32_t i = 0; i < n_documents; i++) {
        if (!add_document(&r, documents[i], i, err)) {
            return err_wrap(err, STR_FMT, STR_ARG(names[i]));
        }
    }
    if (!merge_drafts(&r, err) || !add_zones(&r, err)) {
        return false;
    }
    if (r.builder.zones.n > LIMIT_ZONES) { /* before offerings multiply with them */
        return err_set(err, ERR_LIMIT, "more than %d zones", LIMIT_ZONES);
    }
    region_of_zones(&r.builder);
    add_offerings(&r);
    offer_builtin(&r);
    if (r.builder.drafts.n == 0) {
        return err_set(err, ERR_INVALID, "the catalogue has no instance types%s",
                       r.n_unknown > 0 ? " that the embedded catalogue knows" : "");
    }
    if (!check_figures(&r, err)) {
        return false;
    }
    write_notes(&r);
    if (!cat_builder_finish(&r.builder, ret_catalog, err)) {
        return false;
    }
    struct str *notes = ARENA_ARRAY(arena, struct str, r.builder.notes.n);
    if (r.builder.notes.n > 0) {
        memcpy(notes, r.builder.notes.v, r.builder.notes.n * sizeof *notes);
    }
    *ret_notes = (struct cat_notes){.n = (uint32_t)r.builder.notes.n, .v = notes};
    return true;
}
