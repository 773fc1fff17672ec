/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "provisioner/provisioning/claims.h"

#include <inttypes.h>

#include "base/arena.h"
#include "base/rng.h"
#include "binpack/disruption/hash.h"
#include "binpack/plan/nodeclaims.h"
#include "binpack/plan/plan_json.h"
#include "binpack/scheduling/eligibility.h"
#include "k8s/annotations.h"

enum { BODY_MAX = 1 << 20, SUFFIX = 5 };

/* ---- from a plan ---- */

/* The letters of generateName: no vowels, no digits that look like letters. */
static struct str make_name(struct str pool, struct rng *rng, struct arena *arena)
{
    static const char letters[] = "bcdfghjklmnpqrstvwxz2456789";
    struct strbuf b = strbuf_new(arena, pool.n + SUFFIX + 1);
    strbuf_add(&b, pool);
    strbuf_addc(&b, '-');
    for (int i = 0; i < SUFFIX; i++) {
        strbuf_addc(&b, letters[rng_below(rng, sizeof letters - 1)]);
    }
    return strbuf_str(&b);
}

static void add_annotation(const struct strtab *tab, const struct k8s_meta *from, const char *key,
                           struct plan_nodeclaim_annotation *into, uint32_t *n)
{
    const strid id = strtab_find(tab, str_of(key));
    const strid value = id == STRID_NONE ? STRID_NONE : k8s_pairs_get(&from->annotations, id);
    if (value != STRID_NONE) {
        into[(*n)++] =
            (struct plan_nodeclaim_annotation){.key = str_of(key), .value = strtab_str(tab, value)};
    }
}

static struct str make_body(const struct plan *plan, uint32_t node_i, struct str name,
                            struct arena *arena)
{
    auto_arena scratch = ARENA_INIT;
    const struct k8s_cluster *cluster = plan->cluster;
    const struct karp_nodepool *pool = &cluster->nodepools[plan->nodes[node_i].pool_i];
    struct plan_nodeclaim_annotation annotations[4];
    struct plan_nodeclaim_meta meta = {
        .name = name, .finalizer = STR(CLAIM_FINALIZER), .annotations = annotations};
    struct strbuf b = strbuf_new(&scratch, BODY_MAX), hash = strbuf_new(&scratch, 32);
    struct jsonw w = jsonw_new(&b, JSONW_COMPACT);
    strbuf_addf(&hash, "%" PRIu64, hash_nodepool(pool, cluster->tab));
    annotations[meta.n_annotations++] =
        (struct plan_nodeclaim_annotation){.key = STR(ANN_POOL_HASH), .value = strbuf_str(&hash)};
    annotations[meta.n_annotations++] = (struct plan_nodeclaim_annotation){
        .key = STR(ANN_POOL_HASH_VERSION), .value = STR(HASH_VERSION)};
    for (uint32_t i = 0; i < cluster->n_nodeclasses; i++) {
        const struct aws_nodeclass *class = &cluster->nodeclasses[i];
        if (str_eq(class->meta.name, pool->class_ref.name)) {
            add_annotation(cluster->tab, &class->meta, ANN_CLASS_HASH, annotations,
                           &meta.n_annotations);
            add_annotation(cluster->tab, &class->meta, ANN_CLASS_HASH_VERSION, annotations,
                           &meta.n_annotations);
            break;
        }
    }
    plan_nodeclaim(plan, node_i, &meta, &w, &scratch);
    return str_copy(arena, str_trim(strbuf_str(&b)));
}

/* For each resource the most that any of the node's types has. */
static void most_of(const struct plan *plan, const struct plan_node *node, struct arena *arena,
                    struct claim_wanted *claim)
{
    const struct strtab *tab = plan->cluster->tab;
    struct claim_amount *amounts =
        ARENA_ARRAY(arena, struct claim_amount, node->type->capacity.n + 1);
    for (uint32_t i = 0; i < node->type->capacity.n; i++) {
        const strid resource = node->type->capacity.v[i].resource;
        int64_t most = node->type->capacity.v[i].value;
        for (uint32_t o = 0; o < node->n_options; o++) {
            const int64_t has = k8s_resources_get(&node->options[o]->capacity, resource);
            most = has > most ? has : most;
        }
        amounts[claim->n_amounts++] = (struct claim_amount){
            .resource = str_copy(arena, strtab_str(tab, resource)), .value = most};
    }
    amounts[claim->n_amounts++] = (struct claim_amount){.resource = STR("nodes"), .value = 1};
    claim->amounts = amounts;
}

void claims_of_plan(const struct plan *plan, uint64_t round, struct arena *arena,
                    const struct claim_wanted **ret_claims, uint32_t *ret_n)
{
    struct claim_wanted *claims = ARENA_ARRAY(arena, struct claim_wanted, plan->n_nodes);
    struct rng rng = {.state = (uint64_t)plan->now * 1000003 + round};
    for (uint32_t i = 0; i < plan->n_nodes; i++) {
        const struct plan_node *node = &plan->nodes[i];
        struct claim_wanted *claim = &claims[i];
        struct str *pods = ARENA_ARRAY(arena, struct str, node->n_pods);
        for (uint32_t k = 0; k < node->n_pods; k++) {
            pods[k] = plan_pod_name(plan, node->pods[k], arena);
        }
        claim->pool = str_copy(arena, plan->cluster->nodepools[node->pool_i].meta.name);
        claim->name = make_name(claim->pool, &rng, arena);
        claim->body = make_body(plan, i, claim->name, arena);
        claim->price = node->price;
        claim->pods = pods;
        claim->n_pods = node->n_pods;
        most_of(plan, node, arena, claim);
    }
    *ret_claims = claims;
    *ret_n = plan->n_nodes;
}

