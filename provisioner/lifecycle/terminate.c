/* SPDX-License-Identifier: GPL-3.0-or-later */
/* From a NodeClaim that is deleted to nothing: the node is tainted and drained, then the instance
 * is terminated, and only when EC2 has it no more do the finalizers go, the node's first. */
#include "awsapi/service_ec2.h"
#include "base/rfc3339.h"
#include "binpack/scheduling/eligibility.h"
#include "binpack/scheduling/taints.h"
#include "k8s/annotations.h"
#include "provisioner/lifecycle/lifecycle_impl.h"

enum { BODY_MAX = 4096, N_TIERS = 4 };

/* ---- finalizers ---- */

static uint32_t finalizer_at(const struct lifecycle_view *view, const struct k8s_meta *meta)
{
    const strid ours = strtab_find(view->tab, STR(TERMINATION_FINALIZER));
    uint32_t i = 0;
    while (i < meta->n_finalizers && meta->finalizers[i] != ours) {
        i++;
    }
    return i;
}

static void remove_finalizer(const struct lifecycle_view *view, struct life *life, const char *kind,
                             const struct k8s_meta *meta)
{
    struct strbuf body = strbuf_new(view->out->arena, BODY_MAX);
    strbuf_addf(&body, "[{\"op\": \"remove\", \"path\": \"/metadata/finalizers/%u\"}]",
                finalizer_at(view, meta));
    const struct k8s_write patch = {
        .verb = K8S_WRITE_JSON_PATCH, .kind = life_kind(kind), .body = strbuf_str(&body)};
    life_patch(view, life, LIFE_WRITE, meta, &patch);
}

/* ---- the node ---- */

static bool is_disrupted(const struct lifecycle_view *view, const struct k8s_node *node)
{
    const strid key = strtab_find(view->tab, STR("karpenter.sh/disrupted"));
    for (uint32_t i = 0; i < node->n_taints; i++) {
        if (node->taints[i].key == key && node->taints[i].effect == K8S_NO_SCHEDULE) {
            return true;
        }
    }
    return false;
}

static void taint(const struct lifecycle_view *view, struct life *life, const struct k8s_node *node)
{
    struct strbuf body = strbuf_new(view->out->arena, BODY_MAX);
    strbuf_addf(&body,
                "[{\"op\": \"add\", \"path\": \"/spec/taints%s\", \"value\": %s{\"key\": "
                "\"karpenter.sh/disrupted\", \"effect\": \"NoSchedule\"}%s}, {\"op\": \"add\", "
                "\"path\": "
                "\"/metadata/labels/node.kubernetes.io~1exclude-from-external-load-balancers\", "
                "\"value\": \"karpenter\"}]",
                node->n_taints == 0 ? "" : "/-", node->n_taints == 0 ? "[" : "",
                node->n_taints == 0 ? "]" : "");
    const struct k8s_write patch = {
        .verb = K8S_WRITE_JSON_PATCH, .kind = life_kind("Node"), .body = strbuf_str(&body)};
    life_patch(view, life, LIFE_WRITE, &node->meta, &patch);
}

/* ---- by when ---- */

static strid terminate_by(const struct lifecycle_view *view, const struct karp_nodeclaim *claim)
{
    const strid key = strtab_find(view->tab, STR(ANN_TERMINATE_BY));
    return key == STRID_NONE ? STRID_NONE : k8s_pairs_get(&claim->meta.annotations, key);
}

/* When the pods must be gone. Absent: they have all the time that they want. */
static struct opt_wall deadline_of(const struct lifecycle_view *view,
                                   const struct karp_nodeclaim *claim)
{
    const strid value = terminate_by(view, claim);
    struct opt_wall deadline = {.has = false};
    struct err err;
    deadline.has =
        value != STRID_NONE && rfc3339_parse(strtab_str(view->tab, value), &deadline.v, &err);
    return deadline;
}

/* terminationGracePeriod counts from the deletion and stands on the claim, where everybody sees it
 * and can change it (karp: nodeclaim.lifecycle finalize). */
