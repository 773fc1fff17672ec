/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Nodes that are gone, and what becomes of their pods: those that a controller would make again,
 * and bare ones, wait for a place; pods of DaemonSets, static and finished ones go with the node
 * (karp: pod/scheduling.go, IsReschedulable). */
#include "base/arena.h"
#include "base/vec.h"
#include "binpack/whatif/impl.h"

struct removing {
    struct applying *a;
    struct k8s_cluster *cluster;
    const struct strtab *names; /* names and provider ids of nodes that are gone */
    uint32_t n_waiting;
};

static bool is_gone(const struct removing *r, struct str node)
{
    return node.n > 0 && strtab_find(r->names, node) != STRID_NONE;
}

static bool comes_back(const struct k8s_cluster *cluster, const struct k8s_pod *pod)
{
    const struct k8s_words *words = &cluster->words;
    if (pod->phase == K8S_SUCCEEDED || pod->phase == K8S_FAILED ||
        k8s_pod_of_daemonset(words, pod->shape) || k8s_pod_is_static(words, pod->shape)) {
        return false;
    }
    return !pod->deleted.has || k8s_pod_of_statefulset(words, pod->shape);
}

static void evict_pods(struct removing *r)
{
    const struct k8s_words *words = &r->cluster->words;
    struct k8s_pod *pods = ARENA_ARRAY(r->a->arena, struct k8s_pod, r->cluster->n_pods + 1);
    uint32_t n = 0;
    for (uint32_t i = 0; i < r->cluster->n_pods; i++) {
        struct k8s_pod pod = r->cluster->pods[i];
        if (is_gone(r, pod.node_name)) {
            if (!comes_back(r->cluster, &pod)) {
                continue;
            }
            pod.node_name = STR_EMPTY;
            pod.nominated_node_name = STR_EMPTY;
            pod.phase = K8S_PENDING;
            pod.deleted = (struct opt_wall){.has = false};
            pod.started = (struct opt_wall){.has = false};
            pod.ready = pod.unready = false;
            pod.has_status = true;
            pod.scheduled_status = words->s_false;
            pod.scheduled_reason = words->unschedulable;
            r->n_waiting++;
        }
        pods[n++] = pod;
    }
    r->cluster->pods = pods;
    r->cluster->n_pods = n;
}

static void drop_claims(struct removing *r)
{
    struct k8s_cluster *c = r->cluster;
    struct karp_nodeclaim *claims =
        ARENA_ARRAY(r->a->arena, struct karp_nodeclaim, c->n_nodeclaims + 1);
    uint32_t n = 0;
    for (uint32_t i = 0; i < c->n_nodeclaims; i++) {
        const struct karp_nodeclaim *claim = &c->nodeclaims[i];
        if (!is_gone(r, claim->node_name) && !is_gone(r, claim->provider_id)) {
            claims[n++] = *claim;
        }
    }
    c->nodeclaims = claims;
    c->n_nodeclaims = n;
}

/* Volumes are detached from a node that is gone, and its limits no longer count. */
static void drop_volumes(struct removing *r)
{
    struct k8s_cluster *c = r->cluster;
    struct k8s_volume_attachment *attachments =
        ARENA_ARRAY(r->a->arena, struct k8s_volume_attachment, c->n_attachments + 1);
    struct k8s_csi_node *csi_nodes =
        ARENA_ARRAY(r->a->arena, struct k8s_csi_node, c->n_csi_nodes + 1);
    uint32_t n = 0, n_csi = 0;
    for (uint32_t i = 0; i < c->n_attachments; i++) {
        if (!is_gone(r, c->attachments[i].node_name)) {
            attachments[n++] = c->attachments[i];
        }
    }
    for (uint32_t i = 0; i < c->n_csi_nodes; i++) {
        if (!is_gone(r, c->csi_nodes[i].meta.name)) {
            csi_nodes[n_csi++] = c->csi_nodes[i];
        }
    }
    c->attachments = attachments;
    c->n_attachments = n;
    c->csi_nodes = csi_nodes;
    c->n_csi_nodes = n_csi;
}

