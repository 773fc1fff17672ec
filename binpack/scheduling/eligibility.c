/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "binpack/scheduling/eligibility.h"

#include "binpack/scheduling/reqs.h"

static const struct {
    const char *code, *text;
} verdicts[SCHED_N_VERDICTS] = {
    [SCHED_NEEDS_PLACE] = {"POD_PENDING", "needs a place"},
    [SCHED_BOUND] = {"POD_BOUND", "bound to a node"},
    [SCHED_FINISHED] = {"POD_FINISHED", "finished"},
    [SCHED_DAEMON] = {"POD_OF_DAEMONSET", "of a DaemonSet"},
    [SCHED_MIRROR] = {"POD_STATIC", "static pod of a node"},
    [SCHED_GATED] = {"POD_GATED", "held back by scheduling gates"},
    [SCHED_NOMINATED] = {"POD_NOMINATED", "nominated to a node where preemption makes room"},
    [SCHED_UNSEEN] = {"POD_NOT_SEEN", "not yet judged by its scheduler"},
    [SCHED_OTHER_REASON] = {"POD_OTHER_REASON",
                            "not scheduled for another reason than Unschedulable"},
    [SCHED_SCHEDULED] = {"POD_SCHEDULED", "scheduled"},
    [SCHED_REFUSES_MANAGED] = {"POD_REFUSES_MANAGED", "refuses nodes of a NodePool"},
    [SCHED_MATCH_FIELDS] = {"MATCH_FIELDS", "asks for a node by matchFields"},
    [SCHED_BAD_REQUIREMENT] = {"BAD_REQUIREMENT", "asks for a label it may not ask for"},
    [SCHED_DRA] = {"DYNAMIC_RESOURCES", "uses dynamic resource allocation"},
};

struct str sched_verdict_text(enum sched_verdict verdict)
{
    return str_of(verdicts[verdict].text);
}

struct str sched_verdict_code(enum sched_verdict verdict)
{
    return str_of(verdicts[verdict].code);
}

struct str sched_verdict_text_of_code(struct str code)
{
    for (int i = 0; i < SCHED_N_VERDICTS; i++) {
        if (str_eq(str_of(verdicts[i].code), code)) {
            return str_of(verdicts[i].text);
        }
    }
    return code;
}

bool sched_verdict_is_ignored(enum sched_verdict verdict)
{
    return verdict >= SCHED_BOUND && verdict <= SCHED_REFUSES_MANAGED;
}

enum sched_verdict sched_pod_verdict(const struct sched_vocab *vocab, const struct k8s_pod *pod,
                                     bool offline)
{
    const struct k8s_words *words = vocab->words;
    if (sched_pod_finished(pod)) {
        return SCHED_FINISHED;
    }
    if (pod->node_name.n > 0) {
        return SCHED_BOUND;
    }
    if (k8s_pod_of_daemonset(vocab->words, pod->shape)) {
        return SCHED_DAEMON;
    }
    if (k8s_pod_is_static(vocab->words, pod->shape)) {
        return SCHED_MIRROR;
    }
    if (pod->nominated_node_name.n > 0) {
        return SCHED_NOMINATED;
    }
    /* Whatever an old status says: kube-scheduler looks at gates first. */
    if (pod->shape->n_scheduling_gates > 0 || pod->scheduled_reason == words->scheduling_gated) {
        return SCHED_GATED;
    }
    if (pod->scheduled_status == words->s_false && pod->scheduled_reason == words->unschedulable) {
        return SCHED_NEEDS_PLACE;
    }
    if (pod->scheduled_status == words->s_true) {
        return SCHED_SCHEDULED;
    }
    if (pod->scheduled_status == STRID_EMPTY || pod->scheduled_status == STRID_NONE) {
        return offline && !pod->has_status ? SCHED_NEEDS_PLACE : SCHED_UNSEEN;
    }
    return SCHED_OTHER_REASON;
}

