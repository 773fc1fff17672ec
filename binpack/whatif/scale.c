/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A workload with another number of pods. More pods look like its newest one and wait for a place;
 * fewer go in the order of Kubernetes' ReplicaSet controller: those without a node first, then
 * those that are not ready, then the newest; of a StatefulSet those of the highest ordinals. */
#include "base/arena.h"
#include "base/limits.h"
#include "base/vec.h"
#include "binpack/whatif/impl.h"
#include "k8s/claims.h"

#include <stdlib.h>

enum { NAME_MAX_BYTES = 600 };

static const char *const kind_names[] = {
    [K8S_DEPLOYMENT] = "Deployment", [K8S_STATEFULSET] = "StatefulSet",
    [K8S_REPLICASET] = "ReplicaSet", [K8S_REPLICATIONCONTROLLER] = "ReplicationController",
    [K8S_DAEMONSET] = "DaemonSet",   [K8S_JOB] = "Job",
    [K8S_CRONJOB] = "CronJob",
};

struct scaling {
    struct applying *a;
    struct k8s_cluster *cluster;
    const struct k8s_workload *workload;
    VEC(uint32_t) own; /* its pods, into cluster->pods */
    VEC(struct k8s_pvc) pvcs;
    struct strtab *claims; /* names of those that are there, in the workload's namespace */
    VEC(const struct k8s_pod_shape *) shapes;
};

/* ---- which workload ---- */

/* "deployment", "Deployment" and "deploy" all name it. */
static bool kind_matches(struct str given, enum k8s_workload_kind kind)
{
    static const char *const short_names[] = {
        [K8S_DEPLOYMENT] = "deploy", [K8S_STATEFULSET] = "sts",
        [K8S_REPLICASET] = "rs",     [K8S_REPLICATIONCONTROLLER] = "rc",
        [K8S_DAEMONSET] = "ds",      [K8S_JOB] = "job",
        [K8S_CRONJOB] = "cj"};
    struct str name = str_of(kind_names[kind]);
    bool same = given.n == name.n;
    for (size_t i = 0; i < given.n && same; i++) {
        same = (given.p[i] | 0x20) == (name.p[i] | 0x20);
    }
    return given.n == 0 || same || str_eq(given, str_of(short_names[kind]));
}

static bool find_workload(const struct k8s_cluster *cluster, const struct whatif_change *change,
                          const struct k8s_workload **ret_workload, struct err *err)
{
    const struct k8s_workload *found = NULL;
    for (uint32_t i = 0; i < cluster->n_workloads; i++) {
        const struct k8s_workload *w = &cluster->workloads[i];
        if (!str_eq(w->meta.name, change->name) ||
            !str_eq(strtab_str(cluster->tab, w->meta.ns), change->ns) ||
            !kind_matches(change->workload_kind, w->kind)) {
            continue;
        }
        if (found != NULL) {
            return err_set(err, ERR_CONFLICT,
                           "\"" STR_FMT "\" is a %s and a %s; write the kind in front: "
                           "%s/" STR_FMT,
                           STR_ARG(str_sub(change->text, 0, 200)), kind_names[found->kind],
                           kind_names[w->kind], kind_names[w->kind],
                           STR_ARG(str_sub(change->text, 0, 200)));
        }
        found = w;
    }
    if (found == NULL) {
        return err_set(err, ERR_NOT_FOUND, "no workload \"" STR_FMT "/" STR_FMT "\" in the input",
                       STR_ARG(str_sub(change->ns, 0, 200)),
                       STR_ARG(str_sub(change->name, 0, 200)));
    }
    if (found->kind == K8S_DAEMONSET || found->kind == K8S_CRONJOB) {
        return err_set(err, ERR_INVALID, "\"" STR_FMT "\" is a %s, which has no number of replicas",
                       STR_ARG(str_sub(change->text, 0, 200)), kind_names[found->kind]);
    }
    *ret_workload = found;
    return true;
}

/* ---- which pods ---- */

/* The ReplicaSet of a Deployment, in the input or known by its name, `<deployment>-<hash>`. */
static bool is_replica_set_of(const struct scaling *s, const struct k8s_pod *pod)
{
    const struct k8s_cluster *c = s->cluster;
    for (uint32_t i = 0; i < c->n_workloads; i++) {
        const struct k8s_workload *w = &c->workloads[i];
        if (w->kind == K8S_REPLICASET && w->meta.ns == pod->ns &&
            str_eq(w->meta.name, pod->owner_name)) {
            const struct k8s_owner *owner = k8s_meta_controller(&w->meta);
            return owner != NULL && str_eq(owner->name, s->workload->meta.name);
        }
    }
    size_t cut = pod->owner_name.n;
    while (cut > 0 && pod->owner_name.p[cut - 1] != '-') {
        cut--;
    }
    return cut > 1 && str_eq(str_sub(pod->owner_name, 0, cut - 1), s->workload->meta.name);
}

