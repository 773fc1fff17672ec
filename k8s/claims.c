/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "k8s/claims.h"

#include "base/arena.h"

enum { NAME_MAX_BYTES = 600 };

static bool gives_way(const struct k8s_workload *workload, struct str volume)
{
    for (uint32_t t = 0; t < workload->n_claim_templates; t++) {
        if (str_eq(workload->claim_templates[t].name, volume)) {
            return true;
        }
    }
    return false;
}

void k8s_claims_of_pod(const struct k8s_workload *workload, struct str pod_name, strid phase,
                       struct arena *arena, struct k8s_pod_shape *shape, struct k8s_pvc *ret_claims)
{
    uint32_t n = 0;
    struct k8s_volume *volumes =
        ARENA_ARRAY(arena, struct k8s_volume, shape->n_volumes + workload->n_claim_templates + 1);
    for (uint32_t i = 0; i < shape->n_volumes; i++) {
        if (!gives_way(workload, shape->volumes[i].name)) {
            volumes[n++] = shape->volumes[i];
        }
    }
    auto_arena scratch = ARENA_INIT;
    for (uint32_t t = 0; t < workload->n_claim_templates; t++) {
        const struct k8s_claim_template *template = &workload->claim_templates[t];
        struct strbuf name = strbuf_new(&scratch, NAME_MAX_BYTES);
        strbuf_add(&name, template->name);
        strbuf_addc(&name, '-');
        strbuf_add(&name, pod_name);
        ret_claims[t] = (struct k8s_pvc){.storage_class = template->storage_class,
                                         .request_bytes = template->request_bytes,
                                         .phase = phase};
        ret_claims[t].meta.name = str_copy(arena, strbuf_str(&name));
        ret_claims[t].meta.ns = workload->meta.ns;
        volumes[n++] = (struct k8s_volume){.kind = K8S_VOLUME_CLAIM,
                                           .name = template->name,
                                           .claim_name = ret_claims[t].meta.name};
    }
    shape->volumes = volumes;
    shape->n_volumes = n;
}
