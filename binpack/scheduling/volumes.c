/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "binpack/scheduling/volumes.h"

#include <stdlib.h>

#include "base/arena.h"
#include "base/vec.h"
#include "binpack/scheduling/eligibility.h"

enum {
    VOLUME_ALTERNATIVES_MAX =
        1024, /* of one pod; more are cut, which only narrows where it may go */
    VOLUME_TEXT_MAX = 512
};

struct claim {
    const struct k8s_pvc *pvc;
    uint32_t n_users;            /* unfinished pods that name it */
    const struct k8s_pod *owner; /* ReadWriteOncePod: the pod that has or gets it */
};

struct named { /* an object by name, for binary search */
    struct str name;
    const void *object;
};

struct sched_volumes {
    const struct sched_vocab *vocab;
    const struct k8s_cluster *cluster;
    uint32_t n_claims, n_pvs, n_classes, n_csi_nodes, n_disks;
    struct claim *claims; /* by namespace id and name; the index is the volume id */
    const struct named *pvs, *classes, *csi_nodes;
    const struct str *disks; /* in-tree volume ids named by pods; ids follow the claims' */
    uint32_t *disk_users;    /* [n_disks] */
    const uint32_t *
        ephemeral_from; /* [n_pods] first volume id of the pod's ephemeral volumes, or NULL: none */
    const struct k8s_storage_class *default_class;
};

static int cmp_claims(const void *a, const void *b)
{
    const struct k8s_pvc *x = ((const struct claim *)a)->pvc;
    const struct k8s_pvc *y = ((const struct claim *)b)->pvc;
    if (x->meta.ns != y->meta.ns) {
        return x->meta.ns < y->meta.ns ? -1 : 1;
    }
    return str_cmp(x->meta.name, y->meta.name);
}

static int cmp_named(const void *a, const void *b)
{
    return str_cmp(((const struct named *)a)->name, ((const struct named *)b)->name);
}

static int cmp_str(const void *a, const void *b)
{
    return str_cmp(*(const struct str *)a, *(const struct str *)b);
}

static struct claim *claim_find(const struct sched_volumes *volumes, strid ns, struct str name)
{
    const struct k8s_pvc wanted = {.meta = {.ns = ns, .name = name}};
    const struct claim key = {.pvc = &wanted};
    if (volumes->n_claims == 0) {
        return NULL;
    }
    return bsearch(&key, volumes->claims, volumes->n_claims, sizeof key, cmp_claims);
}

static const void *named_find(const struct named *named, uint32_t n, struct str name)
{
    const struct named key = {.name = name};
    const struct named *found = n == 0 ? NULL : bsearch(&key, named, n, sizeof key, cmp_named);
    return found == NULL ? NULL : found->object;
}

/* Sorts the objects of one kind by name. `at` gives the i-th object and its name. */
static const struct named *
named_of(struct arena *arena, const struct k8s_cluster *cluster, uint32_t n,
         struct named (*at)(const struct k8s_cluster *cluster, uint32_t i))
{
    struct named *named = ARENA_ARRAY(arena, struct named, n);
    for (uint32_t i = 0; i < n; i++) {
        named[i] = at(cluster, i);
    }
    if (n > 0) {
        qsort(named, n, sizeof named[0], cmp_named);
    }
    return named;
}

static struct named pv_at(const struct k8s_cluster *cluster, uint32_t i)
{
    return (struct named){.name = cluster->pvs[i].meta.name, .object = &cluster->pvs[i]};
}
static struct named class_at(const struct k8s_cluster *cluster, uint32_t i)
{
    return (struct named){.name = cluster->storage_classes[i].meta.name,
                          .object = &cluster->storage_classes[i]};
}
static struct named csi_node_at(const struct k8s_cluster *cluster, uint32_t i)
{
    return (struct named){.name = cluster->csi_nodes[i].meta.name,
                          .object = &cluster->csi_nodes[i]};
}

