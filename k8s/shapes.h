/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Pod shapes, kept once each: what 100,000 pods of a few workloads share.
 *
 * A shape is known by its decoded content, so the order of keys in the input and fields that no
 * rule reads make no difference. Shapes that differ only in labels, annotations and owner share the
 * rest. */
#pragma once

#include "k8s/codec.h"
#include "k8s/pod.h"

struct k8s_shapes; /* opaque, lives in its arena */

struct k8s_shapes *k8s_shapes_new(struct arena *arena);

/* How a shape came in: pods and templates that did not pass an API server get what admission would
 * have added, so the two are kept apart. */
enum k8s_origin { K8S_ADMITTED, K8S_BARE };

/* The shape of the pod or template at `at`, in the arena of `shapes`. `owner_kind` and
 * `owner_api_version`, unless STRID_NONE, stand for its owner. False: in->err is set. */
MUST_CHECK bool k8s_shapes_decode(struct k8s_shapes *shapes, struct codec_in *in,
                                  const struct json_at *at, enum k8s_origin origin,
                                  strid owner_api_version, strid owner_kind,
                                  const struct k8s_pod_shape **ret_shape);

/* The kept shape of the content of `shape`, whose arrays must live as long as the shapes do. */
const struct k8s_pod_shape *k8s_shapes_intern(struct k8s_shapes *shapes,
                                              const struct k8s_pod_shape *shape,
                                              enum k8s_origin origin);

uint32_t k8s_shapes_count(const struct k8s_shapes *shapes);
/* By id, 0..count-1; to be changed only by admission, before the cluster is handed out. */
struct k8s_pod_shape *k8s_shapes_at(const struct k8s_shapes *shapes, uint32_t id);
enum k8s_origin k8s_shapes_origin(const struct k8s_shapes *shapes, uint32_t id);

/* The shapes as they are at one moment, for another thread: valid while more are added. */
struct k8s_shapes_mark {
    const struct k8s_shape_record *records; /* [n] */
    uint32_t n;
};
struct k8s_shapes_mark k8s_shapes_mark(const struct k8s_shapes *shapes);

/* Shapes of their own with the same content, to be changed by admission; what no admission changes
 * is shared. They have the same ids. */
struct k8s_shapes *k8s_shapes_fork(const struct k8s_shapes_mark *mark, struct arena *arena);
