/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What NodePools of an EC2NodeClass may buy, for the dry runs of launches (karp-aws: validation.go,
 * getNodePoolCompatibleInstanceTypes). */
#include <stdlib.h>

#include "binpack/catalog/catalog.h"
#include "binpack/scheduling/probes.h"
#include "binpack/scheduling/reqs.h"
#include "provisioner/engine/engine_impl.h"
#include "provisioner/nodeclass/dryrun.h"

struct priced {
    const struct cat_type *type;
    usd_t price; /* on demand */
};

static bool is_of(const struct strtab *tab, const struct karp_nodepool *pool, struct str class_name)
{
    const struct karp_class_ref *ref = &pool->class_ref;
    return str_eq(ref->name, class_name) &&
           str_eq(strtab_str(tab, ref->group), STR("karpenter.k8s.aws")) &&
           str_eq(strtab_str(tab, ref->kind), STR("EC2NodeClass"));
}

/* Zone and capacity type are not asked for: the subnets of the class are tried, on demand. */
static bool may_buy(const struct sched_vocab *vocab, struct sched_reqs reqs,
                    const struct cat_type *type)
{
    for (uint32_t i = 0; i < reqs.n; i++) {
        const struct sched_req *req = &reqs.v[i];
        if (sched_key_part(vocab, req->key) == SCHED_PART_TYPE &&
            !sched_req_holds(vocab, req, sched_label(vocab, &type->labels, req->key))) {
            return false;
        }
    }
    return true;
}

static int by_price(const void *a, const void *b)
{
    const struct priced *x = a, *y = b;
    return x->price != y->price ? (x->price < y->price ? -1 : 1)
                                : (x->type > y->type) - (x->type < y->type);
}

/* Of each NodePool of the class. */
static struct sched_reqs *reqs_of_pools(const struct engine *engine, struct str class_name,
                                        struct arena *arena, uint32_t *ret_n)
{
    const uint32_t n_pools = k8s_state_count(engine->state, STORE_NODEPOOLS);
    struct sched_reqs *all = ARENA_ARRAY(arena, struct sched_reqs, n_pools);
    *ret_n = 0;
    for (uint32_t i = 0; i < n_pools; i++) {
        const struct karp_nodepool *pool = k8s_state_at(engine->state, STORE_NODEPOOLS, i);
        if (is_of(k8s_state_tab(engine->state), pool, class_name)) {
            all[(*ret_n)++] = sched_reqs_and(
                engine->vocab, arena,
                sched_reqs_of(engine->vocab, arena, pool->n_requirements, pool->requirements),
                sched_reqs_of_labels(engine->vocab, arena, &pool->template_labels));
        }
    }
    return all;
}

uint32_t engine_class_types(const struct engine *engine, struct str class_name, struct arena *arena,
                            const struct nodeclass_type **ret_types)
{
    auto_arena scratch = ARENA_INIT;
    const struct strtab *tab = k8s_state_tab(engine->state);
    const strid gpus = strtab_find(tab, STR("karpenter.k8s.aws/instance-gpu-count"));
    const strid accelerators =
        strtab_find(tab, STR("karpenter.k8s.aws/instance-accelerator-count"));
    const struct catalog *catalog = engine->catalog;
    struct priced *found = ARENA_ARRAY(&scratch, struct priced, catalog->n_types);
    uint32_t n_pools, n = 0;
    const struct sched_reqs *pools = reqs_of_pools(engine, class_name, &scratch, &n_pools);
    for (uint32_t t = 0; t < catalog->n_types; t++) {
        const struct cat_type *type = &catalog->types[t];
        const struct opt_usd price = cat_type_on_demand_price(type);
        bool wanted = false;
        for (uint32_t p = 0; p < n_pools && price.has && !wanted; p++) {
            wanted = may_buy(engine->vocab, pools[p], type);
        }
        if (wanted) {
            found[n++] = (struct priced){.type = type, .price = price.v};
        }
    }
    if (n > 1) {
        qsort(found, n, sizeof *found, by_price);
    }
    struct nodeclass_type *types = ARENA_ARRAY(arena, struct nodeclass_type, n);
    for (uint32_t i = 0; i < n; i++) {
        const struct cat_type *type = found[i].type;
        types[i] = (struct nodeclass_type){
            .name = strtab_str(tab, type->name),
            .arch = strtab_str(tab, type->arch),
            .has_gpus = gpus != STRID_NONE && k8s_pairs_get(&type->labels, gpus) != STRID_NONE,
            .has_accelerators = accelerators != STRID_NONE &&
                                k8s_pairs_get(&type->labels, accelerators) != STRID_NONE,
            .max_pods = k8s_resources_get(&type->capacity, engine->words.words.pods)};
    }
    *ret_types = types;
    return n;
}