static bool is_owned(const struct scaling *s, const struct k8s_pod *pod)
{
    struct str kind = strtab_str(s->cluster->tab, pod->shape->owner_kind);
    if (str_eq(kind, str_of(kind_names[s->workload->kind]))) {
        return str_eq(pod->owner_name, s->workload->meta.name);
    }
    return s->workload->kind == K8S_DEPLOYMENT && str_eq(kind, STR("ReplicaSet")) &&
           str_starts(pod->owner_name, s->workload->meta.name) && is_replica_set_of(s, pod);
}

static void find_pods(struct scaling *s)
{
    for (uint32_t i = 0; i < s->cluster->n_pods; i++) {
        const struct k8s_pod *pod = &s->cluster->pods[i];
        if (pod->ns == s->workload->meta.ns && !pod->deleted.has && pod->phase != K8S_SUCCEEDED &&
            pod->phase != K8S_FAILED && is_owned(s, pod)) {
            VEC_PUSH(s->a->arena, &s->own, i);
        }
    }
}

/* ---- fewer ---- */

struct leaver {
    uint32_t pod;
    int64_t ordinal; /* of a StatefulSet; else 0 */
    int rank;        /* 0 goes first */
    wall_t created;
    struct str name;
};

static int64_t ordinal_of(struct str name)
{
    size_t cut = name.n;
    uint64_t n = 0;
    while (cut > 0 && name.p[cut - 1] != '-') {
        cut--;
    }
    return str_to_u64(str_sub(name, cut, name.n), &n) && n < INT32_MAX ? (int64_t)n : 0;
}

static int leaver_cmp(const void *a, const void *b)
{
    const struct leaver *x = a, *y = b;
    if (x->ordinal != y->ordinal) {
        return x->ordinal > y->ordinal ? -1 : 1;
    }
    if (x->rank != y->rank) {
        return x->rank < y->rank ? -1 : 1;
    }
    if (x->created != y->created) {
        return x->created > y->created ? -1 : 1;
    }
    return -str_cmp(x->name, y->name);
}

static void remove_pods(struct scaling *s, uint32_t n_leave)
{
    struct k8s_cluster *c = s->cluster;
    const uint32_t n = (uint32_t)s->own.n;
    struct leaver *leavers = ARENA_ARRAY(s->a->arena, struct leaver, n + 1);
    bool *leaves = ARENA_ARRAY(s->a->arena, bool, c->n_pods + 1);
    for (uint32_t i = 0; i < n; i++) {
        const struct k8s_pod *pod = &c->pods[s->own.v[i]];
        leavers[i] = (struct leaver){
            .pod = s->own.v[i],
            .ordinal = s->workload->kind == K8S_STATEFULSET ? ordinal_of(pod->name) : 0,
            .rank = pod->node_name.n == 0 ? 0
                    : pod->ready          ? 2
                                          : 1,
            .created = pod->created.has ? pod->created.v : 0,
            .name = pod->name};
    }
    qsort(leavers, n, sizeof *leavers, leaver_cmp);
    for (uint32_t i = 0; i < n_leave; i++) {
        leaves[leavers[i].pod] = true;
    }
    struct k8s_pod *pods = ARENA_ARRAY(s->a->arena, struct k8s_pod, c->n_pods + 1);
    uint32_t n_pods = 0;
    for (uint32_t i = 0; i < c->n_pods; i++) {
        if (!leaves[i]) {
            pods[n_pods++] = c->pods[i];
        }
    }
    c->pods = pods;
    c->n_pods = n_pods;
}

/* ---- more ---- */

/* The pod that new ones are made after: the newest, which has the newest template. */
static const struct k8s_pod *model_pod(const struct scaling *s)
{
    const struct k8s_pod *model = NULL;
    for (size_t i = 0; i < s->own.n; i++) {
        const struct k8s_pod *pod = &s->cluster->pods[s->own.v[i]];
        bool newer = model == NULL || (pod->created.has &&
                                       (!model->created.has || pod->created.v > model->created.v));
        model = newer ? pod : model;
    }
    return model;
}

/* The shape of a pod of a StatefulSet: its claims carry its name. A claim that is left from an
 * earlier pod of that name is taken as it is. */
static const struct k8s_pod_shape *
shape_with_claims(struct scaling *s, const struct k8s_pod_shape *model, struct str pod_name)
{
    const struct k8s_workload *w = s->workload;
    struct arena *arena = s->a->arena;
    struct k8s_pod_shape *shape = ARENA_NEW(arena, struct k8s_pod_shape);
    struct k8s_pvc *claims = ARENA_ARRAY(arena, struct k8s_pvc, w->n_claim_templates + 1);
    *shape = *model;
    k8s_claims_of_pod(w, pod_name, strtab_add(s->cluster->tab, STR("Pending")), arena, shape,
                      claims);
    for (uint32_t t = 0; t < w->n_claim_templates; t++) {
        if (strtab_find(s->claims, claims[t].meta.name) == STRID_NONE) {
            VEC_PUSH(arena, &s->pvcs, claims[t]);
        }
    }
    shape->id = (uint32_t)s->shapes.n;
    VEC_PUSH(arena, &s->shapes, shape);
    return shape;
}

