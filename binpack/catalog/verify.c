/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "binpack/catalog/verify.h"

#include <stdarg.h>
#include <stdio.h>

#include "base/arena.h"
#include "base/limits.h"
#include "base/vec.h"

struct check {
    const struct catalog *catalog;
    const struct strtab *tab;
    const struct k8s_words *words;
    struct arena *arena;
    struct cat_report *report;
    const struct cat_type *type; /* NULL: the catalogue */
    VEC(struct cat_finding) findings;
};

static void found(struct check *check, enum cat_severity severity, const char *format, ...)
    PRINTF_LIKE(3, 4);

static void found(struct check *check, enum cat_severity severity, const char *format, ...)
{
    char text[256];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    check->report->n_faults += severity == CAT_FAULT ? 1 : 0;
    check->report->n_remarks += severity == CAT_REMARK ? 1 : 0;
    if (check->findings.n < LIMIT_WARNINGS) {
        VEC_PUSH(check->arena, &check->findings,
                 (struct cat_finding){.severity = severity,
                                      .type = check->type == NULL ? STRID_EMPTY : check->type->name,
                                      .text = str_copy(check->arena, str_of(text))});
    }
}

static void check_amounts(struct check *check)
{
    const struct cat_type *type = check->type;
    const struct k8s_words *words = check->words;
    const strid needed[] = {words->cpu, words->memory, words->pods};
    for (size_t i = 0; i < sizeof needed / sizeof *needed; i++) {
        if (k8s_resources_get(&type->allocatable, needed[i]) <= 0) {
            found(check, CAT_REMARK, "no allocatable " STR_FMT ": holds no pod",
                  STR_ARG(strtab_str(check->tab, needed[i])));
        }
    }
    for (uint32_t i = 0; i < type->allocatable.n; i++) {
        const struct k8s_quantity *q = &type->allocatable.v[i];
        struct str name = strtab_str(check->tab, q->resource);
        int64_t capacity = k8s_resources_get(&type->capacity, q->resource);
        int64_t left = sat_sub(capacity, k8s_resources_get(&type->kube_reserved, q->resource));
        left = sat_sub(left, k8s_resources_get(&type->system_reserved, q->resource));
        left = sat_sub(left, k8s_resources_get(&type->eviction, q->resource));
        for (uint32_t k = 0; k < type->capacity.n && q->resource == check->words->memory; k++) {
            struct str other = strtab_str(check->tab, type->capacity.v[k].resource);
            bool huge = str_starts(other, STR("hugepages-")); /* taken from memory */
            left = huge ? sat_sub(left, type->capacity.v[k].value) : left;
        }
        left = left < 0 ? 0 : left;
        if (q->value < 0 || q->value > capacity) {
            found(check, CAT_FAULT, "allocatable " STR_FMT " %lld is not within capacity %lld",
                  STR_ARG(name), (long long)q->value, (long long)capacity);
        } else if (q->value != left && !type->allocatable_given) {
            found(check, CAT_FAULT,
                  "allocatable " STR_FMT " %lld, but capacity less overhead is %lld", STR_ARG(name),
                  (long long)q->value, (long long)left);
        } else if (q->value != left) {
            found(check, CAT_REMARK,
                  "allocatable " STR_FMT " %lld as stated; capacity less overhead is %lld",
                  STR_ARG(name), (long long)q->value, (long long)left);
        }
    }
}

static void check_label(struct check *check, const char *key, strid expected)
{
    strid id = strtab_find(check->tab, str_of(key));
    strid value = id == STRID_NONE ? STRID_NONE : k8s_pairs_get(&check->type->labels, id);
    if (value != expected) {
        found(check, CAT_FAULT, "label %s is " STR_FMT, key,
              STR_ARG(value == STRID_NONE ? STR("absent") : strtab_str(check->tab, value)));
    }
}

static bool in_order(const struct check *check, const struct cat_offering *a,
                     const struct cat_offering *b)
{
    if (a->zone_i != b->zone_i) {
        return a->zone_i < b->zone_i;
    }
    if (a->capacity_type != b->capacity_type) {
        return a->capacity_type < b->capacity_type;
    }
    return strtab_cmp(check->tab, a->reservation_id, b->reservation_id) < 0;
}

