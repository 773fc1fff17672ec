/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "binpack/scheduling/buffers.h"

#include <inttypes.h>
#include <stdlib.h>

#include "base/arena.h"
#include "base/limits.h"
#include "base/vec.h"
#include "binpack/scheduling/resources.h"

/* What a buffer stands for. */
struct source {
    const struct k8s_pod_shape *shape; /* NULL: not found */
    int64_t replicas;                  /* of the workload; 0 for a template */
};

static struct source source_of(const struct k8s_cluster *cluster, const struct karp_buffer *buffer)
{
    if (buffer->template_name.n > 0) {
        for (uint32_t i = 0; i < cluster->n_pod_templates; i++) {
            const struct k8s_pod_template *candidate = &cluster->pod_templates[i];
            if (candidate->meta.ns == buffer->meta.ns &&
                str_eq(candidate->meta.name, buffer->template_name)) {
                return (struct source){.shape = candidate->shape};
            }
        }
        return (struct source){0};
    }
    static const struct {
        enum k8s_workload_kind kind;
        const char *name;
    } kinds[] = {{K8S_DEPLOYMENT, "Deployment"},
                 {K8S_STATEFULSET, "StatefulSet"},
                 {K8S_REPLICASET, "ReplicaSet"}};
    const struct str wanted = strtab_str(cluster->tab, buffer->scalable_kind);
    for (uint32_t i = 0; i < cluster->n_workloads; i++) {
        const struct k8s_workload *workload = &cluster->workloads[i];
        for (size_t k = 0; k < sizeof kinds / sizeof kinds[0]; k++) {
            if (workload->kind == kinds[k].kind && str_eq(wanted, str_of(kinds[k].name)) &&
                workload->meta.ns == buffer->meta.ns &&
                str_eq(workload->meta.name, buffer->scalable_name)) {
                return (struct source){.shape = workload->template_shape,
                                       .replicas = workload->replicas};
            }
        }
    }
    return (struct source){0};
}

/* How many pods the buffer's limits allow; INT64_MAX when they limit nothing that the pod asks for.
 */
static int64_t allowed_by_limits(const struct karp_buffer *buffer,
                                 const struct k8s_resources *requests)
{
    int64_t allowed = INT64_MAX;
    for (uint32_t i = 0; i < buffer->limits.n; i++) {
        const int64_t request = k8s_resources_get(requests, buffer->limits.v[i].resource);
        if (request > 0 && buffer->limits.v[i].value / request < allowed) {
            allowed = buffer->limits.v[i].value / request;
        }
    }
    return allowed;
}

/* The number of pods, or -1 when nothing says how many. */
static int64_t size_of(const struct karp_buffer *buffer, const struct source *source,
                       const struct k8s_resources *requests)
{
    int64_t size = -1;
    if (buffer->replicas.has) {
        size = buffer->replicas.v;
    }
    if (buffer->percentage.has && source->replicas >= 0) {
        int64_t share = muldiv_ceil(buffer->percentage.v, source->replicas, 100);
        share = share < 1 ? 1 : share;
        size = share > size ? share : size;
    }
    const int64_t allowed = allowed_by_limits(buffer, requests);
    if (size < 0) {
        return allowed == INT64_MAX ? -1 : allowed;
    }
    return size < allowed ? size : allowed;
}

/* The template without what a pod that does not exist cannot have. */
static const struct k8s_pod_shape *shape_of(struct arena *arena, const struct k8s_pod_shape *of,
                                            struct k8s_resources requests,
                                            const struct k8s_words *words)
{
    struct k8s_pod_shape *shape = ARENA_NEW(arena, struct k8s_pod_shape);
    struct k8s_container *container = ARENA_NEW(arena, struct k8s_container);
    struct k8s_quantity *asked = ARENA_ARRAY(arena, struct k8s_quantity, requests.n);
    *shape = *of;
    /* The effective requests of the template, LimitRange defaults included, as those of one
     * container. */
    for (uint32_t i = 0; i < requests.n; i++) {
        if (requests.v[i].resource != words->pods) {
            asked[container->requests.n++] = requests.v[i];
        }
    }
    container->requests.v = asked;
    shape->containers = container;
    shape->n_containers = 1;
    shape->n_init_containers = 0;
    shape->has_pod_resources = false;
    shape->overhead = (struct k8s_resources){0};
    shape->n_volumes = 0;
    shape->n_scheduling_gates = 0;
    shape->priority = (struct opt_i32){.has = true, .v = INT32_MIN};
    shape->preemption = K8S_PREEMPT_NEVER;
    shape->id = UINT32_MAX;
    return shape;
}

