/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The EBS driver: a claim that waits for its first pod gets a volume in the zone of that pod's
 * node, and keeps it there. */
#include <stdio.h>

#include "provisioner/sandbox/world.h"

static void bind_claim(struct world *world, struct object *claim, const struct k8s_pvc *pvc,
                       const struct k8s_cluster *cluster, const struct k8s_node *node)
{
    char name[NAME_MAX_BYTES];
    const struct str class = strtab_str(cluster->tab, pvc->storage_class);
    const struct str zone =
        strtab_str(cluster->tab, k8s_pairs_get(&node->meta.labels, cluster->words.zone));
    (void)snprintf(name, sizeof name, "pvc-" STR_FMT, STR_ARG(pvc->meta.uid));
    json_t *volume = json_pack(
        "{s:s,s:s,s:{s:s},s:{s:s%,s:{s:s},s:{s:s,s:s},s:{s:{s:[{s:[{s:s,s:s,s:[s%]}]}]}}}}",
        "apiVersion", "v1", "kind", "PersistentVolume", "metadata", "name", name, "spec",
        "storageClassName", class.p, class.n, "capacity", "storage", "10Gi", "csi", "driver",
        "ebs.csi.aws.com", "volumeHandle", name, "nodeAffinity", "required", "nodeSelectorTerms",
        "matchExpressions", "key", "topology.kubernetes.io/zone", "operator", "In", "values",
        zone.p, zone.n);
    json_t *value = json_deep_copy(claim->value);
    (void)json_object_set_new(json_object_get(value, "spec"), "volumeName", json_string(name));
    (void)json_object_set_new(json_object_get(value, "metadata"), "annotations",
                              json_pack("{s:s}", "pv.kubernetes.io/bind-completed", "yes"));
    (void)json_object_set_new(value, "status", json_pack("{s:s}", "phase", "Bound"));
    objects_put(world, claim, value);
    objects_create(world, world_kind_of(STORE_PVS), volume);
}

void volume_make(struct world *world, const struct k8s_cluster *cluster, const struct k8s_pod *pod,
                 const struct k8s_node *node)
{
    const struct k8s_kind *kind = world_kind_of(STORE_PVCS);
    const struct str ns = strtab_str(cluster->tab, pod->ns);
    for (uint32_t i = 0; i < pod->shape->n_volumes; i++) {
        const struct k8s_volume *v = &pod->shape->volumes[i];
        const struct k8s_identity id = {.ns = ns, .name = v->claim_name};
        const struct k8s_pvc *pvc =
            v->kind == K8S_VOLUME_CLAIM ? k8s_state_find(world->truth, kind, &id) : NULL;
        if (pvc != NULL && pvc->volume_name.n == 0) {
            bind_claim(world, objects_find(world, kind, ns, v->claim_name), pvc, cluster, node);
        }
    }
}
