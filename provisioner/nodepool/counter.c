/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "provisioner/nodepool/counter.h"

#include <stdlib.h>

#include "base/vec.h"
#include "binpack/scheduling/vocab.h"

struct sum {
    const struct k8s_state *state;
    const struct sched_vocab *vocab;
    strid pool, yes; /* its name as a label's value, "true" */
    struct arena *arena;
    VEC(struct k8s_quantity) of;
};

static void add(struct sum *sum, strid resource, int64_t value)
{
    for (size_t i = 0; i < sum->of.n; i++) {
        if (sum->of.v[i].resource == resource) {
            sum->of.v[i].value = sat_add(sum->of.v[i].value, value);
            return;
        }
    }
    VEC_PUSH(sum->arena, &sum->of, ((struct k8s_quantity){.resource = resource, .value = value}));
}

static bool is_of_pool(const struct sum *sum, const struct k8s_meta *meta)
{
    return k8s_pairs_get(&meta->labels, sum->vocab->words->nodepool) == sum->pool;
}

/* Of the node what it says, of the claim (may be NULL) what the node does not. */
static void add_machine(struct sum *sum, const struct k8s_node *node,
                        const struct karp_nodeclaim *claim)
{
    static const struct k8s_resources nothing = {.n = 0};
    const struct k8s_words *words = sum->vocab->words;
    const bool initialized =
        node != NULL && k8s_pairs_get(&node->meta.labels, words->initialized) == sum->yes;
    const struct k8s_resources *of_node = node == NULL ? &nothing : &node->capacity;
    const struct k8s_resources *of_claim =
        claim == NULL || initialized ? &nothing : &claim->capacity;
    for (uint32_t i = 0; i < of_node->n; i++) {
        const int64_t value = of_node->v[i].value;
        add(sum, of_node->v[i].resource,
            value > 0 ? value : k8s_resources_get(of_claim, of_node->v[i].resource));
    }
    for (uint32_t i = 0; i < of_claim->n; i++) {
        if (!k8s_resources_has(of_node, of_claim->v[i].resource)) {
            add(sum, of_claim->v[i].resource, of_claim->v[i].value);
        }
    }
    if (of_node->n + of_claim->n > 0) {
        add(sum, words->nodes, 1);
    }
}

static const struct k8s_kind *kind_of(const char *name)
{
    const struct k8s_kind *kind = NULL;
    return k8s_kind_find(str_of(name), STR_EMPTY, &kind) == K8S_MATCH_YES ? kind : NULL;
}

static void add_claim(struct sum *sum, const struct karp_nodeclaim *claim)
{
    const struct k8s_identity id = {.name = claim->node_name};
    const struct k8s_node *node =
        claim->node_name.n > 0 ? k8s_state_find(sum->state, kind_of("Node"), &id) : NULL;
    if (is_of_pool(sum, &claim->meta) && !claim->meta.deleted.has) {
        add_machine(sum, node, claim);
    }
}

/* By its owner; before it is registered by the instance. */
static bool has_claim(const struct sum *sum, const struct k8s_node *node)
{
    for (uint32_t i = 0; i < node->meta.n_owners; i++) {
        const struct k8s_identity id = {.name = node->meta.owners[i].name};
        if (str_eq(strtab_str(sum->vocab->tab, node->meta.owners[i].kind), STR("NodeClaim")) &&
            k8s_state_find(sum->state, kind_of("NodeClaim"), &id) != NULL) {
            return true;
        }
    }
    for (uint32_t i = 0; i < k8s_state_count(sum->state, STORE_NODECLAIMS); i++) {
        const struct karp_nodeclaim *claim = k8s_state_at(sum->state, STORE_NODECLAIMS, i);
        if (claim->provider_id.n > 0 && str_eq(claim->provider_id, node->provider_id)) {
            return true;
        }
    }
    return false;
}

static int by_resource(const void *a, const void *b)
{
    const strid x = ((const struct k8s_quantity *)a)->resource;
    const strid y = ((const struct k8s_quantity *)b)->resource;
    return (x > y) - (x < y);
}

struct k8s_resources counter_used(const struct k8s_state *state, const struct sched_vocab *vocab,
                                  struct str pool, struct arena *arena)
{
    const struct k8s_words *words = vocab->words;
    const strid base[] = {words->cpu, words->memory, words->pods, words->ephemeral_storage,
                          words->nodes};
    struct sum sum = {.state = state,
                      .vocab = vocab,
                      .pool = strtab_find(vocab->tab, pool),
                      .yes = strtab_find(vocab->tab, STR("true")),
                      .arena = arena};
    for (size_t i = 0; i < sizeof base / sizeof base[0]; i++) {
        add(&sum, base[i], 0);
    }
    /* A name that is no word yet is on no label. */
    for (uint32_t i = 0; sum.pool != STRID_NONE && i < k8s_state_count(state, STORE_NODECLAIMS);
         i++) {
        add_claim(&sum, k8s_state_at(state, STORE_NODECLAIMS, i));
    }
    for (uint32_t i = 0; sum.pool != STRID_NONE && i < k8s_state_count(state, STORE_NODES); i++) {
        const struct k8s_node *node = k8s_state_at(state, STORE_NODES, i);
        if (is_of_pool(&sum, &node->meta) && !node->meta.deleted.has && !has_claim(&sum, node)) {
            add_machine(&sum, node, NULL);
        }
    }
    qsort(sum.of.v, sum.of.n, sizeof *sum.of.v, by_resource);
    return (struct k8s_resources){.n = (uint32_t)sum.of.n, .v = sum.of.v};
}
