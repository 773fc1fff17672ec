/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "binpack/disruption/hash.h"

#include "base/structhash.h"

#define NANOS_A_MS INT64_C(1000000)

/* One field of a struct; `zero` ones are left out. */
static void add_field(uint64_t *h, struct str name, uint64_t value, bool zero)
{
    if (!zero) {
        structhash_field(h, name, value);
    }
}

static void add_text(uint64_t *h, struct str name, struct str value)
{
    add_field(h, name, structhash_text(value), value.n == 0);
}

static void add_map(uint64_t *h, struct str name, const struct k8s_pairs *pairs,
                    const struct strtab *tab)
{
    uint64_t sum = 0;
    for (uint32_t i = 0; i < pairs->n; i++) {
        sum ^= structhash_pair(structhash_text(strtab_str(tab, pairs->v[i].key)),
                               structhash_text(strtab_str(tab, pairs->v[i].value)));
    }
    add_field(h, name, structhash_map(sum), pairs->n == 0);
}

static struct str effect_text(enum k8s_effect effect)
{
    switch (effect) {
    case K8S_NO_SCHEDULE:
        return STR("NoSchedule");
    case K8S_PREFER_NO_SCHEDULE:
        return STR("PreferNoSchedule");
    case K8S_NO_EXECUTE:
        return STR("NoExecute");
    case K8S_EFFECT_ANY:
        break;
    }
    return STR_EMPTY;
}

static void add_taints(uint64_t *h, struct str name, const struct k8s_taint *taints, uint32_t n,
                       const struct strtab *tab)
{
    uint64_t sum = 0;
    for (uint32_t i = 0; i < n; i++) {
        uint64_t one = structhash_text(STR("Taint"));
        add_text(&one, STR("Key"), strtab_str(tab, taints[i].key));
        add_text(&one, STR("Value"), strtab_str(tab, taints[i].value));
        add_text(&one, STR("Effect"), effect_text(taints[i].effect));
        sum ^= one;
    }
    add_field(h, name, sum, n == 0);
}

static void add_duration(uint64_t *h, struct str name, struct str type,
                         const struct karp_duration *duration)
{
    uint64_t one = structhash_text(type);
    int64_t ms = duration->has && !duration->never ? duration->ms : 0;
    uint64_t nanos = structhash_i64(sat_mul(ms, NANOS_A_MS));
    add_field(&one, STR("Duration"), nanos, ms == 0);
    add_field(h, name, one, !duration->has || duration->never);
}

static uint64_t hash_spec(const struct karp_nodepool *pool, const struct strtab *tab)
{
    uint64_t h = structhash_text(STR("NodeClaimTemplateSpec"));
    add_taints(&h, STR("Taints"), pool->taints, pool->n_taints, tab);
    add_taints(&h, STR("StartupTaints"), pool->startup_taints, pool->n_startup_taints, tab);
    uint64_t ref = structhash_text(STR("NodeClassReference"));
    add_text(&ref, STR("Kind"), strtab_str(tab, pool->class_ref.kind));
    add_text(&ref, STR("Name"), pool->class_ref.name);
    add_text(&ref, STR("Group"), strtab_str(tab, pool->class_ref.group));
    add_field(&h, STR("NodeClassRef"), ref, /* zero= */ false);
    add_duration(&h, STR("TerminationGracePeriod"), STR("Duration"), &pool->termination_grace);
    add_duration(&h, STR("ExpireAfter"), STR("NillableDuration"), &pool->expire_after);
    return h;
}

uint64_t hash_nodepool(const struct karp_nodepool *pool, const struct strtab *tab)
{
    bool bare = pool->template_labels.n == 0 && pool->template_annotations.n == 0;
    uint64_t meta = structhash_text(STR("ObjectMeta"));
    add_map(&meta, STR("Labels"), &pool->template_labels, tab);
    add_map(&meta, STR("Annotations"), &pool->template_annotations, tab);
    uint64_t h = structhash_text(STR("NodeClaimTemplate"));
    add_field(&h, STR("ObjectMeta"), meta, bare);
    add_field(&h, STR("Spec"), hash_spec(pool, tab), /* zero= */ false);
    return h;
}