/* Takes the nodes out; gives how many pods wait because of it. */
static uint32_t remove_nodes(struct applying *a, const bool *gone)
{
    struct k8s_cluster *cluster = ARENA_NEW(a->arena, struct k8s_cluster);
    *cluster = *a->world->cluster;
    struct strtab *names = strtab_new(a->arena);
    for (uint32_t i = 0; i < cluster->n_nodes; i++) {
        if (gone[i]) {
            (void)strtab_add(names, cluster->nodes[i].meta.name);
            (void)strtab_add(names, cluster->nodes[i].provider_id);
        }
    }
    struct removing r = {.a = a, .cluster = cluster, .names = names};
    evict_pods(&r);
    drop_claims(&r);
    drop_volumes(&r);
    struct k8s_node *nodes = ARENA_ARRAY(a->arena, struct k8s_node, cluster->n_nodes + 1);
    uint32_t n = 0;
    for (uint32_t i = 0; i < cluster->n_nodes; i++) {
        if (!gone[i]) {
            nodes[n++] = cluster->nodes[i];
        }
    }
    cluster->nodes = nodes;
    cluster->n_nodes = n;
    a->world->cluster = cluster;
    return r.n_waiting;
}

static bool no_node(const struct k8s_cluster *cluster, struct str name, struct err *err)
{
    enum { MOST = 3 };
    auto_arena scratch = ARENA_INIT;
    struct strbuf some = strbuf_new(&scratch, 700);
    for (uint32_t i = 0; i < cluster->n_nodes && i < MOST; i++) {
        strbuf_addf(&some, "%s" STR_FMT, i == 0 ? "; there is " : ", ",
                    STR_ARG(str_sub(cluster->nodes[i].meta.name, 0, 200)));
    }
    return err_set(err, ERR_NOT_FOUND, "no node \"" STR_FMT "\" in the input" STR_FMT "%s",
                   STR_ARG(str_sub(name, 0, 200)), STR_ARG(strbuf_str(&some)),
                   cluster->n_nodes > MOST ? " and more" : "");
}

bool whatif_remove_node(struct applying *a, const struct whatif_change *change, struct err *err)
{
    const struct k8s_cluster *cluster = a->world->cluster;
    bool *gone = ARENA_ARRAY(a->arena, bool, cluster->n_nodes + 1);
    bool any = false;
    for (uint32_t i = 0; i < cluster->n_nodes; i++) {
        gone[i] = str_eq(cluster->nodes[i].meta.name, change->name);
        any = any || gone[i];
    }
    if (!any) {
        return no_node(cluster, change->name, err);
    }
    uint32_t n = remove_nodes(a, gone);
    strbuf_addf(a->note, "node " STR_FMT " is gone: %u pod%s of it need%s another place",
                STR_ARG(change->name), n, n == 1 ? "" : "s", n == 1 ? "s" : "");
    return true;
}

void whatif_remove_zone(struct applying *a, strid zone)
{
    const struct k8s_cluster *cluster = a->world->cluster;
    strid beta = strtab_find(cluster->tab, STR("failure-domain.beta.kubernetes.io/zone"));
    bool *gone = ARENA_ARRAY(a->arena, bool, cluster->n_nodes + 1);
    uint32_t n_nodes = 0;
    for (uint32_t i = 0; i < cluster->n_nodes; i++) {
        const struct k8s_pairs *labels = &cluster->nodes[i].meta.labels;
        gone[i] = k8s_pairs_get(labels, cluster->words.zone) == zone ||
                  (beta != STRID_NONE && k8s_pairs_get(labels, beta) == zone);
        n_nodes += gone[i];
    }
    if (n_nodes == 0) {
        return;
    }
    uint32_t n = remove_nodes(a, gone);
    strbuf_addf(a->note, ", and its %u node%s %s gone: %u pod%s need%s another place", n_nodes,
                n_nodes == 1 ? "" : "s", n_nodes == 1 ? "is" : "are", n, n == 1 ? "" : "s",
                n == 1 ? "s" : "");
}
