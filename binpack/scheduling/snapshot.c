/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "binpack/scheduling/snapshot.h"

#include "base/arena.h"
#include "base/vec.h"
#include "binpack/scheduling/buffers.h"
#include "binpack/scheduling/daemons.h"
#include "binpack/scheduling/eligibility.h"
#include "binpack/scheduling/pools.h"
#include "binpack/scheduling/protect.h"
#include "binpack/scheduling/resources.h"
#include "binpack/scheduling/running.h"
#include "binpack/scheduling/volumes.h"

#include <stdlib.h>

enum { SHORT_LIST = 64 };

struct builder {
    struct sched_snapshot *s;
    struct arena *arena;
    const struct sched_machine *machines;
    uint32_t n_machines;
    struct strtab *names; /* machine names */
    uint32_t *machine_of; /* [count of names] */
    uint32_t *node_of;    /* [n_machines] into s->nodes, SCHED_NONE: goes away */
    struct sched_pod *pods;
    uint8_t *shape_verdict; /* [n_shapes] enum sched_verdict + 1, 0: not asked yet */
    struct str *shape_text; /* [n_shapes] */
};

struct k8s_resources sched_requests_of(const struct sched_snapshot *snapshot,
                                       const struct k8s_pod_shape *shape, struct arena *arena)
{
    const struct k8s_cluster *cluster = snapshot->cluster;
    if (shape->id < cluster->n_shapes && cluster->shapes[shape->id] == shape) {
        return snapshot->shape_requests[shape->id];
    }
    return sched_shape_requests(snapshot->cluster, arena, shape);
}

const struct k8s_cluster *sched_cluster_widened(const struct k8s_cluster *cluster,
                                                struct arena *arena)
{
    if (cluster->n_buffers == 0) {
        return cluster;
    }
    struct sched_buffer_pods buffers = sched_buffers_of(arena, cluster);
    return buffers.n == 0 ? cluster : sched_cluster_with_buffers(arena, cluster, &buffers);
}

/* ---- order of pods */

struct sort_key {
    uint64_t word; /* eight bytes of the name, most significant first */
    uint32_t pod;
};

static int key_cmp(const void *a, const void *b)
{
    const struct sort_key *x = a, *y = b;
    if (x->word != y->word) {
        return x->word < y->word ? -1 : 1;
    }
    return (x->pod > y->pod) - (x->pod < y->pod);
}

static uint64_t name_word(struct str name, size_t at)
{
    uint64_t word = 0;
    for (size_t i = 0; i < 8; i++) {
        word = (word << 8) | (at + i < name.n ? (uint8_t)name.p[at + i] : 0);
    }
    return word;
}

/* Sorts by the words from `at` on: names of one workload share their beginning, so comparing whole
 * names would read it again and again. */
static void sort_by_name(const struct k8s_cluster *cluster, struct sort_key *keys, size_t n,
                         size_t at)
{
    while (n > 1) {
        bool sorted = true, equal = true, longer = false;
        for (size_t i = 0; i < n; i++) {
            struct str name = cluster->pods[keys[i].pod].name;
            keys[i].word = name_word(name, at);
            longer = longer || name.n > at + 8;
            sorted = sorted && (i == 0 || keys[i - 1].word <= keys[i].word);
            equal = equal && keys[i].word == keys[0].word;
        }
        if (equal) {
            if (!longer) {
                return;
            }
            at += 8;
            continue;
        }
        if (!sorted) {
            qsort(keys, n, sizeof *keys, key_cmp);
        }
        size_t from = 0;
        for (size_t i = 1; i < n; i++) {
            if (keys[i].word != keys[from].word) {
                sort_by_name(cluster, keys + from, i - from, at + 8);
                from = i;
            }
        }
        keys += from;
        n -= from;
        at += 8;
    }
}

struct ns_rank {
    strid ns;
    struct str text;
};
struct ns_list {
    struct ns_rank *v;
    size_t n, cap;
};