static void check_spot(struct check *check, const struct cat_offering *spot)
{
    const struct cat_type *type = check->type;
    for (uint32_t i = 0; i < type->n_offerings; i++) {
        const struct cat_offering *at = &type->offerings[i];
        if (at->zone_i == spot->zone_i && at->capacity_type == CAT_ON_DEMAND && at->price.has &&
            spot->price.v > at->price.v) {
            found(check, CAT_REMARK, "spot costs more than on-demand in " STR_FMT,
                  STR_ARG(strtab_str(check->tab, check->catalog->zones[spot->zone_i].name)));
        }
    }
}

static void check_offerings(struct check *check, uint32_t *n_in_zone)
{
    const struct cat_type *type = check->type;
    struct cat_report *report = check->report;
    bool offered = false;
    for (uint32_t i = 0; i < type->n_offerings; i++) {
        const struct cat_offering *at = &type->offerings[i];
        report->n_offerings++;
        if (at->zone_i >= check->catalog->n_zones) {
            found(check, CAT_FAULT, "offering %u is in zone %u of %u", i, at->zone_i,
                  check->catalog->n_zones);
            continue;
        }
        if (i > 0 && !in_order(check, &type->offerings[i - 1], at)) {
            found(check, CAT_FAULT, "offerings %u and %u are equal or out of order", i - 1, i);
        }
        if (at->price.has && at->price.v < 0) {
            found(check, CAT_FAULT, "offering %u has a negative price", i);
        }
        report->n_priced += at->price.has ? 1 : 0;
        if (at->price.has && at->available) {
            offered = true;
            report->n_available++;
            report->n_by_capacity_type[at->capacity_type]++;
            n_in_zone[at->zone_i]++;
        }
        if (at->capacity_type == CAT_SPOT && at->price.has) {
            check_spot(check, at);
        }
    }
    report->n_not_offered += offered ? 0 : 1;
}

static void check_zones(struct check *check, const uint32_t *n_in_zone)
{
    const struct catalog *catalog = check->catalog;
    check->type = NULL;
    for (uint32_t i = 0; i < catalog->n_zones; i++) {
        struct str name = strtab_str(check->tab, catalog->zones[i].name);
        if (i > 0 &&
            strtab_cmp(check->tab, catalog->zones[i - 1].name, catalog->zones[i].name) >= 0) {
            found(check, CAT_FAULT, "zone " STR_FMT " is out of order", STR_ARG(name));
        }
        if (n_in_zone[i] == 0) {
            found(check, CAT_REMARK, "nothing can be bought in zone " STR_FMT, STR_ARG(name));
        }
    }
    if (catalog->n_types == 0 || catalog->n_zones == 0) {
        found(check, CAT_REMARK, "%u instance types in %u zones: nothing can be bought",
              catalog->n_types, catalog->n_zones);
    }
}

void cat_verify(const struct catalog *catalog, const struct strtab *tab,
                const struct k8s_words *words, struct arena *arena, struct cat_report *ret_report)
{
    *ret_report = (struct cat_report){.n_types = catalog->n_types, .n_zones = catalog->n_zones};
    struct check check = {
        .catalog = catalog, .tab = tab, .words = words, .arena = arena, .report = ret_report};
    uint32_t *n_in_zone = ARENA_ARRAY(arena, uint32_t, catalog->n_zones);
    for (uint32_t i = 0; i < catalog->n_types; i++) {
        check.type = &catalog->types[i];
        if (i > 0 && strtab_cmp(tab, catalog->types[i - 1].name, check.type->name) >= 0) {
            found(&check, CAT_FAULT, "listed twice or out of order");
        }
        check_amounts(&check);
        check_label(&check, "node.kubernetes.io/instance-type", check.type->name);
        check_label(&check, "kubernetes.io/arch", check.type->arch);
        check_offerings(&check, n_in_zone);
    }
    check_zones(&check, n_in_zone);
    ret_report->n_findings = (uint32_t)check.findings.n;
    ret_report->findings = check.findings.v;
}