/* Names of pods that are taken in the namespace. */
static struct strtab *names_taken(const struct scaling *s)
{
    struct strtab *names = strtab_new(s->a->arena);
    for (uint32_t i = 0; i < s->cluster->n_pods; i++) {
        const struct k8s_pod *pod = &s->cluster->pods[i];
        if (pod->ns == s->workload->meta.ns && str_starts(pod->name, s->workload->meta.name)) {
            (void)strtab_add(names, pod->name);
        }
    }
    return names;
}

static struct str next_name(const struct scaling *s, struct strtab *taken, int64_t *number)
{
    struct str name;
    do {
        struct strbuf text = strbuf_new(s->a->arena, NAME_MAX_BYTES);
        strbuf_add(&text, s->workload->meta.name);
        strbuf_addf(&text, "-%lld", (long long)(*number)++);
        name = strbuf_str(&text);
    } while (strtab_find(taken, name) != STRID_NONE);
    return name;
}

static void add_pods(struct scaling *s, uint32_t n_more)
{
    struct k8s_cluster *c = s->cluster;
    struct arena *arena = s->a->arena;
    const struct k8s_pod *model = model_pod(s);
    const struct k8s_pod_shape *shape = model != NULL ? model->shape : s->workload->template_shape;
    struct k8s_pod *pods = ARENA_ARRAY(arena, struct k8s_pod, (size_t)c->n_pods + n_more);
    struct strtab *taken = names_taken(s);
    int64_t number = s->workload->kind == K8S_STATEFULSET ? s->workload->first_ordinal : 0;
    for (uint32_t i = 0; i < c->n_pods; i++) {
        pods[i] = c->pods[i];
    }
    s->claims = strtab_new(arena);
    for (uint32_t i = 0; i < c->n_pvcs; i++) {
        VEC_PUSH(arena, &s->pvcs, c->pvcs[i]);
        if (c->pvcs[i].meta.ns == s->workload->meta.ns) {
            (void)strtab_add(s->claims, c->pvcs[i].meta.name);
        }
    }
    for (uint32_t i = 0; i < c->n_shapes; i++) {
        VEC_PUSH(arena, &s->shapes, c->shapes[i]);
    }
    for (uint32_t i = 0; i < n_more; i++) {
        struct str name = next_name(s, taken, &number);
        pods[c->n_pods + i] = (struct k8s_pod){
            .name = name,
            .ns = s->workload->meta.ns,
            .owner_name = model != NULL ? model->owner_name : s->workload->meta.name,
            .shape = s->workload->n_claim_templates > 0 ? shape_with_claims(s, shape, name) : shape,
            .phase = K8S_PENDING,
            .has_status = true,
            .scheduled_status = c->words.s_false,
            .scheduled_reason = c->words.unschedulable,
            .source_i = s->workload->source_i};
    }
    c->pods = pods;
    c->n_pods += n_more;
    c->pvcs = s->pvcs.v;
    c->n_pvcs = (uint32_t)s->pvcs.n;
    c->shapes = s->shapes.v;
    c->n_shapes = (uint32_t)s->shapes.n;
}

static void set_replicas(struct scaling *s, int64_t replicas)
{
    struct k8s_workload *workloads =
        ARENA_ARRAY(s->a->arena, struct k8s_workload, s->cluster->n_workloads);
    for (uint32_t i = 0; i < s->cluster->n_workloads; i++) {
        workloads[i] = s->cluster->workloads[i];
        if (&s->cluster->workloads[i] == s->workload) {
            workloads[i].replicas = replicas;
        }
    }
    s->cluster->workloads = workloads;
}

bool whatif_scale(struct applying *a, const struct whatif_change *change, struct err *err)
{
    struct scaling s = {.a = a, .cluster = ARENA_NEW(a->arena, struct k8s_cluster)};
    *s.cluster = *a->world->cluster;
    if (!find_workload(s.cluster, change, &s.workload, err)) {
        return false;
    }
    find_pods(&s);
    const uint32_t want = (uint32_t)change->number, has = (uint32_t)s.own.n;
    if (want > has && (want > LIMIT_REPLICAS || s.cluster->n_pods + (want - has) > LIMIT_PODS)) {
        return err_set(err, ERR_LIMIT,
                       "\"" STR_FMT "\": at most %d replicas of one workload and %d pods in all",
                       STR_ARG(str_sub(change->text, 0, 200)), (int)LIMIT_REPLICAS,
                       (int)LIMIT_PODS);
    }
    if (want > has) {
        add_pods(&s, want - has);
    } else if (want < has) {
        remove_pods(&s, has - want);
    }
    set_replicas(&s, change->number);
    a->world->cluster = s.cluster;
    strbuf_addf(a->note, "%s " STR_FMT "/" STR_FMT " has %u pod%s instead of %u",
                kind_names[s.workload->kind], STR_ARG(change->ns), STR_ARG(change->name), want,
                want == 1 ? "" : "s", has);
    return true;
}
