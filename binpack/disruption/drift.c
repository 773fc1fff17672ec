/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "binpack/disruption/drift.h"

#include "binpack/disruption/hash.h"
#include "binpack/scheduling/reqs.h"
#include "k8s/annotations.h"

#define NEW_CLAIM_MS (INT64_C(3600) * 1000)

/* The value of an annotation as text; empty when absent. */
static struct str annotation(const struct strtab *tab, const struct k8s_meta *meta, const char *key)
{
    strid id = strtab_find(tab, str_of(key));
    strid value = id == STRID_NONE ? STRID_NONE : k8s_pairs_get(&meta->annotations, id);
    return value == STRID_NONE ? STR_EMPTY : strtab_str(tab, value);
}

static bool template_drifts(const struct strtab *tab, const struct karp_nodeclaim *claim,
                            const struct karp_nodepool *pool)
{
    struct str of_claim = annotation(tab, &claim->meta, ANN_POOL_HASH);
    struct str version = annotation(tab, &claim->meta, ANN_POOL_HASH_VERSION);
    struct str of_pool = annotation(tab, &pool->meta, ANN_POOL_HASH);
    struct str pool_version = annotation(tab, &pool->meta, ANN_POOL_HASH_VERSION);
    uint64_t stated = 0;
    if (of_claim.n == 0 || version.n == 0) {
        return false;
    }
    if (str_eq(version, STR(HASH_VERSION))) {
        return !str_to_u64(of_claim, &stated) || stated != hash_nodepool(pool, tab);
    }
    return of_pool.n > 0 && str_eq(version, pool_version) && !str_eq(of_pool, of_claim);
}

static bool class_drifts(const struct strtab *tab, const struct karp_nodeclaim *claim,
                         const struct aws_nodeclass *class)
{
    struct str of_claim = annotation(tab, &claim->meta, ANN_CLASS_HASH);
    struct str version = annotation(tab, &claim->meta, ANN_CLASS_HASH_VERSION);
    struct str of_class = annotation(tab, &class->meta, ANN_CLASS_HASH);
    return of_claim.n > 0 && version.n > 0 && of_class.n > 0 &&
           str_eq(version, annotation(tab, &class->meta, ANN_CLASS_HASH_VERSION)) &&
           !str_eq(of_claim, of_class);
}

/* A requirement of the pool that the labels of the claim do not satisfy. */
static bool requirements_drift(const struct sched_vocab *vocab, const struct karp_nodeclaim *claim,
                               const struct karp_nodepool *pool)
{
    for (uint32_t i = 0; i < pool->n_requirements; i++) {
        if (!sched_match_requirement(vocab, &pool->requirements[i], &claim->meta.labels)) {
            return true;
        }
    }
    return false;
}

/* Is the type not sold any more, or not there? New claims are spared: what they were launched from
 * may not be listed yet. A reserved node goes on as on demand when its reservation ends. */
static bool type_is_gone(const struct sched_snapshot *s, const struct karp_nodeclaim *claim,
                         wall_t now)
{
    const struct k8s_pairs *labels = &claim->meta.labels;
    strid name = k8s_pairs_get(labels, s->words->instance_type);
    strid zone = k8s_pairs_get(labels, s->words->zone);
    strid capacity = k8s_pairs_get(labels, s->words->capacity_type);
    if (name == STRID_NONE || zone == STRID_NONE || !claim->meta.created.has ||
        sat_sub(now, claim->meta.created.v) <= NEW_CLAIM_MS) {
        return false;
    }
    const struct cat_type *type = cat_find(s->catalog, s->tab, name);
    for (uint32_t i = 0; type != NULL && i < type->n_offerings; i++) {
        const struct cat_offering *o = &type->offerings[i];
        bool same = capacity == s->words->spot       ? o->capacity_type == CAT_SPOT
                    : capacity == s->words->reserved ? o->capacity_type != CAT_SPOT
                                                     : o->capacity_type == CAT_ON_DEMAND;
        if (same && s->catalog->zones[o->zone_i].name == zone) {
            return false;
        }
    }
    return true;
}