/* ---- against the state of now ---- */

static const struct k8s_kind *kind_of(struct str name)
{
    const struct k8s_kind *kind = NULL;
    return k8s_kind_find(name, STR_EMPTY, &kind) == K8S_MATCH_YES ? kind : NULL;
}

/* Waits still, or sits on a node that is going. */
static bool wants_place(const struct k8s_state *state, const struct sched_vocab *vocab,
                        struct str name)
{
    const size_t slash = str_find(name, '/');
    const struct k8s_identity id = {.ns = str_sub(name, 0, slash),
                                    .name = str_sub(name, slash + 1, name.n)};
    const struct k8s_pod *pod = k8s_state_find(state, kind_of(STR("Pod")), &id);
    if (pod == NULL || pod->node_name.n == 0) {
        return pod != NULL &&
               sched_pod_verdict(vocab, pod, /* offline= */ false) == SCHED_NEEDS_PLACE;
    }
    const struct k8s_identity node_id = {.name = pod->node_name};
    const struct k8s_node *node = k8s_state_find(state, kind_of(STR("Node")), &node_id);
    return node != NULL && node->meta.deleted.has && !sched_pod_finished(pod);
}

struct usage {
    const struct k8s_state *state;
    const struct sched_vocab *vocab;
    const struct catalog *catalog;
    struct str pool;
    strid resource;
};

static bool is_of_pool(const struct usage *u, const struct k8s_meta *meta)
{
    const strid pool = k8s_pairs_get(&meta->labels, u->vocab->words->nodepool);
    return pool != STRID_NONE && str_eq(strtab_str(u->vocab->tab, pool), u->pool);
}

/* What the claim will have at most, before its instance has said what it has. */
static int64_t most_of_claim(const struct usage *u, const struct karp_nodeclaim *claim)
{
    int64_t most = k8s_resources_get(&claim->requests, u->resource);
    for (uint32_t i = 0; i < claim->n_requirements; i++) {
        const struct k8s_requirement *r = &claim->requirements[i];
        for (uint32_t v = 0; r->key == u->vocab->words->instance_type && v < r->values.n; v++) {
            const struct cat_type *type = cat_find(u->catalog, u->vocab->tab, r->values.v[v]);
            const int64_t has = type == NULL ? 0 : k8s_resources_get(&type->capacity, u->resource);
            most = has > most ? has : most;
        }
    }
    return most;
}

static int64_t used(const struct usage *u)
{
    const bool nodes = u->resource == u->vocab->words->nodes;
    int64_t sum = 0;
    for (uint32_t i = 0; i < k8s_state_count(u->state, STORE_NODECLAIMS); i++) {
        const struct karp_nodeclaim *claim = k8s_state_at(u->state, STORE_NODECLAIMS, i);
        if (is_of_pool(u, &claim->meta)) {
            sum = sat_add(sum, nodes ? 1
                               : claim->capacity.n == 0
                                   ? most_of_claim(u, claim)
                                   : k8s_resources_get(&claim->capacity, u->resource));
        }
    }
    return sum;
}

/* Claims that are going count until they are gone: their instances still run. */
static bool fits_limits(struct usage *u, const struct karp_nodepool *pool,
                        const struct claim_wanted *claim, const struct claim_wanted *const *before,
                        uint32_t n_before)
{
    for (uint32_t i = 0; i < pool->limits.n; i++) {
        const struct str name = strtab_str(u->vocab->tab, pool->limits.v[i].resource);
        u->resource = pool->limits.v[i].resource;
        int64_t sum = used(u);
        for (uint32_t b = 0; b <= n_before; b++) {
            const struct claim_wanted *other = b == n_before ? claim : before[b];
            for (uint32_t a = 0; str_eq(other->pool, u->pool) && a < other->n_amounts; a++) {
                const bool same = str_eq(other->amounts[a].resource, name);
                sum = sat_add(sum, same ? other->amounts[a].value : 0);
            }
        }
        if (sum > pool->limits.v[i].value) {
            return false;
        }
    }
    return true;
}

enum claim_verdict claim_check(const struct k8s_state *state, const struct sched_vocab *vocab,
                               const struct catalog *catalog, const struct claim_wanted *claim,
                               const struct claim_wanted *const *before, uint32_t n_before)
{
    const struct k8s_identity id = {.name = claim->pool};
    const struct karp_nodepool *pool = k8s_state_find(state, kind_of(STR("NodePool")), &id);
    struct usage usage = {.state = state, .vocab = vocab, .catalog = catalog, .pool = claim->pool};
    bool wanted = claim->n_pods == 0;
    if (pool == NULL || pool->meta.deleted.has) {
        return CLAIM_NO_POOL;
    }
    for (uint32_t i = 0; i < claim->n_pods && !wanted; i++) {
        wanted = wants_place(state, vocab, claim->pods[i]);
    }
    return !wanted                                              ? CLAIM_NO_PODS
           : fits_limits(&usage, pool, claim, before, n_before) ? CLAIM_GOOD
                                                                : CLAIM_OVER_LIMIT;
}