struct sorted {
    struct str ns, name;
    uint32_t buffer_i;
};

static int cmp_sorted(const void *a, const void *b)
{
    const struct sorted *x = a;
    const struct sorted *y = b;
    const int by_ns = str_cmp(x->ns, y->ns);
    return by_ns != 0 ? by_ns : str_cmp(x->name, y->name);
}

static struct k8s_pod pod_of(struct arena *arena, const struct karp_buffer *buffer,
                             const struct k8s_pod_shape *shape, int64_t i)
{
    struct strbuf name = strbuf_new(arena, 512);
    struct strbuf uid = strbuf_new(arena, 512);
    strbuf_addf(&name, "capacity-buffer-" STR_FMT "-%" PRId64, STR_ARG(buffer->meta.name), i);
    strbuf_addf(&uid, STR_FMT "-%" PRId64, STR_ARG(buffer->meta.uid), i);
    return (struct k8s_pod){.name = strbuf_str(&name),
                            .uid = strbuf_str(&uid),
                            .ns = buffer->meta.ns,
                            .owner_name = buffer->meta.name,
                            .shape = shape,
                            .created = buffer->meta.created};
}

struct sched_buffer_pods sched_buffers_of(struct arena *arena, const struct k8s_cluster *cluster)
{
    struct sorted *order = ARENA_ARRAY(arena, struct sorted, cluster->n_buffers);
    for (uint32_t i = 0; i < cluster->n_buffers; i++) {
        const struct k8s_meta *meta = &cluster->buffers[i].meta;
        order[i] = (struct sorted){
            .ns = strtab_str(cluster->tab, meta->ns), .name = meta->name, .buffer_i = i};
    }
    if (cluster->n_buffers > 0) {
        qsort(order, cluster->n_buffers, sizeof order[0], cmp_sorted);
    }
    VEC(struct k8s_pod) pods = {0};
    VEC(uint32_t) buffer_i = {0};
    VEC(uint32_t) broken = {0};
    for (uint32_t i = 0; i < cluster->n_buffers; i++) {
        const struct karp_buffer *buffer = &cluster->buffers[order[i].buffer_i];
        const struct source source = source_of(cluster, buffer);
        int64_t size = -1;
        struct k8s_resources requests = {0};
        if (source.shape != NULL) {
            requests = sched_template_requests(cluster, arena, source.shape, buffer->meta.ns);
            size = size_of(buffer, &source, &requests);
        }
        if (size < 0) {
            VEC_PUSH(arena, &broken, order[i].buffer_i);
            continue;
        }
        const struct k8s_pod_shape *shape =
            shape_of(arena, source.shape, requests, &cluster->words);
        for (int64_t p = 0; p < size && pods.n < LIMIT_REPLICAS; p++) {
            VEC_PUSH(arena, &pods, pod_of(arena, buffer, shape, p));
            VEC_PUSH(arena, &buffer_i, order[i].buffer_i);
        }
    }
    return (struct sched_buffer_pods){.n = (uint32_t)pods.n,
                                      .pods = pods.v,
                                      .buffer_i = buffer_i.v,
                                      .n_broken = (uint32_t)broken.n,
                                      .broken = broken.v};
}

const struct k8s_cluster *sched_cluster_with_buffers(struct arena *arena,
                                                     const struct k8s_cluster *cluster,
                                                     const struct sched_buffer_pods *buffers)
{
    if (buffers->n == 0) {
        return cluster;
    }
    struct k8s_cluster *with = ARENA_NEW(arena, struct k8s_cluster);
    struct k8s_pod *pods = ARENA_ARRAY(arena, struct k8s_pod, cluster->n_pods + buffers->n);
    for (uint32_t i = 0; i < cluster->n_pods; i++) {
        pods[i] = cluster->pods[i];
    }
    for (uint32_t i = 0; i < buffers->n; i++) {
        pods[cluster->n_pods + i] = buffers->pods[i];
    }
    *with = *cluster;
    with->pods = pods;
    with->n_pods = cluster->n_pods + buffers->n;
    return with;
}
