/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Between the last pod and the end of the machine: its volumes come off first, so that no pod waits
 * elsewhere for one that a dead machine still has (karp: awaitVolumeDetachment). Volumes of pods
 * that stay until the end (of DaemonSets that tolerate it, static ones, stuck ones) are not waited
 * for, nor is anything once terminationGracePeriod is over. */
#include "provisioner/lifecycle/lifecycle_impl.h"

#define DRAINED  STR("Drained")
#define DETACHED STR("VolumesDetached")

static const struct k8s_pvc *claim_of(const struct lifecycle_view *view, const struct k8s_pod *pod,
                                      const struct k8s_volume *volume)
{
    struct strbuf name = strbuf_new(view->out->arena, 2 * LIFE_TEXT_MAX);
    if (volume->kind == K8S_VOLUME_EPHEMERAL) {
        strbuf_addf(&name, STR_FMT "-" STR_FMT, STR_ARG(pod->name), STR_ARG(volume->name));
    } else {
        strbuf_add(&name, volume->claim_name);
    }
    const struct k8s_identity id = {.ns = strtab_str(view->tab, pod->ns),
                                    .name = strbuf_str(&name)};
    return k8s_state_find(view->state, life_kind("PersistentVolumeClaim"), &id);
}

/* A pod that stays uses it. */
static bool stays(const struct lifecycle_view *view, const struct k8s_node *node, struct str pv)
{
    for (uint32_t i = 0; i < k8s_state_count(view->state, STORE_PODS); i++) {
        const struct k8s_pod *pod = k8s_state_at(view->state, STORE_PODS, i);
        if (!str_eq(pod->node_name, node->meta.name) || terminate_drains(view, pod)) {
            continue;
        }
        for (uint32_t v = 0; v < pod->shape->n_volumes; v++) {
            const struct k8s_volume *volume = &pod->shape->volumes[v];
            const struct k8s_pvc *claim =
                volume->kind == K8S_VOLUME_CLAIM || volume->kind == K8S_VOLUME_EPHEMERAL
                    ? claim_of(view, pod, volume)
                    : NULL;
            if (claim != NULL && str_eq(claim->volume_name, pv)) {
                return true;
            }
        }
    }
    return false;
}

static bool is_attached(const struct lifecycle_view *view, const struct k8s_node *node)
{
    for (uint32_t i = 0; i < k8s_state_count(view->state, STORE_ATTACHMENTS); i++) {
        const struct k8s_volume_attachment *a = k8s_state_at(view->state, STORE_ATTACHMENTS, i);
        if (a->pv_name.n > 0 && str_eq(a->node_name, node->meta.name) &&
            !stays(view, node, a->pv_name)) {
            return true;
        }
    }
    return false;
}

/* True: the condition was not so, and is being written. */
static bool write(const struct lifecycle_view *view, struct life *life,
                  const struct karp_nodeclaim *claim, struct conditions *conditions)
{
    if (!conditions_differ(conditions)) {
        return false;
    }
    life_write_conditions(view, life, claim, conditions);
    return true;
}

bool detach_say_draining(const struct lifecycle_view *view, struct life *life,
                         const struct karp_nodeclaim *claim)
{
    struct conditions conditions = life_conditions(view, claim);
    if (conditions_find(&conditions, DRAINED) != NULL) {
        return false;
    }
    conditions_set(&conditions, DRAINED, STR("Unknown"), STR("Draining"), STR("Draining"));
    return write(view, life, claim, &conditions);
}

bool detach_say_terminating(const struct lifecycle_view *view, struct life *life,
                            const struct karp_nodeclaim *claim)
{
    struct conditions conditions = life_conditions(view, claim);
    if (str_eq(conditions_status(&conditions, STR("InstanceTerminating")), STR("True"))) {
        return false;
    }
    conditions_set_true(&conditions, STR("InstanceTerminating"));
    return write(view, life, claim, &conditions);
}

bool detach_is_done(const struct lifecycle_view *view, struct life *life,
                    const struct karp_nodeclaim *claim, const struct k8s_node *node,
                    struct opt_wall deadline)
{
    struct conditions conditions = life_conditions(view, claim);
    const struct str status = conditions_status(&conditions, DETACHED);
    const bool attached = is_attached(view, node);
    const bool late = attached && deadline.has && view->now.wall >= deadline.v;
    if (!str_eq(conditions_status(&conditions, DRAINED), STR("True"))) {
        conditions_set_true(&conditions, DRAINED);
    }
    if (late && !str_eq(status, STR("False"))) {
        conditions_set(&conditions, DETACHED, STR("False"), STR("TerminationGracePeriodElapsed"),
                       STR("TerminationGracePeriodElapsed"));
    } else if (attached && !late && conditions_find(&conditions, DETACHED) == NULL) {
        conditions_set(&conditions, DETACHED, STR("Unknown"), STR("AwaitingVolumeDetachment"),
                       STR("AwaitingVolumeDetachment"));
    } else if (!attached && !str_eq(status, STR("True"))) {
        conditions_set_true(&conditions, DETACHED);
    }
    if (conditions.changed && write(view, life, claim, &conditions)) {
        return false;
    }
    if (attached && !late) {
        life->due = sat_add(view->now.mono, DRAIN_AGAIN_MS);
    }
    return !attached || late;
}
