/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "binpack/cli/filter.h"

#include "base/arena.h"
#include "base/vec.h"
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

/* A namespace that nothing of the input is in is a slip of the keyboard. */
static bool check_namespace(const struct k8s_cluster *cluster, struct str name, struct arena *arena,
                            struct err *err)
{
    struct strtab *seen = strtab_new(arena);
    VEC(const char *) names = {0};
    bool found = name.n == 0;
    for (uint32_t i = 0; i < cluster->n_namespaces + cluster->n_pods && !found; i++) {
        struct str one =
            i < cluster->n_namespaces
                ? cluster->namespaces[i].meta.name
                : strtab_str(cluster->tab, cluster->pods[i - cluster->n_namespaces].ns);
        found = str_eq(one, name);
        if (strtab_find(seen, one) == STRID_NONE) {
            (void)strtab_add(seen, one);
            VEC_PUSH(arena, &names, str_cstr(arena, one));
        }
    }
    VEC_PUSH(arena, &names, NULL);
    return found || err_set(err, ERR_NOT_FOUND,
                            "--namespace: the input has no namespace \"" STR_FMT
                            "\" and no pod in it" STR_FMT,
                            STR_ARG(str_sub(name, 0, 200)),
                            STR_ARG(option_suggest(name, names.v, "", arena)));
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
    if (!check_namespace(all, options->namespace_name, arena, err)) {
        return false;
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
        bool stays = k8s_pod_of_daemonset(&all->words, pod->shape) ||
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