/* The default class; of several the newest, then the first by name, as the admission plug-in
 * chooses. */
static const struct k8s_storage_class *default_class_of(const struct k8s_cluster *cluster)
{
    const struct k8s_storage_class *best = NULL;
    for (uint32_t i = 0; i < cluster->n_storage_classes; i++) {
        const struct k8s_storage_class *storage_class = &cluster->storage_classes[i];
        if (!storage_class->is_default) {
            continue;
        }
        const wall_t created = storage_class->meta.created.has ? storage_class->meta.created.v : 0;
        const wall_t best_created =
            best != NULL && best->meta.created.has ? best->meta.created.v : 0;
        if (best == NULL || created > best_created ||
            (created == best_created && str_cmp(storage_class->meta.name, best->meta.name) < 0)) {
            best = storage_class;
        }
    }
    return best;
}

static bool is_exclusive(const struct sched_vocab *vocab, const struct k8s_pvc *pvc)
{
    for (uint32_t i = 0; i < pvc->access_modes.n; i++) {
        if (pvc->access_modes.v[i] == vocab->read_write_once_pod) {
            return true;
        }
    }
    return false;
}

/* A running pod holds an exclusive claim; among waiting ones the first by namespace and name gets
 * it. */
static bool owns_before(const struct sched_vocab *vocab, const struct k8s_pod *a,
                        const struct k8s_pod *b)
{
    if (b == NULL || (a->node_name.n > 0) != (b->node_name.n > 0)) {
        return b == NULL || a->node_name.n > 0;
    }
    const int by_ns = strtab_cmp(vocab->tab, a->ns, b->ns);
    return by_ns != 0 ? by_ns < 0 : str_cmp(a->name, b->name) < 0;
}

static struct str ephemeral_claim_name(struct arena *arena, const struct k8s_pod *pod,
                                       const struct k8s_volume *volume)
{
    struct strbuf text = strbuf_new(arena, VOLUME_TEXT_MAX);
    strbuf_add(&text, pod->name);
    strbuf_addc(&text, '-');
    strbuf_add(&text, volume->name);
    return strbuf_str(&text);
}

static uint32_t disk_find(const struct sched_volumes *volumes, struct str id)
{
    const struct str *found =
        volumes->n_disks == 0 ? NULL
                              : bsearch(&id, volumes->disks, volumes->n_disks, sizeof id, cmp_str);
    return found == NULL ? UINT32_MAX : (uint32_t)(found - volumes->disks);
}

/* First pass: in-tree disks and the numbering of ephemeral volumes. */
static void index_pod_volumes(struct sched_volumes *volumes, struct arena *arena)
{
    const struct k8s_cluster *cluster = volumes->cluster;
    VEC(struct str) disks = {0};
    uint32_t *from = NULL;
    uint64_t n_ephemeral = 0;
    for (uint32_t p = 0; p < cluster->n_pods; p++) {
        const struct k8s_pod_shape *shape = cluster->pods[p].shape;
        if (from != NULL) {
            from[p] = (uint32_t)n_ephemeral;
        }
        for (uint32_t v = 0; v < shape->n_volumes; v++) {
            if (shape->volumes[v].kind == K8S_VOLUME_AWS_EBS) {
                VEC_PUSH(arena, &disks, shape->volumes[v].claim_name);
            } else if (shape->volumes[v].kind == K8S_VOLUME_EPHEMERAL) {
                if (from == NULL) {
                    from = ARENA_ARRAY(arena, uint32_t, cluster->n_pods);
                }
                n_ephemeral++;
            }
        }
    }
    if (disks.n > 0) {
        qsort(disks.v, disks.n, sizeof disks.v[0], cmp_str);
    }
    uint32_t n = 0;
    for (size_t i = 0; i < disks.n; i++) {
        if (n == 0 || !str_eq(disks.v[n - 1], disks.v[i])) {
            disks.v[n++] = disks.v[i];
        }
    }
    volumes->n_disks = n;
    volumes->disks = disks.v;
    volumes->disk_users = ARENA_ARRAY(arena, uint32_t, n);
    for (uint32_t p = 0; from != NULL && p < cluster->n_pods; p++) {
        from[p] += volumes->n_claims + n;
    }
    volumes->ephemeral_from = from;
}

