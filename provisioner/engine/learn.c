/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What running nodes teach of memory (learned.h), and the catalogue as plans take it. */
#include "binpack/scheduling/vocab.h"
#include "provisioner/engine/engine_impl.h"
#include "provisioner/provisioning/gone.h"

static const struct karp_nodeclaim *claim_of(const struct engine *engine,
                                             const struct k8s_node *node)
{
    const struct k8s_kind *kind = NULL;
    if (k8s_kind_find(STR("NodeClaim"), STR("karpenter.sh/v1"), &kind) != K8S_MATCH_YES) {
        return NULL;
    }
    for (uint32_t i = 0; i < node->meta.n_owners; i++) {
        const struct k8s_owner *owner = &node->meta.owners[i];
        const struct k8s_identity id = {.name = owner->name};
        if (str_eq(strtab_str(k8s_state_tab(engine->state), owner->kind), STR("NodeClaim"))) {
            return k8s_state_find(engine->state, kind, &id);
        }
    }
    return NULL;
}

static void learn_node(struct engine *engine, const struct k8s_node *node, mono_t now)
{
    const struct strtab *tab = k8s_state_tab(engine->state);
    const struct k8s_words *words = engine->vocab->words;
    const strid type = k8s_pairs_get(&node->meta.labels, words->instance_type);
    const strid registered = k8s_pairs_get(&node->meta.labels, words->registered);
    const struct karp_nodeclaim *claim = claim_of(engine, node);
    if (claim != NULL && type != STRID_NONE && registered != STRID_NONE &&
        str_eq(strtab_str(tab, registered), STR("true"))) {
        learned_note(engine->learned, strtab_str(tab, type), claim->image_id,
                     k8s_resources_get(&node->capacity, words->memory), now);
    }
}

void learn_object(struct engine *engine, const struct event *event, mono_t now)
{
    const struct k8s_node *node = engine->learned != NULL && event->kind->store == STORE_NODES
                                      ? k8s_state_find(engine->state, event->kind, &event->delta.id)
                                      : NULL;
    if (node != NULL) {
        learn_node(engine, node, now);
    }
}

void learn_all(struct engine *engine, mono_t now)
{
    for (uint32_t i = 0; engine->learned != NULL && i < k8s_state_count(engine->state, STORE_NODES);
         i++) {
        learn_node(engine, k8s_state_at(engine->state, STORE_NODES, i), now);
    }
}

void learn_apply(struct engine *engine, mono_t now)
{
    arena_reset(&engine->observed_arena);
    if (engine->learned != NULL) {
        engine->cat.n_observed = learned_list(engine->learned, k8s_state_tab(engine->state), now,
                                              &engine->observed_arena, &engine->cat.observed);
    }
}

void learn_forget_words(struct engine *engine)
{
    engine->cat.n_observed = 0;
    arena_reset(&engine->observed_arena);
}

struct engine_catalog engine_catalog(struct engine *engine, struct moment now, struct arena *arena)
{
    const struct round_gone *gone = NULL;
    const uint32_t n_gone = engine->lifecycle == NULL ? 0 : full_gone(engine, now, arena, &gone);
    struct engine_catalog ret = {
        .catalog = gone_catalog(engine->catalog, k8s_state_tab(engine->state), gone, n_gone, arena),
        .settings = engine->cat};
    if (engine->learned != NULL) {
        ret.settings.n_observed = learned_list(engine->learned, k8s_state_tab(engine->state),
                                               now.mono, arena, &ret.settings.observed);
    }
    return ret;
}
