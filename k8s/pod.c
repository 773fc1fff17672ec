/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "k8s/pod.h"

static bool owned_by(const struct k8s_pod_shape *shape, strid api_version, strid kind)
{
    return shape->owner_kind == kind && shape->owner_api_version == api_version;
}

bool k8s_pod_of_daemonset(const struct k8s_words *words, const struct k8s_pod_shape *shape)
{
    return owned_by(shape, words->apps_v1, words->daemonset);
}

bool k8s_pod_of_statefulset(const struct k8s_words *words, const struct k8s_pod_shape *shape)
{
    return owned_by(shape, words->apps_v1, words->statefulset);
}

bool k8s_pod_is_static(const struct k8s_words *words, const struct k8s_pod_shape *shape)
{
    return owned_by(shape, words->v1, words->node_kind);
}