/* Second pass: who uses what. */
static void count_users(struct sched_volumes *volumes)
{
    const struct k8s_cluster *cluster = volumes->cluster;
    for (uint32_t p = 0; p < cluster->n_pods; p++) {
        const struct k8s_pod *pod = &cluster->pods[p];
        for (uint32_t v = 0; !sched_pod_finished(pod) && v < pod->shape->n_volumes; v++) {
            const struct k8s_volume *volume = &pod->shape->volumes[v];
            if (volume->kind == K8S_VOLUME_AWS_EBS) {
                volumes->disk_users[disk_find(volumes, volume->claim_name)]++;
            }
            struct claim *claim = volume->kind == K8S_VOLUME_CLAIM
                                      ? claim_find(volumes, pod->ns, volume->claim_name)
                                      : NULL;
            if (claim == NULL) {
                continue;
            }
            claim->n_users++;
            if (is_exclusive(volumes->vocab, claim->pvc) &&
                owns_before(volumes->vocab, pod, claim->owner)) {
                claim->owner = pod;
            }
        }
    }
}

const struct sched_volumes *sched_volumes_new(struct arena *arena, const struct sched_vocab *vocab,
                                              const struct k8s_cluster *cluster)
{
    struct sched_volumes *volumes = ARENA_NEW(arena, struct sched_volumes);
    volumes->vocab = vocab;
    volumes->cluster = cluster;
    volumes->n_claims = cluster->n_pvcs;
    volumes->claims = ARENA_ARRAY(arena, struct claim, cluster->n_pvcs);
    for (uint32_t i = 0; i < cluster->n_pvcs; i++) {
        volumes->claims[i].pvc = &cluster->pvcs[i];
    }
    if (cluster->n_pvcs > 0) {
        qsort(volumes->claims, cluster->n_pvcs, sizeof volumes->claims[0], cmp_claims);
    }
    volumes->n_pvs = cluster->n_pvs;
    volumes->pvs = named_of(arena, cluster, cluster->n_pvs, pv_at);
    volumes->n_classes = cluster->n_storage_classes;
    volumes->classes = named_of(arena, cluster, cluster->n_storage_classes, class_at);
    volumes->n_csi_nodes = cluster->n_csi_nodes;
    volumes->csi_nodes = named_of(arena, cluster, cluster->n_csi_nodes, csi_node_at);
    volumes->default_class = default_class_of(cluster);
    index_pod_volumes(volumes, arena);
    count_users(volumes);
    return volumes;
}

/* ---- one pod ---- */

/* What is being put together for a pod. */
struct gathering {
    const struct sched_volumes *volumes;
    struct arena *arena;
    enum sched_volume_trouble trouble;
    struct str text;
    bool constrained;
    VEC(struct sched_reqs) alternatives; /* when constrained */
    VEC(struct sched_attachment) attachments;
    VEC(uint32_t) unbound, exclusive;
};

static void trouble(struct gathering *g, enum sched_volume_trouble kind, strid ns, struct str claim,
                    const char *what, struct str name)
{
    if (g->trouble != SCHED_VOLUME_OK) {
        return; /* the first one is what the user has to mend first */
    }
    struct strbuf text = strbuf_new(g->arena, 2 * VOLUME_TEXT_MAX);
    const struct str ns_text = strtab_str(g->volumes->vocab->tab, ns);
    strbuf_addf(&text, "claim " STR_FMT "/" STR_FMT " %s", STR_ARG(ns_text), STR_ARG(claim), what);
    if (name.n > 0) {
        strbuf_addf(&text, " " STR_FMT, STR_ARG(name));
    }
    g->trouble = kind;
    g->text = strbuf_str(&text);
}