static void write_deadline(const struct lifecycle_view *view, struct life *life,
                           const struct karp_nodeclaim *claim)
{
    char buffer[RFC3339_TEXT_MAX];
    struct strbuf body = strbuf_new(view->out->arena, BODY_MAX);
    const wall_t deadline = sat_add(claim->meta.deleted.v, claim->termination_grace.ms);
    strbuf_addf(&body,
                "{\"metadata\": {\"annotations\": {\"" ANN_TERMINATE_BY "\": \"" STR_FMT "\"}}}",
                STR_ARG(rfc3339_format(deadline, buffer)));
    life_patch_claim(view, life, LIFE_WRITE, claim, STR_EMPTY, strbuf_str(&body));
}

/* ---- its pods ---- */

bool terminate_drains(const struct lifecycle_view *view, const struct k8s_pod *pod)
{
    const struct k8s_taint disrupted = {.key =
                                            strtab_find(view->tab, STR("karpenter.sh/disrupted")),
                                        .value = STRID_EMPTY,
                                        .effect = K8S_NO_SCHEDULE};
    return !k8s_pod_is_static(view->vocab->words, pod->shape) &&
           !k8s_tolerates(pod->shape->tolerations, pod->shape->n_tolerations, &disrupted) &&
           !(pod->deleted.has && sat_sub(view->now.wall, pod->deleted.v) > STUCK_POD_MS);
}

/* Has to go before the node may. */
static bool is_drained(const struct lifecycle_view *view, const struct k8s_pod *pod)
{
    return !sched_pod_finished(pod) && terminate_drains(view, pod);
}

/* Non-critical before critical, others before those of DaemonSets (karp: terminator tiers). */
static int tier_of(const struct lifecycle_view *view, const struct k8s_pod *pod)
{
    const struct str class = strtab_str(view->tab, pod->shape->priority_class);
    const bool critical =
        str_eq(class, STR("system-cluster-critical")) || str_eq(class, STR("system-node-critical"));
    return (critical ? 2 : 0) + (k8s_pod_of_daemonset(view->vocab->words, pod->shape) ? 1 : 0);
}

static bool is_protected(const struct lifecycle_view *view, const struct k8s_pod *pod)
{
    const strid value = k8s_pairs_get(&pod->shape->annotations, view->vocab->words->do_not_disrupt);
    return value != STRID_NONE && str_eq(strtab_str(view->tab, value), STR("true"));
}

static void evict(const struct lifecycle_view *view, struct life *life, const struct k8s_pod *pod)
{
    const struct k8s_write write = {.verb = K8S_WRITE_EVICT,
                                    .kind = life_kind("Pod"),
                                    .ns = strtab_str(view->tab, pod->ns),
                                    .name = str_copy(view->out->arena, pod->name),
                                    .uid = str_copy(view->out->arena, pod->uid),
                                    .grace_s = -1};
    life_write(view, life, LIFE_DRAIN, &write);
}

/* What is left until the deadline; a pod gets a second at least, since none would be to forget it
 * without waiting for its kubelet (karp: eviction queue). */
static int64_t grace_left_s(const struct lifecycle_view *view, wall_t deadline)
{
    const int64_t left_s = sat_sub(deadline, view->now.wall) / 1000;
    return left_s > 1 ? left_s : 1;
}

/* Would the pod, with the grace that it asks for, outlive the deadline (karp: needsForceDelete)? Of
 * one that is going already that is so when its grace can still be cut. */
static bool is_overdue(const struct lifecycle_view *view, const struct k8s_pod *pod,
                       wall_t deadline)
{
    if (pod->deleted.has) {
        const int64_t cut_ms = (grace_left_s(view, deadline) + 1) * 1000;
        return pod->deleted.v > deadline && sat_sub(pod->deleted.v, view->now.wall) > cut_ms;
    }
    const int64_t asked_ms = sat_mul(pod->shape->termination_grace_seconds, 1000);
    return view->now.wall > sat_sub(deadline, asked_ms);
}