/* The namespaces of the pods; ns_of[i]: which of them pod i is in. */
static void find_spaces(const struct k8s_cluster *cluster, struct arena *scratch,
                        const uint32_t *pods, uint32_t n, uint32_t *ns_of, struct ns_list *spaces)
{
    struct strtab *seen = strtab_new(scratch);
    strid last_ns = STRID_NONE;
    uint32_t last = 0;
    for (uint32_t i = 0; i < n; i++) {
        strid ns = cluster->pods[pods[i]].ns;
        if (ns != last_ns) {
            uint32_t id = strtab_add(seen, (struct str){.p = (const char *)&ns, .n = sizeof ns});
            if (id > spaces->n) {
                VEC_PUSH(scratch, spaces,
                         (struct ns_rank){.ns = id, .text = strtab_str(cluster->tab, ns)});
            }
            last_ns = ns;
            last = id - 1;
        }
        ns_of[i] = last;
    }
}

static int ns_cmp(const void *a, const void *b)
{
    const struct ns_rank *x = a, *y = b;
    return str_cmp(x->text, y->text);
}

static int pod_cmp(const struct k8s_cluster *cluster, uint32_t a, uint32_t b)
{
    const struct k8s_pod *x = &cluster->pods[a], *y = &cluster->pods[b];
    int order = x->ns == y->ns ? 0 : strtab_cmp(cluster->tab, x->ns, y->ns);
    return order != 0 ? order : str_cmp(x->name, y->name);
}

/* Sorts a short list, or finds that a long one is in order, as what kubectl prints mostly is. */
static bool sort_short(const struct k8s_cluster *cluster, uint32_t *pods, uint32_t n)
{
    for (uint32_t i = 1; i < n; i++) {
        uint32_t pod = pods[i], k = i;
        if (pod_cmp(cluster, pods[i - 1], pod) <= 0) {
            continue;
        }
        if (n > SHORT_LIST) {
            return false;
        }
        for (; k > 0 && pod_cmp(cluster, pods[k - 1], pod) > 0; k--) {
            pods[k] = pods[k - 1];
        }
        pods[k] = pod;
    }
    return true;
}

void sched_pods_sort(const struct k8s_cluster *cluster, struct arena *scratch, uint32_t *pods,
                     uint32_t n)
{
    if (sort_short(cluster, pods, n)) {
        return;
    }
    /* Namespaces first: counting sort by their rank. */
    uint32_t *ns_of = ARENA_ARRAY(scratch, uint32_t, n);
    struct ns_list spaces = {0};
    find_spaces(cluster, scratch, pods, n, ns_of, &spaces);
    qsort(spaces.v, spaces.n, sizeof *spaces.v, ns_cmp);
    uint32_t *rank = ARENA_ARRAY(scratch, uint32_t, spaces.n);
    size_t *start = ARENA_ARRAY(scratch, size_t, spaces.n + 1);
    for (uint32_t i = 0; i < spaces.n; i++) {
        rank[spaces.v[i].ns - 1] = i;
    }
    for (uint32_t i = 0; i < n; i++) {
        start[rank[ns_of[i]] + 1]++;
    }
    for (uint32_t i = 0; i < spaces.n; i++) {
        start[i + 1] += start[i];
    }
    struct sort_key *keys = ARENA_ARRAY(scratch, struct sort_key, n);
    size_t *fill = ARENA_ARRAY(scratch, size_t, spaces.n);
    for (uint32_t i = 0; i < n; i++) {
        uint32_t r = rank[ns_of[i]];
        keys[start[r] + fill[r]++].pod = pods[i];
    }
    for (uint32_t i = 0; i < spaces.n; i++) {
        sort_by_name(cluster, keys + start[i], start[i + 1] - start[i], 0);
    }
    for (uint32_t i = 0; i < n; i++) {
        pods[i] = keys[i].pod;
    }
}

/* ---- pods */

static enum sched_verdict shape_verdict(struct builder *b, const struct k8s_pod_shape *shape,
                                        struct str *ret_text)
{
    const struct k8s_cluster *cluster = b->s->cluster;
    bool known = shape->id < cluster->n_shapes && cluster->shapes[shape->id] == shape;
    if (known && b->shape_verdict[shape->id] != 0) {
        *ret_text = b->shape_text[shape->id];
        return (enum sched_verdict)(b->shape_verdict[shape->id] - 1);
    }
    struct err err = {.code = ERR_NONE};
    enum sched_verdict verdict =
        sched_shape_verdict(b->s->vocab, shape, b->s->settings.ignore_dra, &err);
    *ret_text = err.code == ERR_NONE ? STR_EMPTY : str_copy(b->arena, str_of(err.text));
    if (known) {
        b->shape_verdict[shape->id] = (uint8_t)(verdict + 1);
        b->shape_text[shape->id] = *ret_text;
    }
    return verdict;
}