static strid attach_driver(const struct sched_vocab *vocab, strid driver)
{
    return driver == vocab->ebs_in_tree ? vocab->ebs_driver : driver;
}

static void attach(struct gathering *g, strid driver, uint32_t volume)
{
    if (driver == STRID_EMPTY || driver == STRID_NONE) {
        return;
    }
    const struct sched_attachment attachment = {.driver = attach_driver(g->volumes->vocab, driver),
                                                .volume = volume};
    for (size_t i = 0; i < g->attachments.n; i++) {
        if (g->attachments.v[i].volume == volume) {
            return; /* mounted twice, attached once */
        }
    }
    VEC_PUSH(g->arena, &g->attachments, attachment);
}

static bool reqs_equal(struct sched_reqs a, struct sched_reqs b)
{
    if (a.n != b.n) {
        return false;
    }
    for (uint32_t i = 0; i < a.n; i++) {
        const struct sched_req *x = &a.v[i];
        const struct sched_req *y = &b.v[i];
        if (x->key != y->key || x->complement != y->complement || x->values.n != y->values.n ||
            x->gte.has != y->gte.has || x->lte.has != y->lte.has || x->gte.v != y->gte.v ||
            x->lte.v != y->lte.v) {
            return false;
        }
        for (uint32_t v = 0; v < x->values.n; v++) {
            if (x->values.v[v] != y->values.v[v]) {
                return false;
            }
        }
    }
    return true;
}

/* One alternative of a volume; the host name of data that go with the pod does not count. False
 * when the term contradicts itself: In [a] and In [b] would otherwise read as DoesNotExist, which
 * no volume means. */
static bool term_reqs(struct gathering *g, const struct k8s_node_term *term, bool ignore_host,
                      struct sched_reqs *ret_reqs)
{
    const struct sched_vocab *vocab = g->volumes->vocab;
    struct sched_reqs reqs = {0};
    for (uint32_t e = 0; e < term->n_expressions; e++) {
        if (ignore_host && term->expressions[e].key == vocab->words->hostname) {
            continue;
        }
        const struct sched_req req = sched_req_of(vocab, g->arena, &term->expressions[e]);
        if (!sched_reqs_intersect(vocab, reqs, (struct sched_reqs){.n = 1, .v = &req}, NULL)) {
            return false;
        }
        reqs = sched_reqs_add(vocab, g->arena, reqs, &req);
    }
    *ret_reqs = reqs;
    return true;
}

static void push_alternative(struct gathering *g, struct sched_reqs reqs)
{
    for (size_t i = 0; i < g->alternatives.n; i++) {
        if (reqs_equal(g->alternatives.v[i], reqs)) {
            return;
        }
    }
    if (g->alternatives.n < VOLUME_ALTERNATIVES_MAX) {
        VEC_PUSH(g->arena, &g->alternatives, reqs);
    }
}

/* The volume allows `n` alternatives: multiplies them with what the pod's other volumes allow. */
static void constrain(struct gathering *g, uint32_t n, const struct k8s_node_term *terms,
                      bool ignore_host)
{
    const struct sched_vocab *vocab = g->volumes->vocab;
    const size_t n_before = g->constrained ? g->alternatives.n : 1;
    const struct sched_reqs *before = g->alternatives.v;
    const struct sched_reqs anywhere = {0};
    g->alternatives.v = NULL;
    g->alternatives.n = 0;
    g->alternatives.cap = 0;
    for (size_t b = 0; b < n_before; b++) {
        const struct sched_reqs have = g->constrained ? before[b] : anywhere;
        for (uint32_t t = 0; t < n; t++) {
            struct sched_reqs reqs;
            if (term_reqs(g, &terms[t], ignore_host, &reqs) &&
                sched_reqs_intersect(vocab, have, reqs, NULL)) {
                push_alternative(g, sched_reqs_and(vocab, g->arena, have, reqs));
            }
        }
    }
    g->constrained = true;
}