/* True: a pod is being deleted, whatever budgets, tiers and do-not-disrupt say. */
static bool hurry(const struct lifecycle_view *view, struct life *life, const struct k8s_node *node,
                  wall_t deadline)
{
    for (uint32_t i = 0; i < k8s_state_count(view->state, STORE_PODS); i++) {
        const struct k8s_pod *pod = k8s_state_at(view->state, STORE_PODS, i);
        if (str_eq(pod->node_name, node->meta.name) && is_drained(view, pod) &&
            is_overdue(view, pod, deadline)) {
            const struct k8s_write write = {.verb = K8S_WRITE_DELETE,
                                            .kind = life_kind("Pod"),
                                            .ns = strtab_str(view->tab, pod->ns),
                                            .name = str_copy(view->out->arena, pod->name),
                                            .uid = str_copy(view->out->arena, pod->uid),
                                            .grace_s = grace_left_s(view, deadline)};
            life_write(view, life, LIFE_DRAIN, &write);
            return true;
        }
    }
    return false;
}

/* True: nothing is left to wait for. One eviction at a time, the lowest tier first; from the next
 * one only when that is empty. Which pod is first turns with time, so that one whose budget allows
 * nothing does not hold up the others. */
static bool drain(const struct lifecycle_view *view, struct life *life, const struct k8s_node *node)
{
    const struct k8s_pod *first = NULL, *chosen = NULL;
    uint32_t n = 0, n_tier = 0;
    int lowest = N_TIERS;
    for (int pass = 0; pass < 3; pass++) {
        const uint32_t turn = n_tier > 0 ? (uint32_t)((view->now.mono / 100) % n_tier) : 0;
        uint32_t seen = 0;
        for (uint32_t i = 0; i < k8s_state_count(view->state, STORE_PODS); i++) {
            const struct k8s_pod *pod = k8s_state_at(view->state, STORE_PODS, i);
            if (!str_eq(pod->node_name, node->meta.name) || !is_drained(view, pod)) {
                continue;
            }
            const int tier = tier_of(view, pod);
            const bool can = tier == lowest && !pod->deleted.has && !is_protected(view, pod);
            n += pass == 0;
            lowest = pass == 0 && tier < lowest ? tier : lowest;
            n_tier += pass == 1 && can;
            if (pass == 2 && can) {
                first = first == NULL ? pod : first;
                chosen = seen++ == turn ? pod : chosen;
            }
        }
    }
    chosen = chosen == NULL ? first : chosen;
    if (chosen != NULL) {
        evict(view, life, chosen);
    } else if (n > 0) {
        life->due = sat_add(view->now.mono, DRAIN_AGAIN_MS);
    }
    return n == 0;
}

/* ---- the instance ---- */

static struct str *one_id(const struct lifecycle_view *view, struct str id)
{
    struct str *ids = ARENA_ARRAY(view->out->arena, struct str, 1);
    ids[0] = str_copy(view->out->arena, id);
    return ids;
}

static void terminate(const struct lifecycle_view *view, struct life *life, struct str id)
{
    if (!life->terminating) {
        struct ec2_terminate_instances_request *request =
            ARENA_NEW(view->out->arena, struct ec2_terminate_instances_request);
        request->instance_ids.v = one_id(view, id);
        request->instance_ids.n = 1;
        life_call(view, life, LIFE_TERMINATE, &aws_ec2_terminate_instances, request);
        return;
    }
    struct ec2_describe_instances_request *request =
        ARENA_NEW(view->out->arena, struct ec2_describe_instances_request);
    request->instance_ids.v = one_id(view, id);
    request->instance_ids.n = 1;
    life_call(view, life, LIFE_LOOK_GONE, &aws_ec2_describe_instances, request);
}

/* Terminated, or not found although it was seen by TerminateInstances. */
static bool is_gone(const struct event *event)
{
    const struct ec2_describe_instances_result *result = event->reply;
    if (result == NULL) {
        return event->fault.kind == AWS_FAULT_NOT_FOUND;
    }
    for (size_t i = 0; i < result->reservations.n; i++) {
        for (size_t k = 0; k < result->reservations.v[i].instances.n; k++) {
            const struct ec2_instance *instance = &result->reservations.v[i].instances.v[k];
            if (instance->state == NULL || !str_eq(instance->state->name, STR("terminated"))) {
                return false;
            }
        }
    }
    return true;
}

