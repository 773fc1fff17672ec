/* SPDX-License-Identifier: GPL-3.0-or-later */
/* usage_parse on any text: rows are in it, and a row that names a container changes its pod. */
#include "base/arena.h"
#include "binpack/whatif/usage.h"
#include "check.h"
#include "k8s/builder.h"

static bool within(struct str part, struct str whole)
{
    return part.n > 0 && part.p >= whole.p && part.p + part.n <= whole.p + whole.n;
}

/* A cluster with one pod that is what the first row names, read literally. */
static void check_applied(const struct usage *usage, struct arena *arena)
{
    struct k8s_words words;
    struct strtab *tab = strtab_new(arena);
    k8s_words_init(&words, tab);
    const struct k8s_container container = {.name = usage->rows[0].container};
    const struct k8s_pod_shape shape = {.n_containers = 1, .containers = &container};
    const struct k8s_pod_shape *const shapes[] = {&shape};
    const struct k8s_pod pod = {
        .name = usage->rows[0].pod, .ns = strtab_add(tab, usage->rows[0].ns), .shape = &shape};
    const struct k8s_cluster cluster = {
        .tab = tab, .words = words, .n_pods = 1, .pods = &pod, .n_shapes = 1, .shapes = shapes};
    uint32_t n = 0;
    const struct k8s_cluster *after = usage_apply(usage, &cluster, arena, &n);
    MUST(n == 1 && after->n_shapes == 2 && after->pods[0].shape == after->shapes[1]);
    const struct k8s_resources *requests = &after->pods[0].shape->containers[0].requests;
    const strid resource = usage->rows[0].memory ? words.memory : words.cpu;
    MUST(k8s_resources_get(requests, resource) == usage->rows[0].amount);
    MUST(container.requests.n == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    auto_arena arena = ARENA_INIT;
    const struct str text = {.p = (const char *)data, .n = size};
    struct usage usage;
    struct err err = {.code = ERR_NONE};
    if (!usage_parse(text, STR("p95"), &arena, &usage, &err)) {
        MUST(err.code == ERR_INVALID || err.code == ERR_LIMIT || err.code == ERR_NOT_FOUND);
        return 0;
    }
    for (uint32_t i = 0; i < usage.n; i++) {
        MUST(usage.rows[i].amount >= 0 && within(usage.rows[i].ns, text) &&
             within(usage.rows[i].pod, text) && within(usage.rows[i].container, text));
    }
    if (usage.n > 0) {
        check_applied(&usage, &arena);
    }
    return 0;
}