static bool image_drifts(const struct sched_offers *offers, const struct karp_nodeclaim *claim,
                         const struct aws_nodeclass *class)
{
    const struct sched_snapshot *s = offers->snapshot;
    strid type_name = k8s_pairs_get(&claim->meta.labels, s->words->instance_type);
    const struct cat_type *type =
        type_name == STRID_NONE ? NULL : cat_find(s->catalog, s->tab, type_name);
    if (claim->image_id.n == 0 || class->n_amis == 0 || type == NULL) {
        return false;
    }
    for (uint32_t i = 0; i < class->n_amis; i++) {
        bool fits = true;
        for (uint32_t r = 0; r < class->amis[i].n_requirements && fits; r++) {
            fits =
                sched_match_requirement(s->vocab, &class->amis[i].requirements[r], &type->labels);
        }
        if (fits) {
            return !str_eq(class->amis[i].id, claim->image_id);
        }
    }
    return true;
}

/* Not the same set, where EC2 has been asked and the class knows its groups. */
static bool groups_drift(const struct karp_nodeclaim *claim, const struct aws_nodeclass *class)
{
    const struct aws_instance *instance = claim->instance;
    uint32_t n_common = 0;
    if (instance == NULL || instance->n_groups == 0 || class->n_groups == 0) {
        return false;
    }
    for (uint32_t i = 0; i < instance->n_groups; i++) {
        for (uint32_t k = 0; k < class->n_groups; k++) {
            n_common += str_eq(instance->groups[i], class->groups[k].id);
        }
    }
    return n_common != instance->n_groups || n_common != class->n_groups;
}

/* The very subnet where EC2 has been asked; else whether there is one in the zone. */
static bool subnet_drifts(const struct sched_snapshot *s, const struct karp_nodeclaim *claim,
                          const struct aws_nodeclass *class)
{
    if (claim->instance != NULL && claim->instance->subnet_id.n > 0) {
        bool same = class->n_subnets == 0;
        for (uint32_t i = 0; i < class->n_subnets && !same; i++) {
            same = str_eq(class->subnets[i].id, claim->instance->subnet_id);
        }
        return !same;
    }
    strid zone = k8s_pairs_get(&claim->meta.labels, s->words->zone);
    bool known = class->n_subnets == 0 || zone == STRID_NONE;
    for (uint32_t i = 0; i < class->n_subnets && !known; i++) {
        known = class->subnets[i].zone == zone;
    }
    return !known;
}

static bool reservation_drifts(const struct sched_snapshot *s, const struct karp_nodeclaim *claim,
                               const struct aws_nodeclass *class)
{
    strid id = k8s_pairs_get(&claim->meta.labels, s->words->reservation_id);
    bool known = id == STRID_NONE;
    for (uint32_t i = 0; i < class->n_reservations && !known; i++) {
        known = str_eq(class->reservations[i].id, strtab_str(s->tab, id));
    }
    return !known;
}

const char *drift_detect(const struct sched_offers *offers, const struct sched_machine *machine,
                         const struct karp_nodepool *pool, wall_t now)
{
    const struct sched_snapshot *s = offers->snapshot;
    const struct karp_nodeclaim *claim = machine->claim;
    const struct aws_nodeclass *class = NULL;
    for (uint32_t p = 0; p < s->n_pools; p++) {
        class = s->pools[p].pool == pool ? s->pools[p].node_class : class;
    }
    if (template_drifts(s->tab, claim, pool)) {
        return "NodePoolDrifted";
    }
    if (requirements_drift(s->vocab, claim, pool)) {
        return "RequirementsDrifted";
    }
    if (type_is_gone(s, claim, now)) {
        return "InstanceTypeNotFound";
    }
    if (class == NULL || class->meta.deleted.has) {
        return NULL;
    }
    return class_drifts(s->tab, claim, class)    ? "NodeClassDrift"
           : image_drifts(offers, claim, class)  ? "AMIDrift"
           : groups_drift(claim, class)          ? "SecurityGroupDrift"
           : subnet_drifts(s, claim, class)      ? "SubnetDrift"
           : reservation_drifts(s, claim, class) ? "CapacityReservationDrift"
                                                 : NULL;
}