void terminate_reply(struct lifecycle *l, const struct lifecycle_view *view, struct life *life,
                     const struct event *event)
{
    if (life->wait == LIFE_TERMINATE && event->reply != NULL) {
        life->terminating = true;
        life->backoff_ms = 0;
        life->due = sat_add(view->now.mono, LOOK_AGAIN_MS);
    } else if (life->wait == LIFE_TERMINATE && event->fault.kind == AWS_FAULT_NOT_FOUND &&
               life->looking_since != INT64_MAX &&
               view->now.mono - life->looking_since > UNSEEN_MS) {
        life->none = true;
    } else if (life->wait == LIFE_TERMINATE) {
        /* An instance that is new may not be found yet. */
        life->looking_since =
            life->looking_since == INT64_MAX ? view->now.mono : life->looking_since;
        life_back_off(view, life);
    } else if (is_gone(event)) {
        life->none = true;
        l->counts.n_terminated++;
    } else {
        life->due = sat_add(view->now.mono, LOOK_AGAIN_MS);
    }
}

/* Whether the instance is gone, or there never was one; if not, the next step towards that. */
static bool instance_is_gone(const struct lifecycle_view *view, struct life *life,
                             const struct karp_nodeclaim *claim)
{
    const struct str of_claim = life_instance_id(claim->provider_id);
    if (life->none || (of_claim.n == 0 && !life->has_instance &&
                       (life->uncalled || !launch_was_tried(view, claim)))) {
        return true;
    }
    if (of_claim.n > 0 || life->has_instance) {
        terminate(view, life, of_claim.n > 0 ? of_claim : life_str(&life->instance_id));
        return false;
    }
    /* A launch was tried, and nobody has noted what it gave: EC2 may take a while to show it.
     * Nothing is launched for a claim that is deleted: long after that, whoever looks knows,
     * however often the program was killed meanwhile. */
    const bool long_ago = sat_sub(view->now.wall, claim->meta.deleted.v) > UNSEEN_MS;
    if (long_ago && life->sure) {
        life->none = true;
        return true;
    }
    if (life->looking_since == INT64_MAX || view->now.mono - life->looking_since < UNSEEN_MS) {
        if (life->sure) {
            life->sure = false;
            life->due = sat_add(view->now.mono, LOOK_AGAIN_MS);
            return false;
        }
        launch_look(view, life);
        return false;
    }
    life->none = true;
    return true;
}

void terminate_next(struct lifecycle *l, const struct lifecycle_view *view, struct life *life,
                    const struct karp_nodeclaim *claim)
{
    const struct k8s_node *node = life_node(view, claim->provider_id);
    const struct opt_wall deadline = deadline_of(view, claim);
    (void)l;
    if (claim->termination_grace.has && !claim->termination_grace.never &&
        terminate_by(view, claim) == STRID_NONE) {
        write_deadline(view, life, claim);
        return;
    }
    const bool ours = node != NULL && finalizer_at(view, &node->meta) < node->meta.n_finalizers;
    if (ours && !life->none) {
        if (!node->meta.deleted.has) {
            life_delete(view, life, "Node", &node->meta);
            return;
        }
        if (!is_disrupted(view, node)) {
            taint(view, life, node);
            return;
        }
        if (detach_say_draining(view, life, claim) ||
            (deadline.has && hurry(view, life, node, deadline.v)) || !drain(view, life, node) ||
            !detach_is_done(view, life, claim, node, deadline)) {
            return;
        }
    }
    if (life->terminating && !life->none && detach_say_terminating(view, life, claim)) {
        return;
    }
    if (!instance_is_gone(view, life, claim)) {
        return;
    }
    if (ours) {
        remove_finalizer(view, life, "Node", &node->meta);
    } else {
        remove_finalizer(view, life, "NodeClaim", &claim->meta);
    }
}