static struct sched_pod ignored(enum sched_verdict verdict)
{
    return (struct sched_pod){
        .state = SCHED_POD_IGNORED, .node_i = SCHED_NONE, .code = sched_verdict_code(verdict).p};
}

/* A pod that wants a place: may we plan for it? `from`: how the node it is on leaves. */
static struct sched_pod wanting(struct builder *b, const struct k8s_pod *pod, uint8_t from)
{
    struct str text = STR_EMPTY;
    enum sched_verdict verdict = shape_verdict(b, pod->shape, &text);
    if (verdict != SCHED_NEEDS_PLACE && sched_verdict_is_ignored(verdict)) {
        return ignored(verdict);
    }
    if (verdict != SCHED_NEEDS_PLACE) {
        return (struct sched_pod){.state = SCHED_POD_BLOCKED,
                                  .node_i = SCHED_NONE,
                                  .code = sched_verdict_code(verdict).p,
                                  .message = text.n > 0 ? text : sched_verdict_text(verdict)};
    }
    return (struct sched_pod){.state = SCHED_POD_PENDING, .from = from, .node_i = SCHED_NONE};
}

/* The machine of a bound pod, or SCHED_NONE when the input has no such node. */
static uint32_t machine_of(const struct builder *b, const struct k8s_pod *pod)
{
    strid id = strtab_find(b->names, pod->node_name);
    return id == STRID_NONE || id == STRID_EMPTY ? SCHED_NONE : b->machine_of[id];
}

/* Does the pod leave the machine it is on? An expired node goes whatever its pods ask for, and a
 * drifted one whose NodeClaim has a terminationGracePeriod does, too: then they are moved by force.
 * An expired one without it waits for them. */
static bool machine_frees(const struct sched_snapshot *s, const struct sched_machine *machine,
                          const struct k8s_pod *pod)
{
    const uint8_t leave = machine->leave & SCHED_LEAVE_MASK;
    const bool forced = machine->claim != NULL && machine->claim->termination_grace.has;
    if (leave != SCHED_EXPIRES && !(forced && (machine->leave & SCHED_BY_FORCE) != 0)) {
        return (machine->goes || leave == SCHED_OPENS) &&
               sched_pod_moves(s->cluster, s->vocab, pod, s->settings.now);
    }
    return sched_pod_comes_back(s->vocab, pod) &&
           (forced || !sched_pod_holds_drain(s->cluster, pod, s->settings.now));
}

static struct sched_pod classify(struct builder *b, const struct k8s_pod *pod)
{
    const struct sched_snapshot *s = b->s;
    enum sched_verdict verdict = sched_pod_verdict(s->vocab, pod, /* offline= */ true);
    if (verdict == SCHED_NEEDS_PLACE) {
        return wanting(b, pod, SCHED_STAYS);
    }
    if (verdict != SCHED_BOUND || sched_pod_finished(pod)) {
        if (pod->node_name.n == 0 || sched_pod_finished(pod)) {
            return ignored(verdict);
        }
    }
    if (s->settings.repack) {
        return sched_pod_comes_back(s->vocab, pod) ? wanting(b, pod, SCHED_STAYS)
                                                   : ignored(verdict);
    }
    uint32_t machine_i = machine_of(b, pod);
    if (machine_i == SCHED_NONE) {
        return ignored(verdict);
    }
    const struct sched_machine *machine = &b->machines[machine_i];
    if (machine_frees(s, machine, pod)) {
        return wanting(b, pod, machine->leave);
    }
    if (b->node_of[machine_i] != SCHED_NONE) {
        return (struct sched_pod){.state = SCHED_POD_BOUND,
                                  .node_i = b->node_of[machine_i],
                                  .code = sched_verdict_code(verdict).p};
    }
    return ignored(verdict);
}