/* Values of a zone label of a volume: "us-west-2a__us-west-2b" names two. */
static struct k8s_strids zone_values(const struct gathering *g, strid value)
{
    struct strtab *tab = g->volumes->cluster->tab;
    struct str rest = strtab_str(tab, value);
    strid *values = ARENA_ARRAY(g->arena, strid, rest.n / 2 + 1);
    uint32_t n = 0;
    for (;;) {
        size_t end = 0;
        while (end < rest.n && !str_starts(str_sub(rest, end, rest.n), STR("__"))) {
            end++;
        }
        values[n++] = strtab_add(tab, str_sub(rest, 0, end));
        if (end >= rest.n) {
            return (struct k8s_strids){.n = n, .v = values};
        }
        rest = str_sub(rest, end + 2, rest.n);
    }
}

/* Volumes made before there was node affinity for them say in labels where they are; the scheduler
 * still reads those (plug-in VolumeZone). */
static void constrain_by_labels(struct gathering *g, const struct k8s_pv *pv)
{
    const struct sched_vocab *vocab = g->volumes->vocab;
    for (uint32_t i = 0; i < pv->meta.labels.n; i++) {
        const strid key = sched_key(vocab, pv->meta.labels.v[i].key);
        if (key != vocab->words->zone && key != vocab->words->region) {
            continue;
        }
        const struct k8s_requirement in = {
            .key = key, .op = K8S_IN, .values = zone_values(g, pv->meta.labels.v[i].value)};
        const struct k8s_node_term term = {.n_expressions = 1, .expressions = &in};
        constrain(g, 1, &term, /* ignore_host= */ false);
    }
}

static void gather_bound(struct gathering *g, const struct k8s_pvc *pvc, uint32_t volume)
{
    const strid ns = pvc->meta.ns;
    const struct k8s_pv *pv = named_find(g->volumes->pvs, g->volumes->n_pvs, pvc->volume_name);
    if (pv == NULL) {
        trouble(g, SCHED_VOLUME_MISSING, ns, pvc->meta.name,
                "is bound to a volume that does not exist:", pvc->volume_name);
    } else if (pv->meta.deleted.has) {
        trouble(g, SCHED_VOLUME_DELETING, ns, pvc->meta.name,
                "is bound to a volume that is being deleted:", pvc->volume_name);
    } else if (!pvc->bind_completed) {
        trouble(g, SCHED_CLAIM_NOT_BOUND, ns, pvc->meta.name,
                "is not bound yet (no pv.kubernetes.io/bind-completed) to volume",
                pvc->volume_name);
    } else {
        if (pv->n_terms > 0) {
            constrain(g, pv->n_terms, pv->terms, pv->is_local || pv->is_host_path);
        }
        constrain_by_labels(g, pv);
        attach(g, pv->driver, volume);
    }
}

static const struct k8s_storage_class *class_of(const struct sched_volumes *volumes, strid name,
                                                bool default_applies)
{
    if (name == STRID_NONE) {
        return default_applies ? volumes->default_class : NULL;
    }
    return named_find(volumes->classes, volumes->n_classes, strtab_str(volumes->vocab->tab, name));
}

/* A claim that is to be provisioned when its first pod is placed. */
static void gather_unbound(struct gathering *g, strid ns, struct str claim, strid class_name,
                           bool default_applies, uint32_t volume)
{
    const struct sched_vocab *vocab = g->volumes->vocab;
    const struct k8s_storage_class *storage_class =
        class_of(g->volumes, class_name, default_applies);
    if (storage_class == NULL) {
        const bool named = class_name != STRID_NONE && class_name != STRID_EMPTY;
        trouble(g, named ? SCHED_CLASS_MISSING : SCHED_CLASS_NONE, ns, claim,
                named ? "names a storage class that does not exist:"
                      : "is not bound and has no storage class",
                named ? strtab_str(vocab->tab, class_name) : STR_EMPTY);
        return;
    }
    if (!storage_class->wait_for_consumer) {
        trouble(
            g, SCHED_CLASS_IMMEDIATE, ns, claim,
            "must be bound before its pod is placed (volumeBindingMode Immediate), storage class",
            storage_class->meta.name);
        return;
    }
    if (storage_class->n_topologies > 0) {
        constrain(g, storage_class->n_topologies, storage_class->topologies,
                  /* ignore_host= */ false);
    }
    const strid driver = attach_driver(vocab, storage_class->provisioner);
    attach(g, driver, volume);
    if (driver == vocab->ebs_driver) {
        VEC_PUSH(g->arena, &g->unbound, volume);
    }
}

