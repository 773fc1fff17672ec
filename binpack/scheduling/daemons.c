/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "binpack/scheduling/daemons.h"

#include <stdlib.h>

#include "base/arena.h"
#include "binpack/scheduling/eligibility.h"
#include "binpack/scheduling/resources.h"

/* A DaemonSet by name, with its newest pod. */
struct found {
    struct str ns, name;
    const struct k8s_workload *workload;
    const struct k8s_pod *newest;
};

static int cmp_found(const void *a, const void *b)
{
    const struct found *x = a;
    const struct found *y = b;
    const int by_ns = str_cmp(x->ns, y->ns);
    return by_ns != 0 ? by_ns : str_cmp(x->name, y->name);
}

static bool is_newer(const struct k8s_pod *a, const struct k8s_pod *b)
{
    const wall_t a_created = a->created.has ? a->created.v : INT64_MIN;
    const wall_t b_created = b->created.has ? b->created.v : INT64_MIN;
    return a_created != b_created ? a_created > b_created : str_cmp(a->name, b->name) < 0;
}

static struct found *find_all(struct arena *arena, const struct sched_vocab *vocab,
                              const struct k8s_cluster *cluster, uint32_t *ret_n)
{
    struct found *all = ARENA_ARRAY(arena, struct found, cluster->n_workloads);
    uint32_t n = 0;
    for (uint32_t i = 0; i < cluster->n_workloads; i++) {
        const struct k8s_workload *workload = &cluster->workloads[i];
        if (workload->kind == K8S_DAEMONSET && workload->template_shape != NULL) {
            all[n++] = (struct found){.ns = strtab_str(vocab->tab, workload->meta.ns),
                                      .name = workload->meta.name,
                                      .workload = workload};
        }
    }
    if (n > 0) {
        qsort(all, n, sizeof all[0], cmp_found);
    }
    for (uint32_t p = 0; n > 0 && p < cluster->n_pods; p++) {
        const struct k8s_pod *pod = &cluster->pods[p];
        if (!k8s_pod_of_daemonset(vocab->words, pod->shape)) {
            continue;
        }
        const struct found key = {.ns = strtab_str(vocab->tab, pod->ns), .name = pod->owner_name};
        struct found *of = bsearch(&key, all, n, sizeof key, cmp_found);
        if (of != NULL && (of->newest == NULL || is_newer(pod, of->newest))) {
            of->newest = pod;
        }
    }
    *ret_n = n;
    return all;
}

/* The pod's own tolerations and those that the DaemonSet controller adds to every pod it makes. */
static void add_tolerations(struct arena *arena, const struct sched_vocab *vocab,
                            const struct k8s_pod_shape *shape, struct sched_daemon *daemon)
{
    struct k8s_toleration *all =
        ARENA_ARRAY(arena, struct k8s_toleration, shape->n_tolerations + vocab->daemon_keys.n + 2);
    uint32_t n = 0;
    for (uint32_t i = 0; i < shape->n_tolerations; i++) {
        all[n++] = shape->tolerations[i];
    }
    for (uint32_t i = 0; i < vocab->daemon_keys.n; i++) {
        all[n++] = (struct k8s_toleration){
            .key = vocab->daemon_keys.v[i], .op = K8S_EXISTS, .effect = K8S_NO_SCHEDULE};
    }
    const strid coming_and_going[] = {vocab->not_ready, vocab->unreachable};
    for (uint32_t i = 0; i < 2; i++) {
        all[n++] = (struct k8s_toleration){
            .key = coming_and_going[i], .op = K8S_EXISTS, .effect = K8S_NO_EXECUTE};
    }
    daemon->tolerations = all;
    daemon->n_tolerations = n;
}

struct sched_daemons sched_daemons_new(struct arena *arena, const struct sched_vocab *vocab,
                                       const struct k8s_cluster *cluster)
{
    uint32_t n = 0;
    const struct found *all = find_all(arena, vocab, cluster, &n);
    struct sched_daemon *daemons = ARENA_ARRAY(arena, struct sched_daemon, n);
    for (uint32_t i = 0; i < n; i++) {
        const struct k8s_workload *workload = all[i].workload;
        const struct k8s_pod_shape *shape =
            all[i].newest != NULL ? all[i].newest->shape : workload->template_shape;
        struct sched_daemon *daemon = &daemons[i];
        daemon->workload = workload;
        daemon->match = workload->template_shape;
        daemon->host_ports = shape->host_ports;
        daemon->n_host_ports = shape->n_host_ports;
        daemon->requests = all[i].newest != NULL
                               ? sched_shape_requests(cluster, arena, shape)
                               : sched_template_requests(cluster, arena, shape, workload->meta.ns);
        add_tolerations(arena, vocab, shape, daemon);
    }
    return (struct sched_daemons){.n = n, .v = daemons};
}

bool sched_daemon_runs(const struct sched_vocab *vocab, const struct sched_daemon *daemon,
                       const struct k8s_pairs *labels, struct str node_name, uint32_t n_taints,
                       const struct k8s_taint *taints)
{
    return sched_untolerated(daemon->n_tolerations, daemon->tolerations, n_taints, taints,
                             /* prefer_counts= */ false) == NULL &&
           sched_match_node(vocab, daemon->match, labels, node_name);
}

struct k8s_resources sched_daemons_to_come(const struct sched_vocab *vocab, struct arena *arena,
                                           const struct k8s_cluster *cluster,
                                           const struct sched_daemons *daemons,
                                           const struct k8s_pairs *labels, struct str node_name,
                                           uint32_t n_taints, const struct k8s_taint *taints,
                                           uint32_t n_bound, const struct k8s_pod *const *bound)
{
    struct k8s_resources wanted = {0};
    struct k8s_resources bound_already = {0};
    for (uint32_t i = 0; i < daemons->n; i++) {
        if (sched_daemon_runs(vocab, &daemons->v[i], labels, node_name, n_taints, taints)) {
            wanted = sched_resources_sum(arena, wanted, daemons->v[i].requests);
        }
    }
    for (uint32_t i = 0; wanted.n > 0 && i < n_bound; i++) {
        if (k8s_pod_of_daemonset(vocab->words, bound[i]->shape) && !sched_pod_finished(bound[i])) {
            const struct k8s_resources of = sched_shape_requests(cluster, arena, bound[i]->shape);
            bound_already = sched_resources_sum(arena, bound_already, of);
        }
    }
    struct k8s_resources rest = sched_resources_less(arena, wanted, bound_already);
    uint32_t n = 0;
    struct k8s_quantity *kept = ARENA_ARRAY(arena, struct k8s_quantity, rest.n);
    for (uint32_t i = 0; i < rest.n; i++) {
        if (rest.v[i].value > 0) {
            kept[n++] = rest.v[i];
        }
    }
    return (struct k8s_resources){.n = n, .v = kept};
}