static const char *volume_code(enum sched_volume_trouble trouble)
{
    static const char *const codes[] = {
        [SCHED_VOLUME_OK] = "VOLUME_OK",
        [SCHED_CLAIM_MISSING] = "VOLUME_CLAIM_MISSING",
        [SCHED_CLAIM_DELETING] = "VOLUME_CLAIM_DELETING",
        [SCHED_CLAIM_LOST] = "VOLUME_CLAIM_LOST",
        [SCHED_VOLUME_MISSING] = "VOLUME_MISSING",
        [SCHED_VOLUME_DELETING] = "VOLUME_DELETING",
        [SCHED_CLAIM_NOT_BOUND] = "VOLUME_NOT_BOUND",
        [SCHED_CLASS_NONE] = "STORAGE_CLASS_NONE",
        [SCHED_CLASS_MISSING] = "STORAGE_CLASS_MISSING",
        [SCHED_CLASS_IMMEDIATE] = "VOLUME_BINDS_FIRST",
        [SCHED_CLAIM_IN_USE] = "VOLUME_IN_USE",
        [SCHED_VOLUMES_APART] = "VOLUMES_APART",
    };
    return codes[trouble];
}

/* Looks at the volumes of the pods that want a place, in their order; of several that want one
 * ReadWriteOncePod claim the first gets it. Keeps the pending ones. */
static void settle_volumes(struct builder *b, uint32_t *wanted, uint32_t n)
{
    struct sched_snapshot *s = b->s;
    const struct sched_pod_volumes **volumes_of =
        ARENA_ARRAY(b->arena, const struct sched_pod_volumes *, n);
    struct strtab *taken = strtab_new(b->arena);
    uint32_t kept = 0;
    for (uint32_t i = 0; i < n; i++) {
        const struct k8s_pod *pod = &s->cluster->pods[wanted[i]];
        struct sched_pod_volumes *volumes = NULL;
        if (pod->shape->n_volumes > 0) {
            volumes = ARENA_NEW(b->arena, struct sched_pod_volumes);
            *volumes = sched_volumes_of(s->volumes, b->arena, pod);
            enum sched_volume_trouble trouble = volumes->trouble;
            struct str text = volumes->text;
            if (s->settings.repack && s->given->n_storage_classes == 0 &&
                (trouble == SCHED_CLASS_NONE || trouble == SCHED_CLASS_MISSING)) {
                /* Manifests alone: the cluster they are meant for has a class. */
                trouble = SCHED_VOLUME_OK;
                s->n_assumed_claims++;
            }
            for (uint32_t k = 0; k < volumes->n_exclusive && trouble == SCHED_VOLUME_OK; k++) {
                struct str key = {.p = (const char *)&volumes->exclusive[k],
                                  .n = sizeof volumes->exclusive[k]};
                if (strtab_find(taken, key) != STRID_NONE) {
                    trouble = SCHED_CLAIM_IN_USE;
                    text = STR("a ReadWriteOncePod claim of the pod is wanted by another pending "
                               "pod that comes first");
                }
                (void)strtab_add(taken, key);
            }
            if (trouble != SCHED_VOLUME_OK) {
                b->pods[wanted[i]] = (struct sched_pod){.state = SCHED_POD_BLOCKED,
                                                        .node_i = SCHED_NONE,
                                                        .code = volume_code(trouble),
                                                        .message = text};
                continue;
            }
        }
        volumes_of[kept] = volumes;
        wanted[kept++] = wanted[i];
    }
    s->pending = wanted;
    s->n_pending = kept;
    s->volumes_of = volumes_of;
}

static void take_pods(struct builder *b)
{
    struct sched_snapshot *s = b->s;
    const struct k8s_cluster *cluster = s->cluster;
    uint32_t *wanted = ARENA_ARRAY(b->arena, uint32_t, cluster->n_pods);
    uint32_t n_wanted = 0;
    b->pods = ARENA_ARRAY(b->arena, struct sched_pod, cluster->n_pods);
    for (uint32_t i = 0; i < cluster->n_pods; i++) {
        b->pods[i] = classify(b, &cluster->pods[i]);
        if (b->pods[i].state == SCHED_POD_PENDING) {
            wanted[n_wanted++] = i;
        }
    }
    s->pods = b->pods;
    sched_pods_sort(cluster, b->arena, wanted, n_wanted);
    settle_volumes(b, wanted, n_wanted);
}

/* ---- nodes */