static void gather_claim(struct gathering *g, const struct k8s_pod *pod, const struct claim *claim)
{
    const struct k8s_pvc *pvc = claim->pvc;
    const uint32_t volume = (uint32_t)(claim - g->volumes->claims);
    if (pvc->meta.deleted.has) {
        trouble(g, SCHED_CLAIM_DELETING, pod->ns, pvc->meta.name, "is being deleted", STR_EMPTY);
        return;
    }
    if (pvc->phase == g->volumes->vocab->lost) {
        trouble(g, SCHED_CLAIM_LOST, pod->ns, pvc->meta.name, "has lost its volume",
                pvc->volume_name);
        return;
    }
    if (is_exclusive(g->volumes->vocab, pvc)) {
        VEC_PUSH(g->arena, &g->exclusive, volume);
        if (claim->owner != NULL && claim->owner != pod) {
            trouble(g, SCHED_CLAIM_IN_USE, pod->ns, pvc->meta.name,
                    "is ReadWriteOncePod and used by pod", claim->owner->name);
            return;
        }
    }
    if (pvc->volume_name.n > 0) {
        gather_bound(g, pvc, volume);
    } else {
        /* The API server fills in the default class; only a claim that never met one can still lack
         * it. */
        const bool never_stored = pvc->meta.uid.n == 0 && pvc->phase == STRID_EMPTY;
        gather_unbound(g, pod->ns, pvc->meta.name, pvc->storage_class, never_stored, volume);
    }
}

static void gather_volume(struct gathering *g, const struct k8s_pod *pod,
                          const struct k8s_volume *volume, uint32_t *next_ephemeral)
{
    const struct sched_volumes *volumes = g->volumes;
    if (volume->kind == K8S_VOLUME_AWS_EBS) {
        const uint32_t disk = disk_find(volumes, volume->claim_name);
        if (disk != UINT32_MAX) {
            attach(g, volumes->vocab->ebs_driver, volumes->n_claims + disk);
        }
        return;
    }
    if (volume->kind != K8S_VOLUME_CLAIM && volume->kind != K8S_VOLUME_EPHEMERAL) {
        return; /* inline CSI volumes are not counted by the scheduler either */
    }
    const bool ephemeral = volume->kind == K8S_VOLUME_EPHEMERAL;
    const uint32_t own_id = ephemeral ? (*next_ephemeral)++ : 0;
    const struct str name =
        ephemeral ? ephemeral_claim_name(g->arena, pod, volume) : volume->claim_name;
    const struct claim *claim = claim_find(volumes, pod->ns, name);
    if (claim != NULL) {
        gather_claim(g, pod, claim);
    } else if (ephemeral) {
        gather_unbound(g, pod->ns, name, volume->storage_class, /* default_applies= */ true,
                       own_id);
    } else {
        trouble(g, SCHED_CLAIM_MISSING, pod->ns, name, "does not exist", STR_EMPTY);
    }
}

static int cmp_attachments(const void *a, const void *b)
{
    const struct sched_attachment *x = a;
    const struct sched_attachment *y = b;
    return x->volume < y->volume ? -1 : x->volume > y->volume;
}