/* Every required term excludes the nodes of NodePools. */
static bool refuses_managed(const struct sched_vocab *vocab, const struct k8s_pod_shape *shape)
{
    if (!shape->has_required_node_terms || shape->n_node_terms == 0) {
        return false;
    }
    for (uint32_t t = 0; t < shape->n_node_terms; t++) {
        const struct k8s_node_term *term = &shape->node_terms[t];
        bool refuses = false;
        for (uint32_t e = 0; e < term->n_expressions; e++) {
            refuses = refuses || (term->expressions[e].key == vocab->words->nodepool &&
                                  term->expressions[e].op == K8S_DOES_NOT_EXIST);
        }
        if (!refuses) {
            return false;
        }
    }
    return true;
}

static bool selector_is_valid(const struct sched_vocab *vocab, const struct k8s_pod_shape *shape,
                              struct err *err)
{
    for (uint32_t i = 0; i < shape->node_selector.n; i++) {
        const struct k8s_pair *pair = &shape->node_selector.v[i];
        const struct k8s_requirement requirement = {
            .key = pair->key, .op = K8S_IN, .values = {.n = 1, .v = &pair->value}};
        if (!sched_requirement_check(vocab, &requirement, err)) {
            return err_wrap(err, "nodeSelector");
        }
    }
    return true;
}

static bool terms_are_valid(const struct sched_vocab *vocab, const struct k8s_pod_shape *shape,
                            struct err *err)
{
    for (uint32_t t = 0; t < shape->n_node_terms; t++) {
        const struct k8s_node_term *term = &shape->node_terms[t];
        for (uint32_t e = 0; e < term->n_expressions; e++) {
            if (!sched_requirement_check(vocab, &term->expressions[e], err)) {
                return err_wrap(err, "nodeAffinity");
            }
        }
    }
    return true;
}

enum sched_verdict sched_shape_verdict(const struct sched_vocab *vocab,
                                       const struct k8s_pod_shape *shape, bool ignore_dra,
                                       struct err *err)
{
    if (refuses_managed(vocab, shape)) {
        return SCHED_REFUSES_MANAGED;
    }
    for (uint32_t t = 0; t < shape->n_node_terms; t++) {
        for (uint32_t f = 0; f < shape->node_terms[t].n_fields; f++) {
            const struct k8s_requirement *field = &shape->node_terms[t].fields[f];
            if (field->key != vocab->metadata_name ||
                (field->op != K8S_IN && field->op != K8S_NOT_IN)) {
                (void)err_set(err, ERR_INVALID,
                              "node affinity: matchFields know metadata.name In and NotIn only");
                return SCHED_MATCH_FIELDS;
            }
        }
    }
    if (!selector_is_valid(vocab, shape, err) || !terms_are_valid(vocab, shape, err)) {
        return SCHED_BAD_REQUIREMENT;
    }
    if (shape->n_resource_claims > 0 && ignore_dra) {
        (void)err_set(
            err, ERR_UNSUPPORTED,
            "the pod has %u resource claims; dynamic resource allocation is not planned for",
            shape->n_resource_claims);
        return SCHED_DRA;
    }
    return SCHED_NEEDS_PLACE;
}

bool sched_pod_finished(const struct k8s_pod *pod)
{
    return pod->phase == K8S_SUCCEEDED || pod->phase == K8S_FAILED;
}

bool sched_pod_counts(const struct k8s_pod *pod)
{
    return !sched_pod_finished(pod) && !pod->deleted.has;
}

bool sched_pod_comes_back(const struct sched_vocab *vocab, const struct k8s_pod *pod)
{
    if (sched_pod_finished(pod) || k8s_pod_of_daemonset(vocab->words, pod->shape) ||
        k8s_pod_is_static(vocab->words, pod->shape)) {
        return false;
    }
    return !pod->deleted.has || k8s_pod_of_statefulset(vocab->words, pod->shape);
}
