/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "binpack/disruption/hash.h"

#define FNV_BASIS  UINT64_C(14695981039346656037)
#define FNV_PRIME  UINT64_C(1099511628211)
#define NANOS_A_MS INT64_C(1000000)

static uint64_t hash_bytes(uint64_t h, const void *bytes, size_t n)
{
    const uint8_t *p = bytes;
    for (size_t i = 0; i < n; i++) {
        h = (h * FNV_PRIME) ^ p[i];
    }
    return h;
}

static uint64_t hash_text(struct str text)
{
    return hash_bytes(FNV_BASIS, text.p, text.n);
}

/* A number as eight bytes, the least significant first. */
static uint64_t hash_word(uint64_t h, uint64_t word)
{
    uint8_t bytes[8];
    for (int i = 0; i < 8; i++) {
        bytes[i] = (uint8_t)(word >> (8 * i));
    }
    return hash_bytes(h, bytes, sizeof bytes);
}

static uint64_t ordered(uint64_t a, uint64_t b)
{
    return hash_word(hash_word(FNV_BASIS, a), b);
}

static uint64_t finish(uint64_t h)
{
    return hash_word(FNV_BASIS, h);
}

/* One field of a struct; `zero` ones are left out. */
static void add_field(uint64_t *h, struct str name, uint64_t value, bool zero)
{
    if (!zero) {
        *h = finish(*h ^ ordered(hash_text(name), value));
    }
}

static void add_text(uint64_t *h, struct str name, struct str value)
{
    add_field(h, name, hash_text(value), value.n == 0);
}

static void add_map(uint64_t *h, struct str name, const struct k8s_pairs *pairs,
                    const struct strtab *tab)
{
    uint64_t sum = 0;
    for (uint32_t i = 0; i < pairs->n; i++) {
        sum ^= ordered(hash_text(strtab_str(tab, pairs->v[i].key)),
                       hash_text(strtab_str(tab, pairs->v[i].value)));
    }
    add_field(h, name, finish(sum), pairs->n == 0);
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
        uint64_t one = hash_text(STR("Taint"));
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
    uint64_t one = hash_text(type);
    int64_t ms = duration->has && !duration->never ? duration->ms : 0;
    uint64_t nanos = hash_word(FNV_BASIS, (uint64_t)sat_mul(ms, NANOS_A_MS));
    add_field(&one, STR("Duration"), nanos, ms == 0);
    add_field(h, name, one, !duration->has || duration->never);
}

static uint64_t hash_spec(const struct karp_nodepool *pool, const struct strtab *tab)
{
    uint64_t h = hash_text(STR("NodeClaimTemplateSpec"));
    add_taints(&h, STR("Taints"), pool->taints, pool->n_taints, tab);
    add_taints(&h, STR("StartupTaints"), pool->startup_taints, pool->n_startup_taints, tab);
    uint64_t ref = hash_text(STR("NodeClassReference"));
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
    uint64_t meta = hash_text(STR("ObjectMeta"));
    add_map(&meta, STR("Labels"), &pool->template_labels, tab);
    add_map(&meta, STR("Annotations"), &pool->template_annotations, tab);
    uint64_t h = hash_text(STR("NodeClaimTemplate"));
    add_field(&h, STR("ObjectMeta"), meta, bare);
    add_field(&h, STR("Spec"), hash_spec(pool, tab), /* zero= */ false);
    return h;
}