struct sched_pod_volumes sched_volumes_of(const struct sched_volumes *volumes, struct arena *arena,
                                          const struct k8s_pod *pod)
{
    struct gathering g = {.volumes = volumes, .arena = arena};
    const struct k8s_cluster *cluster = volumes->cluster;
    uint32_t next_ephemeral = volumes->n_claims + volumes->n_disks;
    if (volumes->ephemeral_from != NULL && pod >= cluster->pods &&
        pod < cluster->pods + cluster->n_pods) {
        next_ephemeral = volumes->ephemeral_from[pod - cluster->pods];
    }
    for (uint32_t v = 0; v < pod->shape->n_volumes; v++) {
        gather_volume(&g, pod, &pod->shape->volumes[v], &next_ephemeral);
    }
    if (g.trouble == SCHED_VOLUME_OK && g.constrained && g.alternatives.n == 0) {
        g.trouble = SCHED_VOLUMES_APART;
        g.text =
            STR("no node can use all volumes of the pod: they are tied to different topologies");
    }
    if (g.attachments.n > 0) {
        qsort(g.attachments.v, g.attachments.n, sizeof g.attachments.v[0], cmp_attachments);
    }
    return (struct sched_pod_volumes){.trouble = g.trouble,
                                      .text = g.text,
                                      .n_alternatives = (uint32_t)g.alternatives.n,
                                      .alternatives = g.alternatives.v,
                                      .n_attachments = (uint32_t)g.attachments.n,
                                      .attachments = g.attachments.v,
                                      .n_unbound = (uint32_t)g.unbound.n,
                                      .unbound = g.unbound.v,
                                      .n_exclusive = (uint32_t)g.exclusive.n,
                                      .exclusive = g.exclusive.v};
}

bool sched_volume_shared(const struct sched_volumes *volumes, uint32_t volume)
{
    if (volume < volumes->n_claims) {
        return volumes->claims[volume].n_users > 1;
    }
    volume -= volumes->n_claims;
    return volume < volumes->n_disks && volumes->disk_users[volume] > 1;
}

struct str sched_volume_text(const struct sched_volumes *volumes, uint32_t volume,
                             struct arena *arena)
{
    if (volume < volumes->n_claims) {
        const struct k8s_meta *meta = &volumes->claims[volume].pvc->meta;
        struct strbuf text = strbuf_new(arena, VOLUME_TEXT_MAX);
        strbuf_add(&text, strtab_str(volumes->vocab->tab, meta->ns));
        strbuf_addc(&text, '/');
        strbuf_add(&text, meta->name);
        return strbuf_str(&text);
    }
    volume -= volumes->n_claims;
    return volume < volumes->n_disks ? volumes->disks[volume] : STR_EMPTY;
}

/* ---- running nodes ---- */

static int cmp_by_driver(const void *a, const void *b)
{
    const struct sched_attachment *x = a;
    const struct sched_attachment *y = b;
    if (x->driver != y->driver) {
        return x->driver < y->driver ? -1 : 1;
    }
    return x->volume < y->volume ? -1 : x->volume > y->volume;
}

static struct sched_attach_room *room_of(struct sched_attach_room *rooms, uint32_t *n, strid driver)
{
    for (uint32_t i = 0; i < *n; i++) {
        if (rooms[i].driver == driver) {
            return &rooms[i];
        }
    }
    uint32_t at = (*n)++;
    for (; at > 0 && rooms[at - 1].driver > driver; at--) {
        rooms[at] = rooms[at - 1];
    }
    rooms[at] = (struct sched_attach_room){.driver = driver};
    return &rooms[at];
}