static void take_nodes(struct builder *b)
{
    struct sched_snapshot *s = b->s;
    b->names = strtab_new(b->arena);
    b->machine_of = ARENA_ARRAY(b->arena, uint32_t, b->n_machines + 1);
    b->node_of = ARENA_ARRAY(b->arena, uint32_t, b->n_machines);
    struct sched_node *nodes = ARENA_ARRAY(b->arena, struct sched_node, b->n_machines);
    for (uint32_t i = 0; i < b->n_machines; i++) {
        uint32_t known = strtab_count(b->names);
        strid id = strtab_add(b->names, b->machines[i].name);
        if (id == known || b->machines[i].node != NULL) {
            b->machine_of[id] = i; /* Pods name Nodes, never NodeClaims. */
        }
        b->node_of[i] = SCHED_NONE;
        if (!b->machines[i].goes && !s->settings.repack) {
            b->node_of[i] = s->n_nodes;
            sched_node_describe(s, &b->machines[i], b->arena, &nodes[s->n_nodes++]);
        }
    }
    s->nodes = nodes;
}

static bool attaches_any(const struct sched_snapshot *s)
{
    for (uint32_t i = 0; i < s->n_pending; i++) {
        if (s->volumes_of[i] != NULL && s->volumes_of[i]->n_attachments > 0) {
            return true;
        }
    }
    return false;
}

static void fill_nodes(struct builder *b)
{
    struct sched_snapshot *s = b->s;
    struct sched_node *nodes = (struct sched_node *)s->nodes;
    uint32_t *n_pods = ARENA_ARRAY(b->arena, uint32_t, s->n_nodes);
    uint32_t **lists = ARENA_ARRAY(b->arena, uint32_t *, s->n_nodes);
    for (uint32_t i = 0; i < s->cluster->n_pods; i++) {
        if (s->pods[i].state == SCHED_POD_BOUND) {
            n_pods[s->pods[i].node_i]++;
        }
    }
    for (uint32_t k = 0; k < s->n_nodes; k++) {
        lists[k] = ARENA_ARRAY(b->arena, uint32_t, n_pods[k]);
    }
    for (uint32_t i = 0; i < s->cluster->n_pods; i++) {
        if (s->pods[i].state == SCHED_POD_BOUND) {
            uint32_t k = s->pods[i].node_i;
            lists[k][nodes[k].n_pods++] = i;
        }
    }
    bool attach = attaches_any(s);
    for (uint32_t k = 0; k < s->n_nodes; k++) {
        sched_pods_sort(s->cluster, b->arena, lists[k], n_pods[k]);
        nodes[k].pods = lists[k];
        sched_node_fill(s, b->arena, attach, &nodes[k]);
    }
}

bool sched_snapshot_new(const struct k8s_cluster *cluster, const struct catalog *catalog,
                        const struct sched_settings *settings, const uint8_t *leave,
                        struct arena *arena, struct sched_snapshot **ret_snapshot, struct err *err)
{
    struct sched_snapshot *s = ARENA_NEW(arena, struct sched_snapshot);
    const struct sched_vocab *vocab = sched_vocab_new(arena, cluster, catalog);
    struct sched_daemons *daemons = ARENA_NEW(arena, struct sched_daemons);
    *daemons = sched_daemons_new(arena, vocab, cluster);
    *s = (struct sched_snapshot){
        .given = cluster,
        .cluster = settings->capacity_buffer ? sched_cluster_widened(cluster, arena) : cluster,
        .catalog = catalog,
        .tab = cluster->tab,
        .words = &cluster->words,
        .vocab = vocab,
        .volumes = sched_volumes_new(arena, vocab, cluster),
        .daemons = daemons,
        .settings = *settings,
        .arena = arena};
    struct k8s_resources *requests = ARENA_ARRAY(arena, struct k8s_resources, cluster->n_shapes);
    for (uint32_t i = 0; i < cluster->n_shapes; i++) {
        requests[i] = sched_shape_requests(s->cluster, arena, cluster->shapes[i]);
    }
    s->shape_requests = requests;
    struct builder b = {.s = s, .arena = arena};
    b.shape_verdict = ARENA_ARRAY(arena, uint8_t, cluster->n_shapes);
    b.shape_text = ARENA_ARRAY(arena, struct str, cluster->n_shapes);
    struct sched_machine *machines = NULL;
    sched_machines(cluster, leave, arena, &machines, &b.n_machines);
    b.machines = machines;
    take_nodes(&b);
    take_pods(&b);
    fill_nodes(&b);
    sched_pools_take(s, arena);
    if (!sched_zones_known(s, err)) {
        return false;
    }
    *ret_snapshot = s;
    return true;
}
