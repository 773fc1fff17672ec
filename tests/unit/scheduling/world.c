/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "world.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/docs.h"
#include "k8s/builder.h"

static void add_document(struct k8s_builder *builder, struct str text)
{
    struct err err = {0};
    json_t *object = NULL;
    if (str_trim(text).n == 0) {
        return;
    }
    if (!docs_read_one(text, &object, &err)) {
        fail_msg("YAML of the test: %s\n" STR_FMT, err.text, STR_ARG(text));
    }
    if (!k8s_builder_add(builder, object, STR_EMPTY, 0, false, NULL, &err)) {
        fail_msg("object of the test: %s", err.text);
    }
    json_decref(object);
}

void world_open(struct world *world, const char *yaml)
{
    world->arena = ARENA_INIT;
    struct strtab *tab = strtab_new(&world->arena);
    struct k8s_builder *builder = k8s_builder_new(&world->arena, tab);
    const char *from = yaml;
    for (;;) {
        const char *end = strstr(from, "---\n");
        const size_t n = end == NULL ? strlen(from) : (size_t)(end - from);
        add_document(builder, (struct str){.p = from, .n = n});
        if (end == NULL) {
            break;
        }
        from = end + 4;
    }
    world->cluster = k8s_builder_finish(builder);
    world->vocab = sched_vocab_new(&world->arena, world->cluster, NULL);
}

void world_close(struct world *world)
{
    arena_done(&world->arena);
}

const struct k8s_pod *world_pod(const struct world *world, const char *name)
{
    const struct str wanted = str_of(name);
    const size_t slash = str_find(wanted, '/');
    for (uint32_t i = 0; i < world->cluster->n_pods; i++) {
        const struct k8s_pod *pod = &world->cluster->pods[i];
        if (str_eq(strtab_str(world->cluster->tab, pod->ns), str_sub(wanted, 0, slash)) &&
            str_eq(pod->name, str_sub(wanted, slash + 1, wanted.n))) {
            return pod;
        }
    }
    fail_msg("no pod %s", name);
    return NULL;
}

strid world_id(const struct world *world, const char *word)
{
    return strtab_add(world->cluster->tab, str_of(word));
}