void sched_attach_rooms(const struct sched_volumes *volumes, struct arena *arena,
                        struct str node_name, uint32_t n_pods, const struct k8s_pod *const *pods,
                        const struct sched_attach_room **ret_rooms, uint32_t *ret_n)
{
    VEC(struct sched_attachment) all = {0};
    for (uint32_t p = 0; p < n_pods; p++) {
        if (pods[p]->shape->n_volumes == 0) {
            continue;
        }
        const struct sched_pod_volumes of = sched_volumes_of(volumes, arena, pods[p]);
        for (uint32_t a = 0; a < of.n_attachments; a++) {
            VEC_PUSH(arena, &all, of.attachments[a]);
        }
    }
    if (all.n > 0) {
        qsort(all.v, all.n, sizeof all.v[0], cmp_by_driver);
    }
    const struct k8s_csi_node *csi_node =
        named_find(volumes->csi_nodes, volumes->n_csi_nodes, node_name);
    const uint32_t n_limits = csi_node == NULL ? 0 : csi_node->n_drivers;
    struct sched_attach_room *rooms =
        ARENA_ARRAY(arena, struct sched_attach_room, all.n + n_limits);
    uint32_t n = 0;
    for (uint32_t d = 0; d < n_limits; d++) {
        room_of(rooms, &n, attach_driver(volumes->vocab, csi_node->drivers[d].driver))->limit =
            csi_node->drivers[d].count;
    }
    for (size_t i = 0; i < all.n; i++) {
        if (i == 0 || cmp_by_driver(&all.v[i], &all.v[i - 1]) != 0) {
            room_of(rooms, &n, all.v[i].driver)->used++;
        }
    }
    *ret_rooms = rooms;
    *ret_n = n;
}

/* ---- signature ---- */

static void put_u32(struct strbuf *out, uint32_t value)
{
    const char bytes[4] = {(char)(value & 0xff), (char)(value >> 8 & 0xff),
                           (char)(value >> 16 & 0xff), (char)(value >> 24 & 0xff)};
    strbuf_add(out, (struct str){.p = bytes, .n = sizeof bytes});
}

static void put_i64(struct strbuf *out, struct opt_i64 value)
{
    put_u32(out, value.has);
    put_u32(out, (uint32_t)((uint64_t)value.v & UINT32_MAX));
    put_u32(out, (uint32_t)((uint64_t)value.v >> 32));
}

static void put_reqs(struct strbuf *out, struct sched_reqs reqs)
{
    put_u32(out, reqs.n);
    for (uint32_t i = 0; i < reqs.n; i++) {
        const struct sched_req *req = &reqs.v[i];
        put_u32(out, req->key);
        put_u32(out, req->complement);
        put_u32(out, req->values.n);
        for (uint32_t v = 0; v < req->values.n; v++) {
            put_u32(out, req->values.v[v]);
        }
        put_i64(out, req->gte);
        put_i64(out, req->lte);
    }
}

/* Attachments count per driver: which volume it is does not matter while nobody shares it. */
static uint32_t count_driver(const struct sched_pod_volumes *pod_volumes, strid driver)
{
    uint32_t n = 0;
    for (uint32_t i = 0; i < pod_volumes->n_attachments; i++) {
        n += pod_volumes->attachments[i].driver == driver;
    }
    return n;
}

void sched_volumes_signature(const struct sched_pod_volumes *pod_volumes, struct strbuf *out)
{
    put_u32(out, pod_volumes->trouble);
    if (pod_volumes->trouble != SCHED_VOLUME_OK) {
        strbuf_add(out, pod_volumes->text);
        return;
    }
    put_u32(out, pod_volumes->n_alternatives);
    for (uint32_t i = 0; i < pod_volumes->n_alternatives; i++) {
        put_reqs(out, pod_volumes->alternatives[i]);
    }
    strid last = STRID_EMPTY; /* drivers are never the empty string */
    for (;;) {
        strid next = STRID_NONE;
        for (uint32_t i = 0; i < pod_volumes->n_attachments; i++) {
            const strid driver = pod_volumes->attachments[i].driver;
            if (driver > last && driver < next) {
                next = driver;
            }
        }
        if (next == STRID_NONE) {
            return;
        }
        put_u32(out, next);
        put_u32(out, count_driver(pod_volumes, next));
        last = next;
    }
}
