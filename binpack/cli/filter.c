/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "binpack/cli/filter.h"

#include "base/arena.h"
#include "k8s/selector_text.h"

static bool selector_matches(const struct label_selector *selector, const struct strtab *tab,
                             const struct k8s_pairs *labels)
{
    for (uint32_t i = 0; i < selector->n; i++) {
        const struct label_term *term = &selector->terms[i];
        strid key = strtab_find(tab, term->key);
        strid value = key == STRID_NONE ? STRID_NONE : k8s_pairs_get(labels, key);
        bool present = value != STRID_NONE;
        struct str text = present ? strtab_str(tab, value) : STR_EMPTY;
        if (!label_term_holds(term, present, text)) {
            return false;
        }
    }
    return true;
}

bool filter_pods(const struct options *options, enum plan_mode mode, struct arena *arena,
                 const struct k8s_cluster **cluster, bool *ret_any, struct err *err)
{
    const struct k8s_cluster *all = *cluster;
    struct label_selector selector = {.n = 0};
    *ret_any = true;
    if (options->selector.n == 0 && options->namespace_name.n == 0) {
        return true;
    }
    if (options->selector.n > 0 &&
        !label_selector_parse(options->selector, arena, &selector, err)) {
        return err_wrap(err, "--selector");
    }
    struct k8s_pod *pods = ARENA_ARRAY(arena, struct k8s_pod, all->n_pods + 1);
    uint32_t n = 0;
    *ret_any = false;
    for (uint32_t i = 0; i < all->n_pods; i++) {
        const struct k8s_pod *pod = &all->pods[i];
        bool wanted = (options->namespace_name.n == 0 ||
                       str_eq(strtab_str(all->tab, pod->ns), options->namespace_name)) &&
                      selector_matches(&selector, all->tab, &pod->shape->labels);
        *ret_any = *ret_any || wanted;
        bool stays = pod->shape->owner_kind == all->words.daemonset ||
                     (mode != PLAN_REPACK && pod->node_name.n > 0);
        if (wanted || stays) {
            pods[n++] = *pod;
        }
    }
    struct k8s_cluster *filtered = ARENA_NEW(arena, struct k8s_cluster);
    *filtered = *all;
    filtered->pods = pods;
    filtered->n_pods = n;
    *cluster = filtered;
    return true;
}
