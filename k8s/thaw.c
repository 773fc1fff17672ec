/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Frozen objects into a cluster: through k8s/builder.h, so that a running cluster and a
 * recorded one are the same to the planner. */
#include <string.h>

#include "base/arena.h"
#include "k8s/builder_impl.h"
#include "k8s/state.h"

static const struct k8s_pod_shape *own(const struct k8s_builder *b,
                                       const struct k8s_pod_shape *shape)
{
    return shape == NULL ? NULL : k8s_shapes_at(b->shapes, shape->id);
}

/* Admission writes into claim templates. */
static void own_claims(struct k8s_workload *workload, struct arena *arena)
{
    if (workload->n_claim_templates > 0) {
        struct k8s_claim_template *claims =
            ARENA_ARRAY(arena, struct k8s_claim_template, workload->n_claim_templates);
        memcpy(claims, workload->claim_templates, workload->n_claim_templates * sizeof *claims);
        workload->claim_templates = claims;
    }
}

static void own_shapes(struct k8s_builder *b)
{
    for (uint32_t i = 0; i < b->objects[STORE_PODS].n; i++) {
        struct k8s_pod *pod = k8s_objects_at(b, STORE_PODS, i);
        pod->shape = own(b, pod->shape);
    }
    for (uint32_t i = 0; i < b->objects[STORE_WORKLOADS].n; i++) {
        struct k8s_workload *workload = k8s_objects_at(b, STORE_WORKLOADS, i);
        workload->template_shape = own(b, workload->template_shape);
        own_claims(workload, b->arena);
    }
    for (uint32_t i = 0; i < b->objects[STORE_POD_TEMPLATES].n; i++) {
        struct k8s_pod_template *template = k8s_objects_at(b, STORE_POD_TEMPLATES, i);
        template->shape = own(b, template->shape);
    }
}

struct k8s_builder *k8s_frozen_builder(const struct k8s_frozen *frozen, struct arena *arena)
{
    struct k8s_builder *b = k8s_builder_new(arena, strtab_fork(&frozen->words, arena));
    b->shapes = k8s_shapes_fork(&frozen->shapes, arena);
    for (int store = 0; store < N_STORES; store++) {
        const uint32_t n = frozen->objects[store].n;
        const size_t size = k8s_stores[store].size;
        struct k8s_objects *o = &b->objects[store];
        o->n = n;
        o->v = arena_calloc(arena, n, size);
        for (uint32_t i = 0; i < n; i += K8S_SEGMENT) {
            const uint32_t here = n - i < K8S_SEGMENT ? n - i : (uint32_t)K8S_SEGMENT;
            memcpy((char *)o->v + i * size, frozen->objects[store].segments[i / K8S_SEGMENT],
                   here * size);
        }
    }
    own_shapes(b);
    return b;
}
